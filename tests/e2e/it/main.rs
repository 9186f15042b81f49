//! One binary for all end-to-end tests: it links once.
#![cfg(test)]

mod browser;
mod clients;
mod expiry;
mod forward;
mod glewlwyd;
mod inspector;
mod matrix;
mod parsers;
mod play;
mod proof;
mod resources;
mod rows;
mod skeleton;
