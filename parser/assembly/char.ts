/** Bytes of the grammars, by their names in RFC 20. */
export const enum Char {
  Tab = 0x09,
  Lf = 0x0a,
  Cr = 0x0d,
  Space = 0x20,
  Apostrophe = 0x27,
  Plus = 0x2b,
  Comma = 0x2c,
  Hyphen = 0x2d,
  Dot = 0x2e,
  Slash = 0x2f,
  Zero = 0x30,
  One = 0x31,
  Nine = 0x39,
  Colon = 0x3a,
  Semicolon = 0x3b,
  Less = 0x3c,
  Equals = 0x3d,
  Greater = 0x3e,
  At = 0x40,
  A = 0x41,
  D = 0x44,
  L = 0x4c,
  N = 0x4e,
  S = 0x53,
  T = 0x54,
  LeftBracket = 0x5b,
  RightBracket = 0x5d,
  Underscore = 0x5f,
  a = 0x61,
  b = 0x62,
  c = 0x63,
  d = 0x64,
  e = 0x65,
  f = 0x66,
  g = 0x67,
  j = 0x6a,
  k = 0x6b,
  l = 0x6c,
  m = 0x6d,
  p = 0x70,
  r = 0x72,
  s = 0x73,
  t = 0x74,
  w = 0x77,
  x = 0x78,
  z = 0x7a,
}

/** The bit that distinguishes lower-case from upper-case letters. */
export const CASE_BIT: u32 = 0x20;

/** Short texts as one load reads them: little-endian. */
export const enum Text {
  /** ".." */
  DotDot = 0x2e2e,
  /** "er" */
  Er = 0x7265,
  /** "fy=" */
  FyEquals = 0x3d7966,
  /** "gid" */
  Gid = 0x646967,
  /** "uid" */
  Uid = 0x646975,
  /** "dir" */
  Dir = 0x726964,
  /** "****" */
  Stars = 0x2a2a2a2a,
  /** " -> " */
  Arrow = 0x203e2d20,
  /** " => " */
  DoubleArrow = 0x203e3d20,
  /** "fold" */
  Fold = 0x646c6f66,
  /** "sizd" */
  Sizd = 0x647a6973,
  /** "mode" */
  Mode = 0x65646f6d,
  /** "file" */
  File = 0x656c6966,
  /** "name" */
  Name = 0x656d616e,
  /** "owne" */
  Owne = 0x656e776f,
  /** "type" */
  Type = 0x65707974,
  /** "size" */
  Size = 0x657a6973,
  /** "modi" */
  Modi = 0x69646f6d,
  /** "link" */
  Link = 0x6b6e696c,
  /** "cdir" */
  Cdir = 0x72696463,
  /** "pdir" */
  Pdir = 0x72696470,
  /** "grou" */
  Grou = 0x756f7267,
  /** "unix" */
  Unix = 0x78696e75,
}
