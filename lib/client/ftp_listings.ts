/**
 * The path level: listings, and what is known of a path.
 *
 * @module
 */

import {
  requestFeatures,
  requestModificationTime,
} from "../commands/queries.ts";
import { listDirectory } from "../directories/listing.ts";
import {
  checkListOptions,
  LIST_OPTIONS,
  type ListOptions,
} from "../directories/listing_options.ts";
import { dateFile } from "../directories/prove_clock.ts";
import { changePermissions } from "../commands/permissions.ts";
import { existsPath, requestEntry } from "../directories/stat.ts";
import { walkTree } from "../directories/walk.ts";
import type { WalkEntry } from "../directories/walk_entry.ts";
import type { WalkOptions } from "../directories/walk_options.ts";
import type { SessionProvider } from "../files/session_provider.ts";
import {
  checkRetry,
  type RecoveryOptions,
  withReconnection,
} from "../files/recovery.ts";
import type { Entry } from "../listing/entry.ts";
import { checkNames, type NamesOf } from "../protocol/check_names.ts";
import { showValue } from "../protocol/check_word.ts";
import type { Path } from "../protocol/command.ts";
import type { SignalOptions } from "../transfer/session.ts";
import { FTPProtocol } from "./ftp_protocol.ts";
import { connectionOf, onReady } from "./client_connection.ts";
import { checkAnyPathFor, checkPathFor } from "./session_of.ts";

/** Directories as entries, and what the server knows of one path. */
export class FTPListings extends FTPProtocol {
  /**
   * Lists a directory: by `MLSD` (RFC 3659 section 7) where that works, else by
   * `LIST`. Which one works is found out by trying; a first `MLSD` that sends
   * nothing for a third of `timeout`, or ten seconds, is given up.
   *
   * The entries come before the listing has ended, in memory that does not grow
   * with their number. Until the loop ends the connection is busy: keep the
   * entries, or use {@linkcode walk}, to do something with each. Stopping early
   * reads a short rest out, and aborts a long one. After an abort the next call
   * has another connection, since ProFTPD and Pure-FTPd put what they had left of
   * the listing before the next one; vsftpd does not.
   *
   * A listing that is not whole is an error, after the entries that came: where
   * the server has cut it and says so (Pure-FTPd: `226 Output truncated to 10000
   * matches`; z/OS: `JESENTRYLIMIT`), or may not read or enter the directory
   * though it answers with a 2yz (vsftpd, ProFTPD, Pure-FTPd, pyftpdlib). For
   * that, one that gives nothing is followed by another command or two.
   *
   * @param path The directory, text or bytes; "" for the current one
   * @param options Format, zone, caps and signal
   * @returns The entries, without those for the directory itself and its
   * parent; it ends only after the server's final 2yz
   * @throws {FTPError} If the server refuses, or reports a failure
   * @throws {FTPReplyError} If the server confirms a listing that is not whole
   * @throws {RangeError} If there are more than `maxEntries`
   * @throws {TypeError} If there is no such `command` or `format`
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example List the files of a directory
   * ```ts
   * import { connect } from "../../mod.ts";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * for await (const { name, isFile, size } of ftp.list()) {
   *   if (isFile) console.log(name, size);
   * }
   * ```
   */
  list(path: Path = "", options: ListOptions = {}): AsyncGenerator<Entry> {
    return listDirectory(
      () => {
        checkNames("list", options, LIST_OPTIONS);
        checkAnyPathFor(this, path, "path");
        return connectionOf(this).ready(options);
      },
      path,
      options,
    );
  }

  /**
   * Walks a directory tree, depth first. Each directory is read whole before its
   * entries are given: between two of them the connection is free, so that a
   * file can be fetched where it is met. A relative path is relative to the
   * current directory, which must not change meanwhile.
   *
   * Directories that the walk is in already are not entered again, as far as the
   * server tells them apart (MLSD's fact `unique`, `PWD`). Names that are no part
   * of a path (`..`, `a/b`) are given with `hostile` set, and never followed.
   *
   * A directory whose listing is cut by a lost connection is listed again on a
   * new one, as `retry` says; no entry is given twice.
   *
   * @param path Where to begin, text or bytes; "" for the current directory
   * @param options Filters, depth, retries, and those of {@linkcode list}
   * @returns The entries with their paths, a directory before what is in it
   * @throws {FTPError} If a directory cannot be listed, unless `onError` is set
   * @throws {RangeError} If the tree is deeper, or a directory larger, than the
   * options allow
   *
   * @example Find what is large
   * ```ts
   * import { connect } from "../../mod.ts";
   *
   * await using ftp = await connect("ftp://ftp.example.com");
   * for await (const entry of ftp.walk("/pub", { includeDirs: false })) {
   *   if (entry.size !== undefined && entry.size > 1e9) console.log(entry.path);
   * }
   * ```
   */
  walk(
    path: Path = "",
    options: WalkOptions & RecoveryOptions = {},
  ): AsyncGenerator<WalkEntry> {
    const begin = () => {
      checkNames("walk", options, WALK_OPTIONS);
      checkRetry(options.retry);
      checkAnyPathFor(this, path, "path");
      return connectionOf(this);
    };
    let link: SessionProvider | undefined; // whose tree it is, from the first step on
    return walkTree(
      (step) => withReconnection(link ??= begin(), options, step),
      path,
      options,
    );
  }

