/** TLS data connections that an attacker ends with a FIN. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  type FTP,
  type FTPOptions,
  TLSError,
  type TLSOptions,
} from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { logInThrough } from "../mirror/real_sides.ts";
import { failuresOf } from "../mirror/tree.ts";
import { type Fault, Proxy } from "../testing/proxy.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";
import { fetchBytes, makeData } from "./client.ts";
import { trusting, withTLS } from "./tls_client.ts";

const DATA = makeData(150_000);

/** Enough names for a listing that is longer than where it is cut. */
const NAMES = Array.from(
  { length: 150 },
  (_, i) => `file-${"long".repeat(25)}-${i + 1000}.txt`,
);

/** Behind the handshake, and before the end of file and listings. */
const CUT = 12_000;

const VERSIONS = ["1.2", "1.3"] as const;

/** Calls that read a file or a directory, and must detect missing data. */
const CALLS: readonly [string, (ftp: FTP) => Promise<unknown>][] = [
  ["retrbinary", (ftp) => fetchBytes(ftp, "data")],
  ["retrlines", (ftp) => ftp.retrlines("RETR text", () => {})],
  ["nlst", (ftp) => ftp.nlst("many")],
  ["dir", (ftp) => ftp.dir("many", () => {})],
  [
    "retrieve",
    async (ftp) => await new Response(await ftp.retrieve("data")).bytes(),
  ],
  ["voidresp", async (ftp) => {
    await ftp.voidcmd("TYPE I");
    const [conn] = await ftp.ntransfercmd("RETR data");
    const buffer = new Uint8Array(10_000);
    while (await conn.read(buffer) !== null);
    assertEquals(conn.isCut, true);
    conn.close();
    await ftp.voidresp();
  }],
  ["list", (ftp) => Array.fromAsync(ftp.list("many"))],
  ["walk", (ftp) => Array.fromAsync(ftp.walk("many"))],
];

for (const version of VERSIONS) {
  for (const isolate of [false, true]) {
    const tls: TLSOptions = { isolate, maxVersion: `TLSv${version}` };
    const how = `TLS ${version}${isolate ? ", a thread of its own" : ""}`;
    serverTest(
      `FTP tells that data was cut off, and can be used (${how})`,
      async (server, context) => {
        await fill(server);
        await using cutter = await startCutter(server);
        await using ftp = await cutter.logIn(tls);
        for (const [name, call] of CALLS) {
          await context.step(name, async () => {
            cutter.fault = "cut";
            const before = cutter.proxy.faults.length;
            await assertTruncated(() => call(ftp));
            assert(cutter.proxy.faults.length > before, "nothing was cut");
            cutter.fault = undefined;
            assertEquals(await ftp.pwd(), "/");
          });
        }
        await context.step("mlsd", async () => {
          if (!(await ftp.features()).has("MLST")) return;
          cutter.fault = "cut";
          await assertTruncated(() => Array.fromAsync(ftp.mlsd("many")));
          cutter.fault = undefined;
        });
        assertEquals(await fetchBytes(ftp, "data"), DATA);
        // Pure-FTPd names "." and ".." too
        const names = (await ftp.nlst("many")).filter((name) =>
          name.endsWith(".txt")
        );
        assertEquals(names.length, NAMES.length);
      },
      {
        prepare: withTLS({ version }),
        passivePorts: 20,
        // the thread has the same code, whatever the server is
        ...isolate && { servers: ["vsftpd", "pure-ftpd"] },
      },
    );
  }
}

/** Calls that read parts, lists of files and trees. */
const LARGER_CALLS: readonly [
  string,
  (ftp: FTP, folder: LocalFolder) => Promise<unknown>,
][] = [
  ["open", async (ftp) => {
    await using file = await ftp.open("data", { retry: false });
    await file.seek(10_000);
    await file.read(new Uint8Array(100_000));
  }],
  [
    "retrieve with offset and length",
    async (ftp) => {
      const options = { offset: 10_000, length: 100_000 };
      return await new Response(await ftp.retrieve("data", options)).bytes();
    },
  ],
  [
    "download with segments",
    (ftp, folder) =>
      ftp.download("large", folder.at("large"), { segments: 2, retry: false }),
  ],
  [
    "downloadAll",
    async (ftp, folder) => {
      const options = { retry: false } as const;
      const all = ftp.downloadAll(["data"], folder.path, options);
      for await (const { error } of all) throw error;
    },
  ],
  [
    "walk with match",
    (ftp) => Array.fromAsync(ftp.walk("many", { match: "*" })),
  ],
  ["remove", (ftp) => ftp.remove("many", { recursive: true })],
];

