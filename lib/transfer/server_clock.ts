/**
 * Knowledge about the times that a server shows.
 *
 * @module
 */

/** Commands that show times. Each may use its own zone. */
export type TimeCommand = "MDTM" | "MLSD" | "LIST";

/** A time as a server shows it. */
export interface ShownTime {
  /** Its digits read as UTC, in milliseconds since 1970. */
  readonly shown: number;
  /** Resolution in milliseconds. */
  readonly precision: number;
}

/** Time of a write on the server, by the local clock. */
export interface Written {
  /** Milliseconds since 1970, before the last byte was sent. */
  readonly from: number;
  /** Milliseconds since 1970, after the server confirmed. */
  readonly to: number;
}

/**
 * Bounds of the difference between a server's times, including their zone, and
 * the local clock, in milliseconds.
 */
export type ClockDifference = readonly [least: number, most: number];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Zones are multiples of a quarter of an hour. */
const QUARTER = 15 * MINUTE;

/** UTC-12 to UTC+14. */
const WEST = -12 * HOUR;
const EAST = 14 * HOUR;

/**
 * Largest error of a server's clock that still shows its zone, in milliseconds.
 */
const TOLERANCE = 5 * MINUTE;

/** Largest assumed error of a server's clock if its zone is known. */
const MAX_CLOCK_ERROR = 2 * HOUR;

/** Largest assumed difference if neither zone nor clock is known. */
const UNKNOWN = 24 * HOUR;

/**
 * Milliseconds for which a proof is valid: daylight saving time starts and
 * ends, and clocks are adjusted.
 */
const VALIDITY = HOUR;

/** Largest number of days whose zones are kept. */
const MAX_DAYS = 20_000;

/** File systems use the time of the system's last tick. */
const TICK = 50;

interface Proof {
  readonly zone: number;
  readonly difference: ClockDifference;
  readonly at: number;
}

/**
 * The clock of a server. RFC 3659 requires UTC, but vsftpd (`use_localtime`)
 * and pyftpdlib (`use_gmt_times`) may show local time. Therefore no zone is
 * assumed until something proves it: the user's option, or a file that was just
 * written.
 */
export class ServerClock {
  /** A pending proof. */
  proving: Promise<void> | undefined;
  readonly #proofs = new Map<TimeCommand, Proof>();
  /** Zones of the times that commands set, in minutes east of UTC. */
  readonly #settingZones = new Map<string, number>();
  readonly #given: number | undefined;
  /** Zones of single days, with or without daylight saving time. */
  readonly #days = new Map<string, number>();
  /** Seasons, and whether the zone of one of their days is that of today. */
  readonly #seasons = new Map<string, boolean>();
  #isSettable: boolean | undefined;
  /** Whether the server claims to set times, and does not. */
  #ignoresTimes = false;
  #isUTC = false;
  /** Whether `MLSD` was seen to show the same times as `MDTM`. */
  #isSameZone = false;
  /** Minutes that `LIST` is ahead of `MDTM`. */
  #listAhead: number | undefined;
  readonly #tries = new Map<TimeCommand, number>();

  /**
   * Creates a clock without knowledge.
   *
   * @param zone Minutes east of UTC, if the user set it
   */
  constructor(zone?: number) {
    this.#given = zone;
  }

  /** Whether the server sets a file's time; `undefined` before it was tried. */
  get isSettable(): boolean | undefined {
    return this.#ignoresTimes ? false : this.#isSettable;
  }

  /**
   * Notes the server's reply to a time that it was told to set. Returns whether
   * it was set.
   */
  noteSettable(isConfirmed: boolean): boolean {
    this.#isSettable = isConfirmed;
    return isConfirmed && !this.#ignoresTimes;
  }

  /** Whether a written file may show more. */
  isUntried(timeCommand: TimeCommand): boolean {
    const at = this.#tries.get(timeCommand) ?? -Infinity;
    return performance.now() - at > VALIDITY;
  }

