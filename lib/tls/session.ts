/**
 * State that a control connection and its data connections share: trust, TLS
 * versions, and the slot of the session store.
 *
 * @module
 */

import { nodeModule } from "../connection/node_module.ts";
import { isEqual } from "../protocol/bytes.ts";
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

const { isIP } = nodeModule("node:net");
const { Duplex } = nodeModule("node:stream");
const { setImmediate } = nodeModule("node:timers");
const { connect } = nodeModule("node:tls");

/** Node's functions, for TLS clients of this thread. */
const PARTS: EngineParts = { connect, Duplex, setImmediate };

/** Use of one slot of the platform's session store. */
interface Slot {
  /** Number of sessions that use it now. */
  users: number;
  /** The end of the last handshake, which the next one waits for. */
  ending: Promise<unknown>;
  /** Whether a server refused a session of this slot. */
  isRefused: boolean;
}

/**
 * Key of the registry on `globalThis`: copies of this module share one session
 * store.
 */
const SLOTS = Symbol.for("ftp.tls.slots.2");

/** Slots that were ever used, by key. */
const slots: Map<string, Slot> =
  (globalThis as { [SLOTS]?: Map<string, Slot> })[SLOTS] ??= new Map();

/**
 * Largest number of slots whose tickets of TLS 1.3 are relied on. The platform's
 * store has room for 32 names, evicts the oldest even while it is used, and the
 * rest of the program uses it too.
 */
const MAX_SLOTS = 16;

/**
 * Largest number of worker threads. Each needs 13 MB and 100 ms of processor
 * time. Further sessions share the store.
 */
const MAX_THREADS = 16;

/** Number of worker threads. */
let threads = 0;

/** Number of slots that are remembered after their use. */
const MAX_KNOWN = 256;

/** Largest number of tickets that the platform stores for a server name. */
const MAX_TICKETS = 8;

