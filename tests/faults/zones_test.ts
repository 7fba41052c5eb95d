/**
 * Mirrors to and from servers that show local time, as their packages have it or as they are set up: after a change of
 * equal length on either side, mirroring the other way brings it, whatever the times of the files. The gate has ten
 * cases: each setting in two zones, and each zone with two settings or three.
 *
 *     FTP_ZONE_COUNT=1000 deno task test tests/faults/zones_test.ts   that many cases over all servers and zones
 *     FTP_ZONE_START=5000 deno task test tests/faults/zones_test.ts   other cases: from this seed on
 *     FTP_ZONE_SEED=4711 deno task test tests/faults/zones_test.ts    one case, with every server and zone
 *
 * @module
 */

import type { FTP } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { logIn } from "../real/client.ts";
import {
  isIgnored,
  type RealServer,
  reportServers,
  type ServerName,
  startServer,
} from "../testing/servers/mod.ts";
import { chooseCount, readInteger } from "../testing/random.ts";
import { repetitions } from "../testing/repetitions.ts";
import { handOver } from "../testing/servers/real_server.ts";
import { Random } from "./random.ts";

/** Zones and their hours ahead of UTC; one has daylight saving time. */
const ZONES = {
  "Asia/Tokyo": [9],
  "Africa/Johannesburg": [2],
  "Asia/Kathmandu": [5.75],
  "America/New_York": [-4, -5],
};

/**
 * Settings with which each server shows local time, or refuses to set times.
 */
const SETTINGS: readonly (readonly [ServerName, string, readonly string[]])[] =
  [
    ["vsftpd", "as Debian has it", ["use_localtime=YES"]],
    ["vsftpd", "no MDTM that sets", ["use_localtime=YES", "mdtm_write=NO"]],
    ["proftpd", "TimesGMT off", ["TimesGMT off"]],
    ["pure-ftpd", "by default", []],
    ["pyftpdlib", "use_gmt_times off", ["handler.use_gmt_times = False"]],
  ];

/** Files of a case, and changes to them. */
const NAMES = ["a", "b", "d/c"];
const CHANGES = 4;

/** Differences of time that a zone may hide, in hours. */
const HOURS = [-14, -9, -5.75, -5, -4, -2, -1, 1, 2, 4, 5, 5.75, 9, 14];

const seedAsked = readInteger("FTP_ZONE_SEED", 0);
const start = readInteger("FTP_ZONE_START", 0) ?? 0;
const count = chooseCount(repetitions(10), "FTP_ZONE_COUNT");

reportServers();
const combinations = Object.keys(ZONES).length * SETTINGS.length;
let next = start;
for (const [index, [name, what, extra]] of SETTINGS.entries()) {
  for (const [number, [zone, hours]] of Object.entries(ZONES).entries()) {
    // with half as many cases as combinations, every second square of a chessboard has one
    const isLater = (index + number) % 2;
    const own = seedAsked === undefined
      ? Math.ceil(count / combinations - isLater / 2)
      : 1;
    if (own === 0) continue;
    const first = next;
    next += own;
    Deno.test({
      name:
        `FTP mirrors changed files in any zone of the server (${name}, ${what}, ${zone})`,
      ignore: isIgnored(name),
      fn: async () => {
        await using server = await startServer(name, { zone, extra });
        const problems: string[] = [];
        const totals = { mirrors: 0, again: 0 };
        const seeds = seedAsked === undefined
          ? Array.from({ length: own }, (_, i) => first + i)
          : [seedAsked];
        for (const seed of seeds) {
          const problem = await new ZoneCase(server, seed, hours, totals).run();
          if (problem !== undefined) {
            problems.push(`FTP_ZONE_SEED=${seed}: ${problem}`);
          }
        }
        const { mirrors, again } = totals;
        console.log(
          `${seeds.length} cases, ${mirrors} mirrors: ${problems.length} problems; ${again} second runs transferred something`,
        );
        if (problems.length > 0) throw new Error(problems.join("\n"));
      },
    });
  }
}

