/**
 * Finds the certificate in a handshake that failed. The platform does not
 * expose it, but TLS 1.2 sends it in clear text.
 *
 * @module
 */

import { ByteBuffer } from "../protocol/byte_buffer.ts";
import { fingerprintOf } from "./certificate.ts";

/** Largest number of handshake bytes that are kept. */
const MAX_SIZE = 64 * 1024;

/** Type of a handshake record (RFC 5246, section 6.2.1). */
const HANDSHAKE = 22;

/** Type of the certificate message (RFC 5246, section 7.4). */
const CERTIFICATE = 11;

/** The server's side of a handshake so far. Nothing in it is proven. */
export class ShownCertificate {
  readonly #bytes = new ByteBuffer();

  /** Adds a copy of bytes that the server sent. */
  take(bytes: Uint8Array): void {
    const room = MAX_SIZE - this.#bytes.length;
    this.#bytes.append(bytes, 0, Math.min(bytes.length, room));
  }

  /**
   * SHA-256 of the certificate, in the form of {@linkcode fingerprintOf};
   * `undefined` if none is visible, as with TLS 1.3.
   */
  get fingerprint(): string | undefined {
    const der = findCertificate(readMessages(this.#bytes.view()));
    if (der === undefined) return undefined;
    try {
      return fingerprintOf(der);
    } catch {
      return undefined; // not a readable certificate
    }
  }
}

/** Joins the contents of handshake records. */
function readMessages(records: Uint8Array): Uint8Array {
  const messages = new ByteBuffer();
  for (let at = 0; records[at] === HANDSHAKE;) {
    const start = at + 5; // after type, version and length
    const end = start + numberAt(records, at + 3, 2);
    messages.append(records, start, Math.min(end, records.length));
    at = end;
  }
  return messages.view();
}

/** Finds the first certificate of the certificate message (section 7.4.2). */
function findCertificate(messages: Uint8Array): Uint8Array | undefined {
  for (let at = 0; at < messages.length;) {
    const start = at + 4; // after type and length
    if (messages[at] === CERTIFICATE) {
      const first = start + 3 + 3; // after the length of all and the length of this one
      const end = first + numberAt(messages, start + 3, 3);
      return end > messages.length ? undefined : messages.slice(first, end);
    }
    at = start + numberAt(messages, at + 1, 3);
  }
  return undefined;
}

/** Reads a big-endian number; missing bytes count as 0. */
function numberAt(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = at; i < at + size; i++) value = value << 8 | (bytes[i] ?? 0);
  return value;
}
