/**
 * An entry with its path.
 *
 * @module
 */

import { Entry } from "../listing/entry.ts";
import { EntryView } from "./entry_view.ts";

/** Where an entry was met. */
export interface WalkPlace {
  /** The path as text. */
  readonly path: string;
  /** The path as bytes. */
  readonly rawPath: Uint8Array;
  /** How many directories below the one that the walk began in. */
  readonly depth: number;
  /** Whether it is a directory that the walk is in already. */
  readonly isLoop: boolean;
}

/** An entry of a directory tree, with its path. */
export class WalkEntry extends Entry {
  /** The path, from where the walk began. Look at `hostile` before using it. */
  readonly path: string;
  /** The path's bytes, which open this very file whatever its encoding is. */
  readonly rawPath: Uint8Array;
  /** Depth below the directory that the walk began in; its entries have 1. */
  readonly depth: number;
  /**
   * Whether it leads back to a directory that contains it. It was not followed.
   */
  readonly isLoop: boolean;

  /**
   * Gives an entry its path.
   *
   * @param entry The entry
   * @param place Where it was met
   */
  constructor(entry: Entry, place: WalkPlace) {
    super(new EntryView(entry), 0);
    this.path = place.path;
    this.rawPath = place.rawPath;
    this.depth = place.depth;
    this.isLoop = place.isLoop;
  }

  /**
   * Gives the fields as a plain object.
   *
   * @returns The fields that are known, and the path
   */
  override toJSON(): Record<string, unknown> {
    return { path: this.path, depth: this.depth, ...super.toJSON() };
  }
}
