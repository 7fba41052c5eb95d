/** A scripted proxy, for behaviour that real proxies do not show on demand. */

/** Handles a connection of a proxy; it is closed at the end. */
export type ProxyScript = (conn: Deno.TcpConn, index: number) => Promise<void>;

/** A scripted proxy. */
export class FakeProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #script: ProxyScript;
  readonly #running: Promise<void>[] = [];
  readonly #accepting: Promise<void>;

  /** Starts the proxy. */
  constructor(script: ProxyScript) {
    this.#script = script;
    this.#accepting = this.#accept();
  }

  /** Host and port, for the option `proxy`. */
  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Ends every connection at once, like a proxy that crashes. */
  drop(): void {
    for (const conn of this.#conns) closeQuietly(conn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.drop();
    await this.#accepting;
    await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    let index = 0;
    try {
      for await (const conn of this.#listener) {
        this.#conns.add(conn);
        this.#running.push(this.#run(conn, index++));
      }
    } catch {
      // closed while it waited
    }
  }

  async #run(conn: Deno.TcpConn, index: number): Promise<void> {
    try {
      await this.#script(conn, index);
    } catch {
      // the other end has closed, which the test checks
    }
    closeQuietly(conn);
    this.#conns.delete(conn);
  }
}

/** Handles `CONNECT` as an HTTP proxy does, and connects to the port on a host. */
export async function tunnelByHTTP(
  conn: Deno.TcpConn,
  hostname: string,
): Promise<void> {
  const [, port] = /:(\d+) /.exec(await readHead(conn))!;
  const far = await Deno.connect({ hostname, port: Number(port) });
  await send(conn, "HTTP/1.1 200 OK\r\n\r\n");
  await relay(conn, far);
}

/** Reads a number of bytes. */
export async function readExactly(
  conn: Deno.Conn,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const n = await conn.read(bytes.subarray(filled));
    if (n === null) throw new Deno.errors.UnexpectedEof("The client left");
    filled += n;
  }
  return bytes;
}

/** Reads the head of an HTTP request. */
export async function readHead(conn: Deno.Conn): Promise<string> {
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    head += String.fromCharCode((await readExactly(conn, 1))[0]!);
  }
  return head;
}

/** Writes bytes or text, in one piece or in several. */
export async function send(
  conn: Deno.Conn,
  content: string | readonly number[],
  size = Infinity,
): Promise<void> {
  const bytes = typeof content === "string"
    ? Uint8Array.from(content, (char) => char.charCodeAt(0))
    : Uint8Array.from(content);
  for (let i = 0; i < bytes.length; i += size) {
    await conn.write(bytes.subarray(i, i + size));
    if (size < bytes.length) await new Promise((next) => setTimeout(next, 1));
  }
}

/** Copies bytes between two connections until both have ended. */
export async function relay(a: Deno.TcpConn, b: Deno.TcpConn): Promise<void> {
  const options = { preventCancel: true };
  try {
    await Promise.all([
      a.readable.pipeTo(b.writable, options),
      b.readable.pipeTo(a.writable, options),
    ]);
  } finally {
    closeQuietly(b);
  }
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // closed before
  }
}
