import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTPMirrorError, type UploadDirOptions } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { type DataSets, makeDataSets, receive } from "../testing/zos_server.ts";
import { writeTree } from "./tree.ts";

const OPTIONS: UploadDirOptions = { atomic: false };

/** The commands that change something, without their verbs' order. */
function changesOf(commands: readonly string[]): string[] {
  return commands.filter((line) => /^(STOR|MKD|DELE|RMD|RNFR|RNTO)/.test(line))
    .sort();
}

function library(...names: string[]): Map<string, string> {
  return new Map(names.map((name) => [name, `old ${name}`]));
}

for (const connections of [1, 3]) {
  for (const members of [[], ["BETA", "OLD"]]) {
    const state = members.length === 0 ? "an empty" : "a filled";
    Deno.test(`FTP.uploadDir stores members of ${state} data set of z/OS, over ${connections}`, async () => {
      using folder = new LocalFolder();
      const sets: DataSets = new Map([["HLQ.LIB", library(...members)]]);
      await using pair = await makeDataSets(sets);
      writeTree(folder.at("lib"), { ALPHA: "a", BETA: "b", "$X1": "x" });
      const result = await pair.ftp.uploadDir(folder.at("lib"), "'HLQ.LIB'", {
        ...OPTIONS,
        connections,
      });
      assertEquals([result.transferred, result.removed], [3, 0]);
      assertEquals(changesOf(pair.server.commands), [
        "STOR 'HLQ.LIB($X1)'",
        "STOR 'HLQ.LIB(ALPHA)'",
        "STOR 'HLQ.LIB(BETA)'",
      ]);
      const now = Object.fromEntries(
        sets.get("HLQ.LIB") as Map<string, string>,
      );
      const kept = members.length === 0 ? {} : { OLD: "old OLD" };
      assertEquals(now, { ...kept, ALPHA: "a", BETA: "b", "$X1": "x" });
      assertEquals(await pair.ftp.pwd(), "'IBMUSER.'");
    });
  }

  Deno.test(`FTP.uploadDir stores data sets of z/OS by their first qualifiers, over ${connections}`, async () => {
    for (const root of ["'HLQ'", "'HLQ.'"]) {
      using folder = new LocalFolder();
      const sets: DataSets = new Map<string, string | Map<string, string>>([
        ["HLQ.OLD", "old"],
        ["HLQ.LIB", library("BETA")],
      ]);
      await using pair = await makeDataSets(sets);
      writeTree(folder.at("all"), {
        "SEQ.DATA": "data set",
        "LIB/ALPHA": "a",
        "NEW.LIB/GAMMA": "g",
      });
      await pair.ftp.uploadDir(folder.at("all"), root, {
        ...OPTIONS,
        connections,
      });
      assertEquals(changesOf(pair.server.commands), [
        "MKD 'HLQ.NEW.LIB'",
        "STOR 'HLQ.LIB(ALPHA)'",
        "STOR 'HLQ.NEW.LIB(GAMMA)'",
        "STOR 'HLQ.SEQ.DATA'",
      ], root);
      assertEquals(sets.get("HLQ.SEQ.DATA"), "data set");
      assertEquals(sets.get("HLQ.NEW.LIB"), new Map([["GAMMA", "g"]]));
    }
  });
}

Deno.test("FTP.uploadDir makes a partitioned data set of z/OS that is missing", async () => {
  using folder = new LocalFolder();
  const sets: DataSets = new Map();
  await using pair = await makeDataSets(sets);
  writeTree(folder.at("lib"), { ALPHA: "a" });
  await pair.ftp.uploadDir(folder.at("lib"), "'HLQ.NEW'", OPTIONS);
  assertEquals(sets, new Map([["HLQ.NEW", new Map([["ALPHA", "a"]])]]));
});

Deno.test("FTP.uploadDir needs no data set below the qualifiers of z/OS", async () => {
  using folder = new LocalFolder();
  const sets: DataSets = new Map();
  await using pair = await makeDataSets(sets);
  writeTree(folder.at("all"), { SEQ: "s", "LIB/ALPHA": "a" });
  await pair.ftp.uploadDir(folder.at("all"), "'HLQ.NEW.'", OPTIONS);
  assertEquals(
    sets,
    new Map<string, unknown>([
      ["HLQ.NEW.LIB", new Map([["ALPHA", "a"]])],
      ["HLQ.NEW.SEQ", "s"],
    ]) as DataSets,
  );
});

Deno.test("FTP.uploadDir stores members below the current directory of z/OS", async () => {
  for (const root of ["LIB", "", "."]) {
    using folder = new LocalFolder();
    const sets: DataSets = new Map([["IBMUSER.LIB", library()]]);
    await using pair = await makeDataSets(sets);
    if (root !== "LIB") await pair.ftp.cwd("LIB");
    writeTree(folder.at("lib"), { ALPHA: "a" });
    await pair.ftp.uploadDir(folder.at("lib"), root, OPTIONS);
    assertEquals(sets.get("IBMUSER.LIB"), new Map([["ALPHA", "a"]]), root);
  }
});

