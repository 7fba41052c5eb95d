/** Runs the command line as a process, against a scripted server. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DEAD_PORT } from "../testing/dead_port.ts";
import { ScriptedServer } from "../testing/scripted/mod.ts";
import { eventsOf, inFolder, runCLI, spawnCLI } from "./run_cli.ts";

/** Characters that control a terminal. */
// deno-lint-ignore no-control-regex
const CONTROLS_REGEXP = /[\x00-\x09\x0B-\x1F\x7F-\x9F\u202E]/;

Deno.test("cli.ts replaces control characters that a server sends", () =>
  inFolder(async (cwd) => {
    const evil = "a\x1b[2J\x9b31m\u202Egpj.exe";
    await using server = await ScriptedServer.start({
      files: { [`/${evil}`]: "text\x1b]0;title\x07\n" },
    });
    server.on("CONNECT", "220 hello \x1b[31mred");
    const url = `ftp://${server.host}:${server.port}`;
    const runs = [
      await runCLI(["ls", "-v", `${url}/`], { cwd }),
      await runCLI(["ls", "-l", `${url}/`], { cwd }),
      await runCLI(["ls", "--json", "-v", `${url}/`], { cwd }),
      await runCLI(["get", `${url}/*`], { cwd }),
      await runCLI(["get", `${url}/no%1B%5B31mne`], { cwd }),
      await runCLI(["sync", "-v", "--dry-run", `${url}/`, "here"], { cwd }),
    ];
    for (const { stdout, stderr } of runs) {
      assertEquals(CONTROLS_REGEXP.exec(stdout), null);
      assertEquals(CONTROLS_REGEXP.exec(stderr), null);
    }
    assertEquals(runs.map(({ code }) => code), [0, 0, 0, 0, 2, 0]);
    const entry = eventsOf(runs[2]!).find(({ event }) => event === "entry");
    assertEquals(entry?.name, evil, "JSON keeps the name itself");
  }));

Deno.test("cli.ts writes no file outside of the directory, whatever names a server sends", () =>
  inFolder(async (cwd) => {
    await Deno.mkdir(`${cwd}/in`);
    await using server = await ScriptedServer.start();
    server.on("MLSD", async (turn) => {
      await turn.reply(150, "Here they come");
      const data = await turn.openData();
      for (const name of ["../up.txt", "/tmp/abs.txt", "..", "good.txt"]) {
        await data.write(`type=file;size=1;modify=20240229120000; ${name}\r\n`);
      }
      data.close();
      await data.closed;
      await turn.reply(226, "Done");
    });
    for (const name of ["/good.txt", "/up.txt"]) server.put(name, "x");
    const url = `ftp://${server.host}:${server.port}/*.txt`;
    const run = await runCLI(["get", url], { cwd: `${cwd}/in` });
    assertEquals(run.code, 0, run.stderr);
    assertEquals([...Deno.readDirSync(cwd)].map(({ name }) => name), ["in"]);
    assertEquals(
      [...Deno.readDirSync(`${cwd}/in`)].map(({ name }) => name),
      ["good.txt"],
    );
  }));

