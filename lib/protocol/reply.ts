/**
 * Replies (RFC 959, 4.2), and the reader that finds them in the bytes of the
 * control connection.
 *
 * @module
 */

import { PIECE_SIZE, ReplyScanner } from "../../parser/mod.ts";
import { ByteBuffer, copyOf } from "./byte_buffer.ts";
import { FTPProtocolError, REDACTED } from "./errors.ts";
import { printableInspection, quoteEscaped } from "./printable.ts";
import { ReplySource } from "./reply_source.ts";

const LF = 0x0a;
const CR = 0x0d;

/** The source of a reply that has its text already. */
const NO_BYTES = new ReplySource(new Uint8Array(), () => "");

/** Longest quote of an invalid line, in characters. */
const MAX_QUOTE = 80;

/** A reply of the server: a code, and one or more lines of text. */
export class Reply {
  /** The three-digit code, 100 to 599. */
  readonly code: number;
  #source: ReplySource | undefined;
  readonly #start: number;
  readonly #end: number;
  #text = "";
  #mask: ((text: string) => string) | undefined;

  /**
   * Creates a reply from a range of bytes. {@linkcode Reply.from} creates one
   * from text.
   *
   * @param code The code
   * @param source The bytes that contain the reply
   * @param start Where it starts, in bytes
   * @param end Where it ends, in bytes, without its line end
   * @param mask Masks secrets, for errors made of the reply
   * @ignore
   */
  constructor(
    code: number,
    source: ReplySource,
    start: number,
    end: number,
    mask?: (text: string) => string,
  ) {
    this.code = code;
    this.#source = source;
    this.#start = start;
    this.#end = end;
    this.#mask = mask;
  }

  /**
   * Creates a reply from its text.
   *
   * @param text The lines as the server sends them, such as `"250 Done"`
   * @returns The reply
   * @throws {SyntaxError} If the text is not exactly one reply
   */
  static from(text: string): Reply {
    const reader = new ReplyReader({
      decode: (bytes) => new TextDecoder().decode(bytes),
      maxReplyLine: Infinity,
      maxReply: Infinity,
    });
    const [reply, ...others] = reader.push(
      new TextEncoder().encode(text + "\n"),
    );
    if (!reply || others.length > 0 || reader.error || reader.hasPartial) {
      throw new SyntaxError(
        `Cannot make a reply: expected one reply, got ${quoteShort(text)}`,
      );
    }
    return reply;
  }

  /** All lines joined by `"\n"`, with their codes, as ftplib returns them. */
  get text(): string {
    if (this.#source !== undefined) {
      this.#text = this.#source.read(this.#start, this.#end);
      this.#source = undefined;
    }
    return this.#text;
  }

  /** The lines without their ends. The first starts with the code. */
  get lines(): readonly string[] {
    return this.text.split("\n");
  }

  /** The same as {@linkcode Reply.text}. */
  toString(): string {
    return this.text;
  }

  /**
   * Returns a copy without the secrets in the text; the same reply if it has
   * none.
   *
   * @ignore
   */
  [REDACTED](): Reply {
    const text = this.#mask?.(this.text) ?? this.text;
    if (text === this.text) return this;
    const copy = new Reply(this.code, NO_BYTES, 0, 0);
    copy.#source = undefined;
    copy.#text = text;
    return copy;
  }

  /**
   * Formats the reply for `console.log`.
   *
   * @ignore
   */
  [Symbol.for("Deno.customInspect")](
    inspect: (value: unknown, options: unknown) => string,
    options: unknown,
  ): string {
    return printableInspection(
      `Reply ${inspect({ code: this.code, text: this.text }, options)}`,
    );
  }
}

/** Options for {@linkcode ReplyReader}. */
export interface ReplyReaderOptions {
  /** Decodes bytes of the session's encoding. ASCII must decode to itself. */
  decode: (bytes: Uint8Array) => string;
  /**
   * Longest line of a reply, in bytes.
   *
   * @default 65_536
   */
  maxReplyLine?: number | undefined;
  /**
   * Largest reply, in bytes, line ends included.
   *
   * @default 1_048_576
   */
  maxReply?: number | undefined;
  /**
   * Which line ends a multi-line reply. `"strict"`: a line with the code of the
   * first line (RFC 959, 4.2). `"lenient"`: a line with any code, which becomes
   * the reply's code.
   *
   * @default "strict"
   */
  multiline?: "strict" | "lenient" | undefined;
  /** Masks secrets in quotes, and in replies that become errors. */
  mask?: ((text: string) => string) | undefined;
}

/**
 * Reads replies from bytes. The result does not depend on how the bytes are
 * split. Does no I/O.
 */
export class ReplyReader {
  readonly #decode: (bytes: Uint8Array) => string;
  readonly #mask: ((text: string) => string) | undefined;
  readonly #maxReplyLine: number;
  readonly #maxReply: number;
  readonly #scanner: ReplyScanner;
  /** Bytes of the incomplete reply. */
  readonly #kept = new ByteBuffer();
  #error: FTPProtocolError | undefined;

