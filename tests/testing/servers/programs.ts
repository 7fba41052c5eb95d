/**
 * Where the servers' programs and libraries are. Looked for, in this order: the folder that
 * `FTP_SERVERS_DIR` names, `.servers/` at the top of the project (made by `deno task servers`),
 * the system.
 */

import { fileURLToPath } from "node:url";

/** The folder that `deno task servers` fills, ignored by git. */
export const PROVISIONED_FOLDER = fileURLToPath(
  new URL("../../../.servers/", import.meta.url),
);

const PROGRAM_FOLDERS = ["usr/sbin", "usr/bin", "sbin", "bin"];

/**
 * The folders with a Debian tree, the preferred one first; `/` is the system.
 */
function trees(): string[] {
  const named = Deno.env.get("FTP_SERVERS_DIR");
  return [...(named === undefined ? [] : [named]), PROVISIONED_FOLDER, "/"].map(
    (folder) => folder.endsWith("/") ? folder : `${folder}/`,
  );
}

/**
 * Finds a file by its path inside a Debian tree.
 *
 * @param paths Paths without a leading slash, such as `usr/sbin/vsftpd`, tried in order.
 * @returns The absolute path of the first that exists, or `undefined`.
 */
export function findFile(...paths: string[]): string | undefined {
  for (const tree of trees()) {
    for (const path of paths) {
      try {
        Deno.statSync(tree + path);
        return tree + path;
      } catch {
        // Look in the next place.
      }
    }
  }
  return undefined;
}

/**
 * Finds a program by its name.
 *
 * @param name The name, such as `vsftpd`
 * @returns Its absolute path, or `undefined`
 */
export function findProgram(name: string): string | undefined {
  return findFile(...PROGRAM_FOLDERS.map((folder) => `${folder}/${name}`));
}

/**
 * The environment that lets an extracted program find its extracted libraries.
 *
 * @returns `LD_LIBRARY_PATH` and `PYTHONPATH`, with whatever the caller's environment had; where OpenSSL itself
 *   was extracted, also `OPENSSL_MODULES`.
 */
export function programEnvironment(): Record<string, string> {
  return { ...environment ??= findEnvironment() };
}

let environment: Record<string, string> | undefined;

function findEnvironment(): Record<string, string> {
  const libraries: string[] = [];
  const modules: string[] = [];
  for (const tree of trees()) {
    if (tree === "/") continue; // the loader knows the system's folders
    for (const folder of [`${tree}usr/lib`, `${tree}lib`]) {
      for (const name of subfolders(folder)) {
        if (name.endsWith("-linux-gnu")) libraries.push(`${folder}/${name}`);
      }
    }
    modules.push(`${tree}usr/lib/python3/dist-packages`);
  }
  const openSSLModules = libraries.find((folder) =>
    subfolders(folder).includes("ossl-modules")
  );
  return {
    // OpenSSL looks for its modules where Debian installs them, and nowhere else.
    ...(openSSLModules === undefined
      ? {}
      : { OPENSSL_MODULES: `${openSSLModules}/ossl-modules` }),
    LD_LIBRARY_PATH: joined(libraries, Deno.env.get("LD_LIBRARY_PATH")),
    PYTHONPATH: joined(modules, Deno.env.get("PYTHONPATH")),
  };
}

function joined(paths: string[], rest: string | undefined): string {
  return [...paths, ...(rest === undefined || rest === "" ? [] : [rest])].join(
    ":",
  );
}

function subfolders(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].filter((entry) => entry.isDirectory)
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}
