/** A program with limited permissions; run by permission_test.ts. */

import { connect } from "../../mod.ts";
import { dialPeer } from "../../lib/connection/dial.ts";

const [call, host, port, path, kind] = Deno.args as [
  string,
  string,
  string,
  string,
  string,
];

try {
  if (call === "dialPeer") {
    const options = { timeout: 5000 };
    const stream = await dialPeer("127.0.0.2", Number(port), host, options);
    stream.close();
  } else if (call === "download") {
    await using ftp = await connect(host, { port: Number(port) });
    const { verified } = await ftp.download("a", path, {
      atomic: kind !== "in place",
      resume: kind === "resume",
    });
    console.log(verified);
  } else {
    await using ftp = await connect(host, { port: Number(port) });
    const [first] = await Array.fromAsync(ftp.list());
    const text = await new Response(await ftp.retrieve(first!.name)).text();
    console.log(first!.name, text);
  }
} catch (error) {
  console.log(String(error));
}
