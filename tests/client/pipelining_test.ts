import { assertEquals, assertRejects } from "@std/assert";
import { FTPError, type Reply } from "../../mod.ts";
import { byDefault, stall, startScript } from "../testing/client_script.ts";

/** Commands of a download and an upload, after login. */
const TRANSFERS = [
  "SIZE",
  "MDTM",
  "RETR",
  "STOR",
  "RNFR",
  "RNTO",
  "MFMT",
  "REST",
  "DELE",
  "CWD",
];

Deno.test("FTP writes commands that are not awaited at once, in order", async () => {
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  await using server = await startScript({
    // the first one is answered after the others have arrived
    SIZE: async (turn) => {
      seen.push("SIZE a");
      for (let i = 0; i < 2; i++) seen.push((await turn.next())!);
      gate.resolve();
      await turn.raw("213 1\r\n550 No\r\n21");
      await turn.raw("3 3\r\n");
    },
  });
  await using ftp = await server.connect();
  const first = ftp.size("a");
  const second = ftp.size("b");
  const third = ftp.size("c");
  await gate.promise;
  assertEquals(await first, 1);
  await assertRejects(() => second, FTPError, '"SIZE b": 550 No');
  assertEquals(await third, 3);
  assertEquals(seen, ["SIZE a", "SIZE b", "SIZE c"]);
});

const COUNT = 4000;

Deno.test("FTP matches thousands of replies with their commands", async () => {
  await using server = await startScript({
    SIZE: async (turn) => {
      const name = turn.argument;
      await (Number(name) % 7 === 0
        ? turn.raw(`550-No
 ${name}
550 x
`)
        : turn.reply(213, name));
    },
  });
  await using ftp = await server.connect();
  const sizes = await Promise.all(
    Array.from(
      { length: COUNT },
      (_, i) => ftp.size(`${i}`).catch((error: FTPError) => error.reply?.code),
    ),
  );
  for (const [i, size] of sizes.entries()) {
    assertEquals(size, i % 7 === 0 ? 550 : i);
  }
  assertEquals(server.commands.length, COUNT);
  assertEquals(server.commands[2345], "SIZE 2345");
});

Deno.test("FTP.pipeline gives a reply or a refusal for each command, in order", async () => {
  await using server = await startScript({
    SIZE: (turn) =>
      turn.reply(Number(turn.argument) % 2 === 0 ? 213 : 550, turn.argument),
  });
  await using ftp = await server.connect();
  const commands = Array.from({ length: 1000 }, (_, i) => `SIZE ${i}`);
  for (const window of [1, 7, 4096]) {
    const codes: string[] = [];
    for await (const result of ftp.pipeline(commands, { window })) {
      const reply = result instanceof FTPError ? result.reply! : result;
      codes.push(reply.text);
    }
    assertEquals(
      codes,
      commands.map((_, i) => `${i % 2 === 0 ? 213 : 550} ${i}`),
    );
  }
});

Deno.test("FTP.pipeline never exceeds its window", async () => {
  let outstanding = 0;
  let most = 0;
  await using server = await startScript({ NOOP: "200 ok" });
  await using ftp = await server.connect();
  function* commands(): Generator<string> {
    for (let i = 0; i < 100; i++) {
      most = Math.max(most, ++outstanding);
      yield "NOOP";
    }
  }
  for await (const _ of ftp.pipeline(commands(), { window: 5 })) outstanding--;
  assertEquals(most, 5);
  for (const window of [0, -1, 1.5, NaN]) {
    await assertRejects(
      () => Array.fromAsync(ftp.pipeline(["NOOP"], { window })),
      RangeError,
      "window",
    );
  }
});

Deno.test("FTP.pipeline may be left early, and the connection is in step", async () => {
  await using server = await startScript({
    SIZE: (turn) => turn.reply(213, turn.argument),
    PWD: '257 "/own"',
  });
  await using ftp = await server.connect();
  const commands = Array.from({ length: 100 }, (_, i) => `SIZE ${i}`);
  const results: (Reply | FTPError)[] = [];
  for await (const result of ftp.pipeline(commands, { window: 50 })) {
    results.push(result);
    if (results.length === 3) break;
  }
  assertEquals(await ftp.pwd(), "/own");
});

Deno.test("FTP.pipeline ends when the connection does", async () => {
  await using server = await startScript({
    SIZE: async (turn) => {
      if (turn.argument === "5") turn.close();
      else await turn.reply(213, turn.argument);
    },
  });
  await using ftp = await server.connect();
  const commands = Array.from({ length: 10 }, (_, i) => `SIZE ${i}`);
  const texts: string[] = [];
  await assertRejects(async () => {
    for await (const result of ftp.pipeline(commands)) {
      if (result instanceof FTPError) throw result;
      texts.push(result.text);
    }
  }, Deno.errors.UnexpectedEof);
  assertEquals(texts, ["213 0", "213 1", "213 2", "213 3", "213 4"]);
});

