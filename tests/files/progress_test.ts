import { assert, assertEquals } from "@std/assert";
import { formatProgress } from "../../lib/files/progress_bar.ts";
import { type Progress, progressBar } from "../../mod.ts";
import { makeData } from "../real/client.ts";
import { LocalFolder } from "./local_folder.ts";
import { memoryServer } from "../testing/memory_server.ts";

const HALF: Progress = {
  transferred: 5_000_000,
  total: 10_000_000,
  rate: 1_500_000,
  eta: 3333,
  done: false,
};

const CASES: [
  name: string,
  progress: Progress,
  label: string,
  columns: number,
  line: string,
][] = [
  [
    "a half",
    HALF,
    "image.iso",
    70,
    "image.iso  [##########.........]  50%  5.0 MB/10.0 MB  1.5 MB/s  0:04",
  ],
  [
    "an end",
    { ...HALF, transferred: 10_000_000, eta: 0, done: true },
    "",
    60,
    "[#########################] 100%  10.0 MB/10.0 MB  1.5 MB/s",
  ],
  [
    "an unknown size",
    { ...HALF, total: null, eta: null },
    "x",
    60,
    "x  5.0 MB  1.5 MB/s",
  ],
  [
    "an empty file",
    { transferred: 0, total: 0, rate: 0, eta: 0, done: true },
    "",
    40,
    "[################] 100%  0 B/0 B  0 B/s",
  ],
  [
    "a narrow terminal",
    HALF,
    "a long label of a file",
    40,
    "a long label of a file   50%  5.0 MB/10",
  ],
  [
    "more than was said",
    { ...HALF, transferred: 11_000_000, eta: 0 },
    "",
    60,
    "[###################] 100%  11.0 MB/10.0 MB  1.5 MB/s  0:00",
  ],
];

for (const [name, progress, label, columns, line] of CASES) {
  Deno.test(`formatProgress shows ${name} in ${columns} columns`, () => {
    const shown = formatProgress(progress, label, columns);
    assertEquals(shown.length < columns, true);
    assertEquals(shown, line);
  });
}

Deno.test("progressBar draws on one line of a terminal, and ends it", () => {
  let drawn = "";
  const draw = progressBar({
    label: "a\x1b[2J",
    isTerminal: true,
    columns: 40,
    write: (text) => drawn += text,
  });
  draw(HALF);
  draw({ ...HALF, done: true });
  assertEquals(drawn.split("\r").length, 3);
  assertEquals(drawn.endsWith("\x1b[K\n"), true);
  assertEquals(drawn.includes("[2J"), true);
  assertEquals(drawn.includes("\x1b[2J"), false);
});

Deno.test("progressBar draws nothing without a terminal", () => {
  let drawn = "";
  progressBar({ isTerminal: false, write: (text) => drawn += text })(HALF);
  assertEquals(drawn, "");
});

Deno.test("FTP.download gives rate and eta as whole numbers", async () => {
  await using server = await memoryServer({ "/data": makeData(3_000_001) });
  await using ftp = await server.client();
  using folder = new LocalFolder();
  const seen: Progress[] = [];
  await ftp.download("data", folder.at("data"), {
    maxRate: 6_000_001,
    progressRate: 1000,
    onProgress: (progress) => seen.push(progress),
  });
  const early = seen.filter(({ eta }) => eta !== null && eta > 0);
  assert(early.length > 0);
  for (const { rate, eta } of seen) {
    assert(Number.isInteger(rate), `rate ${rate}`);
    assert(Number.isInteger(eta), `eta ${eta}`);
  }
});
