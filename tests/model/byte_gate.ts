/**
 * Disturbs a call after an exact number of bytes of its replies or its data.
 */

import { setImmediate } from "node:timers";
import type { Random } from "../faults/random.ts";
import type { Direction, Gate, ProxiedConnection } from "../testing/proxy.ts";
import { Stop } from "./stop.ts";

/**
 * Bytes of the replies to one call and of a short listing; each of them gets
 * its turn.
 */
const REPLY_BYTES = 260;
const LISTING_BYTES = 900;

/** Largest number of bytes of a transfer before it is disturbed. */
const MAX_BYTES = 400_000;

/** Turns of the event loop after an abort, before the next bytes arrive. */
const TURNS = 5;

/** A position in the bytes of the server. */
export interface Place {
  readonly channel: ProxiedConnection["channel"];
  /** Bytes before it, since the start of the call or of the data connection. */
  readonly offset: number;
}

/**
 * Chooses a position.
 *
 * @param count Number of earlier choices: short replies and listings are
 * disturbed at each byte
 * @param channel Whether only data counts
 */
export function choosePlace(
  random: Random,
  count: number,
  channel?: Place["channel"],
): Place {
  const chosen = channel ?? random.pick([[1, "control"], [1, "data"]]);
  if (chosen === "control") {
    return { channel: chosen, offset: count % REPLY_BYTES };
  }
  const offset = random.chance(0.6)
    ? count % LISTING_BYTES
    : random.magnitude(1, MAX_BYTES);
  return { channel: chosen, offset };
}

/** Called by the proxy. */
export class ByteGate implements Gate {
  #place: Place | undefined;
  #left = 0;
  #act: (() => Promise<"pass" | "truncate">) | undefined;
  /** Number of positions that were reached. */
  reachedCount = 0;

  /** Waits for a position. */
  arm(place: Place, act: () => Promise<"pass" | "truncate">): void {
    this.#place = place;
    this.#left = place.offset;
    this.#act = act;
  }

  /** Lets all bytes pass. */
  disarm(): void {
    this.#place = this.#act = undefined;
  }

  count(
    { channel }: ProxiedConnection,
    direction: Direction,
    length: number,
  ): number | undefined {
    if (direction !== "down" || channel !== this.#place?.channel) return;
    const left = this.#left;
    this.#left -= length;
    if (left >= length) return;
    this.#place = undefined;
    return left;
  }

  async reached(): Promise<"pass" | "truncate"> {
    this.reachedCount++;
    const act = this.#act;
    this.#act = undefined;
    return await act?.() ?? "pass";
  }
}

/** A stop by the signal, at a byte. */
export class ByteStop extends Stop {
  readonly #gate: ByteGate;
  readonly #place: Place;

  constructor(random: Random, gate: ByteGate, place: Place) {
    super(random);
    this.#gate = gate;
    this.#place = place;
  }

  override get moment(): string {
    return describePlace(this.#place);
  }

  override choose<const T>(ways: readonly T[]): T {
    return ways.find((way) => way === "signal") ?? super.choose(ways);
  }

  override arm(): void {
    this.#gate.arm(this.#place, async () => {
      this.abort();
      await turns();
      return "pass";
    });
  }

  override [Symbol.dispose](): void {
    this.#gate.disarm();
    super[Symbol.dispose]();
  }
}

/** Formats a position for a report. */
export function describePlace({ channel, offset }: Place): string {
  return `after ${offset} bytes of the ${
    channel === "data" ? "data" : "replies"
  }`;
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
