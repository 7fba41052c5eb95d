/**
 * An FTP and FTPS client for Deno: Python's `ftplib`, name for name, and above
 * it paths, streams and listings that never lose data.
 *
 * Requires `allow-net` permission, and others only for local files. The methods
 * of {@linkcode FTP} by task:
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
 * | look at one path       | {@linkcode FTP.prototype.stat stat}, {@linkcode FTP.prototype.exists exists}, {@linkcode FTP.prototype.mtime mtime}, {@linkcode FTP.prototype.hash hash}, {@linkcode FTPProtocol.prototype.size size} |
 * | change                 | {@linkcode FTP.prototype.ensureDir ensureDir}, {@linkcode FTP.prototype.remove remove}, {@linkcode FTPProtocol.prototype.rename rename}, {@linkcode FTP.prototype.setMtime setMtime}, {@linkcode FTP.prototype.chmod chmod}, {@linkcode FTP.prototype.copy copy} |
 * | change directory       | {@linkcode FTPProtocol.prototype.cwd cwd}, {@linkcode FTPProtocol.prototype.pwd pwd} |
 * | know the server        | {@linkcode FTP.prototype.features features}, {@linkcode FTP.prototype.system system}, {@linkcode FTP.prototype.status status}, {@linkcode FTPProtocol.prototype.getwelcome getwelcome}, {@linkcode FTPProtocol.prototype.tls tls}, {@linkcode FTPProtocol.prototype.connected connected} |
 * | send other commands    | {@linkcode FTP.prototype.pipeline pipeline}, {@linkcode FTP.prototype.site site}, {@linkcode FTP.prototype.setLanguage setLanguage} |
 * | ftplib, name for name  | {@linkcode FTPProtocol} |
 * | errors                 | {@linkcode FTPError}, {@linkcode FTPTemporaryError}, {@linkcode FTPPermanentError}, {@linkcode FTPMirrorError}, {@linkcode FTPVerificationError}, {@linkcode FTPUnconfirmedError}, {@linkcode TLSError} |
 * | options                | {@linkcode ConnectURLOptions}, {@linkcode FTPOptions}, {@linkcode TLSOptions}, {@linkcode DownloadOptions}, {@linkcode UploadOptions}, {@linkcode MirrorOptions}, {@linkcode DownloadAllOptions}, {@linkcode ListOptions}, {@linkcode WalkOptions} |
 * | helpers                | {@linkcode progressBar}, {@linkcode printable}, {@linkcode ftpcp} |
 * | diagnose               | {@linkcode diagnose}, the option `trace`, {@linkcode DiagnosticEvents} |
 *
 * @example Fetch a file, and what has changed of a directory
 * ```ts
 * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * await using ftp = await connect("ftp://ftp.example.com/pub");
 * for await (const { name, size } of ftp.list()) console.log(name, size);
 * await ftp.download("README", "README");
 * await ftp.downloadDir("data", "data");
 * ```
 *
 * @module
 */

/** Options of {@linkcode connect}. */
export interface ConnectURLOptions extends FTPOptions {
    /**
     * TCP port, if the URL has none.
     * * @default 21, or 990 with implicit TLS */
    port?: number | undefined;
    /**
     * The user, if the URL has none.
     *
     * @default "anonymous"
     */
    user?: string | undefined;
    /** The password, if the URL has none. */
    password?: string | undefined;
    /** The account, for servers that ask for one. */
    account?: string | undefined;
    /**
     * File with a password, if neither the URL nor the options have one: a path,
     * or `true` for `.netrc` in the home directory. The file in the home
     * directory is rejected if others may read or write it (`chmod 600`). The
     * permissions of a named file, such as a mounted secret, are not checked.
     * Requires `allow-read` permission for the file, and with `true` also
     * `allow-sys` for `homedir`.
     *
     * @default false
     */
    netrc?: string | URL | boolean | undefined;
    /**
     * Number of retries, and the waits between them. These failures are retried:
     *
     * - a refused, reset or timed-out connection, and a failed name lookup, until
     *   the server has sent its greeting
     * - too many connections: 421, or 530 with a text such as "too many
     *   connections"
     *
     * Nothing else is retried, such as a refused user or password, a certificate
     * that is not trusted, or a connection that is lost during the login.
     *
     * @default false
     */
    retry?: RetryOptions | false | undefined;
    /**
     * Aborts connecting and logging in, and a wait before a retry. It does not
     * affect later calls, which have a `signal` of their own.
     */
    signal?: AbortSignal | undefined;
}

/**
 * Connects, secures, logs in and changes directory.
 *
 * A URL's path is relative to the directory after login (RFC 1738 section
 * 3.2.2); `ftp://host/%2Fpub` names `/pub` itself. Escapes that are UTF-8 are
 * text in the client's encoding, others (`%E9`) are bytes. `ftp:` uses clear
 * text unless the option `tls` is set, `ftpes:` explicit TLS, `ftps:` implicit
 * TLS.
 *
 * Requires `allow-net` permission.
 *
 * @tags allow-net
 * @param url A URL, or a host name or address, with or without ":port"
 * @param options Parts that the URL lacks, and all options of {@linkcode FTP}
 * @returns A client; `await using` sends `QUIT` at the end
 * @throws {TypeError} If the URL has another scheme, or an option is unknown or
 * invalid
 * @throws {FTPError} If the server refuses; the connection is closed
 * @throws {Deno.errors.PermissionDenied} If `netrc` is `true`, and others may
 * read or write the file
 * @throws {Error} `Deno.errors.*` if the connection fails
 *
 * @example Log in and list a directory
 * ```ts
 * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * await using ftp = await connect("ftp://ftp.example.com/pub");
 * console.log(await ftp.nlst());
 * ```
 */
export declare function connect(url: string | URL, options?: ConnectURLOptions): Promise<FTP>;

/**
 * Connects to a server like {@linkcode connect}, tests what the module needs,
 * and reports problems with their causes. Tests name and addresses, greeting,
 * TLS, login, passive and active mode, listings, encoding, clock, restart, and
 * the number of connections. The report ends with the options to use.
 *
 * Nothing on the server is changed, unless `write` is set. Problems of the
 * server are reported, not thrown.
 *
 * Requires `allow-net` permission.
 *
 * @tags allow-net
 * @param url A URL as {@linkcode connect} takes it
 * @param options Parts that the URL lacks, the options of the test, and all
 * options of {@linkcode FTP}; the default of `timeout` is 10,000
 * @returns The report
 * @throws {TypeError} If the URL or an option is invalid
 *
 * @example Find out why a listing hangs
 * ```ts
 * import { diagnose } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * const { problems, code } = await diagnose("ftp://ftp.example.com/pub");
 * for (const { cause, text, advice } of problems) console.log(cause, text, advice);
 * console.log(code);
 * ```
 */
export declare function diagnose(url: string | URL, options?: DiagnoseOptions): Promise<Diagnosis>;

/** A problem that {@linkcode diagnose} found. */
export interface DiagnosisProblem {
    /** Cause of the problem, for programs. */
    readonly cause: "name-not-found" | "connection-refused" | "connection-filtered" | "connection-failed" | "silent-server" | "not-ftp" | "not-tls" | "clear-text" | "tls-required" | "tls-refused" | "tls-version" | "tls-failed" | "certificate-expired" | "certificate-name" | "certificate-untrusted" | "login-refused" | "chroot-writable" | "too-many-connections" | "directory-missing" | "epsv-swallowed" | "epsv-closes" | "passive-refused" | "passive-ports-closed" | "passive-ports-filtered" | "private-address" | "session-resumption" | "data-failed" | "listing-unreadable" | "encoding" | "zone" | "write-refused" | "leftover";
    /** The step that found it. */
    readonly step: DiagnosisStep["name"];
    /**
     * "error" if something does not work, "warning" if it works in spite of the
     * problem.
     */
    readonly severity: "error" | "warning";
    /** The problem and its reason, for people. Contains no control characters. */
    readonly text: string;
    /** How to solve the problem, for people. */
    readonly advice: string;
    /** Whether a firewall or a router (NAT) is the likely cause. */
    readonly isFirewall: boolean;
}

/** Result of one step. */
export interface DiagnosisStep {
    /** Name of the step, in the order of the report. */
    readonly name: "addresses" | "greeting" | "tls" | "login" | "features" | "epsv" | "pasv" | "active" | "listing" | "clock" | "restart" | "connections" | "write";
    /**
     * "ok"; "problem" if the step found a problem; "note" if something is missing
     * that is not required; "skipped" if it could not be tried.
     */
    readonly outcome: "ok" | "note" | "problem" | "skipped";
    /** The result in sentences, for people. Contains no control characters. */
    readonly text: string;
    /** The result for programs. The names depend on the step. */
    readonly facts: Readonly<Record<string, unknown>>;
}

/** The report of {@linkcode diagnose}. */
export interface Diagnosis {
    /** The URL, without its password. */
    readonly url: string;
    /** Whether a client with `options` can log in and list a directory. */
    readonly isUsable: boolean;
    /** The steps, in their order. */
    readonly steps: readonly DiagnosisStep[];
    /** The problems, in the order in which they were found. */
    readonly problems: readonly DiagnosisProblem[];
    /** Options for `connect`, without secrets. */
    readonly options: ConnectURLOptions;
    /** A call of `connect` with these options, as source code. */
    readonly code: string;
}

/** Options of {@linkcode diagnose}. */
export interface DiagnoseOptions extends ConnectURLOptions {
    /**
     * Directory on the server for a test upload. A small file is written,
     * renamed, given a time, and removed. Without this option, nothing on the
     * server is changed.
     * * @default no upload */
    write?: string | undefined;
    /**
     * Largest number of connections to open at once, to find the server's limit.
     *
     * @default 4
     */
    maxConnections?: number | undefined;
    /** Called with each step when it is complete. */
    onStep?: ((step: DiagnosisStep) => void) | undefined;
}

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
export declare class FTP extends FTPProtocol { #private;
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
    pipeline(commands: Iterable<string>, options?: {
        window?: number | undefined;
        signal?: AbortSignal | undefined;
    }): AsyncGenerator<Reply | FTPError>;
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
    reconnect(options?: SignalOptions): Promise<void>;
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
    retrieve(path: Path, options?: RetrieveOptions): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
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
    open(path: Path, options?: OpenOptions): Promise<RemoteFile>;
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
    store(path: Path, source: Source, options?: StoreOptions): Promise<Reply>;
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
    download(remote: Path, local: string | URL, options?: DownloadOptions): Promise<FileTransferResult>;
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
    downloadAll(items: Iterable<string | {
        remote: string;
        local: string | URL;
    }> | AsyncIterable<string | {
        remote: string;
        local: string | URL;
    }>, local: string | URL, options?: DownloadAllOptions): AsyncGenerator<DownloadOutcome, void, undefined>;
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
    upload(local: string | URL | Source | Response, remote: Path, options?: UploadOptions): Promise<FileTransferResult>;
    /**
     * Creates a directory and its missing parents (`MKD`, RFC 959 section 4.1.3).
     * Checks whether they exist by changing to them and back.
     *
     * @param path The directory
     * @param options A signal
     * @throws {FTPPermanentError} If the directory does not exist afterwards
     */
    ensureDir(path: Path, options?: SignalOptions): Promise<void>;
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
    remove(path: Path, options?: RemoveOptions): Promise<void>;
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
    list(path?: Path, options?: ListOptions): AsyncGenerator<Entry>;
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
    walk(path?: Path, options?: WalkOptions & Pick<FileTransferOptions, "retry" | "onRetry">): AsyncGenerator<WalkEntry>;
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
    stat(path: Path, options?: ListOptions): Promise<Entry>;
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
    exists(path: Path, options?: ListOptions): Promise<boolean>;
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
    mtime(path: Path, options?: SignalOptions): Promise<Date | null>;
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
    hash(path: Path, options?: SignalOptions): Promise<{
        name: string;
        digits: string;
    } | null>;
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
    setMtime(path: Path, date: Date, options?: SignalOptions): Promise<void>;
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
    chmod(path: Path, mode: number, options?: SignalOptions): Promise<void>;
    /**
     * Returns the server's system (`SYST`, RFC 959 section 4.1.3).
     *
     * @param options A signal
     * @returns The reply without its code, such as "UNIX Type: L8"
     * @throws {FTPError} If the server refuses
     */
    system(options?: SignalOptions): Promise<string>;
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
    status(path?: Path, options?: SignalOptions): Promise<Reply>;
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
    site(command: string, options?: SignalOptions): Promise<Reply>;
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
    copy(from: Path, to: Path, options?: SignalOptions): Promise<Reply>;
    /**
     * Stores a file under a name that the server chooses (`STOU`, RFC 959 section
     * 4.1.3), in the current directory.
     *
     * @param source As for {@linkcode FTP.prototype.store store}
     * @param options A signal
     * @returns The name; `undefined` if the server does not report it
     * @throws {FTPError} If the server refuses or reports a failure
     */
    storeUnique(source: Source, options?: SignalOptions): Promise<string | undefined>;
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
    allocate(size: number, options?: SignalOptions): Promise<Reply>;
    /**
     * Sets the language of the server's replies (`LANG`, RFC 2640 section 4),
     * also for reconnections and clones.
     *
     * @param tag A language, such as "fr"; "" for the server's default
     * @param options A signal
     * @returns The 2yz reply
     * @throws {FTPError} If the server refuses, or does not have the language
     */
    setLanguage(tag: string, options?: SignalOptions): Promise<Reply>;
    /**
     * Returns the features that the server claims (`FEAT`, RFC 2389). They are
     * requested once, and may be wrong.
     *
     * @param options A signal
     * @returns Names in upper case with their parameters; empty if `FEAT` is
     * refused
     * @throws {Error} `Deno.errors.*` if the connection fails
     */
    features(options?: SignalOptions): Promise<ReadonlyMap<string, string>>;
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
    downloadDir(remote: Path, local: string | URL, options?: DownloadDirOptions): Promise<MirrorResult>;
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
    uploadDir(local: string | URL, remote: Path, options?: UploadDirOptions): Promise<MirrorResult>;
}

/** Options of `retrbinary`. */
export interface RetrbinaryOptions {
    /**
     * Largest block, in bytes.
     * * @default 8192 */
    blocksize?: number | undefined;
    /**
     * Whether all blocks share one buffer. This is faster, and memory stays
     * constant for files of any size, but a block is valid only until the
     * callback returns or its promise settles. Otherwise each block belongs to
     * the callback. Blocks that it does not keep are garbage until they are
     * collected: some tens of megabytes in a transfer of many gigabytes.
     *
     * @default false
     */
    reuse?: boolean | undefined;
    /** Start offset in bytes (`REST`). */
    rest?: number | string | undefined;
    /** Aborts the transfer. */
    signal?: AbortSignal | undefined;
}

