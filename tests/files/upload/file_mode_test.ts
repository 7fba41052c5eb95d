import { assertEquals } from "@std/assert";
import { bytes, logIn, text } from "../../real/client.ts";
import { type RealServer, serverTest } from "../../testing/servers/mod.ts";
import { memoryServer } from "../../testing/memory_server.ts";

const IS_UNIX = Deno.build.os !== "windows";

function modeOf(server: RealServer, name: string): string {
  return (Deno.statSync(`${server.root}/${name}`).mode! & 0o7777).toString(8);
}

async function place(
  server: RealServer,
  name: string,
  mode: number,
): Promise<void> {
  await server.write(name, "#!/bin/sh\n");
  Deno.chmodSync(`${server.root}/${name}`, mode);
}

if (IS_UNIX) {
  serverTest(
    "FTP.chmod gives a file and a directory permissions",
    async (server) => {
      await place(server, "run.cgi", 0o644);
      await using ftp = await logIn(server);
      await ftp.mkd("folder");
      await ftp.chmod("run.cgi", 0o750);
      await ftp.chmod("folder", 0o711);
      assertEquals(
        [modeOf(server, "run.cgi"), modeOf(server, "folder")],
        ["750", "711"],
      );
    },
  );

  serverTest(
    "FTP.upload gives the file the mode of the one that it replaces",
    async (server) => {
      await using ftp = await logIn(server);
      for (const mode of [0o755, 0o600, 0o644, 0o4750]) {
        await place(server, "dir/run me.cgi", mode);
        await ftp.upload(bytes("new"), "dir/run me.cgi");
        assertEquals(text(await server.read("dir/run me.cgi")), "new");
        assertEquals(
          modeOf(server, "dir/run me.cgi"),
          (mode & 0o777).toString(8),
        );
      }
      await place(server, "dir/plain", 0o711);
      await ftp.cwd("dir");
      await ftp.upload(bytes("new"), "plain", { verify: "none" });
      assertEquals(modeOf(server, "dir/plain"), "711");
      await ftp.upload(bytes("new"), "fresh");
      await ftp.upload(bytes("new"), "in place", { atomic: false });
      assertEquals(modeOf(server, "dir/fresh"), modeOf(server, "dir/in place"));
    },
  );

  serverTest(
    "FTP.upload replaces a link by a file, and does not take its mode",
    async (server) => {
      await place(server, "real", 0o640);
      await using ftp = await logIn(server);
      await ftp.upload(bytes("new"), "fresh", { atomic: false });
      for (const link of ["link", "a link", "link [1]"]) {
        Deno.symlinkSync("real", `${server.root}/${link}`);
        await ftp.upload(bytes("new"), link);
        assertEquals(Deno.lstatSync(`${server.root}/${link}`).isFile, true);
        assertEquals(text(await server.read(link)), "new");
        assertEquals(modeOf(server, link), modeOf(server, "fresh"));
      }
      assertEquals(text(await server.read("real")), "#!/bin/sh\n");
    },
  );
}

const STATUS = "213-Status:\n-rwxr-xr-x 1 0 0 3 Jan 1 00:00 data\n213 End";

/** The commands from the first that matches. */
function since(commands: string[], regexp: RegExp): string[] {
  const verbs = commands.map((line) => line.replace(/\.data\S*/, "PART"));
  return verbs.slice(verbs.findIndex((line) => regexp.test(line)));
}

Deno.test("FTP.upload asks for a mode and sets it without a round trip of its own", async () => {
  await using server = await memoryServer({ "/data": "old" });
  await using ftp = await server.client();
  await ftp.voidcmd("TYPE I");
  const asked = Promise.all(
    ["SIZE", "EPSV"].map((verb) => server.received(verb)),
  );
  server.once("SIZE", async (turn) => {
    await asked;
    await turn.default();
  });
  const verified = server.received("SIZE");
  server.once("STAT", async (turn) => {
    await verified;
    await turn.raw(STATUS.replaceAll("\n", "\r\n") + "\r\n");
  });
  const renamed = server.received("RNFR");
  server.once("SITE", async (turn) => {
    await renamed;
    await turn.reply(200, "Done");
  });
  await ftp.upload(bytes("new"), "data");
  assertEquals(server.text("/data"), "new");
  assertEquals(since(server.commands, /^STOR/), [
    "STOR PART",
    "STAT data",
    "SIZE PART",
    "SITE CHMOD 755 PART",
    "RNFR PART",
    "RNTO data",
    "SIZE data", // that it was done is looked at in the same round trip
    "SIZE PART",
  ]);
});

Deno.test("FTP.upload is done where a server refuses SITE CHMOD, and does not ask it again", async () => {
  await using server = await memoryServer({ "/data": "old" });
  server.on("STAT", STATUS);
  await using ftp = await server.client();
  server.on("SITE", "550 Not yours");
  await ftp.upload(bytes("new"), "data");
  assertEquals(server.text("/data"), "new");
  server.on("SITE", "500 What");
  await ftp.upload(bytes("2"), "data");
  assertEquals(server.text("/data"), "2");
  const before = server.commands.length;
  await ftp.upload(bytes("3"), "data");
  const after = server.commands.slice(before);
  const rename = after.findIndex((line) => line.startsWith("RNFR"));
  assertEquals(
    after.slice(0, rename).filter((line) =>
      /^(SITE|STAT|SIZE data)/.test(line)
    ),
    [],
  );
  assertEquals(server.text("/data"), "3");
});

Deno.test("FTP.upload asks STAT for the mode of one file only", async () => {
  const cases: [listing: string, mode: string | undefined][] = [
    ["-rwsr-S--t   1 0 0 3 Jan  1 00:00 data", "741"],
    ["-rwxr-xr-x+  1 0 0 3 Jan  1 00:00 ./data", "755"],
    ["lrwxrwxrwx   1 0 0 3 Jan  1 00:00 data -> x", undefined],
    ["drwxrwxrwx   1 0 0 3 Jan  1 00:00 data", undefined],
    [
      "-rwxr-xr-x 1 0 0 3 Jan 1 00:00 data\n-rwxr-xr-x 1 0 0 3 Jan 1 00:00 data",
      undefined,
    ],
    ["-rwxr-xr-x   1 0 0 3 Jan  1 00:00 other", undefined],
    ["     Connected to here", undefined],
  ];
  for (const [listing, mode] of cases) {
    await using server = await memoryServer({ "/data": "old" });
    server.on("STAT", `213-Status follows:\n${listing}\n213 End`);
    server.on("SITE", "200 Done");
    await using ftp = await server.client();
    await ftp.upload(bytes("new"), "data");
    const told = server.commands.filter((line) => line.startsWith("SITE"));
    assertEquals(
      told.map((line) => line.split(" ")[2]),
      mode === undefined ? [] : [mode],
      listing,
    );
    await ftp.upload(bytes("new"), "none");
    await ftp.upload(bytes("new"), "-la");
    await ftp.upload(bytes("new"), "-la");
    await ftp.upload(bytes("new"), "dat[a]");
    await ftp.upload(bytes("new"), "dat[a]");
    assertEquals(server.verbs.filter((verb) => verb === "STAT").length, 1);
  }
});

Deno.test("FTP.upload asks nothing about the old file when it writes in place", async () => {
  await using server = await memoryServer({ "/data": "old" });
  await using ftp = await server.client();
  await ftp.upload(bytes("new"), "data", { atomic: false });
  assertEquals(server.commands.includes("SIZE data"), true);
  assertEquals(server.verbs.includes("STAT"), false);
  assertEquals(server.verbs.includes("SITE"), false);
});
