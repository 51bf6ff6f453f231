import { BenchCore } from "./core.ts";
import { inviteText, registerText } from "./messages.ts";

/** Addresses of record that are registered over and over. */
const USERS = 10_000;
const PHONE = 5_063;

const core = new BenchCore();
let cseq = 1;
let user = 0;

Deno.bench("REGISTER that refreshes a binding, bytes in to bytes out", { group: "server" }, () => {
  if (++user === USERS) {
    user = 0;
    cseq++;
  }
  core.arrive(registerText(user, cseq), 5_062);
  core.sent.length = 0;
});

const callee = new BenchCore();
callee.arrive(registerText(0).replaceAll(":5062", `:${PHONE}`), PHONE);
callee.sent.length = 0;
let call = 0;

/** The same INVITE with a transaction of its own. */
function nextInvite(): string {
  return inviteText(++call).replace(`INVITE sip:user${call}@`, "INVITE sip:user0@");
}

Deno.bench("INVITE that is forwarded with two transactions", { group: "server" }, () => {
  callee.arrive(nextInvite(), 5_062);
  callee.sent.length = 0;
});

/** What the phone says to the INVITE that was forwarded to it. */
function answerTo(invite: string, status: string): string {
  const rows = invite.split("\r\n").filter((row) => /^(Via|From|Call-ID|CSeq|Record-Route):/.test(row));
  const to = /^To: .*$/m.exec(invite)![0].trimEnd();
  return [`SIP/2.0 ${status}`, ...rows, `${to};tag=x`, "Content-Length: 0", "", ""].join("\r\n");
}

Deno.bench("INVITE, 180 and 200 through transactions on both sides", { group: "server" }, () => {
  callee.arrive(nextInvite(), 5_062);
  const forwarded = callee.sent[0];
  callee.arrive(answerTo(forwarded, "180 Ringing"), PHONE);
  callee.arrive(answerTo(forwarded, "200 OK"), PHONE);
  callee.sent.length = 0;
});
