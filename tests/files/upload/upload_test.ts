import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  type FTP,
  FTPPermanentError,
  FTPUnconfirmedError,
  FTPVerificationError,
  type RetryEvent,
  type UploadOptions,
} from "../../../mod.ts";
import { bytes, logIn, makeData, text } from "../../real/client.ts";
import type { Turn } from "../../testing/scripted/mod.ts";
import { type RealServer, serverTest } from "../../testing/servers/mod.ts";
import { LocalFolder, namesIn } from "../local_folder.ts";
import { memoryServer } from "../../testing/memory_server.ts";

const DATA = makeData(3_000_000);
const QUICK: UploadOptions = { retry: { delay: 1 } };

serverTest(
  "FTP.upload makes a remote file, with the time of the local one",
  async (server) => {
    using folder = new LocalFolder();
    Deno.writeFileSync(folder.at("local"), DATA);
    Deno.utimeSync(folder.at("local"), 1e9, 1e9);
    await server.mkdir("dir");
    await using ftp = await logIn(server);
    const result = await ftp.upload(folder.at("local"), "dir/remote file");
    assertEquals(await server.read("dir/remote file"), DATA);
    assertEquals(namesIn(`${server.root}/dir`), ["remote file"]);
    assertEquals([result.size, result.verified, result.retries], [
      DATA.length,
      "size",
      0,
    ]);
    if (server.features.mfmt || server.name === "vsftpd") {
      assertEquals(result.mtime, new Date(1e12));
      assertEquals(
        Deno.statSync(`${server.root}/dir/remote file`).mtime,
        new Date(1e12),
      );
    }
  },
);

serverTest("FTP.upload replaces a file", async (server) => {
  await server.write("remote", "old");
  await using ftp = await logIn(server);
  await ftp.upload(bytes("new"), "remote");
  assertEquals(text(await server.read("remote")), "new");
  await ftp.upload(new Blob([]), "/remote");
  assertEquals(text(await server.read("remote")), "");
  await ftp.upload(
    ReadableStream.from([bytes("a "), bytes("stream")]),
    "remote",
    {
      verify: "hash",
    },
  );
  assertEquals(text(await server.read("remote")), "a stream");
  assertEquals(namesIn(server.root), ["remote"]);
});

serverTest("FTP.upload verifies by the server's best hash", async (server) => {
  using folder = new LocalFolder();
  Deno.writeFileSync(folder.at("local"), DATA);
  await using ftp = await logIn(server);
  const { verified } = await ftp.upload(folder.at("local"), "remote", {
    verify: "hash",
  });
  assertEquals(
    verified,
    server.features.hashes.length > 0 ? "SHA-256" : "size",
  );
});

serverTest(
  "FTP.upload keeps the old file if its source fails",
  async (server) => {
    await server.write("remote", "old");
    await using ftp = await logIn(server);
    const fault = new Error("The source broke");
    const source = (function* () {
      yield DATA;
      throw fault;
    })();
    assertEquals(
      await assertRejects(() => ftp.upload(source, "remote")),
      fault,
    );
    assertEquals(text(await server.read("remote")), "old");
    assertEquals(namesIn(server.root), ["remote"]);
    await assertRejects(
      () => ftp.upload("/no/such/file", "remote"),
      Deno.errors.NotFound,
    );
  },
);

serverTest(
  "FTP.upload keeps the old file if the disk is full",
  async (server) => {
    await server.write("remote", "old");
    await using ftp = await logIn(server);
    await assertRejects(() => ftp.upload(DATA, "remote", { retry: false }));
    assertEquals(text(await server.read("remote")), "old");
  },
  { maxFileSize: 1_000_000 },
);

serverTest("FTP.upload stops when its signal aborts", async (server) => {
  await server.write("remote", "old");
  await using ftp = await logIn(server);
  const controller = new AbortController();
  const reason = new Error("Enough");
  const error = await assertRejects(() =>
    ftp.upload(makeData(20_000_000), "remote", {
      signal: controller.signal,
      progressRate: 1e6,
      onProgress: () => controller.abort(reason),
    })
  );
  assertEquals(error, reason);
  assertEquals(text(await server.read("remote")), "old");
  assertEquals(namesIn(server.root), ["remote"]);
  await ftp.upload(bytes("new"), "remote");
  assertEquals(text(await server.read("remote")), "new");
});

