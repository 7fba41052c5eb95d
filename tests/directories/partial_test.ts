import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  FTPError,
  FTPPermanentError,
  FTPReplyError,
  type ListOptions,
} from "../../mod.ts";
import { logIn } from "../real/client.ts";
import { type ServerFeatures, serverTest } from "../testing/servers/mod.ts";
import { DENIALS, deny } from "../testing/servers/unreadable.ts";
import type { Handler } from "../testing/scripted/mod.ts";
import {
  fact,
  namesOf,
  Pair,
  unix,
  UNKNOWN,
} from "../testing/scripted_listings.ts";

/** Pure-FTPd, which cuts listings at 10,000 entries by default. */
const CUTTING = {
  servers: ["pure-ftpd"],
  extra: ["--limitrecursion", "10:5"],
} as const;

const COMMANDS = [undefined, "MLSD", "LIST"] as const;

for (const command of COMMANDS) {
  const by = command ?? "what works";
  serverTest(
    `FTP.list and FTP.walk tell of a listing that the server has cut, by ${by}`,
    async (server) => {
      for (let i = 0; i < 20; i++) await server.write(`top/d/${i}`, "x");
      await using ftp = await logIn(server);
      const names: string[] = [];
      const error = await assertRejects(async () => {
        for await (const { name } of ftp.list("top/d", { command })) {
          names.push(name);
        }
      }, FTPReplyError);
      assertStringIncludes(error.message, "226 Output truncated to 10 matches");
      assert(names.length >= 8 && names.length <= 10, `${names.length} names`);
      await assertRejects(
        () => namesOf(ftp.walk("top", { command })),
        FTPReplyError,
        "Output truncated",
      );
      const paths: string[] = [];
      const onError = (_error: FTPError, path: string) => void paths.push(path);
      assertEquals(await namesOf(ftp.walk("top", { command, onError })), ["d"]);
      assertEquals(paths, ["top/d"]);
      assertEquals(await ftp.pwd(), "/");
    },
    CUTTING,
  );
}

serverTest(
  "FTP.remove removes a whole directory whose listing the server cuts",
  async (server) => {
    for (let i = 0; i < 25; i++) await server.write(`top/d/f${i}`, "x");
    for (let i = 0; i < 25; i++) await server.write(`top/d/d${i}/in`, "x");
    await server.write("top/kept/file", "x");
    Deno.symlinkSync("../kept", `${server.root}/top/d/link`);
    for (let i = 0; i < 25; i++) await server.write(`top/before${i}`, "x");
    await using ftp = await logIn(server);
    await ftp.remove("top/d", { recursive: true });
    await assertRejects(() => Deno.lstat(`${server.root}/top/d`));
    assertEquals([...Deno.readDirSync(`${server.root}/top`)].length, 26);
    assertEquals([...Deno.readDirSync(`${server.root}/top/kept`)].length, 1);
  },
  CUTTING,
);

for (const command of COMMANDS) {
  const by = command ?? "what works";
  const needs = ({ mlsd }: ServerFeatures) => mlsd || command !== "MLSD";
  serverTest(
    `FTP.list and FTP.walk do not take a directory that the server may not read for an empty one, by ${by}`,
    async (server) => {
      for (const denial of DENIALS) {
        await server.write("top/sub/file", "x");
        using _ = deny(server, "top/sub", denial);
        for (const all of [undefined, true]) {
          const options: ListOptions = { command, all };
          // a new connection knows nothing of the server's ways
          await using ftp = await logIn(server);
          await assertRejects(
            () => namesOf(ftp.list("top/sub", options)),
            FTPError,
            undefined,
            `${denial}, list`,
          );
          await using other = await logIn(server);
          await assertRejects(
            () => namesOf(other.walk("top", options)),
            FTPError,
            undefined,
            `${denial}, walk`,
          );
          await assertRejects(() => namesOf(other.list("top/sub", options)));
          assertEquals(await namesOf(other.list("top", options)), ["sub"]);
          assertEquals(await other.pwd(), "/");
        }
      }
    },
    { needs },
  );

  serverTest(
    `FTP.list and FTP.walk give nothing of an empty directory, by ${by}`,
    async (server) => {
      await server.mkdir("empty/inner");
      for (const all of [undefined, true]) {
        const options: ListOptions = { command, all };
        await using ftp = await logIn(server);
        assertEquals(await namesOf(ftp.list("empty/inner", options)), []);
        await using other = await logIn(server);
        assertEquals(await namesOf(other.walk("", options)), [
          "empty",
          "inner",
        ]);
        assertEquals(await namesOf(other.list("empty/inner", options)), []);
        await other.cwd("empty/inner");
        assertEquals(await namesOf(other.list("", options)), []);
        assertEquals(await other.pwd(), "/empty/inner");
      }
    },
    { needs },
  );
}

