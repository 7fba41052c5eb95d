/**
 * The commands, with their options and examples.
 *
 * @module
 */

import { cat } from "./commands/cat.ts";
import { mkdir, mv, rm } from "./commands/change.ts";
import { doctor } from "./commands/doctor.ts";
import { get } from "./commands/get.ts";
import { hash } from "./commands/hash.ts";
import { ls } from "./commands/ls.ts";
import { put } from "./commands/put.ts";
import { sync } from "./commands/sync.ts";
import type { CommandContext } from "./context.ts";
import type { FlagName } from "./flags.ts";

/** A command. */
export interface CommandSpec {
  /** Summary in one line. */
  readonly summary: string;
  /** Its operands. */
  readonly usage: string;
  /** Paragraphs of the help. */
  readonly notes: readonly string[];
  /** Its own options, in addition to the common ones. */
  readonly flags: readonly FlagName[];
  /** Command lines, each with its meaning. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** Runs the command. */
  readonly run: (context: CommandContext) => Promise<void>;
}

/** Note on temporary files. */
const PARTS =
  "A file is written under a temporary name, verified, and renamed. After Ctrl-C or a lost connection, the same command continues the file.";

/** The commands by name. */
export const COMMANDS: Readonly<Record<string, CommandSpec>> = {
  get: {
    summary: "download files",
    usage: "URL...",
    notes: [
      PARTS,
      "A URL may contain the patterns *, ?, [a-z] and {a,b}; %2A is a literal star.",
    ],
    flags: [
      "output",
      "continue",
      "no-continue",
      "connections",
      "segments",
      "limit-rate",
      "verify",
      "remove-source",
      "no-glob",
      "dry-run",
    ],
    examples: [
      ["ftp get ftp://ftp.example.com/pub/image.iso", "into this directory"],
      [
        "ftp get -P 4 -o data/ 'ftp://ftp.example.com/pub/*.csv.gz'",
        "all matching files, four at once",
      ],
      [
        "ftp get -c --limit-rate 500k --verify hash ftpes://ann@ftp.example.com//srv/dump.gz",
        "an absolute path, over TLS; asks for the password",
      ],
    ],
    run: get,
  },
  put: {
    summary: "upload files",
    usage: "FILE... URL",
    notes: [
      PARTS,
      'A URL that ends with "/" is a directory. "-" is standard input.',
    ],
    flags: [
      "create-dirs",
      "continue",
      "no-continue",
      "connections",
      "limit-rate",
      "verify",
      "dry-run",
    ],
    examples: [
      [
        "ftp put report.pdf ftpes://ann@ftp.example.com/in/",
        "into a directory",
      ],
      [
        "ftp put report.pdf ftpes://ann@ftp.example.com/in/2026.pdf",
        "under another name",
      ],
      [
        "tar c site | ftp put - ftpes://ann@ftp.example.com/site.tar",
        "from standard input",
      ],
    ],
    run: put,
  },
  ls: {
    summary: "list a directory",
    usage: "URL...",
    notes: ["Prints one name per line, in the server's order."],
    flags: ["long", "recursive", "no-glob"],
    examples: [
      ["ftp ls ftp://ftp.example.com/pub/", "names"],
      [
        "ftp ls -l 'ftp://ftp.example.com/pub/{a,b}*'",
        "with kind, size and time",
      ],
      ["ftp ls -r --json ftp://ftp.example.com/pub/", "a tree, for programs"],
    ],
    run: ls,
  },
  cat: {
    summary: "print files",
    usage: "URL...",
    notes: [
      "Prints the bytes unchanged. On a terminal, control characters are replaced.",
    ],
    flags: ["no-glob"],
    examples: [
      ["ftp cat ftp://ftp.example.com/pub/README | head", "the first lines"],
      [
        "ftp cat 'ftp://ftp.example.com/log/*.log' > all.log",
        "several files, one after another",
      ],
    ],
    run: cat,
  },
  sync: {
    summary: "synchronize a directory",
    usage: "URL DIRECTORY | DIRECTORY URL",
    notes: [
      "The first argument is the source. Files with another size or time are transferred. Nothing is removed without --delete, or after a failure.",
      PARTS,
    ],
    flags: [
      "dry-run",
      "preview",
      "delete",
      "max-delete",
      "remove-source",
      "compare",
      "exclude",
      "connections",
      "continue",
      "no-continue",
      "limit-rate",
      "verify",
    ],
    examples: [
      [
        "ftp sync ftp://ftp.example.com/pub/data data",
        "new and changed files",
      ],
      [
        "ftp sync --delete --preview build ftpes://deploy@www.example.com/htdocs",
        "shows what would be done, then asks",
      ],
      [
        "ftp sync -P 4 --exclude '*.tmp' --exclude cache build ftpes://deploy@www.example.com/htdocs",
        "four connections, without the excluded names",
      ],
    ],
    run: sync,
  },
  rm: {
    summary: "remove files and directories",
    usage: "URL...",
    notes: ["Symbolic links are removed, never followed."],
    flags: ["recursive", "dry-run", "no-glob"],
    examples: [
      [
        "ftp rm --dry-run 'ftpes://ann@ftp.example.com/in/*.tmp'",
        "only prints them",
      ],
      ["ftp rm -r ftpes://ann@ftp.example.com/in/2025", "with its contents"],
    ],
    run: rm,
  },
  mkdir: {
    summary: "create directories with their parents",
    usage: "URL...",
    notes: [],
    flags: [],
    examples: [
      [
        "ftp mkdir ftpes://ann@ftp.example.com/in/2026/11",
        "also creates in/2026",
      ],
    ],
    run: mkdir,
  },
  mv: {
    summary: "rename or move on the server",
    usage: "URL NEW",
    notes: [
      "NEW is a URL on the same server, an absolute path, or a name in the same directory.",
    ],
    flags: ["force", "dry-run"],
    examples: [
      ["ftp mv ftpes://ann@ftp.example.com/in/a.txt b.txt", "a new name"],
      [
        "ftp mv ftpes://ann@ftp.example.com/in/a.txt /archive/",
        "another directory",
      ],
    ],
    run: mv,
  },
  hash: {
    summary: "print the hash that the server computes of a file",
    usage: "URL...",
    notes: [
      "Uses the best hash that the server has: SHA-256, SHA-512, SHA-1, MD5 or CRC32.",
    ],
    flags: ["read", "no-glob"],
    examples: [
      ["ftp hash ftp://ftp.example.com/pub/image.iso", "hash and path"],
    ],
    run: hash,
  },
  doctor: {
    summary: "diagnose a server: what works, what fails, and why",
    usage: "URL",
    notes: [
      "Tests addresses, TLS, login, passive and active mode, listings, times and limits, and prints the options to use. Changes nothing without --write.",
      "Exit codes: 0 no errors; 2 an error of the server; 3 an error of the network, a firewall or TLS.",
    ],
    flags: ["write"],
    examples: [
      ["ftp doctor ftp://ftp.example.com/", "changes nothing"],
      [
        "ftp doctor --write in ftpes://ann@ftp.example.com/",
        'also uploads a file to the directory "in", and removes it',
      ],
    ],
    run: doctor,
  },
};