/** One history of changes on both sides. */
class ZoneCase {
  readonly #server: RealServer;
  readonly #random: Random;
  readonly #hours: readonly number[];
  readonly #totals: { mirrors: number; again: number };
  readonly #top: string;
  readonly #folder: string;
  /** Steps so far. */
  readonly #steps: string[] = [];
  #version = 0;

  constructor(
    server: RealServer,
    seed: number,
    zoneHours: readonly number[],
    totals: { mirrors: number; again: number },
  ) {
    this.#server = server;
    this.#random = new Random(seed);
    // a client that only downloads cannot tell this difference from the zone
    this.#hours = HOURS.filter((hours) =>
      !zoneHours.includes(hours) && !zoneHours.includes(-hours)
    );
    this.#totals = totals;
    this.#folder = `case-${seed}`;
    this.#top = `${server.root}/${this.#folder}`;
  }

  async run(): Promise<string | undefined> {
    using local = new LocalFolder();
    const random = this.#random;
    const now = Math.floor(Date.now() / 1000);
    const times = new Map<string, number>();
    Deno.mkdirSync(this.#top);
    handOver(this.#top);
    let isUp = random.chance(0.5);
    const isKept = random.chance(0.5);
    await using kept = await logIn(this.#server);
    for (let change = 0; change <= CHANGES; change++) {
      const names = change === 0
        ? NAMES
        : NAMES.filter(() => random.chance(0.5));
      if (change > 0) isUp = random.chance(0.5);
      const root = isUp ? local.path : this.#top;
      for (const name of names) {
        const time = this.#drawTime(now, times.get(name));
        times.set(name, time);
        this.#write(`${root}/${name}`, time);
        this.#steps.push(
          `${isUp ? "here" : "there"} ${name} ${
            new Date(time * 1000).toISOString()
          }`,
        );
      }
      const problem = isKept
        ? await this.#mirror(kept, local.path, isUp)
        : await this.#mirrorAfresh(local.path, isUp);
      if (problem !== undefined) {
        return `${this.#steps.join(", ")}: ${problem}`;
      }
    }
    Deno.removeSync(this.#top, { recursive: true });
    return undefined;
  }

  /** Times of a file differ by what a second can tell, or by what a zone may hide. */
  #drawTime(now: number, before: number | undefined): number {
    const random = this.#random;
    if (before === undefined) {
      return now - random.pick([
        [2, random.between(10, 100)],
        [3, random.between(100, 60_000)],
        [2, random.between(60_000, 40_000_000)],
      ]);
    }
    const hours = this.#hours[random.between(0, this.#hours.length - 1)]!;
    const time = before + random.pick([
      [2, random.between(2, 1000)],
      [1, -random.between(2, 1000)],
      [3, hours * 3600],
      [2, Math.max(2, now - before)],
    ]);
    return Math.min(time, now) === before ? before - 7 : Math.min(time, now);
  }

  #write(path: string, time: number): void {
    const folder = path.slice(0, path.lastIndexOf("/"));
    Deno.mkdirSync(folder, { recursive: true });
    handOver(folder);
    const version = String(this.#version++).padStart(8, "0");
    Deno.writeTextFileSync(path, version);
    Deno.utimeSync(path, time, time);
    handOver(path);
  }

  async #mirrorAfresh(
    local: string,
    isUp: boolean,
  ): Promise<string | undefined> {
    await using ftp = await logIn(this.#server);
    return await this.#mirror(ftp, local, isUp);
  }

  /** Mirrors twice, and compares both sides. */
  async #mirror(
    ftp: FTP,
    local: string,
    isUp: boolean,
  ): Promise<string | undefined> {
    this.#steps.push(isUp ? "uploadDir" : "downloadDir");
    for (const isAgain of [false, true]) {
      this.#totals.mirrors++;
      const { transferred } = isUp
        ? await ftp.uploadDir(local, this.#folder)
        : await ftp.downloadDir(this.#folder, local);
      if (isAgain && transferred > 0) this.#totals.again++;
      for (const name of NAMES) {
        const here = Deno.readTextFileSync(`${local}/${name}`);
        const there = Deno.readTextFileSync(`${this.#top}/${name}`);
        if (here !== there) return `${name} is ${here} here, ${there} there`;
      }
    }
    return undefined;
  }
}
