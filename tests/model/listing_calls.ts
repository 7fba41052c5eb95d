/** Listings, by ftplib's methods and by paths, read completely or stopped. */

import { type FTP, FTPError } from "../../mod.ts";
import { type Draw, type Kind, spell, whatever } from "./call.ts";
import type { Listed } from "./model_tree.ts";
import type { Stop } from "./stop.ts";

/**
 * Reads a name in a line of `LIST`, `NLST` or `MLSD`; `undefined` if there is
 * none.
 */
function parseLine(verb: string, line: string): Listed | undefined {
  if (verb === "NLST") return named(line.split("/").at(-1)!);
  if (verb === "MLSD") {
    const [, facts, name] = /^(\S*;) (.*)$/.exec(line) ?? [];
    if (facts === undefined) return { name: `the line ${line}` };
    const type = /type=([^;]*)/i.exec(facts)?.[1]?.toLowerCase();
    if (type === "cdir" || type === "pdir") return undefined;
    const size = /size=(\d+)/i.exec(facts)?.[1];
    const isDirectory = type === "dir";
    return {
      name: name!,
      isDirectory,
      ...isDirectory ? {} : { size: Number(size) },
    };
  }
  if (/^total \d+$/.test(line)) return undefined;
  const words = line.split(/ +/);
  if (words.length !== 9) return { name: `the line ${line}` };
  const isDirectory = line.startsWith("d");
  const size = isDirectory ? undefined : Number(words[4]);
  const found = named(words[8]!);
  return found && { ...found, isDirectory, size };
}

function named(name: string): Listed | undefined {
  return name === "." || name === ".." ? undefined : { name };
}

function parseLines(verb: string, lines: readonly string[]): Listed[] {
  return lines.flatMap((line) => parseLine(verb, line) ?? []);
}

/** Returns the number of names after which a listing is stopped. */
function limitOf({ tree }: Draw, stop: Stop | undefined, path: string): number {
  if (stop === undefined) return Infinity;
  return Math.floor(stop.at * tree.filesIn(path).length);
}

/** Whether a server refused to list an empty directory, as some do. */
function isEmptyRefusal(error: unknown, { tree }: Draw, path: string): boolean {
  return error instanceof FTPError && path === "/empty" &&
    tree.filesIn(path).length === 0 &&
    [450, 550].includes(error.reply?.code ?? 0);
}

/** Finds errors in the lines of a listing. */
function problemInLines(
  draw: Draw,
  path: string,
  verb: string,
  lines: readonly string[],
  isPartial: boolean,
): string | undefined {
  return draw.tree.listingProblem(path, parseLines(verb, lines), { isPartial });
}

/** `list()`. */
export const list: Kind = (draw) => {
  const { random, tree, stop, server } = draw;
  const path = random.pick(tree.listed);
  const spelled = spell(draw, path);
  const command = random.pick<"LIST" | "MLSD" | undefined>([
    [3, undefined],
    [2, "LIST"],
    [1, server.features.mlsd ? "MLSD" : undefined],
  ]);
  const limit = limitOf(draw, stop, path);
  const way = stop?.choose(["break", "break", "signal inside", "signal"]);
  return {
    text: `list(${spelled}, ${command})${told(way, stop, limit)}`,
    level: "path",
    run: async (ftp) => {
      const found: Listed[] = [];
      const signal = way === "break" ? undefined : stop?.signal;
      if (way === "signal") stop!.arm();
      const options = { signal, command };
      const problemIn = (isPartial: boolean) =>
        tree.listingProblem(path, found, { isPartial });
      try {
        for await (
          const { name, isDirectory, size } of ftp.list(spelled, options)
        ) {
          found.push({
            name,
            isDirectory,
            size: isDirectory ? undefined : size,
          });
          if (found.length <= limit) continue;
          if (way === "break") return problemIn(true);
          if (way === "signal inside") stop!.abort();
        }
      } catch (error) {
        return problemIn(true) ?? rethrow(error);
      }
      return problemIn(false);
    },
  };
};

