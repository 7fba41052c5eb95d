// @ts-self-types="./ftp.d.ts"
// Built from mod.ts by "deno task build:dist": edit the sources instead.
var __defProp = Object.defineProperty;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __esm = (fn, res) => function __init() {
  return fn && (res = (0, fn[__getOwnPropNames(fn)[0]])(fn = 0)), res;
};
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};

// lib/protocol/printable.ts
function printable(text) {
  return PLAIN_REGEXP.test(text) ? text : text.replace(MISLEADING_REGEXP, "\uFFFD");
}
function printableLine(text) {
  return printable(text).replaceAll("\n", "\uFFFD");
}
function printableText(line) {
  return line.split("	").map(printable).join("	");
}
function quote(name) {
  return `"${printableLine(name)}"`;
}
function quoteEscaped(text) {
  return printableLine(JSON.stringify(text));
}
function printableInspection(shown) {
  return shown.replace(UNESCAPED_REGEXP, "\uFFFD");
}
function printableRecord(record) {
  return Object.defineProperty(record, Symbol.for("Deno.customInspect"), {
    value: (inspect, options) => printableInspection(inspect({
      ...record
    }, options))
  });
}
function printableError(error) {
  let next = error;
  for (let depth = 0; next instanceof Error && depth < MAX_CAUSES; depth++) {
    if (CLASSES.has(next.constructor)) cleanError(next);
    next = next.cause;
  }
  return error;
}
function cleanError(error) {
  const { message, stack } = error;
  if (typeof message !== "string" || PLAIN_REGEXP.test(message)) return;
  try {
    error.message = printable(message);
    if (stack !== void 0) error.stack = printable(stack);
  } catch {
  }
}
var PLAIN_REGEXP, MISLEADING_REGEXP, UNESCAPED_REGEXP, CLASSES, MAX_CAUSES;
var init_printable = __esm({
  "lib/protocol/printable.ts"() {
    PLAIN_REGEXP = /^[\n -~]*$/;
    MISLEADING_REGEXP = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E007F}\uD800-\uDFFF]|(?<=[ -~\n]|^)[\u200C\u200D]|[\u200C\u200D](?=[ -~\n\u200C\u200D]|$)/gu;
    UNESCAPED_REGEXP = /[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E007F}\uD800-\uDFFF]/gu;
    CLASSES = /* @__PURE__ */ new Set([
      Error,
      TypeError,
      RangeError,
      SyntaxError,
      AggregateError,
      ...Object.values(Deno.errors)
    ]);
    MAX_CAUSES = 32;
  }
});

// lib/protocol/check_word.ts
function checkWord(name, word, words, others = []) {
  if (word === void 0 || words.includes(word)) return;
  const allowed = [
    ...words.map((word2) => `"${word2}"`),
    ...others
  ];
  const last = allowed.pop();
  throw new TypeError(`Cannot use ${name} ${showValue(word)}: it must be ${allowed.length === 0 ? last : `${allowed.join(", ")} or ${last}`}`);
}
function showValue(value) {
  if (typeof value === "string") return quote(value);
  const isPlain2 = value === null || typeof value === "boolean" || typeof value === "number";
  return isPlain2 ? String(value) : `a value of type ${typeof value}`;
}
var init_check_word = __esm({
  "lib/protocol/check_word.ts"() {
    init_printable();
  }
});

// lib/protocol/option_names.ts
var CLIENT_OPTIONS, LOGIN_OPTIONS, TLS_OPTIONS;
var init_option_names = __esm({
  "lib/protocol/option_names.ts"() {
    CLIENT_OPTIONS = {
      encoding: true,
      timeout: true,
      passive: true,
      activeAddress: true,
      allowEPRT: true,
      localAddress: true,
      dial: true,
      proxy: true,
      activePorts: true,
      trustPasvHost: true,
      tls: true,
      trace: true,
      maxReplyLine: true,
      maxReply: true,
      maxLine: true,
      maxListing: true,
      multiline: true,
      pipelining: true,
      serverZone: true,
      virtualHost: true,
      afterLogin: true,
      compress: true,
      profile: true
    };
    LOGIN_OPTIONS = {
      port: true,
      user: true,
      password: true,
      account: true,
      netrc: true
    };
    TLS_OPTIONS = {
      mode: true,
      data: true,
      allowAuthSSL: true,
      caCerts: true,
      fingerprint: true,
      cert: true,
      key: true,
      serverName: true,
      minVersion: true,
      maxVersion: true,
      isolate: true,
      allowMissingCloseNotify: true,
      dangerouslyAcceptAnyCertificate: true
    };
  }
});

// lib/protocol/check_names.ts
function isObject(value) {
  return typeof value === "object" && value !== null;
}
function isPattern(value) {
  return typeof value === "string" || value instanceof RegExp;
}
function checkNames(where, options, names) {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot use ${showValue(options)} as the options of ${where}: pass an object`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === void 0) continue;
    if (!Object.hasOwn(names, name)) {
      const valid = Object.keys(names).sort();
      throw new TypeError(`Unknown option ${quote(name)} of ${where}: ${adviceFor(name, valid)}use one of ${valid.join(", ")}`);
    }
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : void 0;
    if (kind !== void 0) checkKind(name, value, kind);
  }
}
function adviceFor(name, valid) {
  const folded = name.toLowerCase();
  const synonyms = Object.hasOwn(SYNONYMS, folded) ? SYNONYMS[folded] : [];
  const meant = valid.find((option) => option.toLowerCase() === folded) ?? valid.find((option) => synonyms.includes(option));
  if (meant !== void 0) return `did you mean "${meant}"? Or `;
  if (Object.hasOwn(CLIENT_OPTIONS, name)) {
    return "it is an option of connect() and FTP; or ";
  }
  if (Object.hasOwn(LOGIN_OPTIONS, name)) {
    return "it is an option of connect(); or ";
  }
  if (Object.hasOwn(TLS_OPTIONS, name)) {
    return `it is an option of tls, as in { tls: { ${name}: ... } }; or `;
  }
  const near = valid.find((option) => isNear(folded, option.toLowerCase()));
  return near === void 0 ? "" : `did you mean "${near}"? Or `;
}
function isNear(a, b) {
  if (a.length > b.length) return isNear(b, a);
  if (a.length < 3 || b.length - a.length > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const [restA, restB] = [
    a.slice(start),
    b.slice(start)
  ];
  if (a.length < b.length) return restA === restB.slice(1);
  return restA.slice(1) === restB.slice(1) || restA.slice(2) === restB.slice(2) && restA[0] === restB[1] && restA[1] === restB[0];
}
function checkFunction(name, value) {
  checkKind(name, value, FUNCTION);
}
function checkSignal(value) {
  if (value !== void 0) checkKind("signal", value, SIGNAL);
}
function checkKind(name, value, { is, words }) {
  if (is(value)) return;
  const shown = typeof value === "string" ? "a string" : showValue(value);
  throw new TypeError(`Cannot use ${shown} as "${name}": it must be ${words}`);
}
var FUNCTION, BOOLEAN, PASSIVE, SIGNAL, TEXT, URL_TEXT, STORE, PATTERNS, KINDS, SYNONYMS;
var init_check_names = __esm({
  "lib/protocol/check_names.ts"() {
    init_check_word();
    init_option_names();
    init_printable();
    FUNCTION = {
      is: (value) => typeof value === "function",
      words: "a function"
    };
    BOOLEAN = {
      is: (value) => typeof value === "boolean",
      words: "true or false"
    };
    PASSIVE = {
      is: (value) => [
        true,
        false,
        "auto",
        "epsv",
        "pasv"
      ].includes(value),
      words: 'true, false, "auto", "epsv" or "pasv"'
    };
    SIGNAL = {
      is: (value) => value instanceof AbortSignal,
      words: "an AbortSignal"
    };
    TEXT = {
      is: (value) => typeof value === "string",
      words: "a string"
    };
    URL_TEXT = {
      is: (value) => typeof value === "string" || value instanceof URL,
      words: "a URL"
    };
    STORE = {
      is: (value) => isObject(value) && typeof value.load === "function" && typeof value.save === "function",
      words: "an object with the functions load and save"
    };
    PATTERNS = {
      is: (value) => Array.isArray(value) ? value.every(isPattern) : isPattern(value),
      words: "a glob, a regular expression, or an array of these"
    };
    KINDS = {
      signal: SIGNAL,
      callback: FUNCTION,
      dial: FUNCTION,
      filter: FUNCTION,
      onEntry: FUNCTION,
      onError: FUNCTION,
      onProgress: FUNCTION,
      onRetry: FUNCTION,
      onUnknown: FUNCTION,
      temporaryName: FUNCTION,
      trace: FUNCTION,
      all: BOOLEAN,
      allVersions: BOOLEAN,
      allowAuthSSL: BOOLEAN,
      allowEPRT: BOOLEAN,
      append: BOOLEAN,
      atomic: BOOLEAN,
      compress: BOOLEAN,
      dangerouslyAcceptAnyCertificate: BOOLEAN,
      delete: BOOLEAN,
      dryRun: BOOLEAN,
      followSymlinks: BOOLEAN,
      includeDirs: BOOLEAN,
      includeFiles: BOOLEAN,
      includeSymlinks: BOOLEAN,
      isolate: BOOLEAN,
      mtime: BOOLEAN,
      passive: PASSIVE,
      pipelining: BOOLEAN,
      recursive: BOOLEAN,
      removeSource: BOOLEAN,
      resume: BOOLEAN,
      reuse: BOOLEAN,
      sync: BOOLEAN,
      trustPasvHost: BOOLEAN,
      account: TEXT,
      activeAddress: TEXT,
      cert: TEXT,
      key: TEXT,
      localAddress: TEXT,
      virtualHost: TEXT,
      password: TEXT,
      profile: STORE,
      proxy: URL_TEXT,
      serverName: TEXT,
      user: TEXT,
      match: PATTERNS,
      skip: PATTERNS
    };
    SYNONYMS = {
      abortsignal: [
        "signal"
      ],
      ca: [
        "caCerts"
      ],
      charset: [
        "encoding"
      ],
      concurrency: [
        "connections"
      ],
      depth: [
        "maxDepth"
      ],
      exclude: [
        "filter",
        "skip"
      ],
      include: [
        "filter",
        "match"
      ],
      login: [
        "user"
      ],
      parallel: [
        "connections"
      ],
      pass: [
        "password"
      ],
      passwd: [
        "password"
      ],
      pasv: [
        "passive"
      ],
      progress: [
        "onProgress"
      ],
      retries: [
        "retry"
      ],
      secure: [
        "tls"
      ],
      ssl: [
        "tls"
      ],
      username: [
        "user"
      ]
    };
  }
});

// lib/protocol/bytes.ts
function isEqual(a, b) {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
function joinBytes(parts) {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined2 = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined2.set(part, at);
    at += part.length;
  }
  return joined2;
}
var init_bytes = __esm({
  "lib/protocol/bytes.ts"() {
  }
});

// lib/protocol/check_number.ts
function checkNumber(name, value, { isInteger = false, most = Infinity } = {}) {
  if (value === void 0 || value === Infinity) return;
  const isFit = typeof value === "number" && value <= most && value >= 0 && (!isInteger || Number.isInteger(value));
  if (isFit) return;
  const kind = isInteger ? "an integer" : "a number";
  const end = most === Infinity ? "" : ` to ${most}`;
  throw new RangeError(`Cannot use ${name} ${showValue(value)}: it must be ${kind} from 0${end}, or Infinity`);
}
var MAX_MILLISECONDS;
var init_check_number = __esm({
  "lib/protocol/check_number.ts"() {
    init_check_word();
    MAX_MILLISECONDS = 2 ** 31 - 1;
  }
});

// lib/connection/waiting.ts
function onAbort(signal, call) {
  let calls = abortCalls.get(signal);
  if (calls === void 0) {
    abortCalls.set(signal, calls = new AbortCalls(signal));
  }
  calls.add(call);
}
function offAbort(signal, call) {
  if (signal !== void 0) abortCalls.get(signal)?.delete(call);
}
function abortable(promise, signal) {
  if (signal === void 0) return promise;
  return new Promise((resolve2, reject) => {
    const end = () => reject(signal.reason);
    promise.then((value) => {
      offAbort(signal, end);
      resolve2(value);
    }, (error) => {
      offAbort(signal, end);
      reject(error);
    });
    if (signal.aborted) queueMicrotask(end);
    else onAbort(signal, end);
  });
}
function anySignal(signal, ...others) {
  const more = others.filter((other) => other !== void 0 && other !== signal);
  return more.length === 0 ? signal : AbortSignal.any([
    signal,
    ...more
  ]);
}
async function withEither(first, second, run2) {
  const controller = new AbortController();
  const onFirst = () => controller.abort(first.reason);
  const onSecond = () => controller.abort(second.reason);
  if (first.aborted) onFirst();
  else if (second.aborted) onSecond();
  onAbort(first, onFirst);
  onAbort(second, onSecond);
  try {
    return await run2(controller.signal);
  } finally {
    offAbort(first, onFirst);
    offAbort(second, onSecond);
  }
}
async function delay(milliseconds, signal) {
  const { promise, resolve: resolve2 } = Promise.withResolvers();
  const timer = setTimeout(resolve2, Math.min(milliseconds, MAX_MILLISECONDS));
  try {
    await abortable(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}
async function within(timeout, signal, late, run2, { ticker, ended } = {}) {
  signal?.throwIfAborted();
  ended?.throwIfAborted();
  const controller = new AbortController();
  const follow = () => controller.abort((ended?.aborted ? ended : signal).reason);
  if (signal !== void 0) onAbort(signal, follow);
  if (ended !== void 0) onAbort(ended, follow);
  const expire = () => controller.abort(late());
  const isShared = ticker !== void 0 && ticker.timeout === timeout;
  const watchdog = isShared ? new Watchdog(timeout, expire, ticker) : void 0;
  watchdog?.begin();
  const timer = timeout > 0 && !isShared ? setTimeout(expire, Math.min(timeout, MAX_MILLISECONDS)) : void 0;
  try {
    return await run2(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    watchdog?.end();
    if (timer !== void 0) clearTimeout(timer);
    offAbort(signal, follow);
    offAbort(ended, follow);
  }
}
async function settle(promise, timeout) {
  const { promise: late, resolve: resolve2 } = Promise.withResolvers();
  const timer = setTimeout(() => resolve2(void 0), timeout);
  try {
    return await Promise.race([
      promise,
      late
    ]);
  } catch {
    return void 0;
  } finally {
    clearTimeout(timer);
  }
}
var TICKS, Ticker, Watchdog, AbortCalls, abortCalls, DelayedSignal;
var init_waiting = __esm({
  "lib/connection/waiting.ts"() {
    init_check_number();
    TICKS = 8;
    Ticker = class {
      /** The time-out in milliseconds; 0 for none. */
      timeout;
      /** Those that wait. A `Set` would allocate for each wait. */
      #running = [];
      #timer;
      #isReleased = false;
      /** Calls whose waits follow each other. */
      #calls = 0;
      /** Creates a ticker without a timer. */
      constructor(timeout) {
        this.timeout = timeout;
      }
      /**
       * Adds a watchdog that waits.
       *
       * @returns Whether a whole time-out starts now; otherwise the next tick comes
       * early
       */
      start(watchdog) {
        if (this.timeout === 0) return false;
        this.#running.push(watchdog);
        if (this.#timer === void 0) {
          this.#schedule();
          return true;
        }
        if (this.#running.length === 1 && this.#calls === 0) {
          Deno.refTimer(this.#timer);
        }
        return false;
      }
      /** Removes a watchdog. Alone, the timer does not keep the program alive. */
      end(watchdog) {
        const index = this.#running.indexOf(watchdog);
        if (index < 0) return;
        this.#running[index] = this.#running.at(-1);
        this.#running.pop();
        this.#settle();
      }
      /**
       * Runs a call whose waits follow each other: the timer keeps the program
       * alive between them, which costs less than a change for each wait.
       */
      async during(call) {
        const isFirst = this.#calls++ === 0 && this.#running.length === 0;
        if (isFirst && this.#timer !== void 0) Deno.refTimer(this.#timer);
        try {
          return await call();
        } finally {
          this.#calls--;
          this.#settle();
        }
      }
      /** Ends the timer's effect on the program, unless something waits. */
      #settle() {
        if (this.#running.length > 0) return;
        if (this.#isReleased) this.#clear();
        else if (this.#calls === 0 && this.#timer !== void 0) {
          Deno.unrefTimer(this.#timer);
        }
      }
      /** Ends the timer as soon as no watchdog waits. */
      release() {
        this.#isReleased = true;
        if (this.#running.length === 0) this.#clear();
      }
      #clear() {
        clearTimeout(this.#timer);
        this.#timer = void 0;
      }
      #schedule() {
        this.#timer = setTimeout(() => this.#tick(), this.timeout / TICKS);
      }
      #tick() {
        this.#timer = void 0;
        if (this.#running.length === 0) return;
        this.#schedule();
        for (const watchdog of [
          ...this.#running
        ]) watchdog.tick();
      }
    };
    Watchdog = class {
      #ticker;
      #isShared;
      #onExpire;
      #waits = 0;
      #progress = 0;
      #seen = 0;
      #idleTicks = 0;
      #isStopped = false;
      /**
       * Creates a watchdog without a wait.
       *
       * @param timeout Milliseconds without progress until `onExpire` is called; 0
       * for never
       * @param onExpire Called once, if a wait made no progress for that time
       * @param ticker A timer that others use, too
       */
      constructor(timeout, onExpire, ticker) {
        this.#isShared = ticker?.timeout === timeout;
        this.#ticker = this.#isShared ? ticker : new Ticker(timeout);
        this.#onExpire = onExpire;
      }
      /** Number of pending waits. */
      get waits() {
        return this.#waits;
      }
      /** Its timer, which other watchdogs may share. */
      get ticker() {
        return this.#ticker;
      }
      /** Starts a wait. The first one starts the timer. */
      begin() {
        if (this.#waits++ > 0 || this.#isStopped) return;
        this.#progress++;
        if (this.#ticker.start(this)) this.#restart();
      }
      /** Ends a wait. Without waits, the timer does not keep the program alive. */
      end() {
        if (--this.#waits === 0) this.#ticker.end(this);
      }
      /** Reports progress. */
      touch() {
        this.#progress++;
      }
      /** Stops permanently: later waits are not limited. */
      stop() {
        this.#isStopped = true;
        this.#ticker.end(this);
        if (!this.#isShared) this.#ticker.release();
      }
      /** Called by the timer while a wait is pending. */
      tick() {
        if (this.#seen !== this.#progress) return this.#restart();
        if (++this.#idleTicks < TICKS) return;
        this.#isStopped = true;
        this.#ticker.end(this);
        this.#onExpire();
      }
      #restart() {
        this.#seen = this.#progress;
        this.#idleTicks = 0;
      }
    };
    AbortCalls = class {
      #signal;
      #calls = /* @__PURE__ */ new Set();
      constructor(signal) {
        this.#signal = signal;
      }
      add(call) {
        if (this.#calls.size === 0) {
          this.#signal.addEventListener("abort", this.#run, {
            once: true
          });
        }
        this.#calls.add(call);
      }
      delete(call) {
        if (!this.#calls.delete(call) || this.#calls.size > 0) return;
        this.#signal.removeEventListener("abort", this.#run);
      }
      #run = () => {
        const calls = [
          ...this.#calls
        ];
        this.#calls.clear();
        for (const call of calls) call();
      };
    };
    abortCalls = /* @__PURE__ */ new WeakMap();
    DelayedSignal = class {
      /** The delayed signal; `undefined` if there is nothing to follow. */
      signal;
      #source;
      #follow;
      #timer;
      /**
       * Follows a signal.
       *
       * @param delay Milliseconds between the two; 0 for none
       */
      constructor(source, delay2) {
        const isFollowing = source !== void 0 && delay2 > 0;
        this.#source = isFollowing ? source : void 0;
        if (!isFollowing) {
          this.signal = source;
          return;
        }
        const controller = new AbortController();
        this.#follow = () => {
          const abort = () => controller.abort(source.reason);
          this.#timer = setTimeout(abort, delay2);
        };
        this.signal = controller.signal;
        onAbort(source, this.#follow);
      }
      /** Stops following. */
      release() {
        if (this.#follow === void 0) return;
        clearTimeout(this.#timer);
        offAbort(this.#source, this.#follow);
      }
    };
  }
});

// lib/tls/errors.ts
function explainFault({ reason, detail }, fingerprint) {
  if (!PINNABLE.includes(reason)) return detail;
  const advice = fingerprint === void 0 ? 'or pin its SHA-256 with tls: { fingerprint: "..." }' : `or, if the server's operator names this SHA-256, pin it with tls: { fingerprint: "${fingerprint}" }`;
  return `${detail}, ${advice}`;
}
function readHandshakeError(message, code) {
  const known = FAULTS[code];
  if (known !== void 0) return known;
  const incompatible = message.search(/peer is incompatible/i);
  if (/ProtocolVersion/i.test(message) || incompatible >= 0 && /version/i.test(message.slice(incompatible))) {
    return VERSION;
  }
  if (code === "ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY" || /HandshakeFailure|peer is incompatible|CipherSuite/i.test(message)) {
    return {
      reason: "cipher",
      detail: `the server supports none of the offered cipher suites, or requires a client certificate (${message})`
    };
  }
  return {
    reason: "broken",
    detail: message
  };
}
function readClearAnswer(bytes2) {
  const first = bytes2[0];
  if (first === void 0 || first === 22 || first === 21) return void 0;
  const quote2 = new TextDecoder().decode(bytes2.subarray(0, QUOTE_SIZE)).split(/[\r\n]/, 1)[0].replace(/[^ -~]+/g, "?");
  return {
    reason: "not-tls",
    detail: `the server answered in clear text: ${JSON.stringify(quote2)}` + (/^\d{3}/.test(quote2) ? ' (for a server that starts in clear text, use the mode "explicit")' : "")
  };
}
var TLSError, SELF_SIGNED, UNKNOWN_CA, EXPIRED, VERSION, CLIENT_CERTIFICATE, PINNABLE, FAULTS, QUOTE_SIZE;
var init_errors = __esm({
  "lib/tls/errors.ts"() {
    init_printable();
    TLSError = class extends Deno.errors.InvalidData {
      /** Name of the class. */
      name = "TLSError";
      /** Why TLS failed, for programs. */
      reason;
      /**
       * SHA-256 of the server's certificate, if the server showed one. Compare it
       * with the fingerprint that the server's operator gives, then pin it. With
       * TLS 1.3, a certificate that the platform refuses cannot be seen.
       */
      fingerprint;
      /**
       * Creates an error.
       *
       * @param message The action, its object, the reason, and what to do
       * @param options Reason, fingerprint and cause
       */
      constructor(message, options) {
        super(printable(message), options.cause === void 0 ? void 0 : {
          cause: options.cause
        });
        this.reason = options.reason;
        this.fingerprint = options.fingerprint;
      }
    };
    SELF_SIGNED = {
      reason: "self-signed",
      detail: "the certificate is self-signed: trust it with `caCerts`"
    };
    UNKNOWN_CA = {
      reason: "unknown-ca",
      detail: "the certificate was issued by an authority that is not trusted here: add that authority's certificate to `caCerts`"
    };
    EXPIRED = {
      reason: "expired",
      detail: "the certificate has expired"
    };
    VERSION = {
      reason: "version",
      detail: "the server supports none of the offered TLS versions: see `minVersion` and `maxVersion` (versions below TLS 1.2 are not supported)"
    };
    CLIENT_CERTIFICATE = {
      reason: "client-certificate",
      detail: "the server does not accept the client's certificate, or requires one: see `cert` and `key`"
    };
    PINNABLE = [
      "self-signed",
      "unknown-ca"
    ];
    FAULTS = {
      CERT_HAS_EXPIRED: EXPIRED,
      CERT_NOT_YET_VALID: {
        reason: "not-yet-valid",
        detail: "the certificate is not valid yet: check this machine's clock"
      },
      CERT_REVOKED: {
        reason: "bad-certificate",
        detail: "the certificate has been revoked"
      },
      INVALID_PURPOSE: {
        reason: "bad-certificate",
        detail: "the certificate is not meant for servers"
      },
      DEPTH_ZERO_SELF_SIGNED_CERT: SELF_SIGNED,
      SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
      UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
      UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
      UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
      ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: VERSION,
      ERR_SSL_UNSUPPORTED_PROTOCOL: VERSION,
      ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: CLIENT_CERTIFICATE,
      ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: CLIENT_CERTIFICATE,
      ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: CLIENT_CERTIFICATE,
      ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: CLIENT_CERTIFICATE,
      ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: CLIENT_CERTIFICATE,
      ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: CLIENT_CERTIFICATE,
      ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: CLIENT_CERTIFICATE
    };
    QUOTE_SIZE = 80;
  }
});

// lib/connection/byte_stream.ts
async function writeAll(stream, bytes2) {
  let written = 0;
  while (written < bytes2.length) {
    written += await stream.write(bytes2.subarray(written));
  }
}
function closeQuietly(closable) {
  try {
    const closing = closable.close();
    if (closing !== void 0) Promise.resolve(closing).catch(() => {
    });
  } catch {
  }
}
async function drain(stream) {
  const buffer2 = new Uint8Array(DRAIN_SIZE);
  try {
    while (await stream.read(buffer2) !== null) ;
  } catch {
  }
}
function freeMemory({ buffer: buffer2, byteLength }) {
  if (buffer2 instanceof ArrayBuffer && buffer2.byteLength === byteLength) {
    buffer2.transfer(0);
  }
}
var DRAIN_SIZE;
var init_byte_stream = __esm({
  "lib/connection/byte_stream.ts"() {
    DRAIN_SIZE = 64 * 1024;
  }
});

// lib/protocol/byte_buffer.ts
function copyOf2(bytes2, from, to) {
  const copied = new Uint8Array(to - from);
  copy(bytes2, from, to, copied, 0);
  return copied;
}
function copy(bytes2, from, to, target, start) {
  if (to - from > SHORT) {
    target.set(bytes2.subarray(from, to), start);
    return;
  }
  for (let at = from; at < to; at++) target[start + at - from] = bytes2[at];
}
var MIN_CAPACITY, MAX_IDLE_CAPACITY, SHORT, ByteBuffer;
var init_byte_buffer = __esm({
  "lib/protocol/byte_buffer.ts"() {
    MIN_CAPACITY = 256;
    MAX_IDLE_CAPACITY = 65536;
    SHORT = 48;
    ByteBuffer = class {
      #bytes = new Uint8Array(0);
      #length = 0;
      /** Number of bytes held. */
      get length() {
        return this.#length;
      }
      /** Adds a copy of the bytes in [from, to). */
      append(bytes2, from, to) {
        if (from >= to) return;
        const length = this.#length + to - from;
        if (length > this.#bytes.length) {
          const grown = new Uint8Array(Math.max(MIN_CAPACITY, length, this.#bytes.length * 2));
          grown.set(this.#bytes.subarray(0, this.#length));
          this.#bytes = grown;
        }
        copy(bytes2, from, to, this.#bytes, this.#length);
        this.#length = length;
      }
      /** Returns a view of the bytes, valid until the buffer changes. */
      view() {
        return this.#bytes.subarray(0, this.#length);
      }
      /** Returns the first bytes, and clears the buffer. */
      take(length) {
        const taken = length > MAX_IDLE_CAPACITY ? this.#bytes.subarray(0, length) : copyOf2(this.#bytes, 0, length);
        this.clear();
        return taken;
      }
      /** Clears the buffer. */
      clear() {
        this.#length = 0;
        if (this.#bytes.length > MAX_IDLE_CAPACITY) this.#bytes = new Uint8Array(0);
      }
    };
  }
});

// lib/connection/node_module.ts
function nodeModule(name) {
  const { process } = globalThis;
  return process.getBuiltinModule(name);
}
var init_node_module = __esm({
  "lib/connection/node_module.ts"() {
  }
});

// lib/connection/prefixed_stream.ts
var PrefixedStream;
var init_prefixed_stream = __esm({
  "lib/connection/prefixed_stream.ts"() {
    PrefixedStream = class {
      via;
      #stream;
      #first;
      /**
       * Wraps a stream.
       *
       * @param first A read that is pending or done, whose bytes come first;
       * `undefined` if there is none
       */
      constructor(stream, first, via = stream.via) {
        this.#stream = stream;
        this.#first = first;
        this.via = via;
      }
      /** Address of the local end. */
      get localAddr() {
        return this.#stream.localAddr;
      }
      /** Address of the remote end. */
      get remoteAddr() {
        return this.#stream.remoteAddr;
      }
      /**
       * Reads at least one byte.
       *
       * @returns Number of bytes, or `null` at the end
       */
      async read(buffer2) {
        if (this.#first === void 0) return this.#stream.read(buffer2);
        const bytes2 = await this.#first;
        if (bytes2 === null) return null;
        const part = bytes2.subarray(0, buffer2.length);
        buffer2.set(part);
        this.#first = part.length < bytes2.length ? Promise.resolve(bytes2.subarray(part.length)) : void 0;
        return part.length;
      }
      /** Writes at least one byte. */
      write(bytes2) {
        return this.#stream.write(bytes2);
      }
      /** Ends the writing side. */
      closeWrite() {
        return this.#stream.closeWrite();
      }
      /** Closes both sides at once. */
      close() {
        this.#stream.close();
      }
      /** Makes pending reads keep the event loop alive. The default. */
      ref() {
        this.#stream.ref();
      }
      /** Lets the program end while a read is pending. */
      unref() {
        this.#stream.unref();
      }
    };
  }
});

// lib/tls/cleartext_queue.ts
var CleartextQueue;
var init_cleartext_queue = __esm({
  "lib/tls/cleartext_queue.ts"() {
    init_byte_stream();
    CleartextQueue = class {
      #chunks = [];
      #taken = 0;
      #size = 0;
      /** Number of queued bytes. */
      get size() {
        return this.#size;
      }
      /** Adds a chunk of at least one byte. The queue keeps the chunk itself. */
      push(chunk) {
        this.#chunks.push(chunk);
        this.#size += chunk.length;
      }
      /** Moves bytes into a buffer until it is full or the queue is empty. */
      read(buffer2) {
        let filled = 0;
        while (filled < buffer2.length && this.#size > 0) {
          const chunk = this.#chunks[0];
          const part = chunk.subarray(this.#taken, this.#taken + buffer2.length - filled);
          buffer2.set(part, filled);
          filled += part.length;
          this.#taken += part.length;
          this.#size -= part.length;
          if (this.#taken === chunk.length) freeMemory(this.#next());
        }
        return filled;
      }
      /**
       * Removes the first chunk and returns the unread part of it, without a copy.
       */
      take() {
        const rest = this.#chunks[0].subarray(this.#taken);
        const chunk = this.#next();
        this.#size -= rest.length;
        return rest.length === chunk.length ? chunk : rest;
      }
      #next() {
        this.#taken = 0;
        return this.#chunks.shift();
      }
    };
  }
});

// lib/tls/final_flight.ts
function endOfRecord(bytes2, at) {
  const type = bytes2[at];
  if (type === void 0) return void 0;
  if (type < TYPES[0] || type > TYPES[1]) return NOT_TLS;
  if (at + RECORD_HEAD > bytes2.length) return void 0;
  const length = bytes2[at + 3] << 8 | bytes2[at + 4];
  if (length > MAX_RECORD) return NOT_TLS;
  const end = at + RECORD_HEAD + length;
  return end <= bytes2.length ? end : void 0;
}
var CHANGE_CIPHER_SPEC, TYPES, RECORD_HEAD, MAX_RECORD, FinalFlight, NOT_TLS;
var init_final_flight = __esm({
  "lib/tls/final_flight.ts"() {
    CHANGE_CIPHER_SPEC = 20;
    TYPES = [
      CHANGE_CIPHER_SPEC,
      23
    ];
    RECORD_HEAD = 5;
    MAX_RECORD = 16 * 1024 + 2048;
    FinalFlight = class {
      #held = new Uint8Array(0);
      #isFound = false;
      /** Whether the flight was found, or the bytes are not TLS. */
      get isOver() {
        return this.#isFound;
      }
      /** Takes bytes of the server. Holds back incomplete records. */
      take(bytes2) {
        const all = new Uint8Array(this.#held.length + bytes2.length);
        all.set(this.#held);
        all.set(bytes2, this.#held.length);
        let at = 0;
        for (let end; (end = endOfRecord(all, at)) !== void 0; at = end) {
          if (end === NOT_TLS) return this.#end(all, void 0);
          if (all[at] !== CHANGE_CIPHER_SPEC) continue;
          if (endOfRecord(all, end) === void 0) break;
          return this.#end(all.subarray(0, at), all.slice(at));
        }
        this.#held = all.slice(at);
        return {
          before: all.slice(0, at),
          flight: void 0
        };
      }
      /** Returns what is held back, at the end of the stream. */
      rest() {
        return this.#end(this.#held, void 0).before;
      }
      #end(before, flight) {
        this.#isFound = true;
        this.#held = new Uint8Array(0);
        return {
          before: before.slice(),
          flight
        };
      }
    };
    NOT_TLS = -1;
  }
});

// lib/tls/send_queue.ts
var SEND_AHEAD, SendQueue;
var init_send_queue = __esm({
  "lib/tls/send_queue.ts"() {
    init_byte_stream();
    SEND_AHEAD = 256 * 1024;
    SendQueue = class {
      #stream;
      #onError;
      #queue = [];
      #size = 0;
      #held = [];
      #sending;
      #isBroken = false;
      /** Creates an empty queue; `onError` is called once, if the stream fails. */
      constructor(stream, onError) {
        this.#stream = stream;
        this.#onError = onError;
      }
      /**
       * Fulfilled when the queue is empty: all bytes were sent, or the stream
       * failed.
       */
      get sent() {
        return this.#sending ?? Promise.resolve();
      }
      /**
       * Queues bytes, which the queue keeps; `done` is called when there is room
       * for more.
       */
      add(bytes2, done) {
        if (this.#isBroken) return done();
        this.#queue.push(bytes2);
        this.#size += bytes2.length;
        this.#held.push(done);
        this.#sending ??= this.#send();
        this.#admit();
      }
      async #send() {
        try {
          for (let bytes2; (bytes2 = this.#queue.shift()) !== void 0; ) {
            await writeAll(this.#stream, bytes2);
            this.#size -= bytes2.length;
            freeMemory(bytes2);
            this.#admit();
          }
        } catch (error) {
          this.#isBroken = true;
          this.#onError(error);
          this.#admit();
        }
        this.#sending = void 0;
      }
      #admit() {
        if (this.#size > SEND_AHEAD && !this.#isBroken) return;
        for (const done of this.#held.splice(0)) done();
      }
    };
  }
});

// lib/tls/der.ts
function readCertificate(der) {
  const parts = {
    isAuthority: false,
    pathLength: void 0,
    maySign: true,
    isForServers: true,
    hasNameConstraints: false
  };
  for (const { id, isCritical, value } of readExtensions(der)) {
    if (isCritical && !UNDERSTOOD.has(id)) {
      throw new SyntaxError("it has a critical extension that is not supported");
    }
    readExtension(id, value, parts);
  }
  return parts;
}
function readAlternativeNames(der) {
  const hosts = [];
  const addresses = [];
  const { value } = readExtensions(der).find(({ id }) => id === SUBJECT_ALT_NAME) ?? {};
  if (value === void 0) {
    return {
      hosts,
      addresses,
      commonNames: readCommonNames(der)
    };
  }
  const names = new Reader(value.take(SEQUENCE));
  value.finish();
  while (!names.isAtEnd) {
    const tag = names.nextTag;
    if (tag >> 6 !== CONTEXT_SPECIFIC || (tag & 31) > LAST_NAME) {
      throw new SyntaxError("it has a name of an unknown kind");
    }
    const name = names.skip();
    if (tag === DNS_NAME) hosts.push(new TextDecoder().decode(name));
    if (tag === IP_ADDRESS) addresses.push(name);
  }
  return {
    hosts,
    addresses,
    commonNames: []
  };
}
function readCommonNames(der) {
  const names = [];
  const certificate = new Reader(new Reader(der).take(SEQUENCE));
  const body = new Reader(certificate.take(SEQUENCE));
  body.take(VERSION3);
  for (const tag of [
    INTEGER,
    SEQUENCE,
    SEQUENCE,
    SEQUENCE
  ]) body.take(tag);
  const subject = new Reader(body.take(SEQUENCE));
  while (!subject.isAtEnd) {
    const attributes = new Reader(subject.take(SET));
    while (!attributes.isAtEnd) {
      const attribute = new Reader(attributes.take(SEQUENCE));
      if (toHex(attribute.take(OID)) !== COMMON_NAME) continue;
      const isText = TEXTS.includes(attribute.nextTag ?? 0);
      const value = attribute.skip();
      names.push(isText ? new TextDecoder().decode(value) : "");
    }
  }
  return names;
}
function readExtensions(der) {
  const outer = new Reader(der);
  const certificate = new Reader(outer.take(SEQUENCE));
  outer.finish();
  const body = new Reader(certificate.take(SEQUENCE));
  const algorithm = certificate.take(SEQUENCE);
  certificate.take(BIT_STRING);
  certificate.finish();
  if (body.nextTag !== VERSION3) {
    throw new SyntaxError("it is of X.509 version 1; 3 is required");
  }
  const version = new Reader(body.take(VERSION3)).take(INTEGER);
  if (version.length !== 1 || version[0] !== VERSION_3) {
    throw new SyntaxError("it is not of X.509 version 3");
  }
  body.take(INTEGER);
  if (toHex(body.take(SEQUENCE)) !== toHex(algorithm)) {
    throw new SyntaxError("it names two algorithms for its signature");
  }
  body.take(SEQUENCE);
  body.take(SEQUENCE);
  body.take(SEQUENCE);
  body.take(SEQUENCE);
  if (body.isAtEnd) return [];
  const wrapper = new Reader(body.take(EXTENSIONS));
  const list = new Reader(wrapper.take(SEQUENCE));
  wrapper.finish();
  body.finish();
  const extensions = [];
  const ids = /* @__PURE__ */ new Set();
  while (!list.isAtEnd) {
    const extension = new Reader(list.take(SEQUENCE));
    const id = toHex(extension.take(OID));
    const isCritical = extension.nextTag === BOOLEAN2 && extension.take(BOOLEAN2)[0] !== 0;
    const value = new Reader(extension.take(OCTET_STRING));
    extension.finish();
    if (ids.has(id)) throw new SyntaxError("it has an extension twice");
    ids.add(id);
    extensions.push({
      id,
      isCritical,
      value
    });
  }
  return extensions;
}
function readExtension(id, value, parts) {
  switch (id) {
    case BASIC_CONSTRAINTS: {
      const constraints = new Reader(value.take(SEQUENCE));
      parts.isAuthority = constraints.nextTag === BOOLEAN2 && constraints.take(BOOLEAN2)[0] !== 0;
      if (!constraints.isAtEnd) {
        parts.pathLength = parseInt(toHex(constraints.take(INTEGER)), 16);
      }
      break;
    }
    case KEY_USAGE:
      parts.maySign = ((value.take(BIT_STRING)[1] ?? 0) & KEY_CERT_SIGN) !== 0;
      break;
    case EXTENDED_KEY_USAGE: {
      const usages = new Reader(value.take(SEQUENCE));
      parts.isForServers = false;
      while (!usages.isAtEnd) {
        const usage = toHex(usages.take(OID));
        if (usage === SERVER_AUTH || usage === ANY_USAGE) {
          parts.isForServers = true;
        }
      }
      break;
    }
    case NAME_CONSTRAINTS:
      parts.hasNameConstraints = true;
  }
}
function toHex(bytes2) {
  let hex = "";
  for (const byte of bytes2) hex += byte.toString(16).padStart(2, "0");
  return hex;
}
var BOOLEAN2, INTEGER, BIT_STRING, OCTET_STRING, OID, SEQUENCE, VERSION3, EXTENSIONS, DNS_NAME, IP_ADDRESS, CONTEXT_SPECIFIC, LAST_NAME, TEXTS, SET, VERSION_3, KEY_CERT_SIGN, COMMON_NAME, SUBJECT_ALT_NAME, BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, NAME_CONSTRAINTS, CERTIFICATE_POLICIES, SERVER_AUTH, ANY_USAGE, UNDERSTOOD, Reader;
var init_der = __esm({
  "lib/tls/der.ts"() {
    BOOLEAN2 = 1;
    INTEGER = 2;
    BIT_STRING = 3;
    OCTET_STRING = 4;
    OID = 6;
    SEQUENCE = 48;
    VERSION3 = 160;
    EXTENSIONS = 163;
    DNS_NAME = 130;
    IP_ADDRESS = 135;
    CONTEXT_SPECIFIC = 2;
    LAST_NAME = 8;
    TEXTS = [
      12,
      19,
      20,
      22
    ];
    SET = 49;
    VERSION_3 = 2;
    KEY_CERT_SIGN = 4;
    COMMON_NAME = "550403";
    SUBJECT_ALT_NAME = "551d11";
    BASIC_CONSTRAINTS = "551d13";
    KEY_USAGE = "551d0f";
    EXTENDED_KEY_USAGE = "551d25";
    NAME_CONSTRAINTS = "551d1e";
    CERTIFICATE_POLICIES = "551d20";
    SERVER_AUTH = "2b06010505070301";
    ANY_USAGE = "551d2500";
    UNDERSTOOD = /* @__PURE__ */ new Set([
      SUBJECT_ALT_NAME,
      BASIC_CONSTRAINTS,
      KEY_USAGE,
      EXTENDED_KEY_USAGE,
      NAME_CONSTRAINTS,
      CERTIFICATE_POLICIES
    ]);
    Reader = class {
      #bytes;
      #at = 0;
      constructor(bytes2) {
        this.#bytes = bytes2;
      }
      get isAtEnd() {
        return this.#at === this.#bytes.length;
      }
      get nextTag() {
        return this.#bytes[this.#at];
      }
      /** Reads the next value, which must have the tag. Returns its content. */
      take(tag) {
        const found = this.nextTag;
        if (found !== tag) {
          throw new SyntaxError("it has a part of an unexpected kind");
        }
        return this.skip();
      }
      /** Reads the next value, with any tag. */
      skip() {
        const bytes2 = this.#bytes;
        let at = this.#at + 1;
        let length = bytes2[at++] ?? 128;
        if (length >= 128) {
          const count = length & 127;
          if (count < 1 || count > 3) throw new SyntaxError("it is not in DER");
          length = 0;
          for (let i = 0; i < count; i++) length = length << 8 | (bytes2[at++] ?? 0);
          if (length < (count === 1 ? 128 : 1 << 8 * (count - 1))) {
            throw new SyntaxError("it is not in DER");
          }
        }
        const end = at + length;
        if (end > bytes2.length) throw new SyntaxError("it is cut off");
        this.#at = end;
        return bytes2.subarray(at, end);
      }
      /** Rejects further values. */
      finish() {
        if (!this.isAtEnd) throw new SyntaxError("something follows its end");
      }
    };
  }
});

// lib/tls/certificate_names.ts
import { domainToASCII } from "node:url";
function checkName2(der, name) {
  let names;
  try {
    names = readAlternativeNames(der);
  } catch (error) {
    return {
      reason: "bad-certificate",
      detail: `the names in the server's certificate cannot be read: ${error.message}`
    };
  }
  const isRight = isIP(name) > 0 ? names.addresses.map(showAddress2).includes(canonicalAddress(name)) : isForHost(names, name);
  if (isRight) return void 0;
  const shown = show(names).join(", ") || "no host";
  return {
    reason: "wrong-name",
    detail: `the certificate is for ${shown}, not for "${name}": connect to one of its names, or set \`serverName\` to one of them`
  };
}
function shownNames(der) {
  try {
    return show(readAlternativeNames(der));
  } catch {
    return [];
  }
}
function show({ hosts, addresses }) {
  return [
    ...hosts.map((host) => host.replace(/[^\w*.-]/g, "\uFFFD")),
    ...addresses.map(showAddress2)
  ];
}
function isForHost({ hosts, commonNames }, name) {
  const host = canonicalHost2(domainToASCII(name));
  if (isIP(host) > 0 || !HOST_REGEXP.test(host)) return false;
  const named2 = commonNames.length === 1 ? commonNames : hosts;
  return named2.some((pattern) => PATTERN_REGEXP2.test(pattern) && isMatch(canonicalHost2(pattern), host));
}
function canonicalHost2(host) {
  return host.toLowerCase().replace(/\.$/, "");
}
function isMatch(pattern, host) {
  const labels = host.split(".");
  if (labels.includes("")) return false;
  if (!pattern.includes("*")) return pattern === host;
  const [first, ...rest] = pattern.split(".");
  return first === "*" && rest.length + 1 >= LEAST_LABELS && rest.join(".") === labels.slice(1).join(".");
}
function showAddress2(bytes2) {
  if (bytes2.length === 4) return bytes2.join(".");
  if (bytes2.length !== 16) return "\uFFFD";
  const view = new DataView(bytes2.buffer, bytes2.byteOffset);
  const groups = Array.from({
    length: 8
  }, (_, i) => view.getUint16(2 * i).toString(16));
  return canonicalAddress(groups.join(":"));
}
function canonicalAddress(address) {
  if (!address.includes(":")) return address;
  const bare = address.replace(/%.*/s, "");
  return URL.parse(`http://[${bare}]`)?.hostname.slice(1, -1) ?? "no address";
}
var isIP, HOST_REGEXP, PATTERN_REGEXP2, LEAST_LABELS;
var init_certificate_names = __esm({
  "lib/tls/certificate_names.ts"() {
    init_node_module();
    init_der();
    ({ isIP } = nodeModule("node:net"));
    HOST_REGEXP = /^[\w.-]+$/;
    PATTERN_REGEXP2 = /^[\w*.-]+$/;
    LEAST_LABELS = 3;
  }
});

// lib/tls/certificate.ts
function checkProvable(der) {
  try {
    readCertificate(der);
    return void 0;
  } catch (error) {
    return badCertificate(`the platform cannot check that the server has the certificate's key: ${error.message}`);
  }
}
function fingerprintOf(der) {
  return new Certificate(der).fingerprint256;
}
function describeCertificate(der) {
  const certificate = new Certificate(der);
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    validFrom: new Date(certificate.validFrom),
    validTo: new Date(certificate.validTo),
    names: shownNames(der),
    pem: certificate.toString()
  };
}
function parseCertificate(der) {
  return {
    certificate: new Certificate(der),
    parts: readCertificate(der)
  };
}
function isIssuedBy(issued, issuer) {
  try {
    return issued.certificate.checkIssued(issuer.certificate) && issued.certificate.verify(issuer.certificate.publicKey);
  } catch {
    return false;
  }
}
function isSelfIssued({ certificate }) {
  return certificate.issuer === certificate.subject;
}
function checkDates({ certificate }, now) {
  const subject = oneLine(certificate.subject);
  if (now < new Date(certificate.validFrom)) {
    return {
      reason: "not-yet-valid",
      detail: `the certificate of "${subject}" is valid from ${certificate.validFrom} only: check this machine's clock`
    };
  }
  if (now > new Date(certificate.validTo)) {
    return {
      reason: "expired",
      detail: `the certificate of "${subject}" expired on ${certificate.validTo}`
    };
  }
  return void 0;
}
function checkLeaf({ parts }) {
  return parts.isForServers ? void 0 : badCertificate("the certificate is not meant for servers");
}
function checkIssuer(issuer, below) {
  const { parts } = issuer;
  const who = `the certificate of "${oneLine(issuer.certificate.subject)}"`;
  if (!parts.isAuthority || !parts.maySign) {
    return badCertificate(`${who} is not allowed to issue certificates`);
  }
  if (parts.pathLength !== void 0 && below > parts.pathLength) {
    return badCertificate(`${who} does not allow so many authorities below it`);
  }
  if (!parts.isForServers) {
    return badCertificate(`${who} is not meant for servers`);
  }
  if (parts.hasNameConstraints) {
    return badCertificate(`${who} limits the names below it, which is not supported with \`caCerts\`: give it to Deno with \`--cert\` or \`DENO_CERT\``);
  }
  return void 0;
}
function badCertificate(detail) {
  return {
    reason: "bad-certificate",
    detail
  };
}
function shownIssuer({ certificate }) {
  return oneLine(certificate.issuer);
}
function oneLine(name) {
  return printable(name.split("\n").join(", "));
}
var Certificate, MAX_CHAIN, PEM_REGEXP, Authorities;
var init_certificate = __esm({
  "lib/tls/certificate.ts"() {
    init_node_module();
    init_printable();
    init_certificate_names();
    init_der();
    ({ X509Certificate: Certificate } = nodeModule("node:crypto"));
    MAX_CHAIN = 10;
    PEM_REGEXP = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----(?:(?!-----)[^])+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
    Authorities = class {
      #authorities;
      /**
       * Reads PEM texts, each of one or more certificates.
       *
       * @throws {TypeError} If a text has no certificate or an unreadable one
       */
      constructor(pems) {
        this.#authorities = pems.flatMap((pem, i) => {
          const blocks = String(pem).match(PEM_REGEXP);
          if (blocks === null) {
            throw new TypeError(`Cannot use "caCerts": entry ${i} holds no PEM certificate`);
          }
          return blocks.map((block) => {
            try {
              return parseCertificate(new Uint8Array(new Certificate(block).raw));
            } catch (cause) {
              throw new TypeError(`Cannot use "caCerts": entry ${i} cannot be read`, {
                cause
              });
            }
          });
        });
      }
      /**
       * Verifies a chain up to one of the authorities (RFC 5280, section 6).
       *
       * @param chain The server's certificate, followed by the others that it sent,
       * DER
       * @returns The problem, or `undefined`
       */
      check(chain, now) {
        let certificates;
        try {
          certificates = chain.slice(0, MAX_CHAIN).map(parseCertificate);
        } catch (error) {
          return badCertificate(`the server sent a certificate that cannot be read: ${error.message}`);
        }
        const leaf = certificates[0];
        const fault = checkDates(leaf, now) ?? checkLeaf(leaf);
        if (fault !== void 0) return fault;
        const anchored = this.#authorities.some((anchor) => anchor.certificate.raw.equals(leaf.certificate.raw));
        if (anchored) return void 0;
        return this.#findAuthority(leaf, certificates.slice(1), 0, now);
      }
      /**
       * Looks for a path from a certificate to an authority; `below` counts the
       * authorities passed.
       */
      #findAuthority(issued, others, below, now) {
        let fault;
        for (const anchor of this.#authorities) {
          if (!isIssuedBy(issued, anchor)) continue;
          fault = checkDates(anchor, now) ?? checkIssuer(anchor, below);
          if (fault === void 0) return void 0;
        }
        for (const [i, other] of others.entries()) {
          if (!isIssuedBy(issued, other)) continue;
          fault = checkDates(other, now) ?? checkIssuer(other, below) ?? this.#findAuthority(other, others.toSpliced(i, 1), below + 1, now);
          if (fault === void 0) return void 0;
        }
        if (fault !== void 0) return fault;
        return isSelfIssued(issued) && below === 0 ? {
          reason: "self-signed",
          detail: "the certificate is self-signed and not among `caCerts`: add it there"
        } : {
          reason: "unknown-ca",
          detail: `the certificate of "${shownIssuer(issued)}", which issued the server's, is not among \`caCerts\`: add it there`
        };
      }
    };
  }
});

// lib/tls/shown_certificate.ts
function readMessages(records) {
  const messages = new ByteBuffer();
  for (let at = 0; records[at] === HANDSHAKE; ) {
    const start = at + 5;
    const end = start + numberAt(records, at + 3, 2);
    messages.append(records, start, Math.min(end, records.length));
    at = end;
  }
  return messages.view();
}
function findCertificate(messages) {
  for (let at = 0; at < messages.length; ) {
    const start = at + 4;
    if (messages[at] === CERTIFICATE) {
      const first = start + 3 + 3;
      const end = first + numberAt(messages, start + 3, 3);
      return end > messages.length ? void 0 : messages.slice(first, end);
    }
    at = start + numberAt(messages, at + 1, 3);
  }
  return void 0;
}
function numberAt(bytes2, at, size) {
  let value = 0;
  for (let i = at; i < at + size; i++) value = value << 8 | (bytes2[i] ?? 0);
  return value;
}
var MAX_SIZE, HANDSHAKE, CERTIFICATE, ShownCertificate;
var init_shown_certificate = __esm({
  "lib/tls/shown_certificate.ts"() {
    init_byte_buffer();
    init_certificate();
    MAX_SIZE = 64 * 1024;
    HANDSHAKE = 22;
    CERTIFICATE = 11;
    ShownCertificate = class {
      #bytes = new ByteBuffer();
      /** Adds a copy of bytes that the server sent. */
      take(bytes2) {
        const room = MAX_SIZE - this.#bytes.length;
        this.#bytes.append(bytes2, 0, Math.min(bytes2.length, room));
      }
      /**
       * SHA-256 of the certificate, in the form of {@linkcode fingerprintOf};
       * `undefined` if none is visible, as with TLS 1.3.
       */
      get fingerprint() {
        const der = findCertificate(readMessages(this.#bytes.view()));
        if (der === void 0) return void 0;
        try {
          return fingerprintOf(der);
        } catch {
          return void 0;
        }
      }
    };
  }
});

// lib/tls/connection.ts
var READ_SIZE5, KEEP_SIZE, READ_AHEAD, WRITE_SIZE3, SETTLE_ROUNDS, CLOSE_WAIT, TLSConnection;
var init_connection = __esm({
  "lib/tls/connection.ts"() {
    init_byte_stream();
    init_cleartext_queue();
    init_prefixed_stream();
    init_waiting();
    init_final_flight();
    init_send_queue();
    init_shown_certificate();
    init_errors();
    READ_SIZE5 = 64 * 1024;
    KEEP_SIZE = 16 * 1024;
    READ_AHEAD = 1024 * 1024;
    WRITE_SIZE3 = 256 * 1024;
    SETTLE_ROUNDS = 8;
    CLOSE_WAIT = 2e3;
    TLSConnection = class {
      /** State shared by the data connections and their control connection. */
      session;
      #stream;
      #engine;
      #where;
      #secured = Promise.withResolvers();
      #ended = Promise.withResolvers();
      #info;
      #shown = new ShownCertificate();
      /** Set until the final flight, if the session shares the platform's store. */
      #flight;
      #cleartext = new CleartextQueue();
      #sendQueue;
      #changed = Promise.withResolvers();
      #room = Promise.withResolvers();
      #writing = Promise.resolve();
      #leaving;
      #isSecured = false;
      #isNotified = false;
      #isFlushed = false;
      #endedCleanly;
      #failure;
      #isClosed = false;
      #isDetached = false;
      #isReading = false;
      #rest;
      #rawBuffer = new Uint8Array(READ_SIZE5);
      /**
       * Starts the handshake. Use {@linkcode secureControl} and {@linkcode
       * secureData}, which wait for it.
       */
      constructor(stream, session, where) {
        this.session = session;
        this.#stream = stream;
        this.#where = where;
        this.#secured.promise.catch(() => {
        });
        this.#sendQueue = new SendQueue(stream, (error) => {
          if (this.#isNotified && this.#isFlushed) return;
          this.#fail(error);
        });
        if (session.sharesStore) this.#flight = new FinalFlight();
        this.#engine = session.startEngine(this.#events());
        session.retain();
      }
      /**
       * Protocol version, cipher and certificate, and whether a session was
       * resumed.
       */
      get info() {
        return this.#info;
      }
      /**
       * Whether the stream ended with the peer's close_notify; `undefined` before
       * its end.
       */
      get endedCleanly() {
        return this.#endedCleanly;
      }
      /** Through what the connection goes, if not straight to the server. */
      get via() {
        return this.#stream.via;
      }
      /** Address of the local end. */
      get localAddr() {
        return this.#stream.localAddr;
      }
      /** Address of the remote end. */
      get remoteAddr() {
        return this.#stream.remoteAddr;
      }
      /**
       * Completes the handshake and verifies the server's certificate.
       *
       * @throws {TLSError} If the handshake fails or the server is not trusted
       */
      async handshake() {
        this.#pump();
        const handshake = await this.#secured.promise;
        const fault = this.session.findProblem(handshake);
        if (fault !== void 0) {
          throw this.#fault(fault, this.session.fingerprintOf(handshake));
        }
        this.#info = this.session.describe(handshake);
        this.#isSecured = true;
        this.#shown = void 0;
        return handshake;
      }
      /**
       * Reads at least one byte.
       *
       * @returns Number of bytes, or `null` at the end, clean or not
       * @throws {Error} The failure of the connection, after the bytes before it
       */
      async read(buffer2) {
        while (this.#isWaiting()) await this.#changed.promise;
        if (this.#cleartext.size === 0) return null;
        const n = this.#cleartext.read(buffer2);
        this.#room.resolve();
        return n;
      }
      /**
       * Reads at least one byte, without a copy.
       *
       * @returns The bytes, in memory that the caller owns; `null` at the end
       */
      async readOwn() {
        while (this.#isWaiting()) await this.#changed.promise;
        if (this.#cleartext.size === 0) return null;
        const chunk = this.#cleartext.take();
        this.#room.resolve();
        return chunk;
      }
      /**
       * Whether a read has to wait: no bytes are queued and the stream has not
       * ended.
       */
      #isWaiting() {
        if (this.#cleartext.size > 0) return false;
        this.#check();
        return this.#endedCleanly === void 0;
      }
      /**
       * Writes at least one byte. Earlier bytes were handed to the stream once the
       * next call or {@linkcode closeWrite} has succeeded.
       *
       * @throws {Error} The failure of the connection
       */
      async write(bytes2) {
        while (true) {
          const writing = this.#writing;
          await writing;
          this.#check();
          if (writing === this.#writing) break;
        }
        if (this.#leaving !== void 0) {
          throw new Deno.errors.BrokenPipe("Cannot write: the writing side is closed");
        }
        const part = bytes2.subarray(0, WRITE_SIZE3);
        const { promise, resolve: resolve2 } = Promise.withResolvers();
        this.#writing = promise;
        this.#engine.write(part, resolve2);
        return part.length;
      }
      /**
       * Ends the writing side: sends what was written, then close_notify, then
       * TCP's FIN.
       *
       * @throws {Error} The failure of the connection
       */
      async closeWrite() {
        await this.#leave();
        this.#check();
        await this.#stream.closeWrite();
      }
      /**
       * Removes TLS from the connection, for `CCC`: sends close_notify and waits
       * briefly for the peer's. No other call may be pending, and none may follow.
       *
       * @throws {Error} The failure of the connection
       */
      async detach() {
        await this.#leave();
        await settle(this.#ended.promise, CLOSE_WAIT);
        this.#check();
        this.#isDetached = true;
        if (this.#isReading) this.#rest = Promise.withResolvers();
        this.#rest?.promise.catch(() => {
        });
        this.#engine.destroy();
        this.session.release();
        return new PrefixedStream(this.#stream, this.#rest?.promise);
      }
      /** Closes the connection at once. Pending reads and writes reject. */
      close() {
        if (this.#isClosed || this.#isDetached) return;
        this.#isClosed = true;
        this.#fail(new Deno.errors.BadResource("The connection is closed"));
        this.session.release();
        closeQuietly(this.#stream);
      }
      /** Makes pending reads keep the event loop alive. The default. */
      ref() {
        this.#engine.ref();
        this.#stream.ref();
      }
      /** Lets the program end while a read is pending. */
      unref() {
        this.#engine.unref();
        this.#stream.unref();
      }
      #events() {
        return {
          secure: (handshake) => this.#secured.resolve(handshake),
          send: (bytes2, done) => this.#sendQueue.add(bytes2, done),
          data: (bytes2) => {
            this.#cleartext.push(bytes2);
            this.#announce();
          },
          end: () => {
            this.#isNotified = true;
            this.#leave().finally(() => this.#end(true));
          },
          fail: (message, code) => this.#fail(this.#fault(readHandshakeError(message, code)))
        };
      }
      /** Copies ciphertext from the stream to the engine. */
      async #pump() {
        try {
          let isFirst = true;
          while (this.#failure === void 0 && this.#endedCleanly === void 0) {
            if (this.#cleartext.size >= READ_AHEAD) {
              this.#room = Promise.withResolvers();
              await this.#room.promise;
              continue;
            }
            await this.#engine.busy;
            this.#isReading = true;
            const n = await this.#stream.read(this.#rawBuffer);
            this.#isReading = false;
            if (this.#isNotified || this.#isDetached) {
              this.#rest ??= Promise.withResolvers();
              this.#rest.resolve(n === null ? null : this.#rawBuffer.slice(0, n));
              if (n !== null) return;
            }
            if (n === null) {
              if (this.#flight !== void 0) this.#feed(this.#flight.rest());
              return this.#finish();
            }
            const bytes2 = this.#rawBuffer.subarray(0, n);
            const fault = isFirst ? readClearAnswer(bytes2) : void 0;
            if (fault !== void 0) throw this.#fault(fault);
            isFirst = false;
            this.#shown?.take(bytes2);
            if (this.#flight === void 0) this.#feed(bytes2);
            else await this.#feedHandshake(this.#flight, bytes2);
          }
        } catch (error) {
          this.#rest?.reject(error);
          this.#engine.settle(() => {
            if (!this.#isNotified) this.#fail(error);
          });
        }
      }
      /**
       * Feeds bytes of the handshake. Its end stores a session, so only one
       * handshake of a slot ends at a time, and the next ClientHello is made before
       * another one does.
       */
      async #feedHandshake(divider, bytes2) {
        const { before, flight } = divider.take(bytes2);
        if (before.length > 0) this.#feed(before);
        if (divider.isOver) this.#flight = void 0;
        if (flight === void 0) return;
        await this.session.endHandshake(async () => {
          if (this.#failure !== void 0) return void 0;
          this.#feed(flight);
          return await Promise.race([
            this.#secured.promise,
            this.#turns(SETTLE_ROUNDS)
          ]);
        });
      }
      /** Waits for turns of the event loop. */
      async #turns(rounds) {
        for (let i = 0; i < rounds && this.#failure === void 0; i++) {
          await new Promise((resolve2) => this.#engine.settle(resolve2));
        }
      }
      #feed(bytes2) {
        if (bytes2.length < KEEP_SIZE) {
          this.#engine.feed(bytes2.slice());
        } else if (!this.#engine.feed(bytes2)) {
          this.#rawBuffer = new Uint8Array(READ_SIZE5);
        }
      }
      /**
       * Handles the end of the stream: close_notify came just before it, or the
       * data was cut off.
       */
      #finish(rounds = SETTLE_ROUNDS) {
        this.#engine.settle(() => {
          if (this.#isNotified) return;
          if (rounds > 1) return this.#finish(rounds - 1);
          if (this.#isSecured) return this.#end(false);
          const via = this.via === void 0 ? "" : `, or ${this.via},`;
          this.#fail(this.#fault({
            reason: "broken",
            detail: `the server${via} closed the connection during the handshake`
          }));
        });
      }
      #end(isClean) {
        this.#endedCleanly ??= isClean;
        this.#ended.resolve();
        this.#announce();
      }
      /** Sends what is queued and then close_notify, once. */
      #leave() {
        return this.#leaving ??= (async () => {
          await this.#writing;
          await this.#sendQueue.sent;
          if (this.#failure !== void 0) return;
          this.#isFlushed = true;
          const { promise, resolve: resolve2 } = Promise.withResolvers();
          this.#engine.end(resolve2);
          await settle(promise.then(() => this.#sendQueue.sent), CLOSE_WAIT);
        })();
      }
      #announce() {
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
      }
      #check() {
        if (this.#failure !== void 0) throw this.#failure;
      }
      #fault(fault, proven) {
        const what = this.#isSecured ? "TLS broke on" : "Cannot secure";
        const fingerprint = proven ?? this.#shown?.fingerprint;
        const why = explainFault(fault, fingerprint);
        return new TLSError(`${what} ${this.#where}: ${why}`, {
          reason: fault.reason,
          fingerprint
        });
      }
      #fail(error) {
        if (this.#failure !== void 0) return;
        this.#failure = error;
        this.#secured.reject(error);
        this.#engine.destroy();
        this.#room.resolve();
        this.#announce();
      }
    };
  }
});

// lib/tls/prepared_handshake.ts
function offersTicket(hello) {
  const number = (at2) => (hello[at2] ?? 0) << 8 | (hello[at2 + 1] ?? 0);
  let at = HELLO_HEAD;
  at += 1 + (hello[at] ?? 0);
  at += 2 + number(at);
  at += 1 + (hello[at] ?? 0);
  at += 2;
  while (at + 4 <= hello.length) {
    if (number(at) === PRE_SHARED_KEY) return true;
    at += 4 + number(at + 2);
  }
  return false;
}
var NO_HELLO, PreparedHandshake, PRE_SHARED_KEY, HELLO_HEAD;
var init_prepared_handshake = __esm({
  "lib/tls/prepared_handshake.ts"() {
    NO_HELLO = new Uint8Array(0);
    PreparedHandshake = class {
      #engine;
      #hello = Promise.withResolvers();
      #events;
      #pending = [];
      /** Starts a handshake. */
      constructor(start) {
        this.#engine = start({
          secure: (...args) => this.#deliver([
            "secure",
            ...args
          ]),
          session: (...args) => this.#deliver([
            "session",
            ...args
          ]),
          send: (...args) => {
            this.#hello.resolve(args[0]);
            this.#deliver([
              "send",
              ...args
            ]);
          },
          data: (...args) => this.#deliver([
            "data",
            ...args
          ]),
          end: (...args) => this.#deliver([
            "end",
            ...args
          ]),
          fail: (...args) => {
            this.#hello.resolve(NO_HELLO);
            this.#deliver([
              "fail",
              ...args
            ]);
          }
        });
      }
      /** Whether the ClientHello offers a ticket of TLS 1.3. */
      async hasTicket() {
        return offersTicket(await this.#waitForHello());
      }
      /**
       * Whether the ClientHello offers a session of TLS 1.2. Only for clients that
       * use nothing newer.
       */
      async hasSession() {
        return ((await this.#waitForHello())[HELLO_HEAD] ?? 0) > 0;
      }
      async #waitForHello() {
        const hello = await this.#hello.promise;
        if (this.#events === void 0) this.#engine.unref();
        return hello;
      }
      /**
       * Hands the client to a connection. Delivers past and future events to it.
       */
      adopt(events) {
        this.#events = events;
        this.#engine.ref();
        for (const event of this.#pending.splice(0)) this.#deliver(event);
        return this.#engine;
      }
      /** Discards the client. */
      destroy() {
        this.#hello.resolve(NO_HELLO);
        this.#engine.destroy();
      }
      #deliver(event) {
        if (this.#events === void 0) {
          this.#pending.push(event);
          return;
        }
        const [name, ...args] = event;
        this.#events[name](...args);
      }
    };
    PRE_SHARED_KEY = 41;
    HELLO_HEAD = 5 + 4 + 2 + 32;
  }
});

// lib/tls/engine.ts
function startEngine(parts, options, events) {
  let onEnded;
  const wire = new parts.Duplex({
    read() {
    },
    write(chunk, _, done) {
      const ended = onEnded;
      onEnded = void 0;
      events.send(chunk, () => {
        done();
        ended?.();
      });
    }
  });
  const { servername, cert, key, session, ...rest } = options;
  const socket = parts.connect({
    ...rest,
    socket: wire,
    // `TLSSession` compares the names
    checkServerIdentity: () => void 0,
    ...servername === void 0 ? {} : {
      servername
    },
    ...cert === void 0 ? {} : {
      cert
    },
    ...key === void 0 ? {} : {
      key
    },
    ...session === void 0 ? {} : {
      session
    }
  });
  const onSession = (session2) => {
    if (session2 !== null) events.session(new Uint8Array(session2));
  };
  socket.on("session", onSession);
  socket.on("secureConnect", () => {
    const chain = [];
    for (let certificate = socket.getPeerCertificate(true); certificate?.raw !== void 0; certificate = certificate.issuerCertificate) {
      chain.push(new Uint8Array(certificate.raw));
      if (certificate.issuerCertificate === certificate) break;
    }
    onSession(socket.getSession());
    events.secure({
      protocol: socket.getProtocol() ?? "",
      cipher: socket.getCipher()?.name ?? "",
      chain,
      resumed: socket.isSessionReused()
    });
  });
  socket.on("data", ({ buffer: buffer2, byteOffset, length }) => events.data(new Uint8Array(buffer2, byteOffset, length)));
  socket.on("end", () => events.end());
  socket.on("error", (error) => {
    events.fail(error.message, error.code ?? "");
  });
  return {
    feed(bytes2) {
      wire.push(bytes2);
      return wire.readableLength === 0;
    },
    write(bytes2, done) {
      socket.write(bytes2, () => done());
    },
    end(done) {
      onEnded = done;
      socket.end();
    },
    settle(done) {
      parts.setImmediate(done);
    },
    destroy() {
      socket.destroy();
      wire.destroy();
    },
    busy: void 0,
    ref() {
    },
    unref() {
    }
  };
}
var init_engine = __esm({
  "lib/tls/engine.ts"() {
  }
});

// lib/tls/worker.ts
function serve(port, parts, start) {
  const engines = /* @__PURE__ */ new Map();
  const sent = /* @__PURE__ */ new Map();
  const ownBytes = (bytes2) => bytes2.byteLength === bytes2.buffer.byteLength && bytes2.buffer instanceof ArrayBuffer ? new Uint8Array(bytes2.buffer) : new Uint8Array(bytes2);
  const transfer = (id, type, bytes2) => {
    const owned = ownBytes(bytes2);
    port.postMessage({
      id,
      type,
      bytes: owned
    }, [
      owned.buffer
    ]);
  };
  const handle = (message) => {
    const { id } = message;
    if (message.type === "start") {
      sent.set(id, []);
      const engine2 = start(parts, message.options, {
        secure: (handshake) => port.postMessage({
          id,
          type: "secure",
          handshake
        }),
        session: (session) => transfer(id, "session", session),
        send: (bytes2, done) => {
          sent.get(id)?.push(done);
          transfer(id, "send", bytes2);
        },
        data: (bytes2) => transfer(id, "data", bytes2),
        end: () => port.postMessage({
          id,
          type: "end"
        }),
        fail: (message2, code) => port.postMessage({
          id,
          type: "fail",
          message: message2,
          code
        })
      });
      engines.set(id, engine2);
      return;
    }
    const engine = engines.get(id);
    if (engine === void 0) return;
    switch (message.type) {
      case "feed":
        engine.feed(message.bytes);
        port.postMessage({
          id,
          type: "fed",
          size: message.bytes.length
        });
        break;
      case "write":
        engine.write(message.bytes, () => port.postMessage({
          id,
          type: "written"
        }));
        break;
      case "end":
        engine.end(() => port.postMessage({
          id,
          type: "ended"
        }));
        break;
      case "settle":
        engine.settle(() => port.postMessage({
          id,
          type: "settled"
        }));
        break;
      case "sent":
        sent.get(id)?.shift()?.();
        break;
      case "destroy":
        engine.destroy();
        engines.delete(id);
        sent.delete(id);
    }
  };
  port.onmessage = ({ data }) => handle(data);
}
var FEED_AHEAD, TLSThread, RemoteEngine;
var init_worker = __esm({
  "lib/tls/worker.ts"() {
    init_node_module();
    init_engine();
    FEED_AHEAD = 1024 * 1024;
    TLSThread = class {
      #worker;
      #port;
      #clients = /* @__PURE__ */ new Map();
      #nextId = 0;
      /** Starts the worker. */
      constructor() {
        const source = `import { parentPort } from "node:worker_threads";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { connect } from "node:tls";
${serve}
${startEngine}
parentPort.once("message", ({ port }) => {
  serve(port, { connect, Duplex, setImmediate }, startEngine);
});`;
        const { Worker } = nodeModule("node:worker_threads");
        this.#worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
        this.#worker.unref();
        const { port1, port2 } = new MessageChannel();
        this.#worker.postMessage({
          port: port2
        }, [
          port2
        ]);
        this.#port = port1;
        this.#port.onmessage = ({ data }) => {
          this.#clients.get(data.id)?.receive(data);
        };
        this.#worker.on("error", (error) => {
          for (const client of this.#clients.values()) {
            client.events.fail(`the TLS thread failed: ${error.message}`, "");
          }
        });
      }
      /** Starts a TLS client in the worker. */
      startEngine(options, events) {
        const id = this.#nextId++;
        const client = new RemoteEngine(id, events, this);
        this.#clients.set(id, client);
        this.post({
          id,
          type: "start",
          options
        });
        this.refresh();
        return client;
      }
      /**
       * Posts a message. The buffer of `bytes`, a part of the message, is
       * transferred.
       */
      post(message, bytes2) {
        this.#port.postMessage(message, bytes2 === void 0 ? [] : [
          bytes2.buffer
        ]);
      }
      /** Removes a client. */
      forget(id) {
        this.#clients.delete(id);
        this.refresh();
      }
      /** Keeps the event loop alive while a client needs it. */
      refresh() {
        const isNeeded = this.#clients.values().some((client) => client.isRef);
        if (isNeeded) this.#port.ref();
        else this.#port.unref();
      }
      /** Terminates the worker. */
      close() {
        this.#port.close();
        this.#worker.terminate();
      }
    };
    RemoteEngine = class {
      events;
      #id;
      #thread;
      #isRef = true;
      #isGone = false;
      #ahead = 0;
      #room;
      #onWritten = [];
      #onEnded;
      #onSettled;
      constructor(id, events, thread) {
        this.#id = id;
        this.events = events;
        this.#thread = thread;
      }
      get isRef() {
        return this.#isRef;
      }
      get busy() {
        return this.#room?.promise;
      }
      feed(bytes2) {
        const given = bytes2.length * 2 > bytes2.buffer.byteLength && bytes2.buffer instanceof ArrayBuffer ? bytes2 : new Uint8Array(bytes2);
        this.#ahead += given.length;
        if (this.#ahead >= FEED_AHEAD) this.#room ??= Promise.withResolvers();
        this.#thread.post({
          id: this.#id,
          type: "feed",
          bytes: given
        }, given);
        return given !== bytes2;
      }
      write(bytes2, done) {
        const given = new Uint8Array(bytes2);
        this.#onWritten.push(done);
        this.#thread.post({
          id: this.#id,
          type: "write",
          bytes: given
        }, given);
      }
      end(done) {
        this.#onEnded = done;
        this.#thread.post({
          id: this.#id,
          type: "end"
        });
      }
      settle(done) {
        this.#onSettled = done;
        this.#thread.post({
          id: this.#id,
          type: "settle"
        });
      }
      ref() {
        this.#isRef = true;
        this.#thread.refresh();
      }
      unref() {
        this.#isRef = false;
        this.#thread.refresh();
      }
      destroy() {
        if (this.#isGone) return;
        this.#isGone = true;
        this.#thread.post({
          id: this.#id,
          type: "destroy"
        });
        this.#thread.forget(this.#id);
        this.#room?.resolve();
        for (const done of this.#onWritten) done();
        this.#onEnded?.();
      }
      /** Handles an event of the worker. */
      receive(event) {
        switch (event.type) {
          case "secure":
            return this.events.secure(event.handshake);
          case "session":
            return this.events.session(event.bytes);
          case "send":
            return this.events.send(event.bytes, () => {
              if (!this.#isGone) {
                this.#thread.post({
                  id: this.#id,
                  type: "sent"
                });
              }
            });
          case "data":
            return this.events.data(event.bytes);
          case "fed":
            this.#ahead -= event.size;
            if (this.#ahead < FEED_AHEAD) {
              this.#room?.resolve();
              this.#room = void 0;
            }
            return;
          case "written":
            return this.#onWritten.shift()?.();
          case "settled":
            return this.#onSettled?.();
          case "ended":
            return this.#onEnded?.();
          case "end":
            return this.events.end();
          case "fail":
            return this.events.fail(event.message, event.code);
        }
      }
    };
  }
});

// lib/tls/options.ts
function checkTLSOptions(options) {
  checkNames("tls", options, NAMES);
  const { mode, data, minVersion, maxVersion, caCerts, fingerprint } = options;
  checkWord("tls.mode", mode, TLS_MODES);
  checkWord("tls.data", data, [
    "protected",
    "clear"
  ]);
  checkWord("tls.minVersion", minVersion, TLS_VERSIONS);
  checkWord("tls.maxVersion", maxVersion, TLS_VERSIONS);
  const areTexts = caCerts === void 0 || Array.isArray(caCerts) && caCerts.every((text) => typeof text === "string");
  if (!areTexts) {
    throw new TypeError('Cannot use "caCerts": it must be an array of PEM texts, such as [await Deno.readTextFile("ca.pem")]');
  }
  if (fingerprint !== void 0) [
    fingerprint
  ].flat().forEach(parseFingerprint);
}
function parseFingerprint(text) {
  const digits = String(text).replace(/^sha-?256[:=]/i, "").replace(/[:\s]/g, "");
  if (!/^[0-9a-f]{64}$/i.test(digits)) {
    throw new TypeError(`Cannot use "fingerprint": a SHA-256 has 64 hexadecimal digits, and this is not one: ${showValue(text)}`);
  }
  return digits.toUpperCase().match(/../g).join(":");
}
var TLS_MODES, TLS_VERSIONS, NAMES;
var init_options = __esm({
  "lib/tls/options.ts"() {
    init_check_names();
    init_option_names();
    init_check_word();
    TLS_MODES = [
      "explicit",
      "implicit"
    ];
    TLS_VERSIONS = [
      "TLSv1.2",
      "TLSv1.3"
    ];
    NAMES = TLS_OPTIONS;
  }
});

// lib/tls/session.ts
function forgetSlots() {
  for (const [key, slot] of slots) {
    if (slots.size <= MAX_KNOWN) return;
    if (slot.users === 0) slots.delete(key);
  }
}
var isIP2, Duplex, setImmediate, connect, PARTS, SLOTS, slots, MAX_SLOTS, MAX_THREADS, threads, MAX_KNOWN, MAX_TICKETS, TLSSession;
var init_session = __esm({
  "lib/tls/session.ts"() {
    init_node_module();
    init_bytes();
    init_certificate_names();
    init_certificate();
    init_prepared_handshake();
    init_engine();
    init_worker();
    init_options();
    ({ isIP: isIP2 } = nodeModule("node:net"));
    ({ Duplex } = nodeModule("node:stream"));
    ({ setImmediate } = nodeModule("node:timers"));
    ({ connect } = nodeModule("node:tls"));
    PARTS = {
      connect,
      Duplex,
      setImmediate
    };
    SLOTS = Symbol.for("ftp.tls.slots.2");
    slots = globalThis[SLOTS] ??= /* @__PURE__ */ new Map();
    MAX_SLOTS = 16;
    MAX_THREADS = 16;
    threads = 0;
    MAX_KNOWN = 256;
    MAX_TICKETS = 8;
    TLSSession = class {
      /** Host and port, for messages. */
      shown;
      /** Whether data may end without close_notify. */
      allowsMissingCloseNotify;
      #name;
      #engineOptions;
      #fingerprints;
      #authorities;
      #acceptsAny;
      #slot;
      #thread;
      #isSingleUse = false;
      #isOffered;
      #holding;
      #isSpoiled = false;
      #early;
      #users = 0;
      #isClosed = false;
      #isGone = false;
      /** The last trusted certificate, and its description. */
      #trusted;
      /**
       * Reads the options and chooses where the TLS clients run: in this thread, or
       * in a worker with a session store of its own.
       *
       * @param acceptsAny Whether the server resumes any session that it issued
       * @throws {TypeError} If an option is invalid
       */
      constructor(host, port, options, acceptsAny = false) {
        this.shown = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
        this.allowsMissingCloseNotify = options.allowMissingCloseNotify ?? false;
        this.#name = options.serverName ?? host;
        this.#acceptsAny = options.dangerouslyAcceptAnyCertificate ?? false;
        this.#fingerprints = options.fingerprint === void 0 ? void 0 : [
          options.fingerprint
        ].flat().map(parseFingerprint);
        this.#authorities = options.caCerts === void 0 ? void 0 : new Authorities(options.caCerts);
        const { minVersion = "TLSv1.2", maxVersion = "TLSv1.2" } = options;
        this.#engineOptions = {
          host,
          port,
          servername: isIP2(this.#name) ? void 0 : this.#name,
          rejectUnauthorized: !this.#acceptsAny && this.#fingerprints === void 0 && this.#authorities === void 0,
          minVersion,
          maxVersion: maxVersion < minVersion ? minVersion : maxVersion,
          cert: options.cert,
          key: options.key,
          session: void 0
        };
        const { servername, rejectUnauthorized } = this.#engineOptions;
        const key = `${rejectUnauthorized} ${servername?.toLowerCase().replace(/\.$/, "") ?? "an address"}`;
        let slot = slots.get(key);
        const mixesTickets = this.#engineOptions.maxVersion !== "TLSv1.2" && (slot === void 0 ? slots.size >= MAX_SLOTS : slot.users > 0 && !acceptsAny);
        const isIsolated = options.isolate === true || slot?.isRefused === true || mixesTickets;
        if (slot === void 0) {
          slot = {
            users: 0,
            ending: Promise.resolve(),
            isRefused: false
          };
          slots.set(key, slot);
        }
        this.#slot = slot;
        if (isIsolated && threads < MAX_THREADS) {
          this.#thread = new TLSThread();
          threads++;
        } else {
          slot.users++;
        }
      }
      /** Whether the TLS clients of this thread use the store for this session. */
      get sharesStore() {
        return this.#thread === void 0;
      }
      /** Starts a handshake, or continues the one that was prepared. */
      startEngine(events) {
        const early = this.#early;
        this.#early = void 0;
        const all = {
          ...events,
          session: this.#keepSession
        };
        return early?.adopt(all) ?? this.#startEngine(all);
      }
      #startEngine = (events) => this.#thread?.startEngine(this.#engineOptions, events) ?? startEngine(PARTS, this.#engineOptions, events);
      #keepSession = (session) => {
        this.#engineOptions.session = session;
      };
      /**
       * Makes the control connection's session the one that data connections
       * resume. Call it before another byte is read, because the tickets of TLS 1.3
       * come after the handshake.
       */
      prepare(handshake) {
        this.#isSingleUse = handshake.protocol === "TLSv1.3";
        const isAlone = this.#thread === void 0 && this.#slot.users === 1;
        if (this.#isSingleUse && isAlone) this.#forgetTickets();
      }
      /**
       * Ends a handshake while no other one of the slot ends, and starts the next
       * data connection's: its ClientHello holds the session that was just stored.
       *
       * @param end Ends the handshake; gives `undefined` if it did not end
       */
      async endHandshake(end) {
        const slot = this.#slot;
        const previous = slot.ending;
        const { promise, resolve: resolve2 } = Promise.withResolvers();
        slot.ending = promise;
        await previous;
        try {
          const handshake = await end();
          if (handshake?.protocol === "TLSv1.2") await this.holdSession();
        } finally {
          resolve2();
        }
      }
      /**
       * Whether the next data connection can resume the control connection's
       * session. The platform uses a ticket of TLS 1.3 once, and servers do not
       * always send a new one.
       */
      async canResume() {
        if (this.#isGone) return true;
        if (!this.#isSingleUse) {
          await this.holdSession();
          return true;
        }
        this.#early ??= new PreparedHandshake(this.#startEngine);
        return await this.#early.hasTicket();
      }
      /**
       * Starts the next data connection's handshake while the store holds the
       * session of TLS 1.2. Another TLS client of the program that talks to the
       * same host may replace it, or leave tickets of TLS 1.3, which the platform
       * prefers.
       */
      async holdSession() {
        const isMeant = this.#thread === void 0 && !this.#isSingleUse && this.#engineOptions.maxVersion === "TLSv1.2" && this.#isOffered !== false;
        if (!isMeant || this.#isGone) return;
        await (this.#holding ??= this.#hold());
        this.#holding = void 0;
      }
      async #hold() {
        if (this.#early !== void 0) return;
        for (let i = 0; i <= MAX_TICKETS && !this.#isGone; i++) {
          const early = new PreparedHandshake(this.#startEngine);
          if (await early.hasSession() && !this.#isGone) {
            this.#early ??= early;
            this.#isOffered = true;
            return;
          }
          early.destroy();
        }
        this.#isOffered ??= false;
      }
      /**
       * Whether the server refused a data connection for not resuming the session,
       * and a new control connection is likely to work.
       */
      get isSpoiled() {
        return this.#isSpoiled;
      }
      /**
       * Records that the server required the session and did not get it. Later
       * connections to this host are isolated. Returns advice for the user.
       */
      noteRefusal() {
        const { cert, maxVersion } = this.#engineOptions;
        if (cert !== void 0) {
          return `omit "cert" and "key", or change the server's setting`;
        }
        if (this.#thread === void 0) {
          this.#isSpoiled = true;
          this.#slot.isRefused = true;
          return `another TLS client in this program, such as "node:https", may have replaced the session. Connect again (later connections are isolated), set "isolate", or change the server's setting`;
        }
        const advice = "change the server's setting";
        return maxVersion === "TLSv1.2" ? advice : `leave "maxVersion" at "TLSv1.2", or ${advice}`;
      }
      /**
       * Discards the TLS 1.3 tickets that earlier control connections or the rest
       * of the program stored for this host. They belong to other sessions, and the
       * platform prefers them even for TLS 1.2. Each ClientHello uses up one.
       */
      #forgetTickets() {
        const ignore = () => {
        };
        const events = {
          secure: ignore,
          session: ignore,
          send: (_, done) => done(),
          data: ignore,
          end: ignore,
          fail: ignore
        };
        for (let i = 0; i < MAX_TICKETS; i++) this.#startEngine(events).destroy();
      }
      /**
       * Decides whether a peer is trusted, on control and data connections, whether
       * resumed or not.
       *
       * @returns The problem, or `undefined`
       */
      findProblem(handshake) {
        const leaf = handshake.chain[0];
        if (leaf === void 0) {
          return {
            reason: "bad-certificate",
            detail: "the server showed no certificate"
          };
        }
        if (this.#trusted !== void 0 && isEqual(leaf, this.#trusted.der)) {
          return void 0;
        }
        const fault = this.#findProblem(leaf, handshake.chain);
        if (fault === void 0) {
          this.#trusted = {
            der: leaf,
            certificate: describeCertificate(leaf),
            sha256: fingerprintOf(leaf)
          };
        }
        return fault;
      }
      #findProblem(leaf, chain) {
        if (this.#acceptsAny) return void 0;
        if (this.#engineOptions.rejectUnauthorized) {
          return checkName2(leaf, this.#name);
        }
        const fault = checkProvable(leaf);
        if (fault !== void 0) return fault;
        const sha256 = fingerprintOf(leaf);
        if (this.#fingerprints?.includes(sha256) === false) {
          return {
            reason: "fingerprint",
            detail: `the certificate has the SHA-256 ${sha256}, which is not the pinned one`
          };
        }
        if (this.#authorities === void 0) return void 0;
        return this.#authorities.check(chain, /* @__PURE__ */ new Date()) ?? checkName2(leaf, this.#name);
      }
      /** Describes a handshake for the user. */
      describe(handshake) {
        return {
          protocol: handshake.protocol,
          cipher: handshake.cipher,
          peerCertificate: this.#trusted.certificate,
          fingerprint: this.#trusted.sha256,
          resumed: handshake.resumed
        };
      }
      /**
       * SHA-256 of the certificate that the server showed; `undefined` if it showed
       * none.
       */
      fingerprintOf(handshake) {
        const leaf = handshake.chain[0];
        return leaf === void 0 ? void 0 : fingerprintOf(leaf);
      }
      /** Registers a connection that uses the session. */
      retain() {
        this.#users++;
      }
      /** Unregisters a connection. */
      release() {
        this.#users--;
        this.#tidy();
      }
      /**
       * Ends the use of the session: no further connection will be made, and open
       * ones continue.
       */
      close() {
        this.#isClosed = true;
        this.#tidy();
      }
      /** Releases the slot or the worker once no connection uses it. */
      #tidy() {
        if (!this.#isClosed || this.#users > 0 || this.#isGone) return;
        this.#isGone = true;
        this.#early?.destroy();
        if (this.#thread === void 0) {
          this.#slot.users--;
          forgetSlots();
        } else {
          this.#thread.close();
          threads--;
        }
      }
    };
  }
});

// lib/tls/secure.ts
var secure_exports = {};
__export(secure_exports, {
  secureControl: () => secureControl,
  secureData: () => secureData
});
async function secureControl(stream, options) {
  const { host, port, options: tls, acceptsAnySession } = options;
  let session;
  try {
    session = new TLSSession(host, port, tls, acceptsAnySession);
    return await secure(stream, session, "control", options);
  } catch (error) {
    session?.close();
    closeQuietly(stream);
    throw error;
  }
}
async function secureData(stream, session, options) {
  try {
    const connection = await secure(stream, session, "data", options);
    session.holdSession();
    return connection;
  } catch (error) {
    closeQuietly(stream);
    throw error;
  }
}
async function secure(stream, session, channel2, { timeout, signal }) {
  const where = `the ${channel2} connection to "${session.shown}"`;
  return await within(timeout, signal, () => new Deno.errors.TimedOut(`Cannot secure ${where}: the TLS handshake was not complete within ${timeout} ms`), (signal2) => {
    const connection = new TLSConnection(stream, session, where);
    return abortable(connection.handshake(), signal2).then((handshake) => {
      if (channel2 === "control") {
        session.prepare(handshake);
        session.holdSession();
      }
      return connection;
    }, (error) => {
      connection.close();
      throw error;
    });
  });
}
var init_secure = __esm({
  "lib/tls/secure.ts"() {
    init_byte_stream();
    init_waiting();
    init_connection();
    init_session();
  }
});

// lib/commands/path.ts
init_printable();
function checkName(name) {
  const isSegment = name !== "" && name !== "." && name !== ".." && !/[/\\\0\r\n]/.test(name);
  if (isSegment) return name;
  throw new Deno.errors.InvalidData(`Cannot use the name ${quoteEscaped(name)} that the server gave: it is not a single path segment, and may lead out of its directory or into another command`);
}
function splitPath(path) {
  const slash = path.lastIndexOf("/") + 1;
  return [
    path.slice(0, slash),
    path.slice(slash)
  ];
}
function endsWithName(path) {
  const last = path.split("/").findLast((segment) => segment !== "") ?? ".";
  return last !== "." && last !== "..";
}
function withoutTrailingSlashes(path) {
  return path.replace(/(?<=[^/])\/+$|(?<=^\/)\/+$/, "");
}
function joinPath(directory, name) {
  if (directory === "" || directory.endsWith("/")) return directory + name;
  return `${directory}/${name}`;
}
var MAX_STEM = 200;
var MAX_BYTES = 3;
function partName(name, mark, isResumable) {
  return `${partPrefix(name)}${isResumable ? "resume-" : ""}${mark}.part`;
}
function isResumablePart(name, of) {
  const prefix = `${partPrefix(of)}resume-`;
  return name.startsWith(prefix) && /^[0-9a-f]{16}\.part$/.test(name.slice(prefix.length));
}
function isPartOf(name, of) {
  const prefix = partPrefix(of);
  return isResumablePart(name, of) || name.startsWith(prefix) && /^[0-9a-f]{16}\.part$/.test(name.slice(prefix.length));
}
function isPart(name) {
  return /^\..+\.(resume-)?[0-9a-f]{16}\.part$/s.test(name);
}
function partPrefix(name) {
  if (name.length * MAX_BYTES <= MAX_STEM) return `.${name}.`;
  const encoder = new TextEncoder();
  let stem = "";
  let size = 0;
  for (const char of name) {
    size += encoder.encode(char).length;
    if (size > MAX_STEM) break;
    stem += char;
  }
  return `.${stem}.`;
}
function randomMark() {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}

// lib/client/connect.ts
init_check_names();
init_option_names();
init_check_word();

// lib/protocol/command.ts
init_bytes();
init_printable();
function checkPath(value, name) {
  if (typeof value === "string" || value instanceof Uint8Array) return;
  throw new TypeError(`Cannot use "${name}": it must be a string or a Uint8Array, not ${value === void 0 || value === null ? value : `of type ${typeof value}`}`);
}
function isCurrentDirectory(path) {
  return path.length === 0 || path === ".";
}
function withPath(verb, path) {
  return path.length === 0 ? {
    verb
  } : {
    verb,
    argument: path,
    name: "path"
  };
}
function parseCommand(line) {
  if (typeof line !== "string") {
    throw new TypeError(`Cannot send a command: "cmd" must be a string, not of type ${typeof line}`);
  }
  if (line.trim() === "") {
    throw new TypeError('Cannot send a command: "cmd" is empty');
  }
  const blank = line.indexOf(" ");
  return blank < 0 ? {
    verb: line,
    name: "cmd"
  } : {
    verb: line.slice(0, blank),
    argument: line.slice(blank + 1),
    name: "cmd"
  };
}
var CR = 13;
var LF = 10;
var CRLF = Uint8Array.of(CR, LF);
var NUL = 0;
var IAC = 255;
function encodeCommand(command, encoding) {
  const { verb, argument } = command;
  if (argument !== void 0 || "argument" in command) {
    checkPath(argument, command.name ?? "argument");
  }
  if (typeof argument !== "object") {
    const line = argument === void 0 ? verb : `${verb} ${argument}`;
    if (PLAIN_REGEXP2.test(line)) return encodePlain(line);
  }
  const name = command.name ?? "argument";
  refuseLineEnds(encoding.encode(verb), verb, name);
  const head = encoding.encode(argument === void 0 ? verb : verb + " ");
  const tail = argument === void 0 ? new Uint8Array(0) : encodePath(argument, encoding, verb, name);
  return joinBytes([
    head,
    tail,
    CRLF
  ]);
}
var PLAIN_REGEXP2 = /^[ -~]*$/;
function encodePlain(line) {
  const bytes2 = new Uint8Array(line.length + 2);
  for (let i = 0; i < line.length; i++) bytes2[i] = line.charCodeAt(i);
  bytes2[line.length] = CR;
  bytes2[line.length + 1] = LF;
  return bytes2;
}
function doubleIAC(line) {
  if (!line.includes(IAC)) return line;
  const doubled = [];
  for (const byte of line) {
    doubled.push(byte);
    if (byte === IAC) doubled.push(byte);
  }
  return Uint8Array.from(doubled);
}
function encodePath(argument, encoding, verb, name) {
  let bytes2;
  if (typeof argument === "string") {
    try {
      bytes2 = encoding.encode(argument);
    } catch {
      throw new TypeError(`Cannot send ${showVerb(verb)}: "${name}" has a character that the encoding "${encoding.label}" lacks`);
    }
  } else {
    bytes2 = argument;
  }
  refuseLineEnds(bytes2, verb, name);
  return bytes2;
}
function refuseLineEnds(bytes2, verb, name) {
  for (const byte of bytes2) {
    if (byte !== CR && byte !== LF && byte !== NUL) continue;
    const what = byte === CR ? "a carriage return" : byte === LF ? "a line feed" : "a NUL";
    const danger = byte === NUL ? "at which many servers end it" : "which would start another command";
    throw new TypeError(`Cannot send ${showVerb(verb)}: "${name}" contains ${what}, ${danger}`);
  }
}
function showVerb(verb) {
  return /^[A-Za-z]{1,8}$/.test(verb) ? `"${verb}"` : "a command";
}
var SECRET_REGEXP = /^\s*(X?PASS|PASSWD|PASSWORD|PSWD|ACCT|ADAT|MIC|CONF|ENC|SITE\s+(?:\w*PASS|PASSWD|PASSWORD|PSWD|ADDUSER|USERADD|GADDUSER|LOGIN|AUTH))(?!\w)/i;
var OPEN_VERBS = /* @__PURE__ */ new Set([
  "EPSV",
  "PASV",
  "RETR",
  "STOR",
  "SIZE",
  "MDTM"
]);
var NAMES_REGEXP = /(ADDUSER|USERADD|CHPASS|LOGIN)$/i;
var PROXY_REGEXP = /^\s*(?:USER|OPEN|SITE)\s/i;
function secretsOf({ verb, argument }) {
  if (typeof argument === "object" || OPEN_VERBS.has(verb)) return [];
  const line = argument === void 0 ? verb : `${verb} ${argument}`;
  const [start, name = ""] = SECRET_REGEXP.exec(line) ?? [];
  if (start === void 0) return [];
  const secret = line.slice(start.length).trim();
  if (!/^SITE/i.test(name)) {
    const bare = secret.startsWith("-") ? [
      secret.slice(1)
    ] : [];
    return [
      secret,
      ...bare
    ].filter((secret2) => secret2 !== "");
  }
  const words = secret.split(/\s+/).filter((word) => word !== "");
  const names = /GADDUSER$/i.test(name) ? 2 : NAMES_REGEXP.test(name) ? 1 : 0;
  return words.length > names ? words.slice(names) : words.slice(-1);
}
function maskCommand(line) {
  const secret = SECRET_REGEXP.exec(line);
  if (secret !== null) return `${secret[1]} ****`;
  const masked = maskURLs(line);
  if (!PROXY_REGEXP.test(line)) return masked;
  return masked.replace(/\S+/g, (word) => {
    const colon = word.indexOf(":");
    const end = word.lastIndexOf("@");
    return colon < 0 || end < colon || word.includes("://") ? word : `${word.slice(0, colon)}:****${word.slice(end)}`;
  });
}
function maskURLs(text) {
  return text.includes("://") ? text.replace(/\S+/g, maskURL) : text;
}
function maskURL(word) {
  const start = word.indexOf("://");
  const colon = word.indexOf(":", start + 3);
  const end = word.lastIndexOf("@");
  return start < 0 || colon < 0 || end < colon ? word : `${word.slice(0, colon)}:****${word.slice(end)}`;
}
function describeCommand(command, encoding) {
  const { verb, argument } = command;
  if (argument === void 0) return printable(maskCommand(verb));
  const text = typeof argument === "string" ? argument : encoding.decode(argument);
  return printable(maskCommand(`${verb} ${text}`));
}

// lib/client/connect.ts
init_printable();

// lib/protocol/encoding.ts
init_bytes();

// lib/protocol/character_table.ts
var LF2 = 10;
var EURO_BYTES = Uint8Array.of(162, 227);
var REPLACEMENT = "\uFFFD";
var RARE = {
  shift_jis: (lead) => lead === 237 || lead === 238,
  big5: (lead, trail) => lead < 161 || lead === 162 && [
    164,
    165,
    166,
    167,
    204,
    206
  ].includes(trail)
};
var CharacterTable = class {
  #bytesOf = /* @__PURE__ */ new Map();
  /** By code unit: whether no other sequence decodes to the character. */
  #isFaithful = new Uint8Array(65536).fill(1, 0, 128);
  #hasPlanes;
  /** Builds the table of an encoding, named as `TextDecoder` names it. */
  constructor(encoding) {
    this.#hasPlanes = encoding === "gb18030";
    if (this.#hasPlanes) this.#isFaithful.fill(1, 55296, 57344);
    const decoder2 = new TextDecoder(encoding, {
      ignoreBOM: true
    });
    const singles = Array.from({
      length: 256
    }, (_, byte) => [
      byte
    ]);
    const leads = this.#add(decoder2, singles);
    const pairs = product(leads, range(48, 255));
    const isRare = ([lead, trail]) => RARE[encoding]?.(lead, trail) === true;
    this.#add(decoder2, pairs.filter((pair) => !isRare(pair)));
    this.#add(decoder2, pairs.filter(isRare));
    if (encoding === "euc-jp") {
      const part = range(161, 254);
      this.#add(decoder2, product([
        143
      ], part, part));
    }
    if (this.#hasPlanes || encoding === "gbk") {
      const digit = range(48, 57);
      const part = range(129, 254);
      this.#add(decoder2, product(range(129, 132), digit, part, digit));
    }
    if (this.#hasPlanes) this.#bytesOf.set("\u20AC", EURO_BYTES);
    else this.#forgetLong();
  }
  /** Returns the bytes of a character, or `undefined` if it has none. */
  get(char) {
    const code = char.codePointAt(0);
    if (!this.#hasPlanes || code < 65536) return this.#bytesOf.get(char);
    const linear = code - 65536;
    return Uint8Array.of(144 + Math.floor(linear / 12600), 48 + Math.floor(linear / 1260) % 10, 129 + Math.floor(linear / 10) % 126, 48 + linear % 10);
  }
  /**
   * Whether a text can only have been decoded from the bytes it is encoded to.
   */
  isFaithful(text) {
    for (let i = 0; i < text.length; i++) {
      if (this.#isFaithful[text.charCodeAt(i)] === 0) return false;
    }
    return true;
  }
  /**
   * Adds sequences, preferred ones first. Returns the first bytes of invalid
   * sequences.
   */
  #add(decoder2, sequences) {
    const bytes2 = Uint8Array.from(sequences.flatMap((some) => [
      ...some,
      LF2
    ]));
    const texts = decoder2.decode(bytes2).split("\n");
    const wrong = [];
    let at = 0;
    for (const sequence of sequences) {
      const [lead] = sequence;
      const text = lead === LF2 ? "\n" : texts[at];
      at += lead === LF2 ? 2 : 1;
      if (text.includes(REPLACEMENT)) wrong.push(lead);
      else this.#learn(text, sequence);
    }
    return wrong;
  }
  /**
   * Removes sequences of four bytes: GBK has none, although its decoder accepts
   * them.
   */
  #forgetLong() {
    for (const [char, bytes2] of this.#bytesOf) {
      if (bytes2.length < 4) continue;
      this.#bytesOf.delete(char);
      this.#isFaithful[char.charCodeAt(0)] = 0;
    }
  }
  #learn(text, sequence) {
    const isOne = [
      ...text
    ].length === 1;
    const isNew = isOne && !this.#bytesOf.has(text);
    if (isNew) this.#bytesOf.set(text, Uint8Array.from(sequence));
    for (let i = 0; i < text.length; i++) {
      const isHalf = isOne && text.length > 1;
      this.#isFaithful[text.charCodeAt(i)] = isNew && !isHalf ? 1 : 0;
    }
  }
};
var tables = /* @__PURE__ */ new Map();
function tableOf(encoding) {
  let table = tables.get(encoding);
  if (table === void 0) {
    tables.set(encoding, table = new CharacterTable(encoding));
  }
  return table;
}
function range(first, last) {
  return Array.from({
    length: last - first + 1
  }, (_, i) => first + i);
}
function product(...lists) {
  return lists.reduce((heads, list) => heads.flatMap((head) => list.map((byte) => [
    ...head,
    byte
  ])), [
    []
  ]);
}

// lib/protocol/encoding.ts
init_printable();
var ISO_8859_1_LABELS = [
  "latin-1",
  "latin1",
  "iso-8859-1",
  "iso8859-1",
  "iso_8859-1",
  "l1"
];
var ASCII = "USER 220-09 az\r\n";
var ASCII_BYTES = new TextEncoder().encode(ASCII);
var LONE_SURROGATE_REGEXP = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
function makeEncoding(label) {
  const lower = String(label).toLowerCase();
  if (ISO_8859_1_LABELS.includes(lower)) return makeLatin1(lower);
  let decoder2;
  try {
    decoder2 = new TextDecoder(lower, {
      fatal: true,
      ignoreBOM: true
    });
  } catch {
    throw new RangeError(`Cannot use the encoding ${quote(String(label))}: TextDecoder does not support it`);
  }
  if (decoder2.encoding === "utf-8") return makeUtf8(decoder2);
  const hasStates = decoder2.encoding === "iso-2022-jp";
  if (hasStates || tryDecode(decoder2, ASCII_BYTES) !== ASCII) {
    throw new RangeError(`Cannot use the encoding ${quote(String(label))}: commands and replies must be encoded as ASCII`);
  }
  return makeLegacy(lower, decoder2);
}
var quickDecoder = new TextDecoder("utf-8", {
  ignoreBOM: true
});
function makeUtf8(decoder2) {
  const encoder = new TextEncoder();
  return {
    label: "utf-8",
    decode(bytes2) {
      const text = quickDecoder.decode(bytes2);
      if (!text.includes("\uFFFD")) return text;
      return tryDecode(decoder2, bytes2) ?? decodePartly(decoder2, bytes2);
    },
    encode: (text) => LONE_SURROGATE_REGEXP.test(text) ? encodeByCharacter(text, "utf-8", (char) => encoder.encode(char)) : encoder.encode(text)
  };
}
function makeLatin1(label) {
  const PIECE = 8192;
  return {
    label,
    decode(bytes2) {
      let text = "";
      for (let i = 0; i < bytes2.length; i += PIECE) {
        text += String.fromCharCode(...bytes2.subarray(i, i + PIECE));
      }
      return text;
    },
    encode: (text) => encodeByCharacter(text, label, (char) => {
      const code = char.codePointAt(0);
      return code < 256 ? Uint8Array.of(code) : void 0;
    })
  };
}
function makeLegacy(label, decoder2) {
  const table = () => tableOf(decoder2.encoding);
  return {
    label,
    decode: (bytes2) => decodeEscaping(decoder2, bytes2, table),
    encode: (text) => encodeByCharacter(text, label, (char) => table().get(char))
  };
}
function decodePartly(decoder2, bytes2) {
  let text = "";
  for (let at = 0; at < bytes2.length; ) {
    const start = at;
    for (let size; (size = sequenceSize(bytes2, at)) > 0; ) at += size;
    if (at > start) text += decoder2.decode(bytes2.subarray(start, at));
    const wrong = at;
    while (at < bytes2.length && sequenceSize(bytes2, at) === 0) at++;
    text += escape(bytes2.subarray(wrong, at));
  }
  return text;
}
function sequenceSize(bytes2, at) {
  const lead = bytes2[at] ?? 255;
  if (lead < 128) return 1;
  if (lead < 194 || lead > 244) return 0;
  const size = lead < 224 ? 2 : lead < 240 ? 3 : 4;
  const second = bytes2[at + 1] ?? 0;
  const least = lead === 224 ? 160 : lead === 240 ? 144 : 128;
  const most = lead === 237 ? 159 : lead === 244 ? 143 : 191;
  if (second < least || second > most) return 0;
  for (let i = 2; i < size; i++) {
    if (((bytes2[at + i] ?? 0) & 192) !== 128) return 0;
  }
  return size;
}
function tryDecode(decoder2, bytes2) {
  try {
    return decoder2.decode(bytes2);
  } catch {
    return void 0;
  }
}
var LF3 = 10;
var MAX_SEQUENCE = 4;
function decodeEscaping(decoder2, bytes2, table) {
  const whole = tryDecode(decoder2, bytes2);
  const isFaithful = whole !== void 0 && (table === void 0 || isASCII(whole) || table().isFaithful(whole));
  if (isFaithful) return whole;
  const end = bytes2.indexOf(LF3) + 1;
  if (end > 0 && end < bytes2.length) {
    return decodeLines(decoder2, bytes2, table);
  }
  let text = "";
  for (let i = 0; i < bytes2.length; ) {
    let taken = 0;
    for (let n = 1; n <= MAX_SEQUENCE && i + n <= bytes2.length; n++) {
      const sequence = bytes2.subarray(i, i + n);
      const char = tryDecode(decoder2, sequence);
      if (char === void 0) continue;
      const isText = isReturned(char, sequence, table?.());
      text += isText ? char : escape(sequence);
      taken = n;
      break;
    }
    if (taken === 0) {
      text += escape(bytes2.subarray(i, i + 1));
      taken = 1;
    }
    i += taken;
  }
  return text;
}
var ASCII_REGEXP = /^[\x00-\x7F]*$/;
function isASCII(text) {
  return ASCII_REGEXP.test(text);
}
function escape(bytes2) {
  let text = "";
  for (const byte of bytes2) {
    text += String.fromCharCode(byte < 128 ? byte : 56320 + byte);
  }
  return text;
}
function isReturned(char, sequence, table) {
  if (table === void 0 || isASCII(char)) return true;
  const bytes2 = table.get(char);
  return bytes2 !== void 0 && isEqual(bytes2, sequence);
}
function decodeLines(decoder2, bytes2, table) {
  let text = "";
  for (let start = 0; start < bytes2.length; ) {
    const end = bytes2.indexOf(LF3, start) + 1 || bytes2.length;
    text += decodeEscaping(decoder2, bytes2.subarray(start, end), table);
    start = end;
  }
  return text;
}
function encodeByCharacter(text, label, encodeChar) {
  const bytes2 = [];
  for (const char of text) {
    const code = char.codePointAt(0);
    if (code >= 56448 && code <= 56575) {
      bytes2.push(code - 56320);
      continue;
    }
    const encoded = code >= 55296 && code <= 57343 ? void 0 : encodeChar(char);
    if (encoded === void 0) {
      throw new TypeError(`Cannot encode the character U+${code.toString(16).toUpperCase().padStart(4, "0")} in "${label}"`);
    }
    for (const byte of encoded) bytes2.push(byte);
  }
  return Uint8Array.from(bytes2);
}

// lib/protocol/with_advice.ts
function withAdvice(message, advice) {
  return advice === "" ? message : `${withoutPeriod(message)}; ${advice}`;
}
function withoutPeriod(text) {
  return text.replace(/\.\s*$/, "");
}

// lib/protocol/errors.ts
init_printable();
var REDACTED = Symbol("redacted");
var FTPError = class extends Error {
  /** Name of the class, as in the stack trace. */
  name = "FTPError";
  /** The reply that caused the error; `undefined` if there was none. */
  reply;
  /** The command that was answered, with its secrets masked. */
  command;
  /**
   * Creates an error. Control characters and secrets in the message, and
   * secrets in the reply, are replaced.
   *
   * @param message The action, its object, and the server's words
   * @param options Reply, masked command and cause
   */
  constructor(message, options = {}) {
    const reply = options.reply?.[REDACTED]();
    super(printable(redacted(message, options.reply, reply)), options.cause === void 0 ? void 0 : {
      cause: printableError(options.cause)
    });
    this.reply = reply;
    this.command = options.command;
  }
  /**
   * Formats the error for `console.log`, with its fields. Characters that
   * control a terminal are replaced.
   *
   * @param inspect Deno's function that formats a value
   * @param options Options of `inspect`
   * @returns The text
   * @ignore
   */
  [Symbol.for("Deno.customInspect")](inspect, options) {
    const { stack, message, cause } = this;
    const fields = Object.entries(this).filter(([name, value]) => name !== "name" && value !== void 0);
    const shown = fields.length === 0 ? "" : ` ${inspect(Object.fromEntries(fields), options)}`;
    const why = cause === void 0 ? "" : `
Caused by ${inspect(printableError(cause), options)}`;
    const what = printable(stack ?? `${this.name}: ${message}`);
    return printableInspection(`${what}${shown}${why}`);
  }
};
function redacted(message, reply, copy3) {
  return reply === void 0 || copy3 === void 0 || reply === copy3 ? message : message.replaceAll(reply.text, () => copy3.text);
}
var FTPTemporaryError = class extends FTPError {
  /** Name of the class. */
  name = "FTPTemporaryError";
};
var FTPPermanentError = class extends FTPError {
  /** Name of the class. */
  name = "FTPPermanentError";
};
var FTPReplyError = class extends FTPError {
  /** Name of the class. */
  name = "FTPReplyError";
};
var FTPProtocolError = class extends FTPError {
  /** Name of the class. */
  name = "FTPProtocolError";
};
function isRefusal(error, codes) {
  const reply = replyOf(error);
  return reply !== void 0 && (codes?.includes(reply.code) ?? true);
}
function replyOf(error) {
  return error instanceof FTPError ? error.reply : void 0;
}
var UNKNOWN_REPLIES = [
  500,
  502,
  504
];
function isUnknownCommand(reply) {
  return reply !== void 0 && UNKNOWN_REPLIES.includes(reply.code);
}
function replyError(reply, command, cause, advice = "") {
  const Class = reply.code >= 500 ? FTPPermanentError : reply.code >= 400 ? FTPTemporaryError : FTPReplyError;
  const message = `${failedAction(command)}: ${reply.text}`;
  return new Class(withAdvice(message, advice), {
    reply,
    command,
    cause
  });
}
var GREETING_REGEXP = /^connect to (\S+)$/;
function failedAction(command) {
  const [, address] = GREETING_REGEXP.exec(command) ?? [];
  return address === void 0 ? `Cannot complete "${command}"` : `Cannot connect to "${address}"`;
}

// lib/protocol/with_message.ts
init_printable();
var PLATFORM = new Set(Object.values(Deno.errors));
function isPlatforms(error) {
  return PLATFORM.has(error.constructor) || error.constructor === Error && "code" in error;
}
function withMessage(error, say) {
  if (!(error instanceof Error)) return error;
  const isFTP = error instanceof FTPError;
  if (!isFTP && !isPlatforms(error)) return printableError(error);
  return copyOf(error, say, isFTP ? {
    ...error
  } : {});
}
function copyOf(error, say, fields) {
  const original = printableError(error);
  const message = printable(say(original.message));
  if (message === original.message) return original;
  const Class = original.constructor;
  return new Class(message, {
    ...fields,
    cause: original
  });
}
function connectionError(error, say) {
  const original = printableError(asError(error));
  const isPlain2 = original.constructor === Error;
  if (isPlain2 || isPlatforms(original)) return copyOf(original, say, {});
  const message = printable(say(original.message));
  return message === original.message ? original : new Deno.errors.ConnectionAborted(message, {
    cause: original
  });
}
function asError(error) {
  return error instanceof Error ? error : new Error(String(error));
}

// lib/files/local_path.ts
init_check_word();
import { fileURLToPath } from "node:url";
function checkLocalPath(local, name) {
  const path = local instanceof URL ? fileURLToPath(local) : local;
  if (typeof path !== "string") {
    throw new TypeError(`Cannot use ${showValue(path)} as "${name}": it must be a path or a file: URL`);
  }
  if (path === "") throw new TypeError(`Cannot use "${name}": it is empty`);
  if (!path.includes("\0")) return;
  throw new TypeError(`Cannot use "${name}": it contains a NUL`);
}

// lib/connection/diagnostics.ts
import { channel } from "node:diagnostics_channel";
var connections = channel("ftp:connection");
var commands = channel("ftp:command");
var transfers = channel("ftp:transfer");
var retries = channel("ftp:retry");
var lastId = 0;
function nextDiagnosticId() {
  return ++lastId;
}
function observeConnection(control, { host, port }) {
  if (!connections.hasSubscribers) return;
  const event = {
    connection: control.id,
    host,
    port
  };
  publish(connections, {
    phase: "open",
    ...event
  });
  control.closed.then(() => {
    const message = control.failure?.message;
    publish(connections, {
      phase: "close",
      ...event,
      message
    });
  });
}
function observeCommand(connection, pending) {
  if (!commands.hasSubscribers) return;
  observe(commands, connection, pending, {}, () => pending.final, () => ({}));
}
function observeTransfer(connection, pending, data, size) {
  if (!transfers.hasSubscribers) return void 0;
  const { promise, resolve: resolve2 } = Promise.withResolvers();
  const ended = async () => {
    const reply = await pending.final;
    await promise;
    return reply;
  };
  observe(transfers, connection, pending, {
    size
  }, ended, () => ({
    bytes: data.bytesRead + data.bytesWritten
  }));
  return resolve2;
}
function observeRetry({ error, ...event }) {
  if (!retries.hasSubscribers) return;
  publish(retries, {
    ...event,
    message: error.message
  });
}
function observe(to, connection, { command }, more, ended, atEnd) {
  const begun = performance.now();
  const event = {
    id: nextDiagnosticId(),
    connection,
    command,
    ...more
  };
  publish(to, {
    phase: "start",
    ...event
  });
  const end = (rest) => {
    const duration = performance.now() - begun;
    publish(to, {
      ...event,
      ...atEnd(),
      ...rest,
      duration
    });
  };
  ended().then(({ code }) => end({
    phase: "end",
    code
  }), (error) => end({
    phase: "error",
    message: messageOf(error)
  }));
}
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
function publish(to, event) {
  queueMicrotask(() => {
    try {
      to.publish(event);
    } catch {
    }
  });
}

// lib/files/recovery.ts
init_waiting();
init_check_names();
init_check_number();
init_check_word();
init_errors();

// lib/files/errors.ts
init_printable();
var FTPUnconfirmedError = class extends FTPError {
  /** Name of the class. */
  name = "FTPUnconfirmedError";
  /** Bytes of the file that were transferred. */
  bytes;
  /** Size of the file, in bytes. */
  size;
  /**
   * Creates an error.
   *
   * @param message The action, and what is missing
   * @param options Bytes, size, reply, command and cause
   */
  constructor(message, options) {
    super(message, options);
    this.bytes = options.bytes;
    this.size = options.size;
  }
};
var FTPVerificationError = class extends FTPError {
  /** Name of the class. */
  name = "FTPVerificationError";
  /**
   * Property that was compared: "size", "mtime", or the name of a hash such as
   * "SHA-256".
   */
  what;
  /** The expected value: bytes, an ISO 8601 time, or hexadecimal digits. */
  expected;
  /** The actual value. */
  actual;
  /**
   * Creates an error.
   *
   * @param message The action and its object; the comparison is added
   * @param options Property, expected and actual value
   */
  constructor(message, options) {
    const { what, actual, expected } = options;
    const comparison = `${what} is ${actual}, not ${expected}`;
    super(message.includes(comparison) ? message : `${message}: ${comparison}`, options);
    this.what = options.what;
    this.expected = options.expected;
    this.actual = options.actual;
  }
};
var LocalError = class _LocalError extends Error {
  /** The original error. */
  fault;
  /** Wraps an error. */
  constructor(fault) {
    super("Cannot continue: an error on this side", {
      cause: fault
    });
    this.fault = fault instanceof _LocalError ? fault.fault : fault;
  }
};
function locally(run2) {
  try {
    return run2();
  } catch (error) {
    throw new LocalError(error);
  }
}
async function locallyAsync(run2) {
  try {
    return await run2();
  } catch (error) {
    throw new LocalError(error);
  }
}
async function unwrapped(run2) {
  try {
    return await run2();
  } catch (error) {
    throw printableError(error instanceof LocalError ? error.fault : error);
  }
}
function afterAttempts(error, action, { retries: retries2, bytes: bytes2, size }) {
  if (retries2 === 0) return error;
  const whole = size === null ? "" : ` of ${size}`;
  return withMessage(error, (message) => `${action} in ${retries2 + 1} attempts, with ${bytes2}${whole} bytes: ${message}`);
}

// lib/files/operation.ts
init_waiting();
function runOperation(provider, options, run2, note) {
  const own = {
    ...options,
    signal: withLifetime(provider, options.signal)
  };
  const { signal } = own;
  const hold = () => {
  };
  const start = async () => {
    onAbort(signal, hold);
    try {
      return await run2(own);
    } finally {
      offAbort(signal, hold);
    }
  };
  return unwrapped(() => provider.operations.exclusive(start, {
    signal,
    note
  }));
}
function withLifetime({ ended }, signal) {
  return anySignal(ended, signal);
}

// lib/files/recovery.ts
var RETRY_OPTIONS = {
  attempts: true,
  delay: true,
  maxDelay: true
};
function checkRetry(retry) {
  if (retry === void 0 || retry === false) return;
  if (typeof retry !== "object" || retry === null) {
    throw new TypeError(`Cannot use retry ${showValue(retry)}: it must be an object, such as { attempts: 3 }, or false`);
  }
  checkNames("retry", retry, RETRY_OPTIONS);
  const { attempts, delay: delay2, maxDelay } = retry;
  checkNumber("retry.attempts", attempts, {
    isInteger: true
  });
  checkNumber("retry.delay", delay2);
  checkNumber("retry.maxDelay", maxDelay);
}
var PROGRESS = 128 * 1024;
var PASSING_REPLIES = [
  421,
  425,
  426,
  450,
  451
];
var TOO_MANY_REGEXP = /\b(too many|maximum|simultaneous|concurrent|(?:max|only|no more than) \d+ (?:users|clients|connections|sessions|logins)|max number of|(?:connection|user|client|session)s? limit|(?:server|site) (?:is )?full)\b/i;
function hasTooManyConnections(error) {
  const reply = replyOf(error);
  if (reply === void 0 || WRONG_REGEXP.test(reply.text)) return false;
  return reply.code === 421 || reply.code === 530 && TOO_MANY_REGEXP.test(reply.text);
}
var WRONG_REGEXP = /\b(incorrect|invalid|bad|wrong|passwords?|attempts?|tries|errors|banned|blocked|length|fail(?:ed|ures?)?)\b/i;
function waitOf({ attempt, delay: delay2 = 500, maxDelay = 3e4 }) {
  const longest = Math.min(maxDelay, delay2 * 2 ** (attempt - 1));
  return Math.round(longest * (1 - Math.random() / 2));
}
async function retryConnecting({ attempts = 5, ...waits }, { signal, mayRetry = hasTooManyConnections }, connect3) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connect3();
    } catch (error) {
      if (attempt > attempts || !mayRetry(error) || signal?.aborted) {
        throw error;
      }
      await delay(waitOf({
        ...waits,
        attempt
      }), signal);
    }
  }
}
var PASSING_FAILURES = [
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionRefused,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.NetworkUnreachable,
  Deno.errors.NotConnected,
  Deno.errors.TimedOut,
  Deno.errors.UnexpectedEof
];
function isPassing(error) {
  if (error instanceof FTPUnconfirmedError || error instanceof FTPVerificationError) return true;
  if (isRefusal(error)) {
    const { code } = error.reply;
    const isFinal = error instanceof FTPPermanentError;
    return !isFinal && PASSING_REPLIES.includes(code) || code === 530 && hasTooManyConnections(error);
  }
  return error instanceof FTPProtocolError || isFailedConnection(error);
}
function isFailedConnection(error) {
  if (error instanceof TLSError) return error.reason === "broken";
  return PASSING_FAILURES.some((Class) => error instanceof Class) || error instanceof Error && error.constructor === Error;
}
async function withRecovery(provider, options, position, run2) {
  const { retry, onRetry, signal } = options;
  const { attempts = 5, delay: first = 500, maxDelay = 3e4 } = retry || {};
  const most = retry === false ? 0 : attempts;
  let furthest = position();
  let mismatches = 0;
  let { hangUps } = provider.session.profile;
  for (let attempt = 1; ; attempt++) {
    try {
      signal?.throwIfAborted();
      if (isLost(provider) && provider.canReconnect && most > 0) {
        await provider.reconnect({
          signal
        });
      }
      await provider.session.ready(signal, {
        isForced: true
      });
      return await run2();
    } catch (error) {
      if (error instanceof FTPVerificationError) {
        attempt = Math.max(attempt, ++mismatches);
      } else if (position() >= furthest + PROGRESS) {
        furthest = position();
        attempt = 1;
      }
      const { hangUps: seen } = provider.session.profile;
      if (seen > hangUps && most > 0) attempt--;
      hangUps = seen;
      leaveSpoiled(provider, error, most);
      const isHopeless = signal?.aborted || attempt > most || !isPassing(error) || isLost(provider) && !provider.canReconnect;
      if (isHopeless) throw error;
      const wait = waitOf({
        attempt,
        delay: first,
        maxDelay
      });
      const event = {
        error,
        attempt: Math.max(1, attempt),
        delay: wait,
        transferred: position()
      };
      observeRetry(event);
      const notified = onRetry?.(event);
      if (notified !== void 0) {
        await abortable(Promise.resolve(notified), signal);
      }
      await delay(wait, signal);
    }
  }
}
async function withReconnection(provider, options, run2) {
  const { session } = provider;
  let lost;
  try {
    return await run2(session);
  } catch (error) {
    leaveSpoiled(provider, error, options.retry === false ? 0 : 1);
    if (session.control.failure === void 0) throw error;
    lost = {
      error
    };
  }
  const again = async () => {
    const first = lost;
    lost = void 0;
    if (first !== void 0) throw first.error;
    const { session: session2 } = provider;
    try {
      return {
        value: await run2(session2)
      };
    } catch (error) {
      if (session2.control.failure !== void 0) throw error;
      return {
        error
      };
    }
  };
  const outcome = await runOperation(provider, options, (options2) => withRecovery(provider, options2, () => 0, again));
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}
function countingRetries(options, retries2) {
  return {
    ...options,
    onRetry: (event) => {
      retries2.count++;
      return options.onRetry?.(event);
    }
  };
}
function leaveSpoiled(provider, error, attempts) {
  const { session, canReconnect } = provider;
  if (!session.tls?.isSpoiled || !canReconnect || attempts === 0) return;
  session.control.fail(error);
}
function isLost({ session }) {
  return session.isLost;
}
async function reconnectIfLost(provider, { retry, signal }, cause) {
  if (!provider.session.isLost) return void 0;
  if (retry === false || !provider.canReconnect) return {
    error: cause
  };
  try {
    await runOperation(provider, {
      signal
    }, (options) => provider.reconnect(options));
    return void 0;
  } catch (error) {
    signal?.throwIfAborted();
    return {
      error
    };
  }
}

// lib/transfer/session_state.ts
var QUERIES = /* @__PURE__ */ new Set([
  "SIZE",
  "MDTM",
  "PWD",
  "EPSV",
  "PASV",
  "NOOP",
  "REST"
]);
var MOVE_REGEXP = /^(X?CWD|CDUP|XCUP|SMNT)$/i;
var SUPERFLUOUS = 202;
var CLOSING = 421;
var MAX_MOVES = 100;
var SessionState = class {
  /** The representation type that was set last. */
  type;
  /** The current directory, if it is known. */
  directory;
  /**
   * Commands that lead there from the login directory; `undefined` if unknown.
   */
  moves = [];
  /** The latest accepted `MODE`, `STRU`, `LANG`, and `OPTS` of each feature. */
  settings = /* @__PURE__ */ new Map();
  /** The latest accepted `HOST` (RFC 7151). */
  virtualHost;
  /** The `AUTH` and `USER` that were sent, on which the features depend. */
  identity = "";
  /**
   * Discards what a command may change, because its reply may not be read.
   *
   * @param command The command, which was sent
   */
  forget(command) {
    const word = command.verb.toUpperCase();
    if (QUERIES.has(word)) return;
    const isAfresh = /^(REIN|USER|AUTH)$/.test(word);
    if (isAfresh) this.#noteIdentity(word, String(command.argument ?? ""));
    if (word === "REIN") {
      this.settings.clear();
      this.virtualHost = void 0;
    }
    if (isAfresh || word === "TYPE") this.type = void 0;
    if (isAfresh || isMove(command)) {
      this.directory = void 0;
      this.moves = isAfresh ? [] : void 0;
    }
  }
  /**
   * Notes what a command has changed.
   *
   * @param command The command
   * @param reply Its first reply
   * @param context The `moves` before it was sent; whether it was sent under TLS
   */
  note(command, { code }, { moves, isSecured: isSecured2 }) {
    const word = command.verb.toUpperCase();
    if (QUERIES.has(word)) return;
    const isDone2 = code < 300;
    const argument = String(command.argument);
    if (isDone2 && word === "TYPE") this.type = typeOf(argument);
    const setting = settingOf(word, argument);
    const isSet = isDone2 && code !== SUPERFLUOUS;
    if (isSet && setting !== void 0) this.settings.set(setting, command);
    if (isDone2 && word === "HOST") this.virtualHost = {
      command,
      isSecured: isSecured2
    };
    if (!isMove(command)) return;
    if (!isDone2 || code === SUPERFLUOUS) this.moves = moves;
    else if (word === "SITE") this.moves = void 0;
    else if (argument.startsWith("/")) this.moves = [
      command
    ];
    else if (moves !== void 0 && moves.length < MAX_MOVES) {
      this.moves = [
        ...moves,
        command
      ];
    }
  }
  /** Notes the user: another one may be shown other features. */
  #noteIdentity(word, argument) {
    const others = this.identity.replace(/^USER .*\n/m, "");
    this.identity = word === "REIN" ? "" : `${others}${word} ${argument}
`;
  }
};
function typeOf(argument) {
  const type = argument.toUpperCase();
  return type === "L 8" ? "I" : type;
}
function settingOf(word, argument) {
  if (/^(MODE|STRU|LANG)$/.test(word)) return word;
  const [feature] = argument.toUpperCase().split(" ", 1);
  const isKept = word === "OPTS" || word === "SITE" && /^(NAMEFMT|UMASK|IDLE)$/.test(feature);
  return isKept ? `${word} ${feature}` : void 0;
}
function isMove({ verb, argument }) {
  return MOVE_REGEXP.test(verb) || settingOf(verb.toUpperCase(), String(argument)) === "SITE NAMEFMT";
}
var STATELESS_REGEXP = /^(NOOP|X?PWD|SIZE|MDTM|STAT|HELP|SYST|FEAT|ABOR|LIST|NLST|MLSD|MLST|RETR|STO[RU]|APPE|DELE|X?RMD|X?MKD|RNFR|RNTO|MFMT|MFCT|MFF|AVBL|HASH|MD5|X(CRC|MD5|SHA1?|SHA256|SHA512)|ALLO|REST|QUIT|PASV|EPSV|PORT|EPRT|HOST)$/;
var STATELESS_SITE_REGEXP = /^(CHMOD|CHOWN|CHGRP|UTIME|HELP|SYMLINK|CPFR|CPTO|MKDIR|RMDIR)\b/i;
function isRepeatable(word, argument) {
  if (word === "TYPE") return /^[AI]$/i.test(argument);
  if (word === "SITE" && STATELESS_SITE_REGEXP.test(argument)) return true;
  return STATELESS_REGEXP.test(word) || MOVE_REGEXP.test(word) || settingOf(word, argument) !== void 0;
}

// lib/commands/raw_path.ts
init_bytes();
var SLASH = 47;
function rawPathOf(session, path) {
  return typeof path === "string" ? session.control.encoding.encode(path) : path;
}
function appendPath(session, words, path) {
  const head = session.control.encoding.encode(words);
  return joinBytes([
    head,
    rawPathOf(session, path)
  ]);
}
function joinRawPath(directory, name) {
  const isOpen = directory.length > 0 && directory.at(-1) !== SLASH;
  return joinBytes([
    directory,
    Uint8Array.of(...isOpen ? [
      SLASH
    ] : []),
    name
  ]);
}
function splitRawPath(path) {
  let end = path.length;
  while (end > 0 && path[end - 1] === SLASH) end--;
  const start = path.lastIndexOf(SLASH, end - 1) + 1;
  if (end === 0) {
    return [
      path.subarray(0, Math.min(1, path.length)),
      path.subarray(0, 0)
    ];
  }
  return [
    path.subarray(0, start),
    path.subarray(start, end)
  ];
}

// lib/commands/by_hand.ts
async function requestSystem(session, options) {
  const reply = await session.shared((turn) => turn.perform({
    verb: "SYST"
  }, options), options);
  if (reply.code === SUPERFLUOUS) throw replyError(reply, "SYST");
  return reply.text.slice(4).trim();
}
async function requestStatus(session, path, options) {
  checkPath(path, "path");
  return await session.shared((turn) => turn.perform(withPath("STAT", path), options), options);
}
async function sendSite(session, argument, options) {
  const command = {
    verb: "SITE",
    argument,
    name: "command",
    isLiteral: true
  };
  return await session.shared((turn) => {
    session.noteByHand(command);
    return turn.perform(command, options);
  }, options);
}
async function chooseLanguage(session, tag, options) {
  const command = tag === "" ? {
    verb: "LANG"
  } : {
    verb: "LANG",
    argument: tag,
    name: "tag"
  };
  return await session.shared((turn) => turn.perform(command, options), options);
}
async function allocate(session, size, options) {
  if (!(Number.isSafeInteger(size) && size >= 0)) {
    throw new RangeError(`Cannot allocate ${typeof size === "number" ? size : `a value of type ${typeof size}`} bytes: "size" must be a non-negative integer`);
  }
  const command = {
    verb: "ALLO",
    argument: `${size}`
  };
  return await session.shared((turn) => turn.perform(command, options), options);
}
async function copyOnServer(session, from, to, options) {
  const site = (word, path, name) => ({
    verb: "SITE",
    argument: appendPath(session, `${word} `, path),
    name
  });
  const source = site("CPFR", from, "from");
  const target = site("CPTO", to, "to");
  return await session.exclusive(async (turn) => {
    const reply = await turn.exchange(source, options);
    if (reply.code !== 350) {
      throw new FTPReplyError(`Cannot complete "SITE CPFR": expected code 350, got ${reply.text}`, {
        reply,
        command: "SITE CPFR"
      });
    }
    return await turn.perform(target, options);
  }, options);
}

// lib/commands/permissions.ts
var MAX_MODE = 4095;
function chmodCommand(session, path, mode) {
  const digits = mode.toString(8).padStart(3, "0");
  return {
    verb: "SITE",
    argument: appendPath(session, `CHMOD ${digits} `, path),
    name: "path"
  };
}
async function changePermissions(session, path, mode, options) {
  if (!(Number.isInteger(mode) && mode >= 0 && mode <= MAX_MODE)) {
    throw new RangeError(`Cannot use ${mode} as a mode: it must be an integer from 0 to 0o7777, such as 0o755`);
  }
  const command = chmodCommand(session, path, mode);
  await session.shared((turn) => turn.perform(command, options), options);
}

// lib/protocol/numbers.ts
var DECIMAL_REGEXP = /^[0-9]{1,40}$/;
var OCTAL_REGEXP = /^[0-7]{1,7}$/;
function readDecimal(text) {
  if (text === void 0 || !DECIMAL_REGEXP.test(text)) return void 0;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : void 0;
}
function readOctal(text) {
  return text !== void 0 && OCTAL_REGEXP.test(text) ? parseInt(text, 8) : void 0;
}
var FIRST_TIME = Date.UTC(1902, 0, 1);
var LAST_TIME = Date.UTC(2500, 0, 1);
function isFileTime(time) {
  return time >= FIRST_TIME && time < LAST_TIME;
}

// lib/protocol/reply_values.ts
function expectCode(reply, ...codes) {
  const text = textOf(reply);
  if (codes.includes(Number(text.slice(0, 3)))) return text;
  throw new FTPReplyError(`Cannot read a reply: expected code ${codes.join(" or ")}, got "${text}"`, typeof reply === "string" ? {} : {
    reply
  });
}
function unreadableReply(reply, what, why) {
  return new FTPProtocolError(`Cannot read ${what} in "${textOf(reply)}": ${why}`, typeof reply === "string" ? {} : {
    reply
  });
}
function textOf(reply) {
  return typeof reply === "string" ? reply : reply.text;
}
var SIZE_150_REGEXP = /\(([0-9]{1,40}) bytes\)/gi;
function parse150(reply) {
  const text = expectCode(reply, 150, 125);
  if (!text.includes("(")) return null;
  let digits;
  for (const match of text.matchAll(SIZE_150_REGEXP)) digits = match[1];
  return readDecimal(digits) ?? null;
}
function parse257(reply) {
  const text = expectCode(reply, 257);
  const open2 = text.indexOf('"');
  if (open2 < 0) return "";
  const undoubled = PURE_FTPD_REGEXP.exec(text) ?? UNDOUBLED_REGEXP.exec(text);
  if (undoubled !== null) return cleanPath(reply, undoubled[1]);
  const match = /^"((?:[^"]|"")*)"/.exec(text.slice(open2));
  if (match === null) {
    throw unreadableReply(reply, "a path", "its closing quote is missing");
  }
  return cleanPath(reply, match[1].replaceAll('""', '"'));
}
var PURE_FTPD_REGEXP = /^257 "(.*)"(?: is your current location| : The directory was successfully created)$/;
var UNDOUBLED_REGEXP = /^257[ -]"((?:[^"]|"")*"[^"\s.,;:)].*)"(?:\s|$)/;
function parseDirectory(reply) {
  const quoted = parse257(reply);
  if (quoted !== "" || reply.text.includes('"')) return quoted;
  const word = /^257[ -](\/\S*|[A-Za-z]:[\\/]\S*|[^\s[]+:\[[^\s\]]+\])/.exec(reply.text);
  return word === null ? "" : cleanPath(reply, word[1]);
}
function cleanPath(reply, path) {
  if (/[\u0000-\u0008\u000A-\u001F\u007F]/.test(path)) {
    throw unreadableReply(reply, "a path", "it has control characters");
  }
  return path;
}
function statusOf(reply) {
  const lines = reply.lines;
  const last = lines.at(-1).slice(4);
  return lines.length === 1 || /^ *\S+ *$/.test(last) ? last : "";
}
function parseSize(reply) {
  const words = statusOf(reply).split(/[ \t]+/).filter((word) => word !== "");
  const [first = "", ...others] = words;
  const digits = first.replace(/[,;]$/, "");
  if (/^[0-9]/.test(first)) {
    const isAlone = !others.some((word) => /[0-9]/.test(word));
    return isAlone ? readDecimal(digits) ?? null : null;
  }
  const last = words.at(-1) ?? "";
  if (/[0-9]$/.test(words.at(-2) ?? "")) return null;
  return readDecimal(last.slice(last.indexOf("=") + 1)) ?? null;
}
var RESTART_REGEXP = /\b(?:at|to|from|byte|position|offset|marker|accepted)[ :=(]{1,3}(-?[0-9]{1,20})(?![0-9.,]{0,3}[0-9])/gi;
function parseRestart(reply) {
  const found = reply.text.matchAll(RESTART_REGEXP);
  const offsets = new Set(Array.from(found, ([, digits]) => Number(digits)));
  const [offset = null] = offsets;
  return offsets.size === 1 ? offset : null;
}
var TIME_REGEXP = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d+))?Z?$/;
function parseModificationTime(reply) {
  const word = statusOf(reply).split(/[\s;]/).find((part) => /^\d{14}/.test(part));
  return word === void 0 ? null : parseTime(word);
}
function parseTime(word) {
  const y2k = /^19(1\d\d)(\d{10})$/.exec(word);
  const digits = y2k === null ? word : `${1900 + Number(y2k[1])}${y2k[2]}`;
  const match = TIME_REGEXP.exec(digits);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const milliseconds = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  if (hour > 23 || minute > 59 || second > 60) return null;
  const midnight = new Date(Date.UTC(year, month - 1, day));
  const isReal = midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day;
  if (!isReal) return null;
  const time = Date.UTC(year, month - 1, day, hour, minute, second) + milliseconds;
  return isFileTime(time) ? new Date(time) : null;
}
function formatTime(date) {
  return date.toISOString().replace(/\.\d+Z$/, "").replace(/\D/g, "");
}
function parseFeatures(reply) {
  const features = /* @__PURE__ */ new Map();
  for (const line of reply.lines.slice(1)) {
    const feature = line.replace(/^211[ -]/, "").trim();
    if (/^(end\b.*)?$/i.test(feature)) continue;
    const blank = feature.indexOf(" ");
    const name = (blank < 0 ? feature : feature.slice(0, blank)).toUpperCase();
    const parameters = blank < 0 ? "" : feature.slice(blank + 1).trim();
    const before = features.get(name);
    features.set(name, before && parameters ? `${before};${parameters}` : before || parameters);
  }
  return features;
}
var UNIQUE_REGEXPS = [
  /\bFILE: ?([^\r\n]{0,4096})/i,
  /\bunique file ?name: ?([^\s()]{1,4096})/i
];
function parseUniqueName(replies) {
  for (const reply of replies) {
    for (const regexp of UNIQUE_REGEXPS) {
      const name = regexp.exec(reply?.text ?? "")?.[1]?.trim();
      if (name) return name.replace(/^(["'])(.*)\1$/, "$2");
    }
  }
  return void 0;
}

// lib/commands/files.ts
init_waiting();
var ABORT_GRACE = 1e3;
async function rename(turn, fromname, toname, options) {
  const source = {
    verb: "RNFR",
    argument: fromname,
    name: "fromname"
  };
  const target = {
    verb: "RNTO",
    argument: toname,
    name: "toname"
  };
  encodeCommand(target, turn.session.control.encoding);
  options.signal?.throwIfAborted();
  if (options.isAtOnce) {
    const asking = turn.exchange(source, options);
    const renaming = turn.perform(target, options);
    renaming.catch(() => {
    });
    return await replyToRename(checkRenameFrom(await asking), renaming);
  }
  let answer;
  try {
    answer = checkRenameFrom(await turn.exchange(source, options));
    options.signal?.throwIfAborted();
  } catch (error) {
    if (options.signal?.aborted) {
      await cancelRename(turn, fromname);
    }
    throw error;
  }
  return await replyToRename(answer, turn.perform(target, options));
}
async function announceRename(turn, fromname, options) {
  const command = {
    verb: "RNFR",
    argument: fromname,
    name: "fromname"
  };
  return checkRenameFrom(await turn.exchange(command, options));
}
async function completeRename(turn, accepted, toname, options) {
  const command = {
    verb: "RNTO",
    argument: toname,
    name: "toname"
  };
  return await replyToRename(accepted, turn.perform(command, options));
}
async function cancelRename(turn, fromname) {
  await settle(giveUpRename(turn, fromname), ABORT_GRACE);
}
function checkRenameFrom(reply) {
  if (reply.code < 200) throw replyError(reply, "RNFR");
  return reply;
}
async function replyToRename(answer, renaming) {
  try {
    return await renaming;
  } catch (error) {
    if (answer.code === 350 || !isRefusal(error)) throw error;
    throw replyError(answer, "RNFR", error);
  }
}
async function giveUpRename(turn, fromname) {
  try {
    await turn.perform({
      verb: "PWD"
    });
  } catch (error) {
    if (!isRefusal(error, [
      501,
      503
    ])) return;
    await turn.perform({
      verb: "RNTO",
      argument: fromname,
      name: "fromname"
    }).catch(() => {
    });
  }
}
async function changeDirectory(turn, dirname7, options) {
  if (dirname7 === "..") {
    try {
      return await turn.perform({
        verb: "CDUP"
      }, options);
    } catch (error) {
      if (!isUnknownCommand(replyOf(error))) throw error;
    }
  }
  return await turn.perform({
    verb: "CWD",
    argument: dirname7?.length === 0 ? "." : dirname7,
    name: "dirname"
  }, options);
}
async function requestSize(turn, filename, options) {
  const command = {
    verb: "SIZE",
    argument: filename,
    name: "filename"
  };
  let reply;
  const wasBinary = turn.session.state.type === "I";
  try {
    reply = await turn.exchange(command, options);
  } catch (error) {
    const isAsciiRefusal = error instanceof FTPPermanentError && !wasBinary && /ascii/i.test(error.reply?.text ?? "");
    if (!isAsciiRefusal) throw error;
    await turn.ensureType("I", options);
    reply = await turn.exchange(command, options);
  }
  return reply.code === 213 ? parseSize(reply) : null;
}
async function deleteFile(turn, filename, options) {
  const reply = await turn.exchange({
    verb: "DELE",
    argument: filename,
    name: "filename"
  }, options);
  if (reply.code === 250 || reply.code === 200) return reply;
  throw new FTPReplyError(`Cannot confirm "DELE": expected code 250 or 200, got ${reply.text}`, {
    reply,
    command: "DELE"
  });
}

// lib/commands/queries.ts
var SECOND = 1e3;
async function requestFeatures(session, options = {}) {
  const { profile, state: { identity } } = session;
  const known = profile.featuresFor(identity);
  if (known !== void 0) return known;
  if (profile.lacks("FEAT")) return profile.noteFeatures(identity, void 0);
  const reply = await unlessRefused(() => session.shared((turn) => turn.exchange({
    verb: "FEAT"
  }, options), options));
  const isList = reply?.code === 211;
  return profile.noteFeatures(identity, isList ? parseFeatures(reply) : void 0);
}
async function requestModificationTime(session, path, options = {}) {
  const shown = await session.shared((turn) => requestShownTime(turn, path, options), options);
  return shown && session.profile.clock.toUTC("MDTM", shown);
}
async function requestShownTime(turn, path, options = {}) {
  const command = {
    verb: "MDTM",
    argument: path,
    name: "path"
  };
  const ask3 = () => turn.exchange(command, options);
  const reply = await optional(turn.session, "MDTM", ask3, false);
  return reply?.code === 213 ? parseModificationTime(reply) : null;
}
async function requestFacts(session, path, options = {}) {
  return await session.shared((turn) => requestFactsIn(turn, path, options), options);
}
async function requestFactsIn(turn, path, options = {}) {
  const [size, asked] = await Promise.all([
    requestBinarySize(turn, path, options),
    unlessRefused(() => requestShownTime(turn, path, options))
  ]);
  const shown = asked ?? null;
  const { clock } = turn.session.profile;
  return {
    size,
    modified: shown && clock.toUTC("MDTM", shown),
    shown,
    latest: shown && shown.getTime() + SECOND - clock.differenceOf("MDTM")[0]
  };
}
async function requestBinarySize(turn, path, options = {}) {
  if (turn.session.state.type === "I") {
    const ask4 = () => requestSize(turn, path, options);
    return await optional(turn.session, "SIZE", ask4) ?? null;
  }
  const ask3 = async () => {
    if (turn.session.profile.hungUpAt("TYPE I")) {
      await turn.ensureType("I", options);
      return await requestSize(turn, path, options);
    }
    const [, size] = await Promise.all([
      turn.ensureType("I", options),
      requestSize(turn, path, options)
    ]);
    return size;
  };
  return await optional(turn.session, "SIZE", ask3) ?? null;
}
async function requestDirectory(turn, options = {}) {
  const { session } = turn;
  if (session.state.directory !== void 0) return session.state.directory;
  if (session.profile.lacks("PWD")) return session.state.directory = "";
  const reply = await unlessRefused(() => turn.exchange({
    verb: "PWD"
  }, options));
  return session.state.directory = reply?.code === 257 ? parseDirectory(reply) : "";
}
function textOfPath(session, path) {
  checkPath(path, "path");
  return typeof path === "string" ? path : session.control.encoding.decode(path);
}
async function optional(session, command, ask3, mayRefuse = true) {
  if (session.profile.lacks(command)) return void 0;
  return await unlessRefused(ask3, (refusal3) => {
    const isUnknown = isUnknownCommand(refusal3);
    if (isUnknown) session.profile.noteLacking(command);
    return isUnknown || mayRefuse;
  });
}
async function unlessRefused(ask3, isExpected = () => true) {
  try {
    return await ask3();
  } catch (error) {
    const isRefused = error instanceof FTPPermanentError && isExpected(error.reply);
    if (!isRefused) throw error;
    return void 0;
  }
}

// lib/connection/pauses.ts
var SLICE = 10;
var PauseTimer = class {
  #last = performance.now();
  /** Whether a pause is due. */
  get isDue() {
    return performance.now() - this.#last >= SLICE;
  }
  /** Runs one turn of the event loop. */
  async pause(signal) {
    await nextLoopTurn(signal);
    this.#last = performance.now();
  }
};
async function nextLoopTurn(signal) {
  await new Promise((resolve2) => setTimeout(resolve2, 0));
  signal?.throwIfAborted();
}
async function visitAll(items, visit, signal) {
  const pauses = new PauseTimer();
  for (const item of items) {
    visit(item);
    if (pauses.isDue) await pauses.pause(signal);
  }
}
async function filterAll(items, isWanted, signal) {
  const wanted = [];
  const visit = (item) => {
    if (isWanted(item)) wanted.push(item);
  };
  await visitAll(items, visit, signal);
  return wanted;
}

// lib/listing/entry.ts
init_printable();
var MINUTE = 6e4;
var TIME_PRECISIONS = {
  second: 1e3,
  minute: MINUTE,
  day: 864e5
};
var HOSTILE_REGEXP = /^\.{0,2}$|[/\\\0\r\n]/;
var pathOfEntry;
var lineLengthOf;
var resolveLink;
var changed;
var Entry = class _Entry {
  #source;
  #index;
  #changes;
  static {
    lineLengthOf = (entry) => entry.#source.lineLength(entry.#index);
    resolveLink = (entry, target) => {
      entry.#changes = {
        ...entry.#changes,
        target
      };
    };
    pathOfEntry = (entry) => entry.#changes?.name === void 0 ? entry.#source.path?.(entry.#index) ?? entry.name : entry.name;
    changed = (entry, changes) => [
      entry.#source,
      entry.#index,
      changes === void 0 ? entry.#changes : {
        ...entry.#changes,
        ...changes
      }
    ];
  }
  /**
   * Creates an entry from its fields, for tests.
   *
   * @param fields The name, and the other fields as far as they matter;
   * `kind` is `"file"` by default
   * @returns The entry
   */
  static from(fields) {
    const { name, mtime } = fields;
    return new _Entry({
      name: () => name,
      rawName: () => fields.rawName ?? new TextEncoder().encode(name),
      kind: () => fields.kind ?? "file",
      size: () => fields.size,
      isSizeApproximate: () => fields.isSizeApproximate ?? false,
      mtime: () => mtime && new Date(mtime),
      mtimePrecision: () => mtime && (fields.mtimePrecision ?? "second"),
      mode: () => fields.mode,
      linkTarget: () => fields.linkTarget,
      owner: () => fields.owner,
      group: () => fields.group,
      facts: () => fields.facts,
      line: () => fields.line ?? "",
      lineLength: () => (fields.line ?? "").length,
      format: () => fields.format ?? "none"
    }, 0);
  }
  /**
   * Creates an entry. `ListingReader` does this.
   *
   * @param source The lines that were read together
   * @param index Index of the line
   * @param changes Properties that replace those of the line
   * @ignore
   */
  constructor(source, index, changes) {
    this.#source = source;
    this.#index = index;
    this.#changes = changes;
  }
  /** The name as the server sent it, decoded with the session's encoding. */
  get name() {
    return this.#changes?.name?.text ?? this.#source.name(this.#index);
  }
  /**
   * The name as bytes. Used as a path, they open the same file in any encoding.
   */
  get rawName() {
    return this.#changes?.name?.raw ?? this.#source.rawName(this.#index);
  }
  /** Kind of the entry. */
  get kind() {
    return this.#source.kind(this.#index);
  }
  /** Whether it is a regular file. */
  get isFile() {
    return this.kind === "file";
  }
  /** Whether it is a directory. */
  get isDirectory() {
    return this.kind === "directory";
  }
  /** Whether it is a symbolic link. */
  get isSymlink() {
    return this.kind === "symlink";
  }
  /**
   * Size in bytes; `undefined` if the server does not report it, or if it
   * exceeds 2^53 (`facts.size` and `line` contain it).
   */
  get size() {
    return this.#source.size(this.#index);
  }
  /**
   * Whether the server rounded the size (kilobytes, blocks), so that it must
   * not be compared with a number of bytes.
   */
  get isSizeApproximate() {
    return this.#source.isSizeApproximate(this.#index);
  }
  /**
   * Time of the last modification; `undefined` if it is unknown. Servers send
   * years before 1902 or after 2499 for unknown times.
   */
  get mtime() {
    const time = this.#source.mtime(this.#index);
    if (time === void 0 || !isFileTime(time.getTime())) return void 0;
    const zone = this.#changes?.zone ?? 0;
    return zone === 0 ? time : new Date(time.getTime() - zone * MINUTE);
  }
  /**
   * Resolution of `mtime`: a LIST line has minutes for new files and days for
   * old ones. `undefined` without a time.
   */
  get mtimePrecision() {
    const { mtime } = this;
    return mtime && this.#source.mtimePrecision(this.#index);
  }
  /** Permission bits, set-user-ID, set-group-ID and sticky bits included. */
  get mode() {
    return this.#source.mode(this.#index);
  }
  /**
   * Target of a symbolic link; `undefined` if the server does not report it.
   */
  get linkTarget() {
    return this.#changes?.target ?? this.#source.linkTarget(this.#index);
  }
  /** The owner, by name or number. */
  get owner() {
    return this.#source.owner(this.#index);
  }
  /** The group, by name or number. */
  get group() {
    return this.#source.group(this.#index);
  }
  /**
   * Facts of MLSD (RFC 3659, 7.5), with keys in lower case; `undefined` in a
   * LIST.
   */
  get facts() {
    return this.#source.facts(this.#index);
  }
  /** The line as the server sent it, without its line end. */
  get line() {
    return this.#source.line(this.#index);
  }
  /** Name of the format that read the line; `"unknown"` if none could. */
  get format() {
    return this.#source.format(this.#index);
  }
  /**
   * Whether the name must not become part of a path: it is empty, `.` or `..`,
   * contains `/`, `\`, NUL, CR or LF, or is a line that no format could read.
   */
  get hostile() {
    return HOSTILE_REGEXP.test(this.name) || this.kind === "unknown" && this.format === "unknown";
  }
  /**
   * Returns the fields as a plain object, which `JSON.stringify` uses and which
   * does not keep the listing in memory.
   *
   * @returns The known fields
   */
  toJSON() {
    return {
      name: this.name,
      kind: this.kind,
      size: this.size,
      mtime: this.mtime?.toISOString(),
      mtimePrecision: this.mtimePrecision,
      mode: this.mode,
      linkTarget: this.linkTarget,
      owner: this.owner,
      group: this.group,
      facts: this.facts,
      line: this.line,
      format: this.format
    };
  }
  /**
   * Formats the fields for `console.log`.
   *
   * @param inspect Deno's function that formats a value
   * @param options Options of `inspect`
   * @returns The text
   * @ignore
   */
  [Symbol.for("Deno.customInspect")](inspect, options) {
    const fields = Object.entries(this.toJSON()).filter(([, value]) => value !== void 0);
    return printableInspection(`Entry ${inspect(Object.fromEntries(fields), options)}`);
  }
};

// lib/listing/listing_format.ts
var MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
function parseMonth(text) {
  const index = MONTHS.indexOf(text.slice(0, 3).toLowerCase());
  return text.length < 3 || index % 3 !== 0 ? 0 : index / 3 + 1;
}
function toTime(civil, context) {
  const { month, day, hour = 0, minute = 0, second = 0 } = civil;
  if (month < 1 || month > 12 || day < 1) return void 0;
  if (hour > 23 || minute > 59 || second > 60) return void 0;
  const zone = context.zone * 6e4;
  const at = (year2) => {
    const date = /* @__PURE__ */ new Date(0);
    date.setUTCFullYear(year2, month - 1, day);
    date.setUTCHours(hour, minute, second);
    return date.getTime();
  };
  let year = civil.year;
  if (year === void 0) {
    const latest = context.now + context.slack + zone;
    year = new Date(latest).getUTCFullYear();
    if (at(year) > latest) year--;
    while (month === 2 && day === 29 && !isLeap(year)) year--;
  }
  if (year < 1 || day > daysOf(month, year)) return void 0;
  return {
    mtime: new Date(at(year) - zone),
    mtimePrecision: civil.second !== void 0 ? "second" : civil.hour !== void 0 ? "minute" : "day"
  };
}
function isLeap(year) {
  return daysOf(2, year) === 29;
}
function daysOf(month, year) {
  const next = /* @__PURE__ */ new Date(0);
  next.setUTCFullYear(year, month, 0);
  return next.getUTCDate();
}
function toFullYear(year) {
  if (year >= 1e3) return year;
  if (year >= 100) return 1900 + year;
  return year < 70 ? 2e3 + year : 1900 + year;
}
function parseSize2(digits) {
  return readDecimal(digits);
}
function readRecentDate(month, day, rest, context) {
  const [first, minute] = rest.split(":");
  return toTime(minute === void 0 ? {
    year: Number(first),
    month,
    day
  } : {
    month,
    day,
    hour: Number(first),
    minute: Number(minute)
  }, context);
}

// lib/listing/chameleon.ts
var CHAMELEON_REGEXP = /^(\S{1,64}) +(<DIR>|\d{1,15}) +(?:([A-Za-z]{3}) (\d{1,2}) (\d{4})|(\d{1,2})([-/])(\d{1,2})\7(\d{2,4})) +(\d{1,2}):(\d\d)(?: +[RHSA]{1,4})? *$/;
var CHAMELEON = {
  name: "chameleon",
  read
};
function read(line, context) {
  const match = CHAMELEON_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, name, size, word, wordDay, wordYear, month, , day, year, ...time] = match;
  const isDirectory2 = size === "<DIR>";
  return {
    name,
    kind: isDirectory2 ? "directory" : "file",
    size: isDirectory2 ? void 0 : parseSize2(size),
    ...toTime({
      year: toFullYear(Number(wordYear ?? year)),
      month: word === void 0 ? Number(month) : parseMonth(word),
      day: Number(wordDay ?? day),
      hour: Number(time[0]),
      minute: Number(time[1])
    }, context)
  };
}

// lib/listing/dls.ts
var SIZE_END = 23;
var LINE_REGEXP = /^(\S{1,255}) {1,255}(\d{1,15}|[-=])(?: {2}(.*))?$/s;
var NAME_REGEXP = /^\S{1,255}$/;
var DATE_REGEXP = /^ ?(?:([A-Z][a-z]{2}) {1,2}(\d{1,2})|(\d{1,2}) ([A-Z][a-z]{2})) {1,2}(\d{4}|\d{1,2}:\d\d)(?: {2}|$)/;
var DLS = {
  name: "dls",
  read: () => void 0,
  readLoose
};
function readLoose(line, context) {
  if (NAME_REGEXP.test(line)) return "partial";
  const match = LINE_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, path, size, rest = ""] = match;
  const text = rest === "" ? line.trimEnd() : line.slice(0, -rest.length - 2);
  const isInColumn = text.length === SIZE_END || text.length === path.length + 1 + SIZE_END;
  if (!isInColumn) return void 0;
  const isDirectory2 = path.endsWith("/");
  const date = DATE_REGEXP.exec(rest);
  const description = date === null ? rest : rest.slice(date[0].length);
  const target = /^-> (\S+)$/.exec(description)?.[1];
  return {
    name: isDirectory2 ? path.slice(0, -1) : path,
    kind: isDirectory2 ? "directory" : target !== void 0 ? "symlink" : "file",
    ...!isDirectory2 && {
      size: parseSize2(size),
      isSizeApproximate: true
    },
    linkTarget: target,
    ...date !== null && readDate(date, context)
  };
}
function readDate(match, context) {
  const [, month, day, dayFirst, monthLast, rest] = match;
  return readRecentDate(parseMonth(month ?? monthLast), Number(day ?? dayFirst), rest, context);
}

// lib/listing/enterprise.ts
var ENTERPRISE_REGEXP = /^[-A-Z]{10}[A-Z]{0,4} +[A-Z] +(\S+) +\d{1,20} +(\d{1,20}) +([A-Za-z]{3}) +(\d{1,2}) +(\d{4}|\d{1,2}:\d\d) (.+)$/s;
var ENTERPRISE = {
  name: "enterprise",
  read: read2
};
function read2(line, context) {
  const match = ENTERPRISE_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, owner, size, month, day, rest, name] = match;
  return {
    name,
    kind: "file",
    size: parseSize2(size),
    owner,
    ...readRecentDate(parseMonth(month), Number(day), rest, context)
  };
}

// lib/listing/eplf.ts
var EPLF_REGEXP = /^\+([^\t]*)\t(.+)$/s;
var EPLF = {
  name: "eplf",
  read: read3
};
function read3(line) {
  const match = EPLF_REGEXP.exec(line);
  if (match === null) return void 0;
  const facts = match[1].split(",");
  const find = (letter, digits) => facts.find((fact) => fact[0] === letter && digits.test(fact.slice(1)))?.slice(1);
  const seconds = find("m", /^\d{1,12}$/);
  const mode = facts.find((fact) => /^up[0-7]{1,5}$/.test(fact))?.slice(2);
  return {
    name: match[2],
    kind: facts.includes("/") ? "directory" : facts.includes("r") ? "file" : "other",
    size: parseSize2(find("s", /^\d+$/) ?? ""),
    mode: readOctal(mode),
    ...seconds !== void 0 && {
      mtime: new Date(Number(seconds) * 1e3),
      mtimePrecision: "second"
    }
  };
}

// lib/listing/netware.ts
var NETWARE_REGEXP = /^([-d]) ?\[[-A-Z]{7,8}\] +(?:\d+ +)?(\S+) +(\d{1,20}) +([A-Za-z]{3}) +(\d{1,2}) +(?:(\d{2}) +(\d{1,2}):(\d\d)|(\d{4}|\d{1,2}:\d\d)) +(\S.*)$/s;
var NETWARE = {
  name: "netware",
  read: read4
};
function read4(line, context) {
  const match = NETWARE_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, letter, owner, size, monthName, day, ...times] = match;
  const [year, hour, minute, rest, name] = times;
  const month = parseMonth(monthName);
  const isDirectory2 = letter === "d";
  return {
    name,
    kind: isDirectory2 ? "directory" : "file",
    size: isDirectory2 ? void 0 : parseSize2(size),
    owner,
    ...rest !== void 0 ? readRecentDate(month, Number(day), rest, context) : toTime({
      year: toFullYear(Number(year)),
      month,
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute)
    }, context)
  };
}

// lib/listing/nonstop.ts
var GUARDIAN_REGEXP = /^ *(\S{1,64}) +O?\d{1,6}[O+]{0,2} +(\d{1,20}) +(\d{1,2})-([A-Za-z]{3})-(\d{2,4}) +(\d{1,2}):(\d\d):(\d\d) +(\d{1,3}), *(\d{1,3}) +(?:"[^"]{1,8}"|[-A-Za-z*]{4}) *$/;
var NONSTOP = {
  name: "nonstop",
  read: read5
};
function read5(line, context) {
  if (/^ *File +Code +EOF +Last Modification/i.test(line)) return "frame";
  const match = GUARDIAN_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, name, size, day, month, year, hour, minute, second, group, owner] = match;
  return {
    name,
    kind: "file",
    size: parseSize2(size),
    owner,
    group,
    ...toTime({
      year: toFullYear(Number(year)),
      month: parseMonth(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second)
    }, context)
  };
}

// lib/listing/nortel.ts
var NORTEL_REGEXP = /^ *(\S{1,64}) +(\d{1,15}) +(\d\d)\/(\d\d)\/(\d\d) +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}\.? +(\d\d):(\d\d):(\d\d) *$/;
var FRAME_REGEXP = /^ *(?:Volume - drive \S|Directory of \d+:|File Name +Size +Date +|\d+ bytes - (?:Total|Available|Contiguous))/i;
var NORTEL = {
  name: "nortel",
  read: read6
};
function read6(line, context) {
  if (FRAME_REGEXP.test(line)) return "frame";
  const match = NORTEL_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, name, size, month, day, year, hour, minute, second] = match;
  return {
    name,
    kind: "file",
    size: parseSize2(size),
    ...toTime({
      year: toFullYear(Number(year)),
      month: Number(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second)
    }, context)
  };
}

// lib/listing/os2.ts
var OS2_REGEXP = /^ *(\d{1,20}) +(?:[ADHRS]{1,5} +)?(DIR +)?(?:[ADHRS]{1,5} +)?(\d{1,2})-(\d{1,2})-(\d{2,4}) +(\d{1,2}):(\d\d) +(\S.*)$/s;
var OS2 = {
  name: "os2",
  read: read7
};
function read7(line, context) {
  const match = OS2_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, size, mark, month, day, year, hour, minute, name] = match;
  return {
    name,
    kind: mark === void 0 ? "file" : "directory",
    size: mark === void 0 ? parseSize2(size) : void 0,
    ...toTime({
      year: toFullYear(Number(year)),
      month: Number(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute)
    }, context)
  };
}

// lib/listing/os400.ts
var OS400_REGEXP = /^(?:([^\s*]\S{0,9}) +| +)(?:(\d{1,20}) +)?(?:(\d\d)([/.-])(\d\d)\4(\d\d) +(\d\d):(\d\d):(\d\d) +)?(\*[A-Z]{2,9})(?: +(.*))?$/s;
var DIRECTORIES = /* @__PURE__ */ new Set([
  "*DIR",
  "*DDIR",
  "*LIB",
  "*FLR"
]);
var FILE_REGEXP = /\.FILE\/?$|^[^.]*$/i;
var MEMBER_REGEXP = /(?:^|\/)([^/\0\\]{1,32}\.FILE)\/([^/\0\\]{1,32}\.MBR)$/i;
var OS400 = {
  name: "os400",
  read: read8
};
function read8(line, context) {
  const match = OS400_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, owner, size, first, , , , , , , type, path = ""] = match;
  if (!path.trim()) {
    if (type === "*MEM") return "frame";
    return type === "*FILE" ? "note" : void 0;
  }
  const date = first === void 0 ? void 0 : readDate2(match.slice(3, 10), context);
  if (type === "*MEM") {
    const facts = {
      owner,
      size: parseSize2(size ?? ""),
      ...date
    };
    return {
      ...facts,
      ...readMember(path, context)
    };
  }
  const isDirectory2 = path.endsWith("/") || DIRECTORIES.has(type) || type === "*FILE" && FILE_REGEXP.test(path);
  return {
    name: path.replace(/\/$/, ""),
    kind: isDirectory2 ? "directory" : type === "*SYMLNK" ? "symlink" : "file",
    size: isDirectory2 ? void 0 : parseSize2(size ?? ""),
    owner,
    ...date
  };
}
function readMember(path, { directory }) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const match = MEMBER_REGEXP.exec(path);
  const isOwn2 = match === null || directory?.toUpperCase() === match[1].toUpperCase();
  return {
    name,
    kind: "file",
    ...!isOwn2 && {
      path: `${match[1]}/${match[2]}`
    }
  };
}
function readDate2(parts, context) {
  const [a, mark, b, c, hour, minute, second] = parts;
  const orders = mark === "." ? [
    [
      c,
      b,
      a
    ]
  ] : [
    [
      a,
      b,
      c
    ],
    [
      c,
      a,
      b
    ],
    [
      c,
      b,
      a
    ]
  ];
  const times = /* @__PURE__ */ new Map();
  for (const [year, month, day] of orders) {
    const time = toTime({
      year: toFullYear(Number(year)),
      month: Number(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second)
    }, context);
    if (time === void 0) continue;
    const at = time.mtime.getTime();
    if (at <= context.now + context.slack) times.set(at, time);
  }
  return times.size === 1 ? [
    ...times.values()
  ][0] : void 0;
}

// lib/listing/os9.ts
var OS9_REGEXP = /^ *(\d{1,5})\.(\d{1,5}) +(\d\d)\/(\d\d)\/(\d\d) +(\d\d):?(\d\d) +([-d])[-s]([-e][-w][-r])([-e][-w][-r]) +[0-9A-Fa-f]{1,8} +([0-9A-Fa-f]{1,15}) +(\S.*)$/s;
var HEADER_REGEXP = /^ *(?:Owner +Last modified +|Directory of \S)/i;
var OS9 = {
  name: "os9",
  read: read9
};
function read9(line, context) {
  if (HEADER_REGEXP.test(line)) return "frame";
  const match = OS9_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, group, owner, year, month, day, hour, minute, ...rest] = match;
  const [letter, others, own, size, name] = rest;
  const isDirectory2 = letter === "d";
  const othersMode = modeOf(others);
  return {
    name,
    kind: isDirectory2 ? "directory" : "file",
    // Some systems count in hexadecimal, and a line without letters is either.
    ...!isDirectory2 && {
      size: parseInt(size, /[A-F]/i.test(size) ? 16 : 10),
      isSizeApproximate: true
    },
    mode: modeOf(own) << 6 | othersMode << 3 | othersMode,
    owner,
    group,
    ...toTime({
      year: toFullYear(Number(year)),
      month: Number(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute)
    }, context)
  };
}
function modeOf(letters) {
  return (letters[2] === "r" ? 4 : 0) | (letters[1] === "w" ? 2 : 0) | (letters[0] === "e" ? 1 : 0);
}

// lib/listing/unix_numeric.ts
var NUMERIC_REGEXP = /^ *(0?[0-7]{5,6}) +(\d{1,10}) +(\d{1,10}) +(\d{1,15}) +(\d{1,11}) +(\S.*)$/s;
var KINDS2 = {
  32768: "file",
  16384: "directory",
  40960: "symlink",
  24576: "other",
  8192: "other",
  4096: "other",
  49152: "other"
};
var UNIX_NUMERIC = {
  name: "unix-numeric",
  read: read10
};
function read10(line) {
  const match = NUMERIC_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, digits, owner, group, size, seconds, text] = match;
  const mode = parseInt(digits, 8);
  const kind = KINDS2[mode & 61440];
  if (kind === void 0) return void 0;
  const arrow = kind === "symlink" ? text.indexOf(" -> ") : -1;
  return {
    name: arrow < 0 ? text : text.slice(0, arrow),
    kind,
    size: parseSize2(size),
    mode: mode & 4095,
    linkTarget: arrow < 0 ? void 0 : text.slice(arrow + 4),
    owner,
    group,
    mtime: new Date(Number(seconds) * 1e3),
    mtimePrecision: "second"
  };
}

// lib/listing/local_month.ts
var MONTHS2 = {
  // German
  jn: 1,
  jnn: 1,
  mr: 3,
  mrz: 3,
  mai: 5,
  okt: 10,
  dez: 12,
  // French
  fv: 2,
  fvr: 2,
  fev: 2,
  avr: 4,
  juin: 6,
  jui: 7,
  ao: 8,
  aot: 8,
  aou: 8,
  dc: 12,
  dce: 12,
  // Italian
  gen: 1,
  mag: 5,
  giu: 6,
  lug: 7,
  ago: 8,
  set: 9,
  ott: 10,
  dic: 12,
  // Spanish and Portuguese
  ene: 1,
  abr: 4,
  out: 10,
  // Dutch and the Nordic languages
  maa: 3,
  mrt: 3,
  mei: 5,
  maj: 5,
  des: 12
};
function parseLocalMonth(text) {
  const english = parseMonth(text);
  if (english !== 0) return english;
  const letters = text.toLowerCase().replace(/[^a-z]/g, "");
  for (const key of [
    letters.slice(0, 4),
    letters.slice(0, 3)
  ]) {
    if (Object.hasOwn(MONTHS2, key)) return MONTHS2[key];
  }
  return 0;
}

// lib/listing/vms.ts
var NAME_REGEXP2 = /^([^;\s][^;]{0,254});(\d{1,5})(?=\s|$)/;
var BARE_NAME_REGEXP = /^([A-Z0-9$_~-]{1,80}\.[A-Z0-9$_~-]{0,80})(?:$|(\s+\d{1,13}(?:\/\d{1,13})?\s+\d{1,2}-.*)$)/;
var DIRECTORY_PREFIX_REGEXP = /^\[[\w$.~-]{1,200}\](?=.)/;
var NEXT_NAME_REGEXP = /^\s*[^\s;[(]{1,254};\d{1,5}(?=\s|$)/;
var DATE_REGEXP2 = /\s(\d{1,2})-([A-Za-z\x80-\xff]{3,12}\.?)-(\d{4})(?: +(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d{1,7})?)?)?(?=\s|$)/;
var SIZE_REGEXP = /\s(\d{1,13}(?:\.\d{1,3}(?=[KMGkmg]))?)(?:\/\d{1,13})?(?:([KMGkmg])[Bb]?)?(?=\s|$)/;
var OWNER_REGEXP = /\s\[([^\]]{1,80})\]/;
var BARE_OWNER_REGEXP = /^\s+([A-Z$][A-Z0-9$_]{0,30})\s+\(/;
var PROTECTION_REGEXP = /\s\(([^)]{0,40})\)\s*$/;
var DIRECTORY_REGEXP = /^(?:[\w$-]{1,64}::)?[\w$-]{1,64}:\[[^\]\s]{1,255}\]\s*$/;
var ERROR_REGEXP = /^\s+(?:<?%[A-Z0-9$_]{1,32}-[A-Z]-|(?:[Ii]nsufficient|[Nn]o) privilege\b)/;
var NOTHING_REGEXP = /^[^\s*;]{0,80}\*[^\s;]{0,80};\d{1,5}\s+<?%[A-Z0-9$_]{1,32}-[A-Z]-/;
var BLOCK = 512;
var UNITS = {
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3
};
var VMS = {
  name: "vms",
  read: read11,
  readLoose: readLoose2
};
function read11(line, context) {
  const isFrame = /^(?:Directory \S|Total of \d+ |Grand total of )/i.test(line) || DIRECTORY_REGEXP.test(line);
  if (isFrame) return "frame";
  if (/^Total \d+ files?\b/i.test(line)) return "note";
  if (NOTHING_REGEXP.test(line)) return "note";
  const match = NAME_REGEXP2.exec(line);
  if (match === null) return void 0;
  const [whole, file, version] = match;
  const rest = line.slice(whole.length);
  if (rest.trim() === "") return "partial";
  if (NEXT_NAME_REGEXP.test(rest)) return void 0;
  return readRest(file, Number(version), rest, context);
}
function readLoose2(line, context) {
  const match = BARE_NAME_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, file, rest] = match;
  if (rest === void 0) return "partial";
  return readRest(file, void 0, rest, context);
}
function readRest(path, version, rest, context) {
  const file = path.replace(DIRECTORY_PREFIX_REGEXP, "");
  const isDirectory2 = /\.DIR$/i.test(file);
  const name = isDirectory2 ? file.slice(0, -4) : file;
  const kind = isDirectory2 ? "directory" : "file";
  if (ERROR_REGEXP.test(rest)) return {
    name,
    kind,
    version
  };
  const date = DATE_REGEXP2.exec(rest);
  if (date === null) return void 0;
  const size = SIZE_REGEXP.exec(rest);
  const afterDate = rest.slice(date.index + date[0].length);
  const owner = (OWNER_REGEXP.exec(rest) ?? BARE_OWNER_REGEXP.exec(afterDate))?.[1]?.split(",");
  return {
    name,
    version,
    kind,
    // the size of the directory's own file does not describe its contents
    size: isDirectory2 || size === null ? void 0 : sizeOf(size[1], size[2]),
    isSizeApproximate: true,
    mode: parseProtection(PROTECTION_REGEXP.exec(rest)?.[1]),
    owner: owner?.at(-1),
    group: owner !== void 0 && owner.length > 1 ? owner[0] : void 0,
    ...readDate3(date, context)
  };
}
function sizeOf(digits, unit = "") {
  const factor = UNITS[unit.toUpperCase()] ?? BLOCK;
  const size = Math.round(Number(digits) * factor);
  return Number.isSafeInteger(size) ? size : void 0;
}
function readDate3(match, context) {
  const [, day, month, year, hour, minute, second] = match;
  return toTime({
    year: Number(year),
    month: parseLocalMonth(month),
    day: Number(day),
    ...hour !== void 0 && {
      hour: Number(hour),
      minute: Number(minute)
    },
    ...second !== void 0 && {
      second: Number(second)
    }
  }, context);
}
function parseProtection(text) {
  const parts = text?.toUpperCase().split(",");
  if (parts?.length !== 4) return void 0;
  return parts.slice(1).reduce((mode, part) => mode << 3 | (part.includes("R") ? 4 : 0) | (part.includes("W") ? 2 : 0) | (part.includes("E") ? 1 : 0), 0);
}

// lib/listing/vshell.ts
var VSHELL_REGEXP = /^(\d{1,20}) +([A-Za-z]{3}) (\d{1,2}), (\d{4}) (\d{1,2}):(\d\d) (.+)$/s;
var VSHELL = {
  name: "vshell",
  read: read12
};
function read12(line, context) {
  const match = VSHELL_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, size, month, day, year, hour, minute, path] = match;
  const isDirectory2 = path.endsWith("/");
  return {
    name: isDirectory2 ? path.slice(0, -1) : path,
    kind: isDirectory2 ? "directory" : "file",
    size: isDirectory2 ? void 0 : parseSize2(size),
    ...toTime({
      year: Number(year),
      month: parseMonth(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute)
    }, context)
  };
}

// lib/listing/vxworks.ts
var VXWORKS_REGEXP = /^ *(\d{1,20}) +([A-Za-z]{3})-(\d{1,2})-(\d{4}) +(\d{1,2}):(\d\d):(\d\d) +(\S.*)$/s;
var MARK_REGEXP = /(?<! ) +<DIR> *$/;
var VXWORKS = {
  name: "vxworks",
  read: read13
};
function read13(line, context) {
  if (/^ *size +date +time +name *$/i.test(line)) return "frame";
  const match = VXWORKS_REGEXP.exec(line);
  if (match === null) return void 0;
  const [, size, month, day, year, hour, minute, second, text] = match;
  const name = text.replace(MARK_REGEXP, "");
  const isDirectory2 = name.length < text.length;
  return {
    name,
    kind: isDirectory2 ? "directory" : "file",
    size: isDirectory2 ? void 0 : parseSize2(size),
    ...toTime({
      year: Number(year),
      month: parseMonth(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second)
    }, context)
  };
}

// lib/listing/zos_path.ts
function joinMember(directory, name) {
  if (isCurrentDirectory(directory)) return name;
  const { quote: quote2, text } = unquote(directory);
  return `${quote2}${text}(${name})${quote2}`;
}
function joinQualifier(directory, name) {
  if (isCurrentDirectory(directory)) return name;
  const { quote: quote2, text } = unquote(directory);
  const dot = text === "" || text.endsWith(".") ? "" : ".";
  return `${quote2}${text}${dot}${name}${quote2}`;
}
var WORD_REGEXP = /^[A-Z$#@][A-Z0-9$#@]{0,7}$/;
var QUALIFIER_REGEXP = /^[A-Z$#@][A-Z0-9$#@-]{0,7}$/;
var MAX_NAME = 44;
function whyNoMember(name, isDirectory2) {
  if (isDirectory2) return "a partitioned data set has no directories";
  return WORD_REGEXP.test(name) ? void 0 : "the name of a member has 1 to 8 characters: capital letters, digits, $, # and @, and no digit first";
}
function whyNoDataSet(directory, name) {
  if (!name.split(".").every((part) => QUALIFIER_REGEXP.test(part))) {
    return "each part of a data set's name has 1 to 8 characters: capital letters, digits, $, #, @ and -, and no digit first";
  }
  const { text } = unquote(joinQualifier(directory, name));
  return text.length <= MAX_NAME ? void 0 : `the name of a data set has ${MAX_NAME} characters at most`;
}
function unquote(path) {
  const isQuoted = path.length > 1 && path.startsWith("'") && path.endsWith("'");
  return isQuoted ? {
    quote: "'",
    text: path.slice(1, -1)
  } : {
    quote: "",
    text: path
  };
}

// lib/listing/zos_data_sets.ts
var DATA_SET_REGEXP = /^ *\S{1,6} +(?:\S{1,5} +)?(?:(\d{4})\/(\d\d)\/(\d\d)|\*\*NONE\*\*) +\d{1,16} *(?:\d{1,16}|[+?]{1,16})? +[A-Z?]{1,5} +(?:\d{1,16}|\?{1,16}) +(?:\d{1,16}|\?{1,16}) +([A-Z]{2,3}(?:-[A-Z])?|\?{1,4}) +(\S+) *$/;
var TAPE_REGEXP = /^ *\S{1,6} +(?:\S{1,5} +)?Tape +(\S+) *$/i;
var VSAM_REGEXP = /^ *\S{1,6} +(?:\S{1,5} +)?VSAM +(\S+) *$/;
var MIGRATED_REGEXP = /^[ \t]*(?:Migrated|MIGRAT|ARCIVE|[^ \t]{1,6} +Not Direct Access Device|(?:[^ \t]{1,6} +)?(?:[^ \t]{1,5} +)?Not Mounted|(?:[^ \t]{1,6} +)?(?:[^ \t]{1,5} +)?Error determining attributes|User catalog connector|GDG)[ \t]+(\S+)[ \t]*$/i;
var FOLDER_REGEXP = /^ *Pseudo Directory +(\S+) *$/;
var ZOS_DATA_SETS = {
  name: "zos-data-sets",
  read: read14,
  join: joinQualifier
};
function read14(line, context) {
  if (/^ *Volume +(?:Unit +)?Referred /.test(line)) return "frame";
  const match = DATA_SET_REGEXP.exec(line);
  if (match !== null) {
    const [, year, month, day, organization, name] = match;
    return {
      name,
      kind: kindOf(organization),
      ...year !== void 0 && toTime({
        year: Number(year),
        month: Number(month),
        day: Number(day)
      }, context)
    };
  }
  const folder = FOLDER_REGEXP.exec(line);
  if (folder !== null) return {
    name: folder[1],
    kind: "directory"
  };
  const file = VSAM_REGEXP.exec(line) ?? TAPE_REGEXP.exec(line);
  if (file !== null) return {
    name: file[1],
    kind: "file"
  };
  const migrated = MIGRATED_REGEXP.exec(line);
  if (migrated !== null) return {
    name: migrated[1],
    kind: "other"
  };
  return void 0;
}
function kindOf(organization) {
  if (organization.startsWith("PO")) return "directory";
  return /^(?:HFS|ZFS|\?+)$/.test(organization) ? "other" : "file";
}

// lib/listing/zos_jes.ts
var JOB_REGEXP = /^ *([A-Z$#@][A-Z0-9$#@]{0,7}) +((?:JOB|STC|TSU|J|S|T)\d{5,7}) +(?:([A-Z$#@][A-Z0-9$#@]{0,7}) +)?(INPUT|OUTPUT|ACTIVE|HELD|READY)(?: .*)?$/;
var SPOOL_FILE_REGEXP = /^ {4,12}(\d{3,6}) +(?:\S{1,8} +){1,3}[A-Z0-9] +[A-Z$#@][A-Z0-9$#@]{0,7} +(\d{1,15}) *$/;
var HEADER_REGEXP2 = /^ *(?:JOBNAME +JOBID +|ID +STEPNAME +PROCSTEP +|\d+ spool files? *$)/i;
var ZOS_JES = {
  name: "zos-jes",
  read: read15,
  join: joinSpoolFile
};
function joinSpoolFile(job, name) {
  return job === "" || !/^\d+$/.test(name) ? name : `${job}.${name.replace(/^0+(?=\d)/, "")}`;
}
function read15(line) {
  if (HEADER_REGEXP2.test(line)) return "frame";
  const match = JOB_REGEXP.exec(line);
  if (match !== null) {
    return {
      name: match[2],
      kind: "file",
      owner: match[3] ?? match[1]
    };
  }
  const file = SPOOL_FILE_REGEXP.exec(line);
  if (file === null) return void 0;
  return {
    name: file[1],
    kind: "file",
    size: parseSize2(file[2])
  };
}

// lib/listing/zos_load_modules.ts
var MODULE_REGEXP = /^ *(\S{1,64}) +([0-9A-F]{6,8}) +([0-9A-F]{6})(?: +([A-Z$#@][A-Z0-9$#@]{0,7}))? +[0-9A-F]{2}(?: +[A-Z]{2}){0,8} +(?:24|31|64|ANY|MIN) +(?:24|31|64|ANY)(?: *)$/;
var ZOS_LOAD_MODULES = {
  name: "zos-load-modules",
  read: read16,
  join: joinMember
};
function read16(line) {
  if (/^ *Name +Size +TTR +Alias-of /.test(line)) return "frame";
  const match = MODULE_REGEXP.exec(line);
  if (match === null) return void 0;
  return {
    name: match[1],
    kind: match[4] === void 0 ? "file" : "symlink",
    size: parseInt(match[2], 16),
    linkTarget: match[4]
  };
}

// lib/listing/zos_members.ts
var MEMBER_REGEXP2 = /^ *(\S{1,64}) +\d\d\.\d\d +\d{4}\/\d\d\/\d\d +(\d{4})\/(\d\d)\/(\d\d) +(\d\d):(\d\d)(?::(\d\d))? +\d+ +\d+ +\d+ +(\S{1,8}) *$/;
var BARE_REGEXP = /^(?: ([A-Z$#@][A-Z0-9$#@]{0,7}) *|([A-Z$#@][A-Z0-9$#@]{0,7}) {2,})$/;
var ZOS_MEMBERS = {
  name: "zos-members",
  read: read17,
  readLoose: readLoose3,
  join: joinMember
};
function read17(line, context) {
  if (/^ *Name +VV\.MM +Created /.test(line)) return "frame";
  const match = MEMBER_REGEXP2.exec(line);
  if (match === null) return void 0;
  const [, name, year, month, day, hour, minute, second, owner] = match;
  return {
    name,
    kind: "file",
    owner,
    ...toTime({
      year: Number(year),
      month: Number(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      ...second !== void 0 && {
        second: Number(second)
      }
    }, context)
  };
}
function readLoose3(line) {
  const bare = BARE_REGEXP.exec(line);
  if (bare === null) return void 0;
  return {
    name: bare[1] ?? bare[2],
    kind: "file"
  };
}

// lib/listing/zvm.ts
var NEW_REGEXP = /^ *([^\s.]{1,16}) +([^\s.]{1,16}) +([FV]) +(\d{1,10}) +(\d{1,12}) +\d{1,12} +(\d{4})-(\d\d)-(\d\d) +(\d\d):(\d\d):(\d\d) +(\S{1,8}) *$/;
var NEW_DIRECTORY_REGEXP = /^ *(\S{1,17}) +DIR +- +- +- +(\d{4})-(\d\d)-(\d\d) +(\d\d):(\d\d):(\d\d) +(\S{1,8}) *$/;
var OLD_REGEXP = /^ *([^\s.]{1,8}) +([^\s.]{1,8}) +[A-Z]\d ([FV]) +(\d{1,10}) +(\d{1,12}) +\d{1,12} +(\d{1,2})\/(\d\d)\/(\d{2,4}) +(\d{1,2}):(\d\d):(\d\d) *$/;
var OLD_DIRECTORY_REGEXP = /^ *(\S{1,17}) +[A-Z]\d DIR +- +- +- +(\d{1,2})\/(\d\d)\/(\d{2,4}) +(\d{1,2}):(\d\d):(\d\d) *$/;
var ZVM = {
  name: "zvm",
  read: read18
};
function read18(line, context) {
  if (/^ *Filename +FileType +/i.test(line)) return "frame";
  const file = NEW_REGEXP.exec(line);
  if (file !== null) {
    const [, name, type, format, length, records, ...rest] = file;
    const [year, month, day, hour, minute, second, owner] = rest;
    return {
      name: `${name}.${type}`,
      kind: "file",
      ...sizeOf2(format, length, records),
      ...ownerOf(owner),
      ...timeOf([
        year,
        month,
        day,
        hour,
        minute,
        second
      ], context)
    };
  }
  const directory = NEW_DIRECTORY_REGEXP.exec(line);
  if (directory !== null) {
    const [, name, year, month, day, hour, minute, second, owner] = directory;
    return {
      name,
      kind: "directory",
      ...ownerOf(owner),
      ...timeOf([
        year,
        month,
        day,
        hour,
        minute,
        second
      ], context)
    };
  }
  return readOld(line, context);
}
function readOld(line, context) {
  const file = OLD_REGEXP.exec(line);
  if (file !== null) {
    const [, name2, type, format, length, records, ...rest] = file;
    const [month2, day2, year2, hour2, minute2, second2] = rest;
    return {
      name: `${name2}.${type}`,
      kind: "file",
      ...sizeOf2(format, length, records),
      ...timeOf([
        year2,
        month2,
        day2,
        hour2,
        minute2,
        second2
      ], context)
    };
  }
  const directory = OLD_DIRECTORY_REGEXP.exec(line);
  if (directory === null) return void 0;
  const [, name, month, day, year, hour, minute, second] = directory;
  return {
    name,
    kind: "directory",
    ...timeOf([
      year,
      month,
      day,
      hour,
      minute,
      second
    ], context)
  };
}
function sizeOf2(format, length, records) {
  const size = Number(length) * Number(records);
  if (!Number.isSafeInteger(size)) return {};
  return format === "F" ? {
    size
  } : {
    size,
    isSizeApproximate: true
  };
}
function ownerOf(owner) {
  return owner === "-" ? {} : {
    owner
  };
}
function timeOf(parts, context) {
  const [year, month, day, hour, minute, second] = parts.map(Number);
  return toTime({
    year: toFullYear(year),
    month,
    day,
    hour,
    minute,
    second
  }, context);
}

// lib/listing/formats.ts
var FORMATS = [
  VMS,
  OS400,
  ZOS_DATA_SETS,
  ZOS_MEMBERS,
  ZOS_LOAD_MODULES,
  ZOS_JES,
  NONSTOP,
  NETWARE,
  OS2,
  EPLF,
  ENTERPRISE,
  VSHELL,
  VXWORKS,
  ZVM,
  OS9,
  NORTEL,
  CHAMELEON,
  UNIX_NUMERIC,
  DLS
];

// lib/listing/parsed_source.ts
var ParsedSource = class {
  #parsed;
  #line;
  #format;
  #decode;
  /** Creates a source. */
  constructor(entry) {
    this.#parsed = entry.parsed;
    this.#line = entry.line;
    this.#format = entry.format;
    this.#decode = entry.decode;
  }
  #text(text) {
    return text === void 0 ? void 0 : this.#decode(toBytes(text));
  }
  name() {
    return this.#decode(toBytes(this.#parsed.name));
  }
  rawName() {
    return toBytes(this.#parsed.path ?? this.#parsed.name);
  }
  path() {
    return this.#decode(this.rawName());
  }
  kind() {
    return this.#parsed.kind;
  }
  size() {
    return this.#parsed.size;
  }
  isSizeApproximate() {
    return this.#parsed.isSizeApproximate ?? false;
  }
  mtime() {
    return this.#parsed.mtime && new Date(this.#parsed.mtime);
  }
  mtimePrecision() {
    return this.#parsed.mtime && this.#parsed.mtimePrecision;
  }
  mode() {
    return this.#parsed.mode;
  }
  linkTarget() {
    return this.#text(this.#parsed.linkTarget);
  }
  owner() {
    return this.#text(this.#parsed.owner);
  }
  group() {
    return this.#text(this.#parsed.group);
  }
  facts() {
    return this.#format === "mlsd" ? {} : void 0;
  }
  line() {
    return this.#decode(toBytes(this.#line));
  }
  lineLength() {
    return this.#line.length;
  }
  format() {
    return this.#format;
  }
};
function toBytes(text) {
  const bytes2 = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes2[i] = text.charCodeAt(i);
  return bytes2;
}
function toByteText(bytes2) {
  const ascii = decoder.decode(bytes2);
  if (ascii.length === bytes2.length && !ascii.includes("\uFFFD")) return ascii;
  let text = "";
  for (let i = 0; i < bytes2.length; i += 8192) {
    const piece = bytes2.subarray(i, i + 8192);
    text += String.fromCharCode.apply(null, piece);
  }
  return text;
}
var decoder = new TextDecoder("utf-8", {
  ignoreBOM: true
});

// lib/listing/entry_path.ts
function joinSlash(directory, name) {
  if (directory === "" || directory.endsWith("/")) return directory + name;
  return `${directory}/${name}`;
}
function joinerOf(format) {
  return FORMATS.find(({ name }) => name === format)?.join;
}
function joinEntry(directory, entry) {
  const join2 = joinerOf(entry.format) ?? joinSlash;
  return join2(directory, pathOfEntry(entry));
}
function joinRawEntry(directory, entry) {
  const join2 = joinerOf(entry.format) ?? joinSlash;
  return toBytes(join2(toByteText(directory), toByteText(entry.rawName)));
}
function withoutNested(entries) {
  const isNested = (entry) => pathOfEntry(entry) !== entry.name;
  if (!entries.some((entry) => entry.format === "os400" && isNested(entry))) {
    return entries;
  }
  const directories = new Set(entries.filter((entry) => entry.isDirectory).map(({ name }) => name.toUpperCase()));
  return entries.filter((entry) => {
    const [first] = pathOfEntry(entry).split("/", 1);
    return !isNested(entry) || !directories.has(first.toUpperCase());
  });
}

// lib/directories/directories.ts
init_printable();

// lib/transfer/pipeline.ts
async function* pipeline(session, commands2, { window, signal }) {
  if (!Number.isSafeInteger(window) || window < 1) {
    throw new RangeError(`Cannot use window ${window}: it must be a positive integer`);
  }
  const outstanding = [];
  let next = 0;
  const ask3 = async (command) => {
    try {
      return await session.shared((turn) => {
        session.noteByHand(command);
        return turn.exchange(command, {
          signal
        });
      }, {
        signal
      });
    } catch (error) {
      if (isRefusal(error)) return error;
      throw error;
    }
  };
  const head = async () => {
    const reply = await outstanding[next++];
    if (next > window) outstanding.splice(0, next), next = 0;
    return reply;
  };
  for (const command of commands2) {
    const reply = ask3(command);
    reply.catch(() => {
    });
    outstanding.push(reply);
    if (outstanding.length - next >= window) yield await head();
  }
  while (next < outstanding.length) yield await head();
}

// lib/directories/listing.ts
init_printable();

// lib/transfer/batch_iterator.ts
var BatchIterator = class {
  #batches;
  #valueOf;
  #batch = [];
  #at = 0;
  #isDone = false;
  /** The last call that had to wait, until it is answered. */
  #last;
  /**
   * Creates an iterator.
   *
   * @param valueOf Called with each item when it is asked for
   */
  constructor(batches, valueOf) {
    this.#batches = batches;
    this.#valueOf = valueOf;
  }
  next() {
    if (this.#last !== void 0 || this.#at === this.#batch.length) {
      return this.#inTurn(() => this.#pull());
    }
    try {
      const value = this.#valueOf(this.#batch[this.#at++]);
      return Promise.resolve({
        done: false,
        value
      });
    } catch (error) {
      return this.throw(error);
    }
  }
  return(value) {
    return this.#inTurn(async () => {
      await this.#close();
      return {
        done: true,
        value: await value
      };
    });
  }
  throw(error) {
    return this.#inTurn(async () => {
      await this.#close();
      throw error;
    });
  }
  [Symbol.asyncIterator]() {
    return this;
  }
  async [Symbol.asyncDispose]() {
    await this.return();
  }
  /** Runs a call after those that wait. */
  #inTurn(run2) {
    const result = this.#last === void 0 ? run2() : this.#last.then(run2, run2);
    const settle2 = () => {
      if (this.#last === result) this.#last = void 0;
    };
    this.#last = result;
    result.then(settle2, settle2);
    return result;
  }
  async #pull() {
    try {
      while (this.#at === this.#batch.length) {
        if (this.#isDone) return {
          done: true,
          value: void 0
        };
        const { done, value: value2 } = await this.#batches.next();
        this.#isDone = done === true;
        this.#batch = done ? [] : value2;
        this.#at = 0;
      }
      const value = this.#valueOf(this.#batch[this.#at++]);
      return {
        done: false,
        value
      };
    } catch (error) {
      await this.#close();
      throw error;
    }
  }
  async #close() {
    this.#isDone = true;
    this.#batch = [];
    this.#at = 0;
    await this.#batches.return(void 0);
  }
};

// lib/transfer/kept_lines.ts
init_printable();

// lib/transfer/receive.ts
init_check_names();

// lib/transfer/callback.ts
function waitFor(data, result) {
  return isThenable(result) ? data.unlessFailed(result) : void 0;
}
function isThenable(value) {
  return typeof value?.then === "function";
}

// lib/transfer/cut_data.ts
init_errors();

// lib/connection/deflated_stream.ts
init_bytes();
init_byte_stream();
var PIECE_SIZE = 4 * 1024;
var MAX_RATIO = 200;
var ANY_RATIO_SIZE = 64 * 1024 * 1024;
var DeflatedStream = class {
  #stream;
  #buffer = new Uint8Array(PIECE_SIZE);
  #inflated;
  #deflated;
  #rest = new Uint8Array();
  #bytesRead = 0;
  #bytesGiven = 0;
  #checkSum = new Adler32();
  /** The last bytes received. */
  #trailer = new Uint8Array();
  #isWhole = false;
  /**
   * Takes over a connected stream.
   *
   * @param stream The connection: TCP, or TLS over it
   */
  constructor(stream) {
    this.#stream = stream;
  }
  get localAddr() {
    return this.#stream.localAddr;
  }
  get remoteAddr() {
    return this.#stream.remoteAddr;
  }
  get via() {
    return this.#stream.via;
  }
  get info() {
    return this.#stream.info;
  }
  /** Whether the checksum was right, or the stream below ended cleanly. */
  get endedCleanly() {
    return this.#isWhole || this.#stream.endedCleanly;
  }
  get compressedSize() {
    return this.#bytesRead + (this.#deflated?.bytesMoved ?? 0);
  }
  async read(buffer2) {
    if (this.#rest.length === 0) {
      const bytes2 = await this.#next();
      if (bytes2 === null) return null;
      this.#rest = bytes2;
    }
    const n = Math.min(buffer2.length, this.#rest.length);
    buffer2.set(this.#rest.subarray(0, n));
    this.#rest = this.#rest.subarray(n);
    return n;
  }
  async write(bytes2) {
    this.#deflated ??= new Deflated(this.#stream);
    await this.#deflated.write(bytes2);
    return bytes2.length;
  }
  /** Writes what the compressor has kept back, and the end of the data. */
  async finish() {
    await this.#deflated?.end();
  }
  async closeWrite() {
    await this.finish();
    await this.#stream.closeWrite();
  }
  close() {
    this.#inflated?.cancel();
    this.#deflated?.cancel();
    this.#stream.close();
  }
  ref() {
    this.#stream.ref();
  }
  unref() {
    this.#stream.unref();
  }
  /** Reads the next bytes. Some servers send nothing for an empty file. */
  async #next() {
    while (true) {
      const given = await this.#inflated?.take();
      if (given !== void 0) {
        if (given === null) this.#checkEnd();
        else this.#count(given);
        return given;
      }
      const n = await this.#stream.read(this.#buffer);
      if (n === null && this.#inflated === void 0) return null;
      this.#inflated ??= new Inflated();
      if (n === null) this.#inflated.end();
      else {
        this.#bytesRead += n;
        const piece = this.#buffer.slice(0, n);
        this.#trailer = lastOf(this.#trailer, piece);
        this.#inflated.write(piece);
      }
    }
  }
  /** Rejects truncated data by its checksum; the platform accepts it. */
  #checkEnd() {
    const { value } = this.#checkSum;
    this.#isWhole = this.#trailer.length === CHECK_SUM_SIZE && new DataView(this.#trailer.buffer).getUint32(0) === value;
    if (this.#isWhole) return;
    throw new Deno.errors.UnexpectedEof(`Cannot decompress the data: it ends after ${this.#bytesGiven} bytes without its checksum, so some of it may be missing; if the server does not compress it after "MODE Z", omit "compress"`);
  }
  #count(bytes2) {
    this.#checkSum.add(bytes2);
    this.#bytesGiven += bytes2.length;
    const most = Math.max(ANY_RATIO_SIZE, MAX_RATIO * this.#bytesRead);
    if (this.#bytesGiven <= most) return;
    throw new Deno.errors.InvalidData(`Cannot decompress the data: ${this.#bytesRead} bytes became more than ${MAX_RATIO} times as many; omit "compress" for this file`);
  }
};
var CHECK_SUM_SIZE = 4;
function lastOf(before, piece) {
  return joinBytes([
    before,
    piece
  ]).slice(-CHECK_SUM_SIZE);
}
var ADLER_BASE = 65521;
var ADLER_RUN = 2048;
var Adler32 = class {
  #low = 1;
  #high = 0;
  /** The sum of all bytes so far. */
  get value() {
    return this.#high * 65536 + this.#low;
  }
  /** Adds bytes. */
  add(bytes2) {
    let low = this.#low;
    let high = this.#high;
    for (let start = 0; start < bytes2.length; start += ADLER_RUN) {
      const end = Math.min(bytes2.length, start + ADLER_RUN);
      for (let at = start; at < end; at++) {
        low += bytes2[at];
        high += low;
      }
      low %= ADLER_BASE;
      high %= ADLER_BASE;
    }
    this.#low = low;
    this.#high = high;
  }
};
var Inflated = class {
  #writer;
  #reader;
  #reading;
  /** Fulfilled when everything written is decompressed. */
  #writing;
  #isEnded = false;
  constructor() {
    const { writable, readable } = new DecompressionStream("deflate");
    this.#writer = writable.getWriter();
    this.#reader = readable.getReader();
    this.#writer.closed.catch(() => {
    });
  }
  /** Writes bytes, which are not to change. */
  write(bytes2) {
    this.#writing = this.#writer.write(bytes2);
    this.#writing.catch(() => {
    });
  }
  /** The compressed data has ended. */
  end() {
    this.#isEnded = true;
    this.#writer.close().catch(() => {
    });
  }
  /**
   * Returns decompressed bytes.
   *
   * @returns Bytes; `null` at the end; `undefined` if there are none until more
   * is written
   * @throws {Deno.errors.InvalidData} If the data cannot be decompressed
   */
  async take() {
    this.#reading ??= this.#reader.read().then(({ value }) => value ?? null);
    try {
      const given = this.#isEnded ? await this.#reading : await Promise.race([
        this.#reading,
        this.#writing
      ]);
      if (given === void 0) {
        const there = await Promise.race([
          this.#reading,
          void 0
        ]);
        if (there === void 0) return void 0;
        this.#reading = void 0;
        return there;
      }
      this.#reading = void 0;
      return given;
    } catch (error) {
      throw new Deno.errors.InvalidData(`Cannot decompress the data: ${error.message}; if the server does not compress it after "MODE Z", omit "compress"`, {
        cause: error
      });
    }
  }
  cancel() {
    this.#reading?.catch(() => {
    });
    this.#reader.cancel().catch(() => {
    });
    this.#writer.abort().catch(() => {
    });
  }
};
var Deflated = class {
  #writer;
  #reader;
  #moved;
  #ending;
  /** Compressed bytes written to the stream. */
  bytesMoved = 0;
  constructor(stream) {
    const { writable, readable } = new CompressionStream("deflate");
    this.#writer = writable.getWriter();
    this.#reader = readable.getReader();
    this.#writer.closed.catch(() => {
    });
    this.#moved = this.#move(stream);
    this.#moved.catch((error) => this.#writer.abort(error).catch(() => {
    }));
  }
  async write(bytes2) {
    const written = this.#writer.write(bytes2.slice());
    await Promise.race([
      written,
      this.#moved
    ]);
    await written;
  }
  end() {
    return this.#ending ??= this.#end();
  }
  async #end() {
    const closed = this.#writer.close();
    closed.catch(() => {
    });
    await this.#moved;
    await closed;
  }
  async #move(stream) {
    while (true) {
      const { value, done } = await this.#reader.read();
      if (done) return;
      await writeAll(stream, value);
      this.bytesMoved += value.length;
    }
  }
  cancel() {
    this.#writer.abort().catch(() => {
    });
    this.#reader.cancel().catch(() => {
    });
  }
};

// lib/transfer/compression.ts
var MODE_Z = "MODE Z";
function isCompressed({ options, state: { settings } }) {
  return options.compress && /^Z$/i.test(String(settings.get("MODE")?.argument ?? ""));
}
async function setCompression(turn, options) {
  const { session } = turn;
  const { isPlain: isPlain2 = false } = options;
  const { profile, options: { compress } } = session;
  const isSet = isCompressed(session);
  if (isSet && (isPlain2 || profile.lacks(MODE_Z))) {
    await turn.perform({
      verb: "MODE",
      argument: "S"
    }, options);
    return;
  }
  const isDone2 = !compress || isPlain2 || isSet || profile.lacks(MODE_Z);
  if (isDone2 || !await offersCompression(turn, options)) return;
  try {
    await turn.perform({
      verb: "MODE",
      argument: "Z"
    }, options);
    if (!isCompressed(session)) profile.noteLacking(MODE_Z);
  } catch (error) {
    const reply = replyOf(error);
    if (reply === void 0 || reply.code === CLOSING) throw error;
    if (error instanceof FTPPermanentError) profile.noteLacking(MODE_Z);
  }
}
function isCompressionUnproven(session) {
  return isCompressed(session) && !session.profile.decompresses;
}
function mayBeLeftCompressed({ options, profile, state: { identity } }) {
  const features = profile.featuresFor(identity);
  return options.compress && !profile.decompresses && !profile.lacks(MODE_Z) && (features === void 0 || offersZ(features));
}
function isSizeAmbiguous(session, data) {
  const { bytesRead, bytesWritten, compressedSize } = data;
  return isCompressionUnproven(session) && compressedSize !== 0 && compressedSize === bytesRead + bytesWritten;
}
function noteDecompressed(session, isDone2) {
  if (!isCompressed(session)) return;
  if (isDone2) session.profile.decompresses = true;
  else session.profile.noteLacking(MODE_Z);
}
function decompress(session, stream) {
  return isCompressed(session) ? new DeflatedStream(stream) : stream;
}
async function offersCompression(turn, options) {
  const { profile, state: { identity } } = turn.session;
  let features = profile.featuresFor(identity);
  if (features === void 0 && !profile.lacks("FEAT")) {
    features = profile.noteFeatures(identity, await askFeatures(turn, options));
  }
  return features !== void 0 && offersZ(features);
}
function offersZ(features) {
  return /\bZ\b/i.test(features.get("MODE") ?? "");
}
async function askFeatures(turn, options) {
  try {
    const reply = await turn.exchange({
      verb: "FEAT"
    }, options);
    return reply.code === 211 ? parseFeatures(reply) : void 0;
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    return void 0;
  }
}

// lib/transfer/cut_data.ts
function sizedFile(session, { verb, argument }, rest = 0) {
  const isPlain2 = session.state.type === "I" && /^RETR$/i.test(verb) && argument !== void 0 && (isSetTo(session, "MODE", "S") || isCompressed(session)) && isSetTo(session, "STRU", "F") && /^\d{1,15}$/.test(`${rest}`);
  return isPlain2 ? {
    path: argument,
    offset: Number(rest)
  } : void 0;
}
function isSetTo({ state: { settings } }, verb, code) {
  const argument = settings.get(verb)?.argument ?? code;
  return String(argument).toUpperCase() === code;
}
function isProtected({ control }) {
  return control.stream.info !== void 0;
}
async function proveWhole(session, cut, { signal }) {
  const { bytes: bytes2, announced, file } = cut;
  const mayBeForged = cut.isSecure !== false && !isProtected(session);
  if (file === void 0 || mayBeForged) {
    return {
      isWhole: void 0,
      size: void 0
    };
  }
  if (bytes2 === announced && file.offset === 0) {
    return {
      isWhole: true,
      size: bytes2
    };
  }
  const whole = await askSize(session, cut.pending, file, signal);
  if (whole === null) return {
    isWhole: void 0,
    size: void 0
  };
  const size = Math.max(0, whole - file.offset);
  return {
    isWhole: bytes2 === size,
    size
  };
}
async function askSize({ control, profile }, during, { path }, signal) {
  if (profile.lacks("SIZE")) return null;
  const command = {
    verb: "SIZE",
    argument: path,
    name: "path"
  };
  try {
    const pending = control.send(command, {
      during
    });
    const reply = await control.wait(pending.first, signal);
    return reply.code === 213 ? parseSize(reply) : null;
  } catch (error) {
    if (signal?.aborted) throw error;
    return null;
  }
}
function truncated(command, bytes2, size) {
  const cause = new TLSError("The TLS connection ended without close_notify", {
    reason: "truncated"
  });
  const what = size === void 0 ? "so data may be missing; try again, or, if this server never sends close_notify, set tls: { allowMissingCloseNotify: true }" : `instead of ${size}; try again`;
  const error = new Deno.errors.UnexpectedEof(`Cannot complete "${command}": the TLS data connection was cut off (no close_notify) after ${bytes2} bytes, ${what}`, {
    cause
  });
  if (bytes2 === 0) withoutData.add(error);
  return error;
}
var withoutData = /* @__PURE__ */ new WeakSet();
var MAX_ASKED = 10;
var REPEATABLE_REGEXP = /^(RETR|LIST|NLST|MLSD)$/i;
function mayAskAgain(error, { verb }, asked) {
  return asked < MAX_ASKED && REPEATABLE_REGEXP.test(verb) && error instanceof Error && withoutData.has(error);
}
function isTruncated(error) {
  return error instanceof Deno.errors.UnexpectedEof && error.cause instanceof TLSError && error.cause.reason === "truncated";
}

// lib/transfer/lines.ts
init_byte_buffer();

// lib/protocol/lines_of.ts
var LF4 = 10;
function* linesOf(block) {
  for (let start = 0; start < block.length; ) {
    const end = block.indexOf(LF4, start) + 1 || block.length;
    yield block.subarray(start, end);
    start = end;
  }
}

// lib/transfer/lines.ts
var CR2 = 13;
var LF5 = 10;
var LineBlocks = class {
  #maxLine;
  #rest = new ByteBuffer();
  /**
   * Creates a splitter.
   *
   * @param maxLine Longest line, in bytes, its LF excluded
   */
  constructor(maxLine) {
    this.#maxLine = maxLine;
  }
  /**
   * Returns the complete lines so far.
   *
   * @throws {FTPProtocolError} If a line is over the limit
   */
  push(chunk) {
    const rest = this.#rest;
    const end = chunk.lastIndexOf(LF5) + 1;
    if (end === 0) {
      rest.append(chunk, 0, chunk.length);
      this.#check(rest.length);
      return void 0;
    }
    let block = chunk.subarray(0, end);
    if (rest.length > 0) {
      const joined2 = new Uint8Array(rest.length + end);
      joined2.set(rest.view());
      joined2.set(block, rest.length);
      block = joined2;
      rest.clear();
    }
    rest.append(chunk, end, chunk.length);
    if (block.length > this.#maxLine) {
      for (const line of linesOf(block)) this.#check(line.length - 1);
    }
    this.#check(rest.length);
    return block;
  }
  /** Returns the last line, if it has no end. */
  end() {
    return this.#rest.length === 0 ? void 0 : this.#rest.view();
  }
  #check(length) {
    if (length <= this.#maxLine) return;
    throw new FTPProtocolError(`Cannot read a line: it is longer than maxLine, ${this.#maxLine} bytes`);
  }
};
var LineDecoder = class {
  #blocks;
  #decode;
  /**
   * Creates a decoder.
   *
   * @param decode Decodes bytes in the session's encoding
   * @param maxLine Longest line, in bytes, its LF excluded
   */
  constructor(decode2, maxLine) {
    this.#decode = decode2;
    this.#blocks = new LineBlocks(maxLine);
  }
  /**
   * Reads a piece. Returns the lines that it completes, without their ends.
   *
   * @throws {FTPProtocolError} If a line is over the limit
   */
  push(chunk) {
    const block = this.#blocks.push(chunk);
    if (block === void 0) return [];
    const text = this.#decode(block);
    const lines = text.split("\r\n");
    lines.pop();
    const isPlain2 = text.endsWith("\r\n") && lines.every((line) => !line.includes("\n"));
    return isPlain2 ? lines : text.split("\n").slice(0, -1).map(withoutCR);
  }
  /** Returns the last line, if it had no end. */
  end() {
    const rest = this.#blocks.end();
    return rest === void 0 ? [] : [
      withoutCR(this.#decode(rest))
    ];
  }
};
function withoutCR(line) {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
async function* toNetworkLines(source, maxLine) {
  const blocks = new LineBlocks(maxLine);
  for await (const chunk of source) {
    const block = blocks.push(chunk);
    if (block !== void 0) yield withNetworkEnds(block);
  }
  const rest = blocks.end();
  if (rest !== void 0) yield withNetworkEnds(withLF(rest));
}
function withLF(line) {
  const ended = new Uint8Array(line.length + 1);
  ended.set(line);
  ended[line.length] = LF5;
  return ended;
}
function withNetworkEnds(block) {
  let bare = 0;
  for (let at = block.indexOf(LF5); at >= 0; at = block.indexOf(LF5, at + 1)) {
    if (block[at - 1] !== CR2) bare++;
  }
  if (bare === 0) return block;
  const converted = new Uint8Array(block.length + bare);
  let to = 0;
  for (let from = 0; from < block.length; from++) {
    const byte = block[from];
    if (byte === LF5 && block[from - 1] !== CR2) converted[to++] = CR2;
    converted[to++] = byte;
  }
  return converted;
}

// lib/transfer/open_transfer.ts
init_byte_stream();

// lib/connection/data_stream.ts
init_byte_stream();

// lib/connection/shared_buffer.ts
var SHARED_SIZE = 16 * 1024;
var spare;
function borrowBuffer() {
  const buffer2 = spare ?? new Uint8Array(SHARED_SIZE);
  spare = void 0;
  return buffer2;
}
function returnBuffer(buffer2) {
  spare = buffer2;
}

// lib/connection/data_streams.ts
var CHUNK_SIZE = 64 * 1024;
function readableOf(data) {
  return new ReadableStream({
    async pull(controller) {
      const buffer2 = new Uint8Array(CHUNK_SIZE);
      const n = await data.read(buffer2);
      if (n === null) {
        data.close();
        controller.close();
      } else {
        controller.enqueue(buffer2.subarray(0, n));
      }
    },
    cancel: () => data.close()
  }, {
    highWaterMark: 0
  });
}
function writableOf(data) {
  return new WritableStream({
    write: (chunk) => data.writeAll(chunk),
    async close() {
      await data.closeWrite();
      data.close();
    },
    // otherwise the server would take the bytes so far for the complete file
    abort: (reason) => data.giveUp(reason ?? new Error("The stream was aborted"))
  });
}

// lib/connection/data_stream.ts
init_waiting();
var READ_SIZE = 256 * 1024;
var CLOSE_GRACE = 2e3;
var DataStream = class {
  #stream;
  #options;
  #watchdog;
  #bytesRead = 0;
  #bytesWritten = 0;
  #isEnded = false;
  #failure;
  /** Ends each open wait of {@linkcode unlessFailed}. */
  #waits = /* @__PURE__ */ new Set();
  #isClosed = false;
  #isHeld = false;
  #closing;
  #readable;
  #writable;
  /**
   * Takes over a connected stream.
   *
   * @param stream The connection
   * @param options Time-out, signal and command
   */
  constructor(stream, options) {
    this.#stream = stream;
    this.#options = options;
    this.#watchdog = new Watchdog(options.timeout, () => this.fail(new Deno.errors.TimedOut(`Cannot complete "${options.command()}": no data moved within ${options.timeout} ms`)), options.ticker);
    const { signal } = options;
    if (signal !== void 0) onAbort(signal, this.#onAbort);
    if (signal?.aborted) this.fail(signal.reason);
  }
  /** Address of the local end. */
  get localAddr() {
    return this.#stream.localAddr;
  }
  /** Address of the server's end. */
  get remoteAddr() {
    return this.#stream.remoteAddr;
  }
  /** TLS properties of the connection; `undefined` without TLS. */
  get tls() {
    return this.#stream.info;
  }
  /** Number of bytes read. */
  get bytesRead() {
    return this.#bytesRead;
  }
  /** Number of bytes written. */
  get bytesWritten() {
    return this.#bytesWritten;
  }
  /** Compressed bytes that passed the connection; `undefined` in other modes. */
  get compressedSize() {
    return this.#stream.compressedSize;
  }
  /** Whether the server has ended its side: a read returned `null`. */
  get isEnded() {
    return this.#isEnded;
  }
  /**
   * Whether the data ended without TLS's close_notify. Anyone on the way can
   * end a stream like that, so data may be missing.
   */
  get isCut() {
    return this.#isEnded && this.#stream.endedCleanly === false;
  }
  /** Whether {@linkcode close} was called or the connection failed. */
  get isClosed() {
    return this.#isClosed;
  }
  /**
   * Whether {@linkcode close} left the server's side open until the server was
   * told.
   */
  get isHeld() {
    return this.#isHeld;
  }
  /** Error that ended the connection, if there is one. */
  get failure() {
    return this.#failure;
  }
  /** The stream below: TCP, or TLS over it. */
  get stream() {
    return this.#stream;
  }
  /**
   * Reads at least one byte.
   *
   * @param buffer Buffer for the bytes
   * @returns Number of bytes, or `null` at the end of the data
   * @throws {Deno.errors.TimedOut} If no byte comes within the time-out; the
   * data connection is then closed
   * @throws {Error} `Deno.errors.*` if the connection fails, or the signal's
   * reason
   */
  async read(buffer2) {
    this.#watchdog.begin();
    try {
      const n = await this.#stream.read(buffer2);
      this.#watchdog.touch();
      this.#check();
      if (n === null) this.#isEnded = true;
      else this.#bytesRead += n;
      return n;
    } catch (error) {
      throw this.#reason(error);
    } finally {
      this.#watchdog.end();
    }
  }
  /**
   * Reads to the end of the data. Like {@linkcode read} in a loop, without an
   * additional promise for each read. The buffer is small at first, because most
   * files are, and grows while reads fill it, or is the stream's own memory.
   *
   * @param take Called with the bytes, and awaited. Its second argument tells
   * whether it may keep them; otherwise they are valid until it ends
   * @param options `keep`: whether `take` may keep the bytes if that costs
   * nothing
   * @throws As {@linkcode read}, or the error of `take`
   */
  async readToEnd(take, { keep = false } = {}) {
    const stream = this.#stream;
    const isOwn2 = stream.readOwn !== void 0;
    const first = isOwn2 ? new Uint8Array(0) : borrowBuffer();
    let buffer2 = first;
    while (true) {
      let bytes2;
      this.#watchdog.begin();
      try {
        if (stream.readOwn === void 0) {
          const n = await stream.read(buffer2);
          bytes2 = n === null ? null : buffer2.subarray(0, n);
        } else {
          bytes2 = await stream.readOwn();
        }
        this.#watchdog.touch();
        this.#check();
      } catch (error) {
        throw this.#reason(error);
      } finally {
        this.#watchdog.end();
      }
      if (bytes2 === null) {
        this.#isEnded = true;
        if (keep && !isOwn2) returnBuffer(first);
        return;
      }
      this.#bytesRead += bytes2.length;
      const result = take(bytes2, isOwn2 && keep);
      if (result !== void 0) await result;
      if (isOwn2) {
        if (!keep) freeMemory(bytes2);
      } else if (bytes2.length === buffer2.length && buffer2.length < READ_SIZE) {
        buffer2 = new Uint8Array(4 * buffer2.length);
      }
    }
  }
  /**
   * Writes at least one byte.
   *
   * @param bytes Bytes to write
   * @returns Number of bytes written
   * @throws As {@linkcode read}
   */
  async write(bytes2) {
    this.#watchdog.begin();
    try {
      this.#check();
      const n = await this.#stream.write(bytes2);
      this.#watchdog.touch();
      this.#bytesWritten += n;
      return n;
    } catch (error) {
      throw this.#reason(error);
    } finally {
      this.#watchdog.end();
    }
  }
  /**
   * Writes all bytes. Like {@linkcode write} in a loop, without an additional
   * promise for each write.
   *
   * @param bytes Bytes to write
   * @throws As {@linkcode read}
   */
  async writeAll(bytes2) {
    this.#watchdog.begin();
    try {
      let written = 0;
      do {
        this.#check();
        const n = await this.#stream.write(bytes2.subarray(written));
        this.#watchdog.touch();
        written += n;
        this.#bytesWritten += n;
      } while (written < bytes2.length);
    } catch (error) {
      throw this.#reason(error);
    } finally {
      this.#watchdog.end();
    }
  }
  /**
   * Waits until another writer has written bytes to the stream below.
   *
   * @param bytes Their number
   * @param writing Ends with the last one
   * @throws As {@linkcode read}
   */
  async written(bytes2, writing) {
    this.#watchdog.begin();
    try {
      await this.unlessFailed(writing);
      this.#bytesWritten += bytes2;
    } catch (error) {
      throw this.#reason(error);
    } finally {
      this.#watchdog.end();
    }
  }
  /**
   * Ends the writing side: the server sees the end of the data.
   *
   * @throws As {@linkcode read}
   */
  async closeWrite() {
    this.#watchdog.begin();
    try {
      this.#check();
      await this.#stream.closeWrite();
    } catch (error) {
      throw this.#reason(error);
    } finally {
      this.#watchdog.end();
    }
  }
  /** The data as a web stream. Its end closes the connection. */
  get readable() {
    return this.#readable ??= readableOf(this);
  }
  /**
   * The data as a web stream to write to. Closing it closes the connection.
   * Aborting it, as a pipe does if its source fails, aborts the transfer, and
   * `voidresp` rejects. The server may keep the bytes that it has received.
   */
  get writable() {
    return this.#writable ??= writableOf(this);
  }
  /**
   * Closes the connection. After an upload over TLS, the end of TLS takes a
   * moment; {@linkcode closed} waits for it.
   *
   * Before the end of a download over TLS, the server does not notice until
   * `abort`, `voidresp` or the end of the client, which send `ABOR` first.
   * ProFTPD ends the whole session if it cannot write to a protected data
   * connection, and Pure-FTPd stops answering.
   */
  close() {
    if (this.#isClosed) return;
    if (this.#options.holds && !this.#isEnded) return this.#hold();
    if (this.#bytesRead > 0 || this.#isEnded) return this.#release();
    this.#isClosed = true;
    this.#closing = this.#end().finally(() => this.#release());
  }
  /** Writes the rest, however long that takes, and closes the stream. */
  async #end() {
    const finishing = this.#stream.finish?.();
    if (finishing !== void 0) await this.#unlessStuck(finishing);
    if (this.#failure !== void 0) return;
    const timer = setTimeout(() => this.#release(), CLOSE_GRACE);
    await this.#endTLS().catch(() => {
    });
    clearTimeout(timer);
  }
  /**
   * Waits for the last bytes. If they do not arrive, the data is incomplete.
   */
  async #unlessStuck(finishing) {
    this.#watchdog.begin();
    try {
      await this.unlessFailed(finishing);
    } catch (error) {
      this.#isClosed = false;
      this.#failure = this.#reason(error);
      this.#isClosed = true;
    } finally {
      this.#watchdog.end();
    }
  }
  /** Ends the connection for its users only. */
  #hold() {
    this.#isHeld = true;
    this.interrupt(new Deno.errors.BadResource("The data connection is closed"));
    this.#stream.unref();
    const { ended } = this.#options;
    if (ended?.aborted) this.#onEnded();
    else if (ended !== void 0) onAbort(ended, this.#onEnded);
  }
  /**
   * Ends TLS. Under TLS 1.3 the server's last records are tickets for later
   * sessions.
   */
  async #endTLS() {
    await this.#stream.closeWrite();
    if (this.#stream.info?.protocol === "TLSv1.3") await drain(this.#stream);
  }
  /** Fulfilled when the connection is completely closed. */
  get closed() {
    return this.#closing ?? Promise.resolve();
  }
  /**
   * Waits for a promise, at most as long as the connection lasts. Several waits
   * may be open at once.
   *
   * @param promise The promise
   * @returns The promise's result
   * @throws The failure of the connection, if it comes first
   */
  async unlessFailed(promise) {
    const { promise: failed, reject } = Promise.withResolvers();
    if (this.#failure !== void 0) reject(this.#failure);
    this.#waits.add(reject);
    try {
      return await Promise.race([
        failed,
        promise
      ]);
    } finally {
      this.#waits.delete(reject);
    }
  }
  #endWaits() {
    for (const end of this.#waits) end(this.#failure);
  }
  /**
   * Ends the connection at once: pending and later calls reject.
   *
   * @param reason Their reason
   */
  fail(reason) {
    this.#failure ??= reason;
    this.#endWaits();
    this.#release();
  }
  /**
   * Ends the connection for its users. Later calls reject, and pending ones
   * when data moves. The server does not notice before {@linkcode fail}.
   *
   * @param reason Their reason
   */
  interrupt(reason) {
    this.#failure ??= reason;
    this.#isClosed = true;
    this.#endWaits();
  }
  /**
   * Aborts the transfer. The server is told before it sees the end of the data,
   * if it can be.
   *
   * @param reason Reason for pending and later calls
   */
  giveUp(reason) {
    const { onAbort: onAbort2 } = this.#options;
    if (onAbort2 === void 0 || this.#isClosed) this.fail(reason);
    else onAbort2(reason);
  }
  /** Closes the connection, and waits until it is completely closed. */
  async [Symbol.asyncDispose]() {
    this.close();
    await this.closed;
  }
  #onAbort = () => this.giveUp(this.#options.signal.reason);
  #onEnded = () => this.fail(this.#options.ended.reason);
  #check() {
    if (this.#failure !== void 0) throw this.#failure;
  }
  #release() {
    this.#isClosed = true;
    this.#isHeld = false;
    this.#watchdog.stop();
    offAbort(this.#options.signal, this.#onAbort);
    offAbort(this.#options.ended, this.#onEnded);
    closeQuietly(this.#stream);
  }
  /** Returns the error to throw for an error of the stream, and keeps it. */
  #reason(error) {
    if (this.#failure !== void 0 || this.#isClosed) {
      return this.#failure ?? error;
    }
    const { via } = this.#stream;
    const through = via === void 0 ? "" : ` through ${via}`;
    return this.#failure = connectionError(error, (message) => `Cannot complete "${this.#options.command()}": the data connection${through} failed after ${this.#bytesRead + this.#bytesWritten} bytes: ${message}`);
  }
};

// lib/transfer/open_transfer.ts
init_waiting();
init_printable();

// lib/transfer/abort.ts
init_waiting();

// lib/protocol/reply_kind.ts
function verbs(words) {
  return new Set(words.split(" "));
}
var TRANSFER = verbs("RETR STOR STOU APPE LIST NLST MLSD");
var OWNERS = /* @__PURE__ */ new Map([
  [
    125,
    TRANSFER
  ],
  [
    150,
    TRANSFER
  ],
  [
    211,
    verbs("STAT FEAT HELP SYST")
  ],
  [
    212,
    verbs("STAT")
  ],
  // of the known commands only: HASH, XCRC and others have it as well
  [
    213,
    verbs("SIZE MDTM STAT MFMT XCWD XCUP XPWD XMKD XRMD")
  ],
  [
    214,
    verbs("FEAT STAT")
  ],
  [
    215,
    verbs("SYST STAT")
  ],
  [
    227,
    verbs("PASV EPSV")
  ],
  [
    229,
    verbs("EPSV PASV")
  ],
  [
    257,
    verbs("PWD XPWD MKD XMKD")
  ]
]);
var KNOWN = verbs("NOOP TYPE MODE STRU CWD XCWD CDUP XCUP PWD XPWD MKD XMKD RMD XRMD DELE RNFR RNTO SIZE MDTM MFMT STAT FEAT SYST EPSV PASV EPRT PORT REST PBSZ PROT ABOR RETR STOR STOU APPE LIST NLST MLSD MLST");
var DIGITS_REGEXP = /^213 (\d+)\s*$/;
var TIME_REGEXP2 = /^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d$/;
var TIME_LENGTH = 14;
function mayAnswer(verb, reply) {
  const { code } = reply;
  const owners = OWNERS.get(code);
  if (owners === void 0 || !KNOWN.has(verb)) return true;
  if (!owners.has(verb)) return false;
  if (code !== 213) return true;
  const digits = DIGITS_REGEXP.exec(reply.text)?.[1];
  if (digits === void 0) return true;
  if (verb === "SIZE") return !TIME_REGEXP2.test(digits);
  if (verb === "MDTM") return digits.length >= TIME_LENGTH;
  return verb !== "STAT";
}

// lib/connection/pending_commands.ts
var STRAY_GRACE = 1e3;
var PIPELINE_START = 4;
var LazyPromise = class {
  #deferred;
  #settle;
  get promise() {
    if (this.#deferred === void 0) {
      this.#deferred = Promise.withResolvers();
      this.#deferred.promise.catch(() => {
      });
      this.#settle?.(this.#deferred);
    }
    return this.#deferred.promise;
  }
  resolve(value) {
    if (this.#deferred !== void 0) this.#deferred.resolve(value);
    else this.#settle ??= (deferred) => deferred.resolve(value);
  }
  reject(reason) {
    if (this.#deferred !== void 0) this.#deferred.reject(reason);
    else this.#settle ??= (deferred) => deferred.reject(reason);
  }
};
var PendingCommand = class {
  /** How its replies are matched. */
  kind;
  /** Whether reading stops after the final reply, before a TLS handshake. */
  pauses;
  /** Verb of the command, in upper case; `undefined` for the greeting. */
  verb;
  /** Bytes of the command that await their first reply. */
  size = 0;
  /** Whether the command contains a secret. */
  isSecret = false;
  /** Position among the commands that were pending at the same time. */
  position = 0;
  /**
   * Whether the command is one of the first of a pipeline, after another one.
   */
  isPipelined = false;
  /** Whether its final reply or its end was handled. */
  isAcknowledged = false;
  /** How the user can end it while it is open, for messages. */
  advice;
  /** The next pending command. */
  next;
  /** The unanswered `EPSV` that this `PASV` replaces. */
  replaces;
  /** The 1yz reply, once it came. */
  preliminary;
  #describe;
  #text;
  #first = new LazyPromise();
  #final = new LazyPromise();
  #isSettled = false;
  #stray;
  #strayTimer;
  /**
   * Creates an entry.
   *
   * @param describe Formats the command, printable and masked
   */
  constructor(describe2, kind, pauses) {
    this.#describe = describe2;
    this.kind = kind;
    this.pauses = pauses;
  }
  /** The command, printable and masked. */
  get command() {
    return this.#text ??= this.#describe();
  }
  /** The first reply: 1yz, or the final one. */
  get first() {
    return this.#first.promise;
  }
  /** The final reply: 2yz to 5yz. */
  get final() {
    return this.#final.promise;
  }
  /** Whether no further reply is expected. */
  get isSettled() {
    return this.#isSettled;
  }
  /**
   * Handles the next reply. Returns whether it settles the entry.
   *
   * @param onSettled Called if the entry settles later, without another reply
   */
  take(reply, onSettled) {
    if (this.kind === "fence" && !isSyntaxReply(reply)) return false;
    const isPreliminary = reply.code < 200;
    if (isPreliminary && this.kind === "greeting") return false;
    if (isPreliminary) {
      clearTimeout(this.#strayTimer);
      this.preliminary ??= reply;
      this.#first.resolve(reply);
      return false;
    }
    const isStray = this.kind === "transfer" && reply.code < 300 && this.preliminary === void 0 && this.#stray === void 0;
    if (isStray) {
      this.#stray = reply;
      this.#strayTimer = setTimeout(() => {
        if (this.preliminary !== void 0 || this.#isSettled) return;
        this.settle(reply);
        onSettled();
      }, STRAY_GRACE);
      return false;
    }
    this.settle(reply);
    return true;
  }
  /** Settles the entry with its final reply. */
  settle(reply) {
    if (this.#strayTimer !== void 0) clearTimeout(this.#strayTimer);
    this.#isSettled = true;
    this.#first.resolve(reply);
    this.#final.resolve(reply);
  }
  /** Rejects the entry. */
  fail(reason) {
    if (this.#strayTimer !== void 0) clearTimeout(this.#strayTimer);
    this.#isSettled = true;
    this.#first.reject(reason);
    this.#final.reject(reason);
  }
};
var PendingCommands = class {
  #head;
  #tail;
  #isProven = false;
  /** An `EPSV` without a reply, although the `PASV` after it has one. */
  #unanswered;
  /** The command that the next reply belongs to. */
  get head() {
    return this.#head;
  }
  /** Whether reading stops after the last pending reply. */
  get pauses() {
    return this.#tail?.pauses === true;
  }
  /** Whether a command that was sent together with another one had a reply. */
  get isProven() {
    return this.#isProven;
  }
  /**
   * Whether the next command was sent together with another one, and no such
   * command has had a reply on this connection.
   */
  get isUnproven() {
    const head = this.#head;
    if (this.#isProven || head === void 0 || head.preliminary) return false;
    return head.isPipelined || head.next?.isPipelined === true;
  }
  /** Adds a command at the end. */
  add(pending) {
    if (this.#tail === void 0) this.#head = pending;
    else {
      this.#tail.next = pending;
      pending.position = this.#tail.position + 1;
      pending.isPipelined = pending.position <= PIPELINE_START;
    }
    this.#tail = pending;
    return pending;
  }
  /** Adds the `PASV` that replaces an unanswered `EPSV`. */
  replace(pending, replaces) {
    if (replaces.isSettled) return this.add(pending);
    pending.replaces = replaces;
    pending.next = replaces.next;
    replaces.next = pending;
    if (this.#tail === replaces) this.#tail = pending;
    return pending;
  }
  /** Whether a reply cannot belong to the next command. */
  isMismatched(reply) {
    const head = this.#head;
    if (head?.verb === void 0 || this.#isLate(reply)) return false;
    const isPassed = head.kind === "passive" && head.verb === "EPSV";
    return !isPassed && !mayAnswer(head.verb, reply);
  }
  /** Whether a reply is the late one of an `EPSV`. */
  #isLate({ code }) {
    if (this.#unanswered === void 0) return false;
    if (this.#head === void 0) return code !== 421;
    return code === 229 && this.#head.verb !== "EPSV";
  }
  /** Removes the first entry. */
  shift() {
    const head = this.#head;
    this.#head = head?.next;
    if (head !== void 0) head.next = void 0;
    if (this.#head === void 0) this.#tail = void 0;
  }
  /**
   * Gives a reply to the command that it belongs to.
   *
   * @returns The command, or `undefined` if none is pending
   */
  deliver(reply) {
    if (this.#isLate(reply)) {
      const late = this.#unanswered;
      this.#unanswered = void 0;
      late.settle(reply);
      return late;
    }
    const pending = this.#head;
    if (pending === void 0) return void 0;
    if (pending.next?.replaces === pending && reply.code === 227) {
      this.#unanswered = pending;
      this.shift();
      return this.deliver(reply);
    }
    this.#isProven ||= pending.isPipelined;
    const alive = pending.next;
    if (alive?.kind === "alive" && isSyntaxReply(reply) && pending.preliminary) {
      pending.next = alive.next;
      if (this.#tail === alive) this.#tail = pending;
      alive.settle(reply);
      return alive;
    }
    if (pending.next?.kind === "fence" && reply.code === 200) {
      pending.settle(reply);
      this.shift();
      this.#head.settle(reply);
      this.shift();
    } else if (pending.take(reply, () => this.shift())) {
      this.shift();
    }
    return pending;
  }
  /** Rejects all entries. */
  fail(reason) {
    for (let pending = this.#head; pending !== void 0; pending = pending.next) {
      pending.fail(reason);
    }
    this.#head = this.#tail = void 0;
  }
};
function isSyntaxReply({ code }) {
  return code === 200 || code >= 500 && code < 510;
}

// lib/transfer/refusal.ts
var SESSION_REUSE_REGEXP = /\b(re-?use|resum|session|operation not permitted)/i;
var SESSION_REUSE_CODES = [
  425,
  450,
  522,
  521,
  534
];
function refusal(session, reply, command, cause) {
  const isAboutReuse = session.protection !== void 0 && SESSION_REUSE_CODES.includes(reply.code) && SESSION_REUSE_REGEXP.test(reply.text);
  const advice = isAboutReuse ? `the server requires that data connections resume the TLS session of the control connection: ${session.tls?.noteRefusal()}` : "";
  return replyError(reply, command, cause, advice);
}

// lib/transfer/verbs.ts
function isUpload({ verb }) {
  return verb !== void 0 && /^(STOR|STOU|APPE)\b/i.test(verb);
}

// lib/transfer/abort.ts
var ABORT_GRACE2 = 5e3;
var SHORT_GRACE = 1e3;
var FINAL_GRACE = 500;
var FENCE_GRACE = 1e3;
async function explain(session, pending, error) {
  const { timeout } = session.options;
  const grace = Math.min(ABORT_GRACE2, timeout || ABORT_GRACE2);
  const reply = await settle(pending.final, grace);
  if (reply === void 0) {
    if (!pending.isSettled) session.control.giveUp(asError(error));
    return error;
  }
  return reply.code >= 400 ? refusal(session, reply, pending.command, error) : error;
}
async function isRefusedUpload({ control }, pending) {
  if (!isUpload(pending) || !pending.isSettled) return false;
  if (control.failure !== void 0) return false;
  if ((await pending.final).code < 400) return false;
  const noop = control.send({
    verb: "NOOP"
  }, {
    during: pending
  });
  return (await settle(noop.first, FENCE_GRACE))?.code === 200;
}
async function abortOwed(session, pending, { closeData = () => {
}, needsReply = false } = {}) {
  if (pending.isSettled) {
    await closeData(false);
    return void 0;
  }
  try {
    const isShort = !needsReply && !isUpload(pending) && !session.profile.leavesNothing;
    if (!isShort) return await requestAbort(session, pending, closeData);
    session.control.send({
      verb: "ABOR"
    }, {
      during: pending
    });
    await closeData(false);
    await settle(pending.final, SHORT_GRACE);
    return void 0;
  } finally {
    session.doubt(pending.command);
  }
}
async function requestAbort({ control }, pending, closeData) {
  const abor = control.send({
    verb: "ABOR"
  }, {
    during: pending
  });
  await closeData(true);
  const late = () => new Deno.errors.TimedOut(`Cannot abort "${pending.command}": no reply within ${ABORT_GRACE2} ms; the connection is closed`);
  try {
    return await within(ABORT_GRACE2, void 0, late, async (signal) => {
      const final = await control.wait(pending.final, signal);
      const first = final.code >= 400 ? await settle(abor.first, FENCE_GRACE) : void 0;
      const isDoubtful2 = first === void 0 || first.code >= 400 && !isSyntaxReply(final);
      if (isDoubtful2) {
        const fence = control.send({
          verb: "NOOP"
        }, {
          kind: "fence",
          during: pending
        });
        const mark = await control.wait(fence.first, signal);
        if (await abor.first === mark) return final;
      }
      const reply = await control.wait(abor.first, signal);
      return reply.code >= 400 && final.code === 426 ? final : reply;
    });
  } catch (error) {
    control.giveUp(asError(error));
    return void 0;
  }
}
async function endHeld(session, pending, transfer) {
  const { data, command } = transfer;
  await settle(pending.final, FINAL_GRACE);
  const isOver = pending.isSettled;
  if (!isOver) await transfer.abort();
  data.fail(data.failure);
  if (isOver || session.isLost) return;
  throw new Deno.errors.Interrupted(`Cannot complete "${command}": its data connection was closed before the end of the data, after ${data.bytesRead} bytes`);
}
async function abortOpen(session, { isAsked = false } = {}) {
  const { control, transfer } = session;
  if (transfer !== void 0) return await transfer.abort({
    needsReply: true
  });
  const open2 = control.open ?? (isAsked ? control.due : void 0);
  if (open2 === void 0) return void 0;
  return await session.settle(async () => {
    const reply = await abortOwed(session, open2, {
      needsReply: true
    });
    control.acknowledge(open2);
    return reply;
  });
}

// lib/connection/dial.ts
init_byte_stream();
init_waiting();

// lib/protocol/address.ts
var SIX_NUMBERS_REGEXP = /(?<![\w.+-])(?<![\d,]\s{0,9},\s{0,9})\d{1,9}(?:\s{0,9},\s{0,9}\d{1,9}){5}(?!\w|\.\d|\s{0,9},\s{0,9}\d)/;
var EXTENDED_REGEXP = /\(([\x21-\x2F\x3A-\x7E])(\d{0,3})\1([\dA-Za-z:.%]{0,64}?)\1(\d{1,9})\1\)/;
var BRACKETED_PORT_REGEXP = /\(([\x21-\x27\x2A-\x2F\x3A-\x7E]?)\1{0,2}(\d{1,9})\1?(?:\)|$)/gm;
var BARE_PORT_REGEXP = /([!#-&*+/:;=@\\^|~])\1{1,2}(\d{1,9})(?!\d)\1?/g;
function parse227(reply) {
  const text = expectCode(reply, 227);
  const match = SIX_NUMBERS_REGEXP.exec(text.replace(/^227[ -]?/, ""));
  const numbers = match?.[0].split(",").map(Number);
  if (numbers === void 0 || numbers.some((number) => number > 255)) {
    throw unreadable(reply, "no address h1,h2,h3,h4,p1,p2 of bytes");
  }
  const [h1, h2, h3, h4, p1, p2] = numbers;
  const port = p1 * 256 + p2;
  if (port === 0) throw unreadable(reply, "its port is 0");
  return [
    `${h1}.${h2}.${h3}.${h4}`,
    port
  ];
}
function parse229(reply, peer) {
  const text = expectCode(reply, 229);
  const digits = EXTENDED_REGEXP.exec(text)?.[4] ?? onlyPort(text);
  if (digits === void 0) throw unreadable(reply, "no (|||port|)");
  const port = Number(digits);
  if (port < 1 || port > 65535) {
    throw unreadable(reply, "its port is not 1 to 65535");
  }
  return [
    peer[0],
    port
  ];
}
function onlyPort(text) {
  for (const regexp of [
    BRACKETED_PORT_REGEXP,
    BARE_PORT_REGEXP
  ]) {
    const found = new Set(text.matchAll(regexp).map((match) => match[2]));
    if (found.size > 0) return found.size === 1 ? [
      ...found
    ][0] : void 0;
  }
  return void 0;
}
function parsePassive(reply, peer) {
  return reply.code === 229 ? parse229(reply, peer) : parse227(reply);
}
function formatPort(host, port) {
  if (!isIPv4(host)) {
    throw new TypeError('Cannot send "PORT": "host" is not an IPv4 address; use EPRT');
  }
  checkPort("PORT", port);
  return `${host.replaceAll(".", ",")},${port >> 8},${port & 255}`;
}
function formatEprt(host, port) {
  const bare = host.replace(/%.*/s, "");
  const isAddress2 = isIPv4(bare) || /^[\dA-Fa-f.]*:[\dA-Fa-f.:]*$/.test(bare);
  if (!isAddress2) {
    throw new TypeError('Cannot send "EPRT": "host" is not an address');
  }
  checkPort("EPRT", port);
  return `|${isIPv6(bare) ? 2 : 1}|${bare}|${port}|`;
}
function isIPv4(host) {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) && host.split(".").every((byte) => Number(byte) <= 255);
}
function checkPort(verb, port) {
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return;
  throw new RangeError(`Cannot send "${verb}" for port ${port}: it must be an integer from 1 to 65535`);
}
function isIPv6(host) {
  return host.includes(":");
}
function isSameHost(a, b) {
  return canonicalHost(a) === canonicalHost(b);
}
function withoutMapping(host) {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1] ?? host;
}
function canonicalHost(host) {
  const bare = withoutMapping(host.toLowerCase().replace(/%.*/s, ""));
  if (!isIPv6(bare)) return bare;
  return URL.parse(`http://[${bare}]`)?.hostname ?? bare;
}
function addressBytes(host) {
  if (isIPv4(host)) return Uint8Array.from(host.split("."), Number);
  if (!isIPv6(host)) return void 0;
  const hostname = URL.parse(`http://[${host}]`)?.hostname;
  if (hostname === void 0) return void 0;
  const [head, tail] = hostname.slice(1, -1).split("::").map((part) => part.split(":").filter((group) => group !== ""));
  const groups = [
    ...head,
    ...tail === void 0 ? [] : [
      ...Array(8 - head.length - tail.length).fill("0"),
      ...tail
    ]
  ].map((group) => parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [
    group >> 8,
    group & 255
  ]));
}
function unreadable(reply, why) {
  return unreadableReply(reply, "the data address", why);
}

// lib/connection/dial.ts
async function dial(hostname, port, options) {
  const { timeout, signal } = options;
  const conn = await within(timeout, signal, () => new Deno.errors.TimedOut(`Cannot connect to "${showAddress(hostname, port)}": no answer within ${timeout} ms`), async (signal2) => {
    signal2.throwIfAborted = () => {
    };
    try {
      const conn2 = await Deno.connect({
        hostname,
        port,
        signal: signal2
      });
      if (signal2.aborted) {
        conn2.close();
        throw signal2.reason;
      }
      return conn2;
    } catch (error) {
      throw signal2.aborted ? error : connectionError(error, (message) => `Cannot connect to "${showAddress(hostname, port)}": ${message}`);
    }
  }, options);
  conn.setNoDelay(true);
  conn.setKeepAlive(true);
  return conn;
}
async function dialPeer(address, port, name, options, dialHost = dial) {
  const isNamed = name !== address && isAllowed(name, port) && !isAllowed(address, port);
  const stream = await dialHost(isNamed ? name : address, port, options).catch((error) => {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new Deno.errors.NotCapable(`${error.message}; a server chooses the ports of its data connections: allow the host without a port, --allow-net=${showHost(name)}`, {
      cause: error
    });
  });
  const { hostname } = stream.remoteAddr;
  if (!isNamed || isSameHost(hostname, address)) return stream;
  stream.close();
  throw new Deno.errors.NotCapable(`Cannot connect to "${showAddress(address, port)}": only the name "${name}" is allowed, and it led to "${hostname}"; allow the address too, --allow-net=${name},${showHost(address)}`);
}
function isAllowed(hostname, port) {
  const host = showAddress(hostname, port);
  return Deno.permissions.querySync({
    name: "net",
    host
  }).state === "granted";
}
function showAddress(hostname, port) {
  return `${showHost(hostname)}:${port}`;
}
function showHost(hostname) {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
var ServerListener = class _ServerListener {
  #listener;
  #options;
  constructor(listener, options) {
    this.#listener = listener;
    this.#options = options;
  }
  /**
   * Listens on a free port of a range: the first one, or the one after that of
   * the last transfer, to which the server may still connect. Requires
   * `allow-net` permission.
   *
   * @param hostname The local address
   * @param ports The range; 0 lets the system choose
   * @param options Peer, time-out and last port
   * @returns The listener
   * @throws {Deno.errors.AddrInUse} If no port of the range is free
   */
  static listen(hostname, ports, options) {
    const [first, last] = typeof ports === "number" ? [
      ports,
      ports
    ] : ports;
    let failure3 = new RangeError(`Cannot listen for data: the port range ${first} to ${last} is empty`);
    const size = last - first + 1;
    const { lastPort = last } = options;
    for (let step = 1; step <= size; step++) {
      const port = first + (Math.max(lastPort - first, 0) + step) % size;
      try {
        return new _ServerListener(Deno.listen({
          hostname,
          port
        }), options);
      } catch (error) {
        failure3 = error;
        if (!(error instanceof Deno.errors.AddrInUse)) break;
      }
    }
    throw failure3;
  }
  /** The local address and port. */
  get addr() {
    return this.#listener.addr;
  }
  /** Accepts the server's connection. Closes those from other addresses. */
  async accept(options = {}) {
    const { peer, timeout } = this.#options;
    return await within(timeout, options.signal, () => new Deno.errors.TimedOut(`Cannot open a data connection: "${peer}" did not connect to port ${this.addr.port} within ${timeout} ms`), async (signal) => {
      const close = () => this.close();
      signal.addEventListener("abort", close, {
        once: true
      });
      try {
        while (true) {
          const conn = await this.#listener.accept();
          if (isSameHost(conn.remoteAddr.hostname, peer)) {
            conn.setNoDelay(true);
            return conn;
          }
          conn.close();
        }
      } finally {
        signal.removeEventListener("abort", close);
      }
    });
  }
  close() {
    closeQuietly(this.#listener);
  }
};

// lib/connection/bound_dial.ts
init_node_module();

// lib/connection/node_stream.ts
var CLASSES2 = {
  EADDRINUSE: Deno.errors.AddrInUse,
  EADDRNOTAVAIL: Deno.errors.AddrNotAvailable,
  ECONNABORTED: Deno.errors.ConnectionAborted,
  ECONNREFUSED: Deno.errors.ConnectionRefused,
  ECONNRESET: Deno.errors.ConnectionReset,
  EHOSTUNREACH: Deno.errors.NetworkUnreachable,
  ENETUNREACH: Deno.errors.NetworkUnreachable,
  EPIPE: Deno.errors.BrokenPipe,
  ETIMEDOUT: Deno.errors.TimedOut
};
function errorOfNode(error) {
  const Class = CLASSES2[error.code ?? ""] ?? Error;
  return new Class(error.message);
}
var NodeStream = class {
  localAddr;
  remoteAddr;
  #socket;
  #change = Promise.withResolvers();
  #failure;
  #isEnded = false;
  #isClosed = false;
  /**
   * Takes over a socket with `allowHalfOpen`.
   *
   * @param socket The socket, connected
   */
  constructor(socket) {
    this.#socket = socket;
    const transport = "tcp";
    this.localAddr = {
      transport,
      hostname: socket.localAddress ?? "",
      port: socket.localPort ?? 0
    };
    this.remoteAddr = {
      transport,
      hostname: socket.remoteAddress ?? "",
      port: socket.remotePort ?? 0
    };
    socket.on("readable", () => this.#announce());
    socket.on("end", () => {
      this.#isEnded = true;
      this.#announce();
    });
    socket.on("error", (error) => {
      this.#failure ??= errorOfNode(error);
      this.#announce();
    });
    socket.on("close", () => {
      this.#failure ??= closedError();
      this.#announce();
    });
  }
  /**
   * Reads at least one byte.
   *
   * @param buffer Where to
   * @returns Bytes read, or `null` at the end
   */
  async read(buffer2) {
    while (true) {
      if (this.#isClosed) throw closedError();
      const size = Math.min(buffer2.length, this.#socket.readableLength);
      const chunk = this.#socket.read(size || void 0);
      if (chunk !== null) {
        buffer2.set(chunk);
        return chunk.length;
      }
      if (this.#isEnded) return null;
      if (this.#failure !== void 0) throw this.#failure;
      await this.#change.promise;
    }
  }
  /**
   * Writes all of `bytes`.
   *
   * @param bytes What
   * @returns Bytes written
   */
  async write(bytes2) {
    await this.#done((done) => this.#socket.write(bytes2, done));
    return bytes2.length;
  }
  /** Ends the writing side; the reading side stays open. */
  async closeWrite() {
    await this.#done((done) => this.#socket.end(done));
  }
  /** Closes both sides at once. Pending reads and writes reject. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    this.#announce();
  }
  /** Makes pending reads keep the event loop alive, the default. */
  ref() {
    this.#socket.ref();
  }
  /** Lets the program end while a read is pending. */
  unref() {
    this.#socket.unref();
  }
  #announce() {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
  async #done(begin2) {
    if (this.#isClosed) throw closedError();
    const { promise, resolve: resolve2, reject } = Promise.withResolvers();
    begin2((error) => {
      if (!error) resolve2();
      else if (this.#isClosed) reject(closedError());
      else reject(this.#failure ?? errorOfNode(error));
    });
    await promise;
  }
};
function closedError() {
  return new Deno.errors.BadResource("The connection is closed");
}

// lib/connection/bound_dial.ts
init_waiting();
var STEP = 250;
var FASTER = new Error("another address was faster");
async function dialFrom(localAddress, hostname, port, { timeout, signal }, resolve2 = nodeModule("node:dns/promises").lookup) {
  const tried = `Cannot connect to "${showAddress(hostname, port)}" from "${localAddress}"`;
  for (const host of [
    showAddress(localAddress, 0),
    showAddress(hostname, port)
  ]) {
    requireNet(tried, host);
  }
  const late = () => new Deno.errors.TimedOut(`${tried}: no answer within ${timeout} ms`);
  return await within(timeout, signal, late, async (signal2) => {
    const addresses = await resolveLike(localAddress, hostname, port, resolve2);
    const open2 = (address, signal3) => connectSocket(localAddress, address, port, signal3);
    const socket = await firstOf(addresses, signal2, open2).catch((error) => {
      throw signal2.aborted ? error : explain2(tried, error);
    });
    return new NodeStream(socket);
  });
}
async function resolveLike(localAddress, hostname, port, resolve2) {
  const { isIP: isIP3 } = nodeModule("node:net");
  if (isIP3(hostname) !== 0) return [
    hostname
  ];
  const family = familyOf(localAddress);
  const found = await resolve2(hostname, {
    family,
    all: true
  }).catch(() => []);
  const others = found.slice(1).map(({ address }) => address);
  return [
    hostname,
    ...others.filter((other) => isAllowed(other, port))
  ];
}
function familyOf(address) {
  return nodeModule("node:net").isIPv6(address) ? 6 : 4;
}
async function firstOf(addresses, signal, open2) {
  const others = new AbortController();
  const ended = anySignal(signal, others.signal);
  const attempts = [];
  const { promise: opened, resolve: resolve2 } = Promise.withResolvers();
  let first;
  for (const address of addresses) {
    const attempt = open2(address, ended);
    attempts.push(attempt);
    const isOpen = attempt.then((socket) => {
      if ((first ??= socket) !== socket) socket.destroy();
      resolve2(true);
      return true;
    }, () => false);
    if (attempts.length === addresses.length) break;
    const isDone2 = await settle(Promise.race([
      opened,
      isOpen
    ]), STEP);
    if (isDone2 === true || signal.aborted) break;
  }
  try {
    await Promise.any(attempts);
    return first;
  } catch {
    return await attempts[0];
  } finally {
    others.abort(FASTER);
  }
}
async function connectSocket(localAddress, host, port, signal) {
  const { connect: connect3 } = nodeModule("node:net");
  const { promise, resolve: resolve2, reject } = Promise.withResolvers();
  const socket = connect3({
    host,
    port,
    localAddress,
    family: familyOf(localAddress),
    autoSelectFamily: false,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true
  });
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  socket.on("error", reject);
  socket.once("connect", () => resolve2(socket));
  try {
    if (signal.aborted) abort();
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
function explain2(tried, error) {
  if (error.syscall === "bind" || error.code === "EADDRNOTAVAIL") {
    return new Deno.errors.AddrNotAvailable(`${tried}: ${error.message}; "localAddress" must be an address of this machine`);
  }
  if (error.code === "EINVAL" || error.code === "EAFNOSUPPORT") {
    return new Deno.errors.AddrNotAvailable(`${tried}: ${error.message}; the server cannot be reached from "localAddress": both must be IPv4 or both IPv6, and 127.0.0.1 reaches only this machine`);
  }
  return connectionError(errorOfNode(error), (message) => `${tried}: ${message}`);
}
function requireNet(tried, host) {
  const { state: state2 } = Deno.permissions.requestSync({
    name: "net",
    host
  });
  if (state2 === "granted") return;
  throw new Deno.errors.NotCapable(`${tried}: Requires net access to "${host}", run again with the --allow-net flag`);
}

// lib/connection/dial_function.ts
init_byte_stream();

// lib/connection/dialed_stream.ts
init_byte_stream();
var METHODS = [
  "read",
  "write",
  "closeWrite",
  "close"
];
var MAX_EMPTY = 1e3;
function lackOf(value) {
  if (typeof value !== "object" || value === null) {
    return `returned ${value === null ? "null" : `a value of type ${typeof value}`}`;
  }
  const conn = value;
  const missing = METHODS.find((name) => typeof conn[name] !== "function");
  return missing && `returned an object without the method "${missing}"`;
}
var DialedStream = class {
  via = 'the tunnel of "dial"';
  localAddr;
  remoteAddr;
  #conn;
  #pending = /* @__PURE__ */ new Set();
  #isClosed = false;
  /**
   * Wraps a connection.
   *
   * @param conn The connection
   * @param target Where it leads to
   */
  constructor(conn, { hostname, port }) {
    const transport = "tcp";
    this.#conn = conn;
    this.localAddr = conn.localAddr ?? {
      transport,
      hostname: "",
      port: 0
    };
    this.remoteAddr = conn.remoteAddr ?? {
      transport,
      hostname,
      port
    };
    conn.setNoDelay?.(true);
    conn.setKeepAlive?.(true);
  }
  /**
   * Reads at least one byte.
   *
   * @param buffer Buffer for the bytes
   * @returns Number of bytes, or `null` at the end
   */
  async read(buffer2) {
    for (let empty = 0; empty < MAX_EMPTY; empty++) {
      const n = await this.#untilClosed(() => this.#conn.read(buffer2));
      if (n === null) return null;
      checkCount("read", n, buffer2);
      if (n > 0) return n;
    }
    throw new TypeError(`Cannot use the connection of "dial": read() returned 0 bytes ${MAX_EMPTY} times; it must wait for a byte, or return null at the end`);
  }
  /**
   * Writes at least one byte.
   *
   * @param bytes Bytes to write
   * @returns Number of bytes written
   */
  async write(bytes2) {
    for (let empty = 0; empty < MAX_EMPTY; empty++) {
      const n = await this.#untilClosed(() => this.#conn.write(bytes2));
      checkCount("write", n, bytes2);
      if (n > 0 || bytes2.length === 0) return n;
    }
    throw new TypeError(`Cannot use the connection of "dial": write() wrote 0 bytes ${MAX_EMPTY} times; it must write a byte, or throw`);
  }
  /** Ends the writing side. */
  closeWrite() {
    return this.#untilClosed(() => this.#conn.closeWrite());
  }
  /** Closes both sides at once. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const reject of this.#pending) reject(closedError2());
    closeQuietly(this.#conn);
  }
  /** Makes pending reads keep the event loop alive. The default. */
  ref() {
    if (!this.#isClosed) this.#conn.ref?.();
  }
  /** Lets the program end while a read is pending. */
  unref() {
    if (!this.#isClosed) this.#conn.unref?.();
  }
  async #untilClosed(begin2) {
    if (this.#isClosed) throw closedError2();
    const { promise, resolve: resolve2, reject } = Promise.withResolvers();
    this.#pending.add(reject);
    try {
      begin2().then(resolve2, reject);
      return await promise;
    } finally {
      this.#pending.delete(reject);
    }
  }
};
function closedError2() {
  return new Deno.errors.BadResource("The connection is closed");
}
function checkCount(method, n, { length }) {
  if (Number.isInteger(n) && n >= 0 && n <= length) return;
  throw new TypeError(`Cannot use the connection of "dial": ${method}() returned ${typeof n === "number" ? n : `a value of type ${typeof n}`} for a buffer of ${length} bytes; it must return the number of bytes`);
}

// lib/connection/dial_function.ts
init_waiting();
async function dialByFunction(dial2, target, { timeout, signal }) {
  const shown = showAddress(target.hostname, target.port);
  const conn = await within(timeout, signal, () => new Deno.errors.TimedOut(`Cannot connect to "${shown}": the function "dial" returned no connection within ${timeout} ms`), async (signal2) => {
    const call = async () => await dial2({
      ...target,
      signal: signal2
    });
    const dialing = call();
    try {
      return await abortable(dialing, signal2);
    } catch (error) {
      if (signal2.aborted) dialing.then(discard, () => {
      });
      throw signal2.aborted ? error : withMessage(error, (message) => `Cannot connect to "${shown}": the function "dial" failed: ${message}`);
    }
  });
  const lack = lackOf(conn);
  if (lack === void 0) return new DialedStream(conn, target);
  throw new TypeError(`Cannot connect to "${shown}": the function "dial" ${lack}; it must return a connection like that of Deno.connect()`);
}
function discard(conn) {
  if (lackOf(conn) === void 0) closeQuietly(conn);
}

// lib/connection/route.ts
init_node_module();

// lib/connection/http_connect.ts
init_bytes();

// lib/protocol/redaction.ts
var MAX_SECRETS = 16;
var LEAST_PART = 4;
var LEAST_WORD = 2;
var Secrets = class {
  #secrets = /* @__PURE__ */ new Set();
  #regexp;
  /** Remembers the secrets of a command. Returns whether it has any. */
  note(command) {
    const secrets = secretsOf(command);
    for (const secret of secrets) {
      this.#secrets.delete(secret);
      this.#secrets.add(secret);
      const [oldest] = this.#secrets;
      if (this.#secrets.size > MAX_SECRETS) this.#secrets.delete(oldest);
      this.#regexp = void 0;
    }
    return secrets.length > 0;
  }
  /** Masks the secrets in a server's text. */
  mask(text) {
    if (this.#secrets.size === 0) return maskURLs(text);
    this.#regexp ??= makeRegExp(this.#secrets);
    return maskURLs(text).replace(this.#regexp, "****");
  }
};
function makeRegExp(secrets) {
  const patterns = [
    ...secrets
  ].sort((a, b) => b.length - a.length).flatMap(patternsOf);
  return new RegExp(patterns.join("|") || "(?!)", "giu");
}
function patternsOf(secret) {
  if (secret.length < LEAST_WORD) return [];
  const inURL = secret.isWellFormed() ? encodeURIComponent(secret) : secret;
  return [
    .../* @__PURE__ */ new Set([
      inURL,
      secret
    ])
  ].map((text) => {
    const pattern = RegExp.escape(text);
    return secret.length < LEAST_PART ? `(?<![\\p{L}\\p{N}_])${pattern}(?![\\p{L}\\p{N}_])` : pattern;
  });
}

// lib/connection/proxy_address.ts
var DEFAULT_PORTS = {
  socks5: 1080,
  http: 80
};
var MAX_CREDENTIAL = 255;
var ENCODER = new TextEncoder();
var ProxyAddress = class {
  /** Protocol of the proxy. */
  protocol;
  /** A name or an address, IPv6 without brackets. */
  hostname;
  /** Its TCP port. */
  port;
  #credentials;
  /**
   * Reads the URL.
   *
   * @param url Option of the user: "socks5:" or "http:", with or without user
   * and password
   * @throws {TypeError} If the URL is not usable. The message does not contain
   * it, because it may have a password
   */
  constructor(url) {
    const text = String(url).trim();
    const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
    if (scheme === void 0) {
      throw refusal2("it must be a URL with the scheme socks5:// or http://");
    }
    const protocol = scheme === "socks5h" ? "socks5" : scheme;
    if (protocol !== "socks5" && protocol !== "http") {
      throw refusal2(`the scheme "${scheme}" is not supported; use socks5: or http:, or open the connections yourself with "dial"`);
    }
    const rest = text.slice(scheme.length);
    const parsed = URL.parse(`http${rest}`);
    const other = URL.parse(`https${rest}`);
    if (parsed === null || other === null) {
      throw refusal2("the URL cannot be read; escape special characters of user and password, such as %40 for @");
    }
    if (!/^\/?$/.test(parsed.pathname + parsed.search + parsed.hash)) {
      throw refusal2("the URL must end after the host and the port; escape special characters of user and password, such as %2F for /");
    }
    this.protocol = protocol;
    this.hostname = parsed.hostname.replace(/^\[(.*)\]$/, "$1");
    this.port = Number(parsed.port || other.port || DEFAULT_PORTS[protocol]);
    if (this.port === 0) throw refusal2("the port must be 1 to 65535");
    this.#credentials = readCredentials(protocol, parsed);
  }
  /** User and password; `undefined` if the URL has none. */
  get credentials() {
    return this.#credentials;
  }
  /** The proxy in messages, without user and password. */
  get shown() {
    const { hostname, port } = this;
    return `the proxy "${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}"`;
  }
  /** Masks user and password in the proxy's text. */
  mask(text) {
    const { credentials } = this;
    if (credentials === void 0) return text;
    const secrets = new Secrets();
    for (const secret of [
      credentials.password,
      basicToken(credentials)
    ]) {
      secrets.note({
        verb: "PASS",
        argument: secret
      });
    }
    return secrets.mask(text);
  }
};
function basicToken({ user, password }) {
  const bytes2 = ENCODER.encode(`${user}:${password}`);
  return btoa(String.fromCharCode(...bytes2));
}
function readCredentials(protocol, url) {
  if (url.username === "" && url.password === "") return void 0;
  const user = decode(url.username);
  const password = decode(url.password);
  if (protocol === "http") {
    if (!user.includes(":")) return {
      user,
      password
    };
    throw refusal2("the user of an HTTP proxy cannot have a colon");
  }
  for (const [name, value] of Object.entries({
    user,
    password
  })) {
    const { length } = ENCODER.encode(value);
    if (length >= 1 && length <= MAX_CREDENTIAL) continue;
    throw refusal2(`the ${name} of a SOCKS5 proxy must have 1 to ${MAX_CREDENTIAL} bytes, and it has ${length}`);
  }
  return {
    user,
    password
  };
}
function decode(text) {
  let decoded;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw refusal2("the user or the password has a % without an escape; write %25");
  }
  if (!/[\x00-\x1F\x7F]/.test(decoded)) return decoded;
  throw refusal2("the user or the password has a control character");
}
function refusal2(why) {
  return new TypeError(`Cannot use "proxy": ${why}`);
}

// lib/connection/http_connect.ts
init_printable();
var MAX_HEAD = 16 * 1024;
var MAX_REASON = 80;
var MAX_SCHEMES = 5;
var LF6 = 10;
var CR3 = 13;
var STATUS_REGEXP = /^HTTP\/1\.\d ([1-5]\d\d)(?: +(.*))?$/;
async function connectByHTTP(dialog) {
  const { credentials } = dialog.proxy;
  const address = showAddress(dialog.target.hostname, dialog.target.port);
  const lines = [
    `CONNECT ${address} HTTP/1.1`,
    `Host: ${address}`
  ];
  if (credentials !== void 0) {
    lines.push(`Proxy-Authorization: Basic ${basicToken(credentials)}`);
  }
  await dialog.send(new TextEncoder().encode(`${lines.join("\r\n")}\r
\r
`));
  const { head, rest } = await readHead(dialog);
  const [, digits, reason = ""] = STATUS_REGEXP.exec(head.split(/\r?\n/)[0]) ?? [];
  if (digits === void 0) {
    throw dialog.error(Deno.errors.InvalidData, `this is not an HTTP proxy; check the scheme and the port in "proxy"`);
  }
  if (digits.startsWith("2")) return rest;
  const told = dialog.proxy.mask(reason).slice(0, MAX_REASON);
  const shown = printableLine(`${digits} ${told}`);
  checkSchemes(dialog, head, shown);
  throw failure(dialog, Number(digits), shown);
}
async function readHead(dialog) {
  let bytes2 = new Uint8Array(0);
  let seen = 0;
  for (let total = 0; total < MAX_HEAD; ) {
    const more = await dialog.readSome();
    total += more.length;
    bytes2 = joinBytes([
      bytes2,
      more
    ]);
    for (let end; (end = endOfHead(bytes2, seen)) !== void 0; seen = 0) {
      const head = new TextDecoder("latin1").decode(bytes2.subarray(0, end));
      bytes2 = bytes2.slice(end);
      if (!/^HTTP\/1\.\d 1\d\d\b/.test(head)) return {
        head,
        rest: bytes2
      };
    }
    seen = Math.max(0, bytes2.length - 3);
  }
  throw dialog.error(Deno.errors.InvalidData, `the proxy's response does not end within ${MAX_HEAD} bytes; it may not be an HTTP proxy: check the scheme and the port in "proxy"`);
}
function endOfHead(bytes2, from) {
  for (let i = bytes2.indexOf(LF6, from); i >= 0; i = bytes2.indexOf(LF6, i + 1)) {
    const next = bytes2[i + 1] === CR3 ? i + 2 : i + 1;
    if (bytes2[next] === LF6) return next + 1;
  }
  return void 0;
}
function checkSchemes(dialog, head, told) {
  const matches = dialog.proxy.mask(head).matchAll(/^proxy-authenticate:[ \t]*([\w-]{1,20})/gim);
  const schemes = [
    ...matches
  ].map(([, scheme]) => scheme);
  const isBasic = schemes.some((scheme) => /^basic$/i.test(scheme));
  if (schemes.length === 0 || isBasic) return;
  throw dialog.error(Deno.errors.NotSupported, `the proxy requires the authorization ${schemes.slice(0, MAX_SCHEMES).join(" or ")} (${told}), and only Basic is supported; open the connections yourself with "dial"`);
}
function failure(dialog, code, told) {
  const { credentials } = dialog.proxy;
  if (code === 407 || code === 401) {
    return dialog.error(Deno.errors.PermissionDenied, credentials === void 0 ? `the proxy requires a user and a password (${told}); add them to "proxy": http://user:password@host` : `the proxy refused the user or the password (${told}); check those in "proxy"`);
  }
  if (code >= 500) {
    const Class = code === 504 ? Deno.errors.TimedOut : Deno.errors.ConnectionAborted;
    return dialog.error(Class, `the proxy could not reach the server (${told}); check the server's name, which the proxy resolves, and the port`);
  }
  return dialog.error(Deno.errors.PermissionDenied, `the proxy does not allow the connection (${told}); ${dialog.advice}`);
}

// lib/connection/proxy.ts
init_prefixed_stream();

// lib/connection/proxy_dialog.ts
init_byte_stream();
var READ_SIZE2 = 1024;
var ProxyDialog = class {
  /** The proxy. */
  proxy;
  /** The server. */
  target;
  #stream;
  /** Starts an exchange. */
  constructor(stream, proxy, target) {
    this.#stream = stream;
    this.proxy = proxy;
    this.target = target;
  }
  /** Sends bytes to the proxy. */
  async send(bytes2) {
    await this.#toProxy(writeAll(this.#stream, bytes2));
  }
  /**
   * Reads a number of bytes of the proxy's answer, and none after it.
   *
   * @throws {Deno.errors.UnexpectedEof} If the proxy closes the connection
   * first
   */
  async read(length) {
    const bytes2 = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      const n = await this.#toProxy(this.#stream.read(bytes2.subarray(filled)));
      if (n === null) throw this.#ended();
      filled += n;
    }
    return bytes2;
  }
  /**
   * Reads available bytes of the proxy's answer, and of what follows it.
   *
   * @throws {Deno.errors.UnexpectedEof} If the proxy closes the connection
   * first
   */
  async readSome() {
    const bytes2 = new Uint8Array(READ_SIZE2);
    const n = await this.#toProxy(this.#stream.read(bytes2));
    if (n === null) throw this.#ended();
    return bytes2.subarray(0, n);
  }
  /** Creates an error that names server and proxy. */
  error(Class, why) {
    return new Class(`${this.#tried}: ${why}`);
  }
  /** Advice for a proxy that does not allow a connection. */
  get advice() {
    const { transport, port } = this.target;
    return transport === "control" ? `the proxy must allow port ${port} of the server` : `the server chose port ${port} for this data connection: the proxy must allow the server's passive ports`;
  }
  get #tried() {
    return triedThrough(this.proxy, this.target);
  }
  #ended() {
    return this.error(Deno.errors.UnexpectedEof, 'the proxy closed the connection before it answered; if it always does, check the scheme and the port in "proxy"');
  }
  async #toProxy(work) {
    try {
      return await work;
    } catch (error) {
      throw connectionError(error, (message) => `${this.#tried}: the connection to the proxy failed: ${message}`);
    }
  }
};
function triedThrough(proxy, { hostname, port }) {
  const shown = showAddress(hostname, port);
  return `Cannot connect to "${shown}" through ${proxy.shown}`;
}

// lib/connection/socks5.ts
var VERSION2 = 5;
var AUTH_VERSION = 1;
var METHOD_NONE = 0;
var METHOD_PASSWORD = 2;
var COMMAND_CONNECT = 1;
var TYPE_IPV4 = 1;
var TYPE_NAME = 3;
var TYPE_IPV6 = 4;
var MAX_NAME2 = 255;
var LETTER_H = 72;
var ENCODER2 = new TextEncoder();
var FAILURES = {
  1: [
    "ConnectionAborted",
    "the proxy could not connect (general failure); it may not know the name, or the server may not answer"
  ],
  3: [
    "NetworkUnreachable",
    "the proxy found no route to the server's network"
  ],
  4: [
    "NetworkUnreachable",
    "the proxy could not reach the host; check the server's name, which the proxy resolves"
  ],
  5: [
    "ConnectionRefused",
    "the server refused the proxy's connection; check the port"
  ],
  6: [
    "TimedOut",
    "the proxy got no answer from the server (TTL expired)"
  ],
  7: [
    "NotSupported",
    "the proxy does not support CONNECT"
  ],
  8: [
    "NotSupported",
    "the proxy does not support this kind of address; use a name, or an address of the other family"
  ]
};
async function connectBySocks5(dialog) {
  const { credentials } = dialog.proxy;
  const request = makeRequest(dialog);
  const methods = credentials === void 0 ? [
    METHOD_NONE
  ] : [
    METHOD_NONE,
    METHOD_PASSWORD
  ];
  await dialog.send(Uint8Array.of(VERSION2, methods.length, ...methods));
  const [version, method] = await dialog.read(2);
  checkVersion(dialog, version);
  if (method === METHOD_PASSWORD && credentials !== void 0) {
    await authenticate(dialog);
  } else if (method !== METHOD_NONE) {
    throw dialog.error(Deno.errors.PermissionDenied, credentials === void 0 ? 'the proxy requires a user and a password; add them to "proxy": socks5://user:password@host' : 'the proxy requires another kind of authentication; open the connections yourself with "dial"');
  }
  await dialog.send(request);
  const [replyVersion, code, , type] = await dialog.read(4);
  checkVersion(dialog, replyVersion);
  if (code !== 0) throw failure2(dialog, code);
  const length = type === TYPE_IPV4 ? 4 : type === TYPE_IPV6 ? 16 : type === TYPE_NAME ? (await dialog.read(1))[0] : void 0;
  if (length === void 0) throw unreadable2(dialog, "its reply is invalid");
  await dialog.read(length + 2);
}
async function authenticate(dialog) {
  const { user, password } = dialog.proxy.credentials;
  const fields = [
    user,
    password
  ].map((text) => ENCODER2.encode(text));
  const parts = fields.flatMap((bytes2) => [
    bytes2.length,
    ...bytes2
  ]);
  await dialog.send(Uint8Array.of(AUTH_VERSION, ...parts));
  const [, status] = await dialog.read(2);
  if (status === 0) return;
  throw dialog.error(Deno.errors.PermissionDenied, 'the proxy refused the user or the password; check those in "proxy"');
}
function makeRequest(dialog) {
  const { hostname, port } = dialog.target;
  const address = addressBytes(hostname);
  const name = ENCODER2.encode(hostname);
  if (address === void 0 && name.length > MAX_NAME2) {
    throw dialog.error(TypeError, `the name has ${name.length} bytes, and SOCKS5 allows ${MAX_NAME2}`);
  }
  const host = address === void 0 ? [
    TYPE_NAME,
    name.length,
    ...name
  ] : [
    address.length === 4 ? TYPE_IPV4 : TYPE_IPV6,
    ...address
  ];
  return Uint8Array.of(VERSION2, COMMAND_CONNECT, 0, ...host, port >> 8, port & 255);
}
function checkVersion(dialog, version) {
  if (version === VERSION2) return;
  throw unreadable2(dialog, version === LETTER_H ? "it may be an HTTP proxy, http://" : `it uses version ${version}`);
}
function unreadable2(dialog, why) {
  return dialog.error(Deno.errors.InvalidData, `this is not a SOCKS5 proxy: ${why}; check the scheme and the port in "proxy"`);
}
function failure2(dialog, code) {
  if (code === 2) {
    return dialog.error(Deno.errors.PermissionDenied, `the rules of the proxy do not allow the connection; ${dialog.advice}`);
  }
  const [name, why] = FAILURES[code] ?? [
    "ConnectionAborted",
    `the proxy could not connect (code ${code})`
  ];
  return dialog.error(Deno.errors[name], why);
}

// lib/connection/proxy.ts
init_waiting();
var DIALED_REGEXP = /^Cannot connect to "[^"]*"(?:: )?/;
async function dialThrough(proxy, target, options, dialHost = dial) {
  const { timeout, signal } = options;
  const tried = triedThrough(proxy, target);
  if (target.hostname.includes("%")) {
    throw new TypeError(`${tried}: the address has a zone, which a proxy cannot use`);
  }
  const stream = await dialHost(proxy.hostname, proxy.port, options).catch((error) => {
    throw signal?.aborted ? error : connectionError(error, (message) => `${tried}: the proxy cannot be reached: ${message.replace(DIALED_REGEXP, "")}; check the host and the port in "proxy"`);
  });
  const dialog = new ProxyDialog(stream, proxy, target);
  try {
    const first = await within(timeout, signal, () => new Deno.errors.TimedOut(`${tried}: the proxy did not answer within ${timeout} ms; if it never does, check the scheme and the port in "proxy"`), (signal2) => abortable(runDialog(dialog), signal2));
    const before = first.length > 0 ? Promise.resolve(first) : void 0;
    return new PrefixedStream(stream, before, proxy.shown);
  } catch (error) {
    stream.close();
    throw error;
  }
}
async function runDialog(dialog) {
  if (dialog.proxy.protocol === "http") return await connectByHTTP(dialog);
  await connectBySocks5(dialog);
  return new Uint8Array(0);
}

// lib/connection/route.ts
init_waiting();
function makeRoute({ dial: dial2, proxy, localAddress }) {
  if (localAddress !== void 0) checkLocalAddress(localAddress);
  if (dial2 !== void 0) {
    const others = Object.entries({
      proxy,
      localAddress
    });
    const other = others.find(([, value]) => value !== void 0)?.[0];
    if (other !== void 0) throw contradiction(other);
    const open2 = (target, options) => dialByFunction(dial2, target, options);
    return indirectRoute("dial", open2);
  }
  const dialHost = dialerFrom(localAddress);
  if (proxy === void 0) return directRoute(dialHost);
  const address = new ProxyAddress(proxy);
  return indirectRoute("proxy", (target, options) => dialThrough(address, target, options, dialHost));
}
function contradiction(other) {
  return new TypeError(`Cannot use "dial" together with "${other}": "dial" opens the connections, and has to replace "${other}"`);
}
function checkLocalAddress(address) {
  if (nodeModule("node:net").isIP(address) !== 0) return;
  throw new TypeError('Cannot use "localAddress": it must be an IPv4 or IPv6 address of this machine, such as "192.0.2.1"');
}
function dialerFrom(localAddress) {
  const isAny = localAddress === void 0 || [
    "0.0.0.0",
    "::"
  ].some((any) => isSameHost(any, localAddress));
  if (isAny) return dial;
  return (hostname, port, options) => joined(options, (options2) => dialFrom(localAddress, hostname, port, options2));
}
function joined({ ended, ...options }, open2) {
  const { signal = ended } = options;
  return signal === void 0 || ended === void 0 || signal === ended ? open2({
    ...options,
    signal
  }) : withEither(ended, signal, (signal2) => open2({
    ...options,
    signal: signal2
  }));
}
function checkActive({ via }) {
  if (via === void 0) return;
  throw new TypeError(`Cannot use active mode with "${via}": the server cannot connect to this machine through it; use passive mode ("passive": true)`);
}
function directRoute(dialHost) {
  return {
    via: void 0,
    async dialServer(host, port, options) {
      const stream = await dialHost(host, port, options);
      const { hostname, port: remotePort } = stream.remoteAddr;
      return {
        stream,
        peer: [
          hostname,
          remotePort
        ]
      };
    },
    dialData(host, port, name, options) {
      return dialPeer(host, port, name, options, dialHost);
    }
  };
}
function indirectRoute(name, open2) {
  return {
    via: name,
    async dialServer(hostname, port, options) {
      const target = {
        hostname,
        port,
        transport: "control"
      };
      return {
        stream: await open2(target, options),
        peer: [
          hostname,
          port
        ]
      };
    },
    dialData(hostname, port, _name, options) {
      const target = {
        hostname,
        port,
        transport: "data"
      };
      return joined(options, (options2) => open2(target, options2));
    }
  };
}

// lib/transfer/passive.ts
init_bytes();

// lib/connection/control_errors.ts
init_printable();
var ONE_AT_A_TIME = ", which some servers and firewalls cannot handle: the next connection of this client sends one at a time, as all do with { pipelining: false }";
var ADVICE = {
  transfer: "await its end first",
  command: "await voidresp() first"
};
function notConnectedError(command, failure3) {
  return new Deno.errors.NotConnected(`Cannot send "${command}": the connection is closed: ${failure3.message}`, {
    cause: failure3
  });
}
function noReplyError(failure3) {
  return new Deno.errors.NotConnected(`Cannot wait for a reply: the connection is closed: ${failure3.message}`, {
    cause: failure3
  });
}
function busyError(command, open2) {
  return new Deno.errors.Busy(`Cannot send "${command}": the transfer "${open2.command}" is open; ${open2.advice ?? ADVICE[open2.kind]}`);
}
function injectionError() {
  return new FTPProtocolError(`Cannot change the protection of the control connection: bytes came in clear text behind the reply that agreed to it; the connection is closed`);
}
function unexpectedReplyError(reply) {
  return new FTPProtocolError(`Received a reply that no command is waiting for, "${printable(reply.text)}": replies no longer match their commands, so the connection is closed`);
}
function wrongReplyError(pending, reply) {
  return new FTPProtocolError(`Cannot complete "${pending.command}": "${printable(reply.text)}" is a reply to another command; replies no longer match their commands, so the connection is closed`);
}
function closedByReplyError(reply) {
  return new Deno.errors.ConnectionReset(`The server closed the connection: ${printable(reply.text)}`);
}
function endedError(pending, isCut, isSuspect, via) {
  const tried = pending === void 0 ? "Cannot keep the connection" : failedAction(pending.command);
  const where = isCut ? " in the middle of a reply" : "";
  const hint = isSuspect ? `; it was sent together with another command${ONE_AT_A_TIME}` : "";
  return new Deno.errors.UnexpectedEof(`${tried}: the server${via === void 0 ? "" : `, or ${via},`} closed the connection${where}${hint}`);
}
function timeoutError(pending, what, line, via) {
  const tried = pending === void 0 ? "Cannot write to the control connection" : failedAction(pending.command);
  if (pending?.kind === "greeting" && line === void 0) {
    const through = throughOf(via);
    return new Deno.errors.TimedOut(`${tried}: ${what}${through}; the connection was accepted, but no greeting came`);
  }
  const hint = line !== void 0 ? `; "${printable(line)}" may have been meant to end the reply: try { multiline: "lenient" }` : pending?.verb === "EPSV" ? '; a firewall may drop it: use { passive: "pasv" }' : pending?.isPipelined ? `; it was sent before the command ahead of it was answered${ONE_AT_A_TIME}` : "";
  return new Deno.errors.TimedOut(`${tried}: ${what}${throughOf(via)}; the connection is closed${hint}`);
}
function brokenError(pending, error, via) {
  return connectionError(error, (message) => `${pending === void 0 ? "Cannot complete a command" : failedAction(pending.command)}: the connection${throughOf(via)} failed: ${message}`);
}
function throughOf(via) {
  return via === void 0 ? "" : ` through ${via}`;
}

// lib/transfer/passive.ts
init_waiting();

// lib/transfer/session.ts
init_waiting();

// lib/transfer/reply_limit.ts
var TICKS2 = 4;
var ReplyLimit = class {
  /** The limit in milliseconds. */
  limit;
  #waits = /* @__PURE__ */ new Set();
  #timer;
  /**
   * Creates a limit without a wait.
   *
   * @param ended Fulfilled when the connection has ended
   */
  constructor(limit, ended) {
    this.limit = limit;
    ended.then(() => this.#stop());
  }
  /**
   * Waits for a promise until the limit is reached.
   *
   * @param isDue Whether the limit counts; before, another reply is due
   * @param run Waits for a promise that is `undefined` at the limit
   */
  async wait(promise, isDue, run2) {
    const { promise: late, resolve: resolve2 } = Promise.withResolvers();
    const wait = {
      isDue,
      expire: () => resolve2(void 0),
      ticks: 0
    };
    this.#waits.add(wait);
    this.#keepTicking();
    try {
      return await run2(Promise.race([
        promise,
        late
      ]));
    } finally {
      this.#waits.delete(wait);
      const isIdle = this.#waits.size === 0 && this.#timer !== void 0;
      if (isIdle) Deno.unrefTimer(this.#timer);
    }
  }
  #keepTicking() {
    if (this.#timer !== void 0) Deno.refTimer(this.#timer);
    else this.#timer = setInterval(() => this.#tick(), this.limit / TICKS2);
  }
  #tick() {
    if (this.#waits.size === 0) return this.#stop();
    for (const wait of this.#waits) {
      wait.ticks = wait.isDue() ? wait.ticks + 1 : 0;
      if (wait.ticks > TICKS2) wait.expire();
    }
  }
  #stop() {
    clearInterval(this.#timer);
    this.#timer = void 0;
  }
};

// lib/transfer/session_lock.ts
init_waiting();
init_check_names();
var SessionLock = class {
  #queue = [];
  #gate;
  #running = 0;
  #isAlone = false;
  /**
   * Creates an empty queue.
   *
   * @param gate A further wait of each call, when its turn has come
   */
  constructor(gate) {
    this.#gate = gate;
  }
  /** The note of the call that starts next. */
  get upcoming() {
    return this.#queue[0]?.note;
  }
  /**
   * Runs a call together with others. It starts at once unless an exclusive
   * call runs or waits.
   */
  shared(run2, options) {
    return this.#take(false, run2, options);
  }
  /** Runs a call after all earlier ones, and before all later ones. */
  exclusive(run2, options) {
    return this.#take(true, run2, options);
  }
  async #take(isAlone, run2, { signal, note } = {}) {
    checkSignal(signal);
    if (!this.#mayStart(isAlone)) {
      await this.#queueUp(isAlone, signal, note);
    } else {
      this.#started(isAlone);
    }
    try {
      const wait = this.#gate?.(signal);
      if (wait !== void 0) await wait;
      return await run2();
    } finally {
      this.#end();
    }
  }
  async #queueUp(isAlone, signal, note) {
    const { promise, resolve: resolve2 } = Promise.withResolvers();
    const waiting = {
      isAlone,
      note,
      start: resolve2
    };
    this.#queue.push(waiting);
    try {
      await abortable(promise, signal);
    } catch (error) {
      const index = this.#queue.indexOf(waiting);
      if (index < 0) {
        this.#end();
      } else {
        this.#queue.splice(index, 1);
        this.#startWaiting();
      }
      throw error;
    }
  }
  #end() {
    this.#running--;
    this.#isAlone = false;
    this.#startWaiting();
  }
  #mayStart(isAlone) {
    return this.#queue.length === 0 && !this.#isAlone && (!isAlone || this.#running === 0);
  }
  #started(isAlone) {
    this.#running++;
    this.#isAlone = isAlone;
  }
  #startWaiting() {
    while (this.#queue.length > 0) {
      const { isAlone, start } = this.#queue[0];
      if (this.#isAlone || isAlone && this.#running > 0) return;
      this.#queue.shift();
      this.#started(isAlone);
      start();
    }
  }
};

// lib/transfer/turn.ts
var Turn = class {
  /** The session. */
  session;
  #sender;
  /** Created by the session only: nothing else can send commands. */
  constructor(session, sender) {
    this.session = session;
    this.#sender = sender;
  }
  /**
   * Sends a command, and waits for its first reply.
   *
   * @throws {FTPTemporaryError} For 4yz
   * @throws {FTPPermanentError} For 5yz
   */
  exchange(command, options) {
    return this.#sender.exchange(command, options);
  }
  /**
   * Sends a command that must be answered with 2yz.
   *
   * @throws {FTPReplyError} For 1yz and 3yz
   */
  perform(command, options) {
    return this.#sender.perform(command, options);
  }
  /**
   * Sets the representation type, if the server has another (RFC 959 section
   * 3.1.1).
   */
  async ensureType(type, options) {
    const { state: state2, profile } = this.session;
    if (state2.type === type) return;
    const argument = type === "I" ? binaryOf(profile) : type;
    try {
      await this.perform({
        verb: "TYPE",
        argument
      }, options);
    } catch (error) {
      const isRefused = argument === BYTES && error instanceof FTPPermanentError;
      if (!isRefused) throw error;
      profile.noteRefusal(`TYPE ${BYTES}`, `TYPE ${type}`);
      await this.perform({
        verb: "TYPE",
        argument: type
      }, options);
    }
  }
};
var BYTES = "L 8";
function binaryOf(profile) {
  const type = [
    "I",
    BYTES
  ].find((type2) => !profile.hungUpAt(`TYPE ${type2}`));
  if (type !== void 0) return type;
  throw new Deno.errors.NotSupported(`Cannot set a binary type: the server closed the connection at "TYPE I", and did not accept "TYPE ${BYTES}"; they are not sent again, and without them it may convert the bytes; list(), nlst() and retrlines() need no type, and ntransfercmd() transfers without one`);
}
var ExclusiveTurn = class extends Turn {
  /** Distinguishes the types: a shared turn is not an exclusive one. */
  isExclusive = true;
};

// lib/transfer/session.ts
var Session = class {
  /** The options; `passive` changes with `setPasv`. */
  options;
  /** What is known about the server, shared with its other connections. */
  profile;
  /** The settings that the commands of this connection have made. */
  state = new SessionState();
  /** Whether a `REST` may apply to the next transfer. */
  hasRestart = false;
  /** The last port in active mode. */
  activePort;
  /** The TLS session of the control connection. */
  tls;
  /** Protects data connections after `PROT P`. */
  protection;
  /** Whether data may be sent in clear text; `false` if TLS was requested. */
  isClearDataAllowed = true;
  /**
   * Verb of a command sent by hand that cannot be repeated on another
   * connection.
   */
  handmade;
  /** Orders proven stores: one at an offset needs the file of the call before. */
  stores = new SessionLock();
  /** Opens another connection with the same login and settings. */
  renewal;
  #control;
  /** The connection before this one. */
  #replaced;
  #peer;
  #ended;
  /** Pending ends of transfers. */
  #endings = [];
  #transfer;
  #ahead;
  #renewing;
  #unclaimed = [];
  #replyLimit;
  /** Commands whose 1yz was returned. */
  #begun = /* @__PURE__ */ new WeakSet();
  #claims = new SessionLock();
  /** Decides who may send commands. */
  #lock = new SessionLock((signal) => this.ready(signal));
  #turn;
  #exclusiveTurn;
  /**
   * Wraps a control connection.
   *
   * @param peer Address and port of the server
   */
  constructor(control, peer, options, profile) {
    this.#control = control;
    this.#peer = peer;
    this.options = options;
    this.profile = profile;
    const talking = {
      exchange: this.#exchange.bind(this),
      perform: this.#perform.bind(this)
    };
    this.#turn = new Turn(this, talking);
    this.#exclusiveTurn = new ExclusiveTurn(this, talking);
    const ending = new AbortController();
    this.#ended = ending.signal;
    onAbort(ending.signal, () => {
    });
    control.closed.then(() => {
      ending.abort(control.failure);
      if (this.#control === control) this.#ahead?.drop();
      if (!control.isHungUp) return;
      this.profile.noteHangUp(this.#causeOf(control), control);
    });
  }
  /** The control connection. Replaced by {@linkcode renew}. */
  get control() {
    return this.#control;
  }
  /** Host and port of the server, for data connections too. */
  get peer() {
    return this.#peer;
  }
  /** Aborted when the control connection has ended, with its reason. */
  get ended() {
    return this.#ended;
  }
  /**
   * The open transfer, if {@linkcode openTransfer} opened it. Its pending command
   * alone knows whether it is open.
   */
  get transfer() {
    return this.#transfer?.isOpen ? this.#transfer : void 0;
  }
  /** Takes the transfer that was opened. */
  set transfer(transfer) {
    this.#transfer = transfer;
  }
  /** A port for the next transfer, if no later command may have closed it. */
  get ahead() {
    return this.#ahead;
  }
  /** Replaces the port for the next transfer, and closes its connection. */
  set ahead(ahead) {
    this.#ahead?.drop();
    this.#ahead = ahead;
  }
  /** Takes the port for the next transfer, if a call may use it. */
  takeAhead(signal) {
    const ahead = this.#ahead;
    this.#ahead = void 0;
    if (ahead?.isFor(signal)) return ahead;
    ahead?.drop();
    return void 0;
  }
  /** Whether the control connection has failed, and cannot be replaced. */
  get isLost() {
    return this.#control.failure !== void 0 && !this.#control.isDoubtful;
  }
  /**
   * Runs a call together with others: single commands, which are pipelined. It
   * starts at once unless another call has the session exclusively or waits for
   * that.
   */
  shared(run2, options) {
    return this.#lock.shared(() => run2(this.#turn), options);
  }
  /** Runs a call after all earlier ones, and before all later ones. */
  exclusive(run2, options) {
    return this.#lock.exclusive(() => run2(this.#exclusiveTurn), options);
  }
  /** Ends a transfer without a turn. Calls that need a turn wait for it. */
  async settle(end) {
    const ending = end();
    this.#endings.push(ending);
    try {
      return await ending;
    } finally {
      this.#endings.splice(this.#endings.indexOf(ending), 1);
    }
  }
  /**
   * Gives up the connection after a transfer that did not end regularly, unless
   * the server is known to leave nothing behind. The next call uses another
   * connection.
   *
   * The reply to `ABOR` does not prove that nothing is left. pyftpdlib sends
   * the file when the next data connection is opened. Pure-FTPd and ProFTPD
   * send the rest of a listing before the next one. ProFTPD loses a reply.
   *
   * @param command The transfer's command, printable and masked
   */
  doubt(command) {
    this.ahead = void 0;
    const isOpen = this.#control.failure === void 0;
    if (isOpen && this.profile.leavesNothing) return;
    const hint = this.handmade === void 0 ? "call reconnect()" : `"${this.handmade}", which was sent by hand, is not repeated automatically: call reconnect()`;
    this.#control.giveUp(new Deno.errors.NotConnected(`"${command}" did not end regularly, and this server may send the rest of it in the next transfer; ${hint}`));
  }
  /**
   * Waits until nothing of an earlier transfer is left. Every call does this
   * first.
   *
   * @param options `isForced`: whether to replace the connection even if a
   * command sent by hand is lost
   * @returns The wait, or `undefined` if there is none
   */
  ready(signal, { isForced = false } = {}) {
    const { transfer } = this;
    transfer?.endIfLeft();
    const isSettled = this.#endings.length === 0;
    const isFree2 = transfer === void 0 && !this.#control.isDoubtful;
    if (isSettled && isFree2) return void 0;
    const open2 = async () => {
      if (isSettled && transfer !== void 0) await nextLoopTurn(signal);
      transfer?.endIfLeft();
      await this.#settled(signal);
      if (isForced || this.handmade === void 0) await this.renew(signal);
    };
    return open2();
  }
  /**
   * Replaces a connection that was given up, in a turn or before one.
   *
   * @throws {Error} `Deno.errors.*` if no connection can be opened
   */
  async renew(signal) {
    const { renewal } = this;
    if (!this.#control.isDoubtful || renewal === void 0) return;
    this.#renewing ??= renewal().then((other) => this.#adopt(other)).finally(() => this.#renewing = void 0);
    await abortable(this.#renewing, signal);
  }
  /**
   * Replaces a connection that the server closed after a command that is not
   * sent again. The caller has the turn, or comes before all turns.
   *
   * @param error The error of the connection
   * @returns Whether it was replaced; `false` if a command sent by hand would
   * be lost
   */
  async replace(error, signal) {
    const mayReplace = this.renewal !== void 0 && this.handmade === void 0 && !signal?.aborted;
    if (!mayReplace) return false;
    this.#control.giveUp(asError(error));
    await this.renew(signal);
    return this.#control.failure === void 0;
  }
  /**
   * Runs a query. If the server closes the connection at a command that it may
   * not know, repeats the query on another connection. The second time in the
   * same place, this command is left out.
   *
   * @param options `isDone`: whether the query may not be repeated any more
   */
  async pastHangUps(query, { signal, isDone: isDone2 }) {
    const passed = /* @__PURE__ */ new Set();
    for (; ; ) {
      const first = this.#control;
      try {
        return await query();
      } catch (error) {
        const isReplacement = this.#control !== first && this.#control.failure === void 0;
        const control = isReplacement ? this.#replaced : this.#control;
        const command = this.#causeOf(control);
        const isOther = !control.isHungUp || passed.has(command);
        if (isOther || isDone2?.()) throw error;
        if (!this.profile.noteHangUp(command, control)) {
          passed.add(command);
          const [verb = ""] = command.split(" ", 1);
          if (verb !== "" && !this.profile.lacks(verb)) throw error;
        }
        const isReplaced2 = this.#control !== control || await this.replace(error, signal);
        if (!isReplaced2) throw error;
      }
    }
  }
  /** Returns the command that made the server hang up; "" if unknown. */
  #causeOf({ unknown, hungUpAt }) {
    const { command = "" } = unknown ?? {};
    if (this.profile.isAvoidable(command)) return command;
    return hungUpAt?.command ?? command;
  }
  /** Waits until no end of a transfer is pending. */
  async #settled(signal) {
    while (this.#endings.length > 0) {
      await abortable(Promise.allSettled([
        ...this.#endings
      ]), signal);
    }
  }
  /** Takes over the connection of another session with the same settings. */
  #adopt(other) {
    if (!this.#control.isDoubtful) {
      other.control.fail(this.#control.failure);
      throw this.#control.failure;
    }
    this.#replaced = this.#control;
    this.#control = other.#control;
    this.#peer = other.#peer;
    this.#ended = other.#ended;
    this.tls = other.tls;
    this.state = other.state;
    this.protection = other.protection;
    this.isClearDataAllowed = other.isClearDataAllowed;
    this.handmade = void 0;
    this.hasRestart = false;
    this.ahead = void 0;
    this.#transfer = void 0;
    this.#unclaimed = [];
    this.#replyLimit = void 0;
  }
  /** A limit for waits on this connection, kept for the next wait. */
  replyLimit(limit) {
    if (this.#replyLimit?.limit !== limit) {
      this.#replyLimit = new ReplyLimit(limit, this.#control.closed);
    }
    return this.#replyLimit;
  }
  /**
   * Runs a wait that is not for a reply, and aborts it with the session.
   *
   * @throws The failure of the control connection, if it comes first
   */
  async untilEnded(signal, run2) {
    const { ended } = this;
    return await (signal === void 0 || signal === ended ? run2(ended) : withEither(ended, signal, run2));
  }
  /**
   * Sends commands while only the final reply of a transfer is due, if the
   * server takes commands together. The data must have ended: some servers
   * abort the transfer at any command.
   *
   * @returns Whether they were sent
   */
  askBehind(transfer, ask3) {
    const { control } = this;
    if (control.failure !== void 0) return false;
    const exchange = async (command, { signal } = {}) => (await this.#ask(command, signal, transfer)).reply;
    const perform = async (command, options) => expectSuccess(await exchange(command, options), command.verb);
    ask3(new Turn(this, {
      exchange,
      perform
    }));
    return true;
  }
  async #exchange(command, { signal } = {}) {
    return (await this.#ask(command, signal)).reply;
  }
  async #perform(command, options) {
    const { reply, pending } = await this.#ask(command, options?.signal);
    if (reply.code === SUPERFLUOUS && isChange(command)) {
      throw replyError(reply, pending.command);
    }
    return expectSuccess(reply, pending.command);
  }
  /**
   * Sends `ABOR`, the only command that may come during a dialogue. Returns a
   * reply of 1yz, 2yz or 3yz.
   */
  async sendAbort({ signal }) {
    return (await this.#ask({
      verb: "ABOR"
    }, signal)).reply;
  }
  /**
   * Sends a command without waiting; {@linkcode nextReply} returns its reply.
   */
  put(command) {
    this.#unclaimed.push(this.control.send(command, {
      advice: PUT_ADVICE
    }));
    this.#forget(command);
  }
  /**
   * Notes a command that the user sends literally. Another connection may not
   * have the same settings afterwards.
   */
  noteByHand(command) {
    const word = command.verb.toUpperCase();
    if (/^(USER|PASS|REIN)$/.test(word)) this.renewal = void 0;
    if (!isRepeatable(word, String(command.argument ?? ""))) {
      this.handmade = word;
    }
  }
  /**
   * Waits for the next reply: the final one of the open transfer, or those of
   * the commands sent by {@linkcode put}, in order. A command that opens a
   * transfer has two.
   *
   * @returns The reply, with any code, and the command it answers
   * @throws {TypeError} If no command is pending
   * @throws {Deno.errors.NotConnected} If the connection is closed
   */
  nextReply(options = {}) {
    return this.#claims.exclusive(() => this.#claim(options), options);
  }
  async #claim({ signal }) {
    const { open: open2, failure: failure3 } = this.control;
    const own = this.#unclaimed.filter(({ isAcknowledged }) => !isAcknowledged);
    this.#unclaimed = own;
    const pending = open2 === void 0 || own.includes(open2) ? own[0] : open2;
    if (pending === void 0) {
      if (failure3 !== void 0) throw noReplyError(failure3);
      throw new TypeError("Cannot wait for a reply: no command is pending");
    }
    const isFirst = own.includes(pending) && !this.#begun.has(pending);
    const due = isFirst ? pending.first : pending.final;
    const reply = await this.control.wait(due, signal);
    if (reply.code < 200) this.#begun.add(pending);
    else this.control.acknowledge(pending);
    return {
      reply,
      command: pending.command
    };
  }
  async #ask(command, signal, behind) {
    signal?.throwIfAborted();
    const pending = this.control.send(command, {
      during: behind,
      isBehind: behind !== void 0
    });
    const { state: state2, control } = this;
    const { moves } = state2;
    this.#forget(command);
    const reply = await control.wait(pending.first, signal);
    if (reply.code < 500 && reply.code !== CLOSING) {
      this.profile.noteKnown(command);
    }
    const isSecured2 = control.stream.info !== void 0;
    state2.note(command, reply, {
      moves,
      isSecured: isSecured2
    });
    if (reply.code >= 400) throw replyError(reply, pending.command);
    return {
      pending,
      reply
    };
  }
  /** Discards what a command may change, because its reply may not be read. */
  #forget(command) {
    if (this.#ahead !== void 0 && !LOOK_REGEXP.test(command.verb)) {
      this.ahead = void 0;
    }
    this.state.forget(command);
  }
};
var PUT_ADVICE = "await getresp() until it returns the final reply first";
function isChange({ verb, argument, isLiteral }) {
  if (isLiteral) return false;
  if (!/^SITE$/i.test(verb)) return CHANGE_REGEXP.test(verb);
  const start = argument?.slice(0, LONGEST_SITE) ?? "";
  return SITE_CHANGE_REGEXP.test(typeof start === "string" ? start : String.fromCharCode(...start));
}
var LONGEST_SITE = 6;
var CHANGE_REGEXP = /^(DELE|X?RMD|X?MKD|RNTO|X?CWD|CDUP|XCUP|MFMT|MFF|MFCT)$/i;
var SITE_CHANGE_REGEXP = /^(CHMOD|CPTO|UTIME) /i;
var LOOK_REGEXP = /^(TYPE|SIZE|MDTM|PWD|REST|NOOP)$/i;
function expectSuccess(reply, command) {
  if (reply.code >= 200 && reply.code < 300) return reply;
  throw replyError(reply, command);
}

// lib/transfer/port_ahead.ts
init_waiting();
var MAX_AGE = 5e3;
var PortAhead = class {
  /** The address; rejects like the transfer would. */
  address;
  /** Whether the next call may use it, whatever its signal. */
  isForAny;
  #signal;
  #at = performance.now();
  #dialing;
  #isDropped = false;
  /**
   * Keeps a request that was sent.
   *
   * @param signal Signal of the call that sent it; "any" if the next call may
   * have another one
   */
  constructor(address, signal) {
    this.address = address;
    this.isForAny = signal === "any";
    this.#signal = signal === "any" ? void 0 : signal;
  }
  /** Whether a call may use it. */
  isFor(signal) {
    const isOurs2 = this.isForAny || this.#signal === signal;
    return isOurs2 && performance.now() - this.#at < MAX_AGE;
  }
  /** Whether a connection was or will be dialed. */
  get isDialed() {
    return this.#dialing !== void 0;
  }
  /** Dials as soon as the address is known. */
  dial(open2) {
    this.#dialing = this.address.then(async (address) => {
      if (this.#isDropped) throw new Deno.errors.Interrupted("It is not used");
      return await open2(address);
    });
    this.#dialing.catch(() => {
    });
  }
  /** Returns the dialed connection, which the caller owns. */
  async connected(signal) {
    try {
      return this.#dialing && await abortable(this.#dialing, signal);
    } catch (error) {
      this.drop();
      if (signal?.aborted || error instanceof Deno.errors.NotCapable) {
        throw error;
      }
      return void 0;
    }
  }
  /** Closes the connection if there is one, now or later. */
  drop() {
    this.#isDropped = true;
    this.#dialing?.then((stream) => stream.close()).catch(() => {
    });
  }
};

// lib/transfer/passive.ts
var EPSV_WAIT = 1e3;
var KNOWN_EPSV_WAIT = 2e3;
var PASV_WAIT = 5e3;
var EPSV_SHARE = 1 / 3;
var PASV_SHARE = 1 / 2;
var UNRELATED_REPLIES = [
  421,
  530
];
var REFUSALS = /* @__PURE__ */ new WeakSet();
var LOSSES = /* @__PURE__ */ new WeakSet();
function isPassiveRefused(error) {
  return error instanceof Error && REFUSALS.has(error);
}
function isPassive({ options, profile }) {
  const { passive } = options;
  return passive === "auto" ? !profile.refusesPassive : passive !== false;
}
function mayTryPasv({ peer, options }) {
  return !isIPv6(peer[0]) && options.passive !== "epsv";
}
async function requestPassive(turn, options = {}) {
  const { profile } = turn.session;
  const mayTell = options.command !== void 0;
  if (mayTell && profile.needsPRET) await announce(turn, options);
  try {
    return await requestAnywhere(turn, options);
  } catch (error) {
    if (profile.needsPRET || !mayTell || !asksForPRET(error)) throw error;
    profile.needsPRET = true;
    await announce(turn, options);
    return await requestAnywhere(turn, options);
  }
}
function requestAhead(session, { signal }) {
  if (!isPassive(session) || session.profile.needsPRET) return;
  const ask3 = (turn) => askAhead(turn, {
    signal
  });
  session.shared(ask3, {
    signal
  }).catch(() => {
  });
}
function requestBehind(turn, options) {
  if (!mayRequestBehind(turn.session)) return;
  askAhead(turn, options).catch(() => {
  });
}
function mayRequestBehind(session) {
  const { profile, control, protection, options } = session;
  const isPossible = isPassive(session) && !profile.needsPRET && (isPassiveKnown(session) || profile.hasExtendedPassive === void 0 && control.hasPipelined);
  return profile.allowsJoining && control.isPipelining && isPossible && protection === void 0 && !options.compress;
}
function isPassiveKnown(session) {
  const { profile } = session;
  return isPassive(session) && !profile.needsPRET && (usesPasv(session) || profile.hasExtendedPassive === true);
}
function askAhead(turn, { signal }) {
  const { session } = turn;
  const address = negotiate(turn, {
    signal
  });
  const ahead = new PortAhead(address, signal);
  session.ahead = ahead;
  address.catch((error) => {
    const isAnswer = error instanceof FTPError || LOSSES.has(error);
    if (!isAnswer && session.ahead === ahead) session.ahead = void 0;
  });
  return address;
}
function requestForNext(turn) {
  const { session } = turn;
  if (!isPassiveKnown(session)) return void 0;
  const command = {
    verb: usesPasv(session) ? "PASV" : "EPSV"
  };
  const address = turn.perform(command).then((reply) => addressIn(session, reply, command.verb));
  const ahead = new PortAhead(address, "any");
  session.ahead = ahead;
  address.catch(() => {
    if (session.ahead === ahead) session.ahead = void 0;
  });
  return ahead;
}
async function requestPasv({ session }, { signal, isStrict }) {
  signal?.throwIfAborted();
  const { control } = session;
  const pending = control.send({
    verb: "PASV"
  }, {
    kind: "passive"
  });
  const reply = await control.wait(pending.final, signal);
  if (isStrict && reply.code !== 227) {
    throw closeMismatched(session, pending, reply);
  }
  return addressIn(session, reply, pending.command);
}
async function requestAnywhere(turn, options) {
  const { session } = turn;
  const { signal } = options;
  const ahead = session.takeAhead(signal);
  try {
    if (ahead === void 0) return await negotiate(turn, options);
    const address = abortable(ahead.address, signal);
    return await (ahead.isForAny ? orNegotiated(turn, address, options) : address);
  } catch (error) {
    if (!LOSSES.has(error)) throw error;
    await replaceConnection(turn, error, options);
    return await negotiate(turn, options);
  }
}
async function replaceConnection(turn, error, { signal, type }) {
  const { session } = turn;
  if (!await session.replace(error, signal)) throw error;
  await session.protection?.prepare(turn, {
    signal
  });
  if (type !== void 0) await turn.ensureType(type, {
    signal
  });
}
async function orNegotiated(turn, address, options) {
  try {
    return await address;
  } catch (error) {
    if (!(error instanceof FTPError)) throw error;
    return await negotiate(turn, options);
  }
}
function usesPasv(session) {
  const { profile, options: { passive } } = session;
  return passive === "pasv" || profile.hasExtendedPassive === false && mayTryPasv(session);
}
async function negotiate(turn, options) {
  const { session } = turn;
  const ask3 = () => {
    const { profile, options: { passive } } = session;
    const isLearned = profile.hasExtendedPassive === false && mayTryPasv(session);
    if (passive !== "pasv" && !isLearned) return requestEpsv(turn, options);
    const asking = withActiveAdvice(session, requestPasv(turn, options));
    return passive === "pasv" ? asking : asking.catch((error) => {
      const isOutdated = mayBeOutdated(error) && !asksForPRET(error) && profile.unlearn("EPSV");
      if (!isOutdated || options.signal?.aborted) throw error;
      if (session.control.failure === void 0) {
        return requestEpsv(turn, options);
      }
      LOSSES.add(error);
      throw error;
    });
  };
  try {
    return await ask3();
  } catch (error) {
    if (!isStuck(error)) throw error;
    await turn.perform({
      verb: "ABOR"
    }, options);
    return await ask3();
  }
}
async function requestEpsv(turn, { signal }) {
  const { session } = turn;
  signal?.throwIfAborted();
  const { control, profile } = session;
  const pending = control.send({
    verb: "EPSV"
  }, {
    kind: "passive"
  });
  const isOnly = !mayTryPasv(session);
  const most = profile.hasExtendedPassive ? KNOWN_EPSV_WAIT : EPSV_WAIT;
  const limit = isOnly ? void 0 : waitLimit(session, most, EPSV_SHARE);
  const reply = await replyWithin(session, pending, {
    limit,
    signal
  });
  if (reply === void 0) {
    return await requestPasvInstead(session, pending, signal);
  }
  const isForeign = !mayAnswer("EPSV", reply);
  if (isForeign && isOnly) throw closeMismatched(session, pending, reply);
  const address = Promise.try(() => addressIn(session, reply, pending.command));
  if (isOnly) return await withActiveAdvice(session, address);
  try {
    return await address;
  } catch (error) {
    if (control.hungUpAt === pending) noteClosed(session, error);
    const isFinal = reply.code === 421 || isStuck(error) || asksForPRET(error) && !profile.needsPRET;
    if (isFinal) throw error;
    const asking = requestPasv(turn, {
      signal,
      isStrict: isForeign
    });
    const other = await withActiveAdvice(session, asking).catch((error2) => {
      if (!isForeign) noteClosed(session, error2);
      throw error2;
    });
    const isPassing2 = reply.code >= 400 && reply.code < 500;
    if (isPassing2) profile.hasExtendedPassive ??= false;
    else profile.hasExtendedPassive = false;
    return other;
  }
}
function closeMismatched({ control }, pending, reply) {
  const error = wrongReplyError(pending, reply);
  control.fail(error);
  return error;
}
async function requestPasvInstead(session, replaces, signal) {
  const { control, profile } = session;
  const options = {
    kind: "passive",
    replaces
  };
  const pending = control.send({
    verb: "PASV"
  }, options);
  const limit = waitLimit(session, PASV_WAIT, PASV_SHARE);
  let reply = await replyWithin(session, pending, {
    limit,
    signal
  });
  const isPatient = !replaces.isSettled && (session.renewal === void 0 || profile.hasExtendedPassive === true);
  if (reply === void 0 && isPatient) {
    reply = await control.wait(pending.final, signal);
  }
  if (reply === void 0) {
    const error = new Deno.errors.TimedOut(`Cannot complete "PASV": "EPSV" got no reply, and neither did "PASV"; the connection is closed; { passive: "pasv" } sends no "EPSV"`);
    profile.hasExtendedPassive ??= false;
    LOSSES.add(error);
    control.giveUp(error);
    throw error;
  }
  const address = Promise.try(() => addressIn(session, reply, pending.command));
  const told = await withActiveAdvice(session, address);
  const late = replaces.isSettled ? (await replaces.final).code : void 0;
  if (late === void 0) profile.hasExtendedPassive = false;
  else profile.hasExtendedPassive ??= late === 229;
  return told;
}
async function replyWithin(session, pending, { limit, signal }) {
  const { control } = session;
  try {
    return limit === void 0 ? await control.wait(pending.final, signal) : await waitFor2(session, pending, {
      limit,
      signal
    });
  } catch (error) {
    if (control.failure !== void 0) noteLoss(session, pending, error);
    else if (limit !== void 0) abandonReply(session, pending, limit);
    throw error;
  }
}
async function waitFor2(session, pending, { limit, signal }) {
  const { control } = session;
  const reply = await session.replyLimit(limit).wait(pending.final, () => isNext(session, pending), (limited) => control.wait(limited, signal));
  return reply ?? (pending.isSettled ? await pending.final : void 0);
}
function isNext({ control: { due } }, pending) {
  return due === pending || due !== void 0 && due === pending.replaces;
}
function noteLoss(session, pending, error) {
  const { profile, control: { lostOver } } = session;
  const isOurs2 = lostOver !== void 0 && mayTryPasv(session) && (lostOver === pending || lostOver === pending.replaces);
  if (!isOurs2 || profile.hasExtendedPassive !== void 0) return;
  profile.hasExtendedPassive = false;
  LOSSES.add(error);
}
function noteClosed({ control: { failure: failure3, isHungUp }, profile }, error) {
  const isClosed = isHungUp || failure3 instanceof Deno.errors.ConnectionReset;
  if (!isClosed || profile.hasExtendedPassive !== void 0) return;
  profile.hasExtendedPassive = false;
  LOSSES.add(error);
}
function abandonReply(session, pending, limit) {
  const { control } = session;
  session.settle(async () => {
    await settle(pending.final, limit);
    if (pending.isSettled || control.failure !== void 0) return;
    control.giveUp(new Deno.errors.NotConnected(`"${pending.command}" got no reply, and the signal ended the wait for it; call reconnect()`));
  });
}
function waitLimit({ options: { timeout } }, most, share) {
  return timeout > 0 ? Math.min(most, timeout * share) : most;
}
async function withActiveAdvice({ options: { route } }, address) {
  try {
    return await address;
  } catch (error) {
    const reply = replyOf(error);
    const isRefused = reply !== void 0 && !UNRELATED_REPLIES.includes(reply.code) && !isStuck(error) && !asksForPRET(error);
    const mayBeActive = route.via === void 0;
    if (!isRefused || !mayBeActive) throw error;
    const refusal3 = withMessage(error, (message) => withAdvice(message, 'in active mode the server connects to this machine: { passive: false }, or { passive: "auto" } if passive mode is refused'));
    REFUSALS.add(refusal3);
    throw refusal3;
  }
}
function mayBeOutdated(error) {
  return !isStuck(error) && replyOf(error)?.code !== 421;
}
function isStuck(error) {
  return error instanceof FTPPermanentError && /\buse ABOR\b/i.test(error.reply?.text ?? "");
}
function asksForPRET(error) {
  return /\bPRET\b/.test(replyOf(error)?.text ?? "");
}
async function announce(turn, options) {
  const { profile, control } = turn.session;
  const { command, signal } = options;
  try {
    await turn.perform(announcementOf(command), {
      signal
    });
    profile.recalled.delete("PRET");
  } catch (error) {
    if (isUnknownCommand(replyOf(error))) {
      profile.needsPRET = false;
      return;
    }
    const isOutdated = mayBeOutdated(error) && profile.unlearn("PRET");
    if (!isOutdated || signal?.aborted) throw error;
    if (control.failure === void 0) return;
    await replaceConnection(turn, error, options);
  }
}
function announcementOf({ verb, argument, name }) {
  if (argument === void 0) return {
    verb: "PRET",
    argument: verb
  };
  if (typeof argument === "string") {
    return {
      verb: "PRET",
      argument: `${verb} ${argument}`,
      name
    };
  }
  const head = new TextEncoder().encode(`${verb} `);
  return {
    verb: "PRET",
    argument: joinBytes([
      head,
      argument
    ]),
    name
  };
}
function addressIn(session, reply, command) {
  expectSuccess(reply, command);
  const [host, port] = parsePassive(reply, session.peer);
  const isTrusted2 = session.options.trustPasvHost && host !== "0.0.0.0";
  return [
    isTrusted2 ? host : session.peer[0],
    port
  ];
}

// lib/transfer/data_channel.ts
async function openDataChannel(turn, options) {
  const { session } = turn;
  if (!isPassive(session)) return await listenActive(turn, options);
  try {
    return await dialPassive(turn, options);
  } catch (error) {
    const { passive, route } = session.options;
    const mayTryActive = passive === "auto" && route.via === void 0 && isPassiveRefused(error) && session.control.failure === void 0;
    if (!mayTryActive) throw error;
    const channel2 = await listenActive(turn, options);
    session.profile.refusesPassive = true;
    return channel2;
  }
}
async function dialPassive(turn, options) {
  const stream = await dialEitherWay(turn, options);
  return {
    stream,
    connect: () => Promise.resolve(stream),
    close: () => {
      try {
        stream.close();
      } catch {
      }
    }
  };
}
function openForNext(turn) {
  const { session } = turn;
  const ahead = requestForNext(turn);
  if (session.protection !== void 0) return ahead;
  ahead?.dial((address) => dialData(session, address, void 0));
  return ahead;
}
function dialData(session, [host, port], signal) {
  const { timeout, host: named2, route } = session.options;
  const name = host === session.peer[0] ? named2 : host;
  const { control: { ticker }, ended } = session;
  const options = {
    timeout,
    signal,
    ended,
    ticker
  };
  return route.dialData(host, port, name, options);
}
async function dialEitherWay(turn, options) {
  const { session } = turn;
  const { signal } = options;
  if (session.ahead?.isDialed) {
    const dialed = await session.takeAhead(signal)?.connected(signal);
    if (dialed !== void 0) return dialed;
  }
  const open2 = (address2) => dialData(session, address2, signal);
  const address = await requestPassive(turn, options);
  const { profile } = session;
  const isFree2 = mayTryPasv(session) && session.options.passive !== "pasv";
  const isUnknown = isFree2 && profile.hasExtendedPassive === void 0;
  const isRecalled = isFree2 && profile.recalled.has("EPSV");
  if (!isUnknown && !isRecalled) {
    const opening = open2(address);
    options.onDial?.();
    return await opening;
  }
  try {
    const stream = await open2(address);
    if (isUnknown) profile.hasExtendedPassive = true;
    profile.recalled.delete("EPSV");
    return stream;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    if (session.control.failure !== void 0) throw session.control.failure;
    if (isRecalled && profile.unlearn("EPSV")) {
      signal?.throwIfAborted();
      return await dialEitherWay(turn, options);
    }
    const other = await requestPasv(turn, options).catch((refusal3) => {
      throw refusal3 instanceof FTPPermanentError ? error : refusal3;
    });
    const stream = await open2(other);
    profile.hasExtendedPassive ??= false;
    return stream;
  }
}
async function listenActive(turn, options) {
  const listener = await requestActive(turn, options);
  return {
    connect: async (signal) => {
      try {
        return await listener.accept({
          signal
        });
      } finally {
        listener.close();
      }
    },
    close: () => listener.close()
  };
}
async function requestActive(turn, options = {}) {
  const { session } = turn;
  checkActive(session.options.route);
  const listener = listenForServer(session);
  const { hostname, port } = listener.addr;
  const isAny = /^(0\.0\.0\.0|::)$/.test(hostname);
  const local = session.control.stream.localAddr;
  const told = session.options.activeAddress ?? (isAny ? local.hostname : hostname);
  try {
    await announce2(turn, told, port, options);
  } catch (error) {
    listener.close();
    throw error;
  }
  return listener;
}
function listenForServer(session) {
  const { localAddress, activePorts, timeout } = session.options;
  const local = session.control.stream.localAddr;
  const hostname = localAddress ?? local.hostname;
  const listener = ServerListener.listen(hostname, activePorts, {
    peer: session.peer[0],
    timeout,
    lastPort: session.activePort
  });
  session.activePort = listener.addr.port;
  return listener;
}
async function announce2(turn, hostname, port, options = {}) {
  const { session } = turn;
  const { allowEPRT } = session.options;
  const eprt = {
    verb: "EPRT",
    argument: formatEprt(hostname, port)
  };
  if (isIPv6(hostname)) {
    if (allowEPRT) return await turn.perform(eprt, options);
    throw new TypeError('Cannot listen for data over IPv6: it requires "EPRT", and "allowEPRT" is false');
  }
  const argument = formatPort(hostname, port);
  try {
    return await turn.perform({
      verb: "PORT",
      argument
    }, options);
  } catch (error) {
    const isUnknown = isUnknownCommand(replyOf(error));
    const mayTryEPRT = allowEPRT && !turn.session.profile.lacks("EPRT");
    if (!isUnknown || !mayTryEPRT) throw error;
    return await turn.perform(eprt, options);
  }
}

// lib/transfer/transfer.ts
init_byte_stream();
init_waiting();
var Transfer = class {
  /** The data connection. */
  data;
  /** The server's estimate of the size in bytes, from its 150 reply. */
  size;
  /** Called at the end, to return to a directory. */
  onEnd;
  /** Called once the transfer has ended, for diagnostic events. */
  onForget;
  /** All bytes of an upload, if they were sent with its command. */
  early;
  #session;
  #pending;
  #file;
  #isUnproven = false;
  #aborting;
  #isLeft = false;
  /**
   * Joins an open data connection and its pending command.
   *
   * @param file The downloaded file, if it is sent unchanged
   */
  constructor(session, pending, data, size, file) {
    this.#session = session;
    this.#pending = pending;
    this.data = data;
    this.size = size;
    this.#file = file;
  }
  /** The command, printable and masked. */
  get command() {
    return this.#pending.command;
  }
  /**
   * Whether the data ended without TLS's close_notify, nothing else proved that
   * it is complete, and the user's options allow that.
   */
  get isUnproven() {
    return this.#isUnproven;
  }
  /** Whether the last line of the data may be incomplete. */
  get mayEndInLine() {
    return this.data.isCut && !this.#allowsCut;
  }
  get #allowsCut() {
    return this.#session.tls?.allowsMissingCloseNotify === true;
  }
  /** Whether its final reply or its end was not handled yet. */
  get isOpen() {
    return !this.#pending.isAcknowledged;
  }
  /** The final reply, when it comes. */
  get final() {
    return this.#pending.final;
  }
  /**
   * Sends further commands after the end of the data, so that they need no
   * further round trip. Bytes of an upload may still be on their way, so that
   * requires a server that serves everything in order.
   *
   * @returns Whether they were sent
   */
  askBehind(ask3) {
    return this.mayAskBehind && this.#session.askBehind(this.#pending, ask3);
  }
  /**
   * Whether the server is known to handle commands behind the end of the data,
   * which matters where they are not repeated on another connection.
   */
  get takesBehind() {
    return this.#session.profile.allowsJoining;
  }
  /** Whether {@linkcode askBehind} would send commands. */
  get mayAskBehind() {
    if (!this.isOpen || !this.#session.control.isPipelining) return false;
    return isUpload(this.#pending) ? this.early !== void 0 && this.#session.profile.servesInOrder : this.data.isEnded && !this.data.isCut;
  }
  /** Sends a `NOOP` while the transfer is open. */
  sendNoop() {
    return this.#session.control.send({
      verb: "NOOP"
    }, {
      kind: "alive",
      during: this.#pending
    });
  }
  /** Moves the data of the whole transfer, and finishes it. */
  async complete(move, options) {
    try {
      await move(this.data);
    } catch (error) {
      return await this.endAfter(error, options);
    }
    return await this.finish(options);
  }
  /**
   * Ends the transfer after an error, like {@linkcode failed}. A reset data
   * connection is no failure if all of the data came before: if the server sends
   * 2yz, and the size of the file matches.
   *
   * @returns The final 2yz reply, if the transfer is complete
   */
  async endAfter(error, options = {}) {
    const { data } = this;
    const mayBeWhole = error === data.failure && isReset(error) && this.#aborting === void 0 && !options.signal?.aborted;
    if (!mayBeWhole) throw await this.failed(error, options);
    this.#isLeft = true;
    return await this.#session.settle(async () => {
      data.fail(error);
      try {
        const explained = await explain(this.#session, this.#pending, error);
        const isAnswered = explained === error && this.#session.control.failure === void 0;
        if (!isAnswered || !await this.#isWhole(options)) {
          await this.#doubt();
          throw explained;
        }
      } finally {
        this.#forget();
      }
      return expectSuccess(await this.#pending.final, this.command);
    });
  }
  /** Gives up the connection after a failure, unless nothing can be left. */
  async #doubt() {
    const wasAborted = this.#aborting !== void 0;
    if (!wasAborted && await isRefusedUpload(this.#session, this.#pending)) {
      return;
    }
    this.#session.doubt(this.command);
  }
  /** Whether all of the data passed a connection that was reset. */
  async #isWhole({ signal, isWhole }) {
    const { data, size: announced } = this;
    if (data.tls !== void 0 && !isProtected(this.#session)) return false;
    if (isWhole !== void 0 || isUpload(this.#pending)) {
      return isWhole === true;
    }
    const completeness = await proveWhole(this.#session, {
      pending: this.#pending,
      bytes: data.bytesRead,
      announced,
      isSecure: data.tls !== void 0,
      file: this.#file
    }, {
      signal
    });
    return completeness.isWhole === true;
  }
  /**
   * Closes the data connection, and waits for the final reply.
   *
   * @throws {FTPError} If the server reports a failure; the session is usable
   * @throws {Deno.errors.UnexpectedEof} If the data ended without TLS's
   * close_notify and may be cut off; the session is usable
   * @throws {Error} If no reply comes; the session is closed
   */
  async finish(options = {}) {
    this.#isLeft = true;
    return await this.#session.settle(() => this.#finish(options));
  }
  async #finish(options) {
    const { signal } = options;
    const isEarly = !isUpload(this.#pending) && !this.data.isEnded;
    const { failure: failure3 } = this.data;
    this.data.close();
    if (this.data.isHeld || isEarly) {
      await endHeld(this.#session, this.#pending, this);
    }
    await this.data.closed;
    const isCut = failure3 === void 0 && isUpload(this.#pending) && this.data.failure !== void 0;
    if (isCut) throw await this.failed(this.data.failure, options);
    let reply;
    try {
      reply = await this.#session.control.wait(this.#pending.final, signal);
    } catch (error) {
      if (signal?.aborted) {
        await this.abort();
        throw error;
      }
      if (isEarly) this.#session.doubt(this.command);
      throw unconfirmed(this, error);
    }
    if (isEarly) this.#session.doubt(this.command);
    try {
      if (reply.code < 300) await this.#checkEnd(options);
    } finally {
      this.#forget();
    }
    if (reply.code >= 400) throw refusal(this.#session, reply, this.command);
    return expectSuccess(reply, this.command);
  }
  /** Checks that data without close_notify is complete. */
  async #checkEnd({ signal, isWhole: isKnown }) {
    const { data, size: announced, command } = this;
    if (!data.isCut) return;
    if (isKnown === true && isProtected(this.#session)) return;
    const { bytesRead: bytes2 } = data;
    const { isWhole, size } = await proveWhole(this.#session, {
      pending: this.#pending,
      bytes: bytes2,
      announced,
      file: this.#file
    }, {
      signal
    });
    if (isWhole === true) return;
    this.#isUnproven = isWhole === void 0 && this.#allowsCut;
    if (!this.#isUnproven) throw truncated(command, bytes2, size);
  }
  /**
   * Like {@linkcode finish}, for a data connection that the user closes.
   *
   * @throws The failure of the data connection, or the server's error if it
   * explains that: the data is incomplete, whatever the server says
   * @throws {TypeError} If the data connection is open, because the wait would
   * not end
   */
  async collect(options) {
    const { failure: failure3, isHeld } = this.data;
    const isOver = this.data.isClosed || this.data.isEnded;
    if (!isOver && failure3 === void 0) {
      throw new TypeError(`Cannot wait for the end of "${this.command}": its data connection is open, close it first`);
    }
    if (failure3 !== void 0 && !isHeld) throw await this.failed(failure3);
    return await this.finish(options);
  }
  /**
   * Ends the transfer after a local error, and keeps the session usable or
   * closes it.
   *
   * @returns The error to throw: the server's, if it explains this one
   */
  async failed(error, { signal } = {}) {
    const isOurFault = this.data.failure === void 0 || signal?.aborted;
    if (isOurFault) {
      await this.abort();
      return error;
    }
    return await this.#session.settle(async () => {
      await this.#aborting;
      this.data.fail(error);
      const explained = await explain(this.#session, this.#pending, error);
      if (!this.#pending.isAcknowledged) await this.#doubt();
      this.#forget();
      return explained;
    });
  }
  /**
   * Ends a transfer that the user has left: the data connection was closed
   * before the end of a download, or has failed. A closed upload and a
   * completely read download wait for their confirmation.
   */
  endIfLeft() {
    const { data } = this;
    const isEarly = data.isClosed && !data.isEnded && !isUpload(this.#pending);
    if (this.#isLeft || !isEarly && data.failure === void 0) return;
    this.#isLeft = true;
    this.#session.settle(() => this.#endLeft()).catch(() => {
    });
  }
  async #endLeft() {
    const { failure: failure3, isHeld } = this.data;
    if (failure3 !== void 0 && !isHeld) {
      await this.failed(failure3);
    } else {
      await settle(this.#pending.final, LEFT_GRACE);
      await this.abort();
    }
    await this.onEnd?.();
  }
  /**
   * Aborts (`ABOR`, RFC 959 section 4.1.3): closes the data connection, and
   * reads all pending replies. If that fails, or takes more than five seconds,
   * the session is closed.
   *
   * @returns The reply to `ABOR`; `undefined` if none was needed or none came
   */
  async abort(options = {}) {
    const reason = new Deno.errors.Interrupted("The transfer was aborted");
    return await this.#session.settle(async () => {
      const reply = await this.interrupt(reason, options);
      this.#forget();
      return reply;
    });
  }
  /**
   * Like {@linkcode abort}, for a transfer whose end another call will wait
   * for.
   */
  interrupt(reason, { needsReply } = {}) {
    const { data } = this;
    if (this.#aborting !== void 0) return this.#aborting;
    const closeData = async (isSeen) => {
      data.interrupt(reason);
      const { protection, profile } = this.#session;
      const isWriting = isSeen && !isUpload(this.#pending);
      const mayEnd = protection !== void 0 && profile.mayEndAtClosedData;
      if (mayEnd && isWriting) {
        await settle(Promise.race([
          this.#pending.final,
          drain(data.stream)
        ]), DRAIN_GRACE);
      }
      data.fail(reason);
    };
    const isEarly = !isUpload(this.#pending) && !data.isEnded;
    return this.#aborting = this.#session.settle(async () => {
      const options = {
        closeData,
        needsReply
      };
      const reply = await abortOwed(this.#session, this.#pending, options);
      if (isEarly) this.#session.doubt(this.command);
      return reply;
    });
  }
  #forget() {
    this.#session.control.acknowledge(this.#pending);
    this.onForget?.();
  }
};
var RESETS = [
  Deno.errors.ConnectionReset,
  Deno.errors.ConnectionAborted,
  Deno.errors.BrokenPipe,
  Deno.errors.NotConnected
];
function isReset(error) {
  return RESETS.some((Class) => error instanceof Class);
}
var DRAIN_GRACE = 500;
var LEFT_GRACE = 500;
function unconfirmed({ data, command }, error) {
  const bytes2 = data.bytesRead + data.bytesWritten;
  return connectionError(error, (message) => `Cannot confirm "${command}": ${bytes2} bytes were transferred, but the server did not confirm it: ${message}`);
}

// lib/transfer/open_transfer.ts
var OPEN_GRACE = 1e3;
function checkTransfer(session, command, { rest, anyMode = false } = {}) {
  encodeCommand(command, session.control.encoding);
  refuseClearData(session, command);
  if (!anyMode) refuseOddModes(session, command);
  if (rest !== void 0) {
    encodeCommand(restartCommand(rest), session.control.encoding);
  }
}
function restartCommand(rest) {
  return {
    verb: "REST",
    argument: `${rest}`,
    name: "rest"
  };
}
async function openTransfer(turn, command, options = {}) {
  const { session } = turn;
  checkTransfer(session, command, options);
  let isSent = false;
  const onSend = () => {
    isSent = true;
  };
  return await session.pastHangUps(() => openOnce(turn, command, {
    ...options,
    onSend
  }), {
    signal: options.signal,
    isDone: () => isSent
  });
}
async function openOnce(turn, command, options) {
  const { session } = turn;
  await session.protection?.prepare(turn, {
    signal: options.signal
  });
  const { signal } = options;
  if (options.rest === void 0) await takeBackRestart(turn, options);
  const isSet = options.type === void 0 || session.state.type === options.type;
  const setting = setType(turn, command, options);
  if (!isSet && session.ahead === void 0) {
    requestBehind(turn, {
      signal: options.signal
    });
  }
  const type = await setting;
  await setCompression(turn, {
    signal,
    isPlain: options.isPlain
  });
  const { channel: channel2, restarting } = await openWithRestart(turn, {
    command,
    type,
    signal
  }, () => setRestart(turn, options));
  try {
    await (restarting ?? setRestart(turn, options));
    return await begin(session, command, channel2, options);
  } catch (error) {
    channel2.close();
    throw error;
  }
}
async function openWithRestart(turn, options, restart) {
  let restarting;
  const onDial = () => {
    restarting = restart();
    restarting.catch(() => {
    });
  };
  try {
    const channel2 = await openDataChannel(turn, {
      ...options,
      onDial
    });
    return {
      channel: channel2,
      restarting
    };
  } catch (error) {
    await restarting?.catch(() => {
    });
    throw error;
  }
}
var NO_TYPE_REPLIES = [
  500,
  501,
  502,
  503,
  504,
  550
];
async function setType(turn, command, { type, signal }) {
  const { profile } = turn.session;
  if (type === void 0) return void 0;
  const mayBeBinary = type === "A" && !isUpload(command);
  if (!mayBeBinary) {
    await turn.ensureType(type, {
      signal
    });
    return type;
  }
  for (const wanted of [
    "A",
    "I"
  ]) {
    const key = `TYPE ${wanted}`;
    if (profile.lacks(key)) continue;
    try {
      await turn.ensureType(wanted, {
        signal
      });
      return wanted;
    } catch (error) {
      if (!isRefusal(error, NO_TYPE_REPLIES)) throw error;
      profile.noteLacking(key);
    }
  }
  return void 0;
}
function refuseOddModes(session, { verb }) {
  for (const [setting, usual] of [
    [
      "MODE",
      "S"
    ],
    [
      "STRU",
      "F"
    ]
  ]) {
    if (isSetTo(session, setting, usual)) continue;
    if (setting === "MODE" && isCompressed(session)) continue;
    const value = String(session.state.settings.get(setting)?.argument);
    throw new TypeError(`Cannot open ${quote(verb)}: the server was told ${quote(`${setting} ${value}`)}, and only ntransfercmd, retrbinary and storbinary can transfer data then; send "${setting} ${usual}" first`);
  }
}
function refuseClearData(session, { verb }) {
  if (session.protection !== void 0 || session.isClearDataAllowed) return;
  throw new TypeError(`Cannot open "${verb}": TLS was requested, but data connections are not protected; call login() or protP() first, or protC() to send data in clear text`);
}
async function takeBackRestart(turn, { type, signal }) {
  const { session } = turn;
  if (!session.hasRestart) return;
  const before = session.state.type === "I" ? "I" : "A";
  await turn.ensureType("I", {
    signal
  });
  await sendRestart(turn, 0, {
    signal
  });
  session.hasRestart = false;
  if (type === void 0) await turn.ensureType(before, {
    signal
  });
}
async function setRestart(turn, { rest, signal }) {
  if (rest !== void 0) await sendRestart(turn, rest, {
    signal
  });
}
async function sendRestart(turn, rest, options) {
  const { session } = turn;
  session.hasRestart = true;
  const command = restartCommand(rest);
  let reply;
  try {
    reply = await turn.exchange(command, options);
  } catch (error) {
    if (error instanceof FTPError) session.hasRestart = false;
    throw error;
  }
  const offset = parseRestart(reply);
  if (offset === null || !/^\d{1,15}$/.test(`${rest}`)) return;
  if (offset === Number(rest)) return;
  throw new FTPReplyError(`Cannot complete "REST ${rest}": the server restarts at ${offset} instead: ${reply.text}`, {
    reply,
    command: `REST ${rest}`
  });
}
async function begin(session, command, channel2, { signal, advice, rest, onOpen, onSend, early }) {
  const { control, protection, options } = session;
  signal?.throwIfAborted();
  onSend();
  const pending = control.send(command, {
    kind: "transfer",
    advice
  });
  const writing = early && writeEarly(session, channel2, early);
  let stream;
  let reply;
  const delayed = new DelayedSignal(signal, protection === void 0 ? 0 : OPEN_GRACE);
  try {
    const { signal: signal2 } = delayed;
    reply = await control.wait(pending.first, signal2);
    if (reply.code >= 300) throw refusal(session, reply, pending.command);
    session.hasRestart = false;
    onOpen?.(reply);
    const raw = channel2.stream ?? await connectUnlessRefused(channel2, pending, session, signal2);
    const secured = protection === void 0 ? raw : await session.untilEnded(signal2, (signal3) => protection.secure(raw, signal3));
    stream = decompress(session, secured);
  } catch (cause) {
    channel2.close();
    const error = signal?.aborted ? signal.reason : cause;
    if (pending.isSettled && control.open !== pending) throw error;
    const explained = signal?.aborted ? await abortOwed(session, pending).then(() => error) : await explain(session, pending, error);
    session.doubt(pending.command);
    control.acknowledge(pending);
    throw explained;
  } finally {
    delayed.release();
  }
  const isLate = signal?.aborted === true;
  const data = new DataStream(stream, {
    timeout: options.timeout,
    signal: isLate ? void 0 : signal,
    onAbort: (reason) => transfer.interrupt(reason),
    holds: protection !== void 0 && !isUpload(command),
    ended: session.ended,
    ticker: control.ticker,
    command: () => pending.command
  });
  const isUsual = reply.code === 150 || reply.code === 125;
  const size = isUsual ? parse150(reply) : null;
  const file = sizedFile(session, command, rest);
  const transfer = new Transfer(session, pending, data, size, file);
  transfer.onForget = observeTransfer(control.id, pending, data, size);
  if (early && writing) transfer.early = {
    bytes: early.length,
    writing
  };
  session.transfer = transfer;
  if (isLate) {
    await transfer.abort();
    throw signal.reason;
  }
  return transfer;
}
function writeEarly(session, { stream }, bytes2) {
  const mayWrite = session.profile.acceptsLate && !isCompressed(session) && session.protection === void 0;
  if (stream === void 0 || !mayWrite) return void 0;
  const write2 = async () => {
    await writeAll(stream, bytes2);
    await stream.closeWrite();
  };
  const writing = write2();
  writing.catch(() => {
  });
  return writing;
}
async function connectUnlessRefused(channel2, pending, session, signal) {
  const { promise: refused, reject } = Promise.withResolvers();
  pending.final.then((reply) => {
    if (reply.code >= 400) reject(refusal(session, reply, pending.command));
  }, reject);
  const connected2 = channel2.connect(signal);
  try {
    return await Promise.race([
      connected2,
      refused
    ]);
  } catch (error) {
    connected2.then((stream) => stream.close()).catch(() => {
    });
    throw error;
  }
}

// lib/transfer/source.ts
function checkBlocksize(blocksize) {
  if (Number.isSafeInteger(blocksize) && blocksize > 0) return;
  throw new RangeError(`Cannot use blocks of ${blocksize} bytes: blocksize must be a positive integer`);
}
var ADVICE2 = "pass a ReadableStream, an iterable of Uint8Array, a Blob, a Uint8Array or an open file";
var MAX_EMPTY_READS = 100;
var readGenerators = /* @__PURE__ */ new WeakSet();
function chunksOf(source, blocksize) {
  checkSource(source);
  if (source instanceof Uint8Array) return slices(source, blocksize);
  if (source instanceof Blob) return checked(source.stream());
  return isIterable(source) ? checked(source) : readPieces(source, blocksize);
}
function checkSource(source) {
  const kind = kindOf2(source);
  if (source instanceof Uint8Array || source instanceof Blob) return;
  if (ArrayBuffer.isView(source) || kind === "ArrayBuffer") {
    throw new TypeError(`Cannot upload from a value of type object (${kind}): new Uint8Array(${kind === "ArrayBuffer" ? "it" : "it.buffer, it.byteOffset, it.byteLength"}) contains its bytes`);
  }
  const isReader = hasMethod(source, "read");
  if (typeof source === "string" || !(isReader || isIterable(source))) {
    throw new TypeError(`Cannot upload from ${typeof source === "string" ? "a string" : source === null || source === void 0 ? source : `a value of type ${typeof source} (${kind})`}: ${ADVICE2} (new TextEncoder().encode(text) converts text)`);
  }
  if (Array.isArray(source)) {
    for (const chunk of source) checkChunk(chunk);
  }
  const isSpent = source instanceof ReadableStream ? isUsed(source) : readGenerators.has(source);
  if (!isSpent) return;
  throw new TypeError(`Cannot upload from a source (${kind}) that is locked or was read before: its bytes may be lost (stream.pipeThrough(new TransformStream()) returns the rest of a stream)`);
}
function kindOf2(value) {
  return Object.prototype.toString.call(value).slice(8, -1);
}
function isUsed(stream) {
  try {
    new Response(stream);
    return false;
  } catch {
    return true;
  }
}
function isIterable(value) {
  return hasMethod(value, Symbol.asyncIterator) || hasMethod(value, Symbol.iterator);
}
function hasMethod(value, name) {
  return typeof value?.[name] === "function";
}
async function* slices(bytes2, blocksize) {
  for (let start = 0; start < bytes2.length; start += blocksize) {
    yield bytes2.subarray(start, start + blocksize);
  }
}
async function* readPieces(reader, blocksize) {
  const buffer2 = new Uint8Array(blocksize);
  for (let empty = 0; empty < MAX_EMPTY_READS; ) {
    const n = await reader.read(buffer2);
    if (n === null) return;
    if (!Number.isInteger(n) || n < 0 || n > blocksize) {
      throw new TypeError(`Cannot upload from a reader whose read() returns ${String(n)}: it must return the number of bytes, 1 to ${blocksize} here, or null at the end`);
    }
    if (n > 0) {
      empty = 0;
      yield buffer2.subarray(0, n);
    } else {
      empty++;
      await new Promise((resolve2) => setTimeout(resolve2, 0));
    }
  }
  throw new TypeError(`Cannot upload from a reader whose read() returns 0, ${MAX_EMPTY_READS} times in a row: it must return null at the end`);
}
function checked(chunks) {
  return {
    [Symbol.asyncIterator]() {
      let iterator;
      let isEnded = false;
      async function end() {
        const wasEnded = isEnded;
        isEnded = true;
        if (!wasEnded) await iterator?.return?.();
        return {
          done: true,
          value: void 0
        };
      }
      return {
        async next() {
          let result;
          try {
            result = await (iterator ??= iteratorOf(chunks)).next();
          } catch (error) {
            isEnded = true;
            throw error;
          }
          if (result.done) {
            isEnded = true;
            return result;
          }
          if (!(result.value instanceof Uint8Array)) await end();
          checkChunk(result.value);
          return result;
        },
        return: end
      };
    }
  };
}
function iteratorOf(chunks) {
  if (kindOf2(chunks).endsWith("Generator")) readGenerators.add(chunks);
  if (chunks instanceof ReadableStream) return readerOf(chunks);
  return Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
}
function readerOf(stream) {
  const reader = stream.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      if (!done) return {
        done,
        value
      };
      reader.releaseLock();
      return {
        done,
        value: void 0
      };
    },
    async return() {
      await reader.cancel();
      reader.releaseLock();
      return {
        done: true,
        value: void 0
      };
    }
  };
}
function checkChunk(chunk) {
  if (chunk instanceof Uint8Array) return;
  throw new TypeError(`Cannot upload a chunk of type ${typeof chunk}: the source must return Uint8Array`);
}

// lib/transfer/receive.ts
var PIECE_SIZE2 = 64 * 1024;
async function receiveBlocks(session, command, callback, options) {
  const { blocksize, reuse = false } = options;
  checkBlocksize(blocksize);
  checkFunction("callback", callback);
  return await receive(session, command, options, async ({ data }) => {
    await data.readToEnd((bytes2, isOwn2) => {
      const cut = reuse || isOwn2 ? blocksIn : freshBlocksOf;
      return callEach(cut(bytes2, blocksize), callback, data);
    }, {
      keep: !reuse
    });
  });
}
function* freshBlocksOf(bytes2, blocksize) {
  for (let start = 0; start < bytes2.length; start += PIECE_SIZE2) {
    yield* blocksIn(bytes2.slice(start, start + PIECE_SIZE2), blocksize);
  }
}
function* blocksIn(bytes2, blocksize) {
  for (let at = 0; at < bytes2.length; at += blocksize) {
    yield bytes2.subarray(at, at + blocksize);
  }
}
function callEach(blocks, callback, data) {
  for (let next = blocks.next(); !next.done; next = blocks.next()) {
    const wait = waitFor(data, callback(next.value));
    if (wait !== void 0) {
      return wait.then(() => callEach(blocks, callback, data));
    }
  }
  return void 0;
}
async function receiveLines(session, command, callback, options) {
  checkFunction("callback", callback);
  const text = {
    ...options,
    type: "A"
  };
  const take = async (transfer) => {
    const { data } = transfer;
    for await (const lines of lineBatches(session, transfer)) {
      for (const line of lines) {
        const wait = waitFor(data, callback(line));
        if (wait !== void 0) await wait;
      }
    }
  };
  for (let asked = 1; ; asked++) {
    try {
      return await receive(session, command, text, take);
    } catch (error) {
      if (!mayAskAgain(error, command, asked)) throw error;
    }
  }
}
var TEXT_READ_SIZE = 64 * 1024;
async function* lineBatches(session, transfer) {
  const { encoding } = session.control;
  const { maxLine } = session.options;
  const decoder2 = new LineDecoder((bytes2) => encoding.decode(bytes2), maxLine);
  for await (const piece of pieces(transfer)) yield decoder2.push(piece);
  if (!transfer.mayEndInLine) yield decoder2.end();
}
async function* lineBlocks(session, transfer) {
  const blocks = new LineBlocks(session.options.maxLine);
  for await (const piece of pieces(transfer)) {
    const block = blocks.push(piece);
    if (block !== void 0) yield block;
  }
  const rest = transfer.mayEndInLine ? void 0 : blocks.end();
  if (rest !== void 0) yield rest;
}
async function* pieces({ data }) {
  const buffer2 = new Uint8Array(TEXT_READ_SIZE);
  const pauses = new PauseTimer();
  while (true) {
    if (pauses.isDue) await pauses.pause();
    const n = await data.read(buffer2);
    if (n === null) break;
    yield buffer2.subarray(0, n);
  }
}
async function* iterateLineBlocks(session, command, options) {
  for (let asked = 1; ; asked++) {
    try {
      return yield* iterateOnce(session, command, options);
    } catch (error) {
      if (!mayAskAgain(error, command, asked)) throw error;
    }
  }
}
async function* iterateOnce(session, command, options) {
  const text = {
    ...options,
    type: "A",
    advice: "finish the loop or break out of it, or collect its results first (Array.fromAsync)"
  };
  const transfer = await session.exclusive((turn) => openTransfer(turn, command, text), options);
  let isComplete = false;
  try {
    yield* lineBlocks(session, transfer);
    isComplete = true;
  } catch (error) {
    throw await transfer.failed(error, options);
  } finally {
    if (!isComplete) await transfer.abort();
  }
  await transfer.finish(options);
}
async function receive(session, command, options, consume) {
  return await session.control.ticker.during(async () => {
    const transfer = await session.exclusive((turn) => openTransfer(turn, command, options), options);
    return await transfer.complete(() => consume(transfer), options);
  });
}

// lib/transfer/kept_lines.ts
var LINE_SIZE = 64;
async function keepLines(session, command, options) {
  const { maxListing } = session.options;
  const { argument = "" } = command;
  const lines = [];
  let size = 0;
  await receiveLines(session, command, (line) => {
    size += line.length + LINE_SIZE;
    if (size > maxListing) throw tooLarge(String(argument), maxListing);
    lines.push(line);
  }, options);
  return lines;
}
function tooLarge(path, maxListing) {
  return new RangeError(`Cannot list ${quote(path)}: its entries take more than ${maxListing} bytes, the most that "maxListing" allows`);
}

// lib/transfer/listener.ts
var Listener = class {
  #errorOf;
  #failure;
  /** Creates a listener. */
  constructor(errorOf = (fault) => fault) {
    this.#errorOf = errorOf;
  }
  /**
   * Calls a callback. Returns its promise, which the caller may ignore.
   *
   * @throws {unknown} If the callback throws, or an earlier one has failed
   */
  call(run2) {
    this.check();
    let result;
    try {
      result = run2();
    } catch (fault) {
      throw this.#failed(fault);
    }
    if (!isThenable(result)) return void 0;
    const told = Promise.resolve(result).catch((fault) => {
      throw this.#failed(fault);
    });
    told.catch(() => {
    });
    return told;
  }
  /** Wraps a callback, so that it is called as by {@linkcode call}. */
  heard(callback) {
    return callback && ((...args) => this.call(() => callback(...args)));
  }
  /**
   * Reports the failure of a callback.
   *
   * @throws {unknown} If a callback has failed
   */
  check() {
    if (this.#failure !== void 0) throw this.#failure.error;
  }
  /**
   * Like {@linkcode check}, after the last call: waits long enough for an async
   * callback that failed at once, but not for one that is still running.
   */
  async settle() {
    await void 0;
    this.check();
  }
  #failed(fault) {
    this.#failure ??= {
      error: this.#errorOf(fault)
    };
    return this.#failure.error;
  }
};

// lib/listing/infer_zone.ts
var QUARTER = 15;
var WEST = -12 * 60;
var EAST = 14 * 60;
var MINUTE2 = 6e4;
function inferZone(entry, mdtm, zone = 0) {
  const { mtime, mtimePrecision } = entry;
  if (mtime === void 0 || mtimePrecision === "day") return void 0;
  const minutes = (mtime.getTime() - mdtm.getTime()) / MINUTE2 + zone;
  const rounded = Math.round(minutes / QUARTER) * QUARTER;
  if (Math.abs(minutes - rounded) > 1) return void 0;
  return rounded < WEST || rounded > EAST ? void 0 : rounded + 0;
}

// lib/directories/change_directory.ts
init_printable();
var NAME_FORMAT = "SITE NAMEFMT";
var NAME_FORMAT_COMMAND = {
  verb: "SITE",
  argument: "NAMEFMT 1"
};
async function enterDirectory(turn, path, options, onSent) {
  const origin = await originOf(turn, path, options);
  if (origin === void 0) return void 0;
  try {
    const entering = turn.perform({
      verb: "CWD",
      argument: path,
      name: "path"
    }, options);
    onSent?.();
    await entering;
  } catch (error) {
    if (isRefusal(error)) turn.session.state.directory = origin;
    else await returnTo(turn, origin);
    throw error;
  }
  return (other = turn) => returnTo(other, origin);
}
async function isDirectory(turn, path, options) {
  const directory = path.length === 0 ? "." : path;
  try {
    if (directory === ".") {
      const current = await requestDirectory(turn, options);
      if (current.startsWith("'")) {
        return !current.endsWith(".'") || await hasNames(turn, "", options);
      }
    }
    const leave = await enterDirectory(turn, directory, options);
    if (leave === void 0) return false;
    try {
      const { lastReply } = turn.session.control;
      const isPrefix = PREFIX_REGEXP.test(lastReply.text);
      return !isPrefix || await hasNames(turn, "", options);
    } finally {
      await leave();
    }
  } catch (error) {
    if (!isNoDirectory(error)) throw error;
    return false;
  }
}
function isNoDirectory(error) {
  if (error instanceof FTPPermanentError) return true;
  const reply = replyOf(error);
  if (reply?.code !== 451) return reply?.code === 450;
  return /\b(no such (file|dir)|not a directory)/i.test(reply.text);
}
var PREFIX_REGEXP = /^250\b.*\bworking directory name prefix\b/i;
function isDataSet(session, path) {
  const text = textOfPath(session, path);
  return text.startsWith("'") || !text.startsWith("/") && session.state.directory?.startsWith("'") === true;
}
var LIBRARY_REPLY_REGEXP = /^250\b.*\bpartitioned data ?set\b/i;
async function dataSetKind(turn, path, options) {
  if (!path.startsWith("'")) await requestDirectory(turn, options);
  const { session } = turn;
  if (!isDataSet(session, path)) return void 0;
  if (isCurrentDirectory(path)) {
    return session.state.directory.endsWith(".'") ? "prefix" : "library";
  }
  const leave = await enterDirectory(turn, path, options);
  try {
    const text = leave === void 0 ? "" : session.control.lastReply.text;
    if (PREFIX_REGEXP.test(text)) return "prefix";
    return LIBRARY_REPLY_REGEXP.test(text) ? "library" : void 0;
  } finally {
    await leave?.();
  }
}
async function hasNames(turn, path, { signal }) {
  const options = {
    signal,
    type: "A"
  };
  const command = withPath("NLST", path);
  const transfer = await openTransfer(turn, command, options);
  let size = 0;
  let first = 0;
  const enough = new Error("enough names came");
  try {
    await transfer.complete((data) => data.readToEnd((bytes2) => {
      size += bytes2.length;
      first ||= performance.now();
      const time = performance.now() - first;
      if (size > MAX_NAMES_SIZE || time > MAX_NAMES_TIME) throw enough;
    }), options);
  } catch (error) {
    if (error !== enough) throw error;
  }
  return size > 0;
}
var MAX_NAMES_SIZE = 64 * 1024;
var MAX_NAMES_TIME = 2e3;
var LIBRARY_REGEXP = /^[A-Z$#@][A-Z0-9$#@_.]{0,9}$/;
async function originOf(turn, path, options) {
  const { session } = turn;
  const origin = await requestDirectory(turn, options);
  const isOneWay = textOfPath(session, path).startsWith("/") && LIBRARY_REGEXP.test(origin);
  if (!isOneWay) return origin || void 0;
  if (session.profile.lacks(NAME_FORMAT)) return void 0;
  try {
    const { text } = await turn.perform({
      verb: "SYST"
    }, options);
    if (/\bOS\/400\b/i.test(text)) {
      await turn.perform(NAME_FORMAT_COMMAND, options);
    }
  } catch (error) {
    if (!(error instanceof FTPError) || error.reply?.code === 421) throw error;
  }
  const directory = await requestDirectory(turn, options);
  if (!LIBRARY_REGEXP.test(directory)) return directory || void 0;
  session.profile.noteLacking(NAME_FORMAT);
  return void 0;
}
async function returnTo(turn, origin) {
  const { session } = turn;
  try {
    if (session.control.failure !== void 0) return;
    await turn.perform({
      verb: "CWD",
      argument: origin
    });
  } catch (error) {
    const failure3 = connectionError(error, (message) => `Cannot return to ${quote(origin)}, so the connection is closed: ${message}`);
    if (!isRefusal(error)) return session.control.giveUp(failure3);
    session.control.fail(failure3);
    throw failure3;
  } finally {
    session.state.directory = origin;
  }
}

// lib/directories/end_listing.ts
init_waiting();
var MAX_DRAIN_SIZE = 4 * 1024 * 1024;
var MAX_DRAIN_TIME = 250;
function leaveBehind({ transfer, leave }) {
  if (!transfer.takesBehind) return;
  transfer.askBehind((turn) => {
    leave(turn).catch(() => {
    });
  });
}
async function finish({ transfer, leave }, signal) {
  try {
    return await transfer.finish({
      signal
    });
  } finally {
    await leave();
  }
}
async function fail({ transfer, leave }, error, signal) {
  const reason = await transfer.failed(error, {
    signal
  });
  await leave();
  return reason;
}
async function stop({ transfer, leave }, buffer2) {
  try {
    const isRead = transfer.data.isEnded || await settle(drain2(transfer, buffer2), MAX_DRAIN_TIME);
    if (isRead === true) {
      await transfer.finish().catch(() => {
      });
    } else {
      await transfer.abort();
    }
  } finally {
    await leave();
  }
}
async function drain2({ data }, buffer2) {
  for (let size = 0; size < MAX_DRAIN_SIZE; ) {
    const n = await data.read(buffer2);
    if (n === null) return true;
    size += n;
  }
  return false;
}

// lib/listing/listing_options.ts
var MAX_LISTING_LINE = 65535;
var DEFAULT_SLACK = 864e5;

// parser/parser.wasm
var __deno_wasm_bytes__ = Uint8Array.from(atob("AGFzbQEAAAABahBgAn9/AX9gAAF/YAN/f38Bf2AEf39/fwF/YAJ/fwBgAX8Bf2AFf39/f38Bf2AGf39/fH9/AX9gBX9/f39+AGADf398AX9gA39/fwBgBH9/f3wAYAR/f39/AGAAAGABfwBgBX9/f3x8AX8DMjEGBwQAAwIIAAAJCgALDAAADQ4FAQEBAAAAAAAEAAADAAACAAICAAMPAgEBAQEFAQECBQQBAQQEBqABGn8BQQALfwFBAAt/AUEAC3wBRAAAAAAAAAAAC3wBRAAAAAAAAAAAC38BQbIPC38BQQALfwFBAAt/AUEAC3wBRAAAAAAAAAAAC38BQQALfwFBAAt8AUQAAAAAAAAAAAt/AUEAC38BQQALfwFBAAt/AUEAC38BQQALfwFBAAt/AUEAC38BQQALfwFBAAt/AUEAC38BQQALfwFBAAt/AUEACwfZAQ4RY29uc3VtZWRGYWN0Qnl0ZXMALwlmYWN0V29yZHMALglzY2FuRmFjdHMALQxpbnB1dEFkZHJlc3MALAlpbnB1dFNpemUAKwxzdGF0ZUFkZHJlc3MAKg1jb25zdW1lZEJ5dGVzACkObGlzdGluZ0FkZHJlc3MAFQtzY2FuTGlzdGluZwAnEXJlcGx5Q29kZXNBZGRyZXNzABUQcmVwbHlFbmRzQWRkcmVzcwAUEnJlcGx5U3RhcnRzQWRkcmVzcwATC3NjYW5SZXBsaWVzABIGbWVtb3J5AgAIARAMASQKid0BMdoEAgR/AXwgAyAETwR/QQEFIAMtAAAiBUEJRiAFQSBGcgtFBEBBAA8LIAMhBQNAIAQgBUsEfyAFLQAAIgZBCUYgBkEgRnIFQQALBEAgBUEBaiEFDAELCyAFIARBABAFBH8jDSIFIARPBH9BAQUgBS0AACIFQQlGIAVBIEZyCwVBAAtFBEAgAyAESQR/IAMtAAAFQQALIgVBCUYgBUEgRnIiBQRAIANBAWogBEkEfyADLQABBUEACyIFQQlGIAVBIEZyIQULIAUEfyADQQJqIARJBH8gAy0AAgVBAAsiBEEJRiAEQSBGcgVBAAskDyAAIAEgAkQAAAAAAAAAAEEDIANBAWogAyAFGxABDwsjDCEJIw0hBiMOBEAgBiEDA0AgAyAESQR/IAMtAAAiBUEJRiAFQSBGcgVBAAsEQCADQQFqIQMMAQsLIAMgBEkEfyADLQAABUEACyIIQS1GIAhBK0ZyBH8gA0EBaiEFA0AgBCAFSwR/IAUtAABBMGtBCkkFQQALBEAgBUEBaiEFDAELCyAFIANBBWpGBUEACwR/IANBBWogBE8Ef0EBBSADLQAFIgRBCUYgBEEgRnILBUEACwRAIANBAWohBCADQQVqIQUDQCAEIAVJBEAgBC0AAEEwayAHQQpsaiEHIARBAWohBAwBCwsgACABIAIgCUEBIANBBWoQAUUEQEEADwsjCSAHQeQAbUE8bCAHQeQAb2q3RAAAAAAATO1AoiIJmiAJIAhBK0YbRAAAAAAAAAAAIwOhoaAkCUEBDwsLIAAgASACIAlBAUECIw4bIAYQAQuSAgEBfyABQQBMIAFBDEpyIABBAExyIAJBAExyBEBBAA8LIAFBAkYEf0EcQR0gAEEDcQR/QQEFIABB5ABvBH9BAAUgAEGQA28LCxsFIAEgAUEDdWpBAXFBHmoLIAJIBEBBAA8LIABBAWsgACABQQJMGyIAQZADbSEGIAFBA2sgAUEJaiABQQJKG0GZAWxBAmpBBW0gAmoiASAAIAZBkANsayICQe0CbCACQQRtaiACQeQAbWtqIAZBsfUIbGpB7fQrayQKIAAgAEGQA20iAEGQA2xrIgJB7QJsIAJBBG1qIAJB5ABtayABaiAAQbH1CGxqQe30K2u3RAAAAABwmZRBoiADoCMDoSQJIAQkCyAFJAhBAQuLAwEBfiMHIABBgOALazYCQCMHIAFBgOALazYCRCABIABrIgBBCE0EfiABQQhrKQMAQrDgwIGDhoyYMIVCf0IIIACtfUIDhoaDIgJCCn4gAkIIiHxC/4H8h/CfwP8AgyICQuQAfiACQhCIfEL//4OA8P8/gyICQpDOAH4gAkIgiHxC/////w+DBSAAQRBNBH4gAUEQaykDAEKw4MCBg4aMmDCFQn9CCCAAQQhrrX1CA4aGgyICQgp+IAJCCIh8Qv+B/Ifwn8D/AIMiAkLkAH4gAkIQiHxC//+DgPD/P4MiAkKQzgB+IAJCIIh8Qv////8Pg0KAwtcvfiABQQhrKQMAQrDgwIGDhoyYMIUiAkIKfiACQgiIfEL/gfyH8J/A/wCDIgJC5AB+IAJCEIh8Qv//g4Dw/z+DIgJCkM4AfiACQiCIfEL/////D4N8BUJ/CwsiAkL/////////D1gEQCMHIAK6OQMwIwcjBygCCEH/eXFBgAJyNgIIBSMHIwcoAghB/3lxQYAEcjYCCAsL+AYBB38gASAAa0EDSwR/IAAtAAMiBEEJRiAEQSBGcgVBAAsEQCAALQACIAAtAABBEHQgAC0AAUEIdHJyQaDAgAFyIgRBme2o4gJsQRx2QQJ0QfARaigCACIHQf8BcUEAIAdBCHYgBEYbIgQEQCAAQQNqJAYgBA8LCyAAQRhqIAEgASAAa0EYSxshB0EAIQEDQCAAIAdJBEACQAJAIAAtAAAiCEGAAU8EQCAFQQh0IAhyIAUgA0EDSBshBSAGIAZBCHQgCHIgAyIEQQFqIgNBAXEgBEEGTnIbIQYMAQsgCEEgckHhAGtBGk8NASABIgRBAWohASAEQQRIBEAgAkEIdCAIckEgciECCwsgAEEBaiEADAILCwsgACQGIANFBEAgAUEDSARAQQAPCyABQQROBH9BACEAQZwIKAIAQQJ2IQMCfwNAIAAgA0gEQCACIABBAnQiBEGgCGooAgBGBEAgBEGkCGooAgAMAwsgAEECaiEADAELC0EACwVBAAsiAARAIAAPCyACQQh2IAIgAUEEThsiAUGZ7ajiAmxBHHZBAnRB8BFqKAIAIgBB/wFxQQAgAEEIdiABRhsiAAR/IAAFQQAhAEGcCCgCAEECdiECAn8DQCAAIAJIBEAgASAAQQJ0IgNBoAhqKAIARgRAIANBpAhqKAIADAMLIABBAmohAAwBCwtBAAsLDwsgAUUEQEEBIAVBwIGDBnFBwIGDBkdBASADQQNIIANBBk4Ef0EAIQBB/A4oAgBBAnYhAQJ/A0AgACABSARAIAYgAEECdCICQYAPaigCAEYEQCACQYQPaigCAAwDCyAAQQJqIQAMAQsLQQALBUEACyIAGxsEQCAADwsgBUGgwIABciEBQQAhAEH8DygCAEECdiECAn8DQCAAIAJIBEAgASAAQQJ0IgNBgBBqKAIARgRAIANBhBBqKAIADAMLIABBAmohAAwBCwtBAAsPC0EAIQBB7AwoAgBBAnYhA0EBIAFBBEgCfwNAIAAgA0gEQCACIABBAnQiAUHwDGooAgBGBEAgAUH0DGooAgAMAwsgAEECaiEADAELC0EACyIAGwR/IAAFIAJBCHYhAUEAIQBB7AwoAgBBAnYhAgJ/A0AgACACSARAIAEgAEECdCIDQfAMaigCAEYEQCADQfQMaigCAAwDCyAAQQJqIQAMAQsLQQALCwvNBgIFfwF8AkAgAEUgAUEATHIgAUEfSnINACACIQUDQCACIANJBH8gAi0AACIEQQlGIARBIEZyBUEACwRAIAJBAWohAgwBCwsgAiADSQR/IAItAAAFQQALQTBrQQpPDQAgAiEEA0AgAyAESwR/IAQtAABBMGtBCkkFQQALBEAgBEEBaiEEDAELCyAEIAJrIghBBEYEQCACIAVrQQFGJA8gAiEFIAQhAgNAIAIgBUsEQCAFLQAAQTBrIAZBCmxqIQYgBUEBaiEFDAELCyACIQQDQCACIANJBH8gAi0AAEGAAU8FQQALBEAgAkEBaiECDAELCyACQQFqIAIgAiAEQQFqRgR/IAQtAABBlAFGBUEACwR/IAIgA0kEfyACLQAABUEAC0HOAEYFQQALGyICIANPBH9BAQUgAi0AACIDQQlGIANBIEZyCwRAIAYgACABRAAAAAAAAAAAQQMgAhABDwsMAQsgAiADQQAQBUUEQCADIARLBH8gBC0AAAVBAAtBOkcEf0EBBSAEQQFqIANJBH8gBC0AAQVBAAtBMGtBCk8LDQEgCEECSwR/QQAFIARBAmogA08Ef0EBBSAELQACIgNBCUYgA0EgRnILC0UNAQNAIAIgBEkEQCACLQAAQTBrIAZBCmxqIQYgAkEBaiECDAELCyAGQRdKDQEgBEEBaiECIARBAmohAwNAIAIgA0kEQCACLQAAQTBrIAdBCmxqIQcgAkEBaiECDAELCyAAIAEgBkE8bCAHardEAAAAAABM7UCiIgkQCSAAIAEgCUECIARBAmoQAQ8LIw0iAiADTwR/QQEFIAItAAAiAkEJRiACQSBGcgtFDQAjDgRAIw0hAgNAIAIgA0kEfyACLQAAIgRBCUYgBEEgRnIFQQALBEAgAkEBaiECDAELCyACIQQDQCACIANJBH8gAi0AAEEwa0EKSQVBAAsEQCACQQFqIQIMAQsLIAIgBGtBBEYEfyACIANPBH9BAQUgAi0AACIDQQlGIANBIEZyCwVBAAsEQANAIAIgBEsEQCAELQAAQTBrIAZBCmxqIQYgBEEBaiEEDAELCyAGIAAgASMMQQEgAhABDwsLIAAgASMMEAkgACABIwxBAUECIw4bIw0QAQ8LQQAL3wUBBH8gACEDA0AgASADSwR/IAMtAABBMGtBCkkFQQALBEAgA0EBaiEDDAELCyAAIANGIAMgAGtBAktyBH9BAQUgASADSwR/IAMtAAAFQQALQTpHCwRAQQAPCwNAIAAgA0kEQCAALQAAQTBrIAZBCmxqIQYgAEEBaiEADAELCyADQQFqIgAhAwNAIAEgA0sEfyADLQAAQTBrQQpJBUEACwRAIANBAWohAwwBCwsgAyAAa0ECRwRAQQAPCwNAIAAgA0kEQCAALQAAQTBrIARBCmxqIQQgAEEBaiEADAELCyAEIQVBACEEQQAkDiABIANLBH8gAy0AAAVBAAtBOkYEQCADQQFqIgAhAwNAIAEgA0sEfyADLQAAQTBrQQpJBUEACwRAIANBAWohAwwBCwsgAyAAa0ECRwRAQQAPCwNAIAAgA0kEQCAALQAAQTBrIARBCmxqIQQgAEEBaiEADAELC0EBJA4gASADSwR/IAMtAAAFQQALQS5GBH8gA0EBaiABSQR/IAMtAAEFQQALQTBrQQpJBUEACwRAIANBAWohAANAIAAgAUkEfyAALQAAQTBrQQpJBUEACwRAIABBAWohAAwBCwsgACEDCwsgBkEYRiIABEAgBUUhAAsgAARAIARFIQALIAJFIAAgABtFIAZBF0pxIAVBO0pyIARBPEpyBEBBAA8LIAIEQCADIQADQCAAIAFJBH8gAC0AACICQQlGIAJBIEZyBUEACwRAIABBAWohAAwBCwsgACABSQR/IAAtAAAFQQALQSByIgJB8ABGIAJB4QBGcgRAIAEgAEEBaiIASwR/IAAtAAAFQQALQSByQe0ARgRAIABBAWohAAsgACABTwR/QQEFIAAtAAAiAUEJRiABQSBGcgtFIAZBDEpyBEBBAA8LIAZBDG9BDEEAIAJB8ABGG2ohBiAAIQMLCyAGQTxsIAVqQTxsIARqt0QAAAAAAECPQKIkDCADJA1BAQv9AQAjByMHKAIIQXBxIAByNgIIIAFBAE4EQCMHIAE2AiwjByMHKAIIQYAgcjYCCAsjByMHKAIIQU9xQSByNgIIIABBA0YEQEEAIQEgAiEAA0AgAEEEaiADTQRAAkAgACgCAEGg2viBAkYEQCABIAAgARshASADIABrQQRrrSAEUQRAIAAhAQwCCwsgAEEBaiEADAILCwsgAQRAIwcgAkGA4AtrNgIMIwcgAUGA4AtrNgIQIwcgAUH83wtrNgIUIwcgA0GA4AtrNgIYBSMHIAJBgOALazYCDCMHIANBgOALazYCEAsFIwcgAkGA4AtrNgIMIwcgA0GA4AtrNgIQCwvDAQECfyAALQABIQIgAC0AACIDQS1HIANB8gBHcQR/QQEFIAJBLUcgAkH3AEdxCwR/QX8FQQRBACADQfIARhtBAkEAIAJB9wBGG3ILIgJBAEgEQEF/DwsCQAJAAkACQCAALQACIgBBLUcEQCAAQfgARg0BIABB8wBGDQIgAEH0AEYNAiAAQdMARg0DIABB1ABGDQMgAEHMAEYNAyAAQewARg0DDAQLIAIPCyACQQFyDwsgAkEBciABcg8LIAEgAnIPC0F/C+gDAQV/QQAkDyAALQAAIgJBMGtBCkkEQCAAIQIDQCABIAJLBH8gAi0AAEEwa0EKSQVBAAsEQCACQQFqIQIMAQsLIAIgAGsiBEEDRiAEQQRLcgRAQQAPCyABIAJLBH8gAi0AAAVBAAsiA0EvRiADQS1GcgR/QQEFIANBLkYEfyACQQFqIAFJBH8gAi0AAQVBAAtBMGtBCkkFQQALCwRAIAAgAiADIAEQJg8LIAJBAWogAiADQS5GGyIFIQMDQCABIANLBH8gAy0AACIGQQlGIAZBIEZyBUEACwRAIANBAWohAwwBCwsgASADSwR/IAMtAAAFQQALIQYgBEECTSADIAVLcQR/IAZBIHJB4QBrQRpJIAZBgAFPcgVBAAsEQCADIAEQAyIFRQRAQQAPCyMGIQQDQCABIARLBH8gBC0AAAVBAAtBLkYEf0EBBSABIARLBH8gBC0AAAVBAAtBLEYLBEAgBEEBaiEEDAELCyABIARLBH8gBC0AAAVBAAsiA0EJRiADQSBGcgR/QQAhAwNAIAAgAkkEQCAALQAAQTBrIANBCmxqIQMgAEEBaiEADAELCyAFIAMgBCABEAQFQQALDwsgACACIAEQJA8LIAJBgAFJIAJBIHJB4QBrQRpPcQRAQQAPCyAAIAEQJQvLAQEEfyMFIgNBAWsgAyAAQQJMGyIEQZADbSEGIANBAWsgAyMEIABBA2sgAEEJaiAAQQJKG0GZAWxBAmpBBW0gAWogBCAGQZADbGsiBEHtAmwgBEEEbWogBEHkAG1raiAGQbH1CGxqQe30K2u3RAAAAABwmZRBoiACoGMbIQMgAUEdRiAAQQJGcQRAA0AgBUEISAR/IANBA3EEf0EBBSADQeQAbwR/QQAFIANBkANvCwsFQQALBEAgA0EBayEDIAVBAWohBQwBCwsLIAMLtgEBAX8gACEDA0AgASADSgR/QYggKAIAIANqIABrQQRIBUEACwRAQYQgQYQgKAIAIAIgA2otAABBiCAoAgAgA2ogAGtBA3R0cjYCACADQQFqIQMMAQsLIAEhAwNAIAAgA0gEfyACIANqQQFrLQAAQQ1GBUEACwRAIANBAWshAwwBCwtBjCAgASADayICIAEgAGtGBH9BjCAoAgAgAmoFIAILNgIAQYggQYggKAIAIAEgAGtqNgIAC6wBAQJ/A0AgACABSQR/IAAtAAAiAkEJRiACQSBGcgVBAAsEQCAAQQFqIQAMAQsLIAAhAgNAIAAgAUkEfyAALQAAQTBrQQpJBUEACwRAIABBAWohAAwBCwsgACABSSAAIAJLcQR/IAAtAAAiA0EJRiADQSBGcgVBAAsEQANAIAAgAUkEfyAALQAAIgJBCUYgAkEgRnIFQQALBEAgAEEBaiEADAELCwUgAiEACyAAC+sBAQF/IAFBAEwgAEEATHIgAUEMSnIgAkEATHIEQA8LIAJBHEoEfyABQQJGBH9BHEEdIABBA3EEf0EBBSAAQeQAbwR/QQAFIABBkANvCwsbBSABIAFBA3VqQQFxQR5qCyACSAVBAAsEQA8LIABBAWsgACABQQJMGyIAQZADbSEEIwcgAUEDayABQQlqIAFBAkobQZkBbEECakEFbSACaiAAIARBkANsayIAQe0CbCAAQQRtaiAAQeQAbWtqIARBsfUIbGpB7fQra7dEAAAAAHCZlEGiIAOgOQM4IwcjBygCCEG/fnFBwAByNgIIC6YEAgR/AXwgAiADSQR/IAItAABBLkYFQQALBEAgAkEBaiICIQQDQCACIANJBH8gAi0AAEEwa0EKSQVBAAsEQCACQQFqIQIMAQsLIAIgBEYEQA8LQQMgAiAEayIFIAVBA08bIgUgBGohBwNAIAQgB0kEQCAELQAAQTBrIAZBCmxqIQYgBEEBaiEEDAELCyAGtyEIA0AgBUEDSQRAIAhEAAAAAAAAJECiIQggBUEBaiEFDAELCwsgAyACQQFqIAIgAiADSQR/IAItAABBIHJB+gBGBUEACxtHBEAPCyABQQRqIQUgAUEGaiECQQAhAwNAIAIgBUsEQCAFLQAAQTBrIANBCmxqIQMgBUEBaiEFDAELCyADIQIgAUEGaiEEIAFBCGohBUEAIQMDQCAEIAVJBEAgBC0AAEEwayADQQpsaiEDIARBAWohBAwBCwsgAUEIaiEFIAFBCmohBkEAIQQDQCAFIAZJBEAgBS0AAEEwayAEQQpsaiEEIAVBAWohBQwBCwsgA0E7SiACQRdKciAEQTxKcgRADwsgAkE8bCADakE8bCAEardEAAAAAABAj0CiIAigIQggACABIQAgAUECaiECQQAhAwNAIAAgAkkEQCAALQAAQTBrIANBCmxqIQMgAEEBaiEADAELCyABQQJqIQIgAUEEaiEAQQAhAQNAIAAgAksEQCACLQAAQTBrIAFBCmxqIQEgAkEBaiECDAELCyADIAEgCBAMC9YHAgV/AX4gACgCAEGgwICBAnIhBCAAKAIEIgJB/wFxQT1GBEAgAEEFaiECIARB9PLBqwZGBEAgASACSwRAIAIoAgBBoMCAgQJyIQBBBCEEIAEgAmsiBUEERgRAIABB5tKxqwZGBH9BAQUgAEHs0rnbBkYEf0EDBSAAQfDIpZMHRiAAQePIpZMHRnIEfyMHIwcoAghBgBByNgIIQQIFQQQLCwshBAUgBUEDRgRAQQJBBCAAQf///wdxQeTSyQNGGyEEBQJ/QQBB7BUoAgBBAXYiBSABIAJrSw0AGkEAIQADQCAAIAVJBEBBACAAQQF0QfAVai8BACAAIAJqLQAAIgZBIHIgBiAGQcEAa0EaSRtHDQIaIABBAWohAAwBCwtBAQsEQAJ/QQBBnBYoAgBBAXYiACABIAJBCGoiBWtLDQAaA0AgACADSwRAQQAgA0EBdEGgFmovAQAgAyAFai0AACIGQSByIAYgBkHBAGtBGkkbRw0CGiADQQFqIQMMAQsLQQELBH9BAQUCf0EAQbwWKAIAQQF2IgMgASAFa0sNABpBACEAA0AgACADSQRAQQAgAEEBdEHAFmovAQAgACAFai0AACIGQSByIAYgBkHBAGtBGkkbRw0CGiAAQQFqIQAMAQsLQQELCwRAQQMhBANAIAEgAksEfyACLQAAQTpHBUEACwRAIAJBAWohAgwBCwsgASACSwRAIwcgAkH/3wtrNgIUIwcgAUGA4AtrNgIYCwsLCwsjByMHKAIIQXBxIARyNgIIC0EBDwsgBEHz0umjBkYgBEHz0umrBkZyBEAgASACSwR/An8gASACayIAQQhLBEAgAiEAA0AgACABSQR/IAAtAABBMGtBCkkFQQALBEAgAEEBaiEADAELCyAAIAFGDAELQn9BCCAAa0EDdKwiB4ZCf4VCsODAgYOGjJgwgyABQQhrKQMAIAeIIAeGhCIHQvDhw4ePnrz4cINCsODAgYOGjJgwhSAHQoaMmLDgwIGDBnxC8OHDh4+evPhwg0Kw4MCBg4aMmDCFhFALBUEACwRAIAIgARACC0EBDwsFIARB7d6RywZGBH8gAkH///8HcUGgwAByQeby9QFGBUEACwRAIABBB2oiACABSQRAIAAgARAbC0EBDwUgAkH/AXFBLkYgBEH13KXDB0ZxBEAgAEEFaiABEBoEQEEBDwsLCwsgAC0AAEE9RwRAAkADQCAAIAFJBEAgACAA/QAEAP0MPT09PT09PT09PT09PT09Pf0j/WQiA2hqIAFJIQIgAw0CIABBEGohAAwBCwtBACECCwVBACECCyACC50BAQF/IAAtAAAiAkEuRiACQSxGciACQSdGcgRAQQEPCyACQf8BRiACQaABRnIgAkGSAUZyBEBBAQ8LIAJBwgFGIABBAWogAUlxBEBBAkEAIAAtAAFBoAFGGw8LIAJB4gFHIABBAmogAU9yBH9BAQUgAC0AAUGAAUcLBEBBAA8LQQNBACAALQACIgBBmQFGIABBiQFGciAAQa8BRnIbCxEAQYAwJAFBgDAkAkGAMCQHC9MEAQZ/QZQgKAIAIQNBsCBBADYCAEG0ICAANgIAIAMEf0EBBSAAQYDgC2ohBEGA4AshAQJ/A0AgBCABQUBrIgJPBEBBASAB/QAEAP0M//////////////////////0jIAH9AAQQ/Qz//////////////////////SP9UCAB/QAEIP0M//////////////////////0jIAH9AAQw/Qz//////////////////////SP9UP1Q/VMNAhogAiEBDAELCwNAIAEgBEkEQEEBIAEtAABB/wFGDQIaIAFBAWohAQwBCwtBAAsLRQRADwsgA0EBRgR/Qf/fC0H/AToAAEEAIQNBfwVBAAsiBCIBIQUDQCAAIAVKBEAgBUGA4AtqLQAAIQYCQAJAAkACQAJAIAMOBQABAgMDBAsgBkH/AUYEQEEBIQMFIAEiAkEBaiEBIAJBgOALaiAGOgAACwwDC0EAIQMgBkH/AUYEQCABIgJBAWohASACQYDgC2ogBjoAAAUgBkH7AU8EQEECIQMFIAZB+gFGBEBBAyEDQZggQQA2AgAFIAZB8AFJBEAgAUGA4AtqQf8BOgAAIAFBAWoiAkEBaiEBIAJBgOALaiAGOgAACwsLCwwCC0EAIQMMAQsgA0EERiICBEAgBkHwAUYhAgsgA0EDRiIDBEAgBkH/AUYhAwsgAgR/QQAFQZggQZggKAIAQQFqIgI2AgBBBUEEQQMgAxtBpCAoAgAgAkgbCyEDCyAFQQFqIQUMAQsLQZQgIAM2AgBBsCAgBDYCAEG0ICABIARrNgIAC9kJAhR/AX5BnCAoAgAEQEEADwsgABARQbAgKAIAQYDgC2ohCkG0ICgCACEEQawgKAIAQQBHIRJBpCAoAgAiDUGoICgCACIQQQFrIgAgACANShshE0GAICgCACEDQZAgKAIAIQtBoCAoAgAhD0EAIQBBfyEMA0AgBUUgBCAOSnEEQCAKIA5qIgL9AAQA/QwKCgoKCgoKCgoKCgoKCgoK/SP9ZKwgAv0ABBD9DAoKCgoKCgoKCgoKCgoKCgr9I/1krEIQhoQgAv0ABCD9DAoKCgoKCgoKCgoKCgoKCgr9I/1krEIghoQgAv0ABDD9DAoKCgoKCgoKCgoKCgoKCgr9I/1krEIwhoQhFSAEIA5rIgJBwABIBEAgFUIBIAKshkIBfYMhFQsDQCAVQgBSBEACQCAOIBV6p2ohAQJ/IANFIABBAEpxBEAgASAAayECIAEgCmpBAmsvAQAhBgJ/QQAgACAKaigCACIHQf///wdxIghB8OHDB3FBsODAAUcNABpBACAIQYaMGGpB8OHDB3FBsODAAUcNABpBACAHQQ9xIghBAWtBBEsNABogCEHkAGwgB0EIdkEPcUEKbGogB0EQdkEPcWoLIQggC0EBIAIgE0wgAkEFSnEgB0EYdkEgRnEgCEEAR3EgBkEIdkENRnEgBkH/AXFBDUdxG0UEQCAJQQF0IAg7AYAwIAlBAnQiAiAANgKgsAIgAiABQQFrNgLgsAYgCUEBaiEJIAFBAWoiAAwCCwsgAEEASgR/QQAFQYggKAIACwRAQQAgASAKEApBhCAoAgAhBkGIICgCACIIQYwgKAIAayEHQYQgQQA2AgBBiCBBADYCAEGMIEEANgIAQX8hAAUgACAKaigCACEGIAEhAgNAIAAgAkgEfyACIApqQQFrLQAAQQ1GBUEACwRAIAJBAWshAgwBCwsgASAAayIIIAEgAmtrIQcLIAwgACADGyEMAn9BAiAIIA1KIBAgC2siAiANTnENABpBAyAIQQFqIAJKDQAaQQALIgUNASALIAhBAWpqIQtBICAGQRh2IAdBA0wbIREgB0EDSAR/QQAFAn9BACAGQf///wdxIgJB8OHDB3FBsODAAUcNABpBACACQYaMGGpB8OHDB3FBsODAAUcNABpBACAGQQ9xIgJBAWtBBEsNABogAkHkAGwgBkEIdkEPcUEKbGogBkEQdkEPcWoLCyIUQQBHIgIEQCARQSBGIQILIAMEQCADIAZzQQh0RSIAQQEgAhtFIQ8gACASckEAIAIbIQIFIBFBLUZBACAUGwRAIAZB////B3EhAwUgAkUgB0EASnEEQEEBIQUMBAsLCyACBEAgCUEBdEGAMGogFDsBACAJQQJ0IgJBoLACaiAMNgIAIAJB4LAGaiABIAhrIAdqNgIAIAlBAWohCUEAIQtBACEPQQAhAwsgDCABQQFqIgAgAxsLIQwgFSAVQgF9gyEVDAILCwsgDkFAayEODAELCyAFRQRAIAAgBCIBIAoQCkECAn9BAkGIICgCACIAIA1KIBAgC2siAiANTnENABpBAyAAIAJKDQAaQQALIgAgAAR/QQAFQZQgKAIAQQVGCxshBQtBgCAgAzYCAEGQICALNgIAQaAgIA82AgBBnCAgBTYCAEG4ICAMNgIAQbwgIAE2AgAgCQsGAEGgsAILBgBB4LAGCwUAQYAwC6IKBA9+BX8BewF8A0AgEUHAAEkEQCACIAAgEWr9AAQAIhb9DCAgICAgICAgICAgICAgICD9IyAW/QwJCQkJCQkJCQkJCQkJCQkJ/SP9UP1krSARrYaEIQIgEUEQaiERDAELCyACIQNCACECQQAhEQNAIBFBwABJBEAgAiAAIBFq/QAEAP0MMDAwMDAwMDAwMDAwMDAwMP1x/QwKCgoKCgoKCgoKCgoKCgoK/Sb9ZK0gEa2GhCECIBFBEGohEQwBCwsCQCADQgGDUA0AIANCAYYiBCADQn+FgyIFeiEHIAMgBEIBhEJ/hYMiA3ohCiAFIAVCAX2DIgR6IQsgAyADQgF9gyIDeiEFIAQgBEIBfYMiBHohCCADIANCAX2DIgN6IQYgBCAEQgF9gyIEeiEMIAMgA0IBfYMiCXohAyAEIARCAX2DIgR6IQ0gCSAJQgF9gyIOeiAEIARCAX2DIgl6IRAgDiAOQgF9gyIOeiEEIA4gDkIBfYMiDlANACAAIA56Ig6naiABTw0AIA19QgNSIAQgEH0iD0ICVnINAEIBIAogB32GQgF9IAeGQgEgAyAMfYZCAX0gDIaEQgEgD4ZCAX0gEIaEIgcgAoMgB1INAEIBIAYgCH2GQgF9IAiGIgcgAiAHg1FCASAFIAt9IgeGQgF9IAuGIgogAiAKg1EiEgR/IAdCA1QEf0EBBSACIAiIQgGDpyAHQgRRcQsFIAIgCIhCAYOnIAAgC6dqLQAAQSByQeEAa0EaT3ILDQAgEnIgAyAMfUIDVHENACAAIA2naiIRLQACIBEtAABBEHQgES0AAUEIdHJyQaDAgAFyIhFBme2o4gJsQRx2QQJ0QfARaigCACISQf8BcUEAIBJBCHYgEUYbIhRFDQAgCSAJQgF9g3ohByAAIBCnaiERIAQgEH1CAlEEfyARLQABIBEtAABBCmxqQZAEawUgES0AAEEwawshEiAAIAenaiERIAIgB4hCH4MiAkIbUSAOIAd9QgVRcQR/IBEtAAJBOkYFQQALBH8gEUEDai0AASARLQADQQpsakGQBGsiE0E7SiARLQABIBEtAABBCmxqQZAEayIRQRdKciASQQBMcg0BIBQgEiARQTxsIBNqt0QAAAAAAEztQKIiFxAJIRFBAgUgAkIPg0IPUSAOIAd9QgRRcUUNASARQQJqLQABIBEtAAJBCmxqIBEtAAEgES0AAEEKbGpB5ABsakHQoANrIRFBAwshEyASQQBMIBFBAExyBH9BAQUgFEECRgR/QRxBHSARQQNxBH9BAQUgEUHkAG8Ef0EABSARQZADbwsLGwUgFCAUQQN1akEBcUEeagsgEkgLDQAgE0EDRiAHIAR9QgFRcQRAIwcjBygCCEGAwABBgIABIAAgDqdqIhVBAWogAUkiAQR/IBUtAAEiAUEJRiABQSBGcgUgAQsbcjYCCAsgACAOp2okFiAAIAynaiQXIAAgA6dqJBgjFyMYEAIjByAAIAunakGA4AtrNgIcIwcgACAFp2pBgOALazYCICMHIAAgCKdqQYDgC2s2AiQjByAAIAanakGA4AtrNgIoIBFBAWsgESAUQQJMGyIAQZADbSEBIwcgFEEDayAUQQlqIBRBAkobQZkBbEECakEFbSASaiAAIAFBkANsayIAQe0CbCAAQQRtaiAAQeQAbWtqIAFBsfUIbGpB7fQra7dEAAAAAHCZlEGiIBegIwOhOQM4IwcjBygCCEG/fnEgE0EGdHI2AghBAQ8LQQAL9gUCCX8BfCAAIAEQCyIGIQADQCAAIAFJBH8gAC0AACICQQlGIAJBIEZyBUEBC0UEQCAAQQFqIQAMAQsLIAAhBQNAIAAgAUkEfyAALQAAIgJBCUYgAkEgRnIFQQALBEAgAEEBaiEADAELCyAAIQIDQCAAIAFJBH8gAC0AACIDQQlGIANBIEZyBUEBC0UEQCAAQQFqIQAMAQsLIAAgAk0hAyABIAZNBH9BAQUgBi0AAEEwa0EKSQsgA3IEQEEADwsgAi0AAEEwa0EKSQRAQQAPCyAAIQQDQCAAQQFrIgMtAABBMGtBCkkEQCADIQAMAQsLIAAgBEYgBCAAa0ESS3IEQEEADwsgBCEDA0AgASADSwR/IAMtAAAiB0EJRiAHQSBGcgVBAAsEQCADQQFqIQMMAQsLIAEgA00Ef0EABSADIAEQCAtFBEBBAA8LIwggAU8Ef0EABSMILQAAIgFBCUYgAUEgRnILRQRAQQAPCyAAIAJrIgEgBSAGa0YiAwR/AkAgBiIDIAIiB0YNACADQQdxIAdBB3FGBEADQCADQQdxBEBBACEIIAFFDQMgAy0AACIJIActAAAiCmshCCAJIApHDQMgAUEBayEBIANBAWohAyAHQQFqIQcMAQsLA0AgAUEITwRAIAMpAwAgBykDAFEEQCADQQhqIQMgB0EIaiEHIAFBCGshAQwCCwsLCwNAIAEiCEEBayEBIAgEQCADLQAAIgkgBy0AACIKayEIIAkgCkcNAiADQQFqIQMgB0EBaiEHDAELC0EAIQgLIAhFBSADCwRAIAAgBBACBSAAIQEDQCABIARJBEAgC0QAAAAAAAAkQKIgAS0AAEEwa7egIQsgAUEBaiEBDAELCyMHIAs5AzAjByMHKAIIQf95cUGABnI2AggLIwcgBkGA4AtrNgIcIwcgBUGA4AtrNgIgIwcgAkGA4AtrNgIkIwcgAEGA4AtrNgIoIwcjCTkDOCMHIwcoAghBv35xIwtBBnRyNgIIIwhBAWokFUEBC6cFAQl/IAAgARALIQMDQCAAIAFJBH8gAC0AACICQQlGIAJBIEZyBUEACwRAIABBAWohAAwBCwsgACADRgRAQQAPCyADIQADQCAAIAFJBH8gAC0AACICQQlGIAJBIEZyBUEBC0UEQCAAQQFqIQAMAQsLIAAhBQNAIAAgAUkEfyAALQAAIgJBCUYgAkEgRnIFQQALBEAgAEEBaiEADAELCyAAIQYDQCAAIAFJBH8gAC0AACICQQlGIAJBIEZyBUEBC0UEQCAAQQFqIQAMAQsLIAAhBwNAIAAgAUkEfyAALQAAIgJBCUYgAkEgRnIFQQALBEAgAEEBaiEADAELCyAAIQQDQCAAIAFJBH8gAC0AAEEwa0EKSQVBAAsEQCAAQQFqIQAMAQsLIAAgBEYgACABT3IEQEEADwsgACIILQAAIgJBCUYgAkEgRnJFBEBBAA8LA0AgACABSQR/IAAtAAAiAkEJRiACQSBGcgVBAAsEQCAAQQFqIQAMAQsLIAAgAU8Ef0EBBSAAIQIDQCABIAJLBH8gAi0AACIJQQlGIAlBIEZyBUEBC0UEQCACQQFqIQIMAQsLIAEgAkcLBEBBAA8LIAEhCSAAIQIDQCACIAlJBEAgAi0AACIKQS1GIgFFBEAgCkEuRiEBCyABRQRAIApBL0YhAQsgCkEwa0EKSSABIApBOkYgARtyBEAgAkEBaiECDAILCwsCf0EBIAIgCUYNABpBACAAIAkQA0UNABojBiECA0AgAiAJSQR/IAItAABBLkYEf0EBBSACLQAAQSxGCwVBAAsEQCACQQFqIQIMAQsLIAIgCUYLBEBBAA8LIwcgA0GA4AtrNgIcIwcgBUGA4AtrNgIgIwcgBkGA4AtrNgIkIwcgB0GA4AtrNgIoIAQgCBACIAAkFUEBC8EWAxd/A34CfANAIAAgAUkEfyAALQAAIgJBCUYgAkEgRnIFQQALBEAgAEEBaiEADAELCwNAIANBAkggACABSXEEfyAALQAAQTBrQQpJBUEACwRAA0AgACABSQR/IAAtAABBMGtBCkkFQQALBEAgAEEBaiEADAELCwNAIAAgAUkEfyAALQAAIgJBCUYgAkEgRnIFQQALBEAgAEEBaiEADAELCyADQQFqIQMMAQsLAkAgASAAa0EOSQ0AAn8CQAJAAkACQAJAIAAtAAAiE0EtRg0AIBNB5gBGDQAgE0HkAEYNASATQewARg0CIBNB5QBGDQIgE0HiAEYNAyATQeMARg0DIBNB8ABGDQMgE0HzAEYNAyATQcQARg0DDAQLQQEMBAtBAgwDC0EDDAILQQQMAQtBAAsiFkUNACAAQQFqQSAQByELIABBBGpBgAEQByEKIAAtAAkiAkEJRiACQSBGciEFIAAtAAciAkEJRiACQSBGciIDBH9BAAUgBQR/IAAtAAghDCAAQQdqLQAAIgJBLUcgAkHyAEdxBH9BAQUgDEEtRyAMQfcAR3ELBH9BfwVBBEEAIAJB8gBGG0ECQQAgDEH3AEYbcgsFIABBB2pBgAQQBwsLIgIgC0EGdCAKQQN0cnIhDCAKIAtyIAJyQQBIBEAgC0EASAR/QQAFIABBBGooAgBBqtSo0QJGBH8gACgCBkGq1KjRAkYFQQALC0UNAUF/IQwLIABBB0EJQQogBRsgAxtqIQADQCAAIAFJBH8gAC0AAEErRgR/QQEFIAAtAABBLkYLBH9BAQUgAC0AAEHAAEYLBUEACwRAIABBAWohAAwBCwsgACABTwR/QQAFIAAtAAAiAkEJRiACQSBGcgR/QQEFIAAtAABBMGtBCkkLC0UNACATQeMARyATQeIAR3EEfyAAIAEQFgVBAAsEQCAWQQNGIxgjF2tBE0lxBEAjFyEAIxghAgNAIAAgAkkEQCAAMQAAQjB9IBlCCn58IRkgAEEBaiEADAELCwVCfyEZCyAWIAwjFkEBaiABIBkQBkEBDwsgE0HiAEYiC0UEQCATQeMARiELCyAAIQpBACECQQAhAwNAIAAgAUkEQAJAA0AgACABSQR/IAAtAAAiBUEJRiAFQSBGcgVBAAsEQCAAQQFqIQAMAQsLIAAgAU8NACALBH8gEkEDRiIFIBJBAUYgBRsFIBJBAkYgEkEBRnILBH8gACABEAgEf0EBBSALRSAAIANrQQFGIBhBBEEDIBdBAUYbRnFxIRMCfyAALQAAQTBrQQpPBEAgACABECIMAQsgACEFA0AgASAFSwR/IAUtAABBMGtBCkkFQQALBEAgBUEBaiEFDAELCyAFIABrQQRGBEAgEwR/IAAgBSABECEFQQALDAELIAUgAGtBAk0EfyAAIAUgARAjBUEACwsLBUEACyEFIwggAUlBACAFGwR/IwgtAAAiBUEJRiAFQSBGcgVBAAsEQEEBIRQMAQsgACECA0AgASACSwR/IAItAAAiBUEJRiAFQSBGcgVBAQtFBEAgAkEBaiECDAELCyACIQUgGARAIBhBAUYEQCACIRAgACEECwUgACEJIAUhDwsgCEUgACADa0EBS3EgGCAXQQFGSnEEQCADIQ4gACENIBghCAsgBiEHIAMhBiASIREgACICIRIgBSEDA0AgAyASSwR/IBItAABBMGtBCkkFQQALBEAgEkEBaiESDAELCyAXAn9BACACIBJGDQAaQQEgAyASRg0AGiASLQAAIgBBLEYEQCASQQFqIRIDQCADIBJLBH8gEi0AAEEwa0EKSQVBAAsEQCASQQFqIRIMAQsLQQNBACADIBJGGwwBCyAAQS5GBEAgEkEBaiESA0AgAyASSwR/IBItAABBMGtBCkkFQQALBEAgEkEBaiESDAELCwtBACASQQFqIANHDQAaQQJBACASLQAAQSByIgBB7QBGIABB6wBGciAAQecARnIgAEH0AEZyGwsiEiAYGyEXIBVBAWogFSASQQFGGyEVIBhBAWohGCADIQAMAgsLCyAURQRAIAsEf0EABSAKIAEQFwR/QQEFIAogARAYCwtFDQEgFiAMIxUgAUJ/EAZBAQ8LIw8EQCMHIwcoAghBgMAAQYCAASMIQQFqIAFJIgAEfyMILQABIgBBCUYgAEEgRnIFIAALG3I2AggLIBhBAWshEyASQQFGIAtxIBFBA0ZxBEAgE0EBayETIAchBgUgEkEBRgRAIAIgAxACBSASQQJGBEAgAiEARAAAAAAAAPA/IR1BACEHA0AgAEEBaiADSQRAIAAtAAAiBUEuRgRAQQEhBwUgHEQAAAAAAAAkQKIgBUEwa7igIRwgHUQAAAAAAAAkQKIgHSAHGyEdCyAAQQFqIQAMAQsLIwcgHCAdo0QAAAAAAAAwQUQAAAAAAACQQCAALQAAQSByIgVB6wBHGyIcRAAAAAAAAJBAoiAcIAVB9ABGIgAgBUHnAEZyGyIcRAAAAAAAAJBAoiAcIAAboiIdmyIcIBxEAAAAAAAA8L+gIBxEAAAAAAAA4L+gIB1lGzkDMCMHIwcoAghB/3lxQYAGcjYCCAsLCyATQQBKIgAgF0EBRnEiEUUgAHEEfyAXRSAJLQAAQTBrQQpJcQ0BIBNBAUYEfyAPIAlrQQZGBH8gCSgCAEHm3rGjBkYFQQALBH8gCS8BBEHl5AFGBUEACwVBAAsEfyMHIwcoAghB/3lxNgIIQQEFIBELBSATQQJGBH8gECAEa0EGRgR/IAQoAgBB5t6xowZGBUEACwR/IAQvAQRB5eQBRgVBAAsFQQALDQEgFUEDRiATQQJGcSADIAJrQRRJcQR/IAIhAANAIAAgA0kEQCAAMQAAQjB9IBlCCn58IRkgAEEBaiEADAELCyAZIAkhAEIAIRkDQCAAIA9JBEAgADEAAEIwfSAZQgp+fCEZIABBAWohAAwBCwsgGSEaIAQhAEIAIRkDQCAAIBBJBEAgADEAAEIwfSAZQgp+fCEZIABBAWohAAwBCwsgGSAafFEFQQALBH9BAgUgECAEayADIAJrRiEAIBVBA0YgE0ECRnEgDyAJa0EBRnEEfyAJLQAAQTBGBUEACyAAcQRAIAMgAmshB0EAIRgCQCAEIgAgAiIFRg0AIABBB3EgAkEHcUYEQANAIABBB3EEQEEAIRggB0UNAyAALQAAIgsgBS0AACIKayEYIAogC0cNAyAHQQFrIQcgAEEBaiEAIAVBAWohBQwBCwsDQCAHQQhPBEAgACkDACAFKQMAUQRAIABBCGohACAFQQhqIQUgB0EIayEHDAILCwsLA0AgByIKQQFrIQcgCgRAIAAtAAAiCyAFLQAAIgprIRggCiALRw0CIABBAWohACAFQQFqIQUMAQsLQQAhGAsFQQEhGAsgEUECIBgbCwsiBSATSARAIAQgCSAFGyEEIBAgDyAFGyEAIBMgBWtBAUYEQCMHIARBgOALazYCHCMHIAZBgOALazYCIAUgBSAISCAIIBNIcQRAIwcgBEGA4AtrNgIcIwcgDkGA4AtrNgIgIwcgDUGA4AtrNgIkBSMHIARBgOALazYCHCMHIABBgOALazYCIANAIAAgAUkEfyAALQAAIgRBCUYgBEEgRnIFQQALBEAgAEEBaiEADAELCyMHIABBgOALazYCJAsjByAGQYDgC2s2AigLCyMLBEAjByMJOQM4IwcjBygCCEG/fnEjC0EGdHI2AggLIAMgAmtBE0kgEkEBRiIAIAAbBEBCACEZA0AgAiADSQRAIAIxAABCMH0gGUIKfnwhGSACQQFqIQIMAQsLBUJ/IRkLIBYgDCMIQQFqIAEgGRAGQQEPC0EAC7MEAQN/IAAoAgBBoMCAgQJyIgNB7d6RqwZGBH8gAC0ABEE9RgVBAAsEQAJAIAEgAEEFaiIARiABIABrQQdLcg0AA0AgACABSQRAIAAtAABBMGsiA0EHSw0CIAJBA3QgA3IhAiAAQQFqIQAMAQsLIwcgAkH/H3E2AiwjByMHKAIIQYAgcjYCCAtBAQ8LIAAtAANBPUYEQCADQf///wdxIgJB9dKRA0YiA0UgAkHn0pEDR3EEQEEADwtBHEEkIAMbIQIgAEEEaiIAIAFJBH8jByACaigCAAVBAQtFBEAgAkEcRgRAIwcgAEGA4AtrNgIcIwcgAUGA4AtrNgIgBSMHIABBgOALazYCJCMHIAFBgOALazYCKAsLQQEPCyAALQAEQSByIQQgA0Hv7rmrBkYiAgRAIARB8gBGIQILIAIEf0EBBSAEQfAARiADQefkvasHRnELRQRAQQAPC0EcQSQgAhshAiAALQAFQT1GBEAgAEEGaiIAIAFJBH8jByACaigCAAVBAQtFBEAgAkEcRgRAIwcgAEGA4AtrNgIcIwcgAUGA4AtrNgIgBSMHIABBgOALazYCJCMHIAFBgOALazYCKAsLQQEPCyAAKAIFQaDAgIECckHuwrWrBkcEf0EBBSAALQAJQT1HCwRAQQAPCyAAQQpqIgAgAUkEQCACQRxGBEAjByAAQYDgC2s2AhwjByABQYDgC2s2AiAFIwcgAEGA4AtrNgIkIwcgAUGA4AtrNgIoCwtBAQvLBAIEfwJ+IAEgAGtBDkYEQCAAKQMGIQYgACkDACIHQvDhw4ePnrz4cINCsODAgYOGjJgwhSAHQoaMmLDgwIGDBnxC8OHDh4+evPhwg0Kw4MCBg4aMmDCFhFAEfiAGQvDhw4ePnrz4cINCsODAgYOGjJgwhSAGQoaMmLDgwIGDBnxC8OHDh4+evPhwg0Kw4MCBg4aMmDCFhAVCAQtQBEAgB0Kw4MCBg4aMmDCFIgdCCn4gB0IIiHxC/4H8h/CfwP8AgyIHp0H//wNxQeQAbCAHQhCIp0H//wNxaiEBIAZCsODAgYOGjJgwhSIGQgp+IAZCCIh8Qv+B/Ifwn8D/AIMiBkIQiKdB//8DcSEAIAZCMIinIAZCIIinQf//A3EiAiAAQTxsakE8bGohAyAAQRhJIgAEQCACQTxJIQALIAAEfyAGQjCIp0E9SQUgAAsEQCABIAdCIIinQf//A3EgB0IwiKcgA0HoB2y3EAwLDwsLIAAhAgNAIAEgAksEfyACLQAAQTBrQQpJBUEACwRAIAJBAWohAgwBCwsgAiIDIABrQQ9GBH8gAC0AAEExRgVBAAsEfyAALQABQTlGBUEACwRAIABBAmohAiAAQQVqIQUDQCACIAVJBEAgAi0AAEEwayAEQQpsaiEEIAJBAWohAgwBCwsgBEHsDmogAEEFaiADIAEQDQUgAyAAa0EORgRAIAAhAiAAQQRqIQUDQCACIAVJBEAgAi0AAEEwayAEQQpsaiEEIAJBAWohAgwBCwsgBCAAQQRqIAMgARANCwsL0AgBBH8gACECAn8DQCABIAJLBEAgAv0ABAD9DD09PT09PT09PT09PT09PT39I/1kIgMEQCACIANoaiICIAEgASACSxsMAwsgAkEQaiECDAELCyABC0EBaiEDAn9BAEH8EigCAEEBdiIEIAEgAGtLDQAaQQAhAgNAIAIgBEkEQEEAIAJBAXRBgBNqLwEAIAAgAmotAAAiBUEgciAFIAVBwQBrQRpJG0cNAhogAkEBaiECDAELC0EBCwR/QQEFAn9BAEGcEygCAEEBdiIEIAEgAGtLDQAaQQAhAgNAIAIgBEkEQEEAIAJBAXRBoBNqLwEAIAAgAmotAAAiBUEgciAFIAVBwQBrQRpJG0cNAhogAkEBaiECDAELC0EBCwsEQANAIAEgA0sEfyADLQAAQSByQeEAa0EaSQVBAAsEQCADQQFqIQMMAQsLIAEgA0YPCwJ/QQBBvBMoAgBBAXYiBCABIABrSw0AGkEAIQIDQCACIARJBEBBACACQQF0QcATai8BACAAIAJqLQAAIgVBIHIgBSAFQcEAa0EaSRtHDQIaIAJBAWohAgwBCwtBAQsiAkUEQAJ/QQBB3BMoAgBBAXYiBCABIABrSw0AGkEAIQIDQCACIARJBEBBACACQQF0QeATai8BACAAIAJqLQAAIgVBIHIgBSAFQcEAa0EaSRtHDQIaIAJBAWohAgwBCwtBAQshAgsgAkUEQAJ/QQBB/BMoAgBBAXYiBCABIABrSw0AGkEAIQIDQCACIARJBEBBACACQQF0QYAUai8BACAAIAJqLQAAIgVBIHIgBSAFQcEAa0EaSRtHDQIaIAJBAWohAgwBCwtBAQshAgsgAkUEQAJ/QQBBrBQoAgBBAXYiBCABIABrSw0AGkEAIQIDQCACIARJBEBBACACQQF0QbAUai8BACAAIAJqLQAAIgVBIHIgBSAFQcEAa0EaSRtHDQIaIAJBAWohAgwBCwtBAQshAgsgAkUEQAJ/QQBB3BQoAgBBAXYiBCABIABrSw0AGkEAIQIDQCACIARJBEBBACACQQF0QeAUai8BACAAIAJqLQAAIgVBIHIgBSAFQcEAa0EaSRtHDQIaIAJBAWohAgwBCwtBAQshAgsgAkUEQAJ/QQBBjBUoAgBBAXYiBCABIABrSw0AGkEAIQIDQCACIARJBEBBACACQQF0QZAVai8BACAAIAJqLQAAIgVBIHIgBSAFQcEAa0EaSRtHDQIaIAJBAWohAgwBCwtBAQshAgsgAgR/IAIFAn9BAEG8FSgCAEEBdiIEIAEgAGtLDQAaQQAhAgNAIAIgBEkEQEEAIAJBAXRBwBVqLwEAIAAgAmotAAAiBUEgciAFIAVBwQBrQRpJG0cNAhogAkEBaiECDAELC0EBCwsEfwJ/A0AgASADSwRAQQAgAy0AACIAQS5HIABBMGtBCk9xIABBIHJB+gBHcQ0CGiADQQFqIQMMAQsLQQELBUEACwufBwEHfyAAIQICfwNAIAEgAksEQCAC/QAEAP0MICAgICAgICAgICAgICAgIP0j/WQiAwRAIAIgA2hqIgIgASABIAJLGwwDCyACQRBqIQIMAQsLIAELIQMjFARAIAAiAgJ/A0AgAiADSQRAIAL9AAQA/QwJCQkJCQkJCQkJCQkJCQkJ/SP9ZCIFBEAgAiAFaGoiAiADIAIgA0kbDAMLIAJBEGohAgwBCwsgAwsiAkkgAiADSXEEfyACQQFrLQAAQTtGBUEACwRAIAIPCwsgACADRiABIANNcgRAQQAPCyADQQFrLQAAQTtGBEAgAw8LIAMhAgNAIAAgAkkEfyACQQFrLQAAQTtHBUEACwRAIAJBAWshAgwBCwsgAiEAAn8DQCAAIANJBEAgAP0ABAD9DD09PT09PT09PT09PT09PT39I/1kIgUEQCAAIAVoaiIAIAMgACADSRsMAwsgAEEQaiEADAELCyADCyADRgRAIAMPCwNAIAIhAAJ/A0AgACABSQRAIAD9AAQA/Qw7Ozs7Ozs7Ozs7Ozs7Ozs7/SP9ZCIFBEAgACAFaGoiACABIAAgAUkbDAMLIABBEGohAAwBCwsgAQshBiACIANLBEAgAiEAAn8DQCAAIAFJBEAgAP0ABAD9DCAgICAgICAgICAgICAgICD9I/1kIgMEQCAAIANoaiIAIAEgACABSRsMAwsgAEEQaiEADAELCyABCyEDCyACIANGBEAgAkEAIAEgAksbDwsgAiAGRkEBIAQbBH9BAQVBACEFAkAgAiAGTwR/QQAFIAItAABBIHJB4QBrQRpJC0UNACACQQFqIQgDQCAGIAhLBEBBASEFIAgtAAAiB0E9Rg0CQQAhBSAHQSByQeEAa0EaSSIARQRAIAdBMGtBCkkhAAsgAEUEQCAHQS1GIQALIABFBEAgB0EuRiEACyAAIAdB3wBGIAAbRQ0CIAhBAWohCAwBCwsLIAULRQRAAkADQCABIAJLBEBBASEDAn8DQCABIAJLBEAgAv0ABAD9DDs7Ozs7Ozs7Ozs7Ozs7Ozv9I/1kIgAEQCACIABoaiIAIAEgACABSRsMAwsgAkEQaiECDAELCyABCyIAQQFqIAFJBH8gAC0AAUEgRgVBAAsNAiAAQQFqIQIMAQsLQQAhAwtBACAEIAMbDwsgAyAGSQRAIAIgAxAcBEAgAw8LIAMhBCABIAZGBEAgAw8LCyABIAZHBEAgBkEBaiECDAELC0EAC/IDAgd/AX4gAiIEIABGIAQgAGtBA0tyBEBBAA8LA0AgACAESQRAIAAtAABBMGsgBUEKbGohBSAAQQFqIQAMAQsLIAWsIQsDQCADIARqIAFJBEAgAyEAIAQhBUEAIQcCQCACIgYgBEYNACAEQQdxIAZBB3FGBEADQCAFQQdxBEBBACEHIABFDQMgBS0AACIJIAYtAAAiCmshByAJIApHDQMgAEEBayEAIAVBAWohBSAGQQFqIQYMAQsLA0AgAEEITwRAIAUpAwAgBikDAFEEQCAFQQhqIQUgBkEIaiEGIABBCGshAAwCCwsLCwNAIAAiB0EBayEAIAcEQCAFLQAAIgkgBi0AACIKayEHIAkgCkcNAiAFQQFqIQUgBkEBaiEGDAELC0EAIQcLBUEBIQcLIAdFBEACQCADIARqIQADQCAAIAFJBH8gAC0AAEEwa0EKSQVBAAsEQCAAQQFqIQAMAQsLIAAgBGsgA2tBA0cNACAIQQFqIghBBUoEQEEADwsgAyAEaiEEQQAhBQNAIAAgBEsEQCAELQAAQTBrIAVBCmxqIQUgBEEBaiEEDAELCyAFrCALQugHfnwhCyAAIQQMAgsLCyAIRQRAQQAPCyMHIAu6OQMwIwcjBygCCEH/eXEgC0L/////////D1hBCHRyNgIIIAQL5g0DBn8BfgF8A0AgACABSQR/IAAtAAAiAkEJRiACQSBGcgVBAAsEQCAAQQFqIQAMAQsLAkAgACABTwR/QQAFIAAtAABBMGtBCkkLRQ0AIAAgARAgIgBFIAAgAU9yBH9BAAUgAC0AACICQQlGIAJBIEZyC0UNAANAIAAgAUkEfyAALQAAIgJBCUYgAkEgRnIFQQALBEAgAEEBaiEADAELCyAAIAFBARAFRQ0AIw0gAEECaksiBQRAIw1BA2stAAAiAEEJRiAAQSBGciEFCyABIw0iAE0Ef0EABSAALQAAIgJBCUYgAkEgRnILRQ0AA0AgACABSQR/IAAtAAAiAkEJRiACQSBGcgVBAAsEQCAAQQFqIQAMAQsLIAAgAU8NACMQIgJBAWsgAiMRIgJBAkwbIgRBkANtIQcjEiACQQNrIAJBCWogAkECShtBmQFsQQJqQQVtaiAEIAdBkANsayICQe0CbCACQQRtaiACQeQAbWtqIAdBsfUIbGpB7fQra7dEAAAAAHCZlEGiIwygIwOhIQkgAC0AAEE8RgRAIABBAWohBQNAIAUgAGtBD0khAiABIAVLBH8gBS0AAEE+RwVBAAsgAnEEQCAFQQFqIQUMAQsLAkAgASAFTQR/QQEFIAUtAABBPkcLDQAgBUEBaiIFIABrIQQgAC0AAUEgciIGQeQARiICBEAgBEEFRiECCyAEQQpGIAZB6gBGcQR/QQEFIAZB8wBGBH8gBEEKRiAEQQlGcgVBAAsLJBMgAiMTckUNACMHIwcoAghBcHFBAkEDIAIbcjYCCCABIAVNBH9BAAUgBS0AACICQQlGIAJBIEZyC0UNACAAQQ9qIgIgASABIAJLGyECA0AgAiAFSwR/IAUtAAAiA0EJRiADQSBGcgVBAAsEQCAFQQFqIQUMAQsLIAUhAwsgA0UgASADSXINASMTRSADIABrQQ9GcQRAIwcjBygCCEGAgAFyNgIICyMTBEACQCMHIANBgOALazYCDCMHIAEiAEGA4AtrNgIQIANBAWohAQNAIAFBBGogAEkEQCABKAIAIgJBoPr4gQJHIAJBoNr4gQJHcUUEQCMHIANBgOALazYCDCMHIAFBgOALazYCECMHIAFB/N8LazYCFCMHIABBgOALazYCGAwDCyABQQFqIQEMAQsLIAAgA00Ef0EBBSAAQQFrLQAAQd0ARwsNACADIQEDQCABQQJqIABJBEAgAS0AAEEgRgR/IAEtAAFB2wBGBUEACwRAIwcgA0GA4AtrNgIMIwcgAUGA4AtrNgIQIwcgAUH+3wtrNgIUIwcgAEGB4AtrNgIYDAMLIAFBAWohAQwBCwsLBSMHIANBgOALazYCDCMHIAFBgOALazYCEAsFIAAhAgNAIAEgAksEfyACLQAAQTBrQQpJBUEACwRAIAJBAWohAgwBCwsgACACRg0BIAEgAksEfyACLQAAIgNBCUYgA0EgRnIFQQELBEACfyAAIQMgAiEEQQAgAiMNayIHQRJGIAdBFU9yIAIgAGtBA0tyDQAaA0AgAyAESQRAIAMtAABBMGsgBkEKbGohBiADQQFqIQMMAQsLIAasIQgDQCAEQQRqIAFJBH8gBC0AAEEgRgVBAAsEQCAEQQFqIQMDQCABIANLBH8gAy0AAEEwa0EKSQVBAAsEQCADQQFqIQMMAQsLQQAgAyAEa0EERw0CGiAEQQFqIQRBACEGA0AgAyAESwRAIAQtAABBMGsgBkEKbGohBiAEQQFqIQQMAQsLIAasIAhC6Ad+fCEIIAMiBCMNayIGQRVGIAZBEkZyBEBBACABIANNBH9BAAUgBC0AACIDQQlGIANBIEZyC0UNAxojByAIujkDMCMHIwcoAghB/3lxIAhC/////////w9YQQh0cjYCCCAEDAMLQQAgBkEVSw0CGgwBCwtBAAsiAwRAIAMhAkEBIQUFIAAgAhACCwUgACECA0AgASACSwR/IAItAABBMGtBCkkFQQALBEAgAkEBaiECDAELCwJ/QQAgASACTQ0AGkEAIAIgARAPIgNFDQAaQQAgACABIAIgAxAeIgAgACABSQR/IAAgARAPBUEACxsLIgJFDQJBASEFCyABIAJNBH9BAAUgAi0AACIAQQlGIABBIEZyC0UNASACQQFqIAFPBH9BAAUgAi0AASIAQQlGIABBIEZyCwRAIAUEQCMHIwcoAghBgMAAcjYCCAsFIwcjBygCCEGAgAFyNgIICyMHIwcoAghBcHFBAXI2AggjByACQf/fC2s2AgwjByABQYDgC2s2AhALIwcgCTkDOCMHIwcoAghBv35xQQFBAiMOG0EGdHI2AggjByMHKAIIQU9xQTByNgIIQQEPC0EAC/IEAQh/IAAhAgNAIAEgAksEfyACLQAAQTBrQQpJBUEACwRAIAJBAWohAgwBCwsCQCACIgMgAGsiCUECRyAJQQFHcSAJQQRHcSABIAJNcg0AIAItAAAiCEEvRyAIQS1HcSAIQS5HcQ0AIAJBAWohBgNAIAEgBksEfyAGLQAAQTBrQQpJBUEACwRAIAZBAWohBgwBCwsgBiADa0EBayICRSACQQJLciABIAZNcgR/QQEFIAYtAAAgCEcLDQAgBkEBaiECA0AgASACSwR/IAItAABBMGtBCkkFQQALBEAgAkEBaiECDAELCyACIAZrQQFrIQEDQCAAIANJBEAgAC0AAEEwayAEQQpsaiEEIABBAWohAAwBCwsgA0EBaiEAA0AgACAGSQRAIAAtAABBMGsgBUEKbGohBSAAQQFqIQAMAQsLIAlBBEYEQCABRSABQQJLcg0BIAQkECAFJBEgBkEBaiEAA0AgACACSQRAIAAtAABBMGsgB0EKbGohByAAQQFqIQAMAQsLIAckEgUgAUEERyABQQJHcQ0BIAZBAWohBgNAIAIgBksEQCAGLQAAQTBrIAdBCmxqIQcgBkEBaiEGDAELCyAHQdAPaiAHQewOaiIAIAdBxgBIGyAAIAcgAUEDRhsgAUECRhskECAFIAQgCEEuRiIAIARBDEogABsiABskESAEIAUgABskEgsjEUEATCMRQQxKciMSQQBMciMQQQBMcg0AIxIhACMQIQEgAkEAIxEiAkECRgR/QRxBHSABQQNxBH9BAQUgAUHkAG8Ef0EABSABQZADbwsLGwUgAiACQQN1akEBcUEeagsgAE4bDwtBAAvrAwEEfwNAIAAgAUkEQCAALQAAQTBrIANBCmxqIQMgAEEBaiEADAELCyADQbIPSCADQbMQSnIEQEEADwsgAUEBaiIAIAJPBH9BAAUgAS0AACIBQQlGIAFBIEZyCwR/IAAtAAAiAUEJRiABQSBGcgVBAQsEQEEADwsgACACEAMiBkUjBiACT3IEf0EABSMGLQAAIgBBCUYgAEEgRnILRQRAQQAPCyMGIQADQCAAIAJJBH8gAC0AACIBQQlGIAFBIEZyBUEACwRAIABBAWohAAwBCwsgACEBA0AgASACSQR/IAEtAABBMGtBCkkFQQALBEAgAUEBaiEBDAELCyAAIAFGIAEgAGtBAktyIAEgAk9yBH9BAAUgAS0AACIEQQlGIARBIEZyC0UEQEEADwsgAyEEQQAhAwNAIAAgAUkEQCAALQAAQTBrIANBCmxqIQMgAEEBaiEADAELCyABIQADQCAAIAJJBH8gAC0AACIFQQlGIAVBIEZyBUEACwRAIABBAWohAAwBCwsgACEFA0AgACACSQR/IAAtAABBMGtBCkkFQQALBEAgAEEBaiEADAELCyAAIAVBBGpGIgUEfyAAIAJPBH9BAQUgAC0AACIAQQlGIABBIEZyCwUgBQsEf0EABSAEIAYgAyABIAIQAAsLmwYBBH8gASAAa0EISQRAQQAPCyAALQACIAAtAABBEHQgAC0AAUEIdHJyQaDAgAFyIQMCQANAIAJBzBIoAgBBAnZIBEAgAyACQQJ0QdASaigCAEYNAiACQQFqIQIMAQsLQX8hAgsgAiIDQQBIBEBBAA8LIABBA2oiAC0AAEEsRgR/QQEFIAAtAABBLkYLBEAgAEEBaiEACyAALQAAIgJBCUYgAkEgRnJFBEBBAA8LA0AgACABSQR/IAAtAAAiAkEJRiACQSBGcgVBAAsEQCAAQQFqIQAMAQsLIAAgAU8Ef0EABSAAIAEQCAtFBEBBAA8LIwtBA0cEQCMIIQADQCAAIAFJBH8gAC0AACICQQlGIAJBIEZyBUEACwRAIABBAWohAAwBCwsjC0EBRgR/IAAhAgNAIAEgAksEfyACLQAAIgRBCUYgBEEgRnIFQQELRQRAIAJBAWohAgwBCwsgAgNAIAEgAksEfyACLQAAIgVBCUYgBUEgRnIFQQALBEAgAkEBaiECDAELCyAAayIEQQVNIARBA09xBH8gAC0AAEEgckHhAGtBGkkFQQALBH8gAiEAA0AgACABSQR/IAAtAABBMGtBCkkFQQALBEAgAEEBaiEADAELCyACQQRqIABGBUEACwVBAAsEQEEADwsFAkAjCCEAA0AgACABSQR/IAAtAAAiAkEJRiACQSBGcgVBAAsEQCAAQQFqIQAMAQsLIAAgAUEAEAVFDQAjDSABTwR/QQAFIw0tAAAiAEEJRiAAQSBGcgtFDQAjDSEAA0AgACABSQR/IAAtAAAiAkEJRiACQSBGcgVBAAsEQCAAQQFqIQAMAQsLIwkjDEQAAAAAAAAAACMDoUQAAAAAAAAAACMOBH8gASAAa0EESQR/QQAFIAAtAAMiAUEJRiABQSBGcgsEfyAALQACIAAtAABBEHQgAC0AAUEIdHJyIgFBw6jVAkYgAUHUmp0CRnIFQQALBSMOCyIBG6GgJAlBAUECIw4bJAsgAEEDaiMNIAEbJAhBACQPCwsjCkEDakEHb0EHakEHbyADRwRAQQAkCwtBAQuoBAEFfyABLQAAIQUgASACTwR/QQEFIAVBL0cgBUEtR3ELBEBBAA8LIAFBAWohAwNAIAIgA0sEfyADLQAAQTBrQQpJBUEACwRAIANBAWohAwwBCwsgAyIEIAFrQQFrIgdFIAdBAktyIAIgA01yBH9BAQUgBC0AACAFRwsEQEEADwsgBEEBaiEDA0AgAiADSwR/IAMtAABBMGtBCkkFQQALBEAgA0EBaiEDDAELCyADIARrQQNHBEBBAA8LIARBAWohBQNAIAMgBUsEQCAFLQAAQTBrIAZBCmxqIQYgBUEBaiEFDAELCyAGQdAPaiAGQewOaiAGQcYASBshBkEAIQUDQCAAIAFJBEAgAC0AAEEwayAFQQpsaiEFIABBAWohAAwBCwsgAUEBaiEAQQAhAQNAIAAgBEkEQCAALQAAQTBrIAFBCmxqIQEgAEEBaiEADAELCyAGIAUgASADIAIQAAR/QQEFIAYgASAFIAMgAhAAC0UEQEEADwsjC0EDRgRAAkADQCACIANLBH8gAy0AACIAQQlGIABBIEZyBUEACwRAIANBAWohAwwBCwsgAyEAA0AgACACSQR/IAAtAAAiAUEJRiABQSBGcgVBAQtFBEAgAEEBaiEADAELCyAAIANrQQVJBH9BAQUgAEEBay0AAEEgckHhAEkLDQAgAyAAQQEQBQR/Iw0gAEcFQQELDQAjCSMMoCQJQQFBAiMOGyQLIAAkCEEAJA8LC0EBC6kIAQV/IAAhAwNAIAEgA0sEQCADLQAAQTBrIAZBCmxqIQYgA0EBaiEDDAELCyACIQQgASECA0AgAiAESQR/IAItAABBgAFPBUEACwRAIAJBAWohAgwBCwsgAkEBaiACIAIgAUEBakYEfyABLQAAQZQBRgVBAAsEfyACIARJBH8gAi0AAAVBAAtBzgBGBUEACxsiAiABSyABIABrQQRGBEADQCACIARJBH8gAi0AACIAQQlGIABBIEZyBUEACwRAIAJBAWohAgwBCwsgAiEDA0AgAiAESQR/IAItAABBMGtBCkkFQQALBEAgAkEBaiECDAELCyACIANGIAIgA2tBAktyBEBBAA8LIAIhAANAIAAgA0sEQCADLQAAQTBrIAdBCmxqIQcgA0EBaiEDDAELCyAAIQEDQCAAIARJBH8gAC0AAEGAAU8FQQALBEAgAEEBaiEADAELCyAAQQFqIAAgACABQQFqRgR/IAEtAABBlAFGBUEACwR/IAAgBEkEfyAALQAABUEAC0HOAEYFQQALGyIAIAJGBEBBAA8LA0AgACAESQR/IAAtAAAiAUEJRiABQSBGcgVBAAsEQCAAQQFqIQAMAQsLIAAhAQNAIAAgBEkEfyAALQAAQTBrQQpJBUEACwRAIABBAWohAAwBCwsgACABRiAAIAFrQQJLcgRAQQAPCwNAIAAgAUsEQCABLQAAQTBrIAVBCmxqIQUgAUEBaiEBDAELCyAAIQEDQCAAIARJBH8gAC0AAEGAAU8FQQALBEAgAEEBaiEADAELCyAGIAcgBSAAQQFqIAAgACABQQFqRgR/IAEtAABBlAFGBUEACwR/IAAgBEkEfyAALQAABUEAC0HOAEYFQQALGyAEEAAPCyACIQADQCAAIARJBH8gAC0AACIBQQlGIAFBIEZyBUEACwRAIABBAWohAAwBCwsgACEBA0AgACAESQR/IAAtAABBMGtBCkkFQQALBEAgAEEBaiEADAELCyAAIAFGIAAgAWtBAktyBEBBAA8LA0AgACABSwRAIAEtAABBMGsgB0EKbGohByABQQFqIQEMAQsLIAAhAQNAIAAgBEkEfyAALQAAQYABTwVBAAsEQCAAQQFqIQAMAQsLIABBAWogACAAIAFBAWpGBH8gAS0AAEGUAUYFQQALBH8gACAESQR/IAAtAAAFQQALQc4ARgVBAAsbIgAhASAAIARPBH9BAQUgAC0AACIAQQlGIABBIEZyC0UEQEEADwsEQCAGIAcgASAEEAQPCyABIQADQCAAIARJBH8gAC0AACICQQlGIAJBIEZyBUEACwRAIABBAWohAAwBCwsDQCAAIARJBH8gAC0AAEEwa0EKSQVBAAsEQCAAQQFqIQAMAQsLIAAgBEkEfyAALQAABUEAC0E6RgR/IAYgByABIAQQBAVBAAsLhQUBBX8gACECA0AgASACSwR/IAItAABBIHJB4QBrQRpJBH9BAQUgAi0AAEGAAU8LBUEACwRAIAJBAWohAgwBCwsDQCABIAJLBH8gAi0AAAVBAAtBLkYEf0EBBSABIAJLBH8gAi0AAAVBAAtBLEYLBEAgAkEBaiECDAELCyACIQMDQCABIAJLBH8gAi0AACIEQQlGIARBIEZyBUEACwRAIAJBAWohAgwBCwsgAiADRgRAQQAPCyACIQMDQCABIANLBH8gAy0AAEEwa0EKSQVBAAsEQCADQQFqIQMMAQsLIAIgA0YgAyACa0ECS3IEQEEADwsgAyEEA0AgASADSwR/IAMtAABBgAFPBUEACwRAIANBAWohAwwBCwsgA0EBaiADIAMgBEEBakYEfyAELQAAQZQBRgVBAAsEfyABIANLBH8gAy0AAAVBAAtBzgBGBUEACxsiA0EBaiADIAEgA0sEfyADLQAABUEAC0EsRiIFIAEgA0sEfyADLQAABUEAC0EuRnIbIgMgAUkEfyADLQAABUEACyIGQQlGIAZBIEZyRQRAQQAPCyAAIAEQAyIGRQRAQQAPC0EAIQADQCACIARJBEAgAi0AAEEwayAAQQpsaiEAIAJBAWohAgwBCwsgACEEIAUEQCADIQADQCAAIAFJBH8gAC0AACICQQlGIAJBIEZyBUEACwRAIABBAWohAAwBCwsgACECA0AgACABSQR/IAAtAABBMGtBCkkFQQALBEAgAEEBaiEADAELCyAAIAJrQQRGBEBBACEDA0AgACACSwRAIAItAABBMGsgA0EKbGohAyACQQFqIQIMAQsLIAMgBiAEIAAgARAADwsLIAYgBCADIAEQBAvSBQEEfyAAIQQDQCABIARLBEAgBC0AAEEwayAFQQpsaiEFIARBAWohBAwBCwsgBSEGIAFBAWoiBCADSQR/IAQtAAAFQQALQSByQeEAa0EaSQR/QQEFIAMgBEsEfyAELQAABUEAC0GAAU8LBEAgBCADEAMhBSMGIQEgBQR/IAEgA0kEfyABLQAABUEACyACRwVBAQsEQEEADwsgAUEBaiEAA0AgACADSQR/IAAtAABBMGtBCkkFQQALBEAgAEEBaiEADAELCyAAIAFrQQFrIgJBBEcgAkECR3EEQEEADwsgAUEBaiEBQQAhBANAIAAgAUsEQCABLQAAQTBrIARBCmxqIQQgAUEBaiEBDAELCyAEQdAPaiAEQewOaiIBIARBxgBIGyABIAQgAkEDRhsgAkECRhsgBSAGIAAgAxAADwsgBCEFA0AgAyAFSwR/IAUtAABBMGtBCkkFQQALBEAgBUEBaiEFDAELCyAEIAVGIAUgBGtBAktyBEBBAA8LA0AgBCAFSQRAIAQtAABBMGsgB0EKbGohByAEQQFqIQQMAQsLIAMgBUsEfyAFLQAABUEACyACRwRAIAEgAGtBAk0EfyADIAVNBH9BAQUgBS0AACIAQQlGIABBIEZyCwVBAAsEfyAGIAcgBSADEAQFQQALDwsgBUEBaiECA0AgAiADSQR/IAItAABBMGtBCkkFQQALBEAgAkEBaiECDAELCyACIAVrQQFrIQQgASAAa0EERgRAIARFIARBAktyBEBBAA8LIAVBAWohAEEAIQEDQCAAIAJJBEAgAC0AAEEwayABQQpsaiEBIABBAWohAAwBCwsgBiAHIAEgAiADEAAPCyAEQQRHBEBBAA8LIAVBAWohAEEAIQEDQCAAIAJJBEAgAC0AAEEwayABQQpsaiEBIABBAWohAAwBCwsgASAHIAYgAiADEAAEf0EBBSABIAYgByACIAMQAAsLyAcCBn8BeyAEJAMgAyAEoCQEIwREAAAAf8NjHUKjnPwCQbIPaiEFA0AgBUEBayIGQZADbSEIIwQgBiAIQZADbGsiCUHtAmwgCUEEbWogCUHkAG1rIAhBsfUIbGpBuvIra7dEAAAAAHCZlEGiYwRAIAYhBQwBCwsDQCMEIAUgBUGQA20iBkGQA2xrIghB7QJsIAhBBG1qIAhB5ABtayAGQbH1CGxqQbryK2u3RAAAAABwmZRBomYEQCAFQQFqIQUMAQsLIAUkBUGA4AshBSAAQYDgC2ohCQNAIAVBEGoiACAJTQRAIAsgBf0ABAD9UCELIAAhBQwBCwsgC/1kIQAgBSAJSQR/IAAgBf0ABAD9ZEEBIAkgBWt0QQFrcXIFIAALRSEKQYDgCyEAAn8DQCAAIAlJBEAgAP0ABAD9DAkJCQkJCQkJCQkJCQkJCQn9I/1kIgUEQCAAIAVoaiIAIAkgACAJSRsMAwsgAEEQaiEADAELCyAJCyAJSSQUQYDgCyEAA0AgB0GAFEggACAJSXEEQCAAIQUgAUUCfwNAIAUgCUkEQCAF/QAEAP0MCgoKCgoKCgoKCgoKCgoKCv0j/WQiBgRAIAUgBmhqIgUgCSAFIAlJGwwDCyAFQRBqIQUMAQsLIAkLIgggCUZxRQRAIAghBQNAIAAgBUkEfyAFQQFrLQAAQQ1GBUEACwRAIAVBAWshBQwBCwsgACAFSQRAIAciBkEBaiEHIAZByABsQYAwaiQHIwcgAEGA4AtrNgIAIwcgBUGA4AtrNgIE/QwAAAAAAAAAAAAAAAAAAAAAIQsjB/0MAAAAAAAAAAAAAAAAAAAAAP0LBAgjB/0MAAAAAAAAAAAAAAAAAAAAAP0LBBgjB/0MAAAAAAAAAAAAAAAAAAAAAP0LBCgjB/0MAAAAAAAAAAAAAAAAAAAAAP0LBDgjB0QAAAAAAAD4fzkDOCAAIAUgAhAoRQRAIwf9DAAAAAAAAAAAAAAAAAAAAAD9CwQIIwf9DAAAAAAAAAAAAAAAAAAAAAD9CwQYIwf9DAAAAAAAAAAAAAAAAAAAAAD9CwQoIwf9DAAAAAAAAAAAAAAAAAAAAAD9CwQ4IwdEAAAAAAAA+H85AzgLIAoEf0EBBQNAIABBEGoiBiAFTQRAIAsgAP0ABAD9UCELIAYhAAwBCwsgC/1kIQYgACAFSQR/IAYgAP0ABAD9ZEEBIAUgAGt0QQFrcXIFIAYLRQsEQCMHIwcoAghBgAhyNgIICwsgCEEBaiEADAILCwsgACAJIAAgCUkbQYDgC2skGSAHC98FAgV/AX4CQCACQQJxBH8gACABEBkFQQALDQAgAkEBcQRAIwf9DAAAAAAAAAAAAAAAAAAAAAD9CwQIIwf9DAAAAAAAAAAAAAAAAAAAAAD9CwQYIwf9DAAAAAAAAAAAAAAAAAAAAAD9CwQoIwf9DAAAAAAAAAAAAAAAAAAAAAD9CwQ4IwdEAAAAAAAA+H85AzgCf0EAIAAgARAdIgZFIAZBAWogAU9yDQAaIAAiBCEFA0AgBSAGSQRAIAX9AAQA/Qw7Ozs7Ozs7Ozs7Ozs7Ozs7/SP9ZK0gBf0ABBD9DDs7Ozs7Ozs7Ozs7Ozs7Ozv9I/1krUIQhoQgBf0ABCD9DDs7Ozs7Ozs7Ozs7Ozs7Ozv9I/1krUIghoQgBf0ABDD9DDs7Ozs7Ozs7Ozs7Ozs7Ozv9I/1krUIwhoQhCCAGIAVrIgdBwABJBEAgCEIBIAethkIBfYMhCAsDQCAIQgBSBEAgBSAIeqdqIgcgBEsEQEEAIAQgBxAORQ0FGkEBIQMLIAdBAWohBCAIIAhCAX2DIQgMAQsLIAVBQGshBQwBCwtBACAEIAZJBH9BACAEIAYQDkUNARpBAQUgAwtFDQAaIwcgBkH/3wtrNgIMIwcgAUGA4AtrNgIQIwcjBygCCEFPcUEQcjYCCEEBCw0BCyACQQRxBEAjB/0MAAAAAAAAAAAAAAAAAAAAAP0LBAgjB/0MAAAAAAAAAAAAAAAAAAAAAP0LBBgjB/0MAAAAAAAAAAAAAAAAAAAAAP0LBCgjB/0MAAAAAAAAAAAAAAAAAAAAAP0LBDgjB0QAAAAAAAD4fzkDOCAAIAEQHw0BC0EADwsjBygCCEEPcUECRgRAIwcoAhBBgOALaiMHKAIMQYDgC2oiAGsiAUEBRgR/IAAtAABBLkYFQQALBEAjByMHKAIIQYAQcjYCCAUgAUECRgR/IAAvAQBBrtwARgVBAAsEQCMHIwcoAghBgBByNgIICwsLQQELBAAjGQsFAEGAIAsGAEGAgAQLBgBBgOALC9cHAg5/AXsgAEGA4AtqIQhBgOALIQVBgDAkAQNAIAUgCEkjAUHsvQtNcQRAAkAjAUEUaiQCQQAhAkEAIQkgAyEAQQAhAQNAIAJFIAEgBkhxBEAgBiABIANqIgBMBEAgACAGayEACyAAQYQDbEGAwAtqIAUgCBAwIQIgAUEBaiEBDAELCyACQQBHIgtFIAZBCEhxBEBBCCEJAn8gBiIAQYQDbEGAwAtqIQxBACEHIAUiBCEBA0AgB0EgSARAIAEhAkEAAn8DQCACIAhJBEAgAv0ABAAiD/0MOzs7Ozs7Ozs7Ozs7Ozs7O/0jIA/9DCEhISEhISEhISEhISEhISH9Jv1Q/WQiDQRAIAIgDWhqIgJBACACIAhJBH8gAi0AAEE7RgVBAAsbDAMLIAJBEGohAgwBCwtBAAsiDUUNAhogASECA0AgAiANSQR/IAItAABBPUcFQQALBEAgAkEBaiECDAELC0EAIAIgDUYNAhogDEEEaiAHQQxsaiIOIAE2AgAgDiACQQFqIAFrNgIEIA4gDUEBaiICIAFrNgIIIAIiASAISQR/IAEtAABBIEYFQQALBEACQANAIAEgBEsEQCAE/QAEAP1kIQ1BASECIAEgBGsiDkEQSQR/IA1BASAOdEEBa3EFIA0LDQIgBEEQaiEEDAELC0EAIQILQQAgAg0DGiAMIAdBAWo2AgAgAUEBagwDCyAHQQFqIQcMAQsLQQALIQILIAIgBSACGyEBAn8DQCABIAhJBEAgAf0ABAD9DAoKCgoKCgoKCgoKCgoKCgr9I/1kIgQEQCABIARoaiIBIAggASAISRsMAwsgAUEQaiEBDAELCyAICyIEIAhGDQAgBEEBayIBIAQgBCAFSwR/IAEtAABBDUYFQQALGyEMIAIEQCALBEAgAEGEA2xBgMALaiEHIwEoAhAhAyMBQRRqIQEDQCADBEAgASgCAEGA4AtqIAdBBGogA2hBDGxqIgsoAgRrIQ0gCyANNgIAIAsgASgCBEGB4AtqIA1rNgIIIAFBCGohASADIANBAWtxIQMMAQsLBSMBQQA2AhAgBkEBaiEGCyAAIQMgCUEQciACIQECQANAIAEgDEkEQCAB/QAEAP1kIQ1BASEHIAwgAWsiDkEQSQR/IA1BASAOdEEBa3EFIA0LDQIgAUEQaiEBDAELC0EAIQcLIAkgBxshCSMBIAJBgOALazYCCAUjAUEANgIICyMBIAVBgOALazYCACMBIAxBgOALazYCBCMBIAAgCXI2AgwgCkEBaiEKIwIkASAEQQFqIQUMAgsLCyAFQYDgC2skACMBJAIgCgsLACMCQYAwa0ECdQsEACMAC+cDAgp/AXsgACgCACEJIwFBFGohBQNAIAYgCUgEQCAAQQRqIAZBDGxqIgQoAgQhByAEKAIAIQpBACEDIAQoAggiBAJ/A0AgAyAESQRAIAEgA2r9AAQAIAMgCmr9AAQA/SP9ZCILQf//A0cEQCADIAtBf3NoaiIDIAQgAyAESRsMAwsgA0EQaiEDDAELCyAECyIDRgR/IAEgBGoFIAMgB0kEQEEADwsgASAHaiEDAn8DQCACIANLBEAgA/0ABAAiDf0MOzs7Ozs7Ozs7Ozs7Ozs7O/0jIA39DCEhISEhISEhISEhISEhISH9Jv1Q/WQiBARAIAMgBGhqIgNBACACIANLBH8gAy0AAEE7RgVBAAsbDAMLIANBEGohAwwBCwtBAAsiCwRAIAEgB2ohBAJAA0AgBCALSQRAIAT9AAQA/WQhCkEBIQMgCyAEayIMQRBJBH8gCkEBIAx0QQFrcQUgCgsNAiAEQRBqIQQMAQsLQQAhAwsFQQEhAwsgAwRAQQAPCyAIQQEgBnRyIQggBSABIAdqQYDgC2s2AgAgBSALQYDgC2s2AgQgBUEIaiEFIAtBAWoLIQEgBkEBaiEGDAELCyABIAJPBH9BAQUgAS0AAEEgRwsEQEEADwsjASAINgIQIAUkAiABQQFqCwu/DSQAQYwICwJMAgBBmAgLtQQEAAAAMAIAAG5hagABAAAAYmVmAAIAAAByYW0AAwAAAHJwYQAEAAAAeWFtAAUAAABudWoABgAAAGx1agAHAAAAZ3VhAAgAAABwZXMACQAAAHRjbwAKAAAAdm9uAAsAAABjZWQADAAAAHpybQADAAAAaWFtAAUAAAB0a28ACgAAAHplZAAMAAAAdHJtAAMAAABpZW0ABQAAAGphbQAFAAAAc2VkAAwAAABlenMACQAAAHJ2YQAEAAAAbml1agYAAABsaXVqBwAAAHVvYQAIAAAAbmVnAAEAAABnYW0ABQAAAHVpZwAGAAAAZ3VsAAcAAABvZ2EACAAAAHRlcwAJAAAAdHRvAAoAAABjaWQADAAAAGVuZQABAAAAcmJhAAQAAAB2ZWYAAgAAAHR1bwAKAAAAb2dhAAgAAAB5dHMAAQAAAHR1bAACAAAAaXdrAAQAAABlemMABgAAAHBpbAAHAAAAZWlzAAgAAAB6cncACQAAAHNpbAALAAAAdXJnAAwAAABkZWwAAQAAAGJ1ZAAEAAAAcHJzAAgAAABvcnAADAAAAG1hdAABAAAAbGVoAAIAAABsYWFtAwAAAGh1aAAEAAAAdW90AAUAAABvbGUACAAAAHl5cwAJAAAAa29sAAoAAABycmFtCwAAAHVvagAMAAAAaWVoAAcAAABhY28AAQAAAHNpbgAEAAAAemFoAAYAAABtZXQABwAAAGx5ZQAJAAAAaWtlAAoAAABzYWsACwAAAGFyYQAMAEHcDAsCDAEAQegMC/UBBAAAAPAAAABybQAAAwAAAHpybQADAAAAbmoAAAEAAAB2ZgAAAgAAAHJ2ZgACAAAAY2QAAAwAAAB0b2EACAAAAG9hAAAIAAAAZWNkAAwAAAByYW0AAwAAAGNybQADAAAAcnAAAAQAAABqbQAABQAAAGxqAAAHAAAAYXAAAAoAAABvbgAAAgAAAG4AAAACAAAAZWIAAAMAAAB2awAABQAAAHR2awAFAAAAbmUAAAYAAAByZQAABgAAAHoAAAAJAAAAcmF6AAkAAABqAAAACgAAAGNlAAAHAAAAYnUAAAIAAAB1YQAACAAAAHNlawAGAAAAawAAAAYAQewOCwF8AEH4DgttBAAAAGgAAACyvY8AAQAAALK1hAACAAAAgLC8AAMAAACAv7AABAAAALmwvAAFAAAAj7C8AAUAAAC9jrgABgAAALuOuAAHAAAAs7KwAAgAAAC9tYEACQAAAIK6vgAKAAAAj769AAsAAAC6tbQADABB7A8LAewAQfgPC9UBBAAAANAAAAD37vEAAQAAAPfl5gACAAAA8uHtAAMAAADy8OEABAAAAOrh7QAFAAAA8eHtAAUAAADu4OkABgAAAOzg6QAHAAAA5/fhAAgAAADu5fMACQAAAPTr7wAKAAAA8e/uAAsAAADr5eQADAAAAOLt/wABAAAA4uX0AAIAAADw4OwAAwAAAPDv4AAEAAAA6eDsAAUAAAD/4OwABQAAAO3+6AAGAAAA6/7oAAcAAADj4uAACAAAAO3l8QAJAAAA8uruAAoAAAD/7u0ACwAAAOrl5AAMAEHcEQsBXABB6BELSAQAAABAAAAAC3ZvbgNyYW0JcGVzB2x1agV5YW0AAAAACGd1YQp0Y28GbnVqAAAAAAAAAAAMY2VkAW5hagAAAAAEcnBhAmJlZgBBvBILASwAQcgSCyMEAAAAHAAAAG5vbQBldXQAZGV3AHVodABpcmYAdGFzAG51cwBB7BILARwAQfgSCxECAAAACgAAAHQAeQBwAGUAPQBBjBMLARwAQZgTCxECAAAACgAAAHAAZQByAG0APQBBrBMLARwAQbgTCxECAAAACgAAAHMAaQB6AGUAPQBBzBMLARwAQdgTCxECAAAACgAAAHMAaQB6AGQAPQBB7BMLASwAQfgTCxUCAAAADgAAAG0AbwBkAGkAZgB5AD0AQZwUCwEsAEGoFAsVAgAAAA4AAABjAHIAZQBhAHQAZQA9AEHMFAsBLABB2BQLGwIAAAAUAAAAdQBuAGkAeAAuAG0AbwBkAGUAPQBB/BQLASwAQYgVCxkCAAAAEgAAAHUAbgBpAHgALgB1AGkAZAA9AEGsFQsBLABBuBULGQIAAAASAAAAdQBuAGkAeAAuAGcAaQBkAD0AQdwVCwEsAEHoFQsXAgAAABAAAABvAHMALgB1AG4AaQB4AD0AQYwWCwEcAEGYFgsRAgAAAAoAAABzAGwAaQBuAGsAQawWCwEsAEG4FgsVAgAAAA4AAABzAHkAbQBsAGkAbgBr"), (c) => c.charCodeAt(0));
var __deno_wasm_instance__ = new WebAssembly.Instance(new WebAssembly.Module(__deno_wasm_bytes__)).exports;
var __deno_wasm_export_0__ = __deno_wasm_instance__["consumedFactBytes"];
var __deno_wasm_export_1__ = __deno_wasm_instance__["factWords"];
var __deno_wasm_export_2__ = __deno_wasm_instance__["scanFacts"];
var __deno_wasm_export_3__ = __deno_wasm_instance__["inputAddress"];
var __deno_wasm_export_4__ = __deno_wasm_instance__["inputSize"];
var __deno_wasm_export_5__ = __deno_wasm_instance__["stateAddress"];
var __deno_wasm_export_6__ = __deno_wasm_instance__["consumedBytes"];
var __deno_wasm_export_7__ = __deno_wasm_instance__["listingAddress"];
var __deno_wasm_export_8__ = __deno_wasm_instance__["scanListing"];
var __deno_wasm_export_9__ = __deno_wasm_instance__["replyCodesAddress"];
var __deno_wasm_export_10__ = __deno_wasm_instance__["replyEndsAddress"];
var __deno_wasm_export_11__ = __deno_wasm_instance__["replyStartsAddress"];
var __deno_wasm_export_12__ = __deno_wasm_instance__["scanReplies"];
var __deno_wasm_export_13__ = __deno_wasm_instance__["memory"];

// parser/listing_record.ts
var RECORD = {
  words: 18,
  lineStart: 0,
  lineEnd: 1,
  flags: 2,
  nameStart: 3,
  nameEnd: 4,
  targetStart: 5,
  targetEnd: 6,
  ownerStart: 7,
  ownerEnd: 8,
  groupStart: 9,
  groupEnd: 10,
  mode: 11,
  digitsStart: 16,
  digitsEnd: 17,
  /** These two count in 64-bit numbers. */
  size: 6,
  /** NaN if the line has no time. */
  time: 7
};
var FLAG = {
  kindMask: 15,
  formatShift: 4,
  formatMask: 3,
  precisionShift: 6,
  precisionMask: 3,
  sizeShift: 8,
  sizeMask: 3,
  ascii: 1 << 10,
  self: 1 << 11,
  hasMode: 1 << 12,
  padded: 1 << 13,
  tight: 1 << 14
};

// parser/mod.ts
var PIECE_SIZE3 = __deno_wasm_export_4__();
var STATE_WORDS = 16;
var MAX_REPLIES = PIECE_SIZE3 / 4;
var SHORT_PIECE = 48;
var NO_CODES = new Uint16Array(0);
var { buffer } = __deno_wasm_export_13__;
var INPUT = __deno_wasm_export_3__();
var bytes = new Uint8Array(buffer);
var state = new Int32Array(buffer, __deno_wasm_export_5__(), STATE_WORDS);
var replyCodes = new Uint16Array(buffer, __deno_wasm_export_9__(), MAX_REPLIES);
var replyStarts = new Int32Array(buffer, __deno_wasm_export_11__(), MAX_REPLIES);
var replyEnds = new Int32Array(buffer, __deno_wasm_export_10__(), MAX_REPLIES);
var listingWords = new Int32Array(buffer, __deno_wasm_export_7__(), (INPUT - __deno_wasm_export_7__()) / Int32Array.BYTES_PER_ELEMENT);
var WORD = {
  status: 7,
  hint: 8,
  maxLine: 9,
  maxReply: 10,
  lenient: 11,
  dataStart: 12,
  dataLength: 13,
  keep: 14,
  wrongEnd: 15
};
var REPLY_STATUSES = [
  "good",
  "malformed",
  "lineTooLong",
  "replyTooLong"
];
var ReplyScanner = class {
  #state = new Int32Array(STATE_WORDS);
  /**
   * Creates a scanner at the start of a stream.
   *
   * @param options Limits and grammar
   */
  constructor(options) {
    this.#state[WORD.maxLine] = toWord(options.maxReplyLine);
    this.#state[WORD.maxReply] = toWord(options.maxReply);
    this.#state[WORD.lenient] = options.lenient ? 1 : 0;
  }
  /**
   * Scans the next piece of the stream. Read the results before any scanner
   * scans again.
   *
   * @param piece At most {@linkcode PIECE_SIZE} bytes
   * @returns Number of replies that ended in it
   */
  scan(piece) {
    writeInput(piece);
    const own = this.#state;
    for (let word = 0; word < STATE_WORDS; word++) state[word] = own[word];
    const count = __deno_wasm_export_12__(piece.length);
    for (let word = 0; word < STATE_WORDS; word++) own[word] = state[word];
    return count;
  }
  /**
   * Scans a chunk of any length for codes only.
   *
   * @param chunk The next bytes of the stream
   * @returns Codes of the replies that ended in it, in order
   */
  scanCodes(chunk) {
    if (chunk.length <= PIECE_SIZE3) {
      const count = this.scan(chunk);
      return count === 0 ? NO_CODES : replyCodes.slice(0, count);
    }
    const found = [];
    let total = 0;
    for (let at = 0; at < chunk.length; at += PIECE_SIZE3) {
      const count = this.scan(chunk.subarray(at, at + PIECE_SIZE3));
      found.push(replyCodes.slice(0, count));
      total += count;
    }
    const codes = new Uint16Array(total);
    let to = 0;
    for (const some of found) {
      codes.set(some, to);
      to += some.length;
    }
    return codes;
  }
  /**
   * Returns the text that the last positions refer to: the piece itself, or a
   * copy without its Telnet commands.
   *
   * @param piece The piece that was scanned last
   */
  text(piece) {
    const start = this.#state[WORD.dataStart];
    const length = this.#state[WORD.dataLength];
    if (start === 0 && length === piece.length) return piece;
    return bytes.slice(INPUT + start, INPUT + start + length);
  }
  /** Code of a reply that ended in the last piece. */
  code(index) {
    return replyCodes[index];
  }
  /**
   * Position where the reply starts in the text; -1 if it began in an earlier
   * piece.
   */
  start(index) {
    return replyStarts[index];
  }
  /**
   * Position where the reply ends in the text, without its line end; below 0 if
   * the line end began in an earlier piece.
   */
  end(index) {
    return replyEnds[index];
  }
  /**
   * Position from which the text belongs to the unfinished reply; -1 if all of
   * it continues the bytes kept of earlier pieces.
   */
  get keep() {
    return this.#state[WORD.keep];
  }
  /** State of the stream. */
  get status() {
    return REPLY_STATUSES[this.#state[WORD.status]];
  }
  /** Position where the invalid line ends in the text. */
  get wrongEnd() {
    return this.#state[WORD.wrongEnd];
  }
  /** Whether the last complete line would end the reply, but for its code. */
  get hint() {
    return this.#state[WORD.hint] !== 0;
  }
};
function writeInput(piece) {
  const { length } = piece;
  if (length > SHORT_PIECE) bytes.set(piece, INPUT);
  else for (let at = 0; at < length; at++) bytes[INPUT + at] = piece[at];
}
function toWord(cap) {
  return Math.max(0, Math.min(Math.floor(cap), 1073741823));
}
var ListingScanner = class {
  #options;
  /**
   * Creates a scanner.
   *
   * @param options Formats and calendar
   */
  constructor(options) {
    this.#options = options;
  }
  /**
   * Scans the complete lines at the start of some bytes, up to the size of the
   * table.
   *
   * @param held The first of the bytes
   * @param piece The following bytes; at most {@linkcode PIECE_SIZE} together
   * @param last Whether the listing ends with the piece, so that its last line
   * needs no line end
   * @returns The lines, without blank ones
   */
  scan(held, piece, last) {
    const { formats, latest, zone } = this.#options;
    bytes.set(held, INPUT);
    bytes.set(piece, INPUT + held.length);
    const count = __deno_wasm_export_8__(held.length + piece.length, last ? 1 : 0, formats, latest, zone);
    const consumed = __deno_wasm_export_6__();
    const words = listingWords.slice(0, count * RECORD.words);
    return {
      count,
      words,
      numbers: new Float64Array(words.buffer),
      consumed,
      bytes: bytes.slice(INPUT, count > 0 ? INPUT + consumed : INPUT)
    };
  }
};
var FACT_RECORD = {
  lineStart: 0,
  lineEnd: 1,
  /** 0 if the facts are unusual. */
  nameStart: 2,
  /** Shape and marks. */
  shape: 3,
  /** Bits of the values that differ from those of the shape's last line. */
  differing: 4,
  words: 5
};
var FACT_MARK = {
  shapeMask: 7,
  /** The first line of the shape. */
  isNew: 8,
  /** The name is not ASCII. */
  isEncoded: 16
};
function scanFacts(piece) {
  bytes.set(piece, INPUT);
  const count = __deno_wasm_export_2__(piece.length);
  return {
    count,
    words: listingWords.slice(0, __deno_wasm_export_1__()),
    consumed: __deno_wasm_export_0__()
  };
}

// lib/listing/listing_reader.ts
init_check_word();

// lib/listing/entry_shape.ts
var ENTRY_REGEXPS = [
  // Unix: permissions, perhaps behind a number or two
  /^[ \t]*(?:\d+ +){0,2}[-A-Za-z](?=\S*[rwx])[-rwxsStTlL]{5}/,
  // DOS: a date
  /^[ \t]*\d{1,4}[-/.]\d{1,2}[-/.]\d/,
  // MLSD: facts
  /^ ?[\w.-]{1,40}=/,
  // OpenVMS: a version
  /;\d/,
  // IBM i: a type
  /(?:^| )\*[A-Z]{2,9}\b/,
  // NetWare: rights
  /^[-a-z] ?\[/,
  // EPLF
  /^\+\S*\t/
];
var DATE_REGEXP3 = /\d:\d\d|\d[-/.]\d{1,2}[-/.]\d|\d-[A-Za-z]{3}-\d|\b[A-Za-z]{3} {1,4}\d{1,2} {1,4}\d/;
var TABLE_REGEXP = /^[ \t]*(?:\d|\S+[ \t]+[\d<])/;
var NAME_REGEXP3 = /^[ \t]*[^ \t]+[ \t]*$/;
var LAST_NAME_REGEXP = /[A-Z$#@][A-Z0-9$#@.]{1,43} *$/;
function hasEntryShape(line, isQuick) {
  if (!/[A-Za-z0-9\x80-\xff]/.test(line)) return false;
  if (ENTRY_REGEXPS.some((regexp) => regexp.test(line))) return true;
  if (TABLE_REGEXP.test(line) && DATE_REGEXP3.test(line)) return true;
  if (isQuick) return false;
  return NAME_REGEXP3.test(line) || !isProse(line);
}
function isProse(line) {
  return !/\d/.test(line) && /[a-z]{2}/.test(line) && !LAST_NAME_REGEXP.test(line.slice(-64));
}

// lib/listing/noise.ts
var NOISE_REGEXPS = [
  // "total 112" in the languages of `ls`; East Asian ones as UTF-8 bytes
  /^(?:total|totale|totaal|totalt|insgesamt|gesamt|razem|celkem|toplam|yhteens\S{1,2}|\S{1,2}sszesen|\xe5\x90\x88\xe8\xa8\x88|\xe6\x80\xbb\S{3,6}|\xe7\xb8\xbd\xe8\xa8\x88|\xed\x95\xa9\xea\xb3\x84|\xd0\xb8\xd1\x82\xd0\xbe\xd0\xb3\xd0\xbe):? *-?[\d.,]+ *[kMGTP]?$/i,
  // reply to STAT
  /^21\d(?:-| end\b)/i,
  /^(?:status of|end of status)\b/i,
  // a line below a header
  /^ *-{3,}(?: +-{3,})* *$/,
  // header of a directory in "LIST -R"
  /^(?:\.|\/|[A-Za-z]:[\\/]|[^\s:/]+\/).*:$/,
  /^[^\s:]{1,255}:$/,
  // error messages of ls, with any path
  /^(?:\S*\/)?ls: /,
  /^\S.*: (?:permission denied|no such file or directory)\.?$/i,
  // "dir" of Windows: volume, directory, counts
  /^ +(?:volume (?:in|serial)|directory of) /i,
  /^ +[\d.,]+ (?:file|dir)\(s\)/i,
  /^ *[\d.,]{1,20} +(?:files?|director(?:y|ies))(?: +[\d.,]{1,24} +bytes(?: free)?)? *$/i
];
var COMPLAINT_REGEXP = /^(?:(?:\S*\/)?ls: |\S.*: permission denied\.?$)(?!.*\b(?:no such file|not exist|not found|no files?)\b)/i;
function isComplaint(line) {
  return line.length < 1024 && COMPLAINT_REGEXP.test(line);
}
function isNoise(line) {
  return line.length < 1024 && (line.trim() === "" || NOISE_REGEXPS.some((regexp) => regexp.test(line)));
}

// lib/listing/aligned_text.ts
var asciiDecoder = new TextDecoder("utf-8", {
  ignoreBOM: true
});
var byteDecoder = new TextDecoder("latin1");
function toAlignedText(bytes2) {
  const text = asciiDecoder.decode(bytes2);
  return text.length === bytes2.length ? text : byteDecoder.decode(bytes2);
}

// lib/listing/facts.ts
var SHAPE_REGEXP = /^[a-z][\w.-]*=/i;
var CLOSED_REGEXP = /^(?:(?:type|perm)=[a-z]*|(?:size|sizd|modify|create|unix\.(?:mode|uid|gid))=[\dz.]*)$/i;
function factsEnd(line) {
  let blank = line.indexOf(" ");
  const tab = line.indexOf("	");
  const isTab = tab > 0 && line[tab - 1] === ";" && !(blank >= 0 && blank < tab);
  if (isTab) return tab;
  if (blank < 0) return line.length;
  if (blank === 0 || line[blank - 1] === ";") return blank;
  let start = line.lastIndexOf(";", blank) + 1;
  const equals = line.indexOf("=", start);
  if (equals < 0 || equals > blank) return blank;
  for (let last = -1; ; ) {
    const semicolon = line.indexOf(";", start);
    const end = semicolon < 0 ? line.length : semicolon;
    if (blank >= 0 && blank < start) blank = line.indexOf(" ", start);
    if (blank === start) return blank;
    const fact = line.slice(start, end);
    if (last >= 0 && fact !== "" && !SHAPE_REGEXP.test(fact)) {
      const close = line.indexOf("; ", start);
      return close < 0 ? last : close + 1;
    }
    if (blank >= 0 && blank < end) {
      if (CLOSED_REGEXP.test(line.slice(start, blank))) return blank;
      last = blank;
      if (semicolon < 0) return last;
    }
    if (semicolon < 0) return line.length;
    start = end + 1;
  }
}
function parseFacts(line) {
  const end = factsEnd(line);
  const facts = {};
  for (let start = 0, stop2; start < end; start = stop2 + 1) {
    stop2 = line.indexOf(";", start);
    if (stop2 < 0 || stop2 > end) stop2 = end;
    if (stop2 === start) continue;
    const equals = line.indexOf("=", start);
    const isFlag = equals < 0 || equals >= stop2;
    const key = line.slice(start, isFlag ? stop2 : equals).toLowerCase();
    const value = isFlag ? "" : line.slice(equals + 1, stop2);
    if (key === "__proto__") defineFact(facts, key, value);
    else facts[key] = value;
  }
  return {
    name: line.slice(end + 1),
    facts
  };
}
function defineFact(facts, key, value) {
  Object.defineProperty(facts, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true
  });
}

// lib/listing/table_source.ts
var KINDS3 = [
  "unknown",
  "file",
  "directory",
  "symlink",
  "other"
];
var TABLE_FORMATS = [
  "unknown",
  "mlsd",
  "unix",
  "dos"
];
var PRECISIONS = [
  void 0,
  "second",
  "minute",
  "day"
];
var SIZE = {
  none: 0,
  exact: 1,
  digits: 2,
  approximate: 3
};
var OPEN_LINK_MASK = FLAG.kindMask | FLAG.formatMask << FLAG.formatShift;
var OPEN_LINK = KINDS3.indexOf("symlink") | TABLE_FORMATS.indexOf("mlsd") << FLAG.formatShift;
var TableSource = class {
  #bytes;
  /** Words of all records; `undefined` after {@linkcode pack}. */
  #words;
  /** The same memory as 64-bit numbers. */
  #numbers;
  #reader;
  #scan;
  /** Whether the words differ from the scanner's. */
  #isChanged = false;
  /** Text of all lines, decoded on first use. */
  #text;
  /**
   * Creates a source.
   *
   * @param scan Scans its bytes again
   */
  constructor(records, reader, scan) {
    this.#bytes = records.bytes;
    this.#words = records.words;
    this.#numbers = records.numbers;
    this.#reader = reader;
    this.#scan = scan;
  }
  // a private getter would cost a tenth of the time of a listing
  #unpack() {
    const { words, numbers } = this.#scan(this.#bytes);
    this.#numbers = numbers;
    return this.#words = words;
  }
  #numbersAgain() {
    this.#unpack();
    return this.#numbers;
  }
  /** Keeps only the bytes, which are scanned again on the next access. */
  pack() {
    if (this.#isChanged) return;
    this.#words = this.#numbers = void 0;
    this.#text = void 0;
  }
  /** Flags of a line. */
  flags(index) {
    const words = this.#words ?? this.#unpack();
    return words[index * RECORD.words + RECORD.flags];
  }
  /** Removes the first blank of the name, unless it is the only character. */
  skipBlank(index) {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words;
    const start = words[at + RECORD.nameStart] + 1;
    const end = words[at + RECORD.nameEnd];
    if (start >= end) return;
    this.#isChanged = true;
    words[at + RECORD.nameStart] = start;
    const isDots = /^\.\.?$/.test(this.name(index));
    if (isDots && this.kind(index) === "directory") {
      words[at + RECORD.flags] |= FLAG.self;
    }
  }
  /** Length of a line in bytes, without its line end. */
  lineLength(index) {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words;
    return words[at + RECORD.lineEnd] - words[at + RECORD.lineStart];
  }
  /** Whether a line is an MLSD link without a target. */
  isOpenLink(index) {
    const words = this.#words ?? this.#unpack();
    return (this.flags(index) & OPEN_LINK_MASK) === OPEN_LINK && words[index * RECORD.words + RECORD.targetEnd] === 0;
  }
  /** Bytes of a line, as a view. */
  lineBytes(index) {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words;
    return this.#bytes.subarray(words[at + RECORD.lineStart], words[at + RECORD.lineEnd]);
  }
  /**
   * Returns the text between two positions. ASCII text is cut from the text of
   * all lines.
   */
  #slice(index, start, end) {
    if (this.#reader.isAsciiTransparent && this.flags(index) & FLAG.ascii) {
      this.#text ??= toAlignedText(this.#bytes);
      return this.#text.substring(start, end);
    }
    return this.#reader.decode(this.#bytes.subarray(start, end));
  }
  /**
   * Returns the text of an optional part, which has no end if it is missing.
   */
  #part(index, word) {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words + word;
    const end = words[at + 1];
    if (end === 0) return void 0;
    return this.#slice(index, words[at], end);
  }
  name(index) {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words;
    return this.#slice(index, words[at + RECORD.nameStart], words[at + RECORD.nameEnd]);
  }
  rawName(index) {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words;
    return this.#bytes.slice(words[at + RECORD.nameStart], words[at + RECORD.nameEnd]);
  }
  kind(index) {
    return KINDS3[this.flags(index) & FLAG.kindMask];
  }
  #sizeState(index) {
    return this.flags(index) >> FLAG.sizeShift & FLAG.sizeMask;
  }
  size(index) {
    const numbers = this.#numbers ?? this.#numbersAgain();
    const state2 = this.#sizeState(index);
    if (state2 === SIZE.none) return void 0;
    if (state2 !== SIZE.digits) {
      return numbers[index * (RECORD.words / 2) + RECORD.size];
    }
    const digits = this.#part(index, RECORD.digitsStart);
    return readDecimal(digits);
  }
  isSizeApproximate(index) {
    return this.#sizeState(index) === SIZE.approximate;
  }
  mtime(index) {
    const numbers = this.#numbers ?? this.#numbersAgain();
    const time = numbers[index * (RECORD.words / 2) + RECORD.time];
    return Number.isNaN(time) ? void 0 : new Date(time);
  }
  mtimePrecision(index) {
    return PRECISIONS[this.flags(index) >> FLAG.precisionShift & FLAG.precisionMask];
  }
  mode(index) {
    const words = this.#words ?? this.#unpack();
    if ((this.flags(index) & FLAG.hasMode) === 0) return void 0;
    return words[index * RECORD.words + RECORD.mode];
  }
  linkTarget(index) {
    return this.#part(index, RECORD.targetStart);
  }
  owner(index) {
    return this.#part(index, RECORD.ownerStart);
  }
  group(index) {
    return this.#part(index, RECORD.groupStart);
  }
  facts(index) {
    if (this.format(index) !== "mlsd") return void 0;
    return parseFacts(this.line(index)).facts;
  }
  line(index) {
    const words = this.#words ?? this.#unpack();
    const at = index * RECORD.words;
    return this.#slice(index, words[at + RECORD.lineStart], words[at + RECORD.lineEnd]);
  }
  format(index) {
    return TABLE_FORMATS[this.flags(index) >> FLAG.formatShift & FLAG.formatMask];
  }
};

// lib/listing/format_detector.ts
var SAMPLE_LINES = 10;
var CANDIDATE_LINES = 3;
var MAX_RARE_LINE = 4096;
var MAX_NOTES = 64;
var UNREAD = "unknown";
var FRAME_SCORE = 0.01;
var FormatDetector = class {
  #options;
  #formats;
  #current;
  /** The first lines, until they decide. */
  #sample = [];
  /** A line that continues in the next one. */
  #partial;
  #newest;
  #candidate;
  #candidateLines = 0;
  /** Unreadable lines that are notes, unless an entry follows. */
  #unread = [];
  #hasEntry = false;
  #complaint;
  /** Creates a detector. */
  constructor(options) {
    this.#options = options;
    const { forced } = options;
    this.#formats = forced === void 0 ? FORMATS : typeof forced === "string" ? [] : [
      forced
    ];
    if (forced !== void 0) {
      this.#current = forced;
      this.#sample = void 0;
    }
  }
  /** The first line that says that the listing is incomplete. */
  get complaint() {
    return this.#complaint;
  }
  /** Name of the current format. */
  get current() {
    return nameOf(this.#current);
  }
  /**
   * Number of the scanner format whose lines need no detection; -1 if every
   * line has to be passed to the detector.
   */
  get accepted() {
    const current = this.#current;
    if (typeof current !== "string" || this.#candidateLines > 0) return -1;
    if (!this.#hasEntry || this.#unread.length > 0) return -1;
    return TABLE_FORMATS.findIndex((name) => name === current);
  }
  /** Reads a line, or keeps it until the format is known. */
  read(line) {
    if (this.#sample === void 0) return this.#settle(this.#readLine(line));
    this.#sample.push(line);
    return this.#sample.length < SAMPLE_LINES ? [] : this.#decide();
  }
  /** Ends the listing. */
  end() {
    const entries = this.#decide();
    entries.push(...this.#settle(this.#endPartial()));
    if (this.#hasEntry) this.#tellNotes();
    else entries.push(...this.#takeUnread());
    return entries;
  }
  /** Turns preceding unreadable lines into notes or entries. */
  #settle(read19) {
    const entries = [];
    for (const { entry, unread } of read19) {
      if (unread === void 0) {
        if (!this.#hasEntry) this.#tellNotes();
        this.#hasEntry = true;
        entries.push(...this.#takeUnread(), entry);
        continue;
      }
      this.#unread.push({
        entry,
        ...unread
      });
      const isFull = this.#unread.length > MAX_NOTES;
      const isEntry = this.#hasEntry && unread.hasShape;
      if (isFull || isEntry) entries.push(...this.#takeUnread());
    }
    return entries;
  }
  /** Returns the kept unreadable lines as entries. */
  #takeUnread() {
    if (this.#unread.length === 0) return [];
    return this.#unread.splice(0).map(({ entry }) => entry);
  }
  /** Reports the unreadable lines that do not look like entries. */
  #tellNotes() {
    const { onNote } = this.#options;
    const notes = this.#unread.filter(({ hasShape }) => !hasShape);
    this.#unread = this.#unread.filter(({ hasShape }) => hasShape);
    for (const { entry, line } of notes) onNote?.(line, entry);
  }
  #decide() {
    const sample = this.#sample;
    if (sample === void 0) return [];
    this.#sample = void 0;
    this.#current = this.#best(sample);
    for (const { source, index } of sample) {
      this.#options.padding.note(source, index);
    }
    return sample.flatMap((line) => this.#settle(this.#readLine(line)));
  }
  /**
   * Returns the format that reads most of the lines; on a tie, one of the
   * scanner's.
   */
  #best(sample) {
    const scores = /* @__PURE__ */ new Map();
    for (const { source, index } of sample) {
      const format = source.format(index);
      if (format !== "unknown") {
        scores.set(format, (scores.get(format) ?? 0) + 1);
      }
    }
    const scanned = [
      ...scores.values()
    ].reduce((sum, score) => sum + score, 0);
    if (scanned < sample.length) {
      const lines = sample.map(({ source, index }) => toByteText(source.lineBytes(index)));
      for (const format of this.#formats) {
        scores.set(format, this.#score(format, lines));
      }
    }
    let best;
    let bestScore = 0;
    for (const [format, score] of scores) {
      if (score > bestScore) [best, bestScore] = [
        format,
        score
      ];
    }
    return best;
  }
  #score(format, lines) {
    let score = 0;
    let looseScore = 0;
    let partial;
    for (const line of lines) {
      const text = partial === void 0 ? line : `${partial} ${line}`;
      let result = this.#try(format, text);
      const isLoose = result === void 0;
      if (isLoose) {
        result = this.#tryLoose(format, text) ?? (partial === void 0 ? void 0 : this.#try(format, line) ?? this.#tryLoose(format, line));
      }
      partial = result === "partial" ? line : void 0;
      if (typeof result === "object") {
        looseScore++;
        if (!isLoose) score++;
      } else if (result === "frame") {
        looseScore += FRAME_SCORE;
        score += FRAME_SCORE;
      } else if (result === void 0 && !isNoise(line)) looseScore = -Infinity;
    }
    return Math.max(score, looseScore);
  }
  #try(format, line) {
    if (line.length > MAX_RARE_LINE && this.#formats === FORMATS) {
      return void 0;
    }
    return format.read(line, this.#options.context);
  }
  #tryLoose(format, line) {
    if (line.length > MAX_RARE_LINE) return void 0;
    return format.readLoose?.(line, this.#options.context);
  }
  #readLine(line) {
    const { source, index } = line;
    const scanned = source.format(index);
    const isScanned = typeof this.#current !== "object" && this.#partial === void 0 && scanned !== "unknown";
    if (isScanned) {
      this.#note(scanned);
      return this.#scanned(line);
    }
    const text = toByteText(source.lineBytes(index));
    if (this.#partial !== void 0) {
      const { format, text: first } = this.#partial;
      const whole = `${first} ${text}`;
      const result = this.#try(format, whole) ?? this.#tryLoose(format, whole);
      if (typeof result === "object" || result === "note") {
        this.#partial = void 0;
        return this.#result(result, whole, format.name);
      }
      return [
        ...this.#endPartial(),
        ...this.#readLine(line)
      ];
    }
    const current = this.#current;
    if (typeof current === "object") {
      const result = this.#try(current, text) ?? this.#tryLoose(current, text);
      if (result === "partial") {
        this.#partial = {
          format: current,
          text
        };
        return [];
      }
      if (result !== void 0) {
        this.#candidateLines = 0;
        return this.#result(result, text, current.name);
      }
    }
    if (scanned !== "unknown") {
      this.#note(scanned);
      return this.#scanned(line);
    }
    return this.#readRare(text);
  }
  /** Returns the entry of a line that the scanner has read. */
  #scanned({ source, index }) {
    this.#options.padding.apply(source, index);
    return [
      {
        entry: new Entry(source, index)
      }
    ];
  }
  /** Reads a line that neither the current format nor the scanner can read. */
  #readRare(text) {
    if (this.#current === "mlsd" && text.startsWith(" ") && text.length > 1) {
      const bare = {
        name: text.slice(1),
        kind: "unknown"
      };
      return [
        this.#entry(bare, text, "mlsd")
      ];
    }
    if (isNoise(text)) {
      if (isComplaint(text)) this.#complaint ??= text;
      return [];
    }
    for (const format of this.#formats) {
      const result = this.#try(format, text);
      if (result === void 0 || result === "partial") continue;
      if (typeof result === "object") this.#note(format);
      return this.#result(result, text, format.name);
    }
    return [
      this.#unreadable(text)
    ];
  }
  #unreadable(text) {
    const isQuick = typeof this.#current === "string";
    const { entry } = this.#entry({
      name: text,
      kind: "unknown"
    }, text, UNREAD);
    const { line } = entry;
    return {
      entry,
      unread: {
        line,
        hasShape: hasEntryShape(text, isQuick)
      }
    };
  }
  #result(result, text, format) {
    if (typeof result === "object") return this.#entries(result, text, format);
    if (result === "note") {
      const { entry } = this.#unreadable(text);
      this.#options.onNote?.(entry.line, entry);
    }
    return [];
  }
  /**
   * Counts the lines in a row that a format read, and makes it current after
   * some.
   */
  #note(format) {
    if (format === this.#current) {
      this.#candidateLines = 0;
      return;
    }
    this.#candidateLines = format === this.#candidate ? this.#candidateLines + 1 : 1;
    this.#candidate = format;
    if (this.#candidateLines >= CANDIDATE_LINES || this.#current === void 0) {
      this.#current = format;
      this.#candidateLines = 0;
    }
  }
  /** Ends a line that the next one did not continue, as unreadable. */
  #endPartial() {
    if (this.#partial === void 0) return [];
    const { text } = this.#partial;
    this.#partial = void 0;
    return [
      this.#unreadable(text)
    ];
  }
  /** Returns the entry, unless it is an older version of the previous one. */
  #entries(parsed, line, format) {
    const { name, version } = parsed;
    if (version === void 0) return [
      this.#entry(parsed, line, format)
    ];
    if (this.#options.allVersions) {
      if (parsed.kind === "directory") {
        return [
          this.#entry(parsed, line, format)
        ];
      }
      const versioned = {
        ...parsed,
        name: `${name};${version}`
      };
      return [
        this.#entry(versioned, line, format)
      ];
    }
    const newest = this.#newest;
    if (newest?.name === name && newest.version > version) return [];
    this.#newest = {
      name,
      version
    };
    return [
      this.#entry(parsed, line, format)
    ];
  }
  #entry(parsed, line, format) {
    const { decode: decode2 } = this.#options;
    const source = new ParsedSource({
      parsed,
      line,
      format,
      decode: decode2
    });
    return {
      entry: new Entry(source, 0)
    };
  }
};
function nameOf(format) {
  return typeof format === "object" ? format.name : format;
}

// lib/listing/link_pairs.ts
var MAX_REMEMBERED = 128;
var LinkPairs = class {
  /**
   * The last entries, until the first link requires an index. They are kept as
   * runs of lines, because storing each would cost more than creating it.
   */
  #recent = [];
  /** Number of these entries. */
  #count = 0;
  /** Entries by `unique`, after the first link; `undefined` before. */
  #targets;
  /** Links that wait for their target, by `unique`. */
  #open = /* @__PURE__ */ new Map();
  /**
   * Adds the next entry. Returns whether it is an entry of the directory.
   *
   * @param isOpenLink Whether it is an MLSD link without a target
   */
  add(entry, isOpenLink) {
    if (isOpenLink) {
      this.#addLink(entry);
      return true;
    }
    if (this.#targets !== void 0) return this.#addTarget(entry);
    this.#note({
      count: 1,
      entry: () => entry
    });
    return true;
  }
  /** Whether a link was found, so that every entry has to be added. */
  get isIndexed() {
    return this.#targets !== void 0;
  }
  /**
   * Adds consecutive lines that are entries and not open links, while there is
   * no link.
   */
  addRun(source, start, end) {
    if (start === end) return;
    this.#note({
      count: end - start,
      entry: (at) => new Entry(source, start + at)
    });
  }
  /** Adds a run, and drops old ones. */
  #note(run2) {
    const recent = this.#recent;
    recent.push(run2);
    this.#count += run2.count;
    while (this.#count - recent[0].count >= MAX_REMEMBERED) {
      this.#count -= recent.shift().count;
    }
  }
  #addLink(link) {
    this.#targets ??= this.#index();
    const unique = link.facts?.unique;
    if (!unique) return;
    const target = this.#targets.get(unique);
    if (target !== void 0) {
      resolveLink(link, target.name);
      return;
    }
    const links = this.#open.get(unique);
    if (links === void 0) remember(this.#open, unique, [
      link
    ]);
    else if (links.length < MAX_REMEMBERED) links.push(link);
  }
  #addTarget(entry) {
    const unique = entry.facts?.unique;
    if (!unique || entry.isSymlink) return true;
    remember(this.#targets, unique, entry);
    const links = this.#open.get(unique);
    for (const link of links ?? []) resolveLink(link, entry.name);
    return links === void 0 || !entry.name.includes("/");
  }
  #index() {
    const targets = /* @__PURE__ */ new Map();
    let before = this.#count;
    for (const run2 of this.#recent) {
      for (let at = 0; at < run2.count; at++) {
        if (before-- > MAX_REMEMBERED) continue;
        const entry = run2.entry(at);
        const unique = entry.facts?.unique;
        if (unique && !entry.isSymlink) remember(targets, unique, entry);
      }
    }
    this.#recent = [];
    return targets;
  }
};
function remember(map, key, value) {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_REMEMBERED) {
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  }
}

// lib/listing/name_padding.ts
var PADDING_MASK = FLAG.padded | FLAG.tight;
var NamePadding = class {
  #isTight = false;
  /** Marks of lines that must be passed to {@linkcode apply}. */
  get mask() {
    return this.#isTight ? 0 : PADDING_MASK;
  }
  /**
   * Learns from a line.
   *
   * @param source The lines that were read together
   * @param index Index of the line
   */
  note(source, index) {
    if (source.flags(index) & FLAG.tight) this.#isTight = true;
  }
  /**
   * Learns from a line, and removes the padding of its name.
   *
   * @param source The lines that were read together
   * @param index Index of the line
   */
  apply(source, index) {
    this.note(source, index);
    if (this.#isTight || (source.flags(index) & FLAG.padded) === 0) return;
    source.skipBlank(index);
  }
};

// lib/listing/listing_reader.ts
var ListingReader = class {
  #scanner;
  #scanAgain;
  #detector;
  #pairs = new LinkPairs();
  #padding = new NamePadding();
  #text;
  #maxLine;
  #onSelf;
  /** Bytes of the incomplete line, at the start of the buffer. */
  #buffer = new Uint8Array(PIECE_SIZE3);
  #filled = 0;
  /** Number of CRs at its end. */
  #crs = 0;
  #error;
  #ended = false;
  /**
   * Creates a reader.
   *
   * @throws {RangeError} If `maxLine` or `zone` is out of range
   * @throws {TypeError} If `format` is unknown
   */
  constructor(options = {}) {
    const { decode: decode2 = makeEncoding("utf-8").decode, format = "auto", now = () => /* @__PURE__ */ new Date(), zone = 0, slack = DEFAULT_SLACK, maxLine = MAX_LISTING_LINE, onSelf, allVersions = false, onNote, directory } = options;
    if (!(maxLine >= 1 && maxLine <= MAX_LISTING_LINE)) {
      throw new RangeError(`Cannot read lines of ${maxLine} bytes: "maxLine" must be 1 to ${MAX_LISTING_LINE}`);
    }
    if (!Number.isFinite(zone) || Math.abs(zone) > 24 * 60) {
      throw new RangeError(`Cannot use the zone ${zone}: it must be minutes east of UTC, a day at most`);
    }
    checkFormat(format);
    const time = (typeof now === "function" ? now() : now).getTime();
    this.#maxLine = maxLine;
    this.#onSelf = onSelf;
    this.#text = {
      decode: decode2,
      isAsciiTransparent: isAsciiTransparent(decode2)
    };
    this.#scanner = new ListingScanner({
      formats: scannedFormats(format),
      latest: time + slack,
      zone: zone * 6e4
    });
    const scanner = this.#scanner;
    this.#scanAgain = (bytes2) => scanner.scan(NO_BYTES, bytes2, true);
    this.#detector = new FormatDetector({
      forced: format === "auto" ? void 0 : findFormat(format),
      context: {
        now: time,
        slack,
        zone,
        directory
      },
      decode: decode2,
      allVersions,
      padding: this.#padding,
      onNote
    });
  }
  /**
   * The error of a line over the limit. The entries before it were returned,
   * and nothing after it is read.
   */
  get error() {
    return this.#error;
  }
  /**
   * The first line of the listing that says that it is incomplete, such as
   * `ls: a: Permission denied`; `undefined` if there is none.
   */
  get complaint() {
    return this.#detector.complaint;
  }
  /**
   * Name of the current format; `undefined` until the first lines have shown
   * it.
   */
  get format() {
    return this.#detector.current;
  }
  /**
   * Reads the next bytes, which may be overwritten afterwards. Never throws;
   * check `error` at the end.
   */
  push(chunk) {
    const entries = [];
    let at = 0;
    while (at < chunk.length && this.#error === void 0 && !this.#ended) {
      const room = PIECE_SIZE3 - this.#filled;
      const piece = chunk.subarray(at, at + room);
      at += piece.length;
      this.#take(entries, piece);
    }
    return entries;
  }
  /** Ends the listing. The last line needs no line end. */
  end() {
    const entries = [];
    if (this.#ended) return entries;
    this.#ended = true;
    if (this.#error === void 0 && this.#filled > 0) {
      this.#scan(entries, NO_BYTES, true);
    }
    for (const entry of this.#detector.end()) this.#add(entries, entry);
    return entries;
  }
  /** Reads the complete lines, and keeps the rest. */
  #take(entries, piece) {
    let rest = piece;
    while (rest.includes(LF7)) {
      rest = rest.subarray(this.#scan(entries, rest, false));
      if (this.#error !== void 0) return;
    }
    this.#buffer.set(rest, this.#filled);
    this.#filled += rest.length;
    const crs = countCRs(rest);
    this.#crs = crs === rest.length ? this.#crs + crs : crs;
    this.#checkRest();
  }
  /**
   * Reads complete lines, starting with the kept bytes. Returns the number of
   * bytes used of the piece.
   */
  #scan(entries, piece, last) {
    const held = this.#filled;
    const records = this.#scanner.scan(this.#buffer.subarray(0, held), piece, last);
    this.#filled = 0;
    this.#crs = 0;
    if (records.count > 0) this.#read(entries, records);
    return records.consumed - held;
  }
  #read(entries, records) {
    const source = new TableSource(records, this.#text, this.#scanAgain);
    const { bytes: bytes2, count, words } = records;
    const isLong = bytes2.length > this.#maxLine;
    const pairs = this.#pairs;
    const padding = this.#padding;
    let accepted = this.#detector.accepted;
    let special = FLAG.self | padding.mask;
    let runStart = 0;
    for (let index = 0; index < count; index++) {
      if (isLong && source.lineLength(index) > this.#maxLine) {
        return this.#fail();
      }
      let flags = words[index * RECORD.words + RECORD.flags];
      const isAccepted = (flags >> FLAG.formatShift & FLAG.formatMask) === accepted;
      if (isAccepted && (flags & special) === 0 && (accepted !== MLSD || !pairs.isIndexed && !source.isOpenLink(index))) {
        entries.push(new Entry(source, index));
        continue;
      }
      if (accepted === MLSD) pairs.addRun(source, runStart, index);
      runStart = index + 1;
      if (!isAccepted) {
        for (const entry2 of this.#detector.read({
          source,
          index
        })) {
          this.#add(entries, entry2);
        }
        accepted = this.#detector.accepted;
        special = FLAG.self | padding.mask;
        continue;
      }
      if (flags & padding.mask) {
        padding.apply(source, index);
        special = FLAG.self | padding.mask;
        flags = source.flags(index);
      }
      const entry = new Entry(source, index);
      if (flags & FLAG.self) this.#onSelf?.(entry);
      else if (pairs.add(entry, source.isOpenLink(index))) entries.push(entry);
    }
    if (accepted === MLSD) pairs.addRun(source, runStart, count);
  }
  #add(entries, entry) {
    if (isSelf(entry)) return this.#onSelf?.(entry);
    const isOpenLink = entry.isSymlink && entry.format === "mlsd" && entry.linkTarget === void 0;
    if (this.#pairs.add(entry, isOpenLink)) entries.push(entry);
  }
  /**
   * Checks the length of the incomplete line. CRs at its end may belong to its
   * line end.
   */
  #checkRest() {
    const length = this.#filled - this.#crs;
    if (length > this.#maxLine || this.#filled === PIECE_SIZE3) this.#fail();
  }
  #fail() {
    this.#error ??= new FTPProtocolError(`Cannot read the listing: a line has more than ${this.#maxLine} bytes`);
    this.#filled = 0;
  }
};
var MLSD = TABLE_FORMATS.indexOf("mlsd");
var NO_BYTES = new Uint8Array(0);
var LF7 = 10;
var CR4 = 13;
function countCRs(bytes2) {
  let start = bytes2.length;
  while (start > 0 && bytes2[start - 1] === CR4) start--;
  return bytes2.length - start;
}
var SELF_REGEXP = /type=[cp]dir/i;
function isSelf(entry) {
  if (!entry.isDirectory) return false;
  if (entry.name === "." || entry.name === "..") return true;
  return SELF_REGEXP.test(entry.line) && /^[cp]dir$/i.test(entry.facts?.type ?? "");
}
function isAsciiTransparent(decode2) {
  const ascii = Uint8Array.from({
    length: 128
  }, (_, code) => code);
  return decode2(ascii) === String.fromCharCode(...ascii);
}
function scannedFormats(format) {
  if (format === "auto") return 7;
  if (typeof format !== "string") return 0;
  const index = TABLE_FORMATS.indexOf(format);
  return index > 0 ? 1 << index - 1 : 0;
}
function findFormat(format) {
  if (typeof format !== "string") return format;
  return FORMATS.find((known) => known.name === format) ?? format;
}
function checkFormat(format) {
  if (typeof format === "object" && format !== null) return;
  const names = FORMATS.map(({ name }) => name);
  const known = [
    "auto",
    ...TABLE_FORMATS.slice(1),
    ...names
  ];
  checkWord("format", format, known, [
    "an object"
  ]);
}

// lib/directories/listing_options.ts
init_check_number();
init_check_word();
var LIST_OPTIONS = {
  command: true,
  format: true,
  zone: true,
  now: true,
  slack: true,
  all: true,
  allVersions: true,
  maxEntries: true,
  onUnknown: true,
  signal: true
};
function makeReader(session, options, { zone, directory, onNote, onSelf }) {
  const { format, now, slack, allVersions } = options;
  return new ListingReader({
    decode: (bytes2) => session.control.encoding.decode(bytes2),
    zone,
    maxLine: Math.min(session.options.maxLine, MAX_LISTING_LINE),
    onNote,
    onSelf,
    directory,
    ...format !== void 0 && {
      format
    },
    ...now !== void 0 && {
      now
    },
    ...slack !== void 0 && {
      slack
    },
    ...allVersions !== void 0 && {
      allVersions
    }
  });
}
function checkListOptions(options) {
  const { command, format, maxEntries, now, slack, zone } = options;
  checkWord("command", command, [
    "MLSD",
    "LIST"
  ]);
  checkFormat(format);
  checkNumber("slack", slack);
  checkNow(now);
  if (maxEntries !== void 0 && !(maxEntries >= 0)) {
    throw new RangeError(`Cannot take ${maxEntries} entries: "maxEntries" must be a number from 0`);
  }
  if (zone !== void 0 && zone !== "infer" && !Number.isFinite(zone)) {
    throw new RangeError(`Cannot use the zone ${zone}: it must be minutes east of UTC, or "infer"`);
  }
}
function checkNow(now) {
  const isTime = now === void 0 || typeof now === "function" || now instanceof Date && !Number.isNaN(now.getTime());
  if (isTime) return;
  throw new TypeError('Cannot use "now": it must be a valid Date, or a function that returns one');
}

// lib/directories/partial_listing_error.ts
init_printable();
var PARTIAL_REGEXPS = [
  // vsftpd: "226 Transfer done (but failed to open directory)."
  /\bfailed to open directory\b/i,
  // Pure-FTPd: "226-Sorry, we were unable to read [.]", in the language that it
  // was compiled with
  /\bunable to read\b|\[\.\]/i,
  // Pure-FTPd: "226 Output truncated to 10000 matches"
  /\b(truncat|truncad|trunchi|trunker|tronqu|troncat|beschr\S{1,2}nkt|afgekort|avkortet)/i,
  // z/OS: "250-JESENTRYLIMIT of 200 reached.  Additional entries not displayed"
  /\bentries not displayed\b/i
];
var QUOTED_REGEXP = /"[^"]*"/g;
var PartialListingError = class extends FTPReplyError {
  /** Name of the class. */
  name = "PartialListingError";
};
function unproven(reply, { command }) {
  return new PartialListingError(`Cannot confirm "${command}": the TLS data connection ended without close_notify, so that entries may be missing; "allowMissingCloseNotify" does not apply to "delete"`, {
    reply,
    command
  });
}
function checkWhole(reply, command, complaint) {
  const text = reply.text.replaceAll(QUOTED_REGEXP, "");
  const isPartial = PARTIAL_REGEXPS.some((regexp) => regexp.test(text));
  if (!isPartial && complaint === void 0) return;
  const why = isPartial ? reply.text : `the listing contains ${quote(complaint)}, so entries may be missing`;
  throw new PartialListingError(`Cannot complete "${command}": ${why}`, {
    reply,
    command
  });
}

// lib/directories/listing_transfer.ts
var READ_SIZE3 = 64 * 1024;
var BATCH_SIZE = 32 * 1024;
var ADVICE3 = "finish the loop or break out of it, collect the entries first (Array.fromAsync), or use walk()";
var EMPTY = {
  count: 0,
  selfEntries: 0,
  format: void 0,
  isRefused: false,
  reply: void 0
};
var REFUSED = {
  ...EMPTY,
  isRefused: true
};
var ListingTransfer = class {
  #request;
  #options;
  #outcome = REFUSED;
  /** Creates a listing, without I/O. */
  constructor(request, options) {
    this.#request = request;
    this.#options = options;
  }
  /** What the listing contained; set after the last batch. */
  get outcome() {
    return this.#outcome;
  }
  /**
   * Receives the listing. It is requested again if it was cut before its first
   * byte. A refusal is interpreted: 450 and 550 may mean an empty or a missing
   * directory. Stopping early aborts the listing; the session stays usable.
   */
  async *batches() {
    for (let asked = 1; ; asked++) {
      try {
        yield* this.#receive();
        return;
      } catch (error) {
        if (mayAskAgain(error, {
          verb: "LIST"
        }, asked)) continue;
        if (!isNothingFound(error)) throw error;
        const { path, options: { signal }, exclusive } = this.#request;
        const ask3 = (turn) => isDirectory(turn, path, {
          signal
        });
        if (!await exclusive(ask3, {
          signal
        })) throw error;
        this.#outcome = REFUSED;
        return;
      }
    }
  }
  async *#receive() {
    const { session, options, exclusive, onSelf, onNote, isStrict } = this.#request;
    const { open: open2, zone, signal, onData } = this.#options;
    let count = 0;
    let selfEntries = 0;
    const counted = (entries) => {
      count += entries.length;
      return entries;
    };
    const reader = makeReader(session, options, {
      zone,
      directory: nameOf2(this.#request),
      onNote,
      onSelf: (entry) => {
        selfEntries++;
        onSelf?.(entry);
      }
    });
    const { transfer, leave } = await exclusive(open2, {
      signal
    });
    const buffer2 = new Uint8Array(READ_SIZE3);
    const pauses = new PauseTimer();
    let isOver = false;
    try {
      while (true) {
        const n = await transfer.data.read(buffer2);
        onData?.();
        if (n === null) break;
        for (let at = 0; at < n; at += BATCH_SIZE) {
          const end = Math.min(n, at + BATCH_SIZE);
          if (pauses.isDue) await pauses.pause(signal);
          yield counted(reader.push(buffer2.subarray(at, end)));
        }
        if (reader.error !== void 0) throw reader.error;
      }
      transfer.data.close();
      leaveBehind({
        transfer,
        leave
      });
      if (!transfer.mayEndInLine) yield counted(reader.end());
      this.#request.onEnd?.();
      isOver = true;
    } catch (error) {
      isOver = true;
      throw await session.settle(() => fail({
        transfer,
        leave
      }, error, signal));
    } finally {
      if (!isOver) {
        await session.settle(() => stop({
          transfer,
          leave
        }, buffer2));
      }
    }
    const reply = await session.settle(() => finish({
      transfer,
      leave
    }, signal));
    if (reader.error !== void 0) throw reader.error;
    checkWhole(reply, transfer.command, reader.complaint);
    if (transfer.isUnproven && isStrict) throw unproven(reply, transfer);
    const { format } = reader;
    this.#outcome = {
      count,
      selfEntries,
      format,
      isRefused: false,
      reply
    };
  }
};
function nameOf2({ session, path }) {
  const text = textOfPath(session, path);
  return (isCurrentDirectory(text) ? session.state.directory : text)?.split("/").findLast(Boolean);
}
async function openMLSD(turn, { path }, signal) {
  const command = withPath("MLSD", path);
  const options = {
    signal,
    type: "A",
    advice: ADVICE3
  };
  const transfer = await openTransfer(turn, command, options);
  return {
    transfer,
    leave: () => Promise.resolve()
  };
}
async function openList(turn, { path, options: { signal } }, flags = "") {
  const stay = () => Promise.resolve();
  const leave = isCurrentDirectory(path) ? stay : await enterForTransfer(turn, path, {
    signal
  });
  const command = withPath("LIST", leave === void 0 ? path : flags);
  try {
    const options = {
      signal,
      type: "A",
      advice: ADVICE3
    };
    const transfer = await openTransfer(turn, command, options);
    let left;
    const leaveOnce = (turn2) => left ??= (leave ?? stay)(turn2);
    transfer.onEnd = leaveOnce;
    return {
      transfer,
      leave: leaveOnce
    };
  } catch (error) {
    await leave?.();
    throw error;
  }
}
async function enterForTransfer(turn, path, { signal }) {
  const { profile, control } = turn.session;
  if (profile.allowsJoining && control.isPipelining) {
    turn.ensureType("A", {
      signal
    }).catch(() => {
    });
  }
  return await enterDirectory(turn, path, {
    signal
  }, () => requestBehind(turn, {
    signal
  }));
}
var NOTHING_REGEXP2 = /\bnot? (be )?found\b|\b(cannot|could not) find\b|\bempty\b/i;
var NOUNS_REGEXP = /\b(files?|director(y|ies)|members?|entries|objects?|data ?sets?)\b/i;
function isNothingFound(error) {
  const reply = replyOf(error);
  return (reply?.code === 450 || reply?.code === 550) && saysEmpty(reply);
}
function saysEmpty({ text, lines }) {
  return NOTHING_REGEXP2.test(text) || lines.some((line) => {
    const at = line.search(/\bno\b/i);
    return at >= 0 && NOUNS_REGEXP.test(line.slice(at));
  });
}

// lib/directories/list_by_list.ts
var ZONE_SAMPLE = 1e3;
var NO_FLAG_REPLIES = [
  450,
  500,
  501,
  502,
  504,
  550
];
var ListListing = class {
  #request;
  #transfer;
  /** Creates a listing, without I/O. */
  constructor(request) {
    this.#request = request;
  }
  /** What the listing contained, after the last batch. */
  get outcome() {
    return this.#transfer.outcome;
  }
  /** Receives the listing. */
  async *batches() {
    const { session, options } = this.#request;
    const { profile } = session;
    const found = options.zone === "infer" ? await findZone(this.#request) : options.zone ?? profile.clock.zoneOf("LIST") ?? 0;
    const zone = this.#request.isRaw ? 0 : found;
    const isFlagged = options.all === true && profile.hasListAll !== false;
    if (isFlagged) {
      this.#transfer = plainListing(this.#request, zone, "-a");
      try {
        yield* this.#transfer.batches();
        noteFlagged(profile, this.outcome);
      } catch (error) {
        const isRefused = profile.hasListAll !== true && isRefusal(error, NO_FLAG_REPLIES);
        if (!isRefused) throw error;
      }
      if (profile.hasListAll === true) return;
    }
    this.#transfer = plainListing(this.#request, zone);
    yield* this.#transfer.batches();
    if (isFlagged && this.outcome.count > 0) profile.hasListAll ??= false;
  }
};
function plainListing(request, zone, flags) {
  const { signal } = request.options;
  const open2 = (turn) => openList(turn, request, flags);
  return new ListingTransfer(request, {
    open: open2,
    zone,
    signal
  });
}
function silent(request) {
  return {
    ...request,
    onSelf: void 0,
    onEnd: void 0,
    onNote: void 0
  };
}
function noteFlagged(profile, outcome) {
  if (outcome.count + outcome.selfEntries > 0) profile.hasListAll = true;
  noteSelf(profile, outcome);
}
function noteSelf(profile, { count, selfEntries }) {
  if (selfEntries > 0) profile.showsSelf = true;
  else if (count > 0) profile.showsSelf ??= false;
}
async function findZone(request) {
  const { clock } = request.session.profile;
  if (!clock.isListCompared) await compareNewest(request);
  return clock.zoneOf("LIST") ?? clock.listAhead;
}
async function compareNewest(request) {
  const { session, path, options: { signal }, exclusive } = request;
  if (session.profile.lacks("MDTM")) return;
  const newest = await findNewest(request);
  if (newest === void 0) return;
  const file = joinRawEntry(rawPathOf(session, path), newest);
  try {
    const shown = await exclusive((turn) => requestShownTime(turn, file, {
      signal
    }), {
      signal
    });
    const ahead = shown === null ? void 0 : inferZone(newest, shown);
    if (ahead !== void 0) session.profile.clock.noteListAhead(ahead);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}
async function findNewest(request) {
  let newest;
  let count = 0;
  for await (const batch of plainListing(silent(request), 0).batches()) {
    for (const entry of batch) {
      const isExact = entry.isFile && !entry.hostile && entry.mtime !== void 0 && entry.mtimePrecision !== "day";
      if (isExact && (newest === void 0 || entry.mtime > newest.mtime)) {
        newest = entry;
      }
    }
    count += batch.length;
    if (newest !== void 0 && count >= ZONE_SAMPLE) break;
  }
  return newest;
}

// lib/directories/list_by_mlsd.ts
init_waiting();
var FIRST_WAIT = 1e4;
var FIRST_WAIT_SHARE = 1 / 3;
var MAX_UNREAD = 100;
function mlsdListing(request) {
  const { signal } = request.options;
  const open2 = (turn) => openMLSD(turn, request, signal);
  return new ListingTransfer(request, {
    open: open2,
    zone: 0,
    signal
  });
}
var MLSDTrial = class {
  /** Lines that no format could read; the listing may consist of them. */
  unread = [];
  #request;
  #outcome;
  /** Creates a listing, without I/O. */
  constructor(request) {
    this.#request = request;
  }
  /**
   * What the listing contained, after the last batch; `undefined` if `MLSD`
   * does not seem to work.
   */
  get outcome() {
    return this.#outcome;
  }
  /** Receives the listing, or ends early if `MLSD` does not work. */
  async *batches() {
    const { session, options } = this.#request;
    const { profile } = session;
    const { unread } = this;
    const limit = new AbortController();
    const signal = anySignal(limit.signal, options.signal);
    let timer;
    const open2 = (turn) => {
      timer = setTimeout(() => limit.abort(), firstWaitOf(session));
      return openMLSD(turn, this.#request, signal);
    };
    const onData = () => clearTimeout(timer);
    const transfer = new ListingTransfer(this.#request, {
      open: open2,
      zone: 0,
      signal,
      onData
    });
    try {
      for await (const batch of transfer.batches()) {
        if (profile.hasMLSD !== true && batch.every(isUnread)) {
          unread.push(...batch);
          if (unread.length > MAX_UNREAD) return;
          continue;
        }
        profile.hasMLSD = true;
        yield [
          ...unread.splice(0),
          ...batch
        ];
      }
    } catch (error) {
      const isLate = limit.signal.aborted && options.signal?.aborted !== true;
      if (isLate && session.isLost) throw session.control.failure;
      if (await isReplaced(session, error, options.signal)) {
        unread.length = 0;
        if (profile.hasMLSD === void 0) yield* this.batches();
        return;
      }
      if (!isLate && !isUnknownCommand(replyOf(error))) throw error;
      if (isLate) profile.hasMLSD ??= false;
      else profile.hasMLSD = false;
      return;
    } finally {
      clearTimeout(timer);
    }
    const { outcome } = transfer;
    if (outcome.count + outcome.selfEntries > unread.length) {
      profile.hasMLSD = true;
    }
    const isBelieved = profile.hasMLSD === true || profile.givesAllByMLSD && unread.length === 0;
    if (!isBelieved && !outcome.isRefused) return;
    this.#outcome = outcome;
    if (isBelieved && unread.length > 0) yield unread.splice(0);
  }
};
async function isReplaced(session, error, signal) {
  const { control, profile } = session;
  const isOver = session.isLost && profile.hasMLSD !== true && control.isHungUp && (control.hungUpAt?.verb === "MLSD" || control.unknown?.verb === "MLSD");
  if (!isOver) return false;
  if (!profile.noteHangUp("MLSD", control)) profile.hasMLSD = false;
  return await session.replace(error, signal);
}
function isUnread(entry) {
  return entry.format === "unknown";
}
function firstWaitOf({ options: { timeout } }) {
  return timeout > 0 ? Math.min(FIRST_WAIT, timeout * FIRST_WAIT_SHARE) : FIRST_WAIT;
}

// lib/directories/verify_empty.ts
init_printable();
var PARENT = new TextEncoder().encode("..");
async function provesMLSD(request) {
  const { session, path } = request;
  const { profile } = session;
  const isKnown = profile.hasMLSD !== void 0 || profile.hidesParent;
  if (isCurrentDirectory(path) || isKnown) return false;
  const parent = joinRawPath(rawPathOf(session, path), PARENT);
  const trial = new MLSDTrial({
    ...silent(request),
    path: parent
  });
  try {
    for await (const _ of trial.batches()) {
      if (session.profile.hasMLSD === true) break;
    }
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  profile.hidesParent = session.profile.hasMLSD !== true;
  return !profile.hidesParent;
}
async function verifyEntered({ path, options: { signal }, exclusive }, { count, isRefused }) {
  if (count > 0 || isRefused || isCurrentDirectory(path)) return;
  await exclusive(async (turn) => {
    const leave = await enterDirectory(turn, path, {
      signal
    });
    await leave?.();
  }, {
    signal
  });
}
async function verifyReadable(request, { count, selfEntries, isRefused }) {
  if (count + selfEntries > 0 || isRefused) return;
  const { session: { profile }, path } = request;
  if (profile.showsSelf === false || profile.admitsUnreadable) return;
  const outcome = await listAll(request);
  if (outcome === void 0 || outcome.count + outcome.selfEntries > 0) return;
  if (profile.showsSelf === void 0) {
    const parent = joinRawPath(rawPathOf(request.session, path), PARENT);
    await listAll({
      ...request,
      path: parent
    });
  }
  if (profile.showsSelf !== true) {
    profile.showsSelf = false;
    return;
  }
  throw new PartialListingError(`Cannot list ${quote(textOfPath(request.session, path))}: the server does not list even the directory itself; it may lack permission to read it`, {
    reply: outcome.reply,
    command: "LIST -a"
  });
}
async function listAll(request) {
  const listing = plainListing(silent(request), 0, "-a");
  try {
    for await (const _ of listing.batches()) {
    }
    noteSelf(request.session.profile, listing.outcome);
    return listing.outcome;
  } catch (error) {
    const isRefused = isRefusal(error) && !(error instanceof PartialListingError);
    if (!isRefused) throw error;
    return void 0;
  }
}

// lib/directories/listing.ts
var MAX_KEPT = 1e6;
var ENTRY_SIZE = 64;
function listDirectory(open2, path, options) {
  return new BatchIterator(readBatches(open2, path, options), (entry) => entry);
}
async function* readBatches(open2, path, options) {
  checkPath(path, "path");
  checkListOptions(options);
  const opened = open2();
  const session = opened instanceof Promise ? await opened : opened;
  const { maxEntries = Infinity } = options;
  const listener = new Listener();
  let count = 0;
  const request = {
    session,
    path,
    options,
    exclusive: (run2, options2) => session.exclusive(run2, options2),
    onNote: noteTo(options, listener)
  };
  for await (const batch of listBatches(request)) {
    const entries = reportUnread(inZone(session, batch), options, listener);
    count += entries.length;
    if (count > maxEntries) {
      yield entries.slice(0, maxEntries - count);
      throw tooMany(session, path, maxEntries);
    }
    yield entries;
  }
  await listener.settle();
}
async function readDirectory(session, path, options, hooks = {}) {
  checkListOptions(options);
  const { onSelf, onEnd, isWanted, onPartial, isStrict, isRaw, held = 0 } = hooks;
  const { maxEntries = MAX_KEPT } = options;
  const { maxListing } = session.options;
  const listener = new Listener();
  return await session.exclusive(async (turn) => {
    const request = {
      session,
      path,
      options,
      // another connection may take this one's place in the turn
      exclusive: async (run2, { signal } = {}) => {
        await session.ready(signal);
        return await run2(turn);
      },
      onSelf,
      onEnd,
      onNote: noteTo(options, listener),
      isStrict,
      isRaw
    };
    const entries = [];
    let read19 = 0;
    const pauses = new PauseTimer();
    try {
      for await (const batch of listBatches(request)) {
        const given = isRaw ? batch : inZone(session, batch);
        for (const entry of reportUnread(given, options, listener)) {
          const taken = lineLengthOf(entry) + ENTRY_SIZE;
          read19 += taken;
          if (isWanted?.(entry) !== false) entries.push(entry);
          if (pauses.isDue) await pauses.pause(options.signal);
        }
        if (held + read19 > maxListing) {
          throw tooLarge(textOfPath(session, path), maxListing);
        }
        if (entries.length > maxEntries) {
          throw tooMany(session, path, maxEntries);
        }
      }
    } catch (error) {
      const isPartial = error instanceof PartialListingError;
      if (!isPartial || onPartial === void 0) throw error;
      onPartial(error);
    }
    await listener.settle();
    hooks.onSize?.(read19);
    return withoutNested(entries);
  }, options);
}
function chooseListCommand({ hasMLSD }, { command }) {
  if (command !== void 0) return command;
  if (hasMLSD === void 0) return "MLSD?";
  return hasMLSD ? "MLSD" : "LIST";
}
async function* listBatches(request) {
  const { session: { profile }, options } = request;
  const command = chooseListCommand(profile, options);
  if (command === "MLSD") {
    const listing2 = mlsdListing(request);
    yield* listing2.batches();
    return await verifyEntered(request, listing2.outcome);
  }
  let unread = [];
  if (command === "MLSD?") {
    const trial = new MLSDTrial(request);
    yield* trial.batches();
    if (trial.outcome !== void 0) {
      return await verifyEntered(request, trial.outcome);
    }
    unread = trial.unread;
    if (unread.length === 0 && await provesMLSD(request)) {
      return await verifyEntered(request, EMPTY);
    }
  }
  const listing = new ListListing(request);
  let isListed = false;
  try {
    for await (const batch of listing.batches()) {
      isListed ||= batch.length > 0;
      yield batch;
    }
    if (isListed) profile.recalled.delete("MLSD");
  } catch (error) {
    const mayRepeat = !isListed && command === "MLSD?";
    if (mayRepeat && await isReplaced(request.session, error, options.signal)) {
      return yield* listBatches(request);
    }
    const isOutdated = !isListed && mayLackLIST(request, error) && profile.unlearn("MLSD");
    if (!isOutdated || replyOf(error) === void 0 || options.signal?.aborted) throw error;
    return yield* listBatches(request);
  }
  const { count, format } = listing.outcome;
  if (options.command === "LIST" || profile.hasMLSD === false) {
    await verifyReadable(request, listing.outcome);
  }
  if (options.command === "LIST") return;
  if (count > 0 && format !== void 0) profile.hasMLSD ??= false;
  if (count === 0 && unread.length > 0) yield unread;
}
function mayLackLIST({ session: { profile }, options: { command } }, error) {
  const reply = replyOf(error);
  if (command !== void 0) return false;
  if (isUnknownCommand(reply)) return true;
  if (profile.neverHasMLSD || reply?.code === 421) return false;
  return !(error instanceof FTPError) || error.command?.startsWith("LIST") === true;
}
function inZone(session, entries) {
  const zone = session.profile.clock.zoneOf("MLSD") ?? 0;
  if (zone === 0) return entries;
  return entries.map((entry) => entry.format === "mlsd" ? new Entry(...changed(entry, {
    zone
  })) : entry);
}
function noteTo({ onUnknown }, listener) {
  if (onUnknown === void 0) return void 0;
  return (line, entry) => void listener.call(() => onUnknown(line, entry));
}
function reportUnread(entries, { onUnknown }, listener) {
  listener.check();
  if (onUnknown === void 0) return entries;
  return entries.filter((entry) => {
    if (!isUnread(entry)) return true;
    listener.call(() => onUnknown(entry.line, entry));
    return false;
  });
}
function tooMany(session, path, maxEntries) {
  return new RangeError(`Cannot list ${quote(textOfPath(session, path))}: it has more than ${maxEntries} entries, the most that "maxEntries" allows`);
}

// lib/listing/entry_list.ts
var EntryList = class {
  #runs = [];
  #length = 0;
  /** The run that is being taken, and the entries taken of it. */
  #run = 0;
  #taken = 0;
  /** Number of entries that were not taken. */
  get length() {
    return this.#length;
  }
  /** Adds an entry at the end. */
  push(entry) {
    this.#length++;
    const run2 = this.#runs.at(-1);
    if (run2 !== void 0 && follows(entry, run2)) return void run2.count++;
    this.#runs.push({
      first: entry,
      count: 1
    });
    if (run2 !== void 0) packBefore(entry, run2);
  }
  /** Takes the first entry. Blocks of lines that were taken are released. */
  shift() {
    const run2 = this.#runs[this.#run];
    if (run2 === void 0) return void 0;
    const entry = entryAt(run2, this.#taken++);
    if (this.#taken === run2.count) {
      this.#runs[this.#run++] = void 0;
      this.#taken = 0;
    }
    this.#length--;
    return entry;
  }
};
function entryAt({ first }, at) {
  if (at === 0) return first;
  const [source, index, changes] = changed(first);
  return new Entry(source, index + at, changes);
}
function packBefore(next, { first }) {
  const [source] = changed(first);
  if (source !== changed(next)[0]) source.pack?.();
}
function follows(entry, { first, count }) {
  if (entry.isSymlink || first.isSymlink) return false;
  const [source, index, changes] = changed(entry);
  const [firstSource, firstIndex, firstChanges] = changed(first);
  return source === firstSource && index === firstIndex + count && changes === firstChanges;
}

// lib/directories/walk.ts
init_printable();

// lib/directories/glob.ts
init_check_word();
init_printable();
var SLASH2 = 47;
var Glob = class {
  #states = [];
  #glob;
  #name;
  /**
   * Compiles a glob.
   *
   * @throws {TypeError} If it is malformed, or cannot match any path
   */
  constructor(glob, name) {
    this.#glob = glob;
    this.#name = name;
    this.#checkSegments();
    this.#compile();
  }
  /**
   * Whether a whole path matches.
   *
   * @param path The path, without a leading slash
   */
  matches(path) {
    let current = this.#reach([
      0
    ]);
    for (const character of path) {
      const code = character.codePointAt(0);
      const next = [];
      for (const index of current) {
        const state2 = this.#states[index];
        if ("takes" in state2 && state2.takes(code)) next.push(state2.next);
      }
      if (next.length === 0) return false;
      current = this.#reach(next);
    }
    return current.values().some((index) => "isEnd" in this.#states[index]);
  }
  /** Adds all states that are reached without a character. */
  #reach(from) {
    const reached = new Set(from);
    for (const index of reached) {
      const state2 = this.#states[index];
      if (!("forks" in state2)) continue;
      for (const next of state2.forks) reached.add(next);
    }
    return reached;
  }
  #checkSegments() {
    const glob = this.#glob;
    if (glob === "") throw this.#bad("it is empty");
    if (glob.startsWith("/")) {
      throw this.#bad("a glob is relative to the directory where the walk begins; leave the leading slash out");
    }
    if (glob.startsWith("!")) {
      throw this.#bad('a glob excludes nothing; use "skip", or a backslash before the "!" of a name');
    }
    if (glob.endsWith("/")) {
      throw this.#bad("it ends in a slash, and no path does; leave it out");
    }
    const segments = glob.split("/");
    const odd = [
      "",
      ".",
      ".."
    ].find((odd2) => segments.includes(odd2));
    if (odd === void 0) return;
    throw this.#bad(odd === "" ? "it has two slashes in a row, and no path does" : `it has the segment "${odd}", and no path does`);
  }
  #compile() {
    const glob = this.#glob;
    const groups = [
      {
        start: this.#fork(),
        ends: [],
        at: -1
      }
    ];
    let last = groups[0].start;
    for (let at = 0; at < glob.length; ) {
      const group = groups.at(-1);
      const isInBrace = group.at >= 0;
      const sign = glob[at];
      if (sign === "{") {
        groups.push({
          start: last,
          ends: [],
          at
        });
        last = this.#join(last);
        at++;
      } else if (isInBrace && sign === ",") {
        group.ends.push(last);
        last = this.#join(group.start);
        at++;
      } else if (sign === "}") {
        if (!isInBrace) throw this.#bad('it has "}" without "{"');
        if (glob.slice(group.at, at) === "{") {
          throw this.#bad('"{}" has no alternatives');
        }
        groups.pop();
        group.ends.push(last);
        last = this.#fork();
        for (const end of group.ends) this.#forksOf(end).push(last);
        at++;
      } else if (sign === "*") {
        [last, at] = this.#star(last, at);
      } else if (sign === "?") {
        last = this.#take(last, isNoSlash);
        at++;
      } else if (sign === "[") {
        const [set, end] = this.#readSet(at);
        last = this.#take(last, (code) => isIn(set, code));
        at = end;
      } else {
        if (sign === "\\") at++;
        const code = glob.codePointAt(at);
        if (code === void 0) throw this.#bad("it ends in a backslash");
        last = this.#take(last, (other) => other === code);
        at += code > 65535 ? 2 : 1;
      }
    }
    if (groups.length > 1) throw this.#bad('it has "{" without "}"');
    this.#forksOf(last).push(this.#states.push({
      isEnd: true
    }) - 1);
  }
  /** Compiles `*`, characters of one segment, and `**`, whole segments. */
  #star(last, at) {
    const glob = this.#glob;
    if (glob[at + 1] !== "*") {
      const loop = this.#join(last);
      this.#takeTo(loop, isNoSlash, loop);
      return [
        this.#join(loop),
        at + 1
      ];
    }
    const before = glob[at - 1] ?? "/";
    const after = glob[at + 2] ?? "";
    const isSegment = "/{,".includes(before) && "/},".includes(after);
    if (!isSegment) {
      throw this.#bad('"**" must be a whole segment, such as in "**/*.csv"');
    }
    if (after === "/") {
      const segments = this.#join(last);
      const inner = this.#fork();
      this.#takeTo(segments, isNoSlash, inner);
      this.#takeTo(inner, isNoSlash, inner);
      this.#takeTo(inner, (code) => code === SLASH2, segments);
      return [
        this.#join(segments),
        at + 3
      ];
    }
    const rest = this.#take(last, () => true);
    this.#takeTo(rest, () => true, rest);
    return [
      this.#join(rest),
      at + 2
    ];
  }
  /** Reads `[a-z]`, `[!a-z]` or `[^a-z]`. `]` is a member if it comes first. */
  #readSet(start) {
    const codes = [
      ...this.#glob.slice(start + 1)
    ];
    let at = 0;
    const isNegated = codes[at] === "!" || codes[at] === "^";
    if (isNegated) at++;
    const first = at;
    const ranges = [];
    while (at < codes.length && (codes[at] !== "]" || at === first)) {
      if (codes[at] === "[" && codes[at + 1] === ":") {
        throw this.#bad('"[:" begins a class of POSIX, which globs do not have here');
      }
      if (codes[at] === "\\") at++;
      const low = codes[at++]?.codePointAt(0);
      if (low === void 0) break;
      let high = low;
      const isRange2 = codes[at] === "-" && at + 1 < codes.length && codes[at + 1] !== "]";
      if (isRange2) {
        at += codes[at + 1] === "\\" ? 2 : 1;
        high = codes[at++]?.codePointAt(0) ?? -1;
        if (high < low) throw this.#bad("it has a range in the wrong order");
      }
      ranges.push([
        low,
        high
      ]);
    }
    if (codes[at] !== "]") throw this.#bad('it has "[" without "]"');
    const length = codes.slice(0, at + 1).join("").length;
    return [
      {
        ranges,
        isNegated
      },
      start + 1 + length
    ];
  }
  #fork() {
    return this.#states.push({
      forks: []
    }) - 1;
  }
  #forksOf(index) {
    return this.#states[index].forks;
  }
  /** Adds a fork after another one. */
  #join(from) {
    const next = this.#fork();
    this.#forksOf(from).push(next);
    return next;
  }
  /** Adds a step after a fork. Returns the fork after it. */
  #take(from, takes) {
    const next = this.#fork();
    this.#takeTo(from, takes, next);
    return next;
  }
  #takeTo(from, takes, next) {
    this.#forksOf(from).push(this.#states.push({
      takes,
      next
    }) - 1);
  }
  #bad(why) {
    return new TypeError(`Cannot use ${quote(this.#glob)} as "${this.#name}": ${why}`);
  }
};
function isNoSlash(code) {
  return code !== SLASH2;
}
function isIn({ ranges, isNegated }, code) {
  if (code === SLASH2) return false;
  const isMember = ranges.some(([low, high]) => low <= code && code <= high);
  return isMember !== isNegated;
}
function makeMatcher(patterns, name) {
  const all = Array.isArray(patterns) ? patterns : [
    patterns
  ];
  for (const pattern of all) {
    if (typeof pattern === "string" || pattern instanceof RegExp) continue;
    throw new TypeError(`Cannot use ${showValue(pattern)} as "${name}": it must be a glob, a regular expression, or an array of them`);
  }
  const tests = all.map((pattern) => {
    if (typeof pattern === "string") {
      const glob = new Glob(pattern, name);
      return (_path, below) => glob.matches(below);
    }
    return (path) => {
      pattern.lastIndex = 0;
      return pattern.test(path);
    };
  });
  return (path, below) => tests.some((test) => test(path, below));
}

// lib/directories/stat.ts
init_printable();
init_bytes();

// lib/directories/presence.ts
var DENIED_REGEXP = /permission|denied|not allowed|privilege|log ?in/i;
var MISSING_REGEXP = /\bno such (?:file|dir)|\bnot found\b/i;
async function isPresent(session, { path, kind }, options) {
  if (!session.profile.lacks("MLST")) {
    const told = await ask(session, withPath("MLST", path), options);
    if (told !== void 0) return told;
  }
  return kind === "directory" ? await isDirectoryThere(session, path, options) : await isFileThere(session, path, options);
}
async function isFileThere(session, path, options) {
  const command = (verb) => ({
    verb,
    argument: path,
    name: "path"
  });
  const [, ...answers] = await Promise.all([
    session.shared((turn) => turn.ensureType("I", options), options),
    ask(session, command("SIZE"), options),
    ask(session, command("MDTM"), options)
  ]);
  if (answers.includes(true)) return true;
  if (answers.includes(false)) return false;
  return await session.exclusive(async (turn) => {
    try {
      return await hasNames(turn, path, options);
    } catch (error) {
      return isAbsence(error) ? false : fail2(error);
    }
  }, options);
}
function isDirectoryThere(session, path, options) {
  return session.exclusive(async (turn) => {
    if (await isDirectory(turn, path, options)) return true;
    const { lastReply } = session.control;
    const isMissing = session.state.directory !== "" && !(lastReply !== void 0 && lastReply.code >= 400 && DENIED_REGEXP.test(lastReply.text));
    if (isMissing) return false;
    throw new FTPError("Cannot tell whether the directory exists: the server does not say", {
      reply: lastReply
    });
  }, options);
}
async function ask(session, command, options) {
  const { verb } = command;
  if (session.profile.lacks(verb)) return void 0;
  try {
    await session.shared((turn) => turn.perform(command, options), options);
    return true;
  } catch (error) {
    if (isUnknownCommand(replyOf(error))) {
      session.profile.noteLacking(verb);
      return void 0;
    }
    return isAbsence(error) ? false : fail2(error);
  }
}
function isAbsence(error) {
  const reply = replyOf(error);
  if (reply === void 0 || DENIED_REGEXP.test(reply.text)) return false;
  return [
    450,
    501,
    550,
    553
  ].includes(reply.code) || reply.code === 451 && MISSING_REGEXP.test(reply.text);
}
function fail2(error) {
  throw error;
}

// lib/directories/stat.ts
async function requestEntry(session, path, options, { isRaw = false } = {}) {
  checkPath(path, "path");
  checkListOptions(options);
  if (!session.profile.lacks("MLST")) {
    const command = withPath("MLST", path);
    try {
      const reply = await session.shared((turn) => turn.perform(command, options), options);
      const entry = readFacts(session, path, reply, isRaw);
      if (entry !== void 0) return entry;
    } catch (error) {
      if (!isUnknownCommand(replyOf(error))) throw error;
    }
    session.profile.noteLacking("MLST");
  }
  return await probeEntry(session, path, options, isRaw);
}
var absences = /* @__PURE__ */ new WeakSet();
async function existsPath(session, path, options) {
  try {
    await requestEntry(session, path, options);
    return true;
  } catch (error) {
    if (error instanceof FTPError && absences.has(error)) return false;
    const reply = replyOf(error);
    const isMissing = [
      450,
      501,
      550,
      553
    ].includes(reply?.code ?? 0) && !DENIED_REGEXP.test(reply.text);
    if (!isMissing) throw error;
    return false;
  }
}
function readFacts(session, path, reply, isRaw) {
  const { encoding } = session.control;
  const lines = reply.lines.map((line) => line.replace(/^250[- ]/, "").trimStart()).filter((line) => /^[\w.-]+=/.test(line));
  const last = lines.at(-1);
  if (last === void 0) return void 0;
  const facts = lines.slice(0, -1).map((line) => line.slice(0, factsEnd(line)).replace(/;?$/, ";"));
  let self;
  const reader = new ListingReader({
    decode: (bytes2) => encoding.decode(bytes2),
    format: "mlsd",
    onSelf: (itself) => self = itself
  });
  const [other] = reader.push(encoding.encode(`${facts.join("")}${last}\r
`));
  const entry = self ?? other;
  const zone = isRaw ? 0 : session.profile.clock.zoneOf("MLSD");
  const name = nameOf3(session, path);
  return entry && new Entry(...changed(entry, {
    name,
    zone
  }));
}
function nameOf3(session, path) {
  const whole = rawPathOf(session, path);
  const [, name] = splitRawPath(whole);
  const raw = name.length > 0 ? name.slice() : whole.slice();
  return {
    text: session.control.encoding.decode(raw),
    raw
  };
}
async function probeEntry(session, path, options, isRaw) {
  const found = await session.exclusive((turn) => probe(turn, path, options), options);
  if (!(found instanceof FTPError)) {
    const zone = isRaw ? 0 : session.profile.clock.zoneOf("MDTM");
    const entry = makeEntry(session, path, found);
    return new Entry(...changed(entry, {
      zone
    }));
  }
  const name = nameOf3(session, path);
  const [directory] = splitRawPath(rawPathOf(session, path));
  let isAbsent = false;
  let partial;
  const onPartial = (error2) => void (partial = error2);
  try {
    const listed = {
      ...options,
      all: true
    };
    const hooks = {
      onPartial,
      isRaw
    };
    const entries = await readDirectory(session, directory, listed, hooks);
    const entry = entries.find(({ rawName }) => isEqual(rawName, name.raw));
    if (entry !== void 0) return entry;
    if (partial !== void 0) throw partial;
    isAbsent = !name.text.startsWith(".");
  } catch (error2) {
    if (!isNoDirectory(error2)) throw error2;
    const { reply: reply2 } = error2;
    isAbsent = reply2?.code === 550 && !DENIED_REGEXP.test(reply2.text);
  }
  const { reply, command } = found;
  isAbsent &&= reply === void 0 || isUnknownCommand(reply);
  const why = isAbsent ? "there is no such name in its directory" : reply?.text;
  const error = new FTPPermanentError(`Cannot find ${quote(textOfPath(session, path))}: ${why}`, {
    reply,
    command,
    cause: found
  });
  if (isAbsent) absences.add(error);
  throw error;
}
async function probe(turn, path, options) {
  if (await isDirectory(turn, path, options)) return {
    kind: "directory"
  };
  const { profile } = turn.session;
  const orDataSet = async (refusal3) => isDataSet(turn.session, path) ? await probeDataSet(turn, path, options, refusal3) : refusal3;
  if (profile.lacks("SIZE")) {
    return await orDataSet(new FTPPermanentError("Cannot tell the size: the server lacks SIZE"));
  }
  try {
    await turn.ensureType("I", options);
    const size = await requestSize(turn, path, options);
    const mtime = await requestShownTime(turn, path, options).catch((error) => {
      if (error instanceof FTPPermanentError) return null;
      throw error;
    });
    return {
      kind: "file",
      size: size ?? void 0,
      mtime: mtime ?? void 0
    };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const isUnknown = isUnknownCommand(error.reply) && error.command?.startsWith("SIZE");
    if (isUnknown) profile.noteLacking("SIZE");
    return await orDataSet(error);
  }
}
async function probeDataSet(turn, path, options, refusal3) {
  try {
    return await hasNames(turn, path, options) ? {
      kind: "file"
    } : refusal3;
  } catch (error) {
    if (error instanceof FTPPermanentError) return error;
    throw error;
  }
}
function makeEntry(session, path, probed) {
  const { encoding } = session.control;
  const { raw } = nameOf3(session, path);
  const source = new ParsedSource({
    parsed: {
      ...probed,
      name: toByteText(raw),
      mtimePrecision: "second"
    },
    line: "",
    format: "commands",
    decode: (bytes2) => encoding.decode(bytes2)
  });
  return new Entry(source, 0);
}

// lib/directories/walk_entry.ts
var WalkEntry = class extends Entry {
  /**
   * The path, relative to the root of the walk. Check `hostile` before using
   * it.
   */
  path;
  /** Depth below the root of the walk; its entries have depth 1. */
  depth;
  /**
   * Whether it leads back to a directory that contains it. It was not followed.
   */
  isLoop;
  #directory;
  /**
   * Adds a path to an entry.
   *
   * @param entry The entry
   * @param place Its location
   * @ignore
   */
  constructor(entry, place) {
    const [source, index, changes] = changed(entry);
    super(source, index, changes);
    this.path = place.path;
    this.depth = place.depth;
    this.isLoop = place.isLoop;
    this.#directory = place.directory;
  }
  /** The path as bytes. They open the same file in any encoding. */
  get rawPath() {
    return joinRawEntry(this.#directory, this);
  }
  /**
   * Returns the fields as a plain object.
   *
   * @returns The known fields, path and depth
   */
  toJSON() {
    return {
      path: this.path,
      depth: this.depth,
      ...super.toJSON()
    };
  }
};

// lib/directories/walk.ts
var MAX_LEVELS = 256;
async function* walkTree(run2, path, { onError, onUnknown, ...others }) {
  const listener = new Listener();
  const options = {
    ...others,
    onError: listener.heard(onError),
    onUnknown: listener.heard(onUnknown)
  };
  const { maxDepth = Infinity, match, skip } = options;
  const isMatch2 = match === void 0 ? void 0 : makeMatcher(match, "match");
  const isSkipped = skip === void 0 ? void 0 : makeMatcher(skip, "skip");
  if (!(maxDepth >= 1)) {
    throw new RangeError(`Cannot walk ${maxDepth} levels: "maxDepth" must be 1 or more`);
  }
  checkListOptions(options);
  const levels = [
    await run2((session) => openRoot(session, path, options))
  ];
  const pauses = new PauseTimer();
  for (let level; (level = levels.at(-1)) !== void 0; ) {
    listener.check();
    if (pauses.isDue) await pauses.pause(options.signal);
    const entry = level.rest.shift();
    if (entry === void 0) {
      levels.pop();
      continue;
    }
    const path2 = joinEntry(level.path, entry);
    if (isSkipped?.(path2, belowRoot(level, entry))) continue;
    const mayEnter = !entry.isFile && levels.length < maxDepth;
    const start = mayEnter ? await startOf(run2, entry, {
      path: path2,
      level,
      options
    }) : void 0;
    const isLoop2 = start !== void 0 && isOneOf(levels, start);
    const visited = new WalkEntry(entry, {
      path: path2,
      directory: level.rawPath,
      depth: levels.length,
      isLoop: isLoop2
    });
    const isWanted = isIncluded(visited, options) && isMatch2?.(path2, belowRoot(level, entry)) !== false;
    if (isWanted) yield visited;
    if (start === void 0 || isLoop2) continue;
    if (levels.length >= MAX_LEVELS && options.maxDepth === void 0) {
      throw new RangeError(`Cannot walk ${quote(path2)}: it is more than ${MAX_LEVELS} levels deep; increase "maxDepth"`);
    }
    const next = await run2((session) => openLevel(session, start, levels, options));
    if (next !== void 0) levels.push(next);
  }
  await listener.settle();
}
function isIncluded(entry, options) {
  const { includeFiles, includeDirs, includeSymlinks } = options;
  const isKindIncluded = entry.isDirectory ? includeDirs : entry.isSymlink ? includeSymlinks : includeFiles;
  return isKindIncluded !== false;
}
function belowRoot({ below }, { name }) {
  return joinPath(below, name);
}
async function startOf(run2, entry, { path, level, options }) {
  if (entry.hostile) return void 0;
  const below = belowRoot(level, entry);
  const rawPath = joinRawEntry(level.rawPath, entry);
  const unique = entry.facts?.unique;
  if (entry.isDirectory) {
    const canonical2 = level.canonical === void 0 ? void 0 : joinPath(level.canonical, entry.name);
    return {
      path,
      below,
      rawPath,
      unique,
      canonical: canonical2
    };
  }
  if (!entry.isSymlink || options.followSymlinks !== true) return void 0;
  const canonical = await run2((session) => canonicalPath(session, rawPath, options));
  return canonical === void 0 ? void 0 : {
    path,
    below,
    rawPath,
    unique,
    canonical
  };
}
function isOneOf(levels, start) {
  return levels.some(({ unique, canonical }) => unique !== void 0 && unique === start.unique || canonical !== void 0 && canonical === start.canonical);
}
async function canonicalPath(session, path, { signal }) {
  return await session.exclusive(async (turn) => {
    try {
      const directory = path.length === 0 ? "." : path;
      const leave = await enterDirectory(turn, directory, {
        signal
      });
      if (leave === void 0) return void 0;
      try {
        const reply = await turn.perform({
          verb: "PWD"
        }, {
          signal
        });
        return reply.code === 257 ? parseDirectory(reply) : void 0;
      } finally {
        await leave();
      }
    } catch (error) {
      if (isRefusal(error)) return void 0;
      throw error;
    }
  }, {
    signal
  });
}
async function openRoot(session, path, options) {
  const rawPath = rawPathOf(session, path);
  const canonical = options.followSymlinks === true ? await canonicalPath(session, rawPath, options) : void 0;
  const start = {
    path: textOfPath(session, path),
    below: "",
    rawPath,
    unique: void 0,
    canonical
  };
  const level = await readLevel(session, start, [], options);
  const needsUnique = level.unique === void 0 && !session.profile.lacks("MLST") && level.hasUnique;
  if (!needsUnique) return level;
  const { facts } = await requestEntry(session, path, options);
  return {
    ...level,
    unique: facts?.unique
  };
}
async function openLevel(session, start, levels, options) {
  try {
    const level = await readLevel(session, start, levels, options);
    return isOneOf(levels, level) ? void 0 : level;
  } catch (error) {
    const isRefused = error instanceof FTPProtocolError || isRefusal(error);
    const isLost2 = session.isLost;
    if (!isRefused || isLost2 || options.onError === void 0) throw error;
    options.onError(error, start.path);
    return void 0;
  }
}
async function readLevel(session, start, levels, options) {
  let { unique } = start;
  let size = 0;
  let hasUnique = false;
  const rest = new EntryList();
  const { maxEntries = MAX_KEPT } = options;
  const nested = await readDirectory(session, start.rawPath, options, {
    held: levels.reduce((sum, { size: size2 }) => sum + size2, 0),
    onSize: (taken) => void (size = taken),
    isWanted: (entry) => {
      hasUnique ||= !entry.isFile && entry.facts?.unique !== void 0;
      if (entry.format === "os400") return true;
      rest.push(entry);
      if (rest.length > maxEntries) {
        throw tooMany(session, start.rawPath, maxEntries);
      }
      return false;
    },
    // a link may have a "unique" of its own, so that of the directory counts
    onSelf: ({ facts }) => {
      if (facts?.type?.toLowerCase() === "cdir") {
        unique = facts.unique ?? unique;
      }
    }
  });
  for (const entry of nested) rest.push(entry);
  return {
    ...start,
    unique,
    rest,
    size,
    hasUnique
  };
}

// lib/directories/entry_kinds.ts
async function kindsOf(session, directory, entries, options) {
  const { signal } = options;
  const doubtful = new Set(session.profile.tellsLinks ? [] : await filterAll(entries, isDoubtful, signal));
  const kinds = [];
  if (doubtful.size === 0) {
    await visitAll(entries, ({ kind }) => kinds.push(kind), signal);
    return kinds;
  }
  const names = /* @__PURE__ */ new Set();
  await visitAll(doubtful, ({ name }) => names.add(name), signal);
  const { kinds: listed } = await readAgain(session, directory, options, ({ name }) => names.has(name));
  const pauses = new PauseTimer();
  for (const entry of entries) {
    if (pauses.isDue) await pauses.pause(signal);
    const { name } = entry;
    if (!doubtful.has(entry)) kinds.push(entry.kind);
    else if (listed.has(name)) kinds.push(listed.get(name));
    else {
      const path = joinRawPath(rawPathOf(session, directory), entry.rawName);
      kinds.push(await kindByPath(session, directory, path, options));
    }
  }
  return kinds;
}
function noteLinks(session, entries) {
  session.profile.tellsLinks ||= entries.some((entry) => entry.isSymlink && entry.facts !== void 0);
}
async function kindOf3(session, path, options) {
  const [directory, rawName] = splitRawPath(rawPathOf(session, path));
  const name = session.control.encoding.decode(rawName);
  if (/^\.{0,2}$/.test(name)) return "directory";
  const { kinds: listed, isWhole } = await readAgain(session, directory, options, (entry) => entry.name.toLowerCase() === name.toLowerCase());
  const kinds = listed.has(name) ? [
    listed.get(name)
  ] : [
    ...listed.values()
  ];
  if (kinds.length === 0 || !isWhole && !listed.has(name)) {
    return await kindByPath(session, directory, path, options);
  }
  return kinds.every((kind) => kind === kinds[0]) ? kinds[0] : "unknown";
}
function isDoubtful(entry) {
  const isAmbiguous = entry.kind === "directory" || entry.kind === "unknown";
  return isAmbiguous && !entry.hostile && entry.facts !== void 0;
}
async function readAgain(session, directory, { signal }, isWanted) {
  const command = session.profile.tellsLinks ? void 0 : "LIST";
  const options = {
    all: true,
    command,
    signal
  };
  let isWhole = true;
  const onPartial = () => void (isWhole = false);
  const entries = await readDirectory(session, directory, options, {
    isWanted,
    onPartial
  });
  const kinds = /* @__PURE__ */ new Map();
  await visitAll(entries, ({ name, kind }) => {
    const isSame = (kinds.get(name) ?? kind) === kind;
    kinds.set(name, isSame ? kind : "unknown");
  }, signal);
  return {
    kinds,
    isWhole
  };
}
async function kindByPath(session, directory, path, options) {
  const outer = await canonicalPath(session, directory, options);
  const inner = await canonicalPath(session, path, options);
  if (outer === void 0 || inner === void 0) return "unknown";
  return isBelow(inner, outer) ? "directory" : "unknown";
}
function isBelow(inner, outer) {
  const start = outer.endsWith("/") ? outer : `${outer}/`;
  return inner.length > start.length && inner.startsWith(start);
}

// lib/directories/directories.ts
var WINDOW = 64;
var DENIED_REGEXP2 = /\b(permission|access)( is)? denied\W*$/i;
async function ensureDir(session, path, options) {
  const made = await session.exclusive(async (turn) => {
    if (await isDirectory(turn, path, options)) return false;
    options.onMissing?.();
    const refusal3 = await makeAll(turn, prefixes(path), options);
    if (refusal3 === void 0) {
      return session.state.directory?.startsWith("/") === true;
    }
    return await isDirectory(turn, path, options) ? false : refusal3;
  }, options);
  if (typeof made === "boolean") return made;
  const isTold = session.state.directory !== "";
  const kind = isTold ? void 0 : await orRefusal(made, () => kindOf3(session, path, options));
  if (kind !== "directory") throw made;
  return false;
}
async function makeAll(turn, paths, options) {
  const { profile, control } = turn.session;
  if (profile.allowsJoining && control.isPipelining) {
    const all = paths.map((path) => makeDirectory(turn, path, options));
    return (await Promise.all(all)).at(-1);
  }
  let refusal3;
  for (const path of paths) refusal3 = await makeDirectory(turn, path, options);
  return refusal3;
}
function prefixes(path) {
  const ends = [
    ...path.matchAll(/[^/](?=\/|$)/g)
  ].map(({ index }) => index + 1);
  return ends.map((end) => path.slice(0, end));
}
async function makeDirectory(turn, path, options) {
  try {
    await turn.perform({
      verb: "MKD",
      argument: path,
      name: "path"
    }, options);
    return void 0;
  } catch (error) {
    if (error instanceof FTPPermanentError) return error;
    throw error;
  }
}
async function remove(session, path, { signal, ...others }, { kind, begin: begin2 } = {}) {
  if (path === "") {
    throw new TypeError('Cannot remove "": it is empty; "." is the current directory');
  }
  if (others.recursive === true) checkNamed(path);
  let options = {
    ...others,
    signal
  };
  try {
    await session.shared((turn) => {
      if (begin2 !== void 0) options = {
        ...others,
        signal: begin2()
      };
      return turn.perform(deletion(path), options);
    }, {
      signal
    });
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    if (options.recursive !== true) {
      return await removeDirectory(session, path, error, options);
    }
    const isDirectory2 = await orRefusal(error, async () => (kind ?? await kindOf3(session, path, options)) === "directory");
    if (!isDirectory2) throw error;
    await removeTree(session, path, error, options);
  }
}
function checkNamed(path) {
  if (endsWithName(path)) return;
  throw new TypeError(`Cannot remove ${quote(path)} with everything in it: it ends with no name; give the path of a directory, or remove its entries one by one`);
}
function deletion(path) {
  return {
    verb: "DELE",
    argument: path,
    name: "path"
  };
}
async function removeTree(session, path, refusal3, options) {
  if (isDenied(refusal3)) {
    try {
      await removeDirectory(session, path, refusal3, options);
      return;
    } catch (error) {
      if (!(error instanceof FTPPermanentError) || isDenied(error)) throw error;
    }
  }
  const unread = await emptyDirectory(session, path, refusal3, options);
  try {
    await removeDirectory(session, path, refusal3, options);
  } catch (error) {
    throw error instanceof FTPPermanentError ? unread ?? error : error;
  }
}
async function emptyDirectory(session, path, refusal3, options) {
  const { maxEntries, signal } = options;
  const listed = {
    maxEntries,
    signal,
    all: true
  };
  const gone = /* @__PURE__ */ new Set();
  while (true) {
    let partial;
    const onPartial = (error) => void (partial = error);
    let entries;
    try {
      entries = await readDirectory(session, path, listed, {
        onPartial
      });
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) throw error;
      return refusal3;
    }
    const again = partial === void 0 ? [] : await filterAll(entries, ({ name }) => gone.has(name), signal);
    const isStuck2 = entries.length === 0 || again.length > 0;
    if (partial !== void 0 && isStuck2) return partial;
    await removeEntries(session, path, entries, options);
    if (partial === void 0) return void 0;
    gone.clear();
    await visitAll(entries, ({ name }) => gone.add(name), signal);
  }
}
async function removeEntries(session, path, entries, options) {
  noteLinks(session, entries);
  const paths = [];
  await visitAll(entries, (entry) => {
    checkName(entry.name);
    paths.push(joinEntry(path, entry));
  }, options.signal);
  const refusals = await deleteAll(session, paths, options);
  const [first] = refusals;
  if (first === void 0) return;
  const rest = refusals.map(({ index }) => entries[index]);
  const kinds = await orRefusal(first.error, () => kindsOf(session, path, rest, options));
  for (const [at, { index, error }] of refusals.entries()) {
    const kind = kinds[at];
    const isRemovable = kind === "directory" || // Windows removes a link to a directory like a directory
    kind === "symlink" && rest[at].format === "dos";
    if (!isRemovable || !(error instanceof FTPPermanentError)) throw error;
    const removeInner = kind === "directory" ? removeTree : removeDirectory;
    await removeInner(session, paths[index], error, options);
  }
}
function isDenied({ reply }) {
  return DENIED_REGEXP2.test(reply?.text ?? "");
}
async function removeDirectory(session, path, refusal3, options) {
  const command = {
    verb: "RMD",
    argument: path,
    name: "path"
  };
  const { signal } = options;
  try {
    await session.shared((turn) => turn.perform(command, {
      signal
    }), {
      signal
    });
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    const isFile = /not a directory|no such/i.test(error.reply?.text ?? "");
    const cause = isFile ? refusal3 : error;
    const said = ({ reply }) => printable(reply?.text ?? "");
    const isDone2 = isFile || options.recursive === true || isDenied(error);
    const advice = isDone2 ? "" : "; { recursive: true } removes a directory with its contents";
    throw new FTPPermanentError(`Cannot remove ${quote(path)}: as a file, "${said(refusal3)}"; as a directory, "${said(error)}"${advice}`, {
      reply: cause.reply,
      command: cause.command,
      cause
    });
  }
}
async function orRefusal(refusal3, run2) {
  try {
    return await run2();
  } catch (error) {
    throw error instanceof FTPPermanentError ? refusal3 : error;
  }
}
async function deleteAll(session, paths, { signal }) {
  const refusals = [];
  const commands2 = paths.values().map(deletion);
  const pauses = new PauseTimer();
  let index = 0;
  for await (const result of pipeline(session, commands2, {
    window: WINDOW,
    signal
  })) {
    if (pauses.isDue) await pauses.pause(signal);
    if (result instanceof FTPError) refusals.push({
      index,
      error: result
    });
    index++;
  }
  return refusals;
}

// lib/directories/prove_clock.ts
init_byte_stream();
init_waiting();

// lib/commands/modification_time.ts
init_printable();
var COMMANDS = [
  {
    verb: "MFMT",
    prefix: ""
  },
  {
    verb: "MDTM",
    prefix: ""
  },
  {
    verb: "SITE",
    prefix: "UTIME "
  }
];
async function changeModificationTime(session, path, date, options = {}) {
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) {
    throw new RangeError(`Cannot set the time of ${quote(textOfPath(session, path))}: the date must be one of the years 1 to 9999`);
  }
  const { clock } = session.profile;
  const { written } = options;
  const isFirst = written !== void 0 && !clock.isProven("MDTM") && clock.isUntried("MDTM");
  const proving = isFirst ? proveByFile(session, path, written, options) : void 0;
  proving?.catch(() => {
  });
  let refusal3;
  for (const { verb, prefix } of COMMANDS) {
    const key = `${verb} time`;
    if (session.profile.lacks(key)) continue;
    if (verb === "MDTM") {
      await proving;
      if (!clock.isProven("MDTM")) await options.prove?.();
    }
    const digits = clock.toSet(verb, date);
    const reply = await ask2(session, {
      verb,
      argument: appendPath(session, `${prefix}${formatTime(digits)} `, path),
      name: "path"
    }, options);
    if (isUnknownCommand(reply)) session.profile.noteLacking(key);
    else if (isDone(verb, reply, digits)) {
      await proving;
      return {
        command: verb,
        digits
      };
    } else if (refusal3 === void 0 || verb === "MFMT") refusal3 = reply;
    if (verb === "MFMT" && !session.profile.lacks(key)) break;
  }
  await proving;
  const why = refusal3?.text ?? "the server has no command for it";
  throw new FTPPermanentError(`Cannot set the time of ${quote(textOfPath(session, path))}: ${why}`, {
    reply: refusal3,
    command: "MFMT"
  });
}
async function setModificationTime(session, path, date, options = {}) {
  const { clock } = session.profile;
  try {
    await changeModificationTime(session, path, date, options);
    return clock.noteSettable(true);
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    return clock.noteSettable(false);
  }
}
function knownDating(session, path, date) {
  const { clock } = session.profile;
  const year = date.getUTCFullYear();
  const mayLearn = !clock.isProven("MDTM") && clock.isUntried("MDTM");
  const known = COMMANDS.find(({ verb: verb2 }) => !session.profile.lacks(`${verb2} time`));
  const isKnown = clock.isSettable === true && !mayLearn && known !== void 0 && year >= 1 && year <= 9999;
  if (!isKnown) return void 0;
  const { verb, prefix } = known;
  const digits = clock.toSet(verb, date);
  const argument = appendPath(session, `${prefix}${formatTime(digits)} `, path);
  return async (turn, options) => {
    try {
      const command = {
        verb,
        argument,
        name: "path"
      };
      return isDone(verb, await turn.perform(command, options), digits);
    } catch (error) {
      const isRefusal2 = error instanceof FTPPermanentError || error instanceof FTPReplyError;
      if (!isRefusal2) throw error;
      return false;
    }
  };
}
async function proveByFile(session, path, written, options) {
  const { clock } = session.profile;
  const hasFacts = session.profile.hasMLSD !== false && !session.profile.lacks("MLST");
  clock.noteTry("MDTM");
  if (hasFacts) clock.noteTry("MLSD");
  const [shown, told] = await Promise.all([
    findShownTime(session, path, options),
    hasFacts ? findShownTimeInFacts(session, path, options) : void 0
  ]);
  if (shown) {
    const time = {
      shown: toSecond(shown),
      precision: SECOND
    };
    clock.noteWritten("MDTM", time, written);
  }
  if (told) {
    const time = {
      shown: toSecond(told),
      precision: SECOND
    };
    clock.noteWritten("MLSD", time, written);
  }
}
async function findShownTime(session, path, options) {
  try {
    return await session.shared((turn) => requestShownTime(turn, path, options), options);
  } catch (error) {
    if (error instanceof FTPPermanentError) return null;
    throw error;
  }
}
async function findShownTimeInFacts(session, path, options) {
  const command = {
    verb: "MLST",
    argument: path,
    name: "path"
  };
  const reply = await ask2(session, command, options);
  if (isUnknownCommand(reply)) session.profile.noteLacking("MLST");
  const word = /[ ;]modify=(\d{14})/i.exec(reply.text)?.[1];
  return reply.code === 250 && word !== void 0 ? parseTime(word) : null;
}
function toSecond(date) {
  return Math.floor(date.getTime() / SECOND) * SECOND;
}
async function ask2(session, command, options) {
  try {
    return await session.shared((turn) => turn.perform(command, options), options);
  } catch (error) {
    const isFinal = error instanceof FTPPermanentError || error instanceof FTPReplyError;
    if (isFinal && error.reply !== void 0) return error.reply;
    throw error;
  }
}
function isDone(verb, reply, date) {
  if (reply.code < 200 || reply.code >= 300) return false;
  if (reply.code === SUPERFLUOUS) return false;
  if (verb !== "MDTM") return true;
  const told = parseModificationTime(reply);
  return told === null || formatTime(told) === formatTime(date);
}

// lib/directories/prove_clock.ts
var SET_BACK = 1e6;
var CLEANUP_TIMEOUT = 5e3;
async function proveClock(session, directory, options = {}) {
  const { clock } = session.profile;
  const { signal, timeCommand = "MDTM" } = options;
  clock.noteTry(timeCommand);
  await withFile(session, directory, options, async (path, name, written) => {
    await proveByFile(session, path, written, {
      signal
    });
    if (timeCommand === "LIST") {
      const folder = rawPathOf(session, directory);
      await proveByList(session, folder, name, written, options);
    }
    await trySetting(session, path, written, options);
  });
}
async function proveDays(session, directory, times, options) {
  const { clock } = session.profile;
  const { signal, timeCommand = "MDTM" } = options;
  await withFile(session, directory, options, async (path) => {
    for (const time of times) {
      await changeModificationTime(session, path, new Date(time), {
        signal
      });
      const [shown, told] = await Promise.all([
        findShownTime(session, path, {
          signal
        }),
        timeCommand === "MLSD" ? findShownTimeInFacts(session, path, {
          signal
        }) : null
      ]);
      if (shown !== null) clock.noteDay("MDTM", time, toSecond(shown));
      if (told !== null) clock.noteDay("MLSD", time, toSecond(told));
    }
  });
}
async function withFile(session, directory, options, use) {
  const mark = randomMark();
  const name = rawPathOf(session, options.temporaryName?.("clock", mark) ?? partName("clock", mark, false));
  const path = joinRawPath(rawPathOf(session, directory), name);
  const written = await write(session, path, options);
  if (written === void 0) return;
  try {
    await use(path, name, written);
  } catch (error) {
    if (session.isLost) {
      await session.replace(error, options.signal).catch(() => false);
    }
    throw error;
  } finally {
    await deleteTemporary(session, path);
  }
}
async function dateFile(session, path, date, options) {
  const [directory] = splitRawPath(rawPathOf(session, path));
  const { clock } = session.profile;
  const prove = async () => {
    if (clock.isUntried("MDTM")) await proveClock(session, directory, options);
  };
  await changeModificationTime(session, path, date, {
    ...options,
    prove
  });
}
async function write(session, path, { signal }) {
  const command = {
    verb: "STOR",
    argument: path,
    name: "path"
  };
  let from = 0;
  try {
    const transfer = await session.exclusive((turn) => openTransfer(turn, command, {
      type: "I",
      signal
    }), {
      signal
    });
    await transfer.complete(async (data) => {
      from = Date.now();
      await writeAll(data, Uint8Array.of(10));
      await data.closeWrite();
    }, {
      signal
    });
    return {
      from,
      to: Date.now()
    };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return void 0;
  }
}
async function proveByList(session, folder, name, written, { signal }) {
  const text = session.control.encoding.decode(name);
  const [entry] = await readDirectory(session, folder, {
    command: "LIST",
    all: true,
    signal
  }, {
    isWanted: ({ name: name2 }) => name2 === text,
    isRaw: true
  });
  const { mtime, mtimePrecision = "second" } = entry ?? {};
  if (mtime === void 0) return;
  const precision = TIME_PRECISIONS[mtimePrecision];
  const time = {
    shown: mtime.getTime(),
    precision
  };
  session.profile.clock.noteWritten("LIST", time, written);
}
async function trySetting(session, path, { from }, { signal }) {
  const { clock } = session.profile;
  const date = new Date(from - SET_BACK);
  try {
    const { command, digits } = await changeModificationTime(session, path, date, {
      signal
    });
    const shown = await findShownTime(session, path, {
      signal
    });
    const sent = new Date(toSecond(digits));
    clock.noteSettable(true);
    if (shown !== null) {
      clock.noteSet(command, sent, new Date(toSecond(shown)));
    }
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    clock.noteSettable(false);
  }
}
async function deleteTemporary(session, path) {
  const command = {
    verb: "DELE",
    argument: path,
    name: "path"
  };
  const deleting = session.shared((turn) => turn.exchange(command)).catch(() => {
  });
  await settle(deleting, CLEANUP_TIMEOUT);
}

// lib/files/download/download.ts
init_waiting();
init_check_number();
init_printable();

// lib/files/confirm.ts
async function awaitConfirmation(transfer, bytes2, size, options) {
  try {
    const { signal } = options;
    const isWhole = size !== null && bytes2 >= size;
    return await transfer.finish({
      signal,
      isWhole
    });
  } catch (error) {
    const isAnswered = isTruncated(error) || isRefusal(error);
    if (isAnswered || options.signal?.aborted || bytes2 !== size) throw error;
    throw new FTPUnconfirmedError(`Cannot confirm "${transfer.command}": all ${bytes2} bytes of the file were transferred, but the server did not confirm it; compare the files`, {
      bytes: bytes2,
      size,
      command: transfer.command,
      cause: error
    });
  }
}

// lib/files/asked_ahead.ts
init_waiting();
var AskedAhead = class {
  #ask;
  #port;
  #answer;
  /**
   * Creates an empty answer.
   *
   * @param ask Sends the queries at once
   */
  constructor(ask3) {
    this.#ask = ask3;
  }
  /** Sends the queries, and requests a port. */
  ask = (turn) => {
    this.#answer = this.#ask(turn);
    this.#answer.catch(() => {
    });
    this.#port = openForNext(turn);
  };
  /**
   * Returns the answer, once; `undefined` if nothing was asked, or if the
   * answer may be out of date.
   */
  async take(session, { signal }) {
    const answer = this.#answer;
    const port = this.#port;
    this.#answer = this.#port = void 0;
    const isCurrent = port !== void 0 && session.ahead === port;
    if (answer === void 0 || !isCurrent) return void 0;
    try {
      return await abortable(answer, signal);
    } catch {
      signal?.throwIfAborted();
      return void 0;
    }
  }
};

// lib/files/keep_alive.ts
init_waiting();
var GRACE = 5e3;
function keepAlive({ control }, transfer, { keepAlive: interval = 0 }) {
  let pending;
  const send2 = () => {
    const isAnswered = pending?.isSettled ?? true;
    if (isAnswered && control.failure === void 0) {
      pending = transfer.sendNoop();
    }
  };
  const isFinite = interval > 0 && interval < Infinity;
  const timer = isFinite ? setInterval(send2, interval) : void 0;
  return {
    stop: () => clearInterval(timer),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      if (pending === void 0 || pending.isSettled) return;
      const reply = await settle(pending.first, GRACE);
      if (reply !== void 0 || control.failure !== void 0) return;
      control.fail(new Deno.errors.TimedOut(`Cannot keep the connection: no reply to "NOOP" within ${GRACE} ms of the transfer's end; try without keepAlive`));
    }
  };
}

// lib/files/options.ts
init_check_number();
init_check_word();
var TRANSFER_OPTIONS = {
  resume: true,
  atomic: true,
  verify: true,
  mtime: true,
  keepAlive: true,
  retry: true,
  onRetry: true,
  onProgress: true,
  progressRate: true,
  maxRate: true,
  signal: true
};
var DOWNLOAD_OPTIONS = {
  ...TRANSFER_OPTIONS,
  maxSize: true,
  sync: true,
  segments: true,
  removeSource: true
};
var UPLOAD_OPTIONS = {
  ...TRANSFER_OPTIONS,
  size: true,
  replace: true,
  temporaryName: true
};
function checkTransferOptions(options) {
  const { verify, replace, retry, keepAlive: keepAlive2, removeSource: removeSource2 } = options;
  checkWord("verify", verify, [
    "size",
    "hash",
    "none"
  ]);
  checkWord("replace", replace, [
    "rename",
    "delete"
  ]);
  if (removeSource2 && verify === "none") {
    throw new TypeError('Cannot use "removeSource" with verify "none": the file must be verified before it is removed');
  }
  checkRetry(retry);
  checkNumber("keepAlive", keepAlive2, {
    most: MAX_MILLISECONDS
  });
}

// lib/files/hash.ts
init_node_module();
init_printable();
init_waiting();
var KNOWN2 = [
  {
    name: "SHA-256",
    digits: 64,
    algorithm: "sha256",
    verbs: [
      "XSHA256"
    ]
  },
  {
    name: "SHA-512",
    digits: 128,
    algorithm: "sha512",
    verbs: [
      "XSHA512"
    ]
  },
  {
    name: "SHA-1",
    digits: 40,
    algorithm: "sha1",
    verbs: [
      "XSHA1",
      "XSHA"
    ]
  },
  {
    name: "MD5",
    digits: 32,
    algorithm: "md5",
    verbs: [
      "XMD5",
      "MD5",
      "MMD5"
    ]
  },
  {
    name: "CRC32",
    digits: 8,
    algorithm: void 0,
    verbs: [
      "XCRC"
    ]
  }
];
async function chooseHash(session, options) {
  const features = await requestFeatures(session, options);
  const offered = (features.get("HASH") ?? "").toUpperCase().split(";").map((name) => name.replace("*", "").trim());
  const isUsable = (verb) => !session.profile.lacks(verb);
  for (const { name, digits, verbs: verbs2 } of KNOWN2) {
    if (offered.includes(name) && isUsable("HASH")) {
      return {
        name,
        digits,
        verb: "HASH"
      };
    }
    const verb = verbs2.find((verb2) => features.has(verb2) && isUsable(verb2));
    if (verb !== void 0) return {
      name,
      digits,
      verb
    };
  }
  return void 0;
}
async function hashBoth(session, path, { size, signal }, make) {
  const hash = await chooseHash(session, {
    signal
  });
  if (hash === void 0) return void 0;
  const stop2 = new AbortController();
  const either = anySignal(stop2.signal, signal);
  const making = make(hash, either);
  making.catch((fault) => stop2.abort(fault));
  try {
    const options = {
      size,
      signal: either
    };
    const remote = await requestHash(session, hash, path, options);
    if (remote === void 0) return void 0;
    return {
      name: hash.name,
      local: await making,
      remote
    };
  } finally {
    stop2.abort();
    await making.catch(() => {
    });
  }
}
async function requestFileHash(session, path, options) {
  const best = await chooseHash(session, options);
  if (best === void 0) return void 0;
  const digits = await requestHash(session, best, path, options);
  return digits === void 0 ? void 0 : {
    name: best.name,
    digits
  };
}
async function requestHash(session, hash, path, options) {
  const { name, verb } = hash;
  const argument = verb.startsWith("X") && path.includes(" ") ? `${quote(path)}` : path;
  try {
    return await session.exclusive(async (turn) => {
      await turn.ensureType("I", options);
      if (verb === "HASH") {
        await turn.perform({
          verb: "OPTS",
          argument: `HASH ${name}`
        }, options);
      }
      const command = {
        verb,
        argument,
        name: "path"
      };
      const reply = await performSlowly(turn, command, options);
      return readHash(reply, hash, path);
    }, options);
  } catch (error) {
    if (error instanceof FTPPermanentError) return void 0;
    throw error;
  }
}
var LEAST_RATE = 1e4;
async function performSlowly(turn, command, { size = 0, signal }) {
  const { control, options: { timeout } } = turn.session;
  if (timeout === 0) return await turn.perform(command, {
    signal
  });
  const limit = timeout + Math.ceil(size / LEAST_RATE);
  signal?.throwIfAborted();
  const pending = control.send(command);
  const late = () => {
    const error = new Deno.errors.TimedOut(`Cannot complete "${pending.command}": no reply within ${limit} ms; the connection is closed`);
    control.fail(error);
    return error;
  };
  const reply = await within(limit, signal, late, (signal2) => abortable(pending.first, signal2));
  return expectSuccess(reply, pending.command);
}
var HASH_REPLY_REGEXP = /^([A-Z0-9-]+) (\d+)-\d+ ([0-9a-f]+)\b/i;
function readHash(reply, { name: algorithm, digits }, path) {
  const text = reply.text.slice(4);
  const least = digits === 8 ? 1 : digits;
  const isHash = ({ length }) => length >= least && length <= digits;
  const named2 = HASH_REPLY_REGEXP.exec(text);
  if (named2 !== null) {
    const [, used, start, hash] = named2;
    const isWhole = bareName(used) === bareName(algorithm) && Number(start) === 0 && isHash(hash);
    return isWhole ? hash.toLowerCase().padStart(digits, "0") : void 0;
  }
  const words = text.match(/(?<![\w.])[0-9a-f]+(?![\w.])/gi)?.filter(isHash);
  const [, name] = splitPath(path);
  const word = words?.findLast((word2) => word2 !== name) ?? words?.at(-1);
  return word?.toLowerCase().padStart(digits, "0");
}
function bareName(name) {
  return name.replaceAll("-", "").toUpperCase();
}
function sha256Of(text) {
  return nodeModule("node:crypto").createHash("sha256").update(text).digest("hex");
}
var Digester = class {
  #hash;
  #crc = 0;
  #digest;
  /** Starts a hash. */
  constructor(hash) {
    const known = KNOWN2.find(({ name }) => name === hash.name);
    const algorithm = known?.algorithm;
    this.#hash = algorithm === void 0 ? void 0 : nodeModule("node:crypto").createHash(algorithm);
  }
  /** Adds bytes. */
  update(bytes2) {
    if (this.#hash !== void 0) this.#hash.update(bytes2);
    else this.#crc = nodeModule("node:zlib").crc32(bytes2, this.#crc);
  }
  /** Returns the hash in hexadecimal digits. May be called again. */
  digest() {
    return this.#digest ??= this.#hash?.digest("hex") ?? (this.#crc >>> 0).toString(16).padStart(8, "0");
  }
};
var BLOCK_SIZE = 1024 * 1024;
async function hashOpenFile(file, hash, signal) {
  file.seekSync(0, Deno.SeekMode.Start);
  const digester = new Digester(hash);
  const buffer2 = new Uint8Array(BLOCK_SIZE);
  while (true) {
    signal?.throwIfAborted();
    const n = await file.read(buffer2);
    if (n === null) return digester.digest();
    digester.update(buffer2.subarray(0, n));
  }
}
var MAX_UNPAUSED = 16 * 1024 * 1024;
async function hashChunks(chunks, hash, signal) {
  const digester = new Digester(hash);
  let rest = MAX_UNPAUSED;
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    digester.update(chunk);
    rest -= chunk.length;
    if (rest > 0) continue;
    rest = MAX_UNPAUSED;
    await delay(0, signal);
  }
  return digester.digest();
}

// lib/files/open_at.ts
async function openAt(session, verb, path, start, { signal, early, isPlain: isPlain2 }) {
  const command = {
    verb,
    argument: path,
    name: "remote"
  };
  const rest = start || void 0;
  const options = {
    type: "I",
    rest,
    signal,
    early,
    isPlain: isPlain2
  };
  return await session.exclusive((turn) => openTransfer(turn, command, options), {
    signal
  });
}

// lib/files/download/part.ts
init_printable();
import { basename as basename3, dirname as dirname3 } from "node:path";

// lib/files/download/keep_mode.ts
init_node_module();
function canSetMode() {
  return typeof nodeModule("node:fs").fchmodSync === "function";
}
var GROUP_BITS = 56;
var OWNER_BITS = 384;
function modeMeanwhile(mode) {
  return mode && mode.bits | OWNER_BITS;
}
function keepMode(path, own, mode, fresh) {
  const { gid, mode: made } = fresh ?? own;
  const bits = mode === void 0 ? (made ?? 0) & 511 : gid === mode.group ? mode.bits : mode.bits & ((made ?? 0) | ~GROUP_BITS);
  if (((own.mode ?? 0) & 511) === bits) return;
  try {
    const fs = nodeModule("node:fs");
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const { ino, dev } = fs.fstatSync(fd);
      if (ino === own.ino && dev === own.dev) fs.fchmodSync(fd, bits);
    } finally {
      fs.closeSync(fd);
    }
  } catch {
  }
}

// lib/files/download/open_pipe.ts
init_waiting();
async function openPipe(path, options, signal) {
  signal?.throwIfAborted();
  const opening = Deno.open(path, options);
  try {
    return await abortable(opening, signal);
  } catch (error) {
    const other = openOtherEnd(path);
    opening.then((file) => file.close()).catch(() => {
    }).finally(() => other?.close());
    throw error;
  }
}
function openOtherEnd(path) {
  try {
    const isAllowed2 = [
      "read",
      "write"
    ].every((name) => Deno.permissions.querySync({
      name,
      path
    }).state === "granted");
    if (!isAllowed2 || !Deno.statSync(path).isFifo) return void 0;
    return Deno.openSync(path, {
      read: true,
      write: true
    });
  } catch {
    return void 0;
  }
}

// lib/files/download/part_file.ts
init_printable();
import { basename as basename2, dirname as dirname2 } from "node:path";

// lib/files/download/local_target.ts
init_printable();
import { basename, dirname, isAbsolute } from "node:path";
import { fileURLToPath as fileURLToPath2 } from "node:url";
var MAX_LINKS = 40;
function resolveTarget(local) {
  return locally(() => {
    const path = local instanceof URL ? fileURLToPath2(local) : local;
    const { link, info } = statTarget(path);
    if (info?.isDirectory) {
      throw new Deno.errors.IsADirectory(`Cannot download to ${quote(path)}: it is a directory`);
    }
    if (basename(path) === "" || !path.endsWith(basename(path))) {
      throw new TypeError(`Cannot download to ${quote(path)}: it is not the name of a file`);
    }
    const isReplaceable = info === void 0 || info.isFile;
    const end = !isReplaceable ? path : link?.isSymlink !== true ? path : info === void 0 ? followLinks(path) : Deno.realPathSync(path);
    return {
      path: end,
      mode: modeOf2(info),
      isReplaceable
    };
  });
}
function plainTarget(path, check) {
  return locally(() => {
    check();
    const mode = modeOf2(lstatOrNothing(path));
    return {
      path,
      mode,
      isReplaceable: true,
      check
    };
  });
}
function placementError(path, error) {
  const folder = dirname(path);
  if (statOrNothing(folder) === void 0) {
    return new Deno.errors.NotFound(`Cannot download to ${quote(path)}: the folder ${quote(folder)} was removed during the download; create it, then download again`, {
      cause: error
    });
  }
  if (statOrNothing(path)?.isDirectory) {
    return new Deno.errors.IsADirectory(`Cannot download to ${quote(path)}: it became a directory during the download; remove it, or download to another name`, {
      cause: error
    });
  }
  return withMessage(asError(error), (message) => `Cannot download to ${quote(path)}: the complete file could not be renamed to it: ${message}`);
}
function modeOf2(info) {
  const { mode = null, gid: group = null } = info ?? {};
  const hasModes = mode !== null && Deno.build.os !== "windows";
  return hasModes ? {
    bits: mode & 511,
    group
  } : void 0;
}
function statTarget(path) {
  try {
    const link = lstatOrNothing(path);
    return {
      link,
      info: link?.isSymlink ? statOrNothing(path) : link
    };
  } catch (error) {
    throw withMessage(error, (message) => `Cannot download to ${quote(path)}: ${message}`);
  }
}
function statOrNothing(path) {
  return unlessMissing(() => Deno.statSync(path));
}
function lstatOrNothing(path) {
  return unlessMissing(() => Deno.lstatSync(path));
}
function unlessMissing(look) {
  try {
    return look();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return void 0;
    throw error;
  }
}
function followLinks(path) {
  let end = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    if (!lstatOrNothing(end)?.isSymlink) return end;
    const next = Deno.readLinkSync(end);
    end = isAbsolute(next) ? next : `${Deno.realPathSync(dirname(end))}/${next}`;
  }
  throw new Deno.errors.FilesystemLoop(`Cannot download to ${quote(path)}: it is a symbolic link without a target`);
}

// lib/files/download/part_file.ts
var MAX_ATTEMPTS = 10;
function openNew(path, mode) {
  return Deno.openSync(path, {
    read: true,
    write: true,
    createNew: true,
    ...mode === void 0 ? {} : {
      mode
    }
  });
}
function openRandomPart(path, mode) {
  for (let attempt = 1; ; attempt++) {
    const part = siblingPath(path, partName(basename2(path), randomMark(), false));
    try {
      const opened = openLocked(part, mode, () => false, {
        isNew: true
      });
      if (opened !== void 0) return {
        path: part,
        file: opened.file
      };
    } catch (error) {
      const isTaken = error instanceof Deno.errors.Busy;
      if (!isTaken || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
var OTHERS_WRITE = 18;
function removeIfThere(path) {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
var PART_MODE = 384;
function isOnlyOf({ isFile, nlink, uid, mode }, owner) {
  if (!isOwn({
    isFile,
    nlink,
    uid
  }, owner)) return false;
  return Deno.build.os === "windows" || ((mode ?? 0) & OTHERS_WRITE) === 0;
}
function isOwn({ isFile, nlink, uid }, owner) {
  if (!isFile || (nlink ?? 1) > 1) return false;
  return Deno.build.os === "windows" || uid === owner;
}
function newFileBeside(path, mode) {
  const probe2 = siblingPath(path, partName(basename2(path), randomMark(), false));
  using file = openNew(probe2, mode);
  try {
    return file.statSync();
  } finally {
    removeIfThere(probe2);
  }
}
function openPart(path) {
  let owner;
  const isOurs2 = (info) => {
    owner ??= newFileBeside(path).uid;
    return isOnlyOf(info, owner);
  };
  return openLocked(path, canSetMode() ? PART_MODE : void 0, isOurs2)?.file;
}
function openInPlace(path) {
  return openLocked(path, void 0, () => true);
}
function siblingPath(path, name) {
  return path.slice(0, path.length - basename2(path).length) + name;
}
function removeOtherParts(path, owner, names) {
  try {
    for (const name of names ?? namesIn(dirname2(path))) {
      if (!isPartOf(name, basename2(path))) continue;
      const isResumable = isResumablePart(name, basename2(path));
      const isOurs2 = (info) => isResumable ? isOnlyOf(info, owner) : isOwn(info, owner);
      try {
        removeIdlePart(siblingPath(path, name), isOurs2);
      } catch {
      }
    }
  } catch {
  }
}
function isUnder(path, file, here = file.statSync()) {
  const there = lstatOrNothing(path);
  if (there === void 0 || !there.isFile) return false;
  return here.ino !== null && there.ino !== null ? here.ino === there.ino && here.dev === there.dev : here.size === there.size && here.birthtime?.getTime() === there.birthtime?.getTime();
}
function namesIn(folder) {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name);
}
function removeIdlePart(path, isOurs2) {
  const info = lstatOrNothing(path);
  if (info === void 0 || !isOurs2(info)) return;
  using file = Deno.openSync(path, {
    read: true,
    write: true
  });
  if (file.tryLockSync(true) && isUnder(path, file)) Deno.removeSync(path);
}
function openLocked(path, mode, isWanted, { isNew: isFresh = false } = {}) {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const isFirst = isFresh && attempt === 1;
    const info = isFirst ? void 0 : lstatOrNothing(path);
    if (info !== void 0 && !isWanted(info)) return void 0;
    const isNew = info === void 0;
    const file = openUnlessLate(path, mode, isNew);
    if (file === void 0) continue;
    let isOurs2 = false;
    try {
      if (!isNew && !isWanted(file.statSync())) return void 0;
      if (!tryLock(file)) throw busyError2(path);
      isOurs2 = isFirst ? isLeft(path, file) : isUnder(path, file);
    } finally {
      if (!isOurs2) file.close();
    }
    if (isOurs2) return {
      file,
      isNew
    };
  }
  throw busyError2(path);
}
function isLeft(path, file) {
  const info = file.statSync();
  return (info.nlink ?? 0) > 0 || isUnder(path, file, info);
}
function openUnlessLate(path, mode, isNew) {
  const Late = isNew ? Deno.errors.AlreadyExists : Deno.errors.NotFound;
  try {
    return isNew ? openNew(path, mode) : Deno.openSync(path, {
      read: true,
      write: true
    });
  } catch (error) {
    if (error instanceof Late) return void 0;
    throw error;
  }
}
function tryLock(file) {
  try {
    return file.tryLockSync(true);
  } catch {
    return true;
  }
}
function busyError2(path) {
  return new Deno.errors.Busy(`Cannot write to ${quote(path)}: another download is writing to it; wait for it or use another name`);
}

// lib/files/plain_file.ts
init_node_module();
init_printable();
var PlainFile = class {
  #fd;
  /**
   * Opens a file without blocking, and checks what was opened.
   *
   * @throws {Deno.errors.InvalidData} If it is not a file, or not the one under
   * the path
   */
  constructor(path, plain) {
    plain.check();
    const fs = nodeModule("node:fs");
    const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;
    const noFollow = plain.follows ? 0 : O_NOFOLLOW;
    this.#fd = fs.openSync(path, O_RDONLY | O_NONBLOCK | noFollow);
    try {
      const here = fs.fstatSync(this.#fd);
      if (!here.isFile()) throw replacedError(path);
      plain.check();
      const there = plain.follows ? void 0 : lstatOrNothing(path);
      const isOther = there?.ino !== void 0 && there.ino !== null && (there.ino !== here.ino || there.dev !== here.dev);
      if (isOther || !plain.follows && there === void 0) {
        throw replacedError(path);
      }
    } catch (error) {
      fs.closeSync(this.#fd);
      throw error;
    }
  }
  /** Returns the current size and time of the file. */
  stat() {
    const { size, mtimeMs } = nodeModule("node:fs").fstatSync(this.#fd);
    return {
      size,
      mtime: new Date(Math.floor(mtimeMs))
    };
  }
  /** Reads from an offset to the end, `blocksize` bytes at most at once. */
  async *read(offset, blocksize) {
    const { readSync } = nodeModule("node:fs");
    const buffer2 = new Uint8Array(blocksize);
    for (let at = offset; ; ) {
      const n = readSync(this.#fd, buffer2, 0, blocksize, at);
      if (n === 0) return;
      at += n;
      yield buffer2.subarray(0, n);
    }
  }
  /** Closes the file. */
  [Symbol.dispose]() {
    nodeModule("node:fs").closeSync(this.#fd);
  }
};
function replacedError(path) {
  return new Deno.errors.InvalidData(`Cannot use ${quote(path)}: it was replaced during the mirror, and links and pipes are not followed; mirror again`);
}

// lib/files/download/part.ts
var HASH_LENGTH = 64;
var MOST_STATE = 16 * 1024;
var Part = class _Part {
  #target;
  #path;
  #isResumable;
  #file;
  #position;
  /**
   * An unfinished file that was left alone because it may belong to another
   * user.
   */
  #foreign;
  /** Whether no file had the target's name before. */
  #isNew = false;
  /** Whether old content has to be truncated before the first write. */
  #isStale = false;
  #isBegun = false;
  #isDone = false;
  constructor(target, path, isResumable, file, position) {
    this.#target = target;
    this.#path = path;
    this.#isResumable = isResumable;
    this.#file = file;
    this.#position = position;
  }
  /**
   * Opens a temporary file next to its target. A file that may belong to
   * another user is left alone; a new one is made, which cannot be resumed.
   *
   * @param mark Identifies the remote file, if the download may be resumed
   * @throws {LocalError} If another download is writing to it
   */
  static besideTarget(target, mark) {
    const name = basename3(target.path);
    const part = locally(() => inFolder(target, () => {
      let foreign;
      if (mark !== void 0) {
        const path2 = siblingPath(target.path, partName(name, mark, true));
        const file2 = openPart(path2);
        if (file2 !== void 0) {
          const info = file2.statSync();
          const isResumable = isOnlyOf(info, info.uid);
          return new _Part(target, path2, isResumable, file2, info.size);
        }
        foreign = path2;
      }
      const { path, file } = openRandomPart(target.path, modeMeanwhile(target.mode));
      const part2 = new _Part(target, path, false, file, 0);
      part2.#foreign = foreign;
      return part2;
    }));
    part.#checkPath();
    return part;
  }
  /**
   * Opens the target itself. Its content stays until the first new byte.
   *
   * @param facts Size and time of the remote file, to resume; `undefined` to
   * start over
   * @throws {LocalError} If another download is writing to it
   */
  static async inPlace(target, facts, signal) {
    const { path } = target;
    if (!target.isReplaceable) {
      const options = {
        write: true,
        create: true
      };
      const opening = () => openPipe(path, options, signal);
      return new _Part(target, path, false, await locallyAsync(opening), 0);
    }
    return locally(() => {
      const { file, isNew } = inFolder(target, () => openInPlace(path));
      const { size, mtime } = file.statSync();
      const written = mtime?.getTime() ?? 0;
      const isKept = facts !== void 0 && !isNew && size <= (facts.size ?? 0) && written >= (facts.latest ?? 0) && written <= Date.now() && isOurs(path, file);
      const part = new _Part(target, path, false, file, isKept ? size : 0);
      part.#isNew = isNew;
      part.#isStale = size > part.#position;
      part.#checkPath();
      return part;
    });
  }
  /** Path that the bytes are written to. */
  get path() {
    return this.#path;
  }
  /**
   * Path of an unfinished file that was left alone because it may belong to
   * another user.
   */
  get foreign() {
    return this.#foreign;
  }
  /** Whether the bytes can be read again: not from a device or pipe. */
  get isReadable() {
    return this.#target.isReplaceable;
  }
  /** Bytes of the remote file in this one. */
  get position() {
    return this.#position;
  }
  /**
   * Starts over. An old file stays unchanged until {@linkcode begin}, because
   * the server may have nothing better.
   */
  reset() {
    if (this.#position === 0) return;
    if (!this.#target.isReplaceable) {
      throw new LocalError(new Deno.errors.InvalidData(`Cannot write to ${quote(this.#path)} again: it is not a file`));
    }
    this.#position = 0;
    this.#isStale = true;
    if (this.#isBegun) this.#empty();
  }
  /** Truncates old content before the first new byte. */
  begin() {
    this.#isBegun = true;
    if (this.#isStale) this.#empty();
  }
  #empty() {
    locally(() => {
      this.#file.truncateSync(0);
      this.#file.seekSync(0, Deno.SeekMode.Start);
    });
    this.#isStale = false;
  }
  /** Reads the last bytes of the file. Writing continues after them. */
  tail(length) {
    return this.read(this.#position - length, length);
  }
  /** Reads bytes from an offset. Writing continues after them. */
  read(offset, length) {
    return locally(() => {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      const bytes2 = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const n = this.#file.readSync(bytes2.subarray(at));
        if (n === null) return bytes2.subarray(0, at);
        at += n;
      }
      return bytes2;
    });
  }
  /** Writes bytes at the end. They must not change until they are written. */
  async write(bytes2) {
    this.begin();
    for (let at = 0; at < bytes2.length; ) {
      const n = await this.#file.write(bytes2.subarray(at)).catch((error) => this.#fail(error));
      this.#position += n;
      at += n;
    }
  }
  /** Like {@linkcode write}, synchronously: for a few bytes. */
  writeSync(bytes2) {
    this.begin();
    for (let at = 0; at < bytes2.length; ) {
      let n;
      try {
        n = this.#file.writeSync(bytes2.subarray(at));
      } catch (error) {
        this.#fail(error);
      }
      this.#position += n;
      at += n;
    }
  }
  /** Writes bytes of a segment, synchronously. {@linkcode position} stays. */
  writeAt(offset, bytes2) {
    this.begin();
    try {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      for (let at = 0; at < bytes2.length; ) {
        at += this.#file.writeSync(bytes2.subarray(at));
      }
    } catch (error) {
      this.#fail(error);
    }
  }
  /** Declares that all bytes before an offset were written by {@linkcode writeAt}. */
  complete(size) {
    locally(() => {
      this.#file.truncateSync(size);
      this.#file.seekSync(size, Deno.SeekMode.Start);
    });
    this.#position = size;
  }
  /** Adds the state of the segments behind the bytes of the file. */
  keepState(size, state2) {
    const text = JSON.stringify(state2);
    this.writeAt(size, new TextEncoder().encode(sha256Of(text) + text));
  }
  /**
   * Removes the state that {@linkcode keepState} added, and returns it. Without
   * one the file is emptied: it may have holes.
   */
  takeState(size) {
    const length = locally(() => this.#file.statSync().size) - size;
    const bytes2 = length > HASH_LENGTH && length < MOST_STATE ? this.read(size, length) : new Uint8Array();
    const text = new TextDecoder().decode(bytes2);
    const state2 = text.slice(HASH_LENGTH);
    if (state2 === "" || sha256Of(state2) !== text.slice(0, HASH_LENGTH)) {
      this.reset();
      return void 0;
    }
    this.#position = 0;
    locally(() => this.#file.truncateSync(size));
    return JSON.parse(state2);
  }
  #fail(error) {
    const { path } = this.#target;
    throw new LocalError(withMessage(error, (message) => `Cannot write to ${quote(path)} after ${this.#position} bytes: ${message}`));
  }
  /** Hashes the file through the locked handle. */
  hash(hash, signal) {
    this.begin();
    return locallyAsync(() => hashOpenFile(this.#file, hash, signal));
  }
  /**
   * Sets the file's time. Fails silently if the file system does not support it
   * or another user owns the file.
   *
   * @returns The time, or `null` if the file does not have it
   */
  date(modified) {
    if (modified === null || !this.isReadable) return null;
    try {
      this.#file.utimeSync(/* @__PURE__ */ new Date(), modified);
      return modified;
    } catch {
      return null;
    }
  }
  /** Writes the file to disk. */
  async sync() {
    if (this.isReadable) await locallyAsync(() => this.#file.sync());
  }
  /**
   * Renames the file to the target.
   *
   * @param parts Unfinished files in the directory, which is read if they are
   * not known
   * @throws {LocalError} If that fails
   */
  commit(parts) {
    const { path, mode, isReplaceable } = this.#target;
    const info = locally(() => this.#file.statSync());
    if (isReplaceable && info.size !== this.#position) {
      throw new LocalError(new Deno.errors.InvalidData(`Cannot download to ${quote(path)}: the local file has ${info.size} bytes instead of ${this.#position}, as if another program had written to it; download again`));
    }
    if (this.#path !== path) {
      locally(() => {
        try {
          this.#takePlace(path, mode, info);
        } catch (error) {
          throw placementError(path, error);
        }
      });
      this.#isDone = true;
      removeOtherParts(path, info.uid, parts);
    } else if (isReplaceable && !locally(() => isUnder(path, this.#file, info))) {
      throw new LocalError(new Deno.errors.NotFound(`Cannot download to ${quote(path)}: the file was removed or replaced during the download; download again`));
    }
    this.#isDone = true;
  }
  /** Checks the path of the file before anything is written. */
  #checkPath() {
    const { check } = this.#target;
    if (check === void 0) return;
    try {
      locally(() => {
        check();
        if (!isUnder(this.#path, this.#file)) throw replacedError(this.#path);
      });
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }
  /** Renames the file, after its permissions are final. */
  #takePlace(path, mode, info) {
    if (mode !== void 0 || this.#isResumable) {
      const fresh = this.#isResumable && Deno.build.os !== "windows" ? newFileBeside(path, modeMeanwhile(mode)) : void 0;
      keepMode(this.#path, info, mode, fresh);
    }
    this.#target.check?.();
    if (!isUnder(this.#path, this.#file, info)) {
      throw new Deno.errors.NotFound(`${quote(this.#path)} was removed or replaced during the download; download again`);
    }
    Deno.renameSync(this.#path, path);
  }
  /**
   * Closes the file. Removes it unless it was committed, is kept, or is a
   * target with content.
   */
  close(isKept) {
    try {
      const isPart2 = this.#path !== this.#target.path || this.#isNew && this.#position === 0;
      const stays = isKept && this.#isResumable;
      const mayRemove = isPart2 && !this.#isDone && !stays;
      if (mayRemove && isUnder(this.#path, this.#file)) {
        Deno.removeSync(this.#path);
      }
    } catch {
    }
    this.#file.close();
  }
};
function isOurs(path, file) {
  try {
    return isOnlyOf(file.statSync(), newFileBeside(path).uid);
  } catch {
    return false;
  }
}
function inFolder(target, open2) {
  try {
    target.check?.();
    return open2();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot download to ${quote(target.path)}: the folder "${dirname3(target.path)}" does not exist`, {
      cause: error
    });
  }
}

// lib/files/progress.ts
init_waiting();
var LEAST_BLOCK = 1024;
var BURST = 100;
var EVEN = 20;
var SMOOTHING = 0.3;
var RateLimiter = class {
  #rate;
  #due = 0;
  /**
   * Creates a limiter.
   *
   * @param rate Bytes a second
   * @throws {RangeError} If it is not positive
   */
  constructor(rate = Infinity) {
    this.#rate = checkRate("maxRate", rate);
  }
  /** Whether there is no limit. */
  get isFree() {
    return this.#rate === Infinity;
  }
  /** Bytes to read or write at once for an even rate. */
  get blocksize() {
    return Math.max(LEAST_BLOCK, Math.ceil(this.#rate * EVEN / 1e3));
  }
  /** Counts transferred bytes. Returns a pause if they exceed the limit. */
  keep(bytes2, signal) {
    if (this.isFree) return void 0;
    const now = performance.now();
    this.#due = Math.max(this.#due, now - BURST) + bytes2 * 1e3 / this.#rate;
    return this.#due > now ? delay(this.#due - now, signal) : void 0;
  }
};
var ProgressTracker = class {
  /** Bytes of the file transferred. */
  position = 0;
  /** Size of the file in bytes, if it is known. */
  total = null;
  /** Bytes transferred, including repetitions. */
  moved = 0;
  #options;
  #block;
  #limiter;
  #interval;
  #listener = new Listener((fault) => new LocalError(fault));
  #reportedAt = performance.now();
  #reportedBytes = 0;
  #rate = 0;
  #isFinished = false;
  /**
   * Creates a tracker.
   *
   * @param options Callback and limits
   * @param block Best block size, in bytes
   * @param limiter The limiter, if it is shared
   * @throws {RangeError} If a rate is not positive
   */
  constructor(options, block, limiter = new RateLimiter(options.maxRate)) {
    this.#options = options;
    this.#block = block;
    this.#limiter = limiter;
    const { progressRate = 10 } = options;
    this.#interval = 1e3 / checkRate("progressRate", progressRate);
  }
  /** Bytes to read or write at once. */
  get blocksize() {
    return Math.min(this.#block, this.#limiter.blocksize);
  }
  /** Whether no rate limit applies. */
  get isFree() {
    return this.#limiter.isFree;
  }
  /** Counts transferred bytes. Returns a pause if they exceed the limit. */
  add(bytes2) {
    this.position += bytes2;
    this.moved += bytes2;
    if (this.#options.onProgress !== void 0 && !this.#isFinished) {
      this.#listener.check();
      const now = performance.now();
      if (now - this.#reportedAt >= this.#interval) this.#report(now, false);
    }
    return this.#limiter.keep(bytes2, this.#options.signal);
  }
  /** Reports, once, that all bytes were transferred. */
  async finish() {
    if (this.#options.onProgress === void 0 || this.#isFinished) return;
    this.#isFinished = true;
    this.#report(performance.now(), true);
    await this.#listener.settle();
  }
  #report(now, done) {
    const elapsed = now - this.#reportedAt;
    const latest = (this.moved - this.#reportedBytes) * 1e3 / Math.max(elapsed, 1);
    this.#rate = this.#rate === 0 ? latest : SMOOTHING * latest + (1 - SMOOTHING) * this.#rate;
    this.#reportedAt = now;
    this.#reportedBytes = this.moved;
    const left = done ? 0 : this.total === null ? NaN : this.total - this.position;
    const eta = left * 1e3 / this.#rate;
    const progress = {
      transferred: this.position,
      total: this.total,
      rate: Math.round(this.#rate),
      eta: left === 0 ? 0 : Number.isFinite(eta) ? Math.max(0, Math.ceil(eta)) : null,
      done
    };
    this.#listener.call(() => this.#options.onProgress?.(progress));
  }
};
function checkRate(name, value) {
  if (value > 0) return value;
  throw new RangeError(`Cannot use ${name} ${value}: it must be a positive number`);
}

// lib/files/resume.ts
init_bytes();
var OVERLAP = 64 * 1024;
var UNSUITABLE = [
  500,
  501,
  502,
  503,
  504,
  554
];
var RESTART_REGEXP2 = /\b(restart|resum|append)/i;
function isRestRefused(error) {
  if (!isRefusal(error)) return false;
  if (error.command?.startsWith("REST")) {
    return !(error instanceof FTPTemporaryError);
  }
  const { code, text } = error.reply;
  return UNSUITABLE.includes(code) || RESTART_REGEXP2.test(text);
}
async function isSameStart(transfer, expected, options) {
  const bytes2 = new Uint8Array(expected.length);
  let at = 0;
  try {
    while (at < bytes2.length) {
      const n = await transfer.data.read(bytes2.subarray(at));
      if (n === null) return false;
      at += n;
    }
  } catch (error) {
    throw await transfer.failed(error, options);
  }
  return isEqual(bytes2, expected);
}
async function isAtEnd(transfer, options) {
  try {
    return await transfer.data.read(new Uint8Array(1)) === null;
  } catch (error) {
    throw await transfer.failed(error, options);
  }
}
async function isSameFile(transfer, chunks, options) {
  for await (const chunk of chunks) {
    if (await isSameStart(transfer, chunk, options)) continue;
    await transfer.abort();
    return false;
  }
  const isWhole = await isAtEnd(transfer, options);
  if (isWhole) await transfer.finish(options);
  else await transfer.abort();
  return isWhole;
}

// lib/files/download/remove_source.ts
init_printable();
import { dirname as dirname4 } from "node:path";

// lib/files/leftovers.ts
async function isThere(session, path, { signal }) {
  for (const ask3 of [
    async () => await session.shared((turn) => requestBinarySize(turn, path, {
      signal
    }), {
      signal
    }) !== null || void 0,
    () => existsPath(session, path, {
      signal
    })
  ]) {
    try {
      const isFound = await ask3();
      if (isFound !== void 0) return isFound;
    } catch (error) {
      const isRefused = isRefusal(error) && !session.isLost;
      if (!isRefused) throw error;
    }
  }
  return void 0;
}
async function deleteAll2(session, paths, { signal } = {}) {
  const deleting = paths.map((path) => session.shared((turn) => deleteFile(turn, path, {
    signal
  }), {
    signal
  }));
  const outcomes = await Promise.allSettled(deleting);
  return outcomes.map((outcome) => outcome.status === "fulfilled" ? void 0 : outcome.reason);
}

// lib/files/download/remove_source.ts
async function removeSource(provider, file, options) {
  locally(() => syncFolder(file.local));
  let isSent = false;
  await withRecovery(provider, options, () => file.size, async () => {
    const { session } = provider;
    const isRemoved = isSent && await isThere(session, file.remote, options) === false;
    if (isRemoved) return;
    await checkUnchanged(session, file, options);
    isSent = true;
    await deleteSource(session, file.remote, options);
  });
}
async function checkUnchanged(session, { remote, local, size, shown }, options) {
  const now = await requestFacts(session, remote, options);
  const isSameTime2 = now.shown?.getTime() === shown?.getTime();
  if (now.size !== size || !isSameTime2) {
    const [what, actual, expected] = now.size !== size ? [
      "size",
      now.size,
      size
    ] : [
      "mtime",
      now.shown?.toISOString(),
      shown?.toISOString()
    ];
    throw new LocalError(new FTPVerificationError(`Cannot remove ${quote(remote)} after its download: ${now.size === null ? "the server reports no size, so it may be missing or changed" : "it changed meanwhile"}`, {
      what,
      actual: actual ?? "unknown",
      expected: expected ?? "unknown"
    }));
  }
  const here = locally(() => Deno.statSync(local).size);
  if (here === size) return;
  throw new LocalError(new FTPVerificationError(`Cannot remove ${quote(remote)} after its download: the local file ${quote(local)} changed meanwhile`, {
    what: "size",
    actual: here,
    expected: size
  }));
}
async function deleteSource(session, remote, options) {
  try {
    await session.shared((turn) => deleteFile(turn, remote, options), options);
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    throw withMessage(error, (message) => `Cannot remove ${quote(remote)} after its download: ${message}`);
  }
}
function syncFolder(path) {
  if (Deno.build.os === "windows") return;
  const folder = dirname4(path);
  try {
    using file = Deno.openSync(folder);
    file.syncSync();
  } catch (error) {
    if (/\(os error 22\)/.test(String(error))) return;
    throw withMessage(error, (message) => `Cannot write the folder ${quote(folder)} to disk: ${message}`);
  }
}

// lib/files/download/segments.ts
init_waiting();
init_printable();

// lib/files/restart_proof.ts
init_printable();

// lib/files/request_size.ts
async function requestSize2(session, path, options) {
  return await session.pastHangUps(() => session.shared((turn) => requestBinarySize(turn, path, options), options), options);
}

// lib/files/restart_proof.ts
async function proveRestart(session, path, start, options) {
  const { profile } = session;
  if (profile.startsAt(start)) return;
  const size = await requestSize2(session, path, options);
  if (size === null || size === 0) return;
  const at = Math.max(size - 1, 1);
  const transfer = await openAt(session, "RETR", path, at, options);
  const count = await countToTwo(transfer, options);
  if (count <= size - at) {
    if (count === 1) profile.noteStart(at);
    return;
  }
  if (count === 2) await transfer.abort();
  if (await requestSize2(session, path, options) !== size) return;
  throw new Deno.errors.NotSupported(`Cannot read ${quote(textOfPath(session, path))} from an offset: the server accepts REST, but ignores it; download the whole file`);
}
async function countToTwo(transfer, options) {
  const byte = new Uint8Array(1);
  for (let count = 0; count < 2; count++) {
    let n;
    try {
      n = await transfer.data.read(byte);
    } catch (error) {
      await transfer.endAfter(error, options);
      return count;
    }
    if (n !== null) continue;
    await transfer.finish(options);
    return count;
  }
  return 2;
}

// lib/files/download/segments.ts
var LEAST_SEGMENT = 1024 * 1024;
var MOST_SEGMENTS = 64;
var BLOCK_SIZE2 = 256 * 1024;
function segmentCount(size, asked) {
  return size === null ? 1 : Math.min(asked, Math.floor(size / LEAST_SEGMENT));
}
var Segments = class _Segments {
  size;
  #count;
  #segments;
  /** Fulfilled when all forks of a complete download are closed. */
  closed;
  constructor(size, ranges) {
    this.size = size;
    this.#count = ranges.length;
    this.#segments = ranges.map(([origin, start, end]) => ({
      origin,
      start,
      end,
      isTaken: false
    }));
  }
  /** Splits a file into segments of equal size. */
  static cut(size, count) {
    const edge = (index) => Math.floor(size * index / count);
    return new _Segments(size, Array.from({
      length: count
    }, (_, i) => [
      edge(i),
      edge(i),
      edge(i + 1)
    ]));
  }
  /**
   * Restores the segments of an earlier call. The last byte of a complete one is
   * missing again, so that the bytes before it are compared. Returns `undefined`
   * for ranges that do not cover the file.
   */
  static restore(size, ranges) {
    if (!Array.isArray(ranges) || ranges.length > MOST_SEGMENTS) return;
    let edge = 0;
    const restored = [];
    for (const range2 of ranges) {
      if (!isRange(range2) || range2[0] !== edge) return;
      const [origin, start, end] = range2;
      restored.push([
        origin,
        Math.min(start, Math.max(origin, end - 1)),
        end
      ]);
      edge = end;
    }
    return edge === size ? new _Segments(size, restored) : void 0;
  }
  /** Bytes of the file that were received. */
  get received() {
    return this.#segments.reduce((sum, { origin, start }) => sum + start - origin, 0);
  }
  /** The state to restore later. */
  get ranges() {
    return this.#segments.map(({ origin, start, end }) => [
      origin,
      start,
      end
    ]);
  }
  /** Whether no byte is missing. */
  get isComplete() {
    return this.#segments.every(({ start, end }) => start === end);
  }
  /**
   * Downloads the missing bytes. The client's own connection takes the last
   * segment. The others are forks: if the server refuses one, the connections
   * that exist do its work.
   *
   * @throws {FTPVerificationError} If the file changed
   */
  async fetch(provider, context) {
    const stop2 = new AbortController();
    const { signal } = context.options;
    const own = {
      ...context,
      options: {
        ...context.options,
        signal: anySignal(stop2.signal, signal)
      }
    };
    const forks = Array.from({
      length: this.#count - 1
    }, () => this.#fetchByFork(provider, own));
    try {
      await this.#fetchAll(provider, context, "last");
      let failure3;
      for (const { received } of forks) failure3 ??= await received;
      await this.#fetchAll(provider, context);
      if (!this.isComplete) throw failure3.error;
      this.closed = Promise.all(forks.map(({ closed }) => closed));
    } catch (error) {
      stop2.abort(error);
      await Promise.all(forks.map(({ closed }) => closed));
      throw error;
    }
  }
  /** Downloads segments on another connection, until all are taken. */
  #fetchByFork(provider, context) {
    const { promise: received, resolve: resolve2 } = Promise.withResolvers();
    const isLast = () => {
      if (this.#segments.some(isFree)) return false;
      resolve2(void 0);
      return true;
    };
    const work = async () => {
      try {
        await using fork = await provider.fork(context.options);
        await this.#fetchAll(fork, {
          ...context,
          isLast
        });
        resolve2(void 0);
      } catch (error) {
        resolve2({
          error
        });
      }
    };
    return {
      received,
      closed: work()
    };
  }
  /** Downloads segments until all are taken. */
  async #fetchAll(provider, context, begin2 = "first") {
    const { signal } = context.options;
    let order = begin2;
    for (let segment; (segment = this.#take(order)) !== void 0; ) {
      order = "first";
      try {
        await provider.session.ready(signal, {
          isForced: true
        });
      } catch (error) {
        segment.isTaken = false;
        throw error;
      }
      if (await this.#fetchFrom(provider.session, segment, context)) return;
    }
  }
  #take(order) {
    const segment = order === "first" ? this.#segments.find(isFree) : this.#segments.findLast(isFree);
    if (segment !== void 0) segment.isTaken = true;
    return segment;
  }
  /** Returns the next segment, if no connection has started it. */
  #takeNext({ end }) {
    const next = this.#segments.find(({ origin }) => origin === end);
    if (next === void 0 || next.isTaken || next.start > end) return;
    next.isTaken = true;
    return next;
  }
  /**
   * Downloads a segment, and the following ones that no other connection has
   * started.
   *
   * @returns Whether the connection must not take another segment
   */
  async #fetchFrom(session, segment, context) {
    const { remote, part, options } = context;
    let current = segment;
    try {
      const overlap = Math.min(OVERLAP, segment.start - segment.origin);
      const start = segment.start - overlap;
      const transfer = await openAt(session, "RETR", remote, start, options);
      await using alive = keepAlive(session, transfer, options);
      const expected = part.read(start, overlap);
      if (!await isSameStart(transfer, expected, options)) {
        await transfer.abort();
        throw new FTPVerificationError(`Cannot resume the download of ${quote(remote)}: the bytes before ${segment.start} differ`, {
          what: "overlap",
          expected: "equal bytes",
          actual: "others"
        });
      }
      while (true) {
        await receive2(transfer, current, context);
        const next = this.#takeNext(current);
        if (next === void 0) break;
        current.isTaken = false;
        current = next;
      }
      if (current.end < this.size) {
        if (context.isLast?.()) {
          const reason = new Deno.errors.Interrupted("all segments are here");
          session.control.fail(reason);
          transfer.data.fail(reason);
          return true;
        }
        await transfer.abort();
        return false;
      }
      alive.stop();
      if (await isAtEnd(transfer, options)) {
        await awaitConfirmation(transfer, this.size, this.size, options);
        return false;
      }
      await transfer.abort();
      if (start > 0) await proveRestart(session, remote, start, options);
      return false;
    } finally {
      current.isTaken = false;
    }
  }
};
function isFree({ isTaken, start, end }) {
  return !isTaken && start < end;
}
async function receive2(transfer, segment, { part, tracker, remote, options }) {
  const buffer2 = new Uint8Array(Math.min(BLOCK_SIZE2, tracker.blocksize));
  try {
    while (segment.start < segment.end) {
      const room = buffer2.subarray(0, segment.end - segment.start);
      const n = await transfer.data.read(room);
      if (n === null) break;
      part.writeAt(segment.start, buffer2.subarray(0, n));
      segment.start += n;
      const wait = tracker.add(n);
      if (wait !== void 0) await wait;
    }
  } catch (error) {
    throw await transfer.failed(error, options);
  }
  if (segment.start === segment.end) return;
  await transfer.finish({
    signal: options.signal
  });
  throw new FTPVerificationError(`Cannot verify the download of ${quote(remote)}`, {
    what: "size",
    expected: segment.end,
    actual: segment.start
  });
}
function isRange(value) {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [origin, start, end] = value;
  return value.every(Number.isSafeInteger) && origin >= 0 && start >= origin && start <= end;
}

// lib/files/download/verify.ts
init_printable();
async function verifyDownload(session, downloaded, { verify, signal }) {
  const { remote, part, facts, announced } = downloaded;
  if (part.position < (facts.size ?? announced ?? 0)) {
    throw differs(downloaded, "size", facts.size ?? announced, part.position);
  }
  if (facts.size !== null) await checkAgain(session, downloaded, {
    signal
  });
  if (verify === "hash" && part.isReadable) {
    const hashes = await hashBoth(session, remote, {
      size: part.position,
      signal
    }, (hash, signal2) => part.hash(hash, signal2));
    if (hashes !== void 0) {
      const { name, local, remote: remote2 } = hashes;
      if (local !== remote2) throw notResumable(downloaded, name, remote2, local);
      return name;
    }
  }
  const isSized = facts.size !== null || part.position === announced;
  return isSized ? "size" : null;
}
async function checkAgain(session, downloaded, options) {
  const { remote, part: { position }, facts, isSlow } = downloaded;
  if (position > facts.size) {
    const size2 = await session.shared((turn) => requestBinarySize(turn, remote, options), options);
    if (position <= (size2 ?? 0)) return;
    throw notResumable(downloaded, "size", size2 ?? facts.size, position);
  }
  if (!isSlow || facts.shown === null) return;
  const { size, shown } = await requestFacts(session, remote, options);
  if (size === null) return;
  if (size < position) throw notResumable(downloaded, "size", size, position);
  if (size > position || shown === null) return;
  if (shown.getTime() === facts.shown.getTime()) return;
  throw notResumable(downloaded, "mtime", facts.shown.toISOString(), shown.toISOString(), `Cannot download ${quote(remote)}: the file on the server changed during the transfer`);
}
function notResumable(downloaded, what, expected, actual, message) {
  downloaded.part.reset();
  return differs(downloaded, what, expected, actual, message);
}
function differs({ remote }, what, expected, actual, message = `Cannot verify the download of ${quote(remote)}`) {
  return new FTPVerificationError(message, {
    what,
    expected,
    actual
  });
}

// lib/files/download/write_behind.ts
var WriteBehind = class {
  #part;
  #failed = Promise.withResolvers();
  #fault;
  #buffer;
  #spare;
  #isShared;
  #filled = 0;
  #writing;
  /**
   * Creates the buffers.
   *
   * @param size Size of one buffer, in bytes
   * @param isWhole Whether one buffer holds all bytes: it is then written
   * synchronously, which is fastest
   */
  constructor(part, size, isWhole) {
    this.#part = part;
    this.#isShared = isWhole && size === SHARED_SIZE;
    this.#buffer = this.#isShared ? borrowBuffer() : new Uint8Array(size);
    if (!isWhole) this.#spare = new Uint8Array(size);
    this.#failed.promise.catch(() => {
    });
  }
  /** Rejects with a {@linkcode LocalError} when a write has failed. */
  get failed() {
    return this.#failed.promise;
  }
  /** Buffer for the next bytes. Never empty. */
  get room() {
    return this.#filled === 0 ? this.#buffer : this.#buffer.subarray(this.#filled);
  }
  /**
   * Accepts bytes that were put into {@linkcode room}. Returns a promise if the
   * caller has to wait.
   *
   * @throws {LocalError} If they cannot be written
   */
  take(length) {
    this.#filled += length;
    if (this.#spare === void 0) {
      this.#part.writeSync(this.#buffer.subarray(0, length));
      this.#filled = 0;
      return void 0;
    }
    if (this.#writing === void 0) return void this.#begin();
    return this.#filled < this.#buffer.length ? void 0 : this.#writing.then(() => this.#begin());
  }
  /**
   * Waits until all bytes are written.
   *
   * @throws {LocalError} If they cannot be written
   */
  async flush() {
    await this.#writing;
    this.#begin();
    await this.#writing;
    if (this.#fault !== void 0) throw this.#fault;
  }
  /** Ends after all bytes were read and written. */
  close() {
    if (this.#isShared) returnBuffer(this.#buffer);
  }
  #begin() {
    if (this.#fault !== void 0) throw this.#fault;
    if (this.#spare === void 0 || this.#filled === 0) return;
    const bytes2 = this.#buffer.subarray(0, this.#filled);
    [this.#buffer, this.#spare] = [
      this.#spare,
      this.#buffer
    ];
    this.#filled = 0;
    this.#writing = this.#write(bytes2);
  }
  async #write(bytes2) {
    try {
      await this.#part.write(bytes2);
    } catch (fault) {
      this.#fault = fault;
      this.#failed.reject(fault);
    }
    this.#writing = void 0;
  }
};

// lib/files/download/download.ts
var BLOCK_SIZE3 = 1024 * 1024;
var MOST_HANG_UPS = 2;
var LEAST_BLOCK2 = SHARED_SIZE;
var SHORT2 = 64 * 1024;
var DISK_GRACE = 5e3;
var RECHECK_AFTER = 1e3;
function download(provider, remote, local, options, limits = {}) {
  const ahead = new AskedAhead((turn) => requestFactsIn(turn, remote));
  return runOperation(provider, options, (options2) => new Download(provider, remote, options2, {
    ...limits,
    ahead
  }).run(local), ahead.ask);
}
var Download = class {
  #provider;
  #remote;
  #options;
  #tracker;
  #parts;
  #check;
  #meant;
  #onEnding;
  #ahead;
  #facts;
  #part;
  /** Why {@linkcode #openMeanwhile} opened no temporary file. */
  #obstacle;
  #segments;
  #retries = {
    count: 0
  };
  #canRestart = true;
  /** Connections in a row that ended at `REST`. */
  #hangUps = 0;
  #isTooLarge = false;
  /** Size in the reply that opened the transfer, if there is no SIZE. */
  #announced = null;
  /** Whether the data took so long that the file may have changed. */
  #isSlow = false;
  /** Whether the size may be that of data that is not compressed. */
  #isAmbiguous = false;
  /** Whether the data must not be compressed. */
  #isPlain = false;
  constructor(provider, remote, options, { limiter, parts, check, meant, onEnding, ahead }) {
    checkTransferOptions(options);
    this.#provider = provider;
    this.#remote = remote;
    this.#options = options;
    this.#parts = parts;
    this.#check = check;
    this.#meant = meant;
    this.#onEnding = onEnding;
    this.#ahead = ahead;
    const { maxSize = Infinity } = options;
    if (!(maxSize >= 0)) {
      throw new RangeError(`Cannot download ${quote(remote)}: "maxSize" must be a non-negative number, not ${maxSize}`);
    }
    const { segments } = options;
    if (segments === 0 || segments === Infinity) {
      throw new RangeError(`Cannot download ${quote(remote)}: "segments" must be 1 to ${MOST_SEGMENTS}, not ${segments}`);
    }
    checkNumber("segments", segments, {
      isInteger: true,
      most: MOST_SEGMENTS
    });
    this.#tracker = new ProgressTracker(options, BLOCK_SIZE3, limiter);
  }
  /** Bytes of the file that were received. */
  get #position() {
    return this.#segments?.received ?? this.#part?.position ?? 0;
  }
  async run(local) {
    const target = this.#check === void 0 ? resolveTarget(local) : plainTarget(String(local), this.#check);
    const isMove2 = this.#options.removeSource === true;
    if (isMove2 && !target.isReplaceable) {
      throw new TypeError(`Cannot download to ${quote(target.path)} with "removeSource": it is not a file, so the data cannot be verified`);
    }
    const result = await this.#fetchTo(target);
    if (isMove2) {
      await removeSource(this.#provider, {
        remote: this.#remote,
        local: target.path,
        size: result.size,
        shown: this.#facts?.shown ?? null
      }, this.#options);
    }
    return result;
  }
  /** Creates the local file, or leaves the existing one. */
  async #fetchTo(target) {
    let isKept = false;
    try {
      const result = await withRecovery(this.#provider, countingRetries(this.#options, this.#retries), () => this.#position, () => {
        const { ticker } = this.#provider.session.control;
        return ticker.during(() => this.#attempt(target));
      });
      return result;
    } catch (error) {
      isKept = this.#options.resume === true && this.#isProvable && this.#position > 0 && !this.#isTooLarge && !(error instanceof FTPVerificationError);
      if (isKept) this.#keepSegments();
      if (this.#options.signal?.aborted) throw error;
      throw afterAttempts(error, `Cannot download ${quote(this.#remote)}`, {
        retries: this.#retries.count,
        bytes: this.#position,
        size: this.#tracker.total
      });
    } finally {
      await this.#segments?.closed;
      this.#part?.close(isKept);
    }
  }
  async #attempt(target) {
    const { session } = this.#provider;
    const { signal, verify = "size", mtime = true } = this.#options;
    const { sync, removeSource: removeSource2 } = this.#options;
    const facts = await this.#inspect(session, target);
    const part = this.#part ??= await this.#open(session, target, facts);
    await this.#fetch(session, part, facts);
    if (this.#isAmbiguous && verify !== "none" && part.isReadable) {
      this.#isPlain = true;
      part.reset();
      await this.#fetch(session, part, facts);
    }
    const verified = verify === "none" ? null : await verifyDownload(session, {
      remote: this.#remote,
      part,
      facts,
      announced: this.#announced,
      isSlow: this.#isSlow
    }, this.#options).catch((error) => {
      throw explainCompression(session, error);
    });
    if (verified !== null && !this.#isAmbiguous) {
      noteDecompressed(session, true);
    }
    const { total } = this.#tracker;
    if (total !== null) this.#tracker.total = Math.max(total, part.position);
    part.begin();
    const meant = this.#meant?.(facts.shown) ?? facts.modified;
    const modified = mtime ? part.date(meant) : null;
    if (sync || removeSource2) await abortable(part.sync(), signal);
    await this.#tracker.finish();
    const isBeside = part.path !== target.path;
    const parts = isBeside ? await this.#partsBeside(target) : void 0;
    signal?.throwIfAborted();
    part.commit(parts);
    return {
      size: part.position,
      bytes: this.#tracker.moved,
      verified: this.#isAmbiguous && verified === "size" ? null : verified,
      mtime: modified,
      retries: this.#retries.count
    };
  }
  /**
   * Lists unfinished files next to the target. They may be abandoned, or
   * earlier versions by this client.
   */
  async #partsBeside({ path }) {
    if (this.#options.resume) return this.#parts;
    return this.#parts ?? await this.#provider.partsSeen.beside(path);
  }
  /** Requests size and time, and discards the data of another version. */
  async #inspect(session, target) {
    const facts = await this.#ahead.take(session, this.#options) ?? await this.#ask(session, target);
    const before = this.#facts;
    this.#facts = facts;
    this.#tracker.total = facts.size ?? this.#announced;
    const isSame = before?.size === facts.size && before?.shown?.getTime() === facts.shown?.getTime();
    if (!isSame || !this.#isProvable) {
      this.#part?.reset();
      this.#segments = void 0;
    }
    const { maxSize = Infinity } = this.#options;
    if ((facts.size ?? 0) > maxSize) {
      throw this.#tooLarge(`it has ${facts.size} bytes, "maxSize" is ${maxSize}`);
    }
    return facts;
  }
  /** Asks for size, time and port in one round trip. */
  async #ask(session, target) {
    const asked = requestFacts(session, this.#remote, this.#options);
    requestAhead(session, this.#options);
    await Promise.resolve();
    this.#openMeanwhile(target);
    return await asked;
  }
  /** Creates the temporary file while the server answers, if it has no mark. */
  #openMeanwhile(target) {
    const { resume = false, atomic = true } = this.#options;
    const isPlain2 = atomic && !resume && target.isReplaceable;
    if (!isPlain2 || this.#part !== void 0) return;
    this.#obstacle = void 0;
    try {
      this.#part = Part.besideTarget(target, void 0);
    } catch (error) {
      this.#obstacle = error;
    }
  }
  /** Whether size or time can identify this version of the file. */
  get #isProvable() {
    return (this.#facts?.size ?? this.#facts?.modified ?? null) !== null;
  }
  async #open(session, target, facts) {
    const { resume = false, atomic = true, signal } = this.#options;
    if (this.#obstacle !== void 0) throw this.#obstacle;
    if (!atomic || !target.isReplaceable) {
      return await Part.inPlace(target, resume ? facts : void 0, signal);
    }
    const mark = resume && this.#isProvable ? await this.#mark(session, facts) : void 0;
    const part = Part.besideTarget(target, mark);
    const { foreign } = part;
    if (foreign !== void 0) {
      session.control.tell(() => printable(`not resumed: ${quote(foreign)} may belong to another user`));
    }
    return part;
  }
  /**
   * Identifies the file and its version, for the name of an unfinished file.
   */
  async #mark(session, facts) {
    const isAbsolute2 = this.#remote.startsWith("/");
    const directory = isAbsolute2 ? "" : session.state.directory ?? await session.shared((turn) => requestDirectory(turn, this.#options), this.#options);
    const text = JSON.stringify([
      this.#provider.origin,
      directory,
      this.#remote,
      facts.size,
      facts.shown,
      ...this.#isSegmented(facts) ? [
        "segments"
      ] : []
    ]);
    return sha256Of(text).slice(0, 16);
  }
  /** Whether the file is downloaded in several segments. */
  #isSegmented({ size }) {
    const { segments = 1, atomic = true } = this.#options;
    return this.#canRestart && atomic && segmentCount(size, segments) > 1;
  }
  /**
   * Downloads the missing segments.
   *
   * @returns Whether it did; the server may refuse offsets
   */
  async #fetchSegments(part, size) {
    const { segments: asked = 1 } = this.#options;
    await this.#segments?.closed;
    const isSpoiled = this.#segments?.isComplete && part.position !== size;
    if (isSpoiled) this.#segments = void 0;
    const isResumed = this.#segments === void 0 && part.position > 0;
    const kept = isResumed ? part.takeState(size) : void 0;
    const segments = this.#segments ??= Segments.restore(size, kept) ?? Segments.cut(size, segmentCount(size, asked));
    this.#tracker.position = segments.received;
    try {
      if (!segments.isComplete) {
        await segments.fetch(this.#provider, {
          remote: this.#remote,
          part,
          tracker: this.#tracker,
          options: this.#options
        });
      }
    } catch (error) {
      const isRefused = isRestRefused(error) || error instanceof Deno.errors.NotSupported;
      if (isRefused || error instanceof FTPVerificationError) {
        this.#segments = void 0;
        part.complete(0);
      }
      if (!isRefused) throw error;
      this.#canRestart = false;
      return false;
    }
    part.complete(size);
    this.#isSlow = true;
    return true;
  }
  #keepSegments() {
    const segments = this.#segments;
    if (segments !== void 0) {
      this.#part?.keepState(segments.size, segments.ranges);
    }
  }
  /** Downloads the missing bytes. */
  async #fetch(session, part, facts) {
    const isWhole = facts.size !== null && part.isReadable && this.#isSegmented(facts) && await this.#fetchSegments(part, facts.size);
    if (isWhole) return;
    if (part.position > 0) {
      if (this.#canRestart && await this.#resume(session, part, facts)) return;
      part.reset();
    }
    const transfer = await this.#retrieve(session, 0);
    this.#announced = transfer.size;
    this.#tracker.total = facts.size ?? transfer.size;
    await this.#receive(transfer, part, facts);
  }
  /**
   * Resumes at the end of the unfinished file, if its end matches the server's
   * file.
   */
  async #resume(session, part, facts) {
    const overlap = Math.min(OVERLAP, part.position);
    const start = part.position - overlap;
    let transfer;
    try {
      transfer = await this.#retrieve(session, start);
      this.#hangUps = 0;
    } catch (error) {
      if (session.control.lostOver?.verb === "REST") {
        this.#canRestart = ++this.#hangUps < MOST_HANG_UPS;
      }
      if (!isRestRefused(error)) throw error;
      this.#canRestart = false;
      return false;
    }
    if (!await isSameStart(transfer, part.tail(overlap), this.#options)) {
      await transfer.abort();
      return false;
    }
    await this.#receive(transfer, part, facts);
    return true;
  }
  async #retrieve(session, start) {
    const { signal } = this.#options;
    const isPlain2 = this.#isPlain;
    return await openAt(session, "RETR", this.#remote, start, {
      signal,
      isPlain: isPlain2
    });
  }
  /** Receives the data and the final reply. */
  async #receive(transfer, part, facts) {
    const began = performance.now();
    this.#tracker.position = part.position;
    await using alive = keepAlive(this.#provider.session, transfer, this.#options);
    const rest = (facts.size ?? Infinity) - part.position;
    const size = Math.min(this.#tracker.blocksize, Math.max(rest, LEAST_BLOCK2));
    const isWhole = rest <= size && part.isReadable;
    if (rest <= SHORT2) this.#onEnding?.();
    const writer = new WriteBehind(part, size, isWhole);
    const reading = this.#read(transfer, writer, part.position);
    try {
      const ended = Promise.race([
        reading,
        writer.failed
      ]);
      await abortable(ended, this.#options.signal);
    } catch (error) {
      const { signal } = this.#options;
      const flushing = reading.catch(() => writer.flush()).catch(() => {
      });
      const isFlushed = settle(flushing.then(() => true), DISK_GRACE);
      const isBroken = error === transfer.data.failure && !signal?.aborted;
      if (isBroken) await isFlushed;
      const isWhole2 = isBroken && part.position === (facts.size ?? this.#announced);
      const failure3 = await transfer.endAfter(error, {
        signal,
        isWhole: isWhole2
      }).then(() => void 0, (cause2) => ({
        cause: cause2
      }));
      if (failure3 === void 0) return this.#noteTime(began);
      const { cause } = failure3;
      if (await isFlushed || signal?.aborted) throw cause;
      throw new LocalError(new Deno.errors.TimedOut(`Cannot write to ${quote(part.path)}: a write takes more than ${DISK_GRACE} ms`, {
        cause
      }));
    }
    this.#isAmbiguous = isSizeAmbiguous(this.#provider.session, transfer.data);
    alive.stop();
    const whole = facts.size ?? this.#announced;
    if (part.position === whole) this.#askForNext(transfer);
    await awaitConfirmation(transfer, part.position, whole, this.#options);
    this.#noteTime(began);
  }
  /**
   * Sends the first queries of the next operation, together with the wait for
   * the reply.
   */
  #askForNext(transfer) {
    const { keepAlive: keepAlive2 = 0 } = this.#options;
    const { upcoming } = this.#provider.operations;
    if (upcoming !== void 0 && !keepAlive2) transfer.askBehind(upcoming);
  }
  #noteTime(began) {
    this.#isSlow = performance.now() - began > RECHECK_AFTER;
  }
  /** The fast path: large blocks, read while others are written. */
  async #read({ data }, writer, start) {
    const { maxSize = Infinity } = this.#options;
    let rest = maxSize - start;
    for (let n; (n = await data.read(writer.room)) !== null; ) {
      rest -= n;
      if (rest < 0) {
        throw this.#tooLarge(`the server sent more than the ${maxSize} bytes of "maxSize"`);
      }
      const written = writer.take(n);
      if (written !== void 0) await written;
      const wait = this.#tracker.add(n);
      if (wait !== void 0) await wait;
    }
    await writer.flush();
    writer.close();
  }
  /** A local error, because a retry would have the same result. */
  #tooLarge(what) {
    this.#isTooLarge = true;
    return new LocalError(new Deno.errors.InvalidData(`Cannot download ${quote(this.#remote)}: ${what}`));
  }
};
function explainCompression(session, error) {
  const isWrong = error instanceof FTPVerificationError && error.what === "size" && isCompressionUnproven(session);
  if (!isWrong) return error;
  noteDecompressed(session, false);
  return withMessage(error, (message) => `${message}; the server accepted "MODE Z", but may have sent data that is not compressed: omit "compress"`);
}

// lib/files/download_all.ts
import { basename as basename4, dirname as dirname5, normalize } from "node:path";
import { fileURLToPath as fileURLToPath3 } from "node:url";
init_check_names();
init_printable();

// lib/files/worker_pool.ts
init_waiting();
init_check_word();
var AUTO_MOST = 8;
var AUTO_GAIN = 1.15;
var AUTO_TASKS = 4;
function checkConnections(connections2) {
  const isCount = Number.isInteger(connections2) && Number(connections2) >= 1;
  if (connections2 === void 0 || connections2 === "auto" || isCount) return;
  throw new RangeError(`Cannot use ${showValue(connections2)} connections: it must be an integer, 1 or more, or "auto"`);
}
var WorkerPool = class {
  /** The worker with the client's own connection. */
  first;
  #make;
  #end = new AbortController();
  #signal;
  #workers;
  #added = [];
  #adding = /* @__PURE__ */ new Set();
  #most;
  #fork;
  #growth;
  #queue;
  #runs = [];
  #pauses = new PauseTimer();
  #busy = 0;
  #waiting = 0;
  #change = Promise.withResolvers();
  #failure;
  /** Creates a pool of one worker. */
  constructor(provider, { most, signal }, make) {
    const { signal: end } = this.#end;
    this.#signal = anySignal(end, signal);
    this.#growth = most === "auto" ? new Growth() : void 0;
    this.#most = most === "auto" ? 1 : most;
    this.#make = make;
    this.#fork = (options) => provider.fork(options);
    this.first = make(provider, this.#signal);
    this.#workers = /* @__PURE__ */ new Set([
      this.first
    ]);
  }
  /** Aborted when the work cannot continue. */
  get signal() {
    return this.#signal;
  }
  /** Whether further connections may be opened now. */
  get hasRoom() {
    return this.#most > this.#workers.size + this.#adding.size;
  }
  /**
   * Looks at the settings of the client's connection, so that others can be
   * opened while it is busy.
   */
  async prepare() {
    if (this.#most <= 1) return;
    const { provider } = this.first;
    this.#fork = await provider.prepareFork({
      signal: this.#signal
    });
  }
  /** Runs a queue until no worker is busy, also after a failure. */
  async run(queue) {
    this.#queue = queue;
    this.#runs = Array.from(this.#workers, (worker) => this.#work(worker));
    for (let i = 0; i < this.#runs.length; i++) await this.#runs[i];
    this.#queue = void 0;
    if (this.#failure !== void 0) throw this.#failure.error;
  }
  /**
   * Opens further connections for the tasks that would have to wait for a
   * request to the server.
   *
   * @param coming Number of tasks that are about to be queued
   */
  addWorkers(coming = 0) {
    if (this.#queue === void 0) return;
    const spare2 = this.#most - this.#workers.size - this.#adding.size;
    const tasks = this.#queue.size + coming;
    const work = tasks - this.#waiting - this.#adding.size;
    for (let i = Math.min(spare2, work); i > 0; i--) {
      const adding = this.#addWorker();
      this.#adding.add(adding);
      adding.then(() => this.#adding.delete(adding));
    }
  }
  /**
   * Drops a worker whose connection is lost permanently, and adds no more.
   *
   * @returns Whether there are others; the client's own is never dropped
   */
  dropWorker(provider) {
    if (provider === this.first.provider) return false;
    this.#most = 0;
    this.#growth?.stop();
    for (const worker of this.#workers) {
      if (worker.provider === provider) this.#workers.delete(worker);
    }
    return true;
  }
  /** Sends `QUIT` on the opened connections. */
  async [Symbol.asyncDispose]() {
    this.#end.abort();
    await Promise.all(this.#adding);
    for (const provider of this.#added) provider.leave();
  }
  async #addWorker() {
    try {
      const provider = await this.#fork({
        signal: this.#signal
      });
      this.#added.push(provider);
      const worker = this.#make(provider, this.#signal);
      this.#workers.add(worker);
      if (this.#queue !== void 0) this.#runs.push(this.#work(worker));
    } catch {
      this.#most = 0;
      this.#growth?.stop();
    }
  }
  /**
   * Runs tasks until none is left. The next one begins while the one before
   * waits for its last replies. Never rejects.
   */
  async #work(worker) {
    let before;
    while (this.#failure === void 0 && this.#workers.has(worker)) {
      const task = await this.#queue?.take();
      if (task !== void 0) {
        const { promise: ending, resolve: resolve2 } = Promise.withResolvers();
        worker.onEnding = resolve2;
        const done = this.#do(task, worker);
        await Promise.race([
          done,
          ending
        ]);
        await before;
        before = done;
      } else if (this.#busy > 0) {
        this.#waiting++;
        await this.#change.promise;
        this.#waiting--;
      } else {
        break;
      }
    }
    await before;
  }
  async #do(task, worker) {
    this.#busy++;
    try {
      await task(worker);
      if (this.#growth?.mayGrow(this.#workers.size)) {
        this.#most = Math.min(AUTO_MOST, this.#workers.size + 1);
        this.addWorkers();
      }
      if (this.#pauses.isDue) await this.#pauses.pause(this.#signal);
    } catch (error) {
      this.#failure ??= {
        error
      };
      this.#end.abort(error);
    }
    this.#busy--;
    if (this.#waiting === 0) return;
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
};
var Growth = class {
  #since = performance.now();
  #done = 0;
  #rate = 0;
  #isOver = false;
  /** Counts a task, and tells whether to open another connection. */
  mayGrow(workers) {
    if (this.#isOver || ++this.#done < AUTO_TASKS * workers) return false;
    const now = performance.now();
    const rate = this.#done / (now - this.#since);
    this.#isOver = workers >= AUTO_MOST || rate < this.#rate * AUTO_GAIN;
    this.#since = now;
    this.#done = 0;
    this.#rate = rate;
    return !this.#isOver;
  }
  /** Ends the growth: the server refuses more. */
  stop() {
    this.#isOver = true;
  }
};

// lib/files/download_all.ts
var DOWNLOAD_ALL_OPTIONS = {
  ...DOWNLOAD_OPTIONS,
  connections: true,
  ordered: true
};
var MOST_WAITING = 64;
function downloadAll(provider, items, directory, options) {
  checkNames("downloadAll", options, DOWNLOAD_ALL_OPTIONS);
  checkConnections(options.connections);
  checkTransferOptions(options);
  return outcomesOf(provider, items, directory, options);
}
async function* outcomesOf(provider, items, directory, options) {
  const { connections: most = 1 } = options;
  const signal = withLifetime(provider, options.signal);
  const folder = directory instanceof URL ? fileURLToPath3(directory) : directory;
  await Deno.mkdir(folder, {
    recursive: true
  });
  await using pool = new WorkerPool(provider, {
    most,
    signal
  }, (provider2) => ({
    provider: provider2,
    onEnding: void 0
  }));
  const list = new DownloadList(items, folder, pool, options);
  const running = pool.run(list).then(() => list.end(), (error) => {
    list.end(asError(error));
  });
  try {
    for (let next; (next = await list.next()) !== void 0; ) yield next;
  } finally {
    list.leave();
    await running;
  }
}
var DownloadList = class {
  #items;
  #folder;
  #pool;
  #options;
  #limiter;
  /** Keys of the targets so far: no file replaces another one of the list. */
  #targets = /* @__PURE__ */ new Set();
  /** Outcomes that wait for the caller, by position or in order of time. */
  #outcomes = /* @__PURE__ */ new Map();
  #taking = Promise.resolve();
  #count = 0;
  /** Position of the next outcome of an ordered list. */
  #next = 0;
  #isRead = false;
  #isOver = false;
  #failure;
  #change = Promise.withResolvers();
  constructor(items, folder, pool, options) {
    this.#items = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
    this.#folder = folder;
    this.#pool = pool;
    this.#options = options;
    this.#limiter = new RateLimiter(options.maxRate);
  }
  /** One at a time, because the number of the others is unknown. */
  get size() {
    return this.#isRead ? 0 : 1;
  }
  /** Takes the next file, once the caller has taken enough outcomes. */
  take() {
    const taken = this.#taking.then(() => this.#take());
    this.#taking = taken.catch(() => {
    });
    return taken;
  }
  async #take() {
    while (this.#outcomes.size >= MOST_WAITING && !this.#isRead) {
      await this.#change.promise;
    }
    if (this.#isRead) return void 0;
    let item;
    try {
      item = await this.#items.next();
    } catch (error) {
      this.#failure ??= asError(error);
      item = {
        done: true,
        value: void 0
      };
    }
    this.#isRead ||= item.done === true;
    if (item.done || this.#failure !== void 0) return void 0;
    const position = this.#count++;
    return (worker) => this.#run(worker, position, item.value);
  }
  /** Downloads one file. Rejects only if the others would fail as well. */
  async #run(worker, position, item) {
    const { onEnding, provider } = worker;
    this.#pool.addWorkers();
    const remote = typeof item === "string" ? item : item.remote;
    let local = "";
    try {
      local = this.#targetOf(item);
      const { onProgress, ...options } = this.#options;
      const result = await download(provider, remote, local, {
        ...options,
        signal: this.#pool.signal,
        onProgress: onProgress && ((progress) => onProgress(progress, remote))
      }, {
        limiter: this.#limiter,
        onEnding
      });
      this.#add(position, {
        remote,
        local,
        result
      });
    } catch (error) {
      const { signal } = this.#pool;
      signal.throwIfAborted();
      if (error instanceof Deno.errors.NotCapable) throw error;
      const { retry } = this.#options;
      const loss = await reconnectIfLost(provider, {
        retry,
        signal
      }, error);
      if (loss !== void 0 && !this.#pool.dropWorker(provider)) {
        throw loss.error;
      }
      this.#add(position, {
        remote,
        local,
        error: asError(error)
      });
    }
  }
  /** Returns the target of an item, and rejects one that was used before. */
  #targetOf(item) {
    let local;
    if (typeof item === "string") {
      const [, name] = splitPath(item);
      local = `${this.#folder}/${checkName(name)}`;
    } else {
      local = item.local instanceof URL ? fileURLToPath3(item.local) : item.local;
    }
    const key = keyOf(local);
    if (this.#targets.has(key)) {
      throw new Deno.errors.AlreadyExists(`Cannot download to ${quote(local)}: another file of the list has this target; give each a "local" path`);
    }
    this.#targets.add(key);
    return local;
  }
  #add(position, outcome) {
    this.#outcomes.set(position, outcome);
    this.#wake();
  }
  #wake() {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
  /** Returns the next outcome; `undefined` after the last one. */
  async next() {
    const { ordered = false } = this.#options;
    for (; ; ) {
      const [first] = this.#outcomes.keys();
      const position = ordered ? this.#next : first;
      const outcome = position === void 0 ? void 0 : this.#outcomes.get(position);
      if (outcome !== void 0) {
        this.#outcomes.delete(position);
        this.#next++;
        this.#wake();
        return outcome;
      }
      if (this.#isOver) {
        if (this.#failure !== void 0) throw this.#failure;
        return void 0;
      }
      await this.#change.promise;
    }
  }
  /** Ends the outcomes after the waiting ones. */
  end(error) {
    this.#failure ??= error;
    this.#isOver = true;
    this.#wake();
  }
  /** Starts no further file, because the caller wants no more outcomes. */
  leave() {
    if (!this.#isRead) {
      this.#isRead = true;
      Promise.resolve(this.#items.return?.()).catch(() => {
      });
    }
    this.#wake();
  }
};
function keyOf(local) {
  try {
    const { path } = resolveTarget(local);
    const { dev, ino } = Deno.statSync(dirname5(path));
    const name = Deno.build.os === "linux" ? basename4(path) : basename4(path).normalize("NFC").toLowerCase();
    if (ino !== null) return `${dev} ${ino} ${name}`;
  } catch {
  }
  return normalize(local);
}

// lib/files/remote_file.ts
init_check_names();
init_check_number();
init_printable();
var OPEN_OPTIONS = {
  blockSize: true,
  cacheSize: true,
  retry: true,
  onRetry: true,
  signal: true
};
var BLOCK_SIZE4 = 64 * 1024;
var CACHE_SIZE = 4 * 1024 * 1024;
var BLOCK_UNIT = 512;
var MAX_CACHE_AGE = 500;
var MOST_SKIPPED = 2;
async function openRemoteFile(provider, path, options) {
  const { blockSize = BLOCK_SIZE4, cacheSize = CACHE_SIZE } = options;
  checkNames("open", options, OPEN_OPTIONS);
  checkRetry(options.retry);
  checkNumber("blockSize", blockSize, {
    isInteger: true
  });
  checkNumber("cacheSize", cacheSize);
  if (blockSize === 0 || blockSize % BLOCK_UNIT !== 0) {
    throw new RangeError(`Cannot use blockSize ${blockSize}: it must be a positive multiple of ${BLOCK_UNIT}`);
  }
  const { signal } = options;
  const own = await provider.fork({
    signal
  });
  try {
    const reader = new BlockReader(own, path, {
      ...options,
      blockSize
    });
    await reader.open();
    return RemoteFile.create(reader, {
      cacheSize
    });
  } catch (error) {
    await own[Symbol.asyncDispose]();
    throw error;
  }
}
var BlockReader = class {
  blockSize;
  #provider;
  #path;
  #options;
  #facts;
  #size = 0;
  /** The open transfer, and the number of its next block. */
  #open;
  /** Time of the last check of size and time. */
  #asked = -Infinity;
  /** Number of bytes received, to detect progress between retries. */
  #received = 0;
  constructor(provider, path, options) {
    this.#provider = provider;
    this.#path = path;
    this.#options = {
      ...options,
      signal: withLifetime(provider, options.signal)
    };
    this.blockSize = options.blockSize;
  }
  get path() {
    return this.#path;
  }
  get size() {
    return this.#size;
  }
  get modified() {
    return this.#facts?.modified ?? null;
  }
  /**
   * Requests size and time. Without `SIZE`, the 150 reply may have the size.
   */
  async open() {
    await this.#recover(async (session) => {
      const facts = await requestFacts(session, this.#path, this.#options);
      let { size } = facts;
      if (size === null) size = await this.#announcedSize(session);
      this.#facts = facts;
      this.#size = size;
      this.#asked = performance.now();
    });
  }
  async #announcedSize(session) {
    const transfer = await this.#retrieve(session, 0);
    await this.#leave();
    if (transfer.size !== null) return transfer.size;
    throw new Deno.errors.NotSupported(`Cannot open ${quote(this.#path)}: the server does not report its size; use retrieve() to read it in order`);
  }
  async fetch(block) {
    return await this.#recover(async (session) => {
      const { transfer } = await this.#reach(session, block);
      return await this.#read(transfer, block);
    });
  }
  /** Ends the transfer and closes the connection. */
  async close() {
    await this.#leave().catch(() => {
    });
    await this.#provider[Symbol.asyncDispose]();
  }
  /** Returns a transfer whose next block is the given one. */
  async #reach(session, block) {
    const open2 = this.#open;
    const isNear2 = open2 !== void 0 && open2.session === session && block >= open2.next && block - open2.next <= MOST_SKIPPED;
    if (isNear2) {
      while (open2.next < block) await this.#read(open2.transfer, open2.next);
      return open2;
    }
    if (open2 !== void 0) {
      await this.#leave();
      await this.#provider.session.ready(this.#options.signal, {
        isForced: true
      });
    }
    const { session: current } = this.#provider;
    const age = performance.now() - this.#asked;
    if (age > MAX_CACHE_AGE) await this.#checkUnchanged(current);
    const transfer = await this.#retrieve(current, block);
    return {
      transfer
    };
  }
  async #retrieve(session, block) {
    const start = block * this.blockSize;
    if (start > 0) {
      await proveRestart(session, this.#path, start, this.#options);
    }
    const transfer = await openAt(session, "RETR", this.#path, start, this.#options);
    this.#open = {
      session,
      transfer,
      next: block
    };
    return transfer;
  }
  /**
   * Reads a block from the open transfer. After the last one, waits for the
   * final reply.
   */
  async #read(transfer, block) {
    const start = block * this.blockSize;
    const length = Math.min(this.blockSize, this.#size - start);
    const bytes2 = new Uint8Array(length);
    try {
      const filled = await this.#fill(transfer, bytes2);
      const isLast = start + length === this.#size;
      if (!isLast && filled === length) {
        if (this.#open !== void 0) this.#open.next = block + 1;
        return bytes2;
      }
      const isLonger = filled === length && await transfer.data.read(new Uint8Array(1)) !== null;
      if (isLonger) throw this.#changed("size", "more bytes");
      await transfer.finish({
        ...this.#options,
        isWhole: filled === length
      });
      this.#open = void 0;
      if (filled < length) throw this.#changed("size", start + filled);
    } catch (error) {
      const isOpen = this.#open?.transfer === transfer;
      this.#open = void 0;
      throw isOpen ? await transfer.failed(error, this.#options) : error;
    }
    return bytes2;
  }
  /** Fills a buffer. Returns the number of bytes before the end of the data. */
  async #fill({ data }, bytes2) {
    let filled = 0;
    while (filled < bytes2.length) {
      const n = await data.read(bytes2.subarray(filled));
      if (n === null) break;
      filled += n;
      this.#received += n;
    }
    return filled;
  }
  /**
   * Checks that the file has not changed, so that blocks of two versions are
   * not mixed.
   */
  async #checkUnchanged(session) {
    const before = this.#facts;
    if (before === void 0) return;
    const { size, shown } = await requestFacts(session, this.#path, this.#options);
    this.#asked = performance.now();
    if (size !== before.size) throw this.#changed("size", size ?? "unknown");
    if (shown?.getTime() !== before.shown?.getTime()) {
      throw this.#changed("mtime", shown?.toISOString() ?? "unknown");
    }
  }
  #changed(what, actual) {
    const expected = what === "size" ? this.#size : this.#facts?.shown?.toISOString() ?? "unknown";
    return new FTPVerificationError(`Cannot read ${quote(this.#path)}: the file on the server changed since it was opened; open it again`, {
      what,
      expected,
      actual
    });
  }
  async #leave() {
    const open2 = this.#open;
    this.#open = void 0;
    await open2?.transfer.abort();
  }
  /**
   * Runs a step, with retries on other connections. A changed file is not
   * retried.
   */
  async #recover(step) {
    const outcome = await unwrapped(() => withRecovery(this.#provider, this.#options, () => this.#received, async () => {
      try {
        return {
          value: await step(this.#provider.session)
        };
      } catch (error) {
        if (error instanceof FTPVerificationError) return {
          error
        };
        throw error;
      }
    }));
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }
};
var RemoteFile = class _RemoteFile {
  #reader;
  /** Blocks by number; the most recently used is last. */
  #cache = /* @__PURE__ */ new Map();
  #mostBlocks;
  #position = 0;
  #isClosed = false;
  /** The end of the queue of reads and seeks. */
  #queue = Promise.resolve();
  /** @ignore */
  constructor(reader, cacheSize) {
    this.#reader = reader;
    this.#mostBlocks = Math.max(1, Math.floor(cacheSize / reader.blockSize));
  }
  /** @ignore */
  static create(reader, { cacheSize }) {
    return new _RemoteFile(reader, cacheSize);
  }
  /** Size in bytes when the file was opened. */
  get size() {
    return this.#reader.size;
  }
  /** Time of the last change, or `null` if the server does not report it. */
  get mtime() {
    return this.#reader.modified;
  }
  /** Position of the next read, in bytes. */
  get position() {
    return this.#position;
  }
  /**
   * Reads at the current position, and advances it.
   *
   * The server's final reply confirms only the last block of the file. Other
   * blocks are protected only by the checks of TCP, or TLS. When a new transfer
   * starts, the file's size and time are checked; a change is an error.
   *
   * @param buffer The buffer to fill, unless the file ends before
   * @returns Number of bytes, or `null` at the end of the file
   * @throws {FTPVerificationError} If the file on the server changed
   * @throws {FTPError} If the server refuses
   * @throws {Deno.errors.BadResource} If the file is closed
   * @throws {Error} `Deno.errors.*` if the connection fails, after its retries
   */
  async read(buffer2) {
    return await this.#inTurn(async () => {
      if (buffer2.length === 0) return 0;
      if (this.#position >= this.size) return null;
      let filled = 0;
      while (filled < buffer2.length && this.#position < this.size) {
        const { blockSize } = this.#reader;
        const number = Math.floor(this.#position / blockSize);
        const block = await this.#block(number);
        const from = this.#position - number * blockSize;
        const part = block.subarray(from, from + buffer2.length - filled);
        buffer2.set(part, filled);
        filled += part.length;
        this.#position += part.length;
      }
      return filled;
    });
  }
  /**
   * Sets the position. Nothing is sent.
   *
   * @param offset Offset in bytes, relative to `whence`
   * @param whence The start, the current position, or the end of the file
   * @returns The new position
   * @throws {RangeError} If the position is negative, or the offset is not an
   * integer
   */
  async seek(offset, whence = Deno.SeekMode.Start) {
    return await this.#inTurn(() => {
      const base = whence === Deno.SeekMode.Start ? 0 : whence === Deno.SeekMode.Current ? this.#position : this.size;
      const position = base + Number(offset);
      if (!Number.isSafeInteger(position) || position < 0) {
        throw new RangeError(`Cannot seek to ${position}: it must be a non-negative integer`);
      }
      this.#position = position;
      return position;
    });
  }
  /** Closes the file and its connection. */
  async close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cache.clear();
    await this.#reader.close();
  }
  /** Closes the file and its connection. */
  async [Symbol.asyncDispose]() {
    await this.close();
  }
  async #block(number) {
    const cache = this.#cache;
    const kept = cache.get(number);
    const block = kept ?? await this.#reader.fetch(number);
    if (this.#isClosed) throw this.#closed();
    cache.delete(number);
    cache.set(number, block);
    if (cache.size > this.#mostBlocks) {
      cache.delete(cache.keys().next().value);
    }
    return block;
  }
  /** Queues simultaneous reads and seeks. */
  #inTurn(run2) {
    const result = this.#queue.then(() => {
      if (this.#isClosed) throw this.#closed();
      return run2();
    });
    this.#queue = result.catch(() => {
    });
    return result;
  }
  #closed() {
    return new Deno.errors.BadResource(`Cannot use ${quote(this.#reader.path)}: the file is closed`);
  }
};

// lib/files/streams.ts
init_check_number();

// lib/transfer/send.ts
init_waiting();
init_check_names();

// lib/transfer/started_source.ts
init_waiting();
var StartedSource = class {
  #iterator;
  #first;
  /** Starts to read. */
  constructor(chunks) {
    this.#iterator = chunks[Symbol.asyncIterator]();
  }
  /**
   * Reads the first chunk, or the end of an empty source, without a time limit.
   * If a command would be refused, nothing is read.
   */
  async start({ control, ended }, { signal }) {
    if (control.failure !== void 0 || control.open !== void 0) return;
    const first = this.#iterator.next();
    try {
      this.#first = await abortable(abortable(first, signal), ended);
    } catch (error) {
      this.end().catch(() => {
      });
      throw error;
    }
  }
  /** Ends the source early. */
  async end() {
    await this.#iterator.return?.();
  }
  /** Returns the chunks, once. */
  [Symbol.asyncIterator]() {
    return {
      next: () => {
        const first = this.#first;
        this.#first = void 0;
        return first === void 0 ? this.#iterator.next() : Promise.resolve(first);
      },
      return: async () => {
        await this.end();
        return {
          done: true,
          value: void 0
        };
      }
    };
  }
};

// lib/transfer/send.ts
async function sendBlocks(session, command, source, options) {
  const { blocksize, callback } = options;
  checkBlocksize(blocksize);
  if (callback !== void 0) checkFunction("callback", callback);
  const all = chunksOf(source, blocksize);
  return await send(session, command, all, options, async (data, chunks) => {
    for await (const chunk of chunks) {
      if (callback === void 0) {
        await data.writeAll(chunk);
        continue;
      }
      for (let start = 0; start < chunk.length; start += blocksize) {
        const block = chunk.subarray(start, start + blocksize);
        await data.writeAll(block);
        const wait = waitFor(data, callback(block));
        if (wait !== void 0) await wait;
      }
    }
  });
}
async function sendLines(session, command, source, options) {
  const { callback, signal } = options;
  if (callback !== void 0) checkFunction("callback", callback);
  const { maxLine } = session.options;
  const all = chunksOf(source, TEXT_BLOCK_SIZE);
  const text = {
    signal,
    type: "A"
  };
  return await send(session, command, all, text, async (data, chunks) => {
    for await (const block of toNetworkLines(chunks, maxLine)) {
      await data.writeAll(block);
      if (callback === void 0) continue;
      for (const line of linesOf(block)) {
        const wait = waitFor(data, callback(line));
        if (wait !== void 0) await wait;
      }
    }
  });
}
async function* whileOpen(data, chunks) {
  const iterator = chunks[Symbol.asyncIterator]();
  let isRead = false;
  try {
    while (true) {
      const next = await data.unlessFailed(iterator.next());
      isRead = next.done === true;
      if (isRead) return;
      yield next.value;
    }
  } finally {
    const ended = isRead ? void 0 : iterator.return?.();
    const ending = data.unlessFailed(Promise.resolve(ended));
    await settle(ending, SOURCE_GRACE);
  }
}
var SOURCE_GRACE = 1e3;
var TEXT_BLOCK_SIZE = 64 * 1024;
async function send(session, command, all, options, produce) {
  options.signal?.throwIfAborted();
  checkTransfer(session, command, options);
  await session.ready(options.signal);
  const source = new StartedSource(all);
  await source.start(session, options);
  let transfer;
  try {
    transfer = await session.exclusive((turn) => openTransfer(turn, command, options), options);
  } catch (error) {
    const ending = abortable(source.end(), options.signal);
    await settle(abortable(ending, session.ended), SOURCE_GRACE);
    throw error;
  }
  return await transfer.complete(async (data) => {
    await produce(data, whileOpen(data, source));
    await data.closeWrite();
    options.onSent?.(data);
  }, options);
}

// lib/files/store_proof.ts
init_bytes();
init_printable();

// lib/files/back_off.ts
init_waiting();
var WAITS = [
  100,
  200,
  400,
  800,
  1500
];
async function backOff({ signal }, ask3) {
  for (const wait of WAITS) {
    if (await ask3()) return true;
    await delay(wait, signal);
  }
  return await ask3();
}

// lib/files/store_proof.ts
var COMPARED = 4096;
var OFFSET = "REST before STOR";
async function storeProven(session, path, offset, sent, store2, options) {
  const prove = async () => {
    const before = offset === void 0 ? void 0 : await readBefore(session, path, offset, options);
    const reply = await store2();
    const known = await checkCompression(session, path, offset, sent, options);
    if (offset === void 0 || before === void 0) return reply;
    const { size } = before;
    await checkSize(session, path, {
      offset,
      sent,
      size,
      known
    }, options);
    await checkBefore(session, path, before, options);
    return reply;
  };
  const { stores } = session;
  return offset === void 0 ? await stores.shared(prove, options) : await stores.exclusive(prove, options);
}
async function readBefore(session, path, offset, options) {
  const { profile } = session;
  if (profile.lacks(OFFSET)) {
    throw new Deno.errors.NotSupported(`Cannot store ${named(session, path)} at an offset: the server accepts REST, but ignores it before STOR; store the whole file`);
  }
  const size = await requestSizeIfPossible(session, path, options);
  if (size !== null) checkReached(session, path, offset, size);
  const start = Math.max(0, offset - COMPARED);
  if (profile.keepsBeginnings) return {
    size,
    start
  };
  const length = offset - start;
  const bytes2 = await readRange(session, path, start, length, options).catch((error) => {
    if (error instanceof FTPTemporaryError) return void 0;
    throw error;
  });
  if (bytes2 !== void 0 && bytes2.length < length) {
    checkReached(session, path, offset, start + bytes2.length);
  }
  return {
    size,
    start,
    bytes: bytes2
  };
}
function checkReached(session, path, offset, size) {
  if (size >= offset) return;
  throw new RangeError(`Cannot store ${named(session, path)} at offset ${offset}: it has only ${size} bytes`);
}
async function checkBefore(session, path, { start, bytes: bytes2 }, options) {
  if (bytes2 === void 0) return;
  const { length } = bytes2;
  const now = await readRange(session, path, start, length, options);
  if (now === void 0) return;
  if (isEqual(now, bytes2)) {
    session.profile.keepsBeginnings ||= bytes2.some((byte) => byte !== 0);
    return;
  }
  session.profile.noteLacking(OFFSET);
  throw new Deno.errors.InvalidData(`Cannot store ${named(session, path)} at an offset: the server has lost the bytes before it; store the whole file`);
}
async function checkSize(session, path, { offset, sent, size: before, known }, options) {
  const expected = offset + sent.bytes;
  let size = known ?? null;
  if (size === null || size < expected) {
    const request = before === null ? requestSizeIfPossible : requestSize2;
    size = await storedSize(() => request(session, path, options), expected, options);
  }
  if (size === null || size >= expected) return;
  session.profile.noteLacking(OFFSET);
  throw new FTPVerificationError(`Cannot store ${named(session, path)} at an offset: the server accepted REST, but may have replaced the whole file; store the whole file`, {
    what: "size",
    expected,
    actual: size
  });
}
async function checkCompression(session, path, offset = 0, { bytes: bytes2, data }, options) {
  const isKnown = data === void 0 || !isCompressionUnproven(session) || isSizeAmbiguous(session, data);
  if (isKnown) return void 0;
  const size = await requestSizeIfPossible(session, path, options);
  if (size === offset + bytes2) noteDecompressed(session, true);
  if (size !== offset + (data.compressedSize ?? 0)) return size;
  noteDecompressed(session, false);
  throw new FTPVerificationError(`Cannot store ${named(session, path)}: the server accepted "MODE Z", but stored the compressed data; store it again, which is not compressed, or omit "compress"`, {
    what: "size",
    expected: offset + bytes2,
    actual: size
  });
}
async function checkRetrieved(session, path, data, options) {
  const isKnown = !isCompressionUnproven(session) || isSizeAmbiguous(session, data) || data.bytesRead === 0;
  if (isKnown) return;
  const size = await requestSizeIfPossible(session, path, options);
  if (size === data.bytesRead) noteDecompressed(session, true);
  if (size !== data.compressedSize) return;
  noteDecompressed(session, false);
  throw new FTPVerificationError(`Cannot retrieve ${named(session, path)}: the server accepted "MODE Z", but sent the file as it is, which is zlib data; retrieve it again, which is not compressed, or omit "compress"`, {
    what: "size",
    expected: size,
    actual: data.bytesRead
  });
}
async function storedSize(request, expected, options) {
  let size = null;
  await backOff(options, async () => {
    size = await request();
    return size === null || size >= expected;
  });
  return size;
}
async function readRange(session, path, start, length, options) {
  const bytes2 = new Uint8Array(length);
  let at = 0;
  try {
    const transfer = await openAt(session, "RETR", path, start, {
      ...options,
      isPlain: mayBeLeftCompressed(session)
    });
    let isEnded = false;
    try {
      while (at < length && !isEnded) {
        const n = await transfer.data.read(bytes2.subarray(at));
        if (n === null) isEnded = true;
        else at += n;
      }
      isEnded ||= await transfer.data.read(new Uint8Array(1)) === null;
    } catch (error) {
      throw await transfer.failed(error, options);
    }
    if (isEnded) await transfer.finish(options);
    else await transfer.abort();
  } catch (error) {
    if (error instanceof FTPPermanentError) return void 0;
    throw error;
  }
  return bytes2.subarray(0, at);
}
async function requestSizeIfPossible(session, path, options) {
  try {
    return await requestSize2(session, path, options);
  } catch (error) {
    if (error instanceof FTPTemporaryError) return null;
    throw error;
  }
}
function named(session, path) {
  return quote(textOfPath(session, path));
}

// lib/files/store_refusal.ts
init_printable();
var REFUSALS2 = [
  450,
  451,
  501,
  550,
  551,
  553
];
var MISSING_REGEXP2 = /\b(no such|not exist|not found|does ?n.t exist|check for file existence)/i;
async function explainRefusal(session, remote, error, options) {
  const isRefused = isRefusal(error, REFUSALS2) && /^(STOR|APPE)\b/.test(error.command ?? "") && !session.isLost && !options.signal?.aborted;
  if (!isRefused) return error;
  try {
    if (await directoryState(session, remote, options) === "there") {
      return directoryError(remote, error);
    }
    const [prefix] = splitPath(remote);
    const directory = withoutTrailingSlashes(prefix);
    if (directory === "" || directory === "/") return error;
    if (await directoryState(session, directory, options) !== "missing") {
      return error;
    }
    const { reply, command } = error;
    return new FTPPermanentError(`Cannot write to ${quote(remote)}: the directory ${quote(directory)} does not exist or cannot be entered; make it with ensureDir() (${withoutPeriod(reply.text)})`, {
      reply,
      command,
      cause: error
    });
  } catch {
    return error;
  }
}
async function refuseDirectory(session, remote, refusal3, options) {
  if (await directoryState(session, remote, options) !== "there") return;
  throw directoryError(remote, refusal3);
}
async function isListedDirectory(session, path, { signal }) {
  if (session.profile.lacks("MLST")) return void 0;
  const command = {
    verb: "MLST",
    argument: path,
    name: "remote"
  };
  try {
    const { lines } = await session.shared((turn) => turn.exchange(command, {
      signal
    }), {
      signal
    });
    const facts = lines.map((line) => line.replace(/^250-/, "").trimStart().split("; ", 1)[0]);
    const types = facts.map((facts2) => /(?:^|;)type=([^;]*)(?:;|$)/i.exec(facts2)?.[1]?.toLowerCase());
    const [type] = types.filter((type2) => type2 !== void 0);
    if (type === void 0 || type.startsWith("os.")) return void 0;
    return type !== "file";
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const { reply } = error;
    if (isUnknownCommand(reply)) session.profile.noteLacking("MLST");
    return MISSING_REGEXP2.test(reply.text) ? false : void 0;
  }
}
function directoryError(remote, refusal3) {
  const { reply, command } = refusal3 ?? {};
  const why = reply === void 0 ? "" : ` (${withoutPeriod(reply.text)})`;
  return new FTPPermanentError(`Cannot write to ${quote(remote)}: it is a directory; give the name of a file in it${why}`, {
    reply,
    command,
    cause: refusal3
  });
}
async function directoryState(session, path, options) {
  const isListed = await isListedDirectory(session, path, options);
  if (isListed !== void 0) return isListed ? "there" : "missing";
  return await session.exclusive(async (turn) => {
    try {
      const leave = await enterDirectory(turn, path, options);
      if (leave === void 0) return "unknown";
      await leave();
      return isDataSet(session, path) ? "unknown" : "there";
    } catch (error) {
      if (!isNoDirectory(error)) throw error;
      return isDataSet(session, path) ? "unknown" : "missing";
    }
  }, options);
}

// lib/files/streams.ts
var FIRST_CHUNK_SIZE = 16 * 1024;
var CHUNK_SIZE2 = 256 * 1024;
var WRITE_SIZE = 1024 * 1024;
async function retrieve(session, path, options) {
  const { signal, length = Infinity } = options;
  checkNumber("length", length, {
    isInteger: true
  });
  const command = {
    verb: "RETR",
    argument: path,
    name: "path"
  };
  const rest = checkedOffset(options.offset);
  if (rest !== void 0) await proveRestart(session, path, rest, {
    signal
  });
  const opening = {
    type: "I",
    rest,
    signal,
    advice: "read its stream to the end or cancel it first"
  };
  const transfer = await session.exclusive((turn) => openTransfer(turn, command, opening), {
    signal
  });
  const onEnd = async () => {
    if (rest !== void 0) return;
    await checkRetrieved(session, path, transfer.data, {
      signal
    });
  };
  return new ReadableStream(new DownloadSource(transfer, {
    length,
    signal,
    onEnd
  }), {
    highWaterMark: 0
  });
}
var DownloadSource = class {
  #transfer;
  #signal;
  #onEnd;
  #left;
  #size = FIRST_CHUNK_SIZE;
  /** The end of the transfer, if it is not its regular one. */
  #ending;
  #onAbort = () => {
  };
  constructor(transfer, { length, signal, onEnd }) {
    this.#onEnd = onEnd;
    this.#transfer = transfer;
    this.#left = length;
    this.#signal = signal;
  }
  start(controller) {
    const signal = this.#signal;
    if (signal === void 0) return;
    this.#onAbort = () => void this.#abort().finally(() => controller.error(signal.reason));
    signal.addEventListener("abort", this.#onAbort, {
      once: true
    });
    if (signal.aborted) this.#onAbort();
  }
  async pull(controller) {
    const buffer2 = new Uint8Array(Math.min(this.#size, this.#left || 1));
    let n;
    try {
      n = await this.#transfer.data.read(buffer2);
    } catch (error) {
      await this.#fail(error);
      return controller.close();
    }
    if (n === this.#size) this.#size = Math.min(this.#size * 2, CHUNK_SIZE2);
    if (n !== null && this.#left > 0) {
      this.#left -= n;
      return controller.enqueue(trimmed(buffer2, n));
    }
    this.#release();
    if (n !== null) await this.#abort();
    else {
      await this.#transfer.finish({
        signal: this.#signal
      });
      await this.#onEnd();
    }
    controller.close();
  }
  async cancel() {
    this.#release();
    await this.#abort();
  }
  /**
   * Ends the transfer after an error of the data connection.
   *
   * @throws The error, unless the transfer is complete
   */
  async #fail(error) {
    const signal = this.#signal;
    if (this.#ending !== void 0) {
      await this.#ending;
      this.#release();
      throw signal?.aborted ? signal.reason : error;
    }
    const settling = this.#transfer.endAfter(error, {
      signal
    }).then(() => void 0, (cause) => ({
      cause
    }));
    this.#ending = settling;
    const failure3 = await settling;
    this.#release();
    if (failure3 !== void 0) throw failure3.cause;
  }
  #abort() {
    return this.#ending ??= this.#transfer.abort();
  }
  #release() {
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
};
function trimmed(buffer2, length) {
  return length < buffer2.length / 2 ? buffer2.slice(0, length) : buffer2.subarray(0, length);
}
async function store(session, path, source, options) {
  const { append = false, signal } = options;
  const rest = checkedOffset(options.offset);
  if (append && rest !== void 0) {
    throw new TypeError('Cannot store with both "offset" and "append": the server appends at its own end of the file');
  }
  checkSource(source);
  const sent = {
    bytes: 0
  };
  const send2 = () => sendBlocks(session, {
    verb: append ? "APPE" : "STOR",
    argument: path,
    name: "path"
  }, source, {
    blocksize: WRITE_SIZE,
    type: "I",
    rest,
    signal,
    // what is appended compressed could not be taken back
    isPlain: append && mayBeLeftCompressed(session),
    onSent: (data) => {
      sent.bytes = data.bytesWritten;
      sent.data = data;
    }
  });
  try {
    if (append) return await send2();
    return await storeProven(session, path, rest, sent, send2, {
      signal
    });
  } catch (error) {
    const remote = textOfPath(session, path);
    throw await explainRefusal(session, remote, error, {
      signal
    });
  }
}
async function storeUnique(session, source, { signal }) {
  let opened;
  const final = await sendBlocks(session, {
    verb: "STOU"
  }, source, {
    blocksize: WRITE_SIZE,
    type: "I",
    signal,
    onOpen: (reply) => opened = reply
  });
  return parseUniqueName([
    opened,
    final
  ]);
}
function checkedOffset(offset = 0) {
  if (Number.isSafeInteger(offset) && offset >= 0) return offset || void 0;
  throw new RangeError(`Cannot start at offset ${offset}: it must be a non-negative integer`);
}

// lib/files/upload/upload.ts
init_printable();
init_byte_stream();
init_waiting();

// lib/files/download/part_proof.ts
init_byte_stream();
async function isSameEnd(source, size, open2, options, length = OVERLAP) {
  const start = Math.max(0, size - length);
  const expected = await readPiece(source, start, size);
  try {
    const transfer = await open2("RETR", start);
    const isSame = await isSameStart(transfer, expected, options) && await isAtEnd(transfer, options);
    if (isSame) await transfer.finish(options);
    else await transfer.abort();
    return isSame;
  } catch (error) {
    if (error instanceof FTPPermanentError) return false;
    throw error;
  }
}
async function keepsBeginning(source, size, open2, options) {
  const piece = await readPiece(source, size - OVERLAP, size);
  const transfer = await open2("STOR", size - OVERLAP);
  try {
    await writeAll(transfer.data, piece);
    await transfer.data.closeWrite();
  } catch (error) {
    throw await transfer.failed(error, options);
  }
  await transfer.finish(options);
  return await isSameEnd(source, size, open2, options, 2 * OVERLAP);
}
async function readPiece(source, start, end) {
  const bytes2 = new Uint8Array(end - start);
  let at = 0;
  for await (const chunk of source.read(start, bytes2.length)) {
    const piece = chunk.subarray(0, bytes2.length - at);
    bytes2.set(piece, at);
    at += piece.length;
    if (at === bytes2.length) break;
  }
  return bytes2;
}

// lib/files/upload/proof.ts
var BLOCK_SIZE5 = 128 * 1024;
var HIDDEN = "SIZE of what was stored";
var UploadProof = class {
  /**
   * Whether the bytes on the server come from the current source. `false` until
   * the server accepts the first byte, and after a comparison failed.
   */
  isCurrent = false;
  #source;
  #target;
  #options;
  /** Size of the old file; `undefined` while it is unknown. */
  #old;
  #wasLate = false;
  /** Starts without knowledge. */
  constructor(source, target, options) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
  }
  /** Whether the server did not report the file at once. */
  get wasLate() {
    return this.#wasLate;
  }
  /**
   * Whether a size is that of the file that is overwritten in place. The server
   * may have stored the new file under another name.
   */
  isOldSize(size) {
    const { path, remote } = this.#target;
    return path === remote && size !== null && size === this.#old;
  }
  /**
   * Requests the size of a stored file. Some servers report the old size, a
   * part, 0 or 550 for one or two seconds: they are asked again before anything is sent
   * again.
   *
   * @param sent Bytes that were sent
   * @returns Bytes; `null` if the server does not tell
   */
  async storedSize(session, sent) {
    const { profile } = session;
    let size;
    await backOff(this.#options, async () => {
      size = await this.#sizeOf(session, this.#target.path);
      if (size === null) {
        const isFinal = profile.lacks("SIZE") || profile.lacks(HIDDEN);
        this.#wasLate ||= !isFinal;
        return isFinal;
      }
      const isRight = size >= sent || isCompressionUnproven(session);
      this.#wasLate ||= !isRight;
      return isRight;
    });
    if (size !== null) profile.forgetLacking(HIDDEN);
    else if (!profile.lacks("SIZE")) profile.noteLacking(HIDDEN);
    return size ?? null;
  }
  /**
   * Returns the number of bytes on the server that are known to be the file's;
   * `null` if there are none.
   *
   * @param sent Bytes of a source that can be read once only, when all of it
   * was sent
   */
  async stored(session, sent) {
    const hasChanged = this.#source.hasChanged();
    if (hasChanged) this.isCurrent = false;
    const whole = sent ?? this.#source.size;
    if (this.#old === void 0 && !this.#target.isTouched) {
      const isWanted = this.#options.resume === true && !hasChanged;
      return await this.#inspect(session, isWanted ? whole : null);
    }
    if (!this.isCurrent || this.#old === void 0) return null;
    const stored = await this.#sizeOf(session, this.#target.path);
    const isOurs2 = stored !== null && stored !== this.#old && stored <= (whole ?? 0);
    return isOurs2 ? stored : null;
  }
  #sizeOf(session, path) {
    const options = this.#options;
    return session.shared((turn) => requestBinarySize(turn, path, options), options);
  }
  /** Options for reading what is stored, compressed or not. */
  #reading(session) {
    const { signal } = this.#options;
    return {
      signal,
      isPlain: mayBeLeftCompressed(session)
    };
  }
  /** Inspects the target before the first command to write. */
  async #inspect(session, whole) {
    const { path, remote, isNew } = this.#target;
    if (isNew) {
      this.#old = null;
      return null;
    }
    const asking = this.#sizeOf(session, path);
    if (path === remote && whole === null) requestAhead(session, this.#options);
    try {
      this.#old = await asking;
    } catch (error) {
      if (whole !== null || !(error instanceof FTPTemporaryError)) throw error;
    }
    const size = this.#old ?? 0;
    this.#target.isThere = this.#old !== null;
    if (whole === null || size === 0 || size > whole) return null;
    const isSame = await isSameEnd(this.#source, size, (verb, start) => openAt(session, verb, path, start, this.#reading(session)), this.#options);
    if (!isSame) return null;
    this.#target.isOwn = true;
    this.isCurrent = true;
    this.#old = null;
    return size;
  }
  /**
   * Compares the target with the source, every byte: the old file may have the
   * same size.
   *
   * @returns Whether they are equal; `undefined` if one cannot be read
   */
  async isInPlace(session, { signal }) {
    const { remote } = this.#target;
    if (!this.#source.isRewindable) return void 0;
    try {
      const transfer = await openAt(session, "RETR", remote, 0, {
        ...this.#reading(session),
        signal
      });
      const chunks = this.#source.read(0, BLOCK_SIZE5);
      return await isSameFile(transfer, chunks, {
        signal
      });
    } catch (error) {
      if (error instanceof FTPPermanentError) return void 0;
      throw error;
    }
  }
};

// lib/files/upload/source.ts
init_printable();
import { fileURLToPath as fileURLToPath4 } from "node:url";
init_check_word();
async function openSource(local, remote, { size, signal } = {}, plain) {
  checkSize2(size);
  const source = await openAny(local, signal, plain);
  if (size === void 0 && source.total === null) return source;
  try {
    return withTotal(source, remote, size);
  } catch (error) {
    source[Symbol.dispose]();
    throw error;
  }
}
function checkSize2(size) {
  if (size === void 0) return;
  if (Number.isSafeInteger(size) && Number(size) >= 0) return;
  throw new RangeError(`Cannot use size ${showValue(size)}: it must be a whole number of bytes`);
}
async function openAny(local, signal, plain) {
  if (typeof local === "string" && plain !== void 0) {
    return locally(() => namingFile(local, () => openPlain(local, plain)));
  }
  if (typeof local === "string" || local instanceof URL) {
    return await locallyAsync(() => openFile(local, signal));
  }
  if (local instanceof Uint8Array || local instanceof Blob) {
    const blob = local instanceof Blob ? local : void 0;
    return rewindable(blob?.size ?? local.length, (offset) => blob?.slice(offset) ?? local.subarray(offset));
  }
  if (local instanceof Response) return openResponse(local);
  checkSource(local);
  return readOnce(local, null, () => {
  });
}
function openResponse(response) {
  const { body, headers, ok, status } = response;
  if (!ok) {
    throw new TypeError(`Cannot upload from a Response with status ${status}: the request failed; upload response.body to store its text`);
  }
  if (response.bodyUsed) {
    throw new TypeError("Cannot upload from a Response: its body was already read; fetch it again");
  }
  if (body !== null) checkSource(body);
  const encoding = headers.get("content-encoding") ?? "identity";
  const length = headers.get("content-length") ?? "";
  const hasLength = encoding === "identity" && /^\d+$/.test(length);
  return readOnce(body ?? [], hasLength ? Number(length) : null, () => {
    if (body?.locked === false) body.cancel().catch(() => {
    });
  });
}
function readOnce(source, total, dispose) {
  return {
    size: null,
    total,
    modified: null,
    identity: null,
    isRewindable: false,
    hasChanged: () => false,
    read: (_offset, blocksize) => withSourceErrors(chunksOf(source, blocksize)),
    [Symbol.dispose]: dispose
  };
}
function withTotal(source, remote, size) {
  const known = source.total;
  if (size !== void 0 && known !== null && size !== known) {
    throw otherLength(remote, known, size);
  }
  if (source.size !== null) return source;
  const total = size ?? known;
  return {
    size: null,
    total,
    modified: source.modified,
    identity: source.identity,
    isRewindable: source.isRewindable,
    hasChanged: () => source.hasChanged(),
    read: (offset, blocksize) => withCount(source.read(offset, blocksize), (bytes2, isEnd) => {
      if (bytes2 > total || isEnd && bytes2 < total) {
        throw otherLength(remote, bytes2, total);
      }
    }),
    [Symbol.dispose]: () => source[Symbol.dispose]()
  };
}
function otherLength(remote, actual, expected) {
  return new LocalError(new FTPVerificationError(`Cannot upload to ${quote(remote)}: the source has an unexpected size`, {
    what: "size",
    expected,
    actual
  }));
}
function withCount(chunks, check) {
  return {
    [Symbol.asyncIterator]() {
      const iterator = chunks[Symbol.asyncIterator]();
      let bytes2 = 0;
      return {
        async next() {
          const result = await iterator.next();
          if (!result.done) bytes2 += result.value.length;
          try {
            check(bytes2, result.done === true);
          } catch (error) {
            await iterator.return?.();
            throw error;
          }
          return result;
        },
        async return() {
          await iterator.return?.();
          return {
            done: true,
            value: void 0
          };
        }
      };
    }
  };
}
function rewindable(size, slice) {
  return {
    size,
    total: size,
    modified: null,
    identity: null,
    isRewindable: true,
    hasChanged: () => false,
    read: (offset, blocksize) => withSourceErrors(chunksOf(slice(offset), blocksize)),
    [Symbol.dispose]() {
    }
  };
}
function namingFile(path, run2) {
  try {
    return run2();
  } catch (error) {
    throw openingError(path, error);
  }
}
function openingError(path, error) {
  return withMessage(asError(error), (message) => message.startsWith("Cannot ") ? message : `Cannot upload ${quote(path)}: ${message}`);
}
async function openFile(local, signal) {
  const path = local instanceof URL ? fileURLToPath4(local) : local;
  const { isDirectory: isDirectory2, isFile } = namingFile(path, () => Deno.statSync(path));
  if (isDirectory2) {
    throw new Deno.errors.IsADirectory(`Cannot upload ${quote(path)}: it is a directory; upload it with uploadDir()`);
  }
  const file = isFile ? namingFile(path, () => Deno.openSync(path)) : await openPipe(path, {
    read: true
  }, signal).catch((error) => {
    throw signal?.aborted ? error : openingError(path, error);
  });
  try {
    let info = file.statSync();
    const size = () => isFile ? info.size : null;
    return {
      get size() {
        return size();
      },
      get total() {
        return size();
      },
      get modified() {
        return isFile ? info.mtime : null;
      },
      identity: isFile ? identify(info) : null,
      isRewindable: isFile,
      hasChanged() {
        if (!isFile) return false;
        const before = identify(info);
        info = locally(() => file.statSync());
        return identify(info) !== before;
      },
      read: (offset, blocksize) => withSourceErrors(isFile ? blocksOf(file, offset, blocksize) : chunksOf(file, blocksize), {
        path,
        offset
      }),
      [Symbol.dispose]: () => file.close()
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
function openPlain(path, plain) {
  const file = new PlainFile(path, plain);
  let info = file.stat();
  return {
    get size() {
      return info.size;
    },
    get total() {
      return info.size;
    },
    get modified() {
      return info.mtime;
    },
    identity: identify(info),
    isRewindable: true,
    hasChanged() {
      const before = identify(info);
      info = locally(() => file.stat());
      return identify(info) !== before;
    },
    read: (offset, blocksize) => withSourceErrors(file.read(offset, blocksize), {
      path,
      offset
    }),
    [Symbol.dispose]: () => file[Symbol.dispose]()
  };
}
function identify({ size, mtime }) {
  return JSON.stringify([
    size,
    mtime
  ]);
}
async function* blocksOf(file, offset, blocksize) {
  file.seekSync(offset, Deno.SeekMode.Start);
  const buffer2 = new Uint8Array(blocksize);
  while (true) {
    const n = file.readSync(buffer2);
    if (n === null) return;
    yield buffer2.subarray(0, n);
  }
}
function withSourceErrors(chunks, file) {
  return {
    [Symbol.asyncIterator]() {
      const iterator = chunks[Symbol.asyncIterator]();
      let at = file?.offset ?? 0;
      return {
        next: () => locallyAsync(async () => {
          try {
            const result = await iterator.next();
            if (!result.done) at += result.value.length;
            return result;
          } catch (error) {
            throw file === void 0 ? error : withMessage(error, (message) => `Cannot read ${quote(file.path)} after ${at} bytes: ${message}`);
          }
        }),
        async return() {
          await iterator.return?.();
          return {
            done: true,
            value: void 0
          };
        }
      };
    }
  };
}

// lib/files/upload/remote_target.ts
init_printable();

// lib/files/replacement.ts
init_printable();

// lib/files/upload/errors.ts
init_printable();
function temporaryNameError(error, remote) {
  const { reply, command } = error;
  return new FTPPermanentError(withAdvice(error.message, `this is the temporary name of ${quote(remote)}; if the server refuses such names, set { temporaryName } or { atomic: false }`), {
    reply,
    command,
    cause: error
  });
}
function replacementError(error, remote, advice) {
  return new FTPPermanentError(withAdvice(`Cannot put the upload in place as ${quote(remote)}: ${error.message}`, advice), {
    reply: error.reply,
    command: error.command,
    cause: error
  });
}
function strandedFilesError(error, remote, { aside, path }) {
  const { message, reply, command } = error;
  return new FTPError(`Cannot put the upload in place as ${quote(remote)}, nor the old file back: the old file is ${quote(aside)}, the complete new one is ${quote(path)}; rename one of them: ${message}`, {
    reply,
    command,
    cause: error
  });
}

// lib/files/upload/file_mode.ts
var CHMOD = "SITE CHMOD";
var STAT = "STAT path";
var MLST = "MLST";
var PATTERN_REGEXP = /[*?[\]{}\\~]|^-/;
var BLANK_REGEXP = / /;
function canChangeMode(session) {
  return !session.profile.lacks(CHMOD) && !session.profile.lacks(STAT);
}
async function requestMode(session, path, options) {
  const isPattern2 = PATTERN_REGEXP.test(path);
  const isOdd = isPattern2 || BLANK_REGEXP.test(path);
  const ask3 = (verb, key) => requestLines(session, {
    verb,
    argument: path,
    name: "remote"
  }, key, options);
  const [status, facts] = await Promise.all([
    isPattern2 ? [] : ask3("STAT", STAT),
    isOdd && !session.profile.lacks(MLST) ? ask3("MLST", MLST) : []
  ]);
  const listed = readListing(session, status);
  return listed.length > 0 ? modeOfListed(listed, path) : readFactOfMode(facts);
}
function readListing(session, lines) {
  const { encoding } = session.control;
  const entries = [];
  const reader = new ListingReader({
    decode: (bytes2) => encoding.decode(bytes2),
    format: "unix",
    onSelf: (entry) => entries.push(entry)
  });
  entries.push(...reader.push(encoding.encode(lines.join("\n"))));
  entries.push(...reader.end());
  return entries.filter(({ mode }) => mode !== void 0);
}
function modeOfListed([entry, ...others], path) {
  const { isFile, line, mode } = entry;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const isIt = isFile && line.endsWith(name) && others.length === 0;
  return isIt ? mode & 511 : void 0;
}
function readFactOfMode(lines) {
  const found = lines.map((line) => parseFacts(line).facts).find(({ type }) => type?.toLowerCase() === "file");
  const mode = (readOctal(found?.["unix.mode"]) ?? 511) & 511;
  return mode === 511 ? void 0 : mode;
}
async function tryToChangeMode(turn, path, mode, options) {
  try {
    await turn.exchange(chmodCommand(turn.session, path, mode), options);
  } catch (error) {
    noteUnknown(turn.session, error, CHMOD);
  }
}
async function requestLines(session, command, key, options) {
  try {
    const { lines } = await session.shared((turn) => turn.exchange(command, options), options);
    return lines.map((line) => line.replace(/^2\d\d[- ]/, "").trimStart());
  } catch (error) {
    noteUnknown(session, error, key);
    if (isRefusal(error)) return [];
    throw error;
  }
}
function noteUnknown(session, error, key) {
  if (isUnknownCommand(replyOf(error))) session.profile.noteLacking(key);
}

// lib/files/upload/temporary_name.ts
init_check_word();
init_printable();
function temporaryPath(remote, mark, isResumable, { temporaryName }) {
  const [directory, name] = splitPath(remote);
  if (temporaryName === void 0) {
    return directory + partName(name, mark, isResumable);
  }
  const chosen = temporaryName(name, isResumable ? `resume-${mark}` : mark);
  const isUsable = typeof chosen === "string" && chosen !== name && chosen !== "" && chosen !== "." && chosen !== ".." && !/[/\\\0\r\n]/.test(chosen);
  if (isUsable) return directory + chosen;
  throw new TypeError(`Cannot use ${showValue(chosen)} as the temporary name of ${quote(remote)}: it must be a single path segment, and not the target's own name`);
}
async function refuseDataSet(session, remote, options) {
  if (!isDataSet(session, remote)) return;
  let reply;
  try {
    reply = await session.shared((turn) => turn.exchange({
      verb: "SYST"
    }, options), options);
  } catch (error) {
    if (isRefusal(error)) return;
    throw error;
  }
  if (/\bMVS\b/.test(reply.text)) throw dataSetError(remote);
}
function dataSetError(remote) {
  return new Deno.errors.NotSupported(`Cannot upload to ${quote(remote)} under a temporary name: z/OS cannot store a file next to a data set; use { atomic: false }`);
}

// lib/files/replacement.ts
var TAKEN = "SIZE of what was renamed";
var Replacement = class {
  /** Size of the old file; `null` if there is none, `undefined` if unknown. */
  oldSize;
  #remote;
  #options;
  #upload;
  #aside;
  #isDone = false;
  /** Creates a replacement, without any command. */
  constructor(remote, options) {
    this.#remote = remote;
    this.#options = options;
  }
  /** Whether a rename was sent, and may have been executed. */
  get hasBegun() {
    return this.#upload !== void 0;
  }
  /** Whether the new file was found in its place. */
  get isDone() {
    return this.#isDone;
  }
  /** Path of the old file if it was moved aside. */
  get aside() {
    return this.#aside;
  }
  /**
   * Sends the rename in a turn in which `RNFR` was accepted.
   *
   * @returns What {@linkcode run} needs to check it
   */
  begin(turn, upload2, accepted) {
    this.#upload = upload2;
    const sizes = this.#rename(turn, upload2, accepted);
    sizes.catch(() => {
    });
    return sizes;
  }
  /**
   * Puts the new file in its place. May be called again after a failure.
   *
   * @param begun The result of {@linkcode begin}, if it was called
   * @throws {FTPError} If the server refuses: the old file is in its place
   * @throws {Error} `Deno.errors.*` if the connection fails; {@linkcode settle}
   * finds out what was done
   */
  async run(session, upload2, begun) {
    const options = this.#options;
    const remote = this.#remote;
    if (this.hasBegun && begun === void 0) {
      this.#upload = upload2;
      if (isTrue(await this.settle(session, options), remote)) return;
    }
    this.#upload = upload2;
    try {
      await this.#renameOver(session, upload2, begun);
    } catch (error) {
      if (!isUsableRefusal(session, error)) throw error;
      if (isTrue(await this.#isInPlace(session, options), remote)) return;
      await this.#replaceRefused(session, upload2, error);
    }
  }
  /**
   * Finds out what a command without a reply did. Restores the old file if no
   * file has the name.
   *
   * @returns Whether the new file is in its place; `undefined` if nothing shows
   * it
   * @throws {FTPError} If the old file cannot be restored; the message contains
   * its path
   */
  async settle(session, options) {
    const isInPlace = this.#isDone || await this.#isInPlace(session, options);
    this.#isDone = isInPlace === true;
    if (isInPlace) await this.#dropAside(session, options);
    else await this.#restoreOld(session, options);
    return isInPlace;
  }
  async #renameOver(session, upload2, begun) {
    const { signal } = this.#options;
    const [now, left = null] = await (begun ?? session.exclusive((turn) => this.#rename(turn, upload2), {
      signal
    }));
    if (now === void 0) return;
    if (now === upload2.size && left === null) return;
    await this.#checkRename(session, upload2);
  }
  /**
   * Renames, and asks for sizes and for what the next operation asks first, in
   * one round trip.
   *
   * @param accepted The reply to `RNFR`, if it was sent before
   */
  async #rename(turn, upload2, accepted) {
    const { signal } = this.#options;
    const { path, mode, size, isVisible, next } = upload2;
    const { oldSize } = this;
    const hasSizes = isVisible && !turn.session.profile.lacks("SIZE");
    const isAlike = oldSize === void 0 || oldSize === size;
    const changing = mode === void 0 ? void 0 : tryToChangeMode(turn, path, mode, {
      signal
    });
    const renaming = accepted === void 0 ? rename(turn, path, this.#remote, {
      signal,
      isAtOnce: true
    }) : completeRename(turn, accepted, this.#remote, {
      signal
    });
    renaming.catch(() => {
    });
    const asking = Promise.all([
      this.#remote,
      ...isAlike ? [
        path
      ] : []
    ].filter(() => hasSizes).map((path2) => requestBinarySize(turn, path2, {
      signal
    })));
    asking.catch(() => {
    });
    if (turn.session.control.isPipelining) next()?.(turn);
    await renaming;
    await changing;
    return await asking;
  }
  /** Checks a rename that the server confirmed. */
  async #checkRename(session, upload2) {
    const options = this.#options;
    const { path, size } = upload2;
    let isLeft2;
    let now = null;
    await backOff(options, async () => {
      isLeft2 = await isThere(session, path, options);
      now = await session.shared((turn) => requestBinarySize(turn, this.#remote, options), options);
      if (isLeft2 !== false) return isLeft2 === void 0;
      if (now === null) return session.profile.lacks(TAKEN);
      return now === size || now !== this.oldSize;
    });
    const isDone2 = isLeft2 === void 0 || isLeft2 === false && (now === null || now === size || now !== this.oldSize);
    if (isDone2 && now === null) session.profile.noteLacking(TAKEN);
    if (isDone2) return;
    throw new FTPError(`Cannot put the upload in place as ${quote(this.#remote)}: the server confirmed the rename, but ${isLeft2 ? `the file is still ${quote(path)}` : `the old file, of ${now} bytes, is still there`}; if the server renames no files, use { atomic: false }`);
  }
  /**
   * Handles a refused `RNTO`: finds the reason, and moves the old file aside if
   * that is allowed.
   */
  async #replaceRefused(session, upload2, refusal3) {
    const options = this.#options;
    const remote = this.#remote;
    await refuseDirectory(session, remote, refusal3, options);
    if (refusal3 instanceof FTPTemporaryError) throw refusal3;
    if (!refusal3.command?.startsWith("RNTO")) {
      const isLeft2 = await isThere(session, upload2.path, options);
      throw replacementError(refusal3, remote, isLeft2 === false ? `the server took the temporary file ${quote(upload2.path)} away (as a drop box does): use { atomic: false }` : "if the server renames no files, use { atomic: false }");
    }
    if (options.replace !== "delete") {
      throw replacementError(refusal3, remote, 'if the server refuses to rename over a file, use { replace: "delete" } or { atomic: false }');
    }
    if (await isThere(session, remote, options) === false) {
      throw replacementError(refusal3, remote, "there is no old file in the way: if the server renames no files, use { atomic: false }");
    }
    await this.#swap(session, upload2, refusal3);
  }
  /**
   * Moves the old file aside and the new one in its place, without a round trip
   * in between. Undone if it fails.
   */
  async #swap(session, { path }, refusal3) {
    const options = this.#options;
    const { signal } = options;
    const remote = this.#remote;
    const aside = this.#aside = this.#asidePath(path);
    const [moving, renaming] = await session.exclusive((turn) => Promise.allSettled([
      [
        remote,
        aside
      ],
      [
        path,
        remote
      ]
    ].map(([from, to]) => rename(turn, from, to, {
      signal,
      isAtOnce: true
    }))), {
      signal
    });
    for (const outcome of [
      moving,
      renaming
    ]) {
      const isLost2 = outcome.status === "rejected" && !isUsableRefusal(session, outcome.reason);
      if (isLost2) throw outcome.reason;
    }
    if (isTrue(await this.settle(session, options), remote)) return;
    const isMoved = moving.status === "fulfilled";
    const cause = renaming.reason ?? refusal3;
    if (isMoved && cause instanceof FTPTemporaryError) throw cause;
    throw replacementError(isMoved ? cause : refusal3, remote, isMoved ? "the old file is in its place again: if the server renames no files, use { atomic: false }" : `the old file could not be moved out of the way either (${withoutPeriod(moving.reason.reply?.text ?? "")}): use { atomic: false }`);
  }
  /** Returns a path for the old file that differs from the temporary one. */
  #asidePath(path) {
    const mark = randomMark();
    const chosen = temporaryPath(this.#remote, mark, false, this.#options);
    return chosen === path ? `${this.#remote}.${mark}.old` : chosen;
  }
  /** Whether the new file has the target's name. */
  async #isInPlace(session, options) {
    const { path, size, compare } = this.#upload;
    const { aside, oldSize } = this;
    const remote = this.#remote;
    const now = await session.shared((turn) => requestBinarySize(turn, remote, options), options);
    if (now !== null && now !== size) return false;
    const isLeft2 = await isThere(session, path, options);
    const isAlike = now === null || oldSize === void 0 || oldSize === now;
    if (isLeft2 === true && isAlike) return false;
    const isMoved = isLeft2 === false && aside !== void 0 && await isThere(session, aside, options);
    if (isMoved) return now === size || await isThere(session, remote, options);
    const isSame = await compare(session, options);
    if (isSame !== void 0) return isSame;
    if (isLeft2 !== false) return false;
    if (!isAlike) return true;
    const isNothing = now === null && await isThere(session, remote, options) === false;
    return isNothing ? false : void 0;
  }
  /** Deletes the old file after it was replaced. */
  async #dropAside(session, options) {
    const { aside } = this;
    if (aside === void 0) return;
    const [failure3] = await deleteAll2(session, [
      aside
    ], options);
    const isLost2 = failure3 !== void 0 && !isUsableRefusal(session, failure3);
    if (isLost2) throw failure3;
    this.#aside = void 0;
  }
  /** Restores the old file's name, if it was moved. */
  async #restoreOld(session, options) {
    const { aside } = this;
    if (aside === void 0) return;
    let obstacle;
    if (await isThere(session, this.#remote, options) !== true) {
      try {
        await session.exclusive((turn) => rename(turn, aside, this.#remote, {
          signal: options.signal,
          isAtOnce: true
        }), options);
      } catch (error) {
        if (!isUsableRefusal(session, error)) throw error;
        obstacle = error;
      }
    }
    const isBack = obstacle === void 0 || await isThere(session, this.#remote, options) !== false || await isThere(session, aside, options) === false;
    if (!isBack) {
      const { path } = this.#upload;
      throw strandedFilesError(obstacle, this.#remote, {
        aside,
        path
      });
    }
    this.#aside = void 0;
  }
};
function isTrue(isInPlace, remote) {
  if (isInPlace !== void 0) return isInPlace;
  throw new FTPError(`Cannot confirm that the upload is in place as ${quote(remote)}: the server did not say so, and nothing else tells the new file from the old one; compare them`);
}
function isUsableRefusal(session, error) {
  return isRefusal(error) && error.reply.code !== 421 && !session.isLost;
}

// lib/files/upload/remote_target.ts
var CLEANUP_TIMEOUT2 = 5e3;
var LARGE = 1024 * 1024;
var UNANSWERED_REGEXP = /^Cannot complete "(STOR|APPE) /;
var UploadTarget = class {
  /** Whether the file under {@linkcode path} belongs to this upload. */
  isOwn = false;
  /** Whether a command to write was sent. */
  isTouched = false;
  /** Whether something may have the path {@linkcode path} already. */
  isThere = false;
  /** Whether the first name is random, and therefore unique. */
  isNew;
  /** Path of the file to replace. */
  remote;
  #options;
  #first;
  #path;
  #abandoned = [];
  #isPrepared = false;
  #isInDoubt = false;
  #isLocked = false;
  #replacement;
  #mode;
  /**
   * Chooses the temporary name.
   *
   * @param identity Identifies the source, if the upload may be resumed
   */
  constructor(remote, identity, options) {
    const { atomic = true, resume = false } = options;
    const [, name] = splitPath(remote);
    if ([
      "",
      ".",
      ".."
    ].includes(name)) {
      throw new TypeError(`Cannot upload to ${quote(remote)}: it is not the name of a file`);
    }
    const isResumable = resume && identity !== null;
    const mark = isResumable ? sha256Of(identity).slice(0, 16) : randomMark();
    this.#first = atomic ? temporaryPath(remote, mark, isResumable, options) : remote;
    this.#path = this.#first;
    this.isNew = atomic && !isResumable && this.#first.includes(mark);
    this.remote = remote;
    this.#options = options;
    this.#replacement = new Replacement(remote, options);
  }
  /** Whether the rename to the target was sent. */
  get isCommitting() {
    return this.#replacement.hasBegun;
  }
  /** Path that the bytes are written to. */
  get path() {
    return this.#path;
  }
  /**
   * Checks, before anything is sent, whether a temporary file can be written
   * next to the target, and whether the target is a directory.
   *
   * @param size Bytes to send, `null` if unknown. An additional request is
   * cheap before many bytes
   * @param ahead The old file's size, if the operation before has asked
   * @throws {Deno.errors.NotSupported} If a temporary file is not possible
   * @throws {FTPPermanentError} If the target is a directory
   */
  async prepare(session, size, ahead) {
    if (this.#path === this.remote || this.#isPrepared) return;
    const options = this.#options;
    await refuseDataSet(session, this.remote, options);
    const isLarge = (size ?? Infinity) > LARGE;
    const known = isLarge ? void 0 : await ahead.take(session, options);
    if (known !== void 0) {
      this.#replacement.oldSize = known;
    } else if (isLarge || canChangeMode(session)) {
      const asking = session.shared((turn) => requestBinarySize(turn, this.remote, options), options);
      const listing = isLarge ? isListedDirectory(session, this.remote, options) : void 0;
      listing?.catch(() => {
      });
      requestAhead(session, options);
      try {
        this.#replacement.oldSize = await asking;
      } catch (error) {
        if (!(error instanceof FTPTemporaryError)) throw error;
      }
      const isDirectory2 = await listing;
      const { oldSize = null } = this.#replacement;
      const isDoubtful2 = isDirectory2 === void 0 && (size ?? 0) > LARGE;
      if (oldSize === null && (isDirectory2 || isDoubtful2)) {
        await refuseDirectory(session, this.remote, void 0, options);
      }
    }
    this.#isPrepared = true;
  }
  /**
   * Requests the old file's permissions if they are not known yet, together
   * with other requests.
   */
  async inspect(session) {
    if (typeof this.#replacement.oldSize !== "number") return;
    if (this.isCommitting || !canChangeMode(session)) return;
    const options = this.#options;
    this.#mode ??= await requestMode(session, this.remote, options);
  }
  /**
   * Starts to write. If the server does not answer the command, the state of
   * the file is unknown: data held back by a lost connection may still arrive,
   * and empty the file.
   *
   * @param begin Sends the command
   */
  async write(begin2) {
    this.isTouched = this.isThere = true;
    try {
      return await begin2();
    } catch (error) {
      this.#isInDoubt = !isRefusal(error);
      this.#isLocked = error instanceof Deno.errors.TimedOut && UNANSWERED_REGEXP.test(error.message);
      throw this.isNameRefused(error) ? temporaryNameError(error, this.remote) : error;
    }
  }
  /**
   * Whether the server may have refused to write because of the temporary name
   * or the file under it.
   */
  isNameRefused(error) {
    return this.path !== this.remote && isRefusal(error, [
      501,
      550,
      553
    ]) && /^(STOR|APPE)/.test(error.command ?? "");
  }
  /**
   * Starts to write a file from its first byte. Deletes an existing file
   * before. Some servers refuse to overwrite it (ProFTPD's
   * `AllowOverwrite off`), or choose another name (Pure-FTPd's `--autorename`).
   *
   * @param begin Sends the command
   */
  async writeAnew(session, begin2) {
    if (!this.isThere || this.path === this.remote) {
      return await this.write(begin2);
    }
    const { path } = this;
    const [refusal3] = await deleteAll2(session, [
      path
    ], this.#options);
    try {
      return await this.write(begin2);
    } catch (error) {
      const isStuck2 = refusal3 !== void 0 && this.isNameRefused(error);
      const other = this.#otherPath();
      if (!isStuck2 || other === path) throw error;
      this.#startOver(other);
    }
    return await this.write(begin2);
  }
  /**
   * Renames the file, so that a command that arrives late cannot reach it. A
   * file written in place has only one name. A file locked by an old connection
   * is left behind: vsftpd lets no other connection write to it until the old
   * one has timed out (`lock_upload_files`; 300 seconds).
   */
  async leave(session) {
    if (!this.#isInDoubt || this.path === this.remote) return;
    const path = this.#otherPath();
    if (path === this.path) return;
    if (!this.isOwn || this.#isLocked) return this.#startOver(path);
    try {
      await this.#rename(session, path);
      this.#abandoned.push(this.path);
      this.#path = path;
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) {
        this.#abandoned.push(path);
        throw error;
      }
      this.#startOver(path);
    }
    this.#isInDoubt = false;
  }
  #otherPath() {
    return temporaryPath(this.remote, randomMark(), false, this.#options);
  }
  #startOver(path) {
    this.#abandoned.push(this.path);
    this.#path = path;
    this.isOwn = this.isThere = this.#isInDoubt = false;
  }
  /** Renames the file to the target. */
  async commit(session, upload2, begun) {
    const { path } = this;
    if (path === this.remote) return;
    const mode = this.#mode;
    await this.#replacement.run(session, {
      ...upload2,
      path,
      mode
    }, begun);
  }
  /**
   * Deletes the temporary files of earlier attempts, after the new file is in
   * its place. Uses another connection if this one is lost.
   */
  async tidy(provider) {
    if (this.#abandoned.length === 0) return;
    const signal = cleanupSignal(provider);
    await deleteAll2(provider.session, this.#abandoned, {
      signal
    });
    if (!provider.session.isLost) return;
    try {
      await provider.reconnect({
        signal
      });
    } catch {
      return;
    }
    await deleteAll2(provider.session, this.#abandoned, {
      signal
    });
  }
  /**
   * Whether nothing has to be asked before the rename: there is no old file
   * whose permissions matter.
   */
  isSimple(session) {
    return this.#path !== this.remote && !this.isCommitting && (this.#replacement.oldSize === null || !canChangeMode(session));
  }
  /** Sends the rename, in a turn in which `RNFR` was accepted. */
  beginCommit(turn, upload2, accepted) {
    const complete2 = {
      ...upload2,
      path: this.path,
      mode: void 0
    };
    return this.#replacement.begin(turn, complete2, accepted);
  }
  /**
   * Cleans up after a failure.
   *
   * @param isKept Whether the file stays, for a later call to resume
   * @returns The error to throw; `undefined` if the new file turns out to be in
   * its place
   */
  async rollBack(provider, error, isKept) {
    if (this.path === this.remote || !this.isTouched) return error;
    const { hasBegun } = this.#replacement;
    if (isKept && !hasBegun && this.path === this.#first) return error;
    try {
      const signal = cleanupSignal(provider);
      if (provider.session.isLost) {
        await provider.reconnect({
          signal
        });
      }
      const { session } = provider;
      await session.ready(signal, {
        isForced: true
      });
      if (hasBegun) {
        const isDone2 = await this.#settle(session, {
          signal
        });
        if (isDone2 instanceof Error) return isDone2;
        if (isDone2) {
          await deleteAll2(session, [
            this.path,
            ...this.#abandoned
          ], {
            signal
          });
          return this.#options.signal?.aborted ? error : void 0;
        }
        if (isDone2 === void 0) {
          return this.#withNotes(error, [
            this.#unknown
          ]);
        }
      }
      if (isKept) await this.#keep(session, {
        signal
      });
      else return await this.#discard(session, error, {
        signal
      });
      return error;
    } catch {
      if (this.#replacement.isDone && !this.#options.signal?.aborted) {
        return void 0;
      }
      return this.#inDoubt(error, isKept);
    }
  }
  /** Finds out the result of the rename, and restores the old file. */
  async #settle(session, options) {
    try {
      return await this.#replacement.settle(session, options);
    } catch (error) {
      const isStranded = error instanceof FTPError && session.control.failure === void 0;
      if (isStranded) return error;
      throw error;
    }
  }
  /** Keeps the longest unfinished file where the next call looks for it. */
  async #keep(session, options) {
    const sizes = [
      this.path,
      this.#first
    ].map((path) => session.shared((turn) => requestBinarySize(turn, path, options), options));
    const [size, first] = await Promise.all(sizes);
    const others = /* @__PURE__ */ new Set([
      this.path,
      ...this.#abandoned
    ]);
    const isLonger = (size ?? 0) > (first ?? 0);
    others.delete(isLonger ? this.path : this.#first);
    await deleteAll2(session, [
      ...others
    ], options);
    if (isLonger) await this.#rename(session, this.#first, options);
  }
  /** Deletes the temporary files, and adds the remaining ones to the error. */
  async #discard(session, error, options) {
    const paths = [
      this.path,
      ...this.#abandoned
    ];
    const refusals = await deleteAll2(session, paths, options);
    if (!this.isOwn || this.#options.signal?.aborted) return error;
    for (const [index, refusal3] of refusals.entries()) {
      if (refusal3 === void 0) continue;
      const path = paths[index];
      if (!(refusal3 instanceof FTPError)) throw refusal3;
      const isLeft2 = await isThere(session, path, options);
      if (isLeft2 === false) continue;
      const state2 = isLeft2 ? "is" : "may be";
      return this.#withNotes(error, [
        `the temporary file ${quote(path)} ${state2} left on the server: ${refusal3.message}`
      ]);
    }
    return error;
  }
  async #rename(session, path, { signal } = this.#options) {
    await session.exclusive((turn) => rename(turn, this.path, path, {
      signal,
      isAtOnce: true
    }), {
      signal
    });
  }
  /** Adds everything that could not be checked to the error. */
  #inDoubt(error, isKept) {
    const { aside, hasBegun } = this.#replacement;
    const notes = [];
    if (hasBegun) notes.push(this.#unknown);
    if (aside !== void 0) notes.push(`the old file may be ${quote(aside)}`);
    if (this.isOwn && !isKept) {
      notes.push(`the temporary file ${quote(this.path)} may be left on the server`);
    }
    return this.#withNotes(error, notes);
  }
  get #unknown() {
    return `the server did not confirm that the new file is in place as ${quote(this.remote)}`;
  }
  /**
   * Adds notes to the message of an error. The reason of an abort stays
   * unchanged.
   */
  #withNotes(error, notes) {
    if (this.#options.signal?.aborted) return error;
    return withMessage(error, (message) => withAdvice(message, notes.join("; ")));
  }
};
function cleanupSignal({ session }) {
  const { timeout } = session.options;
  return AbortSignal.timeout(Math.min(CLEANUP_TIMEOUT2, timeout || CLEANUP_TIMEOUT2));
}

// lib/files/upload/upload.ts
var BLOCK_SIZE6 = 128 * 1024;
function upload(provider, local, remote, options, limits = {}) {
  const ahead = new AskedAhead((turn) => requestBinarySize(turn, remote));
  const run2 = async (options2) => {
    using source = await openSource(local, remote, options2, limits.plain);
    const context = {
      ...limits,
      ahead
    };
    return await new Upload(provider, source, remote, options2, context).run();
  };
  return runOperation(provider, options, run2, ahead.ask);
}
var SHORT3 = 64 * 1024;
var COMBINED = "proof, time and RNFR together";
var Upload = class {
  #provider;
  #source;
  #options;
  #target;
  #tracker;
  #retries = {
    count: 0
  };
  #proof;
  /** Resume commands that may still work. */
  #resumeVerbs = [
    "STOR",
    "APPE"
  ];
  #isStored = false;
  /**
   * The error of a source that can be read once only, after all of it was sent.
   */
  #unconfirmed;
  /**
   * When the server wrote the last byte, from which its clock can be learned.
   */
  #written;
  #digester;
  /** Whether the size may be that of the compressed data. */
  #isAmbiguous = false;
  /** Whether the data must not be compressed. */
  #isPlain = false;
  /** Whether {@linkcode #prove} sends the file again. */
  #isProving = false;
  /** The property that was found equal. */
  #verified = null;
  /** The time that the file was given. */
  #mtime = null;
  #ahead;
  #onEnding;
  /** The rename that was sent together with its checks. */
  #begun;
  constructor(provider, source, remote, options, { limiter, onEnding, ahead }) {
    checkTransferOptions(options);
    this.#provider = provider;
    this.#ahead = ahead;
    this.#onEnding = onEnding;
    this.#source = source;
    this.#options = options;
    this.#target = new UploadTarget(remote, source.identity, options);
    this.#proof = new UploadProof(source, this.#target, options);
    this.#tracker = new ProgressTracker(options, BLOCK_SIZE6, limiter);
    this.#tracker.total = source.total;
  }
  async run() {
    try {
      const result = await withRecovery(this.#provider, countingRetries(this.#options, this.#retries), () => this.#tracker.position, () => this.#attempt());
      return result;
    } catch (error) {
      const isKept = this.#options.resume === true && this.#source.identity !== null && !(error instanceof FTPVerificationError);
      const last = this.#isStored ? error : this.#unconfirmed ?? error;
      const failure3 = await this.#target.rollBack(this.#provider, this.#options.signal?.aborted ? error : this.#afterAttempts(last), isKept);
      if (failure3 === void 0) return this.#result();
      throw failure3;
    }
  }
  #afterAttempts(error) {
    return afterAttempts(error, `Cannot upload to ${quote(this.#target.remote)}`, {
      retries: this.#retries.count,
      bytes: this.#tracker.position,
      size: this.#source.total
    });
  }
  async #attempt() {
    const { session } = this.#provider;
    if (!this.#isStored) await this.#store(session);
    const begun = this.#begun;
    this.#begun = void 0;
    if (!this.#target.isCommitting) await this.#check(session);
    await this.#target.commit(session, this.#complete, begun);
    await this.#target.tidy(this.#provider);
    return this.#result();
  }
  get #complete() {
    return {
      size: this.#tracker.position,
      isVisible: this.#verified !== null,
      next: () => this.#provider.operations.upcoming,
      compare: (session, options) => this.#proof.isInPlace(session, options)
    };
  }
  /**
   * Whether proof, time and `RNFR` may be sent together, and `RNTO` after their
   * replies.
   */
  #mayCombine(session) {
    const { verify = "size" } = this.#options;
    const { profile, control } = session;
    return verify === "size" && !this.#isProving && control.isPipelining && this.#target.isSimple(session) && this.#dating(session) !== false && ![
      "SIZE",
      HIDDEN,
      COMBINED
    ].some((what) => profile.lacks(what));
  }
  /**
   * Returns a function that sets the file's time at once; `undefined` if no
   * time is to be set, and `false` if that takes more than one known command.
   */
  #dating(session) {
    const { mtime = true } = this.#options;
    const { modified } = this.#source;
    if (!mtime || modified === null) return void 0;
    return knownDating(session, this.#target.path, modified) ?? false;
  }
  /**
   * Waits for the confirmation, verifies the file, sets its time, and sends the
   * rename if all of that succeeded. Otherwise the file keeps its temporary
   * name, and {@linkcode #check} finds the reason.
   */
  async #combine(session, transfer, from) {
    const { signal } = this.#options;
    const { path } = this.#target;
    const sent = this.#tracker.position;
    const dating = this.#dating(session) || void 0;
    const { mayAskBehind } = transfer;
    if (!mayAskBehind) await this.#confirm(transfer, from);
    let reporting;
    await session.exclusive(async (turn) => {
      let asked;
      const ask3 = (turn2) => {
        asked = Promise.all([
          requestBinarySize(turn2, path, {
            signal
          }),
          dating?.(turn2, {
            signal
          }),
          announceRename(turn2, path, {
            signal
          })
        ]);
        asked.catch(() => {
        });
      };
      let isRenaming = transfer.askBehind(ask3);
      try {
        if (mayAskBehind) await this.#confirm(transfer, from);
        if (!isRenaming) ask3(turn);
        isRenaming = true;
        const [size, isDated, accepted] = await asked.catch(noAnswers);
        const isRefused = isDated === false || accepted === void 0;
        if (isRefused) session.profile.noteLacking(COMBINED);
        if (size !== sent || isRefused || this.#isAmbiguous) return;
        this.#checkSource();
        reporting = this.#tracker.finish();
        reporting.catch(() => {
        });
        if (!await this.#isReported(reporting)) return;
        signal?.throwIfAborted();
        this.#verified = "size";
        noteDecompressed(session, true);
        this.#mtime = isDated ? this.#source.modified : null;
        session.profile.forgetLacking(HIDDEN);
        isRenaming = false;
        this.#begun = this.#target.beginCommit(turn, this.#complete, accepted);
        await this.#begun.catch(() => {
        });
      } finally {
        if (isRenaming) await cancelRename(turn, path);
      }
    }, {
      signal
    });
    await reporting;
  }
  /** Whether a callback that reports the end has ended already, without error. */
  async #isReported(reporting) {
    if (this.#options.onProgress === void 0) return true;
    return await settle(reporting.then(() => true), 0) ?? false;
  }
  /**
   * Waits for the confirmation of the transfer.
   *
   * @param from When the last bytes were sent
   */
  async #confirm(transfer, from) {
    const { position } = this.#tracker;
    await awaitConfirmation(transfer, position, position, this.#options);
    this.#written = {
      from,
      to: Date.now()
    };
    this.#isStored = true;
  }
  /** Proves that the file on the server is the source, and sets its time. */
  async #check(session) {
    const { verify = "size" } = this.#options;
    const inspecting = this.#target.inspect(session);
    const dating = verify === "hash" ? void 0 : this.#date(session);
    inspecting.catch(() => {
    });
    dating?.catch(() => {
    });
    this.#verified = verify === "none" ? null : await this.#prove(session);
    this.#mtime = await (dating ?? this.#date(session));
    if (this.#proof.wasLate) this.#mtime ??= await this.#date(session);
    await inspecting;
    this.#checkSource();
    await this.#tracker.finish();
  }
  #result() {
    return {
      size: this.#tracker.position,
      bytes: this.#tracker.moved,
      verified: this.#verified,
      mtime: this.#mtime,
      retries: this.#retries.count
    };
  }
  /**
   * Compares both files. Sends the file again if an earlier call left a
   * complete but wrong one, or if the server may have stored compressed data of
   * the same length.
   */
  async #prove(session) {
    try {
      const verified = await this.#verify(session);
      const isHashed = verified !== null && verified !== "size";
      if (!this.#isAmbiguous || isHashed) return verified;
      const { position } = this.#tracker;
      const error = this.#differs("size", position, position, `Cannot verify the upload of ${quote(this.#target.path)}: the compressed data has the same length, and the server may have stored that; omit "compress" or set { verify: "hash" }`);
      if (!this.#source.isRewindable) throw error;
      this.#isPlain = true;
    } catch (error) {
      const isLeft2 = error instanceof FTPVerificationError && this.#tracker.moved === 0;
      if (!isLeft2) throw error;
    }
    this.#isProving = true;
    try {
      await this.#store(session);
    } finally {
      this.#isProving = false;
    }
    return await this.#verify(session);
  }
  /** Sets the file's time, if that is wanted and possible. */
  async #date(session) {
    const { mtime = true, signal } = this.#options;
    const { modified } = this.#source;
    if (!mtime || modified === null) return null;
    const options = {
      signal,
      written: this.#written
    };
    const { path } = this.#target;
    return await setModificationTime(session, path, modified, options) ? modified : null;
  }
  /** Sends the bytes that the server lacks. */
  async #store(session) {
    this.#written = void 0;
    await this.#target.leave(session);
    await this.#target.prepare(session, this.#source.total, this.#ahead);
    const sent = this.#unconfirmed?.bytes;
    const stored = await this.#proof.stored(session, sent);
    const { size, total } = this.#source;
    this.#tracker.total = total;
    const isDoubtful2 = stored !== null && stored === size && mayBeLeftCompressed(session);
    if (isDoubtful2) this.#isPlain = true;
    const isThere2 = stored !== null && stored === (sent ?? size);
    if (isThere2 && !(isDoubtful2 && this.#source.isRewindable)) {
      this.#isAmbiguous = isDoubtful2;
      this.#tracker.position = stored;
      this.#isStored = true;
      return;
    }
    if (sent !== void 0) throw new LocalError(this.#unconfirmed);
    const kept = isDoubtful2 ? 0 : stored ?? 0;
    this.#tracker.position = kept;
    await this.#prepareDigest(session);
    const explain3 = (error) => explainRefusal(session, this.#target.remote, error, this.#options);
    const opened = Date.now();
    const { transfer, start } = await this.#open(session, kept).catch(async (error) => {
      throw await explain3(error);
    });
    this.#tracker.position = start;
    try {
      await this.#send(session, transfer, start, opened);
    } catch (refusal3) {
      if (this.#isStored) throw refusal3;
      const error = await explain3(refusal3);
      if (this.#source.isRewindable) throw error;
      if (!(error instanceof FTPUnconfirmedError)) throw new LocalError(error);
      throw this.#unconfirmed = error;
    }
    this.#isStored = true;
  }
  /** Opens the transfer at the last proven offset. */
  async #open(session, stored) {
    while (stored > OVERLAP && this.#resumeVerbs.length > 0) {
      try {
        if (this.#resumeVerbs[0] === "APPE") {
          const transfer2 = await this.#write(session, "APPE", 0);
          return {
            transfer: transfer2,
            start: stored
          };
        }
        if (await this.#mayRestart(session, stored)) {
          const start = stored - OVERLAP;
          return {
            transfer: await this.#write(session, "STOR", start),
            start
          };
        }
        this.#proof.isCurrent = false;
        stored = 0;
      } catch (error) {
        const isUseless = isRestRefused(error) || this.#target.isNameRefused(error);
        if (!isUseless) throw error;
      }
      this.#resumeVerbs.shift();
    }
    const early = await this.#readEarly();
    const options = {
      ...this.#opening,
      early
    };
    const transfer = await this.#target.writeAnew(session, () => openAt(session, "STOR", this.#target.path, 0, options));
    this.#target.isOwn = true;
    this.#proof.isCurrent = true;
    return {
      transfer,
      start: 0
    };
  }
  /**
   * Reads a small file, to send it with its command. Only to a temporary name:
   * if it is refused, nothing of an old file is lost.
   */
  async #readEarly() {
    const { size, isRewindable } = this.#source;
    const isSmall = isRewindable && size !== null && size <= SHORT3 && this.#tracker.isFree && this.#target.path !== this.#target.remote;
    if (!isSmall) return void 0;
    const bytes2 = new Uint8Array(size);
    let length = 0;
    for await (const chunk of this.#source.read(0, SHORT3)) {
      if (length + chunk.length > size) return void 0;
      bytes2.set(chunk, length);
      length += chunk.length;
    }
    return length === size ? bytes2 : void 0;
  }
  /** Whether the server keeps the bytes before an offset. */
  async #mayRestart(session, stored) {
    return await keepsBeginning(this.#source, stored, (verb, start) => verb === "STOR" ? this.#write(session, verb, start) : openAt(session, verb, this.#target.path, start, this.#opening), this.#options);
  }
  async #write(session, verb, start) {
    return await this.#target.write(() => openAt(session, verb, this.#target.path, start, this.#opening));
  }
  get #opening() {
    return {
      signal: this.#options.signal,
      isPlain: this.#isPlain
    };
  }
  async #send(session, transfer, start, opened) {
    const tracker = this.#tracker;
    const { blocksize } = tracker;
    let from = opened;
    await using alive = keepAlive(session, transfer, this.#options);
    let isWhole = false;
    const { early } = transfer;
    const rest = (this.#source.size ?? Infinity) - start;
    if (rest <= SHORT3) this.#onEnding?.();
    try {
      if (early !== void 0) {
        tracker.add(early.bytes);
        await transfer.data.written(early.bytes, early.writing);
      } else {
        const all = this.#source.read(start, blocksize);
        const chunks = this.#source.isRewindable ? all : whileOpen(transfer.data, all);
        for await (const chunk of chunks) {
          for (let at = 0; at < chunk.length; at += blocksize) {
            const block = chunk.subarray(at, at + blocksize);
            from = Date.now();
            await writeAll(transfer.data, block);
            this.#digester?.digester.update(block);
            const wait = tracker.add(block.length);
            if (wait !== void 0) await wait;
          }
        }
        isWhole = true;
        await transfer.data.closeWrite();
      }
      this.#isAmbiguous = isSizeAmbiguous(session, transfer.data);
    } catch (error) {
      alive.stop();
      const { signal } = this.#options;
      await transfer.endAfter(error, {
        signal,
        isWhole
      });
      const stored = await this.#proof.storedSize(session, tracker.position);
      const isProven = stored === tracker.position && !this.#proof.isOldSize(stored) && !isCompressionUnproven(session);
      if (isProven) return;
      throw error;
    }
    alive.stop();
    const isAlive = (this.#options.keepAlive ?? 0) > 0;
    if (!isAlive && this.#mayCombine(session)) {
      await this.#combine(session, transfer, from);
    } else {
      await this.#confirm(transfer, from);
    }
  }
  async #verify(session) {
    const { verify, signal } = this.#options;
    const { path } = this.#target;
    const sent = this.#tracker.position;
    const size = await this.#proof.storedSize(session, sent);
    const isOldSize = this.#proof.isOldSize(size);
    if (size !== null && size !== sent) {
      if (!isOldSize && isCompressionUnproven(session)) {
        noteDecompressed(session, false);
        throw this.#differs("size", sent, size, `Cannot verify the upload of ${quote(path)}: size is ${size}, not ${sent}; the server accepted "MODE Z", but may have stored the compressed data: omit "compress"`);
      }
      if (!isOldSize) throw this.#differs("size", sent, size);
      throw new LocalError(this.#differs("size", sent, size, `Cannot verify the upload of ${quote(path)}: the old file is still there, and the server may have stored the new one under another name`));
    }
    const hashes = verify === "hash" ? await hashBoth(session, path, {
      size: sent,
      signal
    }, (hash, signal2) => this.#digest(hash, signal2)) : void 0;
    const isSized = size !== null && !isOldSize;
    if (isSized && !this.#isAmbiguous) noteDecompressed(session, true);
    if (hashes === void 0) return isSized ? "size" : null;
    const { name, local, remote } = hashes;
    if (local !== remote) {
      if (this.#isAmbiguous) noteDecompressed(session, false);
      throw this.#differs(name, local, remote);
    }
    return name;
  }
  /** Prepares a hash of a stream, which can be read once only. */
  async #prepareDigest(session) {
    const { verify, signal } = this.#options;
    if (verify !== "hash" || this.#source.isRewindable) return;
    const hash = await chooseHash(session, {
      signal
    });
    if (hash !== void 0) {
      this.#digester = {
        hash,
        digester: new Digester(hash)
      };
    }
  }
  async #digest(hash, signal) {
    if (this.#digester !== void 0) return this.#digester.digester.digest();
    return await hashChunks(this.#source.read(0, BLOCK_SIZE6), hash, signal);
  }
  /**
   * Rejects a source that changed while it was sent: the upload is neither its
   * old nor its new version.
   */
  #checkSource() {
    const { size, modified } = this.#source;
    if (!this.#source.hasChanged()) return;
    const [what, expected, actual] = size !== this.#source.size ? [
      "size",
      size,
      this.#source.size
    ] : [
      "mtime",
      modified?.toISOString() ?? "unknown",
      this.#source.modified?.toISOString() ?? "unknown"
    ];
    throw this.#differs(what, expected, actual, `Cannot upload to ${quote(this.#target.remote)}: the local file changed during the upload; pass a file that is written all the time as an open Deno.FsFile`);
  }
  #differs(what, expected, actual, message = `Cannot verify the upload of ${quote(this.#target.path)}`) {
    this.#isStored = false;
    this.#proof.isCurrent = false;
    const error = new FTPVerificationError(message, {
      what,
      expected,
      actual
    });
    return this.#source.isRewindable ? error : new LocalError(error);
  }
};
function noAnswers(error) {
  if (!isRefusal(error) || error.reply.code === 421) throw error;
  return [
    null,
    void 0,
    void 0
  ];
}

// lib/mirror/mirror_directory.ts
init_waiting();
import { fileURLToPath as fileURLToPath5 } from "node:url";
init_printable();

// lib/mirror/compare.ts
var BLOCK_SIZE7 = 128 * 1024;
var MINUTE3 = 6e4;
function differenceOf(source, target, compare, isCurrent) {
  if (compare === "always") return "always";
  const isSized = source.size !== void 0 && target.size !== void 0;
  if (isSized && source.size !== target.size) return "size";
  if (compare === "size") return isSized ? void 0 : "size";
  return isCurrent() ? void 0 : "time";
}
function isSameTime(local, { shown, precision, zone = 0 }) {
  const meant = local + zone * MINUTE3;
  return Math.floor(meant / precision) === Math.floor(shown / precision);
}
function isWrittenLater(local, remote, now = Date.now()) {
  const earliest = remote.shown - remote.difference[1];
  return local < earliest && earliest <= now;
}
function isChangedEarlier(local, remote, now = Date.now()) {
  return local > remote.shown + remote.precision - remote.difference[0] && local <= now;
}
function isVague(remote, local, compare = "size-and-time") {
  if (compare === "always") return false;
  if (remote.size === void 0) return true;
  if (compare === "size" || remote.size !== local.size) return false;
  return remote.mtime === void 0 || remote.precision > 1e3;
}
function haveSameHash(provider, remote, local, size, options) {
  const { signal } = options;
  const compare = async () => {
    const hashes = await hashBoth(provider.session, remote, {
      size,
      signal
    }, (hash, signal2) => locallyAsync(async () => {
      using file = new PlainFile(local.path, local.plain);
      return await hashChunks(file.read(0, BLOCK_SIZE7), hash, signal2);
    }));
    return hashes && hashes.local === hashes.remote;
  };
  return runOperation(provider, options, (options2) => withRecovery(provider, options2, () => 0, compare));
}

// lib/mirror/snapshot.ts
init_printable();

// lib/mirror/name_table.ts
var BLOCK_SIZE8 = 65536;
var ROWS = 4096;
var MIN_SLOTS = 8192;
var WORDS = 4;
var MAX_LOAD = 0.75;
var NameTable = class {
  #blocks = [];
  /** Free code units at the end of the last block. */
  #free = 0;
  #rows = [];
  #size = 0;
  /** Numbers of names plus one, by hash; 0 for a free slot. */
  #slots = new Int32Array(MIN_SLOTS);
  // a server that knew the hash could choose names with equal ones
  #seeds = crypto.getRandomValues(new Int32Array(2));
  /** Number of names. */
  get size() {
    return this.#size;
  }
  /** Returns the number of a name; -1 if it was not added. */
  indexOf(name) {
    return this.#slots[this.#slotOf(name, this.#hashOf(name))] - 1;
  }
  /** Adds a name if it is new, and returns its number. */
  add(name) {
    const hash = this.#hashOf(name);
    const slot = this.#slotOf(name, hash);
    const known = this.#slots[slot] - 1;
    if (known >= 0) return known;
    const index = this.#size++;
    this.#slots[slot] = index + 1;
    this.#store(index, name, hash);
    if (this.#size > this.#slots.length * MAX_LOAD) this.#grow();
    return index;
  }
  /** Returns the name with a number. */
  at(index) {
    const { block, start, length } = this.#positionOf(index);
    let text = "";
    for (let at = start; at < start + length; at += ROWS) {
      const units = block.subarray(at, Math.min(start + length, at + ROWS));
      text += String.fromCharCode.apply(null, units);
    }
    return text;
  }
  #rowOf(index) {
    return this.#rows[Math.floor(index / ROWS)];
  }
  #positionOf(index) {
    const row = this.#rowOf(index);
    const at = index % ROWS * WORDS;
    return {
      block: this.#blocks[row[at + 1]],
      start: row[at + 2],
      length: row[at + 3]
    };
  }
  #store(index, name, hash) {
    const { length } = name;
    if (length > this.#free || this.#blocks.length === 0) {
      this.#free = Math.max(BLOCK_SIZE8, length);
      this.#blocks.push(new Uint16Array(this.#free));
    }
    const block = this.#blocks.at(-1);
    const start = block.length - this.#free;
    this.#free -= length;
    for (let at = 0; at < length; at++) block[start + at] = name.charCodeAt(at);
    if (index % ROWS === 0) this.#rows.push(new Int32Array(ROWS * WORDS));
    const words = [
      hash,
      this.#blocks.length - 1,
      start,
      length
    ];
    this.#rowOf(index).set(words, index % ROWS * WORDS);
  }
  /** Returns the slot of a name, or the free slot for it. */
  #slotOf(name, hash) {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let index; (index = this.#slots[slot] - 1) >= 0; ) {
      if (this.#isAt(index, name, hash)) break;
      slot = slot + 1 & mask;
    }
    return slot;
  }
  #isAt(index, name, hash) {
    if (this.#rowOf(index)[index % ROWS * WORDS] !== hash) return false;
    const { block, start, length } = this.#positionOf(index);
    if (length !== name.length) return false;
    for (let at = 0; at < length; at++) {
      if (block[start + at] !== name.charCodeAt(at)) return false;
    }
    return true;
  }
  #grow() {
    const slots2 = new Int32Array(this.#slots.length * 2);
    const mask = slots2.length - 1;
    for (let index = 0; index < this.#size; index++) {
      let slot = this.#rowOf(index)[index % ROWS * WORDS] & mask;
      while (slots2[slot] !== 0) slot = slot + 1 & mask;
      slots2[slot] = index + 1;
    }
    this.#slots = slots2;
  }
  #hashOf(name) {
    let hash = this.#seeds[0];
    const factor = this.#seeds[1] | 1;
    for (let at = 0; at < name.length; at++) {
      hash = Math.imul(hash ^ name.charCodeAt(at), factor);
      hash ^= hash >>> 15;
    }
    return hash;
  }
};

// lib/mirror/item_table.ts
var UNKNOWN_IDENTITY = {};
var MAX_OBJECTS = 4096;
var ROWS2 = 4096;
var MAX_TRAITS = 255;
var ItemTable = class {
  #objects = /* @__PURE__ */ new Map();
  #packed;
  /** Number of entries. */
  get size() {
    return this.#packed?.size ?? this.#objects.size;
  }
  /** Whether there is an entry of a name. */
  has(name) {
    return this.#packed?.has(name) ?? this.#objects.has(name);
  }
  /** Returns the entry of a name. */
  get(name) {
    return this.#packed === void 0 ? this.#objects.get(name) : this.#packed.get(name);
  }
  /** Adds an entry, or replaces the one of the same name. */
  set(item) {
    if (this.#packed !== void 0) return this.#packed.set(item);
    this.#objects.set(item.name, item);
    if (this.#objects.size > MAX_OBJECTS) this.#pack();
  }
  /** Returns the names, including those that are added meanwhile. */
  keys() {
    return this.#visit(this.#objects.keys(), (packed, index) => packed.name(index));
  }
  /** Returns the entries, including those that are added meanwhile. */
  values() {
    return this.#visit(this.#objects.values(), (packed, index) => packed.at(index));
  }
  *#visit(objects, read19) {
    let at = 0;
    for (const one of objects) {
      at++;
      yield one;
    }
    for (; at < (this.#packed?.size ?? 0); at++) yield read19(this.#packed, at);
  }
  #pack() {
    this.#packed = new PackedItems();
    for (const item of this.#objects.values()) this.#packed.set(item);
    this.#objects.clear();
  }
};
var PackedItems = class {
  #names = new NameTable();
  #sizes = new NumberColumn();
  #mtimes = new NumberColumn();
  #ctimes = new NumberColumn();
  #shown = new NumberColumn();
  #traits = [];
  /** Number of an entry's traits plus one, or 0 if it is whole. */
  #kinds = [];
  /** Entries that cannot be packed. */
  #whole = /* @__PURE__ */ new Map();
  get size() {
    return this.#names.size;
  }
  has(name) {
    return this.#names.indexOf(name) >= 0;
  }
  get(name) {
    const index = this.#names.indexOf(name);
    return index < 0 ? void 0 : this.at(index, name);
  }
  name(index) {
    return this.#names.at(index);
  }
  at(index, name) {
    const traits = this.#kinds[Math.floor(index / ROWS2)][index % ROWS2];
    if (traits === 0) return this.#whole.get(index);
    const { kind, timeCommand, precision } = this.#traits[traits - 1];
    return {
      name: name ?? this.#names.at(index),
      kind,
      size: this.#sizes.get(index),
      mtime: this.#mtimes.get(index),
      ctime: this.#ctimes.get(index),
      shown: this.#shown.get(index),
      timeCommand,
      precision,
      identity: UNKNOWN_IDENTITY,
      problem: void 0
    };
  }
  set(item) {
    const index = this.#names.add(item.name);
    if (index % ROWS2 === 0 && this.#kinds.length <= index / ROWS2) {
      this.#kinds.push(new Uint8Array(ROWS2));
    }
    const traits = this.#traitsOf(item);
    this.#kinds[Math.floor(index / ROWS2)][index % ROWS2] = traits;
    if (traits === 0) return void this.#whole.set(index, item);
    this.#whole.delete(index);
    this.#sizes.set(index, item.size);
    this.#mtimes.set(index, item.mtime);
    this.#ctimes.set(index, item.ctime);
    this.#shown.set(index, item.shown);
  }
  /** Returns the number of an entry's traits plus one; 0 if it stays whole. */
  #traitsOf(item) {
    const { kind, timeCommand, precision, identity, problem } = item;
    const { unique, canonical } = identity;
    const isWhole = problem !== void 0 || unique !== void 0 || canonical !== void 0;
    if (isWhole) return 0;
    const known = this.#traits.findIndex((traits) => traits.kind === kind && traits.timeCommand === timeCommand && traits.precision === precision);
    if (known >= 0) return known + 1;
    if (this.#traits.length === MAX_TRAITS) return 0;
    return this.#traits.push({
      kind,
      timeCommand,
      precision
    });
  }
};
var NumberColumn = class {
  #rows = [];
  get(index) {
    const value = this.#rows[Math.floor(index / ROWS2)]?.[index % ROWS2];
    return Number.isNaN(value) ? void 0 : value;
  }
  set(index, value) {
    const row = Math.floor(index / ROWS2);
    if (value === void 0 && this.#rows[row] === void 0) return;
    this.#rows[row] ??= new Float64Array(ROWS2).fill(NaN);
    this.#rows[row][index % ROWS2] = value ?? NaN;
  }
};

// lib/mirror/snapshot.ts
var Snapshot = class {
  /** The entries by name. */
  items = new ItemTable();
  /** Identifies the directory. */
  identity;
  /** Whether names with a leading dot may be missing. */
  hidesDots;
  /** Error that cut the listing, if there may be more entries. */
  partial;
  /** Whether the directory does not exist, and a dry run does not create it. */
  isMissing = false;
  #folded;
  #parts = [];
  /** Creates an empty snapshot. */
  constructor(identity = UNKNOWN_IDENTITY, hidesDots = false) {
    this.identity = identity;
    this.hidesDots = hidesDots;
  }
  /** Adds an entry. A second one of the same name makes both unusable. */
  add(item) {
    if (!this.items.has(item.name)) {
      if (isPart(item.name)) this.#parts.push(item.name);
      return this.set(item);
    }
    const problem = new Deno.errors.InvalidData(`Cannot tell two entries apart that are both called ${quote(item.name)}`);
    this.set({
      ...item,
      problem
    });
  }
  /** Adds or replaces an entry. */
  set(item) {
    this.items.set(item);
    this.#folded?.add(item.name);
  }
  /** Names of temporary files of earlier transfers. */
  get parts() {
    return this.#parts;
  }
  /**
   * Finds a name that some file systems treat as equal: it differs only in
   * case, or in how accents are composed.
   *
   * @returns The name, if the directory has one
   */
  caseVariantOf(name) {
    if (this.#folded === void 0) {
      this.#folded = new FoldedNames(this.items);
      for (const other of this.items.keys()) this.#folded.add(other);
    }
    return this.#folded.find(name);
  }
  /** Prepares {@linkcode caseVariantOf} for a large directory, with pauses. */
  async foldNames(signal) {
    if (this.#folded !== void 0) return;
    const folded = new FoldedNames(this.items);
    await visitAll(this.items.keys(), (name) => folded.add(name), signal);
    this.#folded ??= folded;
  }
};
var FoldedNames = class {
  #items;
  /** The other names of a directory that is not large, by folded form. */
  #few = /* @__PURE__ */ new Map();
  #table;
  /** The other names of a large directory, by the number of the folded form. */
  #names = /* @__PURE__ */ new Map();
  constructor(items) {
    this.#items = items;
  }
  add(name) {
    const folded = fold(name);
    if (folded === name) return this.#remove(folded);
    if (this.#table !== void 0) return this.#put(this.#table, folded, name);
    this.#few.set(folded, name);
    if (this.#few.size <= MAX_OBJECTS) return;
    this.#table = new NameTable();
    for (const [key, value] of this.#few) this.#put(this.#table, key, value);
    this.#few.clear();
  }
  /** Returns the name of a folded form that was added last. */
  find(name) {
    const folded = fold(name);
    const other = this.#table === void 0 ? this.#few.get(folded) : this.#names.get(this.#table.indexOf(folded));
    return other ?? (this.#items.has(folded) ? folded : void 0);
  }
  #remove(folded) {
    if (this.#table === void 0) this.#few.delete(folded);
    else this.#names.delete(this.#table.indexOf(folded));
  }
  #put(table, folded, name) {
    this.#names.set(table.add(folded), name);
  }
};
var MAX_NAME3 = 4096;
var ASCII_REGEXP2 = /^[\x00-\x7F]*$/;
var LONG_RUN_REGEXP = /\p{M}{31}/u;
function fold(name) {
  const isPlain2 = name.length > MAX_NAME3 || ASCII_REGEXP2.test(name) || LONG_RUN_REGEXP.test(name);
  if (isPlain2) return name.toLowerCase();
  return name.toUpperCase().toLowerCase().normalize("NFC");
}
function withoutMarks(name) {
  return name.replace(/[\p{M}\p{Cf}]+/gu, "");
}
function collisionKey(name) {
  if (name.length > MAX_NAME3) return "";
  const bare = ASCII_REGEXP2.test(name) ? name : withoutMarks(withoutMarks(name).normalize("NFKD"));
  let end = bare.length;
  while (end > 0 && (bare[end - 1] === "." || bare[end - 1] === " ")) end--;
  return fold(bare.slice(0, end));
}
function isLoop({ identity }, directory) {
  const { unique, canonical } = identity;
  for (let at = directory; at !== void 0; at = at.parent) {
    const isSame = unique !== void 0 && unique === at.identity.unique || canonical !== void 0 && canonical === at.identity.canonical;
    if (isSame) return true;
  }
  return false;
}
function quoteRoot(side) {
  const path = side.at("");
  return path === "" ? "the current directory" : quote(path);
}
function entryOf(directory, item) {
  const { name, kind, size, mtime } = item;
  return {
    path: joinPath(directory.path, name),
    name,
    depth: directory.depth + 1,
    kind,
    size,
    mtime: mtime === void 0 ? void 0 : new Date(mtime)
  };
}
function directoryOf({ path, depth }) {
  return {
    path,
    name: path.slice(path.lastIndexOf("/") + 1),
    depth,
    kind: "directory",
    size: void 0,
    mtime: void 0
  };
}

// lib/mirror/local_side.ts
init_printable();

// lib/mirror/staging.ts
var Staging = class {
  #path;
  #temporary = "";
  /**
   * Builds an entry and everything in it under another path.
   *
   * @returns Its disposal ends that
   */
  begin(path, temporary) {
    this.#path = path;
    this.#temporary = temporary;
    return {
      [Symbol.dispose]: () => this.#path = void 0
    };
  }
  /** Returns where an entry is now. */
  at(path) {
    const staged = this.#path;
    if (staged === void 0) return path;
    const isBelow2 = path === staged || path.startsWith(`${staged}/`);
    return isBelow2 ? this.#temporary + path.slice(staged.length) : path;
  }
};

// lib/mirror/local_side.ts
var WINDOWS_REGEXP = /[<>:"|?*\u0000-\u001F]|[. ]$|^(con|prn|aux|nul|com[0-9\u00B9\u00B2\u00B3]|lpt[0-9\u00B9\u00B2\u00B3])\s*(\.|$)/i;
var LocalSide = class {
  #root;
  #follows;
  #signal;
  #staging;
  /** Creates a side with a local root directory. */
  constructor(root, follows2, signal, staging = new Staging()) {
    this.#root = root;
    this.#signal = signal;
    this.#follows = follows2;
    this.#staging = staging;
  }
  at(path) {
    if (path === "") return this.#root;
    const now = this.#staging.at(path);
    return this.#root.endsWith("/") ? this.#root + now : `${this.#root}/${now}`;
  }
  // each lookup is synchronous, because the system's cache answers at once
  async read(directory) {
    try {
      return await this.#read(directory);
    } catch (error) {
      if (this.#signal?.aborted) throw error;
      const path = this.at(directory.path);
      throw withMessage(error, (message) => message.startsWith("Cannot ") ? message : `Cannot read the directory ${quote(path)}: ${message}`);
    }
  }
  async #read(directory) {
    this.#checkFolders(directory.path);
    const path = this.at(directory.path);
    const canonical = this.#follows ? Deno.realPathSync(path) : void 0;
    const folder = new Snapshot({
      canonical
    });
    const pauses = new PauseTimer();
    for await (const { name } of Deno.readDir(path)) {
      const item = this.#look(`${path}/${name}`, name);
      if (item !== void 0) folder.add(item);
      if (!pauses.isDue) continue;
      await pauses.pause(this.#signal);
      this.#checkFolders(directory.path);
    }
    this.#checkFolders(directory.path);
    return folder;
  }
  isVacant() {
    try {
      for (const _ of Deno.readDirSync(this.#root)) return false;
      return true;
    } catch (error) {
      return error instanceof Deno.errors.NotFound;
    }
  }
  probe(path) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    return Promise.try(() => this.#look(this.at(path), name));
  }
  /** Only the file system knows which names it folds. */
  mayHide() {
    return true;
  }
  /** Reads the directory: a file system may find other spellings, too. */
  async hasName(path) {
    const pauses = new PauseTimer();
    const name = path.slice(path.lastIndexOf("/") + 1);
    for await (const entry of Deno.readDir(this.at(parentOf(path)))) {
      if (entry.name === name) return true;
      if (pauses.isDue) await pauses.pause(this.#signal);
    }
    return false;
  }
  ask(directory, items) {
    return Promise.resolve(items.map(({ name }) => this.#has(joinPath(directory.path, name))));
  }
  #has(path) {
    if (!path.isWellFormed()) {
      return new TypeError(`Cannot look for ${quote(path)} here: its name is not valid text`);
    }
    try {
      return statOrNothing2(this.at(path), Deno.lstatSync) !== void 0;
    } catch (error) {
      return error;
    }
  }
  check(name) {
    checkLocalName(name, Deno.build.os);
  }
  ruleOf() {
  }
  async make(path) {
    if (path === "") {
      await Deno.mkdir(this.#root, {
        recursive: true
      });
      return false;
    }
    this.#checkFolders(parentOf(path));
    Deno.mkdirSync(this.at(path));
    return true;
  }
  /**
   * Returns a check of a file's path. It runs just before the file is opened,
   * written or renamed.
   */
  plain(path) {
    return {
      follows: this.#follows,
      check: () => {
        this.#checkFolders(parentOf(path));
        if (this.#follows) return;
        const whole = this.at(path);
        if (lstatOrNothing(whole)?.isFile === false) throw replacedError(whole);
      }
    };
  }
  /** Rejects directories that are reached through a link, below the root. */
  #checkFolders(path) {
    if (this.#follows || path === "") return;
    for (let end = 0; end >= 0; ) {
      end = path.indexOf("/", end + 1);
      const folder = this.at(end < 0 ? path : path.slice(0, end));
      if (!Deno.lstatSync(folder).isDirectory) throw replacedError(folder);
    }
  }
  async remove(entries, recursive) {
    const errors = [];
    for (const { path, kind } of entries) {
      try {
        this.#checkFolders(parentOf(path));
        const whole = this.at(path);
        if (kindOf4(Deno.lstatSync(whole)) !== kind) throw replacedError(whole);
        if (kind === "directory") await Deno.remove(whole, {
          recursive
        });
        else Deno.removeSync(whole);
        errors.push(void 0);
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }
  rename(from, to) {
    return Promise.try(() => {
      this.#checkFolders(parentOf(from));
      const target = this.at(to);
      if (lstatOrNothing(target) !== void 0) throw replacedError(target);
      Deno.renameSync(this.at(from), target);
    });
  }
  #look(path, name) {
    const info = statOrNothing2(path, Deno.lstatSync);
    if (info === void 0) {
      return name.includes("\uFFFD") ? unreadableItem(name) : void 0;
    }
    if (!info.isSymlink || !this.#follows) return itemOf(name, info, {});
    const target = statOrNothing2(path, Deno.statSync);
    if (target === void 0) {
      return itemOf(name, info, {}, danglingError(path));
    }
    const canonical = target.isDirectory ? Deno.realPathSync(path) : void 0;
    return itemOf(name, target, {
      canonical
    });
  }
};
function checkLocalName(name, os) {
  const isText = name.isWellFormed();
  if (isText && (os !== "windows" || !WINDOWS_REGEXP.test(name))) return;
  throw new Deno.errors.InvalidData(`Cannot use the name ${quoteEscaped(name)} here: ${isText ? "Windows does not allow such names" : "it is not valid text"}`);
}
function parentOf(path) {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}
function statOrNothing2(path, stat) {
  try {
    return stat(path);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    if (!isMissing) throw error;
    return void 0;
  }
}
function itemOf(name, info, identity, problem) {
  return {
    name,
    kind: kindOf4(info),
    size: info.size,
    mtime: info.mtime?.getTime(),
    // Deno cuts it to the second
    ctime: info.ctime ? info.ctime.getTime() + 999 : void 0,
    precision: 1,
    identity,
    problem
  };
}
function kindOf4({ isFile, isDirectory: isDirectory2, isSymlink }) {
  if (isFile) return "file";
  if (isDirectory2) return "directory";
  return isSymlink ? "symlink" : "other";
}
function unreadableItem(name) {
  return {
    name,
    kind: "unknown",
    size: void 0,
    mtime: void 0,
    precision: 1,
    identity: {},
    problem: new Deno.errors.InvalidData(`Cannot open ${quoteEscaped(name)}: its name is not valid text`)
  };
}
function danglingError(path) {
  return new Deno.errors.NotFound(`Cannot follow the symbolic link ${quote(path)}: its target does not exist`);
}

// lib/mirror/kind_replacement.ts
init_printable();

// lib/mirror/removals.ts
init_printable();
var WINDOW2 = 64;
function isExtraneous({ name }, source, target) {
  if (source.items.has(name)) return false;
  if (source.hidesDots && name.startsWith(".")) return false;
  const variant = source.caseVariantOf(name);
  return variant === void 0 || target.items.has(variant);
}
async function removeItems(removal, directory, items) {
  const { provider, report, options, reason = "missing" } = removal;
  const whole = [];
  let areGone = true;
  const pauses = new PauseTimer();
  for (const item of items) {
    if (pauses.isDue) await pauses.pause(options.signal);
    const entry = entryOf(directory, item);
    if (!report.includes(entry)) {
      areGone = false;
    } else if (item.problem !== void 0) {
      report.record({
        action: "skip",
        entry,
        reason: "hostile"
      });
      areGone = false;
    } else if (item.kind !== "directory" || options.filter === void 0) {
      whole.push(item);
    } else if (!await removeFiltered(removal, directory, item)) {
      areGone = false;
    }
  }
  for (let at = 0; at < whole.length; at += WINDOW2) {
    const some = whole.slice(at, at + WINDOW2);
    const missing = await findMissing(removal, directory, some);
    if (missing.length < some.length) areGone = false;
    const entries = missing.map((item) => entryOf(directory, item));
    const errors = await remove2(removal, entries, true);
    for (const [index, entry] of entries.entries()) {
      const error = errors[index];
      if (error === void 0) {
        report.record({
          action: "remove",
          entry,
          reason
        });
      } else {
        areGone = false;
        await report.attempt(provider, entry, () => Promise.reject(error));
      }
    }
  }
  return areGone;
}
async function countRemovals(removal, directory, items) {
  const { report, options } = removal;
  let removed = 0;
  let below = 0;
  const pauses = new PauseTimer();
  for (const item of items) {
    if (pauses.isDue) await pauses.pause(options.signal);
    const entry = entryOf(directory, item);
    if (!report.includes(entry) || item.problem !== void 0) continue;
    removed++;
    if (item.kind !== "directory") continue;
    const read19 = await readInner(removal, directory, item, entry);
    if (read19 === void 0) break;
    const { inner, folder } = read19;
    const { items: items2 } = folder;
    const counts = await countRemovals(removal, inner, items2.values());
    await visitAll(items2.values(), (item2) => {
      if (report.includes(entryOf(inner, item2))) below++;
    }, options.signal);
    below += counts.below;
    removed += counts.removed;
    if (counts.removed < items2.size + counts.below) removed--;
  }
  return {
    removed,
    below
  };
}
async function readInner({ provider, target, report }, directory, { identity }, entry) {
  const { path, depth } = entry;
  const inner = {
    path,
    depth,
    parent: directory,
    identity,
    isNew: false
  };
  const folder = await report.attempt(provider, entry, () => target.read(inner));
  return folder === void 0 ? void 0 : {
    inner,
    folder
  };
}
async function removeFiltered(removal, directory, item) {
  const { provider, report, options, reason = "missing" } = removal;
  const entry = entryOf(directory, item);
  const isMissing = (await findMissing(removal, directory, [
    item
  ])).length > 0;
  if (!isMissing) return false;
  if (options.dryRun !== true) {
    const [error2] = await remove2(removal, [
      entry
    ], false);
    if (error2 === void 0) {
      report.record({
        action: "remove",
        entry,
        reason
      });
      return true;
    }
  }
  const read19 = await readInner(removal, directory, item, entry);
  if (read19 === void 0) return false;
  const { inner, folder } = read19;
  const isEmptied = await removeItems({
    ...removal,
    isProven: false,
    variants: void 0
  }, inner, folder.items.values());
  if (!isEmptied) return false;
  const [error] = await remove2(removal, [
    entry
  ], false);
  if (error === void 0) report.record({
    action: "remove",
    entry,
    reason
  });
  else await report.attempt(provider, entry, () => Promise.reject(error));
  return error === void 0;
}
async function findMissing({ provider, source, target, report, isProven, variants }, directory, items) {
  if (isProven) return items;
  const answers = await source.ask(directory, items);
  const missing = [];
  for (const [index, item] of items.entries()) {
    const answer = answers[index];
    const entry = entryOf(directory, item);
    if (answer === false) {
      missing.push(item);
    } else if (answer instanceof TypeError) {
      report.record({
        action: "skip",
        entry,
        reason: "hostile"
      });
    } else if (answer !== true) {
      await report.attempt(provider, entry, () => Promise.reject(answer));
    } else if (variants?.caseVariantOf(item.name) !== void 0) {
      report.record({
        action: "skip",
        entry,
        reason: "twin"
      });
    } else {
      throw new Deno.errors.InvalidData(`Cannot remove ${quote(target.at(entry.path))}: the source has ${quote(source.at(entry.path))}, but does not list it`);
    }
  }
  return missing;
}
async function remove2({ target, options }, entries, recursive) {
  if (options.dryRun === true) return [];
  try {
    return await target.remove(entries, recursive);
  } catch (error) {
    return entries.map(() => error);
  }
}

// lib/mirror/safety.ts
init_printable();
function reasonToSkip(item, directory) {
  switch (item.kind) {
    case "file":
      return isPart(item.name) ? "part" : void 0;
    case "directory":
      if (isPart(item.name)) return "part";
      return isLoop(item, directory) ? "loop" : void 0;
    case "symlink":
      return "symlink";
    default:
      return "other";
  }
}
async function findCounterpart(side, { source, target }, { name }, path) {
  const listed = target.items.get(name);
  if (listed !== void 0) return {
    item: listed,
    isLate: false
  };
  if (target.isMissing) return void 0;
  await target.foldNames();
  const found = side.mayHide(target, name) ? await side.probe(path) : void 0;
  if (found === void 0) return void 0;
  const variant = target.caseVariantOf(name);
  const isOwn2 = variant === void 0 ? target.hidesDots : !source.items.has(variant);
  if (isOwn2) return {
    item: found,
    isLate: false
  };
  if (await side.hasName(path)) return {
    item: found,
    isLate: true
  };
  throw new Deno.errors.AlreadyExists(`Cannot write to ${quote(side.at(path))}: it is the same there as ${variant === void 0 ? "something else" : quote(variant)}`);
}
function lateError(path) {
  return new Deno.errors.AlreadyExists(`Cannot write to ${quote(path)}: it appeared after the directory was listed, and differs; another run may be writing here, otherwise try again`);
}
function checkClash(there, kind, path, mayRemove) {
  if (there.kind === "symlink") {
    throw new Deno.errors.AlreadyExists(`Cannot write to ${quote(path)}: it is a symbolic link there, which is not followed`);
  }
  if (there.kind !== "file" && there.kind !== "directory") {
    throw new Deno.errors.AlreadyExists(`Cannot write to ${quote(path)}: it is neither a file nor a directory there`);
  }
  if (mayRemove) return;
  throw new Deno.errors.AlreadyExists(`Cannot replace the ${there.kind} ${quote(path)} by a ${kind}: only { delete: true } removes it`);
}
function checkSource2({ source, target }, pair) {
  if (pair.source.items.size > 0 || pair.target.items.size === 0) return;
  throw new Deno.errors.InvalidData(`Cannot remove all that is in ${quoteRoot(target)}: the source ${quoteRoot(source)} is empty, which may be a mistake`);
}
async function findLost({ directory, source, target }, includes, signal) {
  await target.foldNames(signal);
  const [first] = await filterAll(source.items.values(), (item) => {
    const { name, problem } = item;
    const isListed = target.items.has(name) || target.caseVariantOf(name) !== void 0 || target.hidesDots && name.startsWith(".");
    return !isListed && problem === void 0 && reasonToSkip(item, directory) === void 0 && includes(item);
  }, signal);
  return first;
}
async function confirmKind(side, { kind }, path, { symlinks }) {
  const found = await side.probe(path);
  if (found?.kind === kind) return;
  if (found?.kind === "symlink" && symlinks === "follow") return;
  throw new Deno.errors.InvalidData(`Cannot remove what is in the way of ${quote(side.at(path))}: the source lists it as a ${kind}, and shows ${found === void 0 ? "nothing" : `a ${found.kind}`} under its name`);
}

// lib/mirror/kind_replacement.ts
var KIND = {
  reason: "kind",
  isProven: true
};
var KindReplacement = class {
  #task;
  #report;
  #options;
  #put;
  #transferTree;
  /** Creates a replacement for one mirror. */
  constructor({ task, report, options, put, transferTree }) {
    this.#task = task;
    this.#report = report;
    this.#options = options;
    this.#put = put;
    this.#transferTree = transferTree;
  }
  /** Replaces an entry by one of another kind. */
  async replace(pair, item, there) {
    const { atomic, dryRun } = this.#options;
    const { provider, source, target } = this.#task;
    const isStaged = dryRun !== true && atomic !== false;
    const entry = entryOf(pair.directory, item);
    const isAllowed2 = await this.#report.attempt(provider, entry, async () => {
      checkClash(there, item.kind, target.at(entry.path), true);
      await confirmKind(source, item, entry.path, this.#options);
      if (isStaged) await this.#checkRemoval(pair.directory, item, there);
      return true;
    });
    if (isAllowed2 === void 0) return;
    if (isStaged) await this.#replaceLast(pair, item, there);
    else await this.#replaceInPlace(pair, item, there);
  }
  /**
   * Removes an entry, and then transfers the one of another kind: for servers
   * that cannot rename.
   */
  async #replaceInPlace(pair, item, there) {
    const { directory } = pair;
    const { provider, source, target } = this.#task;
    const [report, options] = [
      this.#report,
      this.#options
    ];
    const removal = {
      provider,
      source,
      target,
      report,
      options,
      ...KIND
    };
    const entry = entryOf(directory, item);
    const next = await report.attempt(provider, entry, async () => {
      if (await removeItems(removal, directory, [
        there
      ])) {
        return await this.#put(pair, item);
      }
      throw this.#mustStay(there, item, entry);
    });
    if (next !== void 0) await this.#transferTree(next);
  }
  /**
   * Transfers an entry under a temporary name, and only then renames it and
   * removes the one of another kind.
   */
  async #replaceLast(pair, item, there) {
    const task = this.#task;
    const { provider, target } = task;
    const report = this.#report;
    const entry = entryOf(pair.directory, item);
    const { failed } = report.result;
    const temporary = task.temporaryPath(entry.path);
    let isPlaced = false;
    try {
      using _ = task.stage(entry.path, temporary);
      const next = await report.attempt(provider, entry, async () => {
        return await this.#put(pair, item);
      });
      if (next !== void 0) await this.#transferTree(next);
      isPlaced = report.result.failed === failed;
    } finally {
      if (!isPlaced) await this.#discard(target, {
        ...entry,
        path: temporary
      });
    }
    if (!isPlaced) return;
    const old = entryOf(pair.directory, there);
    const aside = {
      ...old,
      path: task.temporaryPath(entry.path)
    };
    await report.attempt(provider, entry, async () => {
      try {
        await replaceEntry(target, {
          temporary,
          path: entry.path,
          aside: aside.path
        });
      } catch (error2) {
        await this.#discard(target, {
          ...entry,
          path: temporary
        });
        if (isRefusal(error2)) {
          error2.message = withAdvice(error2.message, "if the server renames no directories, use { atomic: false }");
        }
        throw error2;
      }
      const [error] = await target.remove([
        aside
      ], true);
      if (error !== void 0) throw error;
      report.record({
        action: "remove",
        entry: old,
        reason: "kind"
      });
    });
  }
  /** Checks that an entry and all that is in it may be removed. */
  async #checkRemoval(directory, item, there) {
    if (this.#options.filter === void 0) return;
    const { provider, source, target } = this.#task;
    const [report, options] = [
      this.#report,
      this.#options
    ];
    const { failed } = report.result;
    const removal = {
      provider,
      source,
      target,
      report,
      options
    };
    const counts = await countRemovals(removal, directory, [
      there
    ]);
    const isWhole = counts.removed === 1 + counts.below && report.result.failed === failed;
    if (!isWhole) throw this.#mustStay(there, item, entryOf(directory, item));
  }
  #mustStay(there, item, { path }) {
    return new Deno.errors.AlreadyExists(`Cannot replace the ${there.kind} ${quote(this.#task.target.at(path))} by a ${item.kind}: not all of its entries could or may be removed`);
  }
  /** Removes a temporary entry, if that is possible. */
  async #discard(target, entry) {
    try {
      await target.remove([
        entry
      ], true);
    } catch {
    }
  }
};
async function replaceEntry(target, { temporary, path, aside }) {
  await target.rename(path, aside);
  try {
    await target.rename(temporary, path);
  } catch (error) {
    try {
      await target.rename(aside, path);
    } catch {
      const failure3 = asError(error);
      failure3.message = withAdvice(failure3.message, `what was in the way of ${quote(target.at(path))} is ${quote(target.at(aside))} now`);
    }
    throw error;
  }
}

// lib/mirror/tree_queue.ts
var TreeQueue = class {
  #operations;
  #directories;
  #open = [];
  /** Number of directories that are being read. */
  #entering = 0;
  /** Creates a queue with one directory in it. */
  constructor(root, operations) {
    this.#directories = [
      root
    ];
    this.#operations = operations;
  }
  get size() {
    return this.#open.reduce((sum, folder) => sum + folder.size, this.#directories.length);
  }
  /** Number of directories and entries that were not processed to their end. */
  get unfinished() {
    return this.#open.reduce((sum, folder) => sum + folder.unfinished, this.#directories.length + this.#entering);
  }
  take() {
    for (const folder of this.#open) {
      const item = folder.take();
      if (item !== void 0) {
        return (task) => this.#transfer(task, folder, item);
      }
      this.#takeDirectories(folder);
    }
    const directory = this.#directories.pop();
    return directory && ((task) => this.#enter(task, directory));
  }
  async #enter(task, directory) {
    this.#entering++;
    const pair = await this.#operations.open(task, directory);
    this.#entering--;
    if (pair === void 0) return;
    const folder = new OpenFolder(pair);
    this.#open.push(folder);
    await this.#closeIfDone(folder);
  }
  async #transfer(task, folder, item) {
    const directory = await this.#operations.transfer(task, folder.pair, item);
    folder.finish(item, directory);
    await this.#closeIfDone(folder);
  }
  async #closeIfDone(folder) {
    if (!folder.isDone) return;
    this.#takeDirectories(folder);
    this.#open.splice(this.#open.indexOf(folder), 1);
    await this.#operations.close(folder.pair);
  }
  #takeDirectories(folder) {
    for (const directory of folder.takeDirectories()) {
      this.#directories.push(directory);
    }
  }
};
var OpenFolder = class {
  pair;
  #items;
  /** Entries that wait for another one that may be the same file, by key. */
  #current = /* @__PURE__ */ new Map();
  /** Keys of the entries that are being processed. */
  #collisionKeys = /* @__PURE__ */ new Map();
  #next = [];
  #directories = [];
  #left;
  constructor(pair) {
    this.pair = pair;
    this.#items = pair.source.items.values();
    this.#left = pair.source.items.size;
  }
  /** Number of entries that were not taken. */
  get size() {
    return this.#left + this.#next.length;
  }
  /** Number of entries, and of directories found, that were not processed. */
  get unfinished() {
    let waiting = 0;
    for (const { items, next } of this.#current.values()) {
      waiting += items.length - Math.min(next, items.length);
    }
    return this.#left + waiting + this.#collisionKeys.size + this.#directories.length;
  }
  get isDone() {
    return this.size === 0 && this.#current.size === 0;
  }
  take() {
    const item = this.#next.shift();
    if (item !== void 0) return item;
    while (this.#left > 0) {
      this.#left--;
      const item2 = this.#items.next().value;
      const key = collisionKey(item2.name);
      const waiting = this.#current.get(key);
      if (waiting === void 0) {
        this.#current.set(key, {
          items: [],
          next: 0
        });
        this.#collisionKeys.set(item2, key);
        return item2;
      }
      waiting.items.push(item2);
    }
    return void 0;
  }
  finish(item, directory) {
    if (directory !== void 0) this.#directories.push(directory);
    const key = this.#collisionKeys.get(item);
    this.#collisionKeys.delete(item);
    const waiting = this.#current.get(key);
    const next = waiting.items[waiting.next++];
    if (next === void 0) {
      this.#current.delete(key);
    } else {
      this.#collisionKeys.set(next, key);
      this.#next.push(next);
    }
  }
  /** Returns the directories found so far, last first. */
  takeDirectories() {
    return this.#directories.splice(0).reverse();
  }
};

// lib/mirror/mirror.ts
init_printable();

// lib/mirror/options.ts
init_check_names();
init_check_word();
var MIRROR_OPTIONS = {
  ...TRANSFER_OPTIONS,
  compare: true,
  delete: true,
  maxDelete: true,
  filter: true,
  symlinks: true,
  maxDepth: true,
  dryRun: true,
  connections: true,
  list: true,
  onEntry: true
};
var DOWNLOAD_DIR_OPTIONS = {
  ...MIRROR_OPTIONS,
  maxSize: true,
  sync: true,
  removeSource: true
};
var UPLOAD_DIR_OPTIONS = {
  ...MIRROR_OPTIONS,
  replace: true,
  temporaryName: true
};
function checkMirrorOptions(options, isUpload2) {
  if (isUpload2) checkNames("uploadDir", options, UPLOAD_DIR_OPTIONS);
  else checkNames("downloadDir", options, DOWNLOAD_DIR_OPTIONS);
  const { compare, symlinks, list = {} } = options;
  checkWord("compare", compare, [
    "size-and-time",
    "size",
    "hash",
    "always"
  ]);
  checkWord("symlinks", symlinks, [
    "skip",
    "follow"
  ]);
  checkConnections(options.connections);
  limitOf(options.maxDelete);
  if (options.delete && options.removeSource) {
    throw new TypeError('Cannot use "removeSource" with "delete": the next call would remove the downloaded files');
  }
  checkNames("list", list, LIST_OPTIONS);
  checkListOptions(list);
  checkTransferOptions(options);
}
var SHARE_REGEXP = /^\d{1,3}(?:\.\d{1,9})?%$/;
function limitOf(maxDelete) {
  if (maxDelete === void 0) return {
    entries: Infinity,
    percent: Infinity
  };
  const isCount = maxDelete === Infinity || Number.isInteger(maxDelete) && Number(maxDelete) >= 0;
  if (isCount) return {
    entries: Number(maxDelete),
    percent: Infinity
  };
  const isShare = typeof maxDelete === "string" && SHARE_REGEXP.test(maxDelete);
  const percent = isShare ? parseFloat(maxDelete) : NaN;
  if (percent <= 100) return {
    entries: Infinity,
    percent
  };
  throw new RangeError(`Cannot use maxDelete ${showValue(maxDelete)}: it must be a number of entries from 0, or a percentage such as "10%"`);
}

// lib/mirror/errors.ts
var FTPMirrorError = class extends FTPError {
  /** Name of the class. */
  name = "FTPMirrorError";
  /** Counts of everything done. */
  result;
  /**
   * The first thousand failures: path relative to the mirrored directory ("" for
   * that directory), and error. `result.failed` counts all.
   */
  failures;
  /**
   * Number of the source's entries that were listed, and not reached before the
   * connection was lost; 0 in all other cases. A directory that was not listed
   * counts as one entry, and `filter` was not asked.
   */
  unreached;
  /**
   * Creates an error.
   *
   * @param message The action, and what is missing
   * @param options Result, failures, reply, command and cause
   */
  constructor(message, options) {
    super(message, options);
    this.result = options.result;
    this.failures = options.failures;
    this.unreached = options.unreached ?? 0;
  }
};

// lib/mirror/report.ts
init_printable();
var MAX_FAILURES = 1e3;
var COUNTS = {
  transfer: "transferred",
  unchanged: "unchanged",
  make: "made",
  remove: "removed",
  skip: "skipped",
  fail: "failed"
};
var MirrorReport = class {
  /** Counts so far. */
  result = {
    transferred: 0,
    unchanged: 0,
    made: 0,
    removed: 0,
    skipped: 0,
    failed: 0,
    bytes: 0
  };
  #dropWorker;
  #title;
  #options;
  #failures = [];
  /** Number of failures that ended the mirror. */
  #lost = 0;
  /** Bytes of each current file. */
  #current = /* @__PURE__ */ new Map();
  #listener = new Listener((fault) => new LocalError(fault));
  /** Starts with zero counts. */
  constructor(title, options, dropWorker) {
    this.#dropWorker = dropWorker;
    this.#title = title;
    this.#options = options;
  }
  /**
   * Whether an entry takes part.
   *
   * @throws {LocalError} If `filter` throws or does not return a boolean: a
   * promise would always count as true
   */
  includes(entry) {
    const { filter } = this.#options;
    if (filter === void 0) return true;
    return locally(() => {
      const isWanted = filter(entry);
      if (typeof isWanted === "boolean") return isWanted;
      throw new TypeError(`Cannot tell whether ${quote(entry.path)} takes part: "filter" must return true or false, not a promise or another value`);
    });
  }
  /**
   * Runs an action on one entry. If it fails, the mirror continues with the
   * others.
   *
   * @returns The result, or `undefined` if it failed
   * @throws {unknown} An error that ends the mirror
   */
  async attempt(provider, entry, run2) {
    try {
      return await run2();
    } catch (error) {
      if (error instanceof LocalError) throw error;
      this.#listener.check();
      this.#options.signal?.throwIfAborted();
      if (error instanceof Deno.errors.NotCapable) throw error;
      let loss = await reconnectIfLost(provider, this.#options, error);
      if (loss !== void 0 && this.#dropWorker(provider)) loss = void 0;
      this.record({
        action: "fail",
        entry,
        error
      });
      if (loss === void 0) return void 0;
      this.#lost++;
      throw this.error(loss.error);
    }
  }
  /**
   * Counts and reports an action.
   *
   * @throws {LocalError} If a callback has failed
   */
  record(event) {
    const { action, entry, error } = event;
    this.result[COUNTS[action]]++;
    if (action === "fail" && this.#failures.length < MAX_FAILURES) {
      const shown = printableError(error);
      this.#failures.push(printableRecord({
        path: entry.path,
        error: shown
      }));
    }
    this.#listener.call(() => this.#options.onEntry?.(event));
  }
  /**
   * Counts the bytes of a file.
   *
   * @param run Transfers the file, and returns the bytes transferred
   */
  async count(path, run2) {
    try {
      const bytes2 = await run2();
      this.result.bytes += bytes2;
    } finally {
      this.#current.delete(path);
    }
  }
  /** Returns a callback for the progress of a file. */
  progressOf(path) {
    const { onProgress } = this.#options;
    if (onProgress === void 0) return void 0;
    return (file) => {
      this.#current.set(path, file.transferred);
      const { transferred } = this.result;
      let { bytes: bytes2 } = this.result;
      for (const some of this.#current.values()) bytes2 += some;
      return this.#listener.call(() => onProgress({
        path,
        file,
        transferred,
        bytes: bytes2
      }));
    };
  }
  /** The caller's `onRetry`, with its failures recorded. */
  get onRetry() {
    return this.#listener.heard(this.#options.onRetry);
  }
  /**
   * Waits for pending callbacks at the end.
   *
   * @throws {LocalError} If one has failed
   */
  async settle() {
    await this.#listener.settle();
  }
  /**
   * Creates the error of an incomplete mirror.
   *
   * @param loss Error that ended the connection, if that is the reason
   * @param unfinished Number of entries that were not processed to their end,
   * those included that failed because of the loss
   */
  error(loss, unfinished = 0) {
    const unreached = Math.max(unfinished - this.#lost, 0);
    const { failed } = this.result;
    const [first] = this.#failures;
    const cause = loss ?? first?.error;
    const isWhole = loss === void 0 && failed === 1 && first?.path === "";
    const what = loss !== void 0 ? "the connection is lost: " : isWhole ? "" : `${failed} ${failed === 1 ? "entry" : "entries"} failed, ${failed === 1 ? "" : "the first "}${quote(first?.path ?? "")}: `;
    const rest = unreached === 0 ? "" : `${unreached} more ${unreached === 1 ? "entry was" : "entries were"} not reached`;
    const message = `${this.#title}: ${what}${asError(cause).message}`;
    return new FTPMirrorError(withAdvice(message, rest), {
      result: {
        ...this.result
      },
      failures: this.#failures,
      unreached,
      cause
    });
  }
};

// lib/mirror/mirror.ts
var MAX_DEPTH = 256;
var MAX_REMEMBERED2 = 1e3;
var Mirror = class {
  #pool;
  #options;
  #report;
  #maxDepth;
  #limit;
  #replacement;
  /** Entries of the target that take part, as far as it was read. */
  #entries = 0;
  /**
   * Directories with something to remove; `undefined` if there are too many.
   */
  #remembered = /* @__PURE__ */ new Set();
  #isUnread = false;
  /**
   * Creates a mirror.
   *
   * @param make Creates a task for one connection, with a signal that ends it
   * @throws {RangeError} If `maxDepth` is not 1 or more
   */
  constructor(provider, options, make) {
    const { maxDepth = MAX_DEPTH, connections: connections2 = 1, dryRun, signal } = options;
    if (!(maxDepth >= 1)) {
      throw new RangeError(`Cannot mirror ${maxDepth} levels: "maxDepth" must be 1 or more`);
    }
    const most = dryRun === true ? 1 : connections2;
    const pool = new WorkerPool(provider, {
      most,
      signal
    }, make);
    this.#pool = pool;
    this.#options = {
      ...options,
      signal: pool.signal
    };
    this.#maxDepth = maxDepth;
    this.#limit = limitOf(options.maxDelete);
    this.#report = new MirrorReport(pool.first.title, this.#options, (provider2) => pool.dropWorker(provider2));
    this.#replacement = new KindReplacement({
      task: pool.first,
      report: this.#report,
      options: this.#options,
      put: (pair, item) => this.#put(pool.first, pair, item, void 0),
      transferTree: (directory) => this.#transferTree(directory)
    });
  }
  /**
   * Runs the mirror.
   *
   * @throws {FTPMirrorError} If something failed
   */
  async run() {
    const { result } = this.#report;
    const root = {
      path: "",
      depth: 0,
      parent: void 0,
      identity: {},
      isNew: false
    };
    await unwrapped(async () => {
      await this.#pool.prepare();
      await this.#transferTree(root);
      if (result.failed === 0) await this.#checkLimit(root);
      if (result.failed === 0) await this.#removeExtraneous(root);
      await this.#report.settle();
    });
    if (result.failed > 0) throw this.#report.error();
    return {
      ...result
    };
  }
  /** Closes the connections that the mirror opened. */
  async [Symbol.asyncDispose]() {
    await this.#pool[Symbol.asyncDispose]();
  }
  /** Transfers the missing entries of a tree, over all connections. */
  async #transferTree(root) {
    const queue = new TreeQueue(root, {
      open: (task, directory) => this.#inspect(task, directory),
      transfer: (task, pair, item) => this.#transferIncluded(task, pair, item),
      close: (pair) => this.#close(pair)
    });
    try {
      await this.#pool.run(queue);
    } catch (error) {
      if (!(error instanceof FTPMirrorError)) throw error;
      throw this.#report.error(error.cause, queue.unfinished);
    }
  }
  /** Reads a directory on both sides. */
  async #open(task, directory) {
    const read19 = async () => {
      const isExpecting = this.#pool.hasRoom && this.#options.filter === void 0;
      const isVacant = isExpecting && (directory.isNew || directory.parent === void 0 && task.target.isVacant());
      const source = await task.source.read(directory, isVacant ? (count) => this.#expect(count) : void 0);
      directory.identity = source.identity;
      const target = await this.#readTarget(task, directory, isExpecting ? () => this.#expect(source.items.size) : void 0);
      return {
        directory,
        source,
        target
      };
    };
    const entry = directoryOf(directory);
    const pair = directory.parent === void 0 ? await read19() : await this.#report.attempt(task.provider, entry, read19);
    const error = pair?.source.partial;
    if (error !== void 0) {
      this.#report.record({
        action: "fail",
        entry,
        error
      });
    }
    this.#isUnread ||= pair === void 0 || error !== void 0;
    return pair;
  }
  /**
   * Opens further connections for the entries of a directory, which the target
   * lacks, while this one is still busy with the directory.
   */
  #expect(count) {
    this.#pool.addWorkers(count - 1);
  }
  async #readTarget({ target }, directory, onMissing) {
    const isDry = this.#options.dryRun === true;
    let isNew = directory.isNew;
    if (directory.parent === void 0) {
      if (isDry) isNew = await target.probe("") === void 0;
      else isNew = await target.make("", onMissing);
    }
    if (!isNew) return await target.read(directory);
    const snapshot = new Snapshot();
    snapshot.isMissing = isDry;
    return snapshot;
  }
  /**
   * Reads a directory on both sides, and requests what the listings do not
   * show.
   */
  async #inspect(task, directory) {
    this.#pool.addWorkers();
    const pair = await this.#open(task, directory);
    if (pair === void 0) return void 0;
    const { provider } = task;
    return await this.#report.attempt(provider, directoryOf(directory), async () => {
      await this.#checkNames(task, pair);
      const isFirst = directory.parent === void 0;
      if (isFirst && this.#options.delete) checkSource2(task, pair);
      await this.#countEntries(pair);
      await task.refine(pair);
      return pair;
    });
  }
  /**
   * Fails before anything is sent to a directory that cannot have one of the
   * entries.
   *
   * @throws {TypeError} If it cannot
   */
  async #checkNames({ target }, pair) {
    const { directory, source } = pair;
    const rule = target.ruleOf(directory);
    if (rule === void 0) return;
    const pauses = new PauseTimer();
    for (const item of source.items.values()) {
      if (pauses.isDue) await pauses.pause(this.#options.signal);
      const isIdle = item.problem !== void 0 || reasonToSkip(item, directory) !== void 0 || !this.#isWanted(directory, item);
      const reason = isIdle ? void 0 : rule(item);
      if (reason === void 0) continue;
      throw new TypeError(`Cannot store ${quote(item.name)} in ${quote(target.at(directory.path))}: ${reason}; rename it, or omit it with "filter"`);
    }
  }
  /** Transfers one entry, if it takes part. */
  async #transferIncluded(task, pair, item) {
    const entry = entryOf(pair.directory, item);
    if (!this.#report.includes(entry)) return void 0;
    return await this.#report.attempt(task.provider, entry, () => this.#transfer(task, pair, item, entry));
  }
  /** Remembers a directory that has something to remove. */
  async #close(pair) {
    const { directory } = pair;
    const pauses = new PauseTimer();
    for (const item of await this.#extraneousOf(pair)) {
      if (this.#isWanted(directory, item)) return this.#remember(directory);
      if (pauses.isDue) await pauses.pause(this.#options.signal);
    }
  }
  /** Transfers one entry. Returns the path of a directory. */
  async #transfer(task, pair, item, entry) {
    const { target } = task;
    if (item.problem !== void 0) throw item.problem;
    const reason = reasonToSkip(item, pair.directory);
    if (reason !== void 0) {
      this.#report.record({
        action: "skip",
        entry,
        reason
      });
      return void 0;
    }
    target.check(item.name);
    const found = await findCounterpart(target, pair, item, entry.path);
    if (found?.isLate) {
      return await this.#keepLate(task, pair, item, found.item);
    }
    const there = found?.item;
    if (there === void 0 || there.kind === item.kind) {
      return await this.#put(task, pair, item, there);
    }
    const path = target.at(entry.path);
    checkClash(there, item.kind, path, this.#options.delete === true);
    this.#remember(pair.directory);
    return void 0;
  }
  /**
   * Keeps an entry that appeared after the listing, if it is equal: another run
   * may have been faster.
   *
   * @throws {Deno.errors.AlreadyExists} If it differs
   */
  async #keepLate(task, pair, item, there) {
    const { directory } = pair;
    const { path } = entryOf(directory, item);
    const late = lateError(task.target.at(path));
    if (there.kind !== item.kind) throw late;
    if (item.kind !== "file") return await this.#put(task, pair, item, there);
    const [source, target] = [
      new Snapshot(),
      new Snapshot()
    ];
    source.set(item);
    target.set(there);
    await task.refine({
      directory,
      source,
      target
    });
    const refined = source.items.get(item.name) ?? item;
    const reason = await task.compare(path, refined, there);
    if (reason !== void 0 && reason !== "always") throw late;
    return await this.#put(task, pair, refined, there);
  }
  /** Transfers a file, or creates a directory. */
  async #put(task, pair, item, there) {
    const next = item.kind === "directory" ? await this.#enter(task, pair.directory, item, there === void 0) : await this.#send(task, pair, item, there);
    if (!pair.target.isMissing) pair.target.set(item);
    return next;
  }
  async #enter(task, directory, item, isNew) {
    const entry = entryOf(directory, item);
    const { path, depth } = entry;
    if (depth > this.#maxDepth) {
      throw new RangeError(`Cannot mirror ${quote(path)}: it is more than ${this.#maxDepth} levels deep; increase "maxDepth"`);
    }
    if (isNew) {
      if (this.#options.dryRun !== true) await task.target.make(path);
      this.#report.record({
        action: "make",
        entry
      });
    }
    return {
      path,
      depth,
      parent: directory,
      identity: item.identity,
      isNew
    };
  }
  async #send(task, { directory, target }, item, there) {
    const entry = entryOf(directory, item);
    const { path, size } = entry;
    if (this.#options.compare === "hash") this.#pool.addWorkers();
    const reason = there === void 0 ? "new" : await task.compare(path, item, there);
    if (reason === void 0) {
      this.#report.record({
        action: "unchanged",
        entry
      });
      return;
    }
    if (this.#options.dryRun === true) {
      this.#report.result.bytes += Number(size ?? 0);
    } else {
      this.#pool.addWorkers();
      const send2 = () => task.transfer(path, item, target, this.#report);
      await this.#report.count(path, send2);
    }
    this.#report.record({
      action: "transfer",
      entry,
      reason
    });
  }
  #remember(directory) {
    this.#remembered?.add(directory);
    if ((this.#remembered?.size ?? 0) > MAX_REMEMBERED2) {
      this.#remembered = void 0;
    }
  }
  async #extraneousOf({ source, target }) {
    if (this.#options.delete !== true || target.items.size === 0) return [];
    await source.foldNames(this.#options.signal);
    return await filterAll(target.items.values(), (item) => isExtraneous(item, source, target), this.#options.signal);
  }
  #isWanted(directory, item) {
    return this.#report.includes(entryOf(directory, item));
  }
  /** Counts the target's entries, if `maxDelete` is a percentage. */
  async #countEntries({ directory, target }) {
    const isNeeded = this.#options.delete === true && this.#limit.percent !== Infinity;
    if (!isNeeded) return;
    const wanted = await filterAll(target.items.values(), (item) => this.#isWanted(directory, item), this.#options.signal);
    this.#entries += wanted.length;
  }
  /** Fails before anything is removed if more than `maxDelete` would be. */
  async #checkLimit(root) {
    const { delete: mayRemove, maxDelete } = this.#options;
    const { entries, percent } = this.#limit;
    if (!mayRemove || entries === Infinity && percent === Infinity) return;
    let count = 0;
    await this.#visit(root, async (pair) => {
      const items = await this.#extraneousOf(pair);
      const directories = [];
      for await (const { item, there } of this.#shared(pair)) {
        if (there.kind !== item.kind) items.push(there);
        else if (item.kind === "directory") {
          directories.push(await this.#enter(this.#pool.first, pair.directory, item, false));
        }
      }
      const { provider, source, target } = this.#pool.first;
      const report = this.#report;
      const removal = {
        provider,
        source,
        target,
        report
      };
      const options = this.#options;
      const counts = await countRemovals({
        ...removal,
        options
      }, pair.directory, items);
      count += counts.removed;
      this.#entries += counts.below;
      return directories;
    });
    if (this.#report.result.failed > 0) return;
    const isShare = percent !== Infinity;
    const isOver = isShare ? count * 100 > this.#entries * percent : count > entries;
    if (!isOver) return;
    const error = new RangeError(`Cannot remove ${count}${isShare ? ` of ${this.#entries}` : ""} ${count === 1 && !isShare ? "entry" : "entries"} from ${quoteRoot(this.#pool.first.target)}: "maxDelete" is ${maxDelete}; nothing was removed`);
    this.#report.record({
      action: "fail",
      entry: directoryOf(root),
      error
    });
  }
  /**
   * Removes extraneous entries, one directory after the other, with the
   * client's own connection.
   */
  async #removeExtraneous(root) {
    await this.#visit(root, (pair) => this.#removeFrom(pair));
  }
  /** Reads again the directories that have something to remove, one by one. */
  async #visit(root, visit) {
    const isEverywhere = this.#remembered === void 0;
    const directories = [
      ...this.#remembered ?? [
        root
      ]
    ].reverse();
    for (let directory; (directory = directories.pop()) !== void 0; ) {
      const pair = await this.#open(this.#pool.first, directory);
      const inner = pair === void 0 ? [] : await visit(pair);
      if (!isEverywhere) continue;
      for (const directory2 of inner.reverse()) directories.push(directory2);
    }
  }
  /**
   * Lists the source's entries that take part and have a counterpart in the
   * target.
   */
  async *#shared({ directory, source, target }) {
    const pauses = new PauseTimer();
    for (const item of source.items.values()) {
      if (pauses.isDue) await pauses.pause(this.#options.signal);
      const there = target.items.get(item.name);
      const isIdle = there === void 0 || item.problem !== void 0 || reasonToSkip(item, directory) !== void 0 || !this.#isWanted(directory, item);
      if (!isIdle) yield {
        item,
        there
      };
    }
  }
  /**
   * Removes the extraneous entries of a directory that was read again. Returns
   * its directories.
   */
  async #removeFrom(pair) {
    const task = this.#pool.first;
    const { directory, source } = pair;
    const directories = [];
    if (this.#isUnread) return directories;
    const lost = this.#options.dryRun === true ? void 0 : await findLost(pair, (item) => this.#isWanted(directory, item), this.#options.signal);
    if (lost !== void 0) {
      const entry = entryOf(directory, lost);
      const path = quote(task.target.at(entry.path));
      const error = new Deno.errors.NotFound(`Cannot remove anything beside ${path}: the target does not list this entry, although it was transferred`);
      this.#report.record({
        action: "fail",
        entry,
        error
      });
      return directories;
    }
    const { provider, target } = task;
    const [report, options] = [
      this.#report,
      this.#options
    ];
    const removal = {
      provider,
      source: task.source,
      target,
      report,
      options,
      variants: source
    };
    const removed = await report.attempt(provider, directoryOf(directory), async () => await removeItems(removal, directory, await this.#extraneousOf(pair)));
    this.#isUnread ||= removed === void 0;
    if (removed === void 0) return directories;
    for await (const { item, there } of this.#shared(pair)) {
      if (there.kind !== item.kind) {
        await this.#replacement.replace(pair, item, there);
      } else if (item.kind === "directory") {
        directories.push(await this.#enter(task, directory, item, false));
      }
    }
    return directories;
  }
};

// lib/mirror/remote_side.ts
init_printable();

// lib/mirror/remote_paths.ts
var RemotePaths = class {
  #root;
  #staging;
  /** Directories below which paths are not joined with slashes: of z/OS. */
  #joiners;
  /** Creates paths below a root directory; "" for the current one. */
  constructor(root, { staging = new Staging(), joiners = /* @__PURE__ */ new Map() }) {
    this.#root = root;
    this.#staging = staging;
    this.#joiners = joiners;
  }
  /** Whether some paths are not joined with slashes. */
  get hasDataSets() {
    return this.#joiners.size > 0;
  }
  /** Returns the full path of an entry. */
  at(path) {
    if (path === "") return this.#root;
    const now = this.#staging.at(path);
    if (this.#joiners.size === 0) return joinPath(this.#root, now);
    let whole = this.#root;
    let directory = "";
    let isDataSet2 = false;
    for (const name of now.split("/")) {
      const join2 = this.#joiners.get(directory) ?? (isDataSet2 ? joinMember : joinPath);
      isDataSet2 = join2 !== joinPath;
      whole = join2(whole, name);
      directory = joinPath(directory, name);
    }
    return whole;
  }
  /** Learns from its listing how paths are joined below a directory. */
  learn(path, entries) {
    const known = entries.find(({ format }) => format !== "unknown");
    const join2 = known && joinerOf(known.format);
    if (join2 !== void 0) this.#joiners.set(path, join2);
  }
  /**
   * Learns how paths of the target are joined, if it is a data set of z/OS: an
   * empty one shows no format.
   *
   * @throws {Deno.errors.NotSupported} If files would get temporary names
   */
  async learnTarget(session, { signal, dryRun, atomic }) {
    const mayBe = this.#root.startsWith("'") || session.state.directory?.startsWith("'") === true;
    if (!this.#joiners.has("") && mayBe) {
      const ask3 = (turn) => dataSetKind(turn, this.#root, {
        signal
      });
      const kind = await session.exclusive(ask3, {
        signal
      });
      if (kind !== void 0) {
        this.#joiners.set("", kind === "prefix" ? joinQualifier : joinMember);
      }
    }
    const join2 = this.#joiners.get("");
    const isDataSet2 = join2 === joinMember || join2 === joinQualifier;
    if (isDataSet2 && atomic !== false && dryRun !== true) {
      throw dataSetError(this.#root);
    }
  }
  /** Whether the root is known to be the first qualifiers of data sets. */
  get isPrefix() {
    return this.#joiners.get("") === joinQualifier;
  }
  /** Notes that the root is the first qualifiers of data sets. */
  notePrefix() {
    this.#joiners.set("", joinQualifier);
  }
  /** Returns the rule for names in a directory, if it has one. */
  ruleOf({ path, parent }) {
    const above = parent && this.#joiners.get(parent.path);
    const join2 = this.#joiners.get(path) ?? (above === joinQualifier ? joinMember : void 0);
    if (join2 === joinMember) {
      return ({ name, kind }) => whyNoMember(name, kind === "directory");
    }
    if (join2 !== joinQualifier) return void 0;
    return ({ name }) => whyNoDataSet(this.at(path), name);
  }
};

// lib/transfer/server_clock.ts
var MINUTE4 = 6e4;
var HOUR = 60 * MINUTE4;
var QUARTER2 = 15 * MINUTE4;
var WEST2 = -12 * HOUR;
var EAST2 = 14 * HOUR;
var TOLERANCE = 5 * MINUTE4;
var MAX_CLOCK_ERROR = 2 * HOUR;
var UNKNOWN = 24 * HOUR;
var VALIDITY = HOUR;
var MAX_DAYS = 2e4;
var TICK = 50;
var ServerClock = class {
  /** A pending proof. */
  proving;
  #proofs = /* @__PURE__ */ new Map();
  /** Zones of the times that commands set, in minutes east of UTC. */
  #settingZones = /* @__PURE__ */ new Map();
  #given;
  /** Zones of single days, with or without daylight saving time. */
  #days = /* @__PURE__ */ new Map();
  /** Seasons, and whether the zone of one of their days is that of today. */
  #seasons = /* @__PURE__ */ new Map();
  #isSettable;
  /** Whether the server claims to set times, and does not. */
  #ignoresTimes = false;
  #isUTC = false;
  /** Whether `MLSD` was seen to show the same times as `MDTM`. */
  #isSameZone = false;
  /** Minutes that `LIST` is ahead of `MDTM`. */
  #listAhead;
  #tries = /* @__PURE__ */ new Map();
  /**
   * Creates a clock without knowledge.
   *
   * @param zone Minutes east of UTC, if the user set it
   */
  constructor(zone) {
    this.#given = zone;
  }
  /** Whether the server sets a file's time; `undefined` before it was tried. */
  get isSettable() {
    return this.#ignoresTimes ? false : this.#isSettable;
  }
  /**
   * Notes the server's reply to a time that it was told to set. Returns whether
   * it was set.
   */
  noteSettable(isConfirmed) {
    this.#isSettable = isConfirmed;
    return isConfirmed && !this.#ignoresTimes;
  }
  /** Whether a written file may show more. */
  isUntried(timeCommand) {
    const at = this.#tries.get(timeCommand) ?? -Infinity;
    return performance.now() - at > VALIDITY;
  }
  /**
   * Returns the zone in minutes east of UTC; `undefined` if it is not proven.
   */
  zoneOf(timeCommand) {
    const own = this.#given ?? this.#proofOf(timeCommand)?.zone;
    if (own !== void 0) return own;
    if (timeCommand !== "LIST") return this.#isUTC ? 0 : void 0;
    const zone = this.zoneOf("MDTM");
    return zone === void 0 || this.#listAhead === void 0 ? void 0 : zone + this.#listAhead;
  }
  /** Returns the zone on another day, with or without daylight saving time. */
  zoneAt(timeCommand, time) {
    const isPlain2 = this.#given !== void 0 || this.#days.size === 0;
    if (isPlain2) return this.zoneOf(timeCommand);
    return this.#days.get(dayOf(timeCommand, time)) ?? this.zoneOf(timeCommand);
  }
  /** Whether the zone of a day was looked for. */
  hasDay(timeCommand, time) {
    return this.#days.has(dayOf(timeCommand, time));
  }
  /** The zone that a written file has shown, in minutes east of UTC. */
  provenZone(timeCommand) {
    return this.#given === void 0 ? this.#proofOf(timeCommand)?.zone : void 0;
  }
  /** Whether a day of a season was tried. */
  hasSeason(timeCommand, season) {
    return this.#seasons.has(`${timeCommand} ${season}`);
  }
  /** Whether a day of a season had the zone of today. */
  isUsualSeason(timeCommand, season) {
    return this.#seasons.get(`${timeCommand} ${season}`) === true;
  }
  /** Notes whether a day of a season had the zone of today. */
  noteSeason(timeCommand, season, isUsual) {
    if (this.#seasons.size >= MAX_DAYS) this.#seasons.clear();
    this.#seasons.set(`${timeCommand} ${season}`, isUsual);
  }
  /**
   * Learns the zone of a day from a time that was set and read.
   *
   * @param time The time that was set, in milliseconds since 1970
   * @param shown The time that is shown, read as UTC
   */
  noteDay(timeCommand, time, shown) {
    if (this.#days.size >= MAX_DAYS) this.#days.clear();
    const ahead = shown - time;
    const zone = isZone(ahead) ? ahead / MINUTE4 : this.zoneOf(timeCommand) ?? 0;
    this.#days.set(dayOf(timeCommand, time), zone);
  }
  /**
   * Returns the zone of `MDTM` for a zone of `LIST`, in minutes east of UTC;
   * `undefined` if the two were not compared.
   *
   * @param listZone Minutes east of UTC
   */
  zoneBesideList(listZone) {
    return this.#listAhead === void 0 ? void 0 : listZone - this.#listAhead;
  }
  /** Whether the zone is proven, and the proof still valid. */
  isProven(timeCommand) {
    const proof = this.#proofOf(timeCommand);
    if (proof !== void 0) return performance.now() - proof.at < VALIDITY;
    return this.zoneOf(timeCommand) !== void 0;
  }
  /** Whether the server's clock was compared with the local one. */
  isMeasured(timeCommand) {
    return this.#proofOf(timeCommand) !== void 0;
  }
  /**
   * Returns the bounds of the clock's difference.
   *
   * @param zone Minutes east of UTC, if it is known from elsewhere
   */
  differenceOf(timeCommand, zone = this.zoneOf(timeCommand)) {
    const proof = this.#proofOf(timeCommand);
    if (proof !== void 0) return proof.difference;
    if (zone === void 0) return [
      -UNKNOWN,
      UNKNOWN
    ];
    return [
      zone * MINUTE4 - MAX_CLOCK_ERROR,
      zone * MINUTE4 + MAX_CLOCK_ERROR
    ];
  }
  /**
   * Converts a time that the server shows to UTC.
   *
   * @param date Its digits read as UTC
   */
  toUTC(timeCommand, date) {
    const today = (this.zoneOf(timeCommand) ?? 0) * MINUTE4;
    const zone = this.zoneAt(timeCommand, date.getTime() - today) ?? 0;
    return new Date(date.getTime() - zone * MINUTE4);
  }
  /** Returns the digits that set a time. */
  toSet(command, date) {
    const usual = command === "MDTM" ? this.zoneOf("MDTM") ?? 0 : 0;
    const zone = this.#settingZones.get(command) ?? usual;
    return new Date(date.getTime() + zone * MINUTE4);
  }
  /** Notes that `MDTM` and `MLSD` use UTC in every configuration. */
  noteUTC() {
    this.#isUTC = true;
  }
  /** Notes an attempt, so that it is not repeated for each file. */
  noteTry(timeCommand) {
    this.#tries.set(timeCommand, performance.now());
  }
  /** Learns from a file that was just written. */
  noteWritten(timeCommand, { shown, precision }, { from, to }) {
    const least = shown - to;
    const most = shown + precision - from + TICK;
    const zone = Math.round((least + most) / 2 / QUARTER2) * QUARTER2;
    const isPlausible = zone >= WEST2 && zone <= EAST2 && zone - least <= TOLERANCE && most - zone <= TOLERANCE;
    if (!isPlausible) return void this.#proofs.delete(timeCommand);
    this.#proofs.set(timeCommand, {
      zone: this.#given ?? zone / MINUTE4 + 0,
      difference: [
        least,
        most
      ],
      at: performance.now()
    });
  }
  /**
   * Learns from a time that was set and read. It must be recent, without a
   * change to or from daylight saving time between.
   *
   * @param digits The digits that were sent, read as UTC
   * @param shown The time that `MDTM` shows now, read as UTC
   */
  noteSet(command, digits, shown) {
    const ahead = shown.getTime() - digits.getTime();
    this.#ignoresTimes = !isZone(ahead);
    if (this.#ignoresTimes) return;
    const zone = this.zoneOf("MDTM");
    if (zone !== void 0) {
      this.#settingZones.set(command, zone - ahead / MINUTE4);
    }
  }
  /** Notes that `MLSD` and `MDTM` show the same time for one file. */
  noteSameZone() {
    this.#isSameZone = true;
  }
  /** Notes the difference between a listing and `MDTM`. */
  noteListAhead(minutes) {
    this.#listAhead = minutes;
  }
  #proofOf(timeCommand) {
    const own = this.#proofs.get(timeCommand);
    if (own !== void 0 || timeCommand === "LIST" || !this.#isSameZone) {
      return own;
    }
    return this.#proofs.get(timeCommand === "MDTM" ? "MLSD" : "MDTM");
  }
  /** Whether `LIST` was compared with `MDTM`. */
  get isListCompared() {
    return this.#listAhead !== void 0;
  }
  /** Minutes that `LIST` is ahead of `MDTM`; 0 if unknown. */
  get listAhead() {
    return this.#listAhead ?? 0;
  }
};
function dayOf(timeCommand, time) {
  return `${timeCommand} ${Math.floor(time / (24 * HOUR))}`;
}
function isZone(milliseconds) {
  return milliseconds % QUARTER2 === 0 && Math.abs(milliseconds) <= EAST2 - WEST2;
}

// lib/mirror/remote_times.ts
var MINUTE5 = 6e4;
var DAY = 24 * 60 * MINUTE5;
var MAX_SUMMER = 120 * MINUTE5;
var RemoteTimes = class {
  #provider;
  #root;
  #options;
  #run;
  /**
   * Creates times, of which the client may know something.
   *
   * @param root The directory in which files may be written
   */
  constructor(provider, root, options, run2) {
    this.#provider = provider;
    this.#root = root;
    this.#options = options;
    this.#run = run2;
  }
  /** Converts an item's shown time to the real one. */
  convert(item) {
    const { shown, timeCommand = "LIST" } = item;
    const zone = this.#zoneOf(timeCommand) ?? 0;
    const mtime = shown === void 0 ? void 0 : shown - zone * MINUTE5;
    return {
      ...item,
      mtime
    };
  }
  /**
   * Returns the time of a file and the server's clock as known now; `undefined`
   * if the server shows no time.
   */
  timeOf({ shown, timeCommand, precision }, at) {
    if (shown === void 0 || timeCommand === void 0) return void 0;
    const zone = this.#zoneOf(timeCommand, at);
    const difference = this.#clock.differenceOf(timeCommand, this.#zoneOf(timeCommand));
    return {
      shown,
      precision: Math.max(precision, SECOND),
      zone,
      difference
    };
  }
  /**
   * Converts a time that `MDTM` shows to the real one. Without `MDTM`, uses the
   * time of an exact listing.
   *
   * @param shown The digits read as UTC, or `null`
   */
  meantBy(item, shown) {
    if (shown === null) {
      const isExact = item.timeCommand === "MLSD" && item.mtime !== void 0;
      return isExact ? new Date(item.mtime) : null;
    }
    this.compareWithList(item, shown);
    const today = (this.#zoneOf("MDTM") ?? 0) * MINUTE5;
    const zone = this.#zoneOf("MDTM", shown.getTime() - today) ?? 0;
    return new Date(shown.getTime() - zone * MINUTE5);
  }
  /** Whether the zone of a file's time is proven. */
  isProven({ timeCommand = "MDTM" }) {
    return this.#zoneOf(timeCommand) !== void 0 && (this.#clock.isProven(timeCommand) || this.#givenZone !== void 0);
  }
  /**
   * Learns the server's clock from a file that is written for it and deleted.
   */
  async prove(timeCommand) {
    await this.#once((session, options) => proveClock(session, this.#root, {
      timeCommand,
      ...options
    }));
  }
  /**
   * Learns whether daylight saving time applied on the days of some files, if
   * it may explain a difference of their times.
   */
  async proveDays(files) {
    const clock = this.#clock;
    if (clock.isSettable !== true) return;
    for (const timeCommand of [
      "MDTM",
      "MLSD"
    ]) {
      const days = /* @__PURE__ */ new Map();
      for (const { item, local } of files) {
        const time = Math.floor(local / SECOND) * SECOND;
        const zone = this.#zoneOf(timeCommand);
        if (item.timeCommand !== timeCommand || zone === void 0) continue;
        const rest = Number(item.shown) - time - zone * MINUTE5;
        const isSummer = rest !== 0 && isZone(rest) && Math.abs(rest) <= MAX_SUMMER;
        if (!isSummer || clock.hasDay(timeCommand, local)) continue;
        days.set(Math.floor(local / DAY), time);
      }
      await this.#proveTimes(timeCommand, [
        ...days.values()
      ]);
    }
  }
  /**
   * Learns whether times that are equal in today's zone are so on the days of
   * the files. Where the zone of one season differs, every day is tried.
   */
  async proveSeasons(files) {
    const clock = this.#clock;
    if (clock.isSettable !== true || this.#givenZone !== void 0) return;
    for (const timeCommand of [
      "MDTM",
      "MLSD"
    ]) {
      const today = clock.provenZone(timeCommand) ?? 0;
      if (today === 0) continue;
      const seasons = /* @__PURE__ */ new Map();
      const days = /* @__PURE__ */ new Map();
      for (const { item, local } of files) {
        const isOther = item.timeCommand !== timeCommand;
        if (isOther || clock.hasDay(timeCommand, local)) continue;
        const time = Math.floor(local / SECOND) * SECOND;
        days.set(Math.floor(local / DAY), time);
        const season = seasonOf(local);
        if (!clock.hasSeason(timeCommand, season)) seasons.set(season, time);
      }
      await this.#proveTimes(timeCommand, [
        ...seasons.values()
      ]);
      for (const [season, time] of seasons) {
        const isUsual = clock.zoneAt(timeCommand, time) === today;
        clock.noteSeason(timeCommand, season, isUsual);
      }
      const rest = [
        ...days.values()
      ].filter((time) => !clock.isUsualSeason(timeCommand, seasonOf(time)) && !clock.hasDay(timeCommand, time));
      await this.#proveTimes(timeCommand, rest);
    }
  }
  async #proveTimes(timeCommand, times) {
    if (times.length === 0) return;
    await this.#once((session, options) => proveDays(session, this.#root, times, {
      timeCommand,
      ...options
    }));
  }
  /** Lets one connection of a mirror learn something while the others wait. */
  async #once(learn) {
    const clock = this.#clock;
    if (clock.proving !== void 0) return await clock.proving;
    const { temporaryName, signal } = this.#options;
    const options = {
      temporaryName,
      signal
    };
    clock.proving = this.#run((session) => learn(session, options)).finally(() => clock.proving = void 0);
    await clock.proving;
  }
  get #clock() {
    return this.#provider.session.profile.clock;
  }
  /**
   * The zone of listings that the caller gave. It takes precedence over any
   * guess.
   */
  get #givenZone() {
    const zone = this.#options.list?.zone;
    return zone === "infer" ? void 0 : zone;
  }
  /**
   * Returns the zone of a command's times. The caller's zone is that of `LIST`,
   * and gives that of `MDTM`.
   */
  #zoneOf(timeCommand, at = Date.now()) {
    const clock = this.#clock;
    const given = this.#givenZone;
    if (given !== void 0 && timeCommand === "LIST") return given;
    const beside = given !== void 0 && timeCommand === "MDTM" ? clock.zoneBesideList(given) : void 0;
    return beside ?? clock.zoneAt(timeCommand, at);
  }
  /**
   * Learns from a file's listing how the zone of `LIST` relates to that of
   * `MDTM`.
   */
  compareWithList({ timeCommand, shown, precision }, mdtm) {
    if (shown === void 0) return;
    const clock = this.#clock;
    if (timeCommand === "MLSD" && shown === mdtm.getTime()) {
      clock.noteSameZone();
    }
    const isExact = timeCommand === "LIST" && precision === TIME_PRECISIONS.minute;
    if (!isExact || clock.isListCompared) return;
    const listed = {
      mtime: new Date(shown),
      mtimePrecision: "minute"
    };
    const ahead = inferZone(listed, mdtm);
    if (ahead !== void 0) clock.noteListAhead(ahead);
  }
};
var CHANGING = [
  2,
  3,
  8,
  9,
  10
];
function seasonOf(time) {
  const date = new Date(time);
  const isChanging = CHANGING.includes(date.getUTCMonth());
  return date.toISOString().slice(0, isChanging ? 10 : 7);
}

// lib/mirror/remote_side.ts
var MAX_ENTRIES = 1e6;
var TIME_COMMANDS = {
  mlsd: "MLSD",
  commands: "MDTM"
};
var WINDOW3 = 64;
var RemoteSide = class {
  #provider;
  #options;
  #follows;
  #checksLinks;
  #isTarget;
  #paths;
  /** The server's times. */
  times;
  /** Creates a side with a root directory; "" for the current one. */
  constructor(provider, root, options, { isTarget, ...shared }) {
    this.#provider = provider;
    this.#paths = new RemotePaths(root, shared);
    this.#options = options;
    this.#follows = options.symlinks === "follow" && !isTarget;
    this.#checksLinks = options.delete === true && isTarget;
    this.#isTarget = isTarget;
    this.times = new RemoteTimes(provider, root, options, (run2) => this.#run(run2));
  }
  at(path) {
    return this.#paths.at(path);
  }
  /**
   * Treats a refusal to list qualifiers of z/OS without data sets as an empty
   * listing.
   */
  #emptyPrefix({ path }, error) {
    const isPrefix = this.#isTarget && path === "" && this.#paths.isPrefix;
    const reply = isPrefix && isRefusal(error) ? replyOf(error) : void 0;
    if (reply !== void 0 && saysEmpty(reply)) return [];
    throw error;
  }
  ruleOf(directory) {
    return this.#paths.ruleOf(directory);
  }
  isVacant() {
    return false;
  }
  read(directory, onEntries) {
    return this.#run(async (session) => {
      const { list, signal } = this.#options;
      let { unique, canonical } = directory.identity;
      const path = this.at(directory.path);
      const options = {
        maxEntries: MAX_ENTRIES,
        ...list,
        all: true,
        signal
      };
      const onSelf = ({ facts: { type, unique: own } = {} }) => {
        if (type?.toLowerCase() === "cdir") unique = own ?? unique;
      };
      let partial;
      let hasUnique = false;
      const isKept = this.#follows || this.#checksLinks;
      const folder = new Snapshot();
      let known;
      const take = (entry) => {
        const identity = identityOf(entry);
        hasUnique ||= identity.unique !== void 0;
        if (isKept || entry.format === "os400") return true;
        if (entry.format !== "unknown") known ??= entry;
        folder.add(this.#itemOf(entry, identity, problemOf(entry)));
        const { maxEntries = MAX_ENTRIES } = options;
        if (folder.items.size <= maxEntries) return false;
        throw tooMany(session, path, maxEntries);
      };
      const entries = await readDirectory(session, path, options, {
        isWanted: take,
        onSelf,
        onEnd: () => onEntries?.(folder.items.size),
        onPartial: (error) => void (partial = error),
        // entries that this side lacks are removed from the other one
        isStrict: this.#options.delete === true && !this.#isTarget,
        isRaw: true
      }).catch((error) => this.#emptyPrefix(directory, error));
      this.#paths.learn(directory.path, known ? [
        known
      ] : entries);
      if (this.#isTarget && directory.path === "") {
        await this.#paths.learnTarget(session, this.#options);
      }
      const isEmpty = entries.length + folder.items.size === 0;
      if (partial !== void 0 && (this.#isTarget || isEmpty)) {
        throw partial;
      }
      if (unique === void 0 && hasUnique && !session.profile.lacks("MLST")) {
        const { facts } = await requestEntry(session, path, options);
        unique = facts?.unique;
      }
      if (this.#follows) {
        canonical ??= await canonicalPath(session, path, {
          signal
        });
      }
      folder.identity = {
        unique,
        canonical
      };
      folder.hidesDots = session.profile.hasMLSD !== true && session.profile.hasListAll !== true;
      folder.partial = partial;
      const pauses = new PauseTimer();
      for (const entry of entries) {
        folder.add(this.#follows ? await this.#look(session, directory, canonical, entry) : this.#itemOf(entry, identityOf(entry), problemOf(entry)));
        if (pauses.isDue) await pauses.pause(signal);
      }
      if (this.#checksLinks) {
        await this.#exposeLinks(session, path, entries, folder);
      }
      return folder;
    });
  }
  probe(path) {
    return this.#run(async (session) => {
      const { list, signal } = this.#options;
      const options = {
        ...list,
        signal
      };
      try {
        const entry = await requestEntry(session, this.at(path), options, {
          isRaw: true
        });
        return this.#itemOf(entry, {});
      } catch (error) {
        if (error instanceof FTPPermanentError) return void 0;
        throw error;
      }
    });
  }
  /** The server may fold names, and may not list names with a leading dot. */
  mayHide(folder, name) {
    return folder.hidesDots && name.startsWith(".") || folder.caseVariantOf(name) !== void 0;
  }
  /** Unknown: the server may find other spellings, too. */
  hasName() {
    return Promise.resolve(false);
  }
  ask(directory, items) {
    return this.#run(async (session) => {
      const { signal } = this.#options;
      const asked = items.map(async ({ name, kind }) => {
        const path = this.at(joinPath(directory.path, name));
        try {
          return await isPresent(session, {
            path,
            kind
          }, {
            signal
          });
        } catch (error) {
          const isAnswer = error instanceof TypeError || isRefusal(error);
          if (!isAnswer || session.control.failure !== void 0) throw error;
          return error;
        }
      });
      const answers = await Promise.allSettled(asked);
      const failed = answers.find(({ status }) => status === "rejected");
      if (failed !== void 0) throw failed.reason;
      return answers.map((answer) => answer.value);
    });
  }
  /** The server refuses invalid names itself. */
  check() {
  }
  make(path, onMissing) {
    return this.#run(async (session) => {
      const { signal } = this.#options;
      const argument = this.at(path);
      const command = {
        verb: "MKD",
        argument,
        name: "path"
      };
      try {
        if (path !== "") {
          await session.shared((turn) => turn.perform(command, {
            signal
          }), {
            signal
          });
          return true;
        }
      } catch (error) {
        if (!(error instanceof FTPPermanentError)) throw error;
      }
      const isPrefix = /^'.*\.'$/.test(argument) && await session.exclusive((turn) => dataSetKind(turn, argument, {
        signal
      }), {
        signal
      }) === "prefix";
      if (!isPrefix) {
        return await ensureDir(session, argument, {
          signal,
          onMissing
        });
      }
      this.#paths.notePrefix();
      return false;
    });
  }
  async remove(entries, recursive) {
    const { signal } = this.#options;
    const errors = [];
    const rest = new Set(entries.keys());
    let isAgain = false;
    await this.#run(async (session) => {
      const removeOne = async (index) => {
        const { path: name, kind } = entries[index];
        const path = this.at(name);
        try {
          await remove(session, path, {
            recursive,
            signal
          }, {
            kind
          });
        } catch (error) {
          const isFinal = error instanceof FTPPermanentError || error instanceof PartialListingError;
          if (!isFinal) throw error;
          if (!isAgain || await existsPath(session, path, {
            signal
          })) {
            errors[index] = error;
          }
        }
        rest.delete(index);
      };
      const results = await Promise.allSettled([
        ...rest
      ].map(removeOne));
      isAgain = true;
      const failed = results.find(({ status }) => status === "rejected");
      if (failed !== void 0) throw failed.reason;
    });
    return entries.map((_, index) => errors[index]);
  }
  rename(from, to) {
    const [before, after] = [
      this.at(from),
      this.at(to)
    ];
    return this.#run(async (session) => {
      try {
        await session.exclusive((turn) => rename(turn, before, after, {}));
      } catch (error) {
        const isDone2 = isRefusal(error) && !await existsPath(session, before, {}) && await existsPath(session, after, {});
        if (!isDone2) throw error;
      }
    }, {
      ...this.#options,
      signal: void 0
    });
  }
  /** Requests sizes and times that a listing does not show to the second. */
  refine(directory, items) {
    return this.#run(async (session) => {
      const { signal } = this.#options;
      const refined = [];
      for (let at = 0; at < items.length; at += WINDOW3) {
        const some = items.slice(at, at + WINDOW3);
        const facts = await Promise.all(some.map(({ name }) => requestFacts(session, this.at(joinPath(directory.path, name)), {
          signal
        })));
        for (const [index, { size, shown }] of facts.entries()) {
          const item = {
            ...some[index],
            size: size ?? some[index].size
          };
          if (shown !== null) this.times.compareWithList(item, shown);
          refined.push(shown === null ? item : this.times.convert({
            ...item,
            shown: shown.getTime(),
            timeCommand: "MDTM",
            precision: SECOND
          }));
        }
      }
      return refined;
    });
  }
  #itemOf(entry, identity, problem) {
    const { name, kind, size, isSizeApproximate, mtime } = entry;
    return this.times.convert({
      name,
      kind,
      size: isSizeApproximate ? void 0 : size,
      mtime: void 0,
      shown: mtime?.getTime(),
      timeCommand: TIME_COMMANDS[entry.format] ?? "LIST",
      precision: TIME_PRECISIONS[entry.mtimePrecision ?? "second"],
      identity,
      problem
    });
  }
  /**
   * Learns the server's clock from a file that is written for it and deleted.
   */
  async prove(timeCommand) {
    if (this.#paths.hasDataSets) {
      this.#provider.session.profile.clock.noteTry(timeCommand);
    } else await this.times.prove(timeCommand);
  }
  async #look(session, directory, canonical, entry) {
    const { name } = entry;
    const unique = entry.facts?.unique;
    const problem = problemOf(entry);
    if (problem !== void 0) {
      return this.#itemOf(entry, {
        unique
      }, problem);
    }
    if (entry.isDirectory) {
      return this.#itemOf(entry, {
        unique,
        canonical: canonical === void 0 ? void 0 : joinPath(canonical, name)
      });
    }
    if (!entry.isSymlink) return this.#itemOf(entry, {});
    const { signal } = this.#options;
    const path = this.at(joinPath(directory.path, name));
    const target = await canonicalPath(session, path, {
      signal
    });
    const provider = this.#itemOf(entry, {
      unique,
      canonical: target
    });
    if (target !== void 0) return {
      ...provider,
      kind: "directory"
    };
    const facts = await requestFacts(session, path, {
      signal
    });
    const { size, shown, modified } = facts;
    return {
      ...provider,
      kind: "file",
      size: size ?? void 0,
      mtime: modified?.getTime(),
      shown: shown?.getTime(),
      timeCommand: "MDTM",
      precision: SECOND
    };
  }
  /** Finds links that the server shows as files or directories. */
  async #exposeLinks(session, path, entries, folder) {
    const { signal } = this.#options;
    noteLinks(session, entries);
    const kinds = await kindsOf(session, path, entries, {
      signal
    });
    let index = 0;
    await visitAll(entries, ({ name }) => {
      const kind = kinds[index++];
      const item = folder.items.get(name);
      if (item.kind !== kind) folder.set({
        ...item,
        kind
      });
    }, signal);
  }
  /**
   * Runs a function on the current session, and again on a new one if that is
   * lost.
   */
  #run(run2, options = this.#options) {
    const provider = this.#provider;
    return runOperation(provider, options, (options2) => withRecovery(provider, options2, () => 0, () => run2(provider.session)));
  }
};
function identityOf(entry) {
  const unique = entry.isFile ? void 0 : entry.facts?.unique;
  return unique === void 0 ? UNKNOWN_IDENTITY : {
    unique
  };
}
function problemOf(entry) {
  if (!entry.hostile) return void 0;
  if (entry.format === "unknown") {
    return new Deno.errors.InvalidData(`Cannot read the line ${quote(entry.line)} of a listing`);
  }
  try {
    checkName(entry.name);
  } catch (error) {
    return error;
  }
  return void 0;
}

// lib/mirror/mirror_directory.ts
var TICK2 = 20;
var CLOCK_MARGIN = 2300;
function downloadDir(provider, remote, local, options) {
  return mirror(provider, {
    remote,
    local,
    isUpload: false
  }, options);
}
function uploadDir(provider, local, remote, options) {
  return mirror(provider, {
    remote,
    local,
    isUpload: true
  }, options);
}
async function mirror(provider, ends, options) {
  checkMirrorOptions(options, ends.isUpload);
  const shared = {
    limiter: new RateLimiter(options.maxRate),
    staging: new Staging(),
    joiners: /* @__PURE__ */ new Map(),
    cannotSetTimes: false
  };
  const signal = withLifetime(provider, options.signal);
  await using mirror2 = new Mirror(provider, {
    ...options,
    signal
  }, (provider2, signal2) => new DirTask(provider2, ends, {
    ...options,
    signal: signal2
  }, shared));
  return await mirror2.run();
}
var DirTask = class {
  provider;
  onEnding;
  #remote;
  #local;
  #isUpload;
  #options;
  #shared;
  constructor(provider, { remote, local, isUpload: isUpload2 }, options, shared) {
    const path = local instanceof URL ? fileURLToPath5(local) : local;
    const follows2 = options.symlinks === "follow";
    this.provider = provider;
    const [there, here] = isUpload2 ? [
      shared.staging,
      void 0
    ] : [
      void 0,
      shared.staging
    ];
    this.#remote = new RemoteSide(provider, remote, options, {
      isTarget: isUpload2,
      staging: there,
      joiners: shared.joiners
    });
    this.#local = new LocalSide(path, follows2 && isUpload2, options.signal, here);
    this.#isUpload = isUpload2;
    this.#options = options;
    this.#shared = shared;
  }
  get title() {
    const verb = this.#isUpload ? "upload" : "download";
    return `Cannot ${verb} all of ${quoteRoot(this.source)}`;
  }
  get source() {
    return this.#isUpload ? this.#local : this.#remote;
  }
  get target() {
    return this.#isUpload ? this.#remote : this.#local;
  }
  async refine({ directory, source, target }) {
    const [there, here] = this.#isUpload ? [
      target,
      source
    ] : [
      source,
      target
    ];
    const { compare, signal } = this.#options;
    const vague = await filterAll(there.items.values(), (item) => {
      const local = here.items.get(item.name);
      return item.kind === "file" && item.problem === void 0 && local?.kind === "file" && isVague(item, local, compare);
    }, signal);
    if (vague.length > 0) {
      for (const item of await this.#remote.refine(directory, vague)) {
        there.set(item);
      }
    }
    await this.#learn(source, target);
  }
  /** Learns what the server's times mean in this directory. */
  async #learn(source, target) {
    const { compare = "size-and-time" } = this.#options;
    if (compare !== "size-and-time" || !this.#mayWrite) return;
    const different = [];
    const same = [];
    const pauses = new PauseTimer();
    for (const item of target.items.values()) {
      const local = source.items.get(item.name);
      if (local === void 0 || !isUndecided(local, item)) continue;
      if (this.#needsProof(local, item)) await this.#prove(item);
      const files = this.#isCurrent(local, item) ? same : different;
      files.push({
        item,
        local: local.mtime
      });
      if (pauses.isDue) await pauses.pause(this.#options.signal);
    }
    await this.#remote.times.proveDays(different);
    if (this.#setsRemoteTimes) await this.#remote.times.proveSeasons(same);
  }
  async compare(path, source, target) {
    const { compare = "size-and-time", removeSource: removeSource2 } = this.#options;
    if (removeSource2) return "always";
    const isCurrent = () => this.#isCurrent(source, target);
    const isHash = compare === "hash";
    const first = isHash ? "size" : compare;
    const difference = differenceOf(source, target, first, isCurrent);
    if (!isHash || difference !== void 0) return difference;
    const isSame = await haveSameHash(this.provider, this.#remote.at(path), {
      path: this.#local.at(path),
      plain: this.#local.plain(path)
    }, Number(source.size), this.#options);
    if (isSame !== void 0) return isSame ? void 0 : "hash";
    if (this.#needsProof(source, target)) await this.#prove(target);
    return differenceOf(source, target, "size-and-time", isCurrent);
  }
  /**
   * Whether a comparison depends on an unknown property of the server's clock.
   */
  #needsProof(source, target) {
    if (!this.#mayWrite || !isUndecided(source, target)) return false;
    const { timeCommand = "MDTM" } = target;
    const clock = this.#clock;
    const isProven = this.#remote.times.isProven(target);
    if (this.#setsRemoteTimes) {
      return !isProven || clock.isSettable === void 0 && !this.#isCurrent(source, target);
    }
    return !isProven || !clock.isMeasured(timeCommand);
  }
  /** Learns the server's clock, or waits until another connection has. */
  async #prove({ timeCommand = "MDTM" }) {
    await this.#clock.proving;
    if (this.#clock.isUntried(timeCommand)) {
      await this.#remote.prove(timeCommand);
    }
  }
  /** Whether a file may be written to learn the server's clock. */
  get #mayWrite() {
    return this.#isUpload && this.#options.dryRun !== true;
  }
  /** Whether the times prove that a file need not be transferred. */
  #isCurrent(source, target) {
    const [there, here] = this.#isUpload ? [
      target,
      source
    ] : [
      source,
      target
    ];
    const { mtime: local } = here;
    if (local === void 0) return false;
    const remote = this.#remote.times.timeOf(there, local);
    if (remote === void 0) return false;
    const isSame = isSameTime(local, remote);
    if (!this.#isUpload) {
      return this.#setsLocalTimes(there) ? isSame : isChangedEarlier(local, remote);
    }
    const isExact = remote.precision <= SECOND;
    if (this.#setsRemoteTimes) return isExact && isSame;
    if (isWrittenLater(lastChange(local, here.ctime), remote)) return true;
    const isMeasured = this.#clock.isMeasured(there.timeCommand ?? "MDTM");
    return isExact && isSame && (!isMeasured || local % SECOND === 0);
  }
  /** Whether uploads set their files' times. */
  get #setsRemoteTimes() {
    return this.#options.mtime !== false && this.#clock.isSettable !== false;
  }
  /** Whether downloads set their files' times. */
  #setsLocalTimes(there) {
    return this.#options.mtime !== false && hasExactTime(there) && !this.#shared.cannotSetTimes;
  }
  get #clock() {
    return this.provider.session.profile.clock;
  }
  temporaryPath(path) {
    const { temporaryName } = this.#options;
    return temporaryPath(path, randomMark(), false, {
      temporaryName
    });
  }
  stage(path, temporary) {
    return this.#shared.staging.begin(path, temporary);
  }
  async transfer(path, source, target, report) {
    const remote = this.#remote.at(path);
    const local = this.#local.at(path);
    const { limiter } = this.#shared;
    const { onEnding } = this;
    const options = {
      ...this.#options,
      onProgress: report.progressOf(path),
      onRetry: report.onRetry
    };
    if (!this.#isUpload) {
      const { check } = this.#local.plain(path);
      const meant = (shown) => this.#remote.times.meantBy(source, shown);
      const { parts } = target;
      const limits = {
        limiter,
        parts,
        check,
        meant,
        onEnding
      };
      const done2 = await download(this.provider, remote, local, options, limits);
      if (this.#options.mtime !== false && hasExactTime(source)) {
        this.#shared.cannotSetTimes = done2.mtime === null;
      }
      return done2.bytes;
    }
    const send2 = () => upload(this.provider, local, remote, options, {
      limiter,
      plain: this.#local.plain(path),
      onEnding
    });
    await this.#waitForNextSecond(source);
    let done = await send2();
    if (done.mtime === null && await this.#waitForNextSecond(source)) {
      done = await send2();
    }
    if (done.mtime === null) await this.#checkUnchanged(path, source);
    return done.bytes;
  }
  /**
   * Waits after a recent change of a file, so that the next change has another
   * time. Servers report seconds, and a second change within the same one would
   * stay undetected.
   */
  async #waitForNextSecond({ mtime, ctime }) {
    const clock = this.#clock;
    if (mtime === void 0) return false;
    const isKept = this.#options.mtime === false || clock.isMeasured("MDTM") || clock.isMeasured("MLSD");
    let end = Math.floor(mtime / SECOND) * SECOND + SECOND + TICK2;
    if (!this.#setsRemoteTimes && isKept) {
      end = lastChange(mtime, ctime) + CLOCK_MARGIN;
    }
    const rest = end - Date.now();
    if (rest <= 0 || rest > CLOCK_MARGIN + SECOND) return false;
    await delay(rest, this.#options.signal);
    return true;
  }
  async #checkUnchanged(path, { size, mtime }) {
    const now = await this.#local.probe(path);
    if (now?.size === size && now?.mtime === mtime) return;
    throw new Deno.errors.InvalidData(`Cannot verify ${quote(this.#local.at(path))}: it changed during the upload; upload it again`);
  }
};
function lastChange(mtime, ctime = 0) {
  return ctime > 0 && mtime > Date.now() ? ctime : Math.max(mtime, ctime);
}
function isUndecided(local, remote) {
  return local.kind === "file" && remote.kind === "file" && local.mtime !== void 0 && remote.shown !== void 0 && (remote.size === void 0 || local.size === remote.size);
}
function hasExactTime({ shown, timeCommand }) {
  return shown !== void 0 && timeCommand !== "LIST";
}

// lib/client/ftp.ts
init_check_names();
init_check_number();
init_check_word();

// lib/client/server_quirks.ts
var PIPELINING = /* @__PURE__ */ new Set([
  "vsftpd",
  "pyftpdlib",
  "FileZilla",
  "IIS",
  "Serv-U",
  "glFTPd",
  "NcFTPd"
]);
var SHORT4 = 512;
var PURE_FTPD_BUFFER = 2048;
function noteServer({ control, profile }, welcome) {
  profile.noteGreeting(welcome.text);
  const { vendor } = profile;
  if (vendor === void 0) return;
  if (PIPELINING.has(vendor)) control.limitInFlight(Infinity);
  if (vendor === "Pure-FTPd") control.limitInFlight(PURE_FTPD_BUFFER);
  if (vendor === "ftp-srv") control.limitInFlight(0);
  if (vendor === "ProFTPD") control.speakTelnet();
}
async function requestUTF8(turn, options) {
  const { control, profile } = turn.session;
  const isOnDemand = profile.vendor === "IIS";
  const isWanted = isOnDemand && control.encoding.label === "utf-8";
  if (!isWanted || profile.lacks("OPTS UTF8")) return;
  try {
    await turn.exchange({
      verb: "OPTS",
      argument: "UTF8 ON"
    }, options);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}
async function preparePipeline(session, commands2, { window, signal }) {
  const first = [];
  let size = 0;
  const { control, profile } = session;
  const isUnknown = control.isLimited && profile.vendor === void 0;
  while (isUnknown && size <= SHORT4 && first.length < window) {
    const next = commands2.next();
    if (next.done) return first;
    first.push(next.value);
    const { verb, argument = "" } = next.value;
    size += verb.length + argument.length + 3;
  }
  if (size > SHORT4) {
    await requestFeatures(session, {
      signal
    });
    const isSecured2 = control.stream.info !== void 0;
    const mayBePureFTPd = isSecured2 && profile.mayBe("Pure-FTPd");
    if (!profile.mayBe("ProFTPD")) {
      control.limitInFlight(mayBePureFTPd ? PURE_FTPD_BUFFER : Infinity);
    }
  }
  return concatenated(first, commands2);
}
function* concatenated(first, rest) {
  yield* first;
  for (let next = rest.next(); !next.done; next = rest.next()) yield next.value;
}

// lib/client/check_path.ts
function checkPath2(session, path, name) {
  checkAnyPath(session, path, name);
  if (path.length > 0) return;
  throw new TypeError(`Cannot use "" as "${name}": it is empty; "." is the current directory`);
}
function checkAnyPath(session, path, name) {
  const { encoding } = session.control;
  encodeCommand({
    verb: "",
    argument: path,
    name
  }, encoding);
}

// lib/connection/data_connection.ts
var connectionOver;
var DataConnection = class _DataConnection {
  #stream;
  /** @ignore */
  constructor(stream) {
    this.#stream = stream;
  }
  static {
    connectionOver = (stream) => new _DataConnection(stream);
  }
  /** Address of the local end. */
  get localAddr() {
    return this.#stream.localAddr;
  }
  /** Address of the server's end. */
  get remoteAddr() {
    return this.#stream.remoteAddr;
  }
  /** TLS properties of the connection; `undefined` without TLS. */
  get tls() {
    return this.#stream.tls;
  }
  /** Number of bytes read. */
  get bytesRead() {
    return this.#stream.bytesRead;
  }
  /** Number of bytes written. */
  get bytesWritten() {
    return this.#stream.bytesWritten;
  }
  /** Whether the server has ended its side: a read returned `null`. */
  get isEnded() {
    return this.#stream.isEnded;
  }
  /**
   * Whether the data ended without TLS's close_notify. Anyone on the way can
   * end a stream like that, so data may be missing.
   */
  get isCut() {
    return this.#stream.isCut;
  }
  /** Whether {@linkcode close} was called or the connection failed. */
  get isClosed() {
    return this.#stream.isClosed;
  }
  /**
   * Reads at least one byte.
   *
   * @param buffer Buffer for the bytes
   * @returns Number of bytes, or `null` at the end of the data
   * @throws {Deno.errors.TimedOut} If no byte comes within the time-out; the
   * data connection is then closed
   * @throws {Error} `Deno.errors.*` if the connection fails, or the signal's
   * reason
   */
  read(buffer2) {
    return this.#stream.read(buffer2);
  }
  /**
   * Writes at least one byte.
   *
   * @param bytes Bytes to write
   * @returns Number of bytes written
   * @throws As {@linkcode read}
   */
  write(bytes2) {
    return this.#stream.write(bytes2);
  }
  /**
   * Ends the writing side: the server sees the end of the data.
   *
   * @throws As {@linkcode read}
   */
  closeWrite() {
    return this.#stream.closeWrite();
  }
  /** The data as a web stream. Its end closes the connection. */
  get readable() {
    return this.#stream.readable;
  }
  /**
   * The data as a web stream to write to. Closing it closes the connection.
   * Aborting it, as a pipe does if its source fails, aborts the transfer, and
   * `voidresp` rejects. The server may keep the bytes that it has received.
   */
  get writable() {
    return this.#stream.writable;
  }
  /**
   * Closes the connection. After an upload over TLS, the end of TLS takes a
   * moment; `await using` waits for it.
   *
   * Before the end of a download over TLS, the server does not notice until
   * `abort`, `voidresp` or the end of the client, which send `ABOR` first.
   * ProFTPD ends the whole session if it cannot write to a protected data
   * connection, and Pure-FTPd stops answering.
   */
  close() {
    this.#stream.close();
  }
  /** Closes the connection, and waits until it is completely closed. */
  async [Symbol.asyncDispose]() {
    await this.#stream[Symbol.asyncDispose]();
  }
};

// lib/listing/facts_reader.ts
var CR5 = 13;
var LF8 = 10;
var FactsReader = class {
  #decode;
  /**
   * Creates a reader.
   *
   * @param decode Decodes bytes in the session's encoding, which contains ASCII.
   * Must not throw
   */
  constructor(decode2) {
    this.#decode = decode2;
  }
  /**
   * Reads complete lines. CRLF and LF end a line; the last one needs no end.
   *
   * @returns For each line the result of {@linkcode parseFacts}
   */
  read(block) {
    const found = [];
    let at = 0;
    while (at < block.length) {
      const consumed = this.#scan(found, block.subarray(at, at + PIECE_SIZE3));
      if (consumed === 0) break;
      at += consumed;
    }
    for (const line of linesOf(block.subarray(at))) {
      found.push(this.#parse(withoutEnd(line)));
    }
    return found;
  }
  /** Reads the complete lines of a piece. Returns the number of their bytes. */
  #scan(found, piece) {
    const { count, words, consumed } = scanFacts(piece);
    const text = toAlignedText(piece.subarray(0, consumed));
    const shapes = [];
    let at = 0;
    for (let line = 0; line < count; line++) {
      const start = words[at + FACT_RECORD.lineStart];
      const end = words[at + FACT_RECORD.lineEnd];
      const nameStart = words[at + FACT_RECORD.nameStart];
      const marks = words[at + FACT_RECORD.shape];
      let differing = words[at + FACT_RECORD.differing];
      at += FACT_RECORD.words;
      if (nameStart === 0) {
        found.push(this.#parse(piece.subarray(start, end)));
        continue;
      }
      const number = marks & FACT_MARK.shapeMask;
      if (marks & FACT_MARK.isNew) {
        shapes[number] = shapeOf(text.substring(start, nameStart));
      }
      const shape = shapes[number];
      let facts;
      if (shape === void 0) {
        facts = parseFacts(text.substring(start, nameStart)).facts;
        for (; differing !== 0; differing &= differing - 1) at += 2;
      } else {
        facts = {
          ...shape.facts
        };
        const { keys } = shape;
        for (; differing !== 0; differing &= differing - 1) {
          const key = keys[31 - Math.clz32(differing & -differing)];
          facts[key] = text.substring(words[at], words[at + 1]);
          at += 2;
        }
        shape.facts = facts;
      }
      const name = marks & FACT_MARK.isEncoded ? this.#decode(piece.subarray(nameStart, end)) : text.substring(nameStart, end);
      found.push([
        name,
        facts
      ]);
    }
    return consumed;
  }
  #parse(line) {
    const { name, facts } = parseFacts(this.#decode(line));
    return [
      name,
      facts
    ];
  }
};
function withoutEnd(line) {
  const end = line.at(-1) === LF8 ? line.length - 1 : line.length;
  return line.subarray(0, line[end - 1] === CR5 ? end - 1 : end);
}
function shapeOf(line) {
  const { facts } = parseFacts(line);
  const keys = line.split(";").slice(0, -1).map((fact) => fact.slice(0, fact.indexOf("=")).toLowerCase());
  const isUsual = new Set(keys).size === keys.length && !keys.includes("__proto__");
  return isUsual ? {
    keys,
    facts
  } : void 0;
}

// lib/client/ftp_protocol.ts
init_check_names();
init_check_number();
init_check_word();
init_printable();

// lib/client/dialogues.ts
async function greet(control, address, { signal }) {
  const pending = control.expectGreeting(address);
  try {
    return expectSuccess(await control.wait(pending.final, signal), pending.command);
  } catch (error) {
    control.fail(asError(error));
    throw error;
  }
}
function resolveCredentials(user = "anonymous", passwd = "", acct = "") {
  for (const [name, value] of Object.entries({
    user,
    passwd,
    acct
  })) {
    if (typeof value === "string") continue;
    throw new TypeError(`Cannot log in: "${name}" must be a string, not ${value === null ? "null" : `of type ${typeof value}`}`);
  }
  const isAnonymous = user === "" || user === "anonymous";
  const isEmpty = passwd === "" || passwd === "-";
  return {
    user: user || "anonymous",
    passwd: isAnonymous && isEmpty ? `${passwd}anonymous@` : passwd,
    acct
  };
}
function stepsOf({ user, passwd, acct }) {
  return [
    [
      "USER",
      user,
      "user"
    ],
    [
      "PASS",
      passwd,
      "passwd"
    ],
    [
      "ACCT",
      acct,
      "acct"
    ]
  ];
}
function checkCredentials(credentials, encoding) {
  for (const [verb, argument, name] of stepsOf(credentials)) {
    encodeCommand({
      verb,
      argument,
      name
    }, encoding);
  }
}
var NEED_PASSWORD = [
  331,
  336
];
var NEED_ACCOUNT = 332;
async function logIn(turn, credentials, options) {
  checkCredentials(credentials, turn.session.control.encoding);
  const [user, password, account] = stepsOf(credentials);
  const send2 = async (step2) => {
    const [verb, argument, name] = step2;
    try {
      return await turn.exchange({
        verb,
        argument,
        name
      }, options);
    } catch (error) {
      throw error instanceof FTPPermanentError && hasTooManyConnections(error) ? new FTPTemporaryError(error.message, error) : error;
    }
  };
  const { profile, control } = turn.session;
  const isAsked = profile.passwordAskedOf === credentials.user && profile.allowsJoining && control.isPipelining;
  const early = isAsked ? sendTogether(send2, [
    user,
    password
  ]) : void 0;
  if (isAsked) options.onSent?.();
  let step = user;
  let reply = await (early?.[0] ?? send2(step));
  if (NEED_PASSWORD.includes(reply.code)) {
    step = password;
    reply = await (early?.[1] ?? send2(step));
    if (reply.code < 300) profile.passwordAskedOf = credentials.user;
  } else await early?.[1].catch(() => {
  });
  if (reply.code === NEED_ACCOUNT) {
    if (credentials.acct === "") throw noAccount(reply, step[0]);
    step = account;
    reply = await send2(step);
  }
  expectSuccess(reply, step[0]);
  await requestUTF8(turn, options);
  return reply;
}
function sendTogether(send2, steps) {
  const [first, second] = steps.map(send2);
  second.catch(() => {
  });
  const both = first.catch(async (error) => {
    await second.catch(() => {
    });
    throw error;
  });
  return [
    both,
    second
  ];
}
function noAccount(reply, verb) {
  return new FTPReplyError(`Cannot log in: the server asks for an account, "${reply.text}", and none was given; give it as the third argument of login(), or as the option "account" of connect()`, {
    reply,
    command: verb
  });
}

// lib/connection/control_connection.ts
init_byte_stream();

// lib/connection/command_queue.ts
init_bytes();
var WRITE_SIZE2 = 64 * 1024;
var SAFE_IN_FLIGHT = 512;
var CommandQueue = class {
  #waiting = [];
  #inFlight = 0;
  #maxInFlight;
  #isUrgent = false;
  /** Number of queued commands that may be written; the others are held. */
  #mayGo;
  /** Creates an empty queue. */
  constructor(isJoining) {
    this.#maxInFlight = isJoining ? SAFE_IN_FLIGHT : 0;
  }
  /** Whether a command may follow another one without a reply. */
  get isJoining() {
    return this.#maxInFlight > 0;
  }
  /** Whether only a few bytes of commands may be unanswered. */
  get isLimited() {
    return this.isJoining && this.#maxInFlight !== Infinity;
  }
  /**
   * Sets the limit on unanswered bytes.
   *
   * @param size Bytes; 0 for one command at a time, which is permanent
   */
  limit(size) {
    if (this.isJoining) this.#maxInFlight = size;
  }
  /** Whether no command is queued. */
  get isEmpty() {
    return this.#waiting.length === 0;
  }
  /**
   * Queues a command; an urgent one (`ABOR`), and those before it, do not wait
   * for replies.
   *
   * @param line Its bytes, with CRLF
   */
  add(line, isUrgent) {
    this.#waiting.push(line);
    this.#isUrgent ||= isUrgent;
  }
  /** Whether new commands are held. */
  get isHolding() {
    return this.#mayGo !== void 0;
  }
  /** Holds new commands until {@linkcode release}. */
  hold() {
    this.#mayGo ??= this.#waiting.length;
  }
  /** Releases held commands. */
  release() {
    this.#mayGo = void 0;
  }
  /**
   * Queues a command before all others. It waits for no reply, and is not held.
   *
   * @param line Its bytes, with CRLF
   */
  addFirst(line) {
    this.#waiting.unshift(line);
    this.#isUrgent = true;
    if (this.#mayGo !== void 0) this.#mayGo++;
  }
  /**
   * Takes the commands that may be written now, joined into few segments.
   *
   * @returns The bytes; `undefined` if the queue is empty or a reply has to
   * come first
   */
  take() {
    const waiting = this.#waiting;
    const most = this.#isUrgent ? Infinity : this.#maxInFlight;
    const room = most - this.#inFlight;
    const end = Math.min(waiting.length, this.#mayGo ?? Infinity);
    let size = 0;
    let count = 0;
    while (count < end && size < WRITE_SIZE2) {
      const next = size + waiting[count].length;
      if (next > room && this.#inFlight + size > 0) break;
      size = next;
      count++;
    }
    if (count === 0) return void 0;
    this.#inFlight += size;
    const taken = waiting.splice(0, count);
    if (this.#mayGo !== void 0) this.#mayGo -= count;
    if (waiting.length === 0 || this.#mayGo === 0) this.#isUrgent = false;
    return count === 1 ? taken[0] : joinBytes(taken);
  }
  /**
   * Makes room after any reply to a command.
   *
   * @param command The command, whose bytes make room once
   * @param isLast Whether no other command is unanswered
   */
  answered(command, isLast) {
    this.#inFlight = isLast ? 0 : this.#inFlight - command.size;
    command.size = 0;
  }
};

// lib/connection/control_connection.ts
init_waiting();
init_printable();

// lib/protocol/reply.ts
init_byte_buffer();
init_printable();

// lib/protocol/reply_source.ts
var LF9 = 10;
var CR6 = 13;
var CRLF_REGEXP = /\r\n/g;
var ReplySource = class {
  #bytes;
  #decode;
  /** The whole text, if each byte is one character. */
  #text;
  #isDecoded = false;
  /** Creates a source, which keeps the bytes. */
  constructor(bytes2, decode2) {
    this.#bytes = bytes2;
    this.#decode = decode2;
  }
  /**
   * Reads the text of one reply, from byte `start` to byte `end`. Lines end in
   * `"\n"`.
   */
  read(start, end) {
    const isWhole = start === 0 && end === this.#bytes.length;
    const text = isWhole ? void 0 : this.#readPart(start, end);
    if (text !== void 0 && !text.includes("\n")) return text;
    const bytes2 = isWhole ? this.#bytes : this.#bytes.subarray(start, end);
    return readLines(bytes2, this.#decode);
  }
  /** Reads one of several replies. The text of all is decoded at once. */
  #readPart(start, end) {
    if (!this.#isDecoded) {
      this.#isDecoded = true;
      const text = this.#decode(this.#bytes);
      if (isPlain(text, this.#bytes)) this.#text = text;
    }
    return this.#text?.slice(start, end);
  }
};
function isPlain(text, bytes2) {
  return text.length === bytes2.length && !text.includes("\0");
}
function readLines(bytes2, decode2) {
  const text = decode2(bytes2);
  if (isPlain(text, bytes2) && !text.includes("\r\r\n")) {
    return text.includes("\n") ? text.replace(CRLF_REGEXP, "\n") : text;
  }
  const lines = [];
  for (let start = 0; start <= bytes2.length; ) {
    const lf = bytes2.indexOf(LF9, start);
    const next = lf < 0 ? bytes2.length : lf;
    let end = next;
    while (lf >= 0 && end > start && bytes2[end - 1] === CR6) end--;
    lines.push(decode2(bytes2.subarray(start, end)).replaceAll("\r\0", "\r"));
    start = next + 1;
  }
  return lines.join("\n");
}

// lib/protocol/reply.ts
var LF10 = 10;
var CR7 = 13;
var NO_BYTES2 = new ReplySource(new Uint8Array(), () => "");
var MAX_QUOTE = 80;
var Reply = class _Reply {
  /** The three-digit code, 100 to 599. */
  code;
  #source;
  #start;
  #end;
  #text = "";
  #mask;
  /**
   * Creates a reply from a range of bytes. {@linkcode Reply.from} creates one
   * from text.
   *
   * @param code The code
   * @param source The bytes that contain the reply
   * @param start Where it starts, in bytes
   * @param end Where it ends, in bytes, without its line end
   * @param mask Masks secrets, for errors made of the reply
   * @ignore
   */
  constructor(code, source, start, end, mask) {
    this.code = code;
    this.#source = source;
    this.#start = start;
    this.#end = end;
    this.#mask = mask;
  }
  /**
   * Creates a reply from its text.
   *
   * @param text The lines as the server sends them, such as `"250 Done"`
   * @returns The reply
   * @throws {SyntaxError} If the text is not exactly one reply
   */
  static from(text) {
    const reader = new ReplyReader({
      decode: (bytes2) => new TextDecoder().decode(bytes2),
      maxReplyLine: Infinity,
      maxReply: Infinity
    });
    const [reply, ...others] = reader.push(new TextEncoder().encode(text + "\n"));
    if (!reply || others.length > 0 || reader.error || reader.hasPartial) {
      throw new SyntaxError(`Cannot make a reply: expected one reply, got ${quoteShort(text)}`);
    }
    return reply;
  }
  /** All lines joined by `"\n"`, with their codes, as ftplib returns them. */
  get text() {
    if (this.#source !== void 0) {
      this.#text = this.#source.read(this.#start, this.#end);
      this.#source = void 0;
    }
    return this.#text;
  }
  /** The lines without their ends. The first starts with the code. */
  get lines() {
    return this.text.split("\n");
  }
  /** The same as {@linkcode Reply.text}. */
  toString() {
    return this.text;
  }
  /**
   * Returns a copy without the secrets in the text; the same reply if it has
   * none.
   *
   * @ignore
   */
  [REDACTED]() {
    const text = this.#mask?.(this.text) ?? this.text;
    if (text === this.text) return this;
    const copy3 = new _Reply(this.code, NO_BYTES2, 0, 0);
    copy3.#source = void 0;
    copy3.#text = text;
    return copy3;
  }
  /**
   * Formats the reply for `console.log`.
   *
   * @ignore
   */
  [Symbol.for("Deno.customInspect")](inspect, options) {
    return printableInspection(`Reply ${inspect({
      code: this.code,
      text: this.text
    }, options)}`);
  }
};
var ReplyReader = class {
  #decode;
  #mask;
  #maxReplyLine;
  #maxReply;
  #scanner;
  /** Bytes of the incomplete reply. */
  #kept = new ByteBuffer();
  #error;
  /** Creates a reader at the start of a connection. */
  constructor(options) {
    this.#decode = options.decode;
    this.#mask = options.mask;
    this.#maxReplyLine = options.maxReplyLine ?? 65536;
    this.#maxReply = options.maxReply ?? 1048576;
    this.#scanner = new ReplyScanner({
      maxReplyLine: this.#maxReplyLine,
      maxReply: this.#maxReply,
      lenient: options.multiline === "lenient"
    });
  }
  /**
   * The error in the stream, if there is one. The replies before it were
   * returned, and none will follow.
   */
  get error() {
    return this.#error;
  }
  /** Whether a reply has started and not ended. */
  get hasPartial() {
    return this.#kept.length > 0;
  }
  /**
   * The last complete line, if it would have ended the multi-line reply but for
   * its code; `undefined` otherwise. Some servers (glFTPd) send such a line and
   * nothing more.
   */
  get hint() {
    if (this.#error !== void 0 || !this.#scanner.hint) return void 0;
    const kept = this.#kept.view();
    const end = kept.lastIndexOf(LF10);
    return this.#read(kept.slice(kept.lastIndexOf(LF10, end - 1) + 1, end));
  }
  /**
   * Reads the next bytes, which may be overwritten afterwards. Returns the
   * replies that they complete, in order.
   */
  push(chunk) {
    const replies = [];
    if (chunk.length <= PIECE_SIZE3) {
      this.#pushPiece(chunk, replies);
      return replies;
    }
    for (let at = 0; at < chunk.length; at += PIECE_SIZE3) {
      this.#pushPiece(chunk.subarray(at, at + PIECE_SIZE3), replies);
    }
    return replies;
  }
  /** Reads no more bytes than the parser takes at once. */
  #pushPiece(piece, replies) {
    if (this.#error !== void 0) return;
    const scanner = this.#scanner;
    const count = scanner.scan(piece);
    const text = scanner.text(piece);
    let first = 0;
    if (count > 0 && scanner.start(0) < 0) {
      first = 1;
      const bytes2 = this.#join(text, scanner.end(0));
      const source = new ReplySource(bytes2, this.#decode);
      replies.push(new Reply(scanner.code(0), source, 0, bytes2.length, this.#mask));
    }
    if (count > first) {
      const base = scanner.start(first);
      const bytes2 = copyOf2(text, base, scanner.end(count - 1));
      const source = new ReplySource(bytes2, this.#decode);
      for (let index = first; index < count; index++) {
        replies.push(new Reply(scanner.code(index), source, scanner.start(index) - base, scanner.end(index) - base, this.#mask));
      }
    }
    if (scanner.status !== "good") this.#fail(text);
    else this.#keep(text, text.length);
  }
  /** Keeps the bytes of the incomplete reply. */
  #keep(text, end) {
    const from = this.#scanner.keep;
    if (from >= 0) this.#kept.clear();
    this.#kept.append(text, Math.max(from, 0), end);
  }
  /**
   * Joins the kept bytes and the text up to `end`; a negative `end` cuts off
   * kept bytes.
   */
  #join(text, end) {
    const kept = this.#kept;
    kept.append(text, 0, Math.max(end, 0));
    return kept.take(kept.length + Math.min(end, 0));
  }
  /** Stores the error, after which no reply is read. */
  #fail(text) {
    const { status } = this.#scanner;
    this.#keep(text, this.#scanner.wrongEnd);
    const line = status === "malformed" ? this.#kept.take(this.#kept.length) : void 0;
    this.#kept.clear();
    this.#error = new FTPProtocolError(line !== void 0 ? `Cannot read the reply: expected a code from 100 to 599, got ${quoteShort(this.#read(line))}${otherProtocol(line)}` : status === "lineTooLong" ? `Cannot read the reply: a line is longer than ${this.#maxReplyLine} bytes` : `Cannot read the reply: it is longer than ${this.#maxReply} bytes`);
  }
  /** Decodes a line for a message, without its final CRs. */
  #read(line) {
    let end = line.length;
    while (end > 0 && line[end - 1] === CR7) end--;
    const text = new ReplySource(line, this.#decode).read(0, end);
    return this.#mask?.(text) ?? text;
  }
};
function quoteShort(text) {
  const short = text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}...` : text;
  return quoteEscaped(short);
}
var OTHER_PROTOCOLS = [
  [
    "SSH-",
    "; this is an SSH server, and SFTP is not FTP"
  ],
  [
    "HTTP/",
    "; this is a web server"
  ],
  [
    "",
    "; this is TLS, which this server may use from the first byte (ftps:)"
  ]
];
function otherProtocol(line) {
  const start = String.fromCharCode(...line.subarray(0, 5));
  return OTHER_PROTOCOLS.find(([first]) => start.startsWith(first))?.[1] ?? "";
}

// lib/connection/control_connection.ts
var READ_SIZE4 = 16 * 1024;
var REPLY_TIMEOUTS = 20;
var LF11 = 10;
var UNRELATED_REGEXP = /time-?d?[ -]?out|idle|inactiv|too many|limit|maximum|max |busy|full|shut|maintenance|later|offline|admin|terminat|service (is )?(not |un)available/i;
var ControlConnection = class {
  /** Its number in diagnostic events. */
  id = nextDiagnosticId();
  /** When it was opened, in milliseconds of `performance.now()`. */
  since = performance.now();
  /** Encoding of the next commands and replies. */
  encoding;
  #stream;
  #options;
  #reader;
  #pending = new PendingCommands();
  #secrets = new Secrets();
  #watchdog;
  #open;
  #failure;
  #isDoubtful = false;
  #isBroken = false;
  #lostOver;
  #unknown;
  #isHungUp = false;
  /** Why the server may close now. */
  #closing;
  #wasIdle = false;
  #queue;
  #isTelnet = false;
  #isWriting = false;
  #reading;
  #isPaused = false;
  #lastReply;
  /** When the first bytes came that answer nothing, since the last answer. */
  #begun;
  /** Whether the bytes at hand have answered something. */
  #isAnswered = false;
  #closed = Promise.withResolvers();
  /** Takes over a connected stream, and starts to read. */
  constructor(stream, options) {
    this.#stream = stream;
    this.#options = options;
    this.encoding = options.encoding;
    this.#queue = new CommandQueue(options.pipelining);
    this.#reader = new ReplyReader({
      decode: (bytes2) => this.encoding.decode(bytes2),
      maxReplyLine: options.maxReplyLine,
      maxReply: options.maxReply,
      multiline: options.multiline,
      mask: this.#mask
    });
    this.#watchdog = new Watchdog(options.timeout, () => this.#expire());
    this.#reading = this.#run();
  }
  /** The current stream: TCP, or TLS over it. */
  get stream() {
    return this.#stream;
  }
  /** Reason why the connection is closed, if it is. */
  get failure() {
    return this.#failure;
  }
  /**
   * Whether the server closed an idle connection, so that no command is lost.
   */
  get wasClosedIdle() {
    return this.#failure !== void 0 && this.#wasIdle;
  }
  /**
   * Whether the connection was closed because of what an aborted transfer may
   * have left behind. Another connection can replace it.
   */
  get isDoubtful() {
    return this.#isDoubtful;
  }
  /**
   * The pending command when the server ended the connection or stopped
   * answering. It may be a command that the server cannot handle.
   */
  get lostOver() {
    return this.#lostOver;
  }
  /**
   * Whether the server closed the connection, with or without a 421 reply, but
   * not because it was idle or has too many connections.
   */
  get isHungUp() {
    return this.#isHungUp;
  }
  /** The command at which the server hung up, if that may be the reason. */
  get hungUpAt() {
    return this.#isHungUp ? this.#lostOver : void 0;
  }
  /**
   * The last command that was answered, if the server does not know it. Some
   * servers close the connection a moment later.
   */
  get unknown() {
    return this.#unknown;
  }
  /** The transfer whose final reply was not acknowledged yet. */
  get open() {
    return this.#open;
  }
  /** The command whose reply is next, if any is pending. */
  get due() {
    return this.#pending.head;
  }
  /** The last reply. */
  get lastReply() {
    return this.#lastReply;
  }
  /** Doubles the byte 0xFF in commands from now on. */
  speakTelnet() {
    this.#isTelnet = true;
  }
  /** The timer of its time limit, for its data connections. */
  get ticker() {
    return this.#watchdog.ticker;
  }
  /** Whether commands are sent before earlier ones are answered. */
  get isPipelining() {
    return this.#queue.isJoining;
  }
  /** Whether commands that were sent together had replies. */
  get hasPipelined() {
    return this.#pending.isProven;
  }
  /** Whether only a few bytes of commands may be unanswered. */
  get isLimited() {
    return this.#queue.isLimited;
  }
  /** Sets the limit on unanswered bytes; 0 for one command at a time. */
  limitInFlight(size) {
    this.#queue.limit(size);
  }
  /** Expects the greeting. */
  expectGreeting(address) {
    const describe2 = () => `connect to ${address}`;
    return this.#pending.add(new PendingCommand(describe2, "greeting", false));
  }
  /**
   * Sends a command after those before it, without waiting for their replies.
   *
   * @throws {TypeError} If the command has CR, LF or NUL, or cannot be encoded
   * @throws {Deno.errors.Busy} If a transfer is open
   * @throws {Deno.errors.NotConnected} If the connection is closed
   */
  send(command, options = {}) {
    const line = encodeCommand(command, this.encoding);
    const bytes2 = this.#isTelnet ? doubleIAC(line) : line;
    const encoding = this.encoding;
    const describe2 = () => describeCommand(command, encoding);
    if (this.#failure !== void 0) {
      throw notConnectedError(describe2(), this.#failure);
    }
    if (this.#open !== void 0 && this.#open !== options.during) {
      throw busyError(describe2(), this.#open);
    }
    const { kind = "command", pauses = false, replaces } = options;
    const entry = new PendingCommand(describe2, kind, pauses);
    const pending = replaces === void 0 ? this.#pending.add(entry) : this.#pending.replace(entry, replaces);
    pending.verb = command.verb.toUpperCase();
    pending.size = bytes2.length;
    const isUrgent = options.during !== void 0 && !options.isBehind;
    pending.isPipelined &&= this.#queue.isJoining && !isUrgent && !this.#queue.isHolding;
    pending.isSecret = this.#secrets.note(command);
    pending.advice = options.advice;
    if (replaces !== void 0) {
      this.#queue.addFirst(bytes2);
      this.#flush();
    } else {
      this.#write(bytes2, isUrgent);
    }
    if (kind === "passive" && replaces === void 0) this.#queue.hold();
    this.#options.tracer.emit("sent", describe2);
    observeCommand(this.id, pending);
    return pending;
  }
  /**
   * Waits for a reply, within the time-out.
   *
   * @param reply `first` or `final` of a pending command
   */
  async wait(reply, signal) {
    if (this.#watchdog.waits === 0) {
      this.#stream.ref();
      this.#begun = void 0;
    }
    this.#watchdog.begin();
    try {
      return await abortable(reply, signal);
    } finally {
      this.#watchdog.end();
      if (this.#watchdog.waits === 0 && this.#failure === void 0) {
        this.#stream.unref();
      }
    }
  }
  /**
   * Marks the final reply of a command as handled. After that of the open
   * transfer, commands may be sent again.
   */
  acknowledge(pending) {
    pending.isAcknowledged = true;
    if (this.#open === pending) this.#open = void 0;
  }
  /**
   * Replaces the stream after a command that paused reading (`AUTH`, `CCC`).
   *
   * @throws {FTPProtocolError} If unprotected bytes followed the reply
   * (response injection); the connection is closed
   */
  async replaceStream(secure2) {
    await this.#reading;
    if (this.#failure !== void 0) throw this.#failure;
    try {
      this.#stream.ref();
      this.#stream = await secure2(this.#stream);
      if (this.#failure !== void 0) this.#stream.close();
    } catch (error) {
      const { failure: failure3 = error } = this;
      this.fail(asError(error));
      throw failure3;
    }
    if (this.#failure !== void 0) throw this.#failure;
    this.#isPaused = false;
    this.#reading = this.#run();
  }
  /**
   * Adds an event to the trace that no command or reply shows.
   *
   * @param text Returns the text, printable and masked
   */
  tell(text) {
    this.#options.tracer.emit("event", text);
  }
  /** Announces that the server may close now (`QUIT`), and why. */
  expectClose(why) {
    this.#closing = why;
  }
  /** Closes at once. Pending commands reject with the reason. */
  fail(reason) {
    if (this.#isDoubtful) {
      this.#failure = reason;
      this.#isDoubtful = false;
    }
    if (this.#failure !== void 0) return;
    this.#failure = reason;
    this.#options.tracer.emit("event", () => `closed: ${reason.message}`);
    this.#watchdog.stop();
    this.#pending.fail(reason);
    closeQuietly(this.#stream);
    this.#reading.then(() => this.#closed.resolve());
  }
  /** Closes at once, because of what the server or the network did. */
  #break(reason) {
    if (this.#failure === void 0) this.#isBroken = true;
    this.fail(reason);
  }
  /**
   * Closes a connection on which an aborted transfer may have left something.
   */
  giveUp(reason) {
    if (this.#failure !== void 0 && !this.#isBroken) return;
    if (this.#failure === void 0) this.fail(reason);
    this.#isDoubtful = true;
  }
  /** Fulfilled when the connection is closed and no read is pending. */
  get closed() {
    return this.#closed.promise;
  }
  /**
   * Writes a command in order, joined with others of the same moment. An urgent
   * one (`ABOR`) is written at once, before its data connection is closed.
   */
  #write(bytes2, isUrgent) {
    const isFirst = this.#queue.isEmpty;
    this.#queue.add(bytes2, isUrgent);
    if (isUrgent) this.#flush();
    else if (isFirst) queueMicrotask(() => this.#flush());
  }
  /** The only place that writes to the socket. */
  async #flush() {
    if (this.#isWriting) return;
    this.#isWriting = true;
    try {
      while (this.#failure === void 0) {
        const bytes2 = this.#queue.take();
        if (bytes2 === void 0) return;
        await writeAll(this.#stream, bytes2);
      }
    } catch (error) {
      this.#closedBy(error);
    } finally {
      this.#isWriting = false;
    }
  }
  /** The only loop that reads from the socket. */
  async #run() {
    const buffer2 = new Uint8Array(READ_SIZE4);
    try {
      if (this.#watchdog.waits === 0) this.#stream.unref();
      while (!this.#isPaused && this.#failure === void 0) {
        const n = await this.#stream.read(buffer2);
        if (this.#failure !== void 0) return;
        if (n === null) return this.#ended();
        this.#take(buffer2.subarray(0, n));
      }
    } catch (error) {
      this.#closedBy(error);
    }
  }
  /**
   * Handles received bytes. Complete lines count as progress, but not without
   * end.
   */
  #take(bytes2) {
    if (bytes2.includes(LF11)) this.#watchdog.touch();
    this.#isAnswered = false;
    for (const part of this.#pending.pauses ? linesOf(bytes2) : [
      bytes2
    ]) {
      if (this.#isPaused) return this.#break(injectionError());
      for (const reply of this.#reader.push(part)) this.#deliver(reply);
    }
    if (this.#reader.error !== void 0) {
      this.#suspect();
      return this.#break(this.#reader.error);
    }
    if (!this.#queue.isEmpty) this.#flush();
    const isAwaited = this.#watchdog.waits > 0 && !this.#isIdle;
    if (isAwaited && !this.#isAnswered) this.#checkLength();
  }
  /** Limits the time of a reply whose lines keep coming. */
  #checkLength() {
    const most = REPLY_TIMEOUTS * this.#options.timeout;
    const now = performance.now();
    this.#begun ??= now;
    if (most === 0 || now - this.#begun <= most) return;
    this.#expire(`the reply has no end after ${most} ms`);
  }
  #deliver(received) {
    if (this.#failure !== void 0) return;
    this.#options.tracer.emit("received", () => printable(this.#mask(received.text)));
    const { due } = this;
    const isMismatched = this.#pending.isMismatched(received);
    const mayTell = due?.isSecret !== false || received.code >= 400 || isMismatched;
    const reply = mayTell ? received[REDACTED]() : received;
    this.#lastReply = reply;
    if (due !== void 0 && isMismatched) {
      return this.#break(wrongReplyError(due, reply));
    }
    const pending = this.#pending.deliver(reply);
    if (pending === void 0 && reply.code !== 421) {
      return this.#break(unexpectedReplyError(reply));
    }
    if (pending !== void 0) {
      this.#unknown = isUnknownCommand(reply) ? pending : void 0;
      this.#queue.answered(pending, this.due === void 0);
      if (pending.kind === "passive" && pending.isSettled) {
        this.#passed(pending);
      }
    }
    const isPreliminary = pending?.preliminary === reply;
    if (isPreliminary && pending?.kind !== "passive") this.#open = pending;
    const isAnswer = pending?.isSettled || pending?.preliminary === reply;
    if (isAnswer) {
      this.#begun = void 0;
      this.#isAnswered = true;
    }
    if (pending?.isSettled && pending.pauses && reply.code < 400) {
      this.#isPaused = true;
    }
    if (reply.code === 421) {
      this.#wasIdle = pending === void 0 && this.#open === void 0;
      if (pending !== void 0 && !UNRELATED_REGEXP.test(reply.text)) {
        this.#isHungUp = true;
        this.#lostOver = pending;
      }
      this.#break(closedByReplyError(reply));
    }
  }
  /**
   * Releases the commands held after `EPSV`, or after the `PASV` that replaced
   * it.
   */
  #passed(pending) {
    const { replaces } = pending;
    if (replaces !== void 0) this.#queue.answered(replaces, false);
    if (this.due?.replaces !== pending) this.#queue.release();
  }
  #mask = (text) => this.#secrets.mask(text);
  #ended() {
    this.#wasIdle = this.#isIdle && !this.#reader.hasPartial;
    if (this.#closing !== void 0 && this.due === void 0) {
      return this.fail(new Deno.errors.NotConnected(this.#closing));
    }
    const isSuspect = this.#suspect(this.#pending.isUnproven);
    this.#isHungUp = true;
    this.#noteBroken(isSuspect);
    const { via } = this.#stream;
    this.#break(endedError(this.due, this.#reader.hasPartial, isSuspect, via));
  }
  #expire(what) {
    const awaited = this.due?.kind === "greeting" ? "answer" : "reply";
    what ??= `no ${awaited} within ${this.#options.timeout} ms`;
    this.#noteBroken(this.#suspect());
    const { via } = this.#stream;
    this.#break(timeoutError(this.due, what, this.#reader.hint, via));
  }
  /** Notes that the server may not support pipelining. */
  #suspect(isSuspect = isSuspicious(this.due)) {
    if (isSuspect) this.#options.onDropped();
    return isSuspect;
  }
  /**
   * Notes the pending command when the connection broke, if that may be the
   * reason.
   */
  #noteBroken(isSuspect) {
    if (!isSuspect) this.#lostOver = this.due;
  }
  get #isIdle() {
    return this.due === void 0 && this.#open === void 0;
  }
  #closedBy(error) {
    if (this.#failure !== void 0) return;
    this.#wasIdle = this.#isIdle;
    this.#noteBroken(this.#suspect(this.#pending.isUnproven));
    this.#break(brokenError(this.due, error, this.#stream.via));
  }
};
function isSuspicious(due) {
  return due?.isPipelined === true && due.kind !== "passive";
}

// lib/transfer/server_profile.ts
var GREETINGS = [
  [
    "vsftpd",
    /vsFTPd/i
  ],
  [
    "ProFTPD",
    /ProFTPD/i
  ],
  [
    "Pure-FTPd",
    /Pure-FTPd/i
  ],
  [
    "pyftpdlib",
    /pyftpdlib/i
  ],
  [
    "FileZilla",
    /FileZilla/i
  ],
  [
    "IIS",
    /Microsoft FTP/i
  ],
  [
    "Serv-U",
    /Serv-U/i
  ],
  [
    "glFTPd",
    /glFTPd/i
  ],
  [
    "NcFTPd",
    /NcFTPd/i
  ],
  [
    "ftp-srv",
    /^220 Ready$/m
  ]
];
var DISPENSABLE_REGEXP = /^(FEAT|OPTS|MLST|MDTM|MFMT|SIZE|STAT|SITE|PWD|SYST|TYPE|MODE|EPRT|HASH|M?MD5|X(CRC|MD5|SHA\d*))$/;
var USES_REGEXP = /^(TYPE|MODE|OPTS|SITE)$/;
function useOf(line) {
  return line.toUpperCase().split(" ", 2).join(" ");
}
function usesOf(line) {
  const [verb = "", word = ""] = line.split(" ", 2);
  return [
    "",
    ` ${word}`,
    " time",
    " path"
  ].map((use) => verb + use);
}
var PROFTPD_FEATURE = "MFF";
var UTC_VENDORS = [
  "ProFTPD",
  "Pure-FTPd"
];
var LATE_VENDORS = [
  "vsftpd",
  "ProFTPD",
  "Pure-FTPd"
];
var OLD_VSFTPD_REGEXP = /vsFTPd [1-3]\.\d/i;
var MLSD_VENDORS = [
  "ProFTPD",
  "Pure-FTPd",
  "pyftpdlib"
];
var ANY_SESSION_VENDORS = [
  "vsftpd",
  "Pure-FTPd",
  "pyftpdlib"
];
var LEAST_COUNTER = 2 ** 31 - 1;
var ServerProfile = class {
  #vendor;
  #isNotProFTPD = false;
  #lacking = /* @__PURE__ */ new Set();
  /** Uses of commands that got a reply other than a refusal. */
  #known = /* @__PURE__ */ new Set();
  /** Commands that are not sent again because the server hung up at them. */
  #hungUpAt = /* @__PURE__ */ new Set();
  /** Uses of commands at which a connection ended, perhaps by accident. */
  #suspected = /* @__PURE__ */ new Map();
  #hangUps = 0;
  /** Whether the server was seen to hang up at a command each time. */
  #hangsUp = false;
  #features;
  #featuresIdentity = "";
  /** Whether `EPSV` works; `undefined` before the first try. */
  hasExtendedPassive;
  /** What an earlier run has learned, and nothing has confirmed yet. */
  recalled = /* @__PURE__ */ new Set();
  /** Whether `MLSD` works; `undefined` before it returned an entry. */
  hasMLSD;
  /** Whether `MLSD` of the parent of an empty directory proved nothing. */
  hidesParent = false;
  /** Whether `LIST -a` works; `undefined` before the first try. */
  hasListAll;
  /** Whether `LIST -a` shows the directory itself; `undefined` if unknown. */
  showsSelf;
  /** Whether `MLSD` was seen to show links as links. */
  tellsLinks = false;
  /** Whether `EPSV` and `PASV` were refused while `passive` is "auto". */
  refusesPassive = false;
  /** The user who logged in last with a password that the server asked for. */
  passwordAskedOf;
  /** Whether the server was seen to decompress a file in `MODE Z`. */
  decompresses = false;
  /** Whether a store at an offset was seen to keep the bytes before it. */
  keepsBeginnings = false;
  /** Whether `PRET` is needed before `EPSV` and `PASV`. */
  needsPRET = false;
  /** The largest offset at which a download was seen to start, in bytes. */
  #provenStart = 0;
  /** The server's times. */
  clock;
  /**
   * Creates a profile without knowledge.
   *
   * @param zone Zone of the server's times in minutes east of UTC, if the user
   * set it
   */
  constructor(zone) {
    this.clock = new ServerClock(zone);
  }
  /** The server's software; `undefined` if unknown. */
  get vendor() {
    return this.#vendor;
  }
  /**
   * Whether the server may be of a vendor: true until something disproves it.
   */
  mayBe(vendor) {
    if (this.#vendor !== void 0) return this.#vendor === vendor;
    return !(vendor === "ProFTPD" && this.#isNotProFTPD);
  }
  /** Whether no release of the server has `MLSD`. */
  get neverHasMLSD() {
    return this.#vendor === "vsftpd";
  }
  /**
   * Whether the server may end the session if it cannot write to a protected
   * data connection, as ProFTPD does.
   */
  get mayEndAtClosedData() {
    return this.mayBe("ProFTPD");
  }
  /**
   * Whether an aborted transfer leaves nothing behind, neither data nor a
   * reply. Only true for servers that were measured.
   */
  get leavesNothing() {
    return this.#vendor === "vsftpd";
  }
  /**
   * Whether the bytes of an upload may be sent before its 1yz. These servers
   * accept the data connection when they execute the command, and read nothing
   * before.
   */
  get acceptsLate() {
    return LATE_VENDORS.includes(this.#vendor);
  }
  /**
   * Whether commands may be joined that others wait for: the server handles them
   * in order, also behind the end of the data, and a requested port may stay
   * unused. pyftpdlib closes the connection after 30 seconds then.
   */
  get allowsJoining() {
    return LATE_VENDORS.includes(this.#vendor);
  }
  /**
   * Whether the server reads no command before the end of a transfer, so that
   * the next one may be sent once all of an upload's bytes were.
   */
  get servesInOrder() {
    return this.#vendor === "vsftpd";
  }
  /**
   * Whether an empty `MLSD` is believed before one has returned an entry.
   * `MLSD` of these vendors was measured to return every entry that the server
   * may read.
   */
  get givesAllByMLSD() {
    return MLSD_VENDORS.includes(this.#vendor);
  }
  /**
   * Whether a data connection may resume any TLS session of the server, or
   * none. Only true for servers that were measured; ProFTPD requires the
   * session of the control connection.
   */
  get acceptsAnyTLSSession() {
    return ANY_SESSION_VENDORS.includes(this.#vendor);
  }
  /**
   * Whether the server reports a directory that it may not read: "failed to
   * open directory", "unable to read".
   */
  get admitsUnreadable() {
    return this.#vendor === "vsftpd" || this.#vendor === "Pure-FTPd";
  }
  /**
   * Derives the vendor from a greeting. A greeting without a vendor's name
   * proves nothing.
   */
  noteGreeting(text) {
    const found = GREETINGS.find(([, regexp]) => regexp.test(text));
    if (found !== void 0) this.#setVendor(found[0]);
    if (!OLD_VSFTPD_REGEXP.test(text)) return;
    this.hasMLSD ??= false;
    this.recalled.add("MLSD");
  }
  /**
   * Forgets what an earlier run has learned about a command.
   *
   * @returns Whether there was something to forget
   */
  unlearn(command) {
    if (!this.recalled.delete(command)) return false;
    if (command === "EPSV") this.hasExtendedPassive = void 0;
    else if (command === "MLSD") this.hasMLSD = void 0;
    else this.needsPRET = false;
    return true;
  }
  /** Whether the server is known to start a download at an offset. */
  startsAt(offset) {
    const proven = this.#provenStart;
    return proven > 0 && offset <= Math.max(proven, LEAST_COUNTER);
  }
  /** Notes that a download started at an offset. */
  noteStart(offset) {
    this.#provenStart = Math.max(this.#provenStart, offset);
  }
  /**
   * Whether the server is known to lack an optional command, or a use of it.
   */
  lacks(command) {
    return this.#lacking.has(command);
  }
  /** Notes that the server lacks a command. */
  noteLacking(command) {
    this.#lacking.add(command);
  }
  /** Notes that a command was seen to work. */
  forgetLacking(command) {
    this.#lacking.delete(command);
  }
  /** Notes that the server knows a command, or a use of it. */
  noteKnown({ verb, argument }) {
    const word = verb.toUpperCase();
    this.#known.add(USES_REGEXP.test(word) ? useOf(`${word} ${argument ?? ""}`) : word);
  }
  /** Whether the client can do without a command that it still sends. */
  isAvoidable(command) {
    const [verb = ""] = command.split(" ", 1);
    return DISPENSABLE_REGEXP.test(verb) && !this.#hungUpAt.has(command);
  }
  /** Whether the server hung up at a command, which is not sent again. */
  hungUpAt(command) {
    return this.#hungUpAt.has(command);
  }
  /**
   * Notes that the server closed the connection after a command; some do for
   * each unknown one. Only optional commands of the client are avoided.
   *
   * @returns Whether it may be an accident, so that the command is to be sent
   * once more
   */
  noteHangUp(line, control) {
    const [, verb = "", word = ""] = /^(\S+) ?(\S*)/.exec(line) ?? [];
    const use = USES_REGEXP.test(verb) ? useOf(line) : verb;
    const isDispensable = DISPENSABLE_REGEXP.test(verb);
    const isOptional = isDispensable || /^(MLSD|PRET|LIST -a)\b/.test(line);
    if (this.#known.has(use) || !isOptional) return false;
    if (isDispensable && !this.#lacking.has(use)) this.#hangUps++;
    const mayBeAccident = this.#mayBeAccident(use, control);
    if (!mayBeAccident) this.#noteHangUp(line, verb, word);
    return mayBeAccident;
  }
  /** Number of ends of connections at commands that are left out then. */
  get hangUps() {
    return this.#hangUps;
  }
  /**
   * Whether a connection may have ended at a command by accident. The second
   * time proves that it did not, if that connection was opened later, and so
   * does a reply that the command is unknown.
   */
  #mayBeAccident(use, control) {
    if (this.#hangsUp || control.unknown !== void 0) return false;
    const before = this.#suspected.get(use);
    if (before === void 0) {
      this.#suspected.set(use, {
        control,
        at: performance.now()
      });
      return true;
    }
    if (before.control === control || control.since < before.at) return true;
    return !(this.#hangsUp = true);
  }
  #noteHangUp(line, verb, word) {
    if (verb === "MLSD") this.hasMLSD ??= false;
    else if (verb === "LIST" && word === "-a") this.hasListAll ??= false;
    else if (verb === "PRET") this.needsPRET = false;
    else if (DISPENSABLE_REGEXP.test(verb)) {
      this.#hungUpAt.add(line);
      for (const use of usesOf(line)) this.noteLacking(use);
    }
  }
  /**
   * Notes that the server refused the substitute of a command at which it hung
   * up. The command is sent again.
   */
  noteRefusal(substitute, command) {
    this.#hungUpAt.add(substitute);
    this.#hungUpAt.delete(command);
    for (const use of usesOf(command)) this.#lacking.delete(use);
  }
  /**
   * Returns the features, if `FEAT` was answered for the same user under the
   * same protection.
   */
  featuresFor(identity) {
    return identity === this.#featuresIdentity ? this.#features : void 0;
  }
  /**
   * Notes the reply to `FEAT`, and derives properties of the server from it.
   *
   * @param features Names in upper case with their parameters; `undefined` if
   * `FEAT` was refused
   * @returns The features; empty if `FEAT` was refused
   */
  noteFeatures(identity, features) {
    this.#features = features ?? /* @__PURE__ */ new Map();
    this.#featuresIdentity = identity;
    if (features?.has("PRET")) this.needsPRET = true;
    if (features?.has(PROFTPD_FEATURE)) this.#setVendor("ProFTPD");
    else if (features !== void 0) this.#isNotProFTPD = true;
    return this.#features;
  }
  #setVendor(vendor) {
    this.#vendor = vendor;
    if (UTC_VENDORS.includes(vendor)) this.clock.noteUTC();
  }
};

// lib/tls/deno_version.ts
var LEAST = {
  FTP: [
    2,
    3
  ],
  FTPS: [
    2,
    9
  ]
};
var ADVICE4 = {
  FTP: 'upgrade Deno ("deno upgrade")',
  FTPS: 'upgrade Deno ("deno upgrade"), or omit "tls" to use clear text'
};
function checkDenoVersion(protocol, version = Deno.version.deno) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const least = LEAST[protocol];
  if (major > least[0] || major === least[0] && minor >= least[1]) return;
  throw new Deno.errors.NotSupported(`Cannot use ${protocol === "FTPS" ? "TLS" : protocol} with Deno ${version}: ${protocol} needs Deno ${least.join(".")} or later; ${ADVICE4[protocol]}`);
}

// lib/client/security.ts
init_errors();

// lib/client/ticket_supply.ts
var TICKET_COMMAND = {
  verb: "LIST"
};
var TicketSupply = class {
  #tls;
  /** Whether tickets are needed; `undefined` before it is known. */
  #isOpen;
  #isFetching = false;
  /** Creates a supply. */
  constructor(tls) {
    this.#tls = tls;
  }
  /**
   * Obtains tickets if there is none for the next data connection.
   *
   * @throws {Error} If the control connection fails, or the signal's reason
   */
  async supply(turn, options) {
    if (this.#isOpen === false || this.#isFetching) return;
    if (turn.session.control.lastReply?.code === 350) return;
    if (await this.#tls.canResume()) {
      this.#isOpen = true;
      return;
    }
    this.#isOpen ??= false;
    if (!this.#isOpen) return;
    this.#isFetching = true;
    try {
      this.#isOpen = await this.#fetch(turn, options);
    } finally {
      this.#isFetching = false;
    }
  }
  /** Obtains tickets. Returns whether the server sends usable ones. */
  async #fetch(turn, options) {
    try {
      const listing = await openTransfer(turn, TICKET_COMMAND, options);
      await listing.complete((data) => data.readToEnd(() => {
      }), {
        ...options,
        isWhole: true
      });
      return false;
    } catch (error) {
      const isOver = turn.session.control.failure !== void 0 || options.signal?.aborted;
      if (isOver || !(error instanceof FTPError)) throw error;
    }
    return await this.#tls.canResume();
  }
};

// lib/client/security.ts
function loadTLS() {
  return Promise.resolve().then(() => (init_secure(), secure_exports));
}
async function secureStream(stream, options) {
  checkDenoVersion("FTPS");
  const { secureControl: secureControl2 } = await loadTLS();
  return await secureControl2(stream, options);
}
async function secureIfAsked(turn, server, welcome, options) {
  const { session } = turn;
  if (server.tls === void 0 || isSecured(session)) return;
  if (welcome.code === 230) {
    const error = new FTPProtocolError(`Cannot secure the connection: the server has logged in the user before TLS, "${welcome.text}"; the connection is closed`);
    session.control.fail(error);
    throw error;
  }
  await auth(turn, server, options);
}
function isSecured(session) {
  return session.control.stream.info !== void 0;
}
async function auth(turn, server, options) {
  const { session } = turn;
  if (isSecured(session)) {
    throw new TypeError('Cannot send "AUTH": the connection is under TLS');
  }
  checkDenoVersion("FTPS");
  const reply = await requestAuth(turn, server.tls, options);
  await session.control.replaceStream(async (stream) => {
    const secured = await secureStream(stream, {
      host: server.host,
      port: server.port,
      options: server.tls ?? {},
      acceptsAnySession: session.profile.acceptsAnyTLSSession,
      timeout: session.options.timeout,
      signal: options.signal
    });
    keepTLSSession(session, secured.session);
    return secured;
  });
  return reply;
}
async function requestAuth(turn, tls, options) {
  try {
    return await pausing(turn, {
      verb: "AUTH",
      argument: "TLS"
    }, options);
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    if (tls?.allowAuthSSL) {
      return await pausing(turn, {
        verb: "AUTH",
        argument: "SSL"
      }, options);
    }
    throw withMessage(error, (message) => withAdvice(message, 'the server offers no explicit TLS on this port, and nothing secret was sent; try tls: "implicit", which has port 990, or leave "tls" out to use no TLS'));
  }
}
async function withNewerTLS(server, attempt) {
  try {
    return await attempt(server);
  } catch (error) {
    const { tls } = server;
    const mayRetry = tls !== void 0 && tls.maxVersion === void 0 && error instanceof TLSError && // ProFTPD closes the connection without an alert
    (error.reason === "version" || error.reason === "broken");
    if (!mayRetry) throw error;
    return await attempt({
      ...server,
      tls: {
        ...tls,
        maxVersion: "TLSv1.3"
      }
    });
  }
}
function keepTLSSession(session, tls) {
  session.tls = tls;
  session.control.closed.then(() => tls.close());
}
async function protP(turn, options) {
  const { session } = turn;
  const { tls } = session;
  if (tls === void 0) {
    throw new TypeError('Cannot send "PROT P": the control connection is not under TLS, call auth() first');
  }
  session.isClearDataAllowed = false;
  const reply = await requestProtection(turn, options);
  const tickets = new TicketSupply(tls);
  session.protection = {
    prepare: (turn2, options2) => tickets.supply(turn2, options2),
    secure: async (stream, signal) => {
      const { secureData: secureData2 } = await loadTLS();
      const { timeout } = session.options;
      return await secureData2(stream, tls, {
        timeout,
        signal
      });
    }
  };
  return reply;
}
async function requestProtection(turn, options) {
  try {
    await requestBufferSize(turn, options, isUnknownCommand);
    return await turn.perform({
      verb: "PROT",
      argument: "P"
    }, options);
  } catch (error) {
    if (!(error instanceof FTPPermanentError)) throw error;
    throw withMessage(error, (message) => withAdvice(message, 'no data was sent; set tls: { data: "clear" } only if files and listings may be sent in clear text'));
  }
}
async function requestBufferSize(turn, options, isPassed = () => true) {
  try {
    await turn.perform({
      verb: "PBSZ",
      argument: "0"
    }, options);
  } catch (error) {
    const isExpected = error instanceof FTPPermanentError && isPassed(error.reply);
    if (!isExpected) throw error;
  }
}
var POLICY_REPLIES = [
  533,
  534
];
async function protC(turn, options) {
  const { session } = turn;
  const isFirst = session.protection === void 0;
  if (isFirst && isSecured(session)) await requestBufferSize(turn, options);
  let reply;
  try {
    reply = await turn.perform({
      verb: "PROT",
      argument: "C"
    }, options);
  } catch (error) {
    const refusal3 = error instanceof FTPPermanentError ? error.reply : void 0;
    const isUnknown = refusal3 !== void 0 && isFirst && !POLICY_REPLIES.includes(refusal3.code);
    if (!isUnknown) throw error;
    reply = refusal3;
  }
  session.protection = void 0;
  session.isClearDataAllowed = true;
  return reply;
}
async function ccc(turn, options) {
  const { session } = turn;
  const { failure: failure3 } = session.control;
  if (failure3 !== void 0) throw notConnectedError("CCC", failure3);
  if (!isSecured(session)) {
    throw new TypeError('Cannot send "CCC": the connection is in clear text');
  }
  const reply = await pausing(turn, {
    verb: "CCC"
  }, options);
  await session.control.replaceStream((stream) => stream.detach());
  return reply;
}
async function pausing({ session: { control } }, command, { signal }) {
  signal?.throwIfAborted();
  const pending = control.send(command, {
    pauses: true
  });
  let reply;
  try {
    reply = await control.wait(pending.final, signal);
  } catch (error) {
    control.fail(error);
    throw error;
  }
  if (reply.code >= 400) throw replyError(reply, pending.command);
  return reply;
}

// lib/client/open_session.ts
var IMPLICIT_HINT = '; nothing listens for implicit TLS there: most servers have explicit TLS, on port 21 (tls: "explicit", or a URL of the scheme ftpes:)';
async function openSession(server, settings, options) {
  checkDenoVersion("FTP");
  const { timeout, route } = settings;
  const { signal } = options;
  const { host, port, tls } = server;
  const dialing = route.dialServer(host, port, {
    timeout,
    signal
  });
  const { stream: raw, peer } = await dialing.catch((error) => {
    const isRefused = route.via === void 0 && error instanceof Deno.errors.ConnectionRefused;
    throw isRefused && tls?.mode === "implicit" ? connectionError(error, (message) => message + IMPLICIT_HINT) : error;
  });
  const secured = tls?.mode === "implicit" ? await secureStream(raw, {
    host,
    port,
    options: tls,
    acceptsAnySession: options.profile?.acceptsAnyTLSSession,
    timeout,
    signal
  }) : void 0;
  const stream = secured ?? raw;
  const address = showAddress(host, port);
  const { pipelining, dropping } = settings;
  const control = new ControlConnection(stream, {
    ...settings,
    pipelining: pipelining && !dropping.has(address),
    onDropped: () => dropping.add(address)
  });
  observeConnection(control, {
    host,
    port
  });
  const session = new Session(control, peer, {
    timeout,
    host,
    route,
    passive: settings.passive,
    activeAddress: settings.activeAddress,
    allowEPRT: settings.allowEPRT,
    compress: settings.compress,
    trustPasvHost: settings.trustPasvHost,
    localAddress: settings.localAddress,
    activePorts: settings.activePorts,
    maxLine: settings.maxLine,
    maxListing: settings.maxListing
  }, options.profile ?? new ServerProfile(settings.serverZone));
  session.isClearDataAllowed = tls === void 0;
  if (secured !== void 0) keepTLSSession(session, secured.session);
  const welcome = await greet(control, address, options);
  noteServer(session, welcome);
  return {
    session,
    welcome
  };
}

// lib/client/session_settings.ts
function settingsOf(session) {
  const { control, options, state: state2, tls } = session;
  return {
    profile: session.profile,
    passive: options.passive,
    encoding: control.encoding,
    wasSecured: tls !== void 0,
    isCleared: tls !== void 0 && !isSecured(session),
    isProtected: session.protection !== void 0,
    settings: new Map(state2.settings),
    virtualHost: state2.virtualHost,
    moves: state2.directory ? [
      {
        verb: "CWD",
        argument: state2.directory,
        name: "directory"
      }
    ] : state2.moves,
    type: state2.type
  };
}
async function restore(state2, turn, options) {
  const { session } = turn;
  session.options.passive = state2.passive;
  session.control.encoding = state2.encoding;
  if (state2.isProtected && session.protection === void 0) {
    await protP(turn, options);
  }
  if (!state2.isProtected && session.protection !== void 0) {
    await protC(turn, options);
  }
  await restoreSettings(state2, turn, options);
  if (state2.moves === void 0) {
    throw new Deno.errors.NotConnected("Cannot connect again: the directory on the server is not known; give absolute paths, or await cwd()");
  }
  const { type } = state2;
  await Promise.all([
    ...state2.moves.map((move) => turn.perform(move, options)),
    type === "A" || type === "I" ? turn.ensureType(type, options) : void 0
  ]);
  if (state2.isCleared) await ccc(turn, options);
}
async function restoreSettings({ settings }, turn, options) {
  for (const [name, command] of settings) {
    const isSet = turn.session.state.settings.get(name)?.argument === command.argument;
    if (isSet) continue;
    try {
      await turn.perform(command, options);
    } catch (error) {
      const isUsual = /^(MODE S|STRU F)$/i.test(`${name} ${command.argument}`);
      if (!(isUsual && error instanceof FTPPermanentError)) throw error;
    }
  }
}

// lib/client/enter.ts
async function enter(turn, welcome, { server, settings, credentials }, options) {
  const { session } = turn;
  const { virtualHost } = settings;
  if (virtualHost !== void 0 && session.state.virtualHost === void 0) {
    const command = {
      verb: "HOST",
      argument: virtualHost
    };
    await turn.perform({
      ...command,
      name: "virtualHost"
    }, options);
  }
  await secureIfAsked(turn, server, welcome, options);
  const reply = welcome.code === 230 ? welcome : await logIn(turn, credentials, options);
  if (settings.tls?.data === "clear") await protC(turn, options);
  else if (settings.tls !== void 0) await protP(turn, options);
  for (const command of settings.afterLogin) {
    await turn.perform(command, options);
  }
  if (settings.afterLogin.length > 0) session.state.moves = [];
  return reply;
}
async function secureAs(turn, welcome, server, state2, options) {
  const { virtualHost } = state2;
  if (virtualHost?.isSecured === false) {
    await turn.perform(virtualHost.command, options);
  }
  if (state2.wasSecured && server.tls === void 0) {
    await auth(turn, server, options);
  }
  await secureIfAsked(turn, server, welcome, options);
  if (virtualHost?.isSecured) {
    await turn.perform(virtualHost.command, options);
  }
}
async function authAs(turn, welcome, server, state2, options) {
  const { control } = turn.session;
  control.encoding = state2.encoding;
  await secureAs(turn, welcome, server, state2, options);
  const reply = control.lastReply;
  await restoreSettings(state2, turn, options);
  return reply;
}
async function loginAs(turn, welcome, identity, state2, options) {
  await authAs(turn, welcome, identity.server, state2, options);
  return await enter(turn, welcome, identity, options);
}
function mayJoin({ tls, afterLogin }, { wasSecured, isProtected: isProtected2, settings }) {
  return tls === void 0 && afterLogin.length === 0 && !wasSecured && !isProtected2 && settings.size === 0;
}
async function openAs(identity, state2, options) {
  const { server, settings } = identity;
  const opened = await openSession(server, settings, {
    ...options,
    profile: state2.profile
  });
  const { session, welcome } = opened;
  try {
    await session.exclusive(async (turn) => {
      await secureAs(turn, welcome, server, state2, options);
      let restoring;
      const onSent = () => {
        if (!mayJoin(settings, state2)) return;
        restoring = restore(state2, turn, options);
        restoring.catch(() => {
        });
      };
      await enter(turn, welcome, identity, {
        ...options,
        onSent
      });
      await (restoring ?? restore(state2, turn, options));
    }, options);
    return opened;
  } catch (error) {
    session.control.fail(error);
    throw error;
  }
}

// lib/client/options.ts
init_check_names();
init_option_names();
init_check_number();
init_check_word();
init_options();

// lib/connection/trace.ts
init_printable();
var MARKS = {
  sent: ">",
  received: "<",
  event: "*"
};
var Tracer = class {
  /**
   * Output on standard error: 0 none, 1 commands and replies, 2 also events.
   */
  level = 0;
  /** The listener, if there is one. */
  trace;
  /**
   * Creates a tracer.
   *
   * @param trace The listener, if there is one
   */
  constructor(trace) {
    this.trace = trace;
  }
  /**
   * Passes an event on.
   *
   * @param direction Direction of the text
   * @param text Returns the masked text; called only if it is needed
   */
  emit(direction, text) {
    const isPrinted = this.level > 1 || this.level === 1 && direction !== "event";
    if (this.trace === void 0 && !isPrinted) return;
    const event = {
      time: Date.now(),
      direction,
      text: printable(text())
    };
    if (isPrinted) console.error(`${MARKS[direction]} ${event.text}`);
    const { trace } = this;
    if (trace !== void 0) queueMicrotask(() => tell(trace, event));
  }
};
async function tell(trace, event) {
  try {
    await trace(event);
  } catch {
  }
}

// lib/client/options.ts
var MAX_REPLY_LINE = 64 * 1024;
var MAX_REPLY = 1024 * 1024;
var MAX_LINE = 1024 * 1024;
var MAX_LISTING = 256 * 1024 * 1024;
var MAX_ZONE = 24 * 60;
var TIMEOUT = 3e4;
var FTP_OPTIONS = CLIENT_OPTIONS;
function resolveOptions(options) {
  if (typeof options !== "object") {
    throw new TypeError(`Cannot use a ${typeof options} as options: the host goes to connect()`);
  }
  checkNames("FTP", options, FTP_OPTIONS);
  checkActivePorts(options.activePorts);
  const activeAddress = parseActiveAddress(options.activeAddress);
  const { multiline = "strict", timeout = TIMEOUT } = options;
  checkWord("multiline", multiline, [
    "strict",
    "lenient"
  ]);
  checkNumber("timeout", timeout, {
    most: MAX_MILLISECONDS
  });
  checkZone(options.serverZone);
  const route = makeRoute(options);
  if (options.passive === false) checkActive(route);
  return {
    encoding: makeEncoding(options.encoding ?? "utf-8"),
    timeout: timeout === Infinity ? 0 : timeout,
    passive: options.passive ?? true,
    activeAddress,
    allowEPRT: options.allowEPRT ?? true,
    localAddress: options.localAddress,
    dial: options.dial,
    proxy: options.proxy && String(options.proxy),
    route,
    activePorts: options.activePorts ?? 0,
    trustPasvHost: options.trustPasvHost ?? false,
    tls: resolveTLS(options.tls),
    tracer: new Tracer(options.trace),
    maxReplyLine: checkedLimit("maxReplyLine", options.maxReplyLine ?? MAX_REPLY_LINE),
    maxReply: checkedLimit("maxReply", options.maxReply ?? MAX_REPLY),
    maxLine: checkedLimit("maxLine", options.maxLine ?? MAX_LINE),
    maxListing: checkedLimit("maxListing", options.maxListing ?? MAX_LISTING),
    multiline,
    pipelining: options.pipelining ?? true,
    serverZone: options.serverZone,
    virtualHost: options.virtualHost,
    afterLogin: parseAfterLogin(options.afterLogin),
    compress: options.compress ?? false,
    profile: options.profile,
    dropping: /* @__PURE__ */ new Set()
  };
}
function optionsOf(settings) {
  const { encoding, tracer, dropping, pipelining, afterLogin, route: _, ...rest } = settings;
  return {
    ...rest,
    encoding: encoding.label,
    trace: tracer.trace,
    afterLogin: afterLogin.map(({ verb, argument }) => argument === void 0 ? verb : `${verb} ${argument}`),
    pipelining: pipelining && dropping.size === 0
  };
}
function resolveTLS(tls) {
  if (tls === void 0) return void 0;
  if (typeof tls !== "object" || tls === null) {
    checkWord("tls", tls, TLS_MODES, [
      "an object",
      "left out"
    ]);
    return {
      mode: tls
    };
  }
  checkTLSOptions(tls);
  return {
    ...tls,
    mode: tls.mode ?? "explicit"
  };
}
function checkAddress(host, port) {
  const hasOddSigns = /[\s\x00-\x1F\x7F/@?#\\]/;
  const isHost = typeof host === "string" && host !== "" && !hasOddSigns.test(host);
  const ascii = !isHost || /^[\x00-\x7F]*$/.test(host) ? host : URL.parse(`ftp://${host}`)?.hostname;
  if (!isHost || ascii === void 0) {
    throw new TypeError("Cannot connect: the host must be a name or an address (the function connect() takes a URL, such as ftp://user@host/path)");
  }
  if (/^([^:]*|\[.*\]):\d*$/.test(host)) {
    throw new TypeError("Cannot connect: the host has a port, which is an argument of its own");
  }
  const bare = ascii.replace(/^\[(.*)\]$/, "$1");
  if (bare.includes(":") && !isAddress(bare)) {
    throw new TypeError("Cannot connect: the host has a colon and is not an IPv6 address (the function connect() takes a URL, such as ftp://user@host/path)");
  }
  if (!(Number.isInteger(port) && port >= 1 && port <= 65535)) {
    throw new RangeError(`Cannot connect to port ${port}: it must be an integer from 1 to 65535`);
  }
  return bare;
}
function isAddress(text) {
  const zoned = /^([^%]*)(?:%[\w.~-]+)?$/.exec(text);
  return zoned !== null && URL.canParse(`http://[${zoned[1]}]`);
}
function checkActivePorts(ports) {
  if (ports === void 0) return;
  const range2 = Array.isArray(ports) ? ports : [
    ports,
    ports
  ];
  const [first, last] = range2;
  const arePorts = range2.length === 2 && range2.every((port) => Number.isInteger(port)) && Number(first) >= 0 && Number(first) <= Number(last) && Number(last) <= MAX_PORT;
  if (arePorts) return;
  throw new RangeError(`Cannot use ${showValue(ports)} as "activePorts": it must be a port from 0 to ${MAX_PORT}, or the first and the last one, [50000, 50100]`);
}
function parseAfterLogin(lines = []) {
  if (!Array.isArray(lines)) {
    throw new TypeError(`Cannot use ${showValue(lines)} as "afterLogin": it must be an array of commands, such as ["SITE NAMEFMT 1"]`);
  }
  return lines.map((line) => {
    const command = {
      ...parseCommand(line),
      name: "afterLogin"
    };
    encodeCommand(command, makeEncoding("utf-8"));
    return command;
  });
}
function parseActiveAddress(address) {
  if (address === void 0) return void 0;
  try {
    formatEprt(address, 1);
  } catch {
    throw new TypeError(`Cannot use ${showValue(address)} as "activeAddress": it must be an IPv4 or IPv6 address`);
  }
  if (!isOneHost(address)) {
    throw new TypeError(`Cannot use ${showValue(address)} as "activeAddress": it must be the address of one machine, without leading zeros`);
  }
  return withoutMapping(address);
}
function isOneHost(address) {
  const bytes2 = addressBytes(withoutMapping(address.replace(/%.*/s, "")));
  if (bytes2 === void 0) return false;
  const isGroup = bytes2.length === 4 ? bytes2[0] >= 224 : bytes2[0] === 255;
  const isLiteral = isIPv6(address) || !/(^|\.)0\d/.test(address);
  return isLiteral && !isGroup && bytes2.some((byte) => byte !== 0);
}
var MAX_PORT = 65535;
function checkZone(zone) {
  if (zone === void 0) return;
  if (typeof zone === "number" && Math.abs(zone) <= MAX_ZONE) return;
  throw new RangeError(`Cannot use ${showValue(zone)} as "serverZone": it must be minutes east of UTC, a day at most`);
}
function checkedLimit(name, value) {
  checkNumber(name, value);
  return value;
}

// lib/client/client_connection.ts
init_printable();
init_waiting();

// lib/files/download/parts_seen.ts
import { dirname as dirname6 } from "node:path";
var MAX_FOLDERS = 100;
var PartsSeen = class {
  #folders = /* @__PURE__ */ new Map();
  /** Lists the unfinished files that were seen in a file's directory. */
  async beside(path) {
    const folder = dirname6(path);
    let parts = this.#folders.get(folder);
    if (parts === void 0) {
      if (this.#folders.size >= MAX_FOLDERS) this.#folders.clear();
      this.#folders.set(folder, parts = partsIn(folder));
    }
    return await parts;
  }
};
async function partsIn(folder) {
  const parts = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (isPart(name)) parts.push(name);
    }
  } catch {
  }
  return parts;
}

// lib/client/profile_store.ts
init_printable();
var VALIDITY2 = 90 * 24 * 60 * 60 * 1e3;
var ServerStore = class _ServerStore {
  #store;
  #server;
  #since = /* @__PURE__ */ new Date();
  /** The values that were saved last, as JSON. */
  #saved = "{}";
  constructor(store2, server) {
    this.#store = store2;
    this.#server = server;
  }
  /** Loads what is known of a server. */
  static async load(store2, server, profile, dropping) {
    const kept = new _ServerStore(store2, server);
    const learned = await store2.load(server);
    if (typeof learned !== "object" || learned === null) return kept;
    const { since, epsv, mlsd, pret, pipelining } = learned;
    const date = new Date(typeof since === "string" ? since : NaN);
    const age = Date.now() - date.getTime();
    if (!(age >= 0 && age < VALIDITY2)) return kept;
    kept.#since = date;
    if (epsv === false) {
      profile.hasExtendedPassive = false;
      profile.recalled.add("EPSV");
    }
    if (mlsd === false) {
      profile.hasMLSD = false;
      profile.recalled.add("MLSD");
    }
    if (pret === true) {
      profile.needsPRET = true;
      profile.recalled.add("PRET");
    }
    if (pipelining === false) dropping.add(server);
    kept.#saved = JSON.stringify(kept.#collect(profile, dropping));
    return kept;
  }
  /** Saves what is known, if it is not what was loaded or saved last. */
  async save(profile, dropping, tracer) {
    const values = this.#collect(profile, dropping);
    const text = JSON.stringify(values);
    if (text === this.#saved) return;
    this.#saved = text;
    const learned = {
      since: this.#since.toISOString(),
      ...values
    };
    try {
      await this.#store.save(this.#server, learned);
    } catch (error) {
      tracer.emit("event", () => `cannot save the profile of ${quote(this.#server)}: ${error instanceof Error || typeof error === "string" ? error : typeof error}`);
    }
  }
  #collect({ hasExtendedPassive, hasMLSD, needsPRET }, dropping) {
    return {
      ...hasExtendedPassive === false && {
        epsv: false
      },
      ...hasMLSD === false && {
        mlsd: false
      },
      ...needsPRET && {
        pret: true
      },
      ...dropping.has(this.#server) && {
        pipelining: false
      }
    };
  }
};

// lib/client/client_connection.ts
var DISPOSE_GRACE = 2e3;
var TOO_MANY_RETRY = {
  attempts: 6,
  delay: 100
};
var DISPOSED = `the client's "await using" block ended`;
var MISSING_AWAIT = ' while this call was running; an "await" may be missing before the call';
var ClientConnection = class _ClientConnection {
  /** Serializes downloads and uploads. */
  operations = new SessionLock();
  /** Unfinished files in local directories. */
  partsSeen = new PartsSeen();
  #end = new AbortController();
  #session;
  #identity;
  /** Where the server's profile is saved, and the settings that belong to it. */
  #kept;
  /** Ends when the profile is saved. */
  #saving;
  /** The connection that this one was opened for. */
  #opener;
  /** Connections that wait for the reply to their `QUIT`, and their ends. */
  #leaving = /* @__PURE__ */ new Map();
  /** Owns the session after another user has logged in. */
  #successor;
  /**
   * The current session.
   *
   * @throws {Deno.errors.NotConnected} If there is none, or the client was
   * closed
   */
  get session() {
    const session = this.#session;
    if (session?.control.failure === void 0) this.ended.throwIfAborted();
    if (session !== void 0) return session;
    throw new Deno.errors.NotConnected("Cannot use the client: it is not connected; call connect() first");
  }
  /** The last session, if there was one. */
  get sessionIfAny() {
    return this.#session;
  }
  /** Aborted when the client is closed, or another user logs in. */
  get ended() {
    return this.#end.signal;
  }
  /** Whether a user is logged in, and has not closed the connection. */
  get canReconnect() {
    return this.#identity !== void 0;
  }
  /** User, host and port, as one text. */
  get origin() {
    const { server, credentials } = this.#identity ?? {};
    return JSON.stringify([
      credentials?.user,
      server?.host,
      server?.port
    ]);
  }
  /**
   * Connects without a login.
   *
   * @throws {Deno.errors.NotConnected} If the connection ends meanwhile
   */
  async open(server, settings, options) {
    const profile = new ServerProfile(settings.serverZone);
    const { session, welcome } = await this.#hold(options, async (options2) => {
      await this.#load(server, settings, profile, options2);
      return await openSession(server, settings, {
        ...options2,
        profile
      });
    });
    this.#session = session;
    return welcome;
  }
  /**
   * Returns the connection for a login. Operations of another user end, unless
   * a transfer is open: no login is sent then.
   *
   * @throws {Deno.errors.NotConnected} If the session was replaced meanwhile
   */
  admit(session, { user, acct }) {
    if (session !== this.session) {
      throw new Deno.errors.NotConnected("Cannot log in: the connection was closed here");
    }
    const before = this.#identity?.credentials;
    const isSame = before?.user === user && before.acct === acct;
    const { failure: failure3, open: open2 } = session.control;
    if (isSame || failure3 !== void 0 || open2 !== void 0) return this;
    const next = this.#successor = new _ClientConnection();
    next.#session = session;
    next.#kept = this.#kept;
    this.#finish("the connection belongs to another user: login() was called");
    return next;
  }
  /**
   * Notes a login.
   *
   * @throws {Deno.errors.NotConnected} If the connection has ended meanwhile
   */
  remember(identity) {
    this.ended.throwIfAborted();
    this.#identity = identity;
    const { session } = this;
    session.renewal = () => this.#renewal(session);
  }
  /**
   * Returns the session for a call, after pending ends of transfers. Replaces a
   * session that the server closed while idle, or that was given up.
   */
  ready(options) {
    const { session } = this;
    const wait = session.ready(options.signal, {
      isForced: true
    });
    if (wait === void 0 && !this.#wasClosedIdle) return session;
    return this.#renew(options, wait);
  }
  async #renew(options, wait) {
    await wait;
    await runOperation(this, options, async (options2) => {
      if (this.#wasClosedIdle) await this.reconnect(options2);
    });
    return this.session;
  }
  get #wasClosedIdle() {
    return this.session.control.wasClosedIdle && this.canReconnect;
  }
  /**
   * Replaces the session.
   *
   * @throws {Deno.errors.NotConnected} If the connection ends meanwhile
   */
  async reconnect(options) {
    const identity = this.#identityFor("connect again");
    const state2 = settingsOf(this.session);
    const { session } = await this.#hold(options, (options2) => openAs(identity, state2, options2));
    this.#session = session;
    this.remember(identity);
  }
  /** Opens another session with the same settings. */
  async fork(options) {
    const { settings } = this.#identityFor("open another connection");
    const { connection } = await this.openFor(settings, options);
    return connection;
  }
  /** Looks at the settings, for sessions that are opened later. */
  async prepareFork(options) {
    const state2 = await this.#settings(options);
    return async (options2) => {
      const identity = this.#identityFor("open another connection");
      return (await this.#openAs(identity, state2, options2)).connection;
    };
  }
  /**
   * Opens another session with the same settings, for a client with its own
   * options.
   *
   * @throws {Deno.errors.NotConnected} If no user is logged in
   */
  async openFor(settings, options) {
    const own = this.#identityFor("open another connection");
    const state2 = await this.#settings(options);
    return await this.#openAs({
      ...own,
      settings
    }, state2, options);
  }
  /** Looks at the settings of the session, the directory included. */
  async #settings(options) {
    const { session } = this;
    const look = () => session.shared(() => Promise.resolve(settingsOf(session)), options);
    const state2 = await look();
    if (state2.moves !== void 0) return state2;
    await session.shared((turn) => requestDirectory(turn, options), options);
    return await look();
  }
  async #openAs(identity, state2, options) {
    await abortable(abortable(this.#left(), options.signal), this.ended);
    const opened = await this.#hold(options, (options2) => openAs(identity, state2, options2));
    const connection = new _ClientConnection();
    connection.#opener = this;
    connection.#session = opened.session;
    const { server, settings } = identity;
    connection.#kept = this.#kept && {
      ...this.#kept,
      settings
    };
    connection.remember(identity);
    return {
      connection,
      server,
      welcome: opened.welcome
    };
  }
  leave() {
    const opener = this.#opener;
    if (opener?.ended.aborted) return this.end("its client was closed");
    const left = this[Symbol.asyncDispose]();
    if (opener === void 0) return;
    opener.#leaving.set(this, left);
    left.finally(() => opener.#leaving.delete(this));
  }
  /** Waits until the connections are closed that were told to leave. */
  async #left() {
    await Promise.all(this.#leaving.values());
  }
  /** Sends `QUIT` and closes the connection, also if the server refuses. */
  async quit(options, why = "quit() was called") {
    const { session } = this;
    try {
      const reply = await session.exclusive((turn) => {
        const quitting = turn.perform({
          verb: "QUIT"
        }, options);
        session.control.expectClose(why);
        return quitting;
      }, options);
      this.#endOf(session, why);
      await this.#left();
      await this.#saved();
      return reply;
    } catch (error) {
      if (error instanceof FTPError) {
        this.#endOf(session, why);
        await this.#left();
      }
      throw error;
    }
  }
  /**
   * Closes the connections at once and permanently, and ends pending ones.
   *
   * @param advice Text for the errors of calls that are running
   */
  end(why, advice = "") {
    for (const connection of this.#leaving.keys()) connection.end(why);
    this.#endOwn(why, advice);
  }
  /** Ends like {@linkcode end}, but for the connections that are leaving. */
  #endOwn(why, advice) {
    const session = this.#session;
    const reason = new Deno.errors.NotConnected(why);
    session?.transfer?.data.fail(reason);
    session?.control.fail(reason);
    this.#save();
    this.#finish(`the connection was closed here: ${why}${advice}`);
  }
  /** Sends `QUIT` if that does not take long, and closes. */
  async [Symbol.asyncDispose]() {
    const control = this.#session?.control;
    const mayQuit = control?.failure === void 0 && control?.open === void 0;
    if (control !== void 0 && mayQuit) {
      await settle(this.quit({}, DISPOSED), DISPOSE_GRACE);
    }
    if (this.#leaving.size > 0) await this.#left();
    this.end(DISPOSED, MISSING_AWAIT);
    await control?.closed;
    await this.#saved();
  }
  /** Loads what an earlier program has learned of a server. */
  async #load({ host, port }, settings, profile, { signal }) {
    if (settings.profile === void 0) return;
    const loading = ServerStore.load(settings.profile, showAddress(host, port), profile, settings.dropping);
    const { timeout } = settings;
    const late = () => new Deno.errors.TimedOut(`Cannot load the profile of ${quote(showAddress(host, port))}: the function "load" took longer than ${timeout} ms`);
    const store2 = await within(timeout, signal, late, (signal2) => abortable(loading, signal2));
    this.#kept = {
      store: store2,
      settings
    };
  }
  /** Waits until the profile is saved, or for the time-out. */
  async #saved() {
    const timeout = this.#kept?.settings.timeout;
    if (this.#saving === void 0 || timeout === void 0) return;
    if (timeout === 0) await this.#saving;
    else await settle(this.#saving, timeout);
  }
  #save() {
    if (this.#kept === void 0 || this.#session === void 0) return;
    const { store: store2, settings: { dropping, tracer } } = this.#kept;
    this.#saving = store2.save(this.#session.profile, dropping, tracer);
  }
  /** Ends after `QUIT`; another user may have logged in before it. */
  #endOf(session, why) {
    if (this.#successor !== void 0) this.#successor.#endOf(session, why);
    else if (this.#session === session) this.#endOwn(why, MISSING_AWAIT);
  }
  /** Ends every operation, retry and pending connection. */
  #finish(why) {
    this.#identity = void 0;
    if (this.ended.aborted) return;
    this.#end.abort(new Deno.errors.NotConnected(`Cannot continue: ${why}`));
  }
  /** Opens a session, and closes it if the connection has ended meanwhile. */
  async #hold({ signal }, open2) {
    const opened = await open2({
      signal: withLifetime(this, signal)
    });
    if (!this.ended.aborted) return opened;
    opened.session.control.fail(this.ended.reason);
    throw this.ended.reason;
  }
  /**
   * Opens a session that replaces one. The server may still count the closed
   * connection.
   */
  async #renewal(session) {
    const open2 = async () => {
      const identity = this.#identityFor("connect again");
      const opened = await this.#hold({}, (options) => openAs(identity, settingsOf(session), options));
      return opened.session;
    };
    return await retryConnecting(TOO_MANY_RETRY, {
      signal: this.ended
    }, open2);
  }
  #identityFor(action) {
    if (this.#identity !== void 0) return this.#identity;
    throw new Deno.errors.NotConnected(`Cannot ${action}: no user is logged in`);
  }
};

// lib/client/ftp_protocol.ts
var connectionOf;
var BLOCKSIZE = 8192;
var RETRBINARY_OPTIONS = {
  blocksize: true,
  reuse: true,
  rest: true,
  signal: true
};
var STORBINARY_OPTIONS = {
  blocksize: true,
  callback: true,
  rest: true,
  signal: true
};
var FTPProtocol = class {
  #connection = new ClientConnection();
  #settings;
  #server;
  #welcome;
  static {
    connectionOf = (client) => client.#connection;
  }
  /**
   * Creates a client. Nothing is sent before
   * {@linkcode FTPProtocol.prototype.connect connect}.
   *
   * @param options Settings for the life of the client
   * @throws {RangeError} If a number is out of range, or the encoding unknown
   * @throws {TypeError} If an option is unknown or has an invalid value
   */
  constructor(options = {}) {
    this.#settings = resolveOptions(options);
    this.#server = {
      host: "",
      port: 0,
      tls: this.#settings.tls
    };
  }
  /** Host of the server. */
  get host() {
    return this.#server.host;
  }
  /** Port of the server. */
  get port() {
    return this.#server.port;
  }
  /** Time limit of a wait without progress, in milliseconds. */
  get timeout() {
    return this.#settings.timeout;
  }
  /** The encoding of names and replies. */
  get encoding() {
    return this.#settings.encoding.label;
  }
  /** Whether the client uses passive mode. */
  get passiveserver() {
    return this.#settings.passive !== false;
  }
  /**
   * Sets the mode of later data connections.
   *
   * @param value As the option `passive`: `true` for passive mode, `false` for
   * active mode
   * @throws {TypeError} If it is `false` and the route is indirect (`dial`,
   * `proxy`): the server could not connect to this machine
   */
  setPasv(value) {
    checkNames("setPasv", {
      passive: value
    }, {
      passive: true
    });
    if (value === false) checkActive(this.#settings.route);
    this.#settings.passive = value;
    const session = this.#connection.sessionIfAny;
    if (session !== void 0) session.options.passive = value;
  }
  /** Code of the last reply, as in ftplib: three digits, or "". */
  get lastresp() {
    return `${this.#connection.sessionIfAny?.control.lastReply?.code ?? ""}`;
  }
  /** TLS properties of the control connection; `undefined` without TLS. */
  get tls() {
    return this.#connection.sessionIfAny?.control.stream.info;
  }
  /** Whether the connection is open, as far as is known. */
  get connected() {
    const session = this.#connection.sessionIfAny;
    return session !== void 0 && session.control.failure === void 0;
  }
  /**
   * Connects and reads the welcome. With implicit TLS, the handshake comes
   * first.
   *
   * An open or pending connection is closed first. Everything that was started
   * on it fails with `Deno.errors.NotConnected`: transfers, their retries, and
   * mirrors. Nothing of it continues on the new connection.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param host A name, also with letters beyond ASCII, or an address
   * @param port A TCP port; 990 is the default with implicit TLS
   * @param options A signal
   * @returns The welcome, 2yz
   * @throws {FTPError} If the welcome is 4yz or 5yz; the connection is closed
   * @throws {TypeError} If the host is empty or a URL
   * @throws {RangeError} If the port is not 1 to 65535
   * @throws {Deno.errors.NotConnected} If the client is closed, disposed of or
   * connected again meanwhile
   * @throws {Error} `Deno.errors.*` if the connection fails
   */
  async connect(host, port = this.#settings.tls?.mode === "implicit" ? 990 : 21, options = {}) {
    const name = checkAddress(host, port);
    checkSignal(options.signal);
    this.#connection.end("connect() was called");
    const connection = this.#connection = new ClientConnection();
    this.#welcome = void 0;
    this.#server = {
      host: name,
      port,
      tls: this.#settings.tls
    };
    return await withNewerTLS({
      host: name,
      port,
      tls: this.#settings.tls
    }, (server) => this.#open(connection, server, options));
  }
  /**
   * Returns the welcome that {@linkcode FTPProtocol.prototype.connect connect}
   * read.
   *
   * @returns The reply
   * @throws {Deno.errors.NotConnected} Before `connect`
   */
  getwelcome() {
    if (this.#welcome !== void 0) return this.#welcome;
    throw new Deno.errors.NotConnected("Cannot use the client: it is not connected; call connect() first");
  }
  /**
   * Prints commands and replies on standard error, with secrets masked. May be
   * called before {@linkcode FTPProtocol.prototype.connect connect}.
   *
   * @param level 0 for nothing, 1 for commands and replies, 2 also for events
   */
  setDebuglevel(level) {
    checkNumber("level", level);
    this.#settings.tracer.level = level;
  }
  /**
   * Logs in (RFC 959 section 4.1.1). With explicit TLS, the control connection
   * is secured first, and data connections afterwards (`PROT P`).
   *
   * If another user was logged in, operations of that user fail with
   * `Deno.errors.NotConnected`, as in
   * {@linkcode FTPProtocol.prototype.connect connect}.
   *
   * @param user The user; "" is "anonymous"
   * @param passwd The password, sent if the server asks for it (331); anonymous
   * users send "anonymous@"
   * @param acct The account, sent if the server asks for it (332)
   * @param options A signal; aborting it while the connection is being secured
   * closes the connection
   * @returns The 2yz reply
   * @throws {FTPPermanentError} If user or password are wrong (530)
   * @throws {FTPError} If the server refuses, also `AUTH` or `PROT`: with TLS,
   * no secret was sent in clear text then
   * @throws {TLSError} If TLS fails or the server is not trusted; the
   * connection is closed
   */
  async login(user = "anonymous", passwd = "", acct = "", options = {}) {
    const credentials = resolveCredentials(user, passwd, acct);
    const settings = this.#settings;
    const session = this.#connection.session;
    checkCredentials(credentials, session.control.encoding);
    return await session.exclusive((turn) => {
      const connection = this.#connection = this.#connection.admit(session, credentials);
      const before = settingsOf(session);
      return withNewerTLS(this.#server, async (server) => {
        const identity = {
          server,
          settings,
          credentials
        };
        const isSame = server === this.#server;
        const welcome = isSame ? this.#welcome : await this.#open(connection, server, options);
        const reply = isSame ? await enter(turn, welcome, identity, options) : await connection.session.exclusive((turn2) => loginAs(turn2, welcome, identity, before, options), options);
        connection.remember(identity);
        return reply;
      });
    }, options);
  }
  async #open(connection, server, options) {
    const welcome = await connection.open(server, this.#settings, options);
    this.#server = server;
    return this.#welcome = welcome;
  }
  /**
   * Sends `QUIT` (RFC 959 section 4.1.1) and closes the connection, also if the
   * server refuses.
   *
   * @param options A signal; if it is aborted the connection stays open
   * @returns The 2yz reply
   * @throws {FTPError} If the reply is not 2yz
   * @throws {Deno.errors.Busy} If a transfer is open, which continues
   * @throws {Deno.errors.UnexpectedEof} If the server closes without a reply
   */
  async quit(options = {}) {
    return await this.#connection.quit(options);
  }
  /**
   * Opens another connection with the same server, user, protection and
   * directory, and the same `TYPE`, `MODE`, `STRU` and `OPTS`. A connection
   * carries one transfer at a time, so simultaneous transfers need several. The
   * caller has to close the new client. Servers limit the number of connections
   * of a user.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param options A signal
   * @returns A new client, created by this client's class
   * @throws {Deno.errors.NotConnected} If no user is logged in, the directory
   * is unknown, or this client is closed meanwhile
   * @throws {FTPError} If the server refuses
   * @throws {Error} `Deno.errors.*` if the connection fails
   *
   * @example Fetch two files at once
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * await using clone = await ftp.clone();
   * await Promise.all([ftp.download("a", "a"), clone.download("b", "b")]);
   * ```
   */
  async clone(options = {}) {
    const Class = this.constructor;
    const clone = new Class(optionsOf(this.#settings));
    const settings = clone.#settings;
    settings.tracer.level = this.#settings.tracer.level;
    const opened = await this.#connection.openFor(settings, options);
    clone.#connection = opened.connection;
    clone.#server = opened.server;
    clone.#welcome = opened.welcome;
    return clone;
  }
  /**
   * Closes the connections at once, without `QUIT`. Pending operations fail
   * with `Deno.errors.NotConnected`: calls, transfers and their retries,
   * {@linkcode FTPProtocol.prototype.connect connect} and `reconnect`.
   */
  close() {
    this.#connection.end("close() was called");
  }
  /**
   * Sends `QUIT` if that does not take long, and closes like
   * {@linkcode FTPProtocol.prototype.close close}.
   */
  async [Symbol.asyncDispose]() {
    await this.#connection[Symbol.asyncDispose]();
  }
  /**
   * Secures the control connection (`AUTH TLS`, RFC 4217). With the option
   * `tls`, {@linkcode FTPProtocol.prototype.login login} does this. If the
   * server only supports TLS 1.3, the client connects once more for it. Without
   * the option, only TLS 1.2 is used.
   *
   * @param options A signal; aborting it closes the connection
   * @returns The 234 reply
   * @throws {FTPError} If the server refuses; the connection is in clear text
   * @throws {TLSError} If TLS fails or the server is not trusted; the
   * connection is closed
   * @throws {TypeError} If the connection is secured already
   */
  async auth(options = {}) {
    const session = this.#connection.session;
    return await session.exclusive((turn) => {
      const connection = this.#connection;
      const before = settingsOf(session);
      return withNewerTLS(this.#server, async (server) => {
        if (server === this.#server) {
          return await auth(turn, server, options);
        }
        const welcome = await this.#open(connection, server, options);
        return await connection.session.exclusive((turn2) => authAs(turn2, welcome, server, before, options), options);
      });
    }, options);
  }
  /**
   * Protects later data connections (`PBSZ 0`, `PROT P`, RFC 4217 section 9).
   *
   * @param options A signal
   * @returns The 2yz reply to `PROT`
   * @throws {FTPError} If the server refuses; then no data is sent in clear
   * text unless {@linkcode FTPProtocol.prototype.protC protC} is called
   * @throws {TypeError} If the control connection is not secured
   */
  async protP(options = {}) {
    const session = this.#connection.session;
    return await session.exclusive((turn) => protP(turn, options), options);
  }
  /**
   * Sends later data in clear text (`PROT C`, RFC 4217 section 9).
   *
   * @param options A signal
   * @returns The 2yz reply. If no data was protected on this connection, the
   * refusal of a server without `PROT`, which sends data in clear text anyway
   * @throws {FTPError} If the server refuses; data stays protected
   */
  async protC(options = {}) {
    const session = this.#connection.session;
    return await session.exclusive((turn) => protC(turn, options), options);
  }
  /**
   * Returns the control connection to clear text (`CCC`, RFC 4217 section
   * 12.3), for firewalls that must read it. Data connections stay protected.
   *
   * @param options A signal; aborting it closes the connection
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   * @throws {TypeError} If the control connection is not secured
   */
  async ccc(options = {}) {
    const session = this.#connection.session;
    return await session.exclusive((turn) => ccc(turn, options), options);
  }
  /**
   * Sends a command and waits for the reply.
   *
   * @param cmd The whole command line
   * @param options A signal
   * @returns A reply of 1yz, 2yz or 3yz. After 1yz, the final reply is still
   * pending: see {@linkcode FTPProtocol.prototype.voidresp voidresp}
   * @throws {FTPTemporaryError} For 4yz
   * @throws {FTPPermanentError} For 5yz
   * @throws {TypeError} If the line has CR, LF or NUL; nothing is sent
   * @throws {Deno.errors.Busy} If a transfer is open, which continues
   * @throws {Error} `Deno.errors.*` if the connection fails
   */
  async sendcmd(cmd, options = {}) {
    const session = this.#connection.session;
    const command = parseCommand(cmd);
    return await session.shared((turn) => {
      session.noteByHand(command);
      return turn.exchange(command, options);
    }, options);
  }
  /**
   * Sends a command that must be answered with 2yz.
   *
   * @param cmd The whole command line
   * @param options A signal
   * @returns The reply
   * @throws {FTPReplyError} For 1yz and 3yz
   * @throws {FTPError} As {@linkcode FTPProtocol.prototype.sendcmd sendcmd}
   */
  async voidcmd(cmd, options = {}) {
    const session = this.#connection.session;
    const command = {
      ...parseCommand(cmd),
      isLiteral: true
    };
    return await session.shared((turn) => {
      session.noteByHand(command);
      return turn.perform(command, options);
    }, options);
  }
  /**
   * Sends a command without waiting.
   * {@linkcode FTPProtocol.prototype.getresp getresp} returns its reply.
   *
   * @param cmd The whole command line
   * @throws {TypeError} If the line has CR, LF or NUL; nothing is sent
   * @throws {Deno.errors.Busy} If a transfer is open, which continues
   */
  async putcmd(cmd) {
    const session = this.#connection.session;
    return await session.shared(() => {
      const command = parseCommand(cmd);
      session.noteByHand(command);
      session.put(command);
      return Promise.resolve();
    });
  }
  /**
   * Waits for the next reply: of
   * {@linkcode FTPProtocol.prototype.putcmd putcmd}, or the final one of an
   * open transfer. A command that opens a transfer has two replies, 1yz and the
   * final one.
   *
   * @param options A signal
   * @returns A reply of 1yz, 2yz or 3yz
   * @throws {FTPError} For 4yz and 5yz
   * @throws {TypeError} If no reply is pending, or the data connection is open
   * @throws {Deno.errors.NotConnected} If the connection is closed
   */
  async getresp(options = {}) {
    const session = this.#connection.session;
    if (session.transfer !== void 0) {
      return await session.transfer.collect(options);
    }
    const { reply, command } = await session.nextReply(options);
    if (reply.code >= 400) throw replyError(reply, command);
    return reply;
  }
  /**
   * Waits for the next reply, which must be 2yz. After `ntransfercmd`, it
   * confirms that the transfer is complete. Close the data connection first.
   *
   * @param options A signal
   * @returns The reply
   * @throws {FTPError} Unless it is 2yz
   * @throws {Deno.errors.Interrupted} If a download over TLS was closed by this
   * client before its end; the connection is usable
   * @throws {TypeError} If no reply is pending, or the data connection is open
   * @throws {Error} The failure of the data connection, or the reason it was
   * aborted, even if the reply is 2yz
   */
  async voidresp(options = {}) {
    return expectSuccess(await this.getresp(options), "voidresp");
  }
  /**
   * Sends account information (`ACCT`, RFC 959 section 4.1.1).
   *
   * @param password The account
   * @param options A signal
   * @returns The 2yz reply
   * @throws {TypeError} If the account is empty
   * @throws {FTPError} As {@linkcode FTPProtocol.prototype.voidcmd voidcmd}
   */
  async acct(password, options = {}) {
    const command = {
      verb: "ACCT",
      argument: password,
      name: "password"
    };
    if (password === "") {
      throw new TypeError('Cannot send an account: "password" is empty');
    }
    this.#connection.session.noteByHand(command);
    return await this.#perform(command, options);
  }
  /**
   * Aborts the open transfer (`ABOR`, RFC 959 section 4.1.3): closes its data
   * connection, and reads all pending replies. `ABOR` is also sent if no
   * transfer is open.
   *
   * After an abort, a server may send the rest of the transfer in the next one,
   * whatever it replies. The connection is therefore closed, unless the server
   * is known to leave nothing behind (vsftpd), and
   * {@linkcode FTPProtocol.prototype.connected FTP.connected} is false. The
   * next call connects, logs in, and restores type, directory and options. That
   * call throws `Deno.errors.NotConnected` if a command sent by hand cannot be
   * repeated (`SITE`, `CLNT`, `ACCT`...), or if no user is logged in. Call
   * `reconnect()` then.
   *
   * @param options A signal
   * @returns The reply to `ABOR`: 225, 226 or 426
   * @throws {FTPError} For any other code
   * @throws {Deno.errors.TimedOut} If a pending reply does not come within five
   * seconds; the connection is closed
   */
  async abort(options = {}) {
    const session = this.#connection.session;
    const wasConnected = this.connected;
    const aborted = await abortOpen(session);
    const { failure: failure3 } = session.control;
    const isLate = failure3 instanceof Deno.errors.TimedOut;
    if (wasConnected && (session.isLost || isLate)) throw failure3;
    let reply = aborted;
    if (reply === void 0) {
      await session.ready(options.signal);
      reply = await session.sendAbort(options);
    }
    if (![
      225,
      226,
      426
    ].includes(reply.code)) throw replyError(reply, "ABOR");
    return reply;
  }
  /**
   * Requests a port for a data connection (`EPSV`, RFC 2428, else `PASV`, RFC
   * 959). Over IPv6 there is only `EPSV`.
   *
   * @param options A signal
   * @returns Host and port to connect to; the host is that of the control
   * connection, unless `trustPasvHost` is set
   * @throws {FTPError} If the server refuses
   * @throws {FTPProtocolError} If the reply contains no port
   */
  async makepasv(options = {}) {
    const session = this.#connection.session;
    return await session.exclusive((turn) => requestPassive(turn, options), options);
  }
  /**
   * Listens, and tells the server where (`PORT`, `EPRT`). The caller has to
   * accept and to close.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param options A signal
   * @returns The listener. `addr` is the local address and port, which the
   * server was sent. `accept()` returns the server's connection, and closes
   * those from other addresses; it throws `Deno.errors.TimedOut` if the server
   * does not connect within `timeout`
   * @throws {FTPError} If the server refuses
   * @throws {Deno.errors.AddrInUse} If no port of `activePorts` is free
   *
   * @example Let the server connect
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const listener = await ftp.makeport();
   * await ftp.sendcmd("NLST"); // 150: it connects
   * const conn = await listener.accept();
   * listener.close();
   * const buffer = new Uint8Array(8192);
   * for (let n; (n = await conn.read(buffer)) !== null;) console.log(n);
   * conn.close();
   * await ftp.voidresp();
   * ```
   */
  async makeport(options = {}) {
    const session = this.#connection.session;
    return await session.exclusive((turn) => requestActive(turn, options), options);
  }
  /**
   * Tells the server where to connect (`PORT`, RFC 959).
   *
   * @param host An IPv4 address
   * @param port A TCP port
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   * @throws {TypeError} If the host is not an IPv4 address
   * @throws {RangeError} If the port is not 1 to 65535
   */
  async sendport(host, port, options = {}) {
    const argument = formatPort(host, port);
    return await this.#perform({
      verb: "PORT",
      argument,
      name: "host"
    }, options);
  }
  /**
   * Tells the server where to connect (`EPRT`, RFC 2428).
   *
   * @param host An IPv4 or IPv6 address
   * @param port A TCP port
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   * @throws {TypeError} If the host is not an address
   * @throws {RangeError} If the port is not 1 to 65535
   */
  async sendeprt(host, port, options = {}) {
    const argument = formatEprt(host, port);
    return await this.#perform({
      verb: "EPRT",
      argument,
      name: "host"
    }, options);
  }
  /**
   * Opens a transfer (RFC 959 section 5.1), and returns its data connection.
   * Read or write the data connection, close it, and then await `voidresp`.
   * Until then the transfer is not confirmed, and every other command fails
   * with `Deno.errors.Busy`. If a download is closed before its end, the next
   * call aborts it, and may use another connection; see
   * {@linkcode FTPProtocol.prototype.abort FTP.abort}.
   *
   * @param cmd `RETR path`, `STOR path`, `LIST`...
   * @param rest Start offset in bytes (`REST`)
   * @param options A signal, which also ends the data connection
   * @returns The data connection, and the server's estimate of the size in
   * bytes, or `null`
   * @throws {FTPError} If the server refuses
   * @throws {RangeError} If the offset is a number, but not a non-negative
   * integer
   * @throws {TypeError} If TLS was requested and the data is not protected
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Read a file in pieces
   * ```ts
   * import { FTP } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = new FTP();
   * await ftp.connect("ftp.example.com");
   * await ftp.login();
   * await ftp.voidcmd("TYPE I");
   * const [conn, size] = await ftp.ntransfercmd("RETR data.bin");
   * const buffer = new Uint8Array(2048);
   * let received = 0;
   * for (let n; (n = await conn.read(buffer)) !== null;) received += n;
   * conn.close();
   * await ftp.voidresp();
   * console.log(received, size);
   * ```
   */
  async ntransfercmd(cmd, rest, options = {}) {
    const session = this.#connection.session;
    checkRest(rest);
    const command = parseCommand(cmd);
    const opening = {
      ...options,
      rest,
      anyMode: true,
      advice: "close its data connection and await voidresp() first"
    };
    const transfer = await session.exclusive((turn) => openTransfer(turn, command, opening), options);
    return [
      connectionOver(transfer.data),
      transfer.size
    ];
  }
  /**
   * Like {@linkcode FTPProtocol.prototype.ntransfercmd ntransfercmd}, without
   * the size.
   *
   * @param cmd `RETR path`, `STOR path`, `LIST`...
   * @param rest Start offset in bytes
   * @param options A signal
   * @returns The data connection
   * @throws As {@linkcode FTPProtocol.prototype.ntransfercmd ntransfercmd}
   */
  async transfercmd(cmd, rest, options = {}) {
    const [connection] = await this.ntransfercmd(cmd, rest, options);
    return connection;
  }
  /**
   * Retrieves a file in binary (`RETR`, RFC 959 section 4.1.3, in `TYPE I`).
   *
   * An error of the callback aborts the transfer, and is thrown. The client
   * stays usable, perhaps with another connection; see
   * {@linkcode FTPProtocol.prototype.abort FTP.abort}.
   *
   * @param cmd `RETR path`
   * @param callback Called with each block, and awaited; it may keep the block,
   * unless `reuse` is set
   * @param options Block size, offset and signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure
   * @throws {RangeError} If block size or offset are out of range
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Hash a file without keeping it
   * ```ts
   * import { createHash } from "node:crypto";
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const hash = createHash("sha256");
   * await ftp.retrbinary("RETR data.bin", (block) => hash.update(block), {
   *   blocksize: 65_536,
   *   reuse: true,
   * });
   * console.log(hash.digest("hex"));
   * ```
   */
  async retrbinary(cmd, callback, options = {}) {
    checkNames("retrbinary", options, RETRBINARY_OPTIONS);
    checkRest(options.rest);
    return await receiveBlocks(this.#connection.session, parseCommand(cmd), callback, {
      blocksize: options.blocksize ?? BLOCKSIZE,
      reuse: options.reuse,
      rest: options.rest,
      signal: options.signal,
      type: "I",
      anyMode: true
    });
  }
  /**
   * Retrieves a text or a listing line by line (`RETR`, `LIST`, `NLST`, RFC 959
   * section 4.1.3, in `TYPE A`). CRLF and LF end a
   * line. A single CR does not, unlike in ftplib.
   *
   * @param cmd `RETR path`, `LIST`, `NLST`...
   * @param callback Called with each line, without its end, and awaited. If
   * left out, lines are printed, with control characters replaced
   * @param options A signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure
   * @throws {FTPProtocolError} If a line is longer than `maxLine`; the transfer
   * is aborted, and the connection stays usable
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Read a report
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com");
   * const lines: string[] = [];
   * await ftp.retrlines("RETR report.txt", (line) => lines.push(line));
   * ```
   */
  async retrlines(cmd, callback = printLine, options = {}) {
    return await receiveLines(this.#connection.session, parseCommand(cmd), callback, {
      ...options
    });
  }
  /**
   * Stores a file in binary (`STOR`, `APPE`, RFC 959 section 4.1.3, in
   * `TYPE I`). The command is sent after the source has returned its first
   * chunk, because it may empty a file. As in ftplib, only the server's final
   * reply is checked. Compare with `size`, or use `upload`.
   *
   * @param cmd `STOR path`, `APPE path`, `STOU`
   * @param source The bytes
   * @param options Block size, offset and signal, as in
   * {@linkcode FTPProtocol.prototype.retrbinary retrbinary}. `callback`: called
   * with each block that was written, and awaited
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure (552: disk
   * full)
   * @throws {RangeError} If block size or offset are out of range
   * @throws {TypeError} If the source returns no bytes, or was read before
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Append to a log
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/logs");
   * const line = new TextEncoder().encode(`${new Date().toISOString()} done\n`);
   * await ftp.storbinary("APPE jobs.log", line);
   * ```
   */
  async storbinary(cmd, source, options = {}) {
    checkNames("storbinary", options, STORBINARY_OPTIONS);
    checkRest(options.rest);
    return await sendBlocks(this.#connection.session, parseCommand(cmd), source, {
      blocksize: options.blocksize ?? BLOCKSIZE,
      callback: options.callback,
      rest: options.rest,
      signal: options.signal,
      type: "I",
      anyMode: true
    });
  }
  /**
   * Stores a text (`STOR`, RFC 959 section 4.1.3, in `TYPE A`). Every line is
   * ended with CRLF. As with
   * {@linkcode FTPProtocol.prototype.storbinary storbinary}, the source is read
   * first.
   *
   * @param cmd `STOR path`
   * @param source The bytes, with LF or CRLF
   * @param callback Called with each line that was written, and awaited
   * @param options A signal
   * @returns The final 2yz reply
   * @throws {FTPError} As
   * {@linkcode FTPProtocol.prototype.storbinary storbinary}
   * @throws {FTPProtocolError} If a line is longer than `maxLine`; the transfer
   * is aborted, and the connection stays usable
   */
  async storlines(cmd, source, callback, options = {}) {
    return await sendLines(this.#connection.session, parseCommand(cmd), source, {
      ...options,
      callback
    });
  }
  /**
   * Lists the names in a directory (`NLST`, RFC 959 section 4.1.3). All of them
   * are kept.
   *
   * @param args Words of the command, usually one path; and a signal
   * @returns The names, as the server sends them
   * @throws {FTPError} If the server refuses; some send 550 or 450 for an empty
   * directory
   * @throws {RangeError} If the names take more than `maxListing` bytes
   */
  async nlst(...args) {
    const { cmd, options } = listCommand("NLST", args);
    return await keepLines(this.#connection.session, parseCommand(cmd), options);
  }
  /**
   * Lists a directory as text (`LIST`, RFC 959 section 4.1.3).
   *
   * @param args Words of the command, usually one path; a callback for the
   * lines, which are otherwise printed; and a signal
   * @returns The final 2yz reply
   * @throws {FTPError} As {@linkcode FTPProtocol.prototype.retrlines retrlines}
   */
  dir(...args) {
    const callback = args.find((arg) => typeof arg === "function");
    const words = args.filter((arg) => typeof arg !== "function");
    const { cmd, options } = listCommand("LIST", words);
    return this.retrlines(cmd, callback, options);
  }
  /**
   * Lists a directory in the standard format (`MLSD`, RFC 3659 section 7).
   * Stopping early aborts the transfer. The client stays usable, perhaps with
   * another connection; see {@linkcode FTPProtocol.prototype.abort FTP.abort}.
   *
   * @param path The directory; "" for the current one
   * @param facts The facts to request (`OPTS MLST`); empty for the server's
   * default
   * @param options A signal
   * @returns Name and facts of each entry, with the facts' names in lower case,
   * including the entries for the directory itself and its parent
   * @throws {FTPError} As
   * {@linkcode FTPProtocol.prototype.retrlines retrlines}; 500 or 502 if the
   * command is unknown
   */
  mlsd(path = "", facts = [], options = {}) {
    const batches = this.#mlsdBatches(path, facts, options);
    return new BatchIterator(batches, (entry) => entry);
  }
  async *#mlsdBatches(path, facts, options) {
    const session = this.#connection.session;
    checkFacts(facts);
    const command = path === "" ? {
      verb: "MLSD"
    } : {
      verb: "MLSD",
      argument: path,
      name: "path"
    };
    encodeCommand(command, session.control.encoding);
    if (facts.length > 0) {
      const argument = `MLST ${facts.join(";")};`;
      await this.#request({
        verb: "OPTS",
        argument,
        name: "facts"
      }, options);
    }
    const { encoding } = session.control;
    const reader = new FactsReader((bytes2) => encoding.decode(bytes2));
    for await (const block of iterateLineBlocks(session, command, options)) {
      yield reader.read(block);
    }
  }
  /**
   * Changes the directory (`CWD`, RFC 959 section 4.1.1). ".." sends `CDUP`, or
   * `CWD ..` if that is unknown (500); "" stands for ".".
   *
   * @param dirname The directory
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   */
  async cwd(dirname7, options = {}) {
    const session = this.#connection.session;
    const change = (turn) => changeDirectory(turn, dirname7, options);
    return dirname7 === ".." ? await session.exclusive(change, options) : await session.shared(change, options);
  }
  /**
   * Returns the current directory (`PWD`, RFC 959 section 4.1.3).
   *
   * @param options A signal
   * @returns The path, also one without quotes; "" if the server does not
   * answer 257
   * @throws {FTPError} If the server refuses
   * @throws {FTPProtocolError} As {@linkcode parse257}
   */
  async pwd(options = {}) {
    const reply = await this.#perform({
      verb: "PWD"
    }, options);
    return reply.code === 257 ? parseDirectory(reply) : "";
  }
  /**
   * Creates a directory (`MKD`, RFC 959 section 4.1.3).
   *
   * @param dirname The directory
   * @param options A signal
   * @returns The path in the server's reply; "" unless it is 257 with a path in
   * quotes
   * @throws {FTPError} If the server refuses
   * @throws {FTPProtocolError} As {@linkcode parse257}
   */
  async mkd(dirname7, options = {}) {
    checkPath2(this.#connection.session, dirname7, "dirname");
    const reply = await this.#perform({
      verb: "MKD",
      argument: dirname7,
      name: "dirname"
    }, options);
    return reply.code === 257 ? parse257(reply) : "";
  }
  /**
   * Removes an empty directory (`RMD`, RFC 959 section 4.1.3).
   *
   * @param dirname The directory
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   */
  async rmd(dirname7, options = {}) {
    checkPath2(this.#connection.session, dirname7, "dirname");
    return await this.#perform({
      verb: "RMD",
      argument: dirname7,
      name: "dirname"
    }, options);
  }
  /**
   * Deletes a file (`DELE`, RFC 959 section 4.1.3).
   *
   * @param filename The file
   * @param options A signal
   * @returns The reply, 250 or 200
   * @throws {FTPReplyError} For another code below 400
   * @throws {FTPError} If the server refuses
   */
  async delete(filename, options = {}) {
    checkPath2(this.#connection.session, filename, "filename");
    const session = this.#connection.session;
    return await session.shared((turn) => deleteFile(turn, filename, options), options);
  }
  /**
   * Renames a file or directory (`RNFR`, `RNTO`, RFC 959 section 4.1.3). Most
   * servers replace a file with the new name. If a server answers both commands
   * with 2yz, the rename is complete; ftplib throws in that case.
   *
   * @param fromname The old path
   * @param toname The new path
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses either
   */
  async rename(fromname, toname, options = {}) {
    checkPath2(this.#connection.session, fromname, "fromname");
    checkPath2(this.#connection.session, toname, "toname");
    const session = this.#connection.session;
    return await session.exclusive((turn) => rename(turn, fromname, toname, options), options);
  }
  /**
   * Returns the size of a file (`SIZE`, RFC 3659 section 4) in the current
   * type. If the server refuses in ASCII, `TYPE I` is set, and stays.
   *
   * @param filename The file
   * @param options A signal
   * @returns Bytes; `null` unless the reply is 213 with a number up to 2^53
   * @throws {FTPError} If the server refuses
   */
  async size(filename, options = {}) {
    checkPath2(this.#connection.session, filename, "filename");
    const session = this.#connection.session;
    return await session.shared((turn) => requestSize(turn, filename, options), options);
  }
  /** Sends a command that a server may refuse, together with others. */
  async #request(command, options) {
    try {
      await this.#perform(command, options);
    } catch (error) {
      if (!(error instanceof FTPPermanentError)) throw error;
    }
  }
  /** Sends a command that must be answered with 2yz, together with others. */
  async #perform(command, options) {
    const { session } = this.#connection;
    return await session.shared((turn) => turn.perform(command, options), options);
  }
};
function printLine(line) {
  console.log(printableText(line));
}
function checkRest(rest) {
  if (rest === void 0 || typeof rest === "string" && rest !== "") return;
  if (Number.isSafeInteger(rest) && Number(rest) >= 0) return;
  throw new RangeError(`Cannot start at offset ${showValue(rest)}: "rest" must be a non-negative integer or a marker`);
}
function checkFacts(facts) {
  const areFacts = Array.isArray(facts) && facts.every((fact) => typeof fact === "string" && /^[^\s;=]+$/.test(fact));
  if (areFacts) return;
  throw new TypeError('Cannot use "facts": it must be an array of facts, such as ["size", "modify"]');
}
function listCommand(verb, args) {
  for (const arg of args) {
    if (typeof arg === "string") continue;
    checkNames(verb, arg, {
      signal: true
    });
  }
  const words = args.filter((arg) => typeof arg === "string");
  const options = args.find((arg) => typeof arg === "object") ?? {};
  const given = words.filter((word) => word !== "");
  return {
    cmd: [
      verb,
      ...given
    ].join(" "),
    options
  };
}

// lib/client/ftp.ts
var WINDOW4 = 4096;
var PIPELINE_OPTIONS = {
  window: true,
  signal: true
};
var REMOVE_OPTIONS = {
  recursive: true,
  maxEntries: true,
  signal: true
};
var RETRIEVE_OPTIONS = {
  offset: true,
  length: true,
  signal: true
};
var STORE_OPTIONS = {
  offset: true,
  append: true,
  signal: true
};
var FTP = class extends FTPProtocol {
  /**
   * Sends many commands without waiting for each: twenty thousand `SIZE`s take
   * about one round trip. ProFTPD merges commands that arrive too fast, so it
   * gets at most 512 bytes at once. So does an unknown server, until `FEAT` was
   * requested. Pure-FTPd gets 2,048 bytes, and so does an unknown server under
   * TLS.
   *
   * @param commands Whole command lines, read as replies arrive
   * @param options `window`: largest number of unanswered commands, 4096 by
   * default; 1 for servers that cannot handle more. `signal`: aborts the wait
   * for a reply
   * @returns For each command, in order, its reply or the server's refusal
   * @throws {TypeError} If a line has CR, LF or NUL
   * @throws {RangeError} If the window is not a positive integer
   * @throws {Error} `Deno.errors.*` if the connection fails
   *
   * @example Ask for the sizes of many files
   * ```ts
   * import { connect, FTPError } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const names = await ftp.nlst();
   * await ftp.voidcmd("TYPE I"); // some servers refuse SIZE in TYPE A
   * let total = 0;
   * const replies = ftp.pipeline(names.map((name) => `SIZE ${name}`));
   * for await (const reply of replies) {
   *   if (reply instanceof FTPError) console.error(reply.message);
   *   else total += Number(reply.text.slice(4));
   * }
   * console.log(total);
   * ```
   */
  async *pipeline(commands2, options = {}) {
    const { window = WINDOW4, signal } = options;
    checkNames("pipeline", options, PIPELINE_OPTIONS);
    if (typeof commands2 !== "object" || commands2 === null) {
      throw new TypeError(`Cannot use ${showValue(commands2)} as "commands": it must be an array, or something else to iterate over`);
    }
    const session = connectionOf(this).session;
    const parsed = Iterator.from(commands2).map(parseCommand);
    const prepared = await preparePipeline(session, parsed, {
      window,
      signal
    });
    yield* pipeline(session, prepared, {
      window,
      signal
    });
  }
  /**
   * Connects and logs in again: to the same server and virtual host (`HOST`),
   * with the same protection, directory, `TYPE`, `MODE`, `STRU`, `LANG` and
   * `OPTS`. Other commands sent by hand (`SITE`, `CLNT`, `ACCT`...) are not
   * repeated. An open connection is closed first, together with its transfer.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param options A signal
   * @throws {Deno.errors.NotConnected} If no user was logged in, the client is
   * closed, or its directory is unknown
   * @throws {FTPError} If the server refuses
   * @throws {Error} `Deno.errors.*` if the connection fails
   */
  async reconnect(options = {}) {
    checkSignal(options.signal);
    const provider = connectionOf(this);
    const { control, transfer } = provider.session;
    if (!provider.canReconnect) return await provider.reconnect(options);
    const reason = new Deno.errors.NotConnected("reconnect() was called");
    transfer?.data.fail(reason);
    control.fail(reason);
    await runOperation(provider, options, (options2) => provider.reconnect(options2));
  }
  /**
   * Reads a file as a web stream (`RETR`, RFC 959 section 4.1.3, in `TYPE I`).
   * The server waits while the stream is not read.
   *
   * The stream ends after the server's final 2yz. It errors in every other
   * case: after 4yz and 5yz, if a connection fails, or if no final reply comes.
   * A data connection that is reset after the last byte is accepted if the
   * final reply is 2yz and the size in the 150 reply, or `SIZE`, matches.
   *
   * Cancelling the stream, or leaving a loop over it, aborts the transfer
   * (`ABOR`), and so does the signal. The next call waits until the abort is
   * complete. It uses another connection if this server may leave something
   * behind; see {@linkcode FTPProtocol.prototype.abort FTP.abort}. Until the
   * stream has ended or is cancelled, other commands fail with
   * `Deno.errors.Busy`.
   *
   * @param path The file
   * @param options Offset, length and signal
   * @returns The bytes of the file
   * @throws {FTPError} If the server refuses
   * @throws {RangeError} If the offset or the length is not a non-negative
   * integer
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Read a text line by line
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   * import { TextLineStream } from "@std/streams";
   *
   * await using ftp = await connect("ftp://ftp.example.com");
   * const lines = (await ftp.retrieve("README"))
   *   .pipeThrough(new TextDecoderStream())
   *   .pipeThrough(new TextLineStream());
   * for await (const line of lines) console.log(line);
   * ```
   */
  async retrieve(path, options = {}) {
    checkPath2(connectionOf(this).session, path, "path");
    checkNames("retrieve", options, RETRIEVE_OPTIONS);
    return await this.#onReady(options, (session) => retrieve(session, path, options));
  }
  /**
   * Opens a file for reading at any position, for example the index at the end
   * of an archive, then one of its members.
   *
   * The file uses a connection of its own, so that this client stays free. The
   * caller has to close the file. {@linkcode RemoteFile} describes what is
   * downloaded and cached.
   *
   * Requires `allow-net` permission.
   *
   * @tags allow-net
   * @param path The file
   * @param options Sizes of blocks and cache, retries, and a signal
   * @returns The file, at position 0
   * @throws {FTPError} If the server refuses
   * @throws {RangeError} If a size is out of range
   * @throws {Deno.errors.NotSupported} If the server does not report the file's
   * size
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Read the last bytes of a large file
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * await using file = await ftp.open("archive.zip");
   * await file.seek(-22, Deno.SeekMode.End);
   * const end = new Uint8Array(22);
   * await file.read(end);
   * console.log(`${new DataView(end.buffer).getUint16(10, true)} members`);
   * ```
   */
  async open(path, options = {}) {
    checkPath2(connectionOf(this).session, path, "path");
    return await openRemoteFile(connectionOf(this), this.#text(path), options);
  }
  /**
   * Writes a file from a stream or another source of bytes, directly under its
   * name (`STOR` or `APPE`, RFC 959 section 4.1.3, in `TYPE I`). After a
   * failure, the file has the bytes that the server received;
   * {@linkcode FTP.prototype.upload upload} avoids that. The reply only proves
   * that the server claims to have the file. Neither its size nor its name is
   * checked, and some servers also confirm files that were cut off or stored
   * under another name.
   *
   * An aborted signal or a failed source aborts the transfer (`ABOR`). The next
   * call waits until the abort is complete, and may use another connection; see
   * {@linkcode FTPProtocol.prototype.abort FTP.abort}.
   *
   * @param path The file
   * @param source The bytes
   * @param options Offset, append and signal
   * @returns The final 2yz reply
   * @throws {FTPError} If the server refuses or reports a failure; the message
   * says if the directory is missing, or the path is a directory
   * @throws {FTPVerificationError} If the server has ignored the offset, or
   * stored the compressed data of `compress`
   * @throws {Deno.errors.InvalidData} If the server has lost the bytes before
   * the offset
   * @throws {Deno.errors.NotSupported} If the server is known to ignore offsets
   * @throws {RangeError} If the offset is not a non-negative integer, or the
   * file ends before it
   * @throws {TypeError} If the source is invalid, or both an offset and
   * `append` are set
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example Store a text
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://user:password@ftp.example.com");
   * await ftp.store("hello.txt", new TextEncoder().encode("Hello\n"));
   * ```
   */
  async store(path, source, options = {}) {
    checkPath2(connectionOf(this).session, path, "path");
    checkNames("store", options, STORE_OPTIONS);
    return await this.#onReady(options, (session) => store(session, path, source, options));
  }
  /**
   * Downloads a file atomically. It is written to `.name.<digits>.part` next to
   * the target, which it replaces when it is complete, confirmed by the server
   * and verified. If the download fails, an existing file stays unchanged.
   *
   * Lost connections, time-outs, and the replies 421, 425, 426, 450 and 451 are
   * retried. After a wait, the client connects and logs in again if necessary,
   * and returns to its directory. It continues at the end of the unfinished
   * file, if the server's file has not changed and the last 64 KiB match.
   * Refusals (550) and local errors (a full disk) are not retried. With
   * `resume`, the unfinished file stays after a failure, as
   * `.name.resume-<digits>.part`. The next call continues it if it belongs to
   * the same version of the same file.
   *
   * An aborted signal ends a wait at once. While data flows, it aborts the
   * transfer (`ABOR`) and reads the pending replies within five seconds; the
   * connection stays usable. While the client is reconnecting, or if replies
   * are missing, the connection is closed.
   *
   * Downloads and uploads that are started at the same time run one after the
   * other. Files up to 1 MiB are written synchronously. Larger ones are written
   * while more data arrives, from two buffers of 1 MiB. `timeout` does not
   * limit the time of disk writes; a signal ends such a wait within five
   * seconds.
   *
   * Requires `allow-read` and `allow-write` permission for the target's
   * directory.
   *
   * @tags allow-read, allow-write
   * @param remote The file on the server
   * @param local The target, a path or a `file:` URL
   * @param options Resume, verification, retries, progress and more
   * @returns Size, verification, time and retries
   * @throws {FTPError} If the server refuses
   * @throws {FTPUnconfirmedError} If every byte came, but the server did not
   * confirm it
   * @throws {FTPVerificationError} If the two files differ
   * @throws {TypeError} If an option is unknown or has an invalid value;
   * nothing is sent
   * @throws {Error} `Deno.errors.*` if a connection or a local file fails
   *
   * @example Download a large file that can be resumed
   * ```ts
   * import { connect, progressBar } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * await ftp.download("image.iso", "image.iso", {
   *   resume: true,
   *   verify: "hash",
   *   onProgress: progressBar({ label: "image.iso" }),
   * });
   * ```
   */
  async download(remote, local, options = {}) {
    checkNames("download", options, DOWNLOAD_OPTIONS);
    checkPath2(connectionOf(this).session, remote, "path");
    checkLocalPath(local, "local");
    return await download(connectionOf(this), this.#text(remote), local, options);
  }
  /**
   * Downloads a list of files, each as by
   * {@linkcode FTP.prototype.download download}. A failed file does not stop
   * the others. Small files gain most: the next one is requested while the one
   * before waits for its confirmation, and `connections` share the work.
   *
   * The last name of a path is the file's name in the local directory. If two
   * files have the same target, the second one fails with
   * `Deno.errors.AlreadyExists`. At most 64 outcomes wait for the caller;
   * meanwhile no further file is started. Leaving the loop early starts no
   * further file, and waits for the current ones. Memory holds the names of the
   * targets.
   *
   * Requires `allow-read` and `allow-write` permission for the targets.
   *
   * @tags allow-read, allow-write
   * @param items Paths on the server, or for each path also the target: a local
   * path or a `file:` URL. A list or an async iterable
   * @param local The local directory, a path or a `file:` URL; created if it is
   * missing
   * @param options Connections, order, and options of each download
   * @returns The outcome of each file
   * @throws {TypeError} If an option is unknown or has an invalid value;
   * nothing is sent
   * @throws {Error} During the iteration: the error of the list itself, the
   * signal's reason, or the error of a lost connection that cannot be replaced
   *
   * @example Download a list of files, and count failures
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const paths = (await Deno.readTextFile("wanted.txt")).trim().split("\n");
   * let failed = 0;
   * for await (const outcome of ftp.downloadAll(paths, "in", { connections: 4 })) {
   *   if (outcome.error === undefined) continue;
   *   console.error(outcome.remote, outcome.error.message);
   *   failed++;
   * }
   * console.log(`${paths.length - failed} of ${paths.length}`);
   * ```
   */
  downloadAll(items, local, options = {}) {
    checkLocalPath(local, "local");
    return downloadAll(connectionOf(this), items, local, options);
  }
  /**
   * Uploads a file atomically. It is written to `.name.<digits>.part` next to
   * the target, which it replaces (`RNFR`, `RNTO`) when it is complete,
   * confirmed by the server and verified. If the upload fails, an existing file
   * stays unchanged, and the temporary file is deleted.
   *
   * Retries and resumes like {@linkcode FTP.prototype.download download}: at
   * the size that `SIZE` reports, with `REST` and `STOR`, else with `APPE`,
   * else from the beginning. A source that can be read once only (a stream, an
   * open file) cannot be sent again. It is retried only before its first byte
   * was read, or if all of it was sent and `SIZE` shows that it arrived. With
   * `resume`, the temporary file stays after a failure. With `atomic: false`,
   * the target itself is written. If the server refuses to rename over a file,
   * the old file stays, unless `replace` is "delete". The old file is deleted
   * only after the new one is in its place. {@linkcode UploadOptions} describes
   * permissions and links.
   *
   * A `Response` of `fetch()` is uploaded if its status is a success. Its body
   * is read once. Its size must match its `content-length`, unless the body was
   * compressed on the way.
   *
   * An aborted signal works as in {@linkcode FTP.prototype.download download}.
   * If it comes during the rename, the complete new file may be in its place.
   *
   * Requires `allow-read` permission for a local path.
   *
   * @tags allow-read
   * @param local A path or `file:` URL, a `Response`, or bytes of any kind
   * @param remote The file on the server
   * @param options Resume, verification, retries, progress and more
   * @returns Size, verification, time and retries
   * @throws {FTPError} If the server refuses; the message says if the directory
   * is missing, the target is a directory, or a temporary file is left behind
   * @throws {FTPUnconfirmedError} If every byte was sent, but the server did
   * not confirm it
   * @throws {FTPVerificationError} If the two files differ, or the source has
   * an unexpected size
   * @throws {TypeError} If an option is unknown or has an invalid value, or the
   * request of a response failed; nothing is sent
   * @throws {Error} `Deno.errors.*` if a connection or a local file fails
   *
   * @example Upload a file and check the result
   * ```ts
   * import { connect, FTPUnconfirmedError } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftpes://ftp.example.com/in");
   * try {
   *   const { verified, retries } = await ftp.upload("orders.csv", "orders.csv");
   *   console.log(`uploaded, verified by ${verified}, ${retries} retries`);
   * } catch (error) {
   *   if (!(error instanceof FTPUnconfirmedError)) throw error;
   *   console.error("sent, but not confirmed by the server", error);
   * }
   * ```
   */
  async upload(local, remote, options = {}) {
    checkNames("upload", options, UPLOAD_OPTIONS);
    checkPath2(connectionOf(this).session, remote, "path");
    if (typeof local === "string") checkLocalPath(local, "local");
    return await upload(connectionOf(this), local, this.#text(remote), options);
  }
  /**
   * Creates a directory and its missing parents (`MKD`, RFC 959 section 4.1.3).
   * Checks whether they exist by changing to them and back.
   *
   * @param path The directory
   * @param options A signal
   * @throws {FTPPermanentError} If the directory does not exist afterwards
   */
  async ensureDir(path, options = {}) {
    checkPath2(connectionOf(this).session, path, "path");
    await this.#onReady(options, (session) => session.pastHangUps(() => ensureDir(session, this.#text(path), options), options));
  }
  /**
   * Removes a file or an empty directory (`DELE`, `RMD`, RFC 959 section
   * 4.1.3), or with `recursive` a directory and everything in it. Symbolic
   * links are removed, never followed.
   *
   * @param path The path to remove
   * @param options Whether to remove contents, the limit, and a signal
   * @throws {TypeError} If the path is empty, or with `recursive` if it ends
   * with no name, such as "/", "." or "a/..": nothing is sent then
   * @throws {FTPPermanentError} If something cannot be removed
   * @throws {Deno.errors.InvalidData} If the server lists a name that is not
   * inside the directory
   * @throws {RangeError} If a directory has more than `maxEntries`
   *
   * @example Remove last year's files
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/archive");
   * await ftp.remove("2025", { recursive: true });
   * ```
   */
  async remove(path, options = {}) {
    checkPath2(connectionOf(this).session, path, "path");
    checkNames("remove", options, REMOVE_OPTIONS);
    checkNumber("maxEntries", options.maxEntries);
    return await this.#onReady(options, (session) => session.pastHangUps(() => remove(session, this.#text(path), options, {
      begin: () => withLifetime(connectionOf(this), options.signal)
    }), options));
  }
  #text(path) {
    return textOfPath(connectionOf(this).session, path);
  }
  /**
   * Lists a directory: by `MLSD` (RFC 3659 section 7), or by `LIST` if that
   * does not work. Only a try shows which one works. A first `MLSD` that sends
   * nothing for a third of `timeout`, or ten seconds, is given up.
   *
   * The entries are returned before the listing has ended, in constant memory.
   * The connection is busy until the loop ends. To work with each entry
   * meanwhile, collect the entries first, or use
   * {@linkcode FTP.prototype.walk walk}. Stopping early reads a short rest, and
   * aborts a long one. After an abort the next call uses another connection,
   * because ProFTPD and Pure-FTPd send the rest of the listing before the next
   * one; vsftpd does not.
   *
   * An incomplete listing is an error, after the entries that came. The server
   * may have cut it and say so (Pure-FTPd:
   * `226 Output truncated to 10000 matches`; z/OS: `JESENTRYLIMIT`), or its
   * `ls` may have failed (`ls: a: Permission denied`). Or it may lack
   * permission to read or enter the directory, and still answer with a 2yz
   * (vsftpd, ProFTPD, Pure-FTPd, pyftpdlib). To detect that, an empty listing
   * is followed by one or two more commands.
   *
   * @param path The directory, text or bytes; "" for the current one
   * @param options Format, time zone, limits and signal
   * @returns The entries, without those for the directory itself and its
   * parent; they end only after the server's final 2yz
   * @throws {FTPError} If the server refuses, or reports a failure
   * @throws {FTPReplyError} If the server confirms an incomplete listing
   * @throws {RangeError} If there are more than `maxEntries`
   * @throws {TypeError} If an option is unknown or has an invalid value
   * @throws {Error} `Deno.errors.*` if a connection fails
   *
   * @example List the files of a directory
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * for await (const { name, isFile, size } of ftp.list()) {
   *   if (isFile) console.log(name, size);
   * }
   * ```
   */
  list(path = "", options = {}) {
    return listDirectory(() => {
      checkNames("list", options, LIST_OPTIONS);
      checkAnyPath(connectionOf(this).session, path, "path");
      return connectionOf(this).ready(options);
    }, path, options);
  }
  /**
   * Walks a directory tree, depth first. Each directory is read completely
   * before its entries are returned. The connection is free between two
   * entries, so that a file can be downloaded when it is found. A relative path
   * is relative to the current directory, which must not change during the
   * walk.
   *
   * Directories that contain themselves are not entered again, if the server
   * distinguishes them (MLSD's fact `unique`, `PWD`). Entries whose names are
   * not part of a path (`..`, `a/b`) are returned with `hostile` set, and never
   * followed.
   *
   * If the connection is lost during a listing, the directory is listed again
   * on a new one, according to `retry`. No entry is returned twice.
   *
   * @param path The root, text or bytes; "" for the current directory
   * @param options Filters, depth, retries, and those of
   * {@linkcode FTP.prototype.list list}
   * @returns The entries with their paths, a directory before its contents
   * @throws {FTPError} If a directory cannot be listed, unless `onError` is set
   * @throws {RangeError} If the tree is deeper or a directory larger than the
   * options allow
   *
   * @example Find large files
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com");
   * for await (const entry of ftp.walk("/pub", { includeDirs: false })) {
   *   if (entry.size !== undefined && entry.size > 1e9) console.log(entry.path);
   * }
   * ```
   */
  walk(path = "", options = {}) {
    const begin2 = () => {
      checkNames("walk", options, WALK_OPTIONS);
      checkRetry(options.retry);
      checkAnyPath(connectionOf(this).session, path, "path");
      return connectionOf(this);
    };
    let provider;
    return walkTree((step) => withReconnection(provider ??= begin2(), options, step), path, options);
  }
  /**
   * Returns the properties of a path: by `MLST` (RFC 3659 section 7), else by
   * `CWD`, `SIZE` and `MDTM`, else by the listing of its directory. Whether a
   * symbolic link is followed depends on the server.
   *
   * @param path The path, text or bytes
   * @param options A signal, and options for listings
   * @returns The entry, named by the last segment of the path
   * @throws {FTPPermanentError} If the path does not exist
   *
   * @example Read size and time of a file
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const { size, mtime } = await ftp.stat("data.bin");
   * console.log(size, mtime?.toISOString());
   * ```
   */
  async stat(path, options = {}) {
    checkPath2(connectionOf(this).session, path, "path");
    checkNames("stat", options, LIST_OPTIONS);
    checkListOptions(options);
    return await this.#onReady(options, (session) => session.pastHangUps(() => requestEntry(session, path, options), options));
  }
  /**
   * Whether a path exists, by the commands of
   * {@linkcode FTP.prototype.stat stat}.
   *
   * @param path The path, text or bytes
   * @param options A signal, and options for listings
   * @returns Whether it exists
   * @throws {FTPError} If the server does not tell, for example for lack of
   * permission
   */
  async exists(path, options = {}) {
    checkPath2(connectionOf(this).session, path, "path");
    checkNames("exists", options, LIST_OPTIONS);
    checkListOptions(options);
    return await this.#onReady(options, (session) => session.pastHangUps(() => existsPath(session, path, options), options));
  }
  /**
   * Returns the time of a file's last change (`MDTM`, RFC 3659 section 3).
   *
   * The standard requires UTC. The times of a server that shows local time
   * (vsftpd's `use_localtime`) are converted once its zone is known: from the
   * option `serverZone`, or from an upload of this client, its clones or its
   * mirrors. Until then they are assumed to be UTC, without proof.
   *
   * @param path The file, text or bytes
   * @param options A signal
   * @returns The time, or `null` if the server has no `MDTM`
   * @throws {FTPError} If the server refuses, for example because the file does
   * not exist
   */
  async mtime(path, options = {}) {
    checkPath2(connectionOf(this).session, path, "path");
    return await this.#onReady(options, (session) => session.pastHangUps(() => requestModificationTime(session, path, options), options));
  }
  /**
   * Returns the hash of a file, computed by the server: the strongest one that
   * its `FEAT` lists, by `HASH` (draft-bryan-ftpext-hash), `XSHA256`,
   * `XSHA512`, `XSHA1`, `XMD5`, `MD5` or `XCRC`. The time limit grows with the
   * file's size.
   *
   * @param path The file, text or bytes
   * @param options A signal
   * @returns The hash's name ("SHA-256", "SHA-512", "SHA-1", "MD5" or "CRC32")
   * and its hexadecimal digits in lower case; `null` if the server has none or
   * refuses it for this file
   * @throws {FTPPermanentError} If the file does not exist
   *
   * @example Compare with a published checksum
   * ```ts
   * import { connect } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com/pub");
   * const hash = await ftp.hash("data.bin");
   * if (hash?.name === "SHA-256") console.log(hash.digits);
   * ```
   */
  async hash(path, options = {}) {
    checkPath2(connectionOf(this).session, path, "path");
    const { signal } = options;
    const request = async (session) => {
      const { size } = await requestEntry(session, path, {
        signal
      });
      const text = textOfPath(session, path);
      return await requestFileHash(session, text, {
        size,
        signal
      }) ?? null;
    };
    return await this.#onReady(options, (session) => session.pastHangUps(() => request(session), options));
  }
  /**
   * Sets the time of a file, to the second: by `MFMT`, or by the commands of
   * vsftpd (`MDTM` with a time) and Pure-FTPd (`SITE UTIME`).
   *
   * vsftpd sets the time in the zone that it shows. If that zone is unknown, a
   * temporary file is written next to the file first, and deleted: its time
   * shows the zone. The option `serverZone` avoids this.
   *
   * @param path The file, text or bytes
   * @param date The time
   * @param options A signal
   * @throws {FTPError} If the server does not set it
   * @throws {RangeError} If the date is invalid
   */
  async setMtime(path, date, options = {}) {
    checkPath2(connectionOf(this).session, path, "path");
    checkDate(date);
    return await this.#onReady(options, (session) => session.pastHangUps(() => dateFile(session, path, date, options), options));
  }
  /**
   * Sets the permissions of a file or directory, on Unix servers
   * (`SITE CHMOD`).
   *
   * @param path The file, text or bytes
   * @param mode The permission bits, such as `0o755`
   * @param options A signal
   * @throws {FTPError} If the server does not set them
   * @throws {RangeError} If the mode is not 0 to `0o7777`
   */
  async chmod(path, mode, options = {}) {
    checkPath2(connectionOf(this).session, path, "path");
    return await this.#onReady(options, (session) => changePermissions(session, path, mode, options));
  }
  /**
   * Returns the server's system (`SYST`, RFC 959 section 4.1.3).
   *
   * @param options A signal
   * @returns The reply without its code, such as "UNIX Type: L8"
   * @throws {FTPError} If the server refuses
   */
  async system(options = {}) {
    return await this.#onReady(options, (session) => requestSystem(session, options));
  }
  /**
   * Returns the status of the session or of a path (`STAT`, RFC 959 section
   * 4.1.3). For a directory, many servers send a listing in the reply, without
   * a data connection.
   *
   * @param path The path; "" for the session
   * @param options A signal
   * @returns The 2yz reply; see its `lines`
   * @throws {FTPError} If the server refuses
   */
  async status(path = "", options = {}) {
    return await this.#onReady(options, (session) => requestStatus(session, path, options));
  }
  /**
   * Sends a server-specific command (`SITE`, RFC 959 section 4.1.3),
   * such as "UMASK 027".
   *
   * @param command The command, without `SITE`
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses
   * @throws {TypeError} If the command has CR, LF or NUL; nothing is sent
   */
  async site(command, options = {}) {
    return await this.#onReady(options, (session) => sendSite(session, command, options));
  }
  /**
   * Copies a file on the server (`SITE CPFR`, `SITE CPTO`: ProFTPD's mod_copy
   * and others).
   *
   * @param from The file
   * @param to The path of the copy
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses, or has no such command
   */
  async copy(from, to, options = {}) {
    checkPath2(connectionOf(this).session, from, "from");
    checkPath2(connectionOf(this).session, to, "to");
    return await this.#onReady(options, (session) => copyOnServer(session, from, to, options));
  }
  /**
   * Stores a file under a name that the server chooses (`STOU`, RFC 959 section
   * 4.1.3), in the current directory.
   *
   * @param source As for {@linkcode FTP.prototype.store store}
   * @param options A signal
   * @returns The name; `undefined` if the server does not report it
   * @throws {FTPError} If the server refuses or reports a failure
   */
  async storeUnique(source, options = {}) {
    return await this.#onReady(options, (session) => storeUnique(session, source, options));
  }
  /**
   * Reserves space for the next upload (`ALLO`, RFC 959 section 4.1.3). Most
   * servers do not need it, and reply with 202.
   *
   * @param size Bytes
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses, for example with 552 because of a
   * full disk
   * @throws {RangeError} If the size is not a non-negative integer
   */
  async allocate(size, options = {}) {
    return await this.#onReady(options, (session) => allocate(session, size, options));
  }
  /**
   * Sets the language of the server's replies (`LANG`, RFC 2640 section 4),
   * also for reconnections and clones.
   *
   * @param tag A language, such as "fr"; "" for the server's default
   * @param options A signal
   * @returns The 2yz reply
   * @throws {FTPError} If the server refuses, or does not have the language
   */
  async setLanguage(tag, options = {}) {
    return await this.#onReady(options, (session) => chooseLanguage(session, tag, options));
  }
  /**
   * Returns the features that the server claims (`FEAT`, RFC 2389). They are
   * requested once, and may be wrong.
   *
   * @param options A signal
   * @returns Names in upper case with their parameters; empty if `FEAT` is
   * refused
   * @throws {Error} `Deno.errors.*` if the connection fails
   */
  async features(options = {}) {
    return await this.#onReady(options, (session) => session.pastHangUps(() => requestFeatures(session, options), options));
  }
  /**
   * Downloads a directory and everything in it, or updates a local copy.
   * Unchanged files are skipped, as `compare` defines it. Each file is
   * downloaded as by `download`, with its retries and its final rename. Empty
   * directories are created. With `delete`, extraneous local entries are
   * removed last.
   *
   * A failed entry does not stop the others. After a failure nothing is
   * removed, and the call ends with an `FTPMirrorError` that lists what was
   * done and what failed. The following entries fail: names that would lead out
   * of the directory, names that are invalid locally or equal to another one,
   * and entries whose place is taken by a local symbolic link. Nothing is
   * written through links. Symbolic links of the server are skipped, unless
   * `symlinks` is "follow".
   *
   * With `connections`, several connections list, create directories and
   * transfer files at the same time. A failure on one does not stop the others.
   * Of two names that may be the same file, the second waits for the first.
   *
   * Memory holds the entries of one directory for each connection, and of
   * directories with pending transfers. Lost connections are replaced as in
   * `download`. If the client's own connection cannot be replaced, the mirror
   * ends; any other one only fails its current files. Another call continues
   * where the mirror ended.
   *
   * Requires `allow-read` and `allow-write` permission for the directory.
   *
   * @tags allow-read, allow-write
   * @param remote The directory on the server; "" for the current one
   * @param local The target, a path or a `file:` URL; created if it is missing
   * @param options Comparison, removal, filter, callbacks, and options of each
   * transfer
   * @returns Numbers of files transferred, unchanged, removed...
   * @throws {FTPMirrorError} If something failed; see its `failures` and
   * `cause`
   * @throws {TypeError} If an option is unknown or has an invalid value;
   * nothing is sent
   * @throws {FTPError} If the directory itself cannot be listed
   * @throws {Error} `Deno.errors.*` if the first connection or the local
   * directory fails
   *
   * @example Keep a data set up to date
   * ```ts
   * import { connect, FTPMirrorError } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftp://ftp.example.com");
   * try {
   *   const { transferred, unchanged } = await ftp.downloadDir("pub/data", "data", {
   *     filter: ({ kind, name }) => kind === "directory" || name.endsWith(".csv"),
   *     onEntry: ({ action, entry }) => console.log(action, entry.path),
   *   });
   *   console.log(`${transferred} transferred, ${unchanged} unchanged`);
   * } catch (error) {
   *   if (!(error instanceof FTPMirrorError)) throw error;
   *   for (const { path, error: why } of error.failures) console.error(path, why);
   * }
   * ```
   */
  async downloadDir(remote, local, options = {}) {
    checkAnyPath(connectionOf(this).session, remote, "remote");
    checkLocalPath(local, "local");
    return await downloadDir(connectionOf(this), textOfPath(connectionOf(this).session, remote), local, options);
  }
  /**
   * Uploads a directory and everything in it, or updates a copy on the server.
   * It works like {@linkcode FTP.prototype.downloadDir downloadDir} in the
   * other direction. Unchanged files are skipped, and with `delete`, extraneous
   * entries on the server are removed last. Entries that `filter` leaves out
   * stay on both sides.
   *
   * Each file is uploaded as by `upload`, and gets its original's time if the
   * server can set it. Otherwise it has the time of the upload, which counts as
   * unchanged as well. After a checkout, which sets all files to the current
   * time, compare by "hash" or "size".
   *
   * Requires `allow-read` permission for the directory.
   *
   * @tags allow-read
   * @param local The local directory, a path or a `file:` URL
   * @param remote The target; "" for the current directory; created with its
   * parents if it is missing
   * @param options Comparison, removal, filter, callbacks, and options of each
   * transfer
   * @returns Numbers of files transferred, unchanged, removed...
   * @throws {FTPMirrorError} If something failed; see its `failures` and
   * `cause`
   * @throws {TypeError} If an option is unknown or has an invalid value;
   * nothing is sent
   * @throws {FTPError} If the directory itself cannot be created or listed
   * @throws {Error} `Deno.errors.*` if the first connection or the local
   * directory fails
   *
   * @example Preview a deployment, then run it
   * ```ts
   * import { connect, type UploadDirOptions } from "https://cdn.jsdelivr.net/gh/OWNER/REPO@TAG/dist/ftp.js";
   *
   * await using ftp = await connect("ftpes://user:password@ftp.example.com");
   * const options: UploadDirOptions = {
   *   compare: "hash",
   *   delete: true,
   *   filter: ({ path }) => path !== "uploads", // owned by the server
   *   onEntry: ({ action, entry, reason }) => console.log(action, entry.path, reason),
   * };
   * await ftp.uploadDir("build", "public_html", { ...options, dryRun: true });
   * if (confirm("Continue?")) await ftp.uploadDir("build", "public_html", options);
   * ```
   */
  async uploadDir(local, remote, options = {}) {
    checkLocalPath(local, "local");
    checkAnyPath(connectionOf(this).session, remote, "remote");
    return await uploadDir(connectionOf(this), local, textOfPath(connectionOf(this).session, remote), options);
  }
  /** Runs a call, on another connection if the server closed the idle one. */
  async #onReady(options, run2) {
    const session = connectionOf(this).ready(options);
    return await run2(session instanceof Promise ? await session : session);
  }
};
var WALK_OPTIONS = {
  ...LIST_OPTIONS,
  maxDepth: true,
  includeFiles: true,
  includeDirs: true,
  includeSymlinks: true,
  followSymlinks: true,
  match: true,
  skip: true,
  onError: true,
  retry: true,
  onRetry: true
};
function checkDate(date) {
  if (date instanceof Date) return;
  throw new TypeError(`Cannot use ${showValue(date)} as "date": it must be a Date`);
}

// lib/client/connect.ts
init_options();

// lib/client/netrc.ts
init_printable();
init_node_module();
import { join } from "node:path";
var TOKEN_REGEXP = /^(?:"((?:[^"\\]|\\.)*)"|\S+)/;
function parseNetrc(text, host, user) {
  const isFor = (machine, entry) => (machine === void 0 || machine.toLowerCase() === host.toLowerCase()) && (user === void 0 || entry.login === user);
  return parseEntries(text).find(([machine, entry]) => isFor(machine, entry))?.[1];
}
function parseEntries(text) {
  const words = tokenize(text).values();
  const next = () => words.next().value;
  const entries = [];
  for (let word; (word = next()) !== void 0; ) {
    if (word === "default") entries.push([
      void 0,
      {}
    ]);
    else if (word === "machine") entries.push([
      next() ?? "",
      {}
    ]);
    else {
      const value = next();
      const entry = entries.at(-1)?.[1];
      if (entry !== void 0 && value !== void 0) {
        entry[word === "user" ? "login" : word] ??= value;
      }
    }
  }
  return entries.map(([machine, { login, password, account }]) => [
    machine,
    {
      login,
      password,
      account
    }
  ]);
}
var MACRO_REGEXP = /^macdef\s[^]*?(?:\n[^\S\n]*\n|$)/;
function tokenize(text) {
  const words = [];
  let isValue = false;
  let rest = text.trimStart();
  while (rest !== "") {
    const [token, quoted] = TOKEN_REGEXP.exec(rest);
    if (token.startsWith("#") && !isValue) {
      rest = rest.replace(/^.*/, "").trimStart();
      continue;
    }
    if (token === "macdef" && !isValue) {
      rest = rest.replace(MACRO_REGEXP, "").trimStart();
      continue;
    }
    words.push(quoted?.replace(/\\(.)/g, "$1") ?? token);
    isValue = !isValue && token !== "default";
    rest = rest.slice(token.length).trimStart();
  }
  return words;
}
async function readNetrc(netrc, host, user) {
  if (netrc !== true) {
    return parseNetrc(await readFile(netrc), host, user);
  }
  const path = join(nodeModule("node:os").homedir(), ".netrc");
  try {
    const { mode } = await Deno.stat(path);
    if (mode !== null && (mode & 63) !== 0) {
      throw new Deno.errors.PermissionDenied(`Cannot use ${quote(path)}: others may read or write it, run "chmod 600" on it`);
    }
    return parseNetrc(await Deno.readTextFile(path), host, user);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return void 0;
    throw error;
  }
}
async function readFile(netrc) {
  try {
    return await Deno.readTextFile(netrc);
  } catch (error) {
    throw withMessage(error, (message) => `Cannot read ${quote(String(netrc))}: ${message}`);
  }
}

// lib/client/connect.ts
var CONNECT_OPTIONS = {
  ...FTP_OPTIONS,
  ...LOGIN_OPTIONS,
  retry: true,
  signal: true
};
async function connect2(url, options = {}) {
  checkNames("connect", options, CONNECT_OPTIONS);
  const target = parseTarget(url);
  const { port, user, password, account, netrc, retry, signal, ...rest } = options;
  checkRetry(retry);
  const tls = chooseTLS(target.tls, options.tls);
  checkNetrc(netrc);
  const makeClient = () => new FTP({
    ...rest,
    tls
  });
  const encoding = makeEncoding(makeClient().encoding);
  checkAddress(target.host, target.port ?? port ?? 21);
  checkTexts(target, encoding);
  checkTexts({
    user,
    password,
    account
  }, encoding);
  const credentials = await findCredentials(target, {
    user,
    password,
    account,
    netrc
  });
  checkTexts(credentials, encoding);
  let isGreeted = false;
  const mayRetry = (error) => hasTooManyConnections(error) || !isGreeted && isFailedConnection(error);
  const waits = retry || {
    attempts: 0
  };
  return await retryConnecting(waits, {
    signal,
    mayRetry
  }, async () => {
    const ftp = makeClient();
    isGreeted = false;
    try {
      await ftp.connect(target.host, target.port ?? port, {
        signal
      });
      isGreeted = true;
      await logIn2(ftp, credentials, {
        signal
      });
      if (target.directory !== "") {
        await enter2(ftp, target.directory, {
          signal
        });
      }
      return ftp;
    } catch (error) {
      ftp.close();
      throw error;
    }
  });
}
function checkTexts(texts, encoding) {
  const { user, password, account, directory } = texts;
  const commands2 = [
    {
      verb: "USER",
      argument: user ?? "",
      name: "user"
    },
    {
      verb: "PASS",
      argument: password ?? "",
      name: "password"
    },
    {
      verb: "ACCT",
      argument: account ?? "",
      name: "account"
    },
    {
      verb: "CWD",
      argument: directory ?? "",
      name: "path of the URL"
    }
  ];
  for (const command of commands2) encodeCommand(command, encoding);
}
function checkNetrc(netrc) {
  const isNetrc = netrc === void 0 || typeof netrc === "boolean" || netrc instanceof URL || typeof netrc === "string";
  if (!isNetrc) {
    throw new TypeError(`Cannot use ${showValue(netrc)} as "netrc": it must be a path, a file: URL, true or false`);
  }
  if (typeof netrc !== "boolean" && netrc !== void 0) {
    checkLocalPath(netrc, "netrc");
  }
}
function chooseTLS(scheme, option) {
  const isObject2 = typeof option === "object" && option !== null;
  const mode = isObject2 ? option.mode : option;
  if (scheme === void 0) return option;
  if (TLS_MODES.includes(mode ?? scheme) && (mode ?? scheme) !== scheme) {
    throw new TypeError(`Cannot use tls "${mode}" with a URL for ${scheme} TLS: ftpes: is explicit, ftps: is implicit`);
  }
  return isObject2 ? {
    ...option,
    mode: mode ?? scheme
  } : option ?? scheme;
}
async function findCredentials(target, options) {
  const { account, netrc } = options;
  const user = target.user ?? options.user;
  const password = target.password ?? options.password;
  if (password !== void 0 || !netrc) return {
    user,
    password,
    account
  };
  const entry = await readNetrc(netrc, target.host, user);
  const login = user ?? entry?.login;
  return {
    user: login,
    // .netrc has no password for anonymous users
    password: login === void 0 ? void 0 : entry?.password,
    account: account ?? entry?.account
  };
}
async function enter2(ftp, directory, options) {
  try {
    await ftp.cwd(directory, options);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw withMessage(error, (message) => withAdvice(`Cannot open ${quote(directory)}, the path of the URL: ${message}`, "it must be a directory; pass the path of a file to download()"));
  }
}
async function logIn2(ftp, { user, password, account }, options) {
  try {
    await ftp.login(user, password, account, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    const isMissing = password === void 0 && error instanceof FTPPermanentError && error.command?.startsWith("PASS");
    const advice = isMissing ? "no password was given in the URL, in the options or in .netrc" : "";
    const where = `${showAddress(ftp.host, ftp.port)} as ${quote(maskCommand(`USER ${user ?? "anonymous"}`).slice(5))}`;
    throw withMessage(error, (message) => withAdvice(`Cannot log in to ${where}: ${message}`, advice));
  }
}
var TLS_OF_SCHEME = {
  "ftp:": void 0,
  "ftpes:": "explicit",
  "ftps:": "implicit"
};
var HOST_REGEXP2 = /^([^:[\]]+|\[.*\]):(\d{1,5})$/;
var PATH_REGEXP = /(?<=^\w+:\/\/[^/\\#]*)\/.*$/s;
var PORT_21_REGEXP = /^\w+:\/\/[^/\\#]*:0*21(?=[/\\#]|$)/;
function parseTarget(url) {
  const text = String(url);
  if (!text.includes("://")) {
    const [, host, digits] = HOST_REGEXP2.exec(text) ?? [];
    const port = Number(digits) <= 65535 ? digits : void 0;
    return {
      host: (port === void 0 ? text : host).replace(/^\[(.*)\]$/, "$1"),
      port: port === void 0 ? void 0 : Number(port),
      user: void 0,
      password: void 0,
      directory: "",
      tls: void 0
    };
  }
  const scheme = /^\w+:/.exec(text)?.[0].toLowerCase() ?? "";
  if (!(scheme in TLS_OF_SCHEME)) {
    throw new TypeError(`Cannot connect to a URL of the scheme "${scheme}": use ftp:, ftpes: or ftps:`);
  }
  const plain = text.trim().replace(/^\w+:/, "ftp:").replaceAll("?", "%3F").replace(PATH_REGEXP, (path) => path.replaceAll("\\", "%5C"));
  const parsed = URL.parse(plain);
  if (parsed === null) {
    throw new TypeError("Cannot connect: the URL cannot be read");
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: PORT_21_REGEXP.test(plain) ? 21 : parsed.port === "" ? void 0 : Number(parsed.port),
    user: parsed.username === "" ? void 0 : decodeEscapes(parsed.username),
    password: parsed.password === "" ? void 0 : decodeEscapes(parsed.password),
    directory: decodeEscapes(withoutTrailingSlashes(parsed.pathname.slice(1).replace(/;type=[aid]$/i, ""))),
    tls: TLS_OF_SCHEME[scheme]
  };
}
var UTF8 = makeEncoding("utf-8");
function decodeEscapes(text) {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => UTF8.decode(Uint8Array.fromHex(escapes.replaceAll("%", ""))));
}

// lib/doctor/addresses.ts
init_node_module();

// lib/doctor/examination.ts
init_printable();
var TIMEOUT2 = 1e4;
var Examination = class {
  url;
  target;
  options;
  examine;
  steps = [];
  problems = [];
  /** Options to advise. */
  advised = {};
  canList = false;
  isSecured = false;
  constructor(url, options) {
    const { write: write2, maxConnections, onStep, ...rest } = options;
    this.examine = {
      write: write2,
      maxConnections,
      onStep
    };
    this.target = parseTarget(url);
    const { host, port = 21 } = this.target;
    checkAddress(host, port);
    this.url = /^\s*\w+:\/\/[^/\\#]*/.exec(url)?.[0].trim() ?? url;
    this.options = {
      timeout: TIMEOUT2,
      retry: {
        attempts: 2
      },
      ...rest
    };
    const { port: _, user, password, account, netrc, retry, signal, ...own } = this.options;
    void [
      user,
      password,
      account,
      netrc,
      retry,
      signal
    ];
    new FTP(own);
  }
  step(name, outcome, text, facts = {}) {
    this.options.signal?.throwIfAborted();
    const step = {
      name,
      outcome,
      text: printable(text),
      facts
    };
    this.steps.push(step);
    this.examine.onStep?.(step);
  }
  /** Adds a problem and its step. */
  problem(step, finding, facts = {}) {
    this.options.signal?.throwIfAborted();
    this.warn(step, finding);
    this.step(step, "problem", finding.text, {
      cause: finding.cause,
      ...facts
    });
  }
  warn(step, finding) {
    const isKnown = this.problems.some(({ cause, advice }) => cause === finding.cause && advice === finding.advice);
    if (isKnown) return;
    this.problems.push({
      ...finding,
      step,
      text: printable(finding.text)
    });
  }
  get port() {
    const { port, tls } = this.target;
    const isImplicit = tls === "implicit" || this.mode === "implicit";
    return port ?? this.options.port ?? (isImplicit ? 990 : 21);
  }
  /** How TLS starts; `undefined` without TLS. */
  get mode() {
    const { tls } = this.options;
    if (this.target.tls !== void 0) return this.target.tls;
    return typeof tls === "object" ? tls.mode ?? "explicit" : tls;
  }
  get passiveOption() {
    const { passive } = this.advised;
    return passive === void 0 ? {} : {
      passive
    };
  }
};

// lib/doctor/findings.ts
init_errors();
var PASSIVE_SETTINGS = "vsftpd pasv_min_port and pasv_max_port, ProFTPD PassivePorts, Pure-FTPd --passiveportrange, pyftpdlib passive_ports";
var ADDRESS_SETTINGS = "vsftpd pasv_address, ProFTPD MasqueradeAddress, Pure-FTPd --forcepassiveip, pyftpdlib masquerade_address";
function messageOf2(error) {
  return error instanceof Error ? error.message : String(error);
}
function isTimeOut(error) {
  return error instanceof Deno.errors.TimedOut;
}
function explainDial(error, where) {
  const base = {
    severity: "error",
    text: messageOf2(error)
  };
  if (error instanceof Deno.errors.ConnectionRefused) {
    return {
      ...base,
      cause: "connection-refused",
      advice: `No program listens at ${where}, or a firewall rejects the connection. Check the port (21, or 990 for implicit TLS) and whether the server is running.`,
      isFirewall: false
    };
  }
  if (isTimeOut(error)) {
    return {
      ...base,
      cause: "connection-filtered",
      advice: `Nothing answers at ${where}. A firewall drops the packets, or the host is down.`,
      isFirewall: true
    };
  }
  return {
    ...base,
    cause: "connection-failed",
    advice: "Check the address, the route to it and the permission --allow-net.",
    isFirewall: false
  };
}
var TLS_FINDINGS = {
  expired: [
    "certificate-expired",
    "Renew the certificate on the server. No password was sent."
  ],
  "not-yet-valid": [
    "certificate-expired",
    "Check the clock of this machine. If it is right, renew the certificate."
  ],
  "wrong-name": [
    "certificate-name",
    "Connect to a name in the certificate. If you are sure that it is the right server, set tls.serverName to such a name."
  ],
  "self-signed": [
    "certificate-untrusted",
    "Ask the operator for the SHA-256 of the certificate. If it is the same as here, pin it."
  ],
  "unknown-ca": [
    "certificate-untrusted",
    "Set tls.caCerts to the authority's certificate, or pin the SHA-256 that the operator confirms."
  ],
  fingerprint: [
    "certificate-untrusted",
    "The server's certificate is not the pinned one. Ask the operator whether it was renewed."
  ],
  version: [
    "tls-version",
    "The server does not support TLS 1.2 or 1.3, or not the versions that minVersion and maxVersion allow."
  ],
  "not-tls": [
    "not-tls",
    "The port does not use TLS from the first byte. Use ftpes:// (explicit TLS, port 21)."
  ]
};
function findingsWith(text) {
  return (cause, advice, isFirewall = false) => ({
    cause,
    severity: "error",
    text,
    advice,
    isFirewall
  });
}
function explainOpening(error, log) {
  const text = messageOf2(error);
  const found = findingsWith(text);
  if (error instanceof TLSError) {
    const [cause, advice] = TLS_FINDINGS[error.reason] ?? [
      "tls-failed",
      "See the message. A firewall that inspects TLS may be the cause."
    ];
    return found(cause, advice);
  }
  const reply = replyOf(error);
  if (reply === void 0) {
    if (error instanceof FTPProtocolError) {
      return found("not-ftp", "This is not an FTP server. Check the port. SSH (SFTP) and HTTP are other protocols.");
    }
    if (log.greeting === void 0) {
      return found("silent-server", "The server accepts the connection but sends no greeting. It may require TLS from the first byte (ftps://), or a firewall or load balancer accepts in its place.");
    }
    return found("connection-failed", "A firewall or the server ended the connection. See the server's log.");
  }
  return explainRefusal2(error, reply, log);
}
function explainRefusal2(error, reply, log) {
  const found = findingsWith(messageOf2(error));
  const command = error instanceof FTPError ? error.command ?? "" : "";
  if (/write?able root inside chroot/i.test(reply.text)) {
    return found("chroot-writable", "vsftpd refuses users who may write to the root of their chroot. Remove the write permission from the root and create a directory in it, or set allow_writeable_chroot=YES.");
  }
  if (hasTooManyConnections(error)) {
    return found("too-many-connections", "Close other clients, or use the option retry. Lost connections count until the server notices.");
  }
  if (/^AUTH\b/.test(command)) {
    return found("tls-refused", "The server does not support explicit TLS, or a firewall blocks it. Try ftps:// (port 990). Use ftp:// only if clear text is acceptable.");
  }
  if (/^(USER|PASS|ACCT)\b/.test(command)) {
    const wantsTLS = /\b(TLS|SSL|encrypt\w*|secure\w*|non-anonymous)\b/i.test(reply.text) && !log.hasSent("AUTH");
    if (wantsTLS) {
      return found("tls-required", "The server accepts logins over TLS only. Use ftpes://.");
    }
    return found("login-refused", "Check user and password. Special characters in a URL must be escaped (%40 for @). Some servers accept a user from certain addresses only.");
  }
  return found("connection-failed", "See the server's reply.");
}
function explainData(error, log, { how, isSecured: isSecured2 }) {
  const text = messageOf2(error);
  const found = findingsWith(text);
  if (isSecured2 && isAboutResumption(error)) {
    return found("session-resumption", "The server requires that data connections resume the TLS session of the control connection, and it was not resumed. A client certificate (tls.cert) prevents it. On the server, set require_ssl_reuse=NO (vsftpd) or TLSOptions NoSessionReuseRequired (ProFTPD).");
  }
  const reply = replyOf(error);
  if (how === "") {
    return found("data-failed", "The server cannot connect to this machine. That is usual behind NAT or a firewall, and harmless if passive mode works.", reply === void 0 || reply.code === 425);
  }
  const answer = log.replyOf(how === "EPSV" ? 229 : 227);
  if (answer === void 0) {
    if (reply !== void 0) {
      return found("passive-refused", `The server refuses ${how}. See its reply.`);
    }
    if (isTimeOut(error)) {
      return found("epsv-swallowed", `${how} gets no reply. A firewall that inspects FTP drops the command.`, true);
    }
    return found("epsv-closes", `The connection is closed after ${how}, by a firewall that inspects FTP or by a server that does not know the command.`, true);
  }
  if (log.hasOpened) {
    return found("data-failed", "The data connection opens, but the transfer fails. See the message.");
  }
  if (isTimeOut(error)) {
    return found("passive-ports-filtered", `The server's passive port does not answer: a firewall drops the packets. Open the passive ports (${PASSIVE_SETTINGS}) in all firewalls.`, true);
  }
  if (error instanceof Deno.errors.ConnectionRefused) {
    return found("passive-ports-closed", `The server listens on its passive port, but the connection is refused: a firewall rejects it, or a router (NAT) does not forward it. Open the passive ports (${PASSIVE_SETTINGS}).`, true);
  }
  return found("data-failed", "See the message.");
}
var RESUMPTION_REGEXP = /\b(re-?use|resum|TLS session)/i;
function isAboutResumption(error) {
  let next = error;
  for (let depth = 0; next instanceof Error && depth < 8; depth++) {
    if (RESUMPTION_REGEXP.test(next.message)) return true;
    next = next.cause;
  }
  return false;
}

// lib/doctor/addresses.ts
async function checkAddresses(examination) {
  const { host } = examination.target;
  const { proxy, dial: tunnel } = examination.options;
  if (proxy !== void 0 || tunnel !== void 0) {
    const resolver = proxy === void 0 ? 'the function "dial"' : "the proxy";
    examination.step("addresses", "skipped", `The name is resolved by ${resolver}.`);
    return true;
  }
  const addresses = await resolve(examination);
  if (addresses === void 0) return false;
  const { port } = examination;
  const { reached, failure: failure3 } = await dialAll(examination, addresses);
  const facts = {
    addresses,
    reached,
    port
  };
  if (reached.length === 0) {
    const where = showAddress(host, port);
    examination.problem("addresses", explainDial(failure3, where), facts);
    return false;
  }
  const lost = addresses.filter((address) => !reached.includes(address));
  examination.step("addresses", lost.length === 0 ? "ok" : "note", `${addresses.join() === host ? `${host} is an address` : `${host} resolves to ${addresses.join(", ")}`}; port ${port} answers${lost.length === 0 ? "" : `, but not at ${lost.join(", ")}`}.`, facts);
  return true;
}
async function resolve(examination) {
  const { host } = examination.target;
  try {
    const { lookup } = nodeModule("node:dns/promises");
    const found = await lookup(host, {
      all: true
    });
    return [
      ...new Set(found.map(({ address }) => address))
    ];
  } catch (error) {
    examination.problem("addresses", {
      cause: "name-not-found",
      severity: "error",
      text: `The name "${host}" cannot be resolved: ${error instanceof Error ? error.message : error}.`,
      advice: "Check the name, and the name servers of this machine.",
      isFirewall: false
    });
    return void 0;
  }
}
async function dialAll({ port, options }, addresses) {
  const { signal } = options;
  const timeout = Math.min(options.timeout || TIMEOUT2, TIMEOUT2);
  const reached = [];
  let failure3;
  for (const address of addresses) {
    try {
      (await dial(address, port, {
        timeout,
        signal
      })).close();
      reached.push(address);
    } catch (error) {
      signal?.throwIfAborted();
      failure3 = error;
    }
  }
  return {
    reached,
    failure: failure3
  };
}

// lib/doctor/capabilities.ts
var USEFUL = [
  "MLST",
  "SIZE",
  "MDTM",
  "MFMT",
  "REST",
  "EPSV",
  "UTF8"
];
async function checkFeatures(examination, { ftp }) {
  const features = await ftp.features({
    signal: examination.options.signal
  }).catch(() => /* @__PURE__ */ new Map());
  const lacking = USEFUL.filter((name) => !features.has(name));
  const hashes = [
    ...features.keys()
  ].filter((name) => /^(HASH|XCRC|XMD5|XSHA|MD5|MMD5)/.test(name));
  const { vendor } = connectionOf(ftp).session.profile;
  examination.step("features", features.size === 0 ? "note" : "ok", features.size === 0 ? "The server does not list its features (FEAT)." : `${features.size} features; ${lacking.length === 0 ? "all that the module uses" : `without ${lacking.join(", ")}`}; hashes: ${hashes.join(", ") || "none"}.`, {
    features: [
      ...features.keys()
    ],
    lacking,
    hashes,
    vendor
  });
}
async function checkDirectory(examination, { ftp }) {
  const { directory } = examination.target;
  if (directory === "") return;
  try {
    await ftp.cwd(directory, {
      signal: examination.options.signal
    });
  } catch (error) {
    if (!(error instanceof FTPError)) throw error;
    examination.warn("login", {
      cause: "directory-missing",
      severity: "error",
      text: error.message,
      advice: "The path of a URL is relative to the directory after login. For an absolute path, write two slashes: ftp://host//path.",
      isFirewall: false
    });
  }
}

// lib/doctor/code.ts
init_printable();
function finalOptions(examination) {
  const { password: _password, account: _account, trace: _trace, signal: _signal, dial: _dial, retry, timeout, proxy, ...own } = examination.options;
  const { tls } = own;
  return {
    ...own,
    ...timeout === TIMEOUT2 ? {} : {
      timeout
    },
    ...retry && retry.attempts === 2 ? {} : {
      retry
    },
    ...proxy === void 0 ? {} : {
      proxy: withoutPassword(String(proxy))
    },
    ...typeof tls === "object" && tls.key !== void 0 ? {
      tls: {
        ...tls,
        key: "..."
      }
    } : {},
    ...examination.advised,
    ...examination.target.user === void 0 ? {} : {
      user: void 0
    }
  };
}
function shownURL(examination) {
  const isMissing = examination.problems.some(({ cause }) => cause === "directory-missing");
  const directory = isMissing ? "" : examination.target.directory;
  const path = directory.split("/").map(encodeURIComponent).join("/");
  return withoutPassword(examination.url) + (path === "" ? "" : `/${path}`);
}
function codeFor(examination, options) {
  const { tls } = options;
  let url = shownURL(examination);
  let rest = options;
  if (tls === "explicit" && examination.target.tls !== "explicit") {
    url = url.replace(/^(ftps?:)?(?=\/\/)/i, "ftpes:");
    const { tls: _tls, ...others } = options;
    rest = others;
  }
  const shown = Object.entries(rest).filter(([, value]) => value !== void 0).map(([name, value]) => `  ${name}: ${formatValue(value)},
`);
  const user = examination.target.user ?? examination.options.user;
  if (user !== void 0 && user !== "anonymous") {
    shown.push('  password: Deno.env.get("FTP_PASSWORD"),\n');
  }
  const argument = shown.length === 0 ? "" : `, {
${shown.join("")}}`;
  return printable(`await using ftp = await connect(${JSON.stringify(url)}${argument});
`);
}
function formatValue(value) {
  if (typeof value === "string" && value.startsWith("-----BEGIN ")) {
    return 'await Deno.readTextFile("certificate.pem")';
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(formatValue).join(", ")}]`;
  const fields = Object.entries(value).filter(([, field]) => field !== void 0).map(([name, field]) => `${name}: ${formatValue(field)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
function withoutPassword(url) {
  return url.replace(/^(\w+:\/\/[^/:]*):[^/]*@/, "$1@");
}

// lib/doctor/connections.ts
var CONNECTIONS = 4;
async function checkConnections2(examination) {
  const { maxConnections = CONNECTIONS } = examination.examine;
  const open2 = [];
  try {
    while (open2.length < maxConnections) {
      open2.push(await connect2(examination.url, {
        ...examination.options,
        retry: false
      }));
    }
    examination.step("connections", "ok", `The server allows at least ${open2.length} connections at once.`, {
      connections: open2.length,
      isLimit: false
    });
  } catch (error) {
    examination.options.signal?.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    examination.step("connections", "note", `The server allows ${open2.length} connections at once${hasTooManyConnections(error) ? "" : ", or the next one failed"}. Set \`connections\` of mirrors to no more (${why}).`, {
      connections: open2.length,
      isLimit: hasTooManyConnections(error)
    });
  } finally {
    for (const ftp of open2) await ftp[Symbol.asyncDispose]();
  }
}

// lib/doctor/probe.ts
var SessionLog = class {
  #events = [];
  /** Adds a line of the trace. */
  note = (event) => {
    this.#events.push(event);
  };
  /** The first reply: the greeting. */
  get greeting() {
    return this.#events.find(({ direction }) => direction === "received")?.text;
  }
  /** Whether a command was sent. */
  hasSent(verb) {
    return this.#events.some(({ direction, text }) => direction === "sent" && text.split(" ", 1)[0] === verb);
  }
  /** Text of the last reply with a code. */
  replyOf(code) {
    return this.#events.findLast(({ direction, text }) => direction === "received" && text.startsWith(String(code)))?.text;
  }
  /** Whether a transfer has begun, with a 1yz reply. */
  get hasOpened() {
    return this.#events.some(({ direction, text }) => direction === "received" && /^1\d\d/.test(text));
  }
  /** The host in the last 227 reply, if it can be parsed. */
  get passiveHost() {
    const text = this.replyOf(227);
    if (text === void 0) return void 0;
    try {
      return parse227(text)[0];
    } catch {
      return void 0;
    }
  }
};
async function openProbe(url, options, log = new SessionLog()) {
  const ftp = await connect2(url, {
    ...options,
    trace: traceBoth(options, log)
  });
  return {
    ftp,
    log,
    [Symbol.asyncDispose]: () => ftp[Symbol.asyncDispose]()
  };
}
function traceBoth({ trace }, log) {
  return (event) => {
    log.note(event);
    trace?.(event);
  };
}
var MAX_BYTES2 = 256 * 1024;
async function probeData(ftp, signal) {
  const [data] = await ftp.ntransfercmd("LIST", void 0, {
    signal
  });
  let bytes2 = 0;
  const buffer2 = new Uint8Array(16 * 1024);
  try {
    while (bytes2 < MAX_BYTES2) {
      const n = await data.read(buffer2);
      if (n === null) break;
      bytes2 += n;
    }
  } finally {
    data.close();
  }
  const resumed = data.tls?.resumed;
  if (bytes2 >= MAX_BYTES2) {
    await ftp.voidresp({
      signal
    }).catch(() => {
    });
  } else await ftp.voidresp({
    signal
  });
  return {
    bytes: bytes2,
    resumed
  };
}
var PRIVATE_REGEXP = /^(0\.|10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;
function isPrivate(host) {
  return PRIVATE_REGEXP.test(host);
}

// lib/doctor/data_connections.ts
var ACTIVE_TIMEOUT = 5e3;
async function checkPassive(examination, way, first) {
  const how = way === "epsv" ? "EPSV" : "PASV";
  const [peer] = connectionOf(first.ftp).session.peer;
  if (way === "pasv" && isIPv6(peer)) {
    examination.step("pasv", "skipped", "The connection is over IPv6.");
    return false;
  }
  const log = new SessionLog();
  const told = () => way === "pasv" ? log.passiveHost : void 0;
  try {
    await using probe2 = await openProbe(examination.url, {
      ...examination.options,
      passive: way
    }, log);
    const { bytes: bytes2, resumed } = await probeData(probe2.ftp, examination.options.signal);
    const isOther = checkHost(examination, told(), peer);
    examination.step(way, isOther ? "problem" : "ok", `A listing of ${bytes2} bytes arrived through the port of ${how}.${isOther ? " The 227 reply contains another address." : ""}${resumed === void 0 ? "" : resumed ? " TLS resumed the session." : " TLS did not resume the session; this server accepts that."}`, {
      bytes: bytes2,
      resumed,
      host: told()
    });
    return true;
  } catch (error) {
    examination.options.signal?.throwIfAborted();
    const isLogin = !log.hasSent(how) && error instanceof FTPError;
    const finding = isLogin ? explainOpening(error, log) : explainData(error, log, {
      how,
      isSecured: examination.isSecured
    });
    checkHost(examination, told(), peer);
    examination.problem(way, finding, {
      host: told()
    });
    return false;
  }
}
function checkHost(examination, told, peer) {
  if (told === void 0 || isSameHost(told, peer)) return false;
  examination.warn("pasv", {
    cause: "private-address",
    severity: "warning",
    text: `The 227 reply contains the address ${told}${isPrivate(told) ? ", a private address" : ""}; the server is at ${peer}.`,
    advice: `This module connects to ${peer} in spite of it; other clients may fail. Set the server's public address (${ADDRESS_SETTINGS}).`,
    isFirewall: true
  });
  return true;
}
async function checkActive2(examination, isPassive2) {
  const { proxy, dial: dial2, timeout = TIMEOUT2 } = examination.options;
  if (proxy !== void 0 || dial2 !== void 0) {
    examination.step("active", "skipped", "Active mode is not possible through a proxy or a tunnel.");
    return false;
  }
  const log = new SessionLog();
  try {
    await using probe2 = await openProbe(examination.url, {
      ...examination.options,
      timeout: Math.min(timeout || ACTIVE_TIMEOUT, ACTIVE_TIMEOUT),
      passive: false
    }, log);
    const { bytes: bytes2 } = await probeData(probe2.ftp, examination.options.signal);
    const how = log.hasSent("EPRT") ? "EPRT" : "PORT";
    examination.step("active", "ok", `The server connected to this machine (${how}) and sent ${bytes2} bytes.`, {
      bytes: bytes2,
      how
    });
    return true;
  } catch (error) {
    examination.options.signal?.throwIfAborted();
    const finding = explainData(error, log, {
      how: "",
      isSecured: examination.isSecured
    });
    if (!isPassive2) examination.problem("active", finding);
    else {
      examination.step("active", "note", `Active mode does not work, but is not needed: ${finding.text}`);
    }
    return false;
  }
}
async function connected(examination, step, work) {
  const log = new SessionLog();
  try {
    await using probe2 = await openProbe(examination.url, {
      ...examination.options,
      ...examination.passiveOption
    }, log);
    const { directory } = examination.target;
    const { signal } = examination.options;
    if (directory !== "") {
      await probe2.ftp.cwd(directory, {
        signal
      }).catch(() => {
      });
    }
    await work(probe2);
  } catch (error) {
    examination.options.signal?.throwIfAborted();
    const finding = explainData(error, log, {
      how: "PASV",
      isSecured: examination.isSecured
    });
    examination.problem(step, {
      ...finding,
      cause: "data-failed"
    });
  }
}

// lib/doctor/listing.ts
init_printable();

// lib/doctor/clock.ts
var CLOCK_TOLERANCE = 5 * 6e4;
async function checkClock(examination, ftp, entries) {
  const { clock, vendor } = connectionOf(ftp).session.profile;
  const proven = clock.zoneOf("MDTM");
  const { ahead, difference } = await compareTimes(examination, ftp, entries);
  const facts = {
    zone: proven,
    listAhead: difference,
    vendor
  };
  if (examination.options.serverZone !== void 0) {
    examination.step("clock", "ok", `The option serverZone is UTC${formatZone(proven ?? 0)}; it was not proven.`, facts);
    return;
  }
  if (ahead > CLOCK_TOLERANCE && proven === void 0) {
    const least = Math.ceil(ahead / 9e5) * 15;
    examination.problem("clock", {
      cause: "zone",
      severity: "warning",
      text: `A file is ${formatMinutes(Math.round(ahead / 6e4))} in the future if the server's times are in UTC. They are local times, in a zone at least ${formatMinutes(least)} east of UTC, or the server's clock is wrong.`,
      advice: "Run this with `write` to prove the zone, or set serverZone. On the server, set use_localtime=NO (vsftpd) or use_gmt_times=True (pyftpdlib).",
      isFirewall: false
    }, facts);
    return;
  }
  const list = difference === void 0 || Math.abs(difference) < 5 ? "" : ` Times in LIST are ${formatMinutes(Math.abs(difference))} ${difference < 0 ? "behind" : "ahead of"} those of MDTM; the module corrects that.`;
  examination.step("clock", proven === void 0 ? "note" : "ok", proven === void 0 ? `The server's times are assumed to be in UTC, without proof: only an upload shows it (\`write\`).${list}` : `The server's times are in UTC${formatZone(proven)}${vendor === void 0 || proven !== 0 ? "" : `, as always with ${vendor}`}.${list}`, facts);
}
async function compareTimes({ options: { signal } }, ftp, entries) {
  const now = Date.now();
  const file = entries.find((entry) => entry.isFile && !entry.hostile && entry.mtime !== void 0);
  const mdtm = file === void 0 ? null : await ftp.mtime(file.rawName, {
    signal
  }).catch(() => null);
  const latest = Math.max(-Infinity, ...entries.map(({ mtime }) => mtime?.getTime() ?? -Infinity), mdtm?.getTime() ?? -Infinity);
  const difference = mdtm === null || file?.mtime === void 0 ? void 0 : Math.round((file.mtime.getTime() - mdtm.getTime()) / 6e4);
  return {
    ahead: latest - now,
    difference
  };
}
function formatZone(minutes) {
  if (minutes === 0) return "";
  return `${minutes < 0 ? "-" : "+"}${formatClock(Math.abs(minutes))}`;
}
function formatClock(minutes) {
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}
function formatMinutes(minutes) {
  const hours = Math.floor(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  const parts = [
    ...hours > 0 ? [
      `${hours} ${hours === 1 ? "hour" : "hours"}`
    ] : [],
    ...rest > 0 || hours === 0 ? [
      `${rest} ${rest === 1 ? "minute" : "minutes"}`
    ] : []
  ];
  return `${minutes < 0 ? "-" : ""}${parts.join(" ")}`;
}

// lib/doctor/listing.ts
var MAX_ENTRIES2 = 1e3;
async function checkListing(examination, { ftp, log }) {
  const { entries, isWhole } = await readEntries(examination, ftp);
  const command = log.hasSent("MLSD") && log.hasSent("LIST") ? "LIST, because MLSD does not work" : log.hasSent("MLSD") ? "MLSD" : "LIST";
  const formats = [
    ...new Set(entries.map(({ format }) => format))
  ];
  const unknown = entries.filter(({ kind }) => kind === "unknown");
  const foreign = entries.filter(({ name }) => !name.isWellFormed());
  const facts = {
    command,
    formats,
    entries: entries.length,
    unknown: unknown.length,
    foreign: foreign.length
  };
  examination.canList = true;
  const isBad = unknown.length > 0 || foreign.length > 0;
  examination.step("listing", isBad ? "problem" : "ok", `${isWhole ? "" : "More than "}${entries.length} ${entries.length === 1 ? "entry" : "entries"} by ${command}${formats.length === 0 ? "" : `, format ${formats.map((format) => `"${format}"`).join(" and ")}`}.`, facts);
  if (unknown.length > 0) {
    examination.warn("listing", {
      cause: "listing-unreadable",
      severity: "error",
      text: `${unknown.length} lines could not be parsed, such as ${quote(unknown[0].line)}.`,
      advice: "Please report this line. nlst() returns the names.",
      isFirewall: false
    });
  }
  if (foreign.length > 0) adviseEncoding(examination, ftp, foreign);
  await checkClock(examination, ftp, entries);
  await checkRestart(examination, ftp, entries);
}
async function readEntries({ options: { signal } }, ftp) {
  const entries = [];
  for await (const entry of ftp.list("", {
    signal
  })) {
    if (entries.length >= MAX_ENTRIES2) return {
      entries,
      isWhole: false
    };
    entries.push(entry);
  }
  return {
    entries,
    isWhole: true
  };
}
function adviseEncoding(examination, { encoding: current }, foreign) {
  const isWindows = foreign.some(({ rawName }) => rawName.some((byte) => byte >= 128 && byte < 160));
  const encoding = isWindows ? "windows-1252" : "latin-1";
  examination.advised.encoding = encoding;
  examination.warn("listing", {
    cause: "encoding",
    severity: "warning",
    text: `${foreign.length} names are not valid in ${current}, such as ${quote(foreign[0].name)}.`,
    advice: `Set the server's encoding; "${encoding}" is a guess. The names can be used without it.`,
    isFirewall: false
  });
}
var MAX_TRIED = 3;
async function checkRestart(examination, ftp, entries) {
  const { signal } = examination.options;
  try {
    await ftp.voidcmd("TYPE I", {
      signal
    });
    await ftp.sendcmd("REST 1", {
      signal
    });
    await ftp.sendcmd("REST 0", {
      signal
    });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    examination.step("restart", "note", `The server refuses REST, so interrupted downloads start over (${withoutPeriod(error.reply.text)}).`);
    return;
  }
  const proof = await startsWithin(ftp, entries, {
    signal
  });
  const [outcome, text] = RESTARTS[proof];
  examination.step("restart", outcome, text, {
    entries: entries.length,
    proof
  });
}
var RESTARTS = {
  proven: [
    "ok",
    "Transfers can start within a file (REST), so interrupted ones are resumed."
  ],
  ignored: [
    "note",
    "The server accepts REST, but sends the whole file, so interrupted downloads start over."
  ],
  unproven: [
    "note",
    "The server accepts REST; nothing here proves that it starts there, because the directory has no readable file of a known size."
  ]
};
async function startsWithin(ftp, entries, options) {
  const { session } = connectionOf(ftp);
  const files = entries.filter(({ isFile, size, name }) => isFile && (size ?? 0) > 1 && name.isWellFormed());
  for (const { name } of files.slice(0, MAX_TRIED)) {
    try {
      await proveRestart(session, name, 1, options);
      if (session.profile.startsAt(1)) return "proven";
    } catch (error) {
      if (error instanceof Deno.errors.NotSupported) return "ignored";
      if (!isRefusal(error)) throw error;
    }
  }
  return "unproven";
}

// lib/doctor/opening.ts
init_printable();
init_errors();

// lib/doctor/security.ts
init_errors();
var EXPIRY_WARNING_DAYS = 14;
var DAY2 = 864e5;
async function peek(examination, version) {
  const { timeout, proxy, dial: dial2, signal } = examination.options;
  const ftp = new FTP({
    timeout,
    proxy,
    dial: dial2,
    tls: {
      mode: examination.mode ?? "explicit",
      dangerouslyAcceptAnyCertificate: true,
      ...version === void 0 ? {} : {
        minVersion: version,
        maxVersion: version
      }
    }
  });
  try {
    await ftp.connect(examination.target.host, examination.port, {
      signal
    });
    if (examination.mode !== "implicit") await ftp.auth({
      signal
    });
    return ftp.tls;
  } catch {
    signal?.throwIfAborted();
    return void 0;
  } finally {
    ftp.close();
  }
}
async function reportDistrust(examination, finding, error) {
  const isSeen = /^certificate/.test(finding.cause);
  const info = isSeen ? await peek(examination) : void 0;
  const about = info === void 0 ? "" : ` ${describe(info)}`;
  examination.problem("tls", {
    ...finding,
    text: `${finding.text}.${about}`
  }, {
    reason: error instanceof TLSError ? error.reason : void 0,
    ...factsOf(info)
  });
  if (finding.cause === "certificate-untrusted" && info !== void 0) {
    adviseTLS(examination, {
      fingerprint: info.fingerprint
    });
  }
  if (finding.cause === "not-tls") examination.advised.tls = "explicit";
}
async function reportSecured(examination, info) {
  const versions = [];
  for (const version of [
    "TLSv1.2",
    "TLSv1.3"
  ]) {
    if (await peek(examination, version) !== void 0) versions.push(version);
  }
  if (info === void 0) {
    examination.step("tls", "note", "The control connection is in clear text again (CCC).");
    return;
  }
  const left = (info.peerCertificate.validTo.getTime() - Date.now()) / DAY2;
  const isSoon = left < EXPIRY_WARNING_DAYS;
  examination.step("tls", isSoon ? "note" : "ok", `${info.protocol} is used; the server supports ${versions.join(" and ") || info.protocol}. ${describe(info)}${isSoon ? ` It expires in ${Math.floor(left)} days.` : ""}`, {
    ...factsOf(info),
    versions
  });
}
async function checkOfferedTLS(examination) {
  const info = await peek(examination);
  if (info === void 0) {
    examination.warn("tls", {
      cause: "clear-text",
      severity: "warning",
      text: "The server does not support TLS. Others on the network can read password and files.",
      advice: "If the server also offers SFTP or HTTPS, prefer it.",
      isFirewall: false
    });
    examination.step("tls", "note", "The server refuses AUTH TLS.");
    return;
  }
  const trusts = await isTrusted(examination);
  examination.warn("tls", {
    cause: "clear-text",
    severity: "warning",
    text: "The URL is without TLS, although the server supports it. Others on the network can read password and files.",
    advice: trusts ? "Use ftpes://, or the option tls." : "Use ftpes://, and pin the certificate's fingerprint if the operator confirms it.",
    isFirewall: false
  });
  examination.step("tls", "note", `The URL is without TLS; the server supports ${info.protocol}. ${describe(info)}`, factsOf(info));
  examination.advised.tls = trusts ? "explicit" : {
    fingerprint: info.fingerprint
  };
}
async function isTrusted(examination) {
  const { timeout, proxy, dial: dial2, signal } = examination.options;
  const ftp = new FTP({
    timeout,
    proxy,
    dial: dial2,
    tls: "explicit"
  });
  try {
    await ftp.connect(examination.target.host, examination.port, {
      signal
    });
    await ftp.auth({
      signal
    });
    return true;
  } catch {
    return false;
  } finally {
    ftp.close();
  }
}
function adviseTLS(examination, more) {
  const { tls } = examination.options;
  const own = typeof tls === "object" ? tls : {};
  examination.advised.tls = {
    ...own,
    ...more
  };
}
function describe({ peerCertificate, fingerprint }) {
  const { names, validFrom, validTo, issuer } = peerCertificate;
  const day = (date) => date.toISOString().slice(0, 10);
  return `The certificate is for ${names.join(", ") || "no name"}, by ${issuer}, valid from ${day(validFrom)} to ${day(validTo)}; SHA-256 ${fingerprint}.`;
}
function factsOf(info) {
  if (info === void 0) return {};
  const { protocol, cipher, fingerprint, peerCertificate } = info;
  const { subject, issuer, names, validFrom, validTo } = peerCertificate;
  return {
    protocol,
    cipher,
    fingerprint,
    subject,
    issuer,
    names,
    validFrom,
    validTo
  };
}

// lib/doctor/opening.ts
async function openSession2(examination) {
  const log = new SessionLog();
  let probe2;
  let error;
  try {
    probe2 = await openProbe(examination.url, examination.options, log);
  } catch (failure3) {
    examination.options.signal?.throwIfAborted();
    error = failure3;
  }
  const finding = probe2 === void 0 ? explainOpening(error, log) : void 0;
  const hasGreeting = log.greeting !== void 0;
  const vendor = probe2 === void 0 ? void 0 : connectionOf(probe2.ftp).session.profile.vendor;
  if (hasGreeting) {
    const said = printableLine(lineOf(log.greeting));
    examination.step("greeting", "ok", `"${said}"${vendor === void 0 ? "" : `: ${vendor}`}.`, {
      greeting: log.greeting,
      vendor
    });
  } else if (finding !== void 0 && !(error instanceof TLSError)) {
    examination.problem("greeting", finding);
    return void 0;
  }
  const info = probe2?.ftp.tls;
  examination.isSecured = info !== void 0;
  if (error instanceof TLSError || finding?.cause === "tls-refused") {
    await reportDistrust(examination, finding, error);
    return void 0;
  }
  if (examination.mode !== void 0 && (info !== void 0 || log.hasSent("USER"))) {
    await reportSecured(examination, info);
  }
  if (examination.mode === void 0) await checkOfferedTLS(examination);
  if (finding !== void 0) {
    examination.problem("login", finding);
    if (finding.cause === "tls-required") examination.advised.tls = "explicit";
    return void 0;
  }
  examination.step("login", "ok", "Logged in.");
  return probe2;
}
function lineOf(greeting) {
  const lines = greeting.split("\n");
  return lines.find((line) => /[a-z]{3}/i.test(line)) ?? lines[0];
}

// lib/doctor/write.ts
init_printable();
async function checkWrite(examination, { ftp }, folder) {
  const { signal } = examination.options;
  const mark = crypto.randomUUID().slice(0, 8);
  const name = `ftp-doctor-${mark}.txt`;
  const path = joinPath(withoutTrailingSlashes(folder), name);
  const { clock } = connectionOf(ftp).session.profile;
  let done;
  try {
    done = await uploadTestFile(examination, ftp, path);
  } catch (error) {
    if (!(error instanceof FTPError)) throw error;
    await reportRefusedWrite(examination, ftp, folder, error);
    await removeTestFile(examination, ftp, path);
    return;
  }
  if (!await removeTestFile(examination, ftp, path)) return;
  if (clock.zoneOf("MDTM") === void 0) {
    const { session } = connectionOf(ftp);
    await proveClock(session, folder, {
      signal
    }).catch((error) => {
      if (!(error instanceof FTPError)) throw error;
    });
  }
  examination.step("write", "ok", `In ${quote(folder)} ${done.join(", ")}, and the file was removed.`);
  const zone = clock.zoneOf("MDTM");
  if (zone === void 0 || !clock.isProven("MDTM")) return;
  reportZone(examination, zone);
}
async function uploadTestFile({ options: { signal } }, ftp, path) {
  const content = new TextEncoder().encode("A test of diagnose()\n");
  const { verified } = await ftp.upload(content, path, {
    signal
  });
  const done = [
    `an upload of ${content.length} bytes was ${verified === null ? "confirmed" : `verified by ${verified}`}`,
    "the file was renamed"
  ];
  try {
    await ftp.setMtime(path, /* @__PURE__ */ new Date(), {
      signal
    });
    done.push("its time was set");
  } catch (error) {
    if (!(error instanceof FTPError)) throw error;
    done.push("the server cannot set times");
  }
  return done;
}
function reportZone(examination, zone) {
  if (zone === 0) {
    examination.step("clock", "ok", "The upload proves that MDTM is in UTC.", {
      zone
    });
    return;
  }
  examination.advised.serverZone = zone;
  const suspected = examination.problems.findIndex(({ cause }) => cause === "zone");
  if (suspected >= 0) examination.problems.splice(suspected, 1);
  examination.problem("clock", {
    cause: "zone",
    severity: "warning",
    text: `The upload proves that the server's times are in local time, UTC${formatZone(zone)}; RFC 3659 requires UTC.`,
    advice: `Uploads detect it. For downloads set serverZone: ${zone}, and change it with summer time. On the server, set use_localtime=NO (vsftpd) or use_gmt_times=True (pyftpdlib).`,
    isFirewall: false
  }, {
    zone
  });
}
async function reportRefusedWrite(examination, ftp, folder, error) {
  const { signal } = examination.options;
  const current = await ftp.pwd({
    signal
  }).catch(() => "");
  const isMissing = !await ftp.exists(folder, {
    signal
  }).catch(() => true);
  const isRoot = /^\/?$/.test(folder.replace(/^\.$/, "")) && current === "/";
  examination.problem("write", {
    cause: "write-refused",
    severity: "error",
    text: error.message,
    advice: isMissing ? "The directory for the test upload (`write`) does not exist. Name an existing one, relative to that of the URL or absolute." : isRoot || folder === "/" ? "The user may not write to the root of its directory (chroot), which many servers require. Use a directory below it that the user owns." : "The user may not write to this directory. Check its owner and permissions, and settings of the server such as write_enable (vsftpd) or Limit WRITE (ProFTPD).",
    isFirewall: false
  });
}
async function removeTestFile(examination, ftp, path) {
  const { signal } = examination.options;
  try {
    if (await ftp.exists(path, {
      signal
    })) {
      await ftp.remove(path, {
        signal
      });
    }
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    examination.problem("write", {
      cause: "leftover",
      severity: "error",
      text: `The test file ${quote(path)} may still exist: ${error instanceof Error ? error.message : error}.`,
      advice: "Remove it by hand.",
      isFirewall: false
    });
    return false;
  }
}

// lib/doctor/diagnose.ts
async function diagnose(url, options = {}) {
  return await run(new Examination(String(url), options));
}
async function run(examination) {
  if (await checkAddresses(examination)) {
    const probe2 = await openSession2(examination);
    if (probe2 !== void 0) await examineSession(examination, probe2);
  }
  examination.options.signal?.throwIfAborted();
  const options = finalOptions(examination);
  return {
    url: shownURL(examination),
    isUsable: examination.canList,
    steps: examination.steps,
    problems: examination.problems,
    options,
    code: codeFor(examination, options)
  };
}
async function examineSession(examination, probe2) {
  {
    await using _closed = probe2;
    await checkFeatures(examination, probe2);
    await checkDirectory(examination, probe2);
  }
  const epsv = await checkPassive(examination, "epsv", probe2);
  const pasv = await checkPassive(examination, "pasv", probe2);
  const isPassive2 = epsv || pasv;
  if (!epsv && pasv) examination.advised.passive = "pasv";
  const active = await checkActive2(examination, isPassive2);
  if (!isPassive2 && active) examination.advised.passive = false;
  if (!isPassive2 && !active) return;
  await connected(examination, "listing", (probe3) => checkListing(examination, probe3));
  await checkConnections2(examination);
  const { write: write2 } = examination.examine;
  if (write2 !== void 0) {
    await connected(examination, "write", (probe3) => checkWrite(examination, probe3, write2));
  }
}

// lib/client/ftpcp.ts
init_check_word();
async function ftpcp(source, sourceName, target, targetName = sourceName, type = "I", options = {}) {
  for (const client of [
    source,
    target
  ]) {
    if (client instanceof FTPProtocol) continue;
    throw new TypeError("Cannot copy between servers: an argument is not an FTP of this copy of the module; import FTP and ftpcp from the same URL");
  }
  const from = connectionOf(source).session;
  const to = connectionOf(target).session;
  if (from === to) {
    throw new TypeError("Cannot copy between servers: source and target are the same client; clone() opens another connection to the same server");
  }
  checkWord("type", type, [
    "A",
    "I"
  ]);
  checkPath2(from, sourceName, "sourceName");
  const name = targetName === "" ? sourceName : targetName;
  checkPath2(to, name, "targetName");
  await exclusiveOnBoth([
    from,
    to
  ], options, ([from2, to2]) => copy2({
    turn: from2,
    name: sourceName
  }, {
    turn: to2,
    name
  }, type, options));
}
async function exclusiveOnBoth(sessions, options, run2) {
  const done = Promise.withResolvers();
  const turns = sessions.map((session) => {
    const { promise, resolve: resolve2, reject } = Promise.withResolvers();
    const hold = (turn) => {
      resolve2(turn);
      return done.promise;
    };
    session.exclusive(hold, options).catch(reject);
    return promise;
  });
  try {
    return await run2(await Promise.all(turns));
  } finally {
    done.resolve();
  }
}
async function copy2(source, target, type, options) {
  const { turn: { session: from } } = source;
  const { turn: { session: to } } = target;
  const isProtected2 = [
    from,
    to
  ].some((session) => session.protection !== void 0 || !session.isClearDataAllowed);
  if (isProtected2) {
    throw new TypeError("Cannot copy between servers while data connections are protected: call protC() on both first");
  }
  checkAddressKnown(from);
  await Promise.all([
    source.turn.ensureType(type, options),
    target.turn.ensureType(type, options)
  ]);
  for (const { turn } of [
    source,
    target
  ]) {
    if (!isCompressed(turn.session)) continue;
    await turn.perform({
      verb: "MODE",
      argument: "S"
    }, options);
  }
  const [host, port] = await requestPassive(source.turn, options);
  const announcement = isIPv6(host) ? {
    verb: "EPRT",
    argument: formatEprt(host, port)
  } : {
    verb: "PORT",
    argument: formatPort(host, port)
  };
  await target.turn.perform(announcement, options);
  try {
    await open(target, "STOR", "targetName", options);
    await open(source, "RETR", "sourceName", options);
    await Promise.all([
      complete(to, options),
      complete(from, options)
    ]);
  } catch (error) {
    await abortOpen(from, {
      isAsked: true
    });
    await requestPassive(source.turn, options).catch(() => {
    });
    await abortOpen(to, {
      isAsked: true
    });
    throw error;
  }
}
function checkAddressKnown({ peer: [host], options }) {
  const { via } = options.route;
  const isKnown = options.trustPasvHost || addressBytes(host) !== void 0;
  if (via === void 0 || isKnown) return;
  throw new TypeError(`Cannot copy from "${host}": with "${via}" its address is not known, which the other server needs; connect to the source by its address, or set "trustPasvHost"`);
}
async function open({ turn, name: path }, verb, name, options) {
  const command = {
    verb,
    argument: path,
    name
  };
  const reply = await turn.exchange(command, options);
  if (reply.code < 200) return;
  throw new FTPReplyError(`Cannot open "${verb}": expected code 125 or 150, got ${reply.text}`, {
    reply,
    command: verb
  });
}
async function complete(session, options) {
  const { reply, command } = await session.nextReply(options);
  return expectSuccess(reply, command);
}

// lib/files/progress_bar.ts
init_printable();
var COLUMNS = 80;
var LEAST_BAR = 5;
function progressBar(options = {}) {
  const { label = "", isTerminal = Deno.stderr.isTerminal(), write: write2 = writeToTerminal } = options;
  if (!isTerminal) return () => {
  };
  return (progress) => {
    const columns = options.columns ?? terminalColumns();
    const line = formatProgress(progress, printableLine(label), columns);
    write2(`\r${line}\x1B[K${progress.done ? "\n" : ""}`);
  };
}
function formatProgress(progress, label, columns) {
  const { transferred, total, rate, eta } = progress;
  const figures = [
    total === null ? formatBytes(transferred) : `${formatBytes(transferred)}/${formatBytes(total)}`,
    `${formatBytes(rate)}/s`,
    ...eta === null || progress.done ? [] : [
      formatTime2(eta)
    ]
  ].join("  ");
  const head = label === "" ? "" : `${label}  `;
  if (total === null) return `${head}${figures}`.slice(0, columns - 1);
  const part = total === 0 ? 1 : Math.min(1, transferred / total);
  const percent = `${Math.floor(part * 100)}%`.padStart(4);
  const room = columns - 1 - head.length - figures.length - 9;
  if (room < LEAST_BAR) {
    return `${head}${percent}  ${figures}`.slice(0, columns - 1);
  }
  const filled = Math.round(room * part);
  const bar = "#".repeat(filled) + ".".repeat(room - filled);
  return `${head}[${bar}] ${percent}  ${figures}`;
}
function formatBytes(bytes2) {
  const units = [
    "B",
    "kB",
    "MB",
    "GB",
    "TB"
  ];
  let value = bytes2;
  let unit = 0;
  while (value >= 1e3 && unit < units.length - 1) {
    value /= 1e3;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
function formatTime2(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1e3);
  const parts = [
    Math.floor(seconds / 3600),
    Math.floor(seconds / 60) % 60,
    seconds % 60
  ];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => index === 0 ? `${part}` : `${part}`.padStart(2, "0")).join(":");
}
function terminalColumns() {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return COLUMNS;
  }
}
function writeToTerminal(text) {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

// mod.ts
init_printable();
init_errors();
export {
  DataConnection,
  Entry,
  FTP,
  FTPError,
  FTPMirrorError,
  FTPPermanentError,
  FTPProtocol,
  FTPProtocolError,
  FTPReplyError,
  FTPTemporaryError,
  FTPUnconfirmedError,
  FTPVerificationError,
  PartialListingError,
  RemoteFile,
  Reply,
  TLSError,
  WalkEntry,
  connect2 as connect,
  diagnose,
  ftpcp,
  parse150,
  parse227,
  parse229,
  parse257,
  printable,
  progressBar
};
