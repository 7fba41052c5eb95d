/**
 * A buffer for small files, which is used again: clearing a new one takes longer
 * than reading a small file.
 *
 * @module
 */

/** Size of the buffer, in bytes. */
export const SHARED_SIZE = 16 * 1024;

let spare: Uint8Array<ArrayBuffer> | undefined;

/** Returns a buffer that nothing else uses. It may have old bytes. */
export function borrowBuffer(): Uint8Array<ArrayBuffer> {
  const buffer = spare ?? new Uint8Array(SHARED_SIZE);
  spare = undefined;
  return buffer;
}

/** Takes back a buffer. No read into it may be pending. */
export function returnBuffer(buffer: Uint8Array<ArrayBuffer>): void {
  spare = buffer;
}
