/**
 * The formats of listings that are read in TypeScript, in the order in which
 * they are tried. MLSD, Unix and DOS are the WASM parser's and come first.
 *
 * @module
 */

import type { ListingFormat } from "./listing_format.ts";

/** Names of the formats: those of the WASM parser, then those of the table. */
export type FormatName = "mlsd" | "unix" | "dos";

/** The rarer formats. Adding one touches its file, this table and the names. */
export const FORMATS: readonly ListingFormat[] = [];
