/** Leftovers of aborted transfers, which later calls must not get. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type FTP, FTPProtocolError, FTPTemporaryError } from "../../mod.ts";
import { hangsAfter, Pair } from "../testing/scripted_listings.ts";
import type { Handler, Turn } from "../testing/scripted/mod.ts";
import { CLEAN_GREETING, startScript } from "../testing/client_script.ts";

const ENOUGH = new Error("Enough");

/** Sends a part of a file, and then waits for `ABOR`. */
const sendsSome: Handler = hangsAfter("some of it");

/** Every way to stop a download early. */
const STOPS: Record<string, (ftp: FTP) => Promise<unknown>> = {
  async "FTP.retrieve whose stream is cancelled"(ftp) {
    await (await ftp.retrieve("/f")).cancel();
  },
  async "FTP.retrieve whose loop is left"(ftp) {
    for await (const _ of await ftp.retrieve("/f")) break;
  },
  async "FTP.retrieve whose loop behind a pipe is left"(ftp) {
    const stream = (await ftp.retrieve("/f")).pipeThrough(
      new TextDecoderStream(),
    );
    for await (const _ of stream) break;
  },
  async "FTP.retrieve whose signal is aborted"(ftp) {
    const controller = new AbortController();
    const stream = await ftp.retrieve("/f", { signal: controller.signal });
    controller.abort(ENOUGH);
    stream.cancel().catch(() => {}); // while it is being settled
  },
  async "FTP.retrbinary whose callback throws"(ftp) {
    await assertRejects(() =>
      ftp.retrbinary("RETR /f", () => {
        throw ENOUGH;
      })
    );
  },
  async "FTP.mlsd that is left"(ftp) {
    for await (const _ of ftp.mlsd()) break;
  },
  async "FTP.list that is left"(ftp) {
    for await (const _ of ftp.list()) break;
  },
  async "DataConnection.close before the end"(ftp) {
    const conn = await ftp.transfercmd("RETR /f");
    await conn.read(new Uint8Array(4));
    conn.close();
  },
  async "FTP.ntransfercmd's signal"(ftp) {
    const controller = new AbortController();
    const { signal } = controller;
    await ftp.ntransfercmd("RETR /f", undefined, { signal });
    controller.abort(ENOUGH);
  },
  async "FTP.abort"(ftp) {
    await ftp.transfercmd("RETR /f");
    await ftp.abort();
  },
};

const FACT = "type=file;size=1; x\r\n";

for (const [way, stop] of Object.entries(STOPS)) {
  for (const isClean of [true, false]) {
    const where = isClean
      ? "on the same connection of vsftpd"
      : "on another connection of an unknown server";
    Deno.test(`${way} lets the next call continue ${where}`, async () => {
      await using pair = await Pair.make({ "/f": "all of it" }, {}, isClean);
      const { ftp, server } = pair;
      if (/list|mlsd/.test(way)) {
        server.once("MLSD", hangsAfter(FACT.repeat(20)));
      } else server.once("RETR", sendsSome);
      await ftp.cwd("/");
      await ftp.voidcmd("TYPE A");
      await stop(ftp);
      // at once, and several: none is told "Busy"
      const [directory, size] = await Promise.all([
        ftp.pwd(),
        ftp.size("/f"),
      ]);
      assertEquals(directory, "/");
      assertEquals(size, 9);
      assertEquals(await textOf(ftp, "/f"), "all of it");
      assertEquals(server.sessions.length, isClean ? 1 : 2);
      assertEquals(
        server.verbs.filter((verb) => verb === "USER").length,
        {
          true: 1,
          false: 2,
        }[`${isClean}`],
      );
    });
  }
}

Deno.test("FTP is busy while a download is open that the user holds", async () => {
  await using pair = await Pair.make({ "/f": "all of it" });
  pair.server.once("RETR", sendsSome);
  const stream = await pair.ftp.retrieve("/f");
  await assertRejects(() => pair.ftp.pwd(), Deno.errors.Busy, "cancel it");
  const reader = stream.getReader();
  await reader.read();
  await assertRejects(() => pair.ftp.pwd(), Deno.errors.Busy);
  await reader.cancel();
  assertEquals(await pair.ftp.pwd(), "/");
});

