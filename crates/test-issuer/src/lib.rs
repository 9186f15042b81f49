#![doc = include_str!("../README.md")]

mod algorithm;
mod behaviour;
mod builder;
mod endpoints;
mod error;
mod issuer;
mod keys;
mod mint;
mod opaque;
mod server;

pub use self::algorithm::SigningAlgorithm;
pub use self::behaviour::Behaviour;
pub use self::builder::TestIssuerBuilder;
pub use self::error::TestIssuerError;
pub use self::issuer::{Retire, TestIssuer};
pub use self::mint::{Signature, TokenBuilder};
