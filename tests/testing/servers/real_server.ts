/** Types of the harness and its four servers. */

/** The servers that the tests know. */
export type ServerName = "vsftpd" | "proftpd" | "pure-ftpd" | "pyftpdlib";

/** Options of a server's TLS. */
export interface ServerTLS {
  /** `AUTH TLS`, or TLS from the first byte. */
  mode: "explicit" | "implicit";
  /** The certificate's PEM file, with its chain. */
  certificate: string;
  /** The private key's PEM file. */
  key: string;
  /** Data connections must resume the control connection's session. @default {the server's own default} */
  sessionReuse?: boolean;
  /** The one version the server speaks. @default {all it knows} */
  version?: "1.2" | "1.3";
  /** Plain logins and plain data connections are refused. @default {false} */
  required?: boolean;
  /** A PEM file of the authority whose client certificate is demanded (features.clientCertificates). */
  clientAuthority?: string;
}

/** Options of a server. */
export interface ServerOptions {
  /** Listens on `::1` instead of `127.0.0.1`. @default {false} */
  ipv6?: boolean;
  /** Offers TLS. @default {no TLS} */
  tls?: ServerTLS;
  /** Lets `anonymous` in, to the same folder, which is read-only then, its subfolders are not (features.anonymous). @default {false} */
  anonymous?: boolean;
  /** The user may change files. @default {true} */
  writable?: boolean;
  /** How many neighbouring ports the passive data connections are confined to. @default {any port} */
  passivePorts?: number;
  /** Seconds without a command until the server hangs up. @default {the server's own default} */
  idleTimeout?: number;
  /** Seconds without data until the server gives a transfer up. @default {the server's own default} */
  dataTimeout?: number;
  /** Writing a file beyond this many bytes fails on the server, as if the disk were full. @default {no limit} */
  maxFileSize?: number;
  /** The server's time zone, such as "Asia/Tokyo". @default {"UTC"} */
  zone?: string;
  /** Lines for the server's configuration file; arguments for Pure-FTPd; Python statements for pyftpdlib. */
  extra?: readonly string[];
  /** The folder to serve, kept at the end. @default {a temporary folder, removed at the end} */
  root?: string;
  /** The port to listen on, to start a killed server again. @default {a free one} */
  port?: number;
  /** A network namespace to run in, and the address to listen on there. @default {loopback} */
  network?: { namespace: string; host: string };
}

/** Features of a running server. */
export interface ServerFeatures {
  readonly tls: boolean;
  /** TLS from the first byte. */
  readonly implicitTLS: boolean;
  readonly ipv6: boolean;
  readonly anonymous: boolean;
  readonly mlsd: boolean;
  readonly mfmt: boolean;
  /** Commands that hash a file on the server. */
  readonly hashes: readonly ("HASH" | "XCRC" | "XMD5" | "XSHA1" | "XSHA256")[];
  readonly host: boolean;
  readonly ccc: boolean;
  /** Can demand that data connections resume the session. */
  readonly sessionReuse: boolean;
  /** Demands it without being told to. */
  readonly sessionReuseByDefault: boolean;
  /** Can demand a certificate of the client. */
  readonly clientCertificates: boolean;
  /** APPE and REST before STOR. */
  readonly resumeUpload: boolean;
}

/** Inputs of a server's configuration. */
export interface LaunchContext {
  /** A folder for configuration and logs, outside the served one. */
  readonly folder: string;
  readonly root: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** First and last port of the passive data connections. */
  readonly passivePorts: readonly [number, number] | undefined;
  readonly options: ServerOptions;
}

/** How to run a server. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  /** Log files, beside what the process prints. */
  readonly logs: readonly string[];
  /** A file outside the folder, to be removed at the end. */
  readonly outside?: string;
}

/** One of the four servers. */
export interface ServerKind {
  readonly name: ServerName;
  readonly features: ServerFeatures;
  /** Why it cannot be started here, or `undefined`. */
  missing(): string | undefined;
  prepare(context: LaunchContext): Promise<Launch>;
}

/**
 * The unprivileged user and group that every server serves files as: Debian's `daemon`. `nobody` will not
 * do, since vsftpd wants a home folder that exists.
 */
export const SERVED_USER = "daemon";

/** Its user and group number on Debian. */
export const SERVED_ID = 1;

/**
 * Gives a path to the user of the server, or to the user of the tests if that
 * is not root.
 */
export function handOver(path: string): void {
  if (Deno.uid() === 0) Deno.chownSync(path, SERVED_ID, SERVED_ID);
}

/**
 * Writes an OpenSSL configuration with the TLS versions, for servers without
 * such an option.
 */
export async function writeOpenSSLConfig(
  context: LaunchContext,
): Promise<Record<string, string>> {
  const version = context.options.tls?.version;
  if (version === undefined) return {};
  const path = `${context.folder}/openssl.cnf`;
  await Deno.writeTextFile(
    path,
    `openssl_conf = main
[main]
ssl_conf = ssl
[ssl]
system_default = versions
[versions]
MinProtocol = TLSv${version}
MaxProtocol = TLSv${version}
`,
  );
  return { OPENSSL_CONF: path };
}
