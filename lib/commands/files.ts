/**
 * Commands on a single path: names, sizes and directories.
 *
 * @module
 */

import { settle } from "../connection/waiting.ts";
import { type Command, encodeCommand, type Path } from "../protocol/command.ts";
import {
  FTPPermanentError,
  FTPReplyError,
  isRefusal,
  isUnknownCommand,
  replyError,
  replyOf,
} from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { parseSize } from "../protocol/reply_values.ts";
import type { SignalOptions } from "../transfer/session.ts";
import type { ExclusiveTurn, Turn } from "../transfer/turn.ts";

/** Longest wait, in milliseconds, for a server whose rename was aborted. */
const ABORT_GRACE = 1000;

/**
 * Renames a file: `RNFR`, `RNTO` (RFC 959 section 4.1.3). After an abort the
 * file keeps its name, unless `RNTO` was sent.
 *
 * Some servers answer `RNFR` with 250 or 226 instead of 350 (libftpvita, the
 * servers of some cameras), and still rename. For them the reply to `RNTO`
 * decides.
 *
 * @throws {FTPReplyError} If `RNFR` is answered with 1yz, or with another code
 * than 350 and `RNTO` is refused
 */
export async function rename(
  turn: ExclusiveTurn,
  fromname: Path,
  toname: Path,
  options: SignalOptions & { isAtOnce?: boolean },
): Promise<Reply> {
  const source: Command = {
    verb: "RNFR",
    argument: fromname,
    name: "fromname",
  };
  const target: Command = { verb: "RNTO", argument: toname, name: "toname" };
  // checked here, because between the two commands the server waits for RNTO
  encodeCommand(target, turn.session.control.encoding);
  options.signal?.throwIfAborted();
  if (options.isAtOnce) {
    const asking = turn.exchange(source, options);
    const renaming = turn.perform(target, options);
    renaming.catch(() => {}); // refused as well if RNFR is
    return await replyToRename(checkRenameFrom(await asking), renaming);
  }
  let answer: Reply;
  try {
    answer = checkRenameFrom(await turn.exchange(source, options));
    options.signal?.throwIfAborted();
  } catch (error) {
    if (options.signal?.aborted) {
      await cancelRename(turn, fromname);
    }
    throw error;
  }
  return await replyToRename(answer, turn.perform(target, options));
}

/**
 * Sends `RNFR` at once. `RNTO` has to follow, or {@linkcode cancelRename}.
 *
 * @returns The reply, after which `RNTO` may be sent
 */
export async function announceRename(
  turn: Turn,
  fromname: Path,
  options: SignalOptions,
): Promise<Reply> {
  const command = { verb: "RNFR", argument: fromname, name: "fromname" };
  return checkRenameFrom(await turn.exchange(command, options));
}

/** Sends `RNTO` at once, after the reply to {@linkcode announceRename}. */
export async function completeRename(
  turn: ExclusiveTurn,
  accepted: Reply,
  toname: Path,
  options: SignalOptions,
): Promise<Reply> {
  const command = { verb: "RNTO", argument: toname, name: "toname" };
  return await replyToRename(accepted, turn.perform(command, options));
}

/** Ends a rename of which only `RNFR` was sent: the file keeps its name. */
export async function cancelRename(
  turn: ExclusiveTurn,
  fromname: Path,
): Promise<void> {
  await settle(giveUpRename(turn, fromname), ABORT_GRACE);
}

/** Checks that `RNTO` may follow a reply. */
function checkRenameFrom(reply: Reply): Reply {
  if (reply.code < 200) throw replyError(reply, "RNFR");
  return reply;
}

/**
 * Returns the reply to `RNTO`. If that is refused, an unusual reply to `RNFR`
 * is the reason.
 */
async function replyToRename(
  answer: Reply,
  renaming: Promise<Reply>,
): Promise<Reply> {
  try {
    return await renaming;
  } catch (error) {
    if (answer.code === 350 || !isRefusal(error)) throw error;
    throw replyError(answer, "RNFR", error);
  }
}

/**
 * Makes sure that a server does not wait for `RNTO`: ProFTPD refuses all other
 * commands until it comes. Such a server is sent the file's own name, which
 * changes nothing.
 */
async function giveUpRename(
  turn: ExclusiveTurn,
  fromname: Path,
): Promise<void> {
  try {
    await turn.perform({ verb: "PWD" });
  } catch (error) {
    if (!isRefusal(error, [501, 503])) return;
    await turn.perform({
      verb: "RNTO",
      argument: fromname,
      name: "fromname",
    }).catch(() => {}); // the server no longer waits, whatever it answers
  }
}

/**
 * Changes the directory. ".." uses `CDUP`, or `CWD ..` if the server lacks it;
 * "" stands for ".".
 */
export async function changeDirectory(
  turn: Turn,
  dirname: Path,
  options: SignalOptions,
): Promise<Reply> {
  if (dirname === "..") {
    try {
      return await turn.perform({ verb: "CDUP" }, options);
    } catch (error) {
      if (!isUnknownCommand(replyOf(error))) throw error;
    }
  }
  return await turn.perform(
    {
      verb: "CWD",
      argument: dirname?.length === 0 ? "." : dirname,
      name: "dirname",
    },
    options,
  );
}

/**
 * Requests a size (RFC 3659 section 4). If the server refuses in type A, it is
 * asked again in type I.
 *
 * @returns Bytes, or `null` unless the reply is 213 with a number
 */
export async function requestSize(
  turn: Turn,
  filename: Path,
  options: SignalOptions,
): Promise<number | null> {
  const command: Command = {
    verb: "SIZE",
    argument: filename,
    name: "filename",
  };
  let reply: Reply;
  // when the refusal arrives, another call may have set it
  const wasBinary = turn.session.state.type === "I";
  try {
    reply = await turn.exchange(command, options);
  } catch (error) {
    const isAsciiRefusal = error instanceof FTPPermanentError &&
      !wasBinary && /ascii/i.test(error.reply?.text ?? "");
    if (!isAsciiRefusal) throw error;
    await turn.ensureType("I", options);
    reply = await turn.exchange(command, options);
  }
  return reply.code === 213 ? parseSize(reply) : null;
}

/**
 * Deletes a file. 250 and 200 are success.
 *
 * @throws {FTPReplyError} For any other code below 400
 */
export async function deleteFile(
  turn: Turn,
  filename: Path,
  options: SignalOptions,
): Promise<Reply> {
  const reply = await turn.exchange(
    { verb: "DELE", argument: filename, name: "filename" },
    options,
  );
  if (reply.code === 250 || reply.code === 200) return reply;
  throw new FTPReplyError(
    `Cannot confirm "DELE": expected code 250 or 200, got ${reply.text}`,
    { reply, command: "DELE" },
  );
}
