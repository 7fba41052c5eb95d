/**
 * Options and results of `download` and `upload`.
 *
 * @module
 */

import type { NamesOf } from "../protocol/check_names.ts";
import { checkNumber, MAX_MILLISECONDS } from "../protocol/check_number.ts";
import { checkWord } from "../protocol/check_word.ts";
import type { MeterOptions } from "./progress.ts";
import { checkRetry, type RecoveryOptions } from "./recovery.ts";

/** What is compared when a file was transferred. */
export type Verification = "size" | "hash" | "none";

/** What `download` and `upload` have in common. */
export interface FileTransferOptions extends MeterOptions, RecoveryOptions {
  /**
   * Whether what an earlier call left half done is completed, and what this
   * call leaves half done is kept for a later one. Its name can be predicted, and
   * only its last 64 KiB are compared. A download therefore takes a part only if
   * nobody else can have written to it: a plain file with one name, of the same
   * owner as new files, writable by that owner alone. What else has the name
   * stays untouched, `trace` tells of it, and the file is downloaded from its
   * beginning; the same goes for a target in place (`atomic: false`). Windows
   * tells neither owner nor permissions, and neither does a server: where
   * strangers may write to the folder there, add `verify: "hash"`.
   *
   * @default {false}
   */
  resume?: boolean | undefined;
  /**
   * Whether the file is written under a temporary name and takes the target's
   * place when it is complete and verified.
   *
   * Written in place, a file is at the mercy of what a lost connection left
   * behind: a server may obey an old `STOR` late, after a retry, keep the file
   * locked for as long as it takes the old connection for alive (vsftpd: 300
   * seconds), refuse to write to what is there (ProFTPD's `AllowOverwrite off`),
   * or store it under another name and not say so (Pure-FTPd's `--autorename`:
   * only the size may tell). Under a temporary name an upload recovers from all
   * of these. A file here keeps what it has until the first new bytes come: what
   * the server refuses changes nothing.
   *
   * @default {true}
   */
  atomic?: boolean | undefined;
  /**
   * What is compared before the file takes its place. "size": the server's
   * `SIZE` with the bytes that went through, where the server tells. A download
   * from one that has no `SIZE` goes by the size in its 150 reply.
   *
   * A data connection that the server resets after the last byte is no failure
   * where the final reply is 2yz and the size agrees.
   *
   * An upload asks again for three seconds where the server tells 0, the old
   * size or nothing after its 226, as FTP servers before object stores do. In
   * place (`atomic: false`) the size of an old file that was as long proves
   * nothing, and of a drop box that takes the file away there is none: the
   * result's `verified` is `null` then, and all there is is the server's 226.
   *
   * Fewer bytes than the server announced are an error. More are a file that
   * grows, such as a log, if the server has as many by now: it comes as it was
   * at some moment. Where the data of a download took longer than a second,
   * size and time are asked for once more: a file of the same size with another
   * time was written over meanwhile, and is fetched again. In a shorter time,
   * and within the second that `MDTM` cannot tell apart, that goes unnoticed,
   * but for a hash.
   *
   * "hash": a hash too, where the server has one (`HASH`, `XSHA256`, `XSHA1`,
   * `MD5`, `MMD5`, `XMD5`, `XCRC`). It reads the whole file for it, and this
   * side does so meanwhile: the wait is one second longer than `timeout` for
   * every 10 MB. A file that grows without end never has the same.
   *
   * @default {"size"}
   */
  verify?: Verification | undefined;
  /**
   * Whether the file gets the time of its original. Where it may not be set (a
   * server without a command for it, a local file that somebody else owns, a
   * file system that refuses) the file is complete all the same, and `mtime` of
   * the result is `null`.
   *
   * A server may show and set times in a zone of its own: an upload learns it
   * from the file that it has just written. A download cannot, and gives its
   * file the time that the server shows, unless the zone is known from an upload
   * before it or from the option `serverZone`.
   *
   * @default {true}
   */
  mtime?: boolean | undefined;
  /**
   * Milliseconds between `NOOP`s on the control connection while data flows,
   * against firewalls that forget idle connections; 0 or `Infinity` for none.
   *
   * @default {0}
   */
  keepAlive?: number | undefined;
  /**
   * Ends the transfer: the temporary file is removed, or kept for a later call
   * with `resume`. A program that is killed leaves it behind; on Ctrl-C it can
   * be spared that:
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
 * Options of {@linkcode FTP.download}.
 *
 * A symbolic link as the target stays one: what it points to is replaced, or
 * made. A file that is written to in place (`atomic: false`) and a part that may
 * be resumed are locked, where the file system has locks: another download to it
 * at the same time is refused with `Deno.errors.Busy`.
 *
 * A file that is replaced hands on its permissions, whatever the umask, but not
 * its owner and its group; another group is given no more than the umask gives
 * it. A device or a pipe (`/dev/stdout`, a named pipe) is written to as it is;
 * one that has no reader yet is waited for until `signal` or `close()`, as an
 * upload waits for a pipe that has no writer.
 */
export interface DownloadOptions extends FileTransferOptions {
  /**
   * Most bytes that the file may have, against servers that send without end,
   * whatever `SIZE` says. A larger one is an error, and nothing of it is kept.
   *
   * @default {Infinity}
   */
  maxSize?: number | undefined;
  /**
   * Whether the file is on the disk, and not only in the system's cache, before
   * it takes its place (`fsync`). Without, it may be empty after a power cut
   * that follows within seconds; with, each file takes the time of the disk.
   *
   * @default {false}
   */
  sync?: boolean | undefined;
}

/**
 * Options of {@linkcode FTP.upload}.
 *
 * A local file whose size or time changes while it is uploaded is sent again,
 * and in the end it is an `FTPVerificationError`: nothing takes the place of the
 * old file. One that is written to all the time, such as a log, can be given as
 * an open `Deno.FsFile`: what there is of it is sent.
 *
 * A file that takes another's place under its name is a new one. It gets the
 * old one's permissions where the server tells (`STAT`) and sets them
 * (`SITE CHMOD`), just before the rename; until then, and where the server
 * does not, it has those that the server gives to new files. Set-user-ID bits,
 * the owner, access control lists and further hard links are not taken over. A
 * symbolic link is replaced by a plain file, and what it points to stays as it
 * was. A server that forbids to overwrite (ProFTPD, unless `AllowOverwrite` is
 * on) may still rename over a file, or needs `replace: "delete"`. With
 * `atomic: false` the server does with all of these what its `STOR` does.
 *
 * Where a temporary file is left behind (this process was killed, or the
 * server did not let it be deleted), its name tells: `.<name>.<16 hexadecimal
 * digits>.part`, or `.<name>.resume-<digits>.part` with `resume`, which the
 * next call for the same unchanged file goes on with. The others may be
 * deleted by hand when nothing is being uploaded.
 */
export interface UploadOptions extends FileTransferOptions {
  /**
   * Bytes that the source has, for one that does not tell: a stream, an
   * iterable, an open file, a pipe. Progress then has a `total`. A source that
   * gives more or fewer bytes is an `FTPVerificationError`, and the old file
   * stays (but see `atomic`). A `Response` tells by its `content-length`.
   *
   * @default {what the source tells}
   */
  size?: number | undefined;
  /**
   * What happens where a server refuses to rename over a file that exists:
   * "rename", the call fails and the old file stays; "delete", the old file is
   * moved aside and deleted when the new one has its name. For a moment there is
   * none under the name. If the new file cannot have it, the old one gets it
   * back; if that fails too, the error tells the names of both.
   *
   * A refusal and a lost reply are looked into: `SIZE` and `MLST` tell what has
   * which name, and where sizes are equal the file is read back. So is the
   * server's word: sizes prove in the same round trip that the rename was done.
   *
   * Where a server renames no files at all (a drop box), `atomic: false` is the
   * way.
   *
   * @default {"rename"}
   */
  replace?: "rename" | "delete" | undefined;
  /**
   * Chooses the temporary name, for servers that refuse those which begin with
   * a dot. It is given the file's name and a mark that tells this upload from
   * others: a name without it is the same for two uploads at once. What it
   * returns is one segment of a path; the file is written beside its target.
   *
   * A mirror passes over the temporary files of a directory that it reads from,
   * but knows only names of the default's kind: while others are uploaded, or
   * where one was left behind, let the mirror's `filter` leave them out.
   *
   * @default {(name, mark) => `.${name}.${mark}.part`}
   */
  temporaryName?: ((name: string, mark: string) => string) | undefined;
}

/** What `download` and `upload` tell of a complete transfer. */
export interface FileTransferResult {
  /** Size of the file, in bytes. */
  readonly size: number;
  /** Bytes that went through in this call, those sent twice counted twice. */
  readonly bytes: number;
  /**
   * What was found to be the same here and there: "size", the name of a hash
   * such as "SHA-256", or `null` if the server told nothing that proves it: the
   * file is confirmed by its final reply only. Of an upload under a temporary
   * name it is what was compared before the rename.
   */
  readonly verified: string | null;
  /** The time that the file was given, or `null` if it has another. */
  readonly mtime: Date | null;
  /** How many times it was tried again. */
  readonly retries: number;
}

/** The options that downloads and uploads share, by name. */
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

/** The options of a download, by name. */
export const DOWNLOAD_OPTIONS: NamesOf<DownloadOptions> = {
  ...TRANSFER_OPTIONS,
  maxSize: true,
  sync: true,
};

/** The options of an upload, by name. */
export const UPLOAD_OPTIONS: NamesOf<UploadOptions> = {
  ...TRANSFER_OPTIONS,
  size: true,
  replace: true,
  temporaryName: true,
};

/**
 * Insists on words that are known and on numbers that can be used, before
 * anything is sent.
 *
 * @param options The caller's
 * @throws {TypeError} If there is no such `verify` or `replace`, or `retry` is
 * neither an object nor `false`
 * @throws {RangeError} If a number is negative, too large or no number
 */
export function checkTransferOptions(
  options: Pick<UploadOptions, "verify" | "replace" | "retry" | "keepAlive">,
): void {
  const { verify, replace, retry, keepAlive } = options;
  checkWord("verify", verify, ["size", "hash", "none"]);
  checkWord("replace", replace, ["rename", "delete"]);
  checkRetry(retry);
  checkNumber("keepAlive", keepAlive, { most: MAX_MILLISECONDS });
}
