/** Local names that are swapped after their directory was read. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { MirrorEntry } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { makePipeSync } from "../testing/make_pipe.ts";
import { Pair } from "../testing/scripted_listings.ts";
import { failuresOf, readTree, writeTree } from "./tree.ts";

const ignore = Deno.build.os === "windows";

/** The replacement of a name. */
const SWAPS: readonly [string, (path: string, out: string) => void][] = [
  ["a link", (path, out) => Deno.symlinkSync(out, path)],
  ["a named pipe", (path) => makePipeSync(path)],
  ["a directory", (path) => Deno.mkdirSync(path)],
];

for (const [what, put] of SWAPS) {
  Deno.test({
    name: `FTP.downloadDir writes to no file that has become ${what}`,
    ignore,
    fn: async () => {
      for (const options of [{}, { atomic: false }, { resume: true }]) {
        await using pair = await Pair.make({ "/file": "from the server" });
        using folder = new LocalFolder();
        writeTree(folder.path, { "out": "precious", "to/file": "old" });
        const path = folder.at("to/file");
        const { failures } = await failuresOf(() =>
          pair.ftp.downloadDir("", folder.at("to"), {
            ...options,
            retry: false,
            filter: () => {
              Deno.removeSync(path);
              put(path, folder.at("out"));
              return true;
            },
          })
        );
        assertEquals(failures.length, 1);
        assertMatch(failures[0]!, /replaced during the mirror/);
        assertEquals(Deno.readTextFileSync(folder.at("out")), "precious");
        assert(!Deno.lstatSync(path).isFile);
        assertEquals([...Deno.readDirSync(folder.at("to"))].length, 1);
      }
    },
  });

  Deno.test({
    name: `FTP.downloadDir puts no file where ${what} is by now`,
    ignore,
    fn: async () => {
      await using pair = await Pair.make({ "/file": "from the server" });
      using folder = new LocalFolder();
      writeTree(folder.path, { "out": "precious", "to/": "" });
      const path = folder.at("to/file");
      pair.server.once("RETR", async (turn) => {
        put(path, folder.at("out"));
        await turn.default();
      });
      const { failures } = await failuresOf(() =>
        pair.ftp.downloadDir("", folder.at("to"), { retry: false })
      );
      assertEquals(failures.length, 1);
      assertEquals(Deno.readTextFileSync(folder.at("out")), "precious");
      assert(!Deno.lstatSync(path).isFile);
    },
  });

  Deno.test({
    name: `FTP.uploadDir reads no file that has become ${what}`,
    ignore,
    fn: async () => {
      await using pair = await Pair.make({});
      using folder = new LocalFolder();
      writeTree(folder.path, { "out": "secret", "from/file": "mine" });
      const path = folder.at("from/file");
      await failuresOf(() =>
        pair.ftp.uploadDir(folder.at("from"), "/to", {
          retry: false,
          filter: () => {
            Deno.removeSync(path);
            put(path, folder.at("out"));
            return true;
          },
        } as never)
      );
      assertEquals(pair.server.files.get("/to/file"), undefined);
    },
  });
}

Deno.test({
  name: "FTP.downloadDir writes into no directory that has become a link",
  ignore,
  fn: async () => {
    for (const moment of ["before", "during"]) {
      await using pair = await Pair.make({ "/d/file": "from the server" });
      using folder = new LocalFolder();
      writeTree(folder.path, { "out/": "", "to/d/": "" });
      const swap = () => {
        Deno.renameSync(folder.at("to/d"), folder.at("away"));
        Deno.symlinkSync(folder.at("out"), folder.at("to/d"));
      };
      if (moment === "during") {
        pair.server.once("RETR", async (turn) => {
          swap();
          await turn.default();
        });
      }
      const { failures } = await failuresOf(() =>
        pair.ftp.downloadDir("", folder.at("to"), {
          retry: false,
          filter: ({ path }: MirrorEntry) => {
            if (moment === "before" && path === "d/file") swap();
            return true;
          },
        })
      );
      assertEquals(failures.length, 1, moment);
      assertEquals(readTree(folder.at("out")), {}, moment);
    }
  },
});

Deno.test({
  name: "FTP.downloadDir makes and removes nothing through a link",
  ignore,
  fn: async () => {
    await using pair = await Pair.make({ "/d/good": "1", "/d/new/x": "1" });
    using folder = new LocalFolder();
    writeTree(folder.path, {
      "out/extra": "precious",
      "to/d/extra": "old",
      "to/d/good": "1",
    });
    for (const last of ["d/new", "d/extra"]) {
      let isSwapped = false;
      await failuresOf(() =>
        pair.ftp.downloadDir("", folder.at("to"), {
          delete: true,
          retry: false,
          compare: "size",
          filter: ({ path }: MirrorEntry) => {
            if (path === last && !isSwapped) {
              isSwapped = true;
              Deno.renameSync(folder.at("to/d"), folder.at("away"));
              Deno.symlinkSync(folder.at("out"), folder.at("to/d"));
            }
            return true;
          },
        })
      );
      assert(isSwapped, last);
      assertEquals(readTree(folder.at("out")), { extra: "precious" }, last);
      Deno.removeSync(folder.at("to/d"));
      Deno.renameSync(folder.at("away"), folder.at("to/d"));
    }
  },
});
