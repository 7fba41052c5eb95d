/**
 * Options and results of `download` and `upload`.
 *
 * @module
 */

import type { NamesOf } from "../protocol/check_names.ts";
import { checkNumber, MAX_MILLISECONDS } from "../protocol/check_number.ts";
import { checkWord } from "../protocol/check_word.ts";
import type { Progress } from "./progress.ts";
import { checkRetry, type RetryEvent, type RetryOptions } from "./recovery.ts";

/** Options that `download` and `upload` share. */
export interface FileTransferOptions {
  /**
   * Called during the transfer, and once at the end. Not awaited. If it throws,
   * even at the end, the transfer fails and the old file stays. If an
   * asynchronous callback rejects before the end, the transfer fails as well.
   */
  onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Largest number of calls of `onProgress` per second.
   *
   * @default 10
   */
  progressRate?: number | undefined;
  /**
   * Rate limit, in bytes per second.
   *
   * @default no limit
   */
  maxRate?: number | undefined;
  /**
   * Attempts of a failed transfer, and the waits between them; `false` for no
   * retries.
   *
   * @default attempts: 5, delay: 500, maxDelay: 30_000
   */
  retry?: RetryOptions | false | undefined;
  /**
   * Called before each wait, and awaited. If it throws, the transfer fails. Do
   * not await another download or upload of the same client in it: that call
   * waits for this one to end.
   */
  onRetry?: ((event: RetryEvent) => unknown) | undefined;
  /**
   * Whether to complete an unfinished transfer of an earlier call, and to keep
   * an unfinished file for a later one.
   *
   * The name of an unfinished file is predictable, and only its last 64 KiB are
   * compared. A download therefore uses it only if no other user can have
   * written to it. It must be a plain file with a single name, of the same
   * owner as new files, writable by that owner alone. Otherwise it stays
   * untouched, `trace` reports it, and the file is downloaded from its
   * beginning. The same applies to a target in place (`atomic: false`).
   *
   * Windows reports neither owner nor permissions, and neither does a server.
   * If others may write to the directory there, add `verify: "hash"`.
   *
   * @default false
   */
  resume?: boolean | undefined;
  /**
   * Whether to write under a temporary name, and to replace the target when the
   * file is complete and verified.
   *
   * Files written in place suffer from lost connections. A server may execute
   * an old `STOR` late, after a retry. It may keep the file locked while it
   * believes that the old connection exists (vsftpd: 300 seconds). It may
   * refuse to overwrite the file (ProFTPD's `AllowOverwrite off`), or store it
   * under another name without saying so (Pure-FTPd's `--autorename`; only the
   * size may show it). An upload under a temporary name recovers from all of
   * these. A local file keeps its content until the first new byte arrives, so
   * a refusal changes nothing.
   *
   * @default true
   */
  atomic?: boolean | undefined;
  /**
   * What to compare before the file replaces its target.
   *
   * "size": the server's `SIZE` and the bytes transferred, if the server
   * supports `SIZE`. Otherwise a download uses the size in the 150 reply. A
   * data connection that the server resets after the last byte is accepted, if
   * the final reply is 2yz and the size matches.
   *
   * After an upload, a server may report a part, 0, the old size or nothing, as
   * FTP servers in front of object stores do. The client then asks again for three
   * seconds. With `atomic: false`, the size proves nothing if the old file had
   * the same size. A drop box that takes the file away reports no size. In both
   * cases the result's `verified` is `null`, and only the server's 226 confirms
   * the upload.
   *
   * A download with fewer bytes than announced is an error. More bytes are
   * accepted if the server's file has grown to at least that size, as a log
   * does. The result is then the file as of one point in time. If the data took
   * longer than a second, size and time are requested again. A file with the
   * same size and another time was overwritten, and is downloaded again.
   * Changes within a shorter time, or within the one-second resolution of
   * `MDTM`, are found only by a hash.
   *
   * "hash": also a hash, if the server has one (`HASH`, `XSHA256`, `XSHA1`,
   * `MD5`, `MMD5`, `XMD5`, `XCRC`). Server and client read the whole file for
   * it, at the same time. The time limit is `timeout` plus one second for every
   * 10 MB. A file that keeps growing never matches.
   *
   * "none": nothing is compared.
   *
   * @default "size"
   */
  verify?: "size" | "hash" | "none" | undefined;
  /**
   * Whether to copy the file's modification time. If it cannot be set (the
   * server has no command for it, another user owns the local file, the file
   * system refuses), the transfer still succeeds, and the result's `mtime` is
   * `null`.
   *
   * A server may use a time zone of its own. An upload learns the zone from the
   * file that it has just written. A download cannot: the local file gets the
   * time that the server shows. The zone is known after an upload, or from the
   * option `serverZone`.
   *
   * @default true
   */
  mtime?: boolean | undefined;
  /**
   * Milliseconds between `NOOP`s on the control connection while data flows,
   * for firewalls that drop idle connections; 0 or `Infinity` for none.
   *
   * @default 0
   */
  keepAlive?: number | undefined;
  /**
   * Aborts the transfer. The temporary file is removed, or kept for a later
   * call with `resume`. A process that is killed leaves it behind. To avoid
   * that on Ctrl-C:
   *
   * ```ts ignore
   * const controller = new AbortController();
   * Deno.addSignalListener("SIGINT", () => controller.abort());
   * await ftp.upload("image.iso", "image.iso", { signal: controller.signal });
   * ```
   */
  signal?: AbortSignal | undefined;
}

