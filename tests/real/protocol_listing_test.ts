import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FTPError } from "../../mod.ts";
import { breakAfterFirst } from "../break_after_first.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";
import { logIn, modesTest } from "./client.ts";

const FILES = ["a", "two words", "ünï", 'a "quote"', "z".repeat(200)];

async function fill(server: RealServer): Promise<void> {
  for (const name of FILES) await server.write(`pub/${name}`, "12345");
  await server.mkdir("pub/folder");
  await server.mkdir("empty");
}

modesTest("FTP.nlst, dir and mlsd list a directory", async (ftp, server) => {
  await fill(server);
  const all = [...FILES, "folder"].sort();
  await ftp.cwd("pub");
  assertEquals(names(await ftp.nlst()), all);
  assertEquals(names(await ftp.nlst("/pub")), all);

  const lines: string[] = [];
  const reply = await ftp.dir((line) => lines.push(line));
  assertEquals(reply.code, 226);
  for (const name of all) {
    const line = lines.find((line) => line.endsWith(` ${name}`));
    assertMatch(line!, name === "folder" ? /^drwx/ : /^-rw-r--r--.* 5 /);
  }

  if (!server.features.mlsd) return;
  const entries = new Map(await Array.fromAsync(ftp.mlsd()));
  for (const name of FILES) {
    const { type, size, modify } = entries.get(name)!;
    assertEquals([type, size], ["file", "5"]);
    assertMatch(modify!, /^20\d{12}$/);
  }
  assertEquals(entries.get("folder")!.type, "dir");
});

modesTest(
  "FTP.nlst, dir and mlsd list an empty directory",
  async (ftp, server) => {
    await fill(server);
    await ftp.cwd("empty");
    assertEquals(names(await ftp.nlst()), []);
    const lines: string[] = [];
    await ftp.dir((line) => lines.push(line));
    assertEquals(lines.filter((line) => !/ \.\.?$|^total 0$/.test(line)), []);
    if (!server.features.mlsd) return;
    const entries = await Array.fromAsync(ftp.mlsd("/empty"));
    assertEquals(
      entries.filter(([_name, { type }]) => !/^[cp]dir$/.test(type!)),
      [],
    );
  },
);

serverTest("FTP.mlsd gives the facts it was asked for", async (server) => {
  await fill(server);
  await using ftp = await logIn(server);
  const entries = await Array.fromAsync(ftp.mlsd("pub", ["type", "size"]));
  const facts = new Map(entries).get("a")!;
  // Pure-FTPd says yes to OPTS MLST and sends all facts as before
  const { type, size, ...others } = facts;
  assertEquals({ type, size }, { type: "file", size: "5" });
  assertEquals(others.modify !== undefined, server.name === "pure-ftpd");
  assertEquals(await ftp.pwd(), "/");
}, { needs: (features) => features.mlsd });

serverTest("FTP.mlsd is refused by a server that has none", async (server) => {
  await using ftp = await logIn(server);
  const error = await assertRejects(
    () => Array.fromAsync(ftp.mlsd()),
    FTPError,
  );
  assertEquals(error.reply?.code, 500);
  assertEquals(names(await ftp.nlst()), []);
}, { needs: (features) => !features.mlsd });

serverTest("FTP.mlsd may be left early", async (server) => {
  for (let i = 0; i < 300; i++) {
    await Deno.writeTextFile(`${server.root}/${i}`, "");
  }
  await using ftp = await logIn(server);
  await breakAfterFirst(ftp.mlsd());
  assertEquals(await ftp.pwd(), "/");
  assertEquals(names(await ftp.nlst()).length, 300);
}, { needs: (features) => features.mlsd });

serverTest("FTP.nlst and dir take words for the command", async (server) => {
  await fill(server);
  await server.write("pub/.hidden", "");
  await using ftp = await logIn(server);
  await ftp.cwd("pub");
  // pyftpdlib knows no options
  const words = server.name === "pyftpdlib" ? [""] : ["-a"];
  const lines: string[] = [];
  await ftp.dir(...words, (line: string) => lines.push(line));
  assertMatch(lines.join("\n"), / \.hidden$/m);
});

serverTest(
  "FTP.dir, nlst and mlsd of a missing directory leave the connection in step",
  async (server) => {
    await using ftp = await logIn(server);
    const outcomes: string[] = [];
    for (
      const list of [
        () => ftp.nlst("missing"),
        () => ftp.dir("missing", () => {}),
        () => Array.fromAsync(ftp.mlsd("missing")),
      ]
    ) {
      const outcome = await list().then(() => "empty", (error) => {
        if (!(error instanceof FTPError)) throw error;
        return String(error.reply?.code);
      });
      outcomes.push(outcome);
      assertEquals(await ftp.pwd(), "/");
    }
    assertEquals(outcomes, MISSING[server.name]);
  },
);

/** Results of NLST, LIST and MLSD for a missing directory. */
const MISSING: Record<string, readonly string[]> = {
  vsftpd: ["empty", "empty", "500"],
  proftpd: ["450", "450", "550"],
  "pure-ftpd": ["550", "empty", "550"],
  pyftpdlib: ["550", "550", "501"],
};

/** In order and without what Pure-FTPd adds. */
function names(listed: readonly string[]): string[] {
  return listed.map((name) => name.replace(/^\/pub\//, ""))
    .filter((name) => name !== "." && name !== "..").sort();
}
