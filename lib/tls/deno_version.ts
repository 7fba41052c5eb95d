/**
 * The Deno version that TLS requires.
 *
 * @module
 */

/** The first version whose `node:tls` accepts a stream and resumes sessions. */
const LEAST = [2, 9] as const;

/**
 * Rejects versions of Deno whose `node:tls` does not work over a stream. They
 * fail late, by a time-out or by an error that cannot be caught.
 *
 * @throws {Deno.errors.NotSupported} If the version is too old
 */
export function checkDenoVersion(version: string = Deno.version.deno): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return;
  throw new Deno.errors.NotSupported(
    `Cannot use TLS with Deno ${version}: FTPS needs Deno ${
      LEAST.join(".")
    } or later; upgrade Deno ("deno upgrade"), or omit "tls" to use clear text`,
  );
}
