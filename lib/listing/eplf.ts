/**
 * EPLF, the Easily Parsed LIST Format: `+i8388621.48594,m825718503,r,s280,<TAB>name`.
 *
 * @module
 */

import { readOctal } from "../protocol/numbers.ts";
import {
  type LineResult,
  type ListingFormat,
  parseSize,
} from "./listing_format.ts";

const EPLF_REGEXP = /^\+([^\t]*)\t(.+)$/s;

/** Listings in EPLF, with times in UTC. */
export const EPLF: ListingFormat = { name: "eplf", read };

function read(line: string): LineResult {
  const match = EPLF_REGEXP.exec(line);
  if (match === null) return undefined;
  const facts = match[1]!.split(",");
  const find = (letter: string, digits: RegExp) =>
    facts.find((fact) => fact[0] === letter && digits.test(fact.slice(1)))
      ?.slice(1);
  const seconds = find("m", /^\d{1,12}$/);
  const mode = facts.find((fact) => /^up[0-7]{1,5}$/.test(fact))?.slice(2);
  return {
    name: match[2]!,
    kind: facts.includes("/")
      ? "directory"
      : facts.includes("r")
      ? "file"
      : "other",
    size: parseSize(find("s", /^\d+$/) ?? ""),
    mode: readOctal(mode),
    ...(seconds !== undefined && {
      mtime: new Date(Number(seconds) * 1000),
      mtimePrecision: "second",
    }),
  };
}
