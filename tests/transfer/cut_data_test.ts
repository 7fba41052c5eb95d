/** Data that was cut off: in active mode over TLS, and with MODE Z. */

import { assertEquals, assertRejects } from "@std/assert";
import { FTP } from "../../mod.ts";
import { concat, toBytes } from "../../lib/testing/peer.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { makeData } from "../real/client.ts";
import { memoryServer } from "../testing/memory_server.ts";
import {
  ScriptedServer,
  type ScriptedSession,
  type Turn,
} from "../testing/scripted/mod.ts";
import { certificates } from "../testing/servers/certificates.ts";
import { deflate } from "../testing/zlib.ts";

const NOISE = makeData(20_000);

/** A file that is long enough for segments, and quickly compressed. */
const DATA = concat([NOISE, new Uint8Array(2_200_000)]);

/** Names that compress badly, so that listings are long. */
const NAMES = Array.from(
  { length: 100 },
  (_, i) => `${NOISE.subarray(120 * i, 120 * i + 120).toHex()}.txt`,
);

const FILES = {
  "/data": DATA,
  ...Object.fromEntries(NAMES.map((name) => [`/many/${name}`, "x"])),
};

const ONCE = { retry: false } as const;

/** Calls that must notice that data is missing. */
const CALLS: Record<
  string,
  (ftp: FTP, folder: LocalFolder) => Promise<unknown>
> = {
  download: (ftp, folder) => ftp.download("/data", folder.at("data"), ONCE),
  segments: (ftp, folder) =>
    ftp.download("/data", folder.at("data"), { ...ONCE, segments: 2 }),
  async retrieve(ftp) {
    await new Response(await ftp.retrieve("/data")).bytes();
  },
  retrbinary: (ftp) => ftp.retrbinary("RETR /data", () => {}),
  nlst: (ftp) => ftp.nlst("/many"),
  list: (ftp) => Array.fromAsync(ftp.list("/many")),
  "list by LIST": (ftp) =>
    Array.fromAsync(ftp.list("/many", { command: "LIST" })),
  async open(ftp) {
    await using file = await ftp.open("/data", ONCE);
    await file.seek(10);
    const buffer = new Uint8Array(100_000);
    let read = 10;
    for (let n; (n = await file.read(buffer)) !== null;) read += n;
    assertEquals(read, DATA.length);
  },
  downloadDir: (ftp, folder) =>
    ftp.downloadDir("/many", folder.at("many"), {
      delete: true,
      compare: "size",
      retry: { attempts: 1, delay: 1 },
    }),
};

/** Whether data is cut at the moment. */
interface Fault {
  isOn: boolean;
}

/** Runs each call while data is cut, and again while it is not. */
async function checkCalls(
  context: Deno.TestContext,
  fault: Fault,
  connect: () => Promise<FTP>,
): Promise<void> {
  for (const [name, call] of Object.entries(CALLS)) {
    await context.step(name, async () => {
      using folder = new LocalFolder();
      Deno.mkdirSync(folder.at("many"));
      const copies = name === "downloadDir" ? NAMES : [];
      for (const name of copies) {
        Deno.writeTextFileSync(folder.at(`many/${name}`), "x");
      }
      await using ftp = await connect();
      fault.isOn = true;
      await assertRejects(() => call(ftp, folder), Error);
      assertEquals(folder.names(), ["many"]);
      assertEquals(
        [...Deno.readDirSync(folder.at("many"))].length,
        copies.length,
      );
      fault.isOn = false;
      await call(ftp, folder);
    });
  }
}

/** Behind the handshake, and before the end of the listings. */
const CUT = 6000;

/** Closes what no data connection came to. */
class Listeners extends Set<Deno.Listener> implements Disposable {
  [Symbol.dispose](): void {
    for (const listener of this) listener.close();
  }
}

/** Forwards one data connection, and may end what the server sends early. */
function forward(
  listeners: Listeners,
  fault: Fault,
  host: string,
  port: number,
  isActive: boolean,
): number {
  const listener = Deno.listen({ hostname: host, port: 0 });
  listeners.add(listener);
  const run = async () => {
    using accepted = await listener.accept();
    listeners.delete(listener);
    listener.close();
    using target = await Deno.connect({ hostname: host, port });
    const [client, server] = isActive ? [target, accepted] : [accepted, target];
    const most = fault.isOn ? CUT : Infinity;
    const down = async () => {
      const buffer = new Uint8Array(64 * 1024);
      let left = most;
      for (let n; (n = await server.read(buffer)) !== null;) {
        if (left <= 0) continue; // the server notices nothing
        let rest = buffer.subarray(0, Math.min(n, left));
        left -= rest.length;
        while (rest.length > 0) rest = rest.subarray(await client.write(rest));
        if (left === 0) await client.closeWrite();
      }
      if (left > 0) await client.closeWrite();
    };
    const up = async () => {
      const buffer = new Uint8Array(64 * 1024);
      for (let n; (n = await client.read(buffer)) !== null;) {
        let rest = buffer.subarray(0, n);
        while (rest.length > 0) rest = rest.subarray(await server.write(rest));
      }
      await server.closeWrite();
    };
    await Promise.allSettled([down(), up()]);
  };
  run().catch(() => {}); // the client gave up
  return (listener.addr as Deno.NetAddr).port;
}

