/**
 * Reads the parts of a certificate (RFC 5280, section 4.1) that `node:crypto`
 * does not expose, as strictly as the platform's TLS does.
 *
 * @module
 */

/** Parts of a certificate that the verification of a chain needs. */
export interface CertificateParts {
  /** Basic constraints: the certificate may issue certificates. */
  isAuthority: boolean;
  /** Basic constraints: the number of authorities allowed below. */
  pathLength: number | undefined;
  /** Key usage: absent, or includes signing certificates. */
  maySign: boolean;
  /** Extended key usage: absent, or includes servers. */
  isForServers: boolean;
  /** Whether the certificate limits the names below it. */
  hasNameConstraints: boolean;
}

/**
 * Names in a certificate (RFC 5280, section 4.2.1.6). Other kinds are ignored.
 */
export interface AlternativeNames {
  /** Every `dNSName`, with any characters. */
  readonly hosts: readonly string[];
  /** Every `iPAddress`, in network byte order. */
  readonly addresses: readonly Uint8Array[];
  /** Every common name of the subject; empty if the extension is present. */
  readonly commonNames: readonly string[];
}

/** An extension of a certificate. */
interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Reader;
}

/** DER tags of the parts of a certificate. */
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OID = 0x06;
const SEQUENCE = 0x30;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

/** DER tags of alternative names; the highest tag number is 8. */
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
const CONTEXT_SPECIFIC = 0b10;
const LAST_NAME = 8;

/** DER tags of strings that are ASCII in a host name. */
const TEXTS = [0x0c, 0x13, 0x14, 0x16];
const SET = 0x31;

/** The encoded number of X.509 version 3. */
const VERSION_3 = 2;

/** The bit "keyCertSign" in the first byte of a key usage. */
const KEY_CERT_SIGN = 0x04;

/** Object identifiers, in hexadecimal. */
const COMMON_NAME = "550403";
const SUBJECT_ALT_NAME = "551d11";
const BASIC_CONSTRAINTS = "551d13";
const KEY_USAGE = "551d0f";
const EXTENDED_KEY_USAGE = "551d25";
const NAME_CONSTRAINTS = "551d1e";
const CERTIFICATE_POLICIES = "551d20"; // understood because no policy is required
const SERVER_AUTH = "2b06010505070301";
const ANY_USAGE = "551d2500";

const UNDERSTOOD = new Set([
  SUBJECT_ALT_NAME,
  BASIC_CONSTRAINTS,
  KEY_USAGE,
  EXTENDED_KEY_USAGE,
  NAME_CONSTRAINTS,
  CERTIFICATE_POLICIES,
]);

/** Reads DER values one after another. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  get nextTag(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** Reads the next value, which must have the tag. Returns its content. */
  take(tag: number): Uint8Array {
    const found = this.nextTag;
    if (found !== tag) {
      throw new SyntaxError("it has a part of an unexpected kind");
    }
    return this.skip();
  }

  /** Reads the next value, with any tag. */
  skip(): Uint8Array {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    let length = bytes[at++] ?? 0x80;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count < 1 || count > 3) throw new SyntaxError("it is not in DER");
      length = 0;
      for (let i = 0; i < count; i++) length = length << 8 | (bytes[at++] ?? 0);
      // DER allows only the shortest form of a length
      if (length < (count === 1 ? 0x80 : 1 << 8 * (count - 1))) {
        throw new SyntaxError("it is not in DER");
      }
    }
    const end = at + length;
    if (end > bytes.length) throw new SyntaxError("it is cut off");
    this.#at = end;
    return bytes.subarray(at, end);
  }

  /** Rejects further values. */
  finish(): void {
    if (!this.isAtEnd) throw new SyntaxError("something follows its end");
  }
}

/**
 * Reads the parts of a certificate.
 *
 * @throws {SyntaxError} If it is not X.509 version 3 in DER, or has a critical
 * extension that is not supported
 */
export function readCertificate(der: Uint8Array): CertificateParts {
  const parts: CertificateParts = {
    isAuthority: false,
    pathLength: undefined,
    maySign: true,
    isForServers: true,
    hasNameConstraints: false,
  };
  for (const { id, isCritical, value } of readExtensions(der)) {
    if (isCritical && !UNDERSTOOD.has(id)) {
      throw new SyntaxError(
        "it has a critical extension that is not supported",
      );
    }
    readExtension(id, value, parts);
  }
  return parts;
}

/**
 * Reads the names of a certificate. The platform's text of them is not used,
 * because a mail address in it may look like a host name.
 *
 * @throws {SyntaxError} If it is not X.509 version 3 in DER
 */
