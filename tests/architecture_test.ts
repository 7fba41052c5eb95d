import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** Layers, lowest first: imports go downwards only. */
const LAYERS = [
  "parser/",
  "lib/protocol/",
  "lib/listing/",
  "lib/connection/",
  "lib/tls/",
  "lib/transfer/",
  "lib/commands/",
  "lib/directories/",
  "lib/files/",
  "lib/mirror/",
  "lib/client/",
  "lib/doctor/",
  "mod.ts",
  "lib/cli/",
  "cli.ts",
  "lib/testing/",
  "testing.ts",
];

/** Files that build the parser and do not ship. */
const NOT_SHIPPED = ["parser/build.ts"];

/** Siblings that must not know each other: control, data and TLS. */
const SIBLINGS = [
  /^lib\/connection\/(control_connection|pending_commands)\.ts$/,
  /^lib\/connection\/data_(connection|stream)\.ts$/,
  /^lib\/tls\/\w+\.ts$/,
];

/** Files of TLS that all three may import: types only. */
const TLS_WORDS = "lib/connection/tls_info.ts";

/** A turn of the event loop that nothing has asked for. */
const TURN =
  /\b(setImmediate|nextTick)\(|\bset(Timeout|Interval)\([^;]*,\s*0\)/;

/**
 * Functions that wait for one turn of the event loop, but not in a loop that
 * only waits.
 */
const TURNS_ONCE = [
  "lib/connection/pauses.ts", // one after each slice of work: it waits for nothing
  "lib/testing/peer.ts", // a server for tests that keeps its pieces apart
  "lib/tls/engine.ts", // settle(): what was fed had its consequences
  "lib/transfer/source.ts", // a reader that gives 0, a counted number of times
];

/** Modules of Node that are in Deno's snapshot: they are loaded in no time. */
const QUICK = ["node:diagnostics_channel", "node:path", "node:url"];

interface Module {
  /** Path from the root. */
  readonly path: string;
  /** The code without its comments. */
  readonly code: string;
  /** Its imports, as written. */
  readonly specifiers: readonly string[];
  /** Its imports within the repository, as paths from the root. */
  readonly imports: readonly string[];
  /** Those that are there at run time: not the imports of types. */
  readonly values: readonly string[];
}

const modules = await readModules();

Deno.test("imports of what ships are relative or node:", () => {
  const others = modules.flatMap(({ path, specifiers }) =>
    specifiers
      .filter((specifier) => !/^(\.{1,2}\/|node:)/.test(specifier))
      .map((specifier) => `${path} imports ${specifier}`)
  );
  assertEquals(others, []);
});

Deno.test("imports of what ships end at files that exist and ship", async () => {
  const known = new Set(modules.map(({ path }) => path));
  for (const { path, imports } of modules) {
    for (const target of imports) {
      const isThere = target.endsWith(".wasm")
        ? (await Deno.stat(new URL(target, ROOT))).isFile
        : known.has(target);
      assert(isThere, `${path} imports ${target}`);
    }
  }
});

Deno.test("imports go downwards only", () => {
  const upwards = modules.flatMap(({ path, imports }) =>
    imports
      .filter((target) => layerOf(target) > layerOf(path))
      .map((target) => `${path} imports ${target}`)
  );
  assertEquals(upwards, []);
});

Deno.test("docs/how_it_works.md says which folders use which", async () => {
  const page = await Deno.readTextFile(
    new URL("docs/how_it_works.md", ROOT),
  );
  const section = page.split("## Which folders use which")[1]!.split(
    "\n## ",
  )[0]!;
  const told = [...section.matchAll(/^\| `(\w+)` *\| ([^|]*?) *\|$/gm)].map((
    [, folder, used],
  ) => `${folder}: ${used!.replaceAll("`", "")}`);
  const folderOf = (path: string) =>
    /^lib\/(\w+)\//.exec(path)?.[1] ?? path.split("/")[0]!;
  const order = LAYERS.map((layer) =>
    layer.split("/").at(layer.includes("lib/") ? 1 : 0)!
  );
  const folders = order.filter((name) =>
    !name.endsWith(".ts") && name !== "parser"
  );
  const found = folders.map((folder) => {
    const used = new Set(
      modules.filter(({ path }) => folderOf(path) === folder)
        .flatMap(({ imports }) => imports.map(folderOf)),
    );
    const sorted = ["mod.ts", ...order].filter((name, at, all) =>
      name !== folder && used.has(name) && all.indexOf(name) === at
    );
    return `${folder}: ${sorted.join(", ")}`;
  });
  assertEquals(told, found);
});

Deno.test("imports go round in no circle, but for types", () => {
  const importsOf = new Map(modules.map(({ path, values }) => [path, values]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    assert(!trail.includes(path), `Circle: ${[...trail, path].join(" -> ")}`);
    if (done.has(path)) return;
    for (const target of importsOf.get(path) ?? []) {
      visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of modules) visit(path, []);
  assert(done.size >= modules.length);
});

Deno.test("control, data and TLS connections do not know each other", () => {
  const meetings = modules.flatMap(({ path, imports }) => {
    const own = siblingOf(path);
    if (own < 0) return [];
    return imports
      .filter((target) => target !== TLS_WORDS)
      .filter((target) => ![-1, own].includes(siblingOf(target)))
      .map((target) => `${path} imports ${target}`);
  });
  assertEquals(meetings, []);
});

Deno.test("parser/mod.ts alone touches the WASM and its memory", () => {
  const touching = modules
    .filter(({ specifiers, code }) =>
      specifiers.some((specifier) => specifier.endsWith(".wasm")) ||
      /\bWebAssembly\b|\bmemory\.buffer\b/.test(code)
    )
    .map(({ path }) => path);
  assertEquals(touching, ["parser/mod.ts"]);
});

Deno.test("the pure layers do no I/O and wait for nothing", () => {
  const impure = modules
    .filter(({ path }) => /^(parser|lib\/protocol|lib\/listing)\//.test(path))
    .filter(({ code, specifiers }) =>
      /\bDeno\.[a-z](?!rrors\b)|\bfetch\(|\bset(Timeout|Interval)\(|\bawait\b/
        .test(code.replaceAll('"Deno.customInspect"', "")) ||
      specifiers.some((name) => name.startsWith("node:"))
    )
    .map(({ path }) => path);
  assertEquals(impure, []);
});

Deno.test("what ships waits for events: nothing turns the event loop, nothing counts cores", () => {
  const turning = modules.filter(({ code }) => TURN.test(code));
  assertEquals(turning.map(({ path }) => path), TURNS_ONCE);
  const counting = modules.filter(({ code }) =>
    /\bhardwareConcurrency\b|\bavailableParallelism\b|\bcpus\(/.test(code)
  );
  assertEquals(counting.map(({ path }) => path), []);
});

Deno.test("an error's reply is read by the functions of lib/protocol/errors.ts", () => {
  const others = modules.filter(({ path, code }) =>
    path !== "lib/protocol/errors.ts" &&
    /instanceof\s+FTPError(\s*&&\s*\w+\.reply\b|\s*\?\s*\w+\.reply\b)|\[500, 502/
      .test(code)
  );
  assertEquals(others.map(({ path }) => path), []);
});

Deno.test("mod.ts loads no module of Node at the start that takes long to load", () => {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path) || !byPath.has(path)) return;
    reached.add(path);
    // imports at first use as well: in one file, theirs are at the top
    for (const target of byPath.get(path)!.values) visit(target);
  };
  visit("mod.ts");
  assert(reached.has("lib/tls/session.ts"));
  const loading = [...reached].flatMap((path) =>
    specifiersOf(withoutTypes(withoutTemplates(byPath.get(path)!.code)))
      .filter((name) => name.startsWith("node:") && !QUICK.includes(name))
      .map((name) => `${path} imports ${name}: use nodeModule("${name}")`)
  );
  assertEquals(loading, []);
});

Deno.test("deno.lock lists only the standard library, because everything in it is downloaded before the first test", async () => {
  const lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT)));
  const packages = Object.keys(lock.npm).map((name) => name.split("@")[0]);
  // the compiler and the peer library are 100 MB: see --no-lock in deno.json
  assertEquals(packages, ["deno-std"]);
});

Deno.test("mod.ts re-exports by name and has no logic", () => {
  const facade = modules.find(({ path }) => path === "mod.ts")!;
  const rest = facade.code
    .replace(/export\s+(type\s+)?\{[^}]*\}\s+from\s+"[^"]+";/g, "")
    .trim();
  assertEquals(rest, "");
});

/** Errors that never leave the module. */
const INTERNAL_ERRORS = [
  "LocalError", // wraps an error of the caller's side
];

Deno.test("every class of error that users can catch is exported by mod.ts", () => {
  const facade = modules.find(({ path }) => path === "mod.ts")!;
  const missing = modules.filter(({ path }) =>
    !/^lib\/(cli|testing)\//.test(path)
  )
    .flatMap((
      { code },
    ) => [...code.matchAll(/class (\w+) extends [\w.]*(Error|InvalidData)\b/g)])
    .map(([, name]) => name!)
    .filter((name) => !INTERNAL_ERRORS.includes(name))
    .filter((name) => !new RegExp(`\\b${name}\\b`).test(facade.code));
  assertEquals(missing, []);
});

Deno.test("cli.ts hands its arguments on and has no other logic", () => {
  const program = modules.find(({ path }) => path === "cli.ts")!;
  assertEquals(program.imports, ["lib/cli/main.ts"]);
  assertEquals(program.code.trim().split(/\n+/).length, 2);
});

Deno.test("the readers of imports find all imports", () => {
  const code = withoutComments(
    '// import "./a.ts";\n/* import "./b.ts"; */ import c from "./c.ts";\n' +
      'import "./d.ts"; export * from "./e.ts";\n' +
      'import {\n  f,\n  type g,\n} from "./f.ts";\n' +
      'export type { h } from "./h.ts"; const i = await import("./i.ts");\n' +
      'new Worker(new URL("./j.ts", import.meta.url)); "//k"; `/*`; "*/";\n',
  );
  assertEquals(specifiersOf(code), [
    "./c.ts",
    "./d.ts",
    "./e.ts",
    "./f.ts",
    "./h.ts",
    "./i.ts",
    "./j.ts",
  ]);
  assertEquals(specifiersOf(withoutTypes(code)).includes("./h.ts"), false);
  assertEquals(specifiersOf(withoutTypes(code)).includes("./f.ts"), true);
});

/** Returns the index of the layer of a file. */
function layerOf(path: string): number {
  const layer = LAYERS.findIndex((prefix) => path.startsWith(prefix));
  assert(layer >= 0, `${path} is in no layer`);
  return layer;
}

function siblingOf(path: string): number {
  return SIBLINGS.findIndex((sibling) => sibling.test(path));
}

async function readModules(): Promise<Module[]> {
  const paths = ["mod.ts", "cli.ts", "testing.ts"];
  for await (const path of filesIn("lib/")) paths.push(path);
  for await (const entry of Deno.readDir(new URL("parser/", ROOT))) {
    if (entry.name.endsWith(".ts")) paths.push(`parser/${entry.name}`);
  }
  const shipped = paths.filter((path) => !NOT_SHIPPED.includes(path)).sort();
  return await Promise.all(shipped.map(async (path) => {
    const url = new URL(path, ROOT);
    const code = withoutComments(await Deno.readTextFile(url));
    const specifiers = specifiersOf(code);
    const resolve = (specifiers: readonly string[]) =>
      specifiers
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) =>
          new URL(specifier, url).href.slice(ROOT.href.length)
        );
    return {
      path,
      code,
      specifiers,
      imports: resolve(specifiers),
      values: resolve(specifiersOf(withoutTypes(code))),
    };
  }));
}

