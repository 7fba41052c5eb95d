/** Sessions that are recorded and played. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  connect,
  type FTP,
  FTPError,
  type FTPOptions,
  FTPPermanentError,
} from "../../mod.ts";
import {
  record,
  replay,
  type SessionRecording,
  TestServer,
} from "../../testing.ts";
import { certificates } from "./servers/certificates.ts";
import { serverTest } from "./servers/mod.ts";

const CONTENT = "1,2,3\n".repeat(1000);

/** A program; returns what it received. */
type Program = (ftp: FTP) => Promise<unknown>;

const PROGRAMS: Record<string, Program> = {
  "a download and a refusal": async (ftp) => {
    const text = await new Response(await ftp.retrieve("report.csv")).text();
    const error = await assertRejects(() => ftp.cwd("nothing"), FTPError);
    return [text, error.message];
  },
  "commands sent together": async (ftp) => {
    const commands = ["SIZE report.csv", "SIZE nothing", "NOOP", "PWD"];
    const replies = await Array.fromAsync(ftp.pipeline(commands));
    return replies.map((reply) =>
      reply instanceof FTPError ? reply.message : reply.text
    );
  },
  "an upload": async (ftp) => {
    await ftp.store("new.txt", new TextEncoder().encode("content"));
    return [await ftp.pwd(), (await ftp.features()).size];
  },
  "a part of a file": async (ftp) => {
    const stream = await ftp.retrieve("report.csv", { offset: 5000 });
    return await new Response(stream).text();
  },
  "several lines": async (ftp) => (await ftp.sendcmd("FEAT")).lines,
};

const DATA = { "RETR report.csv": CONTENT };

for (const [name, program] of Object.entries(PROGRAMS)) {
  Deno.test(`replay answers as the recorded server did: ${name}`, async () => {
    await using server = await TestServer.start({
      files: { "/report.csv": CONTENT },
      users: { ann: "very secret" },
    });
    const recorder = record();
    const expected = await run(server.url, program, recorder.trace);
    const text = JSON.stringify(recorder);
    assert(!text.includes("very secret"), text);
    await using played = await replay(JSON.parse(text), { data: DATA });
    assertEquals(await run(played.url, program), expected);
    assertEquals(played.verbs, server.verbs);
  });
}

async function run(
  url: string,
  program: Program,
  trace?: FTPOptions["trace"],
): Promise<unknown> {
  await using ftp = await connect(url, { trace, timeout: 20_000 });
  return await program(ftp);
}

serverTest("replay answers as a real server did", async (server) => {
  await server.write("report.csv", CONTENT);
  const { host, port, user, password } = server;
  const recorder = record();
  const program: Program = async (ftp) => {
    const text = await new Response(await ftp.retrieve("report.csv")).text();
    const error = await assertRejects(() => ftp.cwd("nothing"), FTPError);
    return [
      text,
      error.reply?.text,
      await ftp.size("report.csv"),
      String(await ftp.mtime("report.csv")),
    ];
  };
  let expected;
  {
    await using ftp = await connect(`ftp://${host}:${port}`, {
      user,
      password,
      trace: recorder.trace,
    });
    expected = await program(ftp);
  }
  await using played = await replay(recorder.toJSON(), { data: DATA });
  await using ftp = await connect(played.url, { user, password: "other" });
  assertEquals(await program(ftp), expected);
});

Deno.test("replay has TLS of its own where the recorded server had TLS", async () => {
  const { authority, good } = await certificates();
  const tls = {
    cert: await Deno.readTextFile(good.certificate),
    key: await Deno.readTextFile(good.key),
  };
  const caCerts = [await Deno.readTextFile(authority.certificate)];
  await using server = await TestServer.start({ files: { "/a": "abc" }, tls });
  const recorder = record();
  const program = async (url: string, trace?: FTPOptions["trace"]) => {
    await using ftp = await connect(url, {
      tls: { caCerts, serverName: "localhost" },
      trace,
    });
    assertEquals(ftp.tls?.protocol, "TLSv1.2");
    return await new Response(await ftp.retrieve("a")).text();
  };
  assertEquals(await program(server.url, recorder.trace), "abc");
  await using played = await replay(recorder.toJSON(), {
    tls,
    data: { "RETR a": "abc" },
  });
  assertEquals(await program(played.url), "abc");
  assertEquals(played.verbs, server.verbs);
});

