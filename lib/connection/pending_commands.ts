/**
 * Commands that wait for replies, in order.
 *
 * @module
 */

import type { Reply } from "../protocol/reply.ts";
import { mayAnswer } from "../protocol/reply_kind.ts";

/**
 * How the replies to a command are matched:
 *
 * - "command": 1yz opens a transfer; any other reply is final.
 * - "greeting": 1yz (120) is skipped; any other reply is final.
 * - "transfer": 1yz opens the transfer. A 2yz before it is a stray reply to an
 *   earlier command, or, if no 1yz follows, the final reply.
 * - "fence": a `NOOP` that marks the end of the replies to an `ABOR`. Replies
 *   before its own are superfluous, and dropped.
 * - "alive": a `NOOP` during a transfer. It is answered at once (ProFTPD,
 *   pyftpdlib; with 500 by Pure-FTPd) or after the transfer (vsftpd).
 * - "passive": an `EPSV` that a firewall may drop, or the `PASV` that replaces
 *   it. 1yz opens nothing, and a 227 answers the `PASV` although `EPSV` came
 *   first.
 */
export type PendingKind =
  | "command"
  | "greeting"
  | "transfer"
  | "fence"
  | "alive"
  | "passive";

/** Milliseconds within which a 1yz may follow a stray 2yz. */
const STRAY_GRACE = 1000;

/**
 * Commands after the first of a pipeline that a server may drop. A loss among
 * thousands is the network's.
 */
const PIPELINE_START = 4;

/** A promise that is created on first use: most are never used. */
class LazyPromise<T> {
  #deferred: PromiseWithResolvers<T> | undefined;
  #settle: ((deferred: PromiseWithResolvers<T>) => void) | undefined;

  get promise(): Promise<T> {
    if (this.#deferred === undefined) {
      this.#deferred = Promise.withResolvers<T>();
      // its owner may ignore it, which is not an unhandled rejection
      this.#deferred.promise.catch(() => {});
      this.#settle?.(this.#deferred);
    }
    return this.#deferred.promise;
  }

