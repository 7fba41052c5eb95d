import { assert, assertEquals } from "@std/assert";
import { type Handler, ScriptedServer } from "../testing/scripted/mod.ts";
import type { EntryCount, Reading } from "./count_entries.ts";
import { chooseCount } from "../testing/random.ts";
import { fact, unix, UNKNOWN } from "../testing/scripted_listings.ts";

/** Number of entries. For a million: `FTP_ENTRIES=1000000`. */
const ENTRIES = chooseCount(200_000, "FTP_ENTRIES");

/** Lines in one write. */
const BLOCK = 1000;

/** Largest growth of the client's resident memory, in bytes. */
const MAX_GROWTH = 40e6;

/** Most that it may grow by for each entry that has to be kept, in bytes. */
const MAX_KEPT_GROWTH = 300;

/** Largest share of the bytes that are sent before the first entry. */
const FIRST_SHARE = 0.01;

/** Returns lines of equal length with different names. */
function block(first: number, line: (name: string) => string): string {
  let text = "";
  for (let i = first; i < first + BLOCK; i++) {
    text += `${line(`file ${String(i).padStart(8, "0")}.dat`)}\r\n`;
  }
  return text;
}

/** Sends all lines. Only the first share may be read before the first entry. */
function sendsAll(
  line: (name: string) => string,
  seen: Promise<void>,
): Handler {
  return async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    for (let i = 0; i < ENTRIES; i += BLOCK) {
      if (i + BLOCK > ENTRIES * FIRST_SHARE) await seen;
      await data.write(block(i, line));
    }
    data.close();
    await data.closed;
    await turn.reply(226, "Done");
  };
}

for (
  const [verb, line] of [
    ["MLSD", (name: string) => fact(name, "file", "size=1234;UNIX.mode=0644;")],
    ["LIST", (name: string) => unix(name)],
  ] as const
) {
  Deno.test(`FTP.list gives ${ENTRIES} entries of ${verb} in memory that stays flat, the first before 1% of the bytes`, async () => {
    await using server = await ScriptedServer.start();
    const seen = Promise.withResolvers<void>();
    if (verb === "LIST") server.on("MLSD", UNKNOWN);
    server.on(verb, sendsAll(line, seen.promise));
    const result = await runClient(server.port, "list", seen.resolve);
    console.log(
      `${verb}: ${result.count} entries in ${
        Math.round(result.elapsed)
      } ms, memory grew by ${(result.growth / 1e6).toFixed(1)} MB`,
    );
    assertEquals(result.count, ENTRIES);
    assertEquals(result.characters, ENTRIES * 17);
    assert(result.growth < MAX_GROWTH, `${result.growth} bytes`);
  });
}

for (const reading of ["walk", "downloadDir"] as const) {
  Deno.test(`FTP.${reading} keeps ${ENTRIES} entries of one directory in less memory than objects take`, async () => {
    await using server = await ScriptedServer.start();
    const line = (name: string) => fact(name, "file", "size=1234;");
    server.on("MLSD", sendsAll(line, Promise.resolve()));
    const result = await runClient(server.port, reading);
    const most = MAX_GROWTH + ENTRIES * MAX_KEPT_GROWTH;
    assertEquals(result.count, ENTRIES);
    assertEquals(result.characters, ENTRIES * 17);
    assert(result.growth < most, `${result.growth} bytes`);
  });
}

/** Runs the client in a process of its own. */
async function runClient(
  port: number,
  reading: Reading,
  onFirst: () => void = () => {},
): Promise<EntryCount> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--allow-net=127.0.0.1",
      "--allow-read",
      "--allow-sys",
      import.meta.resolve("./count_entries.ts"),
      String(port),
      reading,
    ],
    stdout: "piped",
  }).spawn();
  let text = "";
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes("first\n")) onFirst();
  }
  assert((await child.status).success, "The client has failed");
  return JSON.parse(text.replace("first\n", ""));
}
