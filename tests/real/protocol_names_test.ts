import { assertEquals, assertRejects } from "@std/assert";
import { type FTP, FTPError } from "../../mod.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { bytes, fetchBytes, logIn } from "./client.ts";

const LATIN1 = { encoding: "latin-1" };

/** pyftpdlib decodes names as UTF-8: what is none does not survive. */
const KEEPS_BYTES = ["vsftpd", "proftpd", "pure-ftpd"] as const;

serverTest("FTP in latin-1 finds names that are no UTF-8", async (server) => {
  await writeRaw(server.root, [0x63, 0x61, 0x66, 0xE9], "coffee"); // "café"
  await using ftp = await logIn(server, LATIN1);
  assertEquals(await fetchBytes(ftp, "café"), bytes("coffee"));
  assertEquals(await names(ftp), ["café"]);
  await ftp.rename("café", "thé");
  assertEquals(await rawNames(server.root), [[0x74, 0x68, 0xE9]]);
  await ftp.mkd("für");
  await ftp.cwd("für");
  assertEquals(await ftp.pwd(), "/für");
  await ftp.cwd("..");
  await ftp.rmd("für");
  await ftp.delete("thé");
  assertEquals(await rawNames(server.root), []);
}, { servers: KEEPS_BYTES });

serverTest("FTP in UTF-8 gives names back that are none", async (server) => {
  await writeRaw(server.root, [0x61, 0xE9, 0x62], "x");
  await using ftp = await logIn(server);
  const [name] = await names(ftp);
  assertEquals(name, "a\uDCE9b");
  assertEquals(await fetchBytes(ftp, name!), bytes("x"));
  await ftp.rename(name!, "\uDCE9");
  assertEquals(await rawNames(server.root), [[0xE9]]);
  await ftp.delete(Uint8Array.of(0xE9));
  assertEquals(await rawNames(server.root), []);
}, { servers: KEEPS_BYTES });

serverTest("FTP sends the byte 0xFF as the server takes it", async (server) => {
  await using ftp = await logIn(server, LATIN1);
  await ftp.storbinary("STOR aÿb", bytes("x"));
  assertEquals(await rawNames(server.root), [[0x61, 0xFF, 0x62]]);
  assertEquals(await names(ftp), ["aÿb"]);
  assertEquals(await fetchBytes(ftp, "aÿb"), bytes("x"));
  await ftp.mkd("ÿ");
  await ftp.cwd("ÿ");
  assertEquals(await ftp.pwd(), "/ÿ");
  await ftp.cwd("/");
  await ftp.delete("aÿb");
  await ftp.rmd("ÿ");
  assertEquals(await rawNames(server.root), []);
}, { servers: KEEPS_BYTES });

serverTest(
  "FTP refuses a character that the encoding lacks",
  async (server) => {
    await using ftp = await logIn(server, LATIN1);
    await assertRejects(() => ftp.mkd("日本"), TypeError, "latin-1");
    assertEquals(await ftp.pwd(), "/");
  },
);

serverTest(
  "FTP with pyftpdlib says no to names that are no UTF-8",
  async (server) => {
    await writeRaw(server.root, [0x61, 0xE9, 0x62], "x");
    await using ftp = await logIn(server, LATIN1);
    await assertRejects(() => fetchBytes(ftp, "aéb"), FTPError, "550");
    assertEquals(await ftp.pwd(), "/");
  },
  { servers: ["pyftpdlib"] },
);

async function names(ftp: FTP): Promise<string[]> {
  return (await ftp.nlst()).filter((name) => !/^\.\.?$/.test(name));
}

/** Deno's paths are text: a shell writes other names. */
async function writeRaw(
  folder: string,
  name: readonly number[],
  content: string,
): Promise<void> {
  const octal = name.map((byte) => `\\${byte.toString(8).padStart(3, "0")}`);
  await shell(
    `cd "$0" && f=$(printf '${
      octal.join("")
    }') && printf %s "$1" > "$f" && { [ "$(id -u)" != 0 ] || chown daemon:daemon "$f"; }`,
    folder,
    content,
  );
}

/** The names in a folder, as bytes. */
async function rawNames(folder: string): Promise<number[][]> {
  const output = await shell(`cd "$0" && find . -mindepth 1 -print0`, folder);
  const found: number[][] = [];
  for (let start = 0; start < output.length;) {
    const end = output.indexOf(0, start);
    found.push([...output.subarray(start + "./".length, end)]);
    start = end + 1;
  }
  return found;
}

async function shell(script: string, ...args: string[]): Promise<Uint8Array> {
  const { success, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", script, ...args],
    env: { LC_ALL: "C" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return stdout;
}
