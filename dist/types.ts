/**
 * Makes `ftp.d.ts`, the types of the whole module in one file, of what
 * `deno bundle --declaration` writes: it keeps the exported types, and those
 * that they need.
 *
 * @module
 */

/** Types of parameters that no caller can provide. They are left out. */
const OPAQUE = ["BlockSource", "ReplySource"];

/** The start of a declaration. */
const START_REGEXP = /^(?:export|declare|import|\/\*\*)/;

/** The last line of a comment before a declaration. */
const COMMENT_END_REGEXP = /^ \*\/$|^\/\*\*.*\*\/$/;

/** A declaration, after its comment, and its name. */
const DECLARATION_REGEXP =
  /^(?:\/\*\*[^]*?\*\/\n)*export (?:declare )?(?:abstract )?(class|function|interface|type|const|let|enum) (\w+)/;

/** The first member of a type, on the line of its brace. */
const FIRST_MEMBER_REGEXP = /^(export .*?\{) (\/\*\*[^]*?\*\/)(?: (.*))?$/gm;

/** The comment of a declaration, on the last line of the one before. */
const MISPLACED_REGEXP = /(?<=^.*\}) (\/\*\*.*\*\/)\n+(?=export )/gm;

/** A declaration. */
interface Declaration {
  /** Its text, with its comment. */
  readonly text: string;
  /** Its text without comments and strings. */
  readonly code: string;
  /** Whether it is a function, which no type needs. */
  readonly isFunction: boolean;
}

/** Splits a file into declarations, by name. */
function declarationsOf(text: string): Map<string, Declaration[]> {
  const parts: string[][] = [[]];
  for (const line of text.split("\n")) {
    const part = parts.at(-1)!;
    const isBelowComment = COMMENT_END_REGEXP.test(part.at(-1) ?? "") &&
      !line.startsWith("/**");
    if (START_REGEXP.test(line) && !isBelowComment) parts.push([line]);
    else part.push(line);
  }
  const declarations = new Map<string, Declaration[]>();
  for (const part of parts) {
    const text = part.join("\n").trimEnd();
    const [, kind, name] = DECLARATION_REGEXP.exec(text) ?? [];
    if (name === undefined) continue;
    const code = text.replace(/\/\*[^]*?\*\/|"[^"\n]*"/g, "");
    const others = declarations.get(name) ?? [];
    const isFunction = kind === "function";
    declarations.set(name, [...others, { text, code, isFunction }]);
  }
  return declarations;
}

/** Finds the names that a module exports. */
function exportsOf(source: string): Set<string> {
  const lists = source.matchAll(/^export (?:type )?\{([^}]*)\}/gm);
  return new Set(
    lists.flatMap(([, list]) => list!.split(","))
      .map((name) => name.trim().replace(/^type /, ""))
      .filter((name) => name !== ""),
  );
}

/** Finds the names that are exported, and those that their types need. */
function neededBy(
  exported: Set<string>,
  declarations: Map<string, Declaration[]>,
): Set<string> {
  const needed = new Set(exported);
  for (const name of needed) { // grows meanwhile
    const found = declarations.get(name);
    if (found === undefined) {
      throw new Error(`Cannot find the type of "${name}"`);
    }
    if (found.length > 1 && found.some(({ isFunction }) => !isFunction)) {
      throw new Error(
        `Cannot tell two declarations apart: "${name}" is one name in two modules; rename the one that is not exported`,
      );
    }
    for (const { code } of found) {
      for (const [word] of code.matchAll(/\b[A-Za-z_]\w*\b/g)) {
        const used = declarations.get(word);
        const isType = used?.some(({ isFunction }) => !isFunction);
        if (isType) needed.add(word);
      }
    }
  }
  return needed;
}

/** Puts the first member of a type on a line of its own, with its comment. */
function withFirstMember(text: string): string {
  return text.replace(
    FIRST_MEMBER_REGEXP,
    (_, head: string, comment: string, member?: string) => {
      const lines = [
        head,
        `    ${comment.replaceAll(/(?<!\n *) \* /g, "\n     * ")}`,
      ];
      if (member !== undefined) lines.push(`    ${member}`);
      return lines.join("\n");
    },
  );
}

/**
 * Keeps the types that a module exports, and those that they need.
 *
 * @param bundled What `deno bundle --declaration` wrote
 * @param source Source of the module: lists of exports
 * @returns The text of the file
 */
export function typesOf(bundled: string, source: string): string {
  const declarations = declarationsOf(
    bundled.replace(MISPLACED_REGEXP, "\n\n$1\n"),
  );
  const exported = exportsOf(source);
  const needed = neededBy(exported, declarations);
  const parts = [bundled.slice(0, bundled.indexOf("*/") + 2)];
  for (const [name, all] of declarations) {
    if (!needed.has(name)) continue;
    for (const { text } of all) {
      const shown = withFirstMember(text);
      parts.push(
        exported.has(name)
          ? shown
          : shown.replace(/^export (?:declare )?/m, "declare "),
      );
    }
  }
  for (const name of OPAQUE) {
    parts.push(
      `/** Known only to the module. */\ndeclare type ${name} = never;`,
    );
  }
  parts.push("export {};"); // nothing else is exported
  return `${parts.join("\n\n")}\n`;
}
