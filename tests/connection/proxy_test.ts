import { assert, assertEquals, assertRejects } from "@std/assert";
import { dialThrough } from "../../lib/connection/proxy.ts";
import { ProxyAddress } from "../../lib/connection/proxy_address.ts";
import { FTP } from "../../mod.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";
import {
  FakeProxy,
  type ProxyScript,
  readExactly,
  readHead,
  send,
  tunnelByHTTP,
} from "../testing/fake_proxy.ts";

const NAME = "ftp.example.test";

/** Any class of errors. */
// deno-lint-ignore no-explicit-any
type ErrorClass = abstract new (...args: any[]) => Error;

const { errors } = Deno;

/** The server's greeting, sent in one piece with the proxy's answer. */
const GREETING = "220 hello\r\n";

/** Handles a proxy's dialogue up to the request; returns the request. */
async function hearSocks(conn: Deno.Conn): Promise<number[]> {
  const [, count] = await readExactly(conn, 2);
  await readExactly(conn, count!);
  await send(conn, [5, 0]);
  const head = await readExactly(conn, 4);
  const rest = head[3] === 3 ? [...await readExactly(conn, 1)] : [];
  const length = head[3] === 1 ? 4 : head[3] === 4 ? 16 : rest[0]!;
  return [...head, ...rest, ...await readExactly(conn, length + 2)];
}

/** Dials through a scripted proxy. */
async function dialBy(
  script: ProxyScript,
  scheme: string,
  host = NAME,
  timeout = 5000,
  login = "",
): Promise<string> {
  await using proxy = new FakeProxy(script);
  const address = new ProxyAddress(`${scheme}://${login}${proxy.address}`);
  const target = { hostname: host, port: 2121, transport: "control" } as const;
  const stream = await dialThrough(address, target, { timeout });
  try {
    const buffer = new Uint8Array(3); // smaller than what has come
    let text = "";
    while (!text.endsWith("\n")) {
      const n = await stream.read(buffer);
      assert(n !== null, `the stream ended after "${text}"`);
      text += new TextDecoder().decode(buffer.subarray(0, n));
    }
    return text;
  } finally {
    stream.close();
  }
}

Deno.test("dialThrough asks a SOCKS5 proxy for names and addresses, and loses no byte behind its answer", async (t) => {
  const answers: [what: string, answer: number[]][] = [
    ["IPv4", [5, 0, 0, 1, 127, 0, 0, 1, 1, 2]],
    ["IPv6", [5, 0, 0, 4, ...Array(16).fill(7), 1, 2]],
    ["a name", [5, 0, 0, 3, 3, 97, 98, 99, 1, 2]],
    ["an empty name", [5, 0, 0, 3, 0, 1, 2]],
  ];
  const port = [2121 >> 8, 2121 & 255];
  const name = [...new TextEncoder().encode(NAME)];
  const hosts: [host: string, request: number[]][] = [
    [NAME, [5, 1, 0, 3, name.length, ...name, ...port]],
    ["10.0.0.254", [5, 1, 0, 1, 10, 0, 0, 254, ...port]],
    ["2001:db8::ff", [
      ...[5, 1, 0, 4, 0x20, 0x01, 0x0D, 0xB8],
      ...Array(11).fill(0),
      0xFF,
      ...port,
    ]],
    ["::ffff:1.2.3.4", [
      ...[5, 1, 0, 4],
      ...Array(10).fill(0),
      ...[0xFF, 0xFF, 1, 2, 3, 4],
      ...port,
    ]],
  ];
  for (const [host, expected] of hosts) {
    for (const [what, answer] of answers) {
      for (const size of [1, Infinity]) {
        await t.step(`${host}, ${what}, ${size} at once`, async () => {
          let request: number[] = [];
          const said = await dialBy(
            async (conn) => {
              request = await hearSocks(conn);
              const greeting = [...new TextEncoder().encode(GREETING)];
              await send(conn, [...answer, ...greeting], size);
              await conn.read(new Uint8Array(1));
            },
            "socks5",
            host,
          );
          assertEquals(request, expected);
          assertEquals(said, GREETING);
        });
      }
    }
  }
});

