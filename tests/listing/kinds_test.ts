import { assertEquals } from "@std/assert";
import type { ListingReaderOptions } from "../../lib/listing/listing_options.ts";
import { ListingReader } from "../../lib/listing/listing_reader.ts";
import {
  assertCases,
  assertSplitProof,
  type Case,
  fromByteText,
  NOW,
  readListing,
  toBytes,
  unknown,
} from "../testing/listing_cases.ts";

/** Compared fields: letter of the kind, name, size, time. */
function rowsOf(
  text: string | Uint8Array,
  options: ListingReaderOptions = {},
): unknown[] {
  return readListing(text, options).map((entry) => {
    const time = entry.mtime?.toISOString()
      .slice(0, entry.mtimePrecision === "day" ? 10 : 16);
    const row = [entry.kind[0], entry.name, entry.size, time];
    while (row.at(-1) === undefined) row.pop();
    return row;
  });
}

/** Lines of which the user is told, and the names of the entries. */
function readWithNotes(
  text: string,
  options: ListingReaderOptions = {},
): { names: string[]; notes: string[] } {
  const notes: string[] = [];
  const reader = new ListingReader({
    now: NOW,
    ...options,
    onNote: (line, entry) => {
      assertEquals([entry.kind, entry.name, entry.line], [
        "unknown",
        line,
        line,
      ]);
      notes.push(line);
    },
  });
  const entries = [...reader.push(toBytes(text)), ...reader.end()];
  return { names: entries.map(({ name }) => name), notes };
}

const FILE = "-rw-r--r--   1 ann      staff         7 Jun  1 10:00";

// Padded columns

Deno.test("ListingReader takes the padding of a year for no part of the name", () => {
  const padded = [
    "-r-xr-xr-x 1 ftp 245 90 Mar  1 2003  .welcome",
    "drwxr-sr-x  14 17037    209            4096 Oct  6 2000  v3r7",
    "-rw-r--r--   1 20708    205          194 Feb 17 14:40 new.fix",
    "lrwxrwxrwx   1 root     root           7 Jan  9 2004  bin -> usr/bin",
    "drwxr-xr-x   2 root     root        4096 Jan  9 2004  .",
  ].join("\r\n");
  assertEquals(rowsOf(padded), [
    ["f", ".welcome", 90, "2003-03-01"],
    ["d", "v3r7", 4096, "2000-10-06"],
    ["f", "new.fix", 194, "2024-02-17T14:40"],
    ["s", "bin", 7, "2004-01-09"],
  ]);
  assertSplitProof(padded);
});

Deno.test("ListingReader keeps the blank of a name where another line shows no padding", () => {
  const lines = [
    "-rw-r--r-- 1 u g 5 Mar  1 2003  blank",
    "-rw-r--r-- 1 u g 5 Mar  1 2003 none",
  ];
  for (const text of [lines, lines.toReversed()]) {
    const names = readListing(text.join("\n")).map(({ name }) => name);
    assertEquals(names.sort(), [" blank", "none"]);
  }
  const late = `${lines[1]}\n${`${FILE} a\n`.repeat(20)}${lines[0]}`;
  assertEquals(readListing(late).at(-1)?.name, " blank");
  assertSplitProof(late);
  // a column of five with the year at its right needs no padding
  const [entry] = readListing("-rw-r--r-- 1 u g 5 Mar  1  2003  blank");
  assertEquals(entry?.name, " blank");
  const [recent] = readListing("-rw-r--r-- 1 u g 5 Mar  1 10:00  blank");
  assertEquals(recent?.name, " blank");
});

Deno.test("ListingReader takes two blanks behind an aligned size of DOS for its column", () => {
  const aligned = [
    " 10/16/2018   8:21 PM  <DIR>         Downloads",
    "  7/26/2018   1:11 PM           189  run.sh",
    "  6/30/2018   8:36 AM    3,939,237,888  disk.iso",
    "               2 files        3,939,238,077 bytes",
    "               1 directories     22,198,362,112 bytes free",
  ].join("\r\n");
  assertEquals(rowsOf(aligned), [
    ["d", "Downloads", undefined, "2018-10-16T20:21"],
    ["f", "run.sh", 189, "2018-07-26T13:11"],
    ["f", "disk.iso", 3939237888, "2018-06-30T08:36"],
  ]);
  assertSplitProof(aligned);
  const [iis] = readListing("04-14-00  03:47PM                  589  blank");
  assertEquals(iis?.name, " blank");
  const mixed = readListing([
    "2002-09-02  19:06                9,730 plain",
    "2002-09-02  19:06                9,731  blank",
  ].join("\n"));
  assertEquals(mixed.map(({ name }) => name), ["plain", " blank"]);
});

