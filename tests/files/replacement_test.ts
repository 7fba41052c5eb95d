import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  type FileTransferResult,
  FTP,
  FTPError,
  type UploadOptions,
} from "../../mod.ts";
import { logIn, makeData } from "../real/client.ts";
import type { ScriptedSession } from "../testing/scripted/mod.ts";
import { Proxy } from "../testing/proxy.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";
import { logInThrough } from "./upload/cut_uploads.ts";
import { LocalFolder, namesIn } from "./local_folder.ts";
import { type MemoryServer, memoryServer } from "../testing/memory_server.ts";

const NEW = makeData(30_000);
/** As long as the new file: a size tells nothing. */
const OLD = NEW.map((byte) => byte ^ 1);

/** Faults of an `RNTO`, before or after it is executed. */
type Fault = { kind: "refused" | "busy" | "lost"; when: "before" | "after" };

const FAULTS: Fault[] = (["refused", "busy", "lost"] as const).flatMap((kind) =>
  (["before", "after"] as const).map((when) => ({ kind, when }))
);

/** Whether a rename is confirmed or refused with an odd reply. */
interface Renaming {
  /** Faults by the number of the `RNTO`. */
  faults: Record<number, Fault>;
  /** Whether a file that exists is never replaced. */
  isStrict?: boolean;
}

/** ProFTPD's default, where nothing may be renamed over a file. */
const NO_OVERWRITE = ["<Directory ~>", "AllowOverwrite off", "</Directory>"];

/** Has a server rename with faults; a lost session obeys nothing any more. */
function script(server: MemoryServer, { faults, isStrict }: Renaming): void {
  const lost = new Set<ScriptedSession>();
  let count = 0;
  server.on("RNTO", async (turn) => {
    const { session, argument } = turn;
    const from = session.renameFrom;
    session.renameFrom = undefined;
    if (lost.has(session)) return;
    const fault = faults[count++];
    const path = `/${argument}`;
    const isRefused = from === undefined || fault?.when === "before" ||
      (isStrict === true && server.files.has(path));
    if (!isRefused) {
      server.put(path, server.files.get(from)!);
      server.files.delete(from);
    }
    if (fault?.kind === "lost") {
      lost.add(session);
      turn.close();
    } else if (fault?.kind === "busy") await turn.reply(450, "Busy");
    else if (fault !== undefined || isRefused) await turn.reply(553, "No");
    else await turn.reply(250, "Renamed");
  });
  for (const verb of ["RNFR", "DELE", "SIZE", "RETR"]) {
    server.on(
      verb,
      (turn) => lost.has(turn.session) ? undefined : turn.default(),
    );
  }
}

/** Uploads over the old file; what is under every name is one of the two. */
async function check(
  renaming: Renaming,
  options: UploadOptions,
  { isStream = false, old = OLD as Uint8Array | undefined } = {},
): Promise<"new" | "old" | "missing"> {
  await using server = await memoryServer();
  if (old !== undefined) server.put("/data", old);
  script(server, renaming);
  using folder = new LocalFolder();
  Deno.writeFileSync(folder.at("data"), NEW);
  await using ftp = await server.client();
  let result: FileTransferResult | undefined;
  let failure: Error | undefined;
  try {
    const source = isStream ? ReadableStream.from([NEW]) : folder.at("data");
    result = await ftp.upload(source, "data", { retry: false, ...options });
  } catch (error) {
    failure = error as Error;
  }
  const now = server.files.get("/data");
  const isNew = now !== undefined && isSame(now, NEW);
  const state = now === undefined ? "missing" : isNew ? "new" : "old";
  const told = JSON.stringify([renaming, options, isStream, failure?.message]);
  assert(
    isNew || old === undefined || (now && isSame(now, old)),
    `lost: ${told}`,
  );
  if (result !== undefined) assert(isNew, `no success: ${told}`);
  else {assert(
      !isNew ||
        /did not (say|confirm)|nothing else tells/.test(failure!.message),
      `no failure: ${told}`,
    );}
  const others = [...server.files.keys()].filter((path) => path !== "/data");
  if (result !== undefined) assertEquals(others, [], told);
  else if (options.resume) assert(others.length <= 1, told);
  else assertEquals(others, [], told);
  return state;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

const MODES: UploadOptions[] = [
  {},
  { replace: "delete" },
  { replace: "delete", temporaryName: (name) => `${name}.tmp` },
  { resume: true, replace: "delete" },
  { retry: { delay: 1, attempts: 2 }, replace: "delete" },
  { retry: { delay: 1, attempts: 2 } },
];

for (const options of MODES) {
  const name = JSON.stringify({
    ...options,
    temporaryName: options.temporaryName && "fixed",
  });
  for (const isStrict of [false, true]) {
    Deno.test(`FTP.upload leaves the old file or the new one, and says which, whatever becomes of a rename (${name}, ${isStrict ? "nothing is renamed over" : "files are renamed over"})`, async () => {
      // each has a server of its own, and waits most of the time
      await Promise.all(FAULTS.map(async (fault) => {
        for (let at = 0; at < 4; at++) {
          await check({ faults: { [at]: fault }, isStrict }, options);
        }
        await check(
          { faults: { 0: fault, 1: fault, 2: fault }, isStrict },
          options,
        );
        await check({ faults: { 0: fault }, isStrict }, options, {
          old: undefined,
        });
        await check({ faults: { 0: fault }, isStrict }, options, {
          isStream: true,
        });
        await check({ faults: { 0: fault }, isStrict }, options, {
          isStream: true,
          old: OLD.subarray(1),
        });
      }));
    });
  }
}

/** The server's files, with `old` and `new` for their contents. */
function contents(server: MemoryServer): [path: string, content: string][] {
  return [...server.files].map(([path, bytes]) => [
    path.replace(/^\/\.data\.[0-9a-f]+\.part$/, "PART"),
    isSame(bytes, NEW) ? "new" : isSame(bytes, OLD) ? "old" : "other",
  ]);
}

Deno.test("FTP.upload brings the old file back where the new one cannot have its name", async () => {
  await using server = await memoryServer();
  server.put("/data", OLD);
  server.on("RNTO", async (turn) => {
    const { argument, session } = turn;
    const from = session.renameFrom!;
    // the new file is refused for a reason of its own
    if (argument === "data" && isSame(server.files.get(from)!, NEW)) {
      return await turn.reply(553, "Not this one");
    }
    await turn.default();
  });
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.upload(NEW, "data", { retry: false, replace: "delete" }),
    FTPError,
    "the old file is in its place again",
  );
  assertEquals(contents(server), [["/data", "old"]]);
  assertEquals(server.commands.some((line) => line === "DELE data"), false);
});

