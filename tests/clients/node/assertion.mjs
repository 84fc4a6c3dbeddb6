// A client assertion as a program of the user's own would make it: node:crypto, PS256 and x5t#S256.
import { createHash, constants, randomUUID, sign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signed with <name>.key.pem, valid for five minutes (RFC 7523 section 3). */
export function makeAssertion(facts, name = "worker") {
  const certificate = new X509Certificate(readFileSync(`${facts.folder}/${name}.crt.pem`));
  const thumbprint = createHash("sha256").update(certificate.raw).digest("base64url");
  const now = Math.floor(Date.now() / 1000);
  const head = { alg: "PS256", typ: "JWT", "x5t#S256": thumbprint };
  const body = {
    aud: `${facts.authority}/oauth2/v2.0/token`,
    iss: facts.client_id,
    sub: facts.client_id,
    jti: randomUUID(),
    nbf: now,
    exp: now + 300,
  };
  const text = `${base64url(head)}.${base64url(body)}`;
  const key = {
    key: readFileSync(`${facts.folder}/${name}.key.pem`),
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
  return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
}
