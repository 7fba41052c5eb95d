import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTPMirrorError } from "../../mod.ts";
import { unhandledIn } from "../testing/unhandled.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";

const FAULT = new Error("the callback's own fault");

/** Fails after its call. */
async function late(): Promise<void> {
  await Promise.resolve();
  throw FAULT;
}

/** Fails in its call, but is async. */
function atOnce(): Promise<void> {
  return Promise.reject(FAULT);
}

/** Runs a call that must fail with the callback's fault, and nothing beside it. */
async function assertFault(call: () => Promise<unknown>): Promise<void> {
  const unhandled = await unhandledIn(async () => {
    const error = await assertRejects(call);
    assert(!(error instanceof FTPMirrorError));
    assertEquals(error, FAULT);
  });
  assertEquals(unhandled, []);
}

for (const callback of [late, atOnce]) {
  const name = callback === late ? "rejects later" : "rejects at once";

  Deno.test(`FTP.download and upload fail when onProgress ${name}`, async () => {
    await using server = await memoryServer({ "/a": new Uint8Array(500_000) });
    using folder = new LocalFolder();
    await using ftp = await server.client();
    const options = {
      onProgress: callback,
      progressRate: 1_000_000,
      maxRate: 5_000_000,
    };
    await assertFault(() => ftp.download("a", folder.at("a"), options));
    const data = new Uint8Array(500_000);
    await assertFault(() => ftp.upload(data, "b", options));
    assertEquals(await ftp.pwd(), "/");
    assertEquals(server.files.has("/b"), false);
  });

  Deno.test(`FTP.download fails when onRetry ${name}, and waits no longer`, async () => {
    await using server = await memoryServer({ "/a": "1" });
    server.on("RETR", "450 Busy");
    using folder = new LocalFolder();
    await using ftp = await server.client();
    await assertFault(() =>
      ftp.download("a", folder.at("a"), {
        retry: { delay: 100_000, maxDelay: 100_000 },
        onRetry: callback,
      })
    );
    assertEquals(server.verbs.filter((verb) => verb === "RETR").length, 1);
  });

  Deno.test(`FTP.walk fails when onError ${name}`, async () => {
    await using server = await memoryServer({ "/d/a": "1", "/e/b": "2" });
    server.on(
      "MLSD",
      (turn) => turn.argument === "/d" ? turn.reply(550, "No") : turn.default(),
    );
    await using ftp = await server.client();
    const walk = ftp.walk("/", { onError: callback });
    await assertFault(() => Array.fromAsync(walk));
    assertEquals(await ftp.pwd(), "/");
  });

  for (const call of ["list", "walk"] as const) {
    Deno.test(`FTP.${call} fails when onUnknown ${name}`, async () => {
      await using server = await memoryServer();
      server.on("MLSD", (turn) => turn.send("what is this?\r\n"));
      await using ftp = await server.client();
      const options = { command: "MLSD", onUnknown: callback } as const;
      await assertFault(() => Array.fromAsync<unknown>(ftp[call]("", options)));
      assertEquals(await ftp.pwd(), "/");
    });
  }

  for (const option of ["onEntry", "onProgress", "onRetry"]) {
    Deno.test(`FTP.downloadDir fails when ${option} ${name}`, async () => {
      await using server = await memoryServer({ "/d/a": "1", "/d/b": "2" });
      if (option === "onRetry") server.on("RETR", "450 Busy");
      using folder = new LocalFolder();
      await using ftp = await server.client();
      await assertFault(() =>
        ftp.downloadDir("d", folder.at("d"), {
          retry: { delay: 100_000, maxDelay: 100_000 },
          [option]: callback,
        })
      );
      assertEquals(await ftp.pwd(), "/");
    });
  }
}

Deno.test("FTP.download fails when an async onProgress throws at the only report", async () => {
  await using server = await memoryServer({ "/a": "1" });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await assertFault(() =>
    ftp.download("a", folder.at("a"), { onProgress: atOnce })
  );
});

Deno.test("FTP.download waits for an async onRetry, as long as its signal says", async () => {
  await using server = await memoryServer({ "/a": "1" });
  server.once("RETR", "450 Busy");
  using folder = new LocalFolder();
  await using ftp = await server.client();
  let isDone = false;
  await ftp.download("a", folder.at("a"), {
    retry: { delay: 1 },
    onRetry: async () => {
      await new Promise((done) => setTimeout(done, 20));
      isDone = true;
    },
  });
  assert(isDone);
  server.once("RETR", "450 Busy");
  const controller = new AbortController();
  await assertRejects(
    () =>
      ftp.download("a", folder.at("a"), {
        signal: controller.signal,
        onRetry: () => {
          controller.abort(FAULT);
          return new Promise<void>(() => {});
        },
      }),
    Error,
    FAULT.message,
  );
});
