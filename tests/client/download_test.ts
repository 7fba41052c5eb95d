import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type FTP,
  FTPPermanentError,
  FTPProtocolError,
  FTPReplyError,
} from "../../mod.ts";
import { type Peer, type Script, ScriptedServer, writeTo } from "./script.ts";

const BYTES = Uint8Array.from({ length: 100_000 }, (_, i) => i * 7 % 251);

/** Sends the pieces one by one, each when the client has had time to read. */
function inPieces(...pieces: (string | Uint8Array)[]): Script[string] {
  return async (peer) => {
    await peer.reply("150 Here");
    const conn = await peer.accept();
    for (const piece of pieces) {
      await writeTo(conn, piece);
      await new Promise((done) => setTimeout(done, 2));
    }
    conn.close();
    await peer.reply("226 Done");
  };
}

async function retrieve(ftp: FTP, blocksize?: number): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = [];
  await ftp.retrbinary("RETR x", (block) => blocks.push(block), { blocksize });
  return blocks;
}

async function joined(blocks: Uint8Array[]): Promise<Uint8Array> {
  return await new Blob(blocks as BlobPart[]).bytes();
}

Deno.test("FTP.retrbinary gives all bytes in blocks of at most blocksize", async () => {
  await using server = new ScriptedServer({ RETR: (peer) => peer.send(BYTES) });
  await using ftp = await server.connect();
  for (const blocksize of [1, 1000, 8192, 1_000_000, undefined]) {
    const blocks = await retrieve(ftp, blocksize);
    assertEquals(await joined(blocks), BYTES);
    for (const block of blocks) {
      assert(block.length > 0 && block.length <= (blocksize ?? 8192));
    }
  }
  assertEquals(server.verbs.filter((verb) => verb === "TYPE"), ["TYPE"]);
  assertEquals(server.commands[0], "TYPE I");
});

Deno.test("FTP.retrbinary lets the callback keep and change its blocks", async () => {
  await using server = new ScriptedServer({ RETR: (peer) => peer.send(BYTES) });
  await using ftp = await server.connect();
  const blocks: Uint8Array[] = [];
  await ftp.retrbinary("RETR x", (block) => {
    blocks.push(block);
    // what is done to one block does nothing to the others
    for (const kept of blocks.slice(0, -1)) kept.fill(0);
  }, { blocksize: 1000 });
  const last = blocks.at(-1)!;
  assertEquals(last, BYTES.slice(-last.length));
});

Deno.test("FTP.retrbinary refuses a blocksize that gets nowhere", async () => {
  await using server = new ScriptedServer();
  await using ftp = await server.connect();
  for (const blocksize of [0, -1, 1.5, NaN, Infinity]) {
    await assertRejects(
      () => retrieve(ftp, blocksize),
      RangeError,
      `${blocksize}`,
    );
    await assertRejects(
      () => ftp.storbinary("STOR x", BYTES, { blocksize }),
      RangeError,
      `${blocksize}`,
    );
  }
  assertEquals(server.commands, []);
});