Deno.test("cli.ts exits with 1 for an invalid command line, before anything is sent", () =>
  inFolder(async (cwd) => {
    await using server = await ScriptedServer.start();
    const url = `ftp://${server.host}:${server.port}`;
    await Deno.writeTextFile(`${cwd}/a.txt`, "a");
    const lines: readonly (readonly [string, string[]])[] = [
      ["Usage: ftp COMMAND", []],
      ['Unknown command "fetch"', ["fetch", url]],
      ["Arguments are missing", ["get"]],
      ["Unknown option '--recurse'", ["ls", "--recurse", url]],
      ["with the scheme ftp:", ["ls", "https://example.com/"]],
      ["Cannot get the directory", ["get", `${url}/pub/`]],
      ["-P 0", ["get", "-P", "0", `${url}/a`]],
      ["limit-rate", ["get", "--limit-rate", "fast", `${url}/a`]],
      ["--segments", ["get", "--segments", "65", `${url}/a`]],
      ["the same local name", ["get", `${url}/d/a`, `${url}/e/a`]],
      ["the same local name", ["get", `${url}/a`, "ftp://127.0.0.1:1/a"]],
      ["fingerprint", ["get", "--fingerprint", "12:34", `${url}/a`]],
      ["end the URL with a slash", ["put", "a.txt", "a.txt", `${url}/x`]],
      ["one argument must be a URL", ["sync", cwd, cwd]],
      ["one argument must be a URL", ["sync", url, url]],
      ["without --delete", ["sync", url, "x", "--max-delete", "3"]],
      ["--preview needs a terminal", ["sync", url, "x", "--preview"]],
      ["give the path of a file or directory", ["rm", "-r", `${url}/`]],
      ["give the path of a file or directory", ["rm", "-r", `${url}//`]],
      ["give the path of a file or directory", ["rm", "-r", `${url}/a/..`]],
      ["give the path of a file or directory", ["mv", `${url}/a/.`, "b"]],
      ["write %23 for this character", ["rm", `${url}/report#3.txt`]],
      ["write %23 for this character", ["put", "a.txt", `${url}/a#1`]],
      ["Cannot use --active with --pasv", ["ls", "--active", "--pasv", url]],
      ["a whole number or a percentage", [
        "sync",
        "--delete",
        "--max-delete",
        "x",
        cwd,
        url,
      ]],
      ["Cannot move to another server", [
        "mv",
        `${url}/a`,
        "ftp://127.0.0.1:1/b",
      ]],
    ];
    const runs = await Promise.all(
      lines.map(([, args]) => runCLI(args, { cwd })),
    );
    for (const [index, { code, stdout, stderr }] of runs.entries()) {
      const [words] = lines[index]!;
      assertEquals([code, stdout], [1, ""], stderr);
      const said = words === "-P 0" ? "--connections" : words;
      assertStringIncludes(stderr, said);
    }
    assertEquals(server.sessions.length, 0);
  }));

Deno.test("cli.ts get replaces no file of one server by that of another", () =>
  inFolder(async (cwd) => {
    await using first = await ScriptedServer.start({ files: { "/a": "1" } });
    await using second = await ScriptedServer.start({ files: { "/a": "2" } });
    const [one, two] = [first, second].map(({ host, port }) =>
      `ftp://${host}:${port}`
    );
    const args = ["get", "--remove-source", `${one}/a`, `${two}/*`];
    const { code, stderr } = await runCLI(args, { cwd });
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, "the same local name");
    assertEquals(await Deno.readTextFile(`${cwd}/a`), "1");
    assertEquals([...second.files.keys()], ["/a"]);
  }));

Deno.test("cli.ts exits with 2 for a refusal, 3 for a network error, 5 for a local error", () =>
  inFolder(async (cwd) => {
    await using server = await ScriptedServer.start();
    server.on("PASS", "530 Login incorrect");
    const url = `ftp://ann@${server.host}:${server.port}`;
    const cases = await Promise.all([
      runCLI(["ls", `${url}/`], { password: "wrong" }),
      runCLI(["ls", `ftp://127.0.0.1:${DEAD_PORT}/`]),
      runCLI(["ls", "ftp://does-not-exist.invalid/"]),
      runCLI(["put", "missing.txt", `${url}/`], { cwd }),
      runCLI(["sync", "missing", `${url}/`], { cwd }),
      runCLI(["ls", "--cacert", "missing.pem", `${url}/`], { cwd }),
    ]);
    assertEquals(cases.map(({ code }) => code), [2, 3, 3, 5, 5, 5]);
    assertStringIncludes(cases[5]!.stderr, 'Cannot read "missing.pem"');
    assertStringIncludes(cases[4]!.stderr, "there is no such directory");
    for (const { stderr } of cases) {
      assertEquals(stderr.includes("    at "), false, stderr);
      assertEquals(stderr.includes("wrong"), false, stderr);
    }
  }));

