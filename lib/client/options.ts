/**
 * What a user can set, and what holds where nothing is set.
 *
 * @module
 */

import type { PortRange } from "../connection/dial.ts";
import type { Dial } from "../connection/dialed_stream.ts";
import { checkActive, makeRoute, type Route } from "../connection/route.ts";
import { formatEprt } from "../protocol/address.ts";
import type { PassiveMode } from "../transfer/session.ts";
import {
  type Command,
  encodeCommand,
  parseCommand,
} from "../protocol/command.ts";
import { checkNames, type NamesOf } from "../protocol/check_names.ts";
import { checkNumber, MAX_MILLISECONDS } from "../protocol/check_number.ts";
import { checkWord, showValue } from "../protocol/check_word.ts";
import { type Encoding, makeEncoding } from "../protocol/encoding.ts";
import { checkTLSOptions, TLS_MODES, type TLSOptions } from "../tls/options.ts";
import { type Trace, Tracer } from "../connection/trace.ts";

/** Options of {@linkcode FTP}. */
export interface FTPOptions {
  /**
   * Encoding of commands, replies and names: "utf-8", "latin-1", or a label
   * that `TextDecoder` knows. Bytes that are not text in it, or those of a
   * character that is usually written with others, become lone
   * surrogates, and the same bytes again when they are sent.
   *
   * @default "utf-8"
   */
  encoding?: string | undefined;
  /**
   * Milliseconds that a wait may last without progress, up to 2,147,483,647;
   * 0 or `Infinity` for no limit. It never limits a transfer that moves.
   *
   * A call whose server has fallen silent may take longer in all, by what
   * follows the wait, each of it five seconds at most, and no longer than
   * `timeout`: a transfer waits for the server's word on its data connection,
   * which often tells the cause; `upload()` deletes its temporary file, if need
   * be on a new connection. `download()` and `upload()` do so once for each
   * attempt (`retry`), beside the waits between them. A call whose signal
   * aborts takes as long at most: five seconds for the transfer, and five for
   * the temporary file.
   *
   * @default 30_000
   */
  timeout?: number | undefined;
  /**
   * Who dials the data connection. `true`: the client, by `EPSV`, or by `PASV`
   * where `EPSV` leads nowhere; "epsv" or "pasv": by this one only; `false`: the
   * server (`PORT`, `EPRT`); "auto": the client, and the server where it refuses
   * both `EPSV` and `PASV`.
   *
   * @default true
   */
  passive?: PassiveMode | undefined;
  /**
   * Address of this machine, IPv4 or IPv6, that control and data connections
   * come from, and that is listened on in active mode. A name is looked up in its
   * family. Where it stands for all (`"0.0.0.0"`, `"::"`) nothing is bound, and the
   * server is told the address of the control connection in active mode.
   *
   * Connections that are bound go through `node:net`, which costs more processor
   * time than `Deno.connect`. Requires `allow-net` permission for the address.
   *
   * @default the system chooses
   */
  localAddress?: string | undefined;
  /**
   * Opens the control and data connections, through a tunnel for example. TLS is
   * put on top of what it gives. It needs the permissions of what it does; the
   * client itself needs none then. There is no active mode with it.
   *
   * @default Deno.connect
   */
  dial?: Dial | undefined;
  /**
   * URL of a proxy for the control and data connections: "socks5:" (RFC 1928), or
   * "http:" (CONNECT), such as `socks5://user:password@host:1080`. Without a port
   * it is 1080 or 80. The proxy looks the server's name up. Only `allow-net`
   * permission for the proxy is needed. There is no active mode with it. No
   * environment variable is looked at.
   *
   * @default none
   */
  proxy?: string | URL | undefined;
  /**
   * Address that the server is told to connect to in active mode, where it is
   * not the one that is listened on: that of a router which passes the ports of
   * `activePorts` on (NAT). An IPv4 or IPv6 address.
   *
   * @default the address that is listened on
   */
  activeAddress?: string | undefined;
  /**
   * Whether `EPRT` may be sent in active mode: over IPv6, and over IPv4 where
   * `PORT` is unknown. Some firewalls close a connection at it.
   *
   * @default true
   */
  allowEPRT?: boolean | undefined;
  /**
   * TCP port, or first and last of a range, to listen on in active mode; 0
   * lets the system choose.
   *
   * @default 0
   */
  activePorts?: PortRange | undefined;
  /**
   * Whether the host in a 227 reply is dialled, and not the host of the
   * control connection. It lets a server direct the client anywhere (RFC 2577
   * section 3).
   *
   * @default false
   */
  trustPasvHost?: boolean | undefined;
  /**
   * TLS on the control and data connections (RFC 4217): "explicit" (`AUTH
   * TLS`), "implicit" (from the first byte, port 990), or the mode with
   * certificates, fingerprint and versions.
   *
   * @default no TLS
   */
  tls?: "explicit" | "implicit" | TLSOptions | undefined;
  /**
   * Receives every command, reply and event, secrets masked and control
   * characters replaced.
   *
   * @default nobody
   */
  trace?: Trace | undefined;
  /**
   * Longest line of a reply, in bytes; a longer one ends the connection.
   *
   * @default 65_536
   */
  maxReplyLine?: number | undefined;
  /**
   * Longest reply, in bytes; a longer one ends the connection.
   *
   * @default 1_048_576
   */
  maxReply?: number | undefined;
  /**
   * Longest line of a text (`retrlines`, `dir`, `nlst`, `mlsd`), in bytes; a
   * longer one ends the transfer. A line of which an entry is made (`list`,
   * `stat`, `walk`) may have 65,535 at most, whatever is set here.
   *
   * @default 1_048_576
   */
  maxLine?: number | undefined;
  /**
   * Most memory, in bytes, for the entries of directories that are kept at once
   * (`nlst`, `walk`, `stat`, `remove`, `downloadDir`, `uploadDir`): their lines,
   * and 64 bytes for each. One entry more is a `RangeError`. What is given as it
   * comes (`list`, `mlsd`, `dir`, `retrlines`) is not kept and has no limit.
   *
   * @default 268_435_456
   */
  maxListing?: number | undefined;
  /**
   * Which line ends a multi-line reply: "strict", its own code and a blank
   * (RFC 959 section 4.2); "lenient", any code and a blank (glFTPd).
   *
   * @default "strict"
   */
  multiline?: "strict" | "lenient" | undefined;
  /**
   * Whether commands that need not wait for each other are sent together, which
   * saves round trips. Some devices read one command from what has come and
   * drop the rest, or take it all for one, and so do some firewalls. Where such
   * a command got no reply within `timeout`, the client's next connections to
   * that server do without; `download()` and `upload()` make one and go on.
   *
   * @default true
   */
  pipelining?: boolean | undefined;
  /**
   * Which of the sites of a server is meant (`HOST`, RFC 7151): it is sent before
   * each login, and before `AUTH`.
   *
   * @default none is named
   */
  virtualHost?: string | undefined;
  /**
   * Commands that are sent behind each login: of {@linkcode FTPProtocol.prototype.login FTP.login}, of
   * `connect()`, of reconnections, clones and mirrors. Such as `["SITE NAMEFMT
   * 1"]` for IBM i, or `["CLNT backup", "OPTS UTF8 ON"]`. One that is not
   * answered with 2yz fails the login.
   *
   * @default []
   */
  afterLogin?: readonly string[] | undefined;
  /**
   * Whether files and listings are compressed on the way (`MODE Z`, zlib), where
   * `FEAT` has it. It pays on slow networks. Data of which 64 MiB come and more
   * than 200 bytes for each that was sent ends the transfer: it may be a bomb.
   *
   * @default false
   */
  compress?: boolean | undefined;
  /**
   * Zone of the times that the server shows in `MDTM`, `MLSD` and `LIST`:
   * minutes east of UTC. RFC 3659 wants UTC, and some servers are set up to show
   * local time (vsftpd's `use_localtime=YES`, as Debian has it). Without this
   * option a client takes the times for UTC until an upload of its own has shown
   * the zone; one that only downloads never finds out.
   *
   * @default found out by uploads, else 0
   */
  serverZone?: number | undefined;
}

