/**
 * Options, events and results of `downloadDir` and `uploadDir`.
 *
 * @module
 */

import {
  checkListOptions,
  LIST_OPTIONS,
  type ListOptions,
} from "../directories/listing_options.ts";
import {
  checkTransferOptions,
  type DownloadOptions,
  type FileTransferOptions,
  TRANSFER_OPTIONS,
  type UploadOptions,
} from "../files/options.ts";
import type { Progress } from "../files/progress.ts";
import type { EntryKind } from "../listing/entry.ts";
import { checkNames, type NamesOf } from "../protocol/check_names.ts";
import { checkWord, showValue } from "../protocol/check_word.ts";

/** How is told whether a file has to be transferred. */
export type MirrorComparison = "size-and-time" | "size" | "hash" | "always";

/** What is done with symbolic links of the source. */
export type MirrorSymlinks = "skip" | "follow";

/** Something in one of the two directories. */
export interface MirrorEntry {
  /** Its path from the directory that is mirrored, with `/` between names. */
  readonly path: string;
  /** The last name of the path. */
  readonly name: string;
  /** Depth below the directory that is mirrored; its own entries have 1. */
  readonly depth: number;
  /** What it is. */
  readonly kind: EntryKind;
  /** Bytes of a file, where they are known. */
  readonly size: number | undefined;
  /** When it was changed, where that is known. */
  readonly mtime: Date | undefined;
}

/**
 * What is done with an entry:
 *
 * - `"transfer"`: a file was transferred;
 * - `"unchanged"`: a file is there already;
 * - `"make"`: a directory was made;
 * - `"remove"`: what the source lacks was removed, a directory with all in it;
 * - `"skip"`: nothing, for the reason that the event gives;
 * - `"fail"`: nothing, for the error that the event carries.
 */
export type MirrorAction =
  | "transfer"
  | "unchanged"
  | "make"
  | "remove"
  | "skip"
  | "fail";

/**
 * Why it is done. A transfer: the target has no such file (`"new"`), another
 * size (`"size"`), another time (`"time"`), another hash (`"hash"`), or
 * nothing was compared (`"always"`). A removal: the source lacks it
 * (`"missing"`), or has something of another kind by that name (`"kind"`). What
 * is skipped: a symbolic link (`"symlink"`), a directory that leads back to one
 * that it is in (`"loop"`), a device, a pipe and the like (`"other"`), a
 * temporary file of a transfer (`"part"`), something in the target that cannot
 * be named safely (`"hostile"`), or by whose name the source has something that
 * it may list under another one (`"twin"`: `A` and `a`).
 */
export type MirrorReason =
  | "new"
  | "size"
  | "time"
  | "hash"
  | "always"
  | "missing"
  | "kind"
  | "symlink"
  | "loop"
  | "other"
  | "part"
  | "hostile"
  | "twin";

/** What was done with one entry; in a dry run, what would be. */
export interface MirrorEvent {
  /** What was done. */
  readonly action: MirrorAction;
  /** The entry, as the source has it, or the target if the source lacks it. */
  readonly entry: MirrorEntry;
  /** Why, unless the action says it all. */
  readonly reason?: MirrorReason | undefined;
  /** What went wrong, of `"fail"`. */
  readonly error?: unknown;
}

/** How far a mirror is. How much is left is not known: the tree is not, either. */
export interface MirrorProgress {
  /** The path of the file that is under way. */
  readonly path: string;
  /** How far that file is. */
  readonly file: Progress;
  /** Files that were transferred before. */
  readonly transferred: number;
  /** Bytes of those files, and of all that are under way so far. */
  readonly bytes: number;
}

