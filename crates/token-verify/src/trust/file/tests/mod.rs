mod equal;
mod errors;
