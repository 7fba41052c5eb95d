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
  const { proxy, dial: tunnel, signal } = examination.options;
  if (proxy !== undefined || tunnel !== undefined) {
    const way = proxy === undefined ? 'the function "dial"' : "the proxy";
    examination.step(
      "addresses",
      "skipped",
      `The name is resolved by ${way}.`,
    );
    return true;
  }
  let addresses: string[];
  try {
    const { lookup } = nodeModule("node:dns/promises");
    const found = await lookup(host, { all: true });
    addresses = [...new Set(found.map(({ address }) => address))];
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
    return false;
  }
  const port = examination.port;
  const reached: string[] = [];
  let failure: unknown;
  for (const address of addresses) {
    try {
      const timeout = Math.min(examination.options.timeout || TIMEOUT, TIMEOUT);
      (await dial(address, port, { timeout, signal })).close();
      reached.push(address);
    } catch (error) {
      signal?.throwIfAborted();
      failure = error;
    }
  }
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
