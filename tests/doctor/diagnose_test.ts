/** `diagnose` against real servers with one fault each. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  diagnose,
  type DiagnoseOptions,
  type Diagnosis,
  type DiagnosisProblem,
} from "../../mod.ts";
import { withTLS } from "../real/tls_client.ts";
import { DEAD_PORT } from "../testing/dead_port.ts";
import { Proxy } from "../testing/proxy.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";
import { certificates, issue } from "../testing/servers/certificates.ts";
import {
  type RealServer,
  type ServerName,
  serverTest,
} from "../testing/servers/mod.ts";
import { SilentPort } from "../testing/silent_port.ts";
import { Relay } from "./relay.ts";

/** Diagnoses a server, or a proxy in front of it. */
async function examine(
  server: RealServer,
  { scheme = "ftp", at = server, path = "", ...options }:
    & DiagnoseOptions
    & {
      scheme?: string;
      at?: { host: string; port: number };
      path?: string;
    } = {},
): Promise<Diagnosis> {
  const { user, password } = server;
  return await diagnose(`${scheme}://${user}@${at.host}:${at.port}${path}`, {
    password,
    maxConnections: 2,
    ...options,
  });
}

/** The causes that were found, without "clear-text": most of these tests use no TLS. */
function causesOf(
  { problems }: Diagnosis,
  { but = "clear-text" }: { but?: DiagnosisProblem["cause"] } = {},
): DiagnosisProblem["cause"][] {
  return problems.map(({ cause }) => cause).filter((cause) =>
    cause !== "clear-text" && cause !== but
  );
}

/** The outcome of a step. */
function outcomeOf({ steps }: Diagnosis, name: string): string | undefined {
  return steps.findLast((step) => step.name === name)?.outcome;
}

function problemOf({ problems }: Diagnosis, wanted: DiagnosisProblem["cause"]) {
  const problem = problems.find(({ cause }) => cause === wanted);
  assert(problem, `no ${wanted} in ${JSON.stringify(problems, null, 2)}`);
  return problem;
}

serverTest(
  "diagnose finds no problem with a sound server, and changes nothing",
  async (server) => {
    await server.write("pub/a.txt", "hello");
    const report = await examine(server, { path: "/pub" });
    assertEquals(causesOf(report), [], JSON.stringify(report.problems));
    assertEquals(report.isUsable, true);
    assertEquals(report.steps.map(({ name }) => name), [
      "addresses",
      "greeting",
      "tls",
      "login",
      "features",
      "epsv",
      "pasv",
      "active",
      "listing",
      "clock",
      "restart",
      "connections",
    ]);
    const log = await server.log();
    assertEquals(/\b(STOR|DELE|RNFR|MKD|SITE|MFMT)\b/.test(log), false, log);
    assertEquals(
      report.url,
      `ftp://${server.user}@${server.host}:${server.port}/pub`,
    );
    assertEquals(JSON.stringify(report).includes(server.password), false);
    assertStringIncludes(report.code, `await connect("${report.url}"`);
    assertStringIncludes(report.code, 'Deno.env.get("FTP_PASSWORD")');
  },
);

serverTest(
  "diagnose uploads a file to the directory of write, and removes it",
  async (server) => {
    await server.mkdir("in");
    const report = await examine(server, { write: "/in" });
    assertEquals(causesOf(report), [], JSON.stringify(report.problems));
    assertEquals(outcomeOf(report, "write"), "ok");
    assertEquals(outcomeOf(report, "clock"), "ok");
    assertEquals([...Deno.readDirSync(`${server.root}/in`)], []);
  },
);

serverTest(
  "diagnose blames a firewall if the passive ports are closed",
  async (server) => {
    await server.write("a.txt", "a");
    const { host, port } = server;
    await using proxy = await Proxy.start({ host, port }); // forwards the control port only
    const report = await examine(server, { at: proxy });
    // the 227 reply contains the server's address, not the proxy's
    assertEquals(
      causesOf(report, { but: "private-address" }),
      ["passive-ports-closed"].concat(
        outcomeOf(report, "active") === "ok" ? [] : ["data-failed"],
      ),
    );
    const { isFirewall, advice } = problemOf(report, "passive-ports-closed");
    assertEquals(isFirewall, true);
    assertStringIncludes(advice, "passive ports");
    if (outcomeOf(report, "active") === "ok") {
      assertEquals(report.options.passive, false);
    } else assertEquals(report.isUsable, false);
  },
);

