/** The settings that another connection needs. */

import { assertEquals } from "@std/assert";
import { parseCommand } from "../../lib/protocol/command.ts";
import type { Reply } from "../../lib/protocol/reply.ts";
import { SessionState } from "../../lib/transfer/session_state.ts";

/** Sends commands, each with the code of its reply. */
function stateAfter(...steps: [line: string, code: number][]): SessionState {
  const state = new SessionState();
  for (const [line, code] of steps) {
    const command = parseCommand(line);
    const { moves } = state;
    state.forget(command);
    state.note(command, { code } as Reply, { moves, isSecured: false });
  }
  return state;
}

function movesAfter(...steps: [line: string, code: number][]): unknown {
  return stateAfter(...steps).moves?.map(({ argument }) => argument);
}

Deno.test("SessionState.moves leads to the directory", () => {
  assertEquals(movesAfter(["CWD a", 250], ["CWD b", 250]), ["a", "b"]);
  assertEquals(movesAfter(["CWD a", 250], ["CWD /b", 250]), ["/b"]);
  assertEquals(movesAfter(["CWD a", 250], ["CWD b", 550]), ["a"]);
  assertEquals(movesAfter(["CWD a", 250], ["USER b", 331]), []);
});

Deno.test("SessionState.forget leaves the directory unknown until the reply", () => {
  const state = stateAfter(["CWD a", 250]);
  state.directory = "/a";
  state.forget(parseCommand("CWD b"));
  assertEquals([state.directory, state.moves], [undefined, undefined]);
});

Deno.test("SessionState.note keeps what was accepted, and the latest of a kind", () => {
  const state = stateAfter(
    ["TYPE i", 200],
    ["MODE Z", 200],
    ["STRU R", 504],
    ["OPTS MLST size;", 200],
    ["OPTS MLST size;modify;", 200],
    ["OPTS UTF8 ON", 501],
    ["SITE UMASK 22", 200],
    ["SITE CHMOD 644 a", 200],
    ["HOST a.example.com", 220],
  );
  assertEquals(state.type, "I");
  const kept = [...state.settings.values()].map(({ argument }) => argument);
  assertEquals(kept, ["Z", "MLST size;modify;", "UMASK 22"]);
  assertEquals(state.virtualHost?.command.argument, "a.example.com");
});

Deno.test("SessionState.forget clears all at REIN", () => {
  const state = stateAfter(
    ["USER a", 331],
    ["TYPE A", 200],
    ["MODE Z", 200],
    ["HOST a.example.com", 220],
    ["REIN", 220],
  );
  assertEquals(
    [state.type, state.settings.size, state.virtualHost, state.identity],
    [undefined, 0, undefined, ""],
  );
});

Deno.test("SessionState.identity tells users apart, and TLS from none", () => {
  const [a, b, secured] = [
    stateAfter(["USER a", 331]),
    stateAfter(["USER a", 331], ["USER b", 331]),
    stateAfter(["AUTH TLS", 234], ["USER a", 331]),
  ].map(({ identity }) => identity);
  assertEquals(new Set([a, b, secured]).size, 3);
  assertEquals(b, stateAfter(["USER b", 331]).identity);
});
