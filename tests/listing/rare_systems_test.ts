import { assertEquals } from "@std/assert";
import type { ListingReaderOptions } from "../../lib/listing/listing_options.ts";
import { FORMATS } from "../../lib/listing/formats.ts";
import { assertSplitProof, readListing } from "../testing/listing_cases.ts";

/** Letter of the kind, name, size, time to the minute, and what else there is. */
type Row = readonly [
  kind: string,
  name: string,
  size?: number | undefined,
  time?: string | undefined,
  owner?: string | undefined,
  rest?: string,
];

const LISTINGS: Record<string, readonly Row[]> = {
  vms: [
    ["f", "1-JUN.LIS", 4608, "1998-06-02T07:32", "OWNER"],
    ["d", "CORE", undefined, "1996-09-08T16:09", "SYSTEM"],
    [
      "f",
      "A_VERY_LONG_NAME_THAT_HAS_ITS_LINE_FOR_ITSELF.TXT",
      79360,
      "2003-07-02T10:30",
      "SCOT",
    ],
    ["f", "NOPRIV.DAT"],
    ["f", "ORDER.TXT", 512, "2006-08-02T13:05", "SUMMARY"],
    ["f", "NOTIME.C", 1024, "2000-01-15", "IV2_XXX"],
    ["f", "FOREIGN.C", 1024, "2002-07-15", "PRONAS"],
  ],
  os400: [
    ["d", "home", undefined, "2000-02-23T15:09", "QSYS"],
    ["f", "day first", 77824, "2000-02-23T15:09", "QSYS"],
    ["f", "year first", 5126, "1998-12-31T15:09", "QSYS"],
    ["f", "dotted.txt", 5126, "1998-12-31T15:09", "QSYS"],
    ["f", "nobody knows", 5126, undefined, "QSYS"],
    ["f", "ORDERS.MBR", undefined, undefined, "PEP"],
    ["d", "ORDERS.FILE", undefined, "2000-02-23T14:06", "PEP"],
    ["f", "leading", 123456, "2000-02-23T14:06", "PEP"],
  ],
  "zos-data-sets": [
    ["f", "MVS.FILE", undefined, "2003-05-21"],
    ["d", "MVS.DATASET", undefined, "2004-03-04"],
    ["d", "MVS.NONEDATE"],
    ["d", "MVS.DIR", undefined, "2005-06-06"],
    ["f", "MVS.VSAM"],
    ["o", "'OLD.DATA'"],
    ["o", "KJ.IOP998.ERROR"],
    ["d", "SYS1"],
  ],
  "zos-members": [
    ["f", "TBSHELF", undefined, "2002-10-11T09:37", "KIL001"],
    ["f", "TBTOOL", undefined, "2004-11-26T19:54", "KIL001"],
    ["f", "ADATAB"],
  ],
  "zos-load-modules": [
    ["f", "EZAARPT", 0xb308],
    ["s", "EZAALIAS", 0xb308, undefined, undefined, "EZAARPT"],
    ["f", "EZATWO", 0x650],
  ],
  "zos-jes": [
    ["f", "JOB01906", undefined, undefined, "IBMUSER"],
    ["f", "TSU01830", undefined, undefined, "IBMUSER"],
    ["f", "JOB01820", undefined, undefined, "UUU1"],
  ],
  nonstop: [
    ["f", "IARPTS", 16354, "2009-03-18T15:09", "10"],
    ["f", "JENNYCB2", 1680, "2007-04-04T11:02", "255"],
    ["f", "OPEN", 1680, "2007-04-04T11:02", "255"],
  ],
  netware: [
    ["d", "login", undefined, "2024-01-16T18:53", "supervisor"],
    ["f", "cx file.exe", 214059, "2023-10-20T15:27", "rhesus"],
    ["d", "VOL2", undefined, "1996-04-13", "SCION_VOL2"],
  ],
  os2: [
    ["f", "first file", 36611, "2003-04-23T10:57"],
    ["f", "second", 1123, "1999-07-14T12:37"],
    ["d", "a dir", undefined, "2003-02-11T16:15"],
    ["d", "b dir", undefined, "2000-10-05T23:38"],
    ["f", "plain", 5, "2004-10-05T23:38"],
  ],
  eplf: [
    ["f", "djb.html", 280, "1996-03-01T22:15"],
    ["d", "514", undefined, "1996-02-13T23:58"],
    ["f", "a name, with comma", 612, "1996-02-13T23:14"],
    ["d", " dir"],
  ],
  enterprise: [
    ["f", "QUADTEST", 41, "2023-08-12T13:56", "QUA1I1"],
    ["f", "two words", 1294495, "2024-01-13T07:42", "BCC3I1"],
    ["f", "ceunix.dat", 2313708, "2003-03-29", "ceunix"],
  ],
  vshell: [
    ["f", "old file", 206876, "2000-04-04T21:06"],
    ["d", "a dir", undefined, "2002-12-12T02:13"],
  ],
  vxworks: [
    ["d", "logs dir", undefined, "1998-02-28T05:23"],
    ["f", "boot.ini", 815, "1998-02-28T05:23"],
  ],
  zvm: [
    ["f", "README.ANONYM", 1846, "1997-04-02T12:33", "TCP291"],
    ["d", "AUTHORS", undefined, "1999-09-20T10:31"],
    ["f", "WELCOME.NOTE", 1680, "1999-12-27T16:19"],
    ["f", "PROFILE.EXEC", 51, "1991-09-12T12:39"],
    ["f", "LATE.DATE", 80, "2000-11-03T10:11"],
    ["d", "OLDDIR", undefined, "1999-09-20T10:31"],
  ],
  os9: [
    ["d", "CMDS dir", undefined, "2007-03-29T10:26", "20"],
    ["f", "startup", 1024, "1998-12-31T23:59", "0"],
  ],
  nortel: [
    ["f", "config", 1014196, "2004-06-03T10:20"],
    ["f", "ti.cfg", 132, "1999-06-24T11:12"],
  ],
  chameleon: [
    ["d", "INSTALL", undefined, "1994-11-16T17:17"],
    ["f", "DESIGN1.DOC", 11264, "1995-05-11T14:20"],
    ["d", "CMT", undefined, "1994-11-21T10:17"],
    ["f", "CMT.CSV", 0, "1995-07-06T14:56"],
  ],
  "unix-numeric": [
    ["f", "a file", 12345, "1973-11-29T21:33", "500"],
    ["d", "dir", 512, "2001-09-09T01:46", "0"],
    ["s", "link", 7, "2001-09-09T01:46", "0", "usr/bin"],
  ],
  dls: [
    ["f", "README", 763, "2024-02-03T18:21"],
    ["d", "bin", undefined, "1994-04-28"],
    ["d", "etc", undefined, "2023-07-11T21:04"],
    ["f", "ls-lR", 0, "2023-08-06T17:14"],
    ["s", "morgan", 14, "2024-04-18T09:39", undefined, "../real/morgan"],
    ["f", "A.very.long.name.Z", 79215, "2024-01-04T06:45"],
    ["f", "plain", 12],
  ],
};

