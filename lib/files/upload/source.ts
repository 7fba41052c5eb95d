/**
 * What is uploaded, so that it can be read again from any byte where that is
 * possible at all.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { checkSource, chunksOf, type Source } from "../../transfer/source.ts";
import { locally, locallyAsync } from "../errors.ts";
import { openPipe } from "../download/open_pipe.ts";
import { PlainFile, type PlainPath } from "../plain_file.ts";

/** Something to upload. Every failure of it is a {@linkcode LocalError}. */
export interface UploadSource extends Disposable {
  /** Size in bytes, where it is known before; a file's when last asked. */
  readonly size: number | null;
  /** When it was last changed, for files, as of when last asked. */
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
 * @param signal Ends the wait for the other end of a pipe
 * @param plain How a plain file is reached that is not to be anything else
 * @returns The source
 * @throws {LocalError} If a file cannot be read
 * @throws {TypeError} If it is none of those, as far as can be seen
 */
export async function openSource(
  local: string | URL | Source,
  signal?: AbortSignal,
  plain?: PlainPath,
): Promise<UploadSource> {
  if (typeof local === "string" && plain !== undefined) {
    return locally(() => openPlain(local, plain));
  }
  if (typeof local === "string" || local instanceof URL) {
    return await locallyAsync(() => openFile(local, signal));
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

async function openFile(
  local: string | URL,
  signal: AbortSignal | undefined,
): Promise<UploadSource> {
  const path = local instanceof URL ? fileURLToPath(local) : local;
  const { isDirectory, isFile } = Deno.statSync(path);
  if (isDirectory) {
    throw new Deno.errors.IsADirectory(
      `Cannot upload "${path}": it is a directory`,
    );
  }
  const file = isFile
    ? Deno.openSync(path)
    : await openPipe(path, { read: true }, signal);
  try {
    let info = file.statSync();
    return {
      get size() {
        return isFile ? info.size : null;
      },
      get modified() {
        return isFile ? info.mtime : null;
      },
      identity: isFile ? identify(info) : null,
      isRewindable: isFile,
      hasChanged() {
        if (!isFile) return false;
        const before = identify(info);
        info = locally(() => file.statSync());
        return identify(info) !== before;
      },
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

/** A file of a mirrored directory. */
function openPlain(path: string, plain: PlainPath): UploadSource {
  const file = new PlainFile(path, plain);
  let info = file.stat();
  return {
    get size() {
      return info.size;
    },
    get modified() {
      return info.mtime;
    },
    identity: identify(info),
    isRewindable: true,
    hasChanged() {
      const before = identify(info);
      info = locally(() => file.stat());
      return identify(info) !== before;
    },
    read: (offset, blocksize) => faulty(file.read(offset, blocksize)),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

function identify(
  { size, mtime }: Pick<Deno.FileInfo, "size" | "mtime">,
): string {
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

/** No generator: those do not hear that they are to end while they wait. */
function faulty(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = chunks[Symbol.asyncIterator]();
      return {
        next: () => locallyAsync(() => iterator.next()),
        async return(): Promise<IteratorResult<Uint8Array>> {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
