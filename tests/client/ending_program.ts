/** A program that does not call quit(); run by ending_test.ts. */

import { connect } from "../../mod.ts";

const [url, options, verb] = Deno.args as [string, string, string];

try {
  const ftp = await connect(url, JSON.parse(options));
  await ftp.pwd();
  if (verb === "LIST") await Array.fromAsync(ftp.list());
  else await ftp.sendcmd(verb);
  console.log("Done");
} catch (error) {
  console.log(String(error));
}
