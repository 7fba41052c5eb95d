/**
 * The replies of the test server without a script: a small FTP server with
 * files in memory.
 *
 * @module
 */

import { receiveThrough, sendThrough } from "./faults.ts";
import { concat, toBytes } from "./peer.ts";
import type { Handler, Turn } from "./session.ts";

/** The time of every file, as MDTM and the facts of MLSD write it. */
const MODIFIED = "20240229123456";

/** Handlers by verb. */
export const DEFAULTS: Readonly<Record<string, Handler>> = {
  CONNECT: (turn) => turn.reply(220, "Scripted server ready"),
  async USER(turn) {
    const { server, session } = turn;
    session.isLoggedIn = false;
    session.user = turn.argument;
    const isClear = server.tls?.required === true && !session.isSecured;
    await (isClear
      ? turn.reply(530, "TLS is required")
      : turn.reply(331, "Password required"));
  },
  async PASS(turn) {
    const { server: { users }, session } = turn;
    const isKnown = users === undefined ||
      Object.hasOwn(users, session.user) &&
        users[session.user] === turn.argument;
    session.isLoggedIn = isKnown;
    await (isKnown
      ? turn.reply(230, "Logged in")
      : turn.reply(530, "Login incorrect"));
  },
  async AUTH(turn) {
    const { server: { tls }, session } = turn;
    if (tls === undefined) return await turn.reply(502, "Not implemented");
    await turn.reply(234, "TLS begins");
    session.secure(tls);
  },
  PBSZ: (turn) =>
    turn.server.tls === undefined
      ? turn.reply(502, "Not implemented")
      : turn.reply(200, "PBSZ=0"),
  async PROT(turn) {
    if (turn.server.tls === undefined) {
      return await turn.reply(502, "Not implemented");
    }
    turn.session.isProtected = turn.argument.toUpperCase() === "P";
    await turn.reply(200, "Protection set");
  },
  ACCT: (turn) => turn.reply(230, "Logged in"),
  NOOP: (turn) => turn.reply(200, "Done nothing"),
  TYPE: (turn) => turn.reply(200, `Type set to ${turn.argument}`),
  MODE: (turn) => turn.reply(200, "Mode set"),
  STRU: (turn) => turn.reply(200, "Structure set"),
  OPTS: (turn) => turn.reply(200, "Options set"),
  ALLO: (turn) => turn.reply(202, "No storage needed"),
  SYST: (turn) => turn.reply(215, "UNIX Type: L8"),
  FEAT: (turn) =>
    turn.raw(
      "211-Features:\r\n EPSV\r\n EPRT\r\n MDTM\r\n MFMT\r\n MLST type*;size*;modify*;\r\n" +
        " REST STREAM\r\n SIZE\r\n UTF8\r\n211 End\r\n",
    ),
  async QUIT(turn) {
    await turn.reply(221, "Goodbye");
    turn.close();
  },
  async ABOR(turn) {
    turn.session.aborted = false;
    await turn.reply(226, "Aborted");
  },
  async REST(turn) {
    turn.session.restart = Number(turn.argument);
    await turn.reply(350, `Restarting at ${turn.argument}`);
  },

  async EPSV(turn) {
    await turn.reply(
      229,
      `Entering extended passive mode (|||${await turn.session.dataPort
        .listen()}|)`,
    );
  },
  async PASV(turn) {
    if (turn.server.host.includes(":")) {
      return await turn.reply(522, "Use EPSV");
    }
    const port = await turn.session.dataPort.listen();
    const numbers = [...turn.server.host.split("."), port >> 8, port & 255];
    await turn.reply(227, `Entering passive mode (${numbers.join(",")})`);
  },
  async PORT(turn) {
    const numbers = turn.argument.split(",").map(Number);
    turn.session.dataPort.setTarget(
      numbers.slice(0, 4).join("."),
      numbers[4]! * 256 + numbers[5]!,
    );
    await turn.reply(200, "Port set");
  },
  async EPRT(turn) {
    const [, , host, port] = turn.argument.split(turn.argument[0]!);
    turn.session.dataPort.setTarget(host!, Number(port));
    await turn.reply(200, "Port set");
  },

  PWD: (turn) =>
    turn.reply(
      257,
      `"${turn.session.folder.replaceAll('"', '""')}" is the current folder`,
    ),
  CWD: (turn) => changeFolder(turn, resolvePath(turn, turn.argument)),
  CDUP: (turn) => changeFolder(turn, resolvePath(turn, "..")),
  async MKD(turn) {
    const path = resolvePath(turn, turn.argument);
    if (turn.server.folders.has(path)) {
      return await turn.reply(550, "It exists");
    }
    turn.server.folders.add(path);
    await turn.reply(257, `"${path.replaceAll('"', '""')}" created`);
  },
  async RMD(turn) {
    const path = resolvePath(turn, turn.argument);
    const { folders } = turn.server;
    if (!folders.has(path)) return await turn.reply(550, "No such folder");
    const isEmpty = namesIn(turn, path).length === 0;
    if (!isEmpty) return await turn.reply(550, "The folder is not empty");
    folders.delete(path);
    await turn.reply(250, "Removed");
  },
  async DELE(turn) {
    const gone = turn.server.files.delete(resolvePath(turn, turn.argument));
    await (gone ? turn.reply(250, "Deleted") : turn.reply(550, "No such file"));
  },
  async RNFR(turn) {
    const path = resolvePath(turn, turn.argument);
    if (!turn.server.files.has(path) && !turn.server.folders.has(path)) {
      return await turn.reply(550, "No such file");
    }
    turn.session.renameFrom = path;
    await turn.reply(350, "Ready for RNTO");
  },
  async RNTO(turn) {
    const from = turn.session.renameFrom;
    if (from === undefined) return await turn.reply(503, "RNFR first");
    turn.session.renameFrom = undefined;
    const { files, folders } = turn.server;
    const to = resolvePath(turn, turn.argument);
    const moved = (path: string) => to + path.slice(from.length);
    const isMoved = (path: string) =>
      path === from || path.startsWith(`${from}/`);
    if (folders.has(from) && (files.has(to) || folders.has(to))) {
      return await turn.reply(553, "It exists");
    }
    for (const path of [...folders].filter(isMoved)) {
      folders.delete(path);
      folders.add(moved(path));
    }
    for (const [path, content] of [...files]) {
      if (!isMoved(path)) continue;
      files.delete(path);
      turn.server.put(moved(path), content);
    }
    await turn.reply(250, "Renamed");
  },
  async SIZE(turn) {
    const file = turn.server.files.get(resolvePath(turn, turn.argument));
    await (file === undefined
      ? turn.reply(550, "No such file")
      : turn.reply(213, String(file.length)));
  },
  async MDTM(turn) {
    const exists = turn.server.files.has(resolvePath(turn, turn.argument));
    await (exists
      ? turn.reply(213, MODIFIED)
      : turn.reply(550, "No such file"));
  },
  MFMT: (turn) => turn.reply(213, `Modify=${turn.argument.replace(" ", "; ")}`),
  async MLST(turn) {
    const path = resolvePath(turn, turn.argument);
    if (!turn.server.files.has(path) && !turn.server.folders.has(path)) {
      return await turn.reply(550, "No such file");
    }
    await turn.raw(
      `250-Listing\r\n ${factsOf(turn, path)} ${path}\r\n250 End\r\n`,
    );
  },

  MLSD: (turn) => list(turn, (path, name) => `${factsOf(turn, path)} ${name}`),
  NLST: (turn) => list(turn, (_path, name) => name),
  LIST: (turn) =>
    list(turn, (path, name) => {
      const file = turn.server.files.get(path);
      const kind = file === undefined ? "drwxr-xr-x 2" : "-rw-r--r-- 1";
      return `${kind} owner group ${
        String(file?.length ?? 4096).padStart(12)
      } Feb 29  2024 ${name}`;
    }),

  async RETR(turn) {
    const file = turn.server.files.get(resolvePath(turn, turn.argument));
    if (file === undefined) return await turn.reply(550, "No such file");
    await send(
      turn,
      file.subarray(turn.session.restart),
      `(${file.length} bytes)`,
    );
  },
  STOR: (turn) =>
    receive(turn, resolvePath(turn, turn.argument), turn.session.restart),
  APPE: (turn) => receive(turn, resolvePath(turn, turn.argument), Infinity),
  STOU: (turn) =>
    receive(turn, resolvePath(turn, `unique${turn.server.files.size}`), 0),
};

