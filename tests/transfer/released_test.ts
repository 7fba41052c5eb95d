import { assert, assertEquals } from "@std/assert";
import type { DialedConn, FTP, FTPOptions } from "../../mod.ts";
import { fetchBytes, logIn } from "../real/client.ts";
import { logInTLS, withTLS } from "../real/tls_client.ts";
import { collectGarbage } from "../testing/collect_garbage.ts";
import { serverTest } from "../testing/servers/mod.ts";

const COUNT = 12;

/** The last transfer, and the port for the next. */
const MOST_KEPT = 4;

/** Dials, and refers to each connection weakly. */
function weakly(
  conns: WeakRef<DialedConn>[],
): NonNullable<FTPOptions["dial"]> {
  return async ({ hostname, port }) => {
    const conn = await Deno.connect({ hostname, port });
    const dialed: DialedConn = {
      read: (buffer) => conn.read(buffer),
      write: (bytes) => conn.write(bytes),
      closeWrite: () => conn.closeWrite(),
      close: () => conn.close(),
    };
    conns.push(new WeakRef(dialed));
    return dialed;
  };
}

/** Ways to use a data connection, to its end or not. */
const USES: readonly [name: string, use: (ftp: FTP) => Promise<unknown>][] = [
  ["retrbinary", (ftp) => fetchBytes(ftp, "data")],
  ["nlst", (ftp) => ftp.nlst()],
  ["store", (ftp) => ftp.store("copy", new Uint8Array(10))],
  [
    "a cancelled retrieve",
    async (ftp) => await (await ftp.retrieve("data")).cancel(),
  ],
  ["a closed ntransfercmd", async (ftp) => {
    await ftp.voidcmd("TYPE I");
    const [conn] = await ftp.ntransfercmd("RETR data");
    await conn.read(new Uint8Array(10));
    conn.close();
    await ftp.voidresp().catch(() => {});
  }],
];

for (const isSecure of [false, true]) {
  serverTest(
    `FTP refers to no data connection that has ended${
      isSecure ? ", under TLS" : ""
    }`,
    async (server, context) => {
      await server.write("data", new Uint8Array(3_000_000));
      for (const [name, use] of USES) {
        await context.step(name, async () => {
          const conns: WeakRef<DialedConn>[] = [];
          const options = { dial: weakly(conns) };
          await using ftp = isSecure
            ? await logInTLS(server, {}, options)
            : await logIn(server, options);
          for (let i = 0; i < COUNT; i++) await use(ftp);
          assert(conns.length > COUNT, `${conns.length} connections`);
          await collectGarbage();
          const kept = conns.filter((conn) => conn.deref() !== undefined);
          assert(kept.length <= MOST_KEPT, `${kept.length} are kept`);
          assertEquals(await ftp.pwd(), "/"); // the control connection is in use
        });
      }
    },
    { servers: ["vsftpd"], ...isSecure && { prepare: withTLS() } },
  );
}
