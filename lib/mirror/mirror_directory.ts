/**
 * Mirrors a remote directory to a local one, and back.
 *
 * @module
 */

import { delay } from "../connection/waiting.ts";
import { fileURLToPath } from "node:url";
import { filterAll, PauseTimer } from "../connection/pauses.ts";
import { download } from "../files/download/download.ts";
import { withLifetime } from "../files/operation.ts";
import type { SessionProvider } from "../files/session_provider.ts";
import { RateLimiter } from "../files/progress.ts";
import { randomMark } from "../commands/path.ts";
import { SECOND } from "../commands/queries.ts";
import { temporaryPath } from "../files/upload/temporary_name.ts";
import { upload } from "../files/upload/upload.ts";
import type { JoinPath } from "../listing/entry_path.ts";
import { quote } from "../protocol/printable.ts";
import type { ServerClock } from "../transfer/server_clock.ts";
import {
  differenceOf,
  haveSameHash,
  isChangedEarlier,
  isSameTime,
  isVague,
  isWrittenLater,
} from "./compare.ts";
import {
  type MirrorItem,
  quoteRoot,
  type Side,
  type Snapshot,
} from "./snapshot.ts";
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
import { Staging } from "./staging.ts";
import type { MirrorReport } from "./report.ts";
import type { MirrorTask, SnapshotPair } from "./direction.ts";

/** Resolution, in milliseconds, of the clock that file systems use. */
const TICK = 20;

/**
 * Milliseconds after which a file's time is certainly before the time of its
 * upload, by a clock that was measured to a second.
 */
const CLOCK_MARGIN = 2300;

/** Downloads a directory and everything in it to a path or a `file:` URL. */
export function downloadDir(
  provider: SessionProvider,
  remote: string,
  local: string | URL,
  options: DownloadDirOptions,
): Promise<MirrorResult> {
  return mirror(provider, { remote, local, isUpload: false }, options);
}

/** Uploads a directory and everything in it from a path or a `file:` URL. */
export function uploadDir(
  provider: SessionProvider,
  local: string | URL,
  remote: string,
  options: UploadDirOptions,
): Promise<MirrorResult> {
  return mirror(provider, { remote, local, isUpload: true }, options);
}

/** Options of both directions. */
type DirOptions = UploadDirOptions & DownloadDirOptions;

/** Paths of a mirror, and its direction. */
interface MirrorPaths {
  readonly remote: string;
  readonly local: string | URL;
  readonly isUpload: boolean;
}

/** State that the connections of one mirror share. */
interface Shared {
  /** The common rate limit. */
  readonly limiter: RateLimiter;
  /** The entry of the target that is built under a temporary name. */
  readonly staging: Staging;
  /** How paths of the server are joined below some directories. */
  readonly joiners: Map<string, JoinPath>;
  /** Whether the local file system refused to set a time. */
  cannotSetTimes: boolean;
}

async function mirror(
  provider: SessionProvider,
  ends: MirrorPaths,
  options: DirOptions,
): Promise<MirrorResult> {
  checkMirrorOptions(options, ends.isUpload);
  const shared = {
    limiter: new RateLimiter(options.maxRate),
    staging: new Staging(),
    joiners: new Map<string, JoinPath>(),
    cannotSetTimes: false,
  };
  // further connections end with the client's own
  const signal = withLifetime(provider, options.signal);
  await using mirror = new Mirror(
    provider,
    { ...options, signal },
    (provider, signal) =>
      new DirTask(provider, ends, { ...options, signal }, shared),
  );
  return await mirror.run();
}

/** A mirror between a server and the local file system. */
class DirTask implements MirrorTask {
  readonly provider: SessionProvider;
  onEnding: (() => void) | undefined;
  readonly #remote: RemoteSide;
  readonly #local: LocalSide;
  readonly #isUpload: boolean;
  readonly #options: DirOptions;
  readonly #shared: Shared;

