import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  type DownloadOptions,
  type FTP,
  FTPTemporaryError,
} from "../../../mod.ts";
import {
  openPart,
  openRandomPart,
} from "../../../lib/files/download/part_file.ts";
import { makeData } from "../../real/client.ts";
import type { Turn } from "../../testing/scripted/mod.ts";
import { LocalFolder } from "../local_folder.ts";
import { makePipe } from "../../testing/make_pipe.ts";
import { memoryServer } from "../../testing/memory_server.ts";

const DATA = makeData(300_000);
const RESUME: DownloadOptions = { resume: true, retry: false };

/** A gate in the middle of a transfer: `held` when half of the data is out. */
function gate(): {
  held: Promise<void>;
  open: () => void;
  handler: (turn: Turn) => Promise<void>;
} {
  const held = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    held: held.promise,
    open: opened.resolve,
    async handler(turn) {
      const bytes = turn.server.files.get(`/${turn.argument}`)!;
      await turn.reply(150, "Here it comes");
      const data = await turn.openData();
      await data.write(bytes.subarray(0, bytes.length / 2));
      held.resolve();
      await opened.promise;
      await data.write(bytes.subarray(bytes.length / 2));
      await data.end();
      await turn.reply(226, "Done");
    },
  };
}

/** Sends some bytes, then says that it failed. */
async function cut(turn: Turn): Promise<void> {
  await turn.reply(150, "Here it comes");
  const data = await turn.openData();
  await data.write(DATA.subarray(0, 1000));
  await data.end();
  await turn.reply(451, "Cut");
}

/** Entries with the name of a part that must not be resumed. */
const PLANTS: readonly [
  name: string,
  plant: (victim: string, part: string) => void | Promise<void>,
  isForRoot?: boolean,
][] = [
  ["a symbolic link", Deno.symlinkSync],
  [
    "a symbolic link without a target",
    (victim, part) => Deno.symlinkSync(`${victim}-2`, part),
  ],
  ["a hard link", Deno.linkSync],
  ["a folder", (_, part) => Deno.mkdirSync(part)],
  ["a named pipe", (_, part) => makePipe(part)],
  ["a file that all users may write to", (_, part) => write(part, 0o666)],
  ["a file that its group may write to", (_, part) => write(part, 0o660)],
  [
    "another user's file that all may write to",
    (_, part) => write(part, 0o666, OTHER),
    true,
  ],
  ["another user's file", (_, part) => write(part, 0o644, OTHER), true],
];

/** The numbers of a user who is not the one that runs the tests. */
const OTHER = 1;

/** A false beginning whose end is that of a true one. */
const FALSE_START = new Uint8Array(200_000);
FALSE_START.set(DATA.subarray(100_000, 200_000), 100_000);

function write(path: string, mode: number, owner?: number): void {
  Deno.writeFileSync(path, FALSE_START);
  Deno.chmodSync(path, mode);
  if (owner !== undefined) Deno.chownSync(path, owner, owner);
}

/** Has a download broken off, and tells what it leaves. */
async function leavePart(
  server: { once(verb: string, handler: typeof cut): void },
  ftp: FTP,
  folder: LocalFolder,
): Promise<string> {
  server.once("RETR", cut);
  await assertRejects(
    () => ftp.download("data", folder.at("copy"), RESUME),
    FTPTemporaryError,
  );
  return folder.at(folder.names()[0]!);
}

