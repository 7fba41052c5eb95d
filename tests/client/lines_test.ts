import { assertEquals, assertRejects } from "@std/assert";
import { FTPProtocolError, FTPReplyError } from "../../mod.ts";
import { breakAfterFirst } from "../break_after_first.ts";
import { PeerGone, type Turn } from "../testing/scripted/mod.ts";
import { type Script, startScript } from "../testing/client_script.ts";

/**
 * Sends the pieces one by one, each after the client has read the previous one.
 */
function inPieces(...pieces: (string | Uint8Array)[]): Script[string] {
  return async (turn) => {
    await turn.reply(150, "Here");
    const conn = await turn.openData();
    for (const piece of pieces) {
      await conn.write(piece);
      await new Promise((done) => setTimeout(done, 2));
    }
    conn.close();
    await turn.reply(226, "Done");
  };
}

/** A text in pieces, and its lines. */
const TEXTS: [
  name: string,
  pieces: (string | Uint8Array)[],
  lines: string[],
][] = [
  ["CRLF", ["a\r\nb\r\n"], ["a", "b"]],
  ["LF", ["a\nb\n"], ["a", "b"]],
  ["no end", ["a\r\nb"], ["a", "b"]],
  ["nothing", [], []],
  ["a cut between CR and LF", ["a\r", "\nb\r", "\n"], ["a", "b"]],
  ["a cut in a character", [
    Uint8Array.of(0x61, 0xC3),
    Uint8Array.of(0xA9, 0x0A),
  ], ["aé"]],
  ["bytes that are no text", [Uint8Array.of(0x61, 0xE9, 0x0A)], ["a\uDCE9"]],
];

for (const [name, pieces, lines] of TEXTS) {
  Deno.test(`FTP.retrlines reads ${name}`, async () => {
    await using server = await startScript({ RETR: inPieces(...pieces) });
    await using ftp = await server.connect();
    const got: string[] = [];
    const reply = await ftp.retrlines("RETR x", (line) => got.push(line));
    assertEquals(got, lines);
    assertEquals(reply.code, 226);
    assertEquals(server.commands[0], "TYPE A");
  });
}

Deno.test("FTP.retrlines reads the session's encoding", async () => {
  const bytes = Uint8Array.of(0x93, 0xFA, 0x96, 0x7B, 0x0D, 0x0A);
  await using server = await startScript({
    RETR: inPieces(bytes.subarray(0, 3), bytes.subarray(3)),
  });
  await using ftp = await server.connect({ encoding: "shift_jis" });
  const got: string[] = [];
  await ftp.retrlines("RETR x", (line) => got.push(line));
  assertEquals(got, ["日本"]);
});

Deno.test("FTP.retrlines awaits its callback and aborts when it throws", async () => {
  await using server = await startScript({
    RETR: (turn) => turn.send("a\nb\nc\n"),
    ABOR: "225 Nothing to abort",
  });
  await using ftp = await server.connect();
  const log: string[] = [];
  await ftp.retrlines("RETR x", async (line) => {
    log.push(line);
    await new Promise((done) => setTimeout(done, 1));
    log.push(`/${line}`);
  });
  assertEquals(log, ["a", "/a", "b", "/b", "c", "/c"]);
  await assertRejects(
    () => ftp.retrlines("RETR x", () => Promise.reject(new Error("no"))),
    Error,
    "no",
  );
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.retrlines refuses a line over maxLine, and is usable", async () => {
  const endless = async (turn: Turn) => {
    await turn.reply(150, "Here");
    const conn = await turn.openData();
    const sending = (async () => {
      while (true) await conn.write("x".repeat(10_000));
    })();
    await assertRejects(() => sending, PeerGone);
    await turn.confirmAbort();
  };
  await using server = await startScript({ RETR: endless });
  await using ftp = await server.connect({ maxLine: 100_000 });
  await assertRejects(
    () => ftp.retrlines("RETR x", () => {}),
    FTPProtocolError,
    "maxLine, 100000 bytes",
  );
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.nlst and dir put their words behind the command", async () => {
  await using server = await startScript({
    NLST: (turn) => turn.send(`nlst\r\n${turn.argument}\r\n`),
    LIST: (turn) => turn.send(`list\r\n${turn.argument}\r\n`),
  });
  await using ftp = await server.connect();
  assertEquals(await ftp.nlst(), ["nlst", ""]);
  assertEquals(await ftp.nlst("/a b"), ["nlst", "/a b"]);
  const lines: string[] = [];
  await ftp.dir((line: string) => lines.push(line));
  await ftp.dir("-a", "/x", (line: string) => lines.push(line));
  assertEquals(lines, ["list", "", "list", "-a /x"]);
});

Deno.test("FTP.mlsd gives names and facts to the letter", async () => {
  await using server = await startScript({
    OPTS: "200 ok",
    MLSD: (turn) =>
      turn.send(
        "Type=cdir;Size=1; /x\r\nTYPE=file;size=ty=pe;  a ;b \r\n;x\r\n y\r\n",
      ),
  });
  await using ftp = await server.connect();
  const entries = await Array.fromAsync(ftp.mlsd("/x", ["type", "size"]));
  assertEquals(entries, [
    ["/x", { type: "cdir", size: "1" }],
    [" a ;b ", { type: "file", size: "ty=pe" }],
    ["", { x: "" }],
    ["y", {}],
  ]);
  assertEquals(server.commands, [
    "OPTS MLST type;size;",
    "TYPE A",
    "EPSV",
    "MLSD /x",
  ]);
});

Deno.test("FTP.mlsd may be left early, and the connection is usable", async () => {
  await using server = await startScript({
    MLSD: (turn) => turn.send("type=file; x\r\n".repeat(1000)),
    ABOR: "225 Nothing to abort",
  });
  await using ftp = await server.connect();
  assertEquals((await breakAfterFirst(ftp.mlsd()))[0], "x");
  assertEquals(await ftp.pwd(), "/");
  await assertRejects(() => ftp.abort().then(() => ftp.voidresp()), TypeError);
});

Deno.test("FTP.retrlines wants 1yz or 2yz, not 3yz", async () => {
  await using server = await startScript({ LIST: "350 and" });
  await using ftp = await server.connect();
  await assertRejects(() => ftp.retrlines("LIST"), FTPReplyError, "350 and");
  assertEquals(await ftp.pwd(), "/");
});
