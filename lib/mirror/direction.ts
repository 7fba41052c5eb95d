/**
 * What is mirrored where, and how a file gets there.
 *
 * @module
 */

import type { Link } from "../files/session_provider.ts";
import type { Folder, Item, Place, Side } from "./snapshot.ts";
import type { MirrorReason } from "./options.ts";
import type { Tally } from "./report.ts";

/** One directory, as it is on both sides. */
export interface Pair {
  /** Where it is. */
  readonly place: Place;
  /** What the source has. */
  readonly source: Folder;
  /** What the target has, with what it got meanwhile. */
  readonly target: Folder;
}

/** One way of mirroring: up or down. */
export interface MirrorTask {
  /** The client. */
  readonly link: Link;
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
  sharpen(pair: Pair): Promise<void>;
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
    source: Item,
    target: Item,
  ): Promise<MirrorReason | undefined>;
  /**
   * Transfers a file.
   *
   * @param path The file
   * @param source What the source has
   * @param target Where it goes
   * @param tally Who is told of the progress
   * @returns The bytes that went through
   */
  transfer(
    path: string,
    source: Item,
    target: Folder,
    tally: Tally,
  ): Promise<number>;
}
