//! The matrix of `docs/clients.md`: what each client sent and saw, read off the log alone.
