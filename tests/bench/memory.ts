/**
 * Resident memory of processes that move 10 GB, or as many megabytes as are
 * asked for, and of those that move a tenth: they should differ by next to
 * nothing. What is received lies in the folder for temporary files, one file at
 * a time.
 *
 *     deno run -A tests/bench/memory.ts [megabytes]
 */

import { startServer } from "../testing/servers/mod.ts";

const LARGE = Number(Deno.args[0] ?? 10_000);

/** Downloads `source` or uploads it to `target`, and prints the memory. */
const PROGRAM = `
const { connect } = await import(${
  JSON.stringify(new URL("../../mod.ts", import.meta.url).href)
});
const [work, host, user, password, root, local] = Deno.args;
await using ftp = await connect("ftp://" + host, { user, password });
let peak = 0;
const sample = () => peak = Math.max(peak, Deno.memoryUsage().rss);
let size = 0;
const start = performance.now();
if (work === "retrbinary") {
  await ftp.retrbinary("RETR source", (block) => {
    if (size >> 26 !== (size += block.length) >> 26) sample();
  });
} else {
  const options = { progressRate: 20, onProgress: sample };
  ({ size } = work === "download"
    ? await ftp.download("source", local, options)
    : await ftp.upload(root + "/source", "target", options));
}
console.log(JSON.stringify({ size, peak, elapsed: performance.now() - start }));
`;

await using server = await startServer("vsftpd");
const { root, host, port, user, password } = server;
const folder = Deno.makeTempDirSync({ prefix: "ftp_memory_" });
try {
  for (const work of ["retrbinary", "download", "upload"]) {
    const peaks: number[] = [];
    for (const megabytes of [LARGE / 10, LARGE]) {
      await server.write("source", "");
      await Deno.truncate(`${root}/source`, megabytes * 1e6);
      const local = `${folder}/target`;
      const args = [work, `${host}:${port}`, user, password, root, local];
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", PROGRAM, ...args],
        stderr: "inherit",
      }).output();
      const { size, peak, elapsed } = JSON.parse(
        new TextDecoder().decode(stdout),
      );
      if (size !== megabytes * 1e6) throw new Error(`Moved ${size} bytes`);
      peaks.push(peak / 1e6);
      console.log(
        `${work}: ${megabytes} MB in ${(elapsed / 1000).toFixed(1)} s, ` +
          `at most ${(peak / 1e6).toFixed(1)} MB resident`,
      );
      for (const target of [local, `${root}/target`]) {
        await Deno.remove(target).catch(() => {}); // only one of them is there
      }
    }
    const growth = peaks[1]! - peaks[0]!;
    console.log(`${work}: ${growth.toFixed(1)} MB more for the larger file\n`);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
