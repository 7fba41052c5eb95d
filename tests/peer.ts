// Shim, until all have moved to scripted/peer.ts.
export * from "./scripted/peer.ts";
