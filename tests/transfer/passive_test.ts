import { assert, assertEquals, assertRejects } from "@std/assert";
import { DEAD_PORT } from "../testing/dead_port.ts";
import {
  type FTP,
  FTPPermanentError,
  FTPProtocolError,
  FTPTemporaryError,
} from "../../mod.ts";
import type { Turn } from "../testing/scripted/mod.ts";
import { HAS_IPV6 } from "../testing/servers/loopback.ts";
import {
  byDefault,
  type Script,
  stall,
  startScript,
} from "../testing/client_script.ts";

const LIST: Script = { LIST: (turn) => turn.send("one\r\n") };

async function list(ftp: FTP): Promise<string[]> {
  const lines: string[] = [];
  await ftp.retrlines("LIST", (line) => lines.push(line));
  return lines;
}

/** Listens, and returns the text of a reply to PASV. */
async function reply227(turn: Turn, host = "127,0,0,1"): Promise<void> {
  const port = await turn.session.dataPort.listen();
  await turn.reply(227, `Here (${host},${port >> 8},${port & 255})`);
}

/** Listens, and returns the text of a reply to EPSV. */
async function reply229(turn: Turn): Promise<void> {
  await turn.reply(229, `Here (|||${await turn.session.dataPort.listen()}|)`);
}

Deno.test("FTP uses EPSV, and uses it again", async () => {
  await using server = await startScript(LIST);
  await using ftp = await server.connect();
  assertEquals(await list(ftp), ["one"]);
  assertEquals(await list(ftp), ["one"]);
  assertEquals(server.verbs, ["TYPE", "EPSV", "LIST", "EPSV", "LIST"]);
});

for (
  const refusal of [
    "202 Superfluous",
    "500 What",
    "501 Eh",
    "502 No",
    "522 No",
    "550 No",
  ]
) {
  Deno.test(`FTP asks by PASV after "${refusal}" to EPSV, and remembers`, async () => {
    await using server = await startScript({ ...LIST, EPSV: refusal });
    await using ftp = await server.connect();
    assertEquals(await list(ftp), ["one"]);
    assertEquals(await list(ftp), ["one"]);
    assertEquals(server.verbs, [
      "TYPE",
      "EPSV",
      "PASV",
      "LIST",
      "PASV",
      "LIST",
    ]);
  });
}

Deno.test("FTP asks by EPSV again on another connection", async () => {
  await using server = await startScript({ ...LIST, EPSV: "500 What" });
  await using ftp = await server.connect();
  await list(ftp);
  await ftp.connect(server.host, server.port);
  await list(ftp);
  assertEquals(server.verbs.filter((verb) => verb === "EPSV").length, 2);
});

Deno.test("FTP sends ABOR if LightFTP asks for it, and EPSV again", async () => {
  await using server = await startScript({ ...LIST, ABOR: "226 Closing" });
  const stuck = "550 Another action is in progress, use ABOR command first.";
  await using ftp = await server.connect();
  server.once("EPSV", stuck);
  assertEquals(await list(ftp), ["one"]);
  assertEquals(await list(ftp), ["one"]);
  const verbs = ["TYPE", "EPSV", "ABOR", "EPSV", "LIST", "EPSV", "LIST"];
  assertEquals(server.verbs, verbs);
  server.on("EPSV", stuck).on("PASV", stuck);
  await assertRejects(() => list(ftp), FTPPermanentError, "in progress");
});

Deno.test("FTP does not ask by PASV when the server closes at EPSV", async () => {
  await using server = await startScript({ ...LIST, EPSV: "421 Bye" });
  await using ftp = await server.connect();
  await assertRejects(() => list(ftp), FTPTemporaryError, "421 Bye");
  assertEquals(server.verbs, ["TYPE", "EPSV"]);
});

Deno.test("FTP throws what PASV says where EPSV is refused too", async () => {
  for (const refusal of ["530 Log in", "425 Busy", "502 No"]) {
    await using server = await startScript({
      ...LIST,
      EPSV: "500 What",
      PASV: refusal,
    });
    await using ftp = await server.connect();
    const error = await assertRejects(
      () => list(ftp),
      refusal.startsWith("5") ? FTPPermanentError : FTPTemporaryError,
      refusal,
    );
    // active mode does not help without a login
    const isHinted = error.message.includes("{ passive: false }");
    assertEquals(isHinted, !refusal.startsWith("530"));
    assertEquals(server.verbs, ["TYPE", "EPSV", "PASV"]);
    assertEquals(await ftp.pwd(), "/");
  }
});

Deno.test("FTP understands 227 after EPSV and 229 after PASV", async () => {
  await using server = await startScript({
    ...LIST,
    EPSV: (turn) => reply227(turn),
  });
  await using ftp = await server.connect();
  assertEquals(await list(ftp), ["one"]);
  assertEquals(server.verbs, ["TYPE", "EPSV", "LIST"]);

  await using other = await startScript({
    ...LIST,
    EPSV: "502 No",
    PASV: reply229,
  });
  await using second = await other.connect();
  assertEquals(await list(second), ["one"]);
  assertEquals(other.verbs, ["TYPE", "EPSV", "PASV", "LIST"]);
});

Deno.test("FTP tries PASV once if the port of EPSV is closed, and remembers it", async () => {
  await using server = await startScript({
    ...LIST,
    EPSV: (turn) => turn.reply(229, `Here (|||${DEAD_PORT}|)`),
  });
  await using ftp = await server.connect();
  assertEquals(await list(ftp), ["one"]);
  assertEquals(await list(ftp), ["one"]);
  assertEquals(server.verbs, ["TYPE", "EPSV", "PASV", "LIST", "PASV", "LIST"]);
});

