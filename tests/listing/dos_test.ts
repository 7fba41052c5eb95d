import {
  assertCases,
  assertSplitProof,
  type Case,
  unknown,
} from "../testing/listing_cases.ts";

const LINES: readonly Case[] = [
  ["04-27-00  12:09PM       <DIR>          soft dir", {
    name: "soft dir",
    kind: "directory",
    size: undefined,
    mtime: "2000-04-27T12:09:00.000Z",
    mtimePrecision: "minute",
    format: "dos",
  }],
  ["04-14-00  03:47PM                  589 readme.htm", {
    name: "readme.htm",
    kind: "file",
    size: 589,
    mtime: "2000-04-14T15:47:00.000Z",
  }],
  ["12-05-96  05:03PM       <DIR>          absolut2", {
    mtime: "1996-12-05T17:03:00.000Z",
  }],
  ["10-21-2012  12:08AM                 5 midnight", {
    mtime: "2012-10-21T00:08:00.000Z",
  }],
  ["10-21-2012  12:08 AM                 5 blank", {
    mtime: "2012-10-21T00:08:00.000Z",
    name: "blank",
  }],
  ["01-01-69  01:00AM                 5 y69", {
    mtime: "2069-01-01T01:00:00.000Z",
  }],
  ["01-01-70  01:00AM                 5 y70", {
    mtime: "1970-01-01T01:00:00.000Z",
  }],
  ["04-14-99  14:26       <DIR>          24h", {
    mtime: "1999-04-14T14:26:00.000Z",
  }],
  ["2002-09-02  18:48       <DIR>          iso dir", {
    name: "iso dir",
    mtime: "2002-09-02T18:48:00.000Z",
  }],
  ["2002-09-02  19:06                9,730 iso file", {
    name: "iso file",
    size: 9730,
  }],
  ["02.09.2002  19:06            1.234.567 dotted", {
    name: "dotted",
    size: 1234567,
    mtime: "2002-09-02T19:06:00.000Z",
  }],
  ["27/04/2000  19:06                    1 day first", {
    mtime: "2000-04-27T19:06:00.000Z",
  }],
  ["02-09-2002  07:06p                 1 short half", {
    mtime: "2002-02-09T19:06:00.000Z",
  }],
  ["02-09-2002  07:06:09                 1 seconds", {
    mtime: "2002-02-09T07:06:09.000Z",
    mtimePrecision: "second",
  }],
  // Names
  ["04-14-00  03:47PM                  589   two leading", {
    name: "  two leading",
  }],
  ["04-14-00  03:47PM                  589 trailing ", { name: "trailing " }],
  ["04-27-00  12:09PM       <DIR>            two leading", {
    name: "  two leading",
    kind: "directory",
  }],
  ["04-27-00  12:09PM       <DIR> one blank", { name: "one blank" }],
  ["04-14-00  03:47PM                  589 1,2 3", { name: "1,2 3" }],
  ["04-14-00  03:47PM                  589 a/b", { hostile: true }],
  ["04-14-00  03:47PM   9007199254740993 big", { size: undefined }],
  // Links
  ["04-27-00  12:09PM       <JUNCTION>     Docs [C:\\Users\\x]", {
    name: "Docs",
    kind: "symlink",
    linkTarget: "C:\\Users\\x",
  }],
  ["04-27-00  12:09PM       <SYMLINKD>     link [..\\x]", {
    name: "link",
    kind: "symlink",
    linkTarget: "..\\x",
  }],
  ["04-27-00  12:09PM       <SYMLINK>      file [a]", {
    name: "file",
    linkTarget: "a",
  }],
  // Not of this format
  unknown("04-27-00  12:09XM       <DIR>          x"),
  unknown("13-32-00  12:09PM       <DIR>          x"),
  unknown("02-30-00  12:09PM                    1 x"),
  unknown("04-27-00  25:09                      1 x"),
  unknown("04-27-00  13:09PM                    1 x"),
  unknown("04-27-00  12:09PM       <DIRE>         x"),
  unknown("04-27-00  12:09PM                  1,23 x"),
  unknown("04-27-00  12:09PM                  x12 x"),
  unknown("04-27-00  12:09PM                  12"),
  unknown("04-27-00"),
];

Deno.test("ListingReader reads every line of DOS in the table", () => {
  assertCases(LINES);
});

Deno.test("ListingReader reads DOS the same for every cutting", () => {
  const lines = LINES.map(([line]) => line);
  for (let at = 0; at < lines.length; at += 5) {
    assertSplitProof(lines.slice(at, at + 5).join("\r\n"));
  }
});

Deno.test("ListingReader reads times of DOS in the given zone", () => {
  assertCases([
    ["04-14-00  03:47PM                  589 f", {
      mtime: "2000-04-14T13:47:00.000Z",
    }],
  ], { zone: 120 });
});
