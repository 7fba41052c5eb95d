import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertNotMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  FTPPermanentError,
  FTPTemporaryError,
  type UploadOptions,
} from "../../../mod.ts";
import { bytes, logIn, text } from "../../real/client.ts";
import { type RealServer, serverTest } from "../../testing/servers/mod.ts";
import { LocalFolder } from "../local_folder.ts";
import { memoryServer } from "../../testing/memory_server.ts";

const QUICK: UploadOptions = { retry: { delay: 1 } };

function names(server: RealServer, folder = ""): string[] {
  return [...Deno.readDirSync(`${server.root}/${folder}`)]
    .map(({ name }) => name).sort();
}

Deno.test("FTP.upload to a server that renames nothing asks for { atomic: false }", async () => {
  for (const replace of ["rename", "delete"] as const) {
    await using server = await memoryServer({ "/data": "old" });
    server.on("RNFR", "550 Permission denied");
    await using ftp = await server.client();
    const { message } = await assertRejects(
      () => ftp.upload(bytes("new"), "data", { ...QUICK, replace }),
      FTPPermanentError,
    );
    assertMatch(message, /in place as "data".*Permission.*\{ atomic: false \}/);
    assertNotMatch(message, /replace|left/);
    assertEquals([...server.files.keys()], ["/data"]);
  }
});

Deno.test("FTP.upload says so where neither renames nor deletions are allowed", async () => {
  await using server = await memoryServer({ "/data": "old" });
  server.on("RNTO", "550 Never");
  server.on("DELE", "550 Not you");
  await using ftp = await server.client();
  const { message, reply } = await assertRejects(
    () => ftp.upload(bytes("new"), "data", { ...QUICK, replace: "delete" }),
    FTPPermanentError,
  );
  assertMatch(message, /550 Never.*\(550 Never\).*\{ atomic: false \}/);
  const part = [...server.files.keys()].find((path) => path !== "/data")!;
  assertStringIncludes(
    message,
    `temporary file "${part.slice(1)}" is left on the server`,
  );
  assertEquals(reply?.text, "550 Never");
});

Deno.test("FTP.upload names the file that it could not delete, and no other", async () => {
  await using server = await memoryServer();
  server.on("DELE", "550 Not you");
  server.on("SIZE", "450 Later");
  await using ftp = await server.client();
  const error = await assertRejects(
    () => ftp.upload(bytes("new"), "data", { retry: false }),
    FTPTemporaryError,
  );
  const [part] = [...server.files.keys()];
  assertMatch(error.message, /450 Later.* is left on the server: .*Not you/);
  assertStringIncludes(error.message, `"${part!.slice(1)}"`);
  assertEquals(error.reply?.code, 450);
  server.on("STOR", "550 Not here");
  const second = await assertRejects(() =>
    ftp.upload(bytes("new"), "data", { retry: false })
  );
  assertInstanceOf(second, FTPPermanentError);
  assertNotMatch(second.message, /left/);
});

Deno.test("FTP.upload says that its temporary file may be left where the server is gone", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  server.on("RNFR", async (turn) => {
    server.on("connect", "421 No more");
    await Promise.resolve();
    turn.close();
  });
  const error = await assertRejects(
    () => ftp.upload(bytes("new"), "data", { retry: false }),
    Error,
    "may be left on the server",
  );
  const [part] = [...server.files.keys()];
  assertStringIncludes(error.message, part!.slice(1));
});

Deno.test("FTP.upload tells what the reason to abort was, and nothing else", async () => {
  await using server = await memoryServer();
  server.on("DELE", "550 Not you");
  await using ftp = await server.client();
  const controller = new AbortController();
  const reason = new Deno.errors.Interrupted("Enough");
  server.on("SIZE", async (turn) => {
    controller.abort(reason);
    await turn.default();
  });
  const { signal } = controller;
  assertEquals(
    await assertRejects(() => ftp.upload(bytes("new"), "data", { signal })),
    reason,
  );
  assertEquals(reason.message, "Enough");
});

const NO_DOT_FILES: [
  server: "vsftpd" | "proftpd" | "pure-ftpd",
  extra: string[],
][] = [
  ["vsftpd", ["deny_file={.*}"]],
  ["proftpd", ['PathDenyFilter "(^|/)\\\\."']],
  ["pure-ftpd", ["-x"]],
  ["pure-ftpd", ["-X"]],
];

