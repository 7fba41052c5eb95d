/** Many clients of one host in one program. */

import { assertEquals } from "@std/assert";
import workerThreads from "node:worker_threads";
import { TLSSession } from "../../lib/tls/session.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { logInTLS, withTLS } from "../real/tls_client.ts";

const CLIENTS = 12;
const TRANSFERS = 6;

serverTest(
  "FTP starts no worker for many TLS clients of one host",
  async (server) => {
    await server.write("file", "content");
    using workers = new CountedWorkers();
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => logInTLS(server)),
    );
    try {
      await Promise.all(clients.map(async (ftp, i) => {
        for (let j = 0; j < TRANSFERS; j++) {
          const bytes = new Uint8Array(i * 1000 + j);
          await ftp.storbinary(`STOR from-${i}`, bytes);
          assertEquals(await ftp.size(`from-${i}`), bytes.length);
          const got = await new Response(await ftp.retrieve("file")).text();
          assertEquals(got, "content");
        }
      }));
    } finally {
      for (const ftp of clients) ftp.close();
    }
    assertEquals(workers.count, 0);
  },
  { prepare: withTLS({ sessionReuse: true }), servers: ["proftpd", "vsftpd"] },
);

/** Most workers at once, as lib/tls/README.md says. */
const MAX_WORKERS = 16;

Deno.test("TLSSession starts 16 workers at most, and others where some have ended", () => {
  using workers = new CountedWorkers();
  const make = () => new TLSSession("ftp.test", 21, { isolate: true });
  const sessions = Array.from({ length: MAX_WORKERS + 2 }, make);
  assertEquals(workers.count, MAX_WORKERS);
  assertEquals(sessions.map(({ sharesStore }) => sharesStore), [
    ...Array(MAX_WORKERS).fill(false),
    true,
    true,
  ]);
  for (const session of sessions) session.close();
  const next = make();
  assertEquals(next.sharesStore, false);
  next.close();
});

/** Counts the workers that the module starts. */
class CountedWorkers implements Disposable {
  readonly #real = workerThreads.Worker;
  count = 0;

  constructor() {
    const count = () => this.count++;
    workerThreads.Worker = class extends this.#real {
      constructor(...args: ConstructorParameters<typeof workerThreads.Worker>) {
        super(...args);
        count();
      }
    };
  }

  [Symbol.dispose](): void {
    workerThreads.Worker = this.#real;
  }
}
