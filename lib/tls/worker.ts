/**
 * TLS clients in a thread of their own.
 *
 * The platform keeps one store of sessions for each thread and server name, so
 * a second control connection to a server would have its sessions taken by the
 * data connections of the first. A thread from a `data:` URL needs no
 * permission.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import {
  type Engine,
  type EngineEvents,
  type EngineOptions,
  type EngineParts,
  type Handshake,
  startEngine,
} from "./engine.ts";

/** Ciphertext that may be on its way to the thread, in bytes. */
const FEED_AHEAD = 1024 * 1024;

/** What the thread is told about one client. */
type WorkerMessage =
  | { id: number; type: "start"; options: EngineOptions }
  | { id: number; type: "feed" | "write"; bytes: Uint8Array }
  | { id: number; type: "end" | "settle" | "destroy" | "sent" };

/** What the thread tells about one client. */
type WorkerEvent =
  | { id: number; type: "secure"; handshake: Handshake }
  | {
    id: number;
    type: "session" | "send" | "data";
    bytes: Uint8Array<ArrayBuffer>;
  }
  | { id: number; type: "fed"; size: number }
  | { id: number; type: "end" | "written" | "ended" | "settled" }
  | { id: number; type: "fail"; message: string; code: string };

/** A port whose waiting can be hidden from the event loop. */
type Port = MessagePort & { ref(): void; unref(): void };

/**
 * What the thread does: clients by number. As {@linkcode startEngine}, it must
 * refer to nothing outside itself.
 */
function serve(
  port: Port,
  parts: EngineParts,
  start: typeof startEngine,
): void {
  const engines = new Map<number, Engine>();
  /** Clients' callbacks that wait until their ciphertext is sent, in order. */
  const sent = new Map<number, (() => void)[]>();
  /** Bytes that may be given away: alone in their buffer. */
  const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
    bytes.byteLength === bytes.buffer.byteLength &&
      bytes.buffer instanceof ArrayBuffer
      ? new Uint8Array(bytes.buffer)
      : new Uint8Array(bytes);
  const give = (
    id: number,
    type: "session" | "send" | "data",
    bytes: Uint8Array,
  ): void => {
    const owned = own(bytes);
    port.postMessage({ id, type, bytes: owned }, [owned.buffer]);
  };
  const obey = (order: WorkerMessage): void => {
    const { id } = order;
    if (order.type === "start") {
      sent.set(id, []);
      const engine = start(parts, order.options, {
        secure: (handshake) =>
          port.postMessage({ id, type: "secure", handshake }),
        session: (session) => give(id, "session", session),
        send: (bytes, done) => {
          sent.get(id)?.push(done);
          give(id, "send", bytes);
        },
        data: (bytes) => give(id, "data", bytes),
        end: () => port.postMessage({ id, type: "end" }),
        fail: (message, code) =>
          port.postMessage({ id, type: "fail", message, code }),
      });
      engines.set(id, engine);
      return;
    }
    const engine = engines.get(id);
    if (engine === undefined) return;
    switch (order.type) {
      case "feed":
        engine.feed(order.bytes);
        port.postMessage({ id, type: "fed", size: order.bytes.length });
        break;
      case "write":
        engine.write(
          order.bytes,
          () => port.postMessage({ id, type: "written" }),
        );
        break;
      case "end":
        engine.end(() => port.postMessage({ id, type: "ended" }));
        break;
      case "settle":
        engine.settle(() => port.postMessage({ id, type: "settled" }));
        break;
      case "sent":
        sent.get(id)?.shift()?.();
        break;
      case "destroy":
        engine.destroy();
        engines.delete(id);
        sent.delete(id);
    }
  };
  port.onmessage = ({ data }: MessageEvent<WorkerMessage>) => obey(data);
}

/** One thread, for one control connection and its data connections. */
export class TLSThread {
  readonly #worker: Worker;
  readonly #port: Port;
  readonly #clients = new Map<number, RemoteEngine>();
  #nextId = 0;

