/**
 * Opens a session's data connections, in passive or active mode.
 *
 * @module
 */

import { connect, createServer, type Server, type Socket } from "node:net";
import { Peer, PeerGone } from "./peer.ts";

/**
 * Opens one data connection at a time, by the last of PASV, EPSV, PORT and
 * EPRT.
 */
export class DataPort {
  readonly #host: string;
  #listener: Server | undefined;
  #accepted: Promise<Peer> | undefined;
  #target: { host: string; port: number } | undefined;
  readonly #peers: Peer[] = [];
  readonly #closing: Promise<unknown>[] = [];

  /**
   * Creates a port without a connection.
   *
   * @param host The address to listen on in passive mode
   * @ignore
   */
  constructor(host: string) {
    this.#host = host;
  }

  /** The latest data connection. */
  get peer(): Peer | undefined {
    return this.#peers.at(-1);
  }

  /** Whether PASV, EPSV, PORT or EPRT came since the last transfer. */
  get isReady(): boolean {
    return this.#accepted !== undefined || this.#target !== undefined;
  }

  /** Listens for one connection, on a new port. */
  async listen(): Promise<number> {
    this.#stopListening();
    this.#target = undefined;
    const listener = createServer({ allowHalfOpen: true });
    this.#listener = listener;
    const accepted = Promise.withResolvers<Peer>();
    accepted.promise.catch(() => {}); // it may never be awaited
    this.#accepted = accepted.promise;
    listener.once(
      "connection",
      (socket: Socket) => accepted.resolve(this.#add(socket)),
    );
    listener.once(
      "close",
      () => accepted.reject(new PeerGone("No connection to the passive port")),
    );
    await new Promise<void>((resolve) =>
      listener.listen(0, this.#host, resolve)
    );
    return (listener.address() as { port: number }).port;
  }

  /** Sets the port to connect to, in active mode. */
  setTarget(host: string, port: number): void {
    this.#stopListening();
    this.#target = { host, port };
  }

  /**
   * Opens the data connection: waits for the client, or connects to its port.
   */
  async open(): Promise<Peer> {
    const target = this.#target;
    const accepted = this.#accepted;
    this.#target = this.#accepted = undefined;
    if (target === undefined) {
      if (accepted === undefined) {
        throw new Error("Cannot open a data connection: no port was agreed on");
      }
      const peer = await accepted;
      this.#stopListening();
      return peer;
    }
    const socket = connect({ ...target, allowHalfOpen: true });
    const peer = this.#add(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once(
        "close",
        () => reject(new PeerGone("Cannot connect to the active port")),
      );
    });
    return peer;
  }

  /** Closes all data connections and the listener. */
  async close(): Promise<void> {
    this.#stopListening();
    for (const peer of this.#peers) {
      peer.drop();
      await peer.closed;
    }
    await Promise.all(this.#closing);
  }

  #add(socket: Socket): Peer {
    const peer = new Peer(socket);
    this.#peers.push(peer);
    return peer;
  }

  /** Stops listening. The port is free at once. */
  #stopListening(): void {
    const listener = this.#listener;
    this.#listener = this.#accepted = undefined;
    if (listener !== undefined) {
      this.#closing.push(new Promise((resolve) => listener.close(resolve)));
    }
  }
}
