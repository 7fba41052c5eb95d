/** The garbage collector, on request. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Collects everything that nothing refers to. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  // what the current turn has dereferenced stays until its end
  await new Promise((resolve) => setTimeout(resolve, 0));
  collect();
}