  /**
   * Returns the zone in minutes east of UTC; `undefined` if it is not proven.
   */
  zoneOf(timeCommand: TimeCommand): number | undefined {
    const own = this.#given ?? this.#proofOf(timeCommand)?.zone;
    if (own !== undefined) return own;
    if (timeCommand !== "LIST") return this.#isUTC ? 0 : undefined;
    const zone = this.zoneOf("MDTM");
    return zone === undefined || this.#listAhead === undefined
      ? undefined
      : zone + this.#listAhead;
  }

  /** Returns the zone on another day, with or without daylight saving time. */
  zoneAt(timeCommand: TimeCommand, time: number): number | undefined {
    const isPlain = this.#given !== undefined || this.#days.size === 0;
    if (isPlain) return this.zoneOf(timeCommand);
    return this.#days.get(dayOf(timeCommand, time)) ?? this.zoneOf(timeCommand);
  }

  /** Whether the zone of a day was looked for. */
  hasDay(timeCommand: TimeCommand, time: number): boolean {
    return this.#days.has(dayOf(timeCommand, time));
  }

  /** The zone that a written file has shown, in minutes east of UTC. */
  provenZone(timeCommand: TimeCommand): number | undefined {
    return this.#given === undefined
      ? this.#proofOf(timeCommand)?.zone
      : undefined;
  }

  /** Whether a day of a season was tried. */
  hasSeason(timeCommand: TimeCommand, season: string): boolean {
    return this.#seasons.has(`${timeCommand} ${season}`);
  }

  /** Whether a day of a season had the zone of today. */
  isUsualSeason(timeCommand: TimeCommand, season: string): boolean {
    return this.#seasons.get(`${timeCommand} ${season}`) === true;
  }

  /** Notes whether a day of a season had the zone of today. */
  noteSeason(timeCommand: TimeCommand, season: string, isUsual: boolean): void {
    if (this.#seasons.size >= MAX_DAYS) this.#seasons.clear();
    this.#seasons.set(`${timeCommand} ${season}`, isUsual);
  }

  /**
   * Learns the zone of a day from a time that was set and read.
   *
   * @param time The time that was set, in milliseconds since 1970
   * @param shown The time that is shown, read as UTC
   */
  noteDay(timeCommand: TimeCommand, time: number, shown: number): void {
    if (this.#days.size >= MAX_DAYS) this.#days.clear();
    const ahead = shown - time;
    const zone = isZone(ahead) ? ahead / MINUTE : this.zoneOf(timeCommand) ?? 0;
    this.#days.set(dayOf(timeCommand, time), zone);
  }

  /**
   * Returns the zone of `MDTM` for a zone of `LIST`, in minutes east of UTC;
   * `undefined` if the two were not compared.
   *
   * @param listZone Minutes east of UTC
   */
  zoneBesideList(listZone: number): number | undefined {
    return this.#listAhead === undefined
      ? undefined
      : listZone - this.#listAhead;
  }

  /** Whether the zone is proven, and the proof still valid. */
  isProven(timeCommand: TimeCommand): boolean {
    const proof = this.#proofOf(timeCommand);
    if (proof !== undefined) return performance.now() - proof.at < VALIDITY;
    return this.zoneOf(timeCommand) !== undefined;
  }

  /** Whether the server's clock was compared with the local one. */
  isMeasured(timeCommand: TimeCommand): boolean {
    return this.#proofOf(timeCommand) !== undefined;
  }

  /**
   * Returns the bounds of the clock's difference.
   *
   * @param zone Minutes east of UTC, if it is known from elsewhere
   */
  differenceOf(
    timeCommand: TimeCommand,
    zone = this.zoneOf(timeCommand),
  ): ClockDifference {
    const proof = this.#proofOf(timeCommand);
    if (proof !== undefined) return proof.difference;
    if (zone === undefined) return [-UNKNOWN, UNKNOWN];
    return [zone * MINUTE - MAX_CLOCK_ERROR, zone * MINUTE + MAX_CLOCK_ERROR];
  }

  /**
   * Converts a time that the server shows to UTC.
   *
   * @param date Its digits read as UTC
   */
  toUTC(timeCommand: TimeCommand, date: Date): Date {
    const today = (this.zoneOf(timeCommand) ?? 0) * MINUTE;
    const zone = this.zoneAt(timeCommand, date.getTime() - today) ?? 0;
    return new Date(date.getTime() - zone * MINUTE);
  }

  /** Returns the digits that set a time. */
  toSet(command: string, date: Date): Date {
    // vsftpd's MDTM sets the time that it shows; MFMT and SITE UTIME use UTC
    const usual = command === "MDTM" ? this.zoneOf("MDTM") ?? 0 : 0;
    const zone = this.#settingZones.get(command) ?? usual;
    return new Date(date.getTime() + zone * MINUTE);
  }

  /** Notes that `MDTM` and `MLSD` use UTC in every configuration. */
  noteUTC(): void {
    this.#isUTC = true;
  }

  /** Notes an attempt, so that it is not repeated for each file. */
  noteTry(timeCommand: TimeCommand): void {
    this.#tries.set(timeCommand, performance.now());
  }

  /** Learns from a file that was just written. */
  noteWritten(
    timeCommand: TimeCommand,
    { shown, precision }: ShownTime,
    { from, to }: Written,
  ): void {
    const least = shown - to;
    const most = shown + precision - from + TICK;
    const zone = Math.round((least + most) / 2 / QUARTER) * QUARTER;
    const isPlausible = zone >= WEST && zone <= EAST &&
      zone - least <= TOLERANCE && most - zone <= TOLERANCE;
    if (!isPlausible) return void this.#proofs.delete(timeCommand);
    this.#proofs.set(timeCommand, {
      zone: this.#given ?? zone / MINUTE + 0,
      difference: [least, most],
      at: performance.now(),
    });
  }

