import { assert, assertEquals } from "@std/assert";
import type { FTPOptions, TraceEvent } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { Proxy } from "../testing/proxy.ts";
import { trusting, withTLS } from "../real/tls_client.ts";
import {
  type RealServer,
  type ServerName,
  serverTest,
} from "../testing/servers/mod.ts";
import { logInThrough, mirrorSides, prepareSides } from "./real_sides.ts";
import { makeTree, readTree, type Tree, writeTree } from "./tree.ts";

/** Counts the logins of a client and of those that are like it. */
class Logins {
  count = 0;

  readonly trace = ({ direction, text }: TraceEvent): void => {
    if (direction === "sent" && text.startsWith("USER ")) this.count++;
  };
}

/** Brings a tree there and back, and removes some of it. */
async function checkTree(
  server: RealServer,
  options: FTPOptions,
): Promise<void> {
  using folder = new LocalFolder();
  // the way is so long that others are there before the first has done it all
  await using proxy = await Proxy.start(server, { delay: 5 });
  const logins = new Logins();
  const { trace } = logins;
  await using ftp = await logInThrough(proxy, server, { ...options, trace });
  const tree = makeTree();
  writeTree(folder.at("from"), tree);
  const all = { connections: 4 };
  await server.mkdir("www");
  await ftp.cwd("www");
  const up = await ftp.uploadDir(folder.at("from"), "a/site", all);
  assertEquals(logins.count, 4);
  assertEquals(readTree(`${server.root}/www/a/site`), tree);
  const down = await ftp.downloadDir("a/site", folder.at("to"), all);
  assertEquals(logins.count, 7);
  assertEquals(down, up);
  assertEquals(readTree(folder.at("to")), tree);
  Deno.removeSync(folder.at("from/odd"), { recursive: true });
  const some = { ...all, delete: true };
  const again = await ftp.uploadDir(folder.at("from"), "a/site", some);
  assertEquals([again.transferred, again.removed], [0, 1]);
  assertEquals(
    readTree(`${server.root}/www/a/site`),
    readTree(folder.at("from")),
  );
  assertEquals(await ftp.pwd(), "/www");
}

serverTest(
  "FTP.uploadDir and downloadDir bring a tree there and back over four connections",
  (server) => checkTree(server, {}),
  { passivePorts: 200 },
);

serverTest(
  "FTP.uploadDir and downloadDir bring a tree there and back over four connections under TLS",
  async (server) => checkTree(server, await trusting()),
  {
    prepare: async () => ({
      passivePorts: 200,
      ...await withTLS({ required: true })(),
    }),
    servers: ["vsftpd", "proftpd"], // which demand that sessions are resumed
  },
);

/** How each is told to have two connections of one host, and no more. */
const LIMITS: Record<ServerName, readonly string[]> = {
  "vsftpd": ["max_per_ip=2"],
  "proftpd": ["MaxClientsPerHost 2"],
  "pure-ftpd": ["-C", "2"],
  "pyftpdlib": ["server.max_cons_per_ip = 2"],
};

for (const [name, extra] of Object.entries(LIMITS)) {
  serverTest(
    "FTP.downloadDir makes do with the connections that a server allows",
    async (server) => {
      const tree = manyFiles();
      using folder = new LocalFolder();
      for (const [path, text] of Object.entries(tree)) {
        await server.write(`top/${path}`, text);
      }
      await using proxy = await Proxy.start(server, { delay: 5 });
      let refusals = 0;
      await using ftp = await logInThrough(proxy, server, {
        trace: ({ direction, text }) => {
          if (direction === "received" && /^(421|530)/.test(text)) refusals++;
        },
      });
      const { transferred } = await ftp.downloadDir("top", folder.path, {
        connections: 5,
        retry: false,
      });
      assertEquals(transferred, 60);
      assert(refusals >= 3);
      assertEquals(readTree(folder.path), tree);
    },
    { servers: [name as ServerName], extra, passivePorts: 100 },
  );
}

for (const direction of ["up", "down"] as const) {
  const name = direction === "up" ? "uploadDir" : "downloadDir";
  serverTest(
    `FTP.${name} recovers from transfers that are cut on any of its connections`,
    async (server) => {
      using folder = new LocalFolder();
      const tree = manyFiles();
      prepareSides(server, folder, direction, tree);
      await using proxy = await Proxy.start(server, {
        plan: ({ channel, index }) =>
          channel === "data" && index % 10 === 9
            ? [{ direction, offset: 1000, fault: "reset" }]
            : [],
      });
      await using ftp = await logInThrough(proxy, server);
      const options = { connections: 3 };
      const done = await mirrorSides(ftp, folder, direction, options);
      assertEquals(done.transferred, 60);
      assert(proxy.faults.length > 0);
      assertEquals(readTree(folder.at("local")), tree);
      assertEquals(readTree(`${server.root}/top`), tree);
    },
    { passivePorts: 200 },
  );
}

function manyFiles(): Tree {
  return Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [`d${i % 7}/${i}`, "x".repeat(4000)]),
  );
}
