import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type ByteStream, writeAll } from "../../lib/connection/byte_stream.ts";
import { secureControl, secureData } from "../../lib/tls/secure.ts";
import type { TLSConnection } from "../../lib/tls/connection.ts";
import { TLSError, type TLSErrorReason } from "../../lib/tls/errors.ts";
import type { TLSVersion } from "../../lib/connection/tls_info.ts";
import type { TLSOptions } from "../../lib/tls/options.ts";
import { X509Certificate } from "node:crypto";
import type { TlsOptions } from "node:tls";
import {
  AUTHORITY,
  TestAuthority,
  type TestCertificate,
} from "../testing/servers/test_authority.ts";
import { startTCPServer, startTLSServer } from "../testing/echo_server.ts";

const VERSIONS: readonly TLSVersion[] = ["TLSv1.2", "TLSv1.3"];

using authority = await TestAuthority.make();
const server = await authority.issue("localhost");
const TRUSTING: TLSOptions = { caCerts: [authority.certificate.pem.cert] };

function serverOptions({ pem }: TestCertificate): TlsOptions {
  return pem;
}

async function control(
  port: number,
  options: TLSOptions = TRUSTING,
  host = "localhost",
  timeout = 5000,
): Promise<TLSConnection> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  return await secureControl(conn, { host, port, options, timeout });
}

async function data(of: TLSConnection, port: number): Promise<TLSConnection> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  return await secureData(conn, of.session, { timeout: 5000 });
}

function close(...connections: TLSConnection[]): void {
  for (const connection of connections) {
    connection.close();
    connection.session.close();
  }
}

