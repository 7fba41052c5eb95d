/** The lock is a type: functions that need it do not compile without it. */

import { assert, assertEquals } from "@std/assert";
import { connectionOf } from "../../lib/client/ftp_protocol.ts";
import { rename } from "../../lib/commands/files.ts";
import {
  requestBinarySize,
  requestDirectory,
} from "../../lib/commands/queries.ts";
import { enterDirectory } from "../../lib/directories/change_directory.ts";
import { requestActive } from "../../lib/transfer/data_channel.ts";
import { openTransfer } from "../../lib/transfer/open_transfer.ts";
import type { Session } from "../../lib/transfer/session.ts";
import { ExclusiveTurn, Turn } from "../../lib/transfer/turn.ts";
import { memoryServer } from "../testing/memory_server.ts";

/**
 * Never called: each line but those without a comment is a mistake that must
 * not compile.
 */
export function mistakes(
  session: Session,
  turn: Turn,
  alone: ExclusiveTurn,
): unknown[] {
  return [
    requestBinarySize(alone, "a"),
    openTransfer(alone, { verb: "LIST" }),
    // @ts-expect-error: a session has no turn
    requestBinarySize(session, "a"),
    // @ts-expect-error: a session has no turn
    requestDirectory(session),
    // @ts-expect-error: a session has no turn
    openTransfer(session, { verb: "LIST" }),
    // @ts-expect-error: other calls may come before its command
    openTransfer(turn, { verb: "LIST" }),
    // @ts-expect-error: other calls would be in the other directory
    enterDirectory(turn, "a", {}),
    // @ts-expect-error: other calls may come between RNFR and RNTO
    rename(turn, "a", "b", {}),
    // @ts-expect-error: a session cannot talk
    session.perform({ verb: "NOOP" }),
    // @ts-expect-error: a session cannot talk
    session.exchange({ verb: "NOOP" }),
    // @ts-expect-error: other calls may come between PORT and the transfer
    requestActive(turn),
    // @ts-expect-error: the lock is the session's own
    session.turns,
  ];
}

Deno.test("Session.shared gives a turn that is not exclusive", async () => {
  await using server = await memoryServer({ "/a": "abc" });
  await using ftp = await server.client();
  const { session } = connectionOf(ftp);
  const size = await session.shared(async (turn) => {
    assert(turn instanceof Turn && !(turn instanceof ExclusiveTurn));
    assert(turn.session === session);
    return await requestBinarySize(turn, "/a");
  });
  assertEquals(size, 3);
});

Deno.test("Session.exclusive gives a turn that no other call has meanwhile", async () => {
  await using server = await memoryServer({ "/a": "abc", "/b": "bcde" });
  await using ftp = await server.client();
  const { session } = connectionOf(ftp);
  const before = server.verbs.length;
  const { promise: isFree, resolve: free } = Promise.withResolvers<void>();
  const renaming = session.exclusive(async (turn) => {
    assert(turn instanceof ExclusiveTurn);
    await turn.exchange({ verb: "RNFR", argument: "/a" });
    await isFree;
    return await turn.perform({ verb: "RNTO", argument: "/c" });
  });
  const sizing = ftp.size("/b");
  await server.received("RNFR");
  free();
  await renaming;
  assertEquals(await sizing, 4);
  assertEquals(server.verbs.slice(before), ["RNFR", "RNTO", "SIZE"]);
});
