/** Pseudo-random numbers from a seed. */

/** A generator for each case, so that a single case can be repeated. */
export class Random {
  #state: number;

  /** @param seed Any integer. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
    // neighbouring seeds would start with similar numbers
    for (let i = 0; i < 3; i++) this.next();
  }

  /** Returns a number from 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns an integer; both ends are included. */
  between(first: number, last: number): number {
    return first + Math.floor(this.next() * (last - first + 1));
  }

  /** Returns an integer whose order of magnitude is evenly distributed. */
  magnitude(first: number, last: number): number {
    const [from, to] = [Math.log(first), Math.log(last + 1)];
    return Math.floor(Math.exp(from + this.next() * (to - from)));
  }

  /** Returns `true` with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Returns an item, as often as its weight says. */
  pick<const T>(weighted: readonly (readonly [weight: number, value: T])[]): T {
    const total = weighted.reduce((sum, [weight]) => sum + weight, 0);
    let at = this.next() * total;
    for (const [weight, value] of weighted) {
      if ((at -= weight) < 0) return value;
    }
    return weighted[0]![1];
  }
}
