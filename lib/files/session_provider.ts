/**
 * What the path level needs of a client: its session, and another one when
 * that is lost, as long as the same user is logged in on the same server.
 *
 * @module
 */

import type { Session, SignalOptions } from "../transfer/session.ts";
import type { SessionLock } from "../transfer/session_lock.ts";

/**
 * A client, as seen from below, from one `connect()` or login to the next: what
 * was begun for one user on one server never goes on as another, or on another.
 */
export interface SessionProvider {
  /**
   * The session in use. Its connection may have failed.
   *
   * @throws {Deno.errors.NotConnected} If it is somebody else's by now
   */
  readonly session: Session;
  /** Aborted when the client is closed, or somebody else's. */
  readonly ended: AbortSignal;
  /** Whether a lost session can be replaced: user and password are known. */
  readonly canReconnect: boolean;
  /** User, host and port: what tells one account's files from another's. */
  readonly origin: string;
  /** Downloads and uploads that were started at once take turns. */
  readonly jobs: SessionLock;
  /**
   * Replaces the session: dials, secures, logs in, and restores directory,
   * type, protection, encoding, and what `MODE`, `STRU` and `OPTS` have set.
   *
   * @param options A signal
   */
  reconnect(options: SignalOptions): Promise<void>;
  /**
   * Opens another session, to the same server and set to the same as this one
   * is at the moment.
   *
   * @param options A signal
   * @returns A connection of its own
   */
  fork(options: SignalOptions): Promise<OwnedProvider>;
}

/** A connection that its owner has to dispose of: it takes leave of the server. */
export interface OwnedProvider extends SessionProvider, AsyncDisposable {}
