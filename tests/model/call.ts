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
  /** How the call is broken off, if it is. */
  readonly stop: Stop | undefined;
  readonly server: { readonly name: ServerName; features: ServerFeatures };
  /** For downloads and uploads. */
  readonly folder: LocalFolder;
}

/** A call, all of whose random decisions are made. */
export interface Call {
  /** As it would be written. */
  readonly text: string;
  /** Calls of ftplib may reject with `NotConnected` after an abort; those that take a path may not. */
  readonly level: "ftplib" | "path";
  /** Makes the call, and says what is wrong with its answer. May be made again. */
  readonly run: (ftp: FTP) => Promise<string | undefined>;
  /** Its changes, and possible states if it fails. */
  readonly doubts?: readonly Doubt[];
  /** Writes down in the model what a success has changed. */
  readonly apply?: () => void;
  /** Whether it moves to another directory. */
  readonly isMove?: boolean;
}

/** Draws a call of one kind; `undefined` if there is none now. */
export type Kind = (draw: Draw) => Call | undefined;

/** A path as a call is given it: absolute, or from the current directory. */
export function spell({ tree, random }: Draw, path: string): string {
  const isRelative = random.chance(0.4);
  const { directory } = tree;
  if (!isRelative || directory === "/") return path;
  if (parentOf(path) === directory) return path.slice(directory.length + 1);
  return path.startsWith(`${directory}/`)
    ? path.slice(directory.length + 1)
    : path;
}

/** Waits for something that may fail in any way, as long as it ends. */
export async function whatever(promise: Promise<unknown>): Promise<void> {
  await promise.catch(() => {});
}
