/**
 * Counts round trips: how often a client has to wait for the server before it
 * can send what comes next. No clock of the machine takes part in the count.
 *
 * Each event has a time in round trips, as in Lamport's clocks. What is sent has
 * the time of the latest event that the client has seen. A reply, the end of a
 * dial, and data come one round trip after what caused them.
 */

import type { Dial, DialedConn } from "../../mod.ts";

/**
 * Milliseconds for which received bytes are held, so that the client first does
 * everything that it can do without them.
 */
const HOLD = 15;

/** A command that was sent and has no final reply. */
interface Sent {
  readonly verb: string;
  readonly at: number;
}

const DATA_VERBS = /^(RETR|LIST|NLST|MLSD|STOR|APPE|STOU)$/;

/** Counts the round trips of one client on one connection. */
export class TurnClock {
  /** Round trips so far. */
  now = 0;
  readonly #pending: Sent[] = [];
  /** When the last transfer's command was sent. */
  #transferAt = 0;
  /** When the last byte of an upload was sent. */
  #endAt = 0;

  /** The option `dial` of the client. */
  readonly dial: Dial = async (target) => {
    const { hostname, port, transport, signal } = target;
    const at = this.now;
    const conn = await Deno.connect({ hostname, port, signal });
    await new Hold().begin();
    this.#reach(at + 1);
    conn.setNoDelay(true);
    if (transport === "data") return this.#data(conn);
    this.#pending.push({ verb: "connect", at: this.now });
    return this.#control(conn);
  };

  /** Counts the round trips of a call. */
  async count(run: () => Promise<unknown>): Promise<number> {
    const before = this.now;
    await run();
    return this.now - before;
  }

  #reach(at: number): void {
    this.now = Math.max(this.now, at);
  }

  #control(conn: Deno.TcpConn): DialedConn {
    const decoder = new TextDecoder();
    let text = "";
    return wrap(conn, {
      write: (bytes) => {
        for (const line of decoder.decode(bytes).trimEnd().split("\r\n")) {
          const verb = line.split(" ", 1)[0]!;
          if (DATA_VERBS.test(verb)) this.#transferAt = this.now;
          this.#pending.push({ verb, at: this.now });
        }
      },
      read: (bytes) => {
        text += decoder.decode(bytes);
        const lines = text.split("\r\n");
        text = lines.pop()!;
        for (const line of lines) this.#answer(line);
      },
    });
  }

  #answer(line: string): void {
    const isReply = /^\d{3} /.test(line);
    const first = this.#pending[0];
    if (!isReply || first === undefined) return;
    const isUpload = /^(STOR|APPE|STOU)$/.test(first.verb);
    if (line.startsWith("1")) return this.#reach(first.at + 1);
    this.#pending.shift();
    this.#reach((isUpload ? Math.max(first.at, this.#endAt) : first.at) + 1);
  }

  #data(conn: Deno.TcpConn): DialedConn {
    return wrap(conn, {
      write: () => this.#endAt = this.now,
      read: () => this.#reach(this.#transferAt + 1),
      end: () => this.#endAt = this.now,
    });
  }
}

/** What to do at the events of a connection. */
interface Events {
  write(bytes: Uint8Array): void;
  read(bytes: Uint8Array): void;
  end?(): void;
}

function wrap(conn: Deno.TcpConn, events: Events): DialedConn {
  const hold = new Hold();
  return {
    localAddr: conn.localAddr,
    remoteAddr: conn.remoteAddr,
    async read(buffer) {
      const n = await conn.read(buffer);
      await hold.begin();
      events.read(buffer.subarray(0, n ?? 0));
      return n;
    },
    async write(bytes) {
      events.write(bytes);
      let written = 0;
      while (written < bytes.length) {
        written += await conn.write(bytes.subarray(written));
      }
      return written;
    },
    async closeWrite() {
      events.end?.();
      await conn.closeWrite();
    },
    close: () => {
      hold.end();
      conn.close();
    },
    ref: () => conn.ref(),
    unref: () => conn.unref(),
  };
}

/** Holds received bytes until the connection is closed. */
class Hold {
  #release: (() => void) | undefined;
  #isEnded = false;

  async begin(): Promise<void> {
    if (this.#isEnded) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#release = resolve;
    const timer = setTimeout(resolve, HOLD);
    await promise;
    clearTimeout(timer);
  }

  end(): void {
    this.#isEnded = true;
    this.#release?.();
  }
}
