/**
 * Shared by the tests against real servers: a logged-in client, and files as
 * bytes.
 */

import { FTP, type FTPOptions } from "../../mod.ts";
import {
  type RealServer,
  serverTest,
  type ServerTestOptions,
} from "../testing/servers/mod.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** Text as UTF-8. */
export function bytes(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** UTF-8 as text. */
export function text(bytes: Uint8Array): string {
  return DECODER.decode(bytes);
}

/** Bytes without a pattern that a block's or a segment's size could hide in. */
export function makeData(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    data[i] = state >>> 24;
  }
  return data;
}

/** Connects without logging in. */
export async function dialIn(
  server: RealServer,
  options: FTPOptions = {},
): Promise<FTP> {
  const ftp = new FTP({ timeout: 10_000, ...options });
  await ftp.connect(server.host, server.port);
  return ftp;
}

/** Connects and logs in. */
export async function logIn(
  server: RealServer,
  options: FTPOptions = {},
): Promise<FTP> {
  const ftp = await dialIn(server, options);
  try {
    await ftp.login(server.user, server.password);
  } catch (error) {
    ftp.close();
    throw error;
  }
  return ftp;
}

/** Retrieves a whole file in binary. */
export async function fetchBytes(
  ftp: FTP,
  path: string,
  rest?: number,
): Promise<Uint8Array> {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  await ftp.retrbinary(`RETR ${path}`, (block) => blocks.push(block), { rest });
  return new Uint8Array(await new Blob(blocks).arrayBuffer());
}

/**
 * Registers a test for each server on IPv4 and on IPv6, where it runs with a
 * client in passive and with one in active mode.
 */
export function modesTest(
  title: string,
  test: (ftp: FTP, server: RealServer) => Promise<void>,
  options: ServerTestOptions & { client?: FTPOptions } = {},
): void {
  const { client, needs, ...rest } = options;
  for (const ipv6 of [false, true]) {
    serverTest(
      `${title}, over ${ipv6 ? "IPv6" : "IPv4"}`,
      async (server, context) => {
        for (const passive of [true, false]) {
          await context.step(passive ? "passive" : "active", async () => {
            await using ftp = await logIn(server, { ...client, passive });
            await test(ftp, server);
          });
        }
      },
      {
        ...rest,
        ipv6,
        needs: (features) =>
          (features.ipv6 || !ipv6) && (needs?.(features) ?? true),
      },
    );
  }
}

/**
 * Makes a folder that nothing can be removed from, with a link in it, until it
 * is disposed of.
 */
export async function addReadOnlyLink(
  server: RealServer,
  folder: string,
  target: string,
): Promise<Disposable> {
  await server.mkdir(folder);
  const path = `${server.root}/${folder}`;
  Deno.symlinkSync(target, `${path}/link`);
  Deno.chmodSync(path, 0o555);
  return { [Symbol.dispose]: () => Deno.chmodSync(path, 0o755) };
}
