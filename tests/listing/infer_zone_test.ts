import { assertEquals } from "@std/assert";
import { inferZone } from "../../lib/listing/infer_zone.ts";
import { NOW, readListing } from "../testing/listing_cases.ts";

Deno.test("inferZone finds how far the server is from UTC", () => {
  const table: readonly [
    listed: string,
    mdtm: string,
    zone: number | undefined,
  ][] = [
    ["14:30", "14:30:00", 0],
    ["14:30", "14:30:59", 0],
    ["14:30", "14:29:31", 0],
    ["14:30", "12:30:45", 120],
    ["14:30", "19:30:45", -300],
    ["14:30", "09:00:10", 330],
    ["14:30", "08:45:10", 345],
    ["14:30", "00:30:10", 840],
    ["00:30", "12:30:10", -720],
    ["00:30", "13:30:10", undefined],
    ["14:30", "14:37:30", undefined],
  ];
  for (const [listed, mdtm, zone] of table) {
    const entry = {
      mtime: new Date(`2024-07-01T${listed}:00Z`),
      mtimePrecision: "minute",
    } as const;
    assertEquals(
      inferZone(entry, new Date(`2024-07-01T${mdtm}Z`)),
      zone,
      `${listed} against ${mdtm}`,
    );
  }
});

Deno.test("inferZone says nothing of times that are days, or missing", () => {
  const day = { mtime: NOW, mtimePrecision: "day" } as const;
  const none = { mtime: undefined, mtimePrecision: undefined };
  assertEquals(inferZone(day, NOW), undefined);
  assertEquals(inferZone(none, NOW), undefined);
});

Deno.test("inferZone gives the zone that makes a listing's times right", () => {
  const line = "-rw-r--r-- 1 u g 5 Jun 14 18:05 f";
  const mdtm = new Date("2024-06-14T12:35:42Z");
  const [entry] = readListing(line);
  const zone = inferZone(entry!, mdtm);
  assertEquals(zone, 330);
  const [right] = readListing(line, { zone: zone! });
  assertEquals(right?.mtime, new Date("2024-06-14T12:35:00Z"));
  assertEquals(inferZone(right!, mdtm, zone), 330);
});
