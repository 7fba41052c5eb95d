/**
 * What the server owes: each command its replies, in order.
 *
 * @module
 */

import type { Reply } from "../protocol/reply.ts";
import { mayAnswer } from "../protocol/reply_kind.ts";

/**
 * How a command's replies are taken:
 *
 * - "command": 1yz opens, any other reply is final;
 * - "greeting": 1yz (120) is waited out, any other reply is final;
 * - "transfer": 1yz opens; a 2yz before it is a stray of the past or, if no 1yz
 *   follows, the final reply itself;
 * - "fence": a `NOOP` that marks the end of what an `ABOR` owes: whatever comes
 *   before its own reply is one too many, and dropped;
 * - "alive": a `NOOP` during a transfer, answered at once (ProFTPD, pyftpdlib;
 *   with 500 by Pure-FTPd) or after it (vsftpd);
 * - "passive": an `EPSV` that a firewall may swallow, or the `PASV` in its place:
 *   1yz opens nothing, and 227 answers that `PASV` although `EPSV` was first.
 */
export type PendingKind =
  | "command"
  | "greeting"
  | "transfer"
  | "fence"
  | "alive"
  | "passive";

/** Milliseconds that a 1yz may follow a 2yz which answered a transfer. */
const STRAY_GRACE = 1000;

/**
 * Commands behind the first of a pipeline that a server drops, if it does. What
 * is lost in the middle of thousands is a network's fault.
 */
const PIPELINE_START = 4;

/**
 * A promise that is made when somebody asks for it: of the two that each
 * command has, most are never looked at.
 */
class Eventual<T> {
  #deferred: PromiseWithResolvers<T> | undefined;
  #settle: ((deferred: PromiseWithResolvers<T>) => void) | undefined;

