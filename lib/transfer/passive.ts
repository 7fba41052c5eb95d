/**
 * Requests a port from the server: `EPSV` and `PASV`, and `PRET` before them if
 * the server needs it.
 *
 * @module
 */

import { joinBytes } from "../protocol/bytes.ts";
import { wrongReplyError } from "../connection/control_errors.ts";
import type { PendingCommand } from "../connection/pending_commands.ts";
import { abortable, settle } from "../connection/waiting.ts";
import { type HostPort, isIPv6, parsePassive } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import {
  FTPError,
  FTPPermanentError,
  isUnknownCommand,
  replyOf,
} from "../protocol/errors.ts";
import { withAdvice } from "../protocol/with_advice.ts";
import { withMessage } from "../protocol/with_message.ts";
import type { Reply } from "../protocol/reply.ts";
import { mayAnswer } from "../protocol/reply_kind.ts";
import { expectSuccess, type Session, type SignalOptions } from "./session.ts";
import { PortAhead } from "./port_ahead.ts";
import type { ExclusiveTurn, Turn } from "./turn.ts";

/** Longest wait, in milliseconds, for `EPSV` before `PASV` is sent as well. */
const EPSV_WAIT = 1000;

/**
 * The same if `EPSV` has worked before. A firewall may drop it since, or the
 * server is slow.
 */
const KNOWN_EPSV_WAIT = 2000;

/** Longest wait, in milliseconds, for the `PASV` after an unanswered `EPSV`. */
const PASV_WAIT = 5000;

/** Largest share of the time-out for the first of these waits. */
const EPSV_SHARE = 1 / 3;

/** Largest share of the time-out for the second one. */
const PASV_SHARE = 1 / 2;

/**
 * Replies that do not concern passive mode: the server closes, or requires a
 * login.
 */
const UNRELATED_REPLIES = [421, 530];

/** Options of a request for a port. */
export interface PassiveOptions extends SignalOptions {
  /** The transfer's command, for `PRET`. */
  command?: Command | undefined;
  /** The representation type to set again on another connection. */
  type?: "A" | "I" | undefined;
}

/**
 * Errors of servers that refuse passive mode, where active mode is possible.
 */
const REFUSALS = new WeakSet<object>();

/**
 * Errors of connections that were lost over a command that another connection
 * can avoid.
 */
const LOSSES = new WeakSet<object>();

/**
 * Whether a server refused passive mode entirely, and active mode is possible.
 */
export function isPassiveRefused(error: unknown): boolean {
  return error instanceof Error && REFUSALS.has(error);
}

/** Whether the next transfer uses passive mode. */
export function isPassive({ options, profile }: Session): boolean {
  const { passive } = options;
  return passive === "auto" ? !profile.refusesPassive : passive !== false;
}

/** Whether `PASV` may be tried if `EPSV` does not work. */
export function mayTryPasv({ peer, options }: Session): boolean {
  return !isIPv6(peer[0]) && options.passive !== "epsv";
}

/**
 * Requests a port: `EPSV` (RFC 2428), then `PASV` (RFC 959) after any reply
 * without a port, or after some time without a reply. Over IPv6 there is only
 * `EPSV`.
 */
export async function requestPassive(
  turn: ExclusiveTurn,
  options: PassiveOptions = {},
): Promise<HostPort> {
  const { profile } = turn.session;
  const mayTell = options.command !== undefined;
  if (mayTell && profile.needsPRET) await announce(turn, options);
  try {
    return await requestAnywhere(turn, options);
  } catch (error) {
    if (profile.needsPRET || !mayTell || !asksForPRET(error)) throw error;
    profile.needsPRET = true;
    await announce(turn, options);
    return await requestAnywhere(turn, options);
  }
}

/**
 * Requests a port before the transfer is opened, without waiting. The transfer
 * then saves a round trip. Only for callers that are about to open a transfer:
 * pyftpdlib closes the session if no connection comes within 30 seconds.
 */
