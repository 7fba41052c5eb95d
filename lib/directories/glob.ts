/**
 * Globs: patterns of paths, matched in linear time.
 *
 * @module
 */

import { showValue } from "../protocol/check_word.ts";
import { quote } from "../protocol/printable.ts";

/** A pattern of paths: a glob, or a regular expression. */
export type Pattern = string | RegExp;

/**
 * A set of characters: ranges of code points, and whether they are excluded.
 */
interface CharacterSet {
  readonly ranges: readonly (readonly [first: number, last: number])[];
  readonly isNegated: boolean;
}

/**
 * A state of the automaton. A step consumes one code point that `takes` allows;
 * a fork consumes none.
 */
type State =
  | { readonly takes: (code: number) => boolean; readonly next: number }
  | { readonly forks: number[] }
  | { readonly isEnd: true };

/** An open part of a glob while it is compiled: the whole glob, or a brace. */
interface Group {
  /** State before the first alternative. */
  readonly start: number;
  /** Last states of complete alternatives. */
  readonly ends: number[];
  /** Position of the brace; -1 for the whole glob. */
  readonly at: number;
}

const SLASH = 0x2F;

/** A glob as an automaton, whose states are all followed at once. */
export class Glob {
  readonly #states: State[] = [];
  readonly #glob: string;
  readonly #name: string;

  /**
   * Compiles a glob.
   *
   * @throws {TypeError} If it is malformed, or cannot match any path
   */
  constructor(glob: string, name: string) {
    this.#glob = glob;
    this.#name = name;
    this.#checkSegments();
    this.#compile();
  }

  /**
   * Whether a whole path matches.
   *
   * @param path The path, without a leading slash
   */
  matches(path: string): boolean {
    let current = this.#reach([0]);
    for (const character of path) {
      const code = character.codePointAt(0)!;
      const next: number[] = [];
      for (const index of current) {
        const state = this.#states[index]!;
        if ("takes" in state && state.takes(code)) next.push(state.next);
      }
      if (next.length === 0) return false;
      current = this.#reach(next);
    }
    return current.values().some((index) => "isEnd" in this.#states[index]!);
  }

  /** Adds all states that are reached without a character. */
  #reach(from: readonly number[]): Set<number> {
    const reached = new Set(from);
    // a set iterates over elements added during the iteration
    for (const index of reached) {
      const state = this.#states[index]!;
      if (!("forks" in state)) continue;
      for (const next of state.forks) reached.add(next);
    }
    return reached;
  }