for (const [name, extra] of NO_DOT_FILES) {
  serverTest(
    `FTP.upload by a name of the caller's choice where dots are refused: ${extra}`,
    async (server) => {
      await server.write("dir/data", "old");
      await using ftp = await logIn(server);
      const { message } = await assertRejects(
        () => ftp.upload(bytes("new"), "dir/data"),
        FTPPermanentError,
      );
      assertMatch(
        message,
        /temporary name of "dir\/data".*\{ temporaryName \}.*\{ atomic: false \}/,
      );
      assertEquals(names(server, "dir"), ["data"]);
      const given: string[] = [];
      await ftp.upload(bytes("new"), "dir/data", {
        temporaryName: (name, mark) => {
          given.push(name, mark);
          return `${name}.${mark}.tmp`;
        },
      });
      assertEquals(given[0], "data");
      assertMatch(given[1]!, /^[0-9a-f]{16}$/);
      assertEquals(text(await server.read("dir/data")), "new");
      assertEquals(names(server, "dir"), ["data"]);
    },
    { servers: [name], extra },
  );
}

Deno.test("FTP.upload refuses temporary names that lead elsewhere", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  const before = server.commands.length;
  for (
    const name of ["", ".", "..", "a/b", "a\\b", "a\r\nDELE x", "\0", "data"]
  ) {
    await assertRejects(
      () => ftp.upload(bytes("x"), "dir/data", { temporaryName: () => name }),
      TypeError,
      'as the temporary name of "dir/data": it must be a single path segment',
    );
  }
  await assertRejects(
    () =>
      ftp.upload(bytes("x"), "data", {
        temporaryName: () => undefined as unknown as string,
      }),
    TypeError,
  );
  assertEquals(server.commands.length, before);
});

Deno.test("FTP.upload continues with a fixed temporary name after a lost reply", async () => {
  await using server = await memoryServer();
  server.once("STOR", async (turn) => {
    await Promise.resolve();
    turn.close();
  });
  await using ftp = await server.client();
  await ftp.upload(bytes("new"), "data", {
    ...QUICK,
    temporaryName: () => "data.tmp",
  });
  assertEquals([...server.files.keys()], ["/data"]);
});

Deno.test("FTP.upload knows that beside a data set of z/OS is no place, before it sends a byte", async () => {
  await using server = await memoryServer();
  server.on("SYST", "215 MVS is the operating system of this server.");
  await using ftp = await server.client();
  const error = await assertRejects(
    () => ftp.upload(bytes("new"), "'IBMUSER.NEW'"),
    Deno.errors.NotSupported,
  );
  assertMatch(error.message, /"'IBMUSER\.NEW'".*\{ atomic: false \}/);
  assertEquals(server.verbs.includes("STOR"), false);
  await ftp.upload(bytes("new"), "'IBMUSER.NEW'", { atomic: false });
  server.on("STOR", "501 Invalid data set name");
  const { message } = await assertRejects(() =>
    ftp.upload(bytes("new"), "NEW.DATA")
  ) as Error;
  assertMatch(message, /temporary name of "NEW\.DATA".*\{ atomic: false \}/);
});

Deno.test("FTP.upload takes quotes in a name for what they are elsewhere", async () => {
  for (const answer of ["215 UNIX Type: L8", "502 What"]) {
    await using server = await memoryServer();
    server.on("SYST", answer);
    await using ftp = await server.client();
    await ftp.upload(bytes("new"), "'quoted'");
    assertEquals([...server.files.keys()], ["/'quoted'"]);
  }
});

Deno.test("FTP.uploadDir uses temporary names of the caller's choice", async () => {
  await using server = await memoryServer();
  using folder = new LocalFolder();
  Deno.writeTextFileSync(folder.at("data"), "new");
  await using ftp = await server.client();
  await ftp.uploadDir(folder.at(""), "", {
    temporaryName: (name, mark) => `${name}.${mark}.tmp`,
  });
  assertEquals(server.text("/data"), "new");
  const stores = server.commands.filter((line) => line.startsWith("STOR"));
  assertEquals(stores.length, 1);
  assertMatch(stores[0]!, /STOR data\.[0-9a-f]{16}\.tmp$/);
});

Deno.test("FTP.upload renames in one round trip, and blames the command that was refused first", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  const moved = server.received("RNTO");
  server.once("RNFR", async (turn) => {
    await moved;
    await turn.default();
  });
  await ftp.upload(bytes("new"), "data");
  assertEquals(server.text("/data"), "new");
  server.once("RNFR", "550 Not you");
  await assertRejects(
    () => ftp.upload(bytes("newer"), "data"),
    FTPPermanentError,
    "550 Not you",
  );
  assertEquals([...server.files.keys()], ["/data"]);
  assertEquals(server.text("/data"), "new");
  assertEquals(await ftp.size("data"), 3);
});
