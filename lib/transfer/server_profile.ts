/**
 * What is known of a server, whichever connection learned it.
 *
 * @module
 */

import { ServerClock } from "./server_clock.ts";

/** A server's software, where it can be told. */
export type Vendor =
  | "vsftpd"
  | "ProFTPD"
  | "Pure-FTPd"
  | "pyftpdlib"
  | "FileZilla"
  | "IIS"
  | "Serv-U"
  | "glFTPd"
  | "NcFTPd"
  | "ftp-srv";

/** What each vendor's greeting contains by default. */
const GREETINGS: readonly (readonly [Vendor, RegExp])[] = [
  ["vsftpd", /vsFTPd/i],
  ["ProFTPD", /ProFTPD/i],
  ["Pure-FTPd", /Pure-FTPd/i],
  ["pyftpdlib", /pyftpdlib/i],
  ["FileZilla", /FileZilla/i],
  ["IIS", /Microsoft FTP/i],
  ["Serv-U", /Serv-U/i],
  ["glFTPd", /glFTPd/i],
  ["NcFTPd", /NcFTPd/i],
  ["ftp-srv", /^220 Ready$/m],
];

/** Commands that the client sends by itself, and can do without. */
const DISPENSABLE_REGEXP =
  /^(FEAT|OPTS|MLST|MDTM|MFMT|SIZE|STAT|SITE|PWD|SYST|HASH|MD5|X(CRC|MD5|SHA\d*))$/;

/** Of ProFTPD's mod_facts, whatever the greeting says. */
const PROFTPD_FEATURE = "MFF";

/** Those that show `MDTM` and `MLSD` in UTC, however they are set up. */
const UTC_VENDORS: readonly (Vendor | undefined)[] = ["ProFTPD", "Pure-FTPd"];

/** Those whose `MLSD` was measured. */
const MLSD_VENDORS: readonly (Vendor | undefined)[] = [
  "ProFTPD",
  "Pure-FTPd",
  "pyftpdlib",
];

/**
 * What is known of a server. Shared by a client, its clones, its
 * reconnections and the connections of a mirror: no other place infers a
 * vendor.
 */
export class ServerProfile {
  #vendor: Vendor | undefined;
  #isNotProFTPD = false;
  readonly #lacking = new Set<string>();
  /** Verbs that got a reply other than a refusal. */
  readonly #known = new Set<string>();
  #features: Map<string, string> | undefined;
  #featuresIdentity = "";
  /** Whether `EPSV` works: `undefined` before the first try. */
  hasExtendedPassive: boolean | undefined;
  /** Whether `MLSD` works: `undefined` before it gave an entry. */
  hasMLSD: boolean | undefined;
  /** Whether `LIST -a` works: `undefined` before the first try. */
  hasListAll: boolean | undefined;
  /** Whether `LIST -a` shows the directory itself, as far as was seen. */
  showsSelf: boolean | undefined;
  /** Whether `MLSD` was seen to show links as such. */
  tellsLinks = false;
  /** Whether `EPSV` and `PASV` were refused, where `passive` is "auto". */
  refusesPassive = false;
  /** Whether `PRET` comes before `EPSV` and `PASV`. */
  needsPRET = false;
  /** The times that it shows. */
  readonly clock: ServerClock;

  /**
   * Makes a profile of which nothing is known.
   *
   * @param zone Minutes east of UTC of the server's times, if the user says so
   */
  constructor(zone?: number) {
    this.clock = new ServerClock(zone);
  }

  /** The server's software, or `undefined` if nothing told it. */
  get vendor(): Vendor | undefined {
    return this.#vendor;
  }

