/**
 * One transfer: a data connection and the replies on the control connection. It
 * is finished only when the data has ended and the final reply has come.
 *
 * @module
 */

import { drain } from "../connection/byte_stream.ts";
import type { DataStream } from "../connection/data_stream.ts";
import { settle } from "../connection/waiting.ts";
import type { PendingCommand } from "../connection/pending_commands.ts";
import { connectionError } from "../protocol/with_message.ts";
import type { Reply } from "../protocol/reply.ts";
import { abortOwed, endHeld, explain, isRefusedUpload } from "./abort.ts";
import {
  isProtected,
  proveWhole,
  type SizedFile,
  truncated,
} from "./cut_data.ts";
import { refusal } from "./refusal.ts";
import { expectSuccess, type Session, type SignalOptions } from "./session.ts";
import type { Turn } from "./turn.ts";
import { isUpload } from "./verbs.ts";

/** Options for finishing a transfer. */
export interface FinishOptions extends SignalOptions {
  /**
   * Whether the caller knows from the control connection that the data is
   * complete, or does not need it. The data may then end without TLS's
   * close_notify.
   */
  isWhole?: boolean | undefined;
}

/** A transfer that the server has opened. */
export class Transfer {
  /** The data connection. */
  readonly data: DataStream;
  /** The server's estimate of the size in bytes, from its 150 reply. */
  readonly size: number | null;
  /** Called at the end, to return to a directory. */
  onEnd: (() => Promise<void>) | undefined;
  /** Called once the transfer has ended, for diagnostic events. */
  onForget: (() => void) | undefined;
  /** All bytes of an upload, if they were sent with its command. */
  early:
    | { readonly bytes: number; readonly writing: Promise<void> }
    | undefined;
  readonly #session: Session;
  readonly #pending: PendingCommand;
  readonly #file: SizedFile | undefined;
  #isUnproven = false;
  #aborting: Promise<Reply | undefined> | undefined;
  #isLeft = false;

  /**
   * Joins an open data connection and its pending command.
   *
   * @param file The downloaded file, if it is sent unchanged
   */
  constructor(
    session: Session,
    pending: PendingCommand,
    data: DataStream,
    size: number | null,
    file?: SizedFile,
  ) {
    this.#session = session;
    this.#pending = pending;
    this.data = data;
    this.size = size;
    this.#file = file;
  }

  /** The command, printable and masked. */
  get command(): string {
    return this.#pending.command;
  }

  /**
   * Whether the data ended without TLS's close_notify, nothing else proved that
   * it is complete, and the user's options allow that.
   */
  get isUnproven(): boolean {
    return this.#isUnproven;
  }

  /** Whether the last line of the data may be incomplete. */
  get mayEndInLine(): boolean {
    return this.data.isCut && !this.#allowsCut;
  }

