/**
 * What is uploaded, so that it can be read again from any byte where that is
 * possible at all.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { checkSource, chunksOf, type Source } from "../transfer/source.ts";
import { LocalFault, locally } from "./faults.ts";

/** Something to upload. Every failure of it is a {@linkcode LocalFault}. */
export interface UploadSource extends Disposable {
  /** Size in bytes, where it is known before. */
  readonly size: number | null;
  /** When it was last changed, for files. */
  readonly modified: Date | null;
  /** Tells this file from another and from an older version; not for streams. */
  readonly identity: string | null;
  /** Whether {@linkcode read} may be called again. */
  readonly isRewindable: boolean;
  /**
   * Whether it is another than when it was opened or last asked.
   *
   * @returns Whether size or time have changed
   */
  hasChanged(): boolean;
  /**
   * Reads from an offset to the end.
   *
   * @param offset Where to start, in bytes
   * @param blocksize Most bytes at once
   * @returns The bytes, each piece valid until the next
   */
  read(offset: number, blocksize: number): AsyncIterable<Uint8Array>;
}

/**
 * Opens what is to be uploaded.
 *
 * @param local A path or `file:` URL, or bytes of any kind
 * @returns The source
 * @throws {LocalFault} If a file cannot be read
 * @throws {TypeError} If it is none of those, as far as can be seen
 */
export function openSource(local: string | URL | Source): UploadSource {
  if (typeof local === "string" || local instanceof URL) {
    return locally(() => openFile(local));
  }
  if (local instanceof Uint8Array || local instanceof Blob) {
    const blob = local instanceof Blob ? local : undefined;
    return rewindable(
      blob?.size ?? (local as Uint8Array).length,
      (offset) => blob?.slice(offset) ?? (local as Uint8Array).subarray(offset),
    );
  }
  checkSource(local);
  return {
    size: null,
    modified: null,
    identity: null,
    isRewindable: false,
    hasChanged: () => false,
    read: (_offset, blocksize) => faulty(chunksOf(local, blocksize)),
    [Symbol.dispose]() {},
  };
}

function rewindable(
  size: number,
  slice: (offset: number) => Source,
): UploadSource {
  return {
    size,
    modified: null,
    identity: null,
    isRewindable: true,
    hasChanged: () => false,
    read: (offset, blocksize) => faulty(chunksOf(slice(offset), blocksize)),
    [Symbol.dispose]() {},
  };
}

function openFile(local: string | URL): UploadSource {
  const path = local instanceof URL ? fileURLToPath(local) : local;
  const file = Deno.openSync(path);
  try {
    const { isDirectory, isFile, size, mtime } = file.statSync();
    if (isDirectory) {
      throw new Deno.errors.IsADirectory(
        `Cannot upload "${path}": it is a directory`,
      );
    }
    let identity = identify(file);
    return {
      size: isFile ? size : null,
      modified: isFile ? mtime : null,
      identity: isFile ? identity : null,
      isRewindable: isFile,
      hasChanged: () => identity !== (identity = locally(() => identify(file))),
      read: (offset, blocksize) =>
        faulty(
          isFile
            ? blocksOf(file, offset, blocksize)
            : chunksOf(file, blocksize),
        ),
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

function identify(file: Deno.FsFile): string {
  const { size, mtime } = file.statSync();
  return JSON.stringify([size, mtime]);
}

/** Large blocks, read in no time from the system's cache. */
async function* blocksOf(
  file: Deno.FsFile,
  offset: number,
  blocksize: number,
): AsyncGenerator<Uint8Array> {
  file.seekSync(offset, Deno.SeekMode.Start);
  const buffer = new Uint8Array(blocksize);
  while (true) {
    const n = file.readSync(buffer);
    if (n === null) return;
    yield buffer.subarray(0, n);
  }
}

async function* faulty(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    while (true) {
      let next: IteratorResult<Uint8Array>;
      try {
        next = await iterator.next();
      } catch (error) {
        throw new LocalFault(error);
      }
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
