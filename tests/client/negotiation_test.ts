import { assert, assertEquals, assertRejects } from "@std/assert";
import { type FTP, FTPPermanentError } from "../../mod.ts";
import type { Handler, Turn } from "../testing/scripted/mod.ts";
import { HAS_IPV6 } from "../testing/servers/loopback.ts";
import {
  byDefault,
  type ClientServer,
  type Script,
  stall,
  startScript,
} from "../testing/client_script.ts";

const LIST: Script = { LIST: (turn) => turn.send("one\r\n") };

/** A time-out; `EPSV` gets a third of it. */
const SHORT = { timeout: 600 };

/** A time-out longer than any test, so that a wait for it is detected. */
const LONG = { timeout: 600_000 };

/** Acts like a server or firewall that ignores a command. */
const swallow: Handler = () => {};

async function list(ftp: FTP): Promise<string[]> {
  const lines: string[] = [];
  await ftp.retrlines("LIST", (line) => lines.push(line));
  return lines;
}

/** Asserts that replies reach their commands, on a single connection. */
async function expectInStep(server: ClientServer, ftp: FTP): Promise<void> {
  server.once("NOOP", "200 first").once("NOOP", "250 second");
  server.once("PWD", '257 "/third" is it');
  const [first, second, third] = await Promise.all([
    ftp.voidcmd("NOOP"),
    ftp.voidcmd("NOOP"),
    ftp.pwd(),
  ]);
  assertEquals(
    [first.text, second.text, third],
    ["200 first", "250 second", "/third"],
  );
  assertEquals(server.sessions.length, 1);
}

function passiveOf({ verbs }: { verbs: string[] }): string[] {
  return verbs.filter((verb) => /^(EPSV|PASV|PRET|PORT|EPRT)$/.test(verb));
}

/** Other replies to EPSV. */
const ANSWERS = [
  ...[
    200,
    202,
    203,
    211,
    212,
    213,
    214,
    215,
    216,
    220,
    221,
    225,
    226,
    228,
    230,
    232,
    234,
    250,
    257,
    258,
  ],
  ...[300, 314, 331, 332, 334, 350, 425, 426, 430, 450, 451, 452, 500],
  ...[501, 502, 503, 504, 522, 530, 532, 534, 550, 551, 552, 553, 599],
].map((code) => `${code} Hello`).concat([
  "227 No numbers",
  "229 No port",
  "229 Here (|||70000|)",
  "229 Here (|||0|)",
  "229 Here (||5000|) or (||5001|)",
  "200-Several\n200 lines",
]);

for (const answer of ANSWERS) {
  const name = JSON.stringify(answer);
  Deno.test(`FTP asks by PASV on the same connection after ${name} to EPSV`, async () => {
    await using server = await startScript({ ...LIST, EPSV: answer });
    await using ftp = await server.connect(LONG);
    assertEquals(await list(ftp), ["one"]);
    await expectInStep(server, ftp);
    assertEquals(await list(ftp), ["one"]);
    assertEquals(passiveOf(server), ["EPSV", "PASV", "PASV"]);
    await expectInStep(server, ftp);
  });
}

for (const code of [100, 110, 120, 125, 150, 199]) {
  Deno.test(`FTP asks by PASV on the same connection after ${code} to EPSV, with nothing behind it`, async () => {
    await using server = await startScript({ ...LIST, EPSV: `${code} Hello` });
    await using ftp = await server.connect(SHORT);
    assertEquals(await list(ftp), ["one"]);
    await expectInStep(server, ftp);
    assertEquals(passiveOf(server), ["EPSV", "PASV"]);
  });

  Deno.test(`FTP waits for the 229 behind a ${code} to EPSV`, async () => {
    await using server = await startScript({
      ...LIST,
      async EPSV(turn) {
        await turn.reply(code, "Wait");
        await turn.default();
      },
    });
    await using ftp = await server.connect(LONG);
    assertEquals(await list(ftp), ["one"]);
    await expectInStep(server, ftp);
    assertEquals(passiveOf(server), ["EPSV"]);
  });
}

