import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { FTPError } from "../../mod.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { bytes, fetchBytes, logIn, makeData, modesTest } from "./client.ts";

const SIZE = 50 * 1024 * 1024;

modesTest("FTP.abort ends a download of 50 MB", async (ftp, server) => {
  await writeBig(server.root);
  await ftp.voidcmd("TYPE I");
  const [conn] = await ftp.ntransfercmd("RETR big");
  assert((await conn.read(new Uint8Array(8192)))! > 0);
  assert([225, 226, 426].includes((await ftp.abort()).code));
  assertEquals(await ftp.pwd(), "/");
  await server.write("small", "still in step");
  assertEquals(await fetchBytes(ftp, "small"), bytes("still in step"));
});

modesTest("FTP.abort ends an upload", async (ftp) => {
  await ftp.voidcmd("TYPE I");
  const conn = await ftp.transfercmd("STOR big");
  for (let i = 0; i < 32; i++) await conn.write(makeData(65_536));
  assert([225, 226, 426].includes((await ftp.abort()).code));
  assertEquals(await ftp.pwd(), "/");
  await ftp.storbinary("STOR small", bytes("x"));
  assertEquals(await fetchBytes(ftp, "small"), bytes("x"));
});

modesTest(
  "FTP.retrbinary and storbinary end with their signal",
  async (ftp, server) => {
    await writeBig(server.root);
    for (const method of ["RETR", "STOR"] as const) {
      const controller = new AbortController();
      const callback = () => controller.abort(new RangeError("enough"));
      const { signal } = controller;
      await assertRejects(
        () =>
          method === "RETR"
            ? ftp.retrbinary("RETR big", callback, { signal })
            : ftp.storbinary("STOR new", endless(), { callback, signal }),
        RangeError,
        "enough",
      );
      assertEquals(await ftp.pwd(), "/");
    }
  },
);

serverTest("FTP.abort succeeds after the last byte", async (server) => {
  await server.write("small", "x");
  await using ftp = await logIn(server);
  for (let i = 0; i < 20; i++) {
    const [conn] = await ftp.ntransfercmd("RETR small");
    while (await conn.read(new Uint8Array(16)) !== null);
    assert([225, 226, 426].includes((await ftp.abort()).code));
    assertEquals(await ftp.pwd(), "/");
  }
});

serverTest(
  "FTP says that voidresp() was forgotten, and continues after it",
  async (server) => {
    await server.write("small", "x");
    await using ftp = await logIn(server);
    const [conn] = await ftp.ntransfercmd("RETR small");
    const error = await assertRejects(() => ftp.pwd(), Deno.errors.Busy);
    assertStringIncludes(error.message, '"RETR small"');
    while (await conn.read(new Uint8Array(16)) !== null);
    conn.close();
    const forgotten = await assertRejects(() => ftp.pwd(), Deno.errors.Busy);
    assertStringIncludes(forgotten.message, "voidresp()");
    await assertRejects(() => fetchBytes(ftp, "small"), Deno.errors.Busy);
    assertEquals((await ftp.voidresp()).code, 226);
    assertEquals(await ftp.pwd(), "/");
  },
);

serverTest(
  "FTP.voidresp does not wait for a data connection that is open",
  async (server) => {
    await using ftp = await logIn(server);
    const conn = await ftp.transfercmd("STOR file");
    await assertRejects(() => ftp.voidresp(), TypeError, "close it first");
    await conn.write(bytes("x"));
    conn.close();
    assertEquals((await ftp.voidresp()).code, 226);
  },
);

serverTest(
  "FTP.voidresp tells of a download that was closed too early",
  async (server) => {
    await writeBig(server.root);
    await using ftp = await logIn(server, { timeout: 1000 });
    await ftp.voidcmd("TYPE I");
    const [conn] = await ftp.ntransfercmd("RETR big");
    await conn.read(new Uint8Array(8192));
    conn.close();
    if (server.name === "pure-ftpd") { // it ends such a transfer with a second 150
      await assertRejects(() => ftp.voidresp(), Deno.errors.Interrupted);
    } else {
      const error = await assertRejects(() => ftp.voidresp(), FTPError);
      assert([426, 451].includes(error.reply!.code), error.message);
    }
    assertEquals(await ftp.pwd(), "/");
  },
);

serverTest(
  "FTP.voidresp does not confirm an upload whose pipe broke",
  async (server) => {
    await using ftp = await logIn(server);
    for (const count of [0, 50]) {
      const conn = await ftp.transfercmd("STOR broken");
      const broken = ReadableStream.from((function* () {
        for (let i = 0; i < count; i++) yield new Uint8Array(65_536);
        throw new RangeError("fault");
      })());
      await assertRejects(() => broken.pipeTo(conn.writable), RangeError);
      await assertRejects(() => ftp.voidresp(), Error);
      assertEquals(await ftp.pwd(), "/");
    }
  },
);

serverTest("FTP is disposed of in the middle of a transfer", async (server) => {
  await writeBig(server.root);
  const ftp = await logIn(server);
  const [conn] = await ftp.ntransfercmd("RETR big");
  assert(await conn.read(new Uint8Array(8192)) !== null);
  await ftp[Symbol.asyncDispose]();
  assertEquals(ftp.connected, false);
  await assertRejects(() => conn.read(new Uint8Array(8192)));
});

/** A file of zeros that takes no space. */
async function writeBig(root: string): Promise<void> {
  using file = await Deno.open(`${root}/big`, { create: true, write: true });
  await file.truncate(SIZE);
}

async function* endless(): AsyncGenerator<Uint8Array> {
  while (true) yield new Uint8Array(65_536);
}

serverTest(
  "FTP.rename that is aborted between RNFR and RNTO leaves the next command its reply",
  async (server) => {
    await server.write("small", "x");
    for (const moment of ["sent", "received"]) {
      const controller = new AbortController();
      await using ftp = await logIn(server, {
        trace: ({ direction, text }) => {
          if (direction === moment && /^(RNFR|350)/.test(text)) {
            controller.abort(new RangeError("enough"));
          }
        },
      });
      await assertRejects(
        () => ftp.rename("small", "other", { signal: controller.signal }),
        RangeError,
        "enough",
      );
      assertEquals(await ftp.pwd(), "/");
      assertEquals(await ftp.size("small"), 1);
      assertEquals(await ftp.size("other").catch(() => null), null);
    }
  },
);
