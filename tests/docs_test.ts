import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

function pages(): URL[] {
  const docs = new URL("docs/", ROOT);
  return [
    new URL("README.md", ROOT),
    new URL("CHANGELOG.md", ROOT),
    ...["CONTRIBUTING.md", "SECURITY.md"].map((name) =>
      new URL(`.github/${name}`, ROOT)
    ),
    ...[...Deno.readDirSync(docs)].map(({ name }) => new URL(name, docs)),
  ];
}

/** The anchor that a heading has on the hosts of repositories. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

/** Links that lead nowhere. */
function deadLinks(page: URL): string[] {
  const links = Deno.readTextFileSync(page).matchAll(/\]\(([^)\s]+)\)/g);
  return [...links].map(([, link]) => link!).filter((link) => {
    if (/^https?:/.test(link)) return false;
    const url = new URL(link, page);
    const anchor = url.hash.slice(1);
    url.hash = "";
    try {
      if (anchor === "") return !Deno.statSync(url);
      const headings = Deno.readTextFileSync(url).matchAll(/^#+ (.*)$/gm);
      return ![...headings].some(([, text]) => anchorOf(text!) === anchor);
    } catch {
      return true;
    }
  });
}

Deno.test("The documentation's links lead to files and headings that exist", () => {
  const all = pages();
  assert(all.length >= 10);
  for (const page of all) assertEquals(deadLinks(page), [], page.href);
});

Deno.test("The documentation's links are looked at", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/page.md`;
    Deno.writeTextFileSync(
      path,
      "# A heading\n[a](page.md#a-heading) [b](page.md#none) [c](none.md)\n",
    );
    assertEquals(deadLinks(new URL(`file://${path}`)), [
      "page.md#none",
      "none.md",
    ]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("README.md has fewer than 2,000 words", () => {
  const words = Deno.readTextFileSync(new URL("README.md", ROOT)).match(/\S+/g);
  assert(words!.length > 500 && words!.length < 2000, `${words!.length}`);
});
