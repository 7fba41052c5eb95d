/**
 * Advice in messages of the library, in the words of the command line.
 *
 * @module
 */

/** Options in messages of the library, and those of the command line. */
export const ADVICE: readonly (readonly [library: string, cli: string])[] = [
  ["make it with ensureDir()", 'create it with "ftp mkdir" or --create-dirs'],
  [
    "{ recursive: true } removes a directory with its contents",
    "-r removes a directory with its contents",
  ],
  ['"maxDelete" is', "--max-delete is"],
  ["trust it with `caCerts`", "trust it with --cacert"],
  [
    "add that authority's certificate to `caCerts`",
    "pass that authority's certificate with --cacert",
  ],
  ["not among `caCerts`: add it there", "not in the file of --cacert"],
  [
    'try tls: "implicit", which has port 990, or leave "tls" out to use no TLS',
    "try ftps:// (port 990), or ftp:// to use no TLS",
  ],
  [
    "no password was given in the URL, in the options or in .netrc",
    "no password was given; use FTP_PASSWORD, --password-stdin or --netrc",
  ],
  [
    '{ passive: false }, or { passive: "auto" } if passive mode is refused',
    "--active",
  ],
  ['use { passive: "pasv" }', "use --pasv"],
  [
    'use socks5: or http:, or open the connections yourself with "dial"',
    "use socks5: or http:",
  ],
  ['{ passive: "pasv" } sends', "--pasv sends"],
];

/** A pinned certificate. */
const FINGERPRINT_REGEXP = /tls: \{ fingerprint: "([^"]*)" \}/g;

/** Replaces options of the library by those of the command line. */
export function withFlags(message: string): string {
  return ADVICE.reduce(
    (text, [library, cli]) => text.replaceAll(library, cli),
    message,
  ).replace(
    FINGERPRINT_REGEXP,
    (_, digits: string) => `--fingerprint ${digits}`,
  );
}
