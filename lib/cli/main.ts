/**
 * Runs a command line.
 *
 * @module
 */

import { quote } from "../protocol/printable.ts";
import { COMMANDS, type CommandSpec } from "./commands.ts";
import { isInterruption } from "./context.ts";
import {
  EXIT,
  type ExitCode,
  exitCodeOf,
  Incomplete,
  Interrupted,
  UsageError,
} from "./exit_code.ts";
import { parseFlags } from "./flags.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { Output, OutputClosed } from "./output.ts";

/** The version of the package. */
export const VERSION = "0.2.0";

/** Runs a command line. Returns the exit code. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || /^(help|-h|--help)$/.test(name)) {
    const command = findCommand(rest[0]);
    const text = command === undefined
      ? generalHelp(COMMANDS)
      : commandHelp(rest[0]!, command);
    return printHelp(text, name === undefined ? EXIT.usage : EXIT.done);
  }
  if (/^(version|-V|--version)$/.test(name)) {
    return printHelp(`ftp ${VERSION} (Deno ${Deno.version.deno})\n`, EXIT.done);
  }
  const command = findCommand(name);
  if (command === undefined) {
    return printError(
      `Unknown command ${quote(name)}: use one of ${
        Object.keys(COMMANDS).join(", ")
      }`,
    );
  }
  return await runCommand(name, command, rest);
}

function findCommand(name = ""): CommandSpec | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

async function runCommand(
  name: string,
  command: CommandSpec,
  args: readonly string[],
): Promise<ExitCode> {
  const controller = new AbortController();
  let out: Output | undefined;
  const isContinuing = () =>
    command.flags.includes("continue") && !args.includes("--no-continue");
  const stopListening = onInterrupt(() => {
    if (controller.signal.aborted) Deno.exit(EXIT.interrupted);
    controller.abort(
      new Interrupted(
        isContinuing()
          ? "Interrupted: unfinished files are kept; the same command continues them"
          : "Interrupted",
      ),
    );
  });
  try {
    const { flags, operands } = parseFlags(args, command.flags);
    if (flags.has("help")) {
      return printHelp(commandHelp(name, command), EXIT.done);
    }
    out = new Output({ json: flags.has("json"), quiet: flags.has("quiet") });
    const { signal } = controller;
    await command.run({ flags, operands, out, signal });
    out.flush();
    return EXIT.done;
  } catch (thrown) {
    // the reason of the end, not the errors that it caused
    const { signal } = controller;
    const error = signal.aborted ? signal.reason : thrown;
    if (out?.isClosed || error instanceof OutputClosed) return EXIT.done;
    return showError(error, name, out);
  } finally {
    stopListening();
    out?.close();
  }
}

/** Prints an error. Returns its exit code. */
function showError(
  error: unknown,
  name: string,
  out: Output | undefined,
): ExitCode {
  const code = exitCodeOf(error);
  const output = out ?? new Output({ json: false, quiet: false });
  try {
    const isShown = error instanceof Incomplete && error.isSingle;
    if (!isShown) output.error(error);
    if (error instanceof UsageError && !output.isJSON) {
      output.note(`"ftp ${name} --help" shows the options`);
    }
    const isBug = code === EXIT.local && error instanceof Error &&
      error.constructor === Error && !isInterruption(error) &&
      !(error instanceof Incomplete);
    if (isBug) output.note(error.stack ?? "");
  } catch (failure) {
    if (!(failure instanceof OutputClosed)) throw failure;
  }
  return code;
}

function printHelp(text: string, code: ExitCode): ExitCode {
  const stream = code === EXIT.done ? Deno.stdout : Deno.stderr;
  try {
    stream.writeSync(new TextEncoder().encode(text));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
  return code;
}

function printError(message: string): ExitCode {
  new Output({ json: false, quiet: false }).error(new UsageError(message));
  return EXIT.usage;
}

/**
 * Listens for Ctrl-C and other signals that end a program. Returns a function
 * that stops it.
 */
function onInterrupt(listener: () => void): () => void {
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) Deno.addSignalListener(signal, listener);
  return () => {
    for (const signal of signals) Deno.removeSignalListener(signal, listener);
  };
}
