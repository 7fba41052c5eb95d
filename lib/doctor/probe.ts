/**
 * Connections with a log, for `diagnose`.
 *
 * @module
 */

import type { TraceEvent } from "../connection/trace.ts";
import { connect, type ConnectURLOptions } from "../client/connect.ts";
import type { FTP } from "../client/ftp.ts";
import { parse227 } from "../protocol/address.ts";

/** Commands, replies and events of one connection. */
export class SessionLog {
  readonly #events: TraceEvent[] = [];

  /** Adds a line of the trace. */
  readonly note = (event: TraceEvent): void => {
    this.#events.push(event);
  };

  /** The first reply: the greeting. */
  get greeting(): string | undefined {
    return this.#events.find(({ direction }) => direction === "received")?.text;
  }

  /** Whether a command was sent. */
  hasSent(verb: string): boolean {
    return this.#events.some(({ direction, text }) =>
      direction === "sent" && text.split(" ", 1)[0] === verb
    );
  }

  /** Text of the last reply with a code. */
  replyOf(code: number): string | undefined {
    return this.#events.findLast(({ direction, text }) =>
      direction === "received" && text.startsWith(String(code))
    )?.text;
  }

  /** Whether a transfer has begun, with a 1yz reply. */
  get hasOpened(): boolean {
    return this.#events.some(({ direction, text }) =>
      direction === "received" && /^1\d\d/.test(text)
    );
  }

  /** The host in the last 227 reply, if it can be parsed. */
  get passiveHost(): string | undefined {
    const text = this.replyOf(227);
    if (text === undefined) return undefined;
    try {
      return parse227(text)[0];
    } catch {
      return undefined;
    }
  }
}

/** A client and its log. */
export interface Probe extends AsyncDisposable {
  /** The client, logged in. */
  readonly ftp: FTP;
  /** The log. */
  readonly log: SessionLog;
}

/** Connects and logs in like a user of the module. */
export async function openProbe(
  url: string,
  options: ConnectURLOptions,
  log: SessionLog = new SessionLog(),
): Promise<Probe> {
  const ftp = await connect(url, {
    ...options,
    trace: traceBoth(options, log),
  });
  return { ftp, log, [Symbol.asyncDispose]: () => ftp[Symbol.asyncDispose]() };
}

/** Also calls the user's trace. */
function traceBoth(
  { trace }: ConnectURLOptions,
  log: SessionLog,
): (event: TraceEvent) => void {
  return (event) => {
    log.note(event);
    trace?.(event);
  };
}

/** Result of a listing over a data connection. */
export interface DataProbe {
  /** Number of bytes read. */
  readonly bytes: number;
  /** Whether TLS resumed the session of the control connection. */
  readonly resumed: boolean | undefined;
}

/** Largest number of bytes to read of a listing. */
const MAX_BYTES = 256 * 1024;

/** Opens a data connection and reads a listing. */
export async function probeData(
  ftp: FTP,
  signal: AbortSignal | undefined,
): Promise<DataProbe> {
  const [data] = await ftp.ntransfercmd("LIST", undefined, { signal });
  let bytes = 0;
  const buffer = new Uint8Array(16 * 1024);
  try {
    while (bytes < MAX_BYTES) {
      const n = await data.read(buffer);
      if (n === null) break;
      bytes += n;
    }
  } finally {
    data.close();
  }
  const resumed = data.tls?.resumed;
  if (bytes >= MAX_BYTES) {
    await ftp.voidresp({ signal }).catch(() => {}); // this side stopped early
  } else await ftp.voidresp({ signal });
  return { bytes, resumed };
}

/** Private and local addresses (RFC 1918, 6598, 3927, 1122). */
const PRIVATE_REGEXP =
  /^(0\.|10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;

/** Whether an IPv4 address is private. */
export function isPrivate(host: string): boolean {
  return PRIVATE_REGEXP.test(host);
}
