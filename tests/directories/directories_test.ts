import { assertEquals, assertRejects } from "@std/assert";
import { FTPPermanentError } from "../../mod.ts";
import { addReadOnlyLink, logIn } from "../real/client.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { memoryServer } from "../testing/memory_server.ts";
import { Pair } from "../testing/scripted_listings.ts";

serverTest(
  "FTP.ensureDir makes a folder and its parents, and stays where it is",
  async (server) => {
    await server.mkdir("start");
    await using ftp = await logIn(server);
    await ftp.cwd("start");
    await ftp.ensureDir("a b/c/d");
    await ftp.ensureDir("a b/c/d");
    await ftp.ensureDir("/x/y/");
    await ftp.ensureDir("/");
    assertEquals(
      Deno.statSync(`${server.root}/start/a b/c/d`).isDirectory,
      true,
    );
    assertEquals(Deno.statSync(`${server.root}/x/y`).isDirectory, true);
    assertEquals(await ftp.pwd(), "/start");
  },
);

serverTest(
  "FTP.ensureDir rejects what a file is in the way of",
  async (server) => {
    await server.write("a", "a file");
    await using ftp = await logIn(server);
    await assertRejects(() => ftp.ensureDir("a/b"), FTPPermanentError);
    await assertRejects(() => ftp.ensureDir("a"), FTPPermanentError);
    assertEquals(await ftp.pwd(), "/");
  },
);

serverTest("FTP.remove removes a file or an empty folder", async (server) => {
  await server.write("a", "a file");
  await server.mkdir("b");
  await server.write("c/d", "another");
  await using ftp = await logIn(server);
  await ftp.remove("a");
  await ftp.remove("b");
  await assertRejects(() => ftp.remove("c"), FTPPermanentError);
  await assertRejects(() => ftp.remove("nothing"), FTPPermanentError);
  await assertRejects(() => ftp.remove("", { recursive: true }), TypeError);
  assertEquals([...Deno.readDirSync(server.root)].map(({ name }) => name), [
    "c",
  ]);
});

Deno.test("FTP.remove with recursive sends nothing for a path that ends with no name", async () => {
  await using pair = await Pair.make({ "/a/b": "1" });
  for (const path of ["/", "//", ".", "..", "./", "a/..", "a/../", "/a/."]) {
    await assertRejects(
      () => pair.ftp.remove(path, { recursive: true }),
      TypeError,
      "ends with no name",
    );
  }
  assertEquals(pair.commands, []);
});

serverTest(
  "FTP.remove removes a folder with all that is in it",
  async (server) => {
    for (let i = 0; i < 100; i++) await server.write(`top/file ${i}`, "x");
    await server.write("top/.hidden", "x");
    await server.write("top/a/b/c/d", "x");
    await server.mkdir("top/a/empty");
    await server.write("kept/file", "x");
    await using ftp = await logIn(server);
    await ftp.remove("top", { recursive: true });
    assertEquals([...Deno.readDirSync(server.root)].map(({ name }) => name), [
      "kept",
    ]);
    await assertRejects(
      () => ftp.remove("top", { recursive: true }),
      FTPPermanentError,
    );
    assertEquals(await ftp.pwd(), "/");
  },
);

serverTest(
  "FTP.remove removes links and never follows them",
  async (server) => {
    await server.write("kept/file", "x");
    await server.mkdir("top");
    Deno.symlinkSync("../kept", `${server.root}/top/link`);
    await using ftp = await logIn(server);
    await ftp.remove("top", { recursive: true });
    assertEquals(Deno.readTextFileSync(`${server.root}/kept/file`), "x");
  },
);

serverTest(
  "FTP.remove does not go through a link that cannot be removed",
  async (server) => {
    await server.write("kept/file", "x");
    using _ = await addReadOnlyLink(server, "read-only", "../kept");
    await using ftp = await logIn(server);
    for (const path of ["read-only", "read-only/link", "/read-only/link/"]) {
      await assertRejects(
        () => ftp.remove(path, { recursive: true }),
        FTPPermanentError,
      );
      assertEquals(Deno.readTextFileSync(`${server.root}/kept/file`), "x");
    }
  },
);

