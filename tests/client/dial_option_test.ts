import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Dial,
  type DialedConn,
  FTP,
  ftpcp,
  FTPPermanentError,
} from "../../mod.ts";
import { memoryServer } from "../testing/memory_server.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";

/** Calls of a tunnel, in words. */
interface Tunnel {
  readonly dial: Dial;
  readonly calls: string[];
}

/** A tunnel to a port of this machine, whatever the name is. */
function tunnelTo(hostname: string): Tunnel {
  const calls: string[] = [];
  return {
    calls,
    dial: ({ hostname: asked, port, transport, signal }) => {
      calls.push(`${transport} ${asked}`);
      return Deno.connect({ hostname, port, signal });
    },
  };
}

/** A minimal connection: only the four methods. */
function bare(conn: Deno.TcpConn, change: Partial<DialedConn> = {}) {
  return {
    read: (buffer: Uint8Array) => conn.read(buffer),
    write: (bytes: Uint8Array) => conn.write(bytes),
    closeWrite: () => conn.closeWrite(),
    close: () => conn.close(),
    ...change,
  };
}

const NAME = "ftp.example.test"; // an unknown host, except for the tunnel

Deno.test("FTP dials control and data connections by the function dial, to the host that was named", async () => {
  await using server = await ScriptedServer.start({ files: { "/a": "hello" } });
  const { dial, calls } = tunnelTo(server.host);
  await using ftp = new FTP({ dial });
  await ftp.connect(NAME, server.port);
  await ftp.login();
  assertEquals(await new Response(await ftp.retrieve("a")).text(), "hello");
  await ftp.store("b", new TextEncoder().encode("there"));
  assertEquals(new TextDecoder().decode(server.files.get("/b")), "there");
  assertEquals(calls, [`control ${NAME}`, `data ${NAME}`, `data ${NAME}`]);
});

Deno.test("FTP asks for PASV where EPSV is refused, and dials the host that was named", async () => {
  await using server = await ScriptedServer.start({ files: { "/a": "hello" } });
  server.on("EPSV", "500 What?");
  const { dial, calls } = tunnelTo(server.host);
  await using ftp = new FTP({ dial });
  await ftp.connect(NAME, server.port);
  await ftp.login();
  assertEquals(await new Response(await ftp.retrieve("a")).text(), "hello");
  assertEquals(calls, [`control ${NAME}`, `data ${NAME}`]);
});

Deno.test("FTP dials by the function dial in clone, reconnect, pipelines and the connections of a mirror", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`/${i}`, `file ${i}`]),
  );
  await using server = await ScriptedServer.start({ files });
  const { dial, calls } = tunnelTo(server.host);
  const count = () =>
    calls.splice(0).filter((call) => call.startsWith("control")).length;
  await using ftp = new FTP({ dial });
  await ftp.connect(NAME, server.port);
  await ftp.login();
  assertEquals(count(), 1);
  await using clone = await ftp.clone();
  assertEquals(await clone.size("0"), 6);
  await clone.reconnect();
  assertEquals(await clone.size("1"), 6);
  assertEquals(count(), 2);
  let missing = 3;
  const all = Promise.withResolvers<void>();
  server.on("RETR", async (turn) => {
    if (--missing === 0) all.resolve();
    await all.promise;
    await turn.default();
  });
  using folder = new LocalFolder();
  const result = await ftp.downloadDir("", folder.path, { connections: 3 });
  assertEquals([result.transferred, count()], [8, 2]);
});

Deno.test("FTP takes a connection with four methods from dial, and checks what they give", async (t) => {
  await using server = await ScriptedServer.start({ files: { "/a": "hello" } });
  const open = () => Deno.connect({ hostname: server.host, port: server.port });
  await t.step("four methods", async () => {
    await using ftp = new FTP({
      dial: async ({ port }) =>
        bare(await Deno.connect({ hostname: server.host, port })),
    });
    await ftp.connect(NAME, server.port);
    await ftp.login();
    const [conn] = await ftp.ntransfercmd("RETR a");
    assertEquals(conn.remoteAddr, {
      transport: "tcp",
      hostname: NAME,
      port: (conn.remoteAddr as Deno.NetAddr).port,
    });
    assertEquals(await new Response(conn.readable).text(), "hello");
    await ftp.voidresp();
  });
  const faulty: [what: string, Partial<DialedConn>, message: string][] = [
    [
      "0 for ever",
      { read: () => Promise.resolve(0) },
      "read() returned 0 bytes",
    ],
    [
      "too many",
      { read: () => Promise.resolve(1e9) },
      "read() returned 1000000000",
    ],
    [
      "no number",
      { read: () => Promise.resolve("x" as unknown as number) },
      "read() returned a value of type string",
    ],
    [
      "a throw",
      {
        read: () => {
          throw new Deno.errors.ConnectionReset("tunnel fell in");
        },
      },
      "tunnel fell in",
    ],
    [
      "no write",
      { write: () => Promise.resolve(0) },
      "write() wrote 0 bytes",
    ],
  ];
  for (const [what, change, message] of faulty) {
    await t.step(what, async () => {
      await using ftp = new FTP({
        dial: async () => bare(await open(), change),
      });
      const enter = async () => {
        await ftp.connect(NAME, server.port);
        await ftp.login();
      };
      await assertRejects(enter, Error, message);
    });
  }
});

