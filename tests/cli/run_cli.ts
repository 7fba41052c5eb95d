/**
 * Runs the command line as a process, with the permissions that the README
 * names.
 */

import { fileURLToPath } from "node:url";
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
  const child = spawnCLI(args, options);
  const { stdin } = options;
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
  const folder = await Deno.makeTempDir({ prefix: "ftp_cli_" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
