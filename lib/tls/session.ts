/**
 * What a control connection and its data connections share: whom to trust,
 * which versions to speak, and where the sessions to resume are kept.
 *
 * @module
 */

import { isIP } from "node:net";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { connect } from "node:tls";
import { checkName } from "./certificate_names.ts";
import {
  Authorities,
  checkProvable,
  describeCertificate,
  fingerprintOf,
} from "./certificate.ts";
import { PreparedHandshake } from "./prepared_handshake.ts";
import {
  type Engine,
  type EngineEvents,
  type EngineOptions,
  type EngineParts,
  type Handshake,
  startEngine,
} from "./engine.ts";
import type { TLSProblem } from "./errors.ts";
import { TLSThread } from "./worker.ts";
import type {
  TLSCertificate,
  TLSInfo,
  TLSVersion,
} from "../connection/tls_info.ts";
import { parseFingerprint, type TLSOptions } from "./options.ts";

/** What the TLS clients of this thread are made of. */
const PARTS: EngineParts = { connect, Duplex, setImmediate };

/** What is known of the platform's store of this thread, by its keys. */
interface Places {
  /** Whose sessions a control connection keeps there. */
  readonly taken: Set<string>;
  /** Which were ever used. */
  readonly known: Set<string>;
  /** Where the rest of the program keeps sessions too. */
  readonly shared: Set<string>;
}

/** Where all copies of this module find it: the store is theirs together. */
const PLACES = Symbol.for("ftp.tls.places.1");

const places: Places = (globalThis as { [PLACES]?: Places })[PLACES] ??= {
  taken: new Set(),
  known: new Set(),
  shared: new Set(),
};

/**
 * Most of them: the platform's store has room for 32 names, forgets the one
 * that came first though it is in use, and is open to the rest of the program.
 */
const MAX_PLACES = 16;

/** Most tickets that the platform keeps for a server's name. */
const MAX_TICKETS = 8;

/** What one control connection and its data connections share. */
export class TLSSession {
  /** Host and port, for messages. */
  readonly shown: string;
  /** Whether data may end without close_notify. */
  readonly allowsMissingCloseNotify: boolean;
  readonly #name: string;
  readonly #engineOptions: EngineOptions;
  readonly #fingerprints: readonly string[] | undefined;
  readonly #authorities: Authorities | undefined;
  readonly #acceptsAny: boolean;
  readonly #place: string;
  readonly #thread: TLSThread | undefined;
  #isSingleUse = false; // tickets of TLS 1.3, each good for one connection
  #isOffered: boolean | undefined; // whether a ClientHello brings the session
  #holding: Promise<void> | undefined;
  #isSpoiled = false;
  #early: PreparedHandshake | undefined;
  #users = 0;
  #isClosed = false;
  #isGone = false;
  /** The certificate that was trusted last, and what it says. */
  #trusted:
    | { der: Uint8Array; certificate: TLSCertificate; sha256: string }
    | undefined;

