import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type FTP,
  FTPPermanentError,
  FTPProtocolError,
  FTPTemporaryError,
} from "../../mod.ts";
import type { Turn } from "../testing/scripted/mod.ts";
import { startScript } from "../testing/client_script.ts";

async function retrieve(ftp: FTP): Promise<string> {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  await ftp.retrbinary("RETR x", (block) => blocks.push(block));
  return await new Blob(blocks).text();
}

async function deliver(turn: Turn, data: string): Promise<void> {
  const conn = await turn.openData();
  await conn.write(data);
  conn.close();
}

/** Valid orders of replies and data. */
const ORDERS: [name: string, retr: (turn: Turn) => Promise<void>][] = [
  ["150, data, 226", (turn) => turn.send("data")],
  ["125, data, 250", async (turn) => {
    await turn.reply(125, "Here");
    await deliver(turn, "data");
    await turn.reply(250, "Done");
  }],
  ["124 (10 bytes), data, 226", async (turn) => {
    await turn.reply(124, "Here (10 bytes)");
    await deliver(turn, "data");
    await turn.reply(226, "Done");
  }],
  ["150 and 226 in one segment, then data", async (turn) => {
    await turn.raw("150 Here\r\n226 Done\r\n");
    await new Promise((done) => setTimeout(done, 30));
    await deliver(turn, "data");
  }],
  ["data before 150", async (turn) => {
    await deliver(turn, "data");
    await new Promise((done) => setTimeout(done, 30));
    await turn.raw("150 Here\r\n226 Done\r\n");
  }],
  ["a stray 226 before 150", async (turn) => {
    await turn.reply(226, "Stray");
    await new Promise((done) => setTimeout(done, 30));
    await turn.send("data");
  }],
  ["several 1yz", async (turn) => {
    await turn.raw("150 Here\r\n110 Marker\r\n125-So\r\n125 on\r\n");
    await deliver(turn, "data");
    await turn.reply(226, "Done");
  }],
  ["226 late", async (turn) => {
    await turn.reply(150, "Here");
    await deliver(turn, "data");
    await new Promise((done) => setTimeout(done, 100));
    await turn.raw("226-Done\r\n 4 bytes\r\n226 indeed\r\n");
  }],
  ["226 and no 150", async (turn) => {
    await deliver(turn, "data");
    await turn.reply(226, "Done");
  }],
];

for (const [name, retr] of ORDERS) {
  Deno.test(`FTP.retrbinary takes ${name}`, async () => {
    await using server = await startScript({
      RETR: retr,
      PWD: '257 "/own"',
    });
    await using ftp = await server.connect();
    assertEquals(await retrieve(ftp), "data");
    assertEquals(await ftp.pwd(), "/own");
    assertEquals(await retrieve(ftp), "data");
    assertEquals(await ftp.pwd(), "/own");
  });
}

Deno.test("FTP.retrbinary reports no success without 226", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      await deliver(turn, "data");
    },
  });
  await using ftp = await server.connect({ timeout: 200 });
  await assertRejects(
    () => retrieve(ftp),
    Deno.errors.TimedOut,
    'Cannot confirm "RETR x": 4 bytes were transferred, but the server did not confirm it',
  );
  assertEquals(ftp.connected, false);
  await assertRejects(() => ftp.pwd(), Deno.errors.NotConnected);
});

Deno.test("FTP.retrbinary reports no success for a connection that ends before 226", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      await deliver(turn, "data");
      await turn.raw("226 Tr");
      turn.close();
    },
  });
  await using ftp = await server.connect();
  await assertRejects(
    () => retrieve(ftp),
    Deno.errors.UnexpectedEof,
    'Cannot confirm "RETR x": 4 bytes',
  );
});

