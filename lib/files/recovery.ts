/**
 * Trying again: when it makes sense, how often, and after what wait.
 *
 * @module
 */

import { abortable } from "../connection/waiting.ts";
import { checkNames, type NamesOf } from "../protocol/check_names.ts";
import { checkNumber } from "../protocol/check_number.ts";
import { showValue } from "../protocol/check_word.ts";
import {
  FTPError,
  FTPPermanentError,
  FTPProtocolError,
} from "../protocol/errors.ts";
import { TLSError } from "../tls/errors.ts";
import type { Session } from "../transfer/session.ts";
import { FTPUnconfirmedError, FTPVerificationError } from "./errors.ts";
import { runOperation } from "./operation.ts";
import type { SessionProvider } from "./session_provider.ts";
import { pause } from "./pause.ts";

/** How a transfer that failed is tried again. */
export interface RetryOptions {
  /**
   * How many times in a row without progress, and how many times in all because
   * the files differed (`FTPVerificationError`).
   *
   * @default {5}
   */
  attempts?: number | undefined;
  /**
   * Milliseconds before the first; each of the following waits twice as long,
   * less up to a half at random.
   *
   * @default {500}
   */
  delay?: number | undefined;
  /**
   * Longest wait, in milliseconds.
   *
   * @default {30_000}
   */
  maxDelay?: number | undefined;
}

/** What is about to be tried again. */
export interface RetryEvent {
  /** What went wrong. */
  readonly error: Error;
  /**
   * How many times in a row this made no progress, or how many times the files
   * differed; 1 for the first.
   */
  readonly attempt: number;
  /** Milliseconds until it is tried again. */
  readonly delay: number;
  /** Bytes of the file that are on the other side. */
  readonly transferred: number;
}

/** Options of what recovers. */
export interface RecoveryOptions {
  /**
   * How often and after what wait a transfer that failed is tried again, or
   * `false` for never.
   *
   * @default {{ attempts: 5, delay: 500, maxDelay: 30_000 }}
   */
  retry?: RetryOptions | false | undefined;
  /**
   * Called before each wait, and awaited. What it throws ends the transfer. A
   * download or upload of the same client waits for this one to end: awaited in
   * here, it would never begin.
   */
  onRetry?: ((event: RetryEvent) => unknown) | undefined;
  /** Ends the transfer. */
  signal?: AbortSignal | undefined;
}

const RETRY_OPTIONS: NamesOf<RetryOptions> = {
  attempts: true,
  delay: true,
  maxDelay: true,
};

/**
 * Insists on a `retry` that can be used, before anything is sent.
 *
 * @param retry The caller's
 * @throws {TypeError} If it is neither an object nor `false`, or has other names
 * @throws {RangeError} If a number is negative or no number
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

/** Bytes that count as progress: more than what a new attempt reads again. */
const PROGRESS = 128 * 1024;

/** What may be better next time, by its reply (RFC 959 section 4.2.2). */
const PASSING_REPLIES = [421, 425, 426, 450, 451];

// ProFTPD's and Serv-U's 530 to a login, where others say 421: the connection
// that was lost may still count
const CROWDED_REGEXP = /\b(too many|maximum)\b/i;

/**
 * Whether a server has as many connections as it lets one user have: the one
 * that was closed a moment ago may still count.
 *
 * @param error What was thrown when another was opened
 * @returns Whether it may be tried again
 */
export function isCrowded(error: unknown): boolean {
  const reply = error instanceof FTPError ? error.reply : undefined;
  if (reply === undefined || WRONG_REGEXP.test(reply.text)) return false;
  return reply.code === 421 ||
    (reply.code === 530 && CROWDED_REGEXP.test(reply.text));
}

// "Login incorrect", "Too many login attempts", "maximum tries": one more of
// them may shut the user out
const WRONG_REGEXP =
  /\b(incorrect|invalid|wrong|passwords?|attempts?|tries|fail(?:ed|ures?)?)\b/i;

/** How long to wait before another attempt. */
interface Wait extends RetryOptions {
  /** Which attempt failed, 1 for the first. */
  attempt: number;
}

