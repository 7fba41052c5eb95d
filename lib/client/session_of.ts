/**
 * The session behind a client: kept here, so that the two levels of the API
 * and the module's functions share it and users do not see it.
 *
 * @module
 */

import { type Command, encodeCommand, type Path } from "../protocol/command.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";

const sessions = new WeakMap<object, Session>();

/**
 * The session of a client.
 *
 * @param client The client
 * @returns Its session
 * @throws {Deno.errors.NotConnected} If it was never connected
 */
export function sessionOf(client: object): Session {
  const session = sessions.get(client);
  if (session !== undefined) return session;
  throw new Deno.errors.NotConnected(
    "Cannot talk to a server: call connect() first",
  );
}

/**
 * The session of a client, if it has one.
 *
 * @param client The client
 * @returns Its session, or `undefined`
 */
export function maybeSessionOf(client: object): Session | undefined {
  return sessions.get(client);
}

/**
 * Gives a client its session.
 *
 * @param client The client
 * @param session The session
 */
export function setSession(client: object, session: Session): void {
  sessions.set(client, session);
}

/**
 * Sends a command that must be answered with 2yz, beside others.
 *
 * @param client The client
 * @param command The command
 * @param options A signal
 * @returns The reply
 */
export function performOn(
  client: object,
  command: Command,
  options: SignalOptions,
): Promise<Reply> {
  const session = sessionOf(client);
  return session.turns.share(
    () => session.perform(command, options),
    options,
  );
}

/**
 * Insists on a path that can be sent, before anything is.
 *
 * @param client The client
 * @param path The path
 * @param name What the caller calls it
 * @throws {TypeError} If it is no path, is empty, has CR, LF or NUL, or does not
 * fit the encoding
 */
export function checkPathFor(client: object, path: Path, name: string): void {
  checkAnyPathFor(client, path, name);
  if (path.length > 0) return;
  throw new TypeError(
    `Cannot use "${name}": it is empty; "." is the current directory`,
  );
}

/**
 * As {@linkcode checkPathFor}, for a path that may be "", the current directory.
 *
 * @param client The client
 * @param path The path
 * @param name What the caller calls it
 */
export function checkAnyPathFor(
  client: object,
  path: Path,
  name: string,
): void {
  const { encoding } = sessionOf(client).control;
  encodeCommand({ verb: "", argument: path, name }, encoding);
}
