/**
 * `deno run -A tests/bench/listing_ratios.ts`: how many times faster listings are
 * read than by the peers, all in one run. With `--check`, it fails where a ratio
 * is below its goal.
 *
 * @module
 */

import { makeMlsd, makeShortMlsd, makeUnix } from "./listing_data.ts";
import {
  readWithBasicFtp,
  readWithReader,
  timeFtplib,
  type Work,
} from "./listing_peers.ts";

const LINES = 100_000;
const ROUNDS = 7;

function time(
  read: (bytes: Uint8Array) => Work,
  bytes: Uint8Array,
): { took: number; work: Work } {
  const start = performance.now();
  const work = read(bytes);
  const took = performance.now() - start;
  if (work.count !== LINES) {
    throw new Error(`Read ${work.count} of ${LINES} entries`);
  }
  return { took, work };
}

function describe(peer: string, ours: number, theirs: number, goal: number) {
  const rate = (took: number) => (LINES / took / 1000).toFixed(2);
  const ratio = theirs / ours;
  const isMet = ratio >= goal;
  console.log(
    `  ${rate(ours)} M lines/s, ${peer} ${rate(theirs)}: ` +
      `${ratio.toFixed(1)} times (goal ${goal}${isMet ? "" : ", MISSED"})`,
  );
  return isMet;
}

const LISTINGS = [
  ["MLSD, ProFTPD's facts", makeMlsd(LINES), 10, true],
  ["MLSD, few facts", makeShortMlsd(LINES), 10, true],
  ["LIST of Unix", makeUnix(LINES), 4, false],
] as const;

let isGood = true;
for (const [name, text, goal, hasFtplib] of LISTINGS) {
  const bytes = new TextEncoder().encode(text);
  let ours = Infinity;
  let theirs = Infinity;
  // In turns, so that a busy machine slows both.
  for (let round = 0; round < ROUNDS; round++) {
    ours = Math.min(ours, time(readWithReader, bytes).took);
    theirs = Math.min(theirs, time(readWithBasicFtp, bytes).took);
  }
  console.log(`${name}: ${(bytes.length / LINES).toFixed(0)} bytes a line`);
  isGood = describe("basic-ftp", ours, theirs, goal) && isGood;
  if (hasFtplib) {
    isGood = describe("ftplib", ours, await timeFtplib(bytes), goal) && isGood;
  }
}
if (Deno.args.includes("--check") && !isGood) Deno.exit(1);
