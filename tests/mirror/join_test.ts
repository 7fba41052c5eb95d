import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FTPMirrorError } from "../../mod.ts";
import { Pair, UNKNOWN } from "../testing/scripted_listings.ts";
import type { Turn } from "../testing/scripted/mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { readTree, writeTree } from "./tree.ts";

const DATA_SETS =
  "Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname";
const MEMBERS =
  " Name     VV.MM   Created       Changed      Size  Init   Mod   Id";

/** Listings by the directory that was entered, and files by their path. */
interface Host {
  readonly listings: Readonly<Record<string, readonly string[]>>;
  readonly files: Readonly<Record<string, string>>;
  /** The directory at the start. */
  readonly home: string;
}

/** A server that knows files only by whole paths, as the host writes them. */
async function makePair({ listings, files, home }: Host): Promise<Pair> {
  const pair = await Pair.make();
  const directories = new WeakMap<object, string>();
  const directoryOf = ({ session }: Turn) => directories.get(session) ?? home;
  for (const verb of ["MLSD", "MLST", "SIZE", "MDTM", "FEAT"]) {
    pair.server.on(verb, UNKNOWN);
  }
  pair.server
    .on("PWD", (turn) => turn.reply(257, `"${directoryOf(turn)}" is it.`))
    .on("CWD", async (turn) => {
      if (turn.argument !== home && listings[turn.argument] === undefined) {
        return await turn.reply(550, "No such directory.");
      }
      directories.set(turn.session, turn.argument);
      await turn.reply(250, "There.");
    })
    .on("LIST", async (turn) => {
      if (turn.argument !== "") return await turn.reply(501, "No flags.");
      const lines = listings[directoryOf(turn)] ?? [];
      await turn.send(lines.map((line) => `${line}\r\n`).join(""));
    })
    .on("RETR", async (turn) => {
      const text = files[turn.argument];
      if (text === undefined) await turn.reply(550, "No such file.");
      else await turn.send(text);
    });
  return pair;
}

const ZOS: Host = {
  home: "'IBMUSER.'",
  listings: {
    "'HLQ'": [
      DATA_SETS,
      "WYOSPT 3420   2003/05/21  1  200  FB      80  8053  PS  SEQ.DATA",
      "WPTA01 3290   2004/03/04  1    3  FB      80  3125  PO  LIB",
    ],
    "'HLQ.LIB'": [
      MEMBERS,
      " ALPHA     01.03 2002/09/12 2002/10/11 09:37    11    11     0 KIL001",
      " BETA",
    ],
  },
  files: {
    "'HLQ.SEQ.DATA'": "data set",
    "'HLQ.LIB(ALPHA)'": "alpha",
    "'HLQ.LIB(BETA)'": "beta",
  },
};

Deno.test("FTP.downloadDir asks z/OS for members of a partitioned data set", async () => {
  using folder = new LocalFolder();
  await using pair = await makePair(ZOS);
  await pair.ftp.downloadDir("'HLQ.LIB'", folder.at("lib"));
  assertEquals(readTree(folder.at("lib")), { ALPHA: "alpha", BETA: "beta" });
});

for (const connections of [1, 3]) {
  Deno.test(`FTP.downloadDir asks z/OS for data sets by their first qualifiers, over ${connections}`, async () => {
    using folder = new LocalFolder();
    await using pair = await makePair(ZOS);
    await pair.ftp.downloadDir("'HLQ'", folder.at("all"), { connections });
    assertEquals(readTree(folder.at("all")), {
      "SEQ.DATA": "data set",
      "LIB/ALPHA": "alpha",
      "LIB/BETA": "beta",
    });
  });
}

Deno.test("FTP.walk gives paths of z/OS that can be opened", async () => {
  await using pair = await makePair(ZOS);
  const decoder = new TextDecoder();
  const paths: string[] = [];
  for await (const entry of pair.ftp.walk("'HLQ'")) {
    assertEquals(decoder.decode(entry.rawPath), entry.path);
    paths.push(entry.path);
  }
  assertEquals(paths, [
    "'HLQ.SEQ.DATA'",
    "'HLQ.LIB'",
    "'HLQ.LIB(ALPHA)'",
    "'HLQ.LIB(BETA)'",
  ]);
});

const IBMI: Host = {
  home: "/home",
  listings: {
    "/QSYS.LIB/MY.LIB": [
      "PEP             36864 22.06.13 14:06:34 *FILE      ORDERS.FILE",
      "PEP                                     *MEM       ORDERS.FILE/A.MBR",
      "PEP                                     *MEM       ORDERS.FILE/B.MBR",
      "PEP             90112 22.06.13 14:06:34 *FILE      SAVED.SAVF",
    ],
    "/QSYS.LIB/MY.LIB/ORDERS.FILE": [
      "PEP             36864 22.06.13 14:06:34 *FILE",
      "PEP                                     *MEM       ORDERS.FILE/A.MBR",
      "PEP                                     *MEM       ORDERS.FILE/B.MBR",
    ],
  },
  files: {
    "/QSYS.LIB/MY.LIB/ORDERS.FILE/A.MBR": "member a",
    "/QSYS.LIB/MY.LIB/ORDERS.FILE/B.MBR": "member b",
    "/QSYS.LIB/MY.LIB/SAVED.SAVF": "saved",
  },
};

