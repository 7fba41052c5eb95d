/**
 * Provides the sessions of a client to the file operations.
 *
 * @module
 */

import type { Session, SignalOptions } from "../transfer/session.ts";
import type { SessionLock } from "../transfer/session_lock.ts";
import type { Turn } from "../transfer/turn.ts";
import type { PartsSeen } from "./download/parts_seen.ts";

/**
 * Sends the first queries of an operation, on behalf of the operation before
 * it.
 */
export type Upcoming = (turn: Turn) => void;

/**
 * A client's login, from one `connect()` or login to the next. An operation
 * that starts for one user and server never continues for another.
 */
export interface SessionProvider {
  /**
   * The current session. Its connection may have failed.
   *
   * @throws {Deno.errors.NotConnected} If the client has another login now
   */
  readonly session: Session;
  /** Aborted when the client is closed or logs in again. */
  readonly ended: AbortSignal;
  /** Whether a lost session can be replaced: user and password are known. */
  readonly canReconnect: boolean;
  /** User, host and port, which identify the account. */
  readonly origin: string;
  /** Serializes downloads and uploads that were started at the same time. */
  readonly operations: SessionLock<Upcoming>;
  /** Unfinished files in local directories. */
  readonly partsSeen: PartsSeen;
  /**
   * Replaces the session: connects, secures, logs in, and restores directory,
   * type, protection, encoding, and the settings of `MODE`, `STRU` and `OPTS`.
   */
  reconnect(options: SignalOptions): Promise<void>;
  /** Opens another session to the same server, with the current settings. */
  fork(options: SignalOptions): Promise<OwnedProvider>;
  /**
   * Looks at the current settings.
   *
   * @returns A function that opens another session with them at any time, also
   * while this one is busy
   */
  prepareFork(
    options: SignalOptions,
  ): Promise<(options: SignalOptions) => Promise<OwnedProvider>>;
}

/** A connection that its owner has to dispose of, which sends `QUIT`. */
export interface OwnedProvider extends SessionProvider, AsyncDisposable {
  /**
   * Sends `QUIT` without waiting for the reply. The client waits before it opens
   * another connection, and at its own end.
   */
  leave(): void;
}
