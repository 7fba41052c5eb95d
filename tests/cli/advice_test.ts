/** Advice in the words of the command line. */

import { assertEquals } from "@std/assert";
import { ADVICE, withFlags } from "../../lib/cli/advice.ts";

const LIB = new URL("../../lib/", import.meta.url);

/** Reads all sources of a folder, except those of the command line. */
function sourcesOf(folder: URL): string {
  return [...Deno.readDirSync(folder)].map(({ name, isDirectory }) => {
    if (name === "cli") return "";
    return isDirectory
      ? sourcesOf(new URL(`${name}/`, folder))
      : Deno.readTextFileSync(new URL(name, folder));
  }).join("\n");
}

Deno.test("withFlags knows the words of the library's messages", () => {
  const sources = sourcesOf(LIB);
  for (const [library, cli] of ADVICE) {
    assertEquals(sources.includes(library), true, library);
    assertEquals(withFlags(`Cannot: ${library}.`), `Cannot: ${cli}.`);
  }
});

Deno.test("withFlags advises --fingerprint with the server's fingerprint", () => {
  assertEquals(
    withFlags('self-signed, pin it with tls: { fingerprint: "0B:77" }'),
    "self-signed, pin it with --fingerprint 0B:77",
  );
});
