/**
 * Calls that change something: uploads, renames, removals, directories, times.
 */

import type { Random } from "../faults/random.ts";
import { type Call, type Draw, type Kind, spell, whatever } from "./call.ts";
import type { Content } from "./content.ts";
import { told } from "./listing_calls.ts";
import { type Doubt, type ModelTree, parentOf } from "./model_tree.ts";
import type { Stop } from "./stop.ts";

/** Bytes of a source's chunk. */
const CHUNK = 10_000;

/** Returns a content in pieces, and stops in between if required. */
async function* chunksOf(
  { bytes }: Content,
  stop: Stop | undefined,
  isThrowing: boolean,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const limit = Math.floor((stop?.at ?? 1) * bytes.length);
  for (let at = 0; at < bytes.length; at += CHUNK) {
    if (stop !== undefined && at >= limit) {
      if (isThrowing) throw stop.reason;
      stop.abort();
    }
    yield bytes.subarray(at, at + CHUNK);
    await Promise.resolve();
  }
  if (stop === undefined) return;
  if (isThrowing) throw stop.reason;
  stop.abort();
}

/** Possible contents of the target of an unconfirmed write. */
function doubtOf(
  { tree }: Draw,
  path: string,
  content: Content,
  isPartial: boolean,
): Doubt {
  const old = tree.fileAt(path)?.content;
  return {
    path,
    allowed: old === undefined ? [content] : [old, content],
    isPartial,
    // Pure-FTPd writes beside the target by itself, and may leave none.
    mayBeGone: old === undefined || isPartial,
  };
}

function write(
  draw: Draw,
  { text, level, isPartial, isText = false, run }: {
    text: (path: string) => string;
    level: Call["level"];
    isPartial: boolean;
    isText?: boolean;
    run: (
      ftp: Parameters<Call["run"]>[0],
      path: string,
      content: Content,
    ) => Promise<unknown>;
  },
): Call {
  const { tree, random } = draw;
  const path = tree.pickTarget(random);
  const content = tree.newContent(random, { isText });
  const spelled = spell(draw, path);
  return {
    text: `${text(spelled)} with content ${content.serial}`,
    level,
    run: async (ftp) => {
      await run(ftp, spelled, content);
      const isChecked = draw.stop === undefined;
      return isChecked ? tree.differenceOnDisk(path, content) : undefined;
    },
    doubts: [doubtOf(draw, path, content, isPartial)],
    apply: () => tree.set(path, content),
  };
}

/** Makes an upload from pieces of a content. */
function storeFrom(
  draw: Draw,
  { title, send, ...options }: {
    title: (path: string) => string;
    level: Call["level"];
    isText?: boolean;
    send: (
      ftp: Parameters<Call["run"]>[0],
      path: string,
      source: ReturnType<typeof chunksOf>,
      options: { signal: AbortSignal | undefined },
    ) => Promise<unknown>;
  },
): Call {
  const { stop } = draw;
  const way = stop?.choose(["throw", "signal inside", "signal"]);
  return write(draw, {
    ...options,
    text: (path) => `${title(path)}${told(way, stop, stop?.at)}`,
    isPartial: true,
    run: async (ftp, path, content) => {
      const inside = way === "signal" ? undefined : stop;
      if (way === "signal") stop!.arm();
      const source = chunksOf(content, inside, way === "throw");
      await send(ftp, path, source, { signal: stop?.signal });
    },
  });
}

/** `storbinary()`. */
export const storbinary: Kind = (draw) =>
  storeFrom(draw, {
    title: (path) => `storbinary(STOR ${path})`,
    level: "ftplib",
    send: (ftp, path, source, options) =>
      ftp.storbinary(`STOR ${path}`, source, options),
  });

/** `storlines()`. */
export const storlines: Kind = (draw) =>
  storeFrom(draw, {
    title: (path) => `storlines(STOR ${path})`,
    level: "ftplib",
    isText: true,
    send: (ftp, path, source, options) =>
      ftp.storlines(`STOR ${path}`, source, undefined, options),
  });