for (const [name, plant, isForRoot = false] of PLANTS) {
  Deno.test({
    name: `FTP.download with resume leaves a planted part untouched: ${name}`,
    ignore: Deno.build.os === "windows" || (isForRoot && Deno.uid() !== 0),
    fn: async () => {
      await using server = await memoryServer({ "/data": DATA });
      using folder = new LocalFolder();
      const events: string[] = [];
      await using ftp = await server.client({
        trace: ({ direction, text }) => {
          if (direction === "event") events.push(text);
        },
      });
      const part = await leavePart(server, ftp, folder);
      Deno.removeSync(part);
      const victim = folder.at("victim");
      Deno.writeFileSync(victim, DATA.slice(0, 1000));
      await plant(victim, part);
      const before = Deno.lstatSync(part);
      const { bytes } = await ftp.download("data", folder.at("copy"), RESUME);
      assertEquals(bytes, DATA.length);
      assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
      assertEquals(Deno.readFileSync(victim), DATA.slice(0, 1000));
      const { ino, size, mtime } = Deno.lstatSync(part);
      assertEquals([ino, size, mtime], [before.ino, before.size, before.mtime]);
      assertEquals(folder.names().length, 3);
      const told = events.filter((text) => text.startsWith("not resumed"));
      assertEquals(told, [`not resumed: "${part}" may belong to another user`]);
      // what fails then leaves nothing of its own
      server.once("RETR", cut);
      await assertRejects(() =>
        ftp.download("data", folder.at("copy"), RESUME)
      );
      assertEquals(folder.names().length, 3);
    },
  });
}

Deno.test({
  name: "FTP.download makes a part private with any umask, but not the file",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using server = await memoryServer({ "/data": DATA });
    await using ftp = await server.client();
    const before = Deno.umask();
    try {
      for (const umask of [0o000, 0o002, 0o022, 0o077]) {
        for (const old of [undefined, 0o664, 0o600, 0o640]) {
          using folder = new LocalFolder();
          Deno.umask(umask);
          if (old !== undefined) write(folder.at("copy"), old);
          const part = await leavePart(server, ftp, folder);
          assertEquals(Deno.statSync(part).mode! & 0o777, 0o600);
          const { bytes } = await ftp.download(
            "data",
            folder.at("copy"),
            RESUME,
          );
          assertEquals(bytes, DATA.length - 1000);
          const { mode } = Deno.statSync(folder.at("copy"));
          assertEquals(mode! & 0o777, old ?? (0o666 & ~umask));
          assertEquals(folder.names(), ["copy"]);
        }
      }
    } finally {
      Deno.umask(before);
    }
  },
});

Deno.test({
  name: "FTP.download removes no part of another user",
  ignore: Deno.build.os === "windows" || Deno.uid() !== 0,
  fn: async () => {
    await using server = await memoryServer({ "/data": DATA });
    using folder = new LocalFolder();
    await using ftp = await server.client();
    const [own, shared, foreign] = ["d", "e", "f"].map((digit) =>
      `.copy.resume-0123456789abcde${digit}.part`
    );
    write(folder.at(own!), 0o644);
    write(folder.at(shared!), 0o664);
    write(folder.at(foreign!), 0o644, OTHER);
    await ftp.download("data", folder.at("copy"), RESUME);
    assertEquals(folder.names(), [shared, foreign, "copy"]);
    write(folder.at(own!), 0o644);
    server.put("/dir/copy", "another");
    await ftp.downloadDir("dir", folder.path, { resume: true });
    assertEquals(folder.names(), [shared, foreign, "copy"]);
  },
});

Deno.test({
  name:
    "FTP.download in place does not resume a file that others may have written",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using server = await memoryServer({ "/data": DATA });
    using folder = new LocalFolder();
    await using ftp = await server.client();
    const copy = folder.at("copy");
    const fetch = async (mode: number, owner?: number) => {
      write(copy, mode, owner);
      const options = { ...RESUME, atomic: false };
      const { bytes } = await ftp.download("data", copy, options);
      return bytes;
    };
    assertEquals(await fetch(0o666), DATA.length);
    assertEquals(Deno.readFileSync(copy), DATA);
    Deno.removeSync(copy);
    // the end of its own is believed, which only a hash could disprove
    assert(await fetch(0o644) < DATA.length);
    Deno.removeSync(copy);
    if (Deno.uid() !== 0) return;
    assertEquals(await fetch(0o644, OTHER), DATA.length);
    assertEquals(Deno.readFileSync(copy), DATA);
  },
});

