import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FTPError, FTPPermanentError, FTPTemporaryError } from "../../mod.ts";
import { isIgnored, serverTest } from "../testing/servers/mod.ts";
import { bytes, fetchBytes, logIn, makeData } from "./client.ts";

serverTest("FTP.size is the number of bytes in binary", async (server) => {
  await server.write("data.bin", makeData(123_456));
  await server.write("empty", "");
  await using ftp = await logIn(server);
  await ftp.voidcmd("TYPE I");
  assertEquals(await ftp.size("data.bin"), 123_456);
  assertEquals(await ftp.size("/empty"), 0);
  await assertRejects(() => ftp.size("missing"), FTPPermanentError, "550");
});

// ProFTPD and pyftpdlib refuse in type A, vsftpd and Pure-FTPd count as in type I
serverTest("FTP.size is the same after a text", async (server) => {
  await server.write("data.txt", "one\ntwo\n");
  await using ftp = await logIn(server);
  await ftp.retrlines("RETR data.txt", () => {});
  assertEquals(await ftp.size("data.txt"), 8);
});

serverTest("FTP.rename moves files and directories", async (server) => {
  await server.write("old", "content");
  await server.mkdir("folder/inner");
  await using ftp = await logIn(server);
  assertEquals((await ftp.rename("old", "folder/new")).code, 250);
  assertEquals(await server.read("folder/new"), bytes("content"));
  await ftp.rename("folder", "directory");
  assertEquals(await server.read("directory/new"), bytes("content"));
  await assertRejects(() => ftp.rename("old", "x"), FTPPermanentError, "55");
  await assertRejects(
    () => ftp.rename("directory/new", "no/where"),
    FTPError,
    server.name === "pure-ftpd" ? "451" : "550",
  );
  assertEquals(await server.read("directory/new"), bytes("content"));
  assertEquals(await ftp.pwd(), "/");
});

serverTest("FTP.delete removes a file and no directory", async (server) => {
  await server.write("file", "x");
  await server.mkdir("folder");
  await using ftp = await logIn(server);
  assertEquals((await ftp.delete("file")).code, 250);
  await assertRejects(() => ftp.delete("file"), FTPPermanentError, "550");
  await assertRejects(() => ftp.delete("folder"), FTPPermanentError, "550");
  assertEquals(Array.from(Deno.readDirSync(server.root)).length, 1);
});

serverTest("FTP.retrbinary reports a missing file", async (server) => {
  await using ftp = await logIn(server);
  for (const passive of [true, false]) {
    ftp.setPasv(passive);
    const error = await assertRejects(
      () => fetchBytes(ftp, "missing file"),
      FTPPermanentError,
    );
    assertEquals(error.reply?.code, 550);
    assertMatch(error.message, /^Cannot complete "RETR missing file": 550 /);
    await assertRejects(
      () => ftp.storbinary("STOR no/where", bytes("x")),
      FTPPermanentError,
      "55",
    );
    assertEquals(await ftp.pwd(), "/");
  }
});

serverTest(
  "FTP.retrbinary and storbinary are refused without permission",
  async (server) => {
    await server.write("secret", "x");
    await Deno.chmod(`${server.root}/secret`, 0);
    await using ftp = await logIn(server);
    await assertRejects(
      () => fetchBytes(ftp, "secret"),
      FTPPermanentError,
      "55",
    );
    await assertRejects(
      () => ftp.storbinary("STOR secret", bytes("x")),
      FTPPermanentError,
      "55",
    );
    assertEquals(await ftp.pwd(), "/");
  },
);

serverTest(
  "FTP.storbinary is refused without write permission",
  async (server) => {
    await using ftp = await logIn(server);
    await assertRejects(
      () => ftp.storbinary("STOR new", bytes("x")),
      FTPPermanentError,
      "55",
    );
    assertEquals(await ftp.pwd(), "/");
  },
  { writable: false },
);

serverTest(
  "FTP.storbinary reports a full disk",
  async (server) => {
    await using ftp = await logIn(server);
    for (const passive of [true, false]) {
      ftp.setPasv(passive);
      const error = await assertRejects(
        () => ftp.storbinary("STOR big", makeData(8_000_000)),
        FTPError,
      );
      assertEquals(error.reply?.code, FULL[server.name]);
      assertEquals(
        error instanceof FTPTemporaryError,
        FULL[server.name]! < 500,
      );
      assertMatch(error.message, /^Cannot complete "STOR big": /);
      assertEquals(await ftp.pwd(), "/");
    }
    // what fits into the servers' and the kernel's buffers was all sent by then
    await assertRejects(
      () => ftp.storbinary("STOR smaller", makeData(150_000)),
      FTPError,
      String(FULL[server.name]),
    );
    await ftp.storbinary("STOR small", makeData(50_000));
    assertEquals(await server.read("small"), makeData(50_000));
  },
  { maxFileSize: 100_000 },
);

/** Replies of the servers to a write that fails with EFBIG. */
const FULL: Record<string, number> = {
  vsftpd: 451,
  proftpd: 451,
  "pure-ftpd": 451,
  pyftpdlib: 426,
};

serverTest("FTP.storbinary reports a quota that is used up", async (server) => {
  await using ftp = await logIn(server);
  const error = await assertRejects(
    () => ftp.storbinary("STOR big", makeData(8_000_000)),
    FTPPermanentError,
  );
  assertEquals(error.reply?.code, 552);
  assertEquals(await ftp.pwd(), "/");
}, { servers: ["proftpd"], extra: ["MaxStoreFileSize 100 Kb"] });

serverTest(
  "FTP.storbinary reports a file system that is full",
  async (server) => {
    assert(await mount(server.root));
    try {
      await using ftp = await logIn(server);
      const error = await assertRejects(
        () => ftp.storbinary("STOR big", makeData(8_000_000)),
        FTPError,
      );
      assertEquals(error.reply?.code, 451);
      assertEquals(await ftp.pwd(), "/");
      await ftp.delete("big");
      await ftp.storbinary("STOR small", bytes("x"));
    } finally {
      await new Deno.Command("umount", { args: ["--lazy", server.root] })
        .output();
    }
  },
  {
    servers: ["vsftpd", "proftpd", "pure-ftpd"], // pyftpdlib falls silent
    ignore: isIgnored("vsftpd") || !await canMount(),
  },
);

/** Whether this user may mount: in most containers root may not. */
async function canMount(): Promise<boolean> {
  const folder = await Deno.makeTempDir();
  const isMounted = await mount(folder);
  if (isMounted) await new Deno.Command("umount", { args: [folder] }).output();
  await Deno.remove(folder);
  return isMounted;
}

/** A small file system in memory. */
async function mount(path: string): Promise<boolean> {
  const { success } = await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "size=100k,mode=777", "none", path],
    stderr: "null",
  }).output().catch(() => ({ success: false }));
  return success;
}
