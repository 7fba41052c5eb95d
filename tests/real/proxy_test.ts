/** The option `proxy` through real proxies, to real servers, plain and over TLS. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { FTP, type FTPOptions } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { isIgnored, serverTest, startServer } from "../testing/servers/mod.ts";
import type { RealServer } from "../testing/servers/mod.ts";
import {
  isProxyIgnored,
  PROXIES,
  type ProxyName,
  type RealProxy,
  startProxy,
} from "../testing/servers/proxies.ts";
import { fetchBytes, makeData } from "./client.ts";
import { trusting, withTLS } from "./tls_client.ts";

const DATA = makeData(300_000);

/**
 * Credentials of a proxy, and their form in a URL; tinyproxy allows few
 * characters.
 */
const LOGINS = {
  microsocks: {
    login: ["joe", "s3cr@t/hunter22"],
    url: "joe:s3cr%40t%2Fhunter22",
  },
  tinyproxy: { login: ["joe", "s3cret.hunter22"], url: "joe:s3cret.hunter22" },
  danted: undefined,
} as const;

const { errors } = Deno;

/** Logs in through a proxy. */
async function logInThrough(
  proxy: RealProxy,
  server: RealServer,
  options: FTPOptions = {},
): Promise<FTP> {
  const ftp = new FTP({ timeout: 10_000, proxy: proxy.url(), ...options });
  try {
    await ftp.connect(server.host, server.port);
    await ftp.login(server.user, server.password);
    return ftp;
  } catch (error) {
    ftp.close();
    throw error;
  }
}

/** Registers a test that needs a proxy and a server of any kind. */
function proxyTest(
  title: string,
  names: readonly ProxyName[],
  test: (name: ProxyName, server: RealServer) => Promise<void>,
): void {
  for (const name of names) {
    Deno.test({
      name: `${title} (${name})`,
      ignore: isProxyIgnored(name) || isIgnored("pyftpdlib"),
      timeout: 60_000,
      fn: async () => {
        await using server = await startServer("pyftpdlib");
        await test(name, server);
      },
    });
  }
}

const ALL = PROXIES.map(({ name }) => name);

for (const { name } of PROXIES) {
  for (const isSecure of [false, true]) {
    serverTest(
      `FTP goes through ${name}, ${
        isSecure ? "over TLS" : "plain"
      }: transfers, listings, clones and mirrors`,
      async (server) => {
        const options = isSecure ? await trusting() : {};
        await using proxy = await startProxy(name, LOGINS[name]);
        await using ftp = await logInThrough(proxy, server, {
          proxy: proxy.url(LOGINS[name]?.url),
          ...options,
        });
        assertEquals(ftp.tls === undefined, !isSecure);
        await ftp.store("a", DATA);
        assertEquals(await fetchBytes(ftp, "a"), DATA);
        const names = await Array.fromAsync(ftp.list(), ({ name }) => name);
        assertEquals(names, ["a"]);
        await using clone = await ftp.clone();
        await clone.reconnect();
        assertEquals(await fetchBytes(clone, "a"), DATA);
        await server.write("tree/b", "b");
        await server.write("tree/c/d", "d");
        using folder = new LocalFolder();
        const result = await ftp.downloadDir("tree", folder.path, {
          connections: 2,
        });
        assertEquals(result.transferred, 2);
      },
      {
        ignore: isProxyIgnored(name),
        // microsocks is the one that stands for SOCKS5 everywhere
        ...(name === "danted" ? { servers: ["proftpd"] } : {}),
        ...(isSecure ? { prepare: withTLS(), needs: ({ tls }) => tls } : {}),
      },
    );
  }
}

proxyTest(
  "FTP.connect says that a proxy refuses the user, or wants one, and shows no secret",
  ["microsocks", "tinyproxy"],
  async (name, server) => {
    await using proxy = await startProxy(name, LOGINS[name]);
    for (
      const [login, message] of [
        ["joe:hunter23", "the proxy refused the user or the password"],
        ["jim:hunter22", "the proxy refused the user or the password"],
        [undefined, "the proxy requires a user and a password"],
      ] as const
    ) {
      const error = await assertRejects(
        () => logInThrough(proxy, server, { proxy: proxy.url(login) }),
        errors.PermissionDenied,
        message,
      );
      const hops = [`"${server.host}:${server.port}"`, `"${proxy.address}"`];
      for (const hop of hops) assert(error.message.includes(hop));
      assert(!Deno.inspect(error).includes("hunter"), error.message);
    }
  },
);

proxyTest(
  "FTP says that a proxy does not let data connections through",
  ["danted", "tinyproxy"],
  async (name, server) => {
    await server.write("a", "hello");
    await using proxy = await startProxy(name, { ports: [server.port] });
    await using ftp = await logInThrough(proxy, server);
    await assertRejects(
      () => fetchBytes(ftp, "a"),
      errors.PermissionDenied,
      "the proxy must allow the server's passive ports",
    );
    assertEquals(await ftp.size("a"), 5); // the session goes on
    await assertRejects(
      () => Array.fromAsync(ftp.list()),
      errors.PermissionDenied,
      "the server chose port ",
    );
  },
);

proxyTest(
  "FTP.connect says that a proxy cannot find the server",
  ALL,
  async (name) => {
    await using proxy = await startProxy(name);
    const ftp = new FTP({ proxy: proxy.url(), timeout: 20_000 });
    const error = await assertRejects(
      () => ftp.connect("nowhere.invalid"),
      Error,
      'Cannot connect to "nowhere.invalid:21" through the proxy',
    );
    assert(
      /the proxy could not (connect|reach)/.test(error.message),
      error.message,
    );
    await assertRejects(
      () => ftp.connect("127.0.0.1", 1), // nothing listens there
      Error,
      'Cannot connect to "127.0.0.1:1" through the proxy',
    );
  },
);

proxyTest(
  "FTP names the proxy that dies in the middle of a transfer",
  ALL,
  async (name, server) => {
    await server.write("big", makeData(20_000_000));
    await using proxy = await startProxy(name);
    await using ftp = await logInThrough(proxy, server);
    const reading = async () => {
      let isFirst = true;
      await ftp.retrbinary("RETR big", () => {
        if (isFirst) proxy.kill();
        isFirst = false;
      });
    };
    const error = await assertRejects(reading, Error, "proxy");
    assert(error.message.includes(proxy.address), error.message);
    await assertRejects(
      () => ftp.reconnect(),
      Error,
      "the proxy",
    );
  },
);

proxyTest(
  "FTP needs permission for the proxy and for nothing else",
  ALL,
  async (name, server) => {
    await server.write("a", "hello");
    await using proxy = await startProxy(name);
    const program = new URL("proxy_client.ts", import.meta.url);
    const run = async (allowed: string) => {
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-check",
          "--no-prompt",
          `--allow-net=${allowed}`,
          program.pathname,
          proxy.url(),
          server.host,
          ...[server.port, server.user, server.password].map(String),
        ],
        env: { NO_COLOR: "1" },
      }).output();
      const decoder = new TextDecoder();
      return decoder.decode(stdout) + decoder.decode(stderr);
    };
    assertEquals(await run(proxy.address), "a hello\n");
    const refused = await run("127.0.0.1:9");
    assert(refused.startsWith("NotCapable: "), refused);
    assert(refused.includes("the proxy cannot be reached"), refused);
  },
);