/** What {@linkcode FTP.downloadDir} and {@linkcode FTP.uploadDir} have in common. */
export interface MirrorOptions extends Omit<FileTransferOptions, "onProgress"> {
  /**
   * When a file is left alone.
   *
   * - `"size-and-time"`: the target's is as long and has the time that this
   *   mirror gave it, to the second or to what the server's times have: any
   *   other time, newer or older, is a change. Where a listing is less exact,
   *   `MDTM` is asked for, many at once.
   *
   *   A time on the server counts in the server's zone, and none is believed
   *   unproven: where it matters, an upload writes a file of one byte
   *   (`.clock.<16 hexadecimal digits>.part`, or by `temporaryName`), looks how
   *   the server shows and sets its time, and deletes it; once in an hour for
   *   each server. ProFTPD and Pure-FTPd need no proof. A download writes
   *   nothing: it compares with what the server shows, in the zone of the option
   *   `serverZone`, of `list.zone`, or of an upload before it. A dry run writes
   *   nothing either, and takes what it cannot prove for changed.
   *
   *   A server that sets no times gives a file the time of its upload. It is
   *   unchanged if by the server's clock, as far as it was measured, that is
   *   after the last change of the file here, its `ctime` included. So a file
   *   with a time in the future is sent each time.
   *
   *   A file that is changed twice within a second has one time: an upload waits
   *   until the second of a change is over (three seconds where the server sets
   *   no times). A change on the server within the second of the one before, or
   *   the minute where it tells no seconds, is not seen.
   * - `"size"`: as long; for sources whose times mean nothing, such as a fresh
   *   checkout, and servers without a clock. A change that keeps the length is
   *   missed.
   * - `"hash"`: as long, and of the same hash where the server has one (`HASH`,
   *   `XSHA256`, `XSHA1`, `XMD5`, `XCRC`); else as `"size-and-time"`.
   * - `"always"`: never.
   *
   * @default {"size-and-time"}
   */
  compare?: MirrorComparison | undefined;
  /**
   * Whether what the source lacks is removed from the target, and what is of
   * another kind there gives way. That is done last, after both directories were
   * listed again, and only if nothing failed before: a listing that the server
   * has cut, or of a directory that it may not read, is a failure. No listing is
   * believed alone: right before an entry is removed, the source is asked for it
   * by its name (`MLST`, or `SIZE`, `MDTM` and `CWD`; a look at the local disk).
   * An entry that it has all the same is a failure, and nothing else is removed;
   * one that it does not tell of stays and fails. What another program makes
   * between that question and the removal is not seen. What `filter` leaves out stays, and so does everything if the source is empty. Symbolic links are
   * removed, never followed.
   *
   * Temporary files that transfers have left in the target are removed too, and
   * so are those of another program that writes there at this moment, whose
   * transfer then fails: `filter` keeps them, by `.part` at their ends or by
   * what `temporaryName` made of them.
   *
   * @default {false}
   */
  delete?: boolean | undefined;
  /**
   * Most entries that `delete` may remove: a number, or a share of the entries
   * that the target has, such as `"10%"`. If there are more to remove, none is
   * removed, and the mirror fails after its transfers; so does a dry run. Each
   * file, link and directory counts, at any depth, also those that give way to
   * an entry of another kind. What `filter` leaves out does not count.
   *
   * @default {Infinity}
   */
  maxDelete?: number | `${number}%` | undefined;
  /**
   * Tells whether an entry takes part. What does not is neither transferred nor
   * removed, and of a directory neither is what is in it. It is asked for the
   * source's entries and, with `delete`, for those that only the target has;
   * for some more than once. What it returns must be `true` or `false`: a
   * promise, as of an async function, is refused.
   */
  filter?: ((entry: MirrorEntry) => boolean) | undefined;
  /**
   * What is done with symbolic links of the source. "skip": nothing. "follow":
   * what they lead to is transferred under their names, wherever that is, but
   * not if it is a directory that they are in. No link is ever made, and those
   * of the target are never followed. Some servers show links as what they lead
   * to: those are no links here, unless `delete` has the target looked at twice.
   *
   * @default {"skip"}
   */
  symlinks?: MirrorSymlinks | undefined;
  /**
   * Most directories below each other; what is deeper fails.
   *
   * @default {256}
   */
  maxDepth?: number | undefined;
  /**
   * Whether nothing is changed, and `onEntry` and the result tell what would be.
   *
   * @default {false}
   */
  dryRun?: boolean | undefined;
  /**
   * Most connections that work at once, the client's own among them. The others
   * are opened when there is work for them, as by {@linkcode FTP.clone}, and
   * closed at the end; where the server allows fewer, those do it all. Many
   * small files and directories gain most, and the more, the longer the way to
   * the server.
   *
   * @default {1}
   */
  connections?: number | undefined;
  /**
   * Most bytes in a second, of all connections together.
   *
   * @default {no limit}
   */
  maxRate?: number | undefined;
  /** How the server's directories are listed. */
  list?: Omit<ListOptions, "all" | "onUnknown" | "signal"> | undefined;
  /**
   * Called for each entry when it is dealt with. Not awaited; what it throws or
   * rejects with ends the mirror.
   */
  onEntry?: ((event: MirrorEvent) => void) | undefined;
  /**
   * Called as the bytes of a file go through, and once at its end: for each of
   * the files that are under way. Not awaited; what it throws or rejects with
   * ends the mirror.
   */
  onProgress?: ((progress: MirrorProgress) => void) | undefined;
  /** Ends the mirror. What was done by then stays done. */
  signal?: AbortSignal | undefined;
}

