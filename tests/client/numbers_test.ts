import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FTP, type FTPOptions, type RetryOptions } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";
import { startScript } from "../testing/client_script.ts";

const MOST = 2 ** 31 - 1;

/** Invalid numbers in options, and the text after the name in the error. */
const SETTINGS: [options: Record<string, unknown>, message: string][] = [
  [{ timeout: NaN }, `timeout NaN: it must be a number from 0 to ${MOST}`],
  [{ timeout: -1 }, "timeout -1"],
  [{ timeout: MOST + 1 }, "timeout 2147483648"],
  [{ timeout: "30" }, 'timeout "30"'],
  [{ timeout: null }, "timeout null"],
  [{ maxReply: NaN }, "maxReply NaN: it must be a number from 0, or Infinity"],
  [{ maxReplyLine: -1 }, "maxReplyLine -1"],
  [{ maxLine: "1" }, 'maxLine "1"'],
];

Deno.test("FTP refuses numbers that no option can be", () => {
  for (const [options, message] of SETTINGS) {
    assertThrows(
      () => new FTP(options as FTPOptions),
      RangeError,
      `Cannot use ${message}`,
    );
  }
});

Deno.test("FTP waits as long as a time-out without end says, or one of weeks", async () => {
  for (const timeout of [Infinity, MOST]) {
    await using server = await startScript({
      NOOP: async (turn) => {
        await new Promise((done) => setTimeout(done, 20));
        await turn.reply(200, "ok");
      },
    });
    await using ftp = await server.connect({ timeout });
    assertEquals((await ftp.voidcmd("NOOP")).code, 200);
  }
});

/** Options of a transfer, and the text after the name in the error. */
const TRANSFERS: [
  options: { retry?: RetryOptions; keepAlive?: number },
  message: string,
][] = [
  [
    { retry: { attempts: NaN } },
    "retry.attempts NaN: it must be an integer from 0, or Infinity",
  ],
  [{ retry: { attempts: -1 } }, "retry.attempts -1"],
  [{ retry: { attempts: 1.5 } }, "retry.attempts 1.5"],
  [{ retry: { delay: NaN } }, "retry.delay NaN"],
  [{ retry: { delay: -5 } }, "retry.delay -5"],
  [{ retry: { maxDelay: NaN } }, "retry.maxDelay NaN"],
  [{ keepAlive: NaN }, "keepAlive NaN"],
  [{ keepAlive: -1 }, "keepAlive -1"],
  [{ keepAlive: MOST + 1 }, "keepAlive 2147483648"],
];

for (const [options, message] of TRANSFERS) {
  Deno.test(`FTP.download and the like refuse ${message.split(":")[0]} before anything is sent`, async () => {
    await using server = await memoryServer({ "/a": "1" });
    await using ftp = await server.client();
    using folder = new LocalFolder();
    const before = server.verbs.length;
    const calls = [
      () => ftp.download("a", folder.at("a"), options),
      () => ftp.upload(new Uint8Array(1), "a", options),
      () => ftp.downloadDir("", folder.at(""), options),
      () => ftp.uploadDir(folder.at(""), "", options),
    ];
    for (const call of calls) {
      await assertRejects(call, RangeError, `Cannot use ${message}`);
    }
    assertEquals(server.verbs.slice(before), []);
  });
}

Deno.test("FTP.download sends no NOOP with keepAlive of Infinity, and waits at most maxDelay with a delay of Infinity", async () => {
  await using server = await memoryServer({ "/a": "1" });
  await using ftp = await server.client();
  using folder = new LocalFolder();
  server.once("RETR", "450 Busy");
  const delays: number[] = [];
  await ftp.download("a", folder.at("a"), {
    keepAlive: Infinity,
    retry: { attempts: Infinity, delay: Infinity, maxDelay: 10 },
    onRetry: ({ delay }) => delays.push(delay),
  });
  assertEquals(server.verbs.includes("NOOP"), false);
  assertEquals(delays.length === 1 && delays[0]! <= 10, true);
});
