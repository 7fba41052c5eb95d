import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Glob } from "../../lib/directories/glob.ts";
import { Pair } from "../testing/scripted_listings.ts";
import { worked } from "../testing/cpu_time.ts";

const CASES: [glob: string, matches: string[], misses: string[]][] = [
  ["a", ["a"], ["", "b", "aa", "a/a", "A"]],
  ["*", ["a", ".a", "ab", "\u{1F600}"], ["a/b", "a/"]],
  ["*.csv", ["a.csv", ".csv", "a.b.csv"], ["a.csv.gz", "d/a.csv", "acsv"]],
  ["a*b*c", ["abc", "aXbXc", "abbcc", "ab.bc"], ["ab", "abcd", "a/bc"]],
  ["**", ["a", "a/b", "a/b/c"], []],
  ["**/*.csv", ["a.csv", "d/a.csv", "d/e/a.csv"], ["a.txt", "d/a.csv/b"]],
  ["d/**", ["d/a", "d/a/b"], ["d", "e/d/a", "da"]],
  ["d/**/a", ["d/a", "d/b/a", "d/b/c/a"], ["a", "d/b", "da", "d/ba"]],
  ["**/d/**", ["d/a", "x/d/a/b"], ["d", "x/d", "xd/a"]],
  ["?", ["a", "\u{1F600}", "\uD800"], ["", "ab", "/"]],
  ["a?c", ["abc", "a.c"], ["ac", "a/c", "abbc"]],
  ["[a-c]", ["a", "b", "c"], ["d", "-", "", "ab"]],
  ["[!a-c]x", ["dx", "-x"], ["ax", "x", "/x"]],
  ["[^a]", ["b"], ["a", "/"]],
  ["[]a]", ["]", "a"], ["b"]],
  ["[!]a]", ["b"], ["]", "a"]],
  ["[a-]", ["a", "-"], ["b"]],
  ["[-a]", ["a", "-"], ["b"]],
  ["[\\]x]", ["]", "x"], ["\\"]],
  ["[a\\-c]", ["a", "-", "c"], ["b"]],
  ["[*?{]", ["*", "?", "{"], ["a"]],
  ["[\u{1F600}-\u{1F64F}]", ["\u{1F601}"], ["a", "\uD83D"]],
  ["{a,b}.txt", ["a.txt", "b.txt"], ["c.txt", "ab.txt", "{a,b}.txt"]],
  ["{a,}b", ["ab", "b"], ["aab"]],
  ["{a}", ["a"], ["{a}"]],
  ["{a,{b,c}d}e", ["ae", "bde", "cde"], ["be", "ade"]],
  ["{logs,data/2024}/*.gz", ["logs/a.gz", "data/2024/a.gz"], ["data/a.gz"]],
  ["{**/a,b}", ["a", "x/a", "b"], ["x/b"]],
  ["*.{csv,txt}{,.gz}", ["a.csv", "a.txt.gz"], ["a.gz", "a.csv.md"]],
  ["a,b", ["a,b"], ["a", "b"]],
  ["\\*", ["*"], ["a", "\\*"]],
  ["\\{a,b\\}", ["{a,b}"], ["a"]],
  ["\\!a", ["!a"], ["a"]],
  ["a]", ["a]"], ["a"]],
  ["(a|b)+.$^", ["(a|b)+.$^"], ["a"]],
  ["caf\u00e9", ["caf\u00e9"], ["cafe"]],
];

for (const [glob, matches, misses] of CASES) {
  Deno.test(`Glob "${glob}" matches a whole path`, () => {
    const compiled = new Glob(glob, "match");
    for (const path of matches) assert(compiled.matches(path), path);
    for (const path of misses) assert(!compiled.matches(path), path);
  });
}

const BAD: [glob: string, why: string][] = [
  ["", "it is empty"],
  ["/pub/*", "relative to the directory where the walk begins"],
  ["!*.tmp", 'use "skip"'],
  ["logs/", "it ends in a slash"],
  ["a//b", "two slashes"],
  ["./a", 'the segment "."'],
  ["../a", 'the segment ".."'],
  ["**.csv", '"**" must be a whole segment'],
  ["a**", '"**" must be a whole segment'],
  ["a/***", '"**" must be a whole segment'],
  ["[a", '"[" without "]"'],
  ["[", '"[" without "]"'],
  ["[]", '"[" without "]"'],
  ["[!]", '"[" without "]"'],
  ["[z-a]", "a range in the wrong order"],
  ["[[:alpha:]]", "POSIX"],
  ["{a,b", '"{" without "}"'],
  ["a}", '"}" without "{"'],
  ["{}", "no alternatives"],
  ["a\\", "ends in a backslash"],
  ["[a\\", '"[" without "]"'],
];

for (const [glob, why] of BAD) {
  Deno.test(`Glob "${glob}" is refused`, () => {
    const error = assertThrows(() => new Glob(glob, "match"), TypeError, why);
    assert(error.message.startsWith("Cannot use "), error.message);
  });
}

Deno.test("Glob takes linear time", () => {
  const long = "a".repeat(50_000);
  for (
    const glob of ["*a".repeat(20) + "b", "{a,*a}".repeat(20) + "b", "**/b"]
  ) {
    const compiled = new Glob(glob, "match");
    const start = worked();
    assertEquals(compiled.matches(long), false);
    assertEquals(compiled.matches(`${"a/".repeat(25_000)}c`), false);
    assert(worked() - start < 5000, glob);
  }
});

const TREE = { "/a.csv": "1", "/d/b.csv": "2", "/d/e/c.csv.gz": "3" };

Deno.test("FTP.walk compares a glob with the path below where it begins", async () => {
  await using pair = await Pair.make(TREE);
  async function find(path: string, match: string | (string | RegExp)[]) {
    const entries = await Array.fromAsync(pair.ftp.walk(path, { match }));
    return entries.map(({ path }) => path);
  }
  assertEquals(await find("", "**/*.csv"), ["a.csv", "d/b.csv"]);
  assertEquals(await find("/", "**/*.csv"), ["/a.csv", "/d/b.csv"]);
  assertEquals(await find("/d", "*.csv"), ["/d/b.csv"]);
  assertEquals(await find("/d/", "e/*"), ["/d/e/c.csv.gz"]);
  assertEquals(await find("", ["d/*", /gz$/]), [
    "d/b.csv",
    "d/e",
    "d/e/c.csv.gz",
  ]);
});

Deno.test("FTP.walk does not enter what a glob of skip matches", async () => {
  await using pair = await Pair.make(TREE);
  const entries = await Array.fromAsync(pair.ftp.walk("/", { skip: "d" }));
  assertEquals(entries.map(({ path }) => path), ["/a.csv"]);
  assertEquals(pair.commands, ["MLSD /"]);
});

Deno.test("FTP.walk refuses a malformed glob before anything is sent", async () => {
  await using pair = await Pair.make(TREE);
  for (const options of [{ match: "{a" }, { skip: [/a/, "[b"] }]) {
    await assertRejects(
      () => Array.fromAsync(pair.ftp.walk("", options)),
      TypeError,
      "Cannot use",
    );
  }
  assertEquals(pair.commands, []);
});
