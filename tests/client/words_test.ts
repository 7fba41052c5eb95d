import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { connect, FTP, type FTPOptions } from "../../mod.ts";
import { checkWord } from "../../lib/protocol/check_word.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";

/** Invalid options in plain JavaScript, and their errors. */
const SETTINGS: [options: Record<string, unknown>, message: string][] = [
  [
    { tls: "explicitly" },
    'tls "explicitly": it must be "explicit", "implicit", an object or left out',
  ],
  [
    { tls: false },
    'tls false: it must be "explicit", "implicit", an object or left out',
  ],
  [
    { tls: null },
    'tls null: it must be "explicit", "implicit", an object or left out',
  ],
  [
    { tls: { mode: "auto" } },
    'tls.mode "auto": it must be "explicit" or "implicit"',
  ],
  [
    { tls: { minVersion: "1.2" } },
    'tls.minVersion "1.2": it must be "TLSv1.2" or "TLSv1.3"',
  ],
  [
    { tls: { maxVersion: 1.3 } },
    'tls.maxVersion 1.3: it must be "TLSv1.2" or "TLSv1.3"',
  ],
  [
    { multiline: "lax" },
    'multiline "lax": it must be "strict" or "lenient"',
  ],
  [{ TLS: "explicit" }, 'Unknown option "TLS" of '],
  [{ secure: true }, 'Unknown option "secure" of '],
  [
    { tls: { rejectUnauthorized: false } },
    'Unknown option "rejectUnauthorized" of tls: use one of allowAuthSSL, allowMissingCloseNotify, ',
  ],
  [
    { tls: { caCerts: "-----BEGIN CERTIFICATE-----" } },
    '"caCerts": it must be an array of PEM texts',
  ],
  [
    { tls: { fingerprint: ["AA:BB"] } },
    '"fingerprint": a SHA-256 has 64 hexadecimal digits',
  ],
];

/** Returns the start of the message, which most rows share. */
function messageWith(text: string): string {
  return text.startsWith("Unknown") ? text : `Cannot use ${text}`;
}

Deno.test("FTP refuses invalid options, and lists the valid ones", () => {
  for (const [options, message] of SETTINGS) {
    assertThrows(
      () => new FTP(options as FTPOptions),
      TypeError,
      messageWith(message),
    );
  }
  for (const encoding of ["utf-9", 8]) {
    assertThrows(
      () => new FTP({ encoding: encoding as string }),
      RangeError,
      `Cannot use the encoding "${encoding}"`,
    );
  }
});

Deno.test("connect refuses invalid options before it dials", async () => {
  for (const [options, message] of SETTINGS) {
    if (options.tls === null) continue; // as if it were left out
    await assertRejects(
      () => connect("ftpes://127.0.0.1:1", options as FTPOptions),
      TypeError,
      messageWith(message),
    );
  }
});

Deno.test("connect refuses options that it has not, and takes all that FTP has", async () => {
  for (
    const [name, option] of [
      ["username", "user"],
      ["passwd", "password"],
      ["retries", "retry"],
    ] as const
  ) {
    await assertRejects(
      () => connect("ftp://127.0.0.1:1", { [name]: "x" }),
      TypeError,
      `Unknown option "${name}" of connect: did you mean "${option}"? Or use one of account, active`,
    );
  }
  await using server = await memoryServer();
  await using ftp = await connect(`${server.host}:${server.port}`, {
    user: "u",
    password: "p",
    account: "a",
    port: 1,
    netrc: false,
    signal: new AbortController().signal,
    encoding: "latin-1",
    passive: true,
    activePorts: 0,
    trustPasvHost: false,
    trace: () => {},
    pipelining: true,
    timeout: 5000,
    localAddress: undefined,
    tls: undefined,
    maxLine: 1000,
    maxReply: 1000,
    maxReplyLine: 1000,
    multiline: "strict",
    ...{ username: undefined },
  });
  assertEquals(ftp.encoding, "latin-1");
});