for (
  const [reply, Class] of [
    ["426 Cut", FTPTemporaryError],
    ["451 Disk error", FTPTemporaryError],
  ] as const
) {
  Deno.test(`FTP.retrbinary throws "${reply}" behind the data, and is usable`, async () => {
    await using server = await startScript({
      RETR: async (turn) => {
        await turn.reply(150, "Here");
        await deliver(turn, "dat");
        await turn.raw(`${reply}\r\n`);
      },
    });
    await using ftp = await server.connect();
    await assertRejects(() => retrieve(ftp), Class, reply);
    assertEquals(await ftp.pwd(), "/");
  });
}

Deno.test("FTP refuses other commands while a transfer is open, and the transfer continues", async () => {
  await using server = await startScript({
    RETR: (turn) => turn.send("data"),
  });
  await using ftp = await server.connect();
  const conn = await ftp.transfercmd("RETR x");
  const calls: [string, () => Promise<unknown>][] = [
    ["PWD", () => ftp.pwd()],
    ["NOOP", () => ftp.sendcmd("NOOP")],
    ["NOOP", () => ftp.putcmd("NOOP")],
    ["TYPE I", () => ftp.retrbinary("RETR y", () => {})],
    ["TYPE A", () => ftp.retrlines("LIST")],
    ["QUIT", () => ftp.quit()],
    ["CWD x", () => ftp.cwd("x")],
  ];
  for (const [command, call] of calls) {
    await assertRejects(
      call,
      Deno.errors.Busy,
      `Cannot send "${command}": the transfer "RETR x" is open`,
    );
  }
  assertEquals(await new Response(conn.readable).text(), "data");
  assertEquals((await ftp.voidresp()).text, "226 Done");
  assertEquals(server.verbs, ["EPSV", "RETR"]);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP says of each call what to do while its transfer is open", async () => {
  await using server = await startScript({
    RETR: (turn) => turn.send("data\r\n"),
    MLSD: (turn) => turn.send(" name\r\n"),
    LIST: async (turn) => {
      await turn.reply(150, "Here it comes");
      await turn.reply(226, "Done");
    },
  });
  await using ftp = await server.connect();
  let times = 0;
  const isBusy = async (advice: string) => {
    await assertRejects(
      () => ftp.pwd(),
      Deno.errors.Busy,
      `is open; ${advice}`,
    );
    times++;
  };
  for await (const _ of await ftp.retrieve("x")) {
    await isBusy("read its stream to the end or cancel it first");
  }
  for await (const _ of ftp.mlsd()) {
    await isBusy("finish the loop or break out of it, or collect");
  }
  const block = () => isBusy("await its end first");
  await ftp.retrbinary("RETR x", block);
  await ftp.retrlines("RETR x", block);
  await ftp.sendcmd("LIST");
  await isBusy("await voidresp() first");
  await ftp.voidresp();
  assertEquals(times, 5);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP says what was forgotten when voidresp() was", async () => {
  await using server = await startScript({
    RETR: (turn) => turn.send("data"),
  });
  await using ftp = await server.connect();
  const conn = await ftp.transfercmd("RETR x");
  await new Response(conn.readable).text();
  conn.close();
  await assertRejects(
    () => ftp.pwd(),
    Deno.errors.Busy,
    "close its data connection and await voidresp() first",
  );
  await ftp.voidresp();
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.voidresp refuses to wait while the data connection is open", async () => {
  await using server = await startScript({
    RETR: (turn) => turn.send("data"),
  });
  await using ftp = await server.connect();
  const conn = await ftp.transfercmd("RETR x");
  await assertRejects(() => ftp.voidresp(), TypeError, "close it first");
  conn.close();
  await ftp.voidresp();
  await using second = await ftp.transfercmd("RETR x");
  while (await second.read(new Uint8Array(10)) !== null);
  await ftp.voidresp(); // its end has come, that is enough
});

