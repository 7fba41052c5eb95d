/** What errors advise. */

import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  connect,
  FTP,
  type FTPOptions,
  FTPPermanentError,
  FTPTemporaryError,
} from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";
import { startScript } from "../testing/client_script.ts";

const { NotConnected } = Deno.errors;

/** Options of connect() that it does not have, and what the error advises. */
const OPTIONS: [name: string, advice: string][] = [
  ["username", 'did you mean "user"? Or use one of account, '],
  ["Timeout", 'did you mean "timeout"? Or use one of '],
  ["timout", 'did you mean "timeout"? Or use one of '],
  ["timeuot", 'did you mean "timeout"? Or use one of '],
  ["secure", 'did you mean "tls"? Or use one of '],
  ["caCerts", "it is an option of tls, as in { tls: { caCerts: ... } }; or "],
  ["constructor", "use one of account, "],
  ["__proto", "use one of account, "],
  ["x", "use one of account, "],
];

for (const [name, advice] of OPTIONS) {
  Deno.test(`connect names the option that is likely meant by "${name}"`, async () => {
    await assertRejects(
      () => connect("ftp://127.0.0.1:1", { [name]: "x" }),
      TypeError,
      `Unknown option "${name}" of connect: ${advice}`,
    );
  });
}

Deno.test("FTP.download says of each option of a client where it belongs", async () => {
  const { message } = assertThrows(
    () => new FTP({ ["nothing" as "timeout"]: 1 }),
    TypeError,
    "use one of ",
  );
  const names = message.split("use one of ")[1]!.split(", ");
  assertEquals(names.length > 20, true);
  await using server = await memoryServer();
  await using ftp = await server.client();
  for (const name of names) {
    await assertRejects(
      () => ftp.download("a", "a", { [name as "resume"]: true }),
      TypeError,
      `Unknown option "${name}" of download: it is an option of connect() and FTP; or use one of atomic, `,
    );
  }
  for (const name of ["user", "password", "account", "port", "netrc"]) {
    assertThrows(
      () => new FTP({ [name]: "x" } as FTPOptions),
      TypeError,
      `Unknown option "${name}" of FTP: it is an option of connect(); or use one of `,
    );
  }
});

Deno.test("connect leaves out the period of a reply before its advice", async () => {
  await using server = await startScript({
    PASS: "530 Anonymous access not allowed.",
  });
  await assertRejects(
    () => connect(server.host, { port: server.port }),
    FTPPermanentError,
    "530 Anonymous access not allowed; no password was given in the URL",
  );
});

/** Calls whose errors have advice behind a reply, and the refused commands. */
const ADVISED: [
  refused: string[],
  call: (url: string) => Promise<unknown>,
][] = [
  [["AUTH"], (url) => connect(url.replace("ftp:", "ftpes:"))],
  [["EPSV", "PASV"], async (url) => {
    await using ftp = await connect(url);
    return await Array.fromAsync(ftp.list());
  }],
  [["STOR"], async (url) => {
    await using ftp = await connect(url);
    return await ftp.upload(new Uint8Array(1), "a.txt");
  }],
];

for (const [refused, call] of ADVISED) {
  const commands = refused.join(" and ");
  Deno.test(`FTP appends its advice to a refusal of ${commands} with a semicolon`, async () => {
    const refusal = "550 Permission denied.";
    await using server = await startScript(
      Object.fromEntries(refused.map((verb) => [verb, refusal])),
    );
    const error = await assertRejects(
      () => call(`ftp://${server.host}:${server.port}`),
      FTPPermanentError,
    );
    assertMatch(error.message, /: 550 Permission denied; \w/);
    assertEquals(error.message.includes("denied."), false, error.message);
  });
}

Deno.test("connect says of a refused directory that it is the path of the URL", async () => {
  await using server = await startScript({ CWD: "550 No such directory." });
  const error = await assertRejects(
    () => connect(`ftp://${server.host}:${server.port}/nix/a%20b`),
    FTPPermanentError,
    'Cannot open "nix/a b", the path of the URL: Cannot complete "CWD nix/a b": 550 No such directory; it must be a directory; pass the path of a file to download()',
  );
  assertEquals([error.command, error.reply?.code], ["CWD nix/a b", 550]);
});

Deno.test("FTP.connect says of a refused connection that it could not connect", async () => {
  await using server = await startScript({ connect: "421 Too many users" });
  await using ftp = new FTP();
  const address = `${server.host}:${server.port}`;
  const error = await assertRejects(
    () => ftp.connect(server.host, server.port),
    FTPTemporaryError,
    `Cannot connect to "${address}": 421 Too many users`,
  );
  assertEquals(error.command, `connect to ${address}`);
});

