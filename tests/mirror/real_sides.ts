/**
 * Shared by the tests of mirrors on real servers: both sides, and their
 * connection.
 */

import {
  FTP,
  type FTPOptions,
  type MirrorResult,
  type UploadDirOptions,
} from "../../mod.ts";
import type { LocalFolder } from "../files/local_folder.ts";
import type { Proxy } from "../testing/proxy.ts";
import type { RealServer } from "../testing/servers/mod.ts";
import { type Tree, writeTree } from "./tree.ts";

export type Direction = "up" | "down";

/** Connects through a proxy, and logs in. */
export async function logInThrough(
  proxy: Proxy,
  server: RealServer,
  options: FTPOptions = {},
): Promise<FTP> {
  const ftp = new FTP({ timeout: 5000, ...options });
  await ftp.connect(proxy.host, proxy.port);
  await ftp.login(server.user, server.password);
  return ftp;
}

/** Makes "local" here and "top" there, with a tree in that which is mirrored. */
export function prepareSides(
  server: RealServer,
  folder: LocalFolder,
  direction: Direction,
  tree: Tree,
): void {
  const here = folder.at("local");
  const there = `${server.root}/top`;
  Deno.mkdirSync(here);
  Deno.mkdirSync(there);
  Deno.chmodSync(there, 0o777);
  writeTree(direction === "up" ? here : there, tree);
}

/** Mirrors one side to the other. */
export function mirrorSides(
  ftp: FTP,
  folder: LocalFolder,
  direction: Direction,
  options: UploadDirOptions = {},
): Promise<MirrorResult> {
  const all = { retry: { delay: 1 }, ...options };
  return direction === "up"
    ? ftp.uploadDir(folder.at("local"), "top", all)
    : ftp.downloadDir("top", folder.at("local"), all);
}
