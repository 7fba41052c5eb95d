/** Moves: the server's file is removed only when the local one is complete. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  type DownloadOptions,
  FTPError,
  FTPPermanentError,
  FTPVerificationError,
} from "../../../mod.ts";
import { logIn, makeData } from "../../real/client.ts";
import type { Turn } from "../../testing/scripted/mod.ts";
import { serverTest } from "../../testing/servers/mod.ts";
import { LocalFolder, namesIn } from "../local_folder.ts";
import {
  type MemoryServer,
  memoryServer,
} from "../../testing/memory_server.ts";
import { failuresOf, readTree, writeTree } from "../../mirror/tree.ts";

const DATA = makeData(300_000);
const MOVE: DownloadOptions = { removeSource: true, retry: { delay: 1 } };

serverTest("FTP.download with removeSource moves a file", async (server) => {
  using folder = new LocalFolder();
  await server.write("in/a", DATA);
  await server.write("in/b", "b");
  await using ftp = await logIn(server);
  const { verified } = await ftp.download("in/a", folder.at("a"), MOVE);
  assertEquals(verified, "size");
  assertEquals(Deno.readFileSync(folder.at("a")), DATA);
  assertEquals(namesIn(`${server.root}/in`), ["b"]);
  assertEquals(namesIn(folder.path), ["a"]);
});

serverTest(
  "FTP.download with removeSource keeps a file that it may not remove",
  async (server) => {
    using folder = new LocalFolder();
    await server.write("in/a", DATA);
    Deno.chmodSync(`${server.root}/in`, 0o555);
    await using ftp = await logIn(server);
    const error = await assertRejects(
      () => ftp.download("in/a", folder.at("a"), MOVE),
      FTPPermanentError,
      'Cannot remove "in/a" after its download: Cannot complete "DELE in/a": 5',
    );
    assertEquals(error.reply?.code, 550);
    assertEquals(Deno.readFileSync(folder.at("a")), DATA);
    assertEquals(Deno.readFileSync(`${server.root}/in/a`), DATA);
    Deno.chmodSync(`${server.root}/in`, 0o777);
  },
  { servers: ["vsftpd", "proftpd", "pure-ftpd"] },
);

serverTest(
  "FTP.downloadDir with removeSource empties an inbox, and not its directories",
  async (server) => {
    using folder = new LocalFolder();
    const tree = { "a.csv": "1", "deep/er/b.csv": "2", "deep/c.txt": "3" };
    for (const [path, content] of Object.entries(tree)) {
      await server.write(`in/${path}`, content);
    }
    await using ftp = await logIn(server);
    // one is here already, from a run that was killed before it removed it
    await ftp.download("in/a.csv", folder.at("a.csv"));
    const options = {
      removeSource: true,
      filter: ({ kind, name }: { kind: string; name: string }) =>
        kind === "directory" || name.endsWith(".csv"),
    };
    await ftp.downloadDir("in", folder.path, { ...options, dryRun: true });
    assertEquals(readTree(`${server.root}/in`), tree);
    const result = await ftp.downloadDir("in", folder.path, options);
    assertEquals([result.transferred, result.unchanged, result.removed], [
      2,
      0,
      0,
    ]);
    assertEquals(readTree(folder.path), { "a.csv": "1", "deep/er/b.csv": "2" });
    assertEquals(readTree(`${server.root}/in`), {
      "deep/er/": "",
      "deep/c.txt": "3",
    });
    const again = await ftp.downloadDir("in", folder.path, options);
    assertEquals(again.transferred, 0);
    assertEquals(readTree(folder.path), { "a.csv": "1", "deep/er/b.csv": "2" });
  },
);

/** A server with "/a", and a move of it. */
async function startMove(): Promise<
  AsyncDisposable & {
    server: MemoryServer;
    folder: LocalFolder;
    move(options?: DownloadOptions): Promise<unknown>;
  }
