import { assert, assertEquals } from "@std/assert";
import { changed, Entry } from "../../lib/listing/entry.ts";
import { ListingReader } from "../../lib/listing/listing_reader.ts";

Deno.test("Entry.from() makes an entry of a name alone: a file of which nothing else is known", () => {
  const entry = Entry.from({ name: "a é.txt" });
  assertEquals(entry.name, "a é.txt");
  assertEquals(entry.rawName, new TextEncoder().encode("a é.txt"));
  assertEquals([entry.isFile, entry.isDirectory, entry.isSymlink], [
    true,
    false,
    false,
  ]);
  assertEquals([entry.size, entry.mtime, entry.mtimePrecision, entry.mode], [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert(!entry.hostile);
  assert(Entry.from({ name: "../x" }).hostile);
});

Deno.test("Entry.from() takes each field of an entry that a listing has", () => {
  const reader = new ListingReader({ now: new Date("2024-06-01T00:00:00Z") });
  const bytes = new TextEncoder().encode(
    "lrwxrwxrwx 1 ann staff 7 Mar 25 10:00 latest -> v1.2.tar\r\n",
  );
  const [read] = [...reader.push(bytes), ...reader.end()];
  const entry = Entry.from(read!);
  assert(entry instanceof Entry);
  assertEquals(entry.toJSON(), read!.toJSON());
  assertEquals(entry.rawName, read!.rawName);
});

Deno.test("changed() replaces name, zone and target, and keeps what was replaced before", () => {
  const entry = Entry.from({
    name: "a",
    kind: "symlink",
    mtime: new Date("2024-06-01T12:00:00Z"),
  });
  const raw = new Uint8Array([0x62]);
  const named = new Entry(...changed(entry, { name: { text: "b", raw } }));
  const moved = new Entry(...changed(named, { zone: 120 }));
  const linked = new Entry(...changed(moved, { target: "c" }));
  assertEquals(linked.name, "b");
  assertEquals(linked.rawName, raw);
  assertEquals(linked.linkTarget, "c");
  assertEquals(linked.mtime, new Date("2024-06-01T10:00:00Z"));
  assertEquals([entry.name, entry.linkTarget], ["a", undefined]);
});
