/**
 * A process that runs command lines one after another, each as if it were
 * started for it: with its folder, its password, and the process's own streams.
 *
 * Each line of the connection to the port given is a {@linkcode HostedRun} as
 * JSON. The end of a run is marked in both streams.
 *
 * @module
 */

import { connect } from "node:net";
import { createInterface } from "node:readline";
import { main } from "../../lib/cli/main.ts";
import { PASSWORD_VARIABLE } from "../../lib/cli/password.ts";

/** A command line. */
export interface HostedRun {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly password?: string | undefined;
}

/** What both streams contain behind the output of a run: this, the exit code, a newline. */
export const END_OF_RUN = "\0end of run ";

if (import.meta.main) {
  const socket = connect(Number(Deno.args[0]), "127.0.0.1");
  for await (const line of createInterface({ input: socket })) {
    const { args, cwd, password }: HostedRun = JSON.parse(line);
    Deno.chdir(cwd);
    if (password === undefined) Deno.env.delete(PASSWORD_VARIABLE);
    else Deno.env.set(PASSWORD_VARIABLE, password);
    const code = await main(args);
    const end = new TextEncoder().encode(`${END_OF_RUN}${code}\n`);
    Deno.stdout.writeSync(end);
    Deno.stderr.writeSync(end);
  }
}
