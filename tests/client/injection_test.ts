import { assert, assertEquals, assertRejects } from "@std/assert";
import type { FTP } from "../../mod.ts";
import { startScript } from "../testing/client_script.ts";

/** Every argument with text of the caller, and its name in the message. */
const WAYS: [
  name: string,
  argument: string,
  call: (ftp: FTP, text: string) => Promise<unknown>,
][] = [
  ["sendcmd", "cmd", (f, t) => f.sendcmd(`CWD ${t}`)],
  ["sendcmd, verb", "cmd", (f, t) => f.sendcmd(t)],
  ["voidcmd", "cmd", (f, t) => f.voidcmd(`CWD ${t}`)],
  ["putcmd", "cmd", (f, t) => f.putcmd(`CWD ${t}`)],
  ["pipeline", "cmd", (f, t) => Array.fromAsync(f.pipeline([`CWD ${t}`]))],
  ["login, user", "user", (f, t) => f.login(t, "p")],
  ["login, passwd", "passwd", (f, t) => f.login("u", t)],
  ["login, acct", "acct", (f, t) => f.login("needs account", "p", t)],
  ["acct", "password", (f, t) => f.acct(t)],
  ["cwd", "dirname", (f, t) => f.cwd(t)],
  ["cwd of bytes", "dirname", (f, t) => f.cwd(new TextEncoder().encode(t))],
  ["mkd", "dirname", (f, t) => f.mkd(t)],
  ["rmd", "dirname", (f, t) => f.rmd(t)],
  ["delete", "filename", (f, t) => f.delete(t)],
  ["size", "filename", (f, t) => f.size(t)],
  ["rename, from", "fromname", (f, t) => f.rename(t, "x")],
  ["rename, to", "toname", (f, t) => f.rename("x", t)],
  ["ntransfercmd", "cmd", (f, t) => f.ntransfercmd(`RETR ${t}`)],
  ["ntransfercmd, rest", "rest", (f, t) => f.ntransfercmd("RETR x", t)],
  ["retrbinary", "cmd", (f, t) => f.retrbinary(`RETR ${t}`, () => {})],
  [
    "retrbinary, rest",
    "rest",
    (f, t) => f.retrbinary("RETR x", () => {}, { rest: t }),
  ],
  ["retrlines", "cmd", (f, t) => f.retrlines(`RETR ${t}`, () => {})],
  ["storbinary", "cmd", (f, t) => f.storbinary(`STOR ${t}`, [])],
  ["storlines", "cmd", (f, t) => f.storlines(`STOR ${t}`, [])],
  ["nlst", "cmd", (f, t) => f.nlst(t)],
  ["dir", "cmd", (f, t) => f.dir(t, () => {})],
  ["mlsd, path", "path", (f, t) => Array.fromAsync(f.mlsd(t))],
  ["mlsd, facts", "facts", (f, t) => Array.fromAsync(f.mlsd("", [t]))],
  ["sendport", "host", (f, t) => f.sendport(t, 1)],
  ["sendeprt", "host", (f, t) => f.sendeprt(t, 1)],
];

for (const [name, argument, call] of WAYS) {
  Deno.test(`FTP.${name} refuses CR, LF and NUL, and is usable`, async () => {
    await using server = await startScript({
      USER: (turn) =>
        turn.argument === "needs account"
          ? turn.reply(332, "Account")
          : turn.reply(331, "Password"),
      RNFR: "350 and",
      REST: "350 ok",
      PORT: "200 ok",
      PWD: '257 "/own"',
    });
    await using ftp = await server.connect();
    for (const end of ["\r", "\n", "\0", "\r\n"]) {
      const error = await assertRejects(
        () => call(ftp, `hunter2${end}DELE y`),
        TypeError,
      ) as TypeError;
      assert(error.message.includes(`"${argument}"`), error.message);
      assert(!error.message.includes("hunter2"), error.message);
      assert(!/[\r\n\0]/.test(error.message), error.message);
    }
    assertEquals(await ftp.pwd(), "/own");
    assert(!server.verbs.includes("DELE"));
    assert(!server.commands.join().includes("hunter2"));
  });
}
