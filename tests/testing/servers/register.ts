/** Registers tests that run against the real servers. */

import { HAS_IPV6 } from "./loopback.ts";
import { PROXIES } from "./proxies.ts";
import type {
  ServerFeatures,
  ServerName,
  ServerOptions,
} from "./real_server.ts";
import {
  type RealServer,
  serverKind,
  SERVERS,
  startServer,
} from "./start_server.ts";

/**
 * Longest time of a test, in milliseconds: five times the slowest on a busy
 * machine.
 */
const TEST_TIMEOUT = 120_000;

/** How {@linkcode serverTest} chooses and starts the servers. */
export interface ServerTestOptions extends ServerOptions {
  /** Only these servers. @default {all four} */
  servers?: readonly ServerName[];
  /** Only servers that can do this. @default {all} */
  needs?: (features: ServerFeatures) => boolean;
  /** Leaves the test out on this machine. @default {false} */
  ignore?: boolean;
  /** Options that have to be made when the test runs, such as certificates. */
  prepare?: () => Promise<ServerOptions>;
}

/**
 * Registers a test for each server. The test gets a running server.
 *
 * @param title The sentence; the name of the server is added
 * @param test The test
 * @param options Servers, and how to start them
 */
export function serverTest(
  title: string,
  test: (server: RealServer, context: Deno.TestContext) => void | Promise<void>,
  options: ServerTestOptions = {},
): void {
  reportServers();
  const { servers, needs, prepare, ignore = false, ...serverOptions } = options;
  for (const kind of SERVERS) {
    if (servers !== undefined && !servers.includes(kind.name)) continue;
    if (needs !== undefined && !needs(kind.features)) continue;
    Deno.test({
      name: `${title} (${kind.name})`,
      ignore: ignore || isIgnored(kind.name) ||
        serverOptions.ipv6 === true && !HAS_IPV6,
      timeout: TEST_TIMEOUT, // names the test that hangs, and lets the others run
      fn: async (context) => {
        await using server = await startServer(kind.name, {
          ...serverOptions,
          ...await prepare?.(),
        });
        await test(server, context);
      },
    });
  }
}

/**
 * Whether tests that need a server are skipped: it is missing and not required,
 * or servers are disabled (`FTP_SERVERS=none`).
 */
export function isIgnored(name: ServerName): boolean {
  if (Deno.env.get("FTP_SERVERS") === "none") return true;
  return serverKind(name).missing() !== undefined &&
    Deno.env.get("FTP_REQUIRE_SERVERS") !== "1";
}

/** Prints the servers that were found, once for each run. */
export function reportServers(): void {
  if (Deno.env.get("FTP_SERVERS_REPORTED") === String(Deno.pid)) return;
  Deno.env.set("FTP_SERVERS_REPORTED", String(Deno.pid));
  const found = [...SERVERS, ...PROXIES].map((kind) =>
    `${kind.name} ${kind.missing() ?? "found"}`
  );
  if (!HAS_IPV6) {
    found.push(`IPv6 not found (it is not possible to listen on "::1")`);
  }
  console.log(`Servers for the tests: ${found.join(", ")}`);
}