Deno.test("dialThrough tells a SOCKS5 proxy user and password where it asks for them", async () => {
  for (const method of [0, 2]) {
    let told: number[] = [];
    const script: ProxyScript = async (conn) => {
      assertEquals([...await readExactly(conn, 4)], [5, 2, 0, 2]);
      await send(conn, [5, method]);
      if (method === 2) {
        told = [...await readExactly(conn, 13)];
        await send(conn, [1, 0]);
      }
      await readExactly(conn, 7 + NAME.length);
      await send(conn, [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
      await send(conn, GREETING);
      await conn.read(new Uint8Array(1));
    };
    const login = "joe:p%40ss-%C3%B6@";
    assertEquals(
      await dialBy(script, "socks5", NAME, 5000, login),
      GREETING,
    );
    const expected = [
      ...[1, 3, ...new TextEncoder().encode("joe")],
      ...[7, ...new TextEncoder().encode("p@ss-ö")],
    ];
    assertEquals(told, method === 2 ? expected : []);
  }
});

Deno.test("dialThrough asks an HTTP proxy by CONNECT, and loses no byte behind its answer", async (t) => {
  const answers: [what: string, answer: string][] = [
    ["plain", "HTTP/1.1 200 Connection established\r\n\r\n"],
    ["HTTP/1.0, headers", "HTTP/1.0 200 OK\r\nVia: x\r\nA: b\r\n\r\n"],
    ["no reason", "HTTP/1.1 200\r\n\r\n"],
    ["LF", "HTTP/1.1 200 OK\nVia: x\n\n"],
    ["interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"],
    ["202", "HTTP/1.1 202 Fine\r\nContent-Length: 5\r\n\r\n"],
  ];
  for (const [what, answer] of answers) {
    for (const size of [1, 7, Infinity]) {
      await t.step(`${what}, ${size} at once`, async () => {
        let request = "";
        const said = await dialBy(async (conn) => {
          request = await readHead(conn);
          await send(conn, answer + GREETING, size);
          await conn.read(new Uint8Array(1));
        }, "http");
        assertEquals(
          request,
          `CONNECT ${NAME}:2121 HTTP/1.1\r\nHost: ${NAME}:2121\r\n\r\n`,
        );
        assertEquals(said, GREETING);
      });
    }
  }
  await t.step("an IPv6 address stands in brackets", async () => {
    let request = "";
    await dialBy(
      async (conn) => {
        request = await readHead(conn);
        await send(conn, answers[0]![1] + GREETING);
        await conn.read(new Uint8Array(1));
      },
      "http",
      "::1",
    );
    assert(request.startsWith("CONNECT [::1]:2121 HTTP/1.1\r\n"));
  });
});

/** Invalid replies of a SOCKS5 proxy. */
const SOCKS_FAULTS: [
  what: string,
  script: ProxyScript,
  Class: ErrorClass,
  message: string,
][] = [
  [
    "it hangs up at once",
    () => Promise.resolve(),
    errors.UnexpectedEof,
    "the proxy closed the connection before it answered",
  ],
  [
    "it hangs up in its reply",
    async (conn) => {
      await hearSocks(conn);
      await send(conn, [5, 0, 0, 3, 9, 97]);
    },
    errors.UnexpectedEof,
    "the proxy closed the connection before it answered",
  ],
  [
    "it is an HTTP server",
    async (conn) => {
      await readExactly(conn, 3);
      await send(conn, "HTTP/1.1 400 Bad Request\r\n\r\n");
    },
    errors.InvalidData,
    "not a SOCKS5 proxy: it may be an HTTP proxy, http://",
  ],
  [
    "it uses version 4",
    async (conn) => {
      await readExactly(conn, 3);
      await send(conn, [4, 0]);
    },
    errors.InvalidData,
    "it uses version 4",
  ],
  [
    "it wants a password",
    async (conn) => {
      await readExactly(conn, 3);
      await send(conn, [5, 255]);
    },
    errors.PermissionDenied,
    "the proxy requires a user and a password",
  ],
  [
    "it chooses a method that was not offered",
    async (conn) => {
      await readExactly(conn, 3);
      await send(conn, [5, 2]);
    },
    errors.PermissionDenied,
    "the proxy requires a user and a password",
  ],
  [
    "its address is none",
    async (conn) => {
      await hearSocks(conn);
      await send(conn, [5, 0, 0, 9, 0, 0]);
    },
    errors.InvalidData,
    "its reply is invalid",
  ],
];

/** Codes of refusals. */
const SOCKS_CODES: [code: number, Class: ErrorClass, message: string][] = [
  [1, errors.ConnectionAborted, "general failure"],
  [2, errors.PermissionDenied, "the proxy must allow port 2121 of the server"],
  [3, errors.NetworkUnreachable, "no route"],
  [4, errors.NetworkUnreachable, "which the proxy resolves"],
  [5, errors.ConnectionRefused, "the server refused the proxy's connection"],
  [6, errors.TimedOut, "TTL expired"],
  [7, errors.NotSupported, "does not support CONNECT"],
  [8, errors.NotSupported, "this kind of address"],
  [200, errors.ConnectionAborted, "code 200"],
];

for (const [code, Class, message] of SOCKS_CODES) {
  SOCKS_FAULTS.push([
    `it answers ${code} and hangs up`,
    async (conn) => {
      await hearSocks(conn);
      await send(conn, [5, code, 0, 1]);
    },
    Class,
    message,
  ]);
}

/** Invalid responses of an HTTP proxy. */
const HTTP_FAULTS: typeof SOCKS_FAULTS = [
  [
    "it hangs up",
    async (conn) => void await readHead(conn),
    errors.UnexpectedEof,
    "the proxy closed the connection before it answered",
  ],
  [
    "it hangs up in its head",
    async (conn) => {
      await readHead(conn);
      await send(conn, "HTTP/1.1 200 OK\r\nVia: x\r\n");
    },
    errors.UnexpectedEof,
    "the proxy closed the connection before it answered",
  ],
  [
    "its head has no end",
    async (conn) => {
      await readHead(conn);
      // more than is read, and no end: the connection stays open
      await send(conn, `X: ${"x".repeat(1000)}\r\n`.repeat(30));
      await conn.read(new Uint8Array(1));
    },
    errors.InvalidData,
    "does not end within 16384 bytes",
  ],
  [
    "its interim answers have no end",
    async (conn) => {
      await readHead(conn);
      await send(conn, "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000));
      await conn.read(new Uint8Array(1));
    },
    errors.InvalidData,
    "does not end within 16384 bytes",
  ],
  [
    "it is an FTP server",
    async (conn) => {
      await send(conn, "220 hello\r\n500 What?\r\n\r\n");
      await readHead(conn);
    },
    errors.InvalidData,
    "not an HTTP proxy",
  ],
];

for (
  const [headers, Class, message] of [
    [
      ["NTLM", "Negotiate abc"],
      errors.NotSupported,
      "requires the authorization NTLM or Negotiate (407 No), and only Basic",
    ],
    [
      ['Digest realm="x"', 'Basic realm="x"'],
      errors.PermissionDenied,
      "requires a user and a password (407 No)",
    ],
  ] as const
) {
  HTTP_FAULTS.push([
    `it offers ${headers.join(", ")}`,
    async (conn) => {
      await readHead(conn);
      const lines = headers.map((text) => `Proxy-Authenticate: ${text}\r\n`);
      await send(conn, `HTTP/1.1 407 No\r\n${lines.join("")}\r\n`);
    },
    Class,
    message,
  ]);
}

const HTTP_CODES: [code: number, Class: ErrorClass, message: string][] = [
  [302, errors.PermissionDenied, "does not allow the connection (302 No)"],
  [400, errors.PermissionDenied, "does not allow the connection (400 No)"],
  [403, errors.PermissionDenied, "the proxy must allow port 2121"],
  [407, errors.PermissionDenied, "requires a user and a password (407 No)"],
  [500, errors.ConnectionAborted, "could not reach the server (500 No)"],
  [503, errors.ConnectionAborted, "could not reach the server (503 No)"],
  [504, errors.TimedOut, "could not reach the server (504 No)"],
];

for (const [code, Class, message] of HTTP_CODES) {
  HTTP_FAULTS.push([
    `it answers ${code}`,
    async (conn) => {
      await readHead(conn);
      await send(conn, `HTTP/1.1 ${code} No\r\n\r\n`);
    },
    Class,
    message,
  ]);
}

for (
  const [scheme, faults] of [
    ["socks5", SOCKS_FAULTS],
    ["http", HTTP_FAULTS],
  ] as const
) {
  for (const [what, script, Class, message] of faults) {
    Deno.test(`dialThrough says what is wrong with a proxy of ${scheme}: ${what}`, async () => {
      const error = await assertRejects(
        () => dialBy(script, scheme),
        Class as new () => Error,
        message,
      );
      const start =
        `Cannot connect to "${NAME}:2121" through the proxy "127.0.0.1:`;
      assert(error.message.startsWith(start), error.message);
    });
  }

  Deno.test(`dialThrough waits no longer than it may for a proxy of ${scheme}`, async (t) => {
    const scripts: [what: string, ProxyScript][] = [
      ["silent", async (conn) => void await readExactly(conn, 1e6)],
      ["dribbling", async (conn) => {
        await (scheme === "http" ? readHead(conn) : hearSocks(conn));
        // every byte on time, and the answer never whole
        const answer = scheme === "http"
          ? "HTTP/1.1 200 OK\r\n" + "X: y\r\n".repeat(2000)
          : [5, 0, 0, 3, 255, ...Array(250).fill(97)];
        await send(conn, answer, 1);
        await readExactly(conn, 1e6);
      }],
    ];
    for (const [what, script] of scripts) {
      await t.step(what, async () => {
        await assertRejects(
          () => dialBy(script, scheme, NAME, 300),
          errors.TimedOut,
          "the proxy did not answer within 300 ms",
        );
      });
    }
  });

  Deno.test(`dialThrough ends with the caller's signal, and closes the connection to a proxy of ${scheme}`, async () => {
    const controller = new AbortController();
    const left = Promise.withResolvers<number | null>();
    await using proxy = new FakeProxy(async (conn) => {
      await conn.read(new Uint8Array(500));
      controller.abort(new Error("enough"));
      left.resolve(await conn.read(new Uint8Array(1)).catch(() => null));
    });
    const address = new ProxyAddress(`${scheme}://${proxy.address}`);
    const target = { hostname: NAME, port: 21, transport: "data" } as const;
    const { signal } = controller;
    await assertRejects(
      () => dialThrough(address, target, { timeout: 0, signal }),
      Error,
      "enough",
    );
    assertEquals(await left.promise, null);
  });
}

Deno.test("dialThrough says that a proxy cannot be reached, or what the address lacks", async () => {
  const target = { hostname: NAME, port: 21, transport: "control" } as const;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const dead = new ProxyAddress(`socks5://joe:hunter22@127.0.0.1:${port}`);
  const error = await assertRejects(
    () => dialThrough(dead, target, { timeout: 5000 }),
    errors.ConnectionRefused,
    `Cannot connect to "${NAME}:21" through the proxy "127.0.0.1:${port}": the proxy cannot be reached: Connection refused`,
  );
  assert(!Deno.inspect(error).includes("hunter22"));
  const zoned = { ...target, hostname: "fe80::1%eth0" };
  await assertRejects(
    () => dialThrough(dead, zoned, { timeout: 5000 }),
    TypeError,
    "has a zone",
  );
  const long = { ...target, hostname: `${"x".repeat(255)}.test` };
  await assertRejects(
    () =>
      dialBy(
        async (conn) => void await readExactly(conn, 1),
        "socks5",
        long.hostname,
      ),
    TypeError,
    "the name has 260 bytes",
  );
});

Deno.test("FTP shows no secret that a proxy repeats", async () => {
  const token = btoa("joe:hunter22");
  const seen: string[] = [];
  await using proxy = new FakeProxy(async (conn) => {
    const head = await readHead(conn);
    assert(head.includes(`\r\nProxy-Authorization: Basic ${token}\r\n`));
    const status = `HTTP/1.1 407 No hunter22 ${token}\x1b[2J of joe`;
    const header = "Proxy-Authenticate: hunter22";
    await send(conn, `${status}\r\n${header}\r\n\r\n`);
  });
  const ftp = new FTP({
    proxy: `http://joe:hunter22@${proxy.address}`,
    trace: ({ text }) => seen.push(text),
  });
  const error = await assertRejects(
    () => ftp.connect(NAME),
    errors.PermissionDenied,
    "the proxy refused the user or the password (407 No **** ****\uFFFD[2J of joe)",
  );
  for (const text of [...seen, Deno.inspect(error), Deno.inspect(ftp)]) {
    assert(!text.includes("hunter22") && !text.includes(token), text);
  }
});

Deno.test("FTP names the proxy where it dies in the middle", async (t) => {
  await using server = await ScriptedServer.start({ files: { "/a": "hello" } });
  for (const during of ["PWD", "RETR", "TLS"]) {
    await t.step(during, async () => {
      await using proxy = new FakeProxy(async (conn) => {
        await tunnelByHTTP(conn, server.host);
      });
      const gone = async () => {
        proxy.drop();
        await Promise.resolve();
      };
      server.on("PWD", gone);
      server.on("AUTH", async (turn) => {
        await turn.reply(234, "Go on");
        await gone();
      });
      server.on("RETR", async (turn) => {
        await turn.reply(150, "Here it comes");
        await (await turn.openData()).write("he");
        await gone();
      });
      const ftp = new FTP({
        proxy: `http://${proxy.address}`,
        ...(during === "TLS" ? { tls: "explicit" } : {}),
      });
      await ftp.connect(NAME, server.port);
      const call = async () => {
        await ftp.login();
        if (during === "PWD") await ftp.pwd();
        await ftp.retrbinary("RETR a", () => {});
      };
      const error = await assertRejects(call, Error, "the proxy");
      assert(error.message.includes(`proxy "${proxy.address}"`), error.message);
      ftp.close();
    });
  }
});

Deno.test("FTP takes no bytes in clear text behind a proxy's answer for the server's, with implicit TLS", async (t) => {
  const answers: [scheme: string, ask: ProxyScript, answer: number[]][] = [
    [
      "socks5",
      async (conn) => void await hearSocks(conn),
      [5, 0, 0, 1, 127, 0, 0, 1, 1, 2],
    ],
    [
      "http",
      async (conn) => void await readHead(conn),
      [...new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n")],
    ],
  ];
  const extras = ["220 hello\r\n230 in\r\n200 ok\r\n", "\x16", "\0"];
  for (const [scheme, ask, answer] of answers) {
    for (const extra of extras) {
      await t.step(`${scheme}, ${JSON.stringify(extra)}`, async () => {
        let sent = "";
        const heard = Promise.withResolvers<void>();
        await using proxy = new FakeProxy(async (conn, index) => {
          try {
            await ask(conn, index);
            await send(conn, [...answer, ...new TextEncoder().encode(extra)]);
            await conn.closeWrite();
            const decoder = new TextDecoder("latin1");
            for await (const part of conn.readable) {
              sent += decoder.decode(part);
            }
          } finally {
            heard.resolve();
          }
        });
        const seen: string[] = [];
        const ftp = new FTP({
          proxy: `${scheme}://${proxy.address}`,
          tls: { mode: "implicit" },
          trace: ({ text }) => seen.push(text),
        });
        await assertRejects(
          () => ftp.connect(NAME),
          Error,
          "Cannot secure",
        );
        await heard.promise;
        assert(!seen.some((text) => text.includes("hello")), seen.join());
        // a handshake or an alert
        assert(
          ["", "\x15\x03", "\x16\x03"].includes(sent.slice(0, 2)),
          JSON.stringify(sent),
        );
        assert(!/USER|HOST|FEAT/.test(sent));
      });
    }
  }
});
