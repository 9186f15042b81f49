use std::error::Error;

use super::{samples::samples, *};

#[test]
fn of_tokens_the_wire_tells_expired_from_invalid_and_nothing_more() {
    for rejection in samples() {
        let denial = rejection.clone().into_denial();
        let unavailable = "the access token cannot be verified at the moment";
        let expected = if rejection == Rejection::Expired {
            (DenialKind::InvalidToken, "the access token expired")
        } else if rejection.retry_after().is_some() {
            (DenialKind::Unavailable, unavailable)
        } else if matches!(rejection, Rejection::AddressDenied { .. }) {
            (DenialKind::Forbidden, "requests from this address are not allowed")
        } else if rejection == Rejection::AddressMissing {
            (DenialKind::Misconfigured, "nothing says where the request came from")
        } else if matches!(
            rejection,
            Rejection::ForwardedSchemeInvalid
                | Rejection::ForwardedSchemeMissing
                | Rejection::PlainHttp
        ) {
            (DenialKind::Forbidden, "requests are accepted over https only")
        } else if matches!(rejection, Rejection::TransportUnknown | Rejection::UnnamedProxy) {
            (DenialKind::Misconfigured, "it is not known whether the request came over https")
        } else if rejection == Rejection::NonceRequired {
            (DenialKind::InvalidToken, "the DPoP proof needs a recent nonce")
        } else if let Rejection::InvalidProof { fault } = rejection {
            (DenialKind::InvalidToken, fault.reason().text())
        } else {
            (DenialKind::InvalidToken, "the access token is invalid")
        };
        assert_eq!((denial.kind(), denial.reason().text()), expected, "{rejection:?}");
        assert_eq!(denial.stage(), STAGE);
    }
}

#[test]
fn the_record_tells_all_of_them_apart() {
    let mut codes: Vec<_> =
        samples().into_iter().map(|rejection| rejection.into_denial().reason().code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), samples().len());
    for rejection in samples() {
        let denial = rejection.clone().into_denial();
        assert_eq!(denial.source().unwrap().downcast_ref(), Some(&rejection));
    }
}

#[test]
fn the_words_of_an_operator_are_for_the_record() {
    let label = Some(Arc::from("laptop stolen"));
    let denial = Rejection::Revoked { what: "subject", label }.into_denial();
    assert_eq!(denial.reason().text(), "the access token is invalid");
    let source = denial.source().unwrap().to_string();
    assert_eq!(source, "the deny list has the subject: laptop stolen");
    assert_eq!(
        Rejection::AddressDenied { label: None }.to_string(),
        "the deny list has the address"
    );
}

#[test]
fn an_outage_says_when_to_come_back() {
    for outage in [
        |retry_after| Rejection::IntrospectionUnavailable { retry_after },
        |retry_after| Rejection::KeysUnavailable { retry_after },
    ] {
        let wait = |retry_after| outage(retry_after).into_denial().retry_after();
        assert_eq!(wait(Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(wait(None), None);
    }
    let not_yet = Rejection::KeyNotYetKnown { retry_after: Duration::from_secs(7) };
    assert_eq!(not_yet.into_denial().retry_after(), Some(Duration::from_secs(7)));
}