  get #allowsCut(): boolean {
    return this.#session.tls?.allowsMissingCloseNotify === true;
  }

  /** Whether its final reply or its end was not handled yet. */
  get isOpen(): boolean {
    return !this.#pending.isAcknowledged;
  }

  /** The final reply, when it comes. */
  get final(): Promise<Reply> {
    return this.#pending.final;
  }

  /**
   * Sends further commands after the end of the data, so that they need no
   * further round trip. Bytes of an upload may still be on their way, so that
   * requires a server that serves everything in order.
   *
   * @returns Whether they were sent
   */
  askBehind(ask: (turn: Turn) => void): boolean {
    return this.mayAskBehind && this.#session.askBehind(this.#pending, ask);
  }

  /**
   * Whether the server is known to handle commands behind the end of the data,
   * which matters where they are not repeated on another connection.
   */
  get takesBehind(): boolean {
    return this.#session.profile.allowsJoining;
  }

  /** Whether {@linkcode askBehind} would send commands. */
  get mayAskBehind(): boolean {
    if (!this.isOpen || !this.#session.control.isPipelining) return false;
    return isUpload(this.#pending)
      ? this.early !== undefined && this.#session.profile.servesInOrder
      : this.data.isEnded && !this.data.isCut;
  }

  /** Sends a `NOOP` while the transfer is open. */
  sendNoop(): PendingCommand {
    return this.#session.control.send({ verb: "NOOP" }, {
      kind: "alive",
      during: this.#pending,
    });
  }

  /** Moves the data of the whole transfer, and finishes it. */
  async complete(
    move: (data: DataStream) => Promise<void>,
    options?: FinishOptions,
  ): Promise<Reply> {
    try {
      await move(this.data);
    } catch (error) {
      return await this.endAfter(error, options);
    }
    return await this.finish(options);
  }

  /**
   * Ends the transfer after an error, like {@linkcode failed}. A reset data
   * connection is no failure if all of the data came before: if the server sends
   * 2yz, and the size of the file matches.
   *
   * @returns The final 2yz reply, if the transfer is complete
   */
  async endAfter(error: unknown, options: FinishOptions = {}): Promise<Reply> {
    const { data } = this;
    const mayBeWhole = error === data.failure && isReset(error) &&
      this.#aborting === undefined && !options.signal?.aborted;
    if (!mayBeWhole) throw await this.failed(error, options);
    this.#isLeft = true; // it is being ended
    return await this.#session.settle(async () => {
      data.fail(error);
      try {
        const explained = await explain(this.#session, this.#pending, error);
        const isAnswered = explained === error &&
          this.#session.control.failure === undefined;
        if (!isAnswered || !await this.#isWhole(options)) {
          await this.#doubt();
          throw explained;
        }
      } finally {
        this.#forget();
      }
      return expectSuccess(await this.#pending.final, this.command);
    });
  }

  /** Gives up the connection after a failure, unless nothing can be left. */
  async #doubt(): Promise<void> {
    const wasAborted = this.#aborting !== undefined;
    if (!wasAborted && await isRefusedUpload(this.#session, this.#pending)) {
      return;
    }
    this.#session.doubt(this.command);
  }

  /** Whether all of the data passed a connection that was reset. */
  async #isWhole({ signal, isWhole }: FinishOptions): Promise<boolean> {
    const { data, size: announced } = this;
    if (data.tls !== undefined && !isProtected(this.#session)) return false;
    if (isWhole !== undefined || isUpload(this.#pending)) {
      return isWhole === true;
    }
    const completeness = await proveWhole(this.#session, {
      pending: this.#pending,
      bytes: data.bytesRead,
      announced,
      isSecure: data.tls !== undefined,
      file: this.#file,
    }, { signal });
    return completeness.isWhole === true;
  }

  /**
   * Closes the data connection, and waits for the final reply.
   *
   * @throws {FTPError} If the server reports a failure; the session is usable
   * @throws {Deno.errors.UnexpectedEof} If the data ended without TLS's
   * close_notify and may be cut off; the session is usable
   * @throws {Error} If no reply comes; the session is closed
   */
  async finish(options: FinishOptions = {}): Promise<Reply> {
    this.#isLeft = true; // it is being ended
    return await this.#session.settle(() => this.#finish(options));
  }

  async #finish(options: FinishOptions): Promise<Reply> {
    const { signal } = options;
    const isEarly = !isUpload(this.#pending) && !this.data.isEnded;
    const { failure } = this.data;
    this.data.close();
    // after a download that was closed early, Pure-FTPd sends nothing but a
    // second 150
    if (this.data.isHeld || isEarly) {
      await endHeld(this.#session, this.#pending, this);
    }
    await this.data.closed;
    // the last of compressed data did not get through
    const isCut = failure === undefined && isUpload(this.#pending) &&
      this.data.failure !== undefined;
    if (isCut) throw await this.failed(this.data.failure, options);
    let reply: Reply;
    try {
      reply = await this.#session.control.wait(this.#pending.final, signal);
    } catch (error) {
      if (signal?.aborted) {
        await this.abort();
        throw error;
      }
      if (isEarly) this.#session.doubt(this.command);
      throw unconfirmed(this, error);
    }
    // Pure-FTPd sends 226 while the rest of a listing waits for the next one
    if (isEarly) this.#session.doubt(this.command);
    try {
      if (reply.code < 300) await this.#checkEnd(options);
    } finally {
      this.#forget();
    }
    if (reply.code >= 400) throw refusal(this.#session, reply, this.command);
    return expectSuccess(reply, this.command);
  }

  /** Checks that data without close_notify is complete. */
  async #checkEnd({ signal, isWhole: isKnown }: FinishOptions): Promise<void> {
    const { data, size: announced, command } = this;
    if (!data.isCut) return;
    // that was learned on the control connection
    if (isKnown === true && isProtected(this.#session)) return;
    const { bytesRead: bytes } = data;
    const { isWhole, size } = await proveWhole(this.#session, {
      pending: this.#pending,
      bytes,
      announced,
      file: this.#file,
    }, { signal });
    if (isWhole === true) return;
    this.#isUnproven = isWhole === undefined && this.#allowsCut;
    if (!this.#isUnproven) throw truncated(command, bytes, size);
  }

  /**
   * Like {@linkcode finish}, for a data connection that the user closes.
   *
   * @throws The failure of the data connection, or the server's error if it
   * explains that: the data is incomplete, whatever the server says
   * @throws {TypeError} If the data connection is open, because the wait would
   * not end
   */
  async collect(options?: SignalOptions): Promise<Reply> {
    const { failure, isHeld } = this.data;
    const isOver = this.data.isClosed || this.data.isEnded;
    if (!isOver && failure === undefined) {
      throw new TypeError(
        `Cannot wait for the end of "${this.command}": its data connection is open, close it first`,
      );
    }
    if (failure !== undefined && !isHeld) throw await this.failed(failure);
    return await this.finish(options);
  }

  /**
   * Ends the transfer after a local error, and keeps the session usable or
   * closes it.
   *
   * @returns The error to throw: the server's, if it explains this one
   */
  async failed(
    error: unknown,
    { signal }: SignalOptions = {},
  ): Promise<unknown> {
    const isOurFault = this.data.failure === undefined || signal?.aborted;
    if (isOurFault) {
      await this.abort();
      return error;
    }
    return await this.#session.settle(async () => {
      await this.#aborting; // aborted by another call
      this.data.fail(error);
      const explained = await explain(this.#session, this.#pending, error);
      // a transfer that was ended before has given up its connection
      if (!this.#pending.isAcknowledged) await this.#doubt();
      this.#forget();
      return explained;
    });
  }

  /**
   * Ends a transfer that the user has left: the data connection was closed
   * before the end of a download, or has failed. A closed upload and a
   * completely read download wait for their confirmation.
   */
  endIfLeft(): void {
    const { data } = this;
    const isEarly = data.isClosed && !data.isEnded &&
      !isUpload(this.#pending);
    if (this.#isLeft || (!isEarly && data.failure === undefined)) return;
    this.#isLeft = true;
    this.#session.settle(() => this.#endLeft()).catch(() => {});
  }

  async #endLeft(): Promise<void> {
    const { failure, isHeld } = this.data;
    if (failure !== undefined && !isHeld) {
      await this.failed(failure);
    } else {
      // everything may have arrived, and only the end was not read
      await settle(this.#pending.final, LEFT_GRACE);
      await this.abort();
    }
    await this.onEnd?.();
  }

  /**
   * Aborts (`ABOR`, RFC 959 section 4.1.3): closes the data connection, and
   * reads all pending replies. If that fails, or takes more than five seconds,
   * the session is closed.
   *
   * @returns The reply to `ABOR`; `undefined` if none was needed or none came
   */
  async abort(
    options: { needsReply?: boolean } = {},
  ): Promise<Reply | undefined> {
    const reason = new Deno.errors.Interrupted("The transfer was aborted");
    return await this.#session.settle(async () => {
      const reply = await this.interrupt(reason, options);
      this.#forget();
      return reply;
    });
  }

  /**
   * Like {@linkcode abort}, for a transfer whose end another call will wait
   * for.
   */
  interrupt(
    reason: unknown,
    { needsReply }: { needsReply?: boolean } = {},
  ): Promise<Reply | undefined> {
    const { data } = this;
    if (this.#aborting !== undefined) return this.#aborting;
    const closeData = async (isSeen: boolean) => {
      data.interrupt(reason);
      const { protection, profile } = this.#session;
      const isWriting = isSeen && !isUpload(this.#pending);
      const mayEnd = protection !== undefined && profile.mayEndAtClosedData;
      if (mayEnd && isWriting) {
        await settle(
          Promise.race([this.#pending.final, drain(data.stream)]),
          DRAIN_GRACE,
        );
      }
      data.fail(reason);
    };
    const isEarly = !isUpload(this.#pending) && !data.isEnded;
    return this.#aborting = this.#session.settle(async () => {
      const options = { closeData, needsReply };
      const reply = await abortOwed(this.#session, this.#pending, options);
      if (isEarly) this.#session.doubt(this.command); // although it sent 2yz
      return reply;
    });
  }

  #forget(): void {
    this.#session.control.acknowledge(this.#pending);
    this.onForget?.();
  }
}

/** Errors of a peer that ends a connection without a shutdown. */
const RESETS = [
  Deno.errors.ConnectionReset,
  Deno.errors.ConnectionAborted,
  Deno.errors.BrokenPipe,
  Deno.errors.NotConnected,
];

function isReset(error: unknown): boolean {
  return RESETS.some((Class) => error instanceof Class);
}

/**
 * Longest wait, in milliseconds, for a server under TLS to read an `ABOR`.
 * ProFTPD ends the whole session if it cannot write to a protected data
 * connection. Other known servers read the `ABOR` only after that.
 */
const DRAIN_GRACE = 500;

/**
 * Longest wait, in milliseconds, for the final reply to a download that was
 * left.
 */
const LEFT_GRACE = 500;

/** Creates the error for transferred bytes that the server did not confirm. */
function unconfirmed({ data, command }: Transfer, error: unknown): Error {
  const bytes = data.bytesRead + data.bytesWritten;
  return connectionError(
    error,
    (message) =>
      `Cannot confirm "${command}": ${bytes} bytes were transferred, but the server did not confirm it: ${message}`,
  );
}
