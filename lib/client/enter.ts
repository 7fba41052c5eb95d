/**
 * From an identity to a session that is logged in.
 *
 * @module
 */

import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import { type Credentials, logIn } from "./dialogues.ts";
import { openSession } from "./open_session.ts";
import type { Server, Settings } from "./options.ts";
import {
  restore,
  restoreSettings,
  type SessionSettings,
} from "./session_settings.ts";
import { auth, protC, protP, secureIfAsked } from "./security.ts";

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
 * Secures the session if that was asked for, logs in, protects the data, and
 * sends what the user wants behind each login.
 *
 * @param turn The right to talk alone
 * @param welcome Its greeting
 * @param identity Who logs in where
 * @param options A signal
 * @returns The 2yz reply to the login
 */
export async function enter(
  turn: ExclusiveTurn,
  welcome: Reply,
  { server, settings, credentials }: Identity,
  options: SignalOptions,
): Promise<Reply> {
  const { session } = turn;
  const { virtualHost } = settings;
  // before TLS: it chooses the certificate (RFC 7151 section 4)
  if (virtualHost !== undefined && session.virtualHost === undefined) {
    const command = { verb: "HOST", argument: virtualHost };
    await turn.perform({ ...command, name: "virtualHost" }, options);
  }
  await secureIfAsked(turn, server, welcome, options);
  const reply = welcome.code === 230
    ? welcome // the server has logged us in by itself
    : await logIn(turn, credentials, options);
  if (settings.tls?.data === "clear") await protC(turn, options);
  else if (settings.tls !== undefined) await protP(turn, options);
  for (const command of settings.afterLogin) {
    await turn.perform(command, options);
  }
  if (settings.afterLogin.length > 0) session.moves = [];
  return reply;
}

/**
 * Secures the session, and chooses the virtual host, as another one had.
 *
 * @param turn The right to talk alone
 * @param welcome Its greeting
 * @param server Host, port and TLS options
 * @param state What the other one is set to
 * @param options A signal
 */
async function secureAs(
  turn: ExclusiveTurn,
  welcome: Reply,
  server: Server,
  state: SessionSettings,
  options: SignalOptions,
): Promise<void> {
  const { virtualHost } = state;
  // before TLS, if it was so: it chooses the certificate (RFC 7151 section 4)
  if (virtualHost?.isSecured === false) {
    await turn.perform(virtualHost.command, options);
  }
  if (state.wasSecured && server.tls === undefined) {
    await auth(turn, server, options); // as the user had done
  }
  await secureIfAsked(turn, server, welcome, options);
  if (virtualHost?.isSecured) {
    await turn.perform(virtualHost.command, options);
  }
}

/**
 * Secures the session, where another one could not be: what was said to the
 * server before comes first.
 *
 * @param turn The right to talk alone
 * @param welcome Its greeting
 * @param server Host, port and TLS options
 * @param state What the other one was set to
 * @param options A signal
 * @returns The reply to `AUTH`
 */
export async function authAs(
  turn: ExclusiveTurn,
  welcome: Reply,
  server: Server,
  state: SessionSettings,
  options: SignalOptions,
): Promise<Reply> {
  const { control } = turn.session;
  control.encoding = state.encoding;
  await secureAs(turn, welcome, server, state, options);
  const reply = control.lastReply!;
  await restoreSettings(state, turn, options);
  return reply;
}

/**
 * As {@linkcode enter}, on a session that is secured by {@linkcode authAs}.
 *
 * @param turn The right to talk alone
 * @param welcome Its greeting
 * @param identity Who logs in where
 * @param state What the other one was set to
 * @param options A signal
 * @returns The 2yz reply to the login
 */
export async function loginAs(
  turn: ExclusiveTurn,
  welcome: Reply,
  identity: Identity,
  state: SessionSettings,
  options: SignalOptions,
): Promise<Reply> {
  await authAs(turn, welcome, identity.server, state, options);
  return await enter(turn, welcome, identity, options);
}

/**
 * Dials, secures, logs in, and sets the session as another one is. Requires
 * `allow-net` permission.
 *
 * @param identity Who logs in where
 * @param state What the other one is set to
 * @param options A signal
 * @returns The session and its greeting
 */
export async function openAs(
  identity: Identity,
  state: SessionSettings,
  options: SignalOptions,
): Promise<{ session: Session; welcome: Reply }> {
  const { server, settings } = identity;
  const opened = await openSession(server, settings, {
    ...options,
    profile: state.profile,
  });
  const { session, welcome } = opened;
  try {
    await session.exclusive(async (turn) => {
      await secureAs(turn, welcome, server, state, options);
      await enter(turn, welcome, identity, options);
      await restore(state, turn, options);
    }, options);
    return opened;
  } catch (error) {
    session.control.fail(error as Error);
    throw error;
  }
}
