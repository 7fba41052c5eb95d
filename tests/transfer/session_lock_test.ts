import { assertEquals, assertRejects } from "@std/assert";
import { SessionLock } from "../../lib/transfer/session_lock.ts";

/** A call that tells when it starts and ends when it is told to. */
class Call {
  readonly #done = Promise.withResolvers<void>();
  readonly result: Promise<void>;

  constructor(
    turns: SessionLock,
    kind: "shared" | "exclusive",
    name: string,
    log: string[],
  ) {
    this.result = turns[kind](async () => {
      log.push(name);
      await this.#done.promise;
      log.push(`/${name}`);
    });
  }

  async end(): Promise<void> {
    this.#done.resolve();
    await this.result;
    await settle();
  }
}

/** Lets every promise that is ready take its course. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

Deno.test("SessionLock starts calls that share at once", () => {
  const log: string[] = [];
  const turns = new SessionLock();
  new Call(turns, "shared", "a", log);
  new Call(turns, "shared", "b", log);
  assertEquals(log, ["a", "b"]);
});

Deno.test("SessionLock lets exclusive use wait for all earlier calls, and no call start meanwhile", async () => {
  const log: string[] = [];
  const turns = new SessionLock();
  const a = new Call(turns, "shared", "a", log);
  const b = new Call(turns, "shared", "b", log);
  const c = new Call(turns, "exclusive", "c", log);
  const d = new Call(turns, "shared", "d", log);
  const e = new Call(turns, "shared", "e", log);
  const f = new Call(turns, "exclusive", "f", log);
  const g = new Call(turns, "exclusive", "g", log);
  await b.end();
  assertEquals(log, ["a", "b", "/b"]);
  await a.end();
  assertEquals(log.splice(0), ["a", "b", "/b", "/a", "c"]);
  await c.end();
  assertEquals(log.splice(0), ["/c", "d", "e"]);
  await d.end();
  assertEquals(log.splice(0), ["/d"]);
  await e.end();
  assertEquals(log.splice(0), ["/e", "f"]);
  await f.end();
  assertEquals(log.splice(0), ["/f", "g"]);
  await g.end();
  assertEquals(log.splice(0), ["/g"]);
});

Deno.test("SessionLock continues after failed calls", async () => {
  const turns = new SessionLock();
  const failing = turns.exclusive(() => Promise.reject(new Error("no")));
  const thrown = turns.shared(() => {
    throw new Error("at once");
  });
  const last = turns.exclusive(() => Promise.resolve("last"));
  await assertRejects(() => failing, Error, "no");
  await assertRejects(() => thrown, Error, "at once");
  assertEquals(await last, "last");
  assertEquals(await turns.shared(() => Promise.resolve(1)), 1);
});

Deno.test("SessionLock removes a call from the queue if its signal is aborted", async () => {
  const log: string[] = [];
  const turns = new SessionLock();
  const controller = new AbortController();
  const { signal } = controller;
  const a = new Call(turns, "shared", "a", log);
  const b = turns.exclusive(() => Promise.resolve(log.push("b")), { signal });
  const c = new Call(turns, "shared", "c", log);
  assertEquals(log, ["a"]);
  controller.abort(new Error("enough"));
  await assertRejects(() => b, Error, "enough");
  await settle();
  assertEquals(log, ["a", "c"]);
  await Promise.all([a.end(), c.end()]);
  assertEquals(await turns.exclusive(() => Promise.resolve("d")), "d");
});

Deno.test("SessionLock gives a turn on that comes as its call is aborted", async () => {
  const log: string[] = [];
  const turns = new SessionLock();
  const controller = new AbortController();
  const { signal } = controller;
  const a = new Call(turns, "exclusive", "a", log);
  const b = turns.exclusive(() => Promise.resolve(log.push("b")), { signal });
  const c = new Call(turns, "exclusive", "c", log);
  controller.abort(new Error("enough"));
  await Promise.all([a.end(), assertRejects(() => b, Error, "enough")]);
  await settle();
  assertEquals(log, ["a", "/a", "c"]);
  await c.end();
});