  get promise(): Promise<T> {
    if (this.#deferred === undefined) {
      this.#deferred = Promise.withResolvers<T>();
      // an entry may be dropped by its owner: that is no unhandled rejection
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

/** The replies that one command is owed. */
export class PendingCommand {
  /** How its replies are taken. */
  readonly kind: PendingKind;
  /** Whether reading stops after the final reply (before a TLS handshake). */
  readonly pauses: boolean;
  /** The command's verb, in upper case; none of the greeting. */
  verb: string | undefined;
  /** Bytes of the command that await their first reply. */
  size = 0;
  /** Whether the command holds a secret. */
  isSecret = false;
  /** Commands of the same run before this one: each came before the replies. */
  place = 0;
  /** Whether the command is one of the first in a pipeline, behind another. */
  isPipelined = false;
  /** Whether somebody has seen its final reply, or its end. */
  isCollected = false;
  /** How the user can end it while it is open, for messages. */
  advice: string | undefined;
  /** The entry behind this one. */
  next: PendingCommand | undefined;
  /** The `EPSV` without a reply whose place this `PASV` takes. */
  replaces: PendingCommand | undefined;
  /** The 1yz reply, once it came. */
  preliminary: Reply | undefined;
  readonly #describe: () => string;
  readonly #first = new Eventual<Reply>();
  readonly #final = new Eventual<Reply>();
  #isSettled = false;
  #stray: Reply | undefined;
  #strayTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Makes an entry.
   *
   * @param describe Shows the command, printable and masked
   * @param kind How its replies are taken
   * @param pauses Whether reading stops after the final reply
   */
  constructor(describe: () => string, kind: PendingKind, pauses: boolean) {
    this.#describe = describe;
    this.kind = kind;
    this.pauses = pauses;
  }

  /** The command, printable and masked. */
  get command(): string {
    return this.#describe();
  }

  /** The first reply: 1yz, or the final one. */
  get first(): Promise<Reply> {
    return this.#first.promise;
  }

  /** The final reply: 2yz to 5yz. */
  get final(): Promise<Reply> {
    return this.#final.promise;
  }

  /** Whether nothing more is owed. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /**
   * Takes the next reply.
   *
   * @param reply What came
   * @param onSettled Called if this settles later, without another reply
   * @returns Whether nothing more is owed
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

  /**
   * Ends the entry with its final reply.
   *
   * @param reply The final reply
   */
  settle(reply: Reply): void {
    if (this.#strayTimer !== undefined) clearTimeout(this.#strayTimer);
    this.#isSettled = true;
    this.#first.resolve(reply);
    this.#final.resolve(reply);
  }

  /**
   * Ends the entry without a reply.
   *
   * @param reason Why none will come
   */
  fail(reason: unknown): void {
    if (this.#strayTimer !== undefined) clearTimeout(this.#strayTimer);
    this.#isSettled = true;
    this.#first.reject(reason);
    this.#final.reject(reason);
  }
}

/** A queue of entries, the one due first at its head. */
export class PendingCommands {
  #head: PendingCommand | undefined;
  #tail: PendingCommand | undefined;
  #isProven = false;
  /** An `EPSV` that has no reply yet, although the `PASV` behind it has. */
  #unanswered: PendingCommand | undefined;

  /** The entry that the next reply belongs to. */
  get head(): PendingCommand | undefined {
    return this.#head;
  }

  /** Whether reading stops after the last reply that is owed. */
  get pauses(): boolean {
    return this.#tail?.pauses === true;
  }

  /**
   * Whether the command that is due was sent together with another, and none
   * that was sent behind another got a reply on this connection so far.
   */
  get isUnproven(): boolean {
    const head = this.#head;
    if (this.#isProven || head === undefined || head.preliminary) return false;
    return head.isPipelined || head.next?.isPipelined === true;
  }

  /**
   * Adds an entry behind all others.
   *
   * @param pending The entry
   * @returns The same
   */
  add(pending: PendingCommand): PendingCommand {
    if (this.#tail === undefined) this.#head = pending;
    else {
      this.#tail.next = pending;
      pending.place = this.#tail.place + 1;
      pending.isPipelined = pending.place <= PIPELINE_START;
    }
    this.#tail = pending;
    return pending;
  }

  /**
   * Adds the `PASV` that takes the place of an `EPSV` without a reply.
   *
   * @param pending The entry of `PASV`
   * @param replaces That of `EPSV`
   * @returns The first
   */
  replace(
    pending: PendingCommand,
    replaces: PendingCommand,
  ): PendingCommand {
    pending.replaces = replaces;
    pending.next = replaces.next;
    replaces.next = pending;
    if (this.#tail === replaces) this.#tail = pending;
    return pending;
  }

  /**
   * Whether a reply cannot be for the command that is due.
   *
   * @param reply What came
   * @returns Whether replies and commands are out of step
   */
  isMisplaced(reply: Reply): boolean {
    const head = this.#head;
    if (head?.verb === undefined || this.#isLate(reply)) return false;
    // a 1yz opens nothing here, and PASV follows it: its 227 proves the order
    const isPassed = head.kind === "passive" && head.verb === "EPSV" &&
      reply.code < 200;
    return !isPassed && !mayAnswer(head.verb, reply);
  }

  /** Whether a reply is the late one of an `EPSV`. */
  #isLate({ code }: Reply): boolean {
    if (this.#unanswered === undefined) return false;
    if (this.#head === undefined) return code !== 421;
    return code === 229 && this.#head.verb !== "EPSV";
  }

  /** Takes the head away. */
  shift(): void {
    this.#head = this.#head?.next;
    if (this.#head === undefined) this.#tail = undefined;
  }

  /**
   * Gives the next reply to the entry it belongs to.
   *
   * @param reply What came
   * @returns The entry, or `undefined` if nothing is owed
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
      // the server answered transfer and ABOR with one reply; this is NOOP's
      pending.settle(reply);
      this.shift();
      this.#head!.settle(reply);
      this.shift();
    } else if (pending.take(reply, () => this.shift())) {
      this.shift();
    }
    return pending;
  }

  /**
   * Ends every entry without a reply.
   *
   * @param reason Why none will come
   */
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
 * Whether a reply is of the group "syntax" (RFC 959 section 4.2.1: x0z), which
 * answers a `NOOP` and never ends a transfer that has begun.
 *
 * @param reply The reply
 * @returns Whether it is
 */
export function isSyntaxReply({ code }: Reply): boolean {
  return code === 200 || (code >= 500 && code < 510);
}
