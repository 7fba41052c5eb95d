/**
 * Knowledge about a server.
 *
 * @module
 */

import type { ControlConnection } from "../connection/control_connection.ts";
import type { Command } from "../protocol/command.ts";
import { ServerClock } from "./server_clock.ts";

/** A server's software. */
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

/** Default greetings of the vendors. */
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

/** Commands that the client sends itself, and does not need. */
const DISPENSABLE_REGEXP =
  /^(FEAT|OPTS|MLST|MDTM|MFMT|SIZE|STAT|SITE|PWD|SYST|TYPE|MODE|EPRT|HASH|M?MD5|X(CRC|MD5|SHA\d*))$/;

/** Commands of which a server may know some uses only. */
const USES_REGEXP = /^(TYPE|MODE|OPTS|SITE)$/;

/** Verb and first word of a command, in upper case. */
function useOf(line: string): string {
  return line.toUpperCase().split(" ", 2).join(" ");
}

/** The uses of a command that the server lacks if it hung up at a line. */
function usesOf(line: string): string[] {
  const [verb = "", word = ""] = line.split(" ", 2);
  return ["", ` ${word}`, " time", " path"].map((use) => verb + use);
}

/** A connection that the server closed. */
type HungUp = Pick<ControlConnection, "since" | "unknown">;

/** The first connection that ended at a command. */
interface Suspicion {
  readonly control: HungUp;
  readonly at: number;
}

/** A feature of ProFTPD's mod_facts, whatever the greeting says. */
const PROFTPD_FEATURE = "MFF";

/** Vendors whose `MDTM` and `MLSD` use UTC in every configuration. */
const UTC_VENDORS: readonly (Vendor | undefined)[] = ["ProFTPD", "Pure-FTPd"];

/** Vendors that accept a data connection when they execute its command. */
const LATE_VENDORS: readonly (Vendor | undefined)[] = [
  "vsftpd",
  "ProFTPD",
  "Pure-FTPd",
];

/** Releases of vsftpd, none of which has `MLSD`. */
const OLD_VSFTPD_REGEXP = /vsFTPd [1-3]\.\d/i;

/** Vendors whose `MLSD` was measured. */
const MLSD_VENDORS: readonly (Vendor | undefined)[] = [
  "ProFTPD",
  "Pure-FTPd",
  "pyftpdlib",
];

/** Vendors whose check of TLS sessions was measured. */
const ANY_SESSION_VENDORS: readonly (Vendor | undefined)[] = [
  "vsftpd",
  "Pure-FTPd",
  "pyftpdlib",
];

/** Largest offset that every server can count: signed, with 32 bits. */
const LEAST_COUNTER = 2 ** 31 - 1;

/** Commands about which an earlier run may have learned something. */
type Recallable = "EPSV" | "MLSD" | "PRET";

/**
 * Knowledge about a server. Shared by a client, its clones, its reconnections
 * and the connections of a mirror. No other code infers a vendor.
 */
export class ServerProfile {
  #vendor: Vendor | undefined;
  #isNotProFTPD = false;
  readonly #lacking = new Set<string>();
  /** Uses of commands that got a reply other than a refusal. */
  readonly #known = new Set<string>();
  /** Commands that are not sent again because the server hung up at them. */
  readonly #hungUpAt = new Set<string>();
  /** Uses of commands at which a connection ended, perhaps by accident. */
  readonly #suspected = new Map<string, Suspicion>();
  #hangUps = 0;
  /** Whether the server was seen to hang up at a command each time. */
  #hangsUp = false;
  #features: Map<string, string> | undefined;
  #featuresIdentity = "";
  /** Whether `EPSV` works; `undefined` before the first try. */
  hasExtendedPassive: boolean | undefined;
  /** What an earlier run has learned, and nothing has confirmed yet. */
  readonly recalled = new Set<Recallable>();
  /** Whether `MLSD` works; `undefined` before it returned an entry. */
  hasMLSD: boolean | undefined;
  /** Whether `MLSD` of the parent of an empty directory proved nothing. */
  hidesParent = false;
  /** Whether `LIST -a` works; `undefined` before the first try. */
  hasListAll: boolean | undefined;
  /** Whether `LIST -a` shows the directory itself; `undefined` if unknown. */
  showsSelf: boolean | undefined;
  /** Whether `MLSD` was seen to show links as links. */
  tellsLinks = false;
  /** Whether `EPSV` and `PASV` were refused while `passive` is "auto". */
  refusesPassive = false;
  /** The user who logged in last with a password that the server asked for. */
  passwordAskedOf: string | undefined;
  /** Whether the server was seen to decompress a file in `MODE Z`. */
  decompresses = false;
  /** Whether a store at an offset was seen to keep the bytes before it. */
  keepsBeginnings = false;
  /** Whether `PRET` is needed before `EPSV` and `PASV`. */
  needsPRET = false;
  /** The largest offset at which a download was seen to start, in bytes. */
  #provenStart = 0;
  /** The server's times. */
  readonly clock: ServerClock;

