import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type FTPError,
  FTPPermanentError,
  FTPProtocolError,
  FTPTemporaryError,
  TLSError,
} from "../../mod.ts";
import { connectImplicit, startImplicit } from "./implicit_front.ts";
import { type ErrorClass, startScript } from "../testing/client_script.ts";

/** Replies to AUTH other than 234, and the results. */
const REFUSALS: [reply: string, Class: ErrorClass][] = [
  ["500 What", FTPPermanentError],
  ["502 Not here", FTPPermanentError],
  ["504 Not TLS", FTPPermanentError],
  ["530 Log in first", FTPPermanentError],
  ["534 Against the rules", FTPPermanentError],
  ["431 Not now", FTPTemporaryError],
];

for (const [reply, Class] of REFUSALS) {
  Deno.test(`FTP.login says nothing secret after "${reply}" to AUTH`, async () => {
    await using server = await startScript({ AUTH: reply });
    await using ftp = await server.connect({ tls: "explicit" });
    const error = await assertRejects(
      () => ftp.login("me", "hunter2"),
      Class,
      reply,
    ) as FTPError;
    assertEquals(error.command, "AUTH TLS");
    assertEquals(server.commands, ["AUTH TLS"]);
    // data is not sent in clear text either, if a login succeeds
    await assertRejects(
      () => ftp.storbinary("STOR x", new Uint8Array(1)),
      TypeError,
      "TLS was requested",
    );
    assertEquals(server.commands, ["AUTH TLS"]);
  });
}

/** Clear text after the reply to AUTH: STARTTLS injection. */
const INJECTED: [name: string, bytes: string][] = [
  ["a reply", "234 Go\r\n230 You are in\r\n"],
  ["half a reply", "234 Go\r\n230 You are"],
  ["a byte", "234 Go\r\n2"],
  ["what is no reply", "234 Go\r\nGET / HTTP/1.1\r\n"],
  ["a blank line", "234 Go\r\n\r\n"],
  ["a NUL", "234 Go\r\n\0"],
  ["a Telnet command", "234 Go\r\n\xFF\xF1"],
  ["half a Telnet command", "234 Go\r\n\xFF"],
  ["half a Telnet option", "234 Go\r\n\xFF\xFB"],
  ["a Telnet subnegotiation", "234 Go\r\n\xFF\xFAx"],
  ["a reply to 334", "334 Go\r\n230 You are in\r\n"],
];

for (const [name, bytes] of INJECTED) {
  Deno.test(`FTP.login takes no word that came before TLS: ${name}`, async () => {
    await using server = await startScript({
      AUTH: (turn) =>
        turn.raw(Uint8Array.from(bytes, (char) => char.charCodeAt(0))),
    });
    await using ftp = await server.connect({ tls: "explicit" });
    await assertRejects(
      () => ftp.login("me", "hunter2"),
      FTPProtocolError,
      "in clear text behind the reply",
    );
    assertEquals(ftp.connected, false);
    assertEquals(server.commands, ["AUTH TLS"]);
  });
}

Deno.test("FTP.login sends HOST again where TLS takes a second connection", async () => {
  let count = 0;
  await using server = await startScript({
    HOST: "220 Yes",
    AUTH: async (turn) => {
      if (count++ > 0) return await turn.reply(534, "No");
      await turn.reply(234, "Go");
      turn.close(); // as ProFTPD does where it speaks nothing older than 1.3
    },
  });
  await using ftp = await server.connect({ tls: "explicit" });
  await ftp.voidcmd("HOST customer.example");
  await assertRejects(
    () => ftp.login("me", "hunter2"),
    FTPPermanentError,
    "534 No",
  );
  assertEquals(server.commands, [
    "HOST customer.example",
    "AUTH TLS",
    "HOST customer.example",
    "AUTH TLS",
  ]);
});

Deno.test("FTP.login refuses a greeting that logs in before TLS", async () => {
  await using server = await startScript({ connect: "230 You are in" });
  await using ftp = await server.connect({ tls: "explicit" });
  await assertRejects(
    () => ftp.login("me", "hunter2"),
    FTPProtocolError,
    "logged in the user before TLS",
  );
  assertEquals(ftp.connected, false);
  assertEquals(server.commands, []);
});

