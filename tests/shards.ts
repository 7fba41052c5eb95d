/**
 * Distributes the test files to processes that run at the same time.
 *
 * @module
 */

/** The files of one process. */
export interface Shard {
  /** The folder of all its files. */
  readonly folder: string;
  /** Paths from the root. */
  readonly files: readonly string[];
  /** Only tests with such names, as `deno test --filter` takes it. */
  readonly filter?: string;
  /** How long it takes on a quiet machine, roughly. */
  readonly seconds: number;
  /** Whether it runs after all others. */
  readonly isLast?: boolean;
}

/** How the shards are made. */
export interface ShardOptions {
  /** Servers whose tests run. Some files have a shard for each server. */
  readonly servers: readonly string[];
  /** Tests without servers. */
  readonly isUnit: boolean;
}

/**
 * Duration of long files in seconds: with servers, and without them if that
 * differs much.
 */
const SECONDS: Record<string, readonly [all: number, unit?: number]> = {
  "tests/faults/faults_test.ts": [160, 1],
  "tests/faults/next_answer_test.ts": [20, 1],
  "tests/faults/zones_test.ts": [15, 1],
  "tests/real/doubt_test.ts": [20, 1],
  "tests/mirror/zones_test.ts": [60, 1],
  "tests/mirror/real_mirror_test.ts": [60, 1],
  "tests/real/tls_abort_test.ts": [22, 1],
  "tests/real/tls_truncation_test.ts": [30, 1],
  "tests/model/model_test.ts": [15, 1],
  "tests/kills/kills_test.ts": [60, 1],
  "tests/directories/real_tree_test.ts": [36, 1],
  "tests/protocol/linear_test.ts": [9],
  "tests/listing/linear_test.ts": [8],
  "tests/mirror/large_tree_test.ts": [20],
  "tests/directories/walk_test.ts": [16],
  "tests/directories/partial_test.ts": [20, 1],
  "tests/directories/event_loop_test.ts": [20],
  "tests/files/replacement_test.ts": [22],
  "tests/faults/checker_test.ts": [20, 1],
  "tests/client/time_test.ts": [15],
  "tests/files/stored_size_test.ts": [18],
  "tests/client/doubt_test.ts": [14],
  "tests/client/negotiation_test.ts": [14],
  "tests/files/download/limits_test.ts": [12],
  "tests/protocol/encoding_test.ts": [10],
  "tests/client/profile_store_test.ts": [10],
  "tests/files/upload/upload_test.ts": [9],
  "tests/files/asked_ahead_test.ts": [7],
  "tests/client/upload_test.ts": [7],
  "tests/client/identity_test.ts": [6],
  "tests/client/pipelining_test.ts": [8],
  "tests/client/ending_test.ts": [8],
  "tests/tls/connection_test.ts": [6],
  "tests/directories/million_test.ts": [3],
};

/** Duration of all other files, in seconds. */
const USUAL: readonly [all: number, unit: number] = [3, 0.5];

/** Most seconds of the files that share a process. */
const MOST_SECONDS = 12;

const SERVER = (server: string) => [`(${server})`];
const SERVER_AND_TLS = (server: string) => [
  `(${server}, plain)`,
  `(${server}, TLS)`,
];

/**
 * Files whose tests use one server each, by the end of the names of the tests.
 */
const BY_SERVER: Record<string, (server: string) => readonly string[]> = {
  "tests/faults/faults_test.ts": SERVER_AND_TLS,
  "tests/mirror/zones_test.ts": SERVER,
};

/**
 * Files whose tests measure time or memory, and run in a process of their own.
 */
const ALONE: ReadonlySet<string> = new Set([
  "tests/directories/event_loop_test.ts",
  "tests/directories/million_test.ts",
]);

/**
 * Files whose tests have short time limits. They run after the other processes.
 */
const LAST: ReadonlySet<string> = new Set([
  "tests/client/time_test.ts",
  "tests/real/smoke_proxy_test.ts",
]);

/**
 * Files that `deno task test:unit` leaves out: they take seconds of processor
 * time, measure time, or start programs.
 */
export const THOROUGH: ReadonlySet<string> = new Set([
  "tests/by_url_test.ts",
  "tests/cli/install_test.ts",
  "tests/cli/process_test.ts",
  "tests/cli/terminal_test.ts",
  "tests/client/time_test.ts",
  "tests/directories/event_loop_test.ts",
  "tests/directories/million_test.ts",
  "tests/directories/real_tree_test.ts",
  "tests/docs_test.ts",
  "tests/examples_test.ts",
  "tests/files/replacement_test.ts",
  "tests/files/round_trip_budget_test.ts",
  "tests/listing/differential_test.ts",
  "tests/listing/linear_test.ts",
  "tests/listing/rare_systems_test.ts",
  "tests/mirror/item_table_test.ts",
  "tests/mirror/large_tree_test.ts",
  "tests/mirror/tree_queue_test.ts",
  "tests/parser/reply_property_test.ts",
  "tests/protocol/encoding_test.ts",
  "tests/protocol/linear_test.ts",
  "tests/recipes_test.ts",
  "tests/tls/connection_test.ts",
  "tests/tls/many_clients_test.ts",
  "tests/types_test.ts",
]);

/** Every file that is named here. */
export const TABLED: readonly string[] = [
  ...THOROUGH,
  ...Object.keys(SECONDS),
  ...Object.keys(BY_SERVER),
  ...ALONE,
  ...LAST,
];

/**
 * Creates the shards of test files, the longest first.
 *
 * @param files Paths from the root
 */
export function planShards(
  files: readonly string[],
  { servers, isUnit }: ShardOptions,
): Shard[] {
  const shards: Shard[] = [];
  const folders = Map.groupBy(files, folderOf);
  for (const [folder, own] of folders) {
    const open: { files: string[]; seconds: number }[] = [];
    for (const file of own.toSorted((a, b) => secondsOf(b) - secondsOf(a))) {
      const seconds = secondsOf(file);
      const endings = isUnit ? undefined : BY_SERVER[file];
      if (endings !== undefined) {
        shards.push(...splitFile(file, servers.flatMap(endings), seconds));
        continue;
      }
      const isLast = LAST.has(file);
      if (isLast || ALONE.has(file) || seconds > MOST_SECONDS) {
        shards.push({ folder, files: [file], seconds, isLast });
        continue;
      }
      const room = open.find((one) => one.seconds + seconds <= MOST_SECONDS);
      if (room === undefined) open.push({ files: [file], seconds });
      else {
        room.files.push(file);
        room.seconds += seconds;
      }
    }
    for (const one of open) shards.push({ folder, ...one });
  }
  return shards.sort((a, b) => b.seconds - a.seconds);

  function secondsOf(file: string): number {
    const [all, unit = all] = SECONDS[file] ?? USUAL;
    return isUnit ? unit : all;
  }
}

/**
 * Returns a shard for each end of a test name. Tests with other names are in
 * none; the report detects that.
 */
function splitFile(
  file: string,
  endings: readonly string[],
  seconds: number,
): Shard[] {
  return endings.map((ending) => ({
    folder: folderOf(file),
    files: [file],
    filter: `/${RegExp.escape(ending)}$/`,
    seconds: seconds / endings.length,
  }));
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}
