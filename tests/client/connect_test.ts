import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  connect,
  type ConnectURLOptions,
  FTP,
  FTPPermanentError,
} from "../../mod.ts";
import { HAS_IPV6 } from "../testing/servers/loopback.ts";
import { startScript } from "../testing/client_script.ts";

const LOGIN = ["USER anonymous", "PASS anonymous@"];

/** Parts of a URL around the host, and the commands. */
const URLS: [userinfo: string, rest: string, commands: string[]][] = [
  ["", "", LOGIN],
  ["", "/", LOGIN],
  ["", "/pub", [...LOGIN, "CWD pub"]],
  ["", "/pub/linux/", [...LOGIN, "CWD pub/linux"]],
  ["", "/%2Fpub", [...LOGIN, "CWD /pub"]],
  ["", "//pub", [...LOGIN, "CWD /pub"]],
  ["", "/%2F", [...LOGIN, "CWD /"]],
  ["", "//", [...LOGIN, "CWD /"]],
  ["", "///", [...LOGIN, "CWD /"]],
  ["", "//pub//", [...LOGIN, "CWD /pub"]],
  ["", "//;type=i", [...LOGIN, "CWD /"]],
  ["", "/a%5Cb/c\\d", [...LOGIN, "CWD a\\b/c\\d"]],
  ["", "/a%20b", [...LOGIN, "CWD a b"]],
  ["", "/a b", [...LOGIN, "CWD a b"]],
  ["", "/100%", [...LOGIN, "CWD 100%"]],
  ["", "/a%25b", [...LOGIN, "CWD a%b"]],
  ["", "/a%23b", [...LOGIN, "CWD a#b"]],
  ["", "/what?", [...LOGIN, "CWD what?"]],
  ["", "/what?a=b", [...LOGIN, "CWD what?a=b"]],
  ["", "/a%3Bb", [...LOGIN, "CWD a;b"]],
  ["", "/pub;type=i", [...LOGIN, "CWD pub"]],
  ["", "/pub;type=A", [...LOGIN, "CWD pub"]],
  ["", "/;type=d", LOGIN],
  ["u@", "", ["USER u", "PASS "]],
  ["u:p@", "", ["USER u", "PASS p"]],
  ["u%40h:p%3A%2F%40@", "/", ["USER u@h", "PASS p:/@"]],
  ["", "/caf%E9/%C3%A9", [...LOGIN, "CWD caf\xe9/\xc3\xa9"]], // as they are sent
  ["", "/50%2G%E9%", [...LOGIN, "CWD 50%2G\xe9%"]],
  ["u%FF:p%fe@", "/", ["USER u\xff", "PASS p\xfe"]],
  ["%C3%BC:%20p%20@", "/", ["USER Ã¼", "PASS  p "]],
];

for (const [userinfo, rest, commands] of URLS) {
  Deno.test(`connect sends ${commands} for ftp://${userinfo}host${rest}`, async () => {
    await using server = await startScript({ CWD: "250 ok" });
    const url = `ftp://${userinfo}${server.host}:${server.port}${rest}`;
    {
      await using ftp = await connect(url);
      assert(ftp.connected);
    }
    assertEquals(server.commands, [...commands, "QUIT"]);
  });
}

Deno.test("connect takes a URL object, a name, and an address", async () => {
  await using server = await startScript();
  const { host: hostname, port } = server;
  await using a = await connect(new URL(`ftp://u:p@${hostname}:${port}/`));
  await using b = await connect("localhost", { port });
  await using c = await connect(hostname, { port, user: "v", password: "q" });
  assertEquals([a.host, b.host, c.host], [hostname, "localhost", hostname]);
  assertEquals(server.commands, [
    "USER u",
    "PASS p",
    ...LOGIN,
    "USER v",
    "PASS q",
  ]);
  await using g = await connect(`localhost:${port}`);
  assertEquals([g.host, g.port], ["localhost", port]);
});

/** URLs with port 21, and options with another port. */
const PORTS_21: [url: string, options: ConnectURLOptions][] = [
  ["ftp://127.0.0.1:21", { port: 1 }],
  ["ftp://127.0.0.1:021/", { port: 1 }],
  ["ftp://u:p@127.0.0.1:21/x:2", { port: 1 }],
  ["ftp://127.0.0.1:21/", { tls: "implicit" }],
  ["ftps://127.0.0.1:21/", {}],
  ["127.0.0.1:21", { port: 1 }],
];

for (const [url, options] of PORTS_21) {
  Deno.test(`connect dials port 21 for ${url} with ${JSON.stringify(options)}`, async () => {
    // nothing listens there, or another server
    const error = await connect(url, { timeout: 500, ...options }).catch((e) =>
      e
    );
    assert(error instanceof Error);
    assert(error.message.includes("127.0.0.1:21"), error.message);
  });
}

Deno.test("connect takes the port of its options where the URL has none", async () => {
  await using server = await startScript({ CWD: "250 ok" });
  const { host, port } = server;
  for (
    const url of [
      `ftp://u:21@${host}/x:21`,
      `ftp://${host}#:21`,
    ]
  ) {
    await using ftp = await connect(url, { port });
    assertEquals(ftp.port, port, url);
  }
});

