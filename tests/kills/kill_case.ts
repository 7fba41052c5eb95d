/** The transfer of a killed program, and the moment of the kill. */

import { Random } from "../faults/random.ts";
import { type Content, makeContent } from "../model/content.ts";
import type { Order } from "./program.ts";

/** The calls, each with options that let a later one continue or clean up. */
export const CALLS: readonly Order["call"][] = [
  "download",
  "upload",
  "downloadDir",
  "uploadDir",
];

/** One kill. */
export interface KillCase {
  readonly seed: number;
  readonly call: Order["call"];
  readonly options: Record<string, unknown>;
  /** Contents of the source. */
  readonly source: ReadonlyMap<string, Content>;
  /** Contents of the target before the call. */
  readonly target: ReadonlyMap<string, Content>;
  /**
   * Position of the kill, as a share of the time, the bytes, or the commands
   * and replies.
   */
  readonly moment: { readonly of: "time" | "bytes" | "events"; share: number };
}

/** Most bytes of a file, and of one in a directory. */
const MAX_SIZE = 1_500_000;
const MAX_SMALL_SIZE = 60_000;

/** Files of a directory. */
const FILES = 10;

/**
 * Creates a case from its seed. The call depends on the seed, so that all calls
 * are equally frequent.
 */
export function makeKillCase(seed: number): KillCase {
  const random = new Random(seed);
  const call = CALLS[seed % CALLS.length]!;
  const isDir = call === "downloadDir" || call === "uploadDir";
  const serials = { next: seed * 100 };
  const draw = (max: number) =>
    makeContent(serials.next++ % 10_000_000, random.magnitude(1, max));
  const source = new Map<string, Content>();
  const target = new Map<string, Content>();
  if (isDir) {
    for (let i = 0; i < FILES; i++) {
      const path = `${i % 3 === 0 ? "sub/" : ""}file-${i}`;
      const content = draw(i === 1 ? MAX_SIZE : MAX_SMALL_SIZE);
      source.set(path, content);
      const state = random.pick([[2, "new"], [3, "old"], [1, "same"]]);
      if (state === "same") target.set(path, content);
      if (state === "old") target.set(path, draw(MAX_SMALL_SIZE));
    }
    for (const path of ["extra-1", "extra-2", "sub/extra-3", "gone/extra-4"]) {
      target.set(path, draw(MAX_SMALL_SIZE));
    }
  } else {
    source.set("file", draw(MAX_SIZE));
    if (random.chance(0.7)) target.set("file", draw(MAX_SIZE));
  }
  const options: Record<string, unknown> = isDir
    ? { delete: true }
    // what an upload leaves on the server without it cannot be told from another client's
    : { resume: call === "upload" || random.chance(0.5) };
  if (random.chance(0.2)) options.verify = "hash";
  if (isDir && random.chance(0.15)) options.connections = 2;
  const of = random.pick([[2, "time"], [1, "bytes"], [2, "events"]]);
  const moment = { of, share: random.next() };
  return { seed, call, options, source, target, moment };
}
