/**
 * Runs something, and gives the reasons of the promises that were rejected
 * meanwhile with nobody to handle them.
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
