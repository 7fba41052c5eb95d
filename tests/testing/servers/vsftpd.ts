/**
 * vsftpd: one process for each session, configured by a file, users checked by
 * PAM.
 */

import { findProgram, programEnvironment } from "./programs.ts";
import {
  type Launch,
  type LaunchContext,
  SERVED_USER,
  type ServerKind,
  writeOpenSSLConfig,
} from "./real_server.ts";

/** PAM reads its services here and nowhere else. */
const PAM_FOLDER = "/etc/pam.d";

export const VSFTPD: ServerKind = {
  name: "vsftpd",
  features: {
    tls: true,
    implicitTLS: true,
    ipv6: true,
    anonymous: true,
    mlsd: false,
    mfmt: false,
    hashes: [],
    host: false,
    ccc: false,
    sessionReuse: true,
    sessionReuseByDefault: true,
    clientCertificates: true,
    resumeUpload: true,
  },

  missing(): string | undefined {
    if (findProgram("vsftpd") === undefined) return "not found";
    if (findProgram("db5.3_load") === undefined) {
      return "db5.3_load is not found";
    }
    if (Deno.uid() !== 0) return "has to be started as root";
    return undefined;
  },

  async prepare(context: LaunchContext): Promise<Launch> {
    const config = `${context.folder}/vsftpd.conf`;
    const log = `${context.folder}/vsftpd.log`;
    const service = `ftp-test-${crypto.randomUUID()}`;
    await Deno.mkdir(`${context.folder}/empty`, { mode: 0o555 });
    await Deno.writeTextFile(
      config,
      settings(context, service, log).concat(context.options.extra ?? []).join(
        "\n",
      ) + "\n",
    );
    const env = {
      ...programEnvironment(),
      ...await writeOpenSSLConfig(context),
    };
    await writePAMService(context, service); // last: only cleanup removes it
    return {
      program: findProgram("vsftpd")!,
      args: [config],
      env,
      logs: [log],
      outside: `${PAM_FOLDER}/${service}`,
    };
  },
};

/** One user whom no system account knows, in a Berkeley database that PAM reads. */
async function writePAMService(
  context: LaunchContext,
  service: string,
): Promise<void> {
  const database = `${context.folder}/users`;
  // A script of pam_exec would be simpler, but vsftpd reaps the child that pam_exec then waits for.
  const load = new Deno.Command(findProgram("db5.3_load")!, {
    args: ["-T", "-t", "hash", `${database}.db`],
    env: programEnvironment(),
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const input = load.stdin.getWriter();
  await input.write(
    new TextEncoder().encode(`${context.user}\n${context.password}\n`),
  );
  await input.close();
  const { success, stderr } = await load.output();
  if (!success) {
    throw new Error(
      `Cannot make the users' database: ${new TextDecoder().decode(stderr)}`,
    );
  }
  await Deno.writeTextFile(
    `${PAM_FOLDER}/${service}`,
    `auth required pam_userdb.so [db=${database}] crypt=none
account required pam_permit.so
`,
  );
}

function settings(
  context: LaunchContext,
  service: string,
  log: string,
): string[] {
  const { options, host, port, passivePorts } = context;
  const writable = yes(options.writable ?? true);
  const lines = [
    "background=NO",
    ...(options.ipv6
      ? ["listen=NO", "listen_ipv6=YES", `listen_address6=${host}`]
      : [
        "listen=YES",
        `listen_address=${host}`,
      ]),
    `listen_port=${port}`,
    // The sandbox and the name spaces need rights that containers withhold.
    "seccomp_sandbox=NO",
    "isolate=NO",
    "isolate_network=NO",
    `secure_chroot_dir=${context.folder}/empty`,
    `pam_service_name=${service}`,
    "nopriv_user=nobody",
    `ftp_username=${SERVED_USER}`,
    `anonymous_enable=${yes(options.anonymous ?? false)}`,
    "no_anon_password=YES",
    `anon_root=${context.root}`,
    "anon_world_readable_only=NO",
    "local_enable=YES",
    "guest_enable=YES",
    `guest_username=${SERVED_USER}`,
    "virtual_use_local_privs=YES",
    `local_root=${context.root}`,
    "local_umask=022",
    "chroot_local_user=YES",
    "allow_writeable_chroot=YES",
    `write_enable=${writable}`,
    "ascii_upload_enable=YES",
    "ascii_download_enable=YES",
    "ls_recurse_enable=YES",
    "use_localtime=NO",
    "mdtm_write=YES",
    "connect_from_port_20=NO",
    "xferlog_enable=YES",
    "log_ftp_protocol=YES",
    "xferlog_std_format=NO",
    `vsftpd_log_file=${log}`,
    // Tests that fail to log in on purpose, and many sessions at once, are not an attack.
    "delay_failed_login=0",
    "delay_successful_login=0",
    "max_login_fails=1000",
    "max_clients=0",
    "max_per_ip=0",
  ];
  if (passivePorts !== undefined) {
    lines.push(
      `pasv_min_port=${passivePorts[0]}`,
      `pasv_max_port=${passivePorts[1]}`,
    );
  }
  if (options.idleTimeout !== undefined) {
    lines.push(`idle_session_timeout=${options.idleTimeout}`);
  }
  if (options.dataTimeout !== undefined) {
    lines.push(`data_connection_timeout=${options.dataTimeout}`);
  }
  const { tls } = options;
  if (tls !== undefined) {
    lines.push(
      "ssl_enable=YES",
      "ssl_tlsv1=YES",
      "ssl_ciphers=HIGH",
      `implicit_ssl=${yes(tls.mode === "implicit")}`,
      `rsa_cert_file=${tls.certificate}`,
      `rsa_private_key_file=${tls.key}`,
      "allow_anon_ssl=YES",
      `force_local_logins_ssl=${yes(tls.required ?? false)}`,
      `force_local_data_ssl=${yes(tls.required ?? false)}`,
      "debug_ssl=YES",
    );
    if (tls.sessionReuse !== undefined) {
      lines.push(`require_ssl_reuse=${yes(tls.sessionReuse)}`);
    }
    if (tls.clientAuthority !== undefined) {
      lines.push(
        "require_cert=YES",
        "validate_cert=YES",
        `ca_certs_file=${tls.clientAuthority}`,
      );
    }
  }
  return lines;
}

function yes(value: boolean): "YES" | "NO" {
  return value ? "YES" : "NO";
}
