import { assert, assertEquals, assertRejects } from "@std/assert";
import { type FTP, FTPPermanentError, FTPReplyError } from "../../mod.ts";
import { startScript } from "../testing/client_script.ts";

const BYTES = Uint8Array.from({ length: 1_000_000 }, (_, i) => i * 7 % 251);

async function retrieve(ftp: FTP, blocksize?: number): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = [];
  await ftp.retrbinary("RETR x", (block) => blocks.push(block), { blocksize });
  return blocks;
}

async function joined(blocks: Uint8Array[]): Promise<Uint8Array> {
  return await new Blob(blocks as BlobPart[]).bytes();
}

Deno.test("FTP.retrbinary gives all bytes in blocks of at most blocksize", async () => {
  await using server = await startScript({ RETR: (turn) => turn.send(BYTES) });
  await using ftp = await server.connect();
  for (const blocksize of [100, 8192, 10_000_000, undefined]) {
    const blocks = await retrieve(ftp, blocksize);
    assertEquals(await joined(blocks), BYTES);
    for (const block of blocks) {
      assert(block.length > 0 && block.length <= (blocksize ?? 8192));
    }
  }
  assertEquals(server.verbs.filter((verb) => verb === "TYPE"), ["TYPE"]);
  assertEquals(server.commands[0], "TYPE I");
});

Deno.test("FTP.retrbinary lets the callback keep and change its blocks", async () => {
  await using server = await startScript({ RETR: (turn) => turn.send(BYTES) });
  await using ftp = await server.connect();
  const blocks: Uint8Array[] = [];
  await ftp.retrbinary("RETR x", (block) => {
    blocks.push(block);
    // a change of one block does not affect the others
    for (const kept of blocks.slice(0, -1)) kept.fill(0);
  }, { blocksize: 1000 });
  const last = blocks.at(-1)!;
  assertEquals(last, BYTES.slice(-last.length));
});

Deno.test("FTP.retrbinary with reuse passes blocks of one buffer", async () => {
  await using server = await startScript({ RETR: (turn) => turn.send(BYTES) });
  await using ftp = await server.connect();
  const buffers = new Set<ArrayBuffer>();
  let sum = 0;
  await ftp.retrbinary("RETR x", (block) => {
    buffers.add(block.buffer);
    for (const byte of block) sum += byte;
  }, { reuse: true, blocksize: 1000 });
  assertEquals(sum, BYTES.reduce((total, byte) => total + byte, 0));
  assert(buffers.size <= 3, "it grows twice");
});

Deno.test("FTP.retrbinary refuses a blocksize that gets nowhere", async () => {
  await using server = await startScript();
  await using ftp = await server.connect();
  for (const blocksize of [0, -1, 1.5, NaN, Infinity]) {
    await assertRejects(
      () => retrieve(ftp, blocksize),
      RangeError,
      `${blocksize}`,
    );
    await assertRejects(
      () => ftp.storbinary("STOR x", BYTES, { blocksize }),
      RangeError,
      `${blocksize}`,
    );
  }
  assertEquals(server.commands, []);
});

Deno.test("FTP.retrbinary and storbinary reject an invalid offset", async () => {
  await using server = await startScript();
  await using ftp = await server.connect();
  for (const rest of [-1, 1.5, NaN, Infinity]) {
    const calls = [
      () => ftp.retrbinary("RETR x", () => {}, { rest }),
      () => ftp.storbinary("STOR x", BYTES, { rest }),
      () => ftp.ntransfercmd("RETR x", rest),
    ];
    for (const call of calls) {
      await assertRejects(call, RangeError, `Cannot start at offset ${rest}`);
    }
  }
  assertEquals(server.commands, []);
});

Deno.test("FTP.retrbinary and storbinary do not lose a block size given as in ftplib", async () => {
  await using server = await startScript();
  await using ftp = await server.connect();
  const options = 1024 as unknown as Record<string, never>;
  await assertRejects(
    () => ftp.retrbinary("RETR x", () => {}, options),
    TypeError,
    "Cannot use 1024 as the options of retrbinary: pass an object",
  );
  await assertRejects(
    () => ftp.storbinary("STOR x", BYTES, options),
    TypeError,
    "Cannot use 1024 as the options of storbinary: pass an object",
  );
  assertEquals(server.commands, []);
});

