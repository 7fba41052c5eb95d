import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  FTPUnconfirmedError,
  FTPVerificationError,
  type UploadOptions,
} from "../../../mod.ts";
import { logIn, makeData } from "../../real/client.ts";
import type { Turn } from "../../testing/scripted/mod.ts";
import { serverTest } from "../../testing/servers/mod.ts";
import { cutFirst, keepSome, logInThrough } from "./cut_uploads.ts";
import { LocalFolder } from "../local_folder.ts";
import { memoryServer } from "../../testing/memory_server.ts";

const DATA = makeData(1_000_000);
const QUICK: UploadOptions = { retry: { delay: 1, attempts: 3 } };

/** Takes the first bytes, keeps nothing, and is gone. */
async function dropAll(turn: Turn): Promise<void> {
  await turn.reply(150, "Send it");
  const data = await turn.openData();
  await data.read();
  data.reset();
  turn.close();
}

/** Stores all that comes, and is gone before it says so. */
async function storeMutely(turn: Turn): Promise<void> {
  await turn.reply(150, "Send it");
  const data = await turn.openData();
  turn.server.put(`/${turn.argument}`, await data.readAll());
  turn.close();
}

/** The commands that write, and the offsets before them. */
function writes({ commands }: { commands: string[] }): string[] {
  return commands.filter((line) => /^(STOR|APPE|REST [^0])/.test(line));
}

for (const length of [DATA.length, 500_000]) {
  serverTest(
    `FTP.upload in place does not take ${length} old bytes for its own where the server stores under another name`,
    async (server) => {
      await server.write("data", makeData(length, 7));
      await using proxy = await cutFirst(server, 300_000, "reset");
      await using ftp = await logInThrough(proxy, server);
      const { retries } = await ftp.upload(DATA, "data", {
        ...QUICK,
        atomic: false,
      });
      assertEquals(retries, 1);
      assertEquals(await server.read("data"), DATA);
    },
    {
      servers: ["proftpd"],
      passivePorts: 20,
      extra: ["HiddenStores on"],
    },
  );
}

Deno.test("FTP.upload does not resume an old file that ends like its own bytes", async (context) => {
  const zeros = new Uint8Array(DATA.length);
  const fresh = zeros.slice();
  fresh.set(DATA.subarray(0, 1000));
  const cases: [name: string, path: string, options: UploadOptions][] = [
    ["in place", "data", { atomic: false }],
    ["a temporary name that is always the same", "data.tmp", {
      temporaryName: (name) => `${name}.tmp`,
    }],
  ];
  for (const [name, path, options] of cases) {
    await context.step(name, async () => {
      await using server = await memoryServer({
        [`/${path}`]: zeros.subarray(0, 500_000),
      });
      server.once("STOR", dropAll);
      await using ftp = await server.client();
      const { retries } = await ftp.upload(fresh, "data", {
        ...QUICK,
        ...options,
      });
      assertEquals(retries, 1);
      assertEquals(server.files.get("/data"), fresh);
      assertEquals([...server.files.keys()], ["/data"]);
      assertEquals(writes(server), [`STOR ${path}`, `STOR ${path}`]);
    });
  }
});

Deno.test("FTP.upload in place resumes the bytes that it sent itself", async () => {
  await using server = await memoryServer({ "/data": "old" });
  server.once("STOR", keepSome(200_000));
  await using ftp = await server.client();
  await ftp.upload(DATA, "data", { ...QUICK, atomic: false });
  assertEquals(server.files.get("/data"), DATA);
  assertMatch(writes(server)[1]!, /^REST \d+$/);
});

Deno.test("FTP.upload in place trusts no size where it does not know the old one", async () => {
  await using server = await memoryServer({ "/data": "old" });
  server.once("SIZE", "450 Not now");
  server.once("STOR", keepSome(200_000));
  await using ftp = await server.client();
  await ftp.upload(DATA, "data", { ...QUICK, atomic: false });
  assertEquals(server.files.get("/data"), DATA);
  assertEquals(writes(server), ["STOR data", "STOR data"]);
});

Deno.test("FTP.upload in place asks for the old size and a port in one segment", async () => {
  await using server = await memoryServer({ "/data": "old" });
  await using ftp = await server.client();
  await ftp.voidcmd("TYPE I");
  const asked = Promise.all(
    ["SIZE", "EPSV"].map((verb) => server.received(verb)),
  );
  server.once("SIZE", async (turn) => {
    await asked; // or it waits for ever
    await turn.default();
  });
  await ftp.upload(DATA, "data", { retry: false, atomic: false });
  assertEquals(server.files.get("/data"), DATA);
  assertEquals(server.verbs.filter((verb) => verb === "EPSV").length, 1);
});

Deno.test("FTP.upload starts over where REST is answered 350 and the STOR behind it is refused", async (context) => {
  const refusals = [
    "451 data: Append/Restart not permitted, try again",
    "501 REST not compatible with server configuration",
    "554 Invalid REST parameter",
  ];
  for (const refusal of refusals) {
    await context.step(refusal, async () => {
      await using server = await memoryServer();
      server.once("STOR", keepSome(200_000));
      server.on("APPE", refusal);
      server.on("STOR", async (turn) => {
        if (turn.session.restart === 0) return await turn.default();
        turn.session.restart = 0;
        await turn.reply(Number(refusal.slice(0, 3)), refusal.slice(4));
      });
      await using ftp = await server.client();
      const { retries } = await ftp.upload(DATA, "data", QUICK);
      assertEquals(retries, 1);
      assertEquals(server.files.get("/data"), DATA);
    });
  }
});

