import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { TraceEvent } from "../../mod.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { logIn } from "./client.ts";

serverTest(
  "FTP.retrbinary reports a server that dies in the middle",
  async (server) => {
    {
      using file = await Deno.open(`${server.root}/big`, {
        create: true,
        write: true,
      });
      await file.truncate(500 * 1024 * 1024);
    }
    await using ftp = await logIn(server, { timeout: 5000 });
    let received = 0;
    const error = await assertRejects(() =>
      ftp.retrbinary("RETR big", (block) => {
        if (received === 0) server.kill();
        received += block.length;
      })
    ) as Error;
    assert(received > 0 && received < 500 * 1024 * 1024);
    assertLost(error, /RETR big/);
    await assertRejects(() => ftp.pwd(), Deno.errors.NotConnected);
    assertEquals(ftp.connected, false);
  },
);

serverTest(
  "FTP.storbinary reports a server that dies in the middle",
  async (server) => {
    await using ftp = await logIn(server, { timeout: 5000 });
    let sent = 0;
    const error = await assertRejects(() =>
      ftp.storbinary("STOR big", endless(), {
        callback: (block) => {
          if (sent === 0) server.kill();
          sent += block.length;
        },
      })
    ) as Error;
    assertLost(error, /STOR big/);
    // the connection was in doubt: another one is tried, of a server that is gone
    const next = await assertRejects(() => ftp.pwd()) as Error;
    if (!(next instanceof Deno.errors.ConnectionRefused)) assertLost(next, /./);
  },
);

serverTest(
  "FTP reports a server that died between two commands",
  async (server) => {
    await using ftp = await logIn(server, { timeout: 5000 });
    server.kill();
    const error = await assertRejects(() => ftp.voidcmd("NOOP")) as Error;
    assertLost(error, /NOOP|connection/);
  },
);

serverTest(
  "FTP ends every wait when the server stands still",
  async (server) => {
    await using ftp = await logIn(server, { timeout: 1000 });
    server.kill("SIGSTOP");
    const error = await assertRejects(
      () => ftp.voidcmd("NOOP"),
      Deno.errors.TimedOut,
    );
    assertMatch(error.message, /"NOOP": no reply within 1000 ms/);
    assertEquals(ftp.connected, false);
  },
);

serverTest(
  "FTP ends a transfer when the server stands still",
  async (server) => {
    await using ftp = await logIn(server, { timeout: 1000 });
    let sent = 0;
    await assertRejects(
      () =>
        ftp.storbinary("STOR big", endless(), {
          callback: (block) => {
            if (sent === 0) server.kill("SIGSTOP");
            sent += block.length;
          },
        }),
      Deno.errors.TimedOut,
      "no data moved within 1000 ms",
    );
    assertEquals(ftp.connected, false);
  },
);

serverTest(
  "FTP reports the idle time-out of the server as 421",
  async (server) => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await using ftp = await logIn(server, {
      trace: ({ direction, text }: TraceEvent) => {
        if (direction === "event" && text.startsWith("closed")) resolve();
      },
    });
    assert(ftp.connected);
    await closed;
    const error = await assertRejects(
      () => ftp.pwd(),
      Deno.errors.NotConnected,
    );
    assertMatch(error.message, /"PWD".*The server closed the connection: 421/);
  },
  {
    idleTimeout: 1,
    servers: ["vsftpd", "proftpd"], // Pure-FTPd counts minutes
  },
);

serverTest("FTP reports a time-out of the data connection", async (server) => {
  await using ftp = await logIn(server);
  const conn = await ftp.transfercmd("STOR slow");
  await conn.write(new Uint8Array(10));
  // the server closes its end
  assertEquals(await conn.read(new Uint8Array(1)).catch(() => null), null);
  conn.close();
  await assertRejects(() => ftp.voidresp(), Error);
}, { dataTimeout: 1, servers: ["vsftpd", "proftpd", "pyftpdlib"] });

function assertLost(error: Error, words: RegExp): void {
  const classes = [
    "UnexpectedEof",
    "ConnectionReset",
    "ConnectionAborted",
    "BrokenPipe",
    "NotConnected",
  ];
  assert(classes.includes(error.name), `${error.name}: ${error.message}`);
  assertMatch(error.message, words);
}

async function* endless(): AsyncGenerator<Uint8Array> {
  while (true) yield new Uint8Array(65_536);
}
