import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  connect,
  FTP,
  FTPPermanentError,
  FTPReplyError,
  FTPTemporaryError,
  type LearnedProfile,
} from "../../mod.ts";
import { memoryServer } from "../testing/memory_server.ts";
import { connectImplicit, startImplicit } from "./implicit_front.ts";
import {
  byDefault,
  type Script,
  startScript,
} from "../testing/client_script.ts";

const LIST: Script = { LIST: (turn) => turn.send("one\r\n") };

async function list(ftp: FTP): Promise<string[]> {
  const lines: string[] = [];
  await ftp.retrlines("LIST", (line) => lines.push(line));
  return lines;
}

/** A small server with a single type. */
const BINARY: Script = {
  ...LIST,
  NLST: (turn) => turn.send("one\r\n"),
  RETR: (turn) => turn.send("a\nb\n"),
  TYPE: (turn) => turn.reply(turn.argument === "I" ? 200 : 504, "Type"),
};

Deno.test("FTP lists in TYPE I where TYPE A is refused, and asks once", async () => {
  for (const refusal of [500, 501, 502, 504, 550]) {
    await using server = await startScript({
      ...BINARY,
      TYPE: (turn) => turn.reply(turn.argument === "I" ? 200 : refusal, "Type"),
    });
    await using ftp = await server.connect();
    assertEquals(await list(ftp), ["one"]);
    assertEquals(await ftp.nlst(), ["one"]);
    const lines: string[] = [];
    await ftp.retrlines("RETR a", (line) => lines.push(line));
    assertEquals(lines, ["a", "b"]);
    const types = server.commands.filter((line) => line.startsWith("TYPE"));
    assertEquals(types, ["TYPE A", "TYPE I"]);
  }
});

Deno.test("FTP lists where every TYPE is refused", async () => {
  await using server = await startScript({ ...BINARY, TYPE: "502 No TYPE" });
  await using ftp = await server.connect();
  assertEquals(await list(ftp), ["one"]);
  assertEquals(await list(ftp), ["one"]);
  const types = server.commands.filter((line) => line.startsWith("TYPE"));
  assertEquals(types, ["TYPE A", "TYPE I"]);
  await assertRejects(
    () => ftp.retrbinary("RETR a", () => {}),
    FTPPermanentError,
    "502 No TYPE",
  );
});

Deno.test("FTP.list and FTP.walk do without TYPE A too", async () => {
  await using server = await memoryServer({ "/d/f": "x" });
  server.on("TYPE", BINARY["TYPE"]!);
  await using ftp = await server.client();
  for (const command of ["MLSD", "LIST"] as const) {
    const entries = await Array.fromAsync(ftp.list("/d", { command }));
    assertEquals(entries.map(({ name }) => name), ["f"]);
  }
  const paths = await Array.fromAsync(ftp.walk("/"), ({ path }) => path);
  assert(paths.includes("/d/f"), `${paths}`);
});

Deno.test("FTP throws what TYPE A says where it is for now, or about the login", async () => {
  for (const refusal of ["450 Not now", "530 Log in"]) {
    await using server = await startScript({ ...LIST, TYPE: refusal });
    await using ftp = await server.connect();
    await assertRejects(() => list(ftp), Error, refusal);
    assertEquals(server.commands, ["TYPE A"]);
  }
});

Deno.test("FTP.storlines sends no text in TYPE I where TYPE A is refused", async () => {
  await using server = await startScript({ ...BINARY, STOR: byDefault });
  await using ftp = await server.connect();
  await assertRejects(
    () => ftp.storlines("STOR a", new TextEncoder().encode("a\nb\n")),
    FTPPermanentError,
    '"TYPE A": 504',
  );
  assertEquals(server.verbs, ["TYPE"]);
});

Deno.test("FTP.mlsd lists with the server's facts where OPTS is refused", async () => {
  await using server = await memoryServer({ "/f": "x" });
  server.on("OPTS", "502 No OPTS");
  await using ftp = await server.client();
  const names = await Array.fromAsync(ftp.mlsd("", ["size"]), ([name]) => name);
  assertEquals(names, ["f"]);
});