for (
  const [name, extra] of [
    ["proftpd", "ShowSymlinks off"],
    ["pure-ftpd", "-b"],
  ] as const
) {
  serverTest(
    "FTP.remove does not go through a link that is shown as a folder",
    async (server) => {
      await server.write("kept/file", "x");
      await server.write("top/permission denied/file", "x");
      using _ = await addReadOnlyLink(server, "read-only", "../kept");
      await using ftp = await logIn(server);
      await assertRejects(
        () => ftp.remove("read-only", { recursive: true }),
        FTPPermanentError,
        'Cannot remove "read-only/link": as a file, "550 ',
      );
      assertEquals(Deno.readTextFileSync(`${server.root}/kept/file`), "x");
      await ftp.remove("top", { recursive: true });
      assertEquals(await ftp.exists("top"), false);
    },
    { servers: [name], extra: [extra] },
  );
}

Deno.test("FTP.remove goes into what no listing shows only where it is", async () => {
  for (const place of ["/top/a", "/kept"]) {
    const files = { "/top/a/file": "x", "/kept/file": "x" };
    await using server = await memoryServer(files);
    let directory = "/";
    server.on("LIST", (turn) => turn.send(""));
    server.on("CWD", (turn) => {
      directory = turn.argument === "/top/a" ? place : turn.argument;
      return turn.reply(250, "Changed");
    });
    server.on("PWD", (turn) => turn.reply(257, `"${directory}"`));
    await using ftp = await server.client();
    const removing = ftp.remove("/top", { recursive: true });
    if (place === "/kept") {
      await assertRejects(() => removing, FTPPermanentError, "DELE /top/a");
      assertEquals([...server.files.keys()], Object.keys(files));
    } else {
      await removing;
      assertEquals([...server.files.keys()], ["/kept/file"]);
    }
  }
});

Deno.test("FTP.remove removes a junction of Windows as a folder, and does not go into it", async () => {
  await using server = await memoryServer({ "/top/a": "x" });
  server.on("MLSD", "500 Unknown");
  const lines: Record<string, string> = {
    "/": "01-01-20  10:00AM       <DIR>          Top",
    "/top": "01-01-20  10:00AM       <JUNCTION>     link [C:\\kept]",
  };
  let directory = "/";
  server.on("CWD", (turn) => {
    directory = turn.argument;
    return turn.reply(250, "Changed");
  });
  server.on("LIST", (turn) => turn.send(`${lines[directory]}\r\n`));
  server.on("DELE", "550 Access is denied.");
  server.on("RMD", (turn) => {
    const isFull = turn.argument === "/top" &&
      !server.commands.includes("RMD /top/link");
    return isFull
      ? turn.reply(550, "The directory is not empty.")
      : turn.reply(250, "Gone");
  });
  await using ftp = await server.client();
  await ftp.remove("/top", { recursive: true });
  const told = server.commands.filter((line) => /^(DELE|RMD|CWD)/.test(line));
  assertEquals(told, [
    "DELE /top",
    "CWD /",
    "CWD /",
    "RMD /top",
    "CWD /top",
    "CWD /",
    "DELE /top/link",
    "RMD /top/link",
    "RMD /top",
  ]);
});

Deno.test("FTP.remove refuses names that lead out of the folder", async (context) => {
  for (const name of ["../kept", "/kept", "a/b", "..\\kept", "a\0b"]) {
    await context.step(JSON.stringify(name), async () => {
      await using server = await memoryServer({ "/kept": "x", "/top/a": "x" });
      server.on("MLSD", async (turn) => {
        await turn.reply(150, "Here");
        const data = await turn.openData();
        await data.write(`type=file; ${name}\r\n`);
        data.close();
        await data.closed;
        await turn.reply(226, "Done");
      });
      await using ftp = await server.client();
      await assertRejects(
        () => ftp.remove("/top", { recursive: true }),
        Deno.errors.InvalidData,
        "may lead out",
      );
      assertEquals(server.text("/kept"), "x");
      assertEquals(server.commands.filter((line) => line.startsWith("DELE")), [
        "DELE /top",
      ]);
    });
  }
});

Deno.test("FTP.remove deletes nothing of a folder that is larger than maxEntries", async () => {
  const files = { "/top/a": "x", "/top/b": "x", "/top/c": "x" };
  await using server = await memoryServer(files);
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.remove("/top", { recursive: true, maxEntries: 2 }),
    RangeError,
    'more than 2 entries, the most that "maxEntries" allows',
  );
  assertEquals([...server.files.keys()], Object.keys(files));
  await ftp.remove("/top", { recursive: true, maxEntries: 3 });
  assertEquals(server.files.size, 0);
});
