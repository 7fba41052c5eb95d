/**
 * What can be uploaded: anything that bytes can be had from.
 *
 * @module
 */

/** Something that is read piece by piece, as `Deno.FsFile` is. */
export interface ByteReader {
  /** Reads at least one byte; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/**
 * Bytes to upload. A stream or an iterator is read once and ended when the
 * transfer fails; an open file is read from where it stands and stays open.
 */
export type Source =
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | Blob
  | Uint8Array
  | ByteReader;

/**
 * Insists on a block size that gets somewhere.
 *
 * @param blocksize The size, in bytes
 * @throws {RangeError} Unless it is a positive integer
 */
export function checkBlocksize(blocksize: number): void {
  if (Number.isSafeInteger(blocksize) && blocksize > 0) return;
  throw new RangeError(
    `Cannot use blocks of ${blocksize} bytes: blocksize must be a positive integer`,
  );
}

/**
 * The pieces of a source.
 *
 * @param source The source
 * @param blocksize Size of one read of a file, and longest piece of a
 * `Uint8Array`, in bytes
 * @returns The pieces. One that was read from a file is valid until the next
 * @throws {TypeError} If the source is nothing that bytes can be had from
 */
export function chunksOf(
  source: Source,
  blocksize: number,
): AsyncIterable<Uint8Array> {
  if (source instanceof Uint8Array) return slices(source, blocksize);
  if (source instanceof Blob) return checked(source.stream());
  if (hasMethod(source, "read")) return reads(source, blocksize);
  if (
    hasMethod(source, Symbol.asyncIterator) ||
    (hasMethod(source, Symbol.iterator) && typeof source !== "string")
  ) {
    return checked(
      source as AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    );
  }
  throw new TypeError(
    `Cannot upload from ${
      typeof source === "string"
        ? "a string"
        : `a value of type ${typeof source}`
    }: give a ReadableStream, an iterable of Uint8Array, a Blob, a Uint8Array or an open file (new TextEncoder().encode(text) makes bytes of text)`,
  );
}

function hasMethod<Name extends string | symbol>(
  value: unknown,
  name: Name,
): value is Record<Name, (buffer: Uint8Array) => Promise<number | null>> {
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

async function* reads(
  reader: ByteReader,
  blocksize: number,
): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(blocksize);
  while (true) {
    const n = await reader.read(buffer);
    if (n === null) return;
    yield buffer.subarray(0, n);
  }
}

async function* checked(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (!(chunk instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot upload a chunk of type ${typeof chunk}: the source must give Uint8Array`,
      );
    }
    yield chunk;
  }
}
