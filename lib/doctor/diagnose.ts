/**
 * Diagnoses a server: what works, what does not, and why.
 *
 * @module
 */

import { checkAddresses } from "./addresses.ts";
import { checkDirectory, checkFeatures } from "./capabilities.ts";
import { codeFor, finalOptions, shownURL } from "./code.ts";
import { checkConnections } from "./connections.ts";
import { checkActive, checkPassive, connected } from "./data_connections.ts";
import { Examination } from "./examination.ts";
import { checkListing } from "./listing.ts";
import { openSession } from "./opening.ts";
import type { Probe } from "./probe.ts";
import type { DiagnoseOptions, Diagnosis } from "./report.ts";
import { checkWrite } from "./write.ts";

/**
 * Connects to a server like {@linkcode connect}, tests what the module needs,
 * and reports problems with their causes. Tests name and addresses, greeting,
 * TLS, login, passive and active mode, listings, encoding, clock, restart, and
 * the number of connections. The report ends with the options to use.
 *
 * Nothing on the server is changed, unless `write` is set. Problems of the
 * server are reported, not thrown.
 *
 * Requires `allow-net` permission.
 *
 * @tags allow-net
 * @param url A URL as {@linkcode connect} takes it
 * @param options Parts that the URL lacks, the options of the test, and all
 * options of {@linkcode FTP}; the default of `timeout` is 10,000
 * @returns The report
 * @throws {TypeError} If the URL or an option is invalid
 *
 * @example Find out why a listing hangs
 * ```ts
 * import { diagnose } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * const { problems, code } = await diagnose("ftp://ftp.example.com/pub");
 * for (const { cause, text, advice } of problems) console.log(cause, text, advice);
 * console.log(code);
 * ```
 */
export async function diagnose(
  url: string | URL,
  options: DiagnoseOptions = {},
): Promise<Diagnosis> {
  return await run(new Examination(String(url), options));
}

async function run(examination: Examination): Promise<Diagnosis> {
  if (await checkAddresses(examination)) {
    const probe = await openSession(examination);
    if (probe !== undefined) await examineSession(examination, probe);
  }
  examination.options.signal?.throwIfAborted();
  const options = finalOptions(examination);
  return {
    url: shownURL(examination),
    isUsable: examination.canList,
    steps: examination.steps,
    problems: examination.problems,
    options,
    code: codeFor(examination, options),
  };
}

async function examineSession(
  examination: Examination,
  probe: Probe,
): Promise<void> {
  {
    await using _closed = probe;
    await checkFeatures(examination, probe);
    await checkDirectory(examination, probe);
  }
  const epsv = await checkPassive(examination, "epsv", probe);
  const pasv = await checkPassive(examination, "pasv", probe);
  const isPassive = epsv || pasv;
  if (!epsv && pasv) examination.advised.passive = "pasv";
  const active = await checkActive(examination, isPassive);
  if (!isPassive && active) examination.advised.passive = false;
  if (!isPassive && !active) return;
  await connected(
    examination,
    "listing",
    (probe) => checkListing(examination, probe),
  );
  await checkConnections(examination);
  const { write } = examination.examine;
  if (write !== undefined) {
    await connected(
      examination,
      "write",
      (probe) => checkWrite(examination, probe, write),
    );
  }
}
