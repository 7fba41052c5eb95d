import { assertEquals, assertRejects } from "@std/assert";
import {
  type FileTransferOptions,
  type FTP,
  FTPPermanentError,
  FTPProtocolError,
  FTPTemporaryError,
  type RetryEvent,
  type WalkOptions,
} from "../../mod.ts";
import type { Turn } from "../testing/scripted/mod.ts";
import {
  fact,
  Pair,
  sendLines,
  sends,
  unix,
  UNKNOWN,
} from "../testing/scripted_listings.ts";

const TREE = {
  "/a.txt": "1",
  "/d/b.txt": "2",
  "/d/e/c.txt": "3",
  "/f/g.md": "4",
};

async function pathsOf(
  ftp: FTP,
  path = "",
  options: WalkOptions & Pick<FileTransferOptions, "retry" | "onRetry"> = {},
): Promise<string[]> {
  return (await Array.fromAsync(ftp.walk(path, options)))
    .map(({ path, isLoop }) => isLoop ? `${path} (loop)` : path);
}

Deno.test("FTP.walk gives a tree, a directory before what is in it", async () => {
  await using pair = await Pair.make(TREE);
  const all = ["a.txt", "d", "d/b.txt", "d/e", "d/e/c.txt", "f", "f/g.md"];
  assertEquals(await pathsOf(pair.ftp), all);
  assertEquals(await pathsOf(pair.ftp, "/"), all.map((path) => `/${path}`));
  assertEquals(await pathsOf(pair.ftp, "/d"), [
    "/d/b.txt",
    "/d/e",
    "/d/e/c.txt",
  ]);
  assertEquals(await pathsOf(pair.ftp, "d/"), ["d/b.txt", "d/e", "d/e/c.txt"]);
});

Deno.test("FTP.walk gives the same tree by LIST", async () => {
  await using pair = await Pair.make(TREE);
  pair.server.on("MLSD", UNKNOWN);
  assertEquals(
    await pathsOf(pair.ftp),
    ["a.txt", "d", "d/b.txt", "d/e", "d/e/c.txt", "f", "f/g.md"],
  );
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.walk leaves the connection free between two entries", async () => {
  await using pair = await Pair.make(TREE);
  const sizes: unknown[] = [];
  for await (const { path, rawPath, isFile } of pair.ftp.walk()) {
    if (isFile) sizes.push(path, await pair.ftp.size(rawPath));
  }
  assertEquals(sizes, ["a.txt", 1, "d/b.txt", 1, "d/e/c.txt", 1, "f/g.md", 1]);
});

Deno.test("FTP.walk and other calls at the same time take turns", async () => {
  await using pair = await Pair.make(TREE);
  const results = await Promise.all([
    pathsOf(pair.ftp),
    pair.ftp.size("a.txt"),
    pathsOf(pair.ftp, "d"),
    pair.ftp.stat("/d"),
    pathsOf(pair.ftp),
  ]);
  assertEquals(results[0], results[4]);
  assertEquals(results[1], 1);
  assertEquals(results[2], ["d/b.txt", "d/e", "d/e/c.txt"]);
});

const FILTERS: [title: string, options: WalkOptions, paths: string[]][] = [
  ["maxDepth", { maxDepth: 1 }, ["a.txt", "d", "f"]],
  ["maxDepth", { maxDepth: 2 }, [
    "a.txt",
    "d",
    "d/b.txt",
    "d/e",
    "f",
    "f/g.md",
  ]],
  ["includeDirs", { includeDirs: false }, [
    "a.txt",
    "d/b.txt",
    "d/e/c.txt",
    "f/g.md",
  ]],
  ["includeFiles", { includeFiles: false }, ["d", "d/e", "f"]],
  ["match", { match: [/\.md$/, /\.txt$/g] }, [
    "a.txt",
    "d/b.txt",
    "d/e/c.txt",
    "f/g.md",
  ]],
  ["match", { match: [/./g], maxDepth: 1 }, ["a.txt", "d", "f"]],
  ["skip", { skip: [/^d\/e$/g, /\.md$/g] }, ["a.txt", "d", "d/b.txt", "f"]],
];

for (const [title, options, paths] of FILTERS) {
  Deno.test(`FTP.walk applies ${title}: ${paths.length} entries`, async () => {
    await using pair = await Pair.make(TREE);
    assertEquals(await pathsOf(pair.ftp, "", options), paths);
  });
}

