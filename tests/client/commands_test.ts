import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type FTP,
  type FTPError,
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

type Call = (ftp: FTP) => Promise<unknown>;

/** A call, the replies, its result and the commands sent. */
const RESULTS: [
  name: string,
  call: Call,
  script: Script,
  result: unknown,
  commands: string[],
][] = [
  ["cwd", (f) => f.cwd("/a b"), { CWD: "250 ok" }, "250 ok", ["CWD /a b"]],
  ["cwd of nothing", (f) => f.cwd(""), { CWD: "250 ok" }, "250 ok", ["CWD ."]],
  ["cwd up", (f) => f.cwd(".."), { CDUP: "200 ok" }, "200 ok", ["CDUP"]],
  [
    "cwd up where CDUP is unknown",
    (f) => f.cwd(".."),
    { CDUP: "500 What", CWD: "250 ok" },
    "250 ok",
    ["CDUP", "CWD .."],
  ],
  [
    "cwd up where CDUP is not implemented",
    (f) => f.cwd(".."),
    { CDUP: "502 No", CWD: "250 ok" },
    "250 ok",
    ["CDUP", "CWD .."],
  ],
  [
    "cwd of bytes",
    (f) => f.cwd(Uint8Array.of(0xE9)),
    { CWD: "250 ok" },
    "250 ok",
    ["CWD \xE9"],
  ],
  ["pwd", (f) => f.pwd(), { PWD: '257 "/a"" b" x' }, '/a" b', ["PWD"]],
  ["pwd without 257", (f) => f.pwd(), { PWD: "250 /a" }, "", ["PWD"]],
  ["pwd without quotes", (f) => f.pwd(), { PWD: "257 /a b" }, "/a", ["PWD"]],
  ["mkd", (f) => f.mkd("x"), { MKD: '257 "/x"' }, "/x", ["MKD x"]],
  ["mkd without 257", (f) => f.mkd("x"), { MKD: '250 "/x"' }, "", ["MKD x"]],
  ["mkd without quotes", (f) => f.mkd("x"), { MKD: "257 /x" }, "", ["MKD x"]],
  ["rmd", (f) => f.rmd("x"), { RMD: "250 ok" }, "250 ok", ["RMD x"]],
  ["rmd with 200", (f) => f.rmd("x"), { RMD: "200 ok" }, "200 ok", ["RMD x"]],
  ["delete", (f) => f.delete("x"), { DELE: "250 ok" }, "250 ok", ["DELE x"]],
  ["delete with 200", (f) => f.delete("x"), { DELE: "200 ok" }, "200 ok", [
    "DELE x",
  ]],
  [
    "rename",
    (f) => f.rename("a b", "c d"),
    { RNFR: "350 and", RNTO: "250 ok" },
    "250 ok",
    ["RNFR a b", "RNTO c d"],
  ],
  ["size", (f) => f.size("x"), { SIZE: "213 42" }, 42, ["SIZE x"]],
  [
    "size of 2^64 - 1",
    (f) => f.size("x"),
    { SIZE: `213 ${2n ** 64n - 1n}` },
    null,
    ["SIZE x"],
  ],
  ["size without 213", (f) => f.size("x"), { SIZE: "250 42" }, null, [
    "SIZE x",
  ]],
  ["size without a number", (f) => f.size("x"), { SIZE: "213 ?" }, null, [
    "SIZE x",
  ]],
  [
    "sendcmd",
    (f) => f.sendcmd("STAT"),
    { STAT: "211-a\n b\n211 c" },
    "211-a\n b\n211 c",
    ["STAT"],
  ],
  [
    "sendcmd with 3yz",
    (f) => f.sendcmd("RNFR x"),
    { RNFR: "350 and" },
    "350 and",
    ["RNFR x"],
  ],
  ["voidcmd", (f) => f.voidcmd("SITE x  y "), { SITE: "200 ok" }, "200 ok", [
    "SITE x  y ",
  ]],
  [
    "sendport",
    (f) => f.sendport("1.2.3.4", 5001),
    { PORT: "200 ok" },
    "200 ok",
    ["PORT 1,2,3,4,19,137"],
  ],
  ["sendeprt", (f) => f.sendeprt("::1", 5001), { EPRT: "200 ok" }, "200 ok", [
    "EPRT |2|::1|5001|",
  ]],
  ["quit", (f) => f.quit(), {}, "221 Goodbye", ["QUIT"]],
  // replies of servers instead of another 2yz
  ["cwd with 200", (f) => f.cwd("x"), { CWD: "200 ok" }, "200 ok", ["CWD x"]],
  [
    "rename with 200",
    (f) => f.rename("a", "b"),
    { RNFR: "350 and", RNTO: "200 ok" },
    "200 ok",
    ["RNFR a", "RNTO b"],
  ],
  [
    "voidcmd TYPE with 226",
    (f) => f.voidcmd("TYPE I"),
    { TYPE: "226 ok" },
    "226 ok",
    ["TYPE I"],
  ],
  [
    "login with 202",
    (f) => f.login(),
    { PASS: "202 No need" },
    "202 No need",
    ["USER anonymous", "PASS anonymous@"],
  ],
  // replies of several lines instead of one
  [
    "pwd on several lines",
    (f) => f.pwd(),
    { PWD: '257-"/a"\n 225 "/b"\n257 is it' },
    "/a",
    ["PWD"],
  ],
  [
    "size on several lines",
    (f) => f.size("x"),
    { SIZE: "213-The size of 7.txt\n is\n213 42" },
    42,
    ["SIZE x"],
  ],
  [
    "pwd of 17 KB",
    (f) => f.pwd(),
    { PWD: `257 "/${"d".repeat(17_000)}"` },
    `/${"d".repeat(17_000)}`,
    ["PWD"],
  ],
];

