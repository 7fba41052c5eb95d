import { assertEquals, assertRejects } from "@std/assert";
import type { FTP } from "../../mod.ts";
import { memoryServer } from "../testing/memory_server.ts";

const TEXT = "0123456789";

async function read(ftp: FTP, offset?: number): Promise<string> {
  return await new Response(await ftp.retrieve("f", { offset })).text();
}

Deno.test("FTP.retrieve gives a whole file after a REST whose data connection failed", async () => {
  await using server = await memoryServer({ "/f": TEXT });
  await using ftp = await server.client();
  assertEquals(await read(ftp, 3), TEXT.slice(3));
  const listener = Deno.listen({ hostname: server.host, port: 0 });
  const { port } = listener.addr;
  listener.close();
  server.once("EPSV", `229 Nothing listens (|||${port}|)`);
  await assertRejects(() => read(ftp, 5), Error, `${port}`);
  assertEquals(await read(ftp), TEXT);
  assertEquals(await read(ftp, 7), TEXT.slice(7));
});

Deno.test("FTP.retrieve throws the refusal of a REST that was sent while its data connection was dialed", async () => {
  await using server = await memoryServer({ "/f": TEXT });
  await using ftp = await server.client();
  assertEquals(await read(ftp, 3), TEXT.slice(3));
  server.once("REST", "502 No REST");
  await assertRejects(() => read(ftp, 5), Error, "502 No REST");
  assertEquals(await read(ftp), TEXT);
  assertEquals(await read(ftp, 7), TEXT.slice(7));
});
