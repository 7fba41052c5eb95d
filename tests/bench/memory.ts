/**
 * Resident memory of a process that downloads 1 GB and of one that downloads
 * 10 GB: they should differ by next to nothing.
 *
 *     deno run -A tests/bench/memory.ts [gigabytes]
 */

import { startServer } from "../servers/mod.ts";

const GIGABYTES = [1, Number(Deno.args[0] ?? 10)];

const PROGRAM = `
const { FTP } = await import(${
  JSON.stringify(new URL("../../mod.ts", import.meta.url).href)
});
const [host, port, user, password, name] = Deno.args;
const ftp = new FTP();
await ftp.connect(host, Number(port));
await ftp.login(user, password);
let received = 0;
let peak = 0;
await ftp.retrbinary("RETR " + name, (block) => {
  const before = received;
  received += block.length;
  if (before >> 26 !== received >> 26) peak = Math.max(peak, Deno.memoryUsage().rss);
});
await ftp.quit();
console.log(JSON.stringify({ received, peak }));
`;

await using server = await startServer("vsftpd");
for (const gigabytes of GIGABYTES) {
  const name = `sparse-${gigabytes}`;
  await server.write(name, "");
  await Deno.truncate(`${server.root}/${name}`, gigabytes * 1024 ** 3);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      PROGRAM,
      server.host,
      `${server.port}`,
      server.user,
      server.password,
      name,
    ],
    stderr: "inherit",
  }).output();
  const { received, peak } = JSON.parse(new TextDecoder().decode(stdout));
  console.log(
    `${received / 1024 ** 3} GB received, at most ${
      (peak / 1024 ** 2).toFixed(1)
    } MiB resident`,
  );
}