async function readAll(connection: TLSConnection): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  for (let n; (n = await connection.read(buffer)) !== null;) {
    chunks.push(buffer.slice(0, n));
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

function pattern(size: number): Uint8Array {
  return new Uint8Array(size).map((_, i) => (i * 31 + (i >> 11)) & 255);
}

for (const version of VERSIONS) {
  const options = { ...TRUSTING, minVersion: version, maxVersion: version };

  Deno.test(`secureData resumes the control connection's session (${version})`, async () => {
    await using running = await startTLSServer(serverOptions(server));
    const first = await control(running.port, options);
    assertEquals(first.info.protocol, version);
    assertEquals(first.info.resumed, false);
    // a ticket of TLS 1.3 comes with the first bytes
    await writeAll(first, pattern(10));
    await first.read(new Uint8Array(10));
    for (const size of [0, 1, 100_000]) {
      const connection = await data(first, running.port);
      assertEquals(connection.info.resumed, true);
      assertEquals(connection.info.fingerprint, first.info.fingerprint);
      await writeAll(connection, pattern(size));
      await connection.closeWrite();
      assertEquals(await readAll(connection), pattern(size));
      assertEquals(connection.endedCleanly, true);
      connection.close();
    }
    close(first);
  });

  Deno.test(`TLSConnection carries 20 MB down (${version})`, async () => {
    const sent = pattern(20_000_000);
    await using running = await startTLSServer(
      serverOptions(server),
      (socket) => socket.end(sent),
    );
    const connection = await control(running.port, options);
    const received = await readAll(connection);
    assert(received.length === sent.length);
    assert(received.every((byte, i) => byte === sent[i]));
    assertEquals(connection.endedCleanly, true);
    close(connection);
  });

  Deno.test(`TLSConnection carries 20 MB up (${version})`, async () => {
    const sent = pattern(20_000_000);
    const chunks: Uint8Array[] = [];
    const ended = Promise.withResolvers<void>();
    await using running = await startTLSServer(
      serverOptions(server),
      (socket) => {
        socket.on("data", (chunk: Uint8Array) => chunks.push(chunk));
        socket.on("end", () => ended.resolve());
      },
    );
    const connection = await control(running.port, options);
    await writeAll(connection, sent);
    await connection.closeWrite();
    await ended.promise;
    const received = await new Blob(chunks as BlobPart[]).bytes();
    assert(received.length === sent.length);
    assert(received.every((byte, i) => byte === sent[i]));
    close(connection);
  });

  Deno.test(`two control connections to one name keep their sessions apart (${version})`, async () => {
    await using running = await startTLSServer(serverOptions(server));
    const both = [
      await control(running.port, options),
      await control(running.port, options),
    ];
    for (const one of both) {
      assertEquals(one.info.resumed, false);
      await writeAll(one, pattern(10));
      await one.read(new Uint8Array(10));
      const connection = await data(one, running.port);
      assertEquals(connection.info.resumed, true);
      await writeAll(connection, pattern(60_000));
      await connection.closeWrite();
      assertEquals((await readAll(connection)).length, 60_000);
      assertEquals(connection.endedCleanly, true);
      connection.close();
    }
    close(...both);
  });
}

Deno.test("secureData resumes a session of TLS 1.2 although tickets of 1.3 are left", async () => {
  await using running = await startTLSServer(serverOptions(server));
  const earlier = await control(running.port, {
    ...TRUSTING,
    maxVersion: "TLSv1.3",
  });
  await writeAll(earlier, pattern(10));
  await earlier.read(new Uint8Array(10));
  close(earlier);
  const first = await control(running.port);
  assertEquals(first.info.protocol, "TLSv1.2");
  const second = await data(first, running.port);
  assertEquals(second.info.resumed, true);
  close(first, second);
});

Deno.test("TLSConnection.readOwn gives what comes after a read, in memory to keep", async () => {
  const sent = pattern(1_000_000);
  await using running = await startTLSServer(
    serverOptions(server),
    (socket) => socket.end(sent),
  );
  const connection = await control(running.port);
  const first = new Uint8Array(10);
  assertEquals(await connection.read(first), 10);
  const chunks = [first];
  for (let chunk; (chunk = await connection.readOwn()) !== null;) {
    // Node's Buffer has a slice() that does not copy
    assertEquals(chunk.constructor, Uint8Array);
    chunks.push(chunk);
  }
  const received = await new Blob(chunks).bytes();
  assert(received.length === sent.length);
  assert(received.every((byte, i) => byte === sent[i]));
  assertEquals(connection.endedCleanly, true);
  close(connection);
});

Deno.test("TLSConnection in a thread reads what a server sent that closed at once", async () => {
  await using running = await startTLSServer(
    serverOptions(server),
    (socket) => socket.end(pattern(10)),
  );
  const first = await control(running.port); // its sessions are in this thread
  for (let i = 0; i < 20; i++) {
    const second = await control(running.port);
    assertEquals(await readAll(second), pattern(10));
    assertEquals(second.endedCleanly, true);
    close(second);
  }
  close(first);
});

Deno.test("TLSConnection tells of a stream cut off before close_notify", async () => {
  const cut = Promise.withResolvers<void>();
  await using running = await startTLSServer(
    serverOptions(server),
    (socket) =>
      socket.write("half", () => cut.promise.then(() => socket.destroySoon())),
  );
  await using proxy = startTCPServer(async (near) => {
    const far = await Deno.connect({
      hostname: "127.0.0.1",
      port: running.port,
    });
    const up = near.readable.pipeTo(far.writable).catch(() => {});
    const buffer = new Uint8Array(65_536);
    for (let n; (n = await far.read(buffer)) !== null && !isCut;) {
      await writeAll(near, buffer.subarray(0, n));
    }
    near.close();
    await up;
  });
  let isCut = false;
  const connection = await control(proxy.port);
  const buffer = new Uint8Array(10);
  assertEquals(await connection.read(buffer), 4);
  isCut = true;
  cut.resolve();
  assertEquals(await connection.read(buffer), null);
  assertEquals(connection.endedCleanly, false);
  close(connection);
});

Deno.test("TLSConnection reads to the end though its own close_notify meets a closed peer", async () => {
  const sent = pattern(300_000);
  await using running = await startTLSServer(
    serverOptions(server),
    (socket) => socket.once("data", () => socket.end(sent)),
  );
  const conn = await Deno.connect({
    hostname: "127.0.0.1",
    port: running.port,
  });
  let isGone = false;
  let refused = 0;
  const stream: ByteStream = {
    localAddr: conn.localAddr,
    remoteAddr: conn.remoteAddr,
    read: (buffer) => conn.read(buffer),
    write(bytes) {
      if (!isGone) return conn.write(bytes);
      refused++;
      return Promise.reject(new Deno.errors.BrokenPipe("Broken pipe"));
    },
    closeWrite: () => conn.closeWrite(),
    close: () => conn.close(),
    ref: () => conn.ref(),
    unref: () => conn.unref(),
  };
  const connection = await secureControl(stream, {
    host: "localhost",
    port: running.port,
    options: TRUSTING,
    timeout: 5000,
  });
  await writeAll(connection, new Uint8Array(10));
  const first = new Uint8Array(1);
  await connection.read(first);
  isGone = true; // all that was asked for is on its way
  const rest = await readAll(connection);
  assertEquals(refused, 1);
  assertEquals(rest, sent.subarray(1));
  assertEquals(connection.endedCleanly, true);
  close(connection);
});

Deno.test("TLSConnection.closeWrite does not wait for the peer's close_notify", async () => {
  await using running = await startTLSServer(
    { ...serverOptions(server), allowHalfOpen: true },
    (socket) => socket.resume(),
  );
  const connection = await control(running.port);
  await writeAll(connection, pattern(1000));
  await connection.closeWrite();
  await assertRejects(
    () => connection.write(new Uint8Array(1)),
    Deno.errors.BrokenPipe,
  );
  close(connection);
});

Deno.test("TLSConnection.close rejects a pending read", async () => {
  await using running = await startTLSServer(serverOptions(server));
  const connection = await control(running.port);
  const reading = connection.read(new Uint8Array(1));
  connection.close();
  await assertRejects(() => reading, Deno.errors.BadResource);
  close(connection);
});

Deno.test("TLSConnection.read makes the peer wait while nothing is read", async () => {
  let sent = 0;
  const full = Promise.withResolvers<void>();
  await using running = await startTLSServer(
    serverOptions(server),
    (socket) => {
      const chunk = pattern(1 << 20);
      const send = (): void => {
        while (sent < 100 << 20) {
          sent += chunk.length;
          if (!socket.write(chunk)) return full.resolve();
        }
      };
      socket.on("drain", send);
      send();
    },
  );
  const connection = await control(running.port);
  await connection.read(new Uint8Array(1));
  await full.promise;
  await new Promise((resolve) => setTimeout(resolve, 300)); // an absence is observed
  assert(sent < 50 << 20, `${sent} bytes were sent`);
  close(connection);
});

Deno.test("TLSConnection.detach gives back the connection in clear text", async () => {
  await using running = await startTLSServer(
    serverOptions(server),
    (socket) => {
      socket.resume();
    },
  );
  await using proxy = startTCPServer(async (near) => {
    const far = await Deno.connect({
      hostname: "127.0.0.1",
      port: running.port,
    });
    const down = far.readable.pipeTo(near.writable, {
      preventClose: true,
      preventAbort: true,
    })
      .catch(() => {});
    const buffer = new Uint8Array(65_536);
    for (let n; (n = await near.read(buffer)) !== null;) {
      const bytes = buffer.subarray(0, n);
      if (new TextDecoder().decode(bytes) === "NOOP\r\n") break;
      await writeAll(far, bytes);
    }
    await down; // its end closes "far"
    await writeAll(near, new TextEncoder().encode("200 Ok\r\n"));
  });
  const connection = await control(proxy.port);
  const stream = await connection.detach();
  await writeAll(stream, new TextEncoder().encode("NOOP\r\n"));
  const buffer = new Uint8Array(3);
  assertEquals(await stream.read(buffer), 3);
  assertEquals(new TextDecoder().decode(buffer), "200");
  stream.close();
  connection.session.close();
});

interface Refusal {
  title: string;
  certificate: TestCertificate;
  options?: TLSOptions;
  host?: string;
  reason: TLSErrorReason;
  message: RegExp;
}

const intermediate = await authority.issue("Intermediate", {
  extensions: AUTHORITY,
});
const notAuthority = await authority.issue("Not an authority");
const chained = await authority.issue("localhost", { issuer: intermediate });
const selfSigned = await authority.issue("localhost", { selfSigned: true });

const versionOne = await authority.issue("localhost", { extensions: [] });

const REFUSALS: readonly Refusal[] = [
  {
    title: "an expired certificate",
    certificate: await authority.issue("localhost", { to: "20210101" }),
    reason: "expired",
    message: /"CN=localhost" expired on Jan +1 00:00:00 2021 GMT/,
  },
  {
    title: "a certificate that is not valid yet",
    certificate: await authority.issue("localhost", { from: "20980101" }),
    reason: "not-yet-valid",
    message: /valid from Jan +1 00:00:00 2098 GMT only/,
  },
  {
    title: "a certificate for another name",
    certificate: await authority.issue("other", { names: "DNS:other.test" }),
    reason: "wrong-name",
    message: /is for other\.test, not for "localhost"/,
  },
  {
    title: "a certificate for another address",
    certificate: await authority.issue("other", { names: "IP:127.0.0.2" }),
    host: "127.0.0.1",
    reason: "wrong-name",
    message: /is for 127\.0\.0\.2, not for "127\.0\.0\.1"/,
  },
  {
    title: "a self-signed certificate, by the platform's store",
    certificate: selfSigned,
    options: {},
    reason: "self-signed",
    message: /is self-signed: trust it with `caCerts`, or, if /,
  },
  {
    title: "a self-signed certificate, by caCerts",
    certificate: selfSigned,
    reason: "self-signed",
    message: /is self-signed and not among `caCerts`: add it there, or, if /,
  },
  {
    title: "an unknown authority, by the platform's store",
    certificate: server,
    options: {},
    reason: "unknown-ca",
    message: /an authority that is not trusted here: .*, or, if /,
  },
  {
    title: "an unknown authority, by caCerts",
    certificate: server,
    options: { caCerts: [selfSigned.pem.cert] },
    reason: "unknown-ca",
    message: /the certificate of "CN=Test authority", which issued .*, or, if /,
  },
  {
    title: "a certificate issued by one that must not",
    certificate: await authority.issue("localhost", { issuer: notAuthority }),
    options: { caCerts: [notAuthority.pem.cert] },
    reason: "bad-certificate",
    message: /"CN=Not an authority" is not allowed to issue certificates/,
  },
  {
    title: "a certificate for clients",
    certificate: await authority.issue("localhost", {
      extensions: [
        "subjectAltName=DNS:localhost",
        "extendedKeyUsage=clientAuth",
      ],
    }),
    reason: "bad-certificate",
    message: /is not meant for servers/,
  },
  {
    title: "a certificate of X.509 version 1, even if it is pinned",
    certificate: versionOne,
    options: {
      fingerprint: new X509Certificate(versionOne.pem.cert).fingerprint256,
    },
    reason: "bad-certificate",
    message:
      /cannot check that the server has .* key: it is of X\.509 version 1/,
  },
];

for (const { title, certificate, options, host, reason, message } of REFUSALS) {
  Deno.test(`secureControl refuses ${title}`, async () => {
    await using running = await startTLSServer(serverOptions(certificate));
    const error = await assertRejects(
      () => control(running.port, options, host),
      TLSError,
    );
    assertEquals(error.reason, reason, error.message);
    assert(message.test(error.message), error.message);
    assert(
      error.message.startsWith('Cannot secure the control connection to "'),
      error.message,
    );
    assert(error instanceof Deno.errors.InvalidData);
    const { fingerprint256 } = new X509Certificate(certificate.pem.cert);
    assertEquals(error.fingerprint, fingerprint256);
    assertEquals(
      error.message.includes(
        `pin it with tls: { fingerprint: "${fingerprint256}" }`,
      ),
      reason === "self-signed" || reason === "unknown-ca",
      error.message,
    );
  });
}

/** Certificates that a data connection must not show. */
const ON_DATA = [
  ["wrong-name", await authority.issue("other", { names: "DNS:other.test" })],
  ["self-signed", await authority.issue("localhost", { selfSigned: true })],
  ["expired", await authority.issue("localhost", { to: "20210101" })],
  [
    "bad-certificate",
    await authority.issue("localhost", {
      extensions: [
        "subjectAltName=DNS:localhost",
        "extendedKeyUsage=clientAuth",
      ],
    }),
  ],
] as const;

// servers of one process resume each other's sessions of TLS 1.2
for (const [reason, shown] of ON_DATA) {
  Deno.test(`secureData refuses a certificate that only the data connection shows: ${reason}`, async () => {
    await using running = await startTLSServer(serverOptions(server));
    await using other = await startTLSServer(serverOptions(shown));
    const versions = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } as const;
    const fingerprint = new X509Certificate(server.pem.cert).fingerprint256;
    for (
      const [trust, expected] of [
        [TRUSTING, reason],
        [{ fingerprint }, "fingerprint"],
        [{ ...TRUSTING, fingerprint }, "fingerprint"],
      ] as const
    ) {
      const first = await control(running.port, { ...trust, ...versions });
      const error = await data(first, other.port).catch((error) => error);
      close(first);
      assert(error instanceof TLSError, "the certificate was accepted");
      assertEquals(error.reason, expected, error.message);
      assertStringIncludes(error.message, "Cannot secure the data connection");
    }
  });
}

