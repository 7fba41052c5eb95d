/**
 * The classic program of ftplib tutorials: a binary download with
 * `ntransfercmd`, and progress.
 *
 *     deno run --allow-net --allow-read --allow-write \
 *       examples/advanced_binary_download.ts [host] [port]
 *
 * @module
 */

import { FTP } from "../mod.ts";

const DIRECTORY = "/pub/linux/kernel/v1.0";
const NAME = "linux-1.0.tar.gz";
const BLOCKSIZE = 2048;

/**
 * Downloads `linux-1.0.tar.gz` into the current folder.
 *
 * @param host The server
 * @param port Its port
 * @throws {Deno.errors.AlreadyExists} If the file is there: it is not
 * overwritten
 */
export async function main(host: string, port: number): Promise<void> {
  // createNew refuses to overwrite, without a moment between asking and opening
  using file = await Deno.open(NAME, { write: true, createNew: true });
  const ftp = new FTP();
  await ftp.connect(host, port);
  await ftp.login();
  await ftp.cwd(DIRECTORY);
  await ftp.voidcmd("TYPE I");

  const [conn, size] = await ftp.ntransfercmd(`RETR ${NAME}`);
  const show = makeProgress(size);
  const block = new Uint8Array(BLOCKSIZE);
  let received = 0;
  for (let n; (n = await conn.read(block)) !== null;) {
    for (let at = 0; at < n;) at += await file.write(block.subarray(at, n));
    received += n;
    show(received, false);
  }
  show(received, true);
  conn.close();
  await ftp.voidresp(); // only now is the file known to be whole
  await ftp.quit();
}

/** Live on a terminal, with every block; elsewhere about ten lines. */
function makeProgress(
  size: number | null,
): (received: number, isDone: boolean) => void {
  const isLive = Deno.stdout.isTerminal();
  let due = 0;
  return (received, isDone) => {
    const line = progress(received, size);
    if (isLive) {
      print(`\r${line}${isDone ? "\n" : ""}`);
    } else if (isDone || received >= due) {
      print(`${line}\n`);
      due = size === null ? 2 * received : received + size / 9;
    }
  };
}

function progress(received: number, size: number | null): string {
  if (size === null) return `Received ${received} bytes`;
  const percent = (100 * received / Math.max(size, 1)).toFixed(1);
  return `Received ${received} of ${size} total bytes (${percent}%)`;
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

if (import.meta.main) {
  const [host = "ftp.kernel.org", port = "21"] = Deno.args;
  try {
    await main(host, Number(port));
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    console.error(`Will not overwrite "${NAME}": remove it first`);
    Deno.exit(1);
  }
}
