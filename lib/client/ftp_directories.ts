/**
 * The path level: whole directories, up and down.
 *
 * @module
 */

import { checkLocalPath } from "../files/local_path.ts";
import { downloadDir, uploadDir } from "../mirror/mirror_directory.ts";
import type {
  DownloadDirOptions,
  MirrorResult,
  UploadDirOptions,
} from "../mirror/options.ts";
import { textOfPath } from "../commands/queries.ts";
import type { Path } from "../protocol/command.ts";
import { FTPListings } from "./ftp_listings.ts";
import { connectionOf } from "./client_connection.ts";
import { checkAnyPathFor, sessionOf } from "./session_of.ts";

/** Directories with all that is in them. */
export class FTPDirectories extends FTPListings {
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
   * import { connect, FTPMirrorError } from "../../mod.ts";
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
    checkAnyPathFor(this, remote, "remote");
    checkLocalPath(local, "local");
    return await downloadDir(
      connectionOf(this),
      textOfPath(sessionOf(this), remote),
      local,
      options,
    );
  }

  /**
   * Uploads a directory with all that is in it, or brings one on the server up
   * to date, as {@linkcode downloadDir} does the other way: what is there
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
   * import { connect, type UploadDirOptions } from "../../mod.ts";
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
    checkAnyPathFor(this, remote, "remote");
    return await uploadDir(
      connectionOf(this),
      local,
      textOfPath(sessionOf(this), remote),
      options,
    );
  }
}