Deno.test("replay closes the connection where the recorded server did, and goes on with the next one", async () => {
  await using server = await TestServer.start({ files: { "/a": "abc" } });
  server.fail("SIZE", { kind: "cut" });
  const recorder = record();
  const program: Program = async (ftp) => {
    const error = await ftp.size("a").catch((error) => error);
    await ftp.reconnect();
    return [error.name, await ftp.size("a")];
  };
  const expected = await run(server.url, program, recorder.trace);
  await using played = await replay(recorder.toJSON());
  assertEquals(await run(played.url, program), expected);
  assertEquals(played.sessions.length, 2);
});

Deno.test("replay gives no reply where the recorded server gave none", async () => {
  await using server = await TestServer.start({ files: { "/a": "abc" } });
  server.on("EPSV", () => {});
  const recorder = record();
  const program: Program = async (ftp) =>
    await new Response(await ftp.retrieve("a")).text();
  assertEquals(await run(server.url, program, recorder.trace), "abc");
  await using played = await replay(recorder.toJSON(), {
    data: { "RETR a": "abc" },
  });
  assertEquals(await run(played.url, program), "abc");
  assertEquals(played.verbs, server.verbs);
});

Deno.test("replay sends zeros for data that it was not given", async () => {
  await using server = await TestServer.start({});
  server.on("RETR", async (turn) => {
    await turn.reply(150, "Opening (7 bytes)");
    const data = await turn.openData();
    await data.write("content");
    data.close();
    await data.closed;
    await turn.reply(226, "Done");
  });
  const recorder = record();
  const program: Program = async (ftp) =>
    (await new Response(await ftp.retrieve("a")).bytes()).length;
  assertEquals(await run(server.url, program, recorder.trace), 7);
  await using played = await replay(recorder.toJSON());
  assertEquals(await run(played.url, program), 7);
});

Deno.test("replay refuses what was not recorded", async () => {
  await using server = await TestServer.start({});
  const recorder = record();
  await run(server.url, (ftp) => ftp.pwd(), recorder.trace);
  await using played = await replay(recorder.toJSON());
  {
    await using ftp = await connect(played.url);
    await assertRejects(
      () => ftp.sendcmd("SYST"),
      FTPPermanentError,
      "500 The recording has no further command like this",
    );
  }
  await assertRejects(() => connect(played.url), FTPError, "421");
});

Deno.test("replay rejects what is no recording", async () => {
  const others = [
    undefined,
    null,
    {},
    [],
    { version: 2, events: [] },
    { version: 1 },
    { version: 1, events: [{}] },
    { version: 1, events: [null] },
    { version: 1, events: [{ direction: "sent", text: 7 }] },
  ];
  for (const recording of others) {
    await assertRejects(
      () => replay(recording as never),
      TypeError,
      "Cannot replay",
    );
  }
});

Deno.test("record keeps no more than maxEvents, and tells another listener of all", async () => {
  await using server = await TestServer.start({});
  const seen: string[] = [];
  const recorder = record({
    maxEvents: 3,
    trace: ({ text }) => seen.push(text),
  });
  await run(server.url, (ftp) => ftp.pwd(), recorder.trace);
  assertEquals(recorder.toJSON().events.length, 3);
  assert(seen.length > 3);
  for (const maxEvents of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => record({ maxEvents }), RangeError, "maxEvents");
  }
});

/** A recording of these commands and replies, after a login. */
function recordingOf(...lines: string[]): SessionRecording {
  const login = ["220 Hi", "USER me", "331 Yes", "PASS ****", "230 In"];
  return {
    version: 1,
    events: [...login, ...lines].map((text) => ({
      time: 0,
      direction: /^\d/.test(text) ? "received" : "sent",
      text,
    })),
  };
}

Deno.test("replay says that it needs TLS where the recorded server had it", async () => {
  const recording = recordingOf("AUTH TLS", "234 Go", "NOOP", "200 Done");
  await using server = await replay(recording);
  await using ftp = await connect(server.url);
  await assertRejects(
    () => ftp.sendcmd("AUTH TLS"),
    FTPPermanentError,
    "give replay() a tls",
  );
  assertEquals((await ftp.sendcmd("NOOP")).code, 200);
});

Deno.test("replay bears a recording in which a command without a port got 150", async () => {
  const recording = recordingOf("SITE X", "150 Wait", "200 Done");
  await using server = await replay(recording);
  await using ftp = await connect(server.url);
  const reply = await ftp.sendcmd("SITE X");
  assertEquals(reply.code, 150);
  assertEquals((await ftp.voidresp()).code, 200);
});
