import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTPError, type Source } from "../../mod.ts";
import { serverTest } from "../testing/servers/mod.ts";
import {
  bytes,
  fetchBytes,
  logIn,
  makeData,
  modesTest,
  text,
} from "./client.ts";

const DATA = makeData(300_001);

modesTest(
  "FTP.retrbinary and storbinary carry every byte",
  async (ftp, server) => {
    const copied: number[] = [];
    const stored = await ftp.storbinary("STOR data.bin", DATA, {
      callback: (block) => copied.push(block.length),
    });
    assertEquals(stored.code, 226);
    assertEquals(await server.read("data.bin"), DATA);
    assertEquals(sum(copied), DATA.length);
    assert(copied.every((size) => size <= 8192));

    const blocks: Uint8Array<ArrayBuffer>[] = [];
    const received = await ftp.retrbinary(
      "RETR data.bin",
      (block) => blocks.push(block),
      { blocksize: 1000 },
    );
    assertEquals(received.code, 226);
    assert(blocks.every((block) => block.length <= 1000));
    assertEquals(
      new Uint8Array(await new Blob(blocks).arrayBuffer()),
      DATA,
    );
  },
);

modesTest(
  "FTP.retrbinary and storbinary carry an empty file",
  async (ftp, server) => {
    await ftp.storbinary("STOR empty", new Uint8Array(0));
    assertEquals(await server.read("empty"), new Uint8Array(0));
    assertEquals(await fetchBytes(ftp, "empty"), new Uint8Array(0));
    await ftp.storlines("STOR empty", new Uint8Array(0));
    await ftp.retrlines("RETR empty", () => {
      throw new Error("There is no line");
    });
    assertEquals(await ftp.pwd(), "/");
  },
);

modesTest("FTP.retrlines and storlines carry a text", async (ftp, server) => {
  const lines = ["first", "", "ünï", "x".repeat(20_000), "last"];
  await ftp.storlines("STOR text", bytes(lines.join("\n")));
  assertEquals(
    text(await server.read("text")).replaceAll("\r", ""),
    lines.join("\n") + "\n",
  );
  const got: string[] = [];
  assertEquals(
    (await ftp.retrlines("RETR text", (line) => got.push(line))).code,
    226,
  );
  assertEquals(got, lines);
});

modesTest("FTP.ntransfercmd and voidresp carry a file", async (ftp, server) => {
  await server.write("data.bin", DATA);
  await ftp.voidcmd("TYPE I");
  const [conn, size] = await ftp.ntransfercmd("RETR data.bin");
  // Pure-FTPd says "293.0 kbytes to download", pyftpdlib nothing
  const tells = server.name === "vsftpd" || server.name === "proftpd";
  assertEquals(size, tells ? DATA.length : null);
  const buffer = new Uint8Array(2048);
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  for (let n; (n = await conn.read(buffer)) !== null;) {
    blocks.push(buffer.slice(0, n));
  }
  conn.close();
  assertEquals((await ftp.voidresp()).code, 226);
  assertEquals(new Uint8Array(await new Blob(blocks).arrayBuffer()), DATA);

  const data = await ftp.transfercmd("STOR copy.bin");
  const writer = data.writable.getWriter();
  await writer.write(DATA);
  await writer.close();
  data.close();
  assertEquals((await ftp.voidresp()).code, 226);
  assertEquals(await server.read("copy.bin"), DATA);
});

serverTest(
  "FTP.storbinary APPE appends, and makes what is missing",
  async (server) => {
    await using ftp = await logIn(server);
    await ftp.storbinary("APPE log", bytes("one,"));
    await ftp.storbinary("APPE log", bytes("two,"));
    await ftp.storlines("APPE log", bytes("three"));
    assertEquals(text(await server.read("log")).trimEnd(), "one,two,three");
  },
);

serverTest("FTP.storbinary STOU gives a name of its own", async (server) => {
  await using ftp = await logIn(server);
  const reply = await ftp.storbinary("STOU", bytes("unique"));
  assertEquals(reply.code, 226);
  const names = Array.from(Deno.readDirSync(server.root), ({ name }) => name);
  assertEquals(names.length, 1);
  assertEquals(text(await server.read(names[0]!)), "unique");
});

