// What is left of a test run that was killed: nothing.

import { assertEquals } from "@std/assert";
import { isIgnored } from "./mod.ts";

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
