/**
 * `deno run -A tests/bench/listing_calls.ts [MOD...]`: what an entry costs a
 * program, from the bytes on the wire to its name, kind, size and time. Measures
 * `list()` and `mlsd()` of each module given (default: this one), CPython's
 * `ftplib.FTP.mlsd()` and basic-ftp's parser alone. Each measurement is a
 * process of its own, the order changes from round to round, and the times are
 * processor time, which a busy machine does not lengthen much.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import { makeMlsd, makeShortMlsd, makeUnix } from "./listing_data.ts";
import { readWithBasicFtp } from "./listing_peers.ts";

const LINES = 100_000;
const ROUNDS = 3;
/** Listings that one process reads; the fastest counts. */
const REPEATS = 6;

const HERE = new URL(".", import.meta.url);

/** Reads a listing once. Returns a sum, so that nothing can be left out. */
type Read = () => Promise<number>;

async function measure(read: Read): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < REPEATS; round++) {
    const { user, system } = cpuUsage();
    await read();
    const used = cpuUsage();
    best = Math.min(best, used.user - user + used.system - system);
  }
  return best / LINES;
}

async function run(what: string, module: string, port: number) {
  if (what.startsWith("basic-ftp")) {
    const makers = { mlsd: makeMlsd, short: makeShortMlsd, unix: makeUnix };
    const kind = what.split(" ")[1] as keyof typeof makers;
    const bytes = new TextEncoder().encode(makers[kind](LINES));
    return await measure(() => Promise.resolve(readWithBasicFtp(bytes).sum));
  }
  const { FTP } = await import(module);
  await using ftp = new FTP();
  await ftp.connect("127.0.0.1", port);
  await ftp.login();
  return await measure(async () => {
    let sum = 0;
    let count = 0;
    if (what.startsWith("list")) {
      for await (const entry of ftp.list()) {
        sum += entry.name.length + entry.kind.length + (entry.size ?? 0) +
          (entry.mtime?.getTime() ?? 0);
        count++;
      }
    } else {
      for await (const [name, facts] of ftp.mlsd()) {
        sum += name.length + facts.type.length + Number(facts.size ?? 0) +
          Number(facts.modify);
        count++;
      }
    }
    if (count !== LINES) throw new Error(`${count} entries`);
    return sum;
  });
}

const FTPLIB = `
import ftplib, sys, time
ftp = ftplib.FTP()
ftp.connect("127.0.0.1", int(sys.argv[1]))
ftp.login()
best = None
for _ in range(${REPEATS}):
    start = time.process_time()
    count = total = 0
    for name, facts in ftp.mlsd():
        count += 1
        total += len(name) + len(facts["type"]) + int(facts.get("size", 0)) + int(facts["modify"])
    took = time.process_time() - start
    assert count == ${LINES}
    best = took if best is None else min(best, took)
ftp.quit()
print(best / ${LINES} * 1e6)
`;

async function output(command: string, args: string[]): Promise<number> {
  const { stdout, success } = await new Deno.Command(command, {
    args,
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot run ${args.join(" ")}`);
  return Number(new TextDecoder().decode(stdout));
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

async function compare(kind: string, modules: string[]): Promise<void> {
  const server = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-lock",
      `${HERE}listing_server.ts`,
      kind,
      `${LINES}`,
    ],
    stdout: "piped",
  }).spawn();
  const reader = server.stdout.getReader();
  const port = new TextDecoder().decode((await reader.read()).value).trim();
  const us = (what: string, module: string) => () =>
    output(Deno.execPath(), [
      "run",
      "-A",
      "--no-lock",
      import.meta.url,
      "--run",
      what,
      module,
      port,
    ]);
  const calls = new Map<string, () => Promise<number>>();
  for (const module of modules) {
    calls.set(`list() of ${module}`, us("list", module));
    if (kind !== "unix") calls.set(`mlsd() of ${module}`, us("mlsd", module));
  }
  calls.set("basic-ftp's parser", us(`basic-ftp ${kind}`, "-"));
  if (kind !== "unix") {
    calls.set("ftplib's mlsd()", () => output("python3", ["-c", FTPLIB, port]));
  }
  const times = new Map([...calls.keys()].map((key) => [key, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    const order = [...calls];
    if (round % 2 === 1) order.reverse();
    for (const [key, call] of order) times.get(key)!.push(await call());
  }
  server.kill();
  await server.status;
  await reader.cancel();
  console.log(`${kind}: microseconds of processor time an entry`);
  const basic = median(times.get("basic-ftp's parser")!);
  const ftplib = median(times.get("ftplib's mlsd()") ?? [NaN]);
  for (const [key, values] of times) {
    const one = median(values);
    console.log(
      `  ${one.toFixed(2).padStart(6)}  ${key}: basic-ftp's parser takes ` +
        `${(basic / one).toFixed(1)} times as long, ftplib ` +
        `${(ftplib / one).toFixed(1)} times`,
    );
  }
}

if (import.meta.main) {
  const [first, what, module, port] = Deno.args;
  if (first === "--run") {
    console.log(await run(what!, module!, Number(port)));
  } else {
    const modules = Deno.args.length > 0
      ? Deno.args.map((path) => new URL(path, `file://${Deno.cwd()}/`).href)
      : [new URL("../../mod.ts", HERE).href];
    for (const kind of ["mlsd", "short", "unix"]) await compare(kind, modules);
  }
}
