/** Listings, whole files and recovery over both versions of TLS. */

import { assertEquals } from "@std/assert";
import type { FTPOptions } from "../../mod.ts";
import { Proxy } from "../testing/proxy.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";
import { makeData } from "./client.ts";
import { logInTLS, withTLS } from "./tls_client.ts";

const NAMES = Array.from({ length: 300 }, (_, i) => `name ${i}.txt`);

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  const options = { minVersion: version, maxVersion: version };

  serverTest(`FTP lists over ${version}, by all commands`, async (server) => {
    for (const name of NAMES) await server.write(`folder/${name}`, name);
    await server.mkdir("empty");
    await using ftp = await logInTLS(server, options);
    assertEquals(ftp.tls?.protocol, version);
    const expected = NAMES.toSorted();
    const commands = server.features.mlsd
      ? ["MLSD", "LIST"] as const
      : ["LIST"] as const;
    for (const command of commands) {
      const entries = await Array.fromAsync(ftp.list("folder", { command }));
      const names = entries.map(({ name }) => name);
      assertEquals(names.toSorted(), expected);
      const sizes = entries.map(({ name, size }) => size === name.length);
      assertEquals(sizes.includes(false), false);
      assertEquals(
        await Array.fromAsync(ftp.list("empty", { command })),
        [],
      );
    }
    await ftp.cwd("folder");
    const plain = (await ftp.nlst()).filter((name) => !name.startsWith("."));
    assertEquals(plain.toSorted(), expected);
    const lines: string[] = [];
    await ftp.dir((line) => lines.push(line));
    const shown = lines.filter((line) => line.endsWith(".txt"));
    assertEquals(shown.length, NAMES.length);
  }, { prepare: withTLS() });

  serverTest(
    `FTP.upload and download carry whole files over ${version}`,
    async (server) => {
      const folder = await Deno.makeTempDir();
      try {
        await using ftp = await logInTLS(server, options);
        for (const [i, size] of [0, 1, 100_000, 3_000_000].entries()) {
          const data = makeData(size, i + 1);
          await Deno.writeFile(`${folder}/up`, data);
          await ftp.upload(`${folder}/up`, "file");
          assertEquals(await server.read("file"), data);
          await ftp.download("file", `${folder}/down`);
          assertEquals(await Deno.readFile(`${folder}/down`), data);
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
    { prepare: withTLS() },
  );

  serverTest(
    `FTP comes back over ${version} when both connections are reset`,
    async (server) => {
      await using proxy = await Proxy.start(server);
      const folder = await Deno.makeTempDir();
      const data = makeData(3_000_000);
      const retries: unknown[] = [];
      let verb = "";
      const trace: FTPOptions["trace"] = ({ direction, text }) => {
        if (direction !== "sent" || !text.startsWith(verb || "?")) return;
        verb = "";
        proxy.cut();
      };
      try {
        await using ftp = await logInTLS(
          { ...server, host: proxy.host, port: proxy.port } as RealServer,
          { ...options, serverName: "localhost" },
          { trace },
        );
        const rest = {
          retry: { delay: 1 },
          onRetry: (retry: unknown) => retries.push(retry),
        };
        await Deno.writeFile(`${folder}/up`, data);
        verb = "STOR";
        await ftp.upload(`${folder}/up`, "file", rest);
        assertEquals(await server.read("file"), data);
        verb = "RETR";
        await ftp.download("file", `${folder}/down`, rest);
        assertEquals(await Deno.readFile(`${folder}/down`), data);
        assertEquals(retries.length, 2);
        assertEquals(ftp.tls?.protocol, version);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
    { prepare: withTLS(), passivePorts: 30 },
  );
}
