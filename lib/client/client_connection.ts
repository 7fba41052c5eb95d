/**
 * A client's connection, and its reconnection: identity and settings. Users and
 * passwords are kept only here.
 *
 * @module
 */

import { showAddress } from "../connection/dial.ts";
import { quote } from "../protocol/printable.ts";
import { abortable, settle, within } from "../connection/waiting.ts";
import { PartsSeen } from "../files/download/parts_seen.ts";
import { runOperation, withLifetime } from "../files/operation.ts";
import type { OwnedProvider, Upcoming } from "../files/session_provider.ts";
import { retryConnecting, type RetryOptions } from "../files/recovery.ts";
import { requestDirectory } from "../commands/queries.ts";
import { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { ServerProfile } from "../transfer/server_profile.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { SessionLock } from "../transfer/session_lock.ts";
import type { Credentials } from "./dialogues.ts";
import { type Identity, openAs } from "./enter.ts";
import { openSession } from "./open_session.ts";
import { ServerStore } from "./profile_store.ts";
import type { Server, Settings } from "./options.ts";
import { type SessionSettings, settingsOf } from "./session_settings.ts";

/**
 * Longest wait, in milliseconds, for the reply to `QUIT` when a client is
 * disposed of.
 */
const DISPOSE_GRACE = 2000;

/** Retries if the server has too many connections. */
const TOO_MANY_RETRY: RetryOptions = { attempts: 6, delay: 100 };

/** Reason of the end of an `await using` block. */
const DISPOSED = 'the client\'s "await using" block ended';

/** Advice for calls that run at the end of an `await using` block. */
const MISSING_AWAIT =
  ' while this call was running; an "await" may be missing before the call';

/** A client's connection, from one `connect()` to the next. */
export class ClientConnection implements OwnedProvider {
  /** Serializes downloads and uploads. */
  readonly operations: SessionLock<Upcoming> = new SessionLock();
  /** Unfinished files in local directories. */
  readonly partsSeen = new PartsSeen();
  readonly #end = new AbortController();
  #session: Session | undefined;
  #identity: Identity | undefined;
  /** Where the server's profile is saved, and the settings that belong to it. */
  #kept: { store: ServerStore; settings: Settings } | undefined;
  /** Ends when the profile is saved. */
  #saving: Promise<void> | undefined;
  /** The connection that this one was opened for. */
  #opener: ClientConnection | undefined;
  /** Connections that wait for the reply to their `QUIT`, and their ends. */
  readonly #leaving = new Map<ClientConnection, Promise<void>>();
  /** Owns the session after another user has logged in. */
  #successor: ClientConnection | undefined;

  /**
   * The current session.
   *
   * @throws {Deno.errors.NotConnected} If there is none, or the client was
   * closed
   */
  get session(): Session {
    const session = this.#session;
    // the reason of a closed session says more
    if (session?.control.failure === undefined) this.ended.throwIfAborted();
    if (session !== undefined) return session;
    throw new Deno.errors.NotConnected(
      "Cannot use the client: it is not connected; call connect() first",
    );
  }

  /** The last session, if there was one. */
  get sessionIfAny(): Session | undefined {
    return this.#session;
  }

  /** Aborted when the client is closed, or another user logs in. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Whether a user is logged in, and has not closed the connection. */
  get canReconnect(): boolean {
    return this.#identity !== undefined;
  }

  /** User, host and port, as one text. */
  get origin(): string {
    const { server, credentials } = this.#identity ?? {};
    return JSON.stringify([credentials?.user, server?.host, server?.port]);
  }

  /**
   * Connects without a login.
   *
   * @throws {Deno.errors.NotConnected} If the connection ends meanwhile
   */
  async open(
    server: Server,
    settings: Settings,
    options: SignalOptions,
  ): Promise<Reply> {
    const profile = new ServerProfile(settings.serverZone);
    const { session, welcome } = await this.#hold(options, async (options) => {
      await this.#load(server, settings, profile, options);
      return await openSession(server, settings, { ...options, profile });
    });
    this.#session = session;
    return welcome;
  }

  /**
   * Returns the connection for a login. Operations of another user end, unless
   * a transfer is open: no login is sent then.
   *
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
    next.#kept = this.#kept;
    this.#finish(
      "the connection belongs to another user: login() was called",
    );
    return next;
  }

  /**
   * Notes a login.
   *
   * @throws {Deno.errors.NotConnected} If the connection has ended meanwhile
   */
  remember(identity: Identity): void {
    this.ended.throwIfAborted();
    this.#identity = identity;
    const { session } = this;
    session.renewal = () => this.#renewal(session);
  }

  /**
   * Returns the session for a call, after pending ends of transfers. Replaces a
   * session that the server closed while idle, or that was given up.
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

  /** Opens another session with the same settings. */
  async fork(options: SignalOptions): Promise<ClientConnection> {
    const { settings } = this.#identityFor("open another connection");
    const { connection } = await this.openFor(settings, options);
    return connection;
  }

  /** Looks at the settings, for sessions that are opened later. */
  async prepareFork(
    options: SignalOptions,
  ): Promise<(options: SignalOptions) => Promise<ClientConnection>> {
    const state = await this.#settings(options);
    return async (options) => {
      const identity = this.#identityFor("open another connection");
      return (await this.#openAs(identity, state, options)).connection;
    };
  }

  /**
   * Opens another session with the same settings, for a client with its own
   * options.
   *
   * @throws {Deno.errors.NotConnected} If no user is logged in
   */
  async openFor(settings: Settings, options: SignalOptions): Promise<{
    connection: ClientConnection;
    server: Server;
    welcome: Reply;
  }> {
    const own = this.#identityFor("open another connection");
    const state = await this.#settings(options);
    return await this.#openAs({ ...own, settings }, state, options);
  }

  /** Looks at the settings of the session, the directory included. */
  async #settings(options: SignalOptions): Promise<SessionSettings> {
    const { session } = this;
    // in a turn, because a dialogue may be in another directory for one command
    const look = () =>
      session.shared(() => Promise.resolve(settingsOf(session)), options);
    const state = await look();
    if (state.moves !== undefined) return state;
    await session.shared(
      (turn) => requestDirectory(turn, options),
      options,
    );
    return await look();
  }

  async #openAs(
    identity: Identity,
    state: SessionSettings,
    options: SignalOptions,
  ): Promise<{
    connection: ClientConnection;
    server: Server;
    welcome: Reply;
  }> {
    // the server may allow only so many
    await abortable(abortable(this.#left(), options.signal), this.ended);
    const opened = await this.#hold(
      options,
      (options) => openAs(identity, state, options),
    );
    const connection = new ClientConnection();
    connection.#opener = this;
    connection.#session = opened.session;
    const { server, settings } = identity;
    connection.#kept = this.#kept && { ...this.#kept, settings };
    connection.remember(identity);
    return { connection, server, welcome: opened.welcome };
  }

  leave(): void {
    const opener = this.#opener;
    // closed already: there is no call left that would wait for the reply
    if (opener?.ended.aborted) return this.end("its client was closed");
    const left = this[Symbol.asyncDispose]();
    if (opener === undefined) return;
    opener.#leaving.set(this, left);
    left.finally(() => opener.#leaving.delete(this));
  }

  /** Waits until the connections are closed that were told to leave. */
  async #left(): Promise<void> {
    await Promise.all(this.#leaving.values());
  }

  /** Sends `QUIT` and closes the connection, also if the server refuses. */
  async quit(
    options: SignalOptions,
    why = "quit() was called",
  ): Promise<Reply> {
    const { session } = this;
    try {
      const reply = await session.exclusive((turn) => {
        const quitting = turn.perform({ verb: "QUIT" }, options);
        session.control.expectClose(why);
        return quitting;
      }, options);
      // without a wait: pending calls must not send anything
      this.#endOf(session, why);
      await this.#left();
      await this.#saved();
      return reply;
    } catch (error) {
      if (error instanceof FTPError) {
        this.#endOf(session, why);
        await this.#left();
      }
      throw error;
    }
  }

  /**
   * Closes the connections at once and permanently, and ends pending ones.
   *
   * @param advice Text for the errors of calls that are running
   */
  end(why: string, advice = ""): void {
    for (const connection of this.#leaving.keys()) connection.end(why);
    this.#endOwn(why, advice);
  }

  /** Ends like {@linkcode end}, but for the connections that are leaving. */
  #endOwn(why: string, advice: string): void {
    const session = this.#session;
    const reason = new Deno.errors.NotConnected(why);
    session?.transfer?.data.fail(reason);
    session?.control.fail(reason);
    this.#save();
    this.#finish(`the connection was closed here: ${why}${advice}`);
  }

  /** Sends `QUIT` if that does not take long, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const control = this.#session?.control;
    const mayQuit = control?.failure === undefined &&
      control?.open === undefined;
    if (control !== undefined && mayQuit) {
      await settle(this.quit({}, DISPOSED), DISPOSE_GRACE);
    }
    if (this.#leaving.size > 0) await this.#left();
    this.end(DISPOSED, MISSING_AWAIT);
    await control?.closed;
    await this.#saved();
  }

  /** Loads what an earlier program has learned of a server. */
  async #load(
    { host, port }: Server,
    settings: Settings,
    profile: ServerProfile,
    { signal }: SignalOptions,
  ): Promise<void> {
    if (settings.profile === undefined) return;
    const loading = ServerStore.load(
      settings.profile,
      showAddress(host, port),
      profile,
      settings.dropping,
    );
    const { timeout } = settings;
    const late = () =>
      new Deno.errors.TimedOut(
        `Cannot load the profile of ${
          quote(showAddress(host, port))
        }: the function "load" took longer than ${timeout} ms`,
      );
    const store = await within(
      timeout,
      signal,
      late,
      (signal) => abortable(loading, signal),
    );
    this.#kept = { store, settings };
  }

  /** Waits until the profile is saved, or for the time-out. */
  async #saved(): Promise<void> {
    const timeout = this.#kept?.settings.timeout;
    if (this.#saving === undefined || timeout === undefined) return;
    if (timeout === 0) await this.#saving;
    else await settle(this.#saving, timeout);
  }

  #save(): void {
    if (this.#kept === undefined || this.#session === undefined) return;
    const { store, settings: { dropping, tracer } } = this.#kept;
    this.#saving = store.save(this.#session.profile, dropping, tracer);
  }

  /** Ends after `QUIT`; another user may have logged in before it. */
  #endOf(session: Session, why: string): void {
    if (this.#successor !== undefined) this.#successor.#endOf(session, why);
    else if (this.#session === session) this.#endOwn(why, MISSING_AWAIT);
  }

  /** Ends every operation, retry and pending connection. */
  #finish(why: string): void {
    this.#identity = undefined;
    if (this.ended.aborted) return;
    this.#end.abort(new Deno.errors.NotConnected(`Cannot continue: ${why}`));
  }

  /** Opens a session, and closes it if the connection has ended meanwhile. */
  async #hold<T extends { session: Session }>(
    { signal }: SignalOptions,
    open: (options: SignalOptions) => Promise<T>,
  ): Promise<T> {
    const opened = await open({ signal: withLifetime(this, signal) });
    if (!this.ended.aborted) return opened;
    opened.session.control.fail(this.ended.reason);
    throw this.ended.reason;
  }

  /**
   * Opens a session that replaces one. The server may still count the closed
   * connection.
   */
  async #renewal(session: Session): Promise<Session> {
    const open = async () => {
      const identity = this.#identityFor("connect again");
      const opened = await this.#hold(
        {},
        (options) => openAs(identity, settingsOf(session), options),
      );
      return opened.session;
    };
    return await retryConnecting(TOO_MANY_RETRY, { signal: this.ended }, open);
  }

  #identityFor(action: string): Identity {
    if (this.#identity !== undefined) return this.#identity;
    throw new Deno.errors.NotConnected(
      `Cannot ${action}: no user is logged in`,
    );
  }
}
