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

/** Of ProFTPD's mod_facts, whatever the greeting says. */
const PROFTPD_FEATURE = "MFF";

/** Those that show `MDTM` and `MLSD` in UTC, however they are set up. */
const UTC_VENDORS: readonly (Vendor | undefined)[] = ["ProFTPD", "Pure-FTPd"];

/**
 * What is known of a server. Shared by a client, its clones, its
 * reconnections and the connections of a mirror: no other place infers a
 * vendor.
 */
export class ServerProfile {
  #vendor: Vendor | undefined;
  #isNotProFTPD = false;
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
   * Draws conclusions from the reply to `FEAT`.
   *
   * @param features Names in upper case with their parameters
   */
  noteFeatures(features: ReadonlyMap<string, string>): void {
    if (features.has(PROFTPD_FEATURE)) this.#setVendor("ProFTPD");
    else this.#isNotProFTPD = true;
  }

  #setVendor(vendor: Vendor): void {
    this.#vendor = vendor;
    if (UTC_VENDORS.includes(vendor)) this.clock.noteUTC();
  }
}
