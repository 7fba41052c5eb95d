/**
 * An entry with another name or time zone.
 *
 * @module
 */

import type {
  Entry,
  EntryKind,
  EntrySource,
  TimePrecision,
} from "../listing/entry.ts";

/** The name of an entry. */
export interface EntryName {
  /** The name as text. */
  readonly text: string;
  /** The name as bytes. */
  readonly raw: Uint8Array;
}

/** Properties that replace those of the entry. */
export interface EntryChanges {
  /** The name. */
  readonly name?: EntryName | undefined;
  /** Zone of the time, in minutes east of UTC. */
  readonly zone?: number | undefined;
}

/** The source of an entry that is based on another entry. */
export class EntryView implements EntrySource {
  readonly #entry: Entry;
  readonly #name: EntryName | undefined;
  readonly #zone: number;

  /** Creates a view. */
  constructor(entry: Entry, { name, zone = 0 }: EntryChanges = {}) {
    this.#entry = entry;
    this.#name = name;
    this.#zone = zone;
  }

  name(): string {
    return this.#name?.text ?? this.#entry.name;
  }

  rawName(): Uint8Array {
    return this.#name?.raw ?? this.#entry.rawName;
  }

  kind(): EntryKind {
    return this.#entry.kind;
  }

  size(): number | undefined {
    return this.#entry.size;
  }

  isSizeApproximate(): boolean {
    return this.#entry.isSizeApproximate;
  }

  mtime(): Date | undefined {
    const { mtime } = this.#entry;
    return mtime && new Date(mtime.getTime() - this.#zone * 60_000);
  }

  mtimePrecision(): TimePrecision | undefined {
    return this.#entry.mtimePrecision;
  }

  mode(): number | undefined {
    return this.#entry.mode;
  }

  linkTarget(): string | undefined {
    return this.#entry.linkTarget;
  }

  owner(): string | undefined {
    return this.#entry.owner;
  }

  group(): string | undefined {
    return this.#entry.group;
  }

  facts(): Record<string, string> | undefined {
    return this.#entry.facts;
  }

  line(): string {
    return this.#entry.line;
  }

  format(): string {
    return this.#entry.format;
  }
}