  constructor(
    provider: SessionProvider,
    { remote, local, isUpload }: MirrorPaths,
    options: DirOptions,
    shared: Shared,
  ) {
    const path = local instanceof URL ? fileURLToPath(local) : local;
    const follows = options.symlinks === "follow";
    this.provider = provider;
    const [there, here] = isUpload
      ? [shared.staging, undefined]
      : [undefined, shared.staging];
    this.#remote = new RemoteSide(provider, remote, options, {
      isTarget: isUpload,
      staging: there,
      joiners: shared.joiners,
    });
    this.#local = new LocalSide(
      path,
      follows && isUpload,
      options.signal,
      here,
    );
    this.#isUpload = isUpload;
    this.#options = options;
    this.#shared = shared;
  }

  get title(): string {
    const verb = this.#isUpload ? "upload" : "download";
    return `Cannot ${verb} all of ${quoteRoot(this.source)}`;
  }

  get source(): Side {
    return this.#isUpload ? this.#local : this.#remote;
  }

  get target(): Side {
    return this.#isUpload ? this.#remote : this.#local;
  }

  async refine({ directory, source, target }: SnapshotPair): Promise<void> {
    const [there, here] = this.#isUpload ? [target, source] : [source, target];
    const { compare, signal } = this.#options;
    const vague = await filterAll(there.items.values(), (item) => {
      const local = here.items.get(item.name);
      return item.kind === "file" && item.problem === undefined &&
        local?.kind === "file" && isVague(item, local, compare);
    }, signal);
    if (vague.length > 0) {
      for (const item of await this.#remote.refine(directory, vague)) {
        there.set(item);
      }
    }
    await this.#learn(source, target);
  }

  /** Learns what the server's times mean in this directory. */
  async #learn(source: Snapshot, target: Snapshot): Promise<void> {
    const { compare = "size-and-time" } = this.#options;
    if (compare !== "size-and-time" || !this.#mayWrite) return;
    const different: { item: MirrorItem; local: number }[] = [];
    const same: { item: MirrorItem; local: number }[] = [];
    const pauses = new PauseTimer();
    for (const item of target.items.values()) {
      const local = source.items.get(item.name);
      if (local === undefined || !isUndecided(local, item)) continue;
      if (this.#needsProof(local, item)) await this.#prove(item);
      const files = this.#isCurrent(local, item) ? same : different;
      files.push({ item, local: local.mtime! });
      if (pauses.isDue) await pauses.pause(this.#options.signal);
    }
    await this.#remote.times.proveDays(different);
    if (this.#setsRemoteTimes) await this.#remote.times.proveSeasons(same);
  }

  async compare(
    path: string,
    source: MirrorItem,
    target: MirrorItem,
  ): Promise<MirrorReason | undefined> {
    const { compare = "size-and-time", removeSource } = this.#options;
    if (removeSource) return "always"; // what is removed there was proven by this call
    const isCurrent = () => this.#isCurrent(source, target);
    const isHash = compare === "hash";
    const first = isHash ? "size" : compare;
    const difference = differenceOf(source, target, first, isCurrent);
    if (!isHash || difference !== undefined) return difference;
    const isSame = await haveSameHash(
      this.provider,
      this.#remote.at(path),
      { path: this.#local.at(path), plain: this.#local.plain(path) },
      Number(source.size),
      this.#options,
    );
    if (isSame !== undefined) return isSame ? undefined : "hash";
    if (this.#needsProof(source, target)) await this.#prove(target);
    return differenceOf(source, target, "size-and-time", isCurrent);
  }

  /**
   * Whether a comparison depends on an unknown property of the server's clock.
   */
  #needsProof(source: MirrorItem, target: MirrorItem): boolean {
    if (!this.#mayWrite || !isUndecided(source, target)) return false;
    const { timeCommand = "MDTM" } = target;
    const clock = this.#clock;
    const isProven = this.#remote.times.isProven(target);
    if (this.#setsRemoteTimes) {
      return !isProven ||
        (clock.isSettable === undefined && !this.#isCurrent(source, target));
    }
    return !isProven || !clock.isMeasured(timeCommand);
  }

  /** Learns the server's clock, or waits until another connection has. */
  async #prove({ timeCommand = "MDTM" }: MirrorItem): Promise<void> {
    await this.#clock.proving;
    if (this.#clock.isUntried(timeCommand)) {
      await this.#remote.prove(timeCommand);
    }
  }

  /** Whether a file may be written to learn the server's clock. */
  get #mayWrite(): boolean {
    return this.#isUpload && this.#options.dryRun !== true;
  }

  /** Whether the times prove that a file need not be transferred. */
  #isCurrent(source: MirrorItem, target: MirrorItem): boolean {
    const [there, here] = this.#isUpload ? [target, source] : [source, target];
    const { mtime: local } = here;
    if (local === undefined) return false;
    const remote = this.#remote.times.timeOf(there, local);
    if (remote === undefined) return false;
    const isSame = isSameTime(local, remote);
    if (!this.#isUpload) {
      return this.#setsLocalTimes(there)
        ? isSame
        : isChangedEarlier(local, remote);
    }
    // a minute or a day of a listing may hide a later change
    const isExact = remote.precision <= SECOND;
    if (this.#setsRemoteTimes) return isExact && isSame;
    // the server set the time of the upload. A file that kept an older time
    // when it was created (cp -p) shows by its ctime, and a downloaded one by
    // its mtime
    if (isWrittenLater(lastChange(local, here.ctime), remote)) return true;
    const isMeasured = this.#clock.isMeasured(there.timeCommand ?? "MDTM");
    return isExact && isSame && (!isMeasured || local % SECOND === 0);
  }

  /** Whether uploads set their files' times. */
  get #setsRemoteTimes(): boolean {
    return this.#options.mtime !== false && this.#clock.isSettable !== false;
  }

  /** Whether downloads set their files' times. */
  #setsLocalTimes(there: MirrorItem): boolean {
    return this.#options.mtime !== false && hasExactTime(there) &&
      !this.#shared.cannotSetTimes;
  }

  get #clock(): ServerClock {
    return this.provider.session.profile.clock;
  }

  temporaryPath(path: string): string {
    const { temporaryName } = this.#options;
    return temporaryPath(path, randomMark(), false, { temporaryName });
  }

  stage(path: string, temporary: string): Disposable {
    return this.#shared.staging.begin(path, temporary);
  }

  async transfer(
    path: string,
    source: MirrorItem,
    target: Snapshot,
    report: MirrorReport,
  ): Promise<number> {
    const remote = this.#remote.at(path);
    const local = this.#local.at(path);
    const { limiter } = this.#shared;
    const { onEnding } = this; // of this task; the next one has its own
    const options = {
      ...this.#options,
      onProgress: report.progressOf(path),
      onRetry: report.onRetry,
    };
    if (!this.#isUpload) {
      const { check } = this.#local.plain(path);
      const meant = (shown: Date | null) =>
        this.#remote.times.meantBy(source, shown);
      const { parts } = target;
      const limits = { limiter, parts, check, meant, onEnding };
      const done = await download(
        this.provider,
        remote,
        local,
        options,
        limits,
      );
      if (this.#options.mtime !== false && hasExactTime(source)) {
        this.#shared.cannotSetTimes = done.mtime === null;
      }
      return done.bytes;
    }
    const send = () =>
      upload(
        this.provider,
        local,
        remote,
        options,
        { limiter, plain: this.#local.plain(path), onEnding },
      );
    await this.#waitForNextSecond(source);
    let done = await send();
    // the first file that did not get its time, too soon after its last change
    if (done.mtime === null && await this.#waitForNextSecond(source)) {
      done = await send();
    }
    // with the server's own time, a later change could not be detected
    if (done.mtime === null) await this.#checkUnchanged(path, source);
    return done.bytes;
  }

  /**
   * Waits after a recent change of a file, so that the next change has another
   * time. Servers report seconds, and a second change within the same one would
   * stay undetected.
   */
  async #waitForNextSecond({ mtime, ctime }: MirrorItem): Promise<boolean> {
    const clock = this.#clock;
    if (mtime === undefined) return false;
    const isKept = this.#options.mtime === false ||
      clock.isMeasured("MDTM") || clock.isMeasured("MLSD");
    let end = Math.floor(mtime / SECOND) * SECOND + SECOND + TICK;
    if (!this.#setsRemoteTimes && isKept) {
      end = lastChange(mtime, ctime) + CLOCK_MARGIN;
    }
    const rest = end - Date.now();
    if (rest <= 0 || rest > CLOCK_MARGIN + SECOND) return false; // or the time is in the future
    await delay(rest, this.#options.signal);
    return true;
  }

  async #checkUnchanged(
    path: string,
    { size, mtime }: MirrorItem,
  ): Promise<void> {
    const now = await this.#local.probe(path);
    if (now?.size === size && now?.mtime === mtime) return;
    throw new Deno.errors.InvalidData(
      `Cannot verify ${
        quote(this.#local.at(path))
      }: it changed during the upload; upload it again`,
    );
  }
}

/** When a local file was last changed. A time in the future says nothing. */
function lastChange(mtime: number, ctime: number = 0): number {
  return ctime > 0 && mtime > Date.now() ? ctime : Math.max(mtime, ctime);
}

/** Whether the times of a local and a remote file decide. */
function isUndecided(local: MirrorItem, remote: MirrorItem): boolean {
  return local.kind === "file" && remote.kind === "file" &&
    local.mtime !== undefined && remote.shown !== undefined &&
    (remote.size === undefined || local.size === remote.size);
}

function hasExactTime({ shown, timeCommand }: MirrorItem): boolean {
  return shown !== undefined && timeCommand !== "LIST";
}
