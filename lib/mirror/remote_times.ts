/**
 * The server's times in a mirror: their zones, and what is learned of its
 * clock.
 *
 * @module
 */

import {
  type ProofOptions,
  proveClock,
  proveDays,
} from "../directories/prove_clock.ts";
import type { SessionProvider } from "../files/session_provider.ts";
import { TIME_PRECISIONS } from "../listing/entry.ts";
import { inferZone } from "../listing/infer_zone.ts";
import { SECOND } from "../commands/queries.ts";
import {
  isZone,
  type ServerClock,
  type TimeCommand,
} from "../transfer/server_clock.ts";
import type { Session } from "../transfer/session.ts";
import type { RemoteTime } from "./compare.ts";
import type { MirrorOptions, UploadDirOptions } from "./options.ts";
import type { MirrorItem } from "./snapshot.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Largest difference that daylight saving time makes, in milliseconds. */
const MAX_SUMMER = 120 * MINUTE;

/** Runs a function on the current session, and again if that is lost. */
export type RunOnSession = <T>(
  run: (session: Session) => Promise<T>,
) => Promise<T>;

/** The server's times in a mirror. */
export class RemoteTimes {
  readonly #provider: SessionProvider;
  readonly #root: string;
  readonly #options: MirrorOptions;
  readonly #run: RunOnSession;

  /**
   * Creates times, of which the client may know something.
   *
   * @param root The directory in which files may be written
   */
  constructor(
    provider: SessionProvider,
    root: string,
    options: MirrorOptions,
    run: RunOnSession,
  ) {
    this.#provider = provider;
    this.#root = root;
    this.#options = options;
    this.#run = run;
  }

  /** Converts an item's shown time to the real one. */
  convert(item: MirrorItem): MirrorItem {
    const { shown, timeCommand = "LIST" } = item;
    const zone = this.#zoneOf(timeCommand) ?? 0;
    const mtime = shown === undefined ? undefined : shown - zone * MINUTE;
    return { ...item, mtime };
  }

