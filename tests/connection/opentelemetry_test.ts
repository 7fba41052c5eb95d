/** Runs the OpenTelemetry example against a collector in this test. */

import { assert, assertEquals } from "@std/assert";
import { TestServer } from "../../testing.ts";

interface SpanRecord {
  name: string;
  attributes: { key: string; value: Record<string, unknown> }[];
}

Deno.test("opentelemetry.ts sends a span for each command and transfer, without secrets", async () => {
  await using server = await TestServer.start({
    files: { "/a.txt": "a" },
    users: { ann: "s3cret" },
  });
  const bodies: string[] = [];
  await using collector = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      bodies.push(await request.text());
      return Response.json({});
    },
  );
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--allow-net",
      new URL("../../examples/opentelemetry.ts", import.meta.url).href,
      server.url,
    ],
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
    },
  }).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  assertEquals(decoder.decode(stdout), "a.txt\n");
  const spans: SpanRecord[] = bodies.filter((body) =>
    body.includes("resourceSpans")
  ).flatMap((body) =>
    JSON.parse(body).resourceSpans.flatMap((
      { scopeSpans }: { scopeSpans: { spans: SpanRecord[] }[] },
    ) => scopeSpans.flatMap(({ spans }) => spans))
  );
  const names = new Set(spans.map(({ name }) => name));
  for (const name of ["ftp.command USER", "ftp.transfer MLSD"]) {
    assert(names.has(name), `${[...names]}`);
  }
  const user = spans.find(({ name }) => name === "ftp.command USER")!;
  const reply = user.attributes.find(({ key }) => key === "ftp.code")!;
  assertEquals(Number(Object.values(reply.value)[0]), 331);
  assertEquals(bodies.join().includes("s3cret"), false);
});
