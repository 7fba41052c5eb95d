/**
 * A scripted server that keeps data sets as z/OS does.
 *
 * @module
 */

import type { Turn } from "./scripted/mod.ts";
import { Pair, UNKNOWN } from "./scripted_listings.ts";

const DATA_SETS =
  "Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname";
const MEMBERS =
  " Name     VV.MM   Created       Changed      Size  Init   Mod   Id";

const PART = "[A-Z$#@][A-Z0-9$#@-]{0,7}";
const PATH_REGEXP = new RegExp(
  `^'?(${PART}(?:\\.${PART})*\\.?)(?:\\(([A-Z$#@][A-Z0-9$#@]{0,7})\\))?'?$`,
);

/** The data sets: texts, and the members of those that are partitioned. */
export type DataSets = Map<string, string | Map<string, string>>;

/** Receives an upload, and confirms it. */
export async function receive(turn: Turn): Promise<Uint8Array> {
  await turn.reply(125, "Storing data set");
  const data = await turn.openData();
  const bytes = await data.readAll();
  data.close();
  await data.closed;
  await turn.reply(250, "Transfer completed successfully.");
  return bytes;
}

/** A client on a server with data sets, whose directory is `'IBMUSER.'`. */
export async function makeDataSets(
  sets: DataSets,
  { hasLists = true } = {},
): Promise<Pair> {
  const pair = await Pair.make();
  const { server } = pair;
  const directories = new WeakMap<object, string>();
  const directoryOf = ({ session }: Turn) =>
    directories.get(session) ?? "IBMUSER.";

  /**
   * Returns the data set and the member of an argument; `undefined` if there is
   * none.
   */
  function find(
    turn: Turn,
  ): [name: string, member: string | undefined] | undefined {
    const directory = directoryOf(turn);
    const text = turn.argument.toUpperCase(); // as z/OS reads any name
    const library = sets.get(directory) instanceof Map;
    const isWhole = text.startsWith("'");
    if (!isWhole && library && /^[A-Z$#@][A-Z0-9$#@]{0,7}$/.test(text)) {
      return [directory, text];
    }
    const match = PATH_REGEXP.exec(isWhole ? text : directory + text);
    return match === null ? undefined : [match[1]!, match[2]];
  }

  for (const verb of ["MLSD", "MLST", "SIZE", "MDTM", "FEAT", "MFMT", "SITE"]) {
    server.on(verb, UNKNOWN);
  }
  server
    .on("SYST", "215 MVS is the operating system of this server.")
    .on("PWD", (turn) => {
      const directory = directoryOf(turn);
      const what = sets.get(directory) instanceof Map
        ? "partitioned data set is working directory"
        : "is working directory";
      return turn.reply(257, `"'${directory}'" ${what}.`);
    })
    .on("CWD", async (turn) => {
      const [name, member] = find(turn) ?? [];
      if (name === undefined || member !== undefined) {
        return await turn.reply(550, "Invalid directory name");
      }
      const bare = name.replace(/\.$/, "");
      const isLibrary = !name.endsWith(".") && sets.get(bare) instanceof Map;
      const directory = isLibrary ? bare : `${bare}.`;
      directories.set(turn.session, directory);
      await turn.reply(
        250,
        isLibrary
          ? `The working directory "${bare}" is a partitioned data set`
          : `"${directory}" is the working directory name prefix.`,
      );
    })
    .on("MKD", async (turn) => {
      const [name, member] = find(turn) ?? [];
      if (name === undefined || member !== undefined || name.endsWith(".")) {
        return await turn.reply(501, "Invalid data set name");
      }
      sets.set(name, new Map());
      await turn.reply(257, `"'${name}'" created.`);
    })
    .on("STOR", async (turn) => {
      const [name, member] = find(turn) ?? [];
      const library = sets.get(name ?? "");
      const isWrong = name === undefined || name.endsWith(".") ||
        (member !== undefined) !== library instanceof Map;
      if (isWrong) {
        return await turn.reply(
          501,
          `Invalid data set name "${turn.argument}"`,
        );
      }
      const text = new TextDecoder().decode(await receive(turn));
      if (library instanceof Map) library.set(member!, text);
      else sets.set(name, text);
    })
    .on("DELE", async (turn) => {
      const [name, member] = find(turn) ?? [];
      const library = sets.get(name ?? "");
      const isDone = library instanceof Map && member !== undefined
        ? library.delete(member)
        : typeof library === "string" && sets.delete(name!);
      await turn.reply(isDone ? 250 : 550, isDone ? "Deleted" : "Not found");
    })
    .on("NLST", async (turn) => {
      const [asked] = turn.argument === "" ? [] : find(turn) ?? [];
      const names = [...sets.keys()].filter((name) =>
        asked === undefined
          ? name.startsWith(directoryOf(turn))
          : name === asked
      );
      if (names.length === 0) await turn.reply(550, "No data sets found.");
      else await turn.send(names.map((name) => `'${name}'\r\n`).join(""));
    })
    .on("LIST", async (turn) => {
      if (turn.argument !== "") return await turn.reply(501, "No flags.");
      const directory = directoryOf(turn);
      const library = sets.get(directory);
      const lines = !hasLists
        ? []
        : library instanceof Map
        ? [...library.keys()].map((name) =>
          ` ${
            name.padEnd(8)
          }  01.03 2002/09/12 2002/10/11 09:37    11    11     0 KIL001`
        )
        : [...sets].filter(([name]) => name.startsWith(directory))
          .map(([name, content]) =>
            `WYOSPT 3420   2003/05/21  1  200  FB      80  8053  ${
              typeof content === "string" ? "PS" : "PO"
            }  ${name.slice(directory.length)}`
          );
      if (lines.length === 0) {
        return await turn.reply(550, "No members found.");
      }
      lines.unshift(library instanceof Map ? MEMBERS : DATA_SETS);
      await turn.send(lines.map((line) => `${line}\r\n`).join(""));
    });
  return pair;
}
