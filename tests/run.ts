/**
 * `deno task test`: runs `deno test` with the arguments given, and says briefly what came of it. The last
 * lines tell what was left out, and what to do to have it.
 *
 * Several files are shared out between processes that run at the same time, without a check of their types,
 * which `deno task lint` does. With other options than `--junit-path`, and for one file, there is one process.
 *
 *     deno task test                       all tests
 *     deno task test tests/tls             those of a folder or a file
 *     deno task test --filter walk         those whose name says so
 *     deno task test --reporter=pretty     with Deno's own report of every test
 *     deno task test:unit                  those that need neither a real server nor much time
 *     deno task test:servers               the files whose tests are against real servers
 *     FTP_TEST_PROCESSES=1 deno task test  with so many processes; usual is three for each core
 *     FTP_TEST_SCALE=10 deno task test     with ten times as many repetitions, where a test has some
 *
 * @module
 */

import { TextLineStream } from "@std/streams";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chooseCount } from "./testing/random.ts";
import { SERVERS } from "./testing/servers/mod.ts";
import { PROXIES } from "./testing/servers/proxies.ts";
import { HAS_IPV6 } from "./testing/servers/loopback.ts";
import { TerseLog } from "./terse_log.ts";
import { explainIgnored } from "./ignored.ts";
import { JointLog } from "./joint_log.ts";
import { MemoryFolder } from "./memory_folder.ts";
import { joinJUnit } from "./join_junit.ts";
import { planShards, type Shard, THOROUGH } from "./shards.ts";

/** Names that only tests against real servers use. */
const NEEDS_SERVERS = /\b(?:serverTest|isIgnored)\b/;

const CORES = navigator.hardwareConcurrency;

/**
 * Number of processes that run at the same time: most tests wait most of the
 * time.
 */
const PROCESSES = chooseCount(3 * CORES, "FTP_TEST_PROCESSES");

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** The place of the tests' temporary files, if the machine has one in memory. */
const memory = MemoryFolder.make();

/** Options of a run whose files can be distributed. */
interface Request {
  readonly files: readonly string[];
  readonly junitPath: string | undefined;
}

/** Returns the test files in a folder, as paths from the root. */
function* testFiles(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${ROOT}${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* testFiles(path);
    else if (name.endsWith("_test.ts")) yield path;
  }
}

function needsServers(file: string): boolean {
  return NEEDS_SERVERS.test(Deno.readTextFileSync(`${ROOT}${file}`));
}

/**
 * Reads the arguments; returns `undefined` if only `deno test` can read them.
 */
function readRequest(args: readonly string[]): Request | undefined {
  const paths: string[] = [];
  let junitPath: string | undefined;
  for (const arg of args) {
    if (arg.startsWith("--junit-path=")) junitPath = arg.slice(13);
    else if (arg.startsWith("-")) return undefined;
    else paths.push(arg.replaceAll("\\", "/").replace(/^\.\/|\/+$/g, ""));
  }
  try {
    const files = (paths.length === 0 ? ["tests"] : paths).flatMap((path) =>
      Deno.statSync(`${ROOT}${path}`).isDirectory ? [...testFiles(path)] : path
    );
    return new Set(files).size > 1
      ? { files: [...new Set(files)], junitPath }
      : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Starts `deno test`. */
function start(args: readonly string[]): {
  lines: ReadableStream<string>;
  status: () => Promise<number>;
} {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--quiet", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...memory !== undefined && { TMPDIR: memory.path } },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  return {
    lines: child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()),
    status: async () => (await child.status).code,
  };
}

/** Runs one `deno test`; returns its exit status. */
async function runOne(args: readonly string[]): Promise<number> {
  const hasReporter = args.some((arg) => arg.startsWith("--reporter"));
  const { lines, status } = start(args);
  const log = new TerseLog(hasReporter ? () => {} : print);
  for await (const line of lines) {
    if (hasReporter) print(line);
    log.push(line);
  }
  log.end();
  printIgnored(log.total?.ignored ?? 0);
  return await status();
}

