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

export { connect, type ConnectURLOptions } from "./lib/client/connect.ts";
export { diagnose } from "./lib/doctor/diagnose.ts";
export type {
  DiagnoseOptions,
  Diagnosis,
  DiagnosisProblem,
  DiagnosisStep,
} from "./lib/doctor/report.ts";
export { FTP } from "./lib/client/ftp.ts";
export {
  FTPProtocol,
  type RetrbinaryOptions,
} from "./lib/client/ftp_protocol.ts";
export { ftpcp } from "./lib/client/ftpcp.ts";
export type { FTPOptions } from "./lib/client/options.ts";
export type {
  LearnedProfile,
  ProfileStore,
} from "./lib/client/profile_store.ts";
export { DataConnection } from "./lib/connection/data_connection.ts";
export type { Dial, DialedConn } from "./lib/connection/dialed_stream.ts";
export type { TLSInfo } from "./lib/connection/tls_info.ts";
export type { DiagnosticEvents } from "./lib/connection/diagnostics.ts";
export type { TraceEvent } from "./lib/connection/trace.ts";
export type { RemoveOptions } from "./lib/directories/directories.ts";
export type {
  DownloadAllOptions,
  DownloadOutcome,
} from "./lib/files/download_all.ts";
export {
  FTPUnconfirmedError,
  FTPVerificationError,
} from "./lib/files/errors.ts";
export { PartialListingError } from "./lib/directories/partial_listing_error.ts";
export type { ListOptions } from "./lib/directories/listing_options.ts";
export type {
  DownloadOptions,
  FileTransferOptions,
  FileTransferResult,
  UploadOptions,
} from "./lib/files/options.ts";
export type { Progress } from "./lib/files/progress.ts";
export {
  progressBar,
  type ProgressBarOptions,
} from "./lib/files/progress_bar.ts";
export type { RetryEvent, RetryOptions } from "./lib/files/recovery.ts";
export type { RetrieveOptions, StoreOptions } from "./lib/files/streams.ts";
export { type OpenOptions, RemoteFile } from "./lib/files/remote_file.ts";
export { FTPMirrorError } from "./lib/mirror/errors.ts";
export type {
  DownloadDirOptions,
  MirrorEntry,
  MirrorEvent,
  MirrorOptions,
  MirrorProgress,
  MirrorResult,
  UploadDirOptions,
} from "./lib/mirror/options.ts";
export { WalkEntry } from "./lib/directories/walk_entry.ts";
export type { WalkOptions } from "./lib/directories/walk_options.ts";
export { Entry } from "./lib/listing/entry.ts";
export type {
  LineContext,
  ListingFormat,
  ParsedLine,
} from "./lib/listing/listing_format.ts";
export { parse227, parse229 } from "./lib/protocol/address.ts";
export type { Path } from "./lib/protocol/command.ts";
export {
  FTPError,
  FTPPermanentError,
  FTPProtocolError,
  FTPReplyError,
  FTPTemporaryError,
} from "./lib/protocol/errors.ts";
export { printable } from "./lib/protocol/printable.ts";
export { Reply } from "./lib/protocol/reply.ts";
export { parse150, parse257 } from "./lib/protocol/reply_values.ts";
export { TLSError } from "./lib/tls/errors.ts";
export type { TLSOptions } from "./lib/tls/options.ts";
export type { SignalOptions } from "./lib/transfer/session.ts";
export type { Source } from "./lib/transfer/source.ts";