// Unix

const UNIX: readonly Case[] = [
  ["-rw-r--r--   1 ftpadmin ftpadmin125435904 Apr  9  2008 x.pax.Z", {
    name: "x.pax.Z",
    size: 125435904,
    isSizeApproximate: false,
    owner: "ftpadmin",
    group: "ftpadmin",
    mtime: "2008-04-09T00:00:00.000Z",
  }],
  ["-r-xr-xr-x owner longgroup123456 Feb 12 17:20 a file", {
    name: "a file",
    size: 123456,
    // the group may end in digits
    isSizeApproximate: true,
    owner: "owner",
    group: "longgroup",
  }],
  ["drwxr-x   2       10     4096 Dec 10 14:32 pollq", {
    name: "pollq",
    kind: "directory",
    mode: 0o750,
    owner: "10",
    size: 4096,
    mtime: "2023-12-10T14:32:00.000Z",
  }],
  ["drwxrwxr-x   1 500     244         660 Jan  1 00:0 bin", {
    name: "bin",
    mtime: "2024-01-01T00:00:00.000Z",
    mtimePrecision: "minute",
  }],
  ["-rw-------      1  99 0              3 Apr   4 24:00 midnight", {
    name: "midnight",
    mtime: "2024-04-05T00:00:00.000Z",
    mtimePrecision: "minute",
  }],
  ["-rw-r--r-- 1 u g 3 2005-06-30 24:00 end", {
    name: "end",
    mtime: "2005-07-01T00:00:00.000Z",
  }],
  ["drwxr-xr-x 3 user devlab 512 71-dateless", {
    name: "71-dateless",
    kind: "directory",
    size: 512,
    owner: "user",
    group: "devlab",
    mtime: undefined,
    mtimePrecision: undefined,
  }],
  ["drwx******    1 -        -            4096 Nov  2 14:17 .ssh", {
    name: ".ssh",
    kind: "directory",
    mode: undefined,
    size: 4096,
  }],
  unknown("drwx***r**    1 -        -            4096 Nov  2 14:17 .ssh"),
  // what might be a date that is no date leaves a doubt
  unknown("-rw-r--r-- 1 user devlab 512 Jan"),
  unknown("-rw-r--r-- 1 user devlab 512 Jan."),
  unknown("-rw-r--r-- 1 user devlab 512 12:30"),
  unknown("-rw-r--r-- 1 user devlab 512 2001-02-30"),
  unknown("-rw-r--r-- 1 user devlab 512 two words"),
  unknown("-rw-r--r-- 1 user devlab 512 Jan 1"),
  unknown("-rw-r--r-- 1 user devlab 512 "),
  unknown("-rw-r--r-- 1 user devlab512 Jan"),
  unknown("-rw-r--r-- 1 devlab512 Jan 12 2000 x"),
  unknown("-rw-r--r-- 1 5 devlab512 Jan 12 2000 x"),
  unknown("-rw-r--r-- 1 u g 3 Apr  4 24:01 x"),
  unknown("-rw-r--r-- 1 u g 3 Apr  4 25:0 x"),
  unknown("-rw-r--r-- 1 u g 3 Apr  4 5:0:1 x"),
];

Deno.test("ListingReader reads the variants of Unix in the table", () => {
  assertCases(UNIX);
});

