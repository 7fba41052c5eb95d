/** Each row of a table of old servers' lines, with variants of each. */

import { assertEquals } from "@std/assert";
import { ListingReader } from "../../lib/listing/listing_reader.ts";
import type { ListingReaderOptions } from "../../lib/listing/listing_options.ts";
import {
  assertSplitProof,
  fromByteText,
  NOW,
  readListing,
} from "../testing/listing_cases.ts";

/** Kind, name, size, time, and what else matters; a note is a text alone. */
type Row = readonly [
  kind: string,
  name: string,
  size?: number | undefined,
  time?: string | undefined,
  rest?: Readonly<Record<string, unknown>>,
];

/** A listing, its entries, and the lines that are notes. */
type Case = readonly [
  listing: string,
  rows: readonly Row[],
  notes?: readonly string[],
];

const FILE = "-rw-r--r--   1 ann      staff         7 Jun  1 10:00";
const TEN: Row = ["file", "a", 7, "2024-06-01T10:00"];

function read(
  listing: string,
  rows: readonly Row[],
  options: ListingReaderOptions,
): { rows: Row[]; notes: string[] } {
  const notes: string[] = [];
  const reader = new ListingReader({
    now: NOW,
    ...options,
    onNote: (line) => notes.push(line),
  });
  const bytes = fromByteText(listing.replaceAll("\n", "\r\n"));
  const entries = [...reader.push(bytes), ...reader.end()];
  const read = entries.map((entry, index): Row => {
    const digits = { day: 10, minute: 16, second: 19 };
    const time = entry.mtime?.toISOString()
      .slice(0, digits[entry.mtimePrecision ?? "second"]);
    const rest = Object.keys(rows[index]?.[4] ?? {}).map((key) => [
      key,
      (entry as unknown as Record<string, unknown>)[key],
    ]);
    const row = [entry.kind, entry.name, entry.size, time] as unknown[];
    if (rest.length > 0) row.push(Object.fromEntries(rest));
    else while (row.at(-1) === undefined) row.pop();
    return row as unknown as Row;
  });
  return { rows: read, notes };
}

function assertCases(
  cases: readonly Case[],
  options: ListingReaderOptions = {},
): void {
  for (const [listing, rows, notes = []] of cases) {
    assertEquals(read(listing, rows, options), { rows, notes }, listing);
  }
  // entries that take several lines are cut everywhere
  const [longest] = cases.toSorted(([a], [b]) => b.length - a.length);
  if (longest === undefined || longest[1].length < 2) return;
  const text = longest[0].replaceAll("\n", "\r\n");
  assertSplitProof(fromByteText(text), options);
}

function unreadable(line: string): Case {
  return [line, [["unknown", line]]];
}

Deno.test("ListingReader reads the table's padded columns", () => {
  assertCases([
    ["-r-xr-xr-x 1 ftp 245 90 Mar  1 2003  .welcome", [
      ["file", ".welcome", 90, "2003-03-01", { owner: "ftp", group: "245" }],
    ]],
    // the year at the right of its column: the blank is of the name
    ["-r-xr-xr-x 1 ftp 245 90 Mar  1  2003  .welcome", [
      ["file", " .welcome", 90, "2003-03-01"],
    ]],
    ["-rw-r--r-- 1 u g 5 Mar 11 2003  a\n-rw-r--r-- 1 u g 5 Mar 11 10:11 b", [
      ["file", "a", 5, "2003-03-11"],
      ["file", "b", 5, "2024-03-11T10:11"],
    ]],
    ["-rw-r--r-- 1 u g 5 Mar 11 2003   a", [["file", " a", 5, "2003-03-11"]]],
    ["lrwxrwxrwx 1 u g 1 Mar 11 2003  a -> b", [
      ["symlink", "a", 1, "2003-03-11", { linkTarget: "b" }],
    ]],
    ["  7/26/2018   1:11 PM           189  run.sh", [
      ["file", "run.sh", 189, "2018-07-26T13:11"],
    ]],
    [" 10/3/2018   2:58 PM    34,359,738,368  w.img", [
      ["file", "w.img", 34359738368, "2018-10-03T14:58"],
    ]],
    ["10-03-18  02:58PM    1,234 w.img", [
      ["file", "w.img", 1234, "2018-10-03T14:58"],
    ]],
    ["03.10.2018  14:58         1.234.567 w.img", [
      ["file", "w.img", 1234567, "2018-10-03T14:58"],
    ]],
    unreadable("10-03-18  02:58PM    1,23 w.img"),
    unreadable("10-03-18  02:58PM    1,234.567 w.img"),
    unreadable(" 10/3/2018   2:58 PM    34,35xxx38,368  win10.img"),
  ]);
});