serverTest("FTP.upload with atomic false writes in place", async (server) => {
  await using ftp = await logIn(server);
  await ftp.upload(DATA, "remote", { atomic: false });
  assertEquals(await server.read("remote"), DATA);
});

serverTest(
  "FTP.upload sends NOOPs, and waits for their replies",
  async (server) => {
    await using ftp = await logIn(server);
    for (let round = 0; round < 2; round++) {
      await ftp.upload(DATA, "remote", { keepAlive: 20, maxRate: 12_000_000 });
      assertEquals(await ftp.size("remote"), DATA.length);
      assertEquals(await ftp.pwd(), "/");
    }
    assertEquals(ftp.connected, true);
  },
);

/** Uploads most of a file, and leaves the part on the server. */
async function leavePart(
  ftp: FTP,
  server: RealServer,
  local: string,
): Promise<{ part: string; size: number }> {
  const controller = new AbortController();
  await assertRejects(() =>
    ftp.upload(local, "remote", {
      resume: true,
      signal: controller.signal,
      progressRate: 1e6,
      onProgress: ({ transferred }) =>
        transferred > 15_000_000 && controller.abort(),
    })
  );
  const [part] = namesIn(server.root);
  assertMatch(part!, /^\.remote\.resume-[0-9a-f]{16}\.part$/);
  return { part: part!, size: Deno.statSync(`${server.root}/${part}`).size };
}

serverTest("FTP.upload resumes what an earlier call left", async (server) => {
  using folder = new LocalFolder();
  const data = makeData(20_000_000);
  Deno.writeFileSync(folder.at("local"), data);
  await using ftp = await logIn(server);
  const { size } = await leavePart(ftp, server, folder.at("local"));
  const { bytes } = await ftp.upload(folder.at("local"), "remote", {
    resume: true,
  });
  assertEquals(await server.read("remote"), data);
  assertEquals(namesIn(server.root), ["remote"]);
  assertEquals(bytes, data.length - size + 65_536);
}, { needs: (features) => features.resumeUpload });

serverTest(
  "FTP.upload does not trust a part that was damaged",
  async (server) => {
    using folder = new LocalFolder();
    const data = makeData(20_000_000);
    Deno.writeFileSync(folder.at("local"), data);
    await using ftp = await logIn(server);
    const { part } = await leavePart(ftp, server, folder.at("local"));
    const damaged = await server.read(part);
    damaged[damaged.length - 5]! ^= 1;
    await server.write(part, damaged);
    const { bytes } = await ftp.upload(folder.at("local"), "remote", {
      resume: true,
    });
    assertEquals(await server.read("remote"), data);
    assertEquals(bytes, data.length);
  },
  { needs: (features) => features.resumeUpload },
);

/** Takes some bytes, keeps them, and closes both connections. */
function vanishAfter(length: number): (turn: Turn) => Promise<void> {
  return async (turn) => {
    const path = `/${turn.argument}`;
    const { restart } = turn.session;
    await turn.reply(150, "Send it");
    const data = await turn.openData();
    const before = turn.server.files.get(path)?.subarray(0, restart) ??
      new Uint8Array();
    const taken: Uint8Array[] = [before];
    let count = 0;
    while (count < length) {
      const chunk = await data.read();
      if (chunk === null) break;
      taken.push(chunk.subarray(0, length - count));
      count += chunk.length;
    }
    turn.server.put(path, await new Blob(taken as BlobPart[]).bytes());
    data.reset();
    turn.close();
  };
}

Deno.test("FTP.upload continues where the connection broke, by REST and STOR", async () => {
  await using server = await memoryServer();
  server.once("STOR", vanishAfter(1_000_000));
  await using ftp = await server.client();
  const events: RetryEvent[] = [];
  const result = await ftp.upload(DATA, "data", {
    ...QUICK,
    onRetry: (event) => events.push(event),
  });
  assertEquals(server.files.get("/data"), DATA);
  assertEquals([...server.files.keys()], ["/data"]);
  assertEquals(result.retries, 1);
  const rests = server.commands.filter((line) => line.startsWith("REST"));
  const start = 1_000_000 - 65_536;
  assertEquals(rests, [
    `REST ${start}`,
    `REST ${start - 65_536}`, // a look at what is before and behind it
    `REST ${start}`,
  ]);
});

