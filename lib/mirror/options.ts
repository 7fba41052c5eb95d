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
import { checkConnections } from "../files/worker_pool.ts";
import type { Entry } from "../listing/entry.ts";
import { checkNames, type NamesOf } from "../protocol/check_names.ts";
import { checkWord, showValue } from "../protocol/check_word.ts";

/** An entry of one of the two directories. */
export interface MirrorEntry {
  /** Path relative to the mirrored directory, with `/` between names. */
  readonly path: string;
  /** Last name of the path. */
  readonly name: string;
  /** Depth below the mirrored directory; its own entries have depth 1. */
  readonly depth: number;
  /** Kind of the entry. */
  readonly kind: Entry["kind"];
  /** Size of a file in bytes; `undefined` if it is not known. */
  readonly size: number | undefined;
  /** Time of the last change; `undefined` if it is not known. */
  readonly mtime: Date | undefined;
}

/** An action on one entry; in a dry run, one that would be taken. */
export interface MirrorEvent {
  /**
   * The action:
   *
   * - `"transfer"`: a file was transferred;
   * - `"unchanged"`: the target has the file already;
   * - `"make"`: a directory was created;
   * - `"remove"`: an entry that the source lacks was removed, a directory with
   *   everything in it;
   * - `"skip"`: nothing was done, for the event's `reason`;
   * - `"fail"`: the action failed with the event's `error`.
   */
  readonly action:
    | "transfer"
    | "unchanged"
    | "make"
    | "remove"
    | "skip"
    | "fail";
  /**
   * The entry as it is in the source, or in the target if the source lacks it.
   */
  readonly entry: MirrorEntry;
  /**
   * Reason of the action, unless the action needs none.
   *
   * - `"new"`, `"size"`, `"time"`, `"hash"`: the target's file is missing, or has
   *   another size, time or hash, and was transferred;
   * - `"always"`: the file was transferred without a comparison;
   * - `"missing"`: the source lacks the entry, which was removed;
   * - `"kind"`: the source has an entry of another kind with this name, so it was
   *   removed;
   * - `"symlink"`: a symbolic link was skipped;
   * - `"loop"`: a directory that leads back to one above it was skipped;
   * - `"other"`: a device, a pipe or the like was skipped;
   * - `"part"`: a temporary file of a transfer was skipped;
   * - `"hostile"`: an entry of the target with an unsafe name was skipped;
   * - `"twin"`: an entry of the target was not removed, because the source may
   *   list it under another name (`A` and `a`).
   */
  readonly reason?:
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
    | "twin"
    | undefined;
  /** Error of the action `"fail"`. */
  readonly error?: unknown;
}

/** Reason of an action. */
export type MirrorReason = NonNullable<MirrorEvent["reason"]>;

/** How changed files are detected. */
export type MirrorComparison = NonNullable<MirrorOptions["compare"]>;

/**
 * Progress of a mirror. The total is unknown, because the tree is read during
 * the mirror.
 */
export interface MirrorProgress {
  /** Path of the current file. */
  readonly path: string;
  /** Progress of the current file. */
  readonly file: Progress;
  /** Number of files transferred before. */
  readonly transferred: number;
  /** Bytes of those files, and of all current files so far. */
  readonly bytes: number;
}

/**
 * Options that {@linkcode FTP.prototype.downloadDir FTP.downloadDir} and {@linkcode FTP.prototype.uploadDir FTP.uploadDir} share.
 */
