/**
 * Options of a client, and their defaults.
 *
 * @module
 */

import type { PortRange } from "../connection/dial.ts";
import type { Dial } from "../connection/dialed_stream.ts";
import { checkActive, makeRoute, type Route } from "../connection/route.ts";
import {
  addressBytes,
  formatEprt,
  isIPv6,
  withoutMapping,
} from "../protocol/address.ts";
import type { PassiveMode } from "../transfer/session.ts";
import {
  type Command,
  encodeCommand,
  parseCommand,
} from "../protocol/command.ts";
import { checkNames, type SameNames } from "../protocol/check_names.ts";
import { CLIENT_OPTIONS } from "../protocol/option_names.ts";
import { checkNumber, MAX_MILLISECONDS } from "../protocol/check_number.ts";
import { checkWord, showValue } from "../protocol/check_word.ts";
import { type Encoding, makeEncoding } from "../protocol/encoding.ts";
import type { ProfileStore } from "./profile_store.ts";
import { checkTLSOptions, TLS_MODES, type TLSOptions } from "../tls/options.ts";
import { type TraceEvent, Tracer } from "../connection/trace.ts";

/** Options of {@linkcode FTP}. */
export interface FTPOptions {
  /**
   * Encoding of commands, replies and names: "utf-8", "latin-1", or a label
   * that `TextDecoder` supports. Bytes that are not text in it become lone
   * surrogates, and the same bytes again when they are sent. So do bytes of a
   * character that is usually encoded differently.
   *
   * @default "utf-8"
   */
  encoding?: string | undefined;
  /**
   * Time limit of a wait without progress, in milliseconds, up to
   * 2,147,483,647; 0 or `Infinity` for none. A transfer that makes progress is
   * never limited.
   *
   * If the server stops answering, a call may take longer in total. Steps after
   * the wait take up to five seconds each, but not longer than `timeout`. A
   * transfer waits for the server's final reply, which often has the reason.
   * `upload()` deletes its temporary file, on a new connection if necessary.
   * `download()` and `upload()` do this once for each attempt (`retry`),
   * besides the waits between them. An aborted call takes at most five seconds
   * for the transfer, and five for the temporary file.
   *
   * @default 30_000
   */
  timeout?: number | undefined;
  /**
   * Mode of data connections. `true`: passive, with `EPSV`, or `PASV` if `EPSV`
   * does not work. "epsv" or "pasv": passive, with this command only. `false`:
   * active (`PORT`, `EPRT`). "auto": passive, and active if the server refuses
   * both `EPSV` and `PASV`.
   *
   * @default true
   */
  passive?: boolean | "auto" | "epsv" | "pasv" | undefined;
  /**
   * Local address of control and data connections, IPv4 or IPv6, also for
   * listening in active mode. A host name is resolved in the same family. With
   * `"0.0.0.0"` or `"::"` nothing is bound; in active mode the server then gets
   * the address of the control connection.
   *
   * Bound connections use `node:net`, which costs more processor time than
   * `Deno.connect`. Requires `allow-net` permission for the address.
   *
   * @default the system chooses
   */
  localAddress?: string | undefined;
  /**
   * Opens the control and data connections, for example through a tunnel. TLS
   * runs over the connections that it returns. The function needs its own
   * permissions, and the client then needs none. Active mode is not possible.
   *
   * @default Deno.connect
   */
  dial?: Dial | undefined;
  /**
   * URL of a proxy for the control and data connections: "socks5:" (RFC 1928) or
   * "http:" (CONNECT), such as `socks5://user:password@host:1080`. The default
   * port is 1080 or 80. The proxy resolves the server's name. Only `allow-net`
   * permission for the proxy is needed. Active mode is not possible. Environment
   * variables are not used.
   *
   * @default none
   */
  proxy?: string | URL | undefined;
  /**
   * IPv4 or IPv6 address that is sent to the server in active mode, if it
   * differs from the local one: the address of a router (NAT) that forwards
   * `activePorts`.
   *
   * @default the local address
   */
  activeAddress?: string | undefined;
  /**
   * Whether `EPRT` may be sent in active mode: over IPv6, and over IPv4 if
   * `PORT` is unknown. Some firewalls close a connection after it.
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
  activePorts?: number | readonly [first: number, last: number] | undefined;
  /**
   * Whether to connect to the host in a 227 reply instead of the control
   * connection's host. It lets a server direct the client anywhere (RFC 2577
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
   * Receives every command, reply and event, in order. Secrets are masked, and
   * control characters replaced. Each call comes after the current work is done,
   * so that it may call the client. Errors and rejections are ignored.
   *
   * @default none
   */
  trace?: ((event: TraceEvent) => void) | undefined;
  /**
   * Longest line of a reply, in bytes. A longer one closes the connection.
   *
   * @default 65_536
   */
  maxReplyLine?: number | undefined;
  /**
   * Longest reply, in bytes. A longer one closes the connection.
   *
   * @default 1_048_576
   */
  maxReply?: number | undefined;
  /**
   * Longest line of a text (`retrlines`, `dir`, `nlst`, `mlsd`), in bytes. A
   * longer one aborts the transfer. Lines of entries (`list`, `stat`, `walk`)
   * are always limited to 65,535 bytes.
   *
   * @default 1_048_576
   */
  maxLine?: number | undefined;
  /**
   * Largest memory, in bytes, for entries of directories that are kept at once
   * (`nlst`, `walk`, `stat`, `exists`, `remove`, `downloadDir`, `uploadDir`).
   * Each entry counts with the length of its line and 64 bytes. A search for
   * one name counts every entry that it reads, and `walk` those of all
   * directories that it is in. A mirror counts each directory of the server on
   * its own. More is a `RangeError`. Entries that are returned as they arrive
   * (`list`, `mlsd`, `dir`, `retrlines`) have no limit.
   *
   * @default 268_435_456
   */
  maxListing?: number | undefined;
  /**
   * Which line ends a multi-line reply. "strict": the reply's own code and a
   * blank (RFC 959 section 4.2). "lenient": any code and a blank (glFTPd).
   *
   * @default "strict"
   */
  multiline?: "strict" | "lenient" | undefined;
  /**
   * Whether to send independent commands together, which saves round trips.
   * Some devices and firewalls read only one command, or merge several. If such
   * a command gets no reply within `timeout`, the client's next connections to
   * that server send one at a time. `download()` and `upload()` open such a
   * connection and continue.
   *
   * @default true
   */
  pipelining?: boolean | undefined;
  /**
   * Name of the virtual host (`HOST`, RFC 7151), for servers with several
   * sites. Sent before each login, and before `AUTH`.
   *
   * @default none
   */
  virtualHost?: string | undefined;
  /**
   * Commands to send after each login: by
   * {@linkcode FTPProtocol.prototype.login FTP.login}, `connect()`,
   * reconnections, clones and mirrors. For example `["SITE NAMEFMT 1"]` for IBM
   * i, or `["CLNT backup", "OPTS UTF8 ON"]`. If a command is not answered with
   * 2yz, the login fails.
   *
   * @default []
   */
  afterLogin?: readonly string[] | undefined;
  /**
   * Whether to compress transfers (`MODE Z`, zlib), if the server's `FEAT`
   * offers it. Useful on slow networks. A transfer fails if it has more than 64
   * MiB and more than 200 times the compressed size, because it may be a
   * decompression bomb.
   *
   * @default false
   */
  compress?: boolean | undefined;
  /**
   * Zone of the server's times in `MDTM`, `MLSD` and `LIST`, in minutes east of
   * UTC. RFC 3659 requires UTC, but some servers show local time (vsftpd's
   * `use_localtime=YES`, Debian's default). Without this option, the times are
   * assumed to be UTC until an upload has shown the zone. A client that only
   * downloads never learns it.
   *
   * @default learned from uploads, otherwise 0
   */
  serverZone?: number | undefined;
  /**
   * Keeps what was learned of a server between runs of a program: that `EPSV`
   * or `MLSD` does not work, that `PRET` is needed, that commands are read one
   * at a time. The waits for such a server then happen once, and not in each
   * run.
   *
   * @default none
   */
  profile?: ProfileStore | undefined;
}

