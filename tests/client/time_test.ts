import { assert, assertEquals, assertRejects } from "@std/assert";
import { type FTP, FTPTemporaryError } from "../../mod.ts";
import { stall, startScript } from "../testing/client_script.ts";

const TIMEOUT = 300;

Deno.test("FTP.retrbinary never ends a transfer that moves, however slowly", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      const conn = await turn.openData();
      for (let i = 0; i < 10; i++) {
        await conn.write("x");
        await new Promise((done) => setTimeout(done, TIMEOUT / 4));
      }
      conn.close();
      await turn.reply(226, "Done");
    },
  });
  await using ftp = await server.connect({ timeout: TIMEOUT });
  const start = performance.now();
  let size = 0;
  await ftp.retrbinary("RETR x", (block) => size += block.length);
  assertEquals(size, 10);
  assert(performance.now() - start > 2 * TIMEOUT);
});

Deno.test("FTP.storbinary never ends a transfer whose source is slow", async () => {
  await using server = await startScript({
    STOR: async (turn) => void await turn.take(),
  });
  await using ftp = await server.connect({ timeout: TIMEOUT });
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1);
    await new Promise((done) => setTimeout(done, 2 * TIMEOUT));
    yield new Uint8Array(1);
  }
  assertEquals((await ftp.storbinary("STOR x", slow())).code, 226);
});

Deno.test("FTP.retrbinary never ends a transfer whose callback is slow", async () => {
  await using server = await startScript({
    RETR: (turn) => turn.send("data"),
  });
  await using ftp = await server.connect({ timeout: TIMEOUT });
  let blocks = 0;
  const reply = await ftp.retrbinary("RETR x", async () => {
    await new Promise((done) => setTimeout(done, 2 * TIMEOUT));
    blocks++;
  });
  assertEquals([reply.code, blocks], [226, 1]);
});

Deno.test("FTP.retrbinary ends a transfer that stands still", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      await (await turn.openData()).write("data");
    },
  });
  await using ftp = await server.connect({ timeout: TIMEOUT });
  await assertRejects(
    () => ftp.retrbinary("RETR x", () => {}),
    Deno.errors.TimedOut,
    'Cannot complete "RETR x": no data moved within 300 ms',
  );
  assertEquals(ftp.connected, false);
});

Deno.test("FTP.retrbinary gives the server's word for a transfer that stands still", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      await (await turn.openData()).write("data");
      await turn.reply(426, "Disk asleep");
    },
  });
  await using ftp = await server.connect({ timeout: TIMEOUT });
  const error = await assertRejects(
    () => ftp.retrbinary("RETR x", () => {}),
    FTPTemporaryError,
    "426 Disk asleep",
  ) as Error;
  assert(error.cause instanceof Deno.errors.TimedOut);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.storbinary ends when the server takes no more data", async () => {
  await using server = await startScript({
    STOR: async (turn) => {
      await turn.reply(150, "Send");
      await turn.openData();
    },
  });
  await using ftp = await server.connect({ timeout: TIMEOUT });
  await assertRejects(
    () => ftp.storbinary("STOR x", new Uint8Array(64 * 1024 * 1024)),
    Deno.errors.TimedOut,
    "no data moved",
  );
});

Deno.test("FTP ends when the server takes no more commands", async () => {
  await using server = await startScript({
    connect: async (turn) => {
      await turn.reply(220, "Ready");
      turn.stopReading();
      await turn.stall();
    },
  });
  await using ftp = await server.connect({ timeout: TIMEOUT });
  const argument = "x".repeat(60_000);
  const sending = Array.from(
    { length: 200 },
    () => ftp.cwd(argument).catch((error) => error),
  );
  for (const error of await Promise.all(sending)) {
    assert(error instanceof Deno.errors.TimedOut, `${error}`);
  }
});

Deno.test("FTP with timeout 0 waits as long as it takes", async () => {
  await using server = await startScript({
    NOOP: async (turn) => {
      await new Promise((done) => setTimeout(done, 100));
      await turn.reply(200, "ok");
    },
    RETR: (turn) => turn.send("data"),
  });
  await using ftp = await server.connect({ timeout: 0 });
  assertEquals((await ftp.voidcmd("NOOP")).code, 200);
  assertEquals((await ftp.retrbinary("RETR x", () => {})).code, 226);
});

