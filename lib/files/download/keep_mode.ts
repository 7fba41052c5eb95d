/**
 * Permissions of a file that replaces another.
 *
 * @module
 */

import { nodeModule } from "../../connection/node_module.ts";

/** Permissions of a file, and its group. */
export interface FileMode {
  /** Permissions of owner, group and others. */
  readonly bits: number;
  /** Number of the group. */
  readonly group: number | null;
}

/**
 * Whether permissions can be set after a file is created. Deno before 2.3.7 has
 * no `fchmodSync`.
 */
export function canSetMode(): boolean {
  return typeof nodeModule("node:fs").fchmodSync === "function";
}

/** Permission bits of the group. */
const GROUP_BITS = 0o070;

/** Permissions that the owner needs to write, read and resume a file. */
const OWNER_BITS = 0o600;

/**
 * Permissions of a temporary file that will replace a file with `mode`. The
 * umask applies.
 */
export function modeMeanwhile(mode: FileMode | undefined): number | undefined {
  return mode && mode.bits | OWNER_BITS;
}

/**
 * Gives a file the permissions of the file that it replaces, if the file system
 * supports them. Errors are ignored, because the content matters more. If the
 * group differs, it gets no more than the umask allows.
 *
 * @param own Information on the open file
 * @param mode Permissions to keep; `undefined` for those of a new file
 * @param fresh A new file made with {@linkcode modeMeanwhile}, for comparison;
 * default: the file itself
 */
export function keepMode(
  path: string,
  own: Deno.FileInfo,
  mode: FileMode | undefined,
  fresh?: Deno.FileInfo,
): void {
  const { gid, mode: made } = fresh ?? own;
  const bits = mode === undefined
    ? (made ?? 0) & 0o777
    : gid === mode.group
    ? mode.bits
    : mode.bits & ((made ?? 0) | ~GROUP_BITS);
  if (((own.mode ?? 0) & 0o777) === bits) return;
  try {
    // chmod() would follow a link that replaced the file meanwhile
    const fs = nodeModule("node:fs");
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const { ino, dev } = fs.fstatSync(fd);
      if (ino === own.ino && dev === own.dev) fs.fchmodSync(fd, bits);
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // on FAT, all files have the permissions of the mount
  }
}
