/**
 * The temporary path of an entry that replaces one of another kind.
 *
 * @module
 */

/** Maps paths of the target while one of its entries is built elsewhere. */
export class Staging {
  #path: string | undefined;
  #temporary = "";

  /**
   * Builds an entry and everything in it under another path.
   *
   * @returns Its disposal ends that
   */
  begin(path: string, temporary: string): Disposable {
    this.#path = path;
    this.#temporary = temporary;
    return { [Symbol.dispose]: () => this.#path = undefined };
  }

  /** Returns where an entry is now. */
  at(path: string): string {
    const staged = this.#path;
    if (staged === undefined) return path;
    const isBelow = path === staged || path.startsWith(`${staged}/`);
    return isBelow ? this.#temporary + path.slice(staged.length) : path;
  }
}