Deno.test("ListingReader reads the table's variants of Unix", () => {
  const own = { owner: "u", group: "g" };
  assertCases([
    ["-rw-r--r-- 1 ftpadmin ftpadmin125435904 Apr  9  2008 x.pax.Z", [
      ["file", "x.pax.Z", 125435904, "2008-04-09", { owner: "ftpadmin" }],
    ]],
    ["-rw-r--r-- 1 ann staff125435904 Apr  9 10:08 x.pax.Z", [
      ["file", "x.pax.Z", 125435904, "2024-04-09T10:08", {
        isSizeApproximate: true,
        group: "staff",
      }],
    ]],
    // digits alone may be the group, or the end of the owner
    unreadable("-rw-r--r-- 1 1001 ftpadmin125435904 Apr  9  2008 x"),
    ["drwxr-x   2 10 4096 Dec 10 14:32 pollq", [
      ["directory", "pollq", 4096, "2023-12-10T14:32", { mode: 0o750 }],
    ]],
    ["-rw-r--   2 u g 4096 Dec 10 14:32 pollq", [
      ["file", "pollq", 4096, "2023-12-10T14:32", { mode: 0o640, ...own }],
    ]],
    ["drw-r--rw   1 u g 0 Apr 21 19:31 d", [
      ["directory", "d", 0, "2024-04-21T19:31", { mode: 0o646 }],
    ]],
    unreadable("drwx   2 u g 4096 Dec 10 14:32 pollq"),
    ["-rw-r--r-- 1 u g 5 Jan  1 00:0 f", [
      ["file", "f", 5, "2024-01-01T00:00"],
    ]],
    ["-rw-r--r-- 1 u g 5 Jan  1 0:5 f", [
      ["file", "f", 5, "2024-01-01T00:05"],
    ]],
    ["-rw-r--r-- 1 u g 5 Jan  1 0:05 f", [
      ["file", "f", 5, "2024-01-01T00:05"],
    ]],
    ["-rw-r--r-- 1 u g 5 Jan  1 24:00 f", [
      ["file", "f", 5, "2024-01-02T00:00"],
    ]],
    ["-rw-r--r-- 1 u g 5 Feb 28 24:00 f", [
      ["file", "f", 5, "2024-02-29T00:00"],
    ]],
    ["-rw-r--r-- 1 u g 5 Jan  1 24:00:00 1999 f", [
      ["file", "f", 5, "1999-01-02T00:00:00"],
    ]],
    unreadable("-rw-r--r-- 1 u g 5 Jan  1 24:01 f"),
    unreadable("-rw-r--r-- 1 u g 5 Jan  1 24:0 f"),
    ["drwxr-xr-x 3 user devlab 512 71-dateless", [
      ["directory", "71-dateless", 512],
    ]],
    ["-rw-r--r-- 1 u g 512 Jannis.txt", [["file", "Jannis.txt", 512]]],
    unreadable("-rw-r--r-- 1 u g 512 Jan"),
    unreadable("-rw-r--r-- 1 u g 512 two words"),
    ["0100644 500 101 12345 123456789 a name", [
      ["file", "a name", 12345, "1973-11-29T21:33:09", { owner: "500" }],
    ]],
    ["100644 500 101 5 0 f", [["file", "f", 5, "1970-01-01T00:00:00"]]],
    ["040755   0  0  512 1000000000 d", [
      ["directory", "d", 512, "2001-09-09T01:46:40", { mode: 0o755 }],
    ]],
    ["0120777 0 0 7 1000000000 l -> a b", [
      ["symlink", "l", 7, "2001-09-09T01:46:40", { linkTarget: "a b" }],
    ]],
    unreadable("0190644 500 101 12345 123456789 name"),
    unreadable("0100644 ann staff 12345 123456789 name"),
  ]);
});

