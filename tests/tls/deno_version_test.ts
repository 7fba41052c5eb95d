import { assertEquals, assertThrows } from "@std/assert";
import { checkDenoVersion } from "../../lib/tls/deno_version.ts";
import { FTP } from "../../mod.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";

Deno.test("checkDenoVersion tells which Deno FTPS needs", () => {
  for (const version of ["2.9.0", "2.9.6", "2.10.0", "3.0.0", "2.9.0-rc.1"]) {
    checkDenoVersion(version);
  }
  for (const version of ["2.8.3", "2.3.7", "1.46.3", "2.0.0"]) {
    assertThrows(
      () => checkDenoVersion(version),
      Deno.errors.NotSupported,
      `Cannot use TLS with Deno ${version}: FTPS needs Deno 2.9 or later`,
    );
  }
});

Deno.test("FTP.login sends no AUTH where Deno is too old for TLS", async () => {
  await using server = await ScriptedServer.start();
  await using ftp = new FTP({ tls: "explicit", timeout: 2000 });
  await ftp.connect(server.host, server.port);
  const { version } = Deno;
  Object.defineProperty(Deno, "version", {
    value: { ...version, deno: "2.8.3" },
    configurable: true,
    writable: true,
  });
  let error: unknown;
  try {
    await ftp.login("user", "secret").catch((reason) => error = reason);
  } finally {
    Object.defineProperty(Deno, "version", {
      value: version,
      configurable: true,
      writable: true,
    });
  }
  assertEquals(error instanceof Deno.errors.NotSupported, true, `${error}`);
  assertEquals(server.commands, []);
});
