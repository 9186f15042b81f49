//! One binary for all end-to-end tests: it links once.
#![cfg(test)]

mod browser;
mod clients;
mod glewlwyd;
mod inspector;
mod matrix;
mod play;
mod rows;
mod skeleton;
