/**
 * Runs the command line as a process, with the permissions that the README
 * names. All command lines share a process, but those with standard input or an
 * environment of their own.
 */

import { fileURLToPath } from "node:url";
import { ON_DISK } from "../memory_folder.ts";
import { END_OF_RUN, type HostedRun } from "./cli_host.ts";
import type { RealServer } from "../testing/servers/mod.ts";

/** The program. */
export const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));

/** Permissions of the `deno install` line. */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env=FTP_PASSWORD",
  "--allow-sys=homedir",
];

/** The output of a run. */
export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** How it is run. */
export interface RunOptions {
  /** The folder to run in. */
  cwd?: string;
  /** The variable FTP_PASSWORD. */
  password?: string | undefined;
  /** Standard input. */
  stdin?: string | Uint8Array<ArrayBuffer>;
  /** The environment besides. */
  env?: Record<string, string>;
}

/** Starts the program; its streams are pipes. */
export function spawnCLI(
  args: readonly string[],
  { cwd, password, stdin, env }: RunOptions = {},
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...PERMISSIONS, CLI, ...args],
    ...(cwd === undefined ? {} : { cwd }),
    env: {
      NO_COLOR: "1",
      ...(password === undefined ? {} : { FTP_PASSWORD: password }),
      ...env,
    },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the program to its end. */
export async function runCLI(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Run> {
  const { cwd = Deno.cwd(), password, stdin, env } = options;
  if (host !== undefined && stdin === undefined && env === undefined) {
    return await host.run({ args, cwd, password });
  }
  const child = spawnCLI(args, options);
  if (stdin !== undefined) {
    const bytes = typeof stdin === "string"
      ? new TextEncoder().encode(stdin)
      : stdin;
    const writer = child.stdin.getWriter();
    await writer.write(bytes);
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

const HOST = fileURLToPath(new URL("cli_host.ts", import.meta.url));

/** A process for several command lines. */
class CLIHost {
  readonly #child: Deno.ChildProcess;
  readonly #conn: Deno.Conn;
  readonly #stdout: AsyncGenerator<HostedOutput>;
  readonly #stderr: AsyncGenerator<HostedOutput>;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(child: Deno.ChildProcess, conn: Deno.Conn) {
    this.#child = child;
    this.#conn = conn;
    this.#stdout = runsOf(child.stdout);
    this.#stderr = runsOf(child.stderr);
  }

  static async start(): Promise<CLIHost> {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        ...PERMISSIONS,
        HOST,
        String(listener.addr.port),
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new CLIHost(child, await listener.accept());
  }

  /** Runs a command line after those before it. */
  run(request: HostedRun): Promise<Run> {
    const run = this.#last.then(() => this.#run(request));
    this.#last = run.catch(() => {});
    return run;
  }

  async #run(request: HostedRun): Promise<Run> {
    const line = new TextEncoder().encode(`${JSON.stringify(request)}\n`);
    for (let sent = 0; sent < line.length;) {
      sent += await this.#conn.write(line.subarray(sent));
    }
    const [out, err] = await Promise.all([
      this.#stdout.next(),
      this.#stderr.next(),
    ]);
    if (out.done || err.done) {
      throw new Error(`The command line ended its process: ${request.args}`);
    }
    return {
      code: out.value.code,
      stdout: out.value.text,
      stderr: err.value.text,
    };
  }

  async stop(): Promise<void> {
    this.#conn.close();
    await Promise.all([
      this.#stdout.next(),
      this.#stderr.next(),
      this.#child.status,
    ]);
  }
}

/** What a stream contains of a run, and its exit code. */
interface HostedOutput {
  readonly text: string;
  readonly code: number;
}

/** Returns the output of each run. Between two runs nothing is read. */
async function* runsOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<HostedOutput> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of stream) {
    text += decoder.decode(part, { stream: true });
    const end = text.indexOf(END_OF_RUN);
    if (end === -1 || !text.endsWith("\n")) continue;
    yield {
      text: text.slice(0, end),
      code: Number(text.slice(end + END_OF_RUN.length)),
    };
    text = "";
  }
}

let host: CLIHost | undefined;

Deno.test.beforeAll(async () => {
  host = await CLIHost.start();
});

Deno.test.afterAll(async () => {
  await host?.stop();
  host = undefined;
});

/** The URL of a server without a password, up to its path. */
export function urlOf(server: RealServer, scheme = "ftp"): string {
  return `${scheme}://${server.user}@${server.host}:${server.port}`;
}

/** Lines of JSON. */
export function eventsOf({ stdout }: Run): Record<string, unknown>[] {
  return stdout.trimEnd().split("\n").filter((line) => line !== "").map((
    line,
  ) => JSON.parse(line));
}

/** Runs a test in a temporary folder. */
export async function inFolder(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ ...ON_DISK, prefix: "ftp_cli_" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