Deno.test("ListingReader reads the table's Russian months in any encoding", () => {
  const lines = [
    ["-rw-r--r-- 1 u g 5 \u043c\u0430\u0440 12 10:11 f", "2024-03-12T10:11"],
    ["-rw-r--r-- 1 u g 5 12 \u041c\u0410\u0420 10:11 f", "2024-03-12T10:11"],
    ["-rw-r--r-- 1 u g 5 \u0434\u0435\u043a 31  1999 f", "1999-12-31"],
  ] as const;
  for (const label of ["koi8-r", "windows-1251"]) {
    const bytes = new Map<string, number>();
    for (let byte = 0; byte < 256; byte++) {
      bytes.set(new TextDecoder(label).decode(Uint8Array.of(byte)), byte);
    }
    for (const [line, time] of lines) {
      const raw = String.fromCharCode(...[...line].map((c) => bytes.get(c)!));
      for (const encoding of ["utf-8", "latin1", label]) {
        const decoder = new TextDecoder(encoding);
        const decode = (part: Uint8Array) => decoder.decode(part);
        assertCases([[raw, [["file", "f", 5, time]]]], { decode });
      }
    }
  }
});

Deno.test("ListingReader takes the table's lines about a listing for no entries", () => {
  const lines = [
    "total -9560",
    "total -9560322322989056",
    "total 12",
    "total 4.5M",
    "Total 0",
    "6 files 75978506648 bytes",
    "               6 files           75,978,506,648 bytes",
    "               3 directories     22,198,362,112 bytes free",
    "1 file 5 bytes",
    "CVS:",
    "./CVS/a b:",
    "End of status",
    "End of Status.",
    "213 End of status",
    "211-End of status",
  ];
  for (const line of lines) {
    assertCases([
      [`${line}\n${FILE} a`, [TEN]],
      [`${FILE} a\n${line}`, [TEN]],
      [`${FILE} a\n${line}\n${FILE} a`, [TEN, TEN]],
    ]);
  }
  assertCases([
    [`${FILE} total 12\n${FILE} CVS:`, [
      ["file", "total 12", 7, "2024-06-01T10:00"],
      ["file", "CVS:", 7, "2024-06-01T10:00"],
    ]],
  ]);
});

Deno.test("ListingReader takes headers and trailers with numbers for no entries", () => {
  const lines = [
    "Welcome 10 20 30",
    "# index of 3 files",
    "Quota: 100 MB used of 500 MB",
    "drwx welcome",
    "1 2 3 4 5",
    "+ note",
    "226 Transfer complete",
  ];
  for (const line of lines) {
    assertCases([
      [`${line}\n${FILE} a`, [TEN], [line]],
      [`${FILE} a\n${line}`, [TEN], [line]],
      [`${FILE} a\n${line}\n${FILE} a`, [TEN, ["unknown", line], TEN]],
    ]);
  }
  // what may be an entry is none of them
  for (const line of ["x 5 Jun 10 2020 f", "d-xr-xr-x 2 u", "ann 7 12:30 b"]) {
    assertCases([[`${line}\n${FILE} a`, [["unknown", line], TEN]]]);
  }
});

Deno.test("ListingReader reads the table's lines of IBM i", () => {
  const own = "QPGMR 135168 22.06.13 13:18:19 *FILE";
  const decoder = new TextDecoder();
  const time = "2013-06-22T13:18:19";
  assertCases([
    [own, [], [own]],
    [`${own}   `, [], [`${own}   `]],
    [`${own}\nQPGMR *MEM FILE.FILE/A.MBR`, [["file", "A.MBR"]], [own]],
    [`${own} X.SAVF`, [["file", "X.SAVF", 135168, time]]],
    [`${own} x.savf`, [["file", "x.savf", 135168, time]]],
    [`${own} Y.TXT`, [["file", "Y.TXT", 135168, time]]],
    [`${own} X.FILE`, [["directory", "X.FILE", undefined, time]]],
    [`${own} X.FILE/`, [["directory", "X.FILE", undefined, time]]],
    ["QPGMR 135168 22.06.13 13:18:19 *SAVF X", [
      ["file", "X", 135168, time],
    ]],
    ["QPGMR *MEM LIB.FILE/MBR.MBR", [["file", "MBR.MBR"]]],
    ["QPGMR *MEM MBR.MBR", [["file", "MBR.MBR"]]],
    ["           4096 29.06.13 15:45:09 *STMF no owner", [
      ["file", "no owner", 4096, "2013-06-29T15:45:09", { owner: undefined }],
    ]],
    ["QPGMR                 29.06.13 15:45:09 *STMF no size", [
      ["file", "no size", undefined, "2013-06-29T15:45:09", { owner: "QPGMR" }],
    ]],
    ["                      29.06.13 15:45:09 *DIR neither/", [
      ["directory", "neither", undefined, "2013-06-29T15:45:09"],
    ]],
    unreadable("PEP 4019 04/03/18 18:58:16 STMF x"),
    unreadable("PEP USR 36864 04/03/24 14:06:34 *DIR dir1/"),
  ]);
  const path = (line: string, directory?: string) =>
    decoder.decode(readListing(line, { directory })[0]!.rawName);
  const member = "QPGMR *MEM LIB.FILE/MBR.MBR";
  assertEquals(path(member), "LIB.FILE/MBR.MBR");
  assertEquals(path(member, "OTHER.LIB"), "LIB.FILE/MBR.MBR");
  assertEquals(path(member, "LIB.FILE"), "MBR.MBR");
});

