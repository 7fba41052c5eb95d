import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DEAD_PORT } from "../testing/dead_port.ts";
import { FTPPermanentError, FTPTemporaryError } from "../../mod.ts";
import { LocalFolder } from "./local_folder.ts";
import { type MemoryServer, memoryServer } from "../testing/memory_server.ts";

const FILES = { "/a": "first", "/b": "second" };
const VERBS = /^(TYPE|SIZE|MDTM|EPSV|PASV|PORT|RETR)/;

/** Commands about transfers, by verb. */
function told({ verbs }: { verbs: string[] }): string[] {
  return verbs.filter((verb) => VERBS.test(verb));
}

/** Groups of commands that the server reads at once. */
function segmentsOf(server: MemoryServer): string[] {
  const { peer } = server.sessions.at(-1)!;
  const read = peer.read.bind(peer);
  const segments: string[] = [];
  peer.read = async () => {
    const bytes = await read();
    if (bytes !== null) segments.push(new TextDecoder().decode(bytes));
    return bytes;
  };
  return segments;
}

Deno.test("FTP.download asks for size, time and port in one round trip", async () => {
  await using server = await memoryServer(FILES);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await ftp.voidcmd("TYPE I");
  const asked = Promise.all(
    ["SIZE", "MDTM", "EPSV"].map((verb) => server.received(verb)),
  );
  // none is answered before all have come
  for (const verb of ["SIZE", "MDTM", "EPSV"]) {
    server.once(verb, async (turn) => {
      await asked;
      await turn.default();
    });
  }
  await ftp.download("a", folder.at("a"), { retry: false });
  await ftp.download("b", folder.at("b"));
  assertEquals(Deno.readTextFileSync(folder.at("b")), "second");
  const all = told(server);
  assertEquals(all.filter((verb) => verb === "EPSV").length, 2);
  assertEquals(all.filter((verb) => verb === "RETR").length, 2);
});

Deno.test("FTP.download asks for type, size, time and port in one segment", async () => {
  await using server = await memoryServer(FILES);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const segments = segmentsOf(server);
  await ftp.voidcmd("NOOP");
  await ftp.download("a", folder.at("a"));
  assertEquals(segments[0], "TYPE I\r\nSIZE a\r\nMDTM a\r\nEPSV\r\n");
  await ftp.download("b", folder.at("b"));
  assertEquals(segments[2], "SIZE b\r\nMDTM b\r\nEPSV\r\n");
  await ftp.voidcmd("TYPE A");
  server.on("TYPE", "500 What");
  await assertRejects(
    () => ftp.download("b", folder.at("b"), { retry: false }),
    FTPPermanentError,
    '"TYPE I": 500 What',
  );
});

Deno.test("FTP.upload compares, dates and announces the rename of what it stored in one segment", async () => {
  await using server = await memoryServer(FILES);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  Deno.writeTextFileSync(folder.at("c"), "third");
  Deno.utimeSync(folder.at("c"), 1e9, 1e9);
  await ftp.upload(folder.at("c"), "c"); // FEAT and the like are known now
  const segments = segmentsOf(server);
  const { verified, mtime } = await ftp.upload(folder.at("c"), "d");
  assertEquals(verified, "size");
  assertEquals(mtime, new Date(1e12));
  assertEquals(server.text("/d"), "third");
  const [checks] = segments.filter((segment) => segment.includes("MFMT"));
  assertMatch(
    checks!,
    /^SIZE (\.d.*)\r\nMFMT \d+ \1\r\nRNFR \1\r\n$/,
  );
});

Deno.test("FTP.download falls back to PASV when EPSV that was sent ahead is refused", async () => {
  await using server = await memoryServer(FILES);
  server.on("EPSV", "500 What");
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await ftp.download("a", folder.at("a"), { retry: false });
  await ftp.download("b", folder.at("b"), { retry: false });
  assertEquals(Deno.readTextFileSync(folder.at("b")), "second");
  const passive = told(server).filter((verb) => /EPSV|PASV/.test(verb));
  assertEquals(passive, ["EPSV", "PASV", "PASV"]);
});

Deno.test("FTP asks for another port when a command came after the one that was asked for ahead", async () => {
  for (const command of ["PORT 127,0,0,1,1,1", "EPSV"]) {
    await using server = await memoryServer(FILES);
    server.once("SIZE", "450 Not now");
    using folder = new LocalFolder();
    await using ftp = await server.client();
    await assertRejects(
      () => ftp.download("a", folder.at("a"), { retry: false }),
      FTPTemporaryError,
    );
    await ftp.voidcmd(command);
    const before = server.verbs.length;
    let text = "";
    await ftp.retrbinary("RETR a", (block) => {
      text += new TextDecoder().decode(block);
    });
    assertEquals(text, "first");
    assertEquals(server.verbs.slice(before), ["EPSV", "RETR"]);
  }
});

Deno.test("FTP asks for another port when the one that was asked for ahead is old", async () => {
  await using server = await memoryServer(FILES);
  server.once("SIZE", "450 Not now");
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await assertRejects(
    () => ftp.download("a", folder.at("a"), { retry: false }),
    FTPTemporaryError,
  );
  const now = performance.now;
  performance.now = () => now.call(performance) + 60_000;
  try {
    await ftp.retrbinary("RETR a", () => {});
  } finally {
    performance.now = now;
  }
  assertEquals(server.verbs.filter((verb) => verb === "EPSV").length, 2);
});

Deno.test("FTP gives a port that a download asked for to no call with another signal", async () => {
  await using server = await memoryServer(FILES);
  const gate = Promise.withResolvers<void>();
  server.once("EPSV", async (turn) => {
    await gate.promise;
    await turn.default();
  });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const controller = new AbortController();
  const { signal } = controller;
  const downloading = ftp.download("a", folder.at("a"), { signal })
    .catch((error) => error);
  await server.received("EPSV");
  const reason = new Error("enough");
  controller.abort(reason);
  assertEquals(await downloading, reason);
  gate.resolve();
  await ftp.retrbinary("RETR a", () => {});
  assertEquals(server.verbs.filter((verb) => verb === "EPSV").length, 2);
});

Deno.test("FTP.download asks for no port in active mode", async () => {
  await using server = await memoryServer(FILES);
  using folder = new LocalFolder();
  await using ftp = await server.client({ passive: false });
  await ftp.download("a", folder.at("a"), { retry: false });
  assertEquals(told(server).includes("EPSV"), false);
  assertEquals(Deno.readTextFileSync(folder.at("a")), "first");
});

Deno.test("FTP.storbinary sends STOR after its data connection stands, and no sooner", async () => {
  await using server = await memoryServer(FILES);
  await using ftp = await server.client();
  await ftp.storbinary("STOR c", new Uint8Array(1));
  server.once("EPSV", `229 Here (|||${DEAD_PORT}|)`);
  await assertRejects(
    () => ftp.storbinary("STOR a", new Uint8Array(1)),
    Deno.errors.ConnectionRefused,
  );
  assertEquals(server.commands.includes("STOR a"), false);
  assertEquals(server.text("/a"), "first");
});

Deno.test("FTP.retrbinary asks for a port itself where FTP.download could not ask ahead", async () => {
  await using server = await memoryServer(FILES);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const conn = await ftp.transfercmd("RETR a");
  await assertRejects(
    () => ftp.download("b", folder.at("b"), { retry: false }),
    Deno.errors.Busy,
  );
  conn.close();
  await ftp.voidresp();
  let text = "";
  await ftp.retrlines("RETR b", (line) => text += line);
  assertEquals(text, "second");
});