for (const beginning of ["zeros", "cut"] as const) {
  Deno.test(`FTP.upload is not fooled by a server that empties the file before it writes at an offset (${beginning})`, async () => {
    await using server = await memoryServer();
    server.once("STOR", vanishAfter(1_000_000));
    server.on("STOR", (turn) => {
      const path = `/${turn.argument}`;
      const { restart } = turn.session;
      if (restart > 0) {
        server.put(path, new Uint8Array(beginning === "zeros" ? restart : 0));
      }
      return turn.default();
    });
    await using ftp = await server.client();
    const { retries } = await ftp.upload(DATA, "data", QUICK);
    assertEquals(server.files.get("/data"), DATA);
    assertEquals(retries, 1);
    const rests = server.commands.filter((line) => line.startsWith("REST"));
    assertEquals(rests.length, 2);
  });
}

Deno.test("FTP.upload sends all again where a part cannot be read", async () => {
  await using server = await memoryServer();
  server.once("STOR", vanishAfter(1_000_000));
  server.on("RETR", "550 Write only");
  await using ftp = await server.client();
  await ftp.upload(DATA, "data", QUICK);
  assertEquals(server.files.get("/data"), DATA);
  const stored = server.commands.filter((line) => line.startsWith("STOR"));
  assertEquals(stored.length, 3); // what was cut, its end, and the whole
});

Deno.test("FTP.upload continues by APPE if REST is unknown", async () => {
  await using server = await memoryServer();
  server.once("STOR", vanishAfter(1_000_000));
  server.on("REST", "502 No REST");
  await using ftp = await server.client();
  await ftp.upload(DATA, "data", QUICK);
  assertEquals(server.files.get("/data"), DATA);
  assertEquals(server.commands.some((line) => line.startsWith("APPE")), true);
});

Deno.test("FTP.upload is not fooled by a server that ignores REST", async () => {
  await using server = await memoryServer();
  server.once("STOR", vanishAfter(1_000_000));
  server.on("REST", "350 As you like");
  await using ftp = await server.client();
  const result = await ftp.upload(DATA, "data", QUICK);
  assertEquals(server.files.get("/data"), DATA);
  assertEquals(result.retries, 1);
});

Deno.test("FTP.upload sends nothing after a REST that the server confirms with another offset", async () => {
  await using server = await memoryServer();
  server.once("STOR", vanishAfter(1_000_000));
  server.on("REST", async (turn) => {
    turn.session.restart = Number(turn.argument) % 4096;
    await turn.reply(350, `Restarting at ${turn.session.restart}`);
  });
  await using ftp = await server.client();
  const result = await ftp.upload(DATA, "data", QUICK);
  assertEquals(server.files.get("/data"), DATA);
  assertEquals(result.retries, 1);
});

Deno.test("FTP.upload removes its temporary file over another connection, although something was sent by hand", async () => {
  await using server = await memoryServer({ "/data": DATA.subarray(0, 5) });
  server.on("SITE", "200 Done").on("STOR", async (turn) => {
    await turn.reply(150, "Send it");
    const data = await turn.openData();
    turn.server.put(`/${turn.argument}`, DATA.subarray(0, 9));
    data.reset();
    await turn.session.peer.closed; // and nothing is said of it
  });
  await using ftp = await server.client({ timeout: 1000 });
  await ftp.sendcmd("SITE EXEC setup");
  await assertRejects(() => ftp.upload(DATA, "data", { retry: false }));
  assertEquals([...server.files.keys()], ["/data"]);
  assertEquals(server.files.get("/data"), DATA.subarray(0, 5));
});

Deno.test("FTP.upload asks SIZE when the server's word was lost", async () => {
  await using server = await memoryServer();
  server.once("STOR", vanishAfter(DATA.length));
  await using ftp = await server.client();
  const result = await ftp.upload(DATA, "data", QUICK);
  assertEquals(server.files.get("/data"), DATA);
  assertEquals(result.bytes, DATA.length);
  assertEquals(
    server.commands.filter((line) => line.startsWith("STOR")).length,
    1,
  );
});

