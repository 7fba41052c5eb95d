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
  /** What it does, in one line. */
  readonly summary: string;
  /** Its operands. */
  readonly usage: string;
  /** What is to be known besides the options. */
  readonly notes: readonly string[];
  /** Its options, besides the common ones. */
  readonly flags: readonly FlagName[];
  /** Command lines, each with what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** Runs it. */
  readonly run: (context: CommandContext) => Promise<void>;
}

/** What half-done files are. */
const PARTS =
  "A file is written under a temporary name and takes its place when it is whole and verified. What Ctrl-C or a lost connection leaves is completed by the same command.";

/** The commands by name. */
export const COMMANDS: Readonly<Record<string, CommandSpec>> = {
  get: {
    summary: "fetch files",
    usage: "URL...",
    notes: [
      PARTS,
      "A URL may have the patterns *, ?, [a-z] and {a,b}; %2A is a star itself.",
    ],
    flags: [
      "output",
      "continue",
      "no-continue",
      "connections",
      "segments",
      "limit-rate",
      "verify",
      "no-glob",
      "dry-run",
    ],
    examples: [
      ["ftp get ftp://ftp.example.com/pub/image.iso", "into this directory"],
      [
        "ftp get -P 4 -o data/ 'ftp://ftp.example.com/pub/*.csv.gz'",
        "all that match, four at once",
      ],
      [
        "ftp get -c --limit-rate 500k --verify hash ftpes://ann@ftp.example.com//srv/dump.gz",
        "an absolute path over TLS; asks for the password",
      ],
    ],
    run: get,
  },
  put: {
    summary: "send files",
    usage: "FILE... URL",
    notes: [
      PARTS,
      'A URL that ends in "/" is a directory. "-" is standard input.',
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
    notes: ["Names come in the server's order, one a line."],
    flags: ["long", "recursive", "no-glob"],
    examples: [
      ["ftp ls ftp://ftp.example.com/pub/", "names"],
      ["ftp ls -l 'ftp://ftp.example.com/pub/{a,b}*'", "with kind, size, time"],
      ["ftp ls -r --json ftp://ftp.example.com/pub/", "a tree, for programs"],
    ],
    run: ls,
  },
  cat: {
    summary: "print files",
    usage: "URL...",
    notes: [
      "Bytes are printed as they are. A terminal gets text without control characters.",
    ],
    flags: ["no-glob"],
    examples: [
      ["ftp cat ftp://ftp.example.com/pub/README | head", "the first lines"],
      [
        "ftp cat 'ftp://ftp.example.com/log/*.log' > all.log",
        "one after another",
      ],
    ],
    run: cat,
  },
  sync: {
    summary: "make one directory like another",
    usage: "URL DIRECTORY | DIRECTORY URL",
    notes: [
      "The first is the source. What has another size or time is transferred. Nothing is removed without --delete, and nothing beside a failure.",
      PARTS,
    ],
    flags: [
      "dry-run",
      "preview",
      "delete",
      "max-delete",
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
        "what is new or changed",
      ],
      [
        "ftp sync --delete --preview build ftpes://deploy@www.example.com/htdocs",
        "shows what would be done, then asks",
      ],
      [
        "ftp sync -P 4 --exclude '*.tmp' --exclude cache build ftpes://deploy@www.example.com/htdocs",
        "four connections, without some names",
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
      ["ftp rm --dry-run 'ftpes://ann@ftp.example.com/in/*.tmp'", "only shows"],
      ["ftp rm -r ftpes://ann@ftp.example.com/in/2025", "with all in it"],
    ],
    run: rm,
  },
  mkdir: {
    summary: "make directories, with their parents",
    usage: "URL...",
    notes: [],
    flags: [],
    examples: [
      ["ftp mkdir ftpes://ann@ftp.example.com/in/2026/11", "and in/2026"],
    ],
    run: mkdir,
  },
  mv: {
    summary: "rename or move on the server",
    usage: "URL NEW",
    notes: [
      "NEW is a URL of the same server, an absolute path, or a name beside the old one.",
    ],
    flags: ["force", "dry-run"],
    examples: [
      ["ftp mv ftpes://ann@ftp.example.com/in/a.txt b.txt", "another name"],
      ["ftp mv ftpes://ann@ftp.example.com/in/a.txt /archive/", "elsewhere"],
    ],
    run: mv,
  },
  hash: {
    summary: "print the hash that the server makes of a file",
    usage: "URL...",
    notes: ["The server's strongest: SHA-256, SHA-512, SHA-1, MD5 or CRC32."],
    flags: ["read", "no-glob"],
    examples: [
      ["ftp hash ftp://ftp.example.com/pub/image.iso", "hash and path"],
    ],
    run: hash,
  },
  doctor: {
    summary: "find out what works with a server, and why the rest does not",
    usage: "URL",
    notes: [
      "It tries name and addresses, TLS, login, passive and active mode, listings, times and limits, and ends with the options to use. It changes nothing without --write.",
      "Exit codes: 0 nothing is wrong, 2 the server is at fault, 3 the network, a firewall or TLS.",
    ],
    flags: ["write"],
    examples: [
      ["ftp doctor ftp://ftp.example.com/", "changes nothing"],
      [
        "ftp doctor --write in ftpes://ann@ftp.example.com/",
        "with an upload to the folder in, which is removed",
      ],
    ],
    run: doctor,
  },
};
