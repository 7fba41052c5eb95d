/**
 * Session resumption on data connections, as servers that require it see it.
 */

import { assert, assertEquals } from "@std/assert";
import { type ByteStream, writeAll } from "../../lib/connection/byte_stream.ts";
import { secureControl, secureData } from "../../lib/tls/secure.ts";
import type { TLSConnection } from "../../lib/tls/connection.ts";
import type { TLSOptions } from "../../lib/tls/options.ts";
import { repetitions } from "../testing/repetitions.ts";
import { certificates } from "../testing/servers/certificates.ts";
import {
  type RealServer,
  type ServerOptions,
  serverTest,
} from "../testing/servers/mod.ts";

const SIZES = [0, 1, 1000, 100_000, 0, 300_000];

/** More than a server sends tickets at once. FTP_TEST_SCALE=10 has 300. */
const IN_A_ROW = repetitions(30);

/** Each size, up and down. FTP_TEST_SCALE=10 has 120. */
const AT_ONCE = repetitions(12);

/** A dialogue by hand: what is tested is below the client. */
class Dialogue implements Disposable {
  readonly #host: string;
  #stream: ByteStream;
  #tls: TLSConnection | undefined;
  #text = "";

  private constructor(host: string, stream: ByteStream) {
    this.#host = host;
    this.#stream = stream;
  }

  static async open(server: RealServer, tls: TLSOptions): Promise<Dialogue> {
    const { host, port } = server;
    const conn = await Deno.connect({ hostname: host, port });
    conn.setNoDelay(true);
    const dialogue = new Dialogue(host, conn);
    await dialogue.#reply();
    await dialogue.expect("2", "AUTH TLS");
    const { authority } = await certificates();
    const secured = await secureControl(conn, {
      host: "localhost",
      port,
      options: {
        caCerts: [await Deno.readTextFile(authority.certificate)],
        ...tls,
      },
      timeout: 10_000,
    });
    dialogue.#tls = secured;
    dialogue.#stream = secured;
    await dialogue.#send(`USER ${server.user}`);
    for (
      const command of [`PASS ${server.password}`, "PBSZ 0", "PROT P", "TYPE I"]
    ) {
      await dialogue.expect("2", command);
    }
    return dialogue;
  }

  get tls(): TLSConnection {
    return this.#tls!;
  }

  async #send(command: string): Promise<string> {
    await writeAll(this.#stream, new TextEncoder().encode(`${command}\r\n`));
    return await this.#reply();
  }

  async #reply(): Promise<string> {
    const buffer = new Uint8Array(4096);
    while (true) {
      const match = /^(?:\d{3}-[^]*?\n)?(\d{3} .*)\r\n/m.exec(this.#text);
      if (match !== null) {
        this.#text = this.#text.slice(match.index + match[0].length);
        return match[1]!;
      }
      const n = await this.#stream.read(buffer);
      if (n === null) throw new Deno.errors.UnexpectedEof("no reply");
      this.#text += new TextDecoder().decode(buffer.subarray(0, n));
    }
  }

  async expect(first: string, command: string): Promise<string> {
    const reply = await this.#send(command);
    assertEquals(reply[0], first, `${command}: ${reply}`);
    return reply;
  }

  async clear(): Promise<void> {
    await this.expect("2", "CCC");
    this.#stream = await this.tls.detach();
  }

  async #open(command: string): Promise<TLSConnection> {
    const numbers = /(\d+),(\d+)\)/.exec(await this.expect("2", "PASV"))!;
    const conn = await Deno.connect({
      hostname: this.#host,
      port: Number(numbers[1]) * 256 + Number(numbers[2]),
    });
    await this.expect("1", command);
    return await secureData(conn, this.tls.session, { timeout: 10_000 });
  }

  async store(name: string, bytes: Uint8Array): Promise<void> {
    const connection = await this.#open(`STOR ${name}`);
    await writeAll(connection, bytes);
    await connection.closeWrite();
    const reply = await this.#reply();
    connection.close();
    assertEquals(reply[0], "2", `STOR: ${reply}`);
    assert(connection.info.resumed);
  }

  async retrieve(name: string): Promise<Uint8Array> {
    const connection = await this.#open(`RETR ${name}`);
    const chunks: Uint8Array[] = [];
    const buffer = new Uint8Array(65_536);
    for (let n; (n = await connection.read(buffer)) !== null;) {
      chunks.push(buffer.slice(0, n));
    }
    assertEquals(connection.endedCleanly, true);
    connection.close();
    const reply = await this.#reply();
    assertEquals(reply[0], "2", `RETR: ${reply}`);
    assert(connection.info.resumed);
    return await new Blob(chunks as BlobPart[]).bytes();
  }

  [Symbol.dispose](): void {
    this.#stream.close();
    this.tls.session.close();
  }
}

async function transfer(
  dialogue: Dialogue,
  count: number,
  name: string,
): Promise<void> {
  for (let i = 0; i < count; i += 2) {
    const bytes = new Uint8Array(SIZES[i / 2 % SIZES.length]!)
      .map((_, at) => (at * 7 + i) & 255);
    await dialogue.store(name, bytes);
    assertEquals(await hash(await dialogue.retrieve(name)), await hash(bytes));
  }
}

async function hash(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
  return new Uint8Array(digest).toHex();
}

async function prepare(): Promise<ServerOptions> {
  const { good } = await certificates();
  return { tls: { mode: "explicit", ...good, sessionReuse: true } };
}

for (
  const [version, servers] of [
    ["TLSv1.2", ["vsftpd", "proftpd"]],
    // ProFTPD sends no new tickets on uploads
    ["TLSv1.3", ["vsftpd"]],
  ] as const
) {
  const tls = { minVersion: version, maxVersion: version };

  serverTest(
    `secureData is accepted ${IN_A_ROW} times in a row, up and down (${version})`,
    async (server) => {
      using dialogue = await Dialogue.open(server, tls);
      assertEquals(dialogue.tls.info.protocol, version);
      await transfer(dialogue, IN_A_ROW, "file");
    },
    { servers, prepare },
  );

  serverTest(
    `secureData is accepted ${AT_ONCE} times on each of four connections at once (${version})`,
    async (server) => {
      using stack = new DisposableStack();
      await Promise.all(["a", "b", "c", "d"].map(async (name) => {
        const dialogue = stack.use(await Dialogue.open(server, tls));
        await transfer(dialogue, AT_ONCE, name);
      }));
    },
    { servers, prepare },
  );
}

serverTest(
  `secureData is accepted for ${IN_A_ROW} downloads in a row (TLSv1.3)`,
  async (server) => {
    await server.write("file", "content");
    using dialogue = await Dialogue.open(server, { minVersion: "TLSv1.3" });
    for (let i = 0; i < IN_A_ROW; i++) {
      assertEquals((await dialogue.retrieve("file")).length, 7);
    }
  },
  { servers: ["proftpd"], prepare },
);

serverTest(
  "TLSConnection.detach leaves a control connection in clear text",
  async (server) => {
    await server.write("file", "content");
    using dialogue = await Dialogue.open(server, {});
    await dialogue.clear();
    await dialogue.expect("2", "NOOP");
    assertEquals((await dialogue.retrieve("file")).length, 7);
  },
  {
    needs: (features) => features.tls && features.ccc,
    prepare: async () => {
      const { good } = await certificates();
      return { tls: { mode: "explicit", ...good } };
    },
  },
);
