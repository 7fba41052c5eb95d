/**
 * 10 MB where each connection has 10 Mbit/s: one segment and four, beside lftp.
 *
 *     wan.py --rtt 40 --rate 10 --per-flow -- \
 *       deno run -A --no-lock tests/bench/segments.ts [rounds] [server...]
 *
 * A tool sets the network up: `$WAN_SERVER_NS` is the namespace of the server,
 * `$WAN_SERVER` its address.
 */

import { connect } from "../../mod.ts";
import { startServer } from "../testing/servers/mod.ts";
import { compare } from "./compare.ts";

const ROUNDS = Number(Deno.args[0] ?? 5);
const SERVERS = (["vsftpd", "proftpd"] as const).filter((name) =>
  Deno.args.length < 2 || Deno.args.includes(name, 1)
);
const SIZE = 10_000_000;

const namespace = Deno.env.get("WAN_SERVER_NS");
const address = Deno.env.get("WAN_SERVER");
if (namespace === undefined || address === undefined) {
  throw new Error("Cannot run: WAN_SERVER_NS and WAN_SERVER are not set");
}
const folder = await Deno.makeTempDir();
try {
  for (const name of SERVERS) {
    await using server = await startServer(name, {
      network: { namespace, host: address },
    });
    await server.write("big", crypto.getRandomValues(new Uint8Array(65_536)));
    await Deno.truncate(`${server.root}/big`, SIZE);
    const { host, port, user, password } = server;
    await using ftp = await connect(`ftp://${host}:${port}`, {
      user,
      password,
    });
    const download = (segments: number) => async () => {
      await ftp.download("big", `${folder}/copy`, { segments });
    };
    const lftp = (command: string) => async () => {
      const { success, stderr } = await new Deno.Command("lftp", {
        args: [
          "-e",
          `set ftp:ssl-allow no; set xfer:clobber yes; ${command} -o ${folder}/lftp; quit`,
          "-u",
          `${user},${password}`,
          `ftp://${host}:${port}`,
        ],
      }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
    };
    await compare(`10 MB, 10 Mbit/s a connection, ${name}`, ROUNDS, {
      "four segments": download(4),
      "one segment": download(1),
      "lftp pget -n 4": lftp("pget -n 4 big"),
      "lftp get": lftp("get big"),
    });
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
