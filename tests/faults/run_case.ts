/** Runs a case and checks the result. */

import { X509Certificate } from "node:crypto";
import {
  FTP,
  FTPError,
  type FTPOptions,
  FTPVerificationError,
} from "../../mod.ts";
import { certificates } from "../testing/servers/certificates.ts";
import { CLIENT, type Client } from "./client.ts";
import { CaseFiles } from "./case_files.ts";
import type { FaultCase } from "./fault_case.ts";
import type { ProxiedServer } from "./proxied_server.ts";
import { type LeakTracker, OpenResources } from "./leak_tracker.ts";
import { timeLimitOf } from "./time_limit.ts";
import {
  type CaseReport,
  Hang,
  isExpected,
  nameOf,
  type Problem,
} from "./case_report.ts";

/** Time-out of an undisturbed client, for a time scale of 1. */
const UNDISTURBED_TIMEOUT = 20_000;

/** Longest wait for an undisturbed call. */
const UNDISTURBED_TIME_LIMIT = 60_000;

/** Longest wait until a closed client has released everything. */
const RELEASE = 4000;

/** Milliseconds by which delayed bytes may be later than planned. */
const LATENESS = 30;

/** Runs a case on a server behind a proxy. */
export async function runCase(
  proxied: ProxiedServer,
  faultCase: FaultCase,
  tracker: LeakTracker,
  client: Client = CLIENT,
): Promise<CaseReport> {
  using files = new CaseFiles(faultCase, proxied.root);
  const run = new CaseRun(proxied, faultCase, files, client);
  const resources = new OpenResources();
  await tracker.run(resources, () => run.disturbed());
  for (const what of await resources.left(RELEASE * faultCase.timeScale)) {
    run.problems.push({ kind: "leak", text: what });
  }
  if (proxied.isKilled) await run.restart();
  const isOver = run.error === undefined || run.error instanceof Hang;
  if (!isOver && proxied.isServing) {
    // a part with a wrong byte is detected and removed before the file is right
    const mayBeWrong = faultCase.faults[0]?.fault === "corrupt";
    if (!await run.undisturbed(mayBeWrong)) await run.undisturbed();
  }
  return run.report();
}

class CaseRun {
  readonly problems: Problem[] = [];
  error: unknown;
  readonly #proxied: ProxiedServer;
  readonly #case: FaultCase;
  readonly #files: CaseFiles;
  readonly #client: Client;
  #happened: string[] = [];
  #isStarted = false;
  #retries = 0;
  #elapsed = 0;
  #slowestStep = 0;
  #leftover: string[] = [];

  constructor(
    proxied: ProxiedServer,
    faultCase: FaultCase,
    files: CaseFiles,
    client: Client,
  ) {
    this.#proxied = proxied;
    this.#case = faultCase;
    this.#files = files;
    this.#client = client;
  }

  /** Runs the transfer with its faults. */
  async disturbed(): Promise<void> {
    const { kill, abort, timeout } = this.#case;
    let isUnderway = false;
    let events = 0;
    let killing: ReturnType<typeof setTimeout> | undefined;
    let restarted: Promise<void> | undefined;
    let last = performance.now();
    const onEvent = () => {
      const now = performance.now();
      this.#slowestStep = Math.max(this.#slowestStep, now - last);
      last = now;
      if (!isUnderway || kill === undefined || events++ !== kill.event) return;
      killing = setTimeout(() => {
        killing = undefined;
        this.#proxied.kill();
        if (kill.restart) restarted = this.restart();
      }, kill.wait);
    };
    this.#proxied.arm(this.#case);
    const ftp = await this.#makeClient(timeout, onEvent);
    const start = last = performance.now();
    try {
      await this.#bounded(() => this.#logIn(ftp));
      this.#proxied.loggedIn();
      this.#isStarted = isUnderway = true;
      const signal = abort === undefined
        ? undefined
        : AbortSignal.timeout(abort);
      await this.#bounded(() => this.#transfer(ftp, signal));
    } catch (error) {
      this.error = error ?? new Error("nothing was thrown");
    }
    onEvent();
    this.#elapsed = performance.now() - start;
    isUnderway = false;
    clearTimeout(killing);
    await restarted;
    this.#proxied.disarm();
    // a late command may leave an empty file, which cannot be prevented any more
    if (this.error === undefined) this.#checkLeftovers(true);
    await this.#untilNothingIsLate();
    if (this.error !== undefined) this.#checkLeftovers(false);
    this.#note();
    this.#checkTarget();
    this.#checkError();
    this.#checkUndisturbed();
    await this.#checkState(ftp);
    await this.#bounded(() => ftp[Symbol.asyncDispose]()).catch(() => {});
    ftp.close();
    this.#proxied.cut();
  }

