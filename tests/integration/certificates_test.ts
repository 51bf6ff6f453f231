import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import type { SocketAddress } from "../../src/transport/mod.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { authority, type CertificateName, keyPath, pemPath } from "../support/certificates.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { streamRequest } from "../support/requests.ts";
import { SluiceProcess } from "../support/sluice_process.ts";

/** Connections that are open while the certificate is replaced. */
const CONNECTIONS = 1_000;

/** Of them, those whose handshakes go on at the same time. */
const AT_ONCE = 20;

/** Milliseconds between two looks at what the server has printed. */
const LOOK = 20;

/** Milliseconds until it must have been printed. */
const LIMIT = 20_000;

/** The files of a server's certificate, which are replaced as tools do that: written beside, and renamed. */
class CertificateFolder {
  readonly path = Deno.makeTempDirSync();

  constructor(name: CertificateName) {
    this.put(name);
  }

  put(name: CertificateName): void {
    for (const [file, from] of [["cert.pem", pemPath(name)], ["key.pem", keyPath(name)]]) {
      Deno.copyFileSync(from, `${this.path}/${file}.new`);
      Deno.renameSync(`${this.path}/${file}.new`, `${this.path}/${file}`);
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** The fingerprint of the certificate a new handshake shows. */
async function shown({ address: host, port }: SocketAddress): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host, port, servername: "example.com", ca: authority() });
  socket.on("secureConnect", () => resolve(socket.getPeerCertificate().fingerprint256));
  socket.on("error", reject);
  const closed = new Promise((resolve) => socket.on("close", resolve));
  try {
    return await promise;
  } finally {
    socket.destroy();
    await closed;
  }
}

function fingerprint(name: CertificateName): string {
  return new X509Certificate(Deno.readTextFileSync(pemPath(name))).fingerprint256;
}

async function openAll(at: SocketAddress, connections: RawConnection[]): Promise<void> {
  const open = async () => {
    for (let left = CONNECTIONS / AT_ONCE; left > 0; left--) {
      connections.push(await RawConnection.secure(at, authority()));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, open));
}

/** Resolves when the server has printed a line with this text once more than `before` times. */
async function printed(server: SluiceProcess, text: string, before: number): Promise<void> {
  for (const end = performance.now() + LIMIT; countOf(server, text) <= before;) {
    if (performance.now() > end) throw new Error(`The server never said: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
}

function countOf(server: SluiceProcess, text: string): number {
  return server.lines.filter((line) => line.includes(text)).length;
}

const WAYS: readonly (readonly [name: string, reload: string, act: (server: SluiceProcess) => void])[] = [
  ["SIGHUP", "600000", ({ pid }) => Deno.kill(pid, "SIGHUP")],
  ["its files being watched", "1000", () => {}],
];

for (const [name, reload, act] of WAYS) {
  Deno.test({
    name:
      `a certificate replaced under a thousand connections drops none, and the next sees the new one, by ${name}`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      using folder = new CertificateFolder("example");
      await using server = await SluiceProcess.start([
        ...["--listen", "tls:127.0.0.1:0", "--tls.reload", reload],
        ...["--tls.certificates", `${folder.path}/cert.pem,${folder.path}/key.pem`],
      ]);
      const at = server.addressOf("tls");
      const connections: RawConnection[] = [];
      try {
        assertEquals(await shown(at), fingerprint("example"));
        await openAll(at, connections);

        const before = countOf(server, "certificates reloaded");
        folder.put("renewed");
        act(server);
        await printed(server, "certificates reloaded", before);
        assertEquals(await shown(at), fingerprint("renewed"));

        await Promise.all(connections.map(async (connection, i) => {
          const request = { sentBy: connection.name, id: `after${i}`, protocol: "TLS" } as const;
          await connection.write(streamRequest("OPTIONS", request));
          assertMatch(await connection.message(), new RegExp(`^SIP/2.0 200 [^]*Call-ID: after${i}\r\n`));
        }));
        assertEquals(connections.length, CONNECTIONS);
      } finally {
        for (const connection of connections) connection.close();
      }
    },
  });
}

Deno.test({
  name: "a certificate replaced by one that does not fit its key leaves the old one in use",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using folder = new CertificateFolder("example");
    await using server = await SluiceProcess.start([
      ...["--listen", "tls:127.0.0.1:0", "--tls.certificates"],
      `${folder.path}/cert.pem,${folder.path}/key.pem`,
    ]);
    Deno.copyFileSync(pemPath("renewed"), `${folder.path}/cert.pem`);
    Deno.kill(server.pid, "SIGHUP");
    await printed(server, "certificates not reloaded, the old ones stay", 0);
    assertEquals(await shown(server.addressOf("tls")), fingerprint("example"));
  },
});