const RARE_DATES: readonly (readonly [
  date: string,
  time: string,
  precision: string,
])[] = [
  // a weekday in front
  ["Sun Mar  3 10:11", "2024-03-03T10:11:00", "minute"],
  ["Mon Mar  3 2003", "2003-03-03T00:00:00", "day"],
  ["MON Mar  3  2003", "2003-03-03T00:00:00", "day"],
  ["Sun, Mar  3 10:11", "2024-03-03T10:11:00", "minute"],
  ["Sun. Mar  3 10:11:12", "2024-03-03T10:11:12", "second"],
  ["Thu Dec 31 23:59:59 1998", "1998-12-31T23:59:59", "second"],
  ["Thu Dec 31 1998 23:59", "1998-12-31T23:59:00", "minute"],
  ["Fri 14 Jun 10:11", "2024-06-14T10:11:00", "minute"],
  ["Sat, 01 Mar 2003 10:11:12 GMT", "2003-03-01T10:11:12", "second"],
  ["wed 2003-03-05 10:11", "2003-03-05T10:11:00", "minute"],
  // two digits for the year, the month first
  ["1-29-97", "1997-01-29T00:00:00", "day"],
  ["01-29-97 10:11", "1997-01-29T10:11:00", "minute"],
  ["1/2/04 9:05", "2004-01-02T09:05:00", "minute"],
  ["12-31-69 23:59:58", "2069-12-31T23:59:58", "second"],
  ["1-29-97 03:26PM", "1997-01-29T15:26:00", "minute"],
  ["1-29-97 3:26p", "1997-01-29T15:26:00", "minute"],
  ["29-1-97", "1997-01-29T00:00:00", "day"],
  // the year first, and a month's name
  ["2023 Mar 3 10:11", "2023-03-03T10:11:00", "minute"],
  ["2023 Mar  3 10:11:12", "2023-03-03T10:11:12", "second"],
  ["1998 dec 31", "1998-12-31T00:00:00", "day"],
];

Deno.test("ListingReader reads dates of Unix with weekdays, short years and years in front", () => {
  const lines: string[] = [];
  for (const [date, time, mtimePrecision] of RARE_DATES) {
    const expected = {
      name: "a file",
      size: 5,
      owner: "u",
      group: "g",
      mtime: `${time}.000Z`,
      mtimePrecision,
    };
    const line = `-rw-r--r-- 1 u g 5 ${date} a file`;
    assertCases([
      [line, expected],
      [`-rw-r--r-- u g 5 ${date} a file`, expected],
      [`-rw-r--r--   1 1000     100            5 ${date} a file`, {
        ...expected,
        owner: "1000",
        group: "100",
      }],
    ]);
    lines.push(line);
  }
  assertSplitProof(lines.join("\r\n"));
});

Deno.test("ListingReader reads Unix dates with weekdays and short years in the server's zone", () => {
  const options = { zone: 120 };
  for (const date of ["Sat, 01 Mar 2003 10:11:12 GMT", "3-1-03 12:11:12"]) {
    const [entry] = readListing(`-rw-r--r-- 1 u g 5 ${date} f`, options);
    assertEquals(entry?.mtime, new Date("2003-03-01T10:11:12Z"), date);
  }
});

Deno.test("ListingReader takes no size, owner or name for a part of a rare date", () => {
  const mtime = "2024-03-03T10:11:00.000Z";
  assertCases([
    ["-rw-r--r-- 1 1000 100 2023 Mar  3 10:11 f", { size: 2023, mtime }],
    ["-rw-r--r-- 1 root 5 2023 Mar  3 10:11 f", {
      size: 2023,
      owner: "root",
      group: "5",
      mtime,
    }],
    ["-rw-r--r-- 1 root 2023 Mar  3 10:11 f", { size: 2023, mtime }],
    ["-rw-r--r-- 1 u my group 500 2023 Mar  3 10:11 f", {
      size: 2023,
      group: "my group 500",
      mtime,
    }],
    ["-rw-r--r-- 1 u group 5       2023 Mar  3 10:11 f", {
      size: 2023,
      group: "group 5",
      mtime,
    }],
    ["-rw-r--r-- 1 u g 5 1969 Mar  3 10:11 f", { size: 1969, mtime }],
    ["-rw-r--r-- 1 u g 5 2023 Mar  3  2022 f", {
      size: 2023,
      mtime: "2022-03-03T00:00:00.000Z",
    }],
    ["-rw-r--r-- 1 u g 5 Mar  3 10:11 Mon Mar  4 10:11 f", {
      size: 5,
      name: "Mon Mar  4 10:11 f",
    }],
    ["-rw-r--r-- 1 Mon Mar 5 Mar  3 10:11 f", {
      owner: "Mon",
      group: "Mar",
      mtime,
    }],
    ["-rw-r--r-- 1 u g 5 1-29-97 3:26 PM", {
      name: "PM",
      mtime: "1997-01-29T03:26:00.000Z",
    }],
    ["-rw-r--r-- 1 u g 5 Mon Mar  3 2003 UTC f", { name: "UTC f" }],
    unknown("-rw-r--r-- 1 u g 5 Mon Mar  3 10:11:12 CEST 2003 f"),
    unknown("-rw-r--r-- 1 u g 5 Mo Mar  3 10:11 f"),
    unknown("-rw-r--r-- 1 u g 5 Monk Mar  3 10:11 f"),
    unknown("-rw-r--r-- 1 u g 5 Mon Mar  3"),
    unknown("-rw-r--r-- 1 u g 5 Mon f"),
    unknown("-rw-r--r-- 1 u g 5 1-29-97"),
    unknown("-rw-r--r-- 1 u g 5 13-32-97 f"),
    unknown("-rw-r--r-- 1 u g 5 30-30-97 f"),
    unknown("-rw-r--r-- 1 u g 5 2-30-97 f"),
    unknown("-rw-r--r-- 1 u g 5 1-29/97 f"),
    unknown("-rw-r--r-- 1 u g 5 1-29-197 f"),
    unknown("-rw-r--r-- 1 u g 5 1.2.97 f"),
    unknown("-rw-r--r-- 1 u g 5 2023 Mar 32 10:11 f"),
  ]);
});

