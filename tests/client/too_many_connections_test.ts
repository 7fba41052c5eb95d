/**
 * connect() if the server has too many connections, or does not know the user.
 */

import { assertEquals, assertRejects } from "@std/assert";
import { connect, FTPError } from "../../mod.ts";
import type { Handler } from "../testing/scripted/mod.ts";
import {
  byDefault,
  type ErrorClass,
  startScript,
} from "../testing/client_script.ts";

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
  ["PASS", "530 No more than 2 connections per IP"],
  ["PASS", "530 Not logged in, only 3 sessions from the same IP allowed"],
  ["PASS", "530 You have reached the max number of logins"],
  ["PASS", "530 You exceeded the number of simultaneous connections"],
  ["PASS", "530 The site is full, come back later"],
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
  ["PASS", "530 Too many bad logins"],
  ["PASS", "530 You are banned: too many errors"],
  ["PASS", "530 Too many login errors, your IP is blocked"],
  ["PASS", "530 User name exceeds the maximum length"],
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

Deno.test("connect ends its wait for a server with too many connections when its signal is aborted", async () => {
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

/** Errors of failed connections, and whether a retry follows. */
const FAILURES: [error: Error, isRetried: boolean][] = [
  [new Deno.errors.ConnectionRefused("refused"), true],
  [new Deno.errors.ConnectionReset("reset"), true],
  [new Deno.errors.TimedOut("no answer"), true],
  [new Deno.errors.NetworkUnreachable("no network"), true],
  [new Error("failed to lookup address information"), true],
  [new Deno.errors.NotCapable("no permission"), false],
  [new Deno.errors.PermissionDenied("refused by the proxy"), false],
];

for (const [failure, isRetried] of FAILURES) {
  Deno.test(`connect ${isRetried ? "tries" : "never tries"} again after a connection that failed: ${failure.message}`, async () => {
    await using server = await startScript();
    let count = 0;
    const { host, port } = server;
    const options = {
      port,
      dial: ({ hostname, port }: { hostname: string; port: number }) => {
        if (++count <= 2) throw failure;
        return Deno.connect({ hostname, port });
      },
    };
    await assertRejects(
      () => connect(host, { ...options, retry: false }),
      Error,
      failure.message,
    );
    assertEquals(count, 1);
    count = 0;
    if (!isRetried) {
      await assertRejects(
        () => connect(host, { ...options, retry: RETRY }),
        Error,
        failure.message,
      );
      return assertEquals(count, 1);
    }
    await using _ftp = await connect(host, { ...options, retry: RETRY });
    assertEquals(count, 3);
    count = -10;
    await assertRejects(
      () => connect(host, { ...options, retry: RETRY }),
      Error,
      failure.message,
    );
    assertEquals(count, -6); // four attempts
  });
}

/** What a server does, and whether a retry follows. */
const ENDS: [
  name: string,
  verb: string,
  answer: string | Handler,
  Class: ErrorClass,
  isRetried: boolean,
][] = [
  [
    "a connection closed before the greeting",
    "connect",
    (turn) => turn.close(),
    Deno.errors.UnexpectedEof,
    true,
  ],
  [
    "a greeting that does not come",
    "connect",
    () => {},
    Deno.errors.TimedOut,
    true,
  ],
  [
    "a greeting of another protocol",
    "connect",
    "HTTP/1.1 400 Bad Request",
    FTPError,
    false,
  ],
  [
    "a connection closed after USER",
    "USER",
    (turn) => turn.close(),
    Deno.errors.UnexpectedEof,
    false,
  ],
  [
    "a connection closed after PASS",
    "PASS",
    (turn) => turn.close(),
    Deno.errors.UnexpectedEof,
    false,
  ],
];

for (const [name, verb, answer, Class, isRetried] of ENDS) {
  Deno.test(`connect ${isRetried ? "tries" : "never tries"} again after ${name}`, async () => {
    await using server = await startScript();
    server.once(verb, answer);
    const { host, port } = server;
    const options = { port, timeout: 500, retry: RETRY };
    if (isRetried) {
      await using _ftp = await connect(host, options);
    } else {
      await assertRejects(() => connect(host, options), Class);
    }
    assertEquals(server.sessions.length, isRetried ? 2 : 1);
  });
}

Deno.test("connect ends its wait for a server that is not there when its signal is aborted", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const retry = { attempts: 9, delay: 1e9, maxDelay: 1e9 };
  const connecting = connect("127.0.0.1", {
    retry,
    signal: controller.signal,
    dial: () => {
      queueMicrotask(() => controller.abort(reason));
      throw new Deno.errors.ConnectionRefused("refused");
    },
  });
  assertEquals(await connecting.catch((error) => error), reason);
});
