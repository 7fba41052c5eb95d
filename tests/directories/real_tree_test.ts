import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Entry, FTP } from "../../mod.ts";
import { breakAfterFirst } from "../break_after_first.ts";
import { logIn } from "../real/client.ts";
import {
  isIgnored,
  type ServerName,
  SERVERS,
  startServer,
} from "../testing/servers/mod.ts";
import { type Folder, MANY, type OnDisk, Tree } from "./tree.ts";

const FOLDERS = ["many", "odd", "dates", "kinds", "kinds/empty"];

const DAY = 86_400_000;

/** Milliseconds of the units of times. */
const UNITS = { second: 1000, minute: 60_000, day: DAY };

Deno.test("FTP.list, FTP.stat and FTP.walk say what the disk says, on every server", async (context) => {
  await using tree = await Tree.make();
  const folders = new Map(FOLDERS.map((name) => [name, tree.read(name)]));
  assertEquals(folders.get("many")!.size, MANY);
  for (const { name, features } of SERVERS) {
    await context.step({
      name,
      ignore: isIgnored(name),
      fn: async () => {
        await using server = await startServer(name, { root: tree.root });
        await using ftp = await logIn(server);
        const shown = new Map(
          folders.entries().map((
            [path, folder],
          ) => [path, shows(name, folder)]),
        );
        for (const [path, folder] of shown) {
          if (features.mlsd) {
            const entries = await read(ftp, path, "MLSD");
            compare(entries, throughMLSD(name, folder));
          }
          compare(await read(ftp, path, "LIST"), folder);
        }
        await leaveEarly(ftp, features.mlsd ? ["MLSD", "LIST"] : ["LIST"]);
        await openByRawPath(ftp, shown.get("odd")!);
        await walk(ftp, name, shown);
      },
    });
  }
});

async function read(
  ftp: FTP,
  path: string,
  command: "MLSD" | "LIST",
): Promise<Entry[]> {
  const options = { command, all: true, zone: "infer" } as const;
  return await Array.fromAsync(ftp.list(`/${path}`, options));
}

/** Returns the entries that a server lists for a folder. */
function shows(server: ServerName, folder: Folder): Folder {
  const names = [...folder.keys()].filter((name) =>
    // Pure-FTPd hides names with control characters
    server === "pure-ftpd"
      ? !name.includes("\t")
      // pyftpdlib writes "?" for bytes that are no UTF-8
      : server !== "pyftpdlib" || Tree.isText(name)
  );
  return new Map(names.map((name) => [name, folder.get(name)!]));
}

/** Returns the entries that a server's MLSD lists for a folder. */
function throughMLSD(server: ServerName, folder: Folder): Folder {
  const told: Folder = new Map(folder);
  for (const [name, onDisk] of folder) {
    if (onDisk.kind !== "symlink") continue;
    // ProFTPD and pyftpdlib leave out what leads nowhere
    if (name === "dangling" && server !== "pure-ftpd") told.delete(name);
    // pyftpdlib shows what a link leads to
    else if (server === "pyftpdlib") {
      told.set(name, folder.get(onDisk.target!)!);
    }
  }
  return told;
}

function compare(entries: Entry[], folder: Folder): void {
  const names = entries.map(({ rawName }) => String.fromCharCode(...rawName));
  const readable = names.filter((name) => folder.has(name));
  assertEquals(
    [...new Set(readable)].toSorted(),
    [...folder.keys()].toSorted(),
  );
  for (const [i, entry] of entries.entries()) {
    const onDisk = folder.get(names[i]!);
    // pyftpdlib gives two files the name "?", and files that are not looked for
    if (onDisk === undefined || names[i] === "?") continue;
    assertEquals(said(entry), expected(entry, onDisk), entry.line);
  }
}

/** Returns the fields of an entry, with its time rounded to its precision. */
function said(entry: Entry): unknown {
  const { kind, size, mode, linkTarget } = entry;
  const isFolder = kind === "directory";
  const mtime = cut(entry, entry.mtime!.getTime());
  return { kind, size: isFolder ? 0 : size, mode, linkTarget, mtime };
}

function expected(entry: Entry, onDisk: OnDisk): unknown {
  const { kind, size, mode, target } = onDisk;
  const isFolder = kind === "directory";
  // ProFTPD and pyftpdlib leave the year of any future time out of a LIST
  const isAmbiguous = onDisk.mtime > Date.now() + DAY &&
    entry.mtimePrecision === "minute";
  const year = isAmbiguous ? entry.mtime!.getUTCFullYear() : undefined;
  const time = new Date(onDisk.mtime);
  if (year !== undefined) time.setUTCFullYear(year);
  return {
    kind,
    size: isFolder ? 0 : size,
    mode: entry.mode && mode, // pyftpdlib's MLSD does not tell
    // MLSD need not tell
    linkTarget: entry.format === "mlsd" ? entry.linkTarget && target : target,
    mtime: cut(entry, time.getTime()),
  };
}

/** Rounds a time down to the precision of an entry. */
function cut({ mtimePrecision }: Entry, time: number): number {
  return Math.floor(time / UNITS[mtimePrecision!]);
}

/**
 * Leaves or aborts a listing. The connection must be as before, also if the
 * server sends the rest before the next listing.
 */
async function leaveEarly(
  ftp: FTP,
  commands: readonly ("MLSD" | "LIST")[],
): Promise<void> {
  for (const command of commands) {
    for (let i = 0; i < 4; i++) {
      const controller = new AbortController();
      const { signal } = controller;
      const entries = ftp.list("/many", { command, signal });
      if (i % 2 === 0) {
        await breakAfterFirst(entries);
      } else {
        const error = await assertRejects(async () => {
          for await (const _ of entries) controller.abort(new Error("Enough"));
        });
        assertEquals(error, signal.reason);
      }
      assertEquals(await ftp.pwd(), "/");
      assertEquals((await read(ftp, "many", command)).length, MANY);
    }
  }
}

/** Each file in "odd" has its name as content. */
async function openByRawPath(ftp: FTP, folder: Folder): Promise<void> {
  const opened = new Set<string>();
  for await (const entry of ftp.walk("/odd", { all: true })) {
    const { rawName, rawPath, path } = entry;
    const name = String.fromCharCode(...rawName);
    // Pure-FTPd prohibits the backslash
    if (!folder.has(name) || entry.hostile) continue;
    const content = await new Response(await ftp.retrieve(rawPath)).bytes();
    assertEquals(content, rawName, path);
    const found = await ftp.stat(rawPath);
    assertEquals([found.rawName, found.size], [rawName, rawName.length], path);
    opened.add(name);
  }
  assertEquals(opened.size, folder.size - 1);
}

async function walk(
  ftp: FTP,
  server: ServerName,
  folders: Map<string, Folder>,
): Promise<void> {
  const met = new Set<string>();
  for await (const { rawPath } of ftp.walk("/", { all: true })) {
    met.add(String.fromCharCode(...rawPath));
  }
  for (const [path, folder] of folders) {
    assert(met.has(`/${path}`));
    const told = server === "vsftpd" ? folder : throughMLSD(server, folder);
    const missing = [...told.keys()].filter((file) =>
      !met.has(`/${path}/${file}`)
    );
    assertEquals(missing, []);
  }
}
