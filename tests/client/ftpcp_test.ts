import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ftpcp,
  FTPPermanentError,
  FTPReplyError,
  FTPTemporaryError,
} from "../../mod.ts";
import { HAS_IPV6 } from "../testing/servers/loopback.ts";
import {
  type ErrorClass,
  type Script,
  startScript,
} from "../testing/client_script.ts";

const SOURCE: Script = {
  EPSV: (turn) => turn.reply(229, "Here (|||4242|)"),
  RETR: "150 Here\n226 Sent",
  ABOR: "426 Cut\n226 Aborted",
  PWD: '257 "/source"',
};
const TARGET: Script = {
  PORT: "200 ok",
  EPRT: "200 ok",
  STOR: "150 Send\n226 Stored",
  ABOR: "426 Cut\n226 Aborted",
  PWD: '257 "/target"',
};

/** Starts two servers with a client each. */
async function start(source: Script = {}, target: Script = {}) {
  const servers = new AsyncDisposableStack();
  const from = servers.use(await startScript({ ...SOURCE, ...source }));
  const to = servers.use(await startScript({ ...TARGET, ...target }));
  const a = servers.use(await from.connect());
  const b = servers.use(await to.connect());
  return {
    from,
    to,
    a,
    b,
    [Symbol.asyncDispose]: () => servers.disposeAsync(),
  };
}

Deno.test("ftpcp lets the source listen and the target connect", async () => {
  await using pair = await start();
  const { from, to, a, b } = pair;
  await ftpcp(a, "from x", b, "to y");
  assertEquals(from.commands, ["TYPE I", "EPSV", "RETR from x"]);
  assertEquals(to.commands, ["TYPE I", "PORT 127,0,0,1,16,146", "STOR to y"]);
  await ftpcp(a, Uint8Array.of(0xE9), b, "z", "A");
  assertEquals(from.commands.slice(3), ["TYPE A", "EPSV", "RETR \xE9"]);
  assertEquals([await a.pwd(), await b.pwd()], ["/source", "/target"]);
});

Deno.test("ftpcp keeps the name by default", async () => {
  await using pair = await start();
  const { to, a, b } = pair;
  await ftpcp(a, "x", b);
  await ftpcp(a, "y", b, "");
  assertEquals(to.commands.filter((line) => line.startsWith("STOR")), [
    "STOR x",
    "STOR y",
  ]);
});

Deno.test("ftpcp connects the target to the source, whatever address is in the 227", async () => {
  await using pair = await start({
    EPSV: "500 What",
    PASV: "227 Here (10,0,0,1,16,146)",
  });
  const { to, a, b } = pair;
  await ftpcp(a, "x", b, "y");
  assertEquals(to.commands[1], "PORT 127,0,0,1,16,146");
});

Deno.test("ftpcp sends the target where a trusted 227 says", async () => {
  await using from = await startScript({
    ...SOURCE,
    EPSV: "500 What",
    PASV: "227 Here (10,0,0,1,16,146)",
  });
  await using to = await startScript(TARGET);
  await using a = await from.connect({ trustPasvHost: true });
  await using b = await to.connect();
  await ftpcp(a, "x", b, "y");
  assertEquals(to.commands[1], "PORT 10,0,0,1,16,146");
});

Deno.test("ftpcp uses EPRT over IPv6", { ignore: !HAS_IPV6 }, async () => {
  await using from = await startScript(SOURCE, "::1");
  await using to = await startScript(TARGET);
  await using a = await from.connect();
  await using b = await to.connect();
  await ftpcp(a, "x", b, "y");
  assertEquals(to.commands[1], "EPRT |2|::1|4242|");
});