  /**
   * Creates a profile without knowledge.
   *
   * @param zone Zone of the server's times in minutes east of UTC, if the user
   * set it
   */
  constructor(zone?: number) {
    this.clock = new ServerClock(zone);
  }

  /** The server's software; `undefined` if unknown. */
  get vendor(): Vendor | undefined {
    return this.#vendor;
  }

  /**
   * Whether the server may be of a vendor: true until something disproves it.
   */
  mayBe(vendor: Vendor): boolean {
    if (this.#vendor !== undefined) return this.#vendor === vendor;
    return !(vendor === "ProFTPD" && this.#isNotProFTPD);
  }

  /** Whether no release of the server has `MLSD`. */
  get neverHasMLSD(): boolean {
    return this.#vendor === "vsftpd";
  }

  /**
   * Whether the server may end the session if it cannot write to a protected
   * data connection, as ProFTPD does.
   */
  get mayEndAtClosedData(): boolean {
    return this.mayBe("ProFTPD");
  }

  /**
   * Whether an aborted transfer leaves nothing behind, neither data nor a
   * reply. Only true for servers that were measured.
   */
  get leavesNothing(): boolean {
    // vsftpd serves one command after the other, and keeps no state of a
    // transfer
    return this.#vendor === "vsftpd";
  }

  /**
   * Whether the bytes of an upload may be sent before its 1yz. These servers
   * accept the data connection when they execute the command, and read nothing
   * before.
   */
  get acceptsLate(): boolean {
    return LATE_VENDORS.includes(this.#vendor);
  }

  /**
   * Whether commands may be joined that others wait for: the server handles them
   * in order, also behind the end of the data, and a requested port may stay
   * unused. pyftpdlib closes the connection after 30 seconds then.
   */
  get allowsJoining(): boolean {
    return LATE_VENDORS.includes(this.#vendor);
  }

  /**
   * Whether the server reads no command before the end of a transfer, so that
   * the next one may be sent once all of an upload's bytes were.
   */
  get servesInOrder(): boolean {
    return this.#vendor === "vsftpd";
  }

  /**
   * Whether an empty `MLSD` is believed before one has returned an entry.
   * `MLSD` of these vendors was measured to return every entry that the server
   * may read.
   */
  get givesAllByMLSD(): boolean {
    return MLSD_VENDORS.includes(this.#vendor);
  }

  /**
   * Whether a data connection may resume any TLS session of the server, or
   * none. Only true for servers that were measured; ProFTPD requires the
   * session of the control connection.
   */
  get acceptsAnyTLSSession(): boolean {
    return ANY_SESSION_VENDORS.includes(this.#vendor);
  }

  /**
   * Whether the server reports a directory that it may not read: "failed to
   * open directory", "unable to read".
   */
  get admitsUnreadable(): boolean {
    return this.#vendor === "vsftpd" || this.#vendor === "Pure-FTPd";
  }

  /**
   * Derives the vendor from a greeting. A greeting without a vendor's name
   * proves nothing.
   */
  noteGreeting(text: string): void {
    const found = GREETINGS.find(([, regexp]) => regexp.test(text));
    if (found !== undefined) this.#setVendor(found[0]);
    if (!OLD_VSFTPD_REGEXP.test(text)) return;
    this.hasMLSD ??= false;
    this.recalled.add("MLSD"); // tried if LIST is unknown
  }

  /**
   * Forgets what an earlier run has learned about a command.
   *
   * @returns Whether there was something to forget
   */
  unlearn(command: Recallable): boolean {
    if (!this.recalled.delete(command)) return false;
    if (command === "EPSV") this.hasExtendedPassive = undefined;
    else if (command === "MLSD") this.hasMLSD = undefined;
    else this.needsPRET = false;
    return true;
  }

  /** Whether the server is known to start a download at an offset. */
  startsAt(offset: number): boolean {
    const proven = this.#provenStart;
    return proven > 0 && offset <= Math.max(proven, LEAST_COUNTER);
  }

  /** Notes that a download started at an offset. */
  noteStart(offset: number): void {
    this.#provenStart = Math.max(this.#provenStart, offset);
  }

  /**
   * Whether the server is known to lack an optional command, or a use of it.
   */
  lacks(command: string): boolean {
    return this.#lacking.has(command);
  }

  /** Notes that the server lacks a command. */
  noteLacking(command: string): void {
    this.#lacking.add(command);
  }

  /** Notes that a command was seen to work. */
  forgetLacking(command: string): void {
    this.#lacking.delete(command);
  }

  /** Notes that the server knows a command, or a use of it. */
  noteKnown({ verb, argument }: Command): void {
    const word = verb.toUpperCase();
    this.#known.add(
      USES_REGEXP.test(word) ? useOf(`${word} ${argument ?? ""}`) : word,
    );
  }

  /** Whether the client can do without a command that it still sends. */
  isAvoidable(command: string): boolean {
    const [verb = ""] = command.split(" ", 1);
    return DISPENSABLE_REGEXP.test(verb) && !this.#hungUpAt.has(command);
  }

  /** Whether the server hung up at a command, which is not sent again. */
  hungUpAt(command: string): boolean {
    return this.#hungUpAt.has(command);
  }

  /**
   * Notes that the server closed the connection after a command; some do for
   * each unknown one. Only optional commands of the client are avoided.
   *
   * @returns Whether it may be an accident, so that the command is to be sent
   * once more
   */
  noteHangUp(line: string, control: HungUp): boolean {
    const [, verb = "", word = ""] = /^(\S+) ?(\S*)/.exec(line) ?? [];
    const use = USES_REGEXP.test(verb) ? useOf(line) : verb;
    const isDispensable = DISPENSABLE_REGEXP.test(verb);
    const isOptional = isDispensable || /^(MLSD|PRET|LIST -a)\b/.test(line);
    if (this.#known.has(use) || !isOptional) return false;
    if (isDispensable && !this.#lacking.has(use)) this.#hangUps++;
    const mayBeAccident = this.#mayBeAccident(use, control);
    if (!mayBeAccident) this.#noteHangUp(line, verb, word);
    return mayBeAccident;
  }

  /** Number of ends of connections at commands that are left out then. */
  get hangUps(): number {
    return this.#hangUps;
  }

  /**
   * Whether a connection may have ended at a command by accident. The second
   * time proves that it did not, if that connection was opened later, and so
   * does a reply that the command is unknown.
   */
  #mayBeAccident(use: string, control: HungUp): boolean {
    if (this.#hangsUp || control.unknown !== undefined) return false;
    const before = this.#suspected.get(use);
    if (before === undefined) {
      this.#suspected.set(use, { control, at: performance.now() });
      return true;
    }
    if (before.control === control || control.since < before.at) return true;
    return !(this.#hangsUp = true);
  }

  #noteHangUp(line: string, verb: string, word: string): void {
    if (verb === "MLSD") this.hasMLSD ??= false;
    else if (verb === "LIST" && word === "-a") this.hasListAll ??= false;
    else if (verb === "PRET") this.needsPRET = false;
    else if (DISPENSABLE_REGEXP.test(verb)) {
      this.#hungUpAt.add(line);
      for (const use of usesOf(line)) this.noteLacking(use);
    }
  }

  /**
   * Notes that the server refused the substitute of a command at which it hung
   * up. The command is sent again.
   */
  noteRefusal(substitute: string, command: string): void {
    this.#hungUpAt.add(substitute);
    this.#hungUpAt.delete(command);
    for (const use of usesOf(command)) this.#lacking.delete(use);
  }

  /**
   * Returns the features, if `FEAT` was answered for the same user under the
   * same protection.
   */
  featuresFor(identity: string): Map<string, string> | undefined {
    return identity === this.#featuresIdentity ? this.#features : undefined;
  }

  /**
   * Notes the reply to `FEAT`, and derives properties of the server from it.
   *
   * @param features Names in upper case with their parameters; `undefined` if
   * `FEAT` was refused
   * @returns The features; empty if `FEAT` was refused
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