Deno.test("FTP.login sends nothing to a server that continues in clear text", async () => {
  await using server = await startScript({
    AUTH: async (turn) => {
      await turn.reply(234, "Go");
      await turn.next(); // the ClientHello, should it hold a line end
    },
  });
  await using ftp = await server.connect({ tls: "explicit", timeout: 300 });
  await assertRejects(
    () => ftp.login("me", "hunter2"),
    Deno.errors.TimedOut,
  );
  assertEquals(ftp.connected, false);
  assert(!server.commands.join("\n").includes("hunter2"));
});

Deno.test("FTP.login requests TLS without asking FEAT", async () => {
  await using server = await startScript({
    FEAT: "211 No features",
    AUTH: "234 Go\n500 Not really",
  });
  await using ftp = await server.connect({ tls: "explicit" });
  await assertRejects(() => ftp.login(), FTPProtocolError);
  assertEquals(server.verbs, ["AUTH"]);
});

Deno.test("FTP.login tries AUTH SSL only where it may", async () => {
  for (const allowAuthSSL of [false, true]) {
    await using server = await startScript({ AUTH: "504 Not that" });
    await using ftp = await server.connect({ tls: { allowAuthSSL } });
    await assertRejects(() => ftp.login(), FTPPermanentError, "504");
    assertEquals(
      server.commands,
      allowAuthSSL ? ["AUTH TLS", "AUTH SSL"] : ["AUTH TLS"],
    );
  }
});

for (const refused of ["PBSZ", "PROT"]) {
  Deno.test(`FTP sends no data in clear text where ${refused} is refused`, async () => {
    const started = await startImplicit({
      PBSZ: "200 ok",
      PROT: "200 ok",
      [refused]: "536 Not here",
    });
    await using server = started.server;
    await using _front = started.front;
    await using ftp = await connectImplicit(started);
    assert(ftp.tls !== undefined);
    await assertRejects(() => ftp.login(), FTPPermanentError, "536");
    const { length } = server.commands;
    const calls = [
      () => ftp.storbinary("STOR x", new Uint8Array(1)),
      () => ftp.retrlines("LIST", () => {}),
      () => Array.fromAsync(ftp.list()),
      () => ftp.store("x", new Uint8Array(1)),
    ];
    for (const call of calls) {
      await assertRejects(call, TypeError, "TLS was requested");
    }
    assertEquals(server.commands.length, length);
    assertEquals(await ftp.pwd(), "/");
  });
}

Deno.test("FTP sends nothing on a data connection that does not become TLS", async () => {
  let taken = "";
  const started = await startImplicit({
    PBSZ: "200 ok",
    PROT: "200 ok",
    STOR: async (turn) => {
      await turn.reply(150, "Send");
      const data = await turn.openData();
      await data.write("I know no TLS\r\n");
      taken = new TextDecoder("latin1").decode(await data.readAll());
      await turn.reply(426, "Not this way");
    },
  });
  await using _server = started.server;
  await using _front = started.front;
  await using ftp = await connectImplicit(started);
  await ftp.login();
  const error = await assertRejects(
    () => ftp.storbinary("STOR x", new TextEncoder().encode("hunter2")),
  ) as Error;
  assert(
    error instanceof FTPTemporaryError || error instanceof TLSError,
    String(error),
  );
  assert(!taken.includes("hunter2"));
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.ccc takes no word that came behind its reply", async () => {
  const started = await startImplicit({
    PBSZ: "200 ok",
    PROT: "200 ok",
    CCC: (turn) => turn.raw("200 ok\r\n230 And\r\n"),
  });
  await using _server = started.server;
  await using _front = started.front;
  await using ftp = await connectImplicit(started);
  await ftp.login();
  await assertRejects(() => ftp.ccc(), FTPProtocolError);
  assertEquals(ftp.connected, false);
});