/** Replies to RMD, and the advice after them. */
const REMOVALS: [reply: string, recursive: boolean, advice: string][] = [
  [
    "550 Directory not empty",
    false,
    "; { recursive: true } removes a directory with its contents",
  ],
  [
    "550 Remove directory operation failed.", // vsftpd
    false,
    "; { recursive: true } removes a directory with its contents",
  ],
  ["550 No such file or directory", false, ""],
  ["550 a: Permission denied", false, ""],
];

for (const [reply, recursive, advice] of REMOVALS) {
  Deno.test(`FTP.remove advises ${advice === "" ? "nothing" : "recursive: true"} after "${reply}"`, async () => {
    await using server = await startScript({
      DELE: "550 Is a directory",
      RMD: reply,
    });
    await using ftp = await server.connect();
    await ftp.login();
    const { message } = await assertRejects(
      () => ftp.remove("a", { recursive }),
      FTPPermanentError,
    );
    assertEquals(
      message,
      `Cannot remove "a": as a file, "550 Is a directory"; as a directory, "${reply}"${advice}`,
    );
  });
}

Deno.test("FTP.download without await says that the client was closed while it ran", async () => {
  await using server = await memoryServer({ "/a": "text" });
  using folder = new LocalFolder();
  const message =
    'Cannot continue: the connection was closed here: the client\'s "await using" block ended while this call was running; an "await" may be missing before the call';
  let call: Promise<unknown>;
  {
    await using ftp = await server.client();
    call = assertRejects(
      () => ftp.download("a", `${folder.path}/a`),
      NotConnected,
      message,
    );
  }
  await call;
  const ftp = await server.client();
  call = assertRejects(
    () => ftp.download("a", `${folder.path}/a`),
    NotConnected,
    "quit() was called while this call was running",
  );
  await ftp.quit();
  await call;
  await assertRejects(
    async () => await ftp.pwd(),
    NotConnected,
    "the connection is closed: quit() was called",
  );
});

Deno.test("FTP.download without await says the same while data arrives", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using server = await memoryServer({ "/a": "text" });
  server.on("RETR", async (turn) => {
    await turn.reply(150, "Data");
    const data = await turn.openData();
    await data.write(new Uint8Array(1000));
    resolve();
    await data.closed;
  });
  using folder = new LocalFolder();
  let call: Promise<unknown>;
  {
    await using ftp = await server.client();
    call = assertRejects(
      () => ftp.download("a", `${folder.path}/a`),
      NotConnected,
      'the client\'s "await using" block ended while this call was running',
    );
    await promise;
  }
  await call;
});

Deno.test("FTP takes an empty path for the current directory only where a whole directory is meant", async () => {
  await using server = await memoryServer();
  using folder = new LocalFolder();
  await using ftp = await server.client();
  for (
    const call of [
      () => ftp.remove(""),
      () => ftp.download("", `${folder.path}/x`),
      () => ftp.stat(""),
      () => ftp.ensureDir(""),
    ]
  ) {
    await assertRejects(
      call,
      TypeError,
      'Cannot use "" as "path": it is empty; "." is the current directory',
    );
  }
  for (const path of ["", "."]) {
    await ftp.downloadDir(path, folder.path);
    await ftp.uploadDir(folder.path, path);
    assertEquals(await Array.fromAsync(ftp.list(path)), []);
    assertEquals(await Array.fromAsync(ftp.walk(path)), []);
  }
});

Deno.test("FTP.downloadDir calls the directory of an empty path the current directory", async () => {
  await using server = await memoryServer({ "/a": "text" });
  server.on("RETR", "550 No");
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.downloadDir("", folder.path),
    Error,
    'Cannot download all of the current directory: 1 entry failed, "a": ',
  );
});

Deno.test("onRetry gives the delay in whole milliseconds", async () => {
  await using server = await memoryServer({ "/a": "text" });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const delays: number[] = [];
  for (let i = 0; i < 3; i++) server.once("RETR", "450 Busy");
  await ftp.download("a", `${folder.path}/a`, {
    retry: { delay: 7.7 },
    onRetry: ({ delay }) => void delays.push(delay),
  });
  assertEquals(delays.length, 3);
  assertEquals(delays.every(Number.isInteger), true, String(delays));
});
