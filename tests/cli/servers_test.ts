/** Runs the commands as processes, against the real servers. */

import { X509Certificate } from "node:crypto";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { withTLS } from "../real/tls_client.ts";
import { issue } from "../testing/servers/certificates.ts";
import { DEAD_PORT } from "../testing/dead_port.ts";
import { serverTest } from "../testing/servers/mod.ts";
import { eventsOf, inFolder, runCLI, spawnCLI, urlOf } from "./run_cli.ts";

serverTest(
  "cli.ts get downloads matching files, several at once",
  (server) =>
    inFolder(async (cwd) => {
      const { password } = server;
      await server.write("pub/a.csv.gz", "aaa");
      await server.write("pub/b.csv.gz", "bb");
      await server.write("pub/we[1].csv", "one");
      await server.write("pub/c.txt", "c");
      const url = urlOf(server);
      const globs = await runCLI(
        [
          "get",
          "-P",
          "2",
          "-o",
          "out/",
          `${url}/pub/*.csv.gz`,
          `${url}/pub/{c,d}.txt`,
        ],
        { cwd, password },
      );
      assertEquals(globs.code, 0, globs.stderr);
      assertEquals(globs.stdout.trimEnd().split("\n").sort(), [
        "pub/a.csv.gz -> out/a.csv.gz: 3 bytes, verified by size",
        "pub/b.csv.gz -> out/b.csv.gz: 2 bytes, verified by size",
        "pub/c.txt -> out/c.txt: 1 bytes, verified by size",
      ]);
      assertEquals(await Deno.readTextFile(`${cwd}/out/b.csv.gz`), "bb");
      // escaped, and told to be no pattern, a name is itself
      for (const args of [["/pub/we%5B1%5D.csv"], ["/pub/we[1].csv", "-g"]]) {
        const [path, ...flags] = args;
        const run = await runCLI(
          ["get", "--json", url + path, ...flags],
          { cwd, password },
        );
        assertEquals(run.code, 0, run.stderr);
        const [{ event, local, size, verified } = {}] = eventsOf(run);
        assertEquals([event, local, size, verified], [
          "get",
          "we[1].csv",
          3,
          "size",
        ]);
      }
    }),
);

serverTest(
  "cli.ts get downloads what it can, and prints what failed",
  (server) =>
    inFolder(async (cwd) => {
      await server.write("pub/a.txt", "a");
      const url = urlOf(server);
      const args = ["get", `${url}/pub/none.txt`, `${url}/pub/a.txt`];
      const run = await runCLI(args, { cwd, password: server.password });
      assertEquals(run.code, 4, run.stderr);
      assertStringIncludes(run.stderr, "ftp: pub/none.txt: ");
      assertStringIncludes(run.stderr, "ftp: 1 of 2 failed");
      assertEquals(await Deno.readTextFile(`${cwd}/a.txt`), "a");
      const alone = await runCLI(args.slice(0, 2), {
        cwd,
        password: server.password,
      });
      assertEquals(alone.code, 2, alone.stderr);
      assertEquals([...Deno.readDirSync(cwd)].length, 1);
    }),
);

