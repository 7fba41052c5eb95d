/**
 * Processor time that the events of `node:diagnostics_channel` take: the module
 * without subscribers, with one for each channel, and a copy of the module from
 * which the events are removed. All three alternate in one process.
 *
 *     deno run -A --no-lock tests/bench/diagnostics.ts [rounds]
 */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import process from "node:process";
import { connect, type FTP } from "../../mod.ts";
import { startServer } from "../testing/servers/mod.ts";
import { median } from "./compare.ts";

const ROUNDS = Number(Deno.args[0] ?? 61);
const ROOT = new URL("../../", import.meta.url);

/** Replaces `lib/connection/diagnostics.ts` in the copy. */
const NO_EVENTS = `
let lastId = 0;
export const nextDiagnosticId = () => ++lastId;
export const observeConnection = () => {};
export const observeCommand = () => {};
export const observeTransfer = () => undefined;
export const observeRetry = () => {};
`;

await using server = await startServer("vsftpd");
await server.write("file", new Uint8Array(1000));
const { host, port, user, password } = server;
const folder = await Deno.makeTempDir();

/** Copies a folder with its contents. */
async function copy(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copy(new URL(`${name}/`, from), `${to}/${name}`);
    else await Deno.copyFile(new URL(name, from), `${to}/${name}`);
  }
}

/** The channels of the module. */
const CHANNELS = ["ftp:connection", "ftp:command", "ftp:transfer", "ftp:retry"];

/** The work that the others are compared with. */
const BASE = "no events in the module";

let events = 0;
const count = () => {
  events++;
};

/** The work by name, with the number of calls of a round. */
const WORKS: Record<
  string,
  [calls: number, run: (ftp: FTP, calls: number) => Promise<void>]
> = {
  "commands, one after another": [2000, async (ftp, calls) => {
    for (let i = 0; i < calls; i++) await ftp.voidcmd("NOOP");
  }],
  "commands in a pipeline": [10_000, async (ftp, calls) => {
    const commands = Array.from({ length: calls }, () => "NOOP");
    for await (const reply of ftp.pipeline(commands)) void reply;
  }],
  "files of 1 KB": [150, async (ftp, calls) => {
    for (let i = 0; i < calls; i++) {
      await ftp.retrbinary("RETR file", () => {});
    }
  }],
};

/** Measures the processor time of this process, in milliseconds. */
async function measure(work: () => Promise<void>): Promise<number> {
  const { user, system } = process.cpuUsage();
  await work();
  const used = process.cpuUsage();
  return (used.user - user + used.system - system) / 1000;
}

/**
 * Measures works in turn, each round beginning with another one. Ratios within
 * a round are free of what else the machine does.
 */
async function measureInTurn(
  works: Record<string, () => Promise<void>>,
): Promise<Record<string, number[]>> {
  const all = Object.entries(works);
  const times = Object.fromEntries(all.map(([name]) => [name, [] as number[]]));
  for (let round = -1; round < ROUNDS; round++) {
    const first = Math.max(round, 0) % all.length;
    for (const [name, work] of [...all.slice(first), ...all.slice(0, first)]) {
      const time = await measure(work);
      if (round >= 0) times[name]!.push(time);
    }
  }
  return times;
}

/** Runs work while each channel has a subscriber. */
async function subscribed(work: () => Promise<void>): Promise<void> {
  for (const name of CHANNELS) subscribe(name, count);
  try {
    await work();
  } finally {
    for (const name of CHANNELS) unsubscribe(name, count);
  }
}

try {
  for (const name of ["lib/", "parser/"]) {
    await copy(new URL(name, ROOT), `${folder}/${name}`);
  }
  await Deno.copyFile(new URL("mod.ts", ROOT), `${folder}/mod.ts`);
  const replaced = `${folder}/lib/connection/diagnostics.ts`;
  const types = (await Deno.readTextFile(replaced)).match(
    /^export interface [^]*?^}$/gm,
  );
  await Deno.writeTextFile(replaced, [...types!, NO_EVENTS].join("\n"));
  const copied: typeof import("../../mod.ts") = await import(
    `file://${folder}/mod.ts`
  );
  const options = { port, user, password };
  await using plain = await copied.connect(host, options);
  await using ftp = await connect(host, options);
  for (const [name, [calls, run]] of Object.entries(WORKS)) {
    events = 0;
    const times = await measureInTurn({
      [BASE]: () => run(plain, calls),
      "no subscribers": () => run(ftp, calls),
      "a subscriber per channel": () => subscribed(() => run(ftp, calls)),
    });
    if (events < calls * 2 * ROUNDS) throw new Error(`Only ${events} events`);
    console.log(`\n${calls} ${name} (median of ${ROUNDS})`);
    const base = times[BASE]!;
    for (const [title, own] of Object.entries(times)) {
      const each = own.map((time, i) => (time - base[i]!) * 1000 / calls);
      console.log(
        `  ${title.padEnd(26)} ${median(own).toFixed(0).padStart(5)} ms  ` +
          `${median(own.map((time, i) => time / base[i]!)).toFixed(2)} times` +
          `, ${median(each).toFixed(1)} µs more per call; ` +
          `lowest ${Math.min(...own).toFixed(0)} ms`,
      );
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
