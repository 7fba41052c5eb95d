/**
 * Builds `ftp.js`, the whole module in one file, and `ftp.d.ts`, its types:
 * `deno task build:dist`. With `--check` nothing is written: the committed files
 * must be what the sources give, byte for byte.
 *
 * @module
 */

import { typesOf } from "./types.ts";

const ENTRY = new URL("../mod.ts", import.meta.url);

/** Names the types: a bundle has none of its own. */
const HEADER = `// @ts-self-types="./ftp.d.ts"
// Built from mod.ts by "deno task build:dist": edit the sources instead.
`;

/**
 * Bundles the module. It is not minified: stack traces stay readable, and so
 * does a review of what changed.
 *
 * @returns The texts of the files, by name
 */
async function bundle(): Promise<Record<string, string>> {
  const folder = await Deno.makeTempDir();
  try {
    const output = `${folder}/ftp.js`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "bundle",
        "--quiet",
        "--no-lock",
        "--no-config", // its strictness rejects declarations of node:https
        "--declaration",
        "--output",
        output,
        ENTRY.href,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    if (!success) {
      throw new Error(
        `Cannot bundle the module: ${new TextDecoder().decode(stderr)}`,
      );
    }
    const bundled = await Deno.readTextFile(`${folder}/ftp.d.ts`);
    return {
      "ftp.js": HEADER + await Deno.readTextFile(output),
      "ftp.d.ts": typesOf(bundled, await Deno.readTextFile(ENTRY)),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  for (const [name, built] of Object.entries(await bundle())) {
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
