/** A temporary local folder, removed at the end of its block. */
export class LocalFolder implements Disposable {
  readonly path: string;

  /** Creates the folder, beside other temporary files unless told otherwise. */
  constructor(options: Deno.MakeTempOptions = {}) {
    this.path = Deno.makeTempDirSync({ ...options, prefix: "ftp_files_" });
  }

  /** A path in the folder. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** The names in the folder, sorted. */
  names(): string[] {
    return namesIn(this.path);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** The names in a folder, sorted. */
export function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
