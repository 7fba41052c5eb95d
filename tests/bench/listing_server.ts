/**
 * A server of its own process for `listing_calls.ts`: it sends one listing over
 * and over. Arguments: its kind and its number of lines. Prints its port.
 *
 * @module
 */

import { createServer, type Socket } from "node:net";
import { acceptOne } from "../testing/passive_socket.ts";
import { makeMlsd, makeShortMlsd, makeUnix } from "./listing_data.ts";

const [kind, lines] = Deno.args;
const MAKERS: Record<string, (lines: number) => string> = {
  mlsd: makeMlsd,
  short: makeShortMlsd,
  unix: makeUnix,
};
const listing = new TextEncoder().encode(MAKERS[kind!]!(Number(lines)));

function serve(control: Socket): void {
  const say = (line: string) => control.write(`${line}\r\n`);
  let passive: Promise<Socket> | undefined;
  const send = async () => {
    const data = (await passive)!;
    data.on("error", () => {});
    say("150 Here it comes");
    data.end(listing, () => say("226 Done"));
  };
  control.on("error", () => {});
  control.on("data", (bytes) => {
    for (const line of bytes.toString().split("\r\n")) {
      const verb = line.split(" ")[0]!.toUpperCase();
      if (verb === "") continue;
      if (verb === "USER") say("230 In");
      else if (verb === "TYPE" || verb === "OPTS") say("200 Done");
      else if (verb === "PWD") say('257 "/"');
      else if (verb === "QUIT") control.end("221 Bye\r\n");
      else if (verb === "PASV" || verb === "EPSV") {
        passive = acceptOne((port) =>
          say(
            verb === "EPSV"
              ? `229 Entering (|||${port}|)`
              : `227 Entering (127,0,0,1,${port >> 8},${port & 255})`,
          )
        );
      } else if (verb === "MLSD" && kind !== "unix" || verb === "LIST") send();
      else say("502 Unknown");
    }
  });
  say("220 Listings");
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => {
  console.log((server.address() as { port: number }).port);
});
