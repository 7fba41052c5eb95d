/**
 * A server's profile that is kept between runs, and harmless if it is wrong.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FTP, type LearnedProfile, type ProfileStore } from "../../mod.ts";
import { type MemoryServer, memoryServer } from "../testing/memory_server.ts";

/** A store in memory. */
class MemoryStore implements ProfileStore {
  readonly kept = new Map<string, unknown>();
  saves = 0;

  load(server: string): unknown {
    return this.kept.get(server);
  }

  async save(server: string, learned: LearnedProfile): Promise<void> {
    await Promise.resolve();
    this.saves++;
    this.kept.set(server, JSON.parse(JSON.stringify(learned)));
  }
}

/** A server without `EPSV` and `MLSD`. */
async function oldServer(): Promise<MemoryServer> {
  const server = await memoryServer({ "/pub/a": "a" });
  for (const verb of ["EPSV", "MLSD"]) server.on(verb, "502 Not implemented");
  return server;
}

/** Time-out of a run in milliseconds. */
const TIMEOUT = 2000;

/** One run of a program: lists a directory. Returns the verbs that were sent. */
async function run(
  server: MemoryServer,
  profile: ProfileStore,
): Promise<string[]> {
  const before = server.verbs.length;
  await using ftp = new FTP({ profile, timeout: TIMEOUT });
  await ftp.connect(server.host, server.port);
  await ftp.login();
  const entries = await Array.fromAsync(await ftp.list("/pub"));
  assertEquals(entries.map(({ name }) => name), ["a"]);
  await ftp.quit();
  return server.verbs.slice(before);
}

Deno.test("FTP tries in a second run nothing that has not worked in the first", async () => {
  await using server = await oldServer();
  const store = new MemoryStore();
  const first = await run(server, store);
  assert(first.includes("EPSV") && first.includes("MLSD"), first.join());
  const key = `${server.host}:${server.port}`;
  const { since, ...learned } = store.kept.get(key) as LearnedProfile;
  assertEquals(learned, { epsv: false, mlsd: false });
  assert(Math.abs(Date.now() - Date.parse(since)) < 60_000, since);
  const second = await run(server, store);
  assertEquals(
    second.filter((verb) => verb === "EPSV" || verb === "MLSD"),
    [],
  );
  assertEquals(store.saves, 1, "nothing new was learned");
});

Deno.test("FTP saves at its disposal and at close what was learned, also by a clone", async () => {
  for (const end of ["dispose", "close"] as const) {
    await using server = await oldServer();
    const store = new MemoryStore();
    const saved = Promise.withResolvers<void>();
    const profile: ProfileStore = {
      load: (key) => store.load(key),
      save: async (key, learned) => {
        await store.save(key, learned);
        saved.resolve();
      },
    };
    const ftp = new FTP({ profile });
    await ftp.connect(server.host, server.port);
    await ftp.login();
    {
      await using clone = await ftp.clone();
      await Array.fromAsync(await clone.list("/pub"));
      assertEquals(store.saves, 0);
    }
    assertEquals(store.saves, 1);
    if (end === "dispose") await ftp[Symbol.asyncDispose]();
    else ftp.close();
    await saved.promise;
    assertEquals(store.saves, 1);
  }
});

Deno.test("FTP unlearns what a profile says wrongly", async () => {
  await using server = await memoryServer({ "/pub/a": "a" });
  for (const verb of ["PASV", "PRET"]) server.on(verb, "502 Not implemented");
  const store = new MemoryStore();
  const key = `${server.host}:${server.port}`;
  const since = new Date().toISOString();
  store.kept.set(key, { since, epsv: false, pret: true });
  const verbs = await run(server, store);
  assert(verbs.includes("PASV") && verbs.includes("EPSV"), verbs.join());
  assertEquals({ ...store.kept.get(key) as LearnedProfile, since: "" }, {
    since: "",
  });
  assertEquals((await run(server, store)).includes("PASV"), false);
});

