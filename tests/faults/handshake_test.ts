/** A data connection that fails during the TLS handshake. */

import { assertEquals } from "@std/assert";
import { isIgnored } from "../testing/servers/mod.ts";
import { type FaultCase, makeCase, slowedDown } from "./fault_case.ts";
import { ProxiedServer } from "./proxied_server.ts";
import { LeakTracker } from "./leak_tracker.ts";
import { measureTimeScale, type TimeScale } from "./time_scale.ts";
import { runCase } from "./run_case.ts";

let timeScale: TimeScale | undefined;

for (const direction of ["download", "upload"] as const) {
  for (const fault of ["close", "reset", "stall", "corrupt"] as const) {
    Deno.test({
      name: `FTP.${direction} tries again after a ${fault} in the handshake`,
      ignore: isIgnored("vsftpd"),
      fn: async () => {
        using tracker = new LeakTracker();
        const configuration = { server: "vsftpd", tls: true } as const;
        await using proxied = await ProxiedServer.start(
          "server-0.test",
          configuration,
        );
        const faultCase: FaultCase = {
          ...makeCase(1),
          direction,
          size: 100_000,
          source: "path",
          sharesName: false,
          options: {
            retry: { delay: 10 },
            resume: false,
            atomic: true,
            verify: "size",
            mtime: false,
            keepAlive: 0,
          },
          faults: [{
            channel: "data",
            index: 0,
            from: "start",
            direction: "down",
            offset: 60,
            fault,
            duration: 0,
          }],
          kill: undefined,
          abort: undefined,
          pipelining: true,
        };
        timeScale ??= await measureTimeScale([proxied], tracker);
        const report = await runCase(
          proxied,
          slowedDown(faultCase, timeScale.factor),
          tracker,
        );
        const { problems, outcome, happened } = report;
        assertEquals({ problems, outcome, happened }, {
          problems: [],
          outcome: "right file after retries",
          happened: [`data ${fault}`],
        });
      },
    });
  }
}
