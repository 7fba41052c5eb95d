/**
 * The client: the methods of ftplib, and paths, streams and directories.
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
import { requestFileHash } from "../files/hash.ts";
import {
  downloadAll,
  type DownloadAllOptions,
  type DownloadOutcome,
} from "../files/download_all.ts";
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
import { pipeline, type PipelineOptions } from "../transfer/pipeline.ts";
import type { SignalOptions } from "../transfer/session.ts";
import type { Source } from "../transfer/source.ts";
import { preparePipeline } from "./server_quirks.ts";
import type { Session } from "../transfer/session.ts";
import { checkAnyPath, checkPath } from "./check_path.ts";
import { connectionOf, FTPProtocol } from "./ftp_protocol.ts";

/** Default of `window`. */
const WINDOW = 4096;

const PIPELINE_OPTIONS: NamesOf<Partial<PipelineOptions>> = {
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

/**
 * An FTP client: paths, streams, whole files and whole directories. The methods
 * of ftplib are those of {@linkcode FTPProtocol}, which also states the
 * contract about calls that fail and calls that overlap.
 *
 * | task                   | methods |
 * | ---------------------- | ------- |
 * | connect                | {@linkcode connect connect(url)}, {@linkcode FTPProtocol.prototype.connect connect}, {@linkcode FTPProtocol.prototype.login login}, {@linkcode FTP.prototype.reconnect reconnect}, {@linkcode FTPProtocol.prototype.clone clone} |
 * | disconnect             | {@linkcode FTPProtocol.prototype.quit quit}, {@linkcode FTPProtocol.prototype.close close}, `await using` |
 * | transfer a file        | {@linkcode FTP.prototype.download download}, {@linkcode FTP.prototype.upload upload} |
 * | transfer a directory   | {@linkcode FTP.prototype.downloadDir downloadDir}, {@linkcode FTP.prototype.uploadDir uploadDir} |
 * | transfer a list        | {@linkcode FTP.prototype.downloadAll downloadAll} |
 * | read and write streams | {@linkcode FTP.prototype.retrieve retrieve}, {@linkcode FTP.prototype.store store}, {@linkcode FTP.prototype.storeUnique storeUnique}, {@linkcode FTP.prototype.allocate allocate}, {@linkcode FTP.prototype.open open} |
 * | list                   | {@linkcode FTP.prototype.list list}, {@linkcode FTP.prototype.walk walk} |
 * | inspect one path       | {@linkcode FTP.prototype.stat stat}, {@linkcode FTP.prototype.exists exists}, {@linkcode FTP.prototype.mtime mtime}, {@linkcode FTPProtocol.prototype.size size}, {@linkcode FTP.prototype.hash hash} |
 * | change                 | {@linkcode FTP.prototype.ensureDir ensureDir}, {@linkcode FTP.prototype.remove remove}, {@linkcode FTPProtocol.prototype.rename rename}, {@linkcode FTP.prototype.setMtime setMtime}, {@linkcode FTP.prototype.chmod chmod}, {@linkcode FTP.prototype.copy copy} |
 * | change directory       | {@linkcode FTPProtocol.prototype.cwd cwd}, {@linkcode FTPProtocol.prototype.pwd pwd} |
 * | inspect the server     | {@linkcode FTP.prototype.features features}, {@linkcode FTP.prototype.system system}, {@linkcode FTP.prototype.status status}, {@linkcode FTPProtocol.prototype.getwelcome getwelcome}, {@linkcode FTPProtocol.prototype.tls tls}, {@linkcode FTPProtocol.prototype.connected connected} |
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
 * If the server closed the connection while it was idle, the methods that take
 * a path connect and log in again, and return to the directory, before they
 * begin. Those of ftplib throw `Deno.errors.NotConnected` instead: call
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
   * about one round trip. ProFTPD merges commands that arrive too fast, so it
   * gets at most 512 bytes at once. So does an unknown server, until `FEAT` was
   * requested. Pure-FTPd gets 2,048 bytes, and so does an unknown server under
   * TLS.
   *
   * @param commands Whole command lines, read as replies arrive
   * @param options `window`: largest number of unanswered commands, 4096 by
   * default; 1 for servers that cannot handle more. `signal`: aborts the wait
   * for a reply
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
   * await ftp.voidcmd("TYPE I"); // some servers refuse SIZE in TYPE A
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
    options: {
      window?: number | undefined;
      signal?: AbortSignal | undefined;
    } = {},
  ): AsyncGenerator<Reply | FTPError> {
    const { window = WINDOW, signal } = options;
    checkNames("pipeline", options, PIPELINE_OPTIONS);
    if (typeof commands !== "object" || commands === null) {
      throw new TypeError(
        `Cannot use ${
          showValue(commands)
        } as "commands": it must be an array, or something else to iterate over`,
      );
    }
    const session = connectionOf(this).session;
    const parsed = Iterator.from(commands).map(parseCommand);
    const prepared = await preparePipeline(session, parsed, {
      window,
      signal,
    });
    yield* pipeline(session, prepared, { window, signal });
  }

  /**
   * Connects and logs in again: to the same server and virtual host (`HOST`),
   * with the same protection, directory, `TYPE`, `MODE`, `STRU`, `LANG` and
   * `OPTS`. Other commands sent by hand (`SITE`, `CLNT`, `ACCT`...) are not
   * repeated. An open connection is closed first, together with its transfer.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param options A signal
   * @throws {Deno.errors.NotConnected} If no user was logged in, the client is
   * closed, or its directory is unknown
   * @throws {FTPError} If the server refuses
   * @throws {Error} `Deno.errors.*` if the connection fails
   */
  async reconnect(options: SignalOptions = {}): Promise<void> {
    checkSignal(options.signal);
    const provider = connectionOf(this);
    const { control, transfer } = provider.session;
    if (!provider.canReconnect) return await provider.reconnect(options); // throws the reason
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
   * Reads a file as a web stream (`RETR`, RFC 959 section 4.1.3, in `TYPE I`).
   * The server waits while the stream is not read.
   *
   * The stream ends after the server's final 2yz. It errors in every other
   * case: after 4yz and 5yz, if a connection fails, or if no final reply comes.
   * A data connection that is reset after the last byte is accepted if the
   * final reply is 2yz and the size in the 150 reply, or `SIZE`, matches.
   *
   * Cancelling the stream, or leaving a loop over it, aborts the transfer
   * (`ABOR`), and so does the signal. The next call waits until the abort is
   * complete. It uses another connection if this server may leave something
   * behind; see {@linkcode FTPProtocol.prototype.abort FTP.abort}. Until the
   * stream has ended or is cancelled, other commands fail with
   * `Deno.errors.Busy`.
   *
   * @param path The file
   * @param options Offset, length and signal
   * @returns The bytes of the file
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
   * Opens a file for reading at any position, for example the index at the end
   * of an archive, then one of its members.
   *
   * The file uses a connection of its own, so that this client stays free. The
   * caller has to close the file. {@linkcode RemoteFile} describes what is
   * downloaded and cached.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param path The file
   * @param options Sizes of blocks and cache, retries, and a signal
   * @returns The file, at position 0
   * @throws {FTPError} If the server refuses
   * @throws {RangeError} If a size is out of range
   * @throws {Deno.errors.NotSupported} If the server does not report the file's
   * size
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
   * Writes a file from a stream or another source of bytes, directly under its
   * name (`STOR` or `APPE`, RFC 959 section 4.1.3, in `TYPE I`). After a
   * failure, the file has the bytes that the server received;
   * {@linkcode FTP.prototype.upload upload} avoids that. The reply only proves
   * that the server claims to have the file. Neither its size nor its name is
   * checked, and some servers also confirm files that were cut off or stored
   * under another name.
   *
   * An aborted signal or a failed source aborts the transfer (`ABOR`). The next
   * call waits until the abort is complete, and may use another connection; see
   * {@linkcode FTPProtocol.prototype.abort FTP.abort}.
   *
   * @param path The file
   * @param source The bytes
   * @param options Offset, append and signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure; the message
   * says if the directory is missing, or the path is a directory
   * @throws {FTPVerificationError} If the server has ignored the offset, or
   * stored the compressed data of `compress`
   * @throws {Deno.errors.InvalidData} If the server has lost the bytes before
   * the offset
   * @throws {Deno.errors.NotSupported} If the server is known to ignore offsets
   * @throws {RangeError} If the offset is not a non-negative integer, or the
   * file ends before it
   * @throws {TypeError} If the source is invalid, or both an offset and
   * `append` are set
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
   * Downloads a file atomically. It is written to `.name.<digits>.part` next to
   * the target, which it replaces when it is complete, confirmed by the server
   * and verified. If the download fails, an existing file stays unchanged.
   *
   * Lost connections, time-outs, and the replies 421, 425, 426, 450 and 451 are
   * retried. After a wait, the client connects and logs in again if necessary,
   * and returns to its directory. It continues at the end of the unfinished
   * file, if the server's file has not changed and the last 64 KiB match.
   * Refusals (550) and local errors (a full disk) are not retried. With
   * `resume`, the unfinished file stays after a failure, as
   * `.name.resume-<digits>.part`. The next call continues it if it belongs to
   * the same version of the same file.
   *
   * An aborted signal ends a wait at once. While data flows, it aborts the
   * transfer (`ABOR`) and reads the pending replies within five seconds; the
   * connection stays usable. While the client is reconnecting, or if replies
   * are missing, the connection is closed.
   *
   * Downloads and uploads that are started at the same time run one after the
   * other. Files up to 1 MiB are written synchronously. Larger ones are written
   * while more data arrives, from two buffers of 1 MiB. `timeout` does not
   * limit the time of disk writes; a signal ends such a wait within five
   * seconds.
   *
   * Requires `allow-read` and `allow-write` permission for the target's
   * directory.
   *
   * @tags allow-read, allow-write
   * @param remote The file on the server
   * @param local The target, a path or a `file:` URL
   * @param options Resume, verification, retries, progress and more
   * @returns Size, verification, time and retries
   * @throws {FTPError} If the server refuses
   * @throws {FTPUnconfirmedError} If every byte came, but the server did not
   * confirm it
   * @throws {FTPVerificationError} If the two files differ
   * @throws {TypeError} If an option is unknown or has an invalid value;
   * nothing is sent
   * @throws {Error} `Deno.errors.*` if a connection or a local file fails
   *
   * @example Download a large file that can be resumed
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
   * Downloads a list of files, each as by
   * {@linkcode FTP.prototype.download download}. A failed file does not stop
   * the others. Small files gain most: the next one is requested while the one
   * before waits for its confirmation, and `connections` share the work.
   *
   * The last name of a path is the file's name in the local directory. If two
   * files have the same target, the second one fails with
   * `Deno.errors.AlreadyExists`. At most 64 outcomes wait for the caller;
   * meanwhile no further file is started. Leaving the loop early starts no
   * further file, and waits for the current ones. Memory holds the names of the
   * targets.
   *
   * Requires `allow-read` and `allow-write` permission for the targets.
   *
   * @tags allow-read, allow-write
   * @param items Paths on the server, or for each path also the target: a local
   * path or a `file:` URL. A list or an async iterable
   * @param local The local directory, a path or a `file:` URL; created if it is
   * missing
   * @param options Connections, order, and options of each download
   * @returns The outcome of each file
   * @throws {TypeError} If an option is unknown or has an invalid value;
   * nothing is sent
   * @throws {Error} During the iteration: the error of the list itself, the
   * signal's reason, or the error of a lost connection that cannot be replaced
   *
   * @example Download a list of files, and count failures
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const paths = (await Deno.readTextFile("wanted.txt")).trim().split("\n");
   * let failed = 0;
   * for await (const outcome of ftp.downloadAll(paths, "in", { connections: 4 })) {
   *   if (outcome.error === undefined) continue;
   *   console.error(outcome.remote, outcome.error.message);
   *   failed++;
   * }
   * console.log(`${paths.length - failed} of ${paths.length}`);
   * ```
   */
  downloadAll(
    items:
      | Iterable<string | { remote: string; local: string | URL }>
      | AsyncIterable<string | { remote: string; local: string | URL }>,
    local: string | URL,
    options: DownloadAllOptions = {},
  ): AsyncGenerator<DownloadOutcome, void, undefined> {
    checkLocalPath(local, "local");
    return downloadAll(connectionOf(this), items, local, options);
  }

  /**
   * Uploads a file atomically. It is written to `.name.<digits>.part` next to
   * the target, which it replaces (`RNFR`, `RNTO`) when it is complete,
   * confirmed by the server and verified. If the upload fails, an existing file
   * stays unchanged, and the temporary file is deleted.
   *
   * Retries and resumes like {@linkcode FTP.prototype.download download}: at
   * the size that `SIZE` reports, with `REST` and `STOR`, else with `APPE`,
   * else from the beginning. A source that can be read once only (a stream, an
   * open file) cannot be sent again. It is retried only before its first byte
   * was read, or if all of it was sent and `SIZE` shows that it arrived. With
   * `resume`, the temporary file stays after a failure. With `atomic: false`,
   * the target itself is written. If the server refuses to rename over a file,
   * the old file stays, unless `replace` is "delete". The old file is deleted
   * only after the new one is in its place. {@linkcode UploadOptions} describes
   * permissions and links.
   *
   * A `Response` of `fetch()` is uploaded if its status is a success. Its body
   * is read once. Its size must match its `content-length`, unless the body was
   * compressed on the way.
   *
   * An aborted signal works as in {@linkcode FTP.prototype.download download}.
   * If it comes during the rename, the complete new file may be in its place.
   *
   * Requires `allow-read` permission for a local path.
   *
   * @tags allow-read
   * @param local A path or `file:` URL, a `Response`, or bytes of any kind
   * @param remote The file on the server
   * @param options Resume, verification, retries, progress and more
   * @returns Size, verification, time and retries
   * @throws {FTPError} If the server refuses; the message says if the directory
   * is missing, the target is a directory, or a temporary file is left behind
   * @throws {FTPUnconfirmedError} If every byte was sent, but the server did
   * not confirm it
   * @throws {FTPVerificationError} If the two files differ, or the source has
   * an unexpected size
   * @throws {TypeError} If an option is unknown or has an invalid value, or the
   * request of a response failed; nothing is sent
   * @throws {Error} `Deno.errors.*` if a connection or a local file fails
   *
   * @example Upload a file and check the result
   * ```ts
   * import { connect, FTPUnconfirmedError } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftpes://ftp.example.com/in");
   * try {
   *   const { verified, retries } = await ftp.upload("orders.csv", "orders.csv");
   *   console.log(`uploaded, verified by ${verified}, ${retries} retries`);
   * } catch (error) {
   *   if (!(error instanceof FTPUnconfirmedError)) throw error;
   *   console.error("sent, but not confirmed by the server", error);
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
   * Creates a directory and its missing parents (`MKD`, RFC 959 section 4.1.3).
   * Checks whether they exist by changing to them and back.
   *
   * @param path The directory
   * @param options A signal
   * @throws {FTPPermanentError} If the directory does not exist afterwards
   */
  async ensureDir(path: Path, options: SignalOptions = {}): Promise<void> {
    checkPath(connectionOf(this).session, path, "path");
    await this.#onReady(
      options,
      (session) =>
        session.pastHangUps(
          () => ensureDir(session, this.#text(path), options),
          options,
        ),
    );
  }

  /**
   * Removes a file or an empty directory (`DELE`, `RMD`, RFC 959 section
   * 4.1.3), or with `recursive` a directory and everything in it. Symbolic
   * links are removed, never followed.
   *
   * @param path The path to remove
   * @param options Whether to remove contents, the limit, and a signal
   * @throws {TypeError} If the path is empty, or with `recursive` if it ends
   * with no name, such as "/", "." or "a/..": nothing is sent then
   * @throws {FTPPermanentError} If something cannot be removed
   * @throws {Deno.errors.InvalidData} If the server lists a name that is not
   * inside the directory
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
        session.pastHangUps(
          () =>
            remove(session, this.#text(path), options, {
              begin: () => withLifetime(connectionOf(this), options.signal),
            }),
          options,
        ),
    );
  }

  #text(path: Path): string {
    return textOfPath(connectionOf(this).session, path);
  }

  /**
   * Lists a directory: by `MLSD` (RFC 3659 section 7), or by `LIST` if that
   * does not work. Only a try shows which one works. A first `MLSD` that sends
   * nothing for a third of `timeout`, or ten seconds, is given up.
   *
   * The entries are returned before the listing has ended, in constant memory.
   * The connection is busy until the loop ends. To work with each entry
   * meanwhile, collect the entries first, or use
   * {@linkcode FTP.prototype.walk walk}. Stopping early reads a short rest, and
   * aborts a long one. After an abort the next call uses another connection,
   * because ProFTPD and Pure-FTPd send the rest of the listing before the next
   * one; vsftpd does not.
   *
   * An incomplete listing is an error, after the entries that came. The server
   * may have cut it and say so (Pure-FTPd:
   * `226 Output truncated to 10000 matches`; z/OS: `JESENTRYLIMIT`), or its
   * `ls` may have failed (`ls: a: Permission denied`). Or it may lack
   * permission to read or enter the directory, and still answer with a 2yz
   * (vsftpd, ProFTPD, Pure-FTPd, pyftpdlib). To detect that, an empty listing
   * is followed by one or two more commands.
   *
   * @param path The directory, text or bytes; "" for the current one
   * @param options Format, time zone, limits and signal
   * @returns The entries, without those for the directory itself and its
   * parent; they end only after the server's final 2yz
   * @throws {FTPError} If the server refuses, or reports a failure
   * @throws {FTPReplyError} If the server confirms an incomplete listing
   * @throws {RangeError} If there are more than `maxEntries`
   * @throws {TypeError} If an option is unknown or has an invalid value
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
   * Walks a directory tree, depth first. Each directory is read completely
   * before its entries are returned. The connection is free between two
   * entries, so that a file can be downloaded when it is found. A relative path
   * is relative to the current directory, which must not change during the
   * walk.
   *
   * Directories that contain themselves are not entered again, if the server
   * distinguishes them (MLSD's fact `unique`, `PWD`). Entries whose names are
   * not part of a path (`..`, `a/b`) are returned with `hostile` set, and never
   * followed.
   *
   * If the connection is lost during a listing, the directory is listed again
   * on a new one, according to `retry`. No entry is returned twice.
   *
   * @param path The root, text or bytes; "" for the current directory
   * @param options Filters, depth, retries, and those of
   * {@linkcode FTP.prototype.list list}
   * @returns The entries with their paths, a directory before its contents
   * @throws {FTPError} If a directory cannot be listed, unless `onError` is set
   * @throws {RangeError} If the tree is deeper or a directory larger than the
   * options allow
   *
   * @example Find large files
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
    let provider: SessionProvider | undefined; // set at the first step: the tree belongs to this login
    return walkTree(
      (step) => withReconnection(provider ??= begin(), options, step),
      path,
      options,
    );
  }

  /**
   * Returns the properties of a path: by `MLST` (RFC 3659 section 7), else by
   * `CWD`, `SIZE` and `MDTM`, else by the listing of its directory. Whether a
   * symbolic link is followed depends on the server.
   *
   * @param path The path, text or bytes
   * @param options A signal, and options for listings
   * @returns The entry, named by the last segment of the path
   * @throws {FTPPermanentError} If the path does not exist
   *
   * @example Read size and time of a file
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
      (session) =>
        session.pastHangUps(
          () => requestEntry(session, path, options),
          options,
        ),
    );
  }

  /**
   * Whether a path exists, by the commands of
   * {@linkcode FTP.prototype.stat stat}.
   *
   * @param path The path, text or bytes
   * @param options A signal, and options for listings
   * @returns Whether it exists
   * @throws {FTPError} If the server does not tell, for example for lack of
   * permission
   */
  async exists(path: Path, options: ListOptions = {}): Promise<boolean> {
    checkPath(connectionOf(this).session, path, "path");
    checkNames("exists", options, LIST_OPTIONS);
    checkListOptions(options);
    return await this.#onReady(
      options,
      (session) =>
        session.pastHangUps(() => existsPath(session, path, options), options),
    );
  }

  /**
   * Returns the time of a file's last change (`MDTM`, RFC 3659 section 3).
   *
   * The standard requires UTC. The times of a server that shows local time
   * (vsftpd's `use_localtime`) are converted once its zone is known: from the
   * option `serverZone`, or from an upload of this client, its clones or its
   * mirrors. Until then they are assumed to be UTC, without proof.
   *
   * @param path The file, text or bytes
   * @param options A signal
   * @returns The time, or `null` if the server has no `MDTM`
   * @throws {FTPError} If the server refuses, for example because the file does
   * not exist
   */
  async mtime(path: Path, options: SignalOptions = {}): Promise<Date | null> {
    checkPath(connectionOf(this).session, path, "path");
    return await this.#onReady(
      options,
      (session) =>
        session.pastHangUps(
          () => requestModificationTime(session, path, options),
          options,
        ),
    );
  }

  /**
   * Returns the hash of a file, computed by the server: the strongest one that
   * its `FEAT` lists, by `HASH` (draft-bryan-ftpext-hash), `XSHA256`,
   * `XSHA512`, `XSHA1`, `XMD5`, `MD5` or `XCRC`. The time limit grows with the
   * file's size.
   *
   * @param path The file, text or bytes
   * @param options A signal
   * @returns The hash's name ("SHA-256", "SHA-512", "SHA-1", "MD5" or "CRC32")
   * and its hexadecimal digits in lower case; `null` if the server has none or
   * refuses it for this file
   * @throws {FTPPermanentError} If the file does not exist
   *
   * @example Compare with a published checksum
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const hash = await ftp.hash("data.bin");
   * if (hash?.name === "SHA-256") console.log(hash.digits);
   * ```
   */
  async hash(
    path: Path,
    options: SignalOptions = {},
  ): Promise<{ name: string; digits: string } | null> {
    checkPath(connectionOf(this).session, path, "path");
    const { signal } = options;
    const request = async (session: Session) => {
      const { size } = await requestEntry(session, path, { signal });
      const text = textOfPath(session, path);
      return await requestFileHash(session, text, { size, signal }) ?? null;
    };
    return await this.#onReady(
      options,
      (session) => session.pastHangUps(() => request(session), options),
    );
  }

  /**
   * Sets the time of a file, to the second: by `MFMT`, or by the commands of
   * vsftpd (`MDTM` with a time) and Pure-FTPd (`SITE UTIME`).
   *
   * vsftpd sets the time in the zone that it shows. If that zone is unknown, a
   * temporary file is written next to the file first, and deleted: its time
   * shows the zone. The option `serverZone` avoids this.
   *
   * @param path The file, text or bytes
   * @param date The time
   * @param options A signal
   * @throws {FTPError} If the server does not set it
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
      (session) =>
        session.pastHangUps(
          () => dateFile(session, path, date, options),
          options,
        ),
    );
  }

  /**
   * Sets the permissions of a file or directory, on Unix servers
   * (`SITE CHMOD`).
   *
   * @param path The file, text or bytes
   * @param mode The permission bits, such as `0o755`
   * @param options A signal
   * @throws {FTPError} If the server does not set them
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
   * Returns the server's system (`SYST`, RFC 959 section 4.1.3).
   *
   * @param options A signal
   * @returns The reply without its code, such as "UNIX Type: L8"
   * @throws {FTPError} If the server refuses
   */
  async system(options: SignalOptions = {}): Promise<string> {
    return await this.#onReady(
      options,
      (session) => requestSystem(session, options),
    );
  }

  /**
   * Returns the status of the session or of a path (`STAT`, RFC 959 section
   * 4.1.3). For a directory, many servers send a listing in the reply, without
   * a data connection.
   *
   * @param path The path; "" for the session
   * @param options A signal
   * @returns The 2yz reply; see its `lines`
   * @throws {FTPError} If the server refuses
   */
  async status(path: Path = "", options: SignalOptions = {}): Promise<Reply> {
    return await this.#onReady(
      options,
      (session) => requestStatus(session, path, options),
    );
  }

  /**
   * Sends a server-specific command (`SITE`, RFC 959 section 4.1.3),
   * such as "UMASK 027".
   *
   * @param command The command, without `SITE`
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
   * Copies a file on the server (`SITE CPFR`, `SITE CPTO`: ProFTPD's mod_copy
   * and others).
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
   * @returns The name; `undefined` if the server does not report it
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
   * Reserves space for the next upload (`ALLO`, RFC 959 section 4.1.3). Most
   * servers do not need it, and reply with 202.
   *
   * @param size Bytes
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses, for example with 552 because of a
   * full disk
   * @throws {RangeError} If the size is not a non-negative integer
   */
  async allocate(size: number, options: SignalOptions = {}): Promise<Reply> {
    return await this.#onReady(
      options,
      (session) => allocate(session, size, options),
    );
  }

  /**
   * Sets the language of the server's replies (`LANG`, RFC 2640 section 4),
   * also for reconnections and clones.
   *
   * @param tag A language, such as "fr"; "" for the server's default
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses, or does not have the language
   */
  async setLanguage(tag: string, options: SignalOptions = {}): Promise<Reply> {
    return await this.#onReady(
      options,
      (session) => chooseLanguage(session, tag, options),
    );
  }

  /**
   * Returns the features that the server claims (`FEAT`, RFC 2389). They are
   * requested once, and may be wrong.
   *
   * @param options A signal
   * @returns Names in upper case with their parameters; empty if `FEAT` is
   * refused
   * @throws {Error} `Deno.errors.*` if the connection fails
   */
  async features(
    options: SignalOptions = {},
  ): Promise<ReadonlyMap<string, string>> {
    return await this.#onReady(
      options,
      (session) =>
        session.pastHangUps(() => requestFeatures(session, options), options),
    );
  }

  /**
   * Downloads a directory and everything in it, or updates a local copy.
   * Unchanged files are skipped, as `compare` defines it. Each file is
   * downloaded as by `download`, with its retries and its final rename. Empty
   * directories are created. With `delete`, extraneous local entries are
   * removed last.
   *
   * A failed entry does not stop the others. After a failure nothing is
   * removed, and the call ends with an `FTPMirrorError` that lists what was
   * done and what failed. The following entries fail: names that would lead out
   * of the directory, names that are invalid locally or equal to another one,
   * and entries whose place is taken by a local symbolic link. Nothing is
   * written through links. Symbolic links of the server are skipped, unless
   * `symlinks` is "follow".
   *
   * With `connections`, several connections list, create directories and
   * transfer files at the same time. A failure on one does not stop the others.
   * Of two names that may be the same file, the second waits for the first.
   *
   * Memory holds the entries of one directory for each connection, and of
   * directories with pending transfers. Lost connections are replaced as in
   * `download`. If the client's own connection cannot be replaced, the mirror
   * ends; any other one only fails its current files. Another call continues
   * where the mirror ended.
   *
   * Requires `allow-read` and `allow-write` permission for the directory.
   *
   * @tags allow-read, allow-write
   * @param remote The directory on the server; "" for the current one
   * @param local The target, a path or a `file:` URL; created if it is missing
   * @param options Comparison, removal, filter, callbacks, and options of each
   * transfer
   * @returns Numbers of files transferred, unchanged, removed...
   * @throws {FTPMirrorError} If something failed; see its `failures` and
   * `cause`
   * @throws {TypeError} If an option is unknown or has an invalid value;
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
   *   console.log(`${transferred} transferred, ${unchanged} unchanged`);
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
   * Uploads a directory and everything in it, or updates a copy on the server.
   * It works like {@linkcode FTP.prototype.downloadDir downloadDir} in the
   * other direction. Unchanged files are skipped, and with `delete`, extraneous
   * entries on the server are removed last. Entries that `filter` leaves out
   * stay on both sides.
   *
   * Each file is uploaded as by `upload`, and gets its original's time if the
   * server can set it. Otherwise it has the time of the upload, which counts as
   * unchanged as well. After a checkout, which sets all files to the current
   * time, compare by "hash" or "size".
   *
   * Requires `allow-read` permission for the directory.
   *
   * @tags allow-read
   * @param local The local directory, a path or a `file:` URL
   * @param remote The target; "" for the current directory; created with its
   * parents if it is missing
   * @param options Comparison, removal, filter, callbacks, and options of each
   * transfer
   * @returns Numbers of files transferred, unchanged, removed...
   * @throws {FTPMirrorError} If something failed; see its `failures` and
   * `cause`
   * @throws {TypeError} If an option is unknown or has an invalid value;
   * nothing is sent
   * @throws {FTPError} If the directory itself cannot be created or listed
   * @throws {Error} `Deno.errors.*` if the first connection or the local
   * directory fails
   *
   * @example Preview a deployment, then run it
   * ```ts
   * import { connect, type UploadDirOptions } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftpes://user:password@ftp.example.com");
   * const options: UploadDirOptions = {
   *   compare: "hash",
   *   delete: true,
   *   filter: ({ path }) => path !== "uploads", // owned by the server
   *   onEntry: ({ action, entry, reason }) => console.log(action, entry.path, reason),
   * };
   * await ftp.uploadDir("build", "public_html", { ...options, dryRun: true });
   * if (confirm("Continue?")) await ftp.uploadDir("build", "public_html", options);
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

  /** Runs a call, on another connection if the server closed the idle one. */
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