Deno.test("ListingReader reads Russian months in KOI8-R and CP1251, in any encoding", () => {
  const months: readonly (readonly [string, string, string])[] = [
    ["15 \u0430\u043f\u0440 18:11", "2024-04-15T18:11", "m"],
    ["01 \u043c\u0430\u0439 2007", "2007-05-01", "d"],
    ["12 \u0444\u0435\u0432 2008", "2008-02-12", "d"],
    ["28 \u0421\u0435\u043d\u0442 2007", "2007-09-28", "d"],
    ["\u041d\u041e\u042f 30 2007", "2007-11-30", "d"],
    ["3 \u043c\u0430\u044f 2007", "2007-05-03", "d"],
  ];
  const koi8 = new Map<string, number>();
  const cp1251 = new Map<string, number>();
  for (let byte = 0xc0; byte < 0x100; byte++) {
    const bytes = Uint8Array.of(byte);
    koi8.set(new TextDecoder("koi8-r").decode(bytes), byte);
    cp1251.set(new TextDecoder("windows-1251").decode(bytes), byte);
  }
  for (const [date, expected] of months) {
    for (const table of [koi8, cp1251]) {
      const bytes = [...`-rw-r--r--  3 ftp  ftp   528 ${date} f`]
        .map((char) => table.get(char) ?? char.charCodeAt(0));
      const [row] = rowsOf(Uint8Array.from(bytes));
      assertEquals(row, ["f", "f", 528, expected], date);
    }
  }
});

Deno.test("ListingReader knows the lines of Unix that are about the listing", () => {
  const text = [
    "total -9560322322989056",
    `${FILE} a`,
    "",
    "CVS:",
    "total 2",
    `${FILE} b`,
    "213 End of status",
    "End of Status",
    "  6 files           75,978,506,648 bytes",
  ].join("\r\n");
  assertEquals(readListing(text).map(({ name }) => name), ["a", "b"]);
  assertEquals(readWithNotes(text).notes, []);
});

// DOS, MLSD

Deno.test("ListingReader reads the hour 0 with AM", () => {
  assertCases([
    ["10-15-09  00:34AM       <DIR>          web", {
      name: "web",
      kind: "directory",
      mtime: "2009-10-15T00:34:00.000Z",
    }],
    ["10-23-00  01:27PM       <JUNCTION>     sample -> foo bar", {
      name: "sample",
      kind: "symlink",
      linkTarget: "foo bar",
    }],
    ["10-23-00  01:27PM       <JUNCTION>     sample => foo", {
      name: "sample",
      linkTarget: "foo",
    }],
    unknown("10-15-09  13:34AM       <DIR>          web"),
  ]);
});

Deno.test("ListingReader takes a tab for the end of MLSD's facts", () => {
  assertCases([
    ["size=13;type=file;modify=20090722092510;\tone 2009-07-22 two.ts", {
      name: "one 2009-07-22 two.ts",
      size: 13,
      facts: { size: "13", type: "file", modify: "20090722092510" },
    }],
    ["type=file; \tname", { name: "\tname" }],
    ["type=file; a;\tb", { name: "a;\tb" }],
  ]);
});

