import { assert, assertEquals } from "@std/assert";
import type { Entry } from "../../lib/listing/entry.ts";
import { parseFacts } from "../../lib/listing/facts.ts";
import { FORMATS } from "../../lib/listing/formats.ts";
import { isNoise } from "../../lib/listing/noise.ts";
import { ListingReader } from "../../lib/listing/listing_reader.ts";
import { toByteText } from "../../lib/listing/parsed_source.ts";
import { makeEncoding } from "../../lib/protocol/encoding.ts";
import { chooseCount, chooseSeed } from "../testing/random.ts";
import { readOracle } from "./oracle.ts";
import type { OracleEntry } from "./oracle_entry.ts";
import { SEEDS } from "./seeds.ts";
import { fromByteText, NOW } from "../testing/listing_cases.ts";

/** A million takes half a minute: FTP_PROPERTY_CASES=1000000. */
const LINES = chooseCount(20_000);
/** Lines that are read in one listing. */
const BATCH = 2000;
const DAY = 86_400_000;
const ZONE = 90;

/** Bytes that mean something to one of the grammars. */
const TELLING =
  " \t-;=:,.<>[]+/\\0123456789rwxdlsSaApPmMJjFfN\x94\x8c\x8e\xe6\r";

/** A small generator of numbers that gives the same ones for the same seed. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) % below;
  };
}

function mutate(random: (below: number) => number): string {
  let line = SEEDS[random(SEEDS.length)]!;
  for (let i = random(4); i > 0; i--) {
    const at = random(line.length + 1);
    const to = at + random(6);
    const byte = random(4) === 0
      ? String.fromCharCode(random(256))
      : TELLING[random(TELLING.length)]!;
    switch (random(7)) {
      case 0:
        line = line.slice(0, at) + line.slice(at + 1);
        break;
      case 1:
        line = line.slice(0, at) + byte + line.slice(at);
        break;
      case 2:
        line = line.slice(0, to) + line.slice(at);
        break;
      case 3:
        line = line.slice(0, at) + line.slice(to);
        break;
      case 4: {
        const other = SEEDS[random(SEEDS.length)]!;
        line = line.slice(0, at) + other.slice(random(other.length));
        break;
      }
      default:
        line = line.slice(0, at) + byte + line.slice(at + 1);
    }
  }
  // LF ends a line, and CRs before it belong to the end.
  return line.replaceAll("\n", " ").replace(/\r+$/, "");
}

/** Times of other centuries stand for none. */
function knownTime({ mtime }: OracleEntry): number | undefined {
  const year = new Date(mtime ?? NaN).getUTCFullYear();
  return year >= 1902 && year < 2500 ? mtime : undefined;
}

/** Whether the entry is what the oracle read, and its facts end there, too. */
function isSame(entry: Entry, oracle: OracleEntry): boolean {
  const time = knownTime(oracle);
  const precision = time === undefined ? undefined : oracle.precision;
  const isSplit = entry.format !== "mlsd" ||
    parseFacts(entry.line).name === entry.name;
  return isSplit && entry.format === oracle.format &&
    entry.kind === oracle.kind &&
    entry.name === oracle.name && entry.size === oracle.size &&
    entry.mtime?.getTime() === time &&
    entry.mtimePrecision === precision && entry.mode === oracle.mode &&
    entry.linkTarget === oracle.target &&
    entry.owner?.replaceAll("\t", " ") ===
      oracle.owner?.replaceAll("\t", " ") &&
    entry.group?.replaceAll("\t", " ") === oracle.group?.replaceAll("\t", " ");
}

function toOracle(entry: Entry | undefined): unknown {
  if (entry === undefined) return undefined;
  const { format, kind, name, size, mode, owner, group } = entry;
  return {
    format,
    kind,
    name,
    size,
    mtime: entry.mtime?.getTime(),
    precision: entry.mtimePrecision,
    mode,
    target: entry.linkTarget,
    owner,
    group,
  };
}

function mayBeFrame(line: string): boolean {
  const context = { now: NOW.getTime(), slack: DAY, zone: ZONE };
  return line === "" || isNoise(line) ||
    FORMATS.some((format) =>
      ["frame", "note"].includes(format.read(line, context) as string)
    );
}

/** Between two of these no line is a note, and no column is padded. */
const EDGE = "-rw-r--r-- 1 root other 5 Jan 1 2000 edge";

function readBatch(
  lines: readonly string[],
  random: (below: number) => number,
): { entries: Entry[]; selves: Entry[] } {
  const bytes = fromByteText([EDGE, ...lines, EDGE].join("\r\n"));
  const selves: Entry[] = [];
  const reader = new ListingReader({
    now: NOW,
    zone: ZONE,
    onSelf: (entry) => selves.push(entry),
    decode: makeEncoding("latin1").decode,
  });
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random(random(8) === 0 ? 70_000 : 3000);
    entries.push(...reader.push(bytes.subarray(at, end)));
    at = end;
  }
  entries.push(...reader.end());
  assertEquals(reader.error, undefined);
  assertEquals([entries.shift()?.name, entries.pop()?.name], ["edge", "edge"]);
  for (const entry of selves) {
    const isNamed = entry.isDirectory && /^\.\.?$/.test(entry.name);
    assert(isNamed || /^[cp]dir$/i.test(entry.facts?.type ?? ""), entry.line);
  }
  return { entries, selves };
}

Deno.test("ListingReader reads mutated lines as the oracle does", () => {
  const seed = chooseSeed();
  console.log(`${LINES} mutated lines, FTP_SEED=${seed}`);
  const random = makeRandom(seed);
  const calendar = { latest: NOW.getTime() + DAY, zone: ZONE * 60_000 };
  let read = 0;
  let unread = 0;
  for (let done = 0; done < LINES; done += BATCH) {
    const lines = Array.from({ length: BATCH }, () => mutate(random));
    const { entries, selves } = readBatch(lines, random);
    let at = 0;
    for (const line of lines) {
      const isSelf = selves[0]?.line === line.replace(/\r+$/, "");
      const entry = isSelf ? selves[0] : entries[at];
      const take = () => isSelf ? void selves.shift() : at++;
      const oracle = readOracle(line, calendar);
      if (oracle !== undefined) {
        if (entry === undefined || !isSame(entry, oracle)) {
          assertEquals(
            toOracle(entry),
            oracle as unknown,
            JSON.stringify(line),
          );
        }
        take();
        read++;
      } else if (entry?.line === line && !isScanned(entry)) {
        take();
        unread++;
      } else if (!mayBeFrame(line)) {
        assertEquals(toOracle(entry), undefined, JSON.stringify(line));
      }
    }
    assertEquals(
      [at, selves.length],
      [entries.length, 0],
      "every entry has its line",
    );
  }
  console.log(`${read} lines read alike, ${unread} read by neither`);
  assertEquals(read > LINES / 4 && unread > LINES / 20, true);
});

/** Whether the WASM parser read it; a name without facts it did not. */
function isScanned(entry: Entry): boolean {
  const isBare = entry.format === "mlsd" && entry.line.startsWith(" ");
  return !isBare && ["mlsd", "unix", "dos"].includes(entry.format);
}

Deno.test("toByteText gives one character a byte", () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i & 0xff);
  assertEquals(fromByteText(toByteText(bytes)), bytes);
});
