import { assertEquals, assertRejects } from "@std/assert";
import { SessionLock } from "../../lib/transfer/session_lock.ts";

/** A call that tells when it starts and ends when it is told to. */
class Call {
  readonly #done = Promise.withResolvers<void>();
  readonly result: Promise<void>;

  constructor(
    turns: SessionLock,
    kind: "share" | "alone",
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

Deno.test("Turns starts calls that share at once", () => {
  const log: string[] = [];
  const turns = new SessionLock();
  new Call(turns, "share", "a", log);
  new Call(turns, "share", "b", log);
  assertEquals(log, ["a", "b"]);
});

Deno.test("Turns lets a dialogue wait for all before it, and nothing start beside it", async () => {
  const log: string[] = [];
  const turns = new SessionLock();
  const a = new Call(turns, "share", "a", log);
  const b = new Call(turns, "share", "b", log);
  const c = new Call(turns, "alone", "c", log);
  const d = new Call(turns, "share", "d", log);
  const e = new Call(turns, "share", "e", log);
  const f = new Call(turns, "alone", "f", log);
  const g = new Call(turns, "alone", "g", log);
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

Deno.test("Turns goes on after calls that fail", async () => {
  const turns = new SessionLock();
  const failing = turns.alone(() => Promise.reject(new Error("no")));
  const thrown = turns.share(() => {
    throw new Error("at once");
  });
  const last = turns.alone(() => Promise.resolve("last"));
  await assertRejects(() => failing, Error, "no");
  await assertRejects(() => thrown, Error, "at once");
  assertEquals(await last, "last");
  assertEquals(await turns.share(() => Promise.resolve(1)), 1);
});

Deno.test("Turns lets a call leave the queue by its signal", async () => {
  const log: string[] = [];
  const turns = new SessionLock();
  const controller = new AbortController();
  const { signal } = controller;
  const a = new Call(turns, "share", "a", log);
  const b = turns.alone(() => Promise.resolve(log.push("b")), { signal });
  const c = new Call(turns, "share", "c", log);
  assertEquals(log, ["a"]);
  controller.abort(new Error("enough"));
  await assertRejects(() => b, Error, "enough");
  await settle();
  assertEquals(log, ["a", "c"]);
  await Promise.all([a.end(), c.end()]);
  assertEquals(await turns.alone(() => Promise.resolve("d")), "d");
});

Deno.test("Turns gives a turn on that comes as its call is aborted", async () => {
  const log: string[] = [];
  const turns = new SessionLock();
  const controller = new AbortController();
  const { signal } = controller;
  const a = new Call(turns, "alone", "a", log);
  const b = turns.alone(() => Promise.resolve(log.push("b")), { signal });
  const c = new Call(turns, "alone", "c", log);
  controller.abort(new Error("enough"));
  await Promise.all([a.end(), assertRejects(() => b, Error, "enough")]);
  await settle();
  assertEquals(log, ["a", "/a", "c"]);
  await c.end();
});
