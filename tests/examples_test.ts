import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ON_DISK } from "./memory_folder.ts";
import { serverTest } from "./testing/servers/mod.ts";

const EXAMPLES = import.meta.resolve("../examples/");
const NAME = "linux-1.0.tar.gz";

/** Runs an example in a folder of its own, with the permissions it documents. */
async function runExample(
  name: string,
  args: readonly string[],
  cwd: string,
): Promise<{ code: number; printed: string; complaints: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net",
      "--allow-read",
      "--allow-write",
      EXAMPLES + name,
      ...args,
    ],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    printed: decoder.decode(stdout),
    complaints: decoder.decode(stderr),
  };
}

serverTest(
  "advanced_binary_download.ts downloads the kernel, and does not overwrite it",
  async (server) => {
    const content = crypto.getRandomValues(new Uint8Array(1_259_161 % 65536));
    const file = new Uint8Array(1_259_161);
    for (let at = 0; at < file.length; at += content.length) {
      file.set(content.subarray(0, file.length - at), at);
    }
    await server.write(`pub/linux/kernel/v1.0/${NAME}`, file);
    const folder = await Deno.makeTempDir(ON_DISK);
    try {
      const args = [server.host, `${server.port}`];
      const example = "advanced_binary_download.ts";
      const first = await runExample(example, args, folder);
      assertEquals(first.code, 0, first.complaints);
      const lines = first.printed.trimEnd().split("\n");
      assertStringIncludes(lines[0]!, "Received 2048 ");
      assert(lines.length >= 3 && lines.length <= 12, first.printed);
      assertEquals(
        lines.at(-1),
        server.name === "pyftpdlib" // its 125 names no size
          ? "Received 1259161 bytes"
          : "Received 1259161 of 1259161 total bytes (100.0%)",
      );
      assertEquals(await Deno.readFile(`${folder}/${NAME}`), file);
      const second = await runExample(example, args, folder);
      assertEquals(second.code, 1);
      assertStringIncludes(second.complaints, "Will not overwrite");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
  { anonymous: true, needs: (features) => features.anonymous },
);

serverTest(
  "streams.ts counts lines, stores a report and reads it back",
  async (server) => {
    await server.write("logs/data.csv", "a,1\nb,2\nc,3\n");
    const password = encodeURIComponent(server.password);
    const url =
      `ftp://${server.user}:${password}@${server.host}:${server.port}/logs`;
    const { code, printed, complaints } = await runExample(
      "streams.ts",
      [url, "data.csv"],
      Deno.cwd(),
    );
    assertEquals(code, 0, complaints);
    assertEquals(printed, "data.csv has 3 lines\ndata.csv has 12 bytes\n");
    assertEquals(
      new TextDecoder().decode(await server.read("logs/data.csv.report")),
      "data.csv has 3 lines\n",
    );
  },
);