/** Milliseconds: each wait twice as long, less up to a half at random. */
function waitOf({ attempt, delay = 500, maxDelay = 30_000 }: Wait): number {
  const longest = Math.min(maxDelay, delay * 2 ** (attempt - 1));
  return longest * (1 - Math.random() / 2);
}

/**
 * Connects, and again while the server has too many connections.
 *
 * @param retry How often, and after what wait; never without
 * @param signal Ends the waits
 * @param attempt Connects
 * @returns What `attempt` gives
 * @throws The last error; at once, if it is another
 */
export async function whileCrowded<T>(
  retry: RetryOptions | false | undefined,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  const most = retry ? retry.attempts ?? 5 : 0;
  for (let count = 1;; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (count > most || !isCrowded(error)) throw error;
      await pause(waitOf({ ...retry, attempt: count }), signal);
    }
  }
}

/** Failed connections. */
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

/**
 * Whether the same call may succeed if it is made again.
 *
 * @param error What went wrong
 * @returns Whether it is worth a try
 */
function isPassing(error: unknown): boolean {
  if (
    error instanceof FTPUnconfirmedError ||
    error instanceof FTPVerificationError
  ) return true;
  if (error instanceof FTPError && error.reply !== undefined) {
    const { code } = error.reply;
    // what a 4yz was found to mean may be permanent
    const isFinal = error instanceof FTPPermanentError;
    return (!isFinal && PASSING_REPLIES.includes(code)) ||
      (code === 530 && isCrowded(error));
  }
  // a connection lost in the handshake; whom not to trust does not change
  if (error instanceof TLSError) return error.reason === "broken";
  // what the platform has no class for (no route, no name server) is an Error
  return error instanceof FTPProtocolError ||
    PASSING_FAILURES.some((Class) => error instanceof Class) ||
    (error instanceof Error && error.constructor === Error);
}

/**
 * Runs a job, and again while it fails for reasons that pass.
 *
 * @param provider Gives the session, and a new one
 * @param options How often, and a signal
 * @param position Tells how far the job is, in bytes
 * @param run The job, on the connection's session
 * @returns What it gives
 * @throws The last error
 */
export async function withRecovery<T>(
  provider: SessionProvider,
  options: RecoveryOptions,
  position: () => number,
  run: () => Promise<T>,
): Promise<T> {
  const { retry, onRetry, signal } = options;
  const { attempts = 5, delay = 500, maxDelay = 30_000 } = retry || {};
  const most = retry === false ? 0 : attempts;
  let furthest = position();
  let mismatches = 0;
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
        // of a file that grows each attempt comes further, and none to an end
        attempt = Math.max(attempt, ++mismatches);
      } else if (position() >= furthest + PROGRESS) {
        furthest = position();
        attempt = 1;
      }
      leaveSpoiled(provider, error, most);
      const isHopeless = signal?.aborted || attempt > most ||
        !isPassing(error) || (isLost(provider) && !provider.canReconnect);
      if (isHopeless) throw error;
      const wait = waitOf({ attempt, delay, maxDelay });
      const told: unknown = onRetry?.({
        error: error as Error,
        attempt,
        delay: wait,
        transferred: position(),
      });
      if (told !== undefined) await abortable(Promise.resolve(told), signal);
      await pause(wait, signal);
    }
  }
}

/**
 * Runs what only reads, again on another session if the connection is lost
 * meanwhile. What the server refuses is not tried again.
 *
 * @param provider Gives the session, and a new one
 * @param options How often, and a signal
 * @param run The reading
 * @returns What it gives
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
    if (!session.isLost) throw error;
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
      if (session.isLost) throw error;
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

/**
 * Options that count how often a job is tried again.
 *
 * @param options The caller's
 * @param retries Where the count goes
 * @returns Options for {@linkcode withRecovery}
 */
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
 * Gives a session up whose data connections are refused for want of its TLS
 * session, where there may be another: that one is kept apart from the rest of
 * the program.
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
