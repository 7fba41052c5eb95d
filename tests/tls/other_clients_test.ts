/** Other TLS clients in the program, connected to the same host. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type SecureVersion } from "node:tls";
import { FTP, FTPTemporaryError } from "../../mod.ts";
import { certificates } from "../testing/servers/certificates.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";
import { logInTLS, withTLS } from "../real/tls_client.ts";

const REQUIRED = {
  prepare: withTLS({ sessionReuse: true }),
  servers: ["proftpd"] as const,
};

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  serverTest(
    `FTP keeps its TLS session while node:tls talks to the host (${version})`,
    async (server) => {
      await server.write("file", "content");
      await using other = await Other.start(version);
      await using ftp = await logInTLS(server);
      for (let i = 0; i < 12; i++) {
        for (let j = 0; j < i % 5; j++) await other.visit();
        if (i % 2 === 0) {
          assert((await ftp.nlst()).includes("file"));
        } else {
          await ftp.storbinary("STOR new", new Uint8Array(i * 10_000));
          assertEquals(await ftp.size("new"), i * 10_000);
        }
      }
    },
    REQUIRED,
  );
}

serverTest(
  "FTP comes back with a TLS session of its own where another client took it",
  async (server) => {
    await server.write("file", "content");
    await using other = await Other.start("TLSv1.3");
    const versions = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } as const;
    await using ftp = await logInTLS(server, versions);
    const visit = async () => {
      for (let i = 0; i < 8; i++) await other.visit();
    };
    await visit();
    const error = await assertRejects(() => ftp.nlst(), FTPTemporaryError);
    assertStringIncludes(error.message, '"node:https"');
    assertStringIncludes(error.message, '"isolate"');
    const errors: Error[] = [];
    const options = {
      retry: { delay: 1 },
      onRetry: ({ error }: { error: Error }) => errors.push(error),
    };
    for (let i = 0; i < 3; i++) {
      await visit();
      await ftp.download("file", "/dev/null", options);
      await Array.fromAsync(ftp.list());
    }
    assert(errors.length <= 1, String(errors));
  },
  REQUIRED,
);

serverTest(
  "FTP with isolate has its TLS session for itself",
  async (server) => {
    await using other = await Other.start("TLSv1.3");
    await using ftp = await logInTLS(server, {
      isolate: true,
      minVersion: "TLSv1.3",
      maxVersion: "TLSv1.3",
    });
    for (let i = 0; i < 8; i++) await other.visit();
    assertEquals(await ftp.nlst(), []);
  },
  REQUIRED,
);

serverTest(
  "Two copies of the module keep their TLS sessions apart",
  async (server) => {
    const folder = await Deno.makeTempDir();
    try {
      const root = new URL("../../", import.meta.url);
      await copy(root, new URL(`file://${folder}/`));
      const { FTP: Copy } = await import(`file://${folder}/mod.ts`) as {
        FTP: typeof FTP;
      };
      await using one = await enter(FTP, server);
      await using two = await enter(Copy, server);
      for (let i = 0; i < 5; i++) {
        await one.storbinary("STOR one", new Uint8Array(1000));
        await two.storbinary("STOR two", new Uint8Array(1000));
        assertEquals((await one.nlst()).sort(), ["one", "two"]);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
  REQUIRED,
);

/** A server that other clients of the program talk to, and one of these. */
class Other implements AsyncDisposable {
  readonly #server;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
  }

  static async start(maxVersion: SecureVersion): Promise<Other> {
    const { good } = await certificates();
    const server = createServer({
      cert: await readFile(good.certificate),
      key: await readFile(good.key),
      maxVersion,
    }, (socket) => socket.on("error", () => {}).end("hello"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Other(server);
  }

  /** Talks to it as to an address: they all share one place. */
  async visit(): Promise<void> {
    const { port } = this.#server.address() as AddressInfo;
    const options = { host: "127.0.0.1", port, rejectUnauthorized: false };
    const socket = connect(options);
    socket.resume();
    socket.once("end", () => socket.destroy());
    await once(socket, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, "close");
  }
}

async function enter(Client: typeof FTP, server: RealServer): Promise<FTP> {
  const { authority } = await certificates();
  const caCerts = [await Deno.readTextFile(authority.certificate)];
  const ftp = new Client({ tls: { caCerts } });
  await ftp.connect(server.host, server.port);
  await ftp.login(server.user, server.password);
  return ftp;
}

/** Copies what ships. */
async function copy(from: URL, to: URL): Promise<void> {
  await Deno.copyFile(new URL("mod.ts", from), new URL("mod.ts", to));
  for (const folder of ["lib/", "parser/"]) {
    await copyFolder(new URL(folder, from), new URL(folder, to));
  }
}

async function copyFolder(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) {
      await copyFolder(new URL(`${name}/`, from), new URL(`${name}/`, to));
    } else {
      await Deno.copyFile(new URL(name, from), new URL(name, to));
    }
  }
}
