/** The model of the server's files, which results are compared with. */

import type { Random } from "../faults/random.ts";
import type { RealServer } from "../testing/servers/mod.ts";
import { handOver } from "../testing/servers/real_server.ts";
import { type Content, differenceOf, makeContent, RECORD } from "./content.ts";

/**
 * Directories that are only read: large ones, whose aborted listings leave
 * something behind.
 */
const LISTED = { "/big": 3000, "/big2": 1200, "/empty": 0 };

/** Directories whose files change. */
const CHANGED = ["/w", "/w/a", "/w/b", "/w/a/deep"];

/** Sizes of files that are larger than the buffers of both sides. */
const LARGE_SIZES = [1_500_007, 2_500_003, 3_000_017];

/** Files in a directory at the start, and the largest number that calls add. */
const FILES = { first: 5, most: 10 };

/** Largest number of names with an unknown state. */
const MAX_DOUBTFUL = 1000;

/** One file. */
export interface ModelFile {
  readonly path: string;
  readonly size: number;
  /** `undefined` for files of which only the size counts. */
  readonly content: Content | undefined;
  /** Time of the last change, if it is known. */
  mtime: Date | undefined;
}

/** An entry of a listing. */
export interface Listed {
  readonly name: string;
  readonly isDirectory?: boolean | undefined;
  readonly size?: number | undefined;
}

/** A path that an aborted call may have changed. */
export interface Doubt {
  readonly path: string;
  /** Possible contents, besides a missing file. */
  readonly allowed: readonly Content[];
  /** Whether the file may have only the beginning of the last content. */
  readonly isPartial?: boolean;
  /** Whether the file may be missing. */
  readonly mayBeGone: boolean;
}

/** The tree. */
export class ModelTree {
  /** The current directory of the client. */
  directory = "/";
  readonly #server: RealServer;
  readonly #directories = new Map<string, Map<string, ModelFile>>();
  readonly #sizes = new Set<number>();
  #doubts: Doubt[] = [];
  readonly #doubtful = new Set<string>();
  #serials = 0;
  #names = 0;

