/**
 * Finds the server's final flight in the bytes of a handshake of TLS 1.2.
 *
 * @module
 */

/** The record that precedes Finished (RFC 5246, section 7.1). */
const CHANGE_CIPHER_SPEC = 20;

/** The first and the last type of a record. */
const TYPES = [CHANGE_CIPHER_SPEC, 23] as const;

/** Bytes before the content of a record: type, version, length. */
const RECORD_HEAD = 5;

/** Longest content of a record (RFC 5246, section 6.2.3). */
const MAX_RECORD = 16 * 1024 + 2048;

/** Bytes of a handshake, divided. */
export interface HandshakeBytes {
  /** Bytes to feed at once. May be empty. */
  readonly before: Uint8Array;
  /**
   * The final flight, complete, with what follows. It ends the handshake, so
   * the platform stores the session when it is fed.
   */
  readonly flight: Uint8Array | undefined;
}

/** Divides the bytes of a handshake before its final flight. */
export class FinalFlight {
  #held: Uint8Array = new Uint8Array(0);
  #isFound = false;

  /** Whether the flight was found, or the bytes are not TLS. */
  get isOver(): boolean {
    return this.#isFound;
  }

  /** Takes bytes of the server. Holds back incomplete records. */
  take(bytes: Uint8Array): HandshakeBytes {
    const all = new Uint8Array(this.#held.length + bytes.length);
    all.set(this.#held);
    all.set(bytes, this.#held.length);
    let at = 0;
    for (let end; (end = endOfRecord(all, at)) !== undefined; at = end) {
      if (end === NOT_TLS) return this.#end(all, undefined);
      if (all[at] !== CHANGE_CIPHER_SPEC) continue;
      if (endOfRecord(all, end) === undefined) break; // Finished follows
      return this.#end(all.subarray(0, at), all.slice(at));
    }
    this.#held = all.slice(at);
    return { before: all.slice(0, at), flight: undefined };
  }

  /** Returns what is held back, at the end of the stream. */
  rest(): Uint8Array {
    return this.#end(this.#held, undefined).before;
  }

  #end(before: Uint8Array, flight: Uint8Array | undefined): HandshakeBytes {
    this.#isFound = true;
    this.#held = new Uint8Array(0);
    return { before: before.slice(), flight };
  }
}

/** Result for bytes that are not a record. */
const NOT_TLS = -1;

/** Returns where a record ends, `undefined` if it is incomplete. */
function endOfRecord(bytes: Uint8Array, at: number): number | undefined {
  const type = bytes[at];
  if (type === undefined) return undefined;
  if (type < TYPES[0] || type > TYPES[1]) return NOT_TLS;
  if (at + RECORD_HEAD > bytes.length) return undefined;
  const length = bytes[at + 3]! << 8 | bytes[at + 4]!;
  if (length > MAX_RECORD) return NOT_TLS;
  const end = at + RECORD_HEAD + length;
  return end <= bytes.length ? end : undefined;
}
