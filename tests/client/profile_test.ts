/** Connections to the same server share its profile. */

import { assertEquals } from "@std/assert";
import type { FTP } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { type MemoryServer, memoryServer } from "../testing/memory_server.ts";

const REFUSED = ["MLSD", "FEAT", "MLST", "MDTM"] as const;

/** A server that lacks four optional commands. */
async function poorServer(): Promise<MemoryServer> {
  const server = await memoryServer({
    "/a": "a",
    "/pub/b": "b",
    "/pub/c": "c",
    "/pub/d/e": "e",
  });
  for (const verb of REFUSED) server.on(verb, "502 Not implemented");
  return server;
}

/**
 * Uses each of the four commands, unless the client knows that it is missing.
 */
async function useAll(ftp: FTP): Promise<void> {
  assertEquals((await ftp.features()).size, 0);
  assertEquals(await ftp.mtime("/a"), null);
  assertEquals((await ftp.stat("/a"))?.size, 1);
  const names = (await Array.fromAsync(await ftp.list("/pub"))).map((
    { name },
  ) => name);
  assertEquals(names.sort(), ["b", "c", "d"]);
}

/** Returns how often each of the four was sent. */
function counts({ verbs }: MemoryServer): number[] {
  return REFUSED.map((verb) => verbs.filter((sent) => sent === verb).length);
}

Deno.test("FTP.clone sends nothing that the server is known to lack", async () => {
  await using server = await poorServer();
  await using ftp = await server.client();
  await useAll(ftp);
  assertEquals(counts(server), [1, 1, 1, 1]);
  await using clone = await ftp.clone();
  await useAll(clone);
  await using third = await clone.clone();
  await useAll(third);
  assertEquals(counts(server), [1, 1, 1, 1]);
});

Deno.test("FTP.clone learns for the client it comes from", async () => {
  await using server = await poorServer();
  await using ftp = await server.client();
  await using clone = await ftp.clone();
  await useAll(clone);
  await useAll(ftp);
  assertEquals(counts(server), [1, 1, 1, 1]);
});

Deno.test("FTP.reconnect sends nothing that the server is known to lack", async () => {
  await using server = await poorServer();
  await using ftp = await server.client();
  await useAll(ftp);
  await ftp.reconnect();
  await useAll(ftp);
  assertEquals(counts(server), [1, 1, 1, 1]);
});

Deno.test("FTP.downloadDir sends nothing over further connections that the server is known to lack", async () => {
  await using server = await poorServer();
  await using ftp = await server.client();
  using folder = new LocalFolder();
  await useAll(ftp);
  const before = server.verbs.length;
  // each waits for the other: there are two connections
  let missing = 2;
  const both = Promise.withResolvers<void>();
  server.on("RETR", async (turn) => {
    if (--missing === 0) both.resolve();
    await both.promise;
    await turn.default();
  });
  const { transferred } = await ftp.downloadDir("/pub", folder.path, {
    connections: 2,
  });
  assertEquals(transferred, 3);
  const sent = server.verbs.slice(before);
  assertEquals(sent.filter((verb) => verb === "USER").length, 1);
  assertEquals(counts(server), [1, 1, 1, 1]);
});

Deno.test("FTP.features asks again once another user is logged in", async () => {
  await using server = await memoryServer();
  await using ftp = await server.client();
  await ftp.features();
  await ftp.features();
  assertEquals(server.verbs.filter((verb) => verb === "FEAT").length, 1);
  await ftp.login("other", "secret");
  await ftp.features();
  assertEquals(server.verbs.filter((verb) => verb === "FEAT").length, 2);
});
