import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  PendingCommand,
  PendingCommands,
  type PendingKind,
} from "../../lib/connection/pending_commands.ts";
import { Reply } from "../../lib/protocol/reply.ts";
import { worked } from "../testing/cpu_time.ts";

/**
 * Entries and replies in the order of delivery, and which entry got which final
 * reply.
 */
interface Case {
  name: string;
  kinds: PendingKind[];
  replies: string[];
  /** The final reply of each entry, `undefined` while it is pending. */
  finals: (string | undefined)[];
  /** The first reply of each entry, if it differs. */
  firsts?: (string | undefined)[];
}

const CASES: Case[] = [
  {
    name: "gives each command its reply",
    kinds: ["command", "command", "command"],
    replies: ["200 a", "550 b", "331 c"],
    finals: ["200 a", "550 b", "331 c"],
  },
  {
    name: "keeps a command due after 1yz",
    kinds: ["command", "command"],
    replies: ["150 a", "226 b", "257 c"],
    finals: ["226 b", "257 c"],
    firsts: ["150 a", "257 c"],
  },
  {
    name: "takes several 1yz for one command",
    kinds: ["command", "command"],
    replies: ["150 a", "125 b", "110 c", "226 d"],
    finals: ["226 d", undefined],
    firsts: ["150 a", undefined],
  },
  {
    name: "waits 120 out at the greeting",
    kinds: ["greeting"],
    replies: ["120 a", "120 b", "220 c"],
    finals: ["220 c"],
  },
  {
    name: "takes a greeting that is a refusal",
    kinds: ["greeting"],
    replies: ["120 a", "421 b"],
    finals: ["421 b"],
  },
  {
    name: "drops a stray 2yz before a transfer's 1yz",
    kinds: ["transfer", "command"],
    replies: ["226 stray", "150 a", "226 b", "200 c"],
    finals: ["226 b", "200 c"],
    firsts: ["150 a", "200 c"],
  },
  {
    name: "drops one stray 2yz and no more",
    kinds: ["transfer", "command"],
    replies: ["226 stray", "226 b", "200 c"],
    finals: ["226 b", "200 c"],
  },
  {
    name: "takes a refusal behind a stray",
    kinds: ["transfer"],
    replies: ["226 stray", "550 a"],
    finals: ["550 a"],
  },
  {
    name: "takes a refusal of a transfer",
    kinds: ["transfer", "command"],
    replies: ["425 a", "200 b"],
    finals: ["425 a", "200 b"],
  },
  {
    name: "gives transfer and ABOR one reply each",
    kinds: ["transfer", "command"],
    replies: ["150 a", "426 b", "226 c"],
    finals: ["426 b", "226 c"],
    firsts: ["150 a", "226 c"],
  },
  {
    name: "sees by the fence that one reply was for transfer and ABOR",
    kinds: ["transfer", "command", "fence", "command"],
    replies: ["150 a", "226 b", "200 NOOP", "257 c"],
    finals: ["226 b", "200 NOOP", "200 NOOP", "257 c"],
    firsts: ["150 a", "200 NOOP", "200 NOOP", "257 c"],
  },
  {
    name: "sees by the fence that there were two replies",
    kinds: ["transfer", "command", "fence", "command"],
    replies: ["150 a", "226 b", "225 c", "200 NOOP", "257 d"],
    finals: ["226 b", "225 c", "200 NOOP", "257 d"],
    firsts: ["150 a", "225 c", "200 NOOP", "257 d"],
  },
];

for (const { name, kinds, replies, finals, firsts = finals } of CASES) {
  Deno.test(`PendingCommands ${name}`, async () => {
    const pending = new PendingCommands();
    const entries = kinds.map((kind) =>
      new PendingCommand(() => kind, kind, false)
    );
    for (const entry of entries) pending.add(entry);
    for (const reply of replies) {
      assert(pending.deliver(Reply.from(reply)) !== undefined, reply);
    }
    for (const [index, entry] of entries.entries()) {
      assertEquals(entry.isSettled, finals[index] !== undefined);
      if (firsts[index] !== undefined) {
        assertEquals((await entry.first).text, firsts[index]);
      }
      if (finals[index] !== undefined) {
        assertEquals((await entry.final).text, finals[index]);
      }
    }
    assert(pending.head === entries.find((entry) => !entry.isSettled));
    pending.fail(new Error("the end"));
  });
}

