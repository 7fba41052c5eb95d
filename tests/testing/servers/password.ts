/** Passwords in the form of password files. */

import { findProgram, programEnvironment } from "./programs.ts";

/**
 * Hashes a password as crypt(3) does, with SHA-512.
 *
 * @param password The password.
 * @returns The hash, beginning with `$6$`.
 */
export async function hashPassword(password: string): Promise<string> {
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
