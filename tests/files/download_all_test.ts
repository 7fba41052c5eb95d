import { assert, assertEquals, assertRejects } from "@std/assert";
import { LocalFolder } from "./local_folder.ts";
import { type MemoryServer, memoryServer } from "../testing/memory_server.ts";

const COUNT = 12;

/** Files `/many/0` to `/many/11`, each with its own text. */
function manyFiles(): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: COUNT }, (_, i) => [`/many/${i}`, `text ${i}`]),
  );
}

function pathsOf(files: Record<string, string>): string[] {
  return Object.keys(files).map((path) => path.slice(1));
}

function loginsOf(server: MemoryServer): number {
  return server.verbs.filter((verb) => verb === "PASS").length;
}

Deno.test("FTP.downloadAll downloads a list into a directory that it makes", async () => {
  const files = manyFiles();
  await using server = await memoryServer(files);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const seen: string[] = [];
  for await (
    const { remote, local, result, error } of ftp.downloadAll(
      pathsOf(files),
      folder.at("a/b"),
    )
  ) {
    assertEquals(error, undefined);
    assertEquals(result?.verified, "size");
    assertEquals(Deno.readTextFileSync(local), files[`/${remote}`]);
    seen.push(remote);
  }
  assertEquals(seen.toSorted(), pathsOf(files).toSorted());
  assertEquals(loginsOf(server), 1);
});

Deno.test("FTP.download asks for the next file, which was called together with it, when its data has ended", async () => {
  const files = manyFiles();
  await using server = await memoryServer(files);
  // each 226 but the last waits for what the client asks for the next file
  const rest = { count: COUNT };
  server.received("EPSV"); // of the first
  server.on("RETR", async (turn) => {
    await turn.reply(150, "Here");
    const data = await turn.openData();
    await data.write(server.files.get(`/${turn.argument}`)!);
    data.close();
    const next = server.received("EPSV");
    if (--rest.count > 0) await next;
    else next.catch(() => {}); // none comes
    await turn.reply(226, "Done");
  });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await Promise.all(
    pathsOf(files).map((path, i) =>
      ftp.download(path, folder.at(`${i}`), { retry: false })
    ),
  );
  assertEquals(rest.count, 0);
});

Deno.test("FTP.downloadAll goes on after a file that fails, and says which", async () => {
  const files = manyFiles();
  await using server = await memoryServer(files);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const items: (string | { remote: string; local: string | URL })[] = [
    "many/0",
    "many/none",
    { remote: "many/1", local: folder.at("one") },
    "other/0",
    "many/2",
    "many/..",
  ];
  const outcomes = await Array.fromAsync(
    ftp.downloadAll(items, folder.at("in"), { ordered: true, retry: false }),
  );
  assertEquals(outcomes.map(({ remote, error }) => [remote, error?.name]), [
    ["many/0", undefined],
    ["many/none", "FTPPermanentError"],
    ["many/1", undefined],
    ["other/0", "AlreadyExists"],
    ["many/2", undefined],
    ["many/..", "InvalidData"],
  ]);
  assertEquals(Deno.readTextFileSync(folder.at("one")), "text 1");
  assertEquals(Deno.readTextFileSync(folder.at("in/0")), "text 0");
});

Deno.test("FTP.downloadAll shares the work over connections, and keeps the order that is asked for", async () => {
  const files = manyFiles();
  await using server = await memoryServer(files);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const outcomes = await Array.fromAsync(
    ftp.downloadAll(pathsOf(files), folder.at("in"), {
      connections: 3,
      ordered: true,
    }),
  );
  assertEquals(outcomes.map(({ remote }) => remote), pathsOf(files));
  assert(loginsOf(server) > 1);
  assert(loginsOf(server) <= 3);
});

Deno.test("FTP.downloadAll works with the connections that the server allows", async () => {
  const files = manyFiles();
  await using server = await memoryServer(files);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  server.on("PASS", "530 Too many connections for this user");
  for (const connections of [4, "auto"] as const) {
    const outcomes = await Array.fromAsync(
      ftp.downloadAll(pathsOf(files), folder.at(`in-${connections}`), {
        connections,
      }),
    );
    assertEquals(outcomes.filter(({ error }) => error).length, 0);
  }
});

Deno.test("FTP.downloadAll takes an async iterable as it is needed, and ends it", async () => {
  const files = manyFiles();
  await using server = await memoryServer(files);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  let given = 0;
  let isEnded = false;
  async function* paths(): AsyncGenerator<string> {
    try {
      for (const path of pathsOf(files)) {
        await Promise.resolve();
        given++;
        yield path;
      }
    } finally {
      isEnded = true;
    }
  }
  for await (const { error } of ftp.downloadAll(paths(), folder.at("in"))) {
    assertEquals(error, undefined);
    break;
  }
  assert(isEnded);
  assert(given < COUNT);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.downloadAll throws the list's own error, after the outcomes before it", async () => {
  const files = manyFiles();
  await using server = await memoryServer(files);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  function* paths(): Generator<string> {
    yield "many/0";
    throw new Error("no more");
  }
  const seen: string[] = [];
  await assertRejects(
    async () => {
      for await (
        const { remote } of ftp.downloadAll(paths(), folder.at("in"))
      ) {
        seen.push(remote);
      }
    },
    Error,
    "no more",
  );
  assertEquals(seen, ["many/0"]);
});

Deno.test("FTP.downloadAll ends with the reason of its signal", async () => {
  const files = manyFiles();
  await using server = await memoryServer(files);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const controller = new AbortController();
  const reason = new Error("enough");
  let count = 0;
  await assertRejects(
    async () => {
      for await (
        const _ of ftp.downloadAll(pathsOf(files), folder.at("in"), {
          signal: controller.signal,
        })
      ) {
        if (++count === 1) controller.abort(reason);
      }
    },
    Error,
    "enough",
  );
  assert(count < COUNT);
});

Deno.test("FTP.downloadAll rejects options before anything is sent", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  const before = server.commands.length;
  for (
    const [options, message] of [
      [{ connections: 0 }, "connections"],
      [{ conections: 2 }, "conections"],
    ] as const
  ) {
    await assertRejects(
      // deno-lint-ignore require-await
      async () => ftp.downloadAll(["a"], "in", options as object),
      Error,
      message,
    );
  }
  assertEquals(server.commands.length, before);
});

Deno.test("FTP.downloadAll replaces no file of the list by another one, however the paths are written", async () => {
  using folder = new LocalFolder();
  Deno.mkdirSync(folder.at("d"));
  Deno.symlinkSync(folder.at("d"), folder.at("link"));
  Deno.symlinkSync(folder.at("d/x"), folder.at("x"));
  const paths = ["d/./x", "d//x", "d/../d/x", "link/x", "x"];
  for (const path of paths) {
    for (const connections of [1, 2]) {
      await using server = await memoryServer({ "/a": "one", "/b": "two" });
      await using ftp = await server.client();
      const locals = [folder.at("d/x"), `${folder.path}/${path}`];
      const outcomes = await Array.fromAsync(ftp.downloadAll(
        ["a", "b"].map((remote, i) => ({ remote, local: locals[i]! })),
        folder.path,
        { connections, ordered: true, removeSource: true },
      ));
      assertEquals(
        outcomes.map(({ error }) => error?.name),
        [undefined, "AlreadyExists"],
        path,
      );
      assertEquals(Deno.readTextFileSync(folder.at("d/x")), "one");
      assertEquals([...server.files.keys()], ["/b"]); // the only copy
      Deno.removeSync(folder.at("d/x"));
    }
  }
});
