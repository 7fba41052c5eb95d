/** Invalid arguments are rejected before anything is sent. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect, FTP, ftpcp, type FTPOptions } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";

/** An argument that contains a second command. */
const B = "a\r\nNOOP";

/** Passes a value that the types would reject. */
const any = (x: unknown): never => x as never;

/** Calls with an invalid argument; `tmp` is a local folder. */
const CALLS: [name: string, call: (f: FTP, tmp: string) => unknown][] = [
  ["sendcmd", (f) => f.sendcmd(B)],
  ["voidcmd", (f) => f.voidcmd(B)],
  ["putcmd", (f) => f.putcmd(B)],
  ["sendcmd undefined", (f) => f.sendcmd(any(undefined))],
  ["sendcmd empty", (f) => f.sendcmd("")],
  ["sendcmd signal", (f) => f.sendcmd("NOOP", { signal: any({}) })],
  ["acct", (f) => f.acct(B)],
  ["acct undefined", (f) => f.acct(any(undefined))],
  ["acct empty", (f) => f.acct("")],
  ["pipeline of one command", (f) => f.pipeline("NOOP").next()],
  ["walk match null", (f) => f.walk("", { match: any(null) }).next()],
  ["walk match num", (f) => f.walk("", { match: any(5) }).next()],
  ["walk skip object", (f) => f.walk("", { skip: any({}) }).next()],
  ["walk skip nums", (f) => f.walk("", { skip: any([5]) }).next()],
  ["login user", (f) => f.login(B)],
  ["login pass", (f) => f.login("u", B)],
  ["login acct", (f) => f.login("u", "p", B)],
  ["login pass num", (f) => f.login("u", any(5))],
  ["login user null", (f) => f.login(any(null))],
  ["login signal", (f) => f.login("u", "p", "", { signal: any("x") })],
  ["cwd", (f) => f.cwd(B)],
  ["cwd undefined", (f) => f.cwd(any(undefined))],
  ["mkd", (f) => f.mkd(B)],
  ["rmd", (f) => f.rmd(B)],
  ["delete", (f) => f.delete(B)],
  ["size", (f) => f.size(B)],
  ["size undefined", (f) => f.size(any(undefined))],
  ["rename1", (f) => f.rename(B, "x")],
  ["rename2", (f) => f.rename("a", B)],
  ["rename undefined", (f) => f.rename("a", any(undefined))],
  ["retrbinary", (f) => f.retrbinary("RETR " + B, () => {})],
  ["retrbinary nocb", (f) => f.retrbinary("RETR a", any(undefined))],
  ["retrbinary cbnum", (f) => f.retrbinary("RETR a", any(5))],
  [
    "retrbinary blocksize NaN",
    (f) => f.retrbinary("RETR a", () => {}, { blocksize: NaN }),
  ],
  [
    "retrbinary blocksize 1.5",
    (f) => f.retrbinary("RETR a", () => {}, { blocksize: 1.5 }),
  ],
  [
    "retrbinary rest NaN",
    (f) => f.retrbinary("RETR a", () => {}, { rest: NaN }),
  ],
  [
    "retrbinary rest obj",
    (f) => f.retrbinary("RETR a", () => {}, { rest: any({}) }),
  ],
  [
    "retrbinary rest empty",
    (f) => f.retrbinary("RETR a", () => {}, { rest: "" }),
  ],
  [
    "retrbinary rest crlf",
    (f) => f.retrbinary("RETR a", () => {}, { rest: B }),
  ],
  [
    "retrbinary signal",
    (f) => f.retrbinary("RETR a", () => {}, { signal: any({}) }),
  ],
  [
    "retrbinary unknown",
    (f) => f.retrbinary("RETR a", () => {}, any({ blocksizes: 5 })),
  ],
  ["retrlines", (f) => f.retrlines("RETR " + B, () => {})],
  ["retrlines cb", (f) => f.retrlines("RETR a", any(5))],
  ["storbinary", (f) => f.storbinary("STOR " + B, new Uint8Array(3))],
  ["storbinary src", (f) => f.storbinary("STOR a", any(5))],
  [
    "storbinary src undefined",
    (f) => f.storbinary("STOR a", any(undefined)),
  ],
  [
    "storbinary cb",
    (f) => f.storbinary("STOR a", new Uint8Array(3), { callback: any(5) }),
  ],
  [
    "storbinary rest",
    (f) => f.storbinary("STOR a", new Uint8Array(3), { rest: -1 }),
  ],
  ["storlines", (f) => f.storlines("STOR " + B, new Uint8Array(3))],
  ["storlines src", (f) => f.storlines("STOR a", any({}))],
  [
    "storlines cb",
    (f) => f.storlines("STOR a", new Uint8Array(3), any(5)),
  ],
  ["ntransfercmd", (f) => f.ntransfercmd("RETR " + B)],
  ["ntransfercmd rest", (f) => f.ntransfercmd("RETR a", B)],
  ["ntransfercmd rest -1", (f) => f.ntransfercmd("RETR a", -1)],
  ["nlst", (f) => f.nlst(B)],
  ["nlst num", (f) => f.nlst(any(5))],
  ["nlst signal", (f) => f.nlst("", { signal: any({}) })],
  ["dir", (f) => f.dir(B, () => {})],
  ["mlsd", (f) => Array.fromAsync(f.mlsd(B))],
  ["mlsd facts", (f) => Array.fromAsync(f.mlsd(B, ["size"]))],
  ["mlsd facts bad", (f) => Array.fromAsync(f.mlsd("", [B]))],
  ["mlsd facts str", (f) => Array.fromAsync(f.mlsd("", any("size")))],
  ["mlsd facts ;", (f) => Array.fromAsync(f.mlsd("", ["a;b"]))],
  ["mlsd path num", (f) => Array.fromAsync(f.mlsd(any(5)))],
  ["sendport", (f) => f.sendport("x", 5)],
  ["sendport 0", (f) => f.sendport("1.2.3.4", 0)],
  ["sendeprt", (f) => f.sendeprt("::1\r\n", 5)],
  ["retrieve", (f) => f.retrieve(B)],
  ["retrieve undefined", (f) => f.retrieve(any(undefined))],
  ["retrieve offset", (f) => f.retrieve("a", { offset: NaN })],
  ["retrieve signal", (f) => f.retrieve("a", { signal: any({}) })],
  ["retrieve unknown", (f) => f.retrieve("a", any({ ofset: 5 }))],
  ["store", (f) => f.store(B, new Uint8Array(3))],
  ["store src", (f) => f.store("a", any(5))],
  [
    "store offset",
    (f) => f.store("a", new Uint8Array(3), { offset: 1.5 }),
  ],
  [
    "store path undefined",
    (f) => f.store(any(undefined), new Uint8Array(3)),
  ],
  [
    "store append",
    (f) => f.store("a", new Uint8Array(3), { append: any("no") }),
  ],
  [
    "store signal",
    (f) => f.store("a", new Uint8Array(3), { signal: any({}) }),
  ],
  ["download", (f, tmp) => f.download(B, `${tmp}/x`)],
  ["download local", (f) => f.download("/a", any(undefined))],
  ["download local num", (f) => f.download("/a", any(5))],
  ["download local NUL", (f, tmp) => f.download("/a", tmp + "/x\0y")],
  ["download local empty", (f) => f.download("/a", "")],
  ["download local http", (f) => f.download("/a", new URL("http://x/y"))],
  [
    "download signal",
    (f, tmp) => f.download("/a", `${tmp}/x`, { signal: any({}) }),
  ],
  [
    "download onProgress",
    (f, tmp) => f.download("/a", `${tmp}/x`, { onProgress: any(5) }),
  ],
  [
    "download onRetry",
    (f, tmp) => f.download("/a", `${tmp}/x`, { onRetry: any(5) }),
  ],
  [
    "download maxRate",
    (f, tmp) => f.download("/a", `${tmp}/x`, { maxRate: NaN }),
  ],
  [
    "download maxSize",
    (f, tmp) => f.download("/a", `${tmp}/x`, { maxSize: -1 }),
  ],
  [
    "download progressRate",
    (f, tmp) => f.download("/a", `${tmp}/x`, { progressRate: NaN }),
  ],
  [
    "download retry",
    (f, tmp) => f.download("/a", `${tmp}/x`, { retry: { attempts: NaN } }),
  ],
  [
    "download retry unknown",
    (f, tmp) => f.download("/a", `${tmp}/x`, { retry: any({ attempt: 3 }) }),
  ],
  [
    "download retry null",
    (f, tmp) => f.download("/a", `${tmp}/x`, { retry: any(null) }),
  ],
  [
    "download resume",
    (f, tmp) => f.download("/a", `${tmp}/x`, { resume: any("no") }),
  ],
  ["upload", (f, tmp) => f.upload(tmp + "/f", B)],
  ["upload local undefined", (f) => f.upload(any(undefined), "x")],
  ["upload local {}", (f) => f.upload(any({}), "x")],
  ["upload local NUL", (f, tmp) => f.upload(tmp + "/\0", "x")],
  ["upload local empty", (f) => f.upload("", "x")],
  ["upload remote undefined", (f, tmp) => f.upload(tmp + "/f", any(undefined))],
  [
    "upload temporaryName",
    (f, tmp) => f.upload(tmp + "/f", "x", { temporaryName: any(() => B) }),
  ],
  ["upload signal", (f, tmp) => f.upload(tmp + "/f", "x", { signal: any({}) })],
  ["list", (f) => Array.fromAsync(f.list(B))],
  ["list num", (f) => Array.fromAsync(f.list(any(5)))],
  ["list null", (f) => Array.fromAsync(f.list(any(null)))],
  ["list signal", (f) => Array.fromAsync(f.list("", { signal: any({}) }))],
  [
    "list command",
    (f) => Array.fromAsync(f.list("", { command: any("X") })),
  ],
  [
    "list format",
    (f) => Array.fromAsync(f.list("", { format: any("X") })),
  ],
  ["list zone NaN", (f) => Array.fromAsync(f.list("", { zone: NaN }))],
  ["list zone x", (f) => Array.fromAsync(f.list("", { zone: any("x") }))],
  ["list now", (f) => Array.fromAsync(f.list("", any({ now: "x" })))],
  [
    "list now invalid",
    (f) => Array.fromAsync(f.list("", any({ now: new Date(NaN) }))),
  ],
  [
    "list maxEntries",
    (f) => Array.fromAsync(f.list("", { maxEntries: NaN })),
  ],
  [
    "list unknown",
    (f) => Array.fromAsync(f.list("", any({ maxEntrys: 5 }))),
  ],
  ["walk", (f) => Array.fromAsync(f.walk(B))],
  ["walk maxDepth", (f) => Array.fromAsync(f.walk("", { maxDepth: NaN }))],
  [
    "walk maxDepth -1",
    (f) => Array.fromAsync(f.walk("", { maxDepth: -1 })),
  ],
  ["walk match", (f) => Array.fromAsync(f.walk("", any({ match: 5 })))],
  ["walk skip", (f) => Array.fromAsync(f.walk("", any({ skip: [5] })))],
  ["walk exts", (f) => Array.fromAsync(f.walk("", any({ exts: 5 })))],
  [
    "walk retry",
    (f) => Array.fromAsync(f.walk("", any({ retry: { attempts: NaN } }))),
  ],
  [
    "walk onError",
    (f) => Array.fromAsync(f.walk("", any({ onError: 5 }))),
  ],
  [
    "walk unknown",
    (f) => Array.fromAsync(f.walk("", any({ maxDeph: 5 }))),
  ],
  ["stat", (f) => f.stat(B)],
  ["stat undefined", (f) => f.stat(any(undefined))],
  ["stat signal", (f) => f.stat("a", { signal: any({}) })],
  ["stat zone", (f) => f.stat("a", { zone: NaN })],
  ["exists", (f) => f.exists(B)],
  ["exists undefined", (f) => f.exists(any(undefined))],
  ["mtime", (f) => f.mtime(B)],
  ["mtime undefined", (f) => f.mtime(any(undefined))],
  ["setMtime", (f) => f.setMtime(B, new Date())],
  ["setMtime str", (f) => f.setMtime("a", any("2020"))],
  ["setMtime NaN", (f) => f.setMtime("a", new Date(NaN))],
  ["setMtime undefined", (f) => f.setMtime("a", any(undefined))],
  ["chmod", (f) => f.chmod(B, 0o644)],
  ["chmod str", (f) => f.chmod("a", any("644"))],
  ["chmod NaN", (f) => f.chmod("a", NaN)],
  ["chmod path undefined", (f) => f.chmod(any(undefined), 0o644)],
  ["ensureDir", (f) => f.ensureDir("x/" + B)],
  ["ensureDir undefined", (f) => f.ensureDir(any(undefined))],
  ["remove", (f) => f.remove(B)],
  ["remove rec", (f) => f.remove(B, { recursive: true })],
  ["remove undefined", (f) => f.remove(any(undefined))],
  [
    "remove maxEntries",
    (f) => f.remove("d", { recursive: true, maxEntries: NaN }),
  ],
  ["remove unknown", (f) => f.remove("d", any({ recursiv: true }))],
  ["remove recursive str", (f) => f.remove("d", any({ recursive: "no" }))],
  ["downloadDir", (f, tmp) => f.downloadDir(B, tmp + "/dd")],
  ["downloadDir local", (f) => f.downloadDir("/d", any(undefined))],
  [
    "downloadDir signal",
    (f, tmp) => f.downloadDir("/d", tmp + "/dd", any({ signal: {} })),
  ],
  [
    "downloadDir filter",
    (f, tmp) => f.downloadDir("/d", tmp + "/dd", any({ filter: 5 })),
  ],
  [
    "downloadDir connections",
    (f, tmp) => f.downloadDir("/d", tmp + "/dd", any({ connections: NaN })),
  ],
  [
    "downloadDir maxDelete",
    (f, tmp) => f.downloadDir("/d", tmp + "/dd", any({ maxDelete: NaN })),
  ],
  [
    "downloadDir onEntry",
    (f, tmp) => f.downloadDir("/d", tmp + "/dd", any({ onEntry: 5 })),
  ],
  ["uploadDir", (f, tmp) => f.uploadDir(tmp, B)],
  ["uploadDir local", (f) => f.uploadDir(any(undefined), "x")],
  ["features signal", (f) => f.features({ signal: any({}) })],
  [
    "pipeline window",
    (f) => Array.fromAsync(f.pipeline(["NOOP"], { window: NaN })),
  ],
  [
    "pipeline window 0",
    (f) => Array.fromAsync(f.pipeline(["NOOP"], { window: 0 })),
  ],
  ["pipeline num", (f) => Array.fromAsync(f.pipeline(any(5)))],
  [
    "pipeline signal",
    (f) => Array.fromAsync(f.pipeline(["NOOP"], { signal: any({}) })),
  ],
  ["setDebuglevel", (f) => f.setDebuglevel(any("x"))],
  ["setPasv", (f) => f.setPasv(any("x"))],
  ["quit signal", (f) => f.quit({ signal: any({}) })],
  ["clone signal", (f) => f.clone({ signal: any({}) })],
  ["reconnect signal", (f) => f.reconnect({ signal: any({}) })],
  ["pwd signal", (f) => f.pwd({ signal: any({}) })],
  ["auth signal", (f) => f.auth({ signal: any({}) })],
  // an empty path: "." is the current directory where one is meant
  ["retrieve empty", (f) => f.retrieve("")],
  ["store empty", (f) => f.store("", new Uint8Array(1))],
  ["download empty", (f, tmp) => f.download("", `${tmp}/x`)],
  ["upload empty", (f) => f.upload(new Uint8Array(1), "")],
  ["upload empty bytes", (f) => f.upload(new Uint8Array(1), new Uint8Array())],
  ["stat empty", (f) => f.stat("")],
  ["stat empty bytes", (f) => f.stat(new Uint8Array())],
  ["exists empty", (f) => f.exists("")],
  ["mtime empty", (f) => f.mtime("")],
  ["setMtime empty", (f) => f.setMtime("", new Date())],
  ["chmod empty", (f) => f.chmod("", 0o644)],
  ["ensureDir empty", (f) => f.ensureDir("")],
  ["remove empty", (f) => f.remove("", { recursive: true })],
  ["delete empty", (f) => f.delete("")],
  ["rmd empty", (f) => f.rmd("")],
  ["mkd empty", (f) => f.mkd("")],
  ["rename from empty", (f) => f.rename("", "x")],
  ["rename to empty", (f) => f.rename("x", "")],
  ["size empty", (f) => f.size("")],
  ["downloadDir local empty", (f) => f.downloadDir("", "")],
  ["uploadDir local empty", (f) => f.uploadDir("", "x")],
  [
    "downloadDir list",
    (f, tmp) => f.downloadDir("", tmp, { list: any({ formt: "unix" }) }),
  ],
  [
    "downloadDir delete",
    (f, tmp) => f.downloadDir("", tmp, { delete: any("no") }),
  ],
];