Deno.test("secureControl says how to pin a certificate that TLS 1.3 hides", async () => {
  await using running = await startTLSServer(serverOptions(selfSigned));
  const error = await assertRejects(
    () => control(running.port, { minVersion: "TLSv1.3" }),
    TLSError,
    'or pin its SHA-256 with tls: { fingerprint: "..." }',
  );
  assertEquals(error.fingerprint, undefined);
});

Deno.test("secureControl trusts a chain that leads to caCerts", async () => {
  await using running = await startTLSServer({
    key: chained.pem.key,
    cert: chained.pem.cert + intermediate.pem.cert,
  });
  const connection = await control(running.port);
  assertEquals(connection.info.peerCertificate.issuer, "CN=Intermediate");
  assertEquals(connection.info.peerCertificate.names, [
    "localhost",
    "127.0.0.1",
    "127.0.0.2",
    "::1",
  ]);
  close(connection);
});

Deno.test("secureControl trusts a self-signed certificate among caCerts", async () => {
  await using running = await startTLSServer(serverOptions(selfSigned));
  const connection = await control(running.port, {
    caCerts: [selfSigned.pem.cert],
  });
  const { subject, issuer } = connection.info.peerCertificate;
  assertEquals(subject, issuer);
  close(connection);
});

Deno.test("secureControl trusts a pinned certificate, and data connections resume", async () => {
  await using running = await startTLSServer(serverOptions(selfSigned));
  const error = await assertRejects(() => control(running.port, {}), TLSError);
  const any = await control(running.port, {
    dangerouslyAcceptAnyCertificate: true,
  });
  const { fingerprint } = any.info;
  assertEquals(error.fingerprint, fingerprint);
  close(any);
  for (
    const spelt of [fingerprint, fingerprint.replaceAll(":", "").toLowerCase()]
  ) {
    const first = await control(running.port, {
      fingerprint: ["00".repeat(32), spelt],
    });
    const second = await data(first, running.port);
    assertEquals(second.info.resumed, true);
    close(first, second);
  }
});

