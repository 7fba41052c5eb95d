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

/** A symbol of the module, as `deno doc --json` describes it. */
interface Documented {
  readonly name: string;
  readonly declarations: readonly {
    readonly kind: string;
    readonly jsDoc?: {
      readonly doc?: string;
      readonly tags?: readonly { readonly kind: string }[];
    };
    readonly def: {
      readonly properties?: readonly { readonly name: string }[];
      readonly methods?: readonly { readonly name: string }[];
    };
  }[];
}

async function documentedSymbols(
  module = "mod.ts",
): Promise<readonly Documented[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", module],
    cwd: ROOT,
    stderr: "null",
  }).output();
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
  const [{ symbols }] = Object.values(nodes) as [{ symbols: Documented[] }];
  return symbols;
}

/** Returns the code of a page: in backticks, and in programs. */
function codeOf(page: string): string {
  return [...page.matchAll(/```[^]*?```|`[^`]+`/g)].join("\n");
}

Deno.test("docs/ names every option of every call", async () => {
  const pages = [...Deno.readDirSync(new URL("docs/", ROOT))];
  const code = pages.map(({ name }) =>
    codeOf(Deno.readTextFileSync(new URL(`docs/${name}`, ROOT)))
  ).join("\n");
  const missing: string[] = [];
  let count = 0;
  for (const { name, declarations } of await documentedSymbols()) {
    for (const { kind, jsDoc, def } of declarations) {
      const isInternal = jsDoc?.tags?.some(({ kind }) => kind === "internal");
      if (kind !== "interface" || !name.endsWith("Options") || isInternal) {
        continue;
      }
      for (const { name: option } of def.properties ?? []) {
        count++;
        if (!new RegExp(`\\b${option}\\b`).test(code)) {
          missing.push(`${name}.${option}`);
        }
      }
    }
  }
  assert(count > 100, `${count}`);
  assertEquals(missing, []);
});

/** Finds the targets of links in documentation. */
function linksOf(text: string): string[] {
  return [...text.matchAll(/\{@linkcode (\S+?)[ }]/g)].map(([, link]) => link!);
}

/** Returns the members of classes and interfaces, as links name them. */
function membersOf(symbols: readonly Documented[]): Set<string> {
  return new Set(
    symbols.flatMap(({ name, declarations }) =>
      declarations.flatMap(({ def }) =>
        [...def.methods ?? [], ...def.properties ?? []].flatMap((member) => [
          `${name}.prototype.${member.name}`,
          `${name}.${member.name}`, // a static method
        ])
      )
    ),
  );
}

Deno.test("The documentation of testing.ts links to names that exist", async () => {
  const symbols = await documentedSymbols("testing.ts");
  const members = membersOf(symbols);
  const links = linksOf(
    Deno.readTextFileSync(new URL("testing.ts", ROOT)),
  );
  assert(links.length > 10, `${links.length}`);
  const isKnown = (link: string) =>
    members.has(link) || symbols.some(({ name }) => name === link);
  assertEquals(links.filter((link) => !isKnown(link)), []);
});

Deno.test("The reference shows no constructor that takes internal types", async () => {
  for (const module of ["mod.ts", "testing.ts"]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["doc", module],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stderr: "null",
    }).output();
    const internal = new TextDecoder().decode(stdout).match(
      /^ *(private )?constructor\(.*(Source|Stream|Reader|Socket|Session|Peer)\b.*$/gm,
    );
    assertEquals(internal, null);
  }
});

Deno.test("The documentation of FTP and of the module names every method by task, with links", async () => {
  const symbols = await documentedSymbols();
  const members = membersOf(symbols);
  const ftp = symbols.find(({ name }) => name === "FTP")!;
  const named = new Set(linksOf(ftp.declarations[0]!.jsDoc!.doc!));
  const methods = [...members].filter((member) =>
    /^FTP(Protocol)?\.prototype\.\w+$/.test(member)
  );
  assert(methods.length > 60, `${methods.length}`);
  assertEquals(methods.filter((method) => !named.has(method)), []);

  const module = Deno.readTextFileSync(new URL("mod.ts", ROOT));
  for (const link of [...linksOf(module), ...named]) {
    const isKnown = members.has(link) ||
      symbols.some(({ name }) => name === link);
    assert(isKnown, link);
  }
});

Deno.test("The reference imports by the URL that can be pasted, and braces no default", async () => {
  const text = JSON.stringify(await documentedSymbols());
  assertEquals(text.match(/from \\"[./]*mod\.ts\\"/g), null);
  const paths = ["mod.ts"];
  for (const folder of ["client", "files", "mirror", "directories", "tls"]) {
    const url = new URL(`lib/${folder}/`, ROOT);
    for (const { name, isFile } of Deno.readDirSync(url)) {
      if (isFile) paths.push(`lib/${folder}/${name}`);
    }
  }
  for (const path of paths) {
    const source = Deno.readTextFileSync(new URL(path, ROOT));
    assertEquals(source.match(/@default \{.*\}/g), null, path);
  }
});

Deno.test("README.md has fewer than 2,000 words", () => {
  const words = Deno.readTextFileSync(new URL("README.md", ROOT)).match(/\S+/g);
  assert(words!.length > 500 && words!.length < 2000, `${words!.length}`);
});

/** Returns the names in backticks that look like files, classes or functions. */
function sourceNames(page: string): string[] {
  return [
    ...page.matchAll(/`(\w+\.ts|(?:#?\w+\.)?#?\w+\(\)|[A-Z]\w*[a-z]\w*)`/g),
  ]
    .map(([, name]) => name!);
}

/** Returns the names that the sources in some folders do not contain. */
function unknownNames(page: string, folders: readonly string[]): string[] {
  const files = folders.flatMap((folder) => sourcesIn(new URL(folder, ROOT)));
  const code = files.map((file) => Deno.readTextFileSync(file)).join("\n")
    .replace(/^\s*(\/\*\*|\*|\/\/).*/gm, "");
  return sourceNames(page).filter((name) => {
    if (name.endsWith(".ts")) {
      return !files.some(({ pathname }) => pathname.endsWith(`/${name}`));
    }
    const words = name.replace("()", "").split(".");
    return !words.every((word) =>
      new RegExp(`(^|[^\\w#])${word}\\b`).test(code)
    );
  });
}

/** Returns the sources in a folder; of the root, only those directly in it. */
function sourcesIn(folder: URL): URL[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory && folder.href === ROOT.href
      ? []
      : isDirectory
      ? sourcesIn(new URL(`${name}/`, folder))
      : name.endsWith(".ts")
      ? [new URL(name, folder)]
      : []
  );
}

Deno.test("The pages for contributors name files and functions that exist", () => {
  for (const path of ["docs/how_it_works.md", "lib/tls/README.md"]) {
    const page = Deno.readTextFileSync(new URL(path, ROOT));
    assert(sourceNames(page).length > 20, path);
    assertEquals(unknownNames(page, ["lib/", "parser/", "./"]), [], path);
  }
});

Deno.test("The names of the pages for contributors are looked at", () => {
  const page =
    "`part.ts` `none.ts` `Session.shared()` `Session.unheardOf()` `UnheardOf`";
  assertEquals(unknownNames(page, ["lib/"]), [
    "none.ts",
    "Session.unheardOf()",
    "UnheardOf",
  ]);
});
