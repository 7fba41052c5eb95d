/**
 * Where a session's data connections come from: a passive listener, or the
 * client's port.
 *
 * @module
 */

import { connect, createServer, type Server, type Socket } from "node:net";
import { Peer, PeerGone } from "./peer.ts";

/** One data connection at a time, as the last of PASV, EPSV, PORT, EPRT said. */
export class DataPort {
  readonly #host: string;
  #listener: Server | undefined;
  #accepted: Promise<Peer> | undefined;
  #target: { host: string; port: number } | undefined;
  readonly #peers: Peer[] = [];
  readonly #closing: Promise<unknown>[] = [];

  /**
   * Makes one.
   *
   * @param host Where to listen
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
      () =>
        accepted.reject(new PeerGone("Nobody connected to the passive port")),
    );
    await new Promise<void>((resolve) =>
      listener.listen(0, this.#host, resolve)
    );
    return (listener.address() as { port: number }).port;
  }

  /** Remembers where to connect to, in active mode. */
  aim(host: string, port: number): void {
    this.#stopListening();
    this.#target = { host, port };
  }

  /** The data connection; waits for it to be made. */
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
        () => reject(new PeerGone("Nobody listens on the active port")),
      );
    });
    return peer;
  }

  /** Ends everything. */
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

  /** Ends the listener; the system's port is free at once, the rest when its connection has ended. */
  #stopListening(): void {
    const listener = this.#listener;
    this.#listener = this.#accepted = undefined;
    if (listener !== undefined) {
      this.#closing.push(new Promise((resolve) => listener.close(resolve)));
    }
  }
}