Deno.test({
  name: "FTP.download puts nothing in place but what it has written",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using server = await memoryServer({ "/data": DATA });
    using folder = new LocalFolder();
    await using ftp = await server.client();
    for (const options of [{}, { resume: true }]) {
      const { held, open, handler } = gate();
      server.once("RETR", handler);
      const downloading = ftp.download("data", folder.at("copy"), options);
      await held;
      const part = folder.at(folder.names()[0]!);
      Deno.renameSync(part, folder.at("away"));
      Deno.writeFileSync(part, FALSE_START);
      open();
      await assertRejects(
        () => downloading,
        Deno.errors.NotFound,
        "was removed or replaced during the download; download again",
      );
      assertEquals(folder.names().length, 2); // what was put there stays
      Deno.removeSync(part);
      Deno.removeSync(folder.at("away"));
    }
  },
});

Deno.test("openPart does not take a file for a part that is in its place by now", () => {
  using folder = new LocalFolder();
  const part = folder.at("part");
  Deno.writeTextFileSync(part, "complete");
  const { openSync } = Deno;
  let calls = 0;
  Deno.openSync = (path, options) => {
    const file = openSync(path, options);
    // the other download gets there between opening and locking
    if (++calls === 1) Deno.renameSync(part, folder.at("target"));
    return file;
  };
  try {
    using file = openPart(part)!;
    assertEquals(file.statSync().size, 0);
    assertEquals(calls, 2);
  } finally {
    Deno.openSync = openSync;
  }
  assertEquals(Deno.readTextFileSync(folder.at("target")), "complete");
});

Deno.test("openPart makes do without the numbers of files, as on Windows", () => {
  using folder = new LocalFolder();
  const part = folder.at("part");
  Deno.writeTextFileSync(part, "half");
  const { lstatSync } = Deno;
  let other: Partial<Deno.FileInfo> = {};
  Deno.lstatSync = (path) => ({ ...lstatSync(path), ino: null, ...other });
  try {
    openPart(part)!.close();
    other = { size: 17 };
    try {
      openPart(part)!.close();
      assert(false, "another file was taken for the part");
    } catch (error) {
      assert(error instanceof Deno.errors.Busy, String(error));
    }
  } finally {
    Deno.lstatSync = lstatSync;
  }
});

Deno.test("FTP.download does not touch the part of another running download", async () => {
  await using server = await memoryServer({ "/large": DATA, "/small": "x" });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await using other = await server.client();
  const { held, open, handler } = gate();
  server.once("RETR", handler);
  const downloading = ftp.download("large", folder.at("copy"), RESUME);
  await held;
  await other.download("small", folder.at("copy"), RESUME);
  assertEquals(folder.names().length, 2);
  open();
  await downloading;
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
  assertEquals(folder.names(), ["copy"]);
});

Deno.test("FTP.download succeeds if its file is in place, even if cleaning up fails", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  // neither of them is a part that can be removed
  Deno.mkdirSync(folder.at(".copy.resume-0123456789abcdef.part"));
  Deno.symlinkSync("copy", folder.at(".copy.resume-0123456789abcdee.part"));
  const { readDirSync } = Deno;
  await ftp.download("data", folder.at("copy"), RESUME);
  assertEquals(folder.names().length, 3);
  Deno.readDirSync = () => {
    throw new Deno.errors.PermissionDenied("Not yours");
  };
  try {
    await ftp.download("data", folder.at("copy"), RESUME);
  } finally {
    Deno.readDirSync = readDirSync;
  }
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
});