  /** Restarts the killed server. */
  async restart(): Promise<void> {
    try {
      await this.#proxied.restart();
    } catch (error) {
      this.#blame("restart", `${error}`);
    }
  }

  /**
   * Repeats the call without faults, which must succeed.
   *
   * @param mayBeWrong Whether an earlier part may turn out to be wrong; returns
   * `false` then
   */
  async undisturbed(mayBeWrong = false): Promise<boolean> {
    this.#proxied.arm({ faults: [] });
    const { timeScale } = this.#case;
    const ftp = await this.#makeClient(UNDISTURBED_TIMEOUT * timeScale);
    const timeLimit = UNDISTURBED_TIME_LIMIT * timeScale;
    try {
      await this.#bounded(() => this.#logIn(ftp), timeLimit);
      await this.#bounded(() => this.#transfer(ftp), timeLimit);
      const loss = this.#files.lossAfterSuccess();
      if (loss !== undefined) this.#blame("loss", `the next time ${loss}`);
      this.#checkLeftovers(true);
      await ftp.quit();
    } catch (error) {
      ftp.close();
      if (mayBeWrong && error instanceof FTPVerificationError) return false;
      this.#blame("state", `the next time fails too: ${error}`);
    }
    return true;
  }

  report(): CaseReport {
    const retried = this.#retries > 0 ? " after retries" : "";
    return {
      faultCase: this.#case,
      happened: this.#happened,
      outcome: this.error === undefined
        ? `right file${retried}`
        : nameOf(this.error),
      error: this.error,
      problems: this.problems,
      elapsed: this.#elapsed,
      slowestStep: this.#slowestStep,
      timeLimit: timeLimitOf(this.#case),
      hasLeftover: this.#leftover.length > 0,
    };
  }

  async #makeClient(timeout: number, trace?: () => void): Promise<FTP> {
    const { pipelining } = this.#case;
    return new FTP({ timeout, trace, pipelining, ...await this.#tls() });
  }

  async #tls(): Promise<FTPOptions> {
    if (!this.#case.tls) return {};
    const { authority, good } = await certificates();
    return {
      tls: this.#case.sharesName
        ? {
          serverName: "localhost",
          caCerts: [Deno.readTextFileSync(authority.certificate)],
        }
        : {
          serverName: this.#proxied.name,
          fingerprint: new X509Certificate(Deno.readFileSync(good.certificate))
            .fingerprint256,
        },
    };
  }

  async #logIn(ftp: FTP): Promise<void> {
    const { host, port, user, password } = this.#proxied;
    await ftp.connect(host, port);
    await ftp.login(user, password);
    if (this.#case.inDirectory) await ftp.cwd("work");
  }

  async #transfer(ftp: FTP, signal?: AbortSignal): Promise<void> {
    const { direction, options, source, size } = this.#case;
    const { name, content, localPath, sourcePath } = this.#files;
    const rest = { ...options, signal };
    const result = direction === "download"
      ? await this.#client.download(ftp, name, localPath, rest)
      : await this.#client.upload(
        ftp,
        {
          path: () => sourcePath,
          bytes: () => content,
          blob: () => new Blob([content]),
          stream: () => new Blob([content]).stream(),
        }[source](),
        name,
        rest,
      );
    this.#retries = result.retries;
    if (result.size !== size) {
      this.#blame("loss", `${result.size} bytes were reported, not ${size}`);
    }
  }

