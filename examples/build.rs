//! Compiles the protocol of `grpc_server.rs`, in Rust: no `protoc` needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = protox::compile(["proto/greeter.proto"], ["proto"])?;
    Ok(tonic_prost_build::configure().compile_fds(files)?)
}
