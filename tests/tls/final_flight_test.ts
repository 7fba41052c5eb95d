import { assertEquals } from "@std/assert";
import { FinalFlight } from "../../lib/tls/final_flight.ts";

function record(type: number, ...content: number[]): number[] {
  return [type, 3, 3, content.length >> 8, content.length & 255, ...content];
}

const HELLO = record(22, 2, 0, 0, 1, 9);
const CHANGE = record(20, 1);
const FINISHED = record(22, 7, 7, 7, 7);
const DATA = record(23, 5, 5);
const ALL = [...HELLO, ...CHANGE, ...FINISHED, ...DATA];

/** Takes bytes in pieces; gives what was fed at once, and the flight. */
function divide(pieces: readonly (readonly number[])[]): {
  before: number[];
  flight: number[] | undefined;
} {
  const divider = new FinalFlight();
  const before: number[] = [];
  for (const [i, piece] of pieces.entries()) {
    const given = divider.take(Uint8Array.from(piece));
    before.push(...given.before);
    if (given.flight === undefined) {
      if (!divider.isOver) continue;
      before.push(...pieces.slice(i + 1).flat()); // nothing is divided any more
      return { before, flight: undefined };
    }
    assertEquals(divider.isOver, true);
    return { before, flight: [...given.flight, ...pieces.slice(i + 1).flat()] };
  }
  assertEquals(divider.isOver, false);
  before.push(...divider.rest());
  return { before, flight: undefined };
}

Deno.test("FinalFlight finds ChangeCipherSpec and Finished, however they are cut", () => {
  const expected = {
    before: HELLO,
    flight: [...CHANGE, ...FINISHED, ...DATA],
  };
  for (let i = 0; i <= ALL.length; i++) {
    for (let j = i; j <= ALL.length; j++) {
      const pieces = [ALL.slice(0, i), ALL.slice(i, j), ALL.slice(j)];
      assertEquals(divide(pieces), expected, `${i}, ${j}`);
    }
  }
  assertEquals(divide(ALL.map((byte) => [byte])), expected);
});

Deno.test("FinalFlight holds back a flight without Finished, and gives it at the end", () => {
  const cut = [...HELLO, ...CHANGE, ...FINISHED.slice(0, -1)];
  for (let i = 0; i <= cut.length; i++) {
    assertEquals(divide([cut.slice(0, i), cut.slice(i)]), {
      before: cut,
      flight: undefined,
    });
  }
});

Deno.test("FinalFlight passes on what is not TLS", () => {
  const others = [
    [...new TextEncoder().encode("220 hello\r\n")],
    [...HELLO, 99, 1, 2, 3],
    [22, 3, 3, 255, 255, 1],
    [...HELLO, 19],
    [...HELLO, 24],
  ];
  for (const bytes of others) {
    assertEquals(divide([bytes]), { before: bytes, flight: undefined });
    assertEquals(divide([bytes.slice(0, 1), bytes.slice(1)]), {
      before: bytes,
      flight: undefined,
    });
  }
});
