// The scripted server itself, by hand: no line of the client under test is involved.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { RawSession } from "../raw_session.ts";
import { ScriptedServer } from "./mod.ts";

/** ABOR after Telnet's interrupt and synch. */
const ABORT = Uint8Array.from(
  [255, 244, 255, 242, ..."ABOR\r\n"].map((c) =>
    typeof c === "string" ? c.charCodeAt(0) : c
  ),
);

const FILES = { "/pub/a.txt": "hello", "/b": "world" };

for (const hostname of ["127.0.0.1", "::1"]) {
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

Deno.test("Turn.rawPieces cuts a reply where it is told to", async () => {
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