/** Runs test files in several processes; returns the exit status. */
async function runShards({ files, junitPath }: Request): Promise<number> {
  const shards = planShards(files, {
    isUnit: Deno.env.get("FTP_SERVERS") === "none",
    servers: SERVERS.map(({ name }) => name),
  });
  const log = new JointLog(print, shards);
  const folder = await Deno.makeTempDir({
    ...memory !== undefined && { dir: memory.path },
    prefix: "ftp_shards_",
  });
  const reports: string[] = [];
  try {
    const runShard = async (shard: Shard) => {
      const number = shards.indexOf(shard);
      const report = `${folder}/${number}.xml`;
      const entry = `${folder}/shard_${number}_test.ts`;
      await Deno.writeTextFile(entry, importAll(shard));
      const { lines, status } = start([
        "--no-check",
        `--config=${ROOT}deno.json`,
        ...(shard.filter === undefined ? [] : [`--filter=${shard.filter}`]),
        ...(junitPath === undefined ? [] : [`--junit-path=${report}`]),
        entry,
      ]);
      await log.add(shard, lines, status);
      reports.push(report);
    };
    const isLast = ({ isLast = false }: Shard) => isLast;
    const others = shards.filter((shard) => !isLast(shard));
    await runAll(others, runShard, PROCESSES);
    await runAll(shards.filter(isLast), runShard, CORES);
    if (junitPath !== undefined) {
      await Deno.writeTextFile(junitPath, await joinJUnit(reports));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  log.end();
  printIgnored(log.total.ignored);
  return log.total.failed > 0 ? 1 : 0;
}

/**
 * Runs shards, several at once. Parts of files use much processor time, so only
 * half as many of them run at once.
 */
async function runAll(
  shards: readonly Shard[],
  run: (shard: Shard) => Promise<void>,
  count: number,
): Promise<void> {
  const waiting = [...shards];
  let parts = 0;
  const isPart = ({ filter }: Shard) => filter !== undefined;
  const runShards = async () => {
    for (;;) {
      const index = waiting.findIndex((shard) =>
        !isPart(shard) || parts < count / 2
      );
      const [shard] = waiting.splice(index === -1 ? 0 : index, 1);
      if (shard === undefined) return;
      if (isPart(shard)) parts++;
      await run(shard);
      if (isPart(shard)) parts--;
    }
  };
  await Promise.all(Array.from({ length: count }, runShards));
}

/**
 * Returns a module with the tests of all files of a shard, so that shared
 * imports are loaded once.
 */
function importAll({ files }: Shard): string {
  return files.map((file) =>
    `import ${JSON.stringify(pathToFileURL(`${ROOT}${file}`))};\n`
  ).join("");
}

/** Says why tests were ignored, if any were. */
function printIgnored(ignored: number): void {
  if (ignored === 0) return;
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

function print(line: string): void {
  console.log(line);
}

/** Says which files were left out. */
function printLeftOut(files: readonly string[]): void {
  const count = files.filter((file) => THOROUGH.has(file)).length;
  print(
    `${count} files left out: they take seconds each; deno task test runs them`,
  );
}

/** Whether a file has tests without a real server that take little time. */
function hasQuickTests(file: string): boolean {
  if (THOROUGH.has(file)) return false;
  const text = Deno.readTextFileSync(`${ROOT}${file}`);
  return !NEEDS_SERVERS.test(text) || /\bDeno\.test\(/.test(text);
}

if (memory !== undefined) {
  globalThis.addEventListener("unload", () => memory[Symbol.dispose]());
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => Deno.exit(1));
  }
}
const [first, ...rest] = Deno.args;
const isUnit = first === "--unit";
const all = [...testFiles("tests")].sort();
const args = first === "--servers-only"
  ? [...all.filter(needsServers), ...rest]
  : isUnit
  ? [...all.filter(hasQuickTests), ...rest]
  : Deno.args;
const request = readRequest(args);
const status = request === undefined
  ? await runOne(args)
  : await runShards(request);
if (isUnit) printLeftOut(all);
Deno.exit(status);