Deno.test("FTP.connect says what dial did wrong", async (t) => {
  const table: [what: string, give: () => unknown, message: string][] = [
    [
      "nothing",
      () => undefined,
      'the function "dial" returned a value of type undefined',
    ],
    ["null", () => null, 'the function "dial" returned null'],
    [
      "less",
      () => ({ read() {} }),
      'returned an object without the method "write"',
    ],
  ];
  for (const [what, give, message] of table) {
    await t.step(what, async () => {
      const ftp = new FTP({ dial: give as Dial });
      const error = await assertRejects(
        () => ftp.connect(NAME, 2121),
        TypeError,
        message,
      );
      assertEquals(error.message.includes(`"${NAME}:2121"`), true);
    });
  }
  await t.step("an error of the platform", async () => {
    const dial: Dial = () => {
      throw new Deno.errors.ConnectionRefused("bastion is closed");
    };
    await assertRejects(
      () => new FTP({ dial }).connect(NAME, 2121),
      Deno.errors.ConnectionRefused,
      `Cannot connect to "${NAME}:2121": the function "dial" failed: bastion is closed`,
    );
  });
  await t.step("an error of its own", async () => {
    class TunnelError extends Error {}
    const own = new TunnelError("no key");
    const ftp = new FTP({ dial: () => Promise.reject(own) });
    const error = await ftp.connect(NAME, 2121).catch((error) => error);
    assertEquals(error === own, true);
  });
});

Deno.test("FTP.connect ends the wait for dial by time and signal, and closes what comes late", async (t) => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  for (const end of ["time", "signal"]) {
    await t.step(end, async () => {
      const late = Promise.withResolvers<void>();
      const controller = new AbortController();
      let given: AbortSignal | undefined;
      const dial: Dial = async ({ signal }) => {
        given = signal;
        if (end === "signal") controller.abort(new Error("enough"));
        await late.promise; // whatever the signal says
        return await Deno.connect({ hostname, port });
      };
      const ftp = new FTP({ dial, timeout: end === "time" ? 100 : 0 });
      await assertRejects(
        () => ftp.connect(NAME, port, { signal: controller.signal }),
        Error,
        end === "time"
          ? 'the function "dial" returned no connection within 100 ms'
          : "enough",
      );
      assertEquals(given?.aborted, true);
      late.resolve();
      using conn = await listener.accept();
      assertEquals(await conn.read(new Uint8Array(1)), null);
    });
  }
});

Deno.test("FTP ends a read of a connection that does not end it itself", async () => {
  await using server = await memoryServer({ "/a": "hello" });
  const dial: Dial = async ({ port }) => {
    const conn = await Deno.connect({ hostname: server.host, port });
    const reader = conn.readable.getReader();
    let isClosed = false;
    return bare(conn, {
      read: async (buffer) => {
        const { done, value } = await reader.read().catch(() => ({
          done: true,
          value: undefined,
        }));
        if (isClosed) await new Promise(() => {}); // never
        if (done) return null;
        buffer.set(value!);
        return value!.length;
      },
      close: () => {
        isClosed = true;
        conn.close();
      },
    });
  };
  const ftp = await server.client({ dial });
  ftp.close();
  await assertRejects(() => ftp.pwd(), Deno.errors.NotConnected, "close()");
});

Deno.test("FTP refuses active mode with dial, at once and before anything is sent", async () => {
  assertThrows(
    () => new FTP({ dial: tunnelTo("127.0.0.1").dial, passive: false }),
    TypeError,
    'Cannot use active mode with "dial"',
  );
  await using server = await memoryServer();
  const { dial } = tunnelTo(server.host);
  await using ftp = await server.client({ dial });
  assertThrows(() => ftp.setPasv(false), TypeError, "active mode");
  assertEquals(ftp.passiveserver, true);
  const before = server.commands.length;
  await assertRejects(() => ftp.makeport(), TypeError, "active mode");
  assertEquals(server.commands.length, before);
});

Deno.test("FTP throws the server's refusal of passive mode with dial, also where passive is auto", async () => {
  await using server = await memoryServer({ "/a": "hello" });
  for (const verb of ["EPSV", "PASV"]) server.on(verb, "502 Not here");
  const { dial } = tunnelTo(server.host);
  for (const passive of [true, "auto"] as const) {
    await using ftp = await server.client({ dial, passive });
    const error = await assertRejects(
      () => ftp.retrieve("a"),
      FTPPermanentError,
      "502 Not here",
    );
    assertEquals(error.message.includes("passive: false"), false);
  }
  assertEquals(server.verbs.includes("PORT"), false);
});

