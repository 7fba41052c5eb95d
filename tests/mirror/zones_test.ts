/**
 * Mirrors to and from servers that show local time, in zones of every kind: every server and every test are in each
 * zone, though not every server with every test.
 *
 *     FTP_TEST_SCALE=4 deno task test tests/mirror/zones_test.ts   every test with every server in each zone
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { FTP, type MirrorResult } from "../../mod.ts";
import { LocalFolder } from "../files/local_folder.ts";
import { logIn } from "../real/client.ts";
import {
  isIgnored,
  type RealServer,
  type ServerName,
  serverTest,
  startServer,
} from "../testing/servers/mod.ts";
import { repetitions } from "../testing/repetitions.ts";
import { handOver } from "../testing/servers/real_server.ts";
import { readTree, type Tree, writeTree } from "./tree.ts";

/** Zones, most of which have no summer time. */
const ZONES = [
  "Asia/Tokyo",
  "Africa/Johannesburg",
  "Asia/Kathmandu",
  "America/New_York",
];

/** How a server shows local time: by its package's defaults, or as it can be set. */
const LOCAL: Record<ServerName, readonly string[]> = {
  "vsftpd": ["use_localtime=YES"],
  "proftpd": ["TimesGMT off"],
  "pure-ftpd": [],
  "pyftpdlib": ["handler.use_gmt_times = False"],
};

const SERVERS = Object.keys(LOCAL) as ServerName[];

const TREE: Tree = { "a": "1", "b": "1", "d/c": "1", "d/e": "1" };

/** Long ago, in summer and in winter, and a while before now. */
const TIMES = [
  new Date("2024-07-01T10:20:30Z"),
  new Date("2024-01-01T10:20:30Z"),
  new Date(Math.floor(Date.now() / 1000 - 5000) * 1000),
];

/** Debian's vsftpd, with and without a way to set times. */
const NO_SETTING = ["mdtm_write=NO"];

/** Zones of a test with a server: repetitions have the others. */
const ZONES_PER_TEST = Math.min(repetitions(1), ZONES.length);

/** Returns some zones, from that of a number on. */
function zonesFrom(first: number): string[] {
  return Array.from(
    { length: ZONES_PER_TEST },
    (_, i) => ZONES[(first + i) % ZONES.length]!,
  );
}

/** Tests so far of all servers and of some, so that the next has another zone. */
const zoneTests = { all: 0, some: 1 };

/** Servers and their zones in the tests. */
const pairs = new Set<string>();

/**
 * Registers a test for each server, each in another zone. Four tests have every
 * server in every zone.
 */
function zoneTest(
  title: string,
  test: (server: RealServer) => Promise<void>,
  servers = SERVERS,
  extra: readonly string[] = [],
): void {
  const shift = zoneTests[servers === SERVERS ? "all" : "some"]++;
  for (const [index, name] of servers.entries()) {
    for (const zone of zonesFrom(shift + index)) {
      pairs.add(`${name} ${zone}`);
      serverTest(`${title}, in ${zone}`, test, {
        servers: [name],
        zone,
        extra: [...LOCAL[name], ...extra],
      });
    }
  }
}

/** Changes files, and not how long they are. */
function edit(root: string, names: string[], time: Date): void {
  for (const name of names) {
    Deno.writeTextFileSync(`${root}/${name}`, "2");
    Deno.utimeSync(`${root}/${name}`, time, time);
  }
}

/** Runs a mirror twice; the second has nothing to do. */
async function twice(
  count: number,
  mirror: () => Promise<MirrorResult>,
): Promise<void> {
  assertEquals((await mirror()).transferred, count);
  assertEquals((await mirror()).transferred, 0);
}

/** A client of its own for each call knows nothing from the last. */
async function afresh<T>(
  server: RealServer,
  call: (ftp: FTP) => Promise<T>,
): Promise<T> {
  await using ftp = await logIn(server);
  return await call(ftp);
}

/** Hours around the time of a file, which a zone may pass over. */
const HOURS = [-9, -5, 2, 9];