  /**
   * Reads the user's options.
   *
   * @param host The host that was dialled
   * @param port The port that was dialled
   * @param options The user's
   * @throws {TypeError} If they make no sense
   */
  constructor(host: string, port: number, options: TLSOptions) {
    this.shown = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    this.allowsMissingCloseNotify = options.allowMissingCloseNotify ?? false;
    this.#name = options.serverName ?? host;
    this.#acceptsAny = options.dangerouslyAcceptAnyCertificate ?? false;
    this.#fingerprints = options.fingerprint === undefined
      ? undefined
      : [options.fingerprint].flat().map(parseFingerprint);
    this.#authorities = options.caCerts === undefined
      ? undefined
      : new Authorities(options.caCerts);
    const { minVersion = "TLSv1.2", maxVersion = "TLSv1.2" } = options;
    this.#engineOptions = {
      host,
      port,
      servername: isIP(this.#name) ? undefined : this.#name,
      rejectUnauthorized: !this.#acceptsAny &&
        this.#fingerprints === undefined && this.#authorities === undefined,
      minVersion,
      maxVersion: maxVersion < minVersion ? minVersion : maxVersion,
      cert: options.cert,
      key: options.key,
      session: undefined,
    };
    const { servername, rejectUnauthorized } = this.#engineOptions;
    // all addresses share one key, and so do all spellings of a name
    this.#place = `${rejectUnauthorized} ${
      servername?.toLowerCase().replace(/\.$/, "") ?? "an address"
    }`;
    const { taken, known, shared } = places;
    const isFull = !known.has(this.#place) && known.size >= MAX_PLACES;
    const isApart = options.isolate === true || isFull ||
      taken.has(this.#place) || shared.has(this.#place);
    if (isApart) {
      this.#thread = new TLSThread();
    } else {
      taken.add(this.#place);
      known.add(this.#place);
    }
  }

  /**
   * Starts a handshake.
   *
   * @param events What happens
   * @returns The TLS client
   */
  startEngine(events: Omit<EngineEvents, "session">): Engine {
    const early = this.#early;
    this.#early = undefined;
    const all = { ...events, session: this.#keepSession };
    return early?.adopt(all) ?? this.#startEngine(all);
  }

  readonly #startEngine = (events: EngineEvents): Engine =>
    this.#thread?.startEngine(this.#engineOptions, events) ??
      startEngine(PARTS, this.#engineOptions, events);

  readonly #keepSession = (session: Uint8Array): void => {
    this.#engineOptions.session = session;
  };

  /**
   * Makes the session of the control connection the one that the data
   * connections find. To be called before another byte is read: the tickets of
   * TLS 1.3 come after the handshake.
   *
   * @param handshake The control connection's
   */
  prepare(handshake: Handshake): void {
    this.#isSingleUse = handshake.protocol === "TLSv1.3";
    if (this.#thread === undefined) this.#forgetTickets();
  }

  /**
   * Tells whether the next data connection can resume the session of the
   * control connection. The platform uses a ticket of TLS 1.3 once, and
   * servers do not always give a new one for it.
   *
   * @returns Whether it can; with TLS 1.2 it always can
   */
  async canResume(): Promise<boolean> {
    if (this.#isGone) return true;
    if (!this.#isSingleUse) {
      await this.holdSession();
      return true;
    }
    this.#early ??= new PreparedHandshake(this.#startEngine);
    return await this.#early.hasTicket();
  }

  /**
   * Begins the next data connection's handshake, as long as the store holds
   * the session of TLS 1.2: any other TLS client of the program that talks to
   * the host takes it away, and leaves tickets of 1.3 in its way.
   */
  async holdSession(): Promise<void> {
    const isMeant = this.#thread === undefined && !this.#isSingleUse &&
      this.#engineOptions.maxVersion === "TLSv1.2" && this.#isOffered !== false;
    if (!isMeant || this.#isGone) return;
    await (this.#holding ??= this.#hold());
    this.#holding = undefined;
  }

  async #hold(): Promise<void> {
    if (this.#early !== undefined) return;
    for (let i = 0; i <= MAX_TICKETS && !this.#isGone; i++) {
      const early = new PreparedHandshake(this.#startEngine);
      if (await early.hasSession() && !this.#isGone) {
        this.#early ??= early;
        this.#isOffered = true;
        return;
      }
      early.destroy();
    }
    this.#isOffered ??= false; // the server gives none to resume
  }

  /**
   * Whether a data connection was refused since it did not bring the session
   * of the control connection, and another connection is likely to do better.
   */
  get isSpoiled(): boolean {
    return this.#isSpoiled;
  }

  /**
   * Takes note that the server has missed the session of the control
   * connection. Sessions of later connections to this host are kept apart.
   *
   * @returns What the user can do about it
   */
  noteRefusal(): string {
    const { cert, maxVersion } = this.#engineOptions;
    if (cert !== undefined) {
      return 'leave "cert" and "key" out, or have the server not require it';
    }
    if (this.#thread === undefined) {
      this.#isSpoiled = true;
      places.shared.add(this.#place);
      return 'another TLS client of this program, such as "node:https", may have put its session in the place of ours. Connect again, which keeps them apart from now on, or always with "isolate"; or have the server not require it';
    }
    const advice = "have the server not require it";
    return maxVersion === "TLSv1.2"
      ? advice
      : `leave "maxVersion" at "TLSv1.2", or ${advice}`;
  }

  /**
   * Takes away the tickets of TLS 1.3 that earlier control connections to this
   * host, or the rest of the program, have left: they stand for other sessions,
   * and for 1.2 too the platform looks for them first. Each ClientHello takes
   * one away.
   */
  #forgetTickets(): void {
    const ignore = () => {};
    const events = {
      secure: ignore,
      session: ignore,
      send: (_: Uint8Array, done: () => void) => done(),
      data: ignore,
      end: ignore,
      fail: ignore,
    };
    for (let i = 0; i < MAX_TICKETS; i++) this.#startEngine(events).destroy();
  }

  /**
   * Decides whether a peer is to be trusted: the same for the control and the
   * data connections, resumed or not.
   *
   * @param handshake What came of the handshake
   * @returns What is wrong, or `undefined`
   */
  judge(handshake: Handshake): TLSProblem | undefined {
    const leaf = handshake.chain[0];
    if (leaf === undefined) {
      return {
        reason: "bad-certificate",
        detail: "the server showed no certificate",
      };
    }
    // on the data connections it is nearly always the same one again
    if (this.#trusted !== undefined && isEqual(leaf, this.#trusted.der)) {
      return undefined;
    }
    const fault = this.#judge(leaf, handshake.chain);
    if (fault === undefined) {
      this.#trusted = {
        der: leaf,
        certificate: describeCertificate(leaf),
        sha256: fingerprintOf(leaf),
      };
    }
    return fault;
  }

  #judge(
    leaf: Uint8Array,
    chain: readonly Uint8Array[],
  ): TLSProblem | undefined {
    if (this.#acceptsAny) return undefined;
    if (this.#engineOptions.rejectUnauthorized) {
      return checkName(leaf, this.#name); // the platform has done the rest
    }
    const fault = checkProvable(leaf);
    if (fault !== undefined) return fault;
    const sha256 = fingerprintOf(leaf);
    if (this.#fingerprints?.includes(sha256) === false) {
      return {
        reason: "fingerprint",
        detail:
          `the certificate has the SHA-256 ${sha256}, which is not the pinned one`,
      };
    }
    if (this.#authorities === undefined) return undefined;
    return this.#authorities.check(chain, new Date()) ??
      checkName(leaf, this.#name);
  }

  /**
   * Tells what a handshake came to.
   *
   * @param handshake One whose peer was judged to be trusted
   * @returns The information for the user
   */
  describe(handshake: Handshake): TLSInfo {
    return {
      protocol: handshake.protocol as TLSVersion,
      cipher: handshake.cipher,
      peerCertificate: this.#trusted!.certificate,
      fingerprint: this.#trusted!.sha256,
      resumed: handshake.resumed,
    };
  }

  /**
   * The fingerprint of the certificate that a server showed.
   *
   * @param handshake A finished handshake
   * @returns The SHA-256, if there was a certificate
   */
  fingerprintOf(handshake: Handshake): string | undefined {
    const leaf = handshake.chain[0];
    return leaf === undefined ? undefined : fingerprintOf(leaf);
  }

  /** A connection uses the session from now on. */
  retain(): void {
    this.#users++;
  }

  /** A connection uses the session no more. */
  release(): void {
    this.#users--;
    this.#tidy();
  }

  /** No connection will be made any more; those there are go on. */
  close(): void {
    this.#isClosed = true;
    this.#tidy();
  }

  /** Gives the place where the sessions are kept back, if nobody uses it. */
  #tidy(): void {
    if (!this.#isClosed || this.#users > 0 || this.#isGone) return;
    this.#isGone = true;
    this.#early?.destroy();
    if (this.#thread === undefined) places.taken.delete(this.#place);
    else this.#thread.close();
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
