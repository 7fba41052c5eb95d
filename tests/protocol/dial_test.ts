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
    conn.close();
    if (result === "enough") continue;
    result.close(); // the sanitizers see what is left
  }
});
