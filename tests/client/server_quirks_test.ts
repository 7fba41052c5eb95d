import { assert, assertEquals } from "@std/assert";
import { FTP } from "../../mod.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";

const MFF = "211-Features\n MFF modify;UNIX.group;UNIX.mode;\n211 End";

/**
 * Sends a number of `NOOP`s.
 *
 * @returns The server's other commands, and the largest number of unanswered
 * `NOOP`s
 */
async function runPipeline(
  greeting: string,
  features: string,
  count: number,
): Promise<{ others: string[]; thickest: number }> {
  await using server = await ScriptedServer.start();
  const noops = () => server.commands.filter((line) => line === "NOOP").length;
  let answered = 0;
  let thickest = 0;
  server.on("connect", greeting).on("FEAT", features);
  server.on("NOOP", async (turn) => {
    thickest = Math.max(thickest, noops() - answered);
    answered++;
    await turn.reply(200, "Done");
  });
  await using ftp = new FTP();
  await ftp.connect(server.host, server.port);
  await ftp.login();
  const before = server.commands.length;
  const commands = Array.from({ length: count }, () => "NOOP");
  const replies = await Array.fromAsync(ftp.pipeline(commands));
  assertEquals(replies.length, count);
  const others = server.commands.slice(before).filter((line) =>
    line !== "NOOP"
  );
  return { others, thickest };
}

Deno.test("FTP.pipeline asks an unknown server for FEAT only if it is long", async () => {
  assertEquals((await runPipeline("220 Hello", "211 None", 50)).others, []);
  const long = await runPipeline("220 Hello", "211 None", 500);
  assertEquals(long.others, ["FEAT"]);
  assert(long.thickest > 100, `${long.thickest} at once`);
});

Deno.test("FTP.pipeline sends all at once to a server that says it is vsftpd", async () => {
  const known = await runPipeline("220 (vsFTPd 3.0.3)", MFF, 500);
  assertEquals(known.others, []);
  assert(known.thickest > 100, `${known.thickest} at once`);
});

Deno.test("FTP.pipeline sends at most 512 bytes at once to ProFTPD, with any greeting", async () => {
  for (const greeting of ["220 ProFTPD Server", "220 Hello"]) {
    const { thickest } = await runPipeline(greeting, MFF, 500);
    assert(thickest <= Math.floor(512 / "NOOP\r\n".length), `${thickest}`);
  }
});

Deno.test("FTP.pipeline sends ftp-srv one command at a time", async () => {
  for (const greeting of ["220 Ready", "220-Hello\n220 Ready"]) {
    const { others, thickest } = await runPipeline(greeting, "211 None", 500);
    assertEquals([others, thickest], [[], 1]);
  }
});

Deno.test("FTP.login asks IIS for names in UTF-8, and ignores the reply", async () => {
  const iis = "220 Microsoft FTP Service";
  const cases: [greeting: string, encoding: string, asked: string[]][] = [
    [iis, "utf-8", ["OPTS UTF8 ON"]],
    [iis, "windows-1252", []],
    ["220 Hello", "utf-8", []],
  ];
  for (const [greeting, encoding, asked] of cases) {
    for (const answer of ["200 On", "202 Always on", "501 No", "451 No"]) {
      await using server = await ScriptedServer.start();
      server.on("connect", greeting).on("OPTS", answer);
      await using ftp = new FTP({ encoding });
      await ftp.connect(server.host, server.port);
      assertEquals((await ftp.login()).code, 230);
      assertEquals(server.commands.slice(2), asked);
      assertEquals(await ftp.pwd(), "/");
    }
  }
});
