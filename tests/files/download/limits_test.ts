import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  type DownloadOptions,
  FTPMirrorError,
  FTPPermanentError,
  FTPTemporaryError,
  FTPVerificationError,
} from "../../../mod.ts";
import { makeData } from "../../real/client.ts";
import type { Turn } from "../../testing/scripted/mod.ts";
import { LocalFolder } from "../local_folder.ts";
import { memoryServer } from "../../testing/memory_server.ts";

const DATA = makeData(1_000_000);
const NEVER: DownloadOptions = { retry: false };

/** Sends until the client has had enough. */
async function sendWithoutEnd(turn: Turn): Promise<void> {
  await turn.reply(150, "Here it comes");
  const data = await turn.openData();
  try {
    while (true) await data.write(DATA);
  } catch {
    await turn.reply(426, "Enough");
  }
}

Deno.test("FTP.download says how many bytes came when they are too many", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.on("SIZE", "213 17");
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const error = await assertRejects(
    () => ftp.download("data", folder.at("data"), NEVER),
    FTPVerificationError,
    "size is 1000000, not 17",
  );
  assertEquals([error.what, error.expected, error.actual], [
    "size",
    17,
    DATA.length,
  ]);
});

Deno.test("FTP.download stops a server that sends more than maxSize", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.on("SIZE", "213 17");
  server.on("RETR", sendWithoutEnd);
  using folder = new LocalFolder();
  Deno.writeTextFileSync(folder.at("data"), "old");
  await using ftp = await server.client();
  for (const resume of [false, true]) {
    const { message } = await assertRejects(
      () =>
        ftp.download("data", folder.at("data"), {
          maxSize: 5_000_000,
          resume,
          retry: { delay: 1 },
        }),
      Deno.errors.InvalidData,
    );
    assertEquals(
      message,
      'Cannot download "data": the server sent more than the 5000000 bytes of "maxSize"',
    );
    assertEquals(
      [...Deno.readDirSync(folder.at(""))].map(({ name }) => name),
      ["data"],
    );
    assertEquals(Deno.readTextFileSync(folder.at("data")), "old");
    assertEquals(await ftp.pwd(), "/");
  }
  assertEquals(server.verbs.filter((verb) => verb === "RETR").length, 2);
});

Deno.test("FTP.download asks for nothing of a file that is larger than maxSize", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.download("data", folder.at("data"), { maxSize: 999_999 }),
    Deno.errors.InvalidData,
    'Cannot download "data": it has 1000000 bytes, "maxSize" is 999999',
  );
  assertEquals(server.verbs.includes("RETR"), false);
  await ftp.download("data", folder.at("data"), { maxSize: 1_000_000 });
  assertEquals(Deno.readFileSync(folder.at("data")), DATA);
  for (const maxSize of [-1, NaN]) {
    await assertRejects(
      () => ftp.download("data", folder.at("data"), { maxSize }),
      RangeError,
      '"maxSize"',
    );
  }
});

Deno.test("FTP.download creates the temporary file while the server answers, and reports the error of the server first", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  let meanwhile: string[] = [];
  server.once("SIZE", async (turn) => {
    meanwhile = folder.names();
    await turn.reply(213, String(DATA.length));
  });
  await ftp.download("data", folder.at("data"));
  assertMatch(meanwhile.join(), /^\.data\.[0-9a-f]{16}\.part$/);
  await assertRejects(
    () => ftp.download("other", folder.at("other"), NEVER),
    FTPPermanentError,
  );
  server.once("SIZE", "450 Later");
  await assertRejects(
    () => ftp.download("data", folder.at("missing/data"), NEVER),
    FTPTemporaryError,
  );
  assertEquals(folder.names(), ["data"]);
});

Deno.test("FTP.download names the folder that does not exist", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  for (const options of [{}, { resume: true }, { atomic: false }]) {
    const target = folder.at("missing/data");
    await assertRejects(
      () => ftp.download("data", target, options),
      Deno.errors.NotFound,
      `Cannot download to "${target}": the folder "${
        folder.at("missing")
      }" does not exist`,
    );
  }
});

Deno.test({
  name: "FTP.download names the file that does not fit on the disk",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using server = await memoryServer({ "/data": DATA, "/s": "small" });
    await using ftp = await server.client();
    for (const name of ["data", "s"]) {
      const { message } = await assertRejects(() =>
        ftp.download(name, "/dev/full", NEVER)
      ) as Error;
      assertMatch(
        message,
        /^Cannot write to "\/dev\/full" after 0 bytes: No space left on device/,
      );
    }
  },
});

