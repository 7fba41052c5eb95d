/** Shared by the TLS tests against real servers. */

import type { FTP, FTPOptions, TLSOptions } from "../../mod.ts";
import {
  type CertificateName,
  certificates,
  issue,
} from "../testing/servers/certificates.ts";
import type {
  RealServer,
  ServerOptions,
  ServerTLS,
} from "../testing/servers/mod.ts";
import { logIn } from "./client.ts";

/** Options for a server with TLS, made when the test runs. */
export function withTLS(
  rest: Partial<ServerTLS> = {},
  which: CertificateName = "good",
): () => Promise<ServerOptions> {
  return async () => ({
    tls: { mode: "explicit", ...await issue(which), ...rest },
  });
}

/** Options for a client that trusts the tests' authority. */
export async function trusting(
  options: TLSOptions = {},
): Promise<FTPOptions & { tls: TLSOptions }> {
  const { authority } = await certificates();
  const caCerts = [await Deno.readTextFile(authority.certificate)];
  return { tls: { caCerts, ...options } };
}

/** Connects over TLS and logs in. */
export async function logInTLS(
  server: RealServer,
  options: TLSOptions = {},
  rest: FTPOptions = {},
): Promise<FTP> {
  return await logIn(server, { ...await trusting(options), ...rest });
}
