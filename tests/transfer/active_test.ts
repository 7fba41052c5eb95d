import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FTP, FTPPermanentError, FTPTemporaryError } from "../../mod.ts";
import { ServerListener } from "../../lib/connection/dial.ts";
import {
  HAS_IPV6,
  SERVER_HOST,
  takePorts,
} from "../testing/servers/loopback.ts";
import {
  byDefault,
  type Script,
  startScript,
} from "../testing/client_script.ts";

/** A server that connects to the address in PORT or EPRT. */
const ACTIVE: Script = {
  PORT: byDefault,
  EPRT: byDefault,
  LIST: (turn) => turn.send("one\r\n"),
};

/** Waits for a server on this machine without a time limit. */
const ANYTIME = { peer: "127.0.0.1", timeout: 0 };

async function list(ftp: FTP): Promise<string[]> {
  const lines: string[] = [];
  await ftp.retrlines("LIST", (line) => lines.push(line));
  return lines;
}

Deno.test("FTP listens and sends PORT in active mode", async () => {
  await using server = await startScript(ACTIVE);
  await using ftp = await server.connect({ passive: false });
  assertEquals(ftp.passiveserver, false);
  assertEquals(await list(ftp), ["one"]);
  assertEquals(server.verbs, ["TYPE", "PORT", "LIST"]);
  assert(server.commands[1]!.startsWith("PORT 127,0,0,1,"));
});

Deno.test("FTP.setPasv changes the mode from one transfer to the next", async () => {
  await using server = await startScript(ACTIVE);
  await using ftp = await server.connect();
  ftp.setPasv(false);
  assertEquals(await list(ftp), ["one"]);
  ftp.setPasv(true);
  assertEquals(ftp.passiveserver, true);
  await ftp.makepasv();
  assertEquals(server.verbs, ["TYPE", "PORT", "LIST", "EPSV"]);
});

Deno.test("FTP.setPasv holds before connect() and through it", async () => {
  await using server = await startScript(ACTIVE);
  await using ftp = new FTP();
  ftp.setPasv(false);
  for (let i = 0; i < 2; i++) {
    await ftp.connect(server.host, server.port);
    assertEquals(ftp.passiveserver, false);
    assertEquals(await list(ftp), ["one"]);
    assertEquals(server.verbs.slice(-3), ["TYPE", "PORT", "LIST"]);
  }
});

Deno.test("FTP sends EPRT where PORT is unknown", async () => {
  await using server = await startScript({ ...ACTIVE, PORT: "500 What" });
  await using ftp = await server.connect({ passive: false });
  assertEquals(await list(ftp), ["one"]);
  assertEquals(server.verbs, ["TYPE", "PORT", "EPRT", "LIST"]);
});

Deno.test("FTP sends EPRT over IPv6", { ignore: !HAS_IPV6 }, async () => {
  await using server = await startScript(ACTIVE, "::1");
  await using ftp = await server.connect({ passive: false });
  assertEquals(await list(ftp), ["one"]);
  assert(server.commands[1]!.startsWith("EPRT |2|::1|"));
});

Deno.test("FTP throws when PORT is refused, and is usable", async () => {
  await using server = await startScript({ ...ACTIVE, PORT: "530 No" });
  await using ftp = await server.connect({ passive: false });
  await assertRejects(() => list(ftp), FTPPermanentError, "530 No");
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP listens in the range of ports that was given", async () => {
  const first = takePorts(SERVER_HOST, 1);
  const taken = Deno.listen({ hostname: SERVER_HOST, port: first });
  await using server = await startScript(ACTIVE);
  await using ftp = await server.connect({
    passive: false,
    localAddress: SERVER_HOST,
    activePorts: [first, first],
  });
  await assertRejects(() => list(ftp), Deno.errors.AddrInUse);
  taken.close();
  assertEquals(await list(ftp), ["one"]);
  const port = server.commands.find((line) => line.startsWith("PORT"))!;
  const [p1, p2] = port.split(",").slice(-2).map(Number);
  assertEquals(p1! * 256 + p2!, first);

  assertThrows(
    () => ServerListener.listen("127.0.0.1", [first, first - 1], ANYTIME),
    RangeError,
    "is empty",
  );
});