/** Settings for another address in the 227 reply. */
const PRIVATE_ADDRESS: Record<ServerName, readonly string[]> = {
  vsftpd: ["pasv_address=10.11.12.13"],
  proftpd: ["MasqueradeAddress 10.11.12.13"],
  "pure-ftpd": ["--forcepassiveip", "10.11.12.13"],
  pyftpdlib: ["handler.masquerade_address = '10.11.12.13'"],
};

/** Settings for local time. */
const LOCAL_TIME: Partial<Record<ServerName, readonly string[]>> = {
  vsftpd: ["use_localtime=YES"],
  pyftpdlib: ["handler.use_gmt_times = False"],
};

for (const [name, extra] of Object.entries(PRIVATE_ADDRESS)) {
  serverTest(
    "diagnose reports a private address in a 227 reply",
    async (server) => {
      await server.write("a.txt", "a");
      const report = await examine(server);
      assertEquals(causesOf(report), ["private-address"]);
      const { text, severity, isFirewall } = problemOf(
        report,
        "private-address",
      );
      assertStringIncludes(text, "10.11.12.13, a private address");
      assertEquals([severity, isFirewall], ["warning", true]);
      assertEquals(report.isUsable, true);
    },
    { servers: [name as ServerName], extra },
  );
}

serverTest(
  "diagnose ends with a URL that works if the directory of its URL is missing",
  async (server) => {
    const report = await examine(server, { path: "/no/such" });
    const { text } = problemOf(report, "directory-missing");
    assertStringIncludes(text, "no/such");
    assertEquals(report.isUsable, true);
    assertEquals(report.code.includes("no/such"), false, report.code);
    const [addresses] = report.steps;
    assertStringIncludes(
      addresses!.text,
      `${server.host} is an address; port ${server.port} answers`,
    );
  },
);

serverTest(
  "diagnose says that the directory for its upload is missing",
  async (server) => {
    const report = await examine(server, { write: "no" });
    const { text, advice } = problemOf(report, "write-refused");
    assertEquals(/\.\)/.test(text), false, text);
    assertStringIncludes(advice, "does not exist. Name an existing one");
  },
);

for (const [name, extra] of Object.entries(LOCAL_TIME)) {
  serverTest(
    "diagnose proves a local zone by an upload, and suspects it without one",
    async (server) => {
      await server.mkdir("in");
      await server.write("in/a.txt", "a");
      const options = { path: "/in" };
      const looked = await examine(server, options);
      assertEquals(causesOf(looked), ["zone"]);
      assertStringIncludes(
        problemOf(looked, "zone").text,
        "A file is 9 hours in the future",
      );
      assertEquals(looked.options.serverZone, undefined);
      const proven = await examine(server, { ...options, write: "." });
      assertEquals(causesOf(proven), ["zone"]);
      assertEquals(proven.options.serverZone, 540);
      assertStringIncludes(
        proven.problems.at(-1)!.text,
        "The upload proves that the server's times are in local time, UTC+09:00",
      );
      assertStringIncludes(proven.code, "serverZone: 540");
    },
    { servers: [name as ServerName], extra, zone: "Asia/Tokyo" },
  );
}

serverTest(
  "diagnose knows the zone of servers whose MDTM is in UTC",
  async (server) => {
    await server.write("a.txt", "a");
    const report = await examine(server);
    assertEquals(causesOf(report), []);
    assertEquals(outcomeOf(report, "clock"), "ok");
  },
  { servers: ["proftpd", "pure-ftpd"], zone: "Asia/Tokyo" },
);

serverTest(
  "diagnose reports that EPSV gets no reply, and advises PASV",
  async (server) => {
    await server.write("a.txt", "a");
    await using relay = Relay.start(server, /^EPSV\r\n/);
    const report = await examine(server, { at: relay, timeout: 6000 });
    // the 227 reply contains the server's address, not the relay's
    assertEquals(causesOf(report, { but: "private-address" }), [
      "epsv-swallowed",
    ]);
    assertEquals(problemOf(report, "epsv-swallowed").isFirewall, true);
    assertEquals([report.options.passive, report.isUsable], ["pasv", true]);
    assertStringIncludes(report.code, 'passive: "pasv"');
  },
  { passivePorts: 12 },
);

serverTest(
  "diagnose reports a directory that the user may not write to",
  async (server) => {
    const report = await examine(server, { write: "/" });
    assertEquals(causesOf(report), ["write-refused"]);
    assertStringIncludes(
      problemOf(report, "write-refused").advice,
      "the root of its directory (chroot)",
    );
    assertEquals([...Deno.readDirSync(server.root)], []);
    assertEquals(report.isUsable, true);
  },
  { writable: false },
);

