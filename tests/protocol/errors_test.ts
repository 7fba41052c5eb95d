import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  FTPError,
  FTPPermanentError,
  FTPProtocolError,
  FTPReplyError,
  FTPTemporaryError,
  isRefusal,
  isUnknownCommand,
  replyError,
  replyOf,
} from "../../lib/protocol/errors.ts";
import { Reply, ReplyReader } from "../../lib/protocol/reply.ts";

/** A reply's text, and the class of its error. */
const CLASSES = [
  ["150 Here", FTPReplyError],
  ["226 Done", FTPReplyError],
  ["350 And then", FTPReplyError],
  ["421 Bye", FTPTemporaryError],
  ["452 No space", FTPTemporaryError],
  ["500 What", FTPPermanentError],
  ["552 No space", FTPPermanentError],
] as const;

for (const [text, Class] of CLASSES) {
  Deno.test(`replyError makes an ${Class.name} of "${text}"`, () => {
    const reply = Reply.from(text);
    const cause = new Error("before");
    const error = replyError(reply, "PASS ****", cause);
    assertEquals(error.constructor, Class);
    assertEquals(error.name, Class.name);
    assert(error instanceof FTPError && error instanceof Error);
    assertEquals(error.message, `Cannot complete "PASS ****": ${text}`);
    assertEquals([error.reply, error.command, error.cause], [
      reply,
      "PASS ****",
      cause,
    ]);
  });
}

Deno.test("FTPError shows no control character but LF", () => {
  const all = String.fromCharCode(...Array(256).keys());
  for (const Class of [FTPError, FTPPermanentError, FTPProtocolError]) {
    const { message } = new Class(`Cannot find "${all}"`);
    // deno-lint-ignore no-control-regex
    assertEquals(message.match(/[\x00-\x1F\x7F-\x9F]/g), ["\n"]);
    assert(message.includes("\uFFFD"));
  }
});

Deno.test("FTPError has no cause unless it is given one", () => {
  assertEquals("cause" in new FTPError("Cannot find"), false);
  assertEquals(new FTPError("Cannot find").reply, undefined);
});

Deno.test("Reply.from refuses what is not exactly one reply", () => {
  for (const text of ["", "250 a\n250 b", "250 a\n250-b", "250 a\nb"]) {
    assertThrows(() => Reply.from(text), SyntaxError, "expected one reply");
  }
});

Deno.test("isRefusal() and replyOf() know the errors with a reply, of any class, and by code", () => {
  const reply = Reply.from("550 No such file");
  const refused = replyError(reply, "DELE a");
  const unreadable = new FTPProtocolError("Cannot read", { reply });
  assert(isRefusal(refused));
  assert(isRefusal(refused, [550]));
  assert(!isRefusal(refused, [500, 502]));
  assert(isRefusal(unreadable));
  for (const other of [new FTPError("x"), new Error("x"), { reply }, null]) {
    assert(!isRefusal(other));
    assertEquals(replyOf(other), undefined);
  }
  assertEquals(replyOf(refused)?.code, 550);
});

Deno.test("isUnknownCommand() is true for 500, 502 and 504 alone", () => {
  const codes = [200, 451, 500, 501, 502, 503, 504, 530, 550].filter((code) =>
    isUnknownCommand(Reply.from(`${code} x`))
  );
  assertEquals(codes, [500, 502, 504]);
  assert(!isUnknownCommand(undefined));
});

Deno.test("FTPError has a copy of the reply without its secrets; the reply stays as it was", () => {
  const reader = new ReplyReader({
    decode: (bytes) => new TextDecoder().decode(bytes),
    mask: (text) => text.replaceAll("hunter2", "****"),
  });
  const [reply] = reader.push(
    new TextEncoder().encode("257 /home/hunter2\r\n"),
  );
  const error = replyError(reply!, "PWD");
  assertEquals(reply!.text, "257 /home/hunter2");
  assertEquals(error.reply!.text, "257 /home/****");
  assertEquals(error.reply!.code, 257);
  assertEquals(error.message, 'Cannot complete "PWD": 257 /home/****');
  const plain = Reply.from("550 No");
  assertEquals(replyError(plain, "PWD").reply === plain, true);
});
