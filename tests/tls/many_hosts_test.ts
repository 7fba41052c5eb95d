/** One long-lived client, and connections to many hosts. */

import { assertEquals } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { FTP } from "../../mod.ts";
import { certificates } from "../testing/servers/certificates.ts";
import { serverTest } from "../testing/servers/mod.ts";

/** More than the platform's store of sessions has room for. */
const HOSTS = 34;

serverTest(
  "FTP keeps its TLS session while many other hosts are talked to",
  async (server) => {
    const { good } = await certificates();
    const { fingerprint256: fingerprint } = new X509Certificate(
      await Deno.readFile(good.certificate),
    );
    const logIn = async (serverName: string) => {
      const ftp = new FTP({ tls: { fingerprint, serverName } });
      await ftp.connect(server.host, server.port);
      await ftp.login(server.user, server.password);
      return ftp;
    };
    await using ftp = await logIn("stays.test");
    for (let i = 0; i < HOSTS; i++) {
      await using _other = await logIn(`host-${i}.test`);
    }
    assertEquals((await ftp.store("data", new Uint8Array(10))).code, 226);
  },
  {
    servers: ["vsftpd"],
    prepare: async () => {
      const { good } = await certificates();
      return { tls: { mode: "explicit", ...good } };
    },
  },
);