export function requestAhead(
  session: Session,
  { signal }: SignalOptions,
): void {
  if (!isPassive(session) || session.profile.needsPRET) return;
  const ask = (turn: Turn) => askAhead(turn, { signal });
  session.shared(ask, { signal }).catch(() => {}); // the transfer throws
}

/**
 * Like {@linkcode requestAhead}, behind commands of the same turn that were just
 * sent and may fail. Only from servers that allow it.
 */
export function requestBehind(turn: Turn, options: SignalOptions): void {
  if (!mayRequestBehind(turn.session)) return;
  askAhead(turn, options).catch(() => {}); // the transfer throws
}

/**
 * Whether a port may be requested with commands that may fail. A first `EPSV` is
 * only sent if commands that were sent together had replies: otherwise its loss
 * does not show that it is the reason.
 */
function mayRequestBehind(session: Session): boolean {
  const { profile, control, protection, options } = session;
  const isPossible = isPassive(session) && !profile.needsPRET &&
    (isPassiveKnown(session) ||
      (profile.hasExtendedPassive === undefined && control.hasPipelined));
  // a protected connection is prepared first, and MODE comes before the port
  return profile.allowsJoining && control.isPipelining && isPossible &&
    protection === undefined && !options.compress;
}

/** Whether a command for passive mode is known to work. */
function isPassiveKnown(session: Session): boolean {
  const { profile } = session;
  return isPassive(session) && !profile.needsPRET &&
    (usesPasv(session) || profile.hasExtendedPassive === true);
}

/** Requests a port, and keeps it for the next transfer. */
function askAhead(turn: Turn, { signal }: SignalOptions): Promise<HostPort> {
  const { session } = turn;
  const address = negotiate(turn, { signal });
  const ahead = new PortAhead(address, signal);
  session.ahead = ahead;
  address.catch((error) => {
    // a refusal is an answer, but not a command that was never sent
    const isAnswer = error instanceof FTPError || LOSSES.has(error);
    if (!isAnswer && session.ahead === ahead) session.ahead = undefined;
  });
  return address;
}

/**
 * Requests a port for the next call, during another call's turn. Only with the
 * command that is known to work.
 *
 * @returns The port; `undefined` if it was not requested
 */
export function requestForNext(turn: Turn): PortAhead | undefined {
  const { session } = turn;
  if (!isPassiveKnown(session)) return undefined;
  const command = { verb: usesPasv(session) ? "PASV" : "EPSV" };
  const address = turn.perform(command)
    .then((reply) => addressIn(session, reply, command.verb));
  const ahead = new PortAhead(address, "any");
  session.ahead = ahead;
  address.catch(() => {
    if (session.ahead === ahead) session.ahead = undefined; // asked again
  });
  return ahead;
}

/**
 * Requests a port by `PASV`.
 *
 * @param options `isStrict`: whether only a 227 proves that replies
 * match their commands, because `EPSV` got a reply of another command
 */
export async function requestPasv(
  { session }: Turn,
  { signal, isStrict }: SignalOptions & { isStrict?: boolean },
): Promise<HostPort> {
  signal?.throwIfAborted();
  const { control } = session;
  const pending = control.send({ verb: "PASV" }, { kind: "passive" });
  const reply = await control.wait(pending.final, signal);
  if (isStrict && reply.code !== 227) {
    throw closeMismatched(session, pending, reply);
  }
  return addressIn(session, reply, pending.command);
}

/**
 * Returns the port that was requested ahead, or requests one. If the connection
 * was lost because of `EPSV`, another one uses `PASV`.
 */
async function requestAnywhere(
  turn: ExclusiveTurn,
  options: PassiveOptions,
): Promise<HostPort> {
  const { session } = turn;
  const { signal } = options;
  const ahead = session.takeAhead(signal);
  try {
    if (ahead === undefined) return await negotiate(turn, options);
    const address = abortable(ahead.address, signal);
    return await (ahead.isForAny
      ? orNegotiated(turn, address, options)
      : address);
  } catch (error) {
    if (!LOSSES.has(error as Error)) throw error;
    await replaceConnection(turn, error as Error, options);
    return await negotiate(turn, options);
  }
}