Deno.test("FTP is busy while a transfer's end is to be confirmed by voidresp()", async () => {
  await using pair = await Pair.make({ "/f": "all of it" });
  const conn = await pair.ftp.transfercmd("STOR /g");
  await conn.write(new Uint8Array(3));
  conn.close();
  await assertRejects(() => pair.ftp.pwd(), Deno.errors.Busy, "voidresp()");
  assertEquals((await pair.ftp.voidresp()).code, 226);
});

/** Ends an upload early, with a reason. */
const refusesUpload: Handler = async (turn) => {
  await turn.reply(150, "Send it");
  (await turn.openData()).reset();
  await turn.reply(426, "Broken");
};

Deno.test("FTP keeps its connection where the server has ended an upload by a refusal", async () => {
  await using pair = await Pair.make({}, {}, false);
  const { ftp, server } = pair;
  server.on("SITE", "200 Done").on("STOR", refusesUpload);
  await ftp.sendcmd("SITE BUFSIZE 9"); // would be lost on another connection
  for (let i = 0; i < 2; i++) {
    const error = await assertRejects(
      () => ftp.storbinary("STOR /g", new Uint8Array(8_000_000)),
      FTPTemporaryError,
    );
    assertStringIncludes(error.message, "426 Broken");
    assertEquals(await ftp.pwd(), "/");
  }
  assertEquals(server.sessions.length, 1);
});

Deno.test("FTP replaces its connection where a refused upload gets a second reply", async () => {
  await using pair = await Pair.make({ "/f": "all of it" }, {}, false);
  const { ftp, server } = pair;
  server.on("STOR", refusesUpload);
  server.once("NOOP", "226 Closed"); // the upload's second
  await assertRejects(
    () => ftp.storbinary("STOR /g", new Uint8Array(8_000_000)),
    FTPTemporaryError,
  );
  assertEquals(await ftp.size("/f"), 9);
  assertEquals(server.sessions.length, 2);
});

Deno.test("FTP has type, directory and settings on the connection that replaces one in doubt", async () => {
  await using pair = await Pair.make({ "/d/f": "x" });
  const { ftp, server } = pair;
  server.on("OPTS", "200 Done").on("SITE", "200 Done");
  await ftp.cwd("/d");
  await ftp.voidcmd("OPTS MLST type;size;");
  await ftp.voidcmd("SITE UMASK 077");
  await ftp.voidcmd("TYPE I");
  server.once("RETR", sendsSome);
  await (await ftp.retrieve("f")).cancel();
  const before = server.commands.length;
  assertEquals(await ftp.size("f"), 1);
  const after = server.commands.slice(before);
  for (
    const line of ["OPTS MLST type;size;", "SITE UMASK 077", "CWD /d", "TYPE I"]
  ) assert(after.includes(line), `${line} in ${after}`);
});

