/**
 * How a client comes back: who logged in where, and what the session was set
 * to. Users and passwords are kept here and nowhere else.
 *
 * @module
 */

import type { Link } from "../files/link.ts";
import type { Command } from "../protocol/command.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { Turns } from "../transfer/turns.ts";
import { type Credentials, logIn } from "./dialogues.ts";
import { openSession } from "./open_session.ts";
import type { Server, Settings } from "./options.ts";
import {
  auth,
  ccc,
  isSecured,
  protC,
  protP,
  secureIfAsked,
} from "./security.ts";
import { sessionOf, setSession } from "./session_of.ts";

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

/** A client's {@linkcode Link}. */
export class ClientLink implements Link {
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
    const identity = this.#identity;
    if (identity === undefined) {
      throw new Deno.errors.NotConnected(
        "Cannot connect again: nobody is logged in",
      );
    }
    const { server, settings } = identity;
    const old = this.session;
    const opened = await openSession(server, settings, options);
    const { session, welcome } = opened;
    try {
      if (old.tls !== undefined && server.tls === undefined) {
        await auth(session, server, options); // as the user had done
      }
      await enter(session, welcome, identity, options);
      await restore(old, session, options);
      if (this.#identity !== identity) {
        throw new Deno.errors.NotConnected(
          "Cannot connect again: the connection was closed here",
        );
      }
    } catch (error) {
      session.control.fail(error as Error);
      throw error;
    }
    setSession(this.#client, session);
  }
}

/** Sets a session as another one was. */
async function restore(
  old: Session,
  session: Session,
  options: SignalOptions,
): Promise<void> {
  session.options.passive = old.options.passive;
  session.hasExtendedPassive = old.hasExtendedPassive;
  session.control.encoding = old.control.encoding;
  if (old.protection !== undefined && session.protection === undefined) {
    await protP(session, options);
  }
  if (old.protection === undefined && session.protection !== undefined) {
    await protC(session, options);
  }
  for (const [name, command] of old.settings) {
    const isSet = session.settings.get(name)?.argument === command.argument;
    if (!isSet) await session.perform(command, options);
  }
  for (const move of movesOf(old)) await session.perform(move, options);
  if (old.type === "A" || old.type === "I") {
    await session.ensureType(old.type, options);
  }
  const wasCleared = old.tls !== undefined && !isSecured(old);
  if (wasCleared) await ccc(session, options);
}

function movesOf({ directory, moves }: Session): readonly Command[] {
  if (directory) {
    return [{ verb: "CWD", argument: directory, name: "directory" }];
  }
  if (moves !== undefined) return moves;
  throw new Deno.errors.NotConnected(
    "Cannot connect again: the directory on the server is not known; give absolute paths, or await cwd()",
  );
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
