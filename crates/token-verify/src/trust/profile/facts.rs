//! What the access tokens of each provider look like: one table for each, to be read next to the provider's
//! documentation. Nothing here is code.

use crate::{
    SignatureAlgorithm,
    trust::{ClaimSource, issuer::ClientRule},
};

pub(super) struct Facts {
    /// What it is called in files.
    pub(super) name: &'static str,
    /// The forms of its issuers, see [`form`](super::form).
    pub(super) issuers: &'static [&'static str],
    /// What to do about an issuer of another form.
    pub(super) advice: &'static str,
    pub(super) keys: Keys,
    pub(super) algorithms: &'static [SignatureAlgorithm],
    /// Beside `at+jwt`.
    pub(super) types: &'static [&'static str],
    pub(super) missing_type: MissingType,
    pub(super) subjects: &'static [ClaimSource],
    pub(super) clients: &'static [ClaimSource],
    pub(super) client: ClientRule,
    pub(super) scopes: &'static [ClaimSource],
    pub(super) roles: &'static [ClaimSource],
    pub(super) require: &'static [(&'static str, Must)],
    /// Of these, one is there.
    pub(super) require_any: &'static [ClaimSource],
}

pub(super) enum Keys {
    /// At an address of this form.
    At(&'static str),
    Discovered,
    /// None: its access tokens are opaque.
    Opaque,
}

#[derive(PartialEq, Eq)]
pub(super) enum MissingType {
    Accepted,
    Refused,
}

/// What a claim must be.
pub(super) enum Must {
    Absent,
    OneOf(&'static [&'static str]),
    Present,
    /// What stands in this place of the issuer, or of the profile's parameters.
    The(&'static str),
}

use Keys::{At, Discovered, Opaque};
use Must::{Absent, OneOf, Present, The};
use SignatureAlgorithm as Alg;

const NOWHERE: &[ClaimSource] = &[];

/// As RFC 9068 has it. The other tables say what differs.
pub(super) const RFC9068: Facts = Facts {
    name: "rfc9068",
    issuers: &["{issuer}"],
    advice: "",
    keys: Discovered,
    algorithms: Alg::ALL,
    types: &[],
    missing_type: MissingType::Refused,
    subjects: &[ClaimSource::claim("sub")],
    clients: &[ClaimSource::claim("client_id")],
    client: ClientRule::Required,
    scopes: &[ClaimSource::text("scope")],
    roles: NOWHERE,
    require: &[("iat", Present), ("jti", Present)],
    require_any: NOWHERE,
};

pub(super) const AUTH0: Facts = Facts {
    name: "auth0",
    issuers: &["https://{host}/"],
    advice: "it is the domain of the tenant, and ends with a slash",
    algorithms: &[Alg::RS256, Alg::PS256],
    types: &["JWT"],
    clients: &[ClaimSource::claim("azp")],
    roles: &[ClaimSource::claim("permissions")],
    // ID tokens: no `azp`; `nonce` or a hash of what came with them.
    require: &[("nonce", Absent), ("at_hash", Absent), ("c_hash", Absent)],
    ..RFC9068
};

pub(super) const AUTH0_RFC9068: Facts = Facts {
    name: "auth0-rfc9068",
    issuers: AUTH0.issuers,
    advice: AUTH0.advice,
    algorithms: AUTH0.algorithms,
    roles: &[ClaimSource::claim("permissions")],
    ..RFC9068
};

pub(super) const AUTHENTIK: Facts = Facts {
    name: "authentik",
    issuers: &["{base}/application/o/{name}/"],
    advice: "let each provider have an issuer of its own (issuer mode \"per provider\")",
    types: &["JWT"],
    clients: &[ClaimSource::claim("azp")],
    // Its access tokens are its ID tokens with these two added.
    require: &[("uid", Present)],
    ..RFC9068
};

pub(super) const COGNITO: Facts = Facts {
    name: "cognito",
    issuers: &[
        "https://cognito-idp.{region}.amazonaws.com/{region}_{name}",
        "https://issuer-cognito-idp.{region}.amazonaws.com/{region}_{name}",
        "https://cognito-idp.{region}.amazonaws.com.cn/{region}_{name}",
    ],
    advice: "name the user pool: it is not the domain of the login pages",
    algorithms: &[Alg::RS256],
    missing_type: MissingType::Accepted,
    roles: &[ClaimSource::claim("cognito:groups")],
    // ID tokens: `token_use` is `id`.
    require: &[("token_use", OneOf(&["access"]))],
    ..RFC9068
};

pub(super) const ENTRA_V1: Facts = Facts {
    name: "entra-v1",
    issuers: &["https://sts.windows.net/{tenant}/"],
    advice: "name one tenant by its GUID, in lower case, and keep the slash",
    // Where the v1 metadata say that they are.
    keys: At("https://login.microsoftonline.com/{tenant}/discovery/keys"),
    clients: &[ClaimSource::claim("appid")],
    require: &[
        ("tid", The("tenant")),
        ("ver", OneOf(&["1.0"])),
        ("nonce", Absent),
        ("at_hash", Absent),
        ("c_hash", Absent),
    ],
    ..ENTRA_V2
};

pub(super) const ENTRA_V2: Facts = Facts {
    name: "entra-v2",
    issuers: &[
        "https://login.microsoftonline.com/{tenant}/v2.0",
        "https://login.microsoftonline.us/{tenant}/v2.0",
        "https://login.partner.microsoftonline.cn/{tenant}/v2.0",
        "https://{tenant}.ciamlogin.com/{tenant}/v2.0",
    ],
    advice: "name one tenant by its GUID, in lower case; `common` and `organizations` are nobody",
    algorithms: &[Alg::RS256],
    types: &["JWT"],
    // `sub` is another one for each client.
    subjects: &[ClaimSource::claim("oid")],
    clients: &[ClaimSource::claim("azp")],
    scopes: &[ClaimSource::text("scp")],
    roles: &[ClaimSource::claim("roles")],
    // ID tokens: no `azp`.
    require: &[
        ("tid", The("tenant")),
        ("ver", OneOf(&["2.0"])),
        ("nonce", Absent),
        ("at_hash", Absent),
        ("c_hash", Absent),
    ],
    // Any application of the tenant gets a token without either.
    require_any: &[ClaimSource::claim("scp"), ClaimSource::claim("roles")],
    ..RFC9068
};

pub(super) const GOOGLE: Facts = Facts {
    name: "google",
    issuers: &["https://accounts.google.com"],
    advice: "there is only this one",
    keys: Opaque,
    clients: &[ClaimSource::claim("azp")],
    require: &[("aud", The("client_id"))],
    ..RFC9068
};

pub(super) const HYDRA: Facts = Facts {
    name: "hydra",
    types: &["JWT"],
    // `scp` is an array, or a string; `scope` is there as well if both are asked for.
    scopes: &[ClaimSource::claim("scp"), ClaimSource::claim("scope")],
    // ID tokens: no `client_id`.
    require: &[("nonce", Absent), ("at_hash", Absent), ("c_hash", Absent)],
    ..RFC9068
};

pub(super) const HYDRA_OPAQUE: Facts = Facts {
    name: "hydra-opaque",
    keys: Opaque,
    // Refresh tokens are active, too.
    require: &[("token_use", OneOf(&["access_token"]))],
    ..RFC9068
};

pub(super) const KEYCLOAK: Facts = Facts {
    name: "keycloak",
    issuers: &["{base}/realms/{name}"],
    advice: "it ends with `/realms/` and the name of the realm",
    types: &["JWT"],
    clients: &[ClaimSource::claim("azp")],
    roles: &[ClaimSource::claim("/realm_access/roles")],
    // ID tokens: `typ` is `ID`; refresh, offline and logout tokens have theirs.
    require: &[("typ", OneOf(&["Bearer", "DPoP"]))],
    ..RFC9068
};

pub(super) const OKTA: Facts = Facts {
    name: "okta",
    issuers: &["https://{host}/oauth2/{name}"],
    advice: "without `/oauth2/` it is the org authorization server, whose tokens are opaque (`okta-org`)",
    algorithms: &[Alg::RS256],
    types: &["okta-internal-at+jwt"],
    missing_type: MissingType::Accepted,
    // `sub` is the login name, which can change and be given to somebody else.
    subjects: &[ClaimSource::claim("uid"), ClaimSource::claim("sub")],
    clients: &[ClaimSource::claim("cid")],
    scopes: &[ClaimSource::claim("scp")],
    // ID tokens: neither `cid` nor `scp`.
    require: &[("scp", Present), ("nonce", Absent), ("at_hash", Absent), ("c_hash", Absent)],
    ..RFC9068
};

pub(super) const OKTA_ORG: Facts = Facts {
    name: "okta-org",
    issuers: &["https://{host}"],
    advice: "with `/oauth2/` it is a custom authorization server, whose tokens are JWTs (`okta`)",
    keys: Opaque,
    subjects: &[ClaimSource::claim("uid"), ClaimSource::claim("sub")],
    // ID tokens and refresh tokens can be active, too.
    require: &[("token_type", OneOf(&["Bearer", "DPoP"]))],
    ..RFC9068
};

pub(super) const WORKOS: Facts = Facts {
    name: "workos",
    issuers: &["https://{host}"],
    advice: "it is the AuthKit domain, without a slash; tokens of `api.workos.com` are sessions",
    keys: At("https://{host}/oauth2/jwks"),
    algorithms: &[Alg::RS256],
    types: &["JWT"],
    missing_type: MissingType::Accepted,
    // ID tokens: neither `client_id` nor `jti`.
    require: &[("jti", Present), ("nonce", Absent), ("at_hash", Absent), ("c_hash", Absent)],
    ..RFC9068
};

pub(super) const ZITADEL: Facts = Facts {
    name: "zitadel",
    issuers: &["{origin}"],
    advice: "it is the domain of the instance, without a slash",
    types: &["JWT"],
    clients: &[ClaimSource::claim("azp"), ClaimSource::claim("client_id")],
    client: ClientRule::Optional,
    roles: &[ClaimSource::members("urn:zitadel:iam:org:project:roles")],
    // ID tokens: no `jti`, and what only a login knows.
    require: &[
        ("jti", Present),
        ("auth_time", Absent),
        ("nonce", Absent),
        ("at_hash", Absent),
        ("c_hash", Absent),
    ],
    ..RFC9068
};

pub(super) const ZITADEL_OPAQUE: Facts = Facts {
    name: "zitadel-opaque",
    issuers: ZITADEL.issuers,
    advice: ZITADEL.advice,
    keys: Opaque,
    roles: &[ClaimSource::members("urn:zitadel:iam:org:project:roles")],
    require: &[("jti", Present)],
    ..RFC9068
};
