#![doc = include_str!("../README.md")]

mod document;
mod error;
pub mod future;
mod layer;
mod published;
mod service;
mod well_known;

pub use self::{
    document::Metadata, error::MetadataError, layer::ResourceMetadataLayer,
    service::ResourceMetadata,
};

#[cfg(test)]
mod tests;
