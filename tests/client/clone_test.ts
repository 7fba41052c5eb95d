import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTP, FTPTemporaryError } from "../../mod.ts";
import { memoryServer } from "../testing/memory_server.ts";
import { bytes, fetchBytes, logIn, text } from "../real/client.ts";
import { logInTLS, withTLS } from "../real/tls_client.ts";
import { serverTest } from "../testing/servers/mod.ts";

Deno.test("FTP.clone opens a connection that is set as the first is", async () => {
  await using server = await memoryServer({ "/pub/a": "a" });
  await using ftp = await server.client({ timeout: 3000, encoding: "latin-1" });
  ftp.setPasv(false);
  await ftp.cwd("pub");
  await ftp.voidcmd("OPTS UTF8 ON");
  await ftp.voidcmd("MODE S");
  await ftp.voidcmd("TYPE A");
  const before = server.commands.length;
  await using clone = await ftp.clone();
  assertEquals(server.commands.slice(before), [
    "USER user",
    "PASS secret",
    "OPTS UTF8 ON",
    "MODE S",
    "CWD pub",
    "TYPE A",
  ]);
  assert(clone instanceof FTP);
  assertEquals([clone.host, clone.port], [ftp.host, ftp.port]);
  assertEquals([clone.timeout, clone.encoding], [3000, "latin-1"]);
  assertEquals([clone.passiveserver, clone.connected], [false, true]);
  assertEquals(clone.getwelcome().code, 220);
  clone.setPasv(true);
  assertEquals(ftp.passiveserver, false);
  await clone.quit();
  assertEquals(await ftp.pwd(), "/pub");
});

Deno.test("FTP.clone gives a client that outlives the first, and comes back", async () => {
  await using server = await memoryServer({ "/pub/a": "a" });
  const ftp = await server.client();
  await ftp.cwd("pub");
  await using clone = await ftp.clone();
  await ftp.quit();
  await clone.reconnect();
  assertEquals(await clone.size("a"), 1);
  await using third = await clone.clone();
  await third.login("user", "secret");
  assertEquals(await third.exists("/pub/a"), true);
});

Deno.test("FTP.clone asks for the directory where it is not known", async () => {
  await using server = await memoryServer({ "/pub/a": "a" });
  await using ftp = await server.client();
  for (let i = 0; i <= 100; i++) await ftp.cwd(i % 2 === 0 ? "pub" : "..");
  await using clone = await ftp.clone();
  assertEquals(await clone.pwd(), "/pub");
});

Deno.test("FTP.clone waits for a call that is in another directory", async () => {
  await using server = await memoryServer({ "/pub/a": "a" });
  await using ftp = await server.client();
  server.on("MLSD", "502 Not implemented");
  const walking = Array.fromAsync(ftp.walk("pub"));
  await server.received("LIST");
  await using clone = await ftp.clone();
  await walking;
  assertEquals(await clone.pwd(), "/");
});

Deno.test("FTP.clone rejects where no user is logged in, or the server has enough", async () => {
  await using ftp = new FTP();
  await assertRejects(() => ftp.clone(), Deno.errors.NotConnected);
  await using server = await memoryServer();
  await ftp.connect(server.host, server.port);
  await assertRejects(
    () => ftp.clone(),
    Deno.errors.NotConnected,
    "Cannot open another connection: no user is logged in",
  );
  await ftp.login();
  server.once("connect", "421 Too many connections");
  await assertRejects(() => ftp.clone(), FTPTemporaryError);
  const controller = new AbortController();
  server.once("PASS", (turn) => {
    controller.abort(new RangeError("enough"));
    return turn.stall();
  });
  await assertRejects(() => ftp.clone(controller), RangeError, "enough");
  assertEquals(await ftp.pwd(), "/");
});

serverTest("FTP.clone transfers beside the first", async (server) => {
  await server.write("pub/a", "first");
  await server.write("pub/b", "second");
  await using ftp = await logIn(server);
  await ftp.cwd("pub");
  await using clone = await ftp.clone();
  const reader = (await ftp.retrieve("a")).getReader();
  assertEquals(text(await fetchBytes(clone, "b")), "second");
  assertEquals(text((await reader.read()).value!), "first");
  assertEquals((await reader.read()).done, true);
});

serverTest("FTP.clone is under TLS as the first is", async (server) => {
  await server.write("pub/a", "first");
  await using ftp = await logInTLS(server);
  await ftp.cwd("pub");
  await using clone = await ftp.clone();
  assert(clone.tls !== undefined);
  for (let i = 0; i < 3; i++) {
    await Promise.all([ftp, clone].map(async (client, index) => {
      await client.store(`up ${index}`, bytes("there"));
      assertEquals(text(await fetchBytes(client, "a")), "first");
    }));
  }
}, { prepare: withTLS({ required: true }), needs: ({ tls }) => tls });
