/**
 * The certificate that a server shows in a handshake which then fails: the
 * platform keeps it to itself, and TLS 1.2 sends it in clear text.
 *
 * @module
 */

import { ByteBuffer } from "../protocol/byte_buffer.ts";
import { fingerprintOf } from "./certificate.ts";

/** Most bytes of a handshake that are looked at. */
const MAX_SIZE = 64 * 1024;

/** The type of a record of the handshake (RFC 5246, section 6.2.1). */
const HANDSHAKE = 22;

/** The type of the message with the certificates (RFC 5246, section 7.4). */
const CERTIFICATE = 11;

/** What came of a handshake so far. Nothing of it is proven. */
export class ShownCertificate {
  readonly #bytes = new ByteBuffer();

  /**
   * Takes what the server has sent.
   *
   * @param bytes The next bytes, which are copied
   */
  take(bytes: Uint8Array): void {
    const room = MAX_SIZE - this.#bytes.length;
    this.#bytes.append(bytes, 0, Math.min(bytes.length, room));
  }

  /**
   * The SHA-256 of the certificate, in the form of {@linkcode fingerprintOf};
   * `undefined` if none can be seen, as with TLS 1.3.
   */
  get fingerprint(): string | undefined {
    const der = findCertificate(readMessages(this.#bytes.view()));
    if (der === undefined) return undefined;
    try {
      return fingerprintOf(der);
    } catch {
      return undefined; // it cannot be read
    }
  }
}

/** What the records of a handshake carry, one message after the other. */
function readMessages(records: Uint8Array): Uint8Array {
  const messages = new ByteBuffer();
  for (let at = 0; records[at] === HANDSHAKE;) {
    const start = at + 5; // behind type, version and length
    const end = start + numberAt(records, at + 3, 2);
    messages.append(records, start, Math.min(end, records.length));
    at = end;
  }
  return messages.view();
}

/** The first certificate of the message that has them (section 7.4.2). */
function findCertificate(messages: Uint8Array): Uint8Array | undefined {
  for (let at = 0; at < messages.length;) {
    const start = at + 4; // behind type and length
    if (messages[at] === CERTIFICATE) {
      const first = start + 3 + 3; // behind the lengths of all and of this one
      const end = first + numberAt(messages, start + 3, 3);
      return end > messages.length ? undefined : messages.slice(first, end);
    }
    at = start + numberAt(messages, at + 1, 3);
  }
  return undefined;
}

/** A number of some bytes, the highest first; what is missing counts as 0. */
function numberAt(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = at; i < at + size; i++) value = value << 8 | (bytes[i] ?? 0);
  return value;
}