function readFixture(name: string): string {
  const file = `${name.replaceAll("-", "_")}.txt`;
  return Deno.readTextFileSync(
    new URL(`../testdata/listings/${file}`, import.meta.url),
  );
}

function readRows(text: string, options: ListingReaderOptions = {}): Row[] {
  return readListing(text, options).map((entry) => {
    const row: (string | number | undefined)[] = [
      entry.kind === "directory" || entry.isFile || entry.isSymlink
        ? entry.kind[0]
        : entry.kind === "other"
        ? "o"
        : entry.kind,
      entry.name,
      entry.size as number | undefined,
      entry.mtime?.toISOString()
        .slice(0, entry.mtimePrecision === "day" ? 10 : 16),
      entry.owner,
      entry.linkTarget,
    ];
    while (row.at(-1) === undefined) row.pop();
    return row as unknown as Row;
  });
}

Deno.test("ListingReader has a transcript of every format in the table", () => {
  assertEquals(
    Object.keys(LISTINGS).sort(),
    FORMATS.map((format) => format.name).sort(),
  );
});

for (const [name, rows] of Object.entries(LISTINGS)) {
  Deno.test(`ListingReader finds out that a listing is of ${name}`, () => {
    const text = readFixture(name);
    assertEquals(readRows(text), rows as Row[]);
    const formats = readListing(text).map((entry) => entry.format);
    assertEquals(new Set(formats), new Set([name]));
  });

  Deno.test(`ListingReader reads ${name} by its name, and cut everywhere`, () => {
    const text = readFixture(name);
    assertEquals(readRows(text, { format: name }), rows as Row[]);
    assertSplitProof(text);
    assertSplitProof(text.replaceAll("\n", "\r\n"), { format: name });
  });
}

Deno.test("ListingReader gives every version of a file of OpenVMS when asked", () => {
  const names = readListing(readFixture("vms"), { allVersions: true })
    .map((entry) => entry.name);
  assertEquals(names.slice(0, 3), ["1-JUN.LIS;2", "1-JUN.LIS;1", "CORE"]);
});

Deno.test("ListingReader takes sizes in blocks for what they are", () => {
  const [entry] = readListing(readFixture("vms"));
  assertEquals(entry?.isSizeApproximate, true);
  assertEquals(entry?.mode, 0o750);
  assertEquals(entry?.group, "GROUP");
});

Deno.test("ListingReader keeps a name of OpenVMS whose second line is missing", () => {
  const text = `${
    readFixture("vms")
  }LONELY.TXT;1\nNEXT.TXT;1  1/3  2-AUG-2006 13:05\nEND.TXT;4\n`;
  const entries = readListing(text).slice(-3);
  assertEquals(entries.map(({ name, kind }) => [name, kind]), [
    ["LONELY.TXT;1", "unknown"],
    ["NEXT.TXT", "file"],
    ["END.TXT;4", "unknown"],
  ]);
  assertSplitProof(text);
});

Deno.test("ListingReader reads times of rare systems in the given zone", () => {
  const [entry] = readListing(readFixture("netware"), { zone: -90 });
  assertEquals(entry?.mtime, new Date("2024-01-16T20:23:00Z"));
  const [eplf] = readListing(readFixture("eplf"), { zone: -90 });
  assertEquals(eplf?.mtime, new Date(825718503000));
});
