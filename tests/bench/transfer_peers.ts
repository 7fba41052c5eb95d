/** Other FTP clients for the work of `download` and `upload`. */

// deno-lint-ignore no-import-prefix -- in the import map, every program would download it
import { Client } from "npm:basic-ftp@6.2.3";
import type { RealServer } from "../testing/servers/mod.ts";

/** One file from or to a server. */
export interface Job {
  readonly server: RealServer;
  /** Path on the server, without a leading slash. */
  readonly remote: string;
  /** Path here. */
  readonly local: string;
}

/**
 * Runs curl, which measures its own time.
 *
 * @returns Milliseconds, without the start of the program
 */
export async function curl(job: Job, isUpload: boolean): Promise<number> {
  const { server, remote, local } = job;
  const output = await run("curl", [
    "-s",
    "-u",
    `${server.user}:${server.password}`,
    isUpload ? "-T" : "-o",
    local,
    "-w",
    isUpload ? "%{stderr}%{time_total}" : "%{stderr}%{time_total}",
    `ftp://${server.host}:${server.port}/${remote}`,
  ]);
  return Number(output) * 1000;
}

const FTPLIB = `
import ftplib, sys, time
way, host, port, user, password, blocksize, remote, local = sys.argv[1:9]
ftp = ftplib.FTP()
ftp.connect(host, int(port)); ftp.login(user, password)
start = time.perf_counter()
if way == "down":
    with open(local, "wb") as file: ftp.retrbinary("RETR " + remote, file.write, int(blocksize))
elif way == "up":
    with open(local, "rb") as file: ftp.storbinary("STOR " + remote, file, int(blocksize))
else:
    for i in range(int(blocksize)):
        with open(f"{local}/{i}", "wb") as file: ftp.retrbinary(f"RETR {remote}/{i}", file.write)
sys.stderr.write(str((time.perf_counter() - start) * 1000))
ftp.quit()
`;

/**
 * ftplib, timed by itself.
 *
 * @param job The file
 * @param way "down", "up", or "many": files 0, 1, 2... of a folder
 * @param blocksize Bytes of a block, or how many files
 * @returns Milliseconds, without start and login
 */
export async function ftplib(
  { server, remote, local }: Job,
  way: "down" | "up" | "many",
  blocksize: number,
): Promise<number> {
  const { host, port, user, password } = server;
  const args = [way, host, port, user, password, blocksize, remote, local];
  return Number(await run("python3", ["-c", FTPLIB, ...args.map(String)]));
}

/**
 * basic-ftp, logged in.
 *
 * @param server The server
 * @returns Its client
 */
export async function basicFtp(server: RealServer): Promise<Client> {
  const client = new Client();
  await client.access({
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
  });
  return client;
}

/** The least that a download takes on this platform. */
export interface BareLoop {
  /** Downloads a file, and checks only the codes of the replies. */
  readonly download: (remote: string, local: string) => Promise<void>;
  /** Closes the connection. */
  readonly close: () => void;
}

/**
 * A loop of `Deno.connect`, read and write, logged in.
 *
 * @param server The server
 * @returns The loop
 */
export async function bareLoop(server: RealServer): Promise<BareLoop> {
  const { host: hostname, port } = server;
  const control = await Deno.connect({ hostname, port });
  control.setNoDelay(true);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  const expect = async (code: number): Promise<string> => {
    while (!text.includes("\r\n")) {
      const n = await control.read(buffer);
      if (n === null) throw new Deno.errors.UnexpectedEof("control");
      text += decoder.decode(buffer.subarray(0, n));
    }
    const end = text.indexOf("\r\n");
    const line = text.slice(0, end);
    text = text.slice(end + 2);
    if (!line.startsWith(`${code} `)) throw new Error(line);
    return line;
  };
  const send = async (line: string, code: number): Promise<string> => {
    await control.write(encoder.encode(`${line}\r\n`));
    return await expect(code);
  };
  await expect(220);
  await send(`USER ${server.user}`, 331);
  await send(`PASS ${server.password}`, 230);
  await send("TYPE I", 200);
  return {
    async download(remote, local) {
      const reply = await send("EPSV", 229);
      const [, digits] = /\|(\d+)\|/.exec(reply)!;
      const data = await Deno.connect({ hostname, port: Number(digits) });
      await send(`RETR ${remote}`, 150);
      using file = Deno.createSync(local);
      for (let n; (n = await data.read(buffer)) !== null;) {
        file.writeSync(buffer.subarray(0, n));
      }
      data.close();
      await expect(226);
    },
    close: () => control.close(),
  };
}

async function run(program: string, args: string[]): Promise<string> {
  const { success, stderr } = await new Deno.Command(program, { args })
    .output();
  const text = new TextDecoder().decode(stderr);
  if (!success) throw new Error(`${program}: ${text}`);
  return text;
}
