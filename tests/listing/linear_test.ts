/** Any listing is read in time that is linear in its length. */

import { assert, assertEquals } from "@std/assert";
import { FORMATS } from "../../lib/listing/formats.ts";
import { ListingReader } from "../../lib/listing/listing_reader.ts";
import { chooseCount } from "../testing/random.ts";
import { assertLinear, LONG, UNITS } from "../testing/linear.ts";

/** Whole lines, with all that is read from them. */
function readAll(bytes: Uint8Array, format: string, size = 8192): number {
  const reader = new ListingReader({ format, onSelf: () => {} });
  let count = 0;
  const take = (entries: ReturnType<ListingReader["end"]>) => {
    for (const entry of entries) {
      count++;
      assert(entry.toJSON() !== undefined && entry.rawName.length >= 0);
      assertEquals(typeof entry.hostile, "boolean");
    }
  };
  for (let at = 0; at < bytes.length; at += size) {
    take(reader.push(bytes.subarray(at, at + size)));
  }
  take(reader.end());
  return count;
}

/** Lines of the three usual formats; the rare ones have theirs in files. */
const USUAL: Record<string, string[]> = {
  mlsd: [
    "type=file;size=3;modify=20240101000000;UNIX.groupname=domain users; a.txt",
    "type=OS.unix=symlink;unique=1; a",
  ],
  unix: [
    "-rw-r--r--   1 owner group     42 Mar 25 10:00 notes.txt",
    "lrwxrwxrwx   1 owner           11 2024-03-25 10:00 a -> b",
    "brw-r--r--   1 domain users 10, 3 25. Mar 10:00 x",
  ],
  dos: [
    "04-27-00  09:09PM       <DIR>          licensed",
    "2004-07-15  18:32  1,234,567 a",
    "04-27-00  09:09PM  <JUNCTION>  a [C:\\b]",
  ],
};

function linesOf(format: string): string[] {
  const usual = USUAL[format];
  if (usual !== undefined) return usual;
  const file = `../testdata/listings/${format.replaceAll("-", "_")}.txt`;
  const lines = Deno.readTextFileSync(new URL(file, import.meta.url))
    .split(/\r?\n/);
  return lines.filter((line) => line !== "");
}

const LISTED = [...Object.keys(USUAL), ...FORMATS.map(({ name }) => name)];

/** Places in the lines of a format: most of the others are of the same kind. */
const MAX_PLACES = chooseCount(6, "FTP_LINEAR_PLACES");

/** Texts to insert at each position. */
const INSERTED = [
  ...[" ", "\r", ".", ";", "=", "/", "-", "0", "1 ", "a", "*", "(", " [", ":"],
  ...[" -> ", "<DIR> ", "a=", ";=", "\u00E9", " 1 Jan", "\u5E74"],
]; // deno-fmt-ignore

for (const format of LISTED) {
  Deno.test(`ListingReader takes linear time for lines of ${format} that are blown up`, () => {
    const seen = new Set<string>();
    for (const line of linesOf(format)) {
      // the place behind each word, and behind each sign
      for (const { index } of line.matchAll(/\b|(?=\W)|$/g)) {
        const head = line.slice(0, index);
        const shape = head.replace(/\d+/g, "0").replace(/[A-Za-z]+/g, "a");
        if (seen.has(shape) || seen.size === MAX_PLACES) continue;
        seen.add(shape);
        for (const tail of new Set([line.slice(index), ""])) {
          assertLinear(
            `${format} with ${JSON.stringify([head, tail])}`,
            (text) => readAll(new TextEncoder().encode(text), format),
            [[head, `${tail}\r\n`]],
            INSERTED,
            { length: LONG / 6 },
          );
        }
      }
    }
    assert(seen.size > 3);
  });
}

for (const format of ["auto", ...LISTED]) {
  Deno.test(`ListingReader takes linear time for any listing, as ${format}`, () => {
    const count = assertLinear(
      format,
      (text) => readAll(new TextEncoder().encode(text), format),
      [["", ""], ["a", "\nb\r\n"]],
      UNITS,
      { length: LONG / 6 },
    );
    assert(count > UNITS.length);
  });
}

Deno.test("ListingReader takes linear time for lines that come a few bytes at a time", () => {
  const units = ["\r", "a", " ", "\n", "\r\n", "a=b;"];
  assertLinear(
    "a few bytes at a time",
    (text) => readAll(new TextEncoder().encode(text), "auto", 1),
    [["", ""]],
    units,
  );
});
