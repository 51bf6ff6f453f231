/** A phone in a page, made with JsSIP: the test calls its methods and awaits what happens to it. */
import JsSIP from "jssip";

/** Everything that has happened and was not asked for yet, and those who wait for more. */
const happened = [];
const waiting = [];

function note(event, detail = "") {
  const index = waiting.findIndex((wanted) => wanted.event === event);
  if (index < 0) happened.push({ event, detail });
  else waiting.splice(index, 1)[0].resolve(detail);
}

let agent;
let session;

globalThis.phone = {
  /** Connects and registers. */
  start(name, domain, url) {
    agent = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(url)],
      uri: `sip:${name}@${domain}`,
      register_expires: 120,
    });
    agent.on("registered", () => note("registered"));
    agent.on("unregistered", () => note("unregistered"));
    agent.on("registrationFailed", ({ cause }) => note("registration failed", cause));
    agent.on("disconnected", ({ code }) => note("disconnected", `${code ?? ""}`));
    agent.on("newRTCSession", ({ session: begun }) => follow(begun));
    agent.on("newMessage", ({ originator, request }) => {
      if (originator === "remote") note("message", request.body);
    });
    agent.start();
  },

  call(uri) {
    agent.call(uri, { mediaConstraints: { audio: true, video: false } });
  },

  answer() {
    session.answer({ mediaConstraints: { audio: true, video: false } });
  },

  hangUp() {
    session.terminate();
  },

  message(uri, text) {
    agent.sendMessage(uri, text, {
      eventHandlers: {
        succeeded: () => note("message sent"),
        failed: ({ cause }) => note("message failed", cause),
      },
    });
  },

  /** Unregisters and disconnects. */
  stop() {
    agent.stop();
  },

  /** Resolves with the detail of the next event of that name, there already or yet to come. */
  happens(event) {
    const index = happened.findIndex((past) => past.event === event);
    if (index >= 0) return Promise.resolve(happened.splice(index, 1)[0].detail);
    return new Promise((resolve) => waiting.push({ event, resolve }));
  },

  /** What nobody has asked for yet. */
  untold() {
    return happened;
  },
};

function follow(begun) {
  session = begun;
  if (begun.direction === "incoming") note("ringing", begun.remote_identity.uri.toString());
  begun.on("progress", () => note("progress"));
  begun.on("confirmed", () => note("confirmed"));
  begun.on("ended", ({ originator, cause }) => note("ended", `${originator}: ${cause}`));
  begun.on("failed", ({ originator, cause }) => note("failed", `${originator}: ${cause}`));
}
