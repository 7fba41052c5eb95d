import { assertEquals } from "@std/assert";
import { joinRawPath } from "../../lib/commands/raw_path.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("joinRawPath puts one slash between, and none behind nothing", () => {
  for (
    const [directory, path] of [
      ["", "name"],
      ["/", "/name"],
      ["a", "a/name"],
      ["/a/", "/a/name"],
    ] as const
  ) {
    assertEquals(joinRawPath(bytes(directory), bytes("name")), bytes(path));
  }
});
