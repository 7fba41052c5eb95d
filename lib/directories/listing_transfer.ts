/**
 * Transfers one listing: opens it, receives it in batches of entries, and
 * confirms it.
 *
 * @module
 */

import { PauseTimer } from "../connection/pauses.ts";
import { textOfPath } from "../commands/queries.ts";
import type { Entry } from "../listing/entry.ts";
import {
  isCurrentDirectory,
  type Path,
  withPath,
} from "../protocol/command.ts";
import { replyOf } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { mayAskAgain } from "../transfer/cut_data.ts";
import { openTransfer } from "../transfer/open_transfer.ts";
import { requestBehind } from "../transfer/passive.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import { enterDirectory, isDirectory, type Leave } from "./change_directory.ts";
import {
  fail,
  finish,
  leaveBehind,
  type OpenListing,
  stop,
} from "./end_listing.ts";
import { type ListOptions, makeReader } from "./listing_options.ts";
import { checkWhole, unproven } from "./partial_listing_error.ts";

/** Size of one read, in bytes. */
const READ_SIZE = 64 * 1024;

/**
 * Bytes whose entries are returned at once. An entry that is kept keeps its
 * batch in memory.
 */
const BATCH_SIZE = 32 * 1024;

/** Advice in the error of a command during an open listing. */
const ADVICE =
  "finish the loop or break out of it, collect the entries first (Array.fromAsync), or use walk()";

/** Takes the turn of the session, or uses the caller's. */
export type TakeTurn = <T>(
  run: (turn: ExclusiveTurn) => Promise<T>,
  options?: SignalOptions,
) => Promise<T>;

/** A request for a listing. */
export interface ListRequest {
  readonly session: Session;
  readonly path: Path;
  readonly options: ListOptions;
  readonly exclusive: TakeTurn;
  /** Called with the entries for the directory itself and its parent. */
  readonly onSelf?: ((entry: Entry) => void) | undefined;
  /** Called when all entries are here, before the server has confirmed them. */
  readonly onEnd?: (() => void) | undefined;
  /** Called with each header and trailer. */
  readonly onNote?: ((line: string, entry: Entry) => void) | undefined;
  /**
   * Whether data without close_notify is an error, whatever the user's options.
   */
  readonly isStrict?: boolean | undefined;
  /** Whether to return times as the server shows them, in any zone. */
  readonly isRaw?: boolean | undefined;
}

/** Options for receiving a listing. */
export interface ReceiveOptions {
  /** Requests the listing. */
  open: (turn: ExclusiveTurn) => Promise<OpenListing>;
  /** Minutes east of UTC. */
  zone: number;
  /** Aborts the listing. */
  signal?: AbortSignal | undefined;
  /** Called when data or its end has arrived. */
  onData?: (() => void) | undefined;
}

/** What a listing contained, known at its end. */
export interface ListingOutcome {
  /** Number of entries. */
  readonly count: number;
  /** Number of entries for the directory itself and its parent. */
  readonly selfEntries: number;
  /** Format of the lines, if it was detected. */
  readonly format: string | undefined;
  /** Whether the server refused because the directory is empty. */
  readonly isRefused: boolean;
  /** The final reply, unless the server refused. */
  readonly reply: Reply | undefined;
}

/** Outcome of a listing without entries. */
export const EMPTY: ListingOutcome = {
  count: 0,
  selfEntries: 0,
  format: undefined,
  isRefused: false,
  reply: undefined,
};

/** Outcome of a listing that the server refused: the directory is empty. */
const REFUSED: ListingOutcome = { ...EMPTY, isRefused: true };

/** One listing: requested, received in batches of entries, and confirmed. */
export class ListingTransfer {
  readonly #request: ListRequest;
  readonly #options: ReceiveOptions;
  #outcome = REFUSED;

  /** Creates a listing, without I/O. */
  constructor(request: ListRequest, options: ReceiveOptions) {
    this.#request = request;
    this.#options = options;
  }

  /** What the listing contained; set after the last batch. */
  get outcome(): ListingOutcome {
    return this.#outcome;
  }

  /**
   * Receives the listing. It is requested again if it was cut before its first
   * byte. A refusal is interpreted: 450 and 550 may mean an empty or a missing
   * directory. Stopping early aborts the listing; the session stays usable.
   */
  async *batches(): AsyncGenerator<Entry[]> {
    for (let asked = 1;; asked++) {
      try {
        yield* this.#receive();
        return;
      } catch (error) {
        if (mayAskAgain(error, { verb: "LIST" }, asked)) continue;
        if (!isNothingFound(error)) throw error;
        const { path, options: { signal }, exclusive } = this.#request;
        const ask = (turn: ExclusiveTurn) =>
          isDirectory(turn, path, { signal });
        if (!await exclusive(ask, { signal })) throw error;
        this.#outcome = REFUSED;
        return;
      }
    }
  }

