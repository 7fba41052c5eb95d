/**
 * One listing on the wire: opened, received in batches of entries, confirmed.
 *
 * @module
 */

import { Breather } from "../connection/breather.ts";
import type { Entry } from "../listing/entry.ts";
import { isSelf } from "../listing/listing_reader.ts";
import { type Path, withPath } from "../protocol/command.ts";
import { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { mayAskAgain } from "../transfer/cut_data.ts";
import { openTransferInTurn } from "../transfer/open_transfer.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import { enterDirectory, isDirectory, type Leave } from "./change_directory.ts";
import { fail, finish, type OpenListing, stop } from "./verify_listing.ts";
import { type ListOptions, makeReader } from "./listing_options.ts";
import { checkWhole, unproven } from "./partial_listing_error.ts";

/** Size of one read, in bytes. */
const READ_SIZE = 64 * 1024;

/**
 * Bytes whose entries are given at once. The less is alive at a time, the less
 * does the engine think that it needs a larger heap.
 */
const BATCH_SIZE = 8 * 1024;

/** To who sends a command while a listing is open. */
const ADVICE =
  "finish the loop or break out of it, collect the entries first (Array.fromAsync), or use walk()";

/** Takes a turn of the session, or goes on in the one that the caller has. */
export type TakeTurn = <T>(
  run: () => Promise<T>,
  options?: SignalOptions,
) => Promise<T>;

/** A directory to be listed. */
export interface ListRequest {
  readonly session: Session;
  readonly path: Path;
  readonly options: ListOptions;
  readonly turn: TakeTurn;
  /** Is told of the entries for the directory itself and its parent. */
  readonly onSelf?: ((entry: Entry) => void) | undefined;
  /** Whether the end of the data is insisted on, whatever the user's options. */
  readonly isStrict?: boolean | undefined;
  /** Whether times are given as the server shows them, whatever its zone. */
  readonly isRaw?: boolean | undefined;
}

/** How a listing is received. */
export interface ReceiveOptions {
  /** Asks for the listing; called within a turn. */
  open: () => Promise<OpenListing>;
  /** Minutes east of UTC. */
  zone: number;
  /** Ends the listing. */
  signal?: AbortSignal | undefined;
  /** Called when data, or the end of it, has come. */
  onData?: (() => void) | undefined;
}

/** What came of a listing. */
export interface Received {
  /** How many entries. */
  readonly count: number;
  /** How many entries for the directory itself and its parent. */
  readonly selves: number;
  /** The format of the lines, if one was found. */
  readonly format: string | undefined;
  /** Whether the server refused, since there was nothing to be found. */
  readonly isRefused: boolean;
  /** The server's last word of it, unless it refused. */
  readonly reply: Reply | undefined;
}

/**
 * Receives a listing. Stopping early aborts it; the session stays in step.
 *
 * @param request Which directory
 * @param options How
 * @returns Batches of entries as they come; when the server has confirmed the
 * listing, what came of it
 */
async function* receiveListing(
  request: ListRequest,
  { open, zone, signal, onData }: ReceiveOptions,
): AsyncGenerator<Entry[], Received> {
  const { session, options, turn, onSelf } = request;
  const reader = makeReader(session, options, zone);
  let count = 0;
  let selves = 0;
  const proper = (entries: Entry[]) => {
    const others = entries.filter((entry) => {
      if (!isSelf(entry)) return true;
      onSelf?.(entry);
      return false;
    });
    count += others.length;
    selves += entries.length - others.length;
    return others;
  };
  const { transfer, leave } = await turn(open, { signal });
  const buffer = new Uint8Array(READ_SIZE);
  const breather = new Breather();
  let isOver = false;
  try {
    while (true) {
      const n = await transfer.data.read(buffer);
      onData?.();
      if (n === null) break;
      for (let at = 0; at < n; at += BATCH_SIZE) {
        const end = Math.min(n, at + BATCH_SIZE);
        if (breather.isDue) await breather.pause(signal);
        yield proper(reader.push(buffer.subarray(at, end)));
      }
      if (reader.error !== undefined) throw reader.error;
    }
    transfer.data.close();
    // the caller has the last entries before the transfer is closed here: the
    // session is as busy in the loop over a short listing as in a long one
    if (!transfer.isFrayed) yield proper(reader.end());
    isOver = true;
  } catch (error) {
    isOver = true;
    throw await session.settle(() => fail({ transfer, leave }, error, signal));
  } finally {
    if (!isOver) {
      await session.settle(() => stop({ transfer, leave }, buffer));
    }
  }
  const reply = await session.settle(() => finish({ transfer, leave }, signal));
  if (reader.error !== undefined) throw reader.error;
  checkWhole(reply, transfer.command);
  if (transfer.isUnproven && request.isStrict) throw unproven(reply, transfer);
  return { count, selves, format: reader.format, isRefused: false, reply };
}

/**
 * Asks for a listing by `MLSD` (RFC 3659 section 7).
 *
 * @param request Which directory
 * @param signal Ends the call
 * @returns The open listing
 */
export async function openMLSD(
  { session, path }: ListRequest,
  signal: AbortSignal | undefined,
): Promise<OpenListing> {
  const command = withPath("MLSD", path);
  const options = { signal, type: "A", advice: ADVICE } as const;
  const transfer = await openTransferInTurn(session, command, options);
  return { transfer, leave: () => Promise.resolve() };
}

/**
 * Asks for a listing by `LIST`, in the directory itself: as an argument servers
 * take a blank, a dash, a star or a bracket in the path for something else, list
 * a file as if it were a directory, and a missing directory as an empty one.
 *
 * @param request Which directory
 * @param flags "-a", or nothing
 * @returns The open listing
 * @throws {FTPError} If there is no such directory
 */
export async function openList(
  { session, path, options: { signal } }: ListRequest,
  flags = "",
): Promise<OpenListing> {
  const stay: Leave = () => Promise.resolve();
  const isHere = path.length === 0 || path === ".";
  const leave = isHere ? stay : await enterDirectory(session, path, { signal });
  const command = withPath("LIST", leave === undefined ? path : flags);
  try {
    const options = { signal, type: "A", advice: ADVICE } as const;
    const transfer = await openTransferInTurn(session, command, options);
    let left: Promise<void> | undefined;
    const leaveOnce = () => left ??= (leave ?? stay)();
    transfer.onEnd = leaveOnce;
    return { transfer, leave: leaveOnce };
  } catch (error) {
    await leave?.();
    throw error;
  }
}

/** What comes of a directory with nothing in it. */
export const NOTHING: Received = {
  count: 0,
  selves: 0,
  format: undefined,
  isRefused: true,
  reply: undefined,
};

/** What servers say of it. */
const NOTHING_REGEXP =
  /\bnot? (be )?found\b|\b(cannot|could not) find\b|\bempty\b/i;

/** What there is none of, in the same line as the word "no". */
const THINGS_REGEXP =
  /\b(files?|director(y|ies)|members?|entries|objects?|data ?sets?)\b/i;

/**
 * Receives a listing, and takes a refusal for what it is: 450 and 550 may say
 * that a directory is empty, or that there is none.
 *
 * @param request Which directory
 * @param options How
 * @returns As {@linkcode receiveListing}
 */
export async function* receiveOrNothing(
  request: ListRequest,
  options: ReceiveOptions,
): AsyncGenerator<Entry[], Received> {
  try {
    return yield* receiveAgain(request, options);
  } catch (error) {
    if (!isNothingFound(error)) throw error;
    const { session, path, turn } = request;
    const { signal } = request.options;
    const ask = () => isDirectory(session, path, { signal });
    if (!await turn(ask, { signal })) throw error;
    return NOTHING;
  }
}

/** As {@linkcode receiveListing}, again where it was cut before its first byte. */
async function* receiveAgain(
  request: ListRequest,
  options: ReceiveOptions,
): AsyncGenerator<Entry[], Received> {
  for (let asked = 1;; asked++) {
    try {
      return yield* receiveListing(request, options);
    } catch (error) {
      if (!mayAskAgain(error, { verb: "LIST" }, asked)) throw error;
    }
  }
}

function isNothingFound(error: unknown): boolean {
  const reply = error instanceof FTPError ? error.reply : undefined;
  return (reply?.code === 450 || reply?.code === 550) &&
    saysNothing(reply);
}

/**
 * Whether a refusal says that there is nothing to be listed.
 *
 * @param reply The refusal
 * @returns Whether it does
 */
export function saysNothing({ text, lines }: Reply): boolean {
  return NOTHING_REGEXP.test(text) || lines.some((line) => {
    // the first "no" is the best one; from each, the line would be read again
    const at = line.search(/\bno\b/i);
    return at >= 0 && THINGS_REGEXP.test(line.slice(at));
  });
}
