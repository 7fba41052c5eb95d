import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  FTP,
  type MirrorEvent,
  type MirrorResult,
  type UploadDirOptions,
} from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { Proxy } from "../proxy.ts";
import { type RealServer, serverTest } from "../servers/mod.ts";
import { failuresOf, readTree, type Tree, writeTree } from "./tree.ts";

for (const direction of ["up", "down"] as const) {
  const name = direction === "up" ? "uploadDir" : "downloadDir";
  serverTest(
    `FTP.${name} recovers from transfers that are cut`,
    async (server) => {
      using folder = new LocalFolder();
      const tree = prepareCut(server, folder, direction);
      await using proxy = await Proxy.start(server, {
        plan: ({ channel, index }) =>
          channel === "data" && index % 5 === 4
            ? [{ direction, offset: 10_000, fault: "reset" }]
            : [],
      });
      await using ftp = await dial(proxy, server);
      const { transferred } = await run(ftp, folder, direction);
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
      const tree = prepareCut(server, folder, direction);
      if (direction === "up") await server.write("top/extra", "x");
      else Deno.writeTextFileSync(folder.at("local/extra"), "x");
      let isDown = false;
      await using proxy = await Proxy.start(server, {
        plan: () =>
          isDown ? [{ direction: "down", offset: 0, fault: "reset" }] : [],
      });
      await using lost = await dial(proxy, server);
      let count = 0;
      const { error } = await failuresOf(() =>
        run(lost, folder, direction, {
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
      await using ftp = await dial(proxy, server);
      const done = await run(ftp, folder, direction, { delete: true });
      assertEquals([done.transferred, done.unchanged, done.removed], [5, 7, 1]);
      assertEquals(readTree(folder.at("local")), tree);
      assertEquals(readTree(`${server.root}/top`), tree);
    },
    { passivePorts: 100 },
  );
}

function prepareCut(
  server: RealServer,
  folder: LocalFolder,
  direction: "up" | "down",
): Tree {
  const tree: Tree = {};
  for (let i = 0; i < 12; i++) tree[`d${i % 3}/${i}`] = "x".repeat(20_000);
  Deno.mkdirSync(folder.at("local"));
  Deno.mkdirSync(`${server.root}/top`);
  Deno.chmodSync(`${server.root}/top`, 0o777);
  writeTree(
    direction === "up" ? folder.at("local") : `${server.root}/top`,
    tree,
  );
  return tree;
}

async function dial(proxy: Proxy, server: RealServer): Promise<FTP> {
  const ftp = new FTP({ timeout: 3000 });
  await ftp.connect(proxy.host, proxy.port);
  await ftp.login(server.user, server.password);
  return ftp;
}

function run(
  ftp: FTP,
  folder: LocalFolder,
  direction: "up" | "down",
  options: UploadDirOptions = {},
): Promise<MirrorResult> {
  const all = { retry: { delay: 1 }, ...options };
  return direction === "up"
    ? ftp.uploadDir(folder.at("local"), "top", all)
    : ftp.downloadDir("top", folder.at("local"), all);
}
