/**
 * The protocol level: Python's `ftplib.FTP`, name for name.
 *
 * @module
 */

import {
  changeDirectory,
  deleteFile,
  rename,
  requestSize,
} from "../commands/files.ts";
import type { Path } from "../protocol/command.ts";
import type { Reply } from "../protocol/reply.ts";
import { parse257, parseDirectory } from "../protocol/reply_values.ts";
import type { SignalOptions } from "../transfer/session.ts";
import { FTPTransfers } from "./ftp_transfers.ts";
import { checkPathFor, performOn, sessionOf } from "./session_of.ts";

/**
 * The rest of Python's `ftplib.FTP`: directories and files.
 */
export class FTPProtocol extends FTPTransfers {
  /**
   * Changes the directory (`CWD`, RFC 959 section 4.1.1). ".." is `CDUP`, and
   * `CWD ..` where that is unknown (500); "" is ".".
   *
   * @param dirname The directory
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   */
  async cwd(dirname: Path, options: SignalOptions = {}): Promise<Reply> {
    const session = sessionOf(this);
    const turn = dirname === ".." ? "alone" : "share"; // it may be two commands
    return await session.turns[turn](
      () => changeDirectory(session, dirname, options),
      options,
    );
  }

  /**
   * The current directory (`PWD`, RFC 959 section 4.1.3).
   *
   * @param options A signal
   * @returns The path, also one without quotes; "" where the server does not
   * answer 257
   * @throws {FTPError} If the server refuses
   * @throws {FTPProtocolError} As {@linkcode parse257}
   */
  async pwd(options: SignalOptions = {}): Promise<string> {
    const reply = await performOn(this, { verb: "PWD" }, options);
    return reply.code === 257 ? parseDirectory(reply) : "";
  }

  /**
   * Makes a directory (`MKD`, RFC 959 section 4.1.3).
   *
   * @param dirname The directory
   * @param options A signal
   * @returns The path that the server made, in its words; "" where it does not
   * say 257, or no path in quotes
   * @throws {FTPError} If the server refuses
   * @throws {FTPProtocolError} As {@linkcode parse257}
   */
  async mkd(dirname: Path, options: SignalOptions = {}): Promise<string> {
    checkPathFor(this, dirname, "dirname");
    const reply = await performOn(this, {
      verb: "MKD",
      argument: dirname,
      name: "dirname",
    }, options);
    return reply.code === 257 ? parse257(reply) : "";
  }

  /**
   * Removes an empty directory (`RMD`, RFC 959 section 4.1.3).
   *
   * @param dirname The directory
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   */
  async rmd(dirname: Path, options: SignalOptions = {}): Promise<Reply> {
    checkPathFor(this, dirname, "dirname");
    return await performOn(
      this,
      { verb: "RMD", argument: dirname, name: "dirname" },
      options,
    );
  }

  /**
   * Deletes a file (`DELE`, RFC 959 section 4.1.3).
   *
   * @param filename The file
   * @param options A signal
   * @returns The reply, 250 or 200
   * @throws {FTPReplyError} For another code below 400
   * @throws {FTPError} If the server refuses
   */
  async delete(filename: Path, options: SignalOptions = {}): Promise<Reply> {
    checkPathFor(this, filename, "filename");
    const session = sessionOf(this);
    return await session.turns.share(
      () => deleteFile(session, filename, options),
      options,
    );
  }

  /**
   * Renames a file or a directory (`RNFR`, `RNTO`, RFC 959 section 4.1.3). Most
   * servers replace a file that has the new name. A server that answers `RNFR`
   * with 2yz and `RNTO` too has renamed; ftplib throws there.
   *
   * @param fromname The old path
   * @param toname The new path
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses either
   */
  async rename(
    fromname: Path,
    toname: Path,
    options: SignalOptions = {},
  ): Promise<Reply> {
    checkPathFor(this, fromname, "fromname");
    checkPathFor(this, toname, "toname");
    const session = sessionOf(this);
    return await session.turns.alone(
      () => rename(session, fromname, toname, options),
      options,
    );
  }

  /**
   * The size of a file (`SIZE`, RFC 3659 section 4), in the current type; in
   * `TYPE I`, which stays, where the server refuses in ASCII.
   *
   * @param filename The file
   * @param options A signal
   * @returns Bytes; `null` unless the reply is 213 with a number, of up to 2^53
   * so that it is not rounded
   * @throws {FTPError} If the server refuses
   */
  async size(
    filename: Path,
    options: SignalOptions = {},
  ): Promise<number | null> {
    checkPathFor(this, filename, "filename");
    const session = sessionOf(this);
    return await session.turns.share(
      () => requestSize(session, filename, options),
      options,
    );
  }
}
