// The proxy itself, by hand: no line of the client under test is involved.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Proxy, type ProxyOptions } from "../testing/proxy.ts";
import { RawSession } from "../testing/raw_session.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";

const DATA = crypto.getRandomValues(new Uint8Array(50_000));

async function withProxy(
  server: RealServer,
  options: ProxyOptions,
  work: (session: RawSession, proxy: Proxy) => Promise<void>,
): Promise<void> {
  await server.write("data", DATA);
  await using proxy = await Proxy.start(server, options);
  using session = await RawSession.login({ ...pick(server), host: proxy.host });
  await work(session, proxy);
}

function pick(
  { port, user, password }: RealServer,
): { port: number; user: string; password: string } {
  return { port, user, password };
}

serverTest("Proxy leads both channels through itself", async (server) => {
  await withProxy(server, {}, async (session, proxy) => {
    assertEquals(await session.fetch("RETR data"), DATA);
    assertMatch(await session.store("STOR copy", DATA), /^226/);
    assert(proxy.bytes.down > DATA.length && proxy.bytes.up > DATA.length);
  });
  assertEquals(await server.read("copy"), DATA);
}, { passivePorts: 10 });

serverTest(
  "Proxy delays what it passes, and what is pipelined only once",
  async (server) => {
    await withProxy(server, { delay: 50 }, async (session) => {
      const start = performance.now();
      assertMatch(await session.command("NOOP\r\nNOOP\r\nNOOP\r\nNOOP"), /^2/);
      for (let i = 0; i < 3; i++) assertMatch(await session.reply(), /^2/);
      const elapsed = performance.now() - start;
      assert(elapsed >= 49 && elapsed < 150, `four NOOPs took ${elapsed} ms`);
    });
  },
  { passivePorts: 10, servers: ["vsftpd"] },
);

for (const fault of ["reset", "close", "corrupt", "pause"] as const) {
  serverTest(`Proxy does a ${fault} at a byte of the data`, async (server) => {
    await withProxy(server, {
      plan: ({ channel }) =>
        channel === "data"
          ? [{ direction: "down", offset: 30_000, fault, duration: 50 }]
          : [],
    }, async (session) => {
      using data = await Deno.connect(await session.passive());
      assertMatch(await session.command("RETR data"), /^150/);
      if (fault === "reset") {
        await assertRejects(
          () => readAll(data),
          Deno.errors.ConnectionReset,
        );
        return;
      }
      const got = await readAll(data);
      const wanted = DATA.slice();
      wanted[30_000]! ^= fault === "corrupt" ? 1 : 0;
      assertEquals(
        got,
        fault === "close" ? wanted.subarray(0, 30_000) : wanted,
      );
    });
  }, { passivePorts: 10, servers: ["proftpd"] });
}

serverTest(
  "Proxy stalls the control channel until it is cut",
  async (server) => {
    await withProxy(server, {
      plan: ({ channel }) =>
        channel === "control"
          ? [{ direction: "up", offset: 48, fault: "stall" }]
          : [],
    }, async (session, proxy) => {
      const reply = session.command(
        "SITE this is longer than what is left of the plan",
      );
      proxy.cut();
      assertEquals(await reply, "");
    });
  },
  { passivePorts: 10, servers: ["pyftpdlib"] },
);

async function readAll(conn: Deno.Conn): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const buffer = new Uint8Array(16_384);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    chunks.push(buffer.slice(0, n));
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}
