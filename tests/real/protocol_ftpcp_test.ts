import { assertEquals, assertRejects } from "@std/assert";
import { ftpcp, FTPError } from "../../mod.ts";
import {
  isIgnored,
  type ServerName,
  startServer,
} from "../testing/servers/mod.ts";
import { bytes, logIn, makeData } from "./client.ts";

const DATA = makeData(500_000);

/** Settings for transfers between servers. */
const FOREIGN: Partial<Record<ServerName, readonly string[]>> = {
  vsftpd: ["pasv_promiscuous=YES", "port_promiscuous=YES"],
  proftpd: ["AllowForeignAddress on"],
};

for (
  const [from, to] of [
    ["vsftpd", "proftpd"],
    ["proftpd", "vsftpd"],
    ["vsftpd", "vsftpd"],
    ["proftpd", "proftpd"],
  ] as const
) {
  Deno.test({
    name: `ftpcp copies from ${from} to ${to}`,
    ignore: isIgnored(from) || isIgnored(to),
    fn: async () => {
      await using source = await startServer(from, { extra: FOREIGN[from]! });
      await using target = await startServer(to, { extra: FOREIGN[to]! });
      await source.write("data.bin", DATA);
      await using one = await logIn(source);
      await using two = await logIn(target);
      await ftpcp(one, "data.bin", two, "copy.bin");
      assertEquals(await target.read("copy.bin"), DATA);
      await source.write("text", "one\ntwo\n");
      await ftpcp(one, "text", two, "copy.txt", "A");
      assertEquals(await target.read("copy.txt"), bytes("one\ntwo\n"));

      await assertRejects(
        () => ftpcp(one, "missing", two, "copy"),
        FTPError,
        "550",
      );
      assertEquals([await one.pwd(), await two.pwd()], ["/", "/"]);
      await ftpcp(one, "data.bin", two, "again.bin");
      assertEquals(await target.read("again.bin"), DATA);
    },
  });
}
