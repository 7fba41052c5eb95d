import { assert, assertEquals } from "@std/assert";
import { FTP } from "../../mod.ts";
import { memoryServer } from "../testing/memory_server.ts";
import type { Handler, Turn } from "../testing/scripted/mod.ts";

const FEATURES = "211-Features\n UTF8\n MODE Z\n MLST type*;size*;\n211 End";

/** Commands that the calls below send, and replies where the server has none. */
const REPLIES: [verb: string, reply?: string][] = [
  ["USER"],
  ["PASS", "332 Account"],
  ["ACCT", "230 In"],
  ["HOST", "220 Yes"],
  ["TYPE"],
  ["MODE", "504 No"],
  ["REST"],
  ["RNFR"],
  ["RNTO"],
  ["SITE", "200 Done"],
  ["OPTS", "200 Yes"],
];

/** Ways to write the reply `code text`. */
const SHAPES: Record<string, (code: string) => [reply: string, size: number]> =
  {
    "late, in pieces": (code) => [`${code} Yes\r\n`, 3],
    "in several lines": (code) => [
      `${code}-First\r\n 230 In\r\n500-No\r\n421 Bye\r\n${code}-\r\n${code} End\r\n`,
      Infinity,
    ],
    "late, in several lines": (code) => [
      `${code}-First\r\n  ${code} Not the end\r\n${code}\tx\r\n${code} End\r\n`,
      11,
    ],
  };

/** Replies as the server would, in another shape. */
function shaped(
  reply: string | undefined,
  shape: (code: string) => [reply: string, size: number],
): Handler {
  return async (turn: Turn) => {
    let usual = reply;
    if (usual === undefined) {
      const { raw } = turn;
      turn.raw = (content) => {
        usual = `${content}`;
        return Promise.resolve();
      };
      await turn.default();
      turn.raw = raw;
    }
    await turn.rawPieces(...shape(usual!.slice(0, 3)));
  };
}

for (const [name, shape] of Object.entries(SHAPES)) {
  Deno.test(`FTP takes replies that come ${name}, each for its own command`, async (t) => {
    for (const [verb] of REPLIES) {
      await t.step(verb, async () => {
        await using server = await memoryServer({ "/a": "hello" });
        server.on("FEAT", FEATURES);
        for (const [each, reply] of REPLIES) {
          if (each === verb) server.on(each, shaped(reply, shape));
          else if (reply !== undefined) server.on(each, reply);
        }
        const options = { virtualHost: "x.test", compress: true };
        await using ftp = new FTP({ timeout: 2000, ...options });
        await ftp.connect(server.host, server.port);
        await ftp.login("user", "secret", "acct");
        await ftp.sendcmd("OPTS MLST type;size;");
        await ftp.sendcmd("SITE CHMOD 600 /a");
        const [size] = await Promise.all([
          ftp.size("/a"),
          ftp.rename("/a", "/b"),
        ]);
        assertEquals(size, 5);
        const stream = await ftp.retrieve("/b", { offset: 3 });
        assertEquals(await new Response(stream).text(), "lo");
        assertEquals(await ftp.pwd(), "/");
        assert(server.verbs.includes(verb));
        assertEquals(server.verbs.filter((each) => each === "USER").length, 1);
      });
    }
  });
}