> {
  const server = await memoryServer({ "/a": "12345" });
  const folder = new LocalFolder();
  const ftp = await server.client({ timeout: 500 });
  return {
    server,
    folder,
    move: (options) =>
      ftp.download("a", folder.at("a"), { ...MOVE, ...options }),
    async [Symbol.asyncDispose]() {
      await ftp[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

const CHANGES: [
  title: string,
  change: (server: MemoryServer) => void,
  RegExp,
][] = [
  [
    "grew",
    (server) => server.put("/a", "123456"),
    /: it changed meanwhile: size is 6, not 5$/,
  ],
  [
    "became shorter",
    (server) => server.put("/a", "1"),
    /: it changed meanwhile: size is 1, not 5$/,
  ],
  [
    "has another time",
    (server) => server.on("MDTM", "213 20250101000000"),
    /: it changed meanwhile: mtime is 2025-01-01T00:00:00.000Z, not 2024/,
  ],
  [
    "was removed",
    (server) => server.files.delete("/a"),
    /may be missing or changed: size is unknown, not 5$/,
  ],
  [
    "has no size any more",
    (server) => server.on("SIZE", "550 No"),
    /may be missing or changed: size is unknown, not 5$/,
  ],
];

for (const [title, change, message] of CHANGES) {
  Deno.test(`FTP.download with removeSource removes no file that ${title} meanwhile`, async () => {
    await using all = await startMove();
    const { server, folder, move } = all;
    server.once("RETR", async (turn) => {
      await turn.default();
      change(server);
    });
    const error = await assertRejects(move, FTPVerificationError);
    assert(error.message.startsWith('Cannot remove "a" after its download'));
    assertMatch(error.message, message);
    assertEquals(server.verbs.includes("DELE"), false);
    assertEquals(Deno.readTextFileSync(folder.at("a")), "12345");
    assertEquals(server.verbs.filter((verb) => verb === "RETR").length, 1);
  });
}

Deno.test("FTP.download with removeSource removes nothing that has no SIZE", async () => {
  await using all = await startMove();
  const { server, folder, move } = all;
  server.on("SIZE", "502 No SIZE");
  await assertRejects(move, FTPVerificationError, "reports no size");
  assertEquals(server.text("/a"), "12345");
  assertEquals(Deno.readTextFileSync(folder.at("a")), "12345");
});

Deno.test("FTP.download with removeSource removes nothing if the download fails", async () => {
  await using all = await startMove();
  const { server, folder, move } = all;
  Deno.writeTextFileSync(folder.at("a"), "old");
  server.on("RETR", async (turn) => {
    await turn.reply(150, "Here");
    const data = await turn.openData();
    await data.write("123");
    await data.close();
    await turn.reply(226, "That was all");
  });
  await assertRejects(() => move({ retry: false }), FTPError);
  assertEquals(server.verbs.includes("DELE"), false);
  assertEquals(Deno.readTextFileSync(folder.at("a")), "old");
});

/** Removes the file or not, and closes the connection without a word. */
function closeAt(isRemoved: boolean): (turn: Turn) => Promise<void> {
  return (turn) => {
    if (isRemoved) turn.server.files.delete("/a");
    turn.close();
    return Promise.resolve();
  };
}

for (const isRemoved of [true, false]) {
  Deno.test(`FTP.download with removeSource asks what became of the file, which is ${isRemoved ? "gone" : "there"}, where the reply is lost`, async () => {
    await using all = await startMove();
    const { server, folder, move } = all;
    server.once("DELE", closeAt(isRemoved));
    await move();
    assertEquals(server.files.has("/a"), false);
    assertEquals(
      server.verbs.filter((verb) => verb === "DELE").length,
      isRemoved ? 1 : 2,
    );
    assertEquals(server.verbs.filter((verb) => verb === "RETR").length, 1);
    assertEquals(Deno.readTextFileSync(folder.at("a")), "12345");
  });
}

Deno.test("FTP.download with removeSource leaves a new file alone that came after a lost reply", async () => {
  await using all = await startMove();
  const { server, move } = all;
  server.once("DELE", async (turn) => {
    await closeAt(true)(turn);
    server.put("/a", "another");
  });
  await assertRejects(move, FTPVerificationError, "it changed meanwhile");
  assertEquals(server.text("/a"), "another");
});

Deno.test("FTP.download with removeSource removes nothing if the local file is another by then", async () => {
  await using all = await startMove();
  const { server, folder, move } = all;
  server.once("SIZE", (turn) => turn.default());
  server.once("SIZE", async (turn) => {
    Deno.writeTextFileSync(folder.at("a"), "1");
    await turn.default();
  });
  await assertRejects(move, FTPVerificationError, "the local file");
  assertEquals(server.text("/a"), "12345");
});

Deno.test("FTP.download and downloadDir refuse removeSource where nothing would be proven, before anything is sent", async () => {
  await using server = await memoryServer({ "/a": "1" });
  await using ftp = await server.client();
  using folder = new LocalFolder();
  writeTree(folder.path, { x: "1" });
  const before = server.commands.length;
  const options = { removeSource: true, verify: "none" } as const;
  for (
    const call of [
      () => ftp.download("a", folder.at("a"), options),
      () => ftp.downloadDir("", folder.path, options),
      () => ftp.download("a", "/dev/null", { removeSource: true }),
      () =>
        ftp.downloadDir("", folder.path, { removeSource: true, delete: true }),
      () => ftp.uploadDir(folder.path, "", { removeSource: true } as never),
      () => ftp.download("a", folder.at("a"), { removeSource: 1 as never }),
    ]
  ) {
    await assertRejects(call, TypeError, "removeSource");
  }
  assertEquals(server.commands.length, before);
});

Deno.test("FTP.downloadDir with removeSource keeps the file that changed, and moves the others", async () => {
  await using server = await memoryServer({ "/a": "1", "/b": "2", "/c": "3" });
  await using ftp = await server.client();
  using folder = new LocalFolder();
  server.on("RETR", async (turn) => {
    await turn.default();
    if (turn.argument.endsWith("b")) server.put("/b", "2 and more");
  });
  const { failures } = await failuresOf(() =>
    ftp.downloadDir("", folder.path, { removeSource: true })
  );
  assertEquals(failures, [
    'b: Cannot remove "b" after its download: it changed meanwhile: size is 10, not 1',
  ]);
  assertEquals([...server.files.keys()], ["/b"]);
  assertEquals(readTree(folder.path), { a: "1", b: "2", c: "3" });
});