  #checkSegments(): void {
    const glob = this.#glob;
    if (glob === "") throw this.#bad("it is empty");
    if (glob.startsWith("/")) {
      throw this.#bad(
        "a glob is relative to the directory where the walk begins; leave the leading slash out",
      );
    }
    if (glob.startsWith("!")) {
      throw this.#bad(
        'a glob excludes nothing; use "skip", or a backslash before the "!" of a name',
      );
    }
    if (glob.endsWith("/")) {
      throw this.#bad("it ends in a slash, and no path does; leave it out");
    }
    const segments = glob.split("/");
    const odd = ["", ".", ".."].find((odd) => segments.includes(odd));
    if (odd === undefined) return;
    throw this.#bad(
      odd === ""
        ? "it has two slashes in a row, and no path does"
        : `it has the segment "${odd}", and no path does`,
    );
  }

  #compile(): void {
    const glob = this.#glob;
    const groups: Group[] = [{ start: this.#fork(), ends: [], at: -1 }];
    let last = groups[0]!.start; // the fork that the next part is attached to
    for (let at = 0; at < glob.length;) {
      const group = groups.at(-1)!;
      const isInBrace = group.at >= 0;
      const sign = glob[at]!;
      if (sign === "{") {
        groups.push({ start: last, ends: [], at });
        last = this.#join(last);
        at++;
      } else if (isInBrace && sign === ",") {
        group.ends.push(last);
        last = this.#join(group.start);
        at++;
      } else if (sign === "}") {
        if (!isInBrace) throw this.#bad('it has "}" without "{"');
        if (glob.slice(group.at, at) === "{") {
          throw this.#bad('"{}" has no alternatives');
        }
        groups.pop();
        group.ends.push(last);
        last = this.#fork();
        for (const end of group.ends) this.#forksOf(end).push(last);
        at++;
      } else if (sign === "*") {
        [last, at] = this.#star(last, at);
      } else if (sign === "?") {
        last = this.#take(last, isNoSlash);
        at++;
      } else if (sign === "[") {
        const [set, end] = this.#readSet(at);
        last = this.#take(last, (code) => isIn(set, code));
        at = end;
      } else {
        if (sign === "\\") at++;
        const code = glob.codePointAt(at);
        if (code === undefined) throw this.#bad("it ends in a backslash");
        last = this.#take(last, (other) => other === code);
        at += code > 0xFFFF ? 2 : 1;
      }
    }
    if (groups.length > 1) throw this.#bad('it has "{" without "}"');
    this.#forksOf(last).push(this.#states.push({ isEnd: true }) - 1);
  }

  /** Compiles `*`, characters of one segment, and `**`, whole segments. */
  #star(last: number, at: number): [last: number, at: number] {
    const glob = this.#glob;
    if (glob[at + 1] !== "*") {
      const loop = this.#join(last);
      this.#takeTo(loop, isNoSlash, loop);
      return [this.#join(loop), at + 1];
    }
    const before = glob[at - 1] ?? "/";
    const after = glob[at + 2] ?? "";
    const isSegment = "/{,".includes(before) && "/},".includes(after);
    if (!isSegment) {
      throw this.#bad('"**" must be a whole segment, such as in "**/*.csv"');
    }
    if (after === "/") { // none, or several, each with its slash
      const segments = this.#join(last);
      const inner = this.#fork();
      this.#takeTo(segments, isNoSlash, inner);
      this.#takeTo(inner, isNoSlash, inner);
      this.#takeTo(inner, (code) => code === SLASH, segments);
      return [this.#join(segments), at + 3];
    }
    const rest = this.#take(last, () => true);
    this.#takeTo(rest, () => true, rest);
    return [this.#join(rest), at + 2];
  }

  /** Reads `[a-z]`, `[!a-z]` or `[^a-z]`. `]` is a member if it comes first. */
  #readSet(start: number): [set: CharacterSet, end: number] {
    const codes = [...this.#glob.slice(start + 1)];
    let at = 0;
    const isNegated = codes[at] === "!" || codes[at] === "^";
    if (isNegated) at++;
    const first = at;
    const ranges: [number, number][] = [];
    while (at < codes.length && (codes[at] !== "]" || at === first)) {
      if (codes[at] === "[" && codes[at + 1] === ":") {
        throw this.#bad(
          '"[:" begins a class of POSIX, which globs do not have here',
        );
      }
      if (codes[at] === "\\") at++;
      const low = codes[at++]?.codePointAt(0);
      if (low === undefined) break;
      let high = low;
      const isRange = codes[at] === "-" && at + 1 < codes.length &&
        codes[at + 1] !== "]";
      if (isRange) {
        at += codes[at + 1] === "\\" ? 2 : 1;
        high = codes[at++]?.codePointAt(0) ?? -1;
        if (high < low) throw this.#bad("it has a range in the wrong order");
      }
      ranges.push([low, high]);
    }
    if (codes[at] !== "]") throw this.#bad('it has "[" without "]"');
    const length = codes.slice(0, at + 1).join("").length;
    return [{ ranges, isNegated }, start + 1 + length];
  }

  #fork(): number {
    return this.#states.push({ forks: [] }) - 1;
  }

  #forksOf(index: number): number[] {
    return (this.#states[index] as { forks: number[] }).forks;
  }

  /** Adds a fork after another one. */
  #join(from: number): number {
    const next = this.#fork();
    this.#forksOf(from).push(next);
    return next;
  }

  /** Adds a step after a fork. Returns the fork after it. */
  #take(from: number, takes: (code: number) => boolean): number {
    const next = this.#fork();
    this.#takeTo(from, takes, next);
    return next;
  }

  #takeTo(from: number, takes: (code: number) => boolean, next: number): void {
    this.#forksOf(from).push(this.#states.push({ takes, next }) - 1);
  }

  #bad(why: string): TypeError {
    return new TypeError(
      `Cannot use ${quote(this.#glob)} as "${this.#name}": ${why}`,
    );
  }
}

function isNoSlash(code: number): boolean {
  return code !== SLASH;
}

function isIn({ ranges, isNegated }: CharacterSet, code: number): boolean {
  if (code === SLASH) return false;
  const isMember = ranges.some(([low, high]) => low <= code && code <= high);
  return isMember !== isNegated;
}

/**
 * Creates a test for paths.
 *
 * @throws {TypeError} If a pattern is malformed, or none
 */
export function makeMatcher(
  patterns: Pattern | readonly Pattern[],
  name: string,
): (path: string, below: string) => boolean {
  const all: readonly Pattern[] = Array.isArray(patterns)
    ? patterns
    : [patterns];
  for (const pattern of all) {
    if (typeof pattern === "string" || pattern instanceof RegExp) continue;
    throw new TypeError(
      `Cannot use ${
        showValue(pattern)
      } as "${name}": it must be a glob, a regular expression, or an array of them`,
    );
  }
  const tests = all.map((pattern) => {
    if (typeof pattern === "string") {
      const glob = new Glob(pattern, name);
      return (_path: string, below: string) => glob.matches(below);
    }
    return (path: string) => {
      pattern.lastIndex = 0; // with the flag "g", the last use changed it
      return pattern.test(path);
    };
  });
  return (path, below) => tests.some((test) => test(path, below));
}
