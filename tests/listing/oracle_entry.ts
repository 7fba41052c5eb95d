/**
 * The oracle's entries.
 *
 * @module
 */

/**
 * The oracle's result: the fields of an entry, with one character for each byte
 * in texts.
 */
export interface OracleEntry {
  format: "mlsd" | "unix" | "dos";
  kind: string;
  name: string;
  size: number | undefined;
  mtime: number | undefined;
  precision: string | undefined;
  mode: number | undefined;
  target: string | undefined;
  owner: string | undefined;
  group: string | undefined;
}

/** A size that is never rounded. */
export function toSize(digits: string): number | undefined {
  const size = BigInt(digits);
  return size > Number.MAX_SAFE_INTEGER ? undefined : Number(size);
}
