"""The catalogue of AADSTS codes around client credentials: what each means and how a person cures it.

A leaf: the authority answers with these, the tester explains with them. Numbers, OAuth errors and statuses
follow Microsoft's list of error codes and recorded answers; meanings, cures and texts are our own words.

text is the sentence that the built-in authority puts behind "AADSTS<code>: ". Its named places take the
variable parts, in single quotes because people and tools search for them. A code without text is never
answered here; it is explained when another authority answers it. No place takes a secret or a part of one.
"""

from dataclasses import dataclass
from string import Formatter

INVALID_CLIENT = "invalid_client"
INVALID_GRANT = "invalid_grant"
INVALID_REQUEST = "invalid_request"
INVALID_RESOURCE = "invalid_resource"
INVALID_SCOPE = "invalid_scope"
UNAUTHORIZED_CLIENT = "unauthorized_client"
UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"


@dataclass(frozen=True)
class Entry:
    """One code. status: HTTP status at the token endpoint; text: None where it is never answered here."""

    code: int
    error: str
    status: int
    meaning: str
    cure: str
    text: str | None = None
    # The sentence where the assertion is another issuer's, for a code that certificates have too.
    issuer_text: str | None = None

    @property
    def can_be_emitted(self) -> bool:
        """Whether the built-in authority answers with this code."""
        return self.text is not None

    @property
    def digits(self) -> str:
        """The number as text, without separators."""
        return str(self.code)

    @property
    def places(self) -> frozenset[str]:
        """Names of the text's variable parts."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.text or "") if name)


def _status(error: str) -> int:
    """invalid_client is 401, every other refusal 400."""
    return 401 if error == INVALID_CLIENT else 400


def _entry(
    code: int,
    error: str,
    meaning: str,
    cure: str,
    text: str | None = None,
    *,
    status: int | None = None,
    issuer_text: str | None = None,
) -> Entry:
    return Entry(code, error, status or _status(error), meaning, cure, text, issuer_text)


_SECRETS = [
    _entry(
        7000215,
        INVALID_CLIENT,
        "The client secret that was sent is none of the application's live secrets. Most often the Secret "
        "ID was pasted in place of the value; or the value was damaged on its way, or the secret was "
        "deleted.",
        "Copy the value again, or add a new client secret and use its value. In a form body the value must "
        "be URL-encoded once.",
        "The client secret in the request is not valid. Send the secret's value, not the Secret ID, of a "
        "secret that was added to app '{client_id}'.{hint}",
    ),
    _entry(
        7000222,
        INVALID_CLIENT,
        "The client secret is the right one, and its end date has passed.",
        "Add a new client secret, or better a certificate, and let the application use it.",
        "The client secret in the request has expired: it was for app '{client_id}' ('{client_name}'), has "
        "the Secret ID '{key_id}' and ended '{end}'. Add a new client secret, or a certificate, on the "
        "app's Certificates & secrets page.",
    ),
    _entry(
        7000216,
        INVALID_CLIENT,
        "The request carries no credential: neither client_secret nor client_assertion.",
        "Send one credential. A variable that is empty at run time looks exactly like this.",
        "One of 'client_secret' and 'client_assertion' is needed for the 'client_credentials' grant.",
    ),
    _entry(
        7000218,
        INVALID_CLIENT,
        "A confidential client sent neither secret nor assertion with another grant than client credentials.",
        "Send a credential, or allow public client flows for the application.",
    ),
    _entry(
        700025,
        INVALID_CLIENT,
        "The application is treated as a public client, so it must not send a secret or an assertion.",
        "Leave the credential out, or turn the public client setting off.",
    ),
    _entry(
        7000232,
        INVALID_CLIENT,
        "The client id belongs to a managed identity, and a secret was sent for it.",
        "Use the managed identity's own credential in place of a client secret.",
    ),
    _entry(
        7000219,
        INVALID_CLIENT,
        "The request carries no credential (a rare variant of 7000218).",
        "Send a client secret or a client assertion.",
    ),
    _entry(
        70002,
        INVALID_CLIENT,
        "An old umbrella code: the client's credential was refused. A second code says why.",
        "Look at the second code in the same text.",
    ),
    _entry(
        50012,
        INVALID_CLIENT,
        "An old code: the client secret or assertion is not valid, or no such key is registered.",
        "Treat it like 7000215 for a secret and like 700027 for a certificate.",
    ),
]

_ASSERTIONS = [
    _entry(
        700027,
        INVALID_CLIENT,
        "The certificate behind the client assertion is the trouble: no certificate with that thumbprint "
        "is on the application, or the one found is outside its dates, or the signature was made with "
        "another private key. For a federated credential: the issuer publishes no such key, or the signature "
        "is not its own.",
        "Compare the thumbprint in the answer with the ones on the Certificates tab. Upload the "
        "certificate, renew it, or sign with the private key that belongs to it.",
        "The certificate with the identifier in the client assertion cannot be used for app '{client_id}'. "
        "[Reason - {reason}, Thumbprint of key used by client: '{thumbprint}'{found}]. Compare it with the "
        "certificates on the app's Certificates & secrets page.",
        issuer_text="The client assertion for app '{client_id}' cannot be verified with the keys of issuer "
        "'{issuer}'. [Reason - {reason}]. Compare it with the key set that the issuer publishes.",
    ),
    _entry(
        700024,
        INVALID_CLIENT,
        "The client assertion is outside the time it gives itself: already over, not begun, or far too long.",
        "Set the client's clock, make a fresh assertion for each sign-in and let it live 5 to 10 minutes. "
        "Times in it are seconds since 1970 in UTC.",
        "The client assertion is not within its valid time range. Current time: '{now}', assertion valid "
        "from '{start}', expiry time of assertion '{end}'.{hint}",
    ),
    _entry(
        700021,
        INVALID_CLIENT,
        "Issuer or subject of the client assertion is not the client that asks.",
        "Set iss and sub of the assertion to the application (client) id.",
        "The client assertion must have app '{client_id}' as its '{claim}', and has '{presented}'.",
    ),
    _entry(
        700023,
        INVALID_CLIENT,
        "The audience of the client assertion is not this directory's token endpoint or issuer.",
        "Set aud to the token endpoint of the same directory that the request goes to.",
        "The client assertion's audience '{audience}' is not this directory's. Expected: '{expected}'.",
    ),
    _entry(
        700028,
        INVALID_CLIENT,
        "The client assertion, or the outside token in its place, has got a token before, and the directory "
        "takes each one once.",
        "Sign a new assertion with its own jti for each request, or get a new token from its issuer. "
        "Libraries that keep an assertion for some minutes, as MSAL does, need the directory's switch off.",
        "The client assertion of app '{client_id}' has been used before. This directory takes each assertion "
        "once: send a new one, with its own 'jti', with each request.",
    ),
    _entry(
        50027,
        INVALID_REQUEST,
        "The client assertion is not a JWT that can be read, or lacks something every assertion must have.",
        "Build it as a signed JWT with alg RS256 and x5t, or PS256 and x5t#S256, and the claims aud (one "
        "text), iss, sub, jti and exp (a number).",
        "The client assertion is not a valid JWT. [Reason - {reason}]",
    ),
    _entry(
        700030,
        INVALID_CLIENT,
        "The application trusts certificates by subject name and issuer, and this one's subject is not "
        "among them.",
        "Register the subject name, or upload the certificate and send its thumbprint only.",
    ),
    _entry(
        7000213,
        INVALID_CLIENT,
        "The certificate chain sent with the assertion does not lead to a trusted issuer.",
        "Send the whole chain, or upload the certificate and send its thumbprint only.",
    ),
    _entry(
        7000214,
        INVALID_CLIENT,
        "The certificate was revoked by its issuer.",
        "Get and upload a new certificate.",
    ),
    _entry(
        7000274,
        INVALID_CLIENT,
        "The signature of the client assertion is not valid.",
        "Sign with the private key that belongs to the uploaded certificate.",
    ),
    _entry(
        7000277,
        INVALID_CLIENT,
        "The certificate was revoked (a variant of 7000214).",
        "Get and upload a new certificate.",
    ),
    _entry(
        1000502,
        INVALID_CLIENT,
        "The certificate is outside its own validity dates.",
        "Renew the certificate and upload the new one.",
    ),
    _entry(
        50013,
        INVALID_GRANT,
        "An assertion given as a grant (on behalf of a person) is not valid. It is not the client's own "
        "assertion.",
        "Get a fresh token of the person and send that.",
    ),
]

_FEDERATED = [
    _entry(
        70025,
        INVALID_CLIENT,
        "The assertion was issued by another identity provider, and the application trusts none.",
        "Add a federated credential for that issuer, or sign the assertion with the application's own "
        "certificate (iss = sub = client id).",
        "App '{client_id}' has no federated credentials, and the client assertion comes from issuer "
        "'{issuer}'. For a certificate of the app, 'iss' and 'sub' of the assertion must be the client id.",
    ),
    _entry(
        700211,
        INVALID_CLIENT,
        "No federated credential of the application has the assertion's issuer.",
        "Make the issuers equal to the letter; a slash at the end counts.",
        "No federated credential of app '{client_id}' has the issuer of the client assertion, '{issuer}'. "
        "Every character counts, a slash at the end too.",
    ),
    _entry(
        700212,
        INVALID_CLIENT,
        "No federated credential of the application has the assertion's audience.",
        "Make the audiences equal; usual is api://AzureADTokenExchange.",
        "No federated credential of app '{client_id}' for issuer '{issuer}' has the audience of the client "
        "assertion, '{audience}'. Every character counts.",
    ),
    _entry(
        700213,
        INVALID_CLIENT,
        "No federated credential of the application has the assertion's subject.",
        "Make the subjects equal, letter case included.",
        "No federated credential of app '{client_id}' for issuer '{issuer}' has the subject of the client "
        "assertion, '{subject}'. Every character counts, letter case too.",
    ),
    _entry(
        7002138,
        INVALID_CLIENT,
        "A federated credential has this subject in other letter case.",
        "Correct the letter case.",
        "A federated credential of app '{client_id}' for issuer '{issuer}' has the subject of the client "
        "assertion, '{subject}', in other letter case. Letter case counts.",
    ),
    _entry(
        70021,
        INVALID_REQUEST,
        "No federated credential matches the assertion (an older code for any difference).",
        "Compare issuer, subject and audience in the answer with the federated credential.",
    ),
    _entry(
        50166,
        INVALID_REQUEST,
        "The issuer's metadata or keys could not be fetched.",
        "Make the issuer's discovery document and key set reachable, and put their origins on the list of "
        "allowed origins.",
        "The keys of issuer '{issuer}' cannot be used. {reason}.",
    ),
    _entry(
        7002137,
        INVALID_CLIENT,
        "The subject of the assertion has a form that is not allowed for this kind of identity.",
        "Use the subject form that the identity's documentation asks for.",
    ),
    _entry(
        700229,
        INVALID_CLIENT,
        "Only app-only tokens of this issuer may serve as a federated assertion.",
        "Use a token of a managed identity or an application.",
    ),
]

_CLIENT_AND_TENANT = [
    _entry(
        700016,
        UNAUTHORIZED_CLIENT,
        "The directory has no application with this client id: a wrong id, a wrong directory, or it was "
        "deleted.",
        "Compare the client id with the Overview page and the directory in the address with the app's.",
        "There is no application with identifier '{client_id}' in the directory '{tenant_name}' "
        "('{tenant_id}'). It may have been deleted, or the request went to the wrong directory.",
    ),
    _entry(
        7000229,
        INVALID_CLIENT,
        "The application exists, and has no service principal in this directory.",
        "Add it to the directory as an enterprise application (consent).",
        "Application '{client_id}' ('{client_name}') has no service principal in the directory "
        "'{tenant_name}' ({tenant_id}). An administrator of that directory adds it there by consent.",
    ),
    _entry(
        7000112,
        UNAUTHORIZED_CLIENT,
        "The application is disabled.",
        "Enable it again on its Overview page.",
        "Application '{client_id}' ('{client_name}') is disabled.",
    ),
    _entry(
        700038,
        UNAUTHORIZED_CLIENT,
        "The client id is not an application id: all zeros, or not a GUID.",
        "Send the application (client) id of the Overview page.",
        "'{client_id}' is not a valid application identifier.",
    ),
    _entry(
        70001,
        UNAUTHORIZED_CLIENT,
        "An older code for an application that is unknown or cannot be used.",
        "Treat it like 700016.",
    ),
    _entry(
        700011,
        UNAUTHORIZED_CLIENT,
        "An older code for an application that is unknown in the directory.",
        "Treat it like 700016.",
    ),
    _entry(
        90002,
        INVALID_REQUEST,
        "There is no such directory (tenant).",
        "Correct the directory in the address: its id or one of its domain names. Check the cloud as well.",
        "Tenant '{tenant}' was not found. Check the directory id or domain name in the address.",
    ),
    _entry(
        900023,
        INVALID_REQUEST,
        "The directory in the address is neither a GUID nor a domain name.",
        "Correct the address: the directory is its first part.",
        "The tenant identifier '{tenant}' is neither a GUID nor a domain name.",
    ),
    _entry(
        900021,
        INVALID_REQUEST,
        "The directory in the address is the all-zero GUID.",
        "Put the directory's id into the address.",
        "The tenant identifier '{tenant}' is not a valid one.",
    ),
    _entry(
        50059,
        INVALID_REQUEST,
        "The request does not say which directory it is for.",
        "Use the address of one directory in place of /organizations or /common.",
        "The request to '/{tenant}' does not tell which directory is meant. Use the address of one "
        "directory.",
    ),
    _entry(
        90019,
        INVALID_REQUEST,
        "The request does not say which directory it is for (older code).",
        "Use the address of one directory.",
    ),
    _entry(
        9001023,
        INVALID_REQUEST,
        "This grant cannot be used on /common or /consumers.",
        "Use the address of one directory.",
        "The grant type is not supported over '/{tenant}'. Use the address of one directory.",
    ),
    _entry(
        50194,
        INVALID_REQUEST,
        "A single-tenant application was used on /common.",
        "Use the address of the application's own directory.",
    ),
    _entry(
        50049,
        INVALID_REQUEST,
        "The host is not a known authority.",
        "Use this authority's own address, or switch instance discovery off in the client.",
        "The host '{host}' is not known here. This authority is '{authority}'.",
    ),
    _entry(
        90038, INVALID_REQUEST, "The directory belongs to another cloud.", "Use that cloud's sign-in host."
    ),
    _entry(
        900382,
        INVALID_REQUEST,
        "Confidential clients are not allowed across clouds.",
        "Use the sign-in host of the application's own cloud.",
    ),
    _entry(
        900432,
        INVALID_REQUEST,
        "The request went to another cloud than the directory's.",
        "Use that cloud's host.",
    ),
    _entry(
        900439,
        INVALID_REQUEST,
        "A directory of the US Government cloud was asked for at the public cloud's address.",
        "Use login.microsoftonline.us.",
    ),
    _entry(
        7000114,
        INVALID_REQUEST,
        "This application may not ask for tokens on behalf of people.",
        "Use the client credentials grant for the application's own work.",
    ),
]

_SCOPE = [
    _entry(
        1002012,
        INVALID_SCOPE,
        "Client credentials need a scope that ends in /.default; this one names a single permission.",
        "Ask for the resource's identifier followed by /.default, for instance api://orders/.default.",
        "The scope '{scope}' is not valid for client credentials. Use the resource's identifier followed "
        "by '/.default', for instance '{example}'.",
    ),
    _entry(
        70011,
        INVALID_SCOPE,
        "The scope is malformed.",
        "Use the resource's identifier followed by /.default, without quotes, line breaks or other "
        "characters.",
        "The scope '{scope}' is not valid: it is malformed. Use the resource's identifier followed by "
        "'/.default'.",
    ),
    _entry(
        28002,
        INVALID_SCOPE,
        "The scope's value is not valid.",
        "Use the resource's identifier and /.default.",
    ),
    _entry(
        28003, INVALID_SCOPE, "The scope is empty.", "Send the resource's identifier followed by /.default."
    ),
    _entry(
        28000,
        INVALID_SCOPE,
        "The scope names more than one resource.",
        "Ask for one resource per request; make one request for each.",
        "The scope '{scope}' names more than one resource. Ask for one resource per request.",
    ),
    _entry(
        700022,
        INVALID_SCOPE,
        "The scope names more than one resource (a variant of 28000).",
        "Ask for one resource per request.",
    ),
    _entry(
        500011,
        INVALID_RESOURCE,
        "The directory has no resource of that name: the identifier is misspelt or the API is not "
        "registered there.",
        "Compare the resource with the Application ID URI of the API; each character counts.",
        "There is no resource named '{resource}' in the directory '{tenant_name}' ('{tenant_id}').{hint}",
    ),
    _entry(
        500014,
        INVALID_RESOURCE,
        "The resource's service principal is disabled.",
        "Enable the application that the token is for.",
        "The resource '{resource}' ('{resource_name}') is disabled.",
    ),
    _entry(
        50001,
        INVALID_RESOURCE,
        "The resource is unknown or disabled (older code).",
        "Treat it like 500011.",
    ),
    _entry(
        650057,
        INVALID_RESOURCE,
        "The resource is not among the permissions that the application asks for.",
        "Add a permission of that resource to the application.",
    ),
    _entry(
        901002,
        INVALID_REQUEST,
        "The v2.0 endpoint does not take the parameter 'resource'.",
        "Send scope in its place: the resource's identifier followed by /.default.",
        "The parameter 'resource' is not supported here. Send 'scope' with the resource's identifier "
        "followed by '/.default'.",
    ),
    _entry(
        501051,
        INVALID_GRANT,
        "The resource demands an assignment, and the application has none of its app roles.",
        "Request and grant the application an app role of the resource on its API permissions page, or "
        "switch the demand off on the resource's Expose an API page.",
        "Application '{client_id}' ('{client_name}') has no app role of the resource '{resource_id}' "
        "('{resource_name}'), and that resource demands an assignment.",
    ),
    _entry(
        65001,
        INVALID_GRANT,
        "Nobody consented to the permission that was asked for. App-only requests never answer this.",
        "Grant consent.",
    ),
]

_SHAPE = [
    _entry(
        900144,
        INVALID_REQUEST,
        "A parameter that must be in the request's body is missing or empty.",
        "Send it in the body as application/x-www-form-urlencoded, not in the address and not as JSON.",
        "The request body must contain the parameter '{name}'.",
    ),
    _entry(
        90014,
        INVALID_REQUEST,
        "A parameter that must be there is missing (older code).",
        "Treat it like 900144.",
    ),
    _entry(
        70003,
        UNSUPPORTED_GRANT_TYPE,
        "The grant type is not offered.",
        "Send grant_type=client_credentials.",
        "The grant type '{grant_type}' is not supported. Use 'client_credentials'.",
    ),
    _entry(
        900561,
        INVALID_REQUEST,
        "The address takes other HTTP methods.",
        "Send the token request as POST.",
        "The address takes {allowed} requests only, and got '{method}'.",
        status=405,
    ),
    _entry(
        9002313,
        INVALID_REQUEST,
        "The request is malformed: wrong content type or encoding, a parameter given twice, or two "
        "credentials at once.",
        "Send one form-encoded body with each parameter once and a single credential.",
        "The request is malformed or cannot be used. [Reason - {reason}]",
    ),
    _entry(
        90100, INVALID_REQUEST, "A parameter is empty or not valid.", "Correct the parameter that is named."
    ),
    _entry(
        100007,
        INVALID_REQUEST,
        "A regional endpoint was used by an application that may not use it.",
        "Use the global host.",
    ),
    _entry(
        90055,
        TEMPORARILY_UNAVAILABLE,
        "Too many requests, or too many wrong secrets for this client from this address.",
        "Wait as long as Retry-After says. Clients should keep their tokens until shortly before they end.",
        "There were too many {what} from this address. Wait {seconds} seconds.",
        status=429,
    ),
    _entry(
        50196,
        INVALID_GRANT,
        "The client repeats the same request in a loop.",
        "Stop the loop and keep the token that was issued.",
    ),
    _entry(
        90033,
        TEMPORARILY_UNAVAILABLE,
        "The authority cannot answer at the moment: it could not write its sign-in record, or lacks a key.",
        "Try again shortly. If it stays, the operator finds the cause in the server's log.",
        "The authority is temporarily unavailable. No token was issued.",
        status=503,
    ),
    _entry(
        90020,
        "server_error",
        "The authority met an error of its own.",
        "Report the trace id to whoever runs the server.",
        "An unexpected error occurred. Whoever runs this server finds it in the log under the trace id.",
        status=500,
    ),
]

_POLICY = [
    _entry(
        53003,
        INVALID_GRANT,
        "Conditional Access for workload identities blocks this application here.",
        "Ask the administrator to change the policy, or call from an allowed network.",
    ),
    _entry(
        1000031,
        INVALID_REQUEST,
        "The application cannot be used at this time, by policy or assignment.",
        "Ask the directory's administrator.",
    ),
]

CATALOGUE: dict[int, Entry] = {
    entry.code: entry
    for table in (_SECRETS, _ASSERTIONS, _FEDERATED, _CLIENT_AND_TENANT, _SCOPE, _SHAPE, _POLICY)
    for entry in table
}

# The same entries under headings, for people.
FAMILIES: tuple[tuple[str, tuple[Entry, ...]], ...] = tuple(
    (heading, tuple(entries))
    for heading, entries in (
        ("Client secrets", _SECRETS),
        ("Certificates and client assertions", _ASSERTIONS),
        ("Federated credentials", _FEDERATED),
        ("Application and directory", _CLIENT_AND_TENANT),
        ("Scope and resource", _SCOPE),
        ("Shape of the request, limits, faults", _SHAPE),
        ("Policy", _POLICY),
    )
)

# Where Microsoft's own behaviour could not be confirmed from public text: what the built-in authority does.
# docs/differences-from-entra.md carries each of these sentences.
UNCONFIRMED: dict[int, str] = {
    7000215: "A secret whose start lies ahead is answered like a wrong one.",
    7000222: "Every stored secret is compared; this code comes only where no live one matches.",
    700027: "The thumbprint is printed as the client sent it: SHA-1 for x5t, SHA-256 for x5t#S256.",
    700024: "Clocks may differ by five minutes, and an assertion may end 24 hours ahead at most.",
    700023: "Token endpoint and issuer of the same directory are accepted, v2.0 and v1.0, by id or by domain "
    "name.",
    700021: "OAuth error and status follow the family of invalid_client.",
    700028: "Entra takes an assertion again until it ends, and no public text names a code for a second "
    "use. The number is this authority's choice, for directories that take each assertion once.",
    50027: "An audience that is a list is refused, as is a claim or header of another type than its "
    "specification has.",
    50166: "Issuers whose origin is not on this server's list are answered with this code too.",
    7002138: "Comes in place of 700213 where only letter case differs.",
    700016: "A deleted registration is answered like one that never was.",
    7000229: "Comes for multitenant applications alone; a single-tenant one of another directory is 700016.",
    700038: "The OAuth error is unauthorized_client; a client id that is no GUID gets this code too.",
    9001023: "OAuth error and status follow the family of invalid_request.",
    50049: "Answered by instance discovery alone, with the OAuth error invalid_instance.",
    28000: "Comes before 1002012 where scopes name several resources.",
    500014: "The OAuth error is invalid_resource; a disabled registration counts as a disabled resource.",
    501051: "OAuth error invalid_grant, status 400. Only granted roles that are enabled satisfy the demand.",
    900561: "The status is 405 with an Allow header, as HTTP asks for.",
    9002313: "Two credentials at once, a parameter given twice and a body over 64 KB are answered with this "
    "code.",
    90055: "Wrong secrets are limited for each client and address; the status is 429 with Retry-After.",
    90033: "Also where the sign-in record cannot be written: then no token leaves. The status is 503.",
    90020: "The status is 500, the OAuth error server_error.",
}
