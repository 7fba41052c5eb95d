// Nothing is left of a stopped server, or of a killed test run.

import { assertEquals } from "@std/assert";
import { SERVER_HOST, takePorts } from "./loopback.ts";
import { isIgnored, startServer } from "./mod.ts";
import { ServerProcess } from "./process.ts";
import { findFile, programEnvironment } from "./programs.ts";
import { PYTHON } from "./pyftpdlib.ts";

const PROGRAM = `
import { startServer } from ${JSON.stringify(import.meta.resolve("./mod.ts"))};
const { host, port } = await startServer("pyftpdlib");
console.log(JSON.stringify({ hostname: host, port }));
`;

Deno.test("ServerProcess ends with the process that started it", {
  ignore: isIgnored("pyftpdlib"), // it has one process: its connections end with it
  timeout: 60_000, // a server that lives on keeps the connection
}, async () => {
  const runner = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--ext=ts", PROGRAM],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const output = runner.stdout.getReader();
  const line = new TextDecoder().decode((await output.read()).value);
  using conn = await Deno.connect(JSON.parse(line));
  runner.kill("SIGKILL");
  await runner.status;
  const buffer = new Uint8Array(4096);
  let n;
  do n = await conn.read(buffer).catch(() => null); while (n !== null);
  assertEquals(n, null);
  await output.cancel();
});

// Its session has the server's port open, as Pure-FTPd's have, and so much memory that its end takes a while.
const SLOW_TO_END = `
import os, socket, sys, time
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
ready, tell = os.pipe()
if os.fork() == 0:
    memory = b"x" * 200_000_000
    os.write(tell, b"x")
    time.sleep(1000)
os.read(ready, 1)
while True:
    client, _ = server.accept()
    client.sendall(b"220 \\r\\n")
    client.close()
`;

Deno.test("ServerProcess.stop waits until the sessions are gone, too", {
  ignore: isIgnored("pyftpdlib"),
}, async () => {
  const port = takePorts(SERVER_HOST, 1);
  const folder = await Deno.makeTempDir();
  const python = findFile(...PYTHON)!;
  const server = new ServerProcess({
    command: [python, "-c", SLOW_TO_END, SERVER_HOST, String(port)],
    env: programEnvironment(),
    folder,
    outside: undefined,
    maxFileSize: undefined,
  });
  try {
    await server.ready(SERVER_HOST, port, false);
  } finally {
    await server.stop();
  }
  using listener = Deno.listen({ hostname: SERVER_HOST, port });
  assertEquals(listener.addr.port, port);
  await Deno.remove(folder, { recursive: true });
});

Deno.test(
  "startServer takes the port of a Pure-FTPd that was killed, again and again",
  {
    ignore: isIgnored("pure-ftpd"),
    timeout: 60_000,
  },
  async () => {
    let server = await startServer("pure-ftpd");
    try {
      const { host: hostname, port } = server;
      for (let time = 0; time < 20; time++) {
        using conn = await Deno.connect({ hostname, port });
        const greeting = new Uint8Array(3);
        await conn.read(greeting); // the session is there
        assertEquals(new TextDecoder().decode(greeting), "220");
        server.kill();
        await server.stop();
        server = await startServer("pure-ftpd", { port });
      }
    } finally {
      await server.stop();
    }
  },
);
