import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTPTemporaryError } from "../../../mod.ts";
import { keepMode } from "../../../lib/files/download/keep_mode.ts";
import { makeData } from "../../real/client.ts";
import { LocalFolder } from "../local_folder.ts";
import { memoryServer } from "../../testing/memory_server.ts";

const DATA = makeData(300_000);
const ignore = Deno.build.os === "windows"; // it has no modes

function modeOf(path: string): number {
  return Deno.statSync(path).mode! & 0o777;
}

/** A file with a mode, whatever the umask. */
function write(path: string, mode: number): void {
  Deno.writeTextFileSync(path, "old");
  Deno.chmodSync(path, mode);
}

Deno.test({
  name: "FTP.download keeps the mode of the file that it replaces",
  ignore,
  fn: async () => {
    await using server = await memoryServer({ "/data": DATA });
    using folder = new LocalFolder();
    await using ftp = await server.client();
    const before = Deno.umask(0o077);
    try {
      for (const mode of [0o664, 0o775, 0o666, 0o600, 0o444, 0o000]) {
        for (const options of [{}, { resume: true }, { atomic: false }]) {
          write(folder.at("copy"), mode);
          await ftp.download("data", folder.at("copy"), options);
          assertEquals(modeOf(folder.at("copy")), mode);
          assertEquals(folder.names(), ["copy"]);
          Deno.removeSync(folder.at("copy"));
        }
      }
      await ftp.download("data", folder.at("copy"));
      assertEquals(modeOf(folder.at("copy")), 0o600);
    } finally {
      Deno.umask(before);
    }
  },
});

Deno.test({
  name: "FTP.download leaves a part that may be written to by its owner",
  ignore,
  fn: async () => {
    await using server = await memoryServer({ "/data": DATA });
    using folder = new LocalFolder();
    await using ftp = await server.client();
    write(folder.at("copy"), 0o444);
    server.once("RETR", async (turn) => {
      await turn.reply(150, "Here it comes");
      const data = await turn.openData();
      await data.write(DATA.subarray(0, 1000));
      await data.end();
      await turn.reply(451, "Cut");
    });
    const options = { resume: true, retry: false } as const;
    await assertRejects(
      () => ftp.download("data", folder.at("copy"), options),
      FTPTemporaryError,
    );
    const [part, ...others] = folder.names();
    assertEquals(others, ["copy"]);
    assertEquals(modeOf(folder.at(part!)), 0o600);
    const { bytes } = await ftp.download("data", folder.at("copy"), options);
    assertEquals(bytes, DATA.length - 1000);
    assertEquals(modeOf(folder.at("copy")), 0o444);
  },
});

Deno.test({
  name: "keepMode changes nothing but its file",
  ignore,
  fn: async (context) => {
    const plants: [string, (victim: string, path: string) => void][] = [
      ["a symbolic link", Deno.symlinkSync],
      ["another file", Deno.renameSync],
      ["a pipe", (_, path) => {
        const { success } = new Deno.Command("mkfifo", { args: [path] })
          .outputSync();
        assert(success);
      }],
      ["nothing", () => {}],
    ];
    for (const [name, plant] of plants) {
      await context.step(name, () => {
        using folder = new LocalFolder();
        write(folder.at("victim"), 0o600);
        write(folder.at("part"), 0o600);
        using file = Deno.openSync(folder.at("part"));
        const group = file.statSync().gid;
        Deno.removeSync(folder.at("part"));
        plant(folder.at("victim"), folder.at("part"));
        keepMode(folder.at("part"), file.statSync(), { bits: 0o666, group });
        assert(folder.names().length > 0);
        for (const name of folder.names()) {
          const { isFile } = Deno.lstatSync(folder.at(name));
          if (isFile) assertEquals(modeOf(folder.at(name)), 0o600);
        }
      });
    }
  },
});

Deno.test({
  name: "keepMode gives another group no more than the umask does",
  ignore,
  fn: () => {
    using folder = new LocalFolder();
    write(folder.at("part"), 0o640);
    using file = Deno.openSync(folder.at("part"));
    const group = file.statSync().gid;
    const cases = [
      [group, 0o664, 0o664],
      [group! + 1, 0o665, 0o645],
      [null, 0o600, 0o600],
    ] as const;
    for (const [group, bits, expected] of cases) {
      Deno.chmodSync(folder.at("part"), 0o640);
      keepMode(folder.at("part"), file.statSync(), { bits, group });
      assertEquals(modeOf(folder.at("part")), expected);
    }
  },
});
