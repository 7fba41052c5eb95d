/**
 * The session's encoding: text to the bytes on the control connection and back.
 *
 * Bytes that are not text in the encoding decode to lone surrogates
 * U+DC80 to U+DCFF, one a byte, and encode back to that byte (Python's
 * `surrogateescape`, PEP 383): a name survives the round trip as bytes even
 * where the text cannot be read.
 *
 * @module
 */

/** Text to bytes and back, without loss. */
export interface Encoding {
  /** The label it was made from, in lower case. */
  readonly label: string;
  /** Decodes a whole text. Never throws. */
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

/** What every command and reply needs. */
const ASCII = "USER 220-09 az\r\n";
const ASCII_BYTES = new TextEncoder().encode(ASCII);

const LONE_SURROGATE_REGEXP =
  /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/**
 * Makes the encoding of a label.
 *
 * @param label "utf-8", "latin-1" (ISO 8859-1 proper, as in Python) or any
 * label that `TextDecoder` knows
 * @returns The encoding
 * @throws {RangeError} If nobody knows the label, or ASCII is something else in
 * it ("utf-16le")
 */
export function makeEncoding(label: string): Encoding {
  const lower = String(label).toLowerCase();
  if (ISO_8859_1_LABELS.includes(lower)) return makeLatin1(lower);
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(lower, { fatal: true, ignoreBOM: true });
  } catch {
    throw new RangeError(
      `Cannot use the encoding "${label}": it is none that TextDecoder knows`,
    );
  }
  if (decoder.encoding === "utf-8") return makeUtf8(decoder);
  if (tryDecode(decoder, ASCII_BYTES) !== ASCII) {
    throw new RangeError(
      `Cannot use the encoding "${label}": commands and replies must be ASCII in it`,
    );
  }
  return makeLegacy(lower, decoder);
}

function makeUtf8(decoder: TextDecoder): Encoding {
  const encoder = new TextEncoder();
  return {
    label: "utf-8",
    decode: (bytes) => decodeEscaping(decoder, bytes),
    encode: (text) =>
      LONE_SURROGATE_REGEXP.test(text)
        ? encodeByCharacter(text, "utf-8", (char) => encoder.encode(char))
        : encoder.encode(text),
  };
}

function makeLatin1(label: string): Encoding {
  const PIECE = 8192; // arguments of one fromCharCode call
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
  let bytesOf: Map<string, Uint8Array> | undefined;
  return {
    label,
    decode: (bytes) => decodeEscaping(decoder, bytes),
    encode: (text) =>
      encodeByCharacter(
        text,
        label,
        (char) => (bytesOf ??= invert(decoder)).get(char),
      ),
  };
}

/** What one byte, or two, decode to, turned round: there is no TextEncoder. */
function invert(decoder: TextDecoder): Map<string, Uint8Array> {
  const bytesOf = new Map<string, Uint8Array>();
  const leads: number[] = [];
  for (let byte = 0; byte < 256; byte++) {
    const char = tryDecode(decoder, Uint8Array.of(byte));
    if (char === undefined) leads.push(byte);
    else if (!bytesOf.has(char)) bytesOf.set(char, Uint8Array.of(byte));
  }
  for (const lead of leads) {
    for (let trail = 0x30; trail < 256; trail++) {
      const bytes = Uint8Array.of(lead, trail);
      const char = tryDecode(decoder, bytes);
      if (char !== undefined && [...char].length === 1 && !bytesOf.has(char)) {
        bytesOf.set(char, bytes);
      }
    }
  }
  return bytesOf;
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

/** Longest byte sequence of one character in any encoding of the web. */
const MAX_SEQUENCE = 4;

function decodeEscaping(decoder: TextDecoder, bytes: Uint8Array): string {
  const whole = tryDecode(decoder, bytes);
  if (whole !== undefined) return whole;
  const end = bytes.indexOf(LF) + 1;
  if (end > 0 && end < bytes.length) return decodeLines(decoder, bytes);
  let text = "";
  for (let i = 0; i < bytes.length;) {
    let taken = 0;
    for (let n = 1; n <= MAX_SEQUENCE && i + n <= bytes.length; n++) {
      const char = tryDecode(decoder, bytes.subarray(i, i + n));
      if (char === undefined) continue;
      text += char;
      taken = n;
      break;
    }
    if (taken === 0) {
      text += String.fromCharCode(0xDC00 + bytes[i]!);
      taken = 1;
    }
    i += taken;
  }
  return text;
}

/** Line by line, so that one bad name does not slow a whole listing down. */
function decodeLines(decoder: TextDecoder, bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(LF, start) + 1 || bytes.length;
    text += decodeEscaping(decoder, bytes.subarray(start, end));
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