Deno.test("FTP comes back where MODE S and STRU F are refused, which hold anyway", async () => {
  await using server = await startScript(LIST);
  await using ftp = await server.connect();
  await ftp.login("u", "p");
  server.once("MODE", "200 Yes").once("STRU", "200 Yes");
  await ftp.voidcmd("MODE S");
  await ftp.voidcmd("STRU F");
  await ftp.reconnect();
  assertEquals(await list(ftp), ["one"]);
});

/** Replies to PBSZ and PROT of servers without protected data connections. */
const NO_PROT = ["500 What", "502 No", "503 First", "504 No", "536 Not that"];

for (const refusal of NO_PROT) {
  Deno.test(`FTP.login leaves data in clear text after "${refusal}" only where tls.data says so`, async () => {
    const implicit = await startImplicit({
      ...LIST,
      PBSZ: refusal,
      PROT: refusal,
    });
    await using server = implicit.server;
    await using _front = implicit.front;
    await using careful = await connectImplicit(implicit);
    const error = await assertRejects(
      () => careful.login("u", "p"),
      FTPPermanentError,
      refusal,
    );
    assert(error.message.includes('tls: { data: "clear" }'), error.message);
    await assertRejects(() => list(careful), TypeError, "TLS was requested");

    await using ftp = await connectImplicit(implicit, {
      tls: {
        mode: "implicit",
        data: "clear",
        dangerouslyAcceptAnyCertificate: true,
      },
    });
    await ftp.login("u", "p");
    assertEquals(await list(ftp), ["one"]);
    await using clone = await ftp.clone();
    assertEquals(await list(clone), ["one"]);
    await ftp.reconnect();
    assertEquals(await list(ftp), ["one"]);
    assert(ftp.tls !== undefined);
    const { commands } = server;
    assert(commands.filter((line) => line === "PROT P").length <= 1);
  });

  Deno.test(`FTP.protC allows data in clear text after "${refusal}" to PROT`, async () => {
    const implicit = await startImplicit({
      ...LIST,
      PBSZ: refusal,
      PROT: refusal,
    });
    await using _server = implicit.server;
    await using _front = implicit.front;
    await using ftp = await connectImplicit(implicit);
    await assertRejects(() => ftp.login("u", "p"), FTPPermanentError);
    assertEquals((await ftp.protC()).text, refusal);
    assertEquals(await list(ftp), ["one"]);
  });
}

Deno.test("FTP.protC throws where the server's policy is against it", async () => {
  const implicit = await startImplicit({ ...LIST, PROT: "534 Policy" });
  await using _server = implicit.server;
  await using _front = implicit.front;
  await using ftp = await connectImplicit(implicit);
  await assertRejects(() => ftp.login("u", "p"), FTPPermanentError);
  await assertRejects(() => ftp.protC(), FTPPermanentError, "534 Policy");
  await assertRejects(() => list(ftp), TypeError, "TLS was requested");
});

Deno.test("FTP.login sends PROT P if PBSZ is unknown", async () => {
  const implicit = await startImplicit({ PBSZ: "502 No", PROT: "200 Private" });
  await using server = implicit.server;
  await using _front = implicit.front;
  await using ftp = await connectImplicit(implicit);
  await ftp.login("u", "p");
  assertEquals(server.commands.slice(-2), ["PBSZ 0", "PROT P"]);
});

Deno.test("FTP refuses other words as tls.data", () => {
  assertThrows(
    // deno-lint-ignore no-explicit-any
    () => new FTP({ tls: { data: "none" as any } }),
    TypeError,
    "tls.data",
  );
});

for (const verb of ["USER", "PASS"]) {
  for (const answer of ["314 Hello", "300 Hello", "350 Hello", "125 Hello"]) {
    Deno.test(`FTP.login takes "${answer}" to ${verb} for no question that it can answer`, async () => {
      await using server = await startScript({ [verb]: answer });
      await using ftp = await server.connect();
      await assertRejects(
        () => ftp.login("u", "hunter2"),
        FTPReplyError,
        answer,
      );
      assertEquals(server.verbs.at(-1), verb);
    });
  }
}

Deno.test("FTP.login sends the password for 336 too", async () => {
  await using server = await startScript({ USER: "336 otp-md5 97 kh19" });
  await using ftp = await server.connect();
  await ftp.login("u", "p");
  assertEquals(server.commands, ["USER u", "PASS p"]);
});

