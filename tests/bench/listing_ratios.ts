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
  readWithoutTimes,
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
      `${ratio.toFixed(1)} times` +
      (goal === 0 ? "" : ` (goal ${goal}${isMet ? "" : ", MISSED"})`),
  );
  return isMet;
}

const LISTINGS = [
  ["MLSD, ProFTPD's facts", makeMlsd(LINES), readWithReader, 10],
  ["MLSD, pyftpdlib's facts", makeShortMlsd(LINES), readWithReader, 10],
  [
    "LIST of Unix, as basic-ftp without times",
    makeUnix(LINES),
    readWithoutTimes,
    4,
  ],
  ["LIST of Unix, with times", makeUnix(LINES), readWithReader, 0],
] as const;

let isGood = true;
for (const [name, text, read, goal] of LISTINGS) {
  const bytes = new TextEncoder().encode(text);
  let ours = Infinity;
  let theirs = Infinity;
  // In turns, so that a busy machine slows both; twice each, since whoever is
  // first collects the garbage of the other.
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < 2; i++) ours = Math.min(ours, time(read, bytes).took);
    for (let i = 0; i < 2; i++) {
      theirs = Math.min(theirs, time(readWithBasicFtp, bytes).took);
    }
  }
  console.log(`${name}: ${(bytes.length / LINES).toFixed(0)} bytes a line`);
  isGood = describe("basic-ftp", ours, theirs, goal) && isGood;
  if (name.startsWith("MLSD")) {
    const timed = await timeFtplib(bytes, true);
    isGood = describe("ftplib", ours, timed, goal) && isGood;
    describe("ftplib without times", ours, await timeFtplib(bytes, false), 0);
  }
}
if (Deno.args.includes("--check") && !isGood) Deno.exit(1);