// IBM i

Deno.test("ListingReader reads files, save files and members of IBM i", () => {
  const library = [
    "QPGMR          135168 22.06.13 13:18:19 *FILE      UNIT.FILE",
    "QPGMR                                   *MEM       UNIT.FILE/TEST.MBR",
    "QPGMR        16347136 29.06.13 15:45:09 *FILE      UNIT.SAVF",
    "QPGMR           90112 29.06.13 15:45:09 *FILE      OLD.SAVF",
    "                 4096 29.06.13 15:45:09 *STMF      no owner",
    "QPGMR                 29.06.13 15:45:09 *STMF      no size",
    "QPGMR            4096                   *STMF      no date",
  ].join("\r\n");
  assertEquals(rowsOf(library), [
    ["d", "UNIT.FILE", undefined, "2013-06-22T13:18"],
    ["f", "TEST.MBR"],
    ["f", "UNIT.SAVF", 16347136, "2013-06-29T15:45"],
    ["f", "OLD.SAVF", 90112, "2013-06-29T15:45"],
    ["f", "no owner", 4096, "2013-06-29T15:45"],
    ["f", "no size", undefined, "2013-06-29T15:45"],
    ["f", "no date", 4096],
  ]);
  const decoder = new TextDecoder();
  const rawName = (options: ListingReaderOptions, text = library) =>
    readListing(text, options).filter(({ name }) => name.endsWith(".MBR"))
      .map((entry) => decoder.decode(entry.rawName));
  assertEquals(rawName({}), ["UNIT.FILE/TEST.MBR"]);
  assertEquals(rawName({ directory: "LIB.LIB" }), ["UNIT.FILE/TEST.MBR"]);
  assertEquals(rawName({ directory: "unit.file" }), ["TEST.MBR"]);
  assertSplitProof(library);
});

Deno.test("ListingReader makes a note of a file of IBM i in its own listing", () => {
  const own = "QPGMR          135168 22.06.13 13:18:19 *FILE";
  const member =
    "QPGMR                                   *MEM       UNIT.FILE/TEST.MBR";
  assertEquals(readWithNotes(`${own}\r\n${member}\r\n`), {
    names: ["TEST.MBR"],
    notes: [own],
  });
  assertEquals(readWithNotes(`${own}   \r\n`).names, []);
});

Deno.test("ListingReader rejects members of IBM i that lead out of the directory", () => {
  for (
    const path of [
      "../A.FILE/X.MBR",
      "A.FILE/../X.MBR",
      "A.FILE/..",
      "..\\A.FILE/X.MBR",
      "A.FILE/B/X.MBR",
    ]
  ) {
    const [entry] = readListing(`QPGMR         *MEM       ${path}`);
    const raw = new TextDecoder().decode(entry!.rawName);
    assertEquals(entry!.hostile || !/\.\.|\\/.test(raw), true, path);
  }
});

// z/OS

Deno.test("ListingReader reads the catalogue of z/OS at both levels", () => {
  const text = [
    "Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname",
    "AAABBB 3390   2022/02/18  1+++++  VBS  32767 27966  PS  BIG.ONE",
    "AAABBB 3390   2011/08/25  2 ++++  FB     904 18080  PS  BIG.TWO",
    "AAABBB 3390   2003/05/21  1 ????  FB      80  8053  PS  BIG.THREE",
    "AAABBB 3390   2003/05/21  1   15  NONE     0     0  HFS UNIX.HFS",
    "V43525 Tape                                             TAPE.FILE",
    "Migrated\t\t\t\tOLD.FILE",
    "Volume Referred Ext     Used Recfm Lrecl BlkSz Dsorg Dsname",
    "AAABBB 2020/01/03  1        15  VB   32756 32760  PO   $.ADATA",
    "AAABBB 2020/01/03  1   1234567  VB   32756 32760  PS   LONG.ONE",
  ].join("\r\n");
  assertEquals(rowsOf(text), [
    ["f", "BIG.ONE", undefined, "2022-02-18"],
    ["f", "BIG.TWO", undefined, "2011-08-25"],
    ["f", "BIG.THREE", undefined, "2003-05-21"],
    ["o", "UNIX.HFS", undefined, "2003-05-21"],
    ["f", "TAPE.FILE"],
    ["o", "OLD.FILE"],
    ["d", "$.ADATA", undefined, "2020-01-03"],
    ["f", "LONG.ONE", undefined, "2020-01-03"],
  ]);
  assertSplitProof(text);
});

