/**
 * A program that is killed: it logs in, reports that, makes one call, and
 * reports the result. It may also kill itself during the call.
 *
 * @module
 */

import { FTP } from "../../mod.ts";

/** First argument of the program, as JSON. */
export interface Order {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The certificate's fingerprint, with TLS. */
  readonly fingerprint?: string | undefined;
  readonly call: "download" | "upload" | "downloadDir" | "uploadDir";
  readonly local: string;
  readonly remote: string;
  readonly options: Record<string, unknown>;
  /** Kills itself at this event of the trace after the login, or when so many bytes have gone through. */
  readonly ownKill?:
    | { readonly event: number }
    | { readonly bytes: number }
    | undefined;
}

/** Its output at the end. */
export interface Outcome {
  /** Events of the trace after the login. */
  readonly events: number;
}

/** Makes the requested call. */
export async function obey(
  ftp: FTP,
  { call, local, remote, options }: Order,
  onProgress?: (progress: { transferred: number }) => void,
): Promise<void> {
  const all = { ...options, ...onProgress && { onProgress } };
  switch (call) {
    case "download":
      await ftp.download(remote, local, all);
      break;
    case "upload":
      await ftp.upload(local, remote, all);
      break;
    case "downloadDir":
      await ftp.downloadDir(remote, local, all);
      break;
    case "uploadDir":
      await ftp.uploadDir(local, remote, all);
  }
}

/** Creates the client for a request. */
export async function logInFor(
  { host, port, user, password, fingerprint }: Order,
  trace?: () => void,
): Promise<FTP> {
  const ftp = new FTP({
    timeout: 60_000,
    trace,
    ...fingerprint && { tls: { serverName: host, fingerprint } },
  });
  await ftp.connect(host, port);
  await ftp.login(user, password);
  return ftp;
}

if (import.meta.main) {
  const order: Order = JSON.parse(Deno.args[0]!);
  const { ownKill } = order;
  const event = ownKill && "event" in ownKill ? ownKill.event : undefined;
  const bytes = ownKill && "bytes" in ownKill ? ownKill.bytes : Infinity;
  let events = -Infinity;
  const die = () => Deno.kill(Deno.pid, "SIGKILL");
  const onEvent = () => {
    events++;
    if (events === event) die();
  };
  let before = 0;
  let last = 0;
  const onProgress = ({ transferred }: { transferred: number }) => {
    if (transferred < last) before += last; // the next file of a mirror
    last = transferred;
    if (before + transferred >= bytes) die();
  };
  const ftp = await logInFor(order, onEvent);
  events = 0;
  console.log("ready");
  await obey(ftp, order, onProgress);
  console.log(JSON.stringify({ events } satisfies Outcome));
  ftp.close();
}
