/**
 * What has to be known of a server before it is talked to freely.
 *
 * @module
 */

import { requestFeatures } from "../commands/queries.ts";
import type { Command } from "../protocol/command.ts";
import { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Vendor } from "../transfer/server_profile.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { Turn } from "../transfer/turn.ts";

// servers that read pipelined commands right however they are cut
const PIPELINING: ReadonlySet<Vendor> = new Set([
  "vsftpd",
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
 * Bytes of commands that may be without a reply on Pure-FTPd, whose buffer
 * takes 4,127: under TLS it does not see the rest of a record that had no room
 * there, and waits for more.
 */
const PURE_FTPD_BUFFER = 2048;

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
  if (vendor === "Pure-FTPd") control.limitInFlight(PURE_FTPD_BUFFER);
  // ftp-srv answers what came in two packets in any order
  if (vendor === "ftp-srv") control.limitInFlight(0);
  // ProFTPD reads commands as Telnet; the others take 0xFF as it is
  if (vendor === "ProFTPD") control.speakTelnet();
}

/**
 * Asks for names in UTF-8, where the server has them in another encoding
 * otherwise. Whatever it answers is taken.
 *
 * @param turn The right to talk, after the login
 * @param options A signal
 */
export async function requestUTF8(
  turn: Turn,
  options: SignalOptions,
): Promise<void> {
  const { control, profile } = turn.session;
  // IIS: names are in UTF-8 only on demand (draft-ietf-ftpext-utf-8-option)
  const isOnDemand = profile.vendor === "IIS";
  const isWanted = isOnDemand && control.encoding.label === "utf-8";
  if (!isWanted || profile.lacks("OPTS UTF8")) return;
  try {
    await turn.exchange({ verb: "OPTS", argument: "UTF8 ON" }, options);
  } catch (error) {
    if (!(error instanceof FTPError && error.reply !== undefined)) throw error;
  }
}

/**
 * Looks at the beginning of a pipeline, and, if it is a long one, asks a server
 * whose greeting says nothing what it is (`FEAT`): ProFTPD must not be sent
 * too many bytes at once, and Pure-FTPd under TLS not more than its buffer
 * takes.
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
  const { control, profile } = session;
  const isUnknown = control.isLimited && profile.vendor === undefined;
  while (isUnknown && size <= SHORT && first.length < window) {
    const next = commands.next();
    if (next.done) return first;
    first.push(next.value);
    const { verb, argument = "" } = next.value;
    size += verb.length + argument.length + 3; // a blank and CRLF
  }
  if (size > SHORT) {
    await requestFeatures(session, { signal });
    const isSecured = control.stream.info !== undefined;
    const mayBePureFTPd = isSecured && profile.mayBe("Pure-FTPd");
    if (!profile.mayBe("ProFTPD")) {
      control.limitInFlight(mayBePureFTPd ? PURE_FTPD_BUFFER : Infinity);
    }
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
