import { assertEquals } from "@std/assert";
import { Watchdog } from "../../lib/connection/waiting.ts";

Deno.test("Watchdog.stop is final: a later wait sets no timer", () => {
  // the sanitizers would see the timer
  const watchdog = new Watchdog(60_000, () => {});
  watchdog.begin();
  watchdog.end();
  watchdog.stop();
  watchdog.begin();
  assertEquals(watchdog.waits, 1);
});
