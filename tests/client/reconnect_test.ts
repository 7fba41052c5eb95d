import { assertEquals, assertRejects } from "@std/assert";
import { type FTP, FTPPermanentError } from "../../mod.ts";
import { memoryServer } from "../files/memory_server.ts";

/** Loses the connection; a walk finds another one. */
async function loseConnection(ftp: FTP): Promise<void> {
  await assertRejects(() => ftp.voidcmd("NOOP"), Deno.errors.UnexpectedEof);
  await Array.fromAsync(ftp.walk("", { retry: { delay: 1 } }));
}

Deno.test("FTP sets a new connection as the old one was", async () => {
  await using server = await memoryServer({ "/pub/a": "a" });
  server.on("NOOP", (turn) => turn.close());
  await using ftp = await server.client();
  await ftp.cwd("pub");
  await Array.fromAsync(ftp.mlsd("", ["type"]));
  await Array.fromAsync(ftp.mlsd("", ["type", "size"]));
  await ftp.voidcmd("OPTS UTF8 ON");
  await ftp.voidcmd("mode S");
  await ftp.voidcmd("STRU F");
  server.once("STRU", "504 Not that");
  await assertRejects(() => ftp.voidcmd("STRU P"), FTPPermanentError);
  const before = server.commands.length;
  await loseConnection(ftp);
  assertEquals(
    server.commands.slice(before, before + 9),
    [
      "NOOP",
      "USER user",
      "PASS secret",
      "OPTS MLST type;size;",
      "OPTS UTF8 ON",
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
