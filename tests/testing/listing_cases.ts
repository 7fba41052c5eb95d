/**
 * Shared by the tests of listings.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Entry } from "../../lib/listing/entry.ts";
import type { ListingReaderOptions } from "../../lib/listing/listing_options.ts";
import { ListingReader } from "../../lib/listing/listing_reader.ts";

/** The clock of the tests. */
export const NOW = new Date("2024-06-15T12:00:00Z");

/** One line and what its entry must be: only the fields that are named. */
export type Case = readonly [line: string, expected: Record<string, unknown>];

/** The entry of a line that no format can read. */
export function unknown(line: string): Case {
  return [line, { kind: "unknown", format: "unknown", name: line, line }];
}

/** Text to bytes; a `Uint8Array` stays as it is. */
export function toBytes(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? new TextEncoder().encode(text) : text;
}

/** Text of one character a byte to those bytes. */
export function fromByteText(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Reads a whole listing. The chunks' memory is spoiled after each push. */
export function readListing(
  listing: string | Uint8Array,
  options: ListingReaderOptions = {},
  size = Infinity,
  firstSize = size,
): Entry[] {
  const bytes = toBytes(listing);
  const reader = new ListingReader({ now: NOW, ...options });
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + (at === 0 ? firstSize : size));
    const chunk = bytes.slice(at, end);
    entries.push(...reader.push(chunk));
    chunk.fill(0x21);
    at = end;
  }
  entries.push(...reader.end());
  return entries;
}

/** All that an entry tells, as one value. */
export function fieldsOf(entry: Entry): Record<string, unknown> {
  return {
    ...entry.toJSON(),
    rawName: [...entry.rawName].join(" "),
    isSizeApproximate: entry.isSizeApproximate,
    hostile: entry.hostile,
  };
}

/** Asserts the named fields of an entry. */
export function assertEntry(
  entry: Entry | undefined,
  expected: Record<string, unknown>,
  line: string,
): void {
  const actual: Record<string, unknown> = {};
  for (const key of Object.keys(expected)) {
    const value = entry?.[key as keyof Entry];
    actual[key] = value instanceof Date ? value.toISOString() : value;
  }
  assertEquals(actual, expected, line);
}

/** Reads each line alone, and asserts its one entry. */
export function assertCases(
  cases: readonly Case[],
  options: ListingReaderOptions = {},
): void {
  for (const [line, expected] of cases) {
    const entries = readListing(`${line}\r\n`, options);
    assertEquals(entries.length, 1, line);
    assertEntry(entries[0], expected, line);
  }
}

/** Asserts that every way of cutting a listing gives the same entries. */
export function assertSplitProof(
  listing: string | Uint8Array,
  options: ListingReaderOptions = {},
): void {
  const bytes = toBytes(listing);
  const whole = readListing(bytes, options).map(fieldsOf);
  assert(whole.length > 0, "an empty listing proves nothing");
  const expected = JSON.stringify(whole);
  const assertSame = (entries: Entry[], how: string): void => {
    const fields = entries.map(fieldsOf);
    // The values are compared one by one only where they differ: it takes long.
    if (JSON.stringify(fields) !== expected) assertEquals(fields, whole, how);
  };
  assertSame(readListing(bytes, options, 1), "byte by byte");
  for (let at = 1; at < bytes.length; at++) {
    assertSame(readListing(bytes, options, Infinity, at), `cut at ${at}`);
  }
}
