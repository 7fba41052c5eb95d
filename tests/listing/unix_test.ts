import { assertEquals } from "@std/assert";
import {
  assertCases,
  assertSplitProof,
  type Case,
  fromByteText,
  NOW,
  readListing,
  unknown,
} from "../testing/listing_cases.ts";

const LINES: readonly Case[] = [
  // Names
  ["drwxr-xr-x    3 110      1002            3 Dec 02  2009 pub", {
    name: "pub",
    kind: "directory",
    size: 3,
    owner: "110",
    group: "1002",
    mode: 0o755,
    mtime: "2009-12-02T00:00:00.000Z",
    mtimePrecision: "day",
    format: "unix",
  }],
  [
    "drwxr-xr-x    3 110      1002            3 Dec 02  2009 spaces   dir   name",
    {
      name: "spaces   dir   name",
    },
  ],
  ["-rw-r--r--    1 110      1002            3 Dec 02  2009  foo bar ", {
    name: " foo bar ",
  }],
  ["drwxr-xr-x   2 user group  4096 Mar  2 15:13   zxbox", {
    name: "  zxbox",
  }],
  ["-rw-r--r-- 1 u g 5 Mar 17 11:07 test 1999 abc.pdf", {
    name: "test 1999 abc.pdf",
    size: 5,
  }],
  ["-rw-r--r-- 1 u g 5 Mar 19 09:34 123 456 abc.csv", {
    name: "123 456 abc.csv",
  }],
  ["-rw-r--r-- 1 u g 5 Jan  1  2000 01 1234 foo.mp3", {
    name: "01 1234 foo.mp3",
  }],
  ["-rw-r--r-- 1 u g 5 Jan  1  2000 7 Jan 1 2001 x", {
    name: "7 Jan 1 2001 x",
    size: 5,
  }],
  ["-rw-r--r-- 1 u g 5 Jan  1  2000 abc(test)123.pdf", {
    name: "abc(test)123.pdf",
  }],
  ["-rw-r--r-- 1 u g 5 Jan  1  2000 bloplab 7 cd1.img", {
    name: "bloplab 7 cd1.img",
  }],
  ["-rw-r--r-- 1 u g 5 Jan  1  2000 2016031611G087802-001.newsml", {
    name: "2016031611G087802-001.newsml",
  }],
  ["-rw-r--r-- 1 u g 5 Jan  1  2000 a -> b", { name: "a -> b", kind: "file" }],
  ["-rw-r--r-- 1 u g 5 Mar 17 11:07 2016 x", { name: "2016 x" }],
  ["-rw-r--r-- 1 u g 5 Mar 17 11:07 am", { name: "am" }],
  ["-rw-r--r-- 1 u g 5 Jan  1  2000 next\u0085line\u2028x", {
    name: "next\u0085line\u2028x",
  }],
  ["-rw-r--r-- 1 u g 5 Jan  1  2000 ", { name: "", hostile: true }],
  ["-rw-r--r-- 1 u g 5 Jan  1  2000 a/b", { hostile: true }],
  // Owners and groups
  ["drwxr-xr-x   1 usernameftp 512 Jan 29 23:32 prog", {
    name: "prog",
    owner: "usernameftp",
    group: undefined,
    size: 512,
  }],
  ["-rw-r--r--   1 1        3518644 May 25 12:12 std", {
    name: "std",
    owner: "1",
    size: 3518644,
    group: undefined,
  }],
  ["dr-xr-xr-x   2 root                  512 Apr  8  1994 etc", {
    name: "etc",
    owner: "root",
    size: 512,
  }],
  ["drwxr-xr-x   2 maxm Domain Users 512 Oct 2 10:59 .metadata", {
    name: ".metadata",
    owner: "maxm",
    group: "Domain Users",
    size: 512,
  }],
  ["drwxr-xr-x   2 john smith     test group 4096 Mar  2 15:13 zxbox", {
    owner: "john smith",
    group: "test group",
    size: 4096,
  }],
  ["-rw-r--r--   1 user     my group 500        5000000000 Mar  2 15:13 big", {
    owner: "user",
    group: "my group 500",
    size: 5000000000,
    name: "big",
  }],
  [
    "drwxr-xr-x 4 maxm a b c d e f g h i j k l m n 512 Oct 2 10:59 .eclipse",
    { owner: "maxm", group: "a b c d e f g h i j k l m n", size: 512 },
  ],
  ["-rw-r--r--   1 group domain user 531 Jan 29 03:26 domain file", {
    owner: "group",
    group: "domain user",
    name: "domain file",
  }],
  ["drwxr-x---+1464 chrism grp 12 Jan 30 11:42 acl", {
    owner: "chrism",
    group: "grp",
  }],
  ["-rw-r--r-- owner group 123 Jan  1  2000 no links", {
    owner: "owner",
    group: "group",
    name: "no links",
  }],
  // Mac OS: NetPresenz, Peter
  ["drwxr-xr-x               folder        0 Aug 15 05:49 !!!-Tipp des Haus!", {
    kind: "directory",
    name: "!!!-Tipp des Haus!",
    owner: undefined,
    size: undefined,
  }],
  ["drwxrwxr-x               folder        2 May 10  1996 x", {
    kind: "directory",
    size: undefined,
  }],
  [
    "-rw-r--r--        0   18446744073709551615 18446744073709551615 Nov 16  2006 VIDEO_TS.VOB",
    { size: undefined, owner: undefined, name: "VIDEO_TS.VOB" },
  ],
  ["-------r--         326  1391972  1392298 Nov 22  1995 File", {
    size: 1392298,
    owner: undefined,
    mode: 0o004,
  }],
  ["-rw-r--r--    54149       27826    81975 Jul 22  2010 09.jpg", {
    size: 81975,
    owner: undefined,
    name: "09.jpg",
  }],
  unknown("drwxr-xr-x    123       folder        0 Aug 15 05:49 x"),
  // Sizes
  ["-rw-r--r--   1 u g 816026400 Oct  2 10:59 f", { size: 816026400 }],
  ["-rw-r--r--   1 u g 9007199254740992 Oct  2 10:59 f", {
    size: undefined,
  }],
  ["-rw-r--r--   1 root     other  33.5k Oct 5 21:22 named size", {
    size: 34304,
    isSizeApproximate: true,
    name: "named size",
  }],
  ["-rw-r--r--   1 root     other  2M Oct 5 21:22 f", { size: 2097152 }],
  ["-rw-r--r--   1 root     other  1.5G Oct 5 21:22 f", { size: 1610612736 }],
  // Devices, pipes, sockets
  ["crw-r----- 1 root kmem 0, 27 Jan 30 11:42 kmem", {
    kind: "other",
    size: undefined,
    owner: "root",
    group: "kmem",
    name: "kmem",
  }],
  ["crw------- 1 root sys 109,767 Jul  2  2004 pci@1c,600000:devctl", {
    kind: "other",
    size: undefined,
    owner: "root",
    group: "sys",
    name: "pci@1c,600000:devctl",
  }],
  ["brw-rw---- 1 root disk 8, 0 Jan 30 11:42 sda", { kind: "other" }],
  ["prw-r--r-- 1 u g 0 Jan 30 11:42 pipe", { kind: "other" }],
  ["srwxr-xr-x 1 u g 0 Jan 30 11:42 socket", { kind: "other" }],
  ["Drw-r--r-- 1 u g 0 Jan 30 11:42 door", { kind: "other" }],
  ["frw-r--r-- 1 u g 7 Jan 30 11:42 file", { kind: "file", size: 7 }],
  // Permissions
  ...([
    ["rwSr-Sr--", 0o6644],
    ["rwsr-sr--", 0o6754],
    ["rw-r--r-T", 0o1644],
    ["rwxr-xr-t", 0o1755],
    ["--S--S--t", 0o7001],
    ["--s--s--T", 0o7110],
    ["rwxrwxrwx", 0o777],
    ["---------", 0],
    ["rw-r-lr--", 0o2644],
  ] as const).map(([letters, mode]): Case => [
    `-${letters}   1 u g 5 Jan  1  2000 f`,
    { mode, name: "f" },
  ]),
  ["drw-r--rw   3 u g 5 Jan  1  2000 d", { mode: 0o646, kind: "directory" }],
  ...["+", ".", "@", "+ ", "@ "].map((mark): Case => [
    `drwxr-xr-x${mark} 11 patrick staff 5 Jan  1  2000 d`,
    { owner: "patrick", name: "d" },
  ]),
  [" drwxr-xr-x+  11 patrick  staff  374 Dec 11  2016 lib", { name: "lib" }],
  ["1234 -rw-r--r-- 1 u g 5 Jan  1  2000 inode", { name: "inode" }],
  [" 12 34 -rw-r--r-- 1 u g 5 Jan  1  2000 both", { name: "both" }],
  ["-r--------   0 user group     65222236 Feb 24 00:39 RegularFile", {
    name: "RegularFile",
    size: 65222236,
  }],
  unknown("zrwxr-xr-x 1 u g 5 Jan  1  2000 f"),
  unknown("Zrwxr-xr-x 1 u g 5 Jan  1  2000 f"),
  unknown("dxrwr-xr-x 1 u g 5 Jan  1  2000 f"),
  // Links
  ["lrwxrwxrwx   1 root     other          7 Jan 25 00:17 link -> usr/bin", {
    name: "link",
    kind: "symlink",
    linkTarget: "usr/bin",
  }],
  [
    "lrwxr-xr-x 1 u g 28 Jan 25 00:17 R-3.4.0.pkg -> el-capitan/base/R-3.4.0.pkg",
    { name: "R-3.4.0.pkg", linkTarget: "el-capitan/base/R-3.4.0.pkg" },
  ],
  ["lrwxrwxrwx 1 u g 23 Jan 25 00:17 macros -> ./../../global/macros/.", {
    name: "macros",
    linkTarget: "./../../global/macros/.",
  }],
  ["lrwxrwxrwx 1 u g 1 Jan 25 00:17 a -> b -> c", {
    name: "a -> b",
    linkTarget: "c",
  }],
  ["lrwxrwxrwx 1 u g 6 Jan 25 00:17 a -> b -> c", {
    name: "a",
    linkTarget: "b -> c",
  }],
  ["lrwxrwxrwx 1 u g 99 Jan 25 00:17 a -> b -> c", {
    name: "a",
    linkTarget: "b -> c",
  }],
  ["lrwxrwxrwx 1 u g 0 Jan 25 00:17 l -> ", { name: "l", linkTarget: "" }],
  ["lrwxrwxrwx 1 u g 9 2005-04-08 11:22 no arrow", {
    name: "no arrow",
    kind: "symlink",
    linkTarget: undefined,
  }],
  ["erwxrwxrwx 1 u g 9 Jan 25 00:17 x -> SYS1.Y", {
    kind: "symlink",
    linkTarget: "SYS1.Y",
  }],
  // Dates; the clock says 15 June 2024, 12:00
  ...([
    ["Jun 15 12:00", "2024-06-15T12:00", "minute"],
    ["Jun 16 12:00", "2024-06-16T12:00", "minute"],
    ["Jun 16 12:01", "2023-06-16T12:01", "minute"],
    ["Mar 25 0:23", "2024-03-25T00:23", "minute"],
    ["Dec 31 23:59", "2023-12-31T23:59", "minute"],
    ["Feb 29 13:00", "2024-02-29T13:00", "minute"],
    ["Apr 1 2014", "2014-04-01T00:00", "day"],
    ["Feb 29 2000", "2000-02-29T00:00", "day"],
    ["3月 2 15:13", "2024-03-02T15:13", "minute"],
    ["6月 3日 2003年", "2003-06-03T00:00", "day"],
    ["8月 17日 20:10", "2023-08-17T20:10", "minute"],
    ["3월 2일 15:13", "2024-03-02T15:13", "minute"],
    ["2003年 3月 20日", "2003-03-20T00:00", "day"],
    ["2005-04-08 11:22", "2005-04-08T11:22", "minute"],
    ["2005-04-08 11:22:33", "2005-04-08T11:22:33", "second"],
    ["2005-04-08 11:22:33.123456789 +0200", "2005-04-08T09:22:33", "second"],
    ["2005-04-08 11:22:33.123456789 -0330", "2005-04-08T14:52:33", "second"],
    ["2000-09-26 ", "2000-09-26T00:00", "day"],
    ["02 Mar 16:27", "2024-03-02T16:27", "minute"],
    ["26. Juli, 20:10", "2023-07-26T20:10", "minute"],
    ["szept 26 20:10", "2023-09-26T20:10", "minute"],
    ["2.   Okt.  2003", "2003-10-02T00:00", "day"],
    ["1999/10/12 17:12", "1999-10-12T17:12", "minute"],
    ["24-04-2003 17:12", "2003-04-24T17:12", "minute"],
    ["2004.07.15", "2004-07-15T00:00", "day"],
    ["15.07.2004 08:09", "2004-07-15T08:09", "minute"],
    ["09-26 2000", "2000-09-26T00:00", "day"],
    ["09-26 13:45", "2023-09-26T13:45", "minute"],
    ["3 29 03:26", "2024-03-29T03:26", "minute"],
    ["01-jun-99", "1999-06-01T00:00", "day"],
    ["01-Jun-2004 10:11", "2004-06-01T10:11", "minute"],
    ["Oct 08, 2002 09:47", "2002-10-08T09:47", "minute"],
    ["Mar 25 00:23:11 2014", "2014-03-25T00:23:11", "second"],
    ["Mär 25 10:00", "2024-03-25T10:00", "minute"],
    ["März 25 10:00", "2024-03-25T10:00", "minute"],
    ["févr. 25 10:00", "2024-02-25T10:00", "minute"],
    ["août 25 10:00", "2023-08-25T10:00", "minute"],
    ["déc. 25 2010", "2010-12-25T00:00", "day"],
    ["juil. 25 2010", "2010-07-25T00:00", "day"],
    ["juin 25 2010", "2010-06-25T00:00", "day"],
    ["mag 25 2010", "2010-05-25T00:00", "day"],
    ["ene 25 2010", "2010-01-25T00:00", "day"],
    ["янв 25 2010", "2010-01-25T00:00", "day"],
    ["мая 25 2010", "2010-05-25T00:00", "day"],
    ["paź 25 2010", "2010-10-25T00:00", "day"],
    ["lis 25 2010", "2010-11-25T00:00", "day"],
    ["JAN 25 2010", "2010-01-25T00:00", "day"],
  ] as const).map(([date, mtime, mtimePrecision]): Case => [
    `-rw-r--r--   1 root     other        531 ${date} a file`,
    {
      name: "a file",
      size: 531,
      owner: "root",
      group: "other",
      mtime: new Date(`${mtime}Z`).toISOString(),
      mtimePrecision,
    },
  ]),
  // No dates: the line is kept, but not parsed
  ...[
    "Feb 23 30:01",
    "Feb 23 10:60",
    "Jam 4 2001",
    "Aug 36 2001",
    "Aug 0 2001",
    "Aug 26 20",
    "Aug 26 201",
    "Aug 26 201O",
    "Aug 26 20011",
    "Dec 02  209",
    "Nov 31 2018",
    "Feb 29 2001",
    "2005-13-08 11:22",
    "Aug 22 ",
  ].map((date) => unknown(`-rw-r--r--   1 u g        531 ${date} zxJDBC`)),
  unknown("-rw-r--r--   1 u g        119:26 Aug 22 2001 f"),
  unknown("drwxr-xr-x   1ftp ftp 5 Aug 22 2001 f"),
  unknown("-rw-r--r--   1 u g        531 Aug 22 2001"),
  unknown("-rw-r--r--   1 u g            Aug 22 2001 f"),
  unknown("-rw-r--r--"),
  unknown("-rw-r--r--   "),
];