  /**
   * What a path is: by `MLST` (RFC 3659 section 7), else by `CWD`, `SIZE` and
   * `MDTM`, else by the listing of its directory. Whether a symbolic link is
   * followed is up to the server.
   *
   * @param path The path, text or bytes
   * @param options A signal, and how a listing is read
   * @returns The entry, under the last name of the path
   * @throws {FTPPermanentError} If there is nothing
   *
   * @example See whether a file has changed
   * ```ts
   * import { connect } from "../../mod.ts";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const { size, mtime } = await ftp.stat("data.bin");
   * console.log(size, mtime?.toISOString());
   * ```
   */
  async stat(path: Path, options: ListOptions = {}): Promise<Entry> {
    checkPathFor(this, path, "path");
    checkNames("stat", options, LIST_OPTIONS);
    checkListOptions(options);
    return await onReady(
      this,
      options,
      (session) => requestEntry(session, path, options),
    );
  }

  /**
   * Whether there is something under a path.
   *
   * @param path The path, text or bytes
   * @param options A signal, and how a listing is read
   * @returns Whether there is
   * @throws {FTPError} If the server does not tell, such as for want of
   * permission
   */
  async exists(path: Path, options: ListOptions = {}): Promise<boolean> {
    checkPathFor(this, path, "path");
    checkNames("exists", options, LIST_OPTIONS);
    checkListOptions(options);
    return await onReady(
      this,
      options,
      (session) => existsPath(session, path, options),
    );
  }

  /**
   * When a file was last changed (`MDTM`, RFC 3659 section 3).
   *
   * The standard wants UTC. A server that is set up to show local time (vsftpd's
   * `use_localtime`) is read in its zone once that is known: by the option
   * `serverZone`, or since an upload of this client, its clones or its mirrors
   * has shown it. Until then what it shows is taken for UTC, unproven.
   *
   * @param path The file, text or bytes
   * @param options A signal
   * @returns The time, or `null` where the server has no `MDTM`
   * @throws {FTPError} If the server refuses, such as for a file that is not
   * there
   */
  async mtime(path: Path, options: SignalOptions = {}): Promise<Date | null> {
    checkPathFor(this, path, "path");
    return await onReady(
      this,
      options,
      (session) => requestModificationTime(session, path, options),
    );
  }

  /**
   * Sets the time of a file, to the second: by `MFMT`, else by what vsftpd
   * (`MDTM` with a time) and Pure-FTPd (`SITE UTIME`) have.
   *
   * vsftpd sets the time in the zone that it shows. Where that is not known, a
   * temporary file is written beside the file first, and deleted: its time tells
   * the zone. The option `serverZone` makes that needless.
   *
   * @param path The file, text or bytes
   * @param date The time
   * @param options A signal
   * @throws {FTPError} If the server does not do it
   * @throws {RangeError} If the date is invalid
   */
  async setMtime(
    path: Path,
    date: Date,
    options: SignalOptions = {},
  ): Promise<void> {
    checkPathFor(this, path, "path");
    checkDate(date);
    return await onReady(
      this,
      options,
      (session) => dateFile(session, path, date, options),
    );
  }

  /**
   * Gives a file or a directory permissions, on servers of Unix (`SITE CHMOD`).
   *
   * @param path The file, text or bytes
   * @param mode The bits, such as `0o755`
   * @param options A signal
   * @throws {FTPError} If the server does not do it
   * @throws {RangeError} If the mode is not 0 to `0o7777`
   */
  async chmod(
    path: Path,
    mode: number,
    options: SignalOptions = {},
  ): Promise<void> {
    checkPathFor(this, path, "path");
    return await onReady(
      this,
      options,
      (session) => changePermissions(session, path, mode, options),
    );
  }

  /**
   * What the server says it can do (`FEAT`, RFC 2389). It is asked once; whether
   * it is true is another matter.
   *
   * @param options A signal
   * @returns Names in upper case with their parameters; empty where `FEAT` is
   * refused
   */
  async features(
    options: SignalOptions = {},
  ): Promise<ReadonlyMap<string, string>> {
    return await onReady(
      this,
      options,
      (session) => requestFeatures(session, options),
    );
  }
}

const WALK_OPTIONS: NamesOf<WalkOptions & RecoveryOptions> = {
  ...LIST_OPTIONS,
  maxDepth: true,
  includeFiles: true,
  includeDirs: true,
  includeSymlinks: true,
  followSymlinks: true,
  match: true,
  skip: true,
  onError: true,
  retry: true,
  onRetry: true,
};

function checkDate(date: Date): void {
  if (date instanceof Date) return;
  throw new TypeError(
    `Cannot use ${showValue(date)} as "date": it must be a Date`,
  );
}
