import { assert, assertEquals, assertMatch } from "@std/assert";
import type { FTP } from "../../mod.ts";
import { repetitions } from "../testing/repetitions.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";
import { bytes, fetchBytes, makeData, text } from "./client.ts";
import { logInTLS, withTLS } from "./tls_client.ts";

const DATA = makeData(200_001);

/** With FTP_TEST_SCALE=10 there are 120. */
const IN_A_ROW = repetitions(12);

/** On each of four connections. With FTP_TEST_SCALE=10 there are 60. */
const AT_ONCE = repetitions(6);

const ABORTS = repetitions(3);

for (const mode of ["explicit", "implicit"] as const) {
  for (const version of ["1.2", "1.3"] as const) {
    serverTest(`FTP works over ${mode} TLS ${version}`, async (server) => {
      await using ftp = await logInTLS(server, { mode });
      const { protocol, cipher, fingerprint, peerCertificate } = ftp.tls!;
      assertEquals(protocol, `TLSv${version}`);
      assert(cipher.length > 5);
      assertMatch(fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
      assertMatch(peerCertificate.subject, /CN=good/);
      await exchange(ftp, server);
    }, {
      prepare: withTLS({ mode, version }),
      needs: (features) => mode === "explicit" || features.implicitTLS,
    });
  }
}

serverTest("FTP over TLS works in active mode", async (server) => {
  await using ftp = await logInTLS(server, {}, { passive: false });
  await exchange(ftp, server);
}, { prepare: withTLS() });

serverTest("FTP over TLS works over IPv6, in both modes", async (server) => {
  await using ftp = await logInTLS(server);
  await exchange(ftp, server);
  ftp.setPasv(false);
  await exchange(ftp, server);
}, { prepare: withTLS(), ipv6: true, needs: (features) => features.ipv6 });

serverTest(
  "FTP over TLS resumes the session on data connections",
  async (server) => {
    await using ftp = await logInTLS(server);
    await server.write("data.bin", DATA);
    const [conn] = await ftp.ntransfercmd("RETR data.bin");
    assertEquals(conn.tls?.protocol, ftp.tls?.protocol);
    assertEquals(conn.tls?.fingerprint, ftp.tls?.fingerprint);
    assertEquals(conn.tls?.resumed, true);
    const buffer = new Uint8Array(65_536);
    while (await conn.read(buffer) !== null);
    conn.close();
    assertEquals((await ftp.voidresp()).code, 226);
  },
  {
    prepare: withTLS({ sessionReuse: true }),
    needs: (features) => features.sessionReuse,
  },
);

serverTest(
  `FTP carries ${IN_A_ROW} files in a row over TLS`,
  async (server) => {
    await using ftp = await logInTLS(server);
    await mixed(ftp, server, "f", IN_A_ROW);
  },
  { prepare: withTLS() },
);

serverTest(
  "Four FTPs over TLS to one server are all accepted",
  async (server) => {
    const clients = await Promise.all(
      ["a", "b", "c", "d"].map(async (name) =>
        [name, await logInTLS(server)] as const
      ),
    );
    try {
      await Promise.all(
        clients.map(([name, ftp]) => mixed(ftp, server, name, AT_ONCE)),
      );
    } finally {
      for (const [_name, ftp] of clients) await ftp[Symbol.asyncDispose]();
    }
  },
  { prepare: withTLS() },
);

serverTest(
  "FTP.abort over TLS leaves the connection in step",
  async (server) => {
    const big = makeData(5_000_000);
    await server.write("big", big);
    await using ftp = await logInTLS(server);
    for (let i = 0; i < ABORTS; i++) {
      const [conn] = await ftp.ntransfercmd("RETR big");
      await conn.read(new Uint8Array(1000));
      assert([225, 226, 426].includes((await ftp.abort()).code));
      assertEquals(await ftp.pwd(), "/");
    }
    assertEquals(await fetchBytes(ftp, "big"), big);
  },
  { prepare: withTLS() },
);

/** Downloads and uploads, empty files among them. */
async function mixed(
  ftp: FTP,
  server: RealServer,
  prefix: string,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const data = makeData(i % 5 === 0 ? 0 : i * 997, i + 1);
    const name = `${prefix}${i}`;
    if (i % 2 === 0) {
      await ftp.storbinary(`STOR ${name}`, data);
      assertEquals(await server.read(name), data);
    } else {
      await server.write(name, data);
      assertEquals(await fetchBytes(ftp, name), data);
    }
  }
}

/** Files both ways, binary and text, empty and not, and a listing. */
async function exchange(ftp: FTP, server: RealServer): Promise<void> {
  await ftp.storbinary("STOR data.bin", DATA);
  assertEquals(await server.read("data.bin"), DATA);
  assertEquals(await fetchBytes(ftp, "data.bin"), DATA);
  await ftp.storbinary("STOR empty", new Uint8Array(0));
  assertEquals(await server.read("empty"), new Uint8Array(0));
  assertEquals(await fetchBytes(ftp, "empty"), new Uint8Array(0));
  await ftp.storlines("STOR text", bytes("one\ntwo\n"));
  assertEquals(
    text(await server.read("text")).replaceAll("\r", ""),
    "one\ntwo\n",
  );
  const lines: string[] = [];
  await ftp.retrlines("RETR text", (line) => lines.push(line));
  assertEquals(lines, ["one", "two"]);
  const names = (await ftp.nlst()).filter((name) => !name.startsWith("."));
  assertEquals(names.sort(), ["data.bin", "empty", "text"]);
}