async function mirrorsUp(server: RealServer): Promise<void> {
  using folder = new LocalFolder();
  await server.mkdir("top");
  const local = folder.path;
  writeTree(local, TREE);
  TIMES.forEach((time, i) =>
    Deno.utimeSync(`${local}/${Object.keys(TREE)[i]}`, time, time)
  );
  const up = () =>
    afresh(server, (ftp) => ftp.uploadDir(local, "top", { connections: 2 }));
  await twice(4, up);
  for (const hours of HOURS) {
    const time = new Date(TIMES[2]!.getTime() + hours * 3_600_000);
    Deno.writeTextFileSync(`${local}/d/c`, String(Math.abs(hours)));
    edit(local, ["a"], time);
    Deno.utimeSync(`${local}/d/c`, time, time);
    assertEquals((await up()).transferred > 0, true, `${hours} hours`);
    assertEquals(readTree(`${server.root}/top`), readTree(local));
  }
}

async function mirrorsDown(server: RealServer): Promise<void> {
  using folder = new LocalFolder();
  const local = folder.path;
  const top = `${server.root}/top`;
  for (const [name, content] of Object.entries(TREE)) {
    await server.write(`top/${name}`, content);
  }
  TIMES.forEach((time, i) =>
    Deno.utimeSync(`${top}/${Object.keys(TREE)[i]}`, time, time)
  );
  const down = () => afresh(server, (ftp) => ftp.downloadDir("top", local));
  await twice(4, down);
  for (const hours of HOURS) {
    const time = new Date(TIMES[2]!.getTime() + hours * 3_600_000);
    edit(top, ["a", "d/c"], time);
    Deno.writeTextFileSync(`${top}/a`, String(Math.abs(hours)));
    Deno.utimeSync(`${top}/a`, time, time);
    await twice(2, down);
    assertEquals(readTree(local), readTree(top));
    Deno.writeTextFileSync(`${top}/d/c`, "1");
    Deno.utimeSync(`${top}/d/c`, TIMES[1]!, TIMES[1]!);
    await twice(1, down);
    assertEquals(readTree(local), readTree(top));
  }
}

zoneTest(
  "FTP.uploadDir sends what was changed, and nothing twice",
  mirrorsUp,
);

zoneTest(
  "FTP.downloadDir brings what was changed, and nothing twice",
  mirrorsDown,
);

zoneTest(
  "FTP.uploadDir sends what was changed, and nothing twice, where no time can be set",
  mirrorsUp,
  ["vsftpd"],
  NO_SETTING,
);

/** Uploads a file that is changed three times without a pause. */
async function uploadsEachChange(server: RealServer): Promise<void> {
  using folder = new LocalFolder();
  await server.mkdir("top");
  const up = () => afresh(server, (ftp) => ftp.uploadDir(folder.path, "top"));
  for (const content of ["1", "2", "3"]) {
    Deno.writeTextFileSync(folder.at("a"), content);
    await twice(1, up);
    assertEquals(readTree(`${server.root}/top`), { a: content });
  }
}

zoneTest(
  "FTP.uploadDir sees a change within the second of the first, and sends nothing twice",
  uploadsEachChange,
  ["vsftpd"],
);

zoneTest(
  "FTP.uploadDir sees a change just after the first, where no time can be set",
  uploadsEachChange,
  ["vsftpd"],
  NO_SETTING,
);

zoneTest(
  "FTP mirrors up and down and up again, and nothing twice",
  async (server) => {
    using folder = new LocalFolder();
    await server.mkdir("top");
    writeTree(folder.at("from"), TREE);
    writeTree(folder.at("from"), { "b": "1" }, TIMES[0]!);
    await using ftp = await logIn(server);
    const up = (name: string) => ftp.uploadDir(folder.at(name), "top");
    const down = (name: string) => ftp.downloadDir("top", folder.at(name));
    await twice(4, () => up("from"));
    await twice(4, () => down("to"));
    assertEquals((await up("to")).transferred, 0);
    assertEquals((await down("from")).transferred, 0);
    edit(folder.at("to"), ["a"], new Date("2023-01-01T00:00:00Z"));
    await twice(1, () => up("to"));
    await twice(1, () => down("from"));
    assertEquals(readTree(folder.at("from")), readTree(folder.at("to")));
    for (const name of ["a", "b"]) {
      const { mtime } = Deno.statSync(`${server.root}/top/${name}`);
      assertEquals(mtime, Deno.statSync(folder.at(`from/${name}`)).mtime);
      assertEquals(mtime, Deno.statSync(folder.at(`to/${name}`)).mtime);
    }
  },
);

