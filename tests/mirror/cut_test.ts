import { assert, assertEquals, assertMatch } from "@std/assert";
import type { MirrorEvent } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { Proxy } from "../testing/proxy.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { logInThrough, mirrorSides, prepareSides } from "./real_sides.ts";
import { failuresOf, readTree, type Tree } from "./tree.ts";

for (const direction of ["up", "down"] as const) {
  const name = direction === "up" ? "uploadDir" : "downloadDir";
  serverTest(
    `FTP.${name} recovers from transfers that are cut`,
    async (server) => {
      using folder = new LocalFolder();
      const tree = fewFiles();
      prepareSides(server, folder, direction, tree);
      await using proxy = await Proxy.start(server, {
        plan: ({ channel, index }) =>
          channel === "data" && index % 5 === 4
            ? [{ direction, offset: 10_000, fault: "reset" }]
            : [],
      });
      await using ftp = await logInThrough(proxy, server, { timeout: 3000 });
      const { transferred } = await mirrorSides(ftp, folder, direction);
      assertEquals(transferred, 12);
      assert(proxy.faults.length > 0);
      assertEquals(readTree(folder.at("local")), tree);
      assertEquals(readTree(`${server.root}/top`), tree);
    },
    { passivePorts: 100 },
  );

  serverTest(
    `FTP.${name} that was cut in the middle is completed by the next`,
    async (server) => {
      using folder = new LocalFolder();
      const tree = fewFiles();
      prepareSides(server, folder, direction, tree);
      if (direction === "up") await server.write("top/extra", "x");
      else Deno.writeTextFileSync(folder.at("local/extra"), "x");
      let isDown = false;
      await using proxy = await Proxy.start(server, {
        plan: () =>
          isDown ? [{ direction: "down", offset: 0, fault: "reset" }] : [],
      });
      await using lost = await logInThrough(proxy, server, { timeout: 3000 });
      let count = 0;
      const { error } = await failuresOf(() =>
        mirrorSides(lost, folder, direction, {
          retry: { attempts: 2, delay: 1 },
          delete: true,
          onEntry: ({ action }: MirrorEvent) => {
            if (action !== "transfer" || ++count < 7) return;
            isDown = true;
            proxy.cut();
          },
        })
      );
      assertMatch(
        error.message,
        /^Cannot (up|down)load all of .*: the connection is lost: /,
      );
      assertEquals(error.result.transferred, 7);
      assertEquals(error.result.removed, 0);
      isDown = false;
      await using ftp = await logInThrough(proxy, server, { timeout: 3000 });
      const done = await mirrorSides(ftp, folder, direction, { delete: true });
      assertEquals([done.transferred, done.unchanged, done.removed], [5, 7, 1]);
      assertEquals(readTree(folder.at("local")), tree);
      assertEquals(readTree(`${server.root}/top`), tree);
    },
    { passivePorts: 100 },
  );
}

/** A dozen files in three directories. */
function fewFiles(): Tree {
  return Object.fromEntries(
    Array.from(
      { length: 12 },
      (_, i) => [`d${i % 3}/${i}`, "x".repeat(20_000)],
    ),
  );
}
