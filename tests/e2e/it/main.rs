//! One binary for all end-to-end tests: it links once.
#![cfg(test)]

mod browser;
mod inspector;
mod skeleton;