/** `mlsd()`. */
export const mlsd: Kind = (draw) => {
  const { random, tree, stop, server } = draw;
  if (!server.features.mlsd) return undefined;
  const path = random.pick(tree.listed);
  const spelled = spell(draw, path);
  const limit = limitOf(draw, stop, path);
  const way = stop?.choose(["break", "break", "signal inside", "signal"]);
  return {
    text: `mlsd(${spelled})${told(way, stop, limit)}`,
    level: "ftplib",
    run: async (ftp) => {
      const found: Listed[] = [];
      const problemIn = (isPartial: boolean) =>
        tree.listingProblem(path, found, { isPartial });
      if (way === "signal") stop!.arm();
      const signal = way === "break" ? undefined : stop?.signal;
      try {
        for await (const [name, facts] of ftp.mlsd(spelled, [], { signal })) {
          const type = facts.type?.toLowerCase();
          if (type === "cdir" || type === "pdir") continue;
          const isDirectory = type === "dir";
          const size = isDirectory ? undefined : Number(facts.size);
          found.push({ name, isDirectory, size });
          if (found.length <= limit) continue;
          if (way === "break") return problemIn(true);
          if (way === "signal inside") stop!.abort();
        }
      } catch (error) {
        return problemIn(true) ?? rethrow(error);
      }
      return problemIn(false);
    },
  };
};

/** `nlst()`, which returns the names at the end. */
export const nlst: Kind = (draw) => {
  const { random, tree, stop } = draw;
  const path = random.pick(tree.listed);
  const spelled = spell(draw, path);
  return {
    text: `nlst(${spelled})${told(stop && "signal", stop)}`,
    level: "ftplib",
    run: async (ftp) => {
      stop?.arm();
      try {
        const names = await ftp.nlst(spelled, { signal: stop?.signal });
        return problemInLines(draw, path, "NLST", names, false);
      } catch (error) {
        if (isEmptyRefusal(error, draw, path)) return undefined;
        throw error;
      }
    },
  };
};

/** `dir()` and `retrlines()` with a callback. */
export const lines: Kind = (draw) => {
  const { random, tree, stop, server } = draw;
  const path = random.pick(tree.listed);
  const spelled = spell(draw, path);
  const limit = limitOf(draw, stop, path);
  const verb = random.pick([
    [3, "LIST"],
    [2, "NLST"],
    [1, server.features.mlsd ? "MLSD" : "LIST"],
  ]);
  const isDir = verb === "LIST" && random.chance(0.5);
  const way = stop?.choose(["throw", "throw", "signal inside", "signal"]);
  return {
    text: isDir
      ? `dir(${spelled})${told(way, stop, limit)}`
      : `retrlines(${verb} ${spelled})${told(way, stop, limit)}`,
    level: "ftplib",
    run: async (ftp) => {
      const found: string[] = [];
      if (way === "signal") stop!.arm();
      const signal = way === "throw" ? undefined : stop?.signal;
      const take = (line: string) => {
        found.push(line);
        if (found.length <= limit) return;
        if (way === "throw") throw stop!.reason;
        if (way === "signal inside") stop!.abort();
      };
      try {
        if (isDir) await ftp.dir(spelled, take, { signal });
        else await ftp.retrlines(`${verb} ${spelled}`, take, { signal });
      } catch (error) {
        if (isEmptyRefusal(error, draw, path)) return undefined;
        return problemInLines(draw, path, verb, found, true) ?? rethrow(error);
      }
      return problemInLines(draw, path, verb, found, false);
    },
  };
};

/** A listing by `ntransfercmd()` and `voidresp()`. */
export const listingByHand: Kind = (draw) => {
  const { random, tree, stop, server } = draw;
  const path = random.pick(tree.listed);
  const spelled = spell(draw, path);
  const verb = random.pick([
    [2, "LIST"],
    [1, "NLST"],
    [1, server.features.mlsd ? "MLSD" : "LIST"],
  ]);
  const limit = stop === undefined
    ? Infinity
    : Math.floor(stop.at * tree.filesIn(path).length * 80);
  const way = stop?.choose(["close", "abort", "signal"]);
  return {
    text: `ntransfercmd(${verb} ${spelled})${told(way, stop, limit)}`,
    level: "ftplib",
    run: async (ftp) => {
      let text: string;
      try {
        text = await readByHand(ftp, `${verb} ${spelled}`, {
          stop,
          way,
          limit,
        });
      } catch (error) {
        if (isEmptyRefusal(error, draw, path)) return undefined;
        throw error;
      }
      const found = text.split(/\r?\n/);
      const isCut = stop !== undefined;
      found.pop(); // the rest of a line that was cut, or nothing
      return problemInLines(draw, path, verb, found, isCut);
    },
  };
};

/** How a transfer by hand ends. */
interface ByHand {
  stop: Stop | undefined;
  way: "close" | "abort" | "signal" | undefined;
  limit: number;
}

