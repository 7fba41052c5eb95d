/**
 * What has to be known of a server before it is talked to freely.
 *
 * @module
 */

import type { ControlConnection } from "../connection/control_connection.ts";
import { requestFeatures } from "../paths/facts.ts";
import type { Command } from "../protocol/command.ts";
import { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";

// servers that read pipelined commands right however they are cut
const PIPELINING_REGEXP =
  /vsFTPd|Pure-FTPd|pyftpdlib|FileZilla|Microsoft FTP|Serv-U|glFTPd|NcFTPd/i;

// ftp-srv answers what came in two packets in any order
const DISORDER_REGEXP = /^220 Ready$/m;

// servers that read commands as Telnet; the others take 0xFF as it is
const TELNET_REGEXP = /ProFTPD/i;

// of mod_facts: ProFTPD, whatever its greeting says
const PROFTPD_FEATURE = "MFF";

// servers whose names are in UTF-8 only for who asks for it
// (draft-ietf-ftpext-utf-8-option)
const UTF8_ON_DEMAND_REGEXP = /Microsoft FTP/i;

const onDemand = new WeakSet<ControlConnection>();

/** Bytes of commands that may be a pipeline on any server. */
const SHORT = 512;

/**
 * Draws conclusions from the greeting.
 *
 * @param control The connection
 * @param welcome The greeting
 */
export function noteServer(control: ControlConnection, welcome: Reply): void {
  if (PIPELINING_REGEXP.test(welcome.text)) control.limitInFlight(Infinity);
  if (DISORDER_REGEXP.test(welcome.text)) control.limitInFlight(0);
  if (TELNET_REGEXP.test(welcome.text)) control.speakTelnet();
  if (UTF8_ON_DEMAND_REGEXP.test(welcome.text)) onDemand.add(control);
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
  const { control } = session;
  if (!onDemand.has(control) || control.encoding.label !== "utf-8") return;
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
    const features = await requestFeatures(session, { signal });
    if (!features.has(PROFTPD_FEATURE)) control.limitInFlight(Infinity);
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
