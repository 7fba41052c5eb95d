/**
 * What a control connection and its data connections share: whom to trust,
 * which versions to speak, and where the sessions to resume are kept.
 *
 * @module
 */

import { isIP } from "node:net";
import { Duplex } from "node:stream";
import { connect } from "node:tls";
import {
  Authorities,
  checkName,
  checkProvable,
  describeCertificate,
  fingerprintOf,
  parseFingerprint,
} from "./tls_certificate.ts";
import {
  type Engine,
  type EngineEvents,
  type EngineOptions,
  type Handshake,
  startEngine,
} from "./tls_engine.ts";
import type { TLSFault } from "./tls_errors.ts";
import type { TLSInfo, TLSOptions, TLSVersion } from "./tls_options.ts";

/** What one control connection and its data connections share. */
export class TLSSession {
  /** Host and port, for messages. */
  readonly shown: string;
  readonly #name: string;
  readonly #engineOptions: EngineOptions;
  readonly #fingerprints: readonly string[] | undefined;
  readonly #authorities: Authorities | undefined;
  readonly #acceptsAny: boolean;

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
    };
  }

  /**
   * Starts a handshake.
   *
   * @param events What happens
   * @returns The TLS client
   */
  startEngine(events: EngineEvents): Engine {
    return startEngine({ connect, Duplex }, this.#engineOptions, events);
  }

  /**
   * Decides whether a peer is to be trusted: the same for the control and the
   * data connections, resumed or not.
   *
   * @param handshake What came of the handshake
   * @returns What is wrong, or `undefined`
   */
  judge(handshake: Handshake): TLSFault | undefined {
    const leaf = handshake.chain[0];
    if (leaf === undefined) {
      return {
        reason: "bad-certificate",
        detail: "the server showed no certificate",
      };
    }
    if (this.#acceptsAny) return undefined;
    if (this.#engineOptions.rejectUnauthorized) {
      return checkName(leaf, this.#name); // the platform has done the rest
    }
    const fault = checkProvable(leaf);
    if (fault !== undefined) return fault;
    if (this.#fingerprints !== undefined) {
      const fingerprint = fingerprintOf(leaf);
      if (!this.#fingerprints.includes(fingerprint)) {
        return {
          reason: "fingerprint",
          detail:
            `the certificate has the SHA-256 ${fingerprint}, which is not the pinned one`,
        };
      }
    }
    if (this.#authorities === undefined) return undefined;
    return this.#authorities.check(handshake.chain, new Date()) ??
      checkName(leaf, this.#name);
  }

  /**
   * Tells what a handshake came to.
   *
   * @param handshake A finished handshake
   * @returns The information for the user
   */
  describe(handshake: Handshake): TLSInfo {
    const leaf = handshake.chain[0]!;
    return {
      protocol: handshake.protocol as TLSVersion,
      cipher: handshake.cipher,
      peerCertificate: describeCertificate(leaf),
      fingerprint: fingerprintOf(leaf),
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

  /** Gives the place where the sessions are kept back. */
  close(): void {}
}