  /**
   * Whether the server may be of a vendor: true until something tells
   * otherwise.
   *
   * @param vendor The vendor
   */
  mayBe(vendor: Vendor): boolean {
    if (this.#vendor !== undefined) return this.#vendor === vendor;
    return !(vendor === "ProFTPD" && this.#isNotProFTPD);
  }

  /**
   * Whether a transfer that was ended early leaves nothing behind: no data, no
   * reply. It was measured, and is not believed of what was not.
   */
  get leavesNothing(): boolean {
    // vsftpd serves one command after the other, and has no state of a transfer
    return this.#vendor === "vsftpd";
  }

  /**
   * Whether an `MLSD` without a line is believed of this vendor before one has
   * given an entry: it was measured to give all that the server may read.
   */
  get givesAllByMLSD(): boolean {
    return MLSD_VENDORS.includes(this.#vendor);
  }

  /**
   * Whether the server says so where it may not read a directory that it is to
   * list: "failed to open directory", "unable to read".
   */
  get admitsUnreadable(): boolean {
    return this.#vendor === "vsftpd" || this.#vendor === "Pure-FTPd";
  }

  /**
   * Draws conclusions from a greeting. A greeting without a vendor's name
   * proves nothing.
   *
   * @param text The text of the reply
   */
  noteGreeting(text: string): void {
    const found = GREETINGS.find(([, regexp]) => regexp.test(text));
    if (found !== undefined) this.#setVendor(found[0]);
  }

  /**
   * Whether the server is known to lack an optional command, or a use of it.
   *
   * @param command The command in upper case, or the name of the use
   */
  lacks(command: string): boolean {
    return this.#lacking.has(command);
  }

  /**
   * Notes that the server lacks a command.
   *
   * @param command As for {@linkcode lacks}
   */
  noteLacking(command: string): void {
    this.#lacking.add(command);
  }

  /**
   * Forgets that the server lacks a command: it was seen to work.
   *
   * @param command As for {@linkcode lacks}
   */
  forgetLacking(command: string): void {
    this.#lacking.delete(command);
  }

  /**
   * Notes that the server knows a command, by the reply to it.
   *
   * @param verb The verb in upper case
   */
  noteKnown(verb: string): void {
    this.#known.add(verb);
  }

  /**
   * Notes that the server ended the connection at a command: some do at any that
   * they do not know. Only what the client sends by itself, and can do without, is
   * not sent again.
   *
   * @param line The command
   */
  noteHangUp(line: string): void {
    const [, verb = "", word = ""] = /^(\S+) ?(\S*)/.exec(line) ?? [];
    if (this.#known.has(verb)) return;
    if (verb === "MLSD") this.hasMLSD ??= false;
    else if (verb === "LIST" && word === "-a") this.hasListAll ??= false;
    else if (DISPENSABLE_REGEXP.test(verb)) {
      for (const use of ["", ` ${word}`, " time", " path"]) {
        this.noteLacking(verb + use);
      }
    }
  }

  /**
   * The reply to `FEAT`, if it was given to the same user under the same
   * protection.
   *
   * @param identity The session's `identity`
   * @returns Names in upper case with their parameters, or `undefined`
   */
  featuresFor(identity: string): Map<string, string> | undefined {
    return identity === this.#featuresIdentity ? this.#features : undefined;
  }

  /**
   * Notes the reply to `FEAT`, and draws conclusions from it.
   *
   * @param identity The session's `identity`
   * @param features Names in upper case with their parameters; `undefined` if
   * `FEAT` was refused
   * @returns The features; none if `FEAT` was refused
   */
  noteFeatures(
    identity: string,
    features: Map<string, string> | undefined,
  ): Map<string, string> {
    this.#features = features ?? new Map();
    this.#featuresIdentity = identity;
    if (features?.has("PRET")) this.needsPRET = true;
    if (features?.has(PROFTPD_FEATURE)) this.#setVendor("ProFTPD");
    else if (features !== undefined) this.#isNotProFTPD = true;
    return this.#features;
  }

  #setVendor(vendor: Vendor): void {
    this.#vendor = vendor;
    if (UTC_VENDORS.includes(vendor)) this.clock.noteUTC();
  }
}