/** Calls with a word that the option does not have. */
const CALLS: [
  call: string,
  run: (ftp: FTP, path: string) => Promise<unknown>,
  message: string,
][] = [
  [
    "download",
    (ftp, path) => ftp.download("a", path, { verify: "md5" as "hash" }),
    'verify "md5": it must be "size", "hash" or "none"',
  ],
  [
    "upload",
    (ftp) =>
      ftp.upload(new Uint8Array(1), "a", { verify: true as unknown as "hash" }),
    'verify true: it must be "size", "hash" or "none"',
  ],
  [
    "download",
    (ftp, path) => ftp.download("a", path, { ["verfy" as "verify"]: "hash" }),
    'Unknown option "verfy" of download: did you mean "verify"? Or use one of atomic, ',
  ],
  [
    "download",
    (ftp, path) => ftp.download("a", path, { retry: 3 as unknown as false }),
    "retry 3: it must be an object, such as { attempts: 3 }, or false",
  ],
  [
    "upload",
    (ftp) => ftp.upload(new Uint8Array(1), "a", { ["sync" as "mtime"]: true }),
    'Unknown option "sync" of upload: use one of atomic, ',
  ],
  [
    "downloadDir",
    (ftp, path) =>
      ftp.downloadDir("", path, { ["dryrun" as "dryRun"]: true, delete: true }),
    'Unknown option "dryrun" of downloadDir: did you mean "dryRun"? Or use one of atomic, compare, ',
  ],
  [
    "uploadDir",
    (ftp, path) => ftp.uploadDir(path, "", { ["recursive" as "delete"]: true }),
    'Unknown option "recursive" of uploadDir: use one of atomic, compare, ',
  ],
  [
    "upload",
    (ftp) =>
      ftp.upload(new Uint8Array(1), "a", { replace: "remove" as "delete" }),
    'replace "remove": it must be "rename" or "delete"',
  ],
  [
    "downloadDir",
    (ftp, path) => ftp.downloadDir("", path, { compare: "sizes" as "size" }),
    'compare "sizes": it must be "size-and-time", "size", "hash" or "always"',
  ],
  [
    "downloadDir",
    (ftp, path) => ftp.downloadDir("", path, { verify: "" as "none" }),
    'verify "": it must be "size", "hash" or "none"',
  ],
  [
    "downloadDir",
    (ftp, path) =>
      ftp.downloadDir("", path, { list: { command: "list" as "LIST" } }),
    'command "list": it must be "MLSD" or "LIST"',
  ],
  [
    "uploadDir",
    (ftp, path) => ftp.uploadDir(path, "", { symlinks: "folow" as "follow" }),
    'symlinks "folow": it must be "skip" or "follow"',
  ],
  [
    "uploadDir",
    (ftp, path) => ftp.uploadDir(path, "", { replace: "yes" as "delete" }),
    'replace "yes": it must be "rename" or "delete"',
  ],
  [
    "list",
    (ftp) => Array.fromAsync(ftp.list("", { command: "NLST" as "LIST" })),
    'command "NLST": it must be "MLSD" or "LIST"',
  ],
  [
    "list",
    (ftp) => Array.fromAsync(ftp.list("", { format: "unixx" })),
    'format "unixx": it must be "auto", "mlsd", "unix", "dos", "vms"',
  ],
  [
    "walk",
    (ftp) => Array.fromAsync(ftp.walk("", { format: "unknown" })),
    'format "unknown": it must be "auto", "mlsd", "unix", "dos", "vms"',
  ],
  [
    "stat",
    (ftp) => ftp.stat("a", { format: "unixx" }),
    'format "unixx": it must be "auto"',
  ],
];

for (const [call, run, message] of CALLS) {
  Deno.test(`FTP.${call} refuses ${message.split(":")[0]} before anything is sent`, async () => {
    await using server = await memoryServer({ "/a": "1" });
    await using ftp = await server.client();
    using folder = new LocalFolder();
    const before = server.verbs.length;
    await assertRejects(
      () => run(ftp, folder.path),
      TypeError,
      messageWith(message),
    );
    assertEquals(server.verbs.slice(before), []);
  });
}

Deno.test("checkWord shows what it was given, and nothing that drives a terminal", () => {
  checkWord("x", undefined, ["a"]);
  checkWord("x", "a", ["a"]);
  for (
    const [word, shown] of [
      ["b\x1b[2J", '"b\uFFFD[2J"'],
      [5, "5"],
      [null, "null"],
      [{}, "a value of type object"],
      [["a"], "a value of type object"],
      [() => {}, "a value of type function"],
    ]
  ) {
    assertThrows(
      () => checkWord("x", word, ["a"]),
      TypeError,
      `Cannot use x ${shown}: it must be "a"`,
    );
  }
});
