/**
 * Single commands that most programs never need: `SYST`, `STAT`, `SITE`, `LANG`,
 * `ALLO`, and `SITE CPFR`.
 *
 * @module
 */

import { checkPath, type Path, withPath } from "../protocol/command.ts";
import { FTPReplyError, replyError } from "../protocol/errors.ts";
import { SUPERFLUOUS } from "../transfer/session_state.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { appendPath } from "./raw_path.ts";

/** Asks what system the server runs on. Returns its words, such as "UNIX Type: L8". */
export async function requestSystem(
  session: Session,
  options: SignalOptions,
): Promise<string> {
  const reply = await session.shared(
    (turn) => turn.perform({ verb: "SYST" }, options),
    options,
  );
  if (reply.code === SUPERFLUOUS) throw replyError(reply, "SYST");
  return reply.text.slice(4).trim();
}

/** Asks for the status of the session, or of a path. */
export async function requestStatus(
  session: Session,
  path: Path,
  options: SignalOptions,
): Promise<Reply> {
  checkPath(path, "path");
  return await session.shared(
    (turn) => turn.perform(withPath("STAT", path), options),
    options,
  );
}

/** Sends a `SITE` command as the user wrote it. */
export async function sendSite(
  session: Session,
  argument: string,
  options: SignalOptions,
): Promise<Reply> {
  const command = {
    verb: "SITE",
    argument,
    name: "command",
    isLiteral: true,
  };
  return await session.shared((turn) => {
    session.noteByHand(command);
    return turn.perform(command, options);
  }, options);
}

/** Chooses the language of the server's replies (RFC 2640). */
export async function chooseLanguage(
  session: Session,
  tag: string,
  options: SignalOptions,
): Promise<Reply> {
  const command = tag === ""
    ? { verb: "LANG" }
    : { verb: "LANG", argument: tag, name: "tag" };
  return await session.shared(
    (turn) => turn.perform(command, options),
    options,
  );
}

/** Reserves room for a file. */
export async function allocate(
  session: Session,
  size: number,
  options: SignalOptions,
): Promise<Reply> {
  if (!(Number.isSafeInteger(size) && size >= 0)) {
    throw new RangeError(
      `Cannot allocate ${
        typeof size === "number" ? size : `a value of type ${typeof size}`
      } bytes: "size" must be a non-negative integer`,
    );
  }
  const command = { verb: "ALLO", argument: `${size}` };
  return await session.shared(
    (turn) => turn.perform(command, options),
    options,
  );
}

/** Copies a file on the server (`SITE CPFR`, `SITE CPTO`). */
export async function copyOnServer(
  session: Session,
  from: Path,
  to: Path,
  options: SignalOptions,
): Promise<Reply> {
  const site = (word: string, path: Path, name: string) => ({
    verb: "SITE",
    argument: appendPath(session, `${word} `, path),
    name,
  });
  const source = site("CPFR", from, "from");
  const target = site("CPTO", to, "to");
  return await session.exclusive(async (turn) => {
    const reply = await turn.exchange(source, options);
    if (reply.code !== 350) {
      throw new FTPReplyError(
        `Cannot complete "SITE CPFR": expected code 350, got ${reply.text}`,
        { reply, command: "SITE CPFR" },
      );
    }
    return await turn.perform(target, options);
  }, options);
}
