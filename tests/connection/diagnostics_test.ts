/** Events for `node:diagnostics_channel`. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { assert, assertEquals } from "@std/assert";
import { connect } from "../../mod.ts";
import { TestServer } from "../../testing.ts";

const CHANNELS = [
  "ftp:connection",
  "ftp:command",
  "ftp:transfer",
  "ftp:retry",
] as const;

type Event = Record<string, unknown>;

/** Collects the events while something runs. */
async function observing(
  run: () => Promise<void>,
): Promise<Record<(typeof CHANNELS)[number], Event[]>> {
  const events = Object.fromEntries(
    CHANNELS.map((name) => [name, [] as Event[]]),
  );
  const listeners = CHANNELS.map((name) => {
    const listener = (message: unknown) => {
      events[name]!.push(message as Event);
    };
    subscribe(name, listener);
    return { name, listener };
  });
  try {
    await run();
    await new Promise((resolve) => setTimeout(resolve)); // what was told last
  } finally {
    for (const { name, listener } of listeners) unsubscribe(name, listener);
  }
  return events as Record<(typeof CHANNELS)[number], Event[]>;
}

Deno.test("diagnostics_channel tells connections, commands, transfers and retries, without secrets", async () => {
  await using server = await TestServer.start({
    files: { "/a": "x".repeat(100_000) },
    users: { ann: "s3cret" },
  });
  server.fail("RETR", { kind: "cut", after: 10 });
  const folder = await Deno.makeTempDir();
  try {
    const events = await observing(async () => {
      await using ftp = await connect(server.url);
      await ftp.download("a", `${folder}/a`, { retry: { delay: 1 } });
      await ftp.size("none").catch(() => {});
    });
    const [open, ...rest] = events["ftp:connection"];
    assertEquals([open!.phase, open!.host, open!.port], [
      "open",
      server.host,
      server.port,
    ]);
    assertEquals(rest.some(({ phase }) => phase === "close"), true);
    const commands = events["ftp:command"];
    const user = commands.find(({ command }) => command === "USER ann")!;
    assertEquals([user.phase, user.connection], ["start", open!.connection]);
    const answered = commands.find(({ id, phase }) =>
      id === user.id && phase === "end"
    )!;
    assertEquals(answered.code, 331);
    assert(Number(answered.duration) >= 0);
    assert(commands.some(({ command }) => command === "PASS ****"));
    assert(commands.some(({ code }) => code === 550));
    const transfers = events["ftp:transfer"];
    assertEquals(
      transfers.map(({ phase, code }) => [phase, code]),
      [["start", undefined], ["end", 426], ["start", undefined], ["end", 226]],
    );
    assertEquals(transfers.at(-1)!.bytes, 100_000);
    assertEquals(transfers.at(-1)!.size, 100_000);
    assertEquals(events["ftp:retry"].map(({ attempt }) => attempt), [1]);
    assertEquals(JSON.stringify(events).includes("s3cret"), false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("diagnostics_channel cannot break a call by a subscriber that throws or calls back", async () => {
  await using server = await TestServer.start({ files: { "/a": "a" } });
  await using ftp = await connect(server.url);
  let calls = 0;
  const listener = (message: unknown) => {
    if ((message as Event).command === "SIZE a" && calls++ === 0) {
      ftp.mtime("a").catch(() => {});
    }
  };
  subscribe("ftp:command", listener);
  try {
    assertEquals(await ftp.size("a"), 1);
    assertEquals(await ftp.size("a"), 1);
  } finally {
    unsubscribe("ftp:command", listener);
  }
  assert(calls > 0);
});

Deno.test("diagnostics_channel makes nothing where nothing subscribes", async () => {
  await using server = await TestServer.start({ files: { "/a": "a" } });
  await using ftp = await connect(server.url);
  await ftp.size("a");
  const events = await observing(async () => {});
  assertEquals(Object.values(events).flat(), []);
});
