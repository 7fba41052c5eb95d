import { assertEquals } from "@std/assert";
import { ReplyLimit } from "../../lib/transfer/reply_limit.ts";

Deno.test("ReplyLimit.wait() ends only when the reply is due, and leaves no timer", async () => {
  const ended = Promise.withResolvers<void>();
  const limit = new ReplyLimit(20, ended.promise);
  const never = new Promise<string>(() => {});
  let isDue = false;
  let checks = 0;
  const check = () => {
    // another reply is due for longer than the limit
    if (++checks > 10) isDue = true;
    return isDue;
  };
  assertEquals(await limit.wait(never, check, (limited) => limited), undefined);
  assertEquals(checks > 14, true);
  ended.resolve();
  await ended.promise;
});

Deno.test("ReplyLimit.wait() gives the reply, or its failure", async () => {
  const ended = Promise.withResolvers<void>();
  const limit = new ReplyLimit(1000, ended.promise);
  const isDue = () => true;
  const pass = <T>(limited: Promise<T>) => limited;
  assertEquals(await limit.wait(Promise.resolve("229"), isDue, pass), "229");
  const failed = limit.wait(Promise.reject(new Error("lost")), isDue, pass);
  assertEquals((await failed.catch((error) => error)).message, "lost");
  ended.resolve();
  await ended.promise;
});