for (const [name, call] of CALLS) {
  Deno.test(`FTP refuses what cannot be meant before it sends a byte: ${name}`, async () => {
    await using server = await ScriptedServer.start({
      files: { "/a": "hello", "/d/b": "x" },
    });
    using folder = new LocalFolder();
    await Deno.writeTextFile(folder.at("f"), "hi");
    await using ftp = new FTP({ timeout: 2000 });
    await ftp.connect(server.host, server.port);
    await ftp.login();
    const { length } = server.commands;
    let error: unknown;
    try {
      await call(ftp, folder.path);
    } catch (thrown) {
      error = thrown;
    }
    assertEquals(server.commands.slice(length), []);
    assert(
      error instanceof TypeError || error instanceof RangeError,
      Deno.inspect(error),
    );
    // an accident in the code, such as "x is not a function", is no refusal
    assertMatch(
      error.message,
      /^(Cannot (?!read prop)|Unknown |The URL must be of scheme file)/,
    );
    assertEquals([...Deno.readDirSync(folder.path)].length, 1);
    // the same connection, as it was
    assertEquals((await ftp.voidcmd("NOOP")).code, 200);
  });
}

Deno.test("FTP.list, walk, nlst, mlsd and the mirrors take an empty path for the current directory", async () => {
  await using server = await ScriptedServer.start({ files: { "/d/b": "x" } });
  using folder = new LocalFolder();
  await using ftp = await connect(server.host, { port: server.port });
  await ftp.cwd("d");
  const names = (await Array.fromAsync(ftp.list(""))).map(({ name }) => name);
  assertEquals(names, ["b"]);
  assertEquals((await Array.fromAsync(ftp.walk(""))).length, 1);
  assertEquals((await ftp.nlst("")).length, 1);
  assertEquals((await Array.fromAsync(ftp.mlsd(""))).length > 0, true);
  assertEquals((await ftp.downloadDir("", folder.at("x"))).transferred, 1);
  assertEquals((await ftp.uploadDir(folder.at("x"), "")).failed, 0);
  assertEquals((await ftp.cwd("")).code, 250);
  assertEquals((await ftp.cwd(new Uint8Array(0))).code, 250);
  assertEquals(server.commands.slice(-2), ["CWD .", "CWD ."]);
});

