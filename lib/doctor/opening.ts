/**
 * Connects, secures and logs in.
 *
 * @module
 */

import { connectionOf } from "../client/ftp_protocol.ts";
import { printableLine } from "../protocol/printable.ts";
import { TLSError } from "../tls/errors.ts";
import type { Examination } from "./examination.ts";
import { explainOpening } from "./findings.ts";
import { openProbe, type Probe, SessionLog } from "./probe.ts";
import { checkOfferedTLS, reportDistrust, reportSecured } from "./security.ts";

/** Connects, secures and logs in. */
export async function openSession(
  examination: Examination,
): Promise<Probe | undefined> {
  const log = new SessionLog();
  let probe: Probe | undefined;
  let error: unknown;
  try {
    probe = await openProbe(examination.url, examination.options, log);
  } catch (failure) {
    examination.options.signal?.throwIfAborted();
    error = failure;
  }
  const finding = probe === undefined ? explainOpening(error, log) : undefined;
  const hasGreeting = log.greeting !== undefined;
  const vendor = probe === undefined
    ? undefined
    : connectionOf(probe.ftp).session.profile.vendor;
  if (hasGreeting) {
    const said = printableLine(lineOf(log.greeting!));
    examination.step(
      "greeting",
      "ok",
      `"${said}"${vendor === undefined ? "" : `: ${vendor}`}.`,
      { greeting: log.greeting, vendor },
    );
  } else if (finding !== undefined && !(error instanceof TLSError)) {
    examination.problem("greeting", finding);
    return undefined;
  }
  const info = probe?.ftp.tls;
  examination.isSecured = info !== undefined;
  if (error instanceof TLSError || finding?.cause === "tls-refused") {
    await reportDistrust(examination, finding!, error);
    return undefined;
  }
  if (
    examination.mode !== undefined &&
    (info !== undefined || log.hasSent("USER"))
  ) {
    await reportSecured(examination, info);
  }
  if (examination.mode === undefined) await checkOfferedTLS(examination);
  if (finding !== undefined) {
    examination.problem("login", finding);
    if (finding.cause === "tls-required") examination.advised.tls = "explicit";
    return undefined;
  }
  examination.step("login", "ok", "Logged in.");
  return probe;
}

/** Returns the first line of a greeting that has letters. */
function lineOf(greeting: string): string {
  const lines = greeting.split("\n");
  return lines.find((line) => /[a-z]{3}/i.test(line)) ?? lines[0]!;
}