/**
 * One connection to an FTP server, with the methods of Python's `ftplib.FTP`
 * and `ftplib.FTP_TLS`, name for name.
 *
 * | task             | methods |
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
 * Errors are of two kinds. {@linkcode FTPError} and its subclasses carry a
 * `reply`: the server refused, and the connection is usable, except after 421.
 * `Deno.errors.*`, and an {@linkcode FTPProtocolError} without a reply, mean
 * that the connection failed. It is closed, and every later call throws
 * `Deno.errors.NotConnected` with the cause.
 *
 * Two errors are thrown before anything is sent and change nothing:
 * `Deno.errors.Busy` while a transfer is open, and `TypeError` or `RangeError`
 * for an argument that cannot be sent. An aborted `signal` rejects with its
 * reason and leaves the connection usable, unless the method says otherwise.
 *
 * Commands that are not awaited one by one are pipelined: written at once,
 * replies matched in order. While a data transfer is open, any other command is
 * refused with `Deno.errors.Busy`, and the transfer continues.
 */
export declare class FTPProtocol implements AsyncDisposable { #private;
    /**
     * Creates a client. Nothing is sent before
     * {@linkcode FTPProtocol.prototype.connect connect}.
     *
     * @param options Settings for the life of the client
     * @throws {RangeError} If a number is out of range, or the encoding unknown
     * @throws {TypeError} If an option is unknown or has an invalid value
     */
    constructor(options?: FTPOptions);
    /** Host of the server. */
    get host(): string;
    /** Port of the server. */
    get port(): number;
    /** Time limit of a wait without progress, in milliseconds. */
    get timeout(): number;
    /** The encoding of names and replies. */
    get encoding(): string;
    /** Whether the client uses passive mode. */
    get passiveserver(): boolean;
    /**
     * Sets the mode of later data connections.
     *
     * @param value As the option `passive`: `true` for passive mode, `false` for
     * active mode
     * @throws {TypeError} If it is `false` and the route is indirect (`dial`,
     * `proxy`): the server could not connect to this machine
     */
    setPasv(value: boolean | "auto" | "epsv" | "pasv"): void;
    /** Code of the last reply, as in ftplib: three digits, or "". */
    get lastresp(): string;
    /** TLS properties of the control connection; `undefined` without TLS. */
    get tls(): TLSInfo | undefined;
    /** Whether the connection is open, as far as is known. */
    get connected(): boolean;
    /**
     * Connects and reads the welcome. With implicit TLS, the handshake comes
     * first.
     *
     * An open or pending connection is closed first. Everything that was started
     * on it fails with `Deno.errors.NotConnected`: transfers, their retries, and
     * mirrors. Nothing of it continues on the new connection.
     *
     * Requires `allow-net` permission.
     *
     * @tags allow-net
     * @param host A name, also with letters beyond ASCII, or an address
     * @param port A TCP port; 990 is the default with implicit TLS
     * @param options A signal
     * @returns The welcome, 2yz
     * @throws {FTPError} If the welcome is 4yz or 5yz; the connection is closed
     * @throws {TypeError} If the host is empty or a URL
     * @throws {RangeError} If the port is not 1 to 65535
     * @throws {Deno.errors.NotConnected} If the client is closed, disposed of or
     * connected again meanwhile
     * @throws {Error} `Deno.errors.*` if the connection fails
     */
    connect(host: string, port?: number, options?: SignalOptions): Promise<Reply>;
    /**
     * Returns the welcome that {@linkcode FTPProtocol.prototype.connect connect}
     * read.
     *
     * @returns The reply
     * @throws {Deno.errors.NotConnected} Before `connect`
     */
    getwelcome(): Reply;
    /**
     * Prints commands and replies on standard error, with secrets masked. May be
     * called before {@linkcode FTPProtocol.prototype.connect connect}.
     *
     * @param level 0 for nothing, 1 for commands and replies, 2 also for events
     */
    setDebuglevel(level: number): void;
    /**
     * Logs in (RFC 959 section 4.1.1). With explicit TLS, the control connection
     * is secured first, and data connections afterwards (`PROT P`).
     *
     * If another user was logged in, operations of that user fail with
     * `Deno.errors.NotConnected`, as in
     * {@linkcode FTPProtocol.prototype.connect connect}.
     *
     * @param user The user; "" is "anonymous"
     * @param passwd The password, sent if the server asks for it (331); anonymous
     * users send "anonymous@"
     * @param acct The account, sent if the server asks for it (332)
     * @param options A signal; aborting it while the connection is being secured
     * closes the connection
     * @returns The 2yz reply
     * @throws {FTPPermanentError} If user or password are wrong (530)
     * @throws {FTPError} If the server refuses, also `AUTH` or `PROT`: with TLS,
     * no secret was sent in clear text then
     * @throws {TLSError} If TLS fails or the server is not trusted; the
     * connection is closed
     */
    login(user?: string, passwd?: string, acct?: string, options?: SignalOptions): Promise<Reply>;
    /**
     * Sends `QUIT` (RFC 959 section 4.1.1) and closes the connection, also if the
     * server refuses.
     *
     * @param options A signal; if it is aborted the connection stays open
     * @returns The 2yz reply
     * @throws {FTPError} If the reply is not 2yz
     * @throws {Deno.errors.Busy} If a transfer is open, which continues
     * @throws {Deno.errors.UnexpectedEof} If the server closes without a reply
     */
    quit(options?: SignalOptions): Promise<Reply>;
    /**
     * Opens another connection with the same server, user, protection and
     * directory, and the same `TYPE`, `MODE`, `STRU` and `OPTS`. A connection
     * carries one transfer at a time, so simultaneous transfers need several. The
     * caller has to close the new client. Servers limit the number of connections
     * of a user.
     *
     * Requires `allow-net` permission.
     *
     * @tags allow-net
     * @param options A signal
     * @returns A new client, created by this client's class
     * @throws {Deno.errors.NotConnected} If no user is logged in, the directory
     * is unknown, or this client is closed meanwhile
     * @throws {FTPError} If the server refuses
     * @throws {Error} `Deno.errors.*` if the connection fails
     *
     * @example Fetch two files at once
     * ```ts
     * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
     *
     * await using ftp = await connect("ftp://ftp.example.com/pub");
     * await using clone = await ftp.clone();
     * await Promise.all([ftp.download("a", "a"), clone.download("b", "b")]);
     * ```
     */
    clone(options?: SignalOptions): Promise<this>;
    /**
     * Closes the connections at once, without `QUIT`. Pending operations fail
     * with `Deno.errors.NotConnected`: calls, transfers and their retries,
     * {@linkcode FTPProtocol.prototype.connect connect} and `reconnect`.
     */
    close(): void;
    /**
     * Sends `QUIT` if that does not take long, and closes like
     * {@linkcode FTPProtocol.prototype.close close}.
     */
    [Symbol.asyncDispose](): Promise<void>;
    /**
     * Secures the control connection (`AUTH TLS`, RFC 4217). With the option
     * `tls`, {@linkcode FTPProtocol.prototype.login login} does this. If the
     * server only supports TLS 1.3, the client connects once more for it. Without
     * the option, only TLS 1.2 is used.
     *
     * @param options A signal; aborting it closes the connection
     * @returns The 234 reply
     * @throws {FTPError} If the server refuses; the connection is in clear text
     * @throws {TLSError} If TLS fails or the server is not trusted; the
     * connection is closed
     * @throws {TypeError} If the connection is secured already
     */
    auth(options?: SignalOptions): Promise<Reply>;
    /**
     * Protects later data connections (`PBSZ 0`, `PROT P`, RFC 4217 section 9).
     *
     * @param options A signal
     * @returns The 2yz reply to `PROT`
     * @throws {FTPError} If the server refuses; then no data is sent in clear
     * text unless {@linkcode FTPProtocol.prototype.protC protC} is called
     * @throws {TypeError} If the control connection is not secured
     */
    protP(options?: SignalOptions): Promise<Reply>;
    /**
     * Sends later data in clear text (`PROT C`, RFC 4217 section 9).
     *
     * @param options A signal
     * @returns The 2yz reply. If no data was protected on this connection, the
     * refusal of a server without `PROT`, which sends data in clear text anyway
     * @throws {FTPError} If the server refuses; data stays protected
     */
    protC(options?: SignalOptions): Promise<Reply>;
    /**
     * Returns the control connection to clear text (`CCC`, RFC 4217 section
     * 12.3), for firewalls that must read it. Data connections stay protected.
     *
     * @param options A signal; aborting it closes the connection
     * @returns The 2yz reply
     * @throws {FTPError} If the server refuses
     * @throws {TypeError} If the control connection is not secured
     */
    ccc(options?: SignalOptions): Promise<Reply>;
    /**
     * Sends a command and waits for the reply.
     *
     * @param cmd The whole command line
     * @param options A signal
     * @returns A reply of 1yz, 2yz or 3yz. After 1yz, the final reply is still
     * pending: see {@linkcode FTPProtocol.prototype.voidresp voidresp}
     * @throws {FTPTemporaryError} For 4yz
     * @throws {FTPPermanentError} For 5yz
     * @throws {TypeError} If the line has CR, LF or NUL; nothing is sent
     * @throws {Deno.errors.Busy} If a transfer is open, which continues
     * @throws {Error} `Deno.errors.*` if the connection fails
     */
    sendcmd(cmd: string, options?: SignalOptions): Promise<Reply>;
    /**
     * Sends a command that must be answered with 2yz.
     *
     * @param cmd The whole command line
     * @param options A signal
     * @returns The reply
     * @throws {FTPReplyError} For 1yz and 3yz
     * @throws {FTPError} As {@linkcode FTPProtocol.prototype.sendcmd sendcmd}
     */
    voidcmd(cmd: string, options?: SignalOptions): Promise<Reply>;
    /**
     * Sends a command without waiting.
     * {@linkcode FTPProtocol.prototype.getresp getresp} returns its reply.
     *
     * @param cmd The whole command line
     * @throws {TypeError} If the line has CR, LF or NUL; nothing is sent
     * @throws {Deno.errors.Busy} If a transfer is open, which continues
     */
    putcmd(cmd: string): Promise<void>;
    /**
     * Waits for the next reply: of
     * {@linkcode FTPProtocol.prototype.putcmd putcmd}, or the final one of an
     * open transfer. A command that opens a transfer has two replies, 1yz and the
     * final one.
     *
     * @param options A signal
     * @returns A reply of 1yz, 2yz or 3yz
     * @throws {FTPError} For 4yz and 5yz
     * @throws {TypeError} If no reply is pending, or the data connection is open
     * @throws {Deno.errors.NotConnected} If the connection is closed
     */
    getresp(options?: SignalOptions): Promise<Reply>;
    /**
     * Waits for the next reply, which must be 2yz. After `ntransfercmd`, it
     * confirms that the transfer is complete. Close the data connection first.
     *
     * @param options A signal
     * @returns The reply
     * @throws {FTPError} Unless it is 2yz
     * @throws {Deno.errors.Interrupted} If a download over TLS was closed by this
     * client before its end; the connection is usable
     * @throws {TypeError} If no reply is pending, or the data connection is open
     * @throws {Error} The failure of the data connection, or the reason it was
     * aborted, even if the reply is 2yz
     */
    voidresp(options?: SignalOptions): Promise<Reply>;
    /**
     * Sends account information (`ACCT`, RFC 959 section 4.1.1).
     *
     * @param password The account
     * @param options A signal
     * @returns The 2yz reply
     * @throws {TypeError} If the account is empty
     * @throws {FTPError} As {@linkcode FTPProtocol.prototype.voidcmd voidcmd}
     */
    acct(password: string, options?: SignalOptions): Promise<Reply>;
    /**
     * Aborts the open transfer (`ABOR`, RFC 959 section 4.1.3): closes its data
     * connection, and reads all pending replies. `ABOR` is also sent if no
     * transfer is open.
     *
     * After an abort, a server may send the rest of the transfer in the next one,
     * whatever it replies. The connection is therefore closed, unless the server
     * is known to leave nothing behind (vsftpd), and
     * {@linkcode FTPProtocol.prototype.connected FTP.connected} is false. The
     * next call connects, logs in, and restores type, directory and options. That
     * call throws `Deno.errors.NotConnected` if a command sent by hand cannot be
     * repeated (`SITE`, `CLNT`, `ACCT`...), or if no user is logged in. Call
     * `reconnect()` then.
     *
     * @param options A signal
     * @returns The reply to `ABOR`: 225, 226 or 426
     * @throws {FTPError} For any other code
     * @throws {Deno.errors.TimedOut} If a pending reply does not come within five
     * seconds; the connection is closed
     */
    abort(options?: SignalOptions): Promise<Reply>;
    /**
     * Requests a port for a data connection (`EPSV`, RFC 2428, else `PASV`, RFC
     * 959). Over IPv6 there is only `EPSV`.
     *
     * @param options A signal
     * @returns Host and port to connect to; the host is that of the control
     * connection, unless `trustPasvHost` is set
     * @throws {FTPError} If the server refuses
     * @throws {FTPProtocolError} If the reply contains no port
     */
    makepasv(options?: SignalOptions): Promise<[host: string, port: number]>;
    /**
     * Listens, and tells the server where (`PORT`, `EPRT`). The caller has to
     * accept and to close.
     *
     * Requires `allow-net` permission.
     *
     * @tags allow-net
     * @param options A signal
     * @returns The listener. `addr` is the local address and port, which the
     * server was sent. `accept()` returns the server's connection, and closes
     * those from other addresses; it throws `Deno.errors.TimedOut` if the server
     * does not connect within `timeout`
     * @throws {FTPError} If the server refuses
     * @throws {Deno.errors.AddrInUse} If no port of `activePorts` is free
     *
     * @example Let the server connect
     * ```ts
     * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
     *
     * await using ftp = await connect("ftp://ftp.example.com/pub");
     * const listener = await ftp.makeport();
     * await ftp.sendcmd("NLST"); // 150: it connects
     * const conn = await listener.accept();
     * listener.close();
     * const buffer = new Uint8Array(8192);
     * for (let n; (n = await conn.read(buffer)) !== null;) console.log(n);
     * conn.close();
     * await ftp.voidresp();
     * ```
     */
    makeport(options?: SignalOptions): Promise<{
        readonly addr: Deno.NetAddr;
        accept(options?: {
            signal?: AbortSignal | undefined;
        }): Promise<Deno.TcpConn>;
        close(): void;
    }>;
    /**
     * Tells the server where to connect (`PORT`, RFC 959).
     *
     * @param host An IPv4 address
     * @param port A TCP port
     * @param options A signal
     * @returns The 2yz reply
     * @throws {FTPError} If the server refuses
     * @throws {TypeError} If the host is not an IPv4 address
     * @throws {RangeError} If the port is not 1 to 65535
     */
    sendport(host: string, port: number, options?: SignalOptions): Promise<Reply>;
    /**
     * Tells the server where to connect (`EPRT`, RFC 2428).
     *
     * @param host An IPv4 or IPv6 address
     * @param port A TCP port
     * @param options A signal
     * @returns The 2yz reply
     * @throws {FTPError} If the server refuses
     * @throws {TypeError} If the host is not an address
     * @throws {RangeError} If the port is not 1 to 65535
     */
    sendeprt(host: string, port: number, options?: SignalOptions): Promise<Reply>;
    /**
     * Opens a transfer (RFC 959 section 5.1), and returns its data connection.
     * Read or write the data connection, close it, and then await `voidresp`.
     * Until then the transfer is not confirmed, and every other command fails
     * with `Deno.errors.Busy`. If a download is closed before its end, the next
     * call aborts it, and may use another connection; see
     * {@linkcode FTPProtocol.prototype.abort FTP.abort}.
     *
     * @param cmd `RETR path`, `STOR path`, `LIST`...
     * @param rest Start offset in bytes (`REST`)
     * @param options A signal, which also ends the data connection
     * @returns The data connection, and the server's estimate of the size in
     * bytes, or `null`
     * @throws {FTPError} If the server refuses
     * @throws {RangeError} If the offset is a number, but not a non-negative
     * integer
     * @throws {TypeError} If TLS was requested and the data is not protected
     * @throws {Error} `Deno.errors.*` if a connection fails
     *
     * @example Read a file in pieces
     * ```ts
     * import { FTP } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
     *
     * await using ftp = new FTP();
     * await ftp.connect("ftp.example.com");
     * await ftp.login();
     * await ftp.voidcmd("TYPE I");
     * const [conn, size] = await ftp.ntransfercmd("RETR data.bin");
     * const buffer = new Uint8Array(2048);
     * let received = 0;
     * for (let n; (n = await conn.read(buffer)) !== null;) received += n;
     * conn.close();
     * await ftp.voidresp();
     * console.log(received, size);
     * ```
     */
    ntransfercmd(cmd: string, rest?: number | string, options?: SignalOptions): Promise<[DataConnection, number | null]>;
    /**
     * Like {@linkcode FTPProtocol.prototype.ntransfercmd ntransfercmd}, without
     * the size.
     *
     * @param cmd `RETR path`, `STOR path`, `LIST`...
     * @param rest Start offset in bytes
     * @param options A signal
     * @returns The data connection
     * @throws As {@linkcode FTPProtocol.prototype.ntransfercmd ntransfercmd}
     */
    transfercmd(cmd: string, rest?: number | string, options?: SignalOptions): Promise<DataConnection>;
    /**
     * Retrieves a file in binary (`RETR`, RFC 959 section 4.1.3, in `TYPE I`).
     *
     * An error of the callback aborts the transfer, and is thrown. The client
     * stays usable, perhaps with another connection; see
     * {@linkcode FTPProtocol.prototype.abort FTP.abort}.
     *
     * @param cmd `RETR path`
     * @param callback Called with each block, and awaited; it may keep the block,
     * unless `reuse` is set
     * @param options Block size, offset and signal
     * @returns The final 2yz reply
     * @throws {FTPError} If the server refuses or reports a failure
     * @throws {RangeError} If block size or offset are out of range
     * @throws {Error} `Deno.errors.*` if a connection fails
     *
     * @example Hash a file without keeping it
     * ```ts
     * import { createHash } from "node:crypto";
     * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
     *
     * await using ftp = await connect("ftp://ftp.example.com/pub");
     * const hash = createHash("sha256");
     * await ftp.retrbinary("RETR data.bin", (block) => hash.update(block), {
     *   blocksize: 65_536,
     *   reuse: true,
     * });
     * console.log(hash.digest("hex"));
     * ```
     */
    retrbinary(cmd: string, callback: (block: Uint8Array<ArrayBuffer>) => unknown, options?: RetrbinaryOptions): Promise<Reply>;
    /**
     * Retrieves a text or a listing line by line (`RETR`, `LIST`, `NLST`, RFC 959
     * section 4.1.3, in `TYPE A`). CRLF and LF end a
     * line. A single CR does not, unlike in ftplib.
     *
     * @param cmd `RETR path`, `LIST`, `NLST`...
     * @param callback Called with each line, without its end, and awaited. If
     * left out, lines are printed, with control characters replaced
     * @param options A signal
     * @returns The final 2yz reply
     * @throws {FTPError} If the server refuses or reports a failure
     * @throws {FTPProtocolError} If a line is longer than `maxLine`; the transfer
     * is aborted, and the connection stays usable
     * @throws {Error} `Deno.errors.*` if a connection fails
     *
     * @example Read a report
     * ```ts
     * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
     *
     * await using ftp = await connect("ftp://ftp.example.com");
     * const lines: string[] = [];
     * await ftp.retrlines("RETR report.txt", (line) => lines.push(line));
     * ```
     */
    retrlines(cmd: string, callback?: (line: string) => unknown, options?: SignalOptions): Promise<Reply>;
    /**
     * Stores a file in binary (`STOR`, `APPE`, RFC 959 section 4.1.3, in
     * `TYPE I`). The command is sent after the source has returned its first
     * chunk, because it may empty a file. As in ftplib, only the server's final
     * reply is checked. Compare with `size`, or use `upload`.
     *
     * @param cmd `STOR path`, `APPE path`, `STOU`
     * @param source The bytes
     * @param options Block size, offset and signal, as in
     * {@linkcode FTPProtocol.prototype.retrbinary retrbinary}. `callback`: called
     * with each block that was written, and awaited
     * @returns The final 2yz reply
     * @throws {FTPError} If the server refuses or reports a failure (552: disk
     * full)
     * @throws {RangeError} If block size or offset are out of range
     * @throws {TypeError} If the source returns no bytes, or was read before
     * @throws {Error} `Deno.errors.*` if a connection fails
     *
     * @example Append to a log
     * ```ts
     * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
     *
     * await using ftp = await connect("ftp://ftp.example.com/logs");
     * const line = new TextEncoder().encode(`${new Date().toISOString()} done\n`);
     * await ftp.storbinary("APPE jobs.log", line);
     * ```
     */
    storbinary(cmd: string, source: Source, options?: Omit<RetrbinaryOptions, "reuse"> & {
        callback?: ((block: Uint8Array) => unknown) | undefined;
    }): Promise<Reply>;
    /**
     * Stores a text (`STOR`, RFC 959 section 4.1.3, in `TYPE A`). Every line is
     * ended with CRLF. As with
     * {@linkcode FTPProtocol.prototype.storbinary storbinary}, the source is read
     * first.
     *
     * @param cmd `STOR path`
     * @param source The bytes, with LF or CRLF
     * @param callback Called with each line that was written, and awaited
     * @param options A signal
     * @returns The final 2yz reply
     * @throws {FTPError} As
     * {@linkcode FTPProtocol.prototype.storbinary storbinary}
     * @throws {FTPProtocolError} If a line is longer than `maxLine`; the transfer
     * is aborted, and the connection stays usable
     */
    storlines(cmd: string, source: Source, callback?: (line: Uint8Array) => unknown, options?: SignalOptions): Promise<Reply>;
    /**
     * Lists the names in a directory (`NLST`, RFC 959 section 4.1.3). All of them
     * are kept.
     *
     * @param args Words of the command, usually one path; and a signal
     * @returns The names, as the server sends them
     * @throws {FTPError} If the server refuses; some send 550 or 450 for an empty
     * directory
     * @throws {RangeError} If the names take more than `maxListing` bytes
     */
    nlst(...args: (string | SignalOptions)[]): Promise<string[]>;
    /**
     * Lists a directory as text (`LIST`, RFC 959 section 4.1.3).
     *
     * @param args Words of the command, usually one path; a callback for the
     * lines, which are otherwise printed; and a signal
     * @returns The final 2yz reply
     * @throws {FTPError} As {@linkcode FTPProtocol.prototype.retrlines retrlines}
     */
    dir(...args: (string | SignalOptions | ((line: string) => unknown))[]): Promise<Reply>;
    /**
     * Lists a directory in the standard format (`MLSD`, RFC 3659 section 7).
     * Stopping early aborts the transfer. The client stays usable, perhaps with
     * another connection; see {@linkcode FTPProtocol.prototype.abort FTP.abort}.
     *
     * @param path The directory; "" for the current one
     * @param facts The facts to request (`OPTS MLST`); empty for the server's
     * default
     * @param options A signal
     * @returns Name and facts of each entry, with the facts' names in lower case,
     * including the entries for the directory itself and its parent
     * @throws {FTPError} As
     * {@linkcode FTPProtocol.prototype.retrlines retrlines}; 500 or 502 if the
     * command is unknown
     */
    mlsd(path?: string, facts?: readonly string[], options?: SignalOptions): AsyncGenerator<[name: string, facts: Record<string, string>]>;
    /**
     * Changes the directory (`CWD`, RFC 959 section 4.1.1). ".." sends `CDUP`, or
     * `CWD ..` if that is unknown (500); "" stands for ".".
     *
     * @param dirname The directory
     * @param options A signal
     * @returns The 2yz reply
     * @throws {FTPError} If the server refuses
     */
    cwd(dirname: Path, options?: SignalOptions): Promise<Reply>;
    /**
     * Returns the current directory (`PWD`, RFC 959 section 4.1.3).
     *
     * @param options A signal
     * @returns The path, also one without quotes; "" if the server does not
     * answer 257
     * @throws {FTPError} If the server refuses
     * @throws {FTPProtocolError} As {@linkcode parse257}
     */
    pwd(options?: SignalOptions): Promise<string>;
    /**
     * Creates a directory (`MKD`, RFC 959 section 4.1.3).
     *
     * @param dirname The directory
     * @param options A signal
     * @returns The path in the server's reply; "" unless it is 257 with a path in
     * quotes
     * @throws {FTPError} If the server refuses
     * @throws {FTPProtocolError} As {@linkcode parse257}
     */
    mkd(dirname: Path, options?: SignalOptions): Promise<string>;
    /**
     * Removes an empty directory (`RMD`, RFC 959 section 4.1.3).
     *
     * @param dirname The directory
     * @param options A signal
     * @returns The 2yz reply
     * @throws {FTPError} If the server refuses
     */
    rmd(dirname: Path, options?: SignalOptions): Promise<Reply>;
    /**
     * Deletes a file (`DELE`, RFC 959 section 4.1.3).
     *
     * @param filename The file
     * @param options A signal
     * @returns The reply, 250 or 200
     * @throws {FTPReplyError} For another code below 400
     * @throws {FTPError} If the server refuses
     */
    delete(filename: Path, options?: SignalOptions): Promise<Reply>;
    /**
     * Renames a file or directory (`RNFR`, `RNTO`, RFC 959 section 4.1.3). Most
     * servers replace a file with the new name. If a server answers both commands
     * with 2yz, the rename is complete; ftplib throws in that case.
     *
     * @param fromname The old path
     * @param toname The new path
     * @param options A signal
     * @returns The 2yz reply
     * @throws {FTPError} If the server refuses either
     */
    rename(fromname: Path, toname: Path, options?: SignalOptions): Promise<Reply>;
    /**
     * Returns the size of a file (`SIZE`, RFC 3659 section 4) in the current
     * type. If the server refuses in ASCII, `TYPE I` is set, and stays.
     *
     * @param filename The file
     * @param options A signal
     * @returns Bytes; `null` unless the reply is 213 with a number up to 2^53
     * @throws {FTPError} If the server refuses
     */
    size(filename: Path, options?: SignalOptions): Promise<number | null>;
}

