//! Digests of credentials under a key that nobody else has.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// How many bytes a credential has at least. RFC 6749 §10.10 wants tokens that cannot be guessed; what is shorter
/// can be, and would be found by accident where nobody put it.
pub(crate) const WINDOW: usize = 16;

pub(crate) type Digest = [u8; 32];

/// Drawn when the guard is made, gone with it. Wiped when dropped.
pub(crate) struct Key {
    mac: Hmac<Sha256>,
    base: Zeroizing<u64>,
    /// What the oldest byte of a window counts: `base` to the power of [`WINDOW`].
    oldest: Zeroizing<u64>,
}

impl Key {
    pub(crate) fn draw() -> Result<Self, getrandom::Error> {
        let mut seed = Zeroizing::new([0; 64]);
        getrandom::fill(seed.as_mut())?;
        let mut base = Zeroizing::new([0; 8]);
        getrandom::fill(base.as_mut())?;
        // Odd, so that no byte of a window is shifted out of the sum.
        let base = Zeroizing::new(u64::from_ne_bytes(*base) | 1);
        let mut oldest = Zeroizing::new(1_u64);
        for _ in 0..WINDOW {
            *oldest = oldest.wrapping_mul(*base);
        }
        Ok(Self { mac: Hmac::new((&*seed).into()), base, oldest })
    }

    /// HMAC-SHA-256.
    pub(crate) fn digest(&self, text: &[u8]) -> Digest {
        self.mac.clone().chain_update(text).finalize().into_bytes().into()
    }

    /// What the last bytes of a credential look like in [`windows`](Self::windows). `None` if it is too short.
    pub(crate) fn tail(&self, credential: &[u8]) -> Option<u64> {
        let start = credential.len().checked_sub(WINDOW)?;
        self.windows(credential.get(start..)?).next().map(|(_, sum)| sum)
    }

    /// A sum over each window of the text, with the index behind the window: a polynomial in a secret point
    /// (Rabin and Karp), so that all of them cost one pass. It only says where a digest is worth its price.
    pub(crate) fn windows(&self, text: &[u8]) -> impl Iterator<Item = (usize, u64)> {
        // Two walks over the text, one window apart.
        let mut leaving = text.iter();
        let mut sum = 0_u64;
        text.iter().zip(1_usize..).filter_map(move |(&entering, end)| {
            sum = sum.wrapping_mul(*self.base).wrapping_add(u64::from(entering));
            if end > WINDOW {
                let oldest = u64::from(*leaving.next()?);
                sum = sum.wrapping_sub(oldest.wrapping_mul(*self.oldest));
            }
            (end >= WINDOW).then(|| (end, mix(sum)))
        })
    }
}

/// The low bits of the sum know only the low bits of the text. (The finalizer of `MurmurHash3`.)
const fn mix(sum: u64) -> u64 {
    let sum = (sum ^ (sum >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let sum = (sum ^ (sum >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    sum ^ (sum >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zeroize::ZeroizeOnDrop;

    use super::*;

    #[test]
    fn the_key_is_wiped_and_no_two_are_alike() {
        const fn wipes<T: ZeroizeOnDrop>() {}
        // HMAC keeps no key, but two hashes that began with it.
        const { wipes::<Sha256>() };
        let (one, other) = (Key::draw().unwrap(), Key::draw().unwrap());
        assert_ne!(one.digest(b"a"), other.digest(b"a"));
        assert_ne!(one.tail(&[b'a'; 16]), other.tail(&[b'a'; 16]));
    }

    proptest! {
        /// Against the obvious way: each window by itself.
        #[test]
        fn a_window_has_the_sum_of_its_bytes_wherever_it_is(text in prop::collection::vec(any::<u8>(), 0..100)) {
            let key = Key::draw().unwrap();
            let naive: Vec<_> = text
                .windows(WINDOW)
                .zip(WINDOW..)
                .map(|(window, end)| (end, key.tail(window).unwrap()))
                .collect();
            prop_assert_eq!(key.windows(&text).collect::<Vec<_>>(), naive);
        }
    }
}
