/** Pure-FTPd: configured by arguments, users from a database. */

import { hashPassword } from "./password.ts";
import { findProgram, programEnvironment } from "./programs.ts";
import {
  type Launch,
  type LaunchContext,
  SERVED_ID,
  type ServerKind,
  writeOpenSSLConfig,
} from "./real_server.ts";

export const PURE_FTPD: ServerKind = {
  name: "pure-ftpd",
  features: {
    tls: true,
    implicitTLS: false,
    ipv6: true,
    anonymous: false, // needs a system account named "ftp"
    mlsd: true,
    mfmt: true,
    hashes: [],
    host: false,
    ccc: true,
    sessionReuse: false,
    sessionReuseByDefault: false,
    clientCertificates: false,
    resumeUpload: true,
  },

  missing(): string | undefined {
    if (
      findProgram("pure-ftpd") === undefined ||
      findProgram("pure-pw") === undefined
    ) return "not found";
    if (Deno.uid() !== 0) return "has to be started as root";
    return undefined;
  },

  async prepare(context: LaunchContext): Promise<Launch> {
    const log = `${context.folder}/transfers.log`;
    const users = await writeUsers(context);
    return {
      program: findProgram("pure-ftpd")!,
      args: [...settings(context, users, log), ...context.options.extra ?? []],
      env: { ...programEnvironment(), ...await writeOpenSSLConfig(context) },
      logs: [log],
    };
  },
};

async function writeUsers(
  { folder, user, password, root }: LaunchContext,
): Promise<string> {
  const text = `${folder}/users`;
  const database = `${folder}/users.pdb`;
  // "name:hash:uid:gid:comment:home", then limits, all empty. A home that ends in "/./" is a chroot.
  await Deno.writeTextFile(
    text,
    `${user}:${await hashPassword(
      password,
    )}:${SERVED_ID}:${SERVED_ID}::${root}/./::::::::::::\n`,
    { mode: 0o600 },
  );
  const { success, stderr } = await new Deno.Command(findProgram("pure-pw")!, {
    args: ["mkdb", database, "-f", text],
    env: programEnvironment(),
  }).output();
  if (!success) {
    throw new Error(
      `Cannot make the users' database: ${new TextDecoder().decode(stderr)}`,
    );
  }
  return database;
}

function settings(
  context: LaunchContext,
  users: string,
  log: string,
): string[] {
  const { options, host, port, passivePorts, folder } = context;
  const { tls } = options;
  const args = [
    "--bind",
    `${host},${port}`,
    options.ipv6 ? "--ipv6only" : "--ipv4only",
    "--login",
    `puredb:${users}`,
    "--minuid",
    "1",
    "--chrooteveryone",
    "--noanonymous",
    "--createhomedir",
    "--dontresolve",
    "--umask",
    "022:022",
    "--maxclientsnumber",
    "200",
    "--maxclientsperip",
    "200",
    "--pidfile",
    `${folder}/pid`,
    "--altlog",
    `clf:${log}`,
    // Every line of a listing.
    "--limitrecursion",
    "1000000:100",
  ];
  if (passivePorts !== undefined) {
    args.push("--passiveportrange", `${passivePorts[0]}:${passivePorts[1]}`);
  }
  // It counts minutes.
  if (options.idleTimeout !== undefined) {
    args.push("--maxidletime", String(Math.ceil(options.idleTimeout / 60)));
  }
  if (tls !== undefined) {
    args.push(
      "--tls",
      tls.required ? "3" : "1",
    );
    args.push("--certfile", `${tls.certificate},${tls.key}`);
  }
  return args;
}
