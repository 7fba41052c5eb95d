/** A temporary folder here, removed at the end of its block. */
export class LocalFolder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "ftp_files_" });

  /** A path in the folder. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** The names in the folder, sorted. */
  names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
