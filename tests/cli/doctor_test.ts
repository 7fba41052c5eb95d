/** Runs `ftp doctor` as a process. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { withTLS } from "../real/tls_client.ts";
import { DEAD_PORT } from "../testing/dead_port.ts";
import { Proxy } from "../testing/proxy.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { eventsOf, runCLI, urlOf } from "./run_cli.ts";

serverTest(
  "cli.ts doctor reports step by step and ends with the options to use",
  async (server) => {
    await server.mkdir("in");
    const { password } = server;
    const url = `${urlOf(server)}/in`;
    const run = await runCLI(["doctor", url, "--write", "/in"], { password });
    assertEquals(run.code, 0, run.stdout + run.stderr);
    assertEquals(
      /^ok +login +Logged in\.$/m.test(run.stdout),
      true,
      run.stdout,
    );
    assertEquals(/^ok +write +/m.test(run.stdout), true, run.stdout);
    assertStringIncludes(run.stdout, "(clear-text)");
    assertStringIncludes(run.stdout, `await connect("${url}"`);
    assertEquals((run.stdout + run.stderr).includes(password), false);
  },
);

serverTest(
  "cli.ts doctor says when a firewall is the cause",
  async (server) => {
    const { host, port, user, password } = server;
    await using proxy = await Proxy.start({ host, port });
    const url = `ftp://${user}@${proxy.host}:${proxy.port}/`;
    const run = await runCLI(["doctor", url], { password });
    assertEquals(run.code, 3, run.stdout + run.stderr);
    assertStringIncludes(run.stdout, "Error (passive-ports-closed)");
    assertStringIncludes(run.stdout, "A firewall or a router is the cause");
  },
  { servers: ["proftpd"] },
);

serverTest(
  "cli.ts doctor --json prints the fingerprint to pin",
  async (server) => {
    const url = `${urlOf(server, "ftpes")}/`;
    const options = { password: server.password };
    const run = await runCLI(["doctor", "--json", url], options);
    assertEquals(run.code, 3, run.stdout + run.stderr);
    const events = eventsOf(run);
    const result = events.find(({ event }) => event === "result") as {
      options: { tls: { fingerprint: string } };
    };
    const { fingerprint } = result.options.tls;
    const again = await runCLI(
      ["doctor", "--json", url, "--fingerprint", fingerprint],
      options,
    );
    assertEquals(again.code, 0, again.stdout + again.stderr);
    const steps = eventsOf(again).filter(({ event }) => event === "step");
    assert(steps.length >= 10, again.stdout);
  },
  { servers: ["vsftpd", "pyftpdlib"], prepare: withTLS({}, "selfSigned") },
);

Deno.test("cli.ts doctor exits with 3 if the port is closed", async () => {
  const run = await runCLI(["doctor", `ftp://127.0.0.1:${DEAD_PORT}/`]);
  assertEquals(run.code, 3, run.stdout + run.stderr);
  assertStringIncludes(run.stdout, "Error (connection-refused)");
});
