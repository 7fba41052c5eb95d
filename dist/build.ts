/**
 * Builds `ftp.js`, the whole module in one file: `deno task build:dist`. With
 * `--check` nothing is written: the committed file must be what the sources
 * give, byte for byte.
 *
 * @module
 */

const ENTRY = new URL("../mod.ts", import.meta.url);
const ARTEFACT = new URL("./ftp.js", import.meta.url);

/** Names the types: a bundle has none of its own. */
const HEADER = `// @ts-self-types="./ftp.d.ts"
// Built from mod.ts by "deno task build:dist": edit the sources instead.
`;

/**
 * Bundles the module. It is not minified: stack traces stay readable, and so
 * does a review of what changed.
 *
 * @returns The text of the file
 */
async function bundle(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--no-lock", ENTRY.href],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`Cannot bundle the module: ${decoder.decode(stderr)}`);
  }
  return HEADER + decoder.decode(stdout);
}

if (import.meta.main) {
  const built = await bundle();
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(ARTEFACT, built);
    console.log(`Wrote dist/ftp.js: ${built.length} characters`);
  } else if (built === await Deno.readTextFile(ARTEFACT)) {
    console.log(`dist/ftp.js is up to date: ${built.length} characters`);
  } else {
    console.error(
      "dist/ftp.js is not what the sources give: run `deno task build:dist` and commit it",
    );
    Deno.exit(1);
  }
}