/**
 * Options of {@linkcode FTP.prototype.download FTP.download}.
 *
 * If the target is a symbolic link, the file that it points to is replaced or
 * created. A file written in place (`atomic: false`) and an unfinished file
 * that may be resumed are locked, if the file system supports locks. Another
 * download to it then fails with `Deno.errors.Busy`.
 *
 * A replaced file passes its permissions on, whatever the umask, but not its
 * owner and group. A different group gets no more than the umask allows.
 * Devices and pipes (`/dev/stdout`, a named pipe) are written directly. A pipe
 * without a reader is waited for until `signal` or `close()`. An upload waits
 * for a pipe without a writer in the same way.
 */
export interface DownloadOptions extends FileTransferOptions {
  /**
   * Largest size of the file, in bytes, for servers that send without end,
   * whatever `SIZE` says. A larger file is an error, and nothing of it is kept.
   *
   * @default Infinity
   */
  maxSize?: number | undefined;
  /**
   * Whether to write the file to disk (`fsync`) before it replaces its target.
   * Without it, the file may be empty after a power failure within the next
   * seconds. With it, each file waits for the disk.
   *
   * @default false
   */
  sync?: boolean | undefined;
  /**
   * Largest number of parts to download at once, 1 to 64, each on its own
   * connection. Useful if a server or a network limits the rate of each
   * connection. A segment has at least 1 MiB. The file is downloaded as one
   * segment if the server reports no size or refuses `REST`, in place
   * (`atomic: false`), and to a device or a pipe. If the server refuses further
   * connections, the existing ones download all segments. Size and time are
   * requested again at the end.
   *
   * With `resume`, the temporary file keeps the data of each segment. If the
   * process was killed, the download starts over.
   *
   * @default 1
   */
  segments?: number | undefined;
  /**
   * Whether to remove the file from the server after the download. First the
   * local file is complete, verified and written to disk (as with `sync`). Then
   * the client requests size and time of the server's file again. If they have
   * changed, if the server has no `SIZE`, or if it refuses the removal, the
   * call throws; the local file is then complete, and the server's file stays.
   * A change that keeps the size, within the same second of `MDTM`, is not
   * detected.
   *
   * If the process is killed in between, both files remain. Not possible with
   * `verify: "none"`, nor for a pipe or a device.
   *
   * @default false
   */
  removeSource?: boolean | undefined;
}

/**
 * Options of {@linkcode FTP.prototype.upload FTP.upload}.
 *
 * A local file that changes its size or time during the upload is sent again.
 * If it keeps changing, the upload fails with an `FTPVerificationError`, and
 * the old file stays. Pass a file that is written all the time, such as a log,
 * as an open `Deno.FsFile`: its content up to the end is sent.
 *
 * A replaced file becomes a new file. It gets the old one's permissions if the
 * server reports them (`STAT`) and sets them (`SITE CHMOD`), just before the
 * rename. Until then, and on other servers, it has the server's default
 * permissions. Set-user-ID bits, owner, access control lists and further hard
 * links are lost. A symbolic link is replaced by a plain file, and the file it
 * points to stays unchanged. A server that forbids overwriting (ProFTPD without
 * `AllowOverwrite on`) may still rename over a file, or needs
 * `replace: "delete"`. With `atomic: false` all of this depends on the server's
 * `STOR`.
 *
 * A temporary file stays on the server if the process is killed or the server
 * refuses to delete it. Its name is `.<name>.<16 hexadecimal digits>.part`, or
 * `.<name>.resume-<digits>.part` with `resume`. The next call with `resume` for
 * the same unchanged file continues with the latter. The others can be deleted
 * by hand while no upload is running.
 */
