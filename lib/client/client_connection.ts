/**
 * How a client comes back: who logged in where, and what the session was set
 * to. Users and passwords are kept here and nowhere else.
 *
 * @module
 */

import { settle } from "../connection/waiting.ts";
import { runOperation, withLifetime } from "../files/operation.ts";
import type { OwnedProvider } from "../files/session_provider.ts";
import { pause } from "../files/pause.ts";
import { isCrowded } from "../files/recovery.ts";
import { requestDirectory } from "../commands/queries.ts";
import { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { SessionLock } from "../transfer/session_lock.ts";
import type { Credentials } from "./dialogues.ts";
import { type Identity, openAs } from "./enter.ts";
import { openSession } from "./open_session.ts";
import type { Server, Settings } from "./options.ts";
import { settingsOf } from "./session_settings.ts";

/** Longest wait, in milliseconds, for `QUIT`'s reply when a client is disposed of. */
const DISPOSE_GRACE = 2000;

/** How often, and after how many milliseconds first, a crowded server is asked. */
const CROWDED_ATTEMPTS = 6;
const CROWDED_DELAY = 100;

/** A client's connection, from one `connect()` to the next. */
export class ClientConnection implements OwnedProvider {
  /** Downloads and uploads take turns. */
  readonly jobs: SessionLock = new SessionLock();
  readonly #end = new AbortController();
  #session: Session | undefined;
  #identity: Identity | undefined;
  /** Has the session since another user logged in. */
  #successor: ClientConnection | undefined;

  /**
   * The session in use.
   *
   * @throws {Deno.errors.NotConnected} If there is none, or the client was
   * closed
   */
  get session(): Session {
    const session = this.#session;
    // a closed session gives the better reason
    if (session?.control.failure === undefined) this.ended.throwIfAborted();
    if (session !== undefined) return session;
    throw new Deno.errors.NotConnected(
      "Cannot talk to a server: call connect() first",
    );
  }

  /** The session, if there was ever one. */
  get sessionIfAny(): Session | undefined {
    return this.#session;
  }

  /** Aborted when the client is closed, or somebody else's. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Whether somebody logged in, and has not closed the connection. */
  get canReconnect(): boolean {
    return this.#identity !== undefined;
  }

  /** User, host and port. */
  get origin(): string {
    const { server, credentials } = this.#identity ?? {};
    return JSON.stringify([credentials?.user, server?.host, server?.port]);
  }

  /**
   * Connects, without a login.
   *
   * @param server Whom
   * @param settings The client's settings
   * @param options A signal
   * @returns The greeting
   * @throws {Deno.errors.NotConnected} If the connection ends meanwhile
   */
  async open(
    server: Server,
    settings: Settings,
    options: SignalOptions,
  ): Promise<Reply> {
    const { session, welcome } = await this.#hold(
      options,
      (options) => openSession(server, settings, options),
    );
    this.#session = session;
    return welcome;
  }

  /**
   * The connection of who is about to log in. What was begun for another user ends,
   * unless a transfer is open: no login is sent then.
   *
   * @param session Where
   * @param credentials Who
   * @returns This connection, or the client's next one
   * @throws {Deno.errors.NotConnected} If the session was replaced meanwhile
   */
  admit(session: Session, { user, acct }: Credentials): ClientConnection {
    if (session !== this.session) {
      throw new Deno.errors.NotConnected(
        "Cannot log in: the connection was closed here",
      );
    }
    const before = this.#identity?.credentials;
    const isSame = before?.user === user && before.acct === acct;
    const { failure, open } = session.control;
    if (isSame || failure !== undefined || open !== undefined) return this;
    const next = this.#successor = new ClientConnection();
    next.#session = session;
    this.#finish(
      "the connection is another user's by now: login() was called",
    );
    return next;
  }

  /**
   * Takes note of a login.
   *
   * @param identity Who logged in where
   * @throws {Deno.errors.NotConnected} If the connection has ended meanwhile
   */
  remember(identity: Identity): void {
    this.ended.throwIfAborted();
    this.#identity = identity;
    const { session } = this;
    session.renewal = () => this.#renewal(session);
  }

  /**
   * The session to begin a call on, when no transfer is being ended. One that
   * the server closed while nothing was asked of it (a time-out of its own) is
   * replaced, and so is the connection of one that is in doubt.
   *
   * @param options A signal
   * @returns The session, at once where it is open or failed in another way:
   * calls keep their order
   */
  ready(options: SignalOptions): Session | Promise<Session> {
    const { session } = this;
    const wait = session.ready(options.signal, { isForced: true });
    if (wait === undefined && !this.#wasClosedIdle) return session;
    return this.#renew(options, wait);
  }

  async #renew(
    options: SignalOptions,
    wait: Promise<void> | undefined,
  ): Promise<Session> {
    await wait;
    await runOperation(this, options, async (options) => {
      if (this.#wasClosedIdle) await this.reconnect(options);
    });
    return this.session;
  }

  get #wasClosedIdle(): boolean {
    return this.session.control.wasClosedIdle && this.canReconnect;
  }

  /**
   * Replaces the session.
   *
   * @param options A signal
   * @throws {Deno.errors.NotConnected} If the connection ends meanwhile
   */
  async reconnect(options: SignalOptions): Promise<void> {
    const identity = this.#identityFor("connect again");
    const state = settingsOf(this.session);
    const { session } = await this.#hold(
      options,
      (options) => openAs(identity, state, options),
    );
    this.#session = session;
    this.remember(identity);
  }

  /**
   * Opens another session like this one.
   *
   * @param options A signal
   * @returns Its connection, whose owner is the caller
   */
  async fork(options: SignalOptions): Promise<ClientConnection> {
    const { settings } = this.#identityFor("open another connection");
    const { connection } = await this.openFor(settings, options);
    return connection;
  }

  /**
   * Opens another session like this one, for a client with settings of its own.
   *
   * @param settings The other client's settings
   * @param options A signal
   * @returns Its connection, the server, and the greeting
   * @throws {Deno.errors.NotConnected} If no user is logged in
   */
  async openFor(settings: Settings, options: SignalOptions): Promise<{
    connection: ClientConnection;
    server: Server;
    welcome: Reply;
  }> {
    const own = this.#identityFor("open another connection");
    const identity = { ...own, settings };
    const { session } = this;
    // in a turn: no dialogue is in another directory for one command then
    const look = () =>
      session.shared(() => Promise.resolve(settingsOf(session)), options);
    let state = await look();
    if (state.moves === undefined) {
      await session.shared(
        (turn) => requestDirectory(turn, options),
        options,
      );
      state = await look();
    }
    const opened = await this.#hold(
      options,
      (options) => openAs(identity, state, options),
    );
    const connection = new ClientConnection();
    connection.#session = opened.session;
    connection.remember(identity);
    const { server } = identity;
    return { connection, server, welcome: opened.welcome };
  }

  /**
   * Takes leave of the server (`QUIT`) and closes the connection, also where
   * the server refuses.
   *
   * @param options A signal; if it is aborted the connection stays open
   * @returns The 2yz reply
   */
  async quit(options: SignalOptions): Promise<Reply> {
    const { session } = this;
    try {
      const reply = await session.exclusive((turn) => {
        const quitting = turn.perform({ verb: "QUIT" }, options);
        session.control.expectClose();
        return quitting;
      }, options);
      this.#endOf(session);
      return reply;
    } catch (error) {
      if (error instanceof FTPError) this.#endOf(session);
      throw error;
    }
  }

  /**
   * Closes the connections at once, for good, and ends what would open others.
   *
   * @param why What every later call is told
   */
  end(why: string): void {
    const session = this.#session;
    const reason = new Deno.errors.NotConnected(why);
    session?.transfer?.data.fail(reason);
    session?.control.fail(reason);
    this.#finish(`the connection was closed here: ${why}`);
  }

  /** Takes leave if that is possible without waiting long, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const control = this.#session?.control;
    const mayQuit = control?.failure === undefined &&
      control?.open === undefined;
    if (control !== undefined && mayQuit) {
      await settle(this.quit({}), DISPOSE_GRACE);
    }
    this.end("close() was called");
    await control?.closed;
  }

  /** Ends after `QUIT`, before which another user may have logged in. */
  #endOf(session: Session): void {
    if (this.#successor !== undefined) this.#successor.#endOf(session);
    else if (this.#session === session) this.end("quit() was called");
  }

  /** Ends every job, every wait for the next attempt, and every dialling. */
  #finish(why: string): void {
    this.#identity = undefined;
    if (this.ended.aborted) return;
    this.#end.abort(new Deno.errors.NotConnected(`Cannot go on: ${why}`));
  }

  /** Opens a session, which is closed again if the connection ends meanwhile. */
  async #hold<T extends { session: Session }>(
    { signal }: SignalOptions,
    open: (options: SignalOptions) => Promise<T>,
  ): Promise<T> {
    const opened = await open({ signal: withLifetime(this, signal) });
    if (!this.ended.aborted) return opened;
    opened.session.control.fail(this.ended.reason);
    throw this.ended.reason;
  }

  /** The server may count the connection that was closed for a moment. */
  async #renewal(session: Session): Promise<Session> {
    for (let attempt = 1;; attempt++) {
      const identity = this.#identityFor("connect again");
      try {
        const { session: other } = await this.#hold(
          {},
          (options) => openAs(identity, settingsOf(session), options),
        );
        return other;
      } catch (error) {
        if (attempt > CROWDED_ATTEMPTS || !isCrowded(error)) throw error;
        await pause(CROWDED_DELAY * 2 ** (attempt - 1), this.ended);
      }
    }
  }

  #identityFor(action: string): Identity {
    if (this.#identity !== undefined) return this.#identity;
    throw new Deno.errors.NotConnected(
      `Cannot ${action}: no user is logged in`,
    );
  }
}
