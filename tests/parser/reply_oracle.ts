/**
 * The grammar of replies in plain TypeScript: byte by byte, with lines as
 * latin-1 strings. The parser has to agree with it on every input.
 */

export interface OracleOptions {
  maxReplyLine: number;
  maxReply: number;
  lenient: boolean;
}

export interface OracleReply {
  code: number;
  text: string;
}

export type OracleError = "malformed" | "line too long" | "reply too long";

const LF = 0x0a;
const IAC = 0xff;
const SB = 0xfa;
const SE = 0xf0;

export class ReplyOracle {
  readonly replies: OracleReply[] = [];
  error: OracleError | undefined;
  hint: string | undefined;

  readonly #options: OracleOptions;
  /** Complete lines of the reply that is open; none between replies. */
  #lines: string[] = [];
  /** Bytes of the line that is not complete. */
  #line: number[] = [];
  /** Bytes since the last reply ended, LFs and blank lines included. */
  #replyLength = 0;
  /** The Telnet command that is not complete. */
  #command: number[] = [];

  constructor(options: OracleOptions) {
    this.#options = options;
  }

  get hasPartial(): boolean {
    return this.error === undefined &&
      (this.#line.length > 0 || this.#lines.length > 0);
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) this.#onByte(byte);
  }

  /** RFC 854: takes Telnet commands out. */
  #onByte(byte: number): void {
    const command = this.#command;
    if (command.length === 0 && byte !== IAC) return this.#onText(byte);
    command.push(byte);
    const [, verb] = command;
    if (verb === undefined) return;
    if (verb === IAC) {
      this.#command = [];
      this.#onText(IAC);
    } else if (verb < SE) {
      this.#command = [];
      this.#onText(IAC);
      this.#onText(verb);
    } else if (verb === SB) {
      if (isSubnegotiationEnd(command)) this.#command = [];
      else if (command.length - 2 > this.#options.maxReplyLine) {
        this.error ??= "line too long";
      }
    } else if (verb < SB || command.length === 3) {
      this.#command = [];
    }
  }

  #onText(byte: number): void {
    if (this.error !== undefined) return;
    this.#replyLength++;
    if (byte !== LF) this.#line.push(byte);
    if (this.#line.length > this.#options.maxReplyLine) {
      this.error = "line too long";
    } else if (this.#replyLength > this.#options.maxReply) {
      this.error = "reply too long";
    } else if (byte === LF) {
      const line = String.fromCharCode.apply(null, this.#line).replace(
        /\r*$/,
        "",
      );
      this.#line = [];
      this.#onLine(line);
    }
  }

  #onLine(line: string): void {
    const [, code, mark] = /^([1-5][0-9][0-9])(?:$|([ -]))/.exec(line) ?? [];
    const isEnd = code !== undefined && mark !== "-";
    const opener = this.#lines[0];
    this.hint = undefined;
    if (opener === undefined) {
      if (line === "") return;
      if (code === undefined) this.error = "malformed";
      else if (isEnd) this.#onReply(code, [line]);
      else this.#lines = [line];
      return;
    }
    this.#lines.push(line);
    if (!isEnd) return;
    if (this.#options.lenient || code === opener.slice(0, 3)) {
      this.#onReply(code, this.#lines);
    } else {
      this.hint = decodeCr(line);
    }
  }

  #onReply(code: string, lines: string[]): void {
    this.replies.push({ code: Number(code), text: decodeCr(lines.join("\n")) });
    this.#lines = [];
    this.#replyLength = 0;
  }
}

/** RFC 854: CR NUL is how a CR that ends no line is sent. */
function decodeCr(text: string): string {
  return text.replaceAll("\r\0", "\r");
}

/** Whether IAC SB ... ends in an IAC SE whose IAC is not itself escaped. */
function isSubnegotiationEnd(command: number[]): boolean {
  if (command.at(-1) !== SE) return false;
  // Pairs are read from the left: an IAC takes the byte after it along.
  let at = 2;
  while (at < command.length - 2) at += command[at] === IAC ? 2 : 1;
  return at === command.length - 2 && command[at] === IAC;
}
