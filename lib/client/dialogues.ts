/**
 * The dialogues of several commands: greeting, login, renaming, directories.
 *
 * @module
 */

import type { ControlConnection } from "../connection/control_connection.ts";
import type { Command, Path } from "../protocol/command.ts";
import {
  FTPPermanentError,
  FTPReplyError,
  replyError,
} from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { parseSize } from "../protocol/reply_text.ts";
import {
  expectSuccess,
  type Session,
  type SignalOptions,
} from "../transfer/session.ts";

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
 * @param options A signal
 * @returns The 2yz greeting
 * @throws {FTPError} If the server does not want us; the connection is closed
 */
export async function greet(
  control: ControlConnection,
  { signal }: SignalOptions,
): Promise<Reply> {
  const owed = control.expectGreeting();
  try {
    return expectSuccess(await control.wait(owed.final, signal), owed.command);
  } catch (error) {
    control.fail(error as Error);
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
  return expectSuccess(reply!, "USER");
}

/**
 * Renames: `RNFR`, `RNTO` (RFC 959 section 4.1.3).
 *
 * @param session The session
 * @param fromname The old path
 * @param toname The new path
 * @param options A signal
 * @returns The 2yz reply
 */
export async function rename(
  session: Session,
  fromname: Path,
  toname: Path,
  options: SignalOptions,
): Promise<Reply> {
  const reply = await session.exchange(
    { verb: "RNFR", argument: fromname, name: "fromname" },
    options,
  );
  if (reply.code < 300) throw replyError(reply, "RNFR");
  return await session.perform(
    { verb: "RNTO", argument: toname, name: "toname" },
    options,
  );
}

/**
 * Changes the directory; ".." goes by `CDUP` and, where that is unknown, by
 * `CWD ..`; "" is ".".
 *
 * @param session The session
 * @param dirname The directory
 * @param options A signal
 * @returns The 2yz reply
 */
export async function changeDirectory(
  session: Session,
  dirname: Path,
  options: SignalOptions,
): Promise<Reply> {
  if (dirname === "..") {
    try {
      return await session.perform({ verb: "CDUP" }, options);
    } catch (error) {
      const isUnknown = error instanceof FTPPermanentError &&
        error.reply?.code === 500;
      if (!isUnknown) throw error;
    }
  }
  return await session.perform(
    { verb: "CWD", argument: dirname === "" ? "." : dirname, name: "dirname" },
    options,
  );
}

/**
 * Asks for a size (RFC 3659 section 4). Servers that refuse in type A are
 * asked again in type I.
 *
 * @param session The session
 * @param filename The file
 * @param options A signal
 * @returns Bytes, or `null` unless the reply is 213 with a number
 */
export async function requestSize(
  session: Session,
  filename: Path,
  options: SignalOptions,
): Promise<number | bigint | null> {
  const command: Command = {
    verb: "SIZE",
    argument: filename,
    name: "filename",
  };
  let reply: Reply;
  try {
    reply = await session.exchange(command, options);
  } catch (error) {
    const isAsciiRefusal = error instanceof FTPPermanentError &&
      session.type !== "I" && /ascii/i.test(error.reply?.text ?? "");
    if (!isAsciiRefusal) throw error;
    await session.ensureType("I", options);
    reply = await session.exchange(command, options);
  }
  return reply.code === 213 ? parseSize(reply) : null;
}

/**
 * Deletes a file; 250 and 200 will do.
 *
 * @param session The session
 * @param filename The file
 * @param options A signal
 * @returns The reply
 * @throws {FTPReplyError} For any other code below 400
 */
export async function deleteFile(
  session: Session,
  filename: Path,
  options: SignalOptions,
): Promise<Reply> {
  const reply = await session.exchange(
    { verb: "DELE", argument: filename, name: "filename" },
    options,
  );
  if (reply.code === 250 || reply.code === 200) return reply;
  throw new FTPReplyError(
    `Cannot be sure of "DELE": 250 or 200 was due, got ${reply.text}`,
    { reply, command: "DELE" },
  );
}
