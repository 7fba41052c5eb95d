import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProxyAddress } from "../../lib/connection/proxy_address.ts";
import { FTP } from "../../mod.ts";

Deno.test("ProxyAddress reads the URL of a proxy", () => {
  const table: [
    url: string,
    protocol: string,
    hostname: string,
    port: number,
    user?: string,
    password?: string,
  ][] = [
    ["socks5://proxy.test", "socks5", "proxy.test", 1080],
    ["socks5://proxy.test:80", "socks5", "proxy.test", 80],
    ["socks5://proxy.test:443/", "socks5", "proxy.test", 443],
    ["SOCKS5H://Proxy.Test:1081", "socks5", "proxy.test", 1081],
    ["socks5://[::1]:1080", "socks5", "::1", 1080],
    ["http://10.0.0.1:3128", "http", "10.0.0.1", 3128],
    ["http://proxy.test", "http", "proxy.test", 80],
    ["http://proxy.test:443", "http", "proxy.test", 443],
    [
      "socks5://joe:s%40c%3Aret@p.test",
      "socks5",
      "p.test",
      1080,
      "joe",
      "s@c:ret",
    ],
    ["http://joe@p.test", "http", "p.test", 80, "joe", ""],
    ["http://j%C3%B6:p%25@p.test", "http", "p.test", 80, "jö", "p%"],
    [" http://p.test ", "http", "p.test", 80],
    ["http://münchen.test", "http", "xn--mnchen-3ya.test", 80],
  ];
  for (const [url, protocol, hostname, port, user, password] of table) {
    const proxy = new ProxyAddress(url);
    assertEquals(
      [proxy.protocol, proxy.hostname, proxy.port],
      [protocol, hostname, port],
      url,
    );
    assertEquals(
      proxy.credentials,
      user === undefined ? undefined : { user, password: password! },
      url,
    );
  }
  const url = new URL("socks5://joe:pw@p.test:1080");
  assertEquals(new ProxyAddress(url).credentials?.password, "pw");
});

/** Invalid URLs of proxies, each with a password that must not be shown. */
const BAD: [what: string, url: string, why: string][] = [
  ["no scheme", "proxy.test:1080", "with the scheme"],
  ["user without scheme", "joe:hunter22@proxy.test", "with the scheme"],
  ["nothing", "", "with the scheme"],
  ["https", "https://joe:hunter22@proxy.test", 'scheme "https" is not'],
  ["SOCKS4", "socks4://joe:hunter22@proxy.test", 'scheme "socks4" is not'],
  ["ftp", "ftp://joe:hunter22@proxy.test", 'scheme "ftp" is not'],
  ["no host", "socks5://", "cannot be read"],
  ["no host, user", "socks5://joe:hunter22@", "cannot be read"],
  ["port", "socks5://joe:hunter22@proxy.test:99999", "cannot be read"],
  ["port 0", "socks5://joe:hunter22@proxy.test:0", "port must be"],
  ["a slash", "socks5://joe:hunter22/x@proxy.test", "cannot be read"],
  ["a path", "http://joe:hunter22@proxy.test/x", "must end after"],
  ["a query", "http://joe:hunter22@proxy.test?x", "must end after"],
  ["a fragment", "http://joe:hunter22@proxy.test#x", "must end after"],
  ["a lone %", "http://joe:hunter22%@proxy.test", "a % without an escape"],
  ["not UTF-8", "http://joe:hunter22%E4@proxy.test", "a % without an escape"],
  ["a line end", "http://joe:hunter22%0D%0A@proxy.test", "control character"],
  ["a NUL", "socks5://joe:hunter22%00@proxy.test", "control character"],
  ["a colon", "http://j%3Ao:hunter22@proxy.test", "cannot have a colon"],
  ["no password", "socks5://joe@proxy.test", "password of a SOCKS5 proxy"],
  ["no user", "socks5://:hunter22@proxy.test", "user of a SOCKS5 proxy"],
  [
    "a long password",
    `socks5://joe:hunter22${"x".repeat(250)}@proxy.test`,
    "1 to 255 bytes, and it has 258",
  ],
];

for (const [what, url, why] of BAD) {
  Deno.test(`FTP refuses a proxy that cannot be used, and shows no secret: ${what}`, () => {
    const error = assertThrows(
      () => new FTP({ proxy: url }),
      TypeError,
      'Cannot use "proxy": ',
    );
    assert(error.message.includes(why), error.message);
    assert(!Deno.inspect(error).includes("hunter22"), error.message);
  });
}

Deno.test("FTP refuses a proxy that is no URL, and one beside dial or active mode", () => {
  // deno-lint-ignore no-explicit-any
  const make = (options: any) => () => new FTP(options);
  assertThrows(make({ proxy: 5 }), TypeError, "must be a URL");
  assertThrows(make({ proxy: null }), TypeError, "must be a URL");
  const proxy = "socks5://proxy.test";
  assertThrows(
    make({ proxy, dial: () => {} }),
    TypeError,
    'Cannot use "dial" together with "proxy"',
  );
  assertThrows(
    make({ proxy, passive: false }),
    TypeError,
    'Cannot use active mode with "proxy"',
  );
});

Deno.test("FTP shows no secret of a proxy when it is inspected", async () => {
  const ftp = new FTP({ proxy: "socks5://joe:hunter22@127.0.0.1:1" });
  const error = await ftp.connect("ftp.example.test").catch((error) => error);
  const depth = { depth: 20, showHidden: true };
  for (
    const one of [ftp, error, new ProxyAddress("http://joe:hunter22@p.test")]
  ) {
    assert(!Deno.inspect(one, depth).includes("hunter22"));
    assert(!String(JSON.stringify(one)).includes("hunter22"));
  }
});
