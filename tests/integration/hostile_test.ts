import { assert } from "../support/assert.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { Wire } from "../support/wire.ts";

const TORTURE = new URL("../../../shared/torture/", import.meta.url);
const hasTorture = await isFolder(TORTURE);

/** Mutated messages that are sent. */
const MUTATIONS = 100_000;

/** Of them, those after which memory is measured first, when everything has been used once. */
const WARM_UP = 20_000;

/** Bytes the rest may add: no more than the garbage of a moment. */
const GROWTH_LIMIT = 96 << 20;

async function isFolder(url: URL): Promise<boolean> {
  try {
    return (await Deno.stat(url)).isDirectory;
  } catch {
    console.log("../shared/torture is not there: the RFC 4475 messages are not sent");
    return false;
  }
}

const latin1 = new TextDecoder("latin1");

function callIdOf(text: string): string {
  return /^(?:Call-ID|i) *: *(\S+)/mi.exec(text)?.[1] ?? "";
}

/** The server answers to where a packet came from: that is here, whatever the Vias of these messages say. */
const ANSWER_HERE = ["--transport.udp.forceRport", "true"];

/** The statuses that each reaction of the folder's table stands for; "" is silence. */
function statusesOf(reaction: string): RegExp {
  if (reaction.includes("(response)")) return /^$/;
  if (reaction.includes("registrar 400")) return /^400$/;
  if (reaction.startsWith("valid") || reaction.startsWith("forward")) return /^(?!400|5)/;
  if (/^400 (or|stateless)/.test(reaction)) return /^(400|403|404|484)$/;
  if (reaction.startsWith("501")) return /^(400|501)$/;
  if (reaction.startsWith("invalid")) return /^(400)?$/;
  return new RegExp(`^${reaction.slice(0, 3)}$`);
}

Deno.test({
  name: "each torture message gets the reaction it deserves over a socket",
  ignore: !hasTorture,
  fn: async () => {
    await using server = await SluiceProcess.start(ANSWER_HERE);
    const wire = new Wire(server.address);
    const table = await Deno.readTextFile(new URL("README.md", TORTURE));
    const rows = [...table.matchAll(/^\| (\w+\.dat) \| [^|]* \| [^|]* \| ([^|]+?) \|/gm)];
    assert(rows.length >= 50, "the table could be read");
    const wrong: string[] = [];
    const earlier = new Set<string>();
    for (const [, file, reaction] of rows) {
      const bytes = await Deno.readFile(new URL(file, TORTURE));
      await wire.send(bytes);
      // What is relayed may be answered when later ones have been sent.
      const answers = (await wire.answersUntilProbe()).filter((text) => !earlier.has(callIdOf(text)));
      earlier.add(callIdOf(latin1.decode(bytes)));
      const statuses = answers.map((text) => text.slice(8, 11)).filter((status) => status !== "100");
      if (!statusesOf(reaction).test(statuses[0] ?? "")) wrong.push(`${file} (${reaction}): ${statuses}`);
    }
    wire.close();
    assert(wrong.length === 0, wrong.join("\n"));
  },
});

/** Messages to start from; nobody is registered under the names that are called. */
const SEEDS = [
  "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5061;rport;branch=z9hG4bKaaa\r\n" +
  'Max-Forwards: 70\r\nFrom: "A" <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\nCall-ID: aaa@127.0.0.1\r\n' +
  "CSeq: 1 REGISTER\r\nContact: <sip:a@127.0.0.1:5061>;expires=60;q=0.5, <sip:b@127.0.0.1>\r\nContent-Length: 0\r\n\r\n",
  "INVITE sip:nobody@example.com SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKbbb\r\nMax-Forwards: 70\r\n" +
  "f: <sip:c@example.com>;tag=2\r\nt: <sip:nobody@example.com>\r\ni: bbb\r\nCSeq: 1 INVITE\r\nm: <sip:c@127.0.0.1>\r\n" +
  "c: application/sdp\r\nl: 10\r\n\r\nv=0\r\no=- 1\r\n",
  "BYE sip:nobody@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKccc\r\nRoute: <sip:127.0.0.1;lr>\r\n" +
  "Max-Forwards: 1\r\nFrom: <sip:c@example.com>;tag=3\r\nTo: <sip:d@example.com>;tag=4\r\nCall-ID: ccc\r\nCSeq: 2 BYE\r\n\r\n",
  "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKddd\r\nVia: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKe\r\n" +
  "From: <sip:c@example.com>;tag=5\r\nTo: <sip:d@example.com>;tag=6\r\nCall-ID: ddd\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
  "SUBSCRIBE sip:nobody@[::1]:5060;transport=udp SIP/2.0\r\nVia: SIP/2.0/UDP [::1]:5061;received=[::1];branch=z9hG4bKf\r\n" +
  "Max-Forwards: 70\r\nFrom: sip:e@example.com;tag=7\r\nTo: sip:nobody@example.com\r\nCall-ID: fff\r\nCSeq: 1 SUBSCRIBE\r\n" +
  "Supported: path,\r\n gruu\r\nEvent: reg\r\nContent-Length:0\r\n\r\n",
].map((text) => new TextEncoder().encode(text));

/** Numbers that look random and are the same in every run (xorshift). */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** A message with some bytes changed, taken out, put in, or repeated. */
function mutated(bytes: Uint8Array, random: (limit: number) => number): Uint8Array {
  let out = Array.from(bytes);
  for (let edits = 1 + random(6); edits > 0; edits--) {
    const at = random(out.length + 1);
    const length = random(40);
    switch (random(6)) {
      case 0:
        out[Math.min(at, out.length - 1)] = random(256);
        break;
      case 1:
        out.splice(at, length);
        break;
      case 2:
        out.splice(at, 0, ...Array.from({ length }, () => random(256)));
        break;
      case 3:
        out.splice(at, 0, ...out.slice(random(out.length + 1)).slice(0, length * 10));
        break;
      case 4:
        out.splice(at, 0, '"<>;,=:@%\r\n '.charCodeAt(random(12)));
        break;
      default:
        out = out.slice(0, Math.max(at, 1));
    }
    if (out.length === 0) out = [0];
  }
  return Uint8Array.from(out.slice(0, 60_000));
}

/** Bytes of memory the process holds. */
async function residentBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
}

Deno.test({
  name: "a hundred thousand mutated messages leave the server answering, and its memory where it was",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using server = await SluiceProcess.start([
      ...ANSWER_HERE,
      "--timers.t1",
      "10",
      "--timers.t2",
      "10",
    ]);
    const wire = new Wire(server.address);
    const random = randomNumbers(0x5150);
    let before = 0;
    for (let sent = 0; sent < MUTATIONS; sent++) {
      await wire.send(mutated(SEEDS[random(SEEDS.length)], random));
      // Now and then, so that nothing is lost for want of room in a socket.
      if (sent % 50 === 0) await wire.answersUntilProbe();
      if (sent === WARM_UP) before = await residentBytes(server.pid);
    }
    await wire.answersUntilProbe();
    const growth = await residentBytes(server.pid) - before;
    wire.close();
    assert(growth < GROWTH_LIMIT, `grew by ${growth >> 20} MiB`);
  },
});
