/**
 * Opens sessions that are logged in.
 *
 * @module
 */

import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import { type Credentials, logIn, type LoginOptions } from "./dialogues.ts";
import { openSession } from "./open_session.ts";
import type { Server, Settings } from "./options.ts";
import {
  restore,
  restoreSettings,
  type SessionSettings,
} from "./session_settings.ts";
import { auth, protC, protP, secureIfAsked } from "./security.ts";

/** Identity of a login. */
export interface Identity {
  /** The server. */
  readonly server: Server;
  /** Settings of the client. */
  readonly settings: Settings;
  /** User, password and account. */
  readonly credentials: Credentials;
}

/**
 * Secures the session if requested, logs in, protects data, and sends the
 * user's commands.
 */
export async function enter(
  turn: ExclusiveTurn,
  welcome: Reply,
  { server, settings, credentials }: Identity,
  options: LoginOptions,
): Promise<Reply> {
  const { session } = turn;
  const { virtualHost } = settings;
  // before TLS: it chooses the certificate (RFC 7151 section 4)
  if (virtualHost !== undefined && session.state.virtualHost === undefined) {
    const command = { verb: "HOST", argument: virtualHost };
    await turn.perform({ ...command, name: "virtualHost" }, options);
  }
  await secureIfAsked(turn, server, welcome, options);
  const reply = welcome.code === 230
    ? welcome // the server has logged in the user itself
    : await logIn(turn, credentials, options);
  if (settings.tls?.data === "clear") await protC(turn, options);
  else if (settings.tls !== undefined) await protP(turn, options);
  for (const command of settings.afterLogin) {
    await turn.perform(command, options);
  }
  if (settings.afterLogin.length > 0) session.state.moves = [];
  return reply;
}

/**
 * Secures the session, and chooses the virtual host, like the other session.
 */
async function secureAs(
  turn: ExclusiveTurn,
  welcome: Reply,
  server: Server,
  state: SessionSettings,
  options: SignalOptions,
): Promise<void> {
  const { virtualHost } = state;
  // before TLS if it was so, because it selects the certificate (RFC 7151
  // section 4)
  if (virtualHost?.isSecured === false) {
    await turn.perform(virtualHost.command, options);
  }
  if (state.wasSecured && server.tls === undefined) {
    await auth(turn, server, options); // as the user did
  }
  await secureIfAsked(turn, server, welcome, options);
  if (virtualHost?.isSecured) {
    await turn.perform(virtualHost.command, options);
  }
}

/**
 * Secures the session in place of another one that could not be secured.
 * Commands sent before come first.
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
 * Logs in like {@linkcode enter}, on a session that {@linkcode authAs} has
 * secured.
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
 * Whether the settings of another session are only a directory and a type, which
 * may be sent with the login.
 */
function mayJoin(
  { tls, afterLogin }: Settings,
  { wasSecured, isProtected, settings }: SessionSettings,
): boolean {
  return tls === undefined && afterLogin.length === 0 && !wasSecured &&
    !isProtected && settings.size === 0;
}

/**
 * Opens a session with the settings of another one. Requires `allow-net`
 * permission.
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
      let restoring: Promise<void> | undefined;
      const onSent = () => {
        if (!mayJoin(settings, state)) return;
        restoring = restore(state, turn, options);
        restoring.catch(() => {}); // the error of the login comes first
      };
      await enter(turn, welcome, identity, { ...options, onSent });
      await (restoring ?? restore(state, turn, options));
    }, options);
    return opened;
  } catch (error) {
    session.control.fail(error as Error);
    throw error;
  }
}
