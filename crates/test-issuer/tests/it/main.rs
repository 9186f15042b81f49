//! The test issuer as its users see it: through the public API and over HTTP.

#[cfg(test)]
mod crafted;
#[cfg(test)]
mod introspection;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod misbehaviour;
#[cfg(test)]
mod server;
#[cfg(test)]
mod support;
#[cfg(test)]
mod token_endpoint;
