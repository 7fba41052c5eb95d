/**
 * An entry with its path.
 *
 * @module
 */

import { changed, Entry } from "../listing/entry.ts";
import { joinRawEntry } from "../listing/entry_path.ts";

/**
 * Location of an entry in a walk.
 *
 * @internal
 */
export interface WalkPlace {
  /** The path as text. */
  readonly path: string;
  /** The path of its directory as bytes. */
  readonly directory: Uint8Array;
  /** Depth below the root of the walk; its entries have depth 1. */
  readonly depth: number;
  /** Whether it is a directory that contains itself. */
  readonly isLoop: boolean;
}

/** An entry of a directory tree, with its path. */
export class WalkEntry extends Entry {
  /**
   * The path, relative to the root of the walk. Check `hostile` before using
   * it.
   */
  readonly path: string;
  /** Depth below the root of the walk; its entries have depth 1. */
  readonly depth: number;
  /**
   * Whether it leads back to a directory that contains it. It was not followed.
   */
  readonly isLoop: boolean;
  readonly #directory: Uint8Array;

  /**
   * Adds a path to an entry.
   *
   * @param entry The entry
   * @param place Its location
   * @ignore
   */
  constructor(entry: Entry, place: WalkPlace) {
    const [source, index, changes] = changed(entry);
    super(source, index, changes);
    this.path = place.path;
    this.depth = place.depth;
    this.isLoop = place.isLoop;
    this.#directory = place.directory;
  }

  /** The path as bytes. They open the same file in any encoding. */
  get rawPath(): Uint8Array {
    return joinRawEntry(this.#directory, this);
  }

  /**
   * Returns the fields as a plain object.
   *
   * @returns The known fields, path and depth
   */
  override toJSON(): Record<string, unknown> {
    return { path: this.path, depth: this.depth, ...super.toJSON() };
  }
}
