/**
 * The client: the protocol level of ftplib, and above it paths and streams.
 *
 * @module
 */

import { parseCommand } from "../protocol/command.ts";
import type { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { pipeline } from "../transfer/pipeline.ts";
import { FTPProtocol } from "./ftp_protocol.ts";
import { sessionOf } from "./session_of.ts";

/** Most commands under way in {@linkcode FTP.pipeline}. */
const WINDOW = 4096;

/** Options of {@linkcode FTP.pipeline}. */
export interface PipelineOptions {
  /**
   * Most commands whose replies are outstanding; 1 for servers that cannot
   * bear more.
   *
   * @default {4096}
   */
  window?: number | undefined;
  /** Ends the wait for a reply. */
  signal?: AbortSignal | undefined;
}

/**
 * An FTP client. See {@linkcode FTPProtocol} for the methods of ftplib, and for
 * the contract about calls that overlap and calls that fail.
 *
 * @example Fetch a file
 * ```ts
 * import { FTP } from "../../mod.ts";
 *
 * await using ftp = new FTP();
 * await ftp.connect("ftp.example.com");
 * await ftp.login();
 * const blocks: Uint8Array<ArrayBuffer>[] = [];
 * await ftp.retrbinary("RETR README", (block) => blocks.push(block));
 * console.log(await new Blob(blocks).text());
 * ```
 */
export class FTP extends FTPProtocol {
  /**
   * Sends many commands without waiting for each: twenty thousand `SIZE`s take
   * about one round trip.
   *
   * @param commands Whole command lines, taken as replies make room
   * @param options Window and signal
   * @returns For each command, in order, its reply or the server's refusal
   * @throws {TypeError} If a line has CR, LF or NUL
   * @throws {Error} `Deno.errors.*` if the connection fails
   */
  async *pipeline(
    commands: Iterable<string>,
    options: PipelineOptions = {},
  ): AsyncGenerator<Reply | FTPError> {
    const { window = WINDOW, signal } = options;
    const parsed = Iterator.from(commands).map(parseCommand);
    yield* pipeline(sessionOf(this), parsed, { window, signal });
  }
}
