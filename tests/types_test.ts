/** The types of the file that a program may vendor. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { LocalFolder } from "./files/local_folder.ts";

const ROOT = new URL("../", import.meta.url);

/** Runs Deno in a folder. */
async function run(
  folder: string,
  ...args: string[]
): Promise<{ success: boolean; stdout: string; stderr: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return {
    success,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Returns the exported names that `deno doc` finds. */
async function namesOf(folder: string, file: string): Promise<string[]> {
  const { stdout, stderr } = await run(folder, "doc", "--json", file);
  assertEquals(stderr, "");
  const { nodes } = JSON.parse(stdout);
  const files = Object.values<{ symbols: { name: string }[] }>(nodes);
  return files.flatMap(({ symbols }) => symbols.map(({ name }) => name));
}

Deno.test("dist/ftp.d.ts gives a vendored dist/ftp.js its types", async () => {
  using folder = new LocalFolder();
  for (const name of ["ftp.js", "ftp.d.ts"]) {
    Deno.copyFileSync(new URL(`dist/${name}`, ROOT), `${folder.path}/${name}`);
  }
  const program = (options: string) => `
    import { connect, type MirrorResult } from "./ftp.js";
    await using ftp = await connect("ftp://ftp.example.com", ${options});
    for await (const { name } of ftp.list()) console.log(name.length);
    const result: MirrorResult = await ftp.downloadDir("a", "a");
    console.log(result.bytes);
  `;
  Deno.writeTextFileSync(`${folder.path}/a.ts`, program("{ timeout: 5000 }"));
  const good = await run(folder.path, "check", "--no-lock", "a.ts");
  assertEquals(good.success, true, good.stderr);
  Deno.writeTextFileSync(`${folder.path}/b.ts`, program('{ timeout: "5" }'));
  const bad = await run(folder.path, "check", "--no-lock", "b.ts");
  assertStringIncludes(bad.stderr, "Type 'string' is not assignable");
});

Deno.test("dist/ftp.d.ts documents every name of mod.ts", async () => {
  using folder = new LocalFolder();
  Deno.copyFileSync(
    new URL("dist/ftp.d.ts", ROOT),
    `${folder.path}/ftp.d.ts`,
  );
  const { pathname } = new URL("mod.ts", ROOT);
  const names = await namesOf(folder.path, pathname);
  assertEquals(names.length > 60, true);
  const found = new Set(await namesOf(folder.path, "ftp.d.ts"));
  assertEquals(names.filter((name) => !found.has(name)), []);
  const lint = await run(folder.path, "doc", "--lint", "ftp.d.ts");
  assertEquals(lint.success, true, lint.stderr);
});
