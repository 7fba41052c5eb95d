/**
 * Diagnoses a server: what works, what does not, and why.
 *
 * @module
 */

import {
  connect,
  type ConnectURLOptions,
  parseTarget,
  type URLTarget,
} from "../client/connect.ts";
import { FTP } from "../client/ftp.ts";
import { connectionOf } from "../client/ftp_protocol.ts";
import { joinPath, withoutTrailingSlashes } from "../commands/path.ts";
import { dial, showAddress } from "../connection/dial.ts";
import { nodeModule } from "../connection/node_module.ts";
import type { TLSInfo, TLSVersion } from "../connection/tls_info.ts";
import { proveClock } from "../directories/prove_clock.ts";
import { isCrowded } from "../files/recovery.ts";
import type { Entry } from "../listing/entry.ts";
import { isIPv6, isSameHost } from "../protocol/address.ts";
import { FTPError, isRefusal } from "../protocol/errors.ts";
import { printable, printableLine } from "../protocol/printable.ts";
import { TLSError } from "../tls/errors.ts";
import {
  ADDRESS_SETTINGS,
  explainData,
  explainDial,
  explainOpening,
  type Finding,
} from "./findings.ts";
import {
  isPrivate,
  openProbe,
  type Probe,
  probeData,
  SessionLog,
} from "./probe.ts";
import type {
  DiagnoseOptions,
  Diagnosis,
  DiagnosisProblem,
  DiagnosisStep,
  DiagnosisStepName,
} from "./report.ts";

/** Default of `timeout`, in milliseconds. */
const TIMEOUT = 10_000;

/** Time limit of the server's connection in active mode, in milliseconds. */
const ACTIVE_TIMEOUT = 5000;

/** Largest number of entries to read of a listing. */
const MAX_ENTRIES = 1000;

/** Default of `maxConnections`. */
const CONNECTIONS = 4;

/** Days before the expiry of a certificate at which it is reported. */
const SOON = 14;

const DAY = 86_400_000;

/** Tolerated error of a clock, in milliseconds. */
const CLOCK_TOLERANCE = 5 * 60_000;

/** Features that the library uses. */
const USEFUL = ["MLST", "SIZE", "MDTM", "MFMT", "REST", "EPSV", "UTF8"];

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
export async function diagnose(
  url: string | URL,
  options: DiagnoseOptions = {},
): Promise<Diagnosis> {
  return await new Examination(String(url), options).run();
}

/** One run of {@linkcode diagnose}. */
class Examination {
  readonly #url: string;
  readonly #target: URLTarget;
  readonly #options: ConnectURLOptions;
  readonly #examine: DiagnoseOptions;
  readonly #steps: DiagnosisStep[] = [];
  readonly #problems: DiagnosisProblem[] = [];
  /** Options to advise. */
  readonly #advised: ConnectURLOptions = {};
  #canList = false;
  #isSecured = false;

  constructor(url: string, options: DiagnoseOptions) {
    const { write, maxConnections, onStep, ...rest } = options;
    this.#examine = { write, maxConnections, onStep };
    this.#target = parseTarget(url);
    // the path is tested separately
    this.#url = /^\s*\w+:\/\/[^/\\#]*/.exec(url)?.[0].trim() ?? url;
    this.#options = { timeout: TIMEOUT, retry: { attempts: 2 }, ...rest };
    // rejects invalid options
    const { port: _, user, password, account, netrc, retry, signal, ...own } =
      this.#options;
    void [user, password, account, netrc, retry, signal];
    new FTP(own);
  }

  async run(): Promise<Diagnosis> {
    if (await this.#addresses()) {
      const probe = await this.#open();
      if (probe !== undefined) await this.#examineSession(probe);
    }
    this.#options.signal?.throwIfAborted();
    const options = this.#finalOptions();
    return {
      url: this.#shownURL(),
      isUsable: this.#canList,
      steps: this.#steps,
      problems: this.#problems,
      options,
      code: this.#code(options),
    };
  }

