/**
 * One transfer: the data connection and the control connection's replies,
 * joined. It is finished only when the data ended AND the final reply came.
 *
 * @module
 */

import { type ByteStream, drain } from "../connection/byte_stream.ts";
import { DataConnection } from "../connection/data_connection.ts";
import { PatientSignal, settledWithin } from "../connection/deadline.ts";
import type { Owed } from "../connection/ledger.ts";
import { restate } from "../connection/restate.ts";
import { type Command, encodeCommand } from "../protocol/command.ts";
import { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { parse150 } from "../protocol/reply_text.ts";
import { abortOwed, endHeld, explain } from "./abort.ts";
import { type DataChannel, openDataChannel } from "./data_channel.ts";
import { refusal } from "./refusal.ts";
import { expectSuccess, type Session, type SignalOptions } from "./session.ts";

/** How a transfer is opened. */
export interface TransferOptions extends SignalOptions {
  /** Where to start, in bytes: `REST` is sent before the command. */
  rest?: number | string | undefined;
  /** The representation type to set first. */
  type?: "A" | "I" | undefined;
  /** How the user ends the transfer, for who is refused meanwhile. */
  advice?: string | undefined;
}

/** A transfer that the server has opened. */
export class Transfer {
  /** The data connection. */
  readonly data: DataConnection;
  /** The server's estimate of the size, in bytes, from its 150 reply. */
  readonly size: number | null;
  readonly #session: Session;
  readonly #owed: Owed;
  #aborting: Promise<Reply | undefined> | undefined;

  /**
   * Joins an open data connection and its entry in the ledger.
   *
   * @param session The session
   * @param owed The transfer command's entry
   * @param data The data connection
   * @param size The server's estimate
   */
  constructor(
    session: Session,
    owed: Owed,
    data: DataConnection,
    size: number | null,
  ) {
    this.#session = session;
    this.#owed = owed;
    this.data = data;
    this.size = size;
  }

  /**
   * Refuses what would not be sent: for callers that have to know before.
   *
   * @param session The session
   * @param command `RETR`, `STOR`, `LIST`...
   * @throws {TypeError} If the command cannot be sent, or TLS was asked for and
   * data is not protected
   */
  static check(session: Session, command: Command): void {
    encodeCommand(command, session.control.encoding);
    refuseClearData(session, command);
  }

  /**
   * Opens a transfer.
   *
   * @param session The session
   * @param command `RETR`, `STOR`, `LIST`...
   * @param options Offset, type and signal
   * @returns The open transfer
   * @throws {FTPError} If the server refuses: the session is usable
   * @throws {Error} `Deno.errors.*` if a connection fails
   */
  static async open(
    session: Session,
    command: Command,
    options: TransferOptions = {},
  ): Promise<Transfer> {
    return await session.turns.alone(
      () => Transfer.openInTurn(session, command, options),
      options,
    );
  }

  /**
   * As {@linkcode open}, for a caller that has the turn: what comes before the
   * transfer belongs to it.
   *
   * @param session The session
   * @param command `RETR`, `STOR`, `LIST`...
   * @param options Offset, type and signal
   * @returns The open transfer
   */
  static async openInTurn(
    session: Session,
    command: Command,
    options: TransferOptions = {},
  ): Promise<Transfer> {
    refuseClearData(session, command);
    await session.protection?.prepare({ signal: options.signal });
    if (options.type !== undefined) {
      await session.ensureType(options.type, options);
    }
    const channel = await openDataChannel(session, options);
    try {
      await setRestart(session, options);
      return await begin(session, command, channel, options);
    } catch (error) {
      channel.close();
      throw error;
    }
  }

  /** The command, printable and masked. */
  get command(): string {
    return this.#owed.command;
  }

  /** The final reply, when it comes. */
  get final(): Promise<Reply> {
    return this.#owed.final;
  }

  /**
   * Sends a `NOOP` while the transfer is open.
   *
   * @returns Its entry in the ledger
   */
  sendNoop(): Owed {
    return this.#session.control.send({ verb: "NOOP" }, {
      kind: "alive",
      during: this.#owed,
    });
  }

  /**
   * Closes the data connection and waits for the final reply.
   *
   * @param options A signal
   * @returns The 2yz reply: the server's word that all is well
   * @throws {FTPError} If the server says otherwise; the session is usable
   * @throws {Error} If no reply comes: the message says that the data is
   * unconfirmed, and the session is closed
   */
  async finish({ signal }: SignalOptions = {}): Promise<Reply> {
    this.data.close();
    if (this.data.isHeld) await endHeld(this.#session, this.#owed, this);
    await this.data.closed;
    let reply: Reply;
    try {
      reply = await this.#session.control.wait(this.#owed.final, signal);
    } catch (error) {
      if (signal?.aborted) {
        await this.abort();
        throw error;
      }
      throw unconfirmed(this, error);
    }
    this.#forget();
    if (reply.code >= 400) throw refusal(this.#session, reply, this.command);
    return expectSuccess(reply, this.command);
  }

  /**
   * As {@linkcode finish}, for a data connection that the user closes.
   *
   * @param options A signal
   * @returns The final 2yz reply
   * @throws Why the data connection failed or was given up, or the server's
   * error if it explains that: what came is not all, whatever the server says
   * @throws {TypeError} If the data connection is open: nothing would end the
   * wait
   */
  async collect(options?: SignalOptions): Promise<Reply> {
    if (!this.data.isClosed && !this.data.isEnded) {
      throw new TypeError(
        `Cannot wait for the end of "${this.command}": its data connection is open, close it first`,
      );
    }
    const { failure, isHeld } = this.data;
    if (failure !== undefined && !isHeld) throw await this.failed(failure);
    return await this.finish(options);
  }

  /**
   * Ends the transfer after an error on this side, and leaves the session in
   * step or closed.
   *
   * @param error What happened
   * @param options The signal that the transfer runs under
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
    await this.#aborting; // by somebody else
    this.data.fail(error);
    const explained = await explain(this.#session, this.#owed, error);
    this.#forget();
    return explained;
  }

  /**
   * Aborts (`ABOR`, RFC 959 section 4.1.3): the data connection is closed and
   * every reply that is owed is taken. If that fails, or takes more than five
   * seconds, the session is closed.
   *
   * @returns The reply to `ABOR`; `undefined` if none was needed or none came
   */
  async abort(): Promise<Reply | undefined> {
    const reason = new Deno.errors.Interrupted("The transfer was aborted");
    const reply = await this.interrupt(reason);
    this.#forget();
    return reply;
  }

  /**
   * As {@linkcode abort}, for a transfer whose end somebody else will ask for.
   *
   * @param reason What calls of the data connection reject with
   * @returns The reply to `ABOR`, if any
   */
  interrupt(reason: unknown): Promise<Reply | undefined> {
    const { data } = this;
    return this.#aborting ??= abortOwed(this.#session, this.#owed, async () => {
      data.interrupt(reason);
      const { protection, control } = this.#session;
      // servers that are known not to be ProFTPD are let off its limit
      const mayBeProFTPD = control.isLimited;
      const isWriting = !UPLOAD_REGEXP.test(this.command);
      if (protection !== undefined && mayBeProFTPD && isWriting) {
        await settledWithin(
          Promise.race([this.#owed.final, drain(data.stream)]),
          DRAIN_GRACE,
        );
      }
      data.fail(reason);
    });
  }

  #forget(): void {
    this.#session.control.collect(this.#owed);
    if (this.#session.transfer === this) this.#session.transfer = undefined;
  }
}

/**
 * Longest wait, in milliseconds, for a server under TLS to see an `ABOR`:
 * ProFTPD gives the whole session up when it cannot write to a protected data
 * connection. The others that are known look for it after that only.
 */
const DRAIN_GRACE = 500;

/** The commands after which the server has nothing to write. */
const UPLOAD_REGEXP = /^(STOR|STOU|APPE)\b/i;

/**
 * Longest wait, in milliseconds, for a protected data connection to be opened
 * although the signal is aborted: vsftpd's control connection falls back to
 * clear text when a data connection is closed before its handshake.
 */
const OPEN_GRACE = 1000;

/** Where TLS was asked for, data never goes in clear text by accident. */
function refuseClearData(session: Session, { verb }: Command): void {
  if (session.protection !== undefined || session.isClearDataAllowed) return;
  throw new TypeError(
    `Cannot open "${verb}": TLS was asked for, and data connections are not protected; call login() or protP() first, or protC() to send data in clear text`,
  );
}

/**
 * Sends the offset. One that was sent for a transfer which never began still
 * holds on the server, and is taken back.
 */
async function setRestart(
  session: Session,
  options: TransferOptions,
): Promise<void> {
  const { rest } = options;
  if (rest === undefined && !session.hasRestart) return;
  session.hasRestart = true;
  try {
    const argument = `${rest ?? 0}`;
    await session.exchange({ verb: "REST", argument, name: "rest" }, options);
  } catch (error) {
    if (error instanceof FTPError) session.hasRestart = false; // refused
    throw error;
  }
}

/** Sends the transfer's command and completes the data connection. */
async function begin(
  session: Session,
  command: Command,
  channel: DataChannel,
  { signal, advice }: TransferOptions,
): Promise<Transfer> {
  const { control, protection, options } = session;
  signal?.throwIfAborted();
  const owed = control.send(command, { kind: "transfer", advice });
  let stream: ByteStream;
  let reply: Reply;
  const patient = new PatientSignal(
    signal,
    protection === undefined ? 0 : OPEN_GRACE,
  );
  try {
    const { signal } = patient;
    reply = await control.wait(owed.first, signal);
    if (reply.code >= 300) throw refusal(session, reply, owed.command);
    session.hasRestart = false;
    stream = await connectUnlessRefused(channel, owed, session, signal);
    if (protection !== undefined) {
      stream = await protection.secure(stream, signal);
    }
  } catch (cause) {
    channel.close();
    const error = signal?.aborted ? signal.reason : cause;
    if (owed.isSettled && control.open !== owed) throw error;
    const explained = signal?.aborted
      ? await abortOwed(session, owed, () => {}).then(() => error)
      : await explain(session, owed, error);
    control.collect(owed);
    throw explained;
  } finally {
    patient.release();
  }
  const isLate = signal?.aborted === true;
  const data = new DataConnection(stream, {
    timeout: options.timeout,
    signal: isLate ? undefined : signal,
    onAbort: (reason) => transfer.interrupt(reason),
    holds: protection !== undefined && !UPLOAD_REGEXP.test(owed.command),
    command: owed.command,
  });
  // any other 1yz opens a transfer too, and tells no size
  const isUsual = reply.code === 150 || reply.code === 125;
  const size = isUsual ? parse150(reply) : null;
  const transfer = new Transfer(session, owed, data, size);
  session.transfer = transfer;
  // what is held does not outlast the session
  control.closed.then(() => data.isHeld && data.fail(control.failure));
  if (isLate) {
    await transfer.abort();
    throw signal.reason;
  }
  return transfer;
}

/**
 * Completes the data connection. In active mode a server that cannot connect
 * says so (425): nobody waits any longer then.
 */
async function connectUnlessRefused(
  channel: DataChannel,
  owed: Owed,
  session: Session,
  signal: AbortSignal | undefined,
): Promise<ByteStream> {
  const { promise: refused, reject } = Promise.withResolvers<never>();
  owed.final.then((reply) => {
    if (reply.code >= 400) reject(refusal(session, reply, owed.command));
  }, reject);
  const connected = channel.connect(signal);
  try {
    return await Promise.race([connected, refused]);
  } catch (error) {
    connected.then((stream) => stream.close()).catch(() => {});
    throw error;
  }
}

/** Bytes that went through, and no word from the server about them. */
function unconfirmed({ data, command }: Transfer, error: unknown): Error {
  const bytes = data.bytesRead + data.bytesWritten;
  return restate(
    error,
    (message) =>
      `Cannot confirm "${command}": ${bytes} bytes went through, but the server did not say that the transfer is complete: ${message}`,
  );
}
