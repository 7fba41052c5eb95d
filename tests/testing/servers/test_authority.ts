/** An authority and certificates for the tests, made by the `openssl` command. */

import { findProgram, programEnvironment } from "./programs.ts";

/** A certificate and its key, as PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate and its key, with the contents of the files. */
export interface TestCertificate extends CertificateFiles {
  readonly pem: { readonly cert: string; readonly key: string };
}

/** Contents of a test certificate. */
export interface CertificateWishes {
  /** Subject alternative names, as OpenSSL writes them. @default {all names of this machine on loopback} */
  names?: string;
  /** First day, YYYYMMDD. @default {"20200101"} */
  from?: string;
  /** Last day, YYYYMMDD. @default {"20491231"} */
  to?: string;
  /** Lines for the extensions, in place of those of a server's; none make it a certificate of version 1. */
  extensions?: readonly string[];
  /** The issuer. @default {the authority} */
  issuer?: TestCertificate;
  /** Whether it is self-signed. @default {false} */
  selfSigned?: boolean;
  /** With an RSA key instead of one on an elliptic curve. @default {false} */
  rsa?: boolean;
}

const LOOPBACK = "DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:::1";

/** The extensions of an authority. */
export const AUTHORITY: readonly string[] = [
  "basicConstraints=critical,CA:TRUE",
  "keyUsage=critical,keyCertSign,cRLSign",
];

// "x509" cannot set dates in the past, "ca" can; it keeps its books in a folder. The system's own settings may be
// missing.
const CONFIG = `[req]
distinguished_name = name
[name]
[ca]
default_ca = main
[main]
database = index
rand_serial = yes
new_certs_dir = .
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
`;

/** A folder in which an authority issues certificates. */
export class TestAuthority implements Disposable {
  readonly #folder: string;
  #issued = 0;
  #certificate: TestCertificate | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes an authority, with a common name. */
  static async make(name = "Test authority"): Promise<TestAuthority> {
    const folder = await Deno.makeTempDir({ prefix: "ftp_authority_" });
    // Servers that gave up their rights read it too. It protects nothing.
    await Deno.chmod(folder, 0o755);
    await Deno.writeTextFile(`${folder}/config`, CONFIG);
    await Deno.writeTextFile(`${folder}/index`, "");
    const authority = new TestAuthority(folder);
    authority.#certificate = await authority.issue(name, {
      selfSigned: true,
      extensions: AUTHORITY,
    });
    return authority;
  }

  /** The authority's own certificate. */
  get certificate(): TestCertificate {
    return this.#certificate!;
  }

  /** Issues a certificate with a common name. */
  async issue(
    name: string,
    wishes: CertificateWishes = {},
  ): Promise<TestCertificate> {
    const base = `${this.#folder}/${++this.#issued}`;
    const [certificate, key] = [`${base}.pem`, `${base}.key`];
    await this.#openssl([
      ...["req", "-config", "config", "-new", "-nodes", "-newkey"],
      ...(wishes.rsa
        ? ["rsa:2048"]
        : ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
      ...["-keyout", key, "-out", `${base}.csr`, "-subj", `/CN=${name}`],
    ]);
    const extensions = wishes.extensions ?? [
      `subjectAltName=${wishes.names ?? LOOPBACK}`,
      "basicConstraints=critical,CA:FALSE",
      "extendedKeyUsage=serverAuth",
    ];
    await Deno.writeTextFile(`${base}.ext`, extensions.join("\n") + "\n");
    const issuer = wishes.issuer ?? this.#certificate;
    await this.#openssl([
      ...["ca", "-batch", "-notext", "-config", "config"],
      ...["-in", `${base}.csr`, "-out", certificate, "-extfile", `${base}.ext`],
      ...["-startdate", `${wishes.from ?? "20200101"}000000Z`],
      ...["-enddate", `${wishes.to ?? "20491231"}000000Z`],
      ...(wishes.selfSigned || issuer === undefined
        ? ["-selfsign", "-keyfile", key]
        : ["-cert", issuer.certificate, "-keyfile", issuer.key]),
    ]);
    await Deno.chmod(key, 0o644);
    const pem = {
      cert: await Deno.readTextFile(certificate),
      key: await Deno.readTextFile(key),
    };
    return { certificate, key, pem };
  }

  /** Removes the folder. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }

  async #openssl(args: readonly string[]): Promise<void> {
    const { success, stderr } = await new Deno.Command(
      findProgram("openssl") ?? "openssl",
      {
        args: [...args],
        cwd: this.#folder,
        env: programEnvironment(),
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      },
    ).output();
    if (!success) {
      throw new Error(
        `Cannot make a certificate: ${new TextDecoder().decode(stderr)}`,
      );
    }
  }
}