  /**
   * Learns from a time that was set and read. It must be recent, without a
   * change to or from daylight saving time between.
   *
   * @param digits The digits that were sent, read as UTC
   * @param shown The time that `MDTM` shows now, read as UTC
   */
  noteSet(command: string, digits: Date, shown: Date): void {
    const ahead = shown.getTime() - digits.getTime();
    this.#ignoresTimes = !isZone(ahead);
    if (this.#ignoresTimes) return;
    const zone = this.zoneOf("MDTM");
    if (zone !== undefined) {
      this.#settingZones.set(command, zone - ahead / MINUTE);
    }
  }

  /** Notes that `MLSD` and `MDTM` show the same time for one file. */
  noteSameZone(): void {
    this.#isSameZone = true;
  }

  /** Notes the difference between a listing and `MDTM`. */
  noteListAhead(minutes: number): void {
    this.#listAhead = minutes;
  }

  #proofOf(timeCommand: TimeCommand): Proof | undefined {
    const own = this.#proofs.get(timeCommand);
    if (own !== undefined || timeCommand === "LIST" || !this.#isSameZone) {
      return own;
    }
    return this.#proofs.get(timeCommand === "MDTM" ? "MLSD" : "MDTM");
  }

  /** Whether `LIST` was compared with `MDTM`. */
  get isListCompared(): boolean {
    return this.#listAhead !== undefined;
  }

  /** Minutes that `LIST` is ahead of `MDTM`; 0 if unknown. */
  get listAhead(): number {
    return this.#listAhead ?? 0;
  }
}

function dayOf(timeCommand: TimeCommand, time: number): string {
  return `${timeCommand} ${Math.floor(time / (24 * HOUR))}`;
}

/** Whether a difference of two times can be a zone. */
export function isZone(milliseconds: number): boolean {
  return milliseconds % QUARTER === 0 &&
    Math.abs(milliseconds) <= EAST - WEST;
}
