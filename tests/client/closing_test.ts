import { assert, assertEquals, assertRejects } from "@std/assert";
import { ControlConnection } from "../../lib/connection/control_connection.ts";
import { Tracer } from "../../lib/connection/trace.ts";
import { makeEncoding } from "../../lib/protocol/encoding.ts";
import { FTP, type TraceEvent } from "../../mod.ts";
import type { ScriptedServer } from "../testing/scripted/mod.ts";
import { SilentPort } from "../testing/silent_port.ts";
import { startTCPServer, type TLSTestServer } from "../testing/echo_server.ts";
import { connectImplicit, startImplicit } from "./implicit_front.ts";
import { type ErrorClass, startScript } from "../testing/client_script.ts";

/** A time-out that is longer than any test. */
const TIMEOUT = 20_000;

const { NotConnected, UnexpectedEof, ConnectionReset } = Deno.errors;

/** How a control connection ends, and the error of a pending call. */
const ENDS: [
  name: string,
  end: (ftp: FTP, server: ScriptedServer, port: number) => void,
  Classes: ErrorClass[],
][] = [
  ["close", (ftp) => ftp.close(), [NotConnected]],
  [
    "connect",
    (ftp, { host }, port) => void ftp.connect(host, port).catch(() => {}),
    [NotConnected],
  ],
  ["the server's FIN", (_, server) => last(server).drop(), [
    UnexpectedEof,
    ConnectionReset,
  ]],
  ["a reset", (_, server) => last(server).reset(), [
    ConnectionReset,
    UnexpectedEof,
  ]],
];

function last(
  { sessions }: ScriptedServer,
): ScriptedServer["sessions"][0]["peer"] {
  return sessions.at(-1)!.peer;
}

/**
 * Returns a listener, and a promise of the first line of the trace with a
 * beginning.
 */
function waitFor(
  line: string,
): { trace: (event: TraceEvent) => void; seen: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    trace: ({ direction, text }) => {
      if (`${direction} ${text}`.startsWith(line)) resolve();
    },
    seen: promise,
  };
}

for (const [name, end, Classes] of ENDS) {
  Deno.test(`FTP dials no data connection any longer after ${name}`, {
    ignore: !SilentPort.isPossible,
  }, async () => {
    using silent = await SilentPort.open();
    await using server = await startScript({
      EPSV: `229 Here (|||${silent.port}|)`,
    });
    const { trace, seen } = waitFor("received 229");
    await using ftp = await server.connect({ timeout: TIMEOUT, trace });
    const call = ftp.retrbinary("RETR x", () => {});
    const queued = ftp.retrbinary("RETR y", () => {});
    call.catch(() => {});
    queued.catch(() => {});
    await seen;
    await new Promise((resolve) => setTimeout(resolve)); // it dials by then
    end(ftp, server, server.port);
    await assertEnded(call, Classes);
    await assertRejects(() => queued, NotConnected);
    assertEquals(server.verbs, ["TYPE", "EPSV"]);
  });

  Deno.test(`FTP secures no data connection any longer after ${name}`, async () => {
    const hello = Promise.withResolvers<void>();
    const started = await startImplicit({
      PBSZ: "200 ok",
      PROT: "200 ok",
      RETR: async (turn) => {
        await turn.reply(150, "Here");
        const data = await turn.openData();
        await data.read();
        hello.resolve();
        await data.closed;
      },
    });
    await using server = started.server;
    await using _front = started.front;
    await using ftp = await connectImplicit(started, { timeout: TIMEOUT });
    await ftp.login();
    const call = ftp.retrbinary("RETR x", () => {});
    call.catch(() => {});
    await hello.promise;
    end(ftp, server, started.front.port);
    await assertEnded(call, Classes);
  });
}

/** Starts a server that agrees to TLS and then sends nothing. */
function startSilentTLS(onHello: () => void): TLSTestServer {
  const encoder = new TextEncoder();
  return startTCPServer(async (conn) => {
    const buffer = new Uint8Array(16_384);
    await conn.write(encoder.encode("220 Ready\r\n"));
    await conn.read(buffer);
    await conn.write(encoder.encode("234 Go\r\n"));
    await conn.read(buffer);
    onHello();
    while (await conn.read(buffer) !== null);
  });
}

for (const name of ["login", "auth"] as const) {
  Deno.test(`FTP.${name} says that the client was closed in its handshake`, async () => {
    const hello = Promise.withResolvers<void>();
    await using server = startSilentTLS(hello.resolve);
    await using ftp = new FTP({ timeout: TIMEOUT, tls: "explicit" });
    await ftp.connect("127.0.0.1", server.port);
    const call = ftp[name]();
    call.catch(() => {});
    await hello.promise;
    ftp.close();
    await assertRejects(() => call, NotConnected, "close() was called");
  });
}

Deno.test("ControlConnection.replaceStream closes the stream that came after the end", async () => {
  await using server = await startScript({ AUTH: "234 Go" });
  const { host: hostname, port } = server;
  const control = new ControlConnection(
    await Deno.connect({ hostname, port }),
    {
      encoding: makeEncoding("utf-8"),
      timeout: TIMEOUT,
      maxReplyLine: 1000,
      maxReply: 1000,
      multiline: "strict",
      pipelining: true,
      onDropped: () => {},
      tracer: new Tracer(undefined),
    },
  );
  await control.wait(control.expectGreeting("here").final);
  const command = { verb: "AUTH", argument: "TLS" };
  await control.wait(control.send(command, { pauses: true }).final);
  const reason = new NotConnected("enough");
  let isClosed = false;
  const replaced = control.replaceStream((stream) => {
    control.fail(reason);
    const late = Object.create(stream);
    late.close = () => isClosed = true;
    return Promise.resolve(late);
  });
  const error = await replaced.catch((error) => error);
  assert(error === reason, `${error}`);
  assert(isClosed, "the late stream is open");
  await control.closed;
});

async function assertEnded(
  call: Promise<unknown>,
  Classes: readonly ErrorClass[],
): Promise<void> {
  const error = await call.then(() => undefined, (error) => error);
  assert(Classes.some((Class) => error instanceof Class), `${error}`);
  assert(!error.message.includes("PASV"), `late: ${error}`); // tried after the time-out
}
