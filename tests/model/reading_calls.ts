/** Calls that read contents, sizes and times of files. */

import { type FTP, FTPError, FTPPermanentError } from "../../mod.ts";
import { type Draw, type Kind, spell } from "./call.ts";
import { type Content, differenceOf, linesOf } from "./content.ts";
import { readChunks, rethrow, told } from "./listing_calls.ts";
import type { ModelFile } from "./model_tree.ts";

/** Most commands of one pipeline. */
const MAX_PIPELINED = 120;

/** Most calls at once. */
const MAX_BURST = 8;

async function joined(chunks: readonly BlobPart[]): Promise<Uint8Array> {
  return new Uint8Array(await new Blob([...chunks]).arrayBuffer());
}

function pickSource({ tree, random }: Draw): ModelFile & { content: Content } {
  const file = tree.pickFile(random, { isLarge: random.chance(0.3) });
  return { ...file, content: file.content! };
}

/** `retrbinary()`. */
export const retrbinary: Kind = (draw) => {
  const { random, stop } = draw;
  const { path, size, content } = pickSource(draw);
  const spelled = spell(draw, path);
  const rest = random.chance(0.2) ? random.between(0, size) : undefined;
  const limit = Math.floor((stop?.at ?? 0) * (size - (rest ?? 0)));
  const way = stop?.choose(["throw", "throw", "signal inside", "signal"]);
  return {
    text: `retrbinary(RETR ${spelled}, rest ${rest})${told(way, stop, limit)}`,
    level: "ftplib",
    run: async (ftp) => {
      const blocks: Uint8Array<ArrayBuffer>[] = [];
      let length = 0;
      if (way === "signal") stop!.arm();
      const signal = way === "throw" ? undefined : stop?.signal;
      const take = (block: Uint8Array<ArrayBuffer>) => {
        blocks.push(block);
        length += block.length;
        if (length < limit) return;
        if (way === "throw") throw stop!.reason;
        if (way === "signal inside") stop!.abort();
      };
      const problemIn = async (isPartial: boolean) =>
        differenceOf(await joined(blocks), content, {
          offset: rest ?? 0,
          isPartial,
        });
      try {
        await ftp.retrbinary(`RETR ${spelled}`, take, { rest, signal });
      } catch (error) {
        return await problemIn(true) ?? rethrow(error);
      }
      return await problemIn(false);
    },
  };
};

/** `retrlines()` of a file. */
export const retrlines: Kind = (draw) => {
  const { tree, random, stop } = draw;
  const file = tree.pickFile(random);
  const expected = linesOf(file.content!);
  const spelled = spell(draw, file.path);
  const limit = Math.floor((stop?.at ?? 0) * expected.length);
  const way = stop?.choose(["throw", "throw", "signal inside", "signal"]);
  return {
    text: `retrlines(RETR ${spelled})${told(way, stop, limit)}`,
    level: "ftplib",
    run: async (ftp) => {
      const found: string[] = [];
      if (way === "signal") stop!.arm();
      const signal = way === "throw" ? undefined : stop?.signal;
      const take = (line: string) => {
        found.push(line);
        if (found.length < limit) return;
        if (way === "throw") throw stop!.reason;
        if (way === "signal inside") stop!.abort();
      };
      const problemIn = (isPartial: boolean) => {
        const at = found.findIndex((line, i) => line !== expected[i]);
        if (at !== -1) return `line ${at} is ${JSON.stringify(found[at])}`;
        return isPartial || found.length === expected.length
          ? undefined
          : `${found.length} of ${expected.length} lines`;
      };
      try {
        await ftp.retrlines(`RETR ${spelled}`, take, { signal });
      } catch (error) {
        return problemIn(true) ?? rethrow(error);
      }
      return problemIn(false);
    },
  };
};

