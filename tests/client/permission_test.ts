import { assertEquals, assertStringIncludes } from "@std/assert";
import { ON_DISK } from "../memory_folder.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";

const CLIENT = new URL("permission_client.ts", import.meta.url);

/** Runs permission_client.ts with some permissions; returns its output. */
async function runClient(
  allowed: readonly string[],
  ...args: (string | number)[]
): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--no-prompt",
      ...allowed,
      CLIENT.pathname,
      ...args.map(String),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

for (const allowed of ["localhost", "127.0.0.1,localhost"]) {
  Deno.test(`FTP dials data connections with --allow-net=${allowed}`, async () => {
    await using server = await ScriptedServer.start({
      files: { "/a": "hello" },
    });
    const said = await runClient(
      [`--allow-net=${allowed}`],
      "connect",
      "localhost",
      server.port,
    );
    assertEquals(said, "a hello\n");
  });
}

for (const host of ["localhost", "127.0.0.1"]) {
  Deno.test(`FTP says what to allow where only a port of ${host} is allowed`, async () => {
    await using server = await ScriptedServer.start({
      files: { "/a": "hello" },
    });
    const allowed = `${host}:${server.port}`;
    const said = await runClient(
      [`--allow-net=${allowed}`],
      "connect",
      host,
      server.port,
    );
    assertStringIncludes(said, 'NotCapable: Cannot connect to "127.0.0.1:');
    assertStringIncludes(
      said,
      `a server chooses the ports of its data connections: allow the host without a port, --allow-net=${host}\n`,
    );
    assertEquals(server.verbs.filter((verb) => verb === "PASV"), []);
  });
}

Deno.test("dialPeer takes no other address that the name leads to", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const accepted = listener.accept();
  const said = await runClient(
    ["--allow-net=localhost"],
    "dialPeer",
    "localhost",
    port,
  );
  assertEquals(
    said,
    `NotCapable: Cannot connect to "127.0.0.2:${port}": only the name "localhost" is allowed, and it led to "127.0.0.1"; allow the address too, --allow-net=localhost,127.0.0.2\n`,
  );
  (await accepted).close();
});

Deno.test("FTP.download keeps a file's mode with --allow-read and --allow-write for its folder", async () => {
  await using server = await ScriptedServer.start({ files: { "/a": "hello" } });
  const folder = Deno.makeTempDirSync({
    ...ON_DISK,
    prefix: "ftp_permissions_",
  });
  try {
    for (const kind of ["atomic", "resume", "in place"]) {
      const path = `${folder}/${kind}`;
      Deno.writeTextFileSync(path, "old");
      Deno.chmodSync(path, 0o666);
      const said = await runClient(
        [
          "--allow-net=localhost",
          `--allow-read=${folder}`,
          `--allow-write=${folder}`,
        ],
        "download",
        "localhost",
        server.port,
        path,
        kind,
      );
      assertEquals(said, "size\n");
      assertEquals(Deno.readTextFileSync(path), "hello");
      assertEquals(Deno.statSync(path).mode! & 0o777, 0o666);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
