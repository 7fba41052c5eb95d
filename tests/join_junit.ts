/**
 * Joins JUnit reports.
 *
 * @module
 */

/**
 * Joins the test suites of several reports.
 *
 * @param paths The reports; a process that crashed has none
 */
export async function joinJUnit(paths: readonly string[]): Promise<string> {
  const suites: string[] = [];
  const sums = { tests: 0, failures: 0, errors: 0 };
  for (const path of paths) {
    let text: string;
    try {
      text = await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    const [, head, body] =
      /<testsuites ([^>]*)>\n?([^]*)<\/testsuites>/.exec(text) ?? [];
    if (head === undefined || body === undefined) continue;
    suites.push(body);
    for (const key of ["tests", "failures", "errors"] as const) {
      sums[key] += Number(new RegExp(`${key}="(\\d+)"`).exec(head)?.[1] ?? 0);
    }
  }
  return '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<testsuites name="deno test" tests="${sums.tests}" failures="${sums.failures}" errors="${sums.errors}">\n` +
    `${suites.join("")}</testsuites>\n`;
}
