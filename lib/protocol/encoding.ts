/**
 * Text encodings of the control connection.
 *
 * Bytes that are not text in the encoding decode to lone surrogates U+DC80 to
 * U+DCFF, one for each byte, and encode back to that byte (Python's
 * `surrogateescape`, PEP 383). A name keeps its bytes even if it cannot be
 * read. The same applies to bytes that decode to a character with another,
 * preferred encoding; Shift_JIS has some hundred.
 *
 * @module
 */

import { isEqual } from "./bytes.ts";
import { type CharacterTable, tableOf } from "./character_table.ts";
import { quote } from "./printable.ts";

/** Converts text to bytes and back without loss. */
export interface Encoding {
  /** The label that the encoding was created from, in lower case. */
  readonly label: string;
  /** Decodes a complete text. Never throws. */
  decode(bytes: Uint8Array): string;
  /**
   * Encodes a text.
   *
   * @throws {TypeError} If a character has no bytes in the encoding
   */
  encode(text: string): Uint8Array;
}

const ISO_8859_1_LABELS = [
  "latin-1",
  "latin1",
  "iso-8859-1",
  "iso8859-1",
  "iso_8859-1",
  "l1",
];

/** Characters that every command and reply needs. */
const ASCII = "USER 220-09 az\r\n";
const ASCII_BYTES = new TextEncoder().encode(ASCII);

const LONE_SURROGATE_REGEXP =
  /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/**
 * Creates an encoding.
 *
 * @param label "utf-8", "latin-1" (true ISO 8859-1, as in Python) or any label
 * that `TextDecoder` supports
 * @throws {RangeError} If the label is unknown, or ASCII is encoded differently
 * ("utf-16le", "iso-2022-jp")
 */
export function makeEncoding(label: string): Encoding {
  const lower = String(label).toLowerCase();
  if (ISO_8859_1_LABELS.includes(lower)) return makeLatin1(lower);
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(lower, { fatal: true, ignoreBOM: true });
  } catch {
    throw new RangeError(
      `Cannot use the encoding ${
        quote(String(label))
      }: TextDecoder does not support it`,
    );
  }
  if (decoder.encoding === "utf-8") return makeUtf8(decoder);
  const hasStates = decoder.encoding === "iso-2022-jp"; // ASCII in one of its states only
  if (hasStates || tryDecode(decoder, ASCII_BYTES) !== ASCII) {
    throw new RangeError(
      `Cannot use the encoding ${
        quote(String(label))
      }: commands and replies must be encoded as ASCII`,
    );
  }
  return makeLegacy(lower, decoder);
}

/** Takes half the time of a decoder that rejects invalid bytes. */
const quickDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

function makeUtf8(decoder: TextDecoder): Encoding {
  const encoder = new TextEncoder();
  return {
    label: "utf-8",
    decode(bytes) {
      const text = quickDecoder.decode(bytes);
      // the character stands for invalid bytes, or was sent
      if (!text.includes("\uFFFD")) return text;
      return tryDecode(decoder, bytes) ?? decodePartly(decoder, bytes);
    },
    encode: (text) =>
      LONE_SURROGATE_REGEXP.test(text)
        ? encodeByCharacter(text, "utf-8", (char) => encoder.encode(char))
        : encoder.encode(text),
  };
}

function makeLatin1(label: string): Encoding {
  const PIECE = 8192; // fromCharCode() takes a limited number of arguments
  return {
    label,
    decode(bytes) {
      let text = "";
      for (let i = 0; i < bytes.length; i += PIECE) {
        text += String.fromCharCode(...bytes.subarray(i, i + PIECE));
      }
      return text;
    },
    encode: (text) =>
      encodeByCharacter(text, label, (char) => {
        const code = char.codePointAt(0)!;
        return code < 256 ? Uint8Array.of(code) : undefined;
      }),
  };
}

function makeLegacy(label: string, decoder: TextDecoder): Encoding {
  const table = () => tableOf(decoder.encoding);
  return {
    label,
    decode: (bytes) => decodeEscaping(decoder, bytes, table),
    encode: (text) =>
      encodeByCharacter(text, label, (char) => table().get(char)),
  };
}