Deno.test("FTP.upload says under which names both files are where neither can have its own", async () => {
  await using server = await memoryServer();
  server.put("/data", OLD);
  server.on("RNTO", async (turn) => {
    if (turn.argument === "data") return await turn.reply(553, "Not this");
    await turn.default();
  });
  await using ftp = await server.client();
  const { message } = await assertRejects(
    () => ftp.upload(NEW, "data", { retry: false, replace: "delete" }),
    FTPError,
    "nor the old file back",
  );
  const [aside, part] = [OLD, NEW].map((wanted) =>
    [...server.files].find(([, bytes]) => isSame(bytes, wanted))![0].slice(1)
  );
  assertEquals(server.files.size, 2);
  assertMatch(message, new RegExp(`the old file is "${aside}".*"${part}"`));
});

Deno.test("FTP.upload moves the old file aside and the new one in its place in one round trip, and deletes the old one last", async () => {
  await using server = await memoryServer();
  server.put("/data", OLD);
  server.on("RNTO", async (turn) => {
    if (server.files.has(`/${turn.argument}`)) {
      return await turn.reply(550, "It exists");
    }
    await turn.default();
  });
  await using ftp = await server.client();
  await ftp.upload(NEW, "data", { retry: false, replace: "delete" });
  assertEquals(contents(server), [["/data", "new"]]);
  const verbs = server.verbs.slice(server.verbs.indexOf("RNFR"));
  const swap = "RNFR RNTO RNFR RNTO";
  assertMatch(verbs.join(" "), new RegExp(`^RNFR RNTO .*${swap} .*DELE$`));
});

Deno.test("FTP.upload does not take the server's word for a rename that it did not do", async () => {
  for (const old of [OLD, OLD.subarray(1), undefined]) {
    await using server = await memoryServer();
    if (old !== undefined) server.put("/data", old);
    server.on("RNTO", "250 Done");
    await using ftp = await server.client();
    await assertRejects(
      () => ftp.upload(NEW, "data", { retry: false }),
      FTPError,
      "the server confirmed the rename, but the file is still",
    );
    assertEquals(server.files.get("/data"), old);
    assertEquals(server.files.size, old === undefined ? 0 : 1);
  }
});

Deno.test("FTP.upload takes its time where a renamed file is shown late", async () => {
  await using server = await memoryServer();
  server.put("/data", OLD.subarray(1));
  await using ftp = await server.client();
  let looks = 0;
  server.on("SIZE", async (turn) => {
    const isLate = turn.argument === "data" && server.verbs.includes("RNTO") &&
      looks++ < 3;
    if (isLate) await turn.reply(550, "Nothing there");
    else await turn.default();
  });
  const { retries } = await ftp.upload(NEW, "data");
  assertEquals(retries, 0);
  assertEquals(contents(server), [["/data", "new"]]);
});