/**
 * Replaces a lost connection, and prepares the other one for the transfer.
 *
 * @throws The error, if the connection cannot be replaced
 */
async function replaceConnection(
  turn: ExclusiveTurn,
  error: Error,
  { signal, type }: PassiveOptions,
): Promise<void> {
  const { session } = turn;
  if (!await session.replace(error, signal)) throw error;
  await session.protection?.prepare(turn, { signal });
  if (type !== undefined) await turn.ensureType(type, { signal });
}

/** Returns a port requested for any call, or requests one if it was refused. */
async function orNegotiated(
  turn: Turn,
  address: Promise<HostPort>,
  options: SignalOptions,
): Promise<HostPort> {
  try {
    return await address;
  } catch (error) {
    if (!(error instanceof FTPError)) throw error;
    return await negotiate(turn, options);
  }
}

/** Whether `PASV` is the command that works or was chosen. */
function usesPasv(session: Session): boolean {
  const { profile, options: { passive } } = session;
  return passive === "pasv" ||
    (profile.hasExtendedPassive === false && mayTryPasv(session));
}

/**
 * Requests a port with the command that works. If LightFTP says that only
 * `ABOR` helps, sends it and requests again.
 */
async function negotiate(
  turn: Turn,
  options: SignalOptions,
): Promise<HostPort> {
  const { session } = turn;
  const ask = () => {
    const { profile, options: { passive } } = session;
    const isLearned = profile.hasExtendedPassive === false &&
      mayTryPasv(session);
    if (passive !== "pasv" && !isLearned) return requestEpsv(turn, options);
    const asking = withActiveAdvice(session, requestPasv(turn, options));
    return passive === "pasv" ? asking : asking.catch((error) => {
      const isOutdated = mayBeOutdated(error) && !asksForPRET(error) &&
        profile.unlearn("EPSV");
      if (!isOutdated || options.signal?.aborted) throw error;
      if (session.control.failure === undefined) {
        return requestEpsv(turn, options);
      }
      LOSSES.add(error);
      throw error;
    });
  };
  try {
    return await ask();
  } catch (error) {
    if (!isStuck(error)) throw error;
    await turn.perform({ verb: "ABOR" }, options);
    return await ask();
  }
}

/** Requests a port by `EPSV`, and by `PASV` if that fails. */
async function requestEpsv(
  turn: Turn,
  { signal }: SignalOptions,
): Promise<HostPort> {
  const { session } = turn;
  signal?.throwIfAborted();
  const { control, profile } = session;
  const pending = control.send({ verb: "EPSV" }, { kind: "passive" });
  const isOnly = !mayTryPasv(session);
  const most = profile.hasExtendedPassive ? KNOWN_EPSV_WAIT : EPSV_WAIT;
  const limit = isOnly ? undefined : waitLimit(session, most, EPSV_SHARE);
  const reply = await replyWithin(session, pending, { limit, signal });
  if (reply === undefined) {
    return await requestPasvInstead(session, pending, signal);
  }
  const isForeign = !mayAnswer("EPSV", reply);
  // no 227 can prove that replies match their commands
  if (isForeign && isOnly) throw closeMismatched(session, pending, reply);
  const address = Promise.try(() => addressIn(session, reply, pending.command));
  if (isOnly) return await withActiveAdvice(session, address);
  try {
    return await address;
  } catch (error) {
    if (control.hungUpAt === pending) noteClosed(session, error);
    const isFinal = reply.code === 421 || isStuck(error) ||
      (asksForPRET(error) && !profile.needsPRET);
    if (isFinal) throw error;
    const asking = requestPasv(turn, { signal, isStrict: isForeign });
    const other = await withActiveAdvice(session, asking).catch((error) => {
      if (!isForeign) noteClosed(session, error);
      throw error;
    });
    const isPassing = reply.code >= 400 && reply.code < 500;
    if (isPassing) profile.hasExtendedPassive ??= false;
    else profile.hasExtendedPassive = false;
    return other;
  }
}

/**
 * Closes a connection whose replies may not match their commands; returns the
 * error.
 */
