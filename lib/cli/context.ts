/**
 * The context of a command: options, output, connections.
 *
 * @module
 */

import { quote } from "../protocol/printable.ts";
import { withMessage } from "../protocol/with_message.ts";
import {
  connect,
  type ConnectURLOptions,
  FTP,
  type FTPOptions,
  printable,
  type RetryEvent,
  type RetryOptions,
  type TLSOptions,
} from "../../mod.ts";
import { Interrupted, UsageError } from "./exit_code.ts";
import type { Flags } from "./flags.ts";
import type { Output } from "./output.ts";
import { findCredentials } from "./password.ts";

/** The context of a command. */
export interface CommandContext {
  /** The options. */
  readonly flags: Flags;
  /** The arguments that are not options. */
  readonly operands: readonly string[];
  /** The output. */
  readonly out: Output;
  /** Aborted by Ctrl-C, or when standard output is closed. */
  readonly signal: AbortSignal;
}

/**
 * Reads the options of a connection before anything is sent.
 *
 * @throws {UsageError} If a value cannot be used
 */
export async function connectOptions(
  { flags, out, signal }: CommandContext,
): Promise<ConnectURLOptions> {
  if (flags.has("active") && flags.has("pasv")) {
    throw new UsageError("Cannot use --active with --pasv");
  }
  const timeout = flags.number("timeout", { least: 0.001 });
  const retry = retryOptions(flags);
  const options: FTPOptions = {
    timeout: timeout === undefined ? undefined : Math.ceil(timeout * 1000),
    passive: flags.has("active")
      ? false
      : flags.has("pasv")
      ? "pasv"
      : undefined,
    proxy: flags.text("proxy"),
    encoding: flags.text("encoding"),
    serverZone: flags.number("server-zone", { least: -1440 }),
    tls: await tlsOptions(flags),
    trace: flags.has("verbose") ? (event) => out.trace(event) : undefined,
  };
  try {
    new FTP(options); // checks the values
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  return { ...options, retry, signal };
}

async function tlsOptions(flags: Flags): Promise<FTPOptions["tls"]> {
  const fingerprint = flags.texts("fingerprint");
  const file = flags.text("cacert");
  const tls: TLSOptions = {
    ...(fingerprint.length === 0 ? {} : { fingerprint }),
    ...(file === undefined ? {} : { caCerts: [await readCertificates(file)] }),
  };
  if (Object.keys(tls).length > 0) return tls;
  return flags.has("tls") ? {} : undefined;
}

async function readCertificates(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw withMessage(
      error,
      (message) =>
        `Cannot read ${quote(file)}, the file of --cacert: ${message}`,
    );
  }
}

/** Reads `--retries`. */
export function retryOptions(flags: Flags): RetryOptions | false | undefined {
  const attempts = flags.number("retries", { least: 0, isInteger: true });
  if (attempts === undefined) return undefined;
  return attempts === 0 ? false : { attempts };
}

/** Connects and logs in. */
export async function openClient(
  server: string,
  context: CommandContext,
): Promise<FTP> {
  const { flags, signal } = context;
  const options = await connectOptions(context);
  const { user, password, account } = await findCredentials(
    server,
    flags,
    signal,
  );
  return await connect(server, { ...options, user, password, account });
}

/** Reads the options that `download` and `upload` share. */
export function transferOptions({ flags, out, signal }: CommandContext): {
  resume: boolean;
  verify: "size" | "hash" | "none" | undefined;
  retry: RetryOptions | false | undefined;
  onRetry: (event: RetryEvent) => void;
  signal: AbortSignal;
} {
  return {
    resume: flags.isContinuing,
    verify: flags.word("verify", ["size", "hash", "none"]),
    retry: retryOptions(flags),
    onRetry: ({ error, attempt, delay }) => {
      const seconds = (delay / 1000).toFixed(1);
      if (out.isJSON) {
        out.tell({ event: "retry", attempt, delay, message: error.message });
      } else {
        out.note(
          `Attempt ${attempt} failed, retrying in ${seconds} s: ${
            printable(error.message)
          }`,
        );
      }
    },
    signal,
  };
}

/**
 * Checks the number of operands.
 *
 * @throws {UsageError} If there are fewer or more
 */
export function checkOperands(
  { operands }: CommandContext,
  least: number,
  most = Infinity,
): void {
  if (operands.length < least) throw new UsageError("Arguments are missing");
  if (operands.length > most) {
    throw new UsageError(
      `Cannot use ${quote(operands[most]!)}: there are too many arguments`,
    );
  }
}

/** Whether the user pressed Ctrl-C. */
export function isInterruption(error: unknown): boolean {
  return error instanceof Interrupted;
}
