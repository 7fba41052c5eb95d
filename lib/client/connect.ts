/**
 * Connects to a URL: connects, secures, logs in and changes directory.
 *
 * @module
 */

import { withoutTrailingSlashes } from "../commands/path.ts";
import { checkNames, type NamesOf } from "../protocol/check_names.ts";
import { LOGIN_OPTIONS } from "../protocol/option_names.ts";
import { showValue } from "../protocol/check_word.ts";
import {
  type Command,
  encodeCommand,
  maskCommand,
} from "../protocol/command.ts";
import { quote } from "../protocol/printable.ts";
import { type Encoding, makeEncoding } from "../protocol/encoding.ts";
import { FTPPermanentError, isRefusal } from "../protocol/errors.ts";
import { withAdvice } from "../protocol/with_advice.ts";
import { withMessage } from "../protocol/with_message.ts";
import { checkLocalPath } from "../files/local_path.ts";
import {
  checkRetry,
  hasTooManyConnections,
  isFailedConnection,
  retryConnecting,
  type RetryOptions,
} from "../files/recovery.ts";
import type { SignalOptions } from "../transfer/session.ts";
import { FTP } from "./ftp.ts";
import { showAddress } from "../connection/dial.ts";
import { TLS_MODES } from "../tls/options.ts";
import { readNetrc } from "./netrc.ts";
import { checkAddress, FTP_OPTIONS, type FTPOptions } from "./options.ts";

/** Options of {@linkcode connect}. */
export interface ConnectURLOptions extends FTPOptions {
  /**
   * TCP port, if the URL has none.
   *
   * @default 21, or 990 with implicit TLS
   */
  port?: number | undefined;
  /**
   * The user, if the URL has none.
   *
   * @default "anonymous"
   */
  user?: string | undefined;
  /** The password, if the URL has none. */
  password?: string | undefined;
  /** The account, for servers that ask for one. */
  account?: string | undefined;
  /**
   * File with a password, if neither the URL nor the options have one: a path,
   * or `true` for `.netrc` in the home directory. The file in the home
   * directory is rejected if others may read or write it (`chmod 600`). The
   * permissions of a named file, such as a mounted secret, are not checked.
   * Requires `allow-read` permission for the file, and with `true` also
   * `allow-sys` for `homedir`.
   *
   * @default false
   */
  netrc?: string | URL | boolean | undefined;
  /**
   * Number of retries, and the waits between them. These failures are retried:
   *
   * - a refused, reset or timed-out connection, and a failed name lookup, until
   *   the server has sent its greeting
   * - too many connections: 421, or 530 with a text such as "too many
   *   connections"
   *
   * Nothing else is retried, such as a refused user or password, a certificate
   * that is not trusted, or a connection that is lost during the login.
   *
   * @default false
   */
  retry?: RetryOptions | false | undefined;
  /**
   * Aborts connecting and logging in, and a wait before a retry. It does not
   * affect later calls, which have a `signal` of their own.
   */
  signal?: AbortSignal | undefined;
}

const CONNECT_OPTIONS: NamesOf<ConnectURLOptions> = {
  ...FTP_OPTIONS,
  ...LOGIN_OPTIONS,
  retry: true,
  signal: true,
};

/** The parts of a URL. */
export interface URLTarget {
  /** The host, without brackets. */
  host: string;
  /** The port, if there is one. */
  port: number | undefined;
  /** The user, decoded. */
  user: string | undefined;
  /** The password, decoded. */
  password: string | undefined;
  /** The path, decoded; "" for the directory after login. */
  directory: string;
  /** TLS mode of the scheme. */
  tls: "explicit" | "implicit" | undefined;
}

/**
 * Connects, secures, logs in and changes directory.
 *
 * A URL's path is relative to the directory after login (RFC 1738 section
 * 3.2.2); `ftp://host/%2Fpub` names `/pub` itself. Escapes that are UTF-8 are
 * text in the client's encoding, others (`%E9`) are bytes. `ftp:` uses clear
 * text unless the option `tls` is set, `ftpes:` explicit TLS, `ftps:` implicit
 * TLS.
 *
 * Requires `allow-net` permission.
 *
 * @tags allow-net
 * @param url A URL, or a host name or address, with or without ":port"
 * @param options Parts that the URL lacks, and all options of {@linkcode FTP}
 * @returns A client; `await using` sends `QUIT` at the end
 * @throws {TypeError} If the URL has another scheme, or an option is unknown or
 * invalid
 * @throws {FTPError} If the server refuses; the connection is closed
 * @throws {Deno.errors.PermissionDenied} If `netrc` is `true`, and others may
 * read or write the file
 * @throws {Error} `Deno.errors.*` if the connection fails
 *
 * @example Log in and list a directory
 * ```ts
 * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
 *
 * await using ftp = await connect("ftp://ftp.example.com/pub");
 * console.log(await ftp.nlst());
 * ```
 */