Deno.test("FTP.list sends MLSD again where a profile says that only LIST works, and it does not", async () => {
  await using server = await memoryServer({ "/pub/a": "a" });
  server.on("LIST", "502 Not implemented");
  const store = new MemoryStore();
  const key = `${server.host}:${server.port}`;
  store.kept.set(key, { since: new Date().toISOString(), mlsd: false });
  const verbs = await run(server, store);
  assert(verbs.indexOf("LIST") < verbs.indexOf("MLSD"), verbs.join());
  assertEquals((await run(server, store)).includes("LIST"), false);
});

/** Ways in which a value of an earlier run may fail. */
const FAILURES: readonly [
  name: string,
  learned: Partial<LearnedProfile>,
  arrange: (server: MemoryServer) => void,
][] = [
  ["PASV is refused for the moment", { epsv: false }, (server) => {
    server.on("PASV", "425 Cannot open a port");
  }],
  ["PASV gets a reply without an address", { epsv: false }, (server) => {
    server.on("PASV", "227 Entering Passive Mode");
  }],
  ["the port of PASV refuses connections", { epsv: false }, (server) => {
    server.on("PASV", "227 =127,0,0,1,0,1");
  }],
  ["PASV ends the connection", { epsv: false }, (server) => {
    server.on("PASV", (turn) => turn.close());
  }],
  ["PRET is refused by 550", { pret: true }, (server) => {
    server.on("PRET", "550 Permission denied");
  }],
  ["PRET ends the connection", { pret: true }, (server) => {
    server.on("PRET", (turn) => turn.close());
  }],
  ["LIST is refused by 550", { mlsd: false }, (server) => {
    server.on("LIST", "550 Permission denied");
  }],
  ["LIST is refused for the moment", { mlsd: false }, (server) => {
    server.on("LIST", "450 Busy");
  }],
];

for (const [name, learned, arrange] of FAILURES) {
  Deno.test(`FTP unlearns a value of a profile if ${name}, in the same call`, async () => {
    await using server = await memoryServer({ "/pub/a": "a" });
    arrange(server);
    const store = new MemoryStore();
    const key = `${server.host}:${server.port}`;
    store.kept.set(key, { since: new Date().toISOString(), ...learned });
    await run(server, store);
    const kept = store.kept.get(key) as LearnedProfile;
    for (const value of Object.keys(learned)) {
      assertEquals(value in kept, false, JSON.stringify(kept));
    }
    const verbs = await run(server, store);
    assertEquals(
      verbs.filter((verb) => /^(PASV|PRET|LIST)$/.test(verb)),
      [],
    );
  });
}

for (
  const [verb, learned] of [
    ["PASV", { epsv: false }],
    ["PRET", { pret: true }],
    ["LIST", { mlsd: false }],
  ] as const
) {
  Deno.test(`FTP does not send ${verb} in the next run if a profile asks for it and it is never answered`, async () => {
    await using server = await memoryServer({ "/pub/a": "a" });
    server.on(verb, () => {});
    const store = new MemoryStore();
    const key = `${server.host}:${server.port}`;
    store.kept.set(key, { since: new Date().toISOString(), ...learned });
    await assertRejects(() => run(server, store), Deno.errors.TimedOut);
    assertEquals((await run(server, store)).includes(verb), false);
  });
}

Deno.test("FTP keeps what a profile says if a missing directory is listed first", async () => {
  await using server = await oldServer();
  const store = new MemoryStore();
  await run(server, store);
  const before = server.verbs.length;
  await using ftp = new FTP({ profile: store });
  await ftp.connect(server.host, server.port);
  await ftp.login();
  await assertRejects(() => Array.fromAsync(ftp.list("/none")));
  assertEquals(server.verbs.slice(before).includes("MLSD"), false);
});

const DAY = 24 * 60 * 60 * 1000;

/** Invalid or outdated profiles. */
const USELESS: Record<string, unknown> = {
  "null": null,
  "a number": 1,
  "a text": "epsv: false",
  "an array": [],
  "no time": { epsv: false },
  "no valid time": { since: "yesterday", epsv: false, mlsd: false },
  "an old time": {
    since: new Date(Date.now() - 91 * DAY).toISOString(),
    epsv: false,
    mlsd: false,
  },
  "a time in the future": {
    since: new Date(Date.now() + DAY).toISOString(),
    epsv: false,
    mlsd: false,
  },
  "a time that is no text": {
    since: BigInt(Date.now()),
    epsv: false,
    mlsd: false,
  },
  "values of other types": {
    since: new Date().toISOString(),
    epsv: "false",
    mlsd: 0,
    pret: 1,
    pipelining: null,
  },
};

