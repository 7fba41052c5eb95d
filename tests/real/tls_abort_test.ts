/** Transfers over TLS that are aborted, and the session afterwards. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { FTP } from "../../mod.ts";
import { breakAfterFirst } from "../break_after_first.ts";
import { repetitions } from "../testing/repetitions.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";
import { makeData } from "./client.ts";
import { logInTLS, withTLS } from "./tls_client.ts";

/** Each way with pipelining and without. FTP_TEST_SCALE=10 has 20. */
const TIMES = repetitions(2);

const ENOUGH = new RangeError("Enough");

const DATA = makeData(20_000_000);

/** Every way to end a transfer early; each ends one. */
const WAYS: Record<string, (ftp: FTP) => Promise<unknown>> = {
  async "FTP.abort in a download"(ftp) {
    const [conn] = await ftp.ntransfercmd("RETR big");
    await conn.read(new Uint8Array(1000));
    await ftp.abort();
  },
  async "FTP.abort after DataConnection.close in a download"(ftp) {
    const [conn] = await ftp.ntransfercmd("RETR big");
    await conn.read(new Uint8Array(1000));
    conn.close();
    await ftp.abort();
  },
  async "FTP.abort after DataConnection.close before the first byte"(ftp) {
    const [conn] = await ftp.ntransfercmd("RETR big");
    conn.close();
    await ftp.abort();
  },
  async "FTP.voidresp after DataConnection.close in a download"(ftp) {
    const [conn] = await ftp.ntransfercmd("RETR big");
    await conn.read(new Uint8Array(1000));
    conn.close();
    const { message } = await assertRejects(
      () => ftp.voidresp(),
      Deno.errors.Interrupted,
    );
    assertMatch(message, /"RETR big": .* before the end .* after \d+ bytes$/);
  },
  async "FTP.voidresp after DataConnection.readable was cancelled"(ftp) {
    const [conn] = await ftp.ntransfercmd("RETR big");
    const reader = conn.readable.getReader();
    await reader.read();
    await reader.cancel();
    await assertRejects(() => ftp.voidresp(), Deno.errors.Interrupted);
  },
  async "FTP.voidresp after DataConnection.close where all was read but the end"(
    ftp,
  ) {
    await ftp.voidcmd("TYPE I");
    const [conn] = await ftp.ntransfercmd("RETR big");
    const block = new Uint8Array(1 << 20);
    for (let rest = DATA.length; rest > 0;) {
      rest -= await conn.read(block.subarray(0, rest)) ?? rest;
    }
    conn.close();
    assertEquals((await ftp.voidresp()).code, 226);
  },
  async "FTP.abort in an upload"(ftp) {
    const [conn] = await ftp.ntransfercmd("STOR up");
    await conn.write(DATA.subarray(0, 100_000));
    await ftp.abort();
  },
  "FTP.retrbinary whose callback throws": (ftp) =>
    expectEnough(() =>
      ftp.retrbinary("RETR big", () => {
        throw ENOUGH;
      })
    ),
  "FTP.retrbinary and a signal": (ftp) =>
    expectEnough((abort, signal) =>
      ftp.retrbinary("RETR big", abort, { signal })
    ),
  "FTP.storbinary and a signal": (ftp) =>
    expectEnough((callback, signal) =>
      ftp.storbinary("STOR up", DATA, { callback, signal })
    ),
  async "FTP.retrieve whose stream is cancelled"(ftp) {
    const reader = (await ftp.retrieve("big")).getReader();
    await reader.read();
    await reader.cancel();
  },
  "FTP.retrieve and a signal": (ftp) =>
    expectEnough(async (abort, signal) => {
      for await (const _ of await ftp.retrieve("big", { signal })) abort();
    }),
  "FTP.download and a signal": (ftp) =>
    expectEnough((onProgress, signal) =>
      ftp.download("big", "/dev/null", {
        signal,
        onProgress,
        progressRate: 1e3,
      })
    ),
  "FTP.upload and a signal": (ftp) =>
    expectEnough((onProgress, signal) =>
      ftp.upload(DATA, "up", { signal, onProgress, progressRate: 1e3 })
    ),
  async "FTP.list that is left"(ftp) {
    await breakAfterFirst(ftp.list("many"));
  },
  "FTP.list and a signal": (ftp) =>
    expectEnough(async (abort, signal) => {
      for await (const _ of ftp.list("many", { signal })) abort();
    }),
};

serverTest(
  "FTP is in step over TLS after each way to end a transfer early",
  async (server, context) => {
    await server.write("big", DATA);
    await server.mkdir("many");
    for (let i = 0; i < 1500; i++) {
      const path = `${server.root}/many/${"name".repeat(50)}${i}`;
      Deno.writeFileSync(path, new Uint8Array(0));
    }
    for (const [way, end] of Object.entries(WAYS)) {
      await context.step(way, () => endAndContinue(server, end));
    }
  },
  { prepare: withTLS() },
);

async function endAndContinue(
  server: RealServer,
  end: (ftp: FTP) => Promise<unknown>,
): Promise<void> {
  for (let i = 0; i < TIMES; i++) {
    await using ftp = await logInTLS(server, {}, {
      timeout: 10_000,
      pipelining: i % 2 === 0, // what the abort needs is not told by it
    });
    await end(ftp);
    assertEquals(await ftp.pwd(), "/");
    assertEquals(await ftp.size("big"), DATA.length);
    assert((await ftp.nlst()).includes("big"));
  }
}

serverTest(
  "FTP.store aborted while its TLS connection is opened leaves the session in step",
  async (server) => {
    for (const delay of [0, 1, 2, 3]) {
      const controller = new AbortController();
      await using ftp = await logInTLS(server, {}, {
        trace: ({ text }) => {
          // at once, and while the data connection is opened
          if (text === "STOR up") {
            setTimeout(() => controller.abort(ENOUGH), delay);
          }
        },
      });
      const { signal } = controller;
      const error = await assertRejects(() =>
        ftp.store("up", DATA, { signal })
      );
      assertEquals(error, ENOUGH);
      assertEquals(await ftp.pwd(), "/");
      assert((await ftp.nlst()).includes("up"));
    }
  },
  { prepare: withTLS() },
);

/** Runs a transfer under a signal, which it aborts itself. */
async function expectEnough(
  run: (abort: () => void, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const controller = new AbortController();
  const abort = () => controller.abort(ENOUGH);
  await assertRejects(
    () => run(abort, controller.signal),
    RangeError,
    ENOUGH.message,
  );
}
