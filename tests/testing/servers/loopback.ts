/**
 * Addresses and ports for the servers of one test file. Simultaneous test runs
 * and test files do not share them. On Linux all of 127.0.0.0/8 is this
 * machine, so each file has two of these addresses. It also has some ports of
 * `::1`.
 */

/** Largest number of test files that run at once. */
const SHARES = 250;

/** Ports below the range the system gives out by itself. On `::1`, each share has its part of them. */
const FIRST_PORT = 12_000;
const LAST_PORT = 32_000;
const IPV6_PORTS = (LAST_PORT - FIRST_PORT) / SHARES;

/**
 * First port of the guards. Each share has its own address and port, in case
 * another program listens on all addresses.
 */
const FIRST_GUARD_PORT = FIRST_PORT - SHARES;

/** The addresses and ports of one test file. */
interface Share {
  /** Address of the servers. */
  readonly host: string;
  /** Address of a proxy with the same ports as its server. */
  readonly proxyHost: string;
  /** First port on `::1`. */
  readonly ipv6Port: number;
  /**
   * Open as long as the share is taken. The system allows only one listener.
   */
  readonly guard: Deno.Listener | undefined;
}

function takeShare(): Share {
  const start = Math.floor(Math.random() * SHARES);
  for (let i = 0; i < SHARES; i++) {
    const number = (start + i) % SHARES;
    const host = `127.77.${number}.1`;
    try {
      const port = FIRST_GUARD_PORT + number;
      const guard = Deno.listen({ hostname: host, port });
      const ipv6Port = FIRST_PORT + number * IPV6_PORTS;
      return { host, proxyHost: `127.77.${number}.2`, ipv6Port, guard };
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) continue;
      break; // loopback has one address here
    }
  }
  // Test runs may meet, then.
  const [host, proxyHost] = ["127.0.0.1", "127.0.0.2"];
  return { host, proxyHost, ipv6Port: FIRST_PORT, guard: undefined };
}

const share = takeShare();

/** Address of the servers. */
export const SERVER_HOST = share.host;

/** Address of a proxy. */
export const PROXY_HOST = share.proxyHost;

/** Address of the servers on IPv6. */
export const SERVER_HOST_IPV6 = "::1";

/** Whether the machine has IPv6; many containers do not. */
export const HAS_IPV6 = canListen(SERVER_HOST_IPV6);

function canListen(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

const next = { ipv4: 0, ipv6: 0 };

/**
 * Reserves consecutive ports without a listener.
 *
 * @param host `SERVER_HOST`, whose ports are also free at `PROXY_HOST`, or
 * `SERVER_HOST_IPV6`
 * @param count Number of ports
 * @returns The first port
 */
export function takePorts(host: string, count: number): number {
  const isIPv6 = host === SERVER_HOST_IPV6;
  const family = isIPv6 ? "ipv6" : "ipv4";
  const [first, size] = isIPv6
    ? [share.ipv6Port, IPV6_PORTS]
    : [FIRST_PORT, LAST_PORT - FIRST_PORT];
  const hosts = isIPv6 ? [host] : [host, PROXY_HOST];
  for (let tried = 0; tried < size; tried += count) {
    if (next[family] + count > size) next[family] = 0; // those of then are long free again
    const port = first + next[family];
    next[family] += count;
    if (areFree(hosts, port, count)) return port;
  }
  throw new Error(`Cannot find ${count} free ports on "${host}"`);
}

function areFree(
  hosts: readonly string[],
  first: number,
  count: number,
): boolean {
  try {
    for (let port = first; port < first + count; port++) {
      for (const hostname of hosts) Deno.listen({ hostname, port }).close();
    }
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
