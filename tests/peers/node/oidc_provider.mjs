// The package oidc-provider as an issuer. Orders: tls, path (of the issuer, "" for none), clients (its own
// metadata of clients), methods (how clients may prove themselves, all by default). A token is a JWT for the API at https://api.example/, opaque without a resource.
import Provider, { errors } from "oidc-provider";

import { listening, orders, say } from "./started.mjs";

const API = "https://api.example/";
const { tls, path, clients, methods } = await orders();
const { server, origin } = await listening(tls);
const provider = new Provider(`${origin}${path}`, {
  clients,
  ...(methods && { clientAuthMethods: methods }),
  scopes: ["routes.read", "routes.write"],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, resource) => {
        if (resource !== API) throw new errors.InvalidTarget();
        return { scope: "routes.read", accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } };
      },
    },
  },
  ttl: { ClientCredentials: 600 },
});
const answer = provider.callback();
server.on("request", (request, response) => {
  request.originalUrl = request.url;
  if (path && request.url.startsWith(path)) request.url = request.url.slice(path.length) || "/";
  answer(request, response);
});
say(provider.issuer);
