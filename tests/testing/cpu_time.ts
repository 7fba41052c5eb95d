/** The work of a thread, whatever other processes do meanwhile. */

/** Milliseconds that this thread has worked. */
export function worked(): number {
  if (Deno.build.os !== "linux") return performance.now();
  const [nanoseconds] = Deno.readTextFileSync("/proc/thread-self/schedstat")
    .split(" ");
  return Number(nanoseconds) / 1e6;
}