/** Decodes the valid runs of UTF-8 text, and escapes the rest. */
function decodePartly(decoder: TextDecoder, bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const start = at;
    for (let size; (size = sequenceSize(bytes, at)) > 0;) at += size;
    if (at > start) text += decoder.decode(bytes.subarray(start, at));
    const wrong = at;
    while (at < bytes.length && sequenceSize(bytes, at) === 0) at++;
    text += escape(bytes.subarray(wrong, at));
  }
  return text;
}

/**
 * Returns the length of a UTF-8 character in bytes (RFC 3629, section 4); 0 if
 * it is invalid.
 */
function sequenceSize(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0xFF;
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const second = bytes[at + 1] ?? 0;
  const least = lead === 0xE0 ? 0xA0 : lead === 0xF0 ? 0x90 : 0x80;
  const most = lead === 0xED ? 0x9F : lead === 0xF4 ? 0x8F : 0xBF;
  if (second < least || second > most) return 0;
  for (let i = 2; i < size; i++) {
    if (((bytes[at + i] ?? 0) & 0xC0) !== 0x80) return 0;
  }
  return size;
}

function tryDecode(
  decoder: TextDecoder,
  bytes: Uint8Array,
): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

const LF = 0x0A;

/** Longest byte sequence of a character in the Encoding Standard. */
const MAX_SEQUENCE = 4;

/**
 * Decodes bytes. Escapes invalid bytes, and sequences that would be encoded
 * differently.
 */
function decodeEscaping(
  decoder: TextDecoder,
  bytes: Uint8Array,
  table?: () => CharacterTable,
): string {
  const whole = tryDecode(decoder, bytes);
  const isFaithful = whole !== undefined &&
    (table === undefined || isASCII(whole) || table().isFaithful(whole));
  if (isFaithful) return whole;
  const end = bytes.indexOf(LF) + 1;
  if (end > 0 && end < bytes.length) {
    return decodeLines(decoder, bytes, table);
  }
  let text = "";
  for (let i = 0; i < bytes.length;) {
    let taken = 0;
    for (let n = 1; n <= MAX_SEQUENCE && i + n <= bytes.length; n++) {
      const sequence = bytes.subarray(i, i + n);
      const char = tryDecode(decoder, sequence);
      if (char === undefined) continue;
      const isText = isReturned(char, sequence, table?.());
      text += isText ? char : escape(sequence);
      taken = n;
      break;
    }
    if (taken === 0) {
      text += escape(bytes.subarray(i, i + 1));
      taken = 1;
    }
    i += taken;
  }
  return text;
}

// deno-lint-ignore no-control-regex
const ASCII_REGEXP = /^[\x00-\x7F]*$/;

function isASCII(text: string): boolean {
  return ASCII_REGEXP.test(text);
}

/** Converts bytes to ASCII characters and lone surrogates. */
function escape(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    text += String.fromCharCode(byte < 0x80 ? byte : 0xDC00 + byte);
  }
  return text;
}

/** Whether a character is encoded to the bytes that it was decoded from. */
function isReturned(
  char: string,
  sequence: Uint8Array,
  table: CharacterTable | undefined,
): boolean {
  if (table === undefined || isASCII(char)) return true;
  const bytes = table.get(char);
  return bytes !== undefined && isEqual(bytes, sequence);
}

/**
 * Decodes line by line, so that one bad name does not slow down a whole
 * listing.
 */
function decodeLines(
  decoder: TextDecoder,
  bytes: Uint8Array,
  table?: () => CharacterTable,
): string {
  let text = "";
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(LF, start) + 1 || bytes.length;
    text += decodeEscaping(decoder, bytes.subarray(start, end), table);
    start = end;
  }
  return text;
}

function encodeByCharacter(
  text: string,
  label: string,
  encodeChar: (char: string) => Uint8Array | undefined,
): Uint8Array {
  const bytes: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code >= 0xDC80 && code <= 0xDCFF) {
      bytes.push(code - 0xDC00);
      continue;
    }
    const encoded = code >= 0xD800 && code <= 0xDFFF
      ? undefined
      : encodeChar(char);
    if (encoded === undefined) {
      throw new TypeError(
        `Cannot encode the character U+${
          code.toString(16).toUpperCase().padStart(4, "0")
        } in "${label}"`,
      );
    }
    for (const byte of encoded) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