for (
  const text of ["(||PORT|)", "(PORT)", "|||PORT|", "(|||PORT)", "(|PORT|)"]
) {
  Deno.test(`FTP reads 229 with ${text}`, async () => {
    await using server = await startScript({
      ...LIST,
      async EPSV(turn) {
        const port = await turn.session.dataPort.listen();
        await turn.reply(229, `Entering ${text.replace("PORT", `${port}`)}`);
      },
    });
    await using ftp = await server.connect(LONG);
    assertEquals(await list(ftp), ["one"]);
    assertEquals(passiveOf(server), ["EPSV"]);
  });
}

Deno.test("FTP sends PASV after a short wait where EPSV is swallowed, and no EPSV again", async () => {
  await using server = await startScript({ ...LIST, EPSV: swallow });
  await using ftp = await server.connect(LONG);
  assertEquals(await list(ftp), ["one"]);
  await expectInStep(server, ftp);
  assertEquals(await list(ftp), ["one"]);
  assertEquals(passiveOf(server), ["EPSV", "PASV", "PASV"]);
  await expectInStep(server, ftp);
});

Deno.test("FTP sends PASV where EPSV is swallowed without pipelining too", async () => {
  await using server = await startScript({ ...LIST, EPSV: swallow });
  await using ftp = await server.connect({ ...SHORT, pipelining: false });
  assertEquals(await list(ftp), ["one"]);
  await expectInStep(server, ftp);
});

Deno.test("FTP remembers for another connection that EPSV is swallowed", async () => {
  await using server = await startScript({ ...LIST, EPSV: swallow });
  await using ftp = await server.connect(SHORT);
  await ftp.login("me", "secret");
  assertEquals(await list(ftp), ["one"]);
  await ftp.reconnect();
  assertEquals(await list(ftp), ["one"]);
  await using clone = await ftp.clone();
  assertEquals(await list(clone), ["one"]);
  assertEquals(passiveOf(server), ["EPSV", "PASV", "PASV", "PASV"]);
});

Deno.test("FTP sends PASV after a short wait where EPSV has worked and is swallowed now", async () => {
  await using server = await startScript(LIST);
  await using ftp = await server.connect(LONG);
  assertEquals(await list(ftp), ["one"]);
  server.on("EPSV", swallow);
  assertEquals(await list(ftp), ["one"]);
  await expectInStep(server, ftp);
  assertEquals(await list(ftp), ["one"]);
  assertEquals(passiveOf(server), ["EPSV", "EPSV", "PASV", "PASV"]);
});

Deno.test("FTP takes a late 229 for EPSV's own where EPSV has worked before", async () => {
  await using server = await startScript(LIST);
  await using ftp = await server.connect(SHORT);
  assertEquals(await list(ftp), ["one"]);
  server.once("EPSV", swallow);
  server.once("PASV", async (turn) => {
    await turn.raw("229 Late (|||1|)\r\n");
    await turn.default();
  });
  assertEquals(await list(ftp), ["one"]);
  await expectInStep(server, ftp);
  assertEquals(await list(ftp), ["one"]);
  assertEquals(passiveOf(server), ["EPSV", "EPSV", "PASV", "EPSV"]);
});

for (const answer of ['257 "/" is it', "213 5", "211 End"]) {
  Deno.test(`FTP closes where "${answer}" comes before the reply to EPSV, which proves that a reply is superfluous`, async () => {
    await using server = await startScript({
      ...LIST,
      async EPSV(turn) {
        const port = await turn.session.dataPort.listen();
        await turn.raw(`${answer}\r\n`);
        await turn.reply(229, `Entering (|||${port}|)`);
      },
    });
    await using ftp = await server.connect(LONG);
    const error = await assertRejects(() => list(ftp));
    assert(String(error).includes("no longer match"), String(error));
    assertEquals(ftp.connected, false);
  });
}

for (
  const [name, script, options] of [
    ["PASV may not be sent", {}, { passive: "epsv" }],
    ["PASV gets no 227", { PASV: "502 No" }, {}],
  ] as const
) {
  Deno.test(`FTP closes where EPSV is answered by another command's 257, and ${name}`, async () => {
    await using server = await startScript({
      ...LIST,
      EPSV: '257 "/" is it',
      ...script,
    });
    await using ftp = await server.connect({ ...LONG, ...options });
    const error = await assertRejects(() => list(ftp));
    assert(String(error).includes("no longer match"), String(error));
    assertEquals(ftp.connected, false);
  });
}

