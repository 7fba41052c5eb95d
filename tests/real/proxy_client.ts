/** A program that may only connect to a proxy; run by proxy_test.ts. */

import { connect } from "../../mod.ts";

const [proxy, host, port, user, password] = Deno.args;

try {
  await using ftp = await connect(host!, {
    port: Number(port),
    user,
    password,
    proxy,
  });
  const [first] = await Array.fromAsync(ftp.list());
  const text = await new Response(await ftp.retrieve(first!.name)).text();
  console.log(first!.name, text);
} catch (error) {
  console.log(String(error));
}
