import { assertEquals } from "@std/assert";
import { FTP } from "../../mod.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";
import { trusting, withTLS } from "./tls_client.ts";

const DIALOGUE_REGEXP = /^(HOST|AUTH|OPTS|USER|CWD)\b/;

/** A client that has chosen a virtual host; its dialogues are taken down. */
async function connectToHost(server: RealServer, sent: string[]): Promise<FTP> {
  const ftp = new FTP({
    ...await trusting(),
    trace: ({ direction, text }) => {
      if (direction === "sent" && DIALOGUE_REGEXP.test(text)) sent.push(text);
    },
  });
  await ftp.connect(server.host, server.port);
  await ftp.voidcmd(`HOST ${server.host}`);
  return ftp;
}

serverTest(
  "FTP.reconnect sends HOST before AUTH, as it was",
  async (server) => {
    const sent: string[] = [];
    await using ftp = await connectToHost(server, sent);
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

serverTest(
  "FTP.login says again what was said before, where TLS 1.3 takes a second connection",
  async (server) => {
    const sent: string[] = [];
    await using ftp = await connectToHost(server, sent);
    await ftp.voidcmd("OPTS UTF8 ON");
    await ftp.login(server.user, server.password);
    const [host, auth, user] = [
      `HOST ${server.host}`,
      "AUTH TLS",
      `USER ${server.user}`,
    ];
    assertEquals(ftp.tls?.protocol, "TLSv1.3");
    const again = [host, auth, "OPTS UTF8 ON", user];
    assertEquals(sent, [host, "OPTS UTF8 ON", auth, ...again]);
    await ftp.reconnect();
    assertEquals(sent.slice(-4), [host, auth, user, "OPTS UTF8 ON"]);
  },
  { prepare: withTLS({ version: "1.3" }), servers: ["proftpd"] },
);

serverTest(
  "FTP.auth says again what was said before, where TLS 1.3 takes a second connection",
  async (server) => {
    const sent: string[] = [];
    await using ftp = await connectToHost(server, sent);
    const { code } = await ftp.auth();
    assertEquals(code, 234);
    assertEquals(ftp.tls?.protocol, "TLSv1.3");
    const once = [`HOST ${server.host}`, "AUTH TLS"];
    assertEquals(sent, [...once, ...once]);
    await ftp.login(server.user, server.password);
    assertEquals(sent, [...once, ...once, `USER ${server.user}`]);
    await ftp.storbinary("STOR x", new Uint8Array(3));
    assertEquals(await ftp.size("x"), 3);
  },
  { prepare: withTLS({ version: "1.3" }), servers: ["proftpd"] },
);
