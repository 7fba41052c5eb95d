import { assert, assertEquals, assertRejects } from "@std/assert";
import { connectionOf } from "../../lib/client/ftp_protocol.ts";
import type { ByteStream } from "../../lib/connection/byte_stream.ts";
import { FTPPermanentError, type Source } from "../../mod.ts";
import {
  type Script,
  startScript,
  untilAborted,
} from "../testing/client_script.ts";

const LATIN1 = new TextDecoder("latin1");

/** A server that keeps uploads, as latin-1. */
function makeStore(): { script: Script; stored: string[] } {
  const stored: string[] = [];
  const store: Script[string] = async (turn) =>
    void stored.push(LATIN1.decode(await turn.take()));
  return {
    script: { STOR: store, APPE: store, STOU: store, REST: "350 ok" },
    stored,
  };
}

const BYTES = Uint8Array.from({ length: 50_000 }, (_, i) => i * 7 % 127);
const TEXT = String.fromCharCode(...BYTES);

/** The kinds of source; chunksOf's own tests have the rest. */
const SOURCES: [kind: string, make: () => Source][] = [
  ["a Uint8Array", () => BYTES],
  ["a Blob", () => new Blob([BYTES])],
  ["a ReadableStream", () => new Blob([BYTES]).stream()],
  ["an array", () => [BYTES.slice(0, 10), BYTES.slice(10)]],
];

for (const [kind, make] of SOURCES) {
  Deno.test(`FTP.storbinary stores ${kind}`, async () => {
    const { script, stored } = makeStore();
    await using server = await startScript(script);
    await using ftp = await server.connect();
    const reply = await ftp.storbinary("STOR x", make());
    assertEquals(reply.code, 226);
    assert(stored[0] === TEXT);
    assertEquals(server.commands[0], "TYPE I");
  });
}

Deno.test("FTP.storbinary stores an open file, and leaves it open", async () => {
  const { script, stored } = makeStore();
  await using server = await startScript(script);
  await using ftp = await server.connect();
  const path = new URL("../../deno.json", import.meta.url);
  using file = await Deno.open(path);
  await ftp.storbinary("STOR x", file);
  assertEquals(stored, [await Deno.readTextFile(path)]);
  assert((await file.stat()).isFile);
});

Deno.test("FTP.storbinary stores an empty file", async () => {
  const { script, stored } = makeStore();
  await using server = await startScript(script);
  await using ftp = await server.connect();
  await ftp.storbinary("STOR x", new Uint8Array(0));
  await ftp.storbinary("STOR x", []);
  assertEquals(stored, ["", ""]);
});

Deno.test("FTP.storbinary calls back with every block, and awaits", async () => {
  const { script, stored } = makeStore();
  await using server = await startScript(script);
  await using ftp = await server.connect();
  const sizes: number[] = [];
  let running = 0;
  await ftp.storbinary("STOR x", [BYTES], {
    blocksize: 20_000,
    callback: async (block) => {
      assertEquals(++running, 1);
      await Promise.resolve();
      running--;
      sizes.push(block.length);
    },
  });
  assertEquals(sizes, [20_000, 20_000, 10_000]);
  assert(stored[0] === TEXT);
  const callback = (block: Uint8Array) => sizes.push(block.length);
  await ftp.storbinary("STOR x", [BYTES], { blocksize: 25_000, callback });
  assertEquals(sizes.slice(3), [25_000, 25_000]);
});

Deno.test("FTP.storbinary calls back with what was written only", async () => {
  await using server = await startScript({ STOR: untilAborted });
  await using ftp = await server.connect();
  const controller = new AbortController();
  const { signal } = controller;
  const blocks = 1024;
  let written = 0;
  await assertRejects(() =>
    ftp.storbinary("STOR x", [new Uint8Array(blocks * 65_536)], {
      blocksize: 65_536,
      callback: () => {
        if (++written === 1) setTimeout(() => controller.abort(), 20);
      },
      signal,
    })
  );
  assert(written < blocks, "the server takes nothing");
});

Deno.test("FTP.storbinary sends APPE, STOU and REST", async () => {
  const { script } = makeStore();
  await using server = await startScript({
    ...script,
    STOU: async (turn) => {
      await turn.reply(150, "FILE: x.1");
      await (await turn.openData()).readAll();
      await turn.reply(250, "Stored as x.1");
    },
  });
  await using ftp = await server.connect();
  await ftp.storbinary("APPE x", BYTES);
  await ftp.storbinary("STOR x", BYTES, { rest: 5 });
  const reply = await ftp.storbinary("STOU", new Uint8Array(0));
  assertEquals(reply.text, "250 Stored as x.1");
  assertEquals(
    server.commands.filter((line) => !/^(TYPE|EPSV)/.test(line)),
    ["APPE x", "REST 5", "STOR x", "STOU"],
  );
});

