//! The naive twins: the same questions as in the crates, answered in the most obvious way, with no
//! code in common. Where a twin answers otherwise, one of both is wrong.

pub mod base64url;
pub mod claims;
pub mod forwarded;
pub mod header;
pub mod json;
pub mod jwk_set;
pub mod outgoing;
pub mod proof;

/// The three parts of a token.
pub fn compact(token: &str) -> Option<[Vec<u8>; 3]> {
    if token.len() > 16 * 1024 || token.matches('.').count() != 2 {
        return None;
    }
    let mut parts = token.split('.').map(base64url::decode);
    Some([parts.next()??, parts.next()??, parts.next()??])
}
