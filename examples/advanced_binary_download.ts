/**
 * The classic program of the ftplib books: a binary download by hand, with
 * progress.
 *
 *     deno run --allow-net --allow-read --allow-write \
 *       examples/advanced_binary_download.ts [host] [port]
 *
 * @module
 */

import { FTP } from "../mod.ts";

const HOST = Deno.args[0] ?? "ftp.kernel.org";
const PORT = Number(Deno.args[1] ?? 21);
const DIRECTORY = "/pub/linux/kernel/v1.0";
const NAME = "linux-1.0.tar.gz";
const BLOCKSIZE = 2048;

const encoder = new TextEncoder();

function show(text: string): void {
  Deno.stdout.writeSync(encoder.encode(text));
}

function progress(received: number, size: number | null): string {
  if (size === null) return `\rReceived ${received} bytes`;
  const percent = (100 * received / Math.max(size, 1)).toFixed(1);
  return `\rReceived ${received} of ${size} total bytes (${percent}%)`;
}

// createNew refuses to overwrite, without a moment between asking and opening
let file: Deno.FsFile;
try {
  file = await Deno.open(NAME, { write: true, createNew: true });
} catch (error) {
  if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  console.error(`Will not overwrite "${NAME}": remove it first`);
  Deno.exit(1);
}

using _file = file;
const ftp = new FTP();
await ftp.connect(HOST, PORT);
await ftp.login();
await ftp.cwd(DIRECTORY);
await ftp.voidcmd("TYPE I");

const [conn, size] = await ftp.ntransfercmd(`RETR ${NAME}`);
const block = new Uint8Array(BLOCKSIZE);
let received = 0;
for (let n; (n = await conn.read(block)) !== null;) {
  for (let at = 0; at < n;) at += await file.write(block.subarray(at, n));
  received += n;
  show(progress(received, size));
}
show("\n");
conn.close();
await ftp.voidresp(); // only now is the file known to be whole
await ftp.quit();
