import { assertEquals } from "@std/assert";
import { maskCommand, parseCommand } from "../../lib/protocol/command.ts";
import { Secrets } from "../../lib/protocol/redaction.ts";

/** A sent command, a reply, and its masked text. */
const TEXTS: [sent: string, said: string, shown: string][] = [
  ["PASS hunter2", "530 bob, 'hunter2' is wrong", "530 bob, '****' is wrong"],
  ["PASS hunter2", "530 bob:hunter22HUNTER2", "530 bob:****2****"],
  ["pass hunter2", "500-PASS hunter2\n500 What?", "500-PASS ****\n500 What?"],
  ["ACCT a.b$", "530 a.b$ axb$", "530 **** axb$"],
  ["PASS p/w @", "530 p%2Fw%20%40 p/w @", "530 **** ****"],
  ["PASS pässe", "530 PÄSSE p%C3%A4sse", "530 **** ****"],
  ["PASS \uDC80abc", "530 \uDC80abc", "530 ****"],
  ["SITE PSWD older newer", "501 older, newer?", "501 ****, ****?"],
  [
    "PASS abc",
    "530 abc abcd dabc abc_ (abc)",
    "530 **** abcd dabc abc_ (****)",
  ],
  ["PASS\thunter2", "500 PASS hunter2: what?", "500 PASS ****: what?"],
  [" PASS\vhunter2 x", "500 hunter2 x, hunter2", "500 ****, hunter2"],
  ["SITE\tPSWD\tolder newer", "501 older, newer?", "501 ****, ****?"],
  ["PASSIVE hunter2", "500 hunter2", "500 hunter2"],
  ["XPASS hunter2", "530 hunter2", "530 ****"],
  ["xpass  hunter2", "530 hunter2", "530 ****"],
  ["PASSWD hunter2", "500 hunter2", "500 ****"],
  ["PASS -hunter2", "530 hunter2", "530 ****"],
  ["SITE  CHPASS bob hunter2", "500 bob hunter2", "500 bob ****"],
  ["site\tchpass\tbob\thunter2", "500 bob hunter2", "500 bob ****"],
  ["SITE ADDUSER bob hunter2 *@*", "500 bob hunter2 *@*", "500 bob **** ****"],
  ["SITE GADDUSER dev bob hunter2", "500 dev bob hunter2", "500 dev bob ****"],
  ["SITE PASSWD hunter2", "500 hunter2", "500 ****"],
  ["SITE PASS hunter2", "500 hunter2", "500 ****"],
  ["SITE PSWD old-one hunter2", "500 old-one hunter2", "500 **** ****"],
  ["SITE GPASS hunter2", "500 hunter2", "500 ****"],
  ["SITE CHPASS hunter2", "500 hunter2", "500 ****"],
  ["MIC aHVudGVyMg==", "500 aHVudGVyMg==", "500 ****"],
  ["PASS a", "530 Not a user", "530 Not a user"],
  ["PASS", "530 No password", "530 No password"],
  ["USER hunter2", "530 No hunter2 here", "530 No hunter2 here"],
  ["CWD x", "550 ftp://u:hunter2@host/x: no", "550 ftp://u:****@host/x: no"],
];

for (const [sent, said, shown] of TEXTS) {
  Deno.test(`Secrets masks ${JSON.stringify(said)} after "${sent}"`, () => {
    const secrets = new Secrets();
    secrets.note(parseCommand(sent));
    assertEquals(secrets.mask(said), shown);
  });
}

Deno.test("Secrets tells which command holds one", () => {
  const secrets = new Secrets();
  const lines = ["USER bob", "PASS", "PASS x", "acct x", "SITE HELP", "ADAT x"];
  assertEquals(
    lines.filter((line) => secrets.note(parseCommand(line))),
    ["PASS x", "acct x", "ADAT x"],
  );
});

Deno.test("Secrets remembers the latest, and those that hold others", () => {
  const secrets = new Secrets();
  for (let i = 0; i < 100; i++) {
    secrets.note({ verb: "PASS", argument: `secret-${i}` });
  }
  secrets.note({ verb: "PASS", argument: "secret-99-long" });
  assertEquals(
    secrets.mask("secret-10 secret-98 secret-99-long"),
    "secret-10 **** ****",
  );
});

/** A command, and what is shown of it. */
const MASKED: [line: string, shown: string][] = [
  ["XPASS hunter2", "XPASS ****"],
  ["sItE  ChPaSs bob hunter2", "sItE  ChPaSs ****"],
  ["SITE ADDUSER bob hunter2", "SITE ADDUSER ****"],
  ["SITE GADDUSER dev bob hunter2", "SITE GADDUSER ****"],
  ["SITE PSWD a hunter2", "SITE PSWD ****"],
  ["SITE LOGIN bob hunter2", "SITE LOGIN ****"],
  ["\tSITE\tPSWD\thunter2", "SITE\tPSWD ****"],
  ["MIC hunter2", "MIC ****"],
  ["ENC hunter2", "ENC ****"],
  ["USER bob:hunter2@host", "USER bob:****@host"],
  ["user bob:hun@ter2@host:21", "user bob:****@host:21"],
  ["OPEN bob:hunter2@host", "OPEN bob:****@host"],
  ["SITE OPEN bob:hunter2@host", "SITE OPEN bob:****@host"],
  ["USER bob@host", "USER bob@host"],
  ["USER ftp://bob:hunter2@host", "USER ftp://bob:****@host"],
  ["RETR 12:30@noon", "RETR 12:30@noon"],
  ["SITE CHMOD 644 a:b", "SITE CHMOD 644 a:b"],
  ["SITE HELP", "SITE HELP"],
];

for (const [line, shown] of MASKED) {
  Deno.test(`maskCommand shows ${JSON.stringify(line)} without its secrets`, () => {
    assertEquals(maskCommand(line), shown);
  });
}
