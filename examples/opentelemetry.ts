/**
 * Creates an OpenTelemetry span for each command and transfer, with Deno's
 * tracer and without packages.
 *
 *     OTEL_DENO=true OTEL_SERVICE_NAME=fetch deno run --allow-net examples/opentelemetry.ts ftp://host/pub
 *
 * @module
 */

import { subscribe } from "node:diagnostics_channel";
import { connect, type DiagnosticEvents } from "../mod.ts";

/** The part of Deno's tracer that is used. */
interface Span {
  setAttribute(name: string, value: string | number): void;
  setStatus(status: { code: number; message?: string }): void;
  end(): void;
}

/** The status of a span that failed (`SpanStatusCode.ERROR`). */
const ERROR = 2;

const { tracerProvider } = Deno.telemetry as unknown as {
  tracerProvider: {
    getTracer(name: string): { startSpan(name: string): Span };
  };
};
const tracer = tracerProvider.getTracer("ftp");

for (const name of ["ftp:command", "ftp:transfer"]) {
  const spans = new Map<number, Span>();
  subscribe(name, (message) => {
    const event = message as
      & Partial<DiagnosticEvents["ftp:transfer"]>
      & DiagnosticEvents["ftp:command"];
    const { phase, id, command, code } = event;
    if (phase === "start") {
      const verb = command.split(" ", 1)[0]!;
      const span = tracer.startSpan(`${name.replace(":", ".")} ${verb}`);
      span.setAttribute("ftp.command", command); // secrets are masked
      spans.set(id, span);
      return;
    }
    const span = spans.get(id);
    spans.delete(id);
    if (code !== undefined) span?.setAttribute("ftp.code", code);
    if (event.bytes !== undefined) span?.setAttribute("ftp.bytes", event.bytes);
    if (phase === "error" || (code ?? 0) >= 400) {
      span?.setStatus({ code: ERROR, message: event.message ?? `${code}` });
    }
    span?.end();
  });
}

await using ftp = await connect(Deno.args[0] ?? "ftp://ftp.example.com");
for await (const { name } of ftp.list()) console.log(name);
