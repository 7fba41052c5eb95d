import { assertCases, type Case } from "../testing/listing_cases.ts";

/** Sizes, times and modes that a server may write, and that are none. */
const MLSD: readonly Case[] = [
  ["type=file;size=0x10; a", { size: undefined }],
  ["type=file;size=1e3; a", { size: undefined }],
  ["type=file;size=+5; a", { size: undefined }],
  ["type=file;size=-5; a", { size: undefined }],
  ["type=file;size=1_000; a", { size: undefined }],
  ["type=file;size=1,000; a", { size: undefined }],
  ["type=file;size=5.0; a", { size: undefined }],
  ["type=file;size=Infinity; a", { size: undefined }],
  ["type=file;size=9007199254740993; a", { size: undefined }],
  ["type=file;unix.mode=0o644; a", { mode: undefined }],
  ["type=file;unix.mode=0x1ff; a", { mode: undefined }],
  ["type=file;unix.mode=00000000644; a", { mode: undefined }],
  ["type=file;unix.mode=689; a", { mode: undefined }],
  ["type=file;modify=00010101000000; a", {
    mtime: undefined,
    mtimePrecision: undefined,
  }],
  ["type=file;modify=16010101000000; a", { mtime: undefined }],
  ["type=file;modify=18581117000000; a", { mtime: undefined }],
  ["type=file;modify=99991231235959; a", { mtime: undefined }],
  ["type=file;modify=19691231235959; a", {
    mtime: "1969-12-31T23:59:59.000Z",
    mtimePrecision: "second",
  }],
  ["type=file;modify=0x230201111632; a", { mtime: undefined }],
  ["type=file;modify=2.0230201111e13; a", { mtime: undefined }],
];

Deno.test("ListingReader ignores invalid sizes, times and modes of MLSD", () => {
  assertCases(MLSD);
});

Deno.test("ListingReader takes no time of LIST that is a clock's zero or end", () => {
  assertCases([
    ["-rw-r--r-- 1 a b 5 Jan  1  1601 a", {
      name: "a",
      size: 5,
      mtime: undefined,
      mtimePrecision: undefined,
    }],
    ["-rw-r--r-- 1 a b 5 Jan  1  1970 a", {
      mtime: "1970-01-01T00:00:00.000Z",
    }],
    ["01-01-1601  12:00AM       5 a", { name: "a", mtime: undefined }],
  ]);
});
