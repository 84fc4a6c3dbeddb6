// The package oauth2-mock-server as an issuer. Orders: tls, path (of the issuer), algorithm (of its key).
import { OAuth2Issuer, OAuth2Service } from "oauth2-mock-server";

import { listening, orders, say } from "./started.mjs";

const { tls, path, algorithm } = await orders();
const { server, origin } = await listening(tls);
const issuer = new OAuth2Issuer();
issuer.url = `${origin}${path}`;
await issuer.keys.generate(algorithm);
const named = ["/.well-known/openid-configuration", "/token", "/jwks"];
const service = new OAuth2Service(issuer);
server.on("request", (request, response) => {
  if (path && named.some((each) => request.url === `${path}${each}`)) request.url = request.url.slice(path.length);
  service.requestHandler(request, response);
});
say(issuer.url);
