/**
 * Classifies transfer commands.
 *
 * @module
 */

/** Whether a command is an upload, for which the server sends no data. */
export function isUpload(command: string): boolean {
  return /^(STOR|STOU|APPE)\b/i.test(command);
}
