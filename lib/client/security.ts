/**
 * The dialogues of RFC 4217: securing and unsecuring the connections.
 *
 * @module
 */

import type { Reply } from "../protocol/reply.ts";
import type { Session, SignalOptions } from "../transfer/session.ts";
import type { Settings } from "./options.ts";

/** placeholder until the TLS layer is joined */
export async function secureIfAsked(
  _session: Session,
  _tls: Settings["tls"],
  _options: SignalOptions,
): Promise<void> {}
export function auth(
  _session: Session,
  _host: string,
  _tls: Settings["tls"],
  _options: SignalOptions,
): Promise<Reply> {
  throw new TypeError("not yet");
}
export function protP(
  _session: Session,
  _options: SignalOptions,
): Promise<Reply> {
  throw new TypeError("not yet");
}
export function protC(
  _session: Session,
  _options: SignalOptions,
): Promise<Reply> {
  throw new TypeError("not yet");
}
export function ccc(
  _session: Session,
  _options: SignalOptions,
): Promise<Reply> {
  throw new TypeError("not yet");
}
