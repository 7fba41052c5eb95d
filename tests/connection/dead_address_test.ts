import { assert } from "@std/assert";
import { HAS_IPV6 } from "../testing/servers/loopback.ts";
import { SilentPort } from "../testing/silent_port.ts";

const PROGRAM = new URL("dead_address.ts", import.meta.url);

/** Names with several addresses, IPv6 first by RFC 6724. */
const HOSTS = `127.0.0.1 localhost
::1 both.test
127.0.0.1 both.test
::1 three.test
127.0.0.9 three.test
127.0.0.10 three.test
127.0.0.1 three.test
`;

/** Whether a process can have a private /etc/hosts. */
function canMount(): boolean {
  if (!SilentPort.isPossible || Deno.uid() !== 0) return false;
  try {
    const args = ["-m", "mount", "--bind", "/etc/hosts", "/etc/hosts"];
    return new Deno.Command("unshare", { args, stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}

Deno.test(
  "FTP tries the next address of a name after 250 ms, and leaves nothing open",
  {
    ignore: !HAS_IPV6 || !canMount(),
  },
  async () => {
    const path = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(path, HOSTS);
      const script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"';
      const { success, stdout, stderr } = await new Deno.Command("unshare", {
        args: [
          ...["-m", "sh", "-c", script, "sh", path],
          ...[Deno.execPath(), "test", "-A", "--no-check", PROGRAM.pathname],
        ],
        env: { NO_COLOR: "1" },
      }).output();
      const said = new TextDecoder().decode(stdout) +
        new TextDecoder().decode(stderr);
      assert(success, said);
      assert(said.includes("5 passed"), said);
    } finally {
      await Deno.remove(path);
    }
  },
);