Deno.test("FTP takes every connection of Deno's from dial", async () => {
  await using server = await memoryServer({ "/a": "hello" });
  const folder = await Deno.makeTempDir();
  const path = `${folder}/socket`;
  try {
    using listener = Deno.listen({ transport: "unix", path });
    let port = server.port;
    const relaying = (async () => {
      for (let i = 0; i < 2; i++) {
        const near = await listener.accept();
        const far = await Deno.connect({ hostname: server.host, port });
        near.readable.pipeTo(far.writable).catch(() => {});
        far.readable.pipeTo(near.writable).catch(() => {});
      }
    })();
    const dial: Dial = (target) => {
      port = target.port;
      return Deno.connect({ transport: "unix", path });
    };
    await using ftp = await server.client({ dial });
    assertEquals(await new Response(await ftp.retrieve("a")).text(), "hello");
    await relaying;
    await ftp.quit();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** For the compiler: connections over TLS are taken, too. */
const _overTLS: Dial = ({ hostname, port }) =>
  Deno.connectTls({ hostname, port });

Deno.test("FTP names the tunnel where a connection through it ends", async () => {
  await using server = await memoryServer();
  server.on("PWD", (turn) => turn.end());
  const { dial } = tunnelTo(server.host);
  await using ftp = await server.client({ dial });
  await assertRejects(
    () => ftp.pwd(),
    Deno.errors.UnexpectedEof,
    'the server, or the tunnel of "dial", closed the connection',
  );
  server.on("PWD", (turn) => turn.stall());
  await using other = await server.client({ dial, timeout: 200 });
  await assertRejects(
    () => other.pwd(),
    Deno.errors.TimedOut,
    'no reply within 200 ms through the tunnel of "dial"',
  );
});

Deno.test("ftpcp copies from a server behind a tunnel by its address, and says that a name will not do", async () => {
  await using source = await memoryServer({ "/a": "hello" });
  await using target = await memoryServer();
  const { dial } = tunnelTo(source.host);
  await using to = await target.client();
  for (const host of [source.host, NAME]) {
    await using from = new FTP({ dial });
    await from.connect(host, source.port);
    await from.login();
    const before = target.commands.length;
    const copying = ftpcp(from, "a", to, "b");
    if (host === NAME) {
      await assertRejects(() => copying, TypeError, "by its address");
      assertEquals(target.commands.length, before);
    } else {
      await copying;
      assertEquals(target.files.get("/b")?.length, 5);
    }
  }
});

/** The first program of docs/networks.md that runs ssh. */
function jumpHostProgram(): string {
  const page = Deno.readTextFileSync(
    new URL("../../docs/networks.md", import.meta.url),
  );
  const programs = page.matchAll(/```ts\n(.*?)```/gs);
  return [...programs].map(([, program]) => program!)
    .find((program) => program.includes('"ssh"'))!;
}

/** A replacement of "ssh -W host:port bastion". */
const RELAY = `
const [, port] = /:(\\d+)$/.exec(Deno.args[1]);
const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
Deno.stdin.readable.pipeTo(conn.writable);
await conn.readable.pipeTo(Deno.stdout.writable);
Deno.exit(); // the other side sees its end
`;

Deno.test("FTP goes through a process, as the documentation has it for ssh", {
  ignore: Deno.build.os === "windows", // the stand-in for ssh is a shell script
}, async () => {
  await using server = await memoryServer({ "/a": "hello" });
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/relay.ts`, RELAY);
    await Deno.writeTextFile(
      `${folder}/ssh`,
      `#!/bin/sh\nexec "${Deno.execPath()}" run -A --no-check "${folder}/relay.ts" "$@"\n`,
      { mode: 0o755 },
    );
    const program = jumpHostProgram()
      .replace(
        /"https:[^"]*"/,
        JSON.stringify(import.meta.resolve("../../mod.ts")),
      )
      .replace('tls: "explicit",', "")
      .replace('"ftp.internal"', `"ftp.internal", ${server.port}`);
    await Deno.writeTextFile(
      `${folder}/main.ts`,
      `${program}
await ftp.login();
console.log(await new Response(await ftp.retrieve("a")).text());
await ftp.store("b", new Uint8Array(1_000_000));
await ftp.quit();
`,
    );
    const PATH = `${folder}:${Deno.env.get("PATH")}`;
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [
          ...["run", "--no-check", "--no-prompt", "--allow-run=ssh"],
          `${folder}/main.ts`,
        ],
        env: { PATH, NO_COLOR: "1" },
      },
    ).output();
    const decoder = new TextDecoder();
    assertEquals(
      [decoder.decode(stdout), success],
      ["hello\n", true],
      decoder.decode(stderr),
    );
    assertEquals(server.files.get("/b")?.length, 1_000_000);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
