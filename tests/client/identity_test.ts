import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FTP, ftpcp, type RetryEvent } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { type MemoryServer, memoryServer } from "../testing/memory_server.ts";
import { bytes } from "../real/client.ts";
import { startScript } from "../testing/client_script.ts";

/** Retries that wait longer than any test, and report the wait. */
function longRetries(times = 1) {
  const waiting = Promise.withResolvers<void>();
  const onRetry = (_: RetryEvent) => {
    if (--times === 0) waiting.resolve();
  };
  return {
    options: { retry: { delay: 60_000, maxDelay: 60_000 }, onRetry },
    waiting: waiting.promise,
  };
}

/**
 * A greeting that does not arrive: when it is due, and when no call waits for
 * it any more.
 */
function silence(server: MemoryServer) {
  const due = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  server.once("connect", async (turn) => {
    due.resolve();
    await turn.next();
    turn.close();
    left.resolve();
  });
  return { due: due.promise, left: left.promise };
}

/** Calls that end all pending calls of a client. */
const ENDS: [
  name: string,
  end: (ftp: FTP, other: MemoryServer) => Promise<unknown> | void,
][] = [
  ["close", (ftp) => ftp.close()],
  ["quit", (ftp) => ftp.quit()],
  ["being disposed of", (ftp) => ftp[Symbol.asyncDispose]()],
  ["connect", async (ftp, other) => {
    await ftp.connect(other.host, other.port);
    await ftp.login("user", "secret");
  }],
  ["login as another user", (ftp) => ftp.login("another", "secret")],
];

/** Calls that retry after 450. */
const JOBS: [
  name: string,
  verb: string,
  run: (ftp: FTP, folder: string, options: object) => Promise<unknown>,
][] = [
  ["upload", "STOR", (f, _, options) => f.upload(bytes("x"), "/a", options)],
  [
    "download",
    "RETR",
    (f, d, options) => f.download("/old", `${d}/a`, options),
  ],
  [
    "uploadDir",
    "STOR",
    (f, d, options) => f.uploadDir(d, "/", { ...options, delete: true }),
  ],
  ["downloadDir", "MLSD", (f, d, options) => f.downloadDir("/", d, options)],
];

for (const [how, end] of ENDS) {
  for (const [name, verb, run] of JOBS) {
    Deno.test(`FTP.${name} ends at once at ${how}, and does nothing elsewhere`, async () => {
      await using server = await memoryServer({ "/old": "old" });
      await using other = await memoryServer({ "/old": "old" });
      using folder = new LocalFolder();
      await Deno.writeTextFile(`${folder.path}/new`, "new");
      server.on(verb, "450 Busy");
      await using ftp = await server.client();
      const { options, waiting } = longRetries();
      const job = assertRejects(
        () => run(ftp, folder.path, options),
        Deno.errors.NotConnected,
        "Cannot continue",
      );
      await waiting;
      const before = server.commands.length;
      await end(ftp, other);
      await job;
      assert(!/STOR|RETR|DELE|MLSD/.test(server.verbs.slice(before).join()));
      assertEquals([...other.files.keys()], ["/old"]);
      assertEquals(folder.names(), ["new"]);
    });
  }

  // there is no connection to say so on
  if (how === "quit" || how.startsWith("login")) continue;

  Deno.test(`FTP.reconnect ends at once at ${how}`, async () => {
    await using server = await memoryServer();
    await using other = await memoryServer();
    await using ftp = await server.client();
    const { due, left } = silence(server);
    const reconnecting = assertRejects(
      () => ftp.reconnect(),
      Deno.errors.NotConnected,
    );
    await due;
    await end(ftp, other);
    await reconnecting;
    await left;
    assertEquals(server.sessions.length, 2);
    assertEquals(ftp.connected, how === "connect");
  });

  Deno.test(`FTP.connect ends at once at ${how}`, async () => {
    await using server = await memoryServer();
    await using other = await memoryServer();
    await using ftp = new FTP({ timeout: 2000 });
    const { due, left } = silence(server);
    const connecting = assertRejects(
      () => ftp.connect(server.host, server.port),
      Deno.errors.NotConnected,
      "the connection was closed here",
    );
    await due;
    await end(ftp, other);
    await connecting;
    await left;
    assertEquals(ftp.connected, how === "connect");
    if (how !== "connect") assertThrows(() => ftp.getwelcome());
    else assertEquals(ftp.port, other.port);
  });
}

