import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTPError, FTPPermanentError, FTPReplyError } from "../../mod.ts";
import { type Script, startScript } from "../testing/client_script.ts";

/**
 * Replies that accept a login, and the commands sent; the last reply is "...
 * in".
 */
const PATHS: [name: string, script: Script, commands: string[]][] = [
  ["331, 230", { USER: "331 x", PASS: "230 in" }, ["USER u", "PASS p"]],
  ["331, 202", { USER: "331 x", PASS: "202 in" }, ["USER u", "PASS p"]],
  ["230 to USER", { USER: "230 in" }, ["USER u"]],
  ["202 to USER", { USER: "202 in" }, ["USER u"]],
  ["232 to USER", { USER: "232 in" }, ["USER u"]],
  [
    "331, 332, 230",
    { USER: "331 x", PASS: "332 x", ACCT: "230 in" },
    ["USER u", "PASS p", "ACCT a"],
  ],
  [
    "332 to USER",
    { USER: "332 x", ACCT: "230 in" },
    ["USER u", "ACCT a"],
  ],
];

for (const [name, script, commands] of PATHS) {
  Deno.test(`FTP.login goes the way of ${name}`, async () => {
    await using server = await startScript(script);
    await using ftp = await server.connect();
    const reply = await ftp.login("u", "p", "a");
    assertEquals(reply.text.slice(4), "in");
    assertEquals(server.commands, commands);
    assertEquals(await ftp.pwd(), "/");
  });
}

Deno.test("FTP.login sends nothing where the greeting was 230", async () => {
  await using server = await startScript({ connect: "230 You are in" });
  await using ftp = await server.connect();
  assertEquals((await ftp.login("u", "p")).text, "230 You are in");
  assertEquals(server.commands, []);
});

/** Arguments of login, and the commands. */
const CREDENTIALS: [given: [string?, string?, string?], commands: string[]][] =
  [
    [[], ["USER anonymous", "PASS anonymous@"]],
    [["anonymous"], ["USER anonymous", "PASS anonymous@"]],
    [["", ""], ["USER anonymous", "PASS anonymous@"]],
    [["anonymous", "-"], ["USER anonymous", "PASS -anonymous@"]],
    [["anonymous", "me@x"], ["USER anonymous", "PASS me@x"]],
    [["u"], ["USER u", "PASS "]],
    [["u", "-"], ["USER u", "PASS -"]],
    [["ü", " p w "], ["USER Ã¼", "PASS  p w "]],
  ];

for (const [given, commands] of CREDENTIALS) {
  Deno.test(`FTP.login sends ${JSON.stringify(commands)}`, async () => {
    await using server = await startScript();
    await using ftp = await server.connect();
    await ftp.login(...given);
    assertEquals(server.commands, commands);
  });
}

/** Replies that refuse a login. */
const REFUSALS: [name: string, script: Script, message: string][] = [
  ["530 to USER", { USER: "530 No" }, '"USER u": 530 No'],
  ["530 to PASS", { PASS: "530 Login incorrect" }, "530 Login incorrect"],
  [
    "530 to ACCT",
    { PASS: "332 x", ACCT: "530 No" },
    '"ACCT ****": 530 No',
  ],
  ["331 to PASS", { PASS: "331 Again", ACCT: "331 Again" }, "331 Again"],
];

for (const [name, script, message] of REFUSALS) {
  Deno.test(`FTP.login throws for ${name} and stays connected`, async () => {
    await using server = await startScript(script);
    await using ftp = await server.connect();
    const error = await assertRejects(
      () => ftp.login("u", "hunter2", "hunter3"),
      FTPError,
      message,
    ) as FTPError;
    assert(!`${error.stack} ${error.command}`.includes("hunter"));
    assert(ftp.connected);
    assertEquals(await ftp.pwd(), "/");
  });
}

Deno.test("FTP.login throws an FTPPermanentError with reply and masked command", async () => {
  await using server = await startScript({ PASS: "530 Login incorrect" });
  await using ftp = await server.connect();
  const error = await assertRejects(
    () => ftp.login("u", "hunter2"),
    FTPPermanentError,
    'Cannot complete "PASS ****": 530 Login incorrect',
  ) as FTPPermanentError;
  assertEquals(error.reply?.code, 530);
  assertEquals(error.command, "PASS ****");
  assertEquals(error.name, "FTPPermanentError");
});

Deno.test("FTP.login sends its commands without others in between", async () => {
  await using server = await startScript();
  await using ftp = await server.connect();
  await Promise.all([ftp.login("u", "p"), ftp.voidcmd("NOOP"), ftp.pwd()]);
  assertEquals(server.commands, ["USER u", "PASS p", "NOOP", "PWD"]);
});

Deno.test("FTP.login can be aborted and done again", async () => {
  const gate = Promise.withResolvers<void>();
  await using server = await startScript({
    PASS: async (turn) => {
      if (turn.argument !== "slow") return await turn.reply(230, "in");
      await gate.promise;
      await turn.reply(530, "Too late");
    },
  });
  await using ftp = await server.connect();
  const controller = new AbortController();
  const login = ftp.login("u", "slow", "", controller);
  setTimeout(() => {
    controller.abort(new Error("enough"));
    gate.resolve();
  }, 20);
  await assertRejects(() => login, Error, "enough");
  assertEquals((await ftp.login("u", "p")).text, "230 in");
});

for (const verb of ["USER", "PASS"]) {
  Deno.test(`FTP.login says that an account is asked for (332 to ${verb}), and sends no empty ACCT`, async () => {
    await using server = await startScript({ [verb]: "332 Need account" });
    await using ftp = await server.connect();
    const error = await assertRejects(
      () => ftp.login("u", "hunter2"),
      FTPReplyError,
      'Cannot log in: the server asks for an account, "332 Need account", and none was given',
    );
    assertEquals(error.reply?.code, 332);
    assertEquals(error.command, verb);
    assertEquals(server.verbs.includes("ACCT"), false);
    assertEquals(ftp.connected, true);
    // with one, on the same connection
    server.on("ACCT", "230 in");
    assertEquals((await ftp.login("u", "hunter2", "a")).code, 230);
  });
}

Deno.test("FTP.login sends no ACCT where the server asks for the password again", async () => {
  await using server = await startScript({ PASS: "331 Again" });
  await using ftp = await server.connect();
  await assertRejects(() => ftp.login("u", "p", "a"), FTPReplyError, "331");
  assertEquals(server.verbs.includes("ACCT"), false);
});

Deno.test("FTP.acct sends ACCT and wants 2yz", async () => {
  await using server = await startScript({
    ACCT: (turn) =>
      turn.argument === "good"
        ? turn.reply(230, "in")
        : turn.reply(332, "Again"),
  });
  await using ftp = await server.connect();
  assertEquals((await ftp.acct("good")).code, 230);
  await assertRejects(() => ftp.acct("bad"), FTPReplyError, '"ACCT ****"');
});

Deno.test("FTP.login makes other calls wait, which can be aborted", async () => {
  const gate = Promise.withResolvers<void>();
  await using server = await startScript({
    USER: async (turn) => {
      await gate.promise;
      await turn.reply(230, "in");
    },
  });
  await using ftp = await server.connect();
  const login = ftp.login("u", "p");
  await assertRejects(
    () => ftp.pwd({ signal: AbortSignal.timeout(20) }),
    DOMException,
  );
  gate.resolve();
  assertEquals((await login).code, 230);
  assertEquals(await ftp.pwd(), "/");
  assertEquals(server.commands, ["USER u", "PWD"]);
});
