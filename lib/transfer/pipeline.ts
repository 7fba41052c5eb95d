/**
 * Many commands at once: written without waiting, replies in order.
 *
 * @module
 */

import type { Command } from "../protocol/command.ts";
import { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "./session.ts";

/** How a pipeline runs. */
export interface PipelineOptions extends SignalOptions {
  /** Most commands whose replies are outstanding. */
  window: number;
}

/**
 * Sends commands and gives their replies in the commands' order.
 *
 * @param session The session
 * @param commands The commands, taken as replies make room
 * @param options Window and signal
 * @returns A reply or the server's refusal for each command
 */
export async function* pipeline(
  session: Session,
  commands: Iterable<Command>,
  { window, signal }: PipelineOptions,
): AsyncGenerator<Reply | FTPError> {
  if (!Number.isSafeInteger(window) || window < 1) {
    throw new RangeError(
      `Cannot keep ${window} commands under way: window must be a positive integer`,
    );
  }
  const outstanding: Promise<Reply | FTPError>[] = [];
  let next = 0; // outstanding is a queue with its head here
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
      if (error instanceof FTPError && error.reply !== undefined) return error;
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
    reply.catch(() => {}); // it is awaited in its turn
    outstanding.push(reply);
    if (outstanding.length - next >= window) yield await head();
  }
  while (next < outstanding.length) yield await head();
}