Deno.test("FTP says what is lost where something was sent by hand that is not repeated", async () => {
  await using pair = await Pair.make({ "/f": "all of it" });
  const { ftp, server } = pair;
  server.on("SITE", "200 Done");
  await ftp.sendcmd("SITE EXEC setup");
  server.once("RETR", sendsSome);
  await ftp.transfercmd("RETR /f");
  await ftp.abort();
  assertEquals(ftp.connected, false);
  const { message } = await assertRejects(
    () => ftp.pwd(),
    Deno.errors.NotConnected,
  );
  assertMatch(message, /^Cannot send "PWD": .*"RETR \/f".*"SITE".*reconnect/);
  assertEquals(server.sessions.length, 1);
  await ftp.reconnect();
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("Methods of FTP that take a path continue after a command sent by hand", async () => {
  await using pair = await Pair.make({ "/f": "all of it" });
  const { ftp, server } = pair;
  server.on("SITE", "200 Done");
  await ftp.sendcmd("SITE EXEC setup");
  server.once("RETR", sendsSome);
  await (await ftp.retrieve("/f")).cancel();
  const text = await new Response(await ftp.retrieve("/f")).text();
  assertEquals(text, "all of it");
});

Deno.test("FTP does not log in again as a user that USER by hand has replaced", async () => {
  await using pair = await Pair.make({ "/f": "all of it" });
  const { ftp, server } = pair;
  await ftp.sendcmd("USER other");
  await ftp.sendcmd("PASS word");
  server.once("RETR", sendsSome);
  await ftp.transfercmd("RETR /f");
  await ftp.abort();
  await assertRejects(() => ftp.exists("/f"), Deno.errors.NotConnected);
  assertEquals(server.sessions.length, 1);
});

Deno.test("FTP without a login says to connect again after an abort", async () => {
  await using server = await startScript({
    CONNECT: "220 Whoever",
    RETR: sendsSome,
  });
  await using ftp = await server.connect();
  await ftp.transfercmd("RETR x");
  assertEquals((await ftp.abort()).code, 426);
  const { message } = await assertRejects(
    () => ftp.pwd(),
    Deno.errors.NotConnected,
  );
  assertStringIncludes(message, "may send the rest of it");
  assertStringIncludes(message, "reconnect()");
});

Deno.test("FTP waits for a place where the closed connection still counts", async () => {
  await using pair = await Pair.make({ "/f": "all of it" });
  const { ftp, server } = pair;
  server.once("RETR", sendsSome);
  await (await ftp.retrieve("/f")).cancel();
  server.once("CONNECT", "421 Too many connections");
  server.once("PASS", "530 Sorry, the maximum number of clients is reached");
  assertEquals(await ftp.pwd(), "/");
  assertEquals(server.sessions.length, 4);
});

Deno.test("FTP.close ends a connection in doubt permanently", async () => {
  await using pair = await Pair.make({ "/f": "all of it" });
  const { ftp, server } = pair;
  server.once("RETR", sendsSome);
  await (await ftp.retrieve("/f")).cancel();
  ftp.close();
  await assertRejects(() => ftp.pwd(), Deno.errors.NotConnected, "close()");
  await assertRejects(() => ftp.exists("/f"), Deno.errors.NotConnected);
  assertEquals(server.sessions.length, 1);
});

Deno.test("FTP.list whose signal is aborted in its loop returns before other calls continue", async () => {
  for (const isClean of [true, false]) {
    await using pair = await Pair.make({ "/d x/a": "" }, {}, isClean);
    const { ftp, server } = pair;
    server.on("MLSD", "502 No");
    server.once(
      "LIST",
      hangsAfter("-rw-r--r-- 1 o g 1 Jan 1 2020 a\r\n".repeat(200)),
    );
    const controller = new AbortController();
    const { signal } = controller;
    const error = await assertRejects(async () => {
      for await (const _ of ftp.list("/d x", { signal })) {
        controller.abort(ENOUGH);
        assertEquals(await ftp.pwd(), "/");
      }
    });
    assertEquals(error, ENOUGH);
    assertEquals(await ftp.pwd(), "/");
  }
});

Deno.test("FTP opens another control connection after a broken data connection", async () => {
  await using pair = await Pair.make({ "/f": "all of it" });
  const { ftp, server } = pair;
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here");
    const data = await turn.openData();
    await data.write("some");
    data.reset();
    await turn.reply(426, "Broken");
  });
  await assertRejects(() => textOf(ftp, "/f"));
  assertEquals(await textOf(ftp, "/f"), "all of it");
  assertEquals(server.sessions.length, 2);
});