Deno.test("FTP.voidresp throws what the server says of a transfer", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      (await turn.openData()).close();
      await turn.reply(426, "Cut");
    },
  });
  await using ftp = await server.connect();
  const conn = await ftp.transfercmd("RETR x");
  conn.close();
  await assertRejects(() => ftp.voidresp(), FTPTemporaryError, "426 Cut");
  await assertRejects(() => ftp.voidresp(), TypeError, "no command is pending");
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.putcmd and getresp keep commands and replies in order", async () => {
  await using server = await startScript({
    A: "211 a",
    B: "450 b",
    C: "150 c\n226 c",
    D: "150 d\n451 d",
    PWD: '257 "/own"',
  });
  await using ftp = await server.connect();
  await ftp.putcmd("A");
  await ftp.putcmd("B");
  assertEquals(await ftp.pwd(), "/own");
  assertEquals((await ftp.getresp()).text, "211 a");
  await assertRejects(() => ftp.getresp(), FTPTemporaryError, '"B": 450 b');
  await ftp.putcmd("C");
  assertEquals((await ftp.getresp()).text, "150 c");
  assertEquals((await ftp.voidresp()).text, "226 c");
  await assertRejects(() => ftp.getresp(), TypeError, "no command is pending");
  await ftp.sendcmd("D");
  await assertRejects(() => ftp.voidresp(), FTPTemporaryError, '"D": 451 d');
  assertEquals(server.commands, ["A", "B", "PWD", "C", "D"]);
});

/** Sends a command, and waits for its transfer and for its end. */
async function receiveByHand(
  ftp: FTP,
  command: string,
  isSlow: boolean,
): Promise<string[]> {
  const [hostname, port] = await ftp.makepasv();
  await ftp.putcmd(command);
  // the reply to NOOP comes behind the 150
  if (isSlow) await until(() => ftp.lastresp === "150");
  const replies = [(await ftp.getresp()).text];
  using conn = await Deno.connect({ hostname, port });
  await new Response(conn.readable).text();
  replies.push((await ftp.getresp()).text);
  return replies;
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 0));
}

for (const isSlow of [false, true]) {
  Deno.test(`FTP.getresp gives 150, then 226${isSlow ? ", however late it is called" : ""}`, async () => {
    await using server = await startScript({
      LIST: async (turn) => {
        await turn.reply(150, "Here");
        await deliver(turn, "x\r\n");
        await turn.reply(226, "Done");
      },
    });
    await using ftp = await server.connect({ timeout: 1000 });
    for (let i = 0; i < 2; i++) {
      assertEquals(
        await receiveByHand(ftp, "LIST", isSlow),
        ["150 Here", "226 Done"],
      );
    }
    await assertRejects(
      () => ftp.getresp(),
      TypeError,
      "no command is pending",
    );
    assertEquals(await ftp.pwd(), "/");
  });
}

Deno.test("FTP.getresp gives both replies of each command, in order", async () => {
  await using server = await startScript({
    A: "211 a",
    B: "150 b\n226 b",
    C: "150 c\n226 c",
    D: "550 d",
  });
  await using ftp = await server.connect();
  for (const command of ["A", "B", "C", "D"]) await ftp.putcmd(command);
  await until(() => ftp.lastresp === "550");
  const texts = ["211 a", "150 b", "226 b", "150 c", "226 c"];
  assertEquals(
    (await Promise.all(texts.map(() => ftp.getresp()))).map(String),
    texts,
  );
  await assertRejects(() => ftp.getresp(), FTPPermanentError, "550 d");
  await assertRejects(() => ftp.getresp(), TypeError, "no command is pending");
});

