import { assertEquals, assertRejects } from "@std/assert";
import { FTP, FTPPermanentError } from "../../mod.ts";
import { memoryServer } from "../testing/memory_server.ts";
import { TestAuthority } from "../testing/servers/test_authority.ts";
import { startTLSServer } from "../testing/echo_server.ts";

/** Loses the connection; a walk opens another one. */
async function loseConnection(ftp: FTP): Promise<void> {
  await assertRejects(() => ftp.voidcmd("NOOP"), Deno.errors.UnexpectedEof);
  await Array.fromAsync(ftp.walk("", { retry: { delay: 1 } }));
}

Deno.test("FTP sets a new connection as the old one was", async () => {
  await using server = await memoryServer({ "/pub/a": "a" });
  server.on("NOOP", (turn) => turn.close());
  server.on("LANG", "200 Bonjour");
  await using ftp = await server.client();
  await ftp.cwd("pub");
  await Array.fromAsync(ftp.mlsd("", ["type"]));
  await Array.fromAsync(ftp.mlsd("", ["type", "size"]));
  await ftp.voidcmd("OPTS UTF8 ON");
  await ftp.voidcmd("LANG fr");
  await ftp.voidcmd("mode S");
  await ftp.voidcmd("STRU F");
  server.once("STRU", "504 Not that");
  await assertRejects(() => ftp.voidcmd("STRU P"), FTPPermanentError);
  const before = server.commands.length;
  await loseConnection(ftp);
  assertEquals(
    server.commands.slice(before, before + 10),
    [
      "NOOP",
      "USER user",
      "PASS secret",
      "OPTS MLST type;size;",
      "OPTS UTF8 ON",
      "LANG fr",
      "mode S",
      "STRU F",
      "CWD pub",
      "TYPE A",
    ],
  );
});

Deno.test("FTP does not set a new connection as it was before REIN", async () => {
  await using server = await memoryServer({ "/pub/a": "a" });
  server.on("REIN", "220 Ready");
  server.on("NOOP", (turn) => turn.close());
  await using ftp = await server.client();
  await ftp.voidcmd("MODE S");
  await ftp.voidcmd("REIN");
  await ftp.login("user", "secret");
  await loseConnection(ftp);
  assertEquals(server.verbs.filter((verb) => verb === "MODE").length, 1);
});

Deno.test("FTP chooses the virtual host again before it logs in again", async () => {
  await using server = await memoryServer();
  server.on(
    "HOST",
    (turn) => turn.reply(turn.argument === "c.test" ? 504 : 220, "Host"),
  );
  server.on("REIN", "220 Ready");
  await using ftp = new FTP({ timeout: 2000 });
  await ftp.connect(server.host, server.port);
  await ftp.voidcmd("HOST a.test");
  await ftp.voidcmd("HOST b.test");
  await assertRejects(() => ftp.voidcmd("HOST c.test"), FTPPermanentError);
  await ftp.login("user", "secret");
  let before = server.commands.length;
  await ftp.reconnect();
  assertEquals(server.commands.slice(before, before + 3), [
    "HOST b.test",
    "USER user",
    "PASS secret",
  ]);
  // the password is for that host only
  server.once("HOST", "504 Gone");
  before = server.commands.length;
  await assertRejects(() => ftp.reconnect(), FTPPermanentError, "504 Gone");
  assertEquals(server.commands.slice(before), ["HOST b.test"]);
  await ftp.reconnect();
  await ftp.voidcmd("REIN");
  await ftp.login("user", "secret");
  before = server.commands.length;
  await ftp.reconnect();
  assertEquals(server.commands.slice(before, before + 1), ["USER user"]);
});

Deno.test("FTP chooses the virtual host again under TLS, if it was so", async () => {
  using authority = await TestAuthority.make();
  const { pem } = await authority.issue("localhost");
  const commands: string[] = [];
  await using server = await startTLSServer(pem, (socket) => {
    socket.write("220 Hello\r\n");
    socket.on("data", (bytes: Uint8Array) => {
      const command = new TextDecoder().decode(bytes).trim();
      commands.push(command);
      socket.write(command.startsWith("USER") ? "230 In\r\n" : "200 Ok\r\n");
    });
  });
  const caCerts = [authority.certificate.pem.cert];
  await using ftp = new FTP({
    tls: { mode: "implicit", caCerts, serverName: "localhost" },
  });
  await ftp.connect("127.0.0.1", server.port);
  await ftp.voidcmd("HOST localhost");
  await ftp.login("user");
  commands.length = 0;
  await ftp.reconnect();
  assertEquals(commands.slice(0, 2), ["HOST localhost", "USER user"]);
});