zoneTest(
  "FTP.upload, mtime, setMtime, stat and list have the times of the disk there",
  async (server) => {
    using folder = new LocalFolder();
    const time = TIMES[2]!;
    writeTree(folder.path, { "a": "1" }, time);
    await server.mkdir("top");
    const onDisk = () => Deno.statSync(`${server.root}/top/a`).mtime;
    await using ftp = await logIn(server);
    const { mtime } = await ftp.upload(folder.at("a"), "top/a");
    assertEquals([mtime, onDisk()], [time, time]);
    await using other = await ftp.clone();
    assertEquals(await other.mtime("top/a"), time);
    const later = new Date(time.getTime() + 60_000);
    await other.setMtime("top/a", later);
    assertEquals(onDisk(), later);
    assertEquals((await ftp.stat("top/a")).mtime, later);
    // MLSD shows seconds
    const [entry] = await Array.fromAsync(ftp.list("top"));
    if (entry!.mtimePrecision === "second") assertEquals(entry!.mtime, later);
  },
);

// the four tests of all servers have every server in every zone
assertEquals(
  SERVERS.flatMap((name) => ZONES.map((zone) => `${name} ${zone}`))
    .filter((pair) => !pairs.has(pair)),
  [],
);

for (const zone of ["Europe/Berlin", "America/New_York"]) {
  serverTest(
    `FTP.uploadDir sends a change whose time differs by daylight saving time, in ${zone}`,
    async (server) => {
      using folder = new LocalFolder();
      await server.mkdir("top");
      const local = folder.path;
      const up = () => afresh(server, (ftp) => ftp.uploadDir(local, "top"));
      const times = [...TIMES, new Date("2024-10-10T10:20:30Z")];
      for (const [index, hours] of [0, 1, -1, 2].entries()) {
        for (const [i, time] of times.entries()) {
          const path = `${local}/${i}`;
          const moved = new Date(time.getTime() + hours * 3_600_000);
          Deno.writeTextFileSync(path, `${index}`);
          Deno.utimeSync(path, moved, moved);
        }
        await twice(times.length, up);
        assertEquals(readTree(`${server.root}/top`), readTree(local));
      }
    },
    {
      servers: ["pyftpdlib"],
      zone,
      extra: LOCAL.pyftpdlib,
    },
  );
}

serverTest(
  "FTP.setMtime proves the zone of a server that sets what it shows",
  async (server) => {
    await server.write("top/a", "1");
    await using ftp = await logIn(server);
    await ftp.setMtime("top/a", TIMES[0]!);
    assertEquals(Deno.statSync(`${server.root}/top/a`).mtime, TIMES[0]!);
    assertEquals(await ftp.mtime("top/a"), TIMES[0]!);
    const names = [...Deno.readDirSync(`${server.root}/top`)];
    assertEquals(names.map(({ name }) => name), ["a"]);
  },
  { servers: ["vsftpd"], zone: "Asia/Tokyo", extra: LOCAL.vsftpd },
);

for (const name of ["vsftpd", "pyftpdlib"] as const) {
  serverTest(
    "FTP.mtime, stat, list and downloadDir go by the option serverZone",
    async (server) => {
      using folder = new LocalFolder();
      await server.write("top/a", "1");
      Deno.utimeSync(`${server.root}/top/a`, TIMES[2]!, TIMES[2]!);
      await using ftp = await logIn(server, { serverZone: 345 });
      assertEquals(await ftp.mtime("top/a"), TIMES[2]!);
      assertEquals((await ftp.stat("top/a")).mtime, TIMES[2]!);
      await twice(1, () => ftp.downloadDir("top", folder.path));
      assertEquals(Deno.statSync(folder.at("a")).mtime, TIMES[2]!);
      const [entry] = await Array.fromAsync(ftp.list("top"));
      const minute = 60_000;
      assertEquals(
        Math.floor(entry!.mtime!.getTime() / minute),
        Math.floor(TIMES[2]!.getTime() / minute),
      );
      for (const serverZone of [1500, NaN, "60" as unknown as number]) {
        assertThrows(() => new FTP({ serverZone }), RangeError, "serverZone");
      }
    },
    {
      servers: [name],
      zone: "Asia/Kathmandu",
      extra: LOCAL[name],
    },
  );
}

