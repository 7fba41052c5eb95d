/**
 * Data over TLS that ended without close_notify: whether it is whole all the
 * same.
 *
 * @module
 */

import type { PendingCommand } from "../connection/pending_commands.ts";
import type { Command, Path } from "../protocol/command.ts";
import { parseSize } from "../protocol/reply_values.ts";
import { TLSError } from "../tls/errors.ts";
import { isCompressed } from "./compression.ts";
import type { Session, SignalOptions } from "./session.ts";

/** A download whose whole size the server may tell by `SIZE`. */
export interface SizedFile {
  /** The file. */
  readonly path: Path;
  /** Where the transfer starts, in bytes. */
  readonly offset: number;
}

/**
 * Tells what `SIZE` can be compared with: the bytes of a file as it is, which
 * only a `RETR` in type I, stream mode and file structure sends.
 *
 * @param session The session, set up for the transfer
 * @param command The transfer's command
 * @param rest The offset that `REST` was given
 * @returns The file, or `undefined` if the bytes are something else
 */
export function sizedFile(
  session: Session,
  { verb, argument }: Command,
  rest: number | string = 0,
): SizedFile | undefined {
  const isPlain = session.type === "I" && /^RETR$/i.test(verb) &&
    argument !== undefined &&
    (isSetTo(session, "MODE", "S") || isCompressed(session)) &&
    isSetTo(session, "STRU", "F") && /^\d{1,15}$/.test(`${rest}`);
  return isPlain ? { path: argument, offset: Number(rest) } : undefined;
}

/**
 * Whether a mode was left, or set again, as it is after the login.
 *
 * @param session The session
 * @param verb `MODE` or `STRU`
 * @param code What it is after the login
 * @returns Whether it is
 */
export function isSetTo(
  { settings }: Session,
  verb: string,
  code: string,
): boolean {
  const argument = settings.get(verb)?.argument ?? code;
  return String(argument).toUpperCase() === code;
}

/** Data that ended without close_notify. */
export interface CutData {
  /** The transfer's entry in the ledger, its final reply not yet collected. */
  readonly pending: PendingCommand;
  /** Bytes that came. */
  readonly bytes: number;
  /** The size in the 150 reply. */
  readonly announced: number | null;
  /** Whether the data came over TLS. @default true */
  readonly isSecure?: boolean;
  /** What the bytes are of, where `SIZE` can tell its size. */
  readonly file: SizedFile | undefined;
}

/**
 * Whether nobody on the way can write the server's replies: not after `CCC`.
 *
 * @param session The session
 * @returns Whether the control connection is under TLS
 */
export function isProtected({ control }: Session): boolean {
  return control.stream.info !== undefined;
}

/** What is known of such data. */
export interface Completeness {
  /** Whether all of it came; `undefined` if nothing can tell. */
  readonly isWhole: boolean | undefined;
  /** How much there is, as far as the server tells. */
  readonly size: number | undefined;
}

/**
 * Compares what came with a size that the server tells on the control
 * connection, which has to be protected if the data was: 150's, else `SIZE`.
 *
 * @param session The session
 * @param cut What came
 * @param options A signal
 * @returns What is known
 * @throws The signal's reason
 */
export async function proveWhole(
  session: Session,
  cut: CutData,
  { signal }: SignalOptions,
): Promise<Completeness> {
  const { bytes, announced, file } = cut;
  const mayBeForged = cut.isSecure !== false && !isProtected(session);
  if (file === undefined || mayBeForged) {
    return { isWhole: undefined, size: undefined };
  }
  // behind REST some servers announce the whole size
  if (bytes === announced && file.offset === 0) {
    return { isWhole: true, size: bytes };
  }
  const whole = await askSize(session, cut.pending, file, signal);
  if (whole === null) return { isWhole: undefined, size: undefined };
  const size = Math.max(0, whole - file.offset);
  return { isWhole: bytes === size, size };
}

/** Asks before the transfer is collected: no other command comes between. */
async function askSize(
  { control, profile }: Session,
  during: PendingCommand,
  { path }: SizedFile,
  signal: AbortSignal | undefined,
): Promise<number | null> {
  if (profile.lacks("SIZE")) return null;
  const command = { verb: "SIZE", argument: path, name: "path" };
  try {
    const pending = control.send(command, { during });
    const reply = await control.wait(pending.first, signal);
    return reply.code === 213 ? parseSize(reply) : null;
  } catch (error) {
    if (signal?.aborted) throw error;
    return null; // the connection failed: nothing is known
  }
}

/**
 * The error for data that may be cut off.
 *
 * @param command The transfer's command, printable and masked
 * @param bytes Bytes that came
 * @param size Bytes that there are, if the server told
 * @returns The error
 */
export function truncated(
  command: string,
  bytes: number,
  size: number | undefined,
): Error {
  const cause = new TLSError(
    "The TLS connection ended without close_notify",
    { reason: "truncated" },
  );
  const what = size === undefined
    ? "and nothing tells whether that is all; try again, or, if this server never sends close_notify, set tls: { allowMissingCloseNotify: true }"
    : `not the ${size} that there are; try again`;
  const error = new Deno.errors.UnexpectedEof(
    `Cannot complete "${command}": the TLS data connection was cut off (no close_notify) after ${bytes} bytes, ${what}`,
    { cause },
  );
  if (bytes === 0) withoutData.add(error);
  return error;
}

/** Errors of {@linkcode truncated} before the first byte. */
const withoutData = new WeakSet<object>();

/** Most times that a text is asked for which is cut before its first byte. */
const MAX_ASKED = 10;

/** Commands that may be sent twice. */
const REPEATABLE_REGEXP = /^(RETR|LIST|NLST|MLSD)$/i;

/**
 * Tells whether to ask again for a text that was cut before its first byte.
 * pyftpdlib sometimes ends an empty one without close_notify, presumably because
 * it has not yet read the end of a resumed handshake.
 *
 * @param error What was thrown
 * @param command The command
 * @param asked How often it was sent
 * @returns Whether to; nothing was given to the caller yet
 */
export function mayAskAgain(
  error: unknown,
  { verb }: Pick<Command, "verb">,
  asked: number,
): boolean {
  return asked < MAX_ASKED && REPEATABLE_REGEXP.test(verb) &&
    error instanceof Error && withoutData.has(error);
}

/**
 * Whether an error is of {@linkcode truncated}.
 *
 * @param error What was thrown
 * @returns Whether it is
 */
export function isTruncated(error: unknown): boolean {
  return error instanceof Deno.errors.UnexpectedEof &&
    error.cause instanceof TLSError && error.cause.reason === "truncated";
}
