//! POP-01 to POP-08, through the layer.

mod bad_proofs;
mod challenges;
mod keys;
mod nonces;
mod replays;
mod rfc9449;
pub(crate) mod support;