/** Every option with its value; `passive` changes with `setPasv`. */
export interface Settings {
  readonly encoding: Encoding;
  readonly timeout: number;
  passive: PassiveMode;
  readonly activeAddress: string | undefined;
  readonly allowEPRT: boolean;
  readonly localAddress: string | undefined;
  readonly dial: Dial | undefined;
  readonly proxy: string | undefined;
  /** The way that follows from them. */
  readonly route: Route;
  readonly activePorts: PortRange;
  readonly trustPasvHost: boolean;
  readonly tls: (TLSOptions & { mode: "explicit" | "implicit" }) | undefined;
  readonly tracer: Tracer;
  readonly maxReplyLine: number;
  readonly maxReply: number;
  readonly maxLine: number;
  readonly maxListing: number;
  readonly multiline: "strict" | "lenient";
  readonly pipelining: boolean;
  readonly serverZone: number | undefined;
  readonly virtualHost: string | undefined;
  readonly afterLogin: readonly Command[];
  readonly compress: boolean;
  /** Addresses of servers that turned out not to bear `pipelining`. */
  readonly dropping: Set<string>;
}

/** Whom to talk to, and under what protection. */
export interface Server {
  /** The host that the user named. */
  readonly host: string;
  /** The TCP port. */
  readonly port: number;
  /** TLS, if it was asked for. */
  readonly tls: Settings["tls"];
}

