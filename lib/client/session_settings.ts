/**
 * Copies the settings of a session to another one, after a loss or for a
 * further connection.
 *
 * @module
 */

import type { Encoding } from "../protocol/encoding.ts";
import type { Command } from "../protocol/command.ts";
import { FTPPermanentError } from "../protocol/errors.ts";
import type { ServerProfile } from "../transfer/server_profile.ts";
import type {
  PassiveMode,
  Session,
  SignalOptions,
} from "../transfer/session.ts";
import type { VirtualHost } from "../transfer/session_state.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import { ccc, isSecured, protC, protP } from "./security.ts";

/** Settings of a session. */
export interface SessionSettings {
  /** Knowledge about the server, shared and not copied. */
  readonly profile: ServerProfile;
  readonly passive: PassiveMode;
  readonly encoding: Encoding;
  /** Whether the control connection was under TLS, at least for the login. */
  readonly wasSecured: boolean;
  /** Whether it returned to clear text (`CCC`). */
  readonly isCleared: boolean;
  /** Whether data connections are protected. */
  readonly isProtected: boolean;
  readonly settings: ReadonlyMap<string, Command>;
  /** The virtual host, chosen before the login. */
  readonly virtualHost: VirtualHost | undefined;
  /** Commands that lead to the directory; `undefined` if unknown. */
  readonly moves: readonly Command[] | undefined;
  readonly type: string | undefined;
}

/** Returns the settings of a session. */
export function settingsOf(session: Session): SessionSettings {
  const { control, options, state, tls } = session;
  return {
    profile: session.profile,
    passive: options.passive,
    encoding: control.encoding,
    wasSecured: tls !== undefined,
    isCleared: tls !== undefined && !isSecured(session),
    isProtected: session.protection !== undefined,
    settings: new Map(state.settings),
    virtualHost: state.virtualHost,
    moves: state.directory
      ? [{ verb: "CWD", argument: state.directory, name: "directory" }]
      : state.moves,
    type: state.type,
  };
}

/**
 * Applies settings to a session that is logged in.
 *
 * @throws {Deno.errors.NotConnected} If the directory is unknown
 */
export async function restore(
  state: SessionSettings,
  turn: ExclusiveTurn,
  options: SignalOptions,
): Promise<void> {
  const { session } = turn;
  session.options.passive = state.passive;
  session.control.encoding = state.encoding;
  if (state.isProtected && session.protection === undefined) {
    await protP(turn, options);
  }
  if (!state.isProtected && session.protection !== undefined) {
    await protC(turn, options);
  }
  await restoreSettings(state, turn, options);
  if (state.moves === undefined) {
    throw new Deno.errors.NotConnected(
      "Cannot connect again: the directory on the server is not known; give absolute paths, or await cwd()",
    );
  }
  // in one round trip; after a failure the connection is not used
  const { type } = state;
  await Promise.all([
    ...state.moves.map((move) => turn.perform(move, options)),
    type === "A" || type === "I" ? turn.ensureType(type, options) : undefined,
  ]);
  if (state.isCleared) await ccc(turn, options);
}

/** Sends missing settings again: `MODE`, `OPTS` and the like. */
export async function restoreSettings(
  { settings }: SessionSettings,
  turn: ExclusiveTurn,
  options: SignalOptions,
): Promise<void> {
  for (const [name, command] of settings) {
    const isSet =
      turn.session.state.settings.get(name)?.argument === command.argument;
    if (isSet) continue;
    try {
      await turn.perform(command, options);
    } catch (error) {
      const isUsual = /^(MODE S|STRU F)$/i.test(`${name} ${command.argument}`);
      if (!(isUsual && error instanceof FTPPermanentError)) throw error;
    }
  }
}