Deno.test("ftpcp refuses what cannot be sent before either server hears a word", async () => {
  await using server = await ScriptedServer.start();
  const { host, port } = server;
  await using from = await connect(host, { port });
  await using to = await connect(host, { port });
  const { length } = server.commands;
  const calls = [
    () => ftpcp(from, "", to, "x"),
    () => ftpcp(from, "x", to, new Uint8Array()),
    () => ftpcp(from, B, to, "x"),
    () => ftpcp(from, "x", to, B),
    () => ftpcp(from, "x", to, "y", any("X")),
    () => ftpcp(from, "x", to, "y", "I", { signal: any({}) }),
  ];
  for (const call of calls) {
    const error = await call().catch((error) => error);
    assert(error instanceof TypeError, Deno.inspect(error));
  }
  assertEquals(server.commands.slice(length), []);
});

/** Invalid options of a client. */
const SETTINGS: [name: string, options: Record<string, unknown>][] = [
  ["encoding", { encoding: 5 }],
  ["an encoding without ASCII", { encoding: "utf-16le" }],
  ["timeout", { timeout: NaN }],
  ["passive", { passive: "no" }],
  ["localAddress", { localAddress: 5 }],
  ["dial", { dial: "socks5://proxy.test" }],
  ["dial with active mode", { dial: () => {}, passive: false }],
  ["activePorts", { activePorts: NaN }],
  ["activePorts past the last", { activePorts: 65_536 }],
  ["activePorts of a fraction", { activePorts: [1.5, 2] }],
  ["activePorts the wrong way round", { activePorts: [2, 1] }],
  ["activePorts of one", { activePorts: [2] }],
  ["activePorts null", { activePorts: null }],
  ["trustPasvHost", { trustPasvHost: 1 }],
  ["pipelining", { pipelining: "yes" }],
  ["trace", { trace: "all" }],
  ["maxReply", { maxReply: -1 }],
  ["multiline", { multiline: "x" }],
  ["tls", { tls: "explicite" }],
  ["tls true", { tls: true }],
  ["tls.mode", { tls: { mode: "x" } }],
  ["tls.caCerts", { tls: { caCerts: "PEM" } }],
  ["tls.caCerts of numbers", { tls: { caCerts: [5] } }],
  ["tls.fingerprint", { tls: { fingerprint: "x" } }],
  ["tls.fingerprint null", { tls: { fingerprint: null } }],
  ["tls.cert", { tls: { cert: 5 } }],
  ["tls.key", { tls: { key: {} } }],
  ["tls.serverName", { tls: { serverName: 5 } }],
  ["tls.minVersion", { tls: { minVersion: "1.2" } }],
  ["tls.isolate", { tls: { isolate: "no" } }],
  ["tls.dangerouslyAcceptAnyCertificate", {
    tls: { dangerouslyAcceptAnyCertificate: "no" },
  }],
  ["tls.unknown", { tls: { ca: "x" } }],
  ["unknown", { tsl: "explicit" }],
];

