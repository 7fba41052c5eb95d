import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  type DownloadOptions,
  FTPPermanentError,
  FTPUnconfirmedError,
  FTPVerificationError,
  type Progress,
  type RetryEvent,
} from "../../../mod.ts";
import { logIn, makeData } from "../../real/client.ts";
import { serverTest } from "../../testing/servers/mod.ts";
import type { Turn } from "../../testing/scripted/mod.ts";
import { LocalFolder } from "../local_folder.ts";
import { memoryServer } from "../../testing/memory_server.ts";

const DATA = makeData(3_000_000);
const QUICK: DownloadOptions = { retry: { delay: 1 } };

serverTest(
  "FTP.download makes a local file, with the time of the remote one",
  async (server) => {
    await server.write("dir/data", DATA);
    Deno.utimeSync(`${server.root}/dir/data`, 1e9, 1e9);
    using folder = new LocalFolder();
    await using ftp = await logIn(server);
    const result = await ftp.download("dir/data", folder.at("copy"));
    assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
    assertEquals(Deno.statSync(folder.at("copy")).mtime, new Date(1e12));
    assertEquals(folder.names(), ["copy"]);
    assertEquals(result, {
      size: DATA.length,
      bytes: DATA.length,
      verified: "size",
      mtime: new Date(1e12),
      retries: 0,
    });
    await ftp.download("dir/data", folder.at("copy"), { mtime: false });
    assertEquals(
      Deno.statSync(folder.at("copy")).mtime?.getTime() === 1e12,
      false,
    );
  },
);

serverTest(
  "FTP.download replaces a file and keeps its mode",
  async (server) => {
    await server.write("data", DATA);
    await server.write("empty", "");
    using folder = new LocalFolder();
    await using ftp = await logIn(server);
    Deno.writeTextFileSync(folder.at("copy"), "old", { mode: 0o600 });
    await ftp.download("data", folder.at("copy"));
    assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
    assertEquals(Deno.statSync(folder.at("copy")).mode! & 0o777, 0o600);
    await ftp.download("empty", folder.at("copy"));
    assertEquals(Deno.statSync(folder.at("copy")).size, 0);
    Deno.symlinkSync("copy", folder.at("link"));
    await ftp.download("data", folder.at("link"));
    assertEquals(Deno.lstatSync(folder.at("link")).isSymlink, true);
    assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
  },
);

serverTest(
  "FTP.download keeps the old file if it fails",
  async (server) => {
    using folder = new LocalFolder();
    await using ftp = await logIn(server);
    Deno.writeTextFileSync(folder.at("copy"), "old");
    let retries = 0;
    await assertRejects(
      () =>
        ftp.download("nothing", folder.at("copy"), {
          onRetry: () => retries++,
        }),
      FTPPermanentError,
      "550",
    );
    assertEquals(Deno.readTextFileSync(folder.at("copy")), "old");
    assertEquals(folder.names(), ["copy"]);
    assertEquals(retries, 0);
  },
);

serverTest(
  "FTP.download verifies by the server's best hash",
  async (server) => {
    await server.write("a file", DATA);
    using folder = new LocalFolder();
    await using ftp = await logIn(server);
    const { verified } = await ftp.download("a file", folder.at("copy"), {
      verify: "hash",
    });
    const hasHash = server.features.hashes.length > 0;
    assertEquals(verified, hasHash ? "SHA-256" : "size");
  },
);

serverTest(
  "FTP.download calls that are made at once take turns",
  async (server) => {
    using folder = new LocalFolder();
    const names = Array.from({ length: 20 }, (_, i) => `file ${i}`);
    for (const name of names) await server.write(name, name);
    await using ftp = await logIn(server);
    await Promise.all(names.map((name) => ftp.download(name, folder.at(name))));
    for (const name of names) {
      assertEquals(Deno.readTextFileSync(folder.at(name)), name);
    }
  },
);

serverTest("FTP.download stops when its signal aborts", async (server) => {
  await server.write("big", makeData(20_000_000));
  await server.write("small", "small");
  using folder = new LocalFolder();
  await using ftp = await logIn(server);
  const controller = new AbortController();
  const reason = new Error("Enough");
  const error = await assertRejects(() =>
    ftp.download("big", folder.at("copy"), {
      signal: controller.signal,
      progressRate: 1e6,
      onProgress: () => controller.abort(reason),
    })
  );
  assertEquals(error, reason);
  assertEquals(folder.names(), []);
  await ftp.download("small", folder.at("copy"));
});

