import { assertEquals, assertRejects } from "@std/assert";
import { FTPError, FTPPermanentError } from "../../mod.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";
import { bytes, fetchBytes, logIn } from "./client.ts";

/** Difficult names. */
const NAMES = [
  "plain",
  "two words",
  " a blank in front",
  "a blank behind ",
  "three   blanks",
  'a "quoted" name',
  '"',
  '""',
  "it's; and [this] & that | 100%20 #1",
  "back\\slash",
  "-l",
  "überraschung",
  "日本語",
  "🐘",
  "e\u0301 decomposed",
  "..three",
  "x".repeat(200),
];

/** Pure-FTPd makes "_" of a blank at either end, and refuses the backslash. */
const PURE_FTPD_REGEXP = /^ | $|\\/;

function namesFor({ name }: RealServer): readonly string[] {
  return name === "pure-ftpd"
    ? NAMES.filter((name) => !PURE_FTPD_REGEXP.test(name))
    : NAMES;
}

serverTest("FTP.mkd, cwd, pwd and rmd take any name", async (server) => {
  await using ftp = await logIn(server);
  const names = namesFor(server);
  for (const name of names) {
    const made = await ftp.mkd(name);
    if (server.name !== "pure-ftpd") assertEquals(made, `/${name}`);
    // Pure-FTPd repeats what it was told, and does not double quotes there
    else if (!name.includes('"')) assertEquals(made, name);
    assertEquals((await ftp.cwd(name)).code, 250);
    if (server.name !== "pure-ftpd" || !name.includes('"')) {
      assertEquals(await ftp.pwd(), `/${name}`);
    }
    await ftp.cwd("..");
    assertEquals(await ftp.pwd(), "/");
  }
  const listed = Array.from(Deno.readDirSync(server.root), ({ name }) => name);
  assertEquals(listed.sort(), names.toSorted());
  for (const name of names) assertEquals((await ftp.rmd(name)).code, 250);
  assertEquals(Array.from(Deno.readDirSync(server.root)), []);
});

serverTest(
  "FTP.cwd knows the parent, the current one, and the root",
  async (server) => {
    await server.mkdir("a/b/c");
    await using ftp = await logIn(server);
    await ftp.cwd("a/b/c");
    assertEquals(await ftp.pwd(), "/a/b/c");
    assertEquals((await ftp.cwd("")).code, 250);
    assertEquals(await ftp.pwd(), "/a/b/c");
    assertEquals((await ftp.cwd("..")).code, 250);
    assertEquals(await ftp.pwd(), "/a/b");
    await ftp.cwd("../..");
    assertEquals(await ftp.pwd(), "/");
    await ftp.cwd("..");
    assertEquals(await ftp.pwd(), "/");
    await ftp.cwd("/a");
    assertEquals(await ftp.pwd(), "/a");
  },
);

serverTest(
  "FTP.cwd, mkd and rmd say which directory there is not",
  async (server) => {
    await server.write("full/file", "x");
    await using ftp = await logIn(server);
    for (
      const attempt of [
        () => ftp.cwd("nowhere"),
        () => ftp.mkd("no/where"),
        () => ftp.mkd("full"),
        () => ftp.rmd("nowhere"),
        () => ftp.rmd("full"),
        () => ftp.cwd("full/file"),
      ]
    ) {
      const error = await assertRejects(attempt, FTPError);
      assertEquals(
        error.reply?.code,
        CODES[server.name]?.[error.command!] ?? 550,
      );
      assertEquals(
        error.message,
        `Cannot complete "${error.command}": ${error.reply?.text}`,
      );
    }
    assertEquals(await ftp.pwd(), "/");
  },
);

/** Where it is not 550. */
const CODES: Record<string, Record<string, number>> = {
  "pure-ftpd": {},
};

serverTest("FTP.mkd and rmd are refused without permission", async (server) => {
  await Deno.mkdir(`${server.root}/guarded/inside`, { recursive: true });
  await Deno.chmod(`${server.root}/guarded`, 0o555);
  await using ftp = await logIn(server);
  await assertRejects(() => ftp.mkd("guarded/new"), FTPPermanentError, "55");
  await assertRejects(() => ftp.rmd("guarded/inside"), FTPPermanentError, "55");
  await Deno.chmod(`${server.root}/guarded`, 0o755); // so that it can be removed
});

serverTest(
  "FTP stores, sizes, renames and deletes files of any name",
  async (server) => {
    await using ftp = await logIn(server);
    const names = namesFor(server);
    for (const [i, name] of names.entries()) {
      const content = bytes("x".repeat(i));
      await ftp.storbinary(`STOR ${name}`, content);
      assertEquals(await server.read(name), content);
      assertEquals(await ftp.size(name), i);
      assertEquals(await fetchBytes(ftp, name), content);
      await ftp.rename(name, `${name}.${i}`);
      assertEquals(await server.read(`${name}.${i}`), content);
      await ftp.rename(`${name}.${i}`, name);
      assertEquals((await ftp.delete(name)).code, 250);
    }
    assertEquals(Array.from(Deno.readDirSync(server.root)), []);
  },
);
