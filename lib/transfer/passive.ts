/**
 * Asking the server for a port to dial: `EPSV` and `PASV`, and `PRET` before
 * them where the server wants it.
 *
 * @module
 */

import type { PendingCommand } from "../connection/pending_commands.ts";
import { settle } from "../connection/waiting.ts";
import { type HostPort, isIPv6, parsePassive } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import { FTPError, FTPPermanentError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { expectSuccess, type Session, type SignalOptions } from "./session.ts";
import type { ExclusiveTurn, Turn } from "./turn.ts";

/** Milliseconds that a port which was asked for ahead is trusted to be there. */
const AHEAD_LIFE = 5000;

/** Longest wait, in milliseconds, for `EPSV` before `PASV` is sent too. */
const EPSV_PATIENCE = 1000;

/** Longest wait, in milliseconds, for the `PASV` behind an unanswered `EPSV`. */
const PASV_PATIENCE = 5000;

/** The part of the time-out that the first of these waits may take at most. */
const EPSV_SHARE = 1 / 3;

/** The same of the second. */
const PASV_SHARE = 1 / 2;

/** Replies that tell nothing of passive mode: the server closes, or wants a login. */
const UNRELATED_REPLIES = [421, 530];

/** What a port is asked for. */
export interface PassiveOptions extends SignalOptions {
  /** The transfer's command, which `PRET` tells. */
  command?: Command | undefined;
  /** The representation type to set again on another connection. */
  type?: "A" | "I" | undefined;
}

/** Errors of servers that refuse passive mode, and could connect to this machine. */
const REFUSALS = new WeakSet<object>();

/** Errors of connections that `EPSV` has cost: another one can do without. */
const LOSSES = new WeakSet<object>();

/**
 * Whether a server has refused passive mode altogether, and active mode is there.
 *
 * @param error What {@linkcode requestPassive} has thrown
 * @returns Whether it has
 */
export function isPassiveRefused(error: unknown): boolean {
  return error instanceof Error && REFUSALS.has(error);
}

/**
 * Whether the next transfer asks the server to listen.
 *
 * @param session The session
 * @returns Whether it does
 */
export function isPassive({ options, profile }: Session): boolean {
  const { passive } = options;
  return passive === "auto" ? !profile.refusesPassive : passive !== false;
}

/**
 * Whether `PASV` may be tried where `EPSV` leads nowhere.
 *
 * @param session The session
 * @returns Whether it may: not over IPv6, and not where the user says so
 */
export function mayTryPasv({ peer, options }: Session): boolean {
  return !isIPv6(peer[0]) && options.passive !== "epsv";
}

/**
 * Asks the server to listen: `EPSV` (RFC 2428), and `PASV` (RFC 959) after any
 * reply to it that names no port, and after a while without a reply. Over IPv6
 * there is only `EPSV`.
 *
 * @param turn The right to talk alone
 * @param options The transfer's command, and a signal
 * @returns Where to dial
 */
export async function requestPassive(
  turn: ExclusiveTurn,
  options: PassiveOptions = {},
): Promise<HostPort> {
  const { profile } = turn.session;
  const mayTell = options.command !== undefined;
  if (mayTell && profile.needsPRET) await tell(turn, options);
  try {
    return await requestAnywhere(turn, options);
  } catch (error) {
    if (profile.needsPRET || !mayTell || !asksForPRET(error)) throw error;
    profile.needsPRET = true;
    await tell(turn, options);
    return await requestAnywhere(turn, options);
  }
}

/**
 * Asks the server to listen before the transfer is opened, and does not wait:
 * the next one finds the reply there, and has a round trip less. Only for who
 * is about to open one: pyftpdlib closes the session where nobody connects
 * within 30 seconds.
 *
 * @param session The session
 * @param options The transfer's signal
 */
export function requestAhead(
  session: Session,
  { signal }: SignalOptions,
): void {
  if (!isPassive(session) || session.profile.needsPRET) return;
  const ask = (turn: Turn) => {
    const address = negotiate(turn, { signal });
    const ahead = { address, signal, at: performance.now() };
    session.ahead = ahead;
    address.catch((error) => {
      // the server's refusal is an answer; what was never sent is none
      const isAnswer = error instanceof FTPError || LOSSES.has(error);
      if (!isAnswer && session.ahead === ahead) session.ahead = undefined;
    });
    return address;
  };
  session.shared(ask, { signal }).catch(() => {}); // the transfer throws
}

/**
 * Asks by `PASV`.
 *
 * @param turn The right to talk
 * @param options A signal
 * @returns Where to dial
 */
export async function requestPasv(
  { session }: Turn,
  { signal }: SignalOptions,
): Promise<HostPort> {
  signal?.throwIfAborted();
  const pending = session.control.send({ verb: "PASV" }, { kind: "passive" });
  const reply = await session.control.wait(pending.final, signal);
  return addressIn(session, reply, pending.command);
}

/**
 * As {@linkcode negotiate}, or what was asked for ahead. Where the connection
 * was lost over `EPSV`, another one is asked by `PASV`.
 */
async function requestAnywhere(
  turn: ExclusiveTurn,
  options: PassiveOptions,
): Promise<HostPort> {
  const { session } = turn;
  const { signal, type } = options;
  const { ahead } = session;
  session.ahead = undefined; // a port is good for one connection
  const isUsable = ahead !== undefined && ahead.signal === signal &&
    performance.now() - ahead.at < AHEAD_LIFE;
  try {
    return await (isUsable ? ahead.address : negotiate(turn, options));
  } catch (error) {
    const isLost = LOSSES.has(error as Error);
    if (!isLost || !await session.replace(error, signal)) throw error;
    await session.protection?.prepare(turn, { signal });
    if (type !== undefined) await turn.ensureType(type, { signal });
    return await negotiate(turn, options);
  }
}

/** Asks by what works; where LightFTP says that only `ABOR` helps, once more after it. */
async function negotiate(
  turn: Turn,
  options: SignalOptions,
): Promise<HostPort> {
  const { session } = turn;
  const ask = () => {
    const { profile, options: { passive } } = session;
    const isPasv = passive === "pasv" ||
      (profile.hasExtendedPassive === false && mayTryPasv(session));
    return isPasv
      ? orRefused(session, requestPasv(turn, options))
      : requestEpsv(turn, options);
  };
  try {
    return await ask();
  } catch (error) {
    if (!isStuck(error)) throw error;
    await turn.perform({ verb: "ABOR" }, options);
    return await ask();
  }
}

/** Asks by `EPSV`, and by `PASV` where nothing came of it. */
async function requestEpsv(
  turn: Turn,
  { signal }: SignalOptions,
): Promise<HostPort> {
  const { session } = turn;
  signal?.throwIfAborted();
  const { control, profile } = session;
  const pending = control.send({ verb: "EPSV" }, { kind: "passive" });
  const isOnly = !mayTryPasv(session);
  // what has worked is only slow
  const patience = isOnly || profile.hasExtendedPassive === true
    ? undefined
    : patienceOf(session, EPSV_PATIENCE, EPSV_SHARE);
  const reply = await replyWithin(session, pending, { patience, signal });
  if (reply === undefined) return await overtake(session, pending, signal);
  const address = Promise.try(() => addressIn(session, reply, pending.command));
  if (isOnly) return await orRefused(session, address);
  try {
    return await address;
  } catch (error) {
    const isFinal = reply.code === 421 || isStuck(error) ||
      (asksForPRET(error) && !profile.needsPRET);
    if (isFinal) throw error;
    const other = await orRefused(session, requestPasv(turn, { signal }));
    const isPassing = reply.code >= 400 && reply.code < 500;
    if (isPassing) profile.hasExtendedPassive ??= false;
    else profile.hasExtendedPassive = false;
    return other;
  }
}

/** Sends `PASV` behind an `EPSV` that has no reply yet. */
async function overtake(
  session: Session,
  replaces: PendingCommand,
  signal: AbortSignal | undefined,
): Promise<HostPort> {
  const { control, profile } = session;
  const options = { kind: "passive", replaces } as const;
  const pending = control.send({ verb: "PASV" }, options);
  const patience = patienceOf(session, PASV_PATIENCE, PASV_SHARE);
  let reply = await replyWithin(session, pending, { patience, signal });
  const isOnly = session.renewal === undefined && !replaces.isSettled;
  if (reply === undefined && isOnly) { // there is no other connection to ask
    reply = await control.wait(pending.final, signal);
  }
  if (reply === undefined) {
    // one reply to two commands: whose it is cannot be told
    const error = new Deno.errors.TimedOut(
      `Cannot complete "PASV": "EPSV" got no reply, and neither did "PASV"; the connection is closed; { passive: "pasv" } sends no "EPSV"`,
    );
    profile.hasExtendedPassive ??= false;
    LOSSES.add(error);
    control.giveUp(error);
    throw error;
  }
  const address = Promise.try(() => addressIn(session, reply, pending.command));
  const told = await orRefused(session, address);
  const late = replaces.isSettled ? (await replaces.final).code : undefined;
  profile.hasExtendedPassive ??= late === 229;
  return told;
}

/** How a reply is waited for. */
interface Waiting extends SignalOptions {
  /** Milliseconds after which there is none; without, the time-out holds. */
  patience?: number | undefined;
}

/**
 * Waits for a reply of passive mode, for a while from when it is due.
 *
 * @returns The reply; `undefined` if there is none within that time
 */
async function replyWithin(
  session: Session,
  pending: PendingCommand,
  { patience, signal }: Waiting,
): Promise<Reply | undefined> {
  const { control } = session;
  let isDue = false;
  try {
    // commands before it may take as long as they like
    while (patience !== undefined && !isDue) {
      isDue = isNext(session, pending);
      const reply = await waitFor(session, pending, { patience, signal });
      if (reply !== undefined) return reply;
    }
    if (patience !== undefined) return undefined;
    return await control.wait(pending.final, signal);
  } catch (error) {
    if (control.failure !== undefined) noteLoss(session, pending, error);
    else if (patience !== undefined) abandon(session, pending, patience);
    throw error;
  }
}

/** Waits for a reply, `patience` long at most. */
async function waitFor(
  { control }: Session,
  pending: PendingCommand,
  { patience, signal }: Waiting,
): Promise<Reply | undefined> {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(clock), patience);
  const either = signal === undefined
    ? clock.signal
    : AbortSignal.any([signal, clock.signal]);
  try {
    return await control.wait(pending.final, either);
  } catch (error) {
    if (error !== clock) throw error;
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the next reply belongs to a command, or to the `EPSV` that it replaces. */
function isNext(
  { control: { due } }: Session,
  pending: PendingCommand,
): boolean {
  return due === pending || (due !== undefined && due === pending.replaces);
}

/** Takes note of a connection that ended when `EPSV` was due. */
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
 * Leaves a command without a reply: calls wait a while for it, and where none
 * comes, they have another connection.
 */
function abandon(
  session: Session,
  pending: PendingCommand,
  patience: number,
): void {
  const { control } = session;
  session.settle(async () => {
    await settle(pending.final, patience);
    if (pending.isSettled || control.failure !== undefined) return;
    control.giveUp(
      new Deno.errors.NotConnected(
        `"${pending.command}" got no reply, and the signal ended the wait for it; call reconnect()`,
      ),
    );
  });
}

function patienceOf(
  { options: { timeout } }: Session,
  most: number,
  share: number,
): number {
  return timeout > 0 ? Math.min(most, timeout * share) : most;
}

/** Says, where a server refuses passive mode altogether, that there is another. */
async function orRefused(
  { options: { route } }: Session,
  address: Promise<HostPort>,
): Promise<HostPort> {
  try {
    return await address;
  } catch (error) {
    const { reply } = error instanceof FTPError ? error : {};
    const isRefused = reply !== undefined &&
      !UNRELATED_REPLIES.includes(reply.code) && !isStuck(error) &&
      !asksForPRET(error);
    const mayBeActive = route.detour === undefined;
    if (isRefused && mayBeActive && !REFUSALS.has(error as Error)) {
      REFUSALS.add(error as Error);
      (error as Error).message +=
        ' (in active mode the server connects to this machine: { passive: false }, or { passive: "auto" } for where passive mode is refused)';
    }
    throw error;
  }
}

/** LightFTP may miss the end of a transfer; it says then that `ABOR` helps. */
function isStuck(error: unknown): boolean {
  return error instanceof FTPPermanentError &&
    /\buse ABOR\b/i.test(error.reply?.text ?? "");
}

/** DrFTPD and glFTPd choose where to listen by the file, and say so. */
function asksForPRET(error: unknown): boolean {
  return error instanceof FTPError && /\bPRET\b/.test(error.reply?.text ?? "");
}

/** Tells what is going to be transferred (`PRET`). */
async function tell(
  turn: Turn,
  { command, signal }: PassiveOptions,
): Promise<void> {
  try {
    await turn.perform(announcementOf(command!), { signal });
  } catch (error) {
    const code = error instanceof FTPError ? error.reply?.code : undefined;
    if (code !== 500 && code !== 502) throw error;
    turn.session.profile.needsPRET = false;
  }
}

function announcementOf({ verb, argument, name }: Command): Command {
  if (argument === undefined) return { verb: "PRET", argument: verb };
  if (typeof argument === "string") {
    return { verb: "PRET", argument: `${verb} ${argument}`, name };
  }
  const head = new TextEncoder().encode(`${verb} `);
  const bytes = new Uint8Array(head.length + argument.length);
  bytes.set(head);
  bytes.set(argument, head.length);
  return { verb: "PRET", argument: bytes, name };
}

/**
 * The address to dial: the port from the reply, the host that the control
 * connection goes to. A server that names another host would make the client
 * connect wherever it likes (RFC 2577 section 3).
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
