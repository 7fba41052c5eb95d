/**
 * Shared by the tests of mirrors: trees on disk, and the events of a mirror.
 */

import { assertRejects } from "@std/assert";
import { FTPMirrorError, type MirrorEvent } from "../../mod.ts";

/** Names that servers, shells and listings stumble over. */
export const ODD_NAMES = [
  " lead",
  "in  side",
  "-l",
  "--",
  "100%",
  "%20",
  "a;b",
  ";x",
  "[x]",
  "*",
  "~",
  "a:b",
  '"q"',
  ".hidden",
  "...",
  "a -> b",
  "\u00fcn\u00efc\u00f6d\u00e9",
  "\u65e5\u672c\u8a9e",
];

/** ProFTPD makes no directory that is called a star. */
export const ODD_DIRECTORIES: readonly string[] = ODD_NAMES.filter((name) =>
  name !== "*"
);

/** A tree as text: paths of directories end in "/". */
export type Tree = Record<string, string>;

/** A tree with all that a mirror must not lose. */
export function makeTree(): Tree {
  const tree: Tree = { "empty file": "", "empty/": "", "deep/er/and/er/": "" };
  for (const name of ODD_NAMES) {
    tree[`odd/${name}`] = `file ${name}`;
  }
  for (const name of ODD_DIRECTORIES) {
    tree[`odd dirs/${name}/in`] = `in ${name}`;
  }
  for (let i = 0; i < 20; i++) tree[`many/${i}.txt`] = "x".repeat(i * 1000);
  return tree;
}

/** Writes a tree; every file is as old as the scripted server's. */
export function writeTree(
  root: string,
  tree: Tree,
  mtime = new Date("2024-02-29T12:34:56Z"),
): void {
  for (const [path, content] of Object.entries(tree)) {
    const end = path.lastIndexOf("/");
    Deno.mkdirSync(`${root}/${path.slice(0, Math.max(end, 0))}`, {
      recursive: true,
    });
    if (path.endsWith("/")) continue;
    Deno.writeTextFileSync(`${root}/${path}`, content);
    Deno.utimeSync(`${root}/${path}`, mtime, mtime);
  }
}

/** Reads a tree, with its empty directories; links are "-> target". */
export function readTree(root: string, folder = ""): Tree {
  const tree: Tree = {};
  const entries = [...Deno.readDirSync(`${root}/${folder}`)];
  if (entries.length === 0 && folder !== "") tree[folder] = "";
  for (const { name, isDirectory, isSymlink } of entries) {
    const path = folder + name;
    if (isSymlink) tree[path] = `-> ${Deno.readLinkSync(`${root}/${path}`)}`;
    else if (isDirectory) Object.assign(tree, readTree(root, `${path}/`));
    else tree[path] = Deno.readTextFileSync(`${root}/${path}`);
  }
  return tree;
}

/** Takes notes of what a mirror tells: "action path (reason)". */
export class Notes {
  readonly lines: string[] = [];

  /** For `onEntry`. */
  readonly take = ({ action, entry, reason }: MirrorEvent): void => {
    this.lines.push(
      `${action} ${entry.path}${reason === undefined ? "" : ` (${reason})`}`,
    );
  };

  /** The recorded events, sorted, because servers list in different orders. */
  get sorted(): string[] {
    return this.lines.toSorted();
  }
}

/** Insists on a mirror that is not complete; gives "path: message" of each failure. */
export async function failuresOf(
  run: () => Promise<unknown>,
): Promise<{ error: FTPMirrorError; failures: string[] }> {
  const error = await assertRejects(run, FTPMirrorError);
  const failures = error.failures.map(({ path, error }) =>
    `${path}: ${(error as Error).message}`
  );
  return { error, failures };
}
