/**
 * The error of an incomplete mirror.
 *
 * @module
 */

import { FTPError, type FTPErrorOptions } from "../protocol/errors.ts";
import type { MirrorResult } from "./options.ts";

/**
 * Options of an {@linkcode FTPMirrorError}.
 *
 * @internal
 */
export interface FTPMirrorErrorOptions extends FTPErrorOptions {
  /** Counts of everything done. */
  result: MirrorResult;
  /** Entries that failed. */
  failures: FTPMirrorError["failures"];
  /** Number of entries that were not reached. */
  unreached?: number | undefined;
}

/**
 * Some entries of a directory were not mirrored. All others were, unless the
 * connection was lost permanently. The `cause` is the error that ended the
 * mirror, or else the error of the first failure.
 */
export class FTPMirrorError extends FTPError {
  /** Name of the class. */
  override name = "FTPMirrorError";
  /** Counts of everything done. */
  readonly result: MirrorResult;
  /**
   * The first thousand failures: path relative to the mirrored directory ("" for
   * that directory), and error. `result.failed` counts all.
   */
  readonly failures: readonly {
    readonly path: string;
    readonly error: unknown;
  }[];
  /**
   * Number of the source's entries that were listed, and not reached before the
   * connection was lost; 0 in all other cases. A directory that was not listed
   * counts as one entry, and `filter` was not asked.
   */
  readonly unreached: number;

  /**
   * Creates an error.
   *
   * @param message The action, and what is missing
   * @param options Result, failures, reply, command and cause
   */
  constructor(message: string, options: FTPMirrorErrorOptions) {
    super(message, options);
    this.result = options.result;
    this.failures = options.failures;
    this.unreached = options.unreached ?? 0;
  }
}

/** An entry that failed. */
export type MirrorFailure = FTPMirrorError["failures"][number];