serverTest(
  "diagnose reports a writable root of a chroot",
  async (server) => {
    const report = await examine(server);
    assertEquals(causesOf(report), ["chroot-writable"]);
    assertEquals(report.isUsable, false);
  },
  { servers: ["vsftpd"], extra: ["allow_writeable_chroot=NO"] },
);

serverTest(
  "diagnose reports an expired certificate, and sends no password",
  async (server) => {
    const { authority } = await certificates();
    const caCerts = [await Deno.readTextFile(authority.certificate)];
    const report = await examine(server, { scheme: "ftpes", tls: { caCerts } });
    assertEquals(causesOf(report), ["certificate-expired"]);
    const { text } = problemOf(report, "certificate-expired");
    assertStringIncludes(text, "to 2021-01-01");
    assertEquals(/\b(USER|PASS)\b/.test(await server.log()), false);
  },
  { prepare: withTLS({}, "expired") },
);

serverTest(
  "diagnose advises the fingerprint of a self-signed certificate",
  async (server) => {
    await server.write("a.txt", "a");
    const report = await examine(server, { scheme: "ftpes" });
    assertEquals(causesOf(report), ["certificate-untrusted"]);
    const { tls } = report.options;
    assert(typeof tls === "object");
    assertStringIncludes(report.code, `fingerprint: "${tls.fingerprint}"`);
    const again = await examine(server, { scheme: "ftpes", tls });
    assertEquals(causesOf(again), []);
    const { facts } = again.steps.find(({ name }) => name === "tls")!;
    assertEquals(facts["versions"], ["TLSv1.2", "TLSv1.3"]);
    for (const step of ["epsv", "pasv"]) {
      assertEquals(outcomeOf(again, step), "ok");
    }
  },
  { prepare: withTLS({}, "selfSigned") },
);

serverTest(
  "diagnose reports a TLS session that is not resumed on data connections",
  async (server) => {
    await server.write("a.txt", "a");
    const { authority } = await certificates();
    const client = await issue("client");
    const read = (path: string) => Deno.readTextFile(path);
    const report = await examine(server, {
      scheme: "ftpes",
      tls: {
        caCerts: [await read(authority.certificate)],
        // the platform resumes no sessions with a client certificate
        cert: await read(client.certificate),
        key: await read(client.key),
      },
    });
    assertEquals(causesOf(report), ["session-resumption"]);
    assertStringIncludes(
      problemOf(report, "session-resumption").advice,
      "NoSessionReuseRequired",
    );
    assertEquals(report.code.includes("PRIVATE KEY"), false);
  },
  { needs: ({ sessionReuse }) => sessionReuse, prepare: withTLS() },
);

serverTest(
  "diagnose reports that clear text is refused, and advises TLS",
  async (server) => {
    const report = await examine(server);
    assertEquals(causesOf(report), ["tls-required"]);
    assert(report.options.tls !== undefined);
  },
  { servers: ["vsftpd", "proftpd"], prepare: withTLS({ required: true }) },
);

serverTest(
  "diagnose reports a refused login, without the password",
  async (server) => {
    const report = await examine(server, { password: "not the password" });
    assertEquals(causesOf(report), ["login-refused"]);
    assertEquals(JSON.stringify(report).includes("not the password"), false);
  },
  { servers: ["proftpd"] },
);

Deno.test("diagnose reports problems before the greeting", async () => {
  const of = async (url: string, options: DiagnoseOptions = {}) => {
    const report = await diagnose(url, options);
    assertEquals(report.isUsable, false);
    return causesOf(report);
  };
  assertEquals(await of("ftp://does-not-exist.invalid/"), ["name-not-found"]);
  assertEquals(await of(`ftp://127.0.0.1:${DEAD_PORT}/`), [
    "connection-refused",
  ]);
  using http = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    const ssh = new TextEncoder().encode("SSH-2.0-OpenSSH_9.2\r\n");
    for await (const conn of http) {
      await conn.write(ssh).catch(() => {});
      conn.close();
    }
  })();
  assertEquals(await of(`ftp://127.0.0.1:${http.addr.port}/`), ["not-ftp"]);
  http.close();
  await serving.catch(() => {});
});

