import { assert, assertEquals } from "@std/assert";
import { MemoryFolder } from "./memory_folder.ts";

/** Runs with another value of TMPDIR. */
function withTemporary<T>(value: string | undefined, run: () => T): T {
  const before = Deno.env.get("TMPDIR");
  const set = (to: string | undefined) =>
    to === undefined ? Deno.env.delete("TMPDIR") : Deno.env.set("TMPDIR", to);
  set(value);
  try {
    return run();
  } finally {
    set(before);
  }
}

Deno.test("MemoryFolder.make gives a folder that is gone at the end with its files", () => {
  const path = withTemporary(undefined, () => {
    using folder = MemoryFolder.make();
    // a machine may have no memory for it
    if (folder === undefined) return undefined;
    assertEquals(Deno.statSync(folder.path).mode! & 0o7777, 0o1777);
    Deno.mkdirSync(`${folder.path}/a`);
    Deno.writeTextFileSync(`${folder.path}/a/b`, "left");
    return folder.path;
  });
  if (path === undefined) return;
  assert(path.startsWith("/dev/shm/"), path);
  assertEquals(
    [...Deno.readDirSync("/dev/shm")].filter(({ name }) => path.endsWith(name)),
    [],
  );
});

Deno.test("MemoryFolder.make gives none where there is no memory, or where TMPDIR is set", () => {
  assertEquals(
    withTemporary(undefined, () => MemoryFolder.make("/no/such/folder")),
    undefined,
  );
  assertEquals(
    withTemporary("/somewhere", () => MemoryFolder.make()),
    undefined,
  );
});