serverTest(
  "FTP.remove removes nothing of a directory that the server may not read, and it if it is empty",
  async (server) => {
    for (const denial of DENIALS) {
      await server.write("top/full/file", "x");
      await server.mkdir("top/empty");
      using _ = deny(server, "top/full", denial);
      await using ftp = await logIn(server);
      await assertRejects(
        () => ftp.remove("top/full", { recursive: true }),
        FTPError,
      );
      deny(server, "top/empty", denial);
      await ftp.remove("top/empty", { recursive: true });
      assertEquals([...Deno.readDirSync(`${server.root}/top/full`)].length, 1);
      assertEquals(
        [...Deno.readDirSync(`${server.root}/top`)].map(({ name }) => name),
        ["full"],
      );
    }
  },
);

const WORDS = [
  "226 Transfer done (but failed to open directory).",
  "226-Sorry, we were unable to read [.]\r\n226-Options: -a -l \r\n226 0 matches total",
  "226-konnte [.] nicht lesen.\r\n226 0 Eintr\u00e4ge gesamt.",
  "226-Options: -l \r\n226 Output truncated to 10000 matches",
  "226 Anzeige auf 10000 Eintr\u00e4ge beschr\u00e4nkt.",
  "226 Sortie tronquee a 10000 elements",
  "226 Salida truncada a 10000 ocurrencias",
  "226 Output troncato a 10000 corrispondenze",
  "226 Resultado truncado em 10000 ocorr\u00eancias",
  "250-JESENTRYLIMIT of 200 reached.  Additional entries not displayed\r\n250 List completed successfully.",
];

for (const words of WORDS) {
  Deno.test(`FTP.list does not take ${JSON.stringify(words)} for success`, async () => {
    for (const command of ["MLSD", "LIST"] as const) {
      await using pair = await Pair.make();
      pair.server.on(command, listsAnd([lineOf(command)], words));
      const names: string[] = [];
      const error = await assertRejects(async () => {
        const entries = pair.ftp.list("", { command });
        for await (const { name } of entries) names.push(name);
      }, FTPReplyError);
      assertEquals(error.command, command);
      assertEquals(error.reply!.text, words.replaceAll("\r\n", "\n"));
      assertEquals(names, ["a"]); // what came was given
    }
  });
}

const COMPLAINTS = [
  "ls: cannot open directory '.': Permission denied",
  "ls: cannot access 'b': Permission denied",
  "/bin/ls: reading directory '.': Input/output error",
  "ftpd: .: Permission denied",
  "./b: Permission denied",
];

for (const complaint of COMPLAINTS) {
  Deno.test(`FTP.list does not take a listing with "${complaint}" for all of a directory`, async () => {
    for (const lines of [[complaint], [unix("a"), complaint, unix("c")]]) {
      await using pair = await Pair.make({ "/d/x": "" });
      pair.server.on("MLSD", UNKNOWN).on("LIST", listsAnd(lines, "226 Done"));
      const names: string[] = [];
      const error = await assertRejects(async () => {
        for await (const { name } of pair.ftp.list("/d")) names.push(name);
      }, FTPReplyError);
      assertEquals(
        error.message,
        `Cannot complete "LIST": the listing contains ${
          JSON.stringify(complaint)
        }, so entries may be missing`,
      );
      assertEquals(names, lines.length === 1 ? [] : ["a", "c"]);
      assertEquals(await pair.ftp.pwd(), "/");
    }
  });
}

Deno.test("FTP.list takes a pattern without matches for an empty directory", async () => {
  for (
    const line of [
      "ls: *: No such file or directory",
      "*: No such file or directory",
      "ls: 0653-341 The file . does not exist.",
    ]
  ) {
    await using pair = await Pair.make();
    pair.server.on("MLSD", UNKNOWN).on("LIST", listsAnd([line], "226 Done"));
    assertEquals(await namesOf(pair.ftp.list()), [], line);
  }
});

Deno.test("FTP.list takes no name in a final reply for words of the server", async () => {
  await using pair = await Pair.make();
  const words = '226 Successfully transferred "/truncated/unable to read"';
  pair.server.on("MLSD", listsAnd([fact("a")], words));
  assertEquals(await namesOf(pair.ftp.list()), ["a"]);
});

Deno.test("FTP.list goes to a directory of which MLSD gave nothing, and believes that it is empty", async () => {
  await using pair = await Pair.make({ "/a": "", "/d/b": "" });
  await namesOf(pair.ftp.list());
  pair.server.on("MLSD", listsAnd([fact("/d", "cdir")], "226 Done"));
  assertEquals(await namesOf(pair.ftp.list("/d")), []);
  pair.server.on("CWD", "550 Permission denied");
  await assertRejects(
    () => namesOf(pair.ftp.list("/d")),
    FTPPermanentError,
    'Cannot complete "CWD /d": 550 Permission denied',
  );
  // the first of a session as well
  await using other = await Pair.make();
  other.server.on("MLSD", listsAnd([fact("/d", "cdir")], "226 Done"));
  other.server.on("CWD", "550 Permission denied");
  await assertRejects(() => namesOf(other.ftp.list("/d")), FTPPermanentError);
});

