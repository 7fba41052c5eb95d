/**
 * Several programs for the same work: reading listings, in pieces of 64 KiB, to
 * entries with name, kind, size and time.
 *
 * @module
 */

// @ts-types="./basic_ftp.d.ts"
// deno-lint-ignore no-import-prefix -- in the import map, every program would download it
import { parseList } from "npm:/basic-ftp@6.2.3/dist/parseList.js";
import type { Entry } from "../../lib/listing/entry.ts";
import { ListingReader } from "../../lib/listing/listing_reader.ts";

/** Size of a read. */
export const PIECE = 65_536;

/** The result of reading, so that it is not optimized away. */
export interface Work {
  /** How many entries. */
  count: number;
  /** A sum over all fields. */
  sum: number;
}

function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) {
    yield bytes.subarray(at, at + PIECE);
  }
}

/** Reads with this module. */
export function readWithReader(bytes: Uint8Array): Work {
  return read(bytes, true);
}

/**
 * Reads with this module, without times: basic-ftp keeps those of a Unix
 * listing as text.
 */
export function readWithoutTimes(bytes: Uint8Array): Work {
  return read(bytes, false);
}

function read(bytes: Uint8Array, isTimed: boolean): Work {
  const reader = new ListingReader();
  const work = { count: 0, sum: 0 };
  const add = (entries: Entry[]): void => {
    for (const entry of entries) {
      work.count++;
      work.sum += entry.name.length + (entry.isDirectory ? 1 : 0) +
        Number(entry.size ?? 0) + (isTimed ? entry.mtime?.getTime() ?? 0 : 0);
    }
  };
  for (const piece of cut(bytes)) add(reader.push(piece));
  add(reader.end());
  return work;
}

/** Reads with basic-ftp, which collects the text and then parses all of it. */
export function readWithBasicFtp(bytes: Uint8Array): Work {
  const decoder = new TextDecoder();
  let text = "";
  for (const piece of cut(bytes)) {
    text += decoder.decode(piece, { stream: true });
  }
  const work = { count: 0, sum: 0 };
  for (const file of parseList(text)) {
    work.count++;
    work.sum += file.name.length + (file.isDirectory ? 1 : 0) + file.size +
      (file.modifiedAt?.getTime() ?? 0);
  }
  return work;
}

/**
 * Python's ftplib: `FTP.mlsd` over lines without a connection. It returns the
 * facts as text.
 */
const FTPLIB = `
import datetime, ftplib, io, sys, time

class Lines(ftplib.FTP):
    def __init__(self, data):
        self.data = data
    def retrlines(self, cmd, callback):
        for line in io.TextIOWrapper(io.BytesIO(self.data), "utf-8", newline="\\n"):
            callback(line[:-2] if line[-2:] == "\\r\\n" else line)

timed = sys.argv[1] == "true"
data = sys.stdin.buffer.read()
best = None
for _ in range(5):
    start = time.perf_counter()
    count = total = 0
    for name, facts in Lines(data).mlsd():
        count += 1
        m = facts["modify"]
        when = datetime.datetime(int(m[:4]), int(m[4:6]), int(m[6:8]), int(m[8:10]), int(m[10:12]), int(m[12:14])) if timed else m
        total += len(name) + (facts["type"] == "dir") + int(facts.get("size", 0))
    took = time.perf_counter() - start
    best = took if best is None else min(best, took)
print(count, best * 1000)
`;

/**
 * Runs ftplib; returns the best of five times, in milliseconds.
 *
 * @param isTimed Whether `modify` is converted to a `datetime`
 */
export async function timeFtplib(
  bytes: Uint8Array,
  isTimed: boolean,
): Promise<number> {
  const child = new Deno.Command("python3", {
    args: ["-c", FTPLIB, String(isTimed)],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(bytes);
  await writer.close();
  const { stdout } = await child.output();
  return Number(new TextDecoder().decode(stdout).split(" ")[1]);
}