  async *#receive(): AsyncGenerator<Entry[]> {
    const { session, options, exclusive, onSelf, onNote, isStrict } =
      this.#request;
    const { open, zone, signal, onData } = this.#options;
    let count = 0;
    let selfEntries = 0;
    const counted = (entries: Entry[]) => {
      count += entries.length;
      return entries;
    };
    const reader = makeReader(session, options, {
      zone,
      directory: nameOf(this.#request),
      onNote,
      onSelf: (entry) => {
        selfEntries++;
        onSelf?.(entry);
      },
    });
    const { transfer, leave } = await exclusive(open, { signal });
    const buffer = new Uint8Array(READ_SIZE);
    const pauses = new PauseTimer();
    let isOver = false;
    try {
      while (true) {
        const n = await transfer.data.read(buffer);
        onData?.();
        if (n === null) break;
        for (let at = 0; at < n; at += BATCH_SIZE) {
          const end = Math.min(n, at + BATCH_SIZE);
          if (pauses.isDue) await pauses.pause(signal);
          yield counted(reader.push(buffer.subarray(at, end)));
        }
        if (reader.error !== undefined) throw reader.error;
      }
      transfer.data.close();
      leaveBehind({ transfer, leave });
      // the last entries come before the transfer is closed: during the loop,
      // the session is as busy with a short listing as with a long one
      if (!transfer.mayEndInLine) yield counted(reader.end());
      this.#request.onEnd?.();
      isOver = true;
    } catch (error) {
      isOver = true;
      throw await session.settle(() =>
        fail({ transfer, leave }, error, signal)
      );
    } finally {
      if (!isOver) {
        await session.settle(() => stop({ transfer, leave }, buffer));
      }
    }
    const reply = await session.settle(() =>
      finish({ transfer, leave }, signal)
    );
    if (reader.error !== undefined) throw reader.error;
    checkWhole(reply, transfer.command, reader.complaint);
    if (transfer.isUnproven && isStrict) throw unproven(reply, transfer);
    const { format } = reader;
    this.#outcome = { count, selfEntries, format, isRefused: false, reply };
  }
}

/** Name of the directory without its parents, if it is known. */
function nameOf({ session, path }: ListRequest): string | undefined {
  const text = textOfPath(session, path);
  return (isCurrentDirectory(text) ? session.state.directory : text)?.split("/")
    .findLast(
      Boolean,
    );
}

/** Requests a listing by `MLSD` (RFC 3659 section 7). */
export async function openMLSD(
  turn: ExclusiveTurn,
  { path }: ListRequest,
  signal: AbortSignal | undefined,
): Promise<OpenListing> {
  const command = withPath("MLSD", path);
  const options = { signal, type: "A", advice: ADVICE } as const;
  const transfer = await openTransfer(turn, command, options);
  return { transfer, leave: () => Promise.resolve() };
}

/**
 * Requests a listing by `LIST`, inside the directory. In an argument, servers
 * misread blanks, dashes, stars and brackets, list a file like a directory, and
 * treat a missing directory as an empty one.
 *
 * @throws {FTPError} If there is no such directory
 */
export async function openList(
  turn: ExclusiveTurn,
  { path, options: { signal } }: ListRequest,
  flags = "",
): Promise<OpenListing> {
  const stay: Leave = () => Promise.resolve();
  const leave = isCurrentDirectory(path)
    ? stay
    : await enterForTransfer(turn, path, { signal });
  const command = withPath("LIST", leave === undefined ? path : flags);
  try {
    const options = { signal, type: "A", advice: ADVICE } as const;
    const transfer = await openTransfer(turn, command, options);
    let left: Promise<void> | undefined;
    const leaveOnce: Leave = (turn) => left ??= (leave ?? stay)(turn);
    transfer.onEnd = leaveOnce;
    return { transfer, leave: leaveOnce };
  } catch (error) {
    await leave?.();
    throw error;
  }
}

/**
 * Changes to a directory for a transfer in type A. Where the server allows it,
 * type and port are requested in the same round trips.
 */
async function enterForTransfer(
  turn: ExclusiveTurn,
  path: Path,
  { signal }: SignalOptions,
): Promise<Leave | undefined> {
  const { profile, control } = turn.session;
  if (profile.allowsJoining && control.isPipelining) {
    // the transfer sends it again if it is refused
    turn.ensureType("A", { signal }).catch(() => {});
  }
  return await enterDirectory(
    turn,
    path,
    { signal },
    () => requestBehind(turn, { signal }),
  );
}

/** Text of servers for an empty directory. */
const NOTHING_REGEXP =
  /\bnot? (be )?found\b|\b(cannot|could not) find\b|\bempty\b/i;

/** Nouns after the word "no" in the same line. */
const NOUNS_REGEXP =
  /\b(files?|director(y|ies)|members?|entries|objects?|data ?sets?)\b/i;

function isNothingFound(error: unknown): boolean {
  const reply = replyOf(error);
  return (reply?.code === 450 || reply?.code === 550) &&
    saysEmpty(reply);
}

/** Whether a refusal says that the directory is empty. */
export function saysEmpty({ text, lines }: Reply): boolean {
  return NOTHING_REGEXP.test(text) || lines.some((line) => {
    // the first "no" is enough; searching from each would repeat the work
    const at = line.search(/\bno\b/i);
    return at >= 0 && NOUNS_REGEXP.test(line.slice(at));
  });
}