/** When the late reply to EPSV arrives, relative to the PASV after it. */
const LATE: [when: string, script: (late: string) => Script][] = [
  ["before the 227", (late) => ({
    async PASV(turn) {
      await turn.raw(`${late}\r\n`);
      await turn.default();
    },
  })],
  ["behind the 227", (late) => ({
    async PASV(turn) {
      await turn.default();
      await turn.raw(`${late}\r\n`);
    },
  })],
  ["before the 150", (late) => ({
    async LIST(turn) {
      await turn.raw(`${late}\r\n`);
      await turn.send("one\r\n");
    },
  })],
  ["behind the 150", (late) => ({
    async LIST(turn) {
      await turn.raw(`150 Here\r\n${late}\r\n`);
      const data = await turn.openData();
      await data.write("one\r\n");
      data.close();
      await turn.raw("226 Done\r\n");
    },
  })],
  ["behind the 226", (late) => ({
    async LIST(turn) {
      await turn.send("one\r\n");
      await turn.raw(`${late}\r\n`);
    },
  })],
  ["at the next command", (late) => ({
    async NOOP(turn) {
      await turn.raw(`${late}\r\n200 first\r\n`);
    },
  })],
];

for (const [when, script] of LATE) {
  Deno.test(`FTP takes a 229 for EPSV's own that comes ${when}`, async () => {
    await using server = await startScript({ ...LIST, EPSV: swallow });
    for (
      const [verb, handler] of Object.entries(script("229 Late (|||1|)"))
    ) server.once(verb, handler);
    await using ftp = await server.connect(SHORT);
    assertEquals(await list(ftp), ["one"]);
    if (when === "at the next command") {
      assertEquals((await ftp.voidcmd("NOOP")).text, "200 first");
    }
    await expectInStep(server, ftp);
    server.on("EPSV", byDefault);
    assertEquals(await list(ftp), ["one"]);
    await expectInStep(server, ftp);
  });
}

for (const late of ["502 No", "200 What", "450 Not now", "331 Who"]) {
  Deno.test(`FTP takes "${late}" for EPSV's that comes before the 227`, async () => {
    await using server = await startScript({
      ...LIST,
      EPSV: swallow,
      async PASV(turn) {
        await turn.raw(`${late}\r\n`);
        await turn.default();
      },
    });
    await using ftp = await server.connect(SHORT);
    assertEquals(await list(ftp), ["one"]);
    await expectInStep(server, ftp);
    server.on("PASV", byDefault);
    assertEquals(await list(ftp), ["one"]);
    assertEquals(passiveOf(server), ["EPSV", "PASV", "PASV"]);
  });
}

