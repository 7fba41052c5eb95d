/**
 * What a transfer's command says of it.
 *
 * @module
 */

/**
 * Whether the server has nothing to write after a command.
 *
 * @param command The command
 * @returns Whether it is for an upload
 */
export function isUpload(command: string): boolean {
  return /^(STOR|STOU|APPE)\b/i.test(command);
}