/** `retrieve()`. */
export const retrieve: Kind = (draw) => {
  const { random, stop } = draw;
  const { path, size, content } = pickSource(draw);
  const spelled = spell(draw, path);
  const offset = random.chance(0.2) ? random.between(0, size) : 0;
  const limit = Math.floor((stop?.at ?? 0) * (size - offset));
  const way = stop?.choose([
    "cancel",
    "break",
    "break out of a pipe",
    "signal inside",
    "signal",
  ]);
  return {
    text: `retrieve(${spelled}, offset ${offset})${told(way, stop, limit)}`,
    level: "path",
    run: async (ftp) => {
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      let length = 0;
      const problemIn = async (isPartial: boolean) =>
        differenceOf(await joined(chunks), content, { offset, isPartial });
      const usesSignal = way === "signal" || way === "signal inside";
      const signal = usesSignal ? stop!.signal : undefined;
      if (way === "signal") stop!.arm();
      try {
        let stream = await ftp.retrieve(spelled, { offset, signal });
        if (way === "cancel" && limit === 0) {
          await stream.cancel(stop!.reason);
          return undefined;
        }
        if (way === "break out of a pipe") {
          stream = stream.pipeThrough(new TransformStream());
        }
        for await (const chunk of stream) {
          chunks.push(chunk);
          length += chunk.length;
          if (length < limit || stop === undefined) continue;
          if (way?.startsWith("break") || way === "cancel") break;
          if (way === "signal inside") stop.abort();
        }
      } catch (error) {
        return await problemIn(true) ?? rethrow(error);
      }
      return await problemIn(stop !== undefined && !usesSignal);
    },
  };
};

/** A download by `ntransfercmd()` and `voidresp()`. */
export const fileByHand: Kind = (draw) => {
  const { stop } = draw;
  const { path, size, content } = pickSource(draw);
  const spelled = spell(draw, path);
  const limit = stop === undefined ? Infinity : Math.floor(stop.at * size);
  const way = stop?.choose(["close", "abort", "signal"]);
  return {
    text: `ntransfercmd(RETR ${spelled})${told(way, stop, limit)}`,
    level: "ftplib",
    run: async (ftp) => {
      await ftp.voidcmd("TYPE I");
      const chunks = await readChunks(ftp, `RETR ${spelled}`, {
        stop,
        way,
        limit,
      });
      const isPartial = stop !== undefined;
      return differenceOf(await joined(chunks), content, { isPartial });
    },
  };
};

/** `download()`, over an older file. */
export const download: Kind = (draw) => {
  const { random, tree, stop, folder } = draw;
  const { path, size, content } = pickSource(draw);
  const old = random.chance(0.5) ? tree.newContent(random) : undefined;
  const spelled = spell(draw, path);
  const limit = Math.floor((stop?.at ?? 0) * size);
  const way = stop?.choose(["signal inside", "signal"]);
  return {
    text: `download(${spelled})${told(way, stop, limit)}`,
    level: "path",
    run: async (ftp) => {
      const local = folder.at("downloaded");
      if (old === undefined) await Deno.remove(local).catch(() => {});
      else await Deno.writeFile(local, old.bytes);
      if (way === "signal") stop!.arm();
      const onProgress = ({ transferred }: { transferred: number }) => {
        if (way === "signal inside" && transferred >= limit) stop!.abort();
      };
      let thrown: unknown;
      try {
        const { signal } = stop ?? {};
        await ftp.download(spelled, local, { signal, onProgress });
      } catch (error) {
        thrown = error;
      }
      const found = await Deno.readFile(local).catch(() => undefined);
      const left = folder.names().filter((name) => name.endsWith(".part"));
      if (left.length > 0) return `${left} was left`;
      const isOld = thrown !== undefined &&
        (old === undefined
          ? found === undefined
          : found !== undefined && differenceOf(found, old) === undefined);
      const problem = isOld
        ? undefined
        : found === undefined
        ? "there is no file"
        : differenceOf(found, content);
      if (problem === undefined && thrown !== undefined) throw thrown;
      return problem;
    },
  };
};

