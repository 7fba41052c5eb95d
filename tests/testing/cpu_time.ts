/** The processor time of a thread, independent of other processes. */

/** Milliseconds of processor time of this thread. */
export function worked(): number {
  if (Deno.build.os !== "linux") return performance.now();
  const [nanoseconds] = Deno.readTextFileSync("/proc/thread-self/schedstat")
    .split(" ");
  return Number(nanoseconds) / 1e6;
}
