/**
 * The error of an incomplete mirror.
 *
 * @module
 */

import { FTPError, type FTPErrorOptions } from "../protocol/errors.ts";
import type { MirrorFailure, MirrorResult } from "./options.ts";

/**
 * Options of an {@linkcode FTPMirrorError}.
 *
 * @internal
 */
export interface FTPMirrorErrorOptions extends FTPErrorOptions {
  /** Counts of everything done. */
  result: MirrorResult;
  /** Entries that failed. */
  failures: readonly MirrorFailure[];
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
  /** Failures: the first thousand; `result.failed` counts all. */
  readonly failures: readonly MirrorFailure[];

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
  }
}
