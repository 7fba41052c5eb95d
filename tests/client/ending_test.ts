import { assertEquals } from "@std/assert";
import type { FTPOptions } from "../../mod.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";
import { certificates } from "../testing/servers/certificates.ts";
import { startTLSServer } from "../testing/echo_server.ts";

const PROGRAM = new URL("ending_program.ts", import.meta.url);

/** Longest wait for a program that does not end, in milliseconds. */
const MAX_WAIT = 120_000;

/** A longer time-out, so that a wait for it is detected. */
const TIMEOUT = 2 ** 31 - 1;

/** Time enough for a login over TLS in a program that has just begun. */
const SHORT_TIMEOUT = 3000;

/** Runs ending_program.ts; returns its output when it has ended by itself. */
async function runProgram(
  url: string,
  options: FTPOptions,
  verb: string,
): Promise<string> {
  const { stdout, stderr, signal } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--no-check",
      PROGRAM.pathname,
      url,
      JSON.stringify(options),
      verb,
    ],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(MAX_WAIT),
  }).output();
  if (signal !== null) return `ended by ${signal}`;
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

/** The last call of a program, and its error if the server is silent. */
const LAST: [verb: string, timeout: number, said: string][] = [
  ["NOOP", TIMEOUT, "Done\n"],
  ["LIST", TIMEOUT, "Done\n"],
  [
    "SITE",
    SHORT_TIMEOUT,
    `TimedOut: Cannot complete "SITE": no reply within ${SHORT_TIMEOUT} ms; the connection is closed\n`,
  ],
];

for (const [verb, timeout, said] of LAST) {
  Deno.test(`FTP lets a program end after its last call, ${verb}, and not before`, async () => {
    await using server = await ScriptedServer.start({ files: { "/a": "x" } });
    server.on("SITE", (turn) => turn.stall());
    const url = `ftp://${server.host}:${server.port}`;
    assertEquals(await runProgram(url, { timeout }, verb), said);
  });
}

/**
 * Replies of a server without transfers; it does not answer the other commands.
 */
const REPLIES: Record<string, string> = {
  USER: "331 And",
  PASS: "230 In",
  PBSZ: "200 Yes",
  PROT: "200 Yes",
  PWD: '257 "/"',
  NOOP: "200 Yes",
};

for (const [verb, timeout, said] of LAST) {
  if (verb === "LIST") continue;
  Deno.test(`FTP lets a program end after its last call, ${verb}, under TLS, and not before`, async () => {
    const { authority, good } = await certificates();
    const pem = {
      cert: await Deno.readTextFile(good.certificate),
      key: await Deno.readTextFile(good.key),
    };
    const caCerts = [await Deno.readTextFile(authority.certificate)];
    await using server = await startTLSServer(pem, (socket) => {
      socket.write("220 Ready\r\n");
      socket.on("data", (data: Uint8Array) => {
        const [line] = new TextDecoder().decode(data).split("\r\n", 1);
        const reply = REPLIES[line!.split(" ", 1)[0]!];
        if (reply !== undefined) socket.write(`${reply}\r\n`);
      });
    });
    const url = `ftps://127.0.0.1:${server.port}`;
    const options: FTPOptions = {
      timeout,
      tls: { mode: "implicit", caCerts, serverName: "localhost" },
    };
    assertEquals(await runProgram(url, options, verb), said);
  });
}
