/**
 * A TLS client that has begun its handshake before there is a connection for
 * it: its ClientHello tells whether a session will be resumed.
 *
 * @module
 */

import type { Engine, EngineEvents } from "./engine.ts";

/** What came of a client that has failed. */
const NO_HELLO = new Uint8Array(0);

/** What an engine tells, all of it. */
type Told = {
  [Name in keyof EngineEvents]: [Name, ...Parameters<EngineEvents[Name]>];
}[keyof EngineEvents];

/** A TLS client that waits for its connection. */
export class PreparedHandshake {
  readonly #engine: Engine;
  readonly #hello = Promise.withResolvers<Uint8Array>();
  #events: EngineEvents | undefined;
  #untold: Told[] = [];

  /**
   * Begins a handshake.
   *
   * @param start Starts the client
   */
  constructor(start: (events: EngineEvents) => Engine) {
    this.#engine = start({
      secure: (...args) => this.#tell(["secure", ...args]),
      session: (...args) => this.#tell(["session", ...args]),
      send: (...args) => {
        this.#hello.resolve(args[0]);
        this.#tell(["send", ...args]);
      },
      data: (...args) => this.#tell(["data", ...args]),
      end: (...args) => this.#tell(["end", ...args]),
      fail: (...args) => {
        this.#hello.resolve(NO_HELLO);
        this.#tell(["fail", ...args]);
      },
    });
  }

  /**
   * Tells whether the client has a ticket of TLS 1.3 for the server.
   *
   * @returns Whether its ClientHello has one
   */
  async hasTicket(): Promise<boolean> {
    return offersTicket(await this.#waitForHello());
  }

  /**
   * Tells whether the client, which speaks nothing newer, has a session of TLS
   * 1.2 for the server.
   *
   * @returns Whether its ClientHello has one
   */
  async hasSession(): Promise<boolean> {
    return ((await this.#waitForHello())[HELLO_HEAD] ?? 0) > 0;
  }

  async #waitForHello(): Promise<Uint8Array> {
    const hello = await this.#hello.promise;
    // one that waits for a connection does not hold the program
    if (this.#events === undefined) this.#engine.unref();
    return hello;
  }

  /**
   * Gives the client to a connection.
   *
   * @param events Is told what has happened, and what will
   * @returns The client
   */
  adopt(events: EngineEvents): Engine {
    this.#events = events;
    this.#engine.ref();
    for (const told of this.#untold.splice(0)) this.#tell(told);
    return this.#engine;
  }

  /** Drops the client, for which there will be no connection. */
  destroy(): void {
    this.#hello.resolve(NO_HELLO);
    this.#engine.destroy();
  }

  #tell(told: Told): void {
    if (this.#events === undefined) {
      this.#untold.push(told);
      return;
    }
    const [name, ...args] = told;
    (this.#events[name] as (...args: unknown[]) => void)(...args);
  }
}

/** The extension "pre_shared_key" (RFC 8446, section 4.2.11). */
const PRE_SHARED_KEY = 41;

/** Bytes before a ClientHello's session ID: two headers, version and random. */
const HELLO_HEAD = 5 + 4 + 2 + 32;

/**
 * Whether a ClientHello (RFC 8446, section 4.1.2) brings a ticket of TLS 1.3.
 *
 * @param hello The record, as this platform wrote it
 * @returns Whether it does
 */
export function offersTicket(hello: Uint8Array): boolean {
  const number = (at: number) => (hello[at] ?? 0) << 8 | (hello[at + 1] ?? 0);
  let at = HELLO_HEAD;
  at += 1 + (hello[at] ?? 0); // session ID
  at += 2 + number(at); // cipher suites
  at += 1 + (hello[at] ?? 0); // compression methods
  at += 2; // length of what follows: extensions
  while (at + 4 <= hello.length) {
    if (number(at) === PRE_SHARED_KEY) return true;
    at += 4 + number(at + 2);
  }
  return false;
}
