/**
 * The way back from the characters of an encoding to their bytes: there is no
 * `TextEncoder` but for UTF-8.
 *
 * Several sequences of bytes may decode to one character. One of them is that
 * which everybody writes (as the Encoding Standard's encoders have it), the
 * others are found in names of files all the same.
 *
 * @module
 */

const LF = 0x0A;

/** In GB 18030; GBK has 80, which is decoded there, too. */
const EURO_BYTES = Uint8Array.of(0xA2, 0xE3);

/** What a decoder has for what is no character. */
const REPLACEMENT = "\uFFFD";

/**
 * What nobody writes: in Shift_JIS NEC's selection of IBM's characters, in Big5
 * Hong Kong's supplement, and double lines of Big5's second row.
 */
const RARE: Record<string, (lead: number, trail: number) => boolean> = {
  shift_jis: (lead) => lead === 0xED || lead === 0xEE,
  big5: (lead, trail) =>
    lead < 0xA1 ||
    (lead === 0xA2 && [0xA4, 0xA5, 0xA6, 0xA7, 0xCC, 0xCE].includes(trail)),
};

/** What the characters of an encoding are in bytes. */
export class CharacterTable {
  readonly #bytesOf = new Map<string, Uint8Array>();
  /** By code unit: whether nothing else decodes to the character. */
  readonly #isFaithful = new Uint8Array(0x10000).fill(1, 0, 0x80);
  readonly #hasPlanes: boolean;

  /**
   * Makes the table of an encoding.
   *
   * @param encoding The name that `TextDecoder` gives it
   */
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

  /**
   * The bytes of a character.
   *
   * @param char The character
   * @returns Its bytes, or `undefined` if it has none
   */
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
   * Tells whether a text can have been decoded from one sequence of bytes only,
   * which is the one that it is encoded to.
   *
   * @param text The text
   * @returns Whether it can
   */
  isFaithful(text: string): boolean {
    for (let i = 0; i < text.length; i++) {
      if (this.#isFaithful[text.charCodeAt(i)] === 0) return false;
    }
    return true;
  }

  /**
   * Adds sequences, those that are to be preferred first.
   *
   * @returns The first bytes of those that are no character
   */
  #add(decoder: TextDecoder, sequences: number[][]): number[] {
    // all at once: a line end ends what is no character, too
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

  /** GBK has no sequences of four, though its decoder has them. */
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
      // a half of a pair stands for many: those are looked at one by one
      const isHalf = isOne && text.length > 1;
      this.#isFaithful[text.charCodeAt(i)] = isNew && !isHalf ? 1 : 0;
    }
  }
}

const tables = new Map<string, CharacterTable>();

/**
 * The table of an encoding, made when it is first asked for.
 *
 * @param encoding The name that `TextDecoder` gives it
 * @returns The table
 */
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

/** Every sequence of one byte of each list. */
function product(...lists: number[][]): number[][] {
  return lists.reduce<number[][]>(
    (heads, list) =>
      heads.flatMap((head) => list.map((byte) => [...head, byte])),
    [[]],
  );
}
