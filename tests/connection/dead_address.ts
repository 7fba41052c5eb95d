/**
 * Connects to names with an unreachable address. Run by dead_address_test.ts,
 * with its own /etc/hosts, and with the sanitizers of `deno test`.
 */

import { assertEquals, assertRejects } from "@std/assert";
import { FTP } from "../../mod.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";
import { SilentPort } from "../testing/silent_port.ts";

/** Opens addresses that never answer, at the port of a server. */
async function openDead(
  hosts: readonly string[],
  port: number,
): Promise<DisposableStack> {
  const stack = new DisposableStack();
  for (const hostname of hosts) {
    stack.use(await SilentPort.open({ hostname, port }));
  }
  return stack;
}

/** Names in /etc/hosts, and their addresses that never answer. */
const NAMES: [name: string, dead: readonly string[]][] = [
  ["both.test", ["::1"]],
  ["three.test", ["::1", "127.0.0.9", "127.0.0.10"]],
  ["both.test", []],
];

for (const [name, dead] of NAMES) {
  Deno.test(`FTP.connect reaches ${name} where ${dead.length} addresses are dead`, async () => {
    await using server = await ScriptedServer.start({ files: { "/a": "a" } });
    using _dead = await openDead(dead, server.port);
    // far beyond 250 ms for each address, on any machine
    await using ftp = new FTP({ timeout: 15_000 });
    await ftp.connect(name, server.port);
    await ftp.login();
    assertEquals(await new Response(await ftp.retrieve("a")).text(), "a");
    assertEquals(server.sessions.length, 1);
  });
}

Deno.test("FTP.connect waits its time where all addresses of a name are dead", async () => {
  using silent = await SilentPort.open();
  using _dead = await openDead(["::1"], silent.port);
  const ftp = new FTP({ timeout: 1000 });
  await assertRejects(
    () => ftp.connect("both.test", silent.port),
    Deno.errors.TimedOut,
    "no answer within 1000 ms",
  );
});

Deno.test("FTP.connect ends by its signal while it tries the addresses of a name", async () => {
  using silent = await SilentPort.open();
  using _dead = await openDead(["::1"], silent.port);
  const ftp = new FTP({ timeout: 0 });
  await assertRejects(
    () =>
      ftp.connect("both.test", silent.port, {
        signal: AbortSignal.timeout(400),
      }),
    DOMException,
  );
});