export interface MirrorOptions extends Omit<FileTransferOptions, "onProgress"> {
  /**
   * How changed files are detected.
   *
   * - `"size-and-time"`: a file is unchanged if the target's file has the same
   *   size, and the time that the mirror gave it. Any other time, newer or
   *   older, is a change. Times are compared to the second, or to the
   *   resolution of the server's times. If a listing is less exact, `MDTM` is
   *   sent, for many files at once.
   *
   *   Server times are in the server's time zone, and no zone is believed
   *   without proof. If it matters, an upload writes a file of one byte
   *   (`.clock.<16 hexadecimal digits>.part`, or a name from `temporaryName`).
   *   It checks how the server shows and sets the file's time, and deletes the
   *   file. This happens once an hour for each server; ProFTPD and Pure-FTPd
   *   need no proof. A download writes nothing. It compares with the time that
   *   the server shows, in the zone of the option `serverZone`, of `list.zone`,
   *   or of an earlier upload. A dry run writes nothing either, and treats
   *   unproven files as changed.
   *
   *   A server that cannot set times gives a file the time of its upload. The
   *   file is unchanged if that time, by the server's measured clock, is after
   *   the last change of the local file, including its `ctime`. A file with a
   *   time in the future is therefore sent each time.
   *
   *   Two changes within the same second have the same time. An upload
   *   therefore waits until the second of the last change is over (three
   *   seconds if the server cannot set times). A change on the server within
   *   the same second, or within the same minute if it reports no seconds, is
   *   not detected.
   * - `"size"`: a file is unchanged if the sizes are equal. For sources whose
   *   times mean nothing, such as a fresh checkout, and for servers without a
   *   clock. A change that keeps the size is not detected.
   * - `"hash"`: a file is unchanged if size and hash are equal, if the server
   *   has a hash (`HASH`, `XSHA256`, `XSHA1`, `XMD5`, `XCRC`). Otherwise like
   *   `"size-and-time"`.
   * - `"always"`: every file is transferred.
   *
   * @default "size-and-time"
   */
  compare?: "size-and-time" | "size" | "hash" | "always" | undefined;
  /**
   * Whether to remove extraneous entries: those that the source lacks, and
   * those in the way of an entry of another kind.
   *
   * This is the last step. Both directories are listed again first, and nothing
   * is removed if anything failed before. A listing that the server cut, or of
   * a directory that may not be read, is a failure. No listing is believed
   * alone. Just before an entry is removed, the source is asked for its name
   * (`MLST`, or `SIZE`, `MDTM` and `CWD`; a lookup on the local disk). If the
   * source has it, the mirror fails and removes nothing else. If the server
   * does not tell, the entry stays and counts as failed. An entry that another
   * program creates between the question and the removal is not detected.
   *
   * An entry of another kind is replaced when the new one is complete under a
   * temporary name: the old one is renamed, the new one takes its place, and
   * then the old one is removed. It stays if `filter` leaves out something in
   * it. With `atomic: false` the old one is removed first.
   *
   * Entries that `filter` leaves out stay. Everything stays if the source is
   * empty. Symbolic links are removed, never followed.
   *
   * Temporary files of earlier transfers in the target are removed as well. So
   * are those of another program that is writing there, whose transfer then
   * fails. To keep them, exclude them with `filter`: names ending in `.part`,
   * or those of `temporaryName`.
   *
   * @default false
   */
  delete?: boolean | undefined;
  /**
   * Largest number of entries that `delete` may remove: a number, or a
   * percentage of the target's entries, such as `"10%"`. If more would be
   * removed, nothing is, and the mirror fails after its transfers. A dry run
   * fails in the same way. Each file, link and directory counts, at any depth,
   * including those in the way of an entry of another kind. Entries that
   * `filter` leaves out do not count.
   *
   * @default Infinity
   */
  maxDelete?: number | `${number}%` | undefined;
  /**
   * Returns whether an entry takes part. Other entries are neither transferred
   * nor removed, and neither are the entries of such a directory. Called for
   * the source's entries and, with `delete`, for those that only the target
   * has; for some more than once. The result must be `true` or `false`. A
   * promise, as an async function returns it, is rejected.
   */
  filter?: ((entry: MirrorEntry) => boolean) | undefined;
  /**
   * What to do with symbolic links of the source. "skip": nothing. "follow":
   * transfer what they lead to, under their names, unless it is a directory
   * that contains them. Links are never created, and those of the target are
   * never followed. Some servers show links as the entries that they lead to.
   * Those are not links here, unless `delete` requires a second check of the
   * target.
   *
   * @default "skip"
   */
  symlinks?: "skip" | "follow" | undefined;
  /**
   * Largest depth of directories. Deeper ones fail.
   *
   * @default 256
   */
  maxDepth?: number | undefined;
  /**
   * Whether to change nothing, and only report what would be done.
   *
   * @default false
   */
  dryRun?: boolean | undefined;
  /**
   * Largest number of connections, including the client's own. The others are
   * opened when there is work for them, as by {@linkcode FTPProtocol.prototype.clone FTP.clone}, and closed
   * at the end. If the server allows fewer, those do all the work. Trees with
   * many small files and directories gain most, and more so with a longer round
   * trip. "auto" opens another one as long as the last one made the work faster
   * by a seventh and the server lets it in, up to eight.
   *
   * @default 1
   */
  connections?: number | "auto" | undefined;
  /**
   * Rate limit of all connections together, in bytes per second.
   *
   * @default no limit
   */
  maxRate?: number | undefined;
  /** Options for listing the server's directories. */
  list?: Omit<ListOptions, "all" | "onUnknown" | "signal"> | undefined;
  /**
   * Called after each entry. Not awaited. If it throws or rejects, the mirror
   * fails.
   */
  onEntry?: ((event: MirrorEvent) => void) | undefined;
  /**
   * Called while the bytes of a file are transferred, and once at its end, for
   * each current file. Not awaited. If it throws or rejects, the mirror fails.
   */
  onProgress?: ((progress: MirrorProgress) => void) | undefined;
  /** Aborts the mirror. Finished work stays. */
  signal?: AbortSignal | undefined;
}