serverTest(
  "FTP.upload with resume completes what may not be gone on with",
  async (server) => {
    using folder = new LocalFolder();
    Deno.writeFileSync(folder.at("data"), DATA);
    await using ftp = await logIn(server);
    const options: UploadOptions = { ...QUICK, resume: true };
    const stop = new Error("Enough");
    const error = await assertRejects(() =>
      ftp.upload(folder.at("data"), "data", {
        ...options,
        maxRate: 5_000_000,
        progressRate: 1e6,
        onProgress: ({ transferred }) => {
          if (transferred > 400_000) throw stop;
        },
      })
    );
    assertEquals(error, stop);
    assertEquals([...Deno.readDirSync(server.root)].length, 1);
    await ftp.upload(folder.at("data"), "data", options);
    assertEquals(await server.read("data"), DATA);
    assertEquals([...Deno.readDirSync(server.root)].length, 1);
  },
  {
    servers: ["proftpd"],
    extra: ["<Directory ~>", "AllowStoreRestart off", "</Directory>"],
  },
);

Deno.test("FTP.upload does not resume an older version of its source", async () => {
  await using server = await memoryServer();
  using folder = new LocalFolder();
  Deno.writeFileSync(folder.at("data"), DATA);
  const other = makeData(DATA.length, 7);
  server.once("STOR", async (turn) => {
    await keepSome(200_000)(turn);
    Deno.writeFileSync(folder.at("data"), other);
    Deno.utimeSync(folder.at("data"), 1e9, 1e9);
  });
  server.once("STOR", "450 Not now");
  await using ftp = await server.client();
  const { retries } = await ftp.upload(folder.at("data"), "data", QUICK);
  assertEquals(retries, 2);
  assertEquals(server.files.get("/data"), other);
});

Deno.test("FTP.upload asks SIZE when the server's word for a stream was lost", async (context) => {
  for (const atomic of [true, false]) {
    await context.step(atomic ? "beside" : "in place", async () => {
      await using server = await memoryServer({ "/data": "old" });
      server.once("STOR", storeMutely);
      await using ftp = await server.client();
      const source = ReadableStream.from([DATA]);
      const { size, bytes, verified } = await ftp.upload(source, "data", {
        ...QUICK,
        atomic,
      });
      assertEquals([size, bytes, verified], [DATA.length, DATA.length, "size"]);
      assertEquals(server.files.get("/data"), DATA);
      assertEquals([...server.files.keys()], ["/data"]);
      assertEquals(writes(server).length, 1);
    });
  }
});

Deno.test("FTP.upload does not confirm a stream whose SIZE proves nothing", async (context) => {
  const cases: [name: string, left: Uint8Array][] = [
    ["cut", DATA.subarray(0, 500_000)],
    // the old file, where the server stored under another name, and lost it
    ["as it was, and as long", makeData(DATA.length, 7)],
  ];
  for (const [name, left] of cases) {
    await context.step(name, async () => {
      await using server = await memoryServer({
        "/data": makeData(DATA.length, 7),
      });
      server.once("STOR", async (turn) => {
        await storeMutely(turn);
        server.put("/data", left);
      });
      await using ftp = await server.client();
      const source = ReadableStream.from([DATA]);
      await assertRejects(
        () => ftp.upload(source, "data", { ...QUICK, atomic: false }),
        FTPUnconfirmedError,
      );
      assertEquals(writes(server), ["STOR data"]);
    });
  }
});

Deno.test("FTP.upload of a stream that is unconfirmed says so when the server stays away", async () => {
  await using server = await memoryServer();
  server.once("STOR", async (turn) => {
    server.on("connect", "421 No more");
    await storeMutely(turn);
  });
  await using ftp = await server.client();
  const error = await assertRejects(
    () => ftp.upload(ReadableStream.from([DATA]), "data", QUICK),
    FTPUnconfirmedError,
    "the temporary file",
  );
  assertEquals([error.bytes, error.size], [DATA.length, DATA.length]);
});

Deno.test("FTP.upload gives a file up that grows each time it is sent", async () => {
  await using server = await memoryServer({ "/data": "old" });
  using folder = new LocalFolder();
  Deno.writeFileSync(folder.at("data"), DATA);
  server.on("STOR", async (turn) => {
    Deno.writeFileSync(folder.at("data"), DATA, { append: true });
    await turn.default();
  });
  await using ftp = await server.client();
  const attempts: number[] = [];
  await assertRejects(
    () =>
      ftp.upload(folder.at("data"), "data", {
        retry: { attempts: 2, delay: 1 },
        onRetry: ({ attempt }) => {
          attempts.push(attempt);
          if (attempts.length > 5) throw new Error("It does not end");
        },
      }),
    FTPVerificationError,
    "the local file changed during the upload",
  );
  assertEquals(attempts, [1, 2]);
  assertEquals(server.text("/data"), "old");
});