Deno.test("FTP.retrbinary awaits its callback: the server is held back", async () => {
  const size = 64 * 1024 * 1024;
  let sent = 0;
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, "Here");
      const conn = await turn.openData();
      const piece = new Uint8Array(256 * 1024);
      for (; sent < size; sent += piece.length) await conn.write(piece);
      conn.close();
      await turn.reply(226, "Done");
    },
  });
  await using ftp = await server.connect();
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let received = 0;
  const retrieval = ftp.retrbinary("RETR x", async (block) => {
    assertEquals(++running, 1);
    if (received === 0) await gate.promise;
    received += block.length;
    running--;
  }, { blocksize: 1024 * 1024 });
  let before = -1;
  while (before !== sent || sent === 0) {
    before = sent;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert(sent < size / 2, `${sent} bytes were sent to a callback that waits`);
  gate.resolve();
  assertEquals((await retrieval).code, 226);
  assertEquals(received, size);
});

for (const kind of ["throws", "rejects"]) {
  Deno.test(`FTP.retrbinary aborts when its callback ${kind}, and is usable`, async () => {
    await using server = await startScript({
      RETR: async (turn) => {
        await turn.reply(150, "Here");
        await (await turn.openData()).write(BYTES);
        await turn.confirmAbort();
      },
      PWD: '257 "/own"',
    });
    await using ftp = await server.connect();
    await assertRejects(
      () =>
        ftp.retrbinary("RETR x", () => {
          const error = new Error("disk full");
          if (kind === "rejects") return Promise.reject(error);
          throw error;
        }),
      Error,
      "disk full",
    );
    assertEquals(await ftp.pwd(), "/own");
  });
}

Deno.test("FTP.retrbinary sends REST before the command", async () => {
  await using server = await startScript({
    REST: "350 Restarting",
    RETR: (turn) => turn.send("tail"),
  });
  await using ftp = await server.connect();
  await ftp.retrbinary("RETR x", () => {}, { rest: 100 });
  await ftp.retrbinary("RETR x", () => {}, { rest: "9007199254740993" });
  await ftp.retrbinary("RETR x", () => {}, { rest: 0 });
  assertEquals(
    server.commands.filter((line) => /^(REST|RETR)/.test(line)),
    [
      "REST 100",
      "RETR x",
      "REST 9007199254740993",
      "RETR x",
      "REST 0",
      "RETR x",
    ],
  );
});

/** Replies to "REST 500", and whether they are accepted. */
const RESTARTS: [reply: string, isBelieved: boolean][] = [
  ["350 Restarting at 500. Send STORE or RETRIEVE to initiate transfer", true],
  ["350 Restart position accepted (500).", true],
  ["350 Restarting at position 500.", true],
  ["350 Rest supported. Restarting at 500", true],
  ["350 Restart marker accepted as of RFC 3659", true],
  ["350 Restarting at 500 of 900, at 900", true],
  ["350 Ready", true],
  ["350 Restarting at 500,000", true],
  ["350 Restarting at 0. Send STORE or RETRIEVE to initiate transfer", false],
  ["350 Restart position accepted (244).", false],
  ["350 Restarting at -12", false],
];

for (const [answer, isBelieved] of RESTARTS) {
  Deno.test(`FTP.retrbinary ${isBelieved ? "takes" : "does not take"} "${answer}" for 500`, async () => {
    await using server = await startScript({
      REST: (turn) =>
        turn.raw(
          turn.argument === "500" ? `${answer}\r\n` : "350 Restarting at 0\r\n",
        ),
      RETR: (turn) => turn.send("tail"),
    });
    await using ftp = await server.connect();
    const running = ftp.retrbinary("RETR x", () => {}, { rest: 500 });
    if (isBelieved) {
      await running;
      return;
    }
    const error = await assertRejects(
      () => running,
      FTPReplyError,
      "restarts at",
    );
    assertEquals(error.command, "REST 500");
    await ftp.retrbinary("RETR x", () => {});
    assertEquals(
      server.commands.filter((line) => /^(REST|RETR)/.test(line)),
      ["REST 500", "REST 0", "RETR x"],
    );
  });
}

Deno.test("FTP.retrbinary takes an offset back that no transfer took", async () => {
  const gate = Promise.withResolvers<void>();
  await using server = await startScript({
    REST: async (turn) => {
      if (turn.argument === "2") await gate.promise;
      await turn.reply(350, "Restarting");
    },
    RETR: (turn) => turn.send("data"),
  });
  server.once("RETR", "550 No such file");
  await using ftp = await server.connect();
  const retr = (rest?: number, signal?: AbortSignal) =>
    ftp.retrbinary("RETR x", () => {}, { rest, signal });
  await assertRejects(() => retr(1), FTPPermanentError, "550");
  await retr();
  await retr();
  const controller = new AbortController();
  const aborted = retr(2, controller.signal).catch((error) => error);
  const isSent = (line: string) => line === "REST 2";
  while (!isSent(await server.received("REST")));
  controller.abort("enough");
  assertEquals(await aborted, "enough");
  gate.resolve();
  await retr();
  assertEquals(
    server.commands.filter((line) => /^(REST|RETR)/.test(line)),
    ["REST 1", "RETR x", "REST 0", "RETR x", "RETR x", "REST 2"]
      .concat(["REST 0", "RETR x"]),
  );
});

