/**
 * A real terminal for tests: a program in tmux, whose screen is read and whose keys are pressed.
 *
 *     await using terminal = await Terminal.start(["deno", "run", ...], { columns: 100 });
 *     await terminal.shows(/Password for/);
 *     await terminal.press("secret", "Enter");
 *
 * `deno task servers` fetches tmux where it is not installed.
 */

import { findProgram, programEnvironment } from "./servers/programs.ts";

/**
 * Whether terminal tests are skipped, because tmux is missing and not required.
 */
export function hasNoTerminal(): boolean {
  return findProgram("tmux") === undefined &&
    Deno.env.get("FTP_REQUIRE_SERVERS") !== "1";
}

/** How large the terminal is, and where its program runs. */
export interface TerminalOptions {
  columns?: number;
  rows?: number;
  cwd?: string;
}

/** Milliseconds that a screen is waited for. */
const MAX_WAIT = 60_000;

/** A terminal with one program. */
export class Terminal implements AsyncDisposable {
  readonly #folder: string;
  readonly #socket: string;
  #changed = Promise.withResolvers<void>();
  #watching: Promise<void> | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#socket = `${folder}/socket`;
  }

  /** Runs a program in a terminal of its own. */
  static async start(
    command: readonly string[],
    { columns = 80, rows = 24, cwd }: TerminalOptions = {},
  ): Promise<Terminal> {
    const folder = await Deno.makeTempDir({ prefix: "ftp_terminal_" });
    const terminal = new Terminal(folder);
    const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
      .join(" ");
    // the program waits until its output is watched
    const script = `read go; clear; ${quoted}; echo "exit code $?"; read end`;
    const fifo = `${folder}/output`;
    await run("mkfifo", [fifo]);
    await terminal.#tmux([
      "-f",
      "/dev/null",
      "new-session",
      "-d",
      "-x",
      String(columns),
      "-y",
      String(rows),
      ...(cwd === undefined ? [] : ["-c", cwd]),
      script,
    ]);
    await terminal.#tmux(["pipe-pane", `cat > '${fifo}'`]);
    terminal.#watching = terminal.#watch(await Deno.open(fifo));
    await terminal.press("Enter");
    return terminal;
  }

  /** Text on the screen. */
  async screen(): Promise<string> {
    return (await this.#tmux(["capture-pane", "-p"])).trimEnd();
  }

  /** Waits until the screen matches; returns the screen. */
  async shows(wanted: RegExp): Promise<string> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, MAX_WAIT);
    let isLate = false;
    late.promise.then(() => isLate = true);
    try {
      while (true) {
        this.#changed = Promise.withResolvers();
        const changed = this.#changed.promise;
        const screen = await this.screen();
        if (wanted.test(screen)) return screen;
        if (isLate) {
          throw new Error(`The terminal never showed ${wanted}:\n${screen}`);
        }
        await Promise.race([changed, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Presses keys: texts, or tmux's names such as "Enter" and "C-c". */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux(["send-keys", ...keys]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux(["kill-server"]).catch(() => {});
    await this.#watching;
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** The pane's output is the event that its screen has changed. */
  async #watch(output: Deno.FsFile): Promise<void> {
    for await (const _chunk of output.readable) this.#changed.resolve();
  }

  async #tmux(args: readonly string[]): Promise<string> {
    return await run(findProgram("tmux") ?? "tmux", [
      "-S",
      this.#socket,
      ...args,
    ]);
  }
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    env: {
      ...programEnvironment(),
      TERM: "xterm-256color",
      LC_ALL: "C.UTF-8",
    },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`Cannot run ${command}: ${decoder.decode(stderr)}`);
}