/** Replies to a login, and whether a retry may succeed. */
const REFUSED: [reply: string, isPassing: boolean][] = [
  ["530 Too many connections from this address", true],
  [
    "530 Sorry, the maximum number of clients (10) for this user are connected",
    true,
  ],
  ["530 Sorry, max 5 users -- try again later", true],
  ["530 Connection limit reached", true],
  ["530 User limit exceeded", true],
  ["530 Server is full", true],
  ["530 Login incorrect", false],
  ["530 Not logged in", false],
  ["530 Too many login attempts", false],
  ["530 Maximum login attempts exceeded", false],
  ["530 Password limit reached, invalid password", false],
  ["530 User cannot log in, home directory inaccessible", false],
];

for (const [reply, isPassing] of REFUSED) {
  const Class = isPassing ? FTPTemporaryError : FTPPermanentError;
  Deno.test(`FTP.login throws ${Class.name} for "${reply}"`, async () => {
    for (const verb of ["USER", "PASS"]) {
      await using server = await startScript({ [verb]: reply });
      await using ftp = await server.connect();
      const error = await assertRejects(() => ftp.login("u", "hunter2"), Class);
      assertEquals(error.constructor, Class);
      assertEquals(error.reply?.code, 530);
      assert(!error.message.includes("hunter2"));
    }
  });
}

Deno.test("connect sends afterLogin, and every connection that follows does", async () => {
  await using server = await startScript({
    ...LIST,
    SITE: "250 Now using naming format 1",
    CLNT: "200 Noted",
    CWD: "250 Done",
  });
  const afterLogin = ["CLNT backup", "SITE NAMEFMT 1"];
  await using ftp = await connect(`ftp://u:p@${server.host}:${server.port}/d`, {
    afterLogin,
  });
  const once = ["USER u", "PASS p", ...afterLogin, "CWD d"];
  assertEquals(server.commands, once);
  await using clone = await ftp.clone();
  assertEquals(server.commands.slice(once.length), once);
  assertEquals(await list(clone), ["one"]);
  await ftp.reconnect();
  assertEquals(server.commands.slice(-once.length), once);
});

Deno.test("connect fails where a command of afterLogin is refused", async () => {
  await using server = await startScript();
  await assertRejects(
    () =>
      connect(`ftp://u:p@${server.host}:${server.port}`, {
        afterLogin: ["SITE NAMEFMT 1"],
      }),
    FTPPermanentError,
    "SITE NAMEFMT 1",
  );
});

Deno.test("FTP refuses an afterLogin that cannot be sent", () => {
  for (const afterLogin of ["NOOP", ["NOOP\r\nDELE x"], [""], [1]]) {
    assertThrows(
      // deno-lint-ignore no-explicit-any
      () => new FTP({ afterLogin: afterLogin as any }),
      TypeError,
    );
  }
});

/** A server that ends the connection after some commands. */
async function hangingUp(verbs: readonly string[]) {
  const server = await memoryServer({ "/f": "hello", "/d/g": "there" });
  for (const verb of verbs) server.on(verb, (turn) => turn.close());
  return server;
}

