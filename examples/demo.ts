/**
 * Demo: starts a small FTP server in this process, and downloads a file from it
 * with live progress.
 *
 *     npx -y deno@2.9.6 task demo
 *
 * @module
 */

import { ScriptedServer } from "../tests/testing/scripted/mod.ts";
import { main } from "./advanced_binary_download.ts";

const PATH = "/pub/linux/kernel/v1.0/linux-1.0.tar.gz";
const SIZE = 1_259_161;
/** Bytes that the server sends at once, and the milliseconds until the next. */
const PIECE = 16 * 1024;
const PAUSE = 25;

const content = new Uint8Array(SIZE).map((_, i) => (i * 2654435761) >>> 24);

await using server = await ScriptedServer.start({ files: { [PATH]: content } });
server.on("RETR", async (turn) => {
  await turn.reply(150, `Opening BINARY mode data connection (${SIZE} bytes)`);
  const data = await turn.openData();
  for (let at = 0; at < SIZE; at += PIECE) {
    await data.write(content.subarray(at, at + PIECE));
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  await data.end();
  await turn.reply(226, "Transfer complete");
});

const folder = await Deno.makeTempDir();
try {
  Deno.chdir(folder);
  console.log(`Server at ftp://${server.host}:${server.port}${PATH}`);
  await main(server.host, server.port);
  const received = await Deno.readFile("linux-1.0.tar.gz");
  console.log(`sent     SHA-256 ${await sha256(content)}`);
  console.log(`received SHA-256 ${await sha256(received)}`);
} finally {
  Deno.chdir("/");
  await Deno.remove(folder, { recursive: true });
}

async function sha256(bytes: BufferSource): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