function closeMismatched(
  { control }: Session,
  pending: PendingCommand,
  reply: Reply,
): Error {
  const error = wrongReplyError(pending, reply);
  control.fail(error);
  return error;
}

/** Sends `PASV` after an unanswered `EPSV`. */
async function requestPasvInstead(
  session: Session,
  replaces: PendingCommand,
  signal: AbortSignal | undefined,
): Promise<HostPort> {
  const { control, profile } = session;
  const options = { kind: "passive", replaces } as const;
  const pending = control.send({ verb: "PASV" }, options);
  const limit = waitLimit(session, PASV_WAIT, PASV_SHARE);
  let reply = await replyWithin(session, pending, { limit, signal });
  // no other connection is possible, or the server is slow
  const isPatient = !replaces.isSettled &&
    (session.renewal === undefined || profile.hasExtendedPassive === true);
  if (reply === undefined && isPatient) {
    reply = await control.wait(pending.final, signal);
  }
  if (reply === undefined) {
    // one reply to two commands cannot be matched
    const error = new Deno.errors.TimedOut(
      `Cannot complete "PASV": "EPSV" got no reply, and neither did "PASV"; the connection is closed; { passive: "pasv" } sends no "EPSV"`,
    );
    profile.hasExtendedPassive ??= false;
    LOSSES.add(error);
    control.giveUp(error);
    throw error;
  }
  const address = Promise.try(() => addressIn(session, reply, pending.command));
  const told = await withActiveAdvice(session, address);
  const late = replaces.isSettled ? (await replaces.final).code : undefined;
  // a server answers in order: what has worked before is dropped now
  if (late === undefined) profile.hasExtendedPassive = false;
  else profile.hasExtendedPassive ??= late === 229;
  return told;
}

/** Options of a wait for a reply. */
interface Waiting extends SignalOptions {
  /** Time limit in milliseconds; without it, the time-out applies. */
  limit?: number | undefined;
}

/**
 * Waits for a reply of passive mode, for a limited time after it is due;
 * `undefined` if it is late.
 */
async function replyWithin(
  session: Session,
  pending: PendingCommand,
  { limit, signal }: Waiting,
): Promise<Reply | undefined> {
  const { control } = session;
  try {
    return limit === undefined
      ? await control.wait(pending.final, signal)
      : await waitFor(session, pending, { limit, signal });
  } catch (error) {
    if (control.failure !== undefined) noteLoss(session, pending, error);
    else if (limit !== undefined) abandonReply(session, pending, limit);
    throw error;
  }
}

/**
 * Waits for a reply, at most `limit` after it is due. Commands before it may
 * take as long as the time-out allows.
 */
async function waitFor(
  session: Session,
  pending: PendingCommand,
  { limit, signal }: Waiting,
): Promise<Reply | undefined> {
  const { control } = session;
  const reply = await session.replyLimit(limit!).wait(
    pending.final,
    () => isNext(session, pending),
    (limited) => control.wait(limited, signal),
  );
  // both may come at the same moment
  return reply ?? (pending.isSettled ? await pending.final : undefined);
}

/**
 * Whether the next reply belongs to a command, or to the `EPSV` that it
 * replaces.
 */
function isNext(
  { control: { due } }: Session,
  pending: PendingCommand,
): boolean {
  return due === pending || (due !== undefined && due === pending.replaces);
}

/** Notes a connection that ended while `EPSV` was pending. */
function noteLoss(
  session: Session,
  pending: PendingCommand,
  error: unknown,
): void {
  const { profile, control: { lostOver } } = session;
  const isOurs = lostOver !== undefined && mayTryPasv(session) &&
    (lostOver === pending || lostOver === pending.replaces);
  if (!isOurs || profile.hasExtendedPassive !== undefined) return;
  profile.hasExtendedPassive = false;
  LOSSES.add(error as Error);
}

/**
 * Notes a connection that the server closed after a refused `EPSV`, so that
 * `PASV` got no reply.
 */