Deno.test("FTP.walk does not list what skip leaves out", async () => {
  await using pair = await Pair.make(TREE);
  await pathsOf(pair.ftp, "", { skip: [/^d$/] });
  assertEquals(pair.commands, ["MLSD", "MLSD f"]);
});

Deno.test("FTP.walk marks hostile names and never follows them", async () => {
  await using pair = await Pair.make();
  const names = [
    "..",
    ".",
    "a/b",
    "../../etc",
    "..\\x",
    "",
    "C:\\",
    "a\0b",
    "/",
    "a\rb",
    "\rc",
  ];
  pair.server.on(
    "MLSD",
    sends(
      ...names.map((name) => fact(name, "dir", "")),
      ...names.map((name) => fact(name)),
      fact("kind", "dir", ""),
    ),
  );
  const entries = [];
  for await (const entry of pair.ftp.walk("", { maxDepth: 2 })) {
    entries.push(entry);
  }
  const tame = entries.filter(({ hostile }) => !hostile);
  // "." and ".." are directories that the listing itself is about
  assertEquals(entries.length, 2 * (2 * names.length - 2 + 1));
  assertEquals(tame.map(({ path }) => path), ["kind", "kind/kind"]);
  assertEquals(pair.commands, ["MLSD", "MLSD kind"]);
});

Deno.test("FTP.walk passes on names with CR where links are followed, and tells links by LIST", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", UNKNOWN).on(
    "LIST",
    sends(unix("a\rb", "d"), unix("c\rd -> e", "l"), unix("f")),
  );
  const entries = await Array.fromAsync(
    pair.ftp.walk("", { followSymlinks: true }),
  );
  assertEquals(entries.map(({ name, hostile }) => [name, hostile]), [
    ["a\rb", true],
    ["c\rd", true],
    ["f", false],
  ]);
});

Deno.test("FTP.walk reports a directory whose name is too long to onError, and continues", async () => {
  await using pair = await Pair.make();
  pair.server.on(
    "MLSD",
    (turn) =>
      turn.argument === ""
        ? sendLines(turn, [fact("d", "dir", ""), fact("e", "dir", "")])
        : sendLines(turn, [
          fact("x"),
          turn.argument === "d" ? fact("n".repeat(70_000)) : fact("y"),
        ]),
  );
  const errors: string[] = [];
  const paths = await pathsOf(pair.ftp, "", {
    onError: (error, path) => errors.push(`${path}: ${error.message}`),
  });
  assertEquals(paths, ["d", "e", "e/x", "e/y"]);
  assertEquals(errors, [
    "d: Cannot read the listing: a line has more than 65535 bytes",
  ]);
  await assertRejects(
    () => pathsOf(pair.ftp, ""),
    FTPProtocolError,
    "more than 65535 bytes",
  );
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.walk does not enter a directory twice that MLSD tells by unique", async () => {
  await using pair = await Pair.make();
  pair.server.on(
    "MLSD",
    (turn) =>
      sendLines(
        turn,
        turn.argument === ""
          ? [fact(".", "cdir", "unique=R;"), fact("d", "dir", "unique=D;")]
          : [
            fact("d2", "dir", "unique=D;"),
            fact("root", "dir", "unique=R;"),
            fact("x"),
          ],
      ),
  );
  assertEquals(await pathsOf(pair.ftp), [
    "d",
    "d/d2 (loop)",
    "d/root (loop)",
    "d/x",
  ]);
  assertEquals(pair.commands, ["MLSD", "MLSD d"]);
});

Deno.test("FTP.walk asks MLST for the first directory's unique where MLSD is silent", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", sends(fact("up", "dir", "unique=R;")));
  pair.server.on("MLST", "250-Listing\n type=dir;unique=R; /\n250 End");
  assertEquals(await pathsOf(pair.ftp), ["up (loop)"]);
});

Deno.test("FTP.walk knows a directory by the unique in its own listing", async () => {
  await using pair = await Pair.make();
  pair.server.on(
    "MLSD",
    sends(fact(".", "cdir", "unique=R;"), fact("up", "dir", "")),
  );
  assertEquals(await pathsOf(pair.ftp), ["up"]);
  assertEquals(pair.commands, ["MLSD", "MLSD up"]);
});

