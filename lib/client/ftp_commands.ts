/**
 * Commands and replies, as ftplib has them.
 *
 * @module
 */

import type { DataListener } from "../connection/dial.ts";
import { formatEprt, formatPort, type HostPort } from "../protocol/address.ts";
import { parseCommand } from "../protocol/command.ts";
import { replyError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/reply.ts";
import { abortOpen } from "../transfer/abort.ts";
import { requestActive, requestPassive } from "../transfer/data_channel.ts";
import { expectSuccess, type SignalOptions } from "../transfer/session.ts";
import { FTPConnection } from "./ftp_connection.ts";
import { performOn, sessionOf } from "./session_of.ts";

/**
 * The commands and replies of Python's `ftplib.FTP`, on the connection; and the
 * ports that data connections are made of, for who opens them by hand.
 *
 * Commands that are not awaited one by one are pipelined: written at once,
 * replies matched in order. While a data transfer is open any other command
 * is refused with `Deno.errors.Busy`, and the transfer goes on.
 */
export class FTPCommands extends FTPConnection {
  /**
   * Sends a command and waits for the reply.
   *
   * @param cmd The whole command line
   * @param options A signal
   * @returns A reply of 1yz, 2yz or 3yz. After 1yz the final reply is still
   * owed: see {@linkcode voidresp}
   * @throws {FTPTemporaryError} For 4yz
   * @throws {FTPPermanentError} For 5yz
   * @throws {TypeError} If the line has CR, LF or NUL; nothing is sent
   * @throws {Deno.errors.Busy} If a transfer is open, which goes on
   * @throws {Error} `Deno.errors.*` if the connection fails
   */
  async sendcmd(cmd: string, options: SignalOptions = {}): Promise<Reply> {
    const session = sessionOf(this);
    const command = parseCommand(cmd);
    return await session.turns.share(() => {
      session.noteByHand(command);
      return session.exchange(command, options);
    }, options);
  }

  /**
   * Sends a command that must be answered with 2yz.
   *
   * @param cmd The whole command line
   * @param options A signal
   * @returns The reply
   * @throws {FTPReplyError} For 1yz and 3yz
   * @throws {FTPError} As {@linkcode sendcmd}
   */
  async voidcmd(cmd: string, options: SignalOptions = {}): Promise<Reply> {
    const session = sessionOf(this);
    const command = parseCommand(cmd);
    return await session.turns.share(() => {
      session.noteByHand(command);
      return session.perform(command, options);
    }, options);
  }

  /**
   * Sends a command and does not wait; {@linkcode getresp} gives the reply.
   *
   * @param cmd The whole command line
   * @throws {TypeError} If the line has CR, LF or NUL; nothing is sent
   * @throws {Deno.errors.Busy} If a transfer is open, which goes on
   */
  async putcmd(cmd: string): Promise<void> {
    const session = sessionOf(this);
    return await session.turns.share(() => {
      const command = parseCommand(cmd);
      session.noteByHand(command);
      session.put(command);
      return Promise.resolve();
    });
  }

  /**
   * Waits for the reply that is owed next: of {@linkcode putcmd}, or the final
   * one of an open transfer. A command that opens a transfer has two, 1yz and
   * the final one.
   *
   * @param options A signal
   * @returns A reply of 1yz, 2yz or 3yz
   * @throws {FTPError} For 4yz and 5yz
   * @throws {TypeError} If no reply is owed, or the data connection is open
   * @throws {Deno.errors.NotConnected} If the connection is closed
   */
  async getresp(options: SignalOptions = {}): Promise<Reply> {
    const session = sessionOf(this);
    if (session.transfer !== undefined) {
      return await session.transfer.collect(options);
    }
    const { reply, command } = await session.nextReply(options);
    if (reply.code >= 400) throw replyError(reply, command);
    return reply;
  }

  /**
   * Waits for the reply that is owed next, which must be 2yz. After
   * `ntransfercmd` it is the server's word that the transfer is
   * complete: call it when the data connection is closed.
   *
   * @param options A signal
   * @returns The reply
   * @throws {FTPError} Unless it is 2yz
   * @throws {Deno.errors.Interrupted} If a download over TLS was closed here
   * before the end of its data; the connection is usable
   * @throws {TypeError} If no reply is owed, or the data connection is open
   * @throws {Error} Why the data connection failed or was aborted here, although
   * the reply may be 2yz
   */
  async voidresp(options: SignalOptions = {}): Promise<Reply> {
    return expectSuccess(await this.getresp(options), "voidresp");
  }

  /**
   * Sends account information (`ACCT`, RFC 959 section 4.1.1).
   *
   * @param password The account
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} As {@linkcode voidcmd}
   */
  async acct(password: string, options: SignalOptions = {}): Promise<Reply> {
    const command = { verb: "ACCT", argument: password, name: "password" };
    sessionOf(this).noteByHand(command);
    return await performOn(this, command, options);
  }

  /**
   * Aborts the open transfer (`ABOR`, RFC 959 section 4.1.3): its data
   * connection is closed, and all replies that are owed are taken. Where no
   * transfer is open `ABOR` is sent all the same.
   *
   * A server may give what is left of the transfer to the next one, whatever it
   * says. So the connection is closed then, unless the server is known to leave
   * nothing (vsftpd), {@linkcode FTPConnection.connected} is false, and the next
   * call connects, logs in and sets type, directory and options again. Where
   * something was sent by hand that is not repeated (`SITE`, `CLNT`, `ACCT`...),
   * or nobody is logged in, that call throws `Deno.errors.NotConnected`, and
   * `reconnect()` is needed.
   *
   * @param options A signal
   * @returns The reply to `ABOR`: 225, 226 or 426
   * @throws {FTPError} For any other code
   * @throws {Deno.errors.TimedOut} If what is owed does not come within five
   * seconds; the connection is closed
   */
  async abort(options: SignalOptions = {}): Promise<Reply> {
    const session = sessionOf(this);
    const wasConnected = this.connected;
    const aborted = await abortOpen(session);
    const { failure } = session.control;
    const isLate = failure instanceof Deno.errors.TimedOut;
    if (wasConnected && (session.isLost || isLate)) throw failure;
    let reply = aborted;
    if (reply === undefined) {
      await session.ready(options.signal);
      reply = await session.exchange({ verb: "ABOR" }, options);
    }
    if (![225, 226, 426].includes(reply.code)) throw replyError(reply, "ABOR");
    return reply;
  }

  /**
   * Asks the server to listen (`EPSV`, RFC 2428, else `PASV`, RFC 959). Over
   * IPv6 there is only `EPSV`.
   *
   * @param options A signal
   * @returns Host and port to dial; the host is that of the control connection,
   * unless `trustPasvHost` is set
   * @throws {FTPError} If the server refuses
   * @throws {FTPProtocolError} If the reply names no port
   */
  async makepasv(options: SignalOptions = {}): Promise<HostPort> {
    const session = sessionOf(this);
    return await session.turns.alone(
      () => requestPassive(session, options),
      options,
    );
  }

  /**
   * Listens and tells the server where (`PORT`, `EPRT`). The caller accepts
   * and closes.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param options A signal
   * @returns The listener; its `accept()` takes the server's connection only
   * @throws {FTPError} If the server refuses
   * @throws {Deno.errors.AddrInUse} If no port of `activePorts` is free
   *
   * @example Let the server connect
   * ```ts
   * import { connect } from "../../mod.ts";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const listener = await ftp.makeport();
   * await ftp.sendcmd("NLST"); // 150: it connects
   * const conn = await listener.accept();
   * listener.close();
   * const buffer = new Uint8Array(8192);
   * for (let n; (n = await conn.read(buffer)) !== null;) console.log(n);
   * conn.close();
   * await ftp.voidresp();
   * ```
   */
  async makeport(options: SignalOptions = {}): Promise<DataListener> {
    const session = sessionOf(this);
    return await session.turns.alone(
      () => requestActive(session, options),
      options,
    );
  }

  /**
   * Tells the server where to connect (`PORT`, RFC 959).
   *
   * @param host An IPv4 address
   * @param port A TCP port
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   * @throws {TypeError} If the host is no such address
   * @throws {RangeError} If the port is not 1 to 65535
   */
  async sendport(
    host: string,
    port: number,
    options: SignalOptions = {},
  ): Promise<Reply> {
    const argument = formatPort(host, port);
    return await performOn(
      this,
      { verb: "PORT", argument, name: "host" },
      options,
    );
  }

  /**
   * Tells the server where to connect (`EPRT`, RFC 2428).
   *
   * @param host An IPv4 or IPv6 address
   * @param port A TCP port
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   * @throws {TypeError} If the host is no address
   * @throws {RangeError} If the port is not 1 to 65535
   */
  async sendeprt(
    host: string,
    port: number,
    options: SignalOptions = {},
  ): Promise<Reply> {
    const argument = formatEprt(host, port);
    return await performOn(
      this,
      { verb: "EPRT", argument, name: "host" },
      options,
    );
  }
}
