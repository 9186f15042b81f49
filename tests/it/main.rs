//! One binary for all integration tests: it links once.
#![cfg(test)]

mod challenge;
mod contract;
mod cors;
mod limits;
mod order;
mod passthrough;
mod real;
mod servers;
mod several_resources;