/** Makes a server compress, and change what it compresses. */
function compress(
  server: ScriptedServer,
  change: (bytes: Uint8Array) => Uint8Array,
): void {
  const compressing = new WeakSet<ScriptedSession>();
  server.on(
    "FEAT",
    "211-Features\n MODE Z\n SIZE\n REST STREAM\n MLST type*;size*;\n211 End",
  );
  server.on("MODE", async (turn) => {
    if (turn.argument === "Z") compressing.add(turn.session);
    else compressing.delete(turn.session);
    await turn.reply(200, "Done");
  });
  const handler = async (turn: Turn) => {
    const open = turn.openData.bind(turn);
    turn.openData = async () => {
      const peer = await open();
      if (!compressing.has(turn.session)) return peer;
      const write = peer.write.bind(peer);
      const close = peer.close.bind(peer);
      const parts: Uint8Array[] = [];
      peer.write = (bytes) => {
        parts.push(toBytes(bytes));
        return Promise.resolve();
      };
      peer.close = async () => {
        await write(change(await deflate(concat(parts)))).catch(() => {});
        close();
      };
      return peer;
    };
    await turn.default();
  };
  for (const verb of ["RETR", "LIST", "NLST", "MLSD"]) server.on(verb, handler);
}

for (const way of ["active", "active, MODE Z", "passive, MODE Z"]) {
  Deno.test(`FTP notices data over TLS that was cut off, and removes nothing (${way})`, async (context) => {
    const { good, authority } = await certificates();
    const tls = {
      cert: await Deno.readTextFile(good.certificate),
      key: await Deno.readTextFile(good.key),
    };
    await using server = await ScriptedServer.start({ files: FILES, tls });
    const fault = { isOn: false };
    using listeners = new Listeners();
    const isActive = way.startsWith("active");
    for (const verb of ["PORT", "EPRT"]) {
      server.on(verb, async (turn) => {
        const [, , host, at] = turn.argument.split("|");
        const numbers = turn.argument.split(",").map(Number);
        const port = verb === "EPRT"
          ? Number(at)
          : numbers[4]! * 256 + numbers[5]!;
        turn.session.dataPort.setTarget(
          server.host,
          forward(listeners, fault, host ?? server.host, port, true),
        );
        await turn.reply(200, "Done");
      });
    }
    server.on("EPSV", async (turn) => {
      const port = await turn.session.dataPort.listen();
      await turn.reply(
        229,
        `(|||${forward(listeners, fault, server.host, port, false)}|)`,
      );
    });
    const isCompressed = way.endsWith("Z");
    if (isCompressed) compress(server, (bytes) => bytes);
    const caCerts = [await Deno.readTextFile(authority.certificate)];
    await checkCalls(context, fault, async () => {
      const ftp = new FTP({
        tls: { caCerts, serverName: "localhost" },
        timeout: 5000,
        passive: !isActive,
        compress: isCompressed,
      });
      await ftp.connect(server.host, server.port);
      await ftp.login("user", "secret");
      return ftp;
    });
  });
}

const CHANGES: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  "in the middle": (bytes) => bytes.subarray(0, bytes.length >> 1),
  "before its checksum": (bytes) => bytes.subarray(0, -4),
  "within its checksum": (bytes) => bytes.subarray(0, -1),
  "with garbage behind it": (bytes) => concat([bytes, NOISE.subarray(0, 9)]),
  "with its checksum behind it": (bytes) => concat([bytes, bytes.slice(-4)]),
  "twice": (bytes) => concat([bytes, bytes]),
  "after its first byte": (bytes) => bytes.subarray(0, 1),
};

for (const [what, change] of Object.entries(CHANGES)) {
  Deno.test(`FTP notices compressed data that ends ${what}, and removes nothing`, async (context) => {
    await using server = await memoryServer(FILES);
    const fault = { isOn: false };
    compress(server, (bytes) => fault.isOn ? change(bytes) : bytes);
    await checkCalls(
      context,
      fault,
      () => server.client({ compress: true, timeout: 5000 }),
    );
  });
}