  /** Creates the tree on the disk of a server. */
  constructor(server: RealServer, random: Random) {
    this.#server = server;
    for (
      const path of ["/", ...Object.keys(LISTED), "/large", ...CHANGED]
    ) {
      this.#directories.set(path, new Map());
      Deno.mkdirSync(this.#onDisk(path), { recursive: true });
      handOver(this.#onDisk(path));
    }
    for (const [directory, count] of Object.entries(LISTED)) {
      for (let i = 0; i < count; i++) {
        const path = `${directory}/${directory.slice(1)}-${
          String(i).padStart(4, "0")
        }-with-a-name-of-usual-length`;
        const size = this.#newSize(random, 1_000_000, 9_000_000);
        this.#add({ path, size, content: undefined, mtime: undefined });
        using file = Deno.createSync(this.#onDisk(path));
        file.truncateSync(size);
      }
    }
    for (const size of LARGE_SIZES) {
      this.#write(this.newPath("/large"), this.#makeContent(size));
    }
    for (const directory of CHANGED) {
      for (let i = 0; i < FILES.first; i++) {
        this.#write(this.newPath(directory), this.newContent(random));
      }
    }
  }

  /** Directories whose files change. */
  get changed(): string[] {
    return CHANGED;
  }

  /** Directories to list, each as often as its weight. */
  get listed(): [weight: number, path: string][] {
    return [
      [30, "/big"],
      [15, "/big2"],
      [8, "/empty"],
      [5, "/large"],
      ...CHANGED.map((path): [number, string] => [12, path]),
    ];
  }

  /** Returns the files of a directory, or of everything below it. */
  filesIn(directory: string, { isDeep = false } = {}): ModelFile[] {
    return [...this.#directories].filter(([path]) =>
      path === directory || (isDeep && path.startsWith(`${directory}/`))
    ).flatMap(([, files]) => [...files.values()]);
  }

  /** Directories below another. */
  directoriesIn(directory: string): string[] {
    return [...this.#directories.keys()].filter((path) =>
      path.startsWith(`${directory}/`)
    );
  }

  /** A file whose content is known. */
  pickFile(random: Random, { isLarge = false } = {}): ModelFile {
    const files = isLarge
      ? this.filesIn("/large")
      : this.filesIn("/w", { isDeep: true });
    return files[random.between(0, files.length - 1)]!;
  }

  /** Returns the target of a write: an existing file, or a new name. */
  pickTarget(random: Random): string {
    const directory = CHANGED[random.between(0, CHANGED.length - 1)]!;
    const files = this.filesIn(directory);
    const isNew = files.length < FILES.most &&
      (files.length < FILES.first || random.chance(0.4));
    return isNew
      ? this.newPath(directory)
      : files[random.between(0, files.length - 1)]!.path;
  }

  /** Returns a path that was never used. */
  newPath(directory: string): string {
    return `${directory}/n${this.#names++}`;
  }

  /**
   * Creates a content with a unique size.
   *
   * @param isText Whether its last line has an end
   */
  newContent(random: Random, { isText = false } = {}): Content {
    const size = isText
      ? this.#newSize(random, 2, 10_000, RECORD)
      : this.#newSize(random, 20, 300_000);
    return this.#makeContent(size);
  }

  /** Returns the state of a path. */
  fileAt(path: string): ModelFile | undefined {
    return this.#directories.get(parentOf(path))?.get(path);
  }

  /** Notes the content of a file. */
  set(path: string, content: Content, mtime?: Date): void {
    this.#add({ path, size: content.bytes.length, content, mtime });
  }

  /** Notes that a path was removed. */
  remove(path: string): void {
    this.#directories.get(parentOf(path))?.delete(path);
    this.#directories.delete(path);
  }

  /** Notes that a directory was created. */
  addDirectory(path: string): void {
    this.#directories.set(path, new Map());
  }

  /** Marks the content of a path as unknown. */
  doubt(doubt: Doubt): void {
    this.remove(doubt.path);
    this.#doubts.push(doubt);
    this.#doubtful.add(doubt.path);
  }

  /**
   * Reads the real state of all doubtful paths, and removes them. The server
   * has to be idle.
   *
   * @returns Problems
   */
  settle(): string[] {
    const doubts = this.#doubts;
    this.#doubts = [];
    for (const path of this.#doubtful) {
      if (this.#doubtful.size <= MAX_DOUBTFUL) break;
      this.#doubtful.delete(path);
    }
    for (const directory of CHANGED) {
      for (const { name } of Deno.readDirSync(this.#onDisk(directory))) {
        // Temporary files of aborted uploads, the servers' own too.
        if (name.startsWith(".")) this.#unlink(`${directory}/${name}`);
      }
    }
    return doubts.flatMap((doubt) => this.#settleOne(doubt) ?? []);
  }

  /** Finds errors in a file on the server's disk. */
  differenceOnDisk(path: string, content: Content): string | undefined {
    const found = this.#read(path);
    return found === undefined
      ? "there is no file on the server's disk"
      : differenceOf(found, content);
  }

  /** Finds an error in a listing, or returns `undefined`. */
  listingProblem(
    directory: string,
    listed: readonly Listed[],
    { isPartial = false } = {},
  ): string | undefined {
    const files = this.#directories.get(directory)!;
    const seen = new Set<string>();
    const problems: string[] = [];
    for (const { name, isDirectory, size } of listed) {
      const path = `${directory === "/" ? "" : directory}/${name}`;
      if (seen.has(path)) problems.push(`${name} twice`);
      seen.add(path);
      if (this.mayBe(path)) continue;
      const file = files.get(path);
      if (file === undefined && !this.#directories.has(path)) {
        problems.push(`${JSON.stringify(name)}, which is not there`);
      } else if (isDirectory !== undefined && isDirectory !== !file) {
        problems.push(`${name} as ${isDirectory ? "a directory" : "a file"}`);
      } else if (file && size !== undefined && size !== file.size) {
        problems.push(`${name} with ${size} bytes instead of ${file.size}`);
      }
    }
    if (!isPartial) {
      const all = [...files.keys(), ...this.#childrenOf(directory)];
      const missing = all.filter((path) => !seen.has(path));
      if (missing.length > 0) {
        problems.push(
          `${missing.length} of ${all.length} names are missing, such as ${
            missing[0]
          }`,
        );
      }
    }
    if (problems.length === 0) return undefined;
    return `${listed.length} names, among them ${
      problems.slice(0, 4).join(", ")
    } (${problems.length} differences)`;
  }

  /** Whether the content is unknown, or it is a temporary file. */
  mayBe(path: string): boolean {
    return this.#doubtful.has(path) || path.includes("/.");
  }

  #childrenOf(directory: string): string[] {
    return [...this.#directories.keys()].filter((path) =>
      path !== "/" && parentOf(path) === directory
    );
  }

  #settleOne(
    { path, allowed, isPartial = false, mayBeGone }: Doubt,
  ): string | undefined {
    const found = this.#read(path);
    this.#unlink(path);
    if (found === undefined) {
      return mayBeGone ? undefined : `${path} is gone after an aborted call`;
    }
    const last = allowed.at(-1);
    const isRight = allowed.some((content) =>
      differenceOf(found, content, {
        isPartial: isPartial && content === last,
      }) === undefined
    );
    if (isRight || allowed.length === 0) return undefined;
    return `${path} has ${differenceOf(found, last!)} after an aborted call`;
  }

  #read(path: string): Uint8Array | undefined {
    try {
      if (Deno.statSync(this.#onDisk(path)).isDirectory) {
        return new Uint8Array();
      }
      return Deno.readFileSync(this.#onDisk(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  #unlink(path: string): void {
    try {
      Deno.removeSync(this.#onDisk(path), { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  #write(path: string, content: Content): void {
    Deno.writeFileSync(this.#onDisk(path), content.bytes);
    handOver(this.#onDisk(path));
    const mtime = new Date(Date.UTC(2024, 0, 1) + content.serial * 1000);
    Deno.utimeSync(this.#onDisk(path), mtime, mtime);
    this.set(path, content, mtime);
  }

  #add(file: ModelFile): void {
    this.#directories.get(parentOf(file.path))!.set(file.path, file);
  }

  #makeContent(size: number): Content {
    return makeContent(this.#serials++, size);
  }

  #newSize(random: Random, first: number, last: number, unit = 1): number {
    for (;;) {
      const size = random.magnitude(first, last) * unit;
      if (this.#sizes.has(size)) continue;
      this.#sizes.add(size);
      return size;
    }
  }

  #onDisk(path: string): string {
    return `${this.#server.root}${path}`;
  }
}

/** The directory that a path is in. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
