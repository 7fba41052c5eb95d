/**
 * `deno bench -A tests/bench/reply_bench.ts`: replies against basic-ftp's parser
 * and the tests' oracle. What takes quadratic time is measured by
 * `reply_ratios.ts` on a part of the input.
 */

import {
  cut,
  MULTILINE,
  PIPELINED,
  readBasicFtp,
  readOracle,
  readReplies,
  scanCodes,
  SINGLE,
} from "./reply_inputs.ts";

const GROUPS: [group: string, pieces: Uint8Array[], isSlow?: boolean][] = [
  ["one by one, 1000 times", Array(1000).fill(SINGLE)],
  ["100,000 pipelined", [PIPELINED]],
  ["100,000 lines, whole", [MULTILINE]],
  ["100,000 lines, 16 KiB pieces", cut(MULTILINE, 16_384)],
  ["100,000 lines, 1 KiB pieces", cut(MULTILINE, 1024), true],
  ["100,000 lines, 1 B pieces", cut(MULTILINE, 1), true],
];

for (const [group, pieces, isSlow] of GROUPS) {
  Deno.bench("codes", { group }, () => void scanCodes(pieces));
  Deno.bench("{ code, text }", { group, baseline: true }, () => {
    readReplies(pieces);
  });
  Deno.bench("oracle", { group }, () => void readOracle(pieces));
  if (!isSlow) {
    Deno.bench("basic-ftp", { group }, () => void readBasicFtp(pieces));
  }
}