/** Resolves an argument to an absolute path. */
function resolvePath({ session }: Turn, argument: string): string {
  const parts: string[] = [];
  const path = argument.startsWith("/")
    ? argument
    : `${session.folder}/${argument}`;
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

async function changeFolder(turn: Turn, path: string): Promise<void> {
  if (!turn.server.folders.has(path)) {
    return await turn.reply(550, "No such folder");
  }
  turn.session.folder = path;
  await turn.reply(250, `Folder is ${path}`);
}

/** Returns the names in a directory, sorted. */
function namesIn({ server }: Turn, folder: string): string[] {
  const prefix = folder === "/" ? "/" : `${folder}/`;
  return [...server.files.keys(), ...server.folders]
    .filter((path) => path.startsWith(prefix) && path !== prefix)
    .map((path) => path.slice(prefix.length))
    .filter((name) => !name.includes("/"))
    .sort();
}

function factsOf({ server }: Turn, path: string): string {
  const file = server.files.get(path);
  return file === undefined
    ? `type=dir;modify=${MODIFIED};`
    : `type=file;size=${file.length};modify=${MODIFIED};`;
}

async function list(
  turn: Turn,
  format: (path: string, name: string) => string,
): Promise<void> {
  const path = resolvePath(turn, turn.argument.replace(/^-\S+ ?/, ""));
  if (turn.server.files.has(path)) {
    return await send(turn, `${format(path, turn.argument)}\r\n`);
  }
  if (!turn.server.folders.has(path)) {
    return await turn.reply(550, "No such folder");
  }
  const lines = namesIn(turn, path).map((name) =>
    `${format(`${path === "/" ? "" : path}/${name}`, name)}\r\n`
  );
  await send(turn, lines.join(""));
}

async function send(
  turn: Turn,
  content: string | Uint8Array,
  note = "",
): Promise<void> {
  await transfer(turn, note, async () => {
    const data = await turn.openData();
    await sendThrough(turn.session.fault, data, toBytes(content));
    data.close();
    await data.closed;
  });
}

async function receive(
  turn: Turn,
  path: string,
  offset: number,
): Promise<void> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  await transfer(
    turn,
    turn.verb === "STOU" ? `FILE: ${name}` : "",
    async () => {
      const data = await turn.openData();
      const bytes = await receiveThrough(turn.session.fault, data);
      const before = turn.server.files.get(path) ?? new Uint8Array();
      turn.server.put(path, concat([before.subarray(0, offset), bytes]));
      data.close();
      await data.closed;
    },
  );
}

/**
 * Replies with 150, transfers the data, and replies with 226, or with 426 after
 * `ABOR` or a failed data connection.
 */
async function transfer(
  turn: Turn,
  note: string,
  move: () => Promise<void>,
): Promise<void> {
  const { session } = turn;
  if (!session.dataPort.isReady) {
    return await turn.reply(425, "Use EPSV or PASV first");
  }
  session.transferring = true;
  await turn.reply(150, `Opening data connection ${note}`.trimEnd());
  const moved = await move().then(() => true, () => false);
  session.restart = 0;
  session.transferring = false;
  session.fault = undefined;
  await (moved && !session.aborted
    ? turn.reply(226, "Transfer complete")
    : turn.reply(426, "Transfer aborted"));
}