serverTest(
  "cli.ts put, ls, cat, mv, hash, mkdir and rm change and show the server",
  (server) =>
    inFolder(async (cwd) => {
      const { password } = server;
      const url = urlOf(server);
      await Deno.writeTextFile(`${cwd}/a.txt`, "first\nline\n");
      await Deno.writeTextFile(`${cwd}/b.txt`, "second\n");
      const run = async (args: string[], stdin?: string) => {
        const done = await runCLI(args, {
          cwd,
          password,
          ...(stdin === undefined ? {} : { stdin }),
        });
        assertEquals(done.code, 0, `${args.join(" ")}: ${done.stderr}`);
        return done.stdout;
      };
      assertEquals(
        await run(["mkdir", `${url}/in/2026/11/`]),
        "created in/2026/11\n",
      );
      assertEquals(
        await run(["mkdir", `${url}/in/2026/11/`]),
        "exists in/2026/11\n",
      );
      await run(["put", "a.txt", "b.txt", `${url}/in/2026/`]);
      await run(["put", "-", `${url}/in/2026/stdin.txt`], "from a pipe");
      assertEquals(
        (await run(["ls", `${url}/in/2026`])).trimEnd().split("\n").sort(),
        ["11", "a.txt", "b.txt", "stdin.txt"],
      );
      assertEquals(
        (await run(["ls", "-l", `${url}/in/2026/stdin.txt`])).match(
          /^-.* +11 .*in\/2026\/stdin\.txt\n$/,
        )?.length,
        1,
      );
      assertEquals(
        await run(["cat", `${url}/in/2026/{a,b}.txt`]),
        "first\nline\nsecond\n",
      );
      await run(["mv", `${url}/in/2026/a.txt`, "c.txt"]);
      await run(["mv", `${url}/in/2026/b.txt`, "11/"]);
      const taken = await runCLI(
        ["mv", `${url}/in/2026/stdin.txt`, "c.txt"],
        { cwd, password },
      );
      assertEquals(taken.code, 2, taken.stdout);
      assertStringIncludes(taken.stderr, "it exists");
      assertEquals(
        (await run(["ls", "-r", `${url}/in`])).trimEnd().split("\n").sort(),
        [
          "in/2026",
          "in/2026/11",
          "in/2026/11/b.txt",
          "in/2026/c.txt",
          "in/2026/stdin.txt",
        ],
      );
      assertEquals(
        await run(["hash", "--read", `${url}/in/2026/stdin.txt`]),
        "467908f756ebc7a9d18673d77aab2188e41977e67a53f02802c58d1abfcf45ac  in/2026/stdin.txt\n",
      );
      for (const path of ["in/..", "in/2026/../..", "in/.", "in/2026/./"]) {
        const args = ["rm", "-r", `${url}/${path}`];
        const { code, stderr } = await runCLI(args, { cwd, password });
        assertEquals(code, 1, stderr);
        assertStringIncludes(stderr, "give the path of a file or directory");
      }
      const missing = await runCLI(
        ["mv", "--dry-run", `${url}/in/none`, "x"],
        { cwd, password },
      );
      assertEquals([missing.code, missing.stdout], [2, ""], missing.stderr);
      const dry = await run(["rm", "-r", "--dry-run", `${url}/in/2026`]);
      assertEquals(dry.trimEnd().split("\n").length, 5, dry);
      assert((await server.read("in/2026/c.txt")).length > 0);
      await run(["rm", `${url}/in/2026/*.txt`]);
      await run(["rm", "-r", `${url}/in`]);
      assertEquals([...Deno.readDirSync(server.root)], []);
    }),
);

serverTest(
  "cli.ts ls, cat and hash process what they can, and print what failed",
  (server) =>
    inFolder(async (cwd) => {
      const { password } = server;
      await server.write("pub/a.txt", "a");
      await server.write("pub/b.txt", "b");
      const url = urlOf(server);
      const paths = [`${url}/pub/a.txt`, `${url}/no`, `${url}/pub/b*`];
      const shown: [args: string[], stdout: string[]][] = [
        [["ls"], ["pub/a.txt", "pub/b.txt"]],
        [["cat"], ["ab"]],
        [["hash", "--read"], [
          "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  pub/a.txt",
          "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  pub/b.txt",
        ]],
      ];
      for (const [args, lines] of shown) {
        const run = await runCLI([...args, ...paths], { cwd, password });
        assertEquals(run.code, 4, run.stderr);
        assertStringIncludes(run.stderr, "ftp: 1 of 3 failed");
        if (args[0] === "hash" && server.name !== "vsftpd") continue;
        assertEquals(run.stdout.trimEnd().split("\n"), lines);
      }
      const down = `ftp://127.0.0.1:${DEAD_PORT}/a`;
      const run = await runCLI(["get", paths[0]!, down], { cwd, password });
      assertEquals(run.code, 4, run.stderr);
      assertStringIncludes(run.stderr, "ftp: 1 of 2 failed");
      assertEquals(await Deno.readTextFile(`${cwd}/a.txt`), "a");
      const listing = await runCLI(["ls", "--json", `${url}/pub/`], {
        cwd,
        password,
      });
      assertEquals(eventsOf(listing).map(({ path }) => path).sort(), [
        "pub/a.txt",
        "pub/b.txt",
      ]);
    }),
);

