import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTPTemporaryError } from "../../mod.ts";
import { type ErrorClass, startScript } from "../testing/client_script.ts";

/** Replies to ABOR, and the error of voidresp. */
const REPLIES: [text: string, error: ErrorClass][] = [
  ["426 Cut\r\n226 Aborted\r\n", FTPTemporaryError],
  ["226 Complete\r\n225 Nothing to abort\r\n", Error],
];

for (const [text, Class] of REPLIES) {
  Deno.test(`FTP.voidresp does not confirm a broken pipe, whatever the reply is: ${JSON.stringify(text)}`, async () => {
    await using server = await startScript({
      STOR: async (turn) => {
        await turn.reply(150, "Send");
        const conn = await turn.openData();
        assertEquals(await turn.next(), "ABOR");
        await conn.readAll();
        await turn.raw(text);
      },
      NOOP: "200 Noop",
    });
    await using ftp = await server.connect();
    const conn = await ftp.transfercmd("STOR x");
    const broken = ReadableStream.from((function* () {
      yield new Uint8Array(1000);
      throw new Error("source broke");
    })());
    await assertRejects(
      () => broken.pipeTo(conn.writable),
      Error,
      "source broke",
    );
    const error = await assertRejects(() => ftp.voidresp(), Class);
    const shown = error instanceof FTPTemporaryError ? error.cause : error;
    assertEquals((shown as Error).message, "source broke");
    assert(conn.isClosed);
    assertEquals(await ftp.pwd(), "/");
  });
}

Deno.test("FTP.voidresp does not confirm a download whose signal was aborted", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      await (await turn.openData()).write("half");
      assertEquals(await turn.next(), "ABOR");
      await turn.raw("226 Complete\r\n225 Nothing to abort\r\n");
    },
  });
  await using ftp = await server.connect();
  const controller = new AbortController();
  const [conn] = await ftp.ntransfercmd("RETR x", undefined, {
    signal: controller.signal,
  });
  await conn.read(new Uint8Array(4));
  controller.abort(new Error("enough"));
  await assertRejects(() => ftp.voidresp(), Error, "enough");
  assertEquals(await ftp.pwd(), "/");
});
