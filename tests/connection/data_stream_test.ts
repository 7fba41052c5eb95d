/** The internal data connection. */

import { assertEquals, assertRejects } from "@std/assert";
import type { ByteStream } from "../../lib/connection/byte_stream.ts";
import { DataStream } from "../../lib/connection/data_stream.ts";

const ADDRESS: Deno.NetAddr = {
  transport: "tcp",
  hostname: "127.0.0.1",
  port: 20,
};

/** A stream without any data. */
function stillStream(): ByteStream {
  const never = () => new Promise<never>(() => {});
  return {
    read: never,
    write: never,
    closeWrite: never,
    close: () => {},
    ref: () => {},
    unref: () => {},
    localAddr: ADDRESS,
    remoteAddr: ADDRESS,
  };
}

function stillData(): DataStream {
  return new DataStream(stillStream(), { timeout: 0, command: () => "RETR a" });
}

for (const end of ["fail", "interrupt"] as const) {
  Deno.test(`DataStream.unlessFailed ends every wait that is open at ${end}`, async () => {
    const data = stillData();
    const never = new Promise<void>(() => {});
    const waits = [1, 2, 3].map(() =>
      data.unlessFailed(never).catch((error) => error.message)
    );
    data[end](new Error("over"));
    assertEquals(await Promise.all(waits), ["over", "over", "over"]);
    data.fail(new Error("over"));
  });
}

Deno.test("DataStream.unlessFailed continues to wait when another wait has ended", async () => {
  const data = stillData();
  const first = Promise.withResolvers<string>();
  const open = data.unlessFailed(new Promise<void>(() => {}));
  const short = data.unlessFailed(first.promise);
  first.resolve("done");
  assertEquals(await short, "done");
  data.fail(new Error("over"));
  await assertRejects(() => open, Error, "over");
});

Deno.test("DataStream.unlessFailed rejects at once where the stream has failed", async () => {
  const data = stillData();
  data.fail(new Error("over"));
  const never = new Promise<void>(() => {});
  await assertRejects(() => data.unlessFailed(never), Error, "over");
});
