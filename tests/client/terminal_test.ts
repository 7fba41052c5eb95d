/** Names and texts of a server that would control a terminal. */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  connect,
  FTPMirrorError,
  progressBar,
  Reply,
  type TraceEvent,
} from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";

/**
 * Clears the screen, by ESC and by C1, and reverses the direction of the text.
 */
const EVIL = "a\x1b[2J\x9b2J\x7f\u202etxt\u2066\u200b.bin";

const DANGER_REGEXP =
  // deno-lint-ignore no-control-regex
  /[\x00-\x09\x0B-\x1F\x7F-\x9F\u200B\u202A-\u202E\u2066-\u2069]/;

function assertHarmless(shown: string): void {
  assert(!DANGER_REGEXP.test(shown), JSON.stringify(shown));
}

/** Checks an error as people see it: alone, in a log, with its causes. */
function assertHarmlessError(error: unknown): void {
  assertInstanceOf(error, Error);
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    assertHarmless(e.message);
    assertHarmless(String(e));
    assertHarmless(String(e.stack));
  }
  assertHarmless(Deno.inspect(error, { depth: 9 }));
}

async function evilServer(): Promise<ScriptedServer> {
  return await ScriptedServer.start({
    files: { [`/d/${EVIL}`]: "hello", "/d/fine": "x" },
  });
}

Deno.test("FTP shows no name that drives a terminal in errors, entries, replies and traces", async () => {
  await using server = await evilServer();
  const trace: TraceEvent[] = [];
  await using ftp = await connect(server.host, {
    port: server.port,
    trace: (event) => trace.push(event),
  });
  server.on("SITE", `500 No ${EVIL.replaceAll("\n", "")}`);
  server.on("DELE", (turn) => turn.reply(550, `${turn.argument}: no`));
  server.on("MKD", (turn) => turn.reply(550, `${turn.argument}: no`));
  server.on("RMD", (turn) => turn.reply(550, `${turn.argument}: no`));
  const path = `/none/${EVIL}`;
  const calls: (() => Promise<unknown>)[] = [
    () => ftp.sendcmd("SITE x"),
    () => ftp.stat(path),
    () => ftp.retrieve(path),
    () => ftp.size(path),
    () => ftp.remove(path),
    () => ftp.delete(path),
    () => ftp.download(path, "/nowhere/x"),
    () => ftp.ensureDir(`/d/${EVIL}/x`),
  ];
  for (const call of calls) {
    const error = await Promise.resolve().then(call).catch((error) => error);
    assertHarmlessError(error);
  }
  const [entry] = await Array.fromAsync(ftp.list("/d"));
  assertEquals(entry!.name, EVIL); // programs get it unchanged
  assertHarmless(Deno.inspect(entry));
  assertHarmless(Deno.inspect(Reply.from(`200 ${EVIL.replace("\n", "")}`)));
  for (const event of trace) assertHarmless(event.text);
  assert(trace.length > 10);
});

Deno.test("FTP.download names a local path of the server's choice without what drives a terminal", async () => {
  await using server = await evilServer();
  using folder = new LocalFolder();
  await using ftp = await connect(server.host, { port: server.port });
  Deno.mkdirSync(folder.at(EVIL));
  const calls: (() => Promise<unknown>)[] = [
    () => ftp.download(`/d/${EVIL}`, folder.at(EVIL)),
    () => ftp.download(`/d/${EVIL}`, folder.at(`${EVIL}/x/y`)),
    () => ftp.download(`/d/${EVIL}`, folder.at(`${EVIL}/`)),
    () => ftp.upload(folder.at(EVIL), "x"),
    () => ftp.upload(folder.at(`${EVIL}/x`), "x"),
    () => ftp.uploadDir(folder.at(`${EVIL}/x`), "x"),
  ];
  for (const call of calls) {
    assertHarmlessError(await call().catch((error) => error));
  }
});

Deno.test("FTPMirrorError shows failures harmlessly, and keeps their paths", async () => {
  await using server = await evilServer();
  using folder = new LocalFolder();
  await using ftp = await connect(server.host, { port: server.port });
  // a directory is in the way
  Deno.mkdirSync(folder.at(`t/${EVIL}/sub`), { recursive: true });
  const error = await ftp.downloadDir("/d", folder.at("t"), { retry: false })
    .catch((error) => error);
  assertInstanceOf(error, FTPMirrorError);
  assertEquals(error.failures[0]!.path, EVIL);
  assertHarmlessError(error);
  for (const failure of error.failures) assertHarmlessError(failure.error);
  assertHarmless(Deno.inspect(error.failures, { depth: 9 }));
  assertHarmless(Deno.inspect(error.failures[0]));
});

Deno.test("progressBar shows a label on one line, and nothing that drives a terminal", () => {
  let shown = "";
  const bar = progressBar({
    label: `${EVIL}\nx`,
    isTerminal: true,
    columns: 80,
    write: (text) => shown += text,
  });
  bar(
    {
      transferred: 1,
      total: 2,
      rate: 1,
      average: 1,
      eta: 1,
      done: false,
    } as unknown as Parameters<typeof bar>[0],
  );
  assertHarmless(shown.replace("\r", "").replace("\x1b[K", ""));
  assert(!shown.includes("\n"));
});

/** Output of a program that does not handle this. */
async function run(code: string, ...args: string[]): Promise<string> {
  const mod = new URL("../../mod.ts", import.meta.url).href;
  const source =
    `import { connect } from "${mod}"; const [host, port, folder] = Deno.args; ${code}`;
  using folder = new LocalFolder();
  Deno.writeTextFileSync(folder.at("program.ts"), source);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const output = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--no-lock",
      `--config=${config}`,
      folder.at("program.ts"),
      ...args,
    ],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(output.stdout) + decoder.decode(output.stderr);
}

/** Programs, and a word that shows how far they came. */
const PROGRAMS: [name: string, code: string, word: string][] = [
  [
    "an uncaught refusal",
    `const ftp = await connect(host, { port: Number(port) }); const [e] = await Array.fromAsync(ftp.list("/d")); await ftp.cwd("/none/" + e.name);`,
    "Uncaught",
  ],
  [
    "an uncaught failure of a download, with its causes",
    `const ftp = await connect(host, { port: Number(port) }); const [e] = await Array.fromAsync(ftp.list("/d")); await ftp.download("/d/" + e.name, folder + "/" + e.name + "/x");`,
    "Uncaught",
  ],
  [
    "an uncaught failure of a mirror, with its causes",
    `const ftp = await connect(host, { port: Number(port) }); await ftp.downloadDir("/d", folder + "/t", { retry: false });`,
    "Uncaught",
  ],
  [
    "retrlines and dir without a callback",
    `const ftp = await connect(host, { port: Number(port) }); await ftp.retrlines("NLST /d"); await ftp.dir("/d"); ftp.close();`,
    "fine",
  ],
  [
    "setDebuglevel",
    `const ftp = await connect(host, { port: Number(port) }); ftp.setDebuglevel(2); await ftp.sendcmd("SITE x").catch(() => {}); ftp.close();`,
    "SITE x",
  ],
];

for (const [name, code, word] of PROGRAMS) {
  Deno.test(`FTP prints nothing that drives a terminal: ${name}`, async () => {
    await using server = await evilServer();
    server.on("SITE", `500 No ${EVIL}`);
    using folder = new LocalFolder();
    Deno.mkdirSync(folder.at(`t/${EVIL}/sub`), { recursive: true });
    const shown = await run(code, server.host, `${server.port}`, folder.path);
    assert(shown.includes(word), shown);
    assertHarmless(shown);
  });
}