serverTest(
  "cli.ts put keeps an unfinished file on Ctrl-C, and the same command completes it",
  (server) =>
    inFolder(async (cwd) => {
      const { password } = server;
      const content = new Uint8Array(8_000_000).map((_, i) => i % 251);
      await Deno.writeFile(`${cwd}/big.bin`, content);
      await server.mkdir("in");
      const folder = `${server.root}/in`;
      using watcher = Deno.watchFs(folder);
      const args = ["put", "big.bin", `${urlOf(server)}/in/`];
      const child = spawnCLI([...args, "--limit-rate", "2M"], {
        cwd,
        password,
      });
      for await (const _event of watcher) {
        const [file] = [...Deno.readDirSync(folder)];
        const size = file && Deno.statSync(`${folder}/${file.name}`).size;
        if (size !== undefined && size > 500_000) break;
      }
      child.kill("SIGINT");
      const { code, stderr } = await child.output();
      const said = new TextDecoder().decode(stderr);
      assertEquals(code, 130, said);
      assertStringIncludes(said, "unfinished files are kept");
      const names = () => [...Deno.readDirSync(folder)].map(({ name }) => name);
      assertEquals(names().length, 1);
      assertEquals(names()[0]!.endsWith(".part"), true, names()[0]);
      const again = await runCLI([...args, "-v"], { cwd, password });
      assertEquals(again.code, 0, again.stderr);
      assert(/^> (REST [1-9]|APPE )/m.test(again.stderr), again.stderr);
      assertEquals(names(), ["big.bin"]);
      assertEquals(await server.read("in/big.bin"), content);
    }),
);

serverTest(
  "cli.ts --active and --pasv choose the data connections, --encoding the names",
  async (server) => {
    const { password } = server;
    await server.write("in/a.txt", "a");
    const url = `${urlOf(server)}/in/`;
    const cases: [args: string[], sent: RegExp, unsent: RegExp][] = [
      [["--active"], /^> (EPRT|PORT) /m, /^> (EPSV|PASV)/m],
      [["--pasv", "--encoding", "latin-1"], /^> PASV/m, /^> (EPSV|OPTS UTF8)/m],
    ];
    for (const [flags, sent, unsent] of cases) {
      const args = ["ls", "-v", ...flags, url];
      const { code, stdout, stderr } = await runCLI(args, { password });
      assertEquals([code, stdout], [0, "a.txt\n"], stderr);
      assertEquals(
        [sent.test(stderr), unsent.test(stderr)],
        [true, false],
        stderr,
      );
    }
  },
);

serverTest(
  "cli.ts advises options of the command line, not of the library",
  (server) =>
    inFolder(async (cwd) => {
      const { password } = server;
      await server.write("in/a.txt", "a");
      await Deno.writeTextFile(`${cwd}/b.txt`, "b");
      await Deno.mkdir(`${cwd}/one`);
      await Deno.writeTextFile(`${cwd}/one/c.txt`, "c");
      const url = urlOf(server);
      const cases: [args: string[], advice: string][] = [
        [["put", "b.txt", `${url}/no/b.txt`], "--create-dirs"],
        [["rm", `${url}/in`], "-r removes a directory"],
        [
          ["sync", "one", `${url}/in`, "--delete", "--max-delete", "0"],
          "--max-delete is 0",
        ],
        [["ls", `${url.replace("ftp:", "ftpes:")}/`], "ftps:// (port 990)"],
      ];
      for (const [args, advice] of cases) {
        const { code, stderr } = await runCLI(args, { cwd, password });
        assert(code === 2 || code === 4, stderr);
        assertStringIncludes(stderr, advice);
        assertEquals(stderr.split(advice).length, 2, stderr);
      }
    }),
  { servers: ["vsftpd", "pure-ftpd"] },
);

