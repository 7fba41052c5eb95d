/** The scripted server with a logged-in client, for tests of files. */

import { FTP, type FTPOptions } from "../../mod.ts";
import { ScriptedServer } from "./scripted/mod.ts";

/** A scripted server that makes its clients itself. */
export interface MemoryServer extends ScriptedServer {
  /** A client that is logged in. */
  client(options?: FTPOptions): Promise<FTP>;
}

/** Starts a server over files in memory. */
export async function memoryServer(
  files: Record<string, string | Uint8Array> = {},
): Promise<MemoryServer> {
  const server = await ScriptedServer.start({ files });
  return Object.assign(server, {
    async client(options: FTPOptions = {}): Promise<FTP> {
      const ftp = new FTP({ timeout: 2000, ...options });
      await ftp.connect(server.host, server.port);
      await ftp.login("user", "secret");
      return ftp;
    },
  });
}
