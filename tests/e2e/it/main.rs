//! One binary for all end-to-end tests: it links once.
#![cfg(test)]

mod page;
mod skeleton;
