/**
 * `deno run -A tests/bench/reply_ratios.ts`: the same work by the parser, by
 * basic-ftp's and by the tests' oracle in one run, as ratios.
 *
 * basic-ftp parses all it has of a reply again with each piece. Where that would
 * take minutes it gets the first part of the reply only, and its time is
 * multiplied by the square of what is missing ("~" in the table).
 */

import {
  COUNT,
  cut,
  MULTILINE,
  PIPELINED,
  readBasicFtp,
  readOracle,
  readReplies,
  scanCodes,
  SINGLE,
} from "./reply_inputs.ts";

interface Work {
  name: string;
  pieces: Uint8Array[];
  /** The part for basic-ftp, if the whole would take too long. */
  part?: number;
}

type Runs = [() => number, () => number, () => number, () => number];

const ROUNDS = 11;

const WORKS: Work[] = [
  { name: "100,000 replies, one by one", pieces: Array(COUNT).fill(SINGLE) },
  { name: "100,000 replies, pipelined", pieces: [PIPELINED] },
  { name: "100,000 lines, whole", pieces: [MULTILINE] },
  { name: "100,000 lines, 16 KiB", pieces: cut(MULTILINE, 16_384) },
  { name: "100,000 lines, 1 KiB", pieces: cut(MULTILINE, 1024), part: 1 / 10 },
  { name: "100,000 lines, 1 B", pieces: cut(MULTILINE, 1), part: 1 / 100 },
];

console.log(
  "| work | codes, ms | { code, text }, ms | basic-ftp, ms | oracle, ms | codes | text | text against oracle |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
for (const { name, pieces, part } of WORKS) {
  const some = part ? pieces.slice(0, pieces.length * part) : pieces;
  const [codes, text, oracle, partOfBasicFtp] = measure([
    () => scanCodes(pieces),
    () => readReplies(pieces),
    () => readOracle(pieces),
    () => readBasicFtp(some),
  ]);
  const basicFtp = partOfBasicFtp / (part ?? 1) ** 2;
  console.log(
    `| ${name} | ${codes.toFixed(2)} | ${text.toFixed(2)} | ${part ? "~" : ""}${
      basicFtp.toFixed(1)
    } | ${oracle.toFixed(1)} | ${ratio(basicFtp, codes)} | ${
      ratio(basicFtp, text)
    } | ${ratio(oracle, text)} |`,
  );
}

/**
 * Returns the best times, in milliseconds, of works that take turns, so that
 * other load slows all of them alike.
 */
function measure(
  [codes, text, oracle, basicFtp]: Runs,
): [number, number, number, number] {
  const best: [number, number, number, number] = [
    Infinity,
    Infinity,
    Infinity,
    Infinity,
  ];
  for (let round = 0; round < ROUNDS; round++) {
    [codes, text, oracle, basicFtp].forEach((run, index) => {
      const start = performance.now();
      run();
      best[index] = Math.min(best[index]!, performance.now() - start);
    });
  }
  return best;
}

function ratio(peer: number, ours: number): string {
  return `${(peer / ours).toFixed(1)}x`;
}
