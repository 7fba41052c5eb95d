/**
 * The help of the command line.
 *
 * @module
 */

import type { CommandSpec } from "./commands.ts";
import { COMMON_FLAGS, type FlagName, FLAGS, type FlagSpec } from "./flags.ts";

/** Columns of the help. */
const WIDTH = 78;

/** Columns of an option, before its description. */
const INDENT = 25;

const URLS = `URLs:
  ftp://host/pub/file           no TLS, anonymous, relative to the directory after login
  ftp://host//srv/file          an absolute path
  ftpes://ann@host/file         explicit TLS (AUTH TLS), what most providers call FTPS
  ftps://ann@host/file          implicit TLS (port 990)
  Escape special characters: %20 for a space, %2F for a slash, %25 for a percent sign.`;

const PASSWORDS = `The password is taken from the first of these that has one:
  the URL, the first line of standard input (--password-stdin), the variable
  FTP_PASSWORD, ~/.netrc (--netrc), a prompt. Other users of the machine can
  read a command line while it runs, so avoid passwords in URLs.`;

const EXIT_CODES = `Exit codes:
  0  done
  1  the command line is invalid; nothing was sent
  2  the server refused, or its file differs from the local one
  3  the server was not reached or not trusted (TLS), or the connection was lost
  4  only a part of the work was done
  5  a local error: a file, a permission, the disk
  130  Ctrl-C; unfinished files are kept`;

/** Formats the help of the program. */
export function generalHelp(
  commands: Readonly<Record<string, CommandSpec>>,
): string {
  const lines = Object.entries(commands).map(([name, { summary }]) =>
    `  ${name.padEnd(8)}${summary}`
  );
  return `Usage: ftp COMMAND [OPTION]... ARGUMENT...

Commands:
${lines.join("\n")}

"ftp COMMAND --help" shows options and examples. "ftp --version" shows the version.

${URLS}

${PASSWORDS}

${EXIT_CODES}
`;
}

/** Formats the help of a command. */
export function commandHelp(name: string, command: CommandSpec): string {
  const { summary, usage, notes, flags, examples } = command;
  const shown = examples.map(([line, what]) => `  # ${what}\n  ${line}`);
  return [
    `Usage: ftp ${name} [OPTION]... ${usage}`,
    `${name}: ${summary}.`,
    ...notes.map((note) => wrap(note, "").join("\n")),
    ...(flags.length === 0 ? [] : [`Options:\n${optionLines(flags)}`]),
    `Connection and output:\n${optionLines(COMMON_FLAGS)}`,
    `Examples:\n${shown.join("\n")}`,
  ].join("\n\n") + "\n";
}

function optionLines(names: readonly FlagName[]): string {
  return names.map((name) => {
    const { short, value, help }: FlagSpec = FLAGS[name];
    const letter = short === undefined ? "    " : `-${short}, `;
    const head = `  ${letter}--${name}${
      value === undefined ? "" : ` ${value}`
    }`;
    const [first = "", ...rest] = wrap(help, " ".repeat(INDENT + 2));
    const text = first.trimStart();
    return head.length > INDENT
      ? [head, first, ...rest].join("\n")
      : [`${head.padEnd(INDENT)}  ${text}`, ...rest].join("\n");
  }).join("\n");
}

function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line !== indent && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line];
}