Deno.test("FTP.uploadDir removes the extraneous members of a data set of z/OS, and no others", async () => {
  using folder = new LocalFolder();
  const sets: DataSets = new Map([["HLQ.LIB", library("BETA", "OLD")]]);
  await using pair = await makeDataSets(sets);
  writeTree(folder.at("lib"), { ALPHA: "a", BETA: "b" });
  const run = () =>
    pair.ftp.uploadDir(folder.at("lib"), "'HLQ.LIB'", {
      ...OPTIONS,
      delete: true,
    });
  assertEquals((await run()).removed, 1);
  const expected = new Map([["BETA", "b"], ["ALPHA", "a"]]);
  assertEquals(sets.get("HLQ.LIB"), expected);
  assertEquals((await run()).removed, 0);
  assertEquals(sets.get("HLQ.LIB"), expected);
});

/** A root, what cannot be stored there, and why. */
const UNNAMED: readonly (readonly [
  root: string,
  tree: Readonly<Record<string, string>>,
  reason: string,
])[] = [
  ["'HLQ.LIB'", { NINELONGX: "" }, "1 to 8 characters"],
  ["'HLQ.LIB'", { "A.TXT": "" }, "1 to 8 characters"],
  ["'HLQ.LIB'", { alpha: "" }, "capital letters"],
  ["'HLQ.LIB'", { "1ST": "" }, "no digit first"],
  ["'HLQ.LIB'", { "A-B": "" }, "1 to 8 characters"],
  ["'HLQ.LIB'", { "SUB/ALPHA": "" }, "has no directories"],
  ["'HLQ.EMPTY'", { "SUB/ALPHA": "" }, "has no directories"],
  ["'HLQ'", { "NINELONGX": "" }, "1 to 8 characters"],
  ["'HLQ'", { "A.NINELONGX.B": "" }, "1 to 8 characters"],
  ["'HLQ'", { "A..B": "" }, "1 to 8 characters"],
  ["'HLQ'", { "a": "" }, "capital letters"],
  ["'HLQ'", { [Array(6).fill("LONGPART").join(".")]: "" }, "44 characters"],
];

for (const [root, tree, reason] of UNNAMED) {
  const name = Object.keys(tree)[0]!.split("/")[0]!;
  Deno.test(`FTP.uploadDir sends nothing to ${root} if "${name}" cannot be named there`, async () => {
    using folder = new LocalFolder();
    const sets: DataSets = new Map<string, Map<string, string>>([
      ["HLQ.LIB", library("OLD")],
      ["HLQ.EMPTY", library()],
    ]);
    await using pair = await makeDataSets(sets);
    writeTree(folder.at("lib"), { AAA: "a", ...tree, ZZZ: "z" });
    const error = await assertRejects(
      () => pair.ftp.uploadDir(folder.at("lib"), root, OPTIONS),
      FTPMirrorError,
    );
    const { message } = error.failures[0]!.error as Error;
    assert(message.includes(reason) && message.includes(`"${name}"`), message);
    assertEquals(changesOf(pair.server.commands), []);
    // what is left out is no matter
    const filter = (entry: { path: string }) =>
      entry.path === "AAA" || entry.path === "ZZZ";
    const options = { ...OPTIONS, filter };
    const { transferred } = await pair.ftp.uploadDir(
      folder.at("lib"),
      root,
      options,
    );
    assertEquals(transferred, 2);
  });
}

Deno.test("FTP.uploadDir sends nothing to directories below two levels of z/OS", async () => {
  using folder = new LocalFolder();
  const sets: DataSets = new Map();
  await using pair = await makeDataSets(sets);
  writeTree(folder.at("all"), { "LIB/SUB/ALPHA": "a", "LIB/BETA": "b" });
  const error = await assertRejects(
    () => pair.ftp.uploadDir(folder.at("all"), "'HLQ.'", OPTIONS),
    FTPMirrorError,
  );
  const { message } = error.failures[0]!.error as Error;
  assertEquals(
    message,
    `Cannot store "SUB" in "'HLQ.LIB'": a partitioned data set has no directories; rename it, or omit it with "filter"`,
  );
  assertEquals(sets.get("HLQ.LIB"), new Map());
});

Deno.test("FTP.uploadDir to z/OS says before it sends anything that names cannot be temporary", async () => {
  for (const root of ["'HLQ.LIB'", "'HLQ.'", "LIB"]) {
    using folder = new LocalFolder();
    const sets: DataSets = new Map([
      ["HLQ.LIB", library("OLD")],
      ["IBMUSER.LIB", library()],
    ]);
    await using pair = await makeDataSets(sets);
    writeTree(folder.at("lib"), { ALPHA: "a" });
    const error = await assertRejects(
      () => pair.ftp.uploadDir(folder.at("lib"), root),
      Deno.errors.NotSupported,
    );
    assert(error.message.endsWith("use { atomic: false }"), error.message);
    assertEquals(changesOf(pair.server.commands), []);
  }
});

Deno.test("FTP.uploadDir takes a directory with quotes on Unix for what it is", async () => {
  using folder = new LocalFolder();
  await using pair = await makeDataSets(new Map());
  const { server } = pair;
  const names: string[] = [];
  for (const verb of ["CWD", "MKD"]) server.on(verb, "250 Done");
  server.on("SYST", "215 UNIX Type: L8")
    .on("PWD", '257 "/" is it')
    .on("LIST", (turn) => turn.send(""))
    .on("STOR", async (turn) => {
      names.push(turn.argument);
      await receive(turn);
    });
  writeTree(folder.at("lib"), { "a.txt": "a" });
  await pair.ftp.uploadDir(folder.at("lib"), "'quoted'", OPTIONS);
  assertEquals(names, ["'quoted'/a.txt"]);
});
