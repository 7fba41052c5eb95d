import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type FTP,
  FTPError,
  FTPReplyError,
  type TraceEvent,
} from "../../mod.ts";
import { type Script, startScript } from "../testing/client_script.ts";

const SECRET = "hunter2";
const REPEATED = `User bob with password '${SECRET}' is wrong`;

/** Calls with a secret, and replies of a server to them. */
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

/** Replies below 400, which are data until an error is made of them. */
const UNDUE: [
  name: string,
  script: Script,
  call: (ftp: FTP) => Promise<unknown>,
][] = [
  ["voidcmd, 350", { SITE: `350 ${REPEATED}` }, (f) => f.voidcmd("SITE X")],
  [
    "voidcmd, lines",
    { SITE: `350-a\n${SECRET}\n350 b` },
    (f) => f.voidcmd("SITE X"),
  ],
  ["cwd, 331", { CWD: `331 ${REPEATED}` }, (f) => f.cwd("x")],
  ["delete, 202", { DELE: `202 ${SECRET}` }, (f) => f.delete("x")],
  ["rename, 250", { RNFR: `250 ${SECRET}` }, (f) => f.rename("a", "b")],
  ["pwd, no end", { PWD: `257 "${SECRET}` }, (f) => f.pwd()],
  [
    "mkd, control characters",
    { MKD: `257 "${SECRET}\x01"` },
    (f) => f.mkd("x"),
  ],
  ["makepasv, no numbers", {
    EPSV: `229 ${SECRET}`,
    PASV: `227 ${SECRET}`,
  }, (f) => f.makepasv()],
  ["voidresp, 1yz", { SITE: `150 ${SECRET}` }, async (f) => {
    await f.putcmd("SITE X");
    await f.voidresp();
  }],
  ["pipeline, 1yz", { SITE: `350 ${SECRET}` }, async (f) => {
    for await (const result of f.pipeline(["SITE X"])) {
      if (result instanceof FTPError) throw result;
      throw new FTPReplyError(`Got "${result.text}"`, { reply: result });
    }
  }],
];

for (const [name, script, call] of UNDUE) {
  Deno.test(`FTP shows no secret of a reply that is not due: ${name}`, async () => {
    await using server = await startScript(script);
    await using ftp = await server.connect();
    await ftp.login("bob", SECRET);
    const error = await assertRejects(() => call(ftp), FTPError);
    const shown = Deno.inspect(error, { depth: 9, showHidden: true });
    assert(!shown.includes(SECRET), shown);
    assert(!error.reply!.text.includes(SECRET));
    assert(error.message.includes("****"));
  });
}

Deno.test("FTP.sendcmd gives a 2yz or 3yz reply as it came", async () => {
  await using server = await startScript({ SITE: `250 ${SECRET}` });
  await using ftp = await server.connect();
  await ftp.login("bob", SECRET);
  assertEquals((await ftp.sendcmd("SITE X")).text, `250 ${SECRET}`);
});

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
