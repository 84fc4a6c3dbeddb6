// The package oidc-provider on as many processes as are ordered, for the bench: one port, one key, one client that
// proves itself with a secret in the form. Orders: processes, client_id, client_secret. Tokens are RS256 JWTs.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";

import Provider from "oidc-provider";

import { orders } from "./started.mjs";

const API = "https://api.example/";

if (cluster.isPrimary) {
  const told = await orders();
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "bench" };
  let listening = 0;
  cluster.on("listening", (_worker, { port }) => {
    listening += 1;
    if (listening === told.processes) process.stdout.write(`${JSON.stringify({ port, resource: API })}\n`);
  });
  for (let started = 0; started < told.processes; started += 1) {
    cluster.fork({ PEER: JSON.stringify({ ...told, key }) });
  }
} else {
  process.on("disconnect", () => process.exit(0));
  const { client_id, client_secret, key } = JSON.parse(process.env.PEER);
  const provider = new Provider("http://localhost", {
    clients: [
      {
        client_id,
        client_secret,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    jwks: { keys: [key] },
    scopes: ["routes.read"],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: "routes.read",
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
    ttl: { ClientCredentials: 3600 },
  });
  createServer(provider.callback()).listen(0, "127.0.0.1");
}
