import type { LocalFolder } from "../files/local_folder.ts";

/**
 * Has a folder look as on a disk that takes names in other letters for the same,
 * until the end of its block.
 */
export function foldNames(folder: LocalFolder): Disposable {
  const { lstatSync } = Deno;
  Deno.lstatSync = (path) => {
    const wanted = String(path).slice(folder.path.length + 1).toLowerCase();
    const name = folder.names().find((name) => name.toLowerCase() === wanted);
    return lstatSync(name === undefined ? path : folder.at(name));
  };
  return {
    [Symbol.dispose]() {
      Deno.lstatSync = lstatSync;
    },
  };
}