for (const [name, call, script, result, commands] of RESULTS) {
  Deno.test(`FTP.${name}`, async () => {
    await using server = await startScript(script);
    await using ftp = await server.connect();
    const given = await call(ftp);
    assertEquals(
      given !== null && typeof given === "object" ? String(given) : given,
      result,
    );
    assertEquals(server.commands, commands);
  });
}

/** A call, the replies, and its error. */
const REFUSALS: [
  name: string,
  call: Call,
  script: Script,
  Class: ErrorClass,
  message: string,
][] = [
  [
    "cwd",
    (f) => f.cwd("/x"),
    { CWD: "550 No such" },
    FTPPermanentError,
    'Cannot complete "CWD /x": 550 No such',
  ],
  [
    "cwd with 3yz",
    (f) => f.cwd("/x"),
    { CWD: "350 and" },
    FTPReplyError,
    "350 and",
  ],
  [
    "cwd up, refused",
    (f) => f.cwd(".."),
    { CDUP: "550 No" },
    FTPPermanentError,
    '"CDUP": 550 No',
  ],
  ["pwd", (f) => f.pwd(), { PWD: "530 Log in" }, FTPPermanentError, "530"],
  [
    "pwd with an open quote",
    (f) => f.pwd(),
    { PWD: '257 "/a' },
    FTPProtocolError,
    "closing quote",
  ],
  [
    "delete with 226",
    (f) => f.delete("x"),
    { DELE: "226 ok" },
    FTPReplyError,
    "expected code 250 or 200, got 226 ok",
  ],
  [
    "delete",
    (f) => f.delete("x"),
    { DELE: "450 Busy" },
    FTPTemporaryError,
    '"DELE x": 450 Busy',
  ],
  [
    "rename, from",
    (f) => f.rename("a", "b"),
    { RNFR: "550 No" },
    FTPPermanentError,
    '"RNFR a": 550 No',
  ],
  [
    "rename, from with 2yz",
    (f) => f.rename("a", "b"),
    { RNFR: "250 x" },
    FTPReplyError,
    "250 x",
  ],
  [
    "rename, from with an account wanted",
    (f) => f.rename("a", "b"),
    { RNFR: "332 Account", RNTO: "503 RNFR first" },
    FTPReplyError,
    '"RNFR": 332 Account',
  ],
  [
    "rename, to",
    (f) => f.rename("a", "b"),
    { RNFR: "350 x", RNTO: "553 No" },
    FTPPermanentError,
    '"RNTO b": 553 No',
  ],
  ["size", (f) => f.size("x"), { SIZE: "550 No" }, FTPPermanentError, "550"],
  [
    "sendcmd with 4yz",
    (f) => f.sendcmd("X"),
    { X: "451 No" },
    FTPTemporaryError,
    '"X": 451 No',
  ],
  [
    "voidcmd with 3yz",
    (f) => f.voidcmd("X"),
    { X: "350 and" },
    FTPReplyError,
    '"X": 350 and',
  ],
  [
    "voidcmd of many lines",
    (f) => f.voidcmd("X"),
    { X: "550-a\n b\n550 c" },
    FTPPermanentError,
    "550-a\n b\n550 c",
  ],
  [
    "makepasv with rubbish",
    (f) => f.makepasv(),
    { EPSV: "229 (|||x|)", PASV: "227 (1,2,3)" },
    FTPProtocolError,
    "data address",
  ],
];

for (const [name, call, script, Class, message] of REFUSALS) {
  Deno.test(`FTP.${name} throws, and the connection is usable`, async () => {
    await using server = await startScript({ SYST: "215 UNIX", ...script });
    await using ftp = await server.connect();
    const error = await assertRejects(() => call(ftp), Class, message);
    assert((error as FTPError).reply !== undefined);
    assert(ftp.connected);
    assertEquals((await ftp.sendcmd("SYST")).text, "215 UNIX");
  });
}

