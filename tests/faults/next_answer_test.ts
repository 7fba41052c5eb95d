/**
 * Calls that are disturbed at every byte of the replies and of listings, and the answers to the calls after them: aborts
 * at a byte, and TLS data connections that are cut by a FIN at a byte, though the server confirms the transfer. The gate
 * has 16 calls for each server, with and without TLS, half of them disturbed: one of each kind that reads.
 *
 *     FTP_ANSWER_COUNT=8000 deno task test tests/faults/next_answer_test.ts   that many disturbed calls in all
 *     FTP_ANSWER_SEED=4711 deno task test tests/faults/next_answer_test.ts    other calls
 *     FTP_ANSWER_SERVERS=1 deno task test tests/faults/next_answer_test.ts      clients at once
 *
 * @module
 */

import { runInParallel } from "../model/run_in_parallel.ts";
import { chooseCount, readInteger } from "../testing/random.ts";
import { repetitions } from "../testing/repetitions.ts";
import { isIgnored, reportServers } from "../testing/servers/mod.ts";
import { CONFIGURATIONS } from "./fault_case.ts";

const seed = readInteger("FTP_ANSWER_SEED", 0) ?? 1;

/** Fewest calls for more than one client at once. */
const CALLS_OF_SEVERAL = 100;

/** Each disturbed call is followed by one that is not, more or less. */
const STOPS = 0.5;

const plans = CONFIGURATIONS.flatMap((configuration) => [
  { ...configuration, disturbance: "byte stop" as const },
  ...configuration.tls
    ? [{ ...configuration, disturbance: "truncation" as const }]
    : [],
]);
const count = chooseCount(repetitions(8) * plans.length, "FTP_ANSWER_COUNT");
const calls = Math.ceil(count / STOPS / plans.length);
const servers = chooseCount(
  calls < CALLS_OF_SEVERAL ? 1 : 2,
  "FTP_ANSWER_SERVERS",
);

reportServers();
for (const plan of plans) {
  const { server, tls, disturbance } = plan;
  const what = disturbance === "truncation"
    ? "to and after calls whose data are cut short"
    : "after calls that are aborted at any byte";
  Deno.test({
    name: `FTP gives no wrong answer ${what} (${server}, ${
      tls ? "TLS" : "plain"
    })`,
    ignore: isIgnored(server),
    fn: () => runInParallel({ ...plan, seed, calls, stops: STOPS }, servers),
  });
}