Deno.test("ListingReader reads the table's lines of z/OS", () => {
  const used = ["1+++++", "2 ++++", "1 ????", "1  200", "115807", "1    1"];
  assertCases([
    ...used.map((columns): Case => [
      `WYOSPT 3420   2003/05/21  ${columns}  FB      80  8053  PS  A.B`,
      [["file", "A.B", undefined, "2003-05-21"]],
    ]),
    ["AAABBB 3390   2003/05/21  1 ????  ????   ?     ?    ?  A.B", [
      ["other", "A.B", undefined, "2003-05-21"],
    ]],
    [
      "Volume Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname\n" +
      "AAABBB 2020/01/03  1        15  VB   32756 32760  PO   $.ADATA\n" +
      "AAABBB **NONE**    1   1234567  FB      80 32760  PS   LONG.ONE",
      [
        ["directory", "$.ADATA", undefined, "2020-01-03"],
        ["file", "LONG.ONE"],
      ],
    ],
    ...["HFS", "ZFS"].map((organisation): Case => [
      `AAABBB 3390   2003/05/21  1   15  NONE     0     0  ${organisation} U.X`,
      [["other", "U.X", undefined, "2003-05-21"]],
    ]),
    ["AAABBB 3390   2003/05/21  1   15  NONE     0     0  PO-E U.X", [
      ["directory", "U.X", undefined, "2003-05-21"],
    ]],
    ["V43525 Tape                                             A.TAPE", [
      ["file", "A.TAPE"],
    ]],
    ["V43525 3490   Tape                                      A.TAPE", [
      ["file", "A.TAPE"],
    ]],
    ["Migrated\t\t\t\tA.OLD", [["other", "A.OLD"]]],
    ["Migrated                A.OLD", [["other", "A.OLD"]]],
    ["MIGRATED \t A.OLD", [["other", "A.OLD"]]],
    [
      "JOBNAME  JOBID    OWNER    STATUS CLASS\n" +
      "IBMUSER  JOB01906 IBMUSER  OUTPUT A        RC=0000\n" +
      "--------\n" +
      "         ID  STEPNAME PROCSTEP C DDNAME   BYTE-COUNT\n" +
      "         001 JES2     N/A      A JESMSGLG      1200\n" +
      "         104 STEP1    PROC     H SYSPRINT    123456\n" +
      "2 spool files",
      [["file", "JOB01906"], ["file", "001", 1200], ["file", "104", 123456]],
    ],
    [
      "         ID  STEPNAME PROCSTEP C DDNAME   BYTE-COUNT\n" +
      "         001 JESE              H JESMSGLG      1200\n" +
      "         004 STEP57            H SYSUT2         741",
      [["file", "001", 1200], ["file", "004", 741]],
    ],
    ["IBMUSER  TSU01830 IBMUSER  OUTPUT TSU      ABEND=522 3 spool files", [
      ["file", "TSU01830", undefined, undefined, { owner: "IBMUSER" }],
    ]],
    ["IBMUSER1  JOB01906  OUTPUT    3 Spool Files", [["file", "JOB01906"]]],
  ]);
});