/** `downloadDir()` with `delete`, over what an earlier one left. */
export const downloadDir: Kind = (draw) => {
  const { tree, stop, folder } = draw;
  const files = tree.filesIn("/w", { isDeep: true });
  const local = folder.at("mirror");
  const at = ({ path }: ModelFile) => `${local}${path.slice("/w".length)}`;
  return {
    text: `downloadDir(/w, delete)${told(stop && "signal", stop)}`,
    level: "path",
    run: async (ftp) => {
      const kept = files.filter((file) => isRight(at(file), file));
      stop?.arm();
      const { signal } = stop ?? {};
      let thrown: unknown;
      try {
        await ftp.downloadDir("/w", local, { delete: true, signal });
      } catch (error) {
        thrown = error;
      }
      const wrong = (thrown === undefined ? files : kept)
        .filter((file) => !isRight(at(file), file));
      if (wrong.length > 0) {
        return `${wrong.length} of ${files.length} files that are not right, such as ${
          wrong[0]!.path
        }`;
      }
      if (thrown !== undefined) {
        throw stop?.signal.aborted ? stop.reason : thrown;
      }
      const isExpected = new Set(files.map(at));
      const left = namesBelow(local).filter((path) =>
        !isExpected.has(path) && !tree.mayBe(`/w${path.slice(local.length)}`)
      );
      return left.length > 0 ? `${left} were left` : undefined;
    },
  };
};

function isRight(path: string, { content }: ModelFile): boolean {
  try {
    return differenceOf(Deno.readFileSync(path), content!) === undefined;
  } catch {
    return false;
  }
}

function namesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? namesBelow(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}

/** `SIZE` of many files at once. */
export const pipeline: Kind = ({ random, tree, stop }) => {
  const files = [
    ...tree.filesIn("/big"),
    ...tree.filesIn("/w", { isDeep: true }),
  ];
  const count = random.magnitude(1, MAX_PIPELINED);
  const picked = Array.from(
    { length: count },
    () => files[random.between(0, files.length - 1)]!,
  );
  const limit = stop === undefined ? Infinity : Math.floor(stop.at * count);
  const way = stop?.choose(["break", "signal inside", "signal"]);
  return {
    text: `pipeline(SIZE of ${count} files)${told(way, stop, limit)}`,
    level: "ftplib",
    run: async (ftp) => {
      await ftp.voidcmd("TYPE I");
      if (way === "signal") stop!.arm();
      const signal = way === "break" ? undefined : stop?.signal;
      const commands = picked.map(({ path }) => `SIZE ${path}`);
      let at = 0;
      for await (const reply of ftp.pipeline(commands, { signal })) {
        const { path, size } = picked[at++]!;
        if (reply instanceof FTPError || reply.text !== `213 ${size}`) {
          return `SIZE of ${path} is ${reply} instead of ${size}`;
        }
        if (at <= limit) continue;
        if (way === "break") return undefined;
        if (way === "signal inside") stop!.abort();
      }
      return at === count ? undefined : `${at} replies for ${count} commands`;
    },
  };
};

/** One small question and its answer. */
interface Question {
  readonly text: string;
  readonly level: "ftplib" | "path";
  readonly ask: (
    ftp: FTP,
    options: { signal?: AbortSignal | undefined },
  ) => Promise<string | undefined>;
}