Deno.test("cli.ts takes the password from the environment, standard input and .netrc, in this order", () =>
  inFolder(async (cwd) => {
    await using server = await ScriptedServer.start();
    const { host, port } = server;
    await Deno.writeTextFile(
      `${cwd}/netrc`,
      `machine ${host} login ann password "from netrc"\n`,
    );
    const url = `ftp://ann@${host}:${port}/`;
    const netrc = ["--netrc-file", "netrc"];
    const run = async (args: string[], password?: string, stdin?: string) => {
      const before = server.commands.length;
      const { code, stderr } = await runCLI(["ls", ...args], {
        cwd,
        password,
        ...(stdin === undefined ? {} : { stdin }),
      });
      assertEquals(code, 0, stderr);
      return server.commands.slice(before).filter((line) =>
        /^(USER|PASS)/.test(line)
      );
    };
    assertEquals(await run([url], "from env"), ["USER ann", "PASS from env"]);
    assertEquals(
      await run([url, "--password-stdin"], "from env", "from stdin\r\nrest"),
      ["USER ann", "PASS from stdin"],
    );
    assertEquals(await run([url, ...netrc]), ["USER ann", "PASS from netrc"]);
    assertEquals(await run([url.replace("ann@", ""), ...netrc]), [
      "USER ann",
      "PASS from netrc",
    ]);
    // the password is not sent for an anonymous user
    const [user, pass] = await run([url.replace("ann@", "")], "from env");
    assertEquals(user, "USER anonymous");
    assertEquals(pass?.includes("from env"), false);
  }));

Deno.test("cli.ts exits with 0 and prints no error when its output is closed", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 3000 }, (_, i) => [`/pub/${"n".repeat(60)}${i}`, "x"]),
  );
  files["/big"] = "x".repeat(8_000_000);
  await using server = await ScriptedServer.start({ files });
  const url = `ftp://${server.host}:${server.port}`;
  for (const args of [["ls", "-l", `${url}/pub/`], ["cat", `${url}/big`]]) {
    const child = spawnCLI(args);
    const reader = child.stdout.getReader();
    assert((await reader.read()).value!.length > 0);
    await reader.cancel();
    const decoder = new TextDecoder();
    const [{ code }, said] = await Promise.all([
      child.status,
      Array.fromAsync(child.stderr, (bytes) => decoder.decode(bytes)),
    ]);
    assertEquals([code, said], [0, []], args[0]);
  }
});

Deno.test("cli.ts get keeps an unfinished file on Ctrl-C, and the same command completes it", () =>
  inFolder(async (cwd) => {
    const content = "0123456789abcdef".repeat(300_000);
    await using server = await ScriptedServer.start({
      files: { "/big.bin": content },
    });
    server.once("RETR", async (turn) => {
      await turn.reply(150, `Here it comes (${content.length} bytes)`);
      const data = await turn.openData();
      await data.write(content.slice(0, 3_000_000));
      await turn.session.peer.closed;
    });
    const url = `ftp://${server.host}:${server.port}/big.bin`;
    const child = spawnCLI(["get", url], { cwd });
    await server.received("RETR");
    while (!partOf(cwd)) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    assertEquals(code, 130);
    const said = new TextDecoder().decode(stderr);
    assertStringIncludes(said, "unfinished files are kept");
    const part = partOf(cwd)!;
    assert(part.size > 64 * 1024, `${part.size}`);
    const before = server.commands.length;
    const again = await runCLI(["get", "-c", url], { cwd });
    assertEquals(again.code, 0, again.stderr);
    const rest = server.commands.slice(before).find((line) =>
      line.startsWith("REST")
    );
    assertEquals(rest, `REST ${part.size - 64 * 1024}`);
    assertEquals(await Deno.readTextFile(`${cwd}/big.bin`), content);
    assertEquals([...Deno.readDirSync(cwd)].map(({ name }) => name), [
      "big.bin",
    ]);
  }));

/** The part of a download that has some bytes. */
function partOf(folder: string): { name: string; size: number } | undefined {
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith(".part")) continue;
    const { size } = Deno.statSync(`${folder}/${name}`);
    if (size > 500_000) return { name, size };
  }
  return undefined;
}

Deno.test("cli.ts --help shows the examples of every command", async () => {
  const { stdout } = await runCLI(["--help"]);
  const names = [...stdout.matchAll(/^ {2}(\w+) {2,}\w/gm)].map(([, name]) =>
    name!
  ).filter((name) => !/^\d/.test(name));
  assert(names.length >= 9, stdout);
  const runs = await Promise.all(
    names.map((name) => runCLI([name, "--help"])),
  );
  for (const [index, { code, stdout, stderr }] of runs.entries()) {
    assertEquals(code, 0, stderr);
    const examples = stdout.split("Examples:\n")[1] ?? "";
    assertStringIncludes(examples, `  ftp ${names[index]} `);
    const widest = Math.max(
      ...stdout.split("Examples:")[0]!.split("\n").map((line) => line.length),
    );
    assert(widest <= 80, stdout);
  }
});

