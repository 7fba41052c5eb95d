/**
 * The client: the protocol level of ftplib, and above it paths and streams.
 *
 * @module
 */

import {
  allocate,
  chooseLanguage,
  copyOnServer,
  requestStatus,
  requestSystem,
  sendSite,
} from "../commands/by_hand.ts";
import { changePermissions } from "../commands/permissions.ts";
import {
  requestFeatures,
  requestModificationTime,
  textOfPath,
} from "../commands/queries.ts";
import {
  ensureDir,
  remove,
  type RemoveOptions,
} from "../directories/directories.ts";
import { listDirectory } from "../directories/listing.ts";
import {
  checkListOptions,
  LIST_OPTIONS,
  type ListOptions,
} from "../directories/listing_options.ts";
import { dateFile } from "../directories/prove_clock.ts";
import { existsPath, requestEntry } from "../directories/stat.ts";
import { walkTree } from "../directories/walk.ts";
import type { WalkEntry } from "../directories/walk_entry.ts";
import type { WalkOptions } from "../directories/walk_options.ts";
import { download } from "../files/download/download.ts";
import { checkLocalPath } from "../files/local_path.ts";
import { runOperation, withLifetime } from "../files/operation.ts";
import {
  DOWNLOAD_OPTIONS,
  type DownloadOptions,
  type FileTransferOptions,
  type FileTransferResult,
  UPLOAD_OPTIONS,
  type UploadOptions,
} from "../files/options.ts";
import {
  checkRetry,
  type RecoveryOptions,
  withReconnection,
} from "../files/recovery.ts";
import {
  type OpenOptions,
  openRemoteFile,
  type RemoteFile,
} from "../files/remote_file.ts";
import type { SessionProvider } from "../files/session_provider.ts";
import {
  retrieve,
  type RetrieveOptions,
  store,
  type StoreOptions,
  storeUnique,
} from "../files/streams.ts";
import { upload } from "../files/upload/upload.ts";
import type { Entry } from "../listing/entry.ts";
import { downloadDir, uploadDir } from "../mirror/mirror_directory.ts";
import type {
  DownloadDirOptions,
  MirrorResult,
  UploadDirOptions,
} from "../mirror/options.ts";
import {
  checkNames,
  checkSignal,
  type NamesOf,
} from "../protocol/check_names.ts";
import { checkNumber } from "../protocol/check_number.ts";
import { showValue } from "../protocol/check_word.ts";
import { parseCommand, type Path } from "../protocol/command.ts";
import type { FTPError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { pipeline } from "../transfer/pipeline.ts";
import type { SignalOptions } from "../transfer/session.ts";
import type { Source } from "../transfer/source.ts";
import { preparePipeline } from "./server_quirks.ts";
import type { Session } from "../transfer/session.ts";
import { checkAnyPath, checkPath } from "./check_path.ts";
import { connectionOf, FTPProtocol } from "./ftp_protocol.ts";

/** Most commands under way in {@linkcode FTP.prototype.pipeline FTP.pipeline}. */
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
  length: true,
  signal: true,
};

const STORE_OPTIONS: NamesOf<StoreOptions> = {
  offset: true,
  append: true,
  signal: true,
};

/** Options of {@linkcode FTP.prototype.pipeline FTP.pipeline}. */
export interface PipelineOptions {
  /**
   * Most commands whose replies are outstanding; 1 for servers that cannot
   * bear more.
   *
   * @default 4096
   */
  window?: number | undefined;
  /** Ends the wait for a reply. */
  signal?: AbortSignal | undefined;
}

