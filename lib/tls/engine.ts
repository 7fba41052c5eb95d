/**
 * A TLS client without a socket: takes ciphertext and cleartext, and returns
 * both through callbacks.
 *
 * @module
 */

/**
 * The functions of Node's modules that the engine uses. They are passed in
 * because a worker runs the engine from its source text.
 */
export interface EngineParts {
  /** `connect` of `node:tls`. */
  // deno-lint-ignore no-explicit-any
  connect: (options: any) => any;
  /** `Duplex` of `node:stream`. */
  // deno-lint-ignore no-explicit-any
  Duplex: new (options: any) => any;
  /** `setImmediate` of `node:timers`. */
  setImmediate: (callback: () => void) => unknown;
}

/**
 * Settings of a handshake. Plain data, so that they can be posted to a worker.
 */
export interface EngineOptions {
  /**
   * Host of the control connection. Part of the key under which the platform
   * stores sessions.
   */
  host: string;
  /**
   * Port of the control connection, also for data connections: it is part of
   * the key.
   */
  port: number;
  /** The name sent to the server; `undefined` where `host` is an address. */
  servername: string | undefined;
  /** Whether the platform verifies the certificate against its own store. */
  rejectUnauthorized: boolean;
  /** Lowest version. */
  minVersion: string;
  /** Highest version. */
  maxVersion: string;
  /** The client's certificate, PEM. */
  cert: string | undefined;
  /** The client's key, PEM. */
  key: string | undefined;
  /** The session to resume: the newest of the control and data connections. */
  session: Uint8Array | undefined;
}

/** Result of a finished handshake. */
export interface Handshake {
  /** "TLSv1.2" or "TLSv1.3". */
  protocol: string;
  /** OpenSSL's name of the cipher suite. */
  cipher: string;
  /** The peer's certificate, followed by the others that it sent, DER. */
  chain: Uint8Array[];
  /** Whether an earlier session was resumed. */
  resumed: boolean;
}

/** Callbacks of an engine. */
export interface EngineEvents {
  /** Called when the handshake is done, before any application data is sent. */
  secure(handshake: Handshake): void;
  /** Called with each session that can be resumed. The newest is the best. */
  session(session: Uint8Array): void;
  /**
   * Called with ciphertext to send; `done` reports that it was sent or queued.
   */
  send(bytes: Uint8Array, done: () => void): void;
  /** Called with cleartext from the peer, which the engine does not keep. */
  data(bytes: Uint8Array<ArrayBuffer>): void;
  /** Called when the peer's close_notify has arrived. */
  end(): void;
  /** Called when TLS fails. */
  fail(message: string, code: string): void;
}

/** A TLS client. */
export interface Engine {
  /** Takes ciphertext. Returns whether its buffer may be reused at once. */
  feed(bytes: Uint8Array): boolean;
  /** Takes cleartext to send; `done` reports that it was sent or queued. */
  write(bytes: Uint8Array, done: () => void): void;
  /** Sends close_notify; `done` reports that it was sent or queued. */
  end(done: () => void): void;
  /**
   * Calls back once every event caused by the bytes fed so far was delivered.
   */
  settle(done: () => void): void;
  /** Discards the client. Pending callbacks may or may not be called. */
  destroy(): void;
  /**
   * Set while too much ciphertext is queued; fulfilled when more may be fed.
   */
  readonly busy: Promise<void> | undefined;
  /** Keeps the event loop alive. The default. */
  ref(): void;
  /** Lets the event loop end. */
  unref(): void;
}

/**
 * Starts a TLS client and its handshake. The function must refer to nothing
 * outside itself, because a worker runs its source text.
 */
export function startEngine(
  parts: EngineParts,
  options: EngineOptions,
  events: EngineEvents,
): Engine {
  let onEnded: (() => void) | undefined;
  const wire = new parts.Duplex({
    read(): void {},
    write(chunk: Uint8Array, _: unknown, done: () => void): void {
      const ended = onEnded;
      onEnded = undefined;
      events.send(chunk, () => {
        done();
        ended?.();
      });
    },
  });
  const { servername, cert, key, session, ...rest } = options;
  const socket = parts.connect({
    ...rest,
    socket: wire,
    // `TLSSession` compares the names
    checkServerIdentity: () => undefined,
    ...(servername === undefined ? {} : { servername }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(session === undefined ? {} : { session }),
  });
  const onSession = (session: Uint8Array | null): void => {
    if (session !== null) events.session(new Uint8Array(session));
  };
  socket.on("session", onSession);
  socket.on("secureConnect", () => {
    const chain: Uint8Array[] = [];
    // a complete chain ends with a certificate that is its own issuer
    for (
      let certificate = socket.getPeerCertificate(true);
      certificate?.raw !== undefined;
      certificate = certificate.issuerCertificate
    ) {
      chain.push(new Uint8Array(certificate.raw));
      if (certificate.issuerCertificate === certificate) break;
    }
    onSession(socket.getSession());
    events.secure({
      protocol: socket.getProtocol() ?? "",
      cipher: socket.getCipher()?.name ?? "",
      chain,
      resumed: socket.isSessionReused(),
    });
  });
  // a plain Uint8Array: slice() of Node's Buffer does not copy
  socket.on(
    "data",
    ({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>) =>
      events.data(new Uint8Array(buffer, byteOffset, length)),
  );
  socket.on("end", () => events.end());
  socket.on("error", (error: Error & { code?: string }) => {
    events.fail(error.message, error.code ?? "");
  });
  return {
    feed(bytes: Uint8Array): boolean {
      wire.push(bytes);
      return wire.readableLength === 0;
    },
    write(bytes: Uint8Array, done: () => void): void {
      socket.write(bytes, () => done());
    },
    end(done: () => void): void {
      onEnded = done; // close_notify is sent next
      socket.end();
    },
    settle(done: () => void): void {
      parts.setImmediate(done);
    },
    destroy(): void {
      socket.destroy();
      wire.destroy();
    },
    busy: undefined,
    ref(): void {},
    unref(): void {},
  };
}
