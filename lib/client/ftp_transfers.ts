/**
 * The protocol level's transfers: files, texts and listings, as ftplib has them.
 *
 * @module
 */

import type { DataConnection } from "../connection/data_connection.ts";
import { parseFacts } from "../listing/facts.ts";
import { checkNames, type NamesOf } from "../protocol/check_names.ts";
import { showValue } from "../protocol/check_word.ts";
import { encodeCommand, parseCommand } from "../protocol/command.ts";
import { printableText } from "../protocol/printable.ts";
import type { Reply } from "../protocol/reply.ts";
import { keepLines } from "../transfer/kept_lines.ts";
import { openTransfer } from "../transfer/open_transfer.ts";
import {
  iterateLines,
  receiveBlocks,
  receiveLines,
} from "../transfer/receive.ts";
import { sendBlocks, sendLines } from "../transfer/send.ts";
import type { SignalOptions } from "../transfer/session.ts";
import type { Source } from "../transfer/source.ts";
import { FTPCommands } from "./ftp_commands.ts";
import { performOn, sessionOf } from "./session_of.ts";

/** Bytes of one block, as in ftplib. */
const BLOCKSIZE = 8192;

/** Options of `retrbinary`. */
export interface RetrbinaryOptions {
  /**
   * Most bytes of one block.
   *
   * @default {8192}
   */
  blocksize?: number | undefined;
  /**
   * Whether all blocks lie in one buffer: faster, and a block is valid only
   * until the callback returns or its promise is settled. Memory is the same
   * for a file of any size then. Without, every block is the callback's to keep,
   * and those that it does not keep are garbage until the platform collects
   * them: some tens of megabytes more in a transfer of many gigabytes.
   *
   * @default {false}
   */
  reuse?: boolean | undefined;
  /** Offset to start at, in bytes (`REST`). */
  rest?: number | string | undefined;
  /** Aborts the transfer. */
  signal?: AbortSignal | undefined;
}

/** Options of `storbinary`. */
export interface StorbinaryOptions extends Omit<RetrbinaryOptions, "reuse"> {
  /** Called with each block that was written, and awaited. */
  callback?: ((block: Uint8Array) => unknown) | undefined;
}

const RETRBINARY_OPTIONS: NamesOf<RetrbinaryOptions> = {
  blocksize: true,
  reuse: true,
  rest: true,
  signal: true,
};

const STORBINARY_OPTIONS: NamesOf<StorbinaryOptions> = {
  blocksize: true,
  callback: true,
  rest: true,
  signal: true,
};

/** An argument of `nlst` and `dir`: a word for the command, or options. */
export type ListArgument = string | SignalOptions;

/**
 * The transfers of Python's `ftplib.FTP`, on the connection.
 */
export class FTPTransfers extends FTPCommands {
  /**
   * Opens a transfer and gives its data connection. Read or write it, close
   * it, and then await `voidresp`: before that the transfer is not
   * confirmed, and every other command is refused with `Deno.errors.Busy`. A
   * download that is closed before its end is aborted by the next call, which
   * may have another connection, as {@linkcode FTPCommands.abort} tells.
   *
   * @param cmd `RETR path`, `STOR path`, `LIST`...
   * @param rest Offset to start at, in bytes (`REST`)
   * @param options A signal; it ends the data connection too
   * @returns The data connection, and the server's estimate of the size in
   * bytes or `null`
   * @throws {FTPError} If the server refuses
   * @throws {RangeError} If the offset is a number and no such offset
   * @throws {TypeError} If TLS was asked for and the data is not protected
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Read a file in pieces
   * ```ts
   * import { FTP } from "../../mod.ts";
   *
   * await using ftp = new FTP();
   * await ftp.connect("ftp.example.com");
   * await ftp.login();
   * await ftp.voidcmd("TYPE I");
   * const [conn, size] = await ftp.ntransfercmd("RETR data.bin");
   * const buffer = new Uint8Array(2048);
   * let received = 0;
   * for (let n; (n = await conn.read(buffer)) !== null;) received += n;
   * conn.close();
   * await ftp.voidresp();
   * console.log(received, size);
   * ```
   */
  async ntransfercmd(
    cmd: string,
    rest?: number | string,
    options: SignalOptions = {},
  ): Promise<[DataConnection, number | null]> {
    const session = sessionOf(this);
    checkRest(rest);
    const transfer = await openTransfer(session, parseCommand(cmd), {
      ...options,
      rest,
      anyMode: true,
      advice: "close its data connection and await voidresp() first",
    });
    return [transfer.data, transfer.size];
  }

