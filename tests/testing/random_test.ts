import { assertEquals, assertThrows } from "@std/assert";
import { chooseCount, chooseSeed } from "./random.ts";

const VARIABLES = ["FTP_SEED", "FTP_PROPERTY_CASES"];

/** Runs with the variables set, and gives back what they were. */
function withVariables(
  values: Record<string, string | undefined>,
  run: () => void,
): void {
  const before = VARIABLES.map((name) => [name, Deno.env.get(name)] as const);
  const set = ([name, value]: readonly [string, string | undefined]) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  try {
    Object.entries(values).forEach(set);
    run();
  } finally {
    before.forEach(set);
  }
}

Deno.test("chooseCount gives what the gate has time for, or what is asked", () => {
  withVariables({ FTP_PROPERTY_CASES: undefined }, () => {
    assertEquals(chooseCount(20), 20);
  });
  withVariables({ FTP_PROPERTY_CASES: "1000000" }, () => {
    assertEquals(chooseCount(20), 1_000_000);
  });
});

Deno.test("chooseCount refuses a count that would try nothing", () => {
  for (const value of ["0", "-1", "", " ", "many", "1.5", "Infinity"]) {
    withVariables({ FTP_PROPERTY_CASES: value }, () => {
      assertThrows(() => chooseCount(20), RangeError, `"${value}"`);
    });
  }
});

Deno.test("chooseSeed gives the seed that is asked for, and refuses what is none", () => {
  withVariables({ FTP_SEED: "20240229" }, () => {
    assertEquals(chooseSeed(), 20_240_229);
  });
  withVariables({ FTP_SEED: "x" }, () => {
    assertThrows(() => chooseSeed(), RangeError, '"x"');
  });
});
