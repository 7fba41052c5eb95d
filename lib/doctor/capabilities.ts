/**
 * Reads the features and the current directory.
 *
 * @module
 */

import { connectionOf } from "../client/ftp_protocol.ts";
import { FTPError } from "../protocol/errors.ts";
import type { Examination } from "./examination.ts";
import type { Probe } from "./probe.ts";

/** Features that the library uses. */
const USEFUL = ["MLST", "SIZE", "MDTM", "MFMT", "REST", "EPSV", "UTF8"];

/** Reads the features, and names those that the library would use. */
export async function checkFeatures(
  examination: Examination,
  { ftp }: Probe,
): Promise<void> {
  const features = await ftp.features({ signal: examination.options.signal })
    .catch(() => new Map<string, string>());
  const lacking = USEFUL.filter((name) => !features.has(name));
  const hashes = [...features.keys()].filter((name) =>
    /^(HASH|XCRC|XMD5|XSHA|MD5|MMD5)/.test(name)
  );
  const { vendor } = connectionOf(ftp).session.profile;
  examination.step(
    "features",
    features.size === 0 ? "note" : "ok",
    features.size === 0
      ? "The server does not list its features (FEAT)."
      : `${features.size} features; ${
        lacking.length === 0
          ? "all that the module uses"
          : `without ${lacking.join(", ")}`
      }; hashes: ${hashes.join(", ") || "none"}.`,
    { features: [...features.keys()], lacking, hashes, vendor },
  );
}

/** Changes to the URL's directory. */
export async function checkDirectory(
  examination: Examination,
  { ftp }: Probe,
): Promise<void> {
  const { directory } = examination.target;
  if (directory === "") return;
  try {
    await ftp.cwd(directory, { signal: examination.options.signal });
  } catch (error) {
    if (!(error instanceof FTPError)) throw error;
    examination.warn("login", {
      cause: "directory-missing",
      severity: "error",
      text: error.message,
      advice:
        "The path of a URL is relative to the directory after login. For an absolute path, write two slashes: ftp://host//path.",
      isFirewall: false,
    });
  }
}
