// The package oidc-provider as an issuer. Orders: tls, path (of the issuer, "" for none), clients (its own
// metadata of clients), methods (how clients may prove themselves, all by default), people ({name: claims}, who may
// sign in by that name, on a page of this file). A token is a JWT for the API at https://api.example/, opaque without a resource.
import Provider, { errors } from "oidc-provider";

import { listening, orders, say } from "./started.mjs";

const API = "https://api.example/";
const { tls, path, clients, methods, people } = await orders();
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
  ...(people && {
    claims: { openid: ["sub"], profile: ["name", "preferred_username", "roles"] },
    conformIdTokenClaims: false,
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: async (context) => {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client.clientId,
        accountId: context.oidc.session.accountId,
      });
      grant.addOIDCScope("openid profile");
      await grant.save();
      return grant;
    },
  }),
});

/** The provider's own sign-in page: a name is enough. */
async function interact(request, response) {
  if (request.method === "GET") {
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><title>Provider</title><form method="post"><input name="person"><button>Go on</button></form>`);
    return;
  }
  let body = "";
  for await (const chunk of request) body += chunk;
  const accountId = new URLSearchParams(body).get("person");
  const result = accountId in people ? { login: { accountId, amr: ["pwd", "mfa"] } } : { error: "access_denied" };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

const answer = provider.callback();
server.on("request", (request, response) => {
  request.originalUrl = request.url;
  if (path && request.url.startsWith(path)) request.url = request.url.slice(path.length) || "/";
  if (people && request.url.startsWith("/interaction/")) interact(request, response);
  else answer(request, response);
});
say(provider.issuer);
