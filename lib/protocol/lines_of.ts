/**
 * Lines of bytes, whatever they say.
 *
 * @module
 */

const LF = 0x0A;

/**
 * Cuts bytes into lines, each with its end.
 *
 * @param block The bytes; the last line may have no end
 * @returns The lines
 */
export function* linesOf(block: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < block.length;) {
    const end = block.indexOf(LF, start) + 1 || block.length;
    yield block.subarray(start, end);
    start = end;
  }
}
