import { assertEquals } from "@std/assert";
import { TreeQueue, type TreeTask } from "../../lib/mirror/tree_queue.ts";
import {
  type DirectoryPath,
  type MirrorItem,
  Snapshot,
} from "../../lib/mirror/snapshot.ts";
import type { MirrorTask } from "../../lib/mirror/direction.ts";

/** More than a call can have arguments. */
const MANY = 250_000;

const ROOT: DirectoryPath = {
  path: "",
  depth: 0,
  parent: undefined,
  identity: {},
  isNew: false,
};

for (const inHand of [0, 1]) {
  Deno.test(`TreeQueue takes a directory with ${MANY} in it, ${inHand} of them in hand at the end`, async () => {
    const opened: string[] = [];
    const queue = new TreeQueue(ROOT, work(opened));
    const task = {} as MirrorTask; // not used
    await queue.take()!(task);
    for (let i = inHand; i < MANY; i++) await queue.take()!(task);
    for (let i = 0; i < inHand; i++) {
      const last = queue.take()!;
      await queue.take()!(task); // a directory, while the last entry is in hand
      await last(task);
    }
    for (let job; (job = queue.take()) !== undefined;) await job(task);
    assertEquals(opened.length, MANY + 1);
    assertEquals(new Set(opened).size, MANY + 1);
    assertEquals(opened.slice(0, 2), ["", "0"]);
  });
}

/** A directory with many empty ones in it. */
function work(opened: string[]): TreeTask {
  const source = new Snapshot();
  for (let i = 0; i < MANY; i++) source.set(directory(`${i}`));
  return {
    open(_task, directory) {
      opened.push(directory.path);
      return Promise.resolve({
        directory,
        source: directory === ROOT ? source : new Snapshot(),
        target: new Snapshot(),
      });
    },
    transfer: (_task, { directory }, { name }) =>
      Promise.resolve({ ...ROOT, path: name, depth: 1, parent: directory }),
    close: () => Promise.resolve(),
  };
}

function directory(name: string): MirrorItem {
  return {
    name,
    kind: "directory",
    size: undefined,
    mtime: undefined,
    precision: 1000,
    identity: {},
    problem: undefined,
  };
}
