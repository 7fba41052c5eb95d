/**
 * The dialogues that begin a session: greeting and login.
 *
 * @module
 */

import type { ControlConnection } from "../connection/control_connection.ts";
import { asError } from "../connection/restate.ts";
import type { Reply } from "../protocol/reply.ts";
import {
  expectSuccess,
  type Session,
  type SignalOptions,
} from "../transfer/session.ts";
import { requestUTF8 } from "./quirks.ts";

/** Who logs in. */
export interface Credentials {
  readonly user: string;
  readonly passwd: string;
  readonly acct: string;
}

/**
 * Waits for the greeting; a 120 ("ready in n minutes") is waited out.
 *
 * @param control The connection
 * @param address Whose it is, for messages
 * @param options A signal
 * @returns The 2yz greeting
 * @throws {FTPError} If the server does not want us; the connection is closed
 */
export async function greet(
  control: ControlConnection,
  address: string,
  { signal }: SignalOptions,
): Promise<Reply> {
  const owed = control.expectGreeting(address);
  try {
    return expectSuccess(await control.wait(owed.final, signal), owed.command);
  } catch (error) {
    control.fail(asError(error));
    throw error;
  }
}

/**
 * Fills in what ftplib does: anonymous users give a password by courtesy.
 *
 * @param user The user; "" for anonymous
 * @param passwd The password
 * @param acct The account, for servers that ask for one
 * @returns The credentials to send
 */
export function resolveCredentials(
  user = "anonymous",
  passwd = "",
  acct = "",
): Credentials {
  const isAnonymous = user === "" || user === "anonymous";
  const isEmpty = passwd === "" || passwd === "-";
  return {
    user: user || "anonymous",
    passwd: isAnonymous && isEmpty ? `${passwd}anonymous@` : passwd,
    acct,
  };
}

/**
 * Logs in: `USER`, and `PASS` and `ACCT` where they are asked for (RFC 959
 * section 5.4).
 *
 * @param session The session
 * @param credentials Who
 * @param options A signal
 * @returns The 2yz reply
 */
export async function logIn(
  session: Session,
  { user, passwd, acct }: Credentials,
  options: SignalOptions,
): Promise<Reply> {
  const asked: [verb: string, argument: string, name: string][] = [
    ["USER", user, "user"],
    ["PASS", passwd, "passwd"],
    ["ACCT", acct, "acct"],
  ];
  let reply: Reply | undefined;
  for (const [verb, argument, name] of asked) {
    if (reply?.code === 332 && verb !== "ACCT") continue;
    reply = await session.exchange({ verb, argument, name }, options);
    if (reply.code < 300) break;
  }
  expectSuccess(reply!, "USER");
  await requestUTF8(session, options);
  return reply!;
}