Deno.test("FTP.putcmd waits for the end of what it has opened", async () => {
  await using server = await startScript({
    LIST: (turn) => turn.reply(150, "Here"),
    ABOR: "426 Cut\n226 Done",
  });
  await using ftp = await server.connect();
  await ftp.putcmd("LIST");
  assertEquals((await ftp.getresp()).code, 150);
  await assertRejects(
    () => ftp.pwd(),
    Deno.errors.Busy,
    "await getresp() until it returns the final reply",
  );
  assertEquals((await ftp.abort()).code, 226);
  await assertRejects(() => ftp.getresp(), TypeError, "no command is pending");
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.voidresp gives the server's word about a data connection that failed, closed or not", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      const conn = await turn.openData();
      await conn.write("data");
      conn.reset();
      await turn.reply(426, "Disk on fire");
    },
  });
  await using ftp = await server.connect();
  const [conn] = await ftp.ntransfercmd("RETR x");
  await assertRejects(async () => {
    for await (const _chunk of conn.readable);
  });
  await assertRejects(() => ftp.voidresp(), FTPTemporaryError, "426 Disk");
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.getresp says that the connection is closed if no reply is pending", async () => {
  await using server = await startScript();
  await using ftp = await server.connect();
  ftp.close();
  for (
    const call of [() => ftp.getresp(), () => ftp.voidresp(), () => ftp.ccc()]
  ) {
    await assertRejects(call, Deno.errors.NotConnected, "close() was called");
  }
});

Deno.test("FTP.retrbinary sets the type again after another login", async () => {
  await using server = await startScript({ RETR: (turn) => turn.send("data") });
  await using ftp = await server.connect();
  await retrieve(ftp);
  await ftp.login("other", "p");
  await retrieve(ftp);
  assertEquals(
    server.verbs.filter((verb) => /^(TYPE|USER)$/.test(verb)),
    ["TYPE", "USER", "TYPE"],
  );
});

Deno.test("FTP.putcmd of TYPE is noticed", async () => {
  await using server = await startScript({
    RETR: (turn) => turn.send("data"),
    TYPE: "200 ok",
  });
  await using ftp = await server.connect();
  assertEquals(await retrieve(ftp), "data");
  await ftp.putcmd("TYPE A");
  await ftp.voidresp();
  assertEquals(await retrieve(ftp), "data");
  assertEquals(
    server.commands.filter((line) => line.startsWith("TYPE")),
    ["TYPE I", "TYPE A", "TYPE I"],
  );
});

Deno.test("FTP closes a connection after an unexpected reply", async () => {
  await using server = await startScript({
    NOOP: "200 one\n200 \x1Btwo",
  });
  await using ftp = await server.connect();
  assertEquals((await ftp.voidcmd("NOOP")).text, "200 one");
  const error = await assertRejects(
    () => ftp.pwd(),
    Deno.errors.NotConnected,
    '"200 \uFFFDtwo"',
  ) as Error;
  assert(error.cause instanceof FTPProtocolError);
  // with a reply it would say that the connection can be used
  assertEquals((error.cause as FTPProtocolError).reply, undefined);
  assertEquals(ftp.connected, false);
});

Deno.test("FTP understands replies that come byte by byte", async () => {
  const slowly = (text: string) => async (turn: Turn) => {
    for (const byte of new TextEncoder().encode(text)) {
      await turn.raw(Uint8Array.of(byte));
      await new Promise((done) => setTimeout(done, 0));
    }
  };
  await using server = await startScript({
    connect: slowly("220-Hello\r\n220 Ready\r\n"),
    USER: slowly("331 Password\r\n"),
    PASS: slowly("230-Wel\r\n226 come\r\n230 in\r\n"),
    PWD: slowly('257 "/日本"\r\n'),
    RETR: async (turn) => {
      const conn = await turn.openData();
      await conn.write("data");
      conn.close();
      await slowly("150 Here (4 bytes)\r\n226 Done\r\n")(turn);
    },
  });
  await using ftp = await server.connect();
  assertEquals(ftp.getwelcome().text, "220-Hello\n220 Ready");
  assertEquals((await ftp.login("u", "p")).lines.length, 3);
  assertEquals(await ftp.pwd(), "/日本");
  assertEquals(await retrieve(ftp), "data");
  assertEquals(await ftp.pwd(), "/日本");
});
