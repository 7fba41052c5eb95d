/**
 * What is known of the times that a server shows.
 *
 * @module
 */

/** What shows times. Each may have a zone of its own. */
export type TimeTeller = "MDTM" | "MLSD" | "LIST";

/** A time as a server shows it. */
export interface ShownTime {
  /** Its digits read as UTC, in milliseconds since 1970. */
  readonly shown: number;
  /** How exact it is, in milliseconds. */
  readonly precision: number;
}

/** When the server wrote to a file, by this side's clock. */
export interface Written {
  /** Milliseconds since 1970, before the last byte was sent. */
  readonly from: number;
  /** Milliseconds since 1970, after the server confirmed. */
  readonly to: number;
}

/**
 * By how many milliseconds what a server shows is ahead of this side's clock,
 * zone included: least and most.
 */
export type Lead = readonly [least: number, most: number];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Zones lie on quarters of an hour. */
const QUARTER = 15 * MINUTE;

/** From UTC-12 to UTC+14. */
const WEST = -12 * HOUR;
const EAST = 14 * HOUR;

/** How wrong a server's clock may be, in milliseconds, for its zone to be told. */
const TOLERANCE = 5 * MINUTE;

/** How wrong a server's clock may be where its zone is known and no more. */
const WRONG = 2 * HOUR;

/** The most that zone and clock together may come to where neither is known. */
const UNKNOWN = 24 * HOUR;

/**
 * Milliseconds for which a proof holds: summer time begins and ends, and
 * clocks are set.
 */
const VALIDITY = HOUR;

/** Most days whose zones are kept. */
const MAX_DAYS = 20_000;

/** File systems take the time from the system's last tick. */
const TICK = 50;

interface Proof {
  readonly zone: number;
  readonly lead: Lead;
  readonly at: number;
}

/**
 * The clock of a server. RFC 3659 wants UTC, and vsftpd (`use_localtime`) and
 * pyftpdlib (`use_gmt_times`) may be set to show local time in its place, so
 * no zone is believed until something proves it: the user's word, or a file
 * that this side has just written.
 */
export class ServerClock {
  /** A proof that is under way. */
  proving: Promise<void> | undefined;
  readonly #proofs = new Map<TimeTeller, Proof>();
  /** Minutes east of UTC of the times that a command sets. */
  readonly #settingZones = new Map<string, number>();
  readonly #given: number | undefined;
  /** Zones that hold on one day, with or without summer time. */
  readonly #days = new Map<string, number>();
  #isSettable: boolean | undefined;
  /** Whether the server says that it sets times, and does not. */
  #ignoresTimes = false;
  #isUTC = false;
  /** Whether `MLSD` was seen to show what `MDTM` shows. */
  #isSameZone = false;
  /** Minutes that `LIST` is ahead of `MDTM`. */
  #listAhead: number | undefined;
  readonly #tries = new Map<TimeTeller, number>();

  /**
   * Makes a clock of which nothing is known.
   *
   * @param zone Minutes east of UTC, if the user says so
   */
  constructor(zone?: number) {
    this.#given = zone;
  }

  /**
   * Whether the server sets the time of a file when it is told to: not known
   * before it was tried.
   */
  get isSettable(): boolean | undefined {
    return this.#ignoresTimes ? false : this.#isSettable;
  }

  /**
   * Learns from the server's word on a time that it was told to set.
   *
   * @param isSaid Whether it says that it did so
   * @returns Whether to believe that it did
   */
  noteSettable(isSaid: boolean): boolean {
    this.#isSettable = isSaid;
    return isSaid && !this.#ignoresTimes;
  }

  /**
   * Whether there is a chance to learn more from a file that is written.
   *
   * @param teller What shows the time
   * @returns Whether that was not tried, or is long ago
   */
  isUntried(teller: TimeTeller): boolean {
    const at = this.#tries.get(teller) ?? -Infinity;
    return performance.now() - at > VALIDITY;
  }

  /**
   * The zone, as far as it is proven.
   *
   * @param teller What shows the time
   * @returns Minutes east of UTC, or `undefined`
   */
  zoneOf(teller: TimeTeller): number | undefined {
    const own = this.#given ?? this.#proofOf(teller)?.zone;
    if (own !== undefined) return own;
    if (teller !== "LIST") return this.#isUTC ? 0 : undefined;
    const zone = this.zoneOf("MDTM");
    return zone === undefined || this.#listAhead === undefined
      ? undefined
      : zone + this.#listAhead;
  }

  /**
   * The zone of a time of another day: with or without summer time.
   *
   * @param teller What shows the time
   * @param time Milliseconds since 1970
   * @returns Minutes east of UTC; that of today where no more is known
   */
  zoneAt(teller: TimeTeller, time: number): number | undefined {
    const isPlain = this.#given !== undefined || this.#days.size === 0;
    if (isPlain) return this.zoneOf(teller);
    return this.#days.get(dayOf(teller, time)) ?? this.zoneOf(teller);
  }

  /**
   * Whether a zone was looked for that holds on a day.
   *
   * @param teller What shows the time
   * @param time Milliseconds since 1970
   * @returns Whether it was
   */
  hasDay(teller: TimeTeller, time: number): boolean {
    return this.#days.has(dayOf(teller, time));
  }

