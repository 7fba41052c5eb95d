import { assertEquals, assertThrows } from "@std/assert";
import { checkDenoVersion } from "../../lib/tls/deno_version.ts";
import { FTP } from "../../mod.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";

Deno.test("checkDenoVersion tells which Deno FTPS needs", () => {
  for (const version of ["2.9.0", "2.9.6", "2.10.0", "3.0.0", "2.9.0-rc.1"]) {
    checkDenoVersion("FTPS", version);
  }
  for (const version of ["2.8.3", "2.3.7", "1.46.3", "2.0.0"]) {
    assertThrows(
      () => checkDenoVersion("FTPS", version),
      Deno.errors.NotSupported,
      `Cannot use TLS with Deno ${version}: FTPS needs Deno 2.9 or later`,
    );
  }
});

Deno.test("FTP.login sends no AUTH where Deno is too old for TLS", async () => {
  await using server = await ScriptedServer.start();
  await using ftp = new FTP({ tls: "explicit", timeout: 2000 });
  await ftp.connect(server.host, server.port);
  const error = await asIn("2.8.3", () => ftp.login("user", "secret"));
  assertEquals(error instanceof Deno.errors.NotSupported, true, `${error}`);
  assertEquals(server.commands, []);
});

Deno.test("checkDenoVersion tells which Deno FTP needs", () => {
  for (const version of ["2.3.6", "2.3.7", "2.9.0", "3.0.0"]) {
    checkDenoVersion("FTP", version);
  }
  assertThrows(
    () => checkDenoVersion("FTP", "2.2.12"),
    Deno.errors.NotSupported,
    'Cannot use FTP with Deno 2.2.12: FTP needs Deno 2.3 or later; upgrade Deno ("deno upgrade")',
  );
});

Deno.test("FTP.connect dials nothing where Deno is too old for FTP", async () => {
  await using server = await ScriptedServer.start();
  await using ftp = new FTP({ timeout: 2000 });
  const error = await asIn(
    "2.2.12",
    () => ftp.connect(server.host, server.port),
  );
  assertEquals(error instanceof Deno.errors.NotSupported, true, `${error}`);
  assertEquals(server.sessions.length, 0);
});

/** Calls as in another version of Deno, and returns the error. */
async function asIn(
  deno: string,
  call: () => Promise<unknown>,
): Promise<unknown> {
  const { version } = Deno;
  const define = (value: typeof version) =>
    Object.defineProperty(Deno, "version", {
      value,
      configurable: true,
      writable: true,
    });
  define({ ...version, deno });
  try {
    return await call().then(() => undefined, (error) => error);
  } finally {
    define(version);
  }
}
