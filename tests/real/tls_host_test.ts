import { assertEquals } from "@std/assert";
import { FTP } from "../../mod.ts";
import { serverTest } from "../servers/mod.ts";
import { trusting, withTLS } from "./tls_client.ts";

const DIALOGUE_REGEXP = /^(HOST|AUTH|USER|CWD)\b/;

serverTest(
  "FTP.reconnect sends HOST before AUTH, as it was",
  async (server) => {
    const sent: string[] = [];
    await using ftp = new FTP({
      ...await trusting(),
      trace: ({ direction, text }) => {
        if (direction === "sent" && DIALOGUE_REGEXP.test(text)) sent.push(text);
      },
    });
    await ftp.connect(server.host, server.port);
    await ftp.voidcmd(`HOST ${server.host}`);
    await ftp.login(server.user, server.password);
    const once = [`HOST ${server.host}`, "AUTH TLS", `USER ${server.user}`];
    assertEquals(sent, once);
    for (let i = 0; i < 2; i++) await ftp.reconnect();
    assertEquals(sent, [...once, ...once, ...once]);
    await using other = await ftp.clone();
    assertEquals(other.connected, true);
    assertEquals(sent.slice(-3), once);
  },
  { prepare: withTLS(), servers: ["proftpd"] },
);
