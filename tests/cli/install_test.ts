/** Installs the command line by URL, with the line of the README, and runs it. */

import { X509Certificate } from "node:crypto";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { withTLS } from "../real/tls_client.ts";
import { serveRepository } from "../testing/repository_server.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";
import { certificates } from "../testing/servers/certificates.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { CLI, inFolder, PERMISSIONS, type Run, urlOf } from "./run_cli.ts";

const ROOT = new URL("../../", import.meta.url);

/** Returns the arguments of `deno install` in a page. */
function installLine(page: string): string[] {
  const text = Deno.readTextFileSync(new URL(page, ROOT));
  const [, line] = /^ {4}deno (install .*)$/m.exec(text)!;
  return line!.split(" ");
}

/** Runs Deno, or a program that it installed, with a cache of its own. */
async function run(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> },
): Promise<Run> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { DENO_DIR: `${cwd}/cache`, NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Installs the program with an empty cache, and passes a function that runs it. */
async function withInstalled(
  test: (
    ftp: (args: readonly string[], env?: Record<string, string>) => Promise<
      string
    >,
    cwd: string,
  ) => Promise<void>,
): Promise<void> {
  await inFolder(async (cwd) => {
    await using server = serveRepository();
    const { origin, asked } = server;
    const line = installLine("README.md");
    const url = line.pop()!;
    const { pathname } = new URL(url.replace("OWNER/REPO@TAG/", ""));
    const local = `http://${origin}/${pathname.replace("/gh/", "")}`;
    const installed = await run(
      Deno.execPath(),
      [...line, "--root", cwd, `--allow-import=${origin}`, local],
      { cwd },
    );
    assertEquals(installed.code, 0, installed.stderr);
    const PATH = Deno.execPath().replace(/\/[^/]*$/, "");
    await test(async (args, env) => {
      const program = `${cwd}/bin/ftp`;
      const options = { cwd, env: { PATH: `${PATH}:/usr/bin:/bin`, ...env } };
      const { code, stdout, stderr } = await run(program, args, options);
      assertEquals(code, 0, stderr);
      return stdout;
    }, cwd);
    assertEquals(asked, ["/dist/cli.js"]);
  });
}

serverTest(
  "dist/cli.js is installed and run in one request, with the line of README.md",
  (server) =>
    withInstalled(async (ftp, cwd) => {
      const { host, user, password } = server;
      await server.write("pub/a.txt", "a");
      await server.write("pub/b.txt", "bb");
      const url = urlOf(server);
      const env = { FTP_PASSWORD: password };
      await ftp(["get", "-P", "2", `${url}/pub/*.txt`], env);
      assertEquals(await Deno.readTextFile(`${cwd}/b.txt`), "bb");
      await ftp(["put", "a.txt", `${url}/pub/c.txt`], env);
      const quoted = password.replace(/["\\]/g, "\\$&");
      const netrc = `machine ${host} login ${user} password "${quoted}"\n`;
      await Deno.writeTextFile(`${cwd}/.netrc`, netrc, { mode: 0o600 });
      const anonymous = url.replace(/\w+@/, "");
      const listed = await ftp(["ls", "--netrc", `${anonymous}/pub/`], {
        HOME: cwd,
      });
      assertEquals(listed.trimEnd().split("\n").sort(), [
        "a.txt",
        "b.txt",
        "c.txt",
      ]);
    }),
  // the same sources as cli.ts, which runs with all servers
  { servers: ["pure-ftpd"] },
);

serverTest(
  "dist/cli.js speaks TLS on several connections",
  (server) =>
    withInstalled(async (ftp, cwd) => {
      const { certificate } = (await certificates()).good;
      const { fingerprint256 } = new X509Certificate(
        await Deno.readTextFile(certificate),
      );
      const content = "0123456789".repeat(100_000);
      for (const name of ["a", "b", "c"]) await server.write(name, content);
      const url = urlOf(server, "ftpes");
      await ftp(
        ["get", "-P", "3", "--fingerprint", fingerprint256, `${url}/{a,b,c}`],
        { FTP_PASSWORD: server.password },
      );
      for (const name of ["a", "b", "c"]) {
        assertEquals(await Deno.readTextFile(`${cwd}/${name}`), content);
      }
    }),
  { prepare: withTLS(), servers: ["vsftpd"] },
);

Deno.test("README.md and docs/command_line.md have the same deno install line, with the permissions of the tests", () => {
  const line = installLine("README.md");
  assertEquals(installLine("docs/command_line.md"), line);
  const permissions = line.filter((word) => word.startsWith("--allow"));
  assertEquals(["--no-prompt", ...permissions], PERMISSIONS);
});

Deno.test("cli.ts needs each permission of the deno install line", () =>
  inFolder(async (cwd) => {
    const files = { "/a.txt": "a" };
    await using server = await ScriptedServer.start({ files });
    const { host, port } = server;
    const url = `ftp://${host}:${port}`;
    await Deno.writeTextFile(`${cwd}/b.txt`, "b");
    const netrc = `machine ${host} login ann password netrc\n`;
    await Deno.writeTextFile(`${cwd}/.netrc`, netrc, { mode: 0o600 });
    /** Commands, and the line that the server receives only with the permission. */
    const needing: Record<string, [args: string[], command: string]> = {
      "--allow-net": [["ls", `${url}/`], "USER anonymous"],
      "--allow-read": [["put", "b.txt", `${url}/b.txt`], "USER anonymous"],
      "--allow-write": [["get", `${url}/a.txt`], "RETR a.txt"],
      "--allow-env=FTP_PASSWORD": [
        ["ls", `ftp://ann@${host}:${port}/`],
        "PASS secret",
      ],
      "--allow-sys=homedir": [["ls", "--netrc", `${url}/`], "PASS netrc"],
    };
    const env = { FTP_PASSWORD: "secret", HOME: cwd, USERPROFILE: cwd };
    for (const permission of PERMISSIONS) {
      if (permission === "--no-prompt") continue;
      const [args, command] = needing[permission]!;
      const runWith = async (permissions: readonly string[]) => {
        const before = server.commands.length;
        const { code, stderr } = await run(
          Deno.execPath(),
          ["run", "--no-check", "--no-lock", ...permissions, CLI, ...args],
          { cwd, env },
        );
        return {
          code,
          stderr,
          isSent: server.commands.slice(before).includes(command),
        };
      };
      const all = await runWith(PERMISSIONS);
      assertEquals([all.code, all.isSent], [0, true], all.stderr);
      const rest = PERMISSIONS.filter((other) => other !== permission);
      const { isSent, code, stderr } = await runWith(rest);
      assertEquals(isSent, false, permission);
      assert(code === 0 || code === 5, stderr);
      if (code === 5) assertStringIncludes(stderr, permission.split("=")[0]!);
    }
  }));
