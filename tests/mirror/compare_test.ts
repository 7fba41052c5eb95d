import { assertEquals } from "@std/assert";
import {
  isChangedEarlier,
  isWrittenLater,
  type RemoteTime,
} from "../../lib/mirror/compare.ts";

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;

function remote(shown: number, error = 0): RemoteTime {
  return { shown, precision: 1000, zone: 0, difference: [-error, error] };
}

Deno.test("isWrittenLater takes no time in the future for that of an upload", () => {
  const local = NOW - DAY;
  assertEquals(isWrittenLater(local, remote(NOW), NOW), true);
  assertEquals(isWrittenLater(local, remote(NOW + 1000), NOW), false);
  assertEquals(isWrittenLater(local, remote(NOW + 1000, 5000), NOW), true);
  assertEquals(isWrittenLater(local, remote(NOW + 14 * DAY), NOW), false);
  assertEquals(isWrittenLater(NOW + DAY, remote(NOW + 2 * DAY), NOW), false);
});

Deno.test("isChangedEarlier takes no time in the future for that of a download", () => {
  const shown = remote(NOW - DAY);
  assertEquals(isChangedEarlier(NOW, shown, NOW), true);
  assertEquals(isChangedEarlier(NOW + 1, shown, NOW), false);
  assertEquals(isChangedEarlier(NOW + 2 * DAY, remote(NOW + DAY), NOW), false);
});