export async function connect(
  url: string | URL,
  options: ConnectURLOptions = {},
): Promise<FTP> {
  checkNames("connect", options, CONNECT_OPTIONS);
  const target = parseTarget(url);
  const { port, user, password, account, netrc, retry, signal, ...rest } =
    options;
  checkRetry(retry);
  const tls = chooseTLS(target.tls, options.tls);
  checkNetrc(netrc);
  const makeClient = () => new FTP({ ...rest, tls });
  const encoding = makeEncoding(makeClient().encoding);
  checkAddress(target.host, target.port ?? port ?? 21);
  checkTexts(target, encoding);
  checkTexts({ user, password, account }, encoding);
  const credentials = await findCredentials(target, {
    user,
    password,
    account,
    netrc,
  });
  checkTexts(credentials, encoding); // .netrc may contain anything
  let isGreeted = false;
  const mayRetry = (error: unknown) =>
    hasTooManyConnections(error) || (!isGreeted && isFailedConnection(error));
  const waits = retry || { attempts: 0 };
  return await retryConnecting(waits, { signal, mayRetry }, async () => {
    const ftp = makeClient();
    isGreeted = false;
    try {
      await ftp.connect(target.host, target.port ?? port, { signal });
      isGreeted = true;
      await logIn(ftp, credentials, { signal });
      if (target.directory !== "") {
        await enter(ftp, target.directory, { signal });
      }
      return ftp;
    } catch (error) {
      ftp.close();
      throw error;
    }
  });
}

/** Rejects texts that cannot be sent, before there is a connection. */
function checkTexts(
  texts: Login & { directory?: string },
  encoding: Encoding,
): void {
  const { user, password, account, directory } = texts;
  const commands: Command[] = [
    { verb: "USER", argument: user ?? "", name: "user" },
    { verb: "PASS", argument: password ?? "", name: "password" },
    { verb: "ACCT", argument: account ?? "", name: "account" },
    { verb: "CWD", argument: directory ?? "", name: "path of the URL" },
  ];
  for (const command of commands) encodeCommand(command, encoding);
}

function checkNetrc(netrc: unknown): void {
  const isNetrc = netrc === undefined || typeof netrc === "boolean" ||
    netrc instanceof URL || typeof netrc === "string";
  if (!isNetrc) {
    throw new TypeError(
      `Cannot use ${
        showValue(netrc)
      } as "netrc": it must be a path, a file: URL, true or false`,
    );
  }
  if (typeof netrc !== "boolean" && netrc !== undefined) {
    checkLocalPath(netrc, "netrc");
  }
}

/**
 * Combines the URL's scheme and the option `tls`. They must not contradict each
 * other.
 */
function chooseTLS(
  scheme: URLTarget["tls"],
  option: FTPOptions["tls"],
): FTPOptions["tls"] {
  const isObject = typeof option === "object" && option !== null;
  const mode = isObject ? option.mode : option;
  if (scheme === undefined) return option;
  if (TLS_MODES.includes(mode ?? scheme) && (mode ?? scheme) !== scheme) {
    throw new TypeError(
      `Cannot use tls "${mode}" with a URL for ${scheme} TLS: ftpes: is explicit, ftps: is implicit`,
    );
  }
  return isObject ? { ...option, mode: mode ?? scheme } : option ?? scheme;
}

type Login = Pick<ConnectURLOptions, "user" | "password" | "account">;

/** Chooses the credentials: the URL first, then the options, then `.netrc`. */
async function findCredentials(
  target: URLTarget,
  options: Login & Pick<ConnectURLOptions, "netrc">,
): Promise<Login> {
  const { account, netrc } = options;
  const user = target.user ?? options.user;
  const password = target.password ?? options.password;
  if (password !== undefined || !netrc) return { user, password, account };
  const entry = await readNetrc(netrc, target.host, user);
  const login = user ?? entry?.login;
  return {
    user: login,
    // .netrc has no password for anonymous users
    password: login === undefined ? undefined : entry?.password,
    account: account ?? entry?.account,
  };
}