serverTest("FTP.retrbinary starts at an offset", async (server) => {
  await server.write("data.bin", DATA);
  await using ftp = await logIn(server);
  for (const rest of [0, 1, 300_000, DATA.length]) {
    assertEquals(await fetchBytes(ftp, "data.bin", rest), DATA.subarray(rest));
  }
  assertEquals(await fetchBytes(ftp, "data.bin"), DATA);
});

serverTest("FTP.storbinary starts at an offset", async (server) => {
  await server.write("data.bin", DATA.subarray(0, 100_000));
  await using ftp = await logIn(server);
  await ftp.storbinary("STOR data.bin", DATA.subarray(100_000), {
    rest: 100_000,
  });
  assertEquals(await server.read("data.bin"), DATA);
  await ftp.storbinary("STOR data.bin", bytes("short"));
  assertEquals(text(await server.read("data.bin")), "short");
});

serverTest(
  "FTP does not carry an offset over to the next transfer",
  async (server) => {
    await server.write("data.bin", DATA);
    await using ftp = await logIn(server);
    await assertRejects(() => fetchBytes(ftp, "missing", 1000), FTPError);
    assertEquals(await fetchBytes(ftp, "data.bin"), DATA);
    await assertRejects(() => fetchBytes(ftp, "missing", 1000), FTPError);
    await ftp.storbinary("STOR new.bin", DATA);
    assertEquals(await server.read("new.bin"), DATA);
  },
);

serverTest("FTP.storbinary takes every kind of source", async (server) => {
  await using ftp = await logIn(server);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, DATA);
    using file = await Deno.open(path);
    const pieces = [DATA.subarray(0, 70_000), DATA.subarray(70_000)];
    const sources: Source[] = [
      DATA,
      new Blob([DATA]),
      ReadableStream.from(pieces),
      pieces,
      (async function* () {
        yield* pieces;
      })(),
      file,
    ];
    for (const source of sources) {
      await ftp.storbinary("STOR data.bin", source, { blocksize: 50_000 });
      assertEquals(await server.read("data.bin"), DATA);
    }
  } finally {
    await Deno.remove(path);
  }
});

serverTest("FTP stays usable when a callback throws", async (server) => {
  await server.write("data.bin", makeData(5_000_000));
  await using ftp = await logIn(server);
  for (const method of ["RETR", "STOR"] as const) {
    const callback = () => {
      throw new RangeError("enough");
    };
    await assertRejects(
      () =>
        method === "RETR"
          ? ftp.retrbinary("RETR data.bin", callback)
          : ftp.storbinary("STOR new.bin", DATA, { callback }),
      RangeError,
      "enough",
    );
    assertEquals(await ftp.pwd(), "/");
  }
  assertEquals(await fetchBytes(ftp, "data.bin"), makeData(5_000_000));
});

serverTest(
  "FTP in active mode listens on the address and ports it was given",
  async (server) => {
    await server.write("data.bin", DATA);
    const ports = [40_100, 40_120] as const;
    await using ftp = await logIn(server, {
      passive: false,
      localAddress: "127.0.0.1",
      activePorts: ports,
    });
    for (let i = 0; i < 3; i++) {
      const [conn] = await ftp.ntransfercmd("RETR data.bin");
      const { hostname, port } = conn.localAddr as Deno.NetAddr;
      assertEquals(hostname, "127.0.0.1");
      assert(port >= ports[0] && port <= ports[1]);
      const buffer = new Uint8Array(65_536);
      while (await conn.read(buffer) !== null);
      conn.close();
      await ftp.voidresp();
    }
  },
);

serverTest(
  "FTP.setPasv changes the mode between two transfers",
  async (server) => {
    await server.write("data.bin", DATA);
    await using ftp = await logIn(server);
    for (const passive of [true, false, true, false]) {
      ftp.setPasv(passive);
      assertEquals(ftp.passiveserver, passive);
      assertEquals(await fetchBytes(ftp, "data.bin"), DATA);
    }
  },
);

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
