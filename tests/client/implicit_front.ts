/**
 * The scripted server behind TLS, and a client that accepts any certificate.
 */

import { connect as dial } from "node:net";
import { FTP, type FTPOptions } from "../../mod.ts";
import { certificates } from "../testing/servers/certificates.ts";
import { startTLSServer, type TLSTestServer } from "../testing/echo_server.ts";
import {
  type ClientServer,
  type Script,
  startScript,
} from "../testing/client_script.ts";

/** A scripted server, and the TLS server in front of it. */
export interface ImplicitServer {
  readonly server: ClientServer;
  readonly front: TLSTestServer;
}

/** A scripted server behind TLS from the first byte; its data is in clear text. */
export async function startImplicit(script: Script): Promise<ImplicitServer> {
  const server = await startScript(script);
  const { good } = await certificates();
  const front = await startTLSServer({
    cert: await Deno.readTextFile(good.certificate),
    key: await Deno.readTextFile(good.key),
  }, (socket) => {
    const behind = dial(server.port, server.host);
    behind.on("error", () => {});
    behind.on("close", () => socket.destroy());
    socket.on("close", () => behind.destroy());
    socket.pipe(behind).pipe(socket);
  });
  return { server, front };
}

/** Connects to such a server. */
export async function connectImplicit(
  { server, front }: ImplicitServer,
  options: FTPOptions = {},
): Promise<FTP> {
  const ftp = new FTP({
    timeout: 2000,
    tls: { mode: "implicit", dangerouslyAcceptAnyCertificate: true },
    ...options,
  });
  await ftp.connect(server.host, front.port);
  return ftp;
}
