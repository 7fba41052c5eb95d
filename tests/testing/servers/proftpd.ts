/**
 * ProFTPD: one process for each session, modules from a folder, users from a
 * file.
 */

import { hashPassword } from "./password.ts";
import { findFile, findProgram, programEnvironment } from "./programs.ts";
import {
  type Launch,
  type LaunchContext,
  SERVED_ID,
  SERVED_USER,
  type ServerKind,
} from "./real_server.ts";

export const PROFTPD: ServerKind = {
  name: "proftpd",
  features: {
    tls: true,
    implicitTLS: true,
    ipv6: true,
    anonymous: true,
    mlsd: true,
    mfmt: true,
    hashes: ["HASH", "XCRC", "XMD5", "XSHA1", "XSHA256"],
    host: true,
    ccc: true,
    sessionReuse: true,
    sessionReuseByDefault: true,
    clientCertificates: true,
    resumeUpload: true,
  },

  missing(): string | undefined {
    if (findProgram("proftpd") === undefined) return "not found";
    if (findFile("usr/lib/proftpd/mod_tls.so") === undefined) {
      return "its mod_tls is not found";
    }
    if (Deno.uid() !== 0) return "has to be started as root";
    return undefined;
  },

  async prepare(context: LaunchContext): Promise<Launch> {
    const config = `${context.folder}/proftpd.conf`;
    const users = `${context.folder}/users`;
    const { user, password, root } = context;
    const hash = await hashPassword(password);
    await Deno.writeTextFile(
      users,
      [[user, hash], ["ftp", "*"]].map(([name, hash]) =>
        `${name}:${hash}:${SERVED_ID}:${SERVED_ID}::${root}:/bin/false\n`
      ).join(""),
      { mode: 0o600 },
    );
    await Deno.writeTextFile(
      config,
      settings(context, users).join("\n") + "\n",
    );
    return {
      program: findProgram("proftpd")!,
      args: ["--nodaemon", "--config", config],
      env: programEnvironment(),
      logs: [
        `${context.folder}/system.log`,
        `${context.folder}/tls.log`,
        `${context.folder}/commands.log`,
      ],
    };
  },
};

function settings(context: LaunchContext, users: string): string[] {
  const { options, folder, host, port, passivePorts } = context;
  const modules = findFile("usr/lib/proftpd/mod_tls.so")!.replace(
    /\/mod_tls\.so$/,
    "",
  );
  const lines = [
    `ModulePath "${modules}"`,
    "LoadModule mod_tls.c",
    "LoadModule mod_digest.c",
    'ServerName "test"',
    "ServerType standalone",
    `DefaultAddress ${host}`,
    `Port ${port}`,
    "SocketBindTight on",
    `UseIPv6 ${options.ipv6 ? "on" : "off"}`,
    "UseReverseDNS off",
    `User ${SERVED_USER}`,
    `Group ${SERVED_USER}`,
    "Umask 022",
    `PidFile "${folder}/pid"`,
    `ScoreboardFile "${folder}/scoreboard"`,
    `DelayTable "${folder}/delay"`,
    "DelayEngine off",
    "AuthOrder mod_auth_file.c",
    `AuthUserFile "${users}"`,
    "RequireValidShell off",
    "DefaultRoot ~",
    "AllowOverwrite on",
    "AllowStoreRestart on",
    "AllowRetrieveRestart on",
    "MaxLoginAttempts 1000",
    "MaxInstances none",
    "WtmpLog off",
    "TransferLog none",
    `SystemLog "${folder}/system.log"`,
    'LogFormat commands "%P %r %s"',
    `ExtendedLog "${folder}/commands.log" ALL commands`,
    "TimesGMT on",
  ];
  if (passivePorts !== undefined) {
    lines.push(`PassivePorts ${passivePorts[0]} ${passivePorts[1]}`);
  }
  if (options.idleTimeout !== undefined) {
    lines.push(`TimeoutIdle ${options.idleTimeout}`);
  }
  if (options.dataTimeout !== undefined) {
    lines.push(`TimeoutStalled ${options.dataTimeout}`);
  }
  if (options.writable === false) {
    lines.push("<Limit WRITE>", "DenyAll", "</Limit>");
  }
  if (options.anonymous) {
    lines.push(
      `<Anonymous "${context.root}">`,
      "User ftp",
      "UserAlias anonymous ftp",
      "RequireValidShell off",
      "</Anonymous>",
    );
  }
  lines.push(...tlsSettings(context), ...options.extra ?? []);
  return lines;
}

function tlsSettings({ folder, options: { tls } }: LaunchContext): string[] {
  if (tls === undefined) return [];
  const flags = [
    ...(tls.sessionReuse === false ? ["NoSessionReuseRequired"] : []),
    ...(tls.mode === "implicit" ? ["UseImplicitSSL"] : []),
  ];
  return [
    "TLSEngine on",
    `TLSLog "${folder}/tls.log"`,
    `TLSRSACertificateFile "${tls.certificate}"`,
    `TLSRSACertificateKeyFile "${tls.key}"`,
    `TLSProtocol ${
      tls.version === undefined ? "TLSv1.2 TLSv1.3" : `TLSv${tls.version}`
    }`,
    `TLSRequired ${tls.required ? "on" : "off"}`,
    "TLSRenegotiate none",
    ...(flags.length === 0 ? [] : [`TLSOptions ${flags.join(" ")}`]),
    ...(tls.clientAuthority === undefined ? ["TLSVerifyClient off"] : [
      `TLSCACertificateFile "${tls.clientAuthority}"`,
      "TLSVerifyClient on",
    ]),
  ];
}
