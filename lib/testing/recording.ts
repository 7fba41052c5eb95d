/**
 * Records the commands and replies of a control connection, for a bug report.
 *
 * @module
 */

import type { TraceEvent } from "../connection/trace.ts";

/** Default of `maxEvents`. */
const MAX_EVENTS = 10_000;

/** A recorded session: plain data for JSON. */
export interface SessionRecording {
  /** Version of the format. */
  readonly version: 1;
  /**
   * Commands, replies and events in order. Passwords and accounts are masked.
   * Hosts, users, names of files and replies are not.
   */
  readonly events: readonly TraceEvent[];
}

/** Options of {@linkcode record}. */
export interface RecordOptions {
  /**
   * Largest number of events; later ones are not recorded.
   *
   * @default 10_000
   */
  maxEvents?: number | undefined;
  /** Receives the events too. */
  trace?: ((event: TraceEvent) => void) | undefined;
}

/** Records a session. */
export interface SessionRecorder {
  /** The client's option `trace`. */
  readonly trace: (event: TraceEvent) => void;
  /** Returns what was recorded so far; `JSON.stringify()` calls it. */
  toJSON(): SessionRecording;
}

/**
 * Creates a recorder of a session. Give its `trace` to the client, and write the
 * recorder to a file as JSON. {@linkcode replay} plays it.
 *
 * @param options Limit, and another receiver of the events
 * @returns The recorder
 * @throws {RangeError} If the limit is not a positive integer
 *
 * @example Record a session
 * ```ts
 * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 * import { record } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/testing.ts";
 *
 * const recorder = record();
 * try {
 *   await using ftp = await connect("ftp://ftp.example.com", {
 *     trace: recorder.trace,
 *   });
 *   await ftp.download("README", "README");
 * } finally {
 *   await Deno.writeTextFile("session.json", JSON.stringify(recorder));
 * }
 * ```
 */
export function record(options: RecordOptions = {}): SessionRecorder {
  const { maxEvents = MAX_EVENTS, trace } = options;
  if (!Number.isSafeInteger(maxEvents) || maxEvents < 1) {
    throw new RangeError(
      `Cannot use maxEvents ${maxEvents}: it must be a positive integer`,
    );
  }
  const events: TraceEvent[] = [];
  return {
    trace: (event) => {
      if (events.length < maxEvents) events.push(event);
      return trace?.(event);
    },
    toJSON: () => ({ version: 1, events: [...events] }),
  };
}

/** A command, and the replies to it. */
export interface Exchange {
  /** The command, masked; "" for the greeting. */
  readonly command: string;
  /** Replies in order: 1yz, if there was one, and the final one. */
  readonly replies: string[];
}

/** One control connection of a recording. */
export interface Conversation {
  /** The greeting, then commands in order. */
  readonly exchanges: Exchange[];
  /**
   * Whether the client gave the connection up because a reply did not come.
   */
  isSilent: boolean;
}

/** Words of a connection that was closed for lack of a reply. */
const SILENCE_REGEXP = /no reply|timed? ?out|within \d+ ms/i;

/**
 * Divides a recording into connections and exchanges. Replies come in the order
 * of the commands.
 *
 * @throws {TypeError} If it is not a recording
 */
export function readRecording(recording: SessionRecording): Conversation[] {
  const conversations: Conversation[] = [];
  let owed: Exchange[] = [];
  let isOpen = false;
  for (const { direction, text } of checkRecording(recording)) {
    if (direction === "sent") {
      const exchange: Exchange = { command: text, replies: [] };
      owed.push(exchange);
      conversations.at(-1)?.exchanges.push(exchange);
    } else if (direction === "received") {
      if (!isOpen || owed.length === 0) {
        isOpen = true;
        owed = [];
        conversations.push({
          exchanges: [{ command: "", replies: [text] }],
          isSilent: false,
        });
        if (isPreliminary(text)) owed = [...conversations.at(-1)!.exchanges];
        continue;
      }
      owed.splice(0, unanswered(owed, text));
      owed[0]!.replies.push(text);
      if (!isPreliminary(text)) owed.shift();
    } else if (text.startsWith("closed:")) {
      const last = conversations.at(-1);
      if (last !== undefined) last.isSilent = SILENCE_REGEXP.test(text);
      isOpen = false;
      owed = [];
    }
  }
  return conversations;
}

/** Commands by the code of a reply that no other command gets. */
const OWN_REPLIES: readonly (readonly [string, RegExp])[] = [
  ["227", /^PASV\b/],
  ["229", /^EPSV\b/],
];

/** Number of commands that a reply passes over: `PASV` follows a silent `EPSV`. */
function unanswered(owed: readonly Exchange[], reply: string): number {
  const verb = OWN_REPLIES.find(([code]) => reply.startsWith(code))?.[1];
  if (verb === undefined) return 0;
  const at = owed.findIndex(({ command }) => verb.test(command));
  return at < 0 ? 0 : at;
}

/** Whether another reply to the same command follows. */
export function isPreliminary(reply: string): boolean {
  return reply.startsWith("1");
}

function checkRecording(recording: SessionRecording): readonly TraceEvent[] {
  const { version, events } = recording ?? {};
  const isValid = version === 1 && Array.isArray(events) &&
    events.every((event) =>
      typeof event?.text === "string" && typeof event.direction === "string"
    );
  if (isValid) return events;
  throw new TypeError(
    "Cannot replay: the recording must have version 1 and a list of events, as record() writes them",
  );
}
