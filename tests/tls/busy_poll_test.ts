import { assert, assertEquals } from "@std/assert";
import { BusyPoll } from "../../lib/tls/busy_poll.ts";

const MIB = 1024 * 1024;

/** A clock that moves when it is told to, and by 0.03 ms with each turn. */
class ToldClock {
  time = 1000;
  turns = 0;
  now = () => this.time;
  turn = () => {
    this.turns++;
    this.time += 0.03;
    return Promise.resolve();
  };
}

/** Notes reads of 16 KiB until a MiB is full, in so many milliseconds. */
function fill(poll: BusyPoll, clock: ToldClock, time: number): unknown[] {
  const count = MIB / 16_384;
  return Array.from({ length: count }, () => {
    clock.time += time / count;
    return poll.after(16_384);
  });
}

Deno.test("BusyPoll lets bytes gather for a tenth of a millisecond after a short read of a fast transfer", async () => {
  const clock = new ToldClock();
  const poll = new BusyPoll(clock);
  const waits = fill(poll, clock, 3.9);
  assertEquals(waits.slice(0, -1).filter((wait) => wait !== undefined), []);
  await waits.at(-1);
  assertEquals(clock.turns, 4);
  const next = poll.after(39_999);
  assert(next instanceof Promise);
  await next;
  assertEquals(clock.turns, 8);
});

Deno.test("BusyPoll reads on at once after a long read", () => {
  const clock = new ToldClock();
  const poll = new BusyPoll(clock);
  fill(poll, clock, 1);
  assertEquals(poll.after(40_000), undefined);
});

Deno.test("BusyPoll sleeps where a network sets the speed, also after a fast beginning", () => {
  const clock = new ToldClock();
  const poll = new BusyPoll(clock);
  fill(poll, clock, 1);
  assert(poll.after(1) instanceof Promise);
  const waits = fill(poll, clock, 4.1);
  assertEquals(waits.at(-1), undefined);
  assertEquals(poll.after(1), undefined);
});

Deno.test("BusyPoll leaves turns to others", async () => {
  const poll = new BusyPoll();
  while (poll.after(65_536) === undefined && poll.after(1) === undefined);
  let others = 0;
  const count = () => {
    others++;
    immediate = setImmediate(count);
  };
  let immediate = setImmediate(count);
  await poll.after(1);
  clearImmediate(immediate);
  assert(others > 0, "nothing else ran");
});