  /** Runs a call with a time limit. */
  async #bounded<T>(
    run: () => Promise<T>,
    timeLimit: number = timeLimitOf(this.#case),
  ): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.#blame("hang", `no end within ${Math.round(timeLimit)} ms`);
      late.reject(new Hang("The call hangs"));
    }, timeLimit);
    const running = run();
    running.catch(() => {}); // too late
    try {
      return await Promise.race([running, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits until delayed bytes have arrived and taken effect. */
  async #untilNothingIsLate(): Promise<void> {
    const durations = this.#proxied.happened
      .filter(({ fault }) => fault.fault === "pause")
      .map(({ fault }) => fault.duration);
    if (durations.length === 0) return;
    const latest = Math.max(...durations) + LATENESS * this.#case.timeScale;
    await new Promise((resolve) => setTimeout(resolve, latest));
  }

  #note(): void {
    this.#happened = this.#proxied.happened.map(({ fault }) =>
      `${fault.channel} ${fault.fault}`
    );
    if (this.#proxied.isKilled) {
      this.#happened.push(
        `server killed${this.#case.kill?.restart ? ", restarted" : ""}`,
      );
    }
  }

  #checkTarget(): void {
    const files = this.#files;
    const loss = this.error === undefined
      ? files.lossAfterSuccess()
      : files.lossAfterFailure(this.#isStarted);
    if (loss !== undefined) this.#blame("loss", loss);
  }

  #checkLeftovers(isSuccess: boolean): void {
    const { options, direction } = this.#case;
    const here = this.#files.leftHere();
    const mayBeHere = !isSuccess && options.resume && direction === "download";
    if (here.length > 0 && !mayBeHere) {
      this.#blame("leftover", `${here} was left here`);
    }
    const there = this.#files.leftThere();
    if (isSuccess) {
      const fresh = there.filter((name) =>
        !this.#leftover.includes(name) && !this.#isCutShort(name)
      );
      if (fresh.length > 0) this.#blame("leftover", `${fresh} was left there`);
    } else {
      this.#leftover = there.filter((name) => !isForResuming(name));
    }
  }

  /**
   * Whether a name is the beginning of another one: if the connection ends,
   * ProFTPD executes a part of a command, or creates an empty file for one
   * without CRLF.
   */
  #isCutShort(name: string): boolean {
    return this.#case.server === "proftpd" &&
      (!name.endsWith(".part") || this.#files.isEmptyThere(name)) &&
      this.#case.faults.some(({ channel, direction }) =>
        channel === "control" && direction === "up"
      );
  }

  #checkError(): void {
    const { error } = this;
    if (error === undefined) return;
    const text = Deno.inspect(error);
    if (text.includes(this.#proxied.password)) this.#blame("secret", text);
    if (
      error instanceof Error && !this.#isAbort(error) && !isExpected(error)
    ) {
      this.#blame("state", `an error of an unexpected class: ${text}`);
    }
  }

  /** A failure without a fault is a failure of the machine or the client. */
  #checkUndisturbed(): void {
    const { error } = this;
    if (error === undefined || this.#happened.length > 0) return;
    if (error instanceof Hang || this.#isAbort(error)) return;
    this.#blame(
      "undisturbed",
      `nothing happened, and the call failed: ${error}`,
    );
  }

  #isAbort(error: unknown): boolean {
    return this.#case.abort !== undefined && error instanceof DOMException;
  }

  /**
   * Checks that the client gets the reply to its own command, or reports that
   * there is no connection.
   */
  async #checkState(ftp: FTP): Promise<void> {
    const ask = () => this.#bounded(() => this.#client.pwd(ftp));
    const { inDirectory } = this.#case;
    const wasConnected = ftp.connected;
    try {
      const directory = await ask();
      const isRight = directory === "/work" ||
        directory === "/" && !(inDirectory && this.#isStarted);
      if (!isRight) {
        this.#blame("state", `PWD gave ${JSON.stringify(directory)}`);
      }
    } catch (error) {
      if (error instanceof Deno.errors.NotConnected) return;
      const isOwnReply = error instanceof FTPError && error.reply?.code === 530;
      // one changed bit turns the 331 to USER into a 231, which needs no
      // password
      const mayLackLogin = !this.#isStarted ||
        this.#happened.includes("control corrupt");
      if (isOwnReply && mayLackLogin) return;
      const mayFail = wasConnected || isOfDialling(error);
      if (!mayFail || !this.#isExcused(error)) {
        const isLate = error instanceof Deno.errors.TimedOut;
        const kind = isLate ? "late" : "state";
        return this.#blame(kind, `PWD failed afterwards: ${error}`);
      }
      const again = await ask().catch((error) => error);
      const isGone = again instanceof Deno.errors.NotConnected ||
        (mayFail && isOfDialling(again));
      if (!isGone) {
        this.#blame("state", `PWD failed, and then: ${again}`);
      }
    }
  }

  /** Whether a command must fail with any client. */
  #isExcused(error: unknown): boolean {
    const isStalled = this.#happened.includes("data stall");
    // a server may confirm a transfer and wait until its last bytes are read
    const isBusy = isStalled && error instanceof Deno.errors.TimedOut;
    return isBusy || this.#proxied.isControlHurt || !this.#isStarted;
  }

  #blame(kind: Problem["kind"], text: string): void {
    this.problems.push({ kind, text });
  }
}

/** Whether replacing a doubtful connection failed. */
function isOfDialling(error: unknown): boolean {
  return error instanceof Error &&
    error.message.startsWith('Cannot connect to "');
}

/** Whether the next call continues a temporary file. */
function isForResuming(name: string): boolean {
  return name.includes(".resume-");
}