Deno.test("FTP.size asks again in type I where type A is refused", async () => {
  let type = "A";
  await using server = await startScript({
    TYPE: (turn) => {
      type = turn.argument;
      return turn.reply(200, "ok");
    },
    SIZE: (turn) =>
      type === "I"
        ? turn.reply(213, "7")
        : turn.reply(550, "SIZE not allowed in ASCII mode"),
  });
  await using ftp = await server.connect();
  assertEquals(await ftp.size("x"), 7);
  assertEquals(await ftp.size("y"), 7);
  assertEquals(server.commands, ["SIZE x", "TYPE I", "SIZE x", "SIZE y"]);
});

Deno.test("FTP.size asks again where another call sets type I meanwhile", async () => {
  let type = "A";
  await using server = await startScript({
    TYPE: (turn) => {
      type = turn.argument;
      return turn.reply(200, "ok");
    },
    SIZE: (turn) =>
      type === "I"
        ? turn.reply(213, "7")
        : turn.reply(550, "SIZE not allowed in ASCII mode"),
  });
  await using ftp = await server.connect();
  await ftp.voidcmd("TYPE A");
  const [size] = await Promise.all([ftp.size("x"), ftp.voidcmd("TYPE I")]);
  assertEquals(size, 7);
});

Deno.test("FTP.sendcmd keeps what has no characters as bytes", async () => {
  await using server = await startScript({
    CWD: "250 ok",
    PWD: (turn) =>
      turn.raw(Uint8Array.from([
        ...new TextEncoder().encode('257 "/caf'),
        0xE9,
        ...new TextEncoder().encode('"\r\n'),
      ])),
  });
  await using ftp = await server.connect();
  const directory = await ftp.pwd();
  assertEquals(directory, "/caf\uDCE9");
  await ftp.cwd(directory);
  assertEquals(server.commands.at(-1), "CWD /caf\xE9");
});

Deno.test("FTP.nlst gives names that open the very file, whichever of several bytes a character has", async () => {
  // one name twice: as IBM's extensions have it, and as NEC's selection has it
  const names = ["\xFB\xFC\x8B\xB4.txt", "\xEE\xE0\x8B\xB4.txt"];
  await using server = await startScript({
    NLST: (turn) =>
      turn.send(
        Uint8Array.from(
          names.join("\r\n") + "\r\n",
          (char) => char.charCodeAt(0),
        ),
      ),
    DELE: "250 Gone",
  });
  await using ftp = await server.connect({ encoding: "shift_jis" });
  const listed = await ftp.nlst();
  assertEquals(listed[0], "髙橋.txt");
  for (const name of listed) await ftp.delete(name);
  assertEquals(server.commands.slice(-2), names.map((name) => `DELE ${name}`));
});

Deno.test("FTP speaks the session's encoding", async () => {
  await using server = await startScript({
    CWD: "250 ok",
    PWD: (turn) =>
      turn.raw(Uint8Array.from(
        [...'257 "/\xCF\xF0"\r\n'].map((char) => char.charCodeAt(0)),
      )),
  });
  await using ftp = await server.connect({ encoding: "windows-1251" });
  assertEquals(ftp.encoding, "windows-1251");
  assertEquals(await ftp.pwd(), "/Пр");
  await ftp.cwd("/Пр");
  assertEquals(server.commands.at(-1), "CWD /\xCF\xF0");
  await assertRejects(() => ftp.cwd("/日"), TypeError, '"dirname"');
  assertEquals(await ftp.pwd(), "/Пр");
});

Deno.test("FTP takes Telnet out of replies and doubles it in commands", async () => {
  const bytes = (text: string) =>
    Uint8Array.from([...text].map((char) => char.charCodeAt(0)));
  await using server = await startScript({
    connect: (turn) =>
      turn.raw(bytes("\xFF\xFB\x01220 Pro\xFF\xFD\x06FTPD\r\n")),
    CWD: (turn) => turn.raw(bytes('25\xFF\xFB\x010 "\xFF\xFF"\r\n')),
  });
  await using ftp = await server.connect({ encoding: "latin-1" });
  assertEquals(ftp.getwelcome().text, "220 ProFTPD");
  assertEquals((await ftp.cwd("/ÿ")).text, '250 "ÿ"');
  assertEquals(server.commands, ["CWD /\xFF\xFF"]);
});

Deno.test("FTP.rename succeeds where RNFR is answered with 2yz and RNTO is obeyed", async () => {
  for (const answer of ["250 The file exists", "226 OK", "200 Go on"]) {
    await using server = await startScript({
      RNFR: answer,
      RNTO: "226 Renamed",
    });
    await using ftp = await server.connect();
    assertEquals((await ftp.rename("a", "b")).text, "226 Renamed");
    assertEquals(server.commands.slice(-2), ["RNFR a", "RNTO b"]);
  }
});
