/**
 * The files of a case on both sides, and the files that may exist afterwards.
 */

import { Buffer } from "node:buffer";
import { LocalFolder } from "../files/local_folder.ts";
import { makeData } from "../real/client.ts";
import { handOver } from "../testing/servers/real_server.ts";
import { type FaultCase, MAX_SIZE } from "./fault_case.ts";

/** Where the contents of files begin in the pool. */
const OFFSETS = 1024 * 1024;

/** Most bytes of a file that is not rare: more are made when they are needed. */
const USUAL_SIZE = 5_000_000;

let pool: Uint8Array<ArrayBuffer> | undefined;

function contentOf(seed: number, size: number): Uint8Array<ArrayBuffer> {
  const length = OFFSETS + (size > USUAL_SIZE ? MAX_SIZE : USUAL_SIZE);
  if (pool === undefined || pool.length < length) pool = makeData(length);
  const start = Math.imul(seed, 40_503) >>> 12;
  return pool.subarray(start % OFFSETS, start % OFFSETS + size);
}

/** An error in a file. */
export type Loss = string | undefined;

/** The files of one case. */
export class CaseFiles implements Disposable {
  /** The transferred file's name on both sides. */
  readonly name: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly #case: FaultCase;
  readonly #old: Uint8Array<ArrayBuffer> | undefined;
  readonly #decoy: Uint8Array<ArrayBuffer> | undefined;
  readonly #local = new LocalFolder();
  readonly #root: string;
  readonly #remote: string;

  /** Creates the files below the folder of a server. */
  constructor(faultCase: FaultCase, root: string) {
    const { seed, size, oldSize, inDirectory, direction } = faultCase;
    this.#case = faultCase;
    this.name = `file-${seed}.bin`;
    this.content = contentOf(seed * 3, size);
    this.#root = root;
    this.#remote = inDirectory ? `${root}/work` : root;
    if (inDirectory) {
      Deno.mkdirSync(this.#remote, { recursive: true });
      handOver(this.#remote);
      // a client that loses its directory finds this file
      this.#decoy = contentOf(seed * 3 + 2, size + 1);
      this.#serve(root, this.#decoy);
    }
    if (oldSize !== null) this.#old = contentOf(seed * 3 + 1, oldSize);
    if (direction === "download") {
      this.#serve(this.#remote, this.content);
      if (this.#old) Deno.writeFileSync(this.localPath, this.#old);
    } else {
      Deno.writeFileSync(this.sourcePath, this.content);
      if (this.#old) this.#serve(this.#remote, this.#old);
    }
  }

  /** Path of the target of a download. */
  get localPath(): string {
    return this.#local.at(this.name);
  }

  /** Path of the source of an upload. */
  get sourcePath(): string {
    return this.#local.at("source");
  }

  /** Finds errors in the target after a successful call. */
  lossAfterSuccess(): Loss {
    const found = this.#target();
    if (isSame(found, this.content)) {
      return this.#lostDecoy();
    }
    return `success was reported, but ${this.#describe(found)}`;
  }

  /**
   * Finds errors in the target after a failed call.
   *
   * @param wasStarted Whether the transfer failed, and not the login
   */
  lossAfterFailure(wasStarted: boolean): Loss {
    const found = this.#target();
    const { direction, options, faults } = this.#case;
    if (isSame(found, this.#old)) return this.#lostDecoy();
    // the reply to the renaming may have been lost
    if (wasStarted && direction === "upload" && isSame(found, this.content)) {
      return this.#lostDecoy();
    }
    const isWhatWasAskedFor = wasStarted && !options.atomic &&
      (faults[0]?.fault === "corrupt" || this.#isBeginning(found));
    if (isWhatWasAskedFor) return this.#lostDecoy();
    return `the call failed, and ${this.#describe(found)}`;
  }

  /** Names of unexpected local files. */
  leftHere(): string[] {
    return this.#local.names().filter((name) =>
      name !== this.name && name !== "source"
    );
  }

  /** Names of unexpected files on the server. */
  leftThere(): string[] {
    return [...Deno.readDirSync(this.#remote)].map(({ name }) => name)
      .filter((name) => name !== this.name && name !== "work").sort();
  }

  /** Whether a file on the server has no bytes. */
  isEmptyThere(name: string): boolean {
    return Deno.statSync(`${this.#remote}/${name}`).size === 0;
  }

  [Symbol.dispose](): void {
    this.#local[Symbol.dispose]();
    for (const folder of new Set([this.#remote, this.#root])) {
      for (const { name, isFile } of Deno.readDirSync(folder)) {
        if (isFile) Deno.removeSync(`${folder}/${name}`);
      }
    }
  }

  #serve(folder: string, content: Uint8Array): void {
    const path = `${folder}/${this.name}`;
    Deno.writeFileSync(path, content);
    handOver(path);
  }

  #target(): Uint8Array | undefined {
    return this.#case.direction === "download"
      ? readIfThere(this.localPath)
      : readIfThere(`${this.#remote}/${this.name}`);
  }

  #lostDecoy(): Loss {
    if (this.#decoy === undefined) return undefined;
    const found = readIfThere(`${this.#root}/${this.name}`);
    return isSame(found, this.#decoy)
      ? undefined
      : "a file in another directory was changed";
  }

  /** Pure-FTPd writes beside the target by itself, and may leave none. */
  #isBeginning(found: Uint8Array | undefined): boolean {
    return found === undefined
      ? this.#case.server === "pure-ftpd" || this.#old === undefined
      : isSame(found, this.content.subarray(0, found.length));
  }

  #describe(found: Uint8Array | undefined): string {
    const { content } = this;
    if (found === undefined) return "there is no file";
    if (this.#old && isSame(found, this.#old)) return "the old file is there";
    const first = found.findIndex((byte, at) => byte !== content[at]);
    const differs = first === -1 ? "" : ` that differ from byte ${first} on`;
    return `the file has ${found.length} of ${content.length} bytes${differs}`;
  }
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function isSame(
  a: Uint8Array | undefined,
  b: Uint8Array | undefined,
): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0; // at once: other servers wait meanwhile
}