Deno.test("FTP continues if the server closed the connection because of the data connection", async () => {
  for (const isClean of [true, false]) {
    await using pair = await Pair.make({ "/f": "all of it" }, {}, isClean);
    const { ftp, server } = pair;
    // vsftpd, when TLS ends without close_notify
    server.once("RETR", async (turn) => {
      await turn.reply(150, "Here");
      const data = await turn.openData();
      await data.write("some");
      data.reset();
      turn.close();
    });
    const stream = await ftp.retrieve("/f");
    await assertRejects(() => new Response(stream).text());
    const text = await new Response(await ftp.retrieve("/f")).text();
    assertEquals(text, "all of it");
    assertEquals(server.sessions.length, 2);
  }
});

Deno.test("FTP has another connection where a listing was not read to its end, though the server said 226", async () => {
  for (const isAborted of [true, false]) {
    const confirmed = Promise.withResolvers<void>();
    await using pair = await Pair.make({ "/f": "all of it" }, {
      trace: ({ text }) => text.startsWith("226") && confirmed.resolve(),
    });
    const { ftp, server } = pair;
    const controller = new AbortController();
    const { signal } = controller;
    const conn = (await ftp.ntransfercmd("LIST /", undefined, { signal }))[0];
    await confirmed.promise;
    if (isAborted) controller.abort(ENOUGH);
    else conn.close();
    assertEquals(await ftp.pwd(), "/");
    assertEquals(server.sessions.length, 2);
  }
});

Deno.test("FTP keeps the connection whose transfer was refused, or read to its end", async () => {
  await using pair = await Pair.make({ "/f": "all of it" });
  const { ftp, server } = pair;
  await assertRejects(() => textOf(ftp, "/missing"));
  server.once("RETR", async (turn) => {
    await turn.reply(150, "Here");
    const data = await turn.openData();
    data.close();
    await turn.reply(451, "The disk broke");
  });
  await assertRejects(() => textOf(ftp, "/f"));
  assertEquals(await textOf(ftp, "/f"), "all of it");
  assertEquals(server.sessions.length, 1);
});

/** Failures of a server while a download that was left is being ended. */
const FAILURES_AT_THE_END: Record<string, (turn: Turn) => Promise<unknown>> = {
  // Pure-FTPd
  async "a second 150 and nothing more"(turn) {
    await turn.reply(150, "0.010 seconds (measured here)");
    await turn.session.peer.closed;
  },
  async "no reply"(turn) {
    await turn.session.peer.closed;
  },
  async "421"(turn) {
    await turn.reply(421, "Closing");
    await turn.session.peer.closed;
  },
  async "a reply to another command"(turn) {
    await turn.reply(229, "Entering extended passive mode (|||1234|)");
    await turn.session.peer.closed;
  },
  async "no FTP"(turn) {
    await turn.raw("SSH-2.0\r\n");
    await turn.session.peer.closed;
  },
  async "the end of the connection"(turn) {
    await turn.close();
  },
};

/** Ways to leave a download early, and the error of the caller. */
const LEAVING: Record<string, (ftp: FTP) => Promise<unknown>> = {
  async "transfercmd, close and voidresp"(ftp) {
    const conn = await ftp.transfercmd("RETR /f");
    await conn.read(new Uint8Array(4));
    conn.close();
    await assertRejects(() => ftp.voidresp());
  },
  async "transfercmd and close"(ftp) {
    const conn = await ftp.transfercmd("RETR /f");
    await conn.read(new Uint8Array(4));
    conn.close();
  },
  async "a data connection that the server resets"(ftp) {
    const conn = await ftp.transfercmd("RETR /reset");
    await assertRejects(async () => {
      while (await conn.read(new Uint8Array(4)) !== null);
    });
  },
  async "retrbinary whose data connection is reset"(ftp) {
    await assertRejects(() => ftp.retrbinary("RETR /reset", () => {}));
  },
};

