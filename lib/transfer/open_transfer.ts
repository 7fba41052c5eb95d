/**
 * Opens a transfer: sets it up, sends its command, and completes the data
 * connection.
 *
 * @module
 */

import { type ByteStream, writeAll } from "../connection/byte_stream.ts";
import { observeTransfer } from "../connection/diagnostics.ts";
import { DataStream } from "../connection/data_stream.ts";
import { DelayedSignal } from "../connection/waiting.ts";
import type { PendingCommand } from "../connection/pending_commands.ts";
import { type Command, encodeCommand } from "../protocol/command.ts";
import { FTPError, FTPReplyError, isRefusal } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { quote } from "../protocol/printable.ts";
import { parse150, parseRestart } from "../protocol/reply_values.ts";
import { abortOwed, explain } from "./abort.ts";
import { isSetTo, sizedFile } from "./cut_data.ts";
import { decompress, isCompressed, setCompression } from "./compression.ts";
import { type DataChannel, openDataChannel } from "./data_channel.ts";
import { type PassiveOptions, requestBehind } from "./passive.ts";
import { refusal } from "./refusal.ts";
import type { Session, SignalOptions } from "./session.ts";
import type { ExclusiveTurn } from "./turn.ts";
import { Transfer } from "./transfer.ts";
import { isUpload } from "./verbs.ts";

/** Options of a transfer. */
export interface TransferOptions extends SignalOptions {
  /** Start in bytes, sent as `REST` before the command. */
  rest?: number | string | undefined;
  /** Representation type to set first. */
  type?: "A" | "I" | undefined;
  /**
   * Whether the caller accepts the bytes as sent, with any `MODE` and `STRU`.
   */
  anyMode?: boolean | undefined;
  /**
   * Whether the data must not be compressed, whatever the user's options say.
   */
  isPlain?: boolean | undefined;
  /** Called with the server's 1yz reply. */
  onOpen?: ((reply: Reply) => void) | undefined;
  /**
   * All bytes of a small upload, sent before the 1yz if that is possible; see
   * {@linkcode Transfer.early}.
   */
  early?: Uint8Array | undefined;
  /** Advice in the error of a command during the transfer. */
  advice?: string | undefined;
}

/**
 * Longest wait, in milliseconds, for a protected data connection after the
 * signal was aborted. vsftpd's control connection falls back to clear text if a
 * data connection is closed before its handshake.
 */
const OPEN_GRACE = 1000;

/**
 * Rejects a command that could not be sent, before anything else is done.
 *
 * @throws {TypeError} If the command cannot be sent, or data is not protected
 * although TLS was requested
 */
export function checkTransfer(
  session: Session,
  command: Command,
  { rest, anyMode = false }: TransferOptions = {},
): void {
  encodeCommand(command, session.control.encoding);
  refuseClearData(session, command);
  if (!anyMode) refuseOddModes(session, command);
  if (rest !== undefined) {
    encodeCommand(restartCommand(rest), session.control.encoding);
  }
}

function restartCommand(rest: number | string): Command {
  return { verb: "REST", argument: `${rest}`, name: "rest" };
}

/**
 * Opens a transfer. While it is open, every other command is refused.
 *
 * @throws {FTPError} If the server refuses: the session is usable
 * @throws {Error} `Deno.errors.*` if a connection fails
 */
export async function openTransfer(
  turn: ExclusiveTurn,
  command: Command,
  options: TransferOptions = {},
): Promise<Transfer> {
  const { session } = turn;
  checkTransfer(session, command, options);
  let isSent = false;
  const onSend = () => {
    isSent = true;
  };
  return await session.pastHangUps(
    () => openOnce(turn, command, { ...options, onSend }),
    { signal: options.signal, isDone: () => isSent },
  );
}

/** Options of one attempt to open a transfer. */
interface OpenOptions extends TransferOptions {
  /** Called before the transfer's command is sent. */
  readonly onSend: () => void;
}