Deno.test("ListingReader reads the files of a job of z/OS", () => {
  const text = [
    "JOBNAME  JOBID    OWNER    STATUS CLASS",
    "IBMUSER  JOB01906 IBMUSER  OUTPUT A        RC=0000",
    "--------",
    "         ID  STEPNAME PROCSTEP C DDNAME   BYTE-COUNT",
    "         001 JES2     N/A      A JESMSGLG      1200",
    "         104 STEP1    PROC     H SYSPRINT    123456",
    "2 spool files",
  ].join("\r\n");
  assertEquals(rowsOf(text), [
    ["f", "JOB01906"],
    ["f", "001", 1200],
    ["f", "104", 123456],
  ]);
  assertSplitProof(text);
});

Deno.test("ListingReader takes a name alone for a member of z/OS only among members", () => {
  const header =
    " Name     VV.MM   Created       Changed      Size  Init   Mod   Id";
  assertEquals(rowsOf(`${header}\n ADATAB\n BDATAB\n`), [["f", "ADATAB"], [
    "f",
    "BDATAB",
  ]]);
  const names = readListing(`${FILE} a\n ADATAB\n${FILE} b\n`);
  assertEquals(names.map(({ kind }) => kind), ["file", "unknown", "file"]);
});

// OpenVMS

Deno.test("ListingReader reads errors, owners, sizes and months of OpenVMS", () => {
  const text = [
    "",
    "ANONYMOUS:[000000]",
    "",
    "A.LOG;23   %SYSTEM-F-NOPRIV, insufficient privilege",
    "B.LOG;1",
    "                   <%SYSTEM-F-NOPRIV, insufficient privilege or object protection violation>",
    "SUB.DIR;1   %RMS-E-PRV, insufficient privilege",
    "PRONAS.C;1    6/8    15-JUI-2002    PRONAS   (RWED,RWED,RE,)",
    "MAERZ.C;1     1      2-M\xc4R-2001 10:00 [A,B] (RWE,RWE,RE,)",
    "KB.C;1 2KB 23-SEP-2005 14:57:07.27",
    "HUGE.ISO;2        ******  6-MAY-2008 09:29 [A,B] (RE,RWED,RE,RE)",
    "",
    "Total of 6 Files, 12 Blocks.",
  ].join("\r\n");
  assertEquals(rowsOf(fromByteText(text)), [
    ["f", "A.LOG"],
    ["f", "B.LOG"],
    ["d", "SUB"],
    ["f", "PRONAS.C", 3072, "2002-07-15"],
    ["f", "MAERZ.C", 512, "2001-03-02T10:00"],
    ["f", "KB.C", 2048, "2005-09-23T14:57"],
    ["f", "HUGE.ISO", undefined, "2008-05-06T09:29"],
  ]);
  const owners = readListing(fromByteText(text)).map(({ owner }) => owner);
  assertEquals(owners[3], "PRONAS");
  const all = readListing(fromByteText(text), { allVersions: true });
  assertEquals(all.slice(0, 3).map(({ name }) => name), [
    "A.LOG;23",
    "B.LOG;1",
    "SUB",
  ]);
  assertSplitProof(fromByteText(text));
});

Deno.test("ListingReader makes notes of what OpenVMS says of an empty directory", () => {
  const nothing = "*.*;0              <%RMS-E-FNF, file not found>";
  const text = `\r\nACA:[ANONYMOUS]\r\n\r\n${nothing}\r\n`;
  assertEquals(readWithNotes(text), { names: [], notes: [nothing] });
  assertEquals(
    readWithNotes("A.TXT;1  1/3  2-AUG-2006 13:05\r\nTotal 1 files\r\n"),
    { names: ["A.TXT"], notes: ["Total 1 files"] },
  );
});

// OS/2, NetWare