/** Other invalid options of connect(). */
const LOGINS: [name: string, url: string, options: Record<string, unknown>][] =
  [
    ["user", "", { user: B }],
    ["user of a number", "", { user: 5 }],
    ["password", "", { password: "p\r\nX" }],
    ["password with NUL", "", { password: "p\0X" }],
    ["password that the encoding lacks", "", {
      password: "\u65e5",
      encoding: "latin-1",
    }],
    ["account", "", { account: B }],
    ["signal", "", { signal: {} }],
    ["netrc", "", { netrc: 5 }],
    ["netrc empty", "", { netrc: "" }],
    ["netrc of a web page", "", { netrc: new URL("http://localhost/") }],
    ["port", "", { port: NaN }],
    ["port of a fraction", "", { port: 21.5 }],
    ["port null", "", { port: null }],
    ["a path with a line end", "ftp://HOST/a%0d%0aNOOP", {}],
    ["a path with NUL", "ftp://HOST/a%00", {}],
    ["a user with a line end", "ftp://u%0d%0aNOOP@HOST/", {}],
    ["a password with a line end", "ftp://u:p%0aNOOP@HOST/", {}],
    ["a path that the encoding lacks", "ftp://HOST/%E6%97%A5", {
      encoding: "latin-1",
    }],
    ["another scheme", "http://HOST/", {}],
    ["TLS of another kind", "ftpes://HOST/", { tls: "implicit" }],
  ];