Deno.test("FTP.download in place refuses a file that another download writes to", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await using other = await server.client();
  const { held, open, handler } = gate();
  server.once("RETR", handler);
  const options: DownloadOptions = { atomic: false, retry: false };
  const downloading = ftp.download("data", folder.at("copy"), options);
  await held;
  await assertRejects(
    () => other.download("data", folder.at("copy"), options),
    Deno.errors.Busy,
    `Cannot write to "${folder.at("copy")}": another download is writing to it`,
  );
  open();
  await downloading;
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
  await other.download("data", folder.at("copy"), options);
});

Deno.test("FTP.download in place notices that its file was replaced meanwhile", async () => {
  await using server = await memoryServer({ "/data": DATA, "/other": "x" });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await using other = await server.client();
  const { held, open, handler } = gate();
  server.once("RETR", handler);
  const downloading = ftp.download("data", folder.at("copy"), {
    atomic: false,
    retry: false,
  });
  await held;
  await other.download("other", folder.at("copy"));
  open();
  await assertRejects(
    () => downloading,
    Deno.errors.NotFound,
    "the file was removed or replaced during the download",
  );
  assertEquals(Deno.readTextFileSync(folder.at("copy")), "x");
});

Deno.test("FTP.download rejects an invalid local name before anything is sent", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const before = server.commands.length;
  const name = folder.at("missing/");
  await assertRejects(
    () => ftp.download("data", name),
    TypeError,
    `Cannot download to "${name}": it is not the name of a file`,
  );
  Deno.writeTextFileSync(folder.at("file"), "");
  const below = folder.at("file/copy");
  await assertRejects(
    () => ftp.download("data", below),
    Error,
    `Cannot download to "${below}": `,
  );
  assertEquals(server.commands.length, before);
});

Deno.test("FTP.download says what became of its target meanwhile", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  for (const options of [{}, { resume: true }]) {
    Deno.mkdirSync(folder.at("gone"));
    let { held, open, handler } = gate();
    server.once("RETR", handler);
    const target = folder.at("gone/copy");
    let downloading = ftp.download("data", target, options);
    await held;
    Deno.removeSync(folder.at("gone"), { recursive: true });
    open();
    await assertRejects(
      () => downloading,
      Deno.errors.NotFound,
      `Cannot download to "${target}": the folder "${
        folder.at("gone")
      }" was removed during the download; create it`,
    );
    ({ held, open, handler } = gate());
    server.once("RETR", handler);
    downloading = ftp.download("data", folder.at("copy"), options);
    await held;
    Deno.mkdirSync(folder.at("copy"));
    open();
    await assertRejects(
      () => downloading,
      Deno.errors.IsADirectory,
      `Cannot download to "${
        folder.at("copy")
      }": it became a directory during the download; remove it`,
    );
    Deno.removeSync(folder.at("copy"));
  }
  await ftp.download("data", folder.at("copy"), { resume: true });
  assertEquals(folder.names(), ["copy"]);
});

Deno.test("FTP.download makes what a link points to that points to nothing", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  Deno.mkdirSync(folder.at("a/b"), { recursive: true });
  Deno.symlinkSync("a/b", folder.at("folder"));
  Deno.symlinkSync("folder/../second", folder.at("first"));
  Deno.symlinkSync(folder.at("third"), folder.at("a/second"));
  await ftp.download("data", folder.at("first"));
  assert(Deno.lstatSync(folder.at("first")).isSymlink);
  assert(Deno.lstatSync(folder.at("a/second")).isSymlink);
  assertEquals(Deno.readFileSync(folder.at("third")), DATA);
  // ".." behind a link is not the folder that the text names
  await ftp.download("data", folder.at("folder/../below"));
  assertEquals(Deno.readFileSync(folder.at("a/below")), DATA);
  Deno.symlinkSync("circle", folder.at("circle"));
  await assertRejects(
    () => ftp.download("data", folder.at("circle")),
    Error,
    `Cannot download to "${folder.at("circle")}": `,
  );
});