Deno.test("ListingReader reads the table's lines of OpenVMS", () => {
  const entry: Row = ["file", "B.LOG", 512, "2006-08-02T13:05"];
  const good = "B.LOG;1  1/3  2-AUG-2006 13:05  [SUMMARY]  (RWE,RWE,RE,)";
  const headers = [
    "DISK:[DIR]",
    "ACA:[ANONYMOUS]",
    "DISK$USER1:[DIR.SUB]",
    "NODE::DISK$A:[000000]",
    "DISK$VOL:",
    "Directory DISK:[DIR]",
    "Directory USER1:[TEMP]",
  ];
  assertCases(
    headers.map((header): Case => [`\n${header}\n\n${good}\n`, [entry]]),
  );
  const no = "*.*;0 <%RMS-E-FNF, file not found>";
  const padded = "*.*;0              %RMS-E-FNF, file not found";
  assertCases([
    ["A.LOG;23 %SYSTEM-F-NOPRIV, insufficient privilege", [["file", "A.LOG"]]],
    ["A.LOG;23\n %SYSTEM-F-NOPRIV, insufficient privilege", [
      ["file", "A.LOG"],
    ]],
    [`A.DIR;1\n      <%SYSTEM-F-NOPRIV, no>\n${good}`, [
      ["directory", "A"],
      entry,
    ]],
    ["A.FTP;1        insufficient privilege or file protection violation", [
      ["file", "A.FTP"],
    ]],
    [`PICS.DIR;1\tNo privilege for attempted operation\n${good}`, [
      ["directory", "PICS"],
      entry,
    ]],
    [no, [], [no]],
    [padded, [], [padded]],
    [`${good}\nTotal 2 files`, [entry], ["Total 2 files"]],
    [`${good}\nTotal 1 file`, [entry], ["Total 1 file"]],
    [`${good}\nTotal of 710 blocks in 12 files.`, [entry]],
    [`${good}\nTotal of 1 file, 3 blocks.`, [entry]],
    ["PRONAS.C;1    6/8    15-JUI-2002    PRONAS   (RWED,RWED,RE,)", [
      ["file", "PRONAS.C", 3072, "2002-07-15", { owner: "PRONAS" }],
    ]],
    ["P.C;1    6/8    15-DEZ-2002 10:11    PRONAS   (RWED,RWED,RE,)", [
      ["file", "P.C", 3072, "2002-12-15T10:11", { owner: "PRONAS" }],
    ]],
    ["P.C;1    6/8    3-M\xc4R-2002 10:11 [A,B] (RWED,RWED,RE,)", [
      ["file", "P.C", 3072, "2002-03-03T10:11", { owner: "B", group: "A" }],
    ]],
    ["K.C;1 2KB 23-SEP-2005 14:57:07.27", [
      ["file", "K.C", 2048, "2005-09-23T14:57:07", { isSizeApproximate: true }],
    ]],
    ...[["2kb", 2048], ["2K", 2048], ["1.5KB", 1536], ["3MB", 3145728], [
      "1GB",
      1073741824,
    ]].map(([text, size]): Case => [
      `K.C;1 ${text} 23-SEP-2005 14:57`,
      [["file", "K.C", size as number, "2005-09-23T14:57"]],
    ]),
    [
      "[A.DIR]CMU.FILE;1 1/3 5-MAR-1993 18:09\n[A.DIR]C.DIR;1 1/3 5-MAR-1993 18:09",
      [
        ["file", "CMU.FILE", 512, "1993-03-05T18:09"],
        ["directory", "C", undefined, "1993-03-05T18:09"],
      ],
    ],
    [
      `${good}\nA-LONG.NAME-IN-A-LINE\n     213  29-JAN-1996 03:33 [A,B] (R,R,,)`,
      [
        entry,
        ["file", "A-LONG.NAME-IN-A-LINE", 109056, "1996-01-29T03:33"],
      ],
    ],
    unreadable("1-JUN.LIS;2 9/9 JUN-2-1998 07:32:04 [G,O] (RWED,RWED,RWED,)"),
    unreadable("DATA.DIR; 1  1/9  2-JUN-1998 07:32:04  [G,O]  (,RWED,RWED,RE)"),
  ]);
  assertCases([
    [
      "A.TXT;2 1 2-AUG-2006 13:05\nA.TXT;1 1 2-AUG-2005 13:05\nSUB.DIR;1 1 2-AUG-2006 13:05",
      [
        ["file", "A.TXT;2", 512, "2006-08-02T13:05"],
        ["file", "A.TXT;1", 512, "2005-08-02T13:05"],
        ["directory", "SUB", undefined, "2006-08-02T13:05"],
      ],
    ],
  ], { allVersions: true });
});

