import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  FTPError,
  FTPPermanentError,
  FTPReplyError,
  Reply,
} from "../../mod.ts";
import { breakAfterFirst } from "../break_after_first.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { fetchBytes, logIn } from "./client.ts";

serverTest("FTP.sendcmd and voidcmd give the reply", async (server) => {
  await server.write("old", "x");
  await using ftp = await logIn(server);
  assertEquals((await ftp.sendcmd("NOOP")).code, 200);
  assertEquals((await ftp.sendcmd("RNFR old")).code, 350);
  assertEquals((await ftp.sendcmd("RNTO new")).code, 250);
  await assertRejects(() => ftp.voidcmd("RNFR new"), FTPReplyError, "350");
  assertEquals((await ftp.voidcmd("RNTO newer")).code, 250);
  await assertRejects(() => ftp.sendcmd("XYZZY"), FTPPermanentError, "50");
  assertEquals((await ftp.voidcmd("TYPE I")).code, 200);
  assertEquals(ftp.lastresp, "200");
});

serverTest("FTP.sendcmd reads replies of many lines", async (server) => {
  await using ftp = await logIn(server);
  const feat = await ftp.sendcmd("FEAT");
  assertEquals(feat.code, 211);
  assert(feat.lines.length > 5);
  assert(feat.lines.some((line) => line.trim() === "SIZE"));
  assertEquals((await ftp.sendcmd("HELP")).code, 214);
  assertEquals(await ftp.pwd(), "/");
});

serverTest(
  "FTP.putcmd and getresp are sendcmd in two steps",
  async (server) => {
    await using ftp = await logIn(server);
    await ftp.putcmd("NOOP");
    await ftp.putcmd("PWD");
    await ftp.putcmd("XYZZY");
    assertEquals((await ftp.getresp()).code, 200);
    assertEquals((await ftp.voidresp()).code, 257);
    await assertRejects(() => ftp.getresp(), FTPPermanentError, "50");
    await assertRejects(
      () => ftp.getresp(),
      TypeError,
      "no command is pending",
    );
    assertEquals(await ftp.pwd(), "/");
  },
);

serverTest(
  "FTP refuses line ends in a command and stays usable",
  async (server) => {
    await server.write("victim", "x");
    await using ftp = await logIn(server);
    for (const end of ["\r\n", "\n", "\r", "\0"]) {
      const attack = `x${end}DELE victim`;
      for (
        const attempt of [
          () => ftp.sendcmd(`SIZE ${attack}`),
          () => ftp.cwd(attack),
          () => ftp.delete(attack),
          () => ftp.rename("victim", attack),
          () => fetchBytes(ftp, attack),
          () => ftp.nlst(attack),
        ]
      ) {
        const error = await assertRejects(
          async () => await attempt(),
          TypeError,
        );
        assert(!error.message.includes("victim"));
      }
    }
    assertEquals((await server.read("victim")).length, 1);
    assertEquals(await ftp.pwd(), "/");
  },
);

serverTest(
  "FTP pipelines commands that are not awaited one by one",
  async (server) => {
    const sizes = await writeMany(server, 50);
    await using ftp = await logIn(server);
    await ftp.voidcmd("TYPE I");
    assertEquals(
      await Promise.all(sizes.map(([name]) => ftp.size(name))),
      sizes.map(([_name, size]) => size),
    );
  },
);

serverTest(
  "FTP.pipeline gives two thousand replies in order",
  async (server) => {
    const sizes = await writeMany(server, 100);
    await using ftp = await logIn(server);
    await ftp.voidcmd("TYPE I");
    const asked: string[] = [];
    const expected: string[] = [];
    for (let i = 0; i < 2000; i++) {
      const isMissing = i % 10 === 9;
      const [name, size] = sizes[i % sizes.length]!;
      asked.push(isMissing ? `SIZE no such file ${i}` : `SIZE ${name}`);
      expected.push(isMissing ? "550" : `213 ${size}`);
    }
    const got: string[] = [];
    for await (const reply of ftp.pipeline(asked)) {
      got.push(reply instanceof Reply ? reply.text : `${reply.reply?.code}`);
      if (!(reply instanceof Reply)) {
        assert(reply instanceof FTPError);
        assertEquals(reply.command, asked[got.length - 1]);
      }
    }
    assertEquals(got, expected);
    assertEquals(await ftp.pwd(), "/");
  },
);

serverTest("FTP.pipeline may be left early", async (server) => {
  await using ftp = await logIn(server);
  const reply = await breakAfterFirst(ftp.pipeline(Array(500).fill("NOOP")));
  assert(reply instanceof Reply);
  assertEquals(await ftp.pwd(), "/");
});

serverTest(
  "FTP.pipeline with a window of one asks one by one",
  async (server) => {
    await using ftp = await logIn(server);
    const replies = await Array.fromAsync(
      ftp.pipeline(["NOOP", "PWD", "XYZZY", "NOOP"], { window: 1 }),
    );
    assertEquals(
      replies.map((reply) => reply instanceof Reply ? reply.code : 0),
      [200, 257, 0, 200],
    );
  },
);

serverTest(
  "FTP.makeport, sendport, sendeprt and makepasv talk to the server",
  async (server) => {
    await using ftp = await logIn(server);
    const listener = await ftp.makeport();
    const local = listener.addr.port; // pyftpdlib connects at once
    assertEquals((await ftp.sendport("127.0.0.1", local)).code, 200);
    assertEquals((await ftp.sendeprt("127.0.0.1", local)).code, 200);
    listener.close();
    const [host, port] = await ftp.makepasv();
    assertEquals(host, server.host);
    const conn = await Deno.connect({ hostname: host, port });
    conn.close();
    assertEquals(await ftp.pwd(), "/");
  },
);

serverTest("FTP.abort without a transfer is answered", async (server) => {
  await using ftp = await logIn(server);
  assertEquals([225, 226].includes((await ftp.abort()).code), true);
  assertEquals(await ftp.pwd(), "/");
});

serverTest(
  "FTP.acct is refused by servers that know no accounts",
  async (server) => {
    await using ftp = await logIn(server);
    const outcome = await ftp.acct("top secret").then(
      (reply) => reply.code,
      (error) => {
        assertThrows(() => {
          throw error;
        }, FTPError);
        assert(!`${error.message}${error.stack}`.includes("top secret"));
        return error.reply?.code;
      },
    );
    assert([200, 202, 230, 500, 502, 503].includes(outcome));
    assertEquals(await ftp.pwd(), "/");
  },
);

/** Files whose names and sizes all differ, some with blanks. */
async function writeMany(
  server: { root: string },
  count: number,
): Promise<[name: string, size: number][]> {
  const sizes: [string, number][] = [];
  for (let i = 0; i < count; i++) {
    const name = i % 3 === 0 ? `file number ${i} ü.txt` : `file${i}`;
    await Deno.writeTextFile(`${server.root}/${name}`, "x".repeat(i));
    sizes.push([name, i]);
  }
  return sizes;
}