/** State that one control connection and its data connections share. */
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
  readonly #slot: Slot;
  readonly #thread: TLSThread | undefined;
  #isSingleUse = false; // TLS 1.3: each ticket works for one connection
  #isOffered: boolean | undefined; // whether a ClientHello offered the session
  #holding: Promise<void> | undefined;
  #isSpoiled = false;
  #early: PreparedHandshake | undefined;
  #users = 0;
  #isClosed = false;
  #isGone = false;
  /** The last trusted certificate, and its description. */
  #trusted:
    | { der: Uint8Array; certificate: TLSCertificate; sha256: string }
    | undefined;

  /**
   * Reads the options and chooses where the TLS clients run: in this thread, or
   * in a worker with a session store of its own.
   *
   * @param acceptsAny Whether the server resumes any session that it issued
   * @throws {TypeError} If an option is invalid
   */
  constructor(
    host: string,
    port: number,
    options: TLSOptions,
    acceptsAny = false,
  ) {
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
    // the platform uses one key for all addresses, and one for all spellings of
    // a name
    const key = `${rejectUnauthorized} ${
      servername?.toLowerCase().replace(/\.$/, "") ?? "an address"
    }`;
    let slot = slots.get(key);
    // tickets of TLS 1.3 cannot be told apart by their session
    const mixesTickets = this.#engineOptions.maxVersion !== "TLSv1.2" &&
      (slot === undefined
        ? slots.size >= MAX_SLOTS
        : slot.users > 0 && !acceptsAny);
    const isIsolated = options.isolate === true || slot?.isRefused === true ||
      mixesTickets;
    if (slot === undefined) {
      slot = {
        users: 0,
        ending: Promise.resolve(),
        isRefused: false,
      };
      slots.set(key, slot);
    }
    this.#slot = slot;
    if (isIsolated && threads < MAX_THREADS) {
      this.#thread = new TLSThread();
      threads++;
    } else {
      slot.users++;
    }
  }

  /** Whether the TLS clients of this thread use the store for this session. */
  get sharesStore(): boolean {
    return this.#thread === undefined;
  }

  /** Starts a handshake, or continues the one that was prepared. */
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
   * Makes the control connection's session the one that data connections
   * resume. Call it before another byte is read, because the tickets of TLS 1.3
   * come after the handshake.
   */
  prepare(handshake: Handshake): void {
    this.#isSingleUse = handshake.protocol === "TLSv1.3";
    // tickets may be those of another session in use; hold() discards them for 1.2
    const isAlone = this.#thread === undefined && this.#slot.users === 1;
    if (this.#isSingleUse && isAlone) this.#forgetTickets();
  }

  /**
   * Ends a handshake while no other one of the slot ends, and starts the next
   * data connection's: its ClientHello holds the session that was just stored.
   *
   * @param end Ends the handshake; gives `undefined` if it did not end
   */
  async endHandshake(
    end: () => Promise<Handshake | undefined>,
  ): Promise<void> {
    const slot = this.#slot;
    const previous = slot.ending;
    const { promise, resolve } = Promise.withResolvers<void>();
    slot.ending = promise;
    await previous;
    try {
      const handshake = await end();
      if (handshake?.protocol === "TLSv1.2") await this.holdSession();
    } finally {
      resolve();
    }
  }

  /**
   * Whether the next data connection can resume the control connection's
   * session. The platform uses a ticket of TLS 1.3 once, and servers do not
   * always send a new one.
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
   * Starts the next data connection's handshake while the store holds the
   * session of TLS 1.2. Another TLS client of the program that talks to the
   * same host may replace it, or leave tickets of TLS 1.3, which the platform
   * prefers.
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
    this.#isOffered ??= false; // the server sends no session
  }

  /**
   * Whether the server refused a data connection for not resuming the session,
   * and a new control connection is likely to work.
   */
  get isSpoiled(): boolean {
    return this.#isSpoiled;
  }

  /**
   * Records that the server required the session and did not get it. Later
   * connections to this host are isolated. Returns advice for the user.
   */
  noteRefusal(): string {
    const { cert, maxVersion } = this.#engineOptions;
    if (cert !== undefined) {
      return 'omit "cert" and "key", or change the server\'s setting';
    }
    if (this.#thread === undefined) {
      this.#isSpoiled = true;
      this.#slot.isRefused = true;
      return 'another TLS client in this program, such as "node:https", may have replaced the session. Connect again (later connections are isolated), set "isolate", or change the server\'s setting';
    }
    const advice = "change the server's setting";
    return maxVersion === "TLSv1.2"
      ? advice
      : `leave "maxVersion" at "TLSv1.2", or ${advice}`;
  }

  /**
   * Discards the TLS 1.3 tickets that earlier control connections or the rest
   * of the program stored for this host. They belong to other sessions, and the
   * platform prefers them even for TLS 1.2. Each ClientHello uses up one.
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
   * Decides whether a peer is trusted, on control and data connections, whether
   * resumed or not.
   *
   * @returns The problem, or `undefined`
   */
  findProblem(handshake: Handshake): TLSProblem | undefined {
    const leaf = handshake.chain[0];
    if (leaf === undefined) {
      return {
        reason: "bad-certificate",
        detail: "the server showed no certificate",
      };
    }
    // data connections nearly always show the same certificate again
    if (this.#trusted !== undefined && isEqual(leaf, this.#trusted.der)) {
      return undefined;
    }
    const fault = this.#findProblem(leaf, handshake.chain);
    if (fault === undefined) {
      this.#trusted = {
        der: leaf,
        certificate: describeCertificate(leaf),
        sha256: fingerprintOf(leaf),
      };
    }
    return fault;
  }

  #findProblem(
    leaf: Uint8Array,
    chain: readonly Uint8Array[],
  ): TLSProblem | undefined {
    if (this.#acceptsAny) return undefined;
    if (this.#engineOptions.rejectUnauthorized) {
      return checkName(leaf, this.#name); // the platform verified the rest
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

  /** Describes a handshake for the user. */
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
   * SHA-256 of the certificate that the server showed; `undefined` if it showed
   * none.
   */
  fingerprintOf(handshake: Handshake): string | undefined {
    const leaf = handshake.chain[0];
    return leaf === undefined ? undefined : fingerprintOf(leaf);
  }

  /** Registers a connection that uses the session. */
  retain(): void {
    this.#users++;
  }

  /** Unregisters a connection. */
  release(): void {
    this.#users--;
    this.#tidy();
  }

  /**
   * Ends the use of the session: no further connection will be made, and open
   * ones continue.
   */
  close(): void {
    this.#isClosed = true;
    this.#tidy();
  }

  /** Releases the slot or the worker once no connection uses it. */
  #tidy(): void {
    if (!this.#isClosed || this.#users > 0 || this.#isGone) return;
    this.#isGone = true;
    this.#early?.destroy();
    if (this.#thread === undefined) {
      this.#slot.users--;
      forgetSlots();
    } else {
      this.#thread.close();
      threads--;
    }
  }
}

/** Forgets the oldest slots that are not in use, if there are many. */
function forgetSlots(): void {
  for (const [key, slot] of slots) {
    if (slots.size <= MAX_KNOWN) return;
    if (slot.users === 0) slots.delete(key);
  }
}
