// The scripted server itself, by hand: no line of the client under test is involved.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { RawSession } from "../raw_session.ts";
import { HAS_IPV6 } from "../servers/loopback.ts";
import { ScriptedServer } from "./mod.ts";

/** ABOR after Telnet's interrupt and synch. */
const ABORT = Uint8Array.from(
  [255, 244, 255, 242, ..."ABOR\r\n"].map((c) =>
    typeof c === "string" ? c.charCodeAt(0) : c
  ),
);

const FILES = { "/pub/a.txt": "hello", "/b": "world" };

for (const hostname of ["127.0.0.1", ...(HAS_IPV6 ? ["::1"] : [])]) {
  Deno.test(`ScriptedServer is an FTP server on ${hostname}`, async () => {
    await using server = await ScriptedServer.start({ hostname, files: FILES });
    await using session = await RawSession.login(server);
    assertMatch(await session.command("CWD pub"), /^250/);
    assertMatch(await session.command("PWD"), /^257 "\/pub"/);
    assertEquals(text(await session.fetch("RETR a.txt")), "hello");
    assertEquals(text(await session.fetch("NLST /")), "b\r\npub\r\n");
    assertMatch(
      text(await session.fetch("LIST")),
      / 5 Feb 29 {2}2024 a\.txt\r\n$/,
    );
    assertMatch(
      text(await session.fetch("MLSD")),
      /^type=file;size=5;modify=\d{14}; a\.txt\r\n$/,
    );
    await session.command("REST 3");
    assertEquals(text(await session.fetch("RETR a.txt")), "lo");
    assertMatch(
      await session.store("STOR new", new Uint8Array([65, 66])),
      /^226/,
    );
    assertMatch(await session.store("APPE new", new Uint8Array([67])), /^226/);
    assertEquals(server.text("/pub/new"), "ABC");
    assertMatch(await session.command("RETR missing"), /^550/);
    assertMatch(await session.command("FEAT"), /^211-[^]*MLST[^]*211 End$/);
  });
}

Deno.test("ScriptedServer.on replaces an answer, once for one time only", async () => {
  await using server = await ScriptedServer.start();
  server.on("SIZE", "550-No\n550 such file").once("SIZE", "213 1");
  await using session = await RawSession.login(server);
  assertEquals(await session.command("SIZE x"), "213 1");
  assertEquals(await session.command("size x"), "550-No\r\n550 such file");
  assertEquals(server.commands.slice(-2), ["SIZE x", "size x"]);
});

Deno.test('ScriptedServer.on takes "*" for what has no script of its own', async () => {
  await using server = await ScriptedServer.start();
  server.on("*", "502 No").on("SIZE", "213 1").on("PASS", "230 In");
  server.on("USER", (turn) => turn.default());
  server.on("connect", (turn) => turn.default());
  using session = await RawSession.login(server);
  assertEquals(await session.command("SIZE x"), "213 1");
  assertEquals(await session.command("NOOP"), "502 No");
  assertEquals(server.verbs, ["USER", "PASS", "TYPE", "SIZE", "NOOP"]);
});

Deno.test("ScriptedServer.commands shows what came: lone LFs, Telnet, in latin-1 every byte", async () => {
  for (const charset of ["utf8", "latin1"] as const) {
    await using server = await ScriptedServer.start({ charset });
    await using session = await RawSession.login(server);
    await session.command("NOOP \xe9\nNOOP");
    await session.command(ABORT);
    assertEquals(
      server.commands.slice(3),
      charset === "latin1"
        ? ["NOOP \xc3\xa9\nNOOP", "\xff\xf4\xff\xf2ABOR"]
        : ["NOOP \xe9\nNOOP", "\ufffd\ufffd\ufffd\ufffdABOR"],
    );
  }
});

Deno.test("ScriptedServer.received gives each command once, before or after it came", async () => {
  await using server = await ScriptedServer.start();
  const first = server.received("NOOP");
  await using session = await RawSession.login(server);
  await session.command("NOOP 1");
  await session.command("NOOP 2");
  assertEquals([await first, await server.received("NOOP")], [
    "NOOP 1",
    "NOOP 2",
  ]);
});

