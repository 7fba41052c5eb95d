/** Connections that a mirror has told to leave, and calls that come then. */

import { assert, assertRejects } from "@std/assert";
import type { FTP } from "../../mod.ts";
import { memoryServer } from "../testing/memory_server.ts";

/** Longest end of a call, in milliseconds; a connection leaves for 2 seconds. */
const LIMIT = 1500;

/** A mirror over two connections, of which one gets no reply to its `QUIT`. */
async function leaving(run: (ftp: FTP) => Promise<void>): Promise<void> {
  const files = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`/d/${i}`, "x".repeat(1000)]),
  );
  await using server = await memoryServer(files);
  const told = Promise.withResolvers<void>();
  server.on("QUIT", () => told.resolve());
  // both connections work at once
  let waiting = 0;
  const both = Promise.withResolvers<void>();
  server.on("RETR", async (turn) => {
    if (++waiting === 2) both.resolve();
    await both.promise;
    await turn.default();
  });
  const path = await Deno.makeTempDir();
  const ftp = await server.client();
  try {
    await ftp.downloadDir("/d", path, { connections: 2 });
    await told.promise;
    await run(ftp);
  } finally {
    ftp.close();
    await Deno.remove(path, { recursive: true });
  }
}

Deno.test("FTP.clone ends with its signal, although another connection is still leaving", async () => {
  await leaving(async (ftp) => {
    const began = performance.now();
    const controller = new AbortController();
    const opening = ftp.clone({ signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 50);
    await assertRejects(() => opening, Error, "enough");
    assert(performance.now() - began < LIMIT);
  });
});

Deno.test("FTP.clone ends with close(), although another connection is still leaving", async () => {
  await leaving(async (ftp) => {
    const began = performance.now();
    const opening = ftp.clone();
    setTimeout(() => ftp.close(), 50);
    await assertRejects(() => opening, Deno.errors.NotConnected);
    assert(performance.now() - began < LIMIT);
  });
});
