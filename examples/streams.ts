/**
 * Uses a file as a web stream with `@std/streams`: counts the lines of a remote
 * text, stores a report next to it, and reads it back.
 *
 *     deno run --allow-net examples/streams.ts ftp://user:password@host/folder data.csv
 *
 * @module
 */

import { TextLineStream, toBytes, toText } from "@std/streams";
import { connect } from "../mod.ts";

const [url, name] = Deno.args;
if (url === undefined || name === undefined) {
  console.error("Usage: streams.ts ftp://user:password@host/folder FILE");
  Deno.exit(2);
}

await using ftp = await connect(url);

let lines = 0;
const text = (await ftp.retrieve(name))
  .pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const _line of text) lines++;

const report = ReadableStream.from([`${name} has ${lines} lines\n`])
  .pipeThrough(new TextEncoderStream());
await ftp.store(`${name}.report`, report);

console.log((await toText(await ftp.retrieve(`${name}.report`))).trimEnd());
const bytes = await toBytes(await ftp.retrieve(name));
console.log(`${name} has ${bytes.length} bytes`);