Deno.test("FTP.connect closes what was connected before, and what is being", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  const calls = [1, 2, 3].map(() => ftp.connect(server.host, server.port));
  const outcomes = await Promise.allSettled(calls);
  assertEquals(
    outcomes.map(({ status }) => status),
    ["rejected", "rejected", "fulfilled"],
  );
  await ftp.login("user", "secret");
  assertEquals(await ftp.pwd(), "/");
  const last = server.sessions.pop()!;
  await Promise.all(server.sessions.map(({ peer }) => peer.closed));
  server.sessions.push(last);
});

Deno.test("FTP.login that waits for its turn does not log in on the next connection", async () => {
  const gate = Promise.withResolvers<void>();
  await using source = await startScript({ RETR: "150 Here" });
  await using target = await startScript({
    PORT: "200 ok",
    STOR: "150 Send",
    ABOR: async (turn) => {
      await gate.promise;
      await turn.raw("426 Cut\r\n226 Aborted\r\n");
    },
  });
  await using other = await memoryServer();
  await using ftp = await source.connect();
  await using second = await target.connect();
  const calls = [ftpcp(ftp, "x", second), ftp.login("another", "secret")]
    .map((call) => assertRejects(() => call, Deno.errors.NotConnected));
  await source.received("RETR");
  await ftp.connect(other.host, other.port);
  gate.resolve(); // only now the copy is over, and the login's turn
  await Promise.all(calls);
  await ftp.login("third", "secret");
  assertEquals(other.commands, ["USER third", "PASS secret"]);
});

Deno.test("FTP.walk does not continue as another user, or elsewhere", async () => {
  for (const [how, end] of ENDS.slice(3)) {
    await using server = await memoryServer({ "/d/a": "a", "/e/b": "b" });
    await using other = await memoryServer({ "/d/x": "x", "/e/y": "y" });
    await using ftp = await server.client();
    const walk = ftp.walk("/");
    await walk.next();
    await end(ftp, other);
    await assertRejects(
      () => Array.fromAsync(walk),
      Deno.errors.NotConnected,
      undefined,
      how,
    );
    assert(!other.verbs.includes("MLSD"));
  }
});

Deno.test("FTP.remove does not continue as another user", async () => {
  await using server = await memoryServer({ "/top/a": "a", "/top/d/b": "b" });
  await using ftp = await server.client();
  const { promise: login, resolve } = Promise.withResolvers<unknown>();
  server.once("MLSD", async (turn) => {
    resolve(ftp.login("another", "secret"));
    await turn.default();
  });
  await assertRejects(
    () => ftp.remove("/top", { recursive: true }),
    Deno.errors.NotConnected,
    "the connection belongs to another user",
  );
  await login;
  assertEquals(await ftp.pwd(), "/");
  const since = server.commands.lastIndexOf("USER another");
  assert(!server.verbs.slice(since).includes("DELE"));
  assertEquals([...server.files.keys()], ["/top/a", "/top/d/b"]);
});

Deno.test("FTP.remove works as the user who is logged in when its turn comes", async () => {
  await using server = await memoryServer({ "/top/a": "a", "/b": "b" });
  await using ftp = await server.client();
  const calls = [
    ftp.remove("/b"),
    ftp.login("another", "secret"),
    ftp.remove("/top", { recursive: true }),
  ];
  await Promise.all(calls);
  const removed = server.commands.filter((line) => /^(USER|DELE)/.test(line));
  assertEquals(removed.slice(1), [
    "DELE /b",
    "USER another",
    "DELE /top",
    "DELE /top/a",
  ]);
});

Deno.test("FTP.walk begins on the connection that is there when it is read", async () => {
  await using server = await memoryServer({ "/d/a": "a" });
  await using other = await memoryServer({ "/x": "x" });
  await using ftp = await server.client();
  const walk = ftp.walk("/");
  await ftp.connect(other.host, other.port);
  await ftp.login("user", "secret");
  assertEquals((await Array.fromAsync(walk)).map(({ path }) => path), ["/x"]);
});

Deno.test("FTP.login as the same user ends nothing", async () => {
  await using server = await memoryServer();
  server.once("STOR", "450 Busy");
  await using ftp = await server.client();
  let login: Promise<unknown> | undefined;
  const job = ftp.upload(bytes("x"), "/a", {
    retry: { delay: 1 },
    onRetry: () => login = ftp.login("user", "secret"),
  });
  await job;
  await login;
  assertEquals(server.text("/a"), "x");
});