Deno.test("FTP.downloadDir brings each member of IBM i once, in its file", async () => {
  using folder = new LocalFolder();
  await using pair = await makePair(IBMI);
  const result = await pair.ftp.downloadDir(
    "/QSYS.LIB/MY.LIB",
    folder.at("lib"),
  );
  assertEquals(result.transferred, 3);
  assertEquals(readTree(folder.at("lib")), {
    "ORDERS.FILE/A.MBR": "member a",
    "ORDERS.FILE/B.MBR": "member b",
    "SAVED.SAVF": "saved",
  });
});

Deno.test("FTP.list gives members of IBM i with paths that RETR takes", async () => {
  await using pair = await makePair(IBMI);
  const decoder = new TextDecoder();
  for (const directory of Object.keys(IBMI.listings)) {
    const entries = await Array.fromAsync(pair.ftp.list(directory));
    const members = entries.filter(({ name }) => name.endsWith(".MBR"));
    assertEquals(members.map(({ name }) => name), ["A.MBR", "B.MBR"]);
    for (const { rawName } of members) {
      const path = `${directory}/${decoder.decode(rawName)}`;
      const text = await new Response(await pair.ftp.retrieve(path)).text();
      assertEquals(text, IBMI.files[path]);
    }
  }
});

const FILE = "-rw-r--r--   1 ann      staff         1 Jun  1  2024";

const UNIX: Host = {
  home: "/",
  listings: {
    "/pub": [
      "Welcome to the archive of Ann",
      "total 8",
      `${FILE} a`,
      `${FILE} b`,
      "-- that was all --",
    ],
    "/part": [`${FILE} a`, "ls: cannot access 'b': Permission denied"],
    "/odd": [`${FILE} a`, "what is this", `${FILE} b`],
  },
  files: {
    "/pub/a": "a",
    "/pub/b": "b",
    "/odd/a": "a",
    "/odd/b": "b",
    "/part/a": "a",
  },
};

Deno.test("FTP.downloadDir does not fail at an unreadable header or trailer", async () => {
  using folder = new LocalFolder();
  await using pair = await makePair(UNIX);
  writeTree(folder.at("pub"), { old: "old" });
  const result = await pair.ftp.downloadDir("/pub", folder.at("pub"), {
    delete: true,
  });
  assertEquals([result.transferred, result.removed], [2, 1]);
  assertEquals(readTree(folder.at("pub")), { a: "a", b: "b" });
});

Deno.test("FTP.downloadDir removes nothing if ls could not read an entry of the source", async () => {
  using folder = new LocalFolder();
  await using pair = await makePair(UNIX);
  writeTree(folder.at("part"), { b: "only here" });
  const error = await assertRejects(
    () => pair.ftp.downloadDir("/part", folder.at("part"), { delete: true }),
    FTPMirrorError,
  );
  assertStringIncludes(error.message, "ls: cannot access 'b'");
  assertEquals(readTree(folder.at("part")), { a: "a", b: "only here" });
});

Deno.test("FTP.list and FTP.walk tell of a header and a trailer", async () => {
  await using pair = await makePair(UNIX);
  const notes: string[] = [];
  const onUnknown = (line: string) => void notes.push(line);
  const expected = ["Welcome to the archive of Ann", "-- that was all --"];
  const listed = await Array.fromAsync(pair.ftp.list("/pub", { onUnknown }));
  assertEquals(listed.map(({ name }) => name), ["a", "b"]);
  assertEquals(notes.splice(0), expected);
  const walked = await Array.fromAsync(pair.ftp.walk("/pub", { onUnknown }));
  assertEquals(walked.map(({ name }) => name), ["a", "b"]);
  assertEquals(notes.splice(0), expected);
  const silent = await Array.fromAsync(pair.ftp.list("/pub"));
  assertEquals(silent.map(({ name }) => name), ["a", "b"]);
  const odd = await Array.fromAsync(pair.ftp.list("/odd"));
  assertEquals(odd.map(({ kind }) => kind), ["file", "unknown", "file"]);
});

Deno.test("FTP.downloadDir and walk ask for the spool files of a job of z/OS by job and number", async () => {
  await using pair = await makePair({
    home: "'IBMUSER.'",
    listings: {
      "JOB01906": [
        "JOBNAME  JOBID    OWNER    STATUS CLASS",
        "IBMUSER1 JOB01906 IBMUSER  OUTPUT A        RC=0000",
        "--------",
        "         ID  STEPNAME PROCSTEP C DDNAME   BYTE-COUNT",
        "         001 JES2     N/A      A JESMSGLG         5",
        "         104 STEP1    N/A      A SYSPRINT         3",
        "2 spool files",
      ],
    },
    files: { "JOB01906.1": "hello", "JOB01906.104": "yes" },
  });
  const { ftp } = pair;
  const options = {
    filter: ({ name }: { name: string }) => !/^JOB/.test(name),
  };
  using folder = new LocalFolder();
  await ftp.downloadDir("JOB01906", folder.path, { ...options, atomic: false });
  assertEquals(readTree(folder.path), { "001": "hello", "104": "yes" });
  const paths: string[] = [];
  for await (const { path } of ftp.walk("JOB01906")) paths.push(path);
  assertEquals(paths, ["JOB01906", "JOB01906.1", "JOB01906.104"]);
});