serverTest(
  "cli.ts sync transfers a tree in both directions, and then only what has changed",
  (server) =>
    inFolder(async (cwd) => {
      const { password } = server;
      await server.write("tree/a.txt", "first");
      await server.write("tree/deep/er/ b.txt", "second");
      await server.write("tree/keep.tmp", "theirs");
      const url = `${urlOf(server)}/tree`;
      const sync = async (...args: string[]) => {
        const run = await runCLI(
          ["sync", ...args, "--exclude", "*.tmp"],
          { cwd, password },
        );
        assertEquals(run.code, 0, run.stderr);
        return run.stdout.trimEnd().split("\n").at(-1);
      };
      assertEquals(
        await sync(url, "here"),
        "2 transferred (11 bytes), 0 unchanged, 0 removed, 2 directories created",
      );
      assertEquals(
        await Deno.readTextFile(`${cwd}/here/deep/er/ b.txt`),
        "second",
      );
      await Deno.writeTextFile(`${cwd}/here/a.txt`, "changed");
      await Deno.remove(`${cwd}/here/deep`, { recursive: true });
      // with a filter a directory goes with its entries, each by itself
      const done = "1 transferred (7 bytes), 0 unchanged, 3 removed";
      assertEquals(
        await sync("here", url, "--delete", "--dry-run"),
        `Dry run: ${done}`,
      );
      assertEquals(
        new TextDecoder().decode(await server.read("tree/a.txt")),
        "first",
      );
      assertEquals(await sync("here", url, "--delete", "-P", "2"), done);
      assertEquals(
        new TextDecoder().decode(await server.read("tree/a.txt")),
        "changed",
      );
      assertEquals(
        new TextDecoder().decode(await server.read("tree/keep.tmp")),
        "theirs",
      );
    }),
);

serverTest(
  "cli.ts trusts only the certificate of --fingerprint",
  (server) =>
    inFolder(async (cwd) => {
      await server.write("a.txt", "over TLS");
      const { certificate } = await issue("selfSigned");
      const { fingerprint256 } = new X509Certificate(
        await Deno.readTextFile(certificate),
      );
      const url = `${urlOf(server)}/a.txt`;
      const options = { cwd, password: server.password };
      const args = ["cat", "-v", url, "--fingerprint"];
      const good = await runCLI([...args, fingerprint256], options);
      assertEquals([good.code, good.stdout], [0, "over TLS"], good.stderr);
      assertStringIncludes(good.stderr, "> AUTH TLS\n");
      assertStringIncludes(good.stderr, "> PASS ****\n");
      const other = fingerprint256.replace(/^../, (digits) =>
        digits === "00" ? "01" : "00");
      const bad = await runCLI([...args, other], options);
      assertEquals([bad.code, bad.stdout], [3, ""], bad.stderr);
      assertEquals(bad.stderr.includes("PASS"), false, bad.stderr);
      const none = await runCLI(
        ["cat", url.replace(/^ftp:/, "ftpes:")],
        options,
      );
      assertEquals([none.code, none.stdout], [3, ""], none.stderr);
      assertStringIncludes(none.stderr, "self-signed");
    }),
  { prepare: withTLS({}, "selfSigned") },
);

serverTest(
  "cli.ts get --segments downloads the parts of a file at once",
  (server) =>
    inFolder(async (cwd) => {
      const content = new Uint8Array(3_500_000).map((_, i) => i % 251);
      await server.write("big.bin", content);
      // a faster first connection would take the segments of the others
      const flags = ["-v", "--segments", "3", "--limit-rate", "1500k"];
      const run = await runCLI(
        ["get", ...flags, `${urlOf(server)}/big.bin`],
        { cwd, password: server.password },
      );
      assertEquals(run.code, 0, run.stderr);
      const transfers = run.stderr.match(/^> RETR /gm)?.length ?? 0;
      assert(transfers >= 3, run.stderr);
      assertEquals(await Deno.readFile(`${cwd}/big.bin`), content);
    }),
  { servers: ["vsftpd"] },
);
