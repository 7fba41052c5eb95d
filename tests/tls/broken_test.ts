/** Errors of TLS that fails after the handshake. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { writeAll } from "../../lib/connection/byte_stream.ts";
import { DataStream } from "../../lib/connection/data_stream.ts";
import { secureControl, secureData } from "../../lib/tls/secure.ts";
import { TLSError } from "../../lib/tls/errors.ts";
import { FTP } from "../../mod.ts";
import { TestAuthority } from "../testing/servers/test_authority.ts";
import { startTCPServer, startTLSServer } from "../testing/echo_server.ts";

using authority = await TestAuthority.make();
const { pem } = await authority.issue("localhost");
const tls = { caCerts: [authority.certificate.pem.cert] };

/** A way to a server on which the last byte of a read can be turned round. */
function startSpoiler(port: number) {
  const spoiled = { up: false, down: false };
  const server = startTCPServer(async (near) => {
    const far = await Deno.connect({ hostname: "127.0.0.1", port });
    const carry = async (
      from: Deno.Conn,
      to: Deno.Conn,
      way: "up" | "down",
    ) => {
      const buffer = new Uint8Array(65_536);
      for (let n; (n = await from.read(buffer)) !== null;) {
        if (spoiled[way]) buffer[n - 1]! ^= 1;
        await writeAll(to, buffer.subarray(0, n));
      }
    };
    const carried = [carry(near, far, "up"), carry(far, near, "down")];
    await Promise.race(carried).catch(() => {});
    far.close();
    near.close();
    await Promise.allSettled(carried);
  });
  return Object.assign(server, { spoiled });
}

/**
 * Altered data on this side, and the server's reply to altered data on its
 * side.
 */
const WAYS = [
  ["a record that was changed", "down", /decrypt|corrupt|mac/i],
  ["an alert of the server", "up", /alert|mac|decrypt/i],
] as const;

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  for (const [what, way, detail] of WAYS) {
    Deno.test(`TLSConnection says that TLS broke after the handshake, by ${what} (${version})`, async () => {
      await using server = await startTLSServer({
        ...pem,
        minVersion: version,
        maxVersion: version,
      });
      await using proxy = startSpoiler(server.port);
      const dial = () =>
        Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
      const options = { ...tls, maxVersion: version };
      const control = await secureControl(await dial(), {
        host: "localhost",
        port: 2121,
        options,
        timeout: 5000,
      });
      await writeAll(control, new Uint8Array(10));
      await control.read(new Uint8Array(10));
      const data = await secureData(await dial(), control.session, {
        timeout: 5000,
      });
      const wrapped = new DataStream(data, {
        timeout: 5000,
        command: () => "RETR file",
      });
      try {
        await wrapped.write(new Uint8Array(10));
        assertEquals(await wrapped.read(new Uint8Array(10)), 10);
        proxy.spoiled[way] = true;
        await writeAll(control, new Uint8Array(10));
        const error = await assertRejects(
          () => control.read(new Uint8Array(10)),
          TLSError,
        );
        assertEquals(error.reason, "broken");
        assert(
          error.message.startsWith(
            'TLS broke on the control connection to "localhost:2121": ',
          ),
          error.message,
        );
        assertMatch(error.message, detail);
        await wrapped.write(new Uint8Array(10));
        const failure = await assertRejects(
          () => wrapped.read(new Uint8Array(10)),
          Deno.errors.ConnectionAborted,
          'Cannot complete "RETR file": the data connection failed after 30 bytes: TLS broke on the data connection to "localhost:2121": ',
        );
        assertInstanceOf(failure.cause, TLSError);
        assertEquals(failure.cause.reason, "broken");
      } finally {
        wrapped.close();
        await wrapped.closed;
        control.close();
        control.session.close();
      }
    });
  }
}

Deno.test("FTP says that TLS broke on the control connection", async () => {
  await using server = await startTLSServer(pem, (socket) => {
    socket.write("220 Hello\r\n");
    socket.on("data", () => socket.write("200 Ok\r\n"));
  });
  await using proxy = startSpoiler(server.port);
  await using ftp = new FTP({
    tls: { ...tls, mode: "implicit", serverName: "localhost" },
  });
  await ftp.connect("127.0.0.1", proxy.port);
  await ftp.sendcmd("NOOP");
  proxy.spoiled.down = true;
  const error = await assertRejects(
    () => ftp.sendcmd("NOOP"),
    Deno.errors.ConnectionAborted,
    `Cannot complete "NOOP": the connection failed: TLS broke on the control connection to "127.0.0.1:${proxy.port}": `,
  );
  assertInstanceOf(error.cause, TLSError);
  assertEquals(error.cause.reason, "broken");
  await assertRejects(() => ftp.sendcmd("NOOP"), Deno.errors.NotConnected);
});
