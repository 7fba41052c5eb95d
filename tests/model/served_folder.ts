/**
 * A folder for a server, in memory if possible, because thousands of files are
 * created in it.
 */

import { handOver } from "../testing/servers/real_server.ts";

/** Where Linux keeps files in memory. */
const MEMORY = "/dev/shm";

/** The folder, removed at the end of its block. */
export class ServedFolder implements Disposable {
  readonly path: string;

  constructor() {
    this.path = makeFolder();
    Deno.chmodSync(this.path, 0o755);
    handOver(this.path);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function makeFolder(): string {
  const prefix = "ftp_served_";
  try {
    return Deno.makeTempDirSync({ dir: MEMORY, prefix });
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied;
    if (!isMissing) throw error;
    return Deno.makeTempDirSync({ prefix });
  }
}
