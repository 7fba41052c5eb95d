/**
 * Retries: when, how often and after which wait.
 *
 * @module
 */

import { observeRetry } from "../connection/diagnostics.ts";
import { abortable, delay } from "../connection/waiting.ts";
import { checkNames, type NamesOf } from "../protocol/check_names.ts";
import { checkNumber } from "../protocol/check_number.ts";
import { showValue } from "../protocol/check_word.ts";
import {
  FTPPermanentError,
  FTPProtocolError,
  isRefusal,
  replyOf,
} from "../protocol/errors.ts";
import { TLSError } from "../tls/errors.ts";
import type { Session } from "../transfer/session.ts";
import { FTPUnconfirmedError, FTPVerificationError } from "./errors.ts";
import { runOperation } from "./operation.ts";
import type { FileTransferOptions } from "./options.ts";
import type { SessionProvider } from "./session_provider.ts";

/** How a failed transfer is retried. */
export interface RetryOptions {
  /**
   * Number of retries in a row without progress. Also the total number of
   * retries because the files differed (`FTPVerificationError`).
   *
   * @default 5
   */
  attempts?: number | undefined;
  /**
   * Milliseconds before the first retry. Each further wait is twice as long,
   * minus a random part of up to one half.
   *
   * @default 500
   */
  delay?: number | undefined;
  /**
   * Longest wait, in milliseconds.
   *
   * @default 30_000
   */
  maxDelay?: number | undefined;
}

/** A retry that is about to start. */
export interface RetryEvent {
  /** The error of the last attempt. */
  readonly error: Error;
  /**
   * Number of failures in a row without progress, or number of times the files
   * differed; 1 for the first.
   */
  readonly attempt: number;
  /** Whole milliseconds until the retry. */
  readonly delay: number;
  /** Bytes of the file transferred. */
  readonly transferred: number;
}

/** Options of operations that are retried. */
export type RecoveryOptions = Pick<
  FileTransferOptions,
  "retry" | "onRetry" | "signal"
>;

const RETRY_OPTIONS: NamesOf<RetryOptions> = {
  attempts: true,
  delay: true,
  maxDelay: true,
};

/**
 * Rejects an invalid `retry` before anything is sent.
 *
 * @param retry Option of the caller
 * @throws {TypeError} If it is neither an object nor `false`, or has unknown
 * options
 * @throws {RangeError} If a number is negative or `NaN`
 */
export function checkRetry(retry: RecoveryOptions["retry"]): void {
  if (retry === undefined || retry === false) return;
  if (typeof retry !== "object" || retry === null) {
    throw new TypeError(
      `Cannot use retry ${
        showValue(retry)
      }: it must be an object, such as { attempts: 3 }, or false`,
    );
  }
  checkNames("retry", retry, RETRY_OPTIONS);
  const { attempts, delay, maxDelay } = retry;
  checkNumber("retry.attempts", attempts, { isInteger: true });
  checkNumber("retry.delay", delay);
  checkNumber("retry.maxDelay", maxDelay);
}

/** Bytes that count as progress: more than what a new attempt repeats. */
const PROGRESS = 128 * 1024;

/** Replies after which a retry may succeed (RFC 959 section 4.2.2). */
const PASSING_REPLIES = [421, 425, 426, 450, 451];

// ProFTPD and Serv-U answer a login with 530 where others send 421: the lost
// connection may still count
const TOO_MANY_REGEXP =
  /\b(too many|maximum|simultaneous|concurrent|(?:max|only|no more than) \d+ (?:users|clients|connections|sessions|logins)|max number of|(?:connection|user|client|session)s? limit|(?:server|site) (?:is )?full)\b/i;

/**
 * Whether the server refused because of too many connections of the user. A
 * connection that was just closed may still count.
 */
export function hasTooManyConnections(error: unknown): boolean {
  const reply = replyOf(error);
  if (reply === undefined || WRONG_REGEXP.test(reply.text)) return false;
  return reply.code === 421 ||
    (reply.code === 530 && TOO_MANY_REGEXP.test(reply.text));
}

// "Login incorrect", "Too many login attempts", "maximum tries", "banned":
// another attempt may lock the user out
const WRONG_REGEXP =
  /\b(incorrect|invalid|bad|wrong|passwords?|attempts?|tries|errors|banned|blocked|length|fail(?:ed|ures?)?)\b/i;

/** Wait before a retry. */
interface Wait extends RetryOptions {
  /** Number of the failed attempt, starting with 1. */
  attempt: number;
}

/**
 * Returns whole milliseconds. Each wait is twice as long, minus a random part
 * of up to one half.
 */
function waitOf({ attempt, delay = 500, maxDelay = 30_000 }: Wait): number {
  const longest = Math.min(maxDelay, delay * 2 ** (attempt - 1));
  return Math.round(longest * (1 - Math.random() / 2));
}

/** When a connection is retried. */
interface ConnectingOptions {
  /** Ends the wait. */
  signal: AbortSignal | undefined;
  /**
   * Whether to retry after an error; by default, if the server has too many
   * connections.
   */
  mayRetry?: (error: unknown) => boolean;
}

/**
 * Connects, and retries while the server has too many connections. Other errors
 * are thrown at once, unless `mayRetry` allows them.
 */
export async function retryConnecting<T>(
  { attempts = 5, ...waits }: RetryOptions,
  { signal, mayRetry = hasTooManyConnections }: ConnectingOptions,
  connect: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await connect();
    } catch (error) {
      if (attempt > attempts || !mayRetry(error) || signal?.aborted) {
        throw error;
      }
      await delay(waitOf({ ...waits, attempt }), signal);
    }
  }
}

