/**
 * Queue of commands that wait to be written, with a limit on unanswered bytes.
 *
 * @module
 */

import { joinBytes } from "../protocol/bytes.ts";

/** Commands that are written together are joined up to this many bytes. */
const WRITE_SIZE = 64 * 1024;

/**
 * Unanswered bytes that every server can handle: less than a TCP segment, and
 * than a command buffer. ProFTPD (1.3.8) merges two commands if one of its
 * reads ends between CR and LF.
 */
const SAFE_IN_FLIGHT = 512;

/** Commands that are written in order, joined, up to the limit. */
export class CommandQueue {
  #waiting: Uint8Array[] = [];
  #inFlight = 0;
  #maxInFlight: number;
  #isUrgent = false;
  /** Number of queued commands that may be written; the others are held. */
  #mayGo: number | undefined;

  /** Creates an empty queue. */
  constructor(isJoining: boolean) {
    this.#maxInFlight = isJoining ? SAFE_IN_FLIGHT : 0;
  }

  /** Whether a command may follow another one without a reply. */
  get isJoining(): boolean {
    return this.#maxInFlight > 0;
  }

  /** Whether only a few bytes of commands may be unanswered. */
  get isLimited(): boolean {
    return this.isJoining && this.#maxInFlight !== Infinity;
  }

  /**
   * Sets the limit on unanswered bytes.
   *
   * @param size Bytes; 0 for one command at a time, which is permanent
   */
  limit(size: number): void {
    if (this.isJoining) this.#maxInFlight = size;
  }

  /** Whether no command is queued. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /**
   * Queues a command; an urgent one (`ABOR`), and those before it, do not wait
   * for replies.
   *
   * @param line Its bytes, with CRLF
   */
  add(line: Uint8Array, isUrgent: boolean): void {
    this.#waiting.push(line);
    this.#isUrgent ||= isUrgent;
  }

  /** Whether new commands are held. */
  get isHolding(): boolean {
    return this.#mayGo !== undefined;
  }

  /** Holds new commands until {@linkcode release}. */
  hold(): void {
    this.#mayGo ??= this.#waiting.length;
  }

  /** Releases held commands. */
  release(): void {
    this.#mayGo = undefined;
  }

  /**
   * Queues a command before all others. It waits for no reply, and is not held.
   *
   * @param line Its bytes, with CRLF
   */
  addFirst(line: Uint8Array): void {
    this.#waiting.unshift(line);
    this.#isUrgent = true;
    if (this.#mayGo !== undefined) this.#mayGo++;
  }

  /**
   * Takes the commands that may be written now, joined into few segments.
   *
   * @returns The bytes; `undefined` if the queue is empty or a reply has to
   * come first
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
    return count === 1 ? taken[0]! : joinBytes(taken);
  }

  /**
   * Makes room after any reply to a command.
   *
   * @param command The command, whose bytes make room once
   * @param isLast Whether no other command is unanswered
   */
  answered(command: { size: number }, isLast: boolean): void {
    this.#inFlight = isLast ? 0 : this.#inFlight - command.size;
    command.size = 0;
  }
}