async function readByHand(
  ftp: FTP,
  cmd: string,
  { stop, way, limit }: ByHand,
): Promise<string> {
  const chunks = await readChunks(ftp, cmd, { stop, way, limit });
  return await new Blob(chunks).text();
}

/** Reads a data connection; returns all received bytes, however it ends. */
export async function readChunks(
  ftp: FTP,
  cmd: string,
  { stop, way, limit }: ByHand,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const signal = way === "signal" ? stop!.signal : undefined;
  if (way === "signal") stop!.arm();
  const [conn] = await ftp.ntransfercmd(cmd, undefined, { signal });
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    while (length < limit) {
      const buffer = new Uint8Array(Math.min(32_768, limit - length));
      const n = await conn.read(buffer);
      if (n === null) break;
      chunks.push(buffer.subarray(0, n));
      length += n;
    }
    if (stop === undefined) {
      conn.close();
      await ftp.voidresp();
      return chunks;
    }
  } catch (error) {
    if (stop === undefined) {
      conn.close();
      await whatever(ftp.voidresp());
      throw error;
    }
  }
  if (way === "abort") return await ftp.abort().then(() => chunks);
  conn.close();
  await whatever(ftp.voidresp());
  return chunks;
}

/** `walk()` over the files that change. */
export const walk: Kind = (draw) => {
  const { tree, stop } = draw;
  const paths = [
    ...tree.filesIn("/w", { isDeep: true }).map(({ path }) => path),
    ...tree.directoriesIn("/w"),
  ];
  const limit = stop === undefined
    ? Infinity
    : Math.floor(stop.at * paths.length);
  const way = stop?.choose(["break", "signal inside", "signal"]);
  return {
    text: `walk(/w)${told(way, stop, limit)}`,
    level: "path",
    run: async (ftp) => {
      const byDirectory = new Map<string, Listed[]>();
      let count = 0;
      const problemIn = (isPartial: boolean) => {
        const directories = isPartial
          ? [...byDirectory.keys()]
          : ["/w", ...tree.directoriesIn("/w")];
        const problems = directories.flatMap((path) =>
          tree.listingProblem(path, byDirectory.get(path) ?? [], {
            isPartial,
          }) ??
            []
        );
        return problems.length > 0 ? problems.join("; ") : undefined;
      };
      if (way === "signal") stop!.arm();
      const signal = way === "break" ? undefined : stop?.signal;
      try {
        for await (const entry of ftp.walk("/w", { signal })) {
          const { path, name, isDirectory } = entry;
          const parent = path.slice(0, path.lastIndexOf("/"));
          const listed = byDirectory.get(parent) ?? [];
          byDirectory.set(parent, listed);
          const size = isDirectory ? undefined : entry.size;
          listed.push({ name, isDirectory, size });
          if (++count <= limit) continue;
          if (way === "break") return problemIn(true);
          if (way === "signal inside") stop!.abort();
        }
      } catch (error) {
        return problemIn(true) ?? rethrow(error);
      }
      return problemIn(false);
    },
  };
};

/** `STAT` of a directory: a listing on the control connection. */
export const statDirectory: Kind = (draw) => {
  const { random, tree, stop } = draw;
  const path = random.pick(tree.listed.filter(([, path]) => path !== "/empty"));
  return {
    text: `sendcmd(STAT ${path})${told(stop && "signal", stop)}`,
    level: "ftplib",
    run: async (ftp) => {
      stop?.arm();
      const { signal } = stop ?? {};
      const reply = await ftp.sendcmd(`STAT ${path}`, { signal });
      if (![211, 212, 213].includes(reply.code)) return `the reply ${reply}`;
      const listed = reply.lines.slice(1, -1).map((line) =>
        line.replace(/^ *(?:21\d-)?(?=[-dl])/, "")
      ).filter((line) => /^[-dl]r/.test(line));
      return problemInLines(draw, path, "LIST", listed, false);
    },
  };
};

/** How a call was stopped, for a report. */
export function told(
  way: string | undefined,
  stop: Stop | undefined,
  limit?: number,
): string {
  if (way === undefined || stop === undefined) return "";
  return way === "signal"
    ? `, ${way} ${stop.moment}`
    : `, ${way}${limit === undefined ? "" : ` after ${limit}`}`;
}

/** For the end of an expression. */
export function rethrow(error: unknown): never {
  throw error;
}

/** All of them. */
export const LISTING_CALLS: readonly (readonly [number, Kind])[] = [
  [8, list],
  [5, mlsd],
  [5, nlst],
  [6, lines],
  [5, listingByHand],
  [2, walk],
  [3, statDirectory],
];
