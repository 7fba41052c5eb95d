/**
 * TLS 1.3 tickets: one for each data connection, and servers that send too few.
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type FTP, FTPTemporaryError, type TLSOptions } from "../../mod.ts";
import { repetitions } from "../testing/repetitions.ts";
import { certificates, issue } from "../testing/servers/certificates.ts";
import type { RealServer, ServerFeatures } from "../testing/servers/mod.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { bytes, fetchBytes, makeData } from "./client.ts";
import { logInTLS, withTLS } from "./tls_client.ts";

const ONLY_13: TLSOptions = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" };

const SIZES = [0, 1, 1000, 0, 100_000, 300_000];

/** More than a server sends tickets at once. FTP_TEST_SCALE=10 has 300. */
const IN_A_ROW = repetitions(30);

/** Each size, up and down. FTP_TEST_SCALE=10 has 120. */
const AT_ONCE = repetitions(12);

/** Servers that let no data connection in without the control connection's session. */
const REQUIRED = {
  prepare: withTLS({ sessionReuse: true }),
  needs: (features: ServerFeatures) => features.sessionReuse,
};

serverTest(
  `FTP carries ${IN_A_ROW} files in a row over TLS 1.3, up and down mixed`,
  async (server) => {
    await using ftp = await logInTLS(server, ONLY_13);
    assertEquals(ftp.tls?.protocol, "TLSv1.3");
    for (let i = 0; i < IN_A_ROW; i++) await exchange(ftp, server, "file", i);
  },
  REQUIRED,
);

serverTest(
  `FTP carries ${AT_ONCE} files over TLS 1.3 on each of four connections at once`,
  async (server) => {
    await using stack = new AsyncDisposableStack();
    await Promise.all(["a", "b", "c", "d"].map(async (name) => {
      const ftp = stack.use(await logInTLS(server, ONLY_13));
      for (let i = 0; i < AT_ONCE; i++) await exchange(ftp, server, name, i);
    }));
  },
  REQUIRED,
);

serverTest(
  "FTP carries ten uploads in a row over TLS 1.3, in passive and active mode",
  async (server) => {
    const trace = new Trace();
    await using ftp = await logInTLS(server, ONLY_13, trace);
    for (const passive of [true, false]) {
      ftp.setPasv(passive);
      for (let i = 0; i < 10; i++) {
        const data = makeData(SIZES[i % SIZES.length]!, i + 1);
        await ftp.storbinary("STOR file", data);
        assertEquals(await server.read("file"), data);
      }
    }
    // a server that does not want sessions resumed is asked for one list at most
    if (!server.features.sessionReuse) assert(trace.count("LIST") <= 1);
  },
  { prepare: withTLS() },
);

serverTest(
  "FTP brings no ticket of an earlier connection over TLS 1.3",
  async (server) => {
    await server.write("file", "content");
    for (let connection = 0; connection < 3; connection++) {
      const trace = new Trace();
      await using ftp = await logInTLS(server, ONLY_13, trace);
      assertEquals(ftp.tls?.resumed, false);
      for (let i = 0; i < 6; i++) {
        await ftp.storbinary(`STOR new${i}`, bytes("content"));
      }
      assertEquals(await fetchBytes(ftp, "file"), bytes("content"));
    }
  },
  REQUIRED,
);

serverTest(
  "FTP sends nothing between a REST and its command",
  async (server) => {
    await using ftp = await logInTLS(server, ONLY_13);
    for (let i = 0; i < 5; i++) {
      await server.write("file", "0123456789");
      await ftp.sendcmd("TYPE I");
      await ftp.sendcmd("REST 4");
      const outcome = await ftp.storbinary("STOR file", bytes("new"))
        .catch((error) => error);
      const content = new TextDecoder().decode(await server.read("file"));
      const isRefused = outcome instanceof FTPTemporaryError;
      assertStringIncludes(content, isRefused ? "0123" : "0123new");
    }
  },
  { ...REQUIRED, servers: ["proftpd"] },
);

serverTest(
  "FTP carries uploads over TLS 1.3 where nothing may be listed",
  async (server) => {
    await using ftp = await logInTLS(server, ONLY_13);
    for (let i = 0; i < 6; i++) {
      await ftp.storbinary("STOR file", bytes(`new ${i}`));
    }
    await assertRejects(() => ftp.nlst(), FTPTemporaryError);
  },
  {
    servers: ["proftpd"],
    prepare: async () => ({
      ...await withTLS({ sessionReuse: true })(),
      extra: ["<Limit DIRS>", "DenyAll", "</Limit>"],
    }),
  },
);

serverTest(
  "FTP asks for no tickets that it could not use, and says what is wrong",
  async (server) => {
    const client = await issue("client");
    const [cert, key] = await Promise.all([
      Deno.readTextFile(client.certificate),
      Deno.readTextFile(client.key),
    ]);
    const trace = new Trace();
    await using ftp = await logInTLS(server, { ...ONLY_13, cert, key }, trace);
    for (let i = 0; i < 3; i++) {
      const error = await assertRejects(
        () => ftp.storbinary("STOR file", bytes("new")),
        FTPTemporaryError,
      );
      assertStringIncludes(error.message, '"cert"');
    }
    assertEquals(trace.count("LIST"), 0);
  },
  {
    servers: ["proftpd"],
    prepare: async () => {
      const { good, authority } = await certificates();
      const clientAuthority = authority.certificate;
      const sessionReuse = true;
      return {
        tls: { mode: "explicit", ...good, clientAuthority, sessionReuse },
      };
    },
  },
);

serverTest(
  "FTP stops a wait for tickets when its signal is aborted",
  async (server) => {
    const controller = new AbortController();
    const trace = new Trace((text) => {
      if (text === "LIST") controller.abort(new Error("no more"));
    });
    await using ftp = await logInTLS(server, ONLY_13, trace);
    const { signal } = controller;
    const uploads = async () => {
      for (let i = 0; i < 6; i++) {
        await ftp.storbinary("STOR file", bytes("new"), { signal });
      }
    };
    await assertRejects(uploads, Error, "no more");
    await ftp.storbinary("STOR file", bytes("newer"));
    assertEquals(await server.read("file"), bytes("newer"));
  },
  { ...REQUIRED, servers: ["proftpd"] },
);

/** Counts the commands that a client sends. */
class Trace {
  readonly #verbs: string[] = [];
  readonly #hear: (text: string) => void;

  constructor(hear: (text: string) => void = () => {}) {
    this.#hear = hear;
  }

  readonly trace = (
    { direction, text }: { direction: string; text: string },
  ): void => {
    if (direction !== "sent") return;
    this.#verbs.push(text.split(" ", 1)[0]!);
    this.#hear(text);
  };

  count(verb: string): number {
    return this.#verbs.filter((sent) => sent === verb).length;
  }
}

/** One file, up three times in a row, then down three times. */
async function exchange(
  ftp: FTP,
  server: RealServer,
  name: string,
  i: number,
): Promise<void> {
  const data = makeData(SIZES[i % SIZES.length]!, i + 1);
  if (i % 6 < 3) {
    await ftp.storbinary(`STOR ${name}`, data);
    assertEquals(await digest(await server.read(name)), await digest(data));
  } else {
    await server.write(name, data);
    assertEquals(await digest(await fetchBytes(ftp, name)), await digest(data));
  }
}

async function digest(data: Uint8Array): Promise<string> {
  const sha256 = await crypto.subtle.digest("SHA-256", data as BufferSource);
  return new Uint8Array(sha256).toHex();
}
