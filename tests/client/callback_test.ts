import { assert, assertEquals } from "@std/assert";
import type { FTP } from "../../mod.ts";
import type { Handler } from "../testing/scripted/mod.ts";
import { type Script, startScript } from "../testing/client_script.ts";

const BYTES = new TextEncoder().encode("one\ntwo\n");

type Call = (
  ftp: FTP,
  callback: () => unknown,
  signal?: AbortSignal,
) => Promise<unknown>;

/** The methods with a callback that is awaited. */
const CALLS: [name: string, call: Call][] = [
  [
    "retrbinary",
    (f, callback, signal) =>
      f.retrbinary("RETR x", callback, { blocksize: 4, signal }),
  ],
  [
    "retrlines",
    (f, callback, signal) => f.retrlines("RETR x", callback, { signal }),
  ],
  [
    "storbinary",
    (f, callback, signal) =>
      f.storbinary("STOR x", BYTES, { blocksize: 4, callback, signal }),
  ],
  [
    "storlines",
    (f, callback, signal) => f.storlines("STOR x", BYTES, callback, { signal }),
  ],
];

/** Sends or receives nothing until it is aborted or left. */
const stay: Handler = async (turn) => {
  await turn.reply(150, "Here");
  const conn = await turn.openData();
  if (turn.verb === "RETR") await conn.write(BYTES);
  if (await turn.next() !== "ABOR") return;
  conn.drop();
  await turn.raw("426 Cut\r\n226 Aborted\r\n");
};

const SCRIPT: Script = { RETR: stay, STOR: stay, PWD: '257 "/own"' };

for (const [name, call] of CALLS) {
  Deno.test(`FTP.${name} is aborted while its callback is stuck, and calls back no more`, async () => {
    await using server = await startScript(SCRIPT);
    await using ftp = await server.connect();
    const controller = new AbortController();
    const called = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    let count = 0;
    const stuck = () => {
      count++;
      called.resolve();
      return gate.promise;
    };
    const calling = call(ftp, stuck, controller.signal).catch((e) => e);
    await called.promise;
    controller.abort("enough");
    assertEquals(await calling, "enough");
    assertEquals(await ftp.pwd(), "/own");
    gate.resolve();
    assertEquals(await ftp.pwd(), "/own");
    assertEquals(count, 1);
  });

  Deno.test(`FTP.${name} ends with close() while its callback is stuck, which may fail later`, async () => {
    await using server = await startScript(SCRIPT);
    await using ftp = await server.connect();
    const called = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<never>();
    const stuck = () => {
      called.resolve();
      return gate.promise;
    };
    const calling = call(ftp, stuck).catch((e) => e);
    await called.promise;
    ftp.close();
    const error = await calling;
    assert(error instanceof Deno.errors.NotConnected, `${error}`);
    gate.reject(new Error("late"));
    await gate.promise.catch(() => {});
  });
}