Deno.test("ListingReader reads the table's lines of OS/2, NetWare, MLSD and DOS", () => {
  assertCases([
    ["0  RHS   DIR   04-11-95   16:26  ATTACH", [
      ["directory", "ATTACH", undefined, "1995-04-11T16:26"],
    ]],
    ["                 0  DIR            04-11-95   16:26  a b", [
      ["directory", "a b", undefined, "1995-04-11T16:26"],
    ]],
    ["   612  RHSA           07-28-95   16:45  air.bag", [
      ["file", "air.bag", 612, "1995-07-28T16:45"],
    ]],
    ["  1123 DIR  A    10-05-100  23:38  old", [
      ["directory", "old", undefined, "2000-10-05T23:38"],
    ]],
    ["d[RWCEMFA]  1 cyp           512 Feb  3 93 12:00 htdocs", [
      ["directory", "htdocs", undefined, "1993-02-03T12:00", { owner: "cyp" }],
    ]],
    ["-[RWCEMFA] rhesus       214059       Oct 20 15:27    cx.exe", [
      ["file", "cx.exe", 214059, "2023-10-20T15:27"],
    ]],
    ["- [R----F--] rhesus     214059       Oct 20  2005    cx.exe", [
      ["file", "cx.exe", 214059, "2005-10-20"],
    ]],
    unreadable("a [-----F--] SCION_SYS   512 Apr 13 23:52 SYS"),
    ["type=file;size=13;modify=20090722092510;\tone 2009-07-22 two.ts", [
      ["file", "one 2009-07-22 two.ts", 13, "2009-07-22T09:25:10"],
    ]],
    ["type=file;size=1; \ta\ntype=file;size=2;\t b", [
      ["file", "\ta", 1],
      ["file", " b", 2],
    ]],
    ["10-15-09  00:34AM       <DIR>          web", [
      ["directory", "web", undefined, "2009-10-15T00:34"],
    ]],
    ["10-15-09  00:34PM            5 web", [
      ["file", "web", 5, "2009-10-15T12:34"],
    ]],
    ["10-15-09  12:34AM            5 web", [
      ["file", "web", 5, "2009-10-15T00:34"],
    ]],
    unreadable("10-15-09  13:34AM       <DIR>          web"),
  ]);
});

Deno.test("ListingReader reads the table's new systems", () => {
  assertCases([
    [
      "README   ANONYMOU V         71         26          1 1997-04-02 12:33:20 TCP291",
      [
        ["file", "README.ANONYMOU", 1846, "1997-04-02T12:33:20"],
      ],
    ],
    [
      "AUTHORS           DIR        -          -          - 1999-09-20 10:31:11 -",
      [
        ["directory", "AUTHORS", undefined, "1999-09-20T10:31:11"],
      ],
    ],
    [
      "70-ZVMFILE  TRACE   V        65      107        2 2005-10-04 15:28:42 060191",
      [
        ["file", "70-ZVMFILE.TRACE", 6955, "2005-10-04T15:28:42"],
      ],
    ],
    ["BADY2K   TEXT      A0 V      1      1      1       1/03/102  10:11:12", [
      ["file", "BADY2K.TEXT", 1, "2002-01-03T10:11:12"],
    ]],
    ["AUTHORS            A1 DIR    -      -      -       9/20/99   10:31:11", [
      ["directory", "AUTHORS", undefined, "1999-09-20T10:31:11"],
    ]],
    ["20.20 07/03/29 1026 d-ewrewr 2650 85920 a dir", [
      ["directory", "a dir", undefined, "2007-03-29T10:26"],
    ]],
    ["0.0 98/12/31 2359 ----r-wr 2650 1024 f", [
      ["file", "f", 1024, "1998-12-31T23:59", { mode: 0o644 }],
    ]],
    ["config       1014196  06/03/04  Thur.   10:20:03", [
      ["file", "config", 1014196, "2004-06-03T10:20:03"],
    ]],
    ["ti.cfg           132  06/24/99  Wed     11:12:00", [
      ["file", "ti.cfg", 132, "1999-06-24T11:12:00"],
    ]],
    [
      "README              763  Feb  3 18:21  Information about this server\n" +
      "bin/                  -  Apr 28  1994  programs\n" +
      "A.very.long.name.Z\n" +
      "                  79215  Jan  4 06:45\n" +
      "morgan               14  Apr 18 09:39  -> ../real/morgan",
      [
        ["file", "README", 763, "2024-02-03T18:21"],
        ["directory", "bin", undefined, "1994-04-28"],
        ["file", "A.very.long.name.Z", 79215, "2024-01-04T06:45"],
        ["symlink", "morgan", 14, "2024-04-18T09:39", {
          linkTarget: "../real/morgan",
        }],
      ],
    ],
  ]);
});
