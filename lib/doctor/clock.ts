/**
 * Compares the times of the listing, of MDTM and of this machine.
 *
 * @module
 */

import type { FTP } from "../client/ftp.ts";
import { connectionOf } from "../client/ftp_protocol.ts";
import type { Entry } from "../listing/entry.ts";
import type { Examination } from "./examination.ts";

/** Tolerated error of a clock, in milliseconds. */
const CLOCK_TOLERANCE = 5 * 60_000;

/** Compares the times of the listing, of MDTM and of this machine. */
export async function checkClock(
  examination: Examination,
  ftp: FTP,
  entries: readonly Entry[],
): Promise<void> {
  const { clock, vendor } = connectionOf(ftp).session.profile;
  const proven = clock.zoneOf("MDTM");
  const { ahead, difference } = await compareTimes(examination, ftp, entries);
  const facts = { zone: proven, listAhead: difference, vendor };
  if (examination.options.serverZone !== undefined) {
    examination.step(
      "clock",
      "ok",
      `The option serverZone is UTC${
        formatZone(proven ?? 0)
      }; it was not proven.`,
      facts,
    );
    return;
  }
  if (ahead > CLOCK_TOLERANCE && proven === undefined) {
    const least = Math.ceil(ahead / 900_000) * 15;
    examination.problem("clock", {
      cause: "zone",
      severity: "warning",
      text: `A file is ${
        formatMinutes(Math.round(ahead / 60_000))
      } in the future if the server's times are in UTC. They are local times, in a zone at least ${
        formatMinutes(least)
      } east of UTC, or the server's clock is wrong.`,
      advice:
        "Run this with `write` to prove the zone, or set serverZone. On the server, set use_localtime=NO (vsftpd) or use_gmt_times=True (pyftpdlib).",
      isFirewall: false,
    }, facts);
    return;
  }
  const list = difference === undefined || Math.abs(difference) < 5
    ? ""
    : ` Times in LIST are ${formatMinutes(Math.abs(difference))} ${
      difference < 0 ? "behind" : "ahead of"
    } those of MDTM; the module corrects that.`;
  examination.step(
    "clock",
    proven === undefined ? "note" : "ok",
    proven === undefined
      ? `The server's times are assumed to be in UTC, without proof: only an upload shows it (\`write\`).${list}`
      : `The server's times are in UTC${formatZone(proven)}${
        vendor === undefined || proven !== 0 ? "" : `, as always with ${vendor}`
      }.${list}`,
    facts,
  );
}

/** Differences of the times that the server shows. */
interface TimeDifferences {
  /** Milliseconds by which the latest time is ahead of this machine's clock. */
  readonly ahead: number;
  /** Minutes by which the listing is ahead of MDTM, if both show a time. */
  readonly difference: number | undefined;
}

async function compareTimes(
  { options: { signal } }: Examination,
  ftp: FTP,
  entries: readonly Entry[],
): Promise<TimeDifferences> {
  const now = Date.now();
  const file = entries.find((entry) =>
    entry.isFile && !entry.hostile && entry.mtime !== undefined
  );
  const mdtm = file === undefined
    ? null
    : await ftp.mtime(file.rawName, { signal }).catch(() => null);
  const latest = Math.max(
    -Infinity,
    ...entries.map(({ mtime }) => mtime?.getTime() ?? -Infinity),
    mdtm?.getTime() ?? -Infinity,
  );
  const difference = mdtm === null || file?.mtime === undefined
    ? undefined
    : Math.round((file.mtime.getTime() - mdtm.getTime()) / 60_000);
  return { ahead: latest - now, difference };
}

/** Formats a zone: "" for UTC, else "+02:00". */
export function formatZone(minutes: number): string {
  if (minutes === 0) return "";
  return `${minutes < 0 ? "-" : "+"}${formatClock(Math.abs(minutes))}`;
}

function formatClock(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${
    String(minutes % 60).padStart(2, "0")
  }`;
}

/** Formats a difference, such as "9 hours" or "5 hours 30 minutes". */
export function formatMinutes(minutes: number): string {
  const hours = Math.floor(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  const parts = [
    ...hours > 0 ? [`${hours} ${hours === 1 ? "hour" : "hours"}`] : [],
    ...rest > 0 || hours === 0
      ? [`${rest} ${rest === 1 ? "minute" : "minutes"}`]
      : [],
  ];
  return `${minutes < 0 ? "-" : ""}${parts.join(" ")}`;
}
