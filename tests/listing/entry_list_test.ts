/** Entries that were kept are those that were read. */

import { assert, assertEquals } from "@std/assert";
import type { Entry } from "../../lib/listing/entry.ts";
import { EntryList } from "../../lib/listing/entry_list.ts";
import { ListingReader } from "../../lib/listing/listing_reader.ts";

/** Lines in each listing: several blocks of the scanner's. */
const LINES = 6000;

/** A listing of each kind, by line. */
const LISTINGS: Record<string, (at: number) => string> = {
  "MLSD": (at) => `type=file;size=${at};modify=20240229120000; name ${at}`,
  "MLSD with names that are not ASCII": (at) => `type=dir; n\u00e4me ${at}`,
  "MLSD with links whose targets follow": (at) =>
    at % 2 === 0
      ? `type=OS.unix=symlink;unique=${at}; link ${at}`
      : `type=file;size=1;unique=${at - 1}; /elsewhere/${at}`,
  "Unix": (at) => `-rw-r--r-- 1 ann staff ${at} Mar 25 10:00 name ${at}`,
  "Unix with padded columns": (at) =>
    `-rw-r--r-- 1 ann staff ${at} Mar 25 2003   name ${at}`,
  "Unix with links": (at) =>
    `lrwxrwxrwx 1 ann staff 4 Mar 25 10:00 link ${at} -> file ${at}`,
  "DOS": (at) => `03-25-24  10:00AM       <DIR>          name ${at}`,
  "EPLF": (at) => `+i8388621.${at},m825718503,r,s${at},\tname ${at}`,
  "lines of several formats": (at) =>
    at % 5 === 0
      ? `?? odd line ${at}`
      : `-rw-r--r-- 1 ann staff ${at} Mar 25 10:00 name ${at}`,
};

function read(line: (at: number) => string): Entry[] {
  const reader = new ListingReader({ now: new Date("2024-06-01T00:00:00Z") });
  const text = Array.from({ length: LINES }, (_, at) => `${line(at)}\r\n`);
  const bytes = new TextEncoder().encode(text.join(""));
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; at += 10_000) {
    // a loop, because push(...entries) has a limit
    const some = reader.push(bytes.subarray(at, at + 10_000));
    for (const entry of some) entries.push(entry);
  }
  for (const entry of reader.end()) entries.push(entry);
  return entries;
}

for (const [title, line] of Object.entries(LISTINGS)) {
  Deno.test(`EntryList returns the entries that it was given: ${title}`, () => {
    const expected = read(line).map((entry) => entry.toJSON());
    assert(expected.length >= LINES / 2, `${expected.length} entries`);
    const list = new EntryList();
    for (const entry of read(line)) list.push(entry);
    assertEquals(list.length, expected.length);
    for (const fields of expected) {
      assertEquals(list.shift()?.toJSON(), fields);
    }
    assertEquals(list.shift(), undefined);
    assertEquals(list.length, 0);
  });
}

Deno.test("EntryList takes entries that are added while others are taken", () => {
  const entries = read(LISTINGS.MLSD!);
  const list = new EntryList();
  const names: (string | undefined)[] = [];
  for (const [at, entry] of entries.entries()) {
    list.push(entry);
    if (at % 3 > 0) names.push(list.shift()?.name);
  }
  while (list.length > 0) names.push(list.shift()?.name);
  assertEquals(names, entries.map(({ name }) => name));
});