  /** Creates a reader at the start of a connection. */
  constructor(options: ReplyReaderOptions) {
    this.#decode = options.decode;
    this.#mask = options.mask;
    this.#maxReplyLine = options.maxReplyLine ?? 65_536;
    this.#maxReply = options.maxReply ?? 1_048_576;
    this.#scanner = new ReplyScanner({
      maxReplyLine: this.#maxReplyLine,
      maxReply: this.#maxReply,
      lenient: options.multiline === "lenient",
    });
  }

  /**
   * The error in the stream, if there is one. The replies before it were
   * returned, and none will follow.
   */
  get error(): FTPProtocolError | undefined {
    return this.#error;
  }

  /** Whether a reply has started and not ended. */
  get hasPartial(): boolean {
    return this.#kept.length > 0;
  }

  /**
   * The last complete line, if it would have ended the multi-line reply but for
   * its code; `undefined` otherwise. Some servers (glFTPd) send such a line and
   * nothing more.
   */
  get hint(): string | undefined {
    if (this.#error !== undefined || !this.#scanner.hint) return undefined;
    const kept = this.#kept.view();
    const end = kept.lastIndexOf(LF);
    return this.#read(kept.slice(kept.lastIndexOf(LF, end - 1) + 1, end));
  }

  /**
   * Reads the next bytes, which may be overwritten afterwards. Returns the
   * replies that they complete, in order.
   */
  push(chunk: Uint8Array): Reply[] {
    const replies: Reply[] = [];
    if (chunk.length <= PIECE_SIZE) {
      this.#pushPiece(chunk, replies);
      return replies;
    }
    for (let at = 0; at < chunk.length; at += PIECE_SIZE) {
      this.#pushPiece(chunk.subarray(at, at + PIECE_SIZE), replies);
    }
    return replies;
  }

  /** Reads no more bytes than the parser takes at once. */
  #pushPiece(piece: Uint8Array, replies: Reply[]): void {
    if (this.#error !== undefined) return;
    const scanner = this.#scanner;
    const count = scanner.scan(piece);
    const text = scanner.text(piece);

    let first = 0;
    if (count > 0 && scanner.start(0) < 0) {
      first = 1;
      const bytes = this.#join(text, scanner.end(0));
      const source = new ReplySource(bytes, this.#decode);
      replies.push(
        new Reply(scanner.code(0), source, 0, bytes.length, this.#mask),
      );
    }
    if (count > first) {
      const base = scanner.start(first);
      const bytes = copyOf(text, base, scanner.end(count - 1));
      const source = new ReplySource(bytes, this.#decode);
      for (let index = first; index < count; index++) {
        replies.push(
          new Reply(
            scanner.code(index),
            source,
            scanner.start(index) - base,
            scanner.end(index) - base,
            this.#mask,
          ),
        );
      }
    }

    if (scanner.status !== "good") this.#fail(text);
    else this.#keep(text, text.length);
  }

  /** Keeps the bytes of the incomplete reply. */
  #keep(text: Uint8Array, end: number): void {
    const from = this.#scanner.keep;
    if (from >= 0) this.#kept.clear();
    this.#kept.append(text, Math.max(from, 0), end);
  }

  /**
   * Joins the kept bytes and the text up to `end`; a negative `end` cuts off
   * kept bytes.
   */
  #join(text: Uint8Array, end: number): Uint8Array {
    const kept = this.#kept;
    kept.append(text, 0, Math.max(end, 0));
    return kept.take(kept.length + Math.min(end, 0));
  }

  /** Stores the error, after which no reply is read. */
  #fail(text: Uint8Array): void {
    const { status } = this.#scanner;
    this.#keep(text, this.#scanner.wrongEnd);
    const line = status === "malformed"
      ? this.#kept.take(this.#kept.length)
      : undefined;
    this.#kept.clear();
    this.#error = new FTPProtocolError(
      line !== undefined
        ? `Cannot read the reply: expected a code from 100 to 599, got ${
          quoteShort(this.#read(line))
        }${otherProtocol(line)}`
        : status === "lineTooLong"
        ? `Cannot read the reply: a line is longer than ${this.#maxReplyLine} bytes`
        : `Cannot read the reply: it is longer than ${this.#maxReply} bytes`,
    );
  }

  /** Decodes a line for a message, without its final CRs. */
  #read(line: Uint8Array): string {
    let end = line.length;
    while (end > 0 && line[end - 1] === CR) end--;
    const text = new ReplySource(line, this.#decode).read(0, end);
    return this.#mask?.(text) ?? text;
  }
}

/** Quotes text of the server in one short printable line. */
function quoteShort(text: string): string {
  const short = text.length > MAX_QUOTE
    ? `${text.slice(0, MAX_QUOTE)}...`
    : text;
  return quoteEscaped(short);
}

const OTHER_PROTOCOLS: readonly [first: string, hint: string][] = [
  ["SSH-", "; this is an SSH server, and SFTP is not FTP"],
  ["HTTP/", "; this is a web server"],
  [
    "\x15\x03",
    "; this is TLS, which this server may use from the first byte (ftps:)",
  ],
];

/** Identifies a server that does not speak FTP. */
function otherProtocol(line: Uint8Array): string {
  const start = String.fromCharCode(...line.subarray(0, 5));
  return OTHER_PROTOCOLS.find(([first]) => start.startsWith(first))?.[1] ?? "";
}
