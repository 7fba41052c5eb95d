/**
 * What real servers leave behind of a transfer that was stopped early: nothing that a later call could get.
 *
 * In the gate, half of the moments of a command are in clear text, the others over TLS.
 *
 *     FTP_DOUBT_ROUNDS=10 deno task test tests/real/doubt_test.ts   each of it that many times, all moments both ways
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { FTP, FTPOptions } from "../../mod.ts";
import { chooseCount } from "../testing/random.ts";
import { repetitions } from "../testing/repetitions.ts";
import { type RealServer, serverTest } from "../testing/servers/mod.ts";
import { fetchBytes, logIn, makeData, text } from "./client.ts";
import { logInTLS, withTLS } from "./tls_client.ts";

/** How often each of it is done. */
const ROUNDS = chooseCount(repetitions(1), "FTP_DOUBT_ROUNDS");

const ENOUGH = new Error("Enough");

/** Entries of the directory that is listed and left: with their long names more than fit into buffers. */
const MANY = 1000;

/** Longest part of a name that tells nothing. */
const LONGEST = 220;

/** A file whose transfer is not over when it is stopped. */
const BIG = makeData(4_000_000);

/** Size of a file of zeros that no buffer holds. */
const HUGE_SIZE = 20_000_000;

async function writeHuge(server: RealServer): Promise<void> {
  await server.write("big", "");
  Deno.truncateSync(`${server.root}/big`, HUGE_SIZE);
}

/** Logs in, over TLS or without. */
function enter(
  server: RealServer,
  isTLS: boolean,
  options: FTPOptions = {},
): Promise<FTP> {
  const settings = { timeout: 20_000, ...options };
  return isTLS ? logInTLS(server, {}, settings) : logIn(server, settings);
}

/** Registers a test for each server, in clear text and over TLS. */
function doubtTest(
  title: string,
  test: (server: RealServer, isTLS: boolean) => Promise<void>,
  { hasMany = true } = {},
): void {
  for (const isTLS of [false, true]) {
    serverTest(
      `${title}, ${isTLS ? "over TLS" : "in clear text"}`,
      async (server) => {
        await fill(server, { hasMany });
        await test(server, isTLS);
      },
      isTLS ? { prepare: withTLS() } : {},
    );
  }
}

async function fill(
  server: RealServer,
  { hasMany }: { hasMany: boolean },
): Promise<void> {
  await server.write("big", BIG);
  await server.write("a", "A".repeat(200));
  await server.write("b", "content of b");
  for (let size = 0; size < 30; size++) {
    await server.write(`s${size}`, "x".repeat(size));
  }
  for (const name of ["p", "q", "r"]) await server.write(`small/${name}`, "");
  if (!hasMany) return;
  await server.mkdir("many");
  for (let i = 0; i < MANY; i++) {
    Deno.writeTextFileSync(
      `${server.root}/many/entry_${i}_${"n".repeat(i % LONGEST)}`,
      "",
    );
  }
}

/** Asks in every way, and compares with what there is. */
async function checkAll(ftp: FTP, server: RealServer): Promise<void> {
  assertEquals(await namesOf(ftp, "small"), ["p", "q", "r"]);
  assertEquals(text(await fetchBytes(ftp, "b")), "content of b");
  assertEquals((await ftp.sendcmd("STAT")).code, 211);
  const sizes = [1, 2, 22, 7];
  assertEquals(
    await Promise.all(sizes.map((size) => ftp.size(`/s${size}`))),
    sizes,
  );
  assertEquals(await ftp.pwd(), "/");
  await ftp.storbinary("STOR new", new TextEncoder().encode("of new"));
  assertEquals(text(await server.read("new")), "of new");
  const listed = await Array.fromAsync(ftp.list("small"), ({ name }) => name);
  assertEquals(listed.sort(), ["p", "q", "r"]);
}

