/**
 * Permissions of a file that takes another's place.
 *
 * @module
 */

// by namespace: Deno before 2.3.7 has no fchmodSync
import * as fs from "node:fs";

/** Permissions of a file, and whom some of them are for. */
export interface FileMode {
  /** For the owner, the group and others. */
  readonly bits: number;
  /** The number of the group. */
  readonly group: number | null;
}

/** Whether permissions can be set later than when a file is made. */
export const CAN_SET_MODE: boolean = typeof fs.fchmodSync === "function";

/** What a group may do. */
const GROUP_BITS = 0o070;

/** What the owner needs to write to a file, to read and to resume it. */
const OWNER_BITS = 0o600;

/**
 * Permissions to make a file with that takes another's place later. The umask
 * cuts them.
 *
 * @param mode Those of the other file, if there is one
 * @returns As many of them, and what is needed until then
 */
export function modeMeanwhile(mode: FileMode | undefined): number | undefined {
  return mode && mode.bits | OWNER_BITS;
}

/**
 * Gives a file the permissions of the one whose place it takes, as far as the
 * file system has them: its content matters more. Where it belongs to another
 * group, that group is not given what the umask keeps from it.
 *
 * @param path Where the file is
 * @param file The file
 * @param mode The permissions; those of a new file without
 * @param fresh What a new file is like that {@linkcode modeMeanwhile} made; the
 * file itself without
 */
export function keepMode(
  path: string,
  file: Deno.FsFile,
  mode: FileMode | undefined,
  fresh?: Deno.FileInfo,
): void {
  const own = file.statSync();
  const { gid, mode: made } = fresh ?? own;
  const bits = mode === undefined
    ? (made ?? 0) & 0o777
    : gid === mode.group
    ? mode.bits
    : mode.bits & ((made ?? 0) | ~GROUP_BITS);
  if (((own.mode ?? 0) & 0o777) === bits) return;
  try {
    // chmod() would follow a link that somebody has put there meanwhile
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const { ino, dev } = fs.fstatSync(fd);
      if (ino === own.ino && dev === own.dev) fs.fchmodSync(fd, bits);
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // such as FAT, where all files have the permissions of the mount
  }
}
