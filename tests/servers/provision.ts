/**
 * `deno task servers`: fetches the FTP servers of the tests from Debian and unpacks them into
 * `.servers/`. Nothing is installed: the packages of the servers exclude each other, unpacked trees
 * do not. Libraries that this machine lacks are unpacked beside them. Needs `apt-get` and `dpkg-deb`.
 */

import { PROVISIONED_FOLDER } from "./programs.ts";

/** Packages wanted together; each group is resolved on its own, since the groups exclude each other. */
const GROUPS: readonly (readonly string[])[] = [
  ["vsftpd", "db5.3-util"], // and what makes the database of its users
  ["proftpd-core", "proftpd-mod-crypto"],
  ["pure-ftpd"],
  ["python3", "python3-pyftpdlib", "python3-openssl"],
  ["openssl"],
  ["curl", "lftp"], // what the benches compare with
];

/** Never unpacked: a second C library breaks every program, and inetd is not used. */
const UNWANTED = new Set([
  "libc6",
  "libc-bin",
  "openbsd-inetd",
  "update-inetd",
  "tcpd",
]);

/** Where the packages are kept, so that a second run fetches nothing. */
const PACKAGES_FOLDER = `${PROVISIONED_FOLDER}packages/`;

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
  }).output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Simulates the installation of a group: what it would add is what has to be unpacked. */
async function missingPackages(
  group: readonly string[],
): Promise<string[] | undefined> {
  const { success, text } = await run("apt-get", [
    "install",
    "--simulate",
    "--no-install-recommends",
    ...group,
  ]);
  if (!success) return undefined;
  return [...text.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]!).filter((
    name,
  ) => !UNWANTED.has(name));
}

async function missingOfAllGroups(): Promise<Set<string> | undefined> {
  const all = new Set<string>();
  for (const group of GROUPS) {
    const names = await missingPackages(group);
    if (names === undefined) return undefined;
    for (const name of names) all.add(name);
  }
  return all;
}

function fetchedPackages(): string[] {
  return [...Deno.readDirSync(PACKAGES_FOLDER)].map((entry) => entry.name)
    .filter((name) => name.endsWith(".deb"));
}

async function fetchPackages(names: Set<string>): Promise<Output> {
  const present = new Set(fetchedPackages().map((file) => file.split("_")[0]!));
  const wanted = [...names].filter((name) => !present.has(name));
  if (wanted.length === 0) return { success: true, text: "" };
  // Debian's "_apt" user may not write here; the packages' signatures are checked all the same.
  return await run("apt-get", [
    "download",
    "-o",
    "APT::Sandbox::User=root",
    ...wanted,
  ], PACKAGES_FOLDER);
}

async function provision(): Promise<void> {
  await Deno.mkdir(PACKAGES_FOLDER, { recursive: true });
  let names = await missingOfAllGroups();
  let fetched = names === undefined ? undefined : await fetchPackages(names);
  if (!fetched?.success) {
    // A bare machine has no package lists, an old one has lists whose packages are gone.
    const update = await run("apt-get", ["update"]);
    names = await missingOfAllGroups();
    if (names === undefined) {
      throw new Error(`Cannot resolve the servers' packages: ${update.text}`);
    }
    fetched = await fetchPackages(names);
    if (!fetched.success) {
      throw new Error(`Cannot fetch the servers' packages: ${fetched.text}`);
    }
  }
  for (const file of fetchedPackages()) {
    const { success, text } = await run("dpkg-deb", [
      "--extract",
      PACKAGES_FOLDER + file,
      PROVISIONED_FOLDER,
    ]);
    if (!success) throw new Error(`Cannot unpack "${file}": ${text}`);
  }
  console.log(
    `Unpacked ${fetchedPackages().length} packages into "${PROVISIONED_FOLDER}"`,
  );
}

if (import.meta.main) await provision();
