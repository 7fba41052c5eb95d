import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type DownloadOptions, FTPTemporaryError } from "../../mod.ts";
import { openPart } from "../../lib/files/part_file.ts";
import { makeData } from "../real/client.ts";
import type { Turn } from "../scripted/mod.ts";
import { LocalFolder } from "./local_folder.ts";
import { memoryServer } from "./memory_server.ts";

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

Deno.test("FTP.download does not resume through a link that somebody planted", async (context) => {
  const plants: [
    name: string,
    message: RegExp,
    plant: (victim: string, part: string) => void,
  ][] = [
    ["a symbolic link", /it is a symbolic link/, Deno.symlinkSync],
    [
      "a symbolic link to nothing",
      /it is a symbolic link/,
      (victim, part) => Deno.symlinkSync(`${victim}-2`, part),
    ],
    ["a hard link", /more than one name \(hard links\)/, Deno.linkSync],
    ["a folder", /it is no file/, (_, part) => Deno.mkdirSync(part)],
  ];
  for (const [name, message, plant] of plants) {
    await context.step(name, async () => {
      await using server = await memoryServer({ "/data": DATA });
      using folder = new LocalFolder();
      await using ftp = await server.client();
      server.once("RETR", cut);
      await assertRejects(() =>
        ftp.download("data", folder.at("copy"), RESUME)
      );
      const part = folder.at(folder.names()[0]!);
      const victim = folder.at("victim");
      Deno.removeSync(part);
      // as the part would be, and more: a look at its end does not tell
      const before = new Blob([DATA.slice(0, 1000), "precious"]);
      Deno.writeFileSync(victim, await before.bytes());
      plant(victim, part);
      const error = await assertRejects(
        () => ftp.download("data", folder.at("copy"), RESUME),
        Deno.errors.InvalidData,
        `Cannot resume with "${part}"`,
      );
      assertMatch(error.message, message);
      assertMatch(error.message, /remove it, or download with/);
      assertEquals(Deno.readFileSync(victim), await before.bytes());
      assertEquals(folder.names().length, 2);
      await ftp.download("data", folder.at("copy"), { resume: false });
      assertEquals(Deno.readFileSync(folder.at("copy")), DATA);
      assertEquals(Deno.readFileSync(victim), await before.bytes());
    });
  }
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
    using file = openPart(part, undefined);
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
    openPart(part, undefined).close();
    other = { size: 17 };
    try {
      openPart(part, undefined).close();
      assert(false, "another file was taken for the part");
    } catch (error) {
      assert(error instanceof Deno.errors.Busy, String(error));
    }
  } finally {
    Deno.lstatSync = lstatSync;
  }
});

Deno.test("FTP.download leaves the part that another download is writing to", async () => {
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

Deno.test("FTP.download has succeeded when its file is in place, whatever cannot be cleaned up", async () => {
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
    `Cannot write to "${
      folder.at("copy")
    }": another download is under way there`,
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
    "the file was removed or replaced meanwhile",
  );
  assertEquals(Deno.readTextFileSync(folder.at("copy")), "x");
});

Deno.test("FTP.download refuses a name that is none before it asks for anything", async () => {
  await using server = await memoryServer({ "/data": DATA });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const before = server.commands.length;
  for (const name of ["", folder.at("missing/")]) {
    await assertRejects(
      () => ftp.download("data", name),
      TypeError,
      `Cannot download to "${name}": it names no file`,
    );
  }
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
      }" was removed meanwhile; make it again`,
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
      }": it has become a directory meanwhile; remove that`,
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

Deno.test("FTP.download leaves the old file when the last onProgress throws", async () => {
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

Deno.test("FTP.download has the file on the disk before it takes its place, if told so", async () => {
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
    // of a file that somebody else owns
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
