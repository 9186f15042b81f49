//! What is known of the access tokens of widely used identity providers.
//!
//! A profile is a table, one for each provider, and what it says are ordinary rules: `trust` makes a
//! [`TrustedIssuer`] of it, which can be changed further and which shows in the digest what it is. Pick the
//! profile by what a token of yours looks like, not by what the login page looks like:
//!
//! | provider | profile | tokens | audience to expect | scopes, roles |
//! |---|---|---|---|---|
//! | follows RFC 9068 | [`Rfc9068`](Profile::Rfc9068) | JWT | your resource | `scope` |
//! | Auth0 | [`Auth0`](Profile::Auth0), [`Auth0Rfc9068`](Profile::Auth0Rfc9068) | JWT | the API identifier | `scope`; `permissions` |
//! | Authentik | [`Authentik`](Profile::Authentik) | JWT | the client id | `scope` |
//! | Cognito | [`Cognito`](Profile::Cognito) | JWT | your resource, if bound | `scope`; `cognito:groups` |
//! | Entra ID | [`EntraV1`](Profile::EntraV1), [`EntraV2`](Profile::EntraV2) | JWT | v1: App ID URI or GUID; v2: GUID | `scp`; `roles` |
//! | Google | [`Google`](Profile::Google) | opaque | the OAuth client id | `scope` |
//! | Keycloak | [`Keycloak`](Profile::Keycloak) | JWT | what an audience mapper writes | `scope`; realm roles |
//! | Okta, custom server | [`Okta`](Profile::Okta) | JWT | the audience of the server | `scp` |
//! | Okta, org server | [`OktaOrg`](Profile::OktaOrg) | opaque | the URL of the org | `scope` |
//! | Ory Hydra | [`HydraOpaque`](Profile::HydraOpaque), [`Hydra`](Profile::Hydra) | opaque, JWT | what clients may ask for | `scope`; `scp` |
//! | WorkOS | [`WorkOs`](Profile::WorkOs) | JWT | your resource, if asked for | `scope` |
//! | Zitadel | [`ZitadelOpaque`](Profile::ZitadelOpaque), [`Zitadel`](Profile::Zitadel) | opaque, JWT | the project id | `scope`, not in JWTs; roles |
//!
//! The audience goes to `palisade-audience-guard` (`AudienceGuardLayer::add_audience`). No profile knows it,
//! and no profile makes the audience check unnecessary.
//!
//! ```
//! use palisade_token_verify::trust::{ClaimRule, ClaimSource, Profile};
//!
//! // Auth0 writes the slash, and compares it.
//! let auth0 = Profile::Auth0.trust("https://acme.eu.auth0.com/")?;
//! assert!(Profile::Auth0.trust("https://acme.eu.auth0.com").is_err());
//!
//! // One organization only.
//! let acme = auth0.require_claim(ClaimSource::parse("org_id")?, ClaimRule::equals("org_7"));
//!
//! // `common` is no issuer: it lets every tenant of the world in.
//! let error = Profile::EntraV2.trust("https://login.microsoftonline.com/common/v2.0").unwrap_err();
//! assert!(error.to_string().contains("name one tenant"));
//! # let _ = acme;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a profile does not do
//!
//! It follows what providers document and what their tokens looked like when it was written. Providers can
//! be configured to write other tokens; a token that does not fit is refused, never half understood. Custom
//! claims are yours: that they mean anything is nothing a profile knows.

mod build;
mod facts;
mod form;
#[cfg(test)]
mod tests;

use self::facts::Facts;
use super::TrustedIssuer;
use crate::{InvalidIssuerError, Issuer};