/** Options of {@linkcode FTP.downloadDir}. */
export interface DownloadDirOptions
  extends MirrorOptions, Pick<DownloadOptions, "maxSize" | "sync"> {}

/** Options of {@linkcode FTP.uploadDir}. */
export interface UploadDirOptions
  extends MirrorOptions, Pick<UploadOptions, "replace" | "temporaryName"> {}

/** What a mirror did; in a dry run, what it would do. */
export interface MirrorResult {
  /** Files that were transferred. */
  readonly transferred: number;
  /** Files that were left alone, since the target has them. */
  readonly unchanged: number;
  /** Directories that were made. */
  readonly made: number;
  /** Entries that were removed; a directory with all in it is one. */
  readonly removed: number;
  /** Entries that were passed over: links, devices. */
  readonly skipped: number;
  /** Entries that failed. */
  readonly failed: number;
  /** Bytes that went through; in a dry run, bytes of the files as listed. */
  readonly bytes: number;
}

/** One entry that failed. */
export interface MirrorFailure {
  /** Its path from the directory that is mirrored; "" for that one itself. */
  readonly path: string;
  /** What went wrong. */
  readonly error: unknown;
}

/** The options of both mirrors, by name. */
const MIRROR_OPTIONS: NamesOf<MirrorOptions> = {
  ...TRANSFER_OPTIONS,
  compare: true,
  delete: true,
  maxDelete: true,
  filter: true,
  symlinks: true,
  maxDepth: true,
  dryRun: true,
  connections: true,
  list: true,
  onEntry: true,
};

/** The options of a mirror from the server, by name. */
const DOWNLOAD_DIR_OPTIONS: NamesOf<DownloadDirOptions> = {
  ...MIRROR_OPTIONS,
  maxSize: true,
  sync: true,
};

/** The options of a mirror to the server, by name. */
const UPLOAD_DIR_OPTIONS: NamesOf<UploadDirOptions> = {
  ...MIRROR_OPTIONS,
  replace: true,
  temporaryName: true,
};

/**
 * Insists on names and words that are known, before anything is sent.
 *
 * @param options The caller's
 * @param isUpload Which way the mirror goes
 * @throws {TypeError} If there is no such option, no such `compare`, `symlinks` or `verify`...
 * @throws {RangeError} If there are numbers that cannot be used
 */
export function checkMirrorOptions(
  options: UploadDirOptions,
  isUpload: boolean,
): void {
  if (isUpload) checkNames("uploadDir", options, UPLOAD_DIR_OPTIONS);
  else checkNames("downloadDir", options, DOWNLOAD_DIR_OPTIONS);
  const { compare, symlinks, connections = 1, list = {} } = options;
  checkWord("compare", compare, ["size-and-time", "size", "hash", "always"]);
  checkWord("symlinks", symlinks, ["skip", "follow"]);
  if (!(Number.isInteger(connections) && connections >= 1)) {
    throw new RangeError(
      `Cannot use ${connections} connections: it must be an integer, 1 or more`,
    );
  }
  limitOf(options.maxDelete);
  checkNames("list", list, LIST_OPTIONS);
  checkListOptions(list);
  checkTransferOptions(options);
}

/** How much a mirror may remove. */
export interface RemovalLimit {
  /** Most entries. */
  readonly entries: number;
  /** Most entries of a hundred of the target's. */
  readonly percent: number;
}

/** A share: digits, perhaps with a fraction, and a percent sign. */
const SHARE_REGEXP = /^\d{1,3}(?:\.\d{1,9})?%$/;

/**
 * Reads the option `maxDelete`.
 *
 * @param maxDelete The caller's
 * @returns The limit
 * @throws {RangeError} If it is neither a count nor a share of up to 100%
 */
export function limitOf(maxDelete: unknown): RemovalLimit {
  if (maxDelete === undefined) return { entries: Infinity, percent: Infinity };
  const isCount = maxDelete === Infinity ||
    (Number.isInteger(maxDelete) && Number(maxDelete) >= 0);
  if (isCount) return { entries: Number(maxDelete), percent: Infinity };
  const isShare = typeof maxDelete === "string" && SHARE_REGEXP.test(maxDelete);
  const percent = isShare ? parseFloat(maxDelete) : NaN;
  if (percent <= 100) return { entries: Infinity, percent };
  throw new RangeError(
    `Cannot use maxDelete ${
      showValue(maxDelete)
    }: it must be a count of entries from 0, or a share such as "10%"`,
  );
}
