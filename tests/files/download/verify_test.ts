import { assertEquals, assertRejects } from "@std/assert";
import {
  type DownloadOptions,
  FTPVerificationError,
  type Progress,
} from "../../../mod.ts";
import { makeData } from "../../real/client.ts";
import type { Turn } from "../../testing/scripted/mod.ts";
import { LocalFolder } from "../local_folder.ts";
import {
  type MemoryServer,
  memoryServer,
} from "../../testing/memory_server.ts";

const DATA = makeData(300_000);
const NEVER: DownloadOptions = { retry: false };

/** Sends so much of a file, which has another size afterwards. */
function sendGrowing(
  sent: number,
  after: number,
): (turn: Turn) => Promise<void> {
  return async (turn) => {
    turn.server.put(`/${turn.argument}`, DATA.subarray(0, after));
    await turn.send(DATA.subarray(0, sent));
  };
}

Deno.test("FTP.download takes a file that grows as it was at some moment", async (context) => {
  const cases: [sent: number, after: number][] = [
    [100_000, 100_080],
    [100_080, 100_080],
    [100_080, 200_000],
  ];
  for (const [sent, after] of cases) {
    await context.step(`${sent} bytes of ${after}`, async () => {
      await using server = await memoryServer({
        "/log": DATA.subarray(0, 100_000),
      });
      server.once("RETR", sendGrowing(sent, after));
      using folder = new LocalFolder();
      await using ftp = await server.client();
      const reports: Progress[] = [];
      const { size, verified } = await ftp.download("log", folder.at("log"), {
        ...NEVER,
        onProgress: (progress) => reports.push(progress),
      });
      assertEquals([size, verified], [sent, "size"]);
      assertEquals(
        Deno.readFileSync(folder.at("log")),
        DATA.subarray(0, sent),
      );
      const { transferred, total } = reports.at(-1)!;
      assertEquals([transferred, total], [sent, sent]);
    });
  }
});

Deno.test("FTP.download takes no file that is shorter or longer than the server says", async (context) => {
  const cases: [sent: number, after: number, expected: number][] = [
    [99_999, 100_000, 100_000],
    [99_999, 99_999, 100_000], // cut meanwhile: not whole, as far as is known
    [100_001, 100_000, 100_000],
    [100_081, 100_080, 100_080],
  ];
  for (const [sent, after, expected] of cases) {
    await context.step(`${sent} bytes of ${after}`, async () => {
      await using server = await memoryServer({
        "/log": DATA.subarray(0, 100_000),
      });
      server.once("RETR", sendGrowing(sent, after));
      using folder = new LocalFolder();
      await using ftp = await server.client();
      const error = await assertRejects(
        () => ftp.download("log", folder.at("log"), NEVER),
        FTPVerificationError,
      );
      assertEquals(
        [error.what, error.expected, error.actual],
        ["size", expected, sent],
      );
      assertEquals(folder.names(), []);
      const { size } = await ftp.download("log", folder.at("log"));
      assertEquals(size, after);
    });
  }
});

Deno.test("FTP.download gives a file up that is longer than the server says each time", async () => {
  await using server = await memoryServer({ "/log": new Uint8Array(1000) });
  let sent = 0;
  server.on("RETR", (turn) => turn.send(new Uint8Array(sent += 200_000)));
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const attempts: number[] = [];
  await assertRejects(
    () =>
      ftp.download("log", folder.at("log"), {
        retry: { attempts: 2, delay: 1 },
        onRetry: ({ attempt }) => {
          attempts.push(attempt);
          if (attempts.length > 5) throw new Error("It does not end");
        },
      }),
    FTPVerificationError,
    "size is 600000, not 1000",
  );
  assertEquals(attempts, [1, 2]);
});

/** Sends a file, and lets something happen meanwhile, by a clock that leaps. */
function sendSlowly(server: MemoryServer, happen: () => void): Disposable {
  const now = performance.now;
  let leap = 0;
  performance.now = () => now.call(performance) + (leap += 1100);
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(DATA.subarray(0, 100_000));
    happen();
    const rest = turn.server.files.get("/data")!.subarray(100_000);
    await data.write(rest.subarray(0, DATA.length - 100_000));
    await data.end();
    await turn.reply(226, "Done");
  });
  return { [Symbol.dispose]: () => void (performance.now = now) };
}

/** Changes of a file during its download. */
function makeChanging(server: MemoryServer): (size: number) => void {
  let isNew = false;
  server.on("MDTM", (turn) => turn.reply(213, `2024022912345${isNew ? 7 : 6}`));
  return (size) => {
    isNew = true;
    server.put("/data", makeData(size, 7));
  };
}

Deno.test("FTP.download takes no file that was written over while it came", async () => {
  await using server = await memoryServer({ "/data": DATA });
  const change = makeChanging(server);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  Deno.writeTextFileSync(folder.at("data"), "old");
  using _clock = sendSlowly(server, () => change(DATA.length));
  const error = await assertRejects(
    () => ftp.download("data", folder.at("data"), NEVER),
    FTPVerificationError,
    'Cannot download "data": the file on the server changed during the transfer: mtime is 2024-02-29T12:34:57.000Z, not 2024-02-29T12:34:56.000Z',
  );
  assertEquals(error.what, "mtime");
  assertEquals(Deno.readTextFileSync(folder.at("data")), "old");
  assertEquals(folder.names(), ["data"]);
});

Deno.test("FTP.download fetches a file again that was written over while it came", async () => {
  await using server = await memoryServer({ "/data": DATA });
  const change = makeChanging(server);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  using _clock = sendSlowly(server, () => change(DATA.length));
  const { retries } = await ftp.download("data", folder.at("data"), {
    retry: { delay: 1 },
  });
  assertEquals(retries, 1);
  assertEquals(Deno.readFileSync(folder.at("data")), makeData(DATA.length, 7));
});

Deno.test("FTP.download asks for the time again only where it took long, and takes what grew or went", async (context) => {
  const cases: [
    name: string,
    asked: number,
    happen: (server: MemoryServer) => void,
    options?: DownloadOptions,
  ][] = [
    ["the same", 2, () => {}],
    ["nothing compared", 1, () => {}, { verify: "none" }],
    ["grown", 2, (server) => {
      const longer = new Uint8Array(DATA.length + 1);
      longer.set(DATA);
      server.put("/data", longer);
      server.on("MDTM", "213 20240229123459");
    }],
    ["removed", 2, (server) => {
      server.on("SIZE", "550 Gone");
      server.on("MDTM", "550 Gone");
    }],
  ];
  for (const [name, asked, happen, options] of cases) {
    await context.step(name, async () => {
      await using server = await memoryServer({ "/data": DATA });
      using folder = new LocalFolder();
      await using ftp = await server.client();
      using _clock = sendSlowly(server, () => happen(server));
      await ftp.download("data", folder.at("data"), { ...NEVER, ...options });
      assertEquals(
        Deno.readFileSync(folder.at("data")).subarray(0, DATA.length),
        DATA,
      );
      const { verbs } = server;
      assertEquals(verbs.filter((verb) => verb === "MDTM").length, asked);
    });
  }
  await context.step("fast", async () => {
    await using server = await memoryServer({ "/data": DATA });
    using folder = new LocalFolder();
    await using ftp = await server.client();
    await ftp.download("data", folder.at("data"), NEVER);
    const { verbs } = server;
    assertEquals(verbs.slice(verbs.indexOf("RETR") + 1), []);
  });
});
