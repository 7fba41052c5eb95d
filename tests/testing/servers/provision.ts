/**
 * `deno task servers`: fetches the FTP servers of the tests from Debian and unpacks them into
 * `.servers/`. Nothing is installed: the packages of the servers exclude each other, unpacked trees
 * do not. Libraries that this machine lacks are unpacked beside them. Needs `apt-get` and `dpkg-deb`.
 */

import { PROVISIONED_FOLDER } from "./programs.ts";

/** Packages that are resolved together; the groups exclude each other. */
const GROUPS: readonly (readonly string[])[] = [
  ["vsftpd", "db5.3-util"], // and what makes the database of its users
  ["proftpd-core", "proftpd-mod-crypto"],
  ["pure-ftpd"],
  ["python3", "python3-pyftpdlib", "python3-openssl"],
  ["openssl"],
  ["microsocks", "tinyproxy-bin", "dante-server"], // the proxies
  ["curl", "lftp"], // what the benches compare with
  ["tmux"], // a terminal for the tests of the command line
];

/**
 * Packages that are never unpacked: a second C library breaks every program,
 * and inetd is not used.
 */
const UNWANTED = new Set([
  "libc6",
  "libc-bin",
  "openbsd-inetd",
  "update-inetd",
  "tcpd",
]);

/** Where the packages are kept, so that a second run fetches nothing. */
const PACKAGES_FOLDER = `${PROVISIONED_FOLDER}packages/`;

/**
 * Files of apt-get. Nothing else on the machine changes, and root is not
 * required.
 */
const APT_FOLDER = `${PROVISIONED_FOLDER}apt/`;

/** Names the packages that are unpacked, once they all are. */
const UNPACKED_FILE = `${PROVISIONED_FOLDER}unpacked`;

const APT_OPTIONS: readonly string[] = [
  `Dir::Cache=${APT_FOLDER}`,
  "Dir::Cache::pkgcache=pkgcache.bin",
  "Dir::Cache::srcpkgcache=srcpkgcache.bin",
  // Debian's "_apt" user may not write here; the packages' signatures are checked all the same.
  "APT::Sandbox::User=root",
];

/** For a bare machine, that has no package lists, and an old one, whose lists name packages that are gone. */
const OWN_LISTS: readonly string[] = [`Dir::State::lists=${APT_FOLDER}lists`];

interface Output {
  success: boolean;
  text: string;
}

async function run(
  command: string,
  args: string[],
  cwd?: string,
): Promise<Output> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    ...(cwd === undefined ? {} : { cwd }),
    env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    stdin: "null",
  }).output().catch((error) => {
    throw new Error(
      `Cannot run ${command}, which Debian and its kind have: ${error.message}`,
    );
  });
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

function apt(
  options: readonly string[],
  args: readonly string[],
  cwd?: string,
): Promise<Output> {
  const all = [...APT_OPTIONS, ...options].flatMap((option) => ["-o", option]);
  return run("apt-get", [...all, ...args], cwd);
}

/**
 * Simulates the installation of each group. What it would add has to be
 * unpacked.
 */
async function missingPackages(
  options: readonly string[],
): Promise<Set<string>> {
  const all = new Set<string>();
  for (const group of GROUPS) {
    const { success, text } = await apt(options, [
      "install",
      "--simulate",
      "--no-install-recommends",
      ...group,
    ]);
    if (!success) {
      throw new Error(
        `Cannot resolve the packages ${group.join(" ")}: ${text}`,
      );
    }
    for (const [_line, name] of text.matchAll(/^Inst (\S+)/gm)) {
      if (!UNWANTED.has(name!)) all.add(name!);
    }
  }
  return all;
}

function fetchedPackages(): string[] {
  return [...Deno.readDirSync(PACKAGES_FOLDER)].map((entry) => entry.name)
    .filter((name) => name.endsWith(".deb")).sort();
}

/** Downloads the missing packages. */
async function fetchPackages(options: readonly string[]): Promise<void> {
  const names = await missingPackages(options);
  const present = new Set(fetchedPackages().map((file) => file.split("_")[0]!));
  const wanted = [...names].filter((name) => !present.has(name));
  if (wanted.length === 0) return;
  const { success, text } = await apt(
    options,
    ["download", ...wanted],
    PACKAGES_FOLDER,
  );
  if (!success) throw new Error(`Cannot fetch the servers' packages: ${text}`);
}

async function unpackPackages(): Promise<void> {
  const files = fetchedPackages();
  const unpacked = await Deno.readTextFile(UNPACKED_FILE).catch(() => "");
  if (unpacked === files.join("\n")) return;
  for (const file of files) {
    const { success, text } = await run("dpkg-deb", [
      "--extract",
      PACKAGES_FOLDER + file,
      PROVISIONED_FOLDER,
    ]);
    if (!success) {
      await Deno.remove(PACKAGES_FOLDER + file); // it may have come in part: the next run fetches it anew
      throw new Error(`Cannot unpack "${file}": ${text}`);
    }
  }
  await Deno.writeTextFile(UNPACKED_FILE, files.join("\n"));
}

async function provision(): Promise<void> {
  Deno.umask(0o022); // the servers give their rights up, and read on
  await Deno.mkdir(PACKAGES_FOLDER, { recursive: true });
  await Deno.mkdir(`${APT_FOLDER}lists/partial`, { recursive: true });
  try {
    await fetchPackages([]);
  } catch {
    const { text } = await apt(OWN_LISTS, ["update"]);
    await fetchPackages(OWN_LISTS).catch((error) => {
      throw new Error(`${error.message}${text}`);
    });
  }
  await unpackPackages();
  console.log(
    `Unpacked ${fetchedPackages().length} packages into "${PROVISIONED_FOLDER}"`,
  );
}

if (import.meta.main) {
  try {
    await provision();
  } catch (error) {
    console.error(error instanceof Error ? error.message.trim() : error);
    Deno.exit(1);
  }
}
