/**
 * Listings for the benchmarks. All programs read the same text.
 *
 * @module
 */

const MONTHS = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
] as const;

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/**
 * Makes an MLSD listing like ProFTPD's.
 *
 * @returns The text, with CRLF
 */
export function makeMlsd(lines: number): string {
  let text = "";
  for (let i = 0; i < lines; i++) {
    const type = i % 10 === 0 ? "dir" : "file";
    const modify = `20${two(i % 24)}${two(i % 12 + 1)}${two(i % 28 + 1)}` +
      `${two(i % 24)}${two(i % 60)}${two(i * 7 % 60)}`;
    text += `modify=${modify};perm=adfrw;size=${i * 977 % 10_000_000};` +
      `type=${type};unique=FD00U${(i * 31).toString(16)};` +
      `UNIX.group=1000;UNIX.groupname=staff;UNIX.mode=0644;` +
      `UNIX.owner=1000;UNIX.ownername=user; report-${i}.csv\r\n`;
  }
  return text;
}

/**
 * Makes an MLSD listing with few facts.
 *
 * @returns The text, with CRLF
 */
export function makeShortMlsd(lines: number): string {
  let text = "";
  for (let i = 0; i < lines; i++) {
    const modify = `20${two(i % 24)}${two(i % 12 + 1)}${two(i % 28 + 1)}` +
      `${two(i % 24)}${two(i % 60)}${two(i * 7 % 60)}`;
    text += i % 10 === 0
      ? `type=dir;modify=${modify};perm=el; report-${i}\r\n`
      : `type=file;size=${i * 977 % 10_000_000};modify=${modify};perm=r; ` +
        `report-${i}.csv\r\n`;
  }
  return text;
}

/**
 * Makes a LIST like `ls -l`.
 *
 * @returns The text, with CRLF
 */
export function makeUnix(lines: number): string {
  let text = "total 1234\r\n";
  for (let i = 0; i < lines; i++) {
    const mode = i % 10 === 0 ? "drwxr-xr-x" : "-rw-r--r--";
    const when = i % 3 === 0
      ? ` ${2000 + i % 24}`
      : `${two(i % 24)}:${two(i % 60)}`;
    const size = String(i * 977 % 10_000_000).padStart(9);
    text += `${mode}    1 1000     staff    ${size} ` +
      `${MONTHS[i % 12]} ${String(i % 28 + 1).padStart(2)} ${when} ` +
      `report-${i}.csv\r\n`;
  }
  return text;
}
