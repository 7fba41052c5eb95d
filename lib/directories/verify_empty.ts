/**
 * Verifies an empty listing. Servers confirm one of a missing or unreadable
 * directory, too.
 *
 * @module
 */

import { textOfPath } from "../commands/queries.ts";
import { joinRawPath, rawPathOf } from "../commands/raw_path.ts";
import { isCurrentDirectory } from "../protocol/command.ts";
import { isRefusal } from "../protocol/errors.ts";
import { quote } from "../protocol/printable.ts";
import { enterDirectory } from "./change_directory.ts";
import { MLSDTrial } from "./list_by_mlsd.ts";
import { noteSelf, plainListing, silent } from "./list_by_list.ts";
import type { ListingOutcome, ListRequest } from "./listing_transfer.ts";
import { PartialListingError } from "./partial_listing_error.ts";

const PARENT = new TextEncoder().encode("..");

/**
 * Whether a first `MLSD` that returned nothing can be believed: it also lists
 * the parent, which contains this directory. This is asked once for a server,
 * and costs less than a `LIST` of each empty directory.
 */
export async function provesMLSD(request: ListRequest): Promise<boolean> {
  const { session, path } = request;
  const { profile } = session;
  const isKnown = profile.hasMLSD !== undefined || profile.hidesParent;
  if (isCurrentDirectory(path) || isKnown) return false;
  const parent = joinRawPath(rawPathOf(session, path), PARENT);
  const trial = new MLSDTrial({ ...silent(request), path: parent });
  try {
    for await (const _ of trial.batches()) {
      // other connections may have learned it, too
      if (session.profile.hasMLSD === true) break;
    }
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  profile.hidesParent = session.profile.hasMLSD !== true;
  return !profile.hidesParent;
}

/**
 * Checks that an empty directory can be entered: for other paths, ProFTPD and
 * pyftpdlib confirm an empty `MLSD`. The current directory needs no check.
 *
 * @throws {FTPError} If there is no such directory
 */
export async function verifyEntered(
  { path, options: { signal }, exclusive }: ListRequest,
  { count, isRefused }: ListingOutcome,
): Promise<void> {
  if (count > 0 || isRefused || isCurrentDirectory(path)) return;
  await exclusive(async (turn) => {
    const leave = await enterDirectory(turn, path, { signal });
    await leave?.();
  }, { signal });
}

/**
 * Checks that an empty `LIST` is not caused by missing permission. ProFTPD
 * confirms such a listing, but its `LIST -a` does not even show the directory
 * itself.
 *
 * @throws {PartialListingError} If the directory may not be read
 */
export async function verifyReadable(
  request: ListRequest,
  { count, selfEntries, isRefused }: ListingOutcome,
): Promise<void> {
  if (count + selfEntries > 0 || isRefused) return;
  const { session: { profile }, path } = request;
  if (profile.showsSelf === false || profile.admitsUnreadable) return;
  const outcome = await listAll(request);
  if (outcome === undefined || outcome.count + outcome.selfEntries > 0) return;
  if (profile.showsSelf === undefined) {
    // the parent cannot be empty: it contains this directory
    const parent = joinRawPath(rawPathOf(request.session, path), PARENT);
    await listAll({ ...request, path: parent });
  }
  if (profile.showsSelf !== true) {
    profile.showsSelf = false; // one check is enough
    return;
  }
  throw new PartialListingError(
    `Cannot list ${
      quote(textOfPath(request.session, path))
    }: the server does not list even the directory itself; it may lack permission to read it`,
    { reply: outcome.reply, command: "LIST -a" },
  );
}

/** Runs `LIST -a`; `undefined` if the server refuses. */
async function listAll(
  request: ListRequest,
): Promise<ListingOutcome | undefined> {
  const listing = plainListing(silent(request), 0, "-a");
  try {
    for await (const _ of listing.batches()) {
      // only the outcome matters
    }
    noteSelf(request.session.profile, listing.outcome);
    return listing.outcome;
  } catch (error) {
    const isRefused = isRefusal(error) &&
      !(error instanceof PartialListingError);
    if (!isRefused) throw error;
    return undefined;
  }
}