/** Options of {@linkcode FTP.prototype.downloadDir FTP.downloadDir}. */
export interface DownloadDirOptions
  extends MirrorOptions, Pick<DownloadOptions, "maxSize" | "sync"> {
  /**
   * Whether to remove each file from the server after its download, like
   * `removeSource` of `download`. Every file is then transferred, even if the
   * target has it. Directories stay on the server. Not possible with `delete`,
   * which would remove the local files in the next call.
   *
   * @default false
   */
  removeSource?: boolean | undefined;
}

/** Options of {@linkcode FTP.prototype.uploadDir FTP.uploadDir}. */
export interface UploadDirOptions
  extends MirrorOptions, Pick<UploadOptions, "replace" | "temporaryName"> {}

/** Counts of a mirror; in a dry run, of what would be done. */
export interface MirrorResult {
  /** Files transferred. */
  readonly transferred: number;
  /** Files that the target had already. */
  readonly unchanged: number;
  /** Directories created. */
  readonly made: number;
  /** Entries removed; a directory with everything in it counts as one. */
  readonly removed: number;
  /** Entries skipped, such as links and devices. */
  readonly skipped: number;
  /** Entries that failed. */
  readonly failed: number;
  /** Bytes transferred; in a dry run, sizes of the files as listed. */
  readonly bytes: number;
}

/** Names of the options of both mirrors. */
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

/** Names of the options of a download. */
const DOWNLOAD_DIR_OPTIONS: NamesOf<DownloadDirOptions> = {
  ...MIRROR_OPTIONS,
  maxSize: true,
  sync: true,
  removeSource: true,
};

/** Names of the options of an upload. */
const UPLOAD_DIR_OPTIONS: NamesOf<UploadDirOptions> = {
  ...MIRROR_OPTIONS,
  replace: true,
  temporaryName: true,
};

/**
 * Rejects unknown and invalid options before anything is sent.
 *
 * @param options Options of the caller
 * @param isUpload Whether it is an upload
 * @throws {TypeError} If an option is unknown or has an invalid value
 * @throws {RangeError} If a number is out of range
 */
export function checkMirrorOptions(
  options: UploadDirOptions & DownloadDirOptions,
  isUpload: boolean,
): void {
  if (isUpload) checkNames("uploadDir", options, UPLOAD_DIR_OPTIONS);
  else checkNames("downloadDir", options, DOWNLOAD_DIR_OPTIONS);
  const { compare, symlinks, list = {} } = options;
  checkWord("compare", compare, ["size-and-time", "size", "hash", "always"]);
  checkWord("symlinks", symlinks, ["skip", "follow"]);
  checkConnections(options.connections);
  limitOf(options.maxDelete);
  if (options.delete && options.removeSource) {
    throw new TypeError(
      'Cannot use "removeSource" with "delete": the next call would remove the downloaded files',
    );
  }
  checkNames("list", list, LIST_OPTIONS);
  checkListOptions(list);
  checkTransferOptions(options);
}

/** Limit of a mirror's removals. */
export interface RemovalLimit {
  /** Largest number of entries. */
  readonly entries: number;
  /** Largest percentage of the target's entries. */
  readonly percent: number;
}

/** A percentage: digits, perhaps with a fraction, and a percent sign. */
const SHARE_REGEXP = /^\d{1,3}(?:\.\d{1,9})?%$/;

/**
 * Reads the option `maxDelete`.
 *
 * @param maxDelete Option of the caller
 * @returns The limit
 * @throws {RangeError} If it is neither a count nor a percentage up to 100%
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
    }: it must be a number of entries from 0, or a percentage such as "10%"`,
  );
}
