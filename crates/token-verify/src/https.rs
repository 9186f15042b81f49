//! Did the request come over https? Asked before its credential is looked at.

mod forwarded;
#[cfg(fuzzing)]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
pub(crate) mod fuzzing;

use std::num::NonZeroUsize;

use http::{
    HeaderMap, HeaderName,
    header::{FORWARDED, VIA},
    request::Parts,
};
use palisade_core::ClientAddr;

use self::forwarded::Scheme;
use crate::Rejection;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// What proxies add to requests that they pass on, and clients do not.
const MARKS_OF_PROXIES: [HeaderName; 5] =
    [FORWARDED, VIA, X_FORWARDED_FOR, X_FORWARDED_PROTO, X_REAL_IP];

/// How a layer knows that a request came over https:
/// [`TokenVerifyLayer::with_https`](crate::TokenVerifyLayer::with_https). Without that call it is
/// [`from_connection`](Self::from_connection).
///
/// A bearer token that went over plain http belongs to everybody on the way (RFC 6750 §5.2: clients "MUST always use
/// TLS"). It is refused unread, so that no client gets used to it, and with 403: another token would go the same way.
///
/// Only what the chosen rule names is believed. The scheme of a URI (`:scheme` in HTTP/2), `Host` and `Origin` are the
/// client's words and are never looked at.
///
/// # What it does not protect against
///
/// What layers outside this one answer, metadata and preflights, has no token in it, and they answer it over plain http
/// as well: whoever is on the way can change that answer.
///
/// The first token that a client sends over plain http is out, whatever is answered. Offer no plain http, or answer it
/// with a redirect for people and with nothing else, and send `Strict-Transport-Security` (RFC 6797). Whether TLS was
/// any good, its version and its certificate, is up to whoever ended it.
#[derive(Clone, Copy, Debug)]
#[must_use = "the scheme is checked by the layer that is given this"]
pub struct Https(Source);

#[derive(Clone, Copy, Debug)]
enum Source {
    Connection,
    Forwarded { trusted_hops: NonZeroUsize },
    XForwardedProto { trusted_hops: NonZeroUsize },
}

impl Https {
    /// Clients connect to this process. The default.
    ///
    /// A request passes if
    ///
    /// - its [`TransportSecurity`] says that it came over TLS;
    /// - it is from this machine: from a loopback [`ClientAddr`], or its `TransportSecurity` says so. Then it may be
    ///   plain http, since nobody else can listen.
    ///
    /// One that is neither, and said to be plain, is 403. One of which nothing is known is 500: something has to leave
    /// a `TransportSecurity`, or the rule for a proxy is missing.
    ///
    /// # Proxies on the same machine
    ///
    /// To us, such a proxy is a client on loopback, and who speaks to it, and how, is not seen. Most give themselves away:
    /// a request from this machine with `Forwarded`, `Via`, `X-Forwarded-For`, `X-Forwarded-Proto` or `X-Real-IP` is
    /// 500, for the rule that names the proxy is missing. **One that adds none of them cannot be told from a client**:
    /// name it, and let it write the header.
    ///
    /// For the same reason let `ClientAddr` be the peer's here, and take it from no header: there, a client far away can
    /// write `127.0.0.1` as well. (Out of `X-Forwarded-For` it is 500, whatever the number of hops.)
    pub const fn from_connection() -> Self {
        Self(Source::Connection)
    }

    /// TLS ends in a proxy, which says so with `proto` in `Forwarded` (RFC 7239 §5.4).
    ///
    /// The element that counts is the one that the outermost of `trusted_hops` proxies of your own wrote, counted from
    /// the right: with one proxy the last, with two the last but one. All lines of the header are one list. Names and
    /// the scheme ignore case, and values may be quoted.
    ///
    /// It has to say `https`, wherever it comes from: loopback is no exception here, because the peer may be the proxy.
    /// `wss` is the same (RFC 6455 §3): some proxies say so of the handshake of a WebSocket.
    ///
    /// If the element is missing, has no `proto`, another scheme or two, or if it or one on its right is not of the
    /// form that RFC 7239 §4 has, the answer is 403.
    ///
    /// # Deviations
    ///
    /// A comma always ends an element, also one in quotes; either half is then malformed. Nobody needs commas there,
    /// and a quote that a client left open cannot swallow what the proxy wrote.
    ///
    /// # What you give up
    ///
    /// Anybody who can reach this service around the proxies writes this header as he likes. Nobody must.
    pub const fn from_rightmost_forwarded(trusted_hops: NonZeroUsize) -> Self {
        Self(Source::Forwarded { trusted_hops })
    }