Deno.test("FTP.retrbinary awaits its callback: the server is held back", async () => {
  const size = 64 * 1024 * 1024;
  let sent = 0;
  await using server = new ScriptedServer({
    RETR: async (peer) => {
      await peer.reply("150 Here");
      const conn = await peer.accept();
      const piece = new Uint8Array(256 * 1024);
      for (; sent < size; sent += piece.length) await writeTo(conn, piece);
      conn.close();
      await peer.reply("226 Done");
    },
  });
  await using ftp = await server.connect();
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let received = 0;
  const retrieval = ftp.retrbinary("RETR x", async (block) => {
    assertEquals(++running, 1);
    if (received === 0) await gate.promise;
    received += block.length;
    running--;
  }, { blocksize: 1024 * 1024 });
  let before = -1;
  while (before !== sent || sent === 0) {
    before = sent;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert(sent < size / 2, `${sent} bytes were sent to a callback that waits`);
  gate.resolve();
  assertEquals((await retrieval).code, 226);
  assertEquals(received, size);
});

for (const kind of ["throws", "rejects"]) {
  Deno.test(`FTP.retrbinary aborts when its callback ${kind}, and is usable`, async () => {
    await using server = new ScriptedServer({
      RETR: async (peer) => {
        await peer.reply("150 Here");
        const conn = await peer.accept();
        await writeTo(conn, BYTES);
        assertEquals(await peer.next(), "ABOR");
        await peer.reply("426 Cut\n226 Aborted");
      },
      PWD: '257 "/own"',
    });
    await using ftp = await server.connect();
    await assertRejects(
      () =>
        ftp.retrbinary("RETR x", () => {
          const error = new Error("disk full");
          if (kind === "rejects") return Promise.reject(error);
          throw error;
        }),
      Error,
      "disk full",
    );
    assertEquals(await ftp.pwd(), "/own");
  });
}

Deno.test("FTP.retrbinary sends REST before the command", async () => {
  await using server = new ScriptedServer({
    REST: "350 Restarting",
    RETR: (peer) => peer.send("tail"),
  });
  await using ftp = await server.connect();
  await ftp.retrbinary("RETR x", () => {}, { rest: 100 });
  await ftp.retrbinary("RETR x", () => {}, { rest: "9007199254740993" });
  await ftp.retrbinary("RETR x", () => {}, { rest: 0 });
  assertEquals(
    server.commands.filter((line) => /^(REST|RETR)/.test(line)),
    [
      "REST 100",
      "RETR x",
      "REST 9007199254740993",
      "RETR x",
      "REST 0",
      "RETR x",
    ],
  );
});

Deno.test("FTP.retrbinary throws when REST is refused, and starts nothing", async () => {
  await using server = new ScriptedServer({ REST: "502 No" });
  await using ftp = await server.connect();
  await assertRejects(
    () => ftp.retrbinary("RETR x", () => {}, { rest: 1 }),
    FTPPermanentError,
    '"REST 1": 502 No',
  );
  assert(!server.verbs.includes("RETR"));
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.ntransfercmd gives the size that 150 tells", async () => {
  await using server = new ScriptedServer({
    RETR: async (peer, name) => {
      await peer.reply(`150 Opening ${name}`);
      (await peer.accept()).close();
      await peer.reply("226 Done");
    },
  });
  await using ftp = await server.connect();
  for (
    const [name, expected] of [
      ["x (2241 bytes)", 2241],
      ["x (0 bytes)", 0],
      ["x", null],
    ] as const
  ) {
    const [conn, size] = await ftp.ntransfercmd(`RETR ${name}`);
    assertEquals(size, expected);
    conn.close();
    await ftp.voidresp();
  }
});

Deno.test("FTP.ntransfercmd gives a connection like Deno.Conn", async () => {
  await using server = new ScriptedServer({ RETR: (peer) => peer.send(BYTES) });
  await using ftp = await server.connect();
  const [conn] = await ftp.ntransfercmd("RETR x");
  assertEquals((conn.remoteAddr as Deno.NetAddr).hostname, "127.0.0.1");
  assertEquals((conn.localAddr as Deno.NetAddr).hostname, "127.0.0.1");
  assertEquals(await new Response(conn.readable).bytes(), BYTES);
  assertEquals([conn.bytesRead, conn.isEnded], [BYTES.length, true]);
  assertEquals((await ftp.voidresp()).code, 226);

  const blocks: Uint8Array[] = [];
  {
    await using second = await ftp.transfercmd("RETR x");
    const buffer = new Uint8Array(3000);
    for (let n; (n = await second.read(buffer)) !== null;) {
      blocks.push(buffer.slice(0, n));
    }
  }
  assertEquals((await ftp.voidresp()).code, 226);
  assertEquals(await joined(blocks), BYTES);
});

/** The text, cut into pieces, and the lines that come of it. */
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
    await using server = new ScriptedServer({ RETR: inPieces(...pieces) });
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
  await using server = new ScriptedServer({
    RETR: inPieces(bytes.subarray(0, 3), bytes.subarray(3)),
  });
  await using ftp = await server.connect({ encoding: "shift_jis" });
  const got: string[] = [];
  await ftp.retrlines("RETR x", (line) => got.push(line));
  assertEquals(got, ["日本"]);
});

Deno.test("FTP.retrlines awaits its callback and aborts when it throws", async () => {
  await using server = new ScriptedServer({
    RETR: (peer) => peer.send("a\nb\nc\n"),
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
  const endless = async (peer: Peer) => {
    await peer.reply("150 Here");
    const conn = await peer.accept();
    const sending = (async () => {
      while (true) await writeTo(conn, "x".repeat(10_000));
    })().catch(() => {});
    assertEquals(await peer.next(), "ABOR");
    await sending;
    await peer.reply("426 Cut\n226 Aborted");
  };
  await using server = new ScriptedServer({ RETR: endless });
  await using ftp = await server.connect({ maxLine: 100_000 });
  await assertRejects(
    () => ftp.retrlines("RETR x", () => {}),
    FTPProtocolError,
    "maxLine, 100000 bytes",
  );
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.nlst and dir put their words behind the command", async () => {
  await using server = new ScriptedServer({
    NLST: (peer, words) => peer.send(`nlst\r\n${words}\r\n`),
    LIST: (peer, words) => peer.send(`list\r\n${words}\r\n`),
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
  await using server = new ScriptedServer({
    OPTS: "200 ok",
    MLSD: (peer) =>
      peer.send(
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
  await using server = new ScriptedServer({
    MLSD: (peer) => peer.send("type=file; x\r\n".repeat(1000)),
    ABOR: "225 Nothing to abort",
  });
  await using ftp = await server.connect();
  for await (const [name] of ftp.mlsd()) {
    assertEquals(name, "x");
    break;
  }
  assertEquals(await ftp.pwd(), "/");
  await assertRejects(() => ftp.abort().then(() => ftp.voidresp()), TypeError);
});

Deno.test("FTP.retrlines wants 1yz or 2yz, not 3yz", async () => {
  await using server = new ScriptedServer({ LIST: "350 and" });
  await using ftp = await server.connect();
  await assertRejects(() => ftp.retrlines("LIST"), FTPReplyError, "350 and");
  assertEquals(await ftp.pwd(), "/");
});
