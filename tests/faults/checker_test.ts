/** The checks of these tests detect the errors of careless clients. */

import { assert, assertEquals, assertFalse } from "@std/assert";
import type { DownloadOptions, FTP } from "../../mod.ts";
import { isIgnored } from "../testing/servers/mod.ts";
import { type CaseFault, type FaultCase, slowedDown } from "./fault_case.ts";
import { ProxiedServer } from "./proxied_server.ts";
import { LeakTracker } from "./leak_tracker.ts";
import { CLIENT, type Client } from "./client.ts";
import type { Problem } from "./case_report.ts";
import { measureTimeScale } from "./time_scale.ts";
import { runCase } from "./run_case.ts";

const CUT: CaseFault = {
  channel: "data",
  index: 0,
  from: "start",
  direction: "down",
  offset: 50_000,
  fault: "close",
  duration: 0,
};

const DOWNLOAD: FaultCase = {
  seed: 1,
  server: "vsftpd",
  tls: false,
  direction: "download",
  size: 300_000,
  oldSize: 1000,
  source: "bytes",
  inDirectory: true,
  timeout: 500,
  sharesName: false,
  options: {
    retry: false,
    resume: false,
    atomic: true,
    verify: "size",
    mtime: false,
    keepAlive: 0,
  },
  faults: [CUT],
  kill: undefined,
  abort: undefined,
  pipelining: true,
  timeScale: 1,
};

const UPLOAD: FaultCase = {
  ...DOWNLOAD,
  direction: "upload",
  faults: [{ ...CUT, direction: "up" }],
};

const UNHARMED: FaultCase = { ...DOWNLOAD, faults: [] };

/** Writes straight to the target. */
async function writeThrough(
  ftp: FTP,
  remote: string | Uint8Array,
  local: string | URL,
): Promise<{ size: number; retries: number }> {
  using file = Deno.openSync(local, {
    write: true,
    create: true,
    truncate: true,
  });
  let size = 0;
  await ftp.retrbinary(`RETR ${remote}`, (block) => {
    size += file.writeSync(block);
  });
  return { size, retries: 0 };
}

/** A careless client, its options, and the problem that must be detected. */
interface Careless {
  title: string;
  faultCase: FaultCase;
  client: Partial<Client>;
  kind: Problem["kind"];
  text: RegExp;
}

const CARELESS: readonly Careless[] = [
  {
    title: "writes to the target itself",
    faultCase: { ...DOWNLOAD, faults: [{ ...CUT, fault: "reset" }] },
    client: { download: writeThrough },
    kind: "loss",
    text: /the call failed, and the file has \d+ of 300000 bytes$/,
  },
  {
    title: "takes the end of the data for its success",
    faultCase: DOWNLOAD,
    client: {
      download: async (...args) => {
        const [ftp, remote, local] = args;
        await writeThrough(ftp, remote, local).catch(() => {});
        return { size: 300_000, retries: 0 };
      },
    },
    kind: "loss",
    text: /success was reported, but the file has/,
  },
  {
    title: "says that it did what it did not do",
    faultCase: DOWNLOAD,
    client: {
      download: () => Promise.resolve({ size: 300_000, retries: 0 }),
    },
    kind: "loss",
    text: /success was reported, but the old file is there/,
  },
  {
    title: "believes a server that confirms half a file",
    faultCase: UPLOAD,
    client: {
      upload: async (ftp, source, remote) => {
        const store = () => ftp.store(remote, source as Uint8Array);
        await store().catch(() => {});
        return { size: 300_000, retries: 0 };
      },
    },
    kind: "loss",
    text: /success was reported, but the file has/,
  },
  {
    title: "fetches another file of the same name",
    faultCase: { ...UNHARMED, size: 1000 },
    client: {
      download: async (ftp, remote, local, options) => {
        await ftp.cwd("/");
        const result = await ftp.download(remote, local, options);
        return { ...result, size: 1000 };
      },
    },
    kind: "loss",
    text: /the file has 1001 of 1000 bytes that differ from byte 0 on/,
  },
  {
    title: "reports another size",
    faultCase: UNHARMED,
    client: {
      download: async (ftp, ...rest) => ({
        ...await ftp.download(...rest),
        size: 1,
      }),
    },
    kind: "loss",
    text: /1 bytes were reported/,
  },
  {
    title: "leaves its temporary file",
    faultCase: UNHARMED,
    client: {
      download: async (ftp, remote, local, options: DownloadOptions = {}) => {
        Deno.writeTextFileSync(`${local}.part`, "");
        return await ftp.download(remote, local, options);
      },
    },
    kind: "leftover",
    text: /\.part was left here/,
  },
  {
    title: "leaves its temporary file on the server",
    faultCase: { ...UPLOAD, faults: [] },
    client: {
      upload: async (ftp, source, remote, options) => {
        await ftp.store(".part", new Uint8Array(1));
        return await ftp.upload(source, remote, options);
      },
    },
    kind: "leftover",
    text: /\.part was left there/,
  },
  {
    title: "waits for ever",
    faultCase: { ...UNHARMED, size: 0 },
    client: { download: () => new Promise(() => {}) },
    kind: "hang",
    text: /no end within \d+ ms/,
  },
  {
    title: "is one reply behind",
    faultCase: UNHARMED,
    client: {
      pwd: async (ftp) => (await ftp.voidcmd("NOOP")).text,
    },
    kind: "state",
    text: /PWD gave "200 /,
  },
  {
    title: "cannot be used after an error, and does not say so",
    faultCase: DOWNLOAD,
    client: {
      pwd: () => Promise.reject(new Deno.errors.UnexpectedEof("gone")),
    },
    kind: "state",
    text: /PWD failed afterwards/,
  },
  {
    title: "throws an undocumented error",
    faultCase: UNHARMED,
    client: {
      download: () => Promise.reject(new SyntaxError("careless")),
    },
    kind: "state",
    text: /an error of an unexpected class: SyntaxError/,
  },
  {
    title: "fails although nothing happens to it",
    faultCase: UNHARMED,
    client: {
      download: () => Promise.reject(new Deno.errors.TimedOut("slow")),
    },
    kind: "undisturbed",
    text: /nothing happened, and the call failed: TimedOut: slow/,
  },
];

