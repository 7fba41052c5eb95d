// What is left of a test run that was killed: nothing.

import { assert } from "@std/assert";
import { isIgnored } from "./mod.ts";

/** How long the server may outlive whoever started it, in milliseconds, on a busy machine. */
const END_TIMEOUT = 20_000;

const PROGRAM = `
import { startServer } from ${JSON.stringify(import.meta.resolve("./mod.ts"))};
const { host, port } = await startServer("pyftpdlib");
console.log(JSON.stringify({ hostname: host, port }));
`;

Deno.test("ServerProcess ends with the process that started it", {
  ignore: isIgnored("pyftpdlib"), // it has one process: its connections end with it
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
  const ended = await ends(conn);
  await output.cancel();
  assert(ended, `The server lives on after ${END_TIMEOUT} ms`);
});

/** Whether the other side ends or resets the connection in time. */
async function ends(conn: Deno.Conn): Promise<boolean> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    conn.close(); // ends the read
  }, END_TIMEOUT);
  const buffer = new Uint8Array(4096);
  while (await conn.read(buffer).catch(() => null) !== null);
  clearTimeout(timer);
  return !isLate;
}