/** Failures, and the errors of ftpcp; both connections stay usable. */
const REFUSALS: [
  name: string,
  source: Script,
  target: Script,
  Class: ErrorClass,
  message: string,
][] = [
  [
    "the target refuses PORT",
    {},
    { PORT: "500 Illegal PORT" },
    FTPPermanentError,
    "500 Illegal PORT",
  ],
  [
    "the target refuses STOR",
    {},
    { STOR: "553 No" },
    FTPPermanentError,
    '"STOR y": 553 No',
  ],
  [
    "the target needs no data",
    {},
    { STOR: "226 Done" },
    FTPReplyError,
    "expected code 125 or 150, got 226 Done",
  ],
  [
    "the source refuses RETR",
    { RETR: "550 No such file" },
    { STOR: "150 Send" },
    FTPPermanentError,
    '"RETR x": 550 No such file',
  ],
  [
    "the source fails",
    { RETR: "150 Here\n426 Cut" },
    {},
    FTPTemporaryError,
    "426 Cut",
  ],
  [
    "the target fails",
    {},
    { STOR: "150 Send\n552 Full" },
    FTPPermanentError,
    "552 Full",
  ],
  [
    "the source refuses TYPE",
    { TYPE: "504 No" },
    {},
    FTPPermanentError,
    "504 No",
  ],
  [
    "the source refuses to listen",
    { EPSV: "500 What", PASV: "502 No" },
    {},
    FTPPermanentError,
    "502 No",
  ],
];

for (const [name, source, target, Class, message] of REFUSALS) {
  Deno.test(`ftpcp throws when ${name}, and both are usable`, async () => {
    await using pair = await start(source, target);
    const { a, b } = pair;
    await assertRejects(() => ftpcp(a, "x", b, "y"), Class, message);
    assertEquals([await a.pwd(), await b.pwd()], ["/source", "/target"]);
    await assertRejects(() => a.voidresp(), TypeError);
    await assertRejects(() => b.voidresp(), TypeError);
  });
}

Deno.test("ftpcp ends in time when a side never confirms", async () => {
  await using from = await startScript(SOURCE);
  await using to = await startScript({ ...TARGET, STOR: "150 Send" });
  await using a = await from.connect();
  await using b = await to.connect({ timeout: 200 });
  await assertRejects(
    () => ftpcp(a, "x", b, "y"),
    Deno.errors.TimedOut,
    '"STOR y"',
  );
  assertEquals(b.connected, false);
  assertEquals(await a.pwd(), "/source");
});

