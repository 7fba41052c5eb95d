import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { FTPError, FTPReplyError, type ListOptions } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { logIn } from "../real/client.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { DENIALS, deny } from "../testing/servers/unreadable.ts";
import { failuresOf, readTree, type Tree, writeTree } from "./tree.ts";

/** Pure-FTPd, which cuts listings at 10,000 entries unless it is told. */
const CUTTING = {
  servers: ["pure-ftpd"],
  extra: ["--limitrecursion", "10:5"],
} as const;

/** A tree with more in one directory than the server shows. */
const LARGE: Tree = { "a": "1", "z/in": "2" };
for (let i = 10; i < 30; i++) LARGE[`d/${i}`] = "x";

for (const command of [undefined, "LIST"] as const) {
  const by = command ?? "what works";
  const list: ListOptions = { command };

  serverTest(
    `FTP.downloadDir brings what a cut listing shows, fails and removes nothing, by ${by}`,
    async (server) => {
      using folder = new LocalFolder();
      writeTree(`${server.root}/top`, LARGE);
      writeTree(folder.at("all"), { ...LARGE, extra: "x", "z/extra": "x" });
      await using ftp = await logIn(server);
      const { error, failures } = await failuresOf(() =>
        ftp.downloadDir("top", folder.at("all"), { delete: true, list })
      );
      assertEquals(failures.length, 1);
      assertStringIncludes(failures[0]!, "d: Cannot complete");
      assertStringIncludes(failures[0]!, "truncated to 10 matches");
      assertEquals(error.result.removed, 0);
      assertEquals(readTree(folder.at("all")), {
        ...LARGE,
        extra: "x",
        "z/extra": "x",
      });
      const { error: other } = await failuresOf(() =>
        ftp.downloadDir("top", folder.at("new"), { list })
      );
      const { transferred, failed } = other.result;
      assertEquals(failed, 1);
      assertEquals(transferred >= 10, true);
      // the first directory of all as well
      const { failures: first } = await failuresOf(() =>
        ftp.downloadDir("top/d", folder.at("all/d"), { delete: true, list })
      );
      assertStringIncludes(first.join(), "truncated to 10 matches");
      assertEquals([...Deno.readDirSync(folder.at("all/d"))].length, 20);
    },
    CUTTING,
  );

  serverTest(
    `FTP.uploadDir takes nothing for missing that a cut listing lacks, by ${by}`,
    async (server) => {
      using folder = new LocalFolder();
      await server.mkdir("top/d");
      await server.mkdir("top/z");
      writeTree(`${server.root}/top`, { ...LARGE, "d/extra": "x", extra: "x" });
      writeTree(folder.path, LARGE);
      await using ftp = await logIn(server);
      const { error, failures } = await failuresOf(() =>
        ftp.uploadDir(folder.path, "top", { delete: true, list })
      );
      assertEquals(failures.length, 1);
      assertStringIncludes(failures[0]!, "truncated to 10 matches");
      const { transferred, removed } = error.result;
      assertEquals([transferred, removed], [0, 0]);
      await assertRejects(
        () => ftp.uploadDir(folder.at("d"), "top/d", { delete: true, list }),
        FTPReplyError,
        "truncated to 10 matches",
      );
      assertEquals(readTree(`${server.root}/top`), {
        ...LARGE,
        "d/extra": "x",
        extra: "x",
      });
    },
    CUTTING,
  );

  serverTest(
    `FTP.downloadDir and uploadDir remove nothing beside a directory that the server may not read, by ${by}`,
    async (server) => {
      using folder = new LocalFolder();
      const tree = { "a": "1", "sub/b": "2", "sub/deep/c": "3" };
      for (const [path, content] of Object.entries(tree)) {
        await server.write(`top/${path}`, content);
      }
      await server.write("top/extra", "x");
      for (const denial of DENIALS) {
        writeTree(folder.path, { ...tree, "sub/mine": "4" });
        using _ = deny(server, "top/sub", denial);
        // a new connection knows nothing of the server's ways
        await using ftp = await logIn(server);
        const up = await failuresOf(() =>
          ftp.uploadDir(folder.path, "top", {
            delete: true,
            compare: "size",
            list,
          })
        );
        assertEquals(up.error.result.removed, 0, denial);
        assertEquals(up.error.result.transferred, 0, denial);
        const down = await failuresOf(() =>
          ftp.downloadDir("top", folder.path, {
            delete: true,
            compare: "size",
            list,
          })
        );
        assertEquals(down.error.result.removed, 0, denial);
        assertEquals(down.failures.length, 1, denial);
        assertStringIncludes(down.failures[0]!, "sub: Cannot ", denial);
        for (const path of ["top/sub", "top/sub/"]) {
          await assertRejects(
            () => ftp.downloadDir(path, folder.at("sub"), { delete: true }),
            FTPError,
          );
        }
        const here = { ...tree, "sub/mine": "4", "extra": "x" };
        assertEquals(readTree(folder.path), here, denial);
        Deno.removeSync(folder.at("extra"));
      }
      assertEquals(readTree(`${server.root}/top`), { ...tree, extra: "x" });
    },
  );
}

