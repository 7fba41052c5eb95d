/**
 * Names with numbers, outside of the JavaScript heap.
 *
 * @module
 */

/** UTF-16 code units in a block of names. */
const BLOCK_SIZE = 65_536;

/** Names whose positions are in one array. */
const ROWS = 4096;

/** Number of slots at first; a power of two. */
const MIN_SLOTS = 8192;

/** Words of a name: its hash, its block, its start and its length. */
const WORDS = 4;

/** Part of the slots that may be used. */
const MAX_LOAD = 0.75;

/** The characters of a name. */
interface NamePosition {
  readonly block: Uint16Array;
  readonly start: number;
  readonly length: number;
}

/** A set of names, numbered in the order in which they were added. */
export class NameTable {
  readonly #blocks: Uint16Array[] = [];
  /** Free code units at the end of the last block. */
  #free = 0;
  readonly #rows: Int32Array[] = [];
  #size = 0;
  /** Numbers of names plus one, by hash; 0 for a free slot. */
  #slots = new Int32Array(MIN_SLOTS);
  // a server that knew the hash could choose names with equal ones
  readonly #seeds = crypto.getRandomValues(new Int32Array(2));

  /** Number of names. */
  get size(): number {
    return this.#size;
  }

  /** Returns the number of a name; -1 if it was not added. */
  indexOf(name: string): number {
    return this.#slots[this.#slotOf(name, this.#hashOf(name))]! - 1;
  }

  /** Adds a name if it is new, and returns its number. */
  add(name: string): number {
    const hash = this.#hashOf(name);
    const slot = this.#slotOf(name, hash);
    const known = this.#slots[slot]! - 1;
    if (known >= 0) return known;
    const index = this.#size++;
    this.#slots[slot] = index + 1;
    this.#store(index, name, hash);
    if (this.#size > this.#slots.length * MAX_LOAD) this.#grow();
    return index;
  }

  /** Returns the name with a number. */
  at(index: number): string {
    const { block, start, length } = this.#positionOf(index);
    let text = "";
    // fromCharCode() with all units overflows the stack for long names
    for (let at = start; at < start + length; at += ROWS) {
      const units = block.subarray(at, Math.min(start + length, at + ROWS));
      text += String.fromCharCode.apply(null, units as unknown as number[]);
    }
    return text;
  }

  #rowOf(index: number): Int32Array {
    return this.#rows[Math.floor(index / ROWS)]!;
  }

  #positionOf(index: number): NamePosition {
    const row = this.#rowOf(index);
    const at = (index % ROWS) * WORDS;
    return {
      block: this.#blocks[row[at + 1]!]!,
      start: row[at + 2]!,
      length: row[at + 3]!,
    };
  }

  #store(index: number, name: string, hash: number): void {
    const { length } = name;
    if (length > this.#free || this.#blocks.length === 0) {
      this.#free = Math.max(BLOCK_SIZE, length);
      this.#blocks.push(new Uint16Array(this.#free));
    }
    const block = this.#blocks.at(-1)!;
    const start = block.length - this.#free;
    this.#free -= length;
    for (let at = 0; at < length; at++) block[start + at] = name.charCodeAt(at);
    if (index % ROWS === 0) this.#rows.push(new Int32Array(ROWS * WORDS));
    const words = [hash, this.#blocks.length - 1, start, length];
    this.#rowOf(index).set(words, (index % ROWS) * WORDS);
  }

  /** Returns the slot of a name, or the free slot for it. */
  #slotOf(name: string, hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let index; (index = this.#slots[slot]! - 1) >= 0;) {
      if (this.#isAt(index, name, hash)) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #isAt(index: number, name: string, hash: number): boolean {
    if (this.#rowOf(index)[(index % ROWS) * WORDS] !== hash) return false;
    const { block, start, length } = this.#positionOf(index);
    if (length !== name.length) return false;
    for (let at = 0; at < length; at++) {
      if (block[start + at] !== name.charCodeAt(at)) return false;
    }
    return true;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#size; index++) {
      let slot = this.#rowOf(index)[(index % ROWS) * WORDS]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }

  #hashOf(name: string): number {
    let hash = this.#seeds[0]!;
    const factor = this.#seeds[1]! | 1;
    for (let at = 0; at < name.length; at++) {
      hash = Math.imul(hash ^ name.charCodeAt(at), factor);
      hash ^= hash >>> 15;
    }
    return hash;
  }
}
