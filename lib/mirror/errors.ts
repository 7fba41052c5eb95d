/**
 * The end of a mirror that is not complete.
 *
 * @module
 */

import { FTPError, type FTPErrorOptions } from "../protocol/errors.ts";
import type { MirrorFailure, MirrorResult } from "./options.ts";

/** What an {@linkcode FTPMirrorError} carries besides its message. */
export interface FTPMirrorErrorOptions extends FTPErrorOptions {
  /** What was done. */
  result: MirrorResult;
  /** What was not. */
  failures: readonly MirrorFailure[];
}

/**
 * Some entries of a directory were not mirrored; the others were, unless the
 * connection was lost for good. The `cause` is what ended it then, and else the
 * error of the first failure.
 */
export class FTPMirrorError extends FTPError {
  /** The class's own name. */
  override name = "FTPMirrorError";
  /** What was done. */
  readonly result: MirrorResult;
  /** What failed: the first thousand; `result.failed` counts all. */
  readonly failures: readonly MirrorFailure[];

  /**
   * Makes an error.
   *
   * @param message What was tried and what is missing
   * @param options The facts
   */
  constructor(message: string, options: FTPMirrorErrorOptions) {
    super(message, options);
    this.result = options.result;
    this.failures = options.failures;
  }
}
