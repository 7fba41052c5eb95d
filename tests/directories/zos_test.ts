import { assertEquals, assertRejects } from "@std/assert";
import { FTPPermanentError } from "../../mod.ts";
import { Pair, UNKNOWN } from "../testing/scripted_listings.ts";

/** The data sets: a sequential one, and a partitioned one with a member. */
const DATA_SETS = ["IBMUSER.SEQ", "IBMUSER.JCL"];

/** A server that answers like z/OS: `CWD` accepts any name of a data set. */
async function makePair(): Promise<Pair> {
  const pair = await Pair.make();
  const { server } = pair;
  const sets = new Set(DATA_SETS);
  let directory = "IBMUSER.";
  const nameOf = (argument: string) =>
    argument.startsWith("'")
      ? argument.replaceAll("'", "")
      : directory + argument;
  for (const verb of ["MLSD", "MLST", "SIZE", "MDTM"]) server.on(verb, UNKNOWN);
  server
    .on(
      "PWD",
      (turn) => turn.reply(257, `"'${directory}'" is working directory.`),
    )
    .on("CWD", async (turn) => {
      const name = nameOf(turn.argument).replace(/\.$/, "");
      const isPartitioned = name.endsWith(".JCL") && sets.has(name);
      directory = isPartitioned ? name : `${name}.`;
      await turn.reply(
        250,
        isPartitioned
          ? `The working directory "${name}" is a partitioned data set`
          : `"${directory}" is the working directory name prefix.`,
      );
    })
    .on("MKD", async (turn) => {
      const name = nameOf(turn.argument);
      sets.add(name);
      await turn.reply(257, `"'${name}'" created.`);
    })
    .on("NLST", async (turn) => {
      const asked = turn.argument === "" ? undefined : nameOf(turn.argument);
      const names = [...sets].filter((name) =>
        asked === undefined ? name.startsWith(directory) : name === asked
      );
      if (names.length === 0) await turn.reply(550, "No data sets found.");
      else await turn.send(names.map((name) => `'${name}'\r\n`).join(""));
    })
    .on("LIST", async (turn) => {
      await turn.reply(550, "No data sets found.");
    });
  return pair;
}

Deno.test("FTP.exists is not misled by z/OS, where CWD works for any name", async () => {
  await using pair = await makePair();
  const { ftp } = pair;
  const names = ["'IBMUSER.SEQ'", "SEQ", "'IBMUSER.JCL'", "'IBMUSER'"];
  for (const name of names) assertEquals(await ftp.exists(name), true, name);
  for (const name of ["'IBMUSER.NOPE'", "NOPE", "'NOBODY'"]) {
    assertEquals(await ftp.exists(name), false, name);
  }
  assertEquals(await ftp.pwd(), "'IBMUSER.'");
});

Deno.test("FTP.stat tells the data sets of z/OS apart", async () => {
  await using pair = await makePair();
  const { ftp } = pair;
  assertEquals((await ftp.stat("'IBMUSER.SEQ'")).isFile, true);
  assertEquals((await ftp.stat("'IBMUSER.JCL'")).isDirectory, true);
  assertEquals((await ftp.stat("'IBMUSER'")).isDirectory, true);
  await assertRejects(
    () => ftp.stat("'IBMUSER.NOPE'"),
    FTPPermanentError,
    "550 No data sets found.",
  );
});

Deno.test("FTP.ensureDir makes a partitioned data set of z/OS, and only once", async () => {
  await using pair = await makePair();
  const { ftp, server } = pair;
  await ftp.ensureDir("'IBMUSER.NEW.JCL'");
  await ftp.ensureDir("'IBMUSER.NEW.JCL'");
  assertEquals(server.verbs.filter((verb) => verb === "MKD").length, 1);
});
