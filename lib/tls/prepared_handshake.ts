/**
 * Starts a TLS handshake before the connection exists. The ClientHello shows
 * whether a session will be resumed.
 *
 * @module
 */

import type { Engine, EngineEvents } from "./engine.ts";

/** Result for the ClientHello of a client that failed. */
const NO_HELLO = new Uint8Array(0);

/** An event of an engine: name and arguments. */
type EngineEvent = {
  [Name in keyof EngineEvents]: [Name, ...Parameters<EngineEvents[Name]>];
}[keyof EngineEvents];

/** A TLS client that waits for its connection. */
export class PreparedHandshake {
  readonly #engine: Engine;
  readonly #hello = Promise.withResolvers<Uint8Array>();
  #events: EngineEvents | undefined;
  #pending: EngineEvent[] = [];

  /** Starts a handshake. */
  constructor(start: (events: EngineEvents) => Engine) {
    this.#engine = start({
      secure: (...args) => this.#deliver(["secure", ...args]),
      session: (...args) => this.#deliver(["session", ...args]),
      send: (...args) => {
        this.#hello.resolve(args[0]);
        this.#deliver(["send", ...args]);
      },
      data: (...args) => this.#deliver(["data", ...args]),
      end: (...args) => this.#deliver(["end", ...args]),
      fail: (...args) => {
        this.#hello.resolve(NO_HELLO);
        this.#deliver(["fail", ...args]);
      },
    });
  }

  /** Whether the ClientHello offers a ticket of TLS 1.3. */
  async hasTicket(): Promise<boolean> {
    return offersTicket(await this.#waitForHello());
  }

  /**
   * Whether the ClientHello offers a session of TLS 1.2. Only for clients that
   * use nothing newer.
   */
  async hasSession(): Promise<boolean> {
    return ((await this.#waitForHello())[HELLO_HEAD] ?? 0) > 0;
  }

  async #waitForHello(): Promise<Uint8Array> {
    const hello = await this.#hello.promise;
    // a client without a connection must not keep the program alive
    if (this.#events === undefined) this.#engine.unref();
    return hello;
  }

  /**
   * Hands the client to a connection. Delivers past and future events to it.
   */
  adopt(events: EngineEvents): Engine {
    this.#events = events;
    this.#engine.ref();
    for (const event of this.#pending.splice(0)) this.#deliver(event);
    return this.#engine;
  }

  /** Discards the client. */
  destroy(): void {
    this.#hello.resolve(NO_HELLO);
    this.#engine.destroy();
  }

  #deliver(event: EngineEvent): void {
    if (this.#events === undefined) {
      this.#pending.push(event);
      return;
    }
    const [name, ...args] = event;
    (this.#events[name] as (...args: unknown[]) => void)(...args);
  }
}

/** The extension "pre_shared_key" (RFC 8446, section 4.2.11). */
const PRE_SHARED_KEY = 41;

/** Bytes before a ClientHello's session ID: two headers, version and random. */
const HELLO_HEAD = 5 + 4 + 2 + 32;

/**
 * Whether a ClientHello (RFC 8446, section 4.1.2) offers a ticket of TLS 1.3.
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
