/**
 * Disturbs a call after an exact number of bytes of its replies or its data.
 */

import { setImmediate } from "node:timers";
import type { Random } from "../faults/random.ts";
import type { Direction, Gate, ProxiedConnection } from "../testing/proxy.ts";
import { Stop } from "./stop.ts";

/** Bytes of the replies to one call, and of a short listing: every one of them has its turn. */
const REPLY_BYTES = 260;
const LISTING_BYTES = 900;

/** Most bytes of a transfer before it is disturbed. */
const MAX_BYTES = 400_000;

/** SessionLock of the event loop that an abort is given, before what follows comes. */
const TURNS = 5;

/** A place in what the server sends. */
export interface Place {
  readonly channel: ProxiedConnection["channel"];
  /** Bytes before it, from where the call begins or the data connection. */
  readonly offset: number;
}

/**
 * Chooses a place.
 *
 * @param random For the choice
 * @param count How many were chosen before: short replies and listings are gone through byte by byte
 * @param channel Whether only data will do
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
  /** How many places were reached. */
  reachedCount = 0;

  /** Waits for a place. */
  arm(place: Place, act: () => Promise<"pass" | "truncate">): void {
    this.#place = place;
    this.#left = place.offset;
    this.#act = act;
  }

  /** Lets everything pass. */
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

/** For a report. */
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
