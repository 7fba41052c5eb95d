/**
 * Adapts to a server before many commands are sent to it.
 *
 * @module
 */

import { requestFeatures } from "../commands/queries.ts";
import type { Command } from "../protocol/command.ts";
import { isRefusal } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Vendor } from "../transfer/server_profile.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { Turn } from "../transfer/turn.ts";

// servers that read pipelined commands correctly, however they are cut
const PIPELINING: ReadonlySet<Vendor> = new Set([
  "vsftpd",
  "pyftpdlib",
  "FileZilla",
  "IIS",
  "Serv-U",
  "glFTPd",
  "NcFTPd",
]);

/** Bytes of commands that every server accepts in a pipeline. */
const SHORT = 512;

/**
 * Limit of unanswered bytes for Pure-FTPd, whose buffer holds 4,127. Under TLS
 * it ignores the rest of a record that did not fit, and waits for more.
 */
const PURE_FTPD_BUFFER = 2048;

/** Sets limits according to the greeting. */
export function noteServer(
  { control, profile }: Session,
  welcome: Reply,
): void {
  profile.noteGreeting(welcome.text);
  const { vendor } = profile;
  if (vendor === undefined) return;
  if (PIPELINING.has(vendor)) control.limitInFlight(Infinity);
  if (vendor === "Pure-FTPd") control.limitInFlight(PURE_FTPD_BUFFER);
  // ftp-srv answers commands of two packets in any order
  if (vendor === "ftp-srv") control.limitInFlight(0);
  // ProFTPD reads commands as Telnet; others take 0xFF literally
  if (vendor === "ProFTPD") control.speakTelnet();
}

/**
 * Requests names in UTF-8, if the server uses another encoding by default. Any
 * answer is accepted.
 */
export async function requestUTF8(
  turn: Turn,
  options: SignalOptions,
): Promise<void> {
  const { control, profile } = turn.session;
  // IIS uses UTF-8 only on request (draft-ietf-ftpext-utf-8-option)
  const isOnDemand = profile.vendor === "IIS";
  const isWanted = isOnDemand && control.encoding.label === "utf-8";
  if (!isWanted || profile.lacks("OPTS UTF8")) return;
  try {
    await turn.exchange({ verb: "OPTS", argument: "UTF8 ON" }, options);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

/**
 * Prepares a pipeline. If it is long and the server unknown, requests `FEAT`:
 * ProFTPD must not get too many bytes at once, and Pure-FTPd under TLS not more
 * than its buffer holds.
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
  return concatenated(first, commands);
}

function* concatenated(
  first: readonly Command[],
  rest: Iterator<Command>,
): Generator<Command> {
  yield* first;
  for (let next = rest.next(); !next.done; next = rest.next()) yield next.value;
}