Deno.test("ListingReader reads every line of Unix in the table", () => {
  assertCases(LINES);
});

Deno.test("ListingReader reads Unix the same for every cutting", () => {
  const lines = LINES.map(([line]) => line);
  for (let at = 0; at < lines.length; at += 5) {
    assertSplitProof(lines.slice(at, at + 5).join("\r\n"));
  }
});

Deno.test("ListingReader reads dates in the encodings of East Asia", () => {
  const listing = fromByteText([
    "-rw-r--r--   1 root sys 8473  4\x8c\x8e 18\x93\xfa 2003\x94\x4e jis",
    "-rw-r--r--   1 root sys 8473  4\xb7\xee 18\xc6\xfc 2003\xc7\xaf euc",
    "-rw-r--r--   1 root sys 8473  8\xed 17 08:52 one",
    "-rw-r--r--   1 root sys 8473 2003   3\xed\xef 20 two",
    "-rw-r--r--   1 root sys 8473 M\xe4r 3 2003 latin",
  ].join("\n"));
  assertEquals(
    readListing(listing).map(({ name, mtime }) => [name, mtime?.toISOString()]),
    [
      ["jis", "2003-04-18T00:00:00.000Z"],
      ["euc", "2003-04-18T00:00:00.000Z"],
      ["one", "2023-08-17T08:52:00.000Z"],
      ["two", "2003-03-20T00:00:00.000Z"],
      ["latin", "2003-03-03T00:00:00.000Z"],
    ],
  );
  assertSplitProof(listing);
});

