/**
 * A server of its own process for very large listings, so that neither its work
 * nor its memory counts as the client's. It prints its port.
 *
 * The path says what is listed: `/flat/300000` has so many files, `/wide/60000`
 * so many names of 60,000 bytes without end, `/endless` short ones without end.
 * Every file is one byte long, and was changed on 2024-01-01.
 */

import { createServer, type Socket } from "node:net";
import { acceptOne } from "../testing/passive_socket.ts";

/** Bytes that are written at once. */
const CHUNK = 256 * 1024;

const FACTS = "type=file;size=1;modify=20240101000000; ";

function* namesOf(path: string): Generator<string> {
  const [, kind, count = "0"] = path.split("/");
  if (kind === "flat") {
    for (let i = 0; i < Number(count); i++) {
      yield `file-${String(i).padStart(7, "0")}.data`;
    }
  } else if (kind === "wide" || kind === "endless") {
    const filler = "x".repeat(Number(count));
    for (let i = 0;; i++) yield `${i}${filler}`;
  }
}

function* chunksOf(path: string, prefix: string): Generator<string> {
  let text = "";
  for (const name of namesOf(path)) {
    text += `${prefix}${name}\r\n`;
    if (text.length < CHUNK) continue;
    yield text;
    text = "";
  }
  yield text;
}

async function send(socket: Socket, chunks: Iterable<string>): Promise<void> {
  for (const chunk of chunks) {
    if (socket.destroyed) return;
    if (socket.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      socket.once("drain", resolve);
      socket.once("close", resolve);
    });
  }
  socket.end();
}

function serve(control: Socket): void {
  let directory = "/";
  let passive: Promise<Socket> | undefined;
  let data: Socket | undefined;
  let isAborted = false;
  const say = (line: string) => control.write(`${line}\r\n`);
  const absolute = (path: string) =>
    path.startsWith("/")
      ? path
      : path === ""
      ? directory
      : `${directory.replace(/\/$/, "")}/${path}`;
  const list = async (path: string, prefix: string): Promise<void> => {
    say("150 Here it comes");
    const socket = data = (await passive)!;
    socket.on("error", () => {});
    await send(socket, chunksOf(path, prefix));
    data = undefined;
    if (socket.writableEnded) return void say("226 Done");
    say("426 Aborted");
    if (isAborted) say("226 Done");
    isAborted = false;
  };
  const handle = (line: string): void => {
    const [verb = "", ...words] = line.split(" ");
    const argument = absolute(words.join(" "));
    switch (verb.toUpperCase()) {
      case "USER":
        return void say("230 In");
      case "TYPE":
      case "NOOP":
        return void say("200 Done");
      case "PWD":
        return void say(`257 "${directory}"`);
      case "CWD":
        if (/\.data$/.test(argument)) return void say("550 No such directory");
        directory = argument;
        return void say("250 Done");
      case "EPSV":
        passive = acceptOne((port) => say(`229 Entering (|||${port}|)`));
        return;
      case "MLSD":
        return void list(argument, FACTS);
      case "LIST":
        return void list(argument, "-rw-r--r-- 1 owner group 1 Jan  1  2024 ");
      case "NLST":
        return void list(argument, "");
      case "SIZE":
        return void say("213 1");
      case "MDTM":
        return void say("213 20240101000000");
      case "MLST":
        return void say(`550 No such file`);
      case "RMD":
        return void say("250 Gone");
      case "DELE":
        return void say(
          /\.data$/.test(argument) ? "250 Gone" : "550 Is a directory",
        );
      case "ABOR":
        isAborted = data !== undefined;
        if (data === undefined) say("226 Done");
        data?.destroy();
        return;
      case "QUIT":
        say("221 Bye");
        return void control.end();
      default:
        return void say("502 Unknown");
    }
  };
  let rest = "";
  control.setEncoding("utf8");
  control.on("error", () => {});
  control.on("close", () => data?.destroy());
  control.on("data", (text: string) => {
    const lines = (rest + text).split("\r\n");
    rest = lines.pop()!;
    for (const line of lines) handle(line);
  });
  say("220 Big");
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => {
  console.log((server.address() as { port: number }).port);
});
