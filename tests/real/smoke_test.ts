// The harness itself, by hand: no line of the client under test is involved.

import { assertEquals, assertMatch } from "@std/assert";
import {
  PASSWORD,
  type RealServer,
  serverTest,
  USER,
} from "../testing/servers/mod.ts";
import { RawSession } from "../testing/raw_session.ts";

const DATA = new TextEncoder().encode(
  "What is written\r\nis what is read.\r\n",
);

serverTest(
  "A server accepts the right password and refuses a wrong one",
  logIn,
);
serverTest(
  "A server on ::1 accepts the right password and refuses a wrong one",
  logIn,
  {
    ipv6: true,
    needs: (features) => features.ipv6,
  },
);

async function logIn(server: RealServer): Promise<void> {
  using session = await RawSession.connect(server);
  assertMatch(await session.reply(), /^220/);
  assertMatch(await session.command(`USER ${USER}`), /^331/);
  assertMatch(await session.command("PASS wrong"), /^530/);
  assertMatch(await session.command(`USER ${USER}`), /^331/);
  assertMatch(await session.command(`PASS ${PASSWORD}`), /^230/);
  assertMatch(await session.command("PWD"), /^257 "\/"/);
  assertMatch(await session.command("QUIT"), /^221/);
}

serverTest("A server lists, sends and takes a file", transfer);
serverTest("A server on ::1 lists, sends and takes a file", transfer, {
  ipv6: true,
  needs: (features) => features.ipv6,
});
serverTest("A server uses its passive ports only", async (server) => {
  const [first, last] = server.passivePorts!;
  await using session = await RawSession.login(server);
  for (let i = 0; i < 3; i++) {
    const port = Number((await session.command("EPSV")).match(/\|(\d+)\|/)![1]);
    assertEquals(port >= first && port <= last, true);
  }
}, { passivePorts: 8 });

async function transfer(server: RealServer): Promise<void> {
  await server.write("pub/read me.txt", DATA);
  await using session = await RawSession.login(server);
  assertMatch(await session.command("CWD pub"), /^250/);
  const listing = new TextDecoder().decode(await session.fetch("LIST"));
  assertMatch(listing, /^-rw-r--r--.* 35 .* read me\.txt\r\n$/);
  assertEquals(await session.fetch("RETR read me.txt"), DATA);
  assertMatch(await session.store("STOR copy", DATA), /^226/);
  assertEquals(await server.read("pub/copy"), DATA);
  if (server.features.mlsd) {
    assertMatch(
      new TextDecoder().decode(await session.fetch("MLSD")),
      /; read me\.txt\r\n/,
    );
  }
}

serverTest("A server accepts anonymous logins", async (server) => {
  await server.write("hello", DATA);
  using session = await RawSession.connect(server);
  assertMatch(await session.reply(), /^220/);
  const answer = await session.command("USER anonymous");
  if (!answer.startsWith("230")) {
    assertMatch(await session.command("PASS guest@"), /^230/);
  }
  assertMatch(await session.command("TYPE I"), /^200/);
  assertEquals(await session.fetch("RETR hello"), DATA);
}, { anonymous: true, needs: (features) => features.anonymous });

serverTest("A server that may not write refuses to", async (server) => {
  await using session = await RawSession.login(server);
  const { port, hostname } = await session.passive();
  using _data = await Deno.connect({ hostname, port });
  assertMatch(await session.command("STOR copy"), /^5\d\d/);
}, { writable: false });

serverTest("A server without permission says 550", async (server) => {
  await server.write("secret", DATA);
  await Deno.chmod(`${server.root}/secret`, 0);
  await using session = await RawSession.login(server);
  const { port, hostname } = await session.passive();
  using _data = await Deno.connect({ hostname, port });
  assertMatch(await session.command("RETR secret"), /^550/);
});

serverTest("A server reports a full disk", async (server) => {
  await using session = await RawSession.login(server);
  assertMatch(await session.command("TYPE I"), /^200/);
  assertMatch(
    await session.store("STOR big", new Uint8Array(1_000_000)),
    /^[45]\d\d/,
  );
}, { maxFileSize: 100_000 });

serverTest(
  "A server that is killed takes its sessions along",
  async (server) => {
    using session = await RawSession.connect(server);
    assertMatch(await session.reply(), /^220/);
    server.kill();
    assertEquals(await session.reply(), "");
  },
);

serverTest("A server's log tells what was asked", async (server) => {
  await server.write("asked", DATA);
  {
    await using session = await RawSession.login(server);
    assertEquals(await session.fetch("RETR asked"), DATA);
  }
  assertMatch(await server.log(), /asked/);
});