/** `store()`. */
export const store: Kind = (draw) =>
  storeFrom(draw, {
    title: (path) => `store(${path})`,
    level: "path",
    send: (ftp, path, source, options) => ftp.store(path, source, options),
  });

/** `upload()`. */
export const upload: Kind = (draw) => {
  const { stop, folder } = draw;
  const way = stop?.choose(["signal inside", "signal"]);
  return write(draw, {
    text: (path) => `upload(${path})${told(way, stop, stop?.at)}`,
    level: "path",
    isPartial: false,
    run: async (ftp, path, content) => {
      const local = folder.at("uploaded");
      await Deno.writeFile(local, content.bytes);
      if (way === "signal") stop!.arm();
      const limit = (stop?.at ?? 0) * content.bytes.length;
      const onProgress = ({ transferred }: { transferred: number }) => {
        if (way === "signal inside" && transferred >= limit) stop!.abort();
      };
      const { signal } = stop ?? {};
      await ftp.upload(local, path, { signal, onProgress });
    },
  });
};

/** An upload by `ntransfercmd()` and `voidresp()`. */
export const storeByHand: Kind = (draw) => {
  const { stop } = draw;
  const way = stop?.choose(["abort", "close", "signal"]);
  return write(draw, {
    text: (path) => `ntransfercmd(STOR ${path})${told(way, stop, stop?.at)}`,
    level: "ftplib",
    isPartial: true,
    run: async (ftp, path, { bytes }) => {
      await ftp.voidcmd("TYPE I");
      if (way === "signal") stop!.arm();
      const { signal } = stop ?? {};
      const [conn] = await ftp.ntransfercmd(`STOR ${path}`, undefined, {
        signal,
      });
      const limit = Math.floor((stop?.at ?? 1) * bytes.length);
      try {
        for (let at = 0; at < limit;) {
          at += await conn.write(
            bytes.subarray(at, Math.min(limit, at + CHUNK)),
          );
        }
      } catch (error) {
        if (stop === undefined) {
          conn.close();
          await whatever(ftp.voidresp());
          throw error;
        }
      }
      if (way === "abort") return await ftp.abort();
      conn.close();
      if (stop === undefined) await ftp.voidresp();
      else await whatever(ftp.voidresp());
    },
  });
};

/** `rename()`, over another file or to a new name. */
export const rename: Kind = (draw) => {
  const { tree, random, stop } = draw;
  const from = tree.pickFile(random);
  const to = tree.pickTarget(random);
  if (to === from.path || tree.filesIn(parentOf(from.path)).length < 3) {
    return undefined;
  }
  const content = from.content!;
  const [old, next] = [spell(draw, from.path), spell(draw, to)];
  return {
    text: `rename(${old}, ${next})${told(stop && "signal", stop)}`,
    level: "ftplib",
    run: async (ftp) => {
      stop?.arm();
      await ftp.rename(old, next, { signal: stop?.signal });
      if (stop !== undefined) return undefined;
      return tree.differenceOnDisk(to, content);
    },
    doubts: [
      { path: from.path, allowed: [content], mayBeGone: true },
      doubtOf(draw, to, content, false),
    ],
    apply: () => {
      tree.remove(from.path);
      tree.set(to, content, from.mtime);
    },
  };
};

/** `delete()` and `remove()` of a file. */
export const removeFile: Kind = (draw) => {
  const { tree, random, stop } = draw;
  const { path, content } = tree.pickFile(random);
  if (tree.filesIn(parentOf(path)).length < 4) return undefined;
  const spelled = spell(draw, path);
  const isPath = random.chance(0.5);
  return {
    text: `${isPath ? "remove" : "delete"}(${spelled})${
      told(stop && "signal", stop)
    }`,
    level: isPath ? "path" : "ftplib",
    run: async (ftp) => {
      stop?.arm();
      const { signal } = stop ?? {};
      if (isPath) await ftp.remove(spelled, { signal });
      else await ftp.delete(spelled, { signal });
      return undefined;
    },
    doubts: [{ path, allowed: [content!], mayBeGone: true }],
    apply: () => tree.remove(path),
  };
};

