/**
 * Counts the connections that the server allows at once.
 *
 * @module
 */

import { connect } from "../client/connect.ts";
import type { FTP } from "../client/ftp.ts";
import { hasTooManyConnections } from "../files/recovery.ts";
import type { Examination } from "./examination.ts";

/** Default of `maxConnections`. */
const CONNECTIONS = 4;

/** Counts the connections that the server allows at once. */
export async function checkConnections(
  examination: Examination,
): Promise<void> {
  const { maxConnections = CONNECTIONS } = examination.examine;
  const open: FTP[] = [];
  try {
    while (open.length < maxConnections) {
      open.push(
        await connect(examination.url, {
          ...examination.options,
          retry: false,
        }),
      );
    }
    examination.step(
      "connections",
      "ok",
      `The server allows at least ${open.length} connections at once.`,
      { connections: open.length, isLimit: false },
    );
  } catch (error) {
    examination.options.signal?.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    examination.step(
      "connections",
      "note",
      `The server allows ${open.length} connections at once${
        hasTooManyConnections(error) ? "" : ", or the next one failed"
      }. Set \`connections\` of mirrors to no more (${why}).`,
      { connections: open.length, isLimit: hasTooManyConnections(error) },
    );
  } finally {
    for (const ftp of open) await ftp[Symbol.asyncDispose]();
  }
}
