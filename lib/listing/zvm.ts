/**
 * z/VM and VM/CMS:
 * `README   ANONYMOU V         71         26          1 1997-04-02 12:33:20 TCP291`
 * and `PROFILE  EXEC      A1 V      17     3      1       9/12/91   12:39:07`.
 *
 * @module
 */

import {
  type LineContext,
  type LineResult,
  type ListingFormat,
  toFullYear,
  toTime,
} from "./listing_format.ts";

const NEW_REGEXP =
  /^ *([^\s.]{1,16}) +([^\s.]{1,16}) +([FV]) +(\d{1,10}) +(\d{1,12}) +\d{1,12} +(\d{4})-(\d\d)-(\d\d) +(\d\d):(\d\d):(\d\d) +(\S{1,8}) *$/;
const NEW_DIRECTORY_REGEXP =
  /^ *(\S{1,17}) +DIR +- +- +- +(\d{4})-(\d\d)-(\d\d) +(\d\d):(\d\d):(\d\d) +(\S{1,8}) *$/;
const OLD_REGEXP =
  /^ *([^\s.]{1,8}) +([^\s.]{1,8}) +[A-Z]\d ([FV]) +(\d{1,10}) +(\d{1,12}) +\d{1,12} +(\d{1,2})\/(\d\d)\/(\d{2,4}) +(\d{1,2}):(\d\d):(\d\d) *$/;
const OLD_DIRECTORY_REGEXP =
  /^ *(\S{1,17}) +[A-Z]\d DIR +- +- +- +(\d{1,2})\/(\d\d)\/(\d{2,4}) +(\d{1,2}):(\d\d):(\d\d) *$/;

/**
 * Minidisks and directories of VM. A file's name and type are joined with a dot.
 * Sizes are those of the records, which a transfer as text changes.
 */
export const ZVM: ListingFormat = { name: "zvm", read };

function read(line: string, context: LineContext): LineResult {
  if (/^ *Filename +FileType +/i.test(line)) return "frame";
  const file = NEW_REGEXP.exec(line);
  if (file !== null) {
    const [, name, type, format, length, records, ...rest] = file;
    const [year, month, day, hour, minute, second, owner] = rest;
    return {
      name: `${name}.${type}`,
      kind: "file",
      ...sizeOf(format!, length!, records!),
      ...ownerOf(owner!),
      ...timeOf([year, month, day, hour, minute, second], context),
    };
  }
  const directory = NEW_DIRECTORY_REGEXP.exec(line);
  if (directory !== null) {
    const [, name, year, month, day, hour, minute, second, owner] = directory;
    return {
      name: name!,
      kind: "directory",
      ...ownerOf(owner!),
      ...timeOf([year, month, day, hour, minute, second], context),
    };
  }
  return readOld(line, context);
}

/** VM/CMS names the disk, and shows American dates. */
function readOld(line: string, context: LineContext): LineResult {
  const file = OLD_REGEXP.exec(line);
  if (file !== null) {
    const [, name, type, format, length, records, ...rest] = file;
    const [month, day, year, hour, minute, second] = rest;
    return {
      name: `${name}.${type}`,
      kind: "file",
      ...sizeOf(format!, length!, records!),
      ...timeOf([year, month, day, hour, minute, second], context),
    };
  }
  const directory = OLD_DIRECTORY_REGEXP.exec(line);
  if (directory === null) return undefined;
  const [, name, month, day, year, hour, minute, second] = directory;
  return {
    name: name!,
    kind: "directory",
    ...timeOf([year, month, day, hour, minute, second], context),
  };
}

/**
 * Returns the size of the records: exact for records of a fixed length, else
 * the largest possible one.
 */
function sizeOf(format: string, length: string, records: string) {
  const size = Number(length) * Number(records);
  if (!Number.isSafeInteger(size)) return {};
  return format === "F" ? { size } : { size, isSizeApproximate: true };
}

function ownerOf(owner: string) {
  return owner === "-" ? {} : { owner };
}

function timeOf(parts: readonly (string | undefined)[], context: LineContext) {
  const [year, month, day, hour, minute, second] = parts.map(Number);
  return toTime({
    year: toFullYear(year!),
    month: month!,
    day: day!,
    hour: hour!,
    minute: minute!,
    second: second!,
  }, context);
}