/** Returns a directory that an earlier call created. */
function pickMade(tree: ModelTree, random: Random): string | undefined {
  const made = tree.directoriesIn("/w").filter((path) =>
    !tree.changed.includes(path) && path !== tree.directory
  );
  return made[random.between(0, made.length - 1)];
}

/** `mkd()` and `ensureDir()`. */
export const makeDirectory: Kind = (draw) => {
  const { tree, random, stop } = draw;
  if (tree.directoriesIn("/w").length > 8) return removeDirectory(draw);
  const parent = random.pick(tree.changed.map((path) => [1, path] as const));
  const path = tree.newPath(parent);
  const isPath = random.chance(0.5);
  return {
    text: `${isPath ? "ensureDir" : "mkd"}(${path})${
      told(stop && "signal", stop)
    }`,
    level: isPath ? "path" : "ftplib",
    run: async (ftp) => {
      stop?.arm();
      const { signal } = stop ?? {};
      if (isPath) {
        await ftp.ensureDir(path, { signal });
        return undefined;
      }
      const made = await ftp.mkd(path, { signal });
      return made === path ? undefined : `the path ${made}`;
    },
    doubts: [{ path, allowed: [], mayBeGone: true }],
    apply: () => tree.addDirectory(path),
  };
};

/** `rmd()` and `remove()` of a directory. */
export const removeDirectory: Kind = (draw) => {
  const { tree, random, stop } = draw;
  const path = pickMade(tree, random);
  if (path === undefined) return undefined;
  const isPath = random.chance(0.5);
  return {
    text: `${isPath ? "remove recursive" : "rmd"}(${path})${
      told(stop && "signal", stop)
    }`,
    level: isPath ? "path" : "ftplib",
    run: async (ftp) => {
      stop?.arm();
      const { signal } = stop ?? {};
      if (isPath) await ftp.remove(path, { recursive: true, signal });
      else await ftp.rmd(path, { signal });
      return undefined;
    },
    doubts: [{ path, allowed: [], mayBeGone: true }],
    apply: () => tree.remove(path),
  };
};

/** `cwd()`. */
export const cwd: Kind = (draw) => {
  const { tree, random, stop } = draw;
  const path = random.pick([
    [2, "/"],
    [1, "/big"],
    [1, "/large"],
    ...tree.changed.map((path) => [1, path] as const),
  ]);
  const isUp = tree.directory !== "/" && random.chance(0.2);
  const target = isUp ? parentOf(tree.directory) : path;
  const spelled = isUp ? ".." : spell(draw, path);
  return {
    text: `cwd(${spelled})${told(stop && "signal", stop)}`,
    level: "ftplib",
    isMove: true,
    run: async (ftp) => {
      stop?.arm();
      const { signal } = stop ?? {};
      const reply = await ftp.cwd(spelled, { signal });
      return [200, 250].includes(reply.code) ? undefined : `${reply}`;
    },
    apply: () => void (tree.directory = target),
  };
};

/** `setMtime()`. */
export const setMtime: Kind = (draw) => {
  const { tree, random, stop } = draw;
  const file = tree.pickFile(random);
  const { path, content } = file;
  const spelled = spell(draw, path);
  const date = new Date(
    Date.UTC(2001, 0, 1) + random.between(0, 700_000_000) * 1000,
  );
  return {
    text: `setMtime(${spelled}, ${date.toISOString()})${
      told(stop && "signal", stop)
    }`,
    level: "path",
    run: async (ftp) => {
      stop?.arm();
      await ftp.setMtime(spelled, date, { signal: stop?.signal });
      return undefined;
    },
    doubts: [{ path, allowed: [content!], mayBeGone: false }],
    apply: () => void (file.mtime = date),
  };
};

/** All of them. */
export const CHANGING_CALLS: readonly (readonly [number, Kind])[] = [
  [4, storbinary],
  [2, storlines],
  [4, store],
  [4, upload],
  [3, storeByHand],
  [3, rename],
  [2, removeFile],
  [2, makeDirectory],
  [2, removeDirectory],
  [5, cwd],
  [2, setMtime],
];
