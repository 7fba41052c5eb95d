/**
 * Iteration over the items of batches.
 *
 * @module
 */

/**
 * Iterates over the items of batches. An async generator would cost more for
 * each item than reading its line. Behaves as one: nothing runs before the first
 * `next()`, calls are answered in order, and `return()` ends the batches.
 */
export class BatchIterator<Item, Value> implements AsyncGenerator<Value> {
  readonly #batches: AsyncGenerator<readonly Item[]>;
  readonly #valueOf: (item: Item) => Value;
  #batch: readonly Item[] = [];
  #at = 0;
  #isDone = false;
  /** The last call that had to wait, until it is answered. */
  #last: Promise<unknown> | undefined;

  /**
   * Creates an iterator.
   *
   * @param valueOf Called with each item when it is asked for
   */
  constructor(
    batches: AsyncGenerator<readonly Item[]>,
    valueOf: (item: Item) => Value,
  ) {
    this.#batches = batches;
    this.#valueOf = valueOf;
  }

  next(): Promise<IteratorResult<Value, undefined>> {
    if (this.#last !== undefined || this.#at === this.#batch.length) {
      return this.#inTurn(() => this.#pull());
    }
    try {
      const value = this.#valueOf(this.#batch[this.#at++]!);
      return Promise.resolve({ done: false, value });
    } catch (error) {
      return this.throw(error);
    }
  }

  return(value?: unknown): Promise<IteratorResult<Value, undefined>> {
    return this.#inTurn(async () => {
      await this.#close();
      return { done: true, value: await value as undefined };
    });
  }

  throw(error: unknown): Promise<IteratorResult<Value, undefined>> {
    return this.#inTurn(async () => {
      await this.#close();
      throw error;
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Runs a call after those that wait. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last === undefined ? run() : this.#last.then(run, run);
    const settle = () => {
      if (this.#last === result) this.#last = undefined;
    };
    this.#last = result;
    result.then(settle, settle);
    return result;
  }

  async #pull(): Promise<IteratorResult<Value, undefined>> {
    try {
      while (this.#at === this.#batch.length) {
        if (this.#isDone) return { done: true, value: undefined };
        const { done, value } = await this.#batches.next();
        this.#isDone = done === true;
        this.#batch = done ? [] : value;
        this.#at = 0;
      }
      const value = this.#valueOf(this.#batch[this.#at++]!);
      return { done: false, value };
    } catch (error) {
      await this.#close();
      throw error;
    }
  }

  async #close(): Promise<void> {
    this.#isDone = true;
    this.#batch = [];
    this.#at = 0;
    await this.#batches.return(undefined);
  }
}