serverTest(
  "FTP.downloadDir believes the zone that it is given for listings, and not MDTM",
  async (server) => {
    using folder = new LocalFolder();
    await server.write("top/a", "1");
    Deno.utimeSync(`${server.root}/top/a`, TIMES[2]!, TIMES[2]!);
    writeTree(folder.path, { "a": "1" }, TIMES[2]!);
    await using ftp = await logIn(server);
    const down = () =>
      ftp.downloadDir("top", folder.path, { list: { zone: 540 } });
    assertEquals((await down()).transferred, 0);
    const later = new Date(TIMES[2]!.getTime() + 9 * 3_600_000);
    edit(`${server.root}/top`, ["a"], later);
    await twice(1, down);
    assertEquals(Deno.readTextFileSync(folder.at("a")), "2");
  },
  { servers: ["vsftpd"], zone: "Asia/Tokyo", extra: LOCAL.vsftpd },
);

serverTest(
  "FTP.uploadDir writes nothing to learn the clock in a dry run",
  async (server) => {
    using folder = new LocalFolder();
    writeTree(folder.path, { "a": "1" });
    await server.mkdir("top");
    await afresh(server, (ftp) => ftp.uploadDir(folder.path, "top"));
    const plan = await afresh(
      server,
      (ftp) => ftp.uploadDir(folder.path, "top", { dryRun: true }),
    );
    // nothing tells that 9 hours are a zone and no change
    assertEquals(plan.transferred, 1);
    const log = await server.log();
    assertEquals(log.split("clock").length > 1, false);
    const done = await afresh(
      server,
      (ftp) => ftp.uploadDir(folder.path, "top"),
    );
    assertEquals(done.transferred, 0);
  },
  { servers: ["vsftpd"], zone: "Asia/Tokyo", extra: LOCAL.vsftpd },
);

/** No command but LIST shows a time; some servers still set one. */
const LIST_ONLY: [name: ServerName, what: string, extra: readonly string[]][] =
  [
    ["vsftpd", "sets none", ["cmds_denied=MDTM,MFMT"]],
    ["proftpd", "sets none", limit("MDTM MFMT MFF MLSD MLST")],
    ["proftpd", "sets one", limit("MDTM MLSD MLST")],
    ["pyftpdlib", "sets one", [
      'for verb in ("MDTM", "MLSD", "MLST"): handler.proto_cmds.pop(verb, None)',
    ]],
  ];

/** ProFTPD refuses with 550 what its configuration forbids, and not as unknown. */
const BY_LIST = { command: "LIST" } as const;

function limit(verbs: string): string[] {
  return [`<Limit ${verbs}>`, "  DenyAll", "</Limit>"];
}

/** Differences to the time of an earlier edit, in seconds, which LIST does not show or shows by a zone. */
const SMALL = [0, 20, 3_600, 9 * 3_600, -5 * 3_600, 86_400];

