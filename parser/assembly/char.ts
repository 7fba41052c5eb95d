/** Bytes that mean something to the grammars, by the names RFC 20 gives them. */
export const enum Char {
  Lf = 0x0a,
  Cr = 0x0d,
  Space = 0x20,
  Hyphen = 0x2d,
  Zero = 0x30,
  One = 0x31,
}
