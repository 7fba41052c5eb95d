/**
 * Classifies transfer commands.
 *
 * @module
 */

/** Whether a command is an upload, for which the server sends no data. */
export function isUpload({ verb }: { verb: string | undefined }): boolean {
  return verb !== undefined && /^(STOR|STOU|APPE)\b/i.test(verb);
}
