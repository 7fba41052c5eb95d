/**
 * Long listings let timers and signals run, and kept entries have a limit in
 * bytes.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTP, type FTPOptions } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { worked } from "../testing/cpu_time.ts";
import { fact, Pair, sendLines } from "../testing/scripted_listings.ts";

const ENTRIES = 10_000;
const FLAT = `/flat/${ENTRIES}`;

/** A client of the server for large listings, which is a separate process. */
class Big implements AsyncDisposable {
  readonly ftp: FTP;
  readonly #process: Deno.ChildProcess;

  private constructor(ftp: FTP, process: Deno.ChildProcess) {
    this.ftp = ftp;
    this.#process = process;
  }

  static async start(options: FTPOptions = {}): Promise<Big> {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        "--allow-net=127.0.0.1",
        new URL("big_server.ts", import.meta.url).pathname,
      ],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = process.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    const ftp = new FTP(options);
    await ftp.connect("127.0.0.1", Number(new TextDecoder().decode(value)));
    await ftp.login();
    return new Big(ftp, process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ftp.close();
    this.#process.kill();
    await this.#process.status;
  }
}

/** The work of a call in all, and the most of it without a turn for timers. */
async function gapsOf(
  run: () => Promise<unknown>,
): Promise<{ total: number; worst: number }> {
  const start = worked();
  let last = start;
  let worst = 0;
  const look = () => {
    const now = worked();
    worst = Math.max(worst, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  try {
    await run();
    look();
  } finally {
    clearInterval(timer);
  }
  return { total: worked() - start, worst };
}

async function count(entries: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of entries) count++;
  return count;
}

/** Every call that reads a large directory. */
const CALLS: Record<
  string,
  (ftp: FTP, folder: LocalFolder, signal?: AbortSignal) => Promise<unknown>
> = {
  "list()": (ftp, _, signal) => count(ftp.list(FLAT, { signal })),
  "mlsd()": (ftp, _, signal) => count(ftp.mlsd(FLAT, [], { signal })),
  "nlst()": (ftp, _, signal) => ftp.nlst(FLAT, { signal }),
  "walk()": (ftp, _, signal) => count(ftp.walk(FLAT, { signal })),
  "remove()": (ftp, _, signal) => ftp.remove(FLAT, { recursive: true, signal }),
  "downloadDir() into nothing": (ftp, folder, signal) =>
    ftp.downloadDir(FLAT, folder.at("none"), { dryRun: true, signal }),
  "downloadDir() with delete": (ftp, folder, signal) =>
    ftp.downloadDir(FLAT, folder.path, { dryRun: true, delete: true, signal }),
  "downloadDir() with much to delete": (ftp, folder, signal) =>
    ftp.downloadDir("/flat/1", folder.path, {
      dryRun: true,
      delete: true,
      signal,
    }),
  "uploadDir()": (ftp, folder, signal) =>
    ftp.uploadDir(folder.path, FLAT, { dryRun: true, compare: "size", signal }),
  "uploadDir() with delete": (ftp, folder, signal) =>
    ftp.uploadDir(folder.path, FLAT, {
      dryRun: true,
      compare: "size",
      delete: true,
      signal,
    }),
};

function fill(folder: LocalFolder): void {
  for (let i = 0; i < ENTRIES; i++) {
    const name = `file-${String(i).padStart(7, "0")}.data`;
    Deno.writeTextFileSync(folder.at(name), "x");
  }
}

Deno.test("FTP leaves turns to timers while it goes over a large directory", async (context) => {
  await using big = await Big.start();
  using folder = new LocalFolder();
  fill(folder);
  for (const [title, call] of Object.entries(CALLS)) {
    await context.step(title, async () => {
      const { total, worst } = await gapsOf(() => call(big.ftp, folder));
      // 5 to 30 ms each here; a slower machine works longer in all
      const most = Math.max(100, total / 5);
      assert(worst < most, `${worst} of ${total} ms without a turn`);
    });
  }
});

Deno.test("FTP.walk leaves turns to timers while it reads the longest names", async () => {
  await using big = await Big.start({ maxListing: 20_000_000 });
  const { worst } = await gapsOf(() =>
    assertRejects(() => count(big.ftp.walk("/wide/60000")), RangeError)
  );
  assert(worst < 50, `${worst} ms without a turn`);
});

Deno.test("FTP leaves turns to timers while it reads lines with thousands of facts", async (context) => {
  await using pair = await Pair.make();
  pair.server.on("CWD", "250 Done");
  using folder = new LocalFolder();
  const facts = Array.from({ length: 8000 }, (_, at) => `x${at}=;`).join("");
  const lines = Array.from(
    { length: 60 },
    (_, at) => `type=dir;${facts} d${at}\r\n`,
  );
  // the server is in this process, so that it has nothing to prepare
  const bytes = new TextEncoder().encode(lines.join(""));
  const calls = {
    "walk()": () => count(pair.ftp.walk("", { maxDepth: 1 })),
    "downloadDir()": () =>
      pair.ftp.downloadDir("", folder.at("none"), { dryRun: true }),
  };
  for (const [title, call] of Object.entries(calls)) {
    await context.step(title, async () => {
      pair.server.on("MLSD", (turn) => sendLines(turn, []));
      pair.server.once("MLSD", (turn) => turn.send(bytes));
      const { worst } = await gapsOf(call);
      assert(worst < 50, `${worst} ms without a turn`);
    });
  }
});

Deno.test("FTP heeds a signal while it goes over what it has read", async (context) => {
  await using big = await Big.start();
  using folder = new LocalFolder();
  const end = new AbortController();
  const { signal } = end;
  const abort = () => void setTimeout(() => end.abort(), 0);
  await context.step("walk()", async () => {
    await assertRejects(async () => {
      for await (const _ of big.ftp.walk(FLAT, { signal })) abort();
    }, DOMException);
  });
  await context.step("downloadDir()", async () => {
    const end = new AbortController();
    await assertRejects(
      () =>
        big.ftp.downloadDir(FLAT, folder.at("none"), {
          dryRun: true,
          signal: end.signal,
          onEntry: () => void setTimeout(() => end.abort(), 0),
        }),
      DOMException,
    );
  });
  assertEquals(await big.ftp.pwd(), "/");
});

Deno.test("FTP keeps no more bytes of a directory than maxListing", async (context) => {
  await using big = await Big.start({ maxListing: 1_000_000 });
  const { ftp } = big;
  using folder = new LocalFolder();
  const CAPPED: [title: string, call: () => Promise<unknown>][] = [
    ["nlst()", () => ftp.nlst("/endless")],
    ["nlst() of long names", () => ftp.nlst("/wide/60000")],
    ["walk()", () => count(ftp.walk("/endless"))],
    ["walk() of long names", () => count(ftp.walk("/wide/60000"))],
    ["downloadDir()", () => ftp.downloadDir("/wide/60000", folder.at("x"))],
    ["uploadDir()", () => ftp.uploadDir(folder.path, "/wide/60000")],
    [
      "remove(), which looks for a name",
      () => ftp.remove("/endless/x", { recursive: true }),
    ],
  ];
  for (const [title, call] of CAPPED) {
    await context.step(title, async () => {
      const error = await assertRejects(call, RangeError);
      assert(
        error.message.endsWith(
          'its entries take more than 1000000 bytes, the most that "maxListing" allows',
        ),
        error.message,
      );
      assertEquals(await ftp.pwd(), "/");
    });
  }
  await context.step("list() and mlsd() keep nothing", async () => {
    assertEquals(await count(ftp.list(FLAT)), ENTRIES);
    assertEquals(await count(ftp.mlsd(FLAT)), ENTRIES);
  });
});

Deno.test("FTP.walk counts the bytes of all directories that it is in", async () => {
  await using pair = await Pair.make({}, { maxListing: 10_000 });
  const names = Array.from({ length: 40 }, (_, i) => fact(`x${i}`));
  let depth = 0;
  pair.server.on(
    "MLSD",
    (turn) => sendLines(turn, [fact(`d${depth++}`, "dir", ""), ...names]),
  );
  const error = await assertRejects(
    () => count(pair.ftp.walk("")),
    RangeError,
    '"maxListing"',
  );
  assert(error.message.startsWith('Cannot list "d0/d1'), error.message);
  // one after the other they are not kept together
  depth = 0;
  pair.server.on("MLSD", (turn) =>
    sendLines(
      turn,
      turn.argument === ""
        ? [fact("a", "dir", ""), fact("b", "dir", ""), fact("c", "dir", "")]
        : names,
    ));
  assertEquals(await count(pair.ftp.walk("")), 3 + 3 * names.length);
});
