// @azure/identity in a process that knows nothing of this project: one new credential object for each case.
import { readFileSync, writeFileSync } from "node:fs";
import {
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  EnvironmentCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";
import { makeAssertion } from "./assertion.mjs";
import { facts, run } from "./running.mjs";

const { tenant, client_id: client, secret } = facts;
const settings = {
  authorityHost: facts.host,
  disableInstanceDiscovery: true,
  retryOptions: { maxRetries: 0 },
};
const trusting = { ...settings, tlsOptions: { ca: readFileSync(facts.ca) } };
const file = (name) => `${facts.folder}/${name}`;

async function ask(credential, scope = facts.scope) {
  return { token: (await credential.getToken(scope)).token };
}

const bySecret = (value, directory = tenant) =>
  new ClientSecretCredential(directory, client, value, trusting);
const byCertificate = (certificate, more = {}) =>
  new ClientCertificateCredential(tenant, client, certificate, { ...trusting, ...more });
const byAssertion = (name) =>
  new ClientAssertionCredential(tenant, client, async () => makeAssertion(facts, name), trusting);

function byTokenFile() {
  writeFileSync(file("assertion-node"), makeAssertion(facts));
  return new WorkloadIdentityCredential({
    tenantId: tenant,
    clientId: client,
    tokenFilePath: file("assertion-node"),
    ...trusting,
  });
}

// Some variables are read when the credential is made, some when it asks: they stay until the next case.
function byEnvironment(variables) {
  for (const name of Object.keys(process.env)) if (name.startsWith("AZURE_")) delete process.env[name];
  Object.assign(process.env, {
    AZURE_AUTHORITY_HOST: facts.host,
    AZURE_TENANT_ID: tenant,
    AZURE_CLIENT_ID: client,
    ...variables,
  });
  const { authorityHost, ...rest } = trusting;
  return new EnvironmentCredential(rest);
}

await run({
  ClientSecretCredential: () => ask(bySecret(secret)),
  "ClientSecretCredential, domain name": () => ask(bySecret(secret, facts.domain)),
  "ClientCertificateCredential, PEM": () => ask(byCertificate(file("worker.pem"))),
  "ClientCertificateCredential, PEM text": () =>
    ask(byCertificate({ certificate: readFileSync(file("worker.pem"), "utf8") })),
  "ClientCertificateCredential, encrypted PEM": () =>
    ask(
      byCertificate({ certificatePath: file("worker.locked.pem"), certificatePassword: facts.passphrase }),
    ),
  "ClientCertificateCredential, chain": () =>
    ask(byCertificate(file("worker.pem"), { sendCertificateChain: true })),
  ClientAssertionCredential: () => ask(byAssertion("worker")),
  WorkloadIdentityCredential: () => ask(byTokenFile()),
  "EnvironmentCredential, secret": () => ask(byEnvironment({ AZURE_CLIENT_SECRET: secret })),
  "EnvironmentCredential, PEM": () =>
    ask(byEnvironment({ AZURE_CLIENT_CERTIFICATE_PATH: file("worker.pem") })),
  // ---------------------------------------------------- what must be refused
  "wrong secret": () => ask(bySecret("wrong")),
  "expired secret": () => ask(bySecret(facts.expired_secret)),
  "secret id": () => ask(bySecret(facts.secret_id)),
  "wrong key": () => ask(byCertificate(file("mixed.pem"))),
  "unregistered certificate": () => ask(byCertificate(file("stranger.pem"))),
  "expired certificate": () => ask(byCertificate(file("expired.pem"))),
  "wrong assertion": () => ask(byAssertion("stranger")),
  "wrong tenant": () => ask(bySecret(secret, facts.other_tenant)),
  "unknown tenant": () => ask(bySecret(secret, facts.unknown_tenant)),
  "wrong scope": () => ask(bySecret(secret), "https://graph.microsoft.com/User.Read"),
  "unknown resource": () => ask(bySecret(secret), "api://nobody-has-this-name/.default"),
  "environment, wrong secret": () => ask(byEnvironment({ AZURE_CLIENT_SECRET: "wrong" })),
  PFX: () => ask(byCertificate(file("worker.pfx"))),
  "untrusted authority": () => ask(new ClientSecretCredential(tenant, client, secret, settings)),
  "plain http": () =>
    ask(new ClientSecretCredential(tenant, client, secret, { ...trusting, authorityHost: "http://localhost" })),
});