export function readAlternativeNames(der: Uint8Array): AlternativeNames {
  const hosts: string[] = [];
  const addresses: Uint8Array[] = [];
  const { value } =
    readExtensions(der).find(({ id }) => id === SUBJECT_ALT_NAME) ?? {};
  if (value === undefined) {
    return { hosts, addresses, commonNames: readCommonNames(der) };
  }
  const names = new Reader(value.take(SEQUENCE));
  value.finish();
  while (!names.isAtEnd) {
    const tag = names.nextTag!;
    if (tag >> 6 !== CONTEXT_SPECIFIC || (tag & 0x1f) > LAST_NAME) {
      throw new SyntaxError("it has a name of an unknown kind");
    }
    const name = names.skip();
    if (tag === DNS_NAME) hosts.push(new TextDecoder().decode(name));
    if (tag === IP_ADDRESS) addresses.push(name);
  }
  return { hosts, addresses, commonNames: [] };
}

/**
 * Reads every common name of the subject, in order; "" for one that is not
 * plain text.
 */
function readCommonNames(der: Uint8Array): string[] {
  const names: string[] = [];
  const certificate = new Reader(new Reader(der).take(SEQUENCE));
  const body = new Reader(certificate.take(SEQUENCE));
  body.take(VERSION);
  for (const tag of [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE]) body.take(tag);
  const subject = new Reader(body.take(SEQUENCE));
  while (!subject.isAtEnd) {
    const attributes = new Reader(subject.take(SET));
    while (!attributes.isAtEnd) {
      const attribute = new Reader(attributes.take(SEQUENCE));
      if (toHex(attribute.take(OID)) !== COMMON_NAME) continue;
      const isText = TEXTS.includes(attribute.nextTag ?? 0);
      const value = attribute.skip();
      names.push(isText ? new TextDecoder().decode(value) : "");
    }
  }
  return names;
}

function readExtensions(der: Uint8Array): Extension[] {
  const outer = new Reader(der);
  const certificate = new Reader(outer.take(SEQUENCE));
  outer.finish();
  const body = new Reader(certificate.take(SEQUENCE));
  const algorithm = certificate.take(SEQUENCE);
  certificate.take(BIT_STRING);
  certificate.finish();

  if (body.nextTag !== VERSION) {
    throw new SyntaxError("it is of X.509 version 1; 3 is required");
  }
  const version = new Reader(body.take(VERSION)).take(INTEGER);
  if (version.length !== 1 || version[0] !== VERSION_3) {
    throw new SyntaxError("it is not of X.509 version 3");
  }
  body.take(INTEGER); // serial number
  if (toHex(body.take(SEQUENCE)) !== toHex(algorithm)) {
    throw new SyntaxError("it names two algorithms for its signature");
  }
  body.take(SEQUENCE); // issuer
  body.take(SEQUENCE); // validity
  body.take(SEQUENCE); // subject
  body.take(SEQUENCE); // public key
  if (body.isAtEnd) return [];
  const wrapper = new Reader(body.take(EXTENSIONS));
  const list = new Reader(wrapper.take(SEQUENCE));
  wrapper.finish();
  body.finish();
  const extensions: Extension[] = [];
  const ids = new Set<string>();
  while (!list.isAtEnd) {
    const extension = new Reader(list.take(SEQUENCE));
    const id = toHex(extension.take(OID));
    const isCritical = extension.nextTag === BOOLEAN &&
      extension.take(BOOLEAN)[0] !== 0;
    const value = new Reader(extension.take(OCTET_STRING));
    extension.finish();
    if (ids.has(id)) throw new SyntaxError("it has an extension twice");
    ids.add(id);
    extensions.push({ id, isCritical, value });
  }
  return extensions;
}

function readExtension(
  id: string,
  value: Reader,
  parts: CertificateParts,
): void {
  switch (id) {
    case BASIC_CONSTRAINTS: {
      const constraints = new Reader(value.take(SEQUENCE));
      parts.isAuthority = constraints.nextTag === BOOLEAN &&
        constraints.take(BOOLEAN)[0] !== 0;
      if (!constraints.isAtEnd) {
        parts.pathLength = parseInt(toHex(constraints.take(INTEGER)), 16);
      }
      break;
    }
    case KEY_USAGE:
      // the first byte is the number of unused bits
      parts.maySign = ((value.take(BIT_STRING)[1] ?? 0) & KEY_CERT_SIGN) !== 0;
      break;
    case EXTENDED_KEY_USAGE: {
      const usages = new Reader(value.take(SEQUENCE));
      parts.isForServers = false;
      while (!usages.isAtEnd) {
        const usage = toHex(usages.take(OID));
        if (usage === SERVER_AUTH || usage === ANY_USAGE) {
          parts.isForServers = true;
        }
      }
      break;
    }
    case NAME_CONSTRAINTS:
      parts.hasNameConstraints = true;
  }
}

function toHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}
