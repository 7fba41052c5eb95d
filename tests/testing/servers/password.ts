/** Passwords in the form of password files. */

import { findProgram, programEnvironment } from "./programs.ts";

const hashes = new Map<string, Promise<string>>();

/**
 * Hashes a password as crypt(3) does, with SHA-512, once in a process.
 *
 * @param password The password.
 * @returns The hash, beginning with `$6$`.
 */
export function hashPassword(password: string): Promise<string> {
  return hashes.getOrInsertComputed(password, makeHash);
}

async function makeHash(password: string): Promise<string> {
  const { success, stdout } = await new Deno.Command(
    findProgram("openssl") ?? "openssl",
    {
      args: ["passwd", "-6", password],
      env: programEnvironment(),
      stderr: "null",
    },
  ).output();
  if (!success) throw new Error("Cannot hash a password: openssl failed");
  return new TextDecoder().decode(stdout).trim();
}