/** All settings with their values; `passive` changes with `setPasv`. */
export interface Settings {
  readonly encoding: Encoding;
  readonly timeout: number;
  passive: PassiveMode;
  readonly activeAddress: string | undefined;
  readonly allowEPRT: boolean;
  readonly localAddress: string | undefined;
  readonly dial: Dial | undefined;
  readonly proxy: string | undefined;
  /** The route that they define. */
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
  readonly profile: ProfileStore | undefined;
  /** Addresses of servers that turned out not to support `pipelining`. */
  readonly dropping: Set<string>;
}

/** A server, and its protection. */
export interface Server {
  /** Host that the user named. */
  readonly host: string;
  /** The TCP port. */
  readonly port: number;
  /** TLS options, if TLS is used. */
  readonly tls: Settings["tls"];
}

/** Limit of a reply line: paths of 17 KB occur, lines of 64 KB do not. */
const MAX_REPLY_LINE = 64 * 1024;

/** Limit of a reply: fits a `STAT` of a directory with ten thousand names. */
const MAX_REPLY = 1024 * 1024;

/** Limit of a line of a listing or text. */
const MAX_LINE = 1024 * 1024;

/** Limit of kept entries: fits a million long lines. */
const MAX_LISTING = 256 * 1024 * 1024;

/** Largest zone in minutes: no zone is a day away from UTC. */
const MAX_ZONE = 24 * 60;