/**
 * Copies a file from one server to another (RFC 959 section 2.3, figure 2;
 * ftplib's `ftpcp`). The source listens, and the target connects to it.
 *
 * The target always connects to the host of the source's control connection,
 * unless the source has `trustPasvHost`. Many servers refuse such transfers,
 * for good reason (RFC 2577). Data protected by `PROT P` cannot be sent this
 * way.
 *
 * The copy uses both connections exclusively: it starts after earlier calls,
 * and later ones wait.
 *
 * Requires `allow-net` permission.
 *
 * @tags allow-net
 * @param source A client of the server that has the file
 * @param sourceName Path of the file on that server
 * @param target A client of the server that gets the file
 * @param targetName Path on that server; the same if it is left out or ""
 * @param type The representation type for both
 * @param options A signal, which also ends the wait for the connections;
 * aborting it closes neither
 * @throws {FTPError} If either server refuses or reports a failure
 * @throws {TypeError} If data is protected, both clients are the same, or a
 * client comes from another copy of this module
 *
 * @example Copy between two servers
 * ```ts
 * import { connect, ftpcp } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * await using source = await connect("ftp://one.example.com");
 * await using target = await connect("ftp://two.example.com");
 * await ftpcp(source, "data.bin", target, "data.bin");
 * ```
 */
export declare function ftpcp(source: FTPProtocol, sourceName: Path, target: FTPProtocol, targetName?: Path, type?: "A" | "I", options?: SignalOptions): Promise<void>;

