/**
 * Types of the parts of `@std/streams` that the tests and examples use: the
 * npm package has none.
 *
 * @module
 */

export class TextLineStream extends TransformStream<string, string> {
  constructor(options?: { allowCR?: boolean });
}

export function toBytes(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>>;

export function toText(stream: ReadableStream): Promise<string>;
