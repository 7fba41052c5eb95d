/**
 * One TLS client without a socket: ciphertext in, ciphertext out.
 *
 * @module
 */

/** What the engine needs of Node's modules, handed over so that it needs no import. */
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

/** What decides a handshake; plain data, so that it can be sent to a Worker. */
export interface EngineOptions {
  /** The control connection's host: part of the key of a stored session. */
  host: string;
  /** The control connection's port, for the data connections too. */
  port: number;
  /** The name sent to the server; `undefined` where `host` is an address. */
  servername: string | undefined;
  /** Whether the platform's store of certificates decides. */
  rejectUnauthorized: boolean;
  /** Lowest version. */
  minVersion: string;
  /** Highest version. */
  maxVersion: string;
  /** The client's certificate, PEM. */
  cert: string | undefined;
  /** The client's key, PEM. */
  key: string | undefined;
  /** What to resume: the newest session of the control and data connections. */
  session: Uint8Array | undefined;
}

/** What a finished handshake came to. */
export interface Handshake {
  /** "TLSv1.2" or "TLSv1.3". */
  protocol: string;
  /** OpenSSL's name of the cipher suite. */
  cipher: string;
  /** The peer's certificate and those it sent along, DER. */
  chain: Uint8Array[];
  /** Whether an earlier session was resumed. */
  resumed: boolean;
}

/** What the engine tells. */
export interface EngineEvents {
  /** The handshake is done; no byte of the application was sent yet. */
  secure(handshake: Handshake): void;
  /** A session that can be resumed; the newest is best. */
  session(session: Uint8Array): void;
  /** Ciphertext to send; `done` is called once it is on its way. */
  send(bytes: Uint8Array, done: () => void): void;
  /** Cleartext from the peer; the engine does not keep it. */
  data(bytes: Uint8Array<ArrayBuffer>): void;
  /** The peer's close_notify came. */
  end(): void;
  /** TLS failed. */
  fail(message: string, code: string): void;
}

/** A TLS client. */
export interface Engine {
  /** Takes ciphertext; tells whether its buffer may be used again at once. */
  feed(bytes: Uint8Array): boolean;
  /** Takes cleartext to send; `done` is called once it is on its way. */
  write(bytes: Uint8Array, done: () => void): void;
  /** Sends close_notify; `done` is called once it is on its way. */
  end(done: () => void): void;
  /** Calls back once all consequences of what was fed were told. */
  settle(done: () => void): void;
  /** Drops everything; callbacks may be called or not. */
  destroy(): void;
  /** Where too much was fed: fulfilled when more may be. */
  readonly busy: Promise<void> | undefined;
  /** Keeps the event loop alive, the default. */
  ref(): void;
  /** Does not keep the event loop alive. */
  unref(): void;
}

/**
 * Starts a TLS client and its handshake.
 *
 * The function must refer to nothing outside itself: a Worker runs its source
 * text.
 *
 * @param parts Node's modules
 * @param options What decides the handshake
 * @param events What happens
 * @returns The client
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
    // the names are compared by whoever gets the certificate
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
    // the last certificate of a complete chain names itself as its issuer
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
  // a plain one: the slice() of Node's Buffer is no copy
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
      onEnded = done; // the next that is sent is the alert
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
