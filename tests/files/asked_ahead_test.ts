/** What goes out early, and what must not follow from it. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTPPermanentError, FTPTemporaryError } from "../../mod.ts";
import { LocalFolder } from "./local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";

const FILES = { "/a": "first", "/b": "second", "/c": "third" };
const VSFTPD = "220 (vsFTPd 3.0.3)";
const PROFTPD = "220 ProFTPD Server (test)";

/** Waits for what must not come: no event tells that. */
function hold(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 60));
}

/** A local file with a time that is long past. */
function writeOld(
  folder: LocalFolder,
  name: string,
  text = "some text",
): string {
  Deno.writeTextFileSync(folder.at(name), text);
  Deno.utimeSync(folder.at(name), 1e9, 1e9);
  return folder.at(name);
}

Deno.test("FTP.download asks for the next file one command at a time without pipelining", async () => {
  await using server = await memoryServer(FILES);
  let isMoving = false;
  for (const verb of ["SIZE", "MDTM", "EPSV"]) {
    server.on(verb, async (turn) => {
      assert(!isMoving);
      await turn.default();
    });
  }
  server.on("RETR", async (turn) => {
    const before = server.commands.length;
    isMoving = true;
    await turn.reply(150, "Here");
    const data = await turn.openData();
    await data.write(server.files.get(`/${turn.argument}`)!);
    data.close();
    await data.closed;
    await hold();
    isMoving = false;
    assertEquals(server.commands.length, before);
    await turn.reply(226, "Done");
  });
  using folder = new LocalFolder();
  await using ftp = await server.client({ pipelining: false });
  await Promise.all(
    ["a", "b", "c"].map((name) => ftp.download(name, folder.at(name))),
  );
  assertEquals(Deno.readTextFileSync(folder.at("c")), "third");
});

Deno.test("FTP.download believes no file whose confirmation fails after the next was asked for", async () => {
  await using server = await memoryServer(FILES);
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here");
    const data = await turn.openData();
    await data.write("first");
    data.close();
    await server.received("EPSV");
    await server.received("EPSV"); // of the next one
    await turn.reply(451, "The disk had an error");
  });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const [first, second] = await Promise.allSettled([
    ftp.download("a", folder.at("a"), { retry: false }),
    ftp.download("b", folder.at("b"), { retry: false }),
  ]);
  assert(first.status === "rejected");
  assert(first.reason instanceof FTPTemporaryError);
  assertEquals(second.status, "fulfilled");
  assertEquals(Deno.readTextFileSync(folder.at("b")), "second");
  assertEquals(folder.names(), ["b"]);
});

Deno.test("FTP.download asks nothing for the next file after a short one", async () => {
  await using server = await memoryServer(FILES);
  let before = 0;
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here");
    const data = await turn.openData();
    await data.write("fir");
    data.close();
    await data.closed;
    await hold();
    before = server.commands.length;
    await turn.reply(226, "Done");
  });
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const outcomes = await Promise.allSettled([
    ftp.download("a", folder.at("a"), { retry: false }),
    ftp.download("b", folder.at("b"), { retry: false }),
  ]);
  assertEquals(outcomes.map(({ status }) => status), ["rejected", "fulfilled"]);
  assert(server.commands[before - 1]!.startsWith("RETR a"));
});

Deno.test("FTP closes a connection that was dialed for a download that does not come", async () => {
  await using server = await memoryServer(FILES);
  using folder = new LocalFolder();
  await using ftp = await server.client();
  await ftp.download("a", folder.at("a"));
  const controller = new AbortController();
  const reason = new Error("enough");
  await server.received("EPSV");
  server.once("RETR", async (turn) => {
    await server.received("EPSV");
    await turn.reply(150, "Here");
    const data = await turn.openData();
    await data.write("second");
    data.close();
    await server.received("EPSV"); // of the one that does not come
    controller.abort(reason);
    await turn.reply(226, "Done");
  });
  const { signal } = controller;
  const [first, second] = await Promise.allSettled([
    ftp.download("b", folder.at("b")),
    ftp.download("c", folder.at("c"), { signal }),
  ]);
  assertEquals(first.status, "fulfilled");
  assertEquals((second as PromiseRejectedResult).reason, reason);
  await ftp.cwd("/"); // what was asked before it does not hold any more
  // the next transfer has a port of its own, and nothing is left open
  assertEquals(await new Response(await ftp.retrieve("c")).text(), "third");
});

