import { assertEquals } from "@std/assert";
import type { Entry } from "../../lib/listing/entry.ts";
import { makeEncoding } from "../../lib/protocol/encoding.ts";
import {
  assertCases,
  assertEntry,
  assertSplitProof,
  type Case,
  fromByteText,
  readListing,
  unknown,
} from "../testing/listing_cases.ts";

const FACTS = "type=file;perm=awdrf;unique==keVO1+ZF4;";

const LINES: readonly Case[] = [
  // Facts
  [
    "SiZe=11;tYpe=file;MoDIfy=20181025120459;uNIx.MOde=0755; file one",
    {
      name: "file one",
      kind: "file",
      size: 11,
      mtime: "2018-10-25T12:04:59.000Z",
      mtimePrecision: "second",
      mode: 0o755,
      format: "mlsd",
    },
  ],
  ["type=ty=pe; name", { kind: "other", facts: { type: "ty=pe" } }],
  ["type==type; name", { facts: { type: "=type" } }],
  ["type=====; name", { facts: { type: "====" } }],
  [`${FACTS} name`, {
    facts: {
      type: "file",
      perm: "awdrf",
      unique: "=keVO1+ZF4",
    },
  }],
  ["Type=; x", { name: "x", kind: "unknown", format: "mlsd" }],
  ["Type=file;Size=; x", { name: "x", kind: "file", size: undefined }],
  ["type=file;perm=; x", { name: "x", facts: { type: "file", perm: "" } }],
  unknown("Type=dir;Size; x"),
  unknown("modify=20150806235817;invalid;UNIX.owner=0; movies"),
  unknown("Type=file;Size=5;/no/space"),
  unknown(FACTS),
  unknown(`${FACTS} `),
  // No semicolon behind the last fact (NcFTPd)
  ["type=file;size=5 name", { name: "name", kind: "file", size: 5 }],
  ["type=file;size=5 na; me", { name: "na; me", kind: "file", size: 5 }],
  ["size=5;type=file a;b=c; d", { name: "a;b=c; d", kind: "file", size: 5 }],
  ["type=dir;modify=20240229000000 a; b", { name: "a; b", kind: "directory" }],
  ["type=file;perm=adfrw a; b", { name: "a; b" }],
  ["size=5;type=FILE  a; b", { name: " a; b", kind: "file" }],
  ["type=file;UNIX.group=7 name", { name: "name", group: "7" }],
  ["type=file;UNIX.groupname=staff na me", { name: "na me", group: "staff" }],
  ["type=file;UNIX.groupname=staff a;b", { name: "a;b", group: "staff" }],
  // Values with blanks (ProFTPD with a directory service)
  ...([
    ["type=file;size=3;UNIX.groupname=domain users;UNIX.mode=0644; ", "a.txt"],
    ["UNIX.groupname=domain users;type=file;size=3;UNIX.mode=644; ", "na me"],
    ["size=3;type=file;UNIX.mode=644;UNIX.groupname=domain users; ", " lead"],
    ["size=3;type=file;UNIX.mode=644;UNIX.groupname=domain users; ", "a; b=c"],
    ["size=3;type=file;UNIX.mode=644;UNIX.groupname=domain users; ", ";;; ;"],
    [
      "x=a  b ;type=file;size=3;unix.GroupName=domain users;UNIX.mode=644; ",
      "f",
    ],
    ["type=file;size=3;UNIX.mode=644;UNIX.groupname=domain users;x= ; ", "f"],
    ["type=file;size=3;UNIX.groupname=domain users;UNIX.mode=0644 ", "a.txt"],
    ["UNIX.groupname=domain users;UNIX.mode=644;type=file;size=3 ", "a; b"],
    ["UNIX.mode=644;type=file;size=3;UNIX.groupname=domain users;x=y ", "a b"],
  ] as const).map(([facts, name]): Case => [`${facts}${name}`, {
    name,
    kind: "file",
    size: 3,
    mode: 0o644,
    group: "domain users",
    format: "mlsd",
  }]),
  [
    "type=file;UNIX.groupname=a b;UNIX.ownername=c d e; name",
    { name: "name", group: "a b", owner: "c d e" },
  ],
  ["modify=2024-01-01 10:00;type=file; f", { name: "f", mtime: undefined }],
  // Nothing of the facts is ever a name
  unknown("type=file;UNIX.groupname=domain users;UNIX.mode=0644;"),
  unknown("type=file;UNIX.groupname=domain users;UNIX.mode=0644"),
  unknown("type=file;UNIX.groupname=domain users;UNIX.mode=0644; "),
  unknown("type=file;UNIX.groupname=a b;c;UNIX.mode=0644; a.txt"),
  unknown("type=OS.unix=slink:/a b;c;size=4; l"),
  // Names
  ...[
    "na me",
    "trailing ",
    " leading",
    "n am  e",
    "na;me",
    ";name",
    ";name;",
    ";;;;",
    "a -> b",
    "\tta\tb",
    "x=y; z",
    "ünïcode \u{1F600}",
    "next\u0085line\u2028",
  ].map((name): Case => [`${FACTS} ${name}`, { name, kind: "file" }]),
  // Sizes
  ["type=dir;sizd=4096; d", { kind: "directory", size: 4096 }],
  ["type=file; f", { size: undefined }],
  ["type=file;size=notanumber; f", { name: "f", size: undefined }],
  ["type=file;size=-1; f", { name: "f", size: undefined }],
  ["type=file;size=0; f", { size: 0 }],
  ["type=file;size=9007199254740991; f", { size: 9007199254740991 }],
  ["type=file;size=9007199254740993; f", { size: undefined }],
  ["type=file;size=18446744073709551615; f", { size: undefined }],
  ["type=file;size=99999999999999999999999; f", {
    size: undefined,
  }],
  ["type=file;size=00000000000000000000005; f", { size: 5 }],
  [`type=file;size=${"9".repeat(41)}; f`, { size: undefined }],
  // Times
  ...([
    ["20190218120006", "2019-02-18T12:00:06.000Z"],
    ["19991005213102.014", "1999-10-05T21:31:02.014Z"],
    ["19991005213102.999", "1999-10-05T21:31:02.999Z"],
    ["19991005213102.1", "1999-10-05T21:31:02.100Z"],
    ["19991005213102.12", "1999-10-05T21:31:02.120Z"],
    ["19991005213102.1239", "1999-10-05T21:31:02.123Z"],
    ["20190218120006Z", "2019-02-18T12:00:06.000Z"],
    ["191000229000000", "2000-02-29T00:00:00.000Z"],
    ["191100102030405", "2010-01-02T03:04:05.000Z"],
    ["20240229000000", "2024-02-29T00:00:00.000Z"],
    ["20161231235960", "2017-01-01T00:00:00.000Z"],
    ["19691231235959", "1969-12-31T23:59:59.000Z"],
    ["21000301000000", "2100-03-01T00:00:00.000Z"],
    ["00010101000000", undefined],
    ["99991231235959", undefined],
    ["20190229000000", undefined],
    ["21000229000000", undefined],
    ["20141306000000", undefined],
    ["20140006000000", undefined],
    ["20140100000000", undefined],
    ["20140132000000", undefined],
    ["20140101240000", undefined],
    ["20140101006000", undefined],
    ["20140101000061", undefined],
    ["2014102206510x2", undefined],
    ["20190218120006.", undefined],
    ["20190218120006.5x", undefined],
    ["2014", undefined],
    ["", undefined],
  ] as const).map(([text, mtime]): Case => [`type=file;modify=${text}; f`, {
    name: "f",
    mtime,
    mtimePrecision: mtime && "second",
  }]),
  // Modes
  ...([
    ["0644", 0o644],
    ["644", 0o644],
    ["0755", 0o755],
    ["4755", 0o4755],
    ["00", 0],
    ["64", 0o64],
    ["100644", 0o644],
    ["04755", 0o4755],
    ["06444", 0o6444], // as ProFTPD and Pure-FTPd write a set-ID file's
    ["0888", undefined],
    ["rw", undefined],
  ] as const).map(([text, mode]): Case => [
    `type=file;UNIX.mode=${text}; f`,
    { name: "f", mode },
  ]),
  // Owners
  [
    "UNIX.ownername=ann;UNIX.owner=7;UNIX.groupname=g;UNIX.group=8;type=file; f",
    {
      owner: "ann",
      group: "g",
    },
  ],
  [
    "UNIX.owner=7;UNIX.ownername=ann;UNIX.group=8;UNIX.groupname=g;type=file; f",
    {
      owner: "ann",
      group: "g",
    },
  ],
  ["UNIX.uid=7;UNIX.gid=8;type=file; f", { owner: "7", group: "8" }],
  ["UNIX.owner=7;UNIX.group=8;type=file; f", { owner: "7", group: "8" }],
  ["type=file; f", { owner: undefined, group: undefined, mode: undefined }],
  // Kinds
  ["type=dir; d", { kind: "directory", isDirectory: true, isFile: false }],
  ["Type=DIR; d", { kind: "directory" }],
  ["type=OS.unix=slink:/target; l", {
    kind: "symlink",
    isSymlink: true,
    linkTarget: "/target",
  }],
  ["type=OS.unix=slink:/a b/c d;size=4; l m", {
    kind: "symlink",
    linkTarget: "/a b/c d",
    size: 4,
    name: "l m",
  }],
  ["size=4;type=OS.unix=slink:/a b; l", { linkTarget: "/a b", name: "l" }],
  ["type=OS.unix=slink:; l", { kind: "symlink", linkTarget: "" }],
  ["type=OS.unix=slink; l", { kind: "symlink", linkTarget: undefined }],
  ["type=OS.unix=symlink; l", { kind: "symlink", linkTarget: undefined }],
  ["Type=OS.UNIX=symlink; l", { kind: "symlink" }],
  ["type=link; l", { kind: "symlink" }],
  ["type=OS.unix=chr-13/29; c", { kind: "other", isFile: false }],
  ["type=OS.unix=blk-11/108; b", { kind: "other" }],
  ["type=OS.unix=pipe; p", { kind: "other" }],
  ["type=something; s", { kind: "other", facts: { type: "something" } }],
  // The last fact of a name counts, and leaves nothing of the first
  ["type=dir;type=file;size=1;size=2; f", { kind: "file", size: 2 }],
  // Hostile names
  ...[".", "..", "a/b", "..\\x", "a\0b", "/", "../../etc/passwd"].map(
    (name): Case => [`type=file; ${name}`, { name, hostile: true }],
  ),
  ["type=file; ...", { name: "...", hostile: false }],
  // A fact named like a property of every object
  ["type=file;__proto__=x; f", { name: "f", kind: "file" }],
];

