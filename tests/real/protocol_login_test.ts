import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { DEAD_PORT } from "../testing/dead_port.ts";
import { FTP, FTPPermanentError } from "../../mod.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { dialIn, fetchBytes, logIn, text } from "./client.ts";

serverTest("FTP.login is 230 with the right password", async (server) => {
  await using ftp = await dialIn(server);
  assertEquals(ftp.getwelcome().code, 220);
  assertEquals(ftp.getwelcome().text.slice(0, 3), "220");
  const reply = await ftp.login(server.user, server.password);
  assertEquals(reply.code, 230);
  assertEquals(ftp.lastresp, "230");
  assertEquals([ftp.host, ftp.port], [server.host, server.port]);
});

serverTest("FTP.login works over IPv6", async (server) => {
  await using ftp = await logIn(server);
  assertEquals(ftp.host, "::1");
  assertEquals(await ftp.pwd(), "/");
}, { ipv6: true, needs: (features) => features.ipv6 });

serverTest("FTP.login may be tried again after 530", async (server) => {
  await using ftp = await dialIn(server);
  const error = await assertRejects(
    () => ftp.login(server.user, "not the password"),
    FTPPermanentError,
    "530",
  );
  assertEquals(error.command, "PASS ****");
  assert(!`${error.message}${error.stack}`.includes("not the password"));
  assert(ftp.connected);
  assertEquals((await ftp.login(server.user, server.password)).code, 230);
});

serverTest("FTP.login rejects unknown users", async (server) => {
  await using ftp = await dialIn(server);
  await assertRejects(
    () => ftp.login("nobody else", "x"),
    FTPPermanentError,
    "530",
  );
}, { servers: ["vsftpd", "proftpd", "pyftpdlib"] }); // Pure-FTPd lets one wait

serverTest("FTP.login is anonymous by itself", async (server) => {
  await server.write("pub/hello", "for everyone");
  await using ftp = await dialIn(server);
  assertEquals((await ftp.login()).code, 230);
  assertEquals(text(await fetchBytes(ftp, "pub/hello")), "for everyone");
}, { anonymous: true, needs: (features) => features.anonymous });

serverTest("FTP refuses to work before login", async (server) => {
  await using ftp = await dialIn(server);
  await assertRejects(() => ftp.nlst(), FTPPermanentError, "530");
  assertEquals((await ftp.login(server.user, server.password)).code, 230);
  assertEquals(await ftp.pwd(), "/");
});

serverTest(
  "FTP.quit says goodbye, and nothing works after it",
  async (server) => {
    const ftp = await logIn(server);
    assertEquals((await ftp.quit()).code, 221);
    assertEquals(ftp.connected, false);
    await assertRejects(() => ftp.pwd(), Deno.errors.NotConnected, "quit()");
    await ftp.connect(server.host, server.port);
    await ftp.login(server.user, server.password);
    assertEquals(await ftp.pwd(), "/");
    await ftp.quit();
  },
);

serverTest("FTP is disposed of with QUIT", async (server) => {
  const sent: string[] = [];
  {
    await using ftp = await logIn(server, {
      trace: ({ direction, text }) => {
        if (direction === "sent") sent.push(text);
      },
    });
    await ftp.pwd();
  }
  assertEquals(sent.at(-1), "QUIT");
  if (server.name === "vsftpd" || server.name === "proftpd") {
    assertStringIncludes(await server.log(), "QUIT");
  }
});

Deno.test("FTP.connect names the port if nothing listens there", async () => {
  const error = await assertRejects(
    () => new FTP().connect("127.0.0.1", DEAD_PORT),
    Deno.errors.ConnectionRefused,
  );
  assertMatch(error.message, /^Cannot connect to "127\.0\.0\.1:\d+": /);
});

serverTest(
  "FTP.connect reports a client too many as 421 or 530",
  async (server) => {
    const sessions: FTP[] = [];
    try {
      const error = await assertRejects(async () => {
        for (let i = 0; i < 3; i++) {
          const ftp = await dialIn(server);
          sessions.push(ftp);
          await ftp.login(server.user, server.password);
        }
      });
      assertMatch((error as Error).message, /421|530/);
    } finally {
      for (const ftp of sessions) await ftp[Symbol.asyncDispose]();
    }
  },
  { servers: ["vsftpd"], extra: ["max_clients=2"] },
);
