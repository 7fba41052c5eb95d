/**
 * Sources of an upload. They can be read again from any offset where that is
 * possible.
 *
 * @module
 */

import { quote } from "../../protocol/printable.ts";
import { fileURLToPath } from "node:url";
import { asError, withMessage } from "../../protocol/with_message.ts";
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

/** A source of an upload. All its failures are {@linkcode LocalError}s. */
export interface UploadSource extends Disposable {
  /** Size in bytes, if it is known before; a file's when last checked. */
  readonly size: number | null;
  /** Expected size in bytes, if it is known or was given. */
  readonly total: number | null;
  /** Modification time of a file, when last checked. */
  readonly modified: Date | null;
  /** Identifies a file and its version; `null` for streams. */
  readonly identity: string | null;
  /** Whether {@linkcode read} may be called again. */
  readonly isRewindable: boolean;
  /** Whether size or time changed since it was opened or last checked. */
  hasChanged(): boolean;
  /**
   * Reads from an offset to the end.
   *
   * @param blocksize Largest piece, in bytes
   * @returns The bytes, each piece valid until the next
   */
  read(offset: number, blocksize: number): AsyncIterable<Uint8Array>;
}

/**
 * Opens a source.
 *
 * @param local A path or `file:` URL, a response, or bytes of any kind
 * @param remote The target, for messages
 * @param options The size, if the caller knows it; a signal that ends the wait
 * for a pipe
 * @param plain How to reach a file that must be a plain file
 * @throws {LocalError} If a file cannot be read, or has another size
 * @throws {TypeError} If it is none of these types, as far as can be checked
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
    return locally(() => namingFile(local, () => openPlain(local, plain)));
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

/** Opens the body of a successful response; its size is the header's. */
function openResponse(response: Response): UploadSource {
  const { body, headers, ok, status } = response;
  if (!ok) {
    throw new TypeError(
      `Cannot upload from a Response with status ${status}: the request failed; upload response.body to store its text`,
    );
  }
  if (response.bodyUsed) {
    throw new TypeError(
      "Cannot upload from a Response: its body was already read; fetch it again",
    );
  }
  if (body !== null) checkSource(body);
  // the header of a compressed body has another length
  const encoding = headers.get("content-encoding") ?? "identity";
  const length = headers.get("content-length") ?? "";
  const hasLength = encoding === "identity" && /^\d+$/.test(length);
  return readOnce(body ?? [], hasLength ? Number(length) : null, () => {
    // otherwise it would never end
    if (body?.locked === false) body.cancel().catch(() => {});
  });
}

/** Wraps a source that cannot be read again. */
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
    read: (_offset, blocksize) => withSourceErrors(chunksOf(source, blocksize)),
    [Symbol.dispose]: dispose,
  };
}

/** Adds the check of an expected size to a source. */
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
      withCount(source.read(offset, blocksize), (bytes, isEnd) => {
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
      `Cannot upload to ${quote(remote)}: the source has an unexpected size`,
      { what: "size", expected, actual },
    ),
  );
}

/** Counts the bytes, and checks the count before each piece and at the end. */
function withCount(
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
    read: (offset, blocksize) =>
      withSourceErrors(chunksOf(slice(offset), blocksize)),
    [Symbol.dispose]() {},
  };
}

/** Adds the file's path to an error. */
function namingFile<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw openingError(path, error);
  }
}

function openingError(path: string, error: unknown): Error {
  return withMessage(
    asError(error),
    (message) =>
      message.startsWith("Cannot ")
        ? message
        : `Cannot upload ${quote(path)}: ${message}`,
  );
}

async function openFile(
  local: string | URL,
  signal: AbortSignal | undefined,
): Promise<UploadSource> {
  const path = local instanceof URL ? fileURLToPath(local) : local;
  const { isDirectory, isFile } = namingFile(path, () => Deno.statSync(path));
  if (isDirectory) {
    throw new Deno.errors.IsADirectory(
      `Cannot upload ${
        quote(path)
      }: it is a directory; upload it with uploadDir()`,
    );
  }
  const file = isFile
    ? namingFile(path, () => Deno.openSync(path))
    : await openPipe(path, { read: true }, signal).catch((error) => {
      throw signal?.aborted ? error : openingError(path, error);
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
        withSourceErrors(
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

/** Opens a file of a mirrored directory. */
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
      withSourceErrors(file.read(offset, blocksize), { path, offset }),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

function identify(
  { size, mtime }: Pick<Deno.FileInfo, "size" | "mtime">,
): string {
  return JSON.stringify([size, mtime]);
}

/** Reads large blocks synchronously: the system's cache makes it fast. */
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
 * Wraps errors of a source, and adds how far a file was read. Not a generator,
 * because a generator cannot be ended while it waits.
 */
function withSourceErrors(
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
                  `Cannot read ${
                    quote(file.path)
                  } after ${at} bytes: ${message}`,
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
