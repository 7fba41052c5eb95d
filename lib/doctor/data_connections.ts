/**
 * Tests data connections, passive and active.
 *
 * @module
 */

import { connectionOf } from "../client/ftp_protocol.ts";
import { isIPv6, isSameHost } from "../protocol/address.ts";
import { FTPError } from "../protocol/errors.ts";
import { type Examination, TIMEOUT } from "./examination.ts";
import { ADDRESS_SETTINGS, explainData, explainOpening } from "./findings.ts";
import {
  isPrivate,
  openProbe,
  type Probe,
  probeData,
  SessionLog,
} from "./probe.ts";
import type { DiagnosisStepName } from "./report.ts";

/** Time limit of the server's connection in active mode, in milliseconds. */
const ACTIVE_TIMEOUT = 5000;

/** Reads a listing in passive mode. */
export async function checkPassive(
  examination: Examination,
  way: "epsv" | "pasv",
  first: Probe,
): Promise<boolean> {
  const how = way === "epsv" ? "EPSV" : "PASV";
  const [peer] = connectionOf(first.ftp).session.peer;
  if (way === "pasv" && isIPv6(peer)) {
    examination.step("pasv", "skipped", "The connection is over IPv6.");
    return false;
  }
  const log = new SessionLog();
  const told = () => way === "pasv" ? log.passiveHost : undefined;
  try {
    await using probe = await openProbe(
      examination.url,
      { ...examination.options, passive: way },
      log,
    );
    const { bytes, resumed } = await probeData(
      probe.ftp,
      examination.options.signal,
    );
    const isOther = checkHost(examination, told(), peer);
    examination.step(
      way,
      isOther ? "problem" : "ok",
      `A listing of ${bytes} bytes arrived through the port of ${how}.${
        isOther ? " The 227 reply contains another address." : ""
      }${
        resumed === undefined
          ? ""
          : resumed
          ? " TLS resumed the session."
          : " TLS did not resume the session; this server accepts that."
      }`,
      { bytes, resumed, host: told() },
    );
    return true;
  } catch (error) {
    examination.options.signal?.throwIfAborted();
    const isLogin = !log.hasSent(how) && error instanceof FTPError;
    const finding = isLogin
      ? explainOpening(error, log)
      : explainData(error, log, { how, isSecured: examination.isSecured });
    checkHost(examination, told(), peer);
    examination.problem(way, finding, { host: told() });
    return false;
  }
}

/** Reports an address in a 227 reply that is not the server's. */
function checkHost(
  examination: Examination,
  told: string | undefined,
  peer: string,
): boolean {
  if (told === undefined || isSameHost(told, peer)) return false;
  examination.warn("pasv", {
    cause: "private-address",
    severity: "warning",
    text: `The 227 reply contains the address ${told}${
      isPrivate(told) ? ", a private address" : ""
    }; the server is at ${peer}.`,
    advice:
      `This module connects to ${peer} in spite of it; other clients may fail. Set the server's public address (${ADDRESS_SETTINGS}).`,
    isFirewall: true,
  });
  return true;
}

/** Reads a listing in active mode. */
export async function checkActive(
  examination: Examination,
  isPassive: boolean,
): Promise<boolean> {
  const { proxy, dial, timeout = TIMEOUT } = examination.options;
  if (proxy !== undefined || dial !== undefined) {
    examination.step(
      "active",
      "skipped",
      "Active mode is not possible through a proxy or a tunnel.",
    );
    return false;
  }
  const log = new SessionLog();
  try {
    await using probe = await openProbe(examination.url, {
      ...examination.options,
      timeout: Math.min(timeout || ACTIVE_TIMEOUT, ACTIVE_TIMEOUT),
      passive: false,
    }, log);
    const { bytes } = await probeData(probe.ftp, examination.options.signal);
    const how = log.hasSent("EPRT") ? "EPRT" : "PORT";
    examination.step(
      "active",
      "ok",
      `The server connected to this machine (${how}) and sent ${bytes} bytes.`,
      { bytes, how },
    );
    return true;
  } catch (error) {
    examination.options.signal?.throwIfAborted();
    const finding = explainData(error, log, {
      how: "",
      isSecured: examination.isSecured,
    });
    if (!isPassive) examination.problem("active", finding);
    else {
      examination.step(
        "active",
        "note",
        `Active mode does not work, but is not needed: ${finding.text}`,
      );
    }
    return false;
  }
}

/** Runs a test on a new connection, with the advised options. */
export async function connected(
  examination: Examination,
  step: DiagnosisStepName,
  work: (probe: Probe) => Promise<void>,
): Promise<void> {
  const log = new SessionLog();
  try {
    await using probe = await openProbe(
      examination.url,
      { ...examination.options, ...examination.passiveOption },
      log,
    );
    const { directory } = examination.target;
    const { signal } = examination.options;
    if (directory !== "") {
      await probe.ftp.cwd(directory, { signal }).catch(() => {});
    }
    await work(probe);
  } catch (error) {
    examination.options.signal?.throwIfAborted();
    const finding = explainData(error, log, {
      how: "PASV",
      isSecured: examination.isSecured,
    });
    examination.problem(step, { ...finding, cause: "data-failed" });
  }
}
