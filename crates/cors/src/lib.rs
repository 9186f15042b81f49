#![doc = include_str!("../README.md")]

pub mod future;
mod headers;
mod layer;
mod service;

pub use self::{headers::InvalidHeaderPrefixError, layer::CorsLayer, service::Cors};

#[cfg(test)]
mod tests;
