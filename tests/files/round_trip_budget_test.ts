/** How many round trips each call may take: the table of docs/performance.md. */

import { assertEquals } from "@std/assert";
import { FTP as Client } from "../../mod.ts";
import { TurnClock } from "../testing/turn_clock.ts";
import { LocalFolder } from "./local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";

/** The greetings of servers that are served in different ways. */
const GREETINGS = {
  vsftpd: "220 (vsFTPd 3.0.3)",
  proftpd: "220 ProFTPD Server (test)",
  other: "220 Hello",
};

type Kind = keyof typeof GREETINGS;

/** What calls are made with. */
interface Place {
  readonly ftp: Client;
  readonly folder: LocalFolder;
  /** A name that no call was given before. */
  fresh(): string;
}

/** Files of a directory of which the slope is taken. */
const FEW = 2;
const MANY = 8;

/** Calls on a connection in use. */
const CALLS: Record<string, (place: Place) => Promise<unknown>> = {
  "download()": ({ ftp, folder }) => ftp.download("many/0", folder.at("a")),
  "upload(), new": ({ ftp, folder, fresh }) =>
    ftp.upload(folder.at("source"), fresh()),
  "upload(), replaced": ({ ftp, folder }) =>
    ftp.upload(folder.at("source"), "replaced"),
  "retrieve()": async ({ ftp }) =>
    await new Response(await ftp.retrieve("many/0")).text(),
  "retrieve({ offset })": async ({ ftp }) =>
    await new Response(await ftp.retrieve("many/0", { offset: 3 })).text(),
  "store()": ({ ftp, fresh }) => ftp.store(fresh(), new Uint8Array(9)),
  "list()": ({ ftp }) => Array.fromAsync(ftp.list("many")),
  "stat()": ({ ftp }) => ftp.stat("many/0"),
  "exists()": ({ ftp }) => ftp.exists("many/0"),
  "exists(), missing": ({ ftp }) => ftp.exists("many/none"),
  "mtime()": ({ ftp }) => ftp.mtime("many/0"),
  "setMtime()": ({ ftp }) => ftp.setMtime("many/0", new Date(1e12)),
  "size()": ({ ftp }) => ftp.size("many/0"),
  "rename()": async ({ ftp, fresh }) => {
    const name = fresh();
    await ftp.rename("renamed", name);
    await ftp.rename(name, "renamed");
  },
  "ensureDir(), there": ({ ftp }) => ftp.ensureDir("many"),
  "ensureDir(), new": ({ ftp, fresh }) => ftp.ensureDir(fresh()),
  "clone() and its end": async ({ ftp }) => {
    await using _ = await ftp.clone();
  },
};

/** Calls on many files: round trips for each further one. */
const SLOPES: Record<
  string,
  (place: Place, count: number) => Promise<unknown>
> = {
  "downloadAll(), each file": async ({ ftp, folder, fresh }, count) => {
    const paths = Array.from({ length: count }, (_, i) => `many/${i}`);
    const local = folder.at(fresh());
    for await (const { error } of ftp.downloadAll(paths, local)) {
      if (error !== undefined) throw error;
    }
  },
  "downloadDir(), each file": ({ ftp, folder, fresh }, count) =>
    ftp.downloadDir(`tree${count}`, folder.at(fresh())),
  "uploadDir(), each file": ({ ftp, folder, fresh }, count) =>
    ftp.uploadDir(folder.at(`tree${count}`), fresh()),
};

/** First calls on a new connection, whose server the client does not know. */
const FIRST: Record<string, (place: Place) => Promise<unknown>> = {
  "first list()": ({ ftp }) => Array.fromAsync(ftp.list("many")),
  "first download()": ({ ftp, folder }) =>
    ftp.download("many/0", folder.at("first")),
  "first downloadDir() of 2 files": ({ ftp, folder, fresh }) =>
    ftp.downloadDir("tree2", folder.at(fresh())),
  "first uploadDir() of 2 files": ({ ftp, folder, fresh }) =>
    ftp.uploadDir(folder.at("tree2"), `new${fresh()}/deep`),
};

async function countFirst(kind: Kind): Promise<Record<string, number>> {
  using folder = new LocalFolder();
  const files: Record<string, string> = { "/many/0": "x" };
  Deno.mkdirSync(folder.at("tree2"));
  for (let i = 0; i < 2; i++) {
    files[`/tree2/${i}`] = "x";
    writeOld(folder.at(`tree2/${i}`));
  }
  await using server = await memoryServer(files);
  server.on("CONNECT", GREETINGS[kind]);
  const clock = new TurnClock();
  const counts: Record<string, number> = {};
  for (const [name, call] of Object.entries(FIRST)) {
    await using ftp = new Client({ dial: clock.dial, timeout: 20_000 });
    await ftp.connect(server.host, server.port);
    await ftp.login("user", "secret");
    const place = { ftp, folder, fresh: () => "fresh" };
    counts[name] = await clock.count(() => call(place));
  }
  return counts;
}