/**
 * An FTP client: paths, streams, whole files and whole directories. The methods
 * of ftplib are those of {@linkcode FTPProtocol}, which also states the contract
 * about calls that fail and calls that overlap.
 *
 * | task                   | methods |
 * | ---------------------- | ------- |
 * | connect                | {@linkcode connect connect(url)}, {@linkcode FTPProtocol.prototype.connect connect}, {@linkcode FTPProtocol.prototype.login login}, {@linkcode FTP.prototype.reconnect reconnect}, {@linkcode FTPProtocol.prototype.clone clone} |
 * | disconnect             | {@linkcode FTPProtocol.prototype.quit quit}, {@linkcode FTPProtocol.prototype.close close}, `await using` |
 * | transfer a file        | {@linkcode FTP.prototype.download download}, {@linkcode FTP.prototype.upload upload} |
 * | transfer a directory   | {@linkcode FTP.prototype.downloadDir downloadDir}, {@linkcode FTP.prototype.uploadDir uploadDir} |
 * | read and write streams | {@linkcode FTP.prototype.retrieve retrieve}, {@linkcode FTP.prototype.store store}, {@linkcode FTP.prototype.storeUnique storeUnique}, {@linkcode FTP.prototype.allocate allocate}, {@linkcode FTP.prototype.open open} |
 * | list                   | {@linkcode FTP.prototype.list list}, {@linkcode FTP.prototype.walk walk} |
 * | look at one path       | {@linkcode FTP.prototype.stat stat}, {@linkcode FTP.prototype.exists exists}, {@linkcode FTP.prototype.mtime mtime}, {@linkcode FTPProtocol.prototype.size size} |
 * | change                 | {@linkcode FTP.prototype.ensureDir ensureDir}, {@linkcode FTP.prototype.remove remove}, {@linkcode FTPProtocol.prototype.rename rename}, {@linkcode FTP.prototype.setMtime setMtime}, {@linkcode FTP.prototype.chmod chmod}, {@linkcode FTP.prototype.copy copy} |
 * | change directory       | {@linkcode FTPProtocol.prototype.cwd cwd}, {@linkcode FTPProtocol.prototype.pwd pwd} |
 * | know the server        | {@linkcode FTP.prototype.features features}, {@linkcode FTP.prototype.system system}, {@linkcode FTP.prototype.status status}, {@linkcode FTPProtocol.prototype.getwelcome getwelcome}, {@linkcode FTPProtocol.prototype.tls tls}, {@linkcode FTPProtocol.prototype.connected connected} |
 * | send other commands    | {@linkcode FTP.prototype.pipeline pipeline}, {@linkcode FTP.prototype.site site}, {@linkcode FTP.prototype.setLanguage setLanguage} |
 *
 * The methods of ftplib, also inherited, name for name:
 *
 * | ftplib           | methods |
 * | ---------------- | ------- |
 * | connection       | {@linkcode FTPProtocol.prototype.connect connect}, {@linkcode FTPProtocol.prototype.getwelcome getwelcome}, {@linkcode FTPProtocol.prototype.login login}, {@linkcode FTPProtocol.prototype.acct acct}, {@linkcode FTPProtocol.prototype.clone clone}, {@linkcode FTPProtocol.prototype.quit quit}, {@linkcode FTPProtocol.prototype.close close} |
 * | TLS              | {@linkcode FTPProtocol.prototype.auth auth}, {@linkcode FTPProtocol.prototype.protP protP}, {@linkcode FTPProtocol.prototype.protC protC}, {@linkcode FTPProtocol.prototype.ccc ccc}, {@linkcode FTPProtocol.prototype.tls tls} |
 * | commands         | {@linkcode FTPProtocol.prototype.sendcmd sendcmd}, {@linkcode FTPProtocol.prototype.voidcmd voidcmd}, {@linkcode FTPProtocol.prototype.putcmd putcmd}, {@linkcode FTPProtocol.prototype.getresp getresp}, {@linkcode FTPProtocol.prototype.voidresp voidresp}, {@linkcode FTPProtocol.prototype.abort abort} |
 * | transfers        | {@linkcode FTPProtocol.prototype.retrbinary retrbinary}, {@linkcode FTPProtocol.prototype.retrlines retrlines}, {@linkcode FTPProtocol.prototype.storbinary storbinary}, {@linkcode FTPProtocol.prototype.storlines storlines}, {@linkcode FTPProtocol.prototype.ntransfercmd ntransfercmd}, {@linkcode FTPProtocol.prototype.transfercmd transfercmd} |
 * | listings         | {@linkcode FTPProtocol.prototype.nlst nlst}, {@linkcode FTPProtocol.prototype.dir dir}, {@linkcode FTPProtocol.prototype.mlsd mlsd} |
 * | files            | {@linkcode FTPProtocol.prototype.size size}, {@linkcode FTPProtocol.prototype.delete delete}, {@linkcode FTPProtocol.prototype.rename rename} |
 * | directories      | {@linkcode FTPProtocol.prototype.cwd cwd}, {@linkcode FTPProtocol.prototype.pwd pwd}, {@linkcode FTPProtocol.prototype.mkd mkd}, {@linkcode FTPProtocol.prototype.rmd rmd} |
 * | data connections | {@linkcode FTPProtocol.prototype.setPasv setPasv}, {@linkcode FTPProtocol.prototype.passiveserver passiveserver}, {@linkcode FTPProtocol.prototype.makepasv makepasv}, {@linkcode FTPProtocol.prototype.makeport makeport}, {@linkcode FTPProtocol.prototype.sendport sendport}, {@linkcode FTPProtocol.prototype.sendeprt sendeprt} |
 * | state            | {@linkcode FTPProtocol.prototype.host host}, {@linkcode FTPProtocol.prototype.port port}, {@linkcode FTPProtocol.prototype.timeout timeout}, {@linkcode FTPProtocol.prototype.encoding encoding}, {@linkcode FTPProtocol.prototype.connected connected}, {@linkcode FTPProtocol.prototype.lastresp lastresp}, {@linkcode FTPProtocol.prototype.setDebuglevel setDebuglevel} |
 *
 * If the server closed the connection while it was idle, the methods that take a
 * path connect and log in again, and return to the directory, before they begin.
 * Those of ftplib throw `Deno.errors.NotConnected` instead: call
 * {@linkcode FTP.prototype.reconnect FTP.reconnect}.
 *
 * @example Fetch a file
 * ```ts
 * import { FTP } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
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
   * import { connect, FTPError } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
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
    const session = connectionOf(this).session;
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
    const provider = connectionOf(this);
    const { control, transfer } = provider.session;
    if (!provider.canReconnect) return await provider.reconnect(options); // it says why
    const reason = new Deno.errors.NotConnected("reconnect() was called");
    transfer?.data.fail(reason);
    control.fail(reason);
    await runOperation(
      provider,
      options,
      (options) => provider.reconnect(options),
    );
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
   * {@linkcode FTPProtocol.prototype.abort FTP.abort} tells. Until the stream has ended or is
   * cancelled the transfer is open, and other commands are refused with
   * `Deno.errors.Busy`.
   *
   * @param path The file
   * @param options Offset, length and signal
   * @returns The bytes
   * @throws {FTPError} If the server refuses
   * @throws {RangeError} If the offset or the length is not a non-negative
   * integer
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Read a text line by line
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
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
    checkPath(connectionOf(this).session, path, "path");
    checkNames("retrieve", options, RETRIEVE_OPTIONS);
    return await this.#onReady(
      options,
      (session) => retrieve(session, path, options),
    );
  }

  /**
   * Opens a file for reading at any position: the index at the end of an
   * archive, then one member of it, and not the rest.
   *
   * The file has a connection of its own, so that this client stays free;
   * whoever opens it closes it. {@linkcode RemoteFile} tells what is fetched and
   * kept.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param path The file
   * @param options Sizes of blocks and cache, retries and a signal
   * @returns The file, at position 0
   * @throws {FTPError} If the server refuses
   * @throws {RangeError} If a size is out of range
   * @throws {Deno.errors.NotSupported} If the server does not tell the file's size
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Read the last bytes of a large file
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * await using file = await ftp.open("archive.zip");
   * await file.seek(-22, Deno.SeekMode.End);
   * const end = new Uint8Array(22);
   * await file.read(end);
   * console.log(`${new DataView(end.buffer).getUint16(10, true)} members`);
   * ```
   */
  async open(path: Path, options: OpenOptions = {}): Promise<RemoteFile> {
    checkPath(connectionOf(this).session, path, "path");
    return await openRemoteFile(
      connectionOf(this),
      this.#text(path),
      options,
    );
  }

  /**
   * Writes a file from a stream or any other source of bytes, straight to its
   * name: a failure leaves what the server got by then. {@linkcode FTP.prototype.upload upload} does
   * not. What the reply proves is that the server says it has the file: neither
   * its size nor its name is looked at, and some servers say so of a file that
   * was cut or stored under another name.
   *
   * An aborted signal, like a source that fails, aborts the transfer (`ABOR`)
   * in every phase. The next call waits until that is settled, and may have
   * another connection, as {@linkcode FTPProtocol.prototype.abort FTP.abort} tells.
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
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
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
    checkPath(connectionOf(this).session, path, "path");
    checkNames("store", options, STORE_OPTIONS);
    return await this.#onReady(
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
   * import { connect, progressBar } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
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
    checkPath(connectionOf(this).session, remote, "path");
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
   * Recovers and resumes as {@linkcode FTP.prototype.download download} does, from what `SIZE` says,
   * by `REST` and `STOR`, else by `APPE`, else from the beginning. What is read
   * once (a stream, an open file) cannot be sent again: it is tried again only
   * before its first byte was read, or where all of it went and `SIZE` tells
   * that it is there. With `resume` the temporary file stays after a failure.
   * With `atomic: false` the target itself is written to. A server that refuses
   * to rename over a file keeps it, unless `replace` is "delete"; the old file is
   * deleted when the new one is in its place, and not before. What becomes of permissions and links {@linkcode UploadOptions} tells.
   *
   * An aborted signal does what it does in {@linkcode FTP.prototype.download download}. Where it comes
   * while the server renames, the new file may be in its place, whole.
   *
   * Requires `allow-read` permission for a local path.
   *
   * @tags allow-read
   * A `Response` of `fetch()` is uploaded if its status is a success. Its body is
   * read once, and must be as long as its `content-length` says, unless it was
   * compressed on the way.
   *
   * @param local A path or `file:` URL, a `Response`, or bytes of any kind
   * @param remote The file on the server
   * @param options Resume, verification, retries, progress and more
   * @returns What was transferred and verified
   * @throws {FTPError} If the server refuses; the message says so where the
   * directory is missing, the target is a directory, or a temporary file is left
   * @throws {FTPUnconfirmedError} If every byte went but no word came back
   * @throws {FTPVerificationError} If the two files differ, or the source has
   * another length than it should
   * @throws {TypeError} If an option is none of the words that it may be, or the
   * response is no success; nothing is sent
   * @throws {Error} `Deno.errors.*` if a connection or a local file fails
   *
   * @example Upload, and know what became of it
   * ```ts
   * import { connect, FTPUnconfirmedError } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
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
    local: string | URL | Source | Response,
    remote: Path,
    options: UploadOptions = {},
  ): Promise<FileTransferResult> {
    checkNames("upload", options, UPLOAD_OPTIONS);
    checkPath(connectionOf(this).session, remote, "path");
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
    checkPath(connectionOf(this).session, path, "path");
    return await this.#onReady(
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
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/archive");
   * await ftp.remove("2025", { recursive: true });
   * ```
   */
  async remove(path: Path, options: RemoveOptions = {}): Promise<void> {
    checkPath(connectionOf(this).session, path, "path");
    checkNames("remove", options, REMOVE_OPTIONS);
    checkNumber("maxEntries", options.maxEntries);
    return await this.#onReady(
      options,
      (session) =>
        remove(session, this.#text(path), options, {
          begin: () => withLifetime(connectionOf(this), options.signal),
        }),
    );
  }

  #text(path: Path): string {
    return textOfPath(connectionOf(this).session, path);
  }

  /**
   * Lists a directory: by `MLSD` (RFC 3659 section 7) where that works, else by
   * `LIST`. Which one works is found out by trying; a first `MLSD` that sends
   * nothing for a third of `timeout`, or ten seconds, is given up.
   *
   * The entries come before the listing has ended, in memory that does not grow
   * with their number. Until the loop ends the connection is busy: keep the
   * entries, or use {@linkcode FTP.prototype.walk walk}, to do something with each. Stopping early
   * reads a short rest out, and aborts a long one. After an abort the next call
   * has another connection, since ProFTPD and Pure-FTPd put what they had left of
   * the listing before the next one; vsftpd does not.
   *
   * A listing that is not whole is an error, after the entries that came: where
   * the server has cut it and says so (Pure-FTPd: `226 Output truncated to 10000
   * matches`; z/OS: `JESENTRYLIMIT`), or may not read or enter the directory
   * though it answers with a 2yz (vsftpd, ProFTPD, Pure-FTPd, pyftpdlib). For
   * that, one that gives nothing is followed by another command or two.
   *
   * @param path The directory, text or bytes; "" for the current one
   * @param options Format, zone, caps and signal
   * @returns The entries, without those for the directory itself and its
   * parent; it ends only after the server's final 2yz
   * @throws {FTPError} If the server refuses, or reports a failure
   * @throws {FTPReplyError} If the server confirms a listing that is not whole
   * @throws {RangeError} If there are more than `maxEntries`
   * @throws {TypeError} If there is no such `command` or `format`
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example List the files of a directory
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * for await (const { name, isFile, size } of ftp.list()) {
   *   if (isFile) console.log(name, size);
   * }
   * ```
   */
  list(path: Path = "", options: ListOptions = {}): AsyncGenerator<Entry> {
    return listDirectory(
      () => {
        checkNames("list", options, LIST_OPTIONS);
        checkAnyPath(connectionOf(this).session, path, "path");
        return connectionOf(this).ready(options);
      },
      path,
      options,
    );
  }

  /**
   * Walks a directory tree, depth first. Each directory is read whole before its
   * entries are given: between two of them the connection is free, so that a
   * file can be fetched where it is met. A relative path is relative to the
   * current directory, which must not change meanwhile.
   *
   * Directories that the walk is in already are not entered again, as far as the
   * server tells them apart (MLSD's fact `unique`, `PWD`). Names that are no part
   * of a path (`..`, `a/b`) are given with `hostile` set, and never followed.
   *
   * A directory whose listing is cut by a lost connection is listed again on a
   * new one, as `retry` says; no entry is given twice.
   *
   * @param path Where to begin, text or bytes; "" for the current directory
   * @param options Filters, depth, retries, and those of {@linkcode FTP.prototype.list list}
   * @returns The entries with their paths, a directory before what is in it
   * @throws {FTPError} If a directory cannot be listed, unless `onError` is set
   * @throws {RangeError} If the tree is deeper, or a directory larger, than the
   * options allow
   *
   * @example Find what is large
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com");
   * for await (const entry of ftp.walk("/pub", { includeDirs: false })) {
   *   if (entry.size !== undefined && entry.size > 1e9) console.log(entry.path);
   * }
   * ```
   */
  walk(
    path: Path = "",
    options: WalkOptions & Pick<FileTransferOptions, "retry" | "onRetry"> = {},
  ): AsyncGenerator<WalkEntry> {
    const begin = () => {
      checkNames("walk", options, WALK_OPTIONS);
      checkRetry(options.retry);
      checkAnyPath(connectionOf(this).session, path, "path");
      return connectionOf(this);
    };
    let provider: SessionProvider | undefined; // whose tree it is, from the first step on
    return walkTree(
      (step) => withReconnection(provider ??= begin(), options, step),
      path,
      options,
    );
  }

  /**
   * What a path is: by `MLST` (RFC 3659 section 7), else by `CWD`, `SIZE` and
   * `MDTM`, else by the listing of its directory. Whether a symbolic link is
   * followed is up to the server.
   *
   * @param path The path, text or bytes
   * @param options A signal, and how a listing is read
   * @returns The entry, under the last name of the path
   * @throws {FTPPermanentError} If there is nothing
   *
   * @example See whether a file has changed
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const { size, mtime } = await ftp.stat("data.bin");
   * console.log(size, mtime?.toISOString());
   * ```
   */
  async stat(path: Path, options: ListOptions = {}): Promise<Entry> {
    checkPath(connectionOf(this).session, path, "path");
    checkNames("stat", options, LIST_OPTIONS);
    checkListOptions(options);
    return await this.#onReady(
      options,
      (session) => requestEntry(session, path, options),
    );
  }

  /**
   * Whether there is something under a path.
   *
   * @param path The path, text or bytes
   * @param options A signal, and how a listing is read
   * @returns Whether there is
   * @throws {FTPError} If the server does not tell, such as for want of
   * permission
   */
  async exists(path: Path, options: ListOptions = {}): Promise<boolean> {
    checkPath(connectionOf(this).session, path, "path");
    checkNames("exists", options, LIST_OPTIONS);
    checkListOptions(options);
    return await this.#onReady(
      options,
      (session) => existsPath(session, path, options),
    );
  }

  /**
   * When a file was last changed (`MDTM`, RFC 3659 section 3).
   *
   * The standard wants UTC. A server that is set up to show local time (vsftpd's
   * `use_localtime`) is read in its zone once that is known: by the option
   * `serverZone`, or since an upload of this client, its clones or its mirrors
   * has shown it. Until then what it shows is taken for UTC, unproven.
   *
   * @param path The file, text or bytes
   * @param options A signal
   * @returns The time, or `null` where the server has no `MDTM`
   * @throws {FTPError} If the server refuses, such as for a file that is not
   * there
   */
  async mtime(path: Path, options: SignalOptions = {}): Promise<Date | null> {
    checkPath(connectionOf(this).session, path, "path");
    return await this.#onReady(
      options,
      (session) => requestModificationTime(session, path, options),
    );
  }

  /**
   * Sets the time of a file, to the second: by `MFMT`, else by what vsftpd
   * (`MDTM` with a time) and Pure-FTPd (`SITE UTIME`) have.
   *
   * vsftpd sets the time in the zone that it shows. Where that is not known, a
   * temporary file is written beside the file first, and deleted: its time tells
   * the zone. The option `serverZone` makes that needless.
   *
   * @param path The file, text or bytes
   * @param date The time
   * @param options A signal
   * @throws {FTPError} If the server does not do it
   * @throws {RangeError} If the date is invalid
   */
  async setMtime(
    path: Path,
    date: Date,
    options: SignalOptions = {},
  ): Promise<void> {
    checkPath(connectionOf(this).session, path, "path");
    checkDate(date);
    return await this.#onReady(
      options,
      (session) => dateFile(session, path, date, options),
    );
  }

  /**
   * Gives a file or a directory permissions, on servers of Unix (`SITE CHMOD`).
   *
   * @param path The file, text or bytes
   * @param mode The bits, such as `0o755`
   * @param options A signal
   * @throws {FTPError} If the server does not do it
   * @throws {RangeError} If the mode is not 0 to `0o7777`
   */
  async chmod(
    path: Path,
    mode: number,
    options: SignalOptions = {},
  ): Promise<void> {
    checkPath(connectionOf(this).session, path, "path");
    return await this.#onReady(
      options,
      (session) => changePermissions(session, path, mode, options),
    );
  }

  /**
   * The server's system (`SYST`, RFC 959 section 4.1.3).
   *
   * @param options A signal
   * @returns Its words without the code, such as "UNIX Type: L8"
   * @throws {FTPError} If the server refuses
   */
  async system(options: SignalOptions = {}): Promise<string> {
    return await this.#onReady(
      options,
      (session) => requestSystem(session, options),
    );
  }

  /**
   * The status of the session, or of a path (`STAT`, RFC 959 section 4.1.3). Of a
   * directory many servers give a listing in the reply, without a data connection.
   *
   * @param path The path; "" for the session
   * @param options A signal
   * @returns The 2yz reply, whose `lines` are what the server tells
   * @throws {FTPError} If the server refuses
   */
  async status(path: Path = "", options: SignalOptions = {}): Promise<Reply> {
    return await this.#onReady(
      options,
      (session) => requestStatus(session, path, options),
    );
  }

  /**
   * Sends a command that only this server may know (`SITE`, RFC 959 section
   * 4.1.3), such as "UMASK 027".
   *
   * @param command What follows `SITE`
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   * @throws {TypeError} If the command has CR, LF or NUL; nothing is sent
   */
  async site(command: string, options: SignalOptions = {}): Promise<Reply> {
    return await this.#onReady(
      options,
      (session) => sendSite(session, command, options),
    );
  }

  /**
   * Copies a file on the server (`SITE CPFR`, `SITE CPTO`: ProFTPD's mod_copy and
   * others).
   *
   * @param from The file
   * @param to The path of the copy
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses, or has no such command
   */
  async copy(
    from: Path,
    to: Path,
    options: SignalOptions = {},
  ): Promise<Reply> {
    checkPath(connectionOf(this).session, from, "from");
    checkPath(connectionOf(this).session, to, "to");
    return await this.#onReady(
      options,
      (session) => copyOnServer(session, from, to, options),
    );
  }

  /**
   * Stores a file under a name that the server chooses (`STOU`, RFC 959 section
   * 4.1.3), in the current directory.
   *
   * @param source As for {@linkcode FTP.prototype.store store}
   * @param options A signal
   * @returns The name; `undefined` if the server does not tell it
   * @throws {FTPError} If the server refuses or reports a failure
   */
  async storeUnique(
    source: Source,
    options: SignalOptions = {},
  ): Promise<string | undefined> {
    return await this.#onReady(
      options,
      (session) => storeUnique(session, source, options),
    );
  }

  /**
   * Reserves room for the file that is stored next (`ALLO`, RFC 959 section
   * 4.1.3). Most servers need none and answer 202.
   *
   * @param size Bytes
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses, such as 552 for want of room
   * @throws {RangeError} If the size is no non-negative integer
   */
  async allocate(size: number, options: SignalOptions = {}): Promise<Reply> {
    return await this.#onReady(
      options,
      (session) => allocate(session, size, options),
    );
  }

  /**
   * Chooses the language of the server's replies (`LANG`, RFC 2640 section 4).
   * Reconnections and clones have it too.
   *
   * @param tag A language, such as "fr"; "" for the server's default
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses, or has none in that language
   */
  async setLanguage(tag: string, options: SignalOptions = {}): Promise<Reply> {
    return await this.#onReady(
      options,
      (session) => chooseLanguage(session, tag, options),
    );
  }

  /**
   * What the server says it can do (`FEAT`, RFC 2389). It is asked once; whether
   * it is true is another matter.
   *
   * @param options A signal
   * @returns Names in upper case with their parameters; empty where `FEAT` is
   * refused
   */
  async features(
    options: SignalOptions = {},
  ): Promise<ReadonlyMap<string, string>> {
    return await this.#onReady(
      options,
      (session) => requestFeatures(session, options),
    );
  }

  /**
   * Downloads a directory with all that is in it, or brings one here up to date:
   * a file that is here already, as long and not older, is left alone. Each file
   * comes as by `download`, with its retries and its rename at the end;
   * empty directories are made. With `delete`, what the server lacks is removed
   * here, last.
   *
   * One entry that fails does not keep the others: they go on, nothing is
   * removed then, and the end is an `FTPMirrorError` that tells what was done and
   * what was not. So do names that would lead out of the directory, cannot be
   * names here, or are the same here as another's, and symbolic links here that
   * are in the way: nothing is written through them. Symbolic links of the
   * server are passed over, unless `symlinks` is "follow".
   *
   * With `connections` several work at once: each lists, makes directories or
   * transfers, and what fails on one does not keep the others. Of two names that
   * may be the same file the second waits for the first.
   *
   * Memory holds the entries of one directory for each connection, and of those
   * where a transfer is under way. A lost connection is recovered from as in
   * `download`. If that does not work, the client's own ends the mirror, and
   * another costs the file that it was at; another call goes on where it ended.
   *
   * Requires `allow-read` and `allow-write` permission for the directory.
   *
   * @tags allow-read, allow-write
   * @param remote The directory on the server; "" for the current one
   * @param local Where to, a path or a `file:` URL; made where it is missing
   * @param options What is compared, removed, left out and told, and how each
   * file is transferred
   * @returns How many files were transferred, left alone, removed...
   * @throws {FTPMirrorError} If something failed; `cause` says what
   * @throws {TypeError} If an option is none of the words that it may be;
   * nothing is sent
   * @throws {FTPError} If the directory itself cannot be listed
   * @throws {Error} `Deno.errors.*` if the first connection or the local
   * directory fails
   *
   * @example Keep a data set up to date
   * ```ts
   * import { connect, FTPMirrorError } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com");
   * try {
   *   const { transferred, unchanged } = await ftp.downloadDir("pub/data", "data", {
   *     filter: ({ kind, name }) => kind === "directory" || name.endsWith(".csv"),
   *     onEntry: ({ action, entry }) => console.log(action, entry.path),
   *   });
   *   console.log(`${transferred} new, ${unchanged} as before`);
   * } catch (error) {
   *   if (!(error instanceof FTPMirrorError)) throw error;
   *   for (const { path, error: why } of error.failures) console.error(path, why);
   * }
   * ```
   */
  async downloadDir(
    remote: Path,
    local: string | URL,
    options: DownloadDirOptions = {},
  ): Promise<MirrorResult> {
    checkAnyPath(connectionOf(this).session, remote, "remote");
    checkLocalPath(local, "local");
    return await downloadDir(
      connectionOf(this),
      textOfPath(connectionOf(this).session, remote),
      local,
      options,
    );
  }

  /**
   * Uploads a directory with all that is in it, or brings one on the server up
   * to date, as {@linkcode FTP.prototype.downloadDir downloadDir} does the other way: what is there
   * already, as long and not older, is left alone, and with `delete` what is not
   * here is removed there, last. Files that `filter` leaves out stay on both
   * sides.
   *
   * Each file goes as by `upload` and gets its original's time, where
   * the server can set it; else it has the time of the upload, which is not
   * older either. After a checkout, which gives all files the time of now, compare
   * by "hash" or "size".
   *
   * Requires `allow-read` permission for the directory.
   *
   * @tags allow-read
   * @param local The directory here, a path or a `file:` URL
   * @param remote Where to; "" for the current directory; made with its parents
   * where it is missing
   * @param options What is compared, removed, left out and told, and how each
   * file is transferred
   * @returns How many files were transferred, left alone, removed...
   * @throws {FTPMirrorError} If something failed; `cause` says what
   * @throws {TypeError} If an option is none of the words that it may be;
   * nothing is sent
   * @throws {FTPError} If the directory itself cannot be made or listed
   * @throws {Error} `Deno.errors.*` if the first connection or the local
   * directory fails
   *
   * @example See what would be deployed, then do it
   * ```ts
   * import { connect, type UploadDirOptions } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftpes://user:password@ftp.example.com");
   * const options: UploadDirOptions = {
   *   compare: "hash",
   *   delete: true,
   *   filter: ({ path }) => path !== "uploads", // theirs, not ours
   *   onEntry: ({ action, entry, reason }) => console.log(action, entry.path, reason),
   * };
   * await ftp.uploadDir("build", "public_html", { ...options, dryRun: true });
   * if (confirm("Go on?")) await ftp.uploadDir("build", "public_html", options);
   * ```
   */
  async uploadDir(
    local: string | URL,
    remote: Path,
    options: UploadDirOptions = {},
  ): Promise<MirrorResult> {
    checkLocalPath(local, "local");
    checkAnyPath(connectionOf(this).session, remote, "remote");
    return await uploadDir(
      connectionOf(this),
      local,
      textOfPath(connectionOf(this).session, remote),
      options,
    );
  }

  /** Runs a call on another connection if the server closed the last one idle. */
  async #onReady<T>(
    options: SignalOptions,
    run: (session: Session) => Promise<T>,
  ): Promise<T> {
    const session = connectionOf(this).ready(options);
    return await run(session instanceof Promise ? await session : session);
  }
}
const WALK_OPTIONS: NamesOf<WalkOptions & RecoveryOptions> = {
  ...LIST_OPTIONS,
  maxDepth: true,
  includeFiles: true,
  includeDirs: true,
  includeSymlinks: true,
  followSymlinks: true,
  match: true,
  skip: true,
  onError: true,
  retry: true,
  onRetry: true,
};

function checkDate(date: Date): void {
  if (date instanceof Date) return;
  throw new TypeError(
    `Cannot use ${showValue(date)} as "date": it must be a Date`,
  );
}
