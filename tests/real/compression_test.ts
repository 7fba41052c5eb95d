import { assert, assertEquals, assertRejects } from "@std/assert";
import type { FTPOptions } from "../../mod.ts";
import { findFile } from "../testing/servers/programs.ts";
import {
  type RealServer,
  serverTest,
  type ServerTestOptions,
} from "../testing/servers/mod.ts";
import { bytes, fetchBytes, logIn, makeData, text } from "./client.ts";
import { logInTLS, withTLS } from "./tls_client.ts";

/** ProFTPD with its mod_deflate. */
const DEFLATE: ServerTestOptions = {
  servers: ["proftpd"],
  ignore: findFile("usr/lib/proftpd/mod_deflate.so") === undefined,
  extra: ["LoadModule mod_deflate.c", "DeflateEngine on"],
};

const COMPRESS: FTPOptions = { compress: true };

// ProFTPD (1.3.8) refuses uploads of which a few KB become a megabyte (451), and
// takes others at some 20 KB a second; lftp sees the same. It waits 0.4 seconds
// for each buffer, which has 1 KB where there is no /etc/protocols
const TEXT = Array.from({ length: 4000 }, (_, i) => `line ${i * i}\r\n`)
  .join("");

/** Trace that counts what was sent. */
function counting(): { sent: string[]; options: FTPOptions } {
  const sent: string[] = [];
  return {
    sent,
    options: {
      ...COMPRESS,
      trace: ({ direction, text }) => direction === "sent" && sent.push(text),
    },
  };
}

serverTest(
  "FTP transfers and lists in MODE Z",
  async (server) => {
    const noise = makeData(10_000);
    await server.write("noise", noise);
    await server.write("empty", "");
    const { sent, options } = counting();
    await using ftp = await logIn(server, options);
    assertEquals(await fetchBytes(ftp, "noise"), noise);
    assertEquals(await fetchBytes(ftp, "empty"), new Uint8Array());
    await ftp.storbinary("STOR text", bytes(TEXT));
    assertEquals(text(await Deno.readFile(`${server.root}/text`)), TEXT);
    await ftp.storbinary("STOR none", new Uint8Array());
    assertEquals(await Deno.readFile(`${server.root}/none`), new Uint8Array());
    await ftp.storbinary("APPE text", bytes("more"));
    assertEquals(text(await fetchBytes(ftp, "text")), `${TEXT}more`);
    const names = await Array.fromAsync(ftp.list(), ({ name }) => name);
    assertEquals(names.sort(), ["empty", "noise", "none", "text"]);
    assertEquals(sent.filter((line) => line === "MODE Z").length, 1);
  },
  DEFLATE,
);

serverTest(
  "FTP.download and FTP.upload prove and resume what was compressed",
  async (server) => {
    const noise = makeData(10_000);
    await server.write("noise", noise);
    await using ftp = await logIn(server, COMPRESS);
    const folder = await Deno.makeTempDir();
    try {
      const local = `${folder}/noise`;
      const down = await ftp.download("noise", local);
      assertEquals([down.size, down.verified], [10_000, "size"]);
      assertEquals(await Deno.readFile(local), noise);
      const up = await ftp.upload(local, "back");
      assertEquals([up.size, up.verified], [10_000, "size"]);
      assertEquals(await Deno.readFile(`${server.root}/back`), noise);
      // REST counts bytes of the file
      let rest = new Uint8Array();
      await ftp.retrbinary("RETR noise", (block) => {
        rest = new Uint8Array([...rest, ...block]);
      }, { rest: 9_000 });
      assertEquals(rest, noise.slice(9_000));
      const stored = await ftp.retrieve("noise", { offset: 9_990 });
      assertEquals(
        new Uint8Array(await new Response(stored).arrayBuffer()),
        noise.slice(9_990),
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
  DEFLATE,
);

serverTest(
  "FTP compresses on clones and reconnections, and continues after an abort",
  async (server) => {
    await server.write("text", TEXT);
    const { sent, options } = counting();
    await using ftp = await logIn(server, options);
    assertEquals(text(await fetchBytes(ftp, "text")), TEXT);
    await using clone = await ftp.clone();
    assertEquals(text(await fetchBytes(clone, "text")), TEXT);
    await ftp.reconnect();
    assertEquals(text(await fetchBytes(ftp, "text")), TEXT);
    assertEquals(sent.filter((line) => line === "MODE Z").length, 3);
    const enough = new Error("enough");
    await assertRejects(
      () =>
        ftp.retrbinary("RETR text", () => {
          throw enough;
        }),
      Error,
      "enough",
    );
    assertEquals(text(await fetchBytes(ftp, "text")), TEXT);
  },
  DEFLATE,
);

serverTest(
  "FTP moves fewer bytes in MODE Z",
  async (server: RealServer) => {
    await server.write("text", TEXT);
    const sizes: number[] = [];
    for (const compress of [false, true]) {
      await using ftp = await logIn(server, {
        compress,
        dial: async ({ hostname, port, transport }) => {
          const conn = await Deno.connect({ hostname, port });
          if (transport === "control") return conn;
          let size = 0;
          const read = conn.read.bind(conn);
          conn.read = async (buffer) => {
            const n = await read(buffer);
            if (n === null) sizes.push(size);
            else size += n;
            return n;
          };
          return conn;
        },
      });
      assertEquals(text(await fetchBytes(ftp, "text")), TEXT);
    }
    const [plain, small] = sizes;
    assertEquals(plain, TEXT.length);
    assert(small! < TEXT.length / 2, `${small}`);
  },
  DEFLATE,
);

serverTest(
  "FTP compresses under TLS",
  async (server) => {
    const noise = makeData(10_000);
    await server.write("noise", noise);
    await using ftp = await logInTLS(server, {}, COMPRESS);
    assertEquals(await fetchBytes(ftp, "noise"), noise);
    await ftp.storbinary("STOR back", noise);
    assertEquals(await Deno.readFile(`${server.root}/back`), noise);
    assertEquals(
      (await Array.fromAsync(ftp.list(), ({ name }) => name)).sort(),
      ["back", "noise"],
    );
  },
  { ...DEFLATE, prepare: withTLS() },
);

serverTest(
  "FTP does without MODE Z where the server has none",
  async (server) => {
    await server.write("text", TEXT);
    const { sent, options } = counting();
    await using ftp = await logIn(server, options);
    assertEquals(text(await fetchBytes(ftp, "text")), TEXT);
    assertEquals(text(await fetchBytes(ftp, "text")), TEXT);
    assertEquals(sent.filter((line) => /^(FEAT|MODE)/.test(line)), ["FEAT"]);
  },
);