export interface UploadOptions extends FileTransferOptions {
  /**
   * Size of the source in bytes, if it does not have one itself: a stream, an
   * iterable, an open file or a pipe. Progress then has a `total`. A source
   * with more or fewer bytes fails with an `FTPVerificationError`, and the old
   * file stays (see `atomic`). A `Response` has a size if it has a
   * `content-length`.
   *
   * @default the size of the source
   */
  size?: number | undefined;
  /**
   * What to do if the server refuses to rename over an existing file. "rename":
   * the call fails, and the old file stays. "delete": the old file is moved
   * aside, and deleted once the new one has its name. Between the two, no file
   * has the name. If the new file cannot get the name, the old one gets it
   * back. If that fails too, the error contains both names.
   *
   * A refusal or a missing reply is checked: `SIZE` and `MLST` show which file
   * has which name. If the sizes are equal, the file is read back. A confirmed
   * rename is checked as well: sizes prove it in the same round trip.
   *
   * For servers that cannot rename at all (a drop box), use `atomic: false`.
   *
   * @default "rename"
   */
  replace?: "rename" | "delete" | undefined;
  /**
   * Returns the temporary name, for servers that refuse names with a leading
   * dot. It is called with the file's name and a mark that is unique to this
   * upload. A name without the mark is the same for two simultaneous uploads.
   * The result is a single path segment; the file is written next to its
   * target.
   *
   * A mirror skips temporary files in its source directory, but only those with
   * default names. Exclude other names with the mirror's `filter` while uploads
   * are running, or after one was left behind.
   *
   * @default (name, mark) => `.${name}.${mark}.part`
   */
  temporaryName?: ((name: string, mark: string) => string) | undefined;
}

/** Result of `download` and `upload`. */
export interface FileTransferResult {
  /** Size of the file, in bytes. */
  readonly size: number;
  /** Bytes transferred by this call; bytes that were sent twice count twice. */
  readonly bytes: number;
  /**
   * What was compared and found equal: "size", or the name of a hash such as
   * "SHA-256". `null` if the server reported nothing to compare, and only its
   * final reply confirms the file. After an upload under a temporary name, the
   * comparison was made before the rename.
   */
  readonly verified: string | null;
  /** The time that the file was given, or `null` if it has another. */
  readonly mtime: Date | null;
  /** Number of retries. */
  readonly retries: number;
}

/** Names of the options that downloads and uploads share. */
export const TRANSFER_OPTIONS: NamesOf<FileTransferOptions> = {
  resume: true,
  atomic: true,
  verify: true,
  mtime: true,
  keepAlive: true,
  retry: true,
  onRetry: true,
  onProgress: true,
  progressRate: true,
  maxRate: true,
  signal: true,
};

/** Names of the options of a download. */
export const DOWNLOAD_OPTIONS: NamesOf<DownloadOptions> = {
  ...TRANSFER_OPTIONS,
  maxSize: true,
  sync: true,
  segments: true,
  removeSource: true,
};

/** Names of the options of an upload. */
export const UPLOAD_OPTIONS: NamesOf<UploadOptions> = {
  ...TRANSFER_OPTIONS,
  size: true,
  replace: true,
  temporaryName: true,
};

/**
 * Rejects invalid options before anything is sent.
 *
 * @param options Options of the caller
 * @throws {TypeError} If `verify` or `replace` has an unknown value, `retry` is
 * neither an object nor `false`, or options exclude each other
 * @throws {RangeError} If a number is negative, too large or `NaN`
 */
export function checkTransferOptions(
  options:
    & Pick<UploadOptions, "verify" | "replace" | "retry" | "keepAlive">
    & Pick<DownloadOptions, "removeSource">,
): void {
  const { verify, replace, retry, keepAlive, removeSource } = options;
  checkWord("verify", verify, ["size", "hash", "none"]);
  checkWord("replace", replace, ["rename", "delete"]);
  if (removeSource && verify === "none") {
    throw new TypeError(
      'Cannot use "removeSource" with verify "none": the file must be verified before it is removed',
    );
  }
  checkRetry(retry);
  checkNumber("keepAlive", keepAlive, { most: MAX_MILLISECONDS });
}