Deno.test(
  "connect and FTP.connect take a name in any script, and an address in brackets",
  {
    ignore: !HAS_IPV6,
  },
  async () => {
    const nowhere = "b\xFCcher.invalid";
    for (const url of [nowhere, `ftp://${nowhere}`]) {
      const error = await connect(url, { timeout: 5000 }).catch((e) => e);
      assert(error instanceof Error);
      assert(error.message.includes("xn--bcher-kva.invalid"), error.message);
    }
    await using server = await startScript({}, "::1");
    await using ftp = new FTP();
    await ftp.connect("[::1]", server.port);
    assertEquals(ftp.host, "::1");
    for (const host of ["\xFC?x", "\xFC#x", "\xFC:21", "\xFC%"]) {
      await assertRejects(() => ftp.connect(host), TypeError, "Cannot connect");
    }
  },
);

Deno.test("connect takes an IPv6 address, in brackets or without", {
  ignore: !HAS_IPV6,
}, async () => {
  await using other = await startScript({}, "::1");
  await using d = await connect("[::1]", { port: other.port });
  await using e = await connect(`ftp://[::1]:${other.port}/`);
  await using f = await connect("::1", { port: other.port });
  await using _h = await connect(`[::1]:${other.port}`);
  assertEquals([d.host, e.host, f.host], ["::1", "::1", "::1"]);
});

Deno.test("connect prefers what the URL says to its options", async () => {
  await using server = await startScript({
    PASS: "332 Account",
    ACCT: "230 in",
  });
  await using _ftp = await connect(
    `ftp://u:p@${server.host}:${server.port}`,
    { port: 1, user: "v", password: "q", account: "a", encoding: "latin-1" },
  );
  assertEquals(server.commands, ["USER u", "PASS p", "ACCT a"]);
});

Deno.test("connect says where and as which user it could not log in, and that it had no password", async () => {
  await using server = await startScript({ PASS: "530 Login incorrect" });
  const host = `${server.host}:${server.port}`;
  const who =
    `Cannot log in to ${host} as "u": Cannot complete "PASS ****": 530 Login incorrect`;
  const given = await assertRejects(
    () => connect(`ftp://${host}`, { user: "u", password: "p" }),
    FTPPermanentError,
  );
  assertEquals(given.message, who);
  assertEquals([given.reply?.code, given.command], [530, "PASS ****"]);
  const missing = await assertRejects(() => connect(`ftp://u@${host}`));
  assertEquals(
    (missing as Error).message,
    `${who}; no password was given in the URL, in the options or in .netrc`,
  );
});

Deno.test("connect begins TLS as the scheme says, and refuses an option that says otherwise", async () => {
  const first = Promise.withResolvers<Uint8Array>();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using conn = await listener.accept();
    const bytes = new Uint8Array(1);
    await conn.read(bytes);
    first.resolve(bytes);
  })();
  const url = `ftps://127.0.0.1:${listener.addr.port}`;
  await assertRejects(() =>
    connect(url, { timeout: 200, tls: { fingerprint: "0".repeat(64) } })
  );
  assertEquals(await first.promise, Uint8Array.of(22), "a handshake");
  await serving;
  for (
    const [scheme, tls, message] of [
      [
        "ftps",
        "explicit",
        'tls "explicit" with a URL for implicit TLS',
      ],
      [
        "ftps",
        { mode: "explicit" },
        'tls "explicit" with a URL for implicit TLS',
      ],
      [
        "ftpes",
        { mode: "implicit" },
        'tls "implicit" with a URL for explicit TLS',
      ],
    ] as const
  ) {
    await assertRejects(
      () => connect(`${scheme}://127.0.0.1:1`, { tls }),
      TypeError,
      message,
    );
  }
});

Deno.test("connect refuses other schemes", async () => {
  for (const url of ["http://h/", "sftp://h/", "file:///x", "ftpx://h/"]) {
    await assertRejects(
      () => connect(url),
      TypeError,
      `the scheme "${url.split(":")[0]}:": use ftp:, ftpes: or ftps:`,
    );
  }
});

Deno.test("connect refuses a URL that cannot be read", async () => {
  for (const url of ["ftp://", "ftp://[::1", "ftp://h:99999/"]) {
    await assertRejects(() => connect(url), TypeError, "cannot be read");
  }
});

Deno.test("connect refuses line ends in user, password and path", async () => {
  await using server = await startScript({ CWD: "250 ok" });
  const host = `${server.host}:${server.port}`;
  for (
    const [url, name] of [
      [`ftp://u%0D%0ADELE%20x@${host}/`, "user"],
      [`ftp://u:p%0A@${host}/`, "password"],
      [`ftp://${host}/a%00b`, "path of the URL"],
    ] as const
  ) {
    await assertRejects(() => connect(url), TypeError, `"${name}"`);
  }
  assertEquals(server.sessions.length, 0);
});

Deno.test("connect closes the connection when it fails", async () => {
  const gone = Promise.withResolvers<void>();
  await using server = await startScript({
    CWD: async (turn) => {
      await turn.reply(550, "No such directory");
      assertEquals(await turn.next(), null);
      gone.resolve();
    },
  });
  await assertRejects(
    () => connect(`ftp://${server.host}:${server.port}/x`),
    FTPPermanentError,
    '"CWD x": 550',
  );
  await gone.promise;
});

for (const verb of ["connect", "PASS", "CWD"]) {
  Deno.test(`connect can be aborted while ${verb} is not answered`, async () => {
    const came = Promise.withResolvers<void>();
    await using server = await startScript({
      [verb]: async (turn) => {
        came.resolve();
        await turn.stall();
      },
    });
    const url = `ftp://${server.host}:${server.port}/directory`;
    const controller = new AbortController();
    const connecting = connect(url, controller).catch((error) => error);
    await came.promise;
    controller.abort("enough");
    assertEquals(await connecting, "enough");
  });
}

Deno.test("FTP waits for thirty seconds by default", () => {
  assertEquals(new FTP().timeout, 30_000);
});
