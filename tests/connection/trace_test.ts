import { assertEquals, assertRejects } from "@std/assert";
import type { FTP, TraceEvent } from "../../mod.ts";
import { unhandledIn } from "../testing/unhandled.ts";
import { startScript } from "../testing/client_script.ts";

/**
 * Returns a listener that makes a call at the first line of the trace with a
 * beginning.
 */
function once(line: string, call: () => void): (event: TraceEvent) => void {
  let isDone = false;
  return ({ direction, text }) => {
    if (isDone || !`${direction} ${text}`.startsWith(line)) return;
    isDone = true;
    call();
  };
}

for (const line of ["sent SIZE", "received 213", "sent TYPE"]) {
  Deno.test(`FTP gives each call its own reply when a listener makes one at "${line}"`, async () => {
    await using server = await startScript({
      SIZE: "213 777",
      MDTM: "213 20260101000000",
    });
    const calls: Promise<string>[] = [];
    const ftp: FTP = await server.connect({
      trace: once(line, () => {
        const call = ftp.sendcmd("MDTM x");
        calls.push(call.then(({ text }) => text));
      }),
    });
    await using _ = ftp;
    await ftp.voidcmd("TYPE A");
    assertEquals(await ftp.size("x"), 777);
    assertEquals(await Promise.all(calls), ["213 20260101000000"]);
    assertEquals(await ftp.pwd(), "/");
  });
}

Deno.test("FTP knows which type is being set when a listener makes a call", async () => {
  await using server = await startScript({ SIZE: "213 777", MDTM: "550 No" });
  const calls: Promise<unknown>[] = [];
  const ftp: FTP = await server.connect({
    trace: once("sent TYPE A", () => {
      const call = ftp.download("x", "/nowhere/at/all", { retry: false });
      calls.push(call.catch((error) => error));
    }),
  });
  await using _ = ftp;
  await ftp.voidcmd("TYPE I");
  await ftp.voidcmd("TYPE A");
  await Promise.all(calls);
  const sent = server.commands.filter((line) => /^(TYPE|SIZE)/.test(line));
  assertEquals(sent.slice(0, 4), ["TYPE I", "TYPE A", "TYPE I", "SIZE x"]);
});

for (const line of ["sent SIZE", "received 213"]) {
  Deno.test(`FTP.close may be called by a listener at "${line}"`, async () => {
    await using server = await startScript({ SIZE: "213 777" });
    const closed = Promise.withResolvers<void>();
    const ftp: FTP = await server.connect({
      trace: once(line, () => {
        ftp.close();
        closed.resolve();
      }),
    });
    await using _ = ftp;
    const size = ftp.size("x").catch((error) => error);
    await closed.promise;
    await size;
    await assertRejects(() => ftp.pwd(), Deno.errors.NotConnected, "close()");
  });
}

Deno.test("FTP ignores what a listener of the trace rejects with", async () => {
  await using server = await startScript();
  const unhandled = await unhandledIn(async () => {
    await using ftp = await server.connect({
      trace: async () => {
        await Promise.resolve();
        throw new Error("the trace's own fault");
      },
    });
    assertEquals(await ftp.pwd(), "/");
  });
  assertEquals(unhandled, []);
});
