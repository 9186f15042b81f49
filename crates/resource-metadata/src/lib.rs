#![doc = include_str!("../README.md")]

mod algorithm;
mod document;
mod error;
pub mod future;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod key;
mod language;
mod layer;
mod members;
mod published;
mod service;
mod signing;
mod well_known;

#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
pub use self::key::{InvalidMetadataKeyError, MetadataKey, MetadataKeyAlgorithm};
pub use self::{
    document::Metadata,
    error::MetadataError,
    layer::ResourceMetadataLayer,
    service::ResourceMetadata,
    signing::{SignMetadata, SigningError},
};

#[cfg(test)]
mod tests;
