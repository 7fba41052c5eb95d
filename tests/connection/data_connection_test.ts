/** The public data connection. */

import { assertEquals } from "@std/assert";
import { DataConnection } from "../../mod.ts";

Deno.test("DataConnection has what it documents, and nothing of the transfer", () => {
  const members = Object.getOwnPropertyNames(DataConnection.prototype).sort();
  assertEquals(members, [
    "bytesRead",
    "bytesWritten",
    "close",
    "closeWrite",
    "constructor",
    "isClosed",
    "isCut",
    "isEnded",
    "localAddr",
    "read",
    "readable",
    "remoteAddr",
    "tls",
    "writable",
    "write",
  ]);
});
