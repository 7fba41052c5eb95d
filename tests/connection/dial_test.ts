import { assertEquals } from "@std/assert";
import { dial } from "../../lib/connection/dial.ts";

Deno.test("dial leaves no connection behind that comes while its signal is aborted", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  for (let i = 0; i < 20; i++) {
    const controller = new AbortController();
    const dialling = dial(hostname, port, {
      timeout: 1000,
      signal: controller.signal,
    });
    setTimeout(() => controller.abort("enough"), 1);
    // both are due when the program gets its turn again
    for (const end = performance.now() + 5; performance.now() < end;);
    const [conn, result] = await Promise.all([
      listener.accept(),
      dialling.catch((error) => error),
    ]);
    if (result !== "enough") result.close();
    // the end of the only other side: nothing is left
    assertEquals(await conn.read(new Uint8Array(1)), null);
    conn.close();
  }
});