  /**
   * Learns the zone of a day from a time that was set, and read back.
   *
   * @param teller What shows the time
   * @param time The time that was set, in milliseconds since 1970
   * @param shown What is shown, read as UTC
   */
  noteDay(teller: TimeTeller, time: number, shown: number): void {
    if (this.#days.size >= MAX_DAYS) this.#days.clear();
    const ahead = shown - time;
    const zone = isZone(ahead) ? ahead / MINUTE : this.zoneOf(teller) ?? 0;
    this.#days.set(dayOf(teller, time), zone);
  }

  /**
   * The zone that `MDTM` has if `LIST` has a certain one.
   *
   * @param listZone Minutes east of UTC
   * @returns Minutes east of UTC, or `undefined` if the two were not compared
   */
  zoneBesideList(listZone: number): number | undefined {
    return this.#listAhead === undefined
      ? undefined
      : listZone - this.#listAhead;
  }

  /**
   * Whether the zone is proven, by something that still holds.
   *
   * @param teller What shows the time
   * @returns Whether it is
   */
  isProven(teller: TimeTeller): boolean {
    const proof = this.#proofOf(teller);
    if (proof !== undefined) return performance.now() - proof.at < VALIDITY;
    return this.zoneOf(teller) !== undefined;
  }

  /**
   * Whether the server's clock was compared with this side's.
   *
   * @param teller What shows the time
   * @returns Whether it was
   */
  isMeasured(teller: TimeTeller): boolean {
    return this.#proofOf(teller) !== undefined;
  }

  /**
   * How far the clock is ahead.
   *
   * @param teller What shows the time
   * @param zone Minutes east of UTC, if it is known from elsewhere
   * @returns Bounds
   */
  leadOf(teller: TimeTeller, zone = this.zoneOf(teller)): Lead {
    const proof = this.#proofOf(teller);
    if (proof !== undefined) return proof.lead;
    if (zone === undefined) return [-UNKNOWN, UNKNOWN];
    return [zone * MINUTE - WRONG, zone * MINUTE + WRONG];
  }

  /**
   * The time that is meant by one that the server shows.
   *
   * @param teller What shows the time
   * @param date Its digits read as UTC
   * @returns The time; as it is shown where the zone is not known
   */
  toUTC(teller: TimeTeller, date: Date): Date {
    const today = (this.zoneOf(teller) ?? 0) * MINUTE;
    const zone = this.zoneAt(teller, date.getTime() - today) ?? 0;
    return new Date(date.getTime() - zone * MINUTE);
  }

  /**
   * The digits that set a time.
   *
   * @param command What sets it
   * @param date The time
   * @returns The digits, read as UTC
   */
  toSet(command: string, date: Date): Date {
    // vsftpd's MDTM sets what it shows; MFMT is in UTC, and so is SITE UTIME
    const usual = command === "MDTM" ? this.zoneOf("MDTM") ?? 0 : 0;
    const zone = this.#settingZones.get(command) ?? usual;
    return new Date(date.getTime() + zone * MINUTE);
  }

  /** Knows that `MDTM` and `MLSD` are in UTC, however the server is set up. */
  noteUTC(): void {
    this.#isUTC = true;
  }

  /**
   * Knows that this was tried, so that it is not tried again for each file.
   *
   * @param teller What shows the time
   */
  noteTry(teller: TimeTeller): void {
    this.#tries.set(teller, performance.now());
  }

  /**
   * Learns from a file that was just written.
   *
   * @param teller What shows the time
   * @param time The time that is shown
   * @param written When it was written
   */
  noteWritten(
    teller: TimeTeller,
    { shown, precision }: ShownTime,
    { from, to }: Written,
  ): void {
    const least = shown - to;
    const most = shown + precision - from + TICK;
    const zone = Math.round((least + most) / 2 / QUARTER) * QUARTER;
    const isPlausible = zone >= WEST && zone <= EAST &&
      zone - least <= TOLERANCE && most - zone <= TOLERANCE;
    if (!isPlausible) return void this.#proofs.delete(teller);
    this.#proofs.set(teller, {
      zone: this.#given ?? zone / MINUTE + 0,
      lead: [least, most],
      at: performance.now(),
    });
  }

  /**
   * Learns from a time that was set, and read back. It must be of today, or
   * summer time may come between.
   *
   * @param command What set it
   * @param digits What was sent, read as UTC
   * @param shown What `MDTM` shows now, read as UTC
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

  /** Learns that `MLSD` and `MDTM` show the same for one file. */
  noteSameZone(): void {
    this.#isSameZone = true;
  }

  /**
   * Learns from a listing beside `MDTM`.
   *
   * @param minutes How far the listing is ahead
   */
  noteListAhead(minutes: number): void {
    this.#listAhead = minutes;
  }

  #proofOf(teller: TimeTeller): Proof | undefined {
    const own = this.#proofs.get(teller);
    if (own !== undefined || teller === "LIST" || !this.#isSameZone) return own;
    return this.#proofs.get(teller === "MDTM" ? "MLSD" : "MDTM");
  }

  /** Whether `LIST` was compared with `MDTM`. */
  get isListCompared(): boolean {
    return this.#listAhead !== undefined;
  }

  /** Minutes that `LIST` is ahead of `MDTM`; 0 where that is not known. */
  get listAhead(): number {
    return this.#listAhead ?? 0;
  }
}

function dayOf(teller: TimeTeller, time: number): string {
  return `${teller} ${Math.floor(time / (24 * HOUR))}`;
}

/**
 * Whether two times differ by nothing else than a zone.
 *
 * @param milliseconds By how much they differ
 * @returns Whether it may be one
 */
export function isZone(milliseconds: number): boolean {
  return milliseconds % QUARTER === 0 &&
    Math.abs(milliseconds) <= EAST - WEST;
}
