import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTPUnconfirmedError, FTPVerificationError } from "../../mod.ts";
import { makeData } from "../real/client.ts";
import { memoryServer } from "../testing/memory_server.ts";
import type { Turn } from "../testing/scripted/mod.ts";
import { deflate, inflate } from "../testing/zlib.ts";

const FEATURES = "211-Features\n MODE Z\n211 End";

async function inflateText(bytes: Uint8Array): Promise<string> {
  return new TextDecoder().decode(await inflate(bytes));
}

/** A server that compresses its data. */
async function compressing(cut?: (bytes: Uint8Array) => Uint8Array) {
  const server = await memoryServer({ "/f": "hello ".repeat(1000) });
  server.on("FEAT", FEATURES);
  server.on("RETR", async (turn: Turn) => {
    const bytes = await deflate(server.files.get("/f")!);
    await turn.send(cut?.(bytes) ?? bytes);
  });
  return server;
}

Deno.test("FTP decompresses what a server sends in MODE Z", async () => {
  await using server = await compressing();
  await using ftp = await server.client({ compress: true });
  let text = "";
  const decoder = new TextDecoder();
  for (let i = 0; i < 2; i++) {
    await ftp.retrbinary("RETR /f", (block) => {
      text += decoder.decode(block, { stream: true });
    });
  }
  assertEquals(text, "hello ".repeat(2000));
  const set = server.commands.filter((line) => /^(FEAT|MODE)/.test(line));
  assertEquals(set, ["FEAT", "MODE Z"]);
});

Deno.test("FTP compresses what it sends in MODE Z", async () => {
  await using server = await compressing();
  await using ftp = await server.client({ compress: true });
  await ftp.storbinary("STOR /g", new TextEncoder().encode("hello"));
  assertEquals(await inflateText(server.files.get("/g")!), "hello");
  await ftp.storlines("STOR /h", new TextEncoder().encode("a\nb\n"));
  assertEquals(await inflateText(server.files.get("/h")!), "a\r\nb\r\n");
  const conn = await ftp.transfercmd("STOR /i");
  await conn.write(new TextEncoder().encode("by hand"));
  conn.close();
  await ftp.voidresp();
  assertEquals(await inflateText(server.files.get("/i")!), "by hand");
});

Deno.test("FTP sends no MODE Z where nothing asks for it", async () => {
  await using server = await memoryServer({ "/f": "hello" });
  server.on("FEAT", FEATURES);
  await using ftp = await server.client();
  await ftp.features();
  await ftp.retrbinary("RETR /f", () => {});
  assertEquals(server.verbs.includes("MODE"), false);
});

Deno.test("FTP transfers as ever where MODE Z is refused, or FEAT", async () => {
  const refusals = [
    ["MODE", "504 No", 1],
    ["MODE", "451 Not now", 2],
    ["MODE", "202 Superfluous", 1],
    ["FEAT", "502 No", 1],
  ] as const;
  for (const [verb, refusal, count] of refusals) {
    await using server = await memoryServer({ "/f": "hello" });
    server.on("FEAT", FEATURES).on(verb, refusal);
    await using ftp = await server.client({ compress: true });
    for (let i = 0; i < 2; i++) {
      let text = "";
      await ftp.retrbinary("RETR /f", (block) => {
        text += new TextDecoder().decode(block);
      });
      assertEquals(text, "hello");
    }
    assertEquals(server.verbs.filter((other) => other === verb).length, count);
  }
});

Deno.test("FTP advises against compression where a server accepts MODE Z and sends plain data", async () => {
  await using server = await memoryServer({ "/f": "hello, no zlib here" });
  server.on("FEAT", FEATURES).on("MODE", "200 Done");
  await using ftp = await server.client({ compress: true });
  for (let i = 0; i < 2; i++) {
    await assertRejects(
      () => ftp.retrbinary("RETR /f", () => {}),
      Deno.errors.InvalidData,
      'omit "compress"',
    );
  }
  assertEquals(await ftp.pwd(), "/");
});

for (
  const [what, Class, cut] of [
    [
      "is cut off",
      Deno.errors.UnexpectedEof,
      (bytes: Uint8Array) => bytes.subarray(0, -2),
    ],
    [
      "is no zlib",
      Deno.errors.InvalidData,
      () => new TextEncoder().encode("hello, no zlib here"),
    ],
  ] as const
) {
  Deno.test(`FTP.retrbinary throws where compressed data ${what}, although the server says 226`, async () => {
    await using server = await compressing(cut);
    await using ftp = await server.client({ compress: true });
    await assertRejects(
      () => ftp.retrbinary("RETR /f", () => {}),
      Class,
      "decompress",
    );
    assertEquals(await ftp.pwd(), "/");
  });
}