  resolve(value: T): void {
    if (this.#deferred !== undefined) this.#deferred.resolve(value);
    else this.#settle ??= (deferred) => deferred.resolve(value);
  }

  reject(reason: unknown): void {
    if (this.#deferred !== undefined) this.#deferred.reject(reason);
    else this.#settle ??= (deferred) => deferred.reject(reason);
  }
}

/** A command that waits for replies. */
export class PendingCommand {
  /** How its replies are matched. */
  readonly kind: PendingKind;
  /** Whether reading stops after the final reply, before a TLS handshake. */
  readonly pauses: boolean;
  /** Verb of the command, in upper case; `undefined` for the greeting. */
  verb: string | undefined;
  /** Bytes of the command that await their first reply. */
  size = 0;
  /** Whether the command contains a secret. */
  isSecret = false;
  /** Position among the commands that were pending at the same time. */
  position = 0;
  /**
   * Whether the command is one of the first of a pipeline, after another one.
   */
  isPipelined = false;
  /** Whether its final reply or its end was handled. */
  isAcknowledged = false;
  /** How the user can end it while it is open, for messages. */
  advice: string | undefined;
  /** The next pending command. */
  next: PendingCommand | undefined;
  /** The unanswered `EPSV` that this `PASV` replaces. */
  replaces: PendingCommand | undefined;
  /** The 1yz reply, once it came. */
  preliminary: Reply | undefined;
  readonly #describe: () => string;
  #text: string | undefined;
  readonly #first = new LazyPromise<Reply>();
  readonly #final = new LazyPromise<Reply>();
  #isSettled = false;
  #stray: Reply | undefined;
  #strayTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Creates an entry.
   *
   * @param describe Formats the command, printable and masked
   */
  constructor(describe: () => string, kind: PendingKind, pauses: boolean) {
    this.#describe = describe;
    this.kind = kind;
    this.pauses = pauses;
  }

  /** The command, printable and masked. */
  get command(): string {
    return this.#text ??= this.#describe();
  }

  /** The first reply: 1yz, or the final one. */
  get first(): Promise<Reply> {
    return this.#first.promise;
  }

  /** The final reply: 2yz to 5yz. */
  get final(): Promise<Reply> {
    return this.#final.promise;
  }

  /** Whether no further reply is expected. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /**
   * Handles the next reply. Returns whether it settles the entry.
   *
   * @param onSettled Called if the entry settles later, without another reply
   */
  take(reply: Reply, onSettled: () => void): boolean {
    if (this.kind === "fence" && !isSyntaxReply(reply)) return false;
    const isPreliminary = reply.code < 200;
    if (isPreliminary && this.kind === "greeting") return false;
    if (isPreliminary) {
      clearTimeout(this.#strayTimer);
      this.preliminary ??= reply;
      this.#first.resolve(reply);
      return false;
    }
    const isStray = this.kind === "transfer" && reply.code < 300 &&
      this.preliminary === undefined && this.#stray === undefined;
    if (isStray) {
      this.#stray = reply;
      this.#strayTimer = setTimeout(() => {
        if (this.preliminary !== undefined || this.#isSettled) return;
        this.settle(reply);
        onSettled();
      }, STRAY_GRACE);
      return false;
    }
    this.settle(reply);
    return true;
  }

  /** Settles the entry with its final reply. */
  settle(reply: Reply): void {
    if (this.#strayTimer !== undefined) clearTimeout(this.#strayTimer);
    this.#isSettled = true;
    this.#first.resolve(reply);
    this.#final.resolve(reply);
  }

  /** Rejects the entry. */
  fail(reason: unknown): void {
    if (this.#strayTimer !== undefined) clearTimeout(this.#strayTimer);
    this.#isSettled = true;
    this.#first.reject(reason);
    this.#final.reject(reason);
  }
}

/** Queue of pending commands, the one that is answered next first. */
export class PendingCommands {
  #head: PendingCommand | undefined;
  #tail: PendingCommand | undefined;
  #isProven = false;
  /** An `EPSV` without a reply, although the `PASV` after it has one. */
  #unanswered: PendingCommand | undefined;

  /** The command that the next reply belongs to. */
  get head(): PendingCommand | undefined {
    return this.#head;
  }

  /** Whether reading stops after the last pending reply. */
  get pauses(): boolean {
    return this.#tail?.pauses === true;
  }

  /** Whether a command that was sent together with another one had a reply. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /**
   * Whether the next command was sent together with another one, and no such
   * command has had a reply on this connection.
   */
  get isUnproven(): boolean {
    const head = this.#head;
    if (this.#isProven || head === undefined || head.preliminary) return false;
    return head.isPipelined || head.next?.isPipelined === true;
  }

  /** Adds a command at the end. */
  add(pending: PendingCommand): PendingCommand {
    if (this.#tail === undefined) this.#head = pending;
    else {
      this.#tail.next = pending;
      pending.position = this.#tail.position + 1;
      pending.isPipelined = pending.position <= PIPELINE_START;
    }
    this.#tail = pending;
    return pending;
  }

  /** Adds the `PASV` that replaces an unanswered `EPSV`. */
  replace(
    pending: PendingCommand,
    replaces: PendingCommand,
  ): PendingCommand {
    if (replaces.isSettled) return this.add(pending); // at this moment
    pending.replaces = replaces;
    pending.next = replaces.next;
    replaces.next = pending;
    if (this.#tail === replaces) this.#tail = pending;
    return pending;
  }

  /** Whether a reply cannot belong to the next command. */
  isMismatched(reply: Reply): boolean {
    const head = this.#head;
    if (head?.verb === undefined || this.#isLate(reply)) return false;
    // no other command gets this reply, and only a 227 to the PASV after it
    // proves the order
    const isPassed = head.kind === "passive" && head.verb === "EPSV";
    return !isPassed && !mayAnswer(head.verb, reply);
  }

  /** Whether a reply is the late one of an `EPSV`. */
  #isLate({ code }: Reply): boolean {
    if (this.#unanswered === undefined) return false;
    if (this.#head === undefined) return code !== 421;
    return code === 229 && this.#head.verb !== "EPSV";
  }

  /** Removes the first entry. */
  shift(): void {
    const head = this.#head;
    this.#head = head?.next;
    // a chain of old commands would keep all of them in memory for a while
    if (head !== undefined) head.next = undefined;
    if (this.#head === undefined) this.#tail = undefined;
  }

  /**
   * Gives a reply to the command that it belongs to.
   *
   * @returns The command, or `undefined` if none is pending
   */
  deliver(reply: Reply): PendingCommand | undefined {
    if (this.#isLate(reply)) {
      const late = this.#unanswered!;
      this.#unanswered = undefined;
      late.settle(reply);
      return late;
    }
    const pending = this.#head;
    if (pending === undefined) return undefined;
    if (pending.next?.replaces === pending && reply.code === 227) {
      this.#unanswered = pending;
      this.shift();
      return this.deliver(reply);
    }
    this.#isProven ||= pending.isPipelined;
    const alive = pending.next;
    if (
      alive?.kind === "alive" && isSyntaxReply(reply) && pending.preliminary
    ) {
      pending.next = alive.next;
      if (this.#tail === alive) this.#tail = pending;
      alive.settle(reply);
      return alive;
    }
    if (pending.next?.kind === "fence" && reply.code === 200) {
      // the server answered the transfer and ABOR with one reply; this one is
      // NOOP's
      pending.settle(reply);
      this.shift();
      this.#head!.settle(reply);
      this.shift();
    } else if (pending.take(reply, () => this.shift())) {
      this.shift();
    }
    return pending;
  }

  /** Rejects all entries. */
  fail(reason: unknown): void {
    for (
      let pending = this.#head;
      pending !== undefined;
      pending = pending.next
    ) {
      pending.fail(reason);
    }
    this.#head = this.#tail = undefined;
  }
}

/**
 * Whether a reply is of the group "syntax" (RFC 959 section 4.2.1: x0z). It
 * answers a `NOOP`, and never ends an open transfer.
 */
export function isSyntaxReply({ code }: Reply): boolean {
  return code === 200 || (code >= 500 && code < 510);
}
