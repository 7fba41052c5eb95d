/**
 * Reads the option `proxy`, a URL.
 *
 * @module
 */

import { Secrets } from "../protocol/redaction.ts";

/** Protocol of a proxy. */
export type ProxyProtocol = "socks5" | "http";

/** Default ports: of RFC 1928, and of the URL scheme. */
const DEFAULT_PORTS: Record<ProxyProtocol, number> = { socks5: 1080, http: 80 };

/** Longest user or password, in bytes (RFC 1929 section 2). */
const MAX_CREDENTIAL = 255;

const ENCODER = new TextEncoder();

/** User and password for a proxy. */
export interface ProxyCredentials {
  readonly user: string;
  readonly password: string;
}

/** A proxy. Its credentials are kept where no inspection shows them. */
export class ProxyAddress {
  /** Protocol of the proxy. */
  readonly protocol: ProxyProtocol;
  /** A name or an address, IPv6 without brackets. */
  readonly hostname: string;
  /** Its TCP port. */
  readonly port: number;
  readonly #credentials: ProxyCredentials | undefined;

  /**
   * Reads the URL.
   *
   * @param url Option of the user: "socks5:" or "http:", with or without user
   * and password
   * @throws {TypeError} If the URL is not usable. The message does not contain
   * it, because it may have a password
   */
  constructor(url: string | URL) {
    const text = String(url).trim();
    const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
    if (scheme === undefined) {
      throw refusal("it must be a URL with the scheme socks5:// or http://");
    }
    const protocol = scheme === "socks5h" ? "socks5" : scheme;
    if (protocol !== "socks5" && protocol !== "http") {
      throw refusal(
        `the scheme "${scheme}" is not supported; use socks5: or http:, or open the connections yourself with "dial"`,
      );
    }
    const rest = text.slice(scheme.length);
    // "http:" hides its port 80, "https:" does not
    const parsed = URL.parse(`http${rest}`);
    const other = URL.parse(`https${rest}`);
    if (parsed === null || other === null) {
      throw refusal(
        "the URL cannot be read; escape special characters of user and password, such as %40 for @",
      );
    }
    if (!/^\/?$/.test(parsed.pathname + parsed.search + parsed.hash)) {
      throw refusal(
        "the URL must end after the host and the port; escape special characters of user and password, such as %2F for /",
      );
    }
    this.protocol = protocol;
    this.hostname = parsed.hostname.replace(/^\[(.*)\]$/, "$1");
    this.port = Number(parsed.port || other.port || DEFAULT_PORTS[protocol]);
    if (this.port === 0) throw refusal("the port must be 1 to 65535");
    this.#credentials = readCredentials(protocol, parsed);
  }

  /** User and password; `undefined` if the URL has none. */
  get credentials(): ProxyCredentials | undefined {
    return this.#credentials;
  }

  /** The proxy in messages, without user and password. */
  get shown(): string {
    const { hostname, port } = this;
    return `the proxy "${
      hostname.includes(":") ? `[${hostname}]` : hostname
    }:${port}"`;
  }

  /** Masks user and password in the proxy's text. */
  mask(text: string): string {
    const { credentials } = this;
    if (credentials === undefined) return text;
    const secrets = new Secrets();
    for (const secret of [credentials.password, basicToken(credentials)]) {
      secrets.note({ verb: "PASS", argument: secret });
    }
    return secrets.mask(text);
  }
}

/** Encodes user and password as HTTP does (RFC 7617). */
export function basicToken({ user, password }: ProxyCredentials): string {
  const bytes = ENCODER.encode(`${user}:${password}`);
  return btoa(String.fromCharCode(...bytes));
}

function readCredentials(
  protocol: ProxyProtocol,
  url: URL,
): ProxyCredentials | undefined {
  if (url.username === "" && url.password === "") return undefined;
  const user = decode(url.username);
  const password = decode(url.password);
  if (protocol === "http") {
    if (!user.includes(":")) return { user, password };
    throw refusal("the user of an HTTP proxy cannot have a colon");
  }
  for (const [name, value] of Object.entries({ user, password })) {
    const { length } = ENCODER.encode(value);
    if (length >= 1 && length <= MAX_CREDENTIAL) continue;
    throw refusal(
      `the ${name} of a SOCKS5 proxy must have 1 to ${MAX_CREDENTIAL} bytes, and it has ${length}`,
    );
  }
  return { user, password };
}

function decode(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw refusal(
      "the user or the password has a % without an escape; write %25",
    );
  }
  // deno-lint-ignore no-control-regex
  if (!/[\x00-\x1F\x7F]/.test(decoded)) return decoded;
  throw refusal("the user or the password has a control character");
}

function refusal(why: string): TypeError {
  return new TypeError(`Cannot use "proxy": ${why}`);
}
