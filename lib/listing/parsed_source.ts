/**
 * Entries that were read in TypeScript, or not at all: one for each source.
 *
 * @module
 */

import type { EntryKind, EntrySource, TimePrecision } from "./entry.ts";
import type { ParsedLine } from "./listing_format.ts";

/** The line of a {@linkcode ParsedSource}. */
export interface ParsedEntry {
  /** The result of the format. */
  parsed: ParsedLine;
  /** The line, one character for each byte. */
  line: string;
  /** Name of the format. */
  format: string;
  /** Decodes bytes in the session's encoding. */
  decode: (bytes: Uint8Array) => string;
}

/** A line that was read. */
export class ParsedSource implements EntrySource {
  readonly #parsed: ParsedLine;
  readonly #line: string;
  readonly #format: string;
  readonly #decode: (bytes: Uint8Array) => string;

  /** Creates a source. */
  constructor(entry: ParsedEntry) {
    this.#parsed = entry.parsed;
    this.#line = entry.line;
    this.#format = entry.format;
    this.#decode = entry.decode;
  }

  #text(text: string | undefined): string | undefined {
    return text === undefined ? undefined : this.#decode(toBytes(text));
  }

  name(): string {
    return this.#decode(toBytes(this.#parsed.name));
  }

  rawName(): Uint8Array {
    return toBytes(this.#parsed.path ?? this.#parsed.name);
  }

  path(): string {
    return this.#decode(this.rawName());
  }

  kind(): EntryKind {
    return this.#parsed.kind;
  }

  size(): number | undefined {
    return this.#parsed.size;
  }

  isSizeApproximate(): boolean {
    return this.#parsed.isSizeApproximate ?? false;
  }

  mtime(): Date | undefined {
    return this.#parsed.mtime && new Date(this.#parsed.mtime);
  }

  mtimePrecision(): TimePrecision | undefined {
    return this.#parsed.mtime && this.#parsed.mtimePrecision;
  }

  mode(): number | undefined {
    return this.#parsed.mode;
  }

  linkTarget(): string | undefined {
    return this.#text(this.#parsed.linkTarget);
  }

  owner(): string | undefined {
    return this.#text(this.#parsed.owner);
  }

  group(): string | undefined {
    return this.#text(this.#parsed.group);
  }

  facts(): Record<string, string> | undefined {
    return this.#format === "mlsd" ? {} : undefined;
  }

  line(): string {
    return this.#decode(toBytes(this.#line));
  }

  lineLength(): number {
    return this.#line.length;
  }

  format(): string {
    return this.#format;
  }
}

/** Converts a text of one character for each byte to these bytes. */
export function toBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Converts bytes to a text of one character for each byte. */
export function toByteText(bytes: Uint8Array): string {
  const ascii = decoder.decode(bytes);
  // as long as the bytes, and without a replacement character: all ASCII
  if (ascii.length === bytes.length && !ascii.includes("\uFFFD")) return ascii;
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    const piece = bytes.subarray(i, i + 8192) as unknown as number[];
    text += String.fromCharCode.apply(null, piece);
  }
  return text;
}

/** Many times as fast as fromCharCode() for each byte. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
