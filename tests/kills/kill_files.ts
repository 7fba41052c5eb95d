/** The files of a kill on both sides, and problems with them afterwards. */

import { LocalFolder } from "../files/local_folder.ts";
import { differenceOf } from "../model/content.ts";
import type { ServedFolder } from "../model/served_folder.ts";
import { handOver } from "../testing/servers/real_server.ts";
import type { KillCase } from "./kill_case.ts";

/** Times of the files: of the source, and of the older target. */
const NEW = new Date("2024-05-05T05:05:05Z");
const OLD = new Date("2023-03-03T03:03:03Z");

/** A temporary file of a transfer. */
const PART_REGEXP = /(^|\/)\.[^/]*\.part$/;

/** Temporary files of the servers themselves: Pure-FTPd's. */
const OWN_REGEXP = /(^|\/)\.pureftpd-/;

/** The files of one case. */
export class KillFiles implements Disposable {
  /** Arguments of the call. */
  readonly local: string;
  readonly remote: string;
  readonly #case: KillCase;
  readonly #folder = new LocalFolder();
  readonly #sourceRoot: string;
  readonly #targetRoot: string;
  readonly #served: string;

  /** Creates both sides. */
  constructor(killCase: KillCase, { path }: ServedFolder) {
    const { call, source, target } = killCase;
    this.#case = killCase;
    const isDir = call.endsWith("Dir");
    this.#served = `${path}/case-${killCase.seed}`;
    const here = `${this.#folder.path}/here`;
    this.local = isDir ? here : `${here}/file`;
    const there = `/case-${killCase.seed}`;
    this.remote = isDir ? there : `${there}/file`;
    const isDownload = call.startsWith("download");
    this.#sourceRoot = isDownload ? this.#served : here;
    this.#targetRoot = isDownload ? here : this.#served;
    for (const root of [here, this.#served]) make(root);
    for (const [name, { bytes }] of source) {
      write(`${this.#sourceRoot}/${name}`, bytes, NEW);
    }
    for (const [name, content] of target) {
      const isSame = source.get(name) === content;
      write(`${this.#targetRoot}/${name}`, content.bytes, isSame ? NEW : OLD);
    }
  }

  /** Bytes that an undisturbed call transfers. */
  get bytes(): number {
    const { source, target } = this.#case;
    return [...source].reduce(
      (sum, [name, content]) =>
        target.get(name) === content ? sum : sum + content.bytes.length,
      0,
    );
  }

  /** Finds errors after the kill. */
  afterKill(): string[] {
    const { source, target } = this.#case;
    const found = read(this.#targetRoot);
    const problems = this.#sourceProblems();
    for (const [name, bytes] of found) {
      if (PART_REGEXP.test(name) || OWN_REGEXP.test(name)) continue;
      const [old, next] = [target.get(name), source.get(name)];
      const isRight = [old, next].some((content) =>
        content !== undefined && differenceOf(bytes, content) === undefined
      );
      if (isRight) continue;
      const expected = next ?? old;
      problems.push(
        expected === undefined
          ? `${name} was never there`
          : `${name} is neither old nor new: ${differenceOf(bytes, expected)}`,
      );
    }
    for (const name of target.keys()) {
      const mayBeGone = !source.has(name);
      if (!found.has(name) && !mayBeGone) problems.push(`${name} is gone`);
    }
    return problems;
  }

  /** Finds errors after the next successful run. */
  afterNextRun(): string[] {
    const { source } = this.#case;
    const found = read(this.#targetRoot);
    const problems = this.#sourceProblems();
    for (const [name, content] of source) {
      const bytes = found.get(name);
      const difference = bytes === undefined
        ? "is not there"
        : differenceOf(bytes, content);
      if (difference !== undefined) problems.push(`${name}: ${difference}`);
    }
    for (const name of found.keys()) {
      if (source.has(name)) continue;
      problems.push(`${name} was left (${found.get(name)!.length} bytes)`);
    }
    return problems;
  }

  #sourceProblems(): string[] {
    const { source } = this.#case;
    const found = read(this.#sourceRoot);
    const isWhole = found.size === source.size &&
      [...source].every(([name, content]) =>
        found.has(name) && differenceOf(found.get(name)!, content) === undefined
      );
    return isWhole ? [] : ["the source has changed"];
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
    Deno.removeSync(this.#served, { recursive: true });
  }
}

function make(path: string): void {
  Deno.mkdirSync(path, { recursive: true });
  handOver(path);
}

function write(path: string, bytes: Uint8Array, mtime: Date): void {
  make(path.slice(0, path.lastIndexOf("/")));
  Deno.writeFileSync(path, bytes);
  Deno.utimeSync(path, mtime, mtime);
  handOver(path);
}

/** All files below a folder, by their paths. */
function read(root: string, folder = ""): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const { name, isDirectory } of Deno.readDirSync(`${root}/${folder}`)) {
    const path = folder + name;
    if (isDirectory) {
      for (const [inner, bytes] of read(root, `${path}/`)) {
        files.set(inner, bytes);
      }
    } else files.set(path, Deno.readFileSync(`${root}/${path}`));
  }
  return files;
}