serverTest("FTP.download survives its server", async (server) => {
  await server.write("big", makeData(20_000_000));
  using folder = new LocalFolder();
  await using ftp = await logIn(server);
  let isFirst = true;
  const error = await assertRejects(() =>
    ftp.download("big", folder.at("copy"), {
      retry: { attempts: 2, delay: 1 },
      progressRate: 1e6,
      onProgress() {
        if (isFirst) server.kill();
        isFirst = false;
      },
    })
  );
  assertInstanceOf(error, Error);
  assertEquals(folder.names(), []);
});

serverTest(
  "FTP.download sends NOOPs, and waits for their replies",
  async (server) => {
    await server.write("data", DATA);
    using folder = new LocalFolder();
    const sent: string[] = [];
    await using ftp = await logIn(server, {
      trace: ({ direction, text }) => direction === "sent" && sent.push(text),
    });
    for (let round = 0; round < 2; round++) {
      await ftp.download("data", folder.at("copy"), {
        keepAlive: 20,
        maxRate: 12_000_000,
      });
      assertEquals(await ftp.size("data"), DATA.length);
      assertEquals(await ftp.pwd(), "/");
    }
    assertEquals(ftp.connected, true);
    assertEquals(sent.includes("NOOP"), true);
  },
);

/** Sends some bytes and breaks the data connection. */
function breakAfter(length: number): (turn: Turn) => Promise<void> {
  return async (turn) => {
    const { restart } = turn.session;
    turn.session.restart = 0;
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(DATA.subarray(restart, restart + length));
    data.close();
    await data.closed;
    await turn.reply(426, "Connection broken");
  };
}

/** Sends some bytes and closes both connections. */
function vanishAfter(length: number): (turn: Turn) => Promise<void> {
  return async (turn) => {
    const { restart } = turn.session;
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(DATA.subarray(restart, restart + length));
    data.close();
    await data.closed;
    turn.close();
  };
}

Deno.test("FTP.download continues where the connection broke", async () => {
  await using server = await memoryServer({ "/pub/data": DATA });
  server.once("RETR", vanishAfter(1_000_000));
  server.once("RETR", breakAfter(500_000));
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await ftp.cwd("pub");
  const events: RetryEvent[] = [];
  const result = await ftp.download("data", folder.at("copy"), {
    ...QUICK,
    onRetry: (event) => events.push(event),
  });
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
  assertEquals(result.retries, 2);
  assertEquals(events[0]!.transferred, 1_000_000);
  assertEquals(server.sessions.length, 2);
  assertEquals(result.bytes < DATA.length + 3 * 65_536, true);
  const offsets = server.commands.filter((line) => line.startsWith("REST"));
  assertEquals(offsets[0], `REST ${1_000_000 - 65_536}`);
  assertEquals(server.commands.filter((line) => line === "CWD pub").length, 2);
});

Deno.test("FTP.download starts over when the file has changed meanwhile", async () => {
  await using server = await memoryServer({ "/data": DATA });
  const other = makeData(2_000_000, 7);
  server.once("RETR", async (turn) => {
    await vanishAfter(1_000_000)(turn);
    server.put("/data", other);
  });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await ftp.download("data", folder.at("copy"), QUICK);
  assertEquals(Deno.readFileSync(folder.at("copy")), other);
  assertEquals(server.commands.some((line) => line.startsWith("REST")), false);
});

Deno.test("FTP.download starts over when the end of its part is not the same", async () => {
  await using server = await memoryServer({ "/data": DATA });
  const other = makeData(DATA.length, 7); // same size, same time
  server.once("RETR", async (turn) => {
    await vanishAfter(1_000_000)(turn);
    server.put("/data", other);
  });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await ftp.download("data", folder.at("copy"), QUICK);
  assertEquals(Deno.readFileSync(folder.at("copy")), other);
});

Deno.test("FTP.download starts over where REST is unknown", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.once("RETR", breakAfter(1_000_000));
  server.on("REST", "502 No REST");
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await ftp.download("data", folder.at("copy"), QUICK);
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
});

Deno.test("FTP.download starts over where the server says that it restarts elsewhere", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.once("RETR", breakAfter(1_000_000));
  server.on("REST", async (turn) => {
    turn.session.restart = Number(turn.argument) % 4096;
    await turn.reply(350, `Restarting at ${turn.session.restart}`);
  });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const { retries } = await ftp.download("data", folder.at("copy"), QUICK);
  assertEquals(retries, 1);
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
});