async function* filesIn(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = folder + entry.name;
    if (entry.isDirectory) yield* filesIn(`${path}/`);
    else if (path.endsWith(".ts")) yield path;
  }
}

/** The code with strings kept and comments taken out. */
function withoutComments(code: string): string {
  return code.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[^])*`)|\/\*[^]*?\*\/|\/\/.*/g,
    (_, string: string | undefined) => string ?? "",
  );
}

/** The code without template strings: some are source text of a worker. */
function withoutTemplates(code: string): string {
  return code.replace(/`(?:[^`\\]|\\[^])*`/g, "``");
}

/** The code without the statements that import or export types alone, and without types of modules. */
function withoutTypes(code: string): string {
  return code.replace(
    /\b(import|export)\s+type\s+[\s\w{},*$]*?\bfrom\s*"[^"]+"|\btypeof import\("[^"]+"\)/g,
    "",
  );
}

function specifiersOf(code: string): string[] {
  const statements =
    /\b(?:import|export)\b(?:[\s\w{},*$]*?\bfrom)?\s*"([^"]+)"|\bimport\(\s*"([^"]+)"|\bnew URL\(\s*"([^"]+)",\s*import\.meta\.url/g;
  return [...code.matchAll(statements)].map(([, ...found]) =>
    found.find((specifier) => specifier !== undefined)!
  );
}
