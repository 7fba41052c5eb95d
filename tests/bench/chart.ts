/**
 * `deno run -A --no-lock tests/bench/chart.ts [--measure [MB] [files] [rounds]]`:
 * draws `docs/speed.svg` from the figures in `chart.json` beside this file;
 * `--measure` takes new ones first, in one run. Peers: curl, lftp, ftplib and
 * basic-ftp, from vsftpd to memory (`/dev/shm`).
 */

import { connect } from "../../mod.ts";
import { type RealServer, startServer } from "../testing/servers/mod.ts";
import { compare } from "./compare.ts";
import { basicFtp, curl, ftplib } from "./transfer_peers.ts";

const FIGURES = new URL("chart.json", import.meta.url);
const CHART = new URL("../../docs/speed.svg", import.meta.url);

/** Colours that are legible on white and on black. */
const COLORS = { text: "#7d8590", ours: "#2f81f7", peer: "#9a8c7c" } as const;

const ROW = 22;
const LABEL = 130;
const BAR = 420;
const WIDTH = 720;

/** One group of bars. */
interface Group {
  readonly title: string;
  /** "MB/s", "files/s". */
  readonly unit: string;
  /** Figures by contender; the first is ours. */
  readonly figures: Readonly<Record<string, number>>;
}

/** The contents of `chart.json`. */
interface Figures {
  readonly date: string;
  readonly machine: string;
  readonly groups: readonly Group[];
}

if (Deno.args[0] === "--measure") {
  const figures = await measure(
    Number(Deno.args[1] ?? 1000) * 1e6,
    Number(Deno.args[2] ?? 2000),
    Number(Deno.args[3] ?? 7),
  );
  await Deno.writeTextFile(FIGURES, `${JSON.stringify(figures, null, 2)}\n`);
}
const figures: Figures = JSON.parse(await Deno.readTextFile(FIGURES));
await Deno.writeTextFile(CHART, draw(figures));

/** Measures all contenders in turn. */
async function measure(
  size: number,
  count: number,
  rounds: number,
): Promise<Figures> {
  const folder = Deno.makeTempDirSync({
    dir: "/dev/shm",
    prefix: "ftp_bench_",
  });
  try {
    await using server = await startServer("vsftpd", { root: folder });
    Deno.chmodSync(folder, 0o777);
    const { host, port, user, password } = server;
    const url = `ftp://${host}:${port}`;
    await using ftp = await connect(url, { user, password });
    const basic = await basicFtp(server);
    const source = `${folder}/source`;
    const target = `${folder}/target`;
    Deno.writeFileSync(source, new Uint8Array(size).fill(1));
    await server.mkdir("many");
    for (let i = 0; i < count; i++) {
      await server.write(`many/${i}`, new Uint8Array(1000).fill(i));
    }
    const down = { server, remote: "source", local: target };
    const up = { server, remote: "target", local: source };
    const start = await time(() => lftp(server, "pwd"));
    /** Without the start of the program and its login. */
    const timedLftp = async (command: string) =>
      Math.max(1, await time(() => lftp(server, command)) - start);
    const afresh = (work: () => Promise<number>) => async () => {
      try {
        Deno.removeSync(target);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      const elapsed = await work();
      if (Deno.statSync(target).size !== size) throw new Error("Not whole");
      return elapsed;
    };
    const downloads = await compare("download", rounds, {
      "download()": afresh(() => time(() => ftp.download("source", target))),
      curl: afresh(() => curl(down, false)),
      lftp: afresh(() => timedLftp(`get source -o ${target}`)),
      ftplib: afresh(() => ftplib(down, "down", 8192)),
      "basic-ftp": afresh(() => time(() => basic.downloadTo(target, "source"))),
    });
    const uploads = await compare("upload", rounds, {
      "upload()": afresh(() => time(() => ftp.upload(source, "target"))),
      curl: afresh(() => curl(up, true)),
      lftp: afresh(() => timedLftp(`put ${source} -o target`)),
      ftplib: afresh(() => ftplib(up, "up", 8192)),
      "basic-ftp": afresh(() => time(() => basic.uploadFrom(source, "target"))),
    });
    const local = `${folder}/local`;
    const anew = (work: () => Promise<number>) => async () => {
      Deno.mkdirSync(local);
      const elapsed = await work();
      const found = [...Deno.readDirSync(local)].length;
      Deno.removeSync(local, { recursive: true });
      if (found !== count) throw new Error(`${found} of ${count} files`);
      return elapsed;
    };
    const files = await compare(`${count} files of 1 KB`, rounds, {
      "downloadDir()": anew(() => time(() => ftp.downloadDir("many", local))),
      lftp: anew(() => timedLftp(`mirror many ${local}`)),
      ftplib: anew(() =>
        ftplib({ server, remote: "many", local }, "many", count)
      ),
      "basic-ftp": anew(() => time(() => basic.downloadToDir(local, "many"))),
    });
    basic.close();
    const rate = (times: Record<string, number>, amount: number) =>
      Object.fromEntries(
        Object.entries(times).map(([name, milliseconds]) => [
          name,
          Math.round(amount * 1000 / milliseconds),
        ]),
      );
    return {
      date: new Date().toISOString().slice(0, 10),
      machine:
        `${navigator.hardwareConcurrency} cores, ${Deno.build.target}, Deno ${Deno.version.deno}, load ${
          Deno.loadavg()[0]!.toFixed(0)
        }, vsftpd over loopback, median of ${rounds}`,
      groups: [
        {
          title: `Download of ${size / 1e6} MB`,
          unit: "MB/s",
          figures: rate(downloads, size / 1e6),
        },
        {
          title: `Upload of ${size / 1e6} MB`,
          unit: "MB/s",
          figures: rate(uploads, size / 1e6),
        },
        {
          title: `${count} files of 1 KB, one connection`,
          unit: "files/s",
          figures: rate(files, count),
        },
      ],
    };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function lftp(server: RealServer, command: string): Promise<void> {
  const { host, port, user, password } = server;
  const { success, stderr } = await new Deno.Command("lftp", {
    args: [
      "-c",
      `set ftp:ssl-allow no; open -u "${user}","${password}" ftp://${host}:${port}; ${command}`,
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Draws horizontal bars, a longer one is faster. */
function draw({ date, machine, groups }: Figures): string {
  const parts: string[] = [];
  let y = 10;
  for (const { title, unit, figures } of groups) {
    y += 20;
    parts.push(
      `<text x="0" y="${y}" font-weight="bold">${title} (${unit}, more is faster)</text>`,
    );
    y += 10;
    const most = Math.max(...Object.values(figures));
    for (const [index, [name, figure]] of Object.entries(figures).entries()) {
      const width = Math.max(2, Math.round(figure / most * BAR));
      const color = index === 0 ? COLORS.ours : COLORS.peer;
      const weight = index === 0 ? ' font-weight="bold"' : "";
      parts.push(
        `<text x="${LABEL - 8}" y="${
          y + 15
        }" text-anchor="end"${weight}>${name}</text>`,
        `<rect x="${LABEL}" y="${y + 3}" width="${width}" height="${
          ROW - 6
        }" rx="2" fill="${color}"/>`,
        `<text x="${LABEL + width + 8}" y="${
          y + 15
        }"${weight}>${figure}</text>`,
      );
      y += ROW;
    }
  }
  y += 24;
  parts.push(`<text x="0" y="${y}" font-size="11">${date}, ${machine}</text>`);
  const height = y + 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="sans-serif" font-size="13" fill="${COLORS.text}">
<title>Speed beside curl, lftp, ftplib and basic-ftp</title>
${parts.join("\n")}
</svg>
`;
}