serverTest(
  "FTP tells that parts, lists of files and trees were cut off, and removes nothing",
  async (server, context) => {
    await fill(server);
    await server.write("large", makeData(2_500_000));
    using folder = new LocalFolder();
    await using cutter = await startCutter(server);
    await using ftp = await cutter.logIn({ maxVersion: "TLSv1.3" });
    for (const [name, call] of LARGER_CALLS) {
      await context.step(name, async () => {
        cutter.fault = "cut";
        const before = cutter.proxy.faults.length;
        await assertTruncated(() => call(ftp, folder));
        assert(cutter.proxy.faults.length > before, "nothing was cut");
        cutter.fault = undefined;
        assertEquals(await ftp.pwd(), "/");
        assertEquals(folder.names(), []);
        const kept = Array.from(Deno.readDirSync(`${server.root}/many`));
        assertEquals(kept.length, NAMES.length);
      });
    }
  },
  { prepare: withTLS(), passivePorts: 40 },
);

serverTest(
  "FTP takes a file for whole that SIZE agrees with, and no listing, without close_notify",
  async (server, context) => {
    await fill(server);
    await using cutter = await startCutter(server);
    for (const version of VERSIONS) {
      await using ftp = await cutter.logIn({ maxVersion: `TLSv${version}` });
      for (const [name, call] of CALLS) {
        await context.step(`${name} over TLS ${version}`, async () => {
          cutter.fault = "unclosed";
          const before = cutter.proxy.faults.length;
          const isFile = /^retr(binary|ieve)|voidresp$/.test(name);
          if (isFile) await call(ftp);
          else await assertTruncated(() => call(ftp));
          assert(cutter.proxy.faults.length > before, "nothing was cut");
          cutter.fault = undefined;
        });
      }
      cutter.fault = "unclosed";
      assertEquals(await fetchBytes(ftp, "data"), DATA);
      assertEquals(await fetchBytes(ftp, "data", 100_000), DATA.slice(100_000));
      await ftp.download("data", "/dev/null", { atomic: false, retry: false });
      cutter.fault = undefined;
    }
  },
  { prepare: withTLS(), passivePorts: 20 },
);

serverTest(
  "FTP with allowMissingCloseNotify believes listings, but no size that differs",
  async (server, context) => {
    await fill(server);
    await using cutter = await startCutter(server);
    await using ftp = await cutter.logIn({ allowMissingCloseNotify: true });
    cutter.fault = "unclosed";
    for (const [name, call] of CALLS) {
      await context.step(name, async () => void await call(ftp));
    }
    assertEquals(
      (await Array.fromAsync(ftp.list("many"))).length,
      NAMES.length,
    );
    cutter.fault = "cut";
    await assertTruncated(() => fetchBytes(ftp, "data"));
    await assertTruncated(async () =>
      await (await ftp.retrieve("data")).pipeTo(new WritableStream())
    );
    cutter.fault = undefined;
    assertEquals(await ftp.pwd(), "/");
  },
  { prepare: withTLS(), passivePorts: 20 },
);

for (
  const [fault, tls] of [
    ["cut", {}],
    ["unclosed", {}],
    ["unclosed", { allowMissingCloseNotify: true }],
  ] as const
) {
  const { allowMissingCloseNotify: isAllowed = false } = {
    ...tls,
  } as TLSOptions;
  serverTest(
    `FTP.downloadDir removes nothing where a listing is ${fault}${
      isAllowed ? " and that is allowed" : ""
    }`,
    async (server) => {
      await fill(server);
      using folder = new LocalFolder();
      Deno.mkdirSync(folder.at("here"));
      for (const name of [...NAMES, "extra"]) {
        Deno.writeTextFileSync(folder.at(`here/${name}`), "x");
      }
      await using cutter = await startCutter(server);
      await using ftp = await cutter.logIn(tls);
      cutter.fault = fault;
      const mirror = () =>
        ftp.downloadDir("many", folder.at("here"), {
          delete: true,
          retry: { attempts: 1, delay: 1 },
          compare: "size",
        });
      // the first listing fails as such
      if (isAllowed) await failuresOf(mirror);
      else await assertTruncated(mirror);
      const names = Array.from(Deno.readDirSync(folder.at("here")));
      assertEquals(names.length, NAMES.length + 1);
      assert(cutter.proxy.faults.length > 0, "nothing was cut");
      cutter.fault = undefined;
      const { removed } = await mirror();
      assertEquals(removed, 1);
    },
    {
      prepare: withTLS(),
      passivePorts: 20,
      // without the alert the bytes are the same from every server
      ...fault === "unclosed" && { servers: ["vsftpd", "pyftpdlib"] },
    },
  );
}

serverTest(
  "FTP.download continues after the data that arrived before it was cut off",
  async (server) => {
    await fill(server);
    using folder = new LocalFolder();
    await using cutter = await startCutter(server);
    await using ftp = await cutter.logIn({});
    cutter.fault = "cut";
    const reasons: unknown[] = [];
    const { retries, size } = await ftp.download("data", folder.at("copy"), {
      retry: { delay: 1 },
      onRetry: ({ error }) => {
        cutter.fault = undefined;
        reasons.push(error.cause);
      },
    });
    assertEquals([retries, size], [1, DATA.length]);
    assertInstanceOf(reasons[0], TLSError);
    assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
  },
  { prepare: withTLS(), passivePorts: 20 },
);

