/**
 * A directory there and one here: down and up.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { filterAll } from "../connection/breather.ts";
import { download } from "../files/download.ts";
import { untilEnd } from "../files/job.ts";
import type { Link } from "../files/link.ts";
import { Pace } from "../files/progress.ts";
import { upload } from "../files/upload.ts";
import { differenceOf, haveSameHash, isVague } from "./compare.ts";
import { quote } from "../protocol/printable.ts";
import type { Folder, Item, Side } from "./folder.ts";
import { LocalSide } from "./local_side.ts";
import { Mirror } from "./mirror.ts";
import {
  checkMirrorOptions,
  type DownloadDirOptions,
  type MirrorReason,
  type MirrorResult,
  type UploadDirOptions,
} from "./options.ts";
import { RemoteSide } from "./remote_side.ts";
import type { Tally } from "./tally.ts";
import type { MirrorTask, Pair } from "./task.ts";

/**
 * Downloads a directory with all that is in it.
 *
 * @param link The client
 * @param remote The directory on the server
 * @param local Where to, a path or a `file:` URL
 * @param options See {@linkcode DownloadDirOptions}
 * @returns What was done
 */
export function downloadDir(
  link: Link,
  remote: string,
  local: string | URL,
  options: DownloadDirOptions,
): Promise<MirrorResult> {
  return mirror(link, { remote, local, isUpload: false }, options);
}

/**
 * Uploads a directory with all that is in it.
 *
 * @param link The client
 * @param local The directory here, a path or a `file:` URL
 * @param remote Where to
 * @param options See {@linkcode UploadDirOptions}
 * @returns What was done
 */
export function uploadDir(
  link: Link,
  local: string | URL,
  remote: string,
  options: UploadDirOptions,
): Promise<MirrorResult> {
  return mirror(link, { remote, local, isUpload: true }, options);
}

/** What is where, and which way it goes. */
interface Ends {
  readonly remote: string;
  readonly local: string | URL;
  readonly isUpload: boolean;
}

async function mirror(
  link: Link,
  ends: Ends,
  options: UploadDirOptions,
): Promise<MirrorResult> {
  checkMirrorOptions(options, ends.isUpload);
  const pace = new Pace(options.maxRate);
  // further connections end with the client's own
  const signal = untilEnd(link, options.signal);
  await using mirror = new Mirror(
    link,
    { ...options, signal },
    (link, signal) => new DirTask(link, ends, { ...options, signal }, pace),
  );
  return await mirror.run();
}

/** Files between a server and here. */
class DirTask implements MirrorTask {
  readonly link: Link;
  readonly #remote: RemoteSide;
  readonly #local: LocalSide;
  readonly #isUpload: boolean;
  readonly #options: UploadDirOptions;
  readonly #pace: Pace;

  constructor(
    link: Link,
    { remote, local, isUpload }: Ends,
    options: UploadDirOptions,
    pace: Pace,
  ) {
    const path = local instanceof URL ? fileURLToPath(local) : local;
    const follows = options.symlinks === "follow";
    this.link = link;
    this.#remote = new RemoteSide(link, remote, options, isUpload);
    this.#local = new LocalSide(path, follows && isUpload, options.signal);
    this.#isUpload = isUpload;
    this.#options = options;
    this.#pace = pace;
  }

  get title(): string {
    const verb = this.#isUpload ? "upload" : "download";
    return `Cannot ${verb} all of ${quote(this.source.at(""))}`;
  }

  get source(): Side {
    return this.#isUpload ? this.#local : this.#remote;
  }

  get target(): Side {
    return this.#isUpload ? this.#remote : this.#local;
  }

  async sharpen({ place, source, target }: Pair): Promise<void> {
    const [there, here] = this.#isUpload ? [target, source] : [source, target];
    const { compare, signal } = this.#options;
    const vague = await filterAll(there.items.values(), (item) => {
      const local = here.items.get(item.name);
      return item.kind === "file" && item.problem === undefined &&
        local?.kind === "file" && isVague(item, local, compare);
    }, signal);
    if (vague.length === 0) return;
    for (const item of await this.#remote.sharpen(place, vague)) {
      there.set(item);
    }
  }

  async compare(
    path: string,
    source: Item,
    target: Item,
  ): Promise<MirrorReason | undefined> {
    const { compare } = this.#options;
    // a server that sets its own time never comes up with one of the future
    const isAhead = this.#isUpload && (source.mtime ?? 0) > Date.now();
    const from = isAhead ? { ...source, mtime: undefined } : source;
    if (compare !== "hash") return differenceOf(from, target, compare);
    const difference = differenceOf(from, target, "size");
    if (difference !== undefined) return difference;
    const isSame = await haveSameHash(
      this.link,
      this.#remote.at(path),
      { path: this.#local.at(path), plain: this.#local.plain(path) },
      Number(source.size),
      this.#options,
    );
    if (isSame !== undefined) return isSame ? undefined : "hash";
    return differenceOf(from, target, "size-and-time");
  }

  async transfer(
    path: string,
    source: Item,
    target: Folder,
    tally: Tally,
  ): Promise<number> {
    const remote = this.#remote.at(path);
    const local = this.#local.at(path);
    const pace = this.#pace;
    const options = {
      ...this.#options,
      onProgress: tally.progressOf(path),
      onRetry: tally.onRetry,
    };
    if (!this.#isUpload) {
      const { check } = this.#local.plain(path);
      const company = { pace, parts: target.parts, check };
      const done = await download(this.link, remote, local, options, company);
      return done.bytes;
    }
    const done = await upload(
      this.link,
      local,
      remote,
      options,
      pace,
      this.#local.plain(path),
    );
    // by the server's own time nobody could tell later
    if (done.mtime === null) await this.#checkUnchanged(path, source);
    return done.bytes;
  }

  async #checkUnchanged(path: string, { size, mtime }: Item): Promise<void> {
    const now = await this.#local.probe(path);
    if (now?.size === size && now?.mtime === mtime) return;
    throw new Deno.errors.InvalidData(
      `Cannot be sure of ${
        quote(this.#local.at(path))
      }: it changed while it was uploaded`,
    );
  }
}
