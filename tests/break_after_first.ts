import { assert } from "@std/assert";

/**
 * Begins a loop and leaves it at the first item; fails where there is none, and nothing was left early.
 *
 * @param items What to loop over
 * @returns The item
 */
export async function breakAfterFirst<T>(items: AsyncIterable<T>): Promise<T> {
  const seen: T[] = [];
  for await (const item of items) {
    seen.push(item);
    break;
  }
  assert(seen.length === 1, "there was nothing to begin with");
  return seen[0]!;
}