Deno.test("FTP counts the progress of a reply, not its whole", async () => {
  await using server = await startScript({
    NOOP: async (turn) => {
      for (let i = 0; i < 8; i++) {
        await turn.raw("200-wait\r\n");
        await new Promise((done) => setTimeout(done, TIMEOUT / 4));
      }
      await turn.raw("200 ok\r\n");
    },
  });
  await using ftp = await server.connect({ timeout: TIMEOUT });
  assertEquals((await ftp.voidcmd("NOOP")).lines.length, 9);
});

/** Text that is sent every ten milliseconds instead of a greeting. */
const DRIPS: [name: string, drip: string, message: string][] = [
  ["a line without an end", "x", "no answer within 100 ms"],
  ["a reply without an end", "220-x\r\n", "the reply has no end after 2000 ms"],
  ["120 and no greeting", "120 Wait\r\n", "the reply has no end after 2000 ms"],
];

for (const [name, drip, message] of DRIPS) {
  Deno.test(`FTP.connect ends while ${name} comes drop by drop`, async () => {
    await using server = await startScript({
      connect: async (turn) => {
        while (!turn.session.peer.isGone) {
          await turn.raw(drip);
          await new Promise((done) => setTimeout(done, 10));
        }
      },
    });
    await assertRejects(
      () => server.connect({ timeout: 100 }),
      Deno.errors.TimedOut,
      message,
    );
  });
}

Deno.test("FTP.sendcmd waits for a reply whose lines arrive slowly", async () => {
  await using server = await startScript({
    SITE: async (turn) => {
      for (let i = 0; i < 10; i++) {
        await turn.raw("200-Still at it\r\n");
        await new Promise((done) => setTimeout(done, TIMEOUT / 4));
      }
      await turn.raw("200 Done\r\n");
    },
  });
  await using ftp = await server.connect({ timeout: TIMEOUT });
  assertEquals((await ftp.sendcmd("SITE x")).lines.length, 11);
});

Deno.test("FTP.size waits no longer for a silent server because other calls are made", async () => {
  await using server = await startScript({ SIZE: stall });
  await using ftp = await server.connect({ timeout: TIMEOUT });
  const others: Promise<unknown>[] = [];
  const started = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - started > 10 * TIMEOUT) return ftp.close();
    // one that waits on, one that gives up
    others.push(ftp.sendcmd("NOOP").catch((error) => error));
    const signal = AbortSignal.timeout(TIMEOUT / 20);
    others.push(ftp.pwd({ signal }).catch((error) => error));
  }, TIMEOUT / 10);
  try {
    await assertRejects(
      () => ftp.size("x"),
      Deno.errors.TimedOut,
      'Cannot complete "SIZE x": no reply within 300 ms',
    );
  } finally {
    clearInterval(timer);
  }
  await Promise.all(others);
});

/** Calls that wait for a final reply. */
const WAITS: [name: string, run: (ftp: FTP) => Promise<unknown>][] = [
  ["voidresp", async (ftp) => {
    await ftp.sendcmd("RETR x");
    await ftp.voidresp();
  }],
  ["retrbinary", (ftp) => ftp.retrbinary("RETR x", () => {})],
];

for (const [name, run] of WAITS) {
  Deno.test(`FTP.${name} ends while 1yz replies come and no other`, async () => {
    await using server = await startScript({
      RETR: async (turn) => {
        await turn.reply(150, "Here");
        if (name === "retrbinary") (await turn.openData()).close();
        for (let i = 0; i < 500 && !turn.session.peer.isGone; i++) {
          await turn.reply(110, "Marker");
          await new Promise((done) => setTimeout(done, 10));
        }
        await turn.reply(226, "Done");
      },
    });
    await using ftp = await server.connect({ timeout: 100 });
    await assertRejects(
      () => run(ftp),
      Deno.errors.TimedOut,
      "the reply has no end after 2000 ms",
    );
  });
}

Deno.test("FTP.retrbinary waits for data while it arrives, whatever replies arrive", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      const conn = await turn.openData();
      for (let i = 0; i < 30; i++) {
        await conn.write("x");
        await turn.reply(110, "Marker");
        await new Promise((done) => setTimeout(done, 50));
      }
      conn.close();
      await turn.reply(226, "Done");
    },
  });
  // twenty time-outs are over before the data is
  await using ftp = await server.connect({ timeout: 60 });
  const { code } = await ftp.retrbinary("RETR x", () => {});
  assertEquals(code, 226);
});
