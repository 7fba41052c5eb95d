/**
 * Builds `parser.wasm` from `assembly/`: `deno run -A parser/build.ts`. With
 * `--check` nothing is written, and the committed file has to be what the
 * sources give, byte for byte.
 *
 * @module
 */

import asc from "assemblyscript/asc";

const SOURCES = new URL("./assembly/", import.meta.url);
const ARTEFACT = new URL("./parser.wasm", import.meta.url);

/**
 * The module has zero imports (no abort, no runtime), and memory of a fixed
 * size, so that views of it never detach.
 */
const FLAGS = [
  "--optimizeLevel=3",
  "--shrinkLevel=0",
  "--runtime=stub",
  "--use=abort=",
  "--noAssert",
  "--enable=simd",
  "--initialMemory=4",
  "--maximumMemory=4",
];

/**
 * Compiles the sources.
 *
 * @param entry The file whose exports the module has
 * @returns The module's bytes
 * @throws {Error} If the compiler reports an error
 */
export async function build(entry = "index.ts"): Promise<Uint8Array> {
  let module: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [entry, "--outFile=parser.wasm", ...FLAGS],
    {
      // Names instead of paths: the build must not depend on the folder.
      readFile: (name: string) => readSource(name),
      writeFile(_name: string, contents: string | Uint8Array): void {
        if (typeof contents !== "string") module = contents;
      },
      listFiles: () => [],
    },
  );
  if (error || module === undefined) {
    throw new Error(`Cannot compile the parser: ${stderr.toString()}`, {
      cause: error,
    });
  }
  return module;
}

/** Reads a source, or says null when there is none: asc tries several names. */
async function readSource(name: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(new URL(name, SOURCES));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Tells whether two arrays hold the same bytes. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

if (import.meta.main) {
  const built = await build();
  if (!Deno.args.includes("--check")) {
    await Deno.writeFile(ARTEFACT, built);
    console.log(`Wrote parser/parser.wasm: ${built.length} bytes`);
  } else if (isEqual(built, await Deno.readFile(ARTEFACT))) {
    console.log(`parser/parser.wasm is up to date: ${built.length} bytes`);
  } else {
    console.error(
      "parser/parser.wasm is not what parser/assembly gives: run `deno task build` and commit it",
    );
    Deno.exit(1);
  }
}