Deno.test(
  "diagnose distinguishes a filtered port from a closed one",
  { ignore: !SilentPort.isPossible },
  async () => {
    using silent = await SilentPort.open();
    const report = await diagnose(`ftp://127.0.0.1:${silent.port}/`, {
      timeout: 1000,
    });
    assertEquals(causesOf(report), ["connection-filtered"]);
    assertEquals(report.problems[0]!.isFirewall, true);
  },
);

Deno.test("diagnose shows no password of a URL, and refuses a host that may contain one", async () => {
  const odd = [
    "u:s3cret@host",
    "//u:s3cret@host",
    "ftp:\\\\u:s3cret@host",
    "s3cret@host",
    "user:s3cret",
  ];
  for (const url of odd) {
    const error = await assertRejects(() => diagnose(url), TypeError);
    assert(!Deno.inspect(error).includes("s3cret"), url);
  }
  await using server = await ScriptedServer.start();
  const address = `${server.host}:${server.port}`;
  for (const user of ["u", "u@example.org", ""]) {
    const diagnosis = await diagnose(`ftp://${user}:s3cret@${address}/`);
    assert(diagnosis.isUsable, user);
    assert(!Deno.inspect(diagnosis, { depth: 9 }).includes("s3cret"), user);
  }
});

Deno.test("diagnose reports names in another encoding, and replaces control characters", async () => {
  await using server = await ScriptedServer.start({ charset: "latin1" });
  server.on("CONNECT", "220 evil \x1b[2J greeting");
  for (const verb of ["MLSD", "LIST"]) {
    server.on(verb, async (turn) => {
      await turn.reply(150, "Here they come");
      const data = await turn.openData();
      const line = verb === "MLSD"
        ? "type=file;size=1;modify=20240229120000; caf\xE9\r\n"
        : "-rw-r--r-- 1 o g 1 Feb 29 2024 caf\xE9\r\n";
      await data.write(Uint8Array.from(line, (sign) => sign.charCodeAt(0)));
      data.close();
      await data.closed;
      await turn.reply(226, "Done");
    });
  }
  const steps: string[] = [];
  const report = await diagnose(`ftp://${server.host}:${server.port}`, {
    maxConnections: 1,
    onStep: ({ name }) => steps.push(name),
  });
  assertEquals(causesOf(report), ["encoding"]);
  assertEquals(report.options.encoding, "latin-1");
  assertEquals(steps, report.steps.map(({ name }) => name));
  // deno-lint-ignore no-control-regex
  const controls = /[\x00-\x09\x0B-\x1F\x7F-\x9F]/;
  for (const { text } of [...report.steps, ...report.problems]) {
    assertEquals(controls.exec(text), null, text);
  }
});

Deno.test("diagnose ends when its signal is aborted, and closes everything", async () => {
  await using server = await ScriptedServer.start();
  const controller = new AbortController();
  server.on("FEAT", async (turn) => {
    controller.abort(new Error("enough"));
    await turn.stall();
  });
  const error = await diagnose(`ftp://${server.host}:${server.port}`, {
    signal: controller.signal,
  }).catch((error) => error);
  assertEquals(error.message, "enough");
});

/** Diagnoses a scripted server, and returns its step "restart". */
async function restartOf(server: ScriptedServer) {
  const { steps } = await diagnose(
    `ftp://user:secret@${server.host}:${server.port}`,
    { maxConnections: 1 },
  );
  return steps.find(({ name }) => name === "restart")!;
}

Deno.test("diagnose proves REST by a download, and does not believe the 350 reply", async () => {
  await using server = await ScriptedServer.start({
    files: { "/f": "hello" },
  });
  assertEquals((await restartOf(server)).outcome, "ok");
  assertStringIncludes(server.commands.join(), "REST 4,RETR f");
});

Deno.test("diagnose says that a server accepts REST and ignores it", async () => {
  await using server = await ScriptedServer.start({
    files: { "/f": "hello" },
  });
  server.on("REST", (turn) => turn.reply(350, "Restarting"));
  const { outcome, text } = await restartOf(server);
  assertEquals(outcome, "note");
  assertStringIncludes(text, "sends the whole file");
});

Deno.test("diagnose says that REST is not proven where no file can be read", async () => {
  await using empty = await ScriptedServer.start();
  await using closed = await ScriptedServer.start({ files: { "/f": "hello" } });
  closed.on("RETR", "550 Permission denied");
  for (const server of [empty, closed]) {
    const { outcome, text } = await restartOf(server);
    assertEquals(outcome, "note");
    assertStringIncludes(text, "nothing here proves");
  }
});
