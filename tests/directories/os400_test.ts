import { assertEquals } from "@std/assert";
import { memoryServer } from "../testing/memory_server.ts";
import type { ScriptedServer } from "../testing/scripted/mod.ts";

/**
 * A server that reports its directory as a library until it is configured
 * otherwise.
 */
function speakOS400(server: ScriptedServer, isWilling = true): void {
  let directory = "QGPL";
  let isByPath = false;
  server.on("SYST", "215 OS/400 is the remote operating system.");
  server.on("MLSD", "500 Unknown");
  server.on("MLST", "500 Unknown");
  server.on("USER", (turn) => {
    directory = "QGPL";
    isByPath = false;
    return turn.reply(331, "Password");
  });
  server.on("SITE", (turn) => {
    if (!isWilling) return turn.reply(500, "Unknown");
    isByPath = turn.argument === "NAMEFMT 1";
    return turn.reply(250, 'Now using naming format "1".');
  });
  server.on("PWD", (turn) => {
    const isLibrary = !isByPath && !directory.startsWith("/");
    const name = isByPath && directory === "QGPL"
      ? "/QSYS.LIB/QGPL.LIB"
      : directory;
    return turn.reply(
      257,
      isLibrary ? `"${name}" is the current library.` : `"${name}" is here.`,
    );
  });
  server.on("CWD", (turn) => {
    const isLibrary = !turn.argument.startsWith("/");
    if (isLibrary && directory.startsWith("/")) {
      return turn.reply(550, "Not found");
    }
    directory = turn.argument;
    return turn.reply(250, "Changed");
  });
  server.on(
    "LIST",
    (turn) => turn.send("-rw-r--r-- 1 u g 1 Jan 01 2020 f\r\n"),
  );
}

Deno.test("FTP.list has IBM i call a library by its path, to come back to it", async () => {
  await using server = await memoryServer();
  speakOS400(server);
  await using ftp = await server.client();
  assertEquals(await ftp.pwd(), "QGPL");
  const before = server.commands.length;
  const [entry] = await Array.fromAsync(ftp.list("/d", { command: "LIST" }));
  assertEquals(entry?.name, "f");
  assertEquals(await ftp.pwd(), "/QSYS.LIB/QGPL.LIB");
  await Array.fromAsync(ftp.list("/d", { command: "LIST" }));
  const told = server.commands.slice(before)
    .filter((line) => !/^(EPSV|TYPE|LIST)/.test(line));
  assertEquals(told, [
    "PWD",
    "SYST",
    "SITE NAMEFMT 1",
    "PWD",
    "CWD /d",
    "CWD /QSYS.LIB/QGPL.LIB",
    "PWD",
    "CWD /d",
    "CWD /QSYS.LIB/QGPL.LIB",
  ]);
});

Deno.test("FTP.list asks IBM i for its paths again on a new connection", async () => {
  await using server = await memoryServer();
  speakOS400(server);
  server.on("NOOP", (turn) => turn.close());
  await using ftp = await server.client();
  await Array.fromAsync(ftp.list("/d", { command: "LIST" }));
  await ftp.voidcmd("NOOP").catch(() => {});
  const before = server.commands.length;
  await Array.fromAsync(ftp.walk("/d", { retry: { delay: 1 } }));
  assertEquals(server.commands.slice(before, before + 4), [
    "USER user",
    "PASS secret",
    "SITE NAMEFMT 1",
    "CWD /QSYS.LIB/QGPL.LIB",
  ]);
});

Deno.test("FTP.list does not change the name format of IBM i unless necessary", async () => {
  await using server = await memoryServer();
  speakOS400(server);
  await using ftp = await server.client();
  await Array.fromAsync(ftp.list("MYLIB", { command: "LIST" }));
  await Array.fromAsync(ftp.list("", { command: "LIST" }));
  await ftp.cwd("/d");
  assertEquals(await ftp.pwd(), "/d");
  assertEquals(server.commands.filter((line) => /^(SYST|SITE)/.test(line)), []);
});

Deno.test("FTP.list gives LIST the path where it could not come back", async () => {
  for (const system of ["OS/400 is here", "UNIX Type: L8"]) {
    await using server = await memoryServer();
    speakOS400(server, false);
    server.on("SYST", `215 ${system}`);
    await using ftp = await server.client();
    for (let i = 0; i < 2; i++) {
      const options = { command: "LIST" } as const;
      const [entry] = await Array.fromAsync(ftp.list("/d", options));
      assertEquals(entry?.name, "f");
    }
    assertEquals(await ftp.pwd(), "QGPL");
    assertEquals(server.commands.filter((line) => /^(SYST|LIST)/.test(line)), [
      "SYST",
      "LIST /d",
      "LIST /d",
    ]);
  }
});

for (const verb of ["SYST", "SITE"]) {
  Deno.test(`FTP.list does without ${verb} on IBM i, whatever refuses it`, async () => {
    for (
      const reply of ["202 Superfluous", "350 More", "450 Not now", "550 No"]
    ) {
      await using server = await memoryServer();
      speakOS400(server);
      server.on(verb, reply);
      await using ftp = await server.client();
      for (let i = 0; i < 2; i++) {
        const [entry] = await Array.fromAsync(
          ftp.list("/d", { command: "LIST" }),
        );
        assertEquals(entry?.name, "f");
      }
      assertEquals(await ftp.pwd(), "QGPL");
      assertEquals(server.verbs.filter((other) => other === verb).length, 1);
    }
  });
}