Deno.test("FTP rejects a line end in a pipelined command, and the others continue", async () => {
  await using server = await startScript({ NOOP: "200 ok" });
  await using ftp = await server.connect();
  const results = await Promise.allSettled([
    ftp.sendcmd("NOOP"),
    ftp.sendcmd("NOOP\r\nDELE x"),
    ftp.sendcmd("NOOP"),
  ]);
  assertEquals(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assertEquals(server.commands, ["NOOP", "NOOP"]);
});

for (const perPacket of ["first", "joined", "none"] as const) {
  Deno.test(`FTP.download and FTP.upload continue if the server reads one command from each packet (${perPacket})`, async () => {
    await using server = await startScript({
      ...Object.fromEntries(TRANSFERS.map((verb) => [verb, byDefault])),
      PWD: '257 "/"',
    });
    server.put("/a", "hello");
    server.perPacket = perPacket;
    await using ftp = await server.connect({ timeout: 300 });
    await ftp.login("me", "secret");
    const folder = await Deno.makeTempDir();
    try {
      const retry = { attempts: 1, delay: 1 };
      await ftp.download("a", `${folder}/a`, { retry });
      assertEquals(await Deno.readTextFile(`${folder}/a`), "hello");
      await ftp.upload(`${folder}/a`, "b", { retry });
      assertEquals(server.text("/b"), "hello");
      assertEquals(server.sessions.length, 2);
      await using clone = await ftp.clone();
      await clone.download("b", `${folder}/b`, { retry });
      assertEquals(await Deno.readTextFile(`${folder}/b`), "hello");
      assertEquals(server.sessions.length, 3);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("FTP says what may be wrong where a server drops a command that came with another", async () => {
  await using server = await startScript({ SIZE: "213 1" });
  server.perPacket = "first";
  await using ftp = await server.connect({ timeout: 200 });
  const [first, second] = [ftp.size("a"), ftp.size("b")];
  assertEquals(await first, 1);
  await assertRejects(
    () => second,
    Deno.errors.TimedOut,
    'Cannot complete "SIZE b": no reply within 200 ms; the connection is closed; it was sent before the command ahead of it was answered, which some servers and firewalls cannot handle: the next connection of this client sends one at a time, as all do with { pipelining: false }',
  );
  await ftp.connect(server.host, server.port);
  assertEquals(await Promise.all([ftp.size("a"), ftp.size("b")]), [1, 1]);
});

Deno.test("FTP says what may be wrong where a server closes the connection on commands that came together", async () => {
  await using server = await startScript({ SIZE: "213 1" });
  server.perPacket = "none";
  await using ftp = await server.connect();
  await assertRejects(
    () => Promise.all([ftp.size("a"), ftp.size("b")]),
    Deno.errors.UnexpectedEof,
    'Cannot complete "SIZE a": the server closed the connection; it was sent together with another command, which some servers and firewalls cannot handle: the next connection of this client sends one at a time, as all do with { pipelining: false }',
  );
  await ftp.connect(server.host, server.port);
  assertEquals(await Promise.all([ftp.size("a"), ftp.size("b")]), [1, 1]);
});

Deno.test("FTP blames no pipeline for the end of a connection that took one before, or had none", async () => {
  await using server = await startScript({ SIZE: "213 1" });
  await using ftp = await server.connect();
  await Promise.all([ftp.size("a"), ftp.size("b")]);
  server.once("SIZE", (turn) => turn.close());
  const ended = 'Cannot complete "SIZE a": the server closed the connection';
  const first = await assertRejects(
    () => Promise.all([ftp.size("a"), ftp.size("b")]),
    Deno.errors.UnexpectedEof,
  );
  assertEquals(first.message, ended);
  await ftp.connect(server.host, server.port);
  server.once("SIZE", (turn) => turn.close());
  const second = await assertRejects(
    () => ftp.size("a"),
    Deno.errors.UnexpectedEof,
  );
  assertEquals(second.message, ended);
});

Deno.test("FTP blames no pipeline where the first command of it got no reply, or there was none", async () => {
  await using server = await startScript({ SIZE: stall });
  await using ftp = await server.connect({ timeout: 100 });
  const both = await Promise.allSettled([ftp.size("a"), ftp.size("b")]);
  for (const { reason } of both as PromiseRejectedResult[]) {
    assertEquals(
      reason.message,
      'Cannot complete "SIZE a": no reply within 100 ms; the connection is closed',
    );
  }
});

Deno.test("FTP with pipelining false writes one command at a time", async () => {
  const unanswered: number[] = [];
  let answered = 0;
  await using server = await startScript({
    SIZE: async (turn) => {
      // the other commands have arrived after a turn of the event loop
      await new Promise((resolve) => setTimeout(resolve));
      unanswered.push(server.commands.length - answered);
      answered++;
      await turn.reply(213, turn.argument);
    },
  });
  await using ftp = await server.connect({ pipelining: false });
  assertEquals(
    await Promise.all([1, 2, 3].map((i) => ftp.size(`${i}`))),
    [1, 2, 3],
  );
  const replies = [];
  for await (const reply of ftp.pipeline(["SIZE 4", "SIZE 5"])) {
    replies.push((reply as Reply).text);
  }
  assertEquals(replies, ["213 4", "213 5"]);
  assertEquals(unanswered, [1, 1, 1, 1, 1]);
});

Deno.test("FTP blames no server for the middle of a long pipeline", async () => {
  await using server = await startScript({
    SIZE: (turn) => turn.reply(213, "1"),
  });
  for (let i = 0; i < 10; i++) {
    server.once("SIZE", (turn) => turn.reply(213, "1"));
  }
  server.once("SIZE", stall);
  await using ftp = await server.connect({ timeout: 100 });
  const names = Array.from({ length: 20 }, (_, i) => `${i}`);
  const settled = await Promise.allSettled(names.map((name) => ftp.size(name)));
  assertEquals(
    (settled[10] as PromiseRejectedResult).reason.message,
    'Cannot complete "SIZE 10": no reply within 100 ms; the connection is closed',
  );
});
