/** Data connections that the server resets after the last byte. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { FTP, FTPOptions } from "../../mod.ts";
import { type Fault, Proxy } from "../testing/proxy.ts";
import { fetchBytes, makeData } from "../real/client.ts";
import { trusting, withTLS } from "../real/tls_client.ts";
import type { Turn } from "../testing/scripted/mod.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";
import { logInThrough } from "./upload/cut_uploads.ts";
import { LocalFolder } from "./local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";

// what a window holds: a reset loses what is on the way
const DATA = makeData(20_000);

/** Everything that reads a file. */
const READS: [string, (ftp: FTP, name: string) => Promise<Uint8Array>][] = [
  ["download", async (ftp, name) => {
    using folder = new LocalFolder();
    const result = await ftp.download(name, folder.at("x"), { retry: false });
    assertEquals(result.verified, "size");
    assertEquals(result.retries, 0);
    return Deno.readFileSync(folder.at("x"));
  }],
  [
    "retrieve",
    async (ftp, name) => await new Response(await ftp.retrieve(name)).bytes(),
  ],
  ["retrbinary", (ftp, name) => fetchBytes(ftp, name)],
];

/** Sends part of a file, resets the data connection, and says what it likes. */
function resetAfter(
  length: number,
  { announced = "", final = "226 Done" } = {},
): (turn: Turn) => Promise<void> {
  return async (turn) => {
    const { restart } = turn.session;
    turn.session.restart = 0;
    await turn.reply(150, `Here it comes ${announced}`.trimEnd());
    const data = await turn.openData();
    await data.write(DATA.subarray(restart, length));
    data.reset();
    await data.closed;
    await turn.raw(`${final}\r\n`);
  };
}

for (const [name, read] of READS) {
  Deno.test(`FTP.${name} succeeds where the data connection is reset after the last byte`, async () => {
    await using server = await memoryServer({ "/data": DATA });
    await using ftp = await server.client();
    server.on("RETR", resetAfter(DATA.length));
    assertEquals(await read(ftp, "data"), DATA); // by SIZE
    server.on("SIZE", "500 What");
    const announced = `(${DATA.length} bytes)`;
    server.on("RETR", resetAfter(DATA.length, { announced }));
    assertEquals(await read(ftp, "data"), DATA); // by 150
    assertEquals(await ftp.pwd(), "/");
  });

  Deno.test(`FTP.${name} fails where the data connection is reset before that, or nothing tells`, async () => {
    const length = DATA.length;
    for (
      const [script, sizes] of [
        [resetAfter(length - 1), true],
        [resetAfter(length - 1, { announced: `(${length} bytes)` }), false],
        [resetAfter(length), false],
        [resetAfter(length, { announced: "(99 bytes)" }), false],
        [resetAfter(length, { final: "426 Cut" }), true],
        [resetAfter(length, { final: "551 Broken" }), true],
      ] as const
    ) {
      await using server = await memoryServer({ "/data": DATA });
      server.on("RETR", script);
      if (!sizes) server.on("SIZE", "500 What");
      await using ftp = await server.client();
      await assertRejects(() => read(ftp, "data"));
      assertEquals(await ftp.pwd(), "/");
    }
  });
}

Deno.test("FTP.retrieve from an offset compares what came with the rest of the file", async () => {
  await using server = await memoryServer({ "/data": DATA });
  await using ftp = await server.client();
  const read = async (offset: number) =>
    await new Response(await ftp.retrieve("data", { offset })).bytes();
  const announced = `(${DATA.length - 1000} bytes)`;
  server.on("RETR", resetAfter(DATA.length, { announced }));
  assertEquals(await read(1000), DATA.slice(1000));
  server.on("RETR", resetAfter(DATA.length - 1, { announced }));
  await assertRejects(() => read(1000), Deno.errors.ConnectionReset);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.download continues if the data connection is reset before the last byte", async () => {
  await using server = await memoryServer({ "/data": DATA });
  await using ftp = await server.client();
  using folder = new LocalFolder();
  server.once("RETR", resetAfter(10_000));
  server.on("RETR", resetAfter(DATA.length));
  const options = { retry: { delay: 1 } };
  const { retries } = await ftp.download("data", folder.at("x"), options);
  assertEquals(retries, 1);
  assertEquals(Deno.readFileSync(folder.at("x")), DATA);
});

Deno.test("FTP.upload succeeds where the data connection is reset after the last byte, and SIZE agrees", async () => {
  await using server = await memoryServer();
  server.on("STOR", async (turn) => {
    await turn.reply(150, "Send it");
    const data = await turn.openData();
    server.put(`/${turn.argument}`, await data.readAll());
    data.reset();
    await data.closed;
    await turn.reply(226, "Done");
  });
  await using ftp = await server.client();
  const result = await ftp.upload(DATA, "data", { retry: false });
  assertEquals([result.verified, result.bytes], ["size", DATA.length]);
  assertEquals(server.files.get("/data"), DATA);
  await ftp.store("stored", DATA);
  assertEquals(server.files.get("/stored"), DATA);
});

/** A proxy whose data connections have an accident at their end. */
async function resetting(server: RealServer, fault: Fault): Promise<Proxy> {
  return await Proxy.start(server, {
    plan: ({ channel }) =>
      channel === "data" ? [{ direction: "down", offset: 0, fault }] : [],
  });
}

for (
  const [how, fault, secured] of [
    ["clear text", "abrupt", false],
    ["TLS, with close_notify", "abrupt", true],
    ["TLS, without close_notify", "abruptTLS", true],
  ] as const
) {
  serverTest(
    `FTP reads a whole file where the data connection is reset after the last byte (${how})`,
    async (server) => {
      await server.write("data", DATA);
      await using proxy = await resetting(server, fault);
      const options: FTPOptions = secured ? await trusting() : {};
      await using ftp = await logInThrough(proxy, server, options);
      for (const [, read] of READS) {
        const before = proxy.faults.length;
        assertEquals(await read(ftp, "data"), DATA);
        assert(proxy.faults.length > before, "nothing was reset");
      }
      assertEquals(await ftp.pwd(), "/");
    },
    { passivePorts: 20, ...(secured ? { prepare: withTLS() } : {}) },
  );
}
