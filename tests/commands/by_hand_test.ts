import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  connect,
  FTP,
  FTPError,
  FTPPermanentError,
  FTPReplyError,
} from "../../mod.ts";
import { memoryServer } from "../testing/memory_server.ts";
import { logIn, text } from "../real/client.ts";
import { findFile } from "../testing/servers/programs.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { startScript } from "../testing/client_script.ts";

const BYTES = new TextEncoder().encode("hello");

Deno.test("FTP.system gives the words of SYST", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  assertEquals(await ftp.system(), "UNIX Type: L8");
  server.on("SYST", "502 No");
  await assertRejects(() => ftp.system(), FTPPermanentError, "502 No");
});

Deno.test("FTP.status sends STAT, of the session and of a path", async () => {
  await using server = await memoryServer();
  server.on("STAT", "213-Status\n -rw-r--r-- 1 u g 5 Jan 1 2020 f\n213 End");
  await using ftp = await server.client();
  assertEquals((await ftp.status()).code, 213);
  const { lines } = await ftp.status("a b");
  assertEquals(lines[1], " -rw-r--r-- 1 u g 5 Jan 1 2020 f");
  assertEquals(server.commands.slice(-2), ["STAT", "STAT a b"]);
});

Deno.test("FTP.site sends what the user wrote", async () => {
  await using server = await memoryServer();
  server.on("SITE", "200 Done");
  await using ftp = await server.client();
  assertEquals((await ftp.site("UMASK 027")).code, 200);
  assertEquals(server.commands.at(-1), "SITE UMASK 027");
  await assertRejects(() => ftp.site("X\r\nDELE f"), TypeError);
  // it holds on the next connection too
  await ftp.reconnect();
  assertEquals(server.commands.at(-1), "SITE UMASK 027");
});

Deno.test("FTP.copy sends SITE CPFR and SITE CPTO", async () => {
  await using server = await memoryServer();
  server.on(
    "SITE",
    (turn) =>
      turn.argument.startsWith("CPFR")
        ? turn.reply(350, "Go on")
        : turn.reply(250, "Copied"),
  );
  await using ftp = await server.client();
  assertEquals((await ftp.copy("a b", "c")).code, 250);
  assertEquals(server.commands.slice(-2), ["SITE CPFR a b", "SITE CPTO c"]);
  server.on("SITE", "200 What");
  await assertRejects(
    () => ftp.copy("a", "b"),
    FTPReplyError,
    "expected code 350",
  );
  assertEquals(server.commands.at(-1), "SITE CPFR a");
  server.on("SITE", "500 No");
  await assertRejects(() => ftp.copy("a", "b"), FTPPermanentError, "500 No");
});

/** Replies of servers that contain the name. */
const UNIQUE: [opened: string, final: string, name: string | undefined][] = [
  ["150 FILE: ftp.1", "226 Done", "ftp.1"],
  ["125 FILE:ftp.1", "226 Done", "ftp.1"],
  ['150 FILE: "a b"', "226 Done", "a b"],
  ["150 Go", "226 Transfer complete (unique file name:foo.1).", "foo.1"],
  ["150 Go", "250 FILE: x.2", "x.2"],
  ["150 Go", "226 Done", undefined],
  ["150 FILE:", "226 Done", undefined],
];

for (const [opened, final, name] of UNIQUE) {
  Deno.test(`FTP.storeUnique reads ${name} in "${opened}" and "${final}"`, async () => {
    await using server = await memoryServer();
    server.on("STOU", async (turn) => {
      await turn.raw(`${opened}\r\n`);
      const data = await turn.openData();
      await data.readAll();
      data.close();
      await turn.raw(`${final}\r\n`);
    });
    await using ftp = await server.client();
    assertEquals(await ftp.storeUnique(BYTES), name);
    assertEquals(server.commands.at(-1), "STOU");
  });
}

serverTest(
  "FTP.storeUnique gives the name under which the file is",
  async (server) => {
    await using ftp = await logIn(server);
    const name = await ftp.storeUnique(BYTES);
    const path = `${server.root}/${name}`;
    assertEquals(text(await Deno.readFile(path)), "hello");
  },
);

serverTest(
  "FTP.copy copies by ProFTPD's mod_copy",
  async (server) => {
    await server.write("a b", "hello");
    await using ftp = await logIn(server);
    await ftp.copy("a b", "c");
    assertEquals(text(await Deno.readFile(`${server.root}/c`)), "hello");
  },
  {
    servers: ["proftpd"],
    ignore: findFile("usr/lib/proftpd/mod_copy.so") === undefined,
    extra: ["LoadModule mod_copy.c"],
  },
);

serverTest("FTP.system and FTP.status ask real servers", async (server) => {
  await server.write("d/inside", "x");
  await using ftp = await logIn(server);
  assertEquals((await ftp.system()).startsWith("UNIX"), true);
  const reply = await ftp.status("d");
  assertEquals(reply.text.includes("inside"), true, reply.text);
});