  /**
   * As {@linkcode ntransfercmd}, without the size.
   *
   * @param cmd `RETR path`, `STOR path`, `LIST`...
   * @param rest Offset to start at, in bytes
   * @param options A signal
   * @returns The data connection
   */
  async transfercmd(
    cmd: string,
    rest?: number | string,
    options: SignalOptions = {},
  ): Promise<DataConnection> {
    const [connection] = await this.ntransfercmd(cmd, rest, options);
    return connection;
  }

  /**
   * Retrieves a file in binary (`TYPE I`).
   *
   * An error of the callback aborts the transfer and is thrown again; the client
   * stays usable, perhaps by another connection ({@linkcode FTPCommands.abort}).
   *
   * @param cmd `RETR path`
   * @param callback Called with each block and awaited; the block is the
   * callback's to keep, unless `reuse` is set
   * @param options Block size, offset and signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure
   * @throws {RangeError} If block size or offset are no such numbers
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Hash a file without keeping it
   * ```ts
   * import { createHash } from "node:crypto";
   * import { connect } from "../../mod.ts";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const hash = createHash("sha256");
   * await ftp.retrbinary("RETR data.bin", (block) => hash.update(block), {
   *   blocksize: 65_536,
   *   reuse: true,
   * });
   * console.log(hash.digest("hex"));
   * ```
   */
  async retrbinary(
    cmd: string,
    callback: (block: Uint8Array<ArrayBuffer>) => unknown,
    options: RetrbinaryOptions = {},
  ): Promise<Reply> {
    checkNames("retrbinary", options, RETRBINARY_OPTIONS);
    checkRest(options.rest);
    return await receiveBlocks(sessionOf(this), parseCommand(cmd), callback, {
      blocksize: options.blocksize ?? BLOCKSIZE,
      reuse: options.reuse,
      rest: options.rest,
      signal: options.signal,
      type: "I",
      anyMode: true,
    });
  }

  /**
   * Retrieves a text or a listing (`TYPE A`), line by line. CRLF and LF end a
   * line; a CR alone does not, unlike in ftplib.
   *
   * @param cmd `RETR path`, `LIST`, `NLST`...
   * @param callback Called with each line, without its end, and awaited; prints
   * it if it is left out, control characters replaced
   * @param options A signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure
   * @throws {FTPProtocolError} If a line is longer than `maxLine`; the transfer
   * is aborted, and the connection can be used
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Read a report
   * ```ts
   * import { connect } from "../../mod.ts";
   *
   * await using ftp = await connect("ftp://ftp.example.com");
   * const lines: string[] = [];
   * await ftp.retrlines("RETR report.txt", (line) => lines.push(line));
   * ```
   */
  async retrlines(
    cmd: string,
    callback: (line: string) => unknown = printLine,
    options: SignalOptions = {},
  ): Promise<Reply> {
    return await receiveLines(sessionOf(this), parseCommand(cmd), callback, {
      ...options,
    });
  }

  /**
   * Stores a file in binary (`TYPE I`). The command is sent when the source has
   * given its first chunk: it may empty a file. As in ftplib, what is proven is
   * the server's final reply and nothing else: `size` or `upload` compare.
   *
   * @param cmd `STOR path`, `APPE path`, `STOU`
   * @param source The bytes
   * @param options Block size, callback, offset and signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure (552: disk
   * full)
   * @throws {RangeError} If block size or offset are no such numbers
   * @throws {TypeError} If the source gives no bytes, or was read before
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Append to a log
   * ```ts
   * import { connect } from "../../mod.ts";
   *
   * await using ftp = await connect("ftp://ftp.example.com/logs");
   * const line = new TextEncoder().encode(`${new Date().toISOString()} done\n`);
   * await ftp.storbinary("APPE jobs.log", line);
   * ```
   */
  async storbinary(
    cmd: string,
    source: Source,
    options: StorbinaryOptions = {},
  ): Promise<Reply> {
    checkNames("storbinary", options, STORBINARY_OPTIONS);
    checkRest(options.rest);
    return await sendBlocks(sessionOf(this), parseCommand(cmd), source, {
      blocksize: options.blocksize ?? BLOCKSIZE,
      callback: options.callback,
      rest: options.rest,
      signal: options.signal,
      type: "I",
      anyMode: true,
    });
  }