  /** Starts the thread. */
  constructor() {
    const source = `import { parentPort } from "node:worker_threads";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { connect } from "node:tls";
${serve}
${startEngine}
parentPort.once("message", ({ port }) => {
  serve(port, { connect, Duplex, setImmediate }, startEngine);
});`;
    this.#worker = new Worker(
      new URL(`data:text/javascript,${encodeURIComponent(source)}`),
    );
    this.#worker.unref();
    // a worker's own channel copies what a channel of the web gives away
    const { port1, port2 } = new MessageChannel();
    // deno-lint-ignore no-explicit-any -- Node and the web name one class
    this.#worker.postMessage({ port: port2 }, [port2 as any]);
    this.#port = port1 as Port;
    this.#port.onmessage = ({ data }: MessageEvent<WorkerEvent>) => {
      this.#clients.get(data.id)?.hear(data);
    };
    this.#worker.on("error", (error: Error) => {
      for (const client of this.#clients.values()) {
        client.events.fail(`the TLS thread failed: ${error.message}`, "");
      }
    });
  }

  /**
   * Starts a TLS client in the thread.
   *
   * @param options What decides the handshake
   * @param events What happens
   * @returns The client
   */
  startEngine(options: EngineOptions, events: EngineEvents): Engine {
    const id = this.#nextId++;
    const client = new RemoteEngine(id, events, this);
    this.#clients.set(id, client);
    this.post({ id, type: "start", options });
    this.refresh();
    return client;
  }

  /**
   * Sends an order.
   *
   * @param order What the thread is to do
   * @param bytes Bytes of the order, which are given away
   */
  post(order: WorkerMessage, bytes?: Uint8Array<ArrayBuffer>): void {
    this.#port.postMessage(order, bytes === undefined ? [] : [bytes.buffer]);
  }

  /**
   * Forgets a client.
   *
   * @param id Its number
   */
  forget(id: number): void {
    this.#clients.delete(id);
    this.refresh();
  }

  /** Keeps the event loop alive if a client does. */
  refresh(): void {
    const isNeeded = this.#clients.values().some((client) => client.isRef);
    if (isNeeded) this.#port.ref();
    else this.#port.unref();
  }

  /** Ends the thread. */
  close(): void {
    this.#port.close();
    this.#worker.terminate();
  }
}

/** This side of a client in the thread. */
class RemoteEngine implements Engine {
  readonly events: EngineEvents;
  readonly #id: number;
  readonly #thread: TLSThread;
  #isRef = true;
  #isGone = false;
  #ahead = 0; // bytes of ciphertext on their way to the thread
  #room: PromiseWithResolvers<void> | undefined;
  #onWritten: (() => void)[] = [];
  #onEnded: (() => void) | undefined;
  #onSettled: (() => void) | undefined;

  constructor(id: number, events: EngineEvents, thread: TLSThread) {
    this.#id = id;
    this.events = events;
    this.#thread = thread;
  }

  get isRef(): boolean {
    return this.#isRef;
  }

  get busy(): Promise<void> | undefined {
    return this.#room?.promise;
  }

  feed(bytes: Uint8Array): boolean {
    // what does not fill its buffer is cheaper to copy than to give away
    const given = bytes.length * 2 > bytes.buffer.byteLength &&
        bytes.buffer instanceof ArrayBuffer
      ? bytes as Uint8Array<ArrayBuffer>
      : new Uint8Array(bytes);
    this.#ahead += given.length;
    if (this.#ahead >= FEED_AHEAD) this.#room ??= Promise.withResolvers();
    this.#thread.post({ id: this.#id, type: "feed", bytes: given }, given);
    return given !== bytes;
  }

  write(bytes: Uint8Array, done: () => void): void {
    const given = new Uint8Array(bytes);
    this.#onWritten.push(done);
    this.#thread.post({ id: this.#id, type: "write", bytes: given }, given);
  }

  end(done: () => void): void {
    this.#onEnded = done;
    this.#thread.post({ id: this.#id, type: "end" });
  }

  settle(done: () => void): void {
    this.#onSettled = done;
    this.#thread.post({ id: this.#id, type: "settle" });
  }

  ref(): void {
    this.#isRef = true;
    this.#thread.refresh();
  }

  unref(): void {
    this.#isRef = false;
    this.#thread.refresh();
  }

  destroy(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#thread.post({ id: this.#id, type: "destroy" });
    this.#thread.forget(this.#id);
    this.#room?.resolve();
    for (const done of this.#onWritten) done();
    this.#onEnded?.();
  }

  /** Takes what the thread tells. */
  hear(news: WorkerEvent): void {
    switch (news.type) {
      case "secure":
        return this.events.secure(news.handshake);
      case "session":
        return this.events.session(news.bytes);
      case "send":
        return this.events.send(
          news.bytes,
          () => {
            if (!this.#isGone) {
              this.#thread.post({ id: this.#id, type: "sent" });
            }
          },
        );
      case "data":
        return this.events.data(news.bytes);
      case "fed":
        this.#ahead -= news.size;
        if (this.#ahead < FEED_AHEAD) {
          this.#room?.resolve();
          this.#room = undefined;
        }
        return;
      case "written":
        return this.#onWritten.shift()?.();
      case "settled":
        return this.#onSettled?.();
      case "ended":
        return this.#onEnded?.();
      case "end":
        return this.events.end();
      case "fail":
        return this.events.fail(news.message, news.code);
    }
  }
}
