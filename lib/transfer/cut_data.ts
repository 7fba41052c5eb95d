/**
 * Decides whether data over TLS without close_notify is complete.
 *
 * @module
 */

import type { PendingCommand } from "../connection/pending_commands.ts";
import type { Command, Path } from "../protocol/command.ts";
import { parseSize } from "../protocol/reply_values.ts";
import { TLSError } from "../tls/errors.ts";
import { isCompressed } from "./compression.ts";
import type { Session, SignalOptions } from "./session.ts";

/** A download whose size `SIZE` may confirm. */
export interface SizedFile {
  /** Path of the file. */
  readonly path: Path;
  /** Start of the transfer, in bytes. */
  readonly offset: number;
}

/**
 * Returns the file whose size `SIZE` reports: only `RETR` in type I, stream
 * mode and file structure sends a file unchanged.
 *
 * @param rest The offset of `REST`
 * @returns The file, or `undefined` if the bytes are something else
 */
export function sizedFile(
  session: Session,
  { verb, argument }: Command,
  rest: number | string = 0,
): SizedFile | undefined {
  const isPlain = session.state.type === "I" && /^RETR$/i.test(verb) &&
    argument !== undefined &&
    (isSetTo(session, "MODE", "S") || isCompressed(session)) &&
    isSetTo(session, "STRU", "F") && /^\d{1,15}$/.test(`${rest}`);
  return isPlain ? { path: argument, offset: Number(rest) } : undefined;
}

/** Whether a mode has its default value. */
export function isSetTo(
  { state: { settings } }: Session,
  verb: string,
  code: string,
): boolean {
  const argument = settings.get(verb)?.argument ?? code;
  return String(argument).toUpperCase() === code;
}

/** Data that ended without close_notify. */
export interface CutData {
  /** The transfer, whose final reply was not acknowledged yet. */
  readonly pending: PendingCommand;
  /** Number of bytes received. */
  readonly bytes: number;
  /** Size in the 150 reply. */
  readonly announced: number | null;
  /** Whether the data came over TLS. @default true */
  readonly isSecure?: boolean;
  /** The file, if `SIZE` can confirm its size. */
  readonly file: SizedFile | undefined;
}

/** Whether the server's replies cannot be forged on the way; not after `CCC`. */
export function isProtected({ control }: Session): boolean {
  return control.stream.info !== undefined;
}

/** Completeness of such data. */
export interface Completeness {
  /** Whether all of it came; `undefined` if it cannot be determined. */
  readonly isWhole: boolean | undefined;
  /** Size that the server reported. */
  readonly size: number | undefined;
}

/**
 * Compares the bytes received with the size in the 150 reply, or else with
 * `SIZE`. If the data was protected, the control connection must be protected
 * as well.
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
  // after REST some servers announce the whole size
  if (bytes === announced && file.offset === 0) {
    return { isWhole: true, size: bytes };
  }
  const whole = await askSize(session, cut.pending, file, signal);
  if (whole === null) return { isWhole: undefined, size: undefined };
  const size = Math.max(0, whole - file.offset);
  return { isWhole: bytes === size, size };
}

/**
 * Requests the size before the transfer is acknowledged, so that no other
 * command comes first.
 */
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
    return null; // the connection failed, so the size is unknown
  }
}

/**
 * Creates the error for data that may be cut off.
 *
 * @param size Size that the server reported, if any
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
    ? "so data may be missing; try again, or, if this server never sends close_notify, set tls: { allowMissingCloseNotify: true }"
    : `instead of ${size}; try again`;
  const error = new Deno.errors.UnexpectedEof(
    `Cannot complete "${command}": the TLS data connection was cut off (no close_notify) after ${bytes} bytes, ${what}`,
    { cause },
  );
  if (bytes === 0) withoutData.add(error);
  return error;
}

/** Errors of {@linkcode truncated} before the first byte. */
const withoutData = new WeakSet<object>();

/** Largest number of requests for a text that is cut before its first byte. */
const MAX_ASKED = 10;

/** Commands that may be repeated. */
const REPEATABLE_REGEXP = /^(RETR|LIST|NLST|MLSD)$/i;

/**
 * Whether to request a text again that was cut before its first byte. pyftpdlib
 * sometimes ends an empty one without close_notify, presumably because it has
 * not read the end of a resumed handshake yet.
 */
export function mayAskAgain(
  error: unknown,
  { verb }: Pick<Command, "verb">,
  asked: number,
): boolean {
  return asked < MAX_ASKED && REPEATABLE_REGEXP.test(verb) &&
    error instanceof Error && withoutData.has(error);
}

/** Whether an error comes from {@linkcode truncated}. */
export function isTruncated(error: unknown): boolean {
  return error instanceof Deno.errors.UnexpectedEof &&
    error.cause instanceof TLSError && error.cause.reason === "truncated";
}