Deno.test("FTP.upload tells the name of the old file where it is aborted and nothing can be put back", async () => {
  await using server = await memoryServer();
  server.put("/data", OLD);
  const controller = new AbortController();
  server.on("RNTO", async (turn) => {
    if (turn.argument !== "data") return await turn.default();
    if (server.files.has("/data")) return await turn.reply(550, "It exists");
    controller.abort(new Error("Enough"));
    await turn.reply(550, "Not any more");
  });
  await using ftp = await server.client();
  const { signal } = controller;
  await assertRejects(
    () => ftp.upload(NEW, "data", { signal, replace: "delete" }),
    FTPError,
    "the old file is",
  );
  assertEquals(server.files.size, 2);
});

Deno.test("FTP.upload brings the old file back where it is aborted in between", async () => {
  await using server = await memoryServer();
  server.put("/data", OLD);
  const controller = new AbortController();
  const reason = new Error("Enough");
  let isFirst = true;
  server.on("RNTO", async (turn) => {
    if (turn.argument !== "data") return await turn.default();
    if (server.files.has("/data")) return await turn.reply(550, "It exists");
    if (!isFirst) return await turn.default();
    isFirst = false;
    controller.abort(reason);
    await turn.reply(550, "Not now");
  });
  await using ftp = await server.client();
  const { signal } = controller;
  const error = await assertRejects(() =>
    ftp.upload(NEW, "data", { signal, replace: "delete" })
  );
  assertEquals(error, reason);
  assertEquals(contents(server), [["/data", "old"]]);
  assertEquals(await ftp.size("data"), OLD.length);
});

serverTest(
  "FTP.upload moves the old file aside on every server, if it has to",
  async (server) => {
    await server.write("data", OLD);
    await using ftp = await logIn(server);
    await ftp.upload(NEW, "data", { replace: "delete" });
    assertEquals(await server.read("data"), NEW);
    assertEquals(namesIn(server.root), ["data"]);
  },
);

/** Bytes of the commands and of the replies up to the end of an upload. */
async function measure(
  server: RealServer,
  options: UploadOptions,
): Promise<{ up: number; down: number }> {
  const sizes = { up: 0, down: 0 };
  const ftp = new FTP({
    trace: (event) => {
      if (event.direction === "event") return;
      const direction = event.direction === "sent" ? "up" : "down";
      const text = event.text.replace(/^PASS .*/, `PASS ${server.password}`);
      sizes[direction] += text.replaceAll("\n", "\r\n").trimEnd().length + 2;
    },
  });
  await ftp.connect(server.host, server.port);
  await ftp.login(server.user, server.password);
  await ftp.upload(NEW, "data", options);
  ftp.close();
  return sizes;
}

for (const replace of ["rename", "delete"] as const) {
  serverTest(
    `FTP.upload leaves the complete old or new file if the connection is lost at any byte of the rename (${replace})`,
    async (server) => {
      const options: UploadOptions = { replace, retry: { delay: 1 } };
      await server.write("data", OLD);
      const sizes = await measure(server, options);
      const counts = { cut: 0, done: 0 };
      for (const direction of ["up", "down"] as const) {
        // not within SITE CHMOD: ProFTPD would obey half of it
        for (let back = 1; back < 86; back += 6) {
          await server.write("data", OLD);
          const offset = sizes[direction] - back;
          await using proxy = await Proxy.start(server, {
            plan: ({ channel, index }) =>
              channel === "control" && index === 0
                ? [{ direction, offset, fault: "reset" }]
                : [],
          });
          await using ftp = await logInThrough(proxy, server, {
            timeout: 5000,
          });
          const failure = await ftp.upload(NEW, "data", options)
            .then(() => undefined, (error) => error);
          const now = await server.read("data");
          const told = `${direction} ${back}: ${failure}`;
          assert(isSame(now, failure === undefined ? NEW : OLD), told);
          const names = namesIn(server.root).filter((name) => name !== "data");
          if (failure === undefined) assertEquals(names, [], told);
          // ProFTPD obeys half a command: RNTO to half a name
          else assertEquals(server.name, "proftpd", told);
          for (const name of names) Deno.removeSync(`${server.root}/${name}`);
          counts.cut += proxy.faults.length;
          counts.done++;
        }
      }
      // the last bytes of a reply may be more than were counted
      assert(counts.cut > counts.done / 2, JSON.stringify(counts));
    },
    {
      passivePorts: 20,
      ...(replace === "delete"
        ? { servers: ["proftpd"], extra: NO_OVERWRITE }
        : {}),
    },
  );
}
