/**
 * The Deno versions that FTP and TLS require.
 *
 * @module
 */

/** What needs a version of Deno. */
type Protocol = "FTP" | "FTPS";

/**
 * The first versions. Before 2.9, `node:tls` does not accept a stream or does
 * not resume sessions. Before 2.3, `RegExp.escape` is missing.
 */
const LEAST: Record<Protocol, readonly [major: number, minor: number]> = {
  FTP: [2, 3],
  FTPS: [2, 9],
};

/** What to do. */
const ADVICE: Record<Protocol, string> = {
  FTP: 'upgrade Deno ("deno upgrade")',
  FTPS: 'upgrade Deno ("deno upgrade"), or omit "tls" to use clear text',
};

/**
 * Rejects versions of Deno that would fail late: by a time-out, or by an error
 * that cannot be caught or that blames the server.
 *
 * @throws {Deno.errors.NotSupported} If the version is too old
 */
export function checkDenoVersion(
  protocol: Protocol,
  version: string = Deno.version.deno,
): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const least = LEAST[protocol];
  if (major > least[0] || (major === least[0] && minor >= least[1])) return;
  throw new Deno.errors.NotSupported(
    `Cannot use ${
      protocol === "FTPS" ? "TLS" : protocol
    } with Deno ${version}: ${protocol} needs Deno ${
      least.join(".")
    } or later; ${ADVICE[protocol]}`,
  );
}
