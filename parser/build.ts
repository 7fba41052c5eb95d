/**
 * Builds `parser.wasm` from `assembly/`: `deno task build`. With `--check`
 * nothing is written: the committed file must equal the build, byte for byte,
 * and the part that parses replies must stay small.
 *
 * @module
 */

// deno-lint-ignore no-import-prefix -- in the import map, every program would download it
import asc from "npm:assemblyscript@0.28.20/asc";

const SOURCES = new URL("./assembly/", import.meta.url);
const ARTEFACT = new URL("./parser.wasm", import.meta.url);

/** Largest size of a module that parses replies only, in bytes. */
const MAX_REPLY_MODULE = 8 * 1024;

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
 * Compiles the sources whose entry file is `entry`.
 *
 * @throws {Error} If the compiler reports an error
 */
async function build(entry: string): Promise<Uint8Array> {
  let module: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [entry, "--outFile=parser.wasm", ...FLAGS],
    {
      // names instead of paths: the build must not depend on the folder
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

/**
 * Reads a source; `null` if it does not exist, because asc tries several names.
 */
async function readSource(name: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(new URL(name, SOURCES));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Whether two arrays hold the same bytes. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function fail(message: string): never {
  console.error(message);
  Deno.exit(1);
}

if (import.meta.main) {
  const built = await build("index.ts");
  if (!Deno.args.includes("--check")) {
    await Deno.writeFile(ARTEFACT, built);
    console.log(`Wrote parser/parser.wasm: ${built.length} bytes`);
  } else {
    const replies = await build("reply.ts");
    if (replies.length > MAX_REPLY_MODULE) {
      fail(`The parser of replies has ${replies.length} bytes`);
    }
    if (!isEqual(built, await Deno.readFile(ARTEFACT))) {
      fail(
        "parser/parser.wasm is not what parser/assembly gives: run `deno task build` and commit it",
      );
    }
    console.log(`parser/parser.wasm is up to date: ${built.length} bytes`);
  }
}