Deno.test("FTP closes a connection on which EPSV and PASV got one refusal, and another one tells whose it was", async () => {
  await using server = await startScript({
    ...LIST,
    EPSV: swallow,
    PASV: "502 No PASV",
  });
  await using ftp = await server.connect(SHORT);
  await ftp.login("me", "secret");
  await assertRejects(() => list(ftp), FTPPermanentError, "502 No PASV");
  assertEquals(passiveOf(server), ["EPSV", "PASV", "PASV"]);
  assertEquals(server.sessions.length, 2);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP gives each reply to its command where another call follows a swallowed EPSV", async () => {
  await using server = await startScript({
    ...LIST,
    EPSV: swallow,
    SIZE: "550 No such file",
    RETR: (turn) => turn.send("hello"),
  });
  await using ftp = await server.connect(SHORT);
  await ftp.login("me", "secret");
  const path = await Deno.makeTempFile();
  try {
    const downloading = ftp.download("a", path, { retry: false });
    await server.received("EPSV");
    server.once("NOOP", "200 first").once("NOOP", "250 second");
    const [first, second] = await Promise.all([
      ftp.voidcmd("NOOP"),
      ftp.voidcmd("NOOP"),
    ]);
    assertEquals([first.code, second.code], [200, 250]);
    await downloading;
    assertEquals(await Deno.readTextFile(path), "hello");
    assertEquals(server.sessions.length, 1);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("FTP has another connection where a signal ended the wait for a swallowed EPSV", async () => {
  await using server = await startScript({ ...LIST, EPSV: swallow });
  await using ftp = await server.connect(LONG);
  await ftp.login("me", "secret");
  const controller = new AbortController();
  const listing = ftp.retrlines("LIST", () => {}, {
    signal: controller.signal,
  });
  await server.received("EPSV");
  controller.abort(new Error("Enough"));
  await assertRejects(() => listing, Error, "Enough");
  assertEquals(await ftp.pwd(), "/");
  assertEquals(server.sessions.length, 2);
});

Deno.test("FTP keeps its connection where a signal ended the wait for EPSV, which is answered", async () => {
  await using server = await startScript(LIST);
  const asked = Promise.withResolvers<void>();
  server.once("EPSV", async (turn) => {
    await asked.promise;
    await turn.default();
  });
  await using ftp = await server.connect(LONG);
  await ftp.login("me", "secret");
  const controller = new AbortController();
  const listing = ftp.retrlines("LIST", () => {}, {
    signal: controller.signal,
  });
  await server.received("EPSV");
  controller.abort(new Error("Enough"));
  await assertRejects(() => listing, Error, "Enough");
  asked.resolve();
  await expectInStep(server, ftp);
  assertEquals(await list(ftp), ["one"]);
});

for (
  const [what, EPSV] of [
    ["hangs up at EPSV", (turn: Turn) => turn.close()],
    ["resets the connection at EPSV", (turn: Turn) => turn.reset()],
    ["answers nothing more after EPSV", stall],
    ["refuses EPSV and hangs up", async (turn: Turn) => {
      await turn.reply(500, "Unknown");
      turn.close();
    }],
  ] as const
) {
  Deno.test(`FTP lists by PASV on another connection where a server ${what}`, async () => {
    await using server = await startScript({ ...LIST, EPSV, CWD: "250 Done" });
    await using ftp = await server.connect(SHORT);
    await ftp.login("me", "secret");
    await ftp.cwd("/pub");
    assertEquals(await list(ftp), ["one"]);
    assertEquals(await list(ftp), ["one"]);
    assertEquals(server.sessions.length, 2);
    const after = server.commands.slice(
      server.commands.lastIndexOf("CWD /pub"),
    );
    assertEquals(after, [
      "CWD /pub",
      "TYPE A",
      "PASV",
      "LIST",
      "PASV",
      "LIST",
    ]);
  });
}

Deno.test("FTP does not replace a connection by itself on which something was sent by hand", async () => {
  await using server = await startScript({
    ...LIST,
    EPSV: (turn) => turn.close(),
    SITE: "200 Done",
  });
  await using ftp = await server.connect(LONG);
  await ftp.login("me", "secret");
  await ftp.voidcmd("SITE EXEC x");
  await assertRejects(() => list(ftp), Deno.errors.UnexpectedEof, "EPSV");
  await ftp.reconnect();
  assertEquals(await list(ftp), ["one"]);
  assertEquals(passiveOf(server), ["EPSV", "PASV"]);
});

Deno.test('FTP sends PASV only with { passive: "pasv" }', async () => {
  await using server = await startScript(LIST);
  await using ftp = await server.connect({ passive: "pasv" });
  assertEquals(await list(ftp), ["one"]);
  assertEquals(await list(ftp), ["one"]);
  assertEquals(passiveOf(server), ["PASV", "PASV"]);
  ftp.setPasv(true);
  assertEquals(await list(ftp), ["one"]);
  assertEquals(passiveOf(server), ["PASV", "PASV", "EPSV"]);
});

Deno.test('FTP sends EPSV only with { passive: "epsv" }', async () => {
  await using server = await startScript({ ...LIST, EPSV: "502 No" });
  await using ftp = await server.connect({ passive: "epsv" });
  assertEquals(ftp.passiveserver, true);
  await assertRejects(() => list(ftp), FTPPermanentError, "502 No");
  server.on("EPSV", byDefault);
  assertEquals(await list(ftp), ["one"]);
  assertEquals(passiveOf(server), ["EPSV", "EPSV"]);
});

Deno.test('FTP says that EPSV may be swallowed with { passive: "epsv" }, and nothing of pipelining', async () => {
  await using server = await startScript({ ...LIST, EPSV: swallow });
  await using ftp = await server.connect({ passive: "epsv", timeout: 200 });
  const error = await assertRejects(() => list(ftp), Deno.errors.TimedOut);
  assert(error.message.includes('{ passive: "pasv" }'), error.message);
  assert(!error.message.includes("pipelining"), error.message);
});

Deno.test('FTP lets the server connect with { passive: "auto" } where it refuses passive mode', async () => {
  await using server = await startScript({
    ...LIST,
    EPSV: "502 No",
    PASV: "502 No",
    PORT: byDefault,
  });
  await using ftp = await server.connect({ passive: "auto" });
  assertEquals(ftp.passiveserver, true);
  assertEquals(await list(ftp), ["one"]);
  assertEquals(await list(ftp), ["one"]);
  assertEquals(passiveOf(server), ["EPSV", "PASV", "PORT", "PORT"]);
});

Deno.test('FTP dials with { passive: "auto" } where the server lets it', async () => {
  await using server = await startScript({ ...LIST, EPSV: "502 No" });
  await using ftp = await server.connect({ passive: "auto" });
  assertEquals(await list(ftp), ["one"]);
  assertEquals(passiveOf(server), ["EPSV", "PASV"]);
});

Deno.test('FTP throws what PORT says with { passive: "auto" } where that is refused as well', async () => {
  await using server = await startScript({
    ...LIST,
    EPSV: "502 No",
    PASV: "502 No",
    PORT: "501 No PORT",
  });
  await using ftp = await server.connect({ passive: "auto" });
  await assertRejects(() => list(ftp), FTPPermanentError, "501 No PORT");
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP sends no EPRT with { allowEPRT: false }", async () => {
  await using server = await startScript({ ...LIST, PORT: "502 No" });
  const options = { passive: false, allowEPRT: false } as const;
  await using ftp = await server.connect(options);
  await assertRejects(() => list(ftp), FTPPermanentError, "502 No");
  assertEquals(passiveOf(server), ["PORT"]);
});

Deno.test(
  "FTP says what is missing with { allowEPRT: false } over IPv6",
  { ignore: !HAS_IPV6 },
  async () => {
    await using server = await startScript(LIST, "::1");
    const options = { passive: false, allowEPRT: false } as const;
    await using ftp = await server.connect(options);
    await assertRejects(() => list(ftp), TypeError, "allowEPRT");
    assertEquals(passiveOf(server), []);
  },
);

Deno.test("FTP tells the server the address of activeAddress, and listens on its own", async () => {
  await using server = await startScript({
    ...LIST,
    async PORT(turn) {
      const [, , , , p1, p2] = turn.argument.split(",").map(Number);
      turn.session.dataPort.setTarget("127.0.0.1", p1! * 256 + p2!);
      await turn.reply(200, "Done");
    },
  });
  await using ftp = await server.connect({
    passive: false,
    activeAddress: "203.0.113.7",
  });
  assertEquals(await list(ftp), ["one"]);
  assert(server.commands[1]!.startsWith("PORT 203,0,113,7,"));
});

Deno.test("FTP rejects an invalid activeAddress", () => {
  for (
    const activeAddress of [
      "router",
      "1.2.3.4\r\nX",
      "",
      "1.2.3",
      "0.0.0.0",
      "::",
      "::ffff:0.0.0.0",
      "224.0.0.1",
      "255.255.255.255",
      "ff02::1",
      "010.0.0.1", // octal on some systems
      "1:2:3",
    ]
  ) {
    assertRejects(
      () => startScript().then((server) => server.connect({ activeAddress })),
      TypeError,
      "activeAddress",
    );
  }
});

/** A server that requires PRET, with the text of DrFTPD. */
const PRET_FIRST: Script = {
  PRET: (turn) => turn.reply(200, `OK, planning to use ${turn.argument}`),
  RETR: (turn) => turn.send("hello"),
};

Deno.test("FTP sends PRET where FEAT has it, with the command that follows", async () => {
  await using server = await startScript({
    ...LIST,
    ...PRET_FIRST,
    FEAT: "211-Features\n PRET\n211 End",
  });
  await using ftp = await server.connect();
  await ftp.features();
  assertEquals(await list(ftp), ["one"]);
  await ftp.retrbinary("RETR a b", () => {});
  assertEquals(server.commands.slice(1), [
    "TYPE A",
    "PRET LIST",
    "EPSV",
    "LIST",
    "TYPE I",
    "PRET RETR a b",
    "EPSV",
    "RETR a b",
  ]);
});

Deno.test("FTP sends PRET where the refusal asks for it, and from then on", async () => {
  let isTold = false;
  const refuse = "500 You need to use a client supporting PRET (PRE Transfer)";
  const unlessTold = async (turn: Turn) => {
    if (!isTold) return await turn.raw(`${refuse} to use ${turn.verb}\r\n`);
    isTold = false;
    await turn.default();
  };
  for (const EPSV of [unlessTold, "502 No"]) {
    await using server = await startScript({
      ...LIST,
      EPSV,
      PASV: unlessTold,
      async PRET(turn) {
        isTold = true;
        await turn.reply(200, "OK");
      },
    });
    await using ftp = await server.connect();
    assertEquals(await list(ftp), ["one"]);
    assertEquals(await list(ftp), ["one"]);
    const told = server.commands.filter((line) => line === "PRET LIST");
    assertEquals(told.length, 2);
  }
});

Deno.test("FTP throws what PRET says of the file", async () => {
  await using server = await startScript({
    ...PRET_FIRST,
    PRET: "550 No such file",
    FEAT: "211-Features\n PRET\n211 End",
  });
  await using ftp = await server.connect();
  await ftp.features();
  await assertRejects(
    () => ftp.retrbinary("RETR x", () => {}),
    FTPPermanentError,
    '"PRET RETR x": 550 No such file',
  );
  assertEquals(passiveOf(server), ["PRET"]);
});

Deno.test("FTP.download sends PRET too, although EPSV was sent ahead", async () => {
  let isTold = false;
  await using server = await startScript({
    SIZE: "213 5",
    async EPSV(turn) {
      if (!isTold) return await turn.reply(500, "Use PRET first");
      isTold = false;
      await turn.default();
    },
    async PRET(turn) {
      isTold = true;
      await turn.reply(200, "OK");
    },
    RETR: (turn) => turn.send("hello"),
  });
  await using ftp = await server.connect();
  await ftp.login("me", "secret");
  const path = await Deno.makeTempFile();
  try {
    for (let i = 0; i < 2; i++) {
      await ftp.download("a", path, { retry: false });
      assertEquals(await Deno.readTextFile(path), "hello");
    }
    assertEquals(passiveOf(server), ["EPSV", "PRET", "EPSV", "PRET", "EPSV"]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("FTP sends no EPRT again where the server hung up at it", async () => {
  await using server = await startScript({
    ...LIST,
    PORT: "500 What",
    EPRT: (turn) => turn.close(),
  });
  await using ftp = await server.connect({ passive: false });
  await ftp.login("me", "secret");
  for (let i = 0; i < 2; i++) {
    await assertRejects(() => list(ftp), FTPPermanentError, "500 What");
  }
  assertEquals(passiveOf(server), ["PORT", "EPRT", "PORT", "PORT"]);
});

Deno.test("FTP lists in TYPE I where the server hung up at TYPE A", async () => {
  await using server = await startScript({
    ...LIST,
    TYPE: async (turn) => {
      if (turn.argument === "A") turn.close();
      else await turn.default();
    },
  });
  await using ftp = await server.connect();
  await ftp.login("me", "secret");
  for (let i = 0; i < 2; i++) assertEquals(await list(ftp), ["one"]);
  const types = server.commands.filter((line) => line.startsWith("TYPE"));
  // the first end may be an accident
  assertEquals(types, ["TYPE A", "TYPE A", "TYPE I"]);
});

Deno.test("FTP sends an IPv4-mapped activeAddress as IPv4", async () => {
  await using server = await startScript({ ...LIST, PORT: "500 What" });
  await using ftp = await server.connect({
    passive: false,
    allowEPRT: false,
    activeAddress: "::ffff:203.0.113.7",
  });
  await assertRejects(() => list(ftp), FTPPermanentError, "500 What");
  assert(server.commands.some((line) => line.startsWith("PORT 203,0,113,7,")));
});
