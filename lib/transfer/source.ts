/**
 * Sources of an upload.
 *
 * @module
 */

/**
 * Bytes to upload. A stream or an iterator is read once, and ended if the
 * transfer fails or is refused; one that was read before is rejected. An open
 * file, or another reader, is read from its current position, and stays open.
 * `read` fills `buffer` and returns the number of bytes, at least one, or `null`
 * at the end.
 */
export type Source =
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | Blob
  | Uint8Array
  | { read(buffer: Uint8Array): Promise<number | null> };

/** A reader that is read piece by piece, such as `Deno.FsFile`. */
export type ByteReader = Extract<Source, { read: unknown }>;

/**
 * Rejects a block size that is not a positive integer.
 *
 * @throws {RangeError} Unless it is a positive integer
 */
export function checkBlocksize(blocksize: number): void {
  if (Number.isSafeInteger(blocksize) && blocksize > 0) return;
  throw new RangeError(
    `Cannot use blocks of ${blocksize} bytes: blocksize must be a positive integer`,
  );
}

/** Advice about other sources. */
const ADVICE =
  "pass a ReadableStream, an iterable of Uint8Array, a Blob, a Uint8Array or an open file";

/** Largest number of empty reads in a row before the end. */
const MAX_EMPTY_READS = 100;

/** Generators that were read, which would seem to be empty. */
const readGenerators = new WeakSet<object>();

/**
 * Reads the pieces of a source.
 *
 * @param blocksize Size of one read of a file, and longest piece of a
 * `Uint8Array`, in bytes
 * @returns The pieces. One that was read from a file is valid until the next
 * @throws {TypeError} If the source is not usable, as far as can be checked
 * before it is read
 */
export function chunksOf(
  source: Source,
  blocksize: number,
): AsyncIterable<Uint8Array> {
  checkSource(source);
  if (source instanceof Uint8Array) return slices(source, blocksize);
  if (source instanceof Blob) return checked(source.stream());
  return isIterable(source) ? checked(source) : readPieces(source, blocksize);
}

/**
 * Rejects a source that is not usable, as far as can be checked before it is
 * read.
 *
 * @throws {TypeError} If it is another value, or a stream or generator that was
 * read before
 */
export function checkSource(source: Source): void {
  const kind = kindOf(source);
  if (source instanceof Uint8Array || source instanceof Blob) return;
  if (ArrayBuffer.isView(source) || kind === "ArrayBuffer") {
    throw new TypeError(
      `Cannot upload from a value of type object (${kind}): new Uint8Array(${
        kind === "ArrayBuffer"
          ? "it"
          : "it.buffer, it.byteOffset, it.byteLength"
      }) contains its bytes`,
    );
  }
  const isReader = hasMethod(source, "read");
  if (typeof source === "string" || !(isReader || isIterable(source))) {
    throw new TypeError(
      `Cannot upload from ${
        typeof source === "string"
          ? "a string"
          : source === null || source === undefined
          ? source
          : `a value of type ${typeof source} (${kind})`
      }: ${ADVICE} (new TextEncoder().encode(text) converts text)`,
    );
  }
  if (Array.isArray(source)) { for (const chunk of source) checkChunk(chunk); }
  const isSpent = source instanceof ReadableStream
    ? isUsed(source)
    : readGenerators.has(source);
  if (!isSpent) return;
  throw new TypeError(
    `Cannot upload from a source (${kind}) that is locked or was read before: its bytes may be lost (stream.pipeThrough(new TransformStream()) returns the rest of a stream)`,
  );
}

/** Returns the name of a value's kind: "Uint16Array", "Promise". */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Whether a stream is locked or was read; only `Response` shows the latter. */
function isUsed(stream: ReadableStream<Uint8Array>): boolean {
  try {
    new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>);
    return false;
  } catch {
    return true;
  }
}

/**
 * Whether a value is iterable. Checked before `read()`, because streams of Node
 * have another `read()` than files.
 */
function isIterable(
  value: unknown,
): value is AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return hasMethod(value, Symbol.asyncIterator) ||
    hasMethod(value, Symbol.iterator);
}

function hasMethod<Name extends string | symbol>(
  value: unknown,
  name: Name,
): value is Record<Name, () => unknown> {
  return typeof (value as Record<Name, unknown> | null)?.[name] === "function";
}

async function* slices(
  bytes: Uint8Array,
  blocksize: number,
): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += blocksize) {
    yield bytes.subarray(start, start + blocksize);
  }
}

async function* readPieces(
  reader: ByteReader,
  blocksize: number,
): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(blocksize);
  for (let empty = 0; empty < MAX_EMPTY_READS;) {
    const n = await reader.read(buffer);
    if (n === null) return;
    if (!Number.isInteger(n) || n < 0 || n > blocksize) {
      throw new TypeError(
        `Cannot upload from a reader whose read() returns ${
          String(n)
        }: it must return the number of bytes, 1 to ${blocksize} here, or null at the end`,
      );
    }
    if (n > 0) {
      empty = 0;
      yield buffer.subarray(0, n);
    } else {
      empty++; // bytes may come after others had their turn
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
  throw new TypeError(
    `Cannot upload from a reader whose read() returns 0, ${MAX_EMPTY_READS} times in a row: it must return null at the end`,
  );
}

/**
 * Checks the chunks of a source. Not a generator, because a generator cannot be
 * ended while it waits for a chunk, and a silent stream can be cancelled. A
 * source that was not read is left alone.
 */
function checked(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      let iterator:
        | AsyncIterator<Uint8Array>
        | Iterator<Uint8Array>
        | undefined;
      let isEnded = false;
      async function end(): Promise<IteratorResult<Uint8Array>> {
        const wasEnded = isEnded;
        isEnded = true;
        if (!wasEnded) await iterator?.return?.();
        return { done: true, value: undefined };
      }
      return {
        async next() {
          let result: IteratorResult<Uint8Array>;
          try {
            result = await (iterator ??= iteratorOf(chunks)).next();
          } catch (error) {
            isEnded = true; // ended by itself
            throw error;
          }
          if (result.done) {
            isEnded = true;
            return result;
          }
          if (!(result.value instanceof Uint8Array)) await end();
          checkChunk(result.value);
          return result;
        },
        return: end,
      };
    },
  };
}

function iteratorOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
  if (kindOf(chunks).endsWith("Generator")) readGenerators.add(chunks);
  if (chunks instanceof ReadableStream) return readerOf(chunks);
  return Symbol.asyncIterator in chunks
    ? chunks[Symbol.asyncIterator]()
    : chunks[Symbol.iterator]();
}

/**
 * Reads a stream. Its own iterator would wait for a chunk before it cancels.
 */
function readerOf(
  stream: ReadableStream<Uint8Array>,
): AsyncIterator<Uint8Array> {
  const reader = stream.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      if (!done) return { done, value };
      reader.releaseLock();
      return { done, value: undefined };
    },
    async return() {
      await reader.cancel();
      reader.releaseLock();
      return { done: true, value: undefined };
    },
  };
}

function checkChunk(chunk: unknown): void {
  if (chunk instanceof Uint8Array) return;
  throw new TypeError(
    `Cannot upload a chunk of type ${typeof chunk}: the source must return Uint8Array`,
  );
}
