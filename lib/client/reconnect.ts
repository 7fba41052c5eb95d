/**
 * How a client comes back: who logged in where, and what the session was set
 * to. Users and passwords are kept here and nowhere else.
 *
 * @module
 */

import { settledWithin } from "../connection/deadline.ts";
import type { OwnLink } from "../files/link.ts";
import { requestDirectory } from "../paths/facts.ts";
import { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { Turns } from "../transfer/turns.ts";
import { type Credentials, logIn } from "./dialogues.ts";
import { openSession } from "./open_session.ts";
import type { Server, Settings } from "./options.ts";
import { restore, type SessionState, stateOf } from "./restore.ts";
import { auth, protP, secureIfAsked } from "./security.ts";
import { maybeSessionOf, sessionOf, setSession } from "./session_of.ts";

/** Longest wait, in milliseconds, for `QUIT`'s reply when a client is disposed of. */
const DISPOSE_GRACE = 2000;

/** Who logged in where. */
export interface Identity {
  /** The server. */
  readonly server: Server;
  /** The client's settings. */
  readonly settings: Settings;
  /** User, password and account. */
  readonly credentials: Credentials;
}

/**
 * Secures the session if that was asked for, logs in, protects the data.
 *
 * @param session The session
 * @param welcome Its greeting
 * @param identity Who logs in where
 * @param options A signal
 * @returns The 2yz reply to the login
 */
export async function enter(
  session: Session,
  welcome: Reply,
  { server, settings, credentials }: Identity,
  options: SignalOptions,
): Promise<Reply> {
  await secureIfAsked(session, server, welcome, options);
  const reply = welcome.code === 230
    ? welcome // the server has logged us in by itself
    : await logIn(session, credentials, options);
  if (settings.tls !== undefined) await protP(session, options);
  return reply;
}

/** A client's {@linkcode OwnLink}. */
export class ClientLink implements OwnLink {
  /** Downloads and uploads take turns. */
  readonly jobs: Turns = new Turns();
  readonly #client: object;
  #identity: Identity | undefined;

  /**
   * Makes a link of a client that nobody has logged in yet.
   *
   * @param client The client
   */
  constructor(client: object) {
    this.#client = client;
  }

  /** The session in use. */
  get session(): Session {
    return sessionOf(this.#client);
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
   * Takes note of a login.
   *
   * @param identity Who logged in where; nothing to forget it
   */
  remember(identity: Identity | undefined): void {
    this.#identity = identity;
  }

  /**
   * The session to begin a call on. One that the server closed while nothing
   * was asked of it (a time-out of its own) is replaced.
   *
   * @param options A signal
   * @returns The session, at once where it is open or failed in another way:
   * calls keep their order
   */
  ready(options: SignalOptions): Session | Promise<Session> {
    return this.#wasClosedIdle ? this.#renew(options) : this.session;
  }

  async #renew(options: SignalOptions): Promise<Session> {
    await this.jobs.alone(async () => {
      if (this.#wasClosedIdle) await this.reconnect(options);
    }, options);
    return this.session;
  }

  get #wasClosedIdle(): boolean {
    return this.session.control.wasClosedIdle && this.canReconnect;
  }

  /**
   * Replaces the session.
   *
   * @param options A signal
   */
  async reconnect(options: SignalOptions): Promise<void> {
    const identity = this.#identityFor("connect again");
    const state = stateOf(this.session);
    const { session } = await open(identity, state, options);
    if (this.#identity !== identity) {
      const error = new Deno.errors.NotConnected(
        "Cannot connect again: the connection was closed here",
      );
      session.control.fail(error);
      throw error;
    }
    setSession(this.#client, session);
  }

  /**
   * Opens another session like this one.
   *
   * @param options A signal
   * @returns Its link, whose owner is the caller
   */
  async another(options: SignalOptions): Promise<ClientLink> {
    const client = {};
    const { settings } = this.#identityFor("open another connection");
    await this.openFor(client, settings, options);
    return linkOf(client);
  }

  /**
   * Gives another client a session like this one, and a link that knows who
   * logged in.
   *
   * @param client The other client
   * @param settings Its settings
   * @param options A signal
   * @returns Where it leads, and the greeting
   * @throws {Deno.errors.NotConnected} If nobody is logged in
   */
  async openFor(
    client: object,
    settings: Settings,
    options: SignalOptions,
  ): Promise<{ server: Server; welcome: Reply }> {
    const own = this.#identityFor("open another connection");
    const identity = { ...own, settings };
    const { session } = this;
    // in a turn: no dialogue is in another directory for one command then
    const look = () =>
      session.turns.share(() => Promise.resolve(stateOf(session)), options);
    let state = await look();
    if (state.moves === undefined) {
      await requestDirectory(session, options);
      state = await look();
    }
    const opened = await open(identity, state, options);
    setSession(client, opened.session);
    linkOf(client).remember(identity);
    return { server: identity.server, welcome: opened.welcome };
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
      const reply = await session.turns.alone(() => {
        const quitting = session.perform({ verb: "QUIT" }, options);
        session.control.expectClose();
        return quitting;
      }, options);
      this.end("quit() was called");
      return reply;
    } catch (error) {
      if (error instanceof FTPError) this.end("quit() was called");
      throw error;
    }
  }

  /**
   * Closes the connections at once, for good.
   *
   * @param why What every later call is told
   */
  end(why: string): void {
    this.#identity = undefined;
    const session = maybeSessionOf(this.#client);
    if (session === undefined) return;
    const reason = new Deno.errors.NotConnected(why);
    session.transfer?.data.fail(reason);
    session.control.fail(reason);
  }

  /** Takes leave if that is possible without waiting long, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const session = maybeSessionOf(this.#client);
    if (session === undefined) return;
    const { control } = session;
    if (control.failure === undefined && control.open === undefined) {
      await settledWithin(this.quit({}), DISPOSE_GRACE);
    }
    this.end("close() was called");
    await control.closed;
  }

  #identityFor(action: string): Identity {
    if (this.#identity !== undefined) return this.#identity;
    throw new Deno.errors.NotConnected(
      `Cannot ${action}: nobody is logged in`,
    );
  }
}

/** Dials, secures, logs in, and sets the session as another one is. */
async function open(
  identity: Identity,
  state: SessionState,
  options: SignalOptions,
): Promise<{ session: Session; welcome: Reply }> {
  const { server, settings } = identity;
  const opened = await openSession(server, settings, options);
  const { session, welcome } = opened;
  try {
    const { virtualHost } = state;
    // before TLS, if it was so: it chooses the certificate (RFC 7151 section 4)
    if (virtualHost?.isSecured === false) {
      await session.perform(virtualHost.command, options);
    }
    if (state.wasSecured && server.tls === undefined) {
      await auth(session, server, options); // as the user had done
    }
    await secureIfAsked(session, server, welcome, options);
    if (virtualHost?.isSecured) {
      await session.perform(virtualHost.command, options);
    }
    await enter(session, welcome, identity, options);
    await restore(state, session, options);
    return opened;
  } catch (error) {
    session.control.fail(error as Error);
    throw error;
  }
}

const links = new WeakMap<object, ClientLink>();

/**
 * The link of a client.
 *
 * @param client The client
 * @returns Its link, the same one each time
 */
export function linkOf(client: object): ClientLink {
  let link = links.get(client);
  if (link === undefined) links.set(client, link = new ClientLink(client));
  return link;
}

/**
 * Runs a call of the path level: on another session, if the server closed the
 * last one while nothing was asked of it.
 *
 * @param client The client
 * @param options A signal
 * @param run The call
 * @returns What it gives
 * @throws {Deno.errors.NotConnected} If the client was never connected
 */
export async function onReady<T>(
  client: object,
  options: SignalOptions,
  run: (session: Session) => Promise<T>,
): Promise<T> {
  const session = linkOf(client).ready(options);
  return await run(session instanceof Promise ? await session : session);
}
