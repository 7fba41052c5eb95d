/**
 * Compressed transfers: `MODE Z`, if the user wants it and the server offers
 * it.
 *
 * @module
 */

import { DeflatedStream } from "../connection/deflated_stream.ts";
import type { ByteStream } from "../connection/byte_stream.ts";
import type { DataStream } from "../connection/data_stream.ts";
import { FTPPermanentError, replyOf } from "../protocol/errors.ts";
import { parseFeatures } from "../protocol/reply_values.ts";
import { CLOSING } from "./session_state.ts";
import type { Session, SignalOptions } from "./session.ts";
import type { ExclusiveTurn } from "./turn.ts";

const MODE_Z = "MODE Z";

/** Whether the data of transfers is compressed. */
export function isCompressed(
  { options, state: { settings } }: Session,
): boolean {
  return options.compress &&
    /^Z$/i.test(String(settings.get("MODE")?.argument ?? ""));
}

/**
 * Sets `MODE Z`, if the user wants it and `FEAT` offers it. The data is not
 * compressed if the server refuses.
 *
 * @param options `isPlain`: whether this transfer must not be compressed
 */
export async function setCompression(
  turn: ExclusiveTurn,
  options: SignalOptions & { isPlain?: boolean | undefined },
): Promise<void> {
  const { session } = turn;
  const { isPlain = false } = options;
  const { profile, options: { compress } } = session;
  const isSet = isCompressed(session);
  if (isSet && (isPlain || profile.lacks(MODE_Z))) {
    await turn.perform({ verb: "MODE", argument: "S" }, options);
    return;
  }
  const isDone = !compress || isPlain || isSet || profile.lacks(MODE_Z);
  if (isDone || !await offersCompression(turn, options)) return;
  try {
    await turn.perform({ verb: "MODE", argument: "Z" }, options);
    if (!isCompressed(session)) profile.noteLacking(MODE_Z); // 202
  } catch (error) {
    const reply = replyOf(error);
    if (reply === undefined || reply.code === CLOSING) throw error;
    if (error instanceof FTPPermanentError) profile.noteLacking(MODE_Z);
  }
}

/**
 * Whether data is compressed, and no file has proven yet that the server
 * decompresses it.
 */
export function isCompressionUnproven(session: Session): boolean {
  return isCompressed(session) && !session.profile.decompresses;
}

/**
 * Whether a file that an earlier transfer left on the server may be compressed
 * data, because no file has proven yet that the server decompresses it.
 */
export function mayBeLeftCompressed(
  { options, profile, state: { identity } }: Session,
): boolean {
  const features = profile.featuresFor(identity);
  return options.compress && !profile.decompresses &&
    !profile.lacks(MODE_Z) && (features === undefined || offersZ(features));
}

/**
 * Whether the size of a file cannot show that the server handles `MODE Z`: the
 * compressed and the uncompressed data have the same length.
 */
export function isSizeAmbiguous(session: Session, data: DataStream): boolean {
  const { bytesRead, bytesWritten, compressedSize } = data;
  // some servers send nothing for an empty file
  return isCompressionUnproven(session) && compressedSize !== 0 &&
    compressedSize === bytesRead + bytesWritten;
}

/** Notes whether the server has decompressed a file. */
export function noteDecompressed(session: Session, isDone: boolean): void {
  if (!isCompressed(session)) return;
  if (isDone) session.profile.decompresses = true;
  else session.profile.noteLacking(MODE_Z);
}

/**
 * Adds compression to a data connection, if `MODE Z` is set.
 *
 * @returns The stream of uncompressed data
 */
export function decompress(session: Session, stream: ByteStream): ByteStream {
  return isCompressed(session) ? new DeflatedStream(stream) : stream;
}

async function offersCompression(
  turn: ExclusiveTurn,
  options: SignalOptions,
): Promise<boolean> {
  const { profile, state: { identity } } = turn.session;
  let features = profile.featuresFor(identity);
  if (features === undefined && !profile.lacks("FEAT")) {
    features = profile.noteFeatures(
      identity,
      await askFeatures(turn, options),
    );
  }
  return features !== undefined && offersZ(features);
}

function offersZ(features: Map<string, string>): boolean {
  return /\bZ\b/i.test(features.get("MODE") ?? "");
}

/** Returns the server's features; `undefined` if `FEAT` is refused. */
async function askFeatures(
  turn: ExclusiveTurn,
  options: SignalOptions,
): Promise<Map<string, string> | undefined> {
  try {
    const reply = await turn.exchange({ verb: "FEAT" }, options);
    return reply.code === 211 ? parseFeatures(reply) : undefined;
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    return undefined;
  }
}