Deno.test("ftpcp is aborted, and both are usable", async () => {
  await using pair = await start({ RETR: "150 Here" }, { STOR: "150 Send" });
  const { a, b } = pair;
  const reason = new Error("enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 50);
  const { signal } = controller;
  const error = await ftpcp(a, "x", b, "y", "I", { signal }).catch((e) => e);
  assert(error === reason, `${error}`);
  assertEquals([await a.pwd(), await b.pwd()], ["/source", "/target"]);
});

Deno.test("ftpcp is aborted before the target has answered, and both are usable", async () => {
  await using pair = await start({}, {
    STOR: () => {}, // the reply to ABOR is for both
  });
  const { to, a, b } = pair;
  const reason = new Error("enough");
  const controller = new AbortController();
  to.received("STOR").then(() => controller.abort(reason));
  const { signal } = controller;
  const error = await ftpcp(a, "x", b, "y", "I", { signal }).catch((e) => e);
  assert(error === reason, `${error}`);
  assertEquals([await a.pwd(), await b.pwd()], ["/source", "/target"]);
});

Deno.test("ftpcp refuses line ends in its names", async () => {
  await using pair = await start({}, { STOR: "150 Send" });
  const { from, to, a, b } = pair;
  for (const end of ["\r", "\n", "\0", "\r\n"]) {
    const name = `hunter2${end}DELE y`;
    const errors = [
      await assertRejects(() => ftpcp(a, name, b, "y"), TypeError),
      await assertRejects(() => ftpcp(a, "x", b, name), TypeError),
    ];
    assert(errors[0]!.message.includes('"sourceName"'), errors[0]!.message);
    assert(errors[1]!.message.includes('"targetName"'), errors[1]!.message);
    assert(!/hunter2|[\r\n\0]/.test(errors.join("")), errors.join(""));
  }
  const commands = [...from.commands, ...to.commands].join();
  assert(!/hunter2|DELE/.test(commands), commands);
  assertEquals([await a.pwd(), await b.pwd()], ["/source", "/target"]);
});

/** Pairs of servers that accept such transfers. */
const BOTH: Script = { ...SOURCE, ...TARGET };

Deno.test("ftpcp has both connections to itself, whichever way others copy", async () => {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  await using pair = await start(BOTH, BOTH);
  const { from, to, a, b } = pair;
  to.once("STOR", async (turn) => {
    await turn.reply(150, "Send");
    begun.resolve();
    await gate.promise;
    await turn.reply(226, "Stored");
  });
  const there = ftpcp(a, "1", b);
  await begun.promise;
  const calls = [
    ftpcp(b, "2", a),
    ftpcp(a, "3", b),
    a.size("4"),
    ftpcp(b, "5", a),
    b.nlst("6"),
  ];
  to.on("SIZE", "213 4");
  from.on("SIZE", "213 4");
  to.on("NLST", (turn) => turn.send("6\r\n"));
  gate.resolve();
  await there;
  assertEquals(await Promise.all(calls), [undefined, undefined, 4, undefined, [
    "6",
  ]]);
  const moves = (commands: string[]) =>
    commands.filter((line) => !/^(TYPE|P|E)/.test(line)).map((line) =>
      line.replace("RETR", "->").replace("STOR", "<-")
    );
  assertEquals(moves(from.commands), [
    "-> 1",
    "<- 2",
    "-> 3",
    "SIZE 4",
    "<- 5",
  ]);
  assertEquals(moves(to.commands), ["<- 1", "-> 2", "<- 3", "-> 5", "NLST 6"]);
});

Deno.test("ftpcp does not wait for a call that waits for it", async () => {
  await using pair = await start(BOTH, BOTH);
  const { a, b } = pair;
  const copies = [];
  for (let i = 0; i < 10; i++) {
    copies.push(ftpcp(a, `${i}`, b), ftpcp(b, `${i}`, a));
  }
  await Promise.all(copies);
  for (const { verbs } of [pair.from, pair.to]) {
    const count = (verb: string) => verbs.filter((one) => one === verb).length;
    assertEquals([count("RETR"), count("STOR")], [10, 10]);
  }
});

Deno.test("ftpcp can be aborted while it waits for a connection, and releases the other", async () => {
  await using pair = await start({}, { NOOP: () => {} });
  const { from, to, a, b } = pair;
  const controller = new AbortController();
  const noop = b.voidcmd("NOOP").catch(() => {});
  const copying = ftpcp(a, "x", b, "y", "I", controller);
  const pwd = a.pwd();
  const reason = new Error("enough");
  controller.abort(reason);
  assertEquals(await copying.catch((error) => error), reason);
  assertEquals(await pwd, "/source");
  assertEquals([from.commands, to.commands], [["PWD"], ["NOOP"]]);
  b.close();
  await noop;
});

Deno.test("ftpcp refuses one client for both", async () => {
  await using from = await startScript(SOURCE);
  await using a = await from.connect();
  await assertRejects(
    () => ftpcp(a, "x", a, "y"),
    TypeError,
    "source and target are the same client; clone() opens another",
  );
  assertEquals(from.commands, []);
});

Deno.test("ftpcp refuses where TLS was asked for", async () => {
  await using from = await startScript(SOURCE);
  await using to = await startScript(TARGET);
  await using a = await from.connect();
  await using b = await to.connect({ tls: "explicit" });
  for (const [source, target] of [[a, b], [b, a]] as const) {
    await assertRejects(
      () => ftpcp(source, "x", target, "y"),
      TypeError,
      "call protC() on both first",
    );
  }
  assertEquals([from.commands, to.commands], [[], []]);
});
