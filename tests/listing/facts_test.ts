import { assertEquals } from "@std/assert";
import { makeFactsParser, parseFacts } from "../../lib/listing/facts.ts";

Deno.test("parseFacts takes names and facts apart", () => {
  const table: readonly [
    line: string,
    name: string,
    facts: Record<string, string>,
  ][] = [
    ["type=file;size=5; a", "a", { type: "file", size: "5" }],
    ["TyPe=FILE;X.y=Z; a", "a", { type: "FILE", "x.y": "Z" }],
    ["type=file;   a ", "  a ", { type: "file" }],
    ["type=file; a; b=c; d", "a; b=c; d", { type: "file" }],
    ["type==type; a", "a", { type: "=type" }],
    ["type=; a", "a", { type: "" }],
    ["type=file;size=5 a", "a", { type: "file", size: "5" }],
    ["type=file;size; a", "a", { type: "file", size: "" }],
    ["type=OS.unix=slink:/a b; l", "l", { type: "OS.unix=slink:/a b" }],
    ["x=1;Type=os.unix=SLINK:a b;y=2; l", "l", {
      x: "1",
      type: "os.unix=SLINK:a b",
      y: "2",
    }],
    ["type=file;size=5 na; me", "na; me", { type: "file", size: "5" }],
    ["type=file;x=y z;UNIX.mode=0644; a; b", "a; b", {
      type: "file",
      x: "y z",
      "unix.mode": "0644",
    }],
    ["x=y z;size=5 a", "a", { x: "y z", size: "5" }],
    ["x=y z;w=v a b", "a b", { x: "y z", w: "v" }],
    ["x=y z;w", "z;w", { x: "y" }],
    ["x=y z;w; a", "a", { x: "y z", w: "" }],
    ["x=y z;w=v;", "", { x: "y z", w: "v" }],
    [" a b", "a b", {}],
    ["type=file;", "", { type: "file" }],
    ["", "", {}],
  ];
  for (const [line, name, facts] of table) {
    assertEquals(parseFacts(line), { name, facts }, line);
  }
});

Deno.test("parseFacts makes facts of names that every object has", () => {
  const { facts } = parseFacts("__proto__=x;constructor=y; a");
  assertEquals(Object.entries(facts), [
    ["__proto__", "x"],
    ["constructor", "y"],
  ]);
});

Deno.test("makeFactsParser returns the same as parseFacts, after any line", () => {
  const lines = [
    "type=file;size=5; a b",
    "type=file;size=6; c",
    "Type=dir;size=; d;e",
    "type=file;size=7;\tf",
    "type=file;size=8;x=1; g",
    "type=file;size=9;x=1; h",
    "type=file; i",
    "type=file;size=5;size=6; twice",
    "type=file;size=7;size=8; twice",
    "type=file;UNIX.groupname=domain users;size=1; j",
    "type=file;UNIX.groupname=domain;size=1; k",
    "type=file;UNIX.groupname=domain users;size=1; l",
    "__proto__=1;size=2; m",
    "__proto__=3;size=4; n",
    "flag;size=4; o",
    "type=file;size=5 p",
    " no facts",
    "nothing",
    "",
    "type=file;size=5;",
    "type=file;size=5; ",
    "type=file;size=5; q",
  ];
  for (const first of lines) {
    for (const second of lines) {
      const parse = makeFactsParser();
      for (const line of [first, second, first]) {
        const { name, facts } = parse(line);
        const expected = parseFacts(line);
        assertEquals(name, expected.name, line);
        assertEquals(Object.entries(facts), Object.entries(expected.facts));
      }
    }
  }
});

Deno.test("makeFactsParser gives facts of their own for each line", () => {
  const parse = makeFactsParser();
  const first = parse("type=file;size=5; a").facts;
  first.size = "changed";
  first.more = "more";
  assertEquals(parse("type=file;size=6; b").facts, { type: "file", size: "6" });
});