Deno.test("ListingReader reads every line of MLSD in the table", () => {
  assertCases(LINES);
});

Deno.test("ListingReader reads MLSD the same for every cutting", () => {
  const lines = LINES.map(([line]) => line);
  for (let at = 0; at < lines.length; at += 5) {
    assertSplitProof(lines.slice(at, at + 5).join("\r\n"));
  }
});

Deno.test("ListingReader reads names without facts where MLSD is known", () => {
  const options = { format: "mlsd" };
  assertCases([
    [" filename", { name: "filename", kind: "unknown", format: "mlsd" }],
    ["  ", { name: " " }],
    [" /no/facts", { name: "/no/facts", hostile: true }],
    [" Type=cdir;Modify=20200101000000; /leading", {
      name: "Type=cdir;Modify=20200101000000; /leading",
    }],
  ], options);
  const listing = `${FACTS} one\r\n two\r\n${FACTS} three\r\n`;
  assertEquals(readListing(listing).map((entry) => entry.name), [
    "one",
    "two",
    "three",
  ]);
  assertSplitProof(listing);
});

Deno.test("ListingReader omits the listed directory and its parent by default", () => {
  const listing = [
    "type=cdir;modify=20240101000000; /srv/ftp",
    "type=pdir; ..",
    "type=dir; .",
    "type=dir; ..",
    "type=dir; ...",
    "type=file; ..",
  ].join("\r\n");
  assertEquals(readListing(listing).map((entry) => entry.name), ["...", ".."]);
  const selves: string[] = [];
  const onSelf = (entry: Entry) => void selves.push(entry.name);
  readListing(listing, { onSelf });
  assertEquals(selves, ["/srv/ftp", "..", ".", ".."]);
  assertSplitProof(listing);
});