/// A widely used identity provider, and what its access tokens look like.
///
/// The module docs have [a table](self). Each variant lists its traps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Auth0, with the default token profile of an API.
    ///
    /// - **The issuer ends with `/`**, also with a custom domain.
    /// - **Without an `audience` parameter the token is opaque**, or encrypted for `/userinfo`: that is a
    ///   token for Auth0, and no setting of ours can read it. Let clients send `audience`, or switch on the
    ///   resource parameter compatibility profile and let them send `resource`; of both, `audience` wins.
    /// - With the scope `openid`, **`aud` is an array** of the API identifier and `/userinfo`. A guard that
    ///   requires the sole audience must tolerate the second.
    /// - `typ` is `JWT`, as in ID tokens. These are told apart: they have no `azp`, and may have `nonce` or
    ///   `at_hash`.
    /// - **`permissions` are roles here.** With role-based access control they are all that the user may do;
    ///   `scope` is what this client was allowed to. Decide by scopes, and by permissions on top.
    /// - The subject of a client is `{client id}@clients`. There is no `jti`.
    /// - **Organizations** share one issuer: require `org_id` if the service belongs to one.
    Auth0,
    /// Auth0, with the RFC 9068 token profile of an API: `at+jwt`, `client_id` and `jti`. Prefer it.
    ///
    /// The traps of [`Auth0`](Self::Auth0) hold but for `typ`, the client and `jti`. Access tokens of APIs
    /// that are still on the default profile are refused.
    Auth0Rfc9068,
    /// Authentik.
    ///
    /// - **`aud` is the client id**: all clients of one provider share it, and a token says nothing about
    ///   the service that it is for. Give this service a provider of its own.
    /// - **Without a signing key, tokens are signed with the client secret** (HS256), and refused here:
    ///   whoever can verify them can make them. Choose a signing key in the provider.
    /// - Access tokens are the ID tokens with `azp` and `uid` added, of the same `typ`, `JWT`. These two
    ///   claims are required, so no scope mapping may write them into ID tokens.
    /// - **What `sub` is can be chosen** for each provider. An e-mail address or a user name can change hands;
    ///   keep the default, or an id.
    /// - The issuer is that of one provider and ends with `/`. With one issuer for all, providers with
    ///   different keys and clients become one: that mode is not accepted.
    /// - `scope` is not there in every version. Groups come from a scope mapping: add them with
    ///   [`roles_from`](TrustedIssuer::roles_from).
    Authentik,
    /// Amazon Cognito user pools.
    ///
    /// - **`aud` is missing** unless the login pages bound the token to a resource. Then it is refused,
    ///   because nothing says whom it is for. Bind it; or, giving up what
    ///   [`audiences_from`](TrustedIssuer::audiences_from) says, let `client_id` stand in, and list the client ids
    ///   by `AudienceGuardLayer::add_audience_of_issuer` in palisade-audience-guard.
    /// - **ID tokens have an `aud`**, look better than access tokens, and are signed by the same keys:
    ///   `token_use` must be `access`.
    /// - There is no `typ`.
    /// - Scopes are `{resource server}/{scope}`, in requests and tokens alike. Tokens by the user pool API
    ///   (not the login pages) have the one scope `aws.cognito.signin.user.admin`.
    /// - There are two forms of issuers. Copy it from the metadata of the pool.
    /// - `cognito:groups` are the roles. Clients have none, and `sub` is their client id.
    Cognito,
    /// Entra ID (Azure AD), version 1 tokens.
    ///
    /// **The version is chosen by the manifest of the API** (`requestedAccessTokenVersion`, 1 if not set), not
    /// by the endpoint that clients call.
    ///
    /// - **`aud` is the App ID URI or the client id of the API**, whichever was asked for: give both to the
    ///   audience check.
    /// - The issuer is `https://sts.windows.net/{tenant}/`, with the slash. The client is in `appid`.
    /// - All other traps are those of [`EntraV2`](Self::EntraV2).
    EntraV1,
    /// Entra ID (Azure AD), version 2 tokens. Prefer it to version 1.
    ///
    /// - **`aud` is the client id of the API, a GUID**, whatever clients ask for. An audience check that
    ///   knows only a URL refuses everything.
    /// - **One tenant.** `common`, `organizations` and `consumers` are no issuers. A service for several
    ///   tenants trusts several issuers, each by name. `tid` must be the tenant of the issuer.
    /// - **Any application of the tenant gets a token for any API**, without `scp` and without `roles`, unless
    ///   the API requires assignment. So one of them must be there.
    /// - **Scopes lose their prefix**: clients ask for `api://{id}/orders.read`, tokens say `orders.read`.
    ///   Set [`scope_prefix`](TrustedIssuer::scope_prefix), or challenges ask for what does not exist.
    ///   `openid` and its like are never in a token.
    /// - **`scp` is what a user delegated, `roles` what an administrator gave an application** (or a user).
    ///   An application that acts for itself has no scopes, and is let in by roles alone.
    /// - **The subject is `oid`**, the same for all services of the tenant. `sub` is another one for each
    ///   client, and no key to anything shared. `oid` of a guest differs between tenants.
    /// - **ID tokens of a client that is also the API** have the right audience; they have no `azp`. Do not
    ///   give client and API one registration.
    /// - **Tokens for Graph** are signed over a changed header and cannot be verified by anyone else; their
    ///   audience is another anyway. A client that sends them asked for the wrong scope.
    /// - **Groups** are not read. With more than 200 of them a token has none and points to Graph instead
    ///   (`_claim_names`, `hasgroups`), so a rule "not in group x" fails open. Prefer roles.
    /// - An API with signing keys of its own publishes them under `?appid=`: set
    ///   [`keys_at`](TrustedIssuer::keys_at).
    /// - There is `uti` instead of `jti`.
    EntraV2,
    /// Google. Its access tokens are opaque (`ya29.`): these are rules for what the `tokeninfo` service says of
    /// them, for a verifier that asks it.
    ///
    /// - **No audience names a service.** `aud` is the OAuth client that got the token, so a token for *any*
    ///   service that this client calls opens this one. The client is required, and is the audience to expect.
    /// - A token without that check belongs to whichever of the world's Google applications asked for it.
    /// - **`tokeninfo` is not RFC 7662**: there is no `active` and no `iss`, dates are strings, errors are 400.
    ///   Whoever asks it translates.
    /// - There is a subject only with the scope `openid`.
    /// - ID tokens of Google are JWTs for the client. They are not accepted, whoever signed them.
    Google {
        /// Your OAuth client.
        client_id: Box<str>,
    },
    /// Ory Hydra with JWT access tokens (`strategies.access_token: jwt`). Opaque ones are the default:
    /// [`HydraOpaque`](Self::HydraOpaque).
    ///
    /// - **`aud` is empty** unless the client asks for an `audience` that it was allowed. Then it is refused.
    /// - **`scp` is an array**, a string in `scope`, or both (`strategies.jwt.scope_claim`). Where both are,
    ///   they must agree.
    /// - `typ` is `JWT`, as in ID tokens. These have no `client_id`; do not mirror a claim of that name from a
    ///   session.
    /// - JWTs stay valid after a revocation. Keep their lifetime short.
    /// - Claims of your consent application are under `ext`: `/ext/roles` in
    ///   [`roles_from`](TrustedIssuer::roles_from).
    Hydra,
    /// Ory Hydra with opaque access tokens (`ory_at_`): rules for its introspection answers.
    ///
    /// - **Refresh tokens are active as well.** `token_use` must be `access_token`.
    /// - The introspection endpoint belongs to the administrative port, and asks for no credentials: keep it
    ///   inside.
    /// - `aud` is empty unless the client asked for one, and scopes come as `scope`.
    HydraOpaque,
    /// Keycloak.
    ///
    /// - **`aud` is often only `account`**, or missing: that is a token for Keycloak's own account page. Add an
    ///   audience mapper to a client scope. The audience check refuses to be told to accept `account`.
    /// - The header says `JWT` for everything. **The claim `typ` tells**: `Bearer` or `DPoP`, against `ID`,
    ///   `Refresh`, `Offline`, `Logout`. Clients can be switched to `at+jwt`, which is accepted as well.
    /// - **Roles are those of the realm**, and of no client: roles of clients are called as those clients like,
    ///   and `admin` of another is not yours. To read yours instead, call
    ///   [`roles_from`](TrustedIssuer::roles_from) with `/resource_access/{client}/roles`.
    /// - The issuer depends on the host name that the login went to, unless the server has a fixed one.
    /// - From version 25 on, `sub` comes from the client scope `basic`. A token without it is refused.
    /// - Resource indicators (RFC 8707) are an experiment, and filter `aud` rather than add to it.
    Keycloak,
    /// Okta, with a custom authorization server, such as `default`.
    ///
    /// - **`aud` is a setting of the authorization server**, `api://default` at first, and the same for all who
    ///   use it. Give it a name that is this service's alone. Okta does not read `resource`.
    /// - **Scopes are an array, `scp`**; the client is in `cid`.
    /// - **The subject is `uid`**, which is there for users; for clients it is `sub`. The `sub` of a user is the
    ///   login name, mostly an e-mail address, and can be given to somebody else.
    /// - `typ` is missing, or `application/okta-internal-at+jwt`. ID tokens are signed by the same keys, and have
    ///   neither `cid` nor `scp`.
    /// - **The org authorization server** (the issuer without `/oauth2/`) is not this: see
    ///   [`OktaOrg`](Self::OktaOrg).
    /// - Groups need a claim of their own: add it with [`roles_from`](TrustedIssuer::roles_from).
    Okta,
    /// Okta's org authorization server. Its access tokens look like JWTs, but nobody else can verify them, and
    /// they are for Okta's own API: rules for its introspection answers.
    ///
    /// - **The audience is the URL of the org**, for all its services alike. Prefer a custom authorization server:
    ///   [`Okta`](Self::Okta).
    /// - **ID and refresh tokens can be active as well**: `token_type` must be `Bearer` or `DPoP`.
    OktaOrg,
    /// Any issuer that follows RFC 9068, to the letter:
    /// [`TrustedIssuer::require_rfc9068`] and nothing else.
    Rfc9068,
    /// WorkOS AuthKit, with tokens of Connect applications.
    ///
    /// - The issuer is the AuthKit domain. **Tokens of `https://api.workos.com/...` are sessions** of your own
    ///   front end: they have no `aud`, and are refused.
    /// - **`aud` is the resource only if the client asked for one** (RFC 8707), and the client id of the
    ///   environment otherwise, which all services share, and which clients without a user always get. Do not
    ///   let the audience check accept that.
    /// - `org_id` is the organization that the user chose: require it if the service belongs to one.
    /// - What ID tokens do not have is required: `client_id` and `jti`.
    /// - The subject of a client is its client id.
    WorkOs,
    /// Zitadel, for applications with JWT access tokens. Opaque ones are the default:
    /// [`ZitadelOpaque`](Self::ZitadelOpaque).
    ///
    /// - **JWTs have no `scope`.** Whoever decides by scopes needs introspection; here the roles decide.
    /// - **`aud` lists client ids and the project id**, and further projects by the scope
    ///   `urn:zitadel:iam:org:project:id:{id}:aud`. Expect the project id.
    /// - **Roles are the names of an object's members**, whose values say in which organization. A role in one
    ///   organization is a role here: in a service for several, name the claim of one project
    ///   (`urn:zitadel:iam:org:project:{id}:roles`) in [`roles_from`](TrustedIssuer::roles_from), and look into
    ///   the claim.
    /// - `typ` is `JWT`, as in ID tokens. These have no `jti`, but `auth_time`.
    Zitadel,
    /// Zitadel with opaque access tokens: rules for its introspection answers, where `scope` is.
    ///
    /// The other traps are those of [`Zitadel`](Self::Zitadel).
    ZitadelOpaque,
}

