/** An FTP session without the client, for tests that must not rely on it. */

const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();

/** The part of a connection that a session uses. */
export interface RawStream {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/** One control connection, with passive transfers. */
export class RawSession implements Disposable, AsyncDisposable {
  readonly #stream: RawStream;
  readonly #hostname: string;
  #text = "";

  constructor(stream: RawStream, hostname: string) {
    this.#stream = stream;
    this.#hostname = hostname;
  }

  /** Connects, without reading the greeting. */
  static async connect(
    server: { host: string; port: number },
  ): Promise<RawSession> {
    const conn = await Deno.connect({
      hostname: server.host,
      port: server.port,
    });
    return new RawSession(conn, server.host);
  }

  /** Connects, logs in and sets the type to image. */
  static async login(
    server: { host: string; port: number; user?: string; password?: string },
  ): Promise<RawSession> {
    const session = await RawSession.connect(server);
    await session.reply();
    await session.command(`USER ${server.user ?? "anonymous"}`);
    const reply = await session.command(`PASS ${server.password ?? "guest@"}`);
    if (!reply.startsWith("230")) {
      session[Symbol.dispose]();
      throw new Error(`Cannot log in: ${reply}`);
    }
    await session.command("TYPE I");
    return session;
  }

  /** Reads one reply with all its lines; "" at the end of the connection. */
  async reply(): Promise<string> {
    const end = /^(?:(\d{3})-[^]*?^\1 .*\r\n|\d{3} .*\r\n)/m;
    const buffer = new Uint8Array(4096);
    for (;;) {
      const match = this.#text.match(end);
      if (match !== null) {
        this.#text = this.#text.slice(match[0].length);
        return match[0].trimEnd();
      }
      const n = await this.#stream.read(buffer).catch(() => null);
      if (n === null) return "";
      this.#text += DECODER.decode(buffer.subarray(0, n));
    }
  }

  /** Sends a command, given as text or as bytes with their CRLF, and reads its reply. */
  async command(line: string | Uint8Array): Promise<string> {
    await writeAll(
      this.#stream,
      typeof line === "string" ? ENCODER.encode(`${line}\r\n`) : line,
    );
    return await this.reply();
  }

  /** Requests a passive port. */
  async passive(): Promise<{ hostname: string; port: number }> {
    const reply = await this.command("EPSV");
    const port = reply.match(/\(\|\|\|(\d+)\|\)/)?.[1];
    if (port === undefined) throw new Error(`Cannot read the port: ${reply}`);
    return { hostname: this.#hostname, port: Number(port) };
  }

  /** Receives the data of a command. */
  async fetch(line: string): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    {
      // Closed before the final reply: ProFTPD holds that back until then, for ten seconds.
      using data = await Deno.connect(await this.passive());
      expectReply(await this.command(line), /^1/);
      const buffer = new Uint8Array(65_536);
      for (let n; (n = await data.read(buffer)) !== null;) {
        chunks.push(buffer.slice(0, n));
      }
    }
    expectReply(await this.reply(), /^2/);
    return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  }

  /** Sends bytes for a command; the final reply is returned, whatever it is. */
  async store(line: string, bytes: Uint8Array): Promise<string> {
    {
      using data = await Deno.connect(await this.passive());
      expectReply(await this.command(line), /^1/);
      await writeAll(data, bytes).catch(() => {}); // the server may hang up: its reply says why
    }
    return await this.reply();
  }

  [Symbol.dispose](): void {
    this.#stream.close();
  }

  /** Says goodbye and waits until the server has hung up, so that its log is complete. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.command("QUIT");
      while (await this.reply() !== "");
    } finally {
      this.#stream.close();
    }
  }
}

async function writeAll(stream: RawStream, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await stream.write(bytes.subarray(written));
  }
}

function expectReply(reply: string, pattern: RegExp): void {
  if (!pattern.test(reply)) throw new Error(`Unexpected reply: ${reply}`);
}
