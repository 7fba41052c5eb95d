import { assert, assertEquals, assertRejects } from "@std/assert";
import type { DownloadOptions } from "../../../mod.ts";
import { logIn, makeData } from "../../real/client.ts";
import { logInTLS, withTLS } from "../../real/tls_client.ts";
import { serverTest } from "../../testing/servers/mod.ts";
import { LocalFolder } from "../local_folder.ts";
import {
  type MemoryServer,
  memoryServer,
} from "../../testing/memory_server.ts";

const MIB = 1024 * 1024;
const DATA = makeData(5 * MIB + 17);

serverTest("FTP.download fetches segments at once", async (server) => {
  await server.write("data", DATA);
  using folder = new LocalFolder();
  const retrieved: string[] = [];
  await using ftp = await logIn(server, {
    trace: ({ direction, text }) => {
      if (direction === "sent" && text.startsWith("RETR")) retrieved.push(text);
    },
  });
  const result = await ftp.download("data", folder.at("data"), {
    segments: 4,
  });
  assertSame(folder, DATA);
  assertEquals(folder.names(), ["data"]);
  assert(retrieved.length > 1 && retrieved.length <= 4, `${retrieved}`);
  assertEquals(result.size, DATA.length);
  assertEquals(result.bytes, DATA.length);
  assertEquals(result.verified, "size");
  assertEquals(await ftp.pwd(), "/");
});

serverTest(
  "FTP.download fetches segments at once under TLS",
  async (server) => {
    await server.write("data", DATA);
    using folder = new LocalFolder();
    await using ftp = await logInTLS(server);
    await ftp.download("data", folder.at("data"), { segments: 3 });
    assertSame(folder, DATA);
    assertEquals(folder.names(), ["data"]);
  },
  { prepare: withTLS() },
);

/** Without a diff of megabytes. */
function assertSame(folder: LocalFolder, expected: Uint8Array): void {
  const actual = Deno.readFileSync(folder.at("data"));
  assertEquals(actual.length, expected.length);
  assertEquals(actual.findIndex((byte, i) => byte !== expected[i]), -1);
}

/** Downloads until half of the file is here, and gives what is left in the folder. */
async function leaveHalf(
  server: MemoryServer,
  folder: LocalFolder,
): Promise<string> {
  const controller = new AbortController();
  await using ftp = await server.client();
  await assertRejects(
    () =>
      ftp.download("data", folder.at("data"), {
        segments: 4,
        resume: true,
        progressRate: Infinity,
        maxRate: 20_000_000,
        signal: controller.signal,
        onProgress: ({ transferred }) => {
          if (transferred > DATA.length / 2) controller.abort();
        },
      }),
    DOMException,
  );
  const [name, ...others] = folder.names();
  assertEquals(others, []);
  assert(name !== undefined && name.includes(".resume-"));
  return name;
}

const RESUMED: DownloadOptions = { segments: 4, resume: true };

Deno.test("FTP.download uses the port that was requested with the size for its own segment", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const [own] = server.sessions;
  const sent: string[] = [];
  for (const verb of ["EPSV", "REST", "RETR"]) {
    server.on(verb, async (turn) => {
      if (turn.session === own) sent.push(verb);
      await turn.default();
    });
  }
  await ftp.download("data", folder.at("data"), { segments: 2 });
  assertSame(folder, DATA);
  assertEquals(sent.slice(0, 3), ["EPSV", "REST", "RETR"]);
});

Deno.test("FTP.download resumes all its segments", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await leaveHalf(server, folder);
  await using ftp = await server.client();
  const { bytes } = await ftp.download("data", folder.at("data"), RESUMED);
  assertSame(folder, DATA);
  assertEquals(folder.names(), ["data"]);
  assert(bytes < 0.6 * DATA.length, `${bytes} bytes`);
});

Deno.test("FTP.download starts over where a killed process has left holes", async () => {
  await using server = await memoryServer({ "/data": DATA });
  for (const length of [DATA.length, DATA.length + 100]) {
    using folder = new LocalFolder();
    const name = await leaveHalf(server, folder);
    await Deno.truncate(folder.at(name), length);
    await using ftp = await server.client();
    const { bytes } = await ftp.download("data", folder.at("data"), RESUMED);
    assertSame(folder, DATA);
    assertEquals(bytes, DATA.length);
  }
});