Deno.test("FTP.download keeps the old file if the last onProgress throws", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  Deno.writeTextFileSync(folder.at("copy"), "old");
  const fault = new Error("In the callback");
  const error = await assertRejects(() =>
    ftp.download("data", folder.at("copy"), {
      onProgress({ done }) {
        if (done) throw fault;
      },
    })
  );
  assertEquals(error, fault);
  assertEquals(Deno.readTextFileSync(folder.at("copy")), "old");
  assertEquals(folder.names(), ["copy"]);
});

Deno.test("FTP.download with sync writes the file to disk before it is renamed", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const { sync } = Deno.FsFile.prototype;
  const seen: boolean[] = [];
  Deno.FsFile.prototype.sync = function () {
    seen.push(folder.names().includes("copy"));
    return sync.call(this);
  };
  try {
    await ftp.download("data", folder.at("copy"));
    Deno.removeSync(folder.at("copy"));
    await ftp.download("data", folder.at("copy"), { sync: true });
    await ftp.download("data", "/dev/null", { sync: true });
  } finally {
    Deno.FsFile.prototype.sync = sync;
  }
  assertEquals(seen, [false]);
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
});

Deno.test("FTP.download has succeeded when only its time may not be set", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const { utimeSync } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.utimeSync = () => {
    // of another user's file
    throw new Deno.errors.PermissionDenied("Operation not permitted");
  };
  try {
    for (const atomic of [true, false]) {
      const { mtime } = await ftp.download("data", folder.at("copy"), {
        atomic,
        retry: false,
      });
      assertEquals(mtime, null);
      assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
    }
  } finally {
    Deno.FsFile.prototype.utimeSync = utimeSync;
  }
  const { mtime } = await ftp.download("data", folder.at("copy"));
  assertEquals(Deno.statSync(folder.at("copy")).mtime, mtime);
  assertEquals((await ftp.download("data", "/dev/null")).mtime, null);
});

Deno.test("FTP.download resumes where the file system has no locks", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const { tryLockSync } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.tryLockSync = () => {
    throw new Error("No locks available (os error 37)");
  };
  try {
    server.once("RETR", cut);
    await assertRejects(
      () => ftp.download("data", folder.at("copy"), RESUME),
      FTPTemporaryError,
      "451",
    );
    const { bytes } = await ftp.download("data", folder.at("copy"), RESUME);
    assertEquals(bytes, DATA.length - 1000);
  } finally {
    Deno.FsFile.prototype.tryLockSync = tryLockSync;
  }
  assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
  assertEquals(folder.names(), ["copy"]);
});

Deno.test("FTP.download is no success where another program has written to the unfinished file", async () => {
  for (const atomic of [true, false]) {
    await using server = await memoryServer({ "/a": DATA });
    using folder = new LocalFolder();
    const { held, open, handler } = gate();
    server.once("RETR", handler);
    await using ftp = await server.client();
    const options = { retry: false, atomic } as const;
    const downloading = ftp.download("a", folder.at("a"), options);
    await held;
    const [name] = folder.names();
    Deno.truncateSync(folder.at(name!), DATA.length + 10);
    open();
    const error = await assertRejects(
      () => downloading,
      Deno.errors.InvalidData,
    );
    assertMatch(error.message, /has 300010 bytes instead of 300000/);
    if (atomic) assertEquals(folder.names(), []);
  }
});

Deno.test("openRandomPart creates one file where the file system counts no names", () => {
  using folder = new LocalFolder();
  const { openSync } = Deno;
  let calls = 0;
  Deno.openSync = (path, options) => {
    if (++calls > 20) throw new Error("too many files");
    const file = openSync(path, options);
    const statSync = file.statSync.bind(file);
    file.statSync = () => ({ ...statSync(), nlink: 0 });
    return file;
  };
  try {
    openRandomPart(folder.at("x"), undefined).file.close();
  } finally {
    Deno.openSync = openSync;
  }
  assertEquals(folder.names().length, 1);
});
