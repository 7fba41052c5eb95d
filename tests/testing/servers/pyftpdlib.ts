/** pyftpdlib: one process and thread, run by our script. */

import { fileURLToPath } from "node:url";
import {
  findFile,
  programEnvironment,
  PROVISIONED_FOLDER,
} from "./programs.ts";
import {
  type Launch,
  type LaunchContext,
  type ServerKind,
  writeOpenSSLConfig,
} from "./real_server.ts";

const SCRIPT = fileURLToPath(new URL("./pyftpdlib_server.py", import.meta.url));

/** Debian's own Python: another one would not see Debian's modules. */
export const PYTHON = ["usr/bin/python3", "usr/bin/python3.11"];

export const PYFTPDLIB: ServerKind = {
  name: "pyftpdlib",
  features: {
    tls: true,
    implicitTLS: true,
    ipv6: true,
    anonymous: true,
    mlsd: true,
    mfmt: true,
    hashes: [],
    host: false,
    ccc: false,
    sessionReuse: false,
    sessionReuseByDefault: false,
    clientCertificates: true,
    resumeUpload: true,
  },

  missing(): string | undefined {
    if (findFile(...PYTHON) === undefined) return "python3 is not found";
    if (
      findFile("usr/lib/python3/dist-packages/pyftpdlib/__init__.py") ===
        undefined
    ) return "not found";
    if (
      findFile("usr/lib/python3/dist-packages/OpenSSL/__init__.py") ===
        undefined
    ) return "pyOpenSSL is not found";
    return undefined;
  },

  async prepare(context: LaunchContext): Promise<Launch> {
    const { options } = context;
    const config = `${context.folder}/pyftpdlib.json`;
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        host: context.host,
        port: context.port,
        root: context.root,
        user: context.user,
        password: context.password,
        passivePorts: context.passivePorts,
        anonymous: options.anonymous ?? false,
        writable: options.writable ?? true,
        idleTimeout: options.idleTimeout,
        dataTimeout: options.dataTimeout,
        tls: options.tls,
        extra: options.extra ?? [],
      }),
      { mode: 0o600 },
    );
    return {
      program: findFile(...PYTHON)!,
      args: ["-W", "ignore", SCRIPT, config],
      env: {
        ...programEnvironment(),
        ...await writeOpenSSLConfig(context),
        // compiled once, and not at each start
        PYTHONDONTWRITEBYTECODE: "",
        PYTHONPYCACHEPREFIX: `${PROVISIONED_FOLDER}var/cache/python`,
        PYTHONUNBUFFERED: "1",
      },
      logs: [],
    };
  },
};
