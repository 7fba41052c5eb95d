/**
 * Runs TLS clients in a worker thread.
 *
 * The platform has one session store for each thread, with one entry for each
 * server name. With two control connections to a server, the data connections
 * of one would resume the session of the other. A worker from a `data:` URL
 * needs no permission.
 *
 * @module
 */

import type { Worker } from "node:worker_threads";
import { nodeModule } from "../connection/node_module.ts";
import {
  type Engine,
  type EngineEvents,
  type EngineOptions,
  type EngineParts,
  type Handshake,
  startEngine,
} from "./engine.ts";

/** Bytes of ciphertext that may be queued for the worker. */
const FEED_AHEAD = 1024 * 1024;

/** A message to the worker, about one client. */
type WorkerMessage =
  | { id: number; type: "start"; options: EngineOptions }
  | { id: number; type: "feed" | "write"; bytes: Uint8Array }
  | { id: number; type: "end" | "settle" | "destroy" | "sent" };

/** An event from the worker, about one client. */
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

/** A port that can let the event loop end while it waits. */
type Port = MessagePort & { ref(): void; unref(): void };

/**
 * The worker's main function: serves clients by number. Like {@linkcode
 * startEngine}, it must refer to nothing outside itself.
 */
function serve(
  port: Port,
  parts: EngineParts,
  start: typeof startEngine,
): void {
  const engines = new Map<number, Engine>();
  /**
   * Callbacks that wait until their ciphertext is sent, in message, by client.
   */
  const sent = new Map<number, (() => void)[]>();
  /**
   * Copies bytes unless they fill their buffer, which can then be transferred.
   */
  const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
    bytes.byteLength === bytes.buffer.byteLength &&
      bytes.buffer instanceof ArrayBuffer
      ? new Uint8Array(bytes.buffer)
      : new Uint8Array(bytes);
  const transfer = (
    id: number,
    type: "session" | "send" | "data",
    bytes: Uint8Array,
  ): void => {
    const owned = ownBytes(bytes);
    port.postMessage({ id, type, bytes: owned }, [owned.buffer]);
  };
  const handle = (message: WorkerMessage): void => {
    const { id } = message;
    if (message.type === "start") {
      sent.set(id, []);
      const engine = start(parts, message.options, {
        secure: (handshake) =>
          port.postMessage({ id, type: "secure", handshake }),
        session: (session) => transfer(id, "session", session),
        send: (bytes, done) => {
          sent.get(id)?.push(done);
          transfer(id, "send", bytes);
        },
        data: (bytes) => transfer(id, "data", bytes),
        end: () => port.postMessage({ id, type: "end" }),
        fail: (message, code) =>
          port.postMessage({ id, type: "fail", message, code }),
      });
      engines.set(id, engine);
      return;
    }
    const engine = engines.get(id);
    if (engine === undefined) return;
    switch (message.type) {
      case "feed":
        engine.feed(message.bytes);
        port.postMessage({ id, type: "fed", size: message.bytes.length });
        break;
      case "write":
        engine.write(
          message.bytes,
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
  port.onmessage = ({ data }: MessageEvent<WorkerMessage>) => handle(data);
}

/** A worker thread for one control connection and its data connections. */
export class TLSThread {
  readonly #worker: Worker;
  readonly #port: Port;
  readonly #clients = new Map<number, RemoteEngine>();
  #nextId = 0;

  /** Starts the worker. */
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
    const { Worker } = nodeModule("node:worker_threads");
    this.#worker = new Worker(
      new URL(`data:text/javascript,${encodeURIComponent(source)}`),
    );
    this.#worker.unref();
    // the worker's built-in channel copies buffers instead of transferring them
    const { port1, port2 } = new MessageChannel();
    // deno-lint-ignore no-explicit-any -- Node and the web name one class
    this.#worker.postMessage({ port: port2 }, [port2 as any]);
    this.#port = port1 as Port;
    this.#port.onmessage = ({ data }: MessageEvent<WorkerEvent>) => {
      this.#clients.get(data.id)?.receive(data);
    };
    this.#worker.on("error", (error: Error) => {
      for (const client of this.#clients.values()) {
        client.events.fail(`the TLS thread failed: ${error.message}`, "");
      }
    });
  }

  /** Starts a TLS client in the worker. */
  startEngine(options: EngineOptions, events: EngineEvents): Engine {
    const id = this.#nextId++;
    const client = new RemoteEngine(id, events, this);
    this.#clients.set(id, client);
    this.post({ id, type: "start", options });
    this.refresh();
    return client;
  }

  /**
   * Posts a message. The buffer of `bytes`, a part of the message, is
   * transferred.
   */
  post(message: WorkerMessage, bytes?: Uint8Array<ArrayBuffer>): void {
    this.#port.postMessage(message, bytes === undefined ? [] : [bytes.buffer]);
  }

  /** Removes a client. */
  forget(id: number): void {
    this.#clients.delete(id);
    this.refresh();
  }

  /** Keeps the event loop alive while a client needs it. */
  refresh(): void {
    const isNeeded = this.#clients.values().some((client) => client.isRef);
    if (isNeeded) this.#port.ref();
    else this.#port.unref();
  }

  /** Terminates the worker. */
  close(): void {
    this.#port.close();
    this.#worker.terminate();
  }
}

/** A TLS client in the worker, seen from this thread. */
class RemoteEngine implements Engine {
  readonly events: EngineEvents;
  readonly #id: number;
  readonly #thread: TLSThread;
  #isRef = true;
  #isGone = false;
  #ahead = 0; // bytes of ciphertext that the worker has not taken yet
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
    // bytes that fill less than half of their buffer are cheaper to copy than
    // to transfer
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

  /** Handles an event of the worker. */
  receive(event: WorkerEvent): void {
    switch (event.type) {
      case "secure":
        return this.events.secure(event.handshake);
      case "session":
        return this.events.session(event.bytes);
      case "send":
        return this.events.send(
          event.bytes,
          () => {
            if (!this.#isGone) {
              this.#thread.post({ id: this.#id, type: "sent" });
            }
          },
        );
      case "data":
        return this.events.data(event.bytes);
      case "fed":
        this.#ahead -= event.size;
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
        return this.events.fail(event.message, event.code);
    }
  }
}
