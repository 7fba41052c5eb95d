/**
 * Pauses in long work, so that timers, signals and other connections have their
 * turn.
 *
 * @module
 */

/** Milliseconds of work between two pauses. */
const SLICE = 10;

/** Tells when a loop has to pause. */
export class Breather {
  #last = performance.now();

  /** Whether the work since the last pause has lasted long enough. */
  get isDue(): boolean {
    return performance.now() - this.#last >= SLICE;
  }

  /**
   * Lets the event loop go round once.
   *
   * @param signal Ends the work
   * @throws {unknown} The signal's reason, if it is aborted
   */
  async pause(signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
    this.#last = performance.now();
  }
}

/**
 * Goes through items, with pauses.
 *
 * @param items The items
 * @param visit What is done with each
 * @param signal Ends the work
 * @throws {unknown} The signal's reason, if it is aborted
 */
export async function visitAll<T>(
  items: Iterable<T>,
  visit: (item: T) => void,
  signal?: AbortSignal,
): Promise<void> {
  const breather = new Breather();
  for (const item of items) {
    visit(item);
    if (breather.isDue) await breather.pause(signal);
  }
}

/**
 * Keeps some of many items, with pauses.
 *
 * @param items The items
 * @param isWanted Tells which
 * @param signal Ends the work
 * @returns Those items, in order
 * @throws {unknown} The signal's reason, if it is aborted
 */
export async function filterAll<T>(
  items: Iterable<T>,
  isWanted: (item: T) => boolean,
  signal?: AbortSignal,
): Promise<T[]> {
  const wanted: T[] = [];
  const visit = (item: T): void => {
    if (isWanted(item)) wanted.push(item);
  };
  await visitAll(items, visit, signal);
  return wanted;
}