Deno.test("ListingReader keeps the bytes of names that are not text", () => {
  const bytes = fromByteText(
    "type=file; caf\xe9\r\ntype=OS.unix=slink:\xff;UNIX.ownername=\xfc; \xae\r\n",
  );
  const [first, second] = readListing(bytes);
  assertEquals(first?.name, "caf\udce9");
  assertEquals([...first!.rawName], [0x63, 0x61, 0x66, 0xe9]);
  assertEquals(second?.linkTarget, "\udcff");
  assertEquals(second?.owner, "\udcfc");
  assertSplitProof(bytes);

  const latin1 = makeEncoding("latin1");
  const entry = readListing(bytes, { decode: latin1.decode })[0];
  assertEntry(entry, { name: "café", line: "type=file; café" }, "latin1");
});

Deno.test("ListingReader joins links with targets on lines of their own", () => {
  const listing = [
    "type=file;unique=1; plain",
    "type=OS.unix=symlink;unique=1; back",
    "type=OS.unix=symlink;unique=2; a",
    "type=OS.unix=symlink;unique=2; b",
    "type=dir;unique=2; /else/where",
    "type=OS.unix=symlink;unique=3; c",
    "type=file;unique=3; inside",
    "type=OS.unix=symlink; lonely",
    "type=OS.unix=symlink;unique=9; dangling",
    "type=file;unique=4; no/link",
  ].join("\r\n");
  const entries = readListing(listing);
  assertEquals(entries.map(({ name, linkTarget }) => [name, linkTarget]), [
    ["plain", undefined],
    ["back", "plain"],
    ["a", "/else/where"],
    ["b", "/else/where"],
    ["c", "inside"],
    ["inside", undefined],
    ["lonely", undefined],
    ["dangling", undefined],
    ["no/link", undefined],
  ]);
  assertSplitProof(listing);
});
