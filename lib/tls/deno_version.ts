/**
 * Which Deno TLS needs.
 *
 * @module
 */

/** The first version whose `node:tls` takes a stream and resumes sessions. */
const LEAST = [2, 9] as const;

/**
 * Insists on a Deno whose TLS works over a stream of ours: older ones fail late,
 * by a time-out, or by an error that nothing catches.
 *
 * @param version Deno's
 * @throws {Deno.errors.NotSupported} If it is too old
 */
export function checkDenoVersion(version: string = Deno.version.deno): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return;
  throw new Deno.errors.NotSupported(
    `Cannot use TLS with Deno ${version}: FTPS needs Deno ${
      LEAST.join(".")
    } or later; upgrade Deno ("deno upgrade"), or leave "tls" out to talk in clear text`,
  );
}
