/**
 * Tests a listing, its encoding, and whether transfers can be resumed.
 *
 * @module
 */

import { connectionOf } from "../client/ftp_protocol.ts";
import { proveRestart } from "../files/restart_proof.ts";
import { withoutPeriod } from "../protocol/with_advice.ts";
import type { FTP } from "../client/ftp.ts";
import type { Entry } from "../listing/entry.ts";
import { isRefusal } from "../protocol/errors.ts";
import { quote } from "../protocol/printable.ts";
import { checkClock } from "./clock.ts";
import type { Examination } from "./examination.ts";
import type { Probe } from "./probe.ts";

/** Largest number of entries to read of a listing. */
const MAX_ENTRIES = 1000;

/** Lists the directory, and tests encoding, clock and restart with its entries. */
export async function checkListing(
  examination: Examination,
  { ftp, log }: Probe,
): Promise<void> {
  const { entries, isWhole } = await readEntries(examination, ftp);
  const command = log.hasSent("MLSD") && log.hasSent("LIST")
    ? "LIST, because MLSD does not work"
    : log.hasSent("MLSD")
    ? "MLSD"
    : "LIST";
  const formats = [...new Set(entries.map(({ format }) => format))];
  const unknown = entries.filter(({ kind }) => kind === "unknown");
  const foreign = entries.filter(({ name }) => !name.isWellFormed());
  const facts = {
    command,
    formats,
    entries: entries.length,
    unknown: unknown.length,
    foreign: foreign.length,
  };
  examination.canList = true;
  const isBad = unknown.length > 0 || foreign.length > 0;
  examination.step(
    "listing",
    isBad ? "problem" : "ok",
    `${isWhole ? "" : "More than "}${entries.length} ${
      entries.length === 1 ? "entry" : "entries"
    } by ${command}${
      formats.length === 0
        ? ""
        : `, format ${formats.map((format) => `"${format}"`).join(" and ")}`
    }.`,
    facts,
  );
  if (unknown.length > 0) {
    examination.warn("listing", {
      cause: "listing-unreadable",
      severity: "error",
      text: `${unknown.length} lines could not be parsed, such as ${
        quote(unknown[0]!.line)
      }.`,
      advice: "Please report this line. nlst() returns the names.",
      isFirewall: false,
    });
  }
  if (foreign.length > 0) adviseEncoding(examination, ftp, foreign);
  await checkClock(examination, ftp, entries);
  await checkRestart(examination, ftp, entries);
}

/** Reads the first entries of the directory. */
async function readEntries(
  { options: { signal } }: Examination,
  ftp: FTP,
): Promise<{ entries: Entry[]; isWhole: boolean }> {
  const entries: Entry[] = [];
  for await (const entry of ftp.list("", { signal })) {
    if (entries.length >= MAX_ENTRIES) return { entries, isWhole: false };
    entries.push(entry);
  }
  return { entries, isWhole: true };
}

/** Advises an encoding for names that are not valid in that of the client. */
function adviseEncoding(
  examination: Examination,
  { encoding: current }: FTP,
  foreign: readonly Entry[],
): void {
  const isWindows = foreign.some(({ rawName }) =>
    rawName.some((byte) => byte >= 0x80 && byte < 0xA0)
  );
  const encoding = isWindows ? "windows-1252" : "latin-1";
  examination.advised.encoding = encoding;
  examination.warn("listing", {
    cause: "encoding",
    severity: "warning",
    text: `${foreign.length} names are not valid in ${current}, such as ${
      quote(foreign[0]!.name)
    }.`,
    advice:
      `Set the server's encoding; "${encoding}" is a guess. The names can be used without it.`,
    isFirewall: false,
  });
}

/** Largest number of files that are tried. */
const MAX_TRIED = 3;

/** Tests whether a transfer can start within a file. */
async function checkRestart(
  examination: Examination,
  ftp: FTP,
  entries: readonly Entry[],
): Promise<void> {
  const { signal } = examination.options;
  try {
    await ftp.voidcmd("TYPE I", { signal });
    await ftp.sendcmd("REST 1", { signal });
    await ftp.sendcmd("REST 0", { signal });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    examination.step(
      "restart",
      "note",
      `The server refuses REST, so interrupted downloads start over (${
        withoutPeriod(error.reply.text)
      }).`,
    );
    return;
  }
  const proof = await startsWithin(ftp, entries, { signal });
  const [outcome, text] = RESTARTS[proof];
  examination.step("restart", outcome, text, {
    entries: entries.length,
    proof,
  });
}

/** How a server handles REST. */
const RESTARTS = {
  proven: [
    "ok",
    "Transfers can start within a file (REST), so interrupted ones are resumed.",
  ],
  ignored: [
    "note",
    "The server accepts REST, but sends the whole file, so interrupted downloads start over.",
  ],
  unproven: [
    "note",
    "The server accepts REST; nothing here proves that it starts there, because the directory has no readable file of a known size.",
  ],
} as const;

/** Downloads the last byte of a file. */
async function startsWithin(
  ftp: FTP,
  entries: readonly Entry[],
  options: { signal: AbortSignal | undefined },
): Promise<keyof typeof RESTARTS> {
  const { session } = connectionOf(ftp);
  const files = entries.filter(({ isFile, size, name }) =>
    isFile && (size ?? 0) > 1 && name.isWellFormed()
  );
  for (const { name } of files.slice(0, MAX_TRIED)) {
    try {
      await proveRestart(session, name, 1, options);
      if (session.profile.startsAt(1)) return "proven";
    } catch (error) {
      if (error instanceof Deno.errors.NotSupported) return "ignored";
      if (!isRefusal(error)) throw error;
    }
  }
  return "unproven";
}