Deno.test("FTP.download starts over where REST is answered 350 and the RETR behind it is refused", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.once("RETR", breakAfter(1_000_000));
  server.on("RETR", async (turn) => {
    if (turn.session.restart === 0) return await turn.default();
    await turn.reply(451, "data: Restart not permitted, try again");
  });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const { retries } = await ftp.download("data", folder.at("copy"), QUICK);
  assertEquals(retries, 1);
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
});

Deno.test("FTP.download is not fooled by a server that says 226 too soon", async () => {
  await using server = await memoryServer({ "/data": DATA });
  const early = async (turn: Turn) => {
    const { restart } = turn.session;
    turn.session.restart = 0;
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(DATA.subarray(restart, 1_000_000));
    data.close();
    await data.closed;
    await turn.reply(226, "Done");
  };
  using folder = new LocalFolder();
  await using ftp = await server.client();
  server.once("RETR", early);
  await ftp.download("data", folder.at("copy"), QUICK);
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);

  server.on("RETR", early);
  const error = await assertRejects(
    () => ftp.download("data", folder.at("copy"), { retry: false }),
    FTPVerificationError,
  );
  assertEquals([error.what, error.expected, error.actual], [
    "size",
    DATA.length,
    1_000_000,
  ]);
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
  assertEquals(folder.names(), ["copy"]);
});

Deno.test("FTP.download tells when all bytes came but not the server's word", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.on("RETR", vanishAfter(DATA.length));
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const error = await assertRejects(
    () => ftp.download("data", folder.at("copy"), { retry: false }),
    FTPUnconfirmedError,
  );
  assertEquals([error.bytes, error.size], [DATA.length, DATA.length]);
  assertEquals(error.command, "RETR data");
  assertEquals(folder.names(), []);
});

Deno.test("FTP.download asks again for the last bytes when the server's word was lost", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.once("RETR", vanishAfter(DATA.length));
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const result = await ftp.download("data", folder.at("copy"), QUICK);
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
  assertEquals(result.bytes, DATA.length);
});

Deno.test("FTP.download resumes what an earlier call left", async () => {
  await using server = await memoryServer({
    "/data": DATA,
    "/other": makeData(DATA.length, 3),
  });
  using folder = new LocalFolder();
  const once: DownloadOptions = { resume: true, retry: false };
  await using ftp = await server.client();
  server.once("RETR", breakAfter(2_000_000));
  await assertRejects(() => ftp.download("data", folder.at("copy"), once));
  assertEquals(folder.names().length, 1);
  assertEquals(
    /^\.copy\.resume-[0-9a-f]{16}\.part$/.test(folder.names()[0]!),
    true,
  );

  await ftp.download("other", folder.at("copy"), once);
  assertEquals(
    Deno.readFileSync(folder.at("copy")),
    server.files.get("/other"),
  );
  assertEquals(folder.names(), ["copy"]); // and the part of the other file is gone

  server.once("RETR", breakAfter(2_000_000));
  await assertRejects(() => ftp.download("data", folder.at("copy"), once));
  const { bytes } = await ftp.download("data", folder.at("copy"), once);
  assertEquals(bytes, 1_000_000);
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
  assertEquals(folder.names(), ["copy"]);
});

Deno.test("FTP.download does not trust a part that was damaged", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  const once: DownloadOptions = { resume: true, retry: false };
  await using ftp = await server.client();
  server.once("RETR", breakAfter(2_000_000));
  await assertRejects(() => ftp.download("data", folder.at("copy"), once));
  const part = folder.at(folder.names()[0]!);
  const damaged = Deno.readFileSync(part);
  damaged[damaged.length - 5]! ^= 1;
  Deno.writeFileSync(part, damaged);
  await ftp.download("data", folder.at("copy"), once);
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
});

Deno.test("FTP.download writes to a device without replacing it", async () => {
  await using server = await memoryServer({ "/data": DATA });
  await using ftp = await server.client();
  await ftp.download("data", "/dev/null");
  assertEquals(Deno.statSync("/dev/null").isCharDevice, true);
});

Deno.test("FTP.download refuses a folder as its target before it asks for anything", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.download("data", folder.path),
    Deno.errors.IsADirectory,
  );
  await assertRejects(
    () => ftp.download("data", folder.at("no/such/folder")),
    Deno.errors.NotFound,
  );
  assertEquals(server.commands.some((line) => line.startsWith("RETR")), false);
});