Deno.test("FTP fails if the port of PASV is closed as well", async () => {
  let isDead = true;
  await using server = await startScript({
    ...LIST,
    EPSV: (turn) =>
      isDead ? turn.reply(229, `(|||${DEAD_PORT}|)`) : reply229(turn),
    PASV: `227 (127,0,0,1,0,${DEAD_PORT})`,
  });
  await using ftp = await server.connect();
  await assertRejects(
    () => list(ftp),
    Deno.errors.ConnectionRefused,
    'Cannot connect to "127.0.0.1:',
  );
  assertEquals(server.verbs, ["TYPE", "EPSV", "PASV"]);
  isDead = false;
  assertEquals(await list(ftp), ["one"]);
});

Deno.test("FTP throws what dialing the port of EPSV says if PASV is unknown", async () => {
  await using server = await startScript({
    ...LIST,
    EPSV: `229 Entering (|||${DEAD_PORT}|)`,
    PASV: "502 No",
  });
  await using ftp = await server.connect();
  for (let i = 0; i < 2; i++) {
    await assertRejects(
      () => list(ftp),
      Deno.errors.ConnectionRefused,
      `:${DEAD_PORT}"`,
    );
  }
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP stays with EPSV that has worked when a port is dead once", async () => {
  let count = 0;
  await using server = await startScript({
    ...LIST,
    EPSV: (turn) =>
      count++ === 1 ? turn.reply(229, `(|||${DEAD_PORT}|)`) : reply229(turn),
  });
  await using ftp = await server.connect();
  await list(ftp);
  await assertRejects(() => list(ftp), Deno.errors.ConnectionRefused);
  assertEquals(await list(ftp), ["one"]);
  assert(!server.verbs.includes("PASV"));
});

for (const host of ["10,0,0,1", "8,8,8,8", "0,0,0,0", "224,0,0,1"]) {
  Deno.test(`FTP ignores the host ${host} of a 227 reply`, async () => {
    await using server = await startScript({
      ...LIST,
      EPSV: "500 What",
      PASV: (turn) => reply227(turn, host),
    });
    await using ftp = await server.connect();
    assertEquals(await list(ftp), ["one"]);
    assertEquals((await ftp.makepasv())[0], "127.0.0.1");
  });
}

Deno.test("FTP dials the host of a 227 reply if it is to be trusted", async () => {
  let host = "127,0,0,2";
  await using server = await startScript({
    EPSV: "500 What",
    PASV: (turn) => turn.reply(227, `Here (${host},1,1)`),
  });
  await using ftp = await server.connect({ trustPasvHost: true });
  assertEquals(await ftp.makepasv(), ["127.0.0.2", 257]);
  host = "0,0,0,0";
  assertEquals(await ftp.makepasv(), ["127.0.0.1", 257]);
});

Deno.test("FTP refuses a 227 or 229 that it cannot read, and stays usable", async () => {
  await using server = await startScript({
    ...LIST,
    EPSV: "229 Here (|||70000|)",
    PASV: "227 Here (1,2,3,4,5,256)",
  });
  await using ftp = await server.connect();
  await assertRejects(() => list(ftp), FTPProtocolError, "data address");
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP knows no PASV over IPv6", { ignore: !HAS_IPV6 }, async () => {
  await using server = await startScript(LIST, "::1");
  await using ftp = await server.connect();
  assertEquals(await list(ftp), ["one"]);
  assertEquals(server.verbs, ["TYPE", "EPSV", "LIST"]);
  const [host] = await ftp.makepasv();
  assertEquals(host, "::1");

  await using other = await startScript({ ...LIST, EPSV: "500 What" }, "::1");
  await using second = await other.connect();
  await assertRejects(() => list(second), FTPPermanentError, '"EPSV": 500');
  assertEquals(other.verbs, ["TYPE", "EPSV"]);
});

for (
  const [name, script] of [
    ["550", { RETR: "550 No such file" }],
    ["425", { RETR: "425 Cannot open" }],
    ["226 and 550", { RETR: "226 Stray\n550 No such file" }],
  ] satisfies [string, Script][]
) {
  Deno.test(`FTP.retrbinary throws the server's ${name}, and is usable`, async () => {
    await using server = await startScript({ ...LIST, ...script });
    await using ftp = await server.connect();
    const error = await ftp.retrbinary("RETR x", () => {}).catch((e) => e);
    assert(
      error instanceof FTPPermanentError || error instanceof FTPTemporaryError,
      `${error}`,
    );
    assert(error.message.startsWith('Cannot complete "RETR x": '));
    assertEquals(await list(ftp), ["one"]);
  });
}

for (
  const [what, EPSV, asked] of [
    ["swallows EPSV and what follows", stall, ["EPSV", "PASV", "PASV"]],
    ["swallows EPSV", () => {}, ["EPSV", "PASV"]],
    ["cuts the connection at EPSV", (turn: Turn) => turn.close(), [
      "EPSV",
      "PASV",
    ]],
  ] as const
) {
  Deno.test(`FTP.download continues with PASV if something ${what}`, async () => {
    await using server = await startScript({
      RETR: byDefault,
      SIZE: byDefault,
      EPSV,
    });
    server.put("/a", "hello");
    await using ftp = await server.connect({ timeout: 600 });
    await ftp.login("me", "secret");
    const path = await Deno.makeTempFile();
    try {
      await ftp.download("a", path, { retry: false });
      assertEquals(await Deno.readTextFile(path), "hello");
      assertEquals(
        server.verbs.filter((verb) => /^(EPSV|PASV)$/.test(verb)),
        [...asked],
      );
    } finally {
      await Deno.remove(path);
    }
  });
}
