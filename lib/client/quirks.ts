/**
 * What has to be known of a server before it is talked to freely.
 *
 * @module
 */

import { requestFeatures } from "../paths/facts.ts";
import type { Command } from "../protocol/command.ts";
import { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Vendor } from "../transfer/server_profile.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";

// servers that read pipelined commands right however they are cut
const PIPELINING: ReadonlySet<Vendor> = new Set([
  "vsftpd",
  "Pure-FTPd",
  "pyftpdlib",
  "FileZilla",
  "IIS",
  "Serv-U",
  "glFTPd",
  "NcFTPd",
]);

/** Bytes of commands that may be a pipeline on any server. */
const SHORT = 512;

/**
 * Draws conclusions from the greeting.
 *
 * @param session The session
 * @param welcome The greeting
 */
export function noteServer(
  { control, profile }: Session,
  welcome: Reply,
): void {
  profile.noteGreeting(welcome.text);
  const { vendor } = profile;
  if (vendor === undefined) return;
  if (PIPELINING.has(vendor)) control.limitInFlight(Infinity);
  // ftp-srv answers what came in two packets in any order
  if (vendor === "ftp-srv") control.limitInFlight(0);
  // ProFTPD reads commands as Telnet; the others take 0xFF as it is
  if (vendor === "ProFTPD") control.speakTelnet();
}

/**
 * Asks for names in UTF-8, where the server has them in another encoding
 * otherwise. Whatever it answers is taken.
 *
 * @param session The session, logged in
 * @param options A signal
 */
export async function requestUTF8(
  session: Session,
  options: SignalOptions,
): Promise<void> {
  const { control, profile } = session;
  // IIS: names are in UTF-8 only on demand (draft-ietf-ftpext-utf-8-option)
  const isOnDemand = profile.vendor === "IIS";
  if (!isOnDemand || control.encoding.label !== "utf-8") return;
  try {
    await session.exchange({ verb: "OPTS", argument: "UTF8 ON" }, options);
  } catch (error) {
    if (!(error instanceof FTPError && error.reply !== undefined)) throw error;
  }
}

/**
 * Looks at the beginning of a pipeline, and, if it is a long one, asks a server
 * whose greeting says nothing what it is (`FEAT`): ProFTPD must not be sent
 * too many bytes at once, all others may.
 *
 * @param session The session
 * @param commands The pipeline
 * @param options The window, past which no command is taken, and a signal
 * @returns The same commands
 */
export async function preparePipeline(
  session: Session,
  commands: Iterator<Command>,
  { window, signal }: SignalOptions & { window: number },
): Promise<Iterable<Command>> {
  const first: Command[] = [];
  let size = 0;
  const { control } = session;
  while (control.isLimited && size <= SHORT && first.length < window) {
    const next = commands.next();
    if (next.done) return first;
    first.push(next.value);
    const { verb, argument = "" } = next.value;
    size += verb.length + argument.length + 3; // a blank and CRLF
  }
  if (size > SHORT) {
    await requestFeatures(session, { signal });
    if (!session.profile.mayBe("ProFTPD")) control.limitInFlight(Infinity);
  }
  return chain(first, commands);
}

function* chain(
  first: readonly Command[],
  rest: Iterator<Command>,
): Generator<Command> {
  yield* first;
  for (let next = rest.next(); !next.done; next = rest.next()) yield next.value;
}