  /**
   * Returns the time of a file and the server's clock as known now; `undefined`
   * if the server shows no time.
   */
  timeOf(
    { shown, timeCommand, precision }: MirrorItem,
    at: number,
  ): RemoteTime | undefined {
    if (shown === undefined || timeCommand === undefined) return undefined;
    const zone = this.#zoneOf(timeCommand, at);
    const difference = this.#clock.differenceOf(
      timeCommand,
      this.#zoneOf(timeCommand),
    );
    return {
      shown,
      precision: Math.max(precision, SECOND),
      zone,
      difference,
    };
  }

  /**
   * Converts a time that `MDTM` shows to the real one. Without `MDTM`, uses the
   * time of an exact listing.
   *
   * @param shown The digits read as UTC, or `null`
   */
  meantBy(item: MirrorItem, shown: Date | null): Date | null {
    if (shown === null) {
      const isExact = item.timeCommand === "MLSD" && item.mtime !== undefined;
      return isExact ? new Date(item.mtime) : null;
    }
    this.compareWithList(item, shown);
    const today = (this.#zoneOf("MDTM") ?? 0) * MINUTE;
    const zone = this.#zoneOf("MDTM", shown.getTime() - today) ?? 0;
    return new Date(shown.getTime() - zone * MINUTE);
  }

  /** Whether the zone of a file's time is proven. */
  isProven({ timeCommand = "MDTM" }: MirrorItem): boolean {
    return this.#zoneOf(timeCommand) !== undefined &&
      (this.#clock.isProven(timeCommand) || this.#givenZone !== undefined);
  }

  /**
   * Learns the server's clock from a file that is written for it and deleted.
   */
  async prove(timeCommand: TimeCommand): Promise<void> {
    await this.#once((session, options) =>
      proveClock(session, this.#root, { timeCommand, ...options })
    );
  }

  /**
   * Learns whether daylight saving time applied on the days of some files, if
   * it may explain a difference of their times.
   */
  async proveDays(
    files: readonly { item: MirrorItem; local: number }[],
  ): Promise<void> {
    const clock = this.#clock;
    if (clock.isSettable !== true) return;
    for (const timeCommand of ["MDTM", "MLSD"] as const) {
      const days = new Map<number, number>();
      for (const { item, local } of files) {
        const time = Math.floor(local / SECOND) * SECOND;
        const zone = this.#zoneOf(timeCommand);
        if (item.timeCommand !== timeCommand || zone === undefined) continue;
        const rest = Number(item.shown) - time - zone * MINUTE;
        const isSummer = rest !== 0 && isZone(rest) &&
          Math.abs(rest) <= MAX_SUMMER;
        if (!isSummer || clock.hasDay(timeCommand, local)) continue;
        days.set(Math.floor(local / DAY), time);
      }
      await this.#proveTimes(timeCommand, [...days.values()]);
    }
  }

  /**
   * Learns whether times that are equal in today's zone are so on the days of
   * the files. Where the zone of one season differs, every day is tried.
   */
  async proveSeasons(
    files: readonly { item: MirrorItem; local: number }[],
  ): Promise<void> {
    const clock = this.#clock;
    if (clock.isSettable !== true || this.#givenZone !== undefined) return;
    for (const timeCommand of ["MDTM", "MLSD"] as const) {
      const today = clock.provenZone(timeCommand) ?? 0;
      if (today === 0) continue;
      const seasons = new Map<string, number>();
      const days = new Map<number, number>();
      for (const { item, local } of files) {
        const isOther = item.timeCommand !== timeCommand;
        if (isOther || clock.hasDay(timeCommand, local)) continue;
        const time = Math.floor(local / SECOND) * SECOND;
        days.set(Math.floor(local / DAY), time);
        const season = seasonOf(local);
        if (!clock.hasSeason(timeCommand, season)) seasons.set(season, time);
      }
      await this.#proveTimes(timeCommand, [...seasons.values()]);
      for (const [season, time] of seasons) {
        const isUsual = clock.zoneAt(timeCommand, time) === today;
        clock.noteSeason(timeCommand, season, isUsual);
      }
      const rest = [...days.values()].filter((time) =>
        !clock.isUsualSeason(timeCommand, seasonOf(time)) &&
        !clock.hasDay(timeCommand, time)
      );
      await this.#proveTimes(timeCommand, rest);
    }
  }

  async #proveTimes(
    timeCommand: TimeCommand,
    times: readonly number[],
  ): Promise<void> {
    if (times.length === 0) return;
    await this.#once((session, options) =>
      proveDays(session, this.#root, times, { timeCommand, ...options })
    );
  }

  /** Lets one connection of a mirror learn something while the others wait. */
  async #once(
    learn: (session: Session, options: ProofOptions) => Promise<void>,
  ): Promise<void> {
    const clock = this.#clock;
    if (clock.proving !== undefined) return await clock.proving;
    const { temporaryName, signal } = this.#options as UploadDirOptions;
    const options = { temporaryName, signal };
    clock.proving = this.#run((session) => learn(session, options))
      .finally(() => clock.proving = undefined);
    await clock.proving;
  }

  get #clock(): ServerClock {
    return this.#provider.session.profile.clock;
  }

  /**
   * The zone of listings that the caller gave. It takes precedence over any
   * guess.
   */
  get #givenZone(): number | undefined {
    const zone = this.#options.list?.zone;
    return zone === "infer" ? undefined : zone;
  }

  /**
   * Returns the zone of a command's times. The caller's zone is that of `LIST`,
   * and gives that of `MDTM`.
   */
  #zoneOf(timeCommand: TimeCommand, at = Date.now()): number | undefined {
    const clock = this.#clock;
    const given = this.#givenZone;
    if (given !== undefined && timeCommand === "LIST") return given;
    const beside = given !== undefined && timeCommand === "MDTM"
      ? clock.zoneBesideList(given)
      : undefined;
    return beside ?? clock.zoneAt(timeCommand, at);
  }

  /**
   * Learns from a file's listing how the zone of `LIST` relates to that of
   * `MDTM`.
   */
  compareWithList(
    { timeCommand, shown, precision }: MirrorItem,
    mdtm: Date,
  ): void {
    if (shown === undefined) return;
    const clock = this.#clock;
    if (timeCommand === "MLSD" && shown === mdtm.getTime()) {
      clock.noteSameZone();
    }
    const isExact = timeCommand === "LIST" &&
      precision === TIME_PRECISIONS.minute;
    if (!isExact || clock.isListCompared) return;
    const listed = {
      mtime: new Date(shown),
      mtimePrecision: "minute",
    } as const;
    const ahead = inferZone(listed, mdtm);
    if (ahead !== undefined) clock.noteListAhead(ahead);
  }
}

/** Months in which daylight saving time starts or ends somewhere, from 0. */
const CHANGING = [2, 3, 8, 9, 10];

/** Days with the same zone: a month, or a single day where it may change. */
function seasonOf(time: number): string {
  const date = new Date(time);
  const isChanging = CHANGING.includes(date.getUTCMonth());
  return date.toISOString().slice(0, isChanging ? 10 : 7);
}
