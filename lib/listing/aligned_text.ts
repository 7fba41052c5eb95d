/**
 * Text whose positions are those of its bytes, as far as it is ASCII.
 *
 * @module
 */

/** The fastest decoder, for ASCII. */
const asciiDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** One character for each byte. */
const byteDecoder = new TextDecoder("latin1");

/** Decodes bytes so that ASCII text has the same positions as in the bytes. */
export function toAlignedText(bytes: Uint8Array): string {
  const text = asciiDecoder.decode(bytes);
  // no character is longer than its bytes, so equal lengths mean equal
  // positions
  return text.length === bytes.length ? text : byteDecoder.decode(bytes);
}
