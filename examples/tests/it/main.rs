//! Each example server, started as you would start it, and asked over a socket.
#![cfg(test)]

mod attacks;
mod demo;
mod dpop_server;
mod grpc_server;
mod hyper_server;
mod mcp_server;
mod outbound;
mod rest_api;
mod support;
