import { assertEquals } from "@std/assert";
import { readHash } from "../../lib/files/digest.ts";
import { Reply } from "../../lib/protocol/reply.ts";

const MD5 = "d41d8cd98f00b204e9800998ecf8427e";
const OTHER = "0cc175b9c0f1b6a831c399e269772661";
const SHA256 = MD5 + OTHER;

/** A reply with a hash, the file asked for, and the hash. */
const REPLIES: [
  text: string,
  digits: number,
  path: string,
  hash: string | undefined,
][] = [
  [`213 SHA-256 0-49 ${SHA256} name`, 64, "name", SHA256],
  [`213 SHA-256 0-49 ${SHA256} /a/${MD5}${MD5}`, 64, MD5 + MD5, SHA256],
  [`213 MD5 0-0 ${MD5.toUpperCase()} x`, 32, "x", MD5],
  [`250 XMD5 "a b" ${MD5.toUpperCase()}`, 32, "a b", MD5],
  [`250 ${MD5}`, 32, "x", MD5],
  [`250-Hash follows\n ${MD5}\n250 Done`, 32, "x", MD5],
  // files that are called by a hash
  [`250 ${MD5} ${OTHER}`, 32, OTHER, MD5],
  [`250 ${OTHER} ${MD5}`, 32, `/pub/${OTHER}`, MD5],
  [`250 "/pub/${OTHER}" ${MD5}`, 32, `/pub/${OTHER}`, MD5],
  [`250 ${MD5} ${MD5}`, 32, MD5, MD5],
  [`250 ${MD5}`, 32, MD5, MD5],
  // CRCs without their leading zeros
  ["250 1A2B", 8, "x", "00001a2b"],
  ["250 1A2B3C4D face", 8, "face", "1a2b3c4d"],
  ["213 CRC32 0-9 1a2b3c4d face", 8, "x", "1a2b3c4d"],
  // none
  ["250 Done", 32, "x", undefined],
  [`250 ${MD5}0`, 32, "x", undefined],
  [`250 ${MD5}.bin`, 32, "x", undefined],
  ["250", 32, "x", undefined],
];

for (const [text, digits, path, hash] of REPLIES) {
  Deno.test(`readHash reads ${JSON.stringify(text)} for ${path}`, () => {
    assertEquals(readHash(Reply.from(text), digits, path), hash);
  });
}