/** Changes to the directory of the URL. The error says so. */
async function enter(
  ftp: FTP,
  directory: string,
  options: SignalOptions,
): Promise<void> {
  try {
    await ftp.cwd(directory, options);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw withMessage(error, (message) =>
      withAdvice(
        `Cannot open ${quote(directory)}, the path of the URL: ${message}`,
        "it must be a directory; pass the path of a file to download()",
      ));
  }
}

/** Logs in. The error says where and as which user. */
async function logIn(
  ftp: FTP,
  { user, password, account }: Login,
  options: SignalOptions,
): Promise<void> {
  try {
    await ftp.login(user, password, account, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    const isMissing = password === undefined &&
      error instanceof FTPPermanentError && error.command?.startsWith("PASS");
    const advice = isMissing
      ? "no password was given in the URL, in the options or in .netrc"
      : "";
    const where = `${showAddress(ftp.host, ftp.port)} as ${
      quote(maskCommand(`USER ${user ?? "anonymous"}`).slice(5))
    }`;
    throw withMessage(
      error,
      (message) => withAdvice(`Cannot log in to ${where}: ${message}`, advice),
    );
  }
}

const TLS_OF_SCHEME: Record<string, URLTarget["tls"]> = {
  "ftp:": undefined,
  "ftpes:": "explicit",
  "ftps:": "implicit",
};

/** A name, an IPv4 address or a bracketed IPv6 address; and a port. */
const HOST_REGEXP = /^([^:[\]]+|\[.*\]):(\d{1,5})$/;

/** The rest of a URL after the authority, from its first slash on. */
const PATH_REGEXP = /(?<=^\w+:\/\/[^/\\#]*)\/.*$/s;

/** An authority that ends with port 21. */
const PORT_21_REGEXP = /^\w+:\/\/[^/\\#]*:0*21(?=[/\\#]|$)/;

/**
 * Takes a URL apart.
 *
 * @param url A URL, or a host's name or address, with ":port" or without
 * @returns Its parts
 * @throws {TypeError} If it is of another scheme, or cannot be read
 */
export function parseTarget(url: string | URL): URLTarget {
  const text = String(url);
  if (!text.includes("://")) {
    const [, host, digits] = HOST_REGEXP.exec(text) ?? [];
    // other text may be a password, and must not be shown
    const port = Number(digits) <= 65_535 ? digits : undefined;
    return {
      host: (port === undefined ? text : host!).replace(/^\[(.*)\]$/, "$1"),
      port: port === undefined ? undefined : Number(port),
      user: undefined,
      password: undefined,
      directory: "",
      tls: undefined,
    };
  }
  const scheme = /^\w+:/.exec(text)?.[0].toLowerCase() ?? "";
  if (!(scheme in TLS_OF_SCHEME)) {
    throw new TypeError(
      `Cannot connect to a URL of the scheme "${scheme}": use ftp:, ftpes: or ftps:`,
    );
  }
  // "ftp:" so that URL splits the authority of every scheme alike; in an FTP
  // URL "?" begins no query, and "\" is not a separator (RFC 1738 section 3.2)
  const plain = text.trim().replace(/^\w+:/, "ftp:").replaceAll("?", "%3F")
    .replace(PATH_REGEXP, (path) => path.replaceAll("\\", "%5C"));
  const parsed = URL.parse(plain);
  if (parsed === null) {
    throw new TypeError("Cannot connect: the URL cannot be read");
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: PORT_21_REGEXP.test(plain)
      ? 21 // URL treats it as a missing port
      : parsed.port === ""
      ? undefined
      : Number(parsed.port),
    user: parsed.username === "" ? undefined : decodeEscapes(parsed.username),
    password: parsed.password === ""
      ? undefined
      : decodeEscapes(parsed.password),
    directory: decodeEscapes(
      withoutTrailingSlashes(
        parsed.pathname.slice(1).replace(/;type=[aid]$/i, ""),
      ),
    ),
    tls: TLS_OF_SCHEME[scheme],
  };
}

const UTF8 = makeEncoding("utf-8");

/**
 * Decodes escapes. Those that are not UTF-8 keep their bytes; a single "%" is
 * itself.
 */
export function decodeEscapes(text: string): string {
  return text.replace(
    /(?:%[0-9a-f]{2})+/gi,
    (escapes) => UTF8.decode(Uint8Array.fromHex(escapes.replaceAll("%", ""))),
  );
}
