/** Runs the command line in a real terminal. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ScriptedServer } from "../testing/scripted/mod.ts";
import { hasNoTerminal, Terminal } from "../testing/terminal.ts";
import { CLI, inFolder, PERMISSIONS } from "./run_cli.ts";

const ignore = hasNoTerminal();

function start(
  args: readonly string[],
  cwd: string,
  size: { columns?: number; rows?: number } = {},
): Promise<Terminal> {
  const without = ["env", "-u", "FTP_PASSWORD"];
  const command = [
    ...without,
    Deno.execPath(),
    "run",
    "--no-check",
    ...PERMISSIONS,
    CLI,
  ];
  return Terminal.start([...command, ...args], { cwd, ...size });
}

Deno.test(
  "cli.ts asks for a password without showing it",
  { ignore },
  () =>
    inFolder(async (cwd) => {
      await using server = await ScriptedServer.start({ files: { "/a": "a" } });
      const url = `ftp://ann@${server.host}:${server.port}/`;
      await using terminal = await start(["ls", url], cwd);
      await terminal.shows(/Password for ann@127\.0\.0\.1: *$/);
      // typed wrong, erased, typed again
      await terminal.press("zecräx", "C-u", "se");
      await terminal.press("xy", "BSpace", "BSpace", "ä", "BSpace", "cret");
      await terminal.press("Enter");
      const screen = await terminal.shows(/exit code 0/);
      assertMatch(screen, /^Password for ann@127\.0\.0\.1:\na\nexit code 0$/);
      assertEquals(server.commands.slice(0, 2), ["USER ann", "PASS secret"]);
    }),
);

Deno.test(
  "cli.ts restores the terminal when the password prompt is interrupted",
  { ignore },
  () =>
    inFolder(async (cwd) => {
      await using server = await ScriptedServer.start();
      const url = `ftp://ann@${server.host}:${server.port}/`;
      await using terminal = await start(["ls", url], cwd);
      await terminal.shows(/Password for/);
      await terminal.press("sec", "C-c");
      await terminal.shows(/exit code 130/);
      await terminal.press("echoed");
      await terminal.shows(/echoed/);
      assertEquals(server.sessions.length, 0);
    }),
);

Deno.test(
  "cli.ts get draws a bar for each current file, and Ctrl-C aborts in order",
  { ignore },
  () =>
    inFolder(async (cwd) => {
      const content = new Uint8Array(4_000_000);
      const wide = "日本語".repeat(12);
      await using server = await ScriptedServer.start({
        files: {
          "/data/one.bin": content,
          [`/data/${wide}.bin`]: content,
          "/data/small.txt": "small",
        },
      });
      let open = 0;
      server.on("RETR", async (turn) => {
        if (turn.argument.endsWith(".txt")) return await turn.default();
        await turn.reply(150, `Here it comes (${content.length} bytes)`);
        const data = await turn.openData();
        open++;
        // bytes go on coming, so that progress is told, and never end
        for (let at = 0; at < 3_900_000 && !data.isGone; at += 10_000) {
          await data.write(content.subarray(at, at + 10_000));
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      });
      const url = `ftp://${server.host}:${server.port}/data/*`;
      await using terminal = await start(["get", "-P", "3", url], cwd, {
        columns: 70,
      });
      const bar = /^data\/\S+ .*\d+% .*$/gmu;
      const screen = await terminal.shows(/(^data\/\S+ .*\d+% .*\n?){2}/mu);
      const bars = screen.match(bar) ?? [];
      assertEquals([bars.length, open], [2, 2], screen);
      // the whole at once: between two drawings there are fewer bars
      await terminal.shows(
        /^data\/small\.txt -> small\.txt: 5 bytes, verified by size\n(data\/.*\n?){2}$/u,
      );
      // one bar a line, however wide its name
      for (const line of bars) assert([...line].length <= 70, line);
      await terminal.press("C-c");
      const end = await terminal.shows(/exit code/);
      assertMatch(
        end,
        /^data\/small\.txt -> .*\nftp: Interrupted: unfinished files are kept.*\n?.*\nexit code 130$/,
      );
    }),
);

Deno.test(
  "cli.ts sync --preview prints what would be done, and does it after confirmation",
  { ignore },
  () =>
    inFolder(async (cwd) => {
      await Deno.mkdir(`${cwd}/site`);
      await Deno.writeTextFile(`${cwd}/site/new.txt`, "new");
      await using server = await ScriptedServer.start({
        files: { "/www/old.txt": "old" },
      });
      const url = `ftp://${server.host}:${server.port}/www`;
      const args = ["sync", "site", url, "--delete", "--preview"];
      {
        await using terminal = await start(args, cwd);
        const screen = await terminal.shows(/Continue\? \[y\/N\]/);
        assertMatch(screen, /would transfer new\.txt \(new\)/);
        assertMatch(screen, /would remove old\.txt \(missing\)/);
        await terminal.press("n", "Enter");
        await terminal.shows(/Nothing was changed\nexit code 0/);
        assertEquals([...server.files.keys()], ["/www/old.txt"]);
      }
      await using terminal = await start(args, cwd);
      await terminal.shows(/Continue\? \[y\/N\]/);
      await terminal.press("y", "Enter");
      await terminal.shows(/1 transferred .*1 removed\nexit code 0/);
      assertEquals([...server.files.keys()], ["/www/new.txt"]);
    }),
);