/** Options of {@linkcode FTP}. */
export interface FTPOptions {
    /**
     * Encoding of commands, replies and names: "utf-8", "latin-1", or a label
     * that `TextDecoder` supports. Bytes that are not text in it become lone
     * surrogates, and the same bytes again when they are sent. So do bytes of a
     * character that is usually encoded differently.
     * * @default "utf-8" */
    encoding?: string | undefined;
    /**
     * Time limit of a wait without progress, in milliseconds, up to
     * 2,147,483,647; 0 or `Infinity` for none. A transfer that makes progress is
     * never limited.
     *
     * If the server stops answering, a call may take longer in total. Steps after
     * the wait take up to five seconds each, but not longer than `timeout`. A
     * transfer waits for the server's final reply, which often has the reason.
     * `upload()` deletes its temporary file, on a new connection if necessary.
     * `download()` and `upload()` do this once for each attempt (`retry`),
     * besides the waits between them. An aborted call takes at most five seconds
     * for the transfer, and five for the temporary file.
     *
     * @default 30_000
     */
    timeout?: number | undefined;
    /**
     * Mode of data connections. `true`: passive, with `EPSV`, or `PASV` if `EPSV`
     * does not work. "epsv" or "pasv": passive, with this command only. `false`:
     * active (`PORT`, `EPRT`). "auto": passive, and active if the server refuses
     * both `EPSV` and `PASV`.
     *
     * @default true
     */
    passive?: boolean | "auto" | "epsv" | "pasv" | undefined;
    /**
     * Local address of control and data connections, IPv4 or IPv6, also for
     * listening in active mode. A host name is resolved in the same family. With
     * `"0.0.0.0"` or `"::"` nothing is bound; in active mode the server then gets
     * the address of the control connection.
     *
     * Bound connections use `node:net`, which costs more processor time than
     * `Deno.connect`. Requires `allow-net` permission for the address.
     *
     * @default the system chooses
     */
    localAddress?: string | undefined;
    /**
     * Opens the control and data connections, for example through a tunnel. TLS
     * runs over the connections that it returns. The function needs its own
     * permissions, and the client then needs none. Active mode is not possible.
     *
     * @default Deno.connect
     */
    dial?: Dial | undefined;
    /**
     * URL of a proxy for the control and data connections: "socks5:" (RFC 1928) or
     * "http:" (CONNECT), such as `socks5://user:password@host:1080`. The default
     * port is 1080 or 80. The proxy resolves the server's name. Only `allow-net`
     * permission for the proxy is needed. Active mode is not possible. Environment
     * variables are not used.
     *
     * @default none
     */
    proxy?: string | URL | undefined;
    /**
     * IPv4 or IPv6 address that is sent to the server in active mode, if it
     * differs from the local one: the address of a router (NAT) that forwards
     * `activePorts`.
     *
     * @default the local address
     */
    activeAddress?: string | undefined;
    /**
     * Whether `EPRT` may be sent in active mode: over IPv6, and over IPv4 if
     * `PORT` is unknown. Some firewalls close a connection after it.
     *
     * @default true
     */
    allowEPRT?: boolean | undefined;
    /**
     * TCP port, or first and last of a range, to listen on in active mode; 0
     * lets the system choose.
     *
     * @default 0
     */
    activePorts?: number | readonly [first: number, last: number] | undefined;
    /**
     * Whether to connect to the host in a 227 reply instead of the control
     * connection's host. It lets a server direct the client anywhere (RFC 2577
     * section 3).
     *
     * @default false
     */
    trustPasvHost?: boolean | undefined;
    /**
     * TLS on the control and data connections (RFC 4217): "explicit" (`AUTH
     * TLS`), "implicit" (from the first byte, port 990), or the mode with
     * certificates, fingerprint and versions.
     *
     * @default no TLS
     */
    tls?: "explicit" | "implicit" | TLSOptions | undefined;
    /**
     * Receives every command, reply and event, in order. Secrets are masked, and
     * control characters replaced. Each call comes after the current work is done,
     * so that it may call the client. Errors and rejections are ignored.
     *
     * @default none
     */
    trace?: ((event: TraceEvent) => void) | undefined;
    /**
     * Longest line of a reply, in bytes. A longer one closes the connection.
     *
     * @default 65_536
     */
    maxReplyLine?: number | undefined;
    /**
     * Longest reply, in bytes. A longer one closes the connection.
     *
     * @default 1_048_576
     */
    maxReply?: number | undefined;
    /**
     * Longest line of a text (`retrlines`, `dir`, `nlst`, `mlsd`), in bytes. A
     * longer one aborts the transfer. Lines of entries (`list`, `stat`, `walk`)
     * are always limited to 65,535 bytes.
     *
     * @default 1_048_576
     */
    maxLine?: number | undefined;
    /**
     * Largest memory, in bytes, for entries of directories that are kept at once
     * (`nlst`, `walk`, `stat`, `exists`, `remove`, `downloadDir`, `uploadDir`).
     * Each entry counts with the length of its line and 64 bytes. A search for
     * one name counts every entry that it reads, and `walk` those of all
     * directories that it is in. A mirror counts each directory of the server on
     * its own. More is a `RangeError`. Entries that are returned as they arrive
     * (`list`, `mlsd`, `dir`, `retrlines`) have no limit.
     *
     * @default 268_435_456
     */
    maxListing?: number | undefined;
    /**
     * Which line ends a multi-line reply. "strict": the reply's own code and a
     * blank (RFC 959 section 4.2). "lenient": any code and a blank (glFTPd).
     *
     * @default "strict"
     */
    multiline?: "strict" | "lenient" | undefined;
    /**
     * Whether to send independent commands together, which saves round trips.
     * Some devices and firewalls read only one command, or merge several. If such
     * a command gets no reply within `timeout`, the client's next connections to
     * that server send one at a time. `download()` and `upload()` open such a
     * connection and continue.
     *
     * @default true
     */
    pipelining?: boolean | undefined;
    /**
     * Name of the virtual host (`HOST`, RFC 7151), for servers with several
     * sites. Sent before each login, and before `AUTH`.
     *
     * @default none
     */
    virtualHost?: string | undefined;
    /**
     * Commands to send after each login: by
     * {@linkcode FTPProtocol.prototype.login FTP.login}, `connect()`,
     * reconnections, clones and mirrors. For example `["SITE NAMEFMT 1"]` for IBM
     * i, or `["CLNT backup", "OPTS UTF8 ON"]`. If a command is not answered with
     * 2yz, the login fails.
     *
     * @default []
     */
    afterLogin?: readonly string[] | undefined;
    /**
     * Whether to compress transfers (`MODE Z`, zlib), if the server's `FEAT`
     * offers it. Useful on slow networks. A transfer fails if it has more than 64
     * MiB and more than 200 times the compressed size, because it may be a
     * decompression bomb.
     *
     * @default false
     */
    compress?: boolean | undefined;
    /**
     * Zone of the server's times in `MDTM`, `MLSD` and `LIST`, in minutes east of
     * UTC. RFC 3659 requires UTC, but some servers show local time (vsftpd's
     * `use_localtime=YES`, Debian's default). Without this option, the times are
     * assumed to be UTC until an upload has shown the zone. A client that only
     * downloads never learns it.
     *
     * @default learned from uploads, otherwise 0
     */
    serverZone?: number | undefined;
    /**
     * Keeps what was learned of a server between runs of a program: that `EPSV`
     * or `MLSD` does not work, that `PRET` is needed, that commands are read one
     * at a time. The waits for such a server then happen once, and not in each
     * run.
     *
     * @default none
     */
    profile?: ProfileStore | undefined;
}

/**
 * What was learned of a server, as JSON. Each value only avoids a wait. None
 * weakens a check or TLS, and a value that is wrong or out of date is learned
 * anew.
 */
export interface LearnedProfile {
    /** When the first value was learned, as an ISO 8601 time in UTC. */
    readonly since: string;
    /** `false`: `EPSV` does not work, and `PASV` does. */
    readonly epsv?: false;
    /** `false`: `MLSD` does not work, or gets no reply. */
    readonly mlsd?: false;
    /** `true`: `PRET` is needed before `EPSV` and `PASV`. */
    readonly pret?: true;
    /** `false`: the server reads one command at a time. */
    readonly pipelining?: false;
}

/**
 * Loads and saves what was learned of servers. Both functions may be
 * asynchronous.
 *
 * @example
 * ```ts
 * import { FTP, type ProfileStore } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * const profile: ProfileStore = {
 *   load: (server) => JSON.parse(localStorage.getItem(server) ?? "null"),
 *   save: (server, learned) =>
 *     localStorage.setItem(server, JSON.stringify(learned)),
 * };
 * const ftp = new FTP({ profile });
 * ```
 */
export interface ProfileStore {
    /**
     * Returns what {@linkcode ProfileStore.save} was last called with for a
     * server. Anything else, such as `null`, `undefined` or an invalid value,
     * counts as no knowledge. `connect()` calls it, and rejects with its error,
     * or if it takes longer than `timeout`.
     * * @param server Host and port: "ftp.example.com:21", "[::1]:21" */
    load(server: string): unknown;
    /**
     * Called at the end of a connection if something was learned. `quit()` and
     * `await using` wait for it, at most as long as `timeout`; `close()` does not.
     * Its errors are only shown by `trace`.
     *
     * @param server Host and port, as for {@linkcode ProfileStore.load}
     * @param learned Everything that is known, to replace what was saved before
     */
    save(server: string, learned: LearnedProfile): void | Promise<void>;
}

/**
 * A data connection, shaped like `Deno.Conn`.
 *
 * It carries one transfer in one direction. Its end does not mean success: only
 * the final reply on the control connection does.
 */