function drawQuestion(draw: Draw): Question {
  const { random, tree } = draw;
  const file = tree.pickFile(random, { isLarge: random.chance(0.1) });
  const path = spell(draw, file.path);
  const kind = random.pick([
    [5, "size"],
    [3, "stat"],
    [2, "mtime"],
    [2, "pwd"],
    [1, "exists"],
    [1, "missing"],
    [1, "noop"],
    [1, "type"],
    [1, "delete"],
  ]);
  const missing = tree.newPath("/w");
  const type = random.pick([[1, "A"], [1, "I"]]);
  const expect = (found: unknown, expected: unknown) =>
    found === expected ? undefined : `${found} instead of ${expected}`;
  switch (kind) {
    case "size":
      return {
        text: `size(${path})`,
        level: "ftplib",
        ask: async (ftp, options) =>
          expect(await ftp.size(path, options), file.size),
      };
    case "stat":
      return {
        text: `stat(${path})`,
        level: "path",
        ask: async (ftp, options) => {
          const { size, isFile, name } = await ftp.stat(path, options);
          const expected = `${file.path.split("/").at(-1)} ${file.size} true`;
          return expect(`${name} ${size} ${isFile}`, expected);
        },
      };
    case "mtime":
      return {
        text: `mtime(${path})`,
        level: "path",
        ask: async (ftp, options) => {
          const found = await ftp.mtime(path, options);
          const expected = file.mtime ?? found;
          return expect(found?.toISOString(), expected?.toISOString());
        },
      };
    case "pwd":
      return {
        text: "pwd()",
        level: "ftplib",
        ask: async (ftp, options) =>
          expect(await ftp.pwd(options), tree.directory),
      };
    case "exists":
      return {
        text: `exists(${path})`,
        level: "path",
        ask: async (ftp, options) =>
          expect(await ftp.exists(path, options), true),
      };
    case "missing":
      return {
        text: `exists(${missing})`,
        level: "path",
        ask: async (ftp, options) =>
          expect(await ftp.exists(missing, options), false),
      };
    case "noop":
      return {
        text: "voidcmd(NOOP)",
        level: "ftplib",
        ask: async (ftp, options) =>
          expect((await ftp.voidcmd("NOOP", options)).code, 200),
      };
    case "type":
      return {
        text: `voidcmd(TYPE ${type})`,
        level: "ftplib",
        ask: async (ftp, options) =>
          expect((await ftp.voidcmd(`TYPE ${type}`, options)).code, 200),
      };
    case "delete":
      return {
        text: `delete(${missing})`,
        level: "ftplib",
        ask: async (ftp, options) => {
          try {
            return `${await ftp.delete(missing, options)}`;
          } catch (error) {
            const isRight = error instanceof FTPPermanentError &&
              error.reply?.code === 550;
            return isRight ? undefined : rethrow(error);
          }
        },
      };
  }
}

/** One question. */
export const question: Kind = (draw) => {
  const { stop } = draw;
  const { text, level, ask } = drawQuestion(draw);
  return {
    text: text + told(stop && "signal", stop),
    level,
    run: async (ftp) => {
      stop?.arm();
      return await ask(ftp, { signal: stop?.signal });
    },
  };
};

/** Several questions at once. */
export const burst: Kind = (draw) => {
  const { random, stop } = draw;
  const questions = Array.from(
    { length: random.between(2, MAX_BURST) },
    () => drawQuestion(draw),
  );
  const isPath = questions.every(({ level }) => level === "path");
  return {
    text: `${questions.map(({ text }) => text).join(" & ")}${
      told(stop && "signal", stop)
    }`,
    level: isPath ? "path" : "ftplib",
    run: async (ftp) => {
      stop?.arm();
      const asking = questions.map(({ ask }) =>
        ask(ftp, { signal: stop?.signal })
      );
      const answers = await Promise.allSettled(asking);
      const problems = answers.flatMap((answer, i) =>
        answer.status === "fulfilled" && answer.value !== undefined
          ? [`${questions[i]!.text} gave ${answer.value}`]
          : []
      );
      if (problems.length > 0) return problems.join("; ");
      const failed = answers.find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;
      return undefined;
    },
  };
};

/** All of them. */
export const READING_CALLS: readonly (readonly [number, Kind])[] = [
  [6, retrbinary],
  [3, retrlines],
  [6, retrieve],
  [5, fileByHand],
  [4, download],
  [1, downloadDir],
  [5, pipeline],
  [16, question],
  [4, burst],
];
