import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type FTP,
  FTPPermanentError,
  FTPProtocolError,
  FTPReplyError,
  FTPTemporaryError,
} from "../../mod.ts";
import {
  type ErrorClass,
  type Script,
  stall,
  startScript,
} from "../testing/client_script.ts";

/** Faults instead of a reply to NOOP, and the results. */
const FAILURES: [
  name: string,
  noop: Script[string],
  Class: ErrorClass,
  message: string,
][] = [
  [
    "closes",
    (turn) => turn.close(),
    Deno.errors.UnexpectedEof,
    'Cannot complete "NOOP": the server closed the connection',
  ],
  [
    "closes in the middle of a reply",
    async (turn) => {
      await turn.raw("200 o");
      turn.close();
    },
    Deno.errors.UnexpectedEof,
    'Cannot complete "NOOP": the server closed the connection in the middle of a reply',
  ],
  [
    "closes between the lines of a reply",
    async (turn) => {
      await turn.raw("200-o\r\nk\r\n");
      turn.close();
    },
    Deno.errors.UnexpectedEof,
    "in the middle of a reply",
  ],
  [
    "never answers",
    stall,
    Deno.errors.TimedOut,
    'Cannot complete "NOOP": no reply within 300 ms; the connection is closed',
  ],
  [
    "begins an answer and stops",
    async (turn) => {
      await turn.raw("200 o");
      await turn.stall();
    },
    Deno.errors.TimedOut,
    "no reply within 300 ms",
  ],
  [
    "ends a multi-line reply with another code",
    async (turn) => {
      await turn.raw("553-No\r\n150 Opening\x1B\r\n");
      await turn.stall();
    },
    Deno.errors.TimedOut,
    '"150 Opening\uFFFD" may have been meant to end the reply: try { multiline: "lenient" }',
  ],
  [
    "answers garbage",
    (turn) => turn.raw("\x1B[2J<html>\r\n"),
    FTPProtocolError,
    "expected a code from 100 to 599",
  ],
  [
    "answers with a code that is none",
    "999 Hello",
    FTPProtocolError,
    "999 Hello",
  ],
  [
    "answers a line of 10 MB",
    async (turn) => {
      await turn.raw("200 ");
      await turn.raw(new Uint8Array(10_000_000).fill(0x78));
      await turn.raw("\r\n");
    },
    FTPProtocolError,
    "a line is longer than 65536 bytes",
  ],
  [
    "answers without end",
    async (turn) => {
      await turn.raw("200-ok\r\n");
      while (true) await turn.raw("200-and so on\r\n".repeat(1000));
    },
    FTPProtocolError,
    "longer than 1048576 bytes",
  ],
];

for (const [name, noop, Class, message] of FAILURES) {
  Deno.test(`FTP ends when the server ${name}`, async () => {
    await using server = await startScript({ NOOP: noop });
    await using ftp = await server.connect({ timeout: 300 });
    const first = ftp.voidcmd("NOOP");
    const second = ftp.pwd().catch((error) => error);
    const error = await assertRejects(() => first, Class, message);
    // pending calls fail too, and later ones report the reason
    assertEquals(await second, error);
    assertEquals(ftp.connected, false);
    const late = await assertRejects(
      () => ftp.pwd(),
      Deno.errors.NotConnected,
      'Cannot send "PWD": the connection is closed: ',
    ) as Error;
    assert(late.message.includes((error as Error).message));
    assertEquals(late.cause, error);
    await assertRejects(
      () => ftp.retrlines("LIST"),
      Deno.errors.NotConnected,
    );
    // deno-lint-ignore no-control-regex
    assert(!/\x1B/.test(late.message));
  });
}

Deno.test('FTP with multiline "lenient" reads a reply of glFTPd', async () => {
  await using server = await startScript({
    NOOP: "200-So\n250 and so",
  });
  await using ftp = await server.connect({ multiline: "lenient" });
  assertEquals((await ftp.voidcmd("NOOP")).code, 250);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP takes 421 for the end, after any command", async () => {
  await using server = await startScript({ NOOP: "421 Idle too long" });
  await using ftp = await server.connect();
  const error = await assertRejects(
    () => ftp.voidcmd("NOOP"),
    FTPTemporaryError,
    '"NOOP": 421 Idle too long',
  ) as FTPTemporaryError;
  assertEquals(error.reply?.code, 421);
  assertEquals(ftp.connected, false);
  await assertRejects(
    () => ftp.pwd(),
    Deno.errors.NotConnected,
    "421 Idle too long",
  );
});

