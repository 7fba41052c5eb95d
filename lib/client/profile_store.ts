/**
 * Keeps what was learned of a server between runs of a program.
 *
 * @module
 */

import { quote } from "../protocol/printable.ts";
import type { ServerProfile } from "../transfer/server_profile.ts";
import type { Tracer } from "../connection/trace.ts";

/**
 * What was learned of a server, as JSON. Each value only avoids a wait. None
 * weakens a check or TLS, and a value that is wrong or out of date is learned
 * anew.
 */
export interface LearnedProfile {
  /** When the first value was learned, as an ISO 8601 time in UTC. */
  readonly since: string;
  /** `false`: `EPSV` does not work, and `PASV` does. */
  readonly epsv?: false;
  /** `false`: `MLSD` does not work, or gets no reply. */
  readonly mlsd?: false;
  /** `true`: `PRET` is needed before `EPSV` and `PASV`. */
  readonly pret?: true;
  /** `false`: the server reads one command at a time. */
  readonly pipelining?: false;
}

/**
 * Loads and saves what was learned of servers. Both functions may be
 * asynchronous.
 *
 * @example
 * ```ts
 * import { FTP, type ProfileStore } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * const profile: ProfileStore = {
 *   load: (server) => JSON.parse(localStorage.getItem(server) ?? "null"),
 *   save: (server, learned) =>
 *     localStorage.setItem(server, JSON.stringify(learned)),
 * };
 * const ftp = new FTP({ profile });
 * ```
 */
export interface ProfileStore {
  /**
   * Returns what {@linkcode ProfileStore.save} was last called with for a
   * server. Anything else, such as `null`, `undefined` or an invalid value,
   * counts as no knowledge. `connect()` calls it, and rejects with its error,
   * or if it takes longer than `timeout`.
   *
   * @param server Host and port: "ftp.example.com:21", "[::1]:21"
   */
  load(server: string): unknown;
  /**
   * Called at the end of a connection if something was learned. `quit()` and
   * `await using` wait for it, at most as long as `timeout`; `close()` does not.
   * Its errors are only shown by `trace`.
   *
   * @param server Host and port, as for {@linkcode ProfileStore.load}
   * @param learned Everything that is known, to replace what was saved before
   */
  save(server: string, learned: LearnedProfile): void | Promise<void>;
}

/** Longest use of what was learned, in milliseconds: servers are replaced. */
const VALIDITY = 90 * 24 * 60 * 60 * 1000;

/** One server's part of a store. */
export class ServerStore {
  readonly #store: ProfileStore;
  readonly #server: string;
  #since = new Date();
  /** The values that were saved last, as JSON. */
  #saved = "{}";

  private constructor(store: ProfileStore, server: string) {
    this.#store = store;
    this.#server = server;
  }

  /** Loads what is known of a server. */
  static async load(
    store: ProfileStore,
    server: string,
    profile: ServerProfile,
    dropping: Set<string>,
  ): Promise<ServerStore> {
    const kept = new ServerStore(store, server);
    const learned: unknown = await store.load(server);
    if (typeof learned !== "object" || learned === null) return kept;
    const { since, epsv, mlsd, pret, pipelining } = learned as LearnedProfile;
    const date = new Date(typeof since === "string" ? since : NaN);
    const age = Date.now() - date.getTime();
    if (!(age >= 0 && age < VALIDITY)) return kept;
    kept.#since = date;
    if (epsv === false) {
      profile.hasExtendedPassive = false;
      profile.recalled.add("EPSV");
    }
    if (mlsd === false) {
      profile.hasMLSD = false;
      profile.recalled.add("MLSD");
    }
    if (pret === true) {
      profile.needsPRET = true;
      profile.recalled.add("PRET");
    }
    if (pipelining === false) dropping.add(server);
    kept.#saved = JSON.stringify(kept.#collect(profile, dropping));
    return kept;
  }

  /** Saves what is known, if it is not what was loaded or saved last. */
  async save(
    profile: ServerProfile,
    dropping: ReadonlySet<string>,
    tracer: Tracer,
  ): Promise<void> {
    const values = this.#collect(profile, dropping);
    const text = JSON.stringify(values);
    if (text === this.#saved) return;
    this.#saved = text;
    const learned = { since: this.#since.toISOString(), ...values };
    try {
      await this.#store.save(this.#server, learned);
    } catch (error) {
      tracer.emit(
        "event",
        () =>
          `cannot save the profile of ${quote(this.#server)}: ${
            error instanceof Error || typeof error === "string"
              ? error
              : typeof error
          }`,
      );
    }
  }

  #collect(
    { hasExtendedPassive, hasMLSD, needsPRET }: ServerProfile,
    dropping: ReadonlySet<string>,
  ): Omit<LearnedProfile, "since"> {
    return {
      ...hasExtendedPassive === false && { epsv: false },
      ...hasMLSD === false && { mlsd: false },
      ...needsPRET && { pret: true },
      ...dropping.has(this.#server) && { pipelining: false },
    };
  }
}
