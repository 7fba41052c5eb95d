/** The type of a random call. */

import type { FTP } from "../../mod.ts";
import type { LocalFolder } from "../files/local_folder.ts";
import type { Random } from "../faults/random.ts";
import type { ServerFeatures, ServerName } from "../testing/servers/mod.ts";
import { type Doubt, type ModelTree, parentOf } from "./model_tree.ts";
import type { Stop } from "./stop.ts";

/** Input of a random call. */
export interface Draw {
  readonly random: Random;
  readonly tree: ModelTree;
  /** How the call is stopped, if it is. */
  readonly stop: Stop | undefined;
  readonly server: { readonly name: ServerName; features: ServerFeatures };
  /** Folder for downloads and uploads. */
  readonly folder: LocalFolder;
}

/** A call whose random decisions are made. */
export interface Call {
  /** The call as source code. */
  readonly text: string;
  /** Calls of ftplib may reject with `NotConnected` after an abort; those that take a path may not. */
  readonly level: "ftplib" | "path";
  /**
   * Makes the call. Returns the error in its result, if there is one. May be
   * repeated.
   */
  readonly run: (ftp: FTP) => Promise<string | undefined>;
  /** Paths that it may change, with their possible states after a failure. */
  readonly doubts?: readonly Doubt[];
  /** Updates the model after a success. */
  readonly apply?: () => void;
  /** Whether it changes the directory. */
  readonly isMove?: boolean;
}

/** Makes a random call; `undefined` if none is possible now. */
export type Kind = (draw: Draw) => Call | undefined;

/**
 * Returns the argument for a path: absolute, or relative to the current
 * directory.
 */
export function spell({ tree, random }: Draw, path: string): string {
  const isRelative = random.chance(0.4);
  const { directory } = tree;
  if (!isRelative || directory === "/") return path;
  if (parentOf(path) === directory) return path.slice(directory.length + 1);
  return path.startsWith(`${directory}/`)
    ? path.slice(directory.length + 1)
    : path;
}

/** Waits for a promise that may fail in any way. */
export async function whatever(promise: Promise<unknown>): Promise<void> {
  await promise.catch(() => {});
}
