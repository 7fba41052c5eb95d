/**
 * connect() if the server has too many connections, or does not know the user.
 */

import { assertEquals, assertRejects } from "@std/assert";
import { connect, FTPError } from "../../mod.ts";
import { byDefault, startScript } from "./script.ts";

const RETRY = { attempts: 3, delay: 1, maxDelay: 2 };

/** Replies of servers, and the commands. */
const CROWDED: [verb: string, text: string][] = [
  ["connect", "421 There are too many connected users, please try later."],
  ["USER", "421 2 users (the maximum) are already logged in, sorry"],
  [
    "PASS",
    "530 Sorry, the maximum number of connections (1) for your host are already connected.",
  ],
  ["PASS", "530 Too many connections"],
];

for (const [verb, text] of CROWDED) {
  Deno.test(`connect tries again after "${text}", where the caller asks for it`, async () => {
    await using server = await startScript();
    for (let i = 0; i < 2; i++) server.once(verb, text);
    const { host, port } = server;
    await assertRejects(() => connect(host, { port }), FTPError, text);
    assertEquals(server.sessions.length, 1);
    await using ftp = await connect(host, { port, retry: RETRY });
    assertEquals(server.sessions.length, 3);
    assertEquals(ftp.connected, true);
  });

  Deno.test(`connect gives up "${text}" after as many attempts as it may make`, async () => {
    await using server = await startScript({ [verb]: text });
    const { host, port } = server;
    await assertRejects(
      () => connect(host, { port, retry: RETRY }),
      FTPError,
      text,
    );
    assertEquals(server.sessions.length, 4);
  });
}

/** Failures that must not be retried. */
const WRONG: [verb: string, text: string][] = [
  ["PASS", "530 Login incorrect."],
  ["PASS", "530 Too many login attempts"],
  ["PASS", "421 Maximum login attempts exceeded"],
  ["PASS", "530 Login incorrect, too many failures"],
  ["PASS", "530 User anonymous unknown"],
  ["CWD", "550 No such directory"],
];

for (const [verb, text] of WRONG) {
  Deno.test(`connect never tries again after "${text}"`, async () => {
    await using server = await startScript({ [verb]: text });
    await assertRejects(
      () =>
        connect(`ftp://u:p@${server.host}:${server.port}/x`, { retry: RETRY }),
      FTPError,
      text,
    );
    assertEquals(server.sessions.length, 1);
  });
}

Deno.test("connect ends its wait for a crowded server when its signal is aborted", async () => {
  const controller = new AbortController();
  await using server = await startScript({
    PASS: async (turn) => {
      await turn.reply(530, "Too many connections");
      controller.abort(new Error("enough"));
    },
  });
  const { host, port } = server;
  await assertRejects(
    () =>
      connect(host, {
        port,
        retry: { attempts: 9, delay: 1e9, maxDelay: 1e9 },
        signal: controller.signal,
      }),
    Error,
    "enough",
  );
  assertEquals(server.sessions.length, 1);
});

Deno.test("connect rejects an invalid retry before it dials", async () => {
  await using server = await startScript({ NOOP: byDefault });
  const { host, port } = server;
  for (
    const retry of [true, null, 3, { attempts: NaN }, { delay: -1 }, { x: 1 }]
  ) {
    const error = await connect(host, { port, retry: retry as never })
      .catch((error) => error);
    assertEquals(
      error instanceof TypeError || error instanceof RangeError,
      true,
    );
  }
  assertEquals(server.sessions.length, 0);
});