serverTest(
  "FTP.upload sends again what the server took for the end of the data",
  async (server) => {
    await using cutter = await startCutter(server);
    await using ftp = await cutter.logIn({});
    cutter.fault = "cut";
    cutter.direction = "up";
    const { retries, verified } = await ftp.upload(DATA, "copy", {
      retry: { delay: 1 },
      onRetry: () => void (cutter.fault = undefined),
    });
    assert(retries > 0);
    assertEquals(verified, "size");
    assertEquals(await server.read("copy"), DATA);
  },
  { prepare: withTLS(), passivePorts: 20 },
);

serverTest(
  "FTP takes a control connection that ends without close_notify for no success",
  async (server) => {
    await server.write("data", makeData(20_000_000));
    await using cutter = await startCutter(server);
    await using ftp = await cutter.logIn({});
    await ftp.voidcmd("TYPE I");
    const [conn] = await ftp.ntransfercmd("RETR data");
    await conn.read(new Uint8Array(1000));
    cutter.proxy.cut("close");
    await assertRejects(async () => {
      const buffer = new Uint8Array(100_000);
      while (await conn.read(buffer) !== null);
      conn.close();
      await ftp.voidresp();
    });
    conn.close();
    await assertRejects(() => ftp.pwd());
  },
  { prepare: withTLS(), passivePorts: 20 },
);

serverTest(
  "FTP believes no size that came in clear text, without close_notify",
  async (server) => {
    await fill(server);
    using folder = new LocalFolder();
    await using cutter = await startCutter(server);
    await using ftp = await cutter.logIn({});
    await ftp.ccc();
    cutter.fault = "unclosed";
    await assertTruncated(() => fetchBytes(ftp, "data"));
    await assertTruncated(() =>
      ftp.download("data", folder.at("copy"), { retry: false })
    );
    assertEquals(folder.names(), []);
  },
  {
    prepare: withTLS(),
    passivePorts: 20,
    needs: ({ ccc }) => ccc,
  },
);

/** Calls that read an empty directory, where a server may end it without close_notify. */
const EMPTY_CALLS: readonly [string, (ftp: FTP) => Promise<unknown[]>][] = [
  ["nlst", (ftp) => ftp.nlst("empty")],
  ["mlsd", (ftp) => Array.fromAsync(ftp.mlsd("empty"))],
  ["list", (ftp) => Array.fromAsync(ftp.list("empty"))],
];

serverTest(
  "FTP requests a listing again that was cut before its first byte, but not forever",
  async (server, context) => {
    await server.mkdir("empty");
    await using cutter = await startCutter(server);
    await using ftp = await cutter.logIn({});
    for (const [name, call] of EMPTY_CALLS) {
      await context.step(name, async () => {
        cutter.fault = "unclosed";
        cutter.left = 1;
        assertEquals(await call(ftp), []);
        assert(cutter.left <= 0, "nothing was cut");
        cutter.left = Infinity;
        await assertTruncated(() => call(ftp));
        cutter.fault = undefined;
        assertEquals(await call(ftp), []);
      });
    }
  },
  { prepare: withTLS(), passivePorts: 20, servers: ["pyftpdlib"] },
);

/** A proxy that cuts data connections when it is told to. */
async function startCutter(server: RealServer) {
  const state: {
    fault: Fault | undefined;
    direction: "down" | "up";
    left: number; // connections to be cut yet
  } = { fault: undefined, direction: "down", left: Infinity };
  const proxy = await Proxy.start(server, {
    plan: ({ channel }) =>
      channel === "data" && state.fault !== undefined && state.left-- > 0
        ? [{ direction: state.direction, offset: CUT, fault: state.fault }]
        : [],
  });
  return Object.assign(state, {
    proxy,
    async logIn(tls: TLSOptions, options: FTPOptions = {}): Promise<FTP> {
      return await logInThrough(proxy, server, {
        ...await trusting(tls),
        ...options,
      });
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  });
}

async function fill(server: RealServer): Promise<void> {
  await server.write("data", DATA);
  await server.write(
    "text",
    new TextEncoder().encode("line of a text\r\n".repeat(5000)),
  );
  await server.mkdir("many");
  for (const name of NAMES) {
    Deno.writeTextFileSync(`${server.root}/many/${name}`, "x");
  }
}

/** Insists on an error that says what happened and what to do. */
async function assertTruncated(call: () => Promise<unknown>): Promise<void> {
  const error = await assertRejects(call, Deno.errors.UnexpectedEof);
  assertInstanceOf(error.cause, TLSError);
  assertEquals(error.cause.reason, "truncated");
  assertStringIncludes(error.message, "was cut off (no close_notify) after ");
  assertStringIncludes(error.message, "try again");
}
