/**
 * `deno bench tests/bench/listing_bench.ts`: bytes of listings to entries whose
 * name, kind, size and time were read.
 *
 * @module
 */

import { makeMlsd, makeShortMlsd, makeUnix } from "./listing_data.ts";
import { readWithReader } from "./listing_peers.ts";

const LINES = 20_000;
const encoder = new TextEncoder();

for (
  const [name, text] of [
    ["MLSD, ProFTPD's facts", makeMlsd(LINES)],
    ["MLSD, pyftpdlib's facts", makeShortMlsd(LINES)],
    ["LIST of Unix", makeUnix(LINES)],
  ] as const
) {
  const bytes = encoder.encode(text);
  Deno.bench(`${name}, ${LINES} lines`, () => {
    readWithReader(bytes);
  });
}
