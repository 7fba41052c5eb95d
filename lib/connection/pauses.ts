/**
 * Pauses in long computations, so that timers, signals and other connections
 * are served.
 *
 * @module
 */

/** Milliseconds of work between two pauses. */
const SLICE = 10;

/** Decides when a loop has to pause. */
export class PauseTimer {
  #last = performance.now();

  /** Whether a pause is due. */
  get isDue(): boolean {
    return performance.now() - this.#last >= SLICE;
  }

  /** Runs one turn of the event loop. */
  async pause(signal?: AbortSignal): Promise<void> {
    await nextLoopTurn(signal);
    this.#last = performance.now();
  }
}

/** Waits for the next turn of the event loop. */
export async function nextLoopTurn(signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  signal?.throwIfAborted();
}

/** Visits items, with pauses. */
export async function visitAll<T>(
  items: Iterable<T>,
  visit: (item: T) => void,
  signal?: AbortSignal,
): Promise<void> {
  const pauses = new PauseTimer();
  for (const item of items) {
    visit(item);
    if (pauses.isDue) await pauses.pause(signal);
  }
}

/** Filters items, with pauses. */
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
