import { assertEquals } from "@std/assert";
import { explainIgnored } from "./ignored.ts";

const NAMES = ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib"];
const WHOLE = { isWanted: true, missing: [], count: 4, hasIPv6: true };

function without(names: string[], reason = "not found") {
  return { ...WHOLE, missing: names.map((name) => ({ name, reason })) };
}

Deno.test("explainIgnored says what is missing, and what brings it", () => {
  assertEquals(
    explainIgnored(920, without(NAMES)),
    "920 ignored: no servers found; deno task servers fetches them",
  );
  assertEquals(
    explainIgnored(230, without(["proftpd", "pyftpdlib"])),
    "230 ignored: no proftpd, pyftpdlib found; deno task servers fetches them",
  );
  assertEquals(
    explainIgnored(230, without(["vsftpd"], "has to be started as root")),
    "230 ignored: vsftpd can only be started by root",
  );
});

Deno.test("explainIgnored says what else a machine lacks", () => {
  assertEquals(
    explainIgnored(7, { ...WHOLE, hasIPv6: false }),
    "7 ignored: this machine has no IPv6",
  );
  assertEquals(
    explainIgnored(927, { ...without(NAMES), hasIPv6: false }),
    "927 ignored: no servers found; deno task servers fetches them; this machine has no IPv6",
  );
  assertEquals(
    explainIgnored(2, WHOLE),
    "2 ignored: this system cannot run them",
  );
});

Deno.test("explainIgnored says that servers were not wanted", () => {
  assertEquals(
    explainIgnored(920, { ...WHOLE, isWanted: false }),
    "920 ignored: no servers are wanted; deno task test runs all that are found",
  );
});