for (const [name, useless] of Object.entries(USELESS)) {
  Deno.test(`FTP ignores a profile that is ${name}`, async () => {
    await using server = await memoryServer({ "/pub/a": "a" });
    const verbs = await run(server, { load: () => useless, save: () => {} });
    assert(verbs.includes("EPSV") && verbs.includes("MLSD"), verbs.join());
    assertEquals(verbs.includes("PRET"), false);
  });
}

Deno.test("FTP.connect rejects with the error of load, before a connection", async () => {
  await using server = await memoryServer();
  const ftp = new FTP({
    profile: {
      load: () => {
        throw new Deno.errors.PermissionDenied("no reading here");
      },
      save: () => {},
    },
  });
  await assertRejects(
    () => ftp.connect(server.host, server.port),
    Deno.errors.PermissionDenied,
    "no reading here",
  );
  assertEquals(server.sessions.length, 0);
});

Deno.test("FTP.connect ends a load that never ends by its signal", async () => {
  await using server = await memoryServer();
  const { signal, abort } = (() => {
    const controller = new AbortController();
    return { signal: controller.signal, abort: () => controller.abort() };
  })();
  const profile = {
    load: () => {
      queueMicrotask(abort);
      return new Promise<never>(() => {});
    },
    save: () => {},
  };
  const ftp = new FTP({ profile });
  await assertRejects(
    () => ftp.connect(server.host, server.port, { signal }),
    DOMException,
  );
});

Deno.test("FTP.connect ends a load that never ends after the time-out", async () => {
  await using server = await memoryServer();
  const ftp = new FTP({
    timeout: 50,
    profile: { load: () => new Promise<never>(() => {}), save: () => {} },
  });
  await assertRejects(
    () => ftp.connect(server.host, server.port),
    Deno.errors.TimedOut,
    'the function "load"',
  );
  assertEquals(server.sessions.length, 0);
});

Deno.test("FTP.quit and disposal wait for a save that never ends until the time-out", async () => {
  for (const end of ["quit", "dispose"] as const) {
    await using server = await oldServer();
    const ftp = new FTP({
      timeout: 500,
      profile: { load: () => null, save: () => new Promise(() => {}) },
    });
    await ftp.connect(server.host, server.port);
    await ftp.login();
    await Array.fromAsync(await ftp.list("/pub"));
    if (end === "quit") await ftp.quit();
    else await ftp[Symbol.asyncDispose]();
    assertEquals(ftp.connected, false);
  }
});

Deno.test("FTP.quit does not reject where save throws a value without a text", async () => {
  await using server = await oldServer();
  const ftp = new FTP({
    trace: () => {},
    profile: {
      load: () => undefined,
      save: () => {
        throw Object.create(null);
      },
    },
  });
  await ftp.connect(server.host, server.port);
  await ftp.login();
  await Array.fromAsync(await ftp.list("/pub"));
  await ftp.quit();
});

Deno.test("FTP.quit does not reject where the profile cannot be saved, and trace shows why", async () => {
  await using server = await oldServer();
  const events: string[] = [];
  const ftp = new FTP({
    trace: ({ text }) => void events.push(text),
    profile: {
      load: () => undefined,
      save: () => Promise.reject(new Error("disk full")),
    },
  });
  await ftp.connect(server.host, server.port);
  await ftp.login();
  await Array.fromAsync(await ftp.list("/pub"));
  await ftp.quit();
  assert(events.some((text) => /profile.*disk full/.test(text)));
});

Deno.test("FTP rejects a profile that is not a store", () => {
  for (
    const profile of [true, {}, { load: () => {} }, "file.json"] as never[]
  ) {
    assertThrows(() => new FTP({ profile }), TypeError, "load and save");
  }
});