Deno.test("FTP.allocate sends ALLO, and takes 202", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  assertEquals((await ftp.allocate(1024)).code, 202);
  assertEquals(server.commands.at(-1), "ALLO 1024");
  server.on("ALLO", "552 No room");
  await assertRejects(() => ftp.allocate(1e12), FTPPermanentError, "552");
  for (const size of [-1, 1.5, NaN, 2 ** 60]) {
    await assertRejects(() => ftp.allocate(size), RangeError, "allocate");
  }
});

Deno.test("FTP.setLanguage sends LANG, and every connection has it", async () => {
  await using server = await memoryServer();
  server.on("LANG", "200 Bien");
  await using ftp = await server.client();
  await ftp.setLanguage("fr");
  await using clone = await ftp.clone();
  assertEquals(server.commands.filter((line) => line === "LANG fr").length, 2);
  await clone.setLanguage("");
  assertEquals(server.commands.at(-1), "LANG");
});

Deno.test("connect names the virtual host before the login, on every connection", async () => {
  await using server = await startScript({ HOST: "220 Welcome" });
  const url = `ftp://u:p@${server.host}:${server.port}`;
  await using ftp = await connect(url, { virtualHost: "ftp.example.org" });
  const once = ["HOST ftp.example.org", "USER u", "PASS p"];
  assertEquals(server.commands, once);
  await using _clone = await ftp.clone();
  await ftp.reconnect();
  assertEquals(server.commands, [...once, ...once, ...once]);
  server.on("HOST", "504 Unknown");
  await assertRejects(
    () => connect(url, { virtualHost: "x.example.org" }),
    FTPPermanentError,
    "504 Unknown",
  );
});

Deno.test("FTP sends HOST before AUTH", async () => {
  await using server = await startScript({ HOST: "220 Yes", AUTH: "534 No" });
  await using ftp = await server.connect({
    tls: "explicit",
    virtualHost: "ftp.example.org",
  });
  await assertRejects(() => ftp.login(), FTPPermanentError, "534");
  assertEquals(server.verbs, ["HOST", "AUTH"]);
  assertThrows(
    // deno-lint-ignore no-explicit-any
    () => new FTP({ virtualHost: 1 as any }),
    TypeError,
    "virtualHost",
  );
});

/** Changes, and the command that completes each. */
const CHANGES: [
  verb: string,
  name: string,
  run: (ftp: FTP) => Promise<unknown>,
][] = [
  ["SITE", "chmod", (ftp) => ftp.chmod("/f", 0o644)],
  ["SITE", "copy", (ftp) => ftp.copy("/f", "/x")],
  ["SITE", "copy", (ftp) => ftp.copy("/f", new Uint8Array([0x2f, 0xff]))],
  ["RNTO", "rename", (ftp) => ftp.rename("/f", "/x")],
  ["DELE", "remove", (ftp) => ftp.remove("/f")],
  ["RMD", "remove", (ftp) => ftp.remove("/d", { recursive: true })],
  ["RMD", "rmd", (ftp) => ftp.rmd("/d")],
  ["MKD", "mkd", (ftp) => ftp.mkd("/n")],
  ["MKD", "ensureDir", (ftp) => ftp.ensureDir("/n")],
  ["MFMT", "setMtime", (ftp) => ftp.setMtime("/f", new Date(0))],
  ["CWD", "cwd", (ftp) => ftp.cwd("/d")],
  ["SYST", "system", (ftp) => ftp.system()],
];

for (const [verb, name, run] of CHANGES) {
  Deno.test(`FTP.${name} takes 202 to ${verb} for a command that was not executed`, async () => {
    await using server = await memoryServer({ "/f": "hello", "/d/g": "x" });
    server.on(verb, async (turn) => {
      if (turn.argument.startsWith("CPFR")) await turn.reply(350, "Go on");
      else await turn.reply(202, "Superfluous");
    });
    await using ftp = await server.client();
    await assertRejects(() => run(ftp), FTPError, "202 Superfluous");
    assertEquals((await ftp.voidcmd(`${verb} CHMOD x`)).code, 202);
    await ftp.reconnect();
    assertEquals(await ftp.pwd(), "/");
  });
}

Deno.test("FTP.copy continues after 350 only", async () => {
  for (const reply of ["332 Account", "331 Password", "200 Done"]) {
    await using server = await memoryServer({ "/f": "hello" });
    server.on("SITE", reply);
    await using ftp = await server.client();
    await assertRejects(() => ftp.copy("/f", "/x"), FTPReplyError, reply);
    assertEquals(server.verbs.filter((verb) => verb === "SITE").length, 1);
  }
});

Deno.test("FTP.allocate shows values of other types in its error", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  for (
    const size of [Symbol("s"), "1\r\nDELE f", "9".repeat(10_000), {}, null]
  ) {
    const error = await assertRejects(
      () => ftp.allocate(size as number),
      RangeError,
    );
    assert(!/[\r\n]/.test(error.message), error.message);
    assert(error.message.length < 1000);
  }
  assert(!server.verbs.includes("ALLO"));
});
