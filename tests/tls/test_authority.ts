/** An authority and certificates for the tests, made with OpenSSL. */

/** A certificate and its key: as text, and as files. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  readonly certPath: string;
  readonly keyPath: string;
}

/** What a test wants in a certificate. */
export interface CertificateWishes {
  /** Subject alternative names, as OpenSSL writes them. @default {"DNS:localhost,IP:127.0.0.1"} */
  names?: string;
  /** First day, YYYYMMDD. @default {"20200101"} */
  from?: string;
  /** Last day, YYYYMMDD. @default {"20991231"} */
  to?: string;
  /** Lines for the extensions, in place of those of a server's. */
  extensions?: readonly string[];
  /** The issuer. @default {the authority} */
  issuer?: TestCertificate;
  /** Issued by nobody else. @default {false} */
  selfSigned?: boolean;
}

const CONFIG = `[ca]
default_ca = main
[main]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
`;

/** A folder in which an authority issues certificates. */
export class TestAuthority implements AsyncDisposable {
  readonly #folder: string;
  #issued = 0;
  /** The authority's own certificate. */
  readonly certificate: TestCertificate;

  private constructor(folder: string, certificate: TestCertificate) {
    this.#folder = folder;
    this.certificate = certificate;
  }

  /** Makes an authority. */
  static async make(): Promise<TestAuthority> {
    const folder = await Deno.makeTempDir({ prefix: "ftp_authority_" });
    await Deno.writeTextFile(`${folder}/config`, CONFIG);
    await Deno.writeTextFile(`${folder}/index`, "");
    await Deno.writeTextFile(`${folder}/serial`, "1000\n");
    const unsigned = new TestAuthority(folder, undefined!);
    const certificate = await unsigned.issue("Test authority", {
      selfSigned: true,
      extensions: AUTHORITY,
    });
    const authority = new TestAuthority(folder, certificate);
    authority.#issued = unsigned.#issued;
    return authority;
  }

  /** Issues a certificate to a common name. */
  async issue(
    name: string,
    wishes: CertificateWishes = {},
  ): Promise<TestCertificate> {
    const base = `${this.#folder}/${++this.#issued}`;
    const keyPath = `${base}.key`;
    const certPath = `${base}.pem`;
    await openssl(this.#folder, [
      ..."req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split(
        " ",
      ),
      ...["-keyout", keyPath, "-out", `${base}.csr`, "-subj", `/CN=${name}`],
    ]);
    const extensions = wishes.extensions ?? [
      `subjectAltName=${wishes.names ?? "DNS:localhost,IP:127.0.0.1"}`,
      "basicConstraints=CA:FALSE",
      "extendedKeyUsage=serverAuth",
    ];
    await Deno.writeTextFile(`${base}.ext`, extensions.join("\n") + "\n");
    const issuer = wishes.issuer ?? this.certificate;
    await openssl(this.#folder, [
      ..."ca -batch -notext -config config".split(" "),
      ...["-in", `${base}.csr`, "-out", certPath, "-extfile", `${base}.ext`],
      ...["-startdate", `${wishes.from ?? "20200101"}000000Z`],
      ...["-enddate", `${wishes.to ?? "20991231"}000000Z`],
      ...(wishes.selfSigned
        ? ["-selfsign", "-keyfile", keyPath]
        : ["-cert", issuer.certPath, "-keyfile", issuer.keyPath]),
    ]);
    return {
      cert: await Deno.readTextFile(certPath),
      key: await Deno.readTextFile(keyPath),
      certPath,
      keyPath,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** The extensions of an authority. */
export const AUTHORITY: readonly string[] = [
  "basicConstraints=critical,CA:TRUE",
  "keyUsage=critical,keyCertSign,cRLSign",
];

async function openssl(folder: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [...args],
    cwd: folder,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