for (const [way, leave] of Object.entries(LEAVING)) {
  for (const [what, fail] of Object.entries(FAILURES_AT_THE_END)) {
    Deno.test(`FTP continues after ${way}, answered by ${what}`, async () => {
      await using pair = await Pair.make({ "/f": "all of it" }, {
        timeout: 1000,
      });
      const { ftp, server } = pair;
      server.once("RETR", async (turn) => {
        await turn.reply(150, "Here it comes");
        const data = await turn.openData();
        await data.write("some");
        if (turn.argument === "/reset") data.reset();
        else await data.readAll();
        data.close();
        await fail(turn);
      });
      await leave(ftp);
      assertEquals(await Array.fromAsync(ftp.list("/"), ({ name }) => name), [
        "f",
      ]);
      assertEquals(await ftp.size("/f"), 9);
      assertEquals(server.sessions.length, 2);
    });
  }
}

Deno.test("FTP continues after a list() that was left early, if it cannot return to the directory", async () => {
  for (const isClean of [true, false]) {
    await using pair = await Pair.make({ "/d x/a": "" }, {}, isClean);
    const { ftp, server } = pair;
    server.on("MLSD", "502 No");
    server.on("CWD", async (turn) => {
      if (turn.argument === "/" && server.sessions.length === 1) turn.close();
      else await turn.default();
    });
    server.once(
      "LIST",
      hangsAfter("-rw-r--r-- 1 o g 1 Jan 1 2020 a\r\n".repeat(20)),
    );
    for await (const _ of ftp.list("/d x")) break;
    assertEquals(await ftp.pwd(), "/");
    assertEquals(server.sessions.length, 2);
  }
});

/** A call, a reply to another command, and the result of the call. */
const MISPLACED: [call: (ftp: FTP) => Promise<unknown>, reply: string][] = [
  [(ftp) => ftp.size("f"), '257 "/" is the directory'],
  [(ftp) => ftp.size("f"), "213 20261130034138"],
  [(ftp) => ftp.size("f"), "229 Extended passive (|||1234|)"],
  [(ftp) => ftp.mtime("f"), "213 22"],
  [(ftp) => ftp.pwd(), "213 22"],
  [(ftp) => ftp.pwd(), "211 End"],
  [(ftp) => ftp.cwd("d"), '257 "/d"'],
  [(ftp) => ftp.sendcmd("STAT"), "213 22"],
  [(ftp) => ftp.features(), "215 UNIX"],
  [(ftp) => ftp.voidcmd("NOOP"), "213 5"],
  [(ftp) => ftp.voidcmd("TYPE I"), "150 Here it comes"],
  [(ftp) => ftp.delete("f"), "213 5"],
  [(ftp) => ftp.rename("f", "g"), "213 5"],
];

for (const [call, reply] of MISPLACED) {
  const text = String(call).replace(/^.*=> ftp\./s, "");
  Deno.test(`FTP.${text} takes "${reply}" for no answer, and closes`, async () => {
    await using server = await startScript();
    server.on("*", (turn) => turn.raw(`${reply}\r\n`));
    for (const verb of ["PWD", "EPSV", "NOOP", "TYPE"]) {
      server.on(verb, (turn) => turn.raw(`${reply}\r\n`));
    }
    await using ftp = await server.connect();
    const { message } = await assertRejects(
      () => call(ftp),
      FTPProtocolError,
    );
    assertStringIncludes(message, "no longer match");
    assertEquals(ftp.connected, false);
  });
}

Deno.test("FTP gives none of several calls another's answer when one reply is missing", async () => {
  await using server = await startScript({
    STAT: () => {}, // ProFTPD, after an aborted LIST
    SIZE: (turn) => turn.raw(`213 ${turn.argument.length}\r\n`),
    CONNECT: CLEAN_GREETING,
  });
  await using ftp = await server.connect();
  const calls = await Promise.allSettled([
    ftp.sendcmd("STAT"),
    ftp.size("a"),
    ftp.size("bb"),
    ftp.size("ccc"),
  ]);
  assertEquals(calls.map(({ status }) => status), Array(4).fill("rejected"));
});

async function textOf(ftp: FTP, path: string): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  await ftp.retrbinary(`RETR ${path}`, (block) => {
    text += decoder.decode(block, { stream: true });
  });
  return text;
}
