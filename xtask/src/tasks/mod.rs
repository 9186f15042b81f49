//! The tasks that build and run something. `tidy` only reads and has its own module.

pub(crate) mod ci;
pub(crate) mod clients;
pub(crate) mod demo;
pub(crate) mod fuzz;
mod install;
pub(crate) mod test;
