/**
 * `deno task test`: runs `deno test` with the arguments given, and says briefly what came of it. The last
 * lines tell what was left out, and what to do to have it.
 *
 *     deno task test                       all tests
 *     deno task test tests/tls             those of a folder or a file
 *     deno task test --filter walk         those whose name says so
 *     deno task test --reporter=pretty     with Deno's own report of every test
 *     deno task test:unit                  those that need no real server
 *     deno task test:servers               the files whose tests are against real servers
 *
 * @module
 */

import { TextLineStream } from "@std/streams";
import { fileURLToPath } from "node:url";
import { SERVERS } from "./testing/servers/mod.ts";
import { PROXIES } from "./testing/servers/proxies.ts";
import { HAS_IPV6 } from "./testing/servers/loopback.ts";
import { TerseLog } from "./terse_log.ts";
import { explainIgnored } from "./ignored.ts";

/** What only tests against real servers name. */
const NEEDS_SERVERS = /\b(?:serverTest|isIgnored)\b/;

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** The test files that have tests against real servers, as paths from the root. */
function* serverTestFiles(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${ROOT}${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* serverTestFiles(path);
    else if (name.endsWith("_test.ts")) {
      const text = Deno.readTextFileSync(`${ROOT}${path}`);
      if (NEEDS_SERVERS.test(text)) yield path;
    }
  }
}

/** Runs `deno test`; gives its exit status. */
async function run(args: readonly string[]): Promise<number> {
  const hasReporter = args.some((arg) => arg.startsWith("--reporter"));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--quiet", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const log = new TerseLog(hasReporter ? () => {} : print);
  const lines = child.stdout
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    if (hasReporter) print(line);
    log.push(line);
  }
  log.end();
  const { code } = await child.status;
  const ignored = log.total?.ignored ?? 0;
  if (ignored > 0) {
    const kinds = [...SERVERS, ...PROXIES];
    print(explainIgnored(ignored, {
      isWanted: Deno.env.get("FTP_SERVERS") !== "none",
      missing: kinds.flatMap((kind) => {
        const reason = kind.missing();
        return reason === undefined ? [] : [{ name: kind.name, reason }];
      }),
      count: kinds.length,
      hasIPv6: HAS_IPV6,
    }));
  }
  return code;
}

function print(line: string): void {
  console.log(line);
}

const [first, ...rest] = Deno.args;
const args = first === "--servers-only"
  ? [...[...serverTestFiles("tests")].sort(), ...rest]
  : Deno.args;
Deno.exit(await run(args));
