import { assertEquals, assertStrictEquals } from "@std/assert";
import { anySignal, delay, Watchdog } from "../../lib/connection/waiting.ts";
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
