/**
 * Runs operations: calls of one connection that run one after the other, are
 * retried, and belong to one login.
 *
 * @module
 */

import { anySignal, offAbort, onAbort } from "../connection/waiting.ts";
import type { SignalOptions } from "../transfer/session.ts";
import { unwrapped } from "./errors.ts";
import type { SessionProvider, Upcoming } from "./session_provider.ts";

/**
 * Runs an operation after those before it. It is aborted by the end of the
 * connection, and by the caller's signal.
 *
 * @param note Sends its first queries ahead, if the operation before it allows
 * that
 * @throws {Deno.errors.NotConnected} If the connection ends
 */
export function runOperation<T, Options extends SignalOptions>(
  provider: SessionProvider,
  options: Options,
  run: (options: Options) => Promise<T>,
  note?: Upcoming,
): Promise<T> {
  const own = { ...options, signal: withLifetime(provider, options.signal) };
  const { signal } = own;
  const hold = () => {}; // the operation's waits share one listener
  const start = async () => {
    onAbort(signal, hold);
    try {
      return await run(own);
    } finally {
      offAbort(signal, hold);
    }
  };
  return unwrapped(() =>
    provider.operations.exclusive(start, { signal, note })
  );
}

/** Combines the caller's signal with the end of the connection. */
export function withLifetime(
  { ended }: Pick<SessionProvider, "ended">,
  signal: AbortSignal | undefined,
): AbortSignal {
  return anySignal(ended, signal);
}