/** Of one reply line: a path of 17 KB was seen, a line of 64 KB never. */
const MAX_REPLY_LINE = 64 * 1024;

/** Of one reply: `STAT` of a directory with ten thousand names fits. */
const MAX_REPLY = 1024 * 1024;

/** Of one line of a listing or a text. */
const MAX_LINE = 1024 * 1024;

/** Of the entries that are kept: a million long lines fit. */
const MAX_LISTING = 256 * 1024 * 1024;

/** Minutes; no zone is a day away from UTC. */
const MAX_ZONE = 24 * 60;

/** Milliseconds without progress. */
const TIMEOUT = 30_000;

/** The options of a client, by name. */
export const FTP_OPTIONS: NamesOf<FTPOptions> = {
  encoding: true,
  timeout: true,
  passive: true,
  activeAddress: true,
  allowEPRT: true,
  localAddress: true,
  dial: true,
  proxy: true,
  activePorts: true,
  trustPasvHost: true,
  tls: true,
  trace: true,
  maxReplyLine: true,
  maxReply: true,
  maxLine: true,
  maxListing: true,
  multiline: true,
  pipelining: true,
  serverZone: true,
  virtualHost: true,
  afterLogin: true,
  compress: true,
};

/**
 * Fills in the defaults.
 *
 * @param options What the user set
 * @returns Every setting
 * @throws {RangeError} If a number is negative, too large or no number
 * @throws {TypeError} If a name or a word is none of those allowed, or the
 * options are something else (ftplib's constructor takes a host)
 */
export function resolveOptions(options: FTPOptions): Settings {
  if (typeof options !== "object") {
    throw new TypeError(
      `Cannot use a ${typeof options} as options: the host goes to connect()`,
    );
  }
  checkNames("FTP", options, FTP_OPTIONS);
  checkActivePorts(options.activePorts);
  checkActiveAddress(options.activeAddress);
  const { multiline = "strict", timeout = TIMEOUT } = options;
  checkWord("multiline", multiline, ["strict", "lenient"]);
  checkNumber("timeout", timeout, { most: MAX_MILLISECONDS });
  checkZone(options.serverZone);
  const route = makeRoute(options);
  if (options.passive === false) checkActive(route);
  return {
    encoding: makeEncoding(options.encoding ?? "utf-8"),
    timeout: timeout === Infinity ? 0 : timeout,
    passive: options.passive ?? true,
    activeAddress: options.activeAddress,
    allowEPRT: options.allowEPRT ?? true,
    localAddress: options.localAddress,
    dial: options.dial,
    proxy: options.proxy && String(options.proxy),
    route,
    activePorts: options.activePorts ?? 0,
    trustPasvHost: options.trustPasvHost ?? false,
    tls: resolveTLS(options.tls),
    tracer: new Tracer(options.trace),
    maxReplyLine: limit("maxReplyLine", options.maxReplyLine ?? MAX_REPLY_LINE),
    maxReply: limit("maxReply", options.maxReply ?? MAX_REPLY),
    maxLine: limit("maxLine", options.maxLine ?? MAX_LINE),
    maxListing: limit("maxListing", options.maxListing ?? MAX_LISTING),
    multiline,
    pipelining: options.pipelining ?? true,
    serverZone: options.serverZone,
    virtualHost: options.virtualHost,
    afterLogin: parseAfterLogin(options.afterLogin),
    compress: options.compress ?? false,
    dropping: new Set(),
  };
}

/**
 * The options that give the same settings again.
 *
 * @param settings The settings
 * @returns Options for another client
 */
export function optionsOf(settings: Settings): FTPOptions {
  const {
    encoding,
    tracer,
    dropping,
    pipelining,
    afterLogin,
    route: _,
    ...rest
  } = settings;
  return {
    ...rest,
    encoding: encoding.label,
    trace: tracer.trace,
    afterLogin: afterLogin.map(({ verb, argument }) =>
      argument === undefined ? verb : `${verb} ${argument}`
    ),
    pipelining: pipelining && dropping.size === 0,
  };
}