Deno.test("FTP.list asks a server once whether LIST -a shows a directory itself", async () => {
  await using pair = await Pair.make({ "/d/e/in": "" });
  const { ftp, server } = pair;
  server.on("MLSD", UNKNOWN);
  server.files.delete("/d/e/in");
  for (let i = 0; i < 2; i++) {
    assertEquals(await namesOf(ftp.list("/d/e")), []);
  }
  assertEquals(pair.commands.filter((line) => line.startsWith("LIST")), [
    "LIST",
    "LIST -a",
    "LIST -a", // of what it is in
    "LIST",
  ]);
  assert(pair.commands.includes("CWD /d/e/.."));
});

Deno.test("FTP.list takes no refusal of LIST -a for a directory that may not be read", async () => {
  await using pair = await Pair.make();
  pair.server.on("MLSD", UNKNOWN);
  pair.server.on(
    "LIST",
    async (turn) => {
      if (turn.argument === "") await turn.send("");
      else await turn.reply(501, "No options here");
    },
  );
  for (const all of [undefined, true]) {
    assertEquals(await namesOf(pair.ftp.list("", { all })), []);
  }
});

Deno.test("FTP.stat finds a name before the place where a listing was cut, and does not deny one behind it", async () => {
  await using pair = await Pair.make();
  const { ftp, server } = pair;
  for (const verb of ["MLSD", "MLST", "SIZE"]) server.on(verb, UNKNOWN);
  server.on(
    "CWD",
    (turn) =>
      turn.argument === "/"
        ? turn.reply(250, "There")
        : turn.reply(550, "No such folder"),
  );
  const words = "226 Output truncated to 10 matches";
  server.on("LIST", listsAnd([unix("a", "l")], words));
  assertEquals((await ftp.stat("/a")).kind, "symlink");
  const calls: (() => Promise<unknown>)[] = [
    () => ftp.stat("/b"),
    () => ftp.exists("/b"),
  ];
  for (const run of calls) {
    await assertRejects(run, FTPReplyError, "truncated");
  }
});

Deno.test("FTP.remove gives up a directory of which the same part comes again and again", async () => {
  await using pair = await Pair.make({ "/d/in": "" });
  const { server } = pair;
  server.on("MLSD", listsAnd([fact("a")], "226 Output truncated to 1 matches"));
  server.on(
    "DELE",
    (turn) =>
      turn.argument === "/d/a"
        ? turn.reply(250, "Deleted")
        : turn.reply(550, "Not a file"),
  );
  await assertRejects(
    () => pair.ftp.remove("/d", { recursive: true }),
    FTPReplyError,
    "truncated",
  );
});

function lineOf(command: "MLSD" | "LIST"): string {
  return command === "MLSD" ? fact("a") : unix("a");
}

/** Sends lines as a listing, and a final reply. */
function listsAnd(lines: string[], words: string): Handler {
  return async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(lines.map((line) => `${line}\r\n`).join(""));
    data.close();
    await data.closed;
    await turn.raw(`${words}\r\n`);
  };
}

/** Commands that prove that a directory is empty, by server. */
const PROOFS: Record<string, [first: string[], later: string[]]> = {
  // its final reply says where it could not read; it has no MLSD
  vsftpd: [["TYPE", "PWD", "CWD", "EPSV", "LIST", "CWD"], [
    "CWD",
    "EPSV",
    "LIST",
    "CWD",
  ]],
  proftpd: [["PWD", "CWD", "CWD"], ["CWD", "CWD"]],
  "pure-ftpd": [["PWD", "CWD", "CWD"], ["CWD", "CWD"]],
  pyftpdlib: [["PWD", "CWD", "CWD"], ["CWD", "CWD"]],
};

serverTest(
  "FTP.list proves with few commands that a directory is empty",
  async (server) => {
    await server.mkdir("empty/inner");
    const sent: string[] = [];
    await using ftp = await logIn(server, {
      trace: ({ direction, text }) =>
        direction === "sent" && sent.push(text.split(" ", 1)[0]!),
    });
    for (const proof of PROOFS[server.name]!) {
      sent.length = 0;
      assertEquals(await namesOf(ftp.list("empty/inner")), []);
      const after = sent.indexOf("MLSD") + 1;
      assertEquals(sent.slice(after), proof);
    }
  },
);
