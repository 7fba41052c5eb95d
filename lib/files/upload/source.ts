/**
 * What is uploaded, so that it can be read again from any byte where that is
 * possible at all.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { withMessage } from "../../connection/with_message.ts";
import { showValue } from "../../protocol/check_word.ts";
import { checkSource, chunksOf, type Source } from "../../transfer/source.ts";
import {
  FTPVerificationError,
  LocalError,
  locally,
  locallyAsync,
} from "../errors.ts";
import type { UploadOptions } from "../options.ts";
import { openPipe } from "../download/open_pipe.ts";
import { PlainFile, type PlainPath } from "../plain_file.ts";

/** Something to upload. Every failure of it is a {@linkcode LocalError}. */
export interface UploadSource extends Disposable {
  /** Size in bytes, where it is known before; a file's when last asked. */
  readonly size: number | null;
  /** Size in bytes that it is going to have, where that is known or was told. */
  readonly total: number | null;
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
 * @param local A path or `file:` URL, a response, or bytes of any kind
 * @param remote Where it goes, for messages
 * @param options Its size, if the caller knows it; a signal ends the wait for
 * the other end of a pipe
 * @param plain How a plain file is reached that is not to be anything else
 * @returns The source
 * @throws {LocalError} If a file cannot be read, or has another size
 * @throws {TypeError} If it is none of those, as far as can be seen
 */
export async function openSource(
  local: string | URL | Source | Response,
  remote: string,
  { size, signal }: Pick<UploadOptions, "size" | "signal"> = {},
  plain?: PlainPath,
): Promise<UploadSource> {
  checkSize(size);
  const source = await openAny(local, signal, plain);
  if (size === undefined && source.total === null) return source;
  try {
    return withTotal(source, remote, size);
  } catch (error) {
    source[Symbol.dispose]();
    throw error;
  }
}

function checkSize(size: unknown): void {
  if (size === undefined) return;
  if (Number.isSafeInteger(size) && Number(size) >= 0) return;
  throw new RangeError(
    `Cannot use size ${showValue(size)}: it must be a whole number of bytes`,
  );
}

async function openAny(
  local: string | URL | Source | Response,
  signal: AbortSignal | undefined,
  plain: PlainPath | undefined,
): Promise<UploadSource> {
  if (typeof local === "string" && plain !== undefined) {
    return locally(() => restated(local, () => openPlain(local, plain)));
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
  if (local instanceof Response) return openResponse(local);
  checkSource(local);
  return readOnce(local, null, () => {});
}

/** The body of a response that is a success, as long as its header says. */
function openResponse(response: Response): UploadSource {
  const { body, headers, ok, status } = response;
  if (!ok) {
    throw new TypeError(
      `Cannot upload from a Response with status ${status}: it is no success; upload response.body if its text is what you want`,
    );
  }
  if (response.bodyUsed) {
    throw new TypeError(
      "Cannot upload from a Response that was read before: fetch it again",
    );
  }
  if (body !== null) checkSource(body);
  // of a body that was compressed on the way the header tells another length
  const encoding = headers.get("content-encoding") ?? "identity";
  const length = headers.get("content-length") ?? "";
  const isTold = encoding === "identity" && /^\d+$/.test(length);
  return readOnce(body ?? [], isTold ? Number(length) : null, () => {
    // nobody else would end it
    if (body?.locked === false) body.cancel().catch(() => {});
  });
}

/** What cannot be read again. */
function readOnce(
  source: Source,
  total: number | null,
  dispose: () => void,
): UploadSource {
  return {
    size: null,
    total,
    modified: null,
    identity: null,
    isRewindable: false,
    hasChanged: () => false,
    read: (_offset, blocksize) => faulty(chunksOf(source, blocksize)),
    [Symbol.dispose]: dispose,
  };
}

/** Insists on the size that a source is said to have. */
function withTotal(
  source: UploadSource,
  remote: string,
  size: number | undefined,
): UploadSource {
  const known = source.total;
  if (size !== undefined && known !== null && size !== known) {
    throw otherLength(remote, known, size);
  }
  if (source.size !== null) return source;
  const total = size ?? known!;
  return {
    size: null,
    total,
    modified: source.modified,
    identity: source.identity,
    isRewindable: source.isRewindable,
    hasChanged: () => source.hasChanged(),
    read: (offset, blocksize) =>
      counted(source.read(offset, blocksize), (bytes, isEnd) => {
        if (bytes > total || (isEnd && bytes < total)) {
          throw otherLength(remote, bytes, total);
        }
      }),
    [Symbol.dispose]: () => source[Symbol.dispose](),
  };
}

function otherLength(
  remote: string,
  actual: number,
  expected: number,
): LocalError {
  return new LocalError(
    new FTPVerificationError(
      `Cannot upload to "${remote}": the source has another length than expected`,
      { what: "size", expected, actual },
    ),
  );
}

/** Looks at the count of bytes before each piece is given, and at the end. */
function counted(
  chunks: AsyncIterable<Uint8Array>,
  check: (bytes: number, isEnd: boolean) => void,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = chunks[Symbol.asyncIterator]();
      let bytes = 0;
      return {
        async next() {
          const result = await iterator.next();
          if (!result.done) bytes += result.value.length;
          try {
            check(bytes, result.done === true);
          } catch (error) {
            await iterator.return?.();
            throw error;
          }
          return result;
        },
        async return(): Promise<IteratorResult<Uint8Array>> {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function rewindable(
  size: number,
  slice: (offset: number) => Source,
): UploadSource {
  return {
    size,
    total: size,
    modified: null,
    identity: null,
    isRewindable: true,
    hasChanged: () => false,
    read: (offset, blocksize) => faulty(chunksOf(slice(offset), blocksize)),
    [Symbol.dispose]() {},
  };
}

/** Says which file it was that could not be opened. */
function restated<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw unopened(path, error);
  }
}

function unopened(path: string, error: unknown): Error {
  return withMessage(
    error,
    (message) =>
      message.startsWith("Cannot ")
        ? message
        : `Cannot upload "${path}": ${message}`,
  );
}

async function openFile(
  local: string | URL,
  signal: AbortSignal | undefined,
): Promise<UploadSource> {
  const path = local instanceof URL ? fileURLToPath(local) : local;
  const { isDirectory, isFile } = restated(path, () => Deno.statSync(path));
  if (isDirectory) {
    throw new Deno.errors.IsADirectory(
      `Cannot upload "${path}": it is a directory; upload it with uploadDir()`,
    );
  }
  const file = isFile
    ? restated(path, () => Deno.openSync(path))
    : await openPipe(path, { read: true }, signal).catch((error) => {
      throw signal?.aborted ? error : unopened(path, error);
    });
  try {
    let info = file.statSync();
    const size = () => isFile ? info.size : null;
    return {
      get size() {
        return size();
      },
      get total() {
        return size();
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
          { path, offset },
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
    get total() {
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
    read: (offset, blocksize) =>
      faulty(file.read(offset, blocksize), { path, offset }),
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

/**
 * Wraps what a source throws, and says of a file how far it was read. No
 * generator: those do not hear that they are to end while they wait.
 */
function faulty(
  chunks: AsyncIterable<Uint8Array>,
  file?: { readonly path: string; readonly offset: number },
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = chunks[Symbol.asyncIterator]();
      let at = file?.offset ?? 0;
      return {
        next: () =>
          locallyAsync(async () => {
            try {
              const result = await iterator.next();
              if (!result.done) at += result.value.length;
              return result;
            } catch (error) {
              throw file === undefined ? error : withMessage(
                error,
                (message) =>
                  `Cannot read "${file.path}" after ${at} bytes: ${message}`,
              );
            }
          }),
        async return(): Promise<IteratorResult<Uint8Array>> {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