Deno.test("FTP takes an unexpected 421 as the reason of the end", async () => {
  await using server = await startScript({
    NOOP: async (turn) => {
      await turn.raw("200 ok\r\n421 Shutting down\r\n");
      turn.close();
    },
  });
  await using ftp = await server.connect();
  await ftp.voidcmd("NOOP");
  await assertRejects(
    () => ftp.pwd(),
    Deno.errors.NotConnected,
    "421 Shutting down",
  );
});

Deno.test("FTP.quit closes the connection, and later calls say so", async () => {
  await using server = await startScript();
  await using ftp = await server.connect();
  assertEquals((await ftp.quit()).code, 221);
  assertEquals(ftp.connected, false);
  await assertRejects(() => ftp.pwd(), Deno.errors.NotConnected, "called");
});

Deno.test("FTP.quit closes the connection for any reply, and without one", async () => {
  for (
    const [quit, Class] of [
      ["500 Stay", FTPPermanentError],
      ["350 And then", FTPReplyError],
      [(turn) => turn.close(), Deno.errors.UnexpectedEof],
    ] satisfies [Script[string], ErrorClass][]
  ) {
    await using server = await startScript({ QUIT: quit });
    await using ftp = await server.connect();
    await assertRejects(() => ftp.quit(), Class);
    assertEquals(ftp.connected, false);
    await assertRejects(() => ftp.pwd(), Deno.errors.NotConnected);
  }
});

Deno.test("FTP.close ends calls that are under way", async () => {
  await using server = await startScript({ NOOP: () => {} });
  await using ftp = await server.connect();
  const waiting = ftp.voidcmd("NOOP");
  ftp.close();
  await assertRejects(() => waiting, Deno.errors.NotConnected, "close()");
  ftp.close();
});

async function retrieve(ftp: FTP): Promise<number> {
  let size = 0;
  await ftp.retrbinary("RETR x", (block) => size += block.length);
  return size;
}

Deno.test("FTP.close ends a transfer that is under way", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      await (await turn.openData()).write("data");
      await turn.stall();
    },
  });
  await using ftp = await server.connect();
  const retrieval = ftp.retrbinary("RETR x", () => ftp.close());
  await assertRejects(
    () => retrieval,
    Deno.errors.NotConnected,
    "close() was called",
  );
});

/** Failures of a server during a download, which must not succeed. */
const DEATHS: [name: string, script: Script[string]][] = [
  ["closes both connections", async (turn) => {
    await turn.reply(150, "Here");
    const conn = await turn.openData();
    await conn.write("data");
    conn.drop();
    turn.close();
  }],
  ["closes the control connection, then ends the data", async (turn) => {
    await turn.reply(150, "Here");
    const conn = await turn.openData();
    turn.close();
    await conn.write("data");
    conn.drop();
  }],
  ["says 421 and closes", async (turn) => {
    await turn.reply(150, "Here");
    const conn = await turn.openData();
    await turn.reply(421, "Shutting down");
    conn.drop();
    turn.close();
  }],
];

for (const [name, script] of DEATHS) {
  Deno.test(`FTP.retrbinary throws when the server ${name}`, async () => {
    await using server = await startScript({ RETR: script });
    await using ftp = await server.connect();
    await assertRejects(() => retrieve(ftp), Error, '"RETR x"');
    assertEquals(ftp.connected, false);
  });

  Deno.test(`FTP.storbinary throws when the server ${name}`, async () => {
    await using server = await startScript({ STOR: script });
    await using ftp = await server.connect();
    const bytes = [new Uint8Array(100), new Uint8Array(1_000_000)];
    await assertRejects(
      () => ftp.storbinary("STOR x", bytes),
      Error,
      '"STOR x"',
    );
    assertEquals(ftp.connected, false);
  });
}

Deno.test("FTP disposes of itself with QUIT, and without where that hangs", async () => {
  await using server = await startScript();
  {
    await using ftp = await server.connect();
    await ftp.pwd();
  }
  assertEquals(server.verbs, ["PWD", "QUIT"]);

  await using mute = await startScript({ QUIT: () => {} });
  {
    await using _ftp = await mute.connect({ timeout: 100 });
  }
  assertEquals(mute.verbs, ["QUIT"]);

  await using sending = await startScript({ RETR: "150 Here" });
  {
    await using ftp = await sending.connect();
    await ftp.transfercmd("RETR x");
  }
  assert(!sending.verbs.includes("QUIT"));
});
