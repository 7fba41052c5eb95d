/** Random numbers that a seed repeats (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 to `limit`, `limit` excluded. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000 * limit);
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

/**
 * The seed of this run: the variable FTP_SEED, where a failure is to be
 * repeated, or the time.
 */
export function chooseSeed(): number {
  return readInteger("FTP_SEED", 0) ?? Date.now() % 0x8000_0000;
}

/**
 * How many random cases a property is tried with.
 *
 * @param usual As many as the gate has time for
 * @param variable The variable that asks for more
 */
export function chooseCount(
  usual: number,
  variable = "FTP_PROPERTY_CASES",
): number {
  return readInteger(variable, 1) ?? usual;
}

/** A variable's integer: what is none must not make a test of nothing. */
export function readInteger(name: string, lowest: number): number | undefined {
  const given = Deno.env.get(name);
  if (given === undefined) return undefined;
  const value = Number(given);
  if (given.trim() !== "" && Number.isSafeInteger(value) && value >= lowest) {
    return value;
  }
  throw new RangeError(
    `Cannot use ${name}="${given}": it must be an integer from ${lowest}`,
  );
}
