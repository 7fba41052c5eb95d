/**
 * Sends many commands without waiting, and returns the replies in order.
 *
 * @module
 */

import type { Command } from "../protocol/command.ts";
import { type FTPError, isRefusal } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "./session.ts";

/** Options of a pipeline. */
export interface PipelineOptions extends SignalOptions {
  /** Largest number of unanswered commands. */
  window: number;
}

/** Sends commands, and returns their replies in the same order. */
export async function* pipeline(
  session: Session,
  commands: Iterable<Command>,
  { window, signal }: PipelineOptions,
): AsyncGenerator<Reply | FTPError> {
  if (!Number.isSafeInteger(window) || window < 1) {
    throw new RangeError(
      `Cannot use window ${window}: it must be a positive integer`,
    );
  }
  const outstanding: Promise<Reply | FTPError>[] = [];
  let next = 0; // head of the queue
  const ask = async (command: Command): Promise<Reply | FTPError> => {
    try {
      return await session.shared(
        (turn) => {
          session.noteByHand(command);
          return turn.exchange(command, { signal });
        },
        { signal },
      );
    } catch (error) {
      if (isRefusal(error)) return error;
      throw error;
    }
  };
  const head = async (): Promise<Reply | FTPError> => {
    const reply = await outstanding[next++]!;
    if (next > window) outstanding.splice(0, next), next = 0;
    return reply;
  };
  for (const command of commands) {
    const reply = ask(command);
    reply.catch(() => {}); // awaited in its turn
    outstanding.push(reply);
    if (outstanding.length - next >= window) yield await head();
  }
  while (next < outstanding.length) yield await head();
}
