import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  abortable,
  anySignal,
  delay,
  Watchdog,
  withEither,
} from "../../lib/connection/waiting.ts";
import { MAX_MILLISECONDS } from "../../lib/protocol/check_number.ts";

Deno.test("Watchdog.stop is final: a later wait sets no timer", () => {
  // the sanitizers would see the timer
  const watchdog = new Watchdog(60_000, () => {});
  watchdog.begin();
  watchdog.end();
  watchdog.stop();
  watchdog.begin();
  assertEquals(watchdog.waits, 1);
});

Deno.test("anySignal() is aborted by each of its signals, with that reason", () => {
  const own = new AbortController();
  assertStrictEquals(anySignal(own.signal), own.signal);
  assertStrictEquals(anySignal(own.signal, undefined, own.signal), own.signal);
  for (const at of [0, 1]) {
    const controllers = [new AbortController(), new AbortController()];
    const [first, second] = controllers.map(({ signal }) => signal);
    const joined = anySignal(first!, second);
    assertEquals(joined.aborted, false);
    controllers[at]!.abort(`reason ${at}`);
    assertEquals(joined.reason, `reason ${at}`);
  }
});

Deno.test("delay() ends when its signal is aborted, and leaves no timer", async () => {
  const controller = new AbortController();
  const waiting = delay(MAX_MILLISECONDS * 2, controller.signal);
  controller.abort("enough");
  assertEquals(await waiting.catch((reason) => reason), "enough");
  await delay(0);
});

Deno.test("abortable() prefers a settled promise to an aborted signal, and leaves no listener", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = countListeners(signal);
  assertEquals(await abortable(Promise.resolve(1), signal), 1);
  assertEquals(listeners(), 0);
  const failing = abortable(Promise.reject(new Error("own")), signal);
  assertEquals((await failing.catch((error) => error)).message, "own");
  assertEquals(listeners(), 0);
  const waits = [1, 2, 3].map(() => abortable(new Promise(() => {}), signal));
  assertEquals(listeners(), 1); // they share it
  controller.abort("enough");
  assertEquals(
    await Promise.allSettled(waits),
    waits.map(() => ({ status: "rejected" as const, reason: "enough" })),
  );
  assertEquals(await abortable(Promise.resolve(2), signal), 2);
  const late = abortable(new Promise(() => {}), signal);
  assertEquals(await late.catch((reason) => reason), "enough");
});

Deno.test("withEither() follows both signals, and leaves no listener", async () => {
  for (const at of [0, 1]) {
    for (const isBefore of [true, false]) {
      const controllers = [new AbortController(), new AbortController()];
      const [first, second] = controllers.map(({ signal }) => signal);
      const listeners = [first!, second!].map(countListeners);
      const abort = () => controllers[at]!.abort(`reason ${at}`);
      if (isBefore) abort();
      const reason = await withEither(first!, second!, (signal) => {
        if (!isBefore) abort();
        return Promise.resolve(signal.reason);
      });
      assertEquals(reason, `reason ${at}`);
      assertEquals(listeners[1 - at]!(), 0);
    }
  }
});

Deno.test("Ticker expires only the watchdog without progress, and leaves no timer", async () => {
  const expired: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const owner = new Watchdog(80, () => expired.push("owner"));
  const other = new Watchdog(80, () => {
    expired.push("other");
    resolve();
  }, owner.ticker);
  const touching = setInterval(() => owner.touch(), 5);
  owner.begin();
  other.begin();
  await promise;
  assertEquals(expired, ["other"]);
  clearInterval(touching);
  other.stop();
  owner.end();
  owner.stop();
});

Deno.test("Ticker.during changes its timer once for several waits", async () => {
  const watchdog = new Watchdog(60_000, () => {});
  watchdog.begin(); // sets the timer
  watchdog.end();
  const { refTimer, unrefTimer } = Deno;
  const changes: string[] = [];
  Deno.refTimer = (id) => {
    changes.push("on");
    refTimer(id);
  };
  Deno.unrefTimer = (id) => {
    changes.push("off");
    unrefTimer(id);
  };
  try {
    await watchdog.ticker.during(async () => {
      for (let wait = 0; wait < 3; wait++) {
        watchdog.begin();
        await Promise.resolve();
        watchdog.end();
      }
    });
    assertEquals(changes, ["on", "off"]);
  } finally {
    Object.assign(Deno, { refTimer, unrefTimer });
    watchdog.stop();
  }
});

Deno.test("Watchdog counts for a data connection after the control connection is closed", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const control = new Watchdog(40, () => {});
  const data = new Watchdog(40, resolve, control.ticker);
  control.begin();
  data.begin();
  control.end();
  control.stop();
  await promise;
  data.end();
});

/** Counts the abort listeners that are added and not removed. */
function countListeners(signal: AbortSignal): () => number {
  let count = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: unknown[]) => {
    count++;
    Reflect.apply(addEventListener, signal, args);
  };
  signal.removeEventListener = (...args: unknown[]) => {
    count--;
    Reflect.apply(removeEventListener, signal, args);
  };
  return () => count;
}
