/**
 * Many commands at once over TLS: servers read TLS records into their own
 * buffers.
 */

import { assertEquals } from "@std/assert";
import { serverTest } from "../testing/servers/mod.ts";
import { logInTLS, withTLS } from "./tls_client.ts";

/** A path of 60 bytes: 200 commands are three buffers of Pure-FTPd's. */
const NAME = "n".repeat(60);

serverTest(
  "FTP.pipeline gets every reply under TLS, of any size",
  async (server) => {
    await server.write(NAME, "four");
    await using ftp = await logInTLS(server);
    await ftp.voidcmd("TYPE I");
    for (const count of [60, 63, 64, 65, 70, 200, 1000]) {
      const commands = Array.from({ length: count }, () => `SIZE ${NAME}`);
      let replies = 0;
      const signal = AbortSignal.timeout(20_000);
      for await (const reply of ftp.pipeline(commands, { signal })) {
        assertEquals(String(reply), "213 4");
        replies++;
      }
      assertEquals(replies, count);
    }
  },
  { prepare: withTLS() },
);

serverTest(
  "FTP gets every reply under TLS to calls at once",
  async (server) => {
    await server.write(NAME, "four");
    await using ftp = await logInTLS(server);
    await ftp.voidcmd("TYPE I");
    const signal = AbortSignal.timeout(20_000);
    const asked = Array.from({ length: 200 }, () => ftp.size(NAME, { signal }));
    assertEquals(new Set(await Promise.all(asked)), new Set([4]));
  },
  { prepare: withTLS() },
);
