import { assert, assertEquals, assertRejects } from "@std/assert";
import { createServer } from "node:net";
import { dialFrom, firstOf } from "../../lib/connection/bound_dial.ts";
import { writeAll } from "../../lib/connection/byte_stream.ts";
import { HAS_IPV6 } from "../testing/servers/loopback.ts";
import { SilentPort } from "../testing/silent_port.ts";

/** Whether all of 127.0.0.0/8 is this machine. */
const HAS_MANY = Deno.build.os === "linux";

const { errors } = Deno;

/** Dials a port of this machine, and accepts. */
async function openPair() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const { hostname, port } = listener.addr;
  const near = await dialFrom("127.0.0.2", hostname, port, { timeout: 5000 });
  const far = await accepted;
  listener.close();
  return { near, far };
}

/** Reads to the end. */
async function readAll(
  conn: { read(buffer: Uint8Array): Promise<number | null> },
): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(10_007);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    assert(n > 0);
    parts.push(buffer.slice(0, n));
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, fn, ignore: !HAS_MANY });

test("dialFrom connects from the address, and both sides end one after the other", async () => {
  const { near, far } = await openPair();
  const { remoteAddr } = far as Deno.TcpConn;
  assertEquals(remoteAddr.hostname, "127.0.0.2");
  assertEquals(near.localAddr, remoteAddr);
  assertEquals(near.remoteAddr, far.localAddr);
  const data = crypto.getRandomValues(new Uint8Array(65_536));
  const big = new Uint8Array(5_000_000).map((_, i) => data[i % 65_536]!);
  await Promise.all([
    writeAll(near, big).then(() => near.closeWrite()),
    readAll(far).then((got) => assertEquals(got, big)),
  ]);
  await Promise.all([
    writeAll(far, big).then(() => far.closeWrite()),
    readAll(near).then((got) => assertEquals(got, big)),
  ]);
  assertEquals(await near.read(new Uint8Array(1)), null);
  near.close();
  near.close();
  far.close();
});

test("dialFrom gives a connection whose pending reads and writes end when it is closed", async () => {
  const { near, far } = await openPair();
  const reading = assertRejects(
    () => near.read(new Uint8Array(1)),
    errors.BadResource,
  );
  const filling = assertRejects(
    async () => {
      while (true) await near.write(new Uint8Array(1_000_000));
    },
    errors.BadResource,
  );
  await Promise.resolve();
  near.close();
  await Promise.all([reading, filling]);
  await assertRejects(() => near.read(new Uint8Array(1)), errors.BadResource);
  await assertRejects(() => near.write(new Uint8Array(1)), errors.BadResource);
  far.close();
});

test("dialFrom gives a connection that holds a writer up until the peer reads", async () => {
  const { near, far } = await openPair();
  let written = 0;
  const writing = (async () => {
    for (let i = 0; i < 64; i++) {
      written += await near.write(new Uint8Array(1_000_000));
    }
    await near.closeWrite();
  })();
  const buffer = new Uint8Array(1000);
  assertEquals(await far.read(buffer), 1000);
  assert(written < 64_000_000, `${written} bytes without a reader`);
  assertEquals((await readAll(far)).length, 64_000_000 - 1000);
  await writing;
  near.close();
  far.close();
});

