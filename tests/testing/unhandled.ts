/**
 * Runs a function, and returns the reasons of unhandled rejections meanwhile.
 */
export async function unhandledIn(
  run: () => Promise<unknown>,
): Promise<unknown[]> {
  const reasons: unknown[] = [];
  const listen = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    reasons.push(event.reason);
  };
  addEventListener("unhandledrejection", listen);
  try {
    await run();
    await new Promise((done) => setTimeout(done, 0)); // they are told of later
  } finally {
    removeEventListener("unhandledrejection", listen);
  }
  return reasons;
}
