import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DEAD_PORT } from "../testing/dead_port.ts";
import {
  FTP,
  ftpcp,
  FTPPermanentError,
  FTPProtocolError,
  FTPReplyError,
  FTPTemporaryError,
} from "../../mod.ts";
import {
  type ErrorClass,
  type Script,
  startScript,
} from "../testing/client_script.ts";

/** A greeting that is not a welcome, and the error of connect(). */
const REFUSALS: [
  name: string,
  connect: Script[string],
  Class: ErrorClass,
  message: string,
][] = [
  ["421", "421 Too many users", FTPTemporaryError, "421 Too many users"],
  ["530", "530 Go away", FTPPermanentError, "530 Go away"],
  ["554", "554-No\n554 really", FTPPermanentError, "554 really"],
  ["331", "331 Password", FTPReplyError, "331 Password"],
  ["120 and 421", "120 Wait\n421 No", FTPTemporaryError, "421 No"],
  ["of HTTP", "HTTP/1.1 400 Bad Request", FTPProtocolError, "HTTP/1.1"],
  ["of SSH", "SSH-2.0-OpenSSH_9.2", FTPProtocolError, "SSH-2.0"],
  ["with a code that is none", "620 Hello", FTPProtocolError, "620 Hello"],
  [
    "that is nothing but an end",
    (turn) => turn.close(),
    Deno.errors.UnexpectedEof,
    "the server closed the connection",
  ],
  [
    "cut in the middle",
    async (turn) => {
      await turn.raw("220 Rea");
      turn.close();
    },
    Deno.errors.UnexpectedEof,
    "in the middle of a reply",
  ],
  [
    "cut in the middle of its lines",
    async (turn) => {
      await turn.raw("220-Ready\r\n220-when\r\n");
      turn.close();
    },
    Deno.errors.UnexpectedEof,
    "in the middle of a reply",
  ],
];

for (const [name, greeting, Class, message] of REFUSALS) {
  Deno.test(`FTP.connect refuses a greeting ${name}`, async () => {
    await using server = await startScript({ connect: greeting });
    await using ftp = new FTP({ timeout: 5000 });
    await assertRejects(
      () => ftp.connect(server.host, server.port),
      Class,
      message,
    );
    assertEquals(ftp.connected, false);
    await assertRejects(
      async () => await ftp.pwd(),
      Deno.errors.NotConnected,
    );
  });
}

Deno.test("FTP.connect gives the welcome and getwelcome() keeps it", async () => {
  await using server = await startScript({
    connect: "220-Hello\n  there\n220 Ready",
  });
  await using ftp = new FTP();
  const welcome = await ftp.connect(server.host, server.port);
  assertEquals(welcome.code, 220);
  assertEquals(welcome.text, "220-Hello\n  there\n220 Ready");
  assert(ftp.getwelcome() === welcome);
  assertEquals([ftp.host, ftp.port], [server.host, server.port]);
  assertEquals(ftp.lastresp, "220");
  assert(ftp.connected);
});

Deno.test("FTP.connect waits 120 out", async () => {
  await using server = await startScript({
    connect: "120 Ready in 1 minute\n120-Still\n120 not\n220 Ready",
  });
  await using ftp = new FTP();
  const welcome = await ftp.connect(server.host, server.port);
  assertEquals(welcome.text, "220 Ready");
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.connect ends when no greeting comes in time", async () => {
  await using server = await startScript({ connect: () => {} });
  await using ftp = new FTP({ timeout: 200 });
  await assertRejects(
    () => ftp.connect(server.host, server.port),
    Deno.errors.TimedOut,
    `Cannot connect to "${server.host}:${server.port}": no answer within 200 ms; the connection was accepted, but no greeting came`,
  );
});

Deno.test("FTP.connect ends when an endless greeting comes", async () => {
  await using server = await startScript({
    connect: async (turn) => {
      await turn.raw("220-Hello\r\n");
      while (true) await turn.raw("and more of it\r\n".repeat(1000));
    },
  });
  await using ftp = new FTP({ maxReply: 100_000 });
  await assertRejects(
    () => ftp.connect(server.host, server.port),
    FTPProtocolError,
    "longer than 100000 bytes",
  );
});

Deno.test("FTP.connect names the server that it could not reach", async () => {
  await using ftp = new FTP();
  await assertRejects(
    () => ftp.connect("127.0.0.1", DEAD_PORT),
    Deno.errors.ConnectionRefused,
    `Cannot connect to "127.0.0.1:${DEAD_PORT}"`,
  );
});

Deno.test("FTP.connect rejects invalid hosts and ports", async () => {
  await using ftp = new FTP();
  for (const host of ["", "ftp://127.0.0.1", "127.0.0.1/pub"]) {
    await assertRejects(
      () => ftp.connect(host),
      TypeError,
      "the host must be a name or an address",
    );
  }
  for (const port of [0, -1, 65_536, 1.5, NaN]) {
    await assertRejects(
      () => ftp.connect("127.0.0.1", port),
      RangeError,
      `Cannot connect to port ${port}`,
    );
  }
});

