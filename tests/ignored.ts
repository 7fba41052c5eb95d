/**
 * Explains why tests were skipped, and how to run them.
 *
 * @module
 */

/** Properties of the machine that tests need. */
export interface Machine {
  /** Whether tests against real servers are wanted. */
  readonly isWanted: boolean;
  /** The servers that cannot be started, and why. */
  readonly missing: readonly { name: string; reason: string }[];
  /** How many servers the tests know. */
  readonly count: number;
  readonly hasIPv6: boolean;
}

/**
 * Returns the last line of a run.
 *
 * @param ignored Number of skipped tests
 * @param machine The machine
 */
export function explainIgnored(ignored: number, machine: Machine): string {
  const reasons = [...serverReasons(machine)];
  if (!machine.hasIPv6) reasons.push("this machine has no IPv6");
  return `${ignored} ignored: ${
    reasons.join("; ") || "this system cannot run them"
  }`;
}

function* serverReasons(
  { isWanted, missing, count }: Machine,
): Generator<string> {
  if (!isWanted) {
    return yield "no servers are wanted; deno task test runs all that are found";
  }
  const isAbsent = ({ reason }: { reason: string }) => !/\broot\b/.test(reason);
  const absent = missing.filter(isAbsent);
  if (absent.length > 0) {
    const names = absent.length === count
      ? "no servers"
      : `no ${absent.map(({ name }) => name).join(", ")}`;
    yield `${names} found; deno task servers fetches them`;
  }
  const others = missing.filter((one) => !isAbsent(one));
  if (others.length > 0) {
    yield `${
      others.map(({ name }) => name).join(", ")
    } can only be started by root`;
  }
}