serverTest(
  "FTP.uploadDir removes a directory whose listing the server cuts, and what it can beside an unreadable one",
  async (server) => {
    using folder = new LocalFolder();
    writeTree(folder.path, { "a": "1" });
    await server.write("top/a", "1");
    for (let i = 0; i < 25; i++) await server.write(`top/large/${i}`, "x");
    await server.write("top/extra", "x");
    await server.write("top/denied/file", "x");
    using _ = deny(server, "top/denied", "0311");
    await using ftp = await logIn(server);
    const { error, failures } = await failuresOf(() =>
      ftp.uploadDir(folder.path, "top", { delete: true, compare: "size" })
    );
    assertEquals(failures.length, 1);
    assertStringIncludes(failures[0]!, "denied: ");
    assertEquals(error.result.removed, 2);
    assertEquals(readTree(`${server.root}/top`), {
      "a": "1",
      "denied/file": "x",
    });
  },
  CUTTING,
);

serverTest(
  "FTP.downloadDir removes nothing that the server has and does not list, and says so",
  async (server) => {
    using folder = new LocalFolder();
    const list: ListOptions = { command: "LIST" };
    const tree: Tree = { ...LARGE, "files/a": "1" };
    for (let i = 10; i < 30; i++) tree[`dirs/${i}/in`] = "x";
    writeTree(`${server.root}/top`, tree);
    await using ftp = await logIn(server);
    for (const name of ["d", "dirs"]) {
      writeTree(folder.path, tree);
      writeTree(folder.at(name), { extra: "x", "more/in": "x" });
      const { failures, error } = await failuresOf(() =>
        ftp.downloadDir(`top/${name}`, folder.at(name), { delete: true, list })
      );
      assertEquals(error.result.removed, 0);
      assertEquals(failures.length, 1);
      assertMatch(
        failures[0]!,
        /^: Cannot remove ".*": the source has "top\/.*", but does not list it$/,
      );
      // what is asked for is told by MLSD, too: this is of LIST alone
      const { removed } = await ftp.downloadDir(
        `top/${name}`,
        folder.at(name),
        { delete: true },
      );
      assertEquals(removed, 2);
    }
    assertEquals(readTree(folder.path), tree);
  },
  { servers: ["proftpd"], extra: ['ListOptions "" maxfiles 10'] },
);

serverTest(
  "FTP.downloadDir removes what the server has not, by LIST",
  async (server) => {
    using folder = new LocalFolder();
    await server.write("top/a", "1");
    await server.write("top/d/b", "2");
    await server.mkdir("top/empty");
    writeTree(folder.path, {
      "a": "1",
      "d/b": "2",
      "d/extra": "x",
      "empty/extra": "x",
      "gone/deep/file": "x",
      ".extra": "x",
      "extra": "x",
    });
    await using ftp = await logIn(server);
    const { removed } = await ftp.downloadDir("top", folder.path, {
      delete: true,
      list: { command: "LIST" },
    });
    assertEquals(removed, 5);
    assertEquals(readTree(folder.path), { a: "1", "d/b": "2", "empty/": "" });
  },
);