Deno.test("cli.ts sync --max-delete removes nothing if more would be removed", () =>
  inFolder(async (cwd) => {
    await Deno.mkdir(`${cwd}/site`);
    await Deno.writeTextFile(`${cwd}/site/a.txt`, "a");
    const files = { "/www/b.txt": "b", "/www/c.txt": "c" };
    await using server = await ScriptedServer.start({ files });
    const url = `ftp://${server.host}:${server.port}/www`;
    const args = ["sync", "site", url, "--delete", "--max-delete"];
    for (const limit of ["1", "10%"]) {
      const { code, stderr } = await runCLI([...args, limit], { cwd });
      assertEquals(code, 4, stderr);
      assertStringIncludes(stderr, "--max-delete is ");
      assertEquals(server.files.has("/www/c.txt"), true);
    }
    const { code, stderr } = await runCLI([...args, "2"], { cwd });
    assertEquals(code, 0, stderr);
    assertEquals([...server.files.keys()], ["/www/a.txt"]);
  }));

Deno.test("cli.ts sync accepts -P auto, and get rejects it", () =>
  inFolder(async (cwd) => {
    const names = Array.from({ length: 64 }, (_, n) => `file_${n}.bin`);
    const content = "0123456789".repeat(10_000);
    const files = Object.fromEntries(
      names.map((name) => [`/pub/${name}`, content]),
    );
    await using server = await ScriptedServer.start({ files });
    const url = `ftp://${server.host}:${server.port}/pub/`;
    const args = ["sync", "-P", "auto", url, "here"];
    const { code, stderr } = await runCLI(args, { cwd });
    assertEquals(code, 0, stderr);
    for (const name of names) {
      assertEquals(await Deno.readTextFile(`${cwd}/here/${name}`), content);
    }
    const got = await runCLI(["get", "-P", "auto", `${url}a`], { cwd });
    assertEquals(got.code, 1);
    assertStringIncludes(got.stderr, "--connections");
  }));

Deno.test("cli.ts connects through the proxy of --proxy", () =>
  inFolder(async (cwd) => {
    await using server = await ScriptedServer.start({ files: { "/a": "a" } });
    const proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const asked: string[] = [];
    const serving = (async () => {
      for await (const conn of proxy) {
        const buffer = new Uint8Array(1024);
        const n = await conn.read(buffer);
        asked.push(new TextDecoder().decode(buffer.subarray(0, n ?? 0)));
        await conn.write(
          new TextEncoder().encode("HTTP/1.1 403 Forbidden\r\n\r\n"),
        );
        conn.close();
      }
    })();
    const { code, stderr } = await runCLI([
      "ls",
      `ftp://${server.host}:${server.port}/`,
      "--proxy",
      `http://127.0.0.1:${proxy.addr.port}`,
    ], { cwd });
    proxy.close();
    await serving;
    assertEquals(code, 3, stderr);
    assertStringIncludes(asked[0]!, `CONNECT ${server.host}:${server.port} `);
    assertEquals(server.sessions.length, 0);
  }));

Deno.test("cli.ts get and sync --remove-source move files here", () =>
  inFolder(async (cwd) => {
    await using server = await ScriptedServer.start({
      files: { "/in/a": "a", "/in/b": "b", "/in/c": "c" },
    });
    const url = `ftp://${server.host}:${server.port}/in/`;
    const move = ["--remove-source"];
    const get = await runCLI(["get", ...move, `${url}a`], { cwd });
    assertEquals(get.code, 0, get.stderr);
    assertEquals([...server.files.keys()], ["/in/b", "/in/c"]);
    const sync = await runCLI(["sync", ...move, url, "in"], { cwd });
    assertEquals(sync.code, 0, sync.stderr);
    assertEquals([...server.files.keys()], []);
    const here = ["a", "in/b", "in/c"].map((path) =>
      Deno.readTextFileSync(`${cwd}/${path}`)
    );
    assertEquals(here, ["a", "b", "c"]);
    const up = await runCLI(["sync", ...move, "in", url], { cwd });
    assertEquals(up.code, 1);
    assertStringIncludes(up.stderr, "Cannot use --remove-source");
  }));

Deno.test("cli.ts --version prints the version of the package", async () => {
  const { version } = JSON.parse(
    Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)),
  );
  const { code, stdout } = await runCLI(["--version"]);
  assertEquals([code, stdout], [
    0,
    `ftp ${version} (Deno ${Deno.version.deno})\n`,
  ]);
});
