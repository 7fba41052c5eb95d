/** The public test server: users, TLS, faults. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  connect,
  FTPPermanentError,
  FTPProtocolError,
  FTPTemporaryError,
} from "../../mod.ts";
import { TestServer, type TestTLS } from "../../testing.ts";
import { certificates } from "./servers/certificates.ts";
import { SERVER_HOST } from "./servers/loopback.ts";

async function identity(): Promise<TestTLS> {
  const { good } = await certificates();
  return {
    cert: await Deno.readTextFile(good.certificate),
    key: await Deno.readTextFile(good.key),
  };
}

async function caCerts(): Promise<string[]> {
  const { authority } = await certificates();
  return [await Deno.readTextFile(authority.certificate)];
}

const USERS = { ann: "se/cret", bob: "other" };

Deno.test("TestServer accepts only known users", async () => {
  await using server = await TestServer.start({
    files: { "/a.txt": "a" },
    users: USERS,
  });
  assertEquals(
    server.url,
    `ftp://ann:se%2Fcret@${server.host}:${server.port}`,
  );
  {
    await using ftp = await connect(server.url);
    assertEquals(await ftp.size("a.txt"), 1);
  }
  const url = `ftp://${server.host}:${server.port}`;
  for (const [user, password] of [["ann", "other"], ["eve", ""]]) {
    await assertRejects(
      () => connect(url, { user, password }),
      FTPPermanentError,
      "530 Login incorrect",
    );
  }
  await using ftp = await connect(url, { user: "bob", password: "other" });
  await ftp.sendcmd("USER ann");
  await assertRejects(
    () => ftp.sendcmd("SIZE a.txt"),
    FTPPermanentError,
    "530",
  );
});

Deno.test("TestServer tells a missing folder from one that is not empty", async () => {
  await using server = await TestServer.start({ files: { "/a/b.txt": "b" } });
  await using ftp = await connect(server.url);
  for (const [path, text] of [["/a", "not empty"], ["/c", "No such folder"]]) {
    await assertRejects(() => ftp.rmd(path!), FTPPermanentError, text);
  }
});

for (const mode of ["explicit", "implicit"] as const) {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    Deno.test(`TestServer speaks ${mode} ${version} on both channels`, async () => {
      const content = crypto.getRandomValues(new Uint8Array(50_000));
      await using server = await TestServer.start({
        files: { "/a.bin": content },
        hostname: SERVER_HOST,
        tls: { ...await identity(), mode },
        users: USERS,
      });
      await using ftp = await connect(server.url, {
        tls: {
          caCerts: await caCerts(),
          minVersion: version,
          maxVersion: version,
        },
      });
      assertEquals(ftp.tls?.protocol, version);
      await ftp.store("b.bin", content);
      assertEquals(server.files.get("/b.bin"), content);
      const chunks = await Array.fromAsync(await ftp.retrieve("a.bin"));
      assertEquals(
        new Uint8Array(await new Blob(chunks).arrayBuffer()),
        content,
      );
      const entries = await Array.fromAsync(ftp.list(), ({ name }) => name);
      assertEquals(entries, ["a.bin", "b.bin"]);
      assertEquals(server.verbs.includes("PROT"), true);
    });
  }
}

Deno.test("TestServer refuses clear text where TLS is required", async () => {
  await using server = await TestServer.start({
    hostname: SERVER_HOST,
    tls: { ...await identity(), required: true },
    users: USERS,
  });
  const clear = server.url.replace("ftpes:", "ftp:");
  await assertRejects(() => connect(clear), FTPPermanentError, "530 TLS");
  assertEquals(server.verbs.includes("PASS"), false);
  await using ftp = await connect(server.url, {
    tls: { caCerts: await caCerts() },
  });
  assertEquals(await ftp.pwd(), "/");
});

Deno.test("TestServer.fail refuses with the reply that is asked for, so many times", async () => {
  await using server = await TestServer.start();
  await using ftp = await connect(server.url);
  server.fail("STOR", { kind: "refuse", reply: "452 Disk full" }, { times: 2 });
  const bytes = new Uint8Array(10);
  for (let i = 0; i < 2; i++) {
    await assertRejects(
      () => ftp.store("a", bytes),
      FTPTemporaryError,
      "452 Disk full",
    );
  }
  await ftp.store("a", bytes);
  assertEquals(server.files.get("/a"), bytes);
});

Deno.test("TestServer.fail cuts a transfer after some bytes, and a retry completes it", async () => {
  const content = "0123456789".repeat(20_000);
  await using server = await TestServer.start({ files: { "/a": content } });
  const folder = await Deno.makeTempDir();
  try {
    await using ftp = await connect(server.url);
    server.fail("RETR", { kind: "cut", after: 1000 });
    const retry = { delay: 1 };
    const local = `${folder}/a`;
    const { retries } = await ftp.download("a", local, { retry });
    assertEquals([retries, await Deno.readTextFile(local)], [1, content]);
    server.fail("STOR", { kind: "cut", after: 1000 });
    const up = await ftp.upload(local, "b", { retry });
    assertEquals([up.retries, server.text("/b")], [1, content]);
    // a command without data: the connection itself
    server.fail("SIZE", { kind: "cut" });
    await assertRejects(() => ftp.size("a"), Error);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("TestServer.fail stalls, and the client's time-out ends it", async () => {
  await using server = await TestServer.start({ files: { "/a": "abcdef" } });
  for (const verb of ["RETR", "NOOP"]) {
    await using ftp = await connect(server.url, { timeout: 300 });
    server.fail(verb, { kind: "stall", after: 3 });
    const call = verb === "RETR"
      ? () => ftp.retrbinary("RETR a", () => {})
      : () => ftp.sendcmd("NOOP");
    await assertRejects(call, Deno.errors.TimedOut);
  }
});

Deno.test("TestServer.fail is slow, by bytes a second", async () => {
  const content = "x".repeat(2000);
  await using server = await TestServer.start({ files: { "/a": content } });
  await using ftp = await connect(server.url);
  for (const verb of ["RETR", "STOR"]) {
    server.fail(verb, { kind: "slow", rate: 4000 });
    const begun = performance.now();
    if (verb === "RETR") {
      let text = "";
      const decoder = new TextDecoder();
      await ftp.retrbinary("RETR a", (block) => {
        text += decoder.decode(block);
      });
      assertEquals(text, content);
    } else await ftp.store("b", new TextEncoder().encode(content));
    const took = performance.now() - begun;
    assert(took >= 450, `${verb} took ${took} ms`);
  }
  assertEquals(server.text("/b"), content);
});

Deno.test("TestServer.fail lies: 226 for a part, and replies that are not true", async () => {
  await using server = await TestServer.start({ files: { "/a": "abcdef" } });
  await using ftp = await connect(server.url);
  const folder = await Deno.makeTempDir();
  try {
    server.fail("RETR", { kind: "lie", after: 3 }, { times: Infinity });
    const options = { retry: false } as const;
    await assertRejects(() => ftp.download("a", `${folder}/a`, options), Error);
    assertEquals([...Deno.readDirSync(folder)], []);
    server.fail("STOR", { kind: "lie", after: 2 });
    await ftp.store("b", new TextEncoder().encode("whole"));
    assertEquals(server.text("/b"), "wh");
    server.fail("DELE", { kind: "lie", reply: "250 Deleted" });
    await ftp.delete("b");
    assertEquals(server.text("/b"), "wh");
    server.fail("PWD", { kind: "lie", reply: "150 What?" });
    await assertRejects(() => ftp.voidcmd("PWD"), FTPProtocolError);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