export declare class DataConnection implements AsyncDisposable { #private;
    /** @ignore */
    private constructor();
    /** Address of the local end. */
    get localAddr(): Deno.Addr;
    /** Address of the server's end. */
    get remoteAddr(): Deno.Addr;
    /** TLS properties of the connection; `undefined` without TLS. */
    get tls(): TLSInfo | undefined;
    /** Number of bytes read. */
    get bytesRead(): number;
    /** Number of bytes written. */
    get bytesWritten(): number;
    /** Whether the server has ended its side: a read returned `null`. */
    get isEnded(): boolean;
    /**
     * Whether the data ended without TLS's close_notify. Anyone on the way can
     * end a stream like that, so data may be missing.
     */
    get isCut(): boolean;
    /** Whether {@linkcode close} was called or the connection failed. */
    get isClosed(): boolean;
    /**
     * Reads at least one byte.
     *
     * @param buffer Buffer for the bytes
     * @returns Number of bytes, or `null` at the end of the data
     * @throws {Deno.errors.TimedOut} If no byte comes within the time-out; the
     * data connection is then closed
     * @throws {Error} `Deno.errors.*` if the connection fails, or the signal's
     * reason
     */
    read(buffer: Uint8Array): Promise<number | null>;
    /**
     * Writes at least one byte.
     *
     * @param bytes Bytes to write
     * @returns Number of bytes written
     * @throws As {@linkcode read}
     */
    write(bytes: Uint8Array): Promise<number>;
    /**
     * Ends the writing side: the server sees the end of the data.
     *
     * @throws As {@linkcode read}
     */
    closeWrite(): Promise<void>;
    /** The data as a web stream. Its end closes the connection. */
    get readable(): ReadableStream<Uint8Array<ArrayBuffer>>;
    /**
     * The data as a web stream to write to. Closing it closes the connection.
     * Aborting it, as a pipe does if its source fails, aborts the transfer, and
     * `voidresp` rejects. The server may keep the bytes that it has received.
     */
    get writable(): WritableStream<Uint8Array>;
    /**
     * Closes the connection. After an upload over TLS, the end of TLS takes a
     * moment; `await using` waits for it.
     *
     * Before the end of a download over TLS, the server does not notice until
     * `abort`, `voidresp` or the end of the client, which send `ABOR` first.
     * ProFTPD ends the whole session if it cannot write to a protected data
     * connection, and Pure-FTPd stops answering.
     */
    close(): void;
    /** Closes the connection, and waits until it is completely closed. */
    [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A connection that a {@linkcode Dial} function returns: the part of
 * `Deno.Conn` that the client uses. `Deno.TcpConn`, `Deno.TlsConn` and
 * `Deno.UnixConn` qualify. Bytes must arrive unchanged and in order, in both
 * directions.
 */
export interface DialedConn {
    /** Reads 1 to `buffer.length` bytes; `null` at the end. */
    read(buffer: Uint8Array): Promise<number | null>;
    /** Writes 1 to `bytes.length` bytes, and returns how many. */
    write(bytes: Uint8Array): Promise<number>;
    /** Ends the writing side; the reading side stays open. */
    closeWrite(): Promise<void>;
    /**
     * Closes both sides at once. What was written before `closeWrite()` must still
     * arrive, or the server takes a part of a file for the whole.
     */
    close(): void;
    /** Address of the local end; optional. */
    readonly localAddr?: Deno.Addr;
    /** Address of the remote end; optional. */
    readonly remoteAddr?: Deno.Addr;
    /** Makes pending reads keep the program alive, the default; optional. */
    ref?(): void;
    /** Lets the program end while a read is pending; optional. */
    unref?(): void;
    /** Called once with `true`, if it exists. */
    setNoDelay?(enable?: boolean): void;
    /** Called once with `true`, if it exists. */
    setKeepAlive?(enable?: boolean): void;
}

/**
 * Opens a connection to the server: through a tunnel or jump host, or from a
 * certain address. Called for each control and data connection, including those
 * of `clone()`, reconnections and mirrors. TLS, if used, runs over the
 * connection that it returns. The function gets:
 *
 * - `hostname`: the server, a name as the user gave it, in ASCII, or an
 *   address, IPv6 without brackets. Data connections go to the same host as the
 *   control connection, unless `trustPasvHost` is set.
 * - `port`: the TCP port. The server chooses the port of a data connection.
 * - `transport`: the purpose of the connection.
 * - `signal`: aborted when the connection is no longer needed, or `timeout` has
 *   passed.
 */
export type Dial = (target: { readonly hostname: string;
    readonly port: number;
    readonly transport: "control" | "data";
    readonly signal: AbortSignal;
}) => Promise<DialedConn>;

/** Properties of a TLS connection. */
export interface TLSInfo {
    /** TLS version. */
    readonly protocol: "TLSv1.2" | "TLSv1.3";
    /** Cipher suite, by its OpenSSL name. */
    readonly cipher: string;
    /**
     * The server's certificate. Subject and issuer have the form "CN=example.com,
     * O=Example"; `names` are the host names and addresses that it is valid for.
     */
    readonly peerCertificate: {
        readonly subject: string;
        readonly issuer: string;
        readonly validFrom: Date;
        readonly validTo: Date;
        readonly names: readonly string[];
        readonly pem: string;
    };
    /**
     * SHA-256 of the server's certificate, in upper-case hexadecimal with colons.
     */
    readonly fingerprint: string;
    /** Whether an earlier session was resumed. */
    readonly resumed: boolean;
}

/**
 * Events by channel. Every event has the number of its control connection in the
 * program, except those of `ftp:retry`.
 */
export interface DiagnosticEvents {
    /**
     * A control connection was opened, or has ended. `message` is the reason of
     * the end. */
    readonly "ftp:connection": { readonly phase: "open" | "close";
        readonly connection: number;
        readonly host: string;
        readonly port: number;
        readonly message?: string | undefined;
    };
    /**
     * A command was sent ("start"), has its final reply ("end", with its `code`),
     * or gets none ("error", with a `message`). All have the same `id`. Secrets in
     * `command` are masked, and control characters replaced. `duration`:
     * milliseconds since "start".
     */
    readonly "ftp:command": {
        readonly phase: "start" | "end" | "error";
        readonly id: number;
        readonly connection: number;
        readonly command: string;
        readonly code?: number | undefined;
        readonly duration?: number | undefined;
        readonly message?: string | undefined;
    };
    /**
     * A transfer was started by the server, or has ended: the fields of its
     * command, the `size` in bytes that the server announced (`null` if it did
     * not), and the `bytes` transferred, for "end".
     */
    readonly "ftp:transfer": DiagnosticEvents["ftp:command"] & {
        readonly size: number | null;
        readonly bytes?: number | undefined;
    };
    /**
     * A retry is about to start. `attempt`: failures in a row without progress;
     * `delay`: milliseconds until the retry; `transferred`: bytes of the file so
     * far; `message`: the error.
     */
    readonly "ftp:retry": {
        readonly attempt: number;
        readonly delay: number;
        readonly transferred: number;
        readonly message: string;
    };
}

/** One event of a trace. Secrets are masked. */
export interface TraceEvent {
    /** Milliseconds since 1970, as in `Date.now()`. */
    readonly time: number;
    /**
     * "sent" for a command, "received" for a reply, "event" for a change of a
     * connection.
     */
    readonly direction: "sent" | "received" | "event";
    /** The command, the reply's text, or a description of the event. */
    readonly text: string;
}

/** Options of {@linkcode FTP.prototype.remove FTP.remove}. */
export interface RemoveOptions {
    /**
     * Whether to remove a directory with everything in it. Only directories are
     * entered. A symbolic link that the server does not delete is an error, and
     * so is an entry that may be one. If `MLSD` may show links as the files or
     * directories they lead to, as pyftpdlib's does, `LIST` is sent as well. If
     * the server cuts a listing, the directory is listed again until it is empty.
     * * @default false */
    recursive?: boolean | undefined;
    /**
     * Largest number of entries in one directory, whose names are all kept while
     * they are removed. More entries are a `RangeError`.
     *
     * @default 1_000_000
     */
    maxEntries?: number | undefined;
    /** Aborts the call. Removed entries stay removed. */
    signal?: AbortSignal | undefined;
}

/** Options of {@linkcode FTP.prototype.downloadAll FTP.downloadAll}. */
export interface DownloadAllOptions extends Omit<DownloadOptions, "onProgress"> {
    /**
     * Largest number of connections, including the client's own. The others are
     * opened when there is work for them, and closed at the end. If the server
     * allows fewer, those do all the work. "auto" opens up to eight connections,
     * one after another, while each makes the work faster by at least a seventh
     * and the server accepts it.
     * * @default 1 */
    connections?: number | "auto" | undefined;
    /**
     * Whether outcomes are returned in the order of the list, instead of the
     * order in which the files end.
     *
     * @default false
     */
    ordered?: boolean | undefined;
    /**
     * Rate limit of all connections together, in bytes per second.
     *
     * @default no limit
     */
    maxRate?: number | undefined;
    /** Called during the transfer of a file, and once at its end. */
    onProgress?: ((progress: Progress, remote: string) => void) | undefined;
}

/** Outcome of one file. Either `result` or `error` is set. */
export interface DownloadOutcome {
    /** Path on the server. */
    readonly remote: string;
    /** Path of the target. */
    readonly local: string;
    /** Size, verification, time and retries of a downloaded file. */
    readonly result?: FileTransferResult | undefined;
    /** The error, if the file was not downloaded. */
    readonly error?: Error | undefined;
}

/**
 * Options of an {@linkcode FTPUnconfirmedError}.
 *
 * @internal
 */
declare interface FTPUnconfirmedErrorOptions extends FTPErrorOptions {
    /** Bytes of the file that were transferred. */
    bytes: number;
    /** Size of the file, in bytes. */
    size: number;
}

/**
 * Every byte of a file was transferred, but the server did not confirm it. The
 * connection is closed.
 *
 * Before it fails, `upload` asks for the size on a new connection, as often as
 * `retry` allows. An unconfirmed file never replaces another one: the temporary
 * file is removed, or kept with `resume`. A file written in place
 * (`atomic: false`) stays, and may be complete. Its size, its time or a hash
 * can tell.
 */
export declare class FTPUnconfirmedError extends FTPError {
    /** Name of the class. */
    name: string;
    /** Bytes of the file that were transferred. */
    readonly bytes: number;
    /** Size of the file, in bytes. */
    readonly size: number;
    /**
     * Creates an error.
     *
     * @param message The action, and what is missing
     * @param options Bytes, size, reply, command and cause
     */
    constructor(message: string, options: FTPUnconfirmedErrorOptions);
}

/**
 * Options of an {@linkcode FTPVerificationError}.
 *
 * @internal
 */
declare interface FTPVerificationErrorOptions extends FTPErrorOptions {
    /** Property that was compared: "size", "mtime", or the name of a hash. */
    what: string;
    /** The expected value. */
    expected: number | string;
    /** The actual value. */
    actual: number | string;
}

/**
 * The server confirmed a transfer, but the local and the remote file differ.
 * The connection stays usable.
 */
export declare class FTPVerificationError extends FTPError {
    /** Name of the class. */
    name: string;
    /**
     * Property that was compared: "size", "mtime", or the name of a hash such as
     * "SHA-256".
     */
    readonly what: string;
    /** The expected value: bytes, an ISO 8601 time, or hexadecimal digits. */
    readonly expected: number | string;
    /** The actual value. */
    readonly actual: number | string;
    /**
     * Creates an error.
     *
     * @param message The action and its object; the comparison is added
     * @param options Property, expected and actual value
     */
    constructor(message: string, options: FTPVerificationErrorOptions);
}

/**
 * An incomplete listing: the server cut it, or could not read the directory,
 * and still sent a 2yz.
 */
export declare class PartialListingError extends FTPReplyError {
    /** Name of the class. */
    name: string;
}

/** Options of {@linkcode FTP.prototype.list FTP.list}. */
export interface ListOptions {
    /**
     * The command to send, without trying others. On some servers, `LIST` shows
     * links and owners and `MLSD` does not.
     * * @default "MLSD" where it works, else "LIST" */
    command?: "MLSD" | "LIST" | undefined;
    /**
     * Format of the lines: `"auto"` detects it, a name (as in `Entry.format`)
     * selects it, an object reads the lines itself.
     *
     * @default "auto"
     */
    format?: string | ListingFormat | undefined;
    /**
     * Time zone of a `LIST`, whose lines have none: minutes east of UTC, or
     * `"infer"`. The latter compares the newest file of the listing with its
     * `MDTM`, once for each server, and reads the listing twice for it. The
     * result is only as good as the zone of `MDTM`: UTC, unless an upload or
     * `serverZone` has shown another. `MLSD` uses UTC.
     *
     * A mirror trusts a number, and derives the zone of `MDTM` from it: the same,
     * if both show the same time for one file.
     *
     * @default the zone that is known of the server, else 0
     */
    zone?: number | "infer" | undefined;
    /**
     * Current time, for dates without a year.
     *
     * @default () => new Date()
     */
    now?: Date | (() => Date) | undefined;
    /**
     * Milliseconds by which a date without a year may lie in the future. Later
     * dates belong to the previous year.
     *
     * @default 86_400_000
     */
    slack?: number | undefined;
    /**
     * Whether to request hidden names with a leading dot (`LIST -a`). If that
     * does not work, a plain `LIST` is sent.
     *
     * @default false
     */
    all?: boolean | undefined;
    /**
     * Whether to return every version of a file, if the server keeps several
     * (OpenVMS).
     *
     * @default false
     */
    allVersions?: boolean | undefined;
    /**
     * Largest number of entries. More entries are a `RangeError`.
     *
     * @default Infinity
     */
    maxEntries?: number | undefined;
    /**
     * Called with each line that no format can read. Not awaited; if it throws,
     * the listing fails. Without it, such a line is an entry of kind `"unknown"`,
     * with the line as its name.
     *
     * A header or a trailer is never an entry: an unreadable line before the first
     * entry or after the last one that does not look like an entry.
     */
    onUnknown?: ((line: string, entry: Entry) => unknown) | undefined;
    /** Aborts the listing. The connection stays usable. */
    signal?: AbortSignal | undefined;
}

/** Options that `download` and `upload` share. */
export interface FileTransferOptions {
    /**
     * Called during the transfer, and once at the end. Not awaited. If it throws,
     * even at the end, the transfer fails and the old file stays. If an
     * asynchronous callback rejects before the end, the transfer fails as well. */
    onProgress?: ((progress: Progress) => void) | undefined;
    /**
     * Largest number of calls of `onProgress` per second.
     *
     * @default 10
     */
    progressRate?: number | undefined;
    /**
     * Rate limit, in bytes per second.
     *
     * @default no limit
     */
    maxRate?: number | undefined;
    /**
     * Attempts of a failed transfer, and the waits between them; `false` for no
     * retries.
     *
     * @default attempts: 5, delay: 500, maxDelay: 30_000
     */
    retry?: RetryOptions | false | undefined;
    /**
     * Called before each wait, and awaited. If it throws, the transfer fails. Do
     * not await another download or upload of the same client in it: that call
     * waits for this one to end.
     */
    onRetry?: ((event: RetryEvent) => unknown) | undefined;
    /**
     * Whether to complete an unfinished transfer of an earlier call, and to keep
     * an unfinished file for a later one.
     *
     * The name of an unfinished file is predictable, and only its last 64 KiB are
     * compared. A download therefore uses it only if no other user can have
     * written to it. It must be a plain file with a single name, of the same
     * owner as new files, writable by that owner alone. Otherwise it stays
     * untouched, `trace` reports it, and the file is downloaded from its
     * beginning. The same applies to a target in place (`atomic: false`).
     *
     * Windows reports neither owner nor permissions, and neither does a server.
     * If others may write to the directory there, add `verify: "hash"`.
     *
     * @default false
     */
    resume?: boolean | undefined;
    /**
     * Whether to write under a temporary name, and to replace the target when the
     * file is complete and verified.
     *
     * Files written in place suffer from lost connections. A server may execute
     * an old `STOR` late, after a retry. It may keep the file locked while it
     * believes that the old connection exists (vsftpd: 300 seconds). It may
     * refuse to overwrite the file (ProFTPD's `AllowOverwrite off`), or store it
     * under another name without saying so (Pure-FTPd's `--autorename`; only the
     * size may show it). An upload under a temporary name recovers from all of
     * these. A local file keeps its content until the first new byte arrives, so
     * a refusal changes nothing.
     *
     * @default true
     */
    atomic?: boolean | undefined;
    /**
     * What to compare before the file replaces its target.
     *
     * "size": the server's `SIZE` and the bytes transferred, if the server
     * supports `SIZE`. Otherwise a download uses the size in the 150 reply. A
     * data connection that the server resets after the last byte is accepted, if
     * the final reply is 2yz and the size matches.
     *
     * After an upload, a server may report a part, 0, the old size or nothing, as
     * FTP servers in front of object stores do. The client then asks again for three
     * seconds. With `atomic: false`, the size proves nothing if the old file had
     * the same size. A drop box that takes the file away reports no size. In both
     * cases the result's `verified` is `null`, and only the server's 226 confirms
     * the upload.
     *
     * A download with fewer bytes than announced is an error. More bytes are
     * accepted if the server's file has grown to at least that size, as a log
     * does. The result is then the file as of one point in time. If the data took
     * longer than a second, size and time are requested again. A file with the
     * same size and another time was overwritten, and is downloaded again.
     * Changes within a shorter time, or within the one-second resolution of
     * `MDTM`, are found only by a hash.
     *
     * "hash": also a hash, if the server has one (`HASH`, `XSHA256`, `XSHA1`,
     * `MD5`, `MMD5`, `XMD5`, `XCRC`). Server and client read the whole file for
     * it, at the same time. The time limit is `timeout` plus one second for every
     * 10 MB. A file that keeps growing never matches.
     *
     * "none": nothing is compared.
     *
     * @default "size"
     */
    verify?: "size" | "hash" | "none" | undefined;
    /**
     * Whether to copy the file's modification time. If it cannot be set (the
     * server has no command for it, another user owns the local file, the file
     * system refuses), the transfer still succeeds, and the result's `mtime` is
     * `null`.
     *
     * A server may use a time zone of its own. An upload learns the zone from the
     * file that it has just written. A download cannot: the local file gets the
     * time that the server shows. The zone is known after an upload, or from the
     * option `serverZone`.
     *
     * @default true
     */
    mtime?: boolean | undefined;
    /**
     * Milliseconds between `NOOP`s on the control connection while data flows,
     * for firewalls that drop idle connections; 0 or `Infinity` for none.
     *
     * @default 0
     */
    keepAlive?: number | undefined;
    /**
     * Aborts the transfer. The temporary file is removed, or kept for a later
     * call with `resume`. A process that is killed leaves it behind. To avoid
     * that on Ctrl-C:
     *
     * ```ts ignore
     * const controller = new AbortController();
     * Deno.addSignalListener("SIGINT", () => controller.abort());
     * await ftp.upload("image.iso", "image.iso", { signal: controller.signal });
     * ```
     */
    signal?: AbortSignal | undefined;
}

/**
 * Options of {@linkcode FTP.prototype.download FTP.download}.
 *
 * If the target is a symbolic link, the file that it points to is replaced or
 * created. A file written in place (`atomic: false`) and an unfinished file
 * that may be resumed are locked, if the file system supports locks. Another
 * download to it then fails with `Deno.errors.Busy`.
 *
 * A replaced file passes its permissions on, whatever the umask, but not its
 * owner and group. A different group gets no more than the umask allows.
 * Devices and pipes (`/dev/stdout`, a named pipe) are written directly. A pipe
 * without a reader is waited for until `signal` or `close()`. An upload waits
 * for a pipe without a writer in the same way.
 */
export interface DownloadOptions extends FileTransferOptions {
    /**
     * Largest size of the file, in bytes, for servers that send without end,
     * whatever `SIZE` says. A larger file is an error, and nothing of it is kept.
     * * @default Infinity */
    maxSize?: number | undefined;
    /**
     * Whether to write the file to disk (`fsync`) before it replaces its target.
     * Without it, the file may be empty after a power failure within the next
     * seconds. With it, each file waits for the disk.
     *
     * @default false
     */
    sync?: boolean | undefined;
    /**
     * Largest number of parts to download at once, 1 to 64, each on its own
     * connection. Useful if a server or a network limits the rate of each
     * connection. A segment has at least 1 MiB. The file is downloaded as one
     * segment if the server reports no size or refuses `REST`, in place
     * (`atomic: false`), and to a device or a pipe. If the server refuses further
     * connections, the existing ones download all segments. Size and time are
     * requested again at the end.
     *
     * With `resume`, the temporary file keeps the data of each segment. If the
     * process was killed, the download starts over.
     *
     * @default 1
     */
    segments?: number | undefined;
    /**
     * Whether to remove the file from the server after the download. First the
     * local file is complete, verified and written to disk (as with `sync`). Then
     * the client requests size and time of the server's file again. If they have
     * changed, if the server has no `SIZE`, or if it refuses the removal, the
     * call throws; the local file is then complete, and the server's file stays.
     * A change that keeps the size, within the same second of `MDTM`, is not
     * detected.
     *
     * If the process is killed in between, both files remain. Not possible with
     * `verify: "none"`, nor for a pipe or a device.
     *
     * @default false
     */
    removeSource?: boolean | undefined;
}

/**
 * Options of {@linkcode FTP.prototype.upload FTP.upload}.
 *
 * A local file that changes its size or time during the upload is sent again.
 * If it keeps changing, the upload fails with an `FTPVerificationError`, and
 * the old file stays. Pass a file that is written all the time, such as a log,
 * as an open `Deno.FsFile`: its content up to the end is sent.
 *
 * A replaced file becomes a new file. It gets the old one's permissions if the
 * server reports them (`STAT`) and sets them (`SITE CHMOD`), just before the
 * rename. Until then, and on other servers, it has the server's default
 * permissions. Set-user-ID bits, owner, access control lists and further hard
 * links are lost. A symbolic link is replaced by a plain file, and the file it
 * points to stays unchanged. A server that forbids overwriting (ProFTPD without
 * `AllowOverwrite on`) may still rename over a file, or needs
 * `replace: "delete"`. With `atomic: false` all of this depends on the server's
 * `STOR`.
 *
 * A temporary file stays on the server if the process is killed or the server
 * refuses to delete it. Its name is `.<name>.<16 hexadecimal digits>.part`, or
 * `.<name>.resume-<digits>.part` with `resume`. The next call with `resume` for
 * the same unchanged file continues with the latter. The others can be deleted
 * by hand while no upload is running.
 */
export interface UploadOptions extends FileTransferOptions {
    /**
     * Size of the source in bytes, if it does not have one itself: a stream, an
     * iterable, an open file or a pipe. Progress then has a `total`. A source
     * with more or fewer bytes fails with an `FTPVerificationError`, and the old
     * file stays (see `atomic`). A `Response` has a size if it has a
     * `content-length`.
     * * @default the size of the source */
    size?: number | undefined;
    /**
     * What to do if the server refuses to rename over an existing file. "rename":
     * the call fails, and the old file stays. "delete": the old file is moved
     * aside, and deleted once the new one has its name. Between the two, no file
     * has the name. If the new file cannot get the name, the old one gets it
     * back. If that fails too, the error contains both names.
     *
     * A refusal or a missing reply is checked: `SIZE` and `MLST` show which file
     * has which name. If the sizes are equal, the file is read back. A confirmed
     * rename is checked as well: sizes prove it in the same round trip.
     *
     * For servers that cannot rename at all (a drop box), use `atomic: false`.
     *
     * @default "rename"
     */
    replace?: "rename" | "delete" | undefined;
    /**
     * Returns the temporary name, for servers that refuse names with a leading
     * dot. It is called with the file's name and a mark that is unique to this
     * upload. A name without the mark is the same for two simultaneous uploads.
     * The result is a single path segment; the file is written next to its
     * target.
     *
     * A mirror skips temporary files in its source directory, but only those with
     * default names. Exclude other names with the mirror's `filter` while uploads
     * are running, or after one was left behind.
     *
     * @default (name, mark) => `.${name}.${mark}.part`
     */
    temporaryName?: ((name: string, mark: string) => string) | undefined;
}

/** Result of `download` and `upload`. */
export interface FileTransferResult {
    /** Size of the file, in bytes. */
    readonly size: number;
    /** Bytes transferred by this call; bytes that were sent twice count twice. */
    readonly bytes: number;
    /**
     * What was compared and found equal: "size", or the name of a hash such as
     * "SHA-256". `null` if the server reported nothing to compare, and only its
     * final reply confirms the file. After an upload under a temporary name, the
     * comparison was made before the rename.
     */
    readonly verified: string | null;
    /** The time that the file was given, or `null` if it has another. */
    readonly mtime: Date | null;
    /** Number of retries. */
    readonly retries: number;
}

/** Progress of a transfer. */
export interface Progress {
    /** Bytes of the file transferred, including those of an earlier call. */
    readonly transferred: number;
    /** Size of the file in bytes, or `null` if it is not known. */
    readonly total: number | null;
    /** Current rate in bytes per second, a whole number. */
    readonly rate: number;
    /**
     * Milliseconds until the end at this rate, a whole number; `null` if the
     * total is not known or the rate is 0.
     */
    readonly eta: number | null;
    /**
     * Whether this is the last report: every byte was transferred and verified.
     * The file still has to replace its target; only the end of the call shows
     * that it has.
     */
    readonly done: boolean;
}

/** Options of {@linkcode progressBar}. */
export interface ProgressBarOptions {
    /**
     * Text before the bar, such as the file's name.
     * * @default "" */
    label?: string | undefined;
    /**
     * Whether the output is a terminal.
     *
     * @default whether standard error is one
     */
    isTerminal?: boolean | undefined;
    /**
     * Width in columns.
     *
     * @default the terminal's
     */
    columns?: number | undefined;
    /**
     * Writes text to the terminal.
     *
     * @default to standard error
     */
    write?: ((text: string) => void) | undefined;
}

/**
 * Creates a callback that draws a progress bar. Draws nothing if the output is
 * not a terminal.
 *
 * @param options Label and terminal
 * @returns A function for the option `onProgress`
 *
 * @example Watch a download
 * ```ts
 * import { connect, progressBar } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * await using ftp = await connect("ftp://ftp.example.com/pub");
 * const onProgress = progressBar({ label: "image.iso" });
 * await ftp.download("image.iso", "image.iso", { onProgress });
 * ```
 */
export declare function progressBar(options?: ProgressBarOptions): (progress: Progress) => void;

/** How a failed transfer is retried. */
export interface RetryOptions {
    /**
     * Number of retries in a row without progress. Also the total number of
     * retries because the files differed (`FTPVerificationError`).
     * * @default 5 */
    attempts?: number | undefined;
    /**
     * Milliseconds before the first retry. Each further wait is twice as long,
     * minus a random part of up to one half.
     *
     * @default 500
     */
    delay?: number | undefined;
    /**
     * Longest wait, in milliseconds.
     *
     * @default 30_000
     */
    maxDelay?: number | undefined;
}

/** A retry that is about to start. */
export interface RetryEvent {
    /** The error of the last attempt. */
    readonly error: Error;
    /**
     * Number of failures in a row without progress, or number of times the files
     * differed; 1 for the first.
     */
    readonly attempt: number;
    /** Whole milliseconds until the retry. */
    readonly delay: number;
    /** Bytes of the file transferred. */
    readonly transferred: number;
}

/** Options of {@linkcode FTP.prototype.retrieve FTP.retrieve}. */
export interface RetrieveOptions {
    /**
     * Offset of the first byte. The first call with an offset downloads the last
     * byte of the file, which shows whether the server starts at an offset or
     * ignores it. Without `SIZE` that is not checked.
     * * @default 0 */
    offset?: number | undefined;
    /**
     * Largest number of bytes to read. The stream ends after them, and the
     * transfer is aborted if the file is longer. A shorter file ends the stream
     * earlier.
     *
     * @default Infinity
     */
    length?: number | undefined;
    /** Aborts the transfer. The stream errors with the signal's reason. */
    signal?: AbortSignal | undefined;
}

/** Options of {@linkcode FTP.prototype.store FTP.store}. */
export interface StoreOptions {
    /**
     * Offset at which the server starts to write, in bytes (`REST`). The file
     * must reach it. Some servers accept `REST` and replace the whole file:
     * afterwards the size is compared, and, until the server has kept them once,
     * the bytes before the offset. Without `SIZE` and read access, nothing is
     * checked.
     * * @default 0 */
    offset?: number | undefined;
    /**
     * Whether to append to the file (`APPE`).
     *
     * @default false
     */
    append?: boolean | undefined;
    /** Aborts the transfer. The call rejects with the signal's reason. */
    signal?: AbortSignal | undefined;
}

/** Options of {@linkcode FTP.prototype.open FTP.open}. */
export interface OpenOptions {
    /**
     * Size of a block, in bytes: the unit of downloads and of the cache. A
     * multiple of 512.
     * * @default 65_536 */
    blockSize?: number | undefined;
    /**
     * Size of the cache, in bytes.
     *
     * @default 4_194_304
     */
    cacheSize?: number | undefined;
    /**
     * Attempts of a failed read, and the waits between them; `false` for no
     * retries.
     *
     * @default attempts: 5, delay: 500, maxDelay: 30_000
     */
    retry?: RetryOptions | false | undefined;
    /** Called before each wait, and awaited. If it throws, the read fails. */
    onRetry?: ((event: RetryEvent) => unknown) | undefined;
    /** Aborts opening the file, and every read. */
    signal?: AbortSignal | undefined;
}

/**
 * A file on the server, open for reading at any position, such as the index at
 * the end of an archive and one of its members. Returned by
 * {@linkcode FTP.prototype.open FTP.open}.
 *
 * The file uses its own connection until it is closed. It is downloaded in
 * blocks, which are cached up to `cacheSize`. Reads in order continue the same
 * transfer. Another position aborts it and starts a new one (`REST`, `RETR`).
 */
export declare class RemoteFile implements AsyncDisposable { #private;
    /** @ignore */
    private constructor();
    /** @ignore */
    static create(reader: BlockSource, { cacheSize }: {
        cacheSize: number;
    }): RemoteFile;
    /** Size in bytes when the file was opened. */
    get size(): number;
    /** Time of the last change, or `null` if the server does not report it. */
    get mtime(): Date | null;
    /** Position of the next read, in bytes. */
    get position(): number;
    /**
     * Reads at the current position, and advances it.
     *
     * The server's final reply confirms only the last block of the file. Other
     * blocks are protected only by the checks of TCP, or TLS. When a new transfer
     * starts, the file's size and time are checked; a change is an error.
     *
     * @param buffer The buffer to fill, unless the file ends before
     * @returns Number of bytes, or `null` at the end of the file
     * @throws {FTPVerificationError} If the file on the server changed
     * @throws {FTPError} If the server refuses
     * @throws {Deno.errors.BadResource} If the file is closed
     * @throws {Error} `Deno.errors.*` if the connection fails, after its retries
     */
    read(buffer: Uint8Array): Promise<number | null>;
    /**
     * Sets the position. Nothing is sent.
     *
     * @param offset Offset in bytes, relative to `whence`
     * @param whence The start, the current position, or the end of the file
     * @returns The new position
     * @throws {RangeError} If the position is negative, or the offset is not an
     * integer
     */
    seek(offset: number | bigint, whence?: Deno.SeekMode): Promise<number>;
    /** Closes the file and its connection. */
    close(): Promise<void>;
    /** Closes the file and its connection. */
    [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Options of an {@linkcode FTPMirrorError}.
 *
 * @internal
 */
declare interface FTPMirrorErrorOptions extends FTPErrorOptions {
    /** Counts of everything done. */
    result: MirrorResult;
    /** Entries that failed. */
    failures: FTPMirrorError["failures"];
    /** Number of entries that were not reached. */
    unreached?: number | undefined;
}

/**
 * Some entries of a directory were not mirrored. All others were, unless the
 * connection was lost permanently. The `cause` is the error that ended the
 * mirror, or else the error of the first failure.
 */
export declare class FTPMirrorError extends FTPError {
    /** Name of the class. */
    name: string;
    /** Counts of everything done. */
    readonly result: MirrorResult;
    /**
     * The first thousand failures: path relative to the mirrored directory ("" for
     * that directory), and error. `result.failed` counts all.
     */
    readonly failures: readonly {
        readonly path: string;
        readonly error: unknown;
    }[];
    /**
     * Number of the source's entries that were listed, and not reached before the
     * connection was lost; 0 in all other cases. A directory that was not listed
     * counts as one entry, and `filter` was not asked.
     */
    readonly unreached: number;
    /**
     * Creates an error.
     *
     * @param message The action, and what is missing
     * @param options Result, failures, reply, command and cause
     */
    constructor(message: string, options: FTPMirrorErrorOptions);
}

/** An entry of one of the two directories. */
export interface MirrorEntry {
    /** Path relative to the mirrored directory, with `/` between names. */
    readonly path: string;
    /** Last name of the path. */
    readonly name: string;
    /** Depth below the mirrored directory; its own entries have depth 1. */
    readonly depth: number;
    /** Kind of the entry. */
    readonly kind: Entry["kind"];
    /** Size of a file in bytes; `undefined` if it is not known. */
    readonly size: number | undefined;
    /** Time of the last change; `undefined` if it is not known. */
    readonly mtime: Date | undefined;
}

/** An action on one entry; in a dry run, one that would be taken. */
export interface MirrorEvent {
    /**
     * The action:
     * * - `"transfer"`: a file was transferred;
     * - `"unchanged"`: the target has the file already;
     * - `"make"`: a directory was created;
     * - `"remove"`: an entry that the source lacks was removed, a directory with
     *   everything in it;
     * - `"skip"`: nothing was done, for the event's `reason`;
     * - `"fail"`: the action failed with the event's `error`.
     */
    readonly action: "transfer" | "unchanged" | "make" | "remove" | "skip" | "fail";
    /**
     * The entry as it is in the source, or in the target if the source lacks it.
     */
    readonly entry: MirrorEntry;
    /**
     * Reason of the action, unless the action needs none.
     *
     * - `"new"`, `"size"`, `"time"`, `"hash"`: the target's file is missing, or has
     *   another size, time or hash, and was transferred;
     * - `"always"`: the file was transferred without a comparison;
     * - `"missing"`: the source lacks the entry, which was removed;
     * - `"kind"`: the source has an entry of another kind with this name, so it was
     *   removed;
     * - `"symlink"`: a symbolic link was skipped;
     * - `"loop"`: a directory that leads back to one above it was skipped;
     * - `"other"`: a device, a pipe or the like was skipped;
     * - `"part"`: a temporary file of a transfer was skipped;
     * - `"hostile"`: an entry of the target with an unsafe name was skipped;
     * - `"twin"`: an entry of the target was not removed, because the source may
     *   list it under another name (`A` and `a`).
     */
    readonly reason?: "new" | "size" | "time" | "hash" | "always" | "missing" | "kind" | "symlink" | "loop" | "other" | "part" | "hostile" | "twin" | undefined;
    /** Error of the action `"fail"`. */
    readonly error?: unknown;
}

/**
 * Progress of a mirror. The total is unknown, because the tree is read during
 * the mirror.
 */
export interface MirrorProgress {
    /** Path of the current file. */
    readonly path: string;
    /** Progress of the current file. */
    readonly file: Progress;
    /** Number of files transferred before. */
    readonly transferred: number;
    /** Bytes of those files, and of all current files so far. */
    readonly bytes: number;
}

/**
 * Options that {@linkcode FTP.prototype.downloadDir FTP.downloadDir} and {@linkcode FTP.prototype.uploadDir FTP.uploadDir} share.
 */
export interface MirrorOptions extends Omit<FileTransferOptions, "onProgress"> {
    /**
     * How changed files are detected.
     * * - `"size-and-time"`: a file is unchanged if the target's file has the same
     *   size, and the time that the mirror gave it. Any other time, newer or
     *   older, is a change. Times are compared to the second, or to the
     *   resolution of the server's times. If a listing is less exact, `MDTM` is
     *   sent, for many files at once.
     * *   Server times are in the server's time zone, and no zone is believed
     *   without proof. If it matters, an upload writes a file of one byte
     *   (`.clock.<16 hexadecimal digits>.part`, or a name from `temporaryName`).
     *   It checks how the server shows and sets the file's time, and deletes the
     *   file. This happens once an hour for each server; ProFTPD and Pure-FTPd
     *   need no proof. A download writes nothing. It compares with the time that
     *   the server shows, in the zone of the option `serverZone`, of `list.zone`,
     *   or of an earlier upload. A dry run writes nothing either, and treats
     *   unproven files as changed.
     *
     *   A server that cannot set times gives a file the time of its upload. The
     *   file is unchanged if that time, by the server's measured clock, is after
     *   the last change of the local file, including its `ctime`. A file with a
     *   time in the future is therefore sent each time.
     *
     *   Two changes within the same second have the same time. An upload
     *   therefore waits until the second of the last change is over (three
     *   seconds if the server cannot set times). A change on the server within
     *   the same second, or within the same minute if it reports no seconds, is
     *   not detected.
     * - `"size"`: a file is unchanged if the sizes are equal. For sources whose
     *   times mean nothing, such as a fresh checkout, and for servers without a
     *   clock. A change that keeps the size is not detected.
     * - `"hash"`: a file is unchanged if size and hash are equal, if the server
     *   has a hash (`HASH`, `XSHA256`, `XSHA1`, `XMD5`, `XCRC`). Otherwise like
     *   `"size-and-time"`.
     * - `"always"`: every file is transferred.
     *
     * @default "size-and-time"
     */
    compare?: "size-and-time" | "size" | "hash" | "always" | undefined;
    /**
     * Whether to remove extraneous entries: those that the source lacks, and
     * those in the way of an entry of another kind.
     *
     * This is the last step. Both directories are listed again first, and nothing
     * is removed if anything failed before. A listing that the server cut, or of
     * a directory that may not be read, is a failure. No listing is believed
     * alone. Just before an entry is removed, the source is asked for its name
     * (`MLST`, or `SIZE`, `MDTM` and `CWD`; a lookup on the local disk). If the
     * source has it, the mirror fails and removes nothing else. If the server
     * does not tell, the entry stays and counts as failed. An entry that another
     * program creates between the question and the removal is not detected.
     *
     * An entry of another kind is replaced when the new one is complete under a
     * temporary name: the old one is renamed, the new one takes its place, and
     * then the old one is removed. It stays if `filter` leaves out something in
     * it. With `atomic: false` the old one is removed first.
     *
     * Entries that `filter` leaves out stay. Everything stays if the source is
     * empty. Symbolic links are removed, never followed.
     *
     * Temporary files of earlier transfers in the target are removed as well. So
     * are those of another program that is writing there, whose transfer then
     * fails. To keep them, exclude them with `filter`: names ending in `.part`,
     * or those of `temporaryName`.
     *
     * @default false
     */
    delete?: boolean | undefined;
    /**
     * Largest number of entries that `delete` may remove: a number, or a
     * percentage of the target's entries, such as `"10%"`. If more would be
     * removed, nothing is, and the mirror fails after its transfers. A dry run
     * fails in the same way. Each file, link and directory counts, at any depth,
     * including those in the way of an entry of another kind. Entries that
     * `filter` leaves out do not count.
     *
     * @default Infinity
     */
    maxDelete?: number | `${number}%` | undefined;
    /**
     * Returns whether an entry takes part. Other entries are neither transferred
     * nor removed, and neither are the entries of such a directory. Called for
     * the source's entries and, with `delete`, for those that only the target
     * has; for some more than once. The result must be `true` or `false`. A
     * promise, as an async function returns it, is rejected.
     */
    filter?: ((entry: MirrorEntry) => boolean) | undefined;
    /**
     * What to do with symbolic links of the source. "skip": nothing. "follow":
     * transfer what they lead to, under their names, unless it is a directory
     * that contains them. Links are never created, and those of the target are
     * never followed. Some servers show links as the entries that they lead to.
     * Those are not links here, unless `delete` requires a second check of the
     * target.
     *
     * @default "skip"
     */
    symlinks?: "skip" | "follow" | undefined;
    /**
     * Largest depth of directories. Deeper ones fail.
     *
     * @default 256
     */
    maxDepth?: number | undefined;
    /**
     * Whether to change nothing, and only report what would be done.
     *
     * @default false
     */
    dryRun?: boolean | undefined;
    /**
     * Largest number of connections, including the client's own. The others are
     * opened when there is work for them, as by {@linkcode FTPProtocol.prototype.clone FTP.clone}, and closed
     * at the end. If the server allows fewer, those do all the work. Trees with
     * many small files and directories gain most, and more so with a longer round
     * trip. "auto" opens another one as long as the last one made the work faster
     * by a seventh and the server lets it in, up to eight.
     *
     * @default 1
     */
    connections?: number | "auto" | undefined;
    /**
     * Rate limit of all connections together, in bytes per second.
     *
     * @default no limit
     */
    maxRate?: number | undefined;
    /** Options for listing the server's directories. */
    list?: Omit<ListOptions, "all" | "onUnknown" | "signal"> | undefined;
    /**
     * Called after each entry. Not awaited. If it throws or rejects, the mirror
     * fails.
     */
    onEntry?: ((event: MirrorEvent) => void) | undefined;
    /**
     * Called while the bytes of a file are transferred, and once at its end, for
     * each current file. Not awaited. If it throws or rejects, the mirror fails.
     */
    onProgress?: ((progress: MirrorProgress) => void) | undefined;
    /** Aborts the mirror. Finished work stays. */
    signal?: AbortSignal | undefined;
}

/** Options of {@linkcode FTP.prototype.downloadDir FTP.downloadDir}. */
export interface DownloadDirOptions extends MirrorOptions, Pick<DownloadOptions, "maxSize" | "sync"> {
    /**
     * Whether to remove each file from the server after its download, like
     * `removeSource` of `download`. Every file is then transferred, even if the
     * target has it. Directories stay on the server. Not possible with `delete`,
     * which would remove the local files in the next call.
     * * @default false */
    removeSource?: boolean | undefined;
}

/** Options of {@linkcode FTP.prototype.uploadDir FTP.uploadDir}. */
export interface UploadDirOptions extends MirrorOptions, Pick<UploadOptions, "replace" | "temporaryName"> { }

/** Counts of a mirror; in a dry run, of what would be done. */
export interface MirrorResult {
    /** Files transferred. */
    readonly transferred: number;
    /** Files that the target had already. */
    readonly unchanged: number;
    /** Directories created. */
    readonly made: number;
    /** Entries removed; a directory with everything in it counts as one. */
    readonly removed: number;
    /** Entries skipped, such as links and devices. */
    readonly skipped: number;
    /** Entries that failed. */
    readonly failed: number;
    /** Bytes transferred; in a dry run, sizes of the files as listed. */
    readonly bytes: number;
}

/**
 * Location of an entry in a walk.
 *
 * @internal
 */
declare interface WalkPlace {
    /** The path as text. */
    readonly path: string;
    /** The path of its directory as bytes. */
    readonly directory: Uint8Array;
    /** Depth below the root of the walk; its entries have depth 1. */
    readonly depth: number;
    /** Whether it is a directory that contains itself. */
    readonly isLoop: boolean;
}

/** An entry of a directory tree, with its path. */
export declare class WalkEntry extends Entry { #private;
    /**
     * The path, relative to the root of the walk. Check `hostile` before using
     * it.
     */
    readonly path: string;
    /** Depth below the root of the walk; its entries have depth 1. */
    readonly depth: number;
    /**
     * Whether it leads back to a directory that contains it. It was not followed.
     */
    readonly isLoop: boolean;
    /**
     * Adds a path to an entry.
     *
     * @param entry The entry
     * @param place Its location
     * @ignore
     */
    constructor(entry: Entry, place: WalkPlace);
    /** The path as bytes. They open the same file in any encoding. */
    get rawPath(): Uint8Array;
    /**
     * Returns the fields as a plain object.
     *
     * @returns The known fields, path and depth
     */
    toJSON(): Record<string, unknown>;
}

/** Options of {@linkcode FTP.prototype.walk FTP.walk}. */
export interface WalkOptions extends ListOptions {
    /**
     * Largest depth: 1 for the directory's own entries. Without it, a tree of
     * more than 256 levels is a `RangeError`.
     * * @default Infinity */
    maxDepth?: number | undefined;
    /**
     * Whether to return files, and entries that are neither directories nor
     * links.
     *
     * @default true
     */
    includeFiles?: boolean | undefined;
    /**
     * Whether to return directories.
     *
     * @default true
     */
    includeDirs?: boolean | undefined;
    /**
     * Whether to return symbolic links.
     *
     * @default true
     */
    includeSymlinks?: boolean | undefined;
    /**
     * Whether to enter the directories that symbolic links lead to. If `MLSD`
     * shows links as directories (pyftpdlib), they are always entered, but never
     * in a loop; `command: "LIST"` shows them as links.
     *
     * @default false
     */
    followSymlinks?: boolean | undefined;
    /**
     * Returns only matching entries. Directories are entered in any case.
     *
     * A glob must match the whole path below the root of the walk:
     *
     * | pattern  | matches                                                 |
     * | -------- | ------------------------------------------------------- |
     * | `*`      | any characters of one name, including a leading dot     |
     * | `**`     | any number of names: `logs/**`, `**` before `/*.csv`    |
     * | `?`      | one character of a name                                 |
     * | `[a-z]`  | one of these characters; `[!a-z]`: any other            |
     * | `{a,b}`  | one of these globs                                      |
     * | `\`      | the next character, literally                           |
     *
     * A glob takes linear time in the length of the path. A regular expression is
     * searched for in the whole `path` of the entry.
     */
    match?: string | RegExp | readonly (string | RegExp)[] | undefined;
    /**
     * Excludes entries that match, and everything in them. Globs and regular
     * expressions work as in `match`.
     */
    skip?: string | RegExp | readonly (string | RegExp)[] | undefined;
    /**
     * Largest number of entries in one directory, which are all kept while it is
     * walked. More entries are a `RangeError`.
     *
     * @default 1_000_000
     */
    maxEntries?: number | undefined;
    /**
     * Called if a directory cannot be listed. Not awaited; the walk continues
     * unless it throws. Without it, the walk fails.
     */
    onError?: ((error: FTPError, path: string) => unknown) | undefined;
}

/** Kind of an entry. A line that no format can read is `"unknown"`. */
declare type EntryKind = Entry["kind"];

/** Resolution of an entry's time. */
declare type TimePrecision = "second" | "minute" | "day";

/**
 * Data of entries: the lines that were read together. Each method reads the
 * line anew.
 *
 * @internal
 */
declare interface EntrySource {
    /** The name as text. */
    name(index: number): string;
    /** The name as bytes, which the caller may keep. */
    rawName(index: number): Uint8Array;
    /** The path from the listed directory; without it, the name. */
    path?(index: number): string;
    /** Kind of the entry. */
    kind(index: number): EntryKind;
    /** Size in bytes. */
    size(index: number): number | undefined;
    /** Whether the server rounded the size. */
    isSizeApproximate(index: number): boolean;
    /** Time of the last modification, a new `Date` on each call. */
    mtime(index: number): Date | undefined;
    /** Resolution of `mtime`. */
    mtimePrecision(index: number): TimePrecision | undefined;
    /** Permission bits. */
    mode(index: number): number | undefined;
    /** Target of a symbolic link. */
    linkTarget(index: number): string | undefined;
    /** The owner, by name or number. */
    owner(index: number): string | undefined;
    /** The group, by name or number. */
    group(index: number): string | undefined;
    /** Facts of MLSD. */
    facts(index: number): Record<string, string> | undefined;
    /** The line as text. */
    line(index: number): string;
    /** Length of the line in bytes, without decoding it. */
    lineLength(index: number): number;
    /** Name of the format that read the line. */
    format(index: number): string;
    /** Releases memory, at the cost of the next access. */
    pack?(): void;
}

/** Properties that replace those of the line. */
declare interface EntryChanges {
    /** The name, as text and as bytes. */
    readonly name?: { readonly text: string;
        readonly raw: Uint8Array;
    };
    /** Zone of the time, in minutes east of UTC. */
    readonly zone?: number | undefined;
    /** Target of a link, from another line. */
    readonly target?: string;
}

/**
 * A file, directory or link of a listing. The fields are named as in
 * `Deno.DirEntry` and `Deno.FileInfo`.
 *
 * An entry reads its fields from the block of lines that it came with, when
 * they are used. To keep millions of entries, keep their fields instead.
 *
 * @example Create an entry in a test of your own code
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Entry } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * const entry = Entry.from({ name: "a.txt", size: 5, mtime: new Date(0) });
 * assertEquals(entry.isFile, true);
 * ```
 */
export declare class Entry implements Deno.DirEntry { #private;
    /**
     * Creates an entry from its fields, for tests.
     *
     * @param fields The name, and the other fields as far as they matter;
     * `kind` is `"file"` by default
     * @returns The entry
     */
    static from(fields: Pick<Entry, "name"> & Partial<Omit<Entry, "isFile" | "isDirectory" | "isSymlink" | "hostile" | "toJSON">>): Entry;
    /**
     * Creates an entry. `ListingReader` does this.
     *
     * @param source The lines that were read together
     * @param index Index of the line
     * @param changes Properties that replace those of the line
     * @ignore
     */
    constructor(source: EntrySource, index: number, changes?: EntryChanges);
    /** The name as the server sent it, decoded with the session's encoding. */
    get name(): string;
    /**
     * The name as bytes. Used as a path, they open the same file in any encoding.
     */
    get rawName(): Uint8Array;
    /** Kind of the entry. */
    get kind(): "file" | "directory" | "symlink" | "other" | "unknown";
    /** Whether it is a regular file. */
    get isFile(): boolean;
    /** Whether it is a directory. */
    get isDirectory(): boolean;
    /** Whether it is a symbolic link. */
    get isSymlink(): boolean;
    /**
     * Size in bytes; `undefined` if the server does not report it, or if it
     * exceeds 2^53 (`facts.size` and `line` contain it).
     */
    get size(): number | undefined;
    /**
     * Whether the server rounded the size (kilobytes, blocks), so that it must
     * not be compared with a number of bytes.
     */
    get isSizeApproximate(): boolean;
    /**
     * Time of the last modification; `undefined` if it is unknown. Servers send
     * years before 1902 or after 2499 for unknown times.
     */
    get mtime(): Date | undefined;
    /**
     * Resolution of `mtime`: a LIST line has minutes for new files and days for
     * old ones. `undefined` without a time.
     */
    get mtimePrecision(): "second" | "minute" | "day" | undefined;
    /** Permission bits, set-user-ID, set-group-ID and sticky bits included. */
    get mode(): number | undefined;
    /**
     * Target of a symbolic link; `undefined` if the server does not report it.
     */
    get linkTarget(): string | undefined;
    /** The owner, by name or number. */
    get owner(): string | undefined;
    /** The group, by name or number. */
    get group(): string | undefined;
    /**
     * Facts of MLSD (RFC 3659, 7.5), with keys in lower case; `undefined` in a
     * LIST.
     */
    get facts(): Record<string, string> | undefined;
    /** The line as the server sent it, without its line end. */
    get line(): string;
    /** Name of the format that read the line; `"unknown"` if none could. */
    get format(): string;
    /**
     * Whether the name must not become part of a path: it is empty, `.` or `..`,
     * contains `/`, `\`, NUL, CR or LF, or is a line that no format could read.
     */
    get hostile(): boolean;
    /**
     * Returns the fields as a plain object, which `JSON.stringify` uses and which
     * does not keep the listing in memory.
     *
     * @returns The known fields
     */
    toJSON(): Record<string, unknown>;
}

/** The result of reading a line. */
export interface ParsedLine {
    /** The name, one character for each byte: a part of the line. */
    name: string;
    /**
     * Path from the listed directory, if it is not the name: of an entry in another
     * directory of the same listing.
     */
    path?: string | undefined;
    /** Kind of the entry. */
    kind: Entry["kind"];
    /** Version of the file, if there are several. The newest comes first. */
    version?: number | undefined;
    /** Size in bytes, if the line has it. */
    size?: number | undefined;
    /** Whether the server rounded the size. */
    isSizeApproximate?: boolean;
    /** Time of the last modification. */
    mtime?: Date | undefined;
    /** Resolution of `mtime`. */
    mtimePrecision?: "second" | "minute" | "day" | undefined;
    /** Permission bits. */
    mode?: number | undefined;
    /** Target of a symbolic link: a part of the line. */
    linkTarget?: string | undefined;
    /** The owner: a part of the line. */
    owner?: string | undefined;
    /** The group: a part of the line. */
    group?: string | undefined;
}

/** Context of a line. */
export interface LineContext {
    /** Current time, in milliseconds since 1970. */
    readonly now: number;
    /** Milliseconds by which a date without a year may lie in the future. */
    readonly slack: number;
    /** Zone of the listing's times, in minutes east of UTC. */
    readonly zone: number;
    /** Name of the listed directory without its parents, if it is known. */
    readonly directory?: string | undefined;
}

/** A format of directory listings. */
export interface ListingFormat {
    /** Name of the format, as in `Entry.format`. */
    readonly name: string;
    /**
     * Reads a line. Must be pure: the same line gives the same result.
     *
     * @param line The line without its line end, one character for each byte, so
     * that names keep their bytes. After `"partial"`, the previous line and this
     * one, joined by a blank
     * @param context Current time, and the listing's zone
     * @returns An entry; `"frame"` for a header, a footer or another line that is
     * not an entry; `"note"` for one that is also reported to the user;
     * `"partial"` for the first line of an entry that continues in the next one; or
     * `undefined` for a line that is not in this format
     */
    read(line: string, context: LineContext): ParsedLine | "frame" | "note" | "partial" | undefined;
    /**
     * Reads a line that {@linkcode read} cannot read, and that is ambiguous in
     * other listings. Called only if the format can read all of the first lines.
     *
     * @param line As in {@linkcode read}
     * @param context As in {@linkcode read}
     * @returns As in {@linkcode read}
     */
    readLoose?(line: string, context: LineContext): ParsedLine | "frame" | "note" | "partial" | undefined;
    /**
     * Joins the path of a directory that is listed in this format and the name of
     * an entry.
     *
     * @param directory The directory; "" for the current one
     * @param name The entry
     *
     * @default joined with a slash
     */
    join?(directory: string, name: string): string;
}

/**
 * Reads the address in a 227 reply to `PASV`. The six numbers may stand
 * anywhere in the reply (RFC 959, RFC 1123 section 4.1.2.6).
 *
 * @param reply The reply, or its text
 * @returns Host and port as the server states them
 * @throws {FTPReplyError} If the code is not 227
 * @throws {FTPProtocolError} If there are no six numbers, a number is over 255,
 * or the port is 0
 *
 * @example Read a 227 reply
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   parse227("227 Entering Passive Mode (192,168,1,100,10,229)"),
 *   ["192.168.1.100", 2789],
 * );
 * ```
 */
export declare function parse227(reply: Reply | string): [host: string, port: number];

/**
 * Reads the port in a 229 reply to `EPSV` (RFC 2428 section 3). An address in
 * the reply is ignored: the data connection uses the control connection's host.
 * If delimiters or brackets are missing, a single number is accepted as the
 * port, unlike in ftplib.
 *
 * @param reply The reply, or its text
 * @param peer Host and port of the server
 * @returns The server's host and the reply's port
 * @throws {FTPReplyError} If the code is not 229
 * @throws {FTPProtocolError} If there is no `(|||port|)`, with any delimiter,
 * and no single other port, or the port is not 1 to 65535
 *
 * @example Read a 229 reply
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   parse229("229 Entering Extended Passive Mode (|||6446|)", ["::1", 21]),
 *   ["::1", 6446],
 * );
 * ```
 */
export declare function parse229(reply: Reply | string, peer: readonly [host: string, port: number]): [host: string, port: number];

/** A path on the server: text in the session's encoding, or its raw bytes. */
export type Path = string | Uint8Array;

/**
 * Names the method that returns a reply without the secrets that a server
 * repeated in it. Before it becomes part of an error, a reply may be data, such
 * as a path or a size.
 */
declare const REDACTED: unique symbol;

/**
 * Options of an {@linkcode FTPError}.
 *
 * @internal
 */
declare interface FTPErrorOptions extends ErrorOptions {
    /** The reply that caused the error. */
    reply?: Reply | undefined;
    /** The command the reply answers, with its secrets masked. */
    command?: string | undefined;
}

/**
 * Base class of errors that a reply of the server causes.
 *
 * @example Tell the server's "no" from a broken connection
 * ```ts
 * import { FTPError } from "./errors.ts";
 *
 * function isRefused(error: unknown): boolean {
 *   return error instanceof FTPError && error.reply !== undefined;
 * }
 * isRefused(new FTPError("Cannot delete"));
 * ```
 */
export declare class FTPError extends Error {
    /** Name of the class, as in the stack trace. */
    name: string;
    /** The reply that caused the error; `undefined` if there was none. */
    readonly reply: Reply | undefined;
    /** The command that was answered, with its secrets masked. */
    readonly command: string | undefined;
    /**
     * Creates an error. Control characters and secrets in the message, and
     * secrets in the reply, are replaced.
     *
     * @param message The action, its object, and the server's words
     * @param options Reply, masked command and cause
     */
    constructor(message: string, options?: FTPErrorOptions);
}

/**
 * A 4yz reply (ftplib's `error_temp`, RFC 959 section 4.2.1). The same command
 * may succeed later. After 421 the connection is closed.
 */
export declare class FTPTemporaryError extends FTPError {
    /** Name of the class. */
    name: string;
}

/**
 * A 5yz reply (ftplib's `error_perm`, RFC 959 section 4.2.1). The same command
 * would fail again.
 */
export declare class FTPPermanentError extends FTPError {
    /** Name of the class. */
    name: string;
}

/** An unexpected 1yz, 2yz or 3yz reply (ftplib's `error_reply`). */
export declare class FTPReplyError extends FTPError {
    /** Name of the class. */
    name: string;
}

/**
 * The server's data is not FTP (ftplib's `error_proto`).
 *
 * With a `reply`: the reply is complete but unreadable, such as a 227 without
 * numbers. The connection stays usable. Without a `reply`: a line without a
 * code, a line or reply over its limit, or an unexpected reply. The connection
 * is closed, except for a line of a text or listing that is longer than
 * `maxLine`.
 */
export declare class FTPProtocolError extends FTPError {
    /** Name of the class. */
    name: string;
}

/**
 * Replaces characters that control a terminal or make one text look like
 * another: control characters, direction marks and characters without width.
 * `list`, `nlst`, `Reply.text` and the `path` of mirror events contain the
 * server's text unchanged. Use this function to print them.
 *
 * @param text Any text: a name, a line, a reply
 * @returns The text with U+FFFD for each such character; line feeds stay
 *
 * @example Print names that a server gave
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(printable("a\x1b[2Jb\u202Ecod.exe"), "a\uFFFD[2Jb\uFFFDcod.exe");
 * ```
 */
export declare function printable(text: string): string;

/** A reply of the server: a code, and one or more lines of text. */
export declare class Reply { #private;
    /** The three-digit code, 100 to 599. */
    readonly code: number;
    /**
     * Creates a reply from a range of bytes. {@linkcode Reply.from} creates one
     * from text.
     *
     * @param code The code
     * @param source The bytes that contain the reply
     * @param start Where it starts, in bytes
     * @param end Where it ends, in bytes, without its line end
     * @param mask Masks secrets, for errors made of the reply
     * @ignore
     */
    constructor(code: number, source: ReplySource, start: number, end: number, mask?: (text: string) => string);
    /**
     * Creates a reply from its text.
     *
     * @param text The lines as the server sends them, such as `"250 Done"`
     * @returns The reply
     * @throws {SyntaxError} If the text is not exactly one reply
     */
    static from(text: string): Reply;
    /** All lines joined by `"\n"`, with their codes, as ftplib returns them. */
    get text(): string;
    /** The lines without their ends. The first starts with the code. */
    get lines(): readonly string[];
    /** The same as {@linkcode Reply.text}. */
    toString(): string;
    /**
     * Returns a copy without the secrets in the text; the same reply if it has
     * none.
     *
     * @ignore
     */
    [REDACTED](): Reply;
}

/**
 * Reads the size estimate in the reply that opens a transfer, such as
 * `(2241 bytes)`. The last one counts, because the file's name comes before it.
 * No RFC defines it; vsftpd, ProFTPD, Pure-FTPd and pyftpdlib differ.
 *
 * @param reply A 150 or 125 reply, or its text
 * @returns Bytes, or `null` if the reply has no size
 * @throws {FTPReplyError} If the code is neither 150 nor 125
 *
 * @example Read the estimate of a 150 reply
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   parse150("150 Opening BINARY mode data connection for x (2241 bytes)."),
 *   2241,
 * );
 * ```
 */
export declare function parse150(reply: Reply | string): number | null;

/**
 * Reads the path in a 257 reply to `PWD` or `MKD` (RFC 959 appendix II): the
 * text between the quotes, with doubled quotes made single.
 *
 * @param reply The reply, or its text
 * @returns The path; "" if the reply has no quotes, as in ftplib
 * @throws {FTPReplyError} If the code is not 257
 * @throws {FTPProtocolError} If the closing quote is missing, or the path has
 * control characters other than a tab
 *
 * @example Read a path with quotes in it
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parse257('257 "/a"" /b" is the directory'), '/a" /b');
 * ```
 */
export declare function parse257(reply: Reply | string): string;

/**
 * Options of a {@linkcode TLSError}.
 *
 * @internal
 */
declare interface TLSErrorOptions extends ErrorOptions {
    /** Why TLS failed, for programs. */
    reason: TLSErrorReason;
    /** SHA-256 of the server's certificate, if the server showed one. */
    fingerprint?: string | undefined;
}

/**
 * The TLS handshake failed, or the server is not trusted. The connection is
 * closed, and no secret was sent.
 *
 * A failure after the handshake, such as an altered record or an alert, is a
 * `Deno.errors.ConnectionAborted`. Its `cause` is a `TLSError`, usually with
 * the reason "broken". Data that ends without close_notify, and may be cut off,
 * is a `Deno.errors.UnexpectedEof`. Its `cause` has the reason "truncated".
 */
export declare class TLSError extends Deno.errors.InvalidData {
    /** Name of the class. */
    name: string;
    /** Why TLS failed, for programs. */
    readonly reason: "expired" | "not-yet-valid" | "wrong-name" | "self-signed" | "unknown-ca" | "bad-certificate" | "fingerprint" | "client-certificate" | "version" | "cipher" | "not-tls" | "truncated" | "broken";
    /**
     * SHA-256 of the server's certificate, if the server showed one. Compare it
     * with the fingerprint that the server's operator gives, then pin it. With
     * TLS 1.3, a certificate that the platform refuses cannot be seen.
     */
    readonly fingerprint: string | undefined;
    /**
     * Creates an error.
     *
     * @param message The action, its object, the reason, and what to do
     * @param options Reason, fingerprint and cause
     */
    constructor(message: string, options: TLSErrorOptions);
}

/** Why TLS failed, for programs. */
declare type TLSErrorReason = TLSError["reason"];

/** Options for FTP over TLS (RFC 4217). */
export interface TLSOptions {
    /**
     * How TLS starts: "explicit" connects in clear text and sends `AUTH TLS`
     * before any secret. "implicit" uses TLS from the first byte (port 990).
     * * @default "explicit" */
    mode?: "explicit" | "implicit";
    /**
     * Whether TLS also protects files and listings. With "clear" it protects only
     * the control connection, including user and password, for servers that
     * refuse `PBSZ` and `PROT`. Anyone on the network can then read and change
     * the data.
     *
     * @default "protected"
     */
    data?: "protected" | "clear";
    /**
     * Whether to try `AUTH SSL` if the server refuses `AUTH TLS`. The protocol is
     * TLS in either case.
     *
     * @default false
     */
    allowAuthSSL?: boolean;
    /**
     * Certificates of private authorities, PEM. If set, only these authorities
     * are trusted. Sessions are still resumed, as servers require for data
     * connections.
     */
    caCerts?: readonly string[];
    /**
     * SHA-256 of the server's certificate in hexadecimal, with or without colons.
     * One of several has to match. Without `caCerts` it replaces the check of
     * authority, name and dates, and so trusts a self-signed server. Sessions are
     * still resumed.
     */
    fingerprint?: string | readonly string[];
    /**
     * The client's certificate and its chain up to the authority, PEM. The
     * platform does not resume sessions with a client certificate, so servers
     * that require a resumed session refuse the data connections.
     */
    cert?: string;
    /** The client's private key, PEM. */
    key?: string;
    /**
     * The name that the certificate must have, also sent to the server (SNI).
     *
     * @default the host of the connection
     */
    serverName?: string;
    /**
     * The lowest TLS version to use.
     *
     * @default "TLSv1.2"
     */
    minVersion?: "TLSv1.2" | "TLSv1.3";
    /**
     * The highest TLS version to use. A session of TLS 1.2 can be resumed any
     * number of times. A ticket of TLS 1.3 works for one data connection only. If
     * the server sends too few tickets (ProFTPD does, for uploads), the client
     * sends `LIST` before a transfer that has no ticket left. The server refuses
     * it, and sends two tickets with the refusal.
     *
     * @default "TLSv1.2"
     */
    maxVersion?: "TLSv1.2" | "TLSv1.3";
    /**
     * Whether to run the TLS client in a worker thread from the first connection
     * on. The platform caches sessions by host, for all of a thread. If the
     * program also uses `node:https` or `node:tls` with the same host, a server
     * that requires a resumed session may refuse a data connection. The client
     * notices the refusal and isolates later connections to that host.
     *
     * @default false
     */
    isolate?: boolean;
    /**
     * Whether the server never ends the data of a transfer with TLS's
     * close_notify. Without close_notify, data that was cut off looks complete. A
     * download then succeeds only if its size agrees with `SIZE` or the 150
     * reply, and a listing, which has no size, fails. With this option, data that
     * cannot be checked is accepted; a size that differs is still an error.
     * `downloadDir()` with `delete` ignores the option.
     *
     * @default false
     */
    allowMissingCloseNotify?: boolean;
    /**
     * Accepts any certificate. Anyone on the network can then read and change
     * everything. Pin a `fingerprint` instead.
     *
     * @default false
     */
    dangerouslyAcceptAnyCertificate?: boolean;
}

/** Options of a call that can be aborted. */
export interface SignalOptions {
    /** Aborts the call. */
    signal?: AbortSignal | undefined;
}

/**
 * Bytes to upload. A stream or an iterator is read once, and ended if the
 * transfer fails or is refused; one that was read before is rejected. An open
 * file, or another reader, is read from its current position, and stays open.
 * `read` fills `buffer` and returns the number of bytes, at least one, or `null`
 * at the end.
 */
export type Source = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Iterable<Uint8Array> | Blob | Uint8Array | { read(buffer: Uint8Array): Promise<number | null>;
};

/** Known only to the module. */
declare type BlockSource = never;

/** Known only to the module. */
declare type ReplySource = never;

export {};