Deno.test("PendingCommands.deliver finds no command for an unexpected reply", () => {
  const pending = new PendingCommands();
  assertEquals(pending.deliver(Reply.from("200 a")), undefined);
  pending.add(new PendingCommand(() => "NOOP", "command", false));
  pending.deliver(Reply.from("200 a"));
  assertEquals(pending.deliver(Reply.from("200 b")), undefined);
});

Deno.test("PendingCommands takes a 2yz as the final reply when no 1yz follows it", async () => {
  const pending = new PendingCommands();
  const transfer = new PendingCommand(() => "RETR x", "transfer", false);
  const next = new PendingCommand(() => "NOOP", "command", false);
  pending.add(transfer);
  pending.add(next);
  pending.deliver(Reply.from("226 a"));
  assertEquals((await transfer.first).text, "226 a");
  assertEquals((await transfer.final).text, "226 a");
  assert(pending.head === next);
});

Deno.test("PendingCommands.fail fails every pending command, and keeps settled ones", async () => {
  const pending = new PendingCommands();
  const [settled, open, waiting] = ["a", "b", "c"].map((command) =>
    new PendingCommand(() => command, "command", false)
  ) as [PendingCommand, PendingCommand, PendingCommand];
  for (const entry of [settled, open, waiting]) pending.add(entry);
  pending.deliver(Reply.from("200 a"));
  pending.deliver(Reply.from("150 b"));
  pending.fail(new Error("the end"));
  assertEquals((await settled.final).text, "200 a");
  assertEquals((await open.first).text, "150 b");
  await assertRejects(() => open.final, Error, "the end");
  await assertRejects(() => waiting.first, Error, "the end");
  assertEquals(pending.head, undefined);
});

Deno.test("PendingCommands delivers a hundred thousand replies in linear time", () => {
  const pending = new PendingCommands();
  const reply = Reply.from("200 a");
  for (let i = 0; i < 100_000; i++) {
    pending.add(new PendingCommand(() => "NOOP", "command", false));
  }
  const start = worked();
  for (let i = 0; i < 100_000; i++) pending.deliver(reply);
  const time = worked() - start;
  assertEquals(pending.head, undefined);
  assert(time < 1000, `took ${time} ms`);
});

/** An `EPSV`, the `PASV` in its place, and a command behind both. */
function replaced() {
  const queue = new PendingCommands();
  const make = (verb: string, kind: PendingKind) => {
    const entry = new PendingCommand(() => verb, kind, false);
    entry.verb = verb;
    return entry;
  };
  const epsv = queue.add(make("EPSV", "passive"));
  const list = queue.add(make("LIST", "transfer"));
  const pasv = queue.replace(make("PASV", "passive"), epsv);
  return { queue, epsv, pasv, list };
}

Deno.test("PendingCommands gives a 227 to PASV and a late 229 to EPSV, whichever comes first", async () => {
  for (const replies of [["229 a", "227 b"], ["227 b", "229 a"]]) {
    const { queue, epsv, pasv, list } = replaced();
    for (const reply of replies) {
      assert(!queue.isMismatched(Reply.from(reply)), reply);
      queue.deliver(Reply.from(reply));
    }
    assertEquals((await epsv.final).text, "229 a");
    assertEquals((await pasv.final).text, "227 b");
    assert(queue.head === list);
  }
});

Deno.test("PendingCommands gives a late 229 to EPSV in the middle of a transfer", async () => {
  const { queue, epsv, list } = replaced();
  for (const reply of ["227 b", "150 c", "229 a", "226 d"]) {
    assert(!queue.isMismatched(Reply.from(reply)), reply);
    queue.deliver(Reply.from(reply));
  }
  assertEquals((await epsv.final).text, "229 a");
  assertEquals((await list.first).text, "150 c");
  assertEquals((await list.final).text, "226 d");
  assertEquals(queue.head, undefined);
  // only once
  assertEquals(queue.deliver(Reply.from("229 a")), undefined);
});

Deno.test("PendingCommands.replace adds PASV behind all where EPSV has its reply", async () => {
  const queue = new PendingCommands();
  const epsv = queue.add(new PendingCommand(() => "EPSV", "passive", false));
  queue.deliver(Reply.from("229 a"));
  const pasv = new PendingCommand(() => "PASV", "passive", false);
  queue.replace(pasv, epsv);
  assert(queue.head === pasv);
  queue.deliver(Reply.from("227 b"));
  assertEquals((await pasv.final).text, "227 b");
  assertEquals(queue.head, undefined);
});
