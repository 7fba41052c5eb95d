import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTPPermanentError } from "../../mod.ts";
import { startScript } from "../testing/client_script.ts";

/**
 * Replies to ABOR during a file, replies to NOOP after it, and the result of
 * abort().
 */
const PATTERNS: [
  name: string,
  replies: string,
  noop: string,
  result: string,
][] = [
  ["426 and 226", "426 Cut\n226 Aborted", "", "226 Aborted"],
  ["426 and 225", "426 Cut\n225 Aborted", "", "225 Aborted"],
  ["451 and 226", "451 Cut\n226 Aborted", "", "226 Aborted"],
  ["226 for both", "226 Aborted", "200 Noop", "226 Aborted"],
  ["225 for both", "225 Aborted", "200 Noop", "225 Aborted"],
  ["426 for both", "426 Aborted", "200 Noop", "426 Aborted"],
  ["226 and 226", "226 Complete\n226 Aborted", "200 Noop", "226 Aborted"],
  ["226 and 225", "226 Complete\n225 Nothing", "200 Noop", "225 Nothing"],
  ["426 and 451", "426 Cut\n451 Gone", "200 Noop", "426 Cut"],
  ["425, 426 and 226", "425 TLS\n426 Cut", "226 Late\n200 Noop", "426 Cut"],
  ["500 first, then 426", "500 ABOR?\n426 Cut", "", "426 Cut"],
  ["500 first, then 226", "500 ABOR?\n226 Complete", "", "226 Complete"],
];

for (const [name, replies, noop, result] of PATTERNS) {
  Deno.test(`FTP.abort takes ${name}`, async () => {
    await using server = await startScript({
      RETR: async (turn) => {
        await turn.reply(150, "Here");
        await (await turn.openData()).write(new Uint8Array(10));
      },
      ABOR: replies,
      NOOP: noop === "" ? "500 Unwanted" : noop,
      PWD: '257 "/own"',
    });
    await using ftp = await server.connect();
    const conn = await ftp.transfercmd("RETR x");
    await conn.read(new Uint8Array(10));
    assertEquals((await ftp.abort()).text, result);
    assertEquals(await ftp.pwd(), "/own");
    assert(conn.isClosed);
    assertEquals(server.verbs.includes("NOOP"), noop !== "");
    await assertRejects(() => conn.read(new Uint8Array(10)));
  });
}

Deno.test("FTP.abort throws when ABOR is refused and all was sent", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.send("abc");
    },
    ABOR: "500 ABOR?",
    PWD: '257 "/own"',
  });
  await using ftp = await server.connect();
  await ftp.transfercmd("RETR x");
  await assertRejects(() => ftp.abort(), FTPPermanentError, "500 ABOR?");
  assertEquals(await ftp.pwd(), "/own");
});

Deno.test("FTP.abort sends ABOR also where no transfer is open", async () => {
  await using server = await startScript({ ABOR: "225 Nothing to do" });
  await using ftp = await server.connect();
  assertEquals((await ftp.abort()).code, 225);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.abort ends a transfer that was opened by hand", async () => {
  await using server = await startScript({
    RETR: "150 Here",
    ABOR: "426 Cut\n226 Aborted",
  });
  await using ftp = await server.connect();
  const [hostname, port] = await ftp.makepasv();
  const conn = await Deno.connect({ hostname, port });
  assertEquals((await ftp.sendcmd("RETR x")).code, 150);
  await assertRejects(() => ftp.sendcmd("NOOP"), Deno.errors.Busy);
  assertEquals((await ftp.abort()).text, "226 Aborted");
  conn.close();
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.abort closes the connection where nothing is answered", async () => {
  await using server = await startScript({
    RETR: "150 Here",
    ABOR: () => {},
    NOOP: () => {},
  });
  await using ftp = await server.connect({ timeout: 200 });
  await ftp.transfercmd("RETR x");
  await assertRejects(() => ftp.abort(), Deno.errors.TimedOut, "200 ms");
  assertEquals(ftp.connected, false);
  await assertRejects(() => ftp.pwd(), Deno.errors.NotConnected, "200 ms");
});

Deno.test("FTP.abort ends an upload", async () => {
  const came = Promise.withResolvers<void>();
  await using server = await startScript({
    STOR: async (turn) => {
      await turn.reply(150, "Send");
      const conn = await turn.openData();
      if (await conn.read() !== null) came.resolve();
      await turn.confirmAbort(conn);
    },
  });
  await using ftp = await server.connect();
  const conn = await ftp.transfercmd("STOR x");
  await conn.write(new Uint8Array(1000));
  await came.promise;
  assertEquals((await ftp.abort()).text, "226 Aborted");
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.abort may be followed by another transfer", async () => {
  let count = 0;
  await using server = await startScript({
    RETR: async (turn) => {
      if (count++ > 0) return await turn.send("whole");
      await turn.reply(150, "Here");
      await turn.openData();
    },
    ABOR: "226 Aborted",
  });
  await using ftp = await server.connect();
  await ftp.transfercmd("RETR x");
  await ftp.abort();
  let text = "";
  await ftp.retrlines("RETR x", (line) => text += line);
  assertEquals(text, "whole");
});
