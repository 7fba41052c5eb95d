// Shim, until all have moved to scripted/mod.ts.
export * from "./scripted/mod.ts";
