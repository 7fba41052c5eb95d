/** Starts, awaits and ends the processes of a server. */

/** Longest wait for a server's greeting, in milliseconds, on a busy machine. */
const START_TIMEOUT = 20_000;

/** Longest wait for the end of killed processes, in milliseconds. */
const STOP_TIMEOUT = 20_000;

/** Interval of polling, where no event exists, in milliseconds. */
const INTERVAL = 10;

/**
 * Becomes the server. A child process waits for the end of its input, which
 * comes when the tests are killed or interrupted; it then ends the server and
 * removes its files.
 */
const SCRIPT = `
output=$1 folder=$2 outside=$3
shift 3
exec 3<&0 </dev/null >>"$output" 2>&1
(cat <&3; kill -KILL $$; rm -rf "$folder" "$outside") &
exec 3<&-
exec "$@"
`;

/** Program and arguments of a server. */
export interface ServerCommand {
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly env: Record<string, string>;
  /** Its folder, where a file collects what it prints. */
  readonly folder: string;
  /** Other files to remove with it. */
  readonly outside: string | undefined;
  /** Largest size of a file, in bytes; writing more fails with EFBIG. */
  readonly maxFileSize: number | undefined;
}

/**
 * A running server. Its processes share a session of the operating system,
 * whatever their parents are.
 */
export class ServerProcess {
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #output: string;
  /** The killed processes: their ids and start times. */
  readonly #killed = new Map<number, string>();
  #ended = false;

  /** Starts the process. */
  constructor(
    { command, env, folder, outside = "", maxFileSize }: ServerCommand,
  ) {
    this.#output = `${folder}/output.log`;
    // The shell's unit is 512 bytes. Ignoring SIGXFSZ turns the signal into an error of write().
    const limit = maxFileSize === undefined
      ? ""
      : `trap '' XFSZ; ulimit -f ${Math.ceil(maxFileSize / 512)}; `;
    this.#child = new Deno.Command("setsid", {
      args: [
        "/bin/sh",
        "-c",
        limit + SCRIPT,
        "sh",
        this.#output,
        folder,
        outside,
        ...command,
      ],
      env: { TZ: "UTC", ...env },
      cwd: folder, // where the tests run, a server without rights may not be let in
      stdin: "piped", // open as long as the tests run
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.pid = this.#child.pid;
    this.#child.status.then(() => this.#ended = true);
  }

  /** Waits until the server accepts connections and, unless TLS comes first, greets. */
  async ready(
    hostname: string,
    port: number,
    implicitTLS: boolean,
  ): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT;
    for (;;) {
      if (this.#ended) {
        throw new Error(`Cannot start the server: ${await this.printed()}`);
      }
      if (Date.now() > deadline) {
        throw new Error(`Cannot reach the server: ${await this.printed()}`);
      }
      let conn: Deno.TcpConn;
      try {
        conn = await Deno.connect({ hostname, port });
      } catch {
        // No server tells that it listens: the port itself is the only event there is.
        await new Promise((resolve) => setTimeout(resolve, INTERVAL));
        continue;
      }
      using _closed = conn;
      // one that accepts and says nothing is not waited for any longer
      const timer = setTimeout(() => conn.close(), deadline - Date.now());
      const isReady = implicitTLS || await greets(conn);
      clearTimeout(timer);
      if (isReady) return;
    }
  }

  /** Output of the process so far. */
  async printed(): Promise<string> {
    return await Deno.readTextFile(this.#output).catch(() => "");
  }

  /** Sends a signal to the server and to every session it serves. */
  kill(signal: Deno.Signal = "SIGKILL"): void {
    if (signal !== "SIGKILL") {
      this.#send(signal);
      return;
    }
    // What is stopped forks no more; look again until nothing new has appeared, then kill them all at once:
    // a session without its parent could not be distinguished from another process.
    let isNew;
    let found;
    do {
      isNew = false;
      found = this.#send("SIGSTOP");
      for (const { pid, started } of found) {
        if (this.#killed.get(pid) === started) continue;
        this.#killed.set(pid, started);
        isNew = true;
      }
    } while (isNew);
    sendAll(found, signal);
  }

  /** Kills the remaining processes, and waits until they are gone. */
  async stop(): Promise<void> {
    this.kill();
    await this.#child.status;
    await this.#child.stdin.close();
    await this.#gone();
  }

  /** Sends a signal, and returns the processes that got it. */
  #send(signal: Deno.Signal): ProcessEntry[] {
    const found = serverProcesses(this.pid);
    sendAll(found, signal);
    return found;
  }

  /**
   * Waits for killed processes: sessions end a little later than the server,
   * and keep its port open.
   */
  async #gone(): Promise<void> {
    const deadline = Date.now() + STOP_TIMEOUT;
    for (;;) {
      const pids = Array.from(this.#killed).flatMap(([pid, started]) =>
        readProcess(pid)?.started === started ? pid : []
      );
      if (pids.length === 0) return;
      if (Date.now() > deadline) {
        throw new Error(`Cannot end the server: ${pids} are still there`);
      }
      // Only a parent is told of an end, and theirs is gone.
      await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    }
  }
}

function sendAll(to: readonly ProcessEntry[], signal: Deno.Signal): void {
  for (const { pid } of to) {
    try {
      Deno.kill(pid, signal);
    } catch {
      // It ended meanwhile.
    }
  }
}

async function greets(conn: Deno.TcpConn): Promise<boolean> {
  const greeting = await conn.read(new Uint8Array(512)).catch(() => null);
  if (greeting === null) return false;
  // A session that is told to end leaves no half-closed connection in the server's log.
  await conn.write(new TextEncoder().encode("QUIT\r\n")).catch(() => 0);
  const buffer = new Uint8Array(512);
  while (await conn.read(buffer).catch(() => null) !== null);
  return true;
}

/**
 * Returns the running processes of a server: its session of the operating
 * system, and all descendants. vsftpd's sessions leave the session; processes
 * whose parent was killed leave the descendants.
 */
function serverProcesses(server: number): ProcessEntry[] {
  const members = new Set([server]);
  const living = processes();
  for (let size = 0; size !== members.size;) {
    size = members.size;
    for (const { pid, parent, session } of living) {
      if (members.has(parent) || members.has(session)) members.add(pid);
    }
  }
  return living.filter(({ pid }) => members.has(pid));
}

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** Start time, because process ids are reused. */
  readonly started: string;
}

/** Returns the running processes of the machine. */
function processes(): ProcessEntry[] {
  return Array.from(Deno.readDirSync("/proc")).flatMap(({ name }) =>
    /^\d+$/.test(name) ? readProcess(Number(name)) ?? [] : []
  );
}

/** Returns a process, or `undefined` if it has ended. */
function readProcess(id: number): ProcessEntry | undefined {
  let line: string;
  try {
    line = Deno.readTextFileSync(`/proc/${id}/stat`);
  } catch {
    return undefined;
  }
  // "pid (name) state ppid pgrp session ... starttime", the 22nd: the name may hold anything.
  const [state, parent, _group, session, ...rest] = line
    .slice(line.lastIndexOf(") ") + 2).split(" ");
  if (state === "Z") return undefined;
  return {
    pid: id,
    parent: Number(parent),
    session: Number(session),
    started: rest[15]!,
  };
}
