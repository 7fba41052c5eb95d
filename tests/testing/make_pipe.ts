import { assertEquals } from "@std/assert";

/** Makes a pipe with a name: who opens it waits for its other end. */
export async function makePipe(path: string): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: [path] })
    .output();
  assertEquals(success, true);
}

/** As {@linkcode makePipe}, where nothing may be awaited. */
export function makePipeSync(path: string): void {
  const { success } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
  assertEquals(success, true);
}
