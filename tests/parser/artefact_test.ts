import { assertEquals, assertThrows } from "@std/assert";

const PAGE = 65_536;
const wasm = await Deno.readFile(
  new URL("../../parser/parser.wasm", import.meta.url),
);

Deno.test("parser.wasm imports nothing", () => {
  assertEquals(WebAssembly.Module.imports(new WebAssembly.Module(wasm)), []);
});

Deno.test("parser.wasm exports its memory and functions, nothing else", () => {
  const exports = WebAssembly.Module.exports(new WebAssembly.Module(wasm));
  assertEquals(
    exports.filter(({ kind }) => kind !== "function"),
    [{ name: "memory", kind: "memory" }],
  );
  const names = exports.map(({ name }) => name);
  for (
    const name of [
      "inputAddress",
      "inputSize",
      "replyCodesAddress",
      "replyEndsAddress",
      "replyStartsAddress",
      "scanReplies",
      "stateAddress",
    ]
  ) {
    assertEquals(names.includes(name), true, name);
  }
});

Deno.test("parser.wasm has memory of a fixed size", () => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm));
  const memory = exports.memory as WebAssembly.Memory;
  assertEquals(memory.buffer.byteLength % PAGE, 0);
  assertThrows(() => memory.grow(1), RangeError);
});
