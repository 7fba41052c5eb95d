/**
 * A directory tree with difficult names, and its entries as the disk reports
 * them.
 */

/** Properties of a file on disk. */
export interface OnDisk {
  readonly kind: "file" | "directory" | "symlink";
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly mtime: number;
  readonly mode: number;
  readonly target: string | undefined;
}

/** Names of a directory, one character a byte. */
export type Folder = Map<string, OnDisk>;

/** Files in the folder "many". */
export const MANY = 9900;

/** A file with a hole. */
export const SPARSE_SIZE = 5_000_000_000;

const DAY = 86_400_000;

/** Names of files in the folder "odd"; each file has its own name as content. */
export const ODD_NAMES = [
  " lead",
  "  two leads",
  "trail ",
  "in  side",
  " ",
  "a;b",
  "a; b",
  ";x",
  "x;",
  "size=5; type=dir; name",
  "a -> b",
  "-> b",
  "a ->",
  "2024 report",
  "12:34",
  "0",
  "1 2 3",
  "Jan  1  2020 x",
  "total 5",
  "drwxr-xr-x 2 a b 4096 Jan  1 00:00 x",
  '"',
  'quote"s"',
  "it's",
  "100%",
  "%20",
  "a=b",
  "tab\there",
  "\u00fcn\u00efc\u00f6d\u00e9",
  "\u65e5\u672c\u8a9e",
  "\ud83d\ude00",
  "*",
  "?",
  "[x]",
  "{a,b}",
  "~",
  "#x",
  "-l",
  "--",
  ".hidden",
  "..x",
  "x..",
  "...",
  "a\\b",
  "a:b",
  "x".repeat(255),
];

/**
 * Names in the folder "odd" that are not UTF-8, as bytes in octal for `printf`.
 */
const RAW_NAMES = ["caf\\351", "\\376\\375", "\\200 \\300", "\\302"];

const DATES = [
  "1975-06-15T12:00:00Z",
  "1999-12-31T23:59:59Z",
  "2000-02-29T00:00:00Z",
  "2024-02-29T23:59:59Z",
  "2030-01-01T00:00:00Z",
  "2037-12-31T23:59:59Z",
];

/** Distances from now, in days; servers leave the year out near the present. */
const DAYS = [0, 1, 28, 31, 150, 170, 190, 300, 364, 366, -1, -40, -200];

/** A tree on disk, for servers to serve. */
export class Tree implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async make(): Promise<Tree> {
    const tree = new Tree(await Deno.makeTempDir({ prefix: "ftp_tree_" }));
    await Deno.chmod(tree.root, 0o755);
    tree.#makeMany();
    await tree.#makeOdd();
    tree.#makeDates();
    tree.#makeKinds();
    return tree;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }

  #makeMany(): void {
    Deno.mkdirSync(`${this.root}/many`);
    for (let i = 0; i < MANY; i++) {
      const path = `${this.root}/many/file ${String(i).padStart(5, "0")}.txt`;
      Deno.writeTextFileSync(path, "x".repeat(i % 100));
      const time = new Date(Date.UTC(2001, 0, 1) + i * 12_345_000);
      Deno.utimeSync(path, time, time);
    }
  }

  async #makeOdd(): Promise<void> {
    const folder = `${this.root}/odd`;
    Deno.mkdirSync(folder);
    for (const name of ODD_NAMES) {
      Deno.writeTextFileSync(`${folder}/${name}`, name);
    }
    // only a shell can make names that are no text
    const script = RAW_NAMES.map((name) =>
      `n="$(printf '${name}')"; printf %s "$n" > "./$n"; touch -r ./0 "./$n"`
    ).join("; ");
    const { success } = await new Deno.Command("sh", {
      args: ["-c", script],
      cwd: folder,
    }).output();
    if (!success) throw new Error("Cannot make names that are no text");
  }

  #makeDates(): void {
    const folder = `${this.root}/dates`;
    Deno.mkdirSync(folder);
    const now = Date.now();
    const times = [
      ...DATES.map((date) => new Date(date)),
      ...DAYS.map((days) => new Date(now - days * DAY)),
    ];
    for (const [i, time] of times.entries()) {
      Deno.writeTextFileSync(`${folder}/${i}`, "");
      Deno.utimeSync(`${folder}/${i}`, time, time);
    }
  }

  #makeKinds(): void {
    const folder = `${this.root}/kinds`;
    Deno.mkdirSync(`${folder}/empty`, { recursive: true });
    Deno.mkdirSync(`${folder}/with blank`);
    Deno.mkdirSync(`${folder}/sticky`);
    Deno.chmodSync(`${folder}/sticky`, 0o1777);
    Deno.writeTextFileSync(`${folder}/file`, "12345");
    for (const mode of [0o600, 0o644, 0o755, 0o4755, 0o2711, 0o7777]) {
      const path = `${folder}/mode ${mode.toString(8)}`;
      Deno.writeTextFileSync(path, "");
      Deno.chmodSync(path, mode);
    }
    Deno.symlinkSync("file", `${folder}/link`);
    Deno.symlinkSync("with blank", `${folder}/link to folder`);
    Deno.symlinkSync("file", `${folder}/link -> arrow`);
    Deno.symlinkSync("gone", `${folder}/dangling`);
    Deno.createSync(`${folder}/sparse`).close();
    Deno.truncateSync(`${folder}/sparse`, SPARSE_SIZE);
  }

  /** Whether a name is UTF-8. */
  static isText(name: string): boolean {
    return toBytes(fromBytes(name)) === name;
  }

  /**
   * Reads a folder from disk; names that are not valid text are read by the
   * shell.
   */
  read(folder: string): Folder {
    const found: Folder = new Map();
    for (const { name } of Deno.readDirSync(`${this.root}/${folder}`)) {
      if (name.includes("\ufffd")) continue;
      found.set(toBytes(name), lookUp(`${this.root}/${folder}/${name}`));
    }
    if (folder !== "odd") return found;
    const sample = lookUp(`${this.root}/odd/0`);
    for (const name of RAW_NAMES) {
      const raw = name.replace(
        /\\(\d{3})/g,
        (_, octal) => String.fromCharCode(parseInt(octal, 8)),
      );
      found.set(raw, { ...sample, size: raw.length });
    }
    return found;
  }
}

function lookUp(path: string): OnDisk {
  const info = Deno.lstatSync(path);
  return {
    kind: info.isSymlink ? "symlink" : info.isDirectory ? "directory" : "file",
    size: info.size,
    mtime: info.mtime!.getTime(),
    mode: info.mode! & 0o7777,
    target: info.isSymlink ? Deno.readLinkSync(path) : undefined,
  };
}

/** One character a byte to text. */
function fromBytes(name: string): string {
  return new TextDecoder().decode(
    Uint8Array.from(name, (char) => char.charCodeAt(0)),
  );
}

/** Text to one character a byte. */
function toBytes(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