function noteClosed(
  { control: { failure, isHungUp }, profile }: Session,
  error: unknown,
): void {
  const isClosed = isHungUp || failure instanceof Deno.errors.ConnectionReset;
  if (!isClosed || profile.hasExtendedPassive !== undefined) return;
  profile.hasExtendedPassive = false;
  LOSSES.add(error as Error);
}

/**
 * Gives up waiting for a reply. Other calls wait for it for a while, and then
 * use another connection.
 */
function abandonReply(
  session: Session,
  pending: PendingCommand,
  limit: number,
): void {
  const { control } = session;
  session.settle(async () => {
    await settle(pending.final, limit);
    if (pending.isSettled || control.failure !== undefined) return;
    control.giveUp(
      new Deno.errors.NotConnected(
        `"${pending.command}" got no reply, and the signal ended the wait for it; call reconnect()`,
      ),
    );
  });
}

function waitLimit(
  { options: { timeout } }: Session,
  most: number,
  share: number,
): number {
  return timeout > 0 ? Math.min(most, timeout * share) : most;
}

/**
 * Adds advice about active mode to the error of a server that refuses passive
 * mode.
 */
async function withActiveAdvice(
  { options: { route } }: Session,
  address: Promise<HostPort>,
): Promise<HostPort> {
  try {
    return await address;
  } catch (error) {
    const reply = replyOf(error);
    const isRefused = reply !== undefined &&
      !UNRELATED_REPLIES.includes(reply.code) && !isStuck(error) &&
      !asksForPRET(error);
    const mayBeActive = route.via === undefined;
    if (!isRefused || !mayBeActive) throw error;
    const refusal = withMessage(
      error as FTPError,
      (message) =>
        withAdvice(
          message,
          'in active mode the server connects to this machine: { passive: false }, or { passive: "auto" } if passive mode is refused',
        ),
    );
    REFUSALS.add(refusal);
    throw refusal;
  }
}

/** Whether an error may mean that knowledge of an earlier run is outdated. */
function mayBeOutdated(error: unknown): boolean {
  return !isStuck(error) && replyOf(error)?.code !== 421;
}

/** LightFTP may miss the end of a transfer, and then says that `ABOR` helps. */
function isStuck(error: unknown): boolean {
  return error instanceof FTPPermanentError &&
    /\buse ABOR\b/i.test(error.reply?.text ?? "");
}

/** DrFTPD and glFTPd choose the address by the file, and say so. */
function asksForPRET(error: unknown): boolean {
  return /\bPRET\b/.test(replyOf(error)?.text ?? "");
}

/** Announces the transfer (`PRET`). */
async function announce(
  turn: ExclusiveTurn,
  options: PassiveOptions,
): Promise<void> {
  const { profile, control } = turn.session;
  const { command, signal } = options;
  try {
    await turn.perform(announcementOf(command!), { signal });
    profile.recalled.delete("PRET");
  } catch (error) {
    if (isUnknownCommand(replyOf(error))) {
      profile.needsPRET = false;
      return;
    }
    const isOutdated = mayBeOutdated(error) && profile.unlearn("PRET");
    if (!isOutdated || signal?.aborted) throw error;
    // a server that needs PRET says so in its reply to EPSV or PASV
    if (control.failure === undefined) return;
    await replaceConnection(turn, error as Error, options);
  }
}

function announcementOf({ verb, argument, name }: Command): Command {
  if (argument === undefined) return { verb: "PRET", argument: verb };
  if (typeof argument === "string") {
    return { verb: "PRET", argument: `${verb} ${argument}`, name };
  }
  const head = new TextEncoder().encode(`${verb} `);
  return { verb: "PRET", argument: joinBytes([head, argument]), name };
}

/**
 * Returns the address to connect to: the reply's port, and the control
 * connection's host. A server that names another host could direct the client
 * anywhere (RFC 2577 section 3).
 */
function addressIn(
  session: Session,
  reply: Reply,
  command: string,
): HostPort {
  expectSuccess(reply, command);
  const [host, port] = parsePassive(reply, session.peer);
  const isTrusted = session.options.trustPasvHost && host !== "0.0.0.0";
  return [isTrusted ? host : session.peer[0], port];
}