Deno.test("FTP.download tries again where compressed data was cut off", async () => {
  let count = 0;
  await using server = await compressing((bytes) =>
    count++ === 0 ? bytes.subarray(0, -2) : bytes
  );
  await using ftp = await server.client({ compress: true });
  const path = await Deno.makeTempFile();
  try {
    const options = { retry: { attempts: 2, delay: 1 }, resume: false };
    const { verified } = await ftp.download("/f", path, options);
    assertEquals(await Deno.readTextFile(path), "hello ".repeat(1000));
    assertEquals(verified, "size");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("FTP.storbinary throws where the end of compressed data does not get through", async () => {
  await using server = await compressing();
  server.on("STOR", async (turn) => {
    await turn.reply(150, "Send");
    const data = await turn.openData();
    data.reset();
    await turn.reply(426, "Cut");
  });
  await using ftp = await server.client({ compress: true });
  const error = await ftp.storbinary("STOR /g", new Uint8Array(5_000_000))
    .catch((error) => error);
  assertEquals(error instanceof Error, true);
  assertEquals(error instanceof FTPUnconfirmedError, false);
});

Deno.test("FTP sets MODE Z again where MODE S was set by hand", async () => {
  await using server = await compressing();
  await using ftp = await server.client({ compress: true });
  await ftp.retrbinary("RETR /f", () => {});
  await ftp.voidcmd("MODE S");
  const before = server.commands.length;
  await ftp.retrbinary("RETR /f", () => {});
  assertEquals(server.commands.slice(before, before + 1), ["MODE Z"]);
});

/** A server that accepts MODE Z, and stores and sends the bytes as they are. */
async function lying(bytes: Uint8Array) {
  const server = await memoryServer({ "/f": bytes });
  server.on("FEAT", FEATURES).on("MODE", "200 Done");
  return server;
}

/** What a server that does not decompress causes, and what to do. */
const ADVICE = /size is \d+, not \d+; .*"MODE Z".*omit "compress"/;

for (const atomic of [true, false]) {
  Deno.test(`FTP.upload says that a server did not decompress the data, and continues without compression (atomic: ${atomic})`, async () => {
    const text = "hello ".repeat(1000);
    await using server = await lying(new Uint8Array());
    const path = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(path, text);
      await using ftp = await server.client({ compress: true });
      const error = await assertRejects(
        () => ftp.upload(path, "/once", { atomic, retry: false }),
        FTPVerificationError,
      );
      assert(ADVICE.test(error.message), error.message);
      await using other = await server.client({ compress: true });
      const messages: string[] = [];
      const { verified, retries } = await other.upload(path, "/new", {
        atomic,
        retry: { delay: 1 },
        onRetry: ({ error }) => void messages.push(error.message),
      });
      assertEquals({ verified, retries }, { verified: "size", retries: 1 });
      assert(ADVICE.test(messages[0]!), messages[0]);
      assertEquals(new TextDecoder().decode(server.files.get("/new")), text);
    } finally {
      await Deno.remove(path);
    }
    const modes = server.commands.filter((line) => line.startsWith("MODE"));
    assertEquals(modes, ["MODE Z", "MODE Z", "MODE S"]);
  });
}

Deno.test("FTP.download of a zlib file says that a server did not compress it, and continues without compression", async () => {
  const bytes = await deflate(new TextEncoder().encode("hello ".repeat(1000)));
  await using server = await lying(bytes);
  await using ftp = await server.client({ compress: true });
  const path = await Deno.makeTempFile();
  try {
    const messages: string[] = [];
    const { verified, retries } = await ftp.download("/f", path, {
      retry: { delay: 1 },
      onRetry: ({ error }) => void messages.push(error.message),
    });
    assertEquals({ verified, retries }, { verified: "size", retries: 1 });
    assert(ADVICE.test(messages[0]!), messages[0]);
    assertEquals(await Deno.readFile(path), bytes);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("FTP.upload keeps compression where a wrong size follows a right one", async () => {
  await using server = await compressing();
  let lost = 0;
  server.on("STOR", async (turn) => {
    await turn.reply(150, "Send");
    const data = await turn.openData();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let part; (part = await data.read()) !== null;) {
      parts.push(part.slice());
    }
    data.close();
    const sent = await new Blob(parts).arrayBuffer();
    const text = await inflateText(new Uint8Array(sent));
    const isCut = turn.argument.includes("b") && lost++ === 0;
    server.put(turn.argument, isCut ? text.slice(1) : text);
    await turn.reply(226, "Done");
  });
  await using ftp = await server.client({ compress: true });
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "hello");
    await ftp.upload(path, "/a", { atomic: false });
    const retry = { attempts: 3, delay: 1 };
    const { retries } = await ftp.upload(path, "/b", { atomic: false, retry });
    assertEquals(retries, 1);
  } finally {
    await Deno.remove(path);
  }
  const modes = server.commands.filter((line) => line.startsWith("MODE"));
  assertEquals(modes, ["MODE Z"]);
});

/** Whether a text and its compressed form have the same length. */
async function isOfEqualLength(bytes: Uint8Array): Promise<boolean> {
  return (await deflate(bytes)).length === bytes.length;
}

/** Finds a text whose compressed form has the same length. */
async function ofEqualLength(): Promise<Uint8Array> {
  for (let length = 16; length < 200; length++) {
    for (let runs = 1; runs < length; runs++) {
      const bytes = Uint8Array.from(
        { length },
        (_, i) => i < runs ? 65 : 65 + (i * 37) % 61,
      );
      if (await isOfEqualLength(bytes)) return bytes;
    }
  }
  throw new Error("There is no such text");
}

for (const atomic of [true, false]) {
  Deno.test(`FTP.upload does not take compressed data of the same length for the file (atomic: ${atomic})`, async () => {
    const bytes = await ofEqualLength();
    await using server = await lying(new Uint8Array());
    const path = await Deno.makeTempFile();
    try {
      await Deno.writeFile(path, bytes);
      await using ftp = await server.client({ compress: true });
      const options = { atomic, retry: false } as const;
      const { verified } = await ftp.upload(path, "/new", options);
      assertEquals(server.files.get("/new"), bytes);
      assertEquals(verified, "size");
      const stream = new Blob([bytes.slice()]).stream();
      await assertRejects(
        () => ftp.upload(stream, "/stream", options),
        Error,
        'omit "compress"',
      );
    } finally {
      await Deno.remove(path);
    }
  });
}

Deno.test("FTP.upload does not take a part of the compressed data for the whole file after a broken connection", async () => {
  const bytes = makeData(300_000);
  await using server = await lying(new Uint8Array());
  let count = 0;
  server.on("STOR", async (turn) => {
    await turn.reply(150, "Send");
    const data = await turn.openData();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let part; (part = await data.read()) !== null;) {
      parts.push(part.slice());
    }
    data.close();
    const sent = new Uint8Array(await new Blob(parts).arrayBuffer());
    const isFirst = count++ === 0;
    // noise grows when it is compressed
    server.put(turn.argument, isFirst ? sent.subarray(0, 300_000) : sent);
    if (isFirst) return turn.session.peer.close();
    await turn.reply(226, "Done");
  });
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, bytes);
    await using ftp = await server.client({ compress: true });
    const retry = { attempts: 3, delay: 1 };
    await ftp.upload(path, "/new", { retry });
    assertEquals(server.files.get("/new"), bytes);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("FTP.upload with resume does not take compressed data that an earlier call left for the file", async () => {
  const bytes = await ofEqualLength();
  await using server = await lying(new Uint8Array());
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, bytes);
    server.put("/new", await deflate(bytes));
    await using ftp = await server.client({ compress: true });
    await ftp.upload(path, "/new", { atomic: false, resume: true });
    assertEquals(server.files.get("/new"), bytes);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("FTP.upload keeps compression after a file whose compressed data has the same length", async () => {
  const bytes = await ofEqualLength();
  await using server = await compressing();
  let isSetToZ = false;
  server.on("MODE", async (turn) => {
    isSetToZ = turn.argument === "Z";
    await turn.reply(200, "Done");
  });
  server.on("STOR", async (turn) => {
    await turn.reply(150, "Send");
    const data = await turn.openData();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let part; (part = await data.read()) !== null;) {
      parts.push(part.slice());
    }
    data.close();
    const sent = new Uint8Array(await new Blob(parts).arrayBuffer());
    server.put(turn.argument, isSetToZ ? await inflate(sent) : sent);
    await turn.reply(226, "Done");
  });
  const path = await Deno.makeTempFile();
  try {
    await using ftp = await server.client({ compress: true });
    await Deno.writeFile(path, bytes);
    await ftp.upload(path, "/a", { retry: false });
    await Deno.writeTextFile(path, "hello ".repeat(1000));
    await ftp.upload(path, "/b", { retry: false });
    await Deno.writeFile(path, bytes);
    await ftp.upload(path, "/c", { retry: false });
  } finally {
    await Deno.remove(path);
  }
  assertEquals(server.files.get("/a"), bytes);
  assertEquals(server.files.get("/c"), bytes);
  assertEquals(server.files.get("/b")!.length, 6000);
  const modes = server.commands.filter((line) => line.startsWith("MODE"));
  assertEquals(modes, ["MODE Z", "MODE S", "MODE Z"]);
});

Deno.test("FTP.download of zlib data that becomes as long as it was requests it again without compression", async () => {
  const bytes = await deflate(await ofEqualLength());
  await using server = await lying(bytes);
  await using ftp = await server.client({ compress: true });
  const path = await Deno.makeTempFile();
  try {
    const { verified } = await ftp.download("/f", path, { retry: false });
    assertEquals(await Deno.readFile(path), bytes);
    assertEquals(verified, "size");
  } finally {
    await Deno.remove(path);
  }
});