Deno.test("FTP.download recovers from what passes and from nothing else", async (context) => {
  const cases: [reply: string, isRecovered: boolean][] = [
    ["421 Too many", true],
    ["425 No data connection", true],
    ["450 Busy", true],
    ["451 Local error", true],
    ["550 Not found", false],
    ["553 Not allowed", false],
    ["530 Not logged in", false],
    ["452 No space", false],
  ];
  for (const [reply, isRecovered] of cases) {
    await context.step(reply, async () => {
      await using server = await memoryServer({ "/data": "data" });
      server.once("RETR", reply);
      using folder = new LocalFolder();
      await using ftp = await server.client();
      const downloading = ftp.download("data", folder.at("copy"), QUICK);
      if (isRecovered) assertEquals((await downloading).retries, 1);
      else await assertRejects(() => downloading, Error, reply.slice(0, 3));
    });
  }
});

Deno.test("FTP.download waits where its lost connection still counts", async () => {
  await using server = await memoryServer({ "/data": "data" });
  server.once("RETR", (turn) => turn.reset());
  using folder = new LocalFolder();
  await using ftp = await server.client();
  // ProFTPD's words; the next login is let in
  server.once(
    "PASS",
    "530 Sorry, the maximum number of clients (1) for this user are already connected.",
  );
  const { retries } = await ftp.download("data", folder.at("copy"), QUICK);
  assertEquals(retries, 2);
  assertEquals(Deno.readTextFileSync(folder.at("copy")), "data");
});

Deno.test("FTP.download gives up after so many attempts, and waits in between", async () => {
  await using server = await memoryServer({ "/data": "data" });
  server.on("RETR", "450 Busy");
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const delays: number[] = [];
  await assertRejects(
    () =>
      ftp.download("data", folder.at("copy"), {
        retry: { attempts: 4, delay: 8, maxDelay: 20 },
        onRetry: ({ delay, attempt }) => {
          delays.push(delay);
          assertEquals(attempt, delays.length);
        },
      }),
    Error,
    "450 Busy",
  );
  assertEquals(delays.length, 4);
  for (const [index, longest] of [8, 16, 20, 20].entries()) {
    assertEquals(
      delays[index]! >= longest / 2 && delays[index]! <= longest,
      true,
    );
  }
});

Deno.test("FTP.download does not come back after close()", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    await turn.openData();
    ftp.close();
  });
  await assertRejects(() => ftp.download("data", folder.at("copy"), QUICK));
  assertEquals(server.sessions.length, 1);
  assertEquals(folder.names(), []);
});

Deno.test("FTP.download tells its progress, and at least once", async () => {
  await using server = await memoryServer({ "/data": DATA, "/empty": "" });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const seen: Progress[] = [];
  const start = performance.now();
  await ftp.download("data", folder.at("copy"), {
    maxRate: 10_000_000,
    progressRate: 50,
    onProgress: (progress) => seen.push(progress),
  });
  // 50 a second, and the last one
  const most = 2 + (performance.now() - start) * 50 / 1000;
  assertEquals(seen.length > 3 && seen.length < most, true, `${seen.length}`);
  assertEquals(seen.at(-1)!.transferred, DATA.length);
  assertEquals(seen.map(({ done }) => done).indexOf(true), seen.length - 1);
  assertEquals(seen.every(({ total }) => total === DATA.length), true);
  seen.length = 0;
  await ftp.download("empty", folder.at("copy"), {
    onProgress: (progress) => seen.push(progress),
  });
  assertEquals(seen.length, 1);
  assertEquals({ ...seen[0], rate: 0 }, {
    transferred: 0,
    total: 0,
    rate: 0,
    eta: 0,
    done: true,
  });
});

Deno.test("FTP.download throws what onProgress throws and does not try again", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const fault = new Error("In the callback");
  const error = await assertRejects(() =>
    ftp.download("data", folder.at("copy"), {
      ...QUICK,
      progressRate: 1e6,
      onProgress() {
        throw fault;
      },
    })
  );
  assertEquals(error, fault);
  assertEquals(server.sessions.length, 1);
  assertEquals(folder.names(), []);
});

Deno.test("FTP.download does not exceed maxRate", async () => {
  await using server = await memoryServer({
    "/data": DATA.subarray(0, 1_000_000),
  });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const start = performance.now();
  await ftp.download("data", folder.at("copy"), { maxRate: 4_000_000 });
  const elapsed = performance.now() - start;
  assertEquals(elapsed > 140 && elapsed < 600, true, `${elapsed} ms`);
});