Deno.test("FTP.download sends nothing again at which the server hung up", async () => {
  await using server = await hangingUp(["SIZE", "MDTM", "EPSV", "FEAT"]);
  await using ftp = await server.client();
  const path = await Deno.makeTempFile();
  try {
    const retry = { attempts: 5, delay: 1 };
    await ftp.download("/f", path, { retry });
    assertEquals(await Deno.readTextFile(path), "hello");
    const before = server.commands.length;
    await ftp.download("/d/g", path, { retry: false });
    assertEquals(await Deno.readTextFile(path), "there");
    const after = server.verbs.slice(before);
    for (const verb of ["SIZE", "MDTM", "EPSV", "FEAT"]) {
      assert(!after.includes(verb), `${after}`);
    }
    assert(
      server.sessions.length <= 7,
      `${server.sessions.length} connections`,
    );
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("FTP.upload has its attempts for other faults than commands that the server hangs up at", async () => {
  const UNKNOWN = ["FEAT", "MLST", "SIZE", "MDTM", "MFMT", "SITE", "EPSV"];
  await using server = await hangingUp(UNKNOWN);
  await using ftp = await server.client();
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "world");
    const retry = { attempts: 1, delay: 1 };
    const { verified, mtime } = await ftp.upload(path, "/f", { retry });
    assertEquals([verified, mtime], [null, null]);
    assertEquals([...server.files.keys()].sort(), ["/d/g", "/f"]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("FTP.download starts again without REST where the server hung up at it twice", async () => {
  await using server = await hangingUp(["REST"]);
  server.put("/big", "hello ".repeat(50_000));
  server.fail("RETR", { kind: "cut", after: 200_000 });
  await using ftp = await server.client();
  const path = await Deno.makeTempFile();
  try {
    const retry = { attempts: 5, delay: 1 };
    const { verified } = await ftp.download("/big", path, { retry });
    assertEquals(verified, "size");
    const rests = server.verbs.filter((verb) => verb === "REST");
    assertEquals(rests.length, 2);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("FTP.download starts again without REST where the connection was reset at it twice", async () => {
  await using server = await memoryServer({ "/big": "hello ".repeat(50_000) });
  server.fail("RETR", { kind: "cut", after: 200_000 });
  server.on("REST", (turn) => turn.reset());
  await using ftp = await server.client();
  const path = await Deno.makeTempFile();
  try {
    const retry = { attempts: 5, delay: 1 };
    const { verified } = await ftp.download("/big", path, { retry });
    assertEquals(verified, "size");
    const rests = server.verbs.filter((verb) => verb === "REST");
    assertEquals(rests.length, 2);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("FTP.list uses LIST on another connection if the server closes the connection after MLSD", async () => {
  await using server = await hangingUp(["MLSD"]);
  await using ftp = await server.client();
  for (let i = 0; i < 2; i++) {
    const entries = await Array.fromAsync(ftp.list("/d"));
    assertEquals(entries.map(({ name }) => name), ["g"]);
  }
  // the first end may be an accident
  assertEquals(server.verbs.filter((verb) => verb === "MLSD").length, 2);
  assertEquals(server.sessions.length, 3);
});

const QUERIES: [
  name: string,
  query: (ftp: FTP) => Promise<unknown>,
  expected: unknown,
][] = [
  ["features()", async (ftp) => (await ftp.features()).size, 0],
  ["exists()", (ftp) => ftp.exists("/f"), true],
  ["exists() of nothing", (ftp) => ftp.exists("/none"), false],
  ["stat()", async (ftp) => (await ftp.stat("/f")).isFile, true],
  [
    "stat() of a directory",
    async (ftp) => (await ftp.stat("/d")).isDirectory,
    true,
  ],
  ["mtime()", (ftp) => ftp.mtime("/f"), null],
  ["hash()", (ftp) => ftp.hash("/f"), null],
  [
    "setMtime()",
    (ftp) => ftp.setMtime("/f", new Date(0)).catch(({ message }) => message),
    'Cannot set the time of "/f": the server has no command for it',
  ],
  [
    "several at once",
    (ftp) =>
      Promise.all([ftp.exists("/f"), ftp.exists("/none"), ftp.exists("/d/g")]),
    [
      true,
      false,
      true,
    ],
  ],
];

for (const [name, query, expected] of QUERIES) {
  Deno.test(`FTP answers ${name} where the server hangs up at each command that it does not know`, async () => {
    const UNKNOWN = ["FEAT", "MLST", "MLSD", "SIZE", "MDTM", "MFMT", "SITE"];
    await using server = await hangingUp(UNKNOWN);
    await using ftp = await server.client();
    await ftp.cwd("/d");
    for (let i = 0; i < 2; i++) assertEquals(await query(ftp), expected);
    assertEquals(await ftp.pwd(), "/d");
    const left = [...server.files.keys()].filter((path) => /part/.test(path));
    assertEquals(left, []);
    let repeated = 0;
    for (const verb of UNKNOWN) {
      const count = server.verbs.filter((sent) => sent === verb).length;
      // commands that were sent together do not show at which it hung up
      const most = { "several at once": 9, "setMtime()": 3 }[name] ?? 2;
      assert(count <= most, `${count} ${verb}`);
      if (count === 2) repeated++;
    }
    if (!/several|setMtime/.test(name)) assert(repeated <= 1, `${repeated}`);
  });
}

Deno.test("FTP.ensureDir and FTP.remove do without PWD where the server hangs up at it", async () => {
  await using server = await hangingUp(["PWD", "MLSD", "MLST", "FEAT"]);
  await using ftp = await server.client();
  await ftp.ensureDir("/n/m");
  await ftp.remove("/d", { recursive: true });
  assertEquals([...server.files.keys()], ["/f"]);
  const made = server.commands.filter((line) => line.startsWith("MKD"));
  assertEquals(made, ["MKD /n", "MKD /n/m"]);
  assert(server.verbs.filter((verb) => verb === "PWD").length <= 2);
});

Deno.test("FTP sends what the user asks for, although the server hung up at it", async () => {
  await using server = await hangingUp(["SIZE", "DELE", "SITE"]);
  await using ftp = await server.client();
  for (let i = 0; i < 2; i++) {
    await assertRejects(() => ftp.size("f"), Deno.errors.UnexpectedEof);
    await ftp.reconnect();
    await assertRejects(() => ftp.delete("f"), Deno.errors.UnexpectedEof);
    await ftp.reconnect();
    await assertRejects(() => ftp.sendcmd("SITE X"), Deno.errors.UnexpectedEof);
    await ftp.reconnect();
  }
  for (const verb of ["SIZE", "DELE", "SITE"]) {
    assertEquals(server.verbs.filter((other) => other === verb).length, 2);
  }
});

Deno.test("FTP keeps using a command that has worked, even if a connection ended at it", async () => {
  await using server = await memoryServer({ "/f": "hello" });
  await using ftp = await server.client();
  assertEquals(await ftp.size("/f"), 5);
  server.once("SIZE", (turn) => turn.close());
  const path = await Deno.makeTempFile();
  try {
    const retry = { attempts: 2, delay: 1 };
    const { verified } = await ftp.download("/f", path, { retry });
    assertEquals(verified, "size");
  } finally {
    await Deno.remove(path);
  }
});

/** Ends of a connection at a command that the server does not know. */
const HANG_UPS = ["", "421 Closing", "500 Unknown command"];

const CALLS: Record<string, (ftp: FTP, path: string) => Promise<unknown>> = {
  async list(ftp) {
    const entries = await Array.fromAsync(ftp.list("/d"));
    assertEquals(entries.map(({ name }) => name), ["g"]);
  },
  async nlst(ftp) {
    assertEquals((await ftp.nlst("/d")).length, 1);
  },
  async retrieve(ftp) {
    assertEquals(await new Response(await ftp.retrieve("/f")).text(), "hello");
  },
  async download(ftp, path) {
    await ftp.download("/f", path, { retry: { attempts: 5, delay: 1 } });
    assertEquals(await Deno.readTextFile(path), "hello");
  },
  async upload(ftp, path) {
    await Deno.writeTextFile(path, "sent");
    await ftp.upload(path, "/f", { retry: { attempts: 5, delay: 1 } });
    assertEquals(await new Response(await ftp.retrieve("/f")).text(), "sent");
  },
  async exists(ftp) {
    assertEquals(await ftp.exists("/f"), true);
    assertEquals(await ftp.exists("/none"), false);
  },
  async mtime(ftp) {
    await ftp.mtime("/f");
  },
  async hash(ftp) {
    await ftp.hash("/f");
  },
  async ensureDir(ftp) {
    await ftp.ensureDir("/n/m");
  },
};

/** Optional commands, and the calls that send them. */
const OPTIONAL: [verb: string, ...calls: string[]][] = [
  ["FEAT", "hash"],
  ["MLSD", "list"],
  ["MLST", "exists", "hash"],
  ["SIZE", "download", "upload"],
  ["MDTM", "download", "mtime"],
  ["MFMT", "upload"],
  ["STAT", "upload"],
  ["SITE", "upload"],
  ["PWD", "ensureDir"],
  ["EPSV", "list", "nlst", "retrieve", "download", "upload"],
  ["TYPE A", "list", "nlst"],
  ["TYPE I", "retrieve", "download", "upload"],
];

for (const end of HANG_UPS) {
  const how = end === "" ? "without a reply" : `with "${end}"`;
  for (const [command, ...calls] of OPTIONAL) {
    for (const call of calls) {
      Deno.test(`FTP.${call} stops sending ${command} where the server hangs up at it ${how}`, async () => {
        const [verb = "", word] = command.split(" ");
        await using server = await memoryServer({ "/f": "hello", "/d/g": "x" });
        server.on(verb, async (turn) => {
          if (word !== undefined && turn.argument !== word) {
            return await turn.default();
          }
          if (end !== "") await turn.reply(Number(end.slice(0, 3)), "Closing");
          turn.close();
        });
        await using ftp = await server.client();
        const path = await Deno.makeTempFile();
        try {
          for (let i = 0; i < 3; i++) await CALLS[call]!(ftp, path);
        } finally {
          await Deno.remove(path);
        }
        const sent = server.commands.filter((line) => line.startsWith(command));
        // commands that were sent together do not show at which it hung up
        // the first end may be an accident, except after a 500 reply
        const most = { "": 3, "421 Closing": 2 }[end] ?? 1;
        assert(sent.length <= most, `${sent}`);
      });
    }
  }
}

Deno.test("FTP lists without TYPE and transfers no files where the server hangs up at each TYPE", async () => {
  await using server = await hangingUp(["TYPE"]);
  await using ftp = await server.client();
  const path = await Deno.makeTempFile();
  const retry = { attempts: 5, delay: 1 };
  const expected = /TYPE I.*TYPE L 8.*converts? the bytes.*ntransfercmd/;
  try {
    for (let i = 0; i < 2; i++) {
      const entries = await Array.fromAsync(ftp.list("/d"));
      assertEquals(entries.map(({ name }) => name), ["g"]);
      for (
        const transfer of [
          () => ftp.download("/f", path, { retry }),
          () => ftp.upload(path, "/u", { retry }),
          () => ftp.retrbinary("RETR /f", () => {}),
        ]
      ) {
        const error = await assertRejects(transfer, Deno.errors.NotSupported);
        assert(expected.test(error.message), error.message);
      }
    }
    const [conn] = await ftp.ntransfercmd("RETR /f");
    assertEquals(await new Response(conn.readable).text(), "hello");
    await ftp.voidresp();
  } finally {
    await Deno.remove(path);
  }
  const types = server.commands.filter((line) => line.startsWith("TYPE"));
  // the last one may be sent together with SIZE
  assert(types.length <= 5, `${types}`);
  assertEquals(new Set(types), new Set(["TYPE A", "TYPE I", "TYPE L 8"]));
  assert(!server.verbs.includes("STOR"));
});

Deno.test("FTP learns nothing from a 421 that is about time, the number of connections or the service", async () => {
  for (
    const text of [
      "421 Timeout.",
      "421 Too many users, try again later",
      "421 Service not available, closing control connection",
      "421 Server is going offline",
      "421 Kicked by Administrator",
      "421 Terminating connection",
    ]
  ) {
    await using server = await memoryServer({ "/f": "hello" });
    await using ftp = await server.client();
    server.once("MLST", async (turn) => {
      await turn.reply(421, text.slice(4));
      turn.close();
    });
    await assertRejects(() => ftp.exists("/f"), FTPTemporaryError, text);
    await ftp.reconnect();
    assertEquals(await ftp.exists("/f"), true);
    assertEquals(server.verbs.filter((verb) => verb === "MLST").length, 2);
  }
});

for (const end of ["", "421 Closing"]) {
  Deno.test(`FTP sends TYPE I again if two connections ended at it (${end || "no reply"}) and TYPE L 8 is refused`, async () => {
    for (const refusal of [501, 504]) {
      await using server = await memoryServer({ "/f": "a\r\nb" });
      let count = 0;
      server.on("TYPE", async (turn) => {
        if (turn.argument === "L 8") return await turn.reply(refusal, "No");
        if (++count > 2) return await turn.default();
        if (end !== "") await turn.reply(421, "Closing");
        turn.close();
      });
      await using ftp = await server.client();
      const path = await Deno.makeTempFile();
      try {
        const bytes = await new Response(await ftp.retrieve("/f")).text();
        assertEquals(bytes, "a\r\nb");
        const { verified } = await ftp.download("/f", path);
        assertEquals(verified, "size");
      } finally {
        await Deno.remove(path);
      }
      const types = server.commands.filter((line) => line.startsWith("TYPE"));
      assertEquals(new Set(types.slice(-2)), new Set(["TYPE L 8", "TYPE I"]));
    }
  });
}

Deno.test("FTP transfers no files where the server hangs up at each TYPE I and refuses TYPE L 8", async () => {
  await using server = await memoryServer({ "/f": "hello" });
  server.on("TYPE", async (turn) => {
    if (turn.argument === "L 8") return await turn.reply(504, "No");
    turn.close();
  });
  await using ftp = await server.client();
  const path = await Deno.makeTempFile();
  const options = { retry: { attempts: 5, delay: 1 } };
  try {
    for (let i = 0; i < 2; i++) {
      await assertRejects(
        () => ftp.download("/f", path, options),
        Deno.errors.NotSupported,
        "TYPE L 8",
      );
    }
  } finally {
    await Deno.remove(path);
  }
  const types = server.commands.filter((line) => line.startsWith("TYPE"));
  assert(types.length <= 5, `${types}`);
});

Deno.test("FTP.ensureDir accepts an existing directory where the server hangs up at PWD", async () => {
  await using server = await hangingUp(["PWD"]);
  await using ftp = await server.client();
  for (let i = 0; i < 2; i++) await ftp.ensureDir("/d");
});

for (const end of HANG_UPS) {
  Deno.test(`FTP.download verifies by the next hash, or the size, where the server ends the connection at one (${end || "no reply"})`, async () => {
    await using server = await memoryServer({ "/f": "hello" });
    server.on("FEAT", "211-Features\n HASH SHA-256*\n XMD5\n211 End");
    for (const verb of ["HASH", "XMD5"]) {
      server.on(verb, async (turn) => {
        if (end !== "") await turn.reply(Number(end.slice(0, 3)), "Closing");
        turn.close();
      });
    }
    await using ftp = await server.client();
    const path = await Deno.makeTempFile();
    try {
      const options = { verify: "hash", retry: { delay: 1 } } as const;
      for (let i = 0; i < 3; i++) {
        const { verified } = await ftp.download("/f", path, options);
        assertEquals(verified, "size");
      }
    } finally {
      await Deno.remove(path);
    }
    const hashes = server.verbs.filter((verb) => /^(HASH|XMD5)$/.test(verb));
    // the first end may be an accident, except after a 500 reply
    const first = end.startsWith("500") ? ["HASH"] : ["HASH", "HASH"];
    assertEquals(hashes, [...first, "XMD5"]);
  });
}

/** A store of profiles in memory. */
function memoryStore() {
  const saved = new Map<string, LearnedProfile>();
  return {
    saved,
    load: (server: string) => saved.get(server),
    save: (server: string, learned: LearnedProfile) =>
      void saved.set(server, learned),
  };
}

for (const end of ["", "421 Closing"]) {
  for (const [command, ...calls] of OPTIONAL) {
    // PASV does the same, and only an old file needs SITE
    if (command === "EPSV" || command === "SITE") continue;
    for (const call of calls) {
      Deno.test(`FTP.${call} keeps using ${command} after one connection ended at it (${end || "no reply"})`, async () => {
        const [verb = "", word] = command.split(" ");
        await using server = await memoryServer({ "/f": "hello", "/d/g": "x" });
        let isFirst = true;
        server.on(verb, async (turn) => {
          const isIt = word === undefined || turn.argument === word;
          if (!isIt || !isFirst) return await turn.default();
          isFirst = false;
          if (end !== "") await turn.reply(421, "Closing");
          turn.close();
        });
        const profile = memoryStore();
        const path = await Deno.makeTempFile();
        try {
          await using ftp = await server.client({ profile });
          for (let i = 0; i < 2; i++) await CALLS[call]!(ftp, path);
        } finally {
          await Deno.remove(path);
        }
        const sent = server.commands.filter((line) => line.startsWith(command));
        assert(sent.length >= 2, `${server.commands}`);
        for (const { mlsd } of profile.saved.values()) {
          assertEquals(mlsd, undefined);
        }
      });
    }
  }
}

Deno.test("FTP does not learn that commands are missing where all connections end at once", async () => {
  await using server = await memoryServer({ "/f": "hello" });
  await using ftp = await server.client();
  await using other = await ftp.clone();
  let waiting: (() => void)[] = [];
  server.on("MLST", async (turn) => {
    if (server.verbs.filter((verb) => verb === "MLST").length > 2) {
      return await turn.default();
    }
    waiting.push(() => turn.close());
    if (waiting.length < 2) return;
    for (const close of waiting) close();
    waiting = [];
  });
  assertEquals(
    await Promise.all([ftp.exists("/f"), other.exists("/f")]),
    [true, true],
  );
  const count = server.verbs.filter((verb) => verb === "MLST").length;
  assertEquals(count, 4);
});
