/** A delayed command that reaches the server during the next attempt. */

import { assertEquals } from "@std/assert";
import { isIgnored } from "../testing/servers/mod.ts";
import { type FaultCase, makeCase, slowedDown } from "./fault_case.ts";
import { ProxiedServer } from "./proxied_server.ts";
import { LeakTracker } from "./leak_tracker.ts";
import { measureTimeScale } from "./time_scale.ts";
import { runCase } from "./run_case.ts";

// vsftpd executes no command of a closed connection
for (const server of ["proftpd", "pure-ftpd", "pyftpdlib"] as const) {
  Deno.test({
    name:
      `FTP.upload is not undone by its first STOR that comes late (${server})`,
    ignore: isIgnored(server),
    fn: async () => {
      using tracker = new LeakTracker();
      await using proxied = await ProxiedServer.start("late.test", {
        server,
        tls: false,
      });
      const { factor } = await measureTimeScale([proxied], tracker);
      const { problems, outcome, happened } = await runCase(
        proxied,
        slowedDown(makeLateCase(server), factor),
        tracker,
      );
      assertEquals({ problems, outcome, happened }, {
        problems: [],
        outcome: "right file after retries",
        happened: ["control pause", "data pause"],
      });
    },
  });
}

/** Bytes that the client sends between login and its first STOR. */
const BEFORE_STOR = [
  "TYPE I\r\n",
  "SIZE file-0.bin\r\n",
  "MLST file-0.bin\r\n",
  "EPSV\r\n",
];

/**
 * Makes a case whose first STOR is delayed until the second one has sent half
 * of the file.
 */
function makeLateCase(server: FaultCase["server"]): FaultCase {
  const common = { direction: "up", fault: "pause" } as const;
  return {
    ...makeCase(0),
    server,
    tls: false,
    direction: "upload",
    size: 3_000_000,
    oldSize: 1000,
    source: "path",
    inDirectory: false,
    timeout: 1000,
    options: {
      retry: { delay: 10 },
      resume: false,
      atomic: true,
      verify: "size",
      mtime: false,
      keepAlive: 0,
    },
    faults: [
      {
        ...common,
        channel: "control",
        index: 0,
        from: "login",
        offset: BEFORE_STOR.join("").length + "STOR ".length,
        duration: 1700,
      },
      {
        ...common,
        channel: "data",
        index: 1,
        from: "start",
        offset: 1_500_000,
        duration: 900,
      },
    ],
    kill: undefined,
    abort: undefined,
    pipelining: true,
  };
}