Deno.test({
  name: "runCase sees what a careless client does",
  ignore: isIgnored("vsftpd"),
  fn: async (context) => {
    using tracker = new LeakTracker();
    await using proxied = await ProxiedServer.start("server-0.test", DOWNLOAD);
    const { factor } = await measureTimeScale([proxied], tracker);
    const run = (faultCase: FaultCase, client: Partial<Client> = {}) =>
      runCase(proxied, slowedDown(faultCase, factor), tracker, {
        ...CLIENT,
        ...client,
      });
    await context.step("the client of this module has no problem", async () => {
      for (const faultCase of [DOWNLOAD, UPLOAD, UNHARMED]) {
        const { problems, happened } = await run(faultCase);
        assertEquals(problems, []);
        assertEquals(happened.length, faultCase.faults.length);
      }
    });
    for (const { title, faultCase, client, kind, text } of CARELESS) {
      await context.step(`a client that ${title}`, async () => {
        const { problems } = await run(faultCase, client);
        const seen = problems.some((problem) =>
          problem.kind === kind && text.test(problem.text)
        );
        assert(seen, Deno.inspect(problems));
      });
    }
    await context.step("a client that shows the password", async () => {
      const { problems } = await run(UNHARMED, {
        download: () => Promise.reject(new Error(`PASS ${proxied.password}`)),
      });
      assert(problems.some(({ kind }) => kind === "secret"));
    });
    await context.step("a client that forgets what it opened", async () => {
      const opened: Disposable[] = [];
      const { problems } = await run(UNHARMED, {
        download: async (ftp, remote, local, options) => {
          const { host, port } = proxied;
          opened.push(await Deno.connect({ hostname: host, port }));
          opened.push(Deno.openSync("."));
          return await ftp.download(remote, local, options);
        },
      });
      for (const resource of opened) resource[Symbol.dispose]();
      assertEquals(problems, [
        { kind: "leak", text: `connection to ${proxied.host}:${proxied.port}` },
        { kind: "leak", text: "file ." },
      ]);
    });
    await context.step("a server that does not start again", async () => {
      const { restart } = proxied;
      let times = 0;
      proxied.restart = async () => {
        times++;
        await Promise.resolve();
        throw new Error("The port is taken");
      };
      const kill = { event: 0, wait: 0, restart: true };
      const { problems } = await run({ ...UNHARMED, kill });
      assertEquals(
        problems,
        Array(2).fill({ kind: "restart", text: "Error: The port is taken" }),
      );
      assertEquals(times, 2);
      assertFalse(proxied.isServing);
      await restart.call(proxied);
      assert(proxied.isServing);
    });
  },
});
