import { assert } from "@std/assert";

/**
 * Leaves a loop at the first item; fails if there is none.
 *
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
