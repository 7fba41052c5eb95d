/**
 * Paths of a mirror on the server. Paths of z/OS are not joined with slashes.
 *
 * @module
 */

import { joinPath } from "../commands/path.ts";
import { dataSetKind } from "../directories/change_directory.ts";
import { dataSetError } from "../files/upload/temporary_name.ts";
import type { Entry } from "../listing/entry.ts";
import { joinerOf, type JoinPath } from "../listing/entry_path.ts";
import {
  joinMember,
  joinQualifier,
  whyNoDataSet,
  whyNoMember,
} from "../listing/zos_path.ts";
import type { Session } from "../transfer/session.ts";
import type { ExclusiveTurn } from "../transfer/turn.ts";
import type { MirrorOptions } from "./options.ts";
import type { DirectoryPath, NameRule } from "./snapshot.ts";
import { Staging } from "./staging.ts";

/** What the paths of all connections of a mirror share. */
export interface SharedPaths {
  /** The entry of the target that is built under a temporary name. */
  readonly staging?: Staging | undefined;
  /** How paths are joined below some directories. */
  readonly joiners?: Map<string, JoinPath> | undefined;
}

/** Paths of a mirror on the server. */
export class RemotePaths {
  readonly #root: string;
  readonly #staging: Staging;
  /** Directories below which paths are not joined with slashes: of z/OS. */
  readonly #joiners: Map<string, JoinPath>;

  /** Creates paths below a root directory; "" for the current one. */
  constructor(
    root: string,
    { staging = new Staging(), joiners = new Map() }: SharedPaths,
  ) {
    this.#root = root;
    this.#staging = staging;
    this.#joiners = joiners;
  }

  /** Whether some paths are not joined with slashes. */
  get hasDataSets(): boolean {
    return this.#joiners.size > 0;
  }

  /** Returns the full path of an entry. */
  at(path: string): string {
    if (path === "") return this.#root;
    const now = this.#staging.at(path);
    if (this.#joiners.size === 0) return joinPath(this.#root, now);
    let whole = this.#root;
    let directory = "";
    let isDataSet = false;
    for (const name of now.split("/")) {
      const join: JoinPath = this.#joiners.get(directory) ??
        (isDataSet ? joinMember : joinPath);
      isDataSet = join !== joinPath;
      whole = join(whole, name);
      directory = joinPath(directory, name);
    }
    return whole;
  }

  /** Learns from its listing how paths are joined below a directory. */
  learn(path: string, entries: readonly Entry[]): void {
    const known = entries.find(({ format }) => format !== "unknown");
    const join = known && joinerOf(known.format);
    if (join !== undefined) this.#joiners.set(path, join);
  }

  /**
   * Learns how paths of the target are joined, if it is a data set of z/OS: an
   * empty one shows no format.
   *
   * @throws {Deno.errors.NotSupported} If files would get temporary names
   */
  async learnTarget(
    session: Session,
    { signal, dryRun, atomic }: MirrorOptions,
  ): Promise<void> {
    const mayBe = this.#root.startsWith("'") ||
      session.state.directory?.startsWith("'") === true;
    if (!this.#joiners.has("") && mayBe) {
      const ask = (turn: ExclusiveTurn) =>
        dataSetKind(turn, this.#root, { signal });
      const kind = await session.exclusive(ask, { signal });
      if (kind !== undefined) {
        this.#joiners.set("", kind === "prefix" ? joinQualifier : joinMember);
      }
    }
    const join = this.#joiners.get("");
    const isDataSet = join === joinMember || join === joinQualifier;
    if (isDataSet && atomic !== false && dryRun !== true) {
      throw dataSetError(this.#root);
    }
  }

  /** Whether the root is known to be the first qualifiers of data sets. */
  get isPrefix(): boolean {
    return this.#joiners.get("") === joinQualifier;
  }

  /** Notes that the root is the first qualifiers of data sets. */
  notePrefix(): void {
    this.#joiners.set("", joinQualifier);
  }

  /** Returns the rule for names in a directory, if it has one. */
  ruleOf({ path, parent }: DirectoryPath): NameRule | undefined {
    const above = parent && this.#joiners.get(parent.path);
    const join = this.#joiners.get(path) ??
      (above === joinQualifier ? joinMember : undefined);
    if (join === joinMember) {
      return ({ name, kind }) => whyNoMember(name, kind === "directory");
    }
    if (join !== joinQualifier) return undefined;
    return ({ name }) => whyNoDataSet(this.at(path), name);
  }
}
