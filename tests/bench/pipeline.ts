/**
 * Twenty thousand `SIZE`s over a connection with 20 ms of round trip, in a
 * pipeline; Python's ftplib does two hundred, one at a time, and its time for
 * all is extrapolated.
 *
 *     deno run -A tests/bench/pipeline.ts
 */

import { FTP, type Reply } from "../../mod.ts";
import { Proxy } from "../testing/proxy.ts";
import { startServer } from "../testing/servers/mod.ts";
import { runPython } from "./compare.ts";

const COMMANDS = 20_000;
const SAMPLE = 200;
const ROUND_TRIP = 20; // milliseconds

await using server = await startServer("vsftpd", { passivePorts: 4 });
await server.write("a.txt", "hello");
await using proxy = await Proxy.start(server, { delay: ROUND_TRIP });

await using ftp = new FTP();
await ftp.connect(proxy.host, server.port);
await ftp.login(server.user, server.password);
await ftp.voidcmd("TYPE I");
const start = performance.now();
let right = 0;
const commands = Array.from({ length: COMMANDS }, () => "SIZE a.txt");
for await (const reply of ftp.pipeline(commands)) {
  if ((reply as Reply).text === "213 5") right++;
}
const ours = performance.now() - start;
if (right !== COMMANDS) throw new Error(`${right} right replies`);

const loop = performance.now();
await runPython(
  `
import ftplib, sys
f = ftplib.FTP(); f.connect("${proxy.host}", ${server.port}); f.login(sys.argv[1], sys.argv[2])
f.voidcmd("TYPE I")
for i in range(${SAMPLE}): assert f.size("a.txt") == 5
f.quit()
`,
  [server.user, server.password],
);
const theirs = (performance.now() - loop) / SAMPLE * COMMANDS;
console.log(
  `${COMMANDS} SIZEs over ${ROUND_TRIP} ms: ${
    ours.toFixed(0)
  } ms in a pipeline, ` +
    `${
      (theirs / 1000).toFixed(0)
    } s one at a time (extrapolated from ${SAMPLE}): ` +
    `${(theirs / ours).toFixed(0)} times as fast`,
);
