import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { FTP, FTPError, FTPPermanentError } from "../../mod.ts";
import {
  certificates,
  issue,
  otherAuthority,
} from "../testing/servers/certificates.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { bytes, dialIn, fetchBytes, logIn } from "./client.ts";
import { logInTLS, trusting, withTLS } from "./tls_client.ts";

const WORDS = {
  expired: /expired/i,
  wrongName: /name|not (valid )?for|altname/i,
  selfSigned: /authority|self.?signed|issuer|trust/i,
  good: /authority|issuer|trust/i, // its authority is not known
} as const;

const messages = new Map<string, string>();

for (const which of ["expired", "wrongName", "selfSigned", "good"] as const) {
  serverTest(
    `FTP refuses the ${
      which === "good" ? "unknown authority's" : which
    } certificate before the password`,
    async (server) => {
      const other = await otherAuthority();
      const caCerts = which === "good"
        ? [await Deno.readTextFile(other.certificate)]
        : (await trusting()).tls.caCerts!;
      await using ftp = await dialIn(server, { tls: { caCerts } });
      const error = await assertRejects(() =>
        ftp.login(server.user, server.password)
      ) as Error;
      assert(WORDS[which].test(error.message), error.message);
      messages.set(which, error.message);
      assertEquals(new Set(messages.values()).size, messages.size);
      assertEquals(ftp.connected, false);
      const log = await server.log();
      assert(!log.includes("PASS") && !log.includes(server.password));
    },
    { prepare: withTLS({}, which), servers: ["proftpd"] },
  );
}

serverTest("FTP trusts the pinned certificate and no other", async (server) => {
  let fingerprint = "";
  {
    await using ftp = await logIn(server, {
      tls: { dangerouslyAcceptAnyCertificate: true },
    });
    fingerprint = ftp.tls!.fingerprint;
  }
  {
    await using ftp = await logIn(server, { tls: { fingerprint } });
    await ftp.storbinary("STOR file", bytes("pinned"));
    assertEquals(await fetchBytes(ftp, "file"), bytes("pinned"));
  }
  const other = fingerprint.replace(/^../, (hex) => hex === "00" ? "01" : "00");
  await using ftp = await dialIn(server, { tls: { fingerprint: other } });
  const error = await assertRejects(() =>
    ftp.login(server.user, server.password)
  ) as Error;
  assertStringIncludes(error.message, "not the pinned one");
  assertEquals(ftp.connected, false);
}, { prepare: withTLS({}, "selfSigned") });

serverTest(
  "FTP shows its certificate to a server that asks for one",
  async (server) => {
    const client = await issue("client");
    const [cert, key] = await Promise.all([
      Deno.readTextFile(client.certificate),
      Deno.readTextFile(client.key),
    ]);
    {
      await using ftp = await logInTLS(server, { cert, key });
      assertEquals(await ftp.pwd(), "/");
      await ftp.storbinary("STOR file", bytes("x"));
      assertEquals(await fetchBytes(ftp, "file"), bytes("x"));
    }
    await assertRejects(() => logInTLS(server));
  },
  {
    needs: (features) => features.clientCertificates,
    prepare: async () => {
      const { good, authority } = await certificates();
      return {
        tls: {
          mode: "explicit",
          ...good,
          clientAuthority: authority.certificate,
          sessionReuse: false,
        },
      };
    },
  },
);

serverTest(
  "FTP never sends the password where TLS is refused",
  async (server) => {
    const sent: string[] = [];
    await using ftp = new FTP({
      tls: "explicit",
      trace: ({ direction, text }) => {
        if (direction === "sent") sent.push(text);
      },
    });
    await ftp.connect(server.host, server.port);
    await assertRejects(
      () => ftp.login(server.user, server.password),
      FTPPermanentError,
      "AUTH TLS",
    );
    assertEquals(sent, ["AUTH TLS"]);
    const log = await server.log();
    assert(!log.includes(server.user) && !log.includes(server.password));
  },
);

serverTest(
  "FTP.protC and protP change the protection of data",
  async (server) => {
    await server.write("file", "content");
    await using ftp = await logInTLS(server);
    const isProtected = async () => {
      const [conn] = await ftp.ntransfercmd("RETR file");
      while (await conn.read(new Uint8Array(100)) !== null);
      conn.close();
      await ftp.voidresp();
      return conn.tls !== undefined;
    };
    assertEquals(await isProtected(), true);
    assertEquals((await ftp.protC()).code, 200);
    assertEquals(await isProtected(), false);
    assertEquals((await ftp.protP()).code, 200);
    assertEquals(await isProtected(), true);
  },
  { prepare: withTLS() },
);

serverTest(
  "FTP.protC is refused by a server that wants protection",
  async (server) => {
    await using ftp = await logInTLS(server);
    const outcome = await ftp.protC().then(() => ftp.nlst()).catch((error) =>
      error
    );
    assert(outcome instanceof FTPError, String(outcome));
  },
  { prepare: withTLS({ required: true }) },
);

serverTest("FTP.auth and login can be called one by one", async (server) => {
  await server.write("file", "content");
  await using ftp = await dialIn(server, await trusting());
  assertEquals(ftp.tls, undefined);
  assertEquals((await ftp.auth()).code, 234);
  assert(ftp.tls !== undefined);
  await ftp.login(server.user, server.password);
  assertEquals(await fetchBytes(ftp, "file"), bytes("content"));
}, { prepare: withTLS({ required: true }) });

serverTest(
  "FTP.ccc returns to clear text and keeps the data protected",
  async (server) => {
    await server.write("file", "content");
    await using ftp = await logInTLS(server);
    assertEquals((await ftp.ccc()).code, 200);
    assertEquals(ftp.tls, undefined);
    assertEquals(await ftp.pwd(), "/");
    const [conn] = await ftp.ntransfercmd("RETR file");
    while (await conn.read(new Uint8Array(100)) !== null);
    conn.close();
    assert(conn.tls !== undefined);
    assertEquals((await ftp.voidresp()).code, 226);
  },
  { prepare: withTLS(), needs: (features) => features.ccc },
);

serverTest("FTP over TLS needs nothing but allow-net", async (server) => {
  await server.write("file", "content");
  const { authority } = await certificates();
  const mod = new URL("../../mod.ts", import.meta.url);
  const script = `
    import { FTP } from ${JSON.stringify(mod.href)};
    const options = { tls: { caCerts: [${
    JSON.stringify(await Deno.readTextFile(authority.certificate))
  }] } };
    const one = new FTP(options), two = new FTP(options);
    for (const ftp of [one, two]) {
      await ftp.connect("${server.host}", ${server.port});
      await ftp.login(${JSON.stringify(server.user)}, ${
    JSON.stringify(server.password)
  });
    }
    for (const [i, ftp] of [one, two, one, two].entries()) {
      await ftp.storbinary("STOR new" + i, new Uint8Array(1000));
      await ftp.retrbinary("RETR file", (block) => console.log(block.length));
    }
    await one.quit();
    await two.quit();
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-config",
      "--no-prompt",
      `--allow-net=${server.host}`,
      "-",
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(bytes(script));
  await writer.close();
  const { stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  assertEquals(decoder.decode(stderr), "");
  assertEquals(decoder.decode(stdout), "7\n7\n7\n7\n");
}, { prepare: withTLS(), servers: ["proftpd", "vsftpd"] });