async function namesOf(ftp: FTP, path: string): Promise<string[]> {
  const names = (await ftp.nlst(path)).map((name) => name.replace(/^.*\//, ""));
  return names.filter((name) => !/^\.{1,2}$/.test(name)).sort();
}

/** Opens a transfer, and aborts it at a moment. */
async function abortAt(
  server: RealServer,
  isTLS: boolean,
  command: string,
  moment: string,
): Promise<FTP> {
  const controller = new AbortController();
  let isArmed = false;
  const ftp = await enter(server, isTLS, {
    trace: ({ direction, text }) => {
      const isSent = direction === "sent" && text === command;
      const isMoment = moment === "sent"
        ? isSent
        : direction === "received" && /^1/.test(text);
      if (isArmed && isMoment) controller.abort(ENOUGH);
    },
  });
  await ftp.voidcmd("TYPE I");
  isArmed = moment !== "data";
  const { signal } = controller;
  const opening = ftp.ntransfercmd(command, undefined, { signal });
  if (moment === "data") {
    const [conn] = await opening;
    if (/^STOR/.test(command)) await conn.write(makeData(5000));
    else await conn.read(new Uint8Array(1000));
    controller.abort(ENOUGH);
  } else {
    await opening.then(([conn]) => conn.close(), () => {});
  }
  return ftp;
}

doubtTest(
  "FTP gives nothing of a transfer that is aborted at any moment to later calls",
  async (server, isTLS) => {
    const commands = ["RETR big", "RETR a", "LIST many", "STOR up"];
    for (const [index, command] of commands.entries()) {
      for (const [number, moment] of ["sent", "150", "data"].entries()) {
        const isOfOther = (index + number) % 2 === (isTLS ? 0 : 1);
        if (ROUNDS === 1 && isOfOther) continue;
        for (let i = 0; i < ROUNDS; i++) {
          await using ftp = await abortAt(server, isTLS, command, moment);
          await checkAll(ftp, server);
        }
      }
    }
  },
);

doubtTest(
  "FTP.list and walk that are left again and again give what there is",
  async (server, isTLS) => {
    await using ftp = await enter(server, isTLS);
    for (let i = 0; i < ROUNDS; i++) {
      const controller = new AbortController();
      const { signal } = controller;
      const error = await assertRejects(async () => {
        for await (const _ of ftp.list("many", { signal })) {
          controller.abort(ENOUGH);
        }
      });
      assertEquals(error, ENOUGH);
      let count = 0;
      for await (const { name } of ftp.list("many")) {
        assert(name.startsWith("entry_"), name);
        count++;
      }
      assertEquals(count, MANY);
      for await (const _ of ftp.walk()) break;
      assertEquals(await namesOf(ftp, "small"), ["p", "q", "r"]);
    }
  },
);

doubtTest(
  "FTP.retrieve that is cancelled again and again leaves the next file whole",
  async (server, isTLS) => {
    await using ftp = await enter(server, isTLS);
    for (let i = 0; i < 2 * ROUNDS; i++) {
      for await (const _ of await ftp.retrieve("big")) break;
      const b = await new Response(await ftp.retrieve("b")).text();
      assertEquals(b, "content of b");
    }
  },
  { hasMany: false },
);

/** Ways that broke the session of ProFTPD, which the options took for another. */
const WAYS: Record<string, (ftp: FTP) => Promise<unknown>> = {
  async "FTP.retrieve whose stream is cancelled"(ftp) {
    const reader = (await ftp.retrieve("big")).getReader();
    await reader.read();
    await reader.cancel();
  },
  async "FTP.abort"(ftp) {
    const [conn] = await ftp.ntransfercmd("RETR big");
    await conn.read(new Uint8Array(1000));
    await ftp.abort();
  },
  "FTP.retrbinary whose callback throws": (ftp) =>
    assertRejects(
      () =>
        ftp.retrbinary("RETR big", () => {
          throw ENOUGH;
        }),
      Error,
      ENOUGH.message,
    ),
};

for (const [way, stop] of Object.entries(WAYS)) {
  serverTest(
    `${way} leaves the client usable with TLS and no pipelining`,
    async (server) => {
      await writeHuge(server);
      for (let i = 0; i < ROUNDS; i++) {
        await using ftp = await enter(server, true, { pipelining: false });
        await stop(ftp);
        assertEquals(await ftp.pwd(), "/");
        assertEquals(await ftp.size("big"), HUGE_SIZE);
      }
    },
    { prepare: withTLS() },
  );
}

serverTest(
  "FTP continues after an abort if the server allows one connection",
  async (server) => {
    await writeHuge(server);
    await server.write("b", "content of b");
    await using ftp = await logIn(server);
    for (let i = 0; i < ROUNDS; i++) {
      for await (const _ of await ftp.retrieve("big")) break;
      assertEquals(text(await fetchBytes(ftp, "b")), "content of b");
    }
  },
  { servers: ["proftpd"], extra: ["MaxClientsPerHost 1"] },
);
