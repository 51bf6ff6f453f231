import { connect, type TLSSocket } from "node:tls";
import { configSchema } from "../src/config/mod.ts";
import { systemClock } from "../src/lib/clock.ts";
import { type Logger, silentLogger } from "../src/lib/log.ts";
import { type Server, startServer } from "../src/server.ts";
import { FlowError } from "../src/transport/mod.ts";
import { assert, assertEquals, assertNotEquals, assertRejects } from "./support/assert.ts";
import { authority, type CertificateName, keyPath, pemPath } from "./support/certificates.ts";
import { inTime } from "./support/sockets.ts";

/** A server for TLS whose certificate can be replaced. */
class TlsHouse {
  readonly logged: string[] = [];
  #folder = "";
  #server: Server | undefined = undefined;

  static async with(certificate: CertificateName, settings: Record<string, unknown> = {}): Promise<TlsHouse> {
    const house = new TlsHouse();
    house.#folder = await Deno.makeTempDir();
    await house.replace(certificate);
    const { path } = house;
    const note = (event: string) => house.logged.push(event);
    const log: Logger = { ...silentLogger, info: note, warn: note, error: note };
    const config = configSchema.parse({
      listen: ["tls:127.0.0.1:0 advertise sip.example.com:5061", "wss:127.0.0.1:0", "tcp:127.0.0.1:0"],
      ...settings,
      tls: { certificates: [{ certificate: path("own.pem"), key: path("own-key.pem") }], reload: 1_000 },
    });
    house.#server = await startServer(config, systemClock, () => log);
    return house;
  }

  get server(): Server {
    return this.#server!;
  }

  readonly path = (name: string) => `${this.#folder}/${name}`;

  /** Puts another certificate in the place of ours. */
  async replace(name: CertificateName): Promise<void> {
    await Deno.copyFile(keyPath(name), this.path("own-key.pem"));
    await Deno.copyFile(pemPath(name), this.path("own.pem"));
  }

  /** Connects to one of its listeners, believing the test's authority. */
  async connect(protocol: "tls" | "wss" = "tls"): Promise<TLSSocket> {
    const { local } = this.server.transports.list.find((listener) => listener.protocol === protocol)!;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({
      host: local.address,
      port: local.port,
      servername: "example.com",
      ca: authority(),
    }, resolve);
    socket.on("error", reject);
    await inTime(promise, "a handshake");
    return socket;
  }

  /** What a new connection is shown. */
  async shown(protocol?: "tls" | "wss"): Promise<string> {
    const socket = await this.connect(protocol);
    const { fingerprint256 } = socket.getPeerCertificate();
    await ended(socket);
    return fingerprint256;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.close();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function ended(socket: TLSSocket): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.destroy();
  await closed;
}

Deno.test("a server reads its certificates again when it is told to, and open connections stay", async () => {
  await using house = await TlsHouse.with("example");
  const before = await house.shown();
  assertEquals(await house.shown("wss"), before);
  const open = await house.connect();
  await house.replace("renewed");
  await house.server.reload();
  const after = await house.shown();
  assertNotEquals(after, before);
  assertEquals(await house.shown("wss"), after);
  const heard = new Promise<string>((resolve) => open.once("data", (bytes) => resolve(String(bytes))));
  open.write("\r\n\r\n");
  assertEquals(await inTime(heard, "an answer to a keep-alive"), "\r\n");
  await ended(open);
  assert(house.logged.includes("certificates reloaded"));
});

Deno.test("certificates that cannot be read again leave those there are", async () => {
  await using house = await TlsHouse.with("example");
  const before = await house.shown();
  await Deno.writeTextFile(house.path("own.pem"), "no certificate");
  await assertRejects(() => house.server.reload(), FlowError, "own.pem");
  assertEquals(await house.shown(), before);
});

Deno.test("a server whose certificate is not that of its key does not start, and leaves nothing open", async () => {
  const config = configSchema.parse({
    listen: ["udp:127.0.0.1:0", "tls:127.0.0.1:0"],
    tls: { certificates: [{ certificate: pemPath("example"), key: keyPath("second") }] },
  });
  await assertRejects(
    () => startServer(config, systemClock, () => silentLogger),
    FlowError,
    "second-key.pem",
  );
});

Deno.test("a server without TLS has nothing to read again", async () => {
  const config = configSchema.parse({ listen: ["tcp:127.0.0.1:0"] });
  const server = await startServer(config, systemClock, () => silentLogger);
  await server.reload();
  await server.close();
});

Deno.test("a listener for connections is known by what it advertises", async () => {
  await using house = await TlsHouse.with("example");
  const [tls, wss] = house.server.transports.list;
  assertEquals([tls.sentBy, wss.sentBy], ["sip.example.com:5061", `127.0.0.1:${wss.local.port}`]);
});
