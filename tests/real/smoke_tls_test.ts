// The harness itself over TLS, by hand: no line of the client under test is involved.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import net from "node:net";
import tls from "node:tls";
import { RawSession, type RawStream } from "../testing/raw_session.ts";
import {
  type CertificateName,
  certificates,
  issue,
} from "../testing/servers/certificates.ts";
import {
  type RealServer,
  type ServerOptions,
  serverTest,
  type ServerTLS,
} from "../testing/servers/mod.ts";

/** Options with TLS, made when the test runs. */
function withTLS(
  mode: ServerTLS["mode"],
  which: CertificateName,
  rest: Partial<ServerTLS> = {},
): () => Promise<ServerOptions> {
  return async () => ({
    tls: { mode, ...await issue(which), ...rest },
  });
}

/** Dials TLS, or puts it on the socket of a session that said AUTH TLS. */
async function dialTLS(
  server: RealServer,
  implicit: boolean,
): Promise<Deno.TlsConn> {
  const { authority } = await certificates();
  const caCerts = [await Deno.readTextFile(authority.certificate)];
  const hostname = server.host;
  if (implicit) {
    return await Deno.connectTls({ hostname, port: server.port, caCerts });
  }
  const conn = await Deno.connect({ hostname, port: server.port });
  try {
    const session = new RawSession(conn, hostname);
    assertMatch(await session.reply(), /^220/);
    assertMatch(await session.command("AUTH TLS"), /^234/);
    const secured = await Deno.startTls(conn, { hostname, caCerts });
    try {
      await secured.handshake();
    } catch (error) {
      secured.close();
      throw error;
    }
    return secured;
  } catch (error) {
    try {
      conn.close();
    } catch {
      // startTls took it along.
    }
    throw error;
  }
}

for (const which of ["good", "rsa"] as const) {
  serverTest(
    `A server's ${which} certificate is accepted, and a login goes through`,
    async (server) => {
      using session = new RawSession(await dialTLS(server, false), server.host);
      assertMatch(await session.command(`USER ${server.user}`), /^331/);
      assertMatch(await session.command(`PASS ${server.password}`), /^230/);
      assertMatch(await session.command("PBSZ 0"), /^200/);
      assertMatch(await session.command("PROT P"), /^200/);
    },
    { prepare: withTLS("explicit", which), needs: (features) => features.tls },
  );
}

serverTest(
  "A server speaks TLS from the first byte",
  async (server) => {
    using session = new RawSession(await dialTLS(server, true), server.host);
    assertMatch(await session.reply(), /^220/);
    assertMatch(await session.command(`USER ${server.user}`), /^331/);
    assertMatch(await session.command(`PASS ${server.password}`), /^230/);
  },
  {
    prepare: withTLS("implicit", "good"),
    needs: (features) => features.implicitTLS,
  },
);

for (const which of ["expired", "wrongName", "selfSigned"] as const) {
  serverTest(
    `A server's ${which} certificate is refused`,
    async (server) => {
      await assertRejects(
        () => dialTLS(server, false),
        Deno.errors.InvalidData,
      );
    },
    { prepare: withTLS("explicit", which), servers: ["proftpd"] },
  );
}

for (const version of ["1.2", "1.3"] as const) {
  serverTest(
    `A server pinned to TLS ${version} speaks nothing else`,
    async (server) => {
      assertEquals(await versionOf(server), `TLSv${version}`);
      const other = version === "1.2" ? "TLSv1.3" : "TLSv1.2";
      await assertRejects(() => versionOf(server, other));
    },
    { prepare: withTLS("explicit", "good", { version }) },
  );
}

/** Speaks TLS after AUTH, and tells the version. */
async function versionOf(
  server: RealServer,
  only?: "TLSv1.2" | "TLSv1.3",
): Promise<string | null> {
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const plain = net.connect(server.port, server.host);
  plain.once("data", () => {
    plain.write("AUTH TLS\r\n");
    plain.once("data", () => {
      const socket = tls.connect({
        socket: plain,
        rejectUnauthorized: false,
        ...(only === undefined ? {} : { minVersion: only, maxVersion: only }),
      }, () => resolve(socket.getProtocol()));
      socket.on("error", reject);
    });
  });
  plain.on("error", reject);
  const closed = new Promise((resolve) => plain.once("close", resolve));
  try {
    return await promise;
  } finally {
    plain.destroy();
    await closed;
  }
}

serverTest(
  "A server that requires a client certificate rejects clients without one",
  async (server) => {
    const conn: RawStream | undefined = await dialTLS(server, false).catch(() =>
      undefined
    );
    if (conn === undefined) return; // refused in the handshake
    using session = new RawSession(conn, server.host);
    const reply = await session.command(`USER ${server.user}`).catch(() => "");
    assertMatch(reply, /^(?!331|230)/);
  },
  {
    needs: (features) => features.clientCertificates,
    prepare: async () => {
      const { good, authority } = await certificates();
      const clientAuthority = authority.certificate;
      return { tls: { mode: "explicit", ...good, clientAuthority } };
    },
  },
);
