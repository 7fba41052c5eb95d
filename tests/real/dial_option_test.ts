/** The option `dial` against real servers, plain and over TLS. */

import { assertEquals } from "@std/assert";
import type { Dial, FTP } from "../../mod.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";
import { fetchBytes, makeData } from "./client.ts";
import { trusting, withTLS } from "./tls_client.ts";
import { FTP as Client } from "../../mod.ts";

const DATA = makeData(300_000);

/** A client that knows the server as "localhost", to which only its tunnel leads. */
async function logInBy(
  server: RealServer,
  isSecure: boolean,
): Promise<{ ftp: FTP; calls: string[] }> {
  const calls: string[] = [];
  const dial: Dial = async ({ hostname, port, transport, signal }) => {
    calls.push(`${transport} ${hostname}`);
    return await Deno.connect({ hostname: server.host, port, signal });
  };
  const options = isSecure ? await trusting() : {};
  const ftp = new Client({ timeout: 10_000, dial, ...options });
  await ftp.connect("localhost", server.port);
  await ftp.login(server.user, server.password);
  return { ftp, calls };
}

for (const isSecure of [false, true]) {
  serverTest(
    `FTP dials by the function dial, ${
      isSecure ? "over TLS" : "plain"
    }: transfers, clones and a connection that was lost`,
    async (server) => {
      const { ftp, calls } = await logInBy(server, isSecure);
      await using _closed = ftp;
      await ftp.store("a", DATA);
      assertEquals(await fetchBytes(ftp, "a"), DATA);
      await using clone = await ftp.clone();
      await Promise.all([ftp, clone].map(async (one, i) => {
        await one.store(`b${i}`, DATA);
        assertEquals(await fetchBytes(one, `b${i}`), DATA);
      }));
      await clone.reconnect();
      assertEquals(await fetchBytes(clone, "a"), DATA);
      assertEquals(ftp.tls === undefined, !isSecure);
      const controls = calls.filter((call) => call === "control localhost");
      const data = calls.filter((call) => call === "data localhost");
      assertEquals(controls.length, 3);
      assertEquals(controls.length + data.length, calls.length);
    },
    isSecure ? { prepare: withTLS(), needs: ({ tls }) => tls } : {},
  );
}