for (const [name, greeting] of Object.entries({ VSFTPD, PROFTPD })) {
  Deno.test(`FTP.upload renames no file of another size, although RNFR was sent (${name})`, async () => {
    await using server = await memoryServer();
    server.on("CONNECT", greeting);
    using folder = new LocalFolder();
    await using ftp = await server.client();
    const source = writeOld(folder, "source");
    await ftp.upload(source, "first"); // what is learned once
    let isRenaming = false; // ProFTPD takes nothing but RNTO then
    for (const verb of ["SIZE", "PWD", "DELE", "RNFR", "RNTO"]) {
      server.on(verb, async (turn) => {
        if (isRenaming && verb !== "RNTO") {
          return turn.reply(503, "RNTO is due");
        }
        isRenaming = verb === "RNFR";
        const isPart = turn.argument.endsWith(".part");
        if (verb === "SIZE" && isPart) await turn.reply(213, "3");
        else await turn.default();
      });
    }
    const before = server.commands.length;
    await assertRejects(
      () => ftp.upload(source, "second", { retry: false }),
      Error,
      "verify",
    );
    const told = server.commands.slice(before);
    assert(told.some((line) => line.startsWith("RNFR")));
    assert(!told.some((line) => line === "RNTO second"));
    assertEquals([...server.files.keys()], ["/first"]);
    assertEquals(await ftp.pwd(), "/"); // no RNTO is waited for
  });

  Deno.test(`FTP.upload of a file that is refused leaves nothing, although its bytes were sent (${name})`, async () => {
    await using server = await memoryServer();
    server.on("CONNECT", greeting);
    using folder = new LocalFolder();
    await using ftp = await server.client();
    const source = writeOld(folder, "source");
    await ftp.upload(source, "first");
    server.once("STOR", "552 Over quota");
    const error = await assertRejects(
      () => ftp.upload(source, "second", { retry: false }),
      FTPPermanentError,
    );
    assertEquals(error.reply?.code, 552);
    assertEquals([...server.files.keys()], ["/first"]);
    await ftp.upload(source, "second");
    assertEquals(server.text("/second"), "some text");
  });

  Deno.test(`FTP.upload believes no file whose confirmation fails after RNFR was sent (${name})`, async () => {
    await using server = await memoryServer();
    server.on("CONNECT", greeting);
    using folder = new LocalFolder();
    await using ftp = await server.client();
    const source = writeOld(folder, "source");
    await ftp.upload(source, "first");
    server.once("STOR", async (turn) => {
      await turn.reply(150, "Send");
      const data = await turn.openData();
      await data.readAll();
      data.close();
      await turn.reply(451, "The disk is full");
    });
    await assertRejects(
      () => ftp.upload(source, "second", { retry: false }),
      FTPTemporaryError,
    );
    assert(!server.commands.includes("RNTO second"));
    assertEquals([...server.files.keys()], ["/first"]);
    await ftp.upload(source, "second");
    assertEquals(server.text("/second"), "some text");
  });
}

Deno.test("FTP.upload sends no bytes before the reply to STOR to a server that may read them too early", async () => {
  await using server = await memoryServer();
  using folder = new LocalFolder();
  await using ftp = await server.client();
  const source = writeOld(folder, "source");
  await ftp.upload(source, "first");
  const sent: string[] = [];
  server.once("STOR", async (turn) => {
    const data = await turn.openData();
    const reading = data.readAll().then((bytes) => {
      sent.push("bytes");
      return bytes;
    });
    await hold();
    sent.push("150");
    await turn.reply(150, "Send");
    const bytes = await reading;
    data.close();
    server.put(`/${turn.argument}`, bytes);
    await turn.reply(226, "Done");
  });
  await ftp.upload(source, "second");
  assertEquals(sent, ["150", "bytes"]);
  assertEquals(server.text("/second"), "some text");
});