    /// TLS ends in a proxy, which says so in `X-Forwarded-Proto`.
    ///
    /// As [`from_rightmost_forwarded`](Self::from_rightmost_forwarded), with a list of bare schemes. Count as
    /// [`ClientAddr::from_rightmost_x_forwarded_for`] does, with one difference: most proxies *replace* this header, and
    /// do not add to it. Where one does, count it and those behind it that add to the list.
    ///
    /// # What you give up
    ///
    /// Anybody who can reach this service around the proxies writes this header as he likes. Nobody must. And the
    /// proxy has to write it on each request: one that passes on what the client sent protects nobody.
    pub const fn from_rightmost_x_forwarded_proto(trusted_hops: NonZeroUsize) -> Self {
        Self(Source::XForwardedProto { trusted_hops })
    }

    pub(crate) fn check(self, request: &Parts) -> Result<(), Rejection> {
        let scheme = match self.0 {
            Source::Connection => return check_connection(request),
            Source::Forwarded { trusted_hops } => {
                forwarded::rightmost_proto(&request.headers, trusted_hops)?
            }
            Source::XForwardedProto { trusted_hops } => {
                forwarded::rightmost_x_proto(&request.headers, trusted_hops)?
            }
        };
        match scheme {
            Scheme::Http => Err(Rejection::PlainHttp),
            Scheme::Https => Ok(()),
        }
    }
}

impl Default for Https {
    fn default() -> Self {
        Self::from_connection()
    }
}

fn check_connection(request: &Parts) -> Result<(), Rejection> {
    let security = request.extensions.get().map(|TransportSecurity(security)| *security);
    let is_loopback = ClientAddr::of(request).is_some_and(|client| client.ip().is_loopback());
    match security {
        Some(Security::Tls) => Ok(()),
        Some(Security::Local) => is_not_forwarded(&request.headers),
        Some(Security::Plain) | None if is_loopback => is_not_forwarded(&request.headers),
        Some(Security::Plain) => Err(Rejection::PlainHttp),
        None => Err(Rejection::TransportUnknown),
    }
}

/// Whoever is at the other end speaks for himself, as far as anybody can see.
fn is_not_forwarded(headers: &HeaderMap) -> Result<(), Rejection> {
    if MARKS_OF_PROXIES.iter().any(|name| headers.contains_key(name)) {
        Err(Rejection::UnnamedProxy)
    } else {
        Ok(())
    }
}

/// Who could listen to the connection that a request came over. Left in the extensions of each request by the accept
/// loop, for [`Https::from_connection`].
///
/// It is about the connection to this process, and says nothing about what is behind a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportSecurity(Security);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    Local,
    Plain,
    Tls,
}

impl TransportSecurity {
    /// The connection does not leave this machine: a Unix socket, a pipe, a call in this process.
    #[must_use]
    pub const fn local() -> Self {
        Self(Security::Local)
    }

    /// Everybody on the way: the connection is not encrypted. Let the accept loop of such a listener say so, and
    /// requests from elsewhere are 403 rather than 500.
    #[must_use]
    pub const fn plain() -> Self {
        Self(Security::Plain)
    }

    /// Nobody: the TLS handshake is complete, and TLS ends in this process.
    #[must_use]
    pub const fn tls() -> Self {
        Self(Security::Tls)
    }

    /// Leaves the fact for the layers inside.
    pub fn leave_in(self, request: &mut Parts) {
        request.extensions.insert(self);
    }
}

#[cfg(test)]
mod tests;
