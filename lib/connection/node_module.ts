/**
 * Modules of Node that few calls need, loaded at first use.
 *
 * Loading `node:net`, `node:fs` or `node:crypto` costs 35 to 60 ms of processor
 * time, more than the rest of this module. An `import` would load them at the
 * start, and in `dist/ftp.js` even if only a lazily imported file needs them.
 *
 * @module
 */

/** The modules by their name. */
interface NodeModules {
  "node:crypto": typeof import("node:crypto");
  "node:dns/promises": typeof import("node:dns/promises");
  "node:fs": typeof import("node:fs");
  "node:net": typeof import("node:net");
  "node:os": typeof import("node:os");
  "node:stream": typeof import("node:stream");
  "node:timers": typeof import("node:timers");
  "node:tls": typeof import("node:tls");
  "node:worker_threads": typeof import("node:worker_threads");
  "node:zlib": typeof import("node:zlib");
}

/** The part of `globalThis.process` that is used; reading it loads `node:process`. */
interface Process {
  getBuiltinModule<Name extends keyof NodeModules>(
    name: Name,
  ): NodeModules[Name];
}

/** Loads a module of Node, synchronously. */
export function nodeModule<Name extends keyof NodeModules>(
  name: Name,
): NodeModules[Name] {
  const { process } = globalThis as unknown as { process: Process };
  return process.getBuiltinModule(name);
}