Deno.test("FTP takes an offset back in TYPE I: pyftpdlib refuses REST in TYPE A", async () => {
  let type = "A";
  await using server = await startScript({
    TYPE: async (turn) => {
      type = turn.argument;
      await turn.reply(200, `Type set to ${type}`);
    },
    REST: async (turn) => {
      if (type === "A") await turn.reply(501, "Resuming not allowed in ASCII");
      else await turn.reply(350, "Restarting");
    },
    RETR: (turn) => turn.send("data"),
    NLST: (turn) => turn.send("name\r\n"),
  });
  await using ftp = await server.connect();
  const leaveOffset = async () => {
    server.once("RETR", "550 No such file");
    await assertRejects(
      () => ftp.retrbinary("RETR x", () => {}, { rest: 1 }),
      FTPPermanentError,
      "550",
    );
  };
  await leaveOffset();
  assertEquals(await ftp.nlst(), ["name"]);
  await leaveOffset();
  await ftp.voidcmd("TYPE A");
  const conn = await ftp.transfercmd("RETR x");
  conn.close();
  await ftp.voidresp();
  assertEquals(
    server.commands.filter((line) => /^(TYPE|REST|RETR|NLST)/.test(line)),
    [
      ["TYPE I", "REST 1", "RETR x", "REST 0", "TYPE A", "NLST"],
      ["TYPE I", "REST 1", "RETR x", "TYPE A"],
      ["TYPE I", "REST 0", "TYPE A", "RETR x"], // the user's own type
    ].flat(),
  );
});

Deno.test("FTP.retrbinary throws when REST is refused, and starts nothing", async () => {
  await using server = await startScript({
    REST: "502 No",
    RETR: (turn) => turn.send("data"),
  });
  await using ftp = await server.connect();
  await assertRejects(
    () => ftp.retrbinary("RETR x", () => {}, { rest: 1 }),
    FTPPermanentError,
    '"REST 1": 502 No',
  );
  assert(!server.verbs.includes("RETR"));
  await ftp.retrbinary("RETR x", () => {});
  assertEquals(server.verbs.filter((verb) => verb === "REST"), ["REST"]);
});

Deno.test("FTP.transfercmd does not change the type", async () => {
  await using server = await startScript({ RETR: (turn) => turn.send("data") });
  await using ftp = await server.connect();
  await ftp.retrbinary("RETR x", () => {});
  const conn = await ftp.transfercmd("RETR x");
  conn.close();
  await ftp.voidresp();
  assertEquals(server.commands.filter((line) => /^TYPE/.test(line)), [
    "TYPE I",
  ]);
});

Deno.test("FTP.ntransfercmd gives the size that 150 tells", async () => {
  await using server = await startScript({
    RETR: async (turn) => {
      await turn.reply(150, `Opening ${turn.argument}`);
      (await turn.openData()).close();
      await turn.reply(226, "Done");
    },
  });
  await using ftp = await server.connect();
  for (
    const [name, expected] of [
      ["x (2241 bytes)", 2241],
      ["x (0 bytes)", 0],
      ["x", null],
    ] as const
  ) {
    const [conn, size] = await ftp.ntransfercmd(`RETR ${name}`);
    assertEquals(size, expected);
    conn.close();
    await ftp.voidresp();
  }
});

Deno.test("FTP.ntransfercmd gives a connection like Deno.Conn", async () => {
  await using server = await startScript({ RETR: (turn) => turn.send(BYTES) });
  await using ftp = await server.connect();
  const [conn] = await ftp.ntransfercmd("RETR x");
  assertEquals((conn.remoteAddr as Deno.NetAddr).hostname, "127.0.0.1");
  assertEquals((conn.localAddr as Deno.NetAddr).hostname, "127.0.0.1");
  assertEquals(await new Response(conn.readable).bytes(), BYTES);
  assertEquals([conn.bytesRead, conn.isEnded], [BYTES.length, true]);
  assertEquals((await ftp.voidresp()).code, 226);

  const blocks: Uint8Array[] = [];
  {
    await using second = await ftp.transfercmd("RETR x");
    const buffer = new Uint8Array(3000);
    for (let n; (n = await second.read(buffer)) !== null;) {
      blocks.push(buffer.slice(0, n));
    }
  }
  assertEquals((await ftp.voidresp()).code, 226);
  assertEquals(await joined(blocks), BYTES);
});