  async #examineSession(probe: Probe): Promise<void> {
    {
      await using _closed = probe;
      await this.#features(probe);
      await this.#directory(probe);
    }
    const epsv = await this.#passive("epsv", probe);
    const pasv = await this.#passive("pasv", probe);
    const isPassive = epsv || pasv;
    if (!epsv && pasv) this.#advised.passive = "pasv";
    const active = await this.#active(isPassive);
    if (!isPassive && active) this.#advised.passive = false;
    if (!isPassive && !active) return;
    await this.#connected("listing", (probe) => this.#listing(probe));
    await this.#connections();
    const { write } = this.#examine;
    if (write !== undefined) {
      await this.#connected("write", (probe) => this.#write(probe, write));
    }
  }

  #step(
    name: DiagnosisStepName,
    outcome: DiagnosisStep["outcome"],
    text: string,
    facts: Record<string, unknown> = {},
  ): void {
    this.#options.signal?.throwIfAborted();
    const step = { name, outcome, text: printable(text), facts };
    this.#steps.push(step);
    this.#examine.onStep?.(step);
  }

  /** Adds a problem and its step. */
  #problem(
    step: DiagnosisStepName,
    finding: Finding,
    facts: Record<string, unknown> = {},
  ): void {
    this.#options.signal?.throwIfAborted();
    this.#warn(step, finding);
    this.#step(step, "problem", finding.text, {
      cause: finding.cause,
      ...facts,
    });
  }

  #warn(step: DiagnosisStepName, finding: Finding): void {
    // EPSV and PASV may fail for the same reason
    const isKnown = this.#problems.some(({ cause, advice }) =>
      cause === finding.cause && advice === finding.advice
    );
    if (isKnown) return;
    this.#problems.push({ ...finding, step, text: printable(finding.text) });
  }

  get #port(): number {
    const { port, tls } = this.#target;
    const isImplicit = tls === "implicit" || this.#mode === "implicit";
    return port ?? this.#options.port ?? (isImplicit ? 990 : 21);
  }

  /** How TLS starts; `undefined` without TLS. */
  get #mode(): "explicit" | "implicit" | undefined {
    const { tls } = this.#options;
    if (this.#target.tls !== undefined) return this.#target.tls;
    return typeof tls === "object" ? tls.mode ?? "explicit" : tls;
  }

  /** Dials each address of the name. */
  async #addresses(): Promise<boolean> {
    const { host } = this.#target;
    const { proxy, dial: tunnel, signal } = this.#options;
    if (proxy !== undefined || tunnel !== undefined) {
      const way = proxy === undefined ? 'the function "dial"' : "the proxy";
      this.#step(
        "addresses",
        "skipped",
        `The name is resolved by ${way}.`,
      );
      return true;
    }
    let addresses: string[];
    try {
      const { lookup } = nodeModule("node:dns/promises");
      const found = await lookup(host, { all: true });
      addresses = [...new Set(found.map(({ address }) => address))];
    } catch (error) {
      this.#problem("addresses", {
        cause: "name-not-found",
        severity: "error",
        text: `The name "${host}" cannot be resolved: ${
          error instanceof Error ? error.message : error
        }.`,
        advice: "Check the name, and the name servers of this machine.",
        isFirewall: false,
      });
      return false;
    }
    const port = this.#port;
    const reached: string[] = [];
    let failure: unknown;
    for (const address of addresses) {
      try {
        const timeout = Math.min(this.#options.timeout || TIMEOUT, TIMEOUT);
        (await dial(address, port, { timeout, signal })).close();
        reached.push(address);
      } catch (error) {
        signal?.throwIfAborted();
        failure = error;
      }
    }
    const facts = { addresses, reached, port };
    if (reached.length === 0) {
      const where = showAddress(host, port);
      this.#problem("addresses", explainDial(failure, where), facts);
      return false;
    }
    const lost = addresses.filter((address) => !reached.includes(address));
    this.#step(
      "addresses",
      lost.length === 0 ? "ok" : "note",
      `${host} resolves to ${addresses.join(", ")}; port ${port} answers${
        lost.length === 0 ? "" : `, but not at ${lost.join(", ")}`
      }.`,
      facts,
    );
    return true;
  }

  /** Connects, secures and logs in. */
  async #open(): Promise<Probe | undefined> {
    const log = new SessionLog();
    let probe: Probe | undefined;
    let error: unknown;
    try {
      probe = await openProbe(this.#url, this.#options, log);
    } catch (failure) {
      this.#options.signal?.throwIfAborted();
      error = failure;
    }
    const finding = probe === undefined
      ? explainOpening(error, log)
      : undefined;
    const hasGreeting = log.greeting !== undefined;
    const vendor = probe === undefined
      ? undefined
      : connectionOf(probe.ftp).session.profile.vendor;
    if (hasGreeting) {
      const said = printableLine(lineOf(log.greeting!));
      this.#step(
        "greeting",
        "ok",
        `"${said}"${vendor === undefined ? "" : `: ${vendor}`}.`,
        { greeting: log.greeting, vendor },
      );
    } else if (finding !== undefined && !(error instanceof TLSError)) {
      this.#problem("greeting", finding);
      return undefined;
    }
    const info = probe?.ftp.tls;
    this.#isSecured = info !== undefined;
    if (error instanceof TLSError || finding?.cause === "tls-refused") {
      await this.#distrust(finding!, error);
      return undefined;
    }
    if (
      this.#mode !== undefined && (info !== undefined || log.hasSent("USER"))
    ) {
      await this.#secured(info);
    }
    if (this.#mode === undefined) await this.#offeredTLS();
    if (finding !== undefined) {
      this.#problem("login", finding);
      if (finding.cause === "tls-required") this.#advised.tls = "explicit";
      return undefined;
    }
    this.#step("login", "ok", "Logged in.");
    return probe;
  }

  /** Reads the certificate without trusting it. Sends no user or password. */
  async #peek(version?: TLSVersion): Promise<TLSInfo | undefined> {
    const { timeout, proxy, dial, signal } = this.#options;
    const ftp = new FTP({
      timeout,
      proxy,
      dial,
      tls: {
        mode: this.#mode ?? "explicit",
        dangerouslyAcceptAnyCertificate: true,
        ...(version === undefined
          ? {}
          : { minVersion: version, maxVersion: version }),
      },
    });
    try {
      await ftp.connect(this.#target.host, this.#port, { signal });
      if (this.#mode !== "implicit") await ftp.auth({ signal });
      return ftp.tls;
    } catch {
      signal?.throwIfAborted();
      return undefined;
    } finally {
      ftp.close();
    }
  }

  /** Reports a failure of TLS, with the certificate. */
  async #distrust(finding: Finding, error: unknown): Promise<void> {
    const isSeen = /^certificate/.test(finding.cause);
    const info = isSeen ? await this.#peek() : undefined;
    const about = info === undefined ? "" : ` ${describe(info)}`;
    this.#problem(
      "tls",
      { ...finding, text: `${finding.text}.${about}` },
      {
        reason: error instanceof TLSError ? error.reason : undefined,
        ...factsOf(info),
      },
    );
    if (finding.cause === "certificate-untrusted" && info !== undefined) {
      this.#adviseTLS({ fingerprint: info.fingerprint });
    }
    if (finding.cause === "not-tls") this.#advised.tls = "explicit";
  }

  async #secured(info: TLSInfo | undefined): Promise<void> {
    const versions: TLSVersion[] = [];
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      if (await this.#peek(version) !== undefined) versions.push(version);
    }
    if (info === undefined) {
      this.#step(
        "tls",
        "note",
        "The control connection is in clear text again (CCC).",
      );
      return;
    }
    const left = (info.peerCertificate.validTo.getTime() - Date.now()) / DAY;
    const isSoon = left < SOON;
    this.#step(
      "tls",
      isSoon ? "note" : "ok",
      `${info.protocol} is used; the server supports ${
        versions.join(" and ") || info.protocol
      }. ${describe(info)}${
        isSoon ? ` It expires in ${Math.floor(left)} days.` : ""
      }`,
      { ...factsOf(info), versions },
    );
  }

  /** Without TLS: tests whether the server supports it. */
  async #offeredTLS(): Promise<void> {
    const info = await this.#peek();
    if (info === undefined) {
      this.#warn("tls", {
        cause: "clear-text",
        severity: "warning",
        text:
          "The server does not support TLS. Others on the network can read password and files.",
        advice: "If the server also offers SFTP or HTTPS, use that.",
        isFirewall: false,
      });
      this.#step("tls", "note", "The server refuses AUTH TLS.");
      return;
    }
    const isTrusted = await this.#isTrusted();
    this.#warn("tls", {
      cause: "clear-text",
      severity: "warning",
      text:
        "The URL is without TLS, although the server supports it. Others on the network can read password and files.",
      advice: isTrusted
        ? "Use ftpes://, or the option tls."
        : "Use ftpes://, and pin the certificate's fingerprint if the operator confirms it.",
      isFirewall: false,
    });
    this.#step(
      "tls",
      "note",
      `The URL is without TLS; the server supports ${info.protocol}. ${
        describe(info)
      }`,
      factsOf(info),
    );
    this.#advised.tls = isTrusted
      ? "explicit"
      : { fingerprint: info.fingerprint };
  }

  async #isTrusted(): Promise<boolean> {
    const { timeout, proxy, dial, signal } = this.#options;
    const ftp = new FTP({ timeout, proxy, dial, tls: "explicit" });
    try {
      await ftp.connect(this.#target.host, this.#port, { signal });
      await ftp.auth({ signal });
      return true;
    } catch {
      return false;
    } finally {
      ftp.close();
    }
  }

  #adviseTLS(more: { fingerprint: string }): void {
    const { tls } = this.#options;
    const own = typeof tls === "object" ? tls : {};
    this.#advised.tls = { ...own, ...more };
  }

  async #features({ ftp }: Probe): Promise<void> {
    const features = await ftp.features({ signal: this.#options.signal })
      .catch(() => new Map<string, string>());
    const lacking = USEFUL.filter((name) => !features.has(name));
    const hashes = [...features.keys()].filter((name) =>
      /^(HASH|XCRC|XMD5|XSHA|MD5|MMD5)/.test(name)
    );
    const { vendor } = connectionOf(ftp).session.profile;
    this.#step(
      "features",
      features.size === 0 ? "note" : "ok",
      features.size === 0
        ? "The server does not list its features (FEAT)."
        : `${features.size} features; ${
          lacking.length === 0
            ? "all that the module uses"
            : `without ${lacking.join(", ")}`
        }; hashes: ${hashes.join(", ") || "none"}.`,
      { features: [...features.keys()], lacking, hashes, vendor },
    );
  }

  /** Changes to the URL's directory. */
  async #directory({ ftp }: Probe): Promise<void> {
    const { directory } = this.#target;
    if (directory === "") return;
    try {
      await ftp.cwd(directory, { signal: this.#options.signal });
    } catch (error) {
      if (!(error instanceof FTPError)) throw error;
      this.#warn("login", {
        cause: "directory-missing",
        severity: "error",
        text: error.message,
        advice:
          "The path of a URL is relative to the directory after login. For an absolute path, write two slashes: ftp://host//path.",
        isFirewall: false,
      });
    }
  }

  /** Reads a listing in passive mode. */
  async #passive(way: "epsv" | "pasv", first: Probe): Promise<boolean> {
    const how = way === "epsv" ? "EPSV" : "PASV";
    const [peer] = connectionOf(first.ftp).session.peer;
    if (way === "pasv" && isIPv6(peer)) {
      this.#step("pasv", "skipped", "The connection is over IPv6.");
      return false;
    }
    const log = new SessionLog();
    const told = () => way === "pasv" ? log.passiveHost : undefined;
    try {
      await using probe = await openProbe(
        this.#url,
        { ...this.#options, passive: way },
        log,
      );
      const { bytes, resumed } = await probeData(
        probe.ftp,
        this.#options.signal,
      );
      const isTold = this.#checkHost(told(), peer);
      this.#step(
        way,
        isTold ? "problem" : "ok",
        `A listing of ${bytes} bytes arrived through the port of ${how}.${
          isTold ? " The 227 reply contains another address." : ""
        }${
          resumed === undefined
            ? ""
            : resumed
            ? " TLS resumed the session."
            : " TLS did not resume the session; this server accepts that."
        }`,
        { bytes, resumed, host: told() },
      );
      return true;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const isLogin = !log.hasSent(how) && error instanceof FTPError;
      const finding = isLogin
        ? explainOpening(error, log)
        : explainData(error, log, { how, isSecured: this.#isSecured });
      this.#checkHost(told(), peer);
      this.#problem(way, finding, { host: told() });
      return false;
    }
  }

  /** Reports an address in a 227 reply that is not the server's. */
  #checkHost(told: string | undefined, peer: string): boolean {
    if (told === undefined || isSameHost(told, peer)) return false;
    this.#warn("pasv", {
      cause: "private-address",
      severity: "warning",
      text: `The 227 reply contains the address ${told}${
        isPrivate(told) ? ", a private address" : ""
      }; the server is at ${peer}.`,
      advice:
        `This module connects to ${peer} in spite of it; other clients may fail. Set the server's public address (${ADDRESS_SETTINGS}).`,
      isFirewall: true,
    });
    return true;
  }

  /** Reads a listing in active mode. */
  async #active(isPassive: boolean): Promise<boolean> {
    const { proxy, dial, timeout = TIMEOUT } = this.#options;
    if (proxy !== undefined || dial !== undefined) {
      this.#step(
        "active",
        "skipped",
        "Active mode is not possible through a proxy or a tunnel.",
      );
      return false;
    }
    const log = new SessionLog();
    try {
      await using probe = await openProbe(this.#url, {
        ...this.#options,
        timeout: Math.min(timeout || ACTIVE_TIMEOUT, ACTIVE_TIMEOUT),
        passive: false,
      }, log);
      const { bytes } = await probeData(probe.ftp, this.#options.signal);
      const how = log.hasSent("EPRT") ? "EPRT" : "PORT";
      this.#step(
        "active",
        "ok",
        `The server connected to this machine (${how}) and sent ${bytes} bytes.`,
        { bytes, how },
      );
      return true;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const finding = explainData(error, log, {
        how: "",
        isSecured: this.#isSecured,
      });
      if (!isPassive) this.#problem("active", finding);
      else {
        this.#step(
          "active",
          "note",
          `Active mode does not work, but is not needed: ${finding.text}`,
        );
      }
      return false;
    }
  }

  /** Runs a test on a new connection, with the advised options. */
  async #connected(
    step: DiagnosisStepName,
    work: (probe: Probe) => Promise<void>,
  ): Promise<void> {
    const log = new SessionLog();
    try {
      await using probe = await openProbe(
        this.#url,
        { ...this.#options, ...this.#passiveOption },
        log,
      );
      const { directory } = this.#target;
      const { signal } = this.#options;
      if (directory !== "") {
        await probe.ftp.cwd(directory, { signal }).catch(() => {});
      }
      await work(probe);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const finding = explainData(error, log, {
        how: "PASV",
        isSecured: this.#isSecured,
      });
      this.#problem(step, { ...finding, cause: "data-failed" });
    }
  }

  get #passiveOption(): Pick<ConnectURLOptions, "passive"> {
    const { passive } = this.#advised;
    return passive === undefined ? {} : { passive };
  }

  async #listing({ ftp, log }: Probe): Promise<void> {
    const { signal } = this.#options;
    const entries: Entry[] = [];
    let isWhole = true;
    for await (const entry of ftp.list("", { signal })) {
      if (entries.length >= MAX_ENTRIES) {
        isWhole = false;
        break;
      }
      entries.push(entry);
    }
    const command = log.hasSent("MLSD") && log.hasSent("LIST")
      ? "LIST, because MLSD does not work"
      : log.hasSent("MLSD")
      ? "MLSD"
      : "LIST";
    const formats = [...new Set(entries.map(({ format }) => format))];
    const unknown = entries.filter(({ kind }) => kind === "unknown");
    const foreign = entries.filter(({ name }) => !name.isWellFormed());
    const facts = {
      command,
      formats,
      entries: entries.length,
      unknown: unknown.length,
      foreign: foreign.length,
    };
    this.#canList = true;
    const isBad = unknown.length > 0 || foreign.length > 0;
    this.#step(
      "listing",
      isBad ? "problem" : "ok",
      `${isWhole ? "" : "More than "}${entries.length} ${
        entries.length === 1 ? "entry" : "entries"
      } by ${command}${
        formats.length === 0
          ? ""
          : `, format ${formats.map((format) => `"${format}"`).join(" and ")}`
      }.`,
      facts,
    );
    if (unknown.length > 0) {
      this.#warn("listing", {
        cause: "listing-unreadable",
        severity: "error",
        text: `${unknown.length} lines could not be parsed, such as "${
          printableLine(unknown[0]!.line)
        }".`,
        advice: "Please report this line. nlst() returns the names.",
        isFirewall: false,
      });
    }
    if (foreign.length > 0) {
      const isWindows = foreign.some(({ rawName }) =>
        rawName.some((byte) => byte >= 0x80 && byte < 0xA0)
      );
      const encoding = isWindows ? "windows-1252" : "latin-1";
      this.#advised.encoding = encoding;
      this.#warn("listing", {
        cause: "encoding",
        severity: "warning",
        text:
          `${foreign.length} names are not valid in ${ftp.encoding}, such as "${
            printableLine(foreign[0]!.name)
          }".`,
        advice:
          `Set the server's encoding; "${encoding}" is a guess. The names can be used without it.`,
        isFirewall: false,
      });
    }
    await this.#clock(ftp, entries);
    await this.#restart(ftp, entries);
  }

  /** Compares the times of the listing, of MDTM and of this machine. */
  async #clock(ftp: FTP, entries: readonly Entry[]): Promise<void> {
    const { signal } = this.#options;
    const { clock, vendor } = connectionOf(ftp).session.profile;
    const proven = clock.zoneOf("MDTM");
    const now = Date.now();
    const file = entries.find((entry) =>
      entry.isFile && !entry.hostile && entry.mtime !== undefined
    );
    const mdtm = file === undefined
      ? null
      : await ftp.mtime(file.rawName, { signal }).catch(() => null);
    const latest = Math.max(
      -Infinity,
      ...entries.map(({ mtime }) => mtime?.getTime() ?? -Infinity),
      mdtm?.getTime() ?? -Infinity,
    );
    const ahead = latest - now;
    const difference = mdtm === null || file?.mtime === undefined
      ? undefined
      : Math.round((file.mtime.getTime() - mdtm.getTime()) / 60_000);
    const facts = { zone: proven, listAhead: difference, vendor };
    if (this.#options.serverZone !== undefined) {
      this.#step(
        "clock",
        "ok",
        `The option serverZone is UTC${
          formatZone(proven ?? 0)
        }; it was not proven.`,
        facts,
      );
      return;
    }
    if (ahead > CLOCK_TOLERANCE && proven === undefined) {
      const least = Math.ceil(ahead / 900_000) * 15;
      this.#problem("clock", {
        cause: "zone",
        severity: "warning",
        text: `A file is ${
          formatMinutes(Math.round(ahead / 60_000))
        } in the future if the server's times are in UTC. They are local times, in a zone at least ${
          formatMinutes(least)
        } east of UTC, or the server's clock is wrong.`,
        advice:
          "Run this with `write` to prove the zone, or set serverZone. On the server, set use_localtime=NO (vsftpd) or use_gmt_times=True (pyftpdlib).",
        isFirewall: false,
      }, facts);
      return;
    }
    const list = difference === undefined || Math.abs(difference) < 5
      ? ""
      : ` Times in LIST are ${
        formatMinutes(difference)
      } ahead of those of MDTM; the module corrects that.`;
    this.#step(
      "clock",
      proven === undefined ? "note" : "ok",
      proven === undefined
        ? `The server's times are assumed to be in UTC, without proof: only an upload shows it (\`write\`).${list}`
        : `The server's times are in UTC${formatZone(proven)}${
          vendor === undefined || proven !== 0
            ? ""
            : `, as always with ${vendor}`
        }.${list}`,
      facts,
    );
  }

  /** Tests whether a transfer can start within a file. */
  async #restart(ftp: FTP, entries: readonly Entry[]): Promise<void> {
    const { signal } = this.#options;
    try {
      await ftp.voidcmd("TYPE I", { signal });
      const reply = await ftp.sendcmd("REST 1", { signal });
      await ftp.sendcmd("REST 0", { signal });
      this.#step(
        "restart",
        reply.code === 350 ? "ok" : "note",
        "Transfers can start within a file (REST), so interrupted ones are resumed.",
        { entries: entries.length },
      );
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#step(
        "restart",
        "note",
        `The server refuses REST, so interrupted downloads start over (${error.reply.text}).`,
      );
    }
  }

  /** Counts the connections that the server allows at once. */
  async #connections(): Promise<void> {
    const { maxConnections = CONNECTIONS } = this.#examine;
    const open: FTP[] = [];
    try {
      while (open.length < maxConnections) {
        open.push(
          await connect(this.#url, { ...this.#options, retry: false }),
        );
      }
      this.#step(
        "connections",
        "ok",
        `The server allows at least ${open.length} connections at once.`,
        { connections: open.length, isLimit: false },
      );
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      this.#step(
        "connections",
        "note",
        `The server allows ${open.length} connections at once${
          isCrowded(error) ? "" : ", or the next one failed"
        }. Set \`connections\` of mirrors to no more (${why}).`,
        { connections: open.length, isLimit: isCrowded(error) },
      );
    } finally {
      for (const ftp of open) await ftp[Symbol.asyncDispose]();
    }
  }

  /** Tests an upload, and removes the file. */
  async #write({ ftp }: Probe, folder: string): Promise<void> {
    const { signal } = this.#options;
    const mark = crypto.randomUUID().slice(0, 8);
    const name = `ftp-doctor-${mark}.txt`;
    const path = joinPath(withoutTrailingSlashes(folder), name);
    const content = new TextEncoder().encode("A test of diagnose()\n");
    const { clock } = connectionOf(ftp).session.profile;
    let done: string[] = [];
    try {
      const { verified, mtime } = await ftp.upload(content, path, { signal });
      done = [
        `an upload of ${content.length} bytes was ${
          verified === null ? "confirmed" : `verified by ${verified}`
        }`,
        "the file was renamed",
      ];
      try {
        await ftp.setMtime(path, new Date(), { signal });
        done.push("its time was set");
      } catch (error) {
        if (!(error instanceof FTPError)) throw error;
        done.push("the server cannot set times");
      }
      void mtime;
    } catch (error) {
      if (!(error instanceof FTPError)) throw error;
      await this.#refusedWrite(ftp, folder, error);
      await this.#sweep(ftp, path);
      return;
    }
    if (!await this.#sweep(ftp, path)) return;
    if (clock.zoneOf("MDTM") === undefined) {
      const { session } = connectionOf(ftp);
      await proveClock(session, folder, { signal }).catch((error) => {
        if (!(error instanceof FTPError)) throw error;
      });
    }
    this.#step(
      "write",
      "ok",
      `In "${printableLine(folder)}" ${
        done.join(", ")
      }, and the file was removed.`,
    );
    const zone = clock.zoneOf("MDTM");
    if (zone === undefined || !clock.isProven("MDTM")) return;
    if (zone === 0) {
      this.#step("clock", "ok", "The upload proves that MDTM is in UTC.", {
        zone,
      });
      return;
    }
    this.#advised.serverZone = zone;
    // the suspicion is now a certainty
    const suspected = this.#problems.findIndex(({ cause }) => cause === "zone");
    if (suspected >= 0) this.#problems.splice(suspected, 1);
    this.#problem("clock", {
      cause: "zone",
      severity: "warning",
      text: `The upload proves that the server's times are in local time, UTC${
        formatZone(zone)
      }; RFC 3659 requires UTC.`,
      advice:
        `Uploads detect it. For downloads set serverZone: ${zone}, and change it with summer time. On the server, set use_localtime=NO (vsftpd) or use_gmt_times=True (pyftpdlib).`,
      isFirewall: false,
    }, { zone });
  }

  async #refusedWrite(
    ftp: FTP,
    folder: string,
    error: FTPError,
  ): Promise<void> {
    const { signal } = this.#options;
    const current = await ftp.pwd({ signal }).catch(() => "");
    const isRoot = /^\/?$/.test(folder.replace(/^\.$/, "")) && current === "/";
    this.#problem("write", {
      cause: "write-refused",
      severity: "error",
      text: error.message,
      advice: isRoot || folder === "/"
        ? "The user may not write to the root of its directory (chroot), which many servers require. Use a directory below it that the user owns."
        : "The user may not write to this directory. Check its owner and permissions, and settings of the server such as write_enable (vsftpd) or Limit WRITE (ProFTPD).",
      isFirewall: false,
    });
  }

  /** Removes the test file. Reports a failure. */
  async #sweep(ftp: FTP, path: string): Promise<boolean> {
    const { signal } = this.#options;
    try {
      if (await ftp.exists(path, { signal })) {
        await ftp.remove(path, { signal });
      }
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      this.#problem("write", {
        cause: "leftover",
        severity: "error",
        text: `The test file "${printableLine(path)}" may still exist: ${
          error instanceof Error ? error.message : error
        }.`,
        advice: "Remove it by hand.",
        isFirewall: false,
      });
      return false;
    }
  }

  /** Combines the user's options and the advised ones, without secrets. */
  #finalOptions(): ConnectURLOptions {
    const {
      password: _password,
      account: _account,
      trace: _trace,
      signal: _signal,
      dial: _dial,
      retry,
      timeout,
      proxy,
      ...own
    } = this.#options;
    const { tls } = own;
    return {
      ...own,
      ...(timeout === TIMEOUT ? {} : { timeout }),
      ...(retry && retry.attempts === 2 ? {} : { retry }),
      ...(proxy === undefined ? {} : { proxy: withoutPassword(String(proxy)) }),
      ...(typeof tls === "object" && tls.key !== undefined
        ? { tls: { ...tls, key: "..." } }
        : {}),
      ...this.#advised,
      ...(this.#target.user === undefined ? {} : { user: undefined }),
    };
  }

  #shownURL(): string {
    const { directory } = this.#target;
    const path = directory.split("/").map(encodeURIComponent).join("/");
    return withoutPassword(this.#url) + (path === "" ? "" : `/${path}`);
  }

  #code(options: ConnectURLOptions): string {
    const { tls } = options;
    let url = this.#shownURL();
    let rest = options;
    // the scheme replaces the option
    if (tls === "explicit" && this.#target.tls !== "explicit") {
      url = url.replace(/^(ftps?:)?(?=\/\/)/i, "ftpes:");
      const { tls: _tls, ...others } = options;
      rest = others;
    }
    const shown = Object.entries(rest).filter(([, value]) =>
      value !== undefined
    ).map(([name, value]) => `  ${name}: ${formatValue(value)},\n`);
    const user = this.#target.user ?? this.#options.user;
    if (user !== undefined && user !== "anonymous") {
      shown.push('  password: Deno.env.get("FTP_PASSWORD"),\n');
    }
    const argument = shown.length === 0 ? "" : `, {\n${shown.join("")}}`;
    return printable(
      `await using ftp = await connect(${JSON.stringify(url)}${argument});\n`,
    );
  }
}

