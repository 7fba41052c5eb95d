/**
 * Resolves the name and dials each address.
 *
 * @module
 */

import { dial, showAddress } from "../connection/dial.ts";
import { nodeModule } from "../connection/node_module.ts";
import { type Examination, TIMEOUT } from "./examination.ts";
import { explainDial } from "./findings.ts";

/** Dials each address of the name. */
export async function checkAddresses(
  examination: Examination,
): Promise<boolean> {
  const { host } = examination.target;
  const { proxy, dial: tunnel } = examination.options;
  if (proxy !== undefined || tunnel !== undefined) {
    const resolver = proxy === undefined ? 'the function "dial"' : "the proxy";
    examination.step(
      "addresses",
      "skipped",
      `The name is resolved by ${resolver}.`,
    );
    return true;
  }
  const addresses = await resolve(examination);
  if (addresses === undefined) return false;
  const { port } = examination;
  const { reached, failure } = await dialAll(examination, addresses);
  const facts = { addresses, reached, port };
  if (reached.length === 0) {
    const where = showAddress(host, port);
    examination.problem("addresses", explainDial(failure, where), facts);
    return false;
  }
  const lost = addresses.filter((address) => !reached.includes(address));
  examination.step(
    "addresses",
    lost.length === 0 ? "ok" : "note",
    `${
      addresses.join() === host
        ? `${host} is an address`
        : `${host} resolves to ${addresses.join(", ")}`
    }; port ${port} answers${
      lost.length === 0 ? "" : `, but not at ${lost.join(", ")}`
    }.`,
    facts,
  );
  return true;
}

/** Returns the addresses of the name; `undefined` if it has none. */
async function resolve(
  examination: Examination,
): Promise<string[] | undefined> {
  const { host } = examination.target;
  try {
    const { lookup } = nodeModule("node:dns/promises");
    const found = await lookup(host, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (error) {
    examination.problem("addresses", {
      cause: "name-not-found",
      severity: "error",
      text: `The name "${host}" cannot be resolved: ${
        error instanceof Error ? error.message : error
      }.`,
      advice: "Check the name, and the name servers of this machine.",
      isFirewall: false,
    });
    return undefined;
  }
}

/** Returns the addresses that answer, and the last error of another one. */
async function dialAll(
  { port, options }: Examination,
  addresses: readonly string[],
): Promise<{ reached: string[]; failure: unknown }> {
  const { signal } = options;
  const timeout = Math.min(options.timeout || TIMEOUT, TIMEOUT);
  const reached: string[] = [];
  let failure: unknown;
  for (const address of addresses) {
    try {
      (await dial(address, port, { timeout, signal })).close();
      reached.push(address);
    } catch (error) {
      signal?.throwIfAborted();
      failure = error;
    }
  }
  return { reached, failure };
}