Deno.test("FTP.download does not take segments for the beginning of a file", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await leaveHalf(server, folder);
  await using ftp = await server.client();
  await ftp.download("data", folder.at("data"), { resume: true });
  assertSame(folder, DATA);
  assertEquals(folder.names(), ["data"]);
});

Deno.test("FTP.download starts over where the bytes before a segment changed", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  const other = makeData(DATA.length, 7);
  for (const isSecondRound of [false, true]) {
    server.put("/data", DATA);
    await leaveHalf(server, folder);
    server.put("/data", other);
    await using ftp = await server.client();
    await ftp.download("data", folder.at("data"), {
      ...RESUMED,
      segments: isSecondRound ? 2 : 4,
      retry: { delay: 1 },
    });
    assertSame(folder, other);
    Deno.removeSync(folder.at("data"));
  }
});

Deno.test("FTP.download makes do with the connections that it gets", async () => {
  await using server = await memoryServer({ "/data": DATA });
  await using ftp = await server.client();
  for (let i = 0; i < 3; i++) server.once("USER", "421 Too many connections");
  using folder = new LocalFolder();
  const { bytes, retries } = await ftp.download("data", folder.at("data"), {
    segments: 4,
  });
  assertSame(folder, DATA);
  assertEquals({ bytes, retries }, { bytes: DATA.length, retries: 0 });
});

Deno.test("FTP.download closes the connections of segments without waiting for ABOR and QUIT", async () => {
  await using server = await memoryServer({ "/data": DATA });
  await using ftp = await server.client();
  using folder = new LocalFolder();
  // each connection has its segment before the first one is sent
  const all = Promise.withResolvers<void>();
  let count = 0;
  server.on("RETR", async (turn) => {
    if (++count === 4) all.resolve();
    await all.promise;
    await turn.default();
  });
  await ftp.download("data", folder.at("data"), { segments: 4 });
  assertSame(folder, DATA);
  assertEquals(count, 4);
  const ends = server.verbs.filter((verb) => /^(ABOR|QUIT)$/.test(verb));
  assertEquals(ends, []);
  assertEquals(await ftp.size("data"), DATA.length);
});

Deno.test("FTP.download is one segment where REST is refused", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.on("REST", "502 Not implemented");
  await using ftp = await server.client();
  using folder = new LocalFolder();
  const { retries } = await ftp.download("data", folder.at("data"), {
    segments: 4,
  });
  assertSame(folder, DATA);
  assertEquals(retries, 0);
});

Deno.test("FTP.download is one segment where REST is refused after a segment has begun", async () => {
  await using server = await memoryServer({ "/data": DATA });
  // the first segment needs no REST; the others are refused when it has bytes
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  server.on("REST", async (turn) => {
    await begun;
    await turn.reply(502, "Not implemented");
  });
  await using ftp = await server.client();
  using folder = new LocalFolder();
  const { verified } = await ftp.download("data", folder.at("data"), {
    segments: 4,
    progressRate: Infinity,
    onProgress: ({ transferred }) => void (transferred > MIB && begin()),
  });
  assertSame(folder, DATA);
  assertEquals(verified, "size");
});

Deno.test("FTP.download takes up the segment of a connection that was lost", async () => {
  await using server = await memoryServer({ "/data": DATA });
  let lost = 0;
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    lost++;
    data.reset();
    turn.close();
  });
  await using ftp = await server.client();
  using folder = new LocalFolder();
  await ftp.download("data", folder.at("data"), {
    segments: 3,
    retry: { delay: 1 },
  });
  assertSame(folder, DATA);
  assertEquals(lost, 1);
});

Deno.test("FTP.download refuses numbers of segments that are none", async () => {
  await using server = await memoryServer({ "/data": DATA });
  await using ftp = await server.client();
  using folder = new LocalFolder();
  const before = server.commands.length;
  for (const segments of [0, -1, 1.5, 65, NaN, Infinity]) {
    await assertRejects(
      () => ftp.download("data", folder.at("data"), { segments }),
      RangeError,
      "segments",
    );
  }
  assertEquals(server.commands.length, before);
  assertEquals(folder.names(), []);
});

Deno.test("FTP.download asks for one segment of a small file", async () => {
  await using server = await memoryServer({ "/data": DATA.subarray(0, MIB) });
  await using ftp = await server.client();
  using folder = new LocalFolder();
  await ftp.download("data", folder.at("data"), { segments: 8 });
  assertEquals(server.verbs.filter((verb) => verb === "RETR").length, 1);
  assertEquals(server.verbs.filter((verb) => verb === "USER").length, 1);
});