/** A text, and its stored form. */
const TEXTS: [text: string, stored: string][] = [
  ["a\nb\n", "a\r\nb\r\n"],
  ["a\r\nb\r\n", "a\r\nb\r\n"],
  ["a\nb", "a\r\nb\r\n"],
  ["\n\n", "\r\n\r\n"],
  ["a\rb\n", "a\rb\r\n"],
  ["", ""],
];

for (const [text, expected] of TEXTS) {
  Deno.test(`FTP.storlines stores ${JSON.stringify(text)} with CRLF`, async () => {
    const { script, stored } = makeStore();
    await using server = await startScript(script);
    await using ftp = await server.connect();
    const bytes = new TextEncoder().encode(text);
    await ftp.storlines("STOR x", bytes);
    await ftp.storlines(
      "STOR x",
      [...bytes].map((byte) => Uint8Array.of(byte)),
    );
    assertEquals(stored, [expected, expected]);
    assertEquals(server.commands[0], "TYPE A");
  });
}

Deno.test("FTP.storlines calls back with every line", async () => {
  const { script } = makeStore();
  await using server = await startScript(script);
  await using ftp = await server.connect();
  const lines: string[] = [];
  await ftp.storlines(
    "STOR x",
    new TextEncoder().encode("a\n\nb"),
    async (line) => {
      const text = new TextDecoder().decode(line);
      lines.push(`begin ${text}`);
      await Promise.resolve();
      lines.push(`end ${text}`);
    },
  );
  assertEquals(
    lines,
    ["a\r\n", "\r\n", "b\r\n"].flatMap((
      text,
    ) => [`begin ${text}`, `end ${text}`]),
  );
});

Deno.test("FTP.storbinary refuses what is no source, before it says a word", async () => {
  await using server = await startScript();
  await using ftp = await server.connect();
  await assertRejects(
    () => ftp.storbinary("STOR x", "text" as unknown as Source),
    TypeError,
    "a string",
  );
  assertEquals(server.commands, []);
});

/** Faults of a source or a callback of an upload. */
const FAULTS: [name: string, make: () => [Source, (() => void)?]][] = [
  ["source throws", () => [(function* () {
    yield BYTES;
    throw new Error("fault");
  })()]],
  ["source rejects", () => [
    new ReadableStream({ pull: () => Promise.reject(new Error("fault")) }),
  ]],
  ["callback throws", () => [BYTES, () => {
    throw new Error("fault");
  }]],
];

for (const [name, make] of FAULTS) {
  Deno.test(`FTP.storbinary aborts when the ${name}, and is usable`, async () => {
    await using server = await startScript({
      STOR: untilAborted,
      PWD: '257 "/own"',
    });
    await using ftp = await server.connect();
    const [source, callback] = make();
    await assertRejects(
      () => ftp.storbinary("STOR x", source, { callback }),
      Error,
      "fault",
    );
    assertEquals(await ftp.pwd(), "/own");
  });
}

Deno.test("FTP.storbinary rejects when its source has ended", async () => {
  await using server = await startScript({ STOR: untilAborted });
  await using ftp = await server.connect();
  let hasEnded = false;
  async function* source() {
    try {
      yield BYTES;
    } finally {
      await new Promise((done) => setTimeout(done, 0));
      hasEnded = true;
    }
  }
  const callback = () => {
    throw new Error("fault");
  };
  await assertRejects(
    () => ftp.storbinary("STOR x", source(), { callback }),
    Error,
    "fault",
  );
  assert(hasEnded);
});

Deno.test("FTP.storbinary is aborted though its source is stuck, which may fail later", async () => {
  await using server = await startScript({ STOR: untilAborted });
  await using ftp = await server.connect();
  const asked = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<void>();
  async function* source() {
    try {
      asked.resolve();
      await gate.promise;
      yield BYTES;
    } finally {
      setTimeout(failed.resolve, 0);
      // deno-lint-ignore no-unsafe-finally
      throw new Error("fault");
    }
  }
  const controller = new AbortController();
  const { signal } = controller;
  const storing = ftp.storbinary("STOR x", source(), { signal })
    .catch((error) => error);
  await asked.promise;
  controller.abort("enough");
  assertEquals(await storing, "enough");
  assertEquals(await ftp.pwd(), "/");
  gate.resolve();
  await failed.promise;
});

Deno.test("FTP.storbinary says how many bytes are unconfirmed", async () => {
  await using server = await startScript({
    STOR: async (turn) => {
      await turn.reply(150, "Send");
      await (await turn.openData()).readAll();
      turn.close();
    },
  });
  await using ftp = await server.connect();
  await assertRejects(
    () => ftp.storbinary("STOR x", BYTES),
    Deno.errors.UnexpectedEof,
    'Cannot confirm "STOR x": 50000 bytes were transferred',
  );
});

