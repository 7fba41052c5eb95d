/**
 * One direction of a mirror: source, target, and how files are transferred.
 *
 * @module
 */

import type { SessionProvider } from "../files/session_provider.ts";
import type { DirectoryPath, MirrorItem, Side, Snapshot } from "./snapshot.ts";
import type { MirrorReason } from "./options.ts";
import type { MirrorReport } from "./report.ts";

/** A directory, as it is on both sides. */
export interface SnapshotPair {
  /** Its path. */
  readonly directory: DirectoryPath;
  /** Its entries in the source. */
  readonly source: Snapshot;
  /** Its entries in the target, including those transferred so far. */
  readonly target: Snapshot;
}

/** A mirror in one direction, with one connection. */
export interface MirrorTask {
  /** The client. */
  readonly provider: SessionProvider;
  /** The action, for error messages. */
  readonly title: string;
  /** The source. */
  readonly source: Side;
  /** The target. */
  readonly target: Side;
  /**
   * Called by {@linkcode transfer} when only its last round trips are left, so
   * that another task may begin.
   */
  onEnding: (() => void) | undefined;
  /** Requests what the listings do not show, where the comparison needs it. */
  refine(pair: SnapshotPair): Promise<void>;
  /**
   * Compares a file with the one that it would replace.
   *
   * @returns The reason to transfer it, or `undefined`
   */
  compare(
    path: string,
    source: MirrorItem,
    target: MirrorItem,
  ): Promise<MirrorReason | undefined>;
  /** Returns a new path for a temporary entry beside one of the target. */
  temporaryPath(path: string): string;
  /**
   * Makes all connections build an entry of the target, and everything in it,
   * under another path.
   *
   * @returns Its disposal ends that
   */
  stage(path: string, temporary: string): Disposable;
  /** Transfers a file. Returns the bytes transferred. */
  transfer(
    path: string,
    source: MirrorItem,
    target: Snapshot,
    report: MirrorReport,
  ): Promise<number>;
}
