/**
 * Greeting and login of a session.
 *
 * @module
 */

import type { ControlConnection } from "../connection/control_connection.ts";
import { asError } from "../protocol/with_message.ts";
import { encodeCommand } from "../protocol/command.ts";
import type { Encoding } from "../protocol/encoding.ts";
import {
  FTPPermanentError,
  FTPReplyError,
  FTPTemporaryError,
} from "../protocol/errors.ts";
import { hasTooManyConnections } from "../files/recovery.ts";
import type { Reply } from "../protocol/reply.ts";
import { expectSuccess, type SignalOptions } from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import { requestUTF8 } from "./server_quirks.ts";

/** Credentials of a login. */
export interface Credentials {
  readonly user: string;
  readonly passwd: string;
  readonly acct: string;
}

/**
 * Waits for the greeting. A 120 ("ready in n minutes") is skipped.
 *
 * @throws {FTPError} If the server refuses; the connection is closed
 */
export async function greet(
  control: ControlConnection,
  address: string,
  { signal }: SignalOptions,
): Promise<Reply> {
  const pending = control.expectGreeting(address);
  try {
    return expectSuccess(
      await control.wait(pending.final, signal),
      pending.command,
    );
  } catch (error) {
    control.fail(asError(error));
    throw error;
  }
}

/**
 * Adds defaults as ftplib does: anonymous users send a password as a courtesy.
 */
export function resolveCredentials(
  user = "anonymous",
  passwd = "",
  acct = "",
): Credentials {
  for (const [name, value] of Object.entries({ user, passwd, acct })) {
    if (typeof value === "string") continue;
    throw new TypeError(
      `Cannot log in: "${name}" must be a string, not ${
        value === null ? "null" : `of type ${typeof value}`
      }`,
    );
  }
  const isAnonymous = user === "" || user === "anonymous";
  const isEmpty = passwd === "" || passwd === "-";
  return {
    user: user || "anonymous",
    passwd: isAnonymous && isEmpty ? `${passwd}anonymous@` : passwd,
    acct,
  };
}

/** A command of the login, and the caller's name for its argument. */
type LoginStep = [verb: string, argument: string, name: string];

function stepsOf({ user, passwd, acct }: Credentials): LoginStep[] {
  return [["USER", user, "user"], ["PASS", passwd, "passwd"], [
    "ACCT",
    acct,
    "acct",
  ]];
}

/**
 * Rejects credentials that cannot be sent, before anything is.
 *
 * @throws {TypeError} If one has CR, LF or NUL, or does not fit the encoding
 */
export function checkCredentials(
  credentials: Credentials,
  encoding: Encoding,
): void {
  for (const [verb, argument, name] of stepsOf(credentials)) {
    encodeCommand({ verb, argument, name }, encoding);
  }
}

/** Options of a login. */
export interface LoginOptions extends SignalOptions {
  /**
   * Called if `USER` and `PASS` were sent together, to send other commands in
   * the same round trip.
   */
  onSent?: (() => void) | undefined;
}

/** Replies that ask for `PASS`: 336 has a challenge (RFC 2228). */
const NEED_PASSWORD = [331, 336];

/** The reply that asks for `ACCT`. */
const NEED_ACCOUNT = 332;

/**
 * Logs in: `USER`, and `PASS` and `ACCT` if the server asks for them (RFC 959
 * section 5.4).
 *
 * @throws {FTPReplyError} If the server asks for an account (332) and none was
 * given, or for something else
 * @throws {FTPTemporaryError} For 4yz, and for 530 if the server has too many
 * connections
 */
export async function logIn(
  turn: ExclusiveTurn,
  credentials: Credentials,
  options: LoginOptions,
): Promise<Reply> {
  checkCredentials(credentials, turn.session.control.encoding);
  const [user, password, account] = stepsOf(credentials) as [
    LoginStep,
    LoginStep,
    LoginStep,
  ];
  const send = async (step: LoginStep): Promise<Reply> => {
    const [verb, argument, name] = step;
    try {
      return await turn.exchange({ verb, argument, name }, options);
    } catch (error) {
      throw error instanceof FTPPermanentError && hasTooManyConnections(error)
        ? new FTPTemporaryError(error.message, error)
        : error;
    }
  };
  const { profile, control } = turn.session;
  const isAsked = profile.passwordAskedOf === credentials.user &&
    profile.allowsJoining && control.isPipelining;
  const early = isAsked ? sendTogether(send, [user, password]) : undefined;
  if (isAsked) options.onSent?.();
  let step = user;
  let reply = await (early?.[0] ?? send(step));
  if (NEED_PASSWORD.includes(reply.code)) {
    step = password;
    reply = await (early?.[1] ?? send(step));
    if (reply.code < 300) profile.passwordAskedOf = credentials.user;
  } else await early?.[1].catch(() => {}); // the user needs no password now
  if (reply.code === NEED_ACCOUNT) {
    if (credentials.acct === "") throw noAccount(reply, step[0]);
    step = account;
    reply = await send(step);
  }
  expectSuccess(reply, step[0]);
  await requestUTF8(turn, options);
  return reply;
}

/**
 * Sends two steps in one round trip. The first fails only after the second has
 * its reply, too.
 */
function sendTogether(
  send: (step: LoginStep) => Promise<Reply>,
  steps: [first: LoginStep, second: LoginStep],
): [first: Promise<Reply>, second: Promise<Reply>] {
  const [first, second] = steps.map(send) as [Promise<Reply>, Promise<Reply>];
  second.catch(() => {}); // the first step's error comes first
  const both = first.catch(async (error) => {
    await second.catch(() => {});
    throw error;
  });
  return [both, second];
}

function noAccount(reply: Reply, verb: string): FTPReplyError {
  return new FTPReplyError(
    `Cannot log in: the server asks for an account, "${reply.text}", and none was given; give it as the third argument of login(), or as the option "account" of connect()`,
    { reply, command: verb },
  );
}
