/** Runs the programs of docs/recipes.md, with the permissions they name. */

import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ON_DISK } from "./memory_folder.ts";
import { LocalFolder } from "./files/local_folder.ts";
import { ScriptedServer } from "./testing/scripted/mod.ts";
import { type RealServer, serverTest } from "./testing/servers/mod.ts";

const ROOT = new URL("../", import.meta.url);

/** A program of the page, and its command line. */
interface Recipe {
  text: string;
  args: readonly string[];
}

/** Reads the programs by the names in their command lines. */
function readRecipes(): Map<string, Recipe> {
  const page = Deno.readTextFileSync(new URL("docs/recipes.md", ROOT));
  const found = page.matchAll(
    /^```ts\n([^]*?)^```\n+ {4}deno (run .* (\w+)\.ts)$/gm,
  );
  return new Map([...found].map(([, text, line, name]) => [
    name!,
    { text: text!, args: line!.split(" ") },
  ]));
}

/** Variables that name the place of Deno's cache, which has the module compiled. */
function placesOfCache(): Record<string, string> {
  const names = ["DENO_DIR", "XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"];
  return Object.fromEntries(names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

/** Servers of the programs: the calls in them are tested with all. */
const SERVERS = { servers: ["vsftpd", "proftpd"] } as const;

/** Where a program is run. */
interface RecipeOptions {
  folder: string;
  /** The URL that replaces that of the program, and its host. */
  url: string;
  host: string;
  /** Arguments of the program. */
  args?: readonly string[];
  env?: Record<string, string>;
}

/** Starts a program with the server's address instead of the example's. */
function spawnRecipe(
  name: string,
  { folder, url, host, args = [], env = {} }: RecipeOptions,
): Deno.ChildProcess {
  const { text, args: line } = readRecipes().get(name)!;
  const program = text
    .replace(/"https:.*\/dist\/ftp\.js"/, `"${new URL("mod.ts", ROOT)}"`)
    .replace(/(?<=connect\(")ftp\w*:\/\/[^"]*/, url);
  Deno.writeTextFileSync(`${folder}/${name}.ts`, program);
  const permissions = line.map((word) =>
    word.replace(/(?<=--allow-net=).*/, host)
  );
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...permissions.slice(0, -1),
      "--no-prompt",
      "--no-lock",
      `${name}.ts`,
      ...args,
    ],
    cwd: folder,
    clearEnv: true,
    env: { NO_COLOR: "1", ...placesOfCache(), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs a program to its end. Returns what it printed. */
async function runRecipe(
  name: string,
  options: RecipeOptions,
): Promise<string> {
  const { code, stdout, stderr } = await spawnRecipe(name, options).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  return decoder.decode(stdout);
}

/** The server's URL with user and password, and its host. */
function addressOf(server: RealServer, path: string) {
  const { host, port, user } = server;
  const password = encodeURIComponent(server.password);
  return { url: `ftp://${user}:${password}@${host}:${port}/${path}`, host };
}

serverTest(
  "docs/recipes.md reads lines, and then removes the file",
  async (server) => {
    using folder = new LocalFolder(ON_DISK);
    await server.write("in/orders.txt", "one\r\ntwo\nthree");
    const options = { folder: folder.path, ...addressOf(server, "in") };
    assertEquals(
      await runRecipe("lines", options),
      "order: one\norder: two\norder: three\n",
    );
    assertEquals([...Deno.readDirSync(`${server.root}/in`)], []);
  },
  SERVERS,
);

serverTest("docs/recipes.md uploads a stream", async (server) => {
  using folder = new LocalFolder(ON_DISK);
  await server.mkdir("in");
  const options = { folder: folder.path, ...addressOf(server, "in") };
  const printed = await runRecipe("stream", options);
  const text = new TextDecoder().decode(await server.read("in/items.csv"));
  assertEquals(text.split("\n").length, 1002);
  assertEquals(printed, `${text.length} bytes, verified by size\n`);
}, SERVERS);

serverTest(
  "docs/recipes.md deploys no more than the dry run showed",
  async (server) => {
    using folder = new LocalFolder(ON_DISK);
    Deno.mkdirSync(`${folder.path}/build`);
    Deno.writeTextFileSync(`${folder.path}/build/index.html`, "new");
    await server.write("htdocs/index.html", "old one");
    await server.write("htdocs/draft.html", "draft");
    const { url, host } = addressOf(server, "htdocs");
    const bare = url.replace(/\/\/.*@/, "//");
    const { text } = readRecipes().get("deploy")!;
    assertStringIncludes(text, 'user: "deploy"');
    const options = {
      folder: folder.path,
      // the user of the URL takes precedence
      url: bare.replace("//", `//${server.user}@`),
      host,
      env: { FTP_PASSWORD: server.password },
    };
    const plan =
      "transfer index.html size\nremove draft.html missing\n1 to transfer, 1 to remove\n";
    const shown = await runRecipe("deploy", options); // no terminal: not confirmed
    assertStringIncludes(shown, plan);
    const read = async (path: string) =>
      new TextDecoder().decode(await server.read(path));
    assertEquals(await read("htdocs/index.html"), "old one");
    assertEquals(
      await runRecipe("deploy", { ...options, args: ["--yes"] }),
      plan,
    );
    assertEquals(await read("htdocs/index.html"), "new");
    assertEquals(
      [...Deno.readDirSync(`${server.root}/htdocs`)].map(({ name }) => name),
      ["index.html"],
    );
  },
  SERVERS,
);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `docs/recipes.md stops on ${signal}, and continues in the next run`,
    ignore: Deno.build.os === "windows",
    async fn() {
      using folder = new LocalFolder(ON_DISK);
      Deno.mkdirSync(`${folder.path}/daily`);
      const content = "0123456789abcdef".repeat(300_000);
      await using server = await ScriptedServer.start({
        files: { "/pub/daily/big.bin": content },
      });
      server.once("RETR", async (turn) => {
        await turn.reply(150, `Here it comes (${content.length} bytes)`);
        const data = await turn.openData();
        await data.write(content.slice(0, 3_000_000));
        await turn.session.peer.closed;
      });
      const { host, port } = server;
      const options = {
        folder: folder.path,
        url: `ftp://${host}:${port}/pub`,
        host,
      };
      const daily = `${folder.path}/daily`;
      using watcher = Deno.watchFs(daily);
      const child = spawnRecipe("interrupt", options);
      for await (const _event of watcher) {
        const [file] = [...Deno.readDirSync(daily)];
        const size = file && Deno.statSync(`${daily}/${file.name}`).size;
        if (size !== undefined && size > 500_000) break;
      }
      child.kill(signal);
      const { code, stderr } = await child.output();
      const said = new TextDecoder().decode(stderr);
      assertEquals([code, said], [
        130,
        "Interrupted. The next run continues.\n",
      ]);
      const [part, ...others] = [...Deno.readDirSync(daily)];
      assertEquals(others, []);
      assert(part!.name.endsWith(".part"), part!.name);
      await runRecipe("interrupt", options);
      assertEquals(server.verbs.includes("REST"), true);
      assertEquals(await Deno.readTextFile(`${daily}/big.bin`), content);
    },
  });
}

Deno.test("docs/testing.md shows a test that passes with its permissions", async () => {
  using folder = new LocalFolder(ON_DISK);
  const page = Deno.readTextFileSync(new URL("docs/testing.md", ROOT));
  const [, text, line] = /^```ts\n([^]*?)^```\n+ {4}deno (test .*)$/m
    .exec(page)!;
  Deno.writeTextFileSync(`${folder.path}/report_test.ts`, text!);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...line!.split(" "),
      "--no-prompt",
      "--no-lock",
      "--no-check",
      `--config=${fileURLToPath(new URL("deno.json", ROOT))}`,
      "report_test.ts",
    ],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stdout);
  assertEquals(code, 0, said + new TextDecoder().decode(stderr));
  assertStringIncludes(said, "1 passed");
});

Deno.test("docs/recipes.md deploys from a job with the same permissions", () => {
  const page = Deno.readTextFileSync(new URL("docs/recipes.md", ROOT));
  const { args } = readRecipes().get("deploy")!;
  const [, line] = /^ +- run: deno (.*)$/m.exec(page)!;
  assertEquals(line!.split(" "), [
    "run",
    "--no-prompt",
    ...args.slice(1),
    "--yes",
  ]);
});

Deno.test("docs/recipes.md has four programs, each with its command line", () => {
  assertEquals([...readRecipes().keys()], [
    "interrupt",
    "lines",
    "stream",
    "deploy",
  ]);
});
