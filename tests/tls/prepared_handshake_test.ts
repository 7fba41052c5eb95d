import { assert, assertEquals } from "@std/assert";
import {
  offersTicket,
  PreparedHandshake,
} from "../../lib/tls/prepared_handshake.ts";
import type { Engine, EngineEvents } from "../../lib/tls/engine.ts";

const SERVER_NAME = 0;
const SUPPORTED_VERSIONS = 43;
const PRE_SHARED_KEY = 41;

const TABLE: [
  title: string,
  extensions: [type: number, length: number][],
  expected: boolean,
][] = [
  ["nothing", [], false],
  ["no ticket", [[SERVER_NAME, 14], [SUPPORTED_VERSIONS, 3]], false],
  ["a ticket", [[SUPPORTED_VERSIONS, 3], [PRE_SHARED_KEY, 300]], true],
  ["a ticket alone", [[PRE_SHARED_KEY, 90]], true],
  ["an empty extension before it", [[49, 0], [PRE_SHARED_KEY, 90]], true],
  ["the number within another extension", [[SERVER_NAME, 41 * 256]], false],
];

for (const [title, extensions, expected] of TABLE) {
  Deno.test(`offersTicket reads a ClientHello with ${title}`, () => {
    for (const sessionId of [0, 32]) {
      for (const suites of [1, 9, 60]) {
        const hello = clientHello(sessionId, suites, extensions);
        assertEquals(offersTicket(hello), expected);
      }
    }
  });
}

Deno.test("offersTicket finds none in what is cut off", () => {
  const hello = clientHello(32, 9, [[SUPPORTED_VERSIONS, 3]]);
  for (let end = 0; end < hello.length; end++) {
    assertEquals(offersTicket(hello.subarray(0, end)), false);
  }
});

Deno.test("PreparedHandshake passes earlier events to the connection", async () => {
  const { early, events, calls } = make();
  const hello = clientHello(32, 9, [[PRE_SHARED_KEY, 90]]);
  const pending = early.hasTicket();
  events.send(hello, () => calls.push("sent"));
  assert(await pending);
  assertEquals(calls, ["unref"]);
  const engine = early.adopt(record(calls));
  assertEquals(calls, ["unref", "ref", "send", "sent"]);
  events.data(new Uint8Array(1));
  events.end();
  assertEquals(calls.slice(4), ["data", "end"]);
  engine.destroy();
  assertEquals(calls.slice(6), ["destroy"]);
});

Deno.test("PreparedHandshake has no ticket if TLS fails or it is dropped", async () => {
  const failed = make();
  failed.events.fail("broken", "");
  assertEquals(await failed.early.hasTicket(), false);
  failed.early.adopt(record(failed.calls));
  assertEquals(failed.calls, ["unref", "ref", "fail"]);
  const dropped = make();
  const pending = dropped.early.hasTicket();
  dropped.early.destroy();
  assertEquals(await pending, false);
});

/** A ClientHello (RFC 8446, section 4.1.2) in its record. */
function clientHello(
  sessionId: number,
  suites: number,
  extensions: [type: number, length: number][],
): Uint8Array {
  const number = (value: number) => [value >> 8, value & 255];
  const block = extensions.flatMap(([type, length]) => [
    ...number(type),
    ...number(length),
    ...Array.from({ length }, () => PRE_SHARED_KEY),
  ]);
  const body = [
    ...[3, 3],
    ...new Array(32).fill(7),
    ...[sessionId, ...new Array(sessionId).fill(PRE_SHARED_KEY)],
    ...number(2 * suites),
    ...new Array(2 * suites).fill(PRE_SHARED_KEY),
    ...[1, 0],
    ...number(block.length),
    ...block,
  ];
  const message = [1, 0, ...number(body.length), ...body];
  return new Uint8Array([22, 3, 1, ...number(message.length), ...message]);
}

/** An engine that does nothing, and a list of what is done with it. */
function make(): {
  early: PreparedHandshake;
  events: EngineEvents;
  calls: string[];
} {
  const calls: string[] = [];
  const engine: Engine = {
    feed: () => true,
    write: () => {},
    end: () => {},
    settle: () => {},
    destroy: () => calls.push("destroy"),
    busy: undefined,
    ref: () => calls.push("ref"),
    unref: () => calls.push("unref"),
  };
  let events: EngineEvents | undefined;
  const early = new PreparedHandshake((given) => {
    events = given;
    return engine;
  });
  return { early, events: events!, calls };
}

/** Takes note of what an engine tells. */
function record(calls: string[]): EngineEvents {
  return {
    secure: () => calls.push("secure"),
    session: () => calls.push("session"),
    send: (_, done) => {
      calls.push("send");
      done();
    },
    data: () => calls.push("data"),
    end: () => calls.push("end"),
    fail: () => calls.push("fail"),
  };
}
