/** Serves the repository's files over HTTP, like a host that users import from. */

const ROOT = new URL("../../", import.meta.url);

const TYPES = new Map([
  ["ts", "application/typescript"],
  ["js", "text/javascript"],
]);

/** A running HTTP server. */
export interface RepositoryServer extends AsyncDisposable {
  /** Host and port. */
  readonly origin: string;
  /** The paths of the requests. */
  readonly asked: string[];
}

/**
 * Starts an HTTP server for the files of the repository.
 *
 * @param options.delay Milliseconds before each response
 */
export function serveRepository(
  { delay = 0 }: { delay?: number } = {},
): RepositoryServer {
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      if (delay > 0) await new Promise((end) => setTimeout(end, delay));
      try {
        const bytes = await Deno.readFile(new URL(`.${pathname}`, ROOT));
        const type = TYPES.get(pathname.split(".").at(-1)!) ??
          "application/octet-stream";
        return new Response(bytes, { headers: { "content-type": type } });
      } catch {
        return new Response(null, { status: 404 });
      }
    },
  );
  return {
    origin: `127.0.0.1:${server.addr.port}`,
    asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