/** Errors of failed connections. */
const PASSING_FAILURES = [
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionRefused,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.NetworkUnreachable,
  Deno.errors.NotConnected,
  Deno.errors.TimedOut,
  Deno.errors.UnexpectedEof,
];

/** Whether a retry may succeed. */
function isPassing(error: unknown): boolean {
  if (
    error instanceof FTPUnconfirmedError ||
    error instanceof FTPVerificationError
  ) return true;
  if (isRefusal(error)) {
    const { code } = error.reply;
    // a 4yz that was found to be permanent has another class
    const isFinal = error instanceof FTPPermanentError;
    return (!isFinal && PASSING_REPLIES.includes(code)) ||
      (code === 530 && hasTooManyConnections(error));
  }
  return error instanceof FTPProtocolError || isFailedConnection(error);
}

/** Whether a connection could not be opened, or was lost. */
export function isFailedConnection(error: unknown): boolean {
  // only a connection that broke in the handshake; trust does not change
  if (error instanceof TLSError) return error.reason === "broken";
  // platform errors without a class (no route, no name server) are plain Errors
  return PASSING_FAILURES.some((Class) => error instanceof Class) ||
    (error instanceof Error && error.constructor === Error);
}

/**
 * Runs an operation, and retries it after temporary errors. Throws the last
 * error.
 *
 * @param position Returns the bytes of the file transferred
 */
export async function withRecovery<T>(
  provider: SessionProvider,
  options: RecoveryOptions,
  position: () => number,
  run: () => Promise<T>,
): Promise<T> {
  const { retry, onRetry, signal } = options;
  const { attempts = 5, delay: first = 500, maxDelay = 30_000 } = retry || {};
  const most = retry === false ? 0 : attempts;
  let furthest = position();
  let mismatches = 0;
  let { hangUps } = provider.session.profile;
  for (let attempt = 1;; attempt++) {
    try {
      signal?.throwIfAborted();
      if (isLost(provider) && provider.canReconnect && most > 0) {
        await provider.reconnect({ signal });
      }
      await provider.session.ready(signal, { isForced: true });
      return await run();
    } catch (error) {
      if (error instanceof FTPVerificationError) {
        // each attempt at a growing file gets further, and none completes
        attempt = Math.max(attempt, ++mismatches);
      } else if (position() >= furthest + PROGRESS) {
        furthest = position();
        attempt = 1;
      }
      const { hangUps: seen } = provider.session.profile;
      // a command that the server does not know costs no attempt
      if (seen > hangUps && most > 0) attempt--;
      hangUps = seen;
      leaveSpoiled(provider, error, most);
      const isHopeless = signal?.aborted || attempt > most ||
        !isPassing(error) || (isLost(provider) && !provider.canReconnect);
      if (isHopeless) throw error;
      const wait = waitOf({ attempt, delay: first, maxDelay });
      const event = {
        error: error as Error,
        attempt: Math.max(1, attempt),
        delay: wait,
        transferred: position(),
      };
      observeRetry(event);
      const notified: unknown = onRetry?.(event);
      if (notified !== undefined) {
        await abortable(Promise.resolve(notified), signal);
      }
      await delay(wait, signal);
    }
  }
}

/**
 * Runs a read-only operation, and repeats it on a new session if the connection
 * is lost. Refusals of the server are not retried.
 */
export async function withReconnection<T>(
  provider: SessionProvider,
  options: RecoveryOptions,
  run: (session: Session) => Promise<T>,
): Promise<T> {
  const { session } = provider;
  let lost: { error: unknown } | undefined;
  try {
    return await run(session);
  } catch (error) {
    leaveSpoiled(provider, error, options.retry === false ? 0 : 1);
    if (session.control.failure === undefined) throw error;
    lost = { error };
  }
  const again = async () => {
    const first = lost;
    lost = undefined;
    if (first !== undefined) throw first.error;
    const { session } = provider;
    try {
      return { value: await run(session) };
    } catch (error) {
      if (session.control.failure !== undefined) throw error;
      return { error };
    }
  };
  const outcome = await runOperation(
    provider,
    options,
    (options) => withRecovery(provider, options, () => 0, again),
  );
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

/** Adds a counter of retries to options for {@linkcode withRecovery}. */
export function countingRetries(
  options: RecoveryOptions,
  retries: { count: number },
): RecoveryOptions {
  return {
    ...options,
    onRetry: (event) => {
      retries.count++;
      return options.onRetry?.(event);
    },
  };
}

/**
 * Closes a session whose data connections are refused for lack of its TLS
 * session, if a new session is possible. The new session is isolated from other
 * TLS clients of the program.
 */
function leaveSpoiled(
  provider: SessionProvider,
  error: unknown,
  attempts: number,
): void {
  const { session, canReconnect } = provider;
  if (!session.tls?.isSpoiled || !canReconnect || attempts === 0) return;
  session.control.fail(error as Error);
}

function isLost({ session }: SessionProvider): boolean {
  return session.isLost;
}

/**
 * Reconnects if one of several files has failed with the connection.
 *
 * @param cause The file's error
 * @returns Why the others cannot use this connection, if so
 */
export async function reconnectIfLost(
  provider: SessionProvider,
  { retry, signal }: Pick<RecoveryOptions, "retry" | "signal">,
  cause: unknown,
): Promise<{ error: unknown } | undefined> {
  if (!provider.session.isLost) return undefined;
  if (retry === false || !provider.canReconnect) return { error: cause };
  try {
    await runOperation(
      provider,
      { signal },
      (options) => provider.reconnect(options),
    );
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    return { error };
  }
}
