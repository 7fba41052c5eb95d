import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { toBytes } from "@std/streams";
import {
  type DialedConn,
  type FTP,
  FTPPermanentError,
  FTPVerificationError,
  type RemoteFile,
} from "../../mod.ts";
import { logIn, makeData } from "../real/client.ts";
import { logInTLS, withTLS } from "../real/tls_client.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { memoryServer } from "../testing/memory_server.ts";

const DATA = makeData(3_000_001);

/** Bytes from a position. */
async function readAt(
  file: RemoteFile,
  start: number,
  length: number,
): Promise<Uint8Array> {
  await file.seek(start);
  const bytes = new Uint8Array(length);
  const n = await file.read(bytes);
  return bytes.subarray(0, n ?? 0);
}

/** Compares what is read from positions all over the file with its bytes. */
async function checkPositions(ftp: FTP): Promise<void> {
  await using file = await ftp.open("data");
  assertEquals(file.size, DATA.length);
  const positions = [
    [DATA.length - 10, 10],
    [DATA.length - 10, 50],
    [0, 5],
    [65_530, 12],
    [1_000_000, 200_000],
    [1_200_000, 7],
    [131_072, 65_536],
  ] as const;
  for (const [start, length] of positions) {
    assertEquals(
      await readAt(file, start, length),
      DATA.subarray(start, start + length),
      `${length} bytes from ${start}`,
    );
  }
  assertEquals(await readAt(file, DATA.length, 1), new Uint8Array());
  assertEquals(await readAt(file, DATA.length + 5, 1), new Uint8Array());
  assertEquals(await ftp.pwd(), "/"); // the client is free
}

serverTest("FTP.open reads from any position", async (server) => {
  await server.write("data", DATA);
  await using ftp = await logIn(server);
  await checkPositions(ftp);
});

serverTest(
  "FTP.open reads from any position under TLS",
  async (server) => {
    await server.write("data", DATA);
    await using ftp = await logInTLS(server);
    await checkPositions(ftp);
  },
  { prepare: withTLS() },
);

serverTest("FTP.open reads a file in order with one RETR", async (server) => {
  await server.write("data", DATA);
  const commands: string[] = [];
  await using ftp = await logIn(server, {
    trace: ({ direction, text }) => {
      if (direction === "sent") commands.push(text);
    },
  });
  await using file = await ftp.open("data", { blockSize: 16_384 });
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  while (true) {
    const buffer = new Uint8Array(10_000);
    const n = await file.read(buffer);
    if (n === null) break;
    chunks.push(buffer.subarray(0, n));
  }
  assertEquals(await toBytes(new Blob(chunks).stream()), DATA);
  assertEquals(commands.filter((text) => text.startsWith("RETR")).length, 1);
});

serverTest("FTP.open rejects what does not exist", async (server) => {
  await using ftp = await logIn(server);
  await assertRejects(() => ftp.open("nothing"), FTPPermanentError, "550");
  assertEquals(await ftp.pwd(), "/");
});

serverTest(
  "FTP.open reads the end and one part of a large file in a hundredth of its bytes",
  async (server) => {
    await server.write("large", makeData(100_000_000));
    let received = 0;
    await using ftp = await logIn(server, {
      dial: async ({ hostname, port }) => {
        const conn = await Deno.connect({ hostname, port });
        return counting(conn, (n) => received += n);
      },
    });
    await using file = await ftp.open("large");
    await readAt(file, 100_000_000 - 65_558, 65_558);
    await readAt(file, 98_000_000, 46_000);
    await readAt(file, 50_000_000, 10_000);
    assert(received > 130_000);
    assert(received < 1_000_000, `${received} bytes`);
  },
);

/** A connection whose bytes are counted as they are read. */
function counting(conn: Deno.Conn, onBytes: (n: number) => void): DialedConn {
  return {
    read: async (buffer) => {
      const n = await conn.read(buffer);
      onBytes(n ?? 0);
      return n;
    },
    write: (bytes) => conn.write(bytes),
    closeWrite: () => conn.closeWrite(),
    close: () => conn.close(),
  };
}

Deno.test("RemoteFile.read keeps blocks that are read again", async () => {
  await using server = await memoryServer({ "/data": DATA });
  await using ftp = await server.client();
  await using file = await ftp.open("data", {
    blockSize: 1024,
    cacheSize: 2048,
  });
  const retrieved = () => server.verbs.filter((verb) => verb === "RETR").length;
  await readAt(file, 0, 10);
  await readAt(file, 100_000, 10);
  assertEquals(retrieved(), 3); // one reads the last byte, which proves REST
  await readAt(file, 10, 10);
  await readAt(file, 100_010, 10);
  assertEquals(retrieved(), 3);
  await readAt(file, 200_000, 10); // takes the place of the first
  await readAt(file, 100_000, 10);
  assertEquals(retrieved(), 4);
  await readAt(file, 0, 10);
  assertEquals(retrieved(), 5);
});