Deno.test("FTP.login as another user is refused while a transfer is open, which continues", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  const login = Promise.withResolvers<unknown>();
  server.once("STOR", async (turn) => {
    await turn.reply(150, "Send");
    const data = await turn.openData();
    ftp.login("another", "secret").catch(login.resolve);
    assert(await login.promise instanceof Deno.errors.Busy);
    server.put(turn.argument, await data.readAll());
    data.close();
    await turn.reply(226, "Done");
  });
  const opened = Promise.withResolvers<void>();
  await ftp.upload(
    async function* () {
      await login.promise;
      yield bytes("x");
      opened.resolve();
    }(),
    "/a",
  );
  await opened.promise;
  assertEquals(server.text("/a"), "x");
});

Deno.test("FTP.login as another user that fails leaves no user to reconnect as", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  server.once("PASS", "530 No");
  await assertRejects(() => ftp.login("another", "wrong"));
  await assertRejects(
    () => ftp.reconnect(),
    Deno.errors.NotConnected,
    "no user is logged in",
  );
});

Deno.test("FTP.uploadDir closes its further connections when its client is closed", async () => {
  await using server = await memoryServer();
  using folder = new LocalFolder();
  for (let i = 0; i < 4; i++) Deno.writeTextFileSync(`${folder.path}/${i}`, "");
  server.on("STOR", "450 Busy");
  await using ftp = await server.client();
  const { options, waiting } = longRetries(3);
  const job = assertRejects(
    () => ftp.uploadDir(folder.path, "/", { ...options, connections: 3 }),
    Deno.errors.NotConnected,
    "Cannot continue: the connection was closed here: close() was called",
  );
  await waiting;
  ftp.close();
  await job;
  assertEquals(server.sessions.length, 3);
  await Promise.all(server.sessions.map(({ peer }) => peer.closed));
});

Deno.test("FTP.clone returns a client whose calls outlive the first client, once it is open", async () => {
  await using server = await memoryServer();
  const ftp = await server.client();
  await using clone = await ftp.clone();
  server.once("STOR", "450 Busy");
  let isAgain = false;
  const job = clone.upload(bytes("x"), "/a", {
    retry: { delay: 1 },
    onRetry: () => {
      ftp.close();
      isAgain = true;
    },
  });
  await job;
  assertEquals([isAgain, server.text("/a")], [true, "x"]);
  const { due, left } = silence(server);
  const third = assertRejects(() => clone.clone(), Deno.errors.NotConnected);
  await due;
  clone.close();
  await third;
  await left;
});

/** Calls that wait for their turn. */
const QUEUED: [
  name: string,
  run: (ftp: FTP, path: string, signal: AbortSignal) => Promise<unknown>,
][] = [
  ["download", (f, path, signal) => f.download("/a", path, { signal })],
  ["upload", (f, path, signal) => f.upload(path, "/b", { signal })],
];

for (const [name, run] of QUEUED) {
  Deno.test(`FTP.${name} is aborted while another one has the turn`, async () => {
    await using server = await memoryServer({ "/a": "a" });
    using folder = new LocalFolder();
    await Deno.writeTextFile(`${folder.path}/b`, "b");
    await using ftp = await server.client();
    server.on("RETR", "450 Busy");
    const { options, waiting } = longRetries();
    const first = ftp.download("/a", `${folder.path}/a`, options);
    first.catch(() => {});
    await waiting;
    const reason = new Error("enough");
    const controller = new AbortController();
    const second = run(ftp, `${folder.path}/b`, controller.signal);
    controller.abort(reason);
    assertEquals(await second.catch((error) => error), reason);
    ftp.close();
    await assertRejects(() => first, Deno.errors.NotConnected);
  });
}

Deno.test("FTP.walk is aborted while a download has the turn to come back", async () => {
  await using server = await memoryServer({ "/d/a": "a" });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  server.on("RETR", "450 Busy");
  const { options, waiting } = longRetries();
  const first = ftp.download("/d/a", `${folder.path}/a`, options);
  first.catch(() => {});
  await waiting;
  const controller = new AbortController();
  const reason = new Error("enough");
  server.once("MLSD", (turn) => {
    turn.server.sessions[0]!.peer.closed.then(() => controller.abort(reason));
    turn.reset();
  });
  const walking = Array.fromAsync(ftp.walk("/", controller));
  assertEquals(await walking.catch((error) => error), reason);
  ftp.close();
  await assertRejects(() => first, Deno.errors.NotConnected);
});
