/**
 * A port that was requested before the transfer that uses it.
 *
 * @module
 */

import type { ByteStream } from "../connection/byte_stream.ts";
import { abortable } from "../connection/waiting.ts";
import type { HostPort } from "../protocol/address.ts";

/** Milliseconds for which a port that was requested ahead is used. */
const MAX_AGE = 5000;

/** A port that was requested before the transfer. */
export class PortAhead {
  /** The address; rejects like the transfer would. */
  readonly address: Promise<HostPort>;
  /** Whether the next call may use it, whatever its signal. */
  readonly isForAny: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #at = performance.now();
  #dialing: Promise<ByteStream> | undefined;
  #isDropped = false;

  /**
   * Keeps a request that was sent.
   *
   * @param signal Signal of the call that sent it; "any" if the next call may
   * have another one
   */
  constructor(
    address: Promise<HostPort>,
    signal: AbortSignal | undefined | "any",
  ) {
    this.address = address;
    this.isForAny = signal === "any";
    this.#signal = signal === "any" ? undefined : signal;
  }

  /** Whether a call may use it. */
  isFor(signal: AbortSignal | undefined): boolean {
    const isOurs = this.isForAny || this.#signal === signal;
    return isOurs && performance.now() - this.#at < MAX_AGE;
  }

  /** Whether a connection was or will be dialed. */
  get isDialed(): boolean {
    return this.#dialing !== undefined;
  }

  /** Dials as soon as the address is known. */
  dial(open: (address: HostPort) => Promise<ByteStream>): void {
    this.#dialing = this.address.then(async (address) => {
      if (this.#isDropped) throw new Deno.errors.Interrupted("It is not used");
      return await open(address);
    });
    this.#dialing.catch(() => {}); // the call dials again
  }

  /** Returns the dialed connection, which the caller owns. */
  async connected(
    signal: AbortSignal | undefined,
  ): Promise<ByteStream | undefined> {
    try {
      return this.#dialing && await abortable(this.#dialing, signal);
    } catch (error) {
      this.drop();
      if (signal?.aborted || error instanceof Deno.errors.NotCapable) {
        throw error;
      }
      return undefined;
    }
  }

  /** Closes the connection if there is one, now or later. */
  drop(): void {
    this.#isDropped = true;
    this.#dialing?.then((stream) => stream.close()).catch(() => {});
  }
}
