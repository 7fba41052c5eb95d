/**
 * A job: one of the calls of a link that come one after the other and are tried
 * again, all on behalf of whoever was logged in when it began.
 *
 * @module
 */

import type { SignalOptions } from "../transfer/session.ts";
import { unwrapped } from "./errors.ts";
import type { SessionProvider } from "./session_provider.ts";

/**
 * Runs a job when those before it are done. The end of the link ends it in every
 * phase, as the caller's signal does.
 *
 * @param link The link, for the whole of the job
 * @param options The job's
 * @param run The job; its options have the signal to heed
 * @returns What it gives
 * @throws {Deno.errors.NotConnected} If the link ends
 */
export function runOperation<T, Options extends SignalOptions>(
  link: SessionProvider,
  options: Options,
  run: (options: Options) => Promise<T>,
): Promise<T> {
  const own = { ...options, signal: withLifetime(link, options.signal) };
  return unwrapped(() => link.jobs.alone(() => run(own), own));
}

/**
 * A signal of the end of a link, or of the caller's.
 *
 * @param link The link
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
