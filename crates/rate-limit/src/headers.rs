//! What clients are told about the limit (draft-ietf-httpapi-ratelimit-headers-11).
//!
//! The draft describes windows; a bucket that refills evenly has none. It is described like this:
//!
//! - `q`: the burst, what passes at most at once;
//! - `w`: the seconds in which the whole burst comes back, rounded up, so that q/w never promises more
//!   than the rate;
//! - `r`: the whole units in the bucket;
//! - `t`: for how many seconds, rounded up, `r` is all there is. After an allowed request, that is until
//!   one more unit is back; after a refused one, until what it costs is there. Counting until the bucket
//!   is *full* would make `Retry-After`, which must not end before `t` (§6), hold clients off for a
//!   whole refill.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header::RETRY_AFTER};
use palisade_core::{Denial, DenialKind};

use crate::{Quota, gcra::Standing};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Whether clients are told about the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    Clients,
    Nobody,
}

/// A quota, and how clients are told about it.
#[derive(Debug)]
pub(crate) struct Policy {
    quota: Arc<Quota>,
    /// Never changes, so it is written once.
    line: Option<HeaderValue>,
}

impl Policy {
    pub(crate) fn new(quota: Quota) -> Self {
        let (name, burst) = (quota.name(), quota.burst_size());
        let window = whole_seconds(quota.refill_time());
        let line = HeaderValue::try_from(format!("\"{name}\";q={burst};w={window}")).ok();
        Self { quota: Arc::new(quota), line }
    }

    pub(crate) const fn quota(&self) -> &Arc<Quota> {
        &self.quota
    }
}

/// What to write on a response.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    policy: Arc<Policy>,
    /// Absent if the bucket is not the caller's own.
    standing: Option<Standing>,
}

impl Stamp {
    pub(crate) const fn new(policy: Arc<Policy>, standing: Option<Standing>) -> Self {
        Self { policy, standing }
    }

    /// Stamps the answer to a request that passed this limit.
    pub(crate) fn allowed<B>(&self, response: &mut Response<B>) {
        if is_about_access(response) {
            return;
        }
        // `Retry-After` is somebody else's here and may end before our `t`, which it must not.
        let foreign_wait = response.headers().contains_key(RETRY_AFTER);
        let windows = if foreign_wait { Windows::Omitted } else { Windows::Told };
        self.write(response.headers_mut(), windows);
    }

    /// Stamps the refusal of a request that did not.
    pub(crate) fn refused<B>(&self, response: &mut Response<B>) {
        self.write(response.headers_mut(), Windows::Told);
    }

    /// Adds one line to each field. Lines are members of one list, so that several limits add up.
    fn write(&self, headers: &mut HeaderMap, windows: Windows) {
        // Left out is what cannot be sent, as RFC 9651 §4.1 wants, and what there is no room for.
        if let Some(line) = &self.policy.line {
            let _ = headers.try_append(RATE_LIMIT_POLICY, line.clone());
        }
        let told = self.standing.map(|standing| rate_limit(&self.policy.quota, standing, windows));
        if let Some(Ok(line)) = told.map(HeaderValue::try_from) {
            let _ = headers.try_append(RATE_LIMIT, line);
        }
    }
}

/// Whether `t` is told.
#[derive(Clone, Copy)]
enum Windows {
    Omitted,
    Told,
}

fn rate_limit(quota: &Quota, standing: Standing, windows: Windows) -> String {
    let Standing { remaining, window } = standing;
    let name = quota.name();
    match windows {
        Windows::Omitted => format!("\"{name}\";r={remaining}"),
        Windows::Told => format!("\"{name}\";r={remaining};t={}", whole_seconds(window)),
    }
}

/// Rounded up, at least one, as `Retry-After` is.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).max(1)
}

/// Whether a response says that somebody may not, by whatever means. Who guesses at credentials learns
/// from a counter which guesses were charged to whom (§8.2), so there is none.
fn is_about_access<B>(response: &Response<B>) -> bool {
    // tidy: allow status-codes reads a status and chooses none
    let by_status = matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    // 7 PERMISSION_DENIED, 16 UNAUTHENTICATED.
    let grpc = response.headers().get(GRPC_STATUS).map(HeaderValue::as_bytes);
    let by_grpc = matches!(grpc, Some(b"7" | b"16"));
    // A renderer may have restyled the status, to 404 perhaps.
    let by_denial = response.extensions().get().is_some_and(|denial: &Denial| {
        matches!(
            denial.kind(),
            DenialKind::Forbidden
                | DenialKind::InsufficientScope
                | DenialKind::InvalidCredentials
                | DenialKind::InvalidToken
                | DenialKind::Unauthenticated
        )
    });
    by_status || by_grpc || by_denial
}
