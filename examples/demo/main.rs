//! What `cargo xtask demo` runs: a test issuer, the MCP server of `mcp_server.rs` behind all layers, and a
//! walk through every answer it gives.
//!
//! The exit status is 0 only if each step went as it says. With `--serve`, both servers stay up instead,
//! for you and curl.

mod records;
mod serve;
mod show;
mod walk;
mod world;

use std::process::ExitCode;

use palisade_examples::{AnyError, Args, end_with_parent, init_logging};

use self::{show::Show, world::World};

#[tokio::main]
async fn main() -> ExitCode {
    init_logging();
    let args = Args::from_env();
    end_with_parent(&args);
    let show = Show::new();
    match run(&args, &show).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            show.failure(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args, show: &Show) -> Result<(), AnyError> {
    let world = World::start().await?;
    show.welcome(&world);
    if args.has("serve") {
        return serve::until_interrupted(&world, show).await;
    }
    walk::all_steps(&world, show).await?;
    let records = records::read(world.audit_file())?;
    show.records(&records);
    walk::check_records(&records, show)?;
    show.success();
    Ok(())
}