  /**
   * Stores a text (`TYPE A`). Every line is ended with CRLF. As with
   * {@linkcode storbinary} the source comes first.
   *
   * @param cmd `STOR path`
   * @param source The bytes, with LF or CRLF
   * @param callback Called with each line that was written, and awaited
   * @param options A signal
   * @returns The final 2yz reply
   * @throws {FTPError} As {@linkcode storbinary}
   * @throws {FTPProtocolError} If a line is longer than `maxLine`; the transfer
   * is aborted, and the connection can be used
   */
  async storlines(
    cmd: string,
    source: Source,
    callback?: (line: Uint8Array) => unknown,
    options: SignalOptions = {},
  ): Promise<Reply> {
    return await sendLines(sessionOf(this), parseCommand(cmd), source, {
      ...options,
      callback,
    });
  }

  /**
   * Names in a directory (`NLST`, RFC 959 section 4.1.3), all of which are kept.
   *
   * @param args Words for the command, commonly one path; and a signal
   * @returns The names, as the server gives them
   * @throws {FTPError} If the server refuses; some do with 550 or 450 where
   * there is nothing to name
   * @throws {RangeError} If the names take more than `maxListing` bytes
   */
  async nlst(...args: ListArgument[]): Promise<string[]> {
    const { cmd, options } = listCommand("NLST", args);
    return await keepLines(sessionOf(this), parseCommand(cmd), options);
  }

  /**
   * A directory as people read it (`LIST`, RFC 959 section 4.1.3).
   *
   * @param args Words for the command, commonly one path; last a callback for
   * the lines, else they are printed; and a signal
   * @returns The final 2yz reply
   * @throws {FTPError} As {@linkcode retrlines}
   */
  dir(
    ...args: (ListArgument | ((line: string) => unknown))[]
  ): Promise<Reply> {
    const callback = args.find((arg) => typeof arg === "function");
    const words = args.filter((arg) => typeof arg !== "function");
    const { cmd, options } = listCommand("LIST", words);
    return this.retrlines(cmd, callback, options);
  }

  /**
   * A directory in the standard's format (`MLSD`, RFC 3659 section 7).
   * Stopping early aborts the transfer; the client stays usable, perhaps by
   * another connection ({@linkcode FTPCommands.abort}).
   *
   * @param path The directory; "" for the current one
   * @param facts The facts wanted (`OPTS MLST`); none for the server's choice
   * @param options A signal
   * @returns Name and facts of each entry, the facts' names in lower case; the
   * entries for the directory itself and its parent too
   * @throws {FTPError} As {@linkcode retrlines}; 500 or 502 where it is unknown
   */
  async *mlsd(
    path = "",
    facts: readonly string[] = [],
    options: SignalOptions = {},
  ): AsyncGenerator<[name: string, facts: Record<string, string>]> {
    const session = sessionOf(this);
    checkFacts(facts);
    const command = path === ""
      ? { verb: "MLSD" }
      : { verb: "MLSD", argument: path, name: "path" };
    encodeCommand(command, session.control.encoding);
    if (facts.length > 0) {
      const argument = `MLST ${facts.join(";")};`;
      await performOn(this, { verb: "OPTS", argument, name: "facts" }, options);
    }
    for await (
      const line of iterateLines(session, command, options)
    ) {
      const { name, facts } = parseFacts(line);
      yield [name, facts];
    }
  }
}

/** What a server sends must not drive the terminal. */
function printLine(line: string): void {
  console.log(printableText(line));
}

/** A number is an offset; a text may be any marker (RFC 959 section 3.5). */
function checkRest(rest: number | string | undefined): void {
  if (rest === undefined || typeof rest === "string") return;
  if (Number.isSafeInteger(rest) && rest >= 0) return;
  throw new RangeError(
    `Cannot start at offset ${
      showValue(rest)
    }: rest must be a non-negative integer`,
  );
}

/** A fact is a word (RFC 3659 section 7.1). */
function checkFacts(facts: readonly string[]): void {
  const areFacts = Array.isArray(facts) &&
    facts.every((fact) => typeof fact === "string" && /^[^\s;=]+$/.test(fact));
  if (areFacts) return;
  throw new TypeError(
    'Cannot use "facts": it must be an array of facts, such as ["size", "modify"]',
  );
}

function listCommand(
  verb: string,
  args: readonly ListArgument[],
): { cmd: string; options: SignalOptions } {
  for (const arg of args) {
    if (typeof arg === "string") continue;
    checkNames(verb, arg, { signal: true });
  }
  const words = args.filter((arg) => typeof arg === "string");
  const options = args.find((arg) => typeof arg === "object") ?? {};
  // ftplib leaves an empty word out of LIST; NLST gets the same
  const given = words.filter((word) => word !== "");
  return { cmd: [verb, ...given].join(" "), options };
}
