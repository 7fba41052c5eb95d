import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { connect, FTP } from "../../mod.ts";
import { memoryServer } from "../testing/memory_server.ts";
import { FakeProxy, tunnelByHTTP } from "../testing/fake_proxy.ts";

/** Whether all of 127.0.0.0/8 is this machine. */
const HAS_MANY = Deno.build.os === "linux";

/** Returns the source addresses that a server saw: control and data. */
async function seenBy(
  options: { localAddress?: string; passive?: boolean },
): Promise<string[]> {
  const seen: string[] = [];
  await using server = await memoryServer({ "/a": "hello" });
  server.on("RETR", async (turn) => {
    await turn.reply(150, "Here it comes");
    const data = await turn.openData();
    seen.push(data.socket.remoteAddress!);
    await data.write("hello");
    data.close();
    await turn.reply(226, "Done");
  });
  await using ftp = await server.client(options);
  seen.push(server.sessions[0]!.peer.socket.remoteAddress!);
  assertEquals(await new Response(await ftp.retrieve("a")).text(), "hello");
  await using clone = await ftp.clone();
  seen.push(server.sessions[1]!.peer.socket.remoteAddress!);
  assertEquals(await new Response(await clone.retrieve("a")).text(), "hello");
  return seen;
}

Deno.test(
  "FTP connects from localAddress, in passive and in active mode, and in clones",
  {
    ignore: !HAS_MANY,
  },
  async () => {
    const localAddress = "127.0.0.2";
    for (const passive of [true, false]) {
      assertEquals(
        await seenBy({ localAddress, passive }),
        Array(4).fill(localAddress),
      );
    }
    assertEquals(await seenBy({}), Array(4).fill("127.0.0.1"));
    assertEquals(
      await seenBy({ localAddress: "0.0.0.0" }),
      Array(4).fill("127.0.0.1"),
    );
  },
);

Deno.test("FTP dials by Deno.connect where no localAddress is asked for", async () => {
  const original = Deno.connect;
  let count = 0;
  try {
    Deno.connect = ((options: Deno.ConnectOptions) => {
      count++;
      return original(options);
    }) as typeof Deno.connect;
    await seenBy({ localAddress: "::" });
  } finally {
    Deno.connect = original;
  }
  assertEquals(count, 4);
});

Deno.test("FTP connects to a proxy from localAddress", {
  ignore: !HAS_MANY,
}, async () => {
  await using server = await memoryServer({ "/a": "hello" });
  const seen: string[] = [];
  await using proxy = new FakeProxy(async (conn) => {
    seen.push(conn.remoteAddr.hostname);
    await tunnelByHTTP(conn, server.host);
  });
  await using ftp = await server.client({
    proxy: `http://${proxy.address}`,
    localAddress: "127.0.0.2",
  });
  assertEquals(await new Response(await ftp.retrieve("a")).text(), "hello");
  assertEquals(seen, ["127.0.0.2", "127.0.0.2"]);
});

Deno.test("FTP refuses a localAddress that is no address, and one beside dial", () => {
  for (const localAddress of ["localhost", "", "127.0.0.1:21", "eth0"]) {
    assertThrows(
      () => new FTP({ localAddress }),
      TypeError,
      'Cannot use "localAddress": it must be an IPv4 or IPv6 address',
    );
  }
  const dial = () => Promise.reject(new Error("not called"));
  assertThrows(
    () => new FTP({ localAddress: "127.0.0.2", dial }),
    TypeError,
    'Cannot use "dial" together with "localAddress"',
  );
});

Deno.test("FTP.connect says that localAddress is none of this machine's, or of the other family", async () => {
  await using server = await memoryServer();
  for (const localAddress of ["192.0.2.99", "2001:db8::1"]) {
    await assertRejects(
      () => connect(`${server.host}:${server.port}`, { localAddress }),
      Deno.errors.AddrNotAvailable,
      `from "${localAddress}"`,
    );
  }
});

const PROGRAM = `
import { connect } from ${JSON.stringify(import.meta.resolve("../../mod.ts"))};
const [host, port] = Deno.args;
try {
  await using ftp = await connect(host, { port: Number(port), localAddress: "127.0.0.2" });
  console.log(await new Response(await ftp.retrieve("a")).text());
} catch (error) {
  console.log(String(error));
}
`;

Deno.test(
  "FTP needs permission for localAddress and for the server, and says which is missing",
  {
    ignore: !HAS_MANY,
  },
  async () => {
    await using server = await memoryServer({ "/a": "hello" });
    const run = async (host: string, allowed: string) => {
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-check",
          "--no-prompt",
          `--allow-net=${allowed}`,
          `data:application/typescript,${encodeURIComponent(PROGRAM)}`,
          ...[host, String(server.port)],
        ],
        env: { NO_COLOR: "1" },
      }).output();
      const decoder = new TextDecoder();
      return decoder.decode(stdout) + decoder.decode(stderr);
    };
    assertEquals(await run("127.0.0.1", "127.0.0.1,127.0.0.2"), "hello\n");
    assertEquals(await run("localhost", "localhost,127.0.0.2"), "hello\n");
    assertEquals(
      await run("127.0.0.1", "127.0.0.1"),
      `NotCapable: Cannot connect to "127.0.0.1:${server.port}" from "127.0.0.2": Requires net access to "127.0.0.2:0", run again with the --allow-net flag\n`,
    );
    const said = await run("127.0.0.1", "127.0.0.2");
    assertEquals(
      said.includes(`Requires net access to "127.0.0.1:${server.port}"`),
      true,
      said,
    );
  },
);