async function countAll(kind: Kind): Promise<Record<string, number>> {
  const files: Record<string, string> = { "/renamed": "x" };
  using folder = new LocalFolder();
  for (const count of [FEW, MANY]) {
    Deno.mkdirSync(folder.at(`tree${count}`));
    for (let i = 0; i < count; i++) {
      files[`/many/${i}`] = files[`/tree${count}/${i}`] = `text ${i}`;
      writeOld(folder.at(`tree${count}/${i}`));
    }
  }
  writeOld(folder.at("source"));
  await using server = await memoryServer(files);
  server.on("CONNECT", GREETINGS[kind]);
  const clock = new TurnClock();
  const counts: Record<string, number> = {};
  await using ftp = new Client({ dial: clock.dial, timeout: 20_000 });
  counts["connect()"] = await clock.count(() =>
    ftp.connect(server.host, server.port)
  );
  counts["login()"] = await clock.count(() => ftp.login("user", "secret"));
  let number = 0;
  const place = { ftp, folder, fresh: () => `fresh${number++}` };
  for (const [name, call] of Object.entries(CALLS)) {
    await call(place); // what is learned once
    counts[name] = await clock.count(() => call(place));
  }
  for (const [name, call] of Object.entries(SLOPES)) {
    await call(place, FEW);
    const few = await clock.count(() => call(place, FEW));
    const many = await clock.count(() => call(place, MANY));
    counts[name] = (many - few) / (MANY - FEW);
  }
  return counts;
}

/** Writes a file whose time is long past. */
function writeOld(path: string): void {
  Deno.writeTextFileSync(path, "some text");
  Deno.utimeSync(path, 1e9, 1e9);
}

/** Calls that take the same of every server. */
const COMMON = {
  "connect()": 2, // dial, greeting
  "login()": 2, // USER, PASS
  "download()": 3, // SIZE with MDTM and EPSV, dial, RETR
  "retrieve()": 3,
  "retrieve({ offset })": 3, // REST while the data connection is dialed
  "store()": 4, // EPSV, dial, STOR, the end of the data
  "list()": 3,
  "stat()": 1,
  "exists()": 1,
  "exists(), missing": 1,
  "mtime()": 1,
  "setMtime()": 1,
  "size()": 1,
  "rename()": 4, // two renames
  "ensureDir(), there": 2,
  "ensureDir(), new": 2,
  "downloadAll(), each file": 3,
  "downloadDir(), each file": 3,
};

/**
 * EPSV, dial, STOR with the bytes, SIZE with MFMT and RNFR, RNTO. The first
 * comes with the last of the file before.
 */
const BYTES_WITH_STOR = {
  "upload(), new": 5,
  "upload(), replaced": 5,
  "uploadDir(), each file": 4,
};

/** Dial, greeting, USER with PASS, CWD and TYPE, QUIT. */
const JOINED_LOGIN = { "clone() and its end": 4 };

const BUDGET: Record<Kind, Record<string, number>> = {
  // CWD with EPSV, dial, LIST, CWD with the end of the data
  vsftpd: { ...COMMON, ...BYTES_WITH_STOR, ...JOINED_LOGIN, "list()": 4 },
  proftpd: { ...COMMON, ...BYTES_WITH_STOR, ...JOINED_LOGIN },
  // the bytes wait for the reply to STOR
  other: {
    ...COMMON,
    "upload(), new": 6,
    "upload(), replaced": 6,
    "uploadDir(), each file": 5,
    "clone() and its end": 6, // USER, PASS, and the others one after another
  },
};

for (const kind of Object.keys(GREETINGS) as Kind[]) {
  Deno.test(`FTP keeps to its budget of round trips (${kind})`, async () => {
    assertEquals(await countAll(kind), BUDGET[kind]);
  });
}

/** EPSV is sent alone until commands that were sent together had replies. */
const FIRST_BUDGET: Record<Kind, Record<string, number>> = {
  vsftpd: {
    "first list()": 5, // PWD with TYPE, CWD with EPSV, dial, LIST, CWD
    "first download()": 3,
    "first downloadDir() of 2 files": 11,
    "first uploadDir() of 2 files": 12,
  },
  proftpd: {
    "first list()": 4, // TYPE, EPSV, dial, MLSD
    "first download()": 3,
    "first downloadDir() of 2 files": 10,
    "first uploadDir() of 2 files": 12,
  },
  other: {
    "first list()": 4, // TYPE, EPSV, dial, MLSD
    "first download()": 3,
    "first downloadDir() of 2 files": 10,
    "first uploadDir() of 2 files": 15,
  },
};

for (const kind of ["vsftpd", "proftpd", "other"] as const) {
  Deno.test(`FTP keeps to its budget for the first call of a connection (${kind})`, async () => {
    assertEquals(await countFirst(kind), FIRST_BUDGET[kind]);
  });
}
