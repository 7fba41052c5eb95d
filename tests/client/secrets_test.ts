import { assert, assertEquals } from "@std/assert";
import { connect, type FTP, FTPError, type TraceEvent } from "../../mod.ts";
import { type Script, stall, startScript } from "../testing/client_script.ts";

const SECRET = "hunter2";

/** Commands with a secret, sent in every way. */
const CALLS: [name: string, call: (ftp: FTP) => Promise<unknown>][] = [
  ["login", (f) => f.login("u", SECRET, SECRET)],
  ["acct", (f) => f.acct(SECRET)],
  ["sendcmd PASS", (f) => f.sendcmd(`PASS ${SECRET}`)],
  ["sendcmd pass", (f) => f.sendcmd(`pAsS ${SECRET} and ${SECRET}`)],
  ["voidcmd ACCT", (f) => f.voidcmd(`ACCT ${SECRET}`)],
  ["putcmd PASS", async (f) => {
    await f.putcmd(`PASS ${SECRET}`);
    await f.getresp();
  }],
  ["pipeline PASS", async (f) => {
    for await (const result of f.pipeline([`PASS ${SECRET}`])) {
      if (result instanceof FTPError) throw result;
    }
  }],
  ["sendcmd PASS, a tab", (f) => f.sendcmd(`PASS\t${SECRET}`)],
  ["sendcmd PASS, white space", (f) => f.sendcmd(`\tPASS\v${SECRET} x`)],
  ["sendcmd SITE PSWD", (f) => f.sendcmd(`SITE\tPSWD\told\t${SECRET}`)],
  ["login by proxy", (f) => f.login(`ftp://u:${SECRET}@host`, SECRET)],
  ["cwd to a URL", (f) => f.cwd(`ftp://u:${SECRET}@host/x`)],
];

/** Ways to fail; each has its own messages. */
const FAILURES: [name: string, answer: Script[string]][] = [
  ["refused", "530 No"],
  ["delayed", "451 No"],
  ["answered with 1yz", "150 And"],
  ["cut", (turn) => turn.close()],
  ["ignored", stall],
  ["answered with garbage", "What?"],
];

for (const [failure, answer] of FAILURES) {
  for (const [name, call] of CALLS) {
    Deno.test(`FTP.${name} shows no secret when it is ${failure}`, async () => {
      await using server = await startScript({
        USER: name === "login" ? "331 Password" : answer,
        PASS: answer,
        ACCT: answer,
        CWD: answer,
        "*": answer,
      });
      const trace: TraceEvent[] = [];
      await using ftp = await server.connect({
        timeout: 100,
        trace: (event) => trace.push(event),
      });
      const errors = [
        await call(ftp).catch((error) => error),
        await Promise.resolve().then(() => call(ftp)).catch((error) => error),
      ];
      assert(server.commands.join().includes(SECRET));
      assert(errors.some((error) => error instanceof Error), `${errors}`);
      for (const error of errors) {
        assert(!Deno.inspect(error).includes(SECRET), Deno.inspect(error));
        if (error instanceof FTPError) {
          assert(!`${error.command}`.includes(SECRET));
        }
      }
      assert(trace.some(({ direction }) => direction === "sent"));
      assert(!JSON.stringify(trace).includes(SECRET), JSON.stringify(trace));
      assert(
        !Deno.inspect(ftp, { depth: 9, showHidden: true }).includes(SECRET),
      );
    });
  }
}

Deno.test("FTP shows no secret when it cannot be sent", async () => {
  await using server = await startScript();
  await using ftp = await server.connect({ encoding: "latin-1" });
  const calls: (() => Promise<unknown>)[] = [
    () => ftp.login("u", `${SECRET}日`),
    () => ftp.login("u", `${SECRET}\n`),
    () => ftp.sendcmd(`PASS\n${SECRET}`),
    () => ftp.sendcmd(`PASS日 ${SECRET}`),
    () => ftp.sendcmd(`PASS\t${SECRET} 日`),
    () => ftp.sendcmd(`PASS\t${SECRET} x\n`),
  ];
  for (const call of calls) {
    const error = await call().catch((error) => error);
    assert(error instanceof TypeError, `${error}`);
    assert(!Deno.inspect(error).includes(SECRET), Deno.inspect(error));
  }
});

Deno.test("connect shows no secret of its URL", async () => {
  await using server = await startScript({ PASS: "530 No", CWD: "550 No" });
  const host = `${server.host}:${server.port}`;
  const urls = [
    `ftp://u:${SECRET}@${host}/`,
    `ftp://u:${SECRET}%0A@${host}/`,
    `ftp://u:${SECRET}@/nowhere`,
    `ftp://u:${SECRET}@[::bad/`,
    `ftp://u:${SECRET}@${host}:99999/`,
    `gopher://u:${SECRET}@${host}/`,
    `ftp://u:${SECRET}@127.0.0.1:1/`,
  ];
  for (const url of urls) {
    const error = await connect(url, { timeout: 500 }).catch((error) => error);
    assert(error instanceof Error, url);
    assert(!Deno.inspect(error).includes(SECRET), Deno.inspect(error));
  }
});

Deno.test("FTP traces commands, replies and events", async () => {
  await using server = await startScript({
    PASS: "230-Welcome\n \x1B[2J\n230 x",
  });
  const trace: TraceEvent[] = [];
  await using ftp = await server.connect({
    trace: (event) => {
      trace.push(event);
      throw new Error("the trace's own fault");
    },
  });
  await ftp.login("u", SECRET);
  ftp.close();
  await Promise.resolve(); // the trace is called after the current work
  const lines = trace.map(({ direction, text }) => `${direction} ${text}`);
  assertEquals(lines.filter((line) => !line.startsWith("event")), [
    "received 220 (vsFTPd 3.0.3)",
    "sent USER u",
    "received 331 Password required",
    "sent PASS ****",
    "received 230-Welcome\n \uFFFD[2J\n230 x",
  ]);
  assert(lines.some((line) => line.startsWith("event closed")));
  assert(trace.every(({ time }) => Math.abs(time - Date.now()) < 60_000));
});

Deno.test("FTP.setDebuglevel prints to standard error, masked", async () => {
  await using server = await startScript();
  await using ftp = await server.connect();
  const printed: string[] = [];
  const original = console.error;
  console.error = (...words: unknown[]) => void printed.push(words.join(" "));
  try {
    await ftp.voidcmd("NOOP");
    ftp.setDebuglevel(1);
    await ftp.login("u", SECRET);
    ftp.setDebuglevel(2);
    await ftp.voidcmd("NOOP");
    ftp.setDebuglevel(0);
    await ftp.voidcmd("NOOP");
  } finally {
    console.error = original;
  }
  assertEquals(printed, [
    "> USER u",
    "< 331 Password required",
    "> PASS ****",
    "< 230 Logged in",
    "> NOOP",
    "< 200 Done nothing",
  ]);
});
