/**
 * What is mirrored where, and how a file gets there.
 *
 * @module
 */

import type { SessionProvider } from "../files/session_provider.ts";
import type { DirectoryPath, MirrorItem, Side, Snapshot } from "./snapshot.ts";
import type { MirrorReason } from "./options.ts";
import type { MirrorReport } from "./report.ts";

/** One directory, as it is on both sides. */
export interface SnapshotPair {
  /** Where it is. */
  readonly place: DirectoryPath;
  /** What the source has. */
  readonly source: Snapshot;
  /** What the target has, with what it got meanwhile. */
  readonly target: Snapshot;
}

/** One way of mirroring: up or down. */
export interface MirrorTask {
  /** The client. */
  readonly provider: SessionProvider;
  /** What is tried, for error messages. */
  readonly title: string;
  /** Where from. */
  readonly source: Side;
  /** Where to. */
  readonly target: Side;
  /**
   * Finds out what listings do not tell, where it matters.
   *
   * @param pair The directory
   */
  refine(pair: SnapshotPair): Promise<void>;
  /**
   * Tells why a file has to be transferred over another.
   *
   * @param path The file
   * @param source What the source has
   * @param target What the target has
   * @returns Why, or `undefined` if it need not be
   */
  compare(
    path: string,
    source: MirrorItem,
    target: MirrorItem,
  ): Promise<MirrorReason | undefined>;
  /**
   * Transfers a file.
   *
   * @param path The file
   * @param source What the source has
   * @param target Where it goes
   * @param report Who is told of the progress
   * @returns The bytes that went through
   */
  transfer(
    path: string,
    source: MirrorItem,
    target: Snapshot,
    report: MirrorReport,
  ): Promise<number>;
}