Deno.test("ListingReader finds the year of a date without one", () => {
  // Now, what the line says, the year it means
  const table: readonly [
    now: string,
    date: string,
    year: string,
    slack?: number,
  ][] = [
    ["2001-01-01T00:00", "Feb 29 13:00", "2000-02-29T13:00"],
    ["1999-04-01T00:00", "Feb 29 13:00", "1996-02-29T13:00"],
    ["2103-04-01T00:00", "Feb 29 13:00", "2096-02-29T13:00"],
    ["2012-02-28T12:00", "Feb 29 11:00", "2012-02-29T11:00"],
    ["2012-02-28T12:00", "Feb 29 13:00", "2008-02-29T13:00"],
    ["2012-02-29T14:00", "Feb 29 13:00", "2012-02-29T13:00"],
    ["2007-01-01T00:00", "Dec 31 12:00", "2006-12-31T12:00"],
    ["2007-12-31T12:00", "Jan 1 11:00", "2008-01-01T11:00"],
    ["2007-12-31T12:00", "Jan 1 13:00", "2007-01-01T13:00"],
    ["2007-12-31T12:00", "Jan 1 11:00", "2007-01-01T11:00", 0],
    ["2024-06-15T12:00", "Jun 15 12:01", "2023-06-15T12:01", 0],
    ["2024-06-15T12:00", "Jun 15 12:00", "2024-06-15T12:00", 0],
    ["2017-03-10T23:00", "Sep 10 22:59", "2016-09-10T22:59"],
    // Hours that summer time skips somewhere exist here
    ["2024-06-15T12:00", "Mar 31 02:30", "2024-03-31T02:30"],
  ];
  for (const [now, date, expected, slack] of table) {
    const options = slack === undefined ? {} : { slack };
    const [entry] = readListing(`-rw-r--r-- 1 u g 5 ${date} f`, {
      now: new Date(`${now}Z`),
      ...options,
    });
    assertEquals(entry?.mtime, new Date(`${expected}Z`), `${date} at ${now}`);
  }
});

Deno.test("ListingReader rolls the year back in the server's zone", () => {
  // It is New Year already twelve hours east.
  const now = new Date("2023-12-31T20:00:00Z");
  const line = "-rw-r--r-- 1 u g 5 Jan  1 07:00 f";
  const [east] = readListing(line, { now, zone: 720, slack: 0 });
  assertEquals(east?.mtime, new Date("2023-12-31T19:00:00Z"));
  const [west] = readListing(line, { now, zone: -720, slack: 0 });
  assertEquals(west?.mtime, new Date("2023-01-01T19:00:00Z"));
});

Deno.test("ListingReader asks what time it is once, at the start", () => {
  let asked = 0;
  const entries = readListing(
    "-rw-r--r-- 1 u g 5 Jan  1 07:00 f\n".repeat(30),
    { now: () => (asked++, NOW) },
    1,
  );
  assertEquals([entries.length, asked], [30, 1]);
});
