import { assert, assertEquals, assertRejects } from "@std/assert";
import { type FTP, FTPError } from "../../mod.ts";
import {
  type Script,
  startScript,
  untilAborted,
} from "../testing/client_script.ts";

const REASON = new Error("enough");

type Call = (ftp: FTP, signal: AbortSignal) => Promise<unknown>;

/** Every method that takes a signal. */
const CALLS: [name: string, call: Call][] = [
  ["login", (f, signal) => f.login("u", "p", "", { signal })],
  ["acct", (f, signal) => f.acct("a", { signal })],
  ["sendcmd", (f, signal) => f.sendcmd("NOOP", { signal })],
  ["voidcmd", (f, signal) => f.voidcmd("NOOP", { signal })],
  ["cwd", (f, signal) => f.cwd("x", { signal })],
  ["cwd up", (f, signal) => f.cwd("..", { signal })],
  ["pwd", (f, signal) => f.pwd({ signal })],
  ["mkd", (f, signal) => f.mkd("x", { signal })],
  ["rmd", (f, signal) => f.rmd("x", { signal })],
  ["delete", (f, signal) => f.delete("x", { signal })],
  ["rename", (f, signal) => f.rename("x", "y", { signal })],
  ["size", (f, signal) => f.size("x", { signal })],
  ["makepasv", (f, signal) => f.makepasv({ signal })],
  ["makeport", (f, signal) => f.makeport({ signal })],
  ["sendport", (f, signal) => f.sendport("127.0.0.1", 1, { signal })],
  ["sendeprt", (f, signal) => f.sendeprt("127.0.0.1", 1, { signal })],
  [
    "transfercmd",
    (f, signal) => f.transfercmd("RETR x", undefined, { signal }),
  ],
  ["retrbinary", (f, signal) => f.retrbinary("RETR x", () => {}, { signal })],
  ["retrlines", (f, signal) => f.retrlines("RETR x", () => {}, { signal })],
  ["storbinary", (f, signal) => f.storbinary("STOR x", [], { signal })],
  [
    "storlines",
    (f, signal) => f.storlines("STOR x", [], undefined, { signal }),
  ],
  ["nlst", (f, signal) => f.nlst("x", { signal })],
  ["dir", (f, signal) => f.dir("x", () => {}, { signal })],
  ["mlsd", (f, signal) => Array.fromAsync(f.mlsd("x", [], { signal }))],
  [
    "mlsd with facts",
    (f, signal) => Array.fromAsync(f.mlsd("x", ["y"], { signal })),
  ],
  [
    "pipeline",
    (f, signal) => Array.fromAsync(f.pipeline(["NOOP"], { signal })),
  ],
  ["quit", (f, signal) => f.quit({ signal })],
];

for (const [name, call] of CALLS) {
  Deno.test(`FTP.${name} sends nothing when its signal is aborted before`, async () => {
    await using server = await startScript();
    await using ftp = await server.connect();
    const error = await call(ftp, AbortSignal.abort(REASON)).catch((e) => e);
    assert(error === REASON, `${error}`);
    assertEquals(server.commands, []);
    assertEquals(await ftp.pwd(), "/");
  });

  Deno.test(`FTP.${name} ends when its signal is aborted, and is in step`, async () => {
    const came = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    let isFirst = true;
    // the reply to the first command is late, when no call waits for it
    const late: Script = Object.fromEntries(
      [
        "USER",
        "ACCT",
        "NOOP",
        "CWD",
        "CDUP",
        "MKD",
        "RMD",
        "DELE",
        "RNFR",
        "SIZE",
        "EPSV",
        "PORT",
        "EPRT",
        "TYPE",
        "OPTS",
        "QUIT",
        "PWD",
      ].map((verb) => [
        verb,
        async (turn) => {
          if (!isFirst) return await turn.reply(257, '"/own"');
          came.resolve();
          await gate.promise;
          isFirst = false;
          await turn.reply(250, "late");
        },
      ]),
    );
    await using server = await startScript(late);
    await using ftp = await server.connect();
    const controller = new AbortController();
    const calling = call(ftp, controller.signal).catch((e) => e);
    await came.promise;
    controller.abort(REASON);
    assert(await calling === REASON);
    const next = ftp.pwd();
    gate.resolve();
    assertEquals(await next, "/own");
    assert(ftp.connected);
  });
}

/** A server that stays in one phase of a download until it is aborted. */
const PHASES: [name: string, script: (go: () => void) => Script][] = [
  ["waiting for 150", (go) => ({
    RETR: async (turn) => {
      go();
      await turn.confirmAbort();
    },
  })],
  ["transferring", (go) => ({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      await (await turn.openData()).write("data");
      go();
      await turn.confirmAbort();
    },
  })],
  ["confirming", (go) => ({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      const conn = await turn.openData();
      await conn.write("data");
      conn.drop();
      go();
      assertEquals(await turn.next(), "ABOR");
      await turn.raw("226 Done\r\n225 Nothing\r\n");
    },
  })],
];