Deno.test("FTP.download and FTP.upload say after how many attempts, and with how much, they gave up", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  server.on("RETR", "450 Busy");
  const retry = { attempts: 2, delay: 1 };
  const error = await assertRejects(
    () => ftp.download("data", folder.at("data"), { retry }),
    FTPTemporaryError,
  );
  assertEquals(
    error.message,
    'Cannot download "data" in 3 attempts, with 0 of 1000000 bytes: Cannot complete "RETR data": 450 Busy',
  );
  assertEquals([error.reply?.code, error.command], [450, "RETR data"]);
  assertInstanceOf(error.cause, FTPTemporaryError);
  server.on("STOR", "450 Busy");
  const { message } = await assertRejects(
    () => ftp.upload(DATA, "new", { retry }),
    FTPTemporaryError,
  );
  assertStringIncludes(
    message,
    'Cannot upload to "new" in 3 attempts, with 0 of 1000000 bytes: Cannot complete "STOR .new.',
  );
  // the first of all attempts needs no such preface
  await assertRejects(
    () => ftp.download("data", folder.at("data"), NEVER),
    FTPTemporaryError,
    'Cannot complete "RETR data": 450 Busy',
  );
});

Deno.test("FTP.download reports its bytes if the server does not return", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.on("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(DATA.subarray(0, 400_000));
    server.on("connect", "421 No more");
    data.reset();
    turn.close();
  });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const error = await assertRejects(
    () =>
      ftp.download("data", folder.at("data"), {
        retry: { attempts: 2, delay: 1 },
      }),
    Error,
  );
  assertMatch(
    error.message,
    /^Cannot download "data" in [34] attempts, with \d+ of 1000000 bytes: .*421/,
  );
});

Deno.test("FTP.downloadDir takes no file that is larger than maxSize", async () => {
  await using server = await memoryServer({ "/large": DATA, "/small": "x" });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const { failures }: FTPMirrorError = await assertRejects(
    () => ftp.downloadDir("", folder.at(""), { maxSize: 1000 }),
    FTPMirrorError,
  );
  assertEquals(failures.map(({ path }) => path), ["large"]);
  assertEquals(
    [...Deno.readDirSync(folder.at(""))].map(({ name }) => name),
    ["small"],
  );
});

/** Says a size, and sends so many bytes. */
function announcing(size: number, sent: number): (turn: Turn) => Promise<void> {
  return async (turn) => {
    await turn.reply(
      150,
      `Opening BINARY mode data connection (${size} bytes)`,
    );
    const data = await turn.openData();
    await data.write(DATA.subarray(0, sent));
    await data.end();
    await turn.reply(226, "Done");
  };
}

Deno.test("FTP.download goes by the size in the 150 reply where SIZE is missing", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.on("SIZE", "502 Unknown");
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const totals: (number | null)[] = [];
  const options: DownloadOptions = {
    ...NEVER,
    onProgress: ({ total }) => totals.push(total),
  };
  server.once("RETR", announcing(5000, 2000));
  const error = await assertRejects(
    () => ftp.download("data", folder.at("data"), options),
    FTPVerificationError,
    "size is 2000, not 5000",
  );
  assertEquals([error.what, error.expected, error.actual], [
    "size",
    5000,
    2000,
  ]);
  assertEquals(folder.names(), []);

  server.once("RETR", announcing(5000, 2000));
  const unverified: DownloadOptions = { ...options, verify: "none" };
  await ftp.download("data", folder.at("data"), unverified);
  // a slow machine tells its progress more than once
  assertEquals([...new Set(totals)], [5000]);

  for (const [sent, verified] of [[5000, "size"], [6000, null]] as const) {
    server.once("RETR", announcing(5000, sent)); // or it has grown
    const result = await ftp.download("data", folder.at("data"), options);
    assertEquals([result.size, result.verified], [sent, verified]);
  }
});

Deno.test("FTP.download goes by SIZE where the 150 reply says another", async () => {
  await using server = await memoryServer({ "/data": DATA });
  server.once("RETR", announcing(DATA.length * 2, DATA.length));
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const { verified } = await ftp.download("data", folder.at("data"), NEVER);
  assertEquals(verified, "size");
});