test("dialFrom gives a connection that tells a reset by its class", async () => {
  const server = createServer((socket) => {
    socket.once("data", () => socket.resetAndDestroy());
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const { port } = server.address() as { port: number };
  const near = await dialFrom("127.0.0.2", "127.0.0.1", port, {
    timeout: 5000,
  });
  await near.write(new Uint8Array(10));
  await assertRejects(() => readAll(near), errors.ConnectionReset);
  await assertRejects(() => near.write(new Uint8Array(10)), Error);
  near.close();
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
});

test("dialFrom says what is wrong with an address", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  const dead = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  dead.close();
  const table: [
    from: string,
    host: string,
    port: number,
    // deno-lint-ignore no-explicit-any
    Class: new (...args: any[]) => Error,
    message: string,
  ][] = [
    [
      "192.0.2.99",
      hostname,
      port,
      errors.AddrNotAvailable,
      '"localAddress" must be an address of this machine',
    ],
    [
      "::1",
      hostname,
      port,
      errors.AddrNotAvailable,
      "both must be IPv4 or both IPv6",
    ],
    [
      "127.0.0.2",
      "2001:db8::1",
      port,
      errors.AddrNotAvailable,
      "both must be IPv4 or both IPv6",
    ],
    [
      "127.0.0.2",
      hostname,
      dead.addr.port,
      errors.ConnectionRefused,
      "ECONNREFUSED",
    ],
    ["127.0.0.2", "nowhere.invalid", port, Error, "ENOTFOUND"],
  ];
  for (const [from, host, port, Class, message] of table) {
    if (from === "::1" && !HAS_IPV6) continue;
    const error = await assertRejects(
      () => dialFrom(from, host, port, { timeout: 5000 }),
      Class,
      message,
    );
    assert(error.message.includes(`from "${from}"`), error.message);
  }
});

test("dialFrom ends by time and signal, and leaves nothing open", async () => {
  using silent = await SilentPort.open();
  const { port } = silent;
  await assertRejects(
    () => dialFrom("127.0.0.2", "127.0.0.1", port, { timeout: 100 }),
    errors.TimedOut,
    `from "127.0.0.2": no answer within 100 ms`,
  );
  const controller = new AbortController();
  const { signal } = controller;
  const dialing = dialFrom("127.0.0.2", "127.0.0.1", port, {
    timeout: 0,
    signal,
  });
  controller.abort(new Error("enough"));
  await assertRejects(() => dialing, Error, "enough");
});

test("dialFrom tries the addresses of a name in turn, in the family of localAddress", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.3", port: 0 });
  const families: number[] = [];
  const dialName = (addresses: string[]) =>
    dialFrom(
      "127.0.0.2",
      "localhost", // 127.0.0.1 is its first address
      listener.addr.port,
      { timeout: 5000 },
      (_name, { family }) => {
        families.push(family);
        return Promise.resolve(addresses.map((address) => ({ address })));
      },
    );
  const conn = await dialName(["127.0.0.1", "127.0.0.5", "127.0.0.3"]);
  const accepted = await listener.accept();
  assertEquals((conn.remoteAddr as Deno.NetAddr).hostname, "127.0.0.3");
  assertEquals(accepted.remoteAddr.hostname, "127.0.0.2");
  conn.close();
  accepted.close();
  const error = await assertRejects(
    () => dialName(["127.0.0.1", "127.0.0.5"]),
    errors.ConnectionRefused,
    '"localhost:',
  );
  assert(error.message.includes('from "127.0.0.2"'), error.message);
  assertEquals(families, [4, 4]);
  listener.close();
});

test("dialFrom tries the next address while the first does not answer", async () => {
  using silent = await SilentPort.open();
  const { port } = silent;
  const listener = Deno.listen({ hostname: "127.0.0.3", port });
  const addresses = [{ address: "127.0.0.1" }, { address: "127.0.0.3" }];
  const conn = await dialFrom(
    "127.0.0.2",
    "localhost",
    port,
    { timeout: 5000 },
    () => Promise.resolve(addresses),
  );
  (await listener.accept()).close();
  assertEquals((conn.remoteAddr as Deno.NetAddr).hostname, "127.0.0.3");
  conn.close();
  listener.close();
});

Deno.test("firstOf closes every socket but the first one that connected", async () => {
  const made = new Map<string, { isClosed: boolean; destroy(): void }>();
  const socketOf = (address: string) => {
    const socket = {
      isClosed: false,
      destroy(): void {
        this.isClosed = true;
      },
    };
    made.set(address, socket);
    return socket;
  };
  const slow = Promise.withResolvers<ReturnType<typeof socketOf>>();
  const { signal } = new AbortController();
  const first = await firstOf(["a", "b", "c"], signal, async (address) => {
    if (address === "a") return await slow.promise;
    slow.resolve(socketOf("a")); // the first connects just before
    await slow.promise;
    return socketOf(address);
  });
  await Promise.resolve();
  assertEquals(first, made.get("a"));
  assertEquals(
    [...made].map(([address, { isClosed }]) => [address, isClosed]),
    [["a", false], ["b", true]],
  );
});
