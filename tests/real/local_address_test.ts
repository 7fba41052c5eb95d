/** The option `localAddress` against real servers, plain and over TLS. */

import { assertEquals } from "@std/assert";
import { serverTest } from "../testing/servers/mod.ts";
import { fetchBytes, logIn, makeData } from "./client.ts";
import { trusting, withTLS } from "./tls_client.ts";

const DATA = makeData(3_000_000);

/** Another address of this machine than the one that the system would choose. */
const OTHER = "127.0.0.2";

for (const isSecure of [false, true]) {
  serverTest(
    `FTP connects from localAddress, ${
      isSecure ? "over TLS" : "plain"
    }: passive and active`,
    async (server) => {
      await using ftp = await logIn(server, {
        localAddress: OTHER,
        ...(isSecure ? await trusting() : {}),
      });
      for (const passive of [true, false]) {
        ftp.setPasv(passive);
        await ftp.store("a", DATA);
        const [conn] = await ftp.ntransfercmd("RETR a");
        assertEquals((conn.localAddr as Deno.NetAddr).hostname, OTHER);
        const got = await new Response(conn.readable).bytes();
        await ftp.voidresp();
        assertEquals(got, DATA);
      }
      ftp.setPasv(true);
      await using clone = await ftp.clone();
      assertEquals(await fetchBytes(clone, "a"), DATA);
    },
    {
      ignore: Deno.build.os !== "linux", // others have one address on loopback
      ...(isSecure ? { prepare: withTLS(), needs: ({ tls }) => tls } : {}),
    },
  );
}
