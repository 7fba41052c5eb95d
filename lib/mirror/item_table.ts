/**
 * Entries of a directory by name.
 *
 * @module
 */

import { NameTable } from "./name_table.ts";
import type { Identity, MirrorItem } from "./snapshot.ts";

/** The identity of most entries. */
export const UNKNOWN_IDENTITY: Identity = {};

/** Largest number of entries of a directory that are kept as objects. */
export const MAX_OBJECTS = 4096;

/** Entries whose numbers are in one array. */
const ROWS = 4096;

/** Largest number of different {@linkcode Traits} of packed entries. */
const MAX_TRAITS = 255;

/** Properties that many entries share. */
type Traits = Pick<MirrorItem, "kind" | "timeCommand" | "precision">;

/**
 * The entries of a directory by name, in the order in which they were added. A
 * large directory is packed into arrays: about 90 bytes for each entry.
 */
export class ItemTable {
  #objects = new Map<string, MirrorItem>();
  #packed: PackedItems | undefined;

  /** Number of entries. */
  get size(): number {
    return this.#packed?.size ?? this.#objects.size;
  }

  /** Whether there is an entry of a name. */
  has(name: string): boolean {
    return this.#packed?.has(name) ?? this.#objects.has(name);
  }

  /** Returns the entry of a name. */
  get(name: string): MirrorItem | undefined {
    return this.#packed === undefined
      ? this.#objects.get(name)
      : this.#packed.get(name);
  }

  /** Adds an entry, or replaces the one of the same name. */
  set(item: MirrorItem): void {
    if (this.#packed !== undefined) return this.#packed.set(item);
    this.#objects.set(item.name, item);
    if (this.#objects.size > MAX_OBJECTS) this.#pack();
  }

  /** Returns the names, including those that are added meanwhile. */
  keys(): Generator<string> {
    return this.#visit(
      this.#objects.keys(),
      (packed, index) => packed.name(index),
    );
  }

  /** Returns the entries, including those that are added meanwhile. */
  values(): Generator<MirrorItem> {
    return this.#visit(
      this.#objects.values(),
      (packed, index) => packed.at(index),
    );
  }

  *#visit<T>(
    objects: Iterable<T>,
    read: (packed: PackedItems, index: number) => T,
  ): Generator<T> {
    let at = 0;
    for (const one of objects) {
      at++;
      yield one;
    }
    // it may have been packed meanwhile
    for (; at < (this.#packed?.size ?? 0); at++) yield read(this.#packed!, at);
  }

  #pack(): void {
    this.#packed = new PackedItems();
    for (const item of this.#objects.values()) this.#packed.set(item);
    this.#objects.clear();
  }
}

/** Entries in arrays. */
class PackedItems {
  readonly #names = new NameTable();
  readonly #sizes = new NumberColumn();
  readonly #mtimes = new NumberColumn();
  readonly #ctimes = new NumberColumn();
  readonly #shown = new NumberColumn();
  readonly #traits: Traits[] = [];
  /** Number of an entry's traits plus one, or 0 if it is whole. */
  readonly #kinds: Uint8Array[] = [];
  /** Entries that cannot be packed. */
  readonly #whole = new Map<number, MirrorItem>();

  get size(): number {
    return this.#names.size;
  }

  has(name: string): boolean {
    return this.#names.indexOf(name) >= 0;
  }

  get(name: string): MirrorItem | undefined {
    const index = this.#names.indexOf(name);
    return index < 0 ? undefined : this.at(index, name);
  }

  name(index: number): string {
    return this.#names.at(index);
  }

  at(index: number, name?: string): MirrorItem {
    const traits = this.#kinds[Math.floor(index / ROWS)]![index % ROWS]!;
    if (traits === 0) return this.#whole.get(index)!;
    const { kind, timeCommand, precision } = this.#traits[traits - 1]!;
    return {
      name: name ?? this.#names.at(index),
      kind,
      size: this.#sizes.get(index),
      mtime: this.#mtimes.get(index),
      ctime: this.#ctimes.get(index),
      shown: this.#shown.get(index),
      timeCommand,
      precision,
      identity: UNKNOWN_IDENTITY,
      problem: undefined,
    };
  }

  set(item: MirrorItem): void {
    const index = this.#names.add(item.name);
    if (index % ROWS === 0 && this.#kinds.length <= index / ROWS) {
      this.#kinds.push(new Uint8Array(ROWS));
    }
    const traits = this.#traitsOf(item);
    this.#kinds[Math.floor(index / ROWS)]![index % ROWS] = traits;
    if (traits === 0) return void this.#whole.set(index, item);
    this.#whole.delete(index);
    this.#sizes.set(index, item.size);
    this.#mtimes.set(index, item.mtime);
    this.#ctimes.set(index, item.ctime);
    this.#shown.set(index, item.shown);
  }

  /** Returns the number of an entry's traits plus one; 0 if it stays whole. */
  #traitsOf(item: MirrorItem): number {
    const { kind, timeCommand, precision, identity, problem } = item;
    const { unique, canonical } = identity;
    const isWhole = problem !== undefined || unique !== undefined ||
      canonical !== undefined;
    if (isWhole) return 0;
    const known = this.#traits.findIndex((traits) =>
      traits.kind === kind && traits.timeCommand === timeCommand &&
      traits.precision === precision
    );
    if (known >= 0) return known + 1;
    if (this.#traits.length === MAX_TRAITS) return 0;
    return this.#traits.push({ kind, timeCommand, precision });
  }
}

/** Numbers by index, some of which are missing. */
class NumberColumn {
  readonly #rows: (Float64Array | undefined)[] = [];

  get(index: number): number | undefined {
    const value = this.#rows[Math.floor(index / ROWS)]?.[index % ROWS];
    return Number.isNaN(value) ? undefined : value;
  }

  set(index: number, value: number | undefined): void {
    const row = Math.floor(index / ROWS);
    if (value === undefined && this.#rows[row] === undefined) return;
    this.#rows[row] ??= new Float64Array(ROWS).fill(NaN);
    this.#rows[row][index % ROWS] = value ?? NaN;
  }
}
