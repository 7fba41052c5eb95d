import { assertEquals, assertRejects } from "@std/assert";
import { parseNetrc } from "../../lib/client/netrc.ts";
import { connect, FTPPermanentError } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";

const NETRC = `# who is who
machine first.example login ann password "a \\"quoted\\" word"
machine Second.Example
  login bob
  password #1secret
  account books
macdef init
machine macro.example login nobody
password nothing

machine second.example login carol password c
machine bare.example
default login anonymous password me@example
machine late.example login x password y
machine inline.example login x password macdef macdef init
machine inner.example login x password stolen
 \t
machine last.example login x password z macdef end
machine inner.example login x password stolen
`;

const CASES: [
  host: string,
  user: string | undefined,
  expected: (string | undefined)[] | undefined,
][] = [
  ["first.example", undefined, ["ann", 'a "quoted" word', undefined]],
  ["FIRST.example", undefined, ["ann", 'a "quoted" word', undefined]],
  ["second.example", undefined, ["bob", "#1secret", "books"]],
  ["second.example", "carol", ["carol", "c", undefined]],
  ["second.example", "dave", undefined],
  ["bare.example", undefined, [undefined, undefined, undefined]],
  ["macro.example", undefined, ["anonymous", "me@example", undefined]],
  ["late.example", undefined, ["anonymous", "me@example", undefined]],
  ["late.example", "x", ["x", "y", undefined]],
  ["inline.example", "x", ["x", "macdef", undefined]],
  ["inner.example", "x", undefined],
  ["last.example", "x", ["x", "z", undefined]],
];

for (const [host, user, expected] of CASES) {
  Deno.test(`parseNetrc finds ${user ?? "any user"} at ${host}`, () => {
    const entry = parseNetrc(NETRC, host, user);
    assertEquals(
      entry && [entry.login, entry.password, entry.account],
      expected,
    );
  });
}

Deno.test("parseNetrc reads what is no netrc as nothing", () => {
  for (
    const text of ["", "\n", "machine", "login x", "machine a login", "# x"]
  ) {
    assertEquals(parseNetrc(text, "host")?.login, undefined);
  }
});

Deno.test("connect looks into .netrc only if it is asked to and has to", async () => {
  await using server = await memoryServer();
  server.on(
    "PASS",
    (turn) =>
      turn.argument === "right"
        ? turn.reply(230, "In")
        : turn.reply(530, "Out"),
  );
  using folder = new LocalFolder();
  const netrc = folder.at("netrc");
  Deno.writeTextFileSync(
    netrc,
    `machine ${server.host} login ann password right`,
  );
  const { port } = server;
  const url = `ftp://${server.host}`;
  await using _ftp = await connect(url, { port, netrc });
  assertEquals(server.commands.slice(0, 2), ["USER ann", "PASS right"]);
  await assertRejects(() => connect(url, { port }), FTPPermanentError, "530");
  await assertRejects(
    () => connect(url, { port, netrc, user: "ann", password: "mine" }),
    FTPPermanentError,
    "530",
  );
  await assertRejects(
    () => connect(url, { port, netrc: folder.at("none") }),
    Deno.errors.NotFound,
    `Cannot read "${folder.at("none")}": `,
  );
});

Deno.test("connect tells anonymous users' servers no password that stands without a login", async () => {
  await using server = await memoryServer();
  using folder = new LocalFolder();
  const netrc = folder.at("netrc");
  Deno.writeTextFileSync(netrc, `machine ${server.host} password secret`);
  await using _ftp = await connect(`ftp://${server.host}`, {
    port: server.port,
    netrc,
  });
  assertEquals(server.commands.slice(0, 2), [
    "USER anonymous",
    "PASS anonymous@",
  ]);
});
