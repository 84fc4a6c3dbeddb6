// @azure/msal-node in a process that knows nothing of this project: one new client object for each case.
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfidentialClientApplication } from "@azure/msal-node";
import { makeAssertion } from "./assertion.mjs";
import { facts, run } from "./running.mjs";

const file = (name) => readFileSync(`${facts.folder}/${name}`, "utf8");
const host = new URL(facts.host).host;

async function acquire(credential, { tenant = facts.tenant, scope = facts.scope, times = 1, ...auth } = {}) {
  const app = new ConfidentialClientApplication({
    auth: {
      clientId: facts.client_id,
      authority: `${facts.host}/${tenant}`,
      knownAuthorities: [host],
      ...credential,
      ...auth,
    },
  });
  let result;
  for (let count = 0; count < times; count += 1) {
    result = await app.acquireTokenByClientCredential({ scopes: [scope] });
  }
  return { token: result.accessToken, source: result.fromCache ? "cache" : "network" };
}

const bySecret = (clientSecret, settings) => acquire({ clientSecret }, settings);
const byCertificate = (clientCertificate, settings) => acquire({ clientCertificate }, settings);
const key = file("worker.key.pem");
const sha1 = { thumbprint: facts.thumbprint, privateKey: key };
const sha256 = { thumbprintSha256: facts.thumbprint_sha256, privateKey: key };
const x5c = file("worker.crt.pem");
const opened = createPrivateKey({ key: file("worker.locked-key.pem"), passphrase: facts.passphrase }).export({
  format: "pem",
  type: "pkcs8",
});
const openid = `${facts.authority}/v2.0/.well-known/openid-configuration`;
const metadata = {
  issuer: `${facts.authority}/v2.0`,
  token_endpoint: `${facts.authority}/oauth2/v2.0/token`,
  authorization_endpoint: `${facts.authority}/oauth2/v2.0/authorize`,
  jwks_uri: `${facts.authority}/discovery/v2.0/keys`,
};
const cloud = {
  tenant_discovery_endpoint: openid,
  metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
};

await run({
  secret: () => bySecret(facts.secret),
  "thumbprint and key": () => byCertificate(sha1),
  "thumbprint, key and x5c": () => byCertificate({ ...sha1, x5c }),
  "SHA-256 thumbprint and key": () => byCertificate(sha256),
  "SHA-256 thumbprint, key and x5c": () => byCertificate({ ...sha256, x5c }),
  "encrypted key": () => byCertificate({ ...sha256, privateKey: opened }),
  "assertion callback": () => acquire({ clientAssertion: async () => makeAssertion(facts) }),
  "assertion text": () => acquire({ clientAssertion: makeAssertion(facts) }),
  // ---------------------------------------------------- authority settings
  "known authority as address": () => bySecret(facts.secret, { knownAuthorities: [facts.authority] }),
  cloudDiscoveryMetadata: () =>
    bySecret(facts.secret, { knownAuthorities: [], cloudDiscoveryMetadata: JSON.stringify(cloud) }),
  authorityMetadata: () => bySecret(facts.secret, { authorityMetadata: JSON.stringify(metadata) }),
  "sovereign style domain": () => bySecret(facts.secret, { tenant: facts.domain }),
  capabilities: () => bySecret(facts.secret, { clientCapabilities: ["CP1"] }),
  "from the cache": () => bySecret(facts.secret, { times: 2 }),
  // ---------------------------------------------------- what must be refused
  "wrong secret": () => bySecret("wrong"),
  "expired secret": () => bySecret(facts.expired_secret),
  "secret id": () => bySecret(facts.secret_id),
  "wrong key": () => byCertificate({ ...sha1, privateKey: file("stranger.key.pem") }),
  "thumbprint with colons": () =>
    byCertificate({ ...sha1, thumbprint: facts.thumbprint.match(/../g).join(":") }),
  "expired certificate": () =>
    byCertificate({ thumbprint: facts.expired_thumbprint, privateKey: file("expired.key.pem") }),
  "wrong assertion": () => acquire({ clientAssertion: makeAssertion(facts, "stranger") }),
  "wrong tenant": () => bySecret(facts.secret, { tenant: facts.other_tenant }),
  "unknown tenant": () => bySecret(facts.secret, { tenant: facts.unknown_tenant }),
  "wrong scope": () => bySecret(facts.secret, { scope: "https://graph.microsoft.com/User.Read" }),
  "unknown resource": () => bySecret(facts.secret, { scope: "api://nobody-has-this-name/.default" }),
  "plain http": () => bySecret(facts.secret, { authority: `http://localhost/${facts.tenant}` }),
});