Deno.test("FTP takes the next port of the range, where the server may still connect to the last one", async () => {
  const first = takePorts(SERVER_HOST, 3);
  await using server = await startScript(ACTIVE);
  await using ftp = await server.connect({
    passive: false,
    localAddress: SERVER_HOST,
    activePorts: [first, first + 2],
  });
  for (let i = 0; i < 4; i++) assertEquals(await list(ftp), ["one"]);
  const told = server.commands.filter((line) => line.startsWith("PORT"));
  const ports = told.map((line) => {
    const [p1, p2] = line.split(",").slice(-2).map(Number);
    return p1! * 256 + p2! - first;
  });
  assertEquals(ports, [0, 1, 2, 0]);
});

Deno.test("FTP listens at the local address that was given", async () => {
  await using server = await startScript(ACTIVE);
  await using ftp = await server.connect({
    passive: false,
    localAddress: "127.0.0.2",
  });
  assertEquals(await list(ftp), ["one"]);
  assert(server.commands[1]!.startsWith("PORT 127,0,0,2,"));
});

Deno.test("FTP announces its own address if it listens on all addresses", async () => {
  await using server = await startScript(ACTIVE);
  await using ftp = await server.connect({
    passive: false,
    localAddress: "0.0.0.0",
  });
  assertEquals(await list(ftp), ["one"]);
  assert(server.commands[1]!.startsWith("PORT 127,0,0,1,"));
});

Deno.test(
  "FTP ignores connections of strangers",
  { ignore: !HAS_IPV6 },
  async () => {
    await using server = await startScript(
      {
        ...ACTIVE,
        async LIST(turn) {
          const port = Number(server.commands.at(-2)!.split("|")[3]);
          await turn.reply(150, "Here");
          // the listener takes both families; the server's address is ::1
          using stranger = await Deno.connect({ hostname: "127.0.0.1", port });
          assertEquals(await stranger.read(new Uint8Array(1)), null);
          const data = await turn.openData();
          await data.write("one\r\n");
          data.close();
          await turn.reply(226, "Done");
        },
      },
      "::1",
    );
    await using ftp = await server.connect({
      passive: false,
      localAddress: "::",
    });
    assertEquals(await list(ftp), ["one"]);
  },
);

Deno.test("FTP does not wait for a connection that the server gave up", async () => {
  await using server = await startScript({
    ...ACTIVE,
    LIST: "150 Here\n425 Cannot connect",
  });
  await using ftp = await server.connect({ passive: false, timeout: 60_000 });
  await assertRejects(() => list(ftp), FTPTemporaryError, "425 Cannot connect");
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP ends the wait for the server's connection in time", async () => {
  await using server = await startScript({ ...ACTIVE, LIST: "150 Here" });
  await using ftp = await server.connect({ passive: false, timeout: 200 });
  await assertRejects(
    () => list(ftp),
    Deno.errors.TimedOut,
    "did not connect to port",
  );
  assertEquals(ftp.connected, false);
});

Deno.test("FTP.makeport listens and tells the server", async () => {
  await using server = await startScript(ACTIVE);
  await using ftp = await server.connect();
  const listener = await ftp.makeport();
  assertEquals(listener.addr.hostname, "127.0.0.1");
  const accepting = listener.accept();
  assertEquals((await ftp.sendcmd("LIST")).code, 150);
  const conn = await accepting;
  listener.close();
  const buffer = new Uint8Array(16);
  assertEquals(await conn.read(buffer), 5);
  assertEquals(await conn.read(buffer), null);
  conn.close();
  assertEquals((await ftp.voidresp()).code, 226);
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("ServerListener.accept ends by its signal", async () => {
  const listener = ServerListener.listen("127.0.0.1", 0, ANYTIME);
  await assertRejects(
    () => listener.accept({ signal: AbortSignal.timeout(20) }),
    DOMException,
  );
  listener.close();
});