Deno.test("FTP.storbinary throws 552 when the server's disk is full, and ends the source", async () => {
  await using server = await startScript({
    STOR: async (turn) => {
      await turn.reply(150, "Send");
      const conn = await turn.openData();
      await conn.read();
      conn.drop();
      await turn.reply(552, "Disk full");
    },
  });
  await using ftp = await server.connect();
  let isCancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    cancel: () => void (isCancelled = true),
  });
  const error = await assertRejects(
    () => ftp.storbinary("STOR x", endless),
    FTPPermanentError,
    'Cannot complete "STOR x": 552 Disk full',
  ) as FTPPermanentError;
  assert(error.cause instanceof Error);
  assert(isCancelled);
  assertEquals(await ftp.pwd(), "/");
});

/** Sources that never end when they are cancelled. */
const DEAF: [name: string, make: () => Source][] = [
  ["a stream", () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
      cancel: () => new Promise(() => {}),
    })],
  ["a generator", async function* () {
    try {
      while (true) yield new Uint8Array(65_536);
    } finally {
      await new Promise(() => {});
    }
  }],
];

for (const [name, make] of DEAF) {
  Deno.test(`FTP.storbinary throws a refusal although ${name} does not end`, async () => {
    await using server = await startScript({ STOR: "550 No" });
    await using ftp = await server.connect();
    await assertRejects(
      () => ftp.storbinary("STOR x", make()),
      FTPPermanentError,
      "550 No",
    );
    await assertRejects(
      () => ftp.store("x", make()),
      FTPPermanentError,
      "550 No",
    );
    assertEquals(await ftp.pwd(), "/");
  });

  Deno.test(`FTP.storbinary throws what a callback does although ${name} does not end`, async () => {
    await using server = await startScript({ STOR: untilAborted });
    await using ftp = await server.connect();
    const fail = () => {
      throw new Error("enough");
    };
    await assertRejects(
      () => ftp.storbinary("STOR x", make(), { callback: fail }),
      Error,
      "enough",
    );
    assertEquals(await ftp.pwd(), "/");
  });
}

Deno.test("FTP.storbinary throws 552 that comes when all was sent", async () => {
  await using server = await startScript({
    STOR: async (turn) => {
      await turn.reply(150, "Send");
      const conn = await turn.openData();
      await conn.readAll();
      conn.drop();
      await turn.reply(552, "Disk full");
    },
  });
  await using ftp = await server.connect();
  await assertRejects(
    () => ftp.storbinary("STOR x", BYTES),
    FTPPermanentError,
    "552",
  );
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("FTP.transfercmd gives a writable that ends the data", async () => {
  const { script, stored } = makeStore();
  await using server = await startScript(script);
  await using ftp = await server.connect();
  const conn = await ftp.transfercmd("STOR x");
  await new Blob(["one", "two"]).stream().pipeTo(conn.writable);
  assertEquals((await ftp.voidresp()).code, 226);
  const second = await ftp.transfercmd("STOR x");
  await second.write(new TextEncoder().encode("three"));
  await second.closeWrite();
  second.close();
  assertEquals((await ftp.voidresp()).code, 226);
  assertEquals(stored, ["onetwo", "three"]);
  assert(second.isClosed);
});

Deno.test("FTP trusts no 226 when the last bytes could not be sent", async () => {
  const { script, stored } = makeStore();
  await using server = await startScript(script);
  await using ftp = await server.connect();
  // as TLS does, which keeps what was written last
  const secure = (stream: ByteStream) => {
    const closeWrite = async () => {
      await stream.closeWrite();
      throw new Deno.errors.BrokenPipe("kept bytes");
    };
    return Promise.resolve(
      new Proxy(stream, {
        get: (_, name) => {
          if (name === "closeWrite") return closeWrite;
          const value = stream[name as keyof ByteStream];
          return typeof value === "function" ? value.bind(stream) : value;
        },
      }),
    );
  };
  connectionOf(ftp).session.protection = {
    prepare: () => Promise.resolve(),
    secure,
  };
  for (
    const store of [
      () => ftp.storbinary("STOR x", BYTES),
      () => ftp.storlines("STOR x", BYTES),
      () => ftp.upload(BYTES, "x", { atomic: false, retry: false }),
    ]
  ) {
    await assertRejects(store, Deno.errors.BrokenPipe, "kept bytes");
  }
  const conn = await ftp.transfercmd("STOR x");
  const piped = new Blob([BYTES]).stream().pipeTo(conn.writable);
  await assertRejects(() => piped, Deno.errors.BrokenPipe, "kept bytes");
  conn.close();
  await assertRejects(
    () => ftp.voidresp(),
    Deno.errors.BrokenPipe,
    "kept bytes",
  );
  assertEquals(stored.length, 4);
});