Deno.test("ScriptedServer ends with handlers that wait, and throws what others threw", async () => {
  const server = await ScriptedServer.start();
  server.on("NOOP", async (turn) => void await turn.server.received("HELP"));
  server.on("SITE", () => Promise.reject(new Error("Fault")));
  using session = await RawSession.login(server);
  await session.command("SITE");
  using other = await RawSession.login(server);
  const answer = other.command("NOOP");
  await server.received("NOOP");
  await assertRejects(() => server[Symbol.asyncDispose](), Error, "Fault");
  assertEquals(await answer, "");
});

Deno.test("Turn.next takes a command before its turn", async () => {
  await using server = await ScriptedServer.start();
  server.on("SITE", async (turn) => {
    await turn.reply(200, `${await turn.next()} and ${await turn.next()}`);
    assertEquals(await turn.next(), null);
  });
  const conn = await Deno.connect({ hostname: server.host, port: server.port });
  using session = new RawSession(conn, server.host);
  assertMatch(await session.reply(), /^220/);
  const two = new TextEncoder().encode("SITE\r\nNOOP 1\r\nNOOP 2\r\n");
  assertEquals(await session.command(two), "200 NOOP 1 and NOOP 2");
  await conn.closeWrite();
});

Deno.test("Turn.send and Turn.take transfer the given data", async () => {
  await using server = await ScriptedServer.start();
  let taken = "";
  server.on("RETR", (turn) => turn.send(turn.argument));
  server.on("STOR", async (turn) => void (taken = text(await turn.take())));
  await using session = await RawSession.login(server);
  assertEquals(text(await session.fetch("RETR hello")), "hello");
  const bytes = new TextEncoder().encode("world");
  assertEquals(await session.store("STOR x", bytes), "226 Done");
  assertEquals(taken, "world");
});

Deno.test("Turn resets a data connection in the middle", async () => {
  await using server = await ScriptedServer.start({ files: FILES });
  server.on("RETR", async (turn) => {
    const data = await turn.openData();
    await turn.reply(150, "Here it comes");
    await data.write("hel");
    data.reset();
    await turn.stall();
  });
  using session = await RawSession.login(server);
  await assertRejects(
    () => session.fetch("RETR /b"),
    Deno.errors.ConnectionReset,
  );
});

Deno.test("Turn resets and half-closes the control connection", async () => {
  await using server = await ScriptedServer.start();
  server.on("SITE", (turn) => turn.reset()).on("HELP", (turn) => turn.end());
  using session = await RawSession.login(server);
  assertEquals(await session.command("HELP"), "");
  using other = await RawSession.login(server);
  assertEquals(await other.command("SITE"), "");
});

Deno.test("Turn.rawPieces cuts a reply into pieces of the given size", async () => {
  await using server = await ScriptedServer.start();
  server.on("NOOP", (turn) => turn.rawPieces("200 Ok\r\n", 1));
  await using session = await RawSession.login(server);
  assertEquals(await session.command("NOOP"), "200 Ok");
});

Deno.test("ScriptedServer takes ABOR while it stalls a transfer", async () => {
  await using server = await ScriptedServer.start({
    files: { "/big": new Uint8Array(50_000_000) },
  });
  await using session = await RawSession.login(server);
  using data = await Deno.connect(await session.passive());
  assertMatch(await session.command("RETR big"), /^150/);
  await data.read(new Uint8Array(10));
  assertMatch(await session.command(ABORT), /^426/);
  assertMatch(await session.reply(), /^226/);
  assertMatch(await session.command("NOOP"), /^200/);
});

Deno.test("ScriptedServer dials in active mode", async () => {
  await using server = await ScriptedServer.start({ files: FILES });
  await using session = await RawSession.login(server);
  for (const verb of ["PORT", "EPRT"]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const argument = verb === "PORT"
      ? `127,0,0,1,${port >> 8},${port & 255}`
      : `|1|127.0.0.1|${port}|`;
    assertMatch(await session.command(`${verb} ${argument}`), /^200/);
    const accepted = listener.accept();
    assertMatch(await session.command("RETR b"), /^150/);
    using data = await accepted;
    const buffer = new Uint8Array(10);
    assertEquals(
      text(buffer.subarray(0, await data.read(buffer) ?? 0)),
      "world",
    );
    assertMatch(await session.reply(), /^226/);
  }
});

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
