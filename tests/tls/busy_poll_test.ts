import { assert, assertEquals } from "@std/assert";
import { BusyPoll } from "../../lib/tls/busy_poll.ts";

const MIB = 1024 * 1024;

/** A machine whose clock moves when it is told to, and by 0.03 ms a turn. */
class ToldMachine {
  time = 1000;
  #turns: (() => void)[] = [];
  now = () => this.time;
  turn = (callback: () => void) => void this.#turns.push(callback);

  /** Turns until nobody wants another turn, or often enough; tells how often. */
  run(most = Infinity): number {
    let count = 0;
    while (count < most && this.turnOnce()) count++;
    return count;
  }

  /** Turns once, if somebody wants that. */
  turnOnce(): boolean {
    const next = this.#turns.shift();
    if (next === undefined) return false;
    this.time += 0.03;
    next();
    return true;
  }
}

/** Has `note` called with 16 KiB until a MiB is full, in so many milliseconds. */
function fill<T>(
  machine: ToldMachine,
  time: number,
  note: (size: number) => T,
): T[] {
  const count = MIB / 16_384;
  return Array.from({ length: count }, () => {
    machine.time += time / count;
    return note(16_384);
  });
}

Deno.test("BusyPoll lets bytes gather for a fifth of a millisecond after a short read of a fast transfer", async () => {
  const machine = new ToldMachine();
  const poll = new BusyPoll(machine);
  const waits = fill(machine, 3.9, (size) => poll.afterRead(size));
  assertEquals(waits.slice(0, -1).filter((wait) => wait !== undefined), []);
  assertEquals(machine.run(), 7);
  await waits.at(-1);
  const next = poll.afterRead(39_999);
  assertEquals(machine.run(), 7);
  await next;
});

Deno.test("BusyPoll reads on at once after a long read", () => {
  const machine = new ToldMachine();
  const poll = new BusyPoll(machine);
  fill(machine, 1, (size) => poll.afterRead(size));
  machine.run();
  assertEquals(poll.afterRead(40_000), undefined);
  assertEquals(machine.run(), 0);
});

Deno.test("BusyPoll sleeps where a network sets the speed, also after a fast beginning", () => {
  const machine = new ToldMachine();
  const poll = new BusyPoll(machine);
  fill(machine, 1, (size) => poll.afterRead(size));
  assert(poll.afterRead(1) instanceof Promise);
  machine.run();
  fill(machine, 4.1, (size) => poll.afterRead(size));
  machine.run();
  assertEquals(poll.afterRead(1), undefined);
  fill(machine, 4.1, (size) => poll.afterWrite(size));
  assertEquals(machine.run(), 0);
});

Deno.test("BusyPoll stays awake between fast writes and for two milliseconds after the last", () => {
  const machine = new ToldMachine();
  const poll = new BusyPoll(machine);
  fill(machine, 1, (size) => poll.afterWrite(size));
  poll.afterWrite(262_144);
  assertEquals(machine.run(), Math.ceil(2 / 0.03));
  poll.afterWrite(262_144);
  assert(machine.run() > 0, "asleep");
});

Deno.test("BusyPoll.stop lets everybody sleep, and whoever reads go on", async () => {
  const machine = new ToldMachine();
  const poll = new BusyPoll(machine);
  fill(machine, 1, (size) => poll.afterWrite(size));
  const wait = poll.afterRead(1);
  poll.stop();
  assertEquals(machine.run(), 1);
  await wait;
});

Deno.test("BusyPoll lets a read go on in its time while writes keep it awake", async () => {
  const machine = new ToldMachine();
  const poll = new BusyPoll(machine);
  fill(machine, 1, (size) => poll.afterWrite(size));
  const start = machine.time;
  let end = Infinity;
  const wait = poll.afterRead(1)?.then(() => end = machine.time);
  for (let i = 0; i < 100; i++) {
    poll.afterWrite(262_144);
    machine.turnOnce();
    await Promise.resolve();
  }
  await wait;
  assert(end - start < 0.3, `after ${end - start} ms`);
  machine.run();
});

Deno.test("BusyPoll sleeps although the clock stands still", async () => {
  const machine = new ToldMachine();
  const poll = new BusyPoll({ now: () => 0, turn: machine.turn });
  for (let i = 0; i < 100; i++) poll.afterWrite(262_144);
  const wait = poll.afterRead(1);
  assert(wait instanceof Promise);
  assert(machine.run(20_000) < 20_000, "it spins");
  await wait;
});

Deno.test("BusyPoll leaves turns to others", async () => {
  const poll = new BusyPoll();
  while (poll.afterRead(65_536) === undefined && !poll.afterRead(1));
  let others = 0;
  const count = () => {
    others++;
    immediate = setImmediate(count);
  };
  let immediate = setImmediate(count);
  await poll.afterRead(1);
  clearImmediate(immediate);
  assert(others > 0, "nothing else ran");
});
