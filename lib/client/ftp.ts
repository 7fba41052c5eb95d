/**
 * The client: the protocol level of ftplib, and above it paths and streams.
 *
 * @module
 */

import {
  ensureDir,
  remove,
  type RemoveOptions,
} from "../directories/directories.ts";
import { download } from "../files/download/download.ts";
import { runOperation, withLifetime } from "../files/operation.ts";
import { textOfPath } from "../commands/queries.ts";
import {
  DOWNLOAD_OPTIONS,
  type DownloadOptions,
  type FileTransferResult,
  UPLOAD_OPTIONS,
  type UploadOptions,
} from "../files/options.ts";
import {
  retrieve,
  type RetrieveOptions,
  store,
  type StoreOptions,
} from "../files/streams.ts";
import { checkLocalPath } from "../files/local_path.ts";
import { upload } from "../files/upload/upload.ts";
import {
  checkNames,
  checkSignal,
  type NamesOf,
} from "../protocol/check_names.ts";
import { checkNumber } from "../protocol/check_number.ts";
import { parseCommand, type Path } from "../protocol/command.ts";
import type { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { pipeline } from "../transfer/pipeline.ts";
import type { SignalOptions } from "../transfer/session.ts";
import type { Source } from "../transfer/source.ts";
import { FTPDirectories } from "./ftp_directories.ts";
import { preparePipeline } from "./server_quirks.ts";
import { connectionOf, onReady } from "./client_connection.ts";
import { checkPathFor, sessionOf } from "./session_of.ts";

/** Most commands under way in {@linkcode FTP.pipeline}. */
const WINDOW = 4096;

const PIPELINE_OPTIONS: NamesOf<PipelineOptions> = {
  window: true,
  signal: true,
};

const REMOVE_OPTIONS: NamesOf<RemoveOptions> = {
  recursive: true,
  maxEntries: true,
  signal: true,
};

const RETRIEVE_OPTIONS: NamesOf<RetrieveOptions> = {
  offset: true,
  signal: true,
};

const STORE_OPTIONS: NamesOf<StoreOptions> = {
  ...RETRIEVE_OPTIONS,
  append: true,
};

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
 * An FTP client: paths, streams and whole files. Below it are the methods of
 * ftplib, {@linkcode FTPConnection} with the contract about calls that fail,
 * {@linkcode FTPCommands} with that about calls that overlap,
 * {@linkcode FTPTransfers} and {@linkcode FTPProtocol}; and
 * {@linkcode FTPListings}.
 *
 * Where the server closed the connection while nothing was asked of it (many do
 * after some minutes), the methods that take a path connect and log in again,
 * and return to the directory, before they begin. Those of ftplib do not, and
 * throw `Deno.errors.NotConnected`: {@linkcode reconnect} is for them.
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
export class FTP extends FTPDirectories {
  /**
   * Sends many commands without waiting for each: twenty thousand `SIZE`s take
   * about one round trip. ProFTPD joins commands that come too thick: it gets
   * at most 512 bytes at once, and so does a server of which nothing is known
   * until `FEAT` was asked. Pure-FTPd gets 2,048, and so does an unknown server
   * under TLS.
   *
   * @param commands Whole command lines, taken as replies make room
   * @param options Window and signal
   * @returns For each command, in order, its reply or the server's refusal
   * @throws {TypeError} If a line has CR, LF or NUL
   * @throws {RangeError} If the window is not a positive integer
   * @throws {Error} `Deno.errors.*` if the connection fails
   *
   * @example Ask for the sizes of many files
   * ```ts
   * import { connect, FTPError } from "../../mod.ts";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const names = await ftp.nlst();
   * await ftp.voidcmd("TYPE I"); // some servers tell no size in TYPE A
   * let total = 0;
   * const replies = ftp.pipeline(names.map((name) => `SIZE ${name}`));
   * for await (const reply of replies) {
   *   if (reply instanceof FTPError) console.error(reply.message);
   *   else total += Number(reply.text.slice(4));
   * }
   * console.log(total);
   * ```
   */
  async *pipeline(
    commands: Iterable<string>,
    options: PipelineOptions = {},
  ): AsyncGenerator<Reply | FTPError> {
    const { window = WINDOW, signal } = options;
    checkNames("pipeline", options, PIPELINE_OPTIONS);
    const session = sessionOf(this);
    const parsed = Iterator.from(commands).map(parseCommand);
    const prepared = await preparePipeline(session, parsed, {
      window,
      signal,
    });
    yield* pipeline(session, prepared, { window, signal });
  }

  /**
   * Connects and logs in again, as the client was: to the same server and
   * virtual host (`HOST`), under the same protection, in the same directory,
   * with the same `TYPE`, `MODE`, `STRU`, `LANG` and `OPTS`. What else was sent
   * by hand (`SITE`, `CLNT`, `ACCT`...) is not sent again. A connection that is
   * open is closed first, and with it a transfer.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param options A signal
   * @throws {Deno.errors.NotConnected} If nobody has logged in, the client was
   * closed or is closed meanwhile, or its directory is not known
   * @throws {FTPError} If the server refuses
   * @throws {Error} `Deno.errors.*` if there is no connection to be had
   */
  async reconnect(options: SignalOptions = {}): Promise<void> {
    checkSignal(options.signal);
    const link = connectionOf(this);
    const { control, transfer } = link.session;
    if (!link.canReconnect) return await link.reconnect(options); // it says why
    const reason = new Deno.errors.NotConnected("reconnect() was called");
    transfer?.data.fail(reason);
    control.fail(reason);
    await runOperation(link, options, (options) => link.reconnect(options));
  }

  /**
   * Reads a file as a web stream. The server waits while nobody reads.
   *
   * The stream ends after the server's final 2yz and errors in every other
   * case: on 4yz and 5yz, when a connection fails, when no final reply comes. A
   * data connection that is reset after the last byte is no failure if the final
   * reply is 2yz and the size in the 150 reply, or `SIZE`, is what came.
   * Cancelling it, or leaving a loop over it, aborts the transfer (`ABOR`); so
   * does the signal, in every phase. The next call waits until that is settled,
   * and has another connection where this server may leave something behind, as
   * {@linkcode FTPCommands.abort} tells. Until the stream has ended or is
   * cancelled the transfer is open, and other commands are refused with
   * `Deno.errors.Busy`.
   *
   * @param path The file
   * @param options Offset and signal
   * @returns The bytes
   * @throws {FTPError} If the server refuses
   * @throws {RangeError} If the offset is not a non-negative integer
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Read a text line by line
   * ```ts
   * import { connect } from "../../mod.ts";
   * import { TextLineStream } from "@std/streams";
   *
   * await using ftp = await connect("ftp://ftp.example.com");
   * const lines = (await ftp.retrieve("README"))
   *   .pipeThrough(new TextDecoderStream())
   *   .pipeThrough(new TextLineStream());
   * for await (const line of lines) console.log(line);
   * ```
   */
  async retrieve(
    path: Path,
    options: RetrieveOptions = {},
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    checkPathFor(this, path, "path");
    checkNames("retrieve", options, RETRIEVE_OPTIONS);
    return await onReady(
      this,
      options,
      (session) => retrieve(session, path, options),
    );
  }

  /**
   * Writes a file from a stream or any other source of bytes, straight to its
   * name: a failure leaves what the server got by then. {@linkcode upload} does
   * not. What the reply proves is that the server says it has the file: neither
   * its size nor its name is looked at, and some servers say so of a file that
   * was cut or stored under another name.
   *
   * An aborted signal, like a source that fails, aborts the transfer (`ABOR`)
   * in every phase. The next call waits until that is settled, and may have
   * another connection, as {@linkcode FTPCommands.abort} tells.
   *
   * @param path The file
   * @param source The bytes
   * @param options Offset, append and signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure; the message
   * says so where the directory is missing, or the path is a directory
   * @throws {RangeError} If the offset is not a non-negative integer
   * @throws {TypeError} If the source is none, or there are both an offset and
   * `append`
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Store a text
   * ```ts
   * import { connect } from "../../mod.ts";
   *
   * await using ftp = await connect("ftp://user:password@ftp.example.com");
   * await ftp.store("hello.txt", new TextEncoder().encode("Hello\n"));
   * ```
   */
  async store(
    path: Path,
    source: Source,
    options: StoreOptions = {},
  ): Promise<Reply> {
    checkPathFor(this, path, "path");
    checkNames("store", options, STORE_OPTIONS);
    return await onReady(
      this,
      options,
      (session) => store(session, path, source, options),
    );
  }

  /**
   * Downloads a file: into `.name.<digits>.part` beside its target, which it
   * replaces when it is complete, confirmed by the server and verified. In any
   * other case what was there before stays as it was.
   *
   * Lost connections, time-outs, 421, 425, 426, 450 and 451 are recovered from:
   * after a wait the client connects and logs in again if it has to, returns
   * to its directory, and goes on where the part ends, if the file there has
   * not changed and the last 64 KiB are the same. A refusal (550) and a fault
   * of this side (a full disk) are not tried again. With `resume` the part
   * stays after a failure, as `.name.resume-<digits>.part`, and the next call
   * goes on with it if it was taken from the same version of the same file.
   *
   * An aborted signal ends a wait at once; while data flows it aborts the
   * transfer (`ABOR`) and takes what the server owes, within five seconds. The
   * connection is usable then. While connecting again, and where what is owed
   * does not come, it is closed.
   *
   * Downloads and uploads that are started at once take turns. A file of up to
   * 1 MiB is written synchronously, a larger one while more of it comes, from
   * two buffers of 1 MiB. How long the disk takes is not limited by `timeout`;
   * a signal ends the wait within five seconds.
   *
   * Requires `allow-read` and `allow-write` permission for the target's
   * directory.
   *
   * @tags allow-read, allow-write
   * @param remote The file on the server
   * @param local Where to, a path or a `file:` URL
   * @param options Resume, verification, retries, progress and more
   * @returns What was transferred and verified
   * @throws {FTPError} If the server refuses
   * @throws {FTPUnconfirmedError} If every byte came but not the server's word
   * @throws {FTPVerificationError} If the two files differ
   * @throws {TypeError} If an option is none of the words that it may be;
   * nothing is sent
   * @throws {Error} `Deno.errors.*` if a connection or a local file fails
   *
   * @example Download what may break off
   * ```ts
   * import { connect, progressBar } from "../../mod.ts";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * await ftp.download("image.iso", "image.iso", {
   *   resume: true,
   *   verify: "hash",
   *   onProgress: progressBar({ label: "image.iso" }),
   * });
   * ```
   */
  async download(
    remote: Path,
    local: string | URL,
    options: DownloadOptions = {},
  ): Promise<FileTransferResult> {
    checkNames("download", options, DOWNLOAD_OPTIONS);
    checkPathFor(this, remote, "path");
    checkLocalPath(local, "local");
    return await download(
      connectionOf(this),
      this.#text(remote),
      local,
      options,
    );
  }

  /**
   * Uploads a file: to `.name.<digits>.part` beside its target, which it
   * replaces (`RNFR`, `RNTO`) when it is complete, confirmed by the server and
   * verified. In any other case what was there before stays as it was, and the
   * temporary file is deleted.
   *
   * Recovers and resumes as {@linkcode download} does, from what `SIZE` says,
   * by `REST` and `STOR`, else by `APPE`, else from the beginning. What is read
   * once (a stream, an open file) cannot be sent again: it is tried again only
   * before its first byte was read, or where all of it went and `SIZE` tells
   * that it is there. With `resume` the temporary file stays after a failure.
   * With `atomic: false` the target itself is written to. A server that refuses
   * to rename over a file keeps it, unless `replace` is "delete"; the old file is
   * deleted when the new one is in its place, and not before. What becomes of permissions and links {@linkcode UploadOptions} tells.
   *
   * An aborted signal does what it does in {@linkcode download}. Where it comes
   * while the server renames, the new file may be in its place, whole.
   *
   * Requires `allow-read` permission for a local path.
   *
   * @tags allow-read
   * @param local A path or `file:` URL, or bytes of any kind
   * @param remote The file on the server
   * @param options Resume, verification, retries, progress and more
   * @returns What was transferred and verified
   * @throws {FTPError} If the server refuses; the message says so where the
   * directory is missing, the target is a directory, or a temporary file is left
   * @throws {FTPUnconfirmedError} If every byte went but no word came back
   * @throws {FTPVerificationError} If the two files differ
   * @throws {TypeError} If an option is none of the words that it may be;
   * nothing is sent
   * @throws {Error} `Deno.errors.*` if a connection or a local file fails
   *
   * @example Upload, and know what became of it
   * ```ts
   * import { connect, FTPUnconfirmedError } from "../../mod.ts";
   *
   * await using ftp = await connect("ftpes://ftp.example.com/in");
   * try {
   *   const { verified, retries } = await ftp.upload("orders.csv", "orders.csv");
   *   console.log(`there, compared by ${verified} after ${retries} retries`);
   * } catch (error) {
   *   if (!(error instanceof FTPUnconfirmedError)) throw error;
   *   console.error("sent, but the server did not say that it has it", error);
   * }
   * ```
   */
  async upload(
    local: string | URL | Source,
    remote: Path,
    options: UploadOptions = {},
  ): Promise<FileTransferResult> {
    checkNames("upload", options, UPLOAD_OPTIONS);
    checkPathFor(this, remote, "path");
    if (typeof local === "string") checkLocalPath(local, "local");
    return await upload(connectionOf(this), local, this.#text(remote), options);
  }

  /**
   * Makes a directory and its parents, where they are missing. It looks
   * whether they exist by going there and back.
   *
   * @param path The directory
   * @param options A signal
   * @throws {FTPPermanentError} If there is no such directory afterwards
   */
  async ensureDir(path: Path, options: SignalOptions = {}): Promise<void> {
    checkPathFor(this, path, "path");
    return await onReady(
      this,
      options,
      (session) => ensureDir(session, this.#text(path), options),
    );
  }

  /**
   * Removes a file or an empty directory, or with `recursive` a directory and
   * all that is in it. Symbolic links are removed, never followed.
   *
   * @param path What to remove
   * @param options Whether with what is in it; a signal
   * @throws {FTPPermanentError} If something cannot be removed
   * @throws {Deno.errors.InvalidData} If the server names something that is
   * not in the directory
   * @throws {RangeError} If a directory has more than `maxEntries`
   *
   * @example Remove last year's files
   * ```ts
   * import { connect } from "../../mod.ts";
   *
   * await using ftp = await connect("ftp://ftp.example.com/archive");
   * await ftp.remove("2025", { recursive: true });
   * ```
   */
  async remove(path: Path, options: RemoveOptions = {}): Promise<void> {
    checkPathFor(this, path, "path");
    checkNames("remove", options, REMOVE_OPTIONS);
    checkNumber("maxEntries", options.maxEntries);
    return await onReady(
      this,
      options,
      (session) =>
        remove(session, this.#text(path), options, {
          begin: () => withLifetime(connectionOf(this), options.signal),
        }),
    );
  }

  #text(path: Path): string {
    return textOfPath(sessionOf(this), path);
  }
}