for (
  const [name, url, options] of [
    ...SETTINGS.map(([name, options]) => [name, "", options] as const),
    ...LOGINS,
  ]
) {
  Deno.test(`connect refuses what cannot be meant before it dials: ${name}`, async () => {
    await using server = await ScriptedServer.start();
    const { host, port } = server;
    const target = url === ""
      ? host
      : url.replace("HOST", "port" in options ? host : `${host}:${port}`);
    const set = { ...url === "" && { port }, ...options } as FTPOptions;
    const error = await connect(target, set).catch((error) => error);
    assert(
      error instanceof TypeError || error instanceof RangeError,
      Deno.inspect(error),
    );
    assertEquals(server.sessions.length, 0);
    for (const secret of ["p\r", "p\n", "NOOP", "\u65e5"]) {
      assertEquals(
        Deno.inspect(error).split("\n    at ")[0]!.includes(secret),
        false,
      );
    }
  });
}

for (const [name, options] of SETTINGS) {
  Deno.test(`FTP cannot be made with what cannot be meant: ${name}`, () => {
    let error: unknown;
    try {
      new FTP(options as FTPOptions);
    } catch (thrown) {
      error = thrown;
    }
    assert(error instanceof TypeError || error instanceof RangeError);
  });
}

Deno.test("FTP.connect refuses a signal, a host and a port that are none before it dials", async () => {
  await using server = await ScriptedServer.start();
  const { host, port } = server;
  await using ftp = new FTP();
  const calls = [
    () => ftp.connect(any(undefined), port),
    () => ftp.connect("", port),
    () => ftp.connect(host, NaN),
    () => ftp.connect(host, 0),
    () => ftp.connect(host, any(`${port}`)),
    () => ftp.connect(host, port, { signal: any({}) }),
  ];
  for (const call of calls) {
    const error = await call().catch((error) => error);
    assert(
      error instanceof TypeError || error instanceof RangeError,
      Deno.inspect(error),
    );
  }
  assertEquals(server.sessions.length, 0);
});
