/**
 * Options and results of `download` and `upload`.
 *
 * @module
 */

import type { MeterOptions } from "./progress.ts";
import type { RecoveryOptions } from "./recovery.ts";

/** What is compared when a file was transferred. */
export type Verification = "size" | "hash" | "none";

/** What `download` and `upload` have in common. */
export interface FileTransferOptions extends MeterOptions, RecoveryOptions {
  /**
   * Whether what an earlier call left half done is completed, and what this
   * call leaves half done is kept for a later one.
   *
   * @default {false}
   */
  resume?: boolean | undefined;
  /**
   * Whether the file is written under a temporary name and takes the target's
   * place when it is complete and verified.
   *
   * Written in place, a file is at the mercy of what a lost connection left
   * behind: a server may obey an old `STOR` late, after a retry.
   *
   * @default {true}
   */
  atomic?: boolean | undefined;
  /**
   * What is compared before the file takes its place. "size": the server's
   * `SIZE` with the bytes that went through, where the server tells. "hash": a
   * hash too, where the server has one (`HASH`, `XSHA256`, `XSHA1`, `XMD5`,
   * `XCRC`). It reads the whole file for it, and this side does so meanwhile:
   * the wait is one second longer than `timeout` for every 10 MB.
   *
   * @default {"size"}
   */
  verify?: Verification | undefined;
  /**
   * Whether the file gets the time of its original.
   *
   * @default {true}
   */
  mtime?: boolean | undefined;
  /**
   * Milliseconds between `NOOP`s on the control connection while data flows,
   * against firewalls that forget idle connections; 0 for none.
   *
   * @default {0}
   */
  keepAlive?: number | undefined;
  /** Ends the transfer. */
  signal?: AbortSignal | undefined;
}

/** Options of {@linkcode FTP.download}. */
export type DownloadOptions = FileTransferOptions;

/** Options of {@linkcode FTP.upload}. */
export interface UploadOptions extends FileTransferOptions {
  /**
   * What happens where a server refuses to rename over a file that exists:
   * "rename", the call fails and the old file stays; "delete", the old file is
   * deleted first, and for a moment there is none under the name.
   *
   * @default {"rename"}
   */
  replace?: "rename" | "delete" | undefined;
}

/** What `download` and `upload` tell of a complete transfer. */
export interface FileTransferResult {
  /** Size of the file, in bytes. */
  readonly size: number;
  /** Bytes that went through in this call, those sent twice counted twice. */
  readonly bytes: number;
  /**
   * What was found to be the same here and there: "size", the name of a hash
   * such as "SHA-256", or `null` if the server told nothing to compare.
   */
  readonly verified: string | null;
  /** The time that the file was given, or `null`. */
  readonly mtime: Date | null;
  /** How many times it was tried again. */
  readonly retries: number;
}