/// There is no such issuer of this provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Google tokens of any client would be accepted.
    #[error("the client id is empty: name your OAuth client")]
    NoClient,
    /// No issuer at all.
    #[error("not an issuer identifier")]
    NotAnIssuer(#[source] InvalidIssuerError),
    /// The issuer of another provider, or none that signs tokens.
    #[error("not an issuer of the profile `{profile}`, which looks like `{form}`: {advice}")]
    OtherForm {
        /// The profile.
        profile: &'static str,
        /// What its issuers look like.
        form: &'static str,
        /// What to do.
        advice: &'static str,
    },
}

impl Profile {
    /// The rules for an issuer of this provider.
    ///
    /// Profiles of opaque tokens have no keys: a verifier of JWTs cannot be made of them alone.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] if `issuer` does not look like one of this provider.
    pub fn trust(&self, issuer: &str) -> Result<TrustedIssuer, ProfileError> {
        let facts = self.facts();
        let issuer = Issuer::parse(issuer).map_err(ProfileError::NotAnIssuer)?;
        let mut found = facts
            .issuers
            .iter()
            .find_map(|form| form::read(form, issuer.as_str()))
            .ok_or_else(|| facts.other_form())?;
        if let Self::Google { client_id } = self {
            if client_id.is_empty() {
                return Err(ProfileError::NoClient);
            }
            found.push(("client_id", client_id));
        }
        Ok(facts.rules(issuer.clone(), &found))
    }

