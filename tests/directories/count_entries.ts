/**
 * Goes over a directory in its own process, so that its memory can be measured:
 * `deno run count_entries.ts PORT list|walk|downloadDir`. Prints "first" at the
 * first entry of a list, and the result at the end.
 */

import { FTP } from "../../mod.ts";

/** Output of the process. */
export interface EntryCount {
  /** Number of entries. */
  count: number;
  /** The sum of their sizes. */
  bytes: number;
  /** The sum of the lengths of their names. */
  characters: number;
  /** Growth of the resident memory from before the listing to its peak, in bytes. */
  growth: number;
  /** Duration of the listing, in milliseconds. */
  elapsed: number;
}

/** Entries between two measurements of the memory. */
const INTERVAL = 10_000;

/** How the entries are read. */
export type Reading = "list" | "walk" | "downloadDir";

/** What is counted of an entry. */
interface Counted {
  readonly name: string;
  readonly size?: number | undefined;
}

/** Calls a function with each entry. */
async function read(
  ftp: FTP,
  reading: Reading,
  visit: (entry: Counted) => void,
): Promise<void> {
  if (reading === "downloadDir") {
    const target = "no-such-directory";
    const onEntry = ({ entry }: { entry: Counted }) => visit(entry);
    await ftp.downloadDir("", target, { dryRun: true, onEntry });
  } else {
    const entries = reading === "walk" ? ftp.walk() : ftp.list();
    for await (const entry of entries) visit(entry);
  }
}

async function count(port: number, reading: Reading): Promise<EntryCount> {
  await using ftp = new FTP();
  await ftp.connect("127.0.0.1", port);
  await ftp.login();
  const result = { count: 0, bytes: 0, characters: 0 };
  const before = Deno.memoryUsage().rss;
  let peak = before;
  const start = performance.now();
  await read(ftp, reading, ({ name, size }) => {
    if (result.count === 0) console.log("first");
    if (++result.count % INTERVAL === 0) {
      peak = Math.max(peak, Deno.memoryUsage().rss);
    }
    result.bytes += Number(size);
    result.characters += name.length;
  });
  peak = Math.max(peak, Deno.memoryUsage().rss);
  const elapsed = performance.now() - start;
  return { ...result, growth: peak - before, elapsed };
}

if (import.meta.main) {
  console.log(
    JSON.stringify(await count(Number(Deno.args[0]), Deno.args[1] as Reading)),
  );
}
