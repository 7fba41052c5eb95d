/**
 * Interrupted uploads, by a proxy in front of a real server or by the scripted
 * server.
 */

import { FTP, type FTPOptions } from "../../../mod.ts";
import { type Fault, Proxy } from "../../testing/proxy.ts";
import type { Turn } from "../../testing/scripted/mod.ts";
import type { RealServer } from "../../testing/servers/mod.ts";

/** A proxy where the first data connection has an accident. */
export function cutFirst(
  server: RealServer,
  offset: number,
  fault: Fault,
): Promise<Proxy> {
  return Proxy.start(server, {
    plan: ({ channel, index }) =>
      channel === "data" && index === 0
        ? [{ direction: "up", offset, fault }]
        : [],
  });
}

/** Logs in through a proxy. */
export async function logInThrough(
  { host, port }: Proxy,
  { user, password }: RealServer,
  options: FTPOptions = {},
): Promise<FTP> {
  const ftp = new FTP(options);
  await ftp.connect(host, port);
  await ftp.login(user, password);
  return ftp;
}

/** Takes some bytes, keeps them, and closes both connections. */
export function keepSome(length: number): (turn: Turn) => Promise<void> {
  return async (turn) => {
    await turn.reply(150, "Send it");
    const data = await turn.openData();
    const chunks: Uint8Array[] = [];
    for (let count = 0; count < length;) {
      const chunk = (await data.read())!;
      chunks.push(chunk.subarray(0, length - count));
      count += chunk.length;
    }
    turn.server.put(
      `/${turn.argument}`,
      await new Blob(chunks as BlobPart[]).bytes(),
    );
    data.reset();
    turn.close();
  };
}