async function openOnce(
  turn: ExclusiveTurn,
  command: Command,
  options: OpenOptions,
): Promise<Transfer> {
  const { session } = turn;
  await session.protection?.prepare(turn, { signal: options.signal });
  const { signal } = options;
  if (options.rest === undefined) await takeBackRestart(turn, options);
  const isSet = options.type === undefined ||
    session.state.type === options.type;
  const setting = setType(turn, command, options);
  // in one round trip with TYPE, unless the caller has requested a port
  if (!isSet && session.ahead === undefined) {
    requestBehind(turn, { signal: options.signal });
  }
  const type = await setting;
  await setCompression(turn, { signal, isPlain: options.isPlain });
  const { channel, restarting } = await openWithRestart(
    turn,
    { command, type, signal },
    () => setRestart(turn, options),
  );
  try {
    await (restarting ?? setRestart(turn, options));
    return await begin(session, command, channel, options);
  } catch (error) {
    channel.close();
    throw error;
  }
}

/**
 * Opens the data connection, and sends the offset while it is dialed, if that
 * address is known to be reachable.
 */
async function openWithRestart(
  turn: ExclusiveTurn,
  options: PassiveOptions,
  restart: () => Promise<void>,
): Promise<{ channel: DataChannel; restarting: Promise<void> | undefined }> {
  let restarting: Promise<void> | undefined;
  const onDial = () => {
    restarting = restart();
    restarting.catch(() => {}); // it is awaited later
  };
  try {
    const channel = await openDataChannel(turn, { ...options, onDial });
    return { channel, restarting };
  } catch (error) {
    // the next transfer has to know whether the offset is set
    await restarting?.catch(() => {});
    throw error;
  }
}

/** Replies to `TYPE` of servers with a single type, or without `TYPE`. */
const NO_TYPE_REPLIES = [500, 501, 502, 503, 504, 550];

/**
 * Sets the type. A server without `TYPE A` sends listings and texts unchanged.
 * An upload is never sent in another type than requested.
 */
async function setType(
  turn: ExclusiveTurn,
  command: Command,
  { type, signal }: TransferOptions,
): Promise<"A" | "I" | undefined> {
  const { profile } = turn.session;
  if (type === undefined) return undefined;
  const mayBeBinary = type === "A" && !isUpload(command);
  if (!mayBeBinary) {
    await turn.ensureType(type, { signal });
    return type;
  }
  for (const wanted of ["A", "I"] as const) {
    const key = `TYPE ${wanted}`;
    if (profile.lacks(key)) continue;
    try {
      await turn.ensureType(wanted, { signal });
      return wanted;
    } catch (error) {
      if (!isRefusal(error, NO_TYPE_REPLIES)) throw error;
      profile.noteLacking(key);
    }
  }
  return undefined;
}

/**
 * Rejects compressed bytes, blocks and records, which would be taken for a text
 * or a file.
 */
function refuseOddModes(session: Session, { verb }: Command): void {
  for (const [setting, usual] of [["MODE", "S"], ["STRU", "F"]] as const) {
    if (isSetTo(session, setting, usual)) continue;
    if (setting === "MODE" && isCompressed(session)) continue;
    const value = String(session.state.settings.get(setting)?.argument);
    throw new TypeError(
      `Cannot open ${quote(verb)}: the server was told ${
        quote(`${setting} ${value}`)
      }, and only ntransfercmd, retrbinary and storbinary can transfer data then; send "${setting} ${usual}" first`,
    );
  }
}

/** Rejects data in clear text if TLS was requested. */
function refuseClearData(session: Session, { verb }: Command): void {
  if (session.protection !== undefined || session.isClearDataAllowed) return;
  throw new TypeError(
    `Cannot open "${verb}": TLS was requested, but data connections are not protected; call login() or protP() first, or protC() to send data in clear text`,
  );
}

/**
 * Resets the offset of a transfer that did not start: it is still valid on the
 * server.
 */
async function takeBackRestart(
  turn: ExclusiveTurn,
  { type, signal }: TransferOptions,
): Promise<void> {
  const { session } = turn;
  if (!session.hasRestart) return;
  const before = session.state.type === "I" ? "I" : "A";
  await turn.ensureType("I", { signal }); // pyftpdlib refuses REST in TYPE A
  await sendRestart(turn, 0, { signal });
  session.hasRestart = false;
  if (type === undefined) await turn.ensureType(before, { signal });
}

/** Sends the offset. */
async function setRestart(
  turn: ExclusiveTurn,
  { rest, signal }: TransferOptions,
): Promise<void> {
  if (rest !== undefined) await sendRestart(turn, rest, { signal });
}