    /// What the profile is called in files.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.facts().name
    }

    /// The profile of a name. Google's has no client yet.
    #[cfg(feature = "toml")]
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|profile| profile.name() == name)
    }

    #[cfg(feature = "toml")]
    pub(super) fn names() -> [&'static str; 16] {
        Self::all().map(|profile| profile.name())
    }

    #[cfg(any(test, feature = "toml"))]
    pub(super) fn all() -> [Self; 16] {
        [
            Self::Auth0,
            Self::Auth0Rfc9068,
            Self::Authentik,
            Self::Cognito,
            Self::EntraV1,
            Self::EntraV2,
            Self::Google { client_id: Box::default() },
            Self::Hydra,
            Self::HydraOpaque,
            Self::Keycloak,
            Self::Okta,
            Self::OktaOrg,
            Self::Rfc9068,
            Self::WorkOs,
            Self::Zitadel,
            Self::ZitadelOpaque,
        ]
    }

    /// An issuer of the first form.
    #[cfg(all(test, feature = "toml"))]
    pub(super) fn example(&self) -> String {
        let form = self.facts().issuers.first().copied().unwrap_or_default();
        form.replace("{origin}", "https://as.example")
            .replace("{base}", "https://as.example")
            .replace("{issuer}", "https://as.example")
            .replace("{host}", "as.example")
            .replace("{region}", "eu-west-1")
            .replace("{name}", "x")
    }

    const fn facts(&self) -> &'static Facts {
        match self {
            Self::Auth0 => &facts::AUTH0,
            Self::Auth0Rfc9068 => &facts::AUTH0_RFC9068,
            Self::Authentik => &facts::AUTHENTIK,
            Self::Cognito => &facts::COGNITO,
            Self::EntraV1 => &facts::ENTRA_V1,
            Self::EntraV2 => &facts::ENTRA_V2,
            Self::Google { .. } => &facts::GOOGLE,
            Self::Hydra => &facts::HYDRA,
            Self::HydraOpaque => &facts::HYDRA_OPAQUE,
            Self::Keycloak => &facts::KEYCLOAK,
            Self::Okta => &facts::OKTA,
            Self::OktaOrg => &facts::OKTA_ORG,
            Self::Rfc9068 => &facts::RFC9068,
            Self::WorkOs => &facts::WORKOS,
            Self::Zitadel => &facts::ZITADEL,
            Self::ZitadelOpaque => &facts::ZITADEL_OPAQUE,
        }
    }
}
