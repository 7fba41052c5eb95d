/**
 * Encodes characters of legacy encodings: `TextEncoder` only supports UTF-8.
 *
 * Several byte sequences may decode to one character. The Encoding Standard's
 * encoders write one of them; names of files contain the others as well.
 *
 * @module
 */

const LF = 0x0A;

/** GB 18030's bytes; GBK uses 80, which decodes to the same character. */
const EURO_BYTES = Uint8Array.of(0xA2, 0xE3);

/** The character that a decoder returns for invalid bytes. */
const REPLACEMENT = "\uFFFD";

/**
 * Sequences that encoders do not write: NEC's selection of IBM's characters in
 * Shift_JIS, Hong Kong's supplement in Big5, and the double lines in Big5's
 * second row.
 */
const RARE: Record<string, (lead: number, trail: number) => boolean> = {
  shift_jis: (lead) => lead === 0xED || lead === 0xEE,
  big5: (lead, trail) =>
    lead < 0xA1 ||
    (lead === 0xA2 && [0xA4, 0xA5, 0xA6, 0xA7, 0xCC, 0xCE].includes(trail)),
};

/** Byte sequences of the characters of an encoding. */
export class CharacterTable {
  readonly #bytesOf = new Map<string, Uint8Array>();
  /** By code unit: whether no other sequence decodes to the character. */
  readonly #isFaithful = new Uint8Array(0x10000).fill(1, 0, 0x80);
  readonly #hasPlanes: boolean;

  /** Builds the table of an encoding, named as `TextDecoder` names it. */
  constructor(encoding: string) {
    this.#hasPlanes = encoding === "gb18030";
    if (this.#hasPlanes) this.#isFaithful.fill(1, 0xD800, 0xE000);
    const decoder = new TextDecoder(encoding, { ignoreBOM: true });
    const singles = Array.from({ length: 256 }, (_, byte) => [byte]);
    const leads = this.#add(decoder, singles);
    const pairs = product(leads, range(0x30, 0xFF));
    const isRare = ([lead, trail]: number[]) =>
      RARE[encoding]?.(lead!, trail!) === true;
    this.#add(decoder, pairs.filter((pair) => !isRare(pair)));
    this.#add(decoder, pairs.filter(isRare));
    if (encoding === "euc-jp") {
      const part = range(0xA1, 0xFE);
      this.#add(decoder, product([0x8F], part, part)); // JIS X 0212
    }
    if (this.#hasPlanes || encoding === "gbk") {
      const digit = range(0x30, 0x39);
      const part = range(0x81, 0xFE);
      this.#add(decoder, product(range(0x81, 0x84), digit, part, digit));
    }
    if (this.#hasPlanes) this.#bytesOf.set("€", EURO_BYTES);
    else this.#forgetLong();
  }

  /** Returns the bytes of a character, or `undefined` if it has none. */
  get(char: string): Uint8Array | undefined {
    const code = char.codePointAt(0)!;
    if (!this.#hasPlanes || code < 0x10000) return this.#bytesOf.get(char);
    const linear = code - 0x10000;
    return Uint8Array.of(
      0x90 + Math.floor(linear / 12600),
      0x30 + Math.floor(linear / 1260) % 10,
      0x81 + Math.floor(linear / 10) % 126,
      0x30 + linear % 10,
    );
  }

  /**
   * Whether a text can only have been decoded from the bytes it is encoded to.
   */
  isFaithful(text: string): boolean {
    for (let i = 0; i < text.length; i++) {
      if (this.#isFaithful[text.charCodeAt(i)] === 0) return false;
    }
    return true;
  }

  /**
   * Adds sequences, preferred ones first. Returns the first bytes of invalid
   * sequences.
   */
  #add(decoder: TextDecoder, sequences: number[][]): number[] {
    // one call decodes all: a line end also ends an invalid sequence
    const bytes = Uint8Array.from(sequences.flatMap((some) => [...some, LF]));
    const texts = decoder.decode(bytes).split("\n");
    const wrong: number[] = [];
    let at = 0;
    for (const sequence of sequences) {
      const [lead] = sequence;
      const text = lead === LF ? "\n" : texts[at]!;
      at += lead === LF ? 2 : 1;
      if (text.includes(REPLACEMENT)) wrong.push(lead!);
      else this.#learn(text, sequence);
    }
    return wrong;
  }

  /**
   * Removes sequences of four bytes: GBK has none, although its decoder accepts
   * them.
   */
  #forgetLong(): void {
    for (const [char, bytes] of this.#bytesOf) {
      if (bytes.length < 4) continue;
      this.#bytesOf.delete(char);
      this.#isFaithful[char.charCodeAt(0)] = 0;
    }
  }

  #learn(text: string, sequence: number[]): void {
    const isOne = [...text].length === 1;
    const isNew = isOne && !this.#bytesOf.has(text);
    if (isNew) this.#bytesOf.set(text, Uint8Array.from(sequence));
    for (let i = 0; i < text.length; i++) {
      // a surrogate is part of many characters, which are checked one by one
      const isHalf = isOne && text.length > 1;
      this.#isFaithful[text.charCodeAt(i)] = isNew && !isHalf ? 1 : 0;
    }
  }
}

const tables = new Map<string, CharacterTable>();

/** Returns the table of an encoding, built on first use. */
export function tableOf(encoding: string): CharacterTable {
  let table = tables.get(encoding);
  if (table === undefined) {
    tables.set(encoding, table = new CharacterTable(encoding));
  }
  return table;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** Lists every sequence with one byte from each list. */
function product(...lists: number[][]): number[][] {
  return lists.reduce<number[][]>(
    (heads, list) =>
      heads.flatMap((head) => list.map((byte) => [...head, byte])),
    [[]],
  );
}
