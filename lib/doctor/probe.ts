/**
 * Connections that take notes, for `diagnose`.
 *
 * @module
 */

import type { TraceEvent } from "../connection/trace.ts";
import { connect, type ConnectURLOptions } from "../client/connect.ts";
import type { FTP } from "../client/ftp.ts";
import { parse227 } from "../protocol/address.ts";

/** What passed on one connection. */
export class SessionLog {
  readonly #events: TraceEvent[] = [];

  /**
   * Takes a line of the trace.
   *
   * @param event The line
   */
  readonly note = (event: TraceEvent): void => {
    this.#events.push(event);
  };

  /** The first reply: the greeting. */
  get greeting(): string | undefined {
    return this.#events.find(({ direction }) => direction === "received")?.text;
  }

  /**
   * Whether a command was sent.
   *
   * @param verb The command
   * @returns Whether it was
   */
  hasSent(verb: string): boolean {
    return this.#events.some(({ direction, text }) =>
      direction === "sent" && text.split(" ", 1)[0] === verb
    );
  }

  /**
   * The last reply with a code.
   *
   * @param code The code
   * @returns Its text
   */
  replyOf(code: number): string | undefined {
    return this.#events.findLast(({ direction, text }) =>
      direction === "received" && text.startsWith(String(code))
    )?.text;
  }

  /** Whether a transfer has begun: the server has said 1yz. */
  get hasOpened(): boolean {
    return this.#events.some(({ direction, text }) =>
      direction === "received" && /^1\d\d/.test(text)
    );
  }

  /** The host that a 227 reply has told, if there was one that can be read. */
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

/** A client and its notes. */
export interface Probe extends AsyncDisposable {
  /** The client, logged in. */
  readonly ftp: FTP;
  /** What passed. */
  readonly log: SessionLog;
}

/**
 * Connects and logs in as a user of the module would.
 *
 * @param url The URL, without a path
 * @param options The user's, and what the probe changes
 * @param log Where notes are taken
 * @returns The client
 */
export async function openProbe(
  url: string,
  options: ConnectURLOptions,
  log: SessionLog = new SessionLog(),
): Promise<Probe> {
  const ftp = await connect(url, { ...options, trace: tee(options, log) });
  return { ftp, log, [Symbol.asyncDispose]: () => ftp[Symbol.asyncDispose]() };
}

/** The user's trace hears everything, too. */
function tee(
  { trace }: ConnectURLOptions,
  log: SessionLog,
): (event: TraceEvent) => void {
  return (event) => {
    log.note(event);
    trace?.(event);
  };
}

/** What a listing over a data connection showed. */
export interface DataProbe {
  /** Bytes that came, as far as they were read. */
  readonly bytes: number;
  /** Whether TLS resumed the session of the control connection. */
  readonly resumed: boolean | undefined;
}

/** Most bytes of a listing that are read. */
const MAX_BYTES = 256 * 1024;

/**
 * Opens a data connection and reads a listing.
 *
 * @param ftp The client
 * @param signal Ends it
 * @returns What came
 */
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
    await ftp.voidresp({ signal }).catch(() => {}); // it was cut here
  } else await ftp.voidresp({ signal });
  return { bytes, resumed };
}

/** Addresses that are no use beyond a network (RFC 1918, 6598, 3927, 1122). */
const PRIVATE_REGEXP =
  /^(0\.|10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;

/**
 * Whether an address leads nowhere from another network.
 *
 * @param host An IPv4 address
 * @returns Whether it is private
 */
export function isPrivate(host: string): boolean {
  return PRIVATE_REGEXP.test(host);
}