Deno.test("RemoteFile.read gives no bytes of another version", async () => {
  await using server = await memoryServer({ "/data": DATA });
  await using ftp = await server.client();
  await using file = await ftp.open("data");
  await readAt(file, 0, 10);
  server.files.set("/data", makeData(DATA.length - 1));
  await new Promise((resolve) => setTimeout(resolve, 600)); // what was told is old by then
  const error = await assertRejects(
    () => readAt(file, 2_000_000, 10),
    FTPVerificationError,
  );
  assertStringIncludes(error.message, "open it again");
});

Deno.test("RemoteFile.read takes reads that are begun at once in order", async () => {
  await using server = await memoryServer({ "/data": DATA });
  await using ftp = await server.client();
  await using file = await ftp.open("data");
  const first = new Uint8Array(70_000);
  const second = new Uint8Array(70_000);
  await Promise.all([file.read(first), file.read(second)]);
  assertEquals(first, DATA.subarray(0, 70_000));
  assertEquals(second, DATA.subarray(70_000, 140_000));
  assertEquals(file.position, 140_000);
});

Deno.test("RemoteFile.seek goes by the whence, and not before the beginning", async () => {
  await using server = await memoryServer({ "/data": DATA });
  await using ftp = await server.client();
  await using file = await ftp.open("data");
  assertEquals(await file.seek(10), 10);
  assertEquals(await file.seek(-3, Deno.SeekMode.Current), 7);
  assertEquals(await file.seek(-1n, Deno.SeekMode.End), DATA.length - 1);
  for (const offset of [-1, 0.5, NaN]) {
    await assertRejects(() => file.seek(offset), RangeError, "Cannot seek");
  }
  assertEquals(file.position, DATA.length - 1);
});

Deno.test("RemoteFile.close ends the file's connection, and what comes later", async () => {
  await using server = await memoryServer({ "/data": DATA });
  await using ftp = await server.client();
  const file = await ftp.open("data");
  await readAt(file, 1_000_000, 10);
  await file.close();
  await file.close();
  await assertRejects(
    () => file.read(new Uint8Array(1)),
    Deno.errors.BadResource,
    "closed",
  );
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.open refuses sizes that are none, before anything is sent", async () => {
  await using server = await memoryServer({ "/data": DATA });
  await using ftp = await server.client();
  const before = server.commands.length;
  for (const blockSize of [0, -512, 1000, NaN, Infinity]) {
    await assertRejects(() => ftp.open("data", { blockSize }), RangeError);
  }
  await assertRejects(
    () => ftp.open("data", { block: 1 } as never),
    TypeError,
    "block",
  );
  assertEquals(server.commands.length, before);
});

Deno.test("FTP.open gives nothing of an empty file", async () => {
  await using server = await memoryServer({ "/data": "" });
  await using ftp = await server.client();
  await using file = await ftp.open("data");
  assertEquals(file.size, 0);
  assertEquals(await file.read(new Uint8Array(1)), null);
});

Deno.test("RemoteFile.read continues after a lost connection", async () => {
  await using server = await memoryServer({ "/data": DATA });
  let cuts = 0;
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    await data.write(DATA.subarray(0, 100_000));
    cuts++;
    data.reset();
    await turn.reply(426, "Connection closed; transfer aborted");
  });
  await using ftp = await server.client();
  const retries: number[] = [];
  await using file = await ftp.open("data", {
    retry: { delay: 1 },
    onRetry: ({ attempt }) => retries.push(attempt),
  });
  const bytes = new Uint8Array(DATA.length);
  assertEquals(await file.read(bytes), DATA.length);
  assertEquals(bytes, DATA);
  assertEquals({ cuts, retries }, { cuts: 1, retries: [1] });
  await using hasty = await ftp.open("data", { retry: false });
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    (await turn.openData()).reset();
    turn.close();
  });
  await assertRejects(() => hasty.read(bytes), Error);
});

Deno.test("RemoteFile.read ends with its signal", async () => {
  await using server = await memoryServer({ "/data": DATA });
  const controller = new AbortController();
  await using ftp = await server.client();
  await using file = await ftp.open("data", { signal: controller.signal });
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    await turn.openData();
    controller.abort(new Error("enough"));
  });
  await assertRejects(() => file.read(new Uint8Array(1)), Error, "enough");
  assertEquals(await ftp.pwd(), "/");
});