/** Returns the first line of a greeting that has letters. */
function lineOf(greeting: string): string {
  const lines = greeting.split("\n");
  return lines.find((line) => /[a-z]{3}/i.test(line)) ?? lines[0]!;
}

function formatValue(value: unknown): string {
  // a certificate is read from a file
  if (typeof value === "string" && value.startsWith("-----BEGIN ")) {
    return 'await Deno.readTextFile("certificate.pem")';
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(formatValue).join(", ")}]`;
  const fields = Object.entries(value).filter(([, field]) =>
    field !== undefined
  ).map(([name, field]) => `${name}: ${formatValue(field)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/[^/:@]*):[^/]*@/, "$1@");
}

function describe({ peerCertificate, fingerprint }: TLSInfo): string {
  const { names, validFrom, validTo, issuer } = peerCertificate;
  const day = (date: Date) => date.toISOString().slice(0, 10);
  return `The certificate is for ${
    names.join(", ") || "no name"
  }, by ${issuer}, valid from ${day(validFrom)} to ${
    day(validTo)
  }; SHA-256 ${fingerprint}.`;
}

function factsOf(info: TLSInfo | undefined): Record<string, unknown> {
  if (info === undefined) return {};
  const { protocol, cipher, fingerprint, peerCertificate } = info;
  const { subject, issuer, names, validFrom, validTo } = peerCertificate;
  return {
    protocol,
    cipher,
    fingerprint,
    subject,
    issuer,
    names,
    validFrom,
    validTo,
  };
}

function formatZone(minutes: number): string {
  if (minutes === 0) return "";
  return `${minutes < 0 ? "-" : "+"}${formatClock(Math.abs(minutes))}`;
}

function formatClock(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${
    String(minutes % 60).padStart(2, "0")
  }`;
}

function formatMinutes(minutes: number): string {
  return `${minutes < 0 ? "-" : ""}${formatClock(Math.abs(minutes))} hours`;
}