Deno.test("ListingReader reads the attributes of OS/2 and the rights of NetWare", () => {
  assertEquals(rowsOf("     0  RHS   DIR   04-11-95   16:26  ATTACH"), [
    ["d", "ATTACH", undefined, "1995-04-11T16:26"],
  ]);
  assertEquals(rowsOf("12345  RHS         10-19-00   15:10  A DIR name"), [
    ["f", "A DIR name", 12345, "2000-10-19T15:10"],
  ]);
  assertEquals(rowsOf("d[RWCEMFA]  1 cyp           512 Jun 01 11:49 htdocs"), [
    ["d", "htdocs", undefined, "2024-06-01T11:49"],
  ]);
  assertEquals(
    rowsOf("- [RWCEAFMS] jrd   666258 Feb  3 93 12:00 ENCAPS10.PS"),
    [["f", "ENCAPS10.PS", 666258, "1993-02-03T12:00"]],
  );
});

// Headers and trailers

Deno.test("ListingReader makes notes of what stands around the entries", () => {
  const text = [
    "Welcome to the archive of Ann!",
    "***********",
    `${FILE} a`,
    `${FILE} b`,
    "--- that was all ---",
    "Have a nice day",
  ].join("\r\n");
  assertEquals(readWithNotes(text), {
    names: ["a", "b"],
    notes: [
      "Welcome to the archive of Ann!",
      "***********",
      "--- that was all ---",
      "Have a nice day",
    ],
  });
  assertEquals(readListing(text).map(({ name }) => name), ["a", "b"]);
  assertSplitProof(text);
});

Deno.test("ListingReader makes no note of a line between entries, or like an entry", () => {
  const middle = `${FILE} a\nwhatever this is\n${FILE} b\nthe end`;
  assertEquals(readWithNotes(middle), {
    names: ["a", "whatever this is", "b"],
    notes: ["the end"],
  });
  for (
    const line of [
      "drwxr-xr-x   2 root     root         4096 Aug 36  2001 odd",
      "-rw-r--r-- 1 u g 5 Xyz 99 2001 odd",
      "13-32-00  12:09PM       <DIR>          odd",
      "type=file;size=5;no-name",
      "ODD.TXT;x;1  1/3  99-AUG-2006",
      "odd.txt  123456  99/99/04 10:20:03",
      "QPGMR  odd *STMF x",
    ]
  ) {
    for (const text of [`${line}\n${FILE} a`, `${FILE} a\n${line}`]) {
      const { names, notes } = readWithNotes(text);
      assertEquals([names.includes(line), notes], [true, []], text);
    }
  }
});

Deno.test("ListingReader reports no line of a listing without entries", () => {
  const text = "nothing of this\nis a listing\n";
  assertEquals(readWithNotes(text), {
    names: ["nothing of this", "is a listing"],
    notes: [],
  });
  const names = Array.from({ length: 200 }, (_, i) => `name ${i} of many`);
  const long = `${names.join("\n")}\n${FILE} a\n`;
  const { names: read, notes } = readWithNotes(long);
  assertEquals(read.length + notes.length, 201);
  assertEquals(notes.length <= 65, true);
});

Deno.test("ListingReader makes notes also where the format is forced", () => {
  const text = `Hello there\n${FILE} a\n${FILE} b\nand goodbye\n`;
  assertEquals(readWithNotes(text, { format: "unix" }), {
    names: ["a", "b"],
    notes: ["Hello there", "and goodbye"],
  });
});

Deno.test("ListingReader reads DOS sizes whose groups are separated by any mark", () => {
  const marks = [",", ".", "'", "\u2019", "\u00a0", "\u2009", "\u202f"];
  for (const mark of marks) {
    assertCases([
      [`12-14-23  12:22PM            1${mark}803${mark}128 a b.txt`, {
        name: "a b.txt",
        size: 1_803_128,
      }],
      [`14.12.2023  12:22           135${mark}168 2 b`, {
        name: "2 b",
        size: 135_168,
      }],
    ]);
  }
  for (const byte of [0x92, 0xa0, 0xff]) { // CP1252, Latin-1 and CP850
    const line = "12-14-23  12:22PM               803_128 a.txt\r\n";
    const bytes = new TextEncoder().encode(line)
      .map((other) => other === 0x5f ? byte : other);
    const [entry] = readListing(bytes);
    assertEquals([entry?.name, entry?.size], ["a.txt", 803_128]);
  }
});

