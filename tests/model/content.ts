/**
 * Contents of files that show whose they are: every 16 bytes name the version of the file and their place in it,
 * so that a block of another file, of an older version or of another place is always recognized.
 *
 * @module
 */

/** Bytes of one record: `s0000012:000345` and LF. */
export const RECORD = 16;

/** One version of one file. */
export interface Content {
  /** Unique among all contents of a run. */
  readonly serial: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Makes a content of any size. */
export function makeContent(serial: number, size: number): Content {
  const bytes = new Uint8Array(Math.ceil(size / RECORD) * RECORD);
  const head = new TextEncoder().encode(`s${pad(serial, 7)}:`);
  for (let at = 0, block = 0; at < bytes.length; at += RECORD, block++) {
    bytes.set(head, at);
    for (let digit = at + 14, rest = block; digit > at + 8; digit--) {
      bytes[digit] = 0x30 + rest % 10;
      rest = Math.floor(rest / 10);
    }
    bytes[at + 15] = 0x0a;
  }
  return { serial, bytes: bytes.slice(0, size) };
}

/** Returns the lines as a transfer in ASCII does. */
export function linesOf({ bytes }: Content): string[] {
  const lines = new TextDecoder().decode(bytes).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Parts of two contents that must be equal. */
export interface Extent {
  /** Position of the received bytes in the expected ones. */
  readonly offset?: number;
  /** Whether the beginning is enough. @default {false} */
  readonly isPartial?: boolean;
}

/** Finds an error in the bytes, or returns `undefined`. */
export function differenceOf(
  found: Uint8Array,
  { serial, bytes }: Content,
  { offset = 0, isPartial = false }: Extent = {},
): string | undefined {
  const expected = bytes.subarray(offset);
  const limit = Math.min(found.length, expected.length);
  let at = 0;
  while (at < limit && found[at] === expected[at]) at++;
  const isRight = at === found.length &&
    (isPartial || found.length === expected.length);
  if (isRight) return undefined;
  const what = JSON.stringify(
    new TextDecoder().decode(found.subarray(at, at + 3 * RECORD)),
  );
  return `${found.length} bytes, where ${expected.length} of content ${serial} are right, that differ from byte ${at} on: ${what}`;
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, "0");
}
