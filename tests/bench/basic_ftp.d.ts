/** The part of basic-ftp's parser that the benchmarks use. */
export function parseList(text: string): {
  name: string;
  isDirectory: boolean;
  size: number;
  modifiedAt?: Date;
}[];
