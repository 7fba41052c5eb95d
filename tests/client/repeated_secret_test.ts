import { assert, assertEquals } from "@std/assert";
import { type FTP, FTPError, type TraceEvent } from "../../mod.ts";
import { startScript } from "./script.ts";

const SECRET = "hunter2";
const REPEATED = `User bob with password '${SECRET}' is wrong`;

/** Calls that send it, and what a server may say to them. */
const CALLS: [
  name: string,
  call: (ftp: FTP) => Promise<unknown>,
  answer: string,
][] = [
  ["login, refused", (f) => f.login("bob", SECRET), `530 ${REPEATED}`],
  ["login, put off", (f) => f.login("bob", SECRET), `421 ${REPEATED}`],
  ["login, asked for more", (f) => f.login("bob", SECRET), `331 ${REPEATED}`],
  ["login, opened", (f) => f.login("bob", SECRET), `150 ${REPEATED}`],
  ["login, answered twice", async (f) => {
    await f.login("bob", SECRET);
    await f.voidcmd("NOOP");
    await f.voidcmd("NOOP");
  }, `230 Hello\n230 ${REPEATED}`],
  ["login, no code", (f) => f.login("bob", SECRET), REPEATED],
  ["login, no end", (f) => f.login("bob", SECRET), `230-Hello\n231 ${SECRET}`],
  ["acct", (f) => f.acct(SECRET), `530 ${REPEATED}`],
  ["sendcmd", (f) => f.sendcmd(`PASS ${SECRET}`), `530 ${REPEATED}`],
  ["later command", async (f) => {
    await f.login("bob", SECRET);
    await f.cwd("x");
  }, "230 Hello"],
];

for (const [name, call, answer] of CALLS) {
  Deno.test(`FTP shows no secret that a server repeats: ${name}`, async () => {
    await using server = await startScript({
      PASS: answer,
      ACCT: answer,
      CWD: `550-No\n550 ${REPEATED}`,
    });
    const trace: TraceEvent[] = [];
    await using ftp = await server.connect({
      timeout: 200,
      trace: (event) => void trace.push(event),
    });
    const error = await call(ftp).catch((error) => error);
    assert(error instanceof Error, `${error}`);
    await Promise.resolve();
    const shown = Deno.inspect(error, { depth: 9, showHidden: true });
    assert(!shown.includes(SECRET), shown);
    if (error instanceof FTPError) {
      assert(!error.reply?.text.includes(SECRET));
    }
    assert(!JSON.stringify(trace).includes(SECRET), JSON.stringify(trace));
    assert(JSON.stringify([trace, shown]).includes("****"));
  });
}

Deno.test("FTP.login gives a reply without the secret that it repeats", async () => {
  await using server = await startScript({ PASS: `230 Hello ${SECRET}` });
  await using ftp = await server.connect();
  assertEquals((await ftp.login("bob", SECRET)).text, "230 Hello ****");
});

Deno.test("FTP.pwd gives a path that has the secret's letters in it", async () => {
  await using server = await startScript({ PWD: `257 "/home/${SECRET}"` });
  await using ftp = await server.connect();
  await ftp.login("bob", SECRET);
  assertEquals(await ftp.pwd(), `/home/${SECRET}`);
});
