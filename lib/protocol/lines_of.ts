/**
 * Splits bytes into lines.
 *
 * @module
 */

const LF = 0x0A;

/**
 * Splits bytes into lines, each with its line end; the last line may have none.
 */
export function* linesOf(block: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < block.length;) {
    const end = block.indexOf(LF, start) + 1 || block.length;
    yield block.subarray(start, end);
    start = end;
  }
}
