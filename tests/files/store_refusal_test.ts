import { assertEquals, assertRejects } from "@std/assert";
import { FTPPermanentError, type UploadOptions } from "../../mod.ts";
import { bytes, logIn, makeData } from "../real/client.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { namesIn } from "./local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";

const SMALL = bytes("new");
const LARGE = makeData(3_000_000);

/** Counts what is tried again, which nothing may be. */
function once(options: UploadOptions): UploadOptions {
  return {
    ...options,
    retry: { delay: 1 },
    onRetry: ({ error }) => {
      throw new Error("It was tried again", { cause: error });
    },
  };
}

const WAYS: UploadOptions[] = [
  {},
  { atomic: false },
  { replace: "delete" },
  { resume: true },
];

serverTest(
  "FTP.upload says that a directory is missing, before it sends anything",
  async (server) => {
    await server.mkdir("there");
    await using ftp = await logIn(server);
    await ftp.cwd("there");
    for (const options of WAYS) {
      for (const data of [SMALL, LARGE]) {
        for (const path of ["none/data", "/none/at all/data"]) {
          let sent = 0;
          const onProgress = ({ transferred }: { transferred: number }) => {
            sent = transferred;
          };
          const directory = path.slice(0, -5);
          await assertRejects(
            () => ftp.upload(data, path, once({ ...options, onProgress })),
            FTPPermanentError,
            `the directory "${directory}" does not exist`,
          );
          assertEquals(sent, 0);
        }
      }
    }
    await assertRejects(
      () => ftp.store("none/data", SMALL),
      FTPPermanentError,
      'the directory "none" does not exist',
    );
    assertEquals(await ftp.pwd(), "/there");
    assertEquals(namesIn(server.root), ["there"]);
    assertEquals(namesIn(`${server.root}/there`), []);
  },
);

serverTest(
  "FTP.upload onto a directory ends at once and says what it is",
  async (server) => {
    await server.mkdir("dir");
    await server.write("dir/file", "kept");
    await server.mkdir("empty");
    await using ftp = await logIn(server);
    for (const options of WAYS) {
      for (const data of [SMALL, LARGE]) {
        for (const path of ["dir", "/empty"]) {
          let sent = 0;
          const onProgress = ({ transferred }: { transferred: number }) => {
            sent = transferred;
          };
          await assertRejects(
            () => ftp.upload(data, path, once({ ...options, onProgress })),
            FTPPermanentError,
            `Cannot write to "${path}": it is a directory`,
          );
          if (data === LARGE) assertEquals(sent, 0);
        }
      }
    }
    await assertRejects(
      () => ftp.store("dir", SMALL),
      FTPPermanentError,
      'Cannot write to "dir": it is a directory',
    );
    assertEquals(namesIn(server.root), ["dir", "empty"]);
    assertEquals(namesIn(`${server.root}/dir`), ["file"]);
    assertEquals(await ftp.pwd(), "/");
    await ftp.upload(SMALL, "dir/data");
  },
);

Deno.test("FTP.upload does not retry if the server replies with 451 to a missing directory", async () => {
  await using server = await memoryServer();
  server.on("STOR", "451 No such file or directory"); // as bftpd
  await using ftp = await server.client();
  for (const atomic of [true, false]) {
    await assertRejects(
      () => ftp.upload(SMALL, "none/data", once({ atomic })),
      FTPPermanentError,
      'the directory "none" does not exist',
    );
  }
});

Deno.test("FTP.upload says that a directory is missing where the server says so after 150", async () => {
  await using server = await memoryServer();
  server.on("STOR", async (turn) => {
    await turn.reply(150, "Send it");
    const data = await turn.openData();
    await data.readAll();
    data.close();
    await turn.reply(550, "No such directory");
  });
  await using ftp = await server.client();
  for (const source of [SMALL, ReadableStream.from([SMALL])]) {
    await assertRejects(
      () => ftp.upload(source, "none/data", once({})),
      FTPPermanentError,
      'the directory "none" does not exist',
    );
  }
});

Deno.test("FTP.upload blames no directory that is there, or of which nothing is known", async () => {
  for (const [verb, answer] of [["PWD", "502 No"], ["CWD", "250 Welcome"]]) {
    await using server = await memoryServer();
    server.on("STOR", "553 Not you");
    server.on("MLST", "550 Not you");
    server.on(verb!, answer!);
    await using ftp = await server.client();
    const { message } = await assertRejects(
      () => ftp.upload(SMALL, "dir/data", once({ atomic: false })),
      FTPPermanentError,
    );
    const isKnown = verb === "CWD"; // which takes the file for one, too
    assertEquals(message.includes("directory"), isKnown, message);
    assertEquals(message.includes("does not exist"), false, message);
  }
});

Deno.test("FTP.upload asks nothing more where all is well", async () => {
  await using server = await memoryServer();
  server.folders.add("/dir");
  await using ftp = await server.client();
  await ftp.upload(SMALL, "dir/first");
  const before = server.commands.length;
  await ftp.upload(SMALL, "dir/data");
  const verbs = server.verbs.slice(before);
  assertEquals(verbs, [
    "SIZE",
    "EPSV",
    "STOR",
    "SIZE",
    "RNFR",
    "RNTO",
    "SIZE",
  ]);
});

Deno.test("FTP.upload refuses names that are no file's before anything is sent", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  const before = server.commands.length;
  for (const path of [".", "..", "dir/", "dir/..", "/."]) {
    await assertRejects(
      () => ftp.upload(SMALL, path),
      TypeError,
      "it is not the name of a file",
    );
  }
  assertEquals(server.commands.length, before);
});
