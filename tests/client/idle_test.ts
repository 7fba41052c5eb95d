import { assertEquals, assertRejects } from "@std/assert";
import { FTP, type FTPOptions } from "../../mod.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";

const FILES = { "/d/a": "hello", "/d/e/b": "there" };

/** How servers end idle connections. */
const ENDS = ["a word", "none"] as const;

/**
 * Returns a client that is logged in, in a directory, and whose server ends
 * idle connections.
 */
async function connectIdle(
  server: ScriptedServer,
  end: typeof ENDS[number],
  options: FTPOptions = {},
): Promise<FTP> {
  const closed = Promise.withResolvers<void>();
  const ftp = new FTP({
    timeout: 5000,
    trace: ({ direction, text }) => {
      if (direction === "event" && text.startsWith("closed")) closed.resolve();
    },
    ...options,
  });
  await ftp.connect(server.host, server.port);
  await ftp.login("u", "p");
  await ftp.cwd("d");
  const { peer } = server.sessions.at(-1)!;
  if (end === "a word") await peer.write("421 Idle for too long\r\n");
  peer.close();
  await closed.promise;
  return ftp;
}

const CALLS: [name: string, call: (ftp: FTP) => Promise<unknown>, unknown][] = [
  [
    "list",
    (f) => Array.fromAsync(f.list(), ({ name }) => name),
    ["a", "e"],
  ],
  ["stat", async (f) => (await f.stat("a")).size, 5],
  ["exists", (f) => f.exists("a"), true],
  ["mtime", async (f) => (await f.mtime("a"))?.getFullYear(), 2024],
  ["setMtime", (f) => f.setMtime("a", new Date(0)), undefined],
  ["chmod", (f) => f.chmod("a", 0o644), undefined],
  ["features", async (f) => (await f.features()).has("SIZE"), true],
  ["ensureDir", (f) => f.ensureDir("x"), undefined],
  ["remove", (f) => f.remove("a"), undefined],
  [
    "retrieve",
    async (f) => await new Response(await f.retrieve("a")).text(),
    "hello",
  ],
  [
    "store",
    async (f) => (await f.store("c", new Uint8Array(1))).code,
    226,
  ],
  ["reconnect", (f) => f.reconnect(), undefined],
];

for (const [name, call, expected] of CALLS) {
  for (const end of ENDS) {
    Deno.test(`FTP.${name} connects again where the server closed the idle connection with ${end}`, async () => {
      await using server = await ScriptedServer.start({ files: FILES });
      server.on("SITE", "200 Done");
      await using ftp = await connectIdle(server, end);
      assertEquals(await call(ftp), expected);
      assertEquals(await ftp.pwd(), "/d");
      assertEquals(server.verbs.filter((verb) => verb === "USER").length, 2);
    });
  }
}

Deno.test("FTP connects again once for calls that are made at once", async () => {
  await using server = await ScriptedServer.start({ files: FILES });
  await using ftp = await connectIdle(server, "a word");
  const found = await Promise.all(["a", "e", "e/b"].map((x) => ftp.exists(x)));
  assertEquals(found, [true, true, true]);
  assertEquals(server.verbs.filter((verb) => verb === "USER").length, 2);
});

Deno.test("FTP does not connect again for the methods of ftplib", async () => {
  await using server = await ScriptedServer.start({ files: FILES });
  await using ftp = await connectIdle(server, "a word");
  const calls = [
    () => ftp.pwd(),
    () => ftp.sendcmd("NOOP"),
    () => ftp.size("a"),
    () => ftp.nlst(),
    () => Array.fromAsync(ftp.pipeline(["NOOP"])),
  ];
  for (const call of calls) {
    await assertRejects(call, Deno.errors.NotConnected);
  }
  await ftp.reconnect();
  assertEquals(await ftp.pwd(), "/d");
});

Deno.test("FTP does not connect again after close(), or where a command was lost", async () => {
  await using server = await ScriptedServer.start({ files: FILES });
  await using ftp = await connectIdle(server, "none");
  ftp.close();
  await assertRejects(() => ftp.exists("a"), Deno.errors.NotConnected);
  await assertRejects(() => ftp.reconnect(), Deno.errors.NotConnected);
  await ftp.connect(server.host, server.port);
  await ftp.login();
  server.once("DELE", (turn) => turn.close());
  await assertRejects(() => ftp.remove("/d/a"), Deno.errors.UnexpectedEof);
  await assertRejects(() => ftp.remove("/d/a"), Deno.errors.NotConnected);
  assertEquals(server.verbs.filter((verb) => verb === "USER").length, 2);
});

Deno.test("FTP.reconnect replaces a connection that is open", async () => {
  await using server = await ScriptedServer.start({ files: FILES });
  await using ftp = new FTP({ timeout: 5000 });
  await assertRejects(() => ftp.reconnect(), Deno.errors.NotConnected);
  await ftp.connect(server.host, server.port);
  await ftp.login();
  await ftp.cwd("d");
  const stream = await ftp.retrieve("a");
  await ftp.reconnect();
  await assertRejects(() => new Response(stream).text());
  assertEquals(await ftp.pwd(), "/d");
});