Deno.test("secureControl tells of a server without TLS", async () => {
  await using running = startTCPServer((conn) =>
    writeAll(conn, new TextEncoder().encode("220 Welcome\r\n"))
  );
  const error = await assertRejects(() => control(running.port), TLSError);
  assertEquals(error.reason, "not-tls");
  assert(
    /answered in clear text: "220 Welcome"/.test(error.message),
    error.message,
  );
});

Deno.test("secureControl tells of a server that hangs up in the handshake", async () => {
  await using running = startTCPServer(async (conn) => {
    await conn.read(new Uint8Array(1000));
  });
  const error = await assertRejects(() => control(running.port), TLSError);
  assertEquals(error.reason, "broken");
  assert(/closed the connection during the handshake/.test(error.message));
});

const ALERTS: readonly [number, TLSErrorReason, RegExp][] = [
  [70, "version", /supports none of the offered TLS versions/],
  [40, "cipher", /supports none of the offered cipher suites/],
  [48, "client-certificate", /does not accept the client's certificate/],
  [80, "broken", /InternalError/],
];

for (const [alert, reason, message] of ALERTS) {
  Deno.test(`secureControl tells what alert ${alert} means`, async () => {
    await using running = startTCPServer(async (conn) => {
      await conn.read(new Uint8Array(1000));
      await writeAll(conn, new Uint8Array([21, 3, 3, 0, 2, 2, alert]));
      await conn.read(new Uint8Array(1000));
    });
    const error = await assertRejects(() => control(running.port), TLSError);
    assertEquals(error.reason, reason, error.message);
    assert(message.test(error.message), error.message);
  });
}

Deno.test("secureControl gives up in time", async () => {
  await using running = startTCPServer(async (conn) => {
    while (await conn.read(new Uint8Array(1000)) !== null);
  });
  await assertRejects(
    () => control(running.port, TRUSTING, "localhost", 50),
    Deno.errors.TimedOut,
    "the TLS handshake was not complete within 50 ms",
  );
});

Deno.test("secureControl gives up when its signal is aborted", async () => {
  await using running = startTCPServer(async (conn) => {
    while (await conn.read(new Uint8Array(1000)) !== null);
  });
  const { port } = running;
  const controller = new AbortController();
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const securing = secureControl(conn, {
    host: "localhost",
    port,
    options: TRUSTING,
    timeout: 5000,
    signal: controller.signal,
  });
  const reason = new Error("enough");
  controller.abort(reason);
  assertEquals(await securing.catch((error) => error), reason);
});

Deno.test("secureControl refuses options that make no sense", async () => {
  for (
    const options of [
      { fingerprint: "abc" },
      { caCerts: ["no certificate"] },
      {
        caCerts: [
          "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        ],
      },
    ]
  ) {
    await using running = await startTLSServer(serverOptions(server));
    await assertRejects(
      () => control(running.port, options),
      TypeError,
      "Cannot use ",
    );
  }
});