Deno.test("FTP.upload tells when all bytes went but no word came", async () => {
  await using server = await memoryServer();
  server.on("STOR", async (turn) => {
    await turn.reply(150, "Send it");
    const data = await turn.openData();
    await data.readAll();
    data.close();
    turn.close();
  });
  await using ftp = await server.client();
  const error = await assertRejects(
    () => ftp.upload(DATA, "data", { retry: false }),
    FTPUnconfirmedError,
  );
  assertEquals([error.bytes, error.size], [DATA.length, DATA.length]);
});

Deno.test("FTP.upload does not wait forever while NOOPs are answered", async () => {
  await using server = await memoryServer();
  server.on("STOR", async (turn) => {
    await turn.reply(150, "Send it");
    await turn.openData(); // and never says that it is complete
  });
  await using ftp = await server.client({ timeout: 200 });
  await assertRejects(
    () =>
      ftp.upload(DATA.subarray(0, 10), "data", { keepAlive: 5, retry: false }),
    FTPUnconfirmedError,
  );
});

Deno.test("FTP.upload detects a completed rename whose reply was lost", async () => {
  await using server = await memoryServer({ "/data": "old" });
  server.once("RNTO", async (turn) => {
    const from = turn.session.renameFrom!;
    turn.server.put("/data", turn.server.files.get(from)!);
    turn.server.files.delete(from);
    await Promise.resolve();
    turn.close();
  });
  await using ftp = await server.client();
  await ftp.upload(DATA, "data", QUICK);
  assertEquals(server.files.get("/data"), DATA);
  assertEquals([...server.files.keys()], ["/data"]);
});

Deno.test("FTP.upload does not take an old file of the same size for its own", async () => {
  const old = DATA.map((byte) => byte ^ 1);
  await using server = await memoryServer({});
  server.put("/data", old);
  server.once("RNTO", async (turn) => {
    // ProFTPD obeys half a command when the connection ends: it went elsewhere
    turn.server.files.delete(turn.session.renameFrom!);
    await Promise.resolve();
    turn.close();
  });
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.upload(DATA, "data", QUICK),
    FTPPermanentError,
    'Cannot put the upload in place as "data"',
  );
  assertEquals(server.files.get("/data"), old);
});

Deno.test("FTP.upload keeps the old file where the server refuses to rename over it", async () => {
  await using server = await memoryServer({ "/data": "old" });
  server.on("RNTO", async (turn) => {
    if (turn.server.files.has(`/${turn.argument}`)) {
      await turn.reply(550, "It exists");
    } else await turn.default();
  });
  await using ftp = await server.client();
  const error = await assertRejects(
    () => ftp.upload(DATA, "data", QUICK),
    FTPPermanentError,
    'replace: "delete"',
  );
  assertEquals(error.reply?.code, 550);
  assertEquals([...server.files.keys()], ["/data"]);
  assertEquals(server.text("/data"), "old");
  await ftp.upload(DATA, "data", { ...QUICK, replace: "delete" });
  assertEquals(server.files.get("/data"), DATA);
  assertEquals([...server.files.keys()], ["/data"]);
});

Deno.test("FTP.upload notices a file that is not what was sent", async () => {
  await using server = await memoryServer();
  server.on("SIZE", "213 17");
  await using ftp = await server.client();
  const error = await assertRejects(
    () => ftp.upload(DATA, "data", { retry: { attempts: 1, delay: 1 } }),
    FTPVerificationError,
  );
  assertEquals([error.what, error.expected, error.actual], [
    "size",
    DATA.length,
    17,
  ]);
  assertEquals([...server.files.keys()], []);
});

Deno.test("FTP.upload does not read a stream twice", async () => {
  await using server = await memoryServer();
  server.once("STOR", vanishAfter(1_000_000));
  await using ftp = await server.client();
  await assertRejects(() =>
    ftp.upload(ReadableStream.from([DATA]), "data", QUICK)
  );
  assertEquals([...server.files.keys()], []);
  server.once("STOR", "450 Busy");
  await ftp.upload(ReadableStream.from([DATA]), "data", QUICK);
  assertEquals(server.files.get("/data"), DATA);
});

Deno.test("FTP.upload in place does not take the old file for its own part", async () => {
  await using server = await memoryServer({ "/data": makeData(1_000_000, 9) });
  server.once("STOR", "450 Busy");
  await using ftp = await server.client();
  await ftp.upload(DATA, "data", { ...QUICK, atomic: false });
  assertEquals(server.files.get("/data"), DATA);
  assertEquals(server.commands.some((line) => line.startsWith("REST")), false);
});