for (const [index, [name, what, extra]] of LIST_ONLY.entries()) {
  const optionsIn = (zone: string) => ({
    servers: [name],
    zone,
    extra: [...LOCAL[name], ...extra],
  });
  for (const zone of zonesFrom(index)) {
    serverTest(
      `FTP.uploadDir sends what was changed to a server that only LIST tells the times of, and ${what}, in ${zone}`,
      async (server) => {
        using folder = new LocalFolder();
        await server.mkdir("top");
        const local = folder.path;
        writeTree(local, TREE);
        const up = () =>
          afresh(
            server,
            (ftp) => ftp.uploadDir(local, "top", { list: BY_LIST }),
          );
        assertEquals((await up()).transferred, 4);
        for (const at of TIMES) {
          for (const [index, seconds] of SMALL.entries()) {
            const time = new Date(at.getTime() + seconds * 1000);
            Deno.writeTextFileSync(`${local}/a`, String(index));
            Deno.utimeSync(`${local}/a`, time, time);
            await up();
            assertEquals(
              readTree(`${server.root}/top`),
              readTree(local),
              `${time}`,
            );
          }
        }
      },
      optionsIn(zone),
    );
  }
  for (const zone of zonesFrom(index + 2)) {
    serverTest(
      `FTP.downloadDir brings what was changed on a server that only LIST tells the times of, and ${what}, in ${zone}`,
      async (server) => {
        using folder = new LocalFolder();
        const local = folder.path;
        const top = `${server.root}/top`;
        await server.write("top/a", "x");
        const down = () =>
          afresh(
            server,
            (ftp) => ftp.downloadDir("top", local, { list: BY_LIST }),
          );
        for (const at of TIMES) {
          for (const [index, seconds] of SMALL.entries()) {
            // a change now, whatever time it has: cp -p, touch
            const time = index % 2 === 0
              ? new Date()
              : new Date(at.getTime() + seconds * 1000);
            Deno.writeTextFileSync(`${top}/a`, String(index));
            Deno.utimeSync(`${top}/a`, time, time);
            if (index % 2 === 0) await down();
            else if ((await down()).transferred === 0) continue;
            assertEquals(readTree(local), readTree(top), `${time}`);
          }
        }
      },
      optionsIn(zone),
    );
  }
}

/** Times that are rare: around 1970, after 2038, in the future, in half a year. */
const RARE: Record<string, number> = {
  "before-1970": -86_400,
  "in-1970": 0,
  "after-2038": Date.UTC(2040, 0, 1) / 1000,
  "tomorrow": Math.floor(Date.now() / 1000) + 86_400,
  "half-a-year": Math.floor(Date.now() / 1000) - 182 * 86_400,
  "summer": Date.UTC(2024, 0, 7, 1, 2, 3) / 1000,
  "winter": Date.UTC(2024, 6, 7, 1, 2, 3) / 1000,
};

for (const name of ["vsftpd", "pyftpdlib"] as const) {
  for (const extra of name === "vsftpd" ? [[], NO_SETTING] : [[]]) {
    Deno.test({
      name:
        `FTP mirrors files of rare times both ways, where summer time is half an hour and the server's zone changes between two runs${
          extra.length > 0 ? ", where no time can be set" : ""
        } (${name})`,
      ignore: isIgnored(name),
      fn: async () => {
        using folder = new LocalFolder();
        using served = new LocalFolder();
        Deno.chmodSync(served.path, 0o755);
        const [here, there] = [folder.path, served.at("top")];
        Deno.mkdirSync(there);
        handOver(there);
        let version = 1000;
        const write = (root: string, seconds: number) => {
          for (const [name, time] of Object.entries(RARE)) {
            const path = `${root}/${name}`;
            Deno.writeTextFileSync(path, `${version++}`);
            Deno.utimeSync(path, time + seconds, time + seconds);
            if (root === there) handOver(path);
          }
        };
        let port: number | undefined;
        for (const zone of ["Australia/Lord_Howe", "Asia/Tokyo"]) {
          await using server = await startServer(name, {
            zone,
            extra: [...LOCAL[name], ...extra],
            root: served.path,
            ...port !== undefined && { port },
          });
          ({ port } = server);
          const up = () => afresh(server, (ftp) => ftp.uploadDir(here, "top"));
          const down = () =>
            afresh(server, (ftp) => ftp.downloadDir("top", here));
          for (const seconds of [1, 1800, -3600]) {
            write(here, seconds);
            await up();
            assertEquals(readTree(there), readTree(here), `up ${seconds}`);
            await down();
            assertEquals(readTree(there), readTree(here), `again ${seconds}`);
            write(there, seconds + 12_603);
            await down();
            assertEquals(readTree(here), readTree(there), `down ${seconds}`);
          }
        }
      },
    });
  }
}
