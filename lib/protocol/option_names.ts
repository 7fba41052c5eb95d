/**
 * Names of the options of a connection. They are listed here, because messages
 * of every layer say where an option belongs.
 *
 * @module
 */

/** Options of a client. */
export const CLIENT_OPTIONS = {
  encoding: true,
  timeout: true,
  passive: true,
  activeAddress: true,
  allowEPRT: true,
  localAddress: true,
  dial: true,
  proxy: true,
  activePorts: true,
  trustPasvHost: true,
  tls: true,
  trace: true,
  maxReplyLine: true,
  maxReply: true,
  maxLine: true,
  maxListing: true,
  multiline: true,
  pipelining: true,
  serverZone: true,
  virtualHost: true,
  afterLogin: true,
  compress: true,
  profile: true,
} as const;

/** Options of `connect()` for the login. */
export const LOGIN_OPTIONS = {
  port: true,
  user: true,
  password: true,
  account: true,
  netrc: true,
} as const;

/** Options in the option `tls`. */
export const TLS_OPTIONS = {
  mode: true,
  data: true,
  allowAuthSSL: true,
  caCerts: true,
  fingerprint: true,
  cert: true,
  key: true,
  serverName: true,
  minVersion: true,
  maxVersion: true,
  isolate: true,
  allowMissingCloseNotify: true,
  dangerouslyAcceptAnyCertificate: true,
} as const;
