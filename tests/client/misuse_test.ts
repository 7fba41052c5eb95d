import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DEAD_PORT } from "../testing/dead_port.ts";
import { connect, FTP, ftpcp, FTPPermanentError } from "../../mod.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";
import { startScript } from "../testing/client_script.ts";

/** Calls that the types would reject, and the argument that the error names. */
const CALLS: [
  call: string,
  run: (ftp: FTP, value: never) => Promise<unknown>,
  name: string,
][] = [
  ["cwd", (f, v) => f.cwd(v), "dirname"],
  ["mkd", (f, v) => f.mkd(v), "dirname"],
  ["rmd", (f, v) => f.rmd(v), "dirname"],
  ["delete", (f, v) => f.delete(v), "filename"],
  ["size", (f, v) => f.size(v), "filename"],
  ["rename", (f, v) => f.rename("a", v), "toname"],
  ["sendcmd", (f, v) => f.sendcmd(v), "cmd"],
  ["putcmd", (f, v) => f.putcmd(v), "cmd"],
  ["retrbinary", (f, v) => f.retrbinary(v, () => {}), "cmd"],
  ["retrieve", (f, v) => f.retrieve(v), "path"],
  ["store", (f, v) => f.store(v, new Uint8Array()), "path"],
  ["stat", (f, v) => f.stat(v), "path"],
  ["exists", (f, v) => f.exists(v), "path"],
  ["mtime", (f, v) => f.mtime(v), "path"],
  ["ensureDir", (f, v) => f.ensureDir(v), "path"],
  ["remove", (f, v) => f.remove(v), "path"],
  ["download", (f, v) => f.download(v, "/nowhere/at/all"), "path"],
  ["upload", (f, v) => f.upload(new Uint8Array(), v), "path"],
  ["list", (f, v) => Array.fromAsync(f.list(v ?? null!)), "path"],
];

for (const [call, run, name] of CALLS) {
  Deno.test(`FTP.${call} names the argument that is no text, and sends nothing of it`, async () => {
    await using server = await startScript({ RNFR: "350 and" });
    await using ftp = await server.connect();
    for (const value of [undefined, null, 5, {}]) {
      const error = await assertRejects(
        async () => await run(ftp, value as never),
        TypeError,
      );
      assertStringIncludes(error.message, `"${name}"`);
    }
    const others = server.verbs.filter((verb) =>
      !["EPSV", "TYPE", "RNFR"].includes(verb)
    );
    assertEquals(others, []);
  });
}

Deno.test("connect says what a host is, and never shows what may hold a password", async () => {
  for (
    const host of [
      "user:secret@host",
      "host/path",
      "a host",
      "u:secret@h:21",
      "user:secret",
      "ftp:user:secret",
      "ftp:/user:secret@host",
      "user:secret:21",
      "[user:secret]",
      "a:b:secret",
      "secret\x1B[2J",
    ]
  ) {
    const error = await assertRejects(() => connect(host), TypeError);
    assertStringIncludes(error.message, "such as ftp://user@host/path");
    assertEquals(error.message.includes("secret"), false);
  }
});

Deno.test("FTP.connect says where the port belongs", async () => {
  for (const host of ["host:2121", "[::1]:2121", "127.0.0.1:"]) {
    await using ftp = new FTP();
    await assertRejects(
      () => ftp.connect(host),
      TypeError,
      "Cannot connect: the host has a port, which is an argument of its own",
    );
  }
});

Deno.test("connect goes to the port in the host before that of the options", async () => {
  await using server = await ScriptedServer.start({});
  await using ftp = await connect(`${server.host}:${server.port}`, { port: 1 });
  assertEquals(ftp.port, server.port);
});

Deno.test("connect says what to try where the server has no such TLS", async () => {
  for (const code of [500, 502, 504, 530, 534]) {
    await using server = await startScript({ AUTH: `${code} Please login` });
    const { host, port } = server;
    const error = await assertRejects(
      () => connect(host, { port, tls: "explicit" }),
      FTPPermanentError,
      `"AUTH TLS": ${code} Please login; the server offers no explicit TLS on this port`,
    );
    assertEquals(error.reply?.code, code);
  }
  await assertRejects(
    () => connect(`ftps://127.0.0.1:${DEAD_PORT}`),
    Deno.errors.ConnectionRefused,
    'most servers have explicit TLS, on port 21 (tls: "explicit", or a URL of the scheme ftpes:)',
  );
});

Deno.test("ftpcp says that a client is of another copy of the module", async () => {
  await using server = await startScript();
  await using ftp = await server.connect();
  await assertRejects(
    () => ftpcp(ftp, "a", {} as FTP, "b"),
    TypeError,
    "import FTP and ftpcp from the same URL",
  );
});

Deno.test("FTP.remove says what the server has against it, as a file and as a directory", async () => {
  await using server = await startScript({
    DELE: "550 Delete operation failed.",
    RMD: "550 Remove directory operation failed.",
  });
  await using ftp = await server.connect();
  const error = await assertRejects(
    () => ftp.remove("x"),
    FTPPermanentError,
    'Cannot remove "x": as a file, "550 Delete operation failed."; as a directory, "550 Remove directory operation failed."',
  );
  assertEquals(error.reply?.code, 550);
});
