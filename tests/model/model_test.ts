/**
 * Random calls on real servers, a quarter of them aborted at a random moment; every answer is compared with a model of
 * the tree. A wrong answer, a call without an end, a connection that stays open: each is a failure, with its seed. The
 * gate has 40 calls on each server, and as many over TLS: each of the 27 kinds once, then whatever chance decides.
 *
 *     FTP_MODEL_CALLS=50000 deno task test tests/model    that many calls on each server, half of them over TLS
 *     FTP_MODEL_SEED=4711 deno task test tests/model      other calls; the same ones as a failure that names the seed
 *     FTP_MODEL_SERVERS=1 deno task test tests/model        clients at once, each with a server and the next seed
 *     FTP_MODEL_STOPS=0 deno task test tests/model        the share of calls that are aborted
 *
 * @module
 */

import { isIgnored, reportServers, SERVERS } from "../testing/servers/mod.ts";
import { chooseCount, readInteger } from "../testing/random.ts";
import { repetitions } from "../testing/repetitions.ts";
import { runInParallel } from "./run_in_parallel.ts";

/** Fewest calls for more than one client at once. */
const CALLS_OF_SEVERAL = 100;

const calls = chooseCount(repetitions(80), "FTP_MODEL_CALLS") / 2;
const seed = readInteger("FTP_MODEL_SEED", 0) ?? 1;
const stops = Number(Deno.env.get("FTP_MODEL_STOPS") ?? 0.25);
const servers = chooseCount(
  calls < CALLS_OF_SEVERAL ? 1 : 2,
  "FTP_MODEL_SERVERS",
);

reportServers();
for (const { name: server } of SERVERS) {
  for (const tls of [false, true]) {
    Deno.test({
      name:
        `FTP gives no wrong answer to random calls, many of them aborted (${server}, ${
          tls ? "TLS" : "plain"
        })`,
      ignore: isIgnored(server),
      fn: () =>
        runInParallel(
          { server, tls, seed, calls, stops, disturbance: "stop" },
          servers,
        ),
    });
  }
}
