import { assertEquals } from "@std/assert";
import type { CommandContext } from "../../lib/cli/context.ts";
import { expandFiles, expandTargets } from "../../lib/cli/expand.ts";
import { Outcome } from "../../lib/cli/pool.ts";
import { parseTarget } from "../../lib/cli/target.ts";
import type { FTP } from "../../mod.ts";

/** More values than one call takes as arguments. */
const COUNT = 200_000;

Deno.test("expandTargets and expandFiles return more matches than a call takes arguments", async () => {
  const entry = { name: "a", kind: "file", hostile: false };
  const ftp = {
    async *list() {
      for (let i = 0; i < COUNT; i++) yield entry;
    },
  } as unknown as FTP;
  const { signal } = new AbortController();
  const context = { signal } as CommandContext;
  const targets = [parseTarget("ftp://host/*", { glob: true })];
  const all = await expandTargets(ftp, targets, context);
  const files = await expandFiles(ftp, targets, context, new Outcome());
  assertEquals([all.length, files.length], [COUNT, COUNT]);
});
