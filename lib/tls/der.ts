/**
 * The parts of a certificate (RFC 5280, section 4.1) that `node:crypto` does
 * not tell, read as strictly as the platform's TLS reads them.
 *
 * @module
 */

/** What the chain of trust needs to know of a certificate. */
export interface CertificateParts {
  /** Basic constraints: may issue certificates. */
  isAuthority: boolean;
  /** Basic constraints: how many authorities may follow below. */
  pathLength: number | undefined;
  /** Key usage: absent, or signing certificates is among it. */
  maySign: boolean;
  /** Extended key usage: absent, or servers are among it. */
  isForServers: boolean;
  /** Whether names below are limited. */
  hasNameConstraints: boolean;
}

/** Whom a certificate is for (RFC 5280, section 4.2.1.6): other kinds count for nothing here. */
export interface AlternativeNames {
  /** Each `dNSName`, whatever its characters. */
  readonly hosts: readonly string[];
  /** Each `iPAddress`, in the order of the network. */
  readonly addresses: readonly Uint8Array[];
  /** Each common name of the subject; none where the extension is there. */
  readonly commonNames: readonly string[];
}

/** One extension. */
interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Reader;
}

/** DER's tags of what a certificate is made of. */
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OID = 0x06;
const SEQUENCE = 0x30;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

/** DER's tags of what a name may be; the last kind has the number 8. */
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
const CONTEXT_SPECIFIC = 0b10;
const LAST_NAME = 8;

/** DER's tags of texts that are ASCII where they name a host. */
const TEXTS = [0x0c, 0x13, 0x14, 0x16];
const SET = 0x31;

/** X.509 version 3, as it is encoded. */
const VERSION_3 = 2;

/** The bit of "keyCertSign" in the first byte of a key usage. */
const KEY_CERT_SIGN = 0x04;

/** Hexadecimal object identifiers. */
const COMMON_NAME = "550403";
const SUBJECT_ALT_NAME = "551d11";
const BASIC_CONSTRAINTS = "551d13";
const KEY_USAGE = "551d0f";
const EXTENDED_KEY_USAGE = "551d25";
const NAME_CONSTRAINTS = "551d1e";
const CERTIFICATE_POLICIES = "551d20"; // nobody here asks for a policy
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

/** Reads one value after another. */
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

  /** Takes the next value, which must have the tag; gives its content. */
  take(tag: number): Uint8Array {
    const found = this.nextTag;
    if (found !== tag) throw new SyntaxError("it is not in order");
    return this.skip();
  }

  /** Takes the next value, whatever it is. */
  skip(): Uint8Array {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    let length = bytes[at++] ?? 0x80;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count < 1 || count > 3) throw new SyntaxError("it is not in DER");
      length = 0;
      for (let i = 0; i < count; i++) length = length << 8 | (bytes[at++] ?? 0);
      // a length has one form only: the shortest
      if (length < (count === 1 ? 0x80 : 1 << 8 * (count - 1))) {
        throw new SyntaxError("it is not in DER");
      }
    }
    const end = at + length;
    if (end > bytes.length) throw new SyntaxError("it is cut off");
    this.#at = end;
    return bytes.subarray(at, end);
  }

  /** Nothing may follow. */
  finish(): void {
    if (!this.isAtEnd) throw new SyntaxError("something follows its end");
  }
}

/**
 * Reads a certificate.
 *
 * @param der The certificate
 * @returns What the chain of trust needs to know
 * @throws {SyntaxError} If it is not X.509 version 3 in DER, or has a critical
 * extension that is not understood
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
      throw new SyntaxError("it has a critical extension that is not known");
    }
    readExtension(id, value, parts);
  }
  return parts;
}

/**
 * Reads whom a certificate is for. Not from the platform's text of it, in which
 * a mail address may look like a host's name.
 *
 * @param der The certificate
 * @returns The names
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
      throw new SyntaxError("it has a name of no kind");
    }
    const name = names.skip();
    if (tag === DNS_NAME) hosts.push(new TextDecoder().decode(name));
    if (tag === IP_ADDRESS) addresses.push(name);
  }
  return { hosts, addresses, commonNames: [] };
}

/** Each common name of the subject, in its order; "" for what is no plain text. */
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
      // the first byte counts the unused bits
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
