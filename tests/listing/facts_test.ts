import { assertEquals } from "@std/assert";
import { parseFacts } from "../../lib/listing/facts.ts";

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
