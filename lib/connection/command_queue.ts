/**
 * Commands on their way to the socket, and how many bytes of them may be
 * without a reply.
 *
 * @module
 */

/** Commands written in one piece are joined up to this many bytes. */
const WRITE_SIZE = 64 * 1024;

/**
 * Bytes of commands without a reply that any server can bear: less than a
 * segment and than the buffer of a command. ProFTPD (1.3.8) joins two commands
 * to one where a read of its own ends between CR and LF.
 */
const SAFE_IN_FLIGHT = 512;

/** Commands that are written in order, joined, and no more than may be. */
export class CommandQueue {
  #waiting: Uint8Array[] = [];
  #inFlight = 0;
  #maxInFlight: number;
  #isUrgent = false;
  /** How many of those that wait may be written; the others are held. */
  #mayGo: number | undefined;

  /**
   * Makes an empty one.
   *
   * @param isJoining Whether a command may follow another that has no reply yet
   */
  constructor(isJoining: boolean) {
    this.#maxInFlight = isJoining ? SAFE_IN_FLIGHT : 0;
  }

  /** Whether a command may follow another that has no reply yet. */
  get isJoining(): boolean {
    return this.#maxInFlight > 0;
  }

  /** Whether a few bytes of commands may be without a reply, and no more. */
  get isLimited(): boolean {
    return this.isJoining && this.#maxInFlight !== Infinity;
  }

  /**
   * Sets the limit on bytes of commands that have no reply yet.
   *
   * @param size Bytes; 0 for one command at a time, which nothing changes again
   */
  limit(size: number): void {
    if (this.isJoining) this.#maxInFlight = size;
  }

  /** Whether no command waits to be written. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /**
   * Adds a command.
   *
   * @param line Its bytes, with CRLF
   * @param isUrgent Whether it, and so what is before it, must not wait for
   * replies (`ABOR`)
   */
  add(line: Uint8Array, isUrgent: boolean): void {
    this.#waiting.push(line);
    this.#isUrgent ||= isUrgent;
  }

  /** Whether what is added is held. */
  get isHolding(): boolean {
    return this.#mayGo !== undefined;
  }

  /** Holds what is added from here on, until {@linkcode release}. */
  hold(): void {
    this.#mayGo ??= this.#waiting.length;
  }

  /** Lets what is held be written. */
  release(): void {
    this.#mayGo = undefined;
  }

  /**
   * Adds a command before all that wait, which waits for no reply and is not
   * held.
   *
   * @param line Its bytes, with CRLF
   */
  addFirst(line: Uint8Array): void {
    this.#waiting.unshift(line);
    this.#isUrgent = true;
    if (this.#mayGo !== undefined) this.#mayGo++;
  }

  /**
   * Takes what may be written now, joined, so that a pipeline is few segments.
   *
   * @returns The bytes; `undefined` if there is room for none until a reply
   * comes, or nothing waits
   */
  take(): Uint8Array | undefined {
    const waiting = this.#waiting;
    const most = this.#isUrgent ? Infinity : this.#maxInFlight;
    const room = most - this.#inFlight;
    const end = Math.min(waiting.length, this.#mayGo ?? Infinity);
    let size = 0;
    let count = 0;
    while (count < end && size < WRITE_SIZE) {
      const next = size + waiting[count]!.length;
      if (next > room && this.#inFlight + size > 0) break;
      size = next;
      count++;
    }
    if (count === 0) return undefined;
    this.#inFlight += size;
    const taken = waiting.splice(0, count);
    if (this.#mayGo !== undefined) this.#mayGo -= count;
    if (waiting.length === 0 || this.#mayGo === 0) this.#isUrgent = false;
    return count === 1 ? taken[0]! : concat(taken, size);
  }

  /**
   * Makes room: a reply to a command has come, its first or another.
   *
   * @param command The command, whose bytes make room once
   * @param isLast Whether no other is without a reply
   */
  answered(command: { size: number }, isLast: boolean): void {
    this.#inFlight = isLast ? 0 : this.#inFlight - command.size;
    command.size = 0;
  }
}

function concat(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const joined = new Uint8Array(size);
  let at = 0;
  for (const bytes of pieces) {
    joined.set(bytes, at);
    at += bytes.length;
  }
  return joined;
}