/** Retrieves, and aborts shortly after an event; returns the error. */
async function abortedRetrieval(
  ftp: FTP,
  event: Promise<unknown>,
): Promise<unknown> {
  const controller = new AbortController();
  const { signal } = controller;
  const retrieval = ftp.retrbinary("RETR x", () => {}, { signal })
    .catch((e) => e);
  await event;
  await new Promise((done) => setTimeout(done, 20));
  controller.abort(REASON);
  return await retrieval;
}

for (const [name, script] of PHASES) {
  Deno.test(`FTP.retrbinary is aborted while ${name}, and is in step`, async () => {
    const { promise: going, resolve: go } = Promise.withResolvers<void>();
    await using server = await startScript({
      PWD: '257 "/own"',
      ...script(go),
    });
    await using ftp = await server.connect();
    assert(await abortedRetrieval(ftp, going) === REASON);
    assertEquals(await ftp.pwd(), "/own");
  });
}

Deno.test("FTP.retrbinary is aborted while it dials, and is usable", async () => {
  await using server = await startScript({
    // a documentation address, which never answers
    EPSV: "500 What",
    PASV: "227 (192,0,2,1,1,1)",
    PWD: '257 "/own"',
  });
  await using ftp = await server.connect({ trustPasvHost: true });
  const error = await abortedRetrieval(ftp, server.received("PASV"));
  // where there is no route at all, dialling fails before it can be aborted
  assert(error === REASON || !(error instanceof FTPError), `${error}`);
  assertEquals(await ftp.pwd(), "/own");
});

Deno.test("FTP.retrbinary is aborted while it listens, and is usable", async () => {
  const { promise: going, resolve: go } = Promise.withResolvers<void>();
  await using server = await startScript({
    PORT: "200 ok",
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      go();
    },
    ABOR: "426 Cut\n226 Aborted",
  });
  await using ftp = await server.connect({ passive: false });
  assert(await abortedRetrieval(ftp, going) === REASON);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.storbinary is aborted while it sends, ends its source, and is usable", async () => {
  await using server = await startScript({ STOR: untilAborted });
  await using ftp = await server.connect();
  const controller = new AbortController();
  let isCancelled = false;
  let count = 0;
  const source = new ReadableStream<Uint8Array>({
    pull(stream) {
      stream.enqueue(new Uint8Array(65_536));
      if (++count === 50) setTimeout(() => controller.abort(REASON), 20);
    },
    cancel: () => void (isCancelled = true),
  });
  const { signal } = controller;
  const error = await ftp.storbinary("STOR x", source, { signal })
    .catch((e) => e);
  assert(error === REASON, `${error}`);
  assert(isCancelled);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.storbinary is aborted while its source gives nothing", async () => {
  await using server = await startScript({
    STOR: async (turn) => {
      await turn.reply(150, "Send");
      await turn.openData();
    },
    ABOR: "426 Cut\n226 Aborted",
  });
  await using ftp = await server.connect();
  const controller = new AbortController();
  const asked = Promise.withResolvers<void>();
  const source = new ReadableStream<Uint8Array>({
    pull: () => asked.resolve(),
  }, { highWaterMark: 0 });
  const { signal } = controller;
  const storing = ftp.storbinary("STOR x", source, { signal }).catch((e) => e);
  await asked.promise;
  controller.abort(REASON);
  const error = await storing;
  assert(error === REASON, `${error}`);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.ntransfercmd's signal ends the data connection too", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      await turn.openData();
    },
    ABOR: "426 Cut\n226 Aborted",
  });
  await using ftp = await server.connect();
  const controller = new AbortController();
  const [conn] = await ftp.ntransfercmd("RETR x", undefined, {
    signal: controller.signal,
  });
  const reading = conn.read(new Uint8Array(1)).catch((e) => e);
  controller.abort(REASON);
  assert(await reading === REASON);
  await server.received("ABOR"); // without abort(), too
  assertEquals((await ftp.abort()).code, 226);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.voidresp is aborted and can be called again", async () => {
  const gate = Promise.withResolvers<void>();
  await using server = await startScript({
    A: async (turn) => {
      await gate.promise;
      await turn.reply(200, "a");
    },
  });
  await using ftp = await server.connect();
  await ftp.putcmd("A");
  await assertRejects(
    () => ftp.voidresp({ signal: AbortSignal.timeout(20) }),
    DOMException,
  );
  gate.resolve();
  assertEquals((await ftp.voidresp()).text, "200 a");
});
