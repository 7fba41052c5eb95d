/**
 * Builds `ftp.js`, the whole module in one file, `ftp.d.ts`, its types, and
 * `cli.js`, the command line in one file: `deno task build:dist`. With `--check`
 * nothing is written: the committed files must be what the sources give, byte
 * for byte.
 *
 * @module
 */

import { typesOf } from "./types.ts";

const MODULE = new URL("../mod.ts", import.meta.url);
const CLI = new URL("../cli.ts", import.meta.url);

/** Names the types: a bundle has none of its own. */
const TYPES = '// @ts-self-types="./ftp.d.ts"\n';

/** The first line of a bundle. */
function noteOf(source: string): string {
  return `// Built from ${source} by "deno task build:dist": edit the sources instead.\n`;
}

/**
 * Bundles a module. It is not minified, so that stack traces and changes stay
 * readable.
 *
 * @returns The text of the bundle, and its types if they were requested
 */
async function bundle(
  entry: URL,
  ...options: string[]
): Promise<{ code: string; types: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "bundle",
        "--quiet",
        "--no-lock",
        "--no-config", // its strictness rejects declarations of node:https
        ...options,
        "--output",
        `${folder}/bundle.js`,
        entry.href,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    if (!success) {
      throw new Error(
        `Cannot bundle ${entry.href}: ${new TextDecoder().decode(stderr)}`,
      );
    }
    return {
      code: await Deno.readTextFile(`${folder}/bundle.js`),
      types: options.includes("--declaration")
        ? await Deno.readTextFile(`${folder}/bundle.d.ts`)
        : "",
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Builds the files. Returns their texts by name. */
async function build(): Promise<Record<string, string>> {
  const { code, types } = await bundle(MODULE, "--declaration");
  const cli = await bundle(CLI);
  return {
    "ftp.js": TYPES + noteOf("mod.ts") + code,
    "ftp.d.ts": typesOf(types, await Deno.readTextFile(MODULE)),
    "cli.js": noteOf("cli.ts") + cli.code,
  };
}

if (import.meta.main) {
  for (const [name, built] of Object.entries(await build())) {
    const artefact = new URL(name, import.meta.url);
    if (!Deno.args.includes("--check")) {
      await Deno.writeTextFile(artefact, built);
      console.log(`Wrote dist/${name}: ${built.length} characters`);
    } else if (built === await Deno.readTextFile(artefact)) {
      console.log(`dist/${name} is up to date: ${built.length} characters`);
    } else {
      console.error(
        `dist/${name} is not what the sources give: run \`deno task build:dist\` and commit it`,
      );
      Deno.exitCode = 1;
    }
  }
}