Deno.test("ListingReader reads blanks in DOS sizes where only the groups end at their column", () => {
  assertCases([
    ["12-14-23  12:22PM            1 803 128 123 a", {
      name: "123 a",
      size: 1_803_128,
    }],
    ["14.12.2023  12:22           135 168 a", { name: "a", size: 135_168 }],
    ["12/14/2023  12:22 PM           135 168 a", { name: "a", size: 135_168 }],
    // the first number fills the column
    ["12-14-23  12:22PM                    1 803 128", {
      name: "803 128",
      size: 1,
    }],
    ["14.12.2023  12:22               135 168 a", {
      name: "168 a",
      size: 135,
    }],
    // no number ends at a column
    ["12-14-23 12:22PM 135 168 a", { name: "168 a", size: 135 }],
  ]);
});

/** Months of languages with accents, in order. */
const LOCAL_MONTHS = [
  "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
  "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
  "Jän Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
  "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
  "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
  "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
  "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
];

Deno.test("ListingReader reads months with accents, in UTF-8 and Latin-1, of VMS and Unix", () => {
  const latin1 = (text: string) =>
    Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const utf8 = (text: string) => new TextEncoder().encode(text);
  for (const names of LOCAL_MONTHS) {
    for (const [index, name] of names.split(" ").entries()) {
      for (const month of [name, name.toUpperCase()]) {
        for (const encode of [latin1, utf8]) {
          for (
            const line of [
              `A.TXT;1  3/9  12-${month}-2022 07:32:04  [GROUP,OWNER]  (RWED,RWED,RE,)`,
              `-rw-r--r--   1 root     sys           84 ${month} 12  2022 x`,
            ]
          ) {
            const [entry] = readListing(encode(line));
            assertEquals(entry?.mtime?.getUTCMonth(), index, line);
            assertEquals(entry?.mtime?.getUTCDate(), 12, line);
          }
        }
      }
    }
  }
});

Deno.test("ListingReader keeps date and size of members of IBM i, if the line has them", () => {
  const member = "LIB.FILE/MBR.MBR";
  assertCases([
    [`QPGMR          135168 29.06.13 15:45:09 *MEM       ${member}`, {
      name: "MBR.MBR",
      size: 135_168,
      mtime: "2013-06-29T15:45:09.000Z",
    }],
    [`QPGMR          135168                   *MEM       ${member}`, {
      size: 135_168,
      mtime: undefined,
    }],
    [`QPGMR                 29.06.13 15:45:09 *MEM       ${member}`, {
      size: undefined,
      mtime: "2013-06-29T15:45:09.000Z",
    }],
  ]);
});

Deno.test("ListingReader drops a Unix date that is not on the weekday of its line", () => {
  for (
    const date of [
      "Tue Mar 13 12:10:11 2017",
      "Tue, 13 Mar 2017 12:10:11 GMT",
      "Sun 2017-03-13 12:10",
      "Mon Mar 13 12:10", // a Wednesday in 2024
    ]
  ) {
    assertCases([[`-rw-r--r-- 1 u g 5 ${date} a file`, {
      name: "a file",
      size: 5,
      mtime: undefined,
      mtimePrecision: undefined,
    }]]);
  }
  for (const [zone, time] of [[600, "14:00"], [-600, "10:00"]] as const) {
    const line = `-rw-r--r-- 1 u g 5 Mon Mar 13 00:00:00 2017 f`;
    const [entry] = readListing(line, { zone });
    const day = zone > 0 ? 12 : 13;
    assertEquals(entry?.mtime, new Date(`2017-03-${day}T${time}:00Z`));
  }
});

Deno.test("ListingReader compares a weekday with the date in its own zone", () => {
  assertCases([
    ["-rw-r--r-- 1 u g 5 Sun 2017-03-12 23:10:00 -0500 f", {
      name: "f",
      mtime: "2017-03-13T04:10:00.000Z",
    }],
    ["-rw-r--r-- 1 u g 5 Mon 2017-03-13 00:10:00 +0500 f", {
      name: "f",
      mtime: "2017-03-12T19:10:00.000Z",
    }],
    ["-rw-r--r-- 1 u g 5 Mon 2017-03-12 23:10:00 -0500 f", {
      name: "f",
      mtime: undefined,
    }],
  ]);
});
