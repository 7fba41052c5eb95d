/**
 * Copies a file between two servers, without passing it through the client.
 *
 * @module
 */

import { checkWord } from "../protocol/check_word.ts";
import {
  addressBytes,
  formatEprt,
  formatPort,
  isIPv6,
} from "../protocol/address.ts";
import type { Path } from "../protocol/command.ts";
import { FTPReplyError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { isCompressed } from "../transfer/compression.ts";
import { requestPassive } from "../transfer/passive.ts";
import {
  expectSuccess,
  type Session,
  type SignalOptions,
} from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import { abortOpen } from "../transfer/abort.ts";
import { checkPath } from "./check_path.ts";
import { connectionOf, FTPProtocol } from "./ftp_protocol.ts";

/**
 * Copies a file from one server to another (RFC 959 section 2.3, figure 2;
 * ftplib's `ftpcp`). The source listens, and the target connects to it.
 *
 * The target always connects to the host of the source's control connection,
 * unless the source has `trustPasvHost`. Many servers refuse such transfers,
 * for good reason (RFC 2577). Data protected by `PROT P` cannot be sent this
 * way.
 *
 * The copy uses both connections exclusively: it starts after earlier calls,
 * and later ones wait.
 *
 * Requires `allow-net` permission.
 *
 * @tags allow-net
 * @param source A client of the server that has the file
 * @param sourceName Path of the file on that server
 * @param target A client of the server that gets the file
 * @param targetName Path on that server; the same if it is left out or ""
 * @param type The representation type for both
 * @param options A signal, which also ends the wait for the connections;
 * aborting it closes neither
 * @throws {FTPError} If either server refuses or reports a failure
 * @throws {TypeError} If data is protected, both clients are the same, or a
 * client comes from another copy of this module
 *
 * @example Copy between two servers
 * ```ts
 * import { connect, ftpcp } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * await using source = await connect("ftp://one.example.com");
 * await using target = await connect("ftp://two.example.com");
 * await ftpcp(source, "data.bin", target, "data.bin");
 * ```
 */
export async function ftpcp(
  source: FTPProtocol,
  sourceName: Path,
  target: FTPProtocol,
  targetName: Path = sourceName,
  type: "A" | "I" = "I",
  options: SignalOptions = {},
): Promise<void> {
  for (const client of [source, target]) {
    if (client instanceof FTPProtocol) continue;
    throw new TypeError(
      "Cannot copy between servers: an argument is not an FTP of this copy of the module; import FTP and ftpcp from the same URL",
    );
  }
  const from = connectionOf(source).session;
  const to = connectionOf(target).session;
  if (from === to) {
    throw new TypeError(
      "Cannot copy between servers: source and target are the same client; clone() opens another connection to the same server",
    );
  }
  checkWord("type", type, ["A", "I"]);
  checkPath(from, sourceName, "sourceName");
  const name = targetName === "" ? sourceName : targetName;
  checkPath(to, name, "targetName");
  await exclusiveOnBoth(
    [from, to],
    options,
    ([from, to]) =>
      copy(
        { turn: from!, name: sourceName },
        { turn: to!, name },
        type,
        options,
      ),
  );
}

/**
 * Runs a call exclusively on two connections. It enters both queues at once.
 * The later of two such calls is behind in both queues, so they cannot wait for
 * each other.
 */
async function exclusiveOnBoth<T>(
  sessions: readonly Session[],
  options: SignalOptions,
  run: (turns: readonly ExclusiveTurn[]) => Promise<T>,
): Promise<T> {
  const done = Promise.withResolvers<void>();
  const turns = sessions.map((session) => {
    const { promise, resolve, reject } = Promise.withResolvers<ExclusiveTurn>();
    const hold = (turn: ExclusiveTurn) => {
      resolve(turn);
      return done.promise;
    };
    session.exclusive(hold, options).catch(reject);
    return promise;
  });
  try {
    return await run(await Promise.all(turns));
  } finally {
    done.resolve();
  }
}

/** One side of a copy. */
interface CopySide {
  readonly turn: ExclusiveTurn;
  readonly name: Path;
}

/** Copies, with a turn on each side. */
async function copy(
  source: CopySide,
  target: CopySide,
  type: "A" | "I",
  options: SignalOptions,
): Promise<void> {
  const { turn: { session: from } } = source;
  const { turn: { session: to } } = target;
  // data between the servers is in clear text
  const isProtected = [from, to].some((session) =>
    session.protection !== undefined || !session.isClearDataAllowed
  );
  if (isProtected) {
    throw new TypeError(
      "Cannot copy between servers while data connections are protected: call protC() on both first",
    );
  }
  checkAddressKnown(from);
  await Promise.all([
    source.turn.ensureType(type, options),
    target.turn.ensureType(type, options),
  ]);
  // the other server would not decompress it
  for (const { turn } of [source, target]) {
    if (!isCompressed(turn.session)) continue;
    await turn.perform({ verb: "MODE", argument: "S" }, options);
  }
  const [host, port] = await requestPassive(source.turn, options);
  const announcement = isIPv6(host)
    ? { verb: "EPRT", argument: formatEprt(host, port) }
    : { verb: "PORT", argument: formatPort(host, port) };
  await target.turn.perform(announcement, options);
  try {
    await open(target, "STOR", "targetName", options);
    await open(source, "RETR", "sourceName", options);
    await Promise.all([complete(to, options), complete(from, options)]);
  } catch (error) {
    await abortOpen(from, { isAsked: true });
    // the target may wait for data from the source's open port: the source
    // closes it when asked for another one
    await requestPassive(source.turn, options).catch(() => {});
    await abortOpen(to, { isAsked: true });
    throw error;
  }
}

/** Rejects a source whose address is not known: the target needs it. */
function checkAddressKnown({ peer: [host], options }: Session): void {
  const { via } = options.route;
  const isKnown = options.trustPasvHost || addressBytes(host) !== undefined;
  if (via === undefined || isKnown) return;
  throw new TypeError(
    `Cannot copy from "${host}": with "${via}" its address is not known, which the other server needs; connect to the source by its address, or set "trustPasvHost"`,
  );
}

async function open(
  { turn, name: path }: CopySide,
  verb: string,
  name: string,
  options: SignalOptions,
): Promise<void> {
  const command = { verb, argument: path, name };
  const reply = await turn.exchange(command, options);
  if (reply.code < 200) return;
  throw new FTPReplyError(
    `Cannot open "${verb}": expected code 125 or 150, got ${reply.text}`,
    { reply, command: verb },
  );
}

async function complete(
  session: Session,
  options: SignalOptions,
): Promise<Reply> {
  const { reply, command } = await session.nextReply(options);
  return expectSuccess(reply, command);
}
