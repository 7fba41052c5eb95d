/** MODE and STRU set by hand: the data is then neither a listing nor a file. */

import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import type { FTP } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";

const CALLS: [name: string, call: (ftp: FTP, local: string) => unknown][] = [
  ["list", (ftp) => Array.fromAsync(ftp.list())],
  ["walk", (ftp) => Array.fromAsync(ftp.walk())],
  ["retrieve", (ftp) => ftp.retrieve("a")],
  ["store", (ftp) => ftp.store("b", new Uint8Array(1))],
  ["download", (ftp, local) => ftp.download("a", local)],
  ["upload", (ftp) => ftp.upload(new Uint8Array(1), "b")],
  ["nlst", (ftp) => ftp.nlst()],
  ["retrlines", (ftp) => ftp.retrlines("RETR a", () => {})],
  ["storlines", (ftp) => ftp.storlines("STOR b", new Uint8Array(1))],
  ["mlsd", (ftp) => Array.fromAsync(ftp.mlsd())],
];

for (
  const [setting, usual] of [
    ["MODE Z", "MODE S"],
    ["mode b", "MODE S"],
    ["MODE C", "MODE S"],
    ["STRU R", "STRU F"],
    ["STRU P", "STRU F"],
  ] as const
) {
  Deno.test(`FTP refuses listings and files after "${setting}" set by hand, until "${usual}"`, async () => {
    await using server = await memoryServer({ "/a": "hello" });
    server.on("MODE", "200 ok").on("STRU", "200 ok");
    using folder = new LocalFolder();
    await using ftp = await server.client();
    await ftp.sendcmd(setting);
    for (const [name, call] of CALLS) {
      const error = await Promise.resolve()
        .then(() => call(ftp, folder.at("x")))
        .then(() => undefined, (error) => error);
      assertInstanceOf(error, TypeError, name);
      assertEquals(error.message.includes(`send "${usual}" first`), true);
    }
    assertEquals([...Deno.readDirSync(folder.path)].length, 0);
    assertEquals(
      server.verbs.some((verb) => /^(RETR|STOR|LIST|NLST|MLSD)$/.test(verb)),
      false,
    );
    // a caller that takes the raw bytes gets them
    await ftp.retrbinary("RETR a", () => {});
    await ftp.sendcmd(usual);
    assertEquals((await Array.fromAsync(ftp.list())).length, 1);
  });
}

Deno.test("FTP sets the type back that was set by hand, and takes a refused MODE for none", async () => {
  await using server = await memoryServer({ "/a": "hello" });
  server.on("MODE", "504 No");
  await using ftp = await server.client();
  await ftp.voidcmd("TYPE E");
  await assertRejects(() => ftp.voidcmd("MODE Z"));
  assertEquals((await Array.fromAsync(ftp.list())).length, 1);
  await ftp.voidcmd("TYPE L 8");
  assertEquals(await new Response(await ftp.retrieve("a")).text(), "hello");
});

Deno.test("FTP.ensureDir takes no endless NLST for what it has to read to its end", async () => {
  await using server = await memoryServer();
  server.on(
    "CWD",
    (turn) =>
      turn.argument === "/" ? turn.reply(250, "ok") : turn.reply(
        250,
        `"${turn.argument}" is working directory name prefix.`,
      ),
  );
  server.on("MKD", "257 made");
  server.on("NLST", async (turn) => {
    await turn.reply(150, "List");
    const data = await turn.openData();
    try {
      while (true) await data.write("'USER.NAME'\r\n".repeat(1000));
    } catch {
      // it has enough
    }
    await turn.reply(426, "Aborted");
  });
  await using ftp = await server.client();
  const outcome = await ftp.ensureDir("'USER.X'").then(() => "made");
  assertEquals(server.verbs.includes("NLST"), true);
  assertEquals(outcome, "made");
});
