/**
 * Types of `ftp.js`: those of the sources.
 *
 * @module
 */

export * from "../mod.ts";