async function sendRestart(
  turn: ExclusiveTurn,
  rest: number | string,
  options: SignalOptions,
): Promise<void> {
  const { session } = turn;
  session.hasRestart = true;
  const command = restartCommand(rest);
  let reply: Reply;
  try {
    reply = await turn.exchange(command, options);
  } catch (error) {
    if (error instanceof FTPError) session.hasRestart = false; // refused
    throw error;
  }
  // servers with 32-bit counters wrap the offset
  const offset = parseRestart(reply);
  if (offset === null || !/^\d{1,15}$/.test(`${rest}`)) return;
  if (offset === Number(rest)) return;
  throw new FTPReplyError(
    `Cannot complete "REST ${rest}": the server restarts at ${offset} instead: ${reply.text}`,
    { reply, command: `REST ${rest}` },
  );
}

/** Sends the transfer's command, and completes the data connection. */
async function begin(
  session: Session,
  command: Command,
  channel: DataChannel,
  { signal, advice, rest, onOpen, onSend, early }: OpenOptions,
): Promise<Transfer> {
  const { control, protection, options } = session;
  signal?.throwIfAborted();
  onSend();
  const pending = control.send(command, { kind: "transfer", advice });
  const writing = early && writeEarly(session, channel, early);
  let stream: ByteStream;
  let reply: Reply;
  const delayed = new DelayedSignal(
    signal,
    protection === undefined ? 0 : OPEN_GRACE,
  );
  try {
    const { signal } = delayed;
    reply = await control.wait(pending.first, signal);
    if (reply.code >= 300) throw refusal(session, reply, pending.command);
    session.hasRestart = false;
    onOpen?.(reply);
    const raw = channel.stream ??
      await connectUnlessRefused(channel, pending, session, signal);
    const secured = protection === undefined ? raw : await session.untilEnded(
      signal,
      (signal) => protection.secure(raw, signal),
    );
    stream = decompress(session, secured);
  } catch (cause) {
    channel.close();
    const error = signal?.aborted ? signal.reason : cause;
    if (pending.isSettled && control.open !== pending) throw error;
    const explained = signal?.aborted
      ? await abortOwed(session, pending).then(() => error)
      : await explain(session, pending, error);
    session.doubt(pending.command);
    control.acknowledge(pending);
    throw explained;
  } finally {
    delayed.release();
  }
  const isLate = signal?.aborted === true;
  const data = new DataStream(stream, {
    timeout: options.timeout,
    signal: isLate ? undefined : signal,
    onAbort: (reason) => transfer.interrupt(reason),
    holds: protection !== undefined && !isUpload(command),
    ended: session.ended,
    ticker: control.ticker,
    command: () => pending.command,
  });
  // any other 1yz opens a transfer as well, without a size
  const isUsual = reply.code === 150 || reply.code === 125;
  const size = isUsual ? parse150(reply) : null;
  const file = sizedFile(session, command, rest);
  const transfer = new Transfer(session, pending, data, size, file);
  transfer.onForget = observeTransfer(control.id, pending, data, size);
  if (early && writing) transfer.early = { bytes: early.length, writing };
  session.transfer = transfer;
  if (isLate) {
    await transfer.abort();
    throw signal.reason;
  }
  return transfer;
}

/**
 * Writes all bytes of an upload and their end, if the data connection is open
 * and the server does not read them before it executes the command.
 */
function writeEarly(
  session: Session,
  { stream }: DataChannel,
  bytes: Uint8Array,
): Promise<void> | undefined {
  const mayWrite = session.profile.acceptsLate && !isCompressed(session) &&
    session.protection === undefined;
  if (stream === undefined || !mayWrite) return undefined;
  const write = async () => {
    await writeAll(stream, bytes);
    await stream.closeWrite();
  };
  const writing = write();
  writing.catch(() => {}); // the transfer's reply comes first
  return writing;
}

/**
 * Completes the data connection. In active mode, a server that cannot connect
 * reports it (425), which ends the wait.
 */
async function connectUnlessRefused(
  channel: DataChannel,
  pending: PendingCommand,
  session: Session,
  signal: AbortSignal | undefined,
): Promise<ByteStream> {
  const { promise: refused, reject } = Promise.withResolvers<never>();
  pending.final.then((reply) => {
    if (reply.code >= 400) reject(refusal(session, reply, pending.command));
  }, reject);
  const connected = channel.connect(signal);
  try {
    return await Promise.race([connected, refused]);
  } catch (error) {
    connected.then((stream) => stream.close()).catch(() => {});
    throw error;
  }
}