/** No other value stands for "no TLS": what was meant is not to be guessed. */
function resolveTLS(tls: FTPOptions["tls"]): Settings["tls"] {
  if (tls === undefined) return undefined;
  if (typeof tls !== "object" || tls === null) {
    checkWord("tls", tls, TLS_MODES, ["an object", "left out"]);
    return { mode: tls };
  }
  checkTLSOptions(tls);
  return { ...tls, mode: tls.mode ?? "explicit" };
}

/**
 * Insists on a host and a port that can be dialled.
 *
 * @param host A name or an address, in brackets or without
 * @param port A TCP port
 * @returns The host as it is dialled: without brackets, in ASCII (RFC 5890)
 * @throws {TypeError} If the host is none, has a port, or is a URL
 * @throws {RangeError} If the port is not 1 to 65535
 */
export function checkAddress(host: string, port: number): string {
  // deno-lint-ignore no-control-regex
  const hasOddSigns = /[\s\x00-\x1F\x7F/@?#\\]/;
  const isHost = typeof host === "string" && host !== "" &&
    !hasOddSigns.test(host);
  // deno-lint-ignore no-control-regex
  const ascii = !isHost || /^[\x00-\x7F]*$/.test(host)
    ? host
    : URL.parse(`ftp://${host}`)?.hostname;
  // never shown: what is no host may hold a password
  if (!isHost || ascii === undefined) {
    throw new TypeError(
      "Cannot connect: the host must be a name or an address (the function connect() takes a URL, such as ftp://user@host/path)",
    );
  }
  // of "user:12345" it is not known which it is
  if (/^([^:]*|\[.*\]):\d*$/.test(host)) {
    throw new TypeError(
      "Cannot connect: the host has a port, which is an argument of its own",
    );
  }
  const bare = ascii.replace(/^\[(.*)\]$/, "$1");
  if (bare.includes(":") && !isAddress(bare)) {
    throw new TypeError(
      "Cannot connect: the host has a colon and is no IPv6 address (the function connect() takes a URL, such as ftp://user@host/path)",
    );
  }
  if (!(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new RangeError(
      `Cannot connect to port ${port}: it must be an integer from 1 to 65535`,
    );
  }
  return bare;
}

/** Whether a text with colons is an IPv6 address, with a zone or without. */
function isAddress(text: string): boolean {
  const zoned = /^([^%]*)(?:%[\w.~-]+)?$/.exec(text);
  return zoned !== null && URL.canParse(`http://[${zoned[1]}]`);
}

/** A port, or the first and the last one. */
function checkActivePorts(ports: unknown): void {
  if (ports === undefined) return;
  const range: readonly unknown[] = Array.isArray(ports)
    ? ports
    : [ports, ports];
  const [first, last] = range;
  const arePorts = range.length === 2 &&
    range.every((port) => Number.isInteger(port)) &&
    Number(first) >= 0 && Number(first) <= Number(last) &&
    Number(last) <= MAX_PORT;
  if (arePorts) return;
  throw new RangeError(
    `Cannot use ${
      showValue(ports)
    } as "activePorts": it must be a port from 0 to ${MAX_PORT}, or the first and the last one, [50000, 50100]`,
  );
}

/** Commands as they are sent, refused before there is a connection. */
function parseAfterLogin(
  lines: readonly string[] | undefined = [],
): Command[] {
  if (!Array.isArray(lines)) {
    throw new TypeError(
      `Cannot use ${
        showValue(lines)
      } as "afterLogin": it must be an array of commands, such as ["SITE NAMEFMT 1"]`,
    );
  }
  return lines.map((line) => {
    const command = { ...parseCommand(line), name: "afterLogin" };
    encodeCommand(command, makeEncoding("utf-8"));
    return command;
  });
}

/** An address, in the form that `PORT` or `EPRT` can tell. */
function checkActiveAddress(address: string | undefined): void {
  if (address === undefined) return;
  try {
    formatEprt(address, 1);
  } catch {
    throw new TypeError(
      `Cannot use ${
        showValue(address)
      } as "activeAddress": it must be an IPv4 or IPv6 address`,
    );
  }
}

/** The last TCP port. */
const MAX_PORT = 65_535;

function checkZone(zone: number | undefined): void {
  if (zone === undefined) return;
  if (typeof zone === "number" && Math.abs(zone) <= MAX_ZONE) return;
  throw new RangeError(
    `Cannot use ${
      showValue(zone)
    } as "serverZone": it must be minutes east of UTC, a day at most`,
  );
}

function limit(name: string, value: number): number {
  checkNumber(name, value);
  return value;
}
