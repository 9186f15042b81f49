//! One binary for all integration tests: it links once.

mod contract;
mod order;
mod servers;
