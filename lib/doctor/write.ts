/**
 * Tests an upload.
 *
 * @module
 */

import type { FTP } from "../client/ftp.ts";
import { connectionOf } from "../client/ftp_protocol.ts";
import { joinPath, withoutTrailingSlashes } from "../commands/path.ts";
import { proveClock } from "../directories/prove_clock.ts";
import { FTPError } from "../protocol/errors.ts";
import { quote } from "../protocol/printable.ts";
import { formatZone } from "./clock.ts";
import type { Examination } from "./examination.ts";
import type { Probe } from "./probe.ts";

/** Tests an upload, and removes the file. */
export async function checkWrite(
  examination: Examination,
  { ftp }: Probe,
  folder: string,
): Promise<void> {
  const { signal } = examination.options;
  const mark = crypto.randomUUID().slice(0, 8);
  const name = `ftp-doctor-${mark}.txt`;
  const path = joinPath(withoutTrailingSlashes(folder), name);
  const { clock } = connectionOf(ftp).session.profile;
  let done: string[];
  try {
    done = await uploadTestFile(examination, ftp, path);
  } catch (error) {
    if (!(error instanceof FTPError)) throw error;
    await reportRefusedWrite(examination, ftp, folder, error);
    await removeTestFile(examination, ftp, path);
    return;
  }
  if (!await removeTestFile(examination, ftp, path)) return;
  if (clock.zoneOf("MDTM") === undefined) {
    const { session } = connectionOf(ftp);
    await proveClock(session, folder, { signal }).catch((error) => {
      if (!(error instanceof FTPError)) throw error;
    });
  }
  examination.step(
    "write",
    "ok",
    `In ${quote(folder)} ${done.join(", ")}, and the file was removed.`,
  );
  const zone = clock.zoneOf("MDTM");
  if (zone === undefined || !clock.isProven("MDTM")) return;
  reportZone(examination, zone);
}

/** Uploads the test file, and sets its time. Returns what was done. */
async function uploadTestFile(
  { options: { signal } }: Examination,
  ftp: FTP,
  path: string,
): Promise<string[]> {
  const content = new TextEncoder().encode("A test of diagnose()\n");
  const { verified } = await ftp.upload(content, path, { signal });
  const done = [
    `an upload of ${content.length} bytes was ${
      verified === null ? "confirmed" : `verified by ${verified}`
    }`,
    "the file was renamed",
  ];
  try {
    await ftp.setMtime(path, new Date(), { signal });
    done.push("its time was set");
  } catch (error) {
    if (!(error instanceof FTPError)) throw error;
    done.push("the server cannot set times");
  }
  return done;
}

/** Reports the zone of the server's times, which the upload has proven. */
function reportZone(examination: Examination, zone: number): void {
  if (zone === 0) {
    examination.step("clock", "ok", "The upload proves that MDTM is in UTC.", {
      zone,
    });
    return;
  }
  examination.advised.serverZone = zone;
  // the suspicion is now a certainty
  const suspected = examination.problems.findIndex(({ cause }) =>
    cause === "zone"
  );
  if (suspected >= 0) examination.problems.splice(suspected, 1);
  examination.problem("clock", {
    cause: "zone",
    severity: "warning",
    text: `The upload proves that the server's times are in local time, UTC${
      formatZone(zone)
    }; RFC 3659 requires UTC.`,
    advice:
      `Uploads detect it. For downloads set serverZone: ${zone}, and change it with summer time. On the server, set use_localtime=NO (vsftpd) or use_gmt_times=True (pyftpdlib).`,
    isFirewall: false,
  }, { zone });
}

async function reportRefusedWrite(
  examination: Examination,
  ftp: FTP,
  folder: string,
  error: FTPError,
): Promise<void> {
  const { signal } = examination.options;
  const current = await ftp.pwd({ signal }).catch(() => "");
  const isMissing = !await ftp.exists(folder, { signal }).catch(() => true);
  const isRoot = /^\/?$/.test(folder.replace(/^\.$/, "")) && current === "/";
  examination.problem("write", {
    cause: "write-refused",
    severity: "error",
    text: error.message,
    advice: isMissing
      ? "The directory for the test upload (`write`) does not exist. Name an existing one, relative to that of the URL or absolute."
      : isRoot || folder === "/"
      ? "The user may not write to the root of its directory (chroot), which many servers require. Use a directory below it that the user owns."
      : "The user may not write to this directory. Check its owner and permissions, and settings of the server such as write_enable (vsftpd) or Limit WRITE (ProFTPD).",
    isFirewall: false,
  });
}

/** Removes the test file. Reports a failure. */
async function removeTestFile(
  examination: Examination,
  ftp: FTP,
  path: string,
): Promise<boolean> {
  const { signal } = examination.options;
  try {
    if (await ftp.exists(path, { signal })) {
      await ftp.remove(path, { signal });
    }
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    examination.problem("write", {
      cause: "leftover",
      severity: "error",
      text: `The test file ${quote(path)} may still exist: ${
        error instanceof Error ? error.message : error
      }.`,
      advice: "Remove it by hand.",
      isFirewall: false,
    });
    return false;
  }
}