/** Default of `timeout`, in milliseconds. */
const TIMEOUT = 30_000;

/** Names of the options of a client. */
export const FTP_OPTIONS: SameNames<typeof CLIENT_OPTIONS, FTPOptions> =
  CLIENT_OPTIONS;

/**
 * Checks the options, and adds the defaults.
 *
 * @throws {RangeError} If a number is out of range
 * @throws {TypeError} If an option is unknown or has an invalid value, or
 * `options` is not an object (ftplib's constructor takes a host)
 */
export function resolveOptions(options: FTPOptions): Settings {
  if (typeof options !== "object") {
    throw new TypeError(
      `Cannot use a ${typeof options} as options: the host goes to connect()`,
    );
  }
  checkNames("FTP", options, FTP_OPTIONS);
  checkActivePorts(options.activePorts);
  const activeAddress = parseActiveAddress(options.activeAddress);
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
    activeAddress,
    allowEPRT: options.allowEPRT ?? true,
    localAddress: options.localAddress,
    dial: options.dial,
    proxy: options.proxy && String(options.proxy),
    route,
    activePorts: options.activePorts ?? 0,
    trustPasvHost: options.trustPasvHost ?? false,
    tls: resolveTLS(options.tls),
    tracer: new Tracer(options.trace),
    maxReplyLine: checkedLimit(
      "maxReplyLine",
      options.maxReplyLine ?? MAX_REPLY_LINE,
    ),
    maxReply: checkedLimit("maxReply", options.maxReply ?? MAX_REPLY),
    maxLine: checkedLimit("maxLine", options.maxLine ?? MAX_LINE),
    maxListing: checkedLimit("maxListing", options.maxListing ?? MAX_LISTING),
    multiline,
    pipelining: options.pipelining ?? true,
    serverZone: options.serverZone,
    virtualHost: options.virtualHost,
    afterLogin: parseAfterLogin(options.afterLogin),
    compress: options.compress ?? false,
    profile: options.profile,
    dropping: new Set(),
  };
}

/** Converts settings back to options, for another client. */
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

/**
 * Rejects other values than `undefined` for "no TLS", because the intention
 * would be unclear.
 */
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
 * Rejects an invalid host or port.
 *
 * @param host A name or an address, with or without brackets
 * @returns The host without brackets, in ASCII (RFC 5890)
 * @throws {TypeError} If the host is invalid, has a port, or is a URL
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
  // never shown, because an invalid host may contain a password
  if (!isHost || ascii === undefined) {
    throw new TypeError(
      "Cannot connect: the host must be a name or an address (the function connect() takes a URL, such as ftp://user@host/path)",
    );
  }
  // "user:12345" may be either
  if (/^([^:]*|\[.*\]):\d*$/.test(host)) {
    throw new TypeError(
      "Cannot connect: the host has a port, which is an argument of its own",
    );
  }
  const bare = ascii.replace(/^\[(.*)\]$/, "$1");
  if (bare.includes(":") && !isAddress(bare)) {
    throw new TypeError(
      "Cannot connect: the host has a colon and is not an IPv6 address (the function connect() takes a URL, such as ftp://user@host/path)",
    );
  }
  if (!(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new RangeError(
      `Cannot connect to port ${port}: it must be an integer from 1 to 65535`,
    );
  }
  return bare;
}

/** Whether a text with colons is an IPv6 address, with or without a zone. */
function isAddress(text: string): boolean {
  const zoned = /^([^%]*)(?:%[\w.~-]+)?$/.exec(text);
  return zoned !== null && URL.canParse(`http://[${zoned[1]}]`);
}

/** Checks a port, or a range of ports. */
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

/** Parses the commands, before there is a connection. */
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

/** Checks an address, which `PORT` or `EPRT` has to contain. */
function parseActiveAddress(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  try {
    formatEprt(address, 1);
  } catch {
    throw new TypeError(
      `Cannot use ${
        showValue(address)
      } as "activeAddress": it must be an IPv4 or IPv6 address`,
    );
  }
  if (!isOneHost(address)) {
    throw new TypeError(
      `Cannot use ${
        showValue(address)
      } as "activeAddress": it must be the address of one machine, without leading zeros`,
    );
  }
  return withoutMapping(address);
}

/** Whether an address is neither unspecified, multicast nor broadcast. */
function isOneHost(address: string): boolean {
  const bytes = addressBytes(withoutMapping(address.replace(/%.*/s, "")));
  if (bytes === undefined) return false;
  const isGroup = bytes.length === 4 ? bytes[0]! >= 224 : bytes[0] === 0xff;
  const isLiteral = isIPv6(address) || !/(^|\.)0\d/.test(address);
  return isLiteral && !isGroup && bytes.some((byte) => byte !== 0);
}

/** The largest TCP port. */
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

function checkedLimit(name: string, value: number): number {
  checkNumber(name, value);
  return value;
}
