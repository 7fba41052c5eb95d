import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  FTPError,
  FTPPermanentError,
  FTPProtocolError,
  FTPReplyError,
  FTPTemporaryError,
} from "../../lib/protocol/errors.ts";
import { Reply } from "../../lib/protocol/reply.ts";
import {
  connectionError,
  withMessage,
} from "../../lib/protocol/with_message.ts";
import { PartialListingError } from "../../lib/directories/partial_listing_error.ts";
import {
  FTPUnconfirmedError,
  FTPVerificationError,
  LocalError,
} from "../../lib/files/errors.ts";
import { FTPMirrorError } from "../../lib/mirror/errors.ts";
import type { MirrorResult } from "../../lib/mirror/options.ts";
import { TLSError } from "../../lib/tls/errors.ts";

const reply = Reply.from("550 No");
const command = "RETR a";

/** An error of each class that has the server's reply, or could have it. */
const ERRORS: readonly FTPError[] = [
  ...[
    FTPError,
    FTPTemporaryError,
    FTPPermanentError,
    FTPReplyError,
    FTPProtocolError,
    PartialListingError,
  ].map((Class) => new Class("Cannot read", { reply, command })),
  new FTPUnconfirmedError("Cannot confirm", { bytes: 3, size: 4, command }),
  new FTPVerificationError("Cannot verify", {
    what: "size",
    expected: 4,
    actual: 3,
  }),
  new FTPMirrorError("Cannot mirror", {
    result: { files: 1 } as unknown as MirrorResult,
    failures: [],
  }),
];

for (const error of ERRORS) {
  Deno.test(`withMessage() copies ${error.name} with all its fields`, () => {
    const copy = withMessage(error, (message) => `Again: ${message}`);
    assertStrictEquals(copy.constructor, error.constructor);
    assertEquals({ ...copy }, { ...error });
    assertEquals(copy.message, `Again: ${error.message}`);
    assertStrictEquals(copy.cause, error);
    assertStrictEquals(withMessage(error, (message) => message), error);
  });
}

Deno.test("withMessage() copies the platform's errors, and leaves others as they are", () => {
  for (const Class of [Error, Deno.errors.NotFound, Deno.errors.TimedOut]) {
    const error = Object.assign(new Class("a\x1b[2J"), { code: "ENOSPC" });
    const copy = withMessage(error, (message) => `Cannot open: ${message}`);
    assertStrictEquals(copy.constructor, Class);
    assertEquals(copy.message, "Cannot open: a\uFFFD[2J");
    assertStrictEquals(copy.cause, error);
  }
  const others = [
    new Error("a callback's own"),
    new TypeError("x"),
    new TLSError("x", { reason: "expired" }),
    new LocalError(new Error("x")),
    new DOMException("x", "AbortError"),
    "thrown text",
    undefined,
  ];
  for (const other of others) {
    assertStrictEquals(withMessage(other, () => "y"), other);
  }
});

Deno.test("connectionError() is of the platform's class, or ConnectionAborted with the error as its cause", () => {
  const say = (message: string) => `Cannot read: ${message}`;
  const reset = connectionError(new Deno.errors.ConnectionReset("gone"), say);
  assertStrictEquals(reset.constructor, Deno.errors.ConnectionReset);
  const others = [
    new TLSError("bad record", { reason: "broken" }),
    new FTPPermanentError("bad record", { reply }),
  ];
  for (const other of others) {
    const error = connectionError(other, say);
    assert(error instanceof Deno.errors.ConnectionAborted);
    assertEquals(error.message, "Cannot read: bad record");
    assertStrictEquals(error.cause, other);
  }
});
