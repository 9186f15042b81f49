//! The tasks that build and run something. `tidy` only reads and has its own module.

pub(crate) mod ci;
pub(crate) mod demo;
pub(crate) mod fuzz;
mod npm;
pub(crate) mod test;
