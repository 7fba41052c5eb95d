/**
 * A job: one of the calls of a connection that come one after the other and are tried
 * again, all on behalf of whoever was logged in when it began.
 *
 * @module
 */

import type { SignalOptions } from "../transfer/session.ts";
import { unwrapped } from "./errors.ts";
import type { SessionProvider } from "./session_provider.ts";

/**
 * Runs an operation when those before it are done. The end of the connection ends it in every
 * phase, as the caller's signal does.
 *
 * @param provider The connection, for the whole operation
 * @param options The job's
 * @param run The job; its options have the signal to heed
 * @returns What it gives
 * @throws {Deno.errors.NotConnected} If the connection ends
 */
export function runOperation<T, Options extends SignalOptions>(
  provider: SessionProvider,
  options: Options,
  run: (options: Options) => Promise<T>,
): Promise<T> {
  const own = { ...options, signal: withLifetime(provider, options.signal) };
  return unwrapped(() => provider.jobs.alone(() => run(own), own));
}

/**
 * A signal of the end of a connection, or of the caller's.
 *
 * @param provider The connection
 * @param signal The caller's
 * @returns What follows whichever is first
 */
export function withLifetime(
  { ended }: Pick<SessionProvider, "ended">,
  signal: AbortSignal | undefined,
): AbortSignal {
  if (signal === undefined || signal === ended) return ended;
  return AbortSignal.any([signal, ended]);
}