/** A server with links: "/d/up" to "/", "/d/to" to "/other", "/d/file" to a file. */
async function linked(): Promise<Pair> {
  const pair = await Pair.make({ "/d/x": "", "/other/y": "" });
  pair.server.on("MLSD", UNKNOWN);
  pair.server.on("CWD", async (turn) => {
    const real = turn.argument.replace(/^.*\/up$/, "/").replace(
      /^.*\/to$/,
      "/other",
    );
    if (turn.argument.endsWith("/file")) {
      return await turn.reply(550, "Not a directory");
    }
    if (real !== ".") {
      turn.session.folder = real.startsWith("/") ? real : `/${real}`;
    }
    await turn.reply(250, "Gone there");
  });
  pair.server.on(
    "LIST",
    (turn) =>
      sendLines(
        turn,
        turn.session.folder === "/"
          ? [unix("d", "d"), unix("other", "d")]
          : turn.session.folder === "/d"
          ? [
            unix("up -> ..", "l"),
            unix("to -> ../other", "l"),
            unix("file -> x", "l"),
            unix("x"),
          ]
          : [unix("y")],
      ),
  );
  return pair;
}

Deno.test("FTP.walk does not follow links by default", async () => {
  await using pair = await linked();
  const all = ["d", "d/up", "d/to", "d/file", "d/x", "other", "other/y"];
  assertEquals(await pathsOf(pair.ftp), all);
  assertEquals(
    await pathsOf(pair.ftp, "", { includeSymlinks: false }),
    ["d", "d/x", "other", "other/y"],
  );
});

Deno.test("FTP.walk follows links, and not round in circles", async () => {
  await using pair = await linked();
  assertEquals(
    await pathsOf(pair.ftp, "", { followSymlinks: true }),
    ["d", "d/up (loop)", "d/to", "d/to/y", "d/file", "d/x", "other", "other/y"],
  );
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.walk does not descend forever if a loop cannot be detected", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", sends(fact("again", "dir", "")));
  let count = 0;
  await assertRejects(
    async () => {
      for await (const _ of pair.ftp.walk()) count++;
    },
    RangeError,
    "256 levels",
  );
  assertEquals(count, 256);
  assertEquals((await pathsOf(pair.ftp, "", { maxDepth: 300 })).length, 300);
});

Deno.test("FTP.walk fails with the error of a directory, or reports it and continues", async () => {
  await using pair = await Pair.make(TREE);
  pair.server.on(
    "MLSD",
    (turn) =>
      turn.argument === "d"
        ? turn.reply(550, "Permission denied")
        : turn.default(),
  );
  await assertRejects(
    () => pathsOf(pair.ftp),
    FTPPermanentError,
    "Permission denied",
  );
  const errors: string[] = [];
  const paths = await pathsOf(pair.ftp, "", {
    onError: (error, path) => errors.push(`${path}: ${error.reply?.code}`),
  });
  assertEquals(paths, ["a.txt", "d", "f", "f/g.md"]);
  assertEquals(errors, ["d: 550"]);
});

Deno.test("FTP.walk reports no directory that the end of the connection has cost", async () => {
  await using pair = await Pair.make(TREE);
  const lost: string[] = [];
  pair.server.once("MLSD", (turn) => turn.default());
  pair.server.once("MLSD", async (turn) => {
    lost.push(turn.argument);
    await turn.reply(421, "Too long");
    turn.close();
  });
  const errors: string[] = [];
  const paths = await pathsOf(pair.ftp, "", {
    retry: { delay: 1 },
    onError: (_, path) => errors.push(path),
  });
  assertEquals(paths, await pathsOf(pair.ftp));
  assertEquals(lost, ["d"]);
  assertEquals(errors, []);
});

Deno.test("FTP.walk applies maxEntries to each directory", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", sends(...Array(50).fill(fact("x"))));
  await assertRejects(
    () => pathsOf(pair.ftp, "", { maxEntries: 49 }),
    RangeError,
    "49 entries",
  );
  assertEquals((await pathsOf(pair.ftp, "", { maxEntries: 50 })).length, 50);
});

Deno.test("FTP.walk ends with its signal", async () => {
  await using pair = await Pair.make(TREE);
  const controller = new AbortController();
  const paths: string[] = [];
  await assertRejects(
    async () => {
      for await (
        const { path } of pair.ftp.walk("", { signal: controller.signal })
      ) {
        paths.push(path);
        if (path === "d") controller.abort(new Error("Enough"));
      }
    },
    Error,
    "Enough",
  );
  assertEquals(paths, ["a.txt", "d"]);
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP.walk keeps the bytes of names that are no text in the path", async () => {
  await using pair = await Pair.make();
  const raw = Uint8Array.of(0x66, 0xe9);
  const line = new Uint8Array([
    ...new TextEncoder().encode(fact("", "dir", "")),
    ...raw,
  ]);
  const asked: Uint8Array[] = [];
  pair.server.on("MLSD", (turn) => {
    asked.push(turn.bytes);
    return sendLines(turn, turn.argument === "" ? [line] : [fact("x")]);
  });
  const entries = await Array.fromAsync(pair.ftp.walk());
  assertEquals([...asked[1]!], [
    ...new TextEncoder().encode("MLSD f"),
    0xe9,
  ]);
  assertEquals([...entries[1]!.rawPath], [0x66, 0xe9, 0x2f, 0x78]);
});