Deno.test("FTP refuses a host where ftplib's constructor takes one", () => {
  assertThrows(
    () => new FTP("ftp.example.com" as unknown as Record<string, never>),
    TypeError,
    "the host goes to connect()",
  );
});

Deno.test("FTP.connect can be aborted, before and while it waits", async () => {
  await using server = await startScript({ connect: () => {} });
  await using ftp = new FTP({ timeout: 5000 });
  const reason = new Error("changed my mind");
  await assertRejects(
    () =>
      ftp.connect(server.host, server.port, {
        signal: AbortSignal.abort(reason),
      }),
    Error,
    reason.message,
  );
  assertEquals(server.sessions.length, 0);
  const controller = new AbortController();
  const connecting = ftp.connect(server.host, server.port, controller);
  setTimeout(() => controller.abort("a word"), 20);
  assertEquals(await connecting.catch((error) => error), "a word");
  assertEquals(ftp.connected, false);
});

Deno.test("FTP.connect connects again after close() and after a failure", async () => {
  await using server = await startScript();
  await using ftp = await server.connect();
  ftp.close();
  await ftp.connect(server.host, server.port);
  assertEquals(await ftp.pwd(), "/");
  await ftp.connect(server.host, server.port);
  assertEquals(await ftp.pwd(), "/");
  assertEquals(server.sessions.length, 3);
});

Deno.test("FTP throws NotConnected before connect()", async () => {
  const ftp = new FTP();
  const message = "call connect() first";
  // each rejects, none throws: a catch() is enough
  const calls: (() => Promise<unknown>)[] = [
    () => ftp.login(),
    () => ftp.sendcmd("NOOP"),
    () => ftp.voidcmd("NOOP"),
    () => ftp.putcmd("NOOP"),
    () => ftp.getresp(),
    () => ftp.voidresp(),
    () => ftp.abort(),
    () => ftp.acct("x"),
    () => ftp.auth(),
    () => ftp.protP(),
    () => ftp.protC(),
    () => ftp.ccc(),
    () => ftp.quit(),
    () => ftp.makepasv(),
    () => ftp.makeport(),
    () => ftp.sendport("127.0.0.1", 1),
    () => ftp.sendeprt("::1", 1),
    () => ftp.ntransfercmd("RETR x"),
    () => ftp.transfercmd("RETR x"),
    () => ftp.retrbinary("RETR x", () => {}),
    () => ftp.retrlines("LIST"),
    () => ftp.storbinary("STOR x", []),
    () => ftp.storlines("STOR x", []),
    () => ftp.nlst(),
    () => ftp.dir(),
    () => ftp.mlsd().next(),
    () => ftp.cwd("x"),
    () => ftp.pwd(),
    () => ftp.mkd("x"),
    () => ftp.rmd("x"),
    () => ftp.delete("x"),
    () => ftp.rename("x", "y"),
    () => ftp.size("x"),
    () => ftp.stat("x"),
    () => ftp.exists("x"),
    () => ftp.mtime("x"),
    () => ftp.setMtime("x", new Date(0)),
    () => ftp.features(),
    () => ftp.pipeline(["NOOP"]).next(),
    () => ftp.retrieve("x"),
    () => ftp.store("x", []),
    () => ftp.ensureDir("x"),
    () => ftp.remove("x"),
    () => ftp.upload([], "x"),
    () => ftpcp(ftp, "x", ftp),
  ];
  for (const call of calls) {
    await assertRejects(call, Deno.errors.NotConnected, message);
  }
  assertThrows(() => ftp.getwelcome(), Deno.errors.NotConnected, message);
  assertEquals([ftp.connected, ftp.lastresp, ftp.host], [false, "", ""]);
  ftp.close();
  await ftp[Symbol.asyncDispose]();
});

for (
  const [greeting, hint] of [
    [
      "SSH-2.0-OpenSSH_9.2\r\n",
      'got "SSH-2.0-OpenSSH_9.2"; this is an SSH server, and',
    ],
    ["HTTP/1.1 400 Bad Request\r\n", 'Request"; this is a web server'],
    ["\x15\x03\x01\0\x02\x02\x46\n", "; this is TLS, which this server may"],
    ["Hello\r\n", 'got "Hello"'],
  ] as const
) {
  Deno.test(`FTP.connect says which server answers instead of FTP: ${JSON.stringify(greeting)}`, async () => {
    await using server = await startScript({
      connect: (turn) =>
        turn.raw(Uint8Array.from(greeting, (c) => c.charCodeAt(0))),
    });
    const { message } = await assertRejects(
      () => server.connect(),
      FTPProtocolError,
    );
    const found = message.slice(message.indexOf(hint));
    assertEquals(found.slice(0, hint.length), hint);
    assertEquals(message.includes("; that is"), hint.includes("; that is"));
  });
}
