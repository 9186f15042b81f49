//! `cargo xtask clients`: writes `docs/clients.md`, which the end-to-end tests compare with what they see.

use std::{ffi::OsString, process::ExitCode};

use crate::{
    prerequisites,
    run::{Failure, Phases},
    tasks::test,
};

pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode, Failure> {
    if !arguments.is_empty() {
        return Err(Failure::Usage("`clients` takes no arguments".to_owned()));
    }
    prerequisites::check(&[
        prerequisites::C_COMPILER,
        prerequisites::NODE,
        prerequisites::NPM,
        prerequisites::PYTHON,
    ])?;
    test::install(&mut Phases::default())?;
    test::end_to_end(&["matrix".to_owned()]).with_variable("PALISADE_BLESS", "1").run()?;
    Ok(ExitCode::SUCCESS)
}