/** Sends one entry of a listing, and closes both connections. */
async function vanish(turn: Turn): Promise<void> {
  await turn.reply(150, "Here it comes");
  const data = await turn.openData();
  await data.write(`${fact("b.txt")}\r\n`);
  data.close();
  await data.closed;
  turn.close();
}

Deno.test("FTP.walk lists a directory again if its listing was cut, and returns no entry twice", async () => {
  await using pair = await Pair.make({ "/pub/a.txt": "0", ...inPub(TREE) });
  await pair.ftp.cwd("pub");
  const all = ["a.txt", "d", "d/b.txt", "d/e", "d/e/c.txt", "f", "f/g.md"];
  const retries: RetryEvent[] = [];
  let losses = 0;
  pair.server.on(
    "MLSD",
    (turn) =>
      turn.argument === "d" && losses++ < 2 ? vanish(turn) : turn.default(),
  );
  const paths = await pathsOf(pair.ftp, "", {
    retry: { delay: 1 },
    onRetry: (event) => retries.push(event),
  });
  assertEquals(paths, all);
  assertEquals(retries.map(({ attempt }) => attempt), [1, 2]);
  assertEquals(pair.server.sessions.length, 3);
  assertEquals(await pair.ftp.pwd(), "/pub");

  losses = 0;
  await assertRejects(
    () => pathsOf(pair.ftp, "", { retry: false }),
    Deno.errors.UnexpectedEof,
  );
});

Deno.test("FTP.walk continues after a connection was lost between two entries", async () => {
  await using pair = await Pair.make(TREE);
  const paths: string[] = [];
  for await (const { path } of pair.ftp.walk("", { retry: { delay: 1 } })) {
    paths.push(path);
    if (path !== "d") continue;
    pair.server.once("NOOP", (turn) => turn.close());
    await assertRejects(() => pair.ftp.voidcmd("NOOP"));
  }
  assertEquals(paths, [
    "a.txt",
    "d",
    "d/b.txt",
    "d/e",
    "d/e/c.txt",
    "f",
    "f/g.md",
  ]);
});

Deno.test("FTP.walk does not try again what the server refuses", async () => {
  await using pair = await Pair.make(TREE);
  pair.server.on(
    "MLSD",
    (turn) =>
      turn.argument === "d" ? turn.reply(450, "Not now") : turn.default(),
  );
  await assertRejects(() => pathsOf(pair.ftp), FTPTemporaryError, "Not now");
  assertEquals(
    pair.server.commands.filter((line) => line === "MLSD d").length,
    1,
  );
});

Deno.test("FTP.walk does not come back after close()", async () => {
  await using pair = await Pair.make(TREE);
  await assertRejects(async () => {
    for await (const { path } of pair.ftp.walk()) {
      if (path === "d") pair.ftp.close();
    }
  }, Deno.errors.NotConnected);
  assertEquals(pair.server.sessions.length, 1);
});

Deno.test("FTP.walk does not begin again in a directory that it only looked into", async () => {
  await using pair = await Pair.make({ "/pub/a.txt": "0" });
  await pair.ftp.cwd("pub");
  pair.server.on(
    "MLSD",
    (turn) =>
      sendLines(
        turn,
        turn.argument === "" ? [fact("link", "OS.unix=slink:/elsewhere")] : [],
      ),
  );
  pair.server.put("/pub/link/x", "");
  let isFirst = true;
  pair.server.on("PWD", async (turn) => {
    const isLost = isFirst && turn.session.folder === "/pub/link";
    if (!isLost) return await turn.default();
    isFirst = false;
    turn.close();
  });
  await pathsOf(pair.ftp, "", { followSymlinks: true, retry: { delay: 1 } });
  assertEquals(pair.server.sessions.length, 2);
  assertEquals(await pair.ftp.pwd(), "/pub");
});

function inPub(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`/pub${path}`, text]),
  );
}
